package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestRosterScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	for n := range 3 {
		w.feed(identify(b.ws, fmt.Sprintf("crowd-%d", n), fmt.Sprintf("crowd-%d", n), `{"email":"=crowd@zanzibar.example","size":{"shoe":44},"plan":"=1+1"}`, start))
	}
	play(t, w, b, []scenario{
		{as: "viewer", do: "POST /people/exports", body: `{}`, status: 403, has: "export"},
		{as: "viewer", do: "POST /events/exports", body: `{}`, status: 403, has: "export"},
		{do: "POST /people/exports", body: `{"who":{"set":"seg_none"}}`, status: 404},
		{do: "POST /people/exports", body: `{"who":{"status":"lost"}}`, status: 422, has: `status`},
		{do: "POST /people/exports", body: `{"who":{"q":"crowd"},"bom":true,"title":"Zanzibar crowd","idempotency_key":"k1"}`, status: 202, has: `"kind":"people_export" | "title":"Zanzibar crowd" | "state":"queued"`, keep: "export"},
		{do: "POST /people/exports", body: `{"who":{"q":"crowd"},"bom":true,"title":"Zanzibar crowd","idempotency_key":"k1"}`, status: 202, has: `"id":"$export"`},
		{do: "POST /people/exports", body: `{"who":{"set":"$segment"}}`, status: 202, keep: "segment_export"},
		{do: "POST /events/exports", body: `{"name":"Order Completed","to":"2026-02-28T12:00:00Z"}`, status: 202, keep: "events"},
		{do: "POST /events/exports", body: `{"name":"Nothing"}`, status: 202, keep: "no_events"},
		{as: "viewer", do: "POST /lists/$list/changes", body: `{}`, status: 403},
		{do: "POST /lists/$list/changes", body: `{"who":{"set":"seg_none"}}`, status: 404},
		{do: "POST /lists/lst_none/changes", body: `{}`, status: 404},
		{as: "marketer", do: "POST /lists/$list/changes", body: `{"who":{"q":"zanzibar"}}`, status: 202, has: `"kind":"list_change" | "title":"Zanzibar list"`, keep: "change"},
		{do: "POST /list-changes/$job/undo", status: 404},
	})
	w.work()
	w.evaluate()
	play(t, w, b, []scenario{
		{do: "GET /jobs/$export", status: 200, has: `"state":"done" | "done":3 | "total":3 | "rows":3 | "key":"table" | people-2026-`},
		{do: "GET /jobs/$export/files/table", status: 200, has: "person_id,status,name,email | traits.size.shoe | crowd-2 | '=1+1 | '=crowd@zanzibar.example | ,44,", not: "aya"},
		{as: "viewer", do: "GET /jobs/$export/files/table", status: 404},
		{do: "GET /jobs/$segment_export/files/table", status: 200, has: "aya.zanzibar | ben.zanzibar | cem.zanzibar", not: "crowd"},
		{do: "GET /jobs/$events/files/table", status: 200, has: "message_id,type,name | order-aya | order-cem | $aya", not: "order-after | view-aya"},
		{do: "GET /jobs/$no_events", status: 200, has: `"state":"done" | "rows":0 | "key":"table"`},
		{do: "GET /jobs/$change", status: 200, has: `"state":"done" | "people":6 | "added":4 | "key":"changed"`}, // aya and ben were on it
		{do: "GET /lists/$list", status: 200, has: `"size":6`},
		{do: "POST /lists/$list/remove", body: `{"rows":["$cem"]}`, status: 200},
		{do: "POST /list-changes/$change/undo", status: 202, has: `"kind":"list_undo"`, keep: "undo"},
		{do: "POST /list-changes/$change/undo", status: 202, has: `"id":"$undo"`},
		{do: "POST /lists/$list/changes", body: `{"who":{"set":"$list"},"remove":true}`, status: 202, keep: "stopped"},
		{do: "POST /list-changes/$stopped/undo", status: 202, keep: "undo_stopped"},
		{do: "GET /jobs/$stopped", status: 200, has: `"state":"cancelled"`},
	})
	w.work()
	w.evaluate()
	play(t, w, b, []scenario{
		{do: "GET /jobs/$undo", status: 200, has: `"state":"done" | "restored":4`},
		{do: "GET /jobs/$undo_stopped", status: 200, has: `"state":"done" | "restored":0`},
		{do: "GET /lists/$list/members", status: 200, has: "aya.zanzibar | ben.zanzibar", not: "cem.zanzibar | crowd"},
		{do: "POST /lists/$list/changes", body: `{"who":{"set":"$list"},"remove":true}`, status: 202, keep: "cleared"},
	})
	w.work()
	play(t, w, b, []scenario{
		{do: "GET /jobs/$cleared", status: 200, has: `"state":"done" | "taken_off":2`},
		{do: "GET /lists/$list", status: 200, has: `"size":0`},
		{do: "POST /list-changes/$cleared/undo", status: 202},
	})
	w.work()
	play(t, w, b, []scenario{{do: "GET /lists/$list", status: 200, has: `"size":2`}})
}

// The isolation walk begins exports in another workspace; this reads what came out.
func TestExportsHoldWhatIsTheWorkspacesAlone(t *testing.T) {
	w := newWorld(t)
	w.business()
	other := w.tenant("Other")
	for _, what := range []string{"people", "events"} {
		var begun struct{ ID string }
		w.ok(other.key, "POST /"+what+"/exports", `{}`, &begun)
		w.work()
		r := w.call("GET /jobs/"+begun.ID+"/files/table", asked{key: other.key})
		if text := r.Body.String(); r.Code != 200 || strings.Contains(text, marker) || strings.Count(text, "\n") != 1 {
			t.Errorf("%s of an empty workspace: %d %s", what, r.Code, text)
		}
	}
}
