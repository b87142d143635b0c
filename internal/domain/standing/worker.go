package standing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const (
	// poll bounds how late a jump of the clock is noticed. It is real time: clocks of tests and demonstrations jump.
	poll = time.Second
	// batch is how many people are judged in one transaction.
	batch = 200
	// roundHour is when the daily round begins in the workspace's zone: after the day's orders, before anybody is at work.
	roundHour = 3
)

func (s *Service) run(ctx context.Context) {
	s.pulse.Follow(ctx, s.Tick, func(err error) { s.c.Log.Error("how people stand could not be judged", "err", err) })
}

// Tick judges a batch of the people whose time has come, and takes the rounds that are due a step on. It reports whether there is more to
// do at once.
func (s *Service) Tick(ctx context.Context) (more bool, err error) {
	if more, err = s.due(ctx); err != nil {
		return false, err
	}
	all, err := s.c.Workspaces(ctx)
	if err != nil {
		return false, err
	}
	var failed []error
	for _, ws := range all {
		again, err := s.round(ctx, ws)
		if err != nil {
			failed = append(failed, fmt.Errorf("round of %s: %w", ws, err))
		}
		more = more || again
	}
	return more, errors.Join(failed...)
}

// due judges people whose time has come.
func (s *Service) due(ctx context.Context) (more bool, err error) {
	found, err := s.c.Store.Due(ctx, s.c.Clock.Now(), batch)
	if err != nil {
		return false, err
	}
	byWorkspace := map[string][]string{}
	for _, r := range found {
		byWorkspace[r.Workspace] = append(byWorkspace[r.Workspace], r.Person)
	}
	for ws, ids := range byWorkspace {
		if _, err := s.settleNow(ctx, ws, ids, nil); err != nil {
			return false, err
		}
	}
	return len(found) == batch, nil
}

// settleNow is settle for people whom the loop found, while events come in that may say who somebody is, or that they are somebody else: they are read where
// they are written. Who is gone or was merged away meanwhile is forgotten. It returns who was astray.
func (s *Service) settleNow(ctx context.Context, ws string, ids []string, round *Round) (astray []string, err error) {
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		people, err := s.c.People.ByIDs(ctx, ws, ids)
		if err != nil {
			return err
		}
		var here []person.Person
		for _, id := range ids {
			if p, ok := people[id]; ok && p.ID == id {
				here = append(here, p)
			} else if err := s.c.Store.Remove(ctx, ws, id); err != nil {
				return err
			}
		}
		astray, err = s.settle(ctx, ws, here, round)
		return err
	})
	return astray, err
}

// round takes a workspace's round one step on if it is due.
func (s *Service) round(ctx context.Context, ws string) (more bool, err error) {
	now := s.c.Clock.Now()
	st, err := s.c.Store.State(ctx, ws)
	if err != nil || now.Before(st.Round.Due) {
		return false, err
	}
	r := st.Round
	judged := r.Done
	switch r.Phase {
	case "":
		r = Round{Due: r.Due, Phase: Judging, Began: now, Ended: r.Ended, Fewer: r.Fewer}
		return true, s.note(ctx, ws, st.Round, r, st.Thresholds)
	case Judging:
		err = s.judgeSome(ctx, ws, &r)
	case Scoring:
		if r.After == "" {
			if st.Thresholds, err = s.thresholds(ctx, ws, now); err != nil {
				return false, err
			}
			if err := s.note(ctx, ws, st.Round, r, st.Thresholds); err != nil {
				return false, err
			}
		}
		err = s.scoreSome(ctx, ws, &r, st)
	}
	if err != nil {
		return false, err
	}
	if r.Phase == "" {
		zone, err := s.c.Zone(ctx, ws)
		if err != nil {
			return false, err
		}
		r.Due, r.Ended, r.Fewer = nextRound(now, judged, zone), now, false
	}
	return r.Phase != "", s.note(ctx, ws, st.Round, r, st.Thresholds)
}

// note notes a step of a round. Another scheme or an operator may have made a round due anew since it was read: that one stays, and judges those again whom this
// step has judged.
func (s *Service) note(ctx context.Context, ws string, was, now Round, t Thresholds) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		st, err := s.c.Store.State(ctx, ws)
		if err != nil || st.Round.Phase != was.Phase || !st.Round.Due.Equal(was.Due) {
			return err
		}
		return s.c.Store.PutRound(ctx, ws, now, t)
	})
}

// nextRound is the next roundHour in the zone, and sooner with few people: the thresholds of a young installation move fast, and its rounds cost
// nothing. A round of many is a minute's work and more, whether they buy or not.
func nextRound(now time.Time, people int, zone *time.Location) time.Time {
	l := now.In(zone)
	next := time.Date(l.Year(), l.Month(), l.Day(), roundHour, 0, 0, 0, zone)
	if !next.After(now) {
		next = time.Date(l.Year(), l.Month(), l.Day()+1, roundHour, 0, 0, 0, zone)
	}
	if soon := now.Add(max(time.Minute, time.Duration(people)*time.Second/10)); soon.Before(next) {
		return soon
	}
	return next.UTC()
}

// judgeSome judges the next people by their histories.
func (s *Service) judgeSome(ctx context.Context, ws string, r *Round) error {
	found, err := s.c.People.List(ctx, ws, page.Request{Limit: batch, Cursor: r.After})
	if err != nil {
		return err
	}
	ids := make([]string, len(found.Items))
	for i, p := range found.Items {
		ids[i] = p.ID
	}
	astray, err := s.settleNow(ctx, ws, ids, r)
	if err != nil {
		return err
	}
	if len(astray) > 0 {
		s.mended.Add(int64(len(astray)))
		s.c.Log.WarnContext(ctx, "people did not stand as what they did says, which nobody had noticed; it is mended", "workspace", ws, "count", len(astray), "people", astray[:min(len(astray), 10)])
	}
	r.Done, r.Mended = r.Done+len(found.Items), r.Mended+len(astray)
	if r.After = found.Next; r.After == "" {
		r.Phase = Scoring
	}
	return nil
}

// scoreSome gives the next rows their scores by the thresholds of this round. Who is only known to be due has none yet. Rows are read where they are
// written: who orders meanwhile is judged by what they did.
func (s *Service) scoreSome(ctx context.Context, ws string, r *Round, st State) error {
	now := s.c.Clock.Now()
	var last string
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		rows, err := s.c.Store.After(ctx, ws, r.After, batch)
		if err != nil {
			return err
		}
		last = ""
		changes := make([]change, 0, len(rows))
		for _, row := range rows {
			last = row.Person
			if row.Stage == "" {
				continue
			}
			c := change{before: row, now: row}
			c.now.score(st.Scheme, st.Thresholds, now)
			changes = append(changes, c)
		}
		return s.write(ctx, changes, true)
	})
	if err != nil {
		return err
	}
	if r.After = last; last == "" {
		r.Phase, r.Done = "", 0
	}
	return nil
}

// thresholds cuts everybody who has bought into fifths.
func (s *Service) thresholds(ctx context.Context, ws string, now time.Time) (Thresholds, error) {
	var days, orders []int64
	spent := map[string][]int64{}
	var usual []time.Duration
	for after := ""; ; {
		rows, err := s.c.Store.After(ctx, ws, after, 1000)
		if err != nil {
			return Thresholds{}, err
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			if r.LastOrder.IsZero() {
				continue
			}
			days = append(days, int64(now.Sub(r.LastOrder)/day))
			orders = append(orders, int64(r.Orders))
			spent[r.Currency] = append(spent[r.Currency], r.Spent)
			if r.Gap > 0 {
				usual = append(usual, r.Gap)
			}
		}
		after = rows[len(rows)-1].Person
	}
	t := Thresholds{Gap: median(usual), N: len(days), At: now}
	slices.Sort(days)
	slices.Sort(orders)
	t.Days, t.Fixed.Orders, t.Spent = quintiles(days), quintiles(orders), map[string]Cuts{}
	for cur, all := range spent {
		slices.Sort(all)
		t.Spent[cur] = quintiles(all)
	}
	return t, nil
}
