package leaf

import "time"

// Everyone matches everyone: {}.
func Everyone() Spec {
	return Spec{Kind: "everyone", Title: "Everyone", Parse: parseEveryone, Schema: func() Schema { return object(map[string]Schema{}) }}
}

type everyone struct{}

func parseEveryone(in Input) (Leaf, error) { return everyone{}, in.Only() }

// Ask is everyone but nobody.
func (everyone) Ask(Dialect, string, time.Time) Question { return Question{Complement: true} }

func (everyone) Eval(*Subject, time.Time) Result { return steady(true) }

func (everyone) Needs() Needs { return Needs{} }
