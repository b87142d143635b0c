package httpapi_test

import "testing"

func TestRetentionScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	old := start.AddDate(-1, 0, 0)
	w.feed(track(b.ws, "long-ago", "aya", "Seen Long Ago", `{}`, old))
	b.make(w, "ever", "POST /segments", `{"name":"Ever saw it","rule":{"event":{"name":"Seen Long Ago","op":"gte","value":1}}}`)
	w.evaluate()
	const month = `{"days":0,"rules":[{"type":"track","name":"Seen Long Ago","days":30}]}`
	play(t, w, b, []scenario{
		{as: "viewer", do: "GET /retention", status: 200, has: `"policy":{"days":0,"rules":[]} | "name":"Seen Long Ago","count":1 | "lasting":"identity" | "ledger":true | "ledger_days":3653`},
		{as: "viewer", do: "PUT /retention", body: month, status: 403},
		{as: "viewer", do: "POST /retention/check", body: month, status: 403},
		{as: "viewer", do: "POST /retention/removal", status: 403},
		{as: "viewer", do: "GET /retention/receipts", status: 403},
		{do: "PUT /retention", body: `{"days":3,"rules":[]}`, status: 422, has: `retention.days | "field":"days"`},
		{do: "PUT /retention", body: `{"days":0,"rules":[{"type":"track","name":"Order Completed","days":30}]}`, status: 422, has: `retention.ledger | "field":"rules[0].days"`},
		{do: "POST /retention/check", body: `{"days":0,"rules":[{"type":"track","name":"Subscribed","days":30}]}`, status: 422, has: `retention.lasting`},
		{do: "POST /retention/check", body: month, status: 200, has: `"removed":[{"type":"track","name":"Seen Long Ago" | "count":1 | "segments":[{"id":"$ever","name":"Ever saw it","limits":[{"type":"track","name":"Seen Long Ago","days":30`},
		{do: "POST /retention/limits", body: `{"rule":{"event":{"name":"Seen Long Ago","op":"gte","value":1}}}`, status: 200, has: `"limits":[]`},
		{do: "GET /segments/$ever", status: 200, has: `"size":1`},
		{do: "PUT /retention", body: month, status: 200},
		{as: "viewer", do: "POST /retention/limits", body: `{"rule":{"event":{"name":"Seen Long Ago","op":"gte","value":1}}}`, status: 200, has: `"name":"Seen Long Ago","days":30,"before":"`},
		{as: "viewer", do: "POST /retention/limits", body: `{"rule":{"event":{}}}`, status: 422, has: `rule.missing`},
		{do: "POST /retention/removal", status: 202, has: `"kind":"retention"`, keep: "removing"},
	})
	w.work()
	w.evaluate()
	play(t, w, b, []scenario{
		{do: "GET /jobs/$removing", status: 200, has: `"state":"done" | "removed":1 | "segments":1 | "rewritten":1`},
		{do: "GET /retention/receipts", status: 200, has: `"id":"$removing" | "count":1 | "rewritten":true`},
		{do: "GET /segments/$ever", status: 200, has: `"size":0`},
		{do: "GET /retention", status: 200, has: `"name":"Seen Long Ago","count":0,"days":30,"gone_before":"`},
		{as: "viewer", do: "GET /retention/gone", status: 200, has: `"items":[{"type":"track","name":"Seen Long Ago","before":"`},
		{do: "PUT /retention", body: `{"days":0,"rules":[]}`, status: 200},
		{do: "POST /retention/limits", body: `{"rule":{"event":{"name":"Seen Long Ago","op":"gte","value":1}}}`, status: 200, has: `"name":"Seen Long Ago","days":0,"before":"`},
		{do: "GET /audit?noun=retention", status: 200, has: `"action":"retention.update" | "action":"retention.remove"`},
	})
}
