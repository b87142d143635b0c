package node

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// ways are the outputs of kinds that part people more than two ways.
var ways = []string{"a", "b", "c", "d", "e"}

// Split parts people at random by percentages. The same person always goes the same way for the same salt, as in the rule "bucket", so that a
// segment can name those who went a way.
var Split = Spec{
	Kind: "split", Title: "Split by percentage", Outputs: ways,
	Config: func() any { return &SplitConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*SplitConfig)
		if c.Salt == "" {
			return nil, errs.Invalid("journey.split.salt", "salt", "give the split a name of its own: people go the same way in all splits of one name")
		}
		if len(c.Percent) < 2 || len(c.Percent) > len(ways) {
			return nil, errs.Invalid("journey.split.ways", "percent", "give 2 to %d percentages", len(ways))
		}
		sum := 0.0
		for i, p := range c.Percent {
			if !(p >= 0 && p <= 100) {
				return nil, errs.Invalid("journey.split.percent", fmt.Sprintf("percent[%d]", i), "each percentage lies between 0 and 100")
			}
			sum += p
		}
		if sum < 99.999 || sum > 100.001 {
			return nil, errs.Invalid("journey.split.sum", "percent", "the percentages make %g together; they must make 100", sum)
		}
		return split{*c}, nil
	},
}

// SplitConfig configures Split.
type SplitConfig struct {
	Salt    string    `json:"salt" maxLength:"100" doc:"Name of the split"`
	Percent []float64 `json:"percent" doc:"How many leave by a, b, c, d, e; together 100"`
}

type split struct{ SplitConfig }

// Outputs implements Leaves.
func (n split) Outputs() []string { return ways[:len(n.Percent)] }

func (split) Needs() Needs        { return Needs{Subject: true} }
func (split) Listens() []*Matcher { return nil }

func (n split) Step(_ State, in Input, _ time.Time) Result {
	share, from := leaf.Share(n.Salt, in.Subject.ID), 0.0
	last := 0
	for i, p := range n.Percent {
		if p > 0 {
			last = i
		}
		if from += p; share < from {
			return Result{Output: ways[i], Reason: Because("drew", "share", share)}
		}
	}
	return Result{Output: ways[last], Reason: Because("drew", "share", share)} // the percentages' rounding
}

// Switch parts people by the value of a trait, of a property of the event that brought them in, or of what a webhook answered.
var Switch = Spec{
	Kind: "switch", Title: "Branch by value", Outputs: append(slices.Clone(ways), "other"),
	Config: func() any { return &SwitchConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*SwitchConfig)
		if (strings.TrimSpace(c.Trait) == "") == (c.From == "") {
			return nil, errs.Invalid("journey.switch.trait", "trait", "name the trait to look at, such as country, or in from another value")
		}
		if c.From != "" {
			if err := checkPath("journey.switch.from", "from", c.From); err != nil {
				return nil, err
			}
		}
		if len(c.Cases) == 0 || len(c.Cases) > len(ways) {
			return nil, errs.Invalid("journey.switch.cases", "cases", "give 1 to %d lists of values; everyone else leaves by other", len(ways))
		}
		seen := map[string]bool{}
		for i, values := range c.Cases {
			if len(values) == 0 {
				return nil, errs.Invalid("journey.switch.empty", fmt.Sprintf("cases[%d]", i), "the list is empty; give at least one value")
			}
			for _, v := range values {
				if seen[v] {
					return nil, errs.Invalid("journey.switch.twice", fmt.Sprintf("cases[%d]", i), "%q stands in two lists; people cannot go both ways", v)
				}
				seen[v] = true
			}
		}
		return switched{*c}, nil
	},
}

// SwitchConfig configures Switch.
type SwitchConfig struct {
	Trait string     `json:"trait,omitempty" doc:"Trait to look at"`
	From  string     `json:"from,omitempty" doc:"Value to look at instead of a trait: event.<property> or answers.<node>.body.<field>"`
	Cases [][]string `json:"cases" doc:"Values that leave by a, b, c, d, e; numbers and true or false as they are written"`
}

type switched struct{ SwitchConfig }

// Outputs implements Leaves.
func (n switched) Outputs() []string { return append(ways[:len(n.Cases):len(n.Cases)], "other") }

func (n switched) Needs() Needs      { return Needs{Subject: true, Answers: answersOf(n.From)} }
func (switched) Listens() []*Matcher { return nil }

func (n switched) Step(s State, in Input, _ time.Time) Result {
	name, v := n.Trait, any(nil)
	if name != "" {
		v = trait(in.Subject, name)
	} else {
		name = n.From
		v, _ = look(name, s, in)
	}
	value, ok := written(v)
	if !ok {
		return Result{Output: "other", Reason: Because("value_unknown", "name", name)}
	}
	for i, values := range n.Cases {
		if slices.Contains(values, value) {
			return Result{Output: ways[i], Reason: Reason{Code: "value_is", Data: Data{"name": name, "value": value}}}
		}
	}
	return Result{Output: "other", Reason: Reason{Code: "value_is", Data: Data{"name": name, "value": value}}}
}

// written returns a trait's value as people write it; false for none, lists and objects.
func written(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}
