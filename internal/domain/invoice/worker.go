package invoice

import (
	"context"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

const (
	// poll bounds how late a jump of the clock is noticed. It is real time: clocks of tests and demonstrations jump.
	poll  = time.Second
	batch = 200
)

// run notices what falls due until ctx ends.
func (s *Service) run(ctx context.Context) {
	s.pulse.Follow(ctx, func(ctx context.Context) (bool, error) {
		looked, err := s.Tick(ctx)
		return looked == batch, err
	}, func(err error) { s.c.Log.Error("invoices could not be looked at", "error", err) })
}

// Tick looks at one batch of the invoices whose time has come and returns how many. Calling it beside the loop is harmless.
func (s *Service) Tick(ctx context.Context) (int, error) {
	now := s.c.Clock.Now()
	found, err := s.c.Store.Due(ctx, now, batch)
	if err != nil {
		return 0, err
	}
	for _, d := range found {
		err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
			i, err := s.c.Store.ByNumber(ctx, d.Workspace, d.Number)
			if err != nil {
				return err
			}
			if i.Next.IsZero() || i.Next.After(now) {
				return nil // somebody else has looked
			}
			if err := s.advance(ctx, d.Workspace, &i, now); err != nil {
				return err
			}
			i.UpdatedAt = now
			return s.put(ctx, d.Workspace, &i)
		})
		if err != nil && !errs.Is(err, errs.KindConflict) {
			return 0, fmt.Errorf("look at invoice %s: %w", d.Number, err)
		}
	}
	return len(found), nil
}

// advance decides what has fallen due and says so on the log, inside the caller's transaction.
func (s *Service) advance(ctx context.Context, ws string, i *Invoice, now time.Time) error {
	plan, err := s.Plan(ctx, ws)
	if err != nil {
		return err
	}
	zone, err := s.c.Zone(ctx, ws)
	if err != nil {
		return err
	}
	d := i.look(plan, zone, now)
	if d.overdue {
		if err := s.emit(ctx, ws, BecameOverdue, fmt.Sprintf("invoice:%s:%d:overdue", i.ID, i.Rev), *i, now, properties(*i)); err != nil {
			return err
		}
	}
	if r := d.reminder; r != nil {
		p := properties(*i)
		p["step"], p["day"], p["reminder_id"] = r.Step, r.Day, fmt.Sprintf("%s:%s:%d", i.Number, i.DueOn, r.Day)
		return s.emit(ctx, ws, ReminderDue, fmt.Sprintf("invoice:%s:%d:reminder", i.ID, i.Rev), *i, now, p)
	}
	return nil
}
