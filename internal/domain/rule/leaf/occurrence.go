package leaf

import "time"

// Occurrence asks about the first or the last time of something, ever: {"which": "first", "name": "Order Completed", "filter": [...],
// "window": {"within": {"n": 7, "unit": "day"}}, "has": [{"path": "city", "op": "eq", "value": "Kyoto"}]} matches who ordered for the first time
// within seven days, in Kyoto. filter says which events are looked through, window when the one found was, has what it had.
func Occurrence() Spec {
	return Spec{Kind: "occurrence", Title: "Did something for the first or last time", Parse: parseOccurrence, Schema: func() Schema {
		return aboutSchema(map[string]Schema{"which": enum(ends...), "window": ref("window"), "has": ref("filters")}, "which")
	}}
}

type occurrence struct {
	pick  pick // without a window: of all time
	first bool
	when  Window
	had   []filter
}

func parseOccurrence(in Input) (Leaf, error) {
	f := in.fields("which", "name", "type", "filter", "window", "has")
	l := &occurrence{first: f.choice("which", "", ends) == "first", pick: f.about(), when: f.window(), had: f.filters("has")}
	return l, f.err
}

func (l *occurrence) Ask(d Dialect, ws string, now time.Time) Question {
	end := d.Last
	if l.first {
		end = d.First
	}
	q := &SQL{}
	if len(l.had) == 0 && l.when.since == nil {
		// Only when it was counts, not which of several of the same moment it was.
		q.Add("SELECT person FROM (SELECT person, moment AS time FROM (SELECT person, ", map[bool]string{true: "min", false: "max"}[l.first], "(time) AS moment")
		l.pick.from(q, d, ws)
		l.pick.where(q, d, ws, now.UnixMicro())
		q.Add(" GROUP BY person) AS ended) AS timed WHERE 1 = 1")
		l.when.where(q, d, now.UnixMicro())
		return q.question()
	}
	q.Add("SELECT person FROM (SELECT person")
	columns := []string{"time", "seq", "idx", "fits"}
	if l.when.since != nil {
		columns = append(columns, "start")
	}
	for _, c := range columns {
		q.Add(", ")
		end(q, c)
		q.Add(" AS ", c)
	}
	q.Add(" FROM (SELECT person, time, seq, idx, ")
	if l.when.since != nil {
		q.Add("start, ")
	}
	q.Add("(1 = 1")
	filtered(q, d, l.had)
	q.Add(") AS fits")
	from := l.pick
	from.filters = append(from.filters[:len(from.filters):len(from.filters)], l.had...)
	from.window = l.when
	from.from(q, d, ws)
	l.pick.where(q, d, ws, now.UnixMicro())
	// Without the window: an event before it would otherwise hide that a later one is not the first.
	q.Add(") AS picked GROUP BY person) AS ended WHERE fits")
	l.when.where(q, d, now.UnixMicro())
	return q.question()
}

func (l *occurrence) Eval(s *Subject, now time.Time) Result {
	at := -1
	for i := range s.Events {
		if !l.pick.has(s, i) {
			continue
		}
		at = i
		if l.first {
			break
		}
	}
	if at < 0 || !l.when.reach(s).has(s, at) || !fulfils(l.had, s, at) {
		return steady(false)
	}
	t := s.Events[at].Time.UnixMicro()
	return until(now.UnixMicro(), l.when.bounds(nil, t), func(now int64) bool { return l.when.has(t, now) })
}

func (l *occurrence) Needs() Needs {
	n := l.pick.needs().and(l.when.needs())
	n.Fields = append(n.Fields, asked(l.pick.root(), l.had)...)
	return n
}
