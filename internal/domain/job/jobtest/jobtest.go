// Package jobtest holds the suite that every job.Store passes.
package jobtest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws = "ws_1"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

func sample(n int) job.Job {
	return job.Job{
		ID: fmt.Sprintf("job_%d", n), Workspace: ws, Kind: "import", Key: fmt.Sprintf("k%d", n), Title: "顧客.csv", Actor: "usr_1", ActorName: "Ann",
		Params: json.RawMessage(`{"a":1}`), State: job.Queued, CreatedAt: t0, UpdatedAt: t0,
	}
}

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) job.Store) {
	t.Helper()
	kinds := []string{"import", "export"}
	add := func(t *testing.T, s job.Store, all ...job.Job) {
		t.Helper()
		for _, j := range all {
			_, fresh, err := s.Insert(t.Context(), j)
			same(t, []any{fresh, err}, []any{true, nil})
		}
	}
	claim := func(t *testing.T, s job.Store, lease string, now time.Time) (job.Job, bool) {
		t.Helper()
		j, ok, err := s.Claim(t.Context(), kinds, lease, now, now.Add(time.Minute))
		same(t, err, nil)
		return j, ok
	}
	t.Run("a job is made once for its key and comes back as it was stored", func(t *testing.T) {
		s, a := open(t), sample(1)
		add(t, s, a)
		got, err := s.Get(t.Context(), ws, a.ID)
		same(t, err, nil)
		same(t, got, a)
		again := sample(2)
		again.Key = a.Key
		got, fresh, err := s.Insert(t.Context(), again)
		same(t, []any{got, fresh, err}, []any{a, false, nil})
		again.Workspace = "ws_2"
		add(t, s, again)
		_, err = s.Get(t.Context(), "ws_2", a.ID)
		same(t, errs.Is(err, errs.KindNotFound), true)
		n, err := s.Waiting(t.Context(), ws)
		same(t, []any{n, err}, []any{1, nil})
	})
	t.Run("a job that has failed or was cancelled is put back, another is not", func(t *testing.T) {
		s, a := open(t), sample(1)
		add(t, s, a)
		again := a
		again.Params, again.Title, again.Actor, again.ActorName = json.RawMessage(`{"other":true}`), "again", "usr_9", "Ben"
		again.Mark, again.Progress, again.UpdatedAt = json.RawMessage(`{"at":5}`), job.Progress{Done: 5, Total: 9, Figures: map[string]int64{"rows": 3}}, t0.Add(time.Minute)
		back, err := s.Again(t.Context(), again)
		same(t, []any{back, err}, []any{false, nil}) // it waits
		j, _ := claim(t, s, "l1", t0)
		back, err = s.Again(t.Context(), again)
		same(t, []any{back, err}, []any{false, nil}) // it runs
		j.State, j.EndedAt, j.Code, j.Error, j.Attempts = job.Failed, t0.Add(time.Second), "x", "broken", 5
		same(t, s.End(t.Context(), j), nil)
		foreign := again
		foreign.Workspace = "ws_2"
		back, err = s.Again(t.Context(), foreign)
		same(t, []any{back, err}, []any{false, nil})
		back, err = s.Again(t.Context(), again)
		same(t, []any{back, err}, []any{true, nil})
		got, err := s.Get(t.Context(), ws, a.ID)
		same(t, err, nil)
		again.StartedAt = t0
		same(t, got, again)
		if _, ok := claim(t, s, "l2", t0.Add(2*time.Minute)); !ok {
			t.Error("it waits for ever")
		}
		_, err = s.Cancel(t.Context(), ws, a.ID, "usr_1", t0.Add(time.Hour))
		same(t, err, nil)
		back, err = s.Again(t.Context(), again)
		same(t, []any{back, err}, []any{true, nil})
		got, err = s.Get(t.Context(), ws, a.ID)
		same(t, []any{got.State, got.Cancelled, got.EndedAt.IsZero(), err}, []any{job.Queued, "", true, nil})
	})
	t.Run("one lease at a time holds a job, and only that saves", func(t *testing.T) {
		s, a := open(t), sample(1)
		add(t, s, a)
		if _, ok, err := s.Claim(t.Context(), []string{"export"}, "l0", t0, t0.Add(time.Minute)); ok || err != nil {
			t.Fatalf("a kind that was not asked for: %v %v", ok, err)
		}
		j, ok := claim(t, s, "l1", t0)
		a.State, a.Lease, a.Attempts, a.StartedAt = job.Running, "l1", 1, t0
		same(t, ok, true)
		same(t, j, a)
		_, ok = claim(t, s, "l2", t0.Add(59*time.Second))
		same(t, ok, false)
		j.Progress = job.Progress{Done: 5, Total: 9, Figures: map[string]int64{"rows": 3}}
		j.Mark, j.UpdatedAt, j.Files = json.RawMessage(`{"at":5}`), t0.Add(time.Second), []job.File{{Key: "r", Name: "r.csv", Type: "text/csv", Size: 4}}
		ok, err := s.Save(t.Context(), j)
		same(t, []any{ok, err}, []any{true, nil})
		j.Attempts = 0
		got, err := s.Get(t.Context(), ws, j.ID)
		same(t, err, nil)
		same(t, got, j)
		held, by, err := s.Renew(t.Context(), ws, j.ID, "l1", t0.Add(2*time.Minute))
		same(t, []any{held, by, err}, []any{true, "", nil})
		_, ok = claim(t, s, "l2", t0.Add(90*time.Second))
		same(t, ok, false)
		second, ok := claim(t, s, "l2", t0.Add(2*time.Minute)) // the first has died
		same(t, []any{ok, second.StartedAt, second.Attempts, string(second.Mark)}, []any{true, t0, 1, `{"at":5}`})
		ok, err = s.Save(t.Context(), j)
		same(t, []any{ok, err}, []any{false, nil})
		held, _, err = s.Renew(t.Context(), ws, j.ID, "l1", t0.Add(time.Hour))
		same(t, []any{held, err}, []any{false, nil})
		j.State, j.EndedAt = job.Done, t0
		same(t, s.End(t.Context(), j), nil)
		second.State, second.EndedAt, second.UpdatedAt = job.Failed, t0.Add(time.Hour), t0.Add(time.Hour)
		second.Code, second.Error, second.Attempts = "c", "e", 2
		same(t, s.End(t.Context(), second), nil)
		second.Lease = ""
		got, err = s.Get(t.Context(), ws, j.ID)
		same(t, err, nil)
		same(t, got, second)
		n, err := s.Waiting(t.Context(), ws)
		same(t, []any{n, err}, []any{0, nil})
	})
	t.Run("a workspace with less in hand comes first, and nothing before its time", func(t *testing.T) {
		s := open(t)
		other := sample(4)
		other.Workspace = "ws_2"
		late := sample(0)
		late.NotBefore = t0.Add(time.Hour)
		add(t, s, late, sample(1), sample(2), other)
		order := ""
		for i := range 3 {
			j, _ := claim(t, s, fmt.Sprint("l", i), t0)
			order += j.ID[4:]
		}
		same(t, order, "142")
		_, ok := claim(t, s, "l9", t0)
		same(t, ok, false)
		same(t, s.Release(t.Context()), nil)
		j, ok := claim(t, s, "l10", t0)
		same(t, []any{j.ID, j.Attempts, ok}, []any{"job_1", 2, true})
		j, ok = claim(t, s, "l11", t0.Add(2*time.Hour))
		same(t, []any{j.ID, ok}, []any{"job_0", true})
	})
	t.Run("a cancelled job ends at once if nobody works on it, else it saves no more", func(t *testing.T) {
		s := open(t)
		add(t, s, sample(1), sample(2))
		_, err := s.Cancel(t.Context(), "ws_2", "job_1", "usr_2", t0)
		same(t, errs.Is(err, errs.KindNotFound), true)
		held, _ := claim(t, s, "l1", t0)
		j, err := s.Cancel(t.Context(), ws, "job_1", "usr_2", t0.Add(time.Second))
		same(t, []any{j.State, j.Cancelled, j.EndedAt, err}, []any{job.Running, "usr_2", time.Time{}, nil})
		ok, err := s.Save(t.Context(), held)
		same(t, []any{ok, err}, []any{false, nil})
		on, by, err := s.Renew(t.Context(), ws, "job_1", "l1", t0.Add(time.Minute))
		same(t, []any{on, by, err}, []any{true, "usr_2", nil})
		j, err = s.Cancel(t.Context(), ws, "job_2", "usr_2", t0.Add(time.Second))
		same(t, []any{j.State, j.Cancelled, j.EndedAt, err}, []any{job.Cancelled, "usr_2", t0.Add(time.Second), nil})
		j, err = s.Cancel(t.Context(), ws, "job_2", "usr_3", t0.Add(time.Hour))
		same(t, []any{j.State, j.Cancelled, j.EndedAt, err}, []any{job.Cancelled, "usr_2", t0.Add(time.Second), nil})
	})
	t.Run("the list pages, latest first, and filters; old jobs go", func(t *testing.T) {
		s := open(t)
		for n := range 5 {
			j := sample(n)
			switch n {
			case 1:
				j.Kind = "export"
			case 2:
				j.Actor = "usr_2"
			case 3:
				j.State, j.EndedAt = job.Done, t0
			case 4:
				j.State, j.EndedAt = job.Failed, t0.Add(time.Hour)
			}
			add(t, s, j)
		}
		ids := func(f job.Filter) string {
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
		same(t, ids(job.Filter{}), "")
		same(t, ids(job.Filter{Kinds: kinds}), "43210")
		same(t, ids(job.Filter{Kinds: kinds[:1]}), "4320")
		same(t, ids(job.Filter{Kinds: kinds, Actor: "usr_2"}), "2")
		same(t, ids(job.Filter{Kinds: kinds, State: job.Done}), "3")
		same(t, ids(job.Filter{Kinds: kinds, Active: true}), "210")
		n, err := s.Purge(t.Context(), t0.Add(time.Minute), 10)
		same(t, []any{n, err}, []any{int64(1), nil})
		same(t, ids(job.Filter{Kinds: kinds}), "4210")
		p, err := s.List(t.Context(), "ws_2", job.Filter{Kinds: kinds}, page.Request{})
		same(t, []any{len(p.Items), err}, []any{0, nil})
	})
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}
