package standing

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

const (
	// laterAfter is how long somebody may wait in a flood, and laterMost how many may: 20 bytes each.
	laterAfter = 30 * time.Second
	laterMost  = 100_000
	// laterBatch is how many are judged in one transaction; each reads histories once.
	laterBatch = 5000
)

// later are people who ordered while events came in numbers. A file of orders, or a backlog, names the same people again and again: each is judged once, by
// all that came, and told of once. In the store they are due, so that the loop finds them should the process end before; as long as it lives, the loop
// leaves alone whoever has become due since.
type later struct {
	mu    sync.Mutex
	since time.Time // when the first of them began to wait
	n     int
	nums  map[string]map[uint64]bool // by workspace
}

// putOff leaves people to Rest. Whoever waits already is due already.
func (s *Service) putOff(ctx context.Context, ws string, people []person.Ref) error {
	if len(people) == 0 {
		return nil
	}
	l := &s.later
	l.mu.Lock()
	defer l.mu.Unlock()
	now := s.c.Clock.Now()
	here := l.nums[ws]
	var ids []string
	for _, p := range people {
		if !here[p.Num] {
			ids = append(ids, p.ID)
		}
	}
	if l.n == 0 {
		l.since, l.nums = now, map[string]map[uint64]bool{}
	}
	if err := s.c.Store.Soon(ctx, ws, ids, now); err != nil {
		return err
	}
	if l.nums[ws] == nil {
		l.nums[ws] = map[uint64]bool{}
	}
	for _, p := range people {
		l.nums[ws][p.Num] = true
	}
	if l.n += len(ids); l.n < laterMost && now.Sub(l.since) < laterAfter && !now.Before(l.since) {
		return nil
	}
	return s.judgeLater(ctx)
}

// before is until when people must be due for the loop to judge them.
func (l *later) before(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n > 0 && !now.Before(l.since) {
		return l.since.Add(-time.Microsecond)
	}
	return now
}

// Rest judges those who were put off.
func (s *Service) Rest(ctx context.Context) error {
	s.later.mu.Lock()
	defer s.later.mu.Unlock()
	return s.judgeLater(ctx)
}

// judgeLater judges those who were put off; the caller holds s.later.mu.
func (s *Service) judgeLater(ctx context.Context) error {
	l := &s.later
	for _, ws := range slices.Sorted(maps.Keys(l.nums)) {
		for nums := range slices.Chunk(slices.Sorted(maps.Keys(l.nums[ws])), laterBatch) {
			people, err := s.c.People.ByNums(ctx, ws, nums)
			if err != nil {
				return err
			}
			if err := s.settle(ctx, ws, people, false); err != nil {
				return err
			}
		}
		delete(l.nums, ws)
	}
	l.n, l.nums = 0, nil
	return nil
}
