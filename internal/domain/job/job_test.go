package job_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/storage/folder"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

type world struct {
	t     *testing.T
	ws    string
	db    *sqldb.DB
	clock *clock.Fixed
	files *folder.Folder
	who   staff.Principal
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	files, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	_, err = db.Exec(t.Context(), `DELETE FROM job`)
	if err != nil {
		t.Fatal(err)
	}
	ws := id.New("ws")
	return &world{t, ws, db, clock.NewFixed(start), files, staff.Principal{Workspace: ws, ID: "usr_1", Name: "Ann", Permissions: []staff.Permission{staff.ImportWrite}}}
}

// process is one life of the program.
func (w *world) process(do func(ctx context.Context, r *job.Run) (job.Outcome, error)) *job.Service {
	s := job.New(job.Config{Store: sqlstore.NewJob(w.db), Tx: w.db, Clock: w.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Files: w.files})
	s.Register(job.Kind{Name: "count", Need: staff.ImportWrite, Do: do})
	return s
}

func (w *world) begin(s *job.Service) job.Job {
	w.t.Helper()
	j, err := s.Begin(w.t.Context(), w.ws, job.Wanted{Kind: "count", Params: 20, By: w.who})
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

func (w *world) work(s *job.Service, want bool) {
	w.t.Helper()
	if worked, err := s.Work(w.t.Context()); err != nil || worked != want {
		w.t.Fatalf("worked: %v, %v; want %v", worked, err, want)
	}
}

func (w *world) get(s *job.Service, j job.Job) job.Job {
	w.t.Helper()
	j, err := s.Get(w.t.Context(), w.who, j.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// counter is a kind that counts to its params, one piece at a time; a piece makes a job of its own, whose number can be checked, and a line of a file.
func (w *world) counter(at func(n int) error) func(ctx context.Context, r *job.Run) (job.Outcome, error) {
	return func(ctx context.Context, r *job.Run) (job.Outcome, error) {
		var total int
		var mark struct{ N, Bytes int64 }
		if err := r.Params(&total); err != nil {
			return job.Outcome{}, err
		}
		if _, err := r.Mark(&mark); err != nil {
			return job.Outcome{}, err
		}
		for mark.N < int64(total) {
			line := fmt.Appendf(nil, "%d\n", mark.N)
			if err := r.Append(ctx, "lines", mark.Bytes, line); err != nil {
				return job.Outcome{}, err
			}
			next := mark
			err := r.Do(ctx, func(ctx context.Context) (any, job.Progress, error) {
				next = struct{ N, Bytes int64 }{mark.N + 1, mark.Bytes + int64(len(line))}
				if _, err := w.db.Exec(ctx, `INSERT INTO job (id, workspace_id, kind, job_key, title, actor, actor_name, params, state, done, total, figures, mark, files, code, error,
					attempts, cancelled, created_at, started_at, updated_at, ended_at, not_before, lease, lease_until)
					VALUES ($1, $2, 'piece', $1, '', '', '', '{}', 'done', 0, 0, '{}', '', '[]', '', '', 0, '', 1, 1, 1, 1, 0, '', 0)`, fmt.Sprintf("%s-%d", w.ws, mark.N), w.ws); err != nil {
					return nil, job.Progress{}, err
				}
				return next, job.Progress{Done: next.N, Total: int64(total), Figures: map[string]int64{"pieces": next.N}}, at(int(mark.N))
			})
			if err != nil {
				return job.Outcome{}, err
			}
			mark = next
		}
		return job.Outcome{Figures: map[string]int64{"pieces": mark.N}, Files: []job.File{{Key: "lines", Name: "lines.txt", Type: "text/plain", Size: mark.Bytes}}}, nil
	}
}

func (w *world) pieces() int {
	w.t.Helper()
	n, err := sqldb.One(w.t.Context(), w.db, sqldb.Value[int], `SELECT COUNT(*) FROM job WHERE workspace_id = $1 AND kind = 'piece'`, w.ws)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestAJobThatBreaksOffAnywhereDoesEveryPieceOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		life := 0
		s := w.process(w.counter(func(n int) error {
			if life++; life%3 == 0 {
				return errors.New("the connection is gone")
			}
			return nil
		}))
		j := w.begin(s)
		for range 30 {
			if w.get(s, j).State == job.Done {
				break
			}
			w.clock.Advance(time.Hour) // leases and pauses are over
			w.work(s, true)
		}
		got := w.get(s, j)
		if got.State != job.Done || w.pieces() != 20 || got.Figures["pieces"] != 20 || got.Progress.Done != 20 || got.Code != "" {
			t.Errorf("%d pieces, job %+v", w.pieces(), got)
		}
		_, r, err := s.File(t.Context(), w.who, j.ID, "lines")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		raw, err := io.ReadAll(r)
		if err != nil || strings.Count(string(raw), "\n") != 20 || !strings.HasPrefix(string(raw), "0\n1\n2\n") {
			t.Errorf("the file: %q, %v", raw, err)
		}
	})
}

func TestAJobWhoseProcessDiesIsTakenOverAndTheDeadOneSavesNothing(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		var second *job.Service
		count := w.counter(func(int) error { return nil })
		first := w.process(func(ctx context.Context, r *job.Run) (job.Outcome, error) {
			w.clock.Advance(time.Minute) // it sleeps through its lease, and another one does the whole job
			w.work(second, true)
			return count(ctx, r)
		})
		second = w.process(count)
		j := w.begin(first)
		w.work(first, true)
		if got := w.get(first, j); got.State != job.Done || w.pieces() != 20 || got.Figures["pieces"] != 20 {
			t.Errorf("%d pieces, job %+v", w.pieces(), got)
		}
	})
}

func TestACancelledJobSavesNothingMore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		var s *job.Service
		var j job.Job
		inner := w.counter(func(int) error { return nil })
		s = w.process(func(ctx context.Context, r *job.Run) (job.Outcome, error) {
			if _, err := s.Cancel(ctx, w.who, j.ID); err != nil {
				return job.Outcome{}, err
			}
			return inner(ctx, r)
		})
		j = w.begin(s)
		w.work(s, true)
		if got := w.get(s, j); got.State != job.Cancelled || w.pieces() != 0 || got.EndedAt.IsZero() {
			t.Errorf("%d pieces, job %+v", w.pieces(), got)
		}
		w.work(s, false)
		if _, err := s.Cancel(t.Context(), w.who, j.ID); err != nil {
			t.Errorf("cancelled again: %v", err)
		}
		waiting := w.begin(s)
		if _, err := s.Cancel(t.Context(), w.who, waiting.ID); err != nil {
			t.Fatal(err)
		}
		w.work(s, false)
		if got := w.get(s, waiting); got.State != job.Cancelled {
			t.Errorf("a job that waits: %+v", got)
		}
	})
}

func TestAJobThatFailedOrWasCancelledGoesOnWhenItIsAskedForAgain(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		var s *job.Service
		var j job.Job
		broken := "fails"
		s = w.process(w.counter(func(n int) error {
			switch {
			case broken == "fails" && n == 7:
				return errs.Invalid("count.wrong", "", "mend the file")
			case broken == "is cancelled" && n == 12:
				return errs.Unavailable("count.stop", "stop")
			}
			return nil
		}))
		ask := func(params int) job.Job {
			t.Helper()
			j, err := s.Begin(t.Context(), w.ws, job.Wanted{Kind: "count", Key: "upload:1", Params: params, By: w.who})
			if err != nil {
				t.Fatal(err)
			}
			return j
		}
		j = ask(20)
		w.work(s, true)
		if got := w.get(s, j); got.State != job.Failed || w.pieces() != 7 {
			t.Fatalf("%d pieces, %+v", w.pieces(), got)
		}
		broken = "is cancelled"
		if again := ask(20); again.ID != j.ID || again.State != job.Queued || again.Code != "" || again.Done != 7 {
			t.Fatalf("asked again: %+v", again)
		}
		if again := ask(20); again.State != job.Queued {
			t.Fatalf("asked while it waits: %+v", again)
		}
		w.work(s, true)
		if stopped, err := s.Cancel(t.Context(), w.who, j.ID); err != nil || stopped.State != job.Cancelled || w.pieces() != 12 {
			t.Fatalf("%d pieces, %+v, %v", w.pieces(), stopped, err)
		}
		broken = ""
		ask(20)
		w.work(s, true)
		if got := w.get(s, j); got.State != job.Done || w.pieces() != 20 || got.Figures["pieces"] != 20 {
			t.Fatalf("%d pieces, %+v", w.pieces(), got)
		}
		if again := ask(20); again.State != job.Done {
			t.Errorf("what is done is not done again: %+v", again)
		}
	})
}

func TestAJobEndsAsFailedWhenItCannotGetFurther(t *testing.T) {
	w := newWorld(t, sqldbtest.Open(t, sqldb.SQLite))
	for name, c := range map[string]struct {
		err   error
		tries int
		code  string
	}{
		"an error that cannot pass": {errs.Invalid("count.wrong", "", "count better"), 1, "count.wrong"},
		"an error that may pass":    {errors.New("no"), 5, "internal"},
		"a panic":                   {nil, 5, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			tries := 0
			s := w.process(func(context.Context, *job.Run) (job.Outcome, error) {
				if tries++; c.err == nil {
					panic("no")
				}
				return job.Outcome{}, c.err
			})
			j := w.begin(s)
			for range 10 {
				if _, err := s.Work(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.clock.Advance(time.Hour)
			}
			if got := w.get(s, j); tries != c.tries || got.State != job.Failed || got.Code != c.code || got.EndedAt.IsZero() {
				t.Errorf("%d tries, %+v", tries, got)
			}
		})
	}
}

func TestTheLoopDoesWhatWaitsAndGoesOnAfterAStop(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		inside, done := make(chan struct{}), make(chan struct{})
		blocked := w.process(func(ctx context.Context, r *job.Run) (job.Outcome, error) {
			if err := r.Save(ctx, 1, job.Progress{Done: 1, Total: 2}); err != nil {
				return job.Outcome{}, err
			}
			close(inside)
			<-ctx.Done()
			return job.Outcome{}, ctx.Err()
		})
		j := w.begin(blocked)
		if err := blocked.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-inside
		if err := blocked.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.get(blocked, j); got.State != job.Queued || got.Attempts != 0 || string(got.Mark) != "1" || got.Code != "" {
			t.Errorf("after a stop: %+v", got)
		}
		next := w.process(func(ctx context.Context, r *job.Run) (job.Outcome, error) {
			var mark int
			if had, err := r.Mark(&mark); !had || mark != 1 || err != nil {
				t.Errorf("mark %v %d %v", had, mark, err)
			}
			defer close(done)
			return job.Outcome{}, nil
		})
		if err := next.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-done
		if err := next.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.get(next, j); got.State != job.Done || got.Progress.Done != 2 {
			t.Errorf("at the end: %+v", got)
		}
	})
}

func TestJobsAreSeenByThoseWithTheRightAlone(t *testing.T) {
	w := newWorld(t, sqldbtest.Open(t, sqldb.SQLite))
	s := w.process(func(context.Context, *job.Run) (job.Outcome, error) { return job.Outcome{}, nil })
	j := w.begin(s)
	viewer := staff.Principal{Workspace: w.ws, ID: "usr_2", Permissions: []staff.Permission{staff.PeopleRead}}
	stranger := w.who
	stranger.Workspace = "ws_other"
	for _, who := range []staff.Principal{viewer, stranger} {
		if _, err := s.Get(t.Context(), who, j.ID); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("read by %+v: %v", who, err)
		}
		if _, err := s.Cancel(t.Context(), who, j.ID); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("cancelled by %+v: %v", who, err)
		}
	}
	for range 99 {
		w.begin(s)
	}
	if _, err := s.Begin(t.Context(), w.ws, job.Wanted{Kind: "count", By: w.who}); !errs.Is(err, errs.KindRateLimited) {
		t.Errorf("one too many: %v", err)
	}
}
