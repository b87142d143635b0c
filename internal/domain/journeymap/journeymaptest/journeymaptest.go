// Package journeymaptest holds the suite that every journeymap.Store passes.
package journeymaptest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journeymap"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws = "ws_1"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

// Sample is map number n.
func Sample(n int) journeymap.Map {
	at := t0.Add(time.Duration(n) * time.Hour)
	return journeymap.Map{
		ID: fmt.Sprintf("map_%d", n), Workspace: ws, Rev: 1, CreatedAt: at, UpdatedAt: at,
		Draft: journeymap.Draft{
			Name: "はじめての注文", Description: "d", Persona: "prs_1", Segment: "seg_1",
			Rows: []journeymap.Row{{ID: "r", Name: "指標"}},
			Stages: []journeymap.Stage{{
				ID: "a", Name: "知る", Does: "1", Thinks: "2", Feels: "3", Mood: -2, Needs: "4", Pains: "5", Opportunities: "6", Actions: "7", Notes: map[string]string{"r": "8"}, Also: []string{"b"},
				Touchpoints: []journeymap.Touchpoint{{ID: "t", Name: "検索", Channel: "search", Owner: "佐藤", Signals: []event.Signal{{Type: event.Page, Path: "/tea/*"}}}},
			}},
		},
	}
}

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) journeymap.Store) {
	t.Helper()
	t.Run("a map comes back as it was stored, to its workspace alone", func(t *testing.T) {
		s, a := open(t), Sample(1)
		must(t, s.Create(t.Context(), a))
		got, err := s.Get(t.Context(), ws, a.ID)
		must(t, err)
		same(t, got, a)
		_, err = s.Get(t.Context(), "ws_2", a.ID)
		same(t, errs.Is(err, errs.KindNotFound), true)
		found, err := s.Delete(t.Context(), "ws_2", a.ID)
		same(t, []any{found, err}, []any{false, nil})
		found, err = s.Delete(t.Context(), ws, a.ID)
		same(t, []any{found, err}, []any{true, nil})
		_, err = s.Get(t.Context(), ws, a.ID)
		same(t, errs.Is(err, errs.KindNotFound), true)
	})
	t.Run("a change needs the present revision", func(t *testing.T) {
		s, a := open(t), Sample(1)
		must(t, s.Create(t.Context(), a))
		a.Name, a.Persona, a.Stages, a.UpdatedAt = "n", "", []journeymap.Stage{}, t0.Add(9*time.Hour)
		must(t, s.Update(t.Context(), a))
		var e *errs.Error
		same(t, errors.As(s.Update(t.Context(), a), &e) && e.Code == "map.changed", true)
		a.Rev++
		got, err := s.Get(t.Context(), ws, a.ID)
		must(t, err)
		same(t, got, a)
	})
	t.Run("the list is latest first, pages, and is narrowed to a persona", func(t *testing.T) {
		s := open(t)
		for n := range 3 {
			m := Sample(n)
			if n == 1 {
				m.Persona = "prs_2"
			}
			must(t, s.Create(t.Context(), m))
		}
		first, err := s.List(t.Context(), ws, journeymap.Filter{}, page.Request{Limit: 2})
		must(t, err)
		rest, err := s.List(t.Context(), ws, journeymap.Filter{}, page.Request{Limit: 2, Cursor: first.Next})
		must(t, err)
		same(t, ids(append(first.Items, rest.Items...)), []string{"map_2", "map_1", "map_0"})
		theirs, err := s.List(t.Context(), ws, journeymap.Filter{Persona: "prs_1"}, page.Request{})
		must(t, err)
		same(t, ids(theirs.Items), []string{"map_2", "map_0"})
		n, err := s.Count(t.Context(), ws)
		same(t, []any{n, err}, []any{3, nil})
		n, err = s.Count(t.Context(), "ws_2")
		same(t, []any{n, err}, []any{0, nil})
	})
}

func ids(all []journeymap.Map) (out []string) {
	for _, m := range all {
		out = append(out, m.ID)
	}
	return out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
