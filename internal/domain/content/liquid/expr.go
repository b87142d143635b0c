package liquid

import "strings"

// expr is a value that can be computed. It never fails: what cannot be computed is nil, and reported.
type expr interface {
	eval(s *state) any
}

type literal struct{ v any }

func (e literal) eval(*state) any { return e.v }

// path is a variable: a root and the steps from it.
type path struct {
	root  string
	slot  int // of an assigned variable, -1 if none has this name
	loop  int // depth of the loop whose item this is, -1 if none
	steps []step
	name  string // as written, for reports
	off   int
}

type step struct {
	key   string
	index expr // instead of key, for [expr]
}

func (e *path) eval(s *state) any {
	var v any
	switch {
	case e.loop >= 0:
		v = s.loops[e.loop].item
	case e.slot >= 0 && s.slots[e.slot] != any(unsetValue{}):
		v = s.slots[e.slot]
	default:
		v = s.vars[e.root]
	}
	for i := range e.steps {
		if v == nil {
			return nil
		}
		if st := &e.steps[i]; st.index != nil {
			v = index(v, st.index.eval(s))
		} else {
			if t, ok := v.(string); ok {
				s.cost(len(t)) // counting characters
			}
			v = member(v, st.key)
		}
	}
	return v
}

// loopField is forloop.index and its kin.
type loopField struct {
	loop  int
	field string
}

var loopFields = []string{"first", "index", "index0", "last", "length", "rindex", "rindex0"}

func (e loopField) eval(s *state) any {
	l := &s.loops[e.loop]
	switch e.field {
	case "index":
		return int64(l.i + 1)
	case "index0":
		return int64(l.i)
	case "rindex":
		return int64(l.n - l.i)
	case "rindex0":
		return int64(l.n - l.i - 1)
	case "first":
		return l.i == 0
	case "last":
		return l.i == l.n-1
	}
	return int64(l.n)
}

type rangeExpr struct{ from, to expr }

func (e rangeExpr) eval(s *state) any {
	from, ok1 := toInt(e.from.eval(s))
	to, ok2 := toInt(e.to.eval(s))
	if !ok1 || !ok2 || to < from {
		return span{1, 0}
	}
	return span{from, min(to, from+1<<30)}
}

// filtered is an expression followed by filters.
type filtered struct {
	base    expr
	filters []filterCall
}

type filterCall struct {
	fn   filterFunc
	name string
	args []expr
	data any // prepared while parsing, see filterSpec.prepare
	off  int
}

func (e *filtered) eval(s *state) any {
	v := e.base.eval(s)
	for i := range e.filters {
		f := &e.filters[i]
		if s.cost(256) != nil {
			return nil
		}
		var buf [maxArgs]any
		args := buf[:len(f.args)]
		for j, a := range f.args {
			args[j] = a.eval(s)
		}
		s.filter = f
		v = f.fn(s, v, args)
	}
	return v
}

// cond is a test.
type cond interface {
	test(s *state) bool
}

type truth struct{ e expr }

func (c truth) test(s *state) bool { return truthy(c.e.eval(s)) }

type both struct{ a, b cond }

func (c both) test(s *state) bool { return c.a.test(s) && c.b.test(s) }

type either struct{ a, b cond }

func (c either) test(s *state) bool { return c.a.test(s) || c.b.test(s) }

type comparison struct {
	op   string
	a, b expr
}

func (c comparison) test(s *state) bool {
	a, b := c.a.eval(s), c.b.eval(s)
	if s.cost(weight(a)) != nil {
		return false
	}
	switch c.op {
	case "==":
		return equal(a, b)
	case "!=", "<>":
		return !equal(a, b)
	case "contains":
		return s.contains(a, b)
	}
	o, ok := order(a, b)
	if !ok {
		return false
	}
	switch c.op {
	case "<":
		return o < 0
	case "<=":
		return o <= 0
	case ">":
		return o > 0
	}
	return o >= 0
}

// weight is the cost of looking at a whole value.
func weight(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case Trusted:
		return len(v)
	case list:
		return 64 * len(v)
	}
	return 0
}

// contains tells whether text has a part, a list has a member, or a map has a key.
func (s *state) contains(a, b any) bool {
	switch a := canon(a).(type) {
	case string:
		return b != nil && s.cost(len(a)) == nil && strings.Contains(a, s.str(b))
	case Trusted:
		return b != nil && s.cost(len(a)) == nil && strings.Contains(string(a), s.str(b))
	case list:
		if s.cost(64*len(a)) != nil {
			return false
		}
		for _, x := range a {
			if equal(x, b) {
				return true
			}
		}
	case map[string]any:
		_, ok := a[s.str(b)]
		return ok
	}
	return false
}
