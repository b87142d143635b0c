package journey

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

const (
	// maxHops bounds how many journeys may lead a person on one after the other at once, whether they name each other or one changes what lets people into the
	// next: so journeys that start each other come to an end.
	maxHops = 10
	// unhurried is how long somebody must have been inside for what follows to count as the doing of time: journeys may take turns for as long as they like
	// if people spend time in them.
	unhurried = time.Hour
)

// hops is how many journeys are behind what the round does now, itself included.
func (i Instance) hops(now time.Time) int {
	if now.Sub(i.Entered) >= unhurried {
		return 1
	}
	return i.Memory.Trigger.Hops + 1
}

// behind tells what the walks ask for how many journeys are behind it.
func behind(ctx context.Context, walks []Walk, now time.Time) context.Context {
	hops := map[string]int{}
	for _, w := range walks {
		hops[w.Instance.Person] = max(hops[w.Instance.Person], w.Instance.hops(now))
	}
	return event.After(ctx, hops)
}

// ledOn is the name of what lets a person into a journey that another journey leads to.
const ledOn = "Led On"

// others adds the walks of people whom a journey leads into another one or takes out of it, and notes with the step what came of it.
func (s *Service) others(ctx context.Context, walks []Walk) ([]Walk, error) {
	var more []Walk
	for n := range walks {
		w := &walks[n]
		for _, e := range w.Effects {
			var note node.Reason
			var add []Walk
			var err error
			switch {
			case e.Enter != nil:
				add, note, err = s.lead(ctx, *w, e, more)
			case e.Leave != nil:
				add, note, err = s.fetch(ctx, *w, e.Leave.Journey, more)
			default:
				continue
			}
			if err != nil {
				return nil, err
			}
			w.Steps[e.Step].Reason = note
			more = append(more, add...)
		}
	}
	return append(walks, more...), nil
}

// lead lets the person of w into another journey, unless that journey does not want them.
func (s *Service) lead(ctx context.Context, w Walk, e Effect, more []Walk) ([]Walk, node.Reason, error) {
	i := w.Instance
	notLed := func(why string, more ...any) node.Reason {
		return node.Because("not_led", append([]any{"why", why, "journey", e.Enter.Journey}, more...)...)
	}
	j, err := s.c.Store.Get(ctx, i.Workspace, e.Enter.Journey)
	switch {
	case errs.Is(err, errs.KindNotFound):
		return nil, notLed("missing"), nil
	case err != nil:
		return nil, node.Reason{}, err
	case j.Status != Live:
		return nil, notLed("status", "status", string(j.Status)), nil
	}
	p, err := s.plan(ctx, planKey{i.Workspace, j.ID, j.Published})
	if err != nil {
		return nil, node.Reason{}, err
	}
	now := s.c.Clock.Now()
	trigger := event.Kept{Event: event.Event{
		Workspace: i.Workspace, MessageID: e.Key, Type: event.Journey, Name: ledOn, PersonID: i.Person,
		Time: now, Received: now, Origin: event.Internal, Properties: e.Enter.Properties, Trace: i.Memory.Trigger.Trace,
		Hops: i.hops(now),
	}}
	entry := p.EventEntry(j, i.Person, trigger)
	t, err := s.trackOf(ctx, i.Workspace, i.Person, j.ID, entry.Live, more)
	if err != nil {
		return nil, node.Reason{}, err
	}
	switch why := p.refuses(t, entry, now); {
	case why == NotEndless:
		return nil, notLed(why, "hops", maxHops), s.turnAway(ctx, j, refused{entry, why})
	case why != "":
		return nil, notLed(why), nil
	case p.caps.bound():
		return nil, node.Because("place_asked", "journey", j.ID), s.c.Store.QueueEntries(ctx, []Entry{entry})
	}
	in := p.Enter(id.New("ins"), j.Published, entry, now)
	in.fresh = true
	return []Walk{in}, node.Because("led", "journey", j.ID), nil
}

// fetch takes the person of w out of another journey.
func (s *Service) fetch(ctx context.Context, w Walk, journey string, more []Walk) ([]Walk, node.Reason, error) {
	i := w.Instance
	rounds, err := s.roundsOf(ctx, i.Workspace, i.Person, journey, more)
	if err != nil {
		return nil, node.Reason{}, err
	}
	var ids []string
	for _, r := range rounds {
		if r.Inside() {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return nil, node.Because("not_in_journey", "journey", journey), nil
	}
	found, err := s.c.Store.Seize(ctx, i.Workspace, ids)
	if err != nil || len(found) == 0 {
		return nil, node.Because("not_in_journey", "journey", journey), err
	}
	var out []Walk
	for _, f := range found {
		out = append(out, s.takeOut(ctx, f, "other_journey", node.Because("other_journey", "journey", i.Journey)))
	}
	return out, node.Because("fetched", "journey", journey), nil
}

// trackOf returns the person's way through another journey, as it will be once the walks are stored.
func (s *Service) trackOf(ctx context.Context, ws, person, journey, live string, walks []Walk) (*track, error) {
	rounds, err := s.roundsOf(ctx, ws, person, journey, walks)
	if err != nil {
		return nil, err
	}
	t := &track{}
	for n := range rounds {
		if rounds[n].Key == live {
			t.note(&rounds[n])
		}
	}
	return t, nil
}

func (s *Service) roundsOf(ctx context.Context, ws, person, journey string, walks []Walk) ([]Instance, error) {
	rounds, err := s.c.Store.Latest(ctx, ws, []string{person}, []string{journey})
	if err != nil {
		return nil, err
	}
	for _, w := range walks {
		if w.Instance.Person != person || w.Instance.Journey != journey {
			continue
		}
		if n := slices.IndexFunc(rounds, func(i Instance) bool { return i.ID == w.Instance.ID }); n >= 0 {
			rounds[n] = w.Instance
		} else {
			rounds = append(rounds, w.Instance)
		}
	}
	return rounds, nil
}

// Touched makes those be looked at again who wait for a rule and of whom anything has changed: traits, history, memberships. Their appointments
// by date follow too. It is called with what the pipeline has stored; calling it again is harmless.
func (s *Service) Touched(ctx context.Context, ws string, people []string) error {
	idx, err := s.current(ctx)
	if err != nil {
		return err
	}
	c := idx.workspaces[ws]
	if c == nil || len(people) == 0 {
		return nil
	}
	if len(c.dated) > 0 {
		if err := s.appointByDate(ctx, ws, c.dated, people, s.c.Clock.Now()); err != nil {
			return fmt.Errorf("appointments of workspace %s: %w", ws, err)
		}
	}
	if len(c.asking.Journeys) == 0 {
		return nil
	}
	var touched int64
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		touched, err = s.c.Store.Nudge(ctx, ws, people, c.asking, s.c.Clock.Now())
		return err
	})
	if touched > 0 {
		s.pulse.Wake()
	}
	return err
}
