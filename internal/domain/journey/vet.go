package journey

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

const (
	maxLiveKeyName = 100
	maxExitReason  = 200
)

// vet finds what a graph that could be walked would do to nobody's liking. It is asked before publishing only: what runs goes on.
// people are the variables that texts may name of a person, such as person.plan.
func (p *Plan) vet(g Graph, now time.Time, home *time.Location, people []string) []error {
	var bad []error
	fail := func(code, field, format string, args ...any) {
		bad = append(bad, errs.Invalid(code, field, format, args...))
	}
	kinds := map[string]string{}
	for _, n := range g.Nodes {
		kinds[n.ID] = n.Kind
	}
	known := p.variables(people)
	for _, n := range g.Nodes {
		s := p.nodes[n.ID]
		if l, ok := s.node.(node.Leaves); ok {
			for _, out := range slices.Sorted(maps.Keys(n.Next)) {
				if !slices.Contains(l.Outputs(), out) {
					fail("journey.node.output_unused", at(n.ID, "next."+out), "with its settings nobody leaves %q by %q; take the connection away or change the settings", n.ID, out)
				}
			}
		}
		for _, id := range s.needs.Answers {
			if kinds[id] != node.Webhook.Kind && kinds[id] != node.CreateTask.Kind {
				fail("journey.node.answers", at(n.ID, "config.from"), "no step %q of this journey gives an answer; name a webhook or a task", id)
			}
		}
		if r, ok := s.node.(interface{ Role() string }); ok && r.Role() != "" && staff.Role(r.Role()).Validate() != nil {
			fail("journey.create_task.role", at(n.ID, "config.role"), "there is no role %q, so nobody could take the task; choose one of %s", r.Role(), roles())
		}
		if u, ok := s.node.(interface{ Unfit() []node.Unfit }); ok {
			for _, x := range u.Unfit() {
				fail("journey.set_trait.unfit", at(n.ID, "config."+x.Field), "%q is no value for the trait %q; write an address, a number with its country code or a name such as Asia/Tokyo", x.Value, x.Trait)
			}
		}
		if w, ok := s.node.(node.Worded); ok {
			for _, t := range w.Texts() {
				bad = append(bad, stray(t, at(n.ID, "config."+t.Field), known)...)
			}
		}
		if field, limit := tooLong(n); field != "" {
			fail("journey.node.too_long", at(n.ID, "config."+field), "write at most %d characters", limit)
		}
	}
	if k := g.ReEntry.Key; !outbox.NamesValue(k) || utf8.RuneCountInString(k) > maxLiveKeyName {
		fail("journey.re_entry.key", "re_entry.key", "name the property that tells rounds apart, such as cart_id, in at most %d characters", maxLiveKeyName)
	}
	if g.Goal != nil && !outbox.NamesValue(g.Goal.Value) {
		fail("goal.value", "goal.value", "%q names no property; write one such as total or order.total", g.Goal.Value)
	}
	for i, x := range g.Exit {
		if utf8.RuneCountInString(x.Reason) > maxExitReason {
			fail("journey.node.too_long", fmt.Sprintf("exit[%d].reason", i), "write at most %d characters", maxExitReason)
		}
	}
	for _, t := range p.trials {
		if strings.TrimSpace(t.Name) == "" {
			fail("journey.ab_test.name", at(t.node, "config.name"), "give the test a name; its decision is kept under it, so a new name is a new test")
		}
	}
	for i, field := range p.trigger.required {
		if strings.TrimSpace(field) == "" {
			fail("journey.trigger.required_name", fmt.Sprintf("trigger.api.required[%d]", i), "name the field, or take it away")
		}
	}
	if t := p.trigger; t.once != nil {
		zone := t.in(home)
		if t.own {
			zone = latest
		}
		if !t.once.in(zone).After(now) {
			fail("journey.trigger.once_passed", "trigger.schedule.once", "this time has passed, so nobody would ever enter; choose a later one")
		}
	}
	return bad
}

// variables lists what texts of nodes may name: what is known of people, what the journey writes on them, the trigger, and answers of its own nodes.
func (p *Plan) variables(people []string) []string {
	known := append([]string{"event.*"}, people...)
	for id, s := range p.nodes {
		if s.kind == node.Webhook.Kind || s.kind == node.CreateTask.Kind {
			known = append(known, "answers."+id+".*")
		}
		for _, field := range s.needs.Changes {
			if name, ok := strings.CutPrefix(field, "traits."); ok {
				known = append(known, "person."+name, "person."+name+".*")
			}
		}
	}
	slices.Sort(known)
	return known
}

// stray finds variables that a text names and that there are none of: they would be empty without a word. A trait that has a default, or is only asked for, may
// be one that nobody has yet.
func stray(t node.Text, field string, known []string) (bad []error) {
	sure := map[string]bool{} // names that must be there
	for _, u := range t.Template.Uses() {
		if !u.Optional || !strings.HasPrefix(u.Path, "person.") {
			sure[u.Name] = true
		}
	}
	for _, x := range t.Template.Check(known) {
		switch {
		case !sure[x.Name]:
		case x.Like != "":
			bad = append(bad, errs.Invalid("journey.template.misspelt", field, "there is no variable %q; did you mean %q?", x.Name, x.Like))
		default:
			bad = append(bad, errs.Invalid("journey.template.variable", field,
				"there is no variable %q; name one below person, event or answers, and give a trait that nobody has yet a default", x.Name))
		}
	}
	return bad
}

func roles() string {
	var all []string
	for _, r := range staff.Roles() {
		all = append(all, string(r))
	}
	return strings.Join(all, ", ")
}

// tooLong returns the first text of a node's configuration that is longer than its schema allows, and how long it may be.
func tooLong(n Node) (field string, limit int) {
	spec, ok := node.ByKind(n.Kind)
	if !ok || len(n.Config) == 0 {
		return "", 0
	}
	c := spec.Config()
	if node.Strict(n.Config, c, "") != nil {
		return "", 0
	}
	v := reflect.ValueOf(c).Elem()
	for _, f := range reflect.VisibleFields(v.Type()) {
		limit, err := strconv.Atoi(f.Tag.Get("maxLength"))
		if err == nil && f.Type.Kind() == reflect.String && utf8.RuneCountInString(v.FieldByIndex(f.Index).String()) > limit {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			return name, limit
		}
	}
	return "", 0
}
