package outbox

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestQuietHoursEndWhenTheClockOnTheWallSaysSo looks at every zone with odd rules, over a year with all its changes of the clock.
func TestQuietHoursEndWhenTheClockOnTheWallSaysSo(t *testing.T) {
	zones := []string{"UTC", "Asia/Tokyo", "Europe/London", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "Asia/Kathmandu", "America/Santiago"}
	rapid.Check(t, func(r *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(r, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		q := Quiet{From: Clock(rapid.IntRange(0, 1439).Draw(r, "from")), To: Clock(rapid.IntRange(0, 1439).Draw(r, "to"))}
		if q.From == q.To {
			q.To = (q.To + 1) % 1440
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 366*24*60).Draw(r, "minute")) * time.Minute)
		steady := at.Add(-26*time.Hour).In(zone).Format("-0700") == at.Add(26*time.Hour).In(zone).Format("-0700")
		wall := func(t time.Time) Clock { return Clock(t.In(zone).Hour()*60 + t.In(zone).Minute()) }
		inside := func(c Clock) bool {
			if q.From < q.To {
				return c >= q.From && c < q.To
			}
			return c >= q.From || c < q.To
		}
		open, v := Policy{Quiet: []Quiet{q}}.quiet("email", at, zone)
		switch {
		case v.refused():
			r.Fatalf("refused: %+v", v)
		case open.Before(at), open.Sub(at) > 25*time.Hour:
			r.Fatalf("at %s it opens at %s", at, open)
		case !q.end(open, zone).IsZero():
			r.Fatalf("it opens at %s into quiet hours", open.In(zone))
		case steady && inside(wall(at)) != open.After(at):
			r.Fatalf("the wall shows %s, quiet is %s to %s, but it opens at %s", wall(at), q.From, q.To, open.In(zone))
		case steady && open.After(at) && wall(open) != q.To:
			r.Fatalf("quiet until %s, but it opens at %s", q.To, open.In(zone))
		}
	})
}

func TestNightsThatNeverEndRefuse(t *testing.T) {
	p := Policy{Quiet: []Quiet{{From: 0, To: 12 * 60}, {From: 12 * 60, To: 0}}}
	if _, v := p.quiet("email", time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), time.UTC); v.reason != ReasonQuietHours {
		t.Errorf("got %+v", v)
	}
	weekend := Policy{Quiet: []Quiet{{From: 18 * 60, To: 6 * 60, Days: []time.Weekday{time.Friday}}, {From: 0, To: 23*60 + 59, Days: []time.Weekday{time.Saturday}}}}
	at, v := weekend.quiet("email", time.Date(2026, 3, 6, 20, 0, 0, 0, time.UTC), time.UTC) // a Friday
	if want := time.Date(2026, 3, 7, 23, 59, 0, 0, time.UTC); v.refused() || !at.Equal(want) {
		t.Errorf("got %s %+v, want %s", at, v, want)
	}
}
