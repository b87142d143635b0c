package hook

import (
	"context"
	"sync"
	"time"
)

const (
	// poll bounds how late a jump of the clock is noticed. It is real time: clocks of tests and demonstrations jump.
	poll = time.Second
	// maxBusy is how many endpoints get requests at a time, so that slow ones hold neither the others nor all the memory.
	maxBusy = 16
)

// run gives each endpoint with something due a goroutine of its own until ctx ends.
func (s *Service) run(ctx context.Context) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		busy = map[Ref]bool{}
	)
	defer wg.Wait()
	for {
		ready, err := s.c.Store.Ready(ctx, s.c.Clock.Now(), 4*maxBusy)
		if err != nil && ctx.Err() == nil {
			s.c.Log.Error("webhooks could not be looked at", "err", err)
		}
		mu.Lock()
		for _, r := range ready {
			if busy[r] || len(busy) >= maxBusy {
				continue
			}
			busy[r] = true
			wg.Go(func() {
				ok := s.drain(ctx, r)
				mu.Lock()
				delete(busy, r)
				mu.Unlock()
				if ok { // else the next poll is early enough
					s.pulse.Wake() // for what became due meanwhile, and who had no place
				}
			})
		}
		mu.Unlock()
		if !s.pulse.Wait(ctx) {
			return
		}
	}
}

// drain delivers what an endpoint has due and reports whether it came to the end.
func (s *Service) drain(ctx context.Context, r Ref) bool {
	for ctx.Err() == nil {
		n, err := s.Deliver(ctx, r)
		if err != nil && ctx.Err() == nil {
			s.c.Log.Error("webhook deliveries failed, trying again", "endpoint", r.Endpoint, "err", err)
		}
		if err != nil || n == 0 {
			return err == nil
		}
	}
	return false
}
