package person_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

// history draws events that share devices and contest addresses, within the limits per kind.
func history(t *rapid.T) []event.Event {
	n := rapid.IntRange(2, 22).Draw(t, "events")
	out := make([]event.Event, 0, n)
	some := func(label string, of int, odds int) int {
		if rapid.IntRange(0, 9).Draw(t, label+"?") >= odds {
			return -1
		}
		return rapid.IntRange(0, of-1).Draw(t, label)
	}
	span := rapid.SampledFrom([]int{20, 200, 60 * 24 * 60}).Draw(t, "span")
	for i := range n {
		e := event.Event{
			MessageID: fmt.Sprintf("m%02d", i), Type: event.Track, Name: "Order Completed",
			Time: at(rapid.IntRange(0, span).Draw(t, "minute")), Source: fmt.Sprintf("src_%d", i%3),
			Properties: persontest.Object(map[string]any{"total": float64(i) + 0.5, "currency": "EUR"}),
		}
		if u := some("user", 4, 5); u >= 0 {
			e.UserID = fmt.Sprintf("u%d", u)
		}
		if a := some("anon", 4, 7); a >= 0 {
			e.AnonymousID = fmt.Sprintf("a%d", a)
		}
		traits := map[string]any{}
		if m := some("mail", 3, 2); m >= 0 {
			traits["email"] = fmt.Sprintf("e%d@example.com", m)
		}
		if d := some("device", 2, 2); d >= 0 {
			e.Context = persontest.Object(map[string]any{"device": map[string]any{"id": fmt.Sprintf("d%d", d)}, "timezone": []any{"Asia/Tokyo", "Europe/Berlin", 7, "Mars/Base"}[i%4]})
		}
		if len(traits) > 0 || rapid.IntRange(0, 3).Draw(t, "identify") == 0 {
			traits[fmt.Sprintf("k%d", i%4)] = i
			if i%7 == 3 {
				traits["k1"] = nil
			}
			if by := some("increment", 3, 4); by >= 0 { // as journeys add, of which the person is known
				e.Origin = event.Internal
				more := map[string]any{}
				if e.Context != nil {
					_ = json.Unmarshal(e.Context, &more)
				}
				more["increment"] = map[string]any{"k2": float64(by) + 0.1, "sum": 1}
				e.Context = persontest.Object(more)
			}
			e.Type, e.Name, e.Properties = event.Identify, "", persontest.Object(traits)
		}
		if e.UserID != "" && rapid.IntRange(0, 11).Draw(t, "alias") == 0 {
			e.Type, e.Name, e.Properties = event.Alias, "", nil
			e.PreviousID = rapid.SampledFrom([]string{"a0", "a1", "u0", "a2"}).Draw(t, "previous")
		}
		if e.UserID == "" && e.AnonymousID == "" && traits["email"] == nil && !strings.Contains(string(e.Context), "device") {
			e.AnonymousID = "a0"
		}
		out = append(out, e)
	}
	return out
}

// portrait of a world that does not depend on the ids that chance gave.
func picture(t testing.TB, w *persontest.World) map[string]string {
	t.Helper()
	out := map[string]string{}
	names := map[uint64]string{} // person -> one of their events
	events := w.History.All(persontest.WS)
	for _, k := range events {
		if n := names[k.Person]; n == "" || k.MessageID < n {
			names[k.Person] = k.MessageID
		}
	}
	for _, k := range events {
		out["event "+k.MessageID] = names[k.Person]
	}
	var nums []uint64
	for num := range names {
		nums = append(nums, num)
	}
	people, err := w.Service.ByNums(t.Context(), persontest.WS, nums)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(people)) != w.Count() {
		t.Fatalf("%d people own events, but there are %d", len(people), w.Count())
	}
	for _, p := range people {
		var traits, ids []string
		for k, v := range p.Traits {
			traits = append(traits, fmt.Sprintf("%s=%v@%s/%d del=%v", k, v.Value, v.MessageID, v.Time.Unix(), v.Deleted))
		}
		for _, id := range p.Identifiers {
			found(t, w, id.Value, p.ID)
			ids = append(ids, fmt.Sprintf("%s:%s %s %d..%d since %d", id.Kind, id.Value, id.Status, id.FirstSeen.Unix(), id.LastSeen.Unix(), id.Since.Unix()))
		}
		slices.Sort(traits)
		slices.Sort(ids)
		out["person "+names[p.Num]] = fmt.Sprintf("%s %d..%d\n%s\n%s\n%v\n%v\n%s", p.Status, p.FirstSeen.Unix(), p.LastSeen.Unix(),
			strings.Join(traits, "\n"), strings.Join(ids, "\n"), p.Counters, p.First, p.LearntZone)
	}
	return out
}

// found checks that a search for an identifier finds its owner, and only people who have something like it.
func found(t testing.TB, w *persontest.World, value, owner string) {
	t.Helper()
	list, err := w.Service.Find(t.Context(), persontest.WS, person.Filter{Text: value}, page.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(list.Items, func(p person.Person) bool { return p.ID == owner }) {
		t.Fatalf("a search for %s does not find %s", value, owner)
	}
	for _, p := range list.Items {
		has := strings.Contains(p.Email(), value)
		for _, id := range p.Identifiers {
			has = has || strings.Contains(id.Value, value)
		}
		if !has {
			t.Fatalf("a search for %s finds %s, who has nothing like it", value, p.ID)
		}
	}
}

// TestEdge23_AnyOrderGivesTheSamePeople is the definition of identity as a property: whatever the order of arrival, the
// cuts between batches, crashes and duplicates, the outcome is that of handling the events one by one in the order of time.
func TestEdge23_AnyOrderGivesTheSamePeople(t *testing.T) { anyOrder(t) }

// TestAnyOrderGivesTheSamePeopleWhateverBinds is the same where addresses or devices only bind.
func TestAnyOrderGivesTheSamePeopleWhateverBinds(t *testing.T) {
	for _, kinds := range [][]string{{person.KindEmail}, {person.KindDevice}, {person.KindEmail, person.KindAnonymous}} {
		t.Run(strings.Join(kinds, "+"), func(t *testing.T) {
			anyOrder(t, func(c *person.Config) { c.Scheme = binding(kinds...) })
		})
	}
}

func anyOrder(t *testing.T, change ...func(*person.Config)) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	rapid.Check(t, func(rt *rapid.T) {
		events := history(rt)
		inOrder := slices.Clone(events)
		slices.SortFunc(inOrder, func(a, b event.Event) int {
			return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.MessageID, b.MessageID))
		})
		clean(t, db)
		w := worldOn(t, db, change...)
		for _, e := range inOrder {
			w.Keep(w.Record(e))
		}
		if a, err := w.Service.RunTasks(t.Context()); err != nil || len(a.Receipts) > 0 {
			rt.Fatalf("events in order left tasks (%v)", err)
		}
		want := picture(t, w)

		clean(t, db)
		w = worldOn(t, db, change...)
		order := rapid.Permutation(events).Draw(rt, "order")
		for len(order) > 0 {
			cut := rapid.IntRange(1, min(len(order), 4)).Draw(rt, "cut")
			r := w.Record(order[:cut]...)
			if rapid.IntRange(0, 5).Draw(rt, "crash") == 0 { // between people and event store
				if _, err := w.Service.Apply(t.Context(), []person.LogRecord{r}); err != nil {
					rt.Fatal(err)
				}
			}
			w.Keep(r)
			order = order[cut:]
			if rapid.IntRange(0, 5).Draw(rt, "duplicate") == 0 {
				w.Keep(w.Record(events[rapid.IntRange(0, len(events)-1).Draw(rt, "again")]))
			}
			if rapid.IntRange(0, 5).Draw(rt, "crash in a task") == 0 {
				if _, err := w.Service.RunTasks(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}
			if rapid.IntRange(0, 3).Draw(rt, "settle") == 0 {
				w.Settle()
			}
		}
		w.Settle()
		if diff := gocmp.Diff(want, picture(t, w)); diff != "" {
			rt.Fatalf("another order gives other people (-in order +as delivered):\n%s", diff)
		}
	})
}

// TestReplayChangesNothingInOrder holds the two ways to the same outcome against each other: a component that was handled in
// order and is then worked out again stays as it is.
func TestReplayChangesNothingInOrder(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	rapid.Check(t, func(rt *rapid.T) {
		events := history(rt)
		slices.SortFunc(events, func(a, b event.Event) int {
			return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.MessageID, b.MessageID))
		})
		clean(t, db)
		w := worldOn(t, db)
		for _, e := range events {
			w.Keep(w.Record(e))
		}
		want := picture(t, w)
		for _, k := range w.History.All(persontest.WS) {
			if err := w.Store.AddTask(t.Context(), person.Task{
				Workspace: persontest.WS, ID: "tsk_" + k.MessageID, Seeds: fmt.Sprintf(`[{"kind":%q,"value":%q}]`, k.Identifiers[0].Kind, k.Identifiers[0].Value),
			}); err != nil {
				rt.Fatal(err)
			}
		}
		a, err := w.Service.RunTasks(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		if len(a.Moves)+len(a.Redirects) > 0 {
			rt.Fatalf("moves %v, redirects %v", a.Moves, a.Redirects)
		}
		w.History.Store(a, 0)
		if diff := gocmp.Diff(want, picture(t, w)); diff != "" {
			rt.Fatalf("working it out again changed something:\n%s", diff)
		}
	})
}

// What one of two people took from the other before an alias made them one is known of an event that arrives after the alias, too.
func TestEdge16_AnEventOfBeforeTheAliasArrivesAfterIt(t *testing.T) {
	db := sqldbtest.Open(t, engine)
	joined := alias("m5", 10, "u1", "u2")
	joined.Origin = event.Server
	events := []event.Event{
		track("m1", 0, "u1", "a"), track("m2", 1, "u1", "a"), track("m3", 2, "u2", "b"), track("m4", 5, "u2", "a"), joined,
	}
	var pictures []map[string]string
	for _, order := range [][]int{{0, 1, 2, 3, 4}, {0, 1, 2, 4, 3}} {
		clean(t, db)
		w := worldOn(t, db, func(c *person.Config) {
			c.AliasIdentified = func(context.Context, string) (bool, error) { return true, nil }
		})
		for _, i := range order {
			w.Deliver(events[i])
		}
		w.Settle()
		one(t, w, 1)
		pictures = append(pictures, picture(t, w))
	}
	if diff := gocmp.Diff(pictures[0], pictures[1]); diff != "" {
		t.Fatalf("the order of arrival matters (-in order +late):\n%s", diff)
	}
}

// clean empties the tables, which is quicker than a new database.
func clean(t testing.TB, db *sqldb.DB) {
	t.Helper()
	for _, table := range []string{
		"person", "person_sought", "person_counter", "person_identifier", "event_seen", "person_decision", "person_task", "person_effect", "log_position",
		"person_apart", "person_apart_identifier", "person_hashing", "person_spelling", "person_suggestion", "person_likeness", "person_look", "identity_scheme",
	} {
		if _, err := db.Exec(t.Context(), "DELETE FROM "+table); err != nil {
			t.Fatal(err)
		}
	}
}
