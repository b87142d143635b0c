package segment

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"golang.org/x/sync/errgroup"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Preview is what a rule would come to now.
type Preview struct {
	Count  uint64
	Sample []uint64         // numbers of up to five people, spread over the whole audience
	Counts []rule.NodeCount // people for each condition alone
	Took   time.Duration
	Reach  map[string]uint64 // of them, who can be written to, by kind of channel
	// Entering and Leaving say how the members of the segment it was compared with would change.
	Entering, Leaving uint64
}

const sampleSize = 5

// Preview evaluates a rule for everyone without keeping it. If it is to become the rule of an existing segment, against names that
// segment (else empty); an unknown one is not found. Who can be reached is counted for the kinds of channels. Errors in the rule are those of rule.Parse.
func (s *Service) Preview(ctx context.Context, ws string, raw json.RawMessage, against string, kinds ...string) (Preview, error) {
	began := s.c.Clock.Now()
	c, err := compile(Segment{Rule: raw})
	if err != nil {
		return Preview{}, err
	}
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return Preview{}, err
	}
	if err := s.check(ctx, ws, v, c); err != nil {
		return Preview{}, err
	}
	var audience rule.Audience
	reached := make([]*roaring64.Bitmap, len(kinds))
	questions, asking := errgroup.WithContext(ctx) // side by side: somebody waits for the figures at every change of a rule
	questions.Go(func() (err error) {
		audience, err = c.rule.Audience(asking, source{s.c.Events, v}, ws, began)
		return err
	})
	for n, kind := range kinds {
		questions.Go(func() (err error) {
			reached[n], err = s.reachable(asking, ws, v, kind)
			return err
		})
	}
	if err := questions.Wait(); err != nil {
		return Preview{}, err
	}
	p := Preview{Count: audience.People.GetCardinality(), Counts: audience.Counts, Reach: map[string]uint64{}}
	for n, kind := range kinds {
		p.Reach[kind] = audience.People.AndCardinality(reached[n])
	}
	if against != "" {
		members, err := v.members(against)
		if err != nil {
			return Preview{}, err
		}
		stay := audience.People.AndCardinality(members)
		p.Entering, p.Leaving = p.Count-stay, members.GetCardinality()-stay
	}
	for i := range min(sampleSize, p.Count) {
		num, err := audience.People.Select(i * p.Count / min(sampleSize, p.Count))
		if err != nil {
			return Preview{}, fmt.Errorf("sample: %w", err)
		}
		p.Sample = append(p.Sample, num)
	}
	p.Took = s.c.Clock.Now().Sub(began)
	return p, nil
}

// reachable returns who can be written to on a kind of channel.
func (s *Service) reachable(ctx context.Context, ws string, v *view, kind string) (*roaring64.Bitmap, error) {
	raw, err := json.Marshal(map[string]any{"channel": map[string]any{"kind": kind, "reachable": true}})
	if err != nil {
		return nil, err
	}
	r, err := rule.Parse(raw)
	if err != nil {
		return nil, err
	}
	found, err := r.Audience(ctx, source{s.c.Events, v}, ws, s.c.Clock.Now())
	return found.People, err
}

// Audience returns everyone who fulfils a rule now. Errors in the rule are those of rule.Parse. The bitmap is the caller's.
func (s *Service) Audience(ctx context.Context, ws string, raw json.RawMessage) (*roaring64.Bitmap, error) {
	c, err := compile(Segment{Rule: raw})
	if err != nil {
		return nil, err
	}
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return nil, err
	}
	if err := s.check(ctx, ws, v, c); err != nil {
		return nil, err
	}
	audience, err := c.rule.Audience(ctx, source{s.c.Events, v}, ws, s.c.Clock.Now())
	if err != nil {
		return nil, err
	}
	return audience.People, nil
}

// Part names some of the people whom a preview counts. The zero Part is all who fulfil the rule.
type Part struct {
	Condition string // those who fulfil the node at this path alone, as in Preview.Counts
	Channel   string // of those who fulfil the rule, whoever can be written to on this kind of channel
	Against   string // segment whose rule this is to become
	Entering  bool   // who would come into it
	Leaving   bool   // who would go
}

// AnybodyHas reports whether somebody has the trait now. What rules may not ask, such as an encrypted field, anybody may have.
func (s *Service) AnybodyHas(ctx context.Context, ws, trait string) (bool, error) {
	raw, err := json.Marshal(map[string]any{"trait": map[string]string{"path": trait, "op": "exists"}})
	if err != nil {
		return false, err
	}
	found, err := s.Preview(ctx, ws, raw, "")
	if errs.Is(err, errs.KindInvalid) || errs.Is(err, errs.KindConflict) || errs.Is(err, errs.KindForbidden) {
		return true, nil
	}
	return found.Count > 0, err
}

// PreviewPeople lists by number the people whom Preview counts.
func (s *Service) PreviewPeople(ctx context.Context, ws string, raw json.RawMessage, part Part, p page.Request) (page.Of[uint64], error) {
	c, err := compile(Segment{Rule: raw})
	if err != nil {
		return page.Of[uint64]{}, err
	}
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return page.Of[uint64]{}, err
	}
	if err := s.check(ctx, ws, v, c); err != nil {
		return page.Of[uint64]{}, err
	}
	asked := c.rule
	if part.Condition != "" {
		if asked = c.rule.At(part.Condition); asked == nil {
			return page.Of[uint64]{}, errs.Invalid("segment.condition", "condition", "the rule has no condition at %q; take a path of the preview", part.Condition)
		}
	}
	audience, err := asked.Audience(ctx, source{s.c.Events, v}, ws, s.c.Clock.Now())
	if err != nil {
		return page.Of[uint64]{}, err
	}
	people := audience.People
	if part.Channel != "" {
		reached, err := s.reachable(ctx, ws, v, part.Channel)
		if err != nil {
			return page.Of[uint64]{}, err
		}
		people = roaring64.And(people, reached)
	}
	if part.Entering || part.Leaving {
		members, err := v.members(part.Against)
		if err != nil {
			return page.Of[uint64]{}, err
		}
		if part.Entering {
			people = roaring64.AndNot(people, members)
		} else {
			people = roaring64.AndNot(members, people)
		}
	}
	return Page(people, p)
}

// MembersPage lists the members of a segment or list by ascending number.
func (s *Service) MembersPage(ctx context.Context, ws, set string, p page.Request) (page.Of[uint64], error) {
	bits, err := s.Members(ctx, ws, set)
	if err != nil {
		return page.Of[uint64]{}, err
	}
	return Page(bits, p)
}

// Page lists the numbers of a bitmap, ascending.
func Page(bits *roaring64.Bitmap, p page.Request) (page.Of[uint64], error) {
	var after uint64
	more, err := page.Decode(p.Cursor, &after)
	if err != nil {
		return page.Of[uint64]{}, err
	}
	it := bits.Iterator()
	if more {
		it.AdvanceIfNeeded(after + 1)
	}
	var nums []uint64
	for it.HasNext() && len(nums) <= p.Size() {
		nums = append(nums, it.Next())
	}
	return page.Cut(nums, p.Size(), func(n uint64) string { return page.Encode(n) }), nil
}

// History lists who entered and left a segment, when and why, newest first. It comes from the event store and is about a second behind.
func (s *Service) History(ctx context.Context, ws, id string, p page.Request) (page.Of[Change], error) {
	if _, err := s.c.Store.Segment(ctx, ws, id); err != nil {
		return page.Of[Change]{}, err
	}
	// All messages about the segment and no others lie between these two; ';' is the character after ':'.
	from := messagePrefix(id)
	to := from[:len(from)-1] + ";"
	sql := `SELECT time, CAST(seq AS BIGINT), CAST(idx AS BIGINT), CAST(person AS BIGINT), name, props FROM event
		WHERE ws = ? AND type = ? AND message_id >= ? AND message_id < ?`
	args := []any{ws, string(event.Segment), from, to}
	var at, seq, idx int64
	more, err := page.Decode(p.Cursor, &at, &seq, &idx)
	if err != nil {
		return page.Of[Change]{}, err
	}
	if more {
		sql += ` AND (time < ? OR time = ? AND (seq < ? OR seq = ? AND idx < ?))`
		args = append(args, at, at, seq, seq, idx)
	}
	rows, err := s.c.Events.Query(ctx, sql+fmt.Sprintf(` ORDER BY time DESC, seq DESC, idx DESC LIMIT %d`, p.Size()+1), args)
	if err != nil {
		return page.Of[Change]{}, err
	}
	var out []line
	for _, r := range rows {
		l, err := scanLine(r)
		if err != nil {
			return page.Of[Change]{}, err
		}
		out = append(out, l)
	}
	cut := page.Cut(out, p.Size(), func(l line) string { return page.Encode(l.At.UnixMicro(), l.seq, l.idx) })
	changes := page.Of[Change]{Next: cut.Next}
	for _, l := range cut.Items {
		changes.Items = append(changes.Items, l.Change)
	}
	return changes, nil
}

// line is a Change with its place in the log.
type line struct {
	Change
	seq, idx int64
}

func scanLine(row []any) (line, error) {
	var numbers [4]int64
	for i := range numbers {
		n, ok := row[i].(int64)
		if !ok {
			return line{}, fmt.Errorf("segment history: column %d is a %T", i, row[i])
		}
		numbers[i] = n
	}
	p, err := describe(fmt.Sprint(row[5]))
	if err != nil {
		return line{}, fmt.Errorf("segment history: properties: %w", err)
	}
	return line{
		Change: Change{
			At: time.UnixMicro(numbers[0]).UTC(), Person: uint64(numbers[3]), Entered: row[4] == event.SegmentEntered,
			Cause: p.Cause, CauseMessageID: p.CauseMessageID, Version: p.Version,
		},
		seq: numbers[1], idx: numbers[2],
	}, nil
}

func (v *view) setsOf(person uint64) []Set {
	var out []Set
	for id, set := range v.sets {
		if c := v.segments[id]; set.bits.Contains(person) && (set.List || c != nil && c.Status == Active) {
			out = append(out, set.Set)
		}
	}
	slices.SortFunc(out, func(a, b Set) int { return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
	return out
}
