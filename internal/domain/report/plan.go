package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Plan is the communication plan of a period: what went and what will go, where it collides, and what it comes to for one person.
type Plan struct {
	Period    Period
	Entries   []campaign.Entry
	Conflicts []campaign.Conflict
	Journeys  []JourneyDay // days on which journeys sent, oldest first, most messages first
	Pressure  []Pressure   // weeks that have begun, oldest first
}

// JourneyDay is what one journey sent on one day.
type JourneyDay struct {
	Date    time.Time // start of the day
	Journey string
	Name    string // empty: gone
	Sent    int64
}

// Pressure is how many messages people were sent in one week.
type Pressure struct {
	From   time.Time       // start of its first day
	To     time.Time       // start of the day after its last
	People map[int64]int64 // by number of messages; people who got none are left out
}

// maxPlanDays is a month and the weeks it begins and ends in.
const maxPlanDays = 62

// Plan makes the communication plan of the days from and to, both included; weeks are counted from the first day.
func (s *Service) Plan(ctx context.Context, ws, from, to string) (Plan, error) {
	zone, err := s.c.Zone(ctx, ws)
	if err != nil {
		return Plan{}, err
	}
	now := s.c.Clock.Now()
	p, err := ParsePeriod(from, to, now, zone)
	if err != nil {
		return Plan{}, err
	}
	days := p.Days()
	if len(days) > maxPlanDays {
		return Plan{}, errs.Invalid("report.plan.length", "from", "a plan looks at no more than %d days; choose fewer", maxPlanDays)
	}
	out := Plan{Period: p}
	if out.Entries, out.Conflicts, err = s.c.Calendar.Calendar(ctx, ws, p.From, p.To, zone); err != nil {
		return Plan{}, err
	}
	ends := append(slices.Clone(days[1:]), p.To)
	names := map[string]string{}
	for i, day := range days {
		if day.After(now) {
			break
		}
		groups, err := s.c.Store.Groups(ctx, ws, Scope{Kind: "journey", From: day, To: ends[i]}, BySource)
		if err != nil {
			return Plan{}, err
		}
		begun := len(out.Journeys)
		for id, c := range groups {
			if c.Sent == 0 {
				continue
			}
			if _, known := names[id]; !known {
				j, err := s.c.Journeys.Get(ctx, ws, id)
				if err != nil && !errs.Is(err, errs.KindNotFound) {
					return Plan{}, err
				}
				names[id] = j.Name
			}
			out.Journeys = append(out.Journeys, JourneyDay{day, id, names[id], c.Sent})
		}
		slices.SortFunc(out.Journeys[begun:], func(a, b JourneyDay) int {
			return cmp.Or(cmp.Compare(b.Sent, a.Sent), cmp.Compare(a.Journey, b.Journey))
		})
	}
	for i := 0; i < len(days) && !days[i].After(now); i += 7 {
		week := Pressure{From: days[i], To: ends[min(i+6, len(days)-1)]}
		if week.People, err = s.c.Store.Pressure(ctx, ws, Scope{From: week.From, To: week.To}); err != nil {
			return Plan{}, err
		}
		out.Pressure = append(out.Pressure, week)
	}
	return out, nil
}
