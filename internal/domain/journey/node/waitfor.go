package node

import (
	"time"
)

// WaitFor holds a person until they do something, or until they have not done it for long enough.
var WaitFor = Spec{
	Kind: "wait_for", Title: "Wait for an event", Outputs: []string{"happened", "timeout"}, Pauses: true,
	Config: func() any { return &WaitForConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*WaitForConfig)
		m, err := c.Event.compile("event")
		if err != nil {
			return nil, err
		}
		if err := c.Timeout.Check("timeout"); err != nil {
			return nil, err
		}
		return waitFor{m, c.Timeout}, nil
	},
}

// WaitForConfig configures WaitFor.
type WaitForConfig struct {
	Event   EventMatch `json:"event" doc:"What to wait for; only what happens while the person waits here counts"`
	Timeout Span       `json:"timeout" doc:"How long at most"`
}

type waitFor struct {
	match   *Matcher
	timeout Span
}

// Needs asks for the history too: a step that is repeated after a crash, or comes late, still finds what happened in time.
func (n waitFor) Needs() Needs        { return Needs{Subject: true, Names: n.match.Names()} }
func (n waitFor) Listens() []*Matcher { return []*Matcher{n.match} }

func (n waitFor) Step(s State, in Input, now time.Time) Result {
	due := s.Arrived.Add(n.timeout.Duration())
	if in.Event != nil && n.match.Match(*in.Event) && !in.Event.Time.Before(s.Arrived) && !in.Event.Time.After(due) {
		return Result{Output: "happened", Reason: in.Event.Name + " happened"}
	}
	if in.Subject != nil {
		for _, e := range in.Subject.Events {
			if n.match.Match(e) && s.Since(e) && !e.Time.Before(s.Arrived) && !e.Time.After(due) && !e.Time.After(now) {
				return Result{Output: "happened", Reason: e.Name + " happened"}
			}
		}
	}
	if now.Before(due) {
		return Result{Due: due, Reason: "waits for " + n.match.Label()}
	}
	return Result{Output: "timeout", Reason: n.match.Label() + " did not happen within " + n.timeout.String()}
}
