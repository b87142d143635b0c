// Package retentiontest is the conformance suite of retention.Store.
package retentiontest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/retention"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) retention.Store) {
	ctx := t.Context()
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	seen := event.Kind{Type: event.Track, Name: "Seen"}
	t.Run("a policy is of one workspace and is replaced whole", func(t *testing.T) {
		s := open(t)
		if p, err := s.Policy(ctx, "ws1"); err != nil || p.Days != 0 || len(p.Rules) != 0 {
			t.Fatalf("without a policy: %+v, %v", p, err)
		}
		for _, p := range []retention.Policy{{Days: 90, Rules: []retention.Rule{{Kind: seen, Days: 30}}}, {Days: 30}} {
			if err := s.PutPolicy(ctx, "ws1", p); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Policy(ctx, "ws1"); err != nil || !cmp.Equal(got, p) {
				t.Errorf("%+v, %v; want %+v", got, err, p)
			}
			if got, err := s.Policies(ctx); err != nil || !cmp.Equal(got, map[string]retention.Policy{"ws1": p}) {
				t.Errorf("all: %+v, %v", got, err)
			}
		}
		if p, err := s.Policy(ctx, "ws2"); err != nil || p.Days != 0 {
			t.Errorf("another workspace has %+v, %v", p, err)
		}
	})
	t.Run("a receipt counts once, and what is gone never becomes less", func(t *testing.T) {
		s := open(t)
		receipt := func(id string, finished, before time.Time, n int64) retention.Receipt {
			return retention.Receipt{ID: id, By: "Ann", Lines: []retention.Gone{{Kind: seen, Before: before, Count: n}}, Rewritten: true, Segments: 2, StartedAt: at, FinishedAt: finished}
		}
		first, second := receipt("job_1", at, at.AddDate(0, 0, -30), 5), receipt("job_2", at.Add(time.Hour), at.AddDate(0, 0, -90), 2)
		for _, r := range []retention.Receipt{first, second, first} {
			if err := s.AddReceipt(ctx, "ws1", r); err != nil {
				t.Fatal(err)
			}
		}
		want := []retention.Gone{{Kind: seen, Before: at.AddDate(0, 0, -30), Count: 7}}
		if got, err := s.Gone(ctx, "ws1"); err != nil || !cmp.Equal(got, want) {
			t.Errorf("gone are %+v, %v; want %+v", got, err, want)
		}
		if got, err := s.Gone(ctx, "ws2"); err != nil || len(got) != 0 {
			t.Errorf("of another workspace are gone %+v, %v", got, err)
		}
		var got []retention.Receipt
		cursor := ""
		for range 3 {
			p, err := s.Receipts(ctx, "ws1", page.Request{Limit: 1, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p.Items...)
			if cursor = p.Next; cursor == "" {
				break
			}
		}
		if d := cmp.Diff([]retention.Receipt{second, first}, got); d != "" {
			t.Error(d)
		}
		if p, err := s.Receipts(ctx, "ws2", page.Request{}); err != nil || len(p.Items) != 0 {
			t.Errorf("another workspace has receipts: %+v, %v", p, err)
		}
	})
}
