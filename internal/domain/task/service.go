package task

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Config is what a Service needs.
type Config struct {
	Store   Store
	Tx      tx.Runner
	Clock   clock.Clock
	Emitter event.Emitter
	// Member reports whether a user belongs to the staff of a workspace.
	Member func(ctx context.Context, ws, user string) (bool, error)
}

// Service makes and ends tasks.
type Service struct{ c Config }

// New returns a Service.
func New(c Config) *Service { return &Service{c} }

// Create makes a task, once for its key, and joins the caller's transaction. Whoever is to do it must belong to the staff; if a journey
// names somebody who has left, the task is for anybody of its role, because its customer cannot wait until the journey names another.
func (s *Service) Create(ctx context.Context, ws, key string, d Draft, from Origin) (Task, error) {
	d.Title = strings.TrimSpace(d.Title)
	if err := d.validate(); err != nil {
		return Task{}, err
	}
	now := s.c.Clock.Now()
	t := Task{ID: id.New("tsk"), Workspace: ws, Key: key, Draft: d, Origin: from, Status: Open, Rev: 1, CreatedAt: now, UpdatedAt: now}
	if t.Key == "" {
		t.Key = t.ID
	}
	return t, s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		err := s.assignable(ctx, ws, t.Assignee)
		if errs.Is(err, errs.KindInvalid) && from.Journey != "" {
			t.Assignee, err = "", nil
		}
		if err != nil {
			return err
		}
		made, fresh, err := s.c.Store.Create(ctx, t)
		if err != nil {
			return err
		}
		if t = made; !fresh {
			return nil
		}
		return s.tell(ctx, t, event.TaskCreated)
	})
}

// Get returns a task.
func (s *Service) Get(ctx context.Context, ws, id string) (Task, error) {
	return s.c.Store.Get(ctx, ws, id)
}

// List lists tasks, latest made first.
func (s *Service) List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Task], error) {
	return s.c.Store.List(ctx, ws, f, p)
}

// Edit changes what is said about an open task. rev is the Rev that the editor saw, 0 to overwrite whatever is there.
func (s *Service) Edit(ctx context.Context, ws, id string, rev int64, change func(d *Draft)) (Task, error) {
	return s.change(ctx, ws, id, "", func(ctx context.Context, t *Task) error {
		if rev != 0 && rev != t.Rev {
			return errs.Conflict("task.changed", "someone else has changed this task; load it again and repeat the change")
		}
		if t.Status != Open {
			return ended(*t)
		}
		change(&t.Draft)
		t.Title = strings.TrimSpace(t.Title)
		if err := t.validate(); err != nil {
			return err
		}
		return s.assignable(ctx, ws, t.Assignee)
	})
}

// assignable refuses somebody who does not belong to the staff.
func (s *Service) assignable(ctx context.Context, ws, user string) error {
	if user == "" {
		return nil
	}
	ok, err := s.c.Member(ctx, ws, user)
	if err == nil && !ok {
		err = errs.Invalid("task.assignee", "assignee", "%q does not belong to the team; choose one of GET /api/v1/staff, or leave it to anybody of a role", user)
	}
	return err
}

// MemberLeft gives the open tasks of somebody who has left the staff to anybody of their role. It joins the caller's transaction.
func (s *Service) MemberLeft(ctx context.Context, ws, user string) error {
	return s.c.Store.Release(ctx, ws, user, s.c.Clock.Now())
}

// Complete ends a task that was done. Doing so again changes nothing.
func (s *Service) Complete(ctx context.Context, ws, id, outcome string) (Task, error) {
	return s.end(ctx, ws, id, Done, outcome, event.TaskCompleted)
}

// Cancel ends a task that is not to be done. Doing so again changes nothing.
func (s *Service) Cancel(ctx context.Context, ws, id, outcome string) (Task, error) {
	return s.end(ctx, ws, id, Cancelled, outcome, event.TaskCancelled)
}

// Reopen takes back that a task was ended. One that a journey has asked for cannot be: whoever waited for it has gone on.
func (s *Service) Reopen(ctx context.Context, ws, id string) (Task, error) {
	return s.change(ctx, ws, id, "", func(_ context.Context, t *Task) error {
		if t.Status == Open {
			return errSame
		}
		if t.Origin.Journey != "" {
			return errs.Conflict("task.journey", "a journey has gone on because of this task; make a new one")
		}
		t.Status, t.Outcome, t.EndedAt = Open, "", time.Time{}
		return nil
	})
}

// Assign says who is to do an open task; empty: anybody of its role.
func (s *Service) Assign(ctx context.Context, ws, id, assignee string) (Task, error) {
	return s.Edit(ctx, ws, id, 0, func(d *Draft) { d.Assignee = assignee })
}

func (s *Service) end(ctx context.Context, ws, id string, as Status, outcome, name string) (Task, error) {
	if len(outcome) > maxNote {
		return Task{}, errs.Invalid("task.outcome", "outcome", "the outcome has more than %d bytes; shorten it", maxNote)
	}
	return s.change(ctx, ws, id, name, func(_ context.Context, t *Task) error {
		switch t.Status {
		case as:
			return errSame
		case Open:
			t.Status, t.Outcome, t.EndedAt = as, outcome, s.c.Clock.Now()
			return nil
		}
		return ended(*t)
	})
}

func ended(t Task) error {
	return errs.Conflict("task.ended", "this task is %s; make a new one", t.Status)
}

// errSame says that a change changes nothing.
var errSame = errs.Conflict("task.same", "nothing to change")

func (s *Service) change(ctx context.Context, ws, id, name string, do func(ctx context.Context, t *Task) error) (Task, error) {
	var t Task
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if t, err = s.c.Store.Get(ctx, ws, id); err != nil {
			return err
		}
		if err := do(ctx, &t); err != nil {
			if err == error(errSame) {
				return nil
			}
			return err
		}
		t.UpdatedAt = s.c.Clock.Now()
		if err := s.c.Store.Update(ctx, t); err != nil {
			return err
		}
		t.Rev++
		if name == "" {
			return nil
		}
		return s.tell(ctx, t, name)
	})
	return t, err
}

// tell writes the event of a task about a customer; one about nobody has no history to stand in.
func (s *Service) tell(ctx context.Context, t Task, name string) error {
	if t.Person == "" {
		return nil
	}
	raw, err := json.Marshal(map[string]any{
		"task_id": t.ID, "key": t.Key, "title": t.Title, "assignee": t.Assignee, "role": t.Role, "status": t.Status, "outcome": t.Outcome,
		"journey_id": t.Origin.Journey, "instance_id": t.Origin.Round, "node": t.Origin.Node,
	})
	if err != nil {
		return err
	}
	now := s.c.Clock.Now()
	return s.c.Emitter.Emit(ctx, event.Event{
		Workspace: t.Workspace, MessageID: fmt.Sprintf("task:%s:%s:%d", t.ID, t.Status, t.Rev), Type: event.Task, Name: name, PersonID: t.Person,
		Time: now, Received: now, Origin: event.Internal, Properties: raw,
	})
}

// PeopleMerged gives the loser's tasks to the winner. It joins the caller's transaction.
func (s *Service) PeopleMerged(ctx context.Context, ws, loser, winner string) error {
	return s.c.Store.TakeOver(ctx, ws, loser, winner)
}
