package person_test

import (
	"slices"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// erasing is a world in which somebody can be erased as package privacy does it: what identifies them is refused from then on, their rows and events go.
func erasing(t *testing.T) (w *persontest.World, erase func(p person.Person)) {
	t.Helper()
	db := sqldbtest.Open(t, engine)
	refused := map[event.Identifier]bool{}
	w = worldOn(t, db, func(c *person.Config) {
		c.Refuses = func(_ string, ids []event.Identifier) bool {
			return slices.ContainsFunc(ids, func(id event.Identifier) bool { return refused[id] })
		}
	})
	reach := sqlstore.NewReach(db, func(_, _, address string) string { return "hash of " + address })
	return w, func(p person.Person) {
		t.Helper()
		who, err := reach.Subject(t.Context(), persontest.WS, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range who.Identifiers {
			refused[id] = true
		}
		if _, err := reach.Erase(t.Context(), persontest.WS, privacy.Traces{Subject: who, Ghost: "per_ghost"}); err != nil {
			t.Fatal(err)
		}
		w.History.Erase(persontest.WS, who.Nums...)
	}
}

// gone checks that nobody has the identifiers and that no list finds a trace of them.
func gone(t *testing.T, w *persontest.World, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		nobodys(t, w, pairs[i], pairs[i+1])
		list, err := w.Service.Find(t.Context(), persontest.WS, person.Filter{Text: pairs[i+1]}, page.Request{})
		if err != nil || len(list.Items) != 0 {
			t.Fatalf("a search for %s finds %+v, %v", pairs[i+1], list.Items, err)
		}
	}
}

func TestEdge28_AMergeWithSomebodyErasedBringsNothingBack(t *testing.T) {
	w, erase := erasing(t)
	w.Deliver(
		identify("m1", 0, "u1", "a1", map[string]any{"email": "one@example.com", "name": "Aya"}),
		track("m2", 1, "u1", "a1"),
		track("m3", 2, "", "b1"), // somebody else
	)
	other := w.Who("anonymous_id", "b1")
	erase(w.Who("user_id", "u1"))
	one(t, w, 1)

	// Each of these would have made the other one part of them.
	alias := event.Event{MessageID: "m5", Type: event.Alias, Time: at(11), UserID: "u1", PreviousID: "b1"}
	late := identify("m6", 0, "u1", "b1", nil) // from before the erasure
	w.Deliver(
		identify("m4", 10, "u1", "b1", map[string]any{"email": "one@example.com"}), alias, late,
		identify("m7", 12, "", "b1", map[string]any{"email": "one@example.com"}),
	)
	gone(t, w, "user_id", "u1", "email", "one@example.com", "anonymous_id", "a1")
	one(t, w, 1)
	p := w.Who("anonymous_id", "b1")
	same(t, "the other one", p.ID, other.ID)
	same(t, "still goes by", len(p.Identifiers), 1)
	same(t, "knows nothing of them", len(p.Values()), 0)
	for _, m := range []string{"m1", "m2", "m4", "m5", "m6", "m7"} {
		same(t, m+" is nobody's", w.Owner(m), uint64(0))
	}
	// The other one goes on as if nothing had been.
	w.Deliver(identify("m8", 20, "u2", "b1", nil))
	same(t, "identified", w.Who("user_id", "u2").ID, other.ID)
	same(t, "the past", w.Owner("m3"), other.Num)
}

func TestEdge29_ReplayOfTheArchiveAfterAnErasure(t *testing.T) {
	w, erase := erasing(t)
	archive := []event.Event{
		identify("m1", 0, "u1", "a1", map[string]any{"email": "one@example.com"}),
		track("m2", 1, "", "a1"),
		track("m3", 2, "", "b1"),
	}
	w.Deliver(archive...)
	other := w.Who("anonymous_id", "b1")
	erase(w.Who("user_id", "u1"))

	// The same messages again, inside and beyond the time that their ids are remembered.
	for range 2 {
		w.Deliver(archive...)
		gone(t, w, "user_id", "u1", "email", "one@example.com", "anonymous_id", "a1")
		one(t, w, 1)
		same(t, "the other one", w.Who("anonymous_id", "b1").ID, other.ID)
		w.Clock.Advance(30 * 24 * 3600 * 1e9)
		if _, err := w.Service.PurgeSeen(t.Context(), 7, 1000); err != nil {
			t.Fatal(err)
		}
	}
}
