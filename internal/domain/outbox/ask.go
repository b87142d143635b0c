package outbox

import (
	"context"
	"fmt"
)

// DryRun decides on each request as Enqueue would and stores nothing; for showing beforehand who will not be written to, and why. The
// decisions name no message, and keys that were used before are not looked up. A template may be left out.
func (s *Service) DryRun(ctx context.Context, reqs []Request) ([]Decision, error) {
	byWorkspace := map[string][]int{}
	for i, r := range reqs {
		if r.Template == "" {
			r.Template = "any"
		}
		if err := r.validate(); err != nil {
			return nil, err
		}
		byWorkspace[r.Workspace] = append(byWorkspace[r.Workspace], i)
	}
	out := make([]Decision, len(reqs))
	now := s.clock.Now()
	for ws, indexes := range byWorkspace {
		messages, holdouts := make([]*Message, len(indexes)), make([]float64, len(indexes))
		for n, i := range indexes {
			messages[n], holdouts[n] = reqs[i].message(now), reqs[i].Holdout
		}
		verdicts, err := s.decide(ctx, ws, messages, holdouts, now)
		if err != nil {
			return nil, fmt.Errorf("dry run: %w", err)
		}
		for n, v := range verdicts {
			m := messages[n]
			if v.refused() {
				m.State, m.Reason, m.Data = Refused, v.reason, v.data
			}
			d := decision(*m, false)
			d.MessageID, d.Locale = "", v.locale
			out[indexes[n]] = d
		}
	}
	return out, nil
}

// Waiting returns how many messages of a source have not reached their final state; an empty Node means all nodes.
func (s *Service) Waiting(ctx context.Context, ws string, src Source) (int64, error) {
	return s.store.Waiting(ctx, ws, src)
}
