package leaf

import (
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Event asks what the person did: {"name": "Order Completed", "agg": "count", "op": "gte", "value": 2, "filter": [...], "window": ...}.
func Event() Spec {
	return Spec{Kind: "event", Title: "Did or did not do something", Parse: parseEvent, Schema: eventSchema}
}

var (
	eventAggs  = []string{"count", "sum", "avg", "min", "max", "distinct", "first", "last"}
	eventTypes = []string{
		string(event.Track), string(event.Page), string(event.Screen), string(event.Identify), string(event.Group), string(event.Alias),
		string(event.Message), string(event.Segment), string(event.Journey), string(event.Consent), string(event.Task), string(event.Invoice), string(event.Standing), string(event.Identity),
	}
)

type eventLeaf struct {
	pick    pick
	measure measure
}

func parseEvent(in Input) (Leaf, error) {
	f := in.fields("name", "type", "agg", "path", "op", "value", "filter", "window")
	l := &eventLeaf{pick: f.about()}
	l.measure.agg = f.choice("agg", "count", eventAggs)
	switch l.measure.agg {
	case "count":
		if f.has("path") {
			f.fail(errs.Invalid("rule.value", in.Path+".path", "count counts events and takes no path; use distinct to count values, or filter with exists"))
		}
		l.measure.cond = f.figure("count")
	case "first", "last":
		l.measure.path = f.path("path")
		l.measure.cond = f.cond(allOps, traits)
	default:
		l.measure.path = f.path("path")
		l.measure.cond = f.figure(l.measure.agg)
	}
	l.pick.window = f.window()
	return l, f.err
}

// about reads which events a condition is about: "name", "type" and "filter".
func (f *fields) about() pick {
	p := pick{name: f.maybeText("name")}
	if f.has("type") {
		p.typ = event.Type(f.choice("type", "", eventTypes))
	}
	if f.err == nil && p.name == "" && p.typ == "" {
		f.fail(errs.Invalid("rule.missing", f.in.Path, "which event? Add name, type or both"))
	}
	p.filters = f.filters("filter")
	return p
}

func (l *eventLeaf) Ask(d Dialect, ws string, now time.Time) Question {
	return l.measure.ask(&l.pick, d, ws, now.UnixMicro())
}

func (l *eventLeaf) Eval(s *Subject, now time.Time) Result { return l.measure.eval(&l.pick, s, now) }

func (l *eventLeaf) Needs() Needs {
	n := l.pick.needs()
	if l.measure.path != nil {
		n.Fields = append(n.Fields, l.measure.path.field(l.pick.root()))
	}
	n.Fields = append(n.Fields, l.measure.cond.fields()...)
	return n
}

func eventSchema() Schema {
	agg := func(path bool, cond Schema, words ...string) Schema {
		s := Schema{"properties": map[string]Schema{"agg": enum(words...)}, "allOf": []Schema{cond}}
		if path {
			s["required"] = []string{"agg", "path"}
		} else {
			s["allOf"] = []Schema{cond, not(has("path"))}
		}
		return s
	}
	return object(map[string]Schema{
		"name": textSchema, "type": enum(eventTypes...), "agg": enum(eventAggs...), "path": pathSchema,
		"op": enum(allOps...), "value": {}, "filter": ref("filters"), "window": ref("window"),
	}).with(
		anyOf(has("name"), has("type")),
		anyOf(
			agg(false, countSchema(), "count"),
			agg(true, ref("figure"), "sum", "avg", "min", "max", "distinct"),
			agg(true, ref("traitOrValue"), "first", "last"),
		),
	)
}

// countSchema lets a count leave out op and value.
func countSchema() Schema {
	return anyOf(ref("figure"), not(anyOf(has("op"), has("value"))))
}
