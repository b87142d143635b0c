package httpapi_test

import (
	"testing"
)

func TestTaskScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{do: "POST /tasks", body: `{"title":" "}`, status: 422, has: `"field":"title"`},
		{do: "POST /tasks", body: `{"title":"x","person_id":"per_none"}`, status: 404},
		{as: "viewer", do: "POST /tasks", body: `{"title":"x"}`, status: 403},
		{do: "POST /tasks", body: `{"title":"Thank aya","person_id":"$aya","role":"agent","due_at":"2027-01-01T09:00:00Z","idempotency_key":"k"}`, status: 201, has: `"status":"open" | "revision":1 | "due_at":"2027-01-01T09:00:00Z"`, keep: "thanks"},
		{do: "POST /tasks", body: `{"title":"Thank aya again","idempotency_key":"k"}`, status: 201, has: `"id":"$thanks" | "title":"Thank aya"`},
		{do: "POST /tasks", body: `{"title":"Thank aya","role":"janitor"}`, status: 422, has: `"code":"task.role" | "field":"role"`},
		{do: "POST /tasks", body: `{"title":"Thank aya","person_id":"nobody"}`, status: 404, has: `"field":"person_id"`},
		{do: "GET /tasks?status=open&person=$aya&role=agent", status: 200, has: `"id":"$thanks"`, not: "Zanzibar call"},
		{do: "PUT /tasks/$thanks", body: `{"title":"Thank aya","person_id":"$aya","assignee":"usr_1","revision":7}`, status: 409, has: `"code":"task.changed"`},
		{do: "PUT /tasks/$thanks", body: `{"title":"Thank aya","person_id":"$aya","assignee":"usr_1","revision":1}`, status: 200, has: `"assignee":"usr_1" | "revision":2`},
		{do: "POST /tasks/$thanks/complete", body: `{"outcome":"glad"}`, status: 200, has: `"status":"done" | "outcome":"glad" | "ended_at"`},
		{do: "POST /tasks/$thanks/complete", body: `{"outcome":"glad"}`, status: 200, has: `"status":"done"`},
		{do: "POST /tasks/$thanks/cancel", body: `{}`, status: 409, has: `"code":"task.ended"`},
		{do: "PUT /tasks/$thanks", body: `{"title":"x","revision":0}`, status: 409},
		{do: "GET /tasks/none", status: 404, has: `"code":"task.not_found"`},
	})
	w.settle()
	play(t, w, b, []scenario{
		{do: "GET /people/$aya/events", status: 200, has: `Task Created | Task Completed | glad`},
	})
}
