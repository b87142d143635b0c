package httpapi_test

import (
	"strings"
	"testing"
)

// fewKinds are four kinds, of which a mail address joins nobody.
const fewKinds = `{"kinds":[{"name":"user_id","strength":"strong","form":"trim","joins":true,"limit":1},{"name":"email","strength":"strong","form":"email","joins":false,"limit":5},{"name":"phone","strength":"strong","form":"phone","joins":true,"limit":5},{"name":"anonymous_id","strength":"weak","form":"trim","joins":true,"limit":5,"days":7}]}`

// chosen is fewKinds with the simulation that has shown what they do.
func chosen(simulation string) string {
	return strings.TrimSuffix(fewKinds, "}") + `,"simulation":"` + simulation + `"}`
}

func TestIdentitySchemeScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{as: "viewer", do: "GET /identity-scheme", status: 200, has: `"version":0 | "name":"user_id" | "name":"anonymous_id"`},
		{as: "viewer", do: "POST /identity-scheme/simulations", body: fewKinds, status: 403},
		{do: "POST /identity-scheme/simulations", body: swap(fewKinds, `"name":"user_id"`, `"name":"account"`), status: 422, has: `identity.scheme.user | "field":"kinds[0]"`},
		{do: "POST /identity-scheme/simulations", body: swap(fewKinds, `"name":"phone"`, `"name":"Phone!"`), status: 422, has: `identity.kind.name | "field":"kinds[2].name"`},
		{do: "POST /identity-scheme/simulations", body: swap(fewKinds, `"name":"phone","strength":"strong"`, `"name":"phone","strength":"weak"`), status: 422, has: `identity.kind.fixed`},
		{do: "PUT /identity-scheme", body: chosen("job_none"), status: 404},
		{do: "PUT /identity-scheme", body: chosen("$job"), status: 409, has: "identity.scheme.not_simulated"},
		{do: "GET /identity-scheme/simulations/$job", status: 404},
		{as: "viewer", do: "GET /identity-scheme/simulations/$kinds", status: 403},
		{do: "GET /identity-scheme/simulations/$kinds", status: 200, has: `"state":"done" | "current":true | "examples":[`},
		{do: "PUT /identity-scheme", body: swap(chosen("$kinds"), `"limit":5,"days":7`, `"limit":6,"days":7`), status: 409, has: "identity.scheme.not_simulated"},
		{as: "viewer", do: "PUT /identity-scheme", body: chosen("$kinds"), status: 403},
		{do: "PUT /identity-scheme", body: chosen("$kinds"), status: 202, has: `"kind":"identity_scheme"`},
		{do: "GET /identity-scheme", status: 200, has: `"version":1 | "joins":false`, not: "ga_client_id"},
		{do: "GET /identity-scheme/simulations/$kinds", status: 200, has: `"current":false`},
		{do: "PUT /identity-scheme", body: chosen("$kinds"), status: 409, has: "identity.scheme.changed"},
	})
}
