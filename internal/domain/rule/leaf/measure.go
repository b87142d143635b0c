package leaf

import (
	"math"
	"strconv"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// measure condenses picked events to one figure and compares it.
type measure struct {
	agg  string
	path Path
	// column and of take the place of the path for figures about a promoted column.
	column string
	of     func(*event.Promoted) string
	cond   Cond
}

// atLeastOnce is what a count without op and value asks.
var atLeastOnce = Cond{Op: Gte, Vals: []Value{{kind: 'n', num: 1}}}

// figure reads op and value for a figure that is a number. A count may leave both out: at least once.
func (f *fields) figure(agg string) Cond {
	if agg == "count" && !f.has("op") && !f.has("value") {
		return atLeastOnce
	}
	c := f.numeric(f.cond(numericOps, traits), "the "+agg)
	if agg == "sum" || agg == "avg" || agg == "aov" {
		for _, v := range c.Vals {
			if _, ok := micro(v.num); f.err == nil && v.kind == 'n' && !ok {
				f.fail(errs.Invalid("rule.value", f.in.Path+".value", "%v is beyond what sums are compared with; use at most 10^12", v.num))
			}
		}
	}
	return c
}

func (m *measure) kind() figureKind {
	switch m.agg {
	case "sum":
		return aSum
	case "avg":
		return aRatio
	case "min", "max":
		return aNum
	case "first", "last":
		return aJSON
	}
	return aCount
}

// ask writes the select for the people whose figure fulfils the condition.
func (m *measure) ask(p *pick, d Dialect, ws string, now int64) Question {
	q := &SQL{}
	if ask, complement := m.once(); ask {
		q.Add("SELECT person")
		p.from(q, d, ws)
		p.where(q, d, ws, now)
		question := q.question()
		question.Complement = complement
		return question
	}
	q.Add("SELECT person, ")
	switch m.agg {
	case "count":
		q.Add("count(*) AS v, count(*) AS n")
	case "distinct":
		q.Add("count(DISTINCT x) AS v, count(DISTINCT x) AS n")
	case "sum", "avg":
		q.Add("coalesce(sum(")
		d.Micro(q, "x")
		q.Add("), 0) AS v, count(")
		d.Micro(q, "x")
		q.Add(") AS n")
	case "first":
		d.First(q, "x")
		q.Add(" AS v")
	case "last":
		d.Last(q, "x")
		q.Add(" AS v")
	default: // min and max
		q.Add(m.agg, "(x) AS v")
	}
	q.Add(" FROM (SELECT person, time, seq, idx, ")
	switch {
	case m.column != "":
		q.Add(m.column)
	case m.agg == "count":
		q.Add("1")
	case m.agg == "distinct":
		d.Key(q, "props", m.path)
	case m.agg == "first" || m.agg == "last":
		d.JSON(q, "props", m.path)
	default:
		d.Number(q, "props", m.path)
	}
	q.Add(" AS x")
	p.from(q, d, ws)
	p.where(q, d, ws, now)
	q.Add(") AS picked GROUP BY person")
	return decide(q, d, m.kind(), m.cond, ws, now)
}

// once reports whether the condition is that there is an event, or with complement that there is none: nothing need be counted then.
func (m *measure) once() (yes, complement bool) {
	c := m.cond
	if m.agg != "count" || c.traits() || c.Op == Contains || c.Op == StartsWith {
		return false, false
	}
	holds := func(n float64) bool { return figure{kind: aCount, n: int64(n), num: n}.match(c, 0) }
	none := holds(0)
	// Counts are whole, and these conditions change at most at the values they name.
	for _, n := range append([]float64{1, 2}, steps(c)...) {
		if holds(n) == none {
			return false, false
		}
	}
	return true, none
}

// steps are whole numbers from 1 on around all values of a condition: between them its answer is constant.
func steps(c Cond) []float64 {
	var out []float64
	for _, v := range c.Vals {
		for _, n := range []float64{math.Floor(v.num) - 1, math.Floor(v.num), math.Floor(v.num) + 1, math.Floor(v.num) + 2} {
			if n >= 1 {
				out = append(out, n)
			}
		}
	}
	return out
}

// hit is a picked event: when it was and the value the figure is made of.
type hit struct {
	at  int64
	val any
}

// eval answers for one person.
func (m *measure) eval(p *pick, s *Subject, now time.Time) Result {
	us := now.UnixMicro()
	cond, within := m.cond.of(s), p.window.reach(s)
	var hits []hit
	var bounds []int64
	for i := range s.Events {
		if !within.has(s, i) || !p.has(s, i) {
			continue
		}
		h := hit{at: s.Events[i].Time.UnixMicro()}
		switch {
		case m.column != "":
			if t := m.of(s.promoted(i)); t != "" {
				h.val = t
			}
		case m.agg != "count":
			h.val = m.path.Of(s.props(i))
		}
		hits = append(hits, h)
		bounds = p.window.bounds(bounds, h.at)
	}
	return until(us, bounds, func(at int64) bool {
		return m.figure(hits, p.window, at).match(cond, at)
	})
}

// figure condenses the hits that are in the window.
func (m *measure) figure(hits []hit, w Window, now int64) figure {
	g := figure{kind: m.kind()}
	var keys map[string]bool
	for _, h := range hits {
		if !w.has(h.at, now) {
			continue
		}
		num, isNum := number(h.val)
		switch m.agg {
		case "count":
			g.n++
		case "distinct":
			if k := key(h.val); k != "" {
				if keys == nil {
					keys = map[string]bool{}
				}
				keys[k] = true
			}
		case "sum", "avg":
			if v, ok := micro(num); isNum && ok {
				g.n++
				g.sum = g.sum.add(v)
			}
		case "min":
			if isNum && (g.n == 0 || num < g.num) {
				g.num = num
			}
			if isNum {
				g.n++
			}
		case "max":
			if isNum && (g.n == 0 || num > g.num) {
				g.num = num
			}
			if isNum {
				g.n++
			}
		case "first":
			if g.n == 0 {
				g.val = h.val
			}
			g.n++
		case "last":
			g.val = h.val
		}
	}
	if m.agg == "distinct" {
		g.n = int64(len(keys))
	}
	if g.kind == aCount {
		g.num = float64(g.n)
	}
	return g
}

// key tells texts, numbers and booleans apart, empty for anything else.
func key(v any) string {
	if n, ok := number(v); ok {
		return "n" + strconv.FormatFloat(n, 'g', -1, 64)
	}
	switch v := v.(type) {
	case string:
		return "s" + v
	case bool:
		return "b" + strconv.FormatBool(v)
	}
	return ""
}
