package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/hook"
)

func TestWebhookScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	answer := http.StatusOK
	target := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(answer)
		fmt.Fprint(rw, "noted by the ERP")
	}))
	defer target.Close()
	draft := `{"name":"ERP","url":"` + target.URL + `/in","kinds":["order.completed","order.completed"]}`
	play(t, w, b, []scenario{
		{do: "GET /webhook-kinds", status: 200, has: `{"key":"invoice.overdue","event":"Invoice Overdue"}`},
		{do: "POST /webhooks", body: `{"name":"n","url":"http://10.0.0.7/in","kinds":["message.sent"]}`, status: 422, has: `"field":"url" | "code":"url.not_public" | KIZUNA_ALLOW_TARGETS`},
		{do: "POST /webhooks", body: `{"name":"n","url":"ftp://b.example","kinds":["message.sent"]}`, status: 422, has: `"field":"url"`},
		{do: "POST /webhooks", body: `{"name":"n","url":"https://b.example","kinds":["message.sent","nonsense"]}`, status: 422, has: `"field":"kinds[1]" | webhook-kinds`},
		{do: "POST /webhooks", body: `{"name":"n","url":"https://b.example","kinds":[]}`, status: 422, has: `kinds`},
		{as: "analyst", do: "POST /webhooks", body: draft, status: 403},
		{as: "agent", do: "POST /webhooks/$webhook/ping", status: 403},
		{do: "POST /webhooks", body: draft, status: 201, has: `"secret":"whsec_ | "status":"on" | "kinds":["order.completed"]`, keep: "erp"},
		{do: "GET /webhooks", status: 200, has: `"name":"Zanzibar ERP" | "name":"ERP"`, not: "whsec_"},
		{do: "GET /webhooks/$erp", status: 200, has: `"counts":{"waiting":0,"delivered":0,"parked":0}`, not: "whsec_"},
		{do: "POST /webhooks/$erp/ping", status: 200, has: `"kind":"endpoint.ping" | "state":"delivered" | "status":200 | "answer":"noted by the ERP"`},
	})
	w.feed(track(b.ws, "order-hook", "aya", event.OrderCompleted, `{"order_id":"H-1","total":5,"currency":"EUR"}`, w.clock.Now()))
	answer = http.StatusBadGateway
	deliver := func() {
		_, err := w.webhooks.Deliver(t.Context(), hook.Ref{Workspace: b.ws, Endpoint: b.ids["erp"]})
		w.must(err)
	}
	deliver()
	var waiting struct{ Items []struct{ ID, Body string } }
	w.ok(b.key, "GET /webhooks/"+b.ids["erp"]+"/deliveries?state=waiting", "", &waiting)
	if len(waiting.Items) != 1 || !json.Valid([]byte(waiting.Items[0].Body)) || !strings.Contains(waiting.Items[0].Body, `"person_id":"`+b.ids["aya"]+`"`) {
		t.Fatalf("waiting: %+v", waiting)
	}
	b.ids["order"] = waiting.Items[0].ID
	play(t, w, b, []scenario{
		{do: "GET /webhooks/$erp/deliveries/$order", status: 200, has: `"state":"waiting" | "attempts":1 | "status":502 | "error":"webhook.status" | "due_at" | H-1`},
		{do: "GET /webhooks/$erp", status: 200, has: `"failing_since" | "last_error":"webhook.status" | "rest_until" | "waiting":1`},
		{do: "GET /webhooks/$webhook/deliveries/$order", status: 404, has: `"code":"delivery.not_found"`},
		{do: "GET /webhooks/$erp/deliveries?kind=message.sent", status: 200, has: `"items":[]`},
		{do: "PUT /webhooks/$erp", body: strings.Replace(draft, `"name":"ERP"`, `"name":"ERP","off":true`, 1), status: 200, has: `"status":"off" | "off":true`},
		{do: "POST /webhooks/$erp/replay", body: `{"from":"2026-01-01T00:00:00Z"}`, status: 409, has: `"code":"webhook.not_on" | turn it on`},
		{do: "PUT /webhooks/$erp", body: draft, status: 200, has: `"status":"on"`, not: "failing_since"},
		{do: "POST /webhooks/$erp/replay", body: `{"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}`, status: 422, has: `"field":"to"`},
		{do: "POST /webhooks/$erp/replay", body: `{"from":"2026-01-01T00:00:00Z","state":"parked"}`, status: 200, has: `"replayed":1`},
	})
	answer = http.StatusOK
	deliver()
	play(t, w, b, []scenario{
		{do: "GET /webhooks/$erp/deliveries/$order", status: 200, has: `"state":"delivered" | "attempts":1 | "status":200`, not: `"error" | due_at`},
		{do: "POST /webhooks/$erp/deliveries/$order/replay", status: 200, has: `"state":"waiting" | "attempts":0`},
		{do: "POST /webhooks/$erp/deliveries/none/replay", status: 404},
		{do: "POST /webhooks/$erp/secret", status: 200, has: `"secret":"whsec_`},
		{do: "DELETE /webhooks/$erp", status: 204},
		{do: "GET /webhooks/$erp", status: 404, has: `"code":"webhook.not_found"`},
		{do: "GET /webhooks/$erp/deliveries", status: 404},
	})
}
