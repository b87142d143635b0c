package clock

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// troubled zones have every kind of trouble: two changes a year, half an hour of it, a day that was skipped, none at all.
var troubled = []string{"UTC", "Asia/Tokyo", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns"}

func TestCronMissesAndDoublesNothingWhateverTheClocksDo(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(troubled).Draw(r, "zone"))
		if err != nil {
			r.Fatal(err)
		}
		now := time.Unix(rapid.Int64Range(time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC).Unix()).Draw(r, "now"), 0).UTC()
		rule, err := ParseCron(rapid.SampledFrom([]string{"0 9 * * *", "30 2 * * *", "15 0,1,2,3 * * *", "0 */2 * * 1-5", "0 12 1 * *", "0 12 13 * 5", "59 23 * * 0", "0 8 29 2 *"}).Draw(r, "cron"))
		if err != nil {
			r.Fatal(err)
		}
		// What it must give, by brute force: every civil time of the days around.
		want := map[int64]bool{}
		end := now.AddDate(0, 0, 40)
		for d := -2; d < 43; d++ {
			y, m, day := now.In(zone).Date()
			date := time.Date(y, m, day+d, 12, 0, 0, 0, time.UTC)
			if !rule.on(date) {
				continue
			}
			for _, h := range rule.hours {
				for _, min := range rule.minutes {
					if at := Civil(date.Year(), date.Month(), date.Day(), h, min, zone); at.After(now) && !at.After(end) {
						want[at.UnixMicro()] = true
					}
				}
			}
		}
		got := map[int64]bool{}
		for at := now; ; {
			wall, ok := rule.Next(at, zone)
			if !ok {
				break
			}
			next := Civil(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), zone)
			if !next.After(at) {
				r.Fatalf("after %s comes %s", at, next)
			}
			if next.After(end) {
				break
			}
			got[next.UnixMicro()] = true
			at = next
		}
		for us := range want {
			if !got[us] {
				r.Fatalf("missed %s in %s", time.UnixMicro(us).In(zone), zone)
			}
		}
		if len(got) != len(want) {
			r.Fatalf("%d times, want %d", len(got), len(want))
		}
	})
}

func TestCronTexts(t *testing.T) {
	for text, wantNext := range map[string]string{
		"0 9 * * 1": "2026-03-02T09:00", "*/30 9 1 * *": "2026-03-01T09:30", "0 0 31 * *": "2026-03-31T00:00", "0 9 29 2 *": "2028-02-29T09:00",
		"5 4 * * 7": "2026-03-08T04:05", "0 12 15 * 3": "2026-03-04T12:00", "0 6-8/2,20 * * *": "2026-03-01T20:00",
	} {
		r, err := ParseCron(text)
		c, ok := r.Next(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), time.UTC)
		if err != nil || !ok || c.Format("2006-01-02T15:04") != wantNext {
			t.Errorf("%s: %s %v, want %s", text, c, err, wantNext)
		}
	}
	for _, text := range []string{"", "@hourly", "TZ=UTC 0 9 * * *", "0 9 * *", "60 9 * * *", "0 24 * * *", "0 9 0 * *", "0 9 * 13 *", "0 9 * * 8", "x 9 * * *", "0 9-7 * * *", "0 */0 * * *", "0 9 1-x * *"} {
		if _, err := ParseCron(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
