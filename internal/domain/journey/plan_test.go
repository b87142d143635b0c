package journey_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func journeyEvents(e ...event.Kept) []event.Kept { return e }

func TestPublishingNamesEveryMistakeAndItsPlace(t *testing.T) {
	wait := `{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}}`
	for _, c := range []struct {
		name, graph string
		fields      []string
	}{
		{"nothing", `{}`, []string{"trigger", "nodes"}},
		{"no trigger name", `{"trigger": {"event": {}}, "nodes": [` + wait + `]}`, []string{"trigger.event.name"}},
		{
			"unknown kind and node", `{"trigger": {"event": {"name": "a"}}, "nodes": [{"id": "x", "kind": "teleport"}, {"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}, "next": {"next": "y"}}]}`,
			[]string{"nodes[x].kind", "nodes[w].next.next"},
		},
		{"unknown output", `{"trigger": {"event": {"name": "a"}}, "nodes": [{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}, "next": {"maybe": "w"}}]}`, []string{"nodes[w].next.maybe"}},
		{"bad configuration", `{"trigger": {"event": {"name": "a"}}, "nodes": [{"id": "s", "kind": "send", "config": {"topic": "t"}}]}`, []string{"nodes[s].config.template"}},
		{"two of a name", `{"trigger": {"event": {"name": "a"}}, "nodes": [` + wait + `,` + wait + `]}`, []string{"nodes[w].id"}},
		{"no id", `{"trigger": {"event": {"name": "a"}}, "nodes": [` + wait + `, {"kind": "exit"}]}`, []string{"nodes[1].id"}},
		{"unreachable", `{"trigger": {"event": {"name": "a"}}, "nodes": [` + wait + `, {"id": "e", "kind": "exit"}]}`, []string{"nodes[e]"}},
		{"unknown start", `{"trigger": {"event": {"name": "a"}}, "start": "q", "nodes": [` + wait + `]}`, []string{"start"}},
		{
			"loop without a wait", `{"trigger": {"event": {"name": "a"}}, "nodes": [
			{"id": "t", "kind": "set_trait", "config": {"traits": {"a": 1}}, "next": {"next": "s"}}, {"id": "s", "kind": "send", "config": {"template": "x", "topic": "t"}, "next": {"next": "t"}}]}`,
			[]string{"nodes[t].next", "nodes[s].next"},
		},
		{"re-entry", `{"trigger": {"event": {"name": "a"}}, "nodes": [` + wait + `], "re_entry": {"mode": "after"}}`, []string{"re_entry.after"}},
		{"re-entry mode", `{"trigger": {"event": {"name": "a"}}, "nodes": [` + wait + `], "re_entry": {"mode": "never"}}`, []string{"re_entry.mode"}},
		{
			"goal and exit", `{"trigger": {"event": {"name": "a"}}, "nodes": [` + wait + `], "goal": {"event": {}}, "exit": [{}, {"rule": {"trait": {"path": "a", "op": "eq", "value": 1}}, "event": {"name": "b"}}]}`,
			[]string{"goal.event.name", "exit[0]", "exit[1]"},
		},
		{"age", `{"trigger": {"event": {"name": "a"}}, "nodes": [` + wait + `], "max_age": {"n": 3, "unit": "year"}}`, []string{"max_age.unit"}},
	} {
		_, err := journey.Compile(parse(t, c.graph))
		var got []string
		for _, e := range errs.All(err) {
			got = append(got, e.Field)
			if e.Kind != errs.KindInvalid || e.Code == "" || e.Msg == "" {
				t.Errorf("%s: incomplete error %+v", c.name, e)
			}
		}
		if diff := cmp.Diff(c.fields, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}

func TestPublishingChecksWhatTheJourneyRefersTo(t *testing.T) {
	w := newWorld(t)
	j, err := w.svc.Create(t.Context(), ws, "", "x", parse(t, `{"trigger": {"segment_entered": {"id": "seg_1"}}, "nodes": [{"id": "s", "kind": "send", "config": {"template": "tpl_1", "topic": "tpc_1"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	w.checks["tpl_1"], w.checks["tpc_1"], w.checks["seg_1"] = errs.NotFound("template", "tpl_1"), errs.Conflict("topic.archived", "the topic is archived"), errs.NotFound("segment", "seg_1")
	_, err = w.svc.Publish(t.Context(), ws, j.ID)
	var got []string
	for _, e := range errs.All(err) {
		got = append(got, e.Code+" "+e.Field)
	}
	want(t, "errors", got, []string{"journey.missing.template nodes[s].config.template", "topic.archived nodes[s].config.topic", "journey.missing.segment trigger.segment_entered.id"})
	w.checks["tpl_1"] = errBroken
	if err := w.svc.Check(t.Context(), ws, j.ID); errs.Is(err, errs.KindInvalid) || err == nil {
		t.Errorf("a failing check counts as a mistake: %v", err)
	}
}

func TestWhatWouldServeNobodyIsNotPublished(t *testing.T) {
	w := newWorld(t)
	exit := `{"id": "e", "kind": "exit"}`
	for graph, fault := range map[string]string{
		`{"trigger": {"manual": {}}, "nodes": [{"id": "s", "kind": "split", "config": {"salt": "x", "percent": [50, 50]}, "next": {"e": "e"}}, ` + exit + `]}`:                                                                                                                           "journey.node.output_unused nodes[s].next.e",
		`{"trigger": {"manual": {}}, "goal": {"event": {"name": "g"}}, "nodes": [{"id": "s", "kind": "ab_test", "config": {"name": "x", "ways": 2, "metric": "goal", "people": 50, "wait": {"n": 1, "unit": "day"}}, "next": {"c": "e"}}, ` + exit + `]}`:                                "journey.node.output_unused nodes[s].next.c",
		`{"trigger": {"manual": {}}, "nodes": [{"id": "s", "kind": "switch", "config": {"trait": "x", "cases": [["y"]]}, "next": {"b": "e", "other": "e"}}, ` + exit + `]}`:                                                                                                              "journey.node.output_unused nodes[s].next.b",
		`{"trigger": {"manual": {}}, "nodes": [{"id": "s", "kind": "create_task", "config": {"title": "x"}, "next": {"done": "e"}}, ` + exit + `]}`:                                                                                                                                      "journey.node.output_unused nodes[s].next.done",
		`{"trigger": {"manual": {}}, "nodes": [{"id": "s", "kind": "switch", "config": {"from": "answers.e.body.x", "cases": [["y"]]}, "next": {"a": "e"}}, ` + exit + `]}`:                                                                                                              "journey.node.answers nodes[s].config.from",
		`{"trigger": {"manual": {}}, "nodes": [{"id": "s", "kind": "set_trait", "config": {"from": {"x": "answers.q.body.x"}}}]}`:                                                                                                                                                        "journey.node.answers nodes[s].config.from",
		`{"trigger": {"manual": {}}, "nodes": [{"id": "s", "kind": "create_task", "config": {"title": "x", "role": "janitor"}}]}`:                                                                                                                                                        "journey.create_task.role nodes[s].config.role",
		`{"trigger": {"manual": {}}, "nodes": [{"id": "e", "kind": "exit", "config": {"reason": "` + strings.Repeat("長", 201) + `"}}]}`:                                                                                                                                                  "journey.node.too_long nodes[e].config.reason",
		`{"trigger": {"manual": {}}, "re_entry": {"key": " "}, "nodes": [` + exit + `]}`:                                                                                                                                                                                                 "journey.re_entry.key re_entry.key",
		`{"trigger": {"api": {"required": ["a", ""]}}, "nodes": [` + exit + `]}`:                                                                                                                                                                                                         "journey.trigger.required_name trigger.api.required[1]",
		`{"trigger": {"schedule": {"set": "seg_1", "zone": "Asia/Tokyo", "once": "2026-03-01T08:00"}}, "nodes": [` + exit + `]}`:                                                                                                                                                         "journey.trigger.once_passed trigger.schedule.once",
		`{"trigger": {"schedule": {"set": "seg_1", "zone": "person", "once": "2026-02-28T20:00"}}, "nodes": [` + exit + `]}`:                                                                                                                                                             "journey.trigger.once_passed trigger.schedule.once",
		`{"trigger": {"schedule": {"set": "seg_1", "zone": "person", "once": "2026-03-01T08:00"}}, "nodes": [` + exit + `]}`:                                                                                                                                                             "", // still to come where clocks are behind
		`{"trigger": {"manual": {}}, "nodes": [{"id": "s", "kind": "webhook", "config": {"url": "https://x.example"}, "next": {"done": "t"}}, {"id": "t", "kind": "switch", "config": {"from": "answers.s.body.x", "cases": [["y"]]}, "next": {"a": "e", "other": "e"}}, ` + exit + `]}`: "",
		`{"trigger": {"manual": {}}, "goal": {"event": {"name": "g"}, "value": "order..total"}, "nodes": [` + exit + `]}`:                                                                                                                                                                "goal.value goal.value",
		`{"trigger": {"manual": {}}, "re_entry": {"key": "cart..id"}, "nodes": [` + exit + `]}`:                                                                                                                                                                                          "journey.re_entry.key re_entry.key",
		`{"trigger": {"manual": {}}, "exit": [{"event": {"name": "x"}, "reason": "` + strings.Repeat("長", 201) + `"}], "nodes": [` + exit + `]}`:                                                                                                                                         "journey.node.too_long exit[0].reason",
		`{"trigger": {"manual": {}}, "goal": {"event": {"name": "g"}}, "nodes": [{"id": "s", "kind": "ab_test", "config": {"name": " ", "ways": 2, "metric": "goal", "people": 50, "wait": {"n": 1, "unit": "day"}}}]}`:                                                                  "journey.ab_test.name nodes[s].config.name",
		`{"trigger": {"manual": {}}, "goal": {"event": {"name": "g"}}, "nodes": [{"id": "s", "kind": "ab_test", "config": {"name": "x", "ways": 2, "metric": "goal", "people": 1000001, "wait": {"n": 1, "unit": "day"}}}]}`:                                                             "journey.ab_test.people_many nodes[s].config.people",
	} {
		j, err := w.svc.Create(t.Context(), ws, "", "x", parse(t, graph))
		if err != nil {
			t.Fatal(err)
		}
		checked := w.svc.Check(t.Context(), ws, j.ID)
		_, err = w.svc.Publish(t.Context(), ws, j.ID)
		for _, err := range []error{checked, err} {
			found := ""
			for _, e := range errs.All(err) {
				found += e.Code + " " + e.Field
			}
			if found != fault {
				t.Errorf("%s\n found %q\nwanted %q", graph, found, fault)
			}
		}
	}
}

func TestLoopsWithAWaitAndManyWaysAreAccepted(t *testing.T) {
	p, err := journey.Compile(parse(t, `{"trigger": {"event": {"name": "a"}}, "nodes": [
		{"id": "b", "kind": "branch", "config": {"event_since_entry": {"name": "x"}}, "next": {"yes": "g", "no": "w"}},
		{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}, "next": {"next": "b"}},
		{"id": "g", "kind": "goal", "config": {"event": {"name": "x"}, "window": {"n": 1, "unit": "hour"}}, "next": {"missed": "b"}}]}`))
	if err != nil || p == nil {
		t.Fatal(err)
	}
}

// A journey with every kind of node, to be walked through random lives.
const everyKind = `{"trigger": {"event": {"name": "A", "filter": [{"path": "n", "op": "eq", "value": 1}]}}, "start": "b1",
	"exit": [{"event": {"name": "Quit"}}], "goal": {"event": {"name": "Win"}, "window": {"n": 2, "unit": "day"}},
	"re_entry": {"mode": "always"}, "nodes": [
	{"id": "b1", "kind": "branch", "config": {"event_since_entry": {"name": "B"}}, "next": {"yes": "t", "no": "w1"}},
	{"id": "w1", "kind": "wait", "config": {"for": {"n": 3, "unit": "hour"}}, "next": {"next": "s1"}},
	{"id": "s1", "kind": "send", "config": {"template": "tpl_1", "topic": "tpc_1"}, "next": {"next": "g"}},
	{"id": "g", "kind": "goal", "config": {"event": {"name": "B"}, "window": {"n": 5, "unit": "hour"}}, "next": {"missed": "b2"}},
	{"id": "b2", "kind": "branch", "config": {"rule": {"event": {"name": "A", "agg": "count", "op": "gte", "value": 3, "window": "ever"}}}, "next": {"yes": "e", "no": "w1"}},
	{"id": "t", "kind": "set_trait", "config": {"traits": {"b": true}}, "next": {"next": "e"}},
	{"id": "e", "kind": "exit", "config": {}}]}`

type moment struct {
	after time.Duration
	event string // empty: only time passes
}

func life(r *rapid.T) []moment {
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) moment {
		return moment{time.Duration(rapid.IntRange(0, 200).Draw(r, "minutes")) * time.Minute, rapid.SampledFrom([]string{"", "A", "A", "B", "Quit", "Win", "Other"}).Draw(r, "event")}
	}), 1, 15).Draw(r, "life")
}

// TestWalkingIsDeterministic replays a life against the plan alone: the same instance, input and time give the same walk, and an instance
// that is written down and read back walks the same way.
func TestWalkingIsDeterministic(t *testing.T) {
	p, err := journey.Compile(parse(t, everyKind))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		now := start
		var history []event.Kept
		first := event.Kept{Person: 1, Event: event.Event{Workspace: ws, MessageID: "m", Type: event.Track, Name: "A", Time: now, Received: now, Properties: json.RawMessage(`{"n":1}`)}}
		i := p.Enter("ins_1", 1, p.EventEntry(journey.Journey{ID: "jrn_1", Workspace: ws}, "per_1", first), now).Instance
		for n, m := range life(r) {
			now = now.Add(m.after)
			var do func(i journey.Instance) journey.Walk
			if m.event != "" {
				e := event.Kept{Person: 1, Event: event.Event{Workspace: ws, MessageID: fmt.Sprint("e", n), Type: event.Track, Name: m.event, Time: now, Received: now}, Position: event.Position{Seq: uint64(n + 1)}}
				history = append(history, e)
				do = func(i journey.Instance) journey.Walk { w, _ := p.Hear(i, e, now); return w }
			} else if i.Status == journey.Active && !i.Due.IsZero() && !i.Due.After(now) {
				past := slices.Clone(history)
				do = func(i journey.Instance) journey.Walk {
					return p.Run(i, node.Input{Subject: &rule.Subject{Num: 1, ID: "per_1", Events: past}}, now, false)
				}
			} else {
				continue
			}
			raw, err := json.Marshal(i)
			if err != nil {
				r.Fatal(err)
			}
			var copied journey.Instance
			if err := json.Unmarshal(raw, &copied); err != nil {
				r.Fatal(err)
			}
			a, b := text(r, do(i)), text(r, do(copied))
			if a != b {
				r.Fatalf("walks differ:\n%s\n%s", a, b)
			}
			if after, _ := json.Marshal(i); string(after) != string(raw) {
				r.Fatalf("the walk changed its instance:\n%s\n%s", raw, after)
			}
			i = do(i).Instance
			if i.Status == journey.Active && i.Due.IsZero() {
				r.Fatalf("nobody would ever look at this instance again: %+v", i)
			}
		}
	})
}

func text(r *rapid.T, v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		r.Fatal(err)
	}
	return string(raw)
}

// TestReplayingAndCuttingTheLogChangesNothing lives the same lives twice: once every batch reacts once, once the log is cut
// elsewhere and every batch is given again, now and once more later.
func TestReplayingAndCuttingTheLogChangesNothing(t *testing.T) {
	once, again := newWorld(t), newWorld(t)
	once.publish("x", everyKind)
	again.publish("x", everyKind)
	rapid.Check(t, func(r *rapid.T) {
		var lives [][]moment
		for range 2 {
			lives = append(lives, life(r))
		}
		live := func(w *world, redo bool) string {
			w.forget()
			var old []event.Kept
			for n := range 8 {
				w.pass(17 * time.Minute)
				var batch []event.Kept
				for person, l := range lives {
					if n < len(l) && l[n].event != "" {
						batch = append(batch, w.event(fmt.Sprintf("m%d-%d", person, n), uint64(person+1), l[n].event, `{"n": 1}`))
						if n%3 == 0 { // two at the same moment
							batch = append(batch, w.event(fmt.Sprintf("n%d-%d", person, n), uint64(person+1), l[(n+1)%len(l)].event, `{"n": 1}`))
						}
					}
				}
				if redo {
					w.keep(batch...)
					for _, e := range batch {
						w.react(e)
						w.react(e)
					}
					w.react(batch...)
					w.react(old...)
				} else {
					w.happen(batch...)
				}
				old = append(old, batch...)
				w.settle()
			}
			w.pass(24 * time.Hour)
			return strings.Join(slices.Concat(
				w.strings(`SELECT entry_key || status || node || why || COALESCE(due_at, 0) || seq FROM journey_instance ORDER BY entry_key`),
				w.strings(`SELECT entry_key || s.node || output || s.why || left_at FROM journey_step s JOIN journey_instance i ON i.id = s.instance_id ORDER BY entry_key, s.seq`),
				w.strings(`SELECT person || node || template FROM test_message ORDER BY 1`),
				w.strings(`SELECT node || what || n FROM journey_count WHERE n <> 0 ORDER BY 1`),
				w.strings(`SELECT name || person FROM test_event ORDER BY 1`)), "\n")
		}
		if diff := cmp.Diff(live(once, false), live(again, true)); diff != "" {
			r.Fatalf("(-once +redone)\n%s", diff)
		}
	})
}

func TestGraphsAreReadStrictly(t *testing.T) {
	g, err := journey.ParseGraph(json.RawMessage(everyKind))
	if err != nil || len(g.Nodes) != 7 || len(g.Exit) != 1 {
		t.Fatal(err, g)
	}
	for raw, field := range map[string]string{`{"nods": []}`: "draft.nods", `{"nodes": 3}`: "draft.nodes", `[`: "draft", `{} {}`: "draft", `{"exit": [{"evnt": {}}]}`: "draft.exit[0].evnt", `{"trigger": {"event": {"names": "x"}}}`: "draft.trigger.event.names", `{"trigger": {"event": "x"}}`: "draft.trigger.event"} {
		_, err := journey.ParseGraph(json.RawMessage(raw))
		if all := errs.All(err); len(all) != 1 || all[0].Kind != errs.KindInvalid || all[0].Field != field {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
