package campaign

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// SeriesStatus says what a series does.
type SeriesStatus string

// The statuses of series.
const (
	SeriesDraft  SeriesStatus = "draft"
	SeriesReview SeriesStatus = "review" // waits for a second person's approval
	SeriesLive   SeriesStatus = "live"
	SeriesPaused SeriesStatus = "paused"
	SeriesEnded  SeriesStatus = "ended"
)

// Series is a campaign that comes again: each run is a campaign of its own, with its own figures, to whoever is in the audience then.
type Series struct {
	ID        string
	Workspace string
	Name      string
	Audience  Audience
	Topic     string
	Template  string
	Channel   string
	Message   SeriesMessage
	Schedule  Schedule
	Feed      *Feed // nil: every run sends
	Until     time.Time

	Status      SeriesStatus
	RequestedBy string
	ApprovedBy  string
	ActiveSince time.Time // since when items of the feed count as new
	NextAt      time.Time // of the next run; zero unless live
	NextShown   Civil     // what clocks show then
	RetryAt     time.Time // a run that failed is not tried again before
	Attempts    int
	Error       Failure // of the last failed try
	Seen        FeedState
	Runs        int64 // that made a campaign
	Rev         int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// SeriesMessage is the rest of what each campaign is made with.
type SeriesMessage struct {
	Goal    outbox.Goal `json:"goal,omitzero"`
	Holdout float64     `json:"holdout,omitempty"` // percent
	Rate    int         `json:"per_minute,omitempty"`
	// Priority is as in Plan.
	Priority outbox.Priority `json:"priority,omitempty"`
	// Approved is as in Plan: what was saved after the approval does not go out with any run.
	Approved map[string]int `json:"approved,omitempty"`
}

// Feed makes a run depend on news: an RSS or Atom feed is read, and what is new is in the template as feed.items.
type Feed struct {
	URL string `json:"url"`
	Max int    `json:"max,omitempty"` // items of one message, newest first; 10 if zero
}

// FeedState is what the publisher said of the feed last, so that it need not be sent again unchanged.
type FeedState struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
	Begun    bool   `json:"begun,omitempty"` // it was read once
}

// Run is one run of a series.
type Run struct {
	Series   string
	Planned  time.Time      // names the run: none comes twice
	State    string         // RunSent, RunSkipped or RunFailed
	Reason   string         // of the last two: a code
	Detail   Failure        // why it failed
	Campaign string         // of RunSent
	Vars     map[string]any // that its campaign adds to every message
	Items    []string       // keys of the feed's items that it showed
	At       time.Time
}

// States of runs, and why some did not send.
const (
	RunSent    = "sent" // made a campaign; how that goes is the campaign's to say
	RunSkipped = "skipped"
	RunFailed  = "failed"

	ReasonEmpty   = "empty"   // nobody is in the audience
	ReasonInvalid = "invalid" // something that it refers to is gone or cannot be used
	ReasonFeed    = "feed"    // the feed could not be read
)

const maxFeedItems = 50

// fill takes over what people fill in.
func (s *Series) fill(from Series) {
	s.Name, s.Audience, s.Topic, s.Template, s.Channel = from.Name, from.Audience, from.Topic, from.Template, from.Channel
	s.Message, s.Schedule, s.Feed, s.Until = from.Message, from.Schedule, from.Feed, from.Until
	if s.Channel == "" {
		s.Channel = "email"
	}
}

// Validate checks what must hold even for an unfinished draft.
func (s Series) Validate() error {
	if err := s.campaign(Civil{}).Validate(); err != nil {
		return err
	}
	if err := s.Schedule.validate(); err != nil {
		return err
	}
	if s.Feed == nil {
		return nil
	}
	u, err := url.Parse(s.Feed.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errs.Invalid("series.feed.url", "feed.url", "give the full address of an RSS or Atom feed, beginning with https://")
	}
	if s.Feed.Max < 0 || s.Feed.Max > maxFeedItems {
		return errs.Invalid("series.feed.max", "feed.max", "between 1 and %d items in one message", maxFeedItems)
	}
	return nil
}

// campaign is what a run makes.
func (s Series) campaign(shown Civil) Campaign {
	c := Campaign{
		Workspace: s.Workspace, Name: s.Name, Audience: s.Audience, Topic: s.Topic, Template: s.Template, Channel: s.Channel, Goal: s.Message.Goal,
		Plan: Plan{Holdout: s.Message.Holdout, PerMinute: s.Message.Rate, Priority: s.Message.Priority, BestHour: s.Schedule.BestHour},
	}
	if s.Schedule.Local {
		c.Plan.Local = shown
	}
	return c
}

// CreateSeries adds a draft made of the fields that people fill in.
func (s *Service) CreateSeries(ctx context.Context, ws string, from Series) (Series, error) {
	now := s.c.Clock.Now()
	out := Series{ID: id.New("srs"), Workspace: ws, Status: SeriesDraft, Rev: 1, CreatedAt: now, UpdatedAt: now}
	out.fill(from)
	if err := out.Validate(); err != nil {
		return Series{}, err
	}
	return out, s.c.Store.CreateSeries(ctx, out)
}

// GetSeries returns a series.
func (s *Service) GetSeries(ctx context.Context, ws, id string) (Series, error) {
	return s.c.Store.GetSeries(ctx, ws, id)
}

// SeriesFilter narrows a list of series; empty members narrow nothing.
type SeriesFilter struct {
	Text   string // part of the name
	Status SeriesStatus
}

// ListSeries returns series that fit a filter, latest made first.
func (s *Service) ListSeries(ctx context.Context, ws string, f SeriesFilter, p page.Request) (page.Of[Series], error) {
	return s.c.Store.ListSeries(ctx, ws, f, p)
}

// SeriesRuns lists the runs of a series, latest first.
func (s *Service) SeriesRuns(ctx context.Context, ws, id string, p page.Request) (page.Of[Run], error) {
	if _, err := s.c.Store.GetSeries(ctx, ws, id); err != nil {
		return page.Of[Run]{}, err
	}
	return s.c.Store.Runs(ctx, ws, id, p)
}

// EditSeries changes a series that does not run: a draft or a paused one. What was approved is not what it is now, so it is asked for again.
func (s *Service) EditSeries(ctx context.Context, ws, id string, from Series) (Series, error) {
	return s.changeSeries(ctx, ws, id, func(_ context.Context, x *Series) error {
		if from.Rev != 0 && from.Rev != x.Rev {
			return errs.Conflict("series.changed", "someone else has changed this series; load it again and repeat the change")
		}
		if x.Status != SeriesDraft && x.Status != SeriesPaused {
			return errs.Conflict("series.running", "a series that is %s cannot be changed; pause it first", x.Status)
		}
		if x.Feed != nil && (from.Feed == nil || from.Feed.URL != x.Feed.URL) {
			x.Seen = FeedState{}
		}
		x.fill(from)
		if x.ApprovedBy != "" {
			x.Status, x.RequestedBy, x.ApprovedBy = SeriesDraft, "", ""
		}
		return x.Validate()
	})
}

// DeleteSeries removes a draft that never ran.
func (s *Service) DeleteSeries(ctx context.Context, ws, id string) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		x, err := s.c.Store.GetSeries(ctx, ws, id)
		if err != nil {
			return err
		}
		if x.Status != SeriesDraft || x.Runs > 0 {
			return errs.Conflict("series.not_draft", "only a draft that never ran can be deleted; end this series")
		}
		return s.c.Store.DeleteSeries(ctx, ws, id)
	})
}

// ActivateSeries lets the series run, or asks for approval where the workspace wants it. Activating twice does nothing more.
func (s *Service) ActivateSeries(ctx context.Context, ws, id, by string) (Series, error) {
	if err := s.readable(ctx, ws, id); err != nil {
		return Series{}, err
	}
	return s.changeSeries(ctx, ws, id, func(ctx context.Context, x *Series) error {
		switch x.Status {
		case SeriesLive, SeriesReview:
			return nil
		case SeriesEnded:
			return errs.Conflict("series.ended", "this series has ended; make a new one")
		}
		if err := s.checkSeries(ctx, *x); err != nil {
			return err
		}
		if x.ApprovedBy == "" {
			x.RequestedBy = by
			needed, err := s.c.Checker.NeedsApproval(ctx, ws)
			if err != nil {
				return err
			}
			if needed {
				x.Status = SeriesReview
				return nil
			}
		}
		return s.start(ctx, x)
	})
}

// readable refuses a series whose feed cannot be read now: every run of it would wait for somebody who looks why nothing comes.
func (s *Service) readable(ctx context.Context, ws, id string) error {
	x, err := s.c.Store.GetSeries(ctx, ws, id)
	if err != nil || x.Feed == nil || s.c.Feeds == nil || x.Status == SeriesLive || x.Status == SeriesReview || x.Status == SeriesEnded {
		return err
	}
	_, err = s.c.Feeds.Read(ctx, x.Feed.URL, FeedState{})
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind != errs.KindInternal { // whatever it is, it is the address that is wrong or has to wait
		return &errs.Error{Kind: errs.KindInvalid, Code: e.Code, Field: "feed.url", Msg: e.Msg, Args: e.Args}
	}
	return err
}

// ApproveSeries lets a series run that somebody else asked for; each of its campaigns goes out under this approval, with the content that was there.
func (s *Service) ApproveSeries(ctx context.Context, ws, id, by string) (Series, error) {
	return s.changeSeries(ctx, ws, id, func(ctx context.Context, x *Series) error {
		if x.ApprovedBy != "" {
			return nil
		}
		if x.Status != SeriesReview {
			return errs.Conflict("series.not_in_review", "this series is %s; only one that waits for approval can be approved", x.Status)
		}
		if x.RequestedBy == by {
			return errs.Forbidden("series.approval.self", "you asked for this series yourself; ask somebody else to approve it")
		}
		err := s.checkSeries(ctx, *x)
		if err != nil {
			return err
		}
		if x.Message.Approved, err = s.versions(ctx, x.campaign(Civil{})); err != nil {
			return err
		}
		x.ApprovedBy = by
		return s.start(ctx, x)
	})
}

// PauseSeries stops runs; a campaign that has begun goes on. What is missed meanwhile does not come later. With draft, a series that has not run becomes the
// draft it was before it was started.
func (s *Service) PauseSeries(ctx context.Context, ws, id string, draft bool) (Series, error) {
	return s.changeSeries(ctx, ws, id, func(_ context.Context, x *Series) error {
		switch x.Status {
		case SeriesPaused:
			return nil
		case SeriesLive:
			if draft && x.Runs == 0 {
				x.RequestedBy, x.ApprovedBy = "", ""
				x.stop(SeriesDraft)
				return nil
			}
			x.stop(SeriesPaused)
			return nil
		case SeriesReview:
			x.RequestedBy = ""
			x.stop(SeriesDraft)
			return nil
		}
		return errs.Conflict("series.not_live", "only a series that runs can be paused; this one is %s", x.Status)
	})
}

// EndSeries ends it for good.
func (s *Service) EndSeries(ctx context.Context, ws, id string) (Series, error) {
	return s.changeSeries(ctx, ws, id, func(_ context.Context, x *Series) error {
		x.stop(SeriesEnded)
		return nil
	})
}

func (x *Series) stop(status SeriesStatus) {
	x.Status, x.NextAt, x.NextShown, x.RetryAt, x.Attempts, x.Error = status, time.Time{}, Civil{}, time.Time{}, 0, ""
}

func (s *Service) start(ctx context.Context, x *Series) error {
	x.ActiveSince = s.c.Clock.Now()
	if err := s.plan(ctx, x); err != nil {
		return err
	}
	if x.Status == SeriesEnded {
		return errs.Invalid("series.no_run", "until", "no run comes before the end of this series; choose a later end")
	}
	return nil
}

// plan sets the next run after now, or ends the series if there is none: however much was missed, one run at most makes up for it.
func (s *Service) plan(ctx context.Context, x *Series) error {
	zone := time.UTC
	if s.c.Zone != nil {
		var err error
		if zone, err = s.c.Zone(ctx, x.Workspace); err != nil {
			return err
		}
	}
	x.stop(SeriesLive)
	x.NextAt, x.NextShown = x.Schedule.next(s.c.Clock.Now(), zone)
	if x.NextAt.IsZero() || !x.Until.IsZero() && x.NextAt.After(x.Until) {
		x.stop(SeriesEnded)
	}
	return nil
}

// checkSeries says whether its campaigns could be launched.
func (s *Service) checkSeries(ctx context.Context, x Series) error {
	c := x.campaign(Civil{})
	return s.check(ctx, c)
}

func (s *Service) changeSeries(ctx context.Context, ws, id string, fn func(ctx context.Context, x *Series) error) (Series, error) {
	var out Series
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		x, err := s.c.Store.GetSeries(ctx, ws, id)
		if err != nil {
			return err
		}
		if err := fn(ctx, &x); err != nil {
			return err
		}
		x.UpdatedAt = s.c.Clock.Now()
		if err := s.c.Store.UpdateSeries(ctx, x); err != nil {
			return err
		}
		x.Rev++
		out = x
		return nil
	})
	if err == nil {
		s.pulse.Wake()
	}
	return out, err
}

// permanent reports whether trying again cannot help.
func permanent(err error) bool {
	kind := errs.KindOf(err)
	return kind == errs.KindInvalid || kind == errs.KindNotFound || kind == errs.KindForbidden
}
