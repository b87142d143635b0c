package node

import (
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// WaitUntil holds a person until the clock where they live shows a time of day, on one of some weekdays.
var WaitUntil = Spec{
	Kind: "wait_until", Title: "Wait until a time of day", Outputs: []string{"next"}, Pauses: true,
	Config: func() any { return &WaitUntilConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*WaitUntilConfig)
		hour, minute, err := timeOfDay(c.Time, "time")
		if err != nil {
			return nil, err
		}
		for _, d := range c.Days {
			if d < int(time.Sunday) || d > int(time.Saturday) {
				return nil, errs.Invalid("journey.wait_until.days", "days", "days are numbers from 0 (Sunday) to 6 (Saturday)")
			}
		}
		return waitUntil{hour: hour, minute: minute, days: c.Days}, nil
	},
}

// WaitUntilConfig configures WaitUntil.
type WaitUntilConfig struct {
	Time string `json:"time" doc:"Time of day where the person lives, such as 09:00"`
	Days []int  `json:"days,omitempty" doc:"Weekdays, 0 is Sunday; every day if left out"`
}

type waitUntil struct {
	hour, minute int
	days         []int
}

func (waitUntil) Needs() Needs        { return Needs{Subject: true} }
func (waitUntil) Listens() []*Matcher { return nil }

func (n waitUntil) Step(s State, in Input, now time.Time) Result {
	zone := in.zone()
	due := n.after(s.Arrived, zone)
	if now.Before(due) {
		return Result{Due: due, Reason: until("waits_until", due, zone)}
	}
	return Result{Output: "next", Reason: until("waited_until", due, zone)}
}

// until is a reason about a moment on somebody's clock.
func until(code string, at time.Time, zone *time.Location) Reason {
	return Because(code, "at", at.UTC().Format(time.RFC3339), "zone", zone.String())
}

// after returns the first moment, not before t, at which the clock shows the time on one of the days.
func (n waitUntil) after(t time.Time, zone *time.Location) time.Time {
	year, month, day := t.In(zone).Date()
	for d := range 16 { // two weeks: a zone may skip a date, as Pacific/Apia did
		at := clock.Civil(year, month, day+d, n.hour, n.minute, zone)
		if !at.Before(t) && (len(n.days) == 0 || slices.Contains(n.days, int(at.In(zone).Weekday()))) {
			return at
		}
	}
	return t.AddDate(0, 0, 16) // no zone skips the same weekday twice in a row
}

// WaitForDate holds a person until a date that one of their traits tells, such as the end of a contract, or some days before or
// after it.
var WaitForDate = Spec{
	Kind: "wait_for_date", Title: "Wait for a date of the person", Outputs: []string{"next", "passed", "unknown"}, Pauses: true,
	Config: func() any { return &WaitForDateConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*WaitForDateConfig)
		if strings.TrimSpace(c.Trait) == "" {
			return nil, errs.Invalid("journey.wait_for_date.trait", "trait", "name the trait that holds the date, such as renewal_date")
		}
		if c.Before != nil && c.After != nil {
			return nil, errs.Invalid("journey.wait_for_date.offset", "after", "give before or after, not both")
		}
		n := waitForDate{trait: c.Trait}
		for field, span := range map[string]*Span{"before": c.Before, "after": c.After} {
			if span == nil {
				continue
			}
			if err := span.Check(field); err != nil {
				return nil, err
			}
			if n.offset = span.Duration(); field == "before" {
				n.offset = -n.offset
			}
		}
		if c.Time != "" {
			var err error
			if n.hour, n.minute, err = timeOfDay(c.Time, "time"); err != nil {
				return nil, err
			}
		}
		return n, nil
	},
}

// WaitForDateConfig configures WaitForDate.
type WaitForDateConfig struct {
	Trait  string `json:"trait" doc:"Trait that holds a date (2027-03-31) or a moment (2027-03-31T10:00:00Z)"`
	Before *Span  `json:"before,omitempty" doc:"So long before it; whole days go by the calendar for a date, by 24 hours for a moment"`
	After  *Span  `json:"after,omitempty" doc:"So long after it"`
	Time   string `json:"time,omitempty" doc:"Time of day for a trait that is a date; midnight if left out"`
}

type waitForDate struct {
	trait        string
	offset       time.Duration
	hour, minute int
}

func (waitForDate) Needs() Needs        { return Needs{Subject: true} }
func (waitForDate) Listens() []*Matcher { return nil }

// Step reads the trait anew each time it wakes, so a date that was put off is waited for again.
func (n waitForDate) Step(s State, in Input, now time.Time) Result {
	zone := in.zone()
	text, _ := trait(in.Subject, n.trait).(string)
	due, err := n.moment(text, zone)
	if err != nil {
		return Result{Output: "unknown", Reason: Because("date_unknown", "trait", n.trait)}
	}
	switch {
	case now.Before(due):
		return Result{Due: due, Reason: until("waits_until", due, zone)}
	case due.Before(s.Arrived):
		return Result{Output: "passed", Reason: until("date_passed", due, zone)}
	}
	return Result{Output: "next", Reason: until("waited_until", due, zone)}
}

func (n waitForDate) moment(text string, zone *time.Location) (time.Time, error) {
	days := int(n.offset / (24 * time.Hour))
	if day, err := time.Parse(time.DateOnly, text); err == nil { // by the calendar: a day before is the day before, whatever the clocks did
		rest := n.offset - time.Duration(days)*24*time.Hour
		return clock.Civil(day.Year(), day.Month(), day.Day()+days, n.hour, n.minute, zone).Add(rest), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	return at.Add(n.offset).UTC(), err
}

// timeOfDay reads "09:00".
func timeOfDay(text, field string) (hour, minute int, err error) {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, 0, errs.Invalid("journey.time", field, "%q is no time of day; write one such as 09:00", text)
	}
	return t.Hour(), t.Minute(), nil
}

// zone returns where the person's clock is.
func (in Input) zone() *time.Location { return ZoneOf(in.Subject, in.Home) }

// ZoneOf returns where a person's clock is: in the zone of their trait timezone, else at home, else at UTC.
func ZoneOf(s *rule.Subject, home *time.Location) *time.Location {
	if name, _ := trait(s, "timezone").(string); name != "" && name != "Local" {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone
		}
	}
	if home == nil {
		return time.UTC
	}
	return home
}

func trait(s *rule.Subject, name string) any {
	if s == nil {
		return nil
	}
	return s.Traits[name]
}
