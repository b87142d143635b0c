package hook

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// envelope is the body of a request, as Standard Webhooks has it.
type envelope struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // when it happened
	Data      any       `json:"data"`
}

type data struct {
	Event      string          `json:"event_id"`
	Name       string          `json:"event"`
	Person     string          `json:"person_id,omitempty"`
	User       string          `json:"user_id,omitempty"`
	Properties json.RawMessage `json:"properties"`
}

// Feed makes deliveries of stored events. The same events again make none.
func (s *Service) Feed(ctx context.Context, events []event.Kept) error {
	type asked struct {
		kind string
		event.Kept
	}
	wanted := map[string][]asked{}
	for _, e := range events {
		if k := kindOf(e.Event); k != "" {
			wanted[e.Workspace] = append(wanted[e.Workspace], asked{k, e})
		}
	}
	for _, ws := range slices.Sorted(maps.Keys(wanted)) {
		endpoints, err := s.c.Store.All(ctx, ws)
		if err != nil {
			return err
		}
		endpoints = slices.DeleteFunc(endpoints, func(e Endpoint) bool { return e.Status == Off })
		var nums []uint64
		all := slices.DeleteFunc(wanted[ws], func(a asked) bool {
			return !slices.ContainsFunc(endpoints, func(e Endpoint) bool { return slices.Contains(e.Kinds, a.kind) })
		})
		if len(all) == 0 {
			continue
		}
		if s.c.Withheld != nil {
			events := make([]event.Kept, len(all))
			for i, a := range all {
				events[i] = a.Kept
			}
			withheld, err := s.c.Withheld(ctx, ws, events)
			if err != nil {
				return err
			}
			all = slices.DeleteFunc(all, func(a asked) bool { return withheld(a.Kept) })
		}
		for _, a := range all {
			nums = append(nums, a.Person)
		}
		people, err := s.c.People.PersonIDs(ctx, ws, nums)
		if err != nil {
			return err
		}
		var out []Delivery
		now := s.c.Clock.Now()
		for _, a := range all {
			properties := event.Readable(a.Properties)
			if len(properties) == 0 {
				properties = json.RawMessage(`{}`)
			}
			body, err := json.Marshal(envelope{a.kind, a.Time, data{a.MessageID, a.Name, people[a.Person], a.UserID, properties}})
			if err != nil {
				return err
			}
			for _, e := range endpoints {
				if !slices.Contains(e.Kinds, a.kind) {
					continue
				}
				d := Delivery{ID: id.At("whd", now), Endpoint: e.ID, Kind: a.kind, Event: id.Key(a.MessageID), Body: string(body), State: Waiting, QueuedAt: now, DueAt: now, CreatedAt: now, Trace: a.Trace}
				if e.Status == Disabled {
					d.State, d.Error = Parked, "webhook.disabled"
				}
				out = append(out, d)
			}
		}
		if _, err := s.c.Store.Add(ctx, ws, out); err != nil {
			return err
		}
		s.pulse.Wake()
	}
	return nil
}
