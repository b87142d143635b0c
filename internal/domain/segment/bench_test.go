package segment_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
)

// crowd makes people with three orders each in the last 90 days.
func crowd(w *world, people int) {
	r := rand.New(rand.NewPCG(1, 2))
	const each = 3
	var b event.Batch
	for n := range people {
		num := uint64(n + 1)
		w.traits[num] = map[string]any{"country": []string{"JP", "DE"}[n%2], "email": fmt.Sprintf("p%d@example.com", n)}
		b.People = append(b.People, w.mirror(num))
		for k := range each {
			at := start.Add(-time.Duration(r.IntN(90*24*60)) * time.Minute)
			b.Events = append(b.Events, w.kept(num, bought, at, `{"total": 20, "currency": "EUR"}`, fmt.Sprintf("m-%d-%d", n, k)))
		}
	}
	w.keep(b)
}

// BenchmarkFullEvaluation evaluates a windowed segment for 23,000 people with 69,000 orders, all of whom enter.
func BenchmarkFullEvaluation(b *testing.B) {
	w := newWorld(b)
	crowd(w, 23_000)
	for i := range b.N {
		g, err := w.Create(w.ctx, ws, segment.Draft{Name: fmt.Sprint(i), Rule: json.RawMessage(
			`{"event": {"name": "Order Completed", "agg": "count", "op": "gte", "value": 1, "window": {"within": {"n": 90, "unit": "day"}}}}`)})
		w.must(err)
		w.must(w.RunEvaluations(w.ctx))
		if n := len(w.in(g.ID)); n != 23_000 {
			b.Fatalf("%d members", n)
		}
	}
}

// BenchmarkTouched re-evaluates 500 people against 20 segments, one of which each batch changes.
func BenchmarkTouched(b *testing.B) {
	w := newWorld(b)
	crowd(w, 23_000)
	for i := range 20 {
		w.make(fmt.Sprint(i), fmt.Sprintf(`{"event": {"name": "Order Completed", "agg": "sum", "path": "total", "op": "gt", "value": %d, "window": {"within": {"n": 30, "unit": "day"}}}}`, 10*i))
	}
	b.ResetTimer()
	for i := range b.N {
		var batch event.Batch
		var nums []uint64
		for n := range 500 {
			num := uint64((i*500+n)%23_000 + 1)
			nums = append(nums, num)
			batch.Events = append(batch.Events, w.kept(num, bought, start, `{"total": 10}`, fmt.Sprintf("b-%d-%d", i, n)))
		}
		w.keep(batch)
		w.touch(nil, nums...)
	}
}
