package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// Apart is a decision of staff that identifiers belong to different people.
type Apart struct {
	ID    string             `json:"id"`
	One   []event.Identifier `json:"one" doc:"of the person who keeps the id"`
	Two   []event.Identifier `json:"two" doc:"never of the same person as those of one"`
	Note  string             `json:"note,omitempty"`
	By    string             `json:"by" doc:"who decided"`
	At    time.Time          `json:"at"`
	Split bool               `json:"split" doc:"one person was split; false: two people are kept apart"`
}

func apartShape(a person.Apart) Apart {
	return Apart{ID: a.ID, One: a.One, Two: a.Two, Note: a.Note, By: a.By, At: time.UnixMicro(a.Created).UTC(), Split: a.Split}
}

func (a *api) identityRoutes() {
	s := a.c.People
	// decide finds the person under the id they have now, so that audit entries name who is there.
	decide := func(ctx context.Context, id, action string, do func(ctx context.Context, p person.Person) (person.Apart, error)) (*body[Apart], error) {
		p, err := s.Get(ctx, workspaceOf(ctx), id)
		if err != nil {
			return nil, err
		}
		made, err := changed(ctx, a, action, "person", func(person.Apart) string { return p.ID }, func(ctx context.Context) (person.Apart, error) { return do(ctx, p) })
		return answer(apartShape(made)), err
	}
	type split struct {
		Identifiers []event.Identifier `json:"identifiers,omitempty" maxItems:"1000" doc:"what the second person gets; the others stay"`
		Merge       string             `json:"merge,omitempty" doc:"instead: id of the identity log's entry about the merge to be undone"`
		Note        string             `json:"note,omitempty" maxLength:"500" doc:"why"`
	}
	route(a, http.MethodPost, "/people/{id}/split", "person-split", "Make two people of one, or undo a merge; their histories part within seconds and no machine joins them again", staff.PeopleWrite, func(ctx context.Context, in *inAt[split]) (*body[Apart], error) {
		return decide(ctx, in.ID, "split", func(ctx context.Context, p person.Person) (person.Apart, error) {
			return s.Split(ctx, p.Workspace, p.ID, person.Split{Identifiers: in.Body.Identifiers, Merge: in.Body.Merge, Note: in.Body.Note, By: caller(ctx).ID})
		})
	})
	type unbind struct {
		Identifiers []event.Identifier `json:"identifiers" maxItems:"1000" doc:"none of them a user id"`
		Note        string             `json:"note,omitempty" maxLength:"500" doc:"why"`
		Key         string             `json:"idempotency_key" minLength:"1" maxLength:"80" doc:"the same key unbinds once"`
	}
	type unbound struct {
		Identifiers []event.Identifier `json:"identifiers" doc:"all that is taken off, with what came together with it"`
	}
	route(a, http.MethodPost, "/people/{id}/unbind", "person-unbind", "Take identifiers off a person, with those that live with them: a number that was given up, a telephone that was sold. What came with them stays; from now on they are nobody's, until they come with somebody again", staff.PeopleWrite, func(ctx context.Context, in *inAt[unbind]) (*body[unbound], error) {
		p, err := s.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		off, err := changed(ctx, a, "unbind", "person", func([]event.Identifier) string { return p.ID }, func(ctx context.Context) ([]event.Identifier, error) {
			return s.Unbind(ctx, p.Workspace, p.ID, person.Unbinding{Identifiers: in.Body.Identifiers, Note: in.Body.Note, Cause: in.Body.Key})
		})
		return answer(unbound{off}), err
	})
	type separate struct {
		Other string `json:"other" doc:"the other person"`
		Note  string `json:"note,omitempty" maxLength:"500" doc:"why"`
	}
	route(a, http.MethodPost, "/people/{id}/separate", "person-separate", "Decide that two people are not the same; no machine joins them", staff.PeopleWrite, func(ctx context.Context, in *inAt[separate]) (*body[Apart], error) {
		return decide(ctx, in.ID, "separate", func(ctx context.Context, p person.Person) (person.Apart, error) {
			return s.Separate(ctx, p.Workspace, p.ID, in.Body.Other, in.Body.Note, caller(ctx).ID)
		})
	})
	type join struct {
		Other string `json:"other" doc:"the other person"`
		Key   string `json:"idempotency_key" minLength:"1" maxLength:"80" doc:"the same key joins once"`
	}
	route(a, http.MethodPost, "/people/{id}/join", "person-join", "Make one person of two by hand, within seconds", staff.PeopleWrite, func(ctx context.Context, in *inAt[join]) (*nothing, error) {
		p, err := s.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return nil, a.change(ctx, "join", "person", p.ID, func(ctx context.Context) error { return s.Join(ctx, p.Workspace, p.ID, in.Body.Other, in.Body.Key) })
	}, noContent)
	route(a, http.MethodGet, "/people/{id}/apart", "person-apart", "Whom this person is kept apart from by decision", staff.PeopleRead, func(ctx context.Context, in *PageAt) (*body[List[Apart]], error) {
		p, err := s.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		found, err := s.KeptApart(ctx, p.Workspace, p.ID, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, apartShape), a.saw(ctx, p.ID)
	})
	route(a, http.MethodDelete, "/people-apart/{id}", "person-apart-delete", "Take a decision to keep apart back; who would be one person without it becomes one within seconds", staff.PeopleWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "take_back", "apart", in.ID, func(ctx context.Context) error { return s.TakeBack(ctx, workspaceOf(ctx), in.ID) })
	}, noContent)
}
