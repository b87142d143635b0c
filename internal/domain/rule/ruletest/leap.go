package ruletest

import (
	"fmt"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
)

// born are the beginnings around the end of February that RunLeapDays knows, in a leap year, a century that is none, and one without a year.
var born = []string{
	"2000-02-28", "2000-02-29", "2000-03-01", "2004-02-29", "2001-02-28", "2001-03-01", "1900-02-28", "1900-03-01", "--02-28", "--02-29", "--03-01",
}

// RunLeapDays asks on the days around the end of February, in years with and without a 29th, who has an anniversary on that day or near it, in the trait as a
// date, in the trait as a time and of an event, and holds the store's and Eval's answers equal to a list of days made here. The store must be empty.
func RunLeapDays(t *testing.T, store event.Store) {
	const ws = "ws_leap"
	type someone struct {
		rule.Subject
		month time.Month
		day   int
		year  int // 0: not known
	}
	var people []someone
	var batch event.Batch
	add := func(text, traits string, at time.Time) {
		var p someone
		written := text
		if text[0] == '-' {
			written = "2000" + text[1:]
		}
		on, err := time.Parse(time.DateOnly, written)
		if err != nil {
			t.Fatal(err)
		}
		p.month, p.day = on.Month(), on.Day()
		if written == text {
			p.year = on.Year()
		}
		num := uint64(len(people) + 1)
		m := event.Mirror{Workspace: ws, Num: num, ID: fmt.Sprintf("per_%d", num), Traits: encode(map[string]any{"born": traits}), Channels: []byte(`{}`), FirstSeen: base, LastSeen: base}
		var events []event.Kept
		if !at.IsZero() {
			events = []event.Kept{{
				Event:  event.Event{Workspace: ws, MessageID: fmt.Sprintf("m%d", num), Type: event.Track, Name: "Joined", Time: at},
				Person: num, Position: event.Position{Seq: num},
			}}
		}
		p.Subject = rule.SubjectFrom(m, events, nil)
		people = append(people, p)
		batch.People, batch.Events, batch.Through = append(batch.People, m), append(batch.Events, events...), num
	}
	for _, text := range born {
		add(text, text, time.Time{})
		if text[0] != '-' {
			last, err := time.Parse(time.RFC3339, text+"T23:59:59Z")
			if err != nil {
				t.Fatal(err)
			}
			add(text, text+"T00:00:00Z", last) // the first and the last second of the day
		}
	}
	if err := store.Append(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	src := source{Store: store}
	for _, year := range []int{2026, 2028, 2100} {
		for ahead := range 4 {
			today := time.Date(year, 2, 27+ahead, 0, 0, 0, 0, time.UTC)
			for _, near := range [][2]int{{0, 0}, {-1, 0}, {1, 2}} {
				for of, ofEvent := range map[string]bool{`"path":"born"`: false, `"event":{"name":"Joined"}`: true} {
					for _, leap := range []string{"february", "march"} {
						raw := fmt.Sprintf(`{"anniversary":{%s,"from":%d,"to":%d,"zone":"UTC","leap_day":%q}}`, of, near[0], near[1], leap)
						r, err := rule.Parse([]byte(raw))
						if err != nil {
							t.Fatal(err)
						}
						now := today.Add(12 * time.Hour)
						found, err := r.Audience(t.Context(), src, ws, now)
						if err != nil {
							t.Fatal(err)
						}
						for i := range people {
							p := &people[i]
							timed, want := len(p.Events) > 0, false // those with an event have a time in the trait
							for d := near[0]; d <= near[1]; d++ {
								on := today.AddDate(0, 0, d)
								month, day := p.month, p.day
								if month == 2 && day == 29 && time.Date(on.Year(), 2, 29, 0, 0, 0, 0, time.UTC).Day() == 1 {
									month, day = 2, 28
									if leap == "march" {
										month, day = 3, 1
									}
								}
								tooLong := timed && on.Year()-p.year > 150
								want = want || on.Month() == month && on.Day() == day && on.Year() > p.year && !tooLong
							}
							want = want && (timed || !ofEvent)
							if in, eval := found.People.Contains(p.Num), r.Eval(&p.Subject, now).Match; in != want || eval != want {
								t.Errorf("%s on %s: %v of %v: %v in the store, %v in memory", raw, today.Format(time.DateOnly), want, p.Traits, in, eval)
							}
						}
					}
				}
			}
		}
	}
}
