package liquid

import (
	"errors"
	"strconv"
	"sync"
	"time"
)

// Mode says what a template produces.
type Mode uint8

// The modes.
const (
	HTML    Mode = iota // output is escaped for where it stands
	Text                // nothing is escaped
	Subject             // one line: control characters and line breaks become spaces
)

// Env is what a rendering may know beside the variables.
type Env struct {
	Locale   string         // of the reader, BCP 47; English, Chinese and Japanese have rules of their own, others read English
	Zone     *time.Location // of the reader; nil means UTC
	Now      time.Time      // what "now" means
	Currency string         // ISO 4217 code for amounts that come without one
}

// Template is a compiled template. It is immutable and safe for concurrent use.
type Template struct {
	src    string
	mode   Mode
	limits Limits
	nodes  []node
	slots  int
	uses   []Use
}

// Append renders the template and appends the result to dst. It returns what it had to leave empty, and an error if a
// limit was hit; the bytes appended so far are worthless then. vars and what they hold are only read.
func (t *Template) Append(dst []byte, vars map[string]any, env Env) ([]byte, []Problem, error) {
	s := states.Get().(*state)
	s.t, s.vars, s.env, s.out, s.base = t, vars, env, dst, len(dst)
	s.lang = language(env.Locale)
	if s.env.Zone == nil {
		s.env.Zone = time.UTC
	}
	if cap(s.slots) < t.slots {
		s.slots = make([]any, t.slots)
	}
	s.slots = s.slots[:t.slots]
	for i := range s.slots {
		s.slots[i] = unsetValue{}
	}
	err := s.run(t.nodes)
	out, problems := s.out, s.problems
	loops, slots := s.loops[:0], s.slots
	clear(loops[:cap(loops)])
	clear(slots)
	*s = state{loops: loops, slots: slots}
	states.Put(s)
	return out, problems, err
}

// Render is Append for those who want a string.
func (t *Template) Render(vars map[string]any, env Env) (string, []Problem, error) {
	out, problems, err := t.Append(make([]byte, 0, len(t.src)+len(t.src)/4), vars, env)
	return string(out), problems, err
}

var states = sync.Pool{New: func() any { return &state{} }}

// state is one rendering.
type state struct {
	t        *Template
	vars     map[string]any
	env      Env
	lang     lang
	out      []byte
	base     int // length of out that is not ours, or that belongs to enclosing captures
	spent    int // cost so far, 256 to a step
	slots    []any
	loops    []loop
	filter   *filterCall // running now, for reports
	problems []Problem
	err      *Error
}

type loop struct {
	item any
	i, n int
}

var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

type node interface {
	render(s *state) error
}

func (s *state) run(nodes []node) error {
	for _, n := range nodes {
		s.spent += 256
		if s.spent > s.t.limits.Steps<<8 {
			return s.cost(0)
		}
		if err := n.render(s); err != nil {
			return err
		}
		if s.err != nil {
			return s.err
		}
	}
	return nil
}

// cost books n 256ths of a step and returns the error if that was too much. Once it has failed, everything fails.
func (s *state) cost(n int) error {
	if s.err != nil {
		return s.err
	}
	if n < 0 || n > s.t.limits.Steps<<8 {
		n = s.t.limits.Steps<<8 + 1
	}
	s.spent += n
	if s.spent > s.t.limits.Steps<<8 {
		s.err = &Error{Code: "liquid.limit.steps", Line: 1, Col: 1, Msg: "the template does more work than " + strconv.Itoa(s.t.limits.Steps) + " steps; use smaller lists or fewer loops inside loops"}
		return s.err
	}
	return nil
}

// room checks that a string of n bytes may be made, and books its cost.
func (s *state) room(n int) bool {
	if n > s.t.limits.Output {
		s.tooLong()
		return false
	}
	return s.cost(n) == nil
}

func (s *state) tooLong() {
	if s.err == nil {
		s.err = &Error{Code: "liquid.limit.output", Line: 1, Col: 1, Msg: "the result is longer than " + strconv.Itoa(s.t.limits.Output) + " bytes; use smaller lists or truncate"}
	}
}

// report adds a problem, once for each code and name.
func (s *state) report(code, name string, off int, msg string) {
	for i := range s.problems {
		if s.problems[i].Code == code && s.problems[i].Name == name {
			return
		}
	}
	if len(s.problems) >= 100 {
		return
	}
	line, col := position(s.t.src, off)
	s.problems = append(s.problems, Problem{Code: code, Name: name, Line: line, Col: col, Msg: msg})
}

// complain reports a problem with the filter that is running.
func (s *state) complain(code, msg string) {
	s.report(code, s.filter.name, s.filter.off, msg)
}

type textNode struct{ s string }

func (n textNode) render(s *state) error {
	s.out = append(s.out, n.s...)
	s.spent += len(n.s)
	if len(s.out)-s.base > s.t.limits.Output {
		s.tooLong()
		return s.err
	}
	return nil
}

type outputNode struct {
	e     expr
	base  *path // the variable that is shown, nil if it is something else or has a default
	place place
	off   int
}

func (n *outputNode) render(s *state) error {
	v := n.e.eval(s)
	if v == nil && n.base != nil {
		s.report("missing", n.base.name, n.off, n.base.name+" has no value")
	}
	s.write(v, n)
	if s.err != nil {
		return s.err
	}
	if len(s.out)-s.base > s.t.limits.Output {
		s.tooLong()
		return s.err
	}
	return nil
}

func (s *state) write(v any, n *outputNode) {
	p := n.place
	switch x := v.(type) {
	case nil:
		if p == inUnquoted {
			s.writeText("", n, false)
		}
	case string:
		s.writeText(x, n, false)
	case Trusted:
		s.writeText(string(x), n, true)
	case int64:
		s.out = strconv.AppendInt(s.out, x, 10)
	case float64:
		s.out = appendNumber(s.out, x)
	case bool:
		s.out = strconv.AppendBool(s.out, x)
	default:
		switch x := canon(v).(type) {
		case time.Time:
			s.writeText(x.In(s.env.Zone).Format(time.RFC3339), n, false)
		case list, map[string]any, span:
			if t, ok := s.flat(x, ""); ok {
				s.writeText(t, n, false)
				return
			}
			s.report("not_text", "", n.off, "this is a group of values, not text: name one of them, or use join")
		case nil, emptyValue, blankValue:
		default:
			s.write(x, n)
		}
	}
}

func (s *state) writeText(t string, n *outputNode, trusted bool) {
	if !s.room(len(t)) {
		return
	}
	var ok bool
	if s.out, ok = escapeAt(s.out, t, n.place, trusted); !ok {
		name := ""
		if n.base != nil {
			name = n.base.name
		}
		s.report("unsafe_url", name, n.off, "this address does not start with https:, mailto: or another harmless scheme, so the link was disarmed")
	}
}

// str turns a value into text; lists are joined without a separator, maps are empty.
func (s *state) str(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case Trusted:
		return string(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return string(appendNumber(nil, x))
	case bool:
		return strconv.FormatBool(x)
	}
	switch x := canon(v).(type) {
	case time.Time:
		return x.In(s.env.Zone).Format(time.RFC3339)
	case list, span, map[string]any:
		t, _ := s.flat(x, "")
		return t
	case string, int64, float64, bool:
		return s.str(x)
	}
	return ""
}

// flat joins the plain members of a list; ok is false if v is a map or has a list or map inside.
func (s *state) flat(v any, sep string) (string, bool) {
	if _, isMap := v.(map[string]any); isMap {
		return "", false
	}
	l, ok := s.items(v)
	if !ok {
		return "", false
	}
	var b []byte
	for i, x := range l {
		if i > 0 {
			b = append(b, sep...)
		}
		switch c := canon(x).(type) {
		case list, map[string]any:
			return "", false
		default:
			b = append(b, s.str(c)...)
		}
		if len(b) > s.t.limits.Output {
			s.tooLong()
			return "", true
		}
	}
	if !s.room(len(b)) {
		return "", true
	}
	return string(b), true
}

type branch struct {
	when cond // nil for else
	body []node
}

type ifNode struct{ branches []branch }

func (n *ifNode) render(s *state) error {
	for i := range n.branches {
		if b := &n.branches[i]; b.when == nil || b.when.test(s) {
			return s.run(b.body)
		}
	}
	return nil
}

type forNode struct {
	slot          int // index into state.loops
	in            expr
	limit, offset expr
	reversed      bool
	body, orElse  []node
	name          string // of the list, if it is a plain variable and there is no else
	off           int
}

func (n *forNode) render(s *state) error {
	v := n.in.eval(s)
	l, ok := s.items(v)
	switch {
	case s.err != nil:
		return s.err
	case v == nil && n.name != "":
		s.report("missing", n.name, n.off, n.name+" has no value")
	case v != nil && !ok:
		s.report("not_a_list", n.name, n.off, "this is not a list")
	}
	if n.offset != nil {
		if k, ok := toInt(n.offset.eval(s)); ok && k > 0 {
			l = l[min(k, len(l)):]
		}
	}
	if n.limit != nil {
		if k, ok := toInt(n.limit.eval(s)); ok {
			l = l[:min(max(k, 0), len(l))]
		}
	}
	if len(l) == 0 {
		return s.run(n.orElse)
	}
	for len(s.loops) <= n.slot {
		s.loops = append(s.loops, loop{})
	}
	outer := s.loops[n.slot]
	defer func() { s.loops[n.slot] = outer }()
	for i := range l {
		item := l[i]
		if n.reversed {
			item = l[len(l)-1-i]
		}
		s.loops[n.slot] = loop{item: item, i: i, n: len(l)}
		if err := s.cost(256); err != nil {
			return err
		}
		switch err := s.run(n.body); err {
		case nil, errContinue:
		case errBreak:
			return nil
		default:
			return err
		}
	}
	return nil
}

type jumpNode struct{ err error }

func (n jumpNode) render(*state) error { return n.err }

type assignNode struct {
	slot int
	e    expr
}

func (n *assignNode) render(s *state) error {
	s.slots[n.slot] = n.e.eval(s)
	return nil
}

type captureNode struct {
	slot int
	body []node
}

func (n *captureNode) render(s *state) error {
	start, base := len(s.out), s.base
	s.base = start
	err := s.run(n.body)
	text := string(s.out[start:])
	if s.t.mode == HTML {
		s.slots[n.slot] = Trusted(text)
	} else {
		s.slots[n.slot] = text
	}
	s.base, s.out = base, s.out[:start]
	if err == nil {
		err = s.cost(len(text))
	}
	return err
}
