package leaf

import (
	"math"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// units are the units of time a rule may use, in microseconds. A month and a year are spans here, not calendar dates, so that
// a window is the same for everyone and on every day.
var units = map[string]int64{
	"minute": int64(time.Minute / time.Microsecond),
	"hour":   int64(time.Hour / time.Microsecond),
	"day":    day,
	"week":   7 * day,
	"month":  30 * day,
	"year":   365 * day,
}

var unitNames = []string{"minute", "hour", "day", "week", "month", "year"}

const (
	day     = int64(24 * time.Hour / time.Microsecond)
	maxSpan = 100 * 365 * day
)

// span reads {"n": 7, "unit": "day"} in microseconds.
func span(in Input, least int64) (int64, error) {
	f := in.fields("n", "unit")
	n := f.number("n", float64(least), 1e8)
	unit := f.choice("unit", "", unitNames)
	if f.err != nil {
		return 0, f.err
	}
	if n != math.Trunc(n) {
		return 0, errs.Invalid("rule.value", in.Path+".n", "%v is not a whole number; use a smaller unit", n)
	}
	if n > float64(maxSpan/units[unit]) {
		return 0, errs.Invalid("rule.value", in.Path+".n", "this is more than a hundred years; use \"ever\"")
	}
	return int64(n) * units[unit], nil
}

// Window is the time in which events count.
type Window struct {
	kind     byte   // 'e' ever, 'r' relative, 'a' absolute, 's' since an event
	from, to int64  // relative: ages, from is forever if there is no oldest; absolute: moments
	since    *since // of 's'
}

// forever is an age that nothing reaches.
const forever = math.MaxInt64

// since is the time after an event of the person. Without such an event there is none.
type since struct {
	pick   pick
	first  bool  // after the first such event, else after the last
	within int64 // for so long after it, forever if without end
}

// window reads the member "window", ever if it is left out.
func (f *fields) window() Window {
	in, ok := f.in.Get("window")
	if !ok || f.err != nil {
		return Window{kind: 'e'}
	}
	if in.kind == 's' {
		if in.text != "ever" {
			f.fail(errs.Invalid("rule.window", in.Path, "%q is not a window; use \"ever\" or an object with within, between, before, absolute or since", in.text))
		}
		return Window{kind: 'e'}
	}
	if in.kind != 'o' {
		f.fail(in.wrong(`"ever" or an object`))
		return Window{}
	}
	if f.fail(in.Only("within", "between", "before", "absolute", "since")); f.err != nil {
		return Window{}
	}
	if len(in.members) != 1 {
		f.fail(errs.Invalid("rule.window", in.Path, "a window has exactly one of within, between, before, absolute and since"))
		return Window{}
	}
	w, err := readWindow(in.members[0].key, in.members[0].val)
	f.fail(err)
	return w
}

func readWindow(kind string, in Input) (Window, error) {
	switch kind {
	case "within":
		d, err := span(in, 1)
		return Window{kind: 'r', from: d}, err
	case "before":
		d, err := span(in, 1)
		return Window{kind: 'r', from: forever, to: d}, err
	case "since":
		return readSince(in)
	case "between":
		f := in.fields("from_ago", "to_ago")
		fromIn, toIn := f.need("from_ago"), f.need("to_ago")
		if f.err != nil {
			return Window{}, f.err
		}
		from, err := span(fromIn, 1)
		if err != nil {
			return Window{}, err
		}
		to, err := span(toIn, 0)
		if err == nil && from <= to {
			err = errs.Invalid("rule.window", in.Path, "from_ago must be further back than to_ago; exchange them")
		}
		return Window{kind: 'r', from: from, to: to}, err
	}
	f := in.fields("from", "to")
	w := Window{kind: 'a', from: math.MinInt64, to: math.MaxInt64}
	if f.err == nil && len(in.members) == 0 {
		f.fail(errs.Invalid("rule.window", in.Path, "an absolute window needs from, to or both"))
	}
	if f.has("from") {
		w.from = f.moment("from")
	}
	if f.has("to") {
		w.to = f.moment("to")
	}
	if f.err == nil && w.from >= w.to {
		f.fail(errs.Invalid("rule.window", in.Path, "from must be before to"))
	}
	return w, f.err
}

// readSince reads {"name": "Order Completed", "which": "last", "within": {"n": 7, "unit": "day"}, ...}.
func readSince(in Input) (Window, error) {
	f := in.fields("name", "type", "filter", "which", "within")
	s := &since{pick: f.about(), first: f.choice("which", "last", ends) == "first", within: forever}
	if within, ok := in.Get("within"); ok && f.err == nil {
		var err error
		s.within, err = span(within, 1)
		f.fail(err)
	}
	return Window{kind: 's', since: s}, f.err
}

// ends are the two ends of a history.
var ends = []string{"first", "last"}

// moment reads a time like 2026-01-31T09:00:00Z.
func (f *fields) moment(key string) int64 {
	s := f.text(key)
	if f.err != nil {
		return 0
	}
	t, ok := ParseTime(s)
	if !ok {
		f.fail(errs.Invalid("rule.value", f.in.Path+"."+key, "%q is not a time; write it like 2026-01-31T09:00:00Z", s))
	}
	return t
}

// needs is what the window reads.
func (w Window) needs() Needs {
	n := Needs{Windowed: w.kind == 'r'}
	if w.since != nil {
		n = n.and(w.since.pick.needs())
	}
	return n
}

// reach is the part of a history that a window since an event covers, whatever the time is now.
type reach struct {
	after  int   // index of the event it begins behind
	before int64 // its end, exclusive
}

// reach finds it; of other windows it is the whole history.
func (w Window) reach(s *Subject) reach {
	r := reach{after: -1, before: math.MaxInt64}
	if w.since == nil {
		return r
	}
	r.after = len(s.Events)
	for i := range s.Events {
		if !w.since.pick.has(s, i) {
			continue
		}
		r.after = i
		if w.since.within != forever {
			r.before = s.Events[i].Time.UnixMicro() + w.since.within
		}
		if w.since.first {
			break
		}
	}
	return r
}

func (r reach) has(s *Subject, i int) bool {
	return i > r.after && (r.before == math.MaxInt64 || s.Events[i].Time.UnixMicro() < r.before)
}

// has reports whether something that happened at t is in the window at now. Of a window since an event, reach says it.
func (w Window) has(t, now int64) bool {
	switch w.kind {
	case 'r':
		return (w.from == forever || t > now-w.from) && t <= now-w.to
	case 'a':
		return t >= w.from && t < w.to
	}
	return true
}

// bounds adds the moments at which something that happened at t enters and leaves the window.
func (w Window) bounds(into []int64, t int64) []int64 {
	if w.kind == 'r' {
		into = append(into, t+w.to)
		if w.from != forever {
			into = append(into, t+w.from)
		}
	}
	return into
}

// where adds the window as a condition on the columns of pick.from.
func (w Window) where(q *SQL, d Dialect, now int64) {
	switch w.kind {
	case 's':
		q.Add(" AND ")
		d.Place(q)
		q.Add(" > start")
		if w.since.within != forever {
			q.Add(" AND time < ")
			d.PlaceTime(q, "start")
			q.Add(" + ").Arg(w.since.within)
		}
	case 'r':
		if w.from != forever {
			q.Add(" AND time > ").Arg(now - w.from)
		}
		q.Add(" AND time <= ").Arg(now - w.to)
	case 'a':
		if w.from != math.MinInt64 {
			q.Add(" AND time >= ").Arg(w.from)
		}
		if w.to != math.MaxInt64 {
			q.Add(" AND time < ").Arg(w.to)
		}
	}
}

// sortedAfter returns the bounds after now, ascending and without repeats.
func sortedAfter(bounds []int64, now int64) []int64 {
	later := make([]int64, 0, len(bounds))
	for _, b := range bounds {
		if b > now {
			later = append(later, b)
		}
	}
	slices.Sort(later)
	return slices.Compact(later)
}
