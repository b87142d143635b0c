package journey_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

func TestAbandonedCartIsRemindedAndTheOrderReachesTheGoal(t *testing.T) {
	w := newWorld(t)
	j := w.publish("cart", cartWith(""))
	w.happen(w.event("m1", 1, "Product Added", `{"product": "Lamp"}`))
	w.settle()
	want(t, "before the hour", w.messages(), []string{})
	w.pass(59 * time.Minute)
	want(t, "a minute before the hour", w.messages(), []string{})
	w.pass(time.Minute)
	want(t, "after the hour", w.messages(), []string{"per_1 tpl_1"})
	want(t, "variables", w.strings(`SELECT vars FROM test_message`), []string{`{"event":{"product":"Lamp"}}`})
	want(t, "aim", w.strings(`SELECT goal FROM test_message`), []string{`{"event":"Order Completed","window":259200000000000}`})
	want(t, "traits", w.strings(`SELECT person || traits FROM test_trait`), []string{`per_1{"reminded":true}`})

	w.pass(time.Hour)
	w.happen(w.event("o1", 1, "Order Completed", `{"total": 49.9, "currency": "EUR"}`))
	want(t, "rounds", w.rounds("per_1"), []string{"done goal goal"})
	want(t, "path", w.path("per_1"), "wait>next ordered>no mail>next mark>next goal!goal")
	want(t, "events", w.emitted(), []string{"Journey Entered per_1", "Journey Exited per_1", "Journey Goal Reached per_1"}) // in order of message id

	s := w.stats(j.ID)
	want(t, "goals and revenue", []any{s.Entered, s.Inside, s.Goals, s.Revenue, s.Ended}, []any{1, 0, 1, map[string]int64{"EUR": 4990}, map[string]int64{"goal": 1}})
	mail := s.Nodes[3]
	want(t, "mail node", []any{mail.Node, mail.Kind, mail.In, mail.Now, mail.Out, mail.Queued}, []any{"mail", "send", 1, 0, map[string]int64{"next": 1}, 1})
	i, steps, err := w.svc.Path(t.Context(), ws, w.instance("per_1"))
	if err != nil || i.Goal == nil || !i.GoalAt.Equal(start.Add(2*time.Hour)) || steps[2].MessageID == "" || steps[2].Reason.Code != "message_queued" {
		t.Errorf("%v %+v\n%+v", err, i, steps)
	}
}

func TestWhoOrdersDuringTheWaitGetsNoReminder(t *testing.T) {
	w := newWorld(t)
	w.publish("cart", cartWith(""))
	w.happen(w.event("m1", 1, "Product Added", `{}`))
	w.clock.Advance(30 * time.Minute)
	w.happen(w.event("o1", 1, "Order Completed", `{"total": 5}`))
	w.pass(time.Hour)
	want(t, "messages", w.messages(), []string{})
	want(t, "rounds", w.rounds("per_1"), []string{"exited leave exit_node"})
	i, _, _ := w.svc.Path(t.Context(), ws, w.instance("per_1"))
	want(t, "reason", i.Reason, node.Because("exit_node", "text", "ordered alone"))
}

func TestAMissedGoalEndsTheJourneyWhenItsWindowCloses(t *testing.T) {
	w := newWorld(t)
	w.publish("cart", cartWith(""))
	w.happen(w.event("m1", 1, "Product Added", `{}`))
	w.pass(time.Hour)
	w.pass(3*24*time.Hour - time.Second)
	want(t, "before", w.rounds("per_1"), []string{"active goal "})
	w.pass(time.Second)
	want(t, "after", w.rounds("per_1"), []string{"done goal end"})
	want(t, "path", w.path("per_1"), "wait>next ordered>no mail>next mark>next goal>missed")
}

func TestTheSameEventsAgainEnrolOnce(t *testing.T) {
	for _, mode := range []string{"once", "always"} {
		w := newWorld(t)
		j := w.publish("cart", cartWith(`"re_entry": {"mode": "`+mode+`"}`))
		m1, m2 := w.event("m1", 1, "Product Added", `{}`), w.event("m2", 1, "Product Added", `{}`)
		o1 := w.event("o1", 1, "Order Completed", `{}`)
		w.happen(m1, m2)
		w.react(m1, m2)
		w.pass(time.Hour)
		o1.Time, o1.Received = w.clock.Now(), w.clock.Now()
		w.happen(o1)
		w.clock.Advance(time.Hour)
		w.react(m1, m2, o1) // redone after the round has ended
		w.react(m1, m2, o1)
		w.settle()
		want(t, mode+": rounds", w.rounds("per_1"), []string{"done goal goal"})
		want(t, mode+": messages", w.messages(), []string{"per_1 tpl_1"})
		want(t, mode+": entered", w.stats(j.ID).Entered, 1)
	}
}

func TestOneBatchMayHoldAWholeRound(t *testing.T) {
	w := newWorld(t)
	j := w.publish("cart", cartWith(`"re_entry": {"mode": "always"}, "goal": {"event": {"name": "Order Completed"}}`))
	batch := []event.Kept{
		w.event("m1", 1, "Product Added", `{}`), w.event("o1", 1, "Order Completed", `{"total": 100, "currency": "JPY"}`),
		w.event("m2", 2, "Product Added", `{}`), w.event("x", 3, "Page", `{}`),
	}
	w.happen(batch...)
	w.react(batch...)
	want(t, "1", w.rounds("per_1"), []string{"done wait goal"})
	want(t, "2", w.rounds("per_2"), []string{"active wait "})
	s := w.stats(j.ID)
	want(t, "sums", []any{s.Entered, s.Inside, s.Goals, s.Revenue["JPY"]}, []any{2, 1, 1, 100})
}

func TestReEntry(t *testing.T) {
	for _, c := range []struct {
		rule   string
		rounds int // of five attempts, one every day; a round takes an hour
	}{
		{``, 1},
		{`"re_entry": {"mode": "once"}`, 1},
		{`"re_entry": {"mode": "always"}`, 5},
		{`"re_entry": {"mode": "after", "after": {"n": 2, "unit": "day"}}`, 3},
	} {
		w := newWorld(t)
		more := c.rule
		if more != "" {
			more = ", " + more
		}
		w.publish("x", `{"trigger": {"event": {"name": "Go"}}, "nodes": [{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}}]`+more+`}`)
		for n := range 5 {
			w.happen(w.event("m"+string(rune('a'+n)), 1, "Go", `{}`), w.event("n"+string(rune('a'+n)), 1, "Go", `{}`))
			w.pass(time.Hour)
			w.pass(23 * time.Hour)
		}
		if got := w.rounds("per_1"); len(got) != c.rounds {
			t.Errorf("%s: %v, want %d rounds", c.rule, got, c.rounds)
		}
	}
}

func TestOldEventsStartNothingUnlessTheJourneySaysSo(t *testing.T) {
	for _, c := range []struct {
		rule  string
		age   time.Duration
		enter bool
	}{
		{``, 23 * time.Hour, true},
		{``, 25 * time.Hour, false},
		{`"max_age": {"n": 1, "unit": "hour"}`, 2 * time.Hour, false},
		{`"max_age": {"n": 30, "unit": "day"}`, 29 * 24 * time.Hour, true},
		{`"max_age": {"n": 0, "unit": "day"}`, 3000 * 24 * time.Hour, true},
	} {
		w := newWorld(t)
		w.publish("cart", cartWith(c.rule))
		e := w.event("m1", 1, "Product Added", `{}`)
		e.Time = e.Time.Add(-c.age) // imported: it happened then and arrives now
		w.happen(e)
		w.settle()
		if got := len(w.rounds("per_1")) == 1; got != c.enter {
			t.Errorf("%q, %v old: entered %v", c.rule, c.age, got)
		}
	}
}

func TestAMembershipCausedByAnOldEventStartsNothing(t *testing.T) {
	w := newWorld(t)
	w.publish("x", `{"trigger": {"segment_entered": {"id": "seg_1"}}, "nodes": [{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}}]}`)
	old, _ := json.Marshal(w.clock.Now().Add(-48 * time.Hour))
	w.happen(w.event("m1", 1, "Segment Entered", `{"segment_id": "seg_1", "cause": "event", "cause_time": `+string(old)+`}`),
		w.event("m2", 2, "Segment Entered", `{"segment_id": "seg_1", "cause": "time"}`))
	want(t, "imported", w.rounds("per_1"), []string{})
	want(t, "by time", w.rounds("per_2"), []string{"active w "})
}

func TestSegmentTriggersAndExits(t *testing.T) {
	w := newWorld(t)
	w.publish("x", `{"trigger": {"segment_entered": {"id": "seg_1"}}, "exit": [{"segment_left": {"id": "seg_1"}, "reason": "no longer lapsed"}],
		"nodes": [{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "day"}}, "next": {"next": "s"}}, {"id": "s", "kind": "send", "config": {"template": "tpl_1", "topic": "tpc_1"}}]}`)
	w.happen(
		w.event("a", 1, "Segment Entered", `{"segment_id": "seg_1", "cause": "time"}`),
		w.event("b", 2, "Segment Entered", `{"segment_id": "seg_1", "cause": "edit"}`),
		w.event("c", 3, "Segment Entered", `{"segment_id": "seg_2", "cause": "time"}`),
		w.event("d", 4, "Segment Entered", `{"segment_id": "seg_1", "cause": "event"}`))
	w.clock.Advance(time.Hour)
	w.happen(w.event("e", 4, "Segment Left", `{"segment_id": "seg_1", "cause": "edit"}`))
	w.pass(24 * time.Hour)
	want(t, "messages", w.messages(), []string{"per_1 tpl_1"})
	want(t, "left", w.rounds("per_4"), []string{"exited w exit_rule"})
}

func TestARuleThatExitsIsAskedBeforeEveryStep(t *testing.T) {
	w := newWorld(t)
	w.publish("x", `{"trigger": {"event": {"name": "Go"}}, "exit": [{"rule": {"trait": {"path": "id", "op": "eq", "value": "per_1"}}}],
		"nodes": [{"id": "s", "kind": "send", "config": {"template": "tpl_1", "topic": "tpc_1"}}]}`)
	w.happen(w.event("a", 1, "Go", `{}`), w.event("b", 2, "Go", `{}`))
	w.settle()
	want(t, "messages", w.messages(), []string{"per_2 tpl_1"})
	want(t, "exited", w.rounds("per_1"), []string{"exited s exit_rule"})
}

func TestRefusalsAreKeptWithTheStepAndThePersonMovesOn(t *testing.T) {
	w := newWorld(t)
	j := w.publish("cart", cartWith(""))
	w.refuse["per_1"] = "unsubscribed"
	w.happen(w.event("m1", 1, "Product Added", `{}`))
	w.pass(time.Hour)
	want(t, "rounds", w.rounds("per_1"), []string{"active goal "})
	_, steps, _ := w.svc.Path(t.Context(), ws, w.instance("per_1"))
	want(t, "step", []any{steps[2].Refused, steps[2].Reason}, []any{"unsubscribed", node.Because("message_refused", "why", "unsubscribed")})
	want(t, "count", w.stats(j.ID).Nodes[3].Refused, map[string]int64{"unsubscribed": 1})
	behind, err := w.svc.Behind(t.Context(), ws, j.ID, journey.Behind{Node: "mail", What: journey.Refused, Detail: "unsubscribed"}, page.Request{})
	if err != nil || len(behind.Items) != 1 || behind.Items[0].Person != "per_1" {
		t.Errorf("%v %+v", err, behind)
	}
}

func TestEachVisitOfALoopSendsItsOwnMessage(t *testing.T) {
	w := newWorld(t)
	w.publish("x", `{"trigger": {"event": {"name": "Go"}}, "goal": {"event": {"name": "Order Completed"}}, "nodes": [
		{"id": "s", "kind": "send", "config": {"template": "tpl_1", "topic": "tpc_1"}, "next": {"next": "w"}},
		{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "day"}}, "next": {"next": "s"}}]}`)
	w.happen(w.event("a", 1, "Go", `{}`))
	w.settle()
	w.pass(24 * time.Hour)
	w.pass(24 * time.Hour)
	want(t, "messages", len(w.messages()), 3)
	w.happen(w.event("o", 1, "Order Completed", `{}`))
	w.pass(24 * time.Hour)
	want(t, "after the goal", len(w.messages()), 3)
}

func TestPeopleFinishOnTheVersionTheyEntered(t *testing.T) {
	w := newWorld(t)
	j := w.publish("cart", cartWith(""))
	w.happen(w.event("m1", 1, "Product Added", `{}`))
	if _, err := w.svc.Edit(t.Context(), ws, j.ID, 0, "cart 2", parse(t, strings.ReplaceAll(cartWith(""), "tpl_1", "tpl_2"))); err != nil {
		t.Fatal(err)
	}
	w.happen(w.event("m2", 2, "Product Added", `{}`)) // the draft concerns nobody yet
	j, err := w.svc.Publish(t.Context(), ws, j.ID)
	if err != nil || j.Published != 2 {
		t.Fatal(j, err)
	}
	w.happen(w.event("m3", 3, "Product Added", `{}`))
	w.pass(time.Hour)
	want(t, "messages", w.strings(`SELECT person || ' ' || template FROM test_message ORDER BY person`), []string{"per_1 tpl_1", "per_2 tpl_1", "per_3 tpl_2"})
	w.happen(w.event("o1", 1, "Order Completed", `{}`)) // those on the old version still hear
	want(t, "goal", w.rounds("per_1"), []string{"done goal goal"})
	versions, err := w.svc.Versions(t.Context(), ws, j.ID)
	if err != nil || len(versions) != 2 || versions[0].Number != 2 {
		t.Errorf("%v %+v", err, versions)
	}
}

func TestPauseHoldsEverybodyAndResumeLetsThemOn(t *testing.T) {
	w := newWorld(t)
	j := w.publish("cart", cartWith(`"goal": {"event": {"name": "Order Completed"}}`))
	w.happen(w.event("m1", 1, "Product Added", `{}`), w.event("m2", 2, "Product Added", `{}`))
	if _, err := w.svc.Pause(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	w.happen(w.event("m3", 3, "Product Added", `{}`))
	w.pass(2 * time.Hour)
	want(t, "paused", w.messages(), []string{})
	w.happen(w.event("o2", 2, "Order Completed", `{}`))
	want(t, "the goal still counts", w.rounds("per_2"), []string{"done wait goal"})
	if _, err := w.svc.Resume(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	w.settle()
	want(t, "resumed", w.messages(), []string{"per_1 tpl_1"})
	want(t, "who came meanwhile", w.rounds("per_3"), []string{})
	want(t, "what waits in the outbox", w.held, []string{"paused journey " + j.ID, "resumed journey " + j.ID})
	for _, end := range []func() (journey.Journey, error){
		func() (journey.Journey, error) { return w.svc.Pause(t.Context(), ws, j.ID) },
		func() (journey.Journey, error) { return w.svc.End(t.Context(), ws, j.ID, false) },
	} {
		if _, err := end(); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "stopped after a pause", w.held[2:], []string{"paused journey " + j.ID, "resumed journey " + j.ID})
	for _, then := range []func(context.Context, string, string) (journey.Journey, error){w.svc.Resume, w.svc.Pause, w.svc.Publish} {
		if _, err := then(t.Context(), ws, j.ID); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "published while it is paused", w.held[4:], []string{"paused journey " + j.ID, "resumed journey " + j.ID})
}

// Whoever has paid in the night is not reminded in the morning.
func TestWhoLeavesBeforeTheEndOfTheirWayWantsNoMessageThatWaits(t *testing.T) {
	w := newWorld(t)
	goes := func(name, goal string) string {
		return `{"trigger": {"event": {"name": "` + name + `"}}, ` + goal + ` "exit": [{"event": {"name": "Cancelled"}}], "nodes": [
			{"id": "s", "kind": "send", "config": {"template": "tpl", "topic": "tpc"}, "next": {"next": "w"}},
			{"id": "w", "kind": "wait", "config": {"for": {"n": 2, "unit": "hour"}}}]}`
	}
	j := w.publish("x", goes("Go", `"goal": {"event": {"name": "Paid"}, "window": {"n": 5, "unit": "hour"}},`))
	for n := range uint64(6) {
		w.happen(w.event(fmt.Sprint("g", n), n+1, "Go", `{}`))
	}
	w.settle()
	w.happen(w.event("p1", 1, "Paid", `{}`), w.event("c2", 2, "Cancelled", `{}`))
	want(t, "inside", w.withdrawn, []string{"per_1 goal true", "per_2 exit_rule true"})
	if err := w.svc.Remove(t.Context(), ws, w.instance("per_3")); err != nil {
		t.Fatal(err)
	}
	w.pass(3 * time.Hour)
	want(t, "at the end of their way", w.rounds("per_4"), []string{"done w end"})
	want(t, "by hand", w.withdrawn[2:], []string{"per_3 removed true"})

	// The round is over, but its message may still wait for the night to end.
	w.happen(w.event("p4", 4, "Paid", `{}`), w.event("c5", 5, "Cancelled", `{}`), w.event("x6", 6, "Looked", `{}`))
	want(t, "afterwards", w.withdrawn[3:], []string{"per_4 goal true", "per_5 exit_rule true"})
	w.pass(3 * time.Hour)
	w.happen(w.event("p6", 6, "Paid", `{}`))
	want(t, "beyond the window", len(w.withdrawn), 5)

	w.happen(w.event("g7", 7, "Go", `{}`))
	w.settle()
	if _, err := w.svc.End(t.Context(), ws, j.ID, true); err != nil {
		t.Fatal(err)
	}
	w.settle()
	want(t, "all taken out", w.withdrawn[5:], []string{"per_7 stopped true"})
}

// Rules are not watched between steps, nor for people who are not inside: they are asked before what has waited goes.
func TestWhatHasWaitedIsNotWantedOnceARuleOfTheExitsHolds(t *testing.T) {
	w := newWorld(t)
	j := w.publish("x", `{"trigger": {"event": {"name": "Go"}}, "exit": [{"rule": {"event": {"name": "Paid", "agg": "count", "op": "gte", "value": 1, "window": "ever"}}}], "nodes": [
		{"id": "s", "kind": "send", "config": {"template": "tpl", "topic": "tpc"}}]}`)
	plain := w.publish("y", `{"trigger": {"event": {"name": "Other"}}, "exit": [{"event": {"name": "Paid"}}], "nodes": [{"id": "s", "kind": "send", "config": {"template": "tpl", "topic": "tpc"}}]}`)
	w.happen(w.event("g1", 1, "Go", `{}`), w.event("g2", 2, "Go", `{}`))
	w.settle()
	want(t, "over", w.rounds("per_1"), []string{"done s end"})
	message := func(id, person, journey string, change ...func(*outbox.Message)) outbox.Message {
		m := outbox.Message{ID: id, PersonID: person, Source: outbox.Source{Kind: "journey", ID: journey, Version: 1}}
		for _, c := range change {
			c(&m)
		}
		return m
	}
	waits := []outbox.Message{
		message("m1", "per_1", j.ID), message("m2", "per_2", j.ID), message("m3", "per_1", plain.ID), message("m4", "per_1", "jrn_gone"),
		message("m5", "per_1", j.ID, func(m *outbox.Message) { m.Source.Version = 9 }),
		message("m6", "per_1", j.ID, func(m *outbox.Message) { m.Source.Kind = "campaign" }),
		message("m7", "per_1", j.ID, func(m *outbox.Message) { m.Transactional = true }),
	}
	unwanted := func(of string) map[string]outbox.Evidence {
		t.Helper()
		out, err := w.svc.Unwanted(t.Context(), of, waits)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want(t, "before", len(unwanted(ws)), 0)
	w.happen(w.event("p1", 1, "Paid", `{}`))
	want(t, "after", unwanted(ws), map[string]outbox.Evidence{"m1": {"journey": j.ID, "why": "exit_rule"}})
	want(t, "of another workspace", len(unwanted("ws_2")), 0)
}

func TestEndLetsPeopleFinishOrTakesThemOut(t *testing.T) {
	w := newWorld(t)
	j := w.publish("cart", cartWith(""))
	w.happen(w.event("m1", 1, "Product Added", `{}`))
	if _, err := w.svc.End(t.Context(), ws, j.ID, false); err != nil {
		t.Fatal(err)
	}
	w.happen(w.event("m2", 2, "Product Added", `{}`))
	w.pass(time.Hour)
	want(t, "finishing", w.messages(), []string{"per_1 tpl_1"})
	if _, err := w.svc.Archive(t.Context(), ws, j.ID); !errs.Is(err, errs.KindConflict) {
		t.Errorf("archived with people inside: %v", err)
	}
	if _, err := w.svc.End(t.Context(), ws, j.ID, true); err != nil {
		t.Fatal(err)
	}
	w.settle()
	want(t, "taken out", append(w.rounds("per_1"), w.rounds("per_2")...), []string{"exited goal stopped"})
	j, _ = w.svc.Get(t.Context(), ws, j.ID)
	want(t, "draining", j.Draining, false)
	if _, err := w.svc.Archive(t.Context(), ws, j.ID); err != nil {
		t.Error(err)
	}
	if _, err := w.svc.Publish(t.Context(), ws, j.ID); !errs.Is(err, errs.KindConflict) {
		t.Errorf("published although archived: %v", err)
	}
}

func TestStatusChangesThatMakeNoSenseAreRefused(t *testing.T) {
	w := newWorld(t)
	j, err := w.svc.Create(t.Context(), ws, "", "draft", parse(t, cartWith("")))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(context.Context, string, string) (journey.Journey, error){
		"pause": w.svc.Pause, "resume": w.svc.Resume,
		"end": func(ctx context.Context, ws, id string) (journey.Journey, error) {
			return w.svc.End(ctx, ws, id, false)
		},
	} {
		if _, err := f(t.Context(), ws, j.ID); !errs.Is(err, errs.KindConflict) {
			t.Errorf("%s of a draft: %v", name, err)
		}
	}
	if _, err := w.svc.Edit(t.Context(), ws, j.ID, 7, "x", j.Draft); !errs.Is(err, errs.KindConflict) {
		t.Errorf("edit of another revision: %v", err)
	}
	if _, err := w.svc.Create(t.Context(), ws, "", " ", journey.Graph{}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("no name: %v", err)
	}
	if _, err := w.svc.Publish(t.Context(), ws, "jrn_none"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestMergedPeopleAreLedOnce(t *testing.T) {
	w := newWorld(t)
	w.publish("cart", cartWith(""))
	w.publish("other", `{"trigger": {"event": {"name": "Go"}}, "nodes": [{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}, "next": {"next": "s"}},
		{"id": "s", "kind": "send", "config": {"template": "tpl_2", "topic": "tpc_1"}}]}`)
	w.happen(w.event("m1", 1, "Product Added", `{}`), w.event("m2", 2, "Product Added", `{}`), w.event("g", 1, "Go", `{}`))
	loser, winner := person.Ref{Workspace: ws, ID: "per_1", Num: 1}, person.Ref{Workspace: ws, ID: "per_2", Num: 2}
	for range 2 { // told twice, as may happen
		if err := w.db.InTx(t.Context(), func(ctx context.Context) error { return w.svc.PeopleMerged(ctx, ws, loser, winner) }); err != nil {
			t.Fatal(err)
		}
	}
	w.merged[1] = "per_2"
	w.pass(time.Hour)
	want(t, "messages", w.strings(`SELECT person || ' ' || template FROM test_message ORDER BY template`), []string{"per_2 tpl_1", "per_2 tpl_2"})
	want(t, "rounds", w.strings(`SELECT status || ' ' || node || ' ' || why FROM journey_instance WHERE person_id = 'per_2' ORDER BY id`),
		[]string{"exited wait merged", "active goal ", "done s end"})
	w.clock.Advance(time.Hour)
	w.happen(w.event("m3", 1, "Product Added", `{}`)) // the old number leads to the winner, who has been here
	want(t, "no second round", len(w.rounds("per_2")), 3)
}

func TestAPersonWhoIsGoneLeaves(t *testing.T) {
	w := newWorld(t)
	w.publish("cart", cartWith(""))
	w.happen(w.event("m1", 1, "Product Added", `{}`))
	w.gone["per_1"] = true
	w.pass(time.Hour)
	want(t, "rounds", w.rounds("per_1"), []string{"exited wait gone"})
}

func TestOnePersonCanBeTakenOut(t *testing.T) {
	w := newWorld(t)
	w.publish("cart", cartWith(""))
	w.happen(w.event("m1", 1, "Product Added", `{}`))
	if err := w.svc.Remove(t.Context(), ws, w.instance("per_1")); err != nil {
		t.Fatal(err)
	}
	want(t, "rounds", w.rounds("per_1"), []string{"exited wait removed"})
	if err := w.svc.Remove(t.Context(), ws, w.instance("per_1")); !errs.Is(err, errs.KindConflict) {
		t.Errorf("again: %v", err)
	}
	p, err := w.svc.OfPerson(t.Context(), ws, "per_1", page.Request{})
	if err != nil || len(p.Items) != 1 {
		t.Errorf("%v %+v", err, p)
	}
}

// What was there at publishing may be archived or deleted afterwards. Whoever looks at the journey is told which step it concerns.
func TestWhatARunningJourneyNamesAndIsGoneIsTold(t *testing.T) {
	w := newWorld(t)
	graph := parse(t, mail(`{"event": {"name": "Cart"}}`, ""))
	j, err := w.svc.Create(t.Context(), ws, "x", "x", graph)
	if err != nil {
		t.Fatal(err)
	}
	gone := errs.Conflict("template.archived", "archived")
	w.checks["tpl"] = gone
	if err := w.svc.Faults(t.Context(), ws, j.ID); err != nil {
		t.Errorf("a draft names nothing that runs: %v", err)
	}
	delete(w.checks, "tpl")
	if j, err = w.svc.Publish(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.svc.Faults(t.Context(), ws, j.ID); err != nil {
		t.Errorf("all is there: %v", err)
	}
	w.checks["tpl"], w.checks["email"] = gone, errs.NotFound("channel", "email")
	all := errs.All(w.svc.Faults(t.Context(), ws, j.ID))
	if len(all) != 2 || all[0].Code != "template.archived" || !strings.HasSuffix(all[0].Field, ".config.template") || all[1].Code != "journey.missing.channel" {
		t.Errorf("%v", all)
	}
	// The draft may be mended long before it is published: it is the version that people enter that counts.
	graph.Nodes = graph.Nodes[:1]
	graph.Nodes[0].Kind, graph.Nodes[0].Config, graph.Nodes[0].Next = "exit", nil, nil
	if _, err := w.svc.Edit(t.Context(), ws, j.ID, 0, "x", graph); err != nil {
		t.Fatal(err)
	}
	if len(errs.All(w.svc.Faults(t.Context(), ws, j.ID))) != 2 {
		t.Error("an edit of the draft hides what the running version lacks")
	}
	if _, err := w.svc.Publish(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.svc.Faults(t.Context(), ws, j.ID); err != nil {
		t.Errorf("published anew: %v", err)
	}
}

// What a goal is worth is read from the property that its author named, on the way, afterwards and for those kept out alike.
func TestAGoalIsWorthWhatItsPropertySays(t *testing.T) {
	w := newWorld(t)
	aim := `"event": {"name": "Signed"}, "window": {"n": 3, "unit": "day"}, "value": "contract.mrr"`
	j := w.publish("journey goal", mail(`{"event": {"name": "Go"}}`, `"holdout": {"percent": 50, "salt": "s"}, "goal": {`+aim+`}`))
	node := w.publish("goal node", `{"trigger": {"event": {"name": "Go"}}, "nodes": [{"id": "g", "kind": "goal", "config": {`+aim+`}}]}`)
	const people = 40
	for n := range uint64(people) {
		w.happen(w.event(fmt.Sprint("g", n), n+1, "Go", `{}`))
	}
	w.settle()
	for n := range uint64(people) {
		w.happen(w.event(fmt.Sprint("s", n), n+1, "Signed", `{"total": 99, "currency": "EUR", "contract": {"mrr": 5}}`))
	}
	w.settle()
	s := w.stats(j.ID)
	if s.Entered == 0 || s.Control.Entered == 0 {
		t.Fatalf("%+v", s)
	}
	want(t, "led and kept out", []any{s.LateRevenue["EUR"] + s.Revenue["EUR"], s.Control.Revenue["EUR"]}, []any{500 * s.Entered, 500 * s.Control.Entered})
	want(t, "at a goal node", w.stats(node.ID).Revenue["EUR"], 500*people)
}
