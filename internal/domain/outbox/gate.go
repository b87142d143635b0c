package outbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// verdict is the gate's answer; the zero value lets the message through.
type verdict struct {
	reason string
	data   Evidence
	locale string // of the person
}

func (v verdict) refused() bool { return v.reason != "" }

func refuse(reason string, data Evidence) verdict { return verdict{reason: reason, data: data} }

// gate holds everything that the checks of one batch of messages need: one workspace, some people.
type gate struct {
	people    map[string]person.Person // by the id asked for and, after a merge, also by today's
	allows    map[string]map[string]consent.Channel
	held      map[string][]consent.Hold // by today's id
	topics    map[string]consent.Topic
	content   map[string]content.Template // by template id; missing: unknown
	routes    map[string]bool             // channel kinds with an account
	policy    Policy
	needs     []string       // categories of consent that must not have been declined
	home      *time.Location // of people whose zone is not known
	now       time.Time
	ranks     ranks
	displaces map[string][]string            // by message that may go: which it displaces for that
	taken     map[string][]Slot              // by person: what counts under the caps; nil: nothing does
	given     map[string]consent.Suppression // of addresses that askers named, by channel, a zero byte and the address
}

// decide passes new messages through the whole gate. Holdouts are the percentages of their sources. Messages that must wait get their DueAt and the reason for it.
func (s *Service) decide(ctx context.Context, ws string, messages []*Message, holdouts []float64, now time.Time) ([]verdict, error) {
	people := make([]string, len(messages))
	for i, m := range messages {
		people[i] = m.PersonID
	}
	slices.Sort(people)
	g, err := s.openGate(ctx, ws, slices.Compact(people))
	if err != nil {
		return nil, err
	}
	if err := s.loadGiven(ctx, ws, g, messages); err != nil {
		return nil, err
	}
	if err := s.loadSupply(ctx, ws, g, messages); err != nil {
		return nil, err
	}
	if err := s.loadSlots(ctx, ws, g, now); err != nil {
		return nil, err
	}
	out := make([]verdict, len(messages))
	for i, m := range messages {
		v := g.supply(m)
		if !v.refused() {
			v = g.check(m)
		}
		if !v.refused() && !m.Transactional && heldOut(m.Source.ID, m.PersonID, holdouts[i]) {
			v = refuse(ReasonHoldout, Evidence{"scope": m.Source.Kind, "percent": holdouts[i]})
		}
		if !v.refused() {
			// Caps are counted when a message goes. What is planned for later is not judged by today.
			if m.DueAt.After(now) {
				v = g.wait(m, m.DueAt, false)
			} else {
				v = g.wait(m, now, true)
			}
		}
		v.locale = g.people[m.PersonID].Locale()
		out[i] = v
	}
	return out, nil
}

// loadSlots loads what counts under the caps for the people of the gate.
func (s *Service) loadSlots(ctx context.Context, ws string, g *gate, now time.Time) error {
	if len(g.policy.Caps) == 0 && !g.anyWeekly() {
		return nil
	}
	ids := make([]string, 0, len(g.people))
	for _, p := range g.people {
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	slots, err := s.store.Taken(ctx, ws, slices.Compact(ids), earlier(g.policy.longest(now), now.Add(-ownCap.length())))
	if err != nil {
		return fmt.Errorf("load slots: %w", err)
	}
	g.taken = map[string][]Slot{}
	for _, slot := range slots {
		g.taken[slot.PersonID] = append(g.taken[slot.PersonID], slot)
	}
	return s.loadRivals(ctx, ws, g, now)
}

// ownCap is what "at most one message a week" means, for people who asked for it.
var ownCap = Cap{Limit: 1, Days: 7}

func (c Cap) length() time.Duration { return time.Duration(c.Days) * 24 * time.Hour }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// weekly reports whether the person of a message asked for at most one message a week.
func (g *gate) weekly(m *Message) bool { return g.allows[m.PersonID][m.Channel].Weekly }

func (g *gate) anyWeekly() bool {
	for _, channels := range g.allows {
		for _, c := range channels {
			if c.Weekly {
				return true
			}
		}
	}
	return false
}

// counts reports whether a message takes a place under some cap.
func (g *gate) counts(m *Message) bool {
	return !m.Transactional && (len(g.policy.Caps) > 0 || g.weekly(m))
}

// wait judges a message that check lets through by the clock: quiet hours, and with count set the caps. A message that must wait gets a
// later DueAt. Of what quiet hours hold the caps are asked for the time at which these end: by then there may be room.
func (g *gate) wait(m *Message, at time.Time, count bool) verdict {
	if m.Transactional {
		return verdict{}
	}
	var displaced []string
	zone := g.people[m.PersonID].Location(g.home)
	due, reason, data := at, "", Evidence(nil)
	night := func() verdict {
		open, held, v := g.policy.quiet(m.Channel, due, zone)
		if !v.refused() && open.After(due) {
			due, reason, data = open, ReasonQuietHours, held
		}
		return v
	}
	if v := night(); v.refused() {
		return v
	}
	if count {
		turn, waits, out, v := g.room(g.policy, m, due, zone)
		if v.refused() {
			return v
		}
		if turn.After(due) {
			due, reason, data = turn, ReasonCapped, waits
		}
		if g.weekly(m) {
			_, _, own, v := g.room(Policy{Caps: []Cap{ownCap}}, m, due, zone)
			if v.refused() {
				return refuse(v.reason, v.data.with("own", true))
			}
			out = append(out, own...)
		}
		displaced = out
	}
	if v := night(); v.refused() {
		return v
	}
	if reason != "" {
		m.DueAt, m.Reason, m.Data = due, reason, data.with("until", due).with("zone", zone.String())
	} else if count && g.counts(m) {
		g.displaces[m.ID] = displaced
	}
	return verdict{}
}

// openGate loads what is needed to judge messages to these people. Templates and accounts are left to the caller.
func (s *Service) openGate(ctx context.Context, ws string, personIDs []string) (*gate, error) {
	g := &gate{topics: map[string]consent.Topic{}, home: time.UTC, now: s.clock.Now(), ranks: noRanks(), displaces: map[string][]string{}}
	var err error
	if g.policy, err = s.store.Policy(ctx, ws); err != nil {
		return nil, fmt.Errorf("load policy: %w", err)
	}
	if s.needs != nil {
		if g.needs, err = s.needs(ctx, ws); err != nil {
			return nil, fmt.Errorf("load categories of consent: %w", err)
		}
	}
	if s.zone != nil {
		if g.home, err = s.zone(ctx, ws); err != nil {
			return nil, fmt.Errorf("load zone: %w", err)
		}
	}
	if g.people, err = s.people.ByIDs(ctx, ws, personIDs); err != nil {
		return nil, fmt.Errorf("load people: %w", err)
	}
	for _, id := range personIDs {
		if p, ok := g.people[id]; ok && p.ID != id { // check moves messages on to the person of today
			g.people[p.ID] = p
		}
	}
	topics, err := s.consent.Topics(ctx, ws)
	if err != nil {
		return nil, fmt.Errorf("load topics: %w", err)
	}
	for _, t := range topics {
		g.topics[t.ID] = t
	}
	ids := make([]string, 0, len(g.people))
	addresses := make(map[string]map[string]string, len(g.people))
	for _, p := range g.people {
		if addresses[p.ID] != nil {
			continue // asked for by an old id as well
		}
		ids = append(ids, p.ID)
		addresses[p.ID] = map[string]string{}
		for _, spec := range s.channels {
			if a := Address(p, spec.Kind); a != "" {
				addresses[p.ID][spec.Kind] = a
			}
		}
	}
	if g.allows, err = s.consent.States(ctx, ws, ids, addresses); err != nil {
		return nil, fmt.Errorf("load consent: %w", err)
	}
	if g.held, err = s.consent.Holds(ctx, ws, ids); err != nil {
		return nil, fmt.Errorf("load holds: %w", err)
	}
	return g, nil
}

// loadGiven looks up the addresses that askers named themselves.
func (s *Service) loadGiven(ctx context.Context, ws string, g *gate, messages []*Message) error {
	byChannel := map[string][]string{}
	for _, m := range messages {
		if m.Given {
			byChannel[m.Channel] = append(byChannel[m.Channel], m.Address)
		}
	}
	for ch, addresses := range byChannel {
		found, err := s.consent.SuppressedAmong(ctx, ws, ch, addresses)
		if err != nil {
			return fmt.Errorf("load suppressions: %w", err)
		}
		if g.given == nil {
			g.given = map[string]consent.Suppression{}
		}
		for addr, entry := range found {
			g.given[ch+"\x00"+addr] = entry
		}
	}
	return nil
}

// check is THE gate: every message passes it when it is asked for and again when it is about to go. What it needs to know of the
// person may have changed in between; what it says about templates and accounts is said only once.
func (g *gate) check(m *Message) verdict {
	p, ok := g.people[m.PersonID]
	if !ok {
		return refuse(ReasonUnknownPerson, nil)
	}
	m.PersonID = p.ID // merged people are written to as one
	allows := g.allows[p.ID][m.Channel]
	if m.Given {
		entry, ok := g.given[m.Channel+"\x00"+m.Address]
		allows.Suppressed, allows.Reason = ok, entry.Reason
	} else {
		m.Address = Address(p, m.Channel)
	}
	at := g.now
	if m.DueAt.After(at) {
		at = m.DueAt
	}
	for _, h := range g.held[p.ID] {
		if h.Stops(m.Transactional, at) {
			data := Evidence{"why": string(h.Ground)}
			if !h.Until.IsZero() {
				data = data.with("until", h.Until)
			}
			return refuse(ReasonPersonSuppressed, data)
		}
	}
	if v := g.address(m); v.refused() {
		return v
	}
	if allows.Suppressed && allows.Reason.Blocks(m.Transactional) {
		return refuse(ReasonSuppressed, Evidence{"why": string(allows.Reason), "channel": m.Channel})
	}
	if m.Transactional {
		return verdict{}
	}
	if v := g.topic(m, allows); v.refused() {
		return v
	}
	if lacks := p.Preferences().Lacks(g.needs); len(lacks) > 0 {
		return refuse(ReasonCategory, Evidence{"categories": strings.Join(lacks, ", ")})
	}
	if allows.PausedUntil.After(at) {
		return refuse(ReasonPaused, Evidence{}.with("until", allows.PausedUntil))
	}
	if heldOut(g.policy.Salt, p.ID, g.policy.Holdout) {
		return refuse(ReasonHoldout, Evidence{"scope": "workspace", "percent": g.policy.Holdout})
	}
	return verdict{}
}

func (g *gate) address(m *Message) verdict {
	if m.Address == "" {
		return refuse(ReasonNoAddress, Evidence{"channel": m.Channel})
	}
	if !validAddress(m.Channel, m.Address) {
		return refuse(ReasonBadAddress, Evidence{"channel": m.Channel})
	}
	return verdict{}
}

func (g *gate) topic(m *Message, allows consent.Channel) verdict {
	if m.Topic == "" {
		return refuse(ReasonNoTopic, nil)
	}
	t, ok := g.topics[m.Topic]
	which := Evidence{"topic": m.Topic, "topic_name": t.Name, "channel": m.Channel}
	switch {
	case !ok || t.Archived:
		return refuse(ReasonUnknownTopic, Evidence{"topic": m.Topic})
	case !t.Sent(m.Channel):
		return refuse(ReasonTopicChannel, which)
	case allows.Topics[m.Topic]:
		return verdict{}
	case allows.Declined[m.Topic]:
		return refuse(ReasonUnsubscribed, which)
	}
	if at, ok := allows.Pending[m.Topic]; ok {
		which = which.with("pending", at).with("expired", g.now.Sub(at) > consent.ConfirmWithin)
	}
	return refuse(ReasonNotSubscribed, which)
}

// supply checks what does not depend on the person. A dry run may ask without a template.
func (g *gate) supply(m *Message) verdict {
	t, ok := g.content[m.Template]
	switch { // without a template: words of its own, or a dry run
	case m.Template == "" && g.routes[m.Channel]:
		return verdict{}
	case m.Template == "":
		return refuse(ReasonNoAccount, Evidence{"channel": m.Channel})
	case !ok:
		return refuse(ReasonUnknownTemplate, Evidence{"template": m.Template})
	case t.Status == content.Archived:
		return refuse(ReasonArchivedTemplate, Evidence{"template": m.Template, "template_name": t.Name})
	case t.Channel != m.Channel:
		return refuse(ReasonTemplateChannel, Evidence{"template": m.Template, "template_name": t.Name, "template_channel": t.Channel, "channel": m.Channel})
	case !g.routes[m.Channel]:
		return refuse(ReasonNoAccount, Evidence{"channel": m.Channel})
	}
	if m.TemplateVersion == 0 {
		m.TemplateVersion = t.Version
	}
	return verdict{}
}

// loadSupply fetches templates and accounts that messages name.
func (s *Service) loadSupply(ctx context.Context, ws string, g *gate, messages []*Message) error {
	g.content, g.routes = map[string]content.Template{}, map[string]bool{}
	asked := map[string]bool{}
	for _, m := range messages {
		if m.Template != "" && !asked["t"+m.Template] {
			asked["t"+m.Template] = true
			t, err := s.content.Get(ctx, ws, m.Template)
			switch {
			case err == nil:
				g.content[m.Template] = t
			case !errs.Is(err, errs.KindNotFound):
				return fmt.Errorf("load template: %w", err)
			}
		}
		if !asked["c"+m.Channel] {
			asked["c"+m.Channel] = true
			_, ok, err := s.accounts.DefaultAccount(ctx, ws, m.Channel)
			if err != nil {
				return fmt.Errorf("load account: %w", err)
			}
			g.routes[m.Channel] = ok
		}
	}
	return nil
}
