package journey_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// set gives a person a trait, as the pipeline does: the data first, then the word that something has changed.
func (w *world) set(person, trait string, v any) {
	w.t.Helper()
	w.mu.Lock()
	if w.traits[person] == nil {
		w.traits[person] = map[string]any{}
	}
	w.traits[person][trait] = v
	w.mu.Unlock()
	if err := w.svc.Touched(context.Background(), ws, []string{person}); err != nil {
		w.t.Fatal(err)
	}
}

const untilVIP = `{"trigger": {"event": {"name": "Go"}}, "re_entry": {"mode": "always"}, "nodes": [
	{"id": "w", "kind": "wait_for", "config": {"rule": {"trait": {"path": "tier", "op": "eq", "value": "vip"}}, "timeout": {"n": 2, "unit": "day"}}, "next": {"happened": "s"}},
	{"id": "s", "kind": "send", "config": {"template": "tpl_vip", "topic": "tpc_1"}}]}`

func TestWhoWaitsForARuleGoesOnAsSoonAsItHolds(t *testing.T) {
	w := newWorld(t)
	w.publish("x", untilVIP)
	for n := range 3 {
		w.happen(w.event(fmt.Sprint("g", n), uint64(n+1), "Go", `{}`))
	}
	w.settle()
	w.pass(time.Hour)
	w.set("per_1", "tier", "basic")
	w.settle()
	want(t, "not yet", w.rounds("per_1"), []string{"active w "})
	w.set("per_1", "tier", "vip")
	w.settle()
	want(t, "messages", w.messages(), []string{"per_1 tpl_vip"})
	w.pass(47 * time.Hour)
	want(t, "timed out", w.path("per_2"), "w>timeout")
	want(t, "held", w.path("per_1"), "w>happened s>next")

	w.set("per_4", "tier", "vip")
	w.happen(w.event("g4", 4, "Go", `{}`))
	w.settle()
	want(t, "held already", w.path("per_4"), "w>happened s>next")
}

func TestWhatChangesWhileAWorkerLooksIsNotMissed(t *testing.T) {
	w := newWorld(t)
	w.publish("x", `{"trigger": {"event": {"name": "Go"}}, "nodes": [
		{"id": "first", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}, "next": {"next": "w"}},
		{"id": "w", "kind": "wait_for", "config": {"rule": {"trait": {"path": "tier", "op": "eq", "value": "vip"}}, "timeout": {"n": 2, "unit": "day"}}}]}`)
	w.happen(w.event("g", 1, "Go", `{}`))
	w.settle()
	w.late = func() { w.set("per_1", "tier", "vip") } // after the worker has loaded the person, before it stores that they arrived at w
	w.pass(time.Hour)
	want(t, "path", w.path("per_1"), "first>next w>happened")
}

func TestARuleThatTimeFulfilsIsSeenWhenItDoes(t *testing.T) {
	w := newWorld(t)
	w.publish("x", `{"trigger": {"event": {"name": "Go"}}, "nodes": [
		{"id": "w", "kind": "wait_for", "config": {"rule": {"event": {"name": "Visit", "agg": "count", "op": "eq", "value": 0, "window": {"within": {"n": 1, "unit": "day"}}}}, "timeout": {"n": 1, "unit": "week"}}}]}`)
	w.keep(w.event("v", 1, "Visit", `{}`))
	w.happen(w.event("g", 1, "Go", `{}`))
	w.pass(23 * time.Hour)
	want(t, "before", w.rounds("per_1"), []string{"active w "})
	w.pass(time.Hour + time.Second)
	want(t, "after", w.path("per_1"), "w>happened")
}

func TestAJourneyLeadsIntoAnotherAndTakesOutOfIt(t *testing.T) {
	w := newWorld(t)
	b := w.publish("b", `{"trigger": {"event": {"name": "Never"}}, "re_entry": {"mode": "always"}, "nodes": [
		{"id": "s", "kind": "send", "config": {"template": "tpl_b", "topic": "tpc_1"}, "next": {"next": "w"}},
		{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "week"}}}]}`)
	w.publish("a", `{"trigger": {"event": {"name": "Go"}}, "nodes": [
		{"id": "in", "kind": "enter_journey", "config": {"journey": "`+b.ID+`"}, "next": {"next": "again"}},
		{"id": "again", "kind": "enter_journey", "config": {"journey": "`+b.ID+`"}, "next": {"next": "wait"}},
		{"id": "wait", "kind": "wait", "config": {"for": {"n": 1, "unit": "day"}}, "next": {"next": "out"}},
		{"id": "out", "kind": "leave_journey", "config": {"journey": "`+b.ID+`"}, "next": {"next": "twice"}},
		{"id": "twice", "kind": "leave_journey", "config": {"journey": "`+b.ID+`"}}]}`)
	go1 := w.event("g", 1, "Go", `{"product": "Lamp"}`)
	w.happen(go1)
	w.settle()
	w.react(go1)
	w.settle()
	want(t, "messages", w.messages(), []string{"per_1 tpl_b"})
	want(t, "properties are handed on", w.strings(`SELECT vars FROM test_message`), []string{`{"event":{"product":"Lamp"}}`})
	want(t, "rounds", w.strings(`SELECT status || ' ' || node || ' ' || why FROM journey_instance ORDER BY status, node`), []string{"active w ", "active wait "})
	w.pass(24 * time.Hour)
	want(t, "rounds", w.strings(`SELECT status || ' ' || node || ' ' || why FROM journey_instance ORDER BY status, node`), []string{"done twice end", "exited w other_journey"})
	want(t, "reasons", w.strings(`SELECT reason FROM journey_step WHERE node IN ('in', 'again', 'out', 'twice') ORDER BY seq`),
		[]string{
			`{"code":"led","data":{"journey":"` + b.ID + `"}}`, `{"code":"not_led","data":{"journey":"` + b.ID + `","why":"inside"}}`,
			`{"code":"fetched","data":{"journey":"` + b.ID + `"}}`, `{"code":"not_in_journey","data":{"journey":"` + b.ID + `"}}`,
		})
	s := w.stats(b.ID)
	want(t, "counts", []any{s.Entered, s.Inside, s.Ended["other_journey"]}, []any{1, 0, 1})
}

func TestJourneysThatLeadIntoEachOtherComeToAnEnd(t *testing.T) {
	w := newWorld(t)
	graph := func(to string) string {
		return `{"trigger": {"event": {"name": "Go"}}, "re_entry": {"mode": "always"}, "nodes": [{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "minute"}}, "next": {"next": "n"}},
			{"id": "n", "kind": "enter_journey", "config": {"journey": "` + to + `"}}]}`
	}
	b, err := w.svc.Create(t.Context(), ws, "b", "b", parse(t, `{"trigger": {"event": {"name": "Never"}}, "nodes": []}`))
	if err != nil {
		t.Fatal(err)
	}
	a := w.publish("a", graph(b.ID))
	if b, err = w.svc.Edit(t.Context(), ws, b.ID, 0, "b", parse(t, strings.Replace(graph(a.ID), `"Go"`, `"Never"`, 1))); err != nil {
		t.Fatal(err)
	}
	if _, err = w.svc.Publish(t.Context(), ws, b.ID); err != nil {
		t.Fatal(err)
	}
	w.happen(w.event("g", 1, "Go", `{}`))
	for range 30 {
		w.pass(time.Minute)
	}
	want(t, "rounds", len(w.rounds("per_1")), 11)
	want(t, "the last reason", w.strings(`SELECT reason FROM journey_step WHERE reason LIKE '%"why":"hops"%'`),
		[]string{`{"code":"not_led","data":{"hops":10,"journey":"` + b.ID + `","why":"hops"}}`})
}

func TestJourneysThatAreNamedMustExistAndBeAnother(t *testing.T) {
	w := newWorld(t)
	for what, code := range map[string]string{"jrn_none": "journey.missing.journey", "itself": "journey.itself"} {
		j, err := w.svc.Create(t.Context(), ws, "", "x", journey.Graph{})
		if err != nil {
			t.Fatal(err)
		}
		if what == "itself" {
			what = j.ID
		}
		g := parse(t, `{"trigger": {"event": {"name": "Go"}}, "nodes": [{"id": "n", "kind": "enter_journey", "config": {"journey": "`+what+`"}}]}`)
		if _, err := w.svc.Edit(t.Context(), ws, j.ID, 0, "x", g); err != nil {
			t.Fatal(err)
		}
		all := errs.All(w.svc.Check(t.Context(), ws, j.ID))
		if len(all) != 1 || all[0].Code != code || all[0].Field != "nodes[n].config.journey" {
			t.Errorf("%s: %v", what, all)
		}
	}
}

func TestTraitsAreSetRemovedAddedToAndTakenFromWhatIsKnown(t *testing.T) {
	w := newWorld(t)
	w.publish("x", `{"trigger": {"event": {"name": "Go"}}, "nodes": [
		{"id": "a", "kind": "set_trait", "config": {"traits": {"vip": true}, "unset": ["trial"], "increment": {"points": 5, "new": -1}, "from": {"last": "event.order.product", "gone": "event.nothing", "copy": "trait.id"}}, "next": {"next": "b"}},
		{"id": "b", "kind": "set_trait", "config": {"increment": {"points": 1}}, "next": {"next": "c"}},
		{"id": "c", "kind": "branch", "config": {"rule": {"trait": {"path": "points", "op": "eq", "value": 16}}}}]}`)
	w.set("per_1", "points", 10.0)
	w.happen(w.event("g", 1, "Go", `{"order": {"product": "Lamp"}}`))
	w.settle()
	want(t, "traits", w.strings(`SELECT traits FROM test_trait ORDER BY cause`), []string{
		`{"copy":"per_1","last":"Lamp","trial":null,"vip":true}+{"new":-1,"points":5}`, `{}+{"points":1}`,
	})
	want(t, "the next nodes see them", w.path("per_1"), "a>next b>next c>yes")
	want(t, "reason", w.strings(`SELECT reason FROM journey_step WHERE node = 'a'`), []string{`{"code":"traits_set","data":{"missing":["event.nothing"],"traits":["copy","last","new","points","trial","vip"]}}`})
}
