// Package segments_test measures questions about everybody and about somebody against the same questions written by hand in DuckDB's SQL.
package segments_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const ws = "ws_bench"

// now is when everything is asked; events lie in the 180 days before.
var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// questions are asked both ways. The hand-written ones are what somebody who knows the tables would write: one statement. It is asked of the view that follows
// merges, which is the same question, and of the raw table, which takes people who were merged lately for two.
var questions = []struct{ name, rule, sql string }{
	{
		"ordered twice in 30 days",
		`{"event":{"name":"Order Completed","op":"gte","value":2,"window":{"within":{"n":30,"unit":"day"}}}}`,
		`SELECT count(*) FROM (SELECT person FROM event_raw WHERE ws = 'ws_bench' AND name = 'Order Completed' AND time > $now - 30*86400000000 AND time <= $now GROUP BY person HAVING count(*) >= 2)`,
	},
	{
		"spent over 300 in 90 days",
		`{"event":{"name":"Order Completed","agg":"sum","path":"total","op":"gt","value":300,"window":{"within":{"n":90,"unit":"day"}}}}`,
		`SELECT count(*) FROM (SELECT person FROM event_raw WHERE ws = 'ws_bench' AND name = 'Order Completed' AND time > $now - 90*86400000000 AND time <= $now GROUP BY person HAVING sum(CAST(json_extract_string(props, '$.total') AS DOUBLE)) > 300)`,
	},
	{
		"in Japan, no order in 30 days",
		`{"all":[{"trait":{"path":"country","op":"eq","value":"JP"}},{"event":{"name":"Order Completed","op":"eq","value":0,"window":{"within":{"n":30,"unit":"day"}}}}]}`,
		`SELECT count(*) FROM person p WHERE ws = 'ws_bench' AND json_extract_string(traits, '$.country') = 'JP' AND NOT EXISTS (SELECT 1 FROM event_raw e WHERE e.ws = 'ws_bench' AND e.person = p.num AND name = 'Order Completed' AND time > $now - 30*86400000000 AND time <= $now)`,
	},
	{
		"viewed shoes three times in 7 days",
		`{"event":{"name":"Product Viewed","op":"gte","value":3,"filter":[{"path":"category","op":"eq","value":"shoes"}],"window":{"within":{"n":7,"unit":"day"}}}}`,
		`SELECT count(*) FROM (SELECT person FROM event_raw WHERE ws = 'ws_bench' AND name = 'Product Viewed' AND time > $now - 7*86400000000 AND time <= $now AND json_extract_string(props, '$.category') = 'shoes' GROUP BY person HAVING count(*) >= 3)`,
	},
	{
		"first order in 30 days",
		`{"occurrence":{"which":"first","name":"Order Completed","window":{"within":{"n":30,"unit":"day"}}}}`,
		`SELECT count(*) FROM (SELECT person FROM event_raw WHERE ws = 'ws_bench' AND name = 'Order Completed' GROUP BY person HAVING min(time) > $now - 30*86400000000 AND min(time) <= $now)`,
	},
	{
		"added to the cart, no order in 1 day",
		`{"sequence":{"steps":[{"name":"Product Added"},{"name":"Order Completed","absent":true,"within":{"n":1,"unit":"day"}}],"window":{"within":{"n":30,"unit":"day"}}}}`,
		`SELECT count(DISTINCT person) FROM (SELECT person, name, time, min(CASE WHEN name = 'Order Completed' THEN time END) OVER (PARTITION BY person ORDER BY time, seq, idx ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS bought
			FROM event_raw WHERE ws = 'ws_bench' AND name IN ('Product Added', 'Order Completed'))
			WHERE name = 'Product Added' AND (bought IS NULL OR bought - time >= 86400000000) AND time <= $now - 86400000000 AND time > $now - 30*86400000000`,
	},
}

type source struct{ *duck.Store }

var asked int

// Select asks in other words each time: the store would remember the answer.
func (s source) Select(ctx context.Context, ws, query string, args []any) (*roaring64.Bitmap, error) {
	asked++
	return s.Store.Select(ctx, ws, fmt.Sprintf("%s /* %d */", query, asked), args)
}

func (source) Members(context.Context, string, string) (*roaring64.Bitmap, error) {
	return roaring64.New(), nil
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// median runs something a few times and returns the middle of what the clock and the processors say, after one run that warms up.
func median(b *testing.B, rounds int, run func() uint64) (clocked, used time.Duration, answer uint64) {
	b.Helper()
	answer = run()
	var c, u []time.Duration
	for range rounds {
		before, began := cpu(), time.Now()
		if got := run(); got != answer {
			b.Fatalf("%d and then %d", answer, got)
		}
		c, u = append(c, time.Since(began)), append(u, cpu()-before)
	}
	slices.Sort(c)
	slices.Sort(u)
	return c[rounds/2], u[rounds/2], answer
}

// BenchmarkSegments fills a store with a shop's people and events and asks everything once, both ways in turn.
func BenchmarkSegments(b *testing.B) {
	people, events := number("KIZUNA_BENCH_PEOPLE", 1_000_000), number("KIZUNA_BENCH_EVENTS", 20_000_000)
	w := newWorld(b, filepath.Join(b.TempDir(), "empty.duckdb"))
	w.segments(100)
	w.close()
	folder := os.Getenv("KIZUNA_BENCH_WORLD")
	if folder == "" {
		folder = b.TempDir()
	}
	file := filepath.Join(folder, fmt.Sprintf("events-%d-%d.duckdb", people, events))
	if _, err := os.Stat(file); err != nil {
		newWorld(b, file).close() // makes the tables
		fill(b, file, people, events)
	}
	w.open(file)
	defer w.close()

	var merges event.Batch // a thousand that are not written into the events yet
	for i := range uint64(1000) {
		loser, winner := 7*i+3, 7*i+4
		merges.Redirects = append(merges.Redirects, event.Redirect{Workspace: ws, Loser: loser, Winner: winner})
		merges.Gone = append(merges.Gone, event.RemovedPerson{Workspace: ws, Num: loser})
	}
	w.must(w.events.Append(b.Context(), merges))

	fmt.Printf("%d people, %d events; the clock and the processors, median of 5\n", people, events)
	for _, q := range questions {
		r, err := rule.Parse([]byte(q.rule))
		if err != nil {
			b.Fatal(err)
		}
		clocked, used, n := median(b, 5, func() uint64 {
			a, err := r.Audience(b.Context(), source{w.events}, ws, now)
			if err != nil {
				b.Fatal(err)
			}
			return a.People.GetCardinality()
		})
		byHand := func(query string) (time.Duration, time.Duration, uint64) {
			return median(b, 5, func() uint64 {
				rows, err := w.events.Query(b.Context(), expand(query), nil)
				if err != nil {
					b.Fatal(err)
				}
				return uint64(rows[0][0].(int64))
			})
		}
		merged, usedMerged, m := byHand(strings.ReplaceAll(q.sql, "event_raw", "event"))
		if n != m {
			b.Fatalf("%s: %d people, by hand %d", q.name, n, m)
		}
		raw, usedRaw, _ := byHand(q.sql)
		fmt.Printf("%-36s %7d people  %5d ms (%4d CPU)   by hand %5d ms (%4d CPU) %.2f x (%.2f x CPU)   without merges %5d ms (%4d CPU) %.2f x (%.2f x CPU)\n", q.name, n,
			clocked.Milliseconds(), used.Milliseconds(), merged.Milliseconds(), usedMerged.Milliseconds(), float64(clocked)/float64(merged), float64(used)/float64(usedMerged),
			raw.Milliseconds(), usedRaw.Milliseconds(), float64(clocked)/float64(raw), float64(used)/float64(usedRaw))
	}

	began, before := time.Now(), cpu()
	g, err := w.service.Create(b.Context(), ws, segment.Draft{Name: "full", Rule: json.RawMessage(`{"event":{"name":"Order Completed","agg":"sum","path":"total","op":"gt","value":700}}`)})
	w.must(err)
	w.must(w.service.RunEvaluations(b.Context()))
	members, err := w.service.Members(b.Context(), ws, g.ID)
	w.must(err)
	fmt.Printf("full evaluation: %d people entered in %d ms (%d CPU)\n", members.GetCardinality(), time.Since(began).Milliseconds(), (cpu() - before).Milliseconds())

	var ticks, used []time.Duration
	for round := range 9 {
		nums := make([]uint64, 500)
		for i := range nums {
			nums[i] = uint64((round*7919+i*1999)%people) + 1
		}
		began, before := time.Now(), cpu()
		w.must(w.service.Touched(b.Context(), ws, nums, nil))
		ticks, used = append(ticks, time.Since(began)), append(used, cpu()-before)
	}
	slices.Sort(ticks)
	slices.Sort(used)
	fmt.Printf("500 touched people, 101 segments: %d ms, %d at the most (%d CPU)\n", ticks[4].Milliseconds(), ticks[8].Milliseconds(), used[4].Milliseconds())
	b.ReportMetric(float64(ticks[4].Milliseconds()), "tick-ms")
}

func expand(query string) string {
	return os.Expand(query, func(name string) string {
		if name == "now" {
			return strconv.FormatInt(now.UnixMicro(), 10)
		}
		return "$" + name
	})
}

// fill writes people and events into the tables of a closed store, which is much faster than through it.
func fill(b *testing.B, file string, people, events int) {
	b.Helper()
	db, err := sql.Open("duckdb", file)
	if err != nil {
		b.Fatal(err)
	}
	for _, statement := range []string{
		`SET preserve_insertion_order = false`, `SET memory_limit = '3GB'`, `SET threads = 2`,
		fmt.Sprintf(`INSERT INTO person SELECT 'ws_bench', n, 'per_' || n, '{"country":"' || (['JP','DE','US','FR','BR','CN','IN','KE','GB','KR'])[1 + n %% 10] || '","plan":"' || (CASE WHEN n %% 7 = 0 THEN 'pro' ELSE 'free' END) || '"}', '{}', 0, 0
			FROM range(1, %d) AS r(n)`, people+1),
		// In the order of time, as they would have come: nine views and additions to one order. A hash spreads them over the people.
		fmt.Sprintf(`INSERT INTO event_raw BY NAME SELECT 'ws_bench' AS ws, CAST(1 + hash(i) %% %d AS UBIGINT) AS person, 'm' || i AS message_id, 'track' AS type,
			(CASE WHEN i %% 10 = 0 THEN 'Order Completed' WHEN i %% 10 < 3 THEN 'Product Added' ELSE 'Product Viewed' END) AS name,
			%d + CAST(i * (180 * 86400000000.0 / %d) AS BIGINT) AS time, 0 AS received, CAST(1 + i // 200 AS UBIGINT) AS seq, CAST(i %% 200 AS INTEGER) AS idx, 'server' AS origin, '' AS source,
			'' AS user_id, '' AS anonymous_id, '' AS previous_id, '' AS group_id, '' AS person_id, [] AS flags, [] AS ids,
			'{"category":"' || (['shoes','hats','coats','bags'])[1 + CAST(hash(i + 1) %% 4 AS BIGINT)] || '","product_id":"p' || (hash(i + 2) %% 3000) || '","total":' || (10 + hash(i + 3) %% 190) || '.5}' AS props, '{}' AS context,
			(CASE WHEN i %% 10 = 0 THEN 10.5 + hash(i + 3) %% 190 END) AS total, (CASE WHEN i %% 10 = 0 THEN 'o' || i END) AS order_id
			FROM range(%d) AS r(i)`, people, now.Add(-180*24*time.Hour).UnixMicro(), events, events),
		`CHECKPOINT`,
	} {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
}

type world struct {
	b       *testing.B
	db      *sqldb.DB
	events  *duck.Store
	service *segment.Service
}

func newWorld(b *testing.B, file string) *world {
	w := &world{b: b, db: sqldbtest.Open(b, sqldb.SQLite)}
	w.open(file)
	return w
}

func (w *world) must(err error) {
	w.b.Helper()
	if err != nil {
		w.b.Fatal(err)
	}
}

// open opens the event store as the product does.
func (w *world) open(file string) {
	var err error
	w.events, err = duck.Open(w.b.Context(), file, duck.Options{})
	w.must(err)
	w.service = segment.New(segment.Config{
		Store: sqlstore.NewSegment(w.db), Tx: w.db, Events: w.events, Emitter: sqlstore.NewPendingEvent(w.db), People: nobody{},
		Clock: clock.NewFixed(now), Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
}

func (w *world) close() { w.must(w.events.Close()) }

// segments makes windowed segments of several kinds while nobody is there yet.
func (w *world) segments(n int) {
	for i := range n {
		rules := []string{
			`{"event":{"name":"Order Completed","op":"gte","value":%d,"window":{"within":{"n":30,"unit":"day"}}}}`,
			`{"all":[{"trait":{"path":"country","op":"eq","value":"JP"}},{"event":{"name":"Product Viewed","op":"gte","value":%d,"window":{"within":{"n":7,"unit":"day"}}}}]}`,
			`{"event":{"name":"Order Completed","agg":"sum","path":"total","op":"gt","value":%d00,"window":{"within":{"n":90,"unit":"day"}}}}`,
			`{"all":[{"event":{"name":"Product Added","op":"gte","value":%d,"window":{"within":{"n":14,"unit":"day"}}}},{"event":{"name":"Order Completed","op":"eq","value":0,"window":{"within":{"n":14,"unit":"day"}}}}]}`,
			`{"sequence":{"steps":[{"name":"Product Added"},{"name":"Order Completed","absent":true,"within":{"n":%d,"unit":"day"}}],"window":{"within":{"n":60,"unit":"day"}}}}`,
		}
		_, err := w.service.Create(w.b.Context(), ws, segment.Draft{Name: fmt.Sprint(i), Rule: json.RawMessage(fmt.Sprintf(rules[i%len(rules)], 1+i/len(rules)))})
		w.must(err)
	}
	w.must(w.service.RunEvaluations(w.b.Context()))
}

type nobody struct{}

func (nobody) ByIDs(context.Context, string, []string) (map[string]person.Person, error) {
	return nil, nil
}

func (nobody) ByIdentifier(_ context.Context, _ string, id event.Identifier) (person.Person, error) {
	return person.Person{}, errs.NotFound("person", id.Value)
}
