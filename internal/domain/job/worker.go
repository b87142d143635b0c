package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// Times of the worker. Polls and heartbeats are real time; leases are times of the clock, which only ever jumps forward: a job whose lease ran out that
// way is begun by a second worker, and the first one's saves fail.
const (
	poll      = time.Second
	heartbeat = time.Second
	lease     = 30 * time.Second
	slots     = 3 // jobs in hand at once

	firstPause = 5 * time.Second
	lastPause  = 5 * time.Minute
)

// Why a job's context ends before the job does.
var (
	errCancelled = errs.Conflict("job.cancelled", "the job was cancelled")
	errLost      = errs.Conflict("job.lost", "another worker has taken the job over")
)

func (s *Service) run(ctx context.Context) {
	kinds := slices.Sorted(maps.Keys(s.kinds))
	if s.c.Sole {
		if err := s.c.Store.Release(ctx); err != nil && ctx.Err() == nil {
			s.c.Log.Error("leases of jobs could not be ended; they run out by themselves", "err", err)
		}
	}
	var busy sync.WaitGroup
	defer busy.Wait()
	free := make(chan struct{}, slots)
	for range slots {
		free <- struct{}{}
	}
	for {
		select {
		case <-free:
		case <-ctx.Done():
			return
		}
		j, ok, err := s.claim(ctx, kinds)
		if !ok {
			free <- struct{}{}
			if err != nil && ctx.Err() == nil {
				s.c.Log.Error("jobs could not be looked at", "err", err)
			}
			if !s.pulse.Wait(ctx) {
				return
			}
			continue
		}
		busy.Go(func() {
			defer func() { free <- struct{}{} }()
			s.work(ctx, j)
		})
	}
}

func (s *Service) claim(ctx context.Context, kinds []string) (Job, bool, error) {
	now := s.c.Clock.Now()
	j, ok, err := s.c.Store.Claim(ctx, kinds, id.New("lse"), now, now.Add(lease))
	if ok {
		s.changed(j)
	}
	return j, ok, err
}

// Work does one job that waits, to its end or its next try, and reports whether there was one: what the loop does, for tests and tools.
func (s *Service) Work(ctx context.Context) (bool, error) {
	j, ok, err := s.claim(ctx, slices.Sorted(maps.Keys(s.kinds)))
	if ok {
		s.work(ctx, j)
	}
	return ok, err
}

// work does a job that was claimed.
func (s *Service) work(ctx context.Context, j Job) {
	doing, stop := context.WithCancelCause(ctx)
	var beats sync.WaitGroup
	beats.Go(func() { s.beat(doing, stop, j) })
	r := &Run{s: s, job: j}
	var out Outcome
	err := error(errs.Conflict("job.stuck", "the job was begun %d times and got no further", maxAttempts))
	switch {
	case j.Cancelled != "": // and whoever had it then has died
		err = errCancelled
	case j.Attempts <= maxAttempts:
		out, err = s.do(doing, r)
	}
	cause := context.Cause(doing)
	stop(nil)
	beats.Wait()
	s.end(context.WithoutCancel(ctx), r.job, out, err, cause)
}

// do calls the kind; a panic is an error of the job, not the end of the process.
func (s *Service) do(ctx context.Context, r *Run) (out Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.c.Log.Error("a job has panicked", "job", r.job.ID, "kind", r.job.Kind, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return s.kinds[r.job.Kind].Do(ctx, r)
}

// beat keeps the lease and ends the work when it is lost or the job is cancelled.
func (s *Service) beat(ctx context.Context, stop context.CancelCauseFunc, j Job) {
	lifecycle.Every(ctx, heartbeat, func(ctx context.Context) {
		held, by, err := s.c.Store.Renew(ctx, j.Workspace, j.ID, j.Lease, s.c.Clock.Now().Add(lease))
		switch {
		case err != nil: // the next beat tries again, long before the lease runs out
		case !held:
			stop(errLost)
		case by != "":
			stop(errCancelled)
		}
	})
}

// end writes how a job has ended, or when it goes on.
func (s *Service) end(ctx context.Context, j Job, out Outcome, err, cause error) {
	now := s.c.Clock.Now()
	j.UpdatedAt = now
	kind := errs.KindOf(err)
	switch {
	case errors.Is(err, errLost) || errors.Is(cause, errLost):
		return
	case errors.Is(err, errCancelled) || errors.Is(cause, errCancelled):
		j.State, j.EndedAt = Cancelled, now
	case err == nil:
		j.State, j.EndedAt, j.Code, j.Error = Done, now, "", ""
		j.Figures, j.Files = out.Figures, out.Files
		if j.Total > 0 {
			j.Progress.Done = j.Total
		}
	case cause != nil: // the process stops; whoever starts next goes on at once
		j.State, j.Attempts = Queued, max(0, j.Attempts-1)
	case j.Attempts >= maxAttempts || kind == errs.KindInvalid || kind == errs.KindNotFound || kind == errs.KindConflict || kind == errs.KindForbidden:
		j.State, j.EndedAt = Failed, now
		j.fail(err)
		s.c.Log.Warn("a job has failed", "job", j.ID, "kind", j.Kind, "err", err)
	default:
		j.State, j.NotBefore = Queued, now.Add(pause(j.Attempts))
		j.fail(err)
		s.c.Log.Warn("a job is tried again later", "job", j.ID, "kind", j.Kind, "attempt", j.Attempts, "err", err)
	}
	if err := s.c.Store.End(ctx, j); err != nil {
		s.c.Log.Error("the end of a job could not be written; its lease runs out and it is begun again", "job", j.ID, "err", err)
	}
	s.changed(j)
}

func (j *Job) fail(err error) {
	j.Code, j.Error = "internal", "the server failed; the error is in its log"
	if e, ok := errors.AsType[*errs.Error](err); ok {
		j.Code, j.Error = e.Code, e.Msg
	}
	if len(j.Error) > maxErrorText {
		j.Error = strings.ToValidUTF8(j.Error[:maxErrorText], "")
	}
}

func pause(attempt int) time.Duration {
	d := firstPause
	for range attempt - 1 {
		d = min(4*d, lastPause)
	}
	return d
}

// Run is a job in the hands of its kind. Its methods are for one goroutine.
type Run struct {
	s   *Service
	job Job
}

// Job returns the job.
func (r *Run) Job() Job { return r.job }

// Params reads what the job was begun with.
func (r *Run) Params(into any) error { return json.Unmarshal(r.job.Params, into) }

// Mark reads the mark of the last Save and reports whether there was one.
func (r *Run) Mark(into any) (bool, error) {
	if len(r.job.Mark) == 0 {
		return false, nil
	}
	return true, json.Unmarshal(r.job.Mark, into)
}

// Save keeps how far the work is and from where it would go on. It joins the caller's transaction: if it fails, because the job was cancelled or taken over,
// nothing of the transaction may stay, so return its error.
func (r *Run) Save(ctx context.Context, mark any, p Progress) error {
	raw, err := json.Marshal(mark)
	if err != nil {
		return err
	}
	j := r.job
	j.Mark, j.Progress, j.UpdatedAt = raw, p, r.s.c.Clock.Now()
	j.Figures = maps.Clone(p.Figures)
	ok, err := r.s.c.Store.Save(ctx, j)
	if err != nil {
		return err
	}
	if !ok {
		now, err := r.s.c.Store.Get(ctx, j.Workspace, j.ID)
		if err == nil && now.Lease == j.Lease && now.Cancelled != "" {
			return errCancelled
		}
		return errors.Join(errLost, err)
	}
	j.Attempts = 0
	r.job = j
	r.s.changed(j)
	return nil
}

// Do runs a piece of work and the Save after it in one transaction. piece may run more than once, as in tx.Runner; it returns the mark and the progress.
func (r *Run) Do(ctx context.Context, piece func(ctx context.Context) (mark any, p Progress, err error)) error {
	was := r.job
	err := r.s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		r.job = was
		mark, p, err := piece(ctx)
		if err != nil {
			return err
		}
		return r.Save(ctx, mark, p)
	})
	if err != nil {
		r.job = was
	}
	return err
}

// Append adds to a file that the job makes, after cutting it to its first at bytes: with the length kept in the mark, a piece that is done again adds nothing
// twice.
func (r *Run) Append(ctx context.Context, key string, at int64, data []byte) error {
	return r.s.c.Files.Append(ctx, r.job.Workspace, r.job.ID, key, at, data)
}
