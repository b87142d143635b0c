package click

import (
	"context"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// among narrows to people: a join with their numbers, packed into words of 64 as Select packs its answer, with the column that holds a person.
func among(people *roaring64.Bitmap, column string) (join string, args []any) {
	if people == nil {
		return "", nil
	}
	words, bits := []uint64{}, []uint64{}
	for it := people.Iterator(); it.HasNext(); {
		n := it.Next()
		if w := n / 64; len(words) == 0 || words[len(words)-1] != w {
			words, bits = append(words, w), append(bits, 0)
		}
		bits[len(bits)-1] |= 1 << (n % 64)
	}
	return ` JOIN (SELECT tupleElement(m, 1) AS word, tupleElement(m, 2) AS bits FROM (SELECT arrayJoin(arrayZip(?, ?)) AS m) AS zipped) AS member
		ON member.word = intDiv(` + column + `, 64) AND bitTest(member.bits, ` + column + ` % 64)`, []any{words, bits}
}

const (
	profileValues = 5
	// A text that nobody shares says nothing about a group.
	profileShare = 0.05
)

// Profile implements event.Store.
func (s *Store) Profile(ctx context.Context, ws string, q event.ProfileQuery) (event.Profile, error) {
	out := event.Profile{Reached: map[string]int64{}, Answered: map[string]int64{}}
	for _, part := range []func(context.Context, string, event.ProfileQuery, *event.Profile) error{s.ages, s.reached, s.traits, s.doings, s.answered} {
		if err := part(ctx, ws, q, &out); err != nil {
			return out, fmt.Errorf("profile: %w", err)
		}
	}
	return out, nil
}

// quartiles of a column that is not NULL.
const quartiles = `quantilesExactInclusive(0.25, 0.5, 0.75)`

func (s *Store) ages(ctx context.Context, ws string, q event.ProfileQuery, out *event.Profile) error {
	join, args := among(q.People, "person.num")
	day := q.Today.Format("2006-01-02")
	// Whole years between two dates, by their texts: ClickHouse's dates begin in 1900.
	const born = `substring(JSONExtractString(traits, 'birthday'), 1, 10)`
	return s.each(ctx, `SELECT toInt64(count()), toInt64(countIf(aged)), quantilesExactInclusiveIf(0.25, 0.5, 0.75)(age, aged) AS quarters
		FROM (SELECT age, age BETWEEN 0 AND 130 AS aged FROM (SELECT CASE WHEN JSONType(traits, 'age') IN ('Int64', 'UInt64', 'Double') THEN JSONExtractFloat(traits, 'age')
			WHEN match(`+born+`, '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$') THEN toFloat64(toInt32OrZero(substring(?, 1, 4)) - toInt32OrZero(substring(`+born+`, 1, 4)) - CASE WHEN substring(?, 6) < substring(`+born+`, 6) THEN 1 ELSE 0 END)
			ELSE -1 END AS age FROM person`+join+` WHERE ws = ?) AS told) AS known`, append([]any{day, day}, append(args, ws)...), func(scan func(...any) error) error {
		a := &out.Ages
		var quarters []float64
		err := scan(&out.People, &a.N, &quarters)
		if err == nil && a.N > 0 {
			a.Low, a.Median, a.High = quarters[0], quarters[1], quarters[2]
		}
		return err
	})
}

func (s *Store) reached(ctx context.Context, ws string, q event.ProfileQuery, out *event.Profile) error {
	join, args := among(q.People, "person.num")
	return s.each(ctx, `SELECT k, toInt64(count()) FROM (SELECT arrayJoin(arrayFilter(k -> JSONExtractBool(channels, k, 'reachable'), JSONExtractKeys(channels))) AS k
		FROM person`+join+` WHERE ws = ?) AS on_channel GROUP BY k`, append(args, ws), func(scan func(...any) error) error {
		var kind string
		var n int64
		err := scan(&kind, &n)
		out.Reached[kind] = n
		return err
	})
}

func (s *Store) traits(ctx context.Context, ws string, q event.ProfileQuery, out *event.Profile) error {
	join, args := among(q.People, "person.num")
	values, share := profileValues, profileShare
	if q.Values > 0 {
		values, share = q.Values, 0
	}
	from := `SELECT traits AS o FROM person` + join + ` WHERE ws = ? ORDER BY last_seen DESC, num LIMIT ` + fmt.Sprint(event.SampleSize)
	// Of each path the most frequent kind counts; a value of a single person is left out.
	query := `SELECT path, kind, toInt64(total) AS total, quarters, arraySlice(arraySort(x -> (-tupleElement(x, 2), tupleElement(x, 1)), shared), 1, ` + fmt.Sprint(values) + `) AS shared FROM
		(SELECT path, argMax(kind, members) AS kind, sum(members) AS total, argMax(quarters, members) AS quarters, argMax(shared, members) AS shared FROM
			(SELECT path, kind, sum(n) AS members, groupArrayIf((v, toInt64(n)), kind <> 'number' AND n > 1) AS shared, groupArray((v, n)) AS counted,
				CASE WHEN kind = 'number' THEN arrayFlatten(arrayMap(x -> arrayWithConstant(tupleElement(x, 2), toFloat64OrZero(tupleElement(x, 1))), counted)) ELSE [] END AS numbers,
				CASE WHEN kind = 'number' AND length(numbers) > 1 THEN arrayReduce('` + quartiles + `', numbers) ELSE [] END AS quarters
			FROM (SELECT path, kind, v, count() AS n FROM (` + fieldsOf(from) + `) AS fields WHERE kind IN ('text', 'number', 'boolean') AND NOT has(?, path) GROUP BY path, kind, v) AS counts GROUP BY path, kind) AS kinds
		GROUP BY path) AS chosen
		WHERE CASE WHEN kind = 'number' THEN length(quarters) > 0 ELSE arrayMax(arrayMap(x -> tupleElement(x, 2), arrayConcat(shared, [('', toInt64(-1))]))) >= ` + fmt.Sprint(share) + ` * total END
		ORDER BY total DESC, path LIMIT ?`
	skip := q.Skip
	if skip == nil {
		skip = []string{}
	}
	return s.each(ctx, query, append(args, ws, skip, size(q.Limit)), func(scan func(...any) error) error {
		var t event.TraitProfile
		var quarters []float64
		var shared [][]any
		if err := scan(&t.Path, &t.Kind, &t.Spread.N, &quarters, &shared); err != nil {
			return err
		}
		if t.Kind == "number" {
			t.Spread.Low, t.Spread.Median, t.Spread.High = quarters[0], quarters[1], quarters[2]
		} else {
			for _, pair := range shared {
				t.Values = append(t.Values, event.ValueCount{Value: pair[0].(string), Kind: t.Kind, Count: pair[1].(int64)})
			}
		}
		out.Traits = append(out.Traits, t)
		return nil
	})
}

func (s *Store) doings(ctx context.Context, ws string, q event.ProfileQuery, out *event.Profile) error {
	join, args := among(q.People, "event.person")
	return s.each(ctx, `SELECT type, what, toInt64(uniqExact(person)) AS people, toInt64(count()) FROM (SELECT type, coalesce(nullif(name, ''), path, '') AS what, person FROM event`+join+`
			WHERE event.ws = ? AND type IN ('track', 'page', 'screen') AND time >= ?) AS done
		GROUP BY type, what HAVING people > 1 ORDER BY people DESC, type, what LIMIT ?`, append(args, ws, q.Since.UnixMicro(), size(q.Limit)), func(scan func(...any) error) error {
		var d event.Doing
		err := scan((*string)(&d.Type), &d.Name, &d.People, &d.Count)
		out.Doings = append(out.Doings, d)
		return err
	})
}

func (s *Store) answered(ctx context.Context, ws string, q event.ProfileQuery, out *event.Profile) error {
	join, args := among(q.People, "event.person")
	return s.each(ctx, `SELECT assumeNotNull(channel) AS kind, toInt64(uniqExact(person)) FROM event`+join+`
		WHERE event.ws = ? AND type = 'message' AND name IN (?, ?, ?) AND channel IS NOT NULL AND time >= ? AND JSONExtractRaw(props, 'machine') NOT IN ('true', '"true"') GROUP BY kind`,
		append(args, ws, event.MessageOpened, event.MessageClicked, event.MessageReplied, q.Since.UnixMicro()), func(scan func(...any) error) error {
			var kind string
			var n int64
			err := scan(&kind, &n)
			out.Answered[kind] = n
			return err
		})
}
