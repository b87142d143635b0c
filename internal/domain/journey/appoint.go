package journey

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
)

// Audience knows whole sets of people and when they were last active.
type Audience interface {
	// Numbers returns the members of a segment or list, or everybody if set is empty. The bitmap must not be changed.
	Numbers(ctx context.Context, ws, set string) (*roaring64.Bitmap, error)
	// Unsettled names the segments of these sets, and those that they are made of, whose members are not all known yet.
	Unsettled(ctx context.Context, ws string, sets []string) ([]string, error)
	// RestsOn returns what it depends on who is in a set: fields as rules name them, other sets down to the last, and names of events. Of a list that is itself.
	RestsOn(ctx context.Context, ws, set string) (fields, sets, events []string, err error)
	// LastEvents returns when each of the people last had an event with one of the names, or any page, screen or tracked event if there
	// are no names. Who never had one is left out.
	LastEvents(ctx context.Context, ws string, people, names []string) (map[string]time.Time, error)
}

func appointmentSlot(kind, person string) string { return kind + ":" + person }

// dateOf returns what the person's trait holds and where they live.
func (t *entrance) dateOf(s *rule.Subject, home *time.Location) (string, *time.Location) {
	text, _ := s.Traits[t.trait].(string)
	return text, node.ZoneOf(s, home)
}

// byDate makes the person's next appointment after a moment; nil if there is none.
func (p *Plan) byDate(ws, journey string, s *rule.Subject, home *time.Location, after time.Time) *Entry {
	t := &p.trigger
	text, zone := t.dateOf(s, home)
	at, of, ok := t.date.next(text, zone, after)
	if !ok {
		return nil
	}
	key := fmt.Sprintf("date:%s:%s:%s", t.trait, of, s.ID)
	props, _ := json.Marshal(map[string]any{"trait": t.trait, "date": of, "value": text}) // strings always encode
	return &Entry{
		Workspace: ws, Journey: journey, Slot: appointmentSlot(ByDate, s.ID), Person: s.ID, Kind: ByDate, Key: key, Due: at, Received: at, Basis: basis(text, zone),
		Trigger: node.Trigger{MessageID: key, Name: ByDate, Time: at, Properties: props},
	}
}

// byInactivity makes the appointment of a person who was last active at a moment.
func (p *Plan) byInactivity(ws, journey, person string, last time.Time) Entry {
	key := fmt.Sprintf("inactive:%s:%s", basis(last), person)
	due := last.Add(p.trigger.idleFor)
	props, _ := json.Marshal(map[string]any{"last_at": last})
	return Entry{
		Workspace: ws, Journey: journey, Slot: appointmentSlot(ByInactive, person), Person: person, Kind: ByInactive, Key: key, Due: due, Received: due, Basis: basis(last),
		Trigger: node.Trigger{MessageID: key, Name: ByInactive, Time: due, Properties: props},
	}
}

// appointByDate brings the appointments of people in line with their traits. An appointment that is due and still holds is left to be kept.
func (s *Service) appointByDate(ctx context.Context, ws string, journeys []live, people []string, after time.Time) error {
	homes, err := s.homes(ctx, ws, people)
	if err != nil {
		return err
	}
	subjects, err := s.c.Subjects.Subjects(ctx, ws, people, nil, false)
	if err != nil {
		return fmt.Errorf("load people: %w", err)
	}
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		now := s.c.Clock.Now()
		for _, l := range journeys {
			slots := make([]string, len(people))
			for n, p := range people {
				slots[n] = appointmentSlot(ByDate, p)
			}
			kept, err := s.c.Store.Entries(ctx, ws, l.journey.ID, slots)
			if err != nil {
				return err
			}
			standing := map[string]Entry{}
			for _, e := range kept {
				standing[e.Person] = e
			}
			var put []Entry
			var drop []string
			for _, id := range people {
				old, has := standing[id]
				subject := subjects[id]
				if subject == nil || subject.ID != id { // gone or merged
					if has {
						drop = append(drop, old.Slot)
					}
					continue
				}
				text, zone := l.plan.trigger.dateOf(subject, homes.of(id))
				if has && old.Basis == basis(text, zone) && !old.Due.After(now) {
					continue
				}
				e := l.plan.byDate(ws, l.journey.ID, subject, homes.of(id), after)
				switch {
				case e == nil && has:
					drop = append(drop, old.Slot)
				case e != nil && (!has || !old.Due.Equal(e.Due) || old.Basis != e.Basis):
					put = append(put, *e)
				}
			}
			if err := s.c.Store.DropEntries(ctx, ws, l.journey.ID, drop); err != nil {
				return err
			}
			if err := s.c.Store.PutEntries(ctx, put); err != nil {
				return err
			}
		}
		return nil
	})
}

// active puts off the appointments of people who have just been active.
func (r *reaction) active(e event.Kept, who string) {
	for _, l := range r.concerns.idle {
		t := &l.plan.trigger
		if !t.counts(e) {
			continue
		}
		a := l.plan.byInactivity(r.ws, l.journey.ID, who, e.Time)
		if l.plan.maxAge > 0 && r.now.Sub(a.Due) > l.plan.maxAge {
			continue // history that was imported
		}
		k := [2]string{l.journey.ID, who}
		if old, ok := r.idle[k]; !ok || a.Due.After(old.Due) {
			r.idle[k] = a
		}
	}
}
