package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Person is one customer.
type Person struct {
	ID          string             `json:"id"`
	Status      string             `json:"status" enum:"anonymous,known,identified"`
	Name        string             `json:"name,omitempty" doc:"how to call them, from their traits"`
	Email       string             `json:"email,omitempty"`
	FirstSeen   *time.Time         `json:"first_seen,omitempty"`
	LastSeen    *time.Time         `json:"last_seen,omitempty"`
	Traits      map[string]any     `json:"traits"`
	Identifiers []PersonIdentifier `json:"identifiers"`
	Encrypted   []string           `json:"encrypted,omitempty" doc:"fields that traits leave out since they are kept encrypted; see person-reveal"`
	Counters    map[string]int64   `json:"counters,omitempty"`
	Merges      int                `json:"merges" doc:"how many people turned out to be this one"`
}

// PersonIdentifier is one way in which a person came.
type PersonIdentifier struct {
	Kind      string     `json:"kind"`
	Value     string     `json:"value"`
	Status    string     `json:"status"`
	FirstSeen *time.Time `json:"first_seen,omitempty"`
	LastSeen  *time.Time `json:"last_seen,omitempty"`
	Since     *time.Time `json:"since,omitempty" doc:"when this person took it over from somebody else; without it, it was always theirs"`
}

func personShape(p person.Person) Person {
	out := Person{
		ID: p.ID, Status: string(p.Status), Name: p.Name(), Email: p.Email(), FirstSeen: moment(p.FirstSeen), LastSeen: moment(p.LastSeen),
		Traits: p.Values(), Encrypted: p.Encrypted(), Counters: p.Counters, Merges: p.Merges, Identifiers: make([]PersonIdentifier, len(p.Identifiers)),
	}
	for i, id := range p.Identifiers {
		out.Identifiers[i] = PersonIdentifier{Kind: id.Kind, Value: id.Value, Status: string(id.Status), FirstSeen: moment(id.FirstSeen), LastSeen: moment(id.LastSeen), Since: moment(id.Since)}
	}
	return out
}

// PersonEvent is one entry of a timeline.
type PersonEvent struct {
	MessageID  string          `json:"message_id"`
	Type       string          `json:"type"`
	Name       string          `json:"name"`
	Time       time.Time       `json:"time"`
	ReceivedAt time.Time       `json:"received_at"`
	Source     string          `json:"source,omitempty"`
	Properties json.RawMessage `json:"properties"`
	Context    json.RawMessage `json:"context,omitempty"`
	Encrypted  []string        `json:"encrypted,omitempty" doc:"fields that are left out since they are kept encrypted; see person-reveal"`
}

func eventShape(k event.Kept) PersonEvent {
	e := PersonEvent{MessageID: k.MessageID, Type: string(k.Type), Name: k.Name, Time: k.Time, ReceivedAt: k.Received, Source: k.Source}
	e.Properties, e.Context, e.Encrypted = shown(k)
	if len(e.Properties) == 0 {
		e.Properties = json.RawMessage("{}")
	}
	return e
}

// Decision is one entry of the identity log.
type Decision struct {
	ID         string            `json:"id" doc:"names a merge that is to be undone"`
	Kind       string            `json:"kind" doc:"created, linked, merged, refused, moved, demoted, shared, replayed, unbound or split"`
	Reason     string            `json:"reason,omitempty"`
	Identifier *event.Identifier `json:"identifier,omitempty" doc:"the first identifier concerned"`
	Others     []string          `json:"identifiers,omitempty" doc:"all identifiers concerned, kind:value"`
	Other      string            `json:"other,omitempty" doc:"the other person"`
	MessageID  string            `json:"message_id,omitempty" doc:"the event that caused it"`
	Time       *time.Time        `json:"time,omitempty" doc:"when the event happened"`
	At         time.Time         `json:"at" doc:"when it was decided"`
	Count      int               `json:"count"`
}

func decisionShape(d person.Decision) Decision {
	out := Decision{ID: d.ID, Kind: string(d.Action), Reason: d.Reason, Other: d.Other.ID, MessageID: d.MessageID, Time: moment(d.Time), At: d.At, Count: max(1, d.Count)}
	for i, id := range d.Identifiers {
		if i == 0 {
			out.Identifier = &id
		}
		out.Others = append(out.Others, id.Kind+":"+id.Value)
	}
	return out
}

// PersonSet is a segment or list that a person is in.
type PersonSet struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind" enum:"segment,list"`
}

func setShape(s segment.Set) PersonSet {
	out := PersonSet{ID: s.ID, Name: s.Name, Kind: "segment"}
	if s.List {
		out.Kind = "list"
	}
	return out
}

func (a *api) personRoutes() {
	type search struct {
		Paging
		PeopleFilter
		Order      string `query:"order" enum:"recent,silent" doc:"by when they were last seen: recent first, or silent for longest first; without it the newest record comes first"`
		Identifier string `query:"identifier" maxLength:"600" doc:"kind:value, e.g. user_id:u1 or email:aya@example.com; finds exactly one person or none"`
	}
	route(a, http.MethodGet, "/people", "person-list", "Find people", staff.PeopleRead, func(ctx context.Context, in *search) (*body[List[Person]], error) {
		ws := workspaceOf(ctx)
		if in.Identifier != "" {
			kind, value, ok := strings.Cut(in.Identifier, ":")
			if !ok || kind == "" || value == "" {
				return nil, errs.Invalid("person.identifier.invalid", "identifier", "write kind:value, e.g. user_id:u1")
			}
			p, err := a.c.People.ByIdentifier(ctx, ws, event.Identifier{Kind: kind, Value: value})
			if e, ok := errors.AsType[*errs.Error](err); ok && (e.Kind == errs.KindNotFound || e.Code == "person.identifier.value") { // a blocked value identifies nobody
				return list(page.Of[person.Person]{}, personShape), nil
			}
			if err != nil {
				return nil, err
			}
			if err := a.saw(ctx, p.ID); err != nil {
				return nil, err
			}
			return list(page.Of[person.Person]{Items: []person.Person{p}}, personShape), nil
		}
		filter, err := a.resolve(ctx, in.PeopleFilter)
		if err != nil {
			return nil, err
		}
		filter.Order = person.Order(in.Order)
		found, err := a.c.People.Find(ctx, ws, filter, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, personShape), nil
	})

	type newPerson struct {
		Identifiers []event.Identifier `json:"identifiers,omitempty" maxItems:"100" doc:"none of them may belong to somebody already"`
		Traits      map[string]any     `json:"traits,omitempty"`
	}
	route(a, http.MethodPost, "/people", "person-create", "Make a person by hand", staff.PeopleWrite, func(ctx context.Context, in *in[newPerson]) (*body[Person], error) {
		p, err := changed(ctx, a, "create", "person", func(p person.Person) string { return p.ID }, func(ctx context.Context) (person.Person, error) {
			return a.c.People.Create(ctx, workspaceOf(ctx), person.NewPerson{Identifiers: in.Body.Identifiers, Traits: in.Body.Traits})
		})
		return answer(personShape(p)), err
	}, created)

	route(a, http.MethodGet, "/people/{id}", "person-get", "One person; ids of merged people lead to the one they became", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[Person], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return answer(personShape(p)), a.saw(ctx, p.ID)
	})

	type events struct {
		PageAt
		Type string `query:"type" enum:"track,page,screen,identify,group,alias,message,segment,journey,consent,invoice,standing,identity,task" doc:"only events of this type"`
		Text string `query:"q" maxLength:"200" doc:"only events in whose name, properties or page the text stands; a page looks at a part of a long history, so it may be empty and still have a next one"`
	}
	route(a, http.MethodGet, "/people/{id}/events", "person-events", "Everything a person did and received, newest first; that the trait standing was written anew is left out unless it is asked for by its type, identify", staff.PeopleRead, func(ctx context.Context, in *events) (*body[List[PersonEvent]], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		var types []event.Type
		if in.Type != "" {
			types = []event.Type{event.Type(in.Type)}
		}
		var events page.Of[event.Kept]
		if strings.TrimSpace(in.Text) != "" {
			events, err = event.Search(ctx, a.c.Events, p.Workspace, p.Num, types, in.Text, in.request())
		} else {
			fits := func(k event.Kept) bool { return in.Type != "" || !standing.Retold(k.Event) }
			events, err = event.Sift(ctx, a.c.Events, p.Workspace, p.Num, types, fits, in.request())
		}
		if err != nil {
			return nil, err
		}
		return list(events, eventShape), a.saw(ctx, p.ID)
	})

	route(a, http.MethodGet, "/people/{id}/portrait", "person-portrait", "Who the person is, what they are worth and what they like; every figure with its evidence", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[person.Portrait], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		history, err := a.c.Events.Histories(ctx, p.Workspace, []uint64{p.Num}, nil)
		if err != nil {
			return nil, err
		}
		addresses := map[string]string{}
		if p.Email() != "" {
			addresses[content.Email] = p.Email()
		}
		states, err := a.c.Consent.States(ctx, p.Workspace, []string{p.ID}, map[string]map[string]string{p.ID: addresses})
		if err != nil {
			return nil, err
		}
		held, err := a.c.Consent.Holds(ctx, p.Workspace, []string{p.ID})
		if err != nil {
			return nil, err
		}
		reach := map[string]person.Reach{}
		for kind, c := range states[p.ID] {
			reach[kind] = person.Reach{Reachable: addresses[kind] != "" && !c.Suppressed && len(held[p.ID]) == 0}
		}
		return answer(person.NewPortrait(p, history[p.Num], reach, a.c.Clock.Now())), a.saw(ctx, p.ID)
	})

	route(a, http.MethodGet, "/people/{id}/identity", "person-identity", "Why this is one person, newest decision first", staff.PeopleRead, func(ctx context.Context, in *PageAt) (*body[List[Decision]], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		log, err := a.c.People.IdentityLog(ctx, p.Workspace, p.ID, in.request())
		if err != nil {
			return nil, err
		}
		return list(log, decisionShape), a.saw(ctx, p.ID)
	})

	route(a, http.MethodGet, "/people/{id}/segments", "person-segments", "The segments and lists that a person is in, by name", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[List[PersonSet]], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		sets, err := a.c.Segments.SetsOf(ctx, p.Workspace, p.Num)
		if err != nil {
			return nil, err
		}
		return list(page.Of[segment.Set]{Items: sets}, setShape), a.saw(ctx, p.ID)
	})

	type traits struct {
		Traits map[string]any `json:"traits" minProperties:"1" doc:"null deletes a trait"`
		Key    string         `json:"idempotency_key" minLength:"1" maxLength:"80" doc:"the same key never writes twice"`
	}
	route(a, http.MethodPatch, "/people/{id}/traits", "person-set-traits", "Set traits by hand", staff.PeopleWrite, func(ctx context.Context, in *inAt[traits]) (*nothing, error) {
		for _, name := range slices.Sorted(maps.Keys(in.Body.Traits)) {
			if v := in.Body.Traits[name]; !person.TraitFits(name, v) {
				return nil, errs.Invalid("person.traits.unfit", "traits."+name, "%q is no value for %s; write an address, a number with its country code or a zone such as Asia/Tokyo", fmt.Sprint(v), name)
			}
		}
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return nil, a.change(ctx, "set_traits", "person", p.ID, func(ctx context.Context) error {
			return a.c.People.SetTraits(ctx, p.Workspace, p.ID, in.Body.Traits, "api:"+in.Body.Key)
		})
	}, noContent)
}
