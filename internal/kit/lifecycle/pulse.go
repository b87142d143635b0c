package lifecycle

import (
	"context"
	"time"
)

// Pulse tells a loop when to look again: when somebody wakes it, and from time to time in case nobody does. Make it with NewPulse.
type Pulse struct {
	every time.Duration
	woken chan struct{}
}

// NewPulse returns a pulse of real time: clocks of tests and demonstrations jump, and every bounds how late that is noticed.
func NewPulse(every time.Duration) Pulse { return Pulse{every, make(chan struct{}, 1)} }

// Wake makes the loop look at once. It never waits; calls before the loop has looked are one.
func (p Pulse) Wake() {
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

// Wait returns true when it is time to look again, false when ctx has ended.
func (p Pulse) Wait(ctx context.Context) bool { return p.WaitAtMost(ctx, p.every) }

// Follow looks until ctx ends: again at once while there is more to do, else when it is time. failed is told of failures, after which it
// rests as well.
func (p Pulse) Follow(ctx context.Context, look func(context.Context) (more bool, err error), failed func(error)) {
	for {
		more, err := look(ctx)
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		if more && err == nil {
			continue
		}
		if !p.Wait(ctx) {
			return
		}
	}
}

// WaitAtMost is Wait for somebody who knows when the next thing is to do.
func (p Pulse) WaitAtMost(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(min(d, p.every))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-p.woken:
	case <-timer.C:
	}
	return true
}
