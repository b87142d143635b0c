package segment_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

const (
	buyers     = `{"event": {"name": "Order Completed", "agg": "count", "op": "gte", "value": 1, "window": "ever"}}`
	lately     = `{"event": {"name": "Order Completed", "agg": "count", "op": "gte", "value": 1, "window": {"within": {"n": 1, "unit": "hour"}}}}`
	inJapan    = `{"trait": {"path": "country", "op": "eq", "value": "JP"}}`
	inGermany  = `{"trait": {"path": "country", "op": "eq", "value": "DE"}}`
	order      = `{"total": 10}`
	bought     = "Order Completed"
	inSegment  = `{"segment": {"id": %q}}`
	notSegment = `{"not": {"segment": {"id": %q}}}`
	inList     = `{"list": {"id": %q}}`
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

func TestAWindowEndsAtItsVeryMoment(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	g := w.make("Lately", lately)
	w.happen(1, bought, order)
	w.clock.Advance(20 * time.Minute)
	w.happen(2, bought, order)
	w.drain()

	next, err := w.nextDue()
	w.must(err)
	w.clock.Set(next.Add(-time.Microsecond))
	w.runDue(0)
	w.wantIn(g.ID, 1, 2)
	if a := w.audience(g); !a.Contains(1) {
		t.Errorf("the event store lets person 1 go before the deadline")
	}
	w.clock.Set(next)
	w.runDue(1)
	w.wantIn(g.ID, 2)
	w.wantSaid("-Lately 1 time")
	if d := next.Sub(start); d < time.Hour || d > time.Hour+time.Millisecond {
		t.Errorf("the deadline is %v after the event, want one hour", d)
	}
	w.clock.Advance(20 * time.Minute)
	w.runDue(1)
	w.wantIn(g.ID)
	w.wantSaid("-Lately 2 time")
	if next, err = w.nextDue(); err != nil || !next.IsZero() {
		t.Errorf("a deadline is left: %v, %v", next, err)
	}
}

func TestAnotherEventPutsTheDeadlineOff(t *testing.T) {
	w := newWorld(t)
	w.join(1)
	g := w.make("Lately", lately)
	w.happen(1, bought, order)
	w.clock.Advance(59 * time.Minute)
	w.happen(1, bought, order)
	w.clock.Advance(2 * time.Minute)
	w.must(errOf(w.RunDue(w.ctx)))
	w.wantIn(g.ID, 1)
	w.clock.Advance(58 * time.Minute)
	w.must(errOf(w.RunDue(w.ctx)))
	w.wantIn(g.ID)
}

func TestTheLoopFollowsAClockThatIsShifted(t *testing.T) {
	w := newWorld(t)
	w.join(1)
	g := w.make("Lately", lately)
	w.must(w.Start(w.ctx))
	w.happen(1, bought, order)
	w.clock.Advance(2 * time.Hour)
	w.eventually(func() bool { return len(w.in(g.ID)) == 0 })
	w.must(w.Stop(w.ctx))
	w.must(w.Stop(w.ctx))
	w.wantSaid("+Lately 1 event m2", "-Lately 1 time")
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

func TestCyclesAreRefusedByName(t *testing.T) {
	w := newWorld(t)
	a := w.make("A", inJapan)
	b := w.make("B", fmt.Sprintf(inSegment, a.ID))
	c := w.make("C", fmt.Sprintf(`{"all": [%s, %s]}`, fmt.Sprintf(inSegment, b.ID), inJapan))
	_, err := w.Update(w.ctx, ws, a.ID, segment.Patch{Rule: json.RawMessage(fmt.Sprintf(inSegment, c.ID))})
	wantError(t, err, errs.KindInvalid, "segment.rule.cycle", "A → C → B → A")
	_, err = w.Update(w.ctx, ws, a.ID, segment.Patch{Rule: json.RawMessage(fmt.Sprintf(inSegment, a.ID))})
	wantError(t, err, errs.KindInvalid, "segment.rule.cycle", "names the segment itself")
	_, err = w.Create(w.ctx, ws, segment.Draft{Name: "D", Rule: json.RawMessage(fmt.Sprintf(inSegment, "seg_nowhere"))})
	wantError(t, err, errs.KindInvalid, "segment.rule.unknown_set", "seg_nowhere")
}

func TestNamesAndRulesAreChecked(t *testing.T) {
	w := newWorld(t)
	w.make("Käufer", inJapan)
	_, err := w.Create(w.ctx, ws, segment.Draft{Name: " KÄUFER ", Rule: json.RawMessage(inJapan)})
	wantError(t, err, errs.KindConflict, "segment.name.taken", "")
	_, err = w.Create(w.ctx, ws, segment.Draft{Name: " ", Rule: json.RawMessage(inJapan)})
	wantError(t, err, errs.KindInvalid, "segment.name.empty", "")
	_, err = w.Create(w.ctx, ws, segment.Draft{Name: strings.Repeat("x", 201), Rule: json.RawMessage(inJapan)})
	wantError(t, err, errs.KindInvalid, "segment.name.too_long", "")
	_, err = w.Create(w.ctx, ws, segment.Draft{Name: "X", Rule: json.RawMessage(`{"trait": {"path": "a", "op": "nonsense", "value": 1}}`)})
	if all := errs.All(err); len(all) == 0 || all[0].Kind != errs.KindInvalid || all[0].Field == "" {
		t.Errorf("a bad rule gives %v, want invalid with a field", err)
	}
	if _, err := w.Preview(w.ctx, ws, json.RawMessage(`{"nonsense": 1}`), ""); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("previewing a bad rule gives %v, want invalid", err)
	}
}

func TestAnEditMovesPeopleWithItsOwnCause(t *testing.T) {
	w := newWorld(t)
	w.traits[1] = map[string]any{"country": "JP"}
	w.traits[2] = map[string]any{"country": "DE"}
	w.join(1, 2, 3)
	g := w.make("There", inJapan)
	w.wantSaid("+There 1 edit")
	w.setRule(g.ID, inGermany)
	w.wantIn(g.ID, 2)
	w.wantSaid("-There 1 edit", "+There 2 edit")
	g, err := w.Get(w.ctx, ws, g.ID)
	w.must(err)
	if g.State != segment.Ready || g.RuleVersion != 2 || !g.EvaluatedAt.Equal(start) || g.Progress.Done != 2 || g.Progress.Total != 2 {
		t.Errorf("segment after the edit: %+v", g)
	}

	// The same rule in other words asks for nothing; so does another name.
	name := "Elsewhere"
	g, err = w.Update(w.ctx, ws, g.ID, segment.Patch{Name: &name, Rule: json.RawMessage(" " + inGermany + "\n")})
	w.must(err)
	if g.State != segment.Ready || g.RuleVersion != 2 || g.Name != name {
		t.Errorf("segment after renaming: %+v", g)
	}
	w.traits[3] = map[string]any{"country": "DE"}
	w.join(3)
	w.touch(nil, 3)
	w.wantSaid("+Elsewhere 3 event")
}

func TestAFullEvaluationSetsDeadlinesForThoseOutsideToo(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	w.do(1, bought, order)
	w.clock.Advance(10 * time.Minute)
	g := w.make("Not lately", `{"event": {"name": "Order Completed", "agg": "count", "op": "eq", "value": 0, "window": {"within": {"n": 1, "unit": "hour"}}}}`)
	w.wantIn(g.ID, 2)
	w.wantSaid("+Not lately 2 edit")
	w.clock.Advance(time.Hour)
	w.runDue(1)
	w.wantIn(g.ID, 1, 2)
	w.wantSaid("+Not lately 1 time")
}

func TestATraitThatComesOfAgeBringsPeopleInWithoutAnyEvent(t *testing.T) {
	w := newWorld(t)
	w.traits[1] = map[string]any{"trial_ends": start.Add(time.Hour).Format(time.RFC3339)}
	w.join(1, 2)
	g := w.make("Trial over", `{"all": [
		{"trait": {"path": "trial_ends", "op": "lte", "value": {"ago": {"n": 1, "unit": "day"}}}},
		{"event": {"name": "Order Completed", "agg": "count", "op": "eq", "value": 0, "window": {"within": {"n": 30, "unit": "day"}}}}]}`)
	w.clock.Set(start.Add(25*time.Hour - time.Microsecond))
	w.runDue(0)
	w.clock.Advance(time.Microsecond)
	w.runDue(1)
	w.wantIn(g.ID, 1)
	w.wantSaid("+Trial over 1 time")
}

func TestAnEditForgetsTheFormerDeadlines(t *testing.T) {
	w := newWorld(t)
	w.join(1)
	g := w.make("G", lately)
	w.happen(1, bought, order)
	w.setRule(g.ID, buyers)
	if next, err := w.nextDue(); err != nil || !next.IsZero() {
		t.Errorf("the deadline of the former rule is left: %v, %v", next, err)
	}
	w.wantIn(g.ID, 1)
}

func TestWhatHappensDuringAFullEvaluationIsNeitherLostNorBlamedOnTheEdit(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2, 3)
	w.do(1, bought, order)
	w.do(2, bought, order)
	g, err := w.Create(w.ctx, ws, segment.Draft{Name: "G", Rule: json.RawMessage(buyers)})
	w.must(err)
	if g.State != segment.Evaluating {
		t.Errorf("a new segment is %s, want evaluating", g.State)
	}
	// Touched before the event store was asked: the rule is new to person 1, whatever they did just now.
	w.touch(map[uint64]string{1: "visit"}, 1)
	w.wantSaid("+G 1 edit")
	// Touched when the answer is known: person 3 was no buyer when it was given.
	w.broken.instead = errs.Unavailable("test.busy", "come back later")
	if err := w.RunEvaluations(w.ctx); !errs.Is(err, errs.KindUnavailable) {
		t.Fatalf("got %v, want unavailable", err)
	}
	m := w.do(3, bought, order)
	w.touch(map[uint64]string{2: "visit", 3: m}, 2, 3)
	w.wantSaid("+G 2 edit", "+G 3 event "+m)
	w.must(w.RunEvaluations(w.ctx))
	w.wantIn(g.ID, 1, 2, 3)
	w.wantSaid()
}

func TestAFullEvaluationThatWasKilledStartsOver(t *testing.T) {
	w := newWorld(t)
	for i := range uint64(5) {
		w.traits[i+1] = map[string]any{"country": "JP"}
		w.join(i + 1)
	}
	g, err := w.Create(w.ctx, ws, segment.Draft{Name: "G", Rule: json.RawMessage(inJapan)})
	w.must(err)
	ctx, kill := context.WithCancel(w.ctx)
	w.asked.before = kill
	if err := w.RunEvaluations(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want cancelled", err)
	}
	if g, err = w.Get(w.ctx, ws, g.ID); err != nil || g.State != segment.Evaluating {
		t.Fatalf("state %s, %v; want evaluating", g.State, err)
	}
	w.Service = w.newService()
	w.must(w.Start(w.ctx))
	w.eventually(func() bool { g, err = w.Get(w.ctx, ws, g.ID); return err == nil && g.State == segment.Ready })
	w.must(w.Stop(w.ctx))
	w.wantIn(g.ID, 1, 2, 3, 4, 5)
	w.wantSaid("+G 1 edit", "+G 2 edit", "+G 3 edit", "+G 4 edit", "+G 5 edit")
}

func TestAnEditDuringAFullEvaluationSupersedesIt(t *testing.T) {
	w := newWorld(t)
	w.traits[1] = map[string]any{"country": "JP"}
	w.traits[2] = map[string]any{"country": "DE"}
	w.join(1, 2)
	g, err := w.Create(w.ctx, ws, segment.Draft{Name: "G", Rule: json.RawMessage(inJapan)})
	w.must(err)
	w.asked.before = func() {
		_, err := w.Update(w.ctx, ws, g.ID, segment.Patch{Rule: json.RawMessage(inGermany)})
		w.must(err)
	}
	w.must(w.RunEvaluations(w.ctx))
	w.wantIn(g.ID, 2)
	w.wantSaid("+G 2 edit")
}

func TestAFullEvaluationThatFailsSaysWhyAndCanBeRepeated(t *testing.T) {
	w := newWorld(t)
	w.traits[1] = map[string]any{"country": "JP"}
	w.join(1)
	g, err := w.Create(w.ctx, ws, segment.Draft{Name: "G", Rule: json.RawMessage(inJapan)})
	w.must(err)
	w.broken.instead = errors.New("event store on fire")
	w.must(w.RunEvaluations(w.ctx))
	g, err = w.Get(w.ctx, ws, g.ID)
	w.must(err)
	if g.State != segment.Failed || !strings.Contains(g.Failure, "on fire") {
		t.Fatalf("segment: %+v", g)
	}
	g, err = w.Reevaluate(w.ctx, ws, g.ID)
	w.must(err)
	if g.State != segment.Evaluating || g.Failure != "" {
		t.Errorf("segment asked again: %+v", g)
	}
	w.must(w.RunEvaluations(w.ctx))
	w.wantIn(g.ID, 1)
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

func TestArchivingAsksWhoStillNeedsItAndKeepsTheMembers(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	a := w.make("A", buyers)
	b := w.make("B", fmt.Sprintf(inSegment, a.ID))
	w.happen(1, bought, order)
	w.drain()
	_, err := w.Archive(w.ctx, ws, a.ID, false)
	wantError(t, err, errs.KindConflict, "segment.in_use", "B")
	for _, id := range []string{b.ID, a.ID} {
		_, err = w.Archive(w.ctx, ws, id, false)
		w.must(err)
	}
	w.happen(2, bought, order)
	w.wantIn(a.ID, 1)
	w.wantSaid()
	_, err = w.Unarchive(w.ctx, ws, b.ID)
	wantError(t, err, errs.KindInvalid, "segment.rule.archived_set", "A")

	w.make("a", inJapan)
	_, err = w.Unarchive(w.ctx, ws, a.ID)
	wantError(t, err, errs.KindConflict, "segment.name.taken", "")
	name := "A2"
	_, err = w.Update(w.ctx, ws, a.ID, segment.Patch{Name: &name})
	w.must(err)
	_, err = w.Unarchive(w.ctx, ws, a.ID)
	w.must(err)
	w.must(w.RunEvaluations(w.ctx))
	w.wantIn(a.ID, 1, 2)
	w.wantSaid("+A2 2 edit")
}

func TestArchivingLetsPeopleLeaveIfAsked(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	g := w.make("G", lately)
	w.happen(1, bought, order)
	w.drain()
	_, err := w.Archive(w.ctx, ws, g.ID, true)
	w.must(err)
	w.must(w.RunEvaluations(w.ctx))
	w.wantIn(g.ID)
	w.wantSaid("-G 1 manual")
	got, err := w.Get(w.ctx, ws, g.ID)
	w.must(err)
	if got.Status != segment.Archived || got.State != segment.Ready {
		t.Errorf("archived segment: %+v", got)
	}
	if next, err := w.nextDue(); err != nil || !next.IsZero() {
		t.Errorf("a deadline is left: %v, %v", next, err)
	}
}

func TestPreviewCountsEveryConditionAndKeepsNothing(t *testing.T) {
	w := newWorld(t)
	for n := range uint64(20) {
		w.traits[n+1] = map[string]any{"country": "JP"}
		w.join(n + 1)
	}
	w.do(3, bought, order)
	p, err := w.Preview(w.ctx, ws, json.RawMessage(`{"all": [`+inJapan+`, {"not": `+buyers+`}]}`), "")
	w.must(err)
	if p.Count != 19 || len(p.Sample) != 5 {
		t.Errorf("count %d, sample %v; want 19 and five people", p.Count, p.Sample)
	}
	counts := map[string]uint64{}
	for _, c := range p.Counts {
		counts[c.Path] = c.Count
	}
	for path, want := range map[string]uint64{"all[0].trait": 20, "all[1].not.event": 1} {
		if counts[path] != want {
			t.Errorf("%s counts %d, want %d (all: %v)", path, counts[path], want, counts)
		}
	}
	g := w.make("Buyers", buyers)
	p, err = w.Preview(w.ctx, ws, json.RawMessage(`{"any": [{"trait": {"path": "country", "op": "eq", "value": "FR"}}]}`), g.ID)
	w.must(err)
	if p.Entering != 0 || p.Leaving != 1 {
		t.Errorf("against the buyers: %d enter, %d leave; want 0 and 1", p.Entering, p.Leaving)
	}
	p, err = w.Preview(w.ctx, ws, json.RawMessage(inJapan), g.ID)
	w.must(err)
	if p.Entering != 19 || p.Leaving != 0 {
		t.Errorf("against the buyers: %d enter, %d leave; want 19 and 0", p.Entering, p.Leaving)
	}
	if _, err := w.Preview(w.ctx, ws, json.RawMessage(inJapan), "seg_none"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("against nothing: %v, want not found", err)
	}
	p, err = w.Preview(w.ctx, ws, json.RawMessage(buyers), "")
	w.must(err)
	if diff := cmp.Diff([]uint64{3}, p.Sample); diff != "" {
		t.Errorf("sample of one (-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if _, err := w.Preview(ctx, ws, json.RawMessage(buyers), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled preview gives %v", err)
	}
	all, err := w.Segments(w.ctx, ws, segment.Filter{}, page.Request{})
	w.must(err)
	if len(all.Items) != 1 {
		t.Errorf("preview left %v", all.Items)
	}
}

func TestHistoryTellsWhoCameAndWentAndWhy(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	g := w.make("Lately", lately)
	other := w.make("Other", buyers)
	w.happen(1, bought, order)
	w.clock.Advance(time.Minute)
	w.happen(2, bought, order)
	w.clock.Advance(time.Hour)
	w.must(errOf(w.RunDue(w.ctx)))
	byID := map[string]uint64{"per_1": 1, "per_2": 2}
	var batch event.Batch
	for _, e := range w.drain() { // the pipeline brings them back
		batch.Events = append(batch.Events, event.Kept{Event: e, Person: byID[e.PersonID]})
	}
	w.keep(batch)
	var got []segment.Change
	p := page.Request{Limit: 3}
	for {
		part, err := w.History(w.ctx, ws, g.ID, p)
		w.must(err)
		got = append(got, part.Items...)
		if p.Cursor = part.Next; p.Cursor == "" {
			break
		}
	}
	if len(got) != 4 {
		t.Fatalf("history %+v, want four lines", got)
	}
	for i := range got[:2] {
		if got[i].Entered || got[i].Cause != segment.ByTime || !got[i].At.Equal(start.Add(61*time.Minute)) {
			t.Errorf("line %d: %+v, want a leaving by time", i, got[i])
		}
	}
	want := []segment.Change{
		{Person: 2, Entered: true, At: start.Add(time.Minute), Cause: segment.ByEvent, CauseMessageID: "m3", Version: 2},
		{Person: 1, Entered: true, At: start, Cause: segment.ByEvent, CauseMessageID: "m2", Version: 1},
	}
	if diff := cmp.Diff(want, got[2:]); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	days, err := w.Growth(w.ctx, ws, g.ID, 7)
	w.must(err)
	var entered, left, size uint64
	for _, d := range days {
		entered, left, size = entered+d.Entered, left+d.Left, d.Size
	}
	if entered != 2 || left != 2 || size != 0 || !days[len(days)-1].Start.Equal(w.clock.Now().UTC().Truncate(24*time.Hour)) {
		t.Errorf("growth %+v, want two in, two out, nobody at the end of today", days)
	}
	if _, err := w.Growth(w.ctx, ws, g.ID, 0); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("growth of no days: %v, want invalid", err)
	}
	if _, err := w.Growth(w.ctx, ws, "seg_none", 7); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("growth of nothing: %v, want not found", err)
	}
	if h, err := w.History(w.ctx, ws, other.ID, page.Request{}); err != nil || len(h.Items) != 2 {
		t.Errorf("history of the other segment: %+v, %v", h, err)
	}
	if _, err := w.History(w.ctx, ws, "seg_none", page.Request{}); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("history of nothing: %v, want not found", err)
	}
}

func TestMembersArePagedAndSnapshotsStandStill(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2, 3)
	g := w.make("Buyers", buyers)
	for n := range uint64(3) {
		w.happen(n+1, bought, order)
	}
	before, err := w.Members(w.ctx, ws, g.ID)
	w.must(err)
	first, err := w.MembersPage(w.ctx, ws, g.ID, page.Request{Limit: 2})
	w.must(err)
	second, err := w.MembersPage(w.ctx, ws, g.ID, page.Request{Limit: 2, Cursor: first.Next})
	w.must(err)
	if diff := cmp.Diff([][]uint64{{1, 2}, {3}}, [][]uint64{first.Items, second.Items}); diff != "" || second.Next != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	w.setRule(g.ID, inJapan)
	if before.GetCardinality() != 3 {
		t.Errorf("the snapshot has changed to %v", before)
	}
	w.wantIn(g.ID)
	sets, err := w.SetsOf(w.ctx, ws, 1)
	w.must(err)
	if len(sets) != 0 {
		t.Errorf("person 1 is still in %v", sets)
	}
}

func TestSetsOfNamesActiveSegmentsAndLists(t *testing.T) {
	w := newWorld(t)
	w.join(1)
	b := w.make("B", buyers)
	old := w.make("A", buyers)
	l := w.list("C")
	w.happen(1, bought, order)
	_, err := w.AddToList(w.ctx, ws, l.ID, []segment.Entry{{PersonID: "per_1"}})
	w.must(err)
	_, err = w.Archive(w.ctx, ws, old.ID, false)
	w.must(err)
	sets, err := w.SetsOf(w.ctx, ws, 1)
	w.must(err)
	if diff := cmp.Diff([]segment.Set{{ID: b.ID, Name: "B"}, {ID: l.ID, Name: "C", List: true}}, sets); diff != "" {
		t.Errorf("sets (-want +got):\n%s", diff)
	}
	in, err := w.Membership(w.ctx, ws, 1)
	w.must(err)
	if !in(b.ID) || !in(l.ID) || in("seg_none") {
		t.Errorf("membership answers wrongly")
	}
}

func TestWorkspacesKeepApart(t *testing.T) {
	w := newWorld(t)
	w.join(1)
	w.keep(event.Batch{
		People: []event.Mirror{{Workspace: "ws_2", Num: 1, ID: "per_other", Traits: json.RawMessage(`{"country": "JP"}`), Channels: json.RawMessage(`{}`)}},
	})
	a := w.make("Same name", buyers)
	b, err := w.Create(w.ctx, "ws_2", segment.Draft{Name: "Same name", Rule: json.RawMessage(inJapan)})
	w.must(err)
	w.must(w.RunEvaluations(w.ctx))
	w.wantSaid("+Same name other edit")
	w.happen(1, bought, order)
	w.must(w.Touched(w.ctx, "ws_2", []uint64{1}, nil))
	w.wantIn(a.ID, 1)
	w.wantSaid("+Same name 1 event m3")
	if _, err := w.Members(w.ctx, ws, b.ID); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("the other workspace's segment shows: %v", err)
	}
	_, err = w.Create(w.ctx, ws, segment.Draft{Name: "Spy", Rule: json.RawMessage(fmt.Sprintf(inSegment, b.ID))})
	wantError(t, err, errs.KindInvalid, "segment.rule.unknown_set", b.ID)
}

func TestTwoProcessesOnOneDatabaseAgree(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorldOn(t, db)
		w.join(1, 2, 3)
		here, there := w.Service, w.newService()
		if _, err := there.Members(w.ctx, ws, "seg_none"); !errs.Is(err, errs.KindNotFound) {
			t.Fatal(err) // there has a view now
		}
		g := w.make("Buyers", buyers)
		m := w.do(1, bought, order)
		w.must(there.Touched(w.ctx, ws, []uint64{1}, map[uint64]string{1: m})) // its view is older than the segment
		w.Service = there
		w.wantIn(g.ID, 1)
		w.Service = here
		m2 := w.do(2, bought, order)
		w.must(here.Touched(w.ctx, ws, []uint64{1, 2}, map[uint64]string{2: m2}))
		w.wantIn(g.ID, 1, 2)
		m3 := w.do(3, bought, order)
		w.must(here.Touched(w.ctx, ws, []uint64{1, 2, 3}, map[uint64]string{3: m3}))
		w.wantIn(g.ID, 1, 2, 3)
		w.wantSaid("+Buyers 1 event "+m, "+Buyers 2 event "+m2, "+Buyers 3 event "+m3)
	})
}

func wantError(t *testing.T, err error, kind errs.Kind, code, part string) {
	t.Helper()
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind != kind || e.Code != code || !strings.Contains(e.Msg, part) {
		t.Errorf("got %v, want %s %s with %q", err, kind, code, part)
	}
}

func errOf(_ int, err error) error { return err }

var (
	_ segment.People = directory{}
	_ interface {
		PeopleMerged(ctx context.Context, ws string, loser, winner person.Ref) error
	} = (*segment.Service)(nil)
)
