package campaign

import (
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Schedule says when a series runs, on clocks: of the workspace, or of each person. The messages of a run go then, or each at the person's best hour in the day that begins then.
type Schedule struct {
	Every    string `json:"every" enum:"day,week,month,cron"`
	At       string `json:"at,omitempty" doc:"such as 09:00; not for cron"`
	Weekdays []int  `json:"weekdays,omitempty" doc:"of a week: 0 is Sunday, 6 is Saturday"`
	Day      int    `json:"day,omitempty" doc:"of a month: 1 to 31; a month that is shorter runs on its last day"`
	Cron     string `json:"cron,omitempty" doc:"minute, hour, day of month, month, day of week"`
	Local    bool   `json:"local,omitempty" doc:"on the clock where each person lives"`
	BestHour bool   `json:"best_hour,omitempty" doc:"each person's message goes within a day of the run, at the hour at which they open and click most; not together with local, nor more often than daily"`
}

// The rhythms.
const (
	EveryDay   = "day"
	EveryWeek  = "week"
	EveryMonth = "month"
	ByCron     = "cron"
)

// What must lie between two runs of a cron line: one that runs every minute is a mistake, and of several runs a day all would come to somebody in the same hour.
const (
	minGap     = 15 * time.Minute
	bestHourIn = 24 * time.Hour
)

func (s Schedule) validate() error {
	if s.Local && s.BestHour {
		return errs.Invalid("series.schedule.two_times", "schedule.best_hour", "choose either the clock where each person lives or each person's best hour")
	}
	if s.Every == EveryDay || s.Every == EveryWeek || s.Every == EveryMonth {
		if _, err := time.Parse("15:04", s.At); err != nil {
			return errs.Invalid("series.schedule.at", "schedule.at", "%q is no time of day; write one such as 09:00", s.At)
		}
	}
	switch s.Every {
	case EveryDay:
	case EveryWeek:
		if len(s.Weekdays) == 0 || slices.ContainsFunc(s.Weekdays, func(d int) bool { return d < 0 || d > 6 }) {
			return errs.Invalid("series.schedule.weekdays", "schedule.weekdays", "choose one or more weekdays, 0 (Sunday) to 6 (Saturday)")
		}
	case EveryMonth:
		if s.Day < 1 || s.Day > 31 {
			return errs.Invalid("series.schedule.day", "schedule.day", "choose a day from 1 to 31; shorter months run on their last day")
		}
	case ByCron:
		return s.validateCron()
	default:
		return errs.Invalid("series.schedule.every", "schedule.every", "a series runs every day, week or month, or by a cron line")
	}
	return nil
}

func (s Schedule) validateCron() error {
	bad := func(why string) error {
		return errs.Invalid("series.schedule.cron", "schedule.cron", "%q is no cron line (%s); write minute, hour, day of month, month and day of week, such as 0 9 * * 1", s.Cron, why)
	}
	line, err := clock.ParseCron(s.Cron)
	if err != nil {
		return bad(err.Error())
	}
	at, ok := line.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.UTC)
	for range 200 {
		if !ok {
			return bad("it never comes")
		}
		next, more := line.Next(at, time.UTC)
		if more && next.Sub(at) < minGap {
			return bad("it runs more often than every 15 minutes")
		}
		if more && s.BestHour && next.Sub(at) < bestHourIn {
			return errs.Invalid("series.schedule.best_hour", "schedule.best_hour", "a series that comes more often than once a day cannot wait for each person's best hour")
		}
		at, ok = next, more
	}
	return nil
}

// after returns the next time shown on clocks after one, both without a zone.
func (s Schedule) after(civil time.Time) time.Time {
	if s.Every == ByCron {
		line, err := clock.ParseCron(s.Cron)
		if err != nil {
			return time.Time{} // validate
		}
		next, _ := line.Next(civil, time.UTC)
		return next
	}
	at, err := time.Parse("15:04", s.At)
	if err != nil {
		return time.Time{}
	}
	for d := range 32 + 31 {
		day := time.Date(civil.Year(), civil.Month(), civil.Day()+d, at.Hour(), at.Minute(), 0, 0, time.UTC)
		if day.After(civil) && s.on(day) {
			return day
		}
	}
	return time.Time{}
}

// on reports whether the schedule names the day.
func (s Schedule) on(day time.Time) bool {
	switch s.Every {
	case EveryWeek:
		return slices.Contains(s.Weekdays, int(day.Weekday()))
	case EveryMonth:
		last := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return day.Day() == min(s.Day, last)
	}
	return true
}

// next returns the moment of the next run after now, and what clocks show then. Of a time that comes twice in autumn only one runs, and one that is
// skipped in spring runs after the gap. Local times begin where the day begins first. The zero time if there is none.
func (s Schedule) next(now time.Time, home *time.Location) (time.Time, Civil) {
	zone := home
	if s.Local {
		zone = time.FixedZone("", firstZone)
	}
	l := now.In(zone)
	civil := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC)
	for {
		if civil = s.after(civil); civil.IsZero() {
			return time.Time{}, Civil{}
		}
		if at := (Civil{civil}).in(zone); at.After(now) {
			return clock.Trunc(at), Civil{civil}
		}
	}
}
