package campaign

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

const (
	// poll is how often running campaigns are looked at. It is real time: clocks of tests and demonstrations jump.
	poll = 250 * time.Millisecond

	firstBackoff = 5 * time.Second
	lastBackoff  = 10 * time.Minute
	maxAttempts  = 30 // about four hours of trying before a campaign counts as failed
)

// run works on campaigns until ctx ends.
func (s *Service) run(ctx context.Context) {
	s.pulse.Follow(ctx, s.Tick, func(err error) { s.c.Log.Error("campaigns could not be worked on", "error", err) })
}

// Tick makes the runs of series that are due, takes every running campaign one step further and reports whether that was possible for any. The loop that Start begins calls it;
// calling it beside the loop is harmless.
func (s *Service) Tick(ctx context.Context) (bool, error) {
	worked, err := s.tickSeries(ctx)
	if err != nil {
		return false, err
	}
	all, err := s.c.Store.Working(ctx, s.c.Clock.Now())
	if err != nil {
		return false, err
	}
	for _, c := range all {
		more, err := s.step(ctx, c)
		switch {
		case ctx.Err() != nil:
			return worked, ctx.Err()
		case errs.Is(err, errs.KindConflict): // changed meanwhile, by a person or another worker; the next round sees it
		case err != nil:
			if err := s.putOff(ctx, c, err); err != nil && !errs.Is(err, errs.KindConflict) {
				return worked, err
			}
		default:
			worked = worked || more
		}
	}
	return worked, nil
}

func (s *Service) step(ctx context.Context, c Campaign) (bool, error) {
	switch c.Status {
	case Scheduled:
		c.Status = Preparing
		return true, s.update(ctx, c)
	case Preparing:
		return s.prepare(ctx, c)
	}
	waves, err := s.c.Store.Waves(ctx, c.Workspace, c.ID)
	if err != nil {
		return false, err
	}
	now := s.c.Clock.Now()
	var due, rest *Wave
	var next time.Time
	for i := range waves {
		switch w := &waves[i]; {
		case w.Left() == 0:
		case w.Template == "":
			rest = w
		case w.DueAt.After(now):
			if next.IsZero() || w.DueAt.Before(next) {
				next = w.DueAt
			}
		case due == nil || w.before(*due):
			due = w
		}
	}
	switch {
	case due != nil:
		return s.walk(ctx, c, *due)
	case !next.IsZero():
		c.RetryAt = next
		return true, s.update(ctx, c)
	case rest != nil:
		return s.test(ctx, c, *rest)
	}
	return s.finish(ctx, c)
}

func (s *Service) update(ctx context.Context, c Campaign) error {
	c.UpdatedAt = s.c.Clock.Now()
	return s.c.Store.Update(ctx, c)
}

// prepare fixes the audience and cuts it into waves, once its segments are settled: a part of an audience is another audience, and without
// all who are excluded it is the wrong one.
func (s *Service) prepare(ctx context.Context, c Campaign) (bool, error) {
	audience, unsettled, err := s.settled(ctx, c)
	if err != nil {
		return false, err
	}
	if len(unsettled) > 0 {
		why := failureOf(errs.Unavailable("campaign.audience.unsettled", "it waits until all members of %s are known", strings.Join(unsettled, ", ")))
		if c.Error == why {
			return false, nil
		}
		c.Error = why
		return false, s.update(ctx, c)
	}
	waves, people, err := s.waves(ctx, c, audience)
	if err != nil {
		return false, err
	}
	return true, s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		c := c
		c.Status, c.StartedAt, c.Attempts, c.Error = Sending, s.c.Clock.Now(), 0, ""
		c.Progress = Progress{Audience: int64(audience.GetCardinality())}
		if err := s.c.Store.SaveWaves(ctx, c.Workspace, c.ID, waves, people); err != nil {
			return err
		}
		return s.update(ctx, c)
	})
}

// walk asks the outbox for the next chunk of a wave's people and moves the position, in one transaction.
func (s *Service) walk(ctx context.Context, c Campaign, w Wave) (bool, error) {
	waiting, err := s.c.Outbox.Waiting(ctx, c.Workspace, c.Source())
	if err != nil {
		return false, fmt.Errorf("count waiting messages: %w", err)
	}
	if waiting >= int64(s.c.Ahead) {
		return false, nil
	}
	chunk := s.c.Chunk
	if rate := c.Plan.PerMinute; rate > 0 {
		chunk = min(chunk, max(1, rate/6)) // ten seconds' worth
	}
	nums, err := s.c.Store.People(ctx, c.Workspace, c.ID, w.Seq, w.Position, chunk)
	if err != nil {
		return false, err
	}
	if len(nums) == 0 {
		return false, errs.Invalid("campaign.audience.short", "", "wave %d of the audience ends after %d of %d people", w.Seq, w.Handled, w.Size)
	}
	ids, err := s.c.People.IDs(ctx, c.Workspace, nums)
	if err != nil {
		return false, fmt.Errorf("find %d people: %w", len(nums), err)
	}
	reqs, left := requests(c, w, nums, ids)
	asked, err := s.c.Outbox.Weigh(ctx, reqs) // before the transaction: it reads much, and whoever sends waits for the writer
	if err != nil {
		return false, fmt.Errorf("ask for messages: %w", err)
	}
	return true, s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		// Who was forgotten or merged in between must not get a row with what was read before.
		if today, err := s.c.People.IDs(ctx, c.Workspace, nums); err != nil {
			return fmt.Errorf("find %d people: %w", len(nums), err)
		} else if !maps.Equal(today, ids) {
			return errs.Conflict("campaign.audience.changed", "people of this campaign have been merged or forgotten meanwhile")
		}
		decisions, err := s.c.Outbox.Keep(ctx, asked)
		if err != nil {
			return fmt.Errorf("ask for messages: %w", err)
		}
		if len(decisions) != len(reqs) {
			return fmt.Errorf("ask for messages: %d decisions for %d requests", len(decisions), len(reqs))
		}
		c, w := c, w
		p := c.Progress
		before := p.Queued
		for reason, n := range left.Refused {
			p = p.plus(reason, n)
		}
		for _, d := range decisions {
			switch {
			case d.Duplicate: // under another number, in an earlier chunk
				p = p.plus(ReasonMerged, 1)
			case d.Allowed:
				p.Queued++
			default:
				p = p.plus(d.Reason, 1)
			}
		}
		p.Handled += int64(len(nums))
		w.Handled += int64(len(nums))
		w.Position = nums[len(nums)-1]
		if err := s.c.Store.UpdateWave(ctx, c.Workspace, c.ID, w); err != nil {
			return err
		}
		c.Progress, c.Attempts, c.Error = p, 0, ""
		if rate := c.Plan.PerMinute; rate > 0 {
			c.RetryAt = s.c.Clock.Now().Add(time.Duration(p.Queued-before) * time.Minute / time.Duration(rate))
		}
		return s.update(ctx, c)
	})
}

// finish declares the campaign sent once nothing of it waits any more.
func (s *Service) finish(ctx context.Context, c Campaign) (bool, error) {
	waiting, err := s.c.Outbox.Waiting(ctx, c.Workspace, c.Source())
	if err != nil {
		return false, fmt.Errorf("count waiting messages: %w", err)
	}
	if waiting > 0 {
		return false, nil
	}
	c.Status, c.FinishedAt, c.Attempts, c.Error = Sent, s.c.Clock.Now(), 0, ""
	return true, s.update(ctx, c)
}

// putOff notes a failed try: again later, or failed if that cannot help or was done often enough.
func (s *Service) putOff(ctx context.Context, c Campaign, cause error) error {
	c.Attempts++
	c.Error = failureOf(cause)
	kind := errs.KindOf(cause)
	if kind == errs.KindInvalid || kind == errs.KindNotFound || kind == errs.KindForbidden || c.Attempts >= maxAttempts {
		c.Status = Failed
		s.c.Log.Error("a campaign has failed", "workspace", c.Workspace, "campaign", c.ID, "error", cause)
	} else {
		c.RetryAt = s.c.Clock.Now().Add(backoff(c.Attempts))
		s.c.Log.Warn("a campaign is tried again later", "workspace", c.Workspace, "campaign", c.ID, "attempt", c.Attempts, "error", cause)
	}
	if err := s.update(ctx, c); err != nil {
		return errors.Join(err, cause)
	}
	return nil
}

func backoff(attempt int) time.Duration {
	d := firstBackoff
	for range attempt - 1 {
		if d *= 2; d >= lastBackoff {
			return lastBackoff
		}
	}
	return d
}
