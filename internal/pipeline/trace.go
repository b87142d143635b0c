package pipeline

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

// traces returns the traces that events belong to.
func traces(events []event.Event) (out []string) {
	for i := range events {
		if t := events[i].Trace; t != "" {
			out = append(out, t)
		}
	}
	return out
}

// begin begins the span of a batch of records.
func (w *Worker) begin(ctx context.Context, batch []person.LogRecord) (context.Context, trace.Span) {
	var all []string
	events := 0
	for _, r := range batch {
		all = append(all, traces(r.Events)...)
		events += len(r.Events)
	}
	ctx, span := trace.Batch(ctx, "pipeline", all)
	if span.Traced() {
		span.Count("kizuna.events", events)
		span.Text("kizuna.traced", strings.Join(kinds(batch), ", "))
	}
	return ctx, span
}

// kinds are what the traced events of a batch are: their type or, of those that the product writes itself, their name.
func kinds(batch []person.LogRecord) []string {
	found := map[string]bool{}
	for _, r := range batch {
		for i := range r.Events {
			switch e := &r.Events[i]; {
			case e.Trace == "":
			case e.Type.External():
				found[string(e.Type)] = true
			default:
				found[e.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Following lets what reactors do for people be part of the traces of their events, of several the last counts, and carry on how many journeys
// are behind these, of several the most.
func Following(ctx context.Context, r Reaction) context.Context {
	var traces map[string]string
	var hops map[string]int
	var ids map[[2]any]string
	for i := range r.Events {
		e := &r.Events[i]
		if e.Trace == "" && e.Hops == 0 {
			continue
		}
		if ids == nil {
			traces, hops, ids = map[string]string{}, map[string]int{}, map[[2]any]string{}
			for _, ref := range r.Touched {
				ids[[2]any{ref.Workspace, ref.Num}] = ref.ID
			}
		}
		id := ids[[2]any{e.Workspace, e.Person}]
		if id == "" {
			continue
		}
		if e.Trace != "" {
			traces[id] = e.Trace
		}
		hops[id] = max(hops[id], e.Hops)
	}
	if len(traces) > 0 {
		ctx = trace.Following(ctx, traces)
	}
	if ids == nil {
		return ctx
	}
	return event.After(ctx, hops)
}

// stage does a part of a batch as a span of its own.
func stage(ctx context.Context, name string, do func(ctx context.Context) error) error {
	ctx, span := trace.Start(ctx, name)
	err := do(ctx)
	span.Done(err)
	return err
}
