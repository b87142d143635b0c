package outbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// pauseLook is how often a message of a paused source is looked at, should nobody say that the source goes on.
const pauseLook = time.Hour

// whole is the source without the parts that tell its messages apart.
func (s Source) whole() Source { return Source{Kind: s.Kind, ID: s.ID} }

// pausedOf returns which of the messages' sources are paused.
func (s *Service) pausedOf(ctx context.Context, ws string, messages []*Message) (map[Source]bool, error) {
	if s.paused == nil {
		return nil, nil
	}
	out := map[Source]bool{}
	for _, m := range messages {
		src := m.Source.whole()
		if _, asked := out[src]; asked {
			continue
		}
		is, err := s.paused(ctx, ws, src)
		if err != nil {
			return nil, fmt.Errorf("load whether %s %s is paused: %w", src.Kind, src.ID, err)
		}
		out[src] = is
	}
	return out, nil
}

func pausedBecause(src Source) Evidence {
	return Evidence{"source_kind": src.Kind, "source_id": src.ID}
}

// SourcePaused keeps what a campaign or journey has asked for from going until SourceResumed: whatever waits, for the night to end or for
// its turn, waits on. It joins the transaction in which the source is paused; only what is in flight then still goes.
func (s *Service) SourcePaused(ctx context.Context, ws string, src Source) error {
	return s.store.RecallSource(ctx, ws, src)
}

// SourceResumed lets what waited for the source meet the gate again, in the transaction in which it goes on.
func (s *Service) SourceResumed(ctx context.Context, ws string, src Source) error {
	// Also what a sender holds, which may be about to write that it waits.
	if err := s.store.RecallSource(ctx, ws, src); err != nil {
		return err
	}
	return s.store.Rouse(ctx, ws, src, s.clock.Now(), ReasonSourcePaused)
}

// fresh is how long a message is taken for wanted because it was just asked for.
const fresh = time.Minute

// unwantedOf returns which of the messages have waited and are not wanted any more, and why. It is asked before the transaction in which they are let through: it
// may have to look at people's histories.
func (s *Service) unwantedOf(ctx context.Context, ws string, messages []*Message, now time.Time) (map[string]Evidence, error) {
	var waited []Message
	for _, m := range messages {
		if !m.Transactional && now.Sub(m.NotBefore) > fresh {
			waited = append(waited, *m)
		}
	}
	if s.unwanted == nil || len(waited) == 0 {
		return nil, nil
	}
	out, err := s.unwanted(ctx, ws, waited)
	if err != nil {
		return nil, fmt.Errorf("ask whether what has waited is still wanted: %w", err)
	}
	return out, nil
}

// Withdrawal names messages to a person that are not wanted any more.
type Withdrawal struct {
	Person string
	Source Source
	Keys   string   // what their idempotency keys begin with
	Data   Evidence // why they are not wanted
}

// Withdraw refuses what waits of these, for the night to end or for its turn, and tells of it; it joins the caller's transaction. What is in flight
// goes, and so does what is transactional: it answers something that the person did.
func (s *Service) Withdraw(ctx context.Context, ws string, all []Withdrawal) error {
	var people []string
	for _, w := range all {
		people = append(people, w.Person)
	}
	if len(people) == 0 {
		return nil
	}
	slices.Sort(people)
	now := s.clock.Now()
	waiting, err := s.store.Rivals(ctx, ws, slices.Compact(people), now.AddDate(100, 0, 0))
	if err != nil {
		return fmt.Errorf("look for what waits: %w", err)
	}
	why := map[string]Evidence{}
	for _, m := range waiting {
		for _, w := range all {
			if m.PersonID == w.Person && m.Source.whole() == w.Source.whole() && strings.HasPrefix(m.Key, w.Keys) {
				why[m.ID] = w.Data
			}
		}
	}
	if len(why) == 0 {
		return nil
	}
	done, err := s.store.Displace(ctx, ws, ReasonLeftJourney, why, now)
	if err != nil {
		return fmt.Errorf("withdraw: %w", err)
	}
	var events []event.Event
	for _, m := range waiting {
		if done[m.ID] {
			events = append(events, told(m, event.MessageRefused, "refused", now, now, map[string]any{"reason": ReasonLeftJourney, "data": why[m.ID]}))
		}
	}
	return s.emit(ctx, events)
}
