package rule

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Limits of a rule.
const (
	MaxBytes = 64 << 10
	MaxDepth = 12  // of groups and leaves
	MaxNodes = 200 // groups and leaves
)

// maxNesting is how deep the JSON of a rule within its limits can nest.
const maxNesting = 2*MaxDepth + 8

// Version is the version of the language. A rule of another one is refused.
const Version = 1

// Rule is a parsed condition tree. It never changes and may be used from many goroutines.
type Rule struct {
	root *node
	json []byte
}

// At returns the part of the rule whose path is that of a NodeCount, as a rule of its own for Audience; nil if there is none.
func (r *Rule) At(path string) *Rule {
	var find func(n *node) *node
	find = func(n *node) *node {
		if n.path == path {
			return n
		}
		for _, k := range n.kids {
			if found := find(k); found != nil {
				return found
			}
		}
		return nil
	}
	if n := find(r.root); n != nil {
		return &Rule{root: n}
	}
	return nil
}

// node is a group or a leaf.
type node struct {
	path  string // "all[0].event"
	group string // "all", "any", "not"; empty for a leaf
	kids  []*node
	leaf  leaf.Leaf
}

var groups = []string{"all", "any", "not"}

// Parse reads a rule. Errors are errs.KindInvalid, name the place ("rule.all[2].event.window") and say how to mend it.
func Parse(raw []byte) (*Rule, error) {
	if len(raw) > MaxBytes {
		return nil, errs.Invalid("rule.too_large", "rule", "the rule has %d bytes, at most %d are allowed; move long lists of values into a list", len(raw), MaxBytes)
	}
	in, err := leaf.ReadJSON(raw, "rule", maxNesting)
	if err != nil {
		return nil, err
	}
	p := parser{leaves: map[string]leaf.Spec{}}
	for _, s := range leaf.Catalog() {
		p.leaves[s.Kind] = s
		p.kinds = append(p.kinds, s.Kind)
	}
	p.kinds = append(slices.Clone(groups), p.kinds...)
	root, err := p.node(in, "", 1)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, errs.Invalid("rule.syntax", "rule", "this is not JSON: %v", err)
	}
	return &Rule{root: root, json: compact.Bytes()}, nil
}

type parser struct {
	leaves map[string]leaf.Spec
	kinds  []string
	nodes  int
}

func (p *parser) node(in leaf.Input, prefix string, depth int) (*node, error) {
	if depth > MaxDepth {
		return nil, errs.Invalid("rule.too_deep", in.Path, "conditions nest deeper than %d; put the inner part into a segment of its own", MaxDepth)
	}
	if p.nodes++; p.nodes > MaxNodes {
		return nil, errs.Invalid("rule.too_many_nodes", in.Path, "the rule has more than %d conditions; split it into segments", MaxNodes)
	}
	allowed := p.kinds
	if depth == 1 {
		allowed = append([]string{"version"}, allowed...)
	}
	if err := in.Only(allowed...); err != nil {
		return nil, err
	}
	keys, _ := in.Keys()
	if depth == 1 {
		if v, ok := in.Get("version"); ok {
			if n, isNumber := v.Number(); !isNumber || n != Version {
				return nil, errs.Invalid("rule.version", v.Path, "this version of the rule language is not known; use %d", Version)
			}
			keys = slices.DeleteFunc(keys, func(k string) bool { return k == "version" })
		}
	}
	if len(keys) != 1 {
		return nil, errs.Invalid("rule.shape", in.Path, "a condition is an object with exactly one of %s; this has %d of them (combine several with all or any)", strings.Join(p.kinds, ", "), len(keys))
	}
	key := keys[0]
	value, _ := in.Get(key)
	n := &node{path: prefix + key}
	var err error
	switch key {
	case "all", "any":
		n.group = key
		err = p.list(n, value, depth)
	case "not":
		n.group = key
		var kid *node
		kid, err = p.node(value, n.path+".", depth+1)
		n.kids = []*node{kid}
	default:
		n.leaf, err = p.leaves[key].Parse(value)
	}
	return n, err
}

func (p *parser) list(n *node, in leaf.Input, depth int) error {
	items, ok := in.Items()
	if !ok {
		return errs.Invalid("rule.type", in.Path, "%s must be a list of conditions: {%q: [...]}", n.group, n.group)
	}
	for _, item := range items {
		kid, err := p.node(item, n.path+strings.TrimPrefix(item.Path, in.Path)+".", depth+1)
		if err != nil {
			return err
		}
		n.kids = append(n.kids, kid)
	}
	return nil
}

// JSON returns the rule as it was written, without blanks.
func (r *Rule) JSON() []byte { return bytes.Clone(r.json) }

func (n *node) each(f func(leaf.Leaf)) {
	if n.leaf != nil {
		f(n.leaf)
	}
	for _, k := range n.kids {
		k.each(f)
	}
}

// EventNames returns the names of the events that Eval reads; page and screen events also answer to their type as a name.
// all means that it reads every event, and names is nil then.
func (r *Rule) EventNames() (names []string, all bool) {
	r.root.each(func(l leaf.Leaf) {
		n := l.Needs()
		all = all || n.All
		names = append(names, n.Names...)
	})
	if all {
		return nil, true
	}
	slices.Sort(names)
	return slices.Compact(names), false
}

// Looks returns the kinds of events that the rule asks about, each with how far back.
func (r *Rule) Looks() []leaf.Look {
	var looks []leaf.Look
	r.root.each(func(l leaf.Leaf) { looks = append(looks, l.Needs().Looks...) })
	return looks
}

// Since is the earliest moment at which an event can count for Eval at now or later; zero if there is none.
func (r *Rule) Since(now time.Time) time.Time {
	var first time.Time
	endless := false
	r.root.each(func(l leaf.Leaf) {
		n := l.Needs()
		endless = endless || n.Endless
		for _, look := range n.Looks {
			at := look.Since(now)
			if endless = endless || at.IsZero(); first.IsZero() || at.Before(first) {
				first = at
			}
		}
	})
	if endless {
		return time.Time{}
	}
	return first
}

// Sets returns the ids of the segments and lists that the rule asks about.
func (r *Rule) Sets() []string {
	var sets []string
	r.root.each(func(l leaf.Leaf) { sets = append(sets, l.Needs().Sets...) })
	slices.Sort(sets)
	return slices.Compact(sets)
}

// Fields returns what the rule looks at, as rules of intake name it: traits.ssn, properties.card.number.
func (r *Rule) Fields() []string {
	var fields []string
	r.root.each(func(l leaf.Leaf) { fields = append(fields, l.Needs().Fields...) })
	slices.Sort(fields)
	return slices.Compact(fields)
}

// Windowed reports whether the passing of time alone can change the answer.
func (r *Rule) Windowed() bool {
	windowed := false
	r.root.each(func(l leaf.Leaf) { windowed = windowed || l.Needs().Windowed })
	return windowed
}
