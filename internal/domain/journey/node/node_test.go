package node_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/journeytest"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestEveryKindOfNodeConforms(t *testing.T) {
	cases := map[string]journeytest.Cases{
		"wait": {
			Valid:   []string{`{"for": {"n": 1, "unit": "hour"}}`, `{"for": {"n": 2, "unit": "week"}}`},
			Invalid: map[string]string{`{}`: "for.unit", `{"for": {"n": 0, "unit": "day"}}`: "for.n", `{"for": {"n": 1, "unit": "moon"}}`: "for.unit", `{"for": {"n": 9000000000000000, "unit": "week"}}`: "for.n", `{"for": 3}`: "for"},
		},
		"branch": {
			Valid: []string{
				`{"rule": {"trait": {"path": "country", "op": "eq", "value": "JP"}}}`,
				`{"rule": {"event": {"name": "Order Completed", "agg": "count", "op": "gte", "value": 1, "window": "ever"}}}`,
				`{"event_since_entry": {"name": "Order Completed"}}`,
				`{"event_since_entry": {"name": "Order Completed", "also": ["Other"], "filter": [{"path": "total", "op": "eq", "value": 70}]}}`,
			},
			Invalid: map[string]string{`{}`: "rule", `{"rule": {"trait": {}}, "event_since_entry": {"name": "x"}}`: "rule", `{"rule": {"trait": {}}}`: "rule.trait.path", `{"event_since_entry": {"name": " "}}`: "event_since_entry.name"},
		},
		"send": {
			Valid:   []string{`{"template": "tpl_1", "topic": "tpc_1", "channel": "email"}`, `{"template": "tpl_1", "transactional": true}`},
			Invalid: map[string]string{`{}`: "template", `{"template": "tpl_1"}`: "topic"},
		},
		"set_trait": {
			Valid: []string{
				`{"traits": {"vip": true, "tier": null, "score": 3.5}}`, `{"unset": ["vip"], "increment": {"points": 5}}`,
				`{"from": {"last_product": "event.product", "home": "trait.country", "tier": "answers.crm.tier"}}`,
			},
			Invalid: map[string]string{
				`{}`: "traits", `{"traits": {" ": 1}}`: "traits", `{"traits": {"a": 1}, "unset": ["a"]}`: "unset", `{"increment": {"": 1}}`: "increment",
				`{"from": {"a": "country"}}`: "from", `{"from": {"a": "event."}}`: "from", `{"unset": [""]}`: "unset",
			},
		},
		"goal": {
			Valid: []string{
				`{"event": {"name": "Order Completed"}, "window": {"n": 3, "unit": "day"}}`,
				`{"event": {"name": "Order Completed", "filter": [{"path": "product", "op": "eq", "value": "Lamp"}]}, "window": {"n": 30, "unit": "minute"}}`,
			},
			Invalid: map[string]string{`{}`: "event.name", `{"event": {"name": "x"}}`: "window.unit"},
		},
		"wait_until": {
			Valid:   []string{`{"time": "09:00"}`, `{"time": "23:59", "days": [1, 5]}`},
			Invalid: map[string]string{`{}`: "time", `{"time": "9"}`: "time", `{"time": "09:00", "days": [7]}`: "days"},
		},
		"wait_for_date": {
			Valid: []string{`{"trait": "country"}`, `{"trait": "renewal", "before": {"n": 2, "unit": "week"}, "time": "10:00"}`},
			Invalid: map[string]string{
				`{}`: "trait", `{"trait": "x", "before": {"n": 1, "unit": "day"}, "after": {"n": 1, "unit": "day"}}`: "after",
				`{"trait": "x", "after": {"n": 0, "unit": "day"}}`: "after.n", `{"trait": "x", "time": "noon"}`: "time",
			},
		},
		"wait_for": {
			Valid: []string{
				`{"event": {"name": "Order Completed"}, "timeout": {"n": 2, "unit": "day"}}`,
				`{"rule": {"trait": {"path": "country", "op": "eq", "value": "JP"}}, "timeout": {"n": 2, "unit": "day"}}`,
				`{"event": {"name": "Other"}, "rule": {"event": {"name": "Order Completed", "agg": "count", "op": "eq", "value": 0, "window": {"within": {"n": 1, "unit": "day"}}}}, "timeout": {"n": 2, "unit": "day"}}`,
			},
			Invalid: map[string]string{`{}`: "event", `{"event": {}}`: "event.name", `{"event": {"name": "x"}}`: "timeout.unit", `{"rule": {"trait": {}}}`: "rule.trait.path"},
		},
		"split": {
			Valid: []string{`{"salt": "s", "percent": [50, 50]}`, `{"salt": "s", "percent": [33.3, 33.3, 33.4]}`},
			Invalid: map[string]string{
				`{}`: "salt", `{"salt": "s"}`: "percent", `{"salt": "s", "percent": [50, 60]}`: "percent", `{"salt": "s", "percent": [-1, 101]}`: "percent[0]",
			},
		},
		"switch": {
			Valid: []string{`{"trait": "country", "cases": [["JP"], ["CN", "TW"]]}`, `{"from": "event.product", "cases": [["Lamp"]]}`},
			Invalid: map[string]string{
				`{}`: "trait", `{"trait": "x", "from": "event.x"}`: "trait", `{"from": "x"}`: "from", `{"trait": "x"}`: "cases", `{"trait": "x", "cases": [[]]}`: "cases[0]", `{"trait": "x", "cases": [["a"], ["a"]]}`: "cases[1]",
			},
		},
		"create_task": {
			Valid:   []string{`{"title": "Call {{ person.id }}"}`, `{"title": "{{ event.product }}", "note": "n", "assignee": "usr_1", "role": "agent", "due": {"n": 1, "unit": "day"}, "wait": {"n": 2, "unit": "day"}}`},
			Invalid: map[string]string{`{}`: "title", `{"title": "{{ x"}`: "title", `{"title": "t", "note": "{% if"}`: "note", `{"title": "t", "due": {}}`: "due.unit", `{"title": "t", "wait": {"n": 0, "unit": "day"}}`: "wait.n"},
		},
		"ab_test": {
			Valid: []string{`{"name": "t", "ways": 2, "metric": "goal", "people": 50, "wait": {"n": 1, "unit": "day"}}`, `{"name": "t", "ways": 5, "metric": "clicked", "people": 500, "wait": {"n": 1, "unit": "hour"}}`},
			Invalid: map[string]string{
				`{}`: "name", `{"name": "t", "ways": 1}`: "ways", `{"name": "t", "ways": 6}`: "ways", `{"name": "t", "ways": 2, "metric": "luck"}`: "metric",
				`{"name": "t", "ways": 2, "metric": "goal", "people": 5}`: "people", `{"name": "t", "ways": 2, "metric": "goal", "people": 50}`: "wait.unit",
			},
		},
		"cohort": {
			Valid:   []string{`{"salt": "s", "percent": 50}`, `{"salt": "s", "percent": 0.5}`},
			Invalid: map[string]string{`{}`: "salt", `{"salt": "s"}`: "percent", `{"salt": "s", "percent": 100}`: "percent"},
		},
		"add_to_list":      {Valid: []string{`{"list": "lst_1"}`}, Invalid: map[string]string{`{}`: "list"}},
		"remove_from_list": {Valid: []string{`{"list": "lst_1"}`}, Invalid: map[string]string{`{}`: "list"}},
		"webhook": {
			Valid: []string{
				`{"url": "https://example.com"}`,
				`{"method": "PUT", "url": "http://example.com:8080/p/{{ person.id | url_encode }}?e={{ event.total }}", "headers": [{"name": "Authorization", "secret": "jsec_1", "prefix": "Bearer "}, {"name": "X-Person", "value": "{{ person.id }}"}],
					"body": {"id": "{{ person.id }}", "list": ["{{ event.total }}", 1, null, true], "text": "Hello {{ person.country | default: \"world\" }}"}, "timeout": 30, "within": {"n": 2, "unit": "day"}}`,
				`{"method": "GET", "url": "https://example.com?x=1"}`,
				`{"url": "https://example.com/form", "text": "a={{ person.id | url_encode }}", "content_type": "application/x-www-form-urlencoded"}`,
			},
			Invalid: map[string]string{
				`{}`: "url", `{"url": "https://{{ person.host }}/"}`: "url", `{"url": "ftp://example.com"}`: "url", `{"url": "https://a.example{{ x }}/"}`: "url",
				`{"url": "https://example.com/{{ x"}`: "url", `{"url": "https://example.com", "method": "TRACE"}`: "method",
				`{"url": "https://example.com", "headers": [{"name": "a b", "value": "x"}]}`:                    "headers[0].name",
				`{"url": "https://example.com", "headers": [{"name": "host", "value": "x"}]}`:                   "headers[0].name",
				`{"url": "https://example.com", "headers": [{"name": "X"}]}`:                                    "headers[0].value",
				`{"url": "https://example.com", "headers": [{"name": "X", "secret": "s", "prefix": "a\r\nb"}]}`: "headers[0].prefix",
				`{"url": "https://example.com", "body": {"a": [1, "{{ x"]}}`:                                    "body.a[1]",
				`{"url": "https://example.com", "body": {}, "text": "x"}`:                                       "text",
				`{"url": "https://example.com", "method": "GET", "text": "x"}`:                                  "body",
				`{"url": "https://example.com", "timeout": 31}`:                                                 "timeout",
				`{"url": "https://example.com", "within": {"n": 0, "unit": "day"}}`:                             "within.n",
				`{"url": "https://example.com", "text": "x", "content_type": "a\nb"}`:                           "content_type",
			},
		},
		"enter_journey": {Valid: []string{`{"journey": "jrn_1"}`}, Invalid: map[string]string{`{}`: "journey"}},
		"leave_journey": {Valid: []string{`{"journey": "jrn_1"}`}, Invalid: map[string]string{`{}`: "journey"}},
		"exit":          {Valid: []string{`{}`, `{"reason": "ordered"}`}},
	}
	for _, spec := range node.Catalog() {
		t.Run(spec.Kind, func(t *testing.T) { journeytest.RunNode(t, spec, cases[spec.Kind]) })
	}
}

func TestSpansAreLengthsOfTime(t *testing.T) {
	if (node.Span{N: 2, Unit: "day"}).Duration() != 48*time.Hour {
		t.Error("2 days are not 48 hours")
	}
}

func make1(t *testing.T, kind, config string) node.Node {
	t.Helper()
	spec, _ := node.ByKind(kind)
	n, err := spec.Make(json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func kept(id, name string, at time.Time, props string) event.Kept {
	return event.Kept{Person: 1, Event: event.Event{MessageID: id, Type: event.Track, Name: name, Time: at, Properties: json.RawMessage(props)}}
}

func TestWaitIsMeasuredFromArrival(t *testing.T) {
	n := make1(t, "wait", `{"for": {"n": 1, "unit": "hour"}}`)
	s := node.State{Entered: noon.Add(-time.Hour), Arrived: noon}
	if r := n.Step(s, node.Input{}, noon.Add(59*time.Minute)); !r.Due.Equal(noon.Add(time.Hour)) || r.Output != "" {
		t.Errorf("before: %+v", r)
	}
	if r := n.Step(s, node.Input{}, noon.Add(time.Hour)); r.Output != "next" {
		t.Errorf("after: %+v", r)
	}
}

func TestBranchSinceEntryCountsFromTheTriggerAndNotTheTriggerItself(t *testing.T) {
	n := make1(t, "branch", `{"event_since_entry": {"name": "Order Completed"}}`)
	s := node.State{Trigger: node.Trigger{MessageID: "t", Time: noon}, Entered: noon.Add(time.Minute), Arrived: noon.Add(time.Minute)}
	now := noon.Add(time.Hour)
	for _, c := range []struct {
		name string
		e    event.Kept
		want string
	}{
		{"before the trigger", kept("a", "Order Completed", noon.Add(-time.Second), ""), "no"},
		{"the trigger itself", kept("t", "Order Completed", noon, ""), "no"},
		{"between trigger and entering", kept("a", "Order Completed", noon.Add(time.Second), ""), "yes"},
		{"after entering", kept("a", "Order Completed", noon.Add(30*time.Minute), ""), "yes"},
		{"another event", kept("a", "Order Refunded", noon.Add(30*time.Minute), ""), "no"},
		{"in the future", kept("a", "Order Completed", now.Add(time.Second), ""), "no"},
	} {
		r := n.Step(s, node.Input{Subject: &rule.Subject{Events: []event.Kept{c.e}}}, now)
		if r.Output != c.want {
			t.Errorf("%s: %+v, want %s", c.name, r, c.want)
		}
	}
}

func TestSendCarriesThePropertiesOfTheTrigger(t *testing.T) {
	n := make1(t, "send", `{"template": "tpl_1", "topic": "tpc_1"}`)
	r := n.Step(node.State{Trigger: node.Trigger{Properties: json.RawMessage(`{"product": "Lamp", "price": 12.5}`)}}, node.Input{}, noon)
	want := []node.Effect{{Send: &node.Send{
		Template: "tpl_1", Topic: "tpc_1", Channel: "email",
		Vars: map[string]any{"event": map[string]any{"product": "Lamp", "price": 12.5}},
	}}}
	if diff := cmp.Diff(want, r.Effects); diff != "" {
		t.Error(diff)
	}
}

func TestGoalIsReachedByTheFirstEventWithinTheWindow(t *testing.T) {
	n := make1(t, "goal", `{"event": {"name": "Order Completed"}, "window": {"n": 3, "unit": "day"}}`)
	s := node.State{Trigger: node.Trigger{MessageID: "t", Time: noon}, Entered: noon, Arrived: noon.Add(time.Hour)}
	late := kept("c", "Order Completed", noon.Add(80*time.Hour), `{"total": 5}`)
	good := kept("b", "Order Completed", noon.Add(2*time.Hour), `{"total": 49.9, "currency": "EUR"}`)

	r := n.Step(s, node.Input{Subject: &rule.Subject{Events: []event.Kept{good, late}}}, noon.Add(100*time.Hour))
	want := &node.Reached{MessageID: "b", Name: "Order Completed", Time: good.Time, Minor: 4990, Currency: "EUR"}
	if diff := cmp.Diff(want, r.GoalBy); diff != "" || r.End != node.Goal {
		t.Errorf("from history: %+v\n%s", r, diff)
	}
	if r := n.Step(s, node.Input{Event: &good}, noon.Add(3*time.Hour)); r.End != node.Goal {
		t.Errorf("woken: %+v", r)
	}
	if r := n.Step(s, node.Input{Event: &late, Subject: &rule.Subject{}}, noon.Add(80*time.Hour)); r.Output != "missed" {
		t.Errorf("after the window: %+v", r)
	}
	if r := n.Step(s, node.Input{Subject: &rule.Subject{}}, noon.Add(2*time.Hour)); !r.Due.Equal(s.Arrived.Add(72 * time.Hour)) {
		t.Errorf("waiting: %+v", r)
	}
}

func TestMatchersRecogniseEvents(t *testing.T) {
	segment := func(name, id, cause string) event.Kept {
		return event.Kept{Event: event.Event{Type: event.Segment, Name: name, Time: noon, Properties: json.RawMessage(`{"segment_id": "` + id + `", "cause": "` + cause + `"}`)}}
	}
	page := event.Kept{Event: event.Event{Type: event.Page, Name: "Pricing", Time: noon}}
	for _, c := range []struct {
		name  string
		match string
		e     event.Kept
		want  bool
	}{
		{"by name", `{"event": {"name": "Signed Up"}}`, kept("a", "Signed Up", noon, ""), true},
		{"case matters", `{"event": {"name": "signed up"}}`, kept("a", "Signed Up", noon, ""), false},
		{"other names", `{"event": {"name": "A", "also": ["B"]}}`, kept("a", "B", noon, ""), true},
		{"filter holds", `{"event": {"name": "A", "filter": [{"path": "plan", "op": "eq", "value": "pro"}]}}`, kept("a", "A", noon, `{"plan": "pro"}`), true},
		{"filter fails", `{"event": {"name": "A", "filter": [{"path": "plan", "op": "eq", "value": "pro"}]}}`, kept("a", "A", noon, `{"plan": "free"}`), false},
		{"page by its name", `{"event": {"name": "Pricing"}}`, page, true},
		{"page by its type", `{"event": {"name": "page"}}`, page, true},
		{"identify has no name", `{"event": {"name": ""}}`, event.Kept{Event: event.Event{Type: event.Identify}}, false},
		{"segment entered", `{"segment_entered": {"id": "seg_1"}}`, segment("Segment Entered", "seg_1", "time"), true},
		{"another segment", `{"segment_entered": {"id": "seg_1"}}`, segment("Segment Entered", "seg_2", "time"), false},
		{"left is not entered", `{"segment_entered": {"id": "seg_1"}}`, segment("Segment Left", "seg_1", "time"), false},
		{"left", `{"segment_left": {"id": "seg_1"}}`, segment("Segment Left", "seg_1", "event"), true},
		{"in by an edit", `{"segment_entered": {"id": "seg_1"}}`, segment("Segment Entered", "seg_1", "edit"), false},
		{"in by an edit, wanted", `{"segment_entered": {"id": "seg_1", "existing": true}}`, segment("Segment Entered", "seg_1", "edit"), true},
		{"a track call cannot pretend", `{"segment_entered": {"id": "seg_1"}}`, kept("a", "Segment Entered", noon, `{"segment_id": "seg_1"}`), false},
	} {
		var m node.Match
		if err := json.Unmarshal([]byte(c.match), &m); err != nil {
			t.Fatal(err)
		}
		matcher, err := m.Compile()
		if err != nil {
			if c.want {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if got := matcher.Match(c.e); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMatchNeedsExactlyOneKind(t *testing.T) {
	for _, raw := range []string{
		`{}`, `{"event": {"name": "a"}, "segment_left": {"id": "s"}}`, `{"segment_entered": {}}`,
		`{"event": {"name": "a", "also": ["` + strings.Repeat(`b","`, 30) + `c"]}}`,
	} {
		var m node.Match
		if err := json.Unmarshal([]byte(raw), &m); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Compile(); err == nil {
			t.Errorf("%s is accepted", raw)
		}
	}
}

func TestAReasonThatWasASentenceIsReadAsItWas(t *testing.T) {
	var memory struct{ Waits node.Reason }
	for raw, want := range map[string]node.Reason{
		`{"Waits": "waits 2 days"}`: {Code: node.Said, Data: node.Data{"text": "waits 2 days"}},
		`{"Waits": ""}`:             {},
		`{"Waits": {"code": "waits", "data": {"text": "x"}}}`: {Code: "waits", Data: node.Data{"text": "x"}},
	} {
		memory.Waits = node.Reason{}
		if err := json.Unmarshal([]byte(raw), &memory); err != nil || !reflect.DeepEqual(memory.Waits, want) {
			t.Errorf("%s is read as %+v, %v; want %+v", raw, memory.Waits, err, want)
		}
	}
}
