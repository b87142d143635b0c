package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

// scope is the name of the instrumentation, as OpenTelemetry calls the part of a program that makes spans.
const scope = "github.com/kizuna-cx/kizuna"

// Traces exports spans by OTLP/HTTP. It is a lifecycle.Service: Stop sends what is left. nil exports nothing, and all its methods work.
//
// The standard variables of OpenTelemetry's SDK configure it: the address, headers and certificates of the collector (OTEL_EXPORTER_OTLP_...), the
// name of the service and what else is said of it (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES), sampling (OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG),
// and the sizes of queue and batches (OTEL_BSP_...).
type Traces struct {
	provider *sdktrace.TracerProvider
	exporter *watched
	where    string
	ended    ended
}

// TracesTo returns the collector that the environment names, "" if traces are not exported: without an address, or with OTEL_SDK_DISABLED=true or
// OTEL_TRACES_EXPORTER=none.
func TracesTo(getenv func(string) string) (collector string, err error) {
	collector = cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	exporter := getenv("OTEL_TRACES_EXPORTER")
	if collector == "" || exporter == "none" || strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return "", nil
	}
	if exporter != "" && exporter != "otlp" {
		return "", fmt.Errorf("OTEL_TRACES_EXPORTER=%s: want otlp, or none to export no traces", exporter)
	}
	if p := cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf"); p != "http/protobuf" {
		return "", fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL=%s: traces go by http/protobuf; name the collector's port for that, most often 4318", p)
	}
	if u, err := url.Parse(collector); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT=%s: want http://HOST:PORT or https://HOST:PORT", collector)
	}
	return collector, nil
}

// NewTraces returns what the environment asks for, nil if it asks for nothing. Nothing is sent before the first span has ended.
func NewTraces(ctx context.Context, version string, getenv func(string) string, log *slog.Logger) (*Traces, error) {
	where, err := TracesTo(getenv)
	if err != nil || where == "" {
		return nil, err
	}
	// The SDK has one place in a process to tell of trouble, also with its variables.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces could not be exported", "err", err) }))
	out, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	about, err := describe(ctx, version)
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	t := &Traces{exporter: &watched{SpanExporter: out}, where: where}
	t.provider = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(&t.ended), sdktrace.WithBatcher(t.exporter), sdktrace.WithResource(about))
	return t, nil
}

// describe is what all spans say of where they come from.
func describe(ctx context.Context, version string) (*resource.Resource, error) {
	return resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithHost(), // of several machines
		resource.WithAttributes(attribute.String("service.name", "kizuna"), attribute.String("service.version", version)),
		resource.WithFromEnv(), // wins over what stands before
	)
}

// Context returns a context whose work is traced.
func (t *Traces) Context(ctx context.Context) context.Context {
	if t == nil {
		return ctx
	}
	return trace.With(ctx, t.provider.Tracer(scope))
}

// Start does nothing: spans are sent as they come.
func (t *Traces) Start(context.Context) error { return nil }

// Stop sends the spans that wait, as far as ctx allows. A collector that is away is no reason for a process not to end in good order.
func (t *Traces) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lastPatience)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		otel.Handle(err)
	}
	return nil
}

// lastPatience is how long a process that ends waits for the collector.
const lastPatience = 3 * time.Second

// TraceState is how the export of traces fares.
type TraceState struct {
	Collector string // where spans go; empty: nowhere
	Ended     int64  // spans that ended
	Exported  int64  // spans that the collector has taken
	Lost      int64  // spans that it has not
	Trouble   string // why the last ones were lost; empty: they were not
}

// State returns how it fares.
func (t *Traces) State() TraceState {
	if t == nil {
		return TraceState{}
	}
	s := TraceState{Collector: t.where, Ended: t.ended.Load(), Exported: t.exporter.exported.Load(), Lost: t.exporter.lost.Load()}
	if err := t.exporter.trouble.Load(); err != nil {
		s.Trouble = (*err).Error()
	}
	return s
}

// Probe tells /metrics of it.
func (t *Traces) Probe() Probe {
	return Probe{
		Name: "traces",
		Metrics: []Metric{
			{Name: "kizuna_trace_spans_ended_total", Help: "Spans of traces that ended. Many more than were exported and lost: the queue (OTEL_BSP_MAX_QUEUE_SIZE) is too short for so many.", Total: true},
			{Name: "kizuna_trace_spans_total", Help: "Spans that were sent to the collector, by whether it took them.", Label: "result", Total: true},
		},
		Read: func(context.Context) (map[string]map[string]float64, error) {
			s := t.State()
			return map[string]map[string]float64{
				"kizuna_trace_spans_ended_total": One(float64(s.Ended)),
				"kizuna_trace_spans_total":       {"exported": float64(s.Exported), "lost": float64(s.Lost)},
			}, nil
		},
	}
}

// TryTraces sends one span to the collector that the environment names and returns what it says to that.
func TryTraces(ctx context.Context, version string) error {
	out, err := otlptracehttp.New(ctx, otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
	if err != nil {
		return err
	}
	about, err := describe(ctx, version)
	if err != nil {
		return err
	}
	// The generator of ids belongs to a provider; one that drops what it is given has it too.
	ids := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(ids), sdktrace.WithResource(about), sdktrace.WithSampler(sdktrace.AlwaysSample()))
	_, span := provider.Tracer(scope).Start(ctx, "doctor")
	span.End()
	return errors.Join(out.ExportSpans(ctx, ids.Ended()), out.Shutdown(ctx))
}

// ended counts spans as they end.
type ended struct{ atomic.Int64 }

// OnEnd implements sdktrace.SpanProcessor, as do the others, which have nothing to do.
func (e *ended) OnEnd(sdktrace.ReadOnlySpan)                     { e.Add(1) }
func (e *ended) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (e *ended) Shutdown(context.Context) error                  { return nil }
func (e *ended) ForceFlush(context.Context) error                { return nil }

// watched counts what an exporter exports.
type watched struct {
	sdktrace.SpanExporter
	exported, lost atomic.Int64
	trouble        atomic.Pointer[error]
}

// ExportSpans implements sdktrace.SpanExporter.
func (w *watched) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := w.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		w.lost.Add(int64(len(spans)))
		w.trouble.Store(&err)
		return err
	}
	w.exported.Add(int64(len(spans)))
	w.trouble.Store(nil)
	return nil
}

// traced makes a span of each request that begins something or belongs to a trace: those that only read, unless they are the intake's pixels, begin
// none of their own.
func traced(area string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := r.Header.Get("Traceparent")
		if caller == "" && area != "intake" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			h.ServeHTTP(w, r)
			return
		}
		ctx, span := trace.Request(r.Context(), r.Method+" "+area, caller, r.Header.Get("Tracestate"))
		if !span.Traced() {
			if ctx != r.Context() { // not sampled: what follows must not begin a trace of its own
				r = r.WithContext(ctx)
			}
			h.ServeHTTP(w, r)
			return
		}
		defer span.End()
		answer := &answer{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(answer, r.WithContext(ctx))
		span.Text("http.request.method", r.Method)
		span.Count("http.response.status_code", answer.status)
		if answer.status >= http.StatusInternalServerError {
			span.Fail("status")
		}
	})
}

// answer remembers the status of an answer.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
