package task

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Filter narrows a list of tasks; empty fields do not.
type Filter struct {
	Text     string // part of the title
	Status   Status
	Assignee string
	Role     string
	Person   string
}

// Store keeps tasks. Every method takes part in the transaction of its context.
type Store interface {
	// Create adds a task and returns it; if the workspace has one with its key, that one and false.
	Create(ctx context.Context, t Task) (Task, bool, error)
	// Get returns a task or errs.NotFound.
	Get(ctx context.Context, ws, id string) (Task, error)
	// Update replaces the task whose Rev is t.Rev and raises Rev by one; errs.Conflict "task.changed" if Rev has moved on.
	Update(ctx context.Context, t Task) error
	// List returns tasks, latest made first.
	List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Task], error)
	// TakeOver gives the loser's tasks to the winner.
	TakeOver(ctx context.Context, ws, loser, winner string) error
	// Release takes the assignee off the open tasks that somebody was to do, and raises their Rev. None is fine.
	Release(ctx context.Context, ws, assignee string, now time.Time) error
}
