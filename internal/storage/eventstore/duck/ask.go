package duck

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/duckdb/duckdb-go/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// block is how many numbers DuckDB packs into one value of bits: a million people come out as one row.
const block = 1 << 20

// ask runs a query that returns one column of person numbers.
func (s *Store) ask(ctx context.Context, query string, args []any) (*roaring64.Bitmap, error) {
	defer s.reading()()
	// For groups of one byte DuckDB needs no hash table, which takes ten times as long to make as a few people do to find.
	people, err := s.packed(ctx, "UTINYINT", query, args)
	if e, ok := errors.AsType[*duckdb.Error](err); ok && e.Type == duckdb.ErrorTypeConversion {
		people, err = s.packed(ctx, "UBIGINT", query, args)
	}
	return people, err
}

// packed is ask with the type of the numbers of blocks.
func (s *Store) packed(ctx context.Context, number, query string, args []any) (*roaring64.Bitmap, error) {
	rows, err := s.db.QueryContext(ctx, fmt.Sprintf(`SELECT CAST(p // %[1]d AS %[3]s) AS b, CAST(bitstring_agg(CAST(p %% %[1]d AS INTEGER), 0, %[1]d - 1) AS BLOB)
		FROM (SELECT CAST(p AS UBIGINT) AS p FROM (%[2]s) AS answer(p) WHERE p IS NOT NULL) GROUP BY b ORDER BY b`, block, query, number), lists(args...)...)
	if err != nil {
		return nil, fmt.Errorf("event store: select: %w", err)
	}
	defer rows.Close()
	const half = 1 << 32 / block // blocks in what a bitmap of 32 bits holds
	var high []uint32
	halves := map[uint32]*roaring.Bitmap{}
	for rows.Next() {
		var b uint64
		var raw sql.RawBytes
		if err := rows.Scan(&b, &raw); err != nil {
			return nil, fmt.Errorf("event store: select: %w", err)
		}
		words := make([]uint64, len(raw)/8)
		for i := range words {
			words[i] = bits.Reverse64(binary.BigEndian.Uint64(raw[8*i:])) // the first number is the highest bit of the first byte
		}
		part := roaring.FromDense(words, false)
		if at := b % half; at > 0 {
			part = roaring.AddOffset(part, uint32(at*block))
		}
		h := uint32(b / half)
		if halves[h] == nil {
			high, halves[h] = append(high, h), roaring.New()
		}
		halves[h].Or(part)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("event store: select: %w", err)
	}
	out, err := wide(high, halves)
	if err != nil {
		return nil, fmt.Errorf("event store: select: %w", err)
	}
	return out, nil
}

// wide puts bitmaps of 32 bits together, by way of the format that both kinds are written in: the number of halves, each behind its upper 32 bits.
func wide(high []uint32, halves map[uint32]*roaring.Bitmap) (*roaring64.Bitmap, error) {
	raw := binary.LittleEndian.AppendUint64(nil, uint64(len(high)))
	for _, h := range high {
		halves[h].RunOptimize()
		part, err := halves[h].ToBytes()
		if err != nil {
			return nil, err
		}
		raw = append(binary.LittleEndian.AppendUint32(raw, h), part...)
	}
	out := roaring64.New()
	return out, out.UnmarshalBinary(raw)
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

// Stats implements event.Store.
func (s *Store) Stats(ctx context.Context, ws string) (event.Stats, error) {
	return eventstore.Stats(ctx, s, "event_raw", ws)
}

// Names implements event.Store.
func (s *Store) Names(ctx context.Context, ws string, limit int) ([]event.NameCount, error) {
	return eventstore.Names(ctx, s, "event_raw", ws, limit)
}
