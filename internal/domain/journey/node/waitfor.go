package node

import (
	"encoding/json"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// WaitFor holds a person until they do something or a rule holds for them, or until neither has come for long enough.
var WaitFor = Spec{
	Kind: "wait_for", Title: "Wait for an event or rule", Outputs: []string{"happened", "timeout"}, Pauses: true,
	Config: func() any { return &WaitForConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*WaitForConfig)
		n := waitFor{timeout: c.Timeout}
		if c.Event == nil && len(c.Rule) == 0 {
			return nil, errs.Invalid("journey.wait_for.what", "event", "say what to wait for: an event, a rule, or both")
		}
		if c.Event != nil {
			m, err := c.Event.compile("event")
			if err != nil {
				return nil, err
			}
			n.match = m
		}
		if len(c.Rule) > 0 {
			r, err := rule.Parse(c.Rule)
			if err != nil {
				return nil, UnderRule("rule", err)
			}
			n.rule = r
		}
		if err := c.Timeout.Check("timeout"); err != nil {
			return nil, err
		}
		return n, nil
	},
}

// WaitForConfig configures WaitFor; event, rule or both.
type WaitForConfig struct {
	Event   *EventMatch     `json:"event,omitempty" doc:"Event to wait for; only what happens while the person waits here counts"`
	Rule    json.RawMessage `json:"rule,omitempty" doc:"Rule to wait for, as for segments; the person goes on at once if it holds already"`
	Timeout Span            `json:"timeout" doc:"How long at most"`
}

type waitFor struct {
	match   *Matcher   // nil: no event
	rule    *rule.Rule // nil: no rule
	timeout Span
}

// Needs asks for the history too: a step that is repeated after a crash, or comes late, still finds what happened in time.
func (n waitFor) Needs() Needs {
	out := Needs{Subject: true}
	if n.match != nil {
		out.Names = append(out.Names, n.match.Names()...)
		out.Fields = append(out.Fields, n.match.Fields()...)
	}
	if n.rule != nil {
		names, all := n.rule.EventNames()
		out.Names, out.All, out.Sets, out.Watches = append(out.Names, names...), all, n.rule.Sets(), true
		out.Fields = append(out.Fields, n.rule.Fields()...)
	}
	return out
}

func (n waitFor) Listens() []*Matcher {
	if n.match == nil {
		return nil
	}
	return []*Matcher{n.match}
}

func (n waitFor) Step(s State, in Input, now time.Time) Result {
	due := s.Arrived.Add(n.timeout.Duration())
	if n.match != nil {
		if in.Event != nil && n.match.MatchAfter(s.Trigger, *in.Event) && !in.Event.Time.Before(s.Arrived) && !in.Event.Time.After(due) {
			return Result{Output: "happened", Reason: Because("happened", "event", in.Event.Name)}
		}
		if in.Subject != nil {
			for _, e := range in.Subject.Events {
				if n.match.MatchAfter(s.Trigger, e) && s.Since(e) && !e.Time.Before(s.Arrived) && !e.Time.After(due) && !e.Time.After(now) {
					return Result{Output: "happened", Reason: Because("happened", "event", e.Name)}
				}
			}
		}
	}
	next := due
	if n.rule != nil && in.Subject != nil {
		// Whoever fulfils it a moment after the time-out, before a busy worker came by, is given the benefit.
		r := n.rule.Eval(in.Subject, now)
		if r.Match {
			return Result{Output: "happened", Reason: Because("rule_holds")}
		}
		if r.Next.After(now) && r.Next.Before(due) {
			next = r.Next
		}
	}
	if now.Before(due) {
		return Result{Due: next, Reason: n.because("waits_for")}
	}
	return Result{Output: "timeout", Reason: n.because("not_in_time")}
}

func (n waitFor) because(code string) Reason {
	r := Because(code, "span", n.timeout)
	if n.match != nil {
		r.Data["what"] = n.match.About()
	}
	if n.rule != nil {
		r.Data["rule"] = true
	}
	return r
}
