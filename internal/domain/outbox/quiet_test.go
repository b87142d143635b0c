package outbox

import (
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// allZones are the names of the IANA database of this machine.
func allZones(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile("/usr/share/zoneinfo/tzdata.zi")
	if err != nil {
		t.Skipf("this machine has no list of zones: %v", err)
	}
	var out []string
	for line := range strings.Lines(string(raw)) {
		switch f := strings.Fields(line); {
		case len(f) > 2 && f[0] == "Z":
			out = append(out, f[1])
		case len(f) == 3 && f[0] == "L":
			out = append(out, f[2])
		}
	}
	return out
}

// TestQuietHoursAtEveryChangeOfEveryClock goes minute by minute through the hours around each change of the clock of a year, in every zone
// there is.
func TestQuietHoursAtEveryChangeOfEveryClock(t *testing.T) {
	names, changes := allZones(t), 0
	night := Policy{Quiet: []Quiet{{From: 21 * 60, To: 8 * 60}, {From: 2*60 + 15, To: 2*60 + 45}}}
	for _, name := range names {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		offset := func(at time.Time) int { _, o := at.In(zone).Zone(); return o }
		for day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() == 2026; day = day.AddDate(0, 0, 1) {
			if offset(day) == offset(day.AddDate(0, 0, 1)) {
				continue
			}
			changes++
			for at := day.Add(-6 * time.Hour); at.Before(day.Add(36 * time.Hour)); at = at.Add(15 * time.Minute) {
				open, _, v := night.quiet("email", at, zone)
				if v.refused() || open.Before(at) || open.Sub(at) > 13*time.Hour {
					t.Fatalf("%s: at %s it opens at %s (%+v)", name, at.In(zone), open.In(zone), v)
				}
				if again, _, _ := night.quiet("email", open, zone); !again.Equal(open) {
					t.Fatalf("%s: at %s it opens at %s, which is quiet until %s", name, at.In(zone), open.In(zone), again.In(zone))
				}
				if local := open.In(zone); local.Hour() >= 21 || local.Hour() < 8 {
					t.Fatalf("%s: at %s it opens at %s, in the night", name, at.In(zone), local)
				}
			}
		}
	}
	if len(names) < 300 || changes < 100 {
		t.Errorf("looked at %d zones and %d changes only", len(names), changes)
	}
}

// TestQuietHoursEndWhenTheClockOnTheWallSaysSo looks at every zone, over a year with all its changes of the clock.
func TestQuietHoursEndWhenTheClockOnTheWallSaysSo(t *testing.T) {
	zones := allZones(t)
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
		open, _, v := Policy{Quiet: []Quiet{q}}.quiet("email", at, zone)
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
	if _, _, v := p.quiet("email", time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), time.UTC); v.reason != ReasonQuietHours {
		t.Errorf("got %+v", v)
	}
	weekend := Policy{Quiet: []Quiet{{From: 18 * 60, To: 6 * 60, Days: []time.Weekday{time.Friday}}, {From: 0, To: 23*60 + 59, Days: []time.Weekday{time.Saturday}}}}
	at, _, v := weekend.quiet("email", time.Date(2026, 3, 6, 20, 0, 0, 0, time.UTC), time.UTC) // a Friday
	if want := time.Date(2026, 3, 7, 23, 59, 0, 0, time.UTC); v.refused() || !at.Equal(want) {
		t.Errorf("got %s %+v, want %s", at, v, want)
	}
}
