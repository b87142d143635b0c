package quota

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Kind names a limit.
type Kind string

// The limits there are.
const (
	EventsPerSecond   Kind = "events_per_second"   // that one process takes in
	EventsPerDay      Kind = "events_per_day"      // that are taken in
	RequestsPerSecond Kind = "requests_per_second" // to the API of one process; people at screens and keys each have their own
	MessagesPerDay    Kind = "messages_per_day"    // that are handed over; the others wait for the next day
)

// Kinds are all limits, in the order in which they are shown.
var Kinds = []Kind{EventsPerSecond, EventsPerDay, RequestsPerSecond, MessagesPerDay}

// Most is the highest limit that can be set; beyond it there is no need for one.
const Most = 1_000_000_000_000

// Limits are numbers by kind: 0 for no limit. A kind that is absent has the limit of the installation, and none if that has none.
type Limits map[Kind]int64

// Validate reports what is wrong with the limits.
func (l Limits) Validate() error {
	for _, k := range slices.Sorted(maps.Keys(l)) {
		if !slices.Contains(Kinds, k) {
			return errs.Invalid("quota.kind_unknown", string(k), "%q is no limit; there are %v", k, Kinds)
		}
		if n := l[k]; n < 0 || n > Most {
			return errs.Invalid("quota.out_of_range", string(k), "between 1 and %d, or 0 for no limit", int64(Most))
		}
	}
	return nil
}

// over returns what is in force where own stands above the limits of the installation.
func (l Limits) over(installation Limits) Limits {
	out := maps.Clone(installation)
	if out == nil {
		out = Limits{}
	}
	maps.Copy(out, l)
	return out
}

// Use is what a workspace did on a day.
type Use struct {
	Events          int64 // taken in
	Refused         int64 // calls to the intake that were refused
	Requests        int64 // to the API
	RequestsRefused int64
	Messages        int64 // handed over, each at its first attempt
}

func (u Use) plus(o Use) Use {
	return Use{u.Events + o.Events, u.Refused + o.Refused, u.Requests + o.Requests, u.RequestsRefused + o.RequestsRefused, u.Messages + o.Messages}
}

func (u Use) minus(o Use) Use {
	return u.plus(Use{-o.Events, -o.Refused, -o.Requests, -o.RequestsRefused, -o.Messages})
}

// Of returns the count that a daily limit is about; false for the others.
func (u Use) Of(k Kind) (int64, bool) {
	switch k {
	case EventsPerDay:
		return u.Events, true
	case MessagesPerDay:
		return u.Messages, true
	}
	return 0, false
}

// Day is a day in UTC: days since 1970.
type Day int64

// DayOf returns the day of a moment.
func DayOf(t time.Time) Day { return Day(math.Floor(float64(t.Unix()) / 86400)) }

// Start returns its first moment.
func (d Day) Start() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// DayUse is the use of a day.
type DayUse struct {
	Day Day
	Use
}

// Exceeded is an errs.KindRateLimited error that knows when to try again.
type Exceeded struct {
	Kind  Kind
	After time.Duration
	error
}

// Unwrap returns the error as callers are told it.
func (e *Exceeded) Unwrap() error { return e.error }

// Seconds is After in whole seconds, as Retry-After has it: at least 1.
func (e *Exceeded) Seconds() int { return max(1, int(math.Ceil(e.After.Seconds()))) }

var texts = map[Kind]string{
	EventsPerSecond:   "this workspace may send %d events a second; send more slowly, or ask the operator for more (kizuna quota)",
	EventsPerDay:      "this workspace has sent the %d events of its day, which ends at midnight UTC; wait until then, or ask the operator for more (kizuna quota)",
	RequestsPerSecond: "this workspace may make %d calls a second; make fewer, or ask the operator for more (kizuna quota)",
}

func exceeded(k Kind, limit int64, after time.Duration) *Exceeded {
	return &Exceeded{k, after, errs.RateLimited("quota."+string(k), texts[k], limit)}
}

// bucket gives out so many a second and saves up those of one second. What takes more than there is leaves a debt, so that a large batch passes and the next one waits for it.
type bucket struct {
	left float64
	at   time.Time
}

// wait returns how long until something may be taken, 0 for now.
func (b *bucket) wait(rate float64, now time.Time) time.Duration {
	if b.at.IsZero() {
		b.left, b.at = rate, now
	}
	if passed := now.Sub(b.at); passed > 0 { // clocks are set back
		b.left = min(rate, b.left+passed.Seconds()*rate)
	}
	b.at = now
	if b.left >= 1 {
		return 0
	}
	return time.Duration((1 - b.left) / rate * float64(time.Second))
}
