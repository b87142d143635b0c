package duck

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/duckdb/duckdb-go/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// Select implements event.Store. DuckDB packs the numbers into words of 64, so that a million people come out
// as some sixteen thousand rows.
func (s *Store) Select(ctx context.Context, _ string, query string, args []any) (*roaring64.Bitmap, error) {
	defer s.reading()()
	rows, err := s.db.QueryContext(ctx, `SELECT p // 64 AS word, bit_or(CAST(1 AS UBIGINT) << CAST(p % 64 AS UBIGINT))
		FROM (SELECT CAST(p AS UBIGINT) AS p FROM (`+query+`) AS answer(p) WHERE p IS NOT NULL) GROUP BY word`, lists(args...)...)
	if err != nil {
		return nil, fmt.Errorf("event store: select: %w", err)
	}
	defer rows.Close()
	out := roaring64.New()
	var few [64]uint64
	for rows.Next() {
		var word, bits uint64
		if err := rows.Scan(&word, &bits); err != nil {
			return nil, fmt.Errorf("event store: select: %w", err)
		}
		nums := few[:0]
		for i := range uint64(64) {
			if bits&(1<<i) != 0 {
				nums = append(nums, word*64+i)
			}
		}
		out.AddMany(nums)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("event store: select: %w", err)
	}
	out.RunOptimize()
	return out, nil
}

// Query implements event.Store.
func (s *Store) Query(ctx context.Context, query string, args []any) ([][]any, error) {
	defer s.reading()()
	rows, err := s.db.QueryContext(ctx, query, lists(args...)...)
	if err != nil {
		return nil, fmt.Errorf("event store: query: %w", err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("event store: query: %w", err)
	}
	var out [][]any
	for rows.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("event store: query: %w", err)
		}
		for i := range row {
			row[i] = plain(row[i])
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("event store: query: %w", err)
	}
	return out, nil
}

// plain turns what the driver returns into the types that event.Store promises.
func plain(v any) any {
	switch v := v.(type) {
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case float32:
		return float64(v)
	case *big.Int: // DuckDB's sum of whole numbers
		if v != nil && v.IsInt64() {
			return v.Int64()
		}
	case duckdb.Decimal:
		return v.Float64()
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

// People implements event.Store.
func (s *Store) People(ctx context.Context, ws string, nums []uint64) ([]event.Mirror, error) {
	defer s.reading()()
	if len(nums) == 0 {
		return nil, nil
	}
	rows, err := s.db.QueryContext(ctx, `SELECT num, id, traits, channels, first_seen, last_seen FROM person
		WHERE ws = ? AND num IN (SELECT unnest(CAST(? AS UBIGINT[]))) ORDER BY num`, lists(ws, nums)...)
	if err != nil {
		return nil, fmt.Errorf("event store: people: %w", err)
	}
	defer rows.Close()
	var out []event.Mirror
	for rows.Next() {
		m := event.Mirror{Workspace: ws}
		var traits, channels string
		var first, last int64
		if err := rows.Scan(&m.Num, &m.ID, &traits, &channels, &first, &last); err != nil {
			return nil, fmt.Errorf("event store: people: %w", err)
		}
		m.Traits, m.Channels = json.RawMessage(traits), json.RawMessage(channels)
		m.FirstSeen, m.LastSeen = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("event store: people: %w", err)
	}
	return out, nil
}

// Everyone implements event.Store.
func (s *Store) Everyone(ctx context.Context, ws string) (*roaring64.Bitmap, error) {
	return s.Select(ctx, ws, `SELECT num FROM person WHERE ws = ?`, []any{ws})
}

// Stats implements event.Store.
func (s *Store) Stats(ctx context.Context, ws string) (event.Stats, error) {
	return eventstore.Stats(ctx, s, "event_raw", ws)
}

// Names implements event.Store.
func (s *Store) Names(ctx context.Context, ws string, limit int) ([]event.NameCount, error) {
	return eventstore.Names(ctx, s, "event_raw", ws, limit)
}
