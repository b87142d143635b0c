package segment

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

const (
	sweepBatch = 4000
	sweepLook  = 2 * time.Second // how often the loop looks for evaluations that another process asked for
)

// followEvaluations carries out full evaluations until ctx ends.
func (s *Service) followEvaluations(ctx context.Context) {
	s.toSweep.Follow(ctx, func(ctx context.Context) (bool, error) { return false, s.RunEvaluations(ctx) }, func(err error) {
		s.c.Logger.Error("full evaluation of a segment is late, trying again", "err", err)
	})
}

// RunEvaluations carries out all full evaluations that were asked for, and returns when none is left. The loop between Start and Stop
// calls it. What makes a single evaluation fail for good is noted on its segment; the error returned
// is one after which trying again makes sense.
func (s *Service) RunEvaluations(ctx context.Context) error {
	for {
		waiting, err := s.c.Store.EvaluatingSegments(ctx)
		if err != nil || len(waiting) == 0 {
			return err
		}
		ref, err := s.first(ctx, waiting)
		if err != nil {
			return err
		}
		err = s.sweep(ctx, ref)
		switch {
		case err == nil:
		case ctx.Err() != nil, errs.Is(err, errs.KindUnavailable):
			return err
		default:
			s.c.Logger.Error("full evaluation of a segment failed", "workspace", ref.Workspace, "segment", ref.Segment, "err", err)
			if err := s.fail(ctx, ref, err.Error()); err != nil {
				return err
			}
		}
	}
}

// first picks one that does not depend on another one that waits, so that nobody enters by an interim result.
func (s *Service) first(ctx context.Context, waiting []Ref) (Ref, error) {
	for _, ref := range waiting {
		v, err := s.current(ctx, s.place(ref.Workspace))
		if err != nil {
			return Ref{}, err
		}
		c := v.segments[ref.Segment]
		if c != nil && !slices.ContainsFunc(waiting, func(o Ref) bool { return o.Workspace == ref.Workspace && slices.Contains(c.sets, o.Segment) }) {
			return ref, nil
		}
	}
	return waiting[0], nil
}

// sweep evaluates one segment for everyone who may have to enter or leave or be given a deadline. It ends early, without an error,
// if the segment is edited meanwhile.
func (s *Service) sweep(ctx context.Context, ref Ref) error {
	v, c, err := s.waiting(ctx, ref)
	if err != nil || c == nil {
		return err
	}
	todo, target, err := s.suspects(ctx, ref.Workspace, v, c)
	if err != nil {
		return err
	}
	total, done := todo.GetCardinality(), uint64(0)
	cause := ByEdit
	if c.Status != Active {
		cause = ByManual
	}
	superseded := false
	step := func(people []uint64, finish bool) error {
		return s.change(ctx, ref.Workspace, func(w *workspace, v *view) (*view, error) {
			now := v.segments[ref.Segment]
			if superseded = now == nil || now.State != Evaluating || now.RuleVersion != c.RuleVersion || now.Status != c.Status; superseded {
				return nil, nil
			}
			g := now.Segment
			g.Progress = Progress{Done: done + uint64(len(people)), Total: total}
			w.targets[ref.Segment] = target
			if finish {
				g.State, g.EvaluatedAt = Ready, s.c.Clock.Now()
			}
			p := pass{people: people, scope: v.affected(ref.Segment), why: always(cause), save: now.withSegment(g)}
			if g.Status != Active {
				p.scope = []*compiled{now}
			}
			p.root = func(c *compiled, _ uint64) bool { return c.ID == ref.Segment }
			next, err := s.apply(ctx, w, v, p)
			if err == nil && finish {
				delete(w.targets, ref.Segment)
			}
			return next, err
		})
	}
	// The empty first step makes total and target known before the first batch is read.
	if err := step(nil, false); err != nil || superseded {
		return err
	}
	for people := range batches(todo, sweepBatch) {
		if err := step(people, false); err != nil || superseded {
			return err
		}
		done += uint64(len(people))
	}
	return step(nil, true)
}

// waiting returns the segment with the latest view, or nil if nothing is to be done any more.
func (s *Service) waiting(ctx context.Context, ref Ref) (v *view, c *compiled, err error) {
	err = s.change(ctx, ref.Workspace, func(_ *workspace, latest *view) (*view, error) {
		v, c = latest, latest.segments[ref.Segment]
		return nil, nil
	})
	switch {
	case err != nil:
		return nil, nil, err
	case c == nil:
		return nil, nil, errs.Invalid("segment.rule.unreadable", "rule", "this version of the product cannot read the rule; write it anew")
	case c.State != Evaluating:
		return v, nil, nil
	}
	return v, c, nil
}

// suspects returns whom a full evaluation has to look at, and who should be a member as the event store sees it. Everyone else is
// where they belong and has no deadline.
func (s *Service) suspects(ctx context.Context, ws string, v *view, c *compiled) (todo, target *roaring64.Bitmap, err error) {
	members, err := v.members(c.ID)
	if err != nil {
		return nil, nil, err
	}
	if c.Status != Active {
		return members, roaring64.New(), nil
	}
	audience, err := c.rule.Audience(ctx, source{s.c.Events, v}, ws, s.c.Clock.Now())
	if err != nil {
		return nil, nil, err
	}
	todo = roaring64.Xor(members, audience.People)
	if c.windowed {
		timed, err := s.timed(ctx, ws, c)
		if err != nil {
			return nil, nil, err
		}
		todo.Or(timed)
	}
	return todo, audience.People, nil
}

// timed returns the people for whom time alone may change the answer some day.
func (s *Service) timed(ctx context.Context, ws string, c *compiled) (*roaring64.Bitmap, error) {
	if c.all || c.rule.TimedTraits() {
		return s.c.Events.Everyone(ctx, ws)
	}
	args := []any{ws}
	for range 2 {
		for _, n := range c.names {
			args = append(args, n)
		}
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(c.names)), ",")
	return s.c.Events.Select(ctx, ws, "SELECT DISTINCT person FROM event WHERE ws = ? AND (name IN ("+marks+") OR type IN ("+marks+"))", args)
}

// fail notes why a full evaluation broke off.
func (s *Service) fail(ctx context.Context, ref Ref, reason string) error {
	return s.change(ctx, ref.Workspace, func(w *workspace, v *view) (*view, error) {
		g, err := s.c.Store.Segment(ctx, ref.Workspace, ref.Segment)
		if err != nil || g.State != Evaluating {
			return nil, err
		}
		g.State, g.Failure = Failed, reason
		err = s.commit(ctx, w, v, func(ctx context.Context) error { return s.c.Store.UpdateSegment(ctx, ref.Workspace, g) })
		if err != nil {
			return nil, err
		}
		delete(w.targets, ref.Segment)
		if c := v.segments[ref.Segment]; c != nil {
			return v.withSegment(c.withSegment(g)), nil
		}
		n := *v
		n.revision++
		return &n, nil
	})
}

// batches yields the numbers in a bitmap, at most size at a time.
func batches(b *roaring64.Bitmap, size int) iter.Seq[[]uint64] {
	return func(yield func([]uint64) bool) {
		it := b.ManyIterator()
		for {
			buf := make([]uint64, size)
			n := it.NextMany(buf)
			if n == 0 || !yield(buf[:n]) {
				return
			}
		}
	}
}
