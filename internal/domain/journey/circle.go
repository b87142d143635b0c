package journey

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
)

// Circle returns live journeys which the draft of a journey would start one after the other, and the last of which would start it again, all without an hour in between: at run
// time such a chain is broken off (Plan.refuses). It is the shortest such chain, in order and without the journey itself; nil if there is none, or if the draft cannot be published yet.
// What depends on values alone, such as to what a trait is set, is not looked at: a circle may be meant, so it is a warning.
func (s *Service) Circle(ctx context.Context, ws, id string) ([]Journey, error) {
	j, err := s.c.Store.Get(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	p, err := Compile(j.Draft)
	if err != nil || !p.endless() {
		return nil, nil
	}
	idx, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	draft, all := live{j, p}, []live{}
	if c := idx.workspaces[ws]; c != nil {
		for _, l := range c.open {
			if l.journey.ID != id && l.plan.endless() {
				all = append(all, l)
			}
		}
	}
	slices.SortFunc(all, func(a, b live) int { return strings.Compare(a.journey.ID, b.journey.ID) })
	chains, seen := [][]live{{draft}}, map[string]bool{}
	for len(chains) > 0 {
		chain := chains[0]
		chains = chains[1:]
		last := chain[len(chain)-1]
		if len(chain) > 1 {
			back, err := s.starts(ctx, last, draft)
			if err != nil {
				return nil, err
			}
			if back {
				out := make([]Journey, 0, len(chain)-1)
				for _, l := range chain[1:] {
					out = append(out, l.journey)
				}
				return out, nil
			}
		}
		for _, l := range all {
			if seen[l.journey.ID] {
				continue
			}
			next, err := s.starts(ctx, last, l)
			if err != nil {
				return nil, err
			}
			if next {
				seen[l.journey.ID] = true
				chains = append(chains, append(slices.Clone(chain), l))
			}
		}
	}
	return nil, nil
}

// endless reports whether the journey takes the same person again and again within an hour.
func (p *Plan) endless() bool {
	return p.reEntry.Mode == Always || p.reEntry.Mode == After && p.reEntry.After.Duration() < unhurried
}

// starts reports whether what a does with people within their first hour may let them into b.
func (s *Service) starts(ctx context.Context, a, b live) (bool, error) {
	var changes, lists []string
	told := []string{event.JourneyEntered}
	for _, st := range a.plan.hasty() {
		switch {
		case st.kind == node.EnterJourney.Kind && slices.Contains(st.needs.Journeys, b.journey.ID):
			return true, nil
		case len(st.needs.Templates) > 0:
			told = append(told, event.MessageSent)
		}
		changes, lists = append(changes, st.needs.Changes...), append(lists, st.needs.Lists...)
	}
	trigger := b.plan.trigger.match
	for _, name := range told {
		of := event.Message
		if name == event.JourneyEntered {
			of = event.Journey
		}
		props := fmt.Sprintf(`{"journey_id":%q,"source_kind":"journey","source_id":%q}`, a.journey.ID, a.journey.ID)
		if trigger.Match(event.Kept{Event: event.Event{Type: of, Name: name, Properties: []byte(props)}}) {
			return true, nil
		}
	}
	for _, set := range trigger.Sets() {
		fields, sets, events, err := s.c.Audience.RestsOn(ctx, a.journey.Workspace, set)
		if err != nil {
			return false, err
		}
		moves := slices.ContainsFunc(changes, func(c string) bool {
			return slices.ContainsFunc(fields, func(f string) bool { return f == c || strings.HasPrefix(f, c+".") || strings.HasPrefix(c, f+".") })
		})
		if moves || slices.ContainsFunc(lists, func(l string) bool { return slices.Contains(sets, l) }) || slices.ContainsFunc(told, func(e string) bool { return slices.Contains(events, e) }) {
			return true, nil
		}
	}
	return false, nil
}

// hasty returns the steps to which people may come within an hour after they came in.
func (p *Plan) hasty() (out []*step) {
	quick := func(s *step) bool { return !s.slows || s.needs.Rest > 0 && s.needs.Rest < unhurried }
	ids := map[string]bool{p.start: true}
	if first := p.nodes[p.start]; first != nil && quick(first) {
		ids = p.from(p.start, quick)
	}
	for _, id := range p.order {
		if ids[id] {
			out = append(out, p.nodes[id])
		}
	}
	return out
}
