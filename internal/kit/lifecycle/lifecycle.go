// Package lifecycle starts and stops the long-lived parts of the process.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Service is anything that owns goroutines or files. Start returns once the service works; Stop is
// idempotent, may be called before Start, and returns when everything has ended or ctx is done.
type Service interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}

// Named is a service with the name under which it appears in errors and logs.
type Named struct {
	Name string
	Service
}

// Group starts services in order and stops them in reverse.
type Group struct {
	mu      sync.Mutex
	started []Named
}

// Start starts the services in order. If one fails, those already started are stopped again.
func (g *Group) Start(ctx context.Context, services ...Named) error {
	for _, s := range services {
		if err := s.Start(ctx); err != nil {
			return errors.Join(fmt.Errorf("start %s: %w", s.Name, err), g.Stop(context.WithoutCancel(ctx)))
		}
		g.mu.Lock()
		g.started = append(g.started, s)
		g.mu.Unlock()
	}
	return nil
}

// Stop stops what was started, last first, and joins the errors.
func (g *Group) Stop(ctx context.Context) error {
	g.mu.Lock()
	started := g.started
	g.started = nil
	g.mu.Unlock()
	var all []error
	for i := len(started) - 1; i >= 0; i-- {
		if err := started[i].Stop(ctx); err != nil {
			all = append(all, fmt.Errorf("stop %s: %w", started[i].Name, err))
		}
	}
	return errors.Join(all...)
}

// Loop runs one function in a goroutine between Start and Stop. The function must return soon after
// its context is cancelled.
type Loop struct {
	Run func(ctx context.Context)

	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan struct{}
}

// Start launches the goroutine; its context outlives ctx and ends with Stop.
func (l *Loop) Start(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		return nil
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	l.cancel, l.done = cancel, done
	go func() {
		defer close(done)
		l.Run(run)
	}()
	return nil
}

// Stop cancels the function and waits for it.
func (l *Loop) Stop(ctx context.Context) error {
	l.mu.Lock()
	cancel, done := l.cancel, l.done
	l.cancel = nil
	l.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
