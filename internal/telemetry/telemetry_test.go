package telemetry_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/telemetry"
)

// look returns what a monitoring sees.
func look(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func wants(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(text, l+"\n") {
			t.Errorf("no line %q", l)
		}
	}
}

func TestEventsAreCountedByKindAndNeverByUsersWords(t *testing.T) {
	m := telemetry.New("v1")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	track := event.Kept{Event: event.Event{Type: event.Track, Name: "Secret Name Of A Customer"}}
	sent := event.Kept{Event: event.Event{Type: event.Message, Name: event.MessageSent}}
	for range 2 {
		m.Passed(telemetry.Batch{
			Events: []event.Kept{track, track, sent}, Oldest: at, Done: at.Add(40 * time.Millisecond),
			Stages: map[string]time.Duration{"resolve": 3 * time.Millisecond},
		})
	}
	text := look(t, m)
	wants(
		t, text,
		`kizuna_events_total{name="",type="track"} 4`,
		`kizuna_events_total{name="Message Sent",type="message"} 2`,
		`kizuna_pipeline_lag_seconds_bucket{le="0.025"} 0`,
		`kizuna_pipeline_lag_seconds_bucket{le="0.05"} 2`,
		`kizuna_pipeline_stage_seconds_count{stage="resolve"} 2`,
		`kizuna_build_info{version="v1"} 1`,
	)
	if strings.Contains(text, "Secret") {
		t.Error("an event's name from outside is shown")
	}
}

func TestAProbeThatFailsIsCountedAndTheRestIsShown(t *testing.T) {
	m := telemetry.New("v1",
		telemetry.Probe{
			Name: "broken", Metrics: []telemetry.Metric{{Name: "kizuna_broken", Help: "h"}},
			Read: func(context.Context) (map[string]map[string]float64, error) { return nil, errors.New("down") },
		},
		telemetry.Probe{
			Name: "sound", Metrics: []telemetry.Metric{{Name: "kizuna_level", Help: "h", Label: "queue"}, {Name: "kizuna_sound_total", Help: "h", Total: true}},
			Read: func(context.Context) (map[string]map[string]float64, error) {
				return map[string]map[string]float64{"kizuna_level": {"a": 1, "b": 2}, "kizuna_sound_total": telemetry.One(7)}, nil
			},
		})
	look(t, m)
	text := look(t, m)
	wants(
		t, text,
		`kizuna_probe_failures_total{probe="broken"} 2`, `kizuna_probe_failures_total{probe="sound"} 0`,
		`kizuna_level{queue="a"} 1`, `kizuna_level{queue="b"} 2`, "# TYPE kizuna_sound_total counter", "kizuna_sound_total 7",
	)
	if strings.Contains(text, "kizuna_broken ") {
		t.Error("a figure that nobody told is shown")
	}
}

func TestRequestsAreCountedByAreaAndStreamsAreNotTimed(t *testing.T) {
	m := telemetry.New("v1")
	h := m.Around("api", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("a stream cannot be flushed: %v", err)
		}
		if r.URL.Path == "/gone" {
			http.NotFound(w, r)
		}
	}))
	for _, path := range []string{"/", "/", "/live"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if path == "/live" {
			r.Header.Set("Accept", "text/event-stream")
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	wants(t, look(t, m), `kizuna_http_requests_total{area="api",code="200"} 3`, `kizuna_http_request_seconds_count{area="api"} 2`)
}
