package node

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// EventMatch describes an event to look out for.
type EventMatch struct {
	Name   string            `json:"name" doc:"Name of the event; page and screen stand for any page or screen view"`
	Also   []string          `json:"also,omitempty" doc:"Other names that count the same"`
	Filter []json.RawMessage `json:"filter,omitempty" doc:"Conditions over the properties, as in rules: all must hold"`
	// Same tells the order of this round from others of the person. What the trigger does not say is not compared.
	Same []string `json:"same,omitempty" doc:"Properties that must say the same as in the event that brought the person in, such as order_id; dots lead into objects. Not for what brings people in, nor for goals"`
	// Machines counts what nobody did: opens and clicks by proxies and scanners, automatic answers.
	Machines bool `json:"machines,omitempty" doc:"Also opens and clicks by proxies and scanners, and automatic answers"`
}

// SetMatch describes a change of membership to look out for.
type SetMatch struct {
	ID       string `json:"id" doc:"Segment"`
	Existing bool   `json:"existing,omitempty" doc:"Also people whom an edit of the segment brought in, such as everyone in it when it was made"`
}

// Match describes what may start or end a journey. Exactly one field is set.
type Match struct {
	Event          *EventMatch `json:"event,omitempty"`
	SegmentEntered *SetMatch   `json:"segment_entered,omitempty"`
	SegmentLeft    *SetMatch   `json:"segment_left,omitempty"`
	Form           *FormMatch  `json:"form,omitempty"`
}

// FormMatch describes a form that a person sends in: an event "Form Submitted" whose property form, form_name or form_id is the name.
type FormMatch struct {
	Name string `json:"name" doc:"Name or id of the form"`
}

// Matcher recognises events. It is immutable.
type Matcher struct {
	names []string
	about map[string]any
	test  func(e event.Kept) bool
	sets  []string
	same  []string
	looks []string // fields, see rule.Rule.Fields
}

// Names returns the event names it can match.
func (m *Matcher) Names() []string { return m.names }

// Fields returns what its conditions look at, see rule.Rule.Fields.
func (m *Matcher) Fields() []string { return m.looks }

// Sets returns the segments it refers to.
func (m *Matcher) Sets() []string { return m.sets }

// About says what it matches, as in a Match but without conditions, for screens to word.
func (m *Matcher) About() map[string]any { return m.about }

// Match reports whether e is such an event.
func (m *Matcher) Match(e event.Kept) bool { return slices.ContainsFunc(Names(e), m.has) && m.test(e) }

// MatchAfter reports whether e is such an event and says the same as the trigger where it has to.
func (m *Matcher) MatchAfter(t Trigger, e event.Kept) bool {
	if !m.Match(e) {
		return false
	}
	for _, path := range m.same {
		if then := Property(t.Properties, path); then != "" && then != Property(e.Properties, path) {
			return false
		}
	}
	return true
}

// Property returns the text, number or truth value at a path into properties, as text; dots lead into objects. It is empty if there is none.
func Property(props json.RawMessage, path string) string {
	if len(props) == 0 {
		return ""
	}
	var v any
	if json.Unmarshal(props, &v) != nil {
		return ""
	}
	for part := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[part]
	}
	switch v := v.(type) {
	case string:
		return v
	case float64, bool:
		raw, _ := json.Marshal(v)
		return string(raw)
	}
	return ""
}

func (m *Matcher) has(name string) bool { return slices.Contains(m.names, name) }

// Names returns the names under which an event can be looked out for: page and screen views also go by their type.
func Names(e event.Kept) []string {
	switch e.Type {
	case event.Page, event.Screen:
		if e.Name == "" || e.Name == string(e.Type) {
			return []string{string(e.Type)}
		}
		return []string{e.Name, string(e.Type)}
	case event.Identify, event.Group, event.Alias:
		return nil
	}
	return []string{e.Name}
}

// Compile checks a Match and makes its Matcher.
func (m Match) Compile() (*Matcher, error) {
	var made []func() (*Matcher, error)
	if m.Event != nil {
		made = append(made, func() (*Matcher, error) { return m.Event.compile("event") })
	}
	if m.SegmentEntered != nil {
		made = append(made, func() (*Matcher, error) { return m.SegmentEntered.compile("segment_entered", event.SegmentEntered) })
	}
	if m.SegmentLeft != nil {
		made = append(made, func() (*Matcher, error) { return m.SegmentLeft.compile("segment_left", event.SegmentLeft) })
	}
	if m.Form != nil {
		made = append(made, m.Form.compile)
	}
	if len(made) != 1 {
		return nil, errs.Invalid("journey.match", "", "name exactly one of event, form, segment_entered and segment_left")
	}
	return made[0]()
}

// FormSubmitted is the event of a form that was sent in.
const FormSubmitted = "Form Submitted"

func (m *FormMatch) compile() (*Matcher, error) {
	if strings.TrimSpace(m.Name) == "" {
		return nil, errs.Invalid("journey.match.form", "form.name", "name the form")
	}
	return &Matcher{names: []string{FormSubmitted}, about: map[string]any{"form": map[string]any{"name": m.Name}}, test: func(e event.Kept) bool {
		var p struct {
			Form string `json:"form"`
			Name string `json:"form_name"`
			ID   string `json:"form_id"`
		}
		return e.Type == event.Track && json.Unmarshal(e.Properties, &p) == nil && slices.Contains([]string{p.Form, p.Name, p.ID}, m.Name)
	}}, nil
}

func (m *SetMatch) compile(field, name string) (*Matcher, error) {
	if m.ID == "" {
		return nil, errs.Invalid("journey.match.segment", field+".id", "choose a segment")
	}
	id, existing, about := m.ID, m.Existing, "segment_entered"
	if name == event.SegmentLeft {
		about = "segment_left"
	}
	return &Matcher{names: []string{name}, about: map[string]any{about: map[string]any{"id": id}}, sets: []string{id}, test: func(e event.Kept) bool {
		var p struct {
			Segment string `json:"segment_id"`
			Cause   string `json:"cause"`
		}
		if e.Type != event.Segment || json.Unmarshal(e.Properties, &p) != nil || p.Segment != id {
			return false
		}
		return existing || p.Cause != "edit"
	}}, nil
}

// counts leaves out what machines did with a message, unless that is asked for.
func (m *EventMatch) counts(e event.Kept) bool { return m.Machines || !ByMachine(e) }

// ByMachine reports whether a proxy, a scanner or an automatic answer did this with a message, and no person.
func ByMachine(e event.Kept) bool {
	var p struct {
		Machine bool `json:"machine"`
	}
	return e.Type == event.Message && json.Unmarshal(e.Properties, &p) == nil && p.Machine
}

const maxNames, maxFilters, maxSame = 20, 20, 5

// Alone refuses a comparison with the trigger where there is none to compare with, or where messages could not make it too.
func (m *EventMatch) Alone(field string) error {
	if m == nil || len(m.Same) == 0 {
		return nil
	}
	return errs.Invalid("journey.match.same", field+".same", "only what happens to somebody inside can be compared with what brought them in; take the comparison away here")
}

func (m *EventMatch) compile(field string) (*Matcher, error) {
	names := append([]string{m.Name}, m.Also...)
	for i, n := range names {
		if strings.TrimSpace(n) == "" {
			return nil, errs.Invalid("journey.match.name", field+".name", "name the event")
		}
		names[i] = n
	}
	if len(names) > maxNames || len(m.Filter) > maxFilters || len(m.Same) > maxSame {
		return nil, errs.Invalid("journey.match.size", field, "at most %d names, %d conditions and %d properties to compare", maxNames, maxFilters, maxSame)
	}
	if slices.ContainsFunc(m.Same, func(path string) bool { return strings.TrimSpace(path) == "" }) {
		return nil, errs.Invalid("journey.match.same_name", field+".same", "name the property to compare, such as order_id")
	}
	what := map[string]any{"name": names[0]}
	if len(names) > 1 {
		what["also"] = names[1:]
	}
	if len(m.Same) > 0 {
		what["same"] = m.Same
	}
	out := &Matcher{names: names, about: map[string]any{"event": what}, test: m.counts, same: m.Same}
	if len(m.Filter) == 0 {
		return out, nil
	}
	// A filter is a piece of the rule language, so the rule language reads it: "there is one such event" asked of a history
	// that holds only this event.
	rules := make(map[string]*rule.Rule, len(names))
	for _, n := range names {
		raw, err := json.Marshal(map[string]any{"event": map[string]any{
			"name": n, "agg": "count", "op": "gte", "value": 1, "filter": m.Filter, "window": "ever",
		}})
		if err != nil {
			return nil, errs.Invalid("journey.match.filter", field+".filter", "the conditions are not valid JSON: %v", err)
		}
		r, err := rule.Parse(raw)
		if err != nil {
			return nil, filterError(field, err)
		}
		rules[n] = r
		out.looks = append(out.looks, r.Fields()...)
	}
	out.test = func(e event.Kept) bool {
		if !m.counts(e) {
			return false
		}
		// Windows end at the moment of asking; just after the event is late enough to see it.
		s, at := rule.Subject{Num: e.Person, Events: []event.Kept{e}}, e.Time.Add(time.Second)
		for _, n := range Names(e) {
			if r := rules[n]; r != nil && r.Eval(&s, at).Match {
				return true
			}
		}
		return false
	}
	return out, nil
}
