package eventstoretest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/click"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/eventstoretest"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

// The two engines side by side, on the same events in the same process's hands:
//
//	KIZUNA_BENCH_EVENTS=5000000 KIZUNA_TEST_CLICKHOUSE=http://... go test -run - -bench . ./internal/storage/eventstore/eventstoretest
func BenchmarkEngines(b *testing.B) {
	total := 200_000
	if n, err := strconv.Atoi(os.Getenv("KIZUNA_BENCH_EVENTS")); err == nil {
		total = n
	}
	b.Run("duckdb", func(b *testing.B) { engine(b, eventstoretest.Duck(b), total) })
	b.Run("clickhouse", func(b *testing.B) {
		engine(b, eventstoretest.Click(b, eventstoretest.Address(b), click.Options{}), total)
	})
}

type noSets struct{ event.Store }

func (noSets) Members(context.Context, string, string) (*roaring64.Bitmap, error) {
	return roaring64.New(), nil
}

const batch = 10_000

func engine(b *testing.B, s event.Store, total int) {
	r := rand.New(rand.NewPCG(1, 2))
	people := uint64(total / 20)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(i int) time.Time { return start.Add(time.Duration(i) * 90 * 24 * time.Hour / time.Duration(total)) }
	names := []string{"Page Viewed", "Product Viewed", "Product Added", "Order Completed", "Searched"}
	seq := uint64(0)
	fill := func(n int) (b event.Batch) {
		for i := range n {
			who := 1 + uint64(float64(people)*r.Float64()*r.Float64())
			k := event.Kept{Person: who, Position: event.Position{Seq: seq + 1, Index: i}, Event: event.Event{
				Workspace: "ws_1", MessageID: fmt.Sprintf("%x-%d", r.Uint64(), i), Type: event.Track, Name: names[r.IntN(len(names))], Origin: event.Server, UserID: fmt.Sprint("u", who),
				Time: at(int(seq)*batch + i), Received: at(int(seq)*batch + i),
				Properties: json.RawMessage(fmt.Sprintf(`{"product_id":"p%d","category":"c%d","total":%d.5,"currency":"EUR","plan":"gold"}`, r.IntN(5000), r.IntN(40), r.IntN(200))),
				Context:    json.RawMessage(`{"os":{"name":"iOS","version":"17.4"},"locale":"ja-JP"}`),
			}}
			b.Events = append(b.Events, k)
		}
		seq++
		b.Through = seq
		return b
	}
	append1 := func(x event.Batch) time.Duration {
		began := time.Now()
		if err := s.Append(b.Context(), x); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	var mirrors event.Batch
	for p := range people {
		mirrors.People = append(mirrors.People, event.Mirror{Workspace: "ws_1", Num: p + 1, ID: fmt.Sprint("per_", p), Traits: json.RawMessage(`{"plan":"gold","country":"JP"}`), Channels: json.RawMessage(`{}`), FirstSeen: start, LastSeen: start})
	}
	append1(mirrors)
	var took time.Duration
	for n := 0; n < total; n += batch {
		took += append1(fill(batch))
	}
	b.Run(fmt.Sprintf("append of %d", batch), func(b *testing.B) {
		b.ReportMetric(float64(total)/took.Seconds(), "events/s-filling")
		for b.Loop() {
			append1(fill(batch))
		}
		b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("append of 500", func(b *testing.B) {
		for b.Loop() {
			append1(fill(500))
		}
	})
	now := at(total)
	for name, text := range map[string]string{
		"count bought": `{"event":{"name":"Order Completed","agg":"count","op":"gte","value":3,"window":{"within":{"n":30,"unit":"day"}}}}`,
		"count sum":    `{"order":{"agg":"sum","op":"gt","value":500}}`,
		"count filter": `{"event":{"name":"Product Viewed","filter":[{"path":"plan","op":"eq","value":"gold"},{"path":"category","op":"in","value":["c1","c2"]}],"window":{"within":{"n":30,"unit":"day"}}}}`,
		"count trait":  `{"trait":{"path":"country","op":"eq","value":"JP"}}`,
	} {
		parsed, err := rule.Parse(json.RawMessage(text))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := parsed.Audience(b.Context(), noSets{s}, "ws_1", now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("timeline", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Timeline(b.Context(), "ws_1", 1+r.Uint64N(people), nil, page.Request{Limit: 50}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("histories of 500", func(b *testing.B) {
		who := make([]uint64, 500)
		for b.Loop() {
			for i := range who {
				who[i] = 1 + r.Uint64N(people)
			}
			if _, err := s.Histories(b.Context(), "ws_1", who, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
