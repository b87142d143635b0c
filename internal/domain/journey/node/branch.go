package node

import (
	"encoding/json"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Branch sends a person one of two ways, by a rule over everything known of them, or by whether they did
// something since they entered the journey.
var Branch = Spec{
	Kind: "branch", Title: "Branch", Outputs: []string{"yes", "no"},
	Config: func() any { return &BranchConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*BranchConfig)
		asked := 0
		for _, is := range []bool{len(c.Rule) > 0, c.SinceEntry != nil, c.Trigger != nil} {
			if is {
				asked++
			}
		}
		switch {
		case asked != 1:
			return nil, errs.Invalid("journey.branch.condition", "rule", "a branch asks exactly one question: give one of rule, event_since_entry and trigger")
		case c.Trigger != nil:
			m, err := c.Trigger.compile("trigger")
			if err == nil {
				err = c.Trigger.Alone("trigger")
			}
			if err != nil {
				return nil, err
			}
			return triggerBranch{m}, nil
		case c.SinceEntry != nil:
			m, err := c.SinceEntry.compile("event_since_entry")
			if err != nil {
				return nil, err
			}
			return sinceBranch{m}, nil
		default:
			r, err := rule.Parse(c.Rule)
			if err != nil {
				return nil, UnderRule("rule", err)
			}
			return ruleBranch{r}, nil
		}
	},
}

// BranchConfig configures Branch; exactly one field is set.
type BranchConfig struct {
	Rule       json.RawMessage `json:"rule,omitempty" doc:"A rule, as for segments"`
	SinceEntry *EventMatch     `json:"event_since_entry,omitempty" doc:"Yes if this happened after the person entered the journey"`
	Trigger    *EventMatch     `json:"trigger,omitempty" doc:"Yes if the event that brought the person in is such a one"`
}

type triggerBranch struct{ match *Matcher }

func (n triggerBranch) Needs() Needs      { return Needs{Fields: n.match.Fields()} }
func (triggerBranch) Listens() []*Matcher { return nil }

func (n triggerBranch) Step(s State, _ Input, _ time.Time) Result {
	if n.match.Match(event.Kept{Event: event.Event{MessageID: s.Trigger.MessageID, Type: event.Track, Name: s.Trigger.Name, Time: s.Trigger.Time, Properties: s.Trigger.Properties}}) {
		return Result{Output: "yes", Reason: Because("came_with", "what", n.match.About())}
	}
	return Result{Output: "no", Reason: Because("came_without", "what", n.match.About())}
}

type ruleBranch struct{ rule *rule.Rule }

func (n ruleBranch) Needs() Needs {
	names, all := n.rule.EventNames()
	return Needs{Subject: true, Names: names, All: all, Sets: n.rule.Sets(), Fields: n.rule.Fields()}
}

func (ruleBranch) Listens() []*Matcher { return nil }

func (n ruleBranch) Step(_ State, in Input, now time.Time) Result {
	if n.rule.Eval(in.Subject, now).Match {
		return Result{Output: "yes", Reason: Because("rule_holds")}
	}
	return Result{Output: "no", Reason: Because("rule_fails")}
}

type sinceBranch struct{ match *Matcher }

func (n sinceBranch) Needs() Needs {
	return Needs{Subject: true, Names: n.match.Names(), Fields: n.match.Fields()}
}

func (sinceBranch) Listens() []*Matcher { return nil }

func (n sinceBranch) Step(s State, in Input, now time.Time) Result {
	for _, e := range in.Subject.Events {
		if s.Since(e) && !e.Time.After(now) && n.match.MatchAfter(s.Trigger, e) {
			return Result{Output: "yes", Reason: Because("happened_since", "event", e.Name)}
		}
	}
	return Result{Output: "no", Reason: Because("not_since", "what", n.match.About())}
}
