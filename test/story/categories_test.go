package story_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// Each kind of processing asks for its own categories of consent, and what was said last counts: for keeping events, for sending, for webhooks.
func TestEachKindOfProcessingHonoursItsCategoriesOfConsent(t *testing.T) {
	s := harness.Start(t, "KIZUNA_ALLOW_TARGETS=127.0.0.1")
	sink := harness.StartSink(t)
	mailAccount(t, s, sink.Addr)
	bodies := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- string(body)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(receiver.Close)
	var topic, hook struct{ ID string }
	s.Must("POST", "/topics", `{"name":"Deals","channels":["email"],"opt_in":"implied"}`, &topic)
	s.Must("POST", "/webhooks", map[string]any{"name": "CRM", "url": receiver.URL, "kinds": []string{"order.completed"}}, &hook)
	s.Must("PUT", "/privacy-rules", `{"fields":[{"path":"properties.probe","action":"drop"}],"consent":["analytics"],"send":["marketing"],"forward":["sharing"],"unasked":true}`, nil)

	said := func(analytics, marketing, sharing bool) map[string]any {
		return map[string]any{"consent": map[string]any{"categoryPreferences": map[string]any{"analytics": analytics, "marketing": marketing, "sharing": sharing}}}
	}
	kept := func(id string, with map[string]any) bool {
		return s.Do("GET", "/events/"+id, nil, &with) == http.StatusOK
	}
	n := 0
	s.Eventually(time.Minute, "the rules hold", func() bool {
		n++
		id := "probe-" + string(rune('a'+n%26)) + time.Now().Format("150405.000000")
		var e struct{ Properties map[string]any }
		if !s.Send(harness.Event{"type": "track", "event": "Probed", "userId": "probe", "messageId": id, "properties": map[string]any{"probe": 1}}) {
			return false
		}
		s.Eventually(time.Minute, "the probe is kept", func() bool { return s.Do("GET", "/events/"+id, nil, &e) == http.StatusOK })
		return e.Properties["probe"] == nil
	})
	life := func(user, id string, context map[string]any) []harness.Event {
		order := harness.Event{"type": "track", "event": "Order Completed", "userId": user, "messageId": "o-" + id, "properties": map[string]any{"order_id": "o-" + id, "total": 5, "currency": "EUR"}}
		first := harness.Event{"type": "identify", "userId": user, "messageId": "i-" + id, "traits": map[string]any{"email": user + "@example.com"}}
		if context != nil {
			first["context"], order["context"] = context, context
		}
		return []harness.Event{first, order}
	}
	events := slices.Concat(life("mail-only", "1", said(true, true, false)), life("share-only", "2", said(true, false, true)), life("never-asked", "3", nil), life("withdraws", "4", said(true, true, true)))
	if !s.Send(events...) {
		t.Fatal("events not taken")
	}
	// Later, the event that withdraws everything is not kept, but what it says is.
	events = append([]harness.Event{}, harness.Event{"type": "track", "event": "Banner Closed", "userId": "withdraws", "messageId": "no", "properties": map[string]any{"page": "secret"}, "context": said(false, false, false)})
	events = append(events, harness.Event{"type": "track", "event": "Order Completed", "userId": "withdraws", "messageId": "o-5", "properties": map[string]any{"order_id": "o-5", "total": 5, "currency": "EUR"}})
	// Of a device nothing is remembered.
	events = append(events, harness.Event{"type": "page", "name": "Home", "anonymousId": "device", "messageId": "anon", "context": said(false, true, true)})
	events = append(events, harness.Event{"type": "track", "event": "Last", "userId": "never-asked", "messageId": "last"})
	if !s.Send(events...) {
		t.Fatal("events not taken")
	}
	s.Eventually(time.Minute, "all events have arrived", func() bool { return kept("last", nil) })
	var statement struct {
		Type, Name string
		Properties map[string]any
		Context    map[string]any
	}
	s.Must("GET", "/events/no", nil, &statement)
	if statement.Type != "identify" || statement.Name != "" || len(statement.Properties) != 0 || len(statement.Context) != 1 {
		t.Errorf("of the event that withdraws this is kept: %+v", statement)
	}
	if kept("anon", nil) {
		t.Error("an event of a device without consent was kept")
	}

	reason := func(user string) string {
		t.Helper()
		var got struct{ State, Reason string }
		s.Must("POST", "/messages", map[string]any{"to": map[string]any{"identifier": "user_id:" + user}, "lane": "marketing", "topic": topic.ID, "subject": "Deals", "text": "Deals"}, &got)
		return got.Reason
	}
	for user, want := range map[string]string{"mail-only": "", "share-only": "category_declined", "never-asked": "", "withdraws": "category_declined"} {
		if got := reason(user); got != want {
			t.Errorf("%s is refused for %q, want %q", user, got, want)
		}
	}
	s.Eventually(time.Minute, "webhooks tell of orders", func() bool { return len(bodies) >= 3 })
	var told struct{ Items []struct{} }
	s.Must("GET", "/webhooks/"+hook.ID+"/deliveries?limit=100", nil, &told)
	if len(told.Items) != 3 {
		t.Errorf("webhooks have %d deliveries, want 3", len(told.Items))
	}
	all := ""
	for range 3 {
		all += <-bodies
	}
	for _, order := range []string{"o-2", "o-3", "o-4"} {
		if !strings.Contains(all, `"event_id":"`+order+`"`) {
			t.Errorf("webhooks do not tell of %s: %s", order, all)
		}
	}
}
