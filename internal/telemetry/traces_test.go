package telemetry_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/kit/trace"
	"github.com/kizuna-cx/kizuna/internal/telemetry"
)

func TestTracesGoWhereTheEnvironmentSays(t *testing.T) {
	for name, c := range map[string]struct {
		env         map[string]string
		where, says string
	}{
		"nothing":            {map[string]string{"OTEL_SERVICE_NAME": "x"}, "", ""},
		"an address":         {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, "http://c:4318", ""},
		"one for traces":     {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:4318/v1/traces"}, "http://t:4318/v1/traces", ""},
		"switched off":       {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "TRUE"}, "", ""},
		"no traces":          {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, "", ""},
		"no address":         {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "", "want http://"},
		"another exporter":   {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "zipkin"}, "", "OTEL_TRACES_EXPORTER"},
		"another protocol":   {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "", "4318"},
		"the one for traces": {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}, "http://c:4318", ""},
	} {
		where, err := telemetry.TracesTo(func(key string) string { return c.env[key] })
		if where != c.where || (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q, %v", name, where, err)
		}
	}
}

// exporting returns traces to a collector that gives this answer.
func exporting(t *testing.T, status int) (traces *telemetry.Traces, log *bytes.Buffer) {
	t.Helper()
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(collector.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	log = &bytes.Buffer{}
	traces, err := telemetry.NewTraces(t.Context(), "test", func(key string) string {
		if key == "OTEL_EXPORTER_OTLP_ENDPOINT" {
			return collector.URL
		}
		return ""
	}, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return traces, log
}

func TestRequestsThatBeginSomethingAreTraced(t *testing.T) {
	traces, _ := exporting(t, http.StatusOK)
	var inside bool
	h := telemetry.New("test").Around("api", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside = trace.Of(r.Context(), "") != ""
		w.WriteHeader(http.StatusTeapot)
	}))
	ask := func(method, traceparent string) bool {
		r := httptest.NewRequest(method, "/", nil).WithContext(traces.Context(context.Background()))
		r.Header.Set("Traceparent", traceparent)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusTeapot {
			t.Errorf("answered %d", w.Code)
		}
		return inside
	}
	const sampled, left = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	if !ask("POST", "") || ask("GET", "") || !ask("GET", sampled) || ask("POST", left) {
		t.Error("want traces of what changes something and of what belongs to one, and none of other looks and of what is not sampled")
	}
	if err := traces.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := traces.State(); s.Ended != 2 || s.Exported != 2 || s.Lost != 0 || s.Trouble != "" {
		t.Errorf("%+v", s)
	}
}

func TestACollectorThatRefusesHoldsNothingUp(t *testing.T) {
	traces, log := exporting(t, http.StatusForbidden)
	_, span := trace.Request(traces.Context(t.Context()), "request", "", "")
	span.End()
	if err := traces.Stop(t.Context()); err != nil {
		t.Errorf("the process does not end in good order: %v", err)
	}
	if s := traces.State(); s.Lost != 1 || s.Exported != 0 || !strings.Contains(s.Trouble, "403") || !strings.Contains(log.String(), "could not be exported") {
		t.Errorf("%+v, log %s", s, log)
	}
}

func TestWithoutACollectorTracesAreNothing(t *testing.T) {
	traces, err := telemetry.NewTraces(t.Context(), "test", func(string) string { return "" }, slog.New(slog.DiscardHandler))
	if traces != nil || err != nil {
		t.Fatal(traces, err)
	}
	ctx := traces.Context(t.Context())
	if _, span := trace.Request(ctx, "request", "", ""); span.Traced() || traces.State() != (telemetry.TraceState{}) {
		t.Error("something is traced")
	}
	if err := traces.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
