package leaf

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Anniversary asks whether the yearly return of a date is near: {"path": "birthday", "from": 0, "to": 7, "zone": "Asia/Tokyo", "own_zone": true} matches
// from seven days before the day until the day itself, {"event": {"name": "Order Completed", "which": "first"}, "zone": "UTC"} on the very day a year,
// two years, ... after the first order. from and to are how many days ahead the day is, 0 if left out, negative once it is over.
//
// A date in a trait is taken as it is written (1990-05-01, or --05-01 where the year is not known); a time, in a trait or of an event, is of the day that
// it is in the zone. Which day today is, the zone says too, or with own_zone the person's own (the trait "timezone"), where they have one. What began
// on 29 February returns on 28 February in other years, with "leap_day": "march" on 1 March. The first return is in the year after the beginning; a time
// more than 150 years back returns no more.
func Anniversary() Spec {
	return Spec{Kind: "anniversary", Title: "Has an anniversary or a birthday", Parse: parseAnniversary, Schema: anniversarySchema}
}

const (
	mostAhead   = 364 // days
	mostDays    = 180 // between from and to
	oldestYears = 150
)

type anniversary struct {
	path     Path  // of the trait; nil: of the event
	event    *pick // all events that are looked through
	first    bool
	from, to int64
	zone     *time.Location
	own      bool
	march    bool
}

func parseAnniversary(in Input) (Leaf, error) {
	f := in.fields("path", "event", "from", "to", "zone", "own_zone", "leap_day")
	l := &anniversary{own: f.yesNo("own_zone", false), march: f.choice("leap_day", "february", leapDays) == "march"}
	if f.err == nil && f.has("path") == f.has("event") {
		f.fail(errs.Invalid("rule.value", in.Path, "give exactly one of path (a trait with a date) and event (whose first or last time is meant)"))
	}
	if of, ok := in.Get("event"); ok && f.err == nil {
		g := of.fields("name", "type", "filter", "which")
		p := g.about()
		l.event, l.first = &p, g.choice("which", "first", ends) == "first"
		f.fail(g.err)
	} else {
		l.path = f.path("path")
	}
	l.from, l.to = f.days("from"), f.days("to")
	switch {
	case f.err != nil:
	case l.from > l.to:
		f.fail(errs.Invalid("rule.value", in.Path+".to", "to must not be less than from: 0 and 7 are the next seven days"))
	case l.to-l.from > mostDays:
		f.fail(errs.Invalid("rule.value", in.Path+".to", "from and to are %d days apart; at most %d are possible", l.to-l.from, mostDays))
	}
	zone := f.text("zone")
	if l.zone = clock.Zones()[zone]; f.err == nil && l.zone == nil {
		f.fail(errs.Invalid("rule.value", in.Path+".zone", "%q is no time zone; use a name like Asia/Tokyo", zone))
	}
	return l, f.err
}

var leapDays = []string{"february", "march"}

// days reads a whole number of days, 0 if it is left out.
func (f *fields) days(key string) int64 {
	if !f.has(key) {
		return 0
	}
	n := f.number(key, -mostAhead, mostAhead)
	if f.err == nil && n != float64(int64(n)) {
		f.fail(errs.Invalid("rule.value", f.in.Path+"."+key, "%v is no whole number of days", n))
	}
	return int64(n)
}

// date is a day as calendars write it.
type date struct {
	year, month, day int // year 0: not known
}

func dateOf(day int64) date {
	t := time.Unix(day*86400, 0).UTC()
	return date{t.Year(), int(t.Month()), t.Day()}
}

func (d date) number() int64 {
	return time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// text is the date without its year, in the order of the calendar.
func (d date) text() string { return fmt.Sprintf("%02d-%02d", d.month, d.day) }

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// in is the day on which the date returns in a year.
func (l *anniversary) in(year int, d date) int64 {
	d.year = year
	if d.month == 2 && d.day == 29 && !leap(year) && !l.march {
		d.day = 28 // else the calendar itself makes 1 March of it
	}
	return d.number()
}

// turn is the part of a year in which the dates lie that are asked for.
type turn struct {
	year     int
	from, to date
}

// turns are the dates that are asked for when it is today, one year each.
func (l *anniversary) turns(today int64) []turn {
	from, to := dateOf(today+l.from), dateOf(today+l.to)
	if from.year == to.year {
		return []turn{{from.year, from, to}}
	}
	return []turn{{from.year, from, date{from.year, 12, 31}}, {to.year, date{to.year, 1, 1}, to}}
}

// leapDayIn reports whether 29 February returns within a turn of a year that has none.
func (l *anniversary) leapDayIn(t turn) bool {
	day := l.in(t.year, date{0, 2, 29})
	return t.from.number() <= day && day <= t.to.number()
}

// span is when, in the zone, a day of an earlier year began that returns within the turn: from inclusive, to exclusive.
func (l *anniversary) span(t turn, year int) (from, to int64) {
	first, last := date{year, t.from.month, t.from.day}.number(), date{year, t.to.month, t.to.day}.number()
	if !leap(year) && t.to.text() == "02-29" {
		last-- // the calendar makes 1 March of it
	}
	if leap(year) && !leap(t.year) {
		switch {
		case !l.march && t.to.text() == "02-28":
			last++
		case l.march && t.from.text() == "03-01":
			first--
		}
	}
	return clock.DayStart(first, l.zone), clock.DayStart(last+1, l.zone)
}

func (l *anniversary) Ask(d Dialect, ws string, now time.Time) Question {
	q := &SQL{}
	if l.event != nil {
		q.Add("SELECT num FROM (SELECT num, traits FROM person WHERE ws = ").Arg(ws).Add(") AS who JOIN (SELECT person, ")
		q.Add(map[bool]string{true: "min", false: "max"}[l.first], "(time) AS moment")
		l.event.from(q, d, ws)
		l.event.where(q, d, ws, now.UnixMicro())
		q.Add(" GROUP BY person) AS ended ON ended.person = who.num WHERE ")
	} else {
		q.Add("SELECT num FROM (SELECT *, ")
		d.Moment(q, "written")
		q.Add(" AS moment FROM (SELECT num, traits, written IS NULL OR length(written) <> length(given) AS yearless, written FROM (SELECT num, traits, given, CASE WHEN length(given) = 7 AND starts_with(given, '--') THEN '2000' || substr(given, 2) ELSE given END AS written FROM (SELECT num, traits, ")
		d.Text(q, "traits", l.path)
		q.Add(" AS given FROM person WHERE ws = ").Arg(ws).Add(") AS p1) AS p2) AS p3) AS who WHERE moment IS NOT NULL AND ")
	}
	us := now.UnixMicro()
	today := clock.DayOf(us, l.zone)
	if !l.own {
		l.near(q, today)
		return q.question()
	}
	others := map[int64]Cond{}
	for name, zone := range clock.Zones() {
		if day := clock.DayOf(us, zone); day != today {
			c := others[day]
			c.Op, c.Vals = In, append(c.Vals, Value{kind: 's', text: name})
			others[day] = c
		}
	}
	q.Add("CASE")
	for _, day := range slices.Sorted(maps.Keys(others)) {
		slices.SortFunc(others[day].Vals, func(a, b Value) int { return cmp.Compare(a.text, b.text) })
		q.Add(" WHEN ")
		d.Cond(q, "traits", ownZone, others[day], us)
		q.Add(" THEN ")
		l.near(q, day)
	}
	q.Add(" WHEN 1 = 1 THEN ")
	l.near(q, today)
	q.Add(" END")
	return q.question()
}

var ownZone = Path{"timezone"}

// near writes whether moment, or the date in written, returns within the days asked for.
func (l *anniversary) near(q *SQL, today int64) {
	q.Add("(")
	for i, t := range l.turns(today) {
		if i > 0 {
			q.Add(" OR ")
		}
		if l.event == nil {
			q.Add("(length(written) = 10 AND (yearless OR substr(written, 1, 4) < ").Arg(fmt.Sprintf("%04d", t.year)).Add(") AND ")
			l.dates(q, t)
			q.Add(") OR ")
			q.Add("(length(written) > 10 AND ")
		}
		q.Add("(")
		for year := t.year - oldestYears; year < t.year; year++ {
			if year > t.year-oldestYears {
				q.Add(" OR ")
			}
			from, to := l.span(t, year)
			q.Add("moment >= ").Arg(from).Add(" AND moment < ").Arg(to)
		}
		q.Add(")")
		if l.event == nil {
			q.Add(")")
		}
	}
	q.Add(")")
}

// dates writes whether the date in written, its year aside, lies within the turn.
func (l *anniversary) dates(q *SQL, t turn) {
	const day = "substr(written, 6, 5)"
	q.Add("(", day, " >= ").Arg(t.from.text()).Add(" AND ", day, " <= ").Arg(t.to.text())
	if leap(t.year) {
		q.Add(")")
		return
	}
	q.Add(" AND ", day, " <> '02-29'")
	if l.leapDayIn(t) {
		q.Add(" OR ", day, " = '02-29'")
	}
	q.Add(")")
}

// origin returns the date that returns, and whether there is one.
func (l *anniversary) origin(s *Subject) (d date, moment, ok bool) {
	if l.event != nil {
		at := -1
		for i := range s.Events {
			if l.event.has(s, i) {
				at = i
				if l.first {
					break
				}
			}
		}
		if at < 0 {
			return date{}, false, false
		}
		return dateOf(clock.DayOf(s.Events[at].Time.UnixMicro(), l.zone)), true, true
	}
	text, _ := l.path.Of(s.Traits).(string)
	yearless := len(text) == len("--05-01") && text[:2] == "--"
	if yearless {
		text = "2000" + text[1:]
	}
	t, ok := ParseTime(text)
	if !ok {
		return date{}, false, false
	}
	if len(text) > len("2000-05-01") {
		return dateOf(clock.DayOf(t, l.zone)), true, true
	}
	d = dateOf(clock.DayOf(t, time.UTC))
	if yearless {
		d.year = 0
	}
	return d, false, true
}

func (l *anniversary) Eval(s *Subject, now time.Time) Result {
	d, moment, ok := l.origin(s)
	if !ok {
		return steady(false)
	}
	zone := l.zone
	if l.own {
		name, _ := ownZone.Of(s.Traits).(string)
		if z := clock.Zones()[name]; z != nil {
			zone = z
		}
	}
	us := now.UnixMicro()
	near := func(today int64) bool {
		for _, t := range l.turns(today) {
			if t.year <= d.year || moment && t.year-d.year > oldestYears {
				continue
			}
			if day := l.in(t.year, d); today+l.from <= day && day <= today+l.to {
				return true
			}
		}
		return false
	}
	today := clock.DayOf(us, zone)
	r := steady(near(today))
	for year := max(d.year+1, dateOf(today).year-1); year <= max(d.year, dateOf(today).year)+2; year++ {
		day := l.in(year, d)
		for _, change := range []int64{day - l.to, day - l.from + 1} {
			at := clock.DayStart(change, zone)
			if at > us && near(change) != r.Match && (r.Next.IsZero() || at < r.Next.UnixMicro()) {
				r.Next = time.UnixMicro(at).UTC()
			}
		}
	}
	return r
}

func (l *anniversary) Needs() Needs {
	n := Needs{Windowed: true}
	if l.event != nil {
		n = n.and(l.event.needs())
	} else {
		n.Fields = []string{l.path.field("traits")}
	}
	return n
}

func anniversarySchema() Schema {
	days := Schema{"type": "integer", "minimum": -mostAhead, "maximum": mostAhead}
	s := object(map[string]Schema{
		"path": pathSchema, "event": aboutSchema(map[string]Schema{"which": enum(ends...)}), "from": days, "to": days,
		"zone": textSchema, "own_zone": booleanSchema, "leap_day": enum(leapDays...),
	}, "zone")
	return s.with(anyOf(
		Schema{"required": []string{"path"}, "not": has("event")},
		Schema{"required": []string{"event"}, "not": has("path")},
	))
}
