package clock

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cron is a set of minutes, hours and days, as five fields of cron describe it.
type Cron struct {
	minutes, hours, days, months, weekdays []int // ascending
	everyDay, everyWeekday                 bool  // the field is "*"
}

// maxDaysAhead is how far the next day is looked for: 29 February may be eight years away.
const maxDaysAhead = 366*8 + 2

// ParseCron reads "minute hour day-of-month month day-of-week": numbers, *, lists, ranges and steps. 0 and 7 are Sunday.
func ParseCron(text string) (c Cron, err error) {
	fields := strings.Fields(text)
	if len(fields) != 5 {
		return c, fmt.Errorf("write five fields: minute hour day-of-month month day-of-week, such as 0 9 * * 1")
	}
	for i, f := range []struct {
		into     *[]int
		name     string
		from, to int
	}{{&c.minutes, "minute", 0, 59}, {&c.hours, "hour", 0, 23}, {&c.days, "day of month", 1, 31}, {&c.months, "month", 1, 12}, {&c.weekdays, "day of week", 0, 7}} {
		if *f.into, err = cronField(fields[i], f.from, f.to); err != nil {
			return c, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	for i, d := range c.weekdays {
		c.weekdays[i] = d % 7
	}
	c.everyDay, c.everyWeekday = fields[2] == "*", fields[4] == "*"
	return c, nil
}

// Daily returns how many times it names on a day that it names.
func (c Cron) Daily() int { return len(c.minutes) * len(c.hours) }

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

// on reports whether the day is one of them. As in cron, a day of the month and a day of the week that are both given are
// alternatives.
func (c Cron) on(day time.Time) bool {
	if !slices.Contains(c.months, int(day.Month())) {
		return false
	}
	date, weekday := slices.Contains(c.days, day.Day()), slices.Contains(c.weekdays, int(day.Weekday()))
	if c.everyDay || c.everyWeekday {
		return date && weekday
	}
	return date || weekday
}

// Next returns the first of its times after t, as clocks in the zone show it (Civil tells the moment); false if there is none, as for 30 February.
func (c Cron) Next(t time.Time, zone *time.Location) (wall time.Time, ok bool) {
	year, month, day := t.In(zone).Date()
	for ahead := range maxDaysAhead {
		date := time.Date(year, month, day+ahead, 0, 0, 0, 0, time.UTC)
		if !c.on(date) {
			continue
		}
		// Where clocks are put forward, times of one day may change their order: the earliest is wanted, not the first.
		var at time.Time
		for _, h := range c.hours {
			for _, m := range c.minutes {
				if when := Civil(date.Year(), date.Month(), date.Day(), h, m, zone); when.After(t) && (at.IsZero() || when.Before(at)) {
					wall, at = date.Add(time.Duration(h)*time.Hour+time.Duration(m)*time.Minute), when
				}
			}
		}
		if !at.IsZero() {
			return wall, true
		}
	}
	return time.Time{}, false
}
