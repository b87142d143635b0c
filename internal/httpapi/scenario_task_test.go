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
		{do: "PUT /tasks/$thanks", body: `{"title":"Thank aya","person_id":"$aya","assignee":"$member","revision":7}`, status: 409, has: `"code":"task.changed"`},
		{do: "PUT /tasks/$thanks", body: `{"title":"Thank aya","person_id":"$aya","assignee":"$member","revision":1}`, status: 200, has: `"assignee":"$member" | "revision":2`},
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

func TestTasksGoToMembersOfTheTeamAndToAnybodyOnceTheMemberHasLeft(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{do: "POST /tasks", body: `{"title":"Call aya","assignee":"usr_none"}`, status: 422, has: `"code":"task.assignee" | "field":"assignee"`},
		{do: "POST /tasks", body: `{"title":"Call aya","assignee":"$member","role":"agent"}`, status: 201, has: `"assignee":"$member"`, keep: "call"},
		{do: "POST /tasks", body: `{"title":"Called aya","assignee":"$member"}`, status: 201, keep: "called"},
		{do: "POST /tasks/$called/complete", body: `{}`, status: 200},
		{do: "POST /tasks/$call/assign", body: `{"assignee":"usr_none"}`, status: 422, has: `"code":"task.assignee"`},
		{do: "PUT /tasks/$call", body: `{"title":"Call aya","assignee":"usr_none","revision":0}`, status: 422, has: `"code":"task.assignee"`},
		{do: "DELETE /staff/$member", status: 204},
		{do: "GET /tasks/$call", status: 200, has: `"role":"agent"`, not: `"assignee"`},
		{do: "GET /tasks/$called", status: 200, has: `"assignee":"$member"`},
	})
}
