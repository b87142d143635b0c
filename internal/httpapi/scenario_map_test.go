package httpapi_test

import (
	"strings"
	"testing"
	"time"
)

func TestJourneyMapScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	w.clock.Advance(24 * time.Hour)
	at := func(minute int) time.Time { return w.clock.Now().Add(time.Duration(minute-60) * time.Minute) }
	w.feed(
		track(b.ws, "map-1", "aya", "Looked", `{}`, at(0)), track(b.ws, "map-2", "aya", "Looked", `{}`, at(1)), track(b.ws, "map-3", "aya", "Asked", `{}`, at(2)),
		track(b.ws, "map-4", "aya", "Bought", `{}`, at(6)), track(b.ws, "map-5", "ben", "Looked", `{}`, at(3)), track(b.ws, "map-6", "ben", "Bought", `{}`, at(9)), track(b.ws, "map-7", "cem", "Asked", `{}`, at(4)),
	)
	today := w.clock.Now().Format(time.DateOnly)
	stages := `[{"id":"a","name":"Looks","mood":0,"touchpoints":[{"id":"t","name":"Shop","signals":[{"name":"Looked"}]}]},
		{"id":"b","name":"Asks","mood":-1,"touchpoints":[{"id":"u","signals":[{"name":"Asked"}]}]},
		{"id":"c","name":"Buys","mood":2,"touchpoints":[{"id":"v","signals":[{"type":"track","name":"Bought"}]}]},{"id":"d","name":"Tells","mood":0}]`
	play(t, w, b, []scenario{
		{do: "GET /journey-maps/ready?locale=ja", status: 200, has: `"key":"first_purchase" | はじめての購入 | "stages":["知る"`},
		{do: "POST /journey-maps", body: `{"name":""}`, status: 422, has: `"field":"name"`},
		{do: "POST /journey-maps", body: `{"ready":"nonsense"}`, status: 422, has: `"field":"ready" | journey-maps/ready`},
		{do: "POST /journey-maps", body: `{"name":"m","persona_id":"prs_none"}`, status: 422, has: `"field":"persona_id"`},
		{do: "POST /journey-maps", body: `{"name":"m","segment_id":"seg_none"}`, status: 422, has: `"field":"segment_id"`},
		{as: "agent", do: "POST /journey-maps", body: `{"name":"m"}`, status: 403},
		{do: "POST /journey-maps", body: `{"ready":"community","locale":"zh-Hans"}`, status: 201, has: `社区成员 | "channel":"community" | "also":["s1"]`},
		{do: "POST /journey-maps", body: `{"name":"Way","stages":` + stages + `}`, status: 201, keep: "way", has: `"revision":1 | "name":"Looked"`},
		{do: "PUT /journey-maps/$way", body: `{"name":"Way","stages":[{"id":"a","mood":0},{"id":"a","mood":0}],"revision":1}`, status: 422, has: `"field":"stages[1].id"`},
		{do: "GET /journey-maps/$way/flow", status: 200, has: `"people":3 | "off_plan":2 | "to":"` + today + `" | "steps":7 | {"id":"a","name":"Looks","seen":true,"reached":2,"next":1,"dropped":1,"ended":0,"median_ms":120000} | {"id":"d","name":"Tells","seen":false,"reached":0 | {"step":1,"from":0,"to":2,"planned":false,"people":1,"median_ms":360000} | {"step":1,"from":0,"to":1,"planned":true | {"stages":[0,1,2],"more":false,"off_plan":false,"people":1}`},
		{do: "GET /journey-maps/$way/flow?from=2026-03-05&to=2026-03-01", status: 422, has: `"field":"to"`},
		{do: "GET /journey-maps/$way/flow?from=2025-01-01&to=2025-01-31", status: 200, has: `"people":0 | "links":[] | "paths":[]`},
		{do: "GET /journey-maps/$way/flow?segment=seg_none", status: 404, has: `"code":"segment.not_found"`},
		{do: "GET /journey-maps/$way/people?figure=link&step=1&stage=0&next=2", status: 200, has: `"id":"$ben"`, not: "$aya | $cem"},
		{do: "GET /journey-maps/$way/people?figure=dropped&stage=0", status: 200, has: `"id":"$ben"`, not: "$aya"},
		{do: "GET /journey-maps/$way/people?figure=off&limit=1", status: 200, has: `"next_cursor":"`, not: "$aya"},
		{do: "GET /journey-maps/$way/people?figure=path&path=0,1,2", status: 200, has: `"id":"$aya"`, not: "$ben"},
		{do: "GET /journey-maps/$way/people?figure=path&path=0,x", status: 422, has: `"field":"path"`},
		{do: "GET /journey-maps/$way/people?figure=reached&stage=9", status: 422, has: `"field":"stage"`},
		{do: "PUT /journey-maps/$way", body: `{"name":"Way","persona_id":"$persona","segment_id":"$list","rows":[{"id":"r","name":"KPI"}],"stages":` + strings.Replace(stages, `"mood":2`, `"mood":2,"notes":{"r":"orders","gone":"x"}`, 1) + `,"revision":1}`, status: 200, has: `"revision":2 | {"id":"r","name":"KPI"} | "notes":{"r":"orders"}`},
		{do: "PUT /journey-maps/$way", body: `{"name":"Way","stages":[],"revision":1}`, status: 409, has: `"code":"map.changed"`},
		{do: "GET /journey-maps/$way/flow?segment=everyone", status: 200, has: `"people":3`, not: "segment_id"},
		{do: "GET /journey-maps/$way/flow", status: 200, has: `"segment_id":"$list"`, not: `"people":3`},
		{do: "GET /segments/$list/users", status: 200, has: `"noun":"journey_map" | "name":"Way"`},
		{do: "GET /journey-maps?persona=$persona", status: 200, has: `"name":"Way" | "name":"Zanzibar way"`, not: "社区成员"},
		{do: "DELETE /personas/$persona", status: 204},
		{do: "GET /journey-maps/$way", status: 200, not: "persona_id"},
		{do: "DELETE /journey-maps/$way", status: 204},
		{do: "GET /journey-maps/$way/flow", status: 404, has: `"code":"map.not_found"`},
	})
}
