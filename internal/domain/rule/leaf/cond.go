package leaf

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Op is a comparison.
type Op string

// The comparisons.
const (
	Eq         Op = "eq"
	Neq        Op = "neq"
	Gt         Op = "gt"
	Gte        Op = "gte"
	Lt         Op = "lt"
	Lte        Op = "lte"
	In         Op = "in"
	NotIn      Op = "not_in"
	Contains   Op = "contains"
	StartsWith Op = "starts_with"
	Exists     Op = "exists"
	NotExists  Op = "not_exists"
	Between    Op = "between"
)

var (
	allOps     = []string{"eq", "neq", "gt", "gte", "lt", "lte", "in", "not_in", "contains", "starts_with", "exists", "not_exists", "between"}
	numericOps = []string{"eq", "neq", "gt", "gte", "lt", "lte", "in", "not_in", "exists", "not_exists", "between"}
	momentOps  = []string{"gt", "gte", "lt", "lte", "exists", "not_exists", "between"}
)

// positive returns the comparison that o is the opposite of, and true; or o itself.
func (o Op) positive() (Op, bool) {
	switch o {
	case Neq:
		return Eq, true
	case NotIn:
		return In, true
	case NotExists:
		return Exists, true
	}
	return o, false
}

// MaxValues is how many values an "in" may list.
const MaxValues = 500

// Value is what a rule compares with: a text, a number, a boolean, a moment or what stands in a trait of the person.
type Value struct {
	kind byte // 's' text, 'n' number, 'b' boolean, 'm' moment relative to now, 't' time, 'r' trait; 0 is like nothing
	text string
	num  float64
	yes  bool
	ago  int64 // of a moment: microseconds before now, negative after; of a time: its microseconds
	path Path  // of a trait
}

// Cond compares one value of a person or event with the values of the rule.
type Cond struct {
	Op   Op
	Vals []Value
}

// allow says what a condition may be compared with besides what stands in the rule.
type allow byte

const (
	plain   allow = 0
	moments allow = 1 << iota // {"ago": {"n": 7, "unit": "day"}}, {"ahead": ...}: only for places that know when their answer changes
	traits                    // {"trait": "address.city"}: what stands there for the person
)

// cond reads "op" and "value".
func (f *fields) cond(ops []string, also allow) Cond {
	c := Cond{Op: Op(f.choice("op", "", ops))}
	if f.err != nil {
		return c
	}
	in, given := f.in.Get("value")
	if c.Op == Exists || c.Op == NotExists {
		if given && in.kind != '0' && (in.kind != 'b' || !in.yes) {
			f.fail(errs.Invalid("rule.value", in.Path, "%s takes no value; leave it out (the opposite of exists is not_exists)", c.Op))
		}
		return c
	}
	if !given {
		f.fail(errs.Invalid("rule.missing", in.Path, "%s needs a value to compare with; add it", c.Op))
		return c
	}
	list := []Input{in}
	if c.Op == In || c.Op == NotIn || c.Op == Between {
		if in.kind != 'a' {
			f.fail(in.wrong("a list of values for " + string(c.Op)))
			return c
		}
		list = in.items
		switch {
		case c.Op == Between && len(list) != 2:
			f.fail(errs.Invalid("rule.value", in.Path, "between needs the lower and the upper bound, both included: [10, 20]"))
		case len(list) == 0:
			f.fail(errs.Invalid("rule.value", in.Path, "this list is empty; add a value"))
		case len(list) > MaxValues:
			f.fail(errs.Invalid("rule.value", in.Path, "this list has %d values, at most %d are allowed; upload them as a list and use a list condition", len(list), MaxValues))
		}
	}
	for _, item := range list {
		v, err := c.readValue(item, also)
		f.fail(err)
		c.Vals = append(c.Vals, v)
	}
	if f.err == nil && c.Op == Between && c.Vals[0].kind != c.Vals[1].kind {
		f.fail(errs.Invalid("rule.value", in.Path, "both bounds must be of the same type"))
	}
	return c
}

func (c Cond) readValue(in Input, also allow) (Value, error) {
	ordered := c.Op == Gt || c.Op == Gte || c.Op == Lt || c.Op == Lte || c.Op == Between
	moments := also&moments != 0
	switch _, isTrait := in.Get("trait"); {
	case isTrait && also&traits != 0:
		return c.readTrait(in)
	case in.kind == 's':
		if len(in.text) > maxText {
			return Value{}, errs.Invalid("rule.value", in.Path, "this text has %d bytes; at most %d are allowed", len(in.text), maxText)
		}
		return Value{kind: 's', text: in.text}, nil
	case c.Op == StartsWith:
		return Value{}, in.wrong("a text for starts_with")
	case in.kind == 'n':
		return Value{kind: 'n', num: in.num}, nil
	case in.kind == 'b' && !ordered:
		return Value{kind: 'b', yes: in.yes}, nil
	case in.kind == 'o' && ordered && moments:
		return readMoment(in)
	case in.kind == '0':
		return Value{}, errs.Invalid("rule.type", in.Path, "null cannot be compared with; use exists or not_exists")
	case ordered && moments:
		return Value{}, in.wrong(`a number, a text or a moment like {"ago": {"n": 7, "unit": "day"}}`)
	case ordered:
		return Value{}, in.wrong("a number or a text")
	}
	return Value{}, in.wrong("a text, a number, true or false")
}

func readMoment(in Input) (Value, error) {
	if err := in.Only("ago", "ahead"); err != nil {
		return Value{}, err
	}
	if len(in.members) != 1 {
		return Value{}, errs.Invalid("rule.value", in.Path, "a moment has exactly one of ago and ahead")
	}
	d, err := span(in.members[0].val, 0)
	if in.members[0].key == "ahead" {
		d = -d
	}
	return Value{kind: 'm', ago: d}, err
}

func (c Cond) readTrait(in Input) (Value, error) {
	f := in.fields("trait")
	v := Value{kind: 'r', path: f.path("trait")}
	if f.err == nil && (c.Op == In || c.Op == NotIn || c.Op == Between) {
		f.fail(errs.Invalid("rule.value", in.Path, "%s takes no trait; compare with eq, neq, gt, gte, lt, lte, contains or starts_with", c.Op))
	}
	return v, f.err
}

// fields are the traits that the condition compares with.
func (c Cond) fields() (out []string) {
	for _, v := range c.Vals {
		if v.kind == 'r' {
			out = append(out, v.path.field("traits"))
		}
	}
	return out
}

// traits reports whether c compares with a trait.
func (c Cond) traits() bool {
	return slices.ContainsFunc(c.Vals, func(v Value) bool { return v.kind == 'r' })
}

// of puts what the person has in the place of traits. A trait that is absent, a list or an object is like nothing: only an opposite matches.
func (c Cond) of(s *Subject) Cond {
	if !c.traits() {
		return c
	}
	out := Cond{Op: c.Op, Vals: slices.Clone(c.Vals)}
	for i, v := range out.Vals {
		if v.kind == 'r' {
			out.Vals[i] = valueOf(v.path.Of(s.Traits))
		}
	}
	return out
}

// valueOf is a decoded JSON value as a rule could compare with it.
func valueOf(v any) Value {
	if n, ok := number(v); ok {
		return Value{kind: 'n', num: n}
	}
	switch v := v.(type) {
	case string:
		return Value{kind: 's', text: v}
	case bool:
		return Value{kind: 'b', yes: v}
	}
	return Value{}
}

// numeric refuses values that are not numbers.
func (f *fields) numeric(c Cond, what string) Cond {
	for _, v := range c.Vals {
		if f.err == nil && v.kind != 'n' && v.kind != 'r' {
			f.fail(errs.Invalid("rule.type", f.in.Path+".value", "%s is a number; compare it with a number", what))
		}
	}
	return c
}

// textual refuses values that are not texts.
func (f *fields) textual(c Cond, what string) Cond {
	for _, v := range c.Vals {
		if f.err == nil && v.kind != 's' {
			f.fail(errs.Invalid("rule.type", f.in.Path+".value", "%s is a text; compare it with a text in quotation marks", what))
		}
	}
	return c
}

// moments reports whether c compares with moments relative to now.
func (c Cond) moments() bool {
	return slices.ContainsFunc(c.Vals, func(v Value) bool { return v.kind == 'm' })
}

// Match compares a decoded JSON value, nil if absent.
func (c Cond) Match(v any, now int64) bool {
	if op, opposite := c.Op.positive(); opposite {
		return !Cond{op, c.Vals}.Match(v, now)
	}
	if c.Op == Exists {
		return v != nil
	}
	if n, ok := number(v); ok {
		return c.matchNumber(n)
	}
	switch v := v.(type) {
	case string:
		return c.matchText(v, now)
	case bool:
		return (c.Op == Eq || c.Op == In) && slices.ContainsFunc(c.Vals, func(w Value) bool { return w.kind == 'b' && w.yes == v })
	case []any:
		return c.Op == Contains && slices.ContainsFunc(v, func(e any) bool { return Cond{Eq, c.Vals}.Match(e, now) })
	}
	return false
}

func (c Cond) matchNumber(n float64) bool {
	if c.Op == Eq || c.Op == In {
		return slices.ContainsFunc(c.Vals, func(w Value) bool { return w.kind == 'n' && w.num == n })
	}
	if c.Vals[0].kind != 'n' {
		return false
	}
	return c.byOrder(func(w Value) int { return cmp.Compare(n, w.num) })
}

func (c Cond) matchText(s string, now int64) bool {
	if c.Op == Eq || c.Op == In {
		return slices.ContainsFunc(c.Vals, func(w Value) bool { return w.kind == 's' && w.text == s })
	}
	if c.Vals[0].kind == 'm' {
		t, ok := ParseTime(s)
		return ok && c.matchMoment(t, now)
	}
	if c.Vals[0].kind != 's' {
		return false
	}
	w := c.Vals[0].text
	switch c.Op {
	case Contains:
		return strings.Contains(s, w)
	case StartsWith:
		return strings.HasPrefix(s, w)
	}
	return c.byOrder(func(w Value) int { return cmp.Compare(s, w.text) })
}

// matchMoment compares a time with moments relative to now.
func (c Cond) matchMoment(t, now int64) bool {
	return c.byOrder(func(w Value) int { return cmp.Compare(t, now-w.ago) })
}

// momentBounds adds the moments at which the comparison of t with moments relative to now can change.
func (c Cond) momentBounds(into []int64, t int64) []int64 {
	for _, v := range c.Vals {
		if v.kind == 'm' {
			into = append(into, t+v.ago, t+v.ago+1)
		}
	}
	return into
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// TimePattern is what counts as a time in a text: a date, or a date and time with its zone. Engines and ParseTime read
// the same texts.
const TimePattern = `^[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-](0\d|1[0-4]):[0-5]\d))?$`

var timePattern = regexp.MustCompile(TimePattern)

// ParseTime reads a time in microseconds; a date alone is its midnight in UTC. What is finer than a microsecond is cut off.
func ParseTime(s string) (int64, bool) {
	if len(s) > 40 || !timePattern.MatchString(s) {
		return 0, false
	}
	if len(s) == len("2006-01-02") {
		s += "T00:00:00Z"
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, false
	}
	return t.UnixMicro(), true
}

var versionPattern = regexp.MustCompile(VersionPattern)

// VersionPattern is what counts as a version at the start of a text.
const VersionPattern = `^\d{1,9}(\.\d{1,9}){0,7}`

// versionParts is how many numbers of a version are compared; missing ones are 0.
const versionParts = 8

// version reads the numbers at the start of a text like "17.4.1-beta".
func version(s string) (v [versionParts]int64, ok bool) {
	m := versionPattern.FindString(s)
	if m == "" {
		return v, false
	}
	for i, part := range strings.Split(m, ".") {
		for _, d := range part {
			v[i] = v[i]*10 + int64(d-'0')
		}
	}
	return v, true
}

// matchVersion compares versions by their numbers. Texts that do not start with a number have no order.
func (c Cond) matchVersion(s string) bool {
	v, ok := version(s)
	if !ok {
		return false
	}
	return c.byOrder(func(w Value) int {
		u, _ := version(w.text)
		return slices.Compare(v[:], u[:])
	})
}
