// Package trace tells of work as spans of OpenTelemetry traces, so that one trace shows the whole way of an event: its request, the log, the
// pipeline, what follows from it, the message it causes and the answers to that.
//
// It stands between the product and OpenTelemetry's API; only the composition root knows who exports. A context carries the tracer (With) and the
// span in work. What waits, as an event on the log, somebody in a journey or a message in the outbox, carries a traceparent: the text of W3C Trace
// Context that names trace and span. A traceparent is kept of sampled traces alone, so whoever has none is not traced, and without a tracer in
// the context every function here does nothing and allocates nothing.
//
// Owns: how a trace is passed on. Does not own: what is traced, sampling, export.
//
// Invariant: no name and no attribute says who a person is or what they did. Ids of workspaces, kinds, codes and counts are fine.
package trace

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// maxLinks is how many traces a batch is tied to at most; OpenTelemetry's SDK keeps as many links of a span by default.
const maxLinks = 128

type (
	tracerKey    struct{}
	followingKey struct{}
)

// With returns a context whose work, and that of all contexts made of it, is traced.
func With(ctx context.Context, t trace.Tracer) context.Context {
	return context.WithValue(ctx, tracerKey{}, t)
}

func tracer(ctx context.Context) trace.Tracer {
	t, _ := ctx.Value(tracerKey{}).(trace.Tracer)
	return t
}

// Kind says how a span stands to other systems.
type Kind = trace.SpanKind

// The kinds.
const (
	Internal Kind = trace.SpanKindInternal
	Client   Kind = trace.SpanKindClient // asks another system and waits for its answer
)

// Span is a piece of work. The zero value is work that is not traced.
type Span struct {
	span trace.Span
	ways []trace.Span // of a batch: the same work as seen from the other traces
}

// Traced reports whether anybody is told of the span.
func (s Span) Traced() bool { return s.span != nil }

// Text notes an attribute of text.
func (s Span) Text(key, value string) {
	if s.span != nil {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// Count notes an attribute of number.
func (s Span) Count(key string, n int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(key, n))
	}
}

// Fail marks the span as failed, with a code. Errors themselves are not told: their texts may name people.
func (s Span) Fail(code string) {
	if s.span != nil {
		s.span.SetStatus(codes.Error, code)
	}
}

// End ends the span.
func (s Span) End() {
	if s.span == nil {
		return
	}
	s.span.End()
	for _, w := range s.ways {
		w.End()
	}
}

// Done is End, with Fail if there is an error.
func (s Span) Done(err error) {
	if err != nil {
		s.Fail("failed")
	}
	s.End()
}

// Request begins the span of a request that came from outside: in the caller's trace, if it names one (the headers traceparent and tracestate of W3C Trace
// Context), else in a new one.
func Request(ctx context.Context, name, traceparent, tracestate string) (context.Context, Span) {
	t := tracer(ctx)
	if t == nil {
		return ctx, Span{}
	}
	if traceparent != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent, "tracestate": tracestate})
	}
	return begin(ctx, t, name, trace.WithSpanKind(trace.SpanKindServer))
}

// Start begins a part of the span in work. Work that is not traced stays so.
func Start(ctx context.Context, name string) (context.Context, Span) {
	t := tracer(ctx)
	if t == nil || !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, Span{}
	}
	return begin(ctx, t, name)
}

// Route names the span of a request by what it asks for: the pattern of the path, without what stands in its places.
func Route(ctx context.Context, method, pattern string) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetName(method + " " + pattern)
	}
}

// Continue begins a span of the trace that a traceparent names; none if it is empty.
func Continue(ctx context.Context, name, traceparent string, kind Kind) (context.Context, Span) {
	t := tracer(ctx)
	if t == nil || traceparent == "" {
		return ctx, Span{}
	}
	return begin(extract(ctx, traceparent), t, name, trace.WithSpanKind(kind))
}

// Batch begins the span of work that serves many at once; traceparents are those of what is in it, in any number and with repetitions; those that are
// empty count for nothing. The span and its parts belong to the first trace and are linked to the others, each of which gets one span that
// links back. Of tells nothing of a batch's work until Following says for whom it is.
func Batch(ctx context.Context, name string, traceparents []string) (context.Context, Span) {
	t := tracer(ctx)
	if t == nil {
		return ctx, Span{}
	}
	var first string
	var links []trace.Link
	others := map[string]string{} // by trace
	seen := map[string]bool{"": true}
	for _, p := range traceparents {
		if seen[p] || len(links) == maxLinks {
			continue
		}
		seen[p] = true
		if first == "" {
			first = p
			continue
		}
		links = append(links, trace.Link{SpanContext: trace.SpanContextFromContext(extract(context.Background(), p))})
		if id := ID(p); id != ID(first) {
			others[id] = p
		}
	}
	if first == "" {
		return ctx, Span{}
	}
	inside, span := begin(extract(ctx, first), t, name, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(links...))
	if span.span != nil {
		back := trace.WithLinks(trace.Link{SpanContext: span.span.SpanContext()})
		for _, p := range others {
			if _, way := begin(extract(ctx, p), t, name, trace.WithSpanKind(trace.SpanKindConsumer), back); way.span != nil {
				span.ways = append(span.ways, way.span)
			}
		}
	}
	return Following(inside, nil), span
}

// Following says in whose traces a batch works: the traceparents, by person.
func Following(ctx context.Context, people map[string]string) context.Context {
	if tracer(ctx) == nil {
		return ctx
	}
	return context.WithValue(ctx, followingKey{}, people)
}

// For is Batch and Following for people whose traceparents are known from the start.
func For(ctx context.Context, name string, people map[string]string) (context.Context, Span) {
	if tracer(ctx) == nil {
		return ctx, Span{}
	}
	ctx, span := Batch(ctx, name, slices.Sorted(maps.Values(people)))
	if span.Traced() {
		ctx = Following(ctx, people)
	}
	return ctx, span
}

// Of returns the traceparent that what is made for a person now has to carry, "" if it is not traced. In a batch it is that of the person; otherwise
// that of the span in work, whoever it is about.
func Of(ctx context.Context, person string) string {
	if tracer(ctx) == nil {
		return ""
	}
	here := format(trace.SpanContextFromContext(ctx))
	people, batch := ctx.Value(followingKey{}).(map[string]string)
	if !batch {
		return here
	}
	if theirs := people[person]; theirs != "" && ID(theirs) != ID(here) {
		return theirs
	} else if theirs == "" {
		return ""
	}
	return here
}

// begin starts a span; one that the sampler leaves out is none.
func begin(ctx context.Context, t trace.Tracer, name string, opts ...trace.SpanStartOption) (context.Context, Span) {
	ctx, span := t.Start(ctx, name, opts...)
	if !span.IsRecording() {
		return ctx, Span{}
	}
	return ctx, Span{span: span}
}

func extract(ctx context.Context, traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
}

// format writes a traceparent of a sampled span, "" of any other.
func format(c trace.SpanContext) string {
	if !c.IsValid() || !c.IsSampled() {
		return ""
	}
	return fmt.Sprintf("00-%s-%s-%s", c.TraceID(), c.SpanID(), c.TraceFlags())
}

// ID returns the trace that a traceparent names, as collectors show it; "" of an empty one.
func ID(traceparent string) string {
	const begin, end = len("00-"), len("00-") + 32
	if len(traceparent) < end {
		return ""
	}
	return traceparent[begin:end]
}
