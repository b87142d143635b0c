package eventtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store is a store that can be closed.
type Store interface {
	event.Store
	Close() error
}

// Open opens the store kept in the folder, making it if the folder is empty. Opened again after Close, it holds what it held.
type Open func(t *testing.T, dir string) Store

// Run checks a driver against the contract of event.Store.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		body func(*testing.T, Store)
	}{
		{"position starts at zero and follows the batches", position},
		{"a repeated batch changes nothing", repeated},
		{"an event comes back as it was appended", roundTrip},
		{"a timeline is newest first and its pages are stable", timeline},
		{"a timeline shows the wanted types", timelineTypes},
		{"arrivals are in the order of the log", arrivals},
		{"histories are in the order of Less and of the wanted names", histories},
		{"a batch that is repeated longer adds what is new", recut},
		{"who is seen again stays the same", sighted},
		{"merged people are one", merges},
		{"events of a merged person that come later are the winner's", lateLoser},
		{"moved events change hands once", moves},
		{"a batch without a position is applied and leaves it as it is", withoutPosition},
		{"workspaces do not see each other", workspaces},
		{"promoted columns hold the right type or NULL", promoted},
		{"odd JSON is kept readable", oddJSON},
		{"mirrored people are replaced and removed", people},
		{"select returns every number and honours its arguments", selects},
		{"query returns plain types", query},
		{"stats count behaviour only", stats},
		{"names are the most frequent first", names},
		{"fields and values are those of the people or the events, the most frequent first", fields},
		{"a profile counts what the people of a set have in common", profile},
		{"a flow is what counting by hand gives, and who is behind each figure", flow},
		{"a flow keeps to merges, the period and the people asked for", flowBounds},
		{"linked finds events by identifier", linked},
		{"reads see whole batches while a writer appends", concurrent},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, t.TempDir())
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			c.body(t, s)
		})
	}
	t.Run("everything is there after closing and opening again", func(t *testing.T) { reopen(t, open) })
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Kept makes a track event of workspace ws_1 for tests: at is minutes after a fixed moment, seq its place in the log.
func Kept(person uint64, name string, at int, seq uint64) event.Kept {
	return event.Kept{
		Event: event.Event{
			Workspace: "ws_1", MessageID: fmt.Sprintf("m%d", seq), Type: event.Track, Name: name, Origin: event.Server,
			Time: epoch.Add(time.Duration(at) * time.Minute), Received: epoch,
			Properties: json.RawMessage(`{}`), Context: json.RawMessage(`{}`),
		},
		Person: person, Position: event.Position{Seq: seq},
	}
}

func appendBatch(t *testing.T, s event.Store, b event.Batch) {
	t.Helper()
	if err := s.Append(t.Context(), b); err != nil {
		t.Fatalf("Append through %d: %v", b.Through, err)
	}
}

func history(t *testing.T, s event.Store, ws string, person uint64) []string {
	t.Helper()
	h, err := s.Histories(t.Context(), ws, []uint64{person}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ids(h[person])
}

func ids(events []event.Kept) []string {
	var out []string
	for _, k := range events {
		out = append(out, k.MessageID)
	}
	return out
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func set(t *testing.T, s event.Store, sql string, args ...any) []uint64 {
	t.Helper()
	b, err := s.Select(t.Context(), "ws_1", sql, args)
	if err != nil {
		t.Fatalf("Select: %v", err)
	}
	return b.ToArray()
}

func position(t *testing.T, s Store) {
	check := func(want uint64) {
		t.Helper()
		if got, err := s.Position(t.Context()); err != nil || got != want {
			t.Fatalf("position %d, %v; want %d", got, err, want)
		}
	}
	check(0)
	appendBatch(t, s, event.Batch{Through: 3})
	check(3)
	appendBatch(t, s, event.Batch{Events: []event.Kept{Kept(1, "A", 0, 4)}, Through: 9})
	check(9)
}

func repeated(t *testing.T, s Store) {
	b := event.Batch{
		Events:    []event.Kept{Kept(1, "A", 0, 1), Kept(2, "A", 1, 2)},
		Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 2, Winner: 1}},
		People:    []event.Mirror{mirror(1, `{"n":1}`)},
		Through:   2,
	}
	appendBatch(t, s, b)
	appendBatch(t, s, b)
	b.Through = 1
	appendBatch(t, s, b)
	same(t, "history", history(t, s, "ws_1", 1), []string{"m1", "m2"})
	st, err := s.Stats(t.Context(), "ws_1")
	if err != nil || st.Events != 2 || st.People != 1 {
		t.Fatalf("stats %+v, %v; want 2 events of 1 person", st, err)
	}
}

// sighted: who was seen again is the same person, seen later; of others nothing is made.
func sighted(t *testing.T, s Store) {
	appendBatch(t, s, event.Batch{People: []event.Mirror{mirror(1, `{"n":1}`), mirror(2, `{"n":2}`)}, Through: 1})
	later := mirror(1, `{"n":1}`)
	later.LastSeen = later.LastSeen.Add(time.Hour)
	appendBatch(t, s, event.Batch{Seen: []event.Sighting{{Workspace: "ws_1", Num: 1, LastSeen: later.LastSeen}, {Workspace: "ws_1", Num: 9, LastSeen: later.LastSeen}}, Through: 2})
	got, err := s.People(t.Context(), "ws_1", []uint64{1, 2, 9})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b event.Mirror) int { return int(a.Num) - int(b.Num) })
	same(t, "people", got, []event.Mirror{later, mirror(2, `{"n":2}`)})
}

func recut(t *testing.T, s Store) {
	a, b, c := Kept(1, "A", 0, 1), Kept(1, "B", 1, 2), Kept(1, "C", 2, 3)
	appendBatch(t, s, event.Batch{Events: []event.Kept{a, b}, Through: 2})
	again := []event.Kept{a, b, c}
	appendBatch(t, s, event.Batch{Events: again, People: []event.Mirror{mirror(1, `{}`)}, Through: 3})
	same(t, "events", history(t, s, "ws_1", 1), []string{"m1", "m2", "m3"})
	same(t, "people", set(t, s, "SELECT num FROM person"), []uint64{1})
	same(t, "the caller's events", ids(again), []string{"m1", "m2", "m3"})
}

func roundTrip(t *testing.T, s Store) {
	k := event.Kept{
		Event: event.Event{
			Workspace: "ws_1", MessageID: "m-1", Type: event.Alias, Name: "買い物 🛒", UserID: "u1", AnonymousID: "a1", PreviousID: "p1",
			GroupID: "g1", PersonID: "per_1", Time: epoch.Add(123456 * time.Microsecond), Original: epoch.Add(time.Second), Sent: epoch.Add(2 * time.Second),
			Received: epoch.Add(3 * time.Second), Source: "src_1", Origin: event.Browser,
			Properties: json.RawMessage(`{"a":[1,{"b":"ü"}]}`), Context: json.RawMessage(`{"ip":"::1"}`), Flags: []string{"clock_future", "x"},
		},
		Person:      1 << 40,
		Identifiers: []event.Identifier{{Kind: "email", Value: "a:b@c.example"}, {Kind: "anonymous_id", Value: ""}},
		Position:    event.Position{Seq: 1 << 50, Index: 7},
	}
	bare := Kept(1<<40, "", 1, 2)
	bare.Properties, bare.Context = nil, nil
	appendBatch(t, s, event.Batch{Events: []event.Kept{k, bare}, Through: 1})
	bare.Properties, bare.Context = json.RawMessage(`{}`), json.RawMessage(`{}`)
	h, err := s.Histories(t.Context(), "ws_1", []uint64{1 << 40}, nil)
	if err != nil {
		t.Fatal(err)
	}
	brief := k
	brief.PreviousID, brief.GroupID, brief.PersonID, brief.Original, brief.Sent, brief.Flags, brief.Identifiers = "", "", "", time.Time{}, time.Time{}, nil, nil
	same(t, "history", h[1<<40], []event.Kept{brief, bare})
	found, err := s.Linked(t.Context(), "ws_1", k.Identifiers[:1], 10)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "linked", found, []event.Kept{k})
	p, err := s.Timeline(t.Context(), "ws_1", 1<<40, nil, page.Request{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "timeline", p.Items, []event.Kept{bare, k})
}

func timeline(t *testing.T, s Store) {
	// Nine events at three moments, appended out of order: ties are broken by position.
	var events []event.Kept
	for i := range 9 {
		k := Kept(1, "A", i/3, uint64(9-i))
		k.Position.Index = i
		events = append(events, k)
	}
	same1 := Kept(1, "A", 0, 5)
	same1.MessageID, same1.Position.Index = "m5b", 99 // the same record as another event
	events = append(events, same1, Kept(2, "A", 1, 50))
	appendBatch(t, s, event.Batch{Events: events, Through: 50})
	want := slices.Clone(events[:10])
	slices.SortFunc(want, func(a, b event.Kept) int {
		if event.Less(a, b) {
			return 1
		}
		return -1
	})
	var got []string
	r := page.Request{Limit: 3}
	for n := 0; ; n++ {
		p, err := s.Timeline(t.Context(), "ws_1", 1, nil, r)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Items) > 3 {
			t.Fatalf("a page of %d, asked for 3", len(p.Items))
		}
		got = append(got, ids(p.Items)...)
		if p.Next == "" {
			break
		}
		r.Cursor = p.Next
		// New events do not disturb the pages that follow.
		appendBatch(t, s, event.Batch{Events: []event.Kept{Kept(1, "A", 100+n, uint64(100+n))}, Through: uint64(100 + n)})
	}
	same(t, "pages", got, ids(want))

	p, err := s.Timeline(t.Context(), "ws_1", 77, nil, page.Request{})
	if err != nil || len(p.Items) != 0 || p.Next != "" {
		t.Errorf("unknown person: %+v, %v; want an empty page", p, err)
	}
	if _, err := s.Timeline(t.Context(), "ws_1", 1, nil, page.Request{Cursor: "!"}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("bad cursor: %v; want invalid", err)
	}
}

func timelineTypes(t *testing.T, s Store) {
	a, b, c := Kept(1, "A", 0, 1), Kept(1, "B", 1, 2), Kept(1, "C", 2, 3)
	b.Type, c.Type = event.Page, event.Message
	appendBatch(t, s, event.Batch{Events: []event.Kept{a, b, c}, Through: 3})
	p, err := s.Timeline(t.Context(), "ws_1", 1, []event.Type{event.Message, event.Track}, page.Request{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "timeline", ids(p.Items), []string{"m3", "m1"})
}

func arrivals(t *testing.T, s Store) {
	// What happened first came last; two came in one record, and one belongs to another workspace.
	late, page1, page2, other := Kept(1, "A", 0, 9), Kept(1, "Home", 5, 7), Kept(2, "Home", 4, 7), Kept(3, "A", 6, 8)
	page1.Type, page2.Type, page2.Position.Index, page2.MessageID, page2.Source = event.Page, event.Page, 1, "m7b", "src_2"
	other.Workspace = "ws_2"
	first := Kept(2, "A", 9, 3)
	appendBatch(t, s, event.Batch{Events: []event.Kept{first, page1, page2, other, late}, Through: 9})
	all := func(f event.ArrivalFilter) (got []string) {
		r := page.Request{Limit: 2}
		for {
			p, err := s.Arrivals(t.Context(), "ws_1", f, r)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, ids(p.Items)...)
			if r.Cursor = p.Next; r.Cursor == "" {
				return got
			}
		}
	}
	same(t, "all", all(event.ArrivalFilter{}), []string{"m9", "m7b", "m7", "m3"})
	same(t, "of a type", all(event.ArrivalFilter{Type: event.Page}), []string{"m7b", "m7"})
	same(t, "of a source", all(event.ArrivalFilter{Source: "src_2"}), []string{"m7b"})
	same(t, "of a name", all(event.ArrivalFilter{Name: "A"}), []string{"m9", "m3"})
	same(t, "the one", all(event.ArrivalFilter{MessageID: "m7"}), []string{"m7"})
	same(t, "of a time", all(event.ArrivalFilter{From: page2.Time, To: first.Time}), []string{"m7b", "m7"})
	if got := all(event.ArrivalFilter{MessageID: "m8"}); len(got) > 0 {
		t.Errorf("an event of another workspace: %v", got)
	}
	if _, err := s.Arrivals(t.Context(), "ws_1", event.ArrivalFilter{}, page.Request{Cursor: "!"}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("bad cursor: %v; want invalid", err)
	}
}

func histories(t *testing.T, s Store) {
	home, screen := Kept(1, "Home", 2, 5), Kept(1, "", 3, 6)
	home.Type, screen.Type = event.Page, event.Screen
	events := []event.Kept{Kept(1, "B", 1, 4), Kept(1, "A", 1, 3), Kept(1, "A", 0, 9), home, screen, Kept(2, "A", 0, 7), Kept(3, "C", 0, 8)}
	appendBatch(t, s, event.Batch{Events: events, Through: 9})
	for _, c := range []struct {
		names []string
		want  map[uint64][]string
	}{
		{nil, map[uint64][]string{1: {"m9", "m3", "m4", "m5", "m6"}, 2: {"m7"}}},
		{[]string{"A"}, map[uint64][]string{1: {"m9", "m3"}, 2: {"m7"}}},
		{[]string{"page"}, map[uint64][]string{1: {"m5"}}},
		{[]string{"screen", "B"}, map[uint64][]string{1: {"m4", "m6"}}},
		{[]string{"Home"}, map[uint64][]string{1: {"m5"}}},
		{[]string{}, map[uint64][]string{}},
	} {
		h, err := s.Histories(t.Context(), "ws_1", []uint64{1, 2, 1, 404}, c.names)
		if err != nil {
			t.Fatal(err)
		}
		got := map[uint64][]string{}
		for p, events := range h {
			if len(events) > 0 {
				got[p] = ids(events)
			}
		}
		same(t, fmt.Sprintf("names %q", c.names), got, c.want)
	}
	// The moment itself is no longer too old, and no name or many change nothing of that.
	for _, c := range []struct {
		names []string
		since int
		want  []string
	}{
		{nil, 1, []string{"m3", "m4", "m5", "m6"}},
		{[]string{"A"}, 1, []string{"m3"}},
		{[]string{"A", "B", "page", "C"}, 1, []string{"m3", "m4", "m5"}},
		{nil, 2, []string{"m5", "m6"}},
		{nil, 4, nil},
	} {
		h, err := s.Recent(t.Context(), "ws_1", []uint64{1, 2}, c.names, Kept(1, "A", c.since, 1).Time)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("names %q from %d on", c.names, c.since), ids(h[1]), c.want)
		if len(h[2]) > 0 {
			t.Errorf("names %q from %d on: %v of somebody who has done nothing since", c.names, c.since, ids(h[2]))
		}
	}
	if h, err := s.Histories(t.Context(), "ws_1", nil, nil); err != nil || len(h) != 0 {
		t.Errorf("nobody: %v, %v; want nothing", h, err)
	}

	// Thousands of people in one call.
	var many []event.Kept
	var nums []uint64
	for i := range 5000 {
		n := uint64(1000 + i)
		nums = append(nums, n)
		many = append(many, Kept(n, "A", i, uint64(10_000+i)), Kept(n, "B", i, uint64(20_000+i)))
	}
	appendBatch(t, s, event.Batch{Events: many, Through: 100_000})
	h, err := s.Histories(t.Context(), "ws_1", nums[:3000], []string{"A"})
	if err != nil || len(h) != 3000 {
		t.Fatalf("%d histories, %v; want 3000", len(h), err)
	}
	same(t, "one of many", ids(h[1234]), []string{"m10234"})
}

func merges(t *testing.T, s Store) {
	var events []event.Kept
	for p := uint64(1); p <= 5; p++ {
		events = append(events, Kept(p, "A", int(p), p))
	}
	merge := func(loser, winner uint64) []event.Redirect {
		return []event.Redirect{{Workspace: "ws_1", Loser: loser, Winner: winner}}
	}
	appendBatch(t, s, event.Batch{Events: events, Through: 1})
	appendBatch(t, s, event.Batch{Redirects: merge(1, 2), Through: 2})
	same(t, "winner", history(t, s, "ws_1", 2), []string{"m1", "m2"})
	same(t, "loser", history(t, s, "ws_1", 1), []string(nil))
	appendBatch(t, s, event.Batch{Redirects: merge(2, 3), Through: 3}) // a chain: 1 -> 2 -> 3
	appendBatch(t, s, event.Batch{Redirects: merge(1, 2), Through: 4}) // again
	appendBatch(t, s, event.Batch{Redirects: append(merge(4, 1), merge(3, 1)...), Through: 5})
	same(t, "end of the chain", history(t, s, "ws_1", 3), []string{"m1", "m2", "m3", "m4"})
	p, err := s.Timeline(t.Context(), "ws_1", 3, nil, page.Request{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "timeline", ids(p.Items), []string{"m4", "m3", "m2", "m1"})
	if p, err = s.Timeline(t.Context(), "ws_1", 2, nil, page.Request{}); err != nil || len(p.Items) != 0 {
		t.Errorf("timeline of a merged person: %v, %v; want nothing", ids(p.Items), err)
	}
	for _, k := range p.Items {
		if k.Person != 3 {
			t.Errorf("%s names person %d, want 3", k.MessageID, k.Person)
		}
	}
	same(t, "the event table", set(t, s, `SELECT person FROM event WHERE ws = ? GROUP BY person HAVING count(*) = 4`, "ws_1"), []uint64{3})
	same(t, "people with events", set(t, s, `SELECT DISTINCT person FROM event WHERE ws = ?`, "ws_1"), []uint64{3, 5})
	linked, err := s.Linked(t.Context(), "ws_1", []event.Identifier{{Kind: "x", Value: "y"}}, 5)
	if err != nil || len(linked) != 0 {
		t.Errorf("linked: %v, %v; want nothing", linked, err)
	}
}

func lateLoser(t *testing.T, s Store) {
	appendBatch(t, s, event.Batch{
		Events:    []event.Kept{Kept(1, "A", 0, 1)},
		Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 1, Winner: 2}, {Workspace: "ws_1", Loser: 2, Winner: 3}}, Through: 1,
	})
	appendBatch(t, s, event.Batch{
		Events: []event.Kept{Kept(1, "A", 1, 2), Kept(2, "A", 2, 3)},
		Moves:  []event.Move{{Workspace: "ws_1", MessageID: "m1", To: 1}}, Through: 3,
	})
	same(t, "history", history(t, s, "ws_1", 3), []string{"m1", "m2", "m3"})
	same(t, "the event table", set(t, s, `SELECT person FROM event`), []uint64{3})
	// Still so when the winner is merged away in turn.
	appendBatch(t, s, event.Batch{Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 3, Winner: 4}}, Through: 4})
	appendBatch(t, s, event.Batch{Events: []event.Kept{Kept(1, "A", 3, 5)}, Through: 5})
	same(t, "history", history(t, s, "ws_1", 4), []string{"m1", "m2", "m3", "m5"})
}

func moves(t *testing.T, s Store) {
	appendBatch(t, s, event.Batch{Events: []event.Kept{Kept(1, "A", 0, 1), Kept(1, "A", 1, 2)}, Through: 2})
	other := Kept(1, "A", 0, 3)
	other.Workspace, other.MessageID = "ws_2", "m1"
	b := event.Batch{
		Events: []event.Kept{Kept(1, "A", 2, 3), other},
		Moves: []event.Move{
			{Workspace: "ws_1", MessageID: "m1", To: 8},
			{Workspace: "ws_1", MessageID: "m1", To: 9}, // the last one counts
			{Workspace: "ws_1", MessageID: "m3", To: 9}, // of the same batch
			{Workspace: "ws_1", MessageID: "unknown", To: 9},
		}, Through: 3,
	}
	appendBatch(t, s, b)
	same(t, "giver", history(t, s, "ws_1", 1), []string{"m2"})
	same(t, "taker", history(t, s, "ws_1", 9), []string{"m1", "m3"})
	same(t, "other workspace", history(t, s, "ws_2", 1), []string{"m1"})
	appendBatch(t, s, event.Batch{Moves: b.Moves, Through: 4})
	same(t, "taker after the same moves", history(t, s, "ws_1", 9), []string{"m1", "m3"})
	appendBatch(t, s, event.Batch{
		Moves:     []event.Move{{Workspace: "ws_1", MessageID: "m2", To: 9}},
		Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 9, Winner: 10}}, Through: 5,
	})
	same(t, "moved, then merged", history(t, s, "ws_1", 10), []string{"m1", "m2", "m3"})
}

func withoutPosition(t *testing.T, s Store) {
	appendBatch(t, s, event.Batch{Events: []event.Kept{Kept(1, "A", 0, 1), Kept(1, "A", 1, 2)}, People: []event.Mirror{mirror(1, `{}`)}, Through: 2})
	b := event.Batch{
		Moves:  []event.Move{{Workspace: "ws_1", MessageID: "m2", To: 3}},
		People: []event.Mirror{mirror(3, `{"late":true}`)},
	}
	for range 2 { // again after a crash
		appendBatch(t, s, b)
		same(t, "taker", history(t, s, "ws_1", 3), []string{"m2"})
		same(t, "who is late", set(t, s, `SELECT num FROM person WHERE ws = ? AND traits LIKE '%late%'`, "ws_1"), []uint64{3})
		if at, err := s.Position(t.Context()); err != nil || at != 2 {
			t.Errorf("position %d, %v, want 2", at, err)
		}
	}
	appendBatch(t, s, event.Batch{Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 3, Winner: 1}}, Gone: []event.RemovedPerson{{Workspace: "ws_1", Num: 3}}})
	same(t, "winner", history(t, s, "ws_1", 1), []string{"m1", "m2"})
	if err := s.Append(t.Context(), event.Batch{Events: []event.Kept{Kept(1, "A", 0, 9)}}); err == nil {
		t.Error("events without a position were taken")
	}
}

func workspaces(t *testing.T, s Store) {
	a, b := Kept(1, "A", 0, 1), Kept(1, "B", 0, 2)
	b.Workspace = "ws_2"
	b.Identifiers = []event.Identifier{{Kind: "email", Value: "x"}}
	other := mirror(1, `{}`)
	other.Workspace, other.ID = "ws_2", "per_other"
	appendBatch(t, s, event.Batch{
		Events: []event.Kept{a, b}, People: []event.Mirror{mirror(1, `{}`), mirror(2, `{}`), other},
		Redirects: []event.Redirect{{Workspace: "ws_2", Loser: 1, Winner: 5}},
		Gone:      []event.RemovedPerson{{Workspace: "ws_2", Num: 2}}, Through: 2,
	})
	same(t, "ws_1", history(t, s, "ws_1", 1), []string{"m1"})
	same(t, "ws_2, merged", history(t, s, "ws_2", 5), []string{"m2"})
	everyone, err := s.Everyone(t.Context(), "ws_1")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "everyone", everyone.ToArray(), []uint64{1, 2})
	people, err := s.People(t.Context(), "ws_2", []uint64{1, 2})
	if err != nil || len(people) != 1 || people[0].ID != "per_other" {
		t.Errorf("people of ws_2: %+v, %v; want per_other", people, err)
	}
	st, err := s.Stats(t.Context(), "ws_2")
	if err != nil || st.People != 1 || st.Events != 1 {
		t.Errorf("stats of ws_2: %+v, %v; want one of each", st, err)
	}
	n, err := s.Names(t.Context(), "ws_1", 10)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "names", n, []event.NameCount{{Type: event.Track, Name: "A", Count: 1}})
	if l, err := s.Linked(t.Context(), "ws_1", b.Identifiers, 10); err != nil || len(l) != 0 {
		t.Errorf("linked in ws_1: %v, %v; want nothing", l, err)
	}
	p, err := s.Timeline(t.Context(), "ws_3", 1, nil, page.Request{})
	if err != nil || len(p.Items) != 0 {
		t.Errorf("timeline of ws_3: %v, %v; want nothing", p.Items, err)
	}
}

func mirror(num uint64, traits string) event.Mirror {
	return event.Mirror{
		Workspace: "ws_1", Num: num, ID: fmt.Sprintf("per_%d", num), Traits: json.RawMessage(traits), Channels: json.RawMessage(`{}`),
		FirstSeen: epoch, LastSeen: epoch.Add(time.Hour),
	}
}

func people(t *testing.T, s Store) {
	appendBatch(t, s, event.Batch{People: []event.Mirror{mirror(1, `{"v":1}`), mirror(2, `{"v":1}`), mirror(1, `{"v":2}`)}, Through: 1})
	appendBatch(t, s, event.Batch{People: []event.Mirror{mirror(2, `{"v":3}`), mirror(3, `{}`)}, Gone: []event.RemovedPerson{{Workspace: "ws_1", Num: 3}}, Through: 2})
	got, err := s.People(t.Context(), "ws_1", []uint64{3, 2, 1, 404})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "people", got, []event.Mirror{mirror(1, `{"v":2}`), mirror(2, `{"v":3}`)})
	appendBatch(t, s, event.Batch{Gone: []event.RemovedPerson{{Workspace: "ws_1", Num: 1}}, Through: 3})
	everyone, err := s.Everyone(t.Context(), "ws_1")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "everyone", everyone.ToArray(), []uint64{2})
	same(t, "the person table", set(t, s, `SELECT num FROM person WHERE ws = ? AND id = ? AND first_seen = ? AND last_seen = ?`,
		"ws_1", "per_2", epoch.UnixMicro(), epoch.Add(time.Hour).UnixMicro()), []uint64{2})
}

func selects(t *testing.T, s Store) {
	want := roaring64.New()
	var events []event.Kept
	for i := range 2000 {
		n := uint64(i * 3)
		if i%100 == 0 {
			n = uint64(i) << 30
		}
		want.Add(n)
		events = append(events, Kept(n, "A", i, uint64(i+1)))
	}
	events = append(events, Kept(5, "it's ? \"quoted\"", 0, 9000))
	appendBatch(t, s, event.Batch{Events: events, Through: 9000})
	b, err := s.Select(t.Context(), "ws_1", `SELECT person FROM event WHERE ws = ? AND name = ?`, []any{"ws_1", "A"})
	if err != nil {
		t.Fatal(err)
	}
	if !b.Equals(want) {
		t.Errorf("%d people, want %d", b.GetCardinality(), want.GetCardinality())
	}
	same(t, "text arguments are not read as SQL", set(t, s, `SELECT person FROM event WHERE name = ?`, `it's ? "quoted"`), []uint64{5})
	same(t, "nobody", set(t, s, `SELECT person FROM event WHERE name = ?`, `' OR 1=1 --`), []uint64{})
	if _, err := s.Select(t.Context(), "ws_1", `SELECT nothing FROM nowhere`, nil); err == nil {
		t.Error("a wrong query was answered")
	}
}

func query(t *testing.T, s Store) {
	k := Kept(1, "A", 0, 1)
	k.Properties = json.RawMessage(`{"total":2.5}`)
	appendBatch(t, s, event.Batch{Events: []event.Kept{k, Kept(2, "B", 1, 2)}, Through: 2})
	got, err := s.Query(t.Context(), `SELECT name, person, time, total, count(*), sum(idx), true, nullif(1, 1) FROM event WHERE ws = ? GROUP BY name, person, time, total ORDER BY name`, []any{"ws_1"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "rows", got, [][]any{
		{"A", uint64(1), epoch.UnixMicro(), 2.5, int64(1), int64(0), true, nil},
		{"B", uint64(2), epoch.Add(time.Minute).UnixMicro(), nil, int64(1), int64(0), true, nil},
	})
}

func stats(t *testing.T, s Store) {
	st, err := s.Stats(t.Context(), "ws_1")
	if err != nil || st.People != 0 || st.Events != 0 || !st.LastTime.IsZero() {
		t.Fatalf("stats of nothing: %+v, %v", st, err)
	}
	var events []event.Kept
	for i, typ := range []event.Type{event.Track, event.Page, event.Screen, event.Identify, event.Group, event.Alias, event.Message, event.Segment, event.Track} {
		k := Kept(uint64(i%2), "A", i, uint64(i+1))
		k.Type = typ
		if typ == event.Segment {
			k.Time = epoch.Add(time.Hour * 1000)
		}
		events = append(events, k)
	}
	appendBatch(t, s, event.Batch{Events: events, People: []event.Mirror{mirror(0, `{}`), mirror(1, `{}`), mirror(2, `{}`)}, Through: 9})
	if st, err = s.Stats(t.Context(), "ws_1"); err != nil {
		t.Fatal(err)
	}
	same(t, "stats", st, event.Stats{People: 3, Events: 4, LastTime: epoch.Add(8 * time.Minute), ByType: map[event.Type]int64{
		event.Track: 2, event.Page: 1, event.Screen: 1, event.Identify: 1, event.Group: 1, event.Alias: 1, event.Message: 1, event.Segment: 1,
	}})
}

func names(t *testing.T, s Store) {
	var events []event.Kept
	for i, n := range []string{"A", "B", "B", "", "", "", "C", "Hidden"} {
		k := Kept(1, n, i, uint64(i+1))
		switch n {
		case "":
			k.Type = event.Page
		case "Hidden":
			k.Type = event.Message
		}
		events = append(events, k)
	}
	appendBatch(t, s, event.Batch{Events: events, Through: 8})
	got, err := s.Names(t.Context(), "ws_1", 3)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "names", got, []event.NameCount{{Type: event.Page, Count: 3}, {Type: event.Track, Name: "B", Count: 2}, {Type: event.Track, Name: "A", Count: 1}})
}

func linked(t *testing.T, s Store) {
	email, phone := event.Identifier{Kind: "email", Value: "a,b'c@x.example"}, event.Identifier{Kind: "phone", Value: "+81"}
	a, b, c := Kept(1, "A", 5, 1), Kept(2, "A", 2, 2), Kept(3, "A", 3, 3)
	a.Identifiers, b.Identifiers, c.Identifiers = []event.Identifier{phone, email}, []event.Identifier{phone}, []event.Identifier{{Kind: "email", Value: "other"}}
	appendBatch(t, s, event.Batch{Events: []event.Kept{a, b, c}, Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 2, Winner: 1}}, Through: 3})
	for _, q := range []struct {
		ids   []event.Identifier
		limit int
		want  []string
	}{
		{[]event.Identifier{email}, 10, []string{"m1"}},
		{[]event.Identifier{email, phone}, 10, []string{"m2", "m1"}},
		{[]event.Identifier{email, phone}, 1, []string{"m2"}},
		{[]event.Identifier{{Kind: "phone", Value: "a,b'c@x.example"}}, 10, nil},
		{nil, 10, nil},
	} {
		got, err := s.Linked(t.Context(), "ws_1", q.ids, q.limit)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprint(q.ids), ids(got), q.want)
		for _, k := range got {
			if k.Person != 1 {
				t.Errorf("%s names person %d, want 1 after the merge", k.MessageID, k.Person)
			}
		}
	}
}

func reopen(t *testing.T, open Open) {
	dir := t.TempDir()
	s := open(t, dir)
	appendBatch(t, s, event.Batch{
		Events: []event.Kept{Kept(1, "A", 0, 1), Kept(2, "A", 1, 2)}, People: []event.Mirror{mirror(2, `{"v":1}`)},
		Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 1, Winner: 2}}, Through: 2,
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	s = open(t, dir)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if got, err := s.Position(t.Context()); err != nil || got != 2 {
		t.Fatalf("position %d, %v; want 2", got, err)
	}
	appendBatch(t, s, event.Batch{Events: []event.Kept{Kept(2, "A", 1, 2)}, Through: 2})
	appendBatch(t, s, event.Batch{Events: []event.Kept{Kept(1, "A", 3, 3)}, Through: 3})
	same(t, "history", history(t, s, "ws_1", 2), []string{"m1", "m2", "m3"})
	same(t, "the event table", set(t, s, `SELECT person FROM event`), []uint64{2})
}

func concurrent(t *testing.T, s Store) {
	const batches, size = 20, 50 // an engine that answers one at a time serves both readers between two of them
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			last := int64(-1)
			for {
				select {
				case <-done:
					return
				default:
				}
				rows, err := s.Query(t.Context(), `SELECT count(*), coalesce(max(seq), 0) FROM event WHERE ws = ?`, []any{"ws_1"})
				if err != nil {
					t.Errorf("read beside the writer: %v", err)
					return
				}
				n := rows[0][0].(int64)
				if n%size != 0 || n < last {
					t.Errorf("saw %d events after %d: batches of %d must appear whole and stay", n, last, size)
					return
				}
				last = n
				if _, err := s.Histories(t.Context(), "ws_1", []uint64{1, 2, 3}, nil); err != nil {
					t.Errorf("read beside the writer: %v", err)
					return
				}
			}
		})
	}
	for i := range batches {
		var b event.Batch
		for j := range size {
			b.Events = append(b.Events, Kept(uint64(j), "A", i, uint64(i*size+j+1)))
		}
		b.People = []event.Mirror{mirror(uint64(i%5), `{}`)}
		b.Through = uint64((i + 1) * size)
		appendBatch(t, s, b)
	}
	close(done)
	readers.Wait()
	h, err := s.Histories(t.Context(), "ws_1", []uint64{7}, nil)
	if err != nil || len(h[7]) != batches {
		t.Errorf("%d events, %v; want %d", len(h[7]), err, batches)
	}
}
