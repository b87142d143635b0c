package clock

import (
	"testing"
	"time"
)

// Every day begins once, also where clocks change at midnight or a day was skipped.
func TestDaysFollowOneAnotherInEveryZone(t *testing.T) {
	if len(Zones()) < 400 {
		t.Fatalf("%d zones", len(Zones()))
	}
	for _, name := range []string{"UTC", "Asia/Tokyo", "America/Havana", "Pacific/Apia", "America/St_Johns", "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe"} {
		zone := Zones()[name]
		for day := int64(14000); day < 20500; day++ {
			from, to := DayStart(day, zone), DayStart(day+1, zone)
			if to < from {
				t.Fatalf("%s: day %d ends before it begins", name, day)
			}
			if from == to {
				continue // skipped
			}
			for _, at := range []int64{from, (from + to) / 2, to - 1} {
				if got := DayOf(at, zone); got != day {
					t.Fatalf("%s: %s is of day %d, want %d", name, time.UnixMicro(at).In(zone), got, day)
				}
			}
		}
	}
	if got := DayOf(-1, time.UTC); got != -1 {
		t.Errorf("the moment before 1970 is of day %d, want -1", got)
	}
}
