package duck

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// holds fails unless the store has n events, so that nothing is measured on less.
func holds(b *testing.B, s *Store, n int) {
	b.Helper()
	var got int
	if err := s.db.QueryRowContext(b.Context(), `SELECT count(*) FROM event_raw`).Scan(&got); err != nil || got != n {
		b.Fatalf("%d events, %v; want %d", got, err, n)
	}
}

func openBench(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "events.duckdb"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// cpu reports the processor time of the loop that follows it: steadier than the clock on a busy machine.
func cpu(b *testing.B) (done func()) {
	b.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	begin := used()
	return func() { b.ReportMetric(float64((used()-begin).Microseconds())/1000/float64(b.N), "cpu-ms/op") }
}

// shopEvent is event i of a shop with 50,000 people over 90 days.
func shopEvent(r *rand.Rand, i, total int) event.Kept {
	k := event.Kept{
		Event: event.Event{
			Workspace: "ws_1", MessageID: fmt.Sprintf("%08x-%04x-%08x", r.Uint32(), i&0xffff, r.Uint32()), Type: event.Page, Origin: event.Browser,
			Time: time.UnixMicro(1_767_225_600_000_000 + int64(i)*(90*86_400_000_000/int64(total))).UTC(), AnonymousID: strconv.Itoa(i % 50_000),
		},
		Person: r.Uint64N(50_000) + 1, Position: event.Position{Seq: uint64(i/200) + 1, Index: i % 200},
	}
	k.Received = k.Time
	k.Identifiers = []event.Identifier{{Kind: "anonymous_id", Value: k.AnonymousID}}
	k.Properties = json.RawMessage(`{"path":"/p/` + strconv.Itoa(i%3000) + `","category":"c` + strconv.Itoa(i%20) + `","title":"Product page"}`)
	k.Context = json.RawMessage(`{"os":{"name":"` + []string{"iOS", "Android", "Windows"}[i%3] + `","version":"17.1"},"ip":"10.0.0.` + strconv.Itoa(i%255) + `","userAgent":"Mozilla/5.0 (test)","page":{"url":"https://shop.example/p/1"}}`)
	if i%10 == 0 {
		k.Type, k.Name = event.Track, event.OrderCompleted
		k.Properties = json.RawMessage(`{"order_id":"o` + strconv.Itoa(i) + `","total":` + strconv.Itoa(r.IntN(200)) + `.5,"currency":"USD","products":[{"sku":"s1","price":3.5}]}`)
	}
	return k
}

func fill(b *testing.B, s *Store, n int) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < n; {
		var batch event.Batch
		for ; len(batch.Events) < 10_000 && i < n; i++ {
			batch.Events = append(batch.Events, shopEvent(r, i, n))
		}
		batch.Through = uint64(i / 200) // the record of the last event; what lies before the position is left out
		if err := s.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	var people event.Batch
	for num := uint64(1); num <= 50_000; num++ {
		people.People = append(people.People, event.Mirror{Workspace: "ws_1", Num: num, ID: fmt.Sprintf("per_%d", num), Traits: json.RawMessage(`{"country":"JP","n":` + strconv.Itoa(int(num%100)) + `}`)})
	}
	people.Through = uint64(n/200) + 1
	if err := s.Append(b.Context(), people); err != nil {
		b.Fatal(err)
	}
	holds(b, s, n)
}

// BenchmarkAppend reports events a second for batches of several sizes; each is one durable transaction.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 100, 1000, 10_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			s := openBench(b)
			r := rand.New(rand.NewPCG(1, 2))
			seq := 0
			defer cpu(b)()
			for b.Loop() {
				var batch event.Batch
				for range size {
					seq++
					k := shopEvent(r, seq, 1<<20)
					k.Position.Seq = uint64(seq) // what lies before the position is left out
					batch.Events = append(batch.Events, k)
				}
				batch.People = []event.Mirror{{Workspace: "ws_1", Num: 1, ID: "per_1"}}
				batch.Through = uint64(seq)
				if err := s.Append(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(seq)/b.Elapsed().Seconds(), "events/s")
			holds(b, s, seq)
		})
	}
}

// BenchmarkTwoMillion measures reads on two million events of 50,000 people.
func BenchmarkTwoMillion(b *testing.B) {
	s := openBench(b)
	begin := time.Now()
	fill(b, s, 2_000_000)
	b.Logf("filled in %v", time.Since(begin).Round(time.Millisecond))
	now := time.UnixMicro(1_767_225_600_000_000).Add(90 * 24 * time.Hour)
	var some []uint64
	for i := range uint64(500) {
		some = append(some, i*97+1)
	}
	for name, raw := range map[string]string{
		"rule/three orders over 50 in 30 days, iOS, never unsubscribed": `{"all":[{"event":{"name":"Order Completed","op":"gte","value":3,"filter":[{"path":"total","op":"gt","value":50}],"window":{"within":{"n":30,"unit":"day"}}}},
			{"device":{"path":"os","op":"eq","value":"iOS"}},{"event":{"name":"Unsubscribed","op":"eq","value":0}}]}`,
		"rule/spent over 500":      `{"order":{"agg":"sum","op":"gt","value":500}}`,
		"rule/sum of totals":       `{"event":{"name":"Order Completed","agg":"sum","path":"total","op":"gt","value":500}}`,
		"rule/trait":               `{"trait":{"path":"n","op":"lt","value":10}}`,
		"rule/last category":       `{"event":{"type":"page","agg":"last","path":"category","op":"eq","value":"c3"}}`,
		"rule/app of this version": `{"device":{"path":"os_version","op":"gte","value":"17.0"}}`,
	} {
		r, err := rule.Parse([]byte(raw))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			defer cpu(b)()
			for b.Loop() {
				a, err := r.Audience(b.Context(), noSets{s}, "ws_1", now)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(a.People.GetCardinality()), "people")
			}
		})
	}
	b.Run("everyone", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			if _, err := s.Everyone(b.Context(), "ws_1"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("stats", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			if _, err := s.Stats(b.Context(), "ws_1"); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, names := range map[string][]string{"all": nil, "orders": {event.OrderCompleted}} {
		b.Run("histories of 500/"+name, func(b *testing.B) {
			defer cpu(b)()
			for b.Loop() {
				h, err := s.Histories(b.Context(), "ws_1", some, names)
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for _, e := range h {
					n += len(e)
				}
				b.ReportMetric(float64(n), "events")
			}
		})
	}
	b.Run("timeline", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			if _, err := s.Timeline(b.Context(), "ws_1", 77, nil, page.Request{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("merge of 200", func(b *testing.B) {
		p, loser := s.through.Load(), uint64(20_000)
		defer cpu(b)()
		for b.Loop() {
			var batch event.Batch
			for range 200 {
				loser++
				batch.Redirects = append(batch.Redirects, event.Redirect{Workspace: "ws_1", Loser: loser, Winner: 5})
			}
			p++
			batch.Through = p
			if err := s.Append(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// noSets is a store without segments and lists, and one that does not remember what it has answered.
type noSets struct{ *Store }

func (s noSets) Select(ctx context.Context, _, query string, args []any) (*roaring64.Bitmap, error) {
	return s.ask(ctx, query, args)
}

func (noSets) Members(context.Context, string, string) (*roaring64.Bitmap, error) {
	return roaring64.New(), nil
}

// BenchmarkFlow lays the ways of 50,000 people beside a map of five stages, over a million events of which all belong to a stage.
func BenchmarkFlow(b *testing.B) {
	s := openBench(b)
	fill(b, s, 1_000_000)
	from := time.UnixMicro(1_767_225_600_000_000).UTC()
	half := roaring64.New()
	half.AddRange(1, 25_001)
	q := event.FlowQuery{
		Stages: [][]event.Signal{{{Type: event.Page, Path: "/p/1*"}}, {{Type: event.Page, Path: "/p/2*"}}, {{Type: event.Page, Path: "/p/3*"}}, {{Type: event.Page, Path: "/p/*"}}, {{Name: event.OrderCompleted}}},
		Ways:   [][]int{{1}, {2}, {3}, {4}, nil}, From: from, To: from.AddDate(0, 0, 91), Steps: 6, Paths: 12,
	}
	for name, people := range map[string]*roaring64.Bitmap{"everyone": nil, "half": half} {
		b.Run(name, func(b *testing.B) {
			q := q
			q.People = people
			defer cpu(b)()
			for b.Loop() {
				if f, err := s.Flow(b.Context(), "ws_1", q); err != nil || f.People == 0 {
					b.Fatal(f, err)
				}
			}
		})
	}
	b.Run("people behind", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			if _, err := s.FlowPeople(b.Context(), "ws_1", q, event.FlowPick{Figure: event.FlowDropped, Stage: 3}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
