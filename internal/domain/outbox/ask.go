package outbox

import (
	"context"
	"fmt"
	"slices"
)

// DryRun decides on each request as Enqueue would and stores nothing; for showing beforehand who will not be written to, and why. The
// decisions name no message, and keys that were used before are not looked up.
func (s *Service) DryRun(ctx context.Context, reqs []Request) ([]Decision, error) {
	byWorkspace := map[string][]int{}
	for i, r := range reqs {
		if err := r.validate(); err != nil {
			return nil, err
		}
		byWorkspace[r.Workspace] = append(byWorkspace[r.Workspace], i)
	}
	out := make([]Decision, len(reqs))
	now := s.clock.Now()
	for ws, indexes := range byWorkspace {
		messages := make([]*Message, len(indexes))
		people := make([]string, len(indexes))
		for n, i := range indexes {
			messages[n] = reqs[i].message(now)
			people[n] = reqs[i].PersonID
		}
		slices.Sort(people)
		g, err := s.openGate(ctx, ws, slices.Compact(people))
		if err != nil {
			return nil, fmt.Errorf("dry run: %w", err)
		}
		if err := s.loadSupply(ctx, ws, g, messages); err != nil {
			return nil, fmt.Errorf("dry run: %w", err)
		}
		for n, m := range messages {
			v := g.supply(m)
			if !v.refused() {
				v = g.check(m)
			}
			out[indexes[n]] = Decision{Allowed: !v.refused(), Reason: v.reason, Detail: v.detail}
		}
	}
	return out, nil
}

// Waiting returns how many messages of a source have not reached their final state; an empty Node means all nodes.
func (s *Service) Waiting(ctx context.Context, ws string, src Source) (int64, error) {
	return s.store.Waiting(ctx, ws, src)
}
