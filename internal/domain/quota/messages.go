package quota

import (
	"context"
	"time"
)

// Left returns how many messages may still go today and when the next day begins; limit is 0 if there is none. Between Left and Take lies one transaction, so that however many processes
// send, no more go than may.
func (s *Service) Left(ctx context.Context, ws string) (left int64, next time.Time, limit int64, err error) {
	limit = s.Limits(ws)[MessagesPerDay]
	if limit == 0 {
		return 0, next, 0, nil
	}
	today := DayOf(s.c.Clock.Now())
	used, err := s.c.Store.Add(ctx, ws, today, Use{})
	return max(0, limit-used.Messages), (today + 1).Start(), limit, err
}

// Take counts messages in the transaction of ctx.
func (s *Service) Take(ctx context.Context, ws string, n int64) error {
	_, err := s.c.Store.Add(ctx, ws, DayOf(s.c.Clock.Now()), Use{Messages: n})
	return err
}

// Note counts messages of a workspace that has no limit, or that were taken and did not go: n may be negative.
func (s *Service) Note(ws string, n int64) {
	sp := s.space(ws)
	sp.mu.Lock()
	defer sp.mu.Unlock()
	sp.turn(DayOf(s.c.Clock.Now()))
	sp.fresh.Messages += n
}
