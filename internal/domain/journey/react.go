package journey

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// React lets events start journeys and tells the people inside of them. Events may be of several workspaces and must
// come in the order of the log. The same events again change nothing.
func (s *Service) React(ctx context.Context, events []event.Kept) error {
	idx, err := s.current(ctx)
	if err != nil {
		return err
	}
	concerning := map[string][]event.Kept{}
	for _, e := range events {
		if c := idx.workspaces[e.Workspace]; c != nil && (len(c.idle) > 0 || len(c.concerned(node.Names(e))) > 0) {
			concerning[e.Workspace] = append(concerning[e.Workspace], e)
		}
	}
	for _, ws := range slices.Sorted(maps.Keys(concerning)) {
		if err := s.react(ctx, ws, idx.workspaces[ws], concerning[ws]); err != nil {
			return fmt.Errorf("journeys of workspace %s: %w", ws, err)
		}
	}
	if len(concerning) > 0 {
		s.pulse.Wake()
	}
	return nil
}

func (s *Service) react(ctx context.Context, ws string, c *concerns, events []event.Kept) error {
	var nums []uint64
	var names []string
	for _, e := range events {
		nums = append(nums, e.Person)
		names = append(names, node.Names(e)...)
	}
	slices.Sort(nums)
	people, err := s.c.People.IDs(ctx, ws, slices.Compact(nums))
	if err != nil {
		return err
	}
	journeys := c.concerned(names)
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		r := &reaction{s: s, ws: ws, concerns: c, now: s.c.Clock.Now(), people: people, tracks: map[trackKey]*track{}, idle: map[[2]string]Entry{}}
		if err := r.load(ctx, events, journeys); err != nil {
			return err
		}
		for _, e := range events {
			if err := r.apply(ctx, e); err != nil {
				return err
			}
		}
		if err := s.write(ctx, r.walks()); err != nil {
			return err
		}
		if err := s.c.Outbox.Withdraw(ctx, ws, r.unwanted); err != nil {
			return fmt.Errorf("withdraw messages: %w", err)
		}
		for _, l := range r.endless {
			if err := s.turnAway(ctx, l.journey, refused{l.entry, NotEndless}); err != nil {
				return err
			}
		}
		if err := s.c.Store.QueueEntries(ctx, r.queue); err != nil {
			return err
		}
		return s.c.Store.PutEntries(ctx, r.appointments())
	})
}

// reaction is what a batch of events does in one workspace.
type reaction struct {
	s        *Service
	ws       string
	concerns *concerns
	now      time.Time
	people   map[uint64]string
	tracks   map[trackKey]*track
	order    []trackKey          // of first touch, so that equal batches write in equal order
	queue    []Entry             // who has to ask for a place
	idle     map[[2]string]Entry // journey and person -> the appointment after the last activity
	unwanted []outbox.Withdrawal // messages of rounds that had ended while they still waited
	endless  []led               // whom journeys would lead on without end
}

// led is somebody whom other journeys lead to a journey.
type led struct {
	journey Journey
	entry   Entry
}

// trackKey names a person's ways through a journey; live is Instance.Key.
type trackKey struct{ person, journey, live string }

// track is one person's way through one journey: the round they are in and the last one before it.
type track struct {
	inside  *Instance
	last    *Instance
	reply   *node.Answer // of a rehearsal: what the round hears when it is woken
	pending []*Walk      // changes made by this batch; the last one concerns inside, if the person is
}

func (r *reaction) track(k trackKey) *track {
	t := r.tracks[k]
	if t == nil {
		t = &track{}
		r.tracks[k] = t
		r.order = append(r.order, k)
	}
	return t
}

// load reads the rounds of everybody concerned, and takes away from the workers those that will change.
func (r *reaction) load(ctx context.Context, events []event.Kept, journeys []string) error {
	ids := map[string]bool{}
	for _, e := range events {
		if p := r.people[e.Person]; p != "" {
			ids[p] = true
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rounds, err := r.s.c.Store.Latest(ctx, r.ws, slices.Sorted(maps.Keys(ids)), journeys)
	if err != nil {
		return err
	}
	byPerson := map[string][]Instance{}
	for _, i := range rounds {
		byPerson[i.Person] = append(byPerson[i.Person], i)
	}
	hit := map[string]bool{}
	for _, e := range events {
		for _, i := range byPerson[r.people[e.Person]] {
			if !i.Inside() || hit[i.ID] {
				continue
			}
			p, err := r.planOf(ctx, i)
			if err != nil {
				return err
			}
			if p != nil {
				_, hit[i.ID] = p.Hear(i, e, r.now)
			}
		}
	}
	maps.DeleteFunc(hit, func(_ string, is bool) bool { return !is })
	if len(hit) > 0 {
		fresh, err := r.s.c.Store.Seize(ctx, r.ws, slices.Sorted(maps.Keys(hit)))
		if err != nil {
			return err
		}
		for _, f := range fresh {
			for n := range rounds {
				if rounds[n].ID == f.ID {
					rounds[n] = f
				}
			}
		}
	}
	for n := range rounds {
		i := &rounds[n]
		r.track(trackKey{i.Person, i.Journey, i.Key}).note(i)
	}
	return nil
}

// planOf returns nil for a version that this release cannot walk: its people cannot hear, and are parked when they are due.
func (r *reaction) planOf(ctx context.Context, i Instance) (*Plan, error) {
	p, err := r.s.plan(ctx, planKey{i.Workspace, i.Journey, i.Version})
	if permanent(err) {
		return nil, nil
	}
	return p, err
}

// apply tells those inside of the event, then lets it start journeys.
func (r *reaction) apply(ctx context.Context, e event.Kept) error {
	who := r.people[e.Person]
	if who == "" {
		return nil // gone since
	}
	names := node.Names(e)
	for _, j := range r.concerns.concerned(names) {
		for _, k := range r.order {
			t := r.tracks[k]
			if k.person != who || k.journey != j || t.last == nil {
				continue
			}
			p, err := r.planOf(ctx, *t.last)
			if err != nil {
				return err
			}
			if p == nil {
				continue
			}
			if t.inside == nil {
				if why := p.Unwants(*t.last, e); why != "" {
					r.unwanted = append(r.unwanted, t.last.withdrawal(why))
				}
				if w, late := p.HearLate(*t.last, e); late && len(t.pending) == 0 {
					t.pending = append(t.pending, &w)
					i := w.Instance
					t.last = &i
				}
				continue
			}
			if w, changed := p.Hear(*t.inside, e, r.now); changed {
				t.take(w)
			}
		}
	}
	r.active(e, who)
	for n, name := range names {
		for _, l := range r.concerns.triggers[name] {
			if n > 0 && slices.Contains(l.plan.trigger.match.Names(), names[0]) || !l.plan.trigger.match.Match(e) {
				continue // a page view found by its name is not found again by its type
			}
			entry := l.plan.EventEntry(l.journey, who, e)
			t := r.track(trackKey{who, l.journey.ID, entry.Live})
			if why := l.plan.refuses(t, entry, r.now); why != "" {
				if why == NotEndless {
					r.endless = append(r.endless, led{l.journey, entry})
				}
				continue
			}
			if l.plan.caps.bound() {
				r.queue = append(r.queue, entry)
				continue
			}
			w := l.plan.Enter(id.New("ins"), l.journey.Published, entry, r.now)
			w.fresh = true
			l.plan.run(&w, node.Input{}, r.now, true)
			t.pending = append(t.pending, &Walk{})
			t.last = &w.Instance
			t.take(w)
		}
	}
	return nil
}

// appointments returns them in an order that equal batches share.
func (r *reaction) appointments() []Entry {
	out := slices.Collect(maps.Values(r.idle))
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Journey, b.Journey), cmp.Compare(a.Slot, b.Slot)) })
	return out
}

// take notes a change of the round the person is in.
func (t *track) take(w Walk) {
	if len(t.pending) == 0 {
		t.pending = append(t.pending, &Walk{})
	}
	p := t.pending[len(t.pending)-1]
	p.fresh = p.fresh || w.fresh
	p.Instance = w.Instance
	p.Steps = append(p.Steps, w.Steps...)
	p.Tallies = append(p.Tallies, w.Tallies...)
	i := w.Instance
	t.last, t.inside = &i, &i
	if !i.Inside() {
		t.inside = nil
	}
}

func (r *reaction) walks() []Walk {
	var out []Walk
	for _, k := range r.order {
		for _, w := range r.tracks[k].pending {
			out = append(out, *w)
		}
	}
	return out
}

// happened is when what an event tells of took place. A change of membership may have been caused by an old event that
// arrived only now.
func happened(e event.Kept) time.Time {
	if e.Type == event.Segment {
		var p struct {
			CauseTime time.Time `json:"cause_time"`
		}
		if json.Unmarshal(e.Properties, &p) == nil && !p.CauseTime.IsZero() && p.CauseTime.Before(e.Time) {
			return p.CauseTime
		}
	}
	return e.Time
}

func arrived(e event.Kept) time.Time {
	if e.Received.IsZero() {
		return e.Time
	}
	return e.Received
}

// Forget takes somebody who is to be erased out of all journeys. Doing it again changes nothing.
func (s *Service) Forget(ctx context.Context, ws, person string) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		found, err := s.c.Store.SeizeOf(ctx, ws, person)
		if err != nil {
			return err
		}
		var walks []Walk
		for _, i := range found {
			if i.Status == Active || i.Status == Parked {
				walks = append(walks, s.takeOut(ctx, i, "removed", node.Because("removed")))
			}
		}
		return s.write(ctx, walks)
	})
}

// PeopleMerged gives the loser's rounds to the winner, in the transaction of the merge. Where the winner is inside the same
// journey, the loser's round ends, so that one person is not led twice.
func (s *Service) PeopleMerged(ctx context.Context, ws string, loser, winner person.Ref) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		theirs, err := s.c.Store.SeizeOf(ctx, ws, loser.ID)
		if err != nil {
			return err
		}
		own, err := s.c.Store.SeizeOf(ctx, ws, winner.ID)
		if err != nil {
			return err
		}
		var walks []Walk
		for _, i := range theirs {
			if slices.ContainsFunc(own, func(o Instance) bool { return o.Journey == i.Journey && o.Key == i.Key }) {
				w := s.takeOut(ctx, i, "merged", node.Because("merged"))
				w.Instance.Person = winner.ID
				walks = append(walks, w)
			}
		}
		if err := s.write(ctx, walks); err != nil {
			return err
		}
		if err := s.c.Store.Repoint(ctx, ws, loser.ID, winner.ID); err != nil {
			return err
		}
		return s.inherit(ctx, ws, loser.ID, winner.ID)
	})
}

// inherit gives what the loser of a merge was to enter to the winner. Appointments by date are made anew from the winner's traits, who is
// touched by the merge; of two by inactivity the later one holds.
func (s *Service) inherit(ctx context.Context, ws, loser, winner string) error {
	theirs, err := s.c.Store.TakeEntriesOf(ctx, ws, loser)
	if err != nil {
		return err
	}
	var keep []Entry
	for _, e := range theirs {
		e.Person = winner
		switch e.Slot {
		case appointmentSlot(ByDate, loser):
			continue
		case appointmentSlot(ByInactive, loser):
			e.Slot = appointmentSlot(ByInactive, winner)
		}
		keep = append(keep, e)
	}
	return s.c.Store.PutEntries(ctx, keep)
}
