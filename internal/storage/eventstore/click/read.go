package click

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// rows runs a statement that reads, as it is.
func (s *Store) rows(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	text, params, err := translate(query, args)
	if err != nil {
		return nil, err
	}
	if len(params) > 0 {
		ctx = clickhouse.Context(ctx, clickhouse.WithParameters(params))
	}
	rows, err := s.conn.Query(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("event store: %w", err)
	}
	return rows, nil
}

// each reads the rows of a statement about the tables event and person.
func (s *Store) each(ctx context.Context, query string, args []any, scan func(scan func(...any) error) error) error {
	rows, err := s.rows(ctx, s.seen.Load().tables()+query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return fmt.Errorf("event store: %w", err)
		}
	}
	return rows.Err()
}

// kept reads events of a workspace.
func (s *Store) kept(ctx context.Context, ws string, all bool, rest string, args ...any) ([]event.Kept, error) {
	columns := historyColumns
	if all {
		columns = keptColumns
	}
	rows, err := s.rows(ctx, `SELECT `+columns+` FROM event_raw WHERE `+s.seen.Load().alive()+` AND `+rest, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []event.Kept
	for rows.Next() {
		k, err := kept(rows, ws, all)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, rows.Err()
}

// Timeline implements event.Store.
func (s *Store) Timeline(ctx context.Context, ws string, person uint64, types []event.Type, p page.Request) (page.Of[event.Kept], error) {
	w := eventstore.Where{}
	w.Add("ws = ? AND person = ?", ws, person)
	if err := w.Timeline(types, p.Cursor); err != nil {
		return page.Of[event.Kept]{}, err
	}
	items, err := s.kept(ctx, ws, true, w.String()+fmt.Sprintf(` ORDER BY time DESC, seq DESC, idx DESC LIMIT %d`, p.Size()+1), w.Args...)
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
	items, err := s.kept(ctx, ws, true, w.String()+fmt.Sprintf(` ORDER BY seq DESC, idx DESC LIMIT %d`, p.Size()+1), w.Args...)
	if err != nil {
		return page.Of[event.Kept]{}, err
	}
	return eventstore.CutArrivals(items, p.Size()), nil
}

// Histories implements event.Store.
func (s *Store) Histories(ctx context.Context, ws string, people []uint64, names []string) (map[uint64][]event.Kept, error) {
	return s.Recent(ctx, ws, people, names, time.Time{})
}

// Recent implements event.Store.
func (s *Store) Recent(ctx context.Context, ws string, people []uint64, names []string, since time.Time) (map[uint64][]event.Kept, error) {
	out := make(map[uint64][]event.Kept, len(people))
	if len(people) == 0 || names != nil && len(names) == 0 {
		return out, nil
	}
	w := eventstore.Where{}
	w.Add("ws = ?", ws)
	w.Add("person IN ?", people)
	if !since.IsZero() {
		w.Add("time >= ?", since.UnixMicro()) // a part of the table is of one month, and others are not read
	}
	if names != nil {
		w.Named(names)
	}
	items, err := s.kept(ctx, ws, false, w.String(), w.Args...)
	if err != nil {
		return nil, err
	}
	for _, k := range items {
		out[k.Person] = append(out[k.Person], k)
	}
	for _, h := range out {
		slices.SortFunc(h, func(a, b event.Kept) int {
			if event.Less(a, b) {
				return -1
			}
			return 1
		})
	}
	return out, nil
}

// Linked implements event.Store.
func (s *Store) Linked(ctx context.Context, ws string, ids []event.Identifier, limit int) ([]event.Kept, error) {
	if len(ids) == 0 || limit <= 0 {
		return nil, nil
	}
	return s.kept(ctx, ws, true, `ws = ? AND hasAny(ids, ?) ORDER BY time, seq, idx LIMIT `+fmt.Sprint(size(limit)), ws, event.Strings(ids))
}

// Select implements event.Store. The server packs the numbers into words of 64.
func (s *Store) Select(ctx context.Context, _ string, query string, args []any) (*roaring64.Bitmap, error) {
	out := roaring64.New()
	err := s.each(ctx, `SELECT intDiv(p, 64) AS word, groupBitOr(bitShiftLeft(toUInt64(1), p % 64)) AS bits FROM (SELECT assumeNotNull(p) AS p FROM
		(SELECT CAST(NULL AS Nullable(UInt64)) AS p WHERE 0 = 1 UNION ALL (`+query+`)) AS answer WHERE p IS NOT NULL) AS known GROUP BY word`, args, func(scan func(...any) error) error {
		var word, bits uint64
		if err := scan(&word, &bits); err != nil {
			return err
		}
		for i := range uint64(64) {
			if bits&(1<<i) != 0 {
				out.Add(word*64 + i)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.RunOptimize()
	return out, nil
}

// Query implements event.Store.
func (s *Store) Query(ctx context.Context, query string, args []any) ([][]any, error) {
	rows, err := s.rows(ctx, s.seen.Load().tables()+query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, types := rows.Columns(), rows.ColumnTypes()
	var out [][]any
	for rows.Next() {
		into := make([]any, len(types))
		for i, t := range types {
			into[i] = reflect.New(t.ScanType()).Interface()
		}
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("event store: query: %w", err)
		}
		for i := range into {
			into[i] = plain(reflect.ValueOf(into[i]).Elem(), columns[i] == "person" || columns[i] == "num")
		}
		out = append(out, into)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("event store: query: %w", err)
	}
	return out, nil
}

// plain makes one of the types that event.Store promises of a value. person says that it is a person's number.
func plain(v reflect.Value, person bool) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if n, ok := v.Interface().(*big.Int); ok {
			return narrow(n)
		}
		return plain(v.Elem(), person)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if person {
			return v.Uint()
		}
		return narrow(new(big.Int).SetUint64(v.Uint()))
	case reflect.Float32, reflect.Float64:
		return v.Float()
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i), person)
		}
		return list
	}
	if n, ok := v.Interface().(big.Int); ok {
		return narrow(&n)
	}
	return v.Interface()
}

func narrow(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// People implements event.Store.
func (s *Store) People(ctx context.Context, ws string, nums []uint64) ([]event.Mirror, error) {
	if len(nums) == 0 {
		return nil, nil
	}
	var out []event.Mirror
	err := s.each(ctx, `SELECT num, id, traits, channels, first_seen, last_seen FROM person WHERE ws = ? AND num IN ? ORDER BY num`, []any{ws, nums}, func(scan func(...any) error) error {
		m := event.Mirror{Workspace: ws}
		var traits, channels string
		var first, last int64
		if err := scan(&m.Num, &m.ID, &traits, &channels, &first, &last); err != nil {
			return err
		}
		m.Traits, m.Channels = json.RawMessage(traits), json.RawMessage(channels)
		m.FirstSeen, m.LastSeen = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
		out = append(out, m)
		return nil
	})
	return out, err
}

// Everyone implements event.Store.
func (s *Store) Everyone(ctx context.Context, ws string) (*roaring64.Bitmap, error) {
	return s.Select(ctx, ws, `SELECT num FROM person WHERE ws = ?`, []any{ws})
}

// Stats implements event.Store.
func (s *Store) Stats(ctx context.Context, ws string) (event.Stats, error) {
	return eventstore.Stats(ctx, s, "event", ws)
}

// Names implements event.Store.
func (s *Store) Names(ctx context.Context, ws string, limit int) ([]event.NameCount, error) {
	return eventstore.Names(ctx, s, "event", ws, size(limit))
}
