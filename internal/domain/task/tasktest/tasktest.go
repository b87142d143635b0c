// Package tasktest holds the suite that every task.Store passes.
package tasktest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/task"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws = "ws_1"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

func sample(n int) task.Task {
	return task.Task{
		ID: fmt.Sprintf("tsk_%d", n), Workspace: ws, Key: fmt.Sprintf("k%d", n), Status: task.Open, Rev: 1, CreatedAt: t0, UpdatedAt: t0,
		Draft:  task.Draft{Title: "電話", Note: "n", Person: "per_1", Assignee: "usr_1", Role: "agent", Due: t0.Add(time.Hour)},
		Origin: task.Origin{Journey: "jrn_1", Round: "ins_1", Node: "n"},
	}
}

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) task.Store) {
	t.Helper()
	t.Run("a task is made once for its key and comes back as it was stored", func(t *testing.T) {
		s, a := open(t), sample(1)
		made, fresh, err := s.Create(t.Context(), a)
		same(t, err, nil)
		same(t, []any{made, fresh}, []any{a, true})
		again := sample(2)
		again.Key = a.Key
		made, fresh, err = s.Create(t.Context(), again)
		same(t, err, nil)
		same(t, []any{made, fresh}, []any{a, false})
		again.Workspace = "ws_2"
		_, fresh, err = s.Create(t.Context(), again)
		same(t, []any{fresh, err}, []any{true, nil})
		_, err = s.Get(t.Context(), "ws_2", a.ID)
		same(t, errs.Is(err, errs.KindNotFound), true)
	})
	t.Run("a change needs the present revision", func(t *testing.T) {
		s, a := open(t), sample(1)
		_, _, err := s.Create(t.Context(), a)
		same(t, err, nil)
		a.Status, a.Outcome, a.EndedAt, a.Assignee, a.Due = task.Done, "called", t0.Add(time.Hour), "", time.Time{}
		same(t, s.Update(t.Context(), a), nil)
		same(t, errs.Is(s.Update(t.Context(), a), errs.KindConflict), true)
		a.Rev++
		got, err := s.Get(t.Context(), ws, a.ID)
		same(t, err, nil)
		same(t, got, a)
	})
	t.Run("the list pages, latest first, filters, and follows merges", func(t *testing.T) {
		s := open(t)
		for n := range 5 {
			a := sample(n)
			if n == 2 {
				a.Person, a.Assignee, a.Role = "per_2", "usr_2", "owner"
			}
			if n == 3 {
				a.Status, a.EndedAt = task.Done, t0
			}
			_, _, err := s.Create(t.Context(), a)
			same(t, err, nil)
		}
		ids := func(f task.Filter) string {
			var out string
			req := page.Request{Limit: 2}
			for {
				p, err := s.List(t.Context(), ws, f, req)
				same(t, err, nil)
				for _, i := range p.Items {
					out += i.ID[4:]
				}
				if req.Cursor = p.Next; p.Next == "" {
					return out
				}
			}
		}
		same(t, ids(task.Filter{}), "43210")
		same(t, ids(task.Filter{Status: task.Open}), "4210")
		same(t, ids(task.Filter{Assignee: "usr_2"}), "2")
		same(t, ids(task.Filter{Role: "agent", Person: "per_1"}), "4310")
		same(t, s.TakeOver(t.Context(), ws, "per_2", "per_1"), nil)
		same(t, ids(task.Filter{Person: "per_1"}), "43210")
		p, err := s.List(t.Context(), "ws_2", task.Filter{}, page.Request{})
		same(t, []any{len(p.Items), err}, []any{0, nil})
	})
	t.Run("whoever has left is taken off what is open, and off nothing else", func(t *testing.T) {
		s, open, done, other := open(t), sample(1), sample(2), sample(3)
		done.Status, done.EndedAt, other.Assignee = task.Done, t0, "usr_2"
		for _, a := range []task.Task{open, done, other} {
			_, _, err := s.Create(t.Context(), a)
			same(t, err, nil)
		}
		same(t, s.Release(t.Context(), ws, "usr_1", t0.Add(time.Minute)), nil)
		open.Assignee, open.Rev, open.UpdatedAt = "", 2, t0.Add(time.Minute)
		for _, a := range []task.Task{open, done, other} {
			got, err := s.Get(t.Context(), ws, a.ID)
			same(t, err, nil)
			same(t, got, a)
		}
	})
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}
