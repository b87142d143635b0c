package person_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

// watcher remembers what observers are told.
type watcher struct{ told []string }

func (o *watcher) PeopleMerged(_ context.Context, _ string, loser, winner person.Ref) error {
	o.told = append(o.told, fmt.Sprintf("merged %d into %d", loser.Num, winner.Num))
	return nil
}

func (o *watcher) PersonSplit(_ context.Context, _ string, from, made person.Ref) error {
	o.told = append(o.told, fmt.Sprintf("split %d off %d", made.Num, from.Num))
	return nil
}

func split(t *testing.T, w *persontest.World, p person.Person, pairs ...string) person.Apart {
	t.Helper()
	var ids []event.Identifier
	for i := 0; i < len(pairs); i += 2 {
		ids = append(ids, event.Identifier{Kind: pairs[i], Value: pairs[i+1]})
	}
	a, err := w.Service.Split(t.Context(), persontest.WS, p.ID, person.Split{Identifiers: ids, By: "usr_1"})
	if err != nil {
		t.Fatal(err)
	}
	w.Settle()
	return a
}

func TestEdge26_UnmergeRestoresTraitsAndDoesNotMergeAgain(t *testing.T) {
	seen := &watcher{}
	w := world(t, func(c *person.Config) { c.Observers = []person.MergeObserver{seen} })
	w.Deliver(identify("m1", 0, "", "a1", map[string]any{"email": "aya@example.com", "plan": "gold", "city": "Kyoto"}))
	w.Deliver(identify("m2", 5, "", "a2", map[string]any{"phone": "+81312345678", "plan": "free"}))
	bridge := with(track("m3", 10, "", "a1"), "phone", "+81312345678")
	w.Deliver(bridge)
	one(t, w, 1)
	p := w.Who("email", "aya@example.com")
	same(t, "plan of the merged", p.Text("plan"), "free")

	// Undone by the entry of the log that tells of it.
	log, err := w.Service.IdentityLog(t.Context(), persontest.WS, p.ID, page.Request{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(log.Items, func(d person.Decision) bool { return d.Action == person.Merged })
	apart, err := w.Service.Split(t.Context(), persontest.WS, p.ID, person.Split{Merge: log.Items[i].ID, Note: "brother and sister", By: "usr_1"})
	if err != nil {
		t.Fatal(err)
	}
	w.Settle()
	one(t, w, 2)
	one, two := w.Who("email", "aya@example.com"), w.Who("phone", "+81312345678")
	if one.ID == two.ID {
		t.Fatal("they are still one person")
	}
	same(t, "who keeps the id", slices.Contains([]string{one.ID, two.ID}, p.ID), true)
	same(t, "plan of one", one.Text("plan"), "gold")
	same(t, "plan of the other", two.Text("plan"), "free")
	same(t, "city of the other", two.Text("city"), "")
	same(t, "first event", w.Owner("m1"), one.Num)
	same(t, "second event", w.Owner("m2"), two.Num)
	same(t, "identifier that came with it", w.Who("anonymous_id", "a2").ID, two.ID)
	logged(t, w, p, "split")
	same(t, "told of the split", slices.ContainsFunc(seen.told, func(s string) bool { return s[:5] == "split" }), true)

	again := with(track("m4", 20, "", "a1"), "phone", "+81312345678")
	w.Deliver(again)
	same(t, "people after they meet again", w.Count(), int64(2))
	logged(t, w, w.Who("phone", "+81312345678"), "refused(apart)")

	found, err := w.Service.KeptApart(t.Context(), persontest.WS, one.ID, page.Request{})
	kept := found.Items
	if err != nil || len(kept) != 1 || kept[0].Note != "brother and sister" || kept[0].By != "usr_1" || !kept[0].Split {
		t.Fatalf("kept apart: %+v, %v", kept, err)
	}
	if err := w.Service.TakeBack(t.Context(), persontest.WS, apart.ID); err != nil {
		t.Fatal(err)
	}
	w.Settle()
	same(t, "people once it is taken back", w.Count(), int64(1))
	same(t, "plan", w.Who("email", "aya@example.com").Text("plan"), "free")
	if err := w.Service.TakeBack(t.Context(), persontest.WS, apart.ID); !errs.Is(err, errs.KindNotFound) {
		t.Fatalf("taken back twice: %v", err)
	}
}

func TestEdge27_SplitOffTheIdentifierThePersonWasMadeFrom(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "", "a1"), track("m2", 1, "", "a1"))
	made := w.Who("anonymous_id", "a1")
	w.Deliver(identify("m3", 5, "u1", "a1", map[string]any{"name": "Aya"}))
	w.Deliver(track("m4", 6, "u1", ""))
	one(t, w, 1)
	p := w.Who("user_id", "u1")
	same(t, "the anonymous past was claimed", p.ID, made.ID)

	split(t, w, p, "anonymous_id", "a1")
	one(t, w, 2)
	user, device := w.Who("user_id", "u1"), w.Who("anonymous_id", "a1")
	same(t, "who keeps the id", user.ID, p.ID)
	same(t, "name", user.Text("name"), "Aya")
	same(t, "events of the user", user.Counters[person.CountTracks], int64(1))
	same(t, "events of the device", device.Counters[person.CountTracks], int64(2))
	same(t, "status", device.Status, person.Anonymous)
	for _, m := range []string{"m1", "m2"} {
		same(t, m, w.Owner(m), device.Num)
	}
	for _, m := range []string{"m3", "m4"} {
		same(t, m, w.Owner(m), user.Num)
	}
	w.Deliver(identify("m5", 10, "u1", "a1", nil))
	same(t, "people after they come together again", w.Count(), int64(2))
	same(t, "the event goes to the user", w.Owner("m5"), user.Num)
}

func TestAPersonIsNotSplitIntoNothing(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "u1", "a1", nil), identify("m2", 0, "u2", "", nil))
	p := w.Who("user_id", "u1")
	for name, ids := range map[string][]event.Identifier{
		"nothing":                nil,
		"everything":             {{Kind: "user_id", Value: "u1"}, {Kind: "anonymous_id", Value: "a1"}},
		"what somebody else has": {{Kind: "user_id", Value: "u2"}},
		"what nobody has":        {{Kind: "email", Value: "a@example.com"}},
	} {
		if _, err := w.Service.Split(t.Context(), persontest.WS, p.ID, person.Split{Identifiers: ids}); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Service.Split(t.Context(), persontest.WS, p.ID, person.Split{Merge: "none"}); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("a merge that never was: %v", err)
	}
	if _, err := w.Service.Split(t.Context(), "ws_other", p.ID, person.Split{Identifiers: []event.Identifier{{Kind: "anonymous_id", Value: "a1"}}}); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("from another workspace: %v", err)
	}
	one(t, w, 2)
}

func TestSeparatedPeopleAreNeverMergedByMachine(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "", "a1"), track("m2", 0, "", "a2"))
	p, q := w.Who("anonymous_id", "a1"), w.Who("anonymous_id", "a2")
	if _, err := w.Service.Separate(t.Context(), persontest.WS, p.ID, q.ID, "", "usr_1"); err != nil {
		t.Fatal(err)
	}
	w.Settle()
	w.Deliver(with(track("m3", 1, "", "a1"), "anonymous_id", "a2"))
	one(t, w, 2)
	if err := w.Service.Join(t.Context(), persontest.WS, p.ID, q.ID, "k"); !errs.Is(err, errs.KindConflict) {
		t.Fatalf("joined by hand against the decision: %v", err)
	}
}

func TestPeopleJoinedByHandStayJoined(t *testing.T) {
	for name, users := range map[string][2]string{"identified": {"u1", "u2"}, "one anonymous": {"u1", ""}, "both anonymous": {"", ""}} {
		t.Run(name, func(t *testing.T) {
			w := world(t)
			w.Deliver(identify("m1", 0, users[0], "a1", map[string]any{"x": 1}), identify("m2", 1, users[1], "a2", map[string]any{"y": 2}))
			one(t, w, 2)
			p, q := w.Who("anonymous_id", "a1"), w.Who("anonymous_id", "a2")
			for range 2 { // asked twice with one cause
				if err := w.Service.Join(t.Context(), persontest.WS, p.ID, q.ID, "k"); err != nil {
					t.Fatal(err)
				}
			}
			w.Deliver(w.Emitted.Take()...)
			one(t, w, 1)
			joined := w.Who("anonymous_id", "a1")
			same(t, "traits", len(joined.Values()), 2)
			same(t, "other device", w.Who("anonymous_id", "a2").ID, joined.ID)
			// A late event makes the history be worked out again.
			w.Deliver(track("m0", -10, users[0], "a2"))
			one(t, w, 1)
			same(t, "after a late event", w.Who("anonymous_id", "a2").ID, w.Who("anonymous_id", "a1").ID)
		})
	}
}

// A decision is part of the definition of identity: made in the middle of the history or before all of it, and whatever the order in which
// events arrive, the people are the same.
func TestKeptApartGivesTheSamePeopleInAnyOrder(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	rapid.Check(t, func(rt *rapid.T) {
		events := history(rt)
		slices.SortFunc(events, func(a, b event.Event) int {
			return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.MessageID, b.MessageID))
		})
		empty := func() *persontest.World {
			clean(t, db)
			return worldOn(t, db)
		}
		w := empty()
		cut := rapid.IntRange(1, len(events)).Draw(rt, "before the decision")
		for _, e := range events[:cut] {
			w.Keep(w.Record(e))
		}
		w.Settle()
		all := w.History.All(persontest.WS)
		who, err := w.Service.ByNums(t.Context(), persontest.WS, []uint64{rapid.SampledFrom(all).Draw(rt, "whom").Person})
		if err != nil || len(who) != 1 {
			rt.Fatal(who, err)
		}
		ids := who[0].Identifiers
		if len(ids) < 2 {
			rt.Skip("nothing to split")
		}
		var two []event.Identifier
		for _, x := range ids[rapid.IntRange(1, len(ids)-1).Draw(rt, "kept"):] {
			two = append(two, event.Identifier{Kind: x.Kind, Value: x.Value})
		}
		a, err := w.Service.Split(t.Context(), persontest.WS, who[0].ID, person.Split{Identifiers: two})
		if err != nil {
			rt.Fatal(err)
		}
		w.Settle()
		for _, i := range rapid.Permutation(events[cut:]).Draw(rt, "order") {
			w.Keep(w.Record(i))
			if rapid.IntRange(0, 3).Draw(rt, "settle") == 0 {
				w.Settle()
			}
		}
		w.Settle()
		got := picture(t, w)

		w = empty()
		if err := w.Store.AddApart(t.Context(), persontest.WS, a); err != nil {
			rt.Fatal(err)
		}
		for _, e := range events {
			w.Keep(w.Record(e))
		}
		w.Settle()
		if diff := gocmp.Diff(picture(t, w), got); diff != "" {
			rt.Fatalf("decided beforehand or in between gives other people (-beforehand +in between):\n%s", diff)
		}
	})
}
