package outbox

import (
	"context"
	"fmt"
	"time"
)

// dailyLimit holds one batch of a workspace to what may go today.
type dailyLimit struct {
	of    Allowance
	ws    string
	left  int64
	next  time.Time
	limit int64 // 0: none
}

func (d *dailyLimit) open(ctx context.Context) (err error) {
	if d.of == nil {
		return nil
	}
	if d.left, d.next, d.limit, err = d.of.Left(ctx, d.ws); err != nil {
		return fmt.Errorf("load what may go today: %w", err)
	}
	return nil
}

// lets a message go, or has it wait for the next day. A message that was tried before has been counted.
func (d *dailyLimit) lets(m *Message) bool {
	switch {
	case d.limit == 0 || m.Attempts > 0:
		return true
	case d.left > 0:
		d.left--
		return true
	}
	m.DueAt = d.next
	m.Reason, m.Data = ReasonDailyLimit, Evidence{"limit": d.limit, "until": d.next}
	return false
}

// take counts those that go, in the transaction that open was called in.
func (d *dailyLimit) take(ctx context.Context, jobs []*job, verdicts []verdict, now time.Time) error {
	n := int64(0)
	for i, j := range jobs {
		if goesFirst(j, verdicts[i], now) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	if err := d.of.Take(ctx, d.ws, n); err != nil {
		return fmt.Errorf("count what goes today: %w", err)
	}
	return nil
}

// settle marks those that were counted, and counts them where there is no limit.
func (d *dailyLimit) settle(jobs []*job, verdicts []verdict, now time.Time) {
	if d.of == nil {
		return
	}
	n := int64(0)
	for i, j := range jobs {
		if j.counted = goesFirst(j, verdicts[i], now); j.counted {
			n++
		}
	}
	if d.limit == 0 && n > 0 {
		d.of.Note(d.ws, n)
	}
}

func goesFirst(j *job, v verdict, now time.Time) bool {
	return !v.refused() && !j.message.DueAt.After(now) && j.message.Attempts == 0
}
