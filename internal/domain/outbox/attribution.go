package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/money"
)

// Attribution credits goal events to messages: of those sent to the person before the event, inside their own window and for
// this goal, the latest that was clicked before the event, else the latest. Each order (else each event) is credited once,
// whenever and however often it arrives. To be called after Receipts for the same events.
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
		sent, err := s.store.Candidates(ctx, ws, ids, earliest.Add(-MaxGoalWindow))
		if err != nil {
			return err
		}
		byPerson := map[string][]Message{}
		for _, m := range sent {
			byPerson[m.PersonID] = append(byPerson[m.PersonID], m)
		}
		credited := map[string]Message{}
		var conversions []Conversion
		for _, e := range events {
			m, ok := credit(byPerson[idOf[e.Person]], e.Name, e.Time)
			if !ok {
				continue
			}
			c := conversion(e, m)
			credited[c.Key] = m
			conversions = append(conversions, c)
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
	})
}

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

// credit picks the message that a goal event is the effect of. sent is ordered by time.
func credit(sent []Message, goal string, at time.Time) (best Message, ok bool) {
	for _, m := range sent {
		if m.Goal.Event != goal || m.SentAt.After(at) || at.Sub(m.SentAt) > m.Goal.Window {
			continue
		}
		clicked := !m.ClickedAt.IsZero() && !m.ClickedAt.After(at)
		bestClicked := !best.ClickedAt.IsZero() && !best.ClickedAt.After(at)
		if !ok || clicked || !bestClicked {
			best, ok = m, true
		}
	}
	return best, ok
}

func conversion(e event.Kept, m Message) Conversion {
	c := Conversion{
		Key: id.Key(e.MessageID), EventID: e.MessageID, Event: e.Name, MessageID: m.ID, PersonID: m.PersonID, Source: m.Source, At: e.Time,
	}
	if e.Name != event.OrderCompleted {
		return c
	}
	var p struct {
		OrderID any `json:"order_id"`
	}
	_ = json.Unmarshal(e.Properties, &p) // properties come from outside: an odd one is as good as none
	switch v := p.OrderID.(type) {
	case string:
		if v != "" {
			c.Key = id.Key("order:" + v)
		}
	case float64:
		c.Key = fmt.Sprintf("order:%v", v)
	}
	if minor, currency, ok := money.OfProperties(e.Properties); ok {
		c.Minor, c.Currency = minor, currency
	}
	return c
}
