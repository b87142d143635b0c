package job

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Config is what a Service needs.
type Config struct {
	Store Store
	Tx    tx.Runner
	Clock clock.Clock
	Log   *slog.Logger
	Files Files
	Sole  bool // no other process works on this store: leases of a process that has died need not run out
	// Changed tells open screens that a job has moved on; nil: nobody.
	Changed func(ws, id string)
}

// Service begins, does and ends jobs. It is a lifecycle.Service: between Start and Stop it works on what waits.
type Service struct {
	lifecycle.Loop
	c     Config
	kinds map[string]Kind
	pulse lifecycle.Pulse
}

// New returns a Service.
func New(c Config) *Service {
	s := &Service{c: c, kinds: map[string]Kind{}, pulse: lifecycle.NewPulse(poll)}
	s.Run = s.run
	return s
}

// Register adds kinds; not to be called once the service is in use.
func (s *Service) Register(kinds ...Kind) {
	for _, k := range kinds {
		s.kinds[k.Name] = k
	}
}

// Wanted asks for a job.
type Wanted struct {
	Kind   string
	Key    string // the same again makes no second job; empty: every call counts
	Title  string
	Params any // becomes JSON
	By     staff.Principal
	Upload string // uploaded file that the job reads; empty: none
}

// Begin makes a job that is worked on as soon as a worker is free. It joins the caller's transaction. A job of the same key is returned as it is,
// unless it has failed or was cancelled: then it goes on from where it was, or from the beginning if it is asked for with other parameters.
// A job that would read a file that is not there is not_found.
func (s *Service) Begin(ctx context.Context, ws string, w Wanted) (Job, error) {
	if _, ok := s.kinds[w.Kind]; !ok {
		return Job{}, errs.Invalid("job.kind.unknown", "kind", "there is no job of the kind %q", w.Kind)
	}
	params, err := json.Marshal(w.Params)
	if err != nil {
		return Job{}, err
	}
	now := s.c.Clock.Now()
	j := Job{
		ID: id.New("job"), Workspace: ws, Kind: w.Kind, Key: w.Key, Title: w.Title, Actor: w.By.ID, ActorName: w.By.Name, Params: params,
		State: Queued, CreatedAt: now, UpdatedAt: now,
	}
	if j.Key == "" {
		j.Key = j.ID
	}
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		n, err := s.c.Store.Waiting(ctx, ws)
		if err != nil {
			return err
		}
		if n >= maxWaiting {
			return errs.RateLimited("job.too_many", "%d jobs of this workspace wait or run already; let some end, or cancel them", n)
		}
		wanted := j
		was, fresh, err := s.c.Store.Insert(ctx, wanted)
		if j = was; err != nil || !fresh && was.State != Failed && was.State != Cancelled {
			return err
		}
		if err := s.holds(ctx, ws, w.Upload); err != nil || fresh {
			return err
		}
		if bytes.Equal(was.Params, params) {
			wanted.Mark, wanted.Progress = was.Mark, was.Progress
		}
		wanted.ID = was.ID
		if _, err = s.c.Store.Again(ctx, wanted); err != nil {
			return err
		}
		j, err = s.c.Store.Get(ctx, ws, was.ID)
		return err
	})
	return j, err
}

// Wake lets the worker look at once, when the transaction of Begin is through; without it a job begins within a second.
func (s *Service) Wake() { s.pulse.Wake() }

// Visible names the kinds whose jobs a caller may see.
func (s *Service) Visible(who staff.Principal) []string {
	var out []string
	for name, k := range s.kinds {
		if who.Can(k.Need) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Get returns a job that the caller may see, or not_found.
func (s *Service) Get(ctx context.Context, who staff.Principal, id string) (Job, error) {
	j, err := s.c.Store.Get(ctx, who.Workspace, id)
	if err == nil && !slices.Contains(s.Visible(who), j.Kind) {
		return Job{}, errs.NotFound("job", id)
	}
	return j, err
}

// List lists the jobs that the caller may see, latest made first; f.Kinds is set here.
func (s *Service) List(ctx context.Context, who staff.Principal, f Filter, p page.Request) (page.Of[Job], error) {
	f.Kinds = s.Visible(who)
	return s.c.Store.List(ctx, who.Workspace, f, p)
}

// Cancel asks for the end of a job and returns it as it is then: Cancelled if nobody works on it, else soon. What it has done stays done.
func (s *Service) Cancel(ctx context.Context, who staff.Principal, id string) (Job, error) {
	if _, err := s.Get(ctx, who, id); err != nil {
		return Job{}, err
	}
	j, err := s.c.Store.Cancel(ctx, who.Workspace, id, who.ID, s.c.Clock.Now())
	if err != nil {
		return Job{}, err
	}
	if j.State != Cancelled && j.State.Over() {
		return Job{}, errs.Conflict("job.over", "this job has ended already")
	}
	return j, nil
}

// File opens a file that a job has made, or returns not_found.
func (s *Service) File(ctx context.Context, who staff.Principal, id, key string) (File, io.ReadSeekCloser, error) {
	j, err := s.Get(ctx, who, id)
	if err != nil {
		return File{}, nil, err
	}
	for _, f := range j.Files {
		if f.Key != key {
			continue
		}
		r, _, err := s.c.Files.Open(ctx, j.Workspace, j.ID, f.Key)
		if errs.Is(err, errs.KindNotFound) {
			err = missing("job.file.gone", "the file was kept for %d days; start the job again to have it made anew", int(KeepFiles.Hours()/24))
		}
		return f, r, err
	}
	return File{}, nil, errs.NotFound("file", key)
}

// Made opens what a job has written with Run.Append, also before it has ended and if it did not end well, or returns not_found.
func (s *Service) Made(ctx context.Context, ws, id, key string) (io.ReadSeekCloser, int64, error) {
	return s.c.Files.Open(ctx, ws, id, key)
}

// Ended waits until a job is over, or ctx is, and returns it.
func (s *Service) Ended(ctx context.Context, ws, id string) (Job, error) {
	tick := time.NewTicker(heartbeat / 4)
	defer tick.Stop()
	for {
		j, err := s.c.Store.Get(ctx, ws, id)
		if err != nil || j.State.Over() {
			return j, err
		}
		select {
		case <-ctx.Done():
			return j, ctx.Err()
		case <-tick.C:
		}
	}
}

// Room fails with rate_limited if the files of the workspace take all they may.
func (s *Service) Room(ctx context.Context, ws string) error {
	used, err := s.c.Files.Used(ctx, ws)
	if err == nil && used >= MaxUsed {
		err = errs.RateLimited("job.file.full", "the files of this workspace take %d MB; they are removed %d days after their last use, try again later", used>>20, int(KeepFiles.Hours()/24))
	}
	return err
}

// Upload keeps a file until a job uses it, at most KeepFiles, and returns its id and size.
func (s *Service) Upload(ctx context.Context, ws string, from io.Reader) (string, int64, error) {
	if err := s.Room(ctx, ws); err != nil {
		return "", 0, err
	}
	upload := id.New("upl")
	n, err := s.c.Files.Put(ctx, ws, upload, uploaded, from, MaxFile)
	if err == nil && n == 0 {
		err = errs.Invalid("job.file.empty", "file", "the file is empty")
	}
	if err != nil {
		return "", 0, errors.Join(err, s.c.Files.Remove(ctx, ws, upload))
	}
	return upload, n, nil
}

const uploaded = "file"

// Uploaded opens an uploaded file, or returns not_found.
func (s *Service) Uploaded(ctx context.Context, ws, upload string) (io.ReadSeekCloser, int64, error) {
	r, n, err := s.c.Files.Open(ctx, ws, upload, uploaded)
	if errs.Is(err, errs.KindNotFound) {
		err = missing("job.upload.not_found", "there is no such upload, or it is older than %d days; upload the file again", int(KeepFiles.Hours()/24))
	}
	return r, n, err
}

// holds refuses a file that is not there, if one is named.
func (s *Service) holds(ctx context.Context, ws, upload string) error {
	if upload == "" {
		return nil
	}
	r, _, err := s.Uploaded(ctx, ws, upload)
	if e, ok := errors.AsType[*errs.Error](err); ok {
		e.Field = "upload"
	}
	if err != nil {
		return err
	}
	return r.Close()
}

// Forget removes an uploaded file.
func (s *Service) Forget(ctx context.Context, ws, upload string) error {
	return s.c.Files.Remove(ctx, ws, upload)
}

// Purge removes files and jobs that were kept long enough.
func (s *Service) Purge(ctx context.Context, limit int) (int64, error) {
	now := s.c.Clock.Now()
	if _, err := s.c.Files.Sweep(ctx, now.Add(-KeepFiles)); err != nil {
		return 0, err
	}
	return s.c.Store.Purge(ctx, now.Add(-KeepJobs), limit)
}

func missing(code, format string, args ...any) error {
	return &errs.Error{Kind: errs.KindNotFound, Code: code, Msg: fmt.Sprintf(format, args...)}
}

func (s *Service) changed(j Job) {
	if s.c.Changed != nil {
		s.c.Changed(j.Workspace, j.ID)
	}
}
