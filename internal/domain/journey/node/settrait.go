package node

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// SetTrait writes traits on the person. Nodes after it see the new values at once.
var SetTrait = Spec{
	Kind: "set_trait", Title: "Update traits", Outputs: []string{"next"},
	Config: func() any { return &SetTraitConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*SetTraitConfig)
		seen := map[string]string{}
		take := func(field, name string) error {
			if strings.TrimSpace(name) == "" {
				return errs.Invalid("journey.set_trait.name", field, "a trait needs a name")
			}
			if seen[name] != "" {
				return errs.Invalid("journey.set_trait.twice", field, "%q stands in %s too; say once what becomes of it", name, seen[name])
			}
			seen[name] = field
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(c.Traits)) {
			if err := take("traits", name); err != nil {
				return nil, err
			}
		}
		for _, name := range c.Unset {
			if err := take("unset", name); err != nil {
				return nil, err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(c.Increment)) {
			if err := take("increment", name); err != nil {
				return nil, err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(c.From)) {
			if err := take("from", name); err != nil {
				return nil, err
			}
			if err := checkPath("journey.set_trait.from", "from", c.From[name]); err != nil {
				return nil, err
			}
		}
		if len(seen) == 0 {
			return nil, errs.Invalid("journey.set_trait.traits", "traits", "name at least one trait and its value")
		}
		return setTrait{*c}, nil
	},
}

// SetTraitConfig configures SetTrait. A trait stands in one field only.
type SetTraitConfig struct {
	Traits    map[string]any     `json:"traits,omitempty" doc:"Values by trait name; null removes the trait"`
	Unset     []string           `json:"unset,omitempty" doc:"Traits to remove"`
	Increment map[string]float64 `json:"increment,omitempty" doc:"What to add by trait name, negative to take away; a trait that is no number counts as 0"`
	From      map[string]string  `json:"from,omitempty" doc:"Where to take the value from by trait name: event.<property>, trait.<name> or answers.<node>.body.<field>; a value that is missing, or that the trait cannot have, leaves it as it is"`
}

type setTrait struct{ SetTraitConfig }

func (n setTrait) Needs() Needs {
	var changes []string
	for _, name := range slices.Concat(slices.Collect(maps.Keys(n.Traits)), n.Unset, slices.Collect(maps.Keys(n.Increment)), slices.Collect(maps.Keys(n.From))) {
		changes = append(changes, "traits."+name)
	}
	slices.Sort(changes)
	return Needs{Effects: true, Subject: len(n.Increment) > 0 || len(n.From) > 0, Changes: changes, Answers: answersOf(slices.Sorted(maps.Values(n.From))...)}
}

func (setTrait) Listens() []*Matcher { return nil }

// Unfit is a constant that a trait with a form cannot have.
type Unfit struct{ Field, Trait, Value string }

// Unfit lists what no person would be given by the step.
func (n setTrait) Unfit() (all []Unfit) {
	for _, name := range slices.Sorted(maps.Keys(n.Traits)) {
		if v := n.Traits[name]; !person.TraitFits(name, v) {
			all = append(all, Unfit{"traits", name, fmt.Sprint(v)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.Increment)) {
		if !person.TraitFits(name, n.Increment[name]) {
			all = append(all, Unfit{"increment", name, fmt.Sprint(n.Increment[name])})
		}
	}
	return all
}

func (n setTrait) Step(s State, in Input, _ time.Time) Result {
	traits := map[string]any{}
	maps.Copy(traits, n.Traits)
	for _, name := range n.Unset {
		traits[name] = nil
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(n.From)) {
		if v, ok := look(n.From[name], s, in); ok {
			traits[name] = v
		} else {
			missing = append(missing, n.From[name])
		}
	}
	var unfit []string
	take := func(name string, v any) bool {
		if !person.TraitFits(name, v) {
			unfit = append(unfit, name)
			return true
		}
		return false
	}
	maps.DeleteFunc(traits, take)
	increment := maps.Clone(n.Increment)
	maps.DeleteFunc(increment, func(name string, by float64) bool { return take(name, by) })
	slices.Sort(unfit)
	reason := Reason{Code: "nothing_set", Data: Data{}}
	changed := slices.Sorted(maps.Keys(traits))
	for name := range increment {
		changed = append(changed, name)
	}
	slices.Sort(changed)
	if len(changed) > 0 {
		reason = Because("traits_set", "traits", changed)
	}
	if len(missing) > 0 {
		reason.Data["missing"] = missing
	}
	if len(unfit) > 0 {
		reason.Data["unfit"] = unfit
	}
	r := Result{Output: "next", Reason: reason}
	if len(changed) > 0 {
		r.Effects = []Effect{{SetTraits: &SetTraits{Traits: traits, Increment: increment}}}
	}
	return r
}
