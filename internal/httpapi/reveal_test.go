package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

func TestAnEncryptedFieldIsHiddenAndRevealedToThoseWhoMayAlone(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	w.ok(b.key, "PUT /privacy-rules", `{"fields":[{"path":"traits.ssn","action":"encrypt"},{"path":"properties.card","action":"encrypt"}],"consent":[],"unasked":true}`, nil)
	w.ok(b.key, "PATCH /people/"+b.ids["aya"]+"/traits", `{"traits":{"ssn":"12-3456","tone":"blue"},"idempotency_key":"s"}`, nil)
	w.settle()
	person := w.call("GET /people/"+b.ids["aya"], asked{key: b.key}).Body.String()
	if strings.Contains(person, "12-3456") || !strings.Contains(person, `"encrypted":["traits.ssn"]`) || !strings.Contains(person, "blue") {
		t.Errorf("the person: %s", person)
	}
	events := w.call("GET /people/"+b.ids["aya"]+"/events?type=identify", asked{key: b.key}).Body.String()
	if strings.Contains(events, "12-3456") || !strings.Contains(events, `"encrypted":["traits.ssn"]`) {
		t.Errorf("the timeline: %s", events)
	}
	play(t, w, b, []scenario{
		{as: "marketer", do: "POST /people/$aya/reveal", body: `{"field":"traits.ssn","reason":"curious"}`, status: 403},
		{do: "POST /people/$aya/reveal", body: `{"field":"traits.ssn","reason":""}`, status: 422},
		{do: "POST /people/$aya/reveal", body: `{"field":"traits.tone","reason":"they asked"}`, status: 404, has: `"code":"encrypted_field.not_found"`},
		{do: "POST /people/$aya/reveal", body: `{"field":"traits.ssn","message_id":"none","reason":"they asked"}`, status: 404, has: `"code":"event.not_found"`},
		{do: "POST /people/$ben/reveal", body: `{"field":"traits.ssn","message_id":"traits:api:s","reason":"they asked"}`, status: 404, has: `"code":"event.not_found"`},
		{do: "POST /people/$aya/reveal", body: `{"field":"traits.ssn","reason":"they asked"}`, status: 200, has: `"value":"12-3456"`},
		{do: "POST /people/$aya/reveal", body: `{"field":"traits.ssn","message_id":"traits:api:s","reason":"they asked again"}`, status: 200, has: `"value":"12-3456"`},
		{do: "POST /segments", body: `{"name":"x","rule":{"trait":{"path":"ssn","op":"exists"}}}`, status: 422, has: `"code":"rule.encrypted" | traits.ssn`},
		{do: "POST /segments/preview", body: `{"rule":{"trait":{"path":"ssn","op":"exists"}}}`, status: 422, has: `"code":"rule.encrypted"`},
		{do: "POST /segments", body: `{"name":"tones","rule":{"trait":{"path":"tone","op":"exists"}}}`, status: 201},
		{do: "PUT /privacy-rules", body: `{"fields":[{"path":"traits.tone","action":"encrypt"}],"consent":[],"unasked":true}`, status: 409, has: `"code":"privacy.rules.asked" | tones`},
		{do: "POST /journeys", body: `{"name":"asks","draft":{"trigger":{"event":{"name":"A"}},"nodes":[{"id":"b","kind":"branch","config":{"rule":{"trait":{"path":"ssn","op":"exists"}}}}]}}`, status: 201, keep: "asks"},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"lane":"marketing","topic":"tpc_x","template":"tpl_x","goal":{"event":"Paid","value":"card.number"}}`, status: 422, has: `"code":"rule.encrypted" | properties.card.number`},
		{do: "POST /journeys/$asks/publish", status: 422, has: `"code":"rule.encrypted"`},
	})
	var log struct{ Items []json.RawMessage }
	w.ok(b.key, "GET /audit?action=person.reveal&noun_id="+b.ids["aya"], "", &log)
	if len(log.Items) != 2 || !strings.Contains(string(log.Items[1]), `"field":"traits.ssn","reason":"they asked"`) && !strings.Contains(string(log.Items[1]), `"reason":"they asked"`) {
		t.Errorf("the audit log: %s", log.Items)
	}
	w.user(b.ws, "vic@example.com", staff.Marketer)
	if r := w.call("POST /people/"+b.ids["aya"]+"/reveal", asked{browser: w.signIn("vic@example.com"), body: `{"field":"traits.ssn","reason":"curious"}`}); r.Code != http.StatusForbidden {
		t.Errorf("a marketer gets %d", r.Code)
	}
}
