package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// Erasure is a request to forget a person, and once it is done its receipt. It then holds nothing about the person but keyed hashes.
type Erasure struct {
	ID         string           `json:"id"`
	Person     string           `json:"person_id,omitempty" doc:"until the work is nearly done"`
	Mode       string           `json:"mode" enum:"forget,refuse"`
	State      string           `json:"state" enum:"waiting,running,done"`
	Step       int              `json:"step" doc:"how many steps are done"`
	Steps      int              `json:"steps" doc:"how many there are"`
	Error      string           `json:"error,omitempty" doc:"why it does not go on; it is tried again"`
	By         AuditActor       `json:"by"`
	Reached    []privacy.Count  `json:"reached" doc:"what was found and what became of it"`
	Proofs     []privacy.Proof  `json:"proofs" doc:"keyed hashes of the identifiers"`
	Caveats    []privacy.Caveat `json:"caveats" doc:"what erasure does not reach"`
	CreatedAt  time.Time        `json:"created_at"`
	UpdatedAt  time.Time        `json:"updated_at"`
	FinishedAt *time.Time       `json:"finished_at,omitempty"`
}

func erasureShape(r privacy.Request) Erasure {
	return Erasure{
		ID: r.ID, Person: r.Person, Mode: string(r.Mode), State: string(r.State), Step: int(r.Step), Steps: privacy.Steps - 1, Error: r.Error, By: AuditActor(r.By),
		Reached: filled(r.Counts), Proofs: filled(r.Proofs), Caveats: filled(r.Caveats), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, FinishedAt: moment(r.FinishedAt),
	}
}

// filled makes nil an empty list.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Refusal is an identifier that intake does not take.
type Refusal struct {
	Hash      string    `json:"hash" doc:"keyed; the identifier itself is not kept"`
	Kind      string    `json:"kind"`
	Erasure   string    `json:"erasure_id,omitempty" doc:"that it came from"`
	Held      bool      `json:"held" doc:"only while the erasure is under way"`
	CreatedAt time.Time `json:"created_at"`
}

// PrivacyAnswer is what is known about an identifier.
type PrivacyAnswer struct {
	Refused  bool      `json:"refused"`
	Erasures []Erasure `json:"erasures" doc:"that reached the identifier, latest first"`
}

func (a *api) privacyRoutes() {
	s := a.c.Privacy
	type asked struct {
		IDPath
		Key  string `header:"Idempotency-Key" maxLength:"200" doc:"the same again is the same request"`
		Body struct {
			Mode string `json:"mode" enum:"forget,refuse" doc:"forget: who comes back is somebody new. refuse: what carries one of the identifiers is not taken any more, and the addresses are not written to"`
		}
	}
	route(a, http.MethodPost, "/people/{id}/erasure", "person-erase", "Forget a person everywhere; it cannot be undone", staff.PrivacyWrite, func(ctx context.Context, in *asked) (*body[Erasure], error) {
		var r privacy.Request
		p := caller(ctx)
		err := a.c.Tx.InTx(ctx, func(ctx context.Context) (err error) {
			r, err = s.Ask(ctx, workspaceOf(ctx), in.ID, privacy.Mode(in.Body.Mode), in.Key, privacy.Actor{Kind: string(p.Kind), ID: p.ID, Name: p.Name})
			if err != nil {
				return err
			}
			// The entry names the request and not the person, who is to be forgotten.
			return a.audit(ctx, "ask", "erasure", r.ID)
		})
		return answer(erasureShape(r)), err
	}, accepted)
	route(a, http.MethodGet, "/erasures", "erasure-list", "Requests for erasure with their receipts, latest first", staff.PrivacyWrite, func(ctx context.Context, in *Paging) (*body[List[Erasure]], error) {
		found, err := s.List(ctx, workspaceOf(ctx), in.request())
		if err != nil {
			return nil, err
		}
		return list(found, erasureShape), nil
	})
	route(a, http.MethodGet, "/erasures/{id}", "erasure-get", "One request for erasure", staff.PrivacyWrite, func(ctx context.Context, in *IDPath) (*body[Erasure], error) {
		r, err := s.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return answer(erasureShape(r)), nil
	})

	route(a, http.MethodGet, "/refusals", "refusal-list", "Identifiers that intake does not take, as keyed hashes, latest first", staff.PrivacyWrite, func(ctx context.Context, in *Paging) (*body[List[Refusal]], error) {
		found, err := s.Refusals(ctx, workspaceOf(ctx), in.request())
		if err != nil {
			return nil, err
		}
		return list(found, func(r privacy.Refusal) Refusal {
			return Refusal{Hash: r.Hash, Kind: r.Kind, Erasure: r.Request, Held: r.Hold, CreatedAt: r.CreatedAt}
		}), nil
	})
	type identifiers struct {
		Identifiers []event.Identifier `json:"identifiers" minItems:"1" maxItems:"500"`
	}
	route(a, http.MethodPost, "/refusals", "refusal-add", "Take nothing any more that carries one of these identifiers; nothing is erased", staff.PrivacyWrite, func(ctx context.Context, in *in[identifiers]) (*nothing, error) {
		return nil, a.changeIntake(ctx, "add", "refusal", in.Body.Identifiers[0].Kind, func(ctx context.Context) error {
			return s.RefuseIdentifiers(ctx, workspaceOf(ctx), in.Body.Identifiers)
		})
	}, noContent)
	type one struct {
		Identifier event.Identifier `json:"identifier"`
	}
	route(a, http.MethodPost, "/refusals/admit", "refusal-remove", "Take an identifier again", staff.PrivacyWrite, func(ctx context.Context, in *in[one]) (*nothing, error) {
		return nil, a.changeIntake(ctx, "remove", "refusal", in.Body.Identifier.Kind, func(ctx context.Context) error {
			return s.Admit(ctx, workspaceOf(ctx), in.Body.Identifier)
		})
	}, noContent)
	type hashPath struct {
		Hash string `path:"hash"`
	}
	route(a, http.MethodDelete, "/refusals/{hash}", "refusal-delete", "Take the identifier with this hash again", staff.PrivacyWrite, func(ctx context.Context, in *hashPath) (*nothing, error) {
		return nil, a.changeIntake(ctx, "remove", "refusal", in.Hash, func(ctx context.Context) error {
			return s.AdmitHash(ctx, workspaceOf(ctx), in.Hash)
		})
	}, noContent)
	route(a, http.MethodPost, "/privacy-check", "privacy-check", "Whether an identifier was erased or is refused", staff.PrivacyWrite, func(ctx context.Context, in *in[one]) (*body[PrivacyAnswer], error) {
		found, err := s.Check(ctx, workspaceOf(ctx), in.Body.Identifier)
		if err != nil {
			return nil, err
		}
		out := PrivacyAnswer{Refused: found.Refused, Erasures: make([]Erasure, len(found.Erasures))}
		for i, r := range found.Erasures {
			out.Erasures[i] = erasureShape(r)
		}
		return answer(out), nil
	})
}
