package outbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// ranks knows which messages compete for the places under the caps of some people: whatever is on its way to them.
type ranks struct {
	rivals map[string][]Message // by person, the most important first
	out    map[string]bool      // by message: refused meanwhile, or without hope of getting through
	// displaced are messages that lost the place they had, with what took it.
	displaced map[string]Evidence
}

func noRanks() ranks {
	return ranks{rivals: map[string][]Message{}, out: map[string]bool{}, displaced: map[string]Evidence{}}
}

// loadRivals loads what competes for the places under caps.
func (s *Service) loadRivals(ctx context.Context, ws string, g *gate, now time.Time) error {
	ids := make([]string, 0, len(g.people))
	for _, p := range g.people {
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	found, err := s.store.Rivals(ctx, ws, slices.Compact(ids), now.Add(time.Duration(g.policy.Reserve)*time.Hour))
	if err != nil {
		return fmt.Errorf("load rivals: %w", err)
	}
	for _, m := range found {
		g.ranks.rivals[m.PersonID] = append(g.ranks.rivals[m.PersonID], m)
		if like := m; g.check(&like).refused() { // it will not go, so it keeps nobody from going
			g.ranks.out[m.ID] = true
		}
	}
	return nil
}

// ranked returns the order in which messages are judged: the most important first.
func ranked(jobs []*job) []int {
	order := make([]int, len(jobs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(jobs[b].message.Priority, jobs[a].message.Priority)
	})
	return order
}

// room judges a message by caps, priorities included: it may take the place of less important messages that have not left, and it must
// leave places to more important ones that wait. It returns when the message has its turn, and what it would displace for that.
func (g *gate) room(p Policy, m *Message, at time.Time, zone *time.Location) (turn time.Time, data Evidence, displaced []string, v verdict) {
	taken := g.taken[m.PersonID]
	turn, data, v = p.capped(m, taken, at, zone)
	if v.refused() || turn.After(at) {
		left, gone := taken, []string(nil)
		for _, id := range g.below(m, taken) {
			left = slices.DeleteFunc(slices.Clone(left), func(s Slot) bool { return s.MessageID == id })
			gone = append(gone, id)
			if turn2, _, v2 := p.capped(m, left, at, zone); !v2.refused() && !turn2.After(at) {
				turn, data, v, displaced, taken = at, nil, verdict{}, gone, left
				break
			}
		}
	}
	if v.refused() || turn.After(at) {
		return turn, data, nil, v
	}
	if by, c, ok := g.above(p, m, taken, at, zone); ok {
		why := Evidence{"by": by.ID, "priority": by.Priority.String(), "source_kind": by.Source.Kind, "source_id": by.Source.ID}
		for k, x := range c {
			why[k] = x
		}
		return at, nil, nil, refuse(ReasonOutranked, why)
	}
	return turn, data, displaced, verdict{}
}

// below lists the messages of lower priority that hold a place and have not left, the least important and latest first.
func (g *gate) below(m *Message, taken []Slot) []string {
	held := make(map[string]time.Time, len(taken))
	for _, s := range taken {
		held[s.MessageID] = s.At
	}
	var low []Message
	for _, r := range g.ranks.rivals[m.PersonID] {
		if _, ok := held[r.ID]; ok && r.ID != m.ID && r.Priority < m.Priority && !r.InFlight {
			low = append(low, r)
		}
	}
	slices.SortFunc(low, func(a, b Message) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), held[b.ID].Compare(held[a.ID]), cmp.Compare(a.ID, b.ID))
	})
	ids := make([]string, len(low))
	for i, r := range low {
		ids[i] = r.ID
	}
	return ids
}

// above returns the most important message for which a cap's last place must be kept, if there is one.
func (g *gate) above(p Policy, m *Message, taken []Slot, at time.Time, zone *time.Location) (Message, Evidence, bool) {
	has := make(map[string]bool, len(taken))
	for _, s := range taken {
		has[s.MessageID] = true
	}
	for _, c := range p.Caps {
		if !c.covers(m.Channel, m.Topic) {
			continue
		}
		n, since := 0, c.since(at, zone)
		for _, s := range taken {
			if s.MessageID != m.ID && c.covers(s.Channel, s.Topic) && !s.At.Before(since) {
				n++
			}
		}
		var first *Message
		rivals := g.ranks.rivals[m.PersonID]
		for i := range rivals {
			r := &rivals[i]
			if r.Priority <= m.Priority || r.ID == m.ID || has[r.ID] || g.ranks.out[r.ID] || !c.covers(r.Channel, r.Topic) {
				continue
			}
			if n++; first == nil {
				first = r
			}
		}
		if first != nil && n >= c.Limit {
			return *first, c.evidence(n), true
		}
	}
	return Message{}, nil, false
}

// place notes that a message has its place, and what lost it.
func (g *gate) place(m *Message, at time.Time, displaced []string) {
	taken := g.taken[m.PersonID]
	for _, id := range displaced {
		taken = slices.DeleteFunc(slices.Clone(taken), func(s Slot) bool { return s.MessageID == id })
		g.ranks.out[id] = true
		g.ranks.displaced[id] = Evidence{"by": m.ID, "priority": m.Priority.String(), "source_kind": m.Source.Kind, "source_id": m.Source.ID}
	}
	g.taken[m.PersonID] = append(taken, Slot{MessageID: m.ID, PersonID: m.PersonID, Channel: m.Channel, Topic: m.Topic, At: at})
}

// displace refuses the messages that lost their places and tells of it. It is part of the transaction that gives the places away.
func (s *Service) displace(ctx context.Context, ws string, g *gate, now time.Time) error {
	if len(g.ranks.displaced) == 0 {
		return nil
	}
	done, err := s.store.Displace(ctx, ws, ReasonOutranked, g.ranks.displaced, now)
	if err != nil {
		return fmt.Errorf("displace: %w", err)
	}
	var events []event.Event
	for _, rivals := range g.ranks.rivals {
		for _, m := range rivals {
			if done[m.ID] {
				events = append(events, told(m, event.MessageRefused, "refused", now, now, map[string]any{"reason": ReasonOutranked, "data": g.ranks.displaced[m.ID]}))
			}
		}
	}
	if len(done) != len(g.ranks.displaced) {
		return fmt.Errorf("displace: %d of %d messages had left meanwhile", len(g.ranks.displaced)-len(done), len(g.ranks.displaced))
	}
	return s.emit(ctx, events)
}
