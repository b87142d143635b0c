package retention

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const (
	// A removal of the day writes the file anew once the events that went since the last time are a twentieth of what is there, or after rewriteDays.
	rewriteShare = 20
	rewriteDays  = 30
)

// Kind is the job.
func (s *Service) Kind() job.Kind {
	return job.Kind{Name: Job, Need: staff.PrivacyWrite, Do: s.remove}
}

// params are what the job is begun with.
type params struct {
	Rewrite bool `json:"rewrite"` // the file is written anew, however little went
}

// Wanted returns the job that removes what is too old now. It is asked for by somebody, so the bytes go too.
func (s *Service) Wanted() job.Wanted { return job.Wanted{Kind: Job, Params: params{Rewrite: true}} }

// Daily begins the removals of the day in workspaces that have something to remove, and returns how many that were.
func (s *Service) Daily(ctx context.Context, _ int) (int64, error) {
	all, err := s.c.Store.Policies(ctx)
	if err != nil {
		return 0, err
	}
	now := s.c.Clock.Now()
	today := now.Format(time.DateOnly)
	for _, ws := range slices.Sorted(maps.Keys(all)) {
		if s.looked[ws] == today {
			continue
		}
		lines, _, err := s.plan(ctx, ws, all[ws], now)
		if err != nil {
			return 0, err
		}
		if len(lines) > 0 {
			if _, err := s.c.Begin(ctx, ws, job.Wanted{Kind: Job, Key: Job + ":" + today, Params: params{}, By: staff.System(ws)}); err != nil {
				return 0, err
			}
		}
		s.looked[ws] = today
	}
	return 0, nil
}

// way is the mark of a removal.
type way struct {
	Lines     []Gone `json:"lines"` // planned
	At        int    `json:"at"`    // the line in work
	Removed   int64  `json:"removed"`
	Started   int64  `json:"started"`
	Rewritten bool   `json:"rewritten"`
	Scrubbed  bool   `json:"scrubbed"` // it is decided, and done if need be
}

func (w way) progress() job.Progress {
	p := job.Progress{Done: w.Removed, Figures: map[string]int64{"removed": w.Removed}}
	for _, l := range w.Lines {
		p.Total += l.Count
	}
	p.Done = min(p.Done, p.Total)
	return p
}

func (s *Service) remove(ctx context.Context, r *job.Run) (job.Outcome, error) {
	ws, now := r.Job().Workspace, s.c.Clock.Now()
	var want params
	if err := r.Params(&want); err != nil {
		return job.Outcome{}, err
	}
	p, err := s.c.Store.Policy(ctx, ws)
	if err != nil {
		return job.Outcome{}, err
	}
	var at way
	begun, err := r.Mark(&at)
	if err != nil {
		return job.Outcome{}, err
	}
	if !begun {
		at.Started = now.UnixMicro()
		if at.Lines, _, err = s.plan(ctx, ws, p, now); err != nil {
			return job.Outcome{}, err
		}
		if err := r.Save(ctx, at, at.progress()); err != nil {
			return job.Outcome{}, err
		}
	}
	for ; at.At < len(at.Lines); at.At++ {
		if err := s.line(ctx, r, &at); err != nil {
			return job.Outcome{}, err
		}
	}
	if !at.Scrubbed {
		if at.Rewritten, err = s.rewrite(ctx, ws, want, at, now); err != nil {
			return job.Outcome{}, err
		}
		at.Scrubbed = true
		if err := r.Save(ctx, at, at.progress()); err != nil {
			return job.Outcome{}, err
		}
	}
	return s.finish(ctx, r, p, at, want, now)
}

// line removes the events of one kind. Its count is that of the plan with what came meanwhile: had the process died between a removal and the note of it, the
// sum of the removals would be short.
func (s *Service) line(ctx context.Context, r *job.Run, at *way) error {
	ws, l := r.Job().Workspace, &at.Lines[at.At]
	term := event.Term{Kind: l.Kind, Since: l.Before}
	left, err := s.c.Events.TooOld(ctx, ws, []event.Term{term})
	if err != nil {
		return err
	}
	gone, before := l.Count, int64(0)
	if len(left) > 0 {
		gone = max(0, l.Count-left[0].Count)
	}
	for _, d := range at.Lines[:at.At] {
		before += d.Count
	}
	for {
		n, err := s.c.Events.DropOld(ctx, ws, term, s.c.Chunk)
		if err != nil {
			return err
		}
		gone += n
		at.Removed = before + gone
		l.Count = max(l.Count, gone)
		if err := r.Save(ctx, at, at.progress()); err != nil {
			return err
		}
		if n < int64(s.c.Chunk) {
			return nil
		}
	}
}

// rewrite has the file written anew if it is wanted or worth it.
func (s *Service) rewrite(ctx context.Context, ws string, want params, at way, now time.Time) (bool, error) {
	if at.Removed == 0 {
		return false, nil
	}
	if !want.Rewrite {
		worth, err := s.worth(ctx, ws, at.Removed, now)
		if err != nil || !worth {
			return false, err
		}
	}
	return true, s.c.Events.Scrub(ctx)
}

// worth reports whether so much went since the file was written anew, or that so long ago, that it should be.
func (s *Service) worth(ctx context.Context, ws string, removed int64, now time.Time) (bool, error) {
	last, err := s.c.Store.Receipts(ctx, ws, page.Request{Limit: rewriteDays + 1}) // one a day
	if err != nil {
		return false, err
	}
	oldest := now
	for _, r := range last.Items {
		if r.Rewritten {
			break
		}
		removed += r.Count()
		oldest = r.FinishedAt
	}
	if now.Sub(oldest) >= rewriteDays*24*time.Hour {
		return true, nil
	}
	ages, err := s.c.Events.Ages(ctx, ws)
	if err != nil {
		return false, err
	}
	var left int64
	for _, a := range ages {
		left += a.Count
	}
	return removed*rewriteShare >= left+removed, nil
}

// finish has the segments evaluated that asked for what went, has people judged if judgements did, and writes the receipt.
func (s *Service) finish(ctx context.Context, r *job.Run, p Policy, at way, want params, now time.Time) (job.Outcome, error) {
	ws := r.Job().Workspace
	out := Receipt{ID: r.Job().ID, By: r.Job().ActorName, Lines: at.Lines, Rewritten: at.Rewritten, StartedAt: time.UnixMicro(at.Started).UTC(), FinishedAt: now}
	went, terms := make([]event.Kind, len(at.Lines)), make([]event.Term, len(at.Lines))
	for i, l := range at.Lines {
		went[i], terms[i] = l.Kind, event.Term{Kind: l.Kind, Since: l.Before}
	}
	askers, err := s.askers(ctx, ws, p, went, at.Lines, now)
	if err != nil {
		return job.Outcome{}, err
	}
	for _, a := range askers {
		// One that was archived meanwhile has nobody to check.
		if _, err := s.c.Segments.Reevaluate(ctx, ws, a.ID); err != nil && !errs.Is(err, errs.KindConflict) && !errs.Is(err, errs.KindNotFound) {
			return job.Outcome{}, err
		}
		out.Segments++
	}
	if err := s.c.Standing.EventsRemoved(ctx, ws, terms, !want.Rewrite); err != nil {
		return job.Outcome{}, err
	}
	if err := s.c.Store.AddReceipt(ctx, ws, out); err != nil {
		return job.Outcome{}, err
	}
	rewritten := int64(0)
	if at.Rewritten {
		rewritten = 1
	}
	return job.Outcome{Figures: map[string]int64{"removed": out.Count(), "kinds": int64(len(out.Lines)), "segments": int64(out.Segments), "rewritten": rewritten}}, nil
}
