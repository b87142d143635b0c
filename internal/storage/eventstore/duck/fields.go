package duck

import (
	"context"
	"fmt"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
)

// objects is the newest traits or properties as column o, and its arguments.
func objects(ws, name string) (string, []any) {
	if name == "" {
		return fmt.Sprintf(`SELECT traits AS o FROM person WHERE ws = ? ORDER BY last_seen DESC LIMIT %d`, event.SampleSize), []any{ws}
	}
	return fmt.Sprintf(`SELECT props AS o FROM event_raw WHERE ws = ? AND name = ? AND type IN ('track', 'page', 'screen') ORDER BY time DESC LIMIT %d`, event.SampleSize), []any{ws, name}
}

const (
	kindOf = `CASE WHEN t = 'VARCHAR' THEN 'text' WHEN t = 'BOOLEAN' THEN 'boolean' WHEN t = 'ARRAY' THEN 'list' WHEN t = 'OBJECT' THEN 'object' ELSE 'number' END`
	// pointer makes the key k a JSON Pointer (RFC 6901).
	pointer = `'/' || replace(replace(k, '~', '~0'), '/', '~1')`
	// fieldsOf is the members of the objects of sample, two levels deep: path, JSON type t, text v.
	fieldsOf = `keys AS (SELECT o, unnest(json_keys(o)) AS k FROM sample WHERE json_type(o) = 'OBJECT'),
		outer_fields AS (SELECT k AS path, json_extract(o, ` + pointer + `) AS v FROM keys WHERE k <> '' AND NOT contains(k, '.')),
		inner_keys AS (SELECT path, v AS o, unnest(json_keys(v)) AS k FROM outer_fields WHERE json_type(v) = 'OBJECT'),
		fields AS (SELECT path, json_type(v) AS t, json_extract_string(v, '$') AS v FROM outer_fields
			UNION ALL SELECT path || '.' || k, json_type(o, ` + pointer + `), json_extract_string(o, ` + pointer + `) FROM inner_keys WHERE k <> '' AND NOT contains(k, '.'))`
)

// Fields implements event.Store.
func (s *Store) Fields(ctx context.Context, ws, name string, limit int) ([]event.Field, error) {
	defer s.reading()()
	from, args := objects(ws, name)
	rows, err := s.db.QueryContext(ctx, `WITH sample AS (`+from+`), `+fieldsOf+`
		SELECT path, mode(`+kindOf+`) AS kind, count(*) AS n FROM fields WHERE t <> 'NULL' GROUP BY path ORDER BY n DESC, path LIMIT ?`, append(args, max(limit, 0))...)
	if err != nil {
		return nil, fmt.Errorf("event store: fields: %w", err)
	}
	defer rows.Close()
	var out []event.Field
	for rows.Next() {
		var f event.Field
		if err := rows.Scan(&f.Path, &f.Kind, &f.Count); err != nil {
			return nil, fmt.Errorf("event store: fields: %w", err)
		}
		out = append(out, f)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("event store: fields: %w", err)
	}
	return out, nil
}

// Values implements event.Store.
func (s *Store) Values(ctx context.Context, ws, name, path string, limit int) ([]event.ValueCount, error) {
	defer s.reading()()
	from, args := objects(ws, name)
	at := leaf.Path(strings.Split(path, ".")).Pointer()
	rows, err := s.db.QueryContext(ctx, `WITH sample AS (`+from+`),
		found AS (SELECT json_type(o, CAST(? AS VARCHAR)) AS t, json_extract_string(o, CAST(? AS VARCHAR)) AS v FROM sample)
		SELECT v, `+kindOf+` AS kind, count(*) AS n FROM found WHERE v IS NOT NULL AND t NOT IN ('OBJECT', 'ARRAY', 'NULL')
		GROUP BY v, kind ORDER BY n DESC, v LIMIT ?`, append(args, at, at, max(limit, 0))...)
	if err != nil {
		return nil, fmt.Errorf("event store: values: %w", err)
	}
	defer rows.Close()
	var out []event.ValueCount
	for rows.Next() {
		var v event.ValueCount
		if err := rows.Scan(&v.Value, &v.Kind, &v.Count); err != nil {
			return nil, fmt.Errorf("event store: values: %w", err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("event store: values: %w", err)
	}
	return out, nil
}
