package httpapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// change runs a write and its audit entry in one transaction. Staff, keys and sessions write their own entries.
func (a *api) change(ctx context.Context, action, noun, id string, do func(ctx context.Context) error) error {
	return a.c.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := do(ctx); err != nil {
			return err
		}
		return a.audit(ctx, action, noun, id)
	})
}

// changeWith is change with more to say in the audit log.
func (a *api) changeWith(ctx context.Context, action, noun, id string, detail any, do func(ctx context.Context) error) error {
	return a.c.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := do(ctx); err != nil {
			return err
		}
		return a.c.Staff.Audit(ctx, caller(ctx), staff.Act{Action: noun + "." + action, Noun: noun, NounID: id, Detail: detail})
	})
}

// changed is change for a write that returns the thing written, whose id is known only then.
func changed[D any](ctx context.Context, a *api, action, noun string, id func(D) string, do func(ctx context.Context) (D, error)) (D, error) {
	var out D
	err := a.c.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if out, err = do(ctx); err != nil {
			return err
		}
		return a.audit(ctx, action, noun, id(out))
	})
	return out, err
}

// overtaken names in a conflict over something that was changed meanwhile who was faster, as the error's first argument; other errors stay as they are.
func (a *api) overtaken(ctx context.Context, err error, code, noun, id string) error {
	if e, ok := errors.AsType[*errs.Error](err); !ok || e.Code != code {
		return err
	}
	name, failed := a.c.Staff.LastActor(ctx, workspaceOf(ctx), noun, id)
	if failed != nil || name == "" {
		return errors.Join(failed, err)
	}
	return errs.Conflict(code, "%s has saved another version meanwhile; load it and repeat the change, or send its revision to write over it", name)
}

// audit notes an act that has its own transaction: segments and lists keep their members in memory too, and may not be
// rolled back from outside.
func (a *api) audit(ctx context.Context, action, noun, id string) error {
	if action != "view" {
		noteChange(ctx, noun, id)
	}
	return a.c.Staff.Audit(ctx, caller(ctx), staff.Act{Action: noun + "." + action, Noun: noun, NounID: id})
}

// saw notes that the caller looked at a person. Looks at the same person within a minute are one look: a page asks for the
// person, the events and the messages at once, and again while it is open.
func (a *api) saw(ctx context.Context, person string) error {
	l := look{caller(ctx).ID, workspaceOf(ctx), person}
	now := a.c.Clock.Now()
	if a.looks.noted(l, now) {
		return nil
	}
	if err := a.audit(ctx, "view", "person", person); err != nil {
		return err
	}
	a.looks.note(l, now)
	return nil
}

const (
	oneLook  = time.Minute
	maxLooks = 10_000 // remembered at once
)

// look is who looked at whom.
type look struct{ actor, workspace, person string }

// looks remembers the audit entries about looks that were written lately.
type looks struct {
	mu sync.Mutex
	at map[look]time.Time
}

func (s *looks) noted(l look, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.at[l]
	return ok && now.Sub(at).Abs() < oneLook
}

func (s *looks) note(l look, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.at) >= maxLooks {
		clear(s.at) // costs a few entries more, never one less
	}
	s.at[l] = now
}
