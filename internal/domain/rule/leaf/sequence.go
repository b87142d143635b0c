package leaf

import (
	"fmt"
	"math"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Sequence asks whether things happened in an order: {"steps": [{"name": "Product Added"}, {"name": "Order Completed", "within": {"n": 1, "unit":
// "day"}, "without": {"name": "Product Removed"}}], "by": "product_id", "window": ...}.
//
// Each step is an event after the one of the step before: less than "within" later, and with no event of "without" between the two. "by" holds
// all events of a sequence to one value of a property. A last step with "absent": true asks that its event did not follow, which is known once
// "within" is over, or at any time if it has none. The window is when the last event that did happen was.
func Sequence() Spec {
	return Spec{Kind: "sequence", Title: "Did things in an order", Parse: parseSequence, Schema: sequenceSchema}
}

// maxSequence is how many steps a sequence may have.
const maxSequence = 5

type sequence struct {
	steps  []step
	by     Path // nil: whatever
	window Window
}

type step struct {
	pick    pick
	within  int64 // forever: without end
	without *pick
	absent  bool
}

func parseSequence(in Input) (Leaf, error) {
	f := in.fields("steps", "by", "window")
	l := &sequence{}
	list := f.need("steps")
	if f.err != nil {
		return nil, f.err
	}
	items, ok := list.Items()
	switch {
	case !ok:
		f.fail(list.wrong("a list of steps"))
	case len(items) < 2 || len(items) > maxSequence:
		f.fail(errs.Invalid("rule.value", list.Path, "a sequence has 2 to %d steps, this one %d", maxSequence, len(items)))
	}
	for i, item := range items {
		if f.err != nil {
			return nil, f.err
		}
		st, err := readStep(item, i, len(items))
		f.fail(err)
		l.steps = append(l.steps, st)
	}
	if f.has("by") {
		l.by = f.path("by")
	}
	l.window = f.window()
	return l, f.err
}

func readStep(in Input, i, of int) (step, error) {
	allowed := []string{"name", "type", "filter"}
	if i > 0 {
		allowed = append(allowed, "within", "without", "absent")
	}
	f := in.fields(allowed...)
	st := step{pick: f.about(), within: forever, absent: f.yesNo("absent", false)}
	if within, ok := in.Get("within"); ok && f.err == nil {
		var err error
		st.within, err = span(within, 1)
		f.fail(err)
	}
	if without, ok := in.Get("without"); ok && f.err == nil {
		g := without.fields("name", "type", "filter")
		p := g.about()
		st.without = &p
		f.fail(g.err)
	}
	switch {
	case f.err != nil || !st.absent:
	case i < of-1:
		f.fail(errs.Invalid("rule.value", in.Path+".absent", "only the last step can be one that did not happen; for between two steps use without"))
	case st.without != nil:
		f.fail(errs.Invalid("rule.value", in.Path+".without", "a step that did not happen takes no without; leave it out"))
	}
	return st, f.err
}

// present is the number of steps that have to have happened.
func (l *sequence) present() int {
	if l.steps[len(l.steps)-1].absent {
		return len(l.steps) - 1
	}
	return len(l.steps)
}

// picks are all events that the sequence reads.
func (l *sequence) picks() []*pick {
	var out []*pick
	for i := range l.steps {
		out = append(out, &l.steps[i].pick)
		if l.steps[i].without != nil {
			out = append(out, l.steps[i].without)
		}
	}
	return out
}

// Ask numbers the events of each person and carries, step by step, the last event that ends the steps so far: it leaves the least time and the
// fewest events in between, so if any event will do it will.
func (l *sequence) Ask(d Dialect, ws string, now time.Time) Question {
	const (
		before = " OVER (PARTITION BY person, k ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
		behind = " OVER (PARTITION BY person, k ORDER BY n ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
	)
	us := now.UnixMicro()
	layer := l.flags(d, ws)
	for i := 1; i < l.present(); i++ {
		st := l.steps[i]
		q := &SQL{}
		// Of the last event that ended the steps so far: its number and its time; and the number of the last event that may not lie between.
		q.Add(fmt.Sprintf("SELECT *, coalesce(s%[1]d AND n%[1]d IS NOT NULL", i))
		if st.within != forever {
			q.Add(fmt.Sprintf(" AND time - t%d < ", i)).Arg(st.within)
		}
		if st.without != nil {
			q.Add(fmt.Sprintf(" AND coalesce(c%[1]d <= n%[1]d, true)", i))
		}
		q.Add(fmt.Sprintf(", false) AS r%d FROM (SELECT *, max(CASE WHEN r%d THEN n END)", i, i-1), before, fmt.Sprintf(" AS n%d", i))
		q.Add(fmt.Sprintf(", max(CASE WHEN r%d THEN time END)", i-1), before, fmt.Sprintf(" AS t%d", i))
		if st.without != nil {
			q.Add(fmt.Sprintf(", max(CASE WHEN w%d THEN n END)", i), before, fmt.Sprintf(" AS c%d", i))
		}
		layer = q.Add(" FROM (").Append(layer).Add(fmt.Sprintf(") AS l%d) AS m%d", i, i))
	}
	last := l.steps[len(l.steps)-1]
	q := &SQL{}
	q.Add("SELECT DISTINCT person FROM (SELECT *")
	if last.absent {
		q.Add(fmt.Sprintf(", min(CASE WHEN s%d THEN time END)", len(l.steps)-1), behind, " AS following")
	}
	q.Add(" FROM (").Append(layer).Add(fmt.Sprintf(") AS walked) AS event WHERE r%d", l.present()-1))
	if last.absent {
		q.Add(" AND (following IS NULL")
		if last.within != forever {
			q.Add(" OR following - time >= ").Arg(last.within).Add(") AND time <= ").Arg(us - last.within)
		} else {
			q.Add(")")
		}
	}
	l.window.where(q, d, us)
	return q.question()
}

// flags selects the events that matter, numbered, and of each which step it can be: s0, s1, ..., and w1, ... for what may not lie between.
func (l *sequence) flags(d Dialect, ws string) *SQL {
	q := &SQL{}
	q.Add("SELECT *, s0 AS r0, row_number() OVER (PARTITION BY person, k ORDER BY time, seq, idx) AS n FROM (SELECT person, time, seq, idx, ")
	if l.window.since != nil {
		q.Add("start, ")
	}
	if l.by == nil {
		q.Add("1")
	} else {
		d.Key(q, "props", l.by)
	}
	q.Add(" AS k")
	flag := func(name string, i int, p *pick) {
		q.Add(", (1 = 1")
		p.is(q, d)
		q.Add(")", fmt.Sprintf(" AS %s%d", name, i))
	}
	all := pick{window: l.window}
	for i := range l.steps {
		st := &l.steps[i]
		flag("s", i, &st.pick)
		all.filters = append(all.filters, st.pick.filters...)
		if st.without != nil {
			flag("w", i, st.without)
			all.filters = append(all.filters, st.without.filters...)
		}
	}
	all.from(q, d, ws)
	// Names and types first: they are cheap and leave little.
	q.Add(" WHERE ws = ").Arg(ws).Add(" AND (1 = 0")
	for _, p := range l.picks() {
		q.Add(" OR (1 = 1")
		(&pick{name: p.name, typ: p.typ}).is(q, d)
		q.Add(")")
	}
	q.Add(")) AS flagged WHERE k IS NOT NULL AND (1 = 0")
	for i := range l.steps {
		q.Add(fmt.Sprintf(" OR s%d", i))
		if l.steps[i].without != nil {
			q.Add(fmt.Sprintf(" OR w%d", i))
		}
	}
	return q.Add(")")
}

func (l *sequence) Eval(s *Subject, now time.Time) Result {
	within := l.window.reach(s)
	last := l.steps[len(l.steps)-1]
	var ends, bounds []int64 // when the sequence was complete, if it was
	for _, events := range l.strands(s) {
		for _, i := range l.walk(s, events) {
			if !within.has(s, i) {
				continue
			}
			t := s.Events[i].Time.UnixMicro()
			bounds = l.window.bounds(bounds, t)
			if last.absent && last.within != forever {
				bounds = append(bounds, t+last.within)
			}
			ends = append(ends, t)
		}
	}
	return until(now.UnixMicro(), bounds, func(at int64) bool {
		for _, t := range ends {
			if l.window.has(t, at) && (!last.absent || last.within == forever || at >= t+last.within) {
				return true
			}
		}
		return false
	})
}

// strands are the events that belong together, in order: all of them, or those with one value at by.
func (l *sequence) strands(s *Subject) map[string][]int {
	out := map[string][]int{}
	for i := range s.Events {
		k := "all"
		if l.by != nil {
			if k = key(l.by.Of(s.props(i))); k == "" {
				continue
			}
		}
		out[k] = append(out[k], i)
	}
	return out
}

// walk returns the events of a strand with which the steps that have to happen are done, and after which no absent one followed.
func (l *sequence) walk(s *Subject, events []int) []int {
	at := func(i int) int64 { return s.Events[i].Time.UnixMicro() }
	var done []int
	for _, i := range events {
		if l.steps[0].pick.has(s, i) {
			done = append(done, i)
		}
	}
	for n := 1; n < l.present() && len(done) > 0; n++ {
		st := &l.steps[n]
		var next []int
		before, between, from := -1, -1, 0
		for _, i := range events {
			for from < len(done) && done[from] < i {
				before = done[from]
				from++
			}
			if before >= 0 && st.pick.has(s, i) && (st.within == forever || at(i)-at(before) < st.within) && between <= before {
				next = append(next, i)
			}
			if st.without != nil && st.without.has(s, i) {
				between = i
			}
		}
		done = next
	}
	last := &l.steps[len(l.steps)-1]
	if !last.absent {
		return done
	}
	var left []int
	following, from := -1, len(done)-1
	for e := len(events) - 1; e >= 0 && from >= 0; e-- {
		i := events[e]
		if done[from] == i {
			if following < 0 || last.within != forever && at(following)-at(i) >= last.within {
				left = append(left, i)
			}
			from--
		}
		if last.pick.has(s, i) {
			following = i
		}
	}
	return left
}

func (l *sequence) Needs() Needs {
	n := l.window.needs()
	for _, p := range l.picks() {
		n = n.and(p.needs())
	}
	for i := range n.Looks {
		if l.window.since == nil {
			n.Looks[i].window = l.reach()
		}
	}
	if l.by != nil {
		n.Fields = append(n.Fields, l.by.field(l.steps[0].pick.root()))
	}
	last := l.steps[len(l.steps)-1]
	n.Windowed = n.Windowed || last.absent && last.within != forever
	return n
}

// reach is the time in which events count: the window is about the end, and each step before lies its own time further back.
func (l *sequence) reach() Window {
	w := l.window
	for _, st := range l.steps[1:l.present()] {
		switch {
		case w.kind == 'r' && w.from == forever || w.kind == 'a' && w.from == math.MinInt64:
		case st.within == forever:
			return Window{kind: 'e'}
		case w.kind == 'r':
			w.from += st.within
		case w.kind == 'a':
			w.from -= st.within
		}
	}
	return w
}

func sequenceSchema() Schema {
	members := map[string]Schema{"within": ref("span"), "without": aboutSchema(nil), "absent": booleanSchema}
	return object(map[string]Schema{
		"steps": {"type": "array", "minItems": 2, "maxItems": maxSequence, "prefixItems": []Schema{aboutSchema(nil)}, "items": aboutSchema(members)},
		"by":    pathSchema, "window": ref("window"),
	}, "steps")
}
