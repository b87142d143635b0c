package journey

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

const (
	// poll bounds how late a jump of the clock is noticed. It is real time: clocks of tests and demonstrations jump.
	poll = 500 * time.Millisecond
	// shortest is the least pause of the worker: a transaction for each of a thousand people a second would cost more than a batch of twenty.
	shortest = 20 * time.Millisecond

	firstBackoff = 30 * time.Second
	lastBackoff  = time.Hour
	maxAttempts  = 12 // about five hours of trying before a person is parked
)

// run moves people until ctx ends.
func (s *Service) run(ctx context.Context) {
	for {
		moved, err := s.Tick(ctx)
		if err != nil && ctx.Err() == nil {
			s.c.Log.Error("journeys could not move people", "error", err)
		}
		if moved > 0 && err == nil {
			continue
		}
		if !s.pulse.WaitAtMost(ctx, s.pause(ctx)) {
			return
		}
	}
}

// pause is how long the worker may rest: until somebody is due, but long enough for several to come together, and never longer than a poll.
func (s *Service) pause(ctx context.Context) time.Duration {
	now := s.c.Clock.Now()
	next, err := s.c.Store.NextDue(ctx, now)
	if err != nil || next.IsZero() {
		return poll
	}
	return max(shortest, min(poll, next.Sub(now)))
}

// Tick moves one batch of everybody who is due now, of each journey, and returns how many were handled. The loop that Start begins
// calls it; calling it beside the loop is harmless.
func (s *Service) Tick(ctx context.Context) (int, error) {
	handled := 0
	for _, part := range []func(context.Context) (int, error){s.drain, s.work, s.admitDue} {
		n, err := part(ctx)
		if handled += n; err != nil {
			return handled, err
		}
	}
	now := s.c.Clock.Now()
	places, err := s.c.Store.Due(ctx, now)
	if err != nil {
		return handled, err
	}
	for _, p := range places {
		if ctx.Err() != nil {
			return handled, ctx.Err()
		}
		lease := id.New("lease")
		batch, err := s.c.Store.Claim(ctx, p, now, now.Add(s.c.Lease), lease, s.c.Batch)
		if err != nil {
			return handled, fmt.Errorf("claim people of journey %s: %w", p.Journey, err)
		}
		for _, same := range byVersion(batch) {
			if err := s.move(ctx, lease, same); err != nil {
				return handled, fmt.Errorf("move people of journey %s: %w", p.Journey, err)
			}
			handled += len(same)
		}
	}
	return handled, nil
}

func byVersion(batch []Instance) [][]Instance {
	groups := map[int][]Instance{}
	for _, i := range batch {
		groups[i.Version] = append(groups[i.Version], i)
	}
	var out [][]Instance
	for _, v := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, groups[v])
	}
	return out
}

// move walks instances of one version and stores the outcome. If the batch fails, each is tried alone, so that one bad row holds up nobody
// else; an instance that fails alone is put off or parked. An error is returned only if not even that could be stored.
func (s *Service) move(ctx context.Context, lease string, batch []Instance) error {
	err := s.try(ctx, lease, batch)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(batch) > 1 && !errs.Is(err, errs.KindUnavailable) {
		for _, i := range batch {
			if err := s.move(ctx, lease, []Instance{i}); err != nil {
				return err
			}
		}
		return nil
	}
	return s.putOff(ctx, lease, batch, err)
}

func (s *Service) try(ctx context.Context, lease string, batch []Instance) (err error) {
	first := batch[0]
	traces := map[string]string{}
	for _, i := range batch {
		traces[i.Person] = i.Memory.Trigger.Trace
	}
	ctx, span := trace.For(ctx, "journey step", traces)
	span.Text("kizuna.workspace", first.Workspace)
	span.Text("kizuna.journey", first.Journey)
	span.Count("kizuna.people", len(batch))
	defer func() { span.Done(err) }()
	p, err := s.plan(ctx, planKey{first.Workspace, first.Journey, first.Version})
	if err != nil {
		return err
	}
	subjects, err := s.subjects(ctx, p, batch)
	if err != nil {
		return err
	}
	home, err := s.home(ctx, first.Workspace)
	if err != nil {
		return err
	}
	winners, err := s.winners(ctx, p, Place{first.Workspace, first.Journey})
	if err != nil {
		return err
	}
	ids, people := make([]string, len(batch)), make([]string, len(batch))
	for n, i := range batch {
		ids[n], people[n] = i.ID, i.Person
	}
	var places map[string]*time.Location
	if s.c.Places != nil {
		if places, err = s.c.Places(ctx, first.Workspace, people); err != nil {
			return fmt.Errorf("load people's zones: %w", err)
		}
	}
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		held, err := s.c.Store.Hold(ctx, lease, ids)
		if err != nil {
			return err
		}
		now := s.c.Clock.Now()
		answers, err := s.answers(ctx, p, held)
		if err != nil {
			return err
		}
		walks := make([]Walk, 0, len(held))
		for _, i := range held {
			w, err := s.walk(p, i, node.Input{Subject: subjects[i.Person], Home: cmp.Or(places[i.Person], home), Answer: answers[i.key()], Winners: winners}, now)
			if err != nil {
				return err
			}
			walks = append(walks, w)
		}
		return s.write(ctx, walks)
	})
}

// subjects loads what the plan may ask about the people before they rest again; nil if it asks nothing.
func (s *Service) subjects(ctx context.Context, p *Plan, batch []Instance) (map[string]*rule.Subject, error) {
	var need node.Needs
	var people []string
	names := map[string]bool{}
	for _, i := range batch {
		n := p.Needs(i)
		if !n.Subject {
			continue
		}
		people = append(people, i.Person)
		need.Subject, need.All = true, need.All || n.All
		for _, name := range n.Names {
			names[name] = true
		}
	}
	if !need.Subject {
		return nil, nil
	}
	out, err := s.c.Subjects.Subjects(ctx, batch[0].Workspace, people, slices.Sorted(maps.Keys(names)), need.All)
	if err != nil {
		return nil, fmt.Errorf("load %d people: %w", len(people), err)
	}
	return out, nil
}

// walk runs the plan for one person. A defect in a node becomes an error of that person alone.
func (s *Service) walk(p *Plan, i Instance, in node.Input, now time.Time) (w Walk, err error) {
	if in.Subject == nil && p.Needs(i).Subject {
		return p.Take(i, "gone", node.Because("gone"), now), nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = errs.Invalid("journey.node.defect", at(i.Node, ""), "the step failed by a defect: %v", r)
		}
	}()
	return p.Run(i, in, now, false), nil
}

// failure is why a try failed: the code of package errs if the error has one, which screens may have words for.
func failure(err error) node.Reason {
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Code != "" {
		return node.Because(e.Code, "text", e.Msg, "field", e.Field, "args", node.Named(e.Args))
	}
	return node.Because("failed", "text", err.Error())
}

// permanent reports whether trying again without a change cannot help.
func permanent(err error) bool {
	return errs.Is(err, errs.KindInvalid) || errs.Is(err, errs.KindNotFound) || errs.Is(err, errs.KindForbidden)
}

// putOff notes a failed try: again later, or parked if that cannot help or was done often enough.
func (s *Service) putOff(ctx context.Context, lease string, batch []Instance, cause error) error {
	ids := make([]string, len(batch))
	for n, i := range batch {
		ids[n] = i.ID
	}
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		held, err := s.c.Store.Hold(ctx, lease, ids)
		if err != nil {
			return errors.Join(cause, err)
		}
		walks := make([]Walk, len(held))
		for n, i := range held {
			w := Walk{Instance: i}
			w.Instance.Attempts++
			w.Instance.Error = failure(cause)
			if permanent(cause) || w.Instance.Attempts >= maxAttempts {
				w.park(failure(cause))
				s.c.Log.Error("a person is parked in a journey", "workspace", i.Workspace, "journey", i.Journey, "instance", i.ID, "node", i.Node, "error", cause)
			} else {
				w.Instance.Due = s.c.Clock.Now().Add(min(lastBackoff, firstBackoff<<(w.Instance.Attempts-1)))
				s.c.Log.Warn("a step of a journey is tried again later", "workspace", i.Workspace, "journey", i.Journey, "instance", i.ID,
					"node", i.Node, "attempt", w.Instance.Attempts, "error", cause)
			}
			walks[n] = w
		}
		return s.write(ctx, walks)
	})
}

// drain takes people out of journeys that were ended with everybody leaving, a batch of each at a time.
func (s *Service) drain(ctx context.Context) (int, error) {
	draining, err := s.c.Store.Draining(ctx)
	if err != nil {
		return 0, err
	}
	handled := 0
	for _, j := range draining {
		taken := 0
		err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
			found, err := s.c.Store.SeizeInside(ctx, Place{j.Workspace, j.ID}, s.c.Batch)
			if err != nil {
				return err
			}
			if len(found) == 0 {
				j.Draining, j.UpdatedAt = false, s.c.Clock.Now()
				return s.c.Store.Update(ctx, j)
			}
			walks := make([]Walk, len(found))
			for n, i := range found {
				walks[n] = s.takeOut(ctx, i, "stopped", node.Because("stopped"))
			}
			taken = len(found)
			return s.write(ctx, walks)
		})
		if err == nil {
			handled += taken
		}
		// Someone may have changed the journey meanwhile; the next round sees it.
		if err != nil && !errs.Is(err, errs.KindConflict) {
			return handled, fmt.Errorf("take people out of journey %s: %w", j.ID, err)
		}
	}
	return handled, nil
}
