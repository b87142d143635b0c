package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// Attribution credits goal events to messages: of those sent to the person before the event, inside their own window and for
// this goal, the latest that was clicked before the event, else the latest. Each order (else each event) is credited once,
// whenever and however often it arrives. Refunds are taken off what their order brought, whichever of the two arrives first.
//
// Beside the credit it notes the outcome of every message that was meant for the person, whatever became of it, those that the gate held back as
// control group included, if the event lies within the goal's window from the moment for which the message was asked. An outcome is no credit: it says that
// the person did what was hoped for, whatever made them, which is what the two groups are compared by.
//
// To be called after Receipts for the same events.
func (s *Service) Attribution(ctx context.Context, events []event.Kept) error {
	byWorkspace := map[string][]event.Kept{}
	for _, e := range events {
		if e.Person != 0 && e.Type != event.Message && e.Name != "" {
			byWorkspace[e.Workspace] = append(byWorkspace[e.Workspace], e)
		}
	}
	for ws, evs := range byWorkspace {
		if err := s.attribute(ctx, ws, evs); err != nil {
			return fmt.Errorf("attribute conversions: %w", err)
		}
	}
	return nil
}

func (s *Service) attribute(ctx context.Context, ws string, events []event.Kept) error {
	var refunds []Refund
	for _, e := range events {
		if r, ok := refund(e); ok {
			refunds = append(refunds, r)
		}
	}
	if len(refunds) > 0 {
		if err := s.store.AddRefunds(ctx, ws, refunds); err != nil {
			return err
		}
	}
	goals, err := s.store.Goals(ctx, ws)
	if err != nil {
		return err
	}
	events = slices.DeleteFunc(events, func(e event.Kept) bool { return !slices.Contains(goals, e.Name) })
	if len(events) == 0 {
		return nil
	}
	nums := make([]uint64, len(events))
	earliest := events[0].Time
	for i, e := range events {
		nums[i] = e.Person
		if e.Time.Before(earliest) {
			earliest = e.Time
		}
	}
	slices.Sort(nums)
	idOf, err := s.idsOf(ctx, ws, slices.Compact(nums))
	if err != nil {
		return err
	}
	ids := make([]string, 0, len(idOf))
	for _, id := range idOf {
		ids = append(ids, id)
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		return s.credit(ctx, ws, events, idOf, ids, earliest.Add(-MaxGoalWindow))
	})
}

// credit writes outcomes and conversions of the events, and tells of the conversions that are new.
func (s *Service) credit(ctx context.Context, ws string, events []event.Kept, idOf map[uint64]string, ids []string, since time.Time) error {
	meant, err := s.store.Candidates(ctx, ws, ids, since)
	if err != nil {
		return err
	}
	if err := s.clicking(ctx, ws, meant); err != nil {
		return err
	}
	byPerson := map[string][]Message{}
	for _, m := range meant {
		byPerson[m.PersonID] = append(byPerson[m.PersonID], m)
	}
	var aims aims
	credited := map[string]Message{}
	var conversions, outcomes []Conversion
	for _, e := range events {
		var best Message
		found := false
		for _, m := range byPerson[idOf[e.Person]] {
			meant, sent := m.Goal.open(m.NotBefore, e.Time), !m.SentAt.IsZero() && m.BouncedAt.IsZero() && m.Goal.open(m.SentAt, e.Time)
			if !meant && !sent || !aims.hits(m.Goal, e) {
				continue
			}
			if meant {
				outcomes = append(outcomes, conversion(e, m))
			}
			if !sent {
				continue
			}
			clicked := !m.ClickedAt.IsZero() && !m.ClickedAt.After(e.Time)
			bestClicked := !best.ClickedAt.IsZero() && !best.ClickedAt.After(e.Time)
			if !found || clicked || !bestClicked {
				best, found = m, true
			}
		}
		if found {
			c := conversion(e, best)
			credited[c.Key] = best
			conversions = append(conversions, c)
		}
	}
	if err := s.store.AddOutcomes(ctx, ws, outcomes); err != nil {
		return err
	}
	added, err := s.store.AddConversions(ctx, ws, conversions)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	var out []event.Event
	for _, c := range conversions {
		if !added[c.Key] {
			continue
		}
		delete(added, c.Key)
		out = append(out, told(credited[c.Key], event.MessageConverted, "converted:"+c.Key, c.At, now, map[string]any{
			"goal_event": c.Event, "goal_message_id": c.EventID, "revenue_minor": c.Minor, "currency": c.Currency,
		}))
	}
	return s.emit(ctx, out)
}

// open reports whether a moment lies within the window that begins at another.
func (g Goal) open(from, at time.Time) bool { return !from.After(at) && at.Sub(from) <= g.Window }

// idsOf returns the people behind numbers. One that was merged since its event was stored answers under another number.
func (s *Service) idsOf(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error) {
	people, err := s.people.ByNums(ctx, ws, nums)
	if err != nil {
		return nil, fmt.Errorf("load people: %w", err)
	}
	out := make(map[uint64]string, len(nums))
	for _, p := range people {
		out[p.Num] = p.ID
	}
	for _, n := range nums {
		if out[n] != "" {
			continue
		}
		merged, err := s.people.ByNums(ctx, ws, []uint64{n})
		if err != nil {
			return nil, fmt.Errorf("load people: %w", err)
		}
		if len(merged) > 0 {
			out[n] = merged[0].ID
		}
	}
	return out, nil
}

func conversion(e event.Kept, m Message) Conversion {
	c := Conversion{
		Key: id.Key(e.MessageID), EventID: e.MessageID, Event: e.Name, MessageID: m.ID, PersonID: m.PersonID, Source: m.Source, At: e.Time,
	}
	c.Minor, c.Currency = m.Goal.Worth(e)
	if e.Name == event.OrderCompleted {
		if key := OrderKey(e); key != "" {
			c.Key = key
		}
	}
	return c
}

// OrderKey names the order of an event, empty if it has no number. Refunds are found by it.
func OrderKey(e event.Kept) string {
	var p struct {
		OrderID any `json:"order_id"`
	}
	_ = json.Unmarshal(e.Properties, &p) // properties come from outside: an odd one is as good as none
	switch v := p.OrderID.(type) {
	case string:
		if v != "" {
			return id.Key("order:" + v)
		}
	case float64:
		return fmt.Sprintf("order:%v", v)
	}
	return ""
}
