package campaign

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Plan says how a campaign goes out. The zero Plan sends one template to all at one moment, as fast as the channel takes it.
type Plan struct {
	Local     Civil           `json:"local,omitzero"`       // where each person lives; zero: at Campaign.ScheduledAt
	BestHour  bool            `json:"best_hour,omitempty"`  // within a day of the start, at the hour at which the person opens and clicks most
	PerMinute int             `json:"per_minute,omitempty"` // at most so many messages a minute; 0: no limit
	Holdout   float64         `json:"holdout,omitempty"`    // percent of the audience who get nothing, to measure against
	Priority  outbox.Priority `json:"priority,omitempty"`   // who goes first where a cap leaves room for fewer
	// Approved are the versions of the templates that the approver saw, by template: what is saved later does not go out. Empty: nobody
	// had to approve, and each message has the version of the moment it is asked for.
	Approved map[string]int `json:"approved,omitempty"`
	Test     *Test          `json:"test,omitempty"` // nil: everyone gets Campaign.Template
}

// Civil is a time on the clock of whoever reads it, such as "2026-12-24T09:00".
type Civil struct{ time.Time }

// civilForm is how a Civil is written.
const civilForm = "2006-01-02T15:04"

// ParseCivil reads a Civil; empty text is the zero Civil.
func ParseCivil(text string) (Civil, error) {
	if text == "" {
		return Civil{}, nil
	}
	t, err := time.Parse(civilForm, text)
	if err != nil {
		return Civil{}, errs.Invalid("campaign.local", "plan.local", "%q is no local time; write one such as 2026-12-24T09:00, without a zone", text)
	}
	return Civil{t}, nil
}

func (c Civil) String() string {
	if c.IsZero() {
		return ""
	}
	return c.Format(civilForm)
}

// MarshalText writes the form that ParseCivil reads.
func (c Civil) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads it.
func (c *Civil) UnmarshalText(b []byte) (err error) {
	*c, err = ParseCivil(string(b))
	return err
}

// in returns the moment at which clocks in the zone show c.
func (c Civil) in(zone *time.Location) time.Time {
	return clock.Civil(c.Year(), c.Month(), c.Day(), c.Hour(), c.Minute(), zone)
}

// Habit is what is known of when to reach a person.
type Habit struct {
	Zone  *time.Location // the workspace's if the person's is not known
	Hours [24]int        // messages opened or clicked by a human, by hour of the day in Zone
}

// Wave is a part of the audience that is sent together.
type Wave struct {
	Seq      int
	DueAt    time.Time // zero: not known before the test is out
	Template string    // empty: whichever wins the test
	Node     string    // of the outbox's source: the variant, "A", "B" ...; empty outside the test
	Size     int64
	Handled  int64
	Position uint64 // number of the last person handled
}

// Left returns how many people are still to be handled.
func (w Wave) Left() int64 { return w.Size - w.Handled }

// before is the order in which due waves are walked: by time, and at the same time the one that lags behind, so that the variants of a
// throttled test go out side by side and not one in the morning and one at noon.
func (w Wave) before(o Wave) bool {
	if w.DueAt.Equal(o.DueAt) {
		return w.Handled < o.Handled
	}
	return w.DueAt.Before(o.DueAt)
}

const (
	maxPerMinute = 1_000_000
	maxHoldout   = 50.0
	// firstZone is where a day begins first (Kiribati): the audience of a local time is fixed when clocks there show it.
	firstZone = 14 * 60 * 60
	lastZone  = -12 * 60 * 60 // where it ends last (Baker Island)
	// priorWeight is how many openings of one's own outweigh the habit of the whole audience.
	priorWeight = 5
)

func (p Plan) validate(c Campaign) error {
	if p.PerMinute < 0 || p.PerMinute > maxPerMinute {
		return errs.Invalid("campaign.per_minute", "plan.per_minute", "between 0 (no limit) and %d messages a minute", maxPerMinute)
	}
	if !(p.Holdout >= 0 && p.Holdout <= maxHoldout) {
		return errs.Invalid("campaign.holdout", "plan.holdout", "between 0 and %g percent of the audience", maxHoldout)
	}
	if !p.Local.IsZero() && p.BestHour {
		return errs.Invalid("campaign.plan.two_times", "plan.best_hour", "choose either a local time or each person's best hour")
	}
	if p.Test == nil {
		return nil
	}
	if !p.Local.IsZero() || p.BestHour {
		return errs.Invalid("campaign.plan.test_time", "plan.test", "a test sends its variants at the same moment, or it would compare hours; remove the local time or best hour")
	}
	return p.Test.validate(c)
}

// waves cuts an audience into the waves that the plan asks for.
func (s *Service) waves(ctx context.Context, c Campaign, audience *roaring64.Bitmap) ([]Wave, []*roaring64.Bitmap, error) {
	var waves []Wave
	var people []*roaring64.Bitmap
	switch {
	case c.Plan.Test != nil:
		waves, people = c.Plan.Test.waves(c, s.c.Clock.Now(), audience)
	case !c.Plan.Local.IsZero() || c.Plan.BestHour:
		byTime, err := s.moments(ctx, c, audience)
		if err != nil {
			return nil, nil, err
		}
		times := make([]time.Time, 0, len(byTime))
		for at := range byTime {
			times = append(times, at)
		}
		slices.SortFunc(times, time.Time.Compare)
		for _, at := range times {
			waves, people = append(waves, Wave{DueAt: at, Template: c.Template}), append(people, byTime[at])
		}
	default:
		waves, people = []Wave{{DueAt: s.c.Clock.Now(), Template: c.Template}}, []*roaring64.Bitmap{audience}
	}
	for i := range waves {
		waves[i].Seq, waves[i].Size = i, int64(people[i].GetCardinality())
	}
	return waves, people, nil
}

// moments returns the people by the moment at which each is written to. Moments in the past are now.
func (s *Service) moments(ctx context.Context, c Campaign, audience *roaring64.Bitmap) (map[time.Time]*roaring64.Bitmap, error) {
	when, err := s.clocks(ctx, c, audience)
	if err != nil {
		return nil, err
	}
	out := map[time.Time]*roaring64.Bitmap{}
	err = s.habits(ctx, c, audience, func(num uint64, h Habit) {
		at := when(h)
		if out[at] == nil {
			out[at] = roaring64.New()
		}
		out[at].Add(num)
	})
	return out, err
}

// clocks returns what says when somebody with a habit is written to, not before now. Crowd are the people whose hours stand in for those
// of somebody who is not known well.
func (s *Service) clocks(ctx context.Context, c Campaign, crowd *roaring64.Bitmap) (func(Habit) time.Time, error) {
	now := s.c.Clock.Now()
	start := now
	if c.ScheduledAt.After(now) {
		start = c.ScheduledAt
	}
	var everybody [24]int
	if c.Plan.BestHour {
		err := s.habits(ctx, c, crowd, func(_ uint64, h Habit) {
			for i, n := range h.Hours {
				everybody[i] += n
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return func(h Habit) time.Time {
		at := start
		if !c.Plan.Local.IsZero() {
			at = c.Plan.Local.in(h.Zone)
		} else if hour, known := bestHour(h.Hours, everybody); known {
			at = nextHour(start, hour, h.Zone)
		}
		if at.Before(now) {
			return now
		}
		return at
	}, nil
}

// habits shows the habit of everyone in the audience, a chunk at a time.
func (s *Service) habits(ctx context.Context, c Campaign, audience *roaring64.Bitmap, see func(num uint64, h Habit)) error {
	it := audience.Iterator()
	for it.HasNext() {
		nums := make([]uint64, 0, s.c.Chunk)
		for it.HasNext() && len(nums) < s.c.Chunk {
			nums = append(nums, it.Next())
		}
		found, err := s.c.People.Habits(ctx, c.Workspace, nums, c.Plan.BestHour)
		if err != nil {
			return fmt.Errorf("habits of %d people: %w", len(nums), err)
		}
		for _, num := range nums {
			h := found[num]
			if h.Zone == nil { // erased or merged since: counted when its turn comes
				h.Zone = time.UTC
			}
			see(num, h)
		}
	}
	return nil
}

// bestHour returns the hour at which the person answers most: their own counts together with the habit of everybody, which weighs as much
// as priorWeight openings, so that one opening at night does not decide. The earliest of equals; unknown if nobody ever opened anything.
func bestHour(own, everybody [24]int) (hour int, known bool) {
	total := 0
	for _, n := range everybody {
		total += n
	}
	if total == 0 {
		return 0, false
	}
	best := -1.0
	for i := range own {
		if score := float64(own[i]) + priorWeight*float64(everybody[i])/float64(total); score > best {
			best, hour = score, i
		}
	}
	return hour, true
}

// nextHour returns the next moment, not before now, at which a clock in the zone shows the full hour; now itself if that hour is
// running.
func nextHour(now time.Time, hour int, zone *time.Location) time.Time {
	local := now.In(zone)
	if local.Hour() == hour {
		return now
	}
	day := local.Day()
	if local.Hour() > hour {
		day++
	}
	return clock.Civil(local.Year(), local.Month(), day, hour, 0, zone)
}
