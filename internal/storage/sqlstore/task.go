package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/task"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Task implements task.Store.
type Task struct{ db *sqldb.DB }

// NewTask returns the store of tasks on db.
func NewTask(db *sqldb.DB) *Task { return &Task{db} }

var _ task.Store = (*Task)(nil)

const todoColumns = `id, workspace_id, task_key, title, note, person_id, assignee, role, due_at, origin, status, outcome, rev, created_at, updated_at, ended_at`

func scanTodo(r sqldb.Row) (t task.Task, err error) {
	var origin string
	if err = r.Scan(&t.ID, &t.Workspace, &t.Key, &t.Title, &t.Note, &t.Person, &t.Assignee, &t.Role, &t.Due, &origin, (*string)(&t.Status), &t.Outcome,
		&t.Rev, &t.CreatedAt, &t.UpdatedAt, &t.EndedAt); err != nil {
		return t, err
	}
	return t, json.Unmarshal([]byte(origin), &t.Origin)
}

// Create adds a task.
func (s *Task) Create(ctx context.Context, t task.Task) (task.Task, bool, error) {
	origin, err := json.Marshal(t.Origin)
	if err != nil {
		return t, false, err
	}
	n, err := s.db.Exec(ctx, `INSERT INTO task (`+todoColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (workspace_id, task_key) DO NOTHING`,
		t.ID, t.Workspace, t.Key, t.Title, t.Note, t.Person, t.Assignee, t.Role, t.Due, string(origin), string(t.Status), t.Outcome, t.Rev, t.CreatedAt, t.UpdatedAt, t.EndedAt)
	if err != nil || n > 0 {
		return t, n > 0, err
	}
	t, err = sqldb.One(ctx, s.db, scanTodo, `SELECT `+todoColumns+` FROM task WHERE workspace_id = $1 AND task_key = $2`, t.Workspace, t.Key)
	return t, false, err
}

// Get returns a task.
func (s *Task) Get(ctx context.Context, ws, id string) (task.Task, error) {
	t, err := sqldb.One(ctx, s.db, scanTodo, `SELECT `+todoColumns+` FROM task WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return t, errs.NotFound("task", id)
	}
	return t, err
}

// Update replaces a task.
func (s *Task) Update(ctx context.Context, t task.Task) error {
	n, err := s.db.Exec(ctx, `UPDATE task SET title = $4, note = $5, person_id = $6, assignee = $7, role = $8, due_at = $9, status = $10, outcome = $11, rev = rev + 1,
			updated_at = $12, ended_at = $13 WHERE workspace_id = $1 AND id = $2 AND rev = $3`,
		t.Workspace, t.ID, t.Rev, t.Title, t.Note, t.Person, t.Assignee, t.Role, t.Due, string(t.Status), t.Outcome, t.UpdatedAt, t.EndedAt)
	if err == nil && n == 0 {
		return errs.Conflict("task.changed", "the task has changed meanwhile; load it again and repeat the change")
	}
	return err
}

// List returns tasks.
func (s *Task) List(ctx context.Context, ws string, f task.Filter, p page.Request) (page.Of[task.Task], error) {
	before := "~"
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[task.Task]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanTodo, `SELECT `+todoColumns+` FROM task
		WHERE workspace_id = $1 AND id < $2 AND ($3 = '' OR status = $3) AND ($4 = '' OR assignee = $4) AND ($5 = '' OR role = $5) AND ($6 = '' OR person_id = $6)
		AND lower(title) LIKE $8 ESCAPE '\' ORDER BY id DESC LIMIT $7`, ws, before, string(f.Status), f.Assignee, f.Role, f.Person, p.Size()+1, contains(f.Text))
	return page.Cut(items, p.Size(), func(t task.Task) string { return page.Encode(t.ID) }), err
}

// TakeOver gives tasks to another person.
func (s *Task) TakeOver(ctx context.Context, ws, loser, winner string) error {
	_, err := s.db.Exec(ctx, `UPDATE task SET person_id = $3, rev = rev + 1 WHERE workspace_id = $1 AND person_id = $2`, ws, loser, winner)
	return err
}

// Release takes the assignee off open tasks.
func (s *Task) Release(ctx context.Context, ws, assignee string, now time.Time) error {
	_, err := s.db.Exec(ctx, `UPDATE task SET assignee = '', rev = rev + 1, updated_at = $3 WHERE workspace_id = $1 AND assignee = $2 AND status = 'open'`, ws, assignee, now)
	return err
}
