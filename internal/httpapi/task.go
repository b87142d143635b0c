package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/task"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// TaskDraft is what is said about a task.
type TaskDraft struct {
	Title    string     `json:"title" maxLength:"200" doc:"what is to be done"`
	Note     string     `json:"note,omitempty" maxLength:"4000"`
	Person   string     `json:"person_id,omitempty" doc:"customer it is about"`
	Assignee string     `json:"assignee,omitempty" doc:"user of staff who is to do it; anybody of the role if empty"`
	Role     string     `json:"role,omitempty" doc:"role whose people may take it; anybody if empty"`
	Due      *time.Time `json:"due_at,omitempty"`
}

// Task is something that a person of staff is asked to do.
type Task struct {
	ID string `json:"id"`
	TaskDraft
	Status    string     `json:"status" enum:"open,done,cancelled"`
	Outcome   string     `json:"outcome,omitempty" doc:"what came of it"`
	Journey   string     `json:"journey_id,omitempty" doc:"journey that asked for it"`
	Round     string     `json:"round_id,omitempty"`
	Node      string     `json:"node,omitempty"`
	Revision  int64      `json:"revision" doc:"send it back with an edit"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
}

func taskShape(t task.Task) Task {
	return Task{
		ID: t.ID, TaskDraft: TaskDraft{Title: t.Title, Note: t.Note, Person: t.Person, Assignee: t.Assignee, Role: t.Role, Due: moment(t.Due)},
		Status: string(t.Status), Outcome: t.Outcome, Journey: t.Origin.Journey, Round: t.Origin.Round, Node: t.Origin.Node,
		Revision: t.Rev, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, EndedAt: moment(t.EndedAt),
	}
}

func (d TaskDraft) draft() task.Draft {
	out := task.Draft{Title: d.Title, Note: d.Note, Person: d.Person, Assignee: d.Assignee, Role: d.Role}
	if d.Due != nil {
		out.Due = d.Due.UTC()
	}
	return out
}

func (a *api) taskRoutes() {
	s := a.c.Tasks
	write := func(ctx context.Context, action string, do func(ctx context.Context) (task.Task, error)) (*body[Task], error) {
		t, err := changed(ctx, a, action, "task", func(t task.Task) string { return t.ID }, do)
		if err != nil {
			return nil, err
		}
		return answer(taskShape(t)), nil
	}
	// known makes sure that a task is about somebody of this workspace, under the id that merges lead to, and for a role that there is.
	known := func(ctx context.Context, d *TaskDraft) error {
		if d.Role != "" && staff.Role(d.Role).Validate() != nil {
			return errs.Invalid("task.role", "role", "there is no role %q, so nobody could take the task; choose one of %v", d.Role, staff.Roles())
		}
		if d.Person == "" {
			return nil
		}
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), d.Person)
		d.Person = p.ID
		return namedBy(err, "person_id")
	}
	type filtered struct {
		Paging
		Q        string `query:"q" maxLength:"200" doc:"part of the title"`
		Status   string `query:"status" enum:"open,done,cancelled"`
		Assignee string `query:"assignee"`
		Role     string `query:"role"`
		Person   string `query:"person"`
	}
	route(a, http.MethodGet, "/tasks", "task-list", "Tasks for staff, latest made first", staff.PeopleRead, func(ctx context.Context, in *filtered) (*body[List[Task]], error) {
		if in.Person != "" {
			if err := a.saw(ctx, in.Person); err != nil {
				return nil, err
			}
		}
		found, err := s.List(ctx, workspaceOf(ctx), task.Filter{Text: in.Q, Status: task.Status(in.Status), Assignee: in.Assignee, Role: in.Role, Person: in.Person}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, taskShape), nil
	})
	type made struct {
		TaskDraft
		Key string `json:"idempotency_key,omitempty" maxLength:"100" doc:"the same again makes no second task"`
	}
	route(a, http.MethodPost, "/tasks", "task-create", "Make a task", staff.PeopleWrite, func(ctx context.Context, in *in[made]) (*body[Task], error) {
		if err := known(ctx, &in.Body.TaskDraft); err != nil {
			return nil, err
		}
		key := in.Body.Key
		if key != "" {
			key = "api:" + key
		}
		return write(ctx, "create", func(ctx context.Context) (task.Task, error) {
			return s.Create(ctx, workspaceOf(ctx), key, in.Body.draft(), task.Origin{})
		})
	}, created)
	route(a, http.MethodGet, "/tasks/{id}", "task-get", "One task", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[Task], error) {
		t, err := s.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		if t.Person != "" {
			if err := a.saw(ctx, t.Person); err != nil {
				return nil, err
			}
		}
		return answer(taskShape(t)), nil
	})
	type edit struct {
		TaskDraft
		Revision int64 `json:"revision" doc:"that was seen; 0 overwrites whatever is there"`
	}
	route(a, http.MethodPut, "/tasks/{id}", "task-update", "Change an open task: words, date, who is to do it", staff.PeopleWrite, func(ctx context.Context, in *inAt[edit]) (*body[Task], error) {
		if err := known(ctx, &in.Body.TaskDraft); err != nil {
			return nil, err
		}
		return write(ctx, "update", func(ctx context.Context) (task.Task, error) {
			return s.Edit(ctx, workspaceOf(ctx), in.ID, in.Body.Revision, func(d *task.Draft) { *d = in.Body.draft() })
		})
	})
	type outcome struct {
		Outcome string `json:"outcome,omitempty" maxLength:"4000" doc:"what came of it; a journey that waits for the task can name it"`
	}
	end := func(verb, summary string, do func(ctx context.Context, ws, id, outcome string) (task.Task, error)) {
		route(a, http.MethodPost, "/tasks/{id}/"+verb, "task-"+verb, summary, staff.PeopleWrite, func(ctx context.Context, in *inAt[outcome]) (*body[Task], error) {
			return write(ctx, verb, func(ctx context.Context) (task.Task, error) { return do(ctx, workspaceOf(ctx), in.ID, in.Body.Outcome) })
		})
	}
	type assigned struct {
		Assignee string `json:"assignee" doc:"user of staff who is to do it; empty: anybody of its role"`
	}
	route(a, http.MethodPost, "/tasks/{id}/assign", "task-assign", "Say who is to do an open task", staff.PeopleWrite, func(ctx context.Context, in *inAt[assigned]) (*body[Task], error) {
		return write(ctx, "assign", func(ctx context.Context) (task.Task, error) {
			return s.Assign(ctx, workspaceOf(ctx), in.ID, in.Body.Assignee)
		})
	})
	route(a, http.MethodPost, "/tasks/{id}/reopen", "task-reopen", "Take back that a task was ended", staff.PeopleWrite, func(ctx context.Context, in *IDPath) (*body[Task], error) {
		return write(ctx, "reopen", func(ctx context.Context) (task.Task, error) { return s.Reopen(ctx, workspaceOf(ctx), in.ID) })
	})
	end("complete", "The task is done", s.Complete)
	end("cancel", "The task is not to be done", s.Cancel)
}
