package journey

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Overdue is how long after the due time a person who has not been moved counts as stuck: a worker's lease and a few rounds of it.
const Overdue = 5 * time.Minute

// Trouble is what keeps people of a workspace from going on, so that nobody is stuck silently.
type Trouble struct {
	Parked  int64 // cannot go on until someone mends something
	Trying  int64 // a step has failed and will be tried again
	Overdue int64 // due for longer than Overdue in a journey that moves people, and not moved
	Entries int64 // not let in because letting them in failed; tried again
	Tasks   int64 // tasks whose last try failed; tried again
	Paused  int64 // inside paused journeys
	Endless int64 // not let in within the last day because journeys would lead them on without end
}

// Stuck is one person who does not go on.
type Stuck struct {
	Instance
	Cause string // parked, trying, overdue
}

// Trouble counts what keeps people from going on; in all journeys of the workspace if journey is empty.
func (s *Service) Trouble(ctx context.Context, ws, journey string) (Trouble, error) {
	now := s.c.Clock.Now()
	return s.c.Store.Trouble(ctx, ws, journey, now.Add(-Overdue), now.Add(-24*time.Hour))
}

// Stuck lists the people behind the first three figures of Trouble, longest due first.
func (s *Service) Stuck(ctx context.Context, ws, journey string, p page.Request) (page.Of[Stuck], error) {
	before := s.c.Clock.Now().Add(-Overdue)
	found, err := s.c.Store.Stuck(ctx, ws, journey, before, p)
	out := page.Of[Stuck]{Next: found.Next, Items: make([]Stuck, len(found.Items))}
	for n, i := range found.Items {
		cause := "overdue"
		switch {
		case i.Status == Parked:
			cause = "parked"
		case i.Attempts > 0:
			cause = "trying"
		}
		out.Items[n] = Stuck{Instance: i, Cause: cause}
	}
	return out, err
}
