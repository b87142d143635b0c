package duck

import (
	"context"
	"fmt"
	"strings"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// among narrows a query to people: a CTE of their numbers packed into words of 64, as Select packs its answer, and the join with the column that
// holds a person. A million people are some sixteen thousand rows.
func among(people *roaring64.Bitmap, column string) (cte, join string, args []any) {
	if people == nil {
		return "", "", nil
	}
	var words, bits []uint64
	for it := people.Iterator(); it.HasNext(); {
		n := it.Next()
		if w := n / 64; len(words) == 0 || words[len(words)-1] != w {
			words, bits = append(words, w), append(bits, 0)
		}
		bits[len(bits)-1] |= 1 << (n % 64)
	}
	if words == nil {
		words, bits = []uint64{}, []uint64{}
	}
	return `member AS MATERIALIZED (SELECT unnest(CAST(? AS UBIGINT[])) AS word, unnest(CAST(? AS UBIGINT[])) AS bits), `,
		` JOIN member ON member.word = ` + column + ` // 64 AND (member.bits >> (` + column + ` % 64)) & 1 = 1`, []any{words, bits}
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
			return out, fmt.Errorf("event store: profile: %w", err)
		}
	}
	return out, nil
}

// each reads the rows of a query.
func (s *Store) each(ctx context.Context, query string, args []any, scan func(scan func(...any) error) error) error {
	defer s.reading()()
	rows, err := s.db.QueryContext(ctx, query, lists(args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *Store) ages(ctx context.Context, ws string, q event.ProfileQuery, out *event.Profile) error {
	cte, join, args := among(q.People, "person.num")
	args = append(args, q.Today.Format("2006-01-02"), ws)
	return s.each(ctx, `WITH `+cte+`aged AS (SELECT coalesce(CASE WHEN json_type(traits, '/age') IN ('UBIGINT', 'BIGINT', 'DOUBLE') THEN TRY_CAST(json_extract_string(traits, '/age') AS DOUBLE) END,
			date_sub('year', TRY_CAST(left(json_extract_string(traits, '/birthday'), 10) AS DATE), CAST(? AS DATE))) AS age
			FROM person`+join+` WHERE ws = ?)
		SELECT count(*), count(age), coalesce(quantile_cont(age, 0.25), 0), coalesce(quantile_cont(age, 0.5), 0), coalesce(quantile_cont(age, 0.75), 0)
		FROM (SELECT CASE WHEN age BETWEEN 0 AND 130 THEN CAST(age AS DOUBLE) END AS age FROM aged)`, args, func(scan func(...any) error) error {
		a := &out.Ages
		return scan(&out.People, &a.N, &a.Low, &a.Median, &a.High)
	})
}

func (s *Store) reached(ctx context.Context, ws string, q event.ProfileQuery, out *event.Profile) error {
	cte, join, args := among(q.People, "person.num")
	return s.each(ctx, `WITH `+cte+`on_channel AS (SELECT channels AS o, unnest(json_keys(channels)) AS k FROM person`+join+` WHERE ws = ?)
		SELECT k, count(*) FROM on_channel WHERE json_extract_string(o, `+pointer+` || '/reachable') = 'true' GROUP BY k`, append(args, ws), func(scan func(...any) error) error {
		var kind string
		var n int64
		err := scan(&kind, &n)
		out.Reached[kind] = n
		return err
	})
}

func (s *Store) traits(ctx context.Context, ws string, q event.ProfileQuery, out *event.Profile) error {
	cte, join, args := among(q.People, "person.num")
	values, share := profileValues, profileShare
	if q.Values > 0 {
		values, share = q.Values, 0
	}
	skip := ""
	args = append(args, ws)
	if len(q.Skip) > 0 {
		skip = ` AND path NOT IN (` + strings.TrimSuffix(strings.Repeat("?, ", len(q.Skip)), ", ") + `)`
		for _, p := range q.Skip {
			args = append(args, p)
		}
	}
	args = append(args, max(q.Limit, 0))
	query := `WITH ` + cte + `sample AS (SELECT traits AS o FROM person` + join + ` WHERE ws = ? ORDER BY last_seen DESC, num LIMIT ` + fmt.Sprint(event.SampleSize) + `),
		` + fieldsOf + `,
		known AS (SELECT path, ` + kindOf + ` AS kind, v FROM fields WHERE t NOT IN ('NULL', 'OBJECT', 'ARRAY')` + skip + `),
		kinds AS (SELECT path, mode(kind) AS kind, count(*) AS n FROM known GROUP BY path),
		counted AS (SELECT path, kind, v, count(*) AS n FROM known WHERE kind <> 'number' GROUP BY path, kind, v HAVING count(*) > 1),
		ranked AS (SELECT *, row_number() OVER (PARTITION BY path, kind ORDER BY n DESC, v) AS rank FROM counted),
		numbers AS (SELECT path, quantile_cont(TRY_CAST(v AS DOUBLE), [0.25, 0.5, 0.75]) AS q FROM known WHERE kind = 'number' GROUP BY path HAVING count(*) > 1),
		chosen AS (SELECT k.path, k.kind, k.n, numbers.q FROM kinds k LEFT JOIN numbers ON k.kind = 'number' AND numbers.path = k.path
			LEFT JOIN ranked r ON r.path = k.path AND r.kind = k.kind AND r.rank = 1
			WHERE CASE WHEN k.kind = 'number' THEN numbers.q IS NOT NULL ELSE r.n >= ` + fmt.Sprint(share) + ` * k.n END ORDER BY k.n DESC, k.path LIMIT ?)
		SELECT c.path, c.kind, c.n, coalesce(c.q[1], 0), coalesce(c.q[2], 0), coalesce(c.q[3], 0), coalesce(r.v, ''), coalesce(r.n, 0) FROM chosen c
		LEFT JOIN ranked r ON r.path = c.path AND r.kind = c.kind AND r.rank <= ` + fmt.Sprint(values) + ` ORDER BY c.n DESC, c.path, r.rank`
	return s.each(ctx, query, args, func(scan func(...any) error) error {
		var t event.TraitProfile
		var v event.ValueCount
		if err := scan(&t.Path, &t.Kind, &t.Spread.N, &t.Spread.Low, &t.Spread.Median, &t.Spread.High, &v.Value, &v.Count); err != nil {
			return err
		}
		if n := len(out.Traits); n == 0 || out.Traits[n-1].Path != t.Path {
			out.Traits = append(out.Traits, t)
		}
		if v.Count > 0 {
			last := &out.Traits[len(out.Traits)-1]
			v.Kind = t.Kind
			last.Values = append(last.Values, v)
		}
		return nil
	})
}

func (s *Store) doings(ctx context.Context, ws string, q event.ProfileQuery, out *event.Profile) error {
	cte, join, args := among(q.People, "event.person")
	return s.each(ctx, `WITH `+cte+`done AS (SELECT type, coalesce(nullif(name, ''), path, '') AS what, person FROM event`+join+`
			WHERE event.ws = ? AND type IN ('track', 'page', 'screen') AND time >= ?)
		SELECT type, what, count(DISTINCT person) AS people, count(*) FROM done GROUP BY type, what HAVING people > 1 ORDER BY people DESC, type, what LIMIT ?`,
		append(args, ws, q.Since.UnixMicro(), max(q.Limit, 0)), func(scan func(...any) error) error {
			var d event.Doing
			err := scan((*string)(&d.Type), &d.Name, &d.People, &d.Count)
			out.Doings = append(out.Doings, d)
			return err
		})
}

func (s *Store) answered(ctx context.Context, ws string, q event.ProfileQuery, out *event.Profile) error {
	cte, join, args := among(q.People, "event.person")
	return s.each(ctx, `WITH `+cte+`answer AS (SELECT channel, person FROM event`+join+`
			WHERE event.ws = ? AND type = 'message' AND name IN (?, ?, ?) AND channel IS NOT NULL AND time >= ? AND coalesce(json_extract_string(props, '/machine'), '') <> 'true')
		SELECT channel, count(DISTINCT person) FROM answer GROUP BY channel`,
		append(args, ws, event.MessageOpened, event.MessageClicked, event.MessageReplied, q.Since.UnixMicro()), func(scan func(...any) error) error {
			var kind string
			var n int64
			err := scan(&kind, &n)
			out.Answered[kind] = n
			return err
		})
}
