// Package standingtest holds the suite that every standing.Store passes, alone and under the service.
package standingtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

const ws = "ws_1"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

// World is what the suite runs on.
type World struct {
	Store standing.Store
	Tx    tx.Runner
}

func row(id string) standing.Row {
	return standing.Row{
		Workspace: ws, Person: id, Stage: standing.Active, Since: t0, Scores: standing.Scores{R: 5, F: 4, M: 3}, Label: "loyal", Part: standing.Author, Service: standing.HighTouch,
		Override: standing.HighTouch, Channel: "email", Hour: 21, Orders: 7, LastOrder: t0.Add(-time.Hour), Gap: 36*time.Hour + time.Microsecond, Currency: "JPY", Spent: 120_000, Next: t0.Add(time.Hour), Told: t0.Add(time.Second),
	}
}

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) World) {
	t.Helper()
	t.Run("a workspace begins with the default scheme, and a change needs the present revision", func(t *testing.T) {
		s := open(t).Store
		st, err := s.State(t.Context(), ws)
		same(t, err, nil)
		same(t, st, standing.State{Scheme: standing.DefaultScheme()})
		scheme := standing.DefaultScheme()
		scheme.WindowDays = 100
		same(t, s.PutScheme(t.Context(), ws, scheme, 0, t0), nil)
		same(t, errs.Is(s.PutScheme(t.Context(), ws, scheme, 0, t0), errs.KindConflict), true)
		round := standing.Round{Due: t0, Phase: standing.Scoring, After: "per_1", Done: 3, Began: t0, Ended: t0.Add(-time.Hour)}
		thresholds := standing.Thresholds{Fixed: standing.Fixed{Days: standing.Cuts{1, 2, 3, 4}, Spent: map[string]standing.Cuts{"JPY": {5, 6, 7, 8}}}, Gap: time.Hour, N: 9, At: t0}
		same(t, s.PutRound(t.Context(), ws, round, thresholds), nil)
		st, err = s.State(t.Context(), ws)
		same(t, err, nil)
		same(t, st, standing.State{Scheme: scheme, Chosen: true, Rev: 1, Round: round, Thresholds: thresholds})
		same(t, s.PutScheme(t.Context(), ws, scheme, 1, t0.Add(time.Minute)), nil)
		st, err = s.State(t.Context(), ws)
		same(t, err, nil)
		same(t, st.Round, standing.Round{Due: t0.Add(time.Minute), Ended: round.Ended})
		same(t, st.Thresholds, thresholds)
		other, err := s.State(t.Context(), "ws_2")
		same(t, err, nil)
		same(t, other.Rev, int64(0))
	})
	t.Run("a round of a workspace that chose nothing keeps the default scheme", func(t *testing.T) {
		s := open(t).Store
		same(t, s.PutRound(t.Context(), ws, standing.Round{Due: t0}, standing.Thresholds{}), nil)
		st, err := s.State(t.Context(), ws)
		same(t, err, nil)
		same(t, []any{st.Chosen, st.Scheme.WindowDays, st.Rev}, []any{false, 365, int64(0)})
		same(t, s.PutScheme(t.Context(), ws, standing.DefaultScheme(), 0, t0), nil)
	})
	t.Run("rows come back as they were stored, in the order of ids", func(t *testing.T) {
		s := open(t).Store
		a, b := row("per_a"), row("per_b")
		b.LastOrder, b.Next, b.Told, b.Hour, b.Part, b.Override = time.Time{}, time.Time{}, time.Time{}, -1, "", ""
		same(t, s.Put(t.Context(), []standing.Row{b, a}), nil)
		a.Label, a.Scores.R = "lost", 1
		same(t, s.Put(t.Context(), []standing.Row{a}), nil)
		rows, err := s.Rows(t.Context(), ws, []string{"per_a", "per_b", "per_c"})
		same(t, err, nil)
		same(t, rows, map[string]standing.Row{"per_a": a, "per_b": b})
		list, err := s.After(t.Context(), ws, "", 1)
		same(t, err, nil)
		same(t, list, []standing.Row{a})
		list, err = s.After(t.Context(), ws, "per_a", 5)
		same(t, err, nil)
		same(t, list, []standing.Row{b})
		list, err = s.After(t.Context(), "ws_2", "", 5)
		same(t, err, nil)
		same(t, list, []standing.Row{})
	})
	t.Run("people are due when their time has come, also those who were never judged", func(t *testing.T) {
		s := open(t).Store
		a, b := row("per_a"), row("per_b")
		a.Next, b.Next = t0, time.Time{}
		same(t, s.Put(t.Context(), []standing.Row{a, b}), nil)
		same(t, s.Soon(t.Context(), ws, "per_new", t0.Add(-time.Second)), nil)
		due := func(now time.Time, limit int) (out []string) {
			t.Helper()
			found, err := s.Due(t.Context(), now, limit)
			same(t, err, nil)
			for _, f := range found {
				same(t, f.Workspace, ws)
				out = append(out, f.Person)
			}
			return out
		}
		same(t, due(t0.Add(-time.Minute), 9), []string(nil))
		same(t, due(t0, 9), []string{"per_new", "per_a"})
		same(t, due(t0, 1), []string{"per_new"})
		same(t, s.Soon(t.Context(), ws, "per_b", t0), nil)
		rows, err := s.Rows(t.Context(), ws, []string{"per_b"})
		same(t, err, nil)
		b.Next = t0
		same(t, rows["per_b"], b)
		same(t, s.Remove(t.Context(), ws, "per_new"), nil)
		same(t, due(t0, 9), []string{"per_a", "per_b"})
	})
	t.Run("counts leave out what people do not have, and other workspaces", func(t *testing.T) {
		s := open(t).Store
		var rows []standing.Row
		for i := range 5 {
			r := row(fmt.Sprintf("per_%d", i))
			if i > 2 {
				r.Stage, r.Label, r.Scores, r.Part, r.Service = standing.Lead, "", standing.Scores{}, "", standing.TechTouch
			}
			rows = append(rows, r)
		}
		other := row("per_x")
		other.Workspace = "ws_2"
		same(t, s.Put(t.Context(), append(rows, other)), nil)
		same(t, s.Soon(t.Context(), ws, "per_new", t0), nil)
		c, err := s.Counts(t.Context(), ws)
		same(t, err, nil)
		same(t, c, standing.Counts{
			Stages: []standing.Count{{Key: "active", N: 3}, {Key: "lead", N: 2}}, Labels: []standing.Count{{Key: "loyal", N: 3}},
			Parts: []standing.Count{{Key: "author", N: 3}}, Services: []standing.Count{{Key: "high", N: 3}, {Key: "tech", N: 2}}, Grid: map[[2]int]int64{{5, 4}: 3},
		})
	})
	runService(t, open)
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}
