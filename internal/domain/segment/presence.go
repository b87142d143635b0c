package segment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Presence is what the log tells of somebody and a segment at a moment of the past.
type Presence struct {
	In      bool
	Since   time.Time // when it became so; zero: before the log tells of it
	Changed time.Time // when it next became otherwise; zero: it has not
}

// PresenceAt returns what the log tells of a person at a moment, by segment. The person is given by all the numbers that they have had. Segments that the log does not tell of
// are left out, and so are lists, whose changes it does not hold. It comes from the event store and is about a second behind.
func (s *Service) PresenceAt(ctx context.Context, ws string, nums []uint64, at time.Time) (map[string]Presence, error) {
	found, err := s.c.Events.Histories(ctx, ws, nums, []string{event.SegmentEntered, event.SegmentLeft})
	if err != nil {
		return nil, fmt.Errorf("load who entered and left segments: %w", err)
	}
	var all []event.Kept
	for _, history := range found {
		for _, k := range history {
			if k.Type == event.Segment {
				all = append(all, k)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b event.Kept) int { return a.Time.Compare(b.Time) })
	out := map[string]Presence{}
	for _, k := range all {
		props, err := describe(string(k.Properties))
		if err != nil {
			return nil, fmt.Errorf("properties of %s: %w", k.MessageID, err)
		}
		p, told := out[props.SegmentID]
		entered := k.Name == event.SegmentEntered
		switch {
		case !k.Time.After(at):
			if !told || p.In != entered {
				p = Presence{In: entered, Since: k.Time}
			}
		case !told: // the first thing that is known came later, so it was otherwise before
			p = Presence{In: !entered, Changed: k.Time}
		case p.Changed.IsZero() && entered != p.In:
			p.Changed = k.Time
		}
		out[props.SegmentID] = p
	}
	return out, nil
}
