package click

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
)

// objects is the newest traits or properties as column o, and its arguments.
func objects(ws, name string) (string, []any) {
	if name == "" {
		return fmt.Sprintf(`SELECT traits AS o FROM person WHERE ws = ? ORDER BY last_seen DESC LIMIT %d`, event.SampleSize), []any{ws}
	}
	return fmt.Sprintf(`SELECT props AS o FROM event WHERE ws = ? AND name = ? AND type IN ('track', 'page', 'screen') ORDER BY time DESC LIMIT %d`, event.SampleSize), []any{ws, name}
}

// fieldsOf is the members of the objects in from, two levels deep: path, kind (null for nothing), text v.
func fieldsOf(from string) string {
	const (
		known = `k <> '' AND position(k, '.') = 0`
		typed = `CASE toString(JSONType(raw)) WHEN 'String' THEN 'text' WHEN 'Bool' THEN 'boolean' WHEN 'Array' THEN 'list' WHEN 'Object' THEN 'object' WHEN 'Null' THEN 'null' ELSE 'number' END`
	)
	// One pass: a member stands with the path '', an inner one with that of its object.
	return `SELECT CASE WHEN outer_path = '' THEN k ELSE concat(outer_path, '.', k) END AS path, ` + typed + ` AS kind, CASE WHEN JSONType(raw) = 'String' THEN JSONExtractString(raw) ELSE raw END AS v
		FROM (SELECT tupleElement(m, 1) AS outer_path, tupleElement(m, 2) AS k, tupleElement(m, 3) AS raw FROM (SELECT arrayJoin(arrayConcat(
			arrayMap(f -> ('', tupleElement(f, 1), tupleElement(f, 2)), members),
			arrayFlatten(arrayMap(f -> arrayMap(g -> (tupleElement(f, 1), tupleElement(g, 1), tupleElement(g, 2)), JSONExtractKeysAndValuesRaw(tupleElement(f, 2))),
				arrayFilter(f -> JSONType(tupleElement(f, 2)) = 'Object' AND tupleElement(f, 1) <> '' AND position(tupleElement(f, 1), '.') = 0, members))))) AS m
		FROM (SELECT JSONExtractKeysAndValuesRaw(o) AS members FROM (` + from + `) AS sample) AS split) AS joined) AS named WHERE ` + known
}

// Fields implements event.Store.
func (s *Store) Fields(ctx context.Context, ws, name string, limit int) (out []event.Field, err error) {
	from, args := objects(ws, name)
	err = s.each(ctx, `SELECT path, argMax(kind, n) AS kind, toInt64(sum(n)) AS total FROM (SELECT path, kind, count() AS n FROM (`+fieldsOf(from)+`) AS fields
		WHERE kind <> 'null' GROUP BY path, kind) AS kinds GROUP BY path ORDER BY total DESC, path LIMIT ?`, append(args, size(limit)), func(scan func(...any) error) error {
		var f event.Field
		err := scan(&f.Path, &f.Kind, &f.Count)
		out = append(out, f)
		return err
	})
	return out, err
}

// Values implements event.Store.
func (s *Store) Values(ctx context.Context, ws, name, path string, limit int) (out []event.ValueCount, err error) {
	from, args := objects(ws, name)
	// A key tells the kinds apart by its first letter. A number stands in its own text.
	key, raw := leaf.ClickHouse{}.KeyOf("o", strings.Split(path, ".")), leaf.ClickHouse{}.RawOf("o", strings.Split(path, "."))
	args = slices.Concat(key.Args, raw.Args, args, []any{size(limit)})
	err = s.each(ctx, `SELECT CASE WHEN startsWith(k, 'n') THEN raw ELSE substring(k, 2) END AS v, CASE substring(k, 1, 1) WHEN 's' THEN 'text' WHEN 'b' THEN 'boolean' ELSE 'number' END AS kind, toInt64(count()) AS n
		FROM (SELECT assumeNotNull(k) AS k, raw FROM (SELECT `+key.SQL+` AS k, `+raw.SQL+` AS raw FROM (`+from+`) AS sample) AS found WHERE k IS NOT NULL) AS known
		GROUP BY v, kind ORDER BY n DESC, v LIMIT ?`, args, func(scan func(...any) error) error {
		var v event.ValueCount
		err := scan(&v.Value, &v.Kind, &v.Count)
		out = append(out, v)
		return err
	})
	return out, err
}
