package segment_test

import (
	"testing"
	"time"
)

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

func TestWhatTimeHasDoneIsTimesEvenIfAnEventComesByFirst(t *testing.T) {
	w := newWorld(t)
	w.join(1)
	g := w.make("Lately", lately)
	w.happen(1, bought, order)
	w.clock.Advance(2 * time.Hour)
	w.happen(1, "Other", "")
	w.wantIn(g.ID)
	w.runDue(0)
	w.happen(1, bought, order)
	w.wantIn(g.ID, 1)
	w.wantSaid("+Lately 1 event m2", "-Lately 1 time", "+Lately 1 event m4")
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
