package liquid

import (
	"slices"
	"strconv"
	"strings"
)

// reader parses one expression.
type reader struct {
	p     *parser
	toks  []token
	pos   int
	depth int
}

func (p *parser) expression(c chunk) (*reader, *Error) {
	toks, err := tokens(c.text, c.off, p.t.src)
	if err != nil {
		return nil, err
	}
	return &reader{p: p, toks: toks}, nil
}

func (e *reader) peek() token { return e.toks[e.pos] }

func (e *reader) mark(m string) bool {
	if t := e.peek(); t.kind == tokMark && t.text == m {
		e.pos++
		return true
	}
	return false
}

func (e *reader) word(w string) bool {
	if t := e.peek(); t.kind == tokName && t.text == w {
		e.pos++
		return true
	}
	return false
}

func (e *reader) end() *Error {
	if e.peek().kind != tokEnd {
		return e.unexpected("nothing more")
	}
	return nil
}

func (e *reader) unexpected(want string) *Error {
	t := e.peek()
	got := strconv.Quote(t.text)
	if t.kind == tokEnd {
		got = "the end"
	}
	return e.p.fail("syntax", t.off, "expected %s, found %s", want, got)
}

func (e *reader) name(what string) (string, *Error) {
	t := e.peek()
	if t.kind != tokName {
		return "", e.unexpected(what)
	}
	if keyword(t.text) || t.text == "forloop" {
		return "", e.p.fail("syntax", t.off, "%q has a meaning of its own and cannot be a name here", t.text)
	}
	e.pos++
	return t.text, nil
}

func keyword(s string) bool {
	switch s {
	case "true", "false", "nil", "null", "empty", "blank", "and", "or", "contains", "in":
		return true
	}
	return false
}

func (e *reader) option() (expr, *Error) {
	if !e.mark(":") {
		return nil, e.unexpected(`":"`)
	}
	v, err := e.value()
	e.p.optional()
	return v, err
}

// value parses a literal, a variable or a range.
func (e *reader) value() (expr, *Error) {
	e.p.used = nil
	e.depth++
	defer func() { e.depth-- }()
	t := e.peek()
	if e.depth > e.p.t.limits.Depth {
		return nil, e.p.fail("limit.depth", t.off, "more than %d brackets inside each other", e.p.t.limits.Depth)
	}
	switch {
	case t.kind == tokString:
		e.pos++
		return literal{t.text}, nil
	case t.kind == tokNumber:
		e.pos++
		return literal{t.num}, nil
	case e.mark("("):
		from, err := e.value()
		if err != nil {
			return nil, err
		}
		if !e.mark("..") {
			return nil, e.unexpected(`".." as in (1..5); conditions take no brackets`)
		}
		to, err := e.value()
		if err != nil {
			return nil, err
		}
		if !e.mark(")") {
			return nil, e.unexpected(`")"`)
		}
		e.p.used = nil
		return rangeExpr{from, to}, nil
	case t.kind != tokName:
		return nil, e.unexpected("a variable, a number or a text in quotes")
	}
	switch t.text {
	case "true", "false":
		e.pos++
		return literal{t.text == "true"}, nil
	case "nil", "null":
		e.pos++
		return literal{nil}, nil
	case "empty":
		e.pos++
		return literal{emptyValue{}}, nil
	case "blank":
		e.pos++
		return literal{blankValue{}}, nil
	case "and", "or", "contains", "in":
		return nil, e.unexpected("a variable, a number or a text in quotes")
	case "forloop":
		return e.forloop()
	}
	return e.path()
}

func (e *reader) forloop() (expr, *Error) {
	off := e.peek().off
	e.pos++
	loop := len(e.p.loops) - 1
	for e.mark(".") {
		t := e.peek()
		if t.kind == tokName && t.text == "parentloop" {
			e.pos++
			loop--
			continue
		}
		if t.kind != tokName || !slices.Contains(loopFields, t.text) {
			return nil, e.unexpected("one of " + strings.Join(loopFields, ", "))
		}
		if loop < 0 {
			return nil, e.p.fail("syntax", off, "forloop exists only inside {%% for %%}")
		}
		e.pos++
		e.p.used = nil
		return loopField{loop, t.text}, nil
	}
	return nil, e.unexpected("a field of forloop, as in forloop.index")
}

func (e *reader) path() (expr, *Error) {
	t := e.peek()
	e.pos++
	p := e.p
	v := &path{root: t.text, slot: -1, loop: -1, off: t.off}
	known := t.text
	alias, assigned := p.alias[t.text]
	if assigned {
		known = alias
	}
	for i := len(p.loops) - 1; i >= 0; i-- {
		if p.loops[i].name == t.text {
			v.loop, known, assigned = i, p.loops[i].path, false
			break
		}
	}
	end := t.off + len(t.text)
	dynamic := known == ""
	add := func(part string) {
		if !dynamic {
			known += part
		}
	}
	for {
		switch {
		case e.mark("."):
			n := e.peek()
			if n.kind != tokName {
				return nil, e.unexpected("a name after the point")
			}
			e.pos++
			v.steps = append(v.steps, step{key: n.text})
			add("." + n.text)
			end = n.off + len(n.text)
			continue
		case e.mark("["):
			i, err := e.value()
			if err != nil {
				return nil, err
			}
			end = e.peek().off + 1
			if !e.mark("]") {
				return nil, e.unexpected(`"]"`)
			}
			l, isLiteral := i.(literal)
			key, isText := l.v.(string)
			switch {
			case isText:
				v.steps = append(v.steps, step{key: key})
				add("." + key)
			default:
				v.steps = append(v.steps, step{index: i})
				add("[]")
				dynamic = dynamic || !isLiteral
			}
			continue
		}
		break
	}
	if len(v.steps) > 32 {
		return nil, p.fail("limit.depth", t.off, "more than 32 steps in one variable")
	}
	v.name = p.t.src[t.off:end]
	p.paths = append(p.paths, v)
	p.used = nil
	if known != "" {
		p.t.uses = append(p.t.uses, Use{Path: known, Name: v.name, off: t.off})
		p.used = &p.t.uses[len(p.t.uses)-1]
		p.used.Line, p.used.Col = position(p.t.src, t.off)
	}
	return v, nil
}

// filtered parses a value with filters.
func (e *reader) filtered() (expr, *Error) {
	base, err := e.value()
	if err != nil {
		return nil, err
	}
	var used Use
	if e.p.used != nil {
		used = *e.p.used
	}
	var calls []filterCall
	for e.mark("|") {
		t := e.peek()
		if t.kind != tokName {
			return nil, e.unexpected("a filter's name")
		}
		e.pos++
		spec, ok := filters[t.text]
		if !ok {
			return nil, e.p.fail("filter.unknown", t.off, "there is no filter %q%s", t.text, suggest(t.text, filterNames()))
		}
		c := filterCall{fn: spec.fn, name: t.text, off: t.off}
		if e.mark(":") {
			for {
				a, err := e.value()
				if err != nil {
					return nil, err
				}
				e.p.optional()
				c.args = append(c.args, a)
				if !e.mark(",") {
					break
				}
			}
		}
		if n := len(c.args); n < spec.min || n > spec.max {
			return nil, e.p.fail("filter.arguments", t.off, "the filter %q takes %s, not %d", t.text, spec.takes(), n)
		}
		if spec.prepare != nil {
			var msg string
			if c.data, msg = spec.prepare(c.args); msg != "" {
				return nil, e.p.fail("filter.arguments", t.off, "%s", msg)
			}
		}
		calls = append(calls, c)
		if len(calls) > 32 {
			return nil, e.p.fail("limit.depth", t.off, "more than 32 filters on one value")
		}
	}
	e.p.used = nil
	if used.Path != "" { // arguments may have moved the list of uses
		i := slices.IndexFunc(e.p.t.uses, func(u Use) bool { return u.off == used.off })
		e.p.used = &e.p.t.uses[i]
	}
	if calls == nil {
		return base, nil
	}
	return &filtered{base, calls}, nil
}

// condition parses comparisons joined by and / or. As in Liquid there are no brackets, and the rightmost join binds
// first: "a or b and c" is "a or (b and c)", "a and b or c" is "a and (b or c)".
func (p *parser) condition(c chunk) (cond, *Error) {
	e, err := p.expression(c)
	if err != nil {
		return nil, err
	}
	var parts []cond
	var joins []bool // true for and
	for {
		one, err := e.comparison()
		if err != nil {
			return nil, err
		}
		parts = append(parts, one)
		if e.word("and") {
			joins = append(joins, true)
		} else if e.word("or") {
			joins = append(joins, false)
		} else {
			break
		}
		if len(parts) > 100 {
			return nil, p.fail("limit.depth", e.peek().off, "more than 100 conditions in one tag")
		}
	}
	if err := e.end(); err != nil {
		return nil, err
	}
	out := parts[len(parts)-1]
	for i := len(joins) - 1; i >= 0; i-- {
		if joins[i] {
			out = both{parts[i], out}
		} else {
			out = either{parts[i], out}
		}
	}
	return out, nil
}

func (e *reader) comparison() (cond, *Error) {
	a, err := e.value()
	if err != nil {
		return nil, err
	}
	e.p.optional()
	op := ""
	if t := e.peek(); t.kind == tokMark && slices.Contains([]string{"==", "!=", "<>", "<", "<=", ">", ">="}, t.text) || t.kind == tokName && t.text == "contains" {
		op = t.text
		e.pos++
	} else if t.kind == tokMark && t.text == "=" {
		return nil, e.p.fail("syntax", t.off, `write == to compare; = only assigns`)
	}
	if op == "" {
		return truth{a}, nil
	}
	b, err := e.value()
	if err != nil {
		return nil, err
	}
	e.p.optional()
	return comparison{op, a, b}, nil
}
