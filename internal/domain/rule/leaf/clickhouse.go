package leaf

import (
	"strconv"
	"strings"
)

// ClickHouse is the dialect of the event store on ClickHouse. It counts on the settings of that store: unmatched rows of a join are NULL, a name is a column
// before it is an alias, and a cast keeps NULL.
type ClickHouse struct{}

const (
	clickNumbers = "('Int64', 'UInt64', 'Double')"
	clickPlace   = "(time, seq, idx)"
)

// raw is the JSON text of the value at the path, empty if there is none. ClickHouse reads a number as the place of a member, of objects too; here it is a
// place in lists only.
func (ClickHouse) raw(col string, p Path) *SQL {
	at := column(col)
	var keys []string
	flush := func() {
		if keys == nil {
			return
		}
		inner := &SQL{}
		inner.Add("JSONExtractRaw(").Append(at)
		for _, k := range keys {
			inner.Add(", ").Arg(k)
		}
		at, keys = inner.Add(")"), nil
	}
	for _, seg := range p {
		i, err := strconv.ParseUint(seg, 10, 31)
		if err != nil || strconv.FormatUint(i, 10) != seg {
			keys = append(keys, seg)
			continue
		}
		flush()
		either := &SQL{}
		either.Add("CASE WHEN JSONType(").Append(at).Add(") = 'Array' THEN JSONExtractRaw(").Append(at).Add(", ", strconv.FormatUint(i+1, 10), ") ELSE JSONExtractRaw(").
			Append(at).Add(", ").Arg(seg).Add(") END")
		at = either
	}
	flush()
	return at
}

// on is a function of the value at the path.
func (d ClickHouse) on(fn, column string, p Path) *SQL {
	q := &SQL{}
	return q.Add(fn, "(").Append(d.raw(column, p)).Add(")")
}

func (d ClickHouse) is(column string, p Path, kind string) *SQL {
	return d.on("JSONType", column, p).Add(" = '", kind, "'")
}

func (d ClickHouse) isNumber(column string, p Path) *SQL {
	return d.on("JSONType", column, p).Add(" IN ", clickNumbers)
}

// Number implements Dialect.
func (d ClickHouse) Number(q *SQL, column string, p Path) {
	q.Add("CASE WHEN ").Append(d.isNumber(column, p)).Add(" THEN ").Append(d.on("JSONExtractFloat", column, p)).Add(" END")
}

// Key implements Dialect.
func (d ClickHouse) Key(q *SQL, column string, p Path) {
	q.Add("CASE WHEN ").Append(d.is(column, p, "String")).Add(" THEN concat('s', ").Append(d.on("JSONExtractString", column, p)).
		Add(") WHEN ").Append(d.is(column, p, "Bool")).Add(" THEN concat('b', ").Append(d.raw(column, p)).
		Add(") WHEN ").Append(d.isNumber(column, p)).Add(" THEN concat('n', toString(").Append(d.on("JSONExtractFloat", column, p)).Add(")) END")
}

// JSON implements Dialect.
func (d ClickHouse) JSON(q *SQL, column string, p Path) {
	q.Add("coalesce(nullif(").Append(d.raw(column, p)).Add(", ''), 'null')")
}

// Text implements Dialect.
func (d ClickHouse) Text(q *SQL, column string, p Path) {
	q.Add("CASE WHEN ").Append(d.is(column, p, "String")).Add(" THEN ").Append(d.on("JSONExtractString", column, p)).Add(" END")
}

// Place implements Dialect.
func (ClickHouse) Place(q *SQL) { q.Add(clickPlace) }

// PlaceTime implements Dialect.
func (ClickHouse) PlaceTime(q *SQL, column string) { q.Add("tupleElement(", column, ", 1)") }

// First implements Dialect.
func (ClickHouse) First(q *SQL, column string) { q.Add("argMin(", column, ", ", clickPlace, ")") }

// Last implements Dialect.
func (ClickHouse) Last(q *SQL, column string) { q.Add("argMax(", column, ", ", clickPlace, ")") }

// Micro implements Dialect. ClickHouse's round goes to the even neighbour, Go's and DuckDB's away from zero.
func (ClickHouse) Micro(q *SQL, column string) {
	x := "(" + column + " * 1000000)"
	q.Add("CASE WHEN abs(", column, ") <= 1e12 THEN toInt128(trunc(", x, ") + CASE WHEN abs(", x, " - trunc(", x, ")) >= 0.5 THEN sign(", column, ") ELSE 0 END) END")
}

// Wide implements Dialect.
func (ClickHouse) Wide(q *SQL, v int64) { q.Add("toInt128(").Arg(v).Add(")") }

// Days implements Dialect.
func (ClickHouse) Days(q *SQL, column string, now int64) {
	q.Add("CASE WHEN ", column, " >= ").Arg(now).Add(" THEN 0 ELSE intDiv(").Arg(now).Add(" - ", column, ", 86400000000) END")
}

// Cond implements Dialect.
func (d ClickHouse) Cond(q *SQL, column string, p Path, c Cond, now int64) {
	if c.Op == Exists {
		q.Add("NOT ").Append(d.is(column, p, "Null"))
		return
	}
	if c.traits() {
		d.condTrait(q, column, p, c)
		return
	}
	ordered := c.Op != Contains && c.Op != StartsWith
	texts, numbers, booleans := of(c, 's'), of(c, 'n'), of(c, 'b')
	text := d.on("JSONExtractString", column, p)
	q.Add("CASE")
	if len(texts.Vals) > 0 {
		q.Add(" WHEN ").Append(d.is(column, p, "String")).Add(" THEN ")
		compare(q, text, texts, plainArg)
	}
	if c.moments() {
		abs := Cond{Op: c.Op}
		for _, v := range c.Vals {
			abs.Vals = append(abs.Vals, Value{kind: 'm', ago: now - v.ago})
		}
		q.Add(" WHEN ").Append(d.is(column, p, "String")).Add(" THEN coalesce(")
		compare(q, clickMoment(text), abs, plainArg)
		q.Add(", false)")
	}
	if len(numbers.Vals) > 0 && ordered {
		q.Add(" WHEN ").Append(d.isNumber(column, p)).Add(" THEN ")
		compare(q, d.on("JSONExtractFloat", column, p), numbers, plainArg)
	}
	if len(booleans.Vals) > 0 && ordered {
		q.Add(" WHEN ").Append(d.is(column, p, "Bool")).Add(" THEN ")
		compare(q, d.raw(column, p), booleans, plainArg)
	}
	if c.Op == Contains {
		q.Add(" WHEN ").Append(d.is(column, p, "Array")).Add(" THEN ")
		d.element(q, column, p, func() {
			switch v := c.Vals[0]; v.kind {
			case 's':
				q.Add("JSONType(e) = 'String' AND JSONExtractString(e) = ").Arg(v.text)
			case 'n':
				q.Add("JSONType(e) IN ", clickNumbers, " AND JSONExtractFloat(e) = ").Arg(v.num)
			default:
				q.Add("JSONType(e) = 'Bool' AND e = ").Arg(v.arg())
			}
		})
	}
	q.Add(" ELSE false END")
}

// element asks whether a list holds an element e.
func (d ClickHouse) element(q *SQL, column string, p Path, fits func()) {
	q.Add("arrayExists(e -> (")
	fits()
	q.Add("), JSONExtractArrayRaw(assumeNotNull(").Append(d.raw(column, p)).Add(")))")
}

// condTrait is Cond for a comparison with a trait.
func (d ClickHouse) condTrait(q *SQL, column string, p Path, c Cond) {
	mark := c.Vals[0].path
	markText := func(q *SQL, _ Value) { q.Append(d.on("JSONExtractString", owner, mark)) }
	markNumber := func(q *SQL, _ Value) { q.Append(d.on("JSONExtractFloat", owner, mark)) }
	both := func(kind string) {
		q.Add(" WHEN ").Append(d.is(column, p, kind)).Add(" AND ").Append(d.is(owner, mark, kind)).Add(" THEN ")
	}
	q.Add("CASE")
	both("String")
	compare(q, d.on("JSONExtractString", column, p), c, markText)
	switch c.Op {
	case Contains:
		q.Add(" WHEN ").Append(d.is(column, p, "Array")).Add(" THEN ")
		d.element(q, column, p, func() {
			q.Add("CASE WHEN JSONType(e) IN ", clickNumbers, " AND ").Append(d.isNumber(owner, mark)).Add(" THEN JSONExtractFloat(e) = ")
			markNumber(q, Value{})
			q.Add(" WHEN JSONType(e) IN ('String', 'Bool') AND JSONType(e) = ").Append(d.on("JSONType", owner, mark)).Add(" THEN JSONExtractString(e) = ")
			markText(q, Value{})
			q.Add(" ELSE false END")
		})
	case StartsWith:
	default:
		q.Add(" WHEN ").Append(d.isNumber(column, p)).Add(" AND ").Append(d.isNumber(owner, mark)).Add(" THEN ")
		compare(q, d.on("JSONExtractFloat", column, p), c, markNumber)
	}
	if c.Op == Eq {
		both("Bool")
		compare(q, d.raw(column, p), c, func(q *SQL, _ Value) { q.Append(d.raw(owner, mark)) })
	}
	q.Add(" ELSE false END")
}

// Moment implements Dialect.
func (ClickHouse) Moment(q *SQL, col string) { q.Append(clickMoment(column(col))) }

// clickMoment is the time in a text expression. ClickHouse's own times end in 2299 and begin in 1900, so it is counted by the calendar's rules: days since
// 1970 by way of the era of 400 years and the year that begins in March.
func clickMoment(text *SQL) *SQL {
	part := func(from, length int) string {
		return "toInt64OrZero(substring(t, " + strconv.Itoa(from) + ", " + strconv.Itoa(length) + "))"
	}
	const (
		monthEnd = "CASE WHEN m = 2 THEN CASE WHEN y % 4 = 0 AND (y % 100 <> 0 OR y % 400 = 0) THEN 29 ELSE 28 END WHEN m IN (4, 6, 9, 11) THEN 30 ELSE 31 END"
		year     = "(y - CASE WHEN m <= 2 THEN 1 ELSE 0 END)"
		days     = "(intDiv(" + year + ", 400) * 146097 + (" + year + " % 400) * 365 + intDiv(" + year + " % 400, 4) - intDiv(" + year + " % 400, 100) + intDiv(153 * ((m + 9) % 12) + 2, 5) + d - 719469)"
	)
	clock := "CASE WHEN length(t) = 10 THEN 0 ELSE (" + part(12, 2) + " * 3600 + " + part(15, 2) + " * 60 + " + part(18, 2) + ") * 1000000 + toInt64OrZero(rightPad(extract(t, '\\\\.(\\\\d{1,6})'), 6, '0')) - " +
		"CASE WHEN endsWith(t, 'Z') THEN 0 ELSE (toInt64OrZero(substring(t, -5, 2)) * 60 + toInt64OrZero(substring(t, -2, 2))) * 60000000 * CASE WHEN substring(t, -6, 1) = '-' THEN -1 ELSE 1 END END END"
	q := &SQL{}
	return q.Add("arrayMap(t -> CASE WHEN match(t, '", strings.ReplaceAll(TimePattern, `\`, `\\`), "') THEN arrayMap((y, m, d) -> CASE WHEN d <= ", monthEnd, " THEN ", days, " * 86400000000 + ", clock,
		" END, [", part(1, 4), "], [", part(6, 2), "], [", part(9, 2), "])[1] END, [").Append(text).Add("])[1]")
}

// Version implements Dialect.
func (ClickHouse) Version(q *SQL, column string, c Cond) {
	pattern := strings.ReplaceAll(VersionPattern, `\`, `\\`)
	parse := func(text func()) {
		q.Add("arrayResize(arrayMap(x -> toUInt32OrZero(x), splitByChar('.', extract(")
		text()
		q.Add(", '(", pattern, ")'))), 8)")
	}
	side := func(sign string, v Value) {
		parse(func() { q.Add("assumeNotNull(", column, ")") })
		q.Add(sign)
		parse(func() { q.Arg(v.text) })
	}
	q.Add("(match(", column, ", '", pattern, "') AND ")
	if c.Op == Between {
		side(signs[Gte], c.Vals[0])
		q.Add(" AND ")
		side(signs[Lte], c.Vals[1])
	} else {
		side(signs[c.Op], c.Vals[0])
	}
	q.Add(")")
}

// Bucket implements Dialect.
func (ClickHouse) Bucket(q *SQL, salt string) {
	q.Add("reinterpretAsUInt32(reverse(substring(MD5(concat(").Arg(salt + ":").Add(", id)), 1, 4))) * 100 / 4294967296")
}

// KeyOf is Key as text and arguments, for who writes SQL of their own; RawOf the JSON text of the value at the path, empty if there is none.
func (d ClickHouse) KeyOf(column string, p Path) Question {
	q := &SQL{}
	d.Key(q, column, p)
	return q.question()
}

// RawOf see KeyOf.
func (d ClickHouse) RawOf(column string, p Path) Question { return d.raw(column, p).question() }
