package segment

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

const (
	dueBatch = 1000
	// look is how often the deadline loop looks at the clock, which may be shifted, and for changes by other processes.
	look  = 500 * time.Millisecond
	pause = 2 * time.Second // after an error
)

// followDeadlines evaluates people when their deadline comes, until ctx ends.
func (s *Service) followDeadlines(ctx context.Context) {
	for {
		wait, err := s.lookAtClock(ctx)
		if err != nil && ctx.Err() == nil {
			s.c.Logger.Error("deadlines of segments are late, trying again", "err", err)
			wait = pause
		}
		if !s.toDue.WaitAtMost(ctx, wait) {
			return
		}
	}
}

// lookAtClock does what is due and returns how long nothing else will be.
func (s *Service) lookAtClock(ctx context.Context) (time.Duration, error) {
	if err := s.refresh(ctx); err != nil {
		return 0, err
	}
	if _, err := s.RunDue(ctx); err != nil {
		return 0, err
	}
	next, err := s.c.Store.NextDue(ctx)
	if err != nil || next.IsZero() {
		return look, err
	}
	return min(look, max(0, next.Sub(s.c.Clock.Now()))), nil
}

// RunDue evaluates everyone whose deadline has come and returns how many deadlines that were. The loop between Start and Stop calls it.
func (s *Service) RunDue(ctx context.Context) (int, error) {
	total := 0
	for {
		due, err := s.c.Store.Due(ctx, s.c.Clock.Now(), dueBatch)
		if err != nil || len(due) == 0 {
			return total, err
		}
		byWorkspace := map[string][]Deadline{}
		for _, d := range due {
			byWorkspace[d.Workspace] = append(byWorkspace[d.Workspace], d.Deadline)
		}
		for _, ws := range slices.Sorted(maps.Keys(byWorkspace)) {
			if err := s.runDue(ctx, ws, byWorkspace[ws]); err != nil {
				return total, err
			}
		}
		total += len(due)
	}
}

func (s *Service) runDue(ctx context.Context, ws string, due []Deadline) error {
	return s.change(ctx, ws, func(w *workspace, v *view) (*view, error) {
		people := roaring64.New()
		pairs := map[pair]bool{}
		var segments []string
		var stray []Deadline // of segments that are not evaluated any more
		for _, d := range due {
			if c := v.segments[d.Segment]; c == nil || c.Status != Active || !c.windowed {
				stray = append(stray, d)
				continue
			}
			people.Add(d.Person)
			pairs[pair{d.Segment, d.Person}] = true
			segments = append(segments, d.Segment)
		}
		p := pass{
			people: people.ToArray(), scope: v.affected(segments...), why: always(ByTime),
			root: func(c *compiled, person uint64) bool { return pairs[pair{c.ID, person}] },
		}
		if len(stray) > 0 {
			p.also = func(ctx context.Context) error { return s.c.Store.SaveDeadlines(ctx, ws, nil, stray) }
		}
		return s.apply(ctx, w, v, p)
	})
}
