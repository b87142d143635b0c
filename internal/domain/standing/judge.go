package standing

import (
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
)

// Thresholds are what scores are measured by.
type Thresholds struct {
	Fixed
	Gap time.Duration `json:"gap"` // median time between orders of everybody who bought twice
	N   int           `json:"n"`   // people they rest on
	At  time.Time     `json:"at,omitzero"`
}

// Row is how one person stands.
type Row struct {
	Workspace string
	Person    string
	Stage     Stage
	Since     time.Time // since when in this stage
	Scores    Scores    // zero: has never bought
	Label     string    // empty likewise
	Part      Participation
	Service   Level  // after the override
	Override  Level  // what staff has decided; empty: nothing
	Channel   string // best one, empty if not known
	Hour      int    // best one in the person's zone, -1 if not known

	// What the scores rest on, so that new thresholds need no histories.
	Orders    int       // inside the window
	LastOrder time.Time // zero: none
	Gap       time.Duration
	Currency  string
	Spent     int64 // minor units

	Next time.Time // when time alone changes something, zero if it does not
	Told time.Time // when the trait was written that says so, zero if it never was
}

// Scores are from 1 to 5 each, 5 the best.
type Scores struct {
	R int `json:"r"`
	F int `json:"f"`
	M int `json:"m"`
}

// judge says how somebody stands.
func judge(f facts, s Scheme, t Thresholds, now time.Time) Row {
	r := Row{Channel: f.channel, Hour: f.hour, Orders: f.recent, Currency: f.money, Spent: f.spent}
	r.Gap = ownGap(f.orders)
	if n := len(f.orders); n > 0 {
		r.LastOrder = f.orders[n-1]
	}
	r.Stage, r.Since, r.Next = stage(f, s.Life, t.Gap, now)
	if !f.ahead.IsZero() && (r.Next.IsZero() || f.ahead.Before(r.Next)) {
		r.Next = f.ahead
	}
	r.Since, r.Next, r.Gap = clock.Trunc(r.Since), clock.Trunc(r.Next), r.Gap.Truncate(time.Microsecond) // as stores keep them
	r.Part = participation(f, s.Part, now)
	r.score(s, t, now)
	return r
}

// ownGap is the usual time between somebody's orders, 0 with fewer than three.
func ownGap(orders []time.Time) time.Duration {
	if len(orders) < 3 {
		return 0
	}
	return median(gaps(orders))
}

// score fills in scores, label and service from what the row says of orders.
func (r *Row) score(s Scheme, t Thresholds, now time.Time) {
	r.Scores, r.Label = Scores{}, ""
	if !r.LastOrder.IsZero() && (s.Fixed != nil || t.N > 0) { // without thresholds everybody would be a champion
		if s.Fixed != nil {
			t.Fixed = *s.Fixed
		}
		r.Scores = Scores{
			R: 6 - rank(t.Days, int64(now.Sub(r.LastOrder)/day)),
			F: rank(t.Fixed.Orders, int64(r.Orders)),
			M: rank(t.Fixed.Spent[r.Currency], r.Spent),
		}
		r.Label = s.label(r.Scores.R, r.Scores.F, r.Scores.M)
	}
	switch {
	case r.Override != "":
		r.Service = r.Override
	case slices.Contains(s.High, r.Label):
		r.Service = HighTouch
	case slices.Contains(s.Low, r.Label):
		r.Service = LowTouch
	default:
		r.Service = TechTouch
	}
}

// rank is 1 plus the number of thresholds that the value exceeds.
func rank(c Cuts, v int64) int {
	n := 1
	for _, cut := range c {
		if v > cut {
			n++
		}
	}
	return n
}

// stage follows the orders through time. next is when silence alone leads to another stage.
func stage(f facts, l Life, everybodys time.Duration, now time.Time) (st Stage, since, next time.Time) {
	n := len(f.orders)
	if n == 0 {
		if f.known {
			return Lead, f.seen, time.Time{}
		}
		return Anonymous, f.seen, time.Time{}
	}
	first, last := f.orders[0], f.orders[n-1]
	limit := l.limits(ownGap(f.orders), everybodys)
	silence := now.Sub(last)
	switch {
	case silence >= limit.churned:
		return Churned, last.Add(limit.churned), time.Time{}
	case silence >= limit.dormant:
		return Dormant, last.Add(limit.dormant), last.Add(limit.churned)
	case silence >= limit.atRisk:
		return AtRisk, last.Add(limit.atRisk), last.Add(limit.dormant)
	}
	fresh := time.Duration(l.NewDays) * day
	risk := last.Add(limit.atRisk)
	if n == 1 || now.Sub(first) < fresh {
		if now.Sub(first) < fresh {
			return Fresh, first, earlier(first.Add(fresh), risk)
		}
		return Active, first.Add(fresh), risk
	}
	// Whether the latest order ended a long silence is judged by the gaps before it: a gap does not make itself usual.
	before := l.limits(ownGap(f.orders[:n-1]), everybodys)
	gap := last.Sub(f.orders[n-2])
	switch {
	case gap >= before.dormant && silence < fresh:
		return WonBack, last, earlier(last.Add(fresh), risk)
	case gap >= before.dormant:
		return Active, last.Add(fresh), risk
	case gap >= before.atRisk:
		return Active, last, risk
	}
	return Active, first.Add(fresh), risk
}

type limits struct{ atRisk, dormant, churned time.Duration }

// limits are the silences at which stages begin, in order even where the latest end of a relation cuts them short.
func (l Life) limits(own, everybodys time.Duration) limits {
	gap := own
	if gap <= 0 {
		gap = everybodys
	}
	if gap <= 0 {
		gap = fallbackGap
	}
	gap = max(gap, day) // two orders in an hour do not make somebody silent by the evening
	times := func(f float64) time.Duration { return time.Duration(f * float64(gap)) }
	out := limits{times(l.AtRisk), times(l.Dormant), min(times(l.Churned), time.Duration(l.ChurnedDays)*day)}
	out.dormant = min(out.dormant, out.churned)
	out.atRisk = min(out.atRisk, out.dormant)
	return out
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// participation is empty for those who were not there.
func participation(f facts, p Part, now time.Time) Participation {
	switch {
	case f.wrote >= p.Authors:
		return Author
	case f.wrote+f.joined > 0:
		return Occasional
	case f.known && !f.last.Before(now.AddDate(0, 0, -p.Days)):
		return Silent
	}
	return ""
}

// quintiles cuts sorted values into five parts; equal values stay together.
func quintiles(sorted []int64) (c Cuts) {
	if len(sorted) == 0 {
		return c
	}
	for i := range c {
		// Nearest rank: the smallest value that a fifth, two fifths ... of all do not exceed.
		c[i] = sorted[((i+1)*len(sorted)+4)/5-1]
	}
	return c
}
