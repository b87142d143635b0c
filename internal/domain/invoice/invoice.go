package invoice

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/money"
)

// Status is where an invoice stands.
type Status string

// The statuses.
const (
	Open    Status = "open"
	Overdue Status = "overdue" // open, and the day it was due on has passed
	Paid    Status = "paid"
	Void    Status = "void" // taken back; nobody owes anything
)

// Terms is what an invoice says.
type Terms struct {
	Title    string // what it is for
	Amount   int64  // minor units
	Currency string // ISO 4217
	DueOn    string // the day, as 2026-12-31, in the workspace's zone
	URL      string // where it can be paid
}

// Invoice is one demand for payment.
type Invoice struct {
	ID     string
	Number string // the issuer's own, unique in the workspace
	Person string
	Terms
	IssuedAt time.Time
	TermsAt  time.Time // when the terms were stated; later ones replace earlier ones
	TermsBy  string    // message id of the statement; decides between two of the same moment
	Received int64     // sum of payments, minor units
	PaidAt   time.Time // when it became paid; zero while it is not
	Settled  time.Time // stated to be paid in full, whatever the sum of payments; zero if nobody has
	VoidedAt time.Time
	// OverdueAt is when its lateness was announced, zero before.
	OverdueAt time.Time
	Reminders []Reminder
	Checked   time.Time // reminders up to here have been decided on
	Next      time.Time // when to look again; zero: never
	Rev       int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Reminder is one that has fallen due.
type Reminder struct {
	Step int       `json:"step"` // 1 for the first day of the plan
	Day  int       `json:"day"`  // days after the due date; negative: before
	At   time.Time `json:"at"`
}

// Known reports whether the terms have been stated; payments may come in before.
func (i Invoice) Known() bool { return i.DueOn != "" }

// Status returns where the invoice stands.
func (i Invoice) Status() Status {
	switch {
	case !i.VoidedAt.IsZero():
		return Void
	case !i.PaidAt.IsZero():
		return Paid
	case !i.OverdueAt.IsZero():
		return Overdue
	}
	return Open
}

// Outstanding is what is still owed, in minor units.
func (i Invoice) Outstanding() int64 {
	if s := i.Status(); s == Paid || s == Void {
		return 0
	}
	return max(i.Amount-i.Received, 0)
}

// due returns the start of the day on which the invoice is due, moved by days.
func (i Invoice) due(days int, hour, minute int, zone *time.Location) time.Time {
	d, err := time.Parse(time.DateOnly, i.DueOn)
	if err != nil {
		return time.Time{} // not Known
	}
	d = d.AddDate(0, 0, days)
	return clock.Civil(d.Year(), d.Month(), d.Day(), hour, minute, zone)
}

// Plan says when reminders fall due.
type Plan struct {
	// Days counts from the due date: -3 is three days before, 7 a week after. In ascending order.
	Days []int
	// At is the time of day in the workspace's zone, as 09:00.
	At string
}

// DefaultPlan asks kindly before and on the day after, and more firmly one and two weeks later.
func DefaultPlan() Plan { return Plan{Days: []int{-3, 1, 8, 15}, At: "09:00"} }

const (
	maxSteps = 10
	maxDay   = 365
)

// Validate checks a plan; an empty one sends no reminders.
func (p Plan) Validate() error {
	if _, err := time.Parse("15:04", p.At); err != nil {
		return errs.Invalid("invoice.plan.at", "at", "give the time of day as 09:00")
	}
	if len(p.Days) > maxSteps {
		return errs.Invalid("invoice.plan.days", "days", "at most %d reminders", maxSteps)
	}
	for k, d := range p.Days {
		if d < -maxDay || d > maxDay {
			return errs.Invalid("invoice.plan.days", "days", "a reminder falls due at most %d days before or after the due date", maxDay)
		}
		if k > 0 && d <= p.Days[k-1] {
			return errs.Invalid("invoice.plan.days", "days", "name each day once, in ascending order")
		}
	}
	return nil
}

// step is one reminder of the plan for one invoice.
type step struct {
	Reminder
	when time.Time
}

func (p Plan) steps(i Invoice, zone *time.Location) []step {
	at, err := time.Parse("15:04", p.At)
	if err != nil {
		return nil // Validate
	}
	out := make([]step, len(p.Days))
	for k, d := range p.Days {
		out[k] = step{Reminder{Step: k + 1, Day: d}, i.due(d, at.Hour(), at.Minute(), zone)}
	}
	return out
}

// due is what falls due for an invoice at a moment.
type due struct {
	overdue  bool
	reminder *step
}

// look decides what has fallen due since the invoice was last checked, and when to look again. Of several reminders that were missed only the
// latest falls due: nobody wants three at once. What was to come before the due date does not come after it, when it would say what is not so, and what
// was missed does not come where the next one follows within half a day.
func (i *Invoice) look(p Plan, zone *time.Location, now time.Time) (d due) {
	since := i.Checked
	i.Checked, i.Next = now, time.Time{}
	if s := i.Status(); !i.Known() || s == Paid || s == Void {
		return d
	}
	wake := func(t time.Time) {
		if i.Next.IsZero() || t.Before(i.Next) {
			i.Next = t
		}
	}
	late := i.due(1, 0, 0, zone)
	switch {
	case now.Before(late):
		i.OverdueAt = time.Time{} // the due date may have been put off
		wake(late)
	case i.OverdueAt.IsZero():
		i.OverdueAt, d.overdue = now, true
	}
	for _, s := range p.steps(*i, zone) {
		switch {
		case s.when.After(now):
			wake(s.when)
			if s.when.Sub(now) < apart {
				d.reminder = nil
			}
		case s.Day < 0 && !now.Before(late):
		case s.when.After(since) && !i.reminded(s.Day):
			d.reminder = &s
		}
	}
	if d.reminder != nil {
		d.reminder.At = now
		i.Reminders = append(slices.Clip(i.Reminders), d.reminder.Reminder)
	}
	return d
}

// apart is the least time between a reminder that was missed and the next. Those of a plan are a day apart, or 23 hours where the clocks change.
const apart = 12 * time.Hour

// reminded reports whether the reminder of this day has fallen due before, for the present due date.
func (i *Invoice) reminded(day int) bool {
	return slices.ContainsFunc(i.Reminders, func(r Reminder) bool { return r.Day == day })
}

const (
	maxNumber = 100
	maxTitle  = 300
	maxURL    = 2000
)

func validNumber(number string) error {
	if number == "" || utf8.RuneCountInString(number) > maxNumber {
		return errs.Invalid("invoice.number", "number", "give the invoice's number, at most %d characters", maxNumber)
	}
	return nil
}

// Validate checks what an invoice says.
func (t Terms) Validate() error {
	if t.Amount <= 0 {
		return errs.Invalid("invoice.amount", "amount", "give the amount in minor units, such as 1999 for 19.99; more than zero")
	}
	if money.Currency(t.Currency) != t.Currency || t.Currency == money.Unknown {
		return errs.Invalid("invoice.currency", "currency", "give the currency as three capital letters, such as JPY")
	}
	if _, err := time.Parse(time.DateOnly, t.DueOn); err != nil {
		return errs.Invalid("invoice.due_on", "due_on", "give the day on which it is due as 2026-12-31")
	}
	if utf8.RuneCountInString(t.Title) > maxTitle {
		return errs.Invalid("invoice.title", "title", "at most %d characters", maxTitle)
	}
	if len(t.URL) > maxURL || t.URL != "" && !webAddress(t.URL) {
		return errs.Invalid("invoice.url", "url", "give a web address that starts with https:// or http://, at most %d characters", maxURL)
	}
	return nil
}
