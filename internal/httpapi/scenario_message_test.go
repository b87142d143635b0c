package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

// What a request names wrongly is wrong for everybody: it is refused like a bad field, before anything is kept.
func TestAMessageThatNamesWhatIsNotThereIsRefusedAndKeepsNothing(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	const marketing = `{"to":{"person":"$aya"},"lane":"marketing","template":"$template","topic":`
	play(t, w, b, []scenario{
		{do: "POST /topics", body: `{"name":"Zanzibar past","channels":["email"],"opt_in":"implied"}`, status: 201, keep: "past"},
		{do: "PUT /topics/$past", body: `{"name":"Zanzibar past","channels":["email"],"opt_in":"implied","archived":true}`, status: 200},
		{do: "POST /messages", body: `{"to":{"address":"new@zanzibar.example"},"template":"tpl_none"}`, status: 404, has: `"code":"template.not_found" | "field":"template"`},
		{do: "GET /people?identifier=email:new@zanzibar.example", status: 200, has: `"items":[]`},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"template":"tpl_none","version":2}`, status: 404, has: `"code":"template.not_found" | "field":"template"`},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"template":"$archived_template"}`, status: 422, has: `"code":"template.archived" | "field":"template" | Zanzibar gone`},
		{do: "POST /messages", body: marketing + `"tpc_none"}`, status: 404, has: `"code":"topic.not_found" | "field":"topic"`},
		{do: "POST /messages", body: marketing + `"$past"}`, status: 422, has: `"code":"topic.archived" | "field":"topic" | Zanzibar past`},
		{do: "POST /messages/batch", body: `{"messages":[{"key":"k1","to":{"person":"$aya"},"template":"tpl_none"},{"key":"k2","to":{"person":"$aya"},"template":"$template"}]}`, status: 202, has: `"code":"template.not_found","field":"template" | "state":"queued"`},
		{do: "GET /messages/status?key=k1", status: 404},
		{do: "DELETE /accounts/$account", status: 204},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"subject":"x","text":"x"}`, status: 422, has: `"code":"message.no_account" | "field":"channel"`},
	})
}

// A key that was refused for a bad name is free; a key that was answered keeps its answer, whatever is archived later.
func TestARequestThatNamedWronglyDoesNotBurnItsKey(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	send := func(template string, status int, has string) {
		t.Helper()
		r := w.call("POST /messages", asked{key: b.key, header: map[string]string{"Idempotency-Key": "receipt-7"}, body: b.expand(w, `{"to":{"person":"$aya"},"template":"`+template+`"}`)})
		if r.Code != status || !strings.Contains(r.Body.String(), has) {
			t.Errorf("%s: %d %s, want %d with %s", template, r.Code, r.Body, status, has)
		}
	}
	send("tpl_typo", http.StatusNotFound, `"field":"template"`)
	send("$spare_template", http.StatusAccepted, `"duplicate":false`)
	w.ok(b.key, b.expand(w, "DELETE /templates/$spare_template"), "", nil)
	send("$spare_template", http.StatusAccepted, `"duplicate":true`)
	send("tpl_typo", http.StatusConflict, `message.key_reused`)
}
