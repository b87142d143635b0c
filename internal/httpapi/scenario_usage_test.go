package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/quota"
)

func TestUsageIsShownWithItsLimits(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	twelve := int64(12)
	if _, err := w.quotas.Set(t.Context(), b.ws, map[quota.Kind]*int64{quota.EventsPerDay: &twelve}); err != nil {
		t.Fatal(err)
	}
	if err := w.quotas.TakeEvents(b.ws, 3); err != nil {
		t.Fatal(err)
	}
	if err := w.quotas.Exchange(t.Context()); err != nil {
		t.Fatal(err)
	}
	play(t, w, b, []scenario{
		{as: "viewer", do: "GET /usage", status: 200, has: `"kind":"events_per_day","limit":12,"used":3 | "kind":"requests_per_second","limit":0 | "resets_at":" | "events":3,"refused":0`},
	})
}

func TestOneWorkspacesCallsDoNotTakeAnothersRoom(t *testing.T) {
	w := newWorld(t)
	ours, theirs := w.business(), w.tenant("Theirs")
	two := int64(2)
	if _, err := w.quotas.Set(t.Context(), ours.ws, map[quota.Kind]*int64{quota.RequestsPerSecond: &two}); err != nil {
		t.Fatal(err)
	}
	if err := w.quotas.Exchange(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.ok(ours.key, "GET /workspace", "", nil)
	}
	for range 20 {
		r := w.call("GET /workspace", asked{key: ours.key})
		if r.Code != http.StatusTooManyRequests || r.Header().Get("Retry-After") != "1" {
			t.Fatalf("answer %d %v %s", r.Code, r.Header(), r.Body)
		}
		w.ok(theirs.key, "GET /workspace", "", nil)
	}
}
