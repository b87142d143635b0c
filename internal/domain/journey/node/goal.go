package node

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/money"
)

// GoalNode waits for what the journey is for. The goal is reached at once if it has happened since the person
// entered, and as soon as it happens while they wait; either ends the journey. Otherwise they leave by "missed" when
// the window closes.
var GoalNode = Spec{
	Kind: "goal", Title: "Goal", Outputs: []string{"missed"}, Pauses: true,
	Config: func() any { return &GoalConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*GoalConfig)
		m, err := c.Event.compile("event")
		if err == nil {
			err = c.Event.Alone("event")
		}
		if err != nil {
			return nil, err
		}
		if err := c.Window.Check("window"); err != nil {
			return nil, err
		}
		return goal{match: m, window: c.Window, aim: Aim{Event: m.Names()[0], Window: c.Window.Duration(), Filter: c.Event.Filter, Value: c.Value}}, nil
	},
}

// GoalConfig configures GoalNode.
type GoalConfig struct {
	Event  EventMatch `json:"event" doc:"The event that counts as success"`
	Window Span       `json:"window" doc:"How long to wait for it here"`
	Value  string     `json:"value,omitempty" doc:"Property that holds what the event is worth; empty: the amount that the event carries"`
}

type goal struct {
	match  *Matcher
	window Span
	aim    Aim
}

func (n goal) Needs() Needs {
	fields := n.match.Fields()
	if n.aim.Value != "" {
		fields = append(slices.Clone(fields), "properties."+n.aim.Value)
	}
	return Needs{Subject: true, Names: n.match.Names(), Fields: fields}
}
func (n goal) Listens() []*Matcher { return []*Matcher{n.match} }

// Aim returns what a message before this node is meant to bring about.
func (n goal) Aim() Aim { return n.aim }

func (n goal) Step(s State, in Input, now time.Time) Result {
	due := s.Arrived.Add(n.window.Duration())
	if in.Event != nil && n.counts(s, *in.Event, due) {
		return ReachedBy(*in.Event, n.aim.Value)
	}
	if in.Subject != nil {
		for _, e := range in.Subject.Events {
			if n.counts(s, e, due) {
				return ReachedBy(e, n.aim.Value)
			}
		}
	}
	if now.Before(due) {
		return Result{Due: due, Reason: Because("waits_for", "what", n.match.About(), "span", n.window)}
	}
	return Result{Output: "missed", Reason: Because("not_in_time", "what", n.match.About(), "span", n.window)}
}

func (n goal) counts(s State, e event.Kept, due time.Time) bool {
	return s.Since(e) && !e.Time.After(due) && n.match.Match(e)
}

// ReachedBy is the result of a goal that the event fulfilled, with what it is worth: what the property named by value holds, as in the figures of
// messages; without one the amount that the event carries.
func ReachedBy(e event.Kept, value string) Result {
	r := &Reached{MessageID: e.MessageID, Name: e.Name, Time: e.Time}
	if e.Name == event.OrderCompleted {
		r.Order = outbox.OrderKey(e)
	}
	if value != "" {
		r.Minor, r.Currency = outbox.Goal{Value: value}.Worth(e)
	} else if minor, currency, ok := money.OfProperties(e.Properties); ok {
		r.Minor, r.Currency = minor, currency
	}
	return Result{End: Goal, GoalBy: r, Reason: Because("goal_reached", "event", e.Name)}
}

// Aims is implemented by nodes that say what the messages before them are for.
type Aims interface {
	Aim() Aim
}

// Aim is what a message is meant to bring about.
type Aim struct {
	Event  string
	Window time.Duration
	Filter []json.RawMessage // conditions over the event's properties
	Value  string            // property that holds what it is worth
}
