package node

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// CreateTask asks a person of staff to do something for the customer, and waits until it is done if told to.
var CreateTask = Spec{
	Kind: "create_task", Title: "Create a task", Outputs: []string{"next", "done", "cancelled", "timeout"}, Pauses: true, Quick: true,
	Config: func() any { return &CreateTaskConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*CreateTaskConfig)
		n := createTask{c: *c}
		var bad error
		fail := func(err error) {
			if bad == nil {
				bad = err
			}
		}
		if c.Title == "" {
			fail(errs.Invalid("journey.create_task.title", "title", "say what is to be done"))
		}
		words := &texts{fail: fail}
		n.title = words.parse("title", c.Title, liquid.Subject)
		n.note = words.parse("note", c.Note, liquid.Text)
		n.texts = words.all
		if c.Due != nil {
			if err := c.Due.Check("due"); err != nil {
				fail(err)
			}
		}
		if c.Wait != nil {
			if err := c.Wait.Check("wait"); err != nil {
				fail(err)
			}
		}
		return n, bad
	},
}

// CreateTaskConfig configures CreateTask.
type CreateTaskConfig struct {
	Title    string `json:"title" doc:"What is to be done; a template that may name person.*, event.* and answers.*"`
	Note     string `json:"note,omitempty" doc:"More about it; a template"`
	Assignee string `json:"assignee,omitempty" doc:"User of staff who is to do it; anybody of the role if empty"`
	Role     string `json:"role,omitempty" doc:"Role whose people may take it; anybody if empty"`
	Due      *Span  `json:"due,omitempty" doc:"By when, counted from now"`
	Wait     *Span  `json:"wait,omitempty" doc:"Hold the person until the task is done or cancelled, at most this long; without it the person goes on at once by next"`
}

const maxTaskTitle, maxTaskNote = 200, 4000

// Task asks for a task for staff.
type Task struct {
	Title    string    `json:"title"`
	Note     string    `json:"note,omitempty"`
	Assignee string    `json:"assignee,omitempty"`
	Role     string    `json:"role,omitempty"`
	Due      time.Time `json:"due,omitzero"`
}

type createTask struct {
	c           CreateTaskConfig
	title, note *liquid.Template
	texts       []Text
}

// taskEnds recognises the end of any task; which one it is, the step knows.
var taskEnds = &Matcher{names: []string{event.TaskCompleted, event.TaskCancelled}, about: map[string]any{}, test: func(e event.Kept) bool { return e.Type == event.Task }}

// Outputs implements Leaves.
func (n createTask) Outputs() []string {
	if n.c.Wait == nil {
		return []string{"next"}
	}
	return []string{"done", "cancelled", "timeout"}
}

// Role is the role whose people may take the task, empty for anybody.
func (n createTask) Role() string { return n.c.Role }

// Texts implements Worded.
func (n createTask) Texts() []Text { return n.texts }

func (n createTask) Needs() Needs {
	out := Needs{Effects: true, Subject: true}
	if n.c.Wait != nil {
		out.Names = taskEnds.names
	}
	if n.c.Assignee != "" {
		out.Members = []string{n.c.Assignee}
	}
	return out
}

func (n createTask) Listens() []*Matcher {
	if n.c.Wait == nil {
		return nil
	}
	return []*Matcher{taskEnds}
}

func (n createTask) Step(s State, in Input, now time.Time) Result {
	if len(s.Data) == 0 {
		return n.ask(s, in, now)
	}
	due := s.Arrived.Add(n.c.Wait.Duration())
	events := in.Subject.Events
	if in.Event != nil {
		events = append(events[:len(events):len(events)], *in.Event)
	}
	for _, e := range events {
		var p struct {
			Key     string `json:"key"`
			Outcome string `json:"outcome"`
		}
		if !taskEnds.Match(e) || e.Time.After(now) || e.Time.After(due) || json.Unmarshal(e.Properties, &p) != nil || p.Key != s.Key {
			continue
		}
		r := Result{Output: "done", Reason: Because("task_done")}
		if e.Name == event.TaskCancelled {
			r = Result{Output: "cancelled", Reason: Because("task_cancelled")}
		}
		if raw, err := json.Marshal(map[string]string{"outcome": p.Outcome}); err == nil {
			r.Answer = &Answer{OK: r.Output == "done", Body: raw}
		}
		return r
	}
	if now.Before(due) {
		return Result{Due: due, Data: s.Data, Reason: Because("waits_task")}
	}
	return Result{Output: "timeout", Reason: Because("task_late", "span", *n.c.Wait)}
}

func (n createTask) ask(s State, in Input, now time.Time) Result {
	person := map[string]any{}
	maps.Copy(person, in.Subject.Traits)
	person["id"] = in.Subject.ID
	r := &rendering{vars: scope(s), env: liquid.Env{Now: now, Zone: in.Home}}
	r.vars["person"] = person
	t := &Task{Title: short(r.text(n.title), maxTaskTitle), Note: short(r.text(n.note), maxTaskNote), Assignee: n.c.Assignee, Role: n.c.Role}
	if t.Title == "" {
		t.Title = "Task"
	}
	if n.c.Due != nil {
		t.Due = now.Add(n.c.Due.Duration())
	}
	if r.err != nil {
		return Result{Failed: Because("task_unwordable", "text", r.err.Error())}
	}
	out := Result{Output: "next", Reason: Because("task_made"), Effects: []Effect{{Task: t}}}
	if n.c.Wait != nil {
		out.Output, out.Due, out.Data, out.Reason = "", later(s.Arrived.Add(n.c.Wait.Duration()), now), asked, Because("waits_task")
	}
	return out
}

// short cuts a text to at most n characters.
func short(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n])
	}
	return text
}
