package harness

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is what a Collector was told of one.
type Span struct {
	Trace, ID, Parent string // hexadecimal
	Name              string
	Attributes        map[string]string
	Links             []string // traces
}

// Collector takes traces by OTLP/HTTP, as Jaeger, Tempo or OpenTelemetry's own collector do.
type Collector struct {
	URL string

	mu    sync.Mutex
	spans []Span
}

// StartCollector starts one on a loopback port.
func StartCollector(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in coltrace.ExportTraceServiceRequest
		raw, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(raw, &in)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, of := range in.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				c.take(scope.Spans)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf") // the empty answer is a whole one
	}))
	t.Cleanup(srv.Close)
	c.URL = srv.URL
	return c
}

func (c *Collector) take(spans []*v1.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range spans {
		one := Span{Trace: fmt.Sprintf("%x", s.TraceId), ID: fmt.Sprintf("%x", s.SpanId), Parent: fmt.Sprintf("%x", s.ParentSpanId), Name: s.Name, Attributes: map[string]string{}}
		for _, a := range s.Attributes {
			_, value, _ := strings.Cut(a.Value.String(), ":") // kind:value, whatever the kind
			one.Attributes[a.Key] = strings.Trim(value, `"`)
		}
		for _, l := range s.Links {
			one.Links = append(one.Links, fmt.Sprintf("%x", l.TraceId))
		}
		c.spans = append(c.spans, one)
	}
}

// Spans returns what has come so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// Of returns the spans of a trace by name.
func (c *Collector) Of(trace string) map[string][]Span {
	out := map[string][]Span{}
	for _, s := range c.Spans() {
		if s.Trace == trace {
			out[s.Name] = append(out[s.Name], s)
		}
	}
	return out
}
