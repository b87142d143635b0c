package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// PersonSuppression says why a person is not written to: as a person, or at which of their addresses.
type PersonSuppression struct {
	Person    []Hold        `json:"person" doc:"of the person, whatever addresses they have; several after a merge"`
	Addresses []Suppression `json:"addresses" doc:"of the addresses that they have now; lift them by channel and hash"`
}

// Hold suppresses a person.
type Hold struct {
	Reason    string     `json:"reason" enum:"asked,complaint,legal,other"`
	Note      string     `json:"note,omitempty"`
	All       bool       `json:"all" doc:"stops also what answers something they do: receipts, passwords"`
	Actor     string     `json:"actor"`
	ActorName string     `json:"actor_name"`
	At        time.Time  `json:"at"`
	Until     *time.Time `json:"until,omitempty"`
}

func (a *api) suppression(ctx context.Context, p person.Person) (PersonSuppression, error) {
	out := PersonSuppression{Person: []Hold{}, Addresses: []Suppression{}}
	held, err := a.c.Consent.Holds(ctx, p.Workspace, []string{p.ID})
	if err != nil {
		return out, err
	}
	for _, h := range held[p.ID] {
		out.Person = append(out.Person, Hold{Reason: string(h.Ground), Note: h.Note, All: h.All, Actor: h.Actor, ActorName: h.ActorName, At: h.At, Until: moment(h.Until)})
	}
	for _, spec := range a.c.Outbox.Channels() {
		addr := outbox.Address(p, spec.Kind)
		if addr == "" {
			continue
		}
		found, err := a.c.Consent.SuppressedAmong(ctx, p.Workspace, spec.Kind, []string{addr})
		if err != nil {
			return out, err
		}
		if e, ok := found[addr]; ok {
			out.Addresses = append(out.Addresses, suppressionShape(e))
		}
	}
	return out, nil
}

func (a *api) holdRoutes() {
	route(a, http.MethodGet, "/people/{id}/suppression", "person-suppression", "Why a person is not written to, as a person or at their addresses", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[PersonSuppression], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out, err := a.suppression(ctx, p)
		if err != nil {
			return nil, err
		}
		return answer(out), a.saw(ctx, p.ID)
	})
	type wanted struct {
		Reason string     `json:"reason" enum:"asked,complaint,legal,other"`
		Note   string     `json:"note,omitempty" maxLength:"2000" doc:"needed for other"`
		All    bool       `json:"all,omitempty" doc:"stop also what answers something they do: receipts, passwords"`
		Until  *time.Time `json:"until,omitempty" doc:"at most ten years ahead; no end if left out"`
	}
	route(a, http.MethodPut, "/people/{id}/suppression", "person-suppress", "Write to a person no more, whatever addresses they have or get; takes the place of what was said before", staff.ConsentWrite, func(ctx context.Context, in *inAt[wanted]) (*body[PersonSuppression], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		who := caller(ctx)
		h := consent.Hold{PersonID: p.ID, Ground: consent.Ground(in.Body.Reason), Note: in.Body.Note, All: in.Body.All, Actor: who.ID, ActorName: who.Name}
		if in.Body.Until != nil {
			h.Until = in.Body.Until.UTC()
		}
		err = a.change(ctx, "suppress", "person", p.ID, func(ctx context.Context) error {
			_, err := a.c.Consent.HoldPerson(ctx, p.Workspace, h)
			return err
		})
		if err != nil {
			return nil, err
		}
		out, err := a.suppression(ctx, p)
		return answer(out), err
	})
	type lifted struct {
		IDPath
		Why string `query:"why" maxLength:"500" doc:"kept in the person's history"`
	}
	route(a, http.MethodDelete, "/people/{id}/suppression", "person-suppression-lift", "Let a person be written to again; what was said of their addresses stays", staff.ConsentWrite, func(ctx context.Context, in *lifted) (*nothing, error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return nil, a.change(ctx, "lift", "person", p.ID, func(ctx context.Context) error {
			return a.c.Consent.LiftHold(ctx, p.Workspace, p.ID, caller(ctx).Name, in.Why)
		})
	}, noContent)
}
