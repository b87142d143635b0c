package person

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Unbinding takes identifiers off a person: a number that was given up, a telephone that was sold. What came with them stays with the person;
// from now on they are nobody's, until they come with somebody again.
type Unbinding struct {
	Identifiers []event.Identifier
	Note        string
	Cause       string // the same cause unbinds once
}

// Unbind takes identifiers off a person, and with each those that live with it (Kind.Parent) and came together with it. It returns
// what will be taken off. It is an event on the log and part of the history like any other, so it holds however often that is worked out
// again, and identifiers that came before it stay where they were. A user id is never unbound; split the person instead.
func (s *Service) Unbind(ctx context.Context, ws, personID string, u Unbinding) ([]event.Identifier, error) {
	if utf8.RuneCountInString(u.Note) > maxNote {
		return nil, errs.Invalid("person.split.note", "note", "at most %d characters", maxNote)
	}
	who, err := s.Get(ctx, ws, personID)
	if err != nil {
		return nil, err
	}
	owns := func(id event.Identifier) bool {
		return slices.ContainsFunc(who.Identifiers, func(x Identifier) bool { return x.Kind == id.Kind && x.Value == id.Value })
	}
	var off []event.Identifier
	for i, given := range u.Identifiers {
		norm, err := s.Normalise(ctx, ws, given)
		if err != nil {
			return nil, err
		}
		field := fmt.Sprintf("identifiers[%d]", i)
		switch {
		case norm.Kind == KindUser:
			return nil, errs.Invalid("person.unbind.user", field, "a user id never changes hands; split the person instead")
		case !owns(norm):
			return nil, errs.Invalid("person.split.identifiers", field, "%s %q does not belong to this person", norm.Kind, norm.Value)
		case !slices.Contains(off, norm):
			off = append(off, norm)
		}
	}
	if len(off) == 0 {
		return nil, errs.Invalid("person.unbind.nothing", "identifiers", "name at least one identifier of this person")
	}
	if off, err = s.withChildren(ctx, ws, who, off, owns); err != nil {
		return nil, err
	}
	if len(off) >= len(who.Identifiers) {
		return nil, errs.Invalid("person.unbind.all", "identifiers", "at least one identifier must stay, or nobody would know the person again")
	}
	now := s.Clock.Now()
	at := now
	if !at.After(who.LastSeen) { // a client's clock was ahead
		at = who.LastSeen.Add(time.Microsecond)
	}
	props, err := json.Marshal(map[string]any{"identifiers": off, "note": u.Note})
	if err != nil {
		return nil, fmt.Errorf("encode unbinding: %w", err)
	}
	ev := event.Event{
		Workspace: ws, MessageID: "unbind:" + u.Cause, Type: event.Identity, Name: event.IdentifierUnbound, PersonID: who.ID, Time: at, Received: now, Origin: event.Internal, Properties: props,
	}
	if err := carry(&ev, off); err != nil {
		return nil, err
	}
	return off, s.Emitter.Emit(ctx, ev)
}

// withChildren adds the person's identifiers of kinds that live with those given, as far as they ever came with them.
func (s *Service) withChildren(ctx context.Context, ws string, who Person, off []event.Identifier, owns func(event.Identifier) bool) ([]event.Identifier, error) {
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(off); i++ { // the list grows
		parent := off[i]
		if !slices.ContainsFunc(k.list, func(k Kind) bool { return k.Parent == parent.Kind }) {
			continue
		}
		events, err := s.History.Linked(ctx, ws, []event.Identifier{parent}, maxReplayEvents)
		if err != nil {
			return nil, err
		}
		for j := range events {
			for _, id := range events[j].Identifiers {
				rank, declared := k.rank[id.Kind]
				if declared && k.list[rank].Parent == parent.Kind && owns(id) && !slices.Contains(off, id) {
					off = append(off, id)
				}
			}
		}
	}
	return off, nil
}
