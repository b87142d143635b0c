package node

import (
	"time"
)

// Wait holds a person for a length of time.
var Wait = Spec{
	Kind: "wait", Title: "Wait", Outputs: []string{"next"}, Pauses: true,
	Config: func() any { return &WaitConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*WaitConfig)
		if err := c.For.Check("for"); err != nil {
			return nil, err
		}
		return wait{*c}, nil
	},
}

// WaitConfig configures Wait.
type WaitConfig struct {
	For Span `json:"for" doc:"How long to wait"`
}

type wait struct{ WaitConfig }

func (n wait) Needs() Needs      { return Needs{Rest: n.For.Duration()} }
func (wait) Listens() []*Matcher { return nil }

func (n wait) Step(s State, _ Input, now time.Time) Result {
	due := s.Arrived.Add(n.For.Duration())
	if now.Before(due) {
		return Result{Due: due, Reason: Because("waits", "span", n.For)}
	}
	return Result{Output: "next", Reason: Because("waited", "span", n.For)}
}
