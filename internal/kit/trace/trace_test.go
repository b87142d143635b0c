package trace_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

// traced returns a context that is traced, and what is told of it.
func traced(t *testing.T) (context.Context, *tracetest.SpanRecorder) {
	rec := tracetest.NewSpanRecorder()
	p := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(rec))
	return trace.With(t.Context(), p.Tracer("test")), rec
}

// parent is a traceparent of the nth trace.
func parent(n int) string { return fmt.Sprintf("00-%032x-%016x-01", n, n) }

func traceID(n int) string { return fmt.Sprintf("%032x", n) }

func TestWhatIsStoredGoesOnInItsTrace(t *testing.T) {
	ctx, rec := traced(t)
	ctx, request := trace.Request(ctx, "request", parent(7), "vendor=1")
	inside, part := trace.Start(ctx, "part")
	stored := trace.Of(inside, "anybody")
	part.End()
	request.End()
	ctx, _ = traced(t) // another process
	ctx, later := trace.Continue(ctx, "later", stored, trace.Client)
	if !later.Traced() || !strings.Contains(trace.Of(ctx, ""), traceID(7)) {
		t.Errorf("%q goes on as %q", stored, trace.Of(ctx, ""))
	}
	ended := rec.Ended()
	if len(ended) != 2 || ended[0].Parent().SpanID() != ended[1].SpanContext().SpanID() || ended[1].Parent().SpanID().String() != fmt.Sprintf("%016x", 7) {
		t.Errorf("told of %v", ended)
	}
	if s := ended[1].SpanContext().TraceState().String(); s != "vendor=1" {
		t.Errorf("the state of the caller's trace is %q", s)
	}
}

func TestWhoIsNotSampledIsNotTraced(t *testing.T) {
	ctx, rec := traced(t)
	ctx, request := trace.Request(ctx, "request", strings.TrimSuffix(parent(7), "1")+"0", "")
	_, part := trace.Start(ctx, "part")
	if request.Traced() || part.Traced() || trace.Of(ctx, "") != "" || len(rec.Started()) != 0 {
		t.Errorf("told of %v, %q goes on", rec.Started(), trace.Of(ctx, ""))
	}
	if _, own := trace.Request(ctx, "request", "nonsense", ""); own.Traced() {
		t.Error("a request within one that is not sampled is")
	}
}

func TestATraceparentThatIsNoneBeginsATraceOfItsOwn(t *testing.T) {
	for _, text := range []string{"nonsense", "00-" + strings.Repeat("0", 32) + "-" + strings.Repeat("0", 16) + "-01", "ff" + parent(7)[2:], strings.Repeat("x", 10000)} {
		ctx, _ := traced(t)
		ctx, request := trace.Request(ctx, "request", text, "")
		if !request.Traced() || strings.Contains(trace.Of(ctx, ""), traceID(7)) {
			t.Errorf("%.60q became %q", text, trace.Of(ctx, ""))
		}
	}
}

// A batch is told of once, in the first of its traces; the others have a span that links to it.
func TestABatchOfManyTracesIsToldOfOnce(t *testing.T) {
	ctx, rec := traced(t)
	ctx, batch := trace.Batch(ctx, "batch", []string{"", parent(1), parent(2), parent(1), parent(3), parent(2)})
	if got := trace.Of(ctx, "ann"); got != "" {
		t.Errorf("before it is said whom the batch serves, what it makes for Ann goes on as %q", got)
	}
	ctx = trace.Following(ctx, map[string]string{"ann": parent(1), "bob": parent(2)})
	inside, part := trace.Start(ctx, "part")
	for person, want := range map[string]string{"ann": traceID(1), "bob": traceID(2), "eve": ""} {
		if got := trace.Of(inside, person); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("what is made for %s goes on as %q, want %q", person, got, want)
		}
	}
	part.Done(errors.New("ann@people.example is away"))
	batch.End()
	byTrace := map[string][]sdktrace.ReadOnlySpan{}
	for _, s := range rec.Ended() {
		byTrace[s.SpanContext().TraceID().String()] = append(byTrace[s.SpanContext().TraceID().String()], s)
		if strings.Contains(s.Status().Description, "ann") {
			t.Errorf("%s says %q", s.Name(), s.Status().Description)
		}
	}
	first := byTrace[traceID(1)]
	if len(byTrace) != 3 || len(first) != 2 || len(first[1].Links()) != 2 {
		t.Fatalf("told of %v", rec.Ended())
	}
	for n := 2; n <= 3; n++ {
		same := byTrace[traceID(n)]
		if len(same) != 1 || len(same[0].Links()) != 1 || same[0].Links()[0].SpanContext.SpanID() != first[1].SpanContext().SpanID() || same[0].Parent().TraceID().String() != traceID(n) {
			t.Errorf("trace %d: %v", n, same)
		}
	}
}

func TestABatchOfVeryManyTracesIsBounded(t *testing.T) {
	ctx, rec := traced(t)
	all := make([]string, 500)
	for n := range all {
		all[n] = parent(n + 1)
	}
	_, batch := trace.Batch(ctx, "batch", all)
	batch.End()
	if n := len(rec.Ended()); n != 129 {
		t.Errorf("%d spans for 500 traces, want the batch's and those of 128", n)
	}
}

func TestWithoutATracerNothingIsAllocated(t *testing.T) {
	ctx := t.Context()
	stored := parent(1)
	all := []string{stored, parent(2)}
	if n := testing.AllocsPerRun(100, func() {
		ctx, s := trace.Request(ctx, "request", stored, "")
		ctx, p := trace.Start(ctx, "part")
		ctx, c := trace.Continue(ctx, "later", stored, trace.Internal)
		ctx, b := trace.Batch(ctx, "batch", all)
		p.Text("key", trace.Of(trace.Following(ctx, nil), "ann"))
		p.Count("key", 1)
		for _, one := range []trace.Span{s, p, c, b} {
			one.Done(nil)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
