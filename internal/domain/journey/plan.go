package journey

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// defaultMaxAge bounds the age of events that may start a journey.
const defaultMaxAge = 24 * time.Hour

// Plan is a graph made ready to walk. It is immutable and safe for concurrent use.
type Plan struct {
	start   string
	nodes   map[string]*step
	order   []string // node ids as in the graph
	trigger entrance
	goal    *node.Matcher
	window  time.Duration // of goal, 0 for none
	exits   []exitRule
	reEntry ReEntry
	maxAge  time.Duration // 0 for none
	caps    Caps
	holdout Holdout
	aimed   node.Aim // of messages
	looks   []string // fields that the journey's own goal looks at
	watched []string // names of all events that may concern someone inside
	asking  []string // nodes whose people are stepped again when anything about them changes
	trials  []trial  // A/B tests
}

type step struct {
	id     string
	kind   string
	node   node.Node
	pauses bool // people rest here
	slows  bool // and spend time, so that a loop does not spin
	next   map[string]string
	needs  node.Needs
	// reach is what may be needed before the person rests again, when starting here.
	reach node.Needs
}

type exitRule struct {
	match  *node.Matcher // nil if rule is set
	rule   *rule.Rule
	reason node.Reason
}

// Compile checks a graph and makes its plan. The error joins everything that is wrong, each an errs.Invalid whose Field
// names the place: "nodes[<id>].config.<field>", "trigger.event.name" ...
func Compile(g Graph) (*Plan, error) {
	var bad []error
	fail := func(err error) { bad = append(bad, err) }
	p := &Plan{nodes: map[string]*step{}, reEntry: g.ReEntry, maxAge: defaultMaxAge}

	if t, err := g.Trigger.compile(); err != nil {
		fail(node.Under("trigger", err))
	} else {
		p.trigger = t
	}
	if g.Caps != nil {
		p.caps = *g.Caps
		if err := p.caps.check(); err != nil {
			fail(err)
		}
	}
	p.addNodes(g, fail)
	p.addGoal(g, fail)
	if len(p.order) == len(g.Nodes) {
		p.addTrials(fail)
	}
	p.addExits(g, fail)
	p.addHoldout(g, fail)
	switch g.ReEntry.Mode {
	case "", Once, Always:
		if g.ReEntry.After != nil {
			fail(errs.Invalid("journey.re_entry.unused", "re_entry.after", `a length only makes sense with mode "after"`))
		}
	case After:
		if g.ReEntry.After == nil {
			fail(errs.Invalid("journey.re_entry.after", "re_entry.after", "say after how long a person may enter again"))
		} else if err := g.ReEntry.After.Check("re_entry.after"); err != nil {
			fail(err)
		}
	default:
		fail(errs.Invalid("journey.re_entry.mode", "re_entry.mode", "the mode %q is not known; use once, always or after", g.ReEntry.Mode))
	}
	if g.MaxAge != nil {
		p.maxAge = g.MaxAge.Duration()
		if g.MaxAge.N != 0 {
			if err := g.MaxAge.Check("max_age"); err != nil {
				fail(err)
			}
		}
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	for _, id := range p.order {
		p.nodes[id].reach = p.reachOf(id)
		if p.nodes[id].needs.Watches || p.asks() {
			p.asking = append(p.asking, id)
		}
	}
	p.aim(g)
	p.watch()
	return p, nil
}

func (p *Plan) addNodes(g Graph, fail func(error)) {
	if len(g.Nodes) == 0 {
		fail(errs.Invalid("journey.nodes.none", "nodes", "the journey has no nodes; add at least one"))
		return
	}
	ids := map[string]bool{}
	for i, n := range g.Nodes {
		if n.ID == "" {
			fail(errs.Invalid("journey.node.id", fmt.Sprintf("nodes[%d].id", i), "the node needs an id"))
		} else if ids[n.ID] {
			fail(errs.Invalid("journey.node.twice", at(n.ID, "id"), "two nodes have the id %q; rename one", n.ID))
		}
		ids[n.ID] = true
	}
	for _, n := range g.Nodes {
		spec, ok := node.ByKind(n.Kind)
		if !ok {
			fail(errs.Invalid("journey.node.kind", at(n.ID, "kind"), "the kind %q is not known; GET /api/v1/journey-nodes lists those there are", n.Kind))
			continue
		}
		made, err := spec.Make(n.Config)
		if err != nil {
			fail(node.Under(at(n.ID, "config"), err))
			continue
		}
		for _, out := range slices.Sorted(maps.Keys(n.Next)) {
			if !slices.Contains(spec.Outputs, out) {
				fail(errs.Invalid("journey.node.output", at(n.ID, "next."+out), "a node of kind %q has no output %q", n.Kind, out))
			} else if to := n.Next[out]; !ids[to] {
				fail(errs.Invalid("journey.node.next", at(n.ID, "next."+out), "there is no node %q; connect it to another or leave it open", to))
			}
		}
		p.nodes[n.ID] = &step{id: n.ID, kind: n.Kind, node: made, pauses: spec.Pauses, slows: spec.Pauses && !spec.Quick, next: n.Next, needs: made.Needs()}
		p.order = append(p.order, n.ID)
	}
	p.start = g.Start
	if p.start == "" {
		p.start = g.Nodes[0].ID
	}
	if !ids[p.start] {
		fail(errs.Invalid("journey.start", "start", "there is no node %q to start at", p.start))
		return
	}
	if len(p.order) != len(g.Nodes) {
		return // connections can only be judged once every node can be read
	}
	reached := p.from(p.start, func(*step) bool { return true })
	for _, id := range p.order {
		if !reached[id] && id != "" {
			fail(errs.Invalid("journey.node.unreachable", at(id, ""), "no way leads to %q; connect it or remove it", id))
		}
		if !p.nodes[id].slows && p.from(id, func(s *step) bool { return !s.slows })[id+" again"] {
			fail(errs.Invalid("journey.node.loop", at(id, "next"), "the way from %q leads back to it without a wait; put one in between", id))
		}
	}
}

// from returns the nodes that can be reached from id, going on only from nodes that pass; id+" again" is set if the way
// leads back to id.
func (p *Plan) from(id string, pass func(*step) bool) map[string]bool {
	seen := map[string]bool{id: true}
	queue := []string{id}
	for len(queue) > 0 {
		s := p.nodes[queue[0]]
		queue = queue[1:]
		if s == nil || s.id != id && !pass(s) {
			continue
		}
		for _, to := range s.next {
			if to == id {
				seen[id+" again"] = true
			}
			if !seen[to] {
				seen[to] = true
				queue = append(queue, to)
			}
		}
	}
	return seen
}

func (p *Plan) addGoal(g Graph, fail func(error)) {
	if g.Goal == nil {
		return
	}
	m, err := node.Match{Event: &g.Goal.Event}.Compile()
	if err == nil {
		err = g.Goal.Event.Alone("event")
	}
	if err != nil {
		fail(node.Under("goal", err))
	}
	p.goal = m
	if g.Goal.Window != nil {
		if err := g.Goal.Window.Check("goal.window"); err != nil {
			fail(err)
		}
		p.window = g.Goal.Window.Duration()
	}
}

func (p *Plan) addExits(g Graph, fail func(error)) {
	for i, x := range g.Exit {
		field := fmt.Sprintf("exit[%d]", i)
		e := exitRule{reason: node.Because("exit_rule", "text", x.Reason)}
		if len(x.Rule) > 0 {
			if x.Match != (node.Match{}) {
				fail(errs.Invalid("journey.exit", field, "an exit has either a rule or an event, not both"))
				continue
			}
			r, err := rule.Parse(x.Rule)
			if err != nil {
				fail(node.UnderRule(field+".rule", err))
				continue
			}
			e.rule = r
			if x.Reason == "" {
				e.reason = node.Because("exit_rule", "rule", true)
			}
		} else {
			m, err := everyChange(x.Match).Compile()
			if err != nil {
				fail(node.Under(field, err))
				continue
			}
			e.match = m
			if x.Reason == "" {
				e.reason = node.Because("exit_rule", "what", m.About())
			}
		}
		p.exits = append(p.exits, e)
	}
}

// everyChange makes a match that also counts changes that an edit of the segment made: whoever no longer belongs leaves.
func everyChange(m node.Match) node.Match {
	for _, s := range []**node.SetMatch{&m.SegmentEntered, &m.SegmentLeft} {
		if *s != nil {
			c := **s
			c.Existing = true
			*s = &c
		}
	}
	return m
}

// reachOf joins what the nodes need that a person at id may pass before resting again.
func (p *Plan) reachOf(id string) node.Needs {
	var out node.Needs
	names := map[string]bool{}
	for to := range p.from(id, func(s *step) bool { return !s.pauses }) {
		s := p.nodes[to]
		if s == nil {
			continue
		}
		out.Subject = out.Subject || s.needs.Subject
		out.All = out.All || s.needs.All
		out.Effects = out.Effects || s.needs.Effects
		out.Asks = out.Asks || to == id && s.needs.Asks
		for _, n := range s.needs.Names {
			names[n] = true
		}
	}
	exits := p.exitNeeds()
	out.Subject, out.All = out.Subject || exits.Subject, out.All || exits.All
	for _, n := range exits.Names {
		names[n] = true
	}
	out.Names = slices.Sorted(maps.Keys(names))
	return out
}

// exitNeeds joins what the rules of the exits ask.
func (p *Plan) exitNeeds() (out node.Needs) {
	for _, x := range p.exits {
		if x.rule != nil {
			more, all := x.rule.EventNames()
			out.Subject, out.All, out.Names = true, out.All || all, append(out.Names, more...)
		}
	}
	return out
}

// aim finds what messages are meant to bring about: the journey's goal, else the first goal node.
func (p *Plan) aim(g Graph) {
	if g.Goal != nil {
		p.aimed = node.Aim{Event: g.Goal.Event.Name, Window: p.window, Filter: g.Goal.Event.Filter, Value: g.Goal.Value}
		p.looks = goalOf(p.aimed).Fields()
		return
	}
	for _, id := range p.order {
		if a, ok := p.nodes[id].node.(node.Aims); ok {
			p.aimed = a.Aim()
			return
		}
	}
}

// goalOf is the aim as messages carry it.
func goalOf(a node.Aim) outbox.Goal {
	return outbox.Goal{Event: a.Event, Window: a.Window, Filter: a.Filter, Value: a.Value}
}

func (p *Plan) watch() {
	names := map[string]bool{}
	add := func(m *node.Matcher) {
		if m != nil {
			for _, n := range m.Names() {
				names[n] = true
			}
		}
	}
	add(p.goal)
	for _, x := range p.exits {
		add(x.match)
	}
	for _, s := range p.nodes {
		for _, m := range s.node.Listens() {
			add(m)
		}
	}
	p.watched = slices.Sorted(maps.Keys(names))
}

// References are the things outside the journey that a plan names, each with the field that names it.
type References struct {
	Templates, Topics, Sets, Journeys, Lists, URLs, Secrets, Channels, Members []Reference

	Fields []Reference // what rules look at, see rule.Rule.Fields
}

// Reference is an id and where it stands.
type Reference struct{ ID, Field string }

// References lists what must exist before the plan may run.
func (p *Plan) References() References {
	var out References
	refs := func(field string, ids []string) (all []Reference) {
		for _, id := range ids {
			all = append(all, Reference{ID: id, Field: field})
		}
		return all
	}
	for _, id := range p.order {
		n := p.nodes[id].needs
		out.Templates = append(out.Templates, refs(at(id, "config.template"), n.Templates)...)
		out.Topics = append(out.Topics, refs(at(id, "config.topic"), n.Topics)...)
		out.Sets = append(out.Sets, refs(at(id, "config.rule"), n.Sets)...)
		out.Fields = append(out.Fields, refs(at(id, "config"), n.Fields)...)
		out.Journeys = append(out.Journeys, refs(at(id, "config.journey"), n.Journeys)...)
		out.Lists = append(out.Lists, refs(at(id, "config.list"), n.Lists)...)
		out.URLs = append(out.URLs, refs(at(id, "config.url"), n.URLs)...)
		out.Secrets = append(out.Secrets, refs(at(id, "config.headers"), n.Secrets)...)
		out.Channels = append(out.Channels, refs(at(id, "config.channel"), n.Channels)...)
		out.Members = append(out.Members, refs(at(id, "config.assignee"), n.Members)...)
	}
	out.Sets = append(out.Sets, refs("trigger."+setField(p.trigger.match), p.trigger.match.Sets())...)
	out.Fields = append(out.Fields, refs("trigger", p.trigger.match.Fields())...)
	out.Fields = append(out.Fields, refs("goal", p.looks)...)
	if p.trigger.set != "" {
		out.Sets = append(out.Sets, refs("trigger.schedule.set", []string{p.trigger.set})...)
	}
	for i, x := range p.exits {
		field := fmt.Sprintf("exit[%d]", i)
		if x.rule != nil {
			out.Sets = append(out.Sets, refs(field+".rule", x.rule.Sets())...)
			out.Fields = append(out.Fields, refs(field+".rule", x.rule.Fields())...)
		} else {
			out.Sets = append(out.Sets, refs(field+"."+setField(x.match), x.match.Sets())...)
			out.Fields = append(out.Fields, refs(field, x.match.Fields())...)
		}
	}
	return out
}

// setField is where a match names its segment.
func setField(m *node.Matcher) string {
	for _, field := range []string{"segment_entered", "segment_left"} {
		if m.About()[field] != nil {
			return field + ".id"
		}
	}
	return ""
}

func at(id, field string) string {
	if field == "" {
		return "nodes[" + id + "]"
	}
	return "nodes[" + id + "]." + field
}
