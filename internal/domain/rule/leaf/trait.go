package leaf

import "time"

// Trait asks for a trait of the person: {"path": "address.city", "op": "eq", "value": "Kyoto"}. A value {"ago": ...} or
// {"ahead": ...} compares a time in a trait with the present, {"trait": "plan_limit"} the trait with another one.
func Trait() Spec {
	return Spec{Kind: "trait", Title: "Has a trait", Parse: parseTrait, Schema: func() Schema {
		return object(map[string]Schema{"path": pathSchema, "op": enum(allOps...), "value": {}}, "path", "op").with(ref("momentOrValue"))
	}}
}

type trait struct {
	path Path
	cond Cond
}

func parseTrait(in Input) (Leaf, error) {
	f := in.fields("path", "op", "value")
	l := &trait{path: f.path("path"), cond: f.cond(allOps, moments|traits)}
	return l, f.err
}

func (l *trait) Ask(d Dialect, ws string, now time.Time) Question {
	op, opposite := l.cond.Op.positive()
	q := &SQL{}
	if l.cond.traits() {
		q.Add("SELECT num FROM (SELECT num, traits, traits AS ", owner, " FROM person WHERE ws = ").Arg(ws).Add(") AS who WHERE ")
	} else {
		q.Add("SELECT num FROM person WHERE ws = ").Arg(ws).Add(" AND ")
	}
	if opposite {
		q.Add("NOT ")
	}
	d.Cond(q, "traits", l.path, Cond{op, l.cond.Vals}, now.UnixMicro())
	return q.question()
}

func (l *trait) Eval(s *Subject, now time.Time) Result {
	v := l.path.Of(s.Traits)
	if !l.cond.moments() {
		return steady(l.cond.of(s).Match(v, now.UnixMicro()))
	}
	text, _ := v.(string)
	t, ok := ParseTime(text)
	if !ok {
		return steady(false)
	}
	return until(now.UnixMicro(), l.cond.momentBounds(nil, t), func(at int64) bool { return l.cond.matchMoment(t, at) })
}

func (l *trait) Needs() Needs {
	return Needs{Windowed: l.cond.moments(), Fields: append(l.cond.fields(), l.path.field("traits"))}
}
