package leaf

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// DuckDB is the dialect of the embedded event store.
type DuckDB struct{}

// at writes a JSON function on the value at the path: json_type(props, ?).
func (DuckDB) at(q *SQL, fn, column string, p Path) {
	q.Add(fn, "(", column)
	if p != nil {
		q.Add(", CAST(").Arg(p.Pointer()).Add(" AS VARCHAR)")
	} else if fn == "json_extract_string" {
		q.Add(", '$'")
	}
	q.Add(")")
}

const jsonNumbers = "'BIGINT', 'UBIGINT', 'DOUBLE', 'HUGEINT'"

// number writes the number at a path that is known to hold one.
func (d DuckDB) number(q *SQL, column string, p Path) {
	q.Add("TRY_CAST(")
	if p == nil {
		q.Add(column)
	} else {
		d.at(q, "json_extract", column, p)
	}
	q.Add(" AS DOUBLE)")
}

// Number implements Dialect. Only of a number is the JSON itself one: texts have their quotation marks.
func (d DuckDB) Number(q *SQL, column string, p Path) {
	q.Add("TRY_CAST(")
	d.plain(q, column, p)
	q.Add(" AS DOUBLE)")
}

// plain writes the JSON at a path as text, NULL if there is none.
func (d DuckDB) plain(q *SQL, column string, p Path) {
	q.Add("CAST(")
	if p == nil {
		q.Add(column)
	} else {
		d.at(q, "json_extract", column, p)
	}
	q.Add(" AS VARCHAR)")
}

// quick compares with texts as JSON writes them, or with numbers, and reports whether that was possible: the value is then looked up once, and
// not for its type before.
func (d DuckDB) quick(q *SQL, column string, p Path, c Cond) bool {
	e := &SQL{}
	switch texts, numbers := of(c, 's'), of(c, 'n'); len(c.Vals) {
	case len(texts.Vals):
		if c.Op != Eq && c.Op != In || slices.ContainsFunc(c.Vals, func(v Value) bool { return !sameInJSON(v.text) }) {
			return false
		}
		d.plain(e, column, p)
		q.Add("coalesce(")
		compare(q, e, c, func(q *SQL, v Value) { q.Arg(`"` + v.text + `"`) })
	case len(numbers.Vals):
		if c.Op == Contains || c.Op == StartsWith {
			return false
		}
		d.Number(e, column, p)
		q.Add("coalesce(")
		compare(q, e, c, plainArg)
	default:
		return false
	}
	q.Add(", false)")
	return true
}

// sameInJSON reports whether JSON writes a text as it is, but for the quotation marks.
func sameInJSON(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f || r == utf8.RuneError })
}

// Key implements Dialect.
func (d DuckDB) Key(q *SQL, column string, p Path) {
	q.Add("CASE ")
	d.at(q, "json_type", column, p)
	q.Add(" WHEN 'VARCHAR' THEN 's' || ")
	d.at(q, "json_extract_string", column, p)
	q.Add(" WHEN 'BOOLEAN' THEN 'b' || ")
	d.at(q, "json_extract_string", column, p)
	for _, t := range strings.Split(jsonNumbers, ", ") {
		q.Add(" WHEN ", t, " THEN 'n' || CAST(")
		d.number(q, column, p)
		q.Add(" AS VARCHAR)")
	}
	q.Add(" END")
}

// JSON implements Dialect.
func (d DuckDB) JSON(q *SQL, column string, p Path) {
	q.Add("coalesce(CAST(")
	d.at(q, "json_extract", column, p)
	q.Add(" AS VARCHAR), 'null')")
}

const duckPlace = "{'t': time, 's': seq, 'i': idx}"

// Place implements Dialect.
func (DuckDB) Place(q *SQL) { q.Add(duckPlace) }

// PlaceTime implements Dialect.
func (DuckDB) PlaceTime(q *SQL, column string) { q.Add("struct_extract(", column, ", 't')") }

// Text implements Dialect.
func (d DuckDB) Text(q *SQL, column string, p Path) {
	q.Add("CASE WHEN ")
	d.at(q, "json_type", column, p)
	q.Add(" = 'VARCHAR' THEN ")
	d.at(q, "json_extract_string", column, p)
	q.Add(" END")
}

// First implements Dialect.
func (DuckDB) First(q *SQL, column string) {
	q.Add("arg_min(", column, ", ", duckPlace, ")")
}

// Last implements Dialect.
func (DuckDB) Last(q *SQL, column string) {
	q.Add("arg_max(", column, ", ", duckPlace, ")")
}

// Micro implements Dialect.
func (DuckDB) Micro(q *SQL, column string) {
	q.Add("CASE WHEN abs(", column, ") <= 1e12 THEN CAST(round(", column, " * 1000000) AS BIGINT) END") // sums of them are HUGEINT
}

// Days implements Dialect.
func (DuckDB) Days(q *SQL, column string, now int64) {
	q.Add("CASE WHEN ", column, " >= ").Arg(now).Add(" THEN 0 ELSE (").Arg(now).Add(" - ", column, ") // 86400000000 END")
}

// Wide implements Dialect.
func (DuckDB) Wide(q *SQL, v int64) { q.Add("CAST(").Arg(v).Add(" AS HUGEINT)") }

// Cond implements Dialect.
func (d DuckDB) Cond(q *SQL, column string, p Path, c Cond, now int64) {
	if c.Op == Exists {
		q.Add("coalesce(")
		d.at(q, "json_type", column, p)
		q.Add(" <> 'NULL', false)")
		return
	}
	if c.traits() {
		d.condTrait(q, column, p, c)
		return
	}
	if d.quick(q, column, p, c) {
		return
	}
	ordered := c.Op != Contains && c.Op != StartsWith
	texts, numbers, booleans := of(c, 's'), of(c, 'n'), of(c, 'b')
	text := &SQL{}
	d.at(text, "json_extract_string", column, p)
	q.Add("CASE ")
	d.at(q, "json_type", column, p)
	if len(texts.Vals) > 0 {
		q.Add(" WHEN 'VARCHAR' THEN ")
		compare(q, text, texts, plainArg)
	}
	if c.moments() {
		q.Add(" WHEN 'VARCHAR' THEN ")
		d.moment(q, text, c, now)
	}
	if len(numbers.Vals) > 0 && ordered {
		num := &SQL{}
		d.number(num, column, p)
		for _, t := range strings.Split(jsonNumbers, ", ") {
			q.Add(" WHEN ", t, " THEN ")
			compare(q, num, numbers, plainArg)
		}
	}
	if len(booleans.Vals) > 0 && ordered {
		q.Add(" WHEN 'BOOLEAN' THEN ")
		compare(q, text, booleans, plainArg)
	}
	if c.Op == Contains {
		q.Add(" WHEN 'ARRAY' THEN ")
		d.element(q, column, p, c.Vals[0])
	}
	q.Add(" ELSE false END")
}

// condTrait is Cond for a comparison with a trait.
func (d DuckDB) condTrait(q *SQL, column string, p Path, c Cond) {
	mark := c.Vals[0].path
	is := func(types string) {
		q.Add("coalesce(")
		d.at(q, "json_type", owner, mark)
		q.Add(" IN (", types, "), false)")
	}
	text := &SQL{}
	d.at(text, "json_extract_string", column, p)
	markText := func(q *SQL, _ Value) { d.at(q, "json_extract_string", owner, mark) }
	q.Add("CASE ")
	d.at(q, "json_type", column, p)
	q.Add(" WHEN 'VARCHAR' THEN ")
	is("'VARCHAR'")
	q.Add(" AND coalesce(")
	compare(q, text, c, markText)
	q.Add(", false)")
	switch c.Op {
	case Contains:
		q.Add(" WHEN 'ARRAY' THEN len(list_filter(CAST(")
		if p == nil {
			q.Add(column)
		} else {
			d.at(q, "json_extract", column, p)
		}
		q.Add(" AS JSON[]), e -> coalesce(CASE WHEN json_type(e) IN (", jsonNumbers, ") THEN TRY_CAST(e AS DOUBLE) = ")
		d.Number(q, owner, mark)
		q.Add(" WHEN json_type(e) IN ('VARCHAR', 'BOOLEAN') AND json_type(e) = ")
		d.at(q, "json_type", owner, mark)
		q.Add(" THEN json_extract_string(e, '$') = ")
		markText(q, Value{})
		q.Add(" END, false))) > 0")
	case StartsWith:
	default:
		num := &SQL{}
		d.number(num, column, p)
		for _, t := range strings.Split(jsonNumbers, ", ") {
			q.Add(" WHEN ", t, " THEN ")
			q.Add("coalesce(")
			compare(q, num, c, func(q *SQL, _ Value) { d.Number(q, owner, mark) })
			q.Add(", false)")
		}
	}
	if c.Op == Eq {
		q.Add(" WHEN 'BOOLEAN' THEN ")
		is("'BOOLEAN'")
		q.Add(" AND coalesce(")
		compare(q, text, c, markText)
		q.Add(", false)")
	}
	q.Add(" ELSE false END")
}

// of keeps the values of one kind.
func of(c Cond, kind byte) Cond {
	out := Cond{Op: c.Op}
	for _, v := range c.Vals {
		if v.kind == kind {
			out.Vals = append(out.Vals, v)
		}
	}
	return out
}

// element asks whether a list holds the value.
func (d DuckDB) element(q *SQL, column string, p Path, v Value) {
	q.Add("len(list_filter(CAST(")
	if p == nil {
		q.Add(column)
	} else {
		d.at(q, "json_extract", column, p)
	}
	q.Add(" AS JSON[]), e -> coalesce(")
	switch v.kind {
	case 's':
		q.Add("json_type(e) = 'VARCHAR' AND json_extract_string(e, '$') = ").Arg(v.text)
	case 'n':
		q.Add("json_type(e) IN (", jsonNumbers, ") AND TRY_CAST(e AS DOUBLE) = ").Arg(v.num)
	default:
		q.Add("json_type(e) = 'BOOLEAN' AND json_extract_string(e, '$') = ").Arg(v.arg())
	}
	q.Add(", false))) > 0")
}

// moment compares a text that holds a time with moments relative to now.
func (d DuckDB) moment(q, text *SQL, c Cond, now int64) {
	t := text.text.String()
	at := column(duckMoment(t))
	for range strings.Count(at.text.String(), t) {
		at.args = append(at.args, text.args...)
	}
	abs := Cond{Op: c.Op}
	for _, v := range c.Vals {
		abs.Vals = append(abs.Vals, Value{kind: 'm', ago: now - v.ago})
	}
	q.Add("coalesce(")
	compare(q, at, abs, plainArg)
	q.Add(", false)")
}

// Moment implements Dialect.
func (DuckDB) Moment(q *SQL, column string) { q.Add(duckMoment(column)) }

// duckMoment is the time in a text expression.
func duckMoment(t string) string {
	return "epoch_us(TRY_CAST(CASE WHEN NOT regexp_full_match(" + t + ", '" + TimePattern + "') THEN NULL WHEN length(" + t + ") = 10 THEN " + t +
		" || 'T00:00:00Z' ELSE regexp_replace(" + t + `, '(\.\d{6})\d+', '\1') END AS TIMESTAMPTZ))`
}

// Version implements Dialect.
func (d DuckDB) Version(q *SQL, column string, c Cond) {
	// Versions become texts of fixed width: DuckDB cannot take a list between two others.
	parse := func(text func()) {
		q.Add("array_to_string(list_resize(list_transform(string_split(regexp_extract(")
		text()
		q.Add(", '", VersionPattern, "'), '.'), x -> lpad(x, 9, '0')), 8, '000000000'), '.')")
	}
	side := func(sign string, v Value) {
		parse(func() { q.Add(column) })
		q.Add(sign)
		parse(func() { q.Add("CAST(").Arg(v.text).Add(" AS VARCHAR)") })
	}
	q.Add("(regexp_extract(", column, ", '", VersionPattern, "') <> '' AND ")
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
func (DuckDB) Bucket(q *SQL, salt string) {
	q.Add("CAST(CAST('0x' || substr(md5(CAST(").Arg(salt + ":").Add(" AS VARCHAR) || id), 1, 8) AS UBIGINT) AS DOUBLE) * 100 / 4294967296")
}
