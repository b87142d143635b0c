package duck

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Timeline implements event.Store.
func (s *Store) Timeline(ctx context.Context, ws string, person uint64, types []event.Type, p page.Request) (page.Of[event.Kept], error) {
	var at int64
	var seq uint64
	var idx int
	after, err := page.Decode(p.Cursor, &at, &seq, &idx)
	if err != nil {
		return page.Of[event.Kept]{}, err
	}
	open := s.open.Load()
	stored := open.stored(ws, []uint64{person})
	if len(stored) == 0 {
		return page.Of[event.Kept]{}, nil
	}
	w := where{}
	w.add("ws = ?", ws)
	w.in("person", anys(stored))
	if len(types) > 0 {
		w.in("type", anys(types))
	}
	if after {
		w.add("time <= ?", at) // lets DuckDB skip the newer part of the file
		w.add("(time < ? OR seq < ? OR seq = ? AND idx < ?)", at, seq, seq, idx)
	}
	items, err := s.kept(ctx, open, ws, keptColumns, `WHERE `+w.String()+
		fmt.Sprintf(` ORDER BY time DESC, seq DESC, idx DESC LIMIT %d`, p.Size()+1), w.args...)
	if err != nil {
		return page.Of[event.Kept]{}, err
	}
	return page.Cut(items, p.Size(), func(k event.Kept) string {
		return page.Encode(k.Time.UnixMicro(), k.Position.Seq, k.Position.Index)
	}), nil
}

// Arrivals implements event.Store.
func (s *Store) Arrivals(ctx context.Context, ws string, f event.ArrivalFilter, p page.Request) (page.Of[event.Kept], error) {
	var seq uint64
	var idx int
	after, err := page.Decode(p.Cursor, &seq, &idx)
	if err != nil {
		return page.Of[event.Kept]{}, err
	}
	w := where{}
	w.add("ws = ?", ws)
	for _, c := range [][2]string{{"source", f.Source}, {"name", f.Name}, {"type", string(f.Type)}, {"message_id", f.MessageID}} {
		if c[1] != "" {
			w.add(c[0]+" = ?", c[1])
		}
	}
	if after {
		w.add("(seq < ? OR seq = ? AND idx < ?)", seq, seq, idx)
	}
	// The narrow columns find the rows; the wide ones are read of those few only.
	const newest = ` ORDER BY seq DESC, idx DESC`
	items, err := s.kept(ctx, s.open.Load(), ws, keptColumns,
		`WHERE rowid IN (SELECT rowid FROM event_raw WHERE `+w.String()+newest+fmt.Sprintf(` LIMIT %d)`, p.Size()+1)+newest, w.args...)
	if err != nil {
		return page.Of[event.Kept]{}, err
	}
	return page.Cut(items, p.Size(), func(k event.Kept) string { return page.Encode(k.Position.Seq, k.Position.Index) }), nil
}

// Histories implements event.Store.
func (s *Store) Histories(ctx context.Context, ws string, people []uint64, names []string) (map[uint64][]event.Kept, error) {
	out := make(map[uint64][]event.Kept, len(people))
	open := s.open.Load()
	stored := open.stored(ws, people)
	if len(stored) == 0 || names != nil && len(names) == 0 {
		return out, nil
	}
	w := where{}
	w.add("ws = ?", ws)
	w.add("person IN (SELECT unnest(CAST(? AS UBIGINT[])))", stored)
	if names != nil {
		var types []any
		for _, n := range names {
			if n == string(event.Page) || n == string(event.Screen) {
				types = append(types, n)
			}
		}
		n := where{}
		n.in("name", anys(names))
		if len(types) > 0 {
			n.in("type", types)
		}
		w.add("("+strings.Join(n.parts, " OR ")+")", n.args...)
	}
	// Finding the rows by the narrow columns first and reading the wide ones by row id is up to twice as fast as one pass.
	items, err := s.kept(ctx, open, ws, historyColumns, `WHERE rowid IN (SELECT rowid FROM event_raw WHERE `+w.String()+`)`, w.args...)
	if err != nil {
		return nil, err
	}
	for _, k := range items {
		out[k.Person] = append(out[k.Person], k)
	}
	for _, h := range out {
		slices.SortFunc(h, compare)
	}
	return out, nil
}

// Linked implements event.Store.
func (s *Store) Linked(ctx context.Context, ws string, ids []event.Identifier, limit int) ([]event.Kept, error) {
	if len(ids) == 0 || limit <= 0 {
		return nil, nil
	}
	return s.kept(ctx, s.open.Load(), ws, keptColumns, `WHERE ws = ? AND list_has_any(ids, CAST(? AS VARCHAR[]))
		ORDER BY time, seq, idx LIMIT `+fmt.Sprint(limit), ws, event.Strings(ids))
}

// kept reads events of the workspace from event_raw and names the person after merges.
func (s *Store) kept(ctx context.Context, open *redirects, ws, columns, where string, args ...any) ([]event.Kept, error) {
	defer s.reading()()
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM event_raw `+where, lists(args...)...)
	if err != nil {
		return nil, fmt.Errorf("event store: %w", err)
	}
	defer rows.Close()
	var out []event.Kept
	scan := newScanner(ws, columns)
	for rows.Next() {
		k, err := scan.kept(rows)
		if err != nil {
			return nil, err
		}
		k.Person = open.resolve(ws, k.Person)
		out = append(out, k)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("event store: %w", err)
	}
	return out, nil
}

func compare(a, b event.Kept) int {
	switch {
	case event.Less(a, b):
		return -1
	case event.Less(b, a):
		return 1
	}
	return 0
}

// where collects conditions and their arguments in the same order.
type where struct {
	parts []string
	args  []any
}

func (w *where) add(part string, args ...any) {
	w.parts, w.args = append(w.parts, part), append(w.args, args...)
}

func (w *where) in(column string, values []any) {
	w.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", values...)
}

func (w *where) String() string { return strings.Join(w.parts, " AND ") }

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		if t, ok := any(v).(event.Type); ok {
			out[i] = string(t)
			continue
		}
		out[i] = v
	}
	return out
}
