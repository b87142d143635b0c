package person

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// SetTraits sets traits of a person; nil deletes one. It only writes an event, which joins the transaction of ctx: the
// traits change when the event comes back from the log, and are part of the history like all others. The same cause
// sets them once.
func (s *Service) SetTraits(ctx context.Context, ws, personID string, traits map[string]any, cause string) error {
	return s.ChangeTraits(ctx, ws, personID, traits, nil, cause)
}

// ChangeTraits is SetTraits that also adds to traits. How much a trait comes to is worked out where the event is folded, so that two who add at
// the same time both count; one that is no number counts as 0.
func (s *Service) ChangeTraits(ctx context.Context, ws, personID string, traits map[string]any, increment map[string]float64, cause string) error {
	who, err := s.Get(ctx, ws, personID)
	if err != nil {
		return err
	}
	props, err := encodeTraits(traits)
	if err != nil {
		return err
	}
	var with json.RawMessage
	if len(increment) > 0 {
		for k := range increment {
			if k == "" || len(k) > maxTraitName {
				return errs.Invalid("person.traits.name", "traits", "a trait name has 1 to %d bytes", maxTraitName)
			}
		}
		if with, err = json.Marshal(map[string]any{"increment": increment}); err != nil {
			return errs.Invalid("person.traits.value", "traits", "what is added is a number").With(err)
		}
	}
	e := s.traitsEvent(ws, who.ID, props, cause)
	e.Context = with
	return s.Emitter.Emit(ctx, e)
}

// TraitsOf begins the message ids of events by which the product itself sets traits; what caused it follows.
const TraitsOf = "traits:"

// TraitsEvent is the event that SetTraits writes, for whoever knows the people and tells of many at once.
func (s *Service) TraitsEvent(ws, personID string, traits map[string]any, cause string) (event.Event, error) {
	props, err := encodeTraits(traits)
	return s.traitsEvent(ws, personID, props, cause), err
}

func (s *Service) traitsEvent(ws, personID string, props json.RawMessage, cause string) event.Event {
	now := s.Clock.Now()
	e := event.Event{
		Workspace: ws, MessageID: TraitsOf + cause, Type: event.Identify, PersonID: personID, Time: now, Received: now,
		Origin: event.Internal, Properties: props,
	}
	s.treat(&e)
	return e
}

// treat does what the workspace has decided about fields of events, which intake does to those from outside.
func (s *Service) treat(e *event.Event) {
	if s.Treat != nil {
		s.Treat(e)
	}
}

func encodeTraits(traits map[string]any) (json.RawMessage, error) {
	if len(traits) > maxTraits {
		return nil, errs.Invalid("person.traits.too_many", "traits", "%d traits; at most %d are kept of a person", len(traits), maxTraits)
	}
	for k := range traits {
		if k == "" || len(k) > maxTraitName {
			return nil, errs.Invalid("person.traits.name", "traits", "a trait name has 1 to %d bytes", maxTraitName)
		}
	}
	b, err := json.Marshal(traits)
	if err != nil {
		return nil, errs.Invalid("person.traits.value", "traits", "a trait is a JSON value").With(err)
	}
	if len(b) > maxTraitBytes {
		return nil, errs.Invalid("person.traits.too_large", "traits", "%d bytes; at most %d are kept of a person", len(b), maxTraitBytes)
	}
	return b, nil
}

// NewPerson is a person made by hand.
type NewPerson struct {
	Identifiers []event.Identifier // none may belong to someone already; may be empty
	Traits      map[string]any
}

// Create makes a person by hand. The person can be read at once; the event that tells of it joins the history like all others.
func (s *Service) Create(ctx context.Context, ws string, n NewPerson) (Person, error) {
	props, err := encodeTraits(n.Traits)
	if err != nil {
		return Person{}, err
	}
	ids, err := s.newIdentifiers(ctx, ws, n.Identifiers)
	if err != nil {
		return Person{}, err
	}
	now := s.Clock.Now()
	ev := event.Event{
		Workspace: ws, MessageID: id.New("create"), Type: event.Identify, Time: now, Received: now, Origin: event.Internal, Properties: props,
	}
	s.treat(&ev)
	if err := carry(&ev, ids); err != nil {
		return Person{}, err
	}
	region, err := s.region(ctx, ws)
	if err != nil {
		return Person{}, err
	}
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return Person{}, err
	}
	o := k.read(&ev, event.Position{}, region) // also finds the addresses among the traits
	if s.Refuses != nil && s.Refuses(ws, o.ids) {
		return Person{}, errs.Conflict("person.refused", "one of these identifiers is refused since its owner was erased or asked to be left alone; admit it under privacy first")
	}
	var made Ref
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.Lock(ctx, ws); err != nil {
			return err
		}
		g := newGraph(k)
		l := newLoader(g, s.Store, ws)
		if err := l.links(ctx, o.ids); err != nil {
			return err
		}
		for _, x := range o.ids {
			if g.node(x).owner() != nil {
				return errs.Conflict("person.identifier.taken", "%s %q belongs to someone already; open that person instead", x.Kind, x.Value)
			}
		}
		if len(o.ids) == 0 {
			o.who = (&placing{graph: g, o: o}).create()
			o.who.seen(o.at.t)
		} else {
			o.who = g.place(o)
		}
		// Folded now so that the person can be read, and again when the event comes back: the same value of the same moment.
		if err := o.who.st.loadTraits(); err != nil {
			return err
		}
		o.who.st.foldTraits(o)
		if err := s.flush(ctx, ws, g); err != nil {
			return err
		}
		made = o.who.find().ref(ws)
		out := ev
		if len(o.ids) == 0 {
			out.PersonID = made.ID
		}
		if err := s.Emitter.Emit(ctx, out); err != nil {
			return fmt.Errorf("tell of a new person: %w", err)
		}
		return nil
	})
	if err != nil {
		return Person{}, err
	}
	return s.Get(ctx, ws, made.ID)
}

// newIdentifiers brings identifiers into their normal form and refuses what one event could not carry.
func (s *Service) newIdentifiers(ctx context.Context, ws string, given []event.Identifier) ([]event.Identifier, error) {
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return nil, err
	}
	var ids []event.Identifier
	for i, g := range given {
		norm, err := s.Normalise(ctx, ws, g)
		if err != nil {
			if e := errs.All(err); len(e) > 0 {
				e[0].Field = fmt.Sprintf("identifiers[%d]", i)
			}
			return nil, err
		}
		if slices.Contains(ids, norm) {
			continue
		}
		ids = append(ids, norm)
		limit := k.list[k.rank[norm.Kind]].Limit
		same := 0
		for _, x := range ids {
			if x.Kind == norm.Kind {
				same++
			}
		}
		if same > limit.N {
			return nil, errs.Invalid("person.identifier.limit", fmt.Sprintf("identifiers[%d]", i), "a person may have at most %d of the kind %s", limit.N, norm.Kind)
		}
	}
	return ids, nil
}

// carry puts identifiers where events have them.
func carry(ev *event.Event, ids []event.Identifier) error {
	type external struct {
		ID         string `json:"id"`
		Type       string `json:"type"`
		Collection string `json:"collection"`
		Encoding   string `json:"encoding"`
	}
	var rest []external
	for _, x := range ids {
		switch {
		case x.Kind == KindUser:
			ev.UserID = x.Value
		case x.Kind == KindAnonymous && ev.AnonymousID == "":
			ev.AnonymousID = x.Value
		default:
			rest = append(rest, external{x.Value, x.Kind, "users", "none"})
		}
	}
	if len(rest) == 0 {
		return nil
	}
	b, err := json.Marshal(map[string]any{"externalIds": rest})
	if err != nil {
		return fmt.Errorf("encode identifiers: %w", err)
	}
	ev.Context = b
	return nil
}
