package leaf

import (
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// maxFilters is how many property filters a condition may have.
const maxFilters = 10

// filter is a condition on a property of an event.
type filter struct {
	path Path
	cond Cond
}

func (f *fields) filters() []filter {
	in, ok := f.in.Get("filter")
	if !ok || f.err != nil {
		return nil
	}
	items, ok := in.Items()
	switch {
	case !ok:
		f.fail(in.wrong("a list of filters"))
	case len(items) > maxFilters:
		f.fail(errs.Invalid("rule.too_many_filters", in.Path, "%d filters are too many; at most %d are allowed", len(items), maxFilters))
	}
	var out []filter
	for _, item := range items {
		if f.err != nil {
			return nil
		}
		g := item.fields("path", "op", "value")
		out = append(out, filter{g.path("path"), g.cond(allOps, false)})
		f.fail(g.err)
	}
	return out
}

// pick says which events a condition is about.
type pick struct {
	name    string     // empty: any
	typ     event.Type // empty: any
	columns []columnIs
	filters []filter
	window  Window
}

// columnIs asks that a promoted column holds a text.
type columnIs struct {
	column string
	of     func(*event.Promoted) string
	want   string
}

// where writes the condition on the event table, beginning with WHERE.
func (p *pick) where(q *SQL, d Dialect, ws string, now int64) {
	q.Add(" WHERE ws = ").Arg(ws)
	if p.typ != "" {
		q.Add(" AND type = ").Arg(string(p.typ))
	}
	switch p.name {
	case "":
	case string(event.Page), string(event.Screen):
		q.Add(" AND (name = ").Arg(p.name).Add(" OR type = ").Arg(p.name).Add(")")
	default:
		q.Add(" AND name = ").Arg(p.name)
	}
	for _, c := range p.columns {
		q.Add(" AND ", c.column, " = ").Arg(c.want)
	}
	p.window.where(q, now)
	for _, f := range p.filters {
		op, opposite := f.cond.Op.positive()
		q.Add(" AND ")
		if opposite {
			q.Add("NOT ")
		}
		d.Cond(q, "props", f.path, Cond{op, f.cond.Vals}, now)
	}
}

// has reports whether the event is one of those, whatever its time.
func (p *pick) has(s *Subject, i int, now int64) bool {
	e := &s.Events[i].Event
	if p.typ != "" && e.Type != p.typ || p.name != "" && !event.Named(e, p.name) {
		return false
	}
	for _, c := range p.columns {
		if c.of(s.promoted(i)) != c.want {
			return false
		}
	}
	for _, f := range p.filters {
		if !f.cond.Match(f.path.Of(s.props(i)), now) {
			return false
		}
	}
	return true
}

func (p *pick) needs() Needs {
	n := Needs{Windowed: p.window.relative()}
	switch {
	case p.name != "":
		n.Names = []string{p.name}
	case p.typ == event.Page || p.typ == event.Screen:
		n.Names = []string{string(p.typ)}
	default:
		n.All = true
	}
	return n
}
