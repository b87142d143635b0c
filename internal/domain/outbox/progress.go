package outbox

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Progress is how far an account is with what its pace allows.
type Progress struct {
	Throttles []ThrottleUse  // those that were used lately, by name
	WarmUp    []WarmUpDay    // the whole plan; empty without one
	Today     int            // index into WarmUp of today; -1 before it begins, len(WarmUp) once it is over
	Waiting   map[string]int // queued messages of the account's channel by the reason they wait for; "" is their turn alone
}

// ThrottleUse is what one throttle has counted.
type ThrottleUse struct {
	Throttle
	Used int       // in this minute
	Full time.Time // what is asked for now goes in this minute at the earliest; zero: now
}

// WarmUpDay is one day of a plan.
type WarmUpDay struct {
	Date  string // "2026-03-01"
	Limit int
	Used  int // sent, and on days to come: places given to waiting messages
}

// Progress tells how far an account is.
func (s *Service) Progress(ctx context.Context, ws, id string) (Progress, error) {
	a, err := s.accounts.Account(ctx, ws, id)
	if err != nil {
		return Progress{}, err
	}
	home := time.UTC
	if s.zone != nil {
		if home, err = s.zone(ctx, ws); err != nil {
			return Progress{}, err
		}
	}
	now := s.clock.Now()
	out := Progress{Waiting: map[string]int{}}
	since := now
	if w := a.Pace.WarmUp; w != nil {
		if since, err = time.ParseInLocation(time.DateOnly, w.Start, home); err != nil {
			return Progress{}, err
		}
	}
	p := newPacer(a.Pace, home, now, nil)
	windows, err := s.store.Windows(ctx, ws, a.ID, p.minute(), since)
	if err != nil {
		return Progress{}, err
	}
	p = newPacer(a.Pace, home, now, windows)
	seen := map[string]bool{}
	for _, t := range p.by {
		if used := p.used[t.Name]; !seen[t.Name] && (len(used) > 0 || slices.ContainsFunc(a.Pace.Throttles, func(o Throttle) bool { return o.Name == t.Name })) {
			seen[t.Name] = true
			one := ThrottleUse{Throttle: *t, Used: used[p.minute().UnixMicro()]}
			for at := p.minute(); t.PerMinute > 0 && used[at.UnixMicro()] >= t.PerMinute; {
				at = at.Add(time.Minute)
				one.Full = at
			}
			out.Throttles = append(out.Throttles, one)
		}
	}
	slices.SortFunc(out.Throttles, func(a, b ThrottleUse) int { return strings.Compare(a.Name, b.Name) })
	if w := a.Pace.WarmUp; w != nil {
		used := map[string]int{}
		for _, x := range windows {
			if x.Bucket == WarmUpBucket {
				used[x.At.Add(12*time.Hour).In(home).Format(time.DateOnly)] += x.Used
			}
		}
		for n, limit := range w.Days() {
			date := since.AddDate(0, 0, n).Format(time.DateOnly)
			out.WarmUp = append(out.WarmUp, WarmUpDay{date, limit, used[date]})
		}
		out.Today = min(max(w.day(now, home), -1), len(out.WarmUp))
	}
	waiting, err := s.store.WaitingBy(ctx, ws, a.Kind)
	for reason, n := range waiting {
		out.Waiting[reason] = int(n)
	}
	return out, err
}
