package journey_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const untilGone = `{"trigger": {"event": {"name": "Go"}}, "nodes": [
	{"id": "w", "kind": "wait", "config": {"for": {"n": 30, "unit": "day"}}, "next": {"next": "s"}},
	{"id": "s", "kind": "send", "config": {"template": "tpl", "topic": "tpc"}}],
	"exit": [{"rule": {"any": [{"trait": {"path": "tier", "op": "eq", "value": "vip"}},
		{"event": {"name": "Visit", "agg": "count", "op": "eq", "value": 0, "window": {"within": {"n": 7, "unit": "day"}}}}]}, "reason": "no longer meant"}]}`

func TestAnExitRuleTakesPeopleOutWhileTheyWait(t *testing.T) {
	w := newWorld(t)
	j := w.publish("x", untilGone)
	for n := range uint64(3) {
		w.keep(w.event(fmt.Sprint("v", n), n+1, "Visit", `{}`))
		w.happen(w.event(fmt.Sprint("g", n), n+1, "Go", `{}`))
	}
	w.settle()
	want(t, "inside", w.stats(j.ID).Inside, 3)
	w.pass(time.Hour)
	w.know(1, "tier", "vip")
	w.settle()
	want(t, "by what changed", w.path("per_1"), "w!exit_rule")
	i, _, _ := w.svc.Path(t.Context(), ws, w.instance("per_2"))
	if !i.Memory.Until.Equal(start.AddDate(0, 0, 30)) || i.Memory.Waits.IsZero() || !i.Due.Before(i.Memory.Until) {
		t.Errorf("%+v", i)
	}
	w.pass(6 * 24 * time.Hour)
	w.keep(w.event("v9", 3, "Visit", `{}`))
	w.pass(23*time.Hour - time.Second)
	want(t, "a second before", w.stats(j.ID).Inside, 2)
	w.pass(2 * time.Second)
	want(t, "by time alone", w.path("per_2"), "w!exit_rule")
	want(t, "who came back stays", w.rounds("per_3"), []string{"active w "})
	want(t, "messages", w.messages(), []string{})
}

func version(wait int, node string) string {
	return fmt.Sprintf(`{"trigger": {"event": {"name": "Go"}}, "nodes": [
		{"id": "a", "kind": "wait", "config": {"for": {"n": %d, "unit": "hour"}}, "next": {"next": %q}},
		{"id": %q, "kind": "wait", "config": {"for": {"n": 10, "unit": "hour"}}, "next": {"next": "s"}},
		{"id": "s", "kind": "send", "config": {"template": "tpl", "topic": "tpc"}}]}`, wait, node, node)
}

func (w *world) republish(id, graph string) {
	w.t.Helper()
	if _, err := w.svc.Edit(w.t.Context(), ws, id, 0, "m", parse(w.t, graph)); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.svc.Publish(w.t.Context(), ws, id); err != nil {
		w.t.Fatal(err)
	}
}

func TestPeopleMoveToTheNewVersionByTheMappingWhateverFails(t *testing.T) {
	w := newWorld(t)
	const people = 700 // some batches
	j := w.publish("m", version(5, "b"))
	for n := range uint64(people) {
		w.happen(w.event(fmt.Sprint("g", n), n+1, "Go", `{}`))
		if n == people/2 {
			w.settle()
			w.pass(5 * time.Hour) // the first half is at b now
		}
	}
	w.settle()
	w.republish(j.ID, version(8, "c"))
	if _, err := w.svc.Migrate(t.Context(), ws, j.ID, journey.Migration{}); !errs.Is(err, errs.KindInvalid) {
		t.Fatalf("a node without a place to go: %v", err)
	}
	for range 2 { // asked twice with one key
		if _, err := w.svc.Migrate(t.Context(), ws, j.ID, journey.Migration{Nodes: map[string]string{"b": "c"}, Key: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	tries := 0
	w.fail = func(string) error {
		if tries++; tries%3 != 0 {
			return errBroken
		}
		return nil
	}
	for range 30 {
		_, _ = w.svc.Tick(t.Context()) // dies now and then
		w.clock.Advance(2 * time.Minute)
		w.svc = w.service() // and another process goes on
	}
	w.fail = nil
	w.pass(2 * time.Hour)
	got, err := w.svc.Tasks(t.Context(), ws, j.ID, page.Request{})
	if err != nil || len(got.Items) != 1 || got.Items[0].Status != journey.TaskDone || got.Items[0].Done != people || got.Items[0].Total != people {
		t.Fatalf("%v %+v", err, got.Items)
	}
	s := w.stats(j.ID)
	want(t, "all on the new version", s.Versions, map[int]int64{2: people})
	for _, n := range s.Nodes {
		switch n.Node {
		case "a":
			want(t, "at a", n.Now, people/2-1)
			want(t, "who moved has come to a once", n.In, people)
		case "b":
			want(t, "at b", n.Now, 0)
		case "c":
			want(t, "at c", n.Now, people/2+1)
		}
	}
	w.pass(2 * time.Hour) // the others entered five hours later: eight hours are not over
	want(t, "the wait goes on from where it began", w.path("per_700"), "a>")
	w.pass(8 * time.Hour)
	w.pass(10 * time.Hour)
	want(t, "each got one message", len(w.messages()), people)
	want(t, "path", w.path("per_1"), "a>next b>moved c>next s>next")
	want(t, "inside", w.stats(j.ID).Inside, 0)
}

func TestPeopleLeaveWithTheirVersion(t *testing.T) {
	w := newWorld(t)
	j := w.publish("m", version(5, "b"))
	w.happen(w.event("g1", 1, "Go", `{}`))
	w.settle()
	w.republish(j.ID, version(5, "c"))
	w.happen(w.event("g2", 2, "Go", `{}`))
	w.settle()
	if _, err := w.svc.Migrate(t.Context(), ws, j.ID, journey.Migration{Exit: true}); err != nil {
		t.Fatal(err)
	}
	w.settle()
	want(t, "old", w.rounds("per_1"), []string{"exited a version_ended"})
	want(t, "new", w.rounds("per_2"), []string{"active a "})
}

func TestVersionsAreComparedReadably(t *testing.T) {
	a, b := parse(t, version(5, "b")), parse(t, version(8, "c"))
	b.Caps = &journey.Caps{Inside: 5}
	b.Trigger.Event.Name = "Start"
	b.Nodes[0].X = 9
	var got []string
	for _, c := range journey.Diff(a, b) {
		got = append(got, fmt.Sprintf("%s %s %s %s>%s", c.What, c.Node, c.Field, c.From, c.To))
	}
	want(t, "changes", got, []string{
		`trigger_changed  event.name "Go">"Start"`, `settings_changed  caps >{"inside":5}`, `node_changed a config.for {"n":5,"unit":"hour"}>{"n":8,"unit":"hour"}`, `connection_changed a next "b">"c"`,
		`node_added c  >`, `connection_changed c next >"s"`, `node_removed b  >`,
	})
	want(t, "none", len(journey.Diff(a, a)), 0)
}

func TestTheControlIsWatchedForTheGoalAndGetsNothing(t *testing.T) {
	w := newWorld(t)
	j := w.publish("h", mail(`{"event": {"name": "Go"}}`, `"holdout": {"percent": 50, "salt": "s"}, "goal": {"event": {"name": "Order"}, "window": {"n": 3, "unit": "day"}}`))
	const people = 200
	for n := range uint64(people) {
		w.happen(w.event(fmt.Sprint("g", n), n+1, "Go", `{}`))
	}
	w.settle()
	s := w.stats(j.ID)
	if s.Control.Entered < 70 || s.Control.Entered > 130 || s.Entered+s.Control.Entered != people || s.Control.Watched != s.Control.Entered {
		t.Fatalf("%+v", s)
	}
	want(t, "messages", len(w.messages()), s.Entered)
	// Each figure leads to as many people as it counts, each once.
	leads := func() (led, kept int64) {
		t.Helper()
		c, err := w.svc.Against(t.Context(), ws, j.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, control := range []bool{false, true} {
			arm := c.Led
			if control {
				arm = c.Kept
			}
			for _, did := range []bool{false, true} {
				seen, rows := map[string]bool{}, 0
				for p := (page.Request{Limit: 7}); ; {
					found, err := w.svc.AgainstPeople(t.Context(), ws, j.ID, control, did, p)
					if err != nil {
						t.Fatal(err)
					}
					for _, x := range found.Items {
						seen[x.Person], rows = true, rows+1
					}
					if p.Cursor = found.Next; p.Cursor == "" {
						break
					}
				}
				counted := arm.People
				if did {
					counted = arm.Reached
				}
				want(t, fmt.Sprintf("list of the people, kept out %t, reached %t", control, did), []int64{int64(rows), int64(len(seen))}, []int64{counted, counted})
			}
		}
		return c.Led.Reached, c.Kept.Reached
	}
	w.pass(24 * time.Hour)
	for n := range uint64(people) / 2 {
		w.happen(w.event(fmt.Sprint("o", n), n+1, "Order", `{"total": 2, "currency": "EUR"}`))
	}
	w.settle()
	led, kept := leads()
	want(t, "half have ordered", led+kept, people/2)
	for n := range uint64(people) / 2 {
		w.happen(w.event(fmt.Sprint("o", people/2+n), people/2+n+1, "Order", `{"total": 2, "currency": "EUR"}`))
	}
	w.pass(24 * time.Hour)
	for n := range uint64(people) {
		w.happen(w.event(fmt.Sprint("p", n), n+1, "Order", `{"total": 2, "currency": "EUR"}`)) // counts once
	}
	w.pass(3 * 24 * time.Hour)
	s = w.stats(j.ID)
	want(t, "control", []any{s.Control.Goals, s.Control.Revenue["EUR"], s.Control.Watched}, []any{s.Control.Entered, s.Control.Entered * 200, 0})
	want(t, "led, who had left when they ordered", []any{s.Goals, s.LateGoals, s.LateRevenue["EUR"]}, []any{0, s.Entered, s.Entered * 200})
	want(t, "the control leaves no trace of its own", len(w.emitted()), 2*int(s.Entered))

	got, err := w.svc.Against(t.Context(), ws, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	arm := func(n int64) journey.Arm {
		return journey.Arm{People: n, Reached: n, Money: map[string]journey.Sums{"EUR": {Sum: 200 * n, Squares: 200 * 200 * float64(n)}}}
	}
	want(t, "led against kept out, late goals included", []any{got.Led, got.Kept}, []any{arm(s.Entered), arm(s.Control.Entered)})
	want(t, "until the window of the last has closed", got.Until.Before(w.clock.Now()) && got.Until.After(w.clock.Now().Add(-3*24*time.Hour)), true)

	// Versions without a holdout have nobody to compare with and do not blur those that have.
	g := parse(t, mail(`{"event": {"name": "Go"}}`, `"re_entry": {"mode": "always"}`))
	if _, err := w.svc.Edit(t.Context(), ws, j.ID, 0, "h", g); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Publish(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(10) {
		w.happen(w.event(fmt.Sprint("again", n), n+1, "Go", `{}`))
	}
	w.settle()
	again, err := w.svc.Against(t.Context(), ws, j.ID)
	if err != nil || again.Led.People != got.Led.People || again.Kept.People != got.Kept.People {
		t.Errorf("after a version without: %+v, %v", again, err)
	}
	leads()
}

func TestNobodyIsStuckSilently(t *testing.T) {
	w := newWorld(t)
	j := w.publish("x", `{"trigger": {"event": {"name": "Go"}}, "nodes": [
		{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}, "next": {"next": "s"}}, {"id": "s", "kind": "send", "config": {"template": "tpl", "topic": "tpc"}}]}`)
	w.happen(w.event("g1", 1, "Go", `{}`), w.event("g2", 2, "Go", `{}`), w.event("g3", 3, "Go", `{}`))
	w.settle()
	trouble := func() journey.Trouble {
		t.Helper()
		got, err := w.svc.Trouble(t.Context(), ws, "")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	want(t, "well", trouble(), journey.Trouble{})
	w.clock.Advance(time.Hour + journey.Overdue + time.Second) // nobody works
	want(t, "overdue", trouble().Overdue, 3)
	w.fail = func(what string) error {
		switch what {
		case "enqueue per_1":
			return errBroken
		case "enqueue per_2":
			return errPermanent
		}
		return nil
	}
	w.settle()
	want(t, "one tried again, one parked, one gone on", trouble(), journey.Trouble{Parked: 1, Trying: 1})
	got, err := w.svc.Stuck(t.Context(), ws, j.ID, page.Request{Limit: 1})
	if err != nil || len(got.Items) != 1 || got.Items[0].Cause != "parked" || got.Items[0].Error.IsZero() {
		t.Fatalf("%v %+v", err, got)
	}
	got, err = w.svc.Stuck(t.Context(), ws, j.ID, page.Request{Limit: 1, Cursor: got.Next})
	if err != nil || len(got.Items) != 1 || got.Items[0].Cause != "trying" || got.Next != "" {
		t.Fatalf("%v %+v", err, got)
	}
	w.fail = nil
	if n, err := w.svc.RetryAll(t.Context(), ws, j.ID); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	w.pass(time.Hour)
	want(t, "well again", trouble(), journey.Trouble{})
	want(t, "messages", len(w.messages()), 3)
	if _, err := w.svc.Pause(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
}

const perOrder = `{"trigger": {"event": {"name": "Order Completed"}}, "re_entry": {"mode": "always", "key": "order_id"}, "nodes": [
	{"id": "w", "kind": "wait_for", "config": {"event": {"name": "Delivered", "same": ["order_id"]}, "timeout": {"n": 30, "unit": "day"}}, "next": {"happened": "b"}},
	{"id": "b", "kind": "branch", "config": {"event_since_entry": {"name": "Praised", "same": ["order_id", "shop.id"]}}, "next": {"yes": "s"}},
	{"id": "s", "kind": "send", "config": {"template": "tpl", "topic": "tpc"}}],
	"exit": [{"event": {"name": "Order Cancelled", "same": ["order_id"]}}]}`

func TestWhatHappensToOneOrderIsNotTakenForAnother(t *testing.T) {
	w := newWorld(t)
	j := w.publish("x", perOrder)
	order := func(id, name, props string) { w.happen(w.event(id, 1, name, props)); w.settle() }
	order("o1", "Order Completed", `{"order_id": "A", "shop": {"id": 7}}`)
	order("o2", "Order Completed", `{"order_id": "B"}`)
	order("o3", "Order Completed", `{"order_id": "C", "shop": {"id": 7}}`)
	order("c1", "Order Cancelled", `{"order_id": "Z"}`)
	order("c2", "Order Cancelled", `{}`)
	want(t, "orders of nobody here", w.stats(j.ID).Inside, 3)
	order("c3", "Order Cancelled", `{"order_id": "A"}`)
	want(t, "A is cancelled", w.stats(j.ID).Inside, 2)
	order("p1", "Praised", `{"order_id": "B", "shop": {"id": 9}}`)
	order("p2", "Praised", `{"order_id": "C", "shop": {"id": 8}}`)
	order("d1", "Delivered", `{"order_id": "A"}`)
	want(t, "what was cancelled waits no more", w.stats(j.ID).Inside, 2)
	order("d2", "Delivered", `{"order_id": "C"}`)
	want(t, "praise in another shop", w.messages(), []string{})
	order("d3", "Delivered", `{"order_id": "B"}`)
	want(t, "what the order did not say is not compared", len(w.messages()), 1)
	want(t, "nobody is left", w.stats(j.ID).Inside, 0)
}

func TestOnlyWhatFollowsTheEntranceIsComparedWithIt(t *testing.T) {
	same := `{"name": "A", "same": ["order_id"]}`
	step := `{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "day"}}}`
	for field, graph := range map[string]string{
		"trigger.event.same":           `{"trigger": {"event": ` + same + `}, "nodes": [` + step + `]}`,
		"goal.event.same":              `{"trigger": {"event": {"name": "A"}}, "goal": {"event": ` + same + `}, "nodes": [` + step + `]}`,
		"nodes[g].config.event.same":   `{"trigger": {"event": {"name": "A"}}, "nodes": [{"id": "g", "kind": "goal", "config": {"event": ` + same + `, "window": {"n": 1, "unit": "day"}}}]}`,
		"nodes[b].config.trigger.same": `{"trigger": {"event": {"name": "A"}}, "nodes": [{"id": "b", "kind": "branch", "config": {"trigger": ` + same + `}}]}`,
		"exit[0].event.same":           `{"trigger": {"event": {"name": "A"}}, "exit": [{"event": {"name": "B", "same": [" "]}}], "nodes": [` + step + `]}`,
	} {
		_, err := journey.Compile(parse(t, graph))
		if all := errs.All(err); len(all) != 1 || all[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
