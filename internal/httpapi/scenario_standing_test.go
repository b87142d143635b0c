package httpapi_test

import (
	"strings"
	"testing"
)

// standingScheme is a scheme with two labels.
const standingScheme = `{"window_days":100,"labels":[{"key":"champions","r":{"from":4,"to":5},"f":{"from":1,"to":5},"m":{"from":1,"to":5}},{"key":"ours","name":"Everybody else","r":{"from":1,"to":5},"f":{"from":1,"to":5},"m":{"from":1,"to":5}}],` +
	`"lifecycle":{"new_days":30,"at_risk":1.5,"dormant":2.5,"churned":4,"churned_days":365},"participation":{"days":90,"write":["Post"],"react":[],"authors":2},"high_touch":["champions"],"low_touch":[],"revision":0}`

func TestStandingScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{as: "viewer", do: "GET /standing/scheme", status: 200, has: `"default":true | "revision":0 | "key":"champions" | "churned_days":365`},
		{as: "viewer", do: "GET /standing", status: 200, has: `"stages":[] | "grid":[] | "state":"waiting"`},
		{as: "viewer", do: "PUT /standing/scheme", body: standingScheme, status: 403},
		{do: "PUT /standing/scheme", body: swap(standingScheme, `"dormant":2.5`, `"dormant":1.5`), status: 422, has: `"field":"lifecycle.dormant" | above that of at_risk`},
		{do: "PUT /standing/scheme", body: swap(standingScheme, `"high_touch":["champions"]`, `"high_touch":["gold"]`), status: 422, has: `"field":"high_touch" | gold`},
		{do: "PUT /standing/scheme", body: standingScheme, status: 200, has: `"revision":1 | "name":"Everybody else"`, not: `"default"`},
		{do: "PUT /standing/scheme", body: standingScheme, status: 409, has: "standing.changed"},
		{as: "viewer", do: "POST /standing/round", status: 403},
		{do: "POST /standing/round", status: 204},
		{as: "viewer", do: "GET /people/$aya/standing", status: 200, has: `"service":"tech"`, not: "service_by_hand"},
		{do: "GET /people/per_none/standing", status: 404},
		{as: "viewer", do: "PUT /people/$aya/service", body: `{"service":"high"}`, status: 403},
		{do: "PUT /people/$aya/service", body: `{"service":"best"}`, status: 422},
		{do: "PUT /people/$aya/service", body: `{"service":"high"}`, status: 200, has: `"service":"high" | "service_by_hand":"high"`},
		{do: "GET /people/$aya/standing", status: 200, has: `"service_by_hand":"high"`},
		{do: "GET /standing", status: 200, has: `"services":[{"key":"high","n":1}]`},
		{do: "PUT /people/$aya/service", body: `{"service":""}`, status: 200, has: `"service":"tech"`, not: "service_by_hand"},
		{do: "PUT /people/per_none/service", body: `{"service":"high"}`, status: 404},
	})
}

// swap replaces what must be there.
func swap(text, old, now string) string {
	if !strings.Contains(text, old) {
		panic(old + " is not there")
	}
	return strings.Replace(text, old, now, 1)
}
