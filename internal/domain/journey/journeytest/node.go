package journeytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Cases are configurations to try a kind with.
type Cases struct {
	Valid   []string          // JSON; at least one
	Invalid map[string]string // JSON -> field that the error must name
}

var epoch = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// RunNode tests a kind: configurations are read strictly and survive encoding, steps are pure and repeatable, results
// are well formed, and nobody is left without a way on.
func RunNode(t *testing.T, spec node.Spec, c Cases) {
	t.Helper()
	t.Run("is in the catalogue and described", func(t *testing.T) {
		listed, ok := node.ByKind(spec.Kind)
		if !ok || listed.Title != spec.Title || spec.Title == "" {
			t.Fatalf("kind %q is not in the catalogue, or without a title", spec.Kind)
		}
		outputs := slices.Clone(spec.Outputs)
		slices.Sort(outputs)
		if len(slices.Compact(outputs)) != len(spec.Outputs) {
			t.Error("two outputs have the same name")
		}
		kind := reflect.TypeOf(spec.Config())
		if kind.Kind() != reflect.Pointer || kind.Elem().Kind() != reflect.Struct || !reflect.ValueOf(spec.Config()).Elem().IsZero() {
			t.Error("Config must return a pointer to a zero struct")
		}
	})
	t.Run("reads its configuration strictly", func(t *testing.T) {
		for raw, field := range c.Invalid {
			_, err := spec.Make(json.RawMessage(raw))
			all := errs.All(err)
			if len(all) == 0 || all[0].Kind != errs.KindInvalid || all[0].Field != field {
				t.Errorf("%s: error %v, want invalid for field %q", raw, err, field)
			}
		}
		if _, err := spec.Make(json.RawMessage(`{"no_such_field": 1}`)); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("an unknown field gives %v, want invalid", err)
		}
		if _, err := spec.Make(json.RawMessage(`[`)); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("broken JSON gives %v, want invalid", err)
		}
	})
	for i, raw := range c.Valid {
		t.Run(fmt.Sprintf("configuration %d", i+1), func(t *testing.T) { runConfigured(t, spec, json.RawMessage(raw)) })
	}
}

func runConfigured(t *testing.T, spec node.Spec, raw json.RawMessage) {
	var compact bytes.Buffer // embedded JSON keeps its white space when read, and loses it when written
	if err := json.Compact(&compact, raw); err != nil {
		t.Fatal(err)
	}
	raw = compact.Bytes()
	first := spec.Config()
	if err := json.Unmarshal(raw, first); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	second := spec.Config()
	if err := json.Unmarshal(again, second); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Fatalf("the configuration changes by encoding:\n%s", diff)
	}
	n, err := spec.Make(raw)
	if err != nil {
		t.Fatal(err)
	}
	twin, err := spec.Make(again)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		s, in, now := input(r, n)
		before := encode(r, s) + encode(r, in)
		got := n.Step(s, in, now)
		for range 3 {
			if diff := cmp.Diff(got, n.Step(s, in, now)); diff != "" {
				r.Fatalf("the same step gives another result:\n%s", diff)
			}
		}
		if diff := cmp.Diff(got, twin.Step(s, in, now)); diff != "" {
			r.Fatalf("a node made from the same configuration gives another result:\n%s", diff)
		}
		if after := encode(r, s) + encode(r, in); after != before {
			r.Fatalf("the step changed its input:\n%s\n%s", before, after)
		}
		wellFormed(r, spec, n, got, now)
		var back node.Result
		if err := json.Unmarshal([]byte(encode(r, got)), &back); err != nil || encode(r, back) != encode(r, got) {
			r.Fatalf("the result does not survive encoding: %v", err)
		}
		// Time alone leads on, unless the node is there to hear something.
		in.Event = nil
		for range 10 {
			if got.Output != "" || got.End != node.None || !got.Failed.IsZero() || got.Due.IsZero() {
				break
			}
			now, s.Data, in.Answer = got.Due, got.Data, nil
			got = n.Step(s, in, now)
			wellFormed(r, spec, n, got, now)
		}
		if got.Output == "" && got.End == node.None && got.Failed.IsZero() && !got.Due.IsZero() {
			r.Fatal("still staying after ten due times")
		}
	})
}

func wellFormed(r *rapid.T, spec node.Spec, n node.Node, got node.Result, now time.Time) {
	stays := got.Output == "" && got.End == node.None && got.Failed.IsZero()
	switch {
	case !got.Failed.IsZero() && (got.Output != "" || got.End != node.None || len(got.Effects) > 0 || !n.Needs().Effects):
		r.Fatal("a failure is nothing else, and only of nodes that have something done")
	case got.Answer != nil && got.Output == "":
		r.Fatal("an answer is kept when the person leaves")
	case got.Output != "" && got.End != node.None:
		r.Fatal("a step either goes on or ends the journey")
	case got.Output != "" && !slices.Contains(spec.Outputs, got.Output):
		r.Fatalf("left by the unknown output %q", got.Output)
	case (got.End == node.Goal) != (got.GoalBy != nil):
		r.Fatal("GoalBy goes with End Goal")
	case stays && !spec.Pauses:
		r.Fatal("a kind that does not pause stays")
	case stays && got.Due.IsZero() && len(n.Listens()) == 0:
		r.Fatal("stays for ever: no due time and nothing to hear")
	case stays && !got.Due.IsZero() && !got.Due.After(now):
		r.Fatal("stays with a due time that has passed")
	case len(got.Effects) > 0 && !n.Needs().Effects:
		r.Fatal("has effects that Needs does not announce")
	case got.Reason.IsZero() && got.Failed.IsZero():
		r.Fatal("gives no reason")
	}
	for _, e := range got.Effects {
		things := 0
		for i := range reflect.ValueOf(e).NumField() {
			if !reflect.ValueOf(e).Field(i).IsNil() {
				things++
			}
		}
		if things != 1 {
			r.Fatal("an effect is exactly one thing")
		}
	}
}

// input draws a situation. Names of events are drawn from those the node knows, so that they matter.
func input(r *rapid.T, n node.Node) (node.State, node.Input, time.Time) {
	names := append([]string{"Order Completed", "Other"}, n.Needs().Names...)
	for _, m := range n.Listens() {
		names = append(names, m.Names()...)
	}
	moment := func(label string) time.Time {
		return epoch.Add(time.Duration(rapid.IntRange(-72*60, 72*60).Draw(r, label)) * time.Minute)
	}
	one := func(label string) event.Kept {
		return event.Kept{Person: 1, Event: event.Event{
			Workspace: "ws_1", MessageID: rapid.StringMatching(`m[0-9]`).Draw(r, label+" id"), Type: event.Track,
			Name: rapid.SampledFrom(names).Draw(r, label+" name"), Time: moment(label + " time"),
			Properties: json.RawMessage(rapid.SampledFrom([]string{`{}`, `{"total": 12.5, "currency": "EUR"}`, `{"total": 70, "product": "Lamp"}`, ``}).Draw(r, label+" properties")),
		}}
	}
	entered := moment("entered")
	arrived := entered.Add(time.Duration(rapid.IntRange(0, 1000).Draw(r, "arrived")) * time.Minute)
	trigger := one("trigger")
	s := node.State{
		Trigger: node.Trigger{MessageID: trigger.MessageID, Name: trigger.Name, Time: trigger.Time, Properties: trigger.Properties},
		Entered: entered, Arrived: arrived, Visit: rapid.IntRange(1, 3).Draw(r, "visit"),
	}
	var in node.Input
	if n.Needs().Subject {
		subject := &rule.Subject{Num: 1, ID: "per_1", Traits: map[string]any{"country": rapid.SampledFrom([]any{"JP", "DE", nil}).Draw(r, "country")}}
		for i := range rapid.IntRange(0, 4).Draw(r, "events") {
			subject.Events = append(subject.Events, one(fmt.Sprint("event ", i)))
		}
		slices.SortStableFunc(subject.Events, func(a, b event.Kept) int { return a.Time.Compare(b.Time) })
		in.Subject = subject
		in.Home = rapid.SampledFrom([]*time.Location{nil, time.UTC, time.FixedZone("JST", 9*60*60)}).Draw(r, "home")
	}
	s.Key = "jrn:ins_1:n:1"
	if n.Needs().Asks && rapid.Bool().Draw(r, "asked") {
		s.Data = json.RawMessage(`{"asked":true}`)
		in.Answer = rapid.SampledFrom([]*node.Answer{nil, {OK: true, Status: 200, Body: json.RawMessage(`{"tier":"gold"}`), Tries: 1}, {Status: 404, Error: "no such person", Tries: 2}, {Error: "no such list"}}).Draw(r, "answer")
	}
	s.Answers = rapid.SampledFrom([]map[string]json.RawMessage{nil, {"crm": json.RawMessage(`{"ok":true,"status":200,"body":{"tier":"gold"}}`)}}).Draw(r, "answers")
	if len(n.Listens()) > 0 && rapid.Bool().Draw(r, "woken") {
		e := one("woken by")
		in.Event = &e
	}
	return s, in, arrived.Add(time.Duration(rapid.IntRange(0, 30*24*60).Draw(r, "now")) * time.Minute)
}

func encode(r *rapid.T, v any) string {
	if in, ok := v.(node.Input); ok {
		parts := []any{in.Event}
		if in.Subject != nil { // field by field: a function does not encode
			parts = append(parts, in.Subject.Num, in.Subject.ID, in.Subject.Traits, in.Subject.Channels, in.Subject.Events)
		}
		v = parts
	}
	raw, err := json.Marshal(v)
	if err != nil {
		r.Fatal(err)
	}
	return string(raw)
}
