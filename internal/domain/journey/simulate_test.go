package journey_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// simulated runs a simulation to its end.
func (w *world) simulated(id string, version, days, sample int) journey.Simulation {
	w.t.Helper()
	sim, err := w.svc.Simulate(w.t.Context(), ws, id, version, days, sample)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.over(sim.ID)
}

func (w *world) over(id string) journey.Simulation {
	w.t.Helper()
	ended, err := w.svc.SimulationEnded(w.t.Context(), ws, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return ended
}

// TestASimulationSaysWhatTheJourneyThenDoes lives the same days twice: once rehearsed afterwards, once led by the journey itself.
func TestASimulationSaysWhatTheJourneyThenDoes(t *testing.T) {
	const people = 60
	live := func(w *world) {
		for day := range 20 {
			for n := range uint64(people) {
				if (int(n)+day)%7 == 0 {
					w.happen(w.event(fmt.Sprintf("c%d-%d", n, day), n+1, "Product Added", `{"product": "Lamp"}`))
				}
				if (int(n)*3+day)%11 == 0 {
					w.happen(w.event(fmt.Sprintf("o%d-%d", n, day), n+1, "Order Completed", `{"total": 9, "currency": "EUR"}`))
				}
			}
			for range 24 {
				w.pass(time.Hour)
			}
		}
	}
	graph := cartWith(`"re_entry": {"mode": "after", "after": {"n": 5, "unit": "day"}}`)
	real := newWorld(t)
	j := real.publish("x", graph)
	live(real)
	want := real.stats(j.ID)

	w := newWorld(t)
	for n := range uint64(people) {
		w.sets[""] = append(w.sets[""], n+1)
	}
	w.reach = map[string]rule.Channel{"email": {Reachable: true, Topics: map[string]bool{"tpc_1": true}}}
	draft, err := w.svc.Create(t.Context(), ws, "", "draft", parse(t, graph))
	if err != nil {
		t.Fatal(err)
	}
	live(w)
	sim := w.simulated(draft.ID, 0, 21, 0)
	if sim.Status != journey.SimulationDone || sim.Looked != people || sim.Entered != want.Entered || sim.Goals != want.Goals || sim.Inside != want.Inside {
		t.Errorf("simulated %+v\nwas %+v", sim, want)
	}
	if sim.Messages == 0 || sim.Messages != want.Nodes[3].Queued || int(sim.Messages) != len(real.messages()) {
		t.Errorf("%d messages simulated, %d sent", sim.Messages, len(real.messages()))
	}
	for n, at := range want.Nodes {
		if got := sim.Nodes[n]; got.In != at.In || fmt.Sprint(got.Out) != fmt.Sprint(at.Out) {
			t.Errorf("%s: simulated %+v, was %+v", at.Node, got, at)
		}
	}
	if len(w.messages())+len(w.rounds("per_1")) != 0 {
		t.Error("a simulation leaves something behind")
	}
	w.reach = nil
	if sim = w.simulated(draft.ID, 0, 21, 10); sim.People != 10 || sim.Everybody != people || sim.Messages != 0 || sim.Refused["no_address"] == 0 || !slices.Contains(sim.About, journey.AboutSample) {
		t.Errorf("a sample of people nobody can write to: %+v", sim)
	}
}

func TestSimulationsOfDatesSilenceAndSchedules(t *testing.T) {
	w := newWorld(t)
	w.sets[""], w.sets["seg_1"] = []uint64{1, 2}, []uint64{2}
	w.know(1, "birthday", "1990-03-05")
	w.keep(w.event("a", 1, "Seen", `{}`), w.event("b", 2, "Seen", `{}`))
	w.clock.Advance(10 * 24 * time.Hour)
	for trigger, entered := range map[string]int64{
		birthday: 1,
		`{"inactive": {"for": {"n": 3, "unit": "day"}}}`:                        2,
		`{"schedule": {"set": "seg_1", "cron": "0 9 * * *", "zone": "person"}}`: 10,
	} {
		j, err := w.svc.Create(t.Context(), ws, "", "d", parse(t, mail(trigger, `"re_entry": {"mode": "always"}`)))
		if err != nil {
			t.Fatal(err)
		}
		if got := w.simulated(j.ID, 0, 10, 0); got.Entered != entered || got.Refused["no_address"] != entered {
			t.Errorf("%s: %+v", trigger, got)
		}
	}
}

func TestASimulationIsCancelled(t *testing.T) {
	w := newWorld(t)
	for n := range uint64(1000) {
		w.sets[""] = append(w.sets[""], n+1)
	}
	j, err := w.svc.Create(t.Context(), ws, "", "d", parse(t, mail(`{"event": {"name": "Go"}}`, "")))
	if err != nil {
		t.Fatal(err)
	}
	reached, go_on := make(chan struct{}), make(chan struct{})
	w.loading = func() { close(reached); <-go_on }
	sim, err := w.svc.Simulate(t.Context(), ws, j.ID, 0, 7, 0)
	if err != nil {
		t.Fatal(err)
	}
	<-reached
	if _, err := w.svc.Simulate(t.Context(), ws, j.ID, 0, 7, 0); !errs.Is(err, errs.KindConflict) {
		t.Errorf("two at once: %v", err)
	}
	if _, err := w.svc.CancelSimulation(t.Context(), ws, sim.ID); err != nil {
		t.Fatal(err)
	}
	close(go_on)
	if got := w.over(sim.ID); got.Status != journey.SimulationCancelled || got.Looked == 1000 {
		t.Errorf("%+v", got)
	}
	if _, err := w.svc.Simulation(t.Context(), "ws_2", sim.ID); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("another workspace: %v", err)
	}
}

func TestATrialJumpsFromStepToStep(t *testing.T) {
	w := newWorld(t)
	j, err := w.svc.Create(t.Context(), ws, "", "d", parse(t, cartWith("")))
	if err != nil {
		t.Fatal(err)
	}
	try := func(events ...journey.TrialEvent) (path []string, last journey.Trace) {
		t.Helper()
		last, err := w.svc.Try(t.Context(), ws, j.ID, journey.Trial{Trigger: journey.TrialEvent{Name: "Product Added", Properties: json.RawMessage(`{"product": "Lamp"}`)}, Events: events})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range last.Steps {
			path = append(path, s.Node+" "+s.Output+s.Why+" "+s.Left.Sub(start).String())
		}
		return path, last
	}
	path, last := try()
	want(t, "nothing happens", path, []string{"wait next 1h0m0s", "ordered no 1h0m0s", "mail next 1h0m0s", "mark next 1h0m0s", "goal missed 73h0m0s"})
	if !last.Matches || last.Endless {
		t.Errorf("%+v", last)
	}
	path, _ = try(journey.TrialEvent{Name: event.OrderCompleted, After: 30 * time.Minute})
	want(t, "orders alone", path, []string{"wait next 1h0m0s", "ordered yes 1h0m0s", "leave exit_node 1h0m0s"})
	path, _ = try(journey.TrialEvent{Name: event.OrderCompleted, After: 5 * time.Hour})
	want(t, "orders after the mail", path[4:], []string{"goal goal 5h0m0s"})
	if _, err := w.svc.Try(t.Context(), ws, j.ID, journey.Trial{Person: "per_9", Trigger: journey.TrialEvent{Name: "x"}}); err != nil {
		t.Error(err)
	}
	want(t, "nothing was sent", len(w.messages())+len(w.emitted()), 0)
}

func TestWhatIsMadeUpDuringATrialLeadsOn(t *testing.T) {
	w := newWorld(t)
	j, err := w.svc.Create(t.Context(), ws, "", "d", parse(t, `{"trigger": {"event": {"name": "Go"}}, "nodes": [
		{"id": "vip", "kind": "wait_for", "config": {"rule": {"trait": {"path": "plan", "op": "eq", "value": "gold"}}, "timeout": {"n": 3, "unit": "day"}}, "next": {"happened": "click", "timeout": "late"}},
		{"id": "click", "kind": "wait_for", "config": {"event": {"name": "Message Clicked"}, "timeout": {"n": 1, "unit": "day"}}, "next": {"happened": "yes"}},
		{"id": "yes", "kind": "exit"}, {"id": "late", "kind": "exit"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	path := func(events ...journey.TrialEvent) (out []string) {
		t.Helper()
		got, err := w.svc.Try(t.Context(), ws, j.ID, journey.Trial{Trigger: journey.TrialEvent{Name: "Go"}, Events: events})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range got.Steps {
			out = append(out, s.Node+" "+s.Output+s.Why+" "+s.Left.Sub(start).String())
		}
		return out
	}
	gold := journey.TrialEvent{After: 2 * time.Hour, Traits: map[string]any{"plan": "gold"}}
	click := journey.TrialEvent{After: 5 * time.Hour, Name: event.MessageClicked}
	want(t, "nothing", path(), []string{"vip timeout 72h0m0s", "late exit_node 72h0m0s"})
	want(t, "a trait changes", path(gold), []string{"vip happened 2h0m0s", "click timeout 26h0m0s"})
	both := []string{"vip happened 2h0m0s", "click happened 5h0m0s", "yes exit_node 5h0m0s"}
	want(t, "and a click", path(click, gold), both)
	want(t, "again the same", path(click, gold), both)
	for _, bad := range []journey.TrialEvent{{}, {Name: "x", Traits: map[string]any{"a": 1}}} {
		if _, err := w.svc.Try(t.Context(), ws, j.ID, journey.Trial{Trigger: journey.TrialEvent{Name: "Go"}, Events: []journey.TrialEvent{bad}}); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	want(t, "nothing was sent", len(w.messages())+len(w.emitted()), 0)
}

func TestATrialTakesWhatAWebhookIsImaginedToSayAndShowsTheMessages(t *testing.T) {
	w := newWorld(t)
	j, err := w.svc.Create(t.Context(), ws, "", "d", parse(t, `{"trigger": {"event": {"name": "Go"}}, "nodes": [
		{"id": "list", "kind": "add_to_list", "config": {"list": "lst_1"}, "next": {"next": "ask"}},
		{"id": "ask", "kind": "webhook", "config": {"url": "https://shop.example/score"}, "next": {"done": "mark", "refused": "no", "timeout": "late"}},
		{"id": "mark", "kind": "set_trait", "config": {"traits": {"scored": true}}, "next": {"next": "mail"}},
		{"id": "mail", "kind": "send", "config": {"template": "tpl_1", "topic": "news"}},
		{"id": "no", "kind": "exit"}, {"id": "late", "kind": "exit"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	try := func(replies ...journey.TrialReply) (path []string, got journey.Trace) {
		t.Helper()
		got, err := w.svc.Try(t.Context(), ws, j.ID, journey.Trial{Trigger: journey.TrialEvent{Name: "Go", Properties: json.RawMessage(`{"n": 1}`)}, Replies: replies})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range got.Steps {
			path = append(path, s.Node+" "+s.Output+s.Why+" "+s.Left.Sub(start).String())
		}
		return path, got
	}
	path, _ := try()
	want(t, "nobody answers", path, []string{"list next 0s", "ask timeout 1h0m0s", "late exit_node 1h0m0s"})
	path, _ = try(journey.TrialReply{Node: "ask", Status: 404})
	want(t, "a refusal", path, []string{"list next 0s", "ask refused 0s", "no exit_node 0s"})
	path, got := try(journey.TrialReply{Node: "ask", Status: 200, Body: json.RawMessage(`{"score": 7}`)})
	want(t, "an answer", path, []string{"list next 0s", "ask done 0s", "mark next 0s", "mail next 0s"})
	if len(got.Letters) != 1 || got.Steps[got.Letters[0].Step].Node != "mail" || got.Letters[0].Template != "tpl_1" || got.Letters[0].Traits["scored"] != true {
		t.Fatalf("%+v", got.Letters)
	}
	raw, _ := json.Marshal(got.Letters[0].Vars)
	if s := string(raw); !strings.Contains(s, `"score":7`) || !strings.Contains(s, `"n":1`) {
		t.Errorf("filled with %s", s)
	}
	for _, bad := range []journey.TrialReply{{Node: "mail", Status: 200}, {Node: "none"}, {Node: "ask", Status: 42}} {
		if _, err := w.svc.Try(t.Context(), ws, j.ID, journey.Trial{Trigger: journey.TrialEvent{Name: "Go"}, Replies: []journey.TrialReply{bad}}); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	want(t, "nothing was sent", len(w.messages())+len(w.emitted()), 0)
}
