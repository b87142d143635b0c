package journey_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// state is everything that a step writes.
func (w *world) state() string {
	return strings.Join(append(append(append(append(w.messages(), w.emitted()...), w.strings(`SELECT cause FROM test_trait ORDER BY cause`)...),
		w.strings(`SELECT id || node || status || seq FROM journey_instance ORDER BY id`)...),
		append(w.strings(`SELECT instance_id || seq || node FROM journey_step ORDER BY 1`), w.strings(`SELECT node || what || n FROM journey_count ORDER BY 1`)...)...), "\n")
}

func TestAFailureInTheMiddleLeavesNoHalfEffects(t *testing.T) {
	for _, where := range []string{"enqueued", "traits"} {
		w := newWorld(t)
		w.publish("cart", cartWith(""))
		w.happen(w.event("m1", 1, "Product Added", `{}`))
		before := w.state()
		w.fail = func(what string) error {
			if what == where {
				return errBroken
			}
			return nil
		}
		w.pass(time.Hour)
		want(t, where+": nothing has happened", w.state(), before)
		i, _, _ := w.svc.Path(t.Context(), ws, w.instance("per_1"))
		if i.Attempts != 1 || !strings.Contains(fmt.Sprint(i.Error.Data["text"]), errBroken.Error()) || !i.Due.Equal(w.clock.Now().Add(30*time.Second)) {
			t.Errorf("%s: %+v", where, i)
		}
		w.fail = nil
		w.pass(30 * time.Second)
		want(t, where+": the next try", w.messages(), []string{"per_1 tpl_1"})
		want(t, where+": rounds", w.rounds("per_1"), []string{"active goal "})
		i, _, _ = w.svc.Path(t.Context(), ws, w.instance("per_1"))
		want(t, where+": forgotten", []any{i.Attempts, i.Error.Code}, []any{0, ""})
	}
}

func TestAFailureWhileReactingIsReturnedAndLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.publish("cart", cartWith(""))
	e := w.event("m1", 1, "Product Added", `{}`)
	for _, where := range []string{"emit", "ids"} {
		w.fail = func(what string) error {
			if what == where {
				return errBroken
			}
			return nil
		}
		if err := w.svc.React(t.Context(), journeyEvents(e)); !errors.Is(err, errBroken) {
			t.Fatalf("%s: %v", where, err)
		}
		want(t, where, w.state(), "")
	}
	w.fail = nil
	w.react(e)
	want(t, "redone", w.rounds("per_1"), []string{"active wait "})
}

func TestWhatCannotBeMendedByTryingAgainIsParkedAndRetried(t *testing.T) {
	w := newWorld(t)
	j := w.publish("cart", cartWith(""))
	w.happen(w.event("m1", 1, "Product Added", `{}`), w.event("m2", 2, "Product Added", `{}`))
	w.fail = func(what string) error {
		if what == "enqueue per_1" {
			return errPermanent
		}
		return nil
	}
	w.pass(time.Hour)
	want(t, "the other person", w.messages(), []string{"per_2 tpl_1"})
	i, _, _ := w.svc.Path(t.Context(), ws, w.instance("per_1"))
	if i.Status != journey.Parked || !strings.Contains(fmt.Sprint(i.Error.Data["text"]), "tpl_1") {
		t.Errorf("%+v", i)
	}
	s := w.stats(j.ID)
	want(t, "shown", []any{s.Parked, s.Inside, s.Nodes[0].Parked, s.Nodes[0].Now}, []any{1, 2, 1, 1})
	n, err := w.svc.Parked(t.Context(), ws)
	want(t, "in the overview", []any{n, err}, []any{1, nil})

	w.fail = nil
	w.pass(24 * time.Hour)
	want(t, "parked people stay", w.rounds("per_1"), []string{"parked wait "})
	if err := w.svc.Retry(t.Context(), ws, w.instance("per_1")); err != nil {
		t.Fatal(err)
	}
	w.settle()
	want(t, "retried", w.rounds("per_1"), []string{"active goal "})
	want(t, "not parked", w.stats(j.ID).Parked, 0)
	if err := w.svc.Retry(t.Context(), ws, "ins_none"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestTemporaryFailuresEndInParkingAndAllAreRetriedAtOnce(t *testing.T) {
	w := newWorld(t)
	j := w.publish("cart", cartWith(""))
	w.happen(w.event("m1", 1, "Product Added", `{}`), w.event("m2", 2, "Product Added", `{}`), w.event("m3", 3, "Product Added", `{}`))
	w.fail = func(what string) error {
		if strings.HasPrefix(what, "subject") {
			return errs.Unavailable("event.store", "the event store is down")
		}
		return nil
	}
	for range 13 {
		w.pass(time.Hour)
	}
	want(t, "parked", w.stats(j.ID).Parked, 3)
	w.fail = nil
	n, err := w.svc.RetryAll(t.Context(), ws, j.ID)
	want(t, "sent on", []any{n, err}, []any{3, nil})
	w.settle()
	want(t, "messages", len(w.messages()), 3)
}

func TestAParkedPersonStillReachesTheGoal(t *testing.T) {
	w := newWorld(t)
	j := w.publish("cart", cartWith(`"goal": {"event": {"name": "Order Completed"}}`))
	w.happen(w.event("m1", 1, "Product Added", `{}`))
	w.fail = func(what string) error {
		if what == "enqueue per_1" {
			return errPermanent
		}
		return nil
	}
	w.pass(time.Hour)
	w.fail = nil
	w.happen(w.event("o1", 1, "Order Completed", `{}`))
	want(t, "rounds", w.rounds("per_1"), []string{"done wait goal"})
	s := w.stats(j.ID)
	want(t, "counts", []any{s.Parked, s.Inside, s.Goals}, []any{0, 0, 1})
}

func TestTheWorkOfADeadWorkerIsTakenOver(t *testing.T) {
	w := newWorld(t)
	j := w.publish("cart", cartWith(""))
	w.happen(w.event("m1", 1, "Product Added", `{}`))
	w.clock.Advance(time.Hour)
	now := w.clock.Now()
	dead := sqlstore.NewJourney(w.db)
	if got, err := dead.Claim(t.Context(), journey.Place{Workspace: ws, Journey: j.ID}, now, now.Add(time.Minute), "dead", 10); err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	w.pass(59 * time.Second)
	want(t, "while the lease lasts", w.messages(), []string{})
	w.pass(2 * time.Second)
	want(t, "after it", w.messages(), []string{"per_1 tpl_1"})
}

func TestAWorkerThatWasTooSlowDropsItsWork(t *testing.T) {
	w := newWorld(t)
	w.publish("cart", cartWith(""))
	w.happen(w.event("m1", 1, "Product Added", `{}`))
	other := w.service()
	w.loading = func() { // while the first worker loads people, its lease ends and another one does the work
		w.clock.Advance(2 * time.Minute)
		if n, err := other.Tick(context.Background()); n != 1 || err != nil {
			t.Errorf("the other worker: %d, %v", n, err)
		}
	}
	w.pass(time.Hour)
	want(t, "messages", w.messages(), []string{"per_1 tpl_1"})
	want(t, "path", w.path("per_1"), "wait>next ordered>no mail>next mark>next")
}

func TestAGoalReachedWhileAWorkerIsAtItWins(t *testing.T) {
	w := newWorld(t)
	w.publish("cart", cartWith(`"goal": {"event": {"name": "Order Completed"}}`))
	w.happen(w.event("m1", 1, "Product Added", `{}`))
	w.loading = func() { w.react(w.event("o1", 1, "Order Completed", `{}`)) }
	w.pass(time.Hour)
	want(t, "messages", w.messages(), []string{})
	want(t, "rounds", w.rounds("per_1"), []string{"done wait goal"})
}

func TestAnotherProcessSeesWhatWasPublished(t *testing.T) {
	w := newWorld(t)
	other := w.service()
	e := w.event("m1", 1, "Product Added", `{}`)
	if err := other.React(t.Context(), journeyEvents(e)); err != nil { // knows of no journeys
		t.Fatal(err)
	}
	j := w.publish("cart", cartWith(""))
	if err := other.React(t.Context(), journeyEvents(e)); err != nil {
		t.Fatal(err)
	}
	want(t, "entered", w.rounds("per_1"), []string{"active wait "})
	if _, err := w.svc.Pause(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	if err := other.React(t.Context(), journeyEvents(w.event("m2", 2, "Product Added", `{}`))); err != nil {
		t.Fatal(err)
	}
	want(t, "paused", w.rounds("per_2"), []string{})
}

// committed tells of every transaction that went through.
type committed struct {
	tx.Runner
	done chan struct{}
}

func (c committed) InTx(ctx context.Context, fn func(context.Context) error) error {
	err := c.Runner.InTx(ctx, fn)
	if err == nil {
		select {
		case c.done <- struct{}{}:
		default:
		}
	}
	return err
}

func TestTheLoopMovesPeopleAndStops(t *testing.T) {
	w := newWorld(t)
	done := make(chan struct{}, 100)
	w.svc = w.serviceOn(committed{w.db, done})
	w.publish("x", `{"trigger": {"event": {"name": "Go"}}, "nodes": [{"id": "s", "kind": "send", "config": {"template": "tpl_1", "topic": "tpc_1"}}]}`)
	if err := w.svc.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.happen(w.event("a", 1, "Go", `{}`))
	for len(w.messages()) == 0 {
		<-done
	}
	for range 2 {
		if err := w.svc.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestABatchLargerThanOneClaimIsWorkedOff(t *testing.T) {
	w := newWorld(t)
	w.publish("cart", cartWith(""))
	for n := range 600 {
		w.react(w.event(fmt.Sprint("m", n), uint64(n+1), "Product Added", `{}`))
	}
	w.pass(time.Hour)
	want(t, "messages", len(w.messages()), 600)
}
