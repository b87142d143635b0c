package journey

import (
	"fmt"
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
	return civilOf(t), err
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

// maxDaily bounds how often a schedule may bring in a whole audience on one day.
const maxDaily = 24

// civilOf is what a clock on the wall shows at a time without a zone.
func civilOf(wall time.Time) civil {
	return civil{wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute()}
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

// latest is where every civil time comes last: UTC-12.
var latest = time.FixedZone("UTC-12", -12*60*60)
