package journey

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// zones have every kind of trouble: two changes a year, half an hour of it, a day that was skipped, none at all.
var zones = []string{"UTC", "Asia/Tokyo", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns"}

func drawZone(r *rapid.T) *time.Location {
	zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(r, "zone"))
	if err != nil {
		r.Fatal(err)
	}
	return zone
}

func drawTime(r *rapid.T) time.Time {
	return time.Unix(rapid.Int64Range(time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC).Unix()).Draw(r, "now"), 0).UTC()
}

// shows reports whether clocks in the zone show the time at t, or t is how that time is read where it is skipped.
func shows(c civil, t time.Time, zone *time.Location) bool {
	l := t.In(zone)
	return l.Year() == c.year && l.Month() == c.month && l.Day() == c.day && l.Hour() == c.hour && l.Minute() == c.minute || c.in(zone).Equal(t)
}

func TestAnniversariesComeOnceAYearAtTheWallClock(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		zone, now := drawZone(r), drawTime(r)
		born := time.Date(rapid.IntRange(1930, 2010).Draw(r, "year"), time.Month(rapid.IntRange(1, 12).Draw(r, "month")), rapid.IntRange(1, 31).Draw(r, "day"), 0, 0, 0, 0, time.UTC)
		if rapid.Bool().Draw(r, "leap") {
			born = time.Date(2000, 2, 29, 0, 0, 0, 0, time.UTC)
		}
		a := anniversary{yearly: true, days: rapid.IntRange(-366, 366).Draw(r, "days"), hour: rapid.IntRange(0, 23).Draw(r, "hour"), minute: rapid.IntRange(0, 59).Draw(r, "minute"), leapMarch: rapid.Bool().Draw(r, "march")}
		seen := map[string]bool{}
		at := now
		for range 5 {
			next, of, ok := a.next(born.Format(time.DateOnly), zone, at)
			if !ok || !next.After(at) {
				r.Fatalf("after %s comes %s (%v)", at, next, ok)
			}
			day, err := time.Parse(time.DateOnly, of)
			if err != nil || seen[of] {
				r.Fatalf("%s twice: %v", of, err)
			}
			seen[of] = true
			if day.Year() <= born.Year() {
				r.Fatalf("%s is no anniversary of %s", of, born)
			}
			moved := day.AddDate(0, 0, a.days)
			if !shows(civil{moved.Year(), moved.Month(), moved.Day(), a.hour, a.minute}, next, zone) {
				r.Fatalf("%s + %d days at %02d:%02d in %s is not %s", of, a.days, a.hour, a.minute, zone, next.In(zone))
			}
			if day.Month() != born.Month() || day.Day() != born.Day() {
				leap := born.Month() == time.February && born.Day() == 29
				if want := map[bool]string{true: "03-01", false: "02-28"}[a.leapMarch]; !leap || of[5:] != want {
					r.Fatalf("%s for %s", of, born)
				}
			}
			// Nothing lies in between: asking from just before gives the same.
			if again, _, _ := a.next(born.Format(time.DateOnly), zone, next.Add(-time.Microsecond)); !again.Equal(next) {
				r.Fatalf("from just before %s: %s", next, again)
			}
			if next.Sub(at) > 368*24*time.Hour+26*time.Hour && len(seen) > 1 {
				r.Fatalf("more than a year from %s to %s", at, next)
			}
			at = next
		}
	})
}

func TestEveryonesOwnTimeComesAfterTheRunBegins(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		zone := drawZone(r)
		e, err := Trigger{Schedule: &ScheduleTrigger{Set: "seg_1", Zone: OwnZone, Weekly: &WeeklySchedule{Days: []int{rapid.IntRange(0, 6).Draw(r, "day")}, Time: "07:45"}}}.compile()
		if err != nil {
			r.Fatal(err)
		}
		now := drawTime(r)
		c, at, ok := e.next(now, time.UTC)
		if own := c.in(zone); !ok || own.Before(at) || own.Sub(at) > 27*time.Hour {
			r.Fatalf("the run of %s begins %s, %s has it at %s", c, at, zone, own)
		}
	})
}

func TestAScheduleBringsAnAudienceInAtMostHourly(t *testing.T) {
	for cron, good := range map[string]bool{"0 * * * *": true, "0,30 * * * *": false, "* * * * *": false, "0 9 30 2 *": false, "nonsense": false} {
		_, err := Trigger{Schedule: &ScheduleTrigger{Set: "seg_1", Cron: cron}}.compile()
		if all := errs.All(err); good != (err == nil) || !good && (len(all) != 1 || all[0].Field != "schedule.cron") {
			t.Errorf("%q: %v", cron, err)
		}
	}
}

func TestScheduleTexts(t *testing.T) {
	for _, c := range []struct {
		text   string
		yearly bool
		want   string
	}{
		{"1990-05-17", true, "2026-05-17"},
		{"05-17", true, "2026-05-17"},
		{"--02-29", true, "2027-02-28"},
		{"2026-05-17T23:30:00+02:00", false, "2026-05-17"},
		{"05-17", false, ""},
		{"2020-01-01", false, ""},
		{"soon", true, ""},
		{"2026-02-30", true, ""},
	} {
		_, of, ok := anniversary{yearly: c.yearly}.next(c.text, time.UTC, time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
		if !ok {
			of = ""
		}
		if of != c.want {
			t.Errorf("%s: %q, want %q", c.text, of, c.want)
		}
	}
}

func TestTriggersNameWhatIsWrong(t *testing.T) {
	for field, trig := range map[string]Trigger{
		"":                     {},
		"date.trait":           {Date: &DateTrigger{}},
		"date.days":            {Date: &DateTrigger{Trait: "a", Days: 400}},
		"date.time":            {Date: &DateTrigger{Trait: "a", Time: "nine"}},
		"date.leap":            {Date: &DateTrigger{Trait: "a", Leap: "never"}},
		"inactive.for.n":       {Inactive: &InactiveTrigger{}},
		"schedule.set":         {Schedule: &ScheduleTrigger{Cron: "0 9 * * *"}},
		"schedule.zone":        {Schedule: &ScheduleTrigger{Set: "s", Zone: "Mars/Base", Cron: "0 9 * * *"}},
		"schedule.once":        {Schedule: &ScheduleTrigger{Set: "s", Once: "tomorrow"}},
		"schedule.cron":        {Schedule: &ScheduleTrigger{Set: "s", Cron: "0 0 30 2 *"}},
		"schedule.weekly.days": {Schedule: &ScheduleTrigger{Set: "s", Weekly: &WeeklySchedule{Time: "09:00"}}},
		"schedule":             {Schedule: &ScheduleTrigger{Set: "s"}},
	} {
		if field == "inactive.for.n" {
			trig.Inactive.For.Unit = "day"
		}
		_, err := trig.compile()
		if got := fieldOf(err); err == nil || got != field {
			t.Errorf("%s: %v (%q)", field, err, got)
		}
	}
}

func fieldOf(err error) string {
	if all := errs.All(err); len(all) > 0 {
		return all[0].Field
	}
	return ""
}
