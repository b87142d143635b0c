package node

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// SetTrait writes traits on the person.
var SetTrait = Spec{
	Kind: "set_trait", Title: "Set a trait", Outputs: []string{"next"},
	Config: func() any { return &SetTraitConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*SetTraitConfig)
		if len(c.Traits) == 0 {
			return nil, errs.Invalid("journey.set_trait.traits", "traits", "name at least one trait and its value")
		}
		for k := range c.Traits {
			if strings.TrimSpace(k) == "" {
				return nil, errs.Invalid("journey.set_trait.traits", "traits", "a trait needs a name")
			}
		}
		return setTrait{*c}, nil
	},
}

// SetTraitConfig configures SetTrait.
type SetTraitConfig struct {
	Traits map[string]any `json:"traits" doc:"Values by trait name; null removes the trait"`
}

type setTrait struct{ SetTraitConfig }

func (setTrait) Needs() Needs        { return Needs{Effects: true} }
func (setTrait) Listens() []*Matcher { return nil }

func (n setTrait) Step(State, Input, time.Time) Result {
	keys := slices.Sorted(maps.Keys(n.Traits))
	return Result{Output: "next", Reason: "set " + strings.Join(keys, ", "), Effects: []Effect{{SetTraits: &SetTraits{Traits: maps.Clone(n.Traits)}}}}
}
