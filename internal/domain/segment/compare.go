package segment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Overlap is what two sets have in common.
type Overlap struct {
	Size, Other uint64 // members of each
	Both        uint64
}

// Overlap compares the members of two segments or lists. Either may be not found.
func (s *Service) Overlap(ctx context.Context, ws, set, with string) (Overlap, error) {
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return Overlap{}, err
	}
	a, err := v.members(set)
	if err != nil {
		return Overlap{}, err
	}
	b, err := v.members(with)
	if err != nil {
		return Overlap{}, err
	}
	return Overlap{Size: a.GetCardinality(), Other: b.GetCardinality(), Both: a.AndCardinality(b)}, nil
}

// User is something that names a set.
type User struct {
	Noun   string // segment, campaign, series, journey, persona, journey_map, template
	ID     string
	Name   string
	Status string // in the words of the noun
	Needs  bool   // it would go wrong without the set; what has ended, or is only sent to it, would not
}

// Users returns what names the set: first active segments by name, then all else, what needs it and the latest first, at most two hundred of it. It is not found if there is no such set.
func (s *Service) Users(ctx context.Context, ws, set string) ([]User, error) {
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return nil, err
	}
	if _, err := v.members(set); err != nil {
		return nil, err
	}
	var out []User
	for _, c := range v.order {
		if slices.Contains(c.sets, set) {
			out = append(out, User{"segment", c.ID, c.Name, string(c.Status), true})
		}
	}
	slices.SortFunc(out, func(a, b User) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	others, err := s.c.Store.SetUsers(ctx, ws, set)
	return append(out, others...), err
}

// Ruled is a segment with its rule.
type Ruled struct {
	ID, Name string
	Rule     *rule.Rule
}

// Rules returns the active segments with their rules, by name.
func (s *Service) Rules(ctx context.Context, ws string) ([]Ruled, error) {
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return nil, err
	}
	out := make([]Ruled, len(v.order))
	for i, c := range v.order {
		out[i] = Ruled{c.ID, c.Name, c.rule}
	}
	slices.SortFunc(out, func(a, b Ruled) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	return out, nil
}

// Day is one day of a segment's life.
type Day struct {
	Start         time.Time // midnight UTC
	Entered, Left uint64
	Size          uint64 // members at its end
}

// MaxGrowthDays is how far back Growth looks at most.
const MaxGrowthDays = 366

// Growth tells how a segment grew over the last days, today included, oldest first. Days before the segment was made are left out. It
// comes from the event store and is about a second behind; sizes are reckoned back from the members now.
func (s *Service) Growth(ctx context.Context, ws, id string, days int) ([]Day, error) {
	if days < 1 || days > MaxGrowthDays {
		return nil, errs.Invalid("segment.growth.days", "days", "ask for 1 to %d days", MaxGrowthDays)
	}
	g, err := s.c.Store.Segment(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	const day = 24 * time.Hour
	today := s.c.Clock.Now().UTC().Truncate(day)
	first := today.Add(-time.Duration(days-1) * day)
	if born := g.CreatedAt.UTC().Truncate(day); born.After(first) {
		first = born
	}
	from := messagePrefix(id)
	rows, err := s.c.Events.Query(ctx, `SELECT CAST(time - time % 86400000000 AS BIGINT) AS day, name, CAST(count(*) AS BIGINT) FROM event
		WHERE ws = ? AND type = ? AND message_id >= ? AND message_id < ? AND time >= ? GROUP BY day, name`,
		[]any{ws, string(event.Segment), from, from[:len(from)-1] + ";", first.UnixMicro()})
	if err != nil {
		return nil, err
	}
	moves := map[int64]*Day{}
	for _, r := range rows {
		at, ok1 := r[0].(int64)
		n, ok2 := r[2].(int64)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("segment growth: %T and %T", r[0], r[2])
		}
		d := moves[at]
		if d == nil {
			d = &Day{}
			moves[at] = d
		}
		if r[1] == event.SegmentEntered {
			d.Entered = uint64(n)
		} else {
			d.Left = uint64(n)
		}
	}
	bits, err := s.Members(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	size := bits.GetCardinality()
	var out []Day
	for at := today; !at.Before(first); at = at.Add(-day) {
		d := Day{Start: at, Size: size}
		if m := moves[at.UnixMicro()]; m != nil {
			d.Entered, d.Left = m.Entered, m.Left
		}
		// A merge can take somebody away without a message, so that the sum may not come out; a size is never below zero.
		size = size + d.Left - min(d.Entered, size+d.Left)
		out = append(out, d)
	}
	slices.Reverse(out)
	return out, nil
}
