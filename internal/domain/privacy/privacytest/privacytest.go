// Package privacytest holds the suite that every privacy.Store passes.
package privacytest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws = "ws_1"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

func sample(n int) privacy.Request {
	return privacy.Request{
		Workspace: ws, ID: fmt.Sprintf("ers_%d", n), Key: fmt.Sprintf("k%d", n), Person: fmt.Sprintf("per_%d", n), Mode: privacy.Refuse,
		By: privacy.Actor{Kind: "user", ID: "usr_1", Name: "ann"}, State: privacy.Waiting, CreatedAt: t0, UpdatedAt: t0,
	}
}

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) privacy.Store) {
	t.Helper()
	t.Run("there is one request for a key and one unfinished for a person", func(t *testing.T) {
		s, a := open(t), sample(1)
		made, fresh, err := s.Create(t.Context(), a)
		same(t, []any{made, fresh, err}, []any{a, true, nil})
		b := sample(2)
		b.Key = a.Key
		made, fresh, err = s.Create(t.Context(), b)
		same(t, []any{made.ID, fresh, err}, []any{a.ID, false, nil})
		b = sample(3)
		b.Person, b.Key = a.Person, ""
		made, fresh, err = s.Create(t.Context(), b)
		same(t, []any{made.ID, fresh, err}, []any{a.ID, false, nil})
		b.Workspace = "ws_2"
		_, fresh, err = s.Create(t.Context(), b)
		same(t, []any{fresh, err}, []any{true, nil})
		_, err = s.Get(t.Context(), "ws_2", a.ID)
		same(t, errs.Is(err, errs.KindNotFound), true)
		_, err = s.ByKey(t.Context(), ws, "")
		same(t, errs.Is(err, errs.KindNotFound), true)
		found, err := s.ByKey(t.Context(), ws, a.Key)
		same(t, []any{found, err}, []any{a, nil})
	})
	t.Run("a request is kept with its plan until that is taken off", func(t *testing.T) {
		s, a := open(t), sample(1)
		same(t, errs.Is(s.Update(t.Context(), a), errs.KindNotFound), true)
		_, _, err := s.Create(t.Context(), a)
		same(t, err, nil)
		a = a.WithSealed([]byte{1, 2, 3})
		a.State, a.Step, a.Error = privacy.Running, privacy.Stripped, "busy"
		a.Counts = []privacy.Count{{Store: "records", What: "message", How: "stripped", N: 3}}
		a.Proofs = []privacy.Proof{{Kind: "email", Hash: "h1"}, {Kind: "user_id", Hash: "h2"}}
		same(t, s.Update(t.Context(), a), nil)
		got, err := s.Get(t.Context(), ws, a.ID)
		same(t, []any{got, got.Sealed(), err}, []any{a, []byte{1, 2, 3}, nil})
		open, err := s.Unfinished(t.Context())
		same(t, []any{len(open), err}, []any{1, nil})
		a = a.WithSealed(nil)
		a.Person, a.State, a.FinishedAt, a.Caveats = "", privacy.Done, t0.Add(time.Hour), []privacy.Caveat{privacy.Backups}
		same(t, s.Update(t.Context(), a), nil)
		got, err = s.Get(t.Context(), ws, a.ID)
		same(t, []any{got, len(got.Sealed()), err}, []any{a, 0, nil})
		open, err = s.Unfinished(t.Context())
		same(t, []any{len(open), err}, []any{0, nil})
		// The person who was known by this id may be asked about again, should the id be in use anew.
		_, fresh, err := s.Create(t.Context(), func() privacy.Request { b := sample(5); b.Person = "per_1"; return b }())
		same(t, []any{fresh, err}, []any{true, nil})
	})
	t.Run("lists page, latest first, and find by proof", func(t *testing.T) {
		s := open(t)
		for n := range 5 {
			a := sample(n)
			_, _, err := s.Create(t.Context(), a)
			same(t, err, nil)
			if n%2 == 0 {
				a.Proofs = []privacy.Proof{{Kind: "email", Hash: "h"}}
				same(t, s.Update(t.Context(), a), nil)
			}
		}
		ids := func(proof string) (out string) {
			for req := (page.Request{Limit: 2}); ; {
				p, err := s.List(t.Context(), ws, proof, req)
				same(t, err, nil)
				for _, i := range p.Items {
					out += i.ID[4:]
				}
				if req.Cursor = p.Next; p.Next == "" {
					return out
				}
			}
		}
		same(t, ids(""), "43210")
		same(t, ids("h"), "420")
		same(t, ids("none"), "")
	})
	t.Run("rules are replaced as a whole and change the version", func(t *testing.T) {
		s := open(t)
		none, err := s.Rules(t.Context(), ws)
		same(t, []any{none, err}, []any{privacy.Rules{}, nil})
		v0, err := s.Version(t.Context())
		same(t, err, nil)
		first := privacy.Rules{Fields: []privacy.Field{{Path: "traits.a", Action: privacy.Drop}}, Consent: []string{"analytics"}, Unasked: true}
		second := privacy.Rules{Fields: []privacy.Field{{Path: "context.ip", Action: privacy.Hash}}}
		same(t, s.PutRules(t.Context(), ws, first), nil)
		same(t, s.PutRules(t.Context(), "ws_2", first), nil)
		same(t, s.PutRules(t.Context(), ws, second), nil)
		got, err := s.Rules(t.Context(), ws)
		same(t, []any{got, err}, []any{second, nil})
		all, err := s.AllRules(t.Context())
		same(t, []any{all, err}, []any{map[string]privacy.Rules{ws: second, "ws_2": first}, nil})
		v1, err := s.Version(t.Context())
		same(t, []any{v1 != v0, err}, []any{true, nil})
	})
	t.Run("refusals are kept until they are dropped, those that are held by themselves", func(t *testing.T) {
		s := open(t)
		v0, err := s.Version(t.Context())
		same(t, err, nil)
		put := func(hash string, held bool) {
			t.Helper()
			same(t, s.PutRefusals(t.Context(), ws, []privacy.Refusal{{Hash: hash, Kind: "email", Request: "ers_1", Hold: held, CreatedAt: t0}}), nil)
		}
		put("a", true)
		put("b", true)
		put("b", false) // stays held no longer
		put("b", true)
		put("c", false)
		all, err := s.AllRefusals(t.Context())
		same(t, []any{len(all[ws]), err}, []any{3, nil})
		v1, err := s.Version(t.Context())
		same(t, []any{v1 != v0, err}, []any{true, nil})
		n, err := s.DropRefusals(t.Context(), ws, []string{"a", "b", "c"}, true)
		same(t, []any{n, err}, []any{1, nil})
		n, err = s.DropRefusals(t.Context(), "ws_2", []string{"b"}, false)
		same(t, []any{n, err}, []any{0, nil})
		var got string
		for req := (page.Request{Limit: 1}); ; {
			p, err := s.Refusals(t.Context(), ws, req)
			same(t, err, nil)
			for _, i := range p.Items {
				got += i.Hash
				same(t, []any{i.Kind, i.Request, i.Hold, i.CreatedAt}, []any{"email", "ers_1", false, t0})
			}
			if req.Cursor = p.Next; p.Next == "" {
				break
			}
		}
		same(t, got, "cb")
		n, err = s.DropRefusals(t.Context(), ws, []string{"b", "c"}, false)
		same(t, []any{n, err}, []any{2, nil})
		v2, err := s.Version(t.Context())
		same(t, []any{v2 != v1, err}, []any{true, nil})
	})
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateErrors(), cmpopts.EquateEmpty(), cmp.AllowUnexported(privacy.Request{})); d != "" {
		t.Fatal(d)
	}
}
