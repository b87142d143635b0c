package campaign

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Upcoming is a run of a schedule that lies ahead.
type Upcoming struct {
	At    time.Time // of local times: when the first clock shows it
	Shown Civil     // what clocks show then
}

// maxUpcoming bounds how many runs of one schedule are told; a cron line of every 15 minutes has 4032 in six weeks.
const maxUpcoming = 100

// NextRuns tells the runs of a schedule after a moment and not after another, at most limit (no more than 100). The schedule need not be saved;
// errs.Invalid names what is wrong with it.
func (s *Service) NextRuns(ctx context.Context, ws string, x Schedule, after, until time.Time, limit int) ([]Upcoming, error) {
	if err := x.validate(); err != nil {
		return nil, err
	}
	zone, err := s.c.Zone(ctx, ws)
	if err != nil {
		return nil, err
	}
	return x.upcoming(after, until, zone, min(limit, maxUpcoming)), nil
}

func (s Schedule) upcoming(after, until time.Time, home *time.Location, limit int) []Upcoming {
	var out []Upcoming
	for len(out) < limit {
		at, shown := s.next(after, home)
		if at.IsZero() || at.After(until) {
			break
		}
		out, after = append(out, Upcoming{at, shown}), at
	}
	return out
}

// Entry is something of the calendar that goes to an audience: a campaign, or a run of a series that lies ahead.
type Entry struct {
	Campaign string // id; empty: a run ahead
	Series   string // id of a run ahead
	Name     string
	Status   Status // of a campaign; of a run ahead scheduled
	Topic    string
	At       time.Time
	Shown    Civil // set if each person's clock decides
	People   int64 // in the audience: as fixed when it was launched, else now
}

// Conflict is two entries of one day that concern the same people.
type Conflict struct {
	A, B   int   // places in the entries
	People int64 // in both audiences, as segments and lists are now
}

// maxEntries bounds a calendar: the latest made campaigns are looked at.
const maxEntries = 1000

// Calendar lists the campaigns that went or will go between two moments (to is left out) and the runs of live series ahead, oldest first, and
// which of them reach the same people on the same day of the zone. Drafts and cancelled campaigns have no day.
func (s *Service) Calendar(ctx context.Context, ws string, from, to time.Time, zone *time.Location) ([]Entry, []Conflict, error) {
	now := s.c.Clock.Now()
	var entries []Entry
	audiences := map[string]Audience{} // by id of campaign or series
	for at := (page.Request{Limit: page.MaxLimit}); ; {
		found, err := s.c.Store.List(ctx, ws, Filter{}, at)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range found.Items {
			when := c.day(zone)
			if when.IsZero() || when.Before(from) || !when.Before(to) {
				continue
			}
			audiences[c.ID] = c.Audience
			entries = append(entries, Entry{Campaign: c.ID, Name: c.Name, Status: c.Status, Topic: c.Topic, At: when, Shown: c.Plan.Local, People: c.Progress.Audience})
		}
		if at.Cursor = found.Next; at.Cursor == "" || len(entries) >= maxEntries {
			break
		}
	}
	for at := (page.Request{Limit: page.MaxLimit}); ; {
		found, err := s.c.Store.ListSeries(ctx, ws, SeriesFilter{}, at)
		if err != nil {
			return nil, nil, err
		}
		for _, x := range found.Items {
			if x.Status != SeriesLive {
				continue
			}
			until := to.Add(-time.Microsecond)
			if !x.Until.IsZero() && x.Until.Before(until) {
				until = x.Until
			}
			after := from.Add(-time.Microsecond)
			if now.After(after) {
				after = now
			}
			for _, run := range x.Schedule.upcoming(after, until, zone, maxUpcoming) {
				audiences[x.ID] = x.Audience
				e := Entry{Series: x.ID, Name: x.Name, Status: Scheduled, Topic: x.Topic, At: run.At}
				if x.Schedule.Local {
					e.Shown = run.Shown
				}
				entries = append(entries, e)
			}
		}
		if at.Cursor = found.Next; at.Cursor == "" {
			break
		}
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Series, b.Series))
	})
	conflicts, err := s.conflicts(ctx, ws, entries, audiences, zone)
	return entries, conflicts, err
}

// Both lists by number the people in the audiences of two campaigns or series, as segments and lists are now.
func (s *Service) Both(ctx context.Context, ws, a, b string, p page.Request) (page.Of[uint64], error) {
	both := roaring64.New()
	for i, id := range []string{a, b} {
		c := Campaign{Workspace: ws}
		x, err := s.c.Store.GetSeries(ctx, ws, id)
		if c.Audience = x.Audience; errs.Is(err, errs.KindNotFound) {
			var found Campaign
			found, err = s.c.Store.Get(ctx, ws, id)
			c.Audience = found.Audience
		}
		if err != nil {
			return page.Of[uint64]{}, err
		}
		_, m, err := s.audience(ctx, c)
		if errs.Is(err, errs.KindNotFound) {
			m, err = roaring64.New(), nil // as the calendar counts it
		}
		if err != nil {
			return page.Of[uint64]{}, err
		}
		if i == 0 {
			both = m
		} else {
			both = roaring64.And(both, m)
		}
	}
	return segment.Page(both, p)
}

// day is when a campaign goes: when its audience was fixed, else its time. The zero time if none is set.
func (c Campaign) day(zone *time.Location) time.Time {
	switch {
	case c.Status == Draft || c.Status == Cancelled:
		return time.Time{}
	case !c.Plan.Local.IsZero():
		return c.Plan.Local.in(zone)
	case !c.ScheduledAt.IsZero():
		return c.ScheduledAt
	}
	return c.StartedAt
}

// conflicts fills People of entries ahead and compares those of one day, two by two.
func (s *Service) conflicts(ctx context.Context, ws string, entries []Entry, audiences map[string]Audience, zone *time.Location) ([]Conflict, error) {
	members := map[string]*roaring64.Bitmap{}
	of := func(e Entry) (*roaring64.Bitmap, error) {
		id := cmp.Or(e.Campaign, e.Series)
		if m, ok := members[id]; ok {
			return m, nil
		}
		_, m, err := s.audience(ctx, Campaign{Workspace: ws, Audience: audiences[id]})
		if errs.Is(err, errs.KindNotFound) {
			m, err = roaring64.New(), nil // a segment that is gone concerns nobody
		}
		members[id] = m
		return m, err
	}
	day := func(e Entry) string { return e.At.In(zone).Format(time.DateOnly) }
	var out []Conflict
	for i := range entries {
		m, err := of(entries[i])
		if err != nil {
			return nil, err
		}
		if entries[i].People == 0 {
			entries[i].People = int64(m.GetCardinality())
		}
		for j := range i {
			if day(entries[j]) != day(entries[i]) {
				continue
			}
			other, err := of(entries[j])
			if err != nil {
				return nil, err
			}
			if n := int64(m.AndCardinality(other)); n > 0 {
				out = append(out, Conflict{A: j, B: i, People: n})
			}
		}
	}
	return out, nil
}
