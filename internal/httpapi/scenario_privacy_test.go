package httpapi_test

import (
	"testing"
)

func TestPrivacyScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{as: "viewer", do: "POST /people/$aya/erasure", body: `{"mode":"forget"}`, status: 403},
		{as: "viewer", do: "GET /erasures", status: 403},
		{do: "POST /people/$aya/erasure", body: `{"mode":"vanish"}`, status: 422, has: `"field":"mode"`},
		{do: "POST /people/per_none/erasure", body: `{"mode":"forget"}`, status: 404, has: `"code":"person.not_found"`},
		{do: "POST /people/$aya/erasure", body: `{"mode":"forget"}`, status: 202, has: `"state":"waiting" | "mode":"forget" | "steps":6 | "step":0 | "reached":[] | "person_id":"$aya"`, keep: "asked"},
		{do: "POST /people/$aya/erasure", body: `{"mode":"refuse"}`, status: 202, has: `"id":"$asked" | "mode":"forget"`},
		{do: "GET /erasures/$asked", status: 200, has: `"person_id":"$aya" | "by":{"kind":"key"`},
		{do: "GET /erasures", status: 200, has: `"id":"$asked" | "id":"$erasure"`},
		{do: "GET /erasures/none", status: 404, has: `"code":"erasure.not_found"`},
		{do: "POST /refusals", body: `{"identifiers":[{"kind":"email","value":"no address"}]}`, status: 422, has: `person.identifier.value`},
		{do: "POST /refusals", body: `{"identifiers":[{"kind":"email","value":"Quiet@Example.com"}]}`, status: 204},
		{do: "GET /refusals", status: 200, has: `"kind":"email" | "held":false`, not: "quiet@"},
		{do: "POST /privacy-check", body: `{"identifier":{"kind":"email","value":"nobody@example.com"}}`, status: 200, has: `"refused":false | "erasures":[]`},
		{do: "POST /refusals/admit", body: `{"identifier":{"kind":"email","value":"quiet@example.com"}}`, status: 204},
		{do: "POST /refusals/admit", body: `{"identifier":{"kind":"email","value":"quiet@example.com"}}`, status: 404, has: `"code":"refusal.not_found"`},
	})
}
