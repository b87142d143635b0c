package person_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

var at = persontest.At

// engine is what worlds stand on; TestEdgesOnPostgres changes it for a while.
var engine = sqldb.SQLite

// world returns a service on a fresh store.
func world(t testing.TB, change ...func(*person.Config)) *persontest.World {
	t.Helper()
	return worldOn(t, sqldbtest.Open(t, engine), change...)
}

func worldOn(t testing.TB, db *sqldb.DB, change ...func(*person.Config)) *persontest.World {
	t.Helper()
	return persontest.NewWorld(t, sqlstore.NewPerson(db), db, func(c *person.Config) {
		for _, f := range change {
			f(c)
		}
	})
}

// call makes an event; user and anon may be empty.
func call(kind event.Type, msg string, minute int, user, anon string) event.Event {
	e := event.Event{MessageID: msg, Type: kind, Time: at(minute), UserID: user, AnonymousID: anon}
	if kind == event.Track {
		e.Name = "Product Viewed"
	}
	return e
}

func track(msg string, minute int, user, anon string) event.Event {
	return call(event.Track, msg, minute, user, anon)
}

func identify(msg string, minute int, user, anon string, traits map[string]any) event.Event {
	e := call(event.Identify, msg, minute, user, anon)
	e.Properties = persontest.Object(traits)
	return e
}

func alias(msg string, minute int, previous, user string) event.Event {
	e := call(event.Alias, msg, minute, user, "")
	e.PreviousID = previous
	return e
}

// with adds identifiers of other kinds as context.externalIds, "kind", "value" in turn.
func with(e event.Event, pairs ...string) event.Event {
	var ids []map[string]any
	for i := 0; i < len(pairs); i += 2 {
		ids = append(ids, map[string]any{"type": pairs[i], "id": pairs[i+1], "collection": "users", "encoding": "none"})
	}
	e.Context = persontest.Object(map[string]any{"externalIds": ids})
	return e
}

func one(t *testing.T, w *persontest.World, people int64) {
	t.Helper()
	if n := w.Count(); n != people {
		t.Fatalf("%d people, want %d", n, people)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func actions(t *testing.T, w *persontest.World, p person.Person) []string {
	t.Helper()
	var out []string
	for next := (page.Request{Limit: 200}); ; {
		log, err := w.Service.IdentityLog(context.Background(), persontest.WS, p.ID, next)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range log.Items {
			s := string(d.Action)
			if d.Reason != "" {
				s += "(" + d.Reason + ")"
			}
			out = append(out, s)
		}
		if next.Cursor = log.Next; next.Cursor == "" {
			return out
		}
	}
}

func logged(t *testing.T, w *persontest.World, p person.Person, action string) {
	t.Helper()
	if got := actions(t, w, p); !slices.Contains(got, action) {
		t.Fatalf("identity log has no %s: %v", action, got)
	}
}

func TestEdge01_AnonThenIdentify(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "", "a1"), track("m2", 1, "", "a1"))
	before := w.Who("anonymous_id", "a1")
	w.Deliver(identify("m3", 2, "u1", "a1", map[string]any{"name": "Ada"}))
	one(t, w, 1)
	p := w.Who("user_id", "u1")
	same(t, "public id", p.ID, before.ID)
	same(t, "owner of the past", w.Owner("m1"), p.Num)
	same(t, "events", p.Counters[person.CountEvents], int64(2))
	same(t, "first seen", p.FirstSeen, at(0))
	same(t, "status", p.Status, person.Identified)
}

func TestEdge01_AnonThenIdentifyOfKnownUserMergesWhole(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m0", 0, "u1", "", map[string]any{"plan": "pro"}))
	w.Deliver(track("m1", 1, "", "a1"))
	anon, known := w.Who("anonymous_id", "a1"), w.Who("user_id", "u1")
	a := w.Deliver(identify("m2", 2, "u1", "a1", nil))
	one(t, w, 1)
	p := w.Who("anonymous_id", "a1")
	same(t, "winner", p.ID, known.ID)
	same(t, "redirects", fmt.Sprint(a.Redirects), fmt.Sprint([]event.Redirect{{Workspace: persontest.WS, Loser: anon.Num, Winner: known.Num}}))
	same(t, "owner of the past", w.Owner("m1"), p.Num)
	old, err := w.Service.Get(t.Context(), persontest.WS, anon.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "old id leads to", old.ID, p.ID)
	logged(t, w, p, "merged")
}

func TestEdge02_IdentifyBeforeAnonEventsArrive(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m3", 2, "u1", "a1", nil))
	a := w.Deliver(track("m1", 0, "", "a1"), track("m2", 1, "", "a1"))
	one(t, w, 1)
	p := w.Who("user_id", "u1")
	same(t, "owner of the late event", w.Owner("m1"), p.Num)
	same(t, "first seen", p.FirstSeen, at(0))
	same(t, "tasks", a.Tasks, false)
}

func TestEdge03_AnonAndIdentifyInParallel(t *testing.T) {
	for range 3 {
		w := world(t)
		var records []person.LogRecord
		for i := range 100 {
			e := track(fmt.Sprintf("m%d", i), i, "", "a1")
			switch {
			case i%10 == 3:
				e = identify(e.MessageID, i, "u1", "a1", map[string]any{"n": i})
			case i%10 == 7:
				e = identify(e.MessageID, i, "u1", fmt.Sprintf("a%d", 1+i%3), map[string]any{"n": i})
			}
			records = append(records, w.Record(e))
		}
		var wg sync.WaitGroup
		for _, r := range records {
			wg.Go(func() { w.KeepBeside(r) })
		}
		wg.Wait()
		w.Settle()
		one(t, w, 1)
		p := w.Who("user_id", "u1")
		same(t, "n", p.Traits["n"].Value, any(97.0))
		same(t, "events", p.Counters[person.CountEvents], int64(80))
		for i := range 100 {
			same(t, "owner", w.Owner(fmt.Sprintf("m%d", i)), p.Num)
		}
		same(t, "first seen", p.FirstSeen, at(0))
		same(t, "last seen", p.LastSeen, at(99))
	}
}

func TestEdge04_TwoDevicesOneUser(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "", "phone"), track("m2", 0, "", "laptop"))
	w.Deliver(track("m3", 1, "u1", "phone"))
	w.Deliver(track("m4", 2, "u1", "laptop"))
	one(t, w, 1)
	p := w.Who("anonymous_id", "laptop")
	same(t, "owner", w.Who("anonymous_id", "phone").Num, p.Num)
	same(t, "events", p.Counters[person.CountEvents], int64(4))
}

func TestEdge05_SharedDeviceBThenC(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "", "dev"))
	w.Deliver(identify("m2", 1, "b", "dev", map[string]any{"name": "Bea"}))
	w.Deliver(track("m3", 2, "", "dev"))
	w.Deliver(identify("m4", 3, "c", "dev", map[string]any{"name": "Cy"}))
	w.Deliver(track("m5", 4, "", "dev"))
	one(t, w, 2)
	b, c := w.Who("user_id", "b"), w.Who("user_id", "c")
	for msg, want := range map[string]uint64{"m1": b.Num, "m2": b.Num, "m3": b.Num, "m4": c.Num, "m5": c.Num} {
		same(t, msg, w.Owner(msg), want)
	}
	same(t, "owner now", w.Who("anonymous_id", "dev").Num, c.Num)
	same(t, "name", b.Name()+c.Name(), "BeaCy")
	logged(t, w, c, "refused(conflict)")
	logged(t, w, c, "moved")
	// An event that comes late goes to the owner at its time.
	w.Deliver(track("m6", 2, "", "dev"))
	same(t, "late event", w.Owner("m6"), b.Num)
}

func TestEdge05_ADeviceThatGoesBackAndForth(t *testing.T) {
	w := world(t)
	w.Deliver(identify("b1", 0, "b", "dev", nil), identify("c1", 10, "c", "dev", nil), identify("b2", 20, "b", "dev", nil))
	b, c := w.Who("user_id", "b"), w.Who("user_id", "c")
	same(t, "owner now", w.Who("anonymous_id", "dev").Num, b.Num)
	same(t, "since", w.Who("anonymous_id", "dev").Identifiers[1].Since, at(20))
	// Each interval takes the anonymous events of its time, however late they come.
	w.Deliver(track("x3", 25, "", "dev"), track("x2", 15, "", "dev"), track("x1", 5, "", "dev"))
	for msg, want := range map[string]uint64{"x1": b.Num, "x2": c.Num, "x3": b.Num} {
		same(t, msg, w.Owner(msg), want)
	}
	one(t, w, 2)
}

func TestEdge06_LogoutWithoutReset(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "b", "dev", nil))
	w.Deliver(track("m2", 1, "", "dev")) // logged out, same browser
	w.Deliver(identify("m3", 2, "b", "dev", nil))
	one(t, w, 1)
	same(t, "owner", w.Owner("m2"), w.Who("user_id", "b").Num)
}

func TestEdge07_ResetThenNewAnonSameGAClient(t *testing.T) {
	w := world(t)
	w.Deliver(with(identify("m1", 0, "b", "dev1", nil), "ga_client_id", "GA1"))
	w.Deliver(with(identify("m2", 1, "c", "dev2", nil), "ga_client_id", "GA1"))
	one(t, w, 2)
	b, c := w.Who("user_id", "b"), w.Who("user_id", "c")
	same(t, "dev1", w.Who("anonymous_id", "dev1").Num, b.Num)
	same(t, "dev2", w.Who("anonymous_id", "dev2").Num, c.Num)
	same(t, "GA1", w.Who("ga_client_id", "GA1").Num, c.Num)
}

func TestEdge08_KioskIsFlaggedShared(t *testing.T) {
	w := world(t)
	for i := range 50 {
		w.Deliver(track(fmt.Sprintf("m%d", i), i*10, fmt.Sprintf("u%d", i), "kiosk"))
	}
	w.Deliver(track("anon1", 1000, "", "kiosk"))
	w.Deliver(track("anon2", 1001, "", "kiosk"))
	one(t, w, 51)
	own := w.Who("anonymous_id", "kiosk")
	same(t, "anon1", w.Owner("anon1"), own.Num)
	same(t, "anon2", w.Owner("anon2"), own.Num)
	same(t, "status", own.Identifiers[0].Status, person.Shared)
	w.Deliver(track("m50", 1002, "u50", "kiosk"))
	one(t, w, 52)
	same(t, "kiosk keeps", w.Who("anonymous_id", "kiosk").Num, own.Num)
}

func TestEdge09_EmailSharedByCouple(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "he", "", map[string]any{"email": "us@example.com"}))
	w.Deliver(identify("m2", 1, "she", "", map[string]any{"email": "us@example.com"}))
	one(t, w, 2)
	he, she := w.Who("user_id", "he"), w.Who("user_id", "she")
	same(t, "both may be written to", he.Email()+she.Email(), "us@example.comus@example.com")
	same(t, "owner now", w.Who("email", "us@example.com").Num, she.Num)
	logged(t, w, she, "refused(conflict)")
}

func TestEdge10_UserChangesEmail(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "u1", "", map[string]any{"email": "old@example.com"}))
	w.Deliver(identify("m2", 1, "u1", "", map[string]any{"email": "new@example.com"}))
	one(t, w, 1)
	p := w.Who("email", "old@example.com")
	same(t, "email", p.Email(), "new@example.com")
	same(t, "new", w.Who("email", "new@example.com").Num, p.Num)
	// A late event must not bring the old value back.
	w.Deliver(identify("m0", -5, "u1", "", map[string]any{"email": "older@example.com"}))
	same(t, "email", w.Who("user_id", "u1").Email(), "new@example.com")
}

func TestEdge11_PhoneNumberIsRecycled(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "u1", "", map[string]any{"phone": "+491701234567"}))
	w.Deliver(identify("m2", 1, "u1", "", map[string]any{"phone": "+491707654321"}))
	w.Deliver(identify("m3", 500000, "u2", "", map[string]any{"phone": "+491701234567"}))
	one(t, w, 2)
	same(t, "recycled number", w.Who("phone", "+491701234567").Num, w.Who("user_id", "u2").Num)
	same(t, "phone of the first", w.Who("user_id", "u1").Phone(), "+491707654321")
}

func TestEdge12_BlockedValues(t *testing.T) {
	w := world(t)
	junk := []string{"null", "0000-00", "undefined", "[object Object]", "NaN", "-1", "anonymous", "0", "None", `"null"`, " ", "00000000-0000-0000-0000-000000000000"}
	var events []event.Event
	for i := range 10_000 {
		events = append(events, track(fmt.Sprintf("m%d", i), i, junk[i%len(junk)], fmt.Sprintf("a%d", i)))
	}
	w.Deliver(events...)
	one(t, w, 10_000)
	// Nothing usable at all: kept, but nobody's.
	a := w.Deliver(track("nobody", 0, "null", "undefined"))
	same(t, "kept", len(a.Kept), 1)
	same(t, "person", a.Kept[0].Person, uint64(0))
	same(t, "user id stays in the payload", a.Kept[0].UserID, "null")
	one(t, w, 10_000)
}

func TestEdge13_EmailVariants(t *testing.T) {
	w := world(t)
	for i, v := range []string{"Ada@Example.com", " ada@example.com ", "ADA@EXAMPLE.COM"} {
		w.Deliver(identify(fmt.Sprintf("m%d", i), i, "", fmt.Sprintf("a%d", i), map[string]any{"email": v}))
	}
	one(t, w, 1)
	w.Deliver(identify("bad", 5, "", "a9", map[string]any{"email": "not an address"}))
	one(t, w, 2)
}

func TestEdge14_PhoneWithAndWithoutCountryCode(t *testing.T) {
	w := world(t)
	for i, v := range []any{"+49 170 1234567", "0170/1234567", "0049 170 1234567"} {
		w.Deliver(identify(fmt.Sprintf("m%d", i), i, "", fmt.Sprintf("a%d", i), map[string]any{"phone": v}))
	}
	one(t, w, 1)
	w.Deliver(identify("bad", 5, "", "a9", map[string]any{"phone": "123"}))
	one(t, w, 2)
}

func TestEdge15_SelfAlias(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "u7", "a1", nil))
	before := w.Who("user_id", "u7")
	w.Deliver(alias("m2", 1, "u7", "u7"))
	one(t, w, 1)
	after := w.Who("user_id", "u7")
	same(t, "identifiers", len(after.Identifiers), len(before.Identifiers))
	same(t, "owner", w.Owner("m2"), before.Num)
}

func TestEdge16_AliasBothIdentified(t *testing.T) {
	for _, tc := range []struct {
		name   string
		origin event.Origin
		open   bool
		people int64
	}{
		{"browser key", event.Browser, true, 2},
		{"server key without the option", event.Server, false, 2},
		{"server key with the option", event.Server, true, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := world(t, func(c *person.Config) {
				c.AliasIdentified = func(context.Context, string) (bool, error) { return tc.open, nil }
			})
			w.Deliver(identify("m1", 0, "u1", "", map[string]any{"a": 1}), identify("m2", 1, "u2", "", map[string]any{"b": 2}))
			e := alias("m3", 2, "u1", "u2")
			e.Origin = tc.origin
			w.Deliver(e)
			one(t, w, tc.people)
			p := w.Who("user_id", "u2")
			if tc.people == 2 {
				logged(t, w, p, "refused(alias)")
				return
			}
			same(t, "traits", len(p.Values()), 2)
			same(t, "other id", w.Who("user_id", "u1").ID, p.ID)
		})
	}
}

func TestEdge17_AliasChainAndCycle(t *testing.T) {
	t.Run("chain", func(t *testing.T) {
		w := world(t)
		w.Deliver(track("m1", 0, "", "a"))
		w.Deliver(alias("m2", 1, "a", "b"))
		w.Deliver(alias("m3", 2, "b", "c"))
		w.Deliver(track("m4", 3, "c", ""))
		one(t, w, 1)
		same(t, "owner", w.Owner("m4"), w.Owner("m1"))
	})
	t.Run("cycle", func(t *testing.T) {
		w := world(t)
		w.Deliver(track("m1", 0, "", "a"))
		w.Deliver(alias("m2", 1, "a", "b"))
		w.Deliver(alias("m3", 2, "b", "a"))
		w.Deliver(alias("m4", 3, "a", "b"))
		one(t, w, 1)
	})
}

func TestEdge18_AliasBeforeIdentify(t *testing.T) {
	w := world(t)
	w.Deliver(alias("m1", 0, "a1", "u1"))
	w.Deliver(track("m2", 1, "", "a1"))
	w.Deliver(identify("m3", 2, "u1", "", map[string]any{"name": "Ada"}))
	one(t, w, 1)
	same(t, "owner", w.Owner("m2"), w.Who("user_id", "u1").Num)
}

func TestEdge18_AliasOverUserKnownLaterButEarlierInTime(t *testing.T) {
	w := world(t)
	w.Deliver(alias("m2", 10, "x", "u1")) // x is taken for a browser id
	w.Deliver(track("m1", 5, "x", ""))    // but was a user id before
	w.Deliver(track("m3", 11, "", "x"))
	// In order of time the alias gives the known person x the new name u1, and the browser id x is someone else's.
	one(t, w, 2)
	same(t, "renamed", w.Who("user_id", "u1").Num, w.Who("user_id", "x").Num)
	if w.Owner("m3") == w.Owner("m1") {
		t.Fatal("one value under two kinds was taken for one identifier")
	}
}

func TestEdge19_MergeOverACap(t *testing.T) {
	t.Run("identifiers", func(t *testing.T) {
		w := world(t, manyDevices)
		for i := 0; i < 1100; i += 100 {
			var events []event.Event
			for j := i; j < i+100; j++ {
				events = append(events, with(track(fmt.Sprintf("m%d", j), j, "u1", ""), "device_id", fmt.Sprintf("d%d", j)))
			}
			w.Keep(w.Record(events...))
		}
		w.Settle()
		p := w.Who("user_id", "u1")
		same(t, "identifiers", len(p.Identifiers), 1000)
		same(t, "events", p.Counters[person.CountEvents], int64(1100))
		logged(t, w, p, "refused(link_cap)")
	})
	t.Run("merges", func(t *testing.T) {
		w := world(t, manyDevices)
		w.Keep(w.Record(track("u", 0, "u1", "")))
		for i := range 105 {
			d := fmt.Sprintf("d%d", i)
			w.Keep(w.Record(with(track("x"+d, i, "", ""), "device_id", d)))
			w.Keep(w.Record(with(track("y"+d, i, "u1", ""), "device_id", d)))
		}
		w.Settle()
		p := w.Who("user_id", "u1")
		same(t, "merges", p.Merges, 100)
		one(t, w, 6)
		same(t, "events still resolve", w.Owner("yd104"), p.Num)
		logged(t, w, p, "refused(merge_cap)")
	})
}

// manyDevices lifts the limit of the kind device_id.
func manyDevices(c *person.Config) {
	c.Scheme = person.DefaultScheme()
	for i := range c.Scheme.Kinds {
		if c.Scheme.Kinds[i].Name == person.KindDevice {
			c.Scheme.Kinds[i].Limit = person.Limit{N: 1 << 20}
		}
	}
}

func TestEdge20_RandomAnonymousIdPerServerEvent(t *testing.T) {
	w := world(t)
	for b := range 20 {
		var events []event.Event
		for i := range 25 {
			n := b*25 + i
			events = append(events, track(fmt.Sprintf("m%d", n), n, "u1", fmt.Sprintf("random-%d", n)))
		}
		w.Keep(w.Record(events...))
	}
	p := w.Who("user_id", "u1")
	same(t, "identifiers", len(p.Identifiers), 6) // the user id and five of the week
	same(t, "events", p.Counters[person.CountEvents], int64(500))
	logged(t, w, p, "demoted(limit)")
	if n := len(actions(t, w, p)); n > 10 {
		t.Fatalf("identity log grows with the events: %d entries", n)
	}
}

func TestEdge21_ThreeProfilesBridgedByOneEvent(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "", "", map[string]any{"email": "a@example.com", "x": 1}))
	w.Deliver(identify("m2", 1, "", "", map[string]any{"phone": "+491701234567", "y": 2}))
	w.Deliver(track("m3", 2, "", "a1"))
	one(t, w, 3)
	w.Deliver(identify("m4", 3, "", "a1", map[string]any{"email": "a@example.com", "phone": "+491701234567"}))
	one(t, w, 1)
	p := w.Who("anonymous_id", "a1")
	same(t, "traits", len(p.Values()), 4)
	same(t, "identifiers", len(p.Identifiers), 3)
	for _, m := range []string{"m1", "m2", "m3", "m4"} {
		same(t, m, w.Owner(m), p.Num)
	}
}

func TestEdge22_TransitiveChainInOneBatch(t *testing.T) {
	w := world(t)
	a := w.Deliver(
		identify("m1", 0, "", "", map[string]any{"email": "a@example.com"}),
		identify("m2", 1, "", "", map[string]any{"phone": "+491701234567"}),
		identify("m3", 2, "", "", map[string]any{"email": "a@example.com", "phone": "+491701234567"}),
	)
	one(t, w, 1)
	same(t, "redirects of people nobody saw", len(a.Redirects), 0)
	same(t, "number", a.Kept[1].Person, uint64(1))
}

// Who survives a merge is decided by what the two are: who has the better identifier, then who was there first. Neither the order of
// arrival nor the order inside the bridging event matters.
func TestEdge23_TheWinnerDoesNotDependOnTheOrder(t *testing.T) {
	mail := identify("mail", 10, "", "", map[string]any{"email": "a@example.com"})
	phone := identify("phone", 0, "", "", map[string]any{"phone": "+491701234567"})
	early, late := track("early", 0, "", "a1"), track("late", 10, "", "a2")
	for name, tc := range map[string]struct {
		first, second event.Event
		bridge        event.Event
		kind, value   string // of the winner
	}{
		"better identifier first":  {mail, phone, with(track("b", 20, "", ""), "email", "a@example.com", "phone", "+491701234567"), "email", "a@example.com"},
		"better identifier second": {phone, mail, with(track("b", 20, "", ""), "phone", "+491701234567", "email", "a@example.com"), "email", "a@example.com"},
		"earlier person first":     {early, late, with(track("b", 20, "", "a2"), "anonymous_id", "a1"), "anonymous_id", "a1"},
		"earlier person second":    {late, early, with(track("b", 20, "", "a1"), "anonymous_id", "a2"), "anonymous_id", "a1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := world(t)
			w.Deliver(tc.first)
			w.Deliver(tc.second)
			winner := w.Who(tc.kind, tc.value)
			w.Deliver(tc.bridge)
			one(t, w, 1)
			same(t, "who keeps the id", w.Who(tc.kind, tc.value).ID, winner.ID)
		})
	}
}

func TestEdge24_DuplicateOfAMergingEvent(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "", "a1"), track("m2", 0, "u1", ""))
	merging := track("m3", 1, "u1", "a1")
	w.Deliver(merging)
	a := w.Deliver(merging)
	same(t, "kept", len(a.Kept), 0)
	same(t, "redirects", len(a.Redirects), 0)
	p := w.Who("user_id", "u1")
	same(t, "events", p.Counters[person.CountEvents], int64(3))
	same(t, "merges", p.Merges, 1)
	// Twice in one batch counts once as well.
	double := track("m4", 2, "u1", "")
	a = w.Deliver(double, double)
	same(t, "kept", len(a.Kept), 1)
}

// observers counts what MergeObservers are told.
type observer struct {
	mu   sync.Mutex
	told [][2]person.Ref
	fail bool
}

func (o *observer) PeopleMerged(_ context.Context, _ string, loser, winner person.Ref) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail {
		return errors.New("observer fails")
	}
	o.told = append(o.told, [2]person.Ref{loser, winner})
	return nil
}

func TestEdge30_ObserversDecideOnConsentInsideTheMerge(t *testing.T) {
	o := &observer{}
	w := world(t, func(c *person.Config) { c.Observers = []person.MergeObserver{o} })
	w.Deliver(track("m1", 0, "", "a1"), track("m2", 0, "u1", ""))
	loser, winner := w.Who("anonymous_id", "a1"), w.Who("user_id", "u1")
	o.fail = true
	bridge := w.Record(track("m3", 1, "u1", "a1"))
	if _, err := w.Service.Apply(t.Context(), []person.LogRecord{bridge}); err == nil {
		t.Fatal("an observer that fails does not stop the merge")
	}
	one(t, w, 2) // all or nothing
	o.fail = false
	w.Keep(bridge)
	one(t, w, 1)
	same(t, "told", fmt.Sprint(o.told), fmt.Sprint([][2]person.Ref{{loser.Ref(), winner.Ref()}}))
}

func TestEdge31_LimitLoweredAfterProfilesExceedIt(t *testing.T) {
	db := sqldbtest.Open(t, engine)
	w := worldOn(t, db)
	for i := range 4 {
		w.Deliver(identify(fmt.Sprintf("m%d", i), i, "u1", "", map[string]any{"email": fmt.Sprintf("a%d@example.com", i)}))
	}
	strict := worldOn(t, db, func(c *person.Config) {
		c.Scheme = person.DefaultScheme()
		c.Scheme.Kinds[1].Limit = person.Limit{N: 1}
	})
	strict.Keep(person.LogRecord{Seq: 100, Events: []event.Event{{
		Workspace: persontest.WS, MessageID: "m9", Type: event.Identify, UserID: "u1", Time: at(9), Received: at(9), Origin: event.Server,
		Properties: persontest.Object(map[string]any{"email": "a9@example.com"}),
	}}})
	p := strict.Who("user_id", "u1")
	same(t, "identifiers", len(p.Identifiers), 5) // nothing torn apart, nothing added
	same(t, "email", p.Email(), "a9@example.com") // the trait is not an identifier
	logged(t, strict, p, "demoted(limit)")
}

func TestEdge32_SameValueUnderTwoKindsDoesNotJoin(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "12345", ""), track("m2", 1, "", "12345"), with(track("m3", 2, "", ""), "device_id", "12345"))
	one(t, w, 3)
}

func TestEdge33_TwoWorkspacesSameIdentifiers(t *testing.T) {
	w := world(t)
	x, y := track("m1", 0, "u1", "a1"), track("m1", 0, "u1", "a1")
	y.Workspace = "ws_other"
	a := w.Deliver(x, y)
	same(t, "kept", len(a.Kept), 2)
	one(t, w, 1)
	n, err := w.Service.Count(t.Context(), "ws_other")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "people there", n, int64(1))
	here, there := a.Touched[0], a.Touched[1]
	same(t, "numbers start anew", here.Num, there.Num)
	if here.ID == there.ID {
		t.Fatal("one id in two workspaces")
	}
}

func TestEdge34_FutureClockDevice(t *testing.T) {
	w := world(t)
	// Intake clamps a clock that runs ahead to the time of receipt; identity and traits use the clamped time.
	e := identify("m1", 0, "u1", "", map[string]any{"plan": "old"})
	e.Original, e.Flags = at(60*24*365*70), []string{"clock_future"}
	w.Deliver(e)
	w.Deliver(identify("m2", 1, "u1", "", map[string]any{"plan": "new"}))
	p := w.Who("user_id", "u1")
	same(t, "plan", p.Text("plan"), "new")
	same(t, "last seen", p.LastSeen, at(1))
}

func TestEdge35_CrashBetweenPeopleAndEventStore(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "", "a1"), identify("m2", 0, "u1", "", map[string]any{"plan": "pro"}))
	lost := []person.LogRecord{
		w.Record(track("m3", 1, "u1", "a1"), track("m4", 2, "u1", "")),
		w.Record(track("m5", 3, "", "a1")),
	}
	first, err := w.Service.Apply(t.Context(), lost) // and the process dies
	if err != nil {
		t.Fatal(err)
	}
	want := w.Who("user_id", "u1")
	var again person.Applied
	for _, r := range lost { // read again, in other batches
		a := w.Keep(r)
		again.Kept = append(again.Kept, a.Kept...)
		again.Redirects = append(again.Redirects, a.Redirects...)
		if len(a.Touched) == 0 {
			t.Fatal("a repeated batch touches nobody")
		}
	}
	same(t, "kept", fmt.Sprint(again.Kept), fmt.Sprint(first.Kept))
	same(t, "redirects", fmt.Sprint(again.Redirects), fmt.Sprint(first.Redirects))
	got := w.Who("user_id", "u1")
	same(t, "events", got.Counters[person.CountEvents], want.Counters[person.CountEvents])
	same(t, "merges", got.Merges, 1)
	same(t, "owner", w.Owner("m1"), got.Num)
}

func TestEdge35_CrashAfterATask(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "b", "dev"))
	w.Deliver(track("m3", 10, "c", "dev"))
	w.Deliver(track("m4", 11, "", "dev"))
	w.Keep(w.Record(track("m2", 5, "d", "dev"))) // third user, late: the device was shared all along
	a, err := w.Service.RunTasks(t.Context())    // and the process dies
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Moves) == 0 {
		t.Fatal("nothing to move: the test tests nothing")
	}
	b, err := w.Service.RunTasks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "moves", fmt.Sprint(b.Moves), fmt.Sprint(a.Moves))
	w.History.Store(b, 0)
	if err := w.Service.Acknowledge(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	c, err := w.Service.RunTasks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "receipts", len(c.Receipts), 0)
	kiosk := w.Who("anonymous_id", "dev")
	same(t, "owner", w.Owner("m4"), kiosk.Num)
	same(t, "status", kiosk.Status, person.Anonymous)
}

func TestTasksWaitForTheEventStore(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "b", "dev"))
	w.Deliver(track("m3", 10, "c", "dev"))
	r := w.Record(track("m2", 5, "d", "dev"))
	if _, err := w.Service.Apply(t.Context(), []person.LogRecord{r}); err != nil { // and the process dies
		t.Fatal(err)
	}
	a, err := w.Service.RunTasks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "waits without being asked again", a.Tasks, false)
	same(t, "receipts", len(a.Receipts), 0)
	// After the crash the batch is applied again; the task is still there.
	same(t, "tasks", w.Keep(r).Tasks, true)
	w.Settle()
	if _, err := w.Service.ByIdentifier(t.Context(), persontest.WS, event.Identifier{Kind: "anonymous_id", Value: "dev"}); errs.KindOf(err) != errs.KindNotFound {
		t.Fatalf("a shared device without events of its own has an owner (%v)", err)
	}
}

func TestPurgeForgetsOldMessagesInBatches(t *testing.T) {
	w := world(t)
	var events []event.Event
	for i := range 25 {
		events = append(events, track(fmt.Sprintf("m%d", i), i, "u1", ""))
	}
	w.Deliver(events...)
	w.Clock.Advance(6 * 24 * time.Hour)
	purge := func(days, limit int) int64 {
		n, err := w.Service.PurgeSeen(t.Context(), days, limit)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	same(t, "within seven days", purge(1, 100), int64(0))
	w.Clock.Advance(4 * 24 * time.Hour)
	same(t, "first batch", purge(person.SeenDays, 20), int64(20))
	same(t, "second batch", purge(person.SeenDays, 20), int64(5))
}

func TestComponentTooLargeIsLeftAsItIs(t *testing.T) {
	w := world(t)
	var events []event.Event
	for i := range 600 {
		events = append(events, with(track(fmt.Sprintf("m%d", i), i*10, fmt.Sprintf("u%d", i), fmt.Sprintf("a%d", i)), "device_id", "kiosk"))
	}
	w.Deliver(events...)
	late := w.Deliver(with(track("late", 5, "ux", "a7"), "device_id", "kiosk"))
	same(t, "kept", len(late.Kept), 1)
	logged(t, w, w.Who("anonymous_id", "a7"), "refused(too_large)")
	a, err := w.Service.RunTasks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "nothing left to do", fmt.Sprint(a.Tasks, len(a.Receipts)), "false 0")
}
