package httpapi_test

import (
	"testing"
)

// A journey that calls a webhook, puts people into a list by its answer, and leads them on.
const hookGraph = `{"trigger":{"event":{"name":"Zanzibar Hook"}},"nodes":[
	{"id":"crm","kind":"webhook","config":{"url":"https://crm.example/{{ person.id }}","headers":[{"name":"X-Key","secret":"$secret"}],"body":{"who":"{{ person.first_name }}"}},"next":{"done":"tier"}},
	{"id":"tier","kind":"switch","config":{"from":"answers.crm.body.tier","cases":[["gold"]]},"next":{"a":"in"}},
	{"id":"in","kind":"add_to_list","config":{"list":"$list"}}]}`

func TestWebhookAndListScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{do: "GET /journey-nodes", status: 200, has: `"kind":"webhook" | "kind":"add_to_list" | "kind":"cohort" | "kind":"enter_journey" | "kind":"leave_journey" | "quick":true`},
		{do: "POST /journey-secrets", body: `{"name":"","value":"x"}`, status: 422, has: `"field":"name"`},
		{do: "POST /journey-secrets", body: `{"name":"x","value":"a\nb"}`, status: 422, has: `"field":"value"`},
		{as: "viewer", do: "POST /journey-secrets", body: `{"name":"x","value":"x"}`, status: 403},
		{do: "GET /journey-secrets", status: 200, has: `"name":"Zanzibar CRM"`, not: "token"},
		{do: "PUT /journey-secrets/none", body: `{"name":"x"}`, status: 404, has: `"code":"journey_secret.not_found"`},
		{do: "POST /journeys", body: `{"name":"Zanzibar hook","draft":` + hookGraph + `}`, status: 201, keep: "hook"},
		{do: "POST /journeys/$hook/publish", status: 200, has: `"status":"live"`},
		{do: "DELETE /journey-secrets/$secret", status: 409, has: `"code":"journey_secret.in_use"`},
		{do: "POST /journeys", body: `{"name":"Zanzibar bad","draft":{"trigger":{"event":{"name":"x"}},"nodes":[{"id":"l","kind":"add_to_list","config":{"list":"$segment"}},{"id":"w","kind":"webhook","config":{"url":"crm"}}]}}`, status: 201, keep: "bad"},
		{do: "POST /journeys/$bad/check", status: 422, has: `"field":"nodes[w].config.url" | journey.webhook.host`},
		{do: "POST /journeys", body: `{"name":"Zanzibar bad","draft":{"trigger":{"event":{"name":"x"}},"nodes":[{"id":"l","kind":"add_to_list","config":{"list":"$segment"}}]}}`, status: 201, keep: "bad2"},
		{do: "POST /journeys/$bad2/check", status: 422, has: `"field":"nodes[l].config.list" | journey.missing.list`},
	})
	w.feed(track(b.ws, "hook-aya", "aya", "Zanzibar Hook", `{}`, w.clock.Now()))
	w.walk()
	var rounds struct{ Items []struct{ ID string } }
	w.ok(b.key, "GET /people/"+b.ids["aya"]+"/journeys", "", &rounds)
	b.ids["hooked"] = rounds.Items[0].ID
	play(t, w, b, []scenario{
		{do: "GET /journey-rounds/$hooked", status: 200, has: `"status":"done" | "reason":{"code":"answered","data":{"status":200,"tries":1}} | "kind":"webhook" | "url":"https://crm.example/$aya" | "body":"{\"who\":\"Zanzibar aya\"}" | "answer_status":200 | "answer_excerpt":"{\"tier\":\"gold\"}" | "kind":"add_to_list" | "list_id":"$list"`, not: "token"},
		{do: "GET /lists/$list/members", status: 200, has: "$aya"},
	})
}
