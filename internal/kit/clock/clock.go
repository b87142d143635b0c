// Package clock is the only source of the current time. Business code takes a Clock, so that tests
// and demonstrations can move time; times are UTC and truncated to microseconds, the precision
// that every store keeps.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock tells the time.
type Clock interface {
	Now() time.Time
}

// System is the machine's clock.
type System struct{}

// Now returns the current time in UTC at microsecond precision.
func (System) Now() time.Time { return Trunc(time.Now()) }

// Trunc brings t into the form that stores keep: UTC, microseconds, no monotonic reading.
func Trunc(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Shifted is the machine's clock plus an offset that can be moved forward while running.
type Shifted struct{ offset atomic.Int64 }

// Now returns the shifted time.
func (s *Shifted) Now() time.Time { return Trunc(time.Now().Add(time.Duration(s.offset.Load()))) }

// Advance moves the clock by d and returns the new offset from the machine's clock.
func (s *Shifted) Advance(d time.Duration) time.Duration {
	return time.Duration(s.offset.Add(int64(d)))
}

// Fixed is a clock that stands still until it is set; for tests.
type Fixed struct{ t atomic.Int64 }

// NewFixed returns a clock that stands at t.
func NewFixed(t time.Time) *Fixed {
	f := &Fixed{}
	f.Set(t)
	return f
}

// Now returns the time that was set last.
func (f *Fixed) Now() time.Time { return time.UnixMicro(f.t.Load()).UTC() }

// Set moves the clock to t.
func (f *Fixed) Set(t time.Time) { f.t.Store(t.UnixMicro()) }

// Advance moves the clock by d.
func (f *Fixed) Advance(d time.Duration) { f.t.Add(d.Microseconds()) }
