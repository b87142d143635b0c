// Package personatest holds the suite that every persona.Store passes.
package personatest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kizuna-cx/kizuna/internal/domain/persona"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws = "ws_1"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

func sample(n int) persona.Persona {
	return persona.Persona{
		ID: fmt.Sprintf("prs_%d", n), Workspace: ws, Rev: 1, CreatedAt: t0, UpdatedAt: t0,
		Draft: persona.Draft{
			Name: fmt.Sprintf("佳子 %d", n), Role: "Nurse in Kobe", Colour: 3, Picture: []byte{1, 2, byte(n)}, AgeFrom: 30, AgeTo: 39, Quote: "後で", Story: "s",
			Goals: []string{"rest"}, Needs: []string{}, Pains: []string{"queues"}, Words: []string{"ひと息"}, Channels: []string{"email"}, Segment: "seg_1",
		},
	}
}

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) persona.Store) {
	t.Helper()
	t.Run("a persona comes back as it was stored, to its workspace alone", func(t *testing.T) {
		s, a := open(t), sample(1)
		must(t, s.Create(t.Context(), a))
		got, err := s.Get(t.Context(), ws, a.ID)
		must(t, err)
		same(t, got, a)
		_, err = s.Get(t.Context(), "ws_2", a.ID)
		same(t, errs.Is(err, errs.KindNotFound), true)
		other := a
		other.Workspace = "ws_2"
		must(t, s.Create(t.Context(), other))
		found, err := s.Delete(t.Context(), "ws_2", a.ID)
		same(t, []any{found, err}, []any{true, nil})
		found, err = s.Delete(t.Context(), "ws_2", a.ID)
		same(t, []any{found, err}, []any{false, nil})
		_, err = s.Get(t.Context(), ws, a.ID)
		must(t, err)
	})
	t.Run("a name is given once, whatever the letter case", func(t *testing.T) {
		s, a, b := open(t), sample(1), sample(2)
		a.Name, b.Name = "Keiko", "KEIKO"
		must(t, s.Create(t.Context(), a))
		same(t, code(s.Create(t.Context(), b)), "persona.name.taken")
		b.Name = "Ben"
		must(t, s.Create(t.Context(), b))
		b.Name = "keiko"
		same(t, code(s.Update(t.Context(), b)), "persona.name.taken")
	})
	t.Run("a change needs the present revision", func(t *testing.T) {
		s, a := open(t), sample(1)
		must(t, s.Create(t.Context(), a))
		a.Name, a.Picture, a.Segment, a.UpdatedAt = "Mei", []byte{}, "", t0.Add(time.Hour)
		must(t, s.Update(t.Context(), a))
		same(t, code(s.Update(t.Context(), a)), "persona.changed")
		a.Rev++
		got, err := s.Get(t.Context(), ws, a.ID)
		must(t, err)
		same(t, got, a)
	})
	t.Run("the list is by name, pages and finds", func(t *testing.T) {
		s := open(t)
		for i, name := range []string{"Zoe", "amy", "Ben"} {
			p := sample(i)
			p.Name = name
			must(t, s.Create(t.Context(), p))
		}
		first, err := s.List(t.Context(), ws, "", page.Request{Limit: 2})
		must(t, err)
		rest, err := s.List(t.Context(), ws, "", page.Request{Limit: 2, Cursor: first.Next})
		must(t, err)
		same(t, names(append(first.Items, rest.Items...)), []string{"amy", "Ben", "Zoe"})
		same(t, rest.Next, "")
		for text, want := range map[string][]string{"AM": {"amy"}, "kobe": {"amy", "Ben", "Zoe"}, "%": nil} {
			found, err := s.List(t.Context(), ws, text, page.Request{})
			must(t, err)
			same(t, names(found.Items), want)
		}
		n, err := s.Count(t.Context(), ws)
		same(t, []any{n, err}, []any{3, nil})
		n, err = s.Count(t.Context(), "ws_2")
		same(t, []any{n, err}, []any{0, nil})
	})
}

func names(all []persona.Persona) (out []string) {
	for _, p := range all {
		out = append(out, p.Name)
	}
	return out
}

func code(err error) string {
	var e *errs.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
