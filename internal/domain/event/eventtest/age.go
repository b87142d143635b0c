package eventtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Ages checks how a store counts events by age and lets go of those that are too old; the store must be empty.
func Ages(t *testing.T, s interface {
	Store
	Ages(ctx context.Context, ws string) ([]event.Age, error)
	TooOld(ctx context.Context, ws string, terms []event.Term) ([]event.Age, error)
	DropOld(ctx context.Context, ws string, t event.Term, limit int) (int64, error)
},
) {
	t.Helper()
	ctx := t.Context()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }
	var events []event.Kept
	add := func(ws string, typ event.Type, name string, at time.Time) {
		n := len(events)
		events = append(events, event.Kept{
			Event:  event.Event{Workspace: ws, MessageID: fmt.Sprint("m", n), Type: typ, Name: name, Time: at, Received: at},
			Person: 1, Position: event.Position{Seq: 1, Index: n},
		})
	}
	for n := 1; n <= 5; n++ {
		add("ws_1", event.Track, "Seen", day(n))
	}
	add("ws_1", event.Track, "Bought", day(1))
	add("ws_1", event.Page, "Home", day(2))
	add("ws_1", event.Page, "Away", day(3))
	add("ws_2", event.Track, "Seen", day(1))
	if err := s.Append(ctx, event.Batch{Events: events, Through: 1}); err != nil {
		t.Fatal(err)
	}
	kind := func(typ event.Type, name string) event.Kind { return event.Kind{Type: typ, Name: name} }
	seen, bought, page := kind(event.Track, "Seen"), kind(event.Track, "Bought"), kind(event.Page, "")
	expect := func(what string, got []event.Age, err error, want ...event.Age) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", what, err, d)
		}
	}
	got, err := s.Ages(ctx, "ws_1")
	expect("all", got, err, event.Age{Kind: seen, Count: 5, Oldest: day(1)}, event.Age{Kind: page, Count: 2, Oldest: day(2)}, event.Age{Kind: bought, Count: 1, Oldest: day(1)})
	terms := []event.Term{{Kind: seen, Since: day(4)}, {Kind: page, Since: day(3)}, {Kind: bought, Since: day(1)}, {Kind: kind(event.Track, "Home"), Since: day(30)}}
	got, err = s.TooOld(ctx, "ws_1", terms)
	expect("too old", got, err, event.Age{Kind: seen, Count: 3, Oldest: day(1)}, event.Age{Kind: page, Count: 1, Oldest: day(2)})
	got, err = s.TooOld(ctx, "ws_1", nil)
	expect("no terms", got, err)
	for i, want := range []int64{2, 1, 0} {
		if n, err := s.DropOld(ctx, "ws_1", terms[0], 2); err != nil || n != want {
			t.Errorf("the %d. removal of at most two took %d, %v; want %d", i+1, n, err, want)
		}
	}
	if n, err := s.DropOld(ctx, "ws_1", terms[1], 10); err != nil || n != 1 {
		t.Errorf("%d pages went, %v", n, err)
	}
	got, err = s.Ages(ctx, "ws_1")
	expect("what is left", got, err, event.Age{Kind: seen, Count: 2, Oldest: day(4)}, event.Age{Kind: page, Count: 1, Oldest: day(3)}, event.Age{Kind: bought, Count: 1, Oldest: day(1)})
	got, err = s.Ages(ctx, "ws_2")
	expect("another workspace", got, err, event.Age{Kind: seen, Count: 1, Oldest: day(1)})
}
