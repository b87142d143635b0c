package node

import (
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Cohort takes a part of the people, drawn at random. The same person is always drawn the same way for the same salt, as in the rule "bucket", so that
// a segment can name the cohort.
var Cohort = Spec{
	Kind: "cohort", Title: "Random cohort", Outputs: []string{"in", "out"},
	Config: func() any { return &CohortConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*CohortConfig)
		if c.Salt == "" {
			return nil, errs.Invalid("journey.cohort.salt", "salt", "give the cohort a name of its own: people are drawn the same way in all cohorts of one name")
		}
		if !(c.Percent > 0 && c.Percent < 100) {
			return nil, errs.Invalid("journey.cohort.percent", "percent", "a cohort is more than 0 and less than 100 percent of the people")
		}
		return cohort{*c}, nil
	},
}

// CohortConfig configures Cohort.
type CohortConfig struct {
	Salt    string  `json:"salt" maxLength:"100" doc:"Name of the cohort"`
	Percent float64 `json:"percent" doc:"How many of 100 people are in it"`
}

type cohort struct{ CohortConfig }

func (cohort) Needs() Needs        { return Needs{Subject: true} }
func (cohort) Listens() []*Matcher { return nil }

func (n cohort) Step(_ State, in Input, _ time.Time) Result {
	share := leaf.Share(n.Salt, in.Subject.ID)
	if share < n.Percent {
		return Result{Output: "in", Reason: Because("drew_in", "share", share, "percent", n.Percent)}
	}
	return Result{Output: "out", Reason: Because("drew_out", "share", share, "percent", n.Percent)}
}
