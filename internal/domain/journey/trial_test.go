package journey_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func tested(metric, goal string) string {
	return `{"trigger": {"event": {"name": "Go"}}, ` + goal + ` "nodes": [
	{"id": "t", "kind": "ab_test", "config": {"name": "words", "ways": 2, "metric": "` + metric + `", "people": 50, "wait": {"n": 1, "unit": "day"}}, "next": {"a": "ma", "b": "mb"}},
	{"id": "ma", "kind": "send", "config": {"template": "tpl_a", "topic": "tpc_1"}, "next": {"next": "w"}},
	{"id": "mb", "kind": "send", "config": {"template": "tpl_b", "topic": "tpc_1"}, "next": {"next": "w"}},
	{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "week"}}}]}`
}

func TestATestOfTheGoalIsDecidedOnceAndSendsEverybodyTheWinnersWay(t *testing.T) {
	w := newWorld(t)
	j := w.publish("x", tested("goal", `"goal": {"event": {"name": "Win"}},`))
	went := func() map[string][]string {
		out := map[string][]string{}
		for _, r := range w.strings(`SELECT output || ' ' || person_id FROM journey_step WHERE node = 't' ORDER BY instance_id`) {
			out[r[:1]] = append(out[r[:1]], r[2:])
		}
		return out
	}
	for n := range 150 {
		w.happen(w.event(fmt.Sprint("g", n), uint64(n+1), "Go", `{}`))
	}
	w.settle()
	both := went()
	if len(both["a"]) < 50 || len(both["b"]) < 50 {
		t.Fatalf("%d and %d", len(both["a"]), len(both["b"]))
	}
	for n, who := range both["b"] { // four of five who go b reach the goal, nobody who goes a
		if n%5 != 0 {
			var num uint64
			fmt.Sscanf(who, "per_%d", &num)
			w.clock.Advance(time.Second)
			w.happen(w.event("win"+who, num, "Win", `{}`))
		}
	}
	stats := func() string {
		all, err := w.svc.Trials(t.Context(), ws, j.ID)
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		if all[0].Decision == nil {
			return "undecided"
		}
		return fmt.Sprint(all[0].Decision.Winner, all[0].Decision.Certain)
	}
	w.pass(time.Hour)
	w.happen(w.event("early", 201, "Go", `{}`))
	w.settle()
	want(t, "however clear it looks, not before the time", stats(), "undecided")
	w.pass(24 * time.Hour)
	for n := range 20 {
		w.happen(w.event(fmt.Sprint("late", n), uint64(300+n), "Go", `{}`))
	}
	w.settle()
	want(t, "decided", stats(), "btrue")
	want(t, "everybody goes the winner's way", w.strings(`SELECT DISTINCT output FROM journey_step WHERE node = 't' AND LENGTH(person_id) = 7 AND person_id >= 'per_300'`), []string{"b"})
	want(t, "with the reason", w.strings(`SELECT DISTINCT reason FROM journey_step WHERE node = 't' AND person_id = 'per_300'`), []string{`{"code":"test_decided","data":{"way":"b"}}`})

	for n, who := range both["a"] { // what comes later changes nothing
		var num uint64
		fmt.Sscanf(who, "per_%d", &num)
		w.happen(w.event(fmt.Sprint("wina", n), num, "Win", `{}`))
	}
	w.pass(time.Hour)
	w.happen(w.event("last", 400, "Go", `{}`))
	w.settle()
	want(t, "decided once", []any{stats(), w.strings(`SELECT output FROM journey_step WHERE person_id = 'per_400' AND node = 't'`)}, []any{"btrue", []string{"b"}})
}

func TestATestOfClicksLooksAtTheMessagesOfEachWay(t *testing.T) {
	w := newWorld(t)
	j := w.publish("x", tested("clicked", ""))
	w.figures = map[string]outbox.Counts{"ma": {Delivered: 70, Clicked: 9}, "mb": {Delivered: 49, Clicked: 2}}
	for n := range 150 {
		w.happen(w.event(fmt.Sprint("g", n), uint64(n+1), "Go", `{}`))
	}
	w.settle()
	w.pass(25 * time.Hour)
	w.happen(w.event("x", 201, "Go", `{}`))
	w.settle()
	all, err := w.svc.Trials(t.Context(), ws, j.ID)
	if err != nil || all[0].Decision != nil {
		t.Fatal("one message is not delivered yet", all, err)
	}
	w.figures["mb"] = outbox.Counts{Delivered: 50, Clicked: 2}
	w.pass(time.Minute)
	w.happen(w.event("y", 202, "Go", `{}`))
	w.settle()
	all, err = w.svc.Trials(t.Context(), ws, j.ID)
	if err != nil || all[0].Decision == nil || all[0].Decision.Winner != "a" || all[0].Decision.Certain || all[0].Detectable <= 0 || all[0].Detectable >= 1 {
		t.Errorf("%+v %v", all, err)
	}
	for changed, fault := range map[string]string{
		tested("clicked", ""): "",
		strings.Replace(strings.Replace(tested("clicked", ""), `"ways": 2`, `"ways": 3`, 1), `"b": "mb"}`, `"b": "mb", "c": "mc"}`, 1): "journey.ab_test.decided nodes[t].config.name",
	} {
		graph := strings.Replace(changed, `{"id": "w",`, `{"id": "mc", "kind": "send", "config": {"template": "tpl_c", "topic": "tpc_1"}, "next": {"next": "w"}}, {"id": "w",`, 1)
		if fault == "" {
			graph = changed
		}
		for name, fault := range map[string]string{"words": fault, "other words": ""} {
			if _, err := w.svc.Edit(t.Context(), ws, j.ID, 0, "x", parse(t, strings.Replace(graph, "words", name, 1))); err != nil {
				t.Fatal(err)
			}
			found := ""
			for _, e := range errs.All(w.svc.Check(t.Context(), ws, j.ID)) {
				found += e.Code + " " + e.Field
			}
			want(t, name, found, fault)
		}
	}
}

func TestTestsThatNothingCouldDecideAreRefused(t *testing.T) {
	w := newWorld(t)
	for graph, want := range map[string]string{
		tested("goal", ""): "journey.ab_test.goal nodes[t].config.metric",
		`{"trigger": {"event": {"name": "Go"}}, "nodes": [
			{"id": "t", "kind": "ab_test", "config": {"name": "x", "ways": 2, "metric": "clicked", "people": 50, "wait": {"n": 1, "unit": "day"}}, "next": {"a": "m", "b": "m"}},
			{"id": "m", "kind": "send", "config": {"template": "tpl_a", "topic": "tpc_1"}}]}`: "journey.ab_test.clicks nodes[t].config.metric",
		`{"trigger": {"event": {"name": "Go"}}, "goal": {"event": {"name": "Win"}}, "nodes": [
			{"id": "t", "kind": "ab_test", "config": {"name": "x", "ways": 2, "metric": "goal", "people": 50, "wait": {"n": 1, "unit": "day"}}, "next": {"a": "u"}},
			{"id": "u", "kind": "ab_test", "config": {"name": "x", "ways": 2, "metric": "goal", "people": 50, "wait": {"n": 1, "unit": "day"}}}]}`: "journey.ab_test.twice nodes[u].config.name",
	} {
		j, err := w.svc.Create(t.Context(), ws, "", "x", parse(t, graph))
		if err != nil {
			t.Fatal(err)
		}
		all := errs.All(w.svc.Check(t.Context(), ws, j.ID))
		if len(all) == 0 || all[0].Code+" "+all[0].Field != want {
			t.Errorf("%v, want %s", all, want)
		}
	}
}
