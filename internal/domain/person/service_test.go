package person_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

func TestTraitsLastWriterByEventTimeWins(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m2", 2, "u1", "", map[string]any{"plan": "pro", "address": map[string]any{"city": "Kyoto"}}))
	w.Deliver(identify("m1", 1, "u1", "", map[string]any{"plan": "free", "age": 30}))
	w.Deliver(identify("m4", 4, "u1", "", map[string]any{"age": nil, "address": map[string]any{"zip": "600"}}))
	w.Deliver(identify("m3", 3, "u1", "", map[string]any{"age": 31})) // older than the deletion
	p := w.Who("user_id", "u1")
	want := map[string]any{"plan": "pro", "address": map[string]any{"zip": "600"}} // nested objects are values, not merged
	if diff := cmp.Diff(want, p.Values()); diff != "" {
		t.Fatal(diff)
	}
	plan := p.Traits["plan"]
	same(t, "provenance", fmt.Sprint(plan.MessageID, plan.Time), fmt.Sprint("m2", at(2)))
	same(t, "deleted", p.Traits["age"].Deleted, true)
}

func TestTraitsOfOddShapeAreKeptReadable(t *testing.T) {
	w := world(t)
	e := identify("m1", 0, "u1", "", nil)
	e.Properties = json.RawMessage(`{"big": 1e999, "list": [1, {"a": null}], "": 1, "email": 5, "phone": {"x": 1}, "nul": "a\u0000b"}`)
	w.Deliver(e)
	p := w.Who("user_id", "u1")
	keys := slices.Sorted(maps.Keys(p.Values()))
	same(t, "keys", fmt.Sprint(keys), "[big email list nul phone]")
	same(t, "identifiers", len(p.Identifiers), 1)
	logged(t, w, p, "refused(trait_cap)") // the empty name
}

func TestTraitsAreBounded(t *testing.T) {
	w := world(t)
	many := map[string]any{}
	for i := range 400 {
		many[fmt.Sprintf("k%03d", i)] = i
	}
	w.Deliver(identify("m1", 0, "u1", "", many))
	p := w.Who("user_id", "u1")
	same(t, "traits", len(p.Traits), 300)
	logged(t, w, p, "refused(trait_cap)")
	w.Deliver(identify("m2", 1, "u1", "", map[string]any{"k000": "still written", "more": 1}))
	p = w.Who("user_id", "u1")
	same(t, "known key", p.Text("k000"), "still written")
	same(t, "traits", len(p.Traits), 300)

	w.Deliver(identify("m3", 0, "u2", "", map[string]any{"a": strings.Repeat("x", 30<<10), "b": strings.Repeat("y", 3<<10), "c": "small"}))
	same(t, "what fits", fmt.Sprint(slices.Sorted(maps.Keys(w.Who("user_id", "u2").Values()))), "[a c]")
}

func TestFirstTouchIsTheEarliestWhateverTheOrder(t *testing.T) {
	w := world(t)
	visit := func(msg string, minute int, url, referrer string) event.Event {
		e := call(event.Page, msg, minute, "", "a1")
		e.Source = "src_" + msg
		e.Context = persontest.Object(map[string]any{"page": map[string]any{"url": url, "referrer": referrer}})
		return e
	}
	w.Deliver(visit("m2", 2, "https://shop.example/sale?utm_campaign=late&utm_source=mail", ""))
	w.Deliver(visit("m1", 1, "https://shop.example/?utm_campaign=spring&utm_source=ads&utm_medium=cpc", "https://search.example/"))
	first := w.Who("anonymous_id", "a1").First
	for key, want := range map[string]string{
		person.FirstCampaign: "spring", person.FirstUTMSource: "ads", person.FirstUTMMedium: "cpc", person.FirstReferrer: "https://search.example/",
		person.FirstLandingPage: "https://shop.example/?utm_campaign=spring&utm_source=ads&utm_medium=cpc", person.FirstSource: "src_m1",
	} {
		same(t, key, first[key].Value, want)
	}
}

func TestCountersAddInMinorUnits(t *testing.T) {
	w := world(t)
	order := func(msg, name string, props map[string]any) event.Event {
		e := track(msg, 0, "u1", "")
		e.Name, e.Properties = name, persontest.Object(props)
		return e
	}
	w.Deliver(
		order("m1", event.OrderCompleted, map[string]any{"total": 19.99, "currency": "eur"}),
		order("m2", event.OrderCompleted, map[string]any{"revenue": 0.1, "currency": "EUR"}),
		order("m3", event.OrderCompleted, map[string]any{"total": 1200, "currency": "JPY"}),
		order("m4", event.OrderCompleted, map[string]any{"value": 5}),
		order("m5", event.OrderRefunded, map[string]any{"total": 19.99, "currency": "EUR"}),
		call(event.Page, "m6", 0, "u1", ""), call(event.Screen, "m7", 0, "u1", ""),
	)
	want := map[string]int64{
		"events": 7, "tracks": 5, "pages": 1, "screens": 1, "orders": 4, "refunds": 1, "revenue.EUR": 2009, "revenue.JPY": 1200, "revenue.XXX": 500, "refunded.EUR": 1999,
	}
	if diff := cmp.Diff(want, w.Who("user_id", "u1").Counters); diff != "" {
		t.Fatal(diff)
	}
}

func TestTheZoneIsLearntFromEventsUnlessATraitNamesOne(t *testing.T) {
	w := world(t)
	from := func(msg string, minute int, zone any) event.Event {
		e := track(msg, minute, "u1", "")
		e.Context = persontest.Object(map[string]any{"timezone": zone})
		return e
	}
	w.Keep(w.Record(from("m1", 1, "Europe/Berlin"), from("m2", 2, "Asia/Tokyo"), from("m3", 3, "Asia/Tokyo"), from("m4", 4, "Mars/Base"), from("m5", 5, "Local"), from("m6", 6, 9)))
	check := func(what, want string) {
		t.Helper()
		p := w.Who("user_id", "u1")
		same(t, what, p.Timezone()+" "+p.Location(time.UTC).String(), want+" "+want)
	}
	check("most events", "Asia/Tokyo")
	w.Keep(w.Record(from("m7", 7, "Europe/Berlin")))
	check("the later one of equals", "Europe/Berlin")
	w.Keep(w.Record(identify("m8", 8, "u1", "", map[string]any{"timezone": "America/New_York"})))
	check("what they say themselves", "America/New_York")
	w.Keep(w.Record(identify("m9", 9, "u1", "", map[string]any{"timezone": "the moon"})))
	check("what they say is no zone", "Europe/Berlin")
}

func TestMergedStatesAdd(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 5, "", "a1", map[string]any{"name": "newer", "x": 1}), track("m2", 6, "", "a1"))
	w.Deliver(identify("m3", 1, "u1", "", map[string]any{"name": "older", "y": 2}), track("m4", 2, "u1", ""))
	group := call(event.Group, "m5", 3, "u1", "")
	group.GroupID = "acme"
	w.Deliver(group)
	w.Deliver(track("m6", 7, "u1", "a1"))
	p := w.Who("user_id", "u1")
	if diff := cmp.Diff(map[string]any{"name": "newer", "x": 1.0, "y": 2.0}, p.Values()); diff != "" {
		t.Fatal(diff)
	}
	same(t, "events", p.Counters[person.CountEvents], int64(3))
	same(t, "groups", fmt.Sprint(p.Groups), fmt.Sprint([]person.Membership{{Group: "acme", Since: at(3)}}))
}

func TestSetTraitsTakesEffectThroughTheLog(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "u1", "", map[string]any{"plan": "free", "vip": true}))
	p := w.Who("user_id", "u1")
	w.Clock.Set(at(10))
	if err := w.Service.SetTraits(t.Context(), persontest.WS, p.ID, map[string]any{"plan": "pro", "vip": nil, "email": "x@example.com"}, "jrn_1:n2:ins_3"); err != nil {
		t.Fatal(err)
	}
	same(t, "before the log", w.Who("user_id", "u1").Text("plan"), "free")
	emitted := w.Emitted.Take()
	a := w.Deliver(emitted...)
	same(t, "kept", a.Kept[0].Person, p.Num)
	p = w.Who("user_id", "u1")
	same(t, "plan", p.Text("plan"), "pro")
	same(t, "vip", p.Traits["vip"].Deleted, true)
	same(t, "email", p.Email(), "x@example.com")
	same(t, "a trait set by hand identifies nobody", len(p.Identifiers), 1)
	same(t, "last seen is what the person did", p.LastSeen, at(0))
	same(t, "repeated", len(w.Deliver(emitted...).Kept), 0)
	for name, traits := range map[string]map[string]any{"long": {strings.Repeat("k", 201): 1}, "function": {"f": func() {}}, "empty": {"": 1}} {
		if err := w.Service.SetTraits(t.Context(), persontest.WS, p.ID, traits, "x"); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.Service.SetTraits(t.Context(), persontest.WS, "per_nobody", nil, "x"); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("unknown person: %v", err)
	}
}

// Two journeys take a step at the same moment, each knowing the same old value.
func TestWhatTwoAddAtOnceBothCountsAndAReplayComesToTheSame(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "u1", "", map[string]any{"points": 10, "plan": "free"}))
	p := w.Who("user_id", "u1")
	add := func(minute int, cause string, by float64) []event.Event {
		w.Clock.Set(at(minute))
		if err := w.Service.ChangeTraits(t.Context(), persontest.WS, p.ID, nil, map[string]float64{"points": by, "plan": by, "new": by}, cause); err != nil {
			t.Fatal(err)
		}
		return w.Emitted.Take()
	}
	one, two := add(10, "jrn_1:a", 5), add(10, "jrn_2:a", 2)
	again := add(10, "jrn_1:a", 5) // the step is done again after a crash
	w.Deliver(slices.Concat(one, two)...)
	w.Deliver(again...)
	points := func() any { return w.Who("user_id", "u1").Traits["points"].Value }
	same(t, "both count, once", points(), any(17.0))
	same(t, "what is no number counts as nothing", w.Who("user_id", "u1").Traits["plan"].Value, any(7.0))
	same(t, "a trait that was not there", w.Who("user_id", "u1").Traits["new"].Value, any(7.0))

	w.Deliver(identify("m2", 5, "u1", "", map[string]any{"points": 100})) // late, set before both
	same(t, "a late value lies below what was added after it", points(), any(107.0))
	w.Deliver(identify("m3", 20, "u1", "", map[string]any{"points": 1}))
	same(t, "a later one replaces all", points(), any(1.0))
	w.Deliver(add(30, "jrn_1:b", 1)...)
	for n := range 40 { // more than are kept one by one
		w.Deliver(add(31+n, fmt.Sprint("jrn_3:", n), 1)...)
	}
	same(t, "many", points(), any(42.0))

	w.Deliver(track("d1", 80, "b", "dev"))
	w.Deliver(track("d3", 90, "u1", "dev"))
	w.Deliver(track("d2", 85, "d", "dev")) // late and conflicting: the person is worked out again from the history
	logged(t, w, w.Who("user_id", "d"), "created")
	same(t, "after a replay", points(), any(42.0))

	e := identify("x1", 99, "u1", "", map[string]any{})
	e.Context = persontest.Object(map[string]any{"increment": map[string]any{"points": 1000}})
	w.Deliver(e)
	same(t, "nobody adds from outside", points(), any(42.0))
}

func TestTraitsSetByHandSurviveAReplay(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "b", "dev"))
	b := w.Who("user_id", "b")
	if err := w.Service.SetTraits(t.Context(), persontest.WS, b.ID, map[string]any{"vip": true}, "x"); err != nil {
		t.Fatal(err)
	}
	w.Deliver(w.Emitted.Take()...)
	w.Deliver(track("m3", 10, "c", "dev"))
	w.Deliver(track("m2", 5, "d", "dev")) // late and conflicting: worked out again
	logged(t, w, w.Who("user_id", "d"), "created")
	same(t, "vip", w.Who("user_id", "b").Traits["vip"].Value, any(true))
}

func TestInternalEventsResolveByIDThroughRedirects(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "", "a1"), track("m2", 0, "u1", ""))
	loser := w.Who("anonymous_id", "a1")
	w.Deliver(track("m3", 1, "u1", "a1"))
	p := w.Who("user_id", "u1")
	a := w.Deliver(event.Event{MessageID: "opened", Type: event.Message, Name: event.MessageOpened, PersonID: loser.ID, Time: at(50)})
	same(t, "person", a.Kept[0].Person, p.Num)
	same(t, "touched", fmt.Sprint(a.Touched), fmt.Sprint([]person.Ref{p.Ref()}))
	after := w.Who("user_id", "u1")
	same(t, "last seen", after.LastSeen, p.LastSeen)
	same(t, "counters", fmt.Sprint(after.Counters), fmt.Sprint(p.Counters))
	same(t, "unknown person", len(w.Deliver(event.Event{MessageID: "lost", Type: event.Message, PersonID: "per_nobody", Time: at(51)}).Kept), 0)
}

// Everybody may enter a segment at once: nobody of them is another person for it, so none of them is mirrored, judged or asked about by rules anew. The same holds for what
// else the product says beside what it changes.
func TestWhereSomebodyStandsToSegmentsAndJourneysChangesNobody(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "u1", ""))
	u := w.Who("user_id", "u1")
	for _, e := range []event.Event{
		{MessageID: "entered", Type: event.Segment, Name: event.SegmentEntered},
		{MessageID: "left", Type: event.Segment, Name: event.SegmentLeft},
		{MessageID: "began", Type: event.Journey, Name: event.JourneyEntered},
		{MessageID: "ended", Type: event.Journey, Name: event.JourneyExited},
		{MessageID: "asked", Type: event.Task, Name: event.TaskCreated},
		{MessageID: "billed", Type: event.Invoice, Name: "Invoice Overdue"},
		{MessageID: "stage", Type: event.Standing, Name: "Lifecycle Stage Changed"},
	} {
		e.PersonID, e.Time = u.ID, at(50)
		a := w.Deliver(e)
		same(t, e.Name+": touched", fmt.Sprint(a.Touched), fmt.Sprint([]person.Ref{u.Ref()}))
		same(t, e.Name+": told", len(a.Told), 1)
	}
	after := w.Who("user_id", "u1")
	same(t, "traits", fmt.Sprint(after.Traits), fmt.Sprint(u.Traits))
	same(t, "counters", fmt.Sprint(after.Counters), fmt.Sprint(u.Counters))
	same(t, "last seen", after.LastSeen, u.LastSeen)
}

func TestWhatBecameOfAMessageChangesNobody(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "u1", ""), track("m2", 0, "u2", ""), track("m3", 0, "u3", ""))
	one, two, three := w.Who("user_id", "u1"), w.Who("user_id", "u2"), w.Who("user_id", "u3")
	about := func(id, name string, p person.Person) event.Event {
		return event.Event{MessageID: id, Type: event.Message, Name: name, PersonID: p.ID, Time: at(50)}
	}
	record := w.Record(about("sent1", event.MessageSent, one), about("sent2", event.MessageSent, two), track("m4", 50, "u2", ""), about("bounced", event.MessageBounced, three))
	for _, c := range []struct {
		how  string
		want map[person.Ref]bool
	}{{"first", map[person.Ref]bool{one.Ref(): true, two.Ref(): true}}, {"again after a crash", map[person.Ref]bool{one.Ref(): true}}} {
		a := w.Keep(record)
		same(t, c.how+": touched", len(a.Touched), 3)
		told := map[person.Ref]bool{}
		for _, s := range a.Told {
			told[s.Ref] = true
		}
		same(t, c.how+": told", fmt.Sprint(told), fmt.Sprint(c.want))
	}
}

func TestWhoDoesMoreOnTheSameDayIsWhoTheyWere(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "u1", "dev"))
	u := w.Who("user_id", "u1").Ref()
	mail := track("mail", 4, "u1", "")
	mail.Context = persontest.Object(map[string]any{"externalIds": []any{map[string]any{"id": "a@b.example", "type": "email", "collection": "users", "encoding": "none"}}})
	mailAgain := mail
	mailAgain.MessageID, mailAgain.Time = "mail again", at(5)
	for _, c := range []struct {
		what string
		e    event.Event
		told bool
	}{
		{"the same device", track("m2", 1, "u1", "dev"), true},
		{"late, but not the first", track("m3", 0, "u1", ""), true},
		{"traits", identify("m4", 2, "u1", "", map[string]any{"vip": true}), false},
		{"the same traits", identify("m9", 3, "u1", "", map[string]any{"vip": true}), true},
		{"the same trait to another value", identify("m10", 4, "u1", "", map[string]any{"vip": 1}), false},
		{"without a trait", identify("m11", 5, "u1", "", map[string]any{"vip": nil}), false},
		{"another device", track("m5", 3, "u1", "phone"), false},
		{"that device again", track("m6", 3, "u1", "phone"), true},
		{"an address", mail, false},
		{"the address again, which is the latest now", mailAgain, false},
		{"before anything that was known", track("m7", -50, "u1", ""), false},
		{"another day", track("m8", 24*60, "u1", ""), false},
	} {
		a := w.Deliver(c.e)
		want := 0
		if c.told {
			want = 1
		}
		same(t, c.what+": touched", fmt.Sprint(a.Touched), fmt.Sprint([]person.Ref{u}))
		same(t, c.what+": told", len(a.Told), want)
		if c.told {
			same(t, c.what+": last seen", a.Told[0].LastSeen, w.Who("user_id", "u1").LastSeen)
		}
	}
}

// Reactions name people by the number an event was attributed to, which a replay may have merged away since.
func TestIDsOfNumbersLeadToTheWinner(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "", "a1"), track("m2", 0, "u1", ""))
	loser := w.Who("anonymous_id", "a1")
	w.Deliver(track("m3", 1, "u1", "a1"))
	winner := w.Who("user_id", "u1")
	ids, err := w.Service.IDs(t.Context(), persontest.WS, []uint64{loser.Num, winner.Num, 99})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[uint64]string{loser.Num: winner.ID, winner.Num: winner.ID}, ids); diff != "" || loser.Num == winner.Num {
		t.Fatal(diff)
	}
}

func TestCreateByHand(t *testing.T) {
	w := world(t)
	p, err := w.Service.Create(t.Context(), persontest.WS, person.NewPerson{
		Identifiers: []event.Identifier{{Kind: "user_id", Value: " u1 "}, {Kind: "line_user_id", Value: "L1"}},
		Traits:      map[string]any{"name": "Ada", "email": "Ada@Example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "readable at once", w.Who("email", "ada@example.com").ID, p.ID)
	same(t, "name", p.Name(), "Ada")
	emitted := w.Emitted.Take()
	a := w.Deliver(emitted...)
	same(t, "event belongs to them", a.Kept[0].Person, p.Num)
	again := w.Who("user_id", "u1")
	same(t, "one person", w.Count(), int64(1))
	if diff := cmp.Diff(p.Traits, again.Traits); diff != "" {
		t.Fatal(diff)
	}
	_, err = w.Service.Create(t.Context(), persontest.WS, person.NewPerson{Traits: map[string]any{"email": "ada@example.com"}})
	same(t, "taken address", errs.KindOf(err), errs.KindConflict)
	for _, id := range []event.Identifier{{Kind: "shoe_size", Value: "42"}, {Kind: "user_id", Value: "null"}, {Kind: "phone", Value: "12"}} {
		_, err = w.Service.Create(t.Context(), persontest.WS, person.NewPerson{Identifiers: []event.Identifier{id}})
		same(t, "bad "+id.String(), errs.KindOf(err), errs.KindInvalid)
	}
	bare, err := w.Service.Create(t.Context(), persontest.WS, person.NewPerson{Traits: map[string]any{"name": "Walk-in"}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "by id", w.Emitted.Take()[0].PersonID, bare.ID)
}

func TestSearchFindsPartsOfNamesAddressesAndIdentifiers(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "U-100", "", map[string]any{"name": "山田 太郎", "email": "taro@example.co.jp"}))
	w.Deliver(identify("m2", 1, "U-200", "", map[string]any{"first_name": "Ada", "last_name": "Lovelace"}))
	w.Deliver(with(track("m3", 2, "", "anon-777"), "line_user_id", "LX_9%"))
	w.Deliver(track("m4", 3, "", "bridge"))
	w.Deliver(track("m5", 4, "U-200", "bridge"))
	for q, want := range map[string]string{
		"太郎": "U-100", "山": "U-100", "TARO@": "U-100", "lovelace": "U-200", "a l": "U-200", "u-1": "U-100", "777": "", "x_9%": "", "_9%": "",
		"bridge": "U-200", "U-": "U-200,U-100", "%": "", "nobody": "-",
	} {
		found, err := w.Service.Find(t.Context(), persontest.WS, person.Filter{Text: q}, page.Request{})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, p := range found.Items {
			ids = append(ids, p.UserID())
		}
		got := strings.Join(ids, ",")
		if len(ids) == 0 {
			got = "-"
		}
		same(t, "search "+q, got, want)
	}
}

func TestSearchFindsThePersonOfAnID(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "U-100", "", nil), track("m2", 1, "", "visitor"))
	before := w.Who("anonymous_id", "visitor")
	w.Deliver(track("m3", 2, "U-100", "visitor")) // merges
	owner := w.Who("user_id", "U-100")
	for id, want := range map[string]int{owner.ID: 1, " " + before.ID + " ": 1, "per_01ARZ3NDEKTSV4RRFFQ69G5FAV": 0, owner.ID[:10]: 0} {
		found, err := w.Service.Find(t.Context(), persontest.WS, person.Filter{Text: id}, page.Request{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "found by "+id, len(found.Items), want)
		if want == 1 {
			same(t, "who is found by "+id, found.Items[0].ID, owner.ID)
		}
	}
	n, err := w.Service.CountFitting(t.Context(), persontest.WS, person.Filter{Text: owner.ID, Among: roaring64.BitmapOf(owner.Num + 1)})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "found by id among others", n, int64(0))
}

func TestPagesAreStable(t *testing.T) {
	w := world(t)
	var events []event.Event
	for i := range 25 {
		events = append(events, identify(fmt.Sprintf("m%d", i), i, fmt.Sprintf("u%d", i), "", map[string]any{"name": "same"}))
	}
	w.Deliver(events...)
	read := func(fetch func(page.Request) (page.Of[person.Person], error)) (nums []uint64) {
		for req := (page.Request{Limit: 10}); ; {
			got, err := fetch(req)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range got.Items {
				nums = append(nums, p.Num)
			}
			if req.Cursor = got.Next; req.Cursor == "" {
				return nums
			}
		}
	}
	all := read(func(r page.Request) (page.Of[person.Person], error) {
		return w.Service.List(t.Context(), persontest.WS, r)
	})
	found := read(func(r page.Request) (page.Of[person.Person], error) {
		return w.Service.Find(t.Context(), persontest.WS, person.Filter{Text: "SAME"}, r)
	})
	same(t, "people", len(all), 25)
	same(t, "newest first", slices.IsSortedFunc(all, func(a, b uint64) int { return int(b) - int(a) }), true)
	same(t, "search", fmt.Sprint(found), fmt.Sprint(all))
	_, err := w.Service.List(t.Context(), persontest.WS, page.Request{Cursor: "nonsense"})
	same(t, "bad cursor", errs.KindOf(err), errs.KindInvalid)
}

func TestReadsFollowMerges(t *testing.T) {
	w := world(t)
	w.Deliver(track("m1", 0, "", "a1"), track("m2", 0, "", "a2"), track("m3", 0, "u1", ""))
	a1, a2 := w.Who("anonymous_id", "a1"), w.Who("anonymous_id", "a2")
	w.Deliver(with(track("m4", 1, "", "a1"), "anonymous_id", "a2"))
	w.Deliver(track("m5", 2, "u1", "a2"))
	p := w.Who("user_id", "u1")
	byID, err := w.Service.ByIDs(t.Context(), persontest.WS, []string{a1.ID, a2.ID, p.ID, "per_nobody"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "ids", len(byID), 3)
	for id, got := range byID {
		same(t, id, got.ID, p.ID)
	}
	byNum, err := w.Service.ByNums(t.Context(), persontest.WS, []uint64{a1.Num, a2.Num, p.Num, 999})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "people", len(byNum), 1)
	logged(t, w, p, "created")
	_, err = w.Service.IdentityLog(t.Context(), persontest.WS, "per_nobody", page.Request{})
	same(t, "unknown", errs.KindOf(err), errs.KindNotFound)
}

func TestSchemeValidation(t *testing.T) {
	if err := person.DefaultScheme().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*person.Scheme){
		"empty":              func(s *person.Scheme) { s.Kinds = nil },
		"user id not first":  func(s *person.Scheme) { slices.Reverse(s.Kinds) },
		"several user ids":   func(s *person.Scheme) { s.Kinds[0].Limit.N = 2 },
		"no anonymous id":    func(s *person.Scheme) { s.Kinds = s.Kinds[:3] },
		"name twice":         func(s *person.Scheme) { s.Kinds[2].Name = person.KindEmail },
		"reserved name":      func(s *person.Scheme) { s.Kinds[2].Name = "person_id" },
		"name with a colon":  func(s *person.Scheme) { s.Kinds[2].Name = "a:b" },
		"alias taken":        func(s *person.Scheme) { s.Kinds[1].Aliases = []string{person.KindPhone} },
		"weak before strong": func(s *person.Scheme) { s.Kinds[1].Strength = person.Weak },
		"no strength":        func(s *person.Scheme) { s.Kinds[1].Strength = "" },
		"no normaliser":      func(s *person.Scheme) { s.Kinds[1].Form = "" },
		"no limit":           func(s *person.Scheme) { s.Kinds[1].Limit.N = 0 },
		"too many": func(s *person.Scheme) {
			for i := range 50 {
				s.Kinds = append(s.Kinds, person.Kind{Name: fmt.Sprintf("x%d", i), Strength: person.Weak, Form: person.Trimmed, Limit: person.Limit{N: 1}})
			}
		},
	} {
		s := person.DefaultScheme()
		spoil(&s)
		if s.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestExternalIDsKnowOtherNames(t *testing.T) {
	w := world(t)
	w.Deliver(with(track("m1", 0, "u1", ""), "ios.id", "D1", "undeclared", "X", "user_id", "u2"))
	p := w.Who("device_id", "D1")
	same(t, "owner", p.UserID(), "u1")
	same(t, "identifiers", len(p.Identifiers), 2)
	hashed := track("m2", 1, "", "a1")
	hashed.Context = json.RawMessage(`{"externalIds":[{"id":"abc","type":"email","encoding":"sha256"},{"id":"D1","type":"device_id","collection":"accounts"}],"device":"odd","page":7}`)
	w.Deliver(hashed)
	same(t, "identifiers of the other", len(w.Who("anonymous_id", "a1").Identifiers), 1)
}

func TestWhoIsNamedAnewIsFoundByThatAlone(t *testing.T) {
	w := world(t)
	found := func(text string) int {
		t.Helper()
		list, err := w.Service.Find(t.Context(), persontest.WS, person.Filter{Text: text}, page.Request{})
		same(t, "error", err, nil)
		return len(list.Items)
	}
	// Each trait that somebody is found by: set, changed beside one that nobody is found by, deleted.
	for i, key := range []string{"name", "first_name", "firstName", "last_name", "lastName", "email", "phone"} {
		user := "u" + key
		named := func(step int, value any) {
			w.Deliver(identify(fmt.Sprint(key, step), 10*i+step, user, "", map[string]any{key: value, "plan": step}))
		}
		values := [2]string{"Hanako" + key, "Yuriko" + key}
		if key == "phone" {
			values = [2]string{"+81 3 1111 2222", "+81 3 3333 4444"}
		}
		named(0, values[0])
		same(t, key, found(values[0]), 1)
		w.Deliver(identify(key+"-plan", 10*i+1, user, "", map[string]any{"plan": "another"}))
		same(t, key+" beside", found(values[0]), 1)
		named(2, values[1])
		same(t, key+" anew", fmt.Sprint(found(values[0]), found(values[1])), "0 1")
		named(3, nil)
		same(t, key+" deleted", found(values[1]), 0)
	}
}
