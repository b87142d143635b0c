package person_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

func unbind(t *testing.T, w *persontest.World, p person.Person, cause string, pairs ...string) []event.Identifier {
	t.Helper()
	var ids []event.Identifier
	for i := 0; i < len(pairs); i += 2 {
		ids = append(ids, event.Identifier{Kind: pairs[i], Value: pairs[i+1]})
	}
	off, err := w.Service.Unbind(t.Context(), persontest.WS, p.ID, person.Unbinding{Identifiers: ids, Note: "sold", Cause: cause})
	if err != nil {
		t.Fatal(err)
	}
	w.Deliver(w.Emitted.Take()...)
	return off
}

// kindsOf lists what a person goes by.
func named(p person.Person) []string {
	var out []string
	for _, id := range p.Identifiers {
		out = append(out, id.Kind+":"+id.Value)
	}
	slices.Sort(out)
	return out
}

func nobodys(t *testing.T, w *persontest.World, kind, value string) {
	t.Helper()
	if p, err := w.Service.ByIdentifier(t.Context(), persontest.WS, event.Identifier{Kind: kind, Value: value}); !errs.Is(err, errs.KindNotFound) {
		t.Fatalf("%s %s belongs to %s (%v)", kind, value, p.ID, err)
	}
}

func TestEdge36_UnbindCascadesToChildren(t *testing.T) {
	w := world(t)
	w.Deliver(
		with(identify("m1", 0, "u1", "", map[string]any{"name": "Aya"}), "device_id", "old", "push_token", "t-old"),
		with(track("m2", 1, "u1", ""), "device_id", "old", "advertising_id", "ad-old"),
		with(track("m3", 2, "u1", ""), "device_id", "new", "push_token", "t-new"),
		with(track("m4", 3, "u1", ""), "ga_client_id", "GA"),
	)
	p := w.Who("user_id", "u1")
	off := unbind(t, w, p, "c1", "device_id", "old")
	same(t, "taken off", len(off), 3)
	if diff := gocmp.Diff([]string{"device_id:new", "ga_client_id:GA", "push_token:t-new", "user_id:u1"}, named(w.Who("user_id", "u1"))); diff != "" {
		t.Fatal(diff)
	}
	for kind, value := range map[string]string{"device_id": "old", "push_token": "t-old", "advertising_id": "ad-old"} {
		nobodys(t, w, kind, value)
	}
	same(t, "the past stays", w.Owner("m1"), p.Num)
	same(t, "name", w.Who("user_id", "u1").Text("name"), "Aya")
	logged(t, w, p, "unbound")

	// The buyer of the telephone is somebody else.
	w.Deliver(with(track("m5", 100, "", ""), "device_id", "old", "push_token", "t-old"))
	one(t, w, 2)
	buyer := w.Who("device_id", "old")
	if buyer.ID == p.ID {
		t.Fatal("the device leads to its former owner")
	}
	same(t, "children go with it", w.Who("push_token", "t-old").ID, buyer.ID)
	// What happened before, and only comes in now, is still the former owner's.
	w.Deliver(with(track("m6", 1, "", ""), "device_id", "old"))
	same(t, "late event", w.Owner("m6"), p.Num)
	same(t, "owner after the late event", w.Who("device_id", "old").ID, buyer.ID)
}

func TestEdge36_UnboundAndBoundAgain(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "u1", "a1", map[string]any{"phone": "+491701234567"}))
	p := w.Who("user_id", "u1")
	for range 2 { // asked twice with one cause
		if _, err := w.Service.Unbind(t.Context(), persontest.WS, p.ID, person.Unbinding{Identifiers: []event.Identifier{{Kind: "phone", Value: "0170 1234567"}}, Cause: "c"}); err != nil {
			t.Fatal(err)
		}
	}
	w.Deliver(w.Emitted.Take()...)
	nobodys(t, w, "phone", "+491701234567")
	same(t, "identifiers", len(w.Who("user_id", "u1").Identifiers), 2)
	// An unbinding is no decision that they never belong together.
	w.Deliver(identify("m2", 10, "u1", "", map[string]any{"phone": "+491701234567"}))
	same(t, "bound again", w.Who("phone", "+491701234567").ID, p.ID)

	for name, ids := range map[string][]event.Identifier{
		"nothing":                nil,
		"a user id":              {{Kind: "user_id", Value: "u1"}},
		"what somebody else has": {{Kind: "anonymous_id", Value: "a9"}},
	} {
		if _, err := w.Service.Unbind(t.Context(), persontest.WS, p.ID, person.Unbinding{Identifiers: ids, Cause: "x"}); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.Deliver(track("m3", 11, "", "b1"))
	if _, err := w.Service.Unbind(t.Context(), persontest.WS, w.Who("anonymous_id", "b1").ID, person.Unbinding{Identifiers: []event.Identifier{{Kind: "anonymous_id", Value: "b1"}}, Cause: "y"}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("everything: %v", err)
	}
}

func TestEdge29_ReplayOfTheArchiveAfterAnUnbind(t *testing.T) {
	w := world(t)
	archive := []event.Event{
		identify("m1", 0, "u1", "a1", map[string]any{"phone": "+491701234567", "email": "u1@example.com"}),
		identify("m2", 1, "", "a1", map[string]any{"phone": "+491701234567"}),
		track("m3", 2, "", "a1"),
	}
	w.Deliver(archive...)
	p := w.Who("user_id", "u1")
	unbind(t, w, p, "c", "phone", "+491701234567", "anonymous_id", "a1")
	want := named(w.Who("user_id", "u1"))
	same(t, "identifiers left", len(want), 2)

	// The same messages again, inside and beyond the time that their ids are remembered.
	a := w.Deliver(archive...)
	same(t, "kept of what is remembered", len(a.Kept), 0)
	w.Clock.Advance(30 * 24 * 3600 * 1e9)
	if _, err := w.Service.PurgeSeen(t.Context(), 7, 1000); err != nil {
		t.Fatal(err)
	}
	w.Deliver(archive...)
	if diff := gocmp.Diff(want, named(w.Who("user_id", "u1"))); diff != "" {
		t.Fatalf("the replay brought back what was unbound:\n%s", diff)
	}
	nobodys(t, w, "phone", "+491701234567")
	nobodys(t, w, "anonymous_id", "a1")
	one(t, w, 1)
	same(t, "owner of the past", w.Owner("m3"), p.Num)
}

// unbound is an unbinding of a device as it comes from the log.
func unbound(id string, minute int, device string) event.Event {
	e := with(call(event.Identity, id, minute, "", ""), "anonymous_id", device)
	e.Name, e.Origin = event.IdentifierUnbound, event.Internal
	return e
}

func TestEdge36_ASharedDeviceThatIsUnboundIsOnePersonBeforeAndOneAfter(t *testing.T) {
	w := world(t)
	for i := range 3 { // the third makes it shared
		w.Deliver(track(fmt.Sprintf("m%d", i), i, fmt.Sprintf("u%d", i), "kiosk"))
	}
	w.Deliver(track("before1", 10, "", "kiosk"), unbound("unbind", 20, "kiosk"), track("after1", 30, "", "kiosk"), track("after2", 31, "", "kiosk"))
	w.Deliver(track("before0", 5, "", "kiosk"))
	w.Settle()
	same(t, "before, also if it comes late", w.Owner("before0"), w.Owner("before1"))
	same(t, "after", w.Owner("after2"), w.Owner("after1"))
	if w.Owner("after1") == w.Owner("before1") {
		t.Error("what comes after the unbinding goes to whom it was taken from")
	}
}

func TestEdge36_AnUnbindingHoldsForAnOwnerWhoTurnsUpLater(t *testing.T) {
	w := world(t)
	for i := range 3 {
		w.Deliver(track(fmt.Sprintf("m%d", i), i, fmt.Sprintf("u%d", i), "kiosk"))
	}
	w.Deliver(unbound("unbind", 20, "kiosk")) // nobody has it
	w.Deliver(track("late", 10, "", "kiosk"))
	w.Settle()
	nobodys(t, w, "anonymous_id", "kiosk")
	w.Deliver(track("after", 30, "", "kiosk"))
	w.Settle()
	if w.Owner("after") == w.Owner("late") {
		t.Error("what comes after the unbinding goes to whom it was taken from")
	}
}

// An unbinding is part of the history: any order of arrival gives the people that the order of time gives.
func TestEdge36_UnbindingsGiveTheSamePeopleInAnyOrder(t *testing.T) {
	db := sqldbtest.Open(t, engine)
	rapid.Check(t, func(rt *rapid.T) {
		events := history(rt)
		for i := range rapid.IntRange(1, 3).Draw(rt, "unbindings") {
			id := rapid.SampledFrom([][2]string{{"anonymous_id", "a0"}, {"anonymous_id", "a1"}, {"device_id", "d0"}, {"email", "e0@example.com"}}).Draw(rt, "of")
			e := with(call(event.Identity, "unbind"+string(rune('0'+i)), rapid.IntRange(0, 200).Draw(rt, "at"), "", ""), id[0], id[1])
			e.Name, e.Origin = event.IdentifierUnbound, event.Internal
			events = append(events, e)
		}
		inOrder := slices.Clone(events)
		slices.SortFunc(inOrder, func(a, b event.Event) int {
			return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.MessageID, b.MessageID))
		})
		clean(t, db)
		w := worldOn(t, db)
		for _, e := range inOrder {
			w.Keep(w.Record(e))
		}
		if a, err := w.Service.RunTasks(t.Context()); err != nil || len(a.Receipts) > 0 {
			rt.Fatalf("events in order left tasks (%v)", err)
		}
		want := picture(t, w)
		clean(t, db)
		w = worldOn(t, db)
		for _, e := range rapid.Permutation(events).Draw(rt, "order") {
			w.Keep(w.Record(e))
			if rapid.IntRange(0, 3).Draw(rt, "settle") == 0 {
				w.Settle()
			}
		}
		w.Settle()
		if diff := gocmp.Diff(want, picture(t, w)); diff != "" {
			rt.Fatalf("unbindings in another order give other people (-in order +any order):\n%s", diff)
		}
	})
}
