package clock_test

import (
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
)

func TestCivilTimesThatAZoneSkipsComeAfterTheGap(t *testing.T) {
	for _, c := range []struct {
		zone                           string
		year, month, day, hour, minute int
		want                           string
	}{
		{"America/New_York", 2026, 3, 8, 2, 30, "2026-03-08T07:30:00Z"},
		{"America/New_York", 2026, 3, 8, 1, 59, "2026-03-08T06:59:00Z"},
		{"America/New_York", 2026, 3, 8, 3, 0, "2026-03-08T07:00:00Z"},
		{"Europe/London", 2026, 3, 29, 1, 30, "2026-03-29T01:30:00Z"},
		{"Australia/Lord_Howe", 2026, 10, 4, 2, 15, "2026-10-03T15:45:00Z"}, // half an hour is skipped
		{"Asia/Tokyo", 2026, 1, 31 + 28, 25, 0, "2026-02-28T16:00:00Z"},     // overflows are carried
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := clock.Civil(c.year, time.Month(c.month), c.day, c.hour, c.minute, zone).Format(time.RFC3339); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
