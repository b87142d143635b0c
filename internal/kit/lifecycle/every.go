package lifecycle

import (
	"context"
	"time"
)

// Every does something again and again until ctx ends, for the first time after one period. A round that takes longer than a period lets those pass that
// would have begun meanwhile. Whoever can be woken uses a Pulse.
func Every(ctx context.Context, period time.Duration, do func(ctx context.Context)) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if ctx.Err() != nil { // both had come
			return
		}
		do(ctx)
	}
}

// Sleep waits, or returns the error of ctx if that ends before.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
