package node

import (
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// SendMessage asks the outbox for a message. The person moves on whatever the gate says; its reason is kept with the step.
var SendMessage = Spec{
	Kind: "send", Title: "Send a message", Outputs: []string{"next"},
	Config: func() any { return &SendConfig{} },
	New: func(config any) (Node, error) {
		c := *config.(*SendConfig)
		if c.Channel == "" {
			c.Channel = "email"
		}
		if c.Template == "" {
			return nil, errs.Invalid("journey.send.template", "template", "choose the template to send")
		}
		if c.Topic == "" && !c.Transactional {
			return nil, errs.Invalid("journey.send.topic", "topic", "choose the topic that people subscribed to, or mark the message as transactional")
		}
		if !slices.Contains([]string{"", "low", "normal", "high"}, c.Priority) {
			return nil, errs.Invalid("journey.send.priority", "priority", "%q is no priority; use low, normal or high", c.Priority)
		}
		return send{c}, nil
	},
}

// SendConfig configures SendMessage.
type SendConfig struct {
	Template      string `json:"template" doc:"Template to send"`
	Topic         string `json:"topic,omitempty" doc:"Topic whose subscribers may get it"`
	Channel       string `json:"channel,omitempty" doc:"Channel kind, email unless given"`
	Transactional bool   `json:"transactional,omitempty" doc:"Answers something the person did, so needs no subscription"`
	Priority      string `json:"priority,omitempty" enum:"low,normal,high" doc:"Which message goes where a cap leaves room for fewer, normal unless given"`
}

type send struct{ SendConfig }

func (n send) Needs() Needs {
	out := Needs{Effects: true, Templates: []string{n.Template}, Channels: []string{n.Channel}}
	if n.Topic != "" {
		out.Topics = []string{n.Topic}
	}
	return out
}

func (send) Listens() []*Matcher { return nil }

func (n send) Step(s State, _ Input, _ time.Time) Result {
	return Result{Output: "next", Reason: Because("message_asked"), Effects: []Effect{{Send: &Send{
		Template: n.Template, Topic: n.Topic, Channel: n.Channel, Transactional: n.Transactional, Priority: n.Priority, Vars: scope(s),
	}}}}
}
