package leaf

import "slices"

// figure is what events were condensed to.
type figure struct {
	kind figureKind
	n    int64 // how many values went in
	num  float64
	sum  wide
	val  any
}

type figureKind byte

const (
	aCount figureKind = iota // num; 0 if there is none
	aSum                     // sum in millionths; 0 if there is none
	aRatio                   // sum in millionths over n; no value if there is none
	aNum                     // num; no value if there is none
	aJSON                    // val; no value if nil
)

func (k figureKind) zeroIfNone() bool { return k == aCount || k == aSum }

// match compares a figure.
func (g figure) match(c Cond, now int64) bool {
	op, opposite := c.Op.positive()
	present := g.n > 0
	if g.kind == aJSON {
		present = g.val != nil
	}
	if op == Exists {
		return present != opposite
	}
	if !present && !g.kind.zeroIfNone() {
		return false
	}
	pos := Cond{op, c.Vals}
	switch g.kind {
	case aSum, aRatio:
		n := int64(1)
		if g.kind == aRatio {
			n = g.n
		}
		// A trait may hold what no sum can be compared with.
		for _, v := range c.Vals {
			if _, ok := micro(v.num); !ok || v.kind != 'n' {
				return opposite
			}
		}
		return opposite != pos.byOrder(func(v Value) int {
			m, _ := micro(v.num)
			return g.sum.compare(times(m, n))
		})
	case aJSON:
		return opposite != pos.Match(g.val, now)
	}
	return opposite != pos.matchNumber(g.num)
}

// byOrder decides a comparison by how the value at hand stands to those of the rule: -1, 0 or 1.
func (c Cond) byOrder(stands func(Value) int) bool {
	switch c.Op {
	case Eq, In:
		return slices.ContainsFunc(c.Vals, func(v Value) bool { return stands(v) == 0 })
	case Gt:
		return stands(c.Vals[0]) > 0
	case Gte:
		return stands(c.Vals[0]) >= 0
	case Lt:
		return stands(c.Vals[0]) < 0
	case Lte:
		return stands(c.Vals[0]) <= 0
	case Between:
		return stands(c.Vals[0]) >= 0 && stands(c.Vals[1]) <= 0
	}
	return false
}

// decide asks for the people whose figure, in the columns v and n of a select with one row for each person with events, fulfils the condition. If those
// without events match too, the question becomes: everyone but those who do not match.
func decide(figures *SQL, d Dialect, kind figureKind, c Cond, ws string, now int64) Question {
	if c.traits() {
		return decideEach(figures, d, kind, c, ws, now)
	}
	op, opposite := c.Op.positive()
	q := &SQL{}
	q.Add("SELECT person FROM (").Append(figures).Add(") AS figures WHERE ")
	present := map[figureKind]string{aCount: "n > 0", aSum: "n > 0", aRatio: "n > 0", aNum: "v IS NOT NULL", aJSON: "v <> 'null'"}[kind]
	if op == Exists {
		question := q.Add(present).question()
		question.Complement = opposite
		return question
	}
	complement := false
	if kind.zeroIfNone() {
		complement = figure{kind: kind}.match(c, now)
	} else {
		q.Add(present, " AND ")
	}
	if opposite != complement {
		q.Add("NOT ")
	}
	pos := Cond{op, c.Vals}
	q.Add("(")
	switch kind {
	case aCount, aNum:
		compare(q, column("CAST(v AS DOUBLE)"), pos, plainArg)
	case aSum, aRatio:
		compare(q, column("v"), pos, func(q *SQL, v Value) {
			m, _ := micro(v.num)
			d.Wide(q, m)
			if kind == aRatio {
				q.Add(" * n")
			}
		})
	case aJSON:
		d.Cond(q, "v", nil, pos, now)
	}
	question := q.Add(")").question()
	question.Complement = complement
	return question
}

// owner is the column with the traits of whom a row is about, where a condition compares with traits.
const owner = "owner_traits"

// decideEach is decide for a condition that compares with a trait: everybody has a mark of their own, and so have those without events.
func decideEach(figures *SQL, d Dialect, kind figureKind, c Cond, ws string, now int64) Question {
	op, opposite := c.Op.positive()
	pos := Cond{op, c.Vals}
	q := &SQL{}
	q.Add("SELECT num FROM (SELECT num, traits AS ", owner, ", ")
	d.Number(q, "traits", c.Vals[0].path)
	q.Add(" AS mark FROM person WHERE ws = ").Arg(ws).Add(") AS who LEFT JOIN (").Append(figures).Add(") AS figures ON figures.person = who.num WHERE ")
	q.Add(map[figureKind]string{aRatio: "coalesce(n, 0) > 0 AND ", aNum: "v IS NOT NULL AND ", aJSON: "coalesce(v, 'null') <> 'null' AND "}[kind])
	if opposite {
		q.Add("NOT ")
	}
	if kind == aJSON {
		d.Cond(q, "v", nil, pos, now)
		return q.question()
	}
	q.Add("coalesce(")
	switch kind {
	case aSum, aRatio:
		compare(q, column("coalesce(v, 0)"), pos, func(q *SQL, _ Value) {
			d.Micro(q, "mark")
			if kind == aRatio {
				q.Add(" * n")
			}
		})
	default:
		compare(q, column("CAST(coalesce(v, 0) AS DOUBLE)"), pos, func(q *SQL, _ Value) { q.Add("mark") })
	}
	return q.Add(", false)").question()
}
