package segment_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
)

func TestAnEventBringsPeopleInExactlyOnce(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	g := w.make("Buyers", buyers)
	w.wantIn(g.ID)

	m := w.do(1, bought, order)
	for range 3 { // the pipeline may repeat a batch
		w.touch(map[uint64]string{1: m}, 1, 2, 1)
	}
	w.wantIn(g.ID, 1)
	got := w.drain()
	if len(got) != 1 {
		t.Fatalf("%d events emitted, want 1", len(got))
	}
	want := event.Event{
		Workspace: ws, MessageID: "seg:" + g.ID + ":1:1", Type: event.Segment, Name: event.SegmentEntered, PersonID: "per_1",
		Time: start, Received: start, Origin: event.Internal,
		Properties: json.RawMessage(fmt.Sprintf(`{"segment_id":%q,"segment_name":"Buyers","cause":"event","cause_message_id":%q,"cause_time":"2026-03-01T12:00:00Z","version":1}`, g.ID, m)),
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	w.happen(1, bought, order)
	w.wantSaid()
}

func TestEventsOfMessagesAreLookedAtByTheSegmentsThatAskForThem(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	buyers := w.make("Buyers", lately)
	mailed := w.make("Mailed", `{"event": {"name": "Message Sent", "agg": "count", "op": "gte", "value": 1}}`)
	both := w.make("Not mailed", fmt.Sprintf(notSegment, mailed.ID))
	w.drain()
	w.wantIn(both.ID, 1, 2)

	w.do(1, bought, order) // something that no reaction has seen yet
	sent := w.do(1, event.MessageSent, `{}`)
	w.must(w.Told(w.ctx, ws, []uint64{1}, []string{event.MessageSent}, map[uint64]string{1: sent}))
	w.wantIn(mailed.ID, 1)
	w.wantIn(both.ID, 2)
	w.wantIn(buyers.ID) // it was not asked: its own event brings it here

	w.must(w.Told(w.ctx, ws, []uint64{1, 2}, []string{event.MessageOpened}, nil))
	w.wantIn(buyers.ID)
	w.touch(nil, 1)
	w.wantIn(buyers.ID, 1)
}

func TestAFailedTransactionChangesNothingAndARepetitionHeals(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	g := w.make("Buyers", lately)
	power := errors.New("power cut")

	m := w.do(1, bought, order)
	w.broken.before = power
	if err := w.Touched(w.ctx, ws, []uint64{1}, nil); !errors.Is(err, power) {
		t.Fatalf("got %v, want the failure", err)
	}
	w.wantIn(g.ID)
	w.wantSaid()
	w.broken.before = nil
	w.touch(map[uint64]string{1: m}, 1)
	w.wantIn(g.ID, 1)
	w.wantSaid("+Buyers 1 event " + m)

	// The answer to a commit is lost: memory is behind the store and has to find out.
	m = w.do(2, bought, order)
	w.broken.after = power
	if err := w.Touched(w.ctx, ws, []uint64{2}, map[uint64]string{2: m}); !errors.Is(err, power) {
		t.Fatalf("got %v, want the failure", err)
	}
	w.broken.after = nil
	w.touch(map[uint64]string{2: m}, 2)
	w.wantIn(g.ID, 1, 2)
	w.wantSaid("+Buyers 2 event " + m)

	w.Service = w.newService() // a restart
	w.wantIn(g.ID, 1, 2)
	w.touch(nil, 1, 2)
	w.wantSaid()
}

func TestSegmentsFollowTheSegmentsTheyName(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	a := w.make("A", lately)
	b := w.make("B", fmt.Sprintf(inSegment, a.ID))
	c := w.make("C", fmt.Sprintf(notSegment, b.ID))
	w.wantIn(c.ID, 1, 2)
	w.drain()

	w.happen(1, bought, order)
	w.wantIn(b.ID, 1)
	w.wantIn(c.ID, 2)
	w.wantSaid("+A 1 event m2", "+B 1 event m2", "-C 1 event m2")

	w.clock.Advance(2 * time.Hour)
	w.must(errOf(w.RunDue(w.ctx)))
	w.wantIn(b.ID)
	w.wantIn(c.ID, 1, 2)
	w.wantSaid("-A 1 time", "-B 1 time", "+C 1 time")

	w.traits[2] = map[string]any{"country": "JP"}
	w.join(2)
	w.setRule(a.ID, inJapan)
	w.wantIn(a.ID, 2)
	w.wantIn(b.ID, 2)
	w.wantIn(c.ID, 1)
	w.wantSaid("+A 2 edit", "+B 2 edit", "-C 2 edit")
}

func TestAMergeIsSilentForTheLoserAndNamedForTheWinner(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2, 3)
	g := w.make("Lately", lately)
	two := w.make("Two orders", `{"event": {"name": "Order Completed", "agg": "count", "op": "gte", "value": 2, "window": "ever"}}`)
	l := w.list("Fair")
	_, err := w.AddToList(w.ctx, ws, l.ID, []segment.Entry{{PersonID: "per_1"}, {PersonID: "per_3"}})
	w.must(err)
	old := w.make("Old", buyers)
	w.happen(1, bought, order)
	_, err = w.Archive(w.ctx, ws, old.ID, false)
	w.must(err)
	w.happen(2, bought, order)
	w.drain()

	// 1 becomes 2 and 2 becomes 3 in one transaction, as person.Apply would do it.
	w.must(w.db.InTx(w.ctx, func(ctx context.Context) error {
		return errors.Join(w.PeopleMerged(ctx, ws, ref(1), ref(2)), w.PeopleMerged(ctx, ws, ref(2), ref(3)))
	}))
	w.keep(event.Batch{
		Redirects: []event.Redirect{{Workspace: ws, Loser: 1, Winner: 3}, {Workspace: ws, Loser: 2, Winner: 3}},
		Gone:      []event.RemovedPerson{{Workspace: ws, Num: 1}, {Workspace: ws, Num: 2}},
	})
	for range 2 {
		w.touch(map[uint64]string{3: "login"}, 3)
	}
	w.wantIn(g.ID, 3)
	w.wantIn(two.ID, 3)
	w.wantIn(l.ID, 3)
	w.wantIn(old.ID)
	w.wantSaid("+Lately 3 merge login", "+Two orders 3 merge login")
	w.Service = w.newService()
	w.wantIn(g.ID, 3)
	w.clock.Advance(2 * time.Hour)
	w.runDue(1) // the deadlines of those merged away are gone
	w.wantSaid("-Lately 3 time")
}

func TestAMergeWhoseWinnerNobodyTouchesIsCarriedOutLater(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2, 3)
	g := w.make("Buyers", buyers)
	w.happen(1, bought, order)
	w.must(w.PeopleMerged(w.ctx, ws, ref(1), ref(2)))
	w.touch(nil, 3) // the event store does not have the merge yet
	w.wantIn(g.ID, 1)
	w.keep(event.Batch{Redirects: []event.Redirect{{Workspace: ws, Loser: 1, Winner: 2}}, Gone: []event.RemovedPerson{{Workspace: ws, Num: 1}}})
	w.clock.Advance(2 * time.Minute)
	w.touch(nil, 3)
	w.wantIn(g.ID, 2)
}
