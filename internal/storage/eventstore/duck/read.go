package duck

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// Timeline implements event.Store.
func (s *Store) Timeline(ctx context.Context, ws string, person uint64, types []event.Type, p page.Request) (page.Of[event.Kept], error) {
	open := s.open.Load()
	w := eventstore.Where{}
	w.Add("ws = ?", ws)
	stored := open.stored(ws, []uint64{person})
	if len(stored) > 0 {
		eventstore.In(&w, "person", stored)
	}
	if err := w.Timeline(types, p.Cursor); err != nil || len(stored) == 0 {
		return page.Of[event.Kept]{}, err
	}
	items, err := s.kept(ctx, open, ws, keptColumns, `WHERE `+w.String()+
		fmt.Sprintf(` ORDER BY time DESC, seq DESC, idx DESC LIMIT %d`, p.Size()+1), w.Args...)
	if err != nil {
		return page.Of[event.Kept]{}, err
	}
	return eventstore.CutTimeline(items, p.Size()), nil
}

// Arrivals implements event.Store.
func (s *Store) Arrivals(ctx context.Context, ws string, f event.ArrivalFilter, p page.Request) (page.Of[event.Kept], error) {
	w := eventstore.Where{}
	if err := w.Arrivals(ws, f, p.Cursor); err != nil {
		return page.Of[event.Kept]{}, err
	}
	// The narrow columns find the rows; the wide ones are read of those few only.
	const newest = ` ORDER BY seq DESC, idx DESC`
	items, err := s.kept(ctx, s.open.Load(), ws, keptColumns,
		`WHERE rowid IN (SELECT rowid FROM event_raw WHERE `+w.String()+newest+fmt.Sprintf(` LIMIT %d)`, p.Size()+1)+newest, w.Args...)
	if err != nil {
		return page.Of[event.Kept]{}, err
	}
	return eventstore.CutArrivals(items, p.Size()), nil
}

// Histories implements event.Store.
func (s *Store) Histories(ctx context.Context, ws string, people []uint64, names []string) (map[uint64][]event.Kept, error) {
	return s.Recent(ctx, ws, people, names, time.Time{})
}

// severalNames is from how many names on it is cheaper to compare them of the people's events alone: with 20 million events and one name of three,
// 600 ms of processor time instead of 740, with all three 1,040 and 780.
const severalNames = 3

// Recent implements event.Store.
func (s *Store) Recent(ctx context.Context, ws string, people []uint64, names []string, since time.Time) (map[uint64][]event.Kept, error) {
	out := make(map[uint64][]event.Kept, len(people))
	open := s.open.Load()
	stored := open.stored(ws, people)
	if len(stored) == 0 || names != nil && len(names) == 0 {
		return out, nil
	}
	w := eventstore.Where{}
	w.Add("ws = ?", ws)
	w.Add("person IN (SELECT unnest(CAST(? AS UBIGINT[])))", stored)
	if !since.IsZero() {
		w.Add("time >= ?", since.UnixMicro()) // DuckDB skips the older part of the file
	}
	args, named := w.Args, ""
	switch {
	case names == nil:
	case len(names) < severalNames:
		w.Named(names)
		args = w.Args
	default: // the condition is on both sides of the join, so that it is not asked of all events
		var n eventstore.Where
		n.Named(names)
		named = " WHERE CASE WHEN rowid = found THEN " + n.String() + " END"
		args = append(args, n.Args...)
	}
	// Finding the rows by the narrow columns first and reading the wide ones by row id is up to twice as fast as one pass.
	items, err := s.kept(ctx, open, ws, historyColumns, `JOIN (SELECT rowid AS found FROM event_raw WHERE `+w.String()+`) ON rowid = found`+named, args...)
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

// kept reads events of the workspace from event_raw, to which rest says which, and names the person after merges.
func (s *Store) kept(ctx context.Context, open *redirects, ws, columns, rest string, args ...any) ([]event.Kept, error) {
	defer s.reading()()
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM event_raw `+rest, lists(args...)...)
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
