package node

import (
	"time"
)

// Exit takes a person out of the journey.
var Exit = Spec{
	Kind: "exit", Title: "Leave the journey",
	Config: func() any { return &ExitConfig{} },
	New:    func(config any) (Node, error) { return exit{*config.(*ExitConfig)}, nil },
}

// ExitConfig configures Exit.
type ExitConfig struct {
	Reason string `json:"reason,omitempty" maxLength:"200" doc:"Why, for the report"`
}

type exit struct{ ExitConfig }

func (exit) Needs() Needs        { return Needs{} }
func (exit) Listens() []*Matcher { return nil }

func (n exit) Step(State, Input, time.Time) Result {
	return Result{End: Exited, Reason: Because("exit_node", "text", n.Reason)}
}
