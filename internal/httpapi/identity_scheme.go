package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/scheme"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// IdentifierKind is a kind of identifier.
type IdentifierKind struct {
	Name     string   `json:"name" maxLength:"40"`
	Aliases  []string `json:"aliases,omitempty" maxItems:"20" doc:"other names in context.externalIds"`
	Strength string   `json:"strength" enum:"strong,weak" doc:"strong: it names a person; weak: a device or a browser, which may be passed on"`
	Form     string   `json:"form" enum:"trim,email,phone" doc:"how values are brought into their one form"`
	Joins    bool     `json:"joins" doc:"false: it tells whom an event is from, but never makes one of two people"`
	Limit    int      `json:"limit" minimum:"1" maximum:"1000" doc:"how many values a person may gain"`
	Days     int      `json:"days,omitempty" minimum:"0" maximum:"3650" doc:"within so many days; 0: ever"`
	Parent   string   `json:"parent,omitempty" doc:"the kind that it lives with: unbinding one of those unbinds what came with it"`
}

// IdentityScheme is what identifies a person, the weightiest kind first.
type IdentityScheme struct {
	Kinds     []IdentifierKind `json:"kinds"`
	Version   int64            `json:"version" doc:"0: the kinds that every workspace begins with"`
	ChangedAt *time.Time       `json:"changed_at,omitempty"`
	ChangedBy string           `json:"changed_by,omitempty"`
}

// IdentitySimulation is what other kinds of identifiers would do.
type IdentitySimulation struct {
	Job      Job               `json:"job" doc:"figures: people, merged (would become part of somebody else), split (would be made of parts of somebody), refused (merges), too_large"`
	Kinds    []IdentifierKind  `json:"kinds"`
	Current  bool              `json:"current" doc:"the scheme that it was compared with still stands"`
	Examples []IdentityExample `json:"examples"`
}

// IdentityExample is one thing that other kinds of identifiers would do.
type IdentityExample struct {
	What        string                  `json:"what" enum:"merge,split,refused"`
	People      []IdentityExamplePerson `json:"people" doc:"of a merge first who keeps the id; of a split who is split"`
	Reason      string                  `json:"reason,omitempty"`
	Identifiers []SchemeIdentifier      `json:"identifiers"`
}

// IdentityExamplePerson is somebody in an example.
type IdentityExamplePerson struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// SchemeIdentifier is an identifier in an example.
type SchemeIdentifier struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

const day = 24 * time.Hour

func kindShapes(kinds []person.Kind) []IdentifierKind {
	out := make([]IdentifierKind, len(kinds))
	for i, k := range kinds {
		out[i] = IdentifierKind{
			Name: k.Name, Aliases: k.Aliases, Strength: string(k.Strength), Form: string(k.Form), Joins: !k.Bind, Limit: k.Limit.N, Days: int(k.Limit.Window / day), Parent: k.Parent,
		}
	}
	return out
}

func schemeOf(kinds []IdentifierKind) person.Scheme {
	out := person.Scheme{Kinds: make([]person.Kind, len(kinds))}
	for i, k := range kinds {
		out.Kinds[i] = person.Kind{
			Name: k.Name, Aliases: k.Aliases, Strength: person.Strength(k.Strength), Form: person.Normaliser(k.Form), Bind: !k.Joins,
			Limit: person.Limit{N: k.Limit, Window: time.Duration(k.Days) * day}, Parent: k.Parent,
		}
	}
	return out
}

func (a *api) identitySchemeRoutes() {
	s := a.c.Schemes
	route(a, http.MethodGet, "/identity-scheme", "identity-scheme", "What identifies a person, the weightiest kind first", staff.SettingsRead, func(ctx context.Context, _ *nothing) (*body[IdentityScheme], error) {
		now, row, err := s.People.SchemeOf(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		out := IdentityScheme{Kinds: kindShapes(now.Kinds), Version: row.Version, ChangedBy: row.By}
		if row.Changed > 0 {
			out.ChangedAt = moment(time.UnixMicro(row.Changed).UTC())
		}
		return answer(out), nil
	})
	type draft struct {
		Kinds []IdentifierKind `json:"kinds" minItems:"1" maxItems:"50"`
	}
	route(a, http.MethodPost, "/identity-scheme/simulations", "identity-scheme-simulate", "Find out whom other kinds would make one person or two; nothing changes", staff.SettingsWrite, func(ctx context.Context, in *in[draft]) (*body[Job], error) {
		w, err := s.Simulate(ctx, workspaceOf(ctx), schemeOf(in.Body.Kinds))
		if err != nil {
			return nil, err
		}
		return a.begin(ctx, "simulate", "identity_scheme", w)
	}, accepted)
	route(a, http.MethodGet, "/identity-scheme/simulations/{id}", "identity-scheme-simulation", "What a simulation has found so far", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*body[IdentitySimulation], error) {
		r, err := s.Report(ctx, caller(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out, err := a.simulationShape(ctx, r)
		return answer(out), err
	})
	type change struct {
		Kinds      []IdentifierKind `json:"kinds" minItems:"1" maxItems:"50"`
		Simulation string           `json:"simulation" doc:"id of the job that has simulated these kinds"`
	}
	route(a, http.MethodPut, "/identity-scheme", "identity-scheme-update", "Choose what identifies a person; everybody is worked out anew", staff.SettingsWrite, func(ctx context.Context, in *in[change]) (out *body[Job], err error) {
		err = a.c.Tx.InTx(ctx, func(ctx context.Context) error {
			w, err := s.Apply(ctx, caller(ctx), schemeOf(in.Body.Kinds), in.Body.Simulation)
			if err != nil {
				return err
			}
			out, err = a.begin(ctx, "update", "identity_scheme", w)
			return err
		})
		return out, err
	}, accepted)
}

func (a *api) simulationShape(ctx context.Context, r scheme.Report) (IdentitySimulation, error) {
	out := IdentitySimulation{Job: jobShape(r.Job), Kinds: kindShapes(r.Kinds), Examples: []IdentityExample{}}
	_, row, err := a.c.Schemes.People.SchemeOf(ctx, workspaceOf(ctx))
	if err != nil {
		return out, err
	}
	out.Current = row.Version == r.Version
	var ids []string
	for _, e := range r.Examples {
		ids = append(ids, e.People...)
	}
	known, err := a.c.People.ByIDs(ctx, workspaceOf(ctx), ids)
	if err != nil {
		return out, err
	}
	for _, e := range r.Examples {
		x := IdentityExample{What: e.What, Reason: e.Reason, People: []IdentityExamplePerson{}, Identifiers: []SchemeIdentifier{}}
		for _, id := range e.People {
			x.People = append(x.People, IdentityExamplePerson{ID: id, Name: known[id].Name()})
		}
		for _, id := range e.Identifiers {
			x.Identifiers = append(x.Identifiers, SchemeIdentifier{id.Kind, id.Value})
		}
		out.Examples = append(out.Examples, x)
	}
	return out, nil
}
