//go:build !linux

package smtptest

import "time"

// pause is a timer of Go's, where the kernel has none that is known here.
type pause struct{}

func newPause() (pause, error) { return pause{}, nil }

func (pause) wait(d time.Duration) { time.Sleep(d) }

func (pause) close() {}
