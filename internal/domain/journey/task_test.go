package journey_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/task"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const staffed = `{"trigger": {"event": {"name": "Go"}}, "re_entry": {"mode": "always"}, "nodes": [
	{"id": "note", "kind": "create_task", "config": {"title": "Look at {{ event.product }}"}, "next": {"next": "call"}},
	{"id": "call", "kind": "create_task", "config": {"title": "Call {{ person.id }}", "role": "agent", "due": {"n": 4, "unit": "hour"}, "wait": {"n": 1, "unit": "day"}},
		"next": {"done": "what", "cancelled": "no", "timeout": "late"}},
	{"id": "what", "kind": "switch", "config": {"from": "answers.call.body.outcome", "cases": [["bought"]]}, "next": {"a": "mail"}},
	{"id": "mail", "kind": "send", "config": {"template": "tpl_1", "topic": "tpc_1"}},
	{"id": "no", "kind": "exit", "config": {"reason": "cancelled"}},
	{"id": "late", "kind": "exit", "config": {"reason": "late"}}]}`

// returned is a task's last event as it comes back from the log.
func (w *world) returned(t task.Task, name string, n uint64) event.Kept {
	raw, _ := json.Marshal(map[string]any{"key": t.Key, "outcome": t.Outcome})
	e := w.event("task:"+t.ID+string(t.Status), n, name, string(raw))
	e.Type, e.Origin = event.Task, event.Internal
	return e
}

func TestStaffAreAskedAndTheJourneyGoesOnByWhatCameOfIt(t *testing.T) {
	w := newWorld(t)
	w.publish("x", staffed)
	for n, id := range []string{"a", "b", "c"} {
		w.happen(w.event(id, uint64(n+1), "Go", `{"product": "Lamp"}`))
	}
	w.settle()
	find := func(person, title string) task.Task {
		all, err := w.tasks.List(t.Context(), ws, task.Filter{Person: person, Status: task.Open}, page.Request{})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all.Items {
			if x.Title == title {
				return x
			}
		}
		t.Fatalf("%s has no task %q: %+v", person, title, all.Items)
		return task.Task{}
	}
	find("per_1", "Look at Lamp")
	call := find("per_1", "Call per_1")
	want(t, "task", []any{call.Role, call.Due, call.Origin.Node, call.Origin.Round}, []any{"agent", start.Add(4 * time.Hour), "call", w.instance("per_1")})
	w.pass(time.Hour)
	want(t, "waits", w.rounds("per_1"), []string{"active call "})

	other := find("per_2", "Call per_2")
	w.happen(w.returned(other, event.TaskCompleted, 1)) // somebody else's task
	w.settle()
	want(t, "waits for its own", w.rounds("per_1"), []string{"active call "})
	done, err := w.tasks.Complete(t.Context(), ws, call.ID, "bought")
	if err != nil {
		t.Fatal(err)
	}
	w.happen(w.returned(done, event.TaskCompleted, 1))
	w.settle()
	want(t, "done", w.path("per_1"), "note>next call>done what>a mail>next")
	w.clock.Advance(time.Second)
	gone, err := w.tasks.Cancel(t.Context(), ws, other.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	w.happen(w.returned(gone, event.TaskCancelled, 2))
	w.settle()
	want(t, "cancelled", w.path("per_2"), "note>next call>cancelled no!exit_node")
	w.pass(24 * time.Hour)
	want(t, "late", w.path("per_3"), "note>next call>timeout late!exit_node")
	want(t, "each made once", w.strings(`SELECT person_id || ' ' || COUNT(*) FROM task GROUP BY person_id ORDER BY 1`), []string{"per_1 2", "per_2 2", "per_3 2"})
	want(t, "events", w.strings(`SELECT name || ' ' || COUNT(*) FROM test_event WHERE name LIKE 'Task%' GROUP BY name ORDER BY name`), []string{"Task Cancelled 1", "Task Completed 1", "Task Created 6"})
}

func TestATaskForSomebodyWhoHasLeftTheTeamIsForAnybodyOfItsRole(t *testing.T) {
	w := newWorld(t)
	w.publish("x", `{"trigger": {"event": {"name": "Go"}}, "nodes": [{"id": "call", "kind": "create_task", "config": {"title": "Call", "assignee": "usr_1", "role": "agent"}}]}`)
	w.happen(w.event("a", 1, "Go", `{}`))
	w.settle()
	w.gone["usr_1"] = true
	w.happen(w.event("b", 2, "Go", `{}`))
	w.settle()
	want(t, "tasks", w.strings(`SELECT person_id || ' ' || assignee || ' ' || role FROM task ORDER BY 1`), []string{"per_1 usr_1 agent", "per_2  agent"})
	want(t, "nobody is held up", w.rounds("per_2"), []string{"done call end"})
}
