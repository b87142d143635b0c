package httpapi_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

func TestReplayScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	long := start.AddDate(0, -2, 0)
	w.feed(track(b.ws, "then", "aya", "Seen Then", `{}`, long), track(b.ws, "then too", "aya", "Seen Then", `{}`, long), track(b.ws, "then ben", "ben", "Seen Then", `{}`, long.AddDate(0, 0, 1)))
	b.make(w, "then", "POST /segments", `{"name":"Saw it then","rule":{"event":{"name":"Seen Then","op":"gte","value":1}}}`)
	w.evaluate()
	w.settle()
	const one, both = `{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"}`, `{"from":"2026-01-01T00:00:00Z","to":"2026-01-03T00:00:00Z"}`
	play(t, w, b, []scenario{
		{as: "viewer", do: "POST /replays", body: one, status: 403},
		{as: "viewer", do: "POST /replays/check", body: one, status: 403},
		{do: "POST /replays", body: `{"from":"2026-01-02T00:00:00Z","to":"2026-01-02T00:00:00Z"}`, status: 422, has: `replay.range | "field":"to"`},
		{do: "POST /replays", body: `{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","part":"all"}`, status: 422, has: `"field":"part"`},
		{do: "POST /replays", body: `{"from":"yesterday","to":"2026-01-02T00:00:00Z"}`, status: 422},
		{do: "POST /replays/check", body: one, status: 200, has: `"people":1,"events":2`},
		{do: "POST /replays/check", body: both, status: 200, has: `"people":2,"events":3`},
		{do: "GET /segments/$then", status: 200, has: `"size":2`},
	})
	// Somebody has lost the two from the mirror that segments are asked of, and a full evaluation has let them leave.
	nums := map[string]uint64{}
	for _, who := range []string{"aya", "ben"} {
		p, err := w.people.Get(t.Context(), b.ws, b.ids[who])
		w.must(err)
		nums[who] = p.Num
		w.must(w.store.Append(t.Context(), removed(b.ws, p.Num)))
	}
	_, err := w.segments.Reevaluate(t.Context(), b.ws, b.ids["then"])
	w.must(err)
	w.evaluate()
	w.settle()
	left := w.memberships(b, "then")
	play(t, w, b, []scenario{
		{do: "GET /segments/$then", status: 200},
		{do: "POST /replays", body: one, status: 202, has: `"kind":"replay"`, keep: "again"},
	})
	w.work()
	w.settle()
	play(t, w, b, []scenario{
		{do: "GET /jobs/$again", status: 200, has: `"state":"done" | "people":1 | "done":1,"total":1`},
		{do: "GET /audit?noun=replay", status: 200, has: `"action":"replay.begin"`},
	})
	back, err := w.store.People(t.Context(), b.ws, []uint64{nums["aya"], nums["ben"]})
	w.must(err)
	if len(back) != 1 || back[0].Num != nums["aya"] {
		t.Errorf("mirrored again are %+v", back)
	}
	// A second replay finds nothing to put right, so nothing is told.
	before := w.memberships(b, "then")
	if before < left {
		t.Errorf("the segment has told %d changes, %d before", before, left)
	}
	w.ok(b.key, "POST /replays", one, nil)
	w.work()
	w.settle()
	if after := w.memberships(b, "then"); after != before {
		t.Errorf("a second replay has told %d more changes", after-before)
	}
}

// The process dies in the middle of a replay, with people put right and nothing written down; another one takes over and does them again. What follows from a person happens once.
func TestAReplayThatIsKilledDoublesNothing(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	const n = 230 // more than are worked out at once
	long := start.AddDate(0, -2, 0)
	var gone event.Batch
	for i := range n {
		who := fmt.Sprintf("crowd-%d", i)
		w.feed(track(b.ws, who, who, "Seen Then", `{}`, long))
	}
	b.make(w, "then", "POST /segments", `{"name":"Saw it then","rule":{"event":{"name":"Seen Then","op":"gte","value":1}}}`)
	w.evaluate()
	w.settle()
	entered := func() map[uint64]int64 {
		rows, err := w.store.Query(t.Context(), `SELECT person, COUNT(*) FROM event WHERE ws = ? AND name = ? AND json_extract_string(props, '$.segment_id') = ? GROUP BY person`, []any{b.ws, event.SegmentEntered, b.ids["then"]})
		w.must(err)
		out := map[uint64]int64{}
		for _, r := range rows {
			out[r[0].(uint64)] = r[1].(int64)
		}
		return out
	}
	members := entered()
	if len(members) != n {
		t.Fatalf("%d have entered", len(members))
	}
	for num := range members {
		gone.Gone = append(gone.Gone, event.RemovedPerson{Workspace: b.ws, Num: num})
	}
	w.must(w.store.Append(t.Context(), gone))
	_, err := w.segments.Reevaluate(t.Context(), b.ws, b.ids["then"])
	w.must(err)
	w.evaluate()
	w.settle()
	for num, times := range entered() {
		if times != 1 {
			t.Fatalf("before the replay %d has entered %d times", num, times)
		}
	}
	killed := false
	w.again = func() {
		if !killed {
			killed = true
			w.clock.Advance(time.Hour) // the lease of the dead one is over
			w.work()
		}
	}
	play(t, w, b, []scenario{{do: "POST /replays", body: `{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"}`, status: 202, keep: "again"}})
	w.work()
	w.settle()
	play(t, w, b, []scenario{{do: "GET /jobs/$again", status: 200, has: fmt.Sprintf(`"state":"done" | "people":%d`, n)}})
	after := entered()
	for num := range members {
		if after[num] != 2 {
			t.Fatalf("%d has entered %d times", num, after[num])
		}
	}
	if !killed {
		t.Error("nothing was killed")
	}
}

// removed takes a person off the mirror.
func removed(ws string, num uint64) event.Batch {
	return event.Batch{Gone: []event.RemovedPerson{{Workspace: ws, Num: num}}}
}

// memberships counts the changes of a segment that were told.
func (w *world) memberships(b *business, name string) int {
	w.t.Helper()
	var got struct{ Items []struct{ Entered bool } }
	w.ok(b.key, "GET /segments/"+b.ids[name]+"/history?limit=500", "", &got)
	return len(got.Items)
}
