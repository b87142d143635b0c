package report

import (
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Period is a number of whole days on the clocks of a zone.
type Period struct {
	From time.Time // start of the first day
	To   time.Time // start of the day after the last
	Zone *time.Location
}

const (
	defaultDays = 30
	maxDays     = 400 // a year beside the one before
)

// ParsePeriod reads two days such as 2026-03-01, both included. An empty end is today, an empty beginning makes it thirty days.
func ParsePeriod(from, to string, now time.Time, zone *time.Location) (Period, error) {
	day := func(text, field string) (time.Time, error) {
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return t, errs.Invalid("report.day", field, "%q is no day; write one such as 2026-03-31", text)
		}
		return t, nil
	}
	local := now.In(zone)
	last := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	var err error
	if to != "" {
		if last, err = day(to, "to"); err != nil {
			return Period{}, err
		}
	}
	first := last.AddDate(0, 0, 1-defaultDays)
	if from != "" {
		if first, err = day(from, "from"); err != nil {
			return Period{}, err
		}
	}
	switch n := int(last.Sub(first)/day24) + 1; {
	case n < 1:
		return Period{}, errs.Invalid("report.period.order", "to", "the last day lies before the first; exchange them")
	case n > maxDays:
		return Period{}, errs.Invalid("report.period.length", "from", "a report looks at no more than %d days; choose fewer", maxDays)
	}
	return periodOf(first, last.AddDate(0, 0, 1), zone), nil
}

const day24 = 24 * time.Hour

// periodOf makes a period of two dates; only their calendar days are looked at.
func periodOf(first, after time.Time, zone *time.Location) Period {
	return Period{From: midnight(first, zone), To: midnight(after, zone), Zone: zone}
}

func midnight(date time.Time, zone *time.Location) time.Time {
	return clock.Civil(date.Year(), date.Month(), date.Day(), 0, 0, zone)
}

// dates are the calendar days of the ends; a midnight that the zone skips belongs to the day that begins after it.
func (p Period) dates() (first, after time.Time) {
	date := func(t time.Time) time.Time {
		l := t.In(p.Zone)
		return time.Date(l.Year(), l.Month(), l.Day(), 0, 0, 0, 0, time.UTC)
	}
	return date(p.From), date(p.To)
}

// Days returns the starts of the days.
func (p Period) Days() []time.Time {
	first, after := p.dates()
	var out []time.Time
	for d := first; d.Before(after); d = d.AddDate(0, 0, 1) {
		out = append(out, midnight(d, p.Zone))
	}
	return out
}

// Previous is as many days, the least whole number of weeks earlier that does not overlap: a Monday is compared with a Monday.
func (p Period) Previous() Period {
	first, after := p.dates()
	days := int(after.Sub(first) / day24)
	back := -7 * ((days + 6) / 7)
	return periodOf(first.AddDate(0, 0, back), after.AddDate(0, 0, back), p.Zone)
}
