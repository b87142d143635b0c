package leaf

import (
	"math"
	"strings"
)

// SQL is a statement being written: text and arguments in the same order. What a user wrote is always an argument.
type SQL struct {
	text strings.Builder
	args []any
}

// Add writes text of ours.
func (q *SQL) Add(text ...string) *SQL {
	for _, t := range text {
		q.text.WriteString(t)
	}
	return q
}

// Arg writes a placeholder for v.
func (q *SQL) Arg(v any) *SQL {
	q.text.WriteByte('?')
	q.args = append(q.args, v)
	return q
}

// Append writes another statement's text and arguments.
func (q *SQL) Append(other *SQL) *SQL {
	q.args = append(q.args, other.args...)
	return q.Add(other.text.String())
}

func (q *SQL) question() Question { return Question{SQL: q.text.String(), Args: q.args} }

// Dialect writes what engines say differently. Every condition it writes is true or false, never NULL. A column is an
// expression of ours without arguments; a nil path means the JSON value in the column itself.
type Dialect interface {
	// Cond compares the value at the path of a JSON column. c is not an opposite; it may hold moments relative to now, or one trait, which
	// stands in the column owner.
	Cond(q *SQL, column string, p Path, c Cond, now int64)
	// JSON writes the JSON text of the value at the path of a JSON column, 'null' if there is none.
	JSON(q *SQL, column string, p Path)
	// Number writes the number at the path of a JSON column, NULL if there is none.
	Number(q *SQL, column string, p Path)
	// Key writes a text that tells texts, numbers and booleans at the path apart, NULL for anything else.
	Key(q *SQL, column string, p Path)
	// Text writes the text at the path of a JSON column, NULL if there is none.
	Text(q *SQL, column string, p Path)
	// Moment writes the time in a text column, in microseconds, NULL if it holds none (see ParseTime).
	Moment(q *SQL, column string)
	// Place writes the place of an event in a history (time, seq, idx), which min and max and comparisons take; PlaceTime the time in
	// such a column.
	Place(q *SQL)
	PlaceTime(q *SQL, column string)
	// First and Last aggregate a column, not NULL, to its value at the first or last place.
	First(q *SQL, column string)
	Last(q *SQL, column string)
	// Micro writes a number in whole millionths, as a wide integer; NULL if it is NULL or exceeds ±10^12.
	Micro(q *SQL, column string)
	// Wide writes an argument as a wide integer.
	Wide(q *SQL, v int64)
	// Days writes the whole days since the time in a column, 0 for times to come.
	Days(q *SQL, column string, now int64)
	// Version compares a text column by the numbers of its version.
	Version(q *SQL, column string, c Cond)
	// Bucket writes the share of person.id, in percent [0, 100), as share computes it.
	Bucket(q *SQL, salt string)
}

// compare writes a comparison of a non-NULL expression with the values of c. The arguments of the expression, if it
// has any, are those of e.
func compare(q *SQL, e *SQL, c Cond, arg func(*SQL, Value)) {
	expr := func() *SQL {
		q.args = append(q.args, e.args...)
		return q.Add(e.text.String())
	}
	one := func(v Value) { arg(q, v) }
	switch c.Op {
	case Eq, In:
		expr().Add(" IN (")
		for i, v := range c.Vals {
			if i > 0 {
				q.Add(", ")
			}
			one(v)
		}
		q.Add(")")
	case Between:
		q.Add("(")
		expr().Add(" >= ")
		one(c.Vals[0])
		q.Add(" AND ")
		expr().Add(" <= ")
		one(c.Vals[1])
		q.Add(")")
	case Contains, StartsWith:
		q.Add(map[Op]string{Contains: "contains(", StartsWith: "starts_with("}[c.Op])
		expr().Add(", ")
		one(c.Vals[0])
		q.Add(")")
	default:
		expr().Add(signs[c.Op])
		one(c.Vals[0])
	}
}

// plainArg writes a value as it is.
func plainArg(q *SQL, v Value) { q.Arg(v.arg()) }

// column is an expression without arguments.
func column(text string) *SQL {
	q := &SQL{}
	return q.Add(text)
}

var signs = map[Op]string{Gt: " > ", Gte: " >= ", Lt: " < ", Lte: " <= "}

func (v Value) arg() any {
	switch v.kind {
	case 's':
		return v.text
	case 'n':
		return v.num
	case 'm':
		return v.ago
	}
	return map[bool]string{true: "true", false: "false"}[v.yes] // as JSON says it
}

// maxMicro is the largest magnitude of a number in a sum.
const maxMicro = 1e12

// micro is a number in whole millionths, false if it is too large to be summed.
func micro(f float64) (int64, bool) {
	if math.Abs(f) > maxMicro {
		return 0, false
	}
	return int64(math.Round(f * 1e6)), true
}
