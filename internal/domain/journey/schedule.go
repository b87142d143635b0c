package journey

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// civil is a date and time of day as a calendar and a clock on the wall show them.
type civil struct {
	year         int
	month        time.Month
	day          int
	hour, minute int
}

const civilLayout = "2006-01-02T15:04"

func (c civil) in(zone *time.Location) time.Time {
	return clock.Civil(c.year, c.month, c.day, c.hour, c.minute, zone)
}

func (c civil) String() string {
	return time.Date(c.year, c.month, c.day, c.hour, c.minute, 0, 0, time.UTC).Format(civilLayout)
}

func parseCivil(text string) (civil, error) {
	t, err := time.Parse(civilLayout, text)
	return civil{t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute()}, err
}

// anniversary finds the days on which a date of a person comes round.
type anniversary struct {
	yearly       bool
	days         int // after the date, before it if negative
	hour, minute int
	leapMarch    bool // 29 February is kept on 1 March in years without one, else on 28 February
}

// Years that are looked through around a moment: an offset of more than a year, which 366 days can be, moves an occurrence by two.
const yearsAround = 3

// next returns the first occurrence after t and the date that it belongs to; false if the text is no date or no occurrence is left.
func (a anniversary) next(text string, zone *time.Location, t time.Time) (at time.Time, of string, ok bool) {
	year, month, day, ok := readDate(text, zone)
	if !ok {
		return time.Time{}, "", false
	}
	if !a.yearly {
		if year == 0 {
			return time.Time{}, "", false
		}
		at = clock.Civil(year, month, day+a.days, a.hour, a.minute, zone)
		return at, fmt.Sprintf("%04d-%02d-%02d", year, month, day), at.After(t)
	}
	now := t.In(zone).Year()
	for y := max(now-yearsAround, year+1); y <= max(now, year)+yearsAround; y++ {
		m, d := month, day
		if m == time.February && d == 29 && time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Day() != 29 {
			if m, d = time.February, 28; a.leapMarch {
				m, d = time.March, 1
			}
		}
		if at = clock.Civil(y, m, d+a.days, a.hour, a.minute, zone); at.After(t) {
			return at, fmt.Sprintf("%04d-%02d-%02d", y, m, d), true
		}
	}
	return time.Time{}, "", false
}

// readDate reads a date (1990-05-17), a date without a year (05-17 or --05-17; year is 0), or a moment, whose date is that of the zone.
func readDate(text string, zone *time.Location) (year int, month time.Month, day int, ok bool) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.Year(), t.Month(), t.Day(), true
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		year, month, day = t.In(zone).Date()
		return year, month, day, true
	}
	if t, err := time.Parse("2006-01-02", "2000-"+strings.TrimPrefix(text, "--")); err == nil { // a leap year: 29 February is a birthday
		return 0, t.Month(), t.Day(), true
	}
	return 0, 0, 0, false
}

// recurrence is a set of minutes, hours and days, as five fields of cron describe it.
type recurrence struct {
	minutes, hours, days, months, weekdays []int // ascending
	everyDay, everyWeekday                 bool  // the field is "*"
}

// maxDaily bounds how often a schedule may bring in a whole audience on one day.
const maxDaily = 24

// maxDaysAhead is how far the next day is looked for: 29 February may be eight years away.
const maxDaysAhead = 366*8 + 2

// parseCron reads "minute hour day-of-month month day-of-week": numbers, *, lists, ranges and steps. 0 and 7 are Sunday.
func parseCron(text string) (r recurrence, err error) {
	fields := strings.Fields(text)
	if len(fields) != 5 {
		return r, fmt.Errorf("write five fields: minute hour day-of-month month day-of-week, such as 0 9 * * 1")
	}
	for i, f := range []struct {
		into     *[]int
		name     string
		from, to int
	}{{&r.minutes, "minute", 0, 59}, {&r.hours, "hour", 0, 23}, {&r.days, "day of month", 1, 31}, {&r.months, "month", 1, 12}, {&r.weekdays, "day of week", 0, 7}} {
		if *f.into, err = cronField(fields[i], f.from, f.to); err != nil {
			return r, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	for i, d := range r.weekdays {
		r.weekdays[i] = d % 7
	}
	r.everyDay, r.everyWeekday = fields[2] == "*", fields[4] == "*"
	if n := len(r.minutes) * len(r.hours); n > maxDaily {
		return r, fmt.Errorf("this is %d times a day; at most %d", n, maxDaily)
	}
	return r, nil
}

func cronField(text string, from, to int) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		span, step, stepped := strings.Cut(part, "/")
		by := 1
		if stepped {
			var err error
			if by, err = strconv.Atoi(step); err != nil || by < 1 {
				return nil, fmt.Errorf("%q is no step", step)
			}
		}
		lo, hi := from, to
		if span != "*" {
			first, last, ranged := strings.Cut(span, "-")
			var err error
			if lo, err = strconv.Atoi(first); err != nil {
				return nil, fmt.Errorf("%q is no number", first)
			}
			switch {
			case ranged:
				if hi, err = strconv.Atoi(last); err != nil {
					return nil, fmt.Errorf("%q is no number", last)
				}
			case !stepped:
				hi = lo
			}
		}
		if lo < from || hi > to || lo > hi {
			return nil, fmt.Errorf("%q is not between %d and %d", span, from, to)
		}
		for n := lo; n <= hi; n += by {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// on reports whether the day belongs to the recurrence. As in cron, a day of the month and a day of the week that are both given are
// alternatives.
func (r recurrence) on(day time.Time) bool {
	if !slices.Contains(r.months, int(day.Month())) {
		return false
	}
	date, weekday := slices.Contains(r.days, day.Day()), slices.Contains(r.weekdays, int(day.Weekday()))
	if r.everyDay || r.everyWeekday {
		return date && weekday
	}
	return date || weekday
}

// next returns the first time of the recurrence after t; false if there is none, as for 30 February.
func (r recurrence) next(t time.Time, zone *time.Location) (civil, bool) {
	year, month, day := t.In(zone).Date()
	for ahead := range maxDaysAhead {
		date := time.Date(year, month, day+ahead, 12, 0, 0, 0, time.UTC)
		if !r.on(date) {
			continue
		}
		// Where clocks are put forward, times of one day may change their order: the earliest is wanted, not the first.
		var best civil
		var at time.Time
		for _, h := range r.hours {
			for _, m := range r.minutes {
				c := civil{date.Year(), date.Month(), date.Day(), h, m}
				if when := c.in(zone); when.After(t) && (at.IsZero() || when.Before(at)) {
					best, at = c, when
				}
			}
		}
		if !at.IsZero() {
			return best, true
		}
	}
	return civil{}, false
}

// timeOfDay reads "09:00"; empty is midnight.
func timeOfDay(text, field string) (hour, minute int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, 0, errs.Invalid("journey.time", field, "%q is no time of day; write one such as 09:00", text)
	}
	return t.Hour(), t.Minute(), nil
}

// earliest is where every civil time comes first: UTC+14, the Line Islands.
var earliest = time.FixedZone("UTC+14", 14*60*60)
