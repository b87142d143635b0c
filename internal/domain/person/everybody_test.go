package person_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

func TestEverybodyIsTouchedOnceSomeAtATimeWhateverDies(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		const people = 1002 // one more step than one
		w := worldOn(t, db)
		var all []event.Event
		for i := range people {
			all = append(all, event.Event{MessageID: fmt.Sprintf("m%d", i), Type: event.Identify, Time: at(1), UserID: fmt.Sprintf("u%d", i), Properties: persontest.Object(nil)})
		}
		all = append(all, event.Event{Workspace: "ws_other", MessageID: "o", Type: event.Identify, Time: at(1), UserID: "stranger", Properties: persontest.Object(nil)})
		w.Deliver(all...)
		w.Deliver(track("x", 2, "", "anon"), call(event.Identify, "y", 3, "u0", "anon")) // merged: one person less than there were

		if err := db.InTx(t.Context(), func(ctx context.Context) error {
			if err := w.Service.TouchEverybody(ctx, persontest.WS); err != nil {
				return err
			}
			return errors.New("rolled back")
		}); err == nil {
			t.Fatal("the transaction did not fail")
		}
		if a, err := w.Service.RunTasks(t.Context()); err != nil || len(a.Touched) != 0 {
			t.Fatalf("what was rolled back has touched %d, %v", len(a.Touched), err)
		}

		if err := w.Service.TouchEverybody(t.Context(), persontest.WS); err != nil {
			t.Fatal(err)
		}
		seen := map[person.Ref]int{}
		steps := 0
		for {
			a, err := w.Service.RunTasks(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Receipts) == 0 {
				break
			}
			again, err := w.Service.RunTasks(t.Context()) // the process died before it was acknowledged
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(again.Touched, a.Touched) {
				t.Fatalf("%d are touched, and %d after a death", len(a.Touched), len(again.Touched))
			}
			if steps++; len(a.Touched) > 1000 {
				t.Fatalf("%d people at once", len(a.Touched))
			}
			for _, r := range a.Touched {
				seen[r]++
			}
			if err := w.Service.Acknowledge(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "people", len(seen), people)
		same(t, "steps", steps, 2)
		for r, n := range seen {
			if n != 1 || r.Workspace != persontest.WS {
				t.Fatalf("%v was touched %d times", r, n)
			}
		}
		same(t, "the owner of what was merged", seen[w.Who("anonymous_id", "anon").Ref()], 1)
		if n, err := w.Service.Waiting(t.Context(), persontest.WS); err != nil || n != 0 {
			t.Fatalf("%d wait, %v", n, err)
		}
	})
}
