package leaf

import (
	"slices"

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

// filters reads a list of conditions on properties.
func (f *fields) filters(key string) []filter {
	in, ok := f.in.Get(key)
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
		out = append(out, filter{g.path("path"), g.cond(allOps, traits)})
		f.fail(g.err)
	}
	return out
}

// pick says which events a condition is about.
type pick struct {
	name    string     // empty: any
	also    string     // a second name, empty if there is none; the first is none of a page or screen then
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

// from writes where the events come from, beginning with FROM: the table event, with the columns that where reads besides.
func (p *pick) from(q *SQL, d Dialect, ws string) {
	since, traits := p.window.since, p.compares()
	if since == nil && !traits {
		q.Add(" FROM event")
		return
	}
	// No two of the tables have a column of the same name: engines differ in what e.* calls it then.
	q.Add(" FROM (SELECT e.*")
	if traits {
		q.Add(", ", owner)
	}
	if since != nil {
		q.Add(", start")
	}
	q.Add(" FROM event AS e")
	if traits {
		q.Add(" JOIN (SELECT num AS owner_num, traits AS ", owner, " FROM person WHERE ws = ").Arg(ws).Add(") AS who ON owner_num = e.person")
	}
	if since != nil {
		q.Add(" JOIN (SELECT person AS starter, ", map[bool]string{true: "min(", false: "max("}[since.first])
		d.Place(q)
		q.Add(") AS start")
		since.pick.from(q, d, ws)
		since.pick.where(q, d, ws, 0)
		q.Add(" GROUP BY person) AS started ON starter = e.person")
	}
	q.Add(" WHERE e.ws = ").Arg(ws).Add(") AS event")
}

// compares reports whether a filter compares with a trait.
func (p *pick) compares() bool { return anyCompares(p.filters) }

func anyCompares(filters []filter) bool {
	return slices.ContainsFunc(filters, func(f filter) bool { return f.cond.traits() })
}

// where writes the condition on the events, beginning with WHERE.
func (p *pick) where(q *SQL, d Dialect, ws string, now int64) {
	q.Add(" WHERE ws = ").Arg(ws)
	p.is(q, d)
	p.window.where(q, d, now)
}

// is writes which events those are whatever their time, each part beginning with AND.
func (p *pick) is(q *SQL, d Dialect) {
	if p.typ != "" {
		q.Add(" AND type = ").Arg(string(p.typ))
	}
	switch p.name {
	case "":
	case string(event.Page), string(event.Screen):
		q.Add(" AND (name = ").Arg(p.name).Add(" OR type = ").Arg(p.name).Add(")")
	default:
		if p.also != "" {
			q.Add(" AND (name = ").Arg(p.name).Add(" OR name = ").Arg(p.also).Add(")")
		} else {
			q.Add(" AND name = ").Arg(p.name)
		}
	}
	for _, c := range p.columns {
		q.Add(" AND ", c.column, " = ").Arg(c.want)
	}
	filtered(q, d, p.filters)
}

// filtered writes filters, each beginning with AND.
func filtered(q *SQL, d Dialect, filters []filter) {
	for _, f := range filters {
		op, opposite := f.cond.Op.positive()
		q.Add(" AND ")
		if opposite {
			q.Add("NOT ")
		}
		d.Cond(q, "props", f.path, Cond{op, f.cond.Vals}, 0)
	}
}

// has reports whether the event is one of those, whatever its time.
func (p *pick) has(s *Subject, i int) bool {
	e := &s.Events[i].Event
	if p.typ != "" && e.Type != p.typ || p.name != "" && !event.Named(e, p.name) && (p.also == "" || e.Name != p.also) {
		return false
	}
	for _, c := range p.columns {
		if c.of(s.promoted(i)) != c.want {
			return false
		}
	}
	return fulfils(p.filters, s, i)
}

// fulfils reports whether the properties of an event pass the filters.
func fulfils(filters []filter, s *Subject, i int) bool {
	for _, f := range filters {
		if !f.cond.of(s).Match(f.path.Of(s.props(i)), 0) {
			return false
		}
	}
	return true
}

func (p *pick) needs() Needs {
	n := Needs{Looks: []Look{{p.typ, p.name, p.window}}}
	if p.also != "" {
		n.Looks = append(n.Looks, Look{p.typ, p.also, p.window})
	}
	switch {
	case p.name != "":
		n.Names = []string{p.name}
		if p.also != "" {
			n.Names = append(n.Names, p.also)
		}
	case p.typ == event.Page || p.typ == event.Screen:
		n.Names = []string{string(p.typ)}
	default:
		n.All = true
	}
	n.Fields = asked(p.root(), p.filters)
	return n.and(p.window.needs())
}

// root is where rules of intake have the properties of these events.
func (p *pick) root() string {
	if p.typ == event.Identify || p.typ == event.Group {
		return "traits"
	}
	return "properties"
}

// asked is what filters look at.
func asked(root string, filters []filter) (out []string) {
	for _, f := range filters {
		out = append(append(out, f.path.field(root)), f.cond.fields()...)
	}
	return out
}
