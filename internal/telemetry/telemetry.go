// Package telemetry is what an operator's monitoring sees: counters, durations and levels in the form of Prometheus, and traces by OpenTelemetry's protocol.
//
// Owns: the names of the metrics (all begin with kizuna_), their labels and buckets, the handler that shows them.
// Also owns where traces go; spans are made with kit/trace by whoever works.
// Does not own: the figures. They are told by the parts that the composition root connects: batches by the pipeline, levels by
// probes that are asked when somebody looks, requests by the handler around each area.
//
// Invariants: labels come from closed lists (areas, stages, types, the product's own event names), never from what users write;
// a probe that fails or takes too long leaves its metric out and counts in kizuna_probe_failures_total, and the rest is shown.
package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// probePatience is how long one look at the metrics may ask around; Prometheus gives up after ten seconds by default.
const probePatience = 5 * time.Second

// seconds are the buckets of durations, from a cached answer to what a user calls broken.
var seconds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}

// Metrics holds the figures of one process.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	answers  *prometheus.HistogramVec
	events   *prometheus.CounterVec
	stages   *prometheus.HistogramVec
	lag      prometheus.Histogram
}

// New returns metrics of a process of this version, with the levels that the probes tell.
func New(version string, probes ...Probe) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kizuna_http_requests_total", Help: "Requests answered, by area of the server and status.",
		}, []string{"area", "code"}),
		answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kizuna_http_request_seconds", Help: "Time to answer a request, by area of the server. Live streams are left out.", Buckets: seconds,
		}, []string{"area"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kizuna_events_total", Help: "Events that went through the pipeline, each once; name only for those the product writes itself.",
		}, []string{"type", "name"}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kizuna_pipeline_stage_seconds", Help: "Time a batch took in each stage of the pipeline.", Buckets: seconds,
		}, []string{"stage"}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kizuna_pipeline_lag_seconds", Help: "From an event's arrival on the log to the end of everything that follows from it; the oldest event of each batch.", Buckets: seconds,
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "kizuna_build_info", Help: "1; the version is in the label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(
		m.requests, m.answers, m.events, m.stages, m.lag, build, newProber(probes),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Handler shows the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Around counts, times and traces the requests of an area.
func (m *Metrics) Around(area string, h http.Handler) http.Handler {
	h = traced(area, h)
	labels := prometheus.Labels{"area": area}
	timed := promhttp.InstrumentHandlerDuration(m.answers.MustCurryWith(labels), h)
	return promhttp.InstrumentHandlerCounter(m.requests.MustCurryWith(labels), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") == "text/event-stream" {
			h.ServeHTTP(w, r) // it ends when the screen is closed, which says nothing of us
			return
		}
		timed.ServeHTTP(w, r)
	}))
}

// Batch tells of events that have gone through all stages.
type Batch struct {
	Events []event.Kept
	Oldest time.Time                // when the oldest came onto the log
	Done   time.Time                // when everything that follows had been done
	Stages map[string]time.Duration // how long each stage took
}

// Passed counts a batch.
func (m *Metrics) Passed(b Batch) {
	for stage, took := range b.Stages {
		m.stages.WithLabelValues(stage).Observe(took.Seconds())
	}
	m.lag.Observe(max(b.Done.Sub(b.Oldest), 0).Seconds())
	type kind struct {
		t    event.Type
		name string
	}
	counts := map[kind]int{}
	for i := range b.Events {
		k := kind{t: b.Events[i].Type}
		if !k.t.External() {
			k.name = b.Events[i].Name
		}
		counts[k]++
	}
	for k, n := range counts {
		m.events.WithLabelValues(string(k.t), k.name).Add(float64(n))
	}
}
