package campaign

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// Item is one entry of a feed, in plain text.
type Item struct {
	Key       string // of the publisher; the same entry has the same key
	Title     string
	Link      string
	Summary   string
	Author    string
	Image     string
	Published time.Time // zero if not said
}

// FeedAnswer is what a feed says.
type FeedAnswer struct {
	Unchanged bool
	Title     string
	Link      string
	Items     []Item // newest first
	ETag      string
	Modified  string
}

// Feeds reads feeds.
type Feeds interface {
	// Read fetches a feed; unless it has changed since the state it answers Unchanged. Errors of kind invalid or not_found will not pass by themselves.
	Read(ctx context.Context, url string, since FeedState) (FeedAnswer, error)
}

const (
	maxFeedAttempts = 6 // about five minutes of trying
	feedItems       = 10
)

// tickSeries runs what is due and reports whether anything was.
func (s *Service) tickSeries(ctx context.Context) (bool, error) {
	due, err := s.c.Store.DueSeries(ctx, s.c.Clock.Now())
	if err != nil {
		return false, err
	}
	worked := false
	for _, x := range due {
		err := s.runSeries(ctx, x)
		switch {
		case ctx.Err() != nil:
			return worked, ctx.Err()
		case errs.Is(err, errs.KindConflict): // changed meanwhile, by a person or another worker; the next round sees it
		case err != nil:
			if err := s.putOffSeries(ctx, x, err); err != nil && !errs.Is(err, errs.KindConflict) {
				return worked, err
			}
		default:
			worked = true
		}
	}
	return worked, nil
}

// runSeries makes the run that is due. Reading the feed changes nothing; the run, its campaign, the items it shows and the time of the next run are
// written in one transaction, so a crash leaves all or nothing.
func (s *Service) runSeries(ctx context.Context, x Series) error {
	if needed, err := s.c.Checker.NeedsApproval(ctx, x.Workspace); err != nil {
		return err
	} else if needed && x.ApprovedBy == "" { // the workspace has come to want it since
		x.stop(SeriesReview)
		return s.c.Store.UpdateSeries(ctx, x)
	}
	run := Run{Series: x.ID, Planned: x.NextAt, State: RunSent, At: s.c.Clock.Now()}
	var seen []string
	if x.Feed != nil {
		news, answer, err := s.news(ctx, x)
		if err != nil {
			return fmt.Errorf("read the feed: %w", err)
		}
		if !answer.Unchanged {
			x.Seen = FeedState{ETag: answer.ETag, Modified: answer.Modified, Begun: true}
		}
		if len(news) == 0 {
			return s.conclude(ctx, x, nil, nil, keys(answer.Items))
		}
		for _, i := range news {
			run.Items = append(run.Items, i.Key)
		}
		run.Vars = map[string]any{"feed": map[string]any{"title": answer.Title, "link": answer.Link, "items": shown(news)}}
		seen = keys(answer.Items)
	}
	c := x.campaign(x.NextShown)
	if err := s.usable(ctx, c, s.c.Checker.CheckTemplate); err != nil { // a series that has begun does not end because a trait went
		return err
	}
	_, audience, err := s.audience(ctx, c)
	if err != nil {
		return err
	}
	unsettled, err := s.unsettled(ctx, c)
	if err != nil {
		return err
	}
	if audience.IsEmpty() && len(unsettled) == 0 {
		run.State, run.Reason, run.Vars, run.Items = RunSkipped, ReasonEmpty, nil, nil
		x.Seen.ETag, x.Seen.Modified = "", "" // what nobody got is news next time
		return s.conclude(ctx, x, &run, nil, nil)
	}
	now := s.c.Clock.Now()
	made := Campaign{ID: id.New("cmp"), Workspace: x.Workspace, Rev: 1, CreatedAt: now, UpdatedAt: now, RequestedBy: x.RequestedBy, ApprovedBy: x.ApprovedBy}
	made.fill(c)
	made.Plan.Approved = x.Message.Approved
	made.Name = cutName(x.Name) + " " + x.NextShown.Format("2006-01-02 15:04")
	s.release(&made)
	run.Campaign = made.ID
	x.Runs++
	return s.conclude(ctx, x, &run, &made, seen)
}

// conclude writes a run and all that belongs to it.
func (s *Service) conclude(ctx context.Context, x Series, run *Run, c *Campaign, seen []string) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		x := x
		if err := s.plan(ctx, &x); err != nil {
			return err
		}
		x.UpdatedAt = s.c.Clock.Now()
		if err := s.c.Store.UpdateSeries(ctx, x); err != nil { // guards against two workers: only one has this Rev
			return err
		}
		if err := s.c.Store.SeeItems(ctx, x.Workspace, x.ID, seen, x.UpdatedAt); err != nil {
			return err
		}
		if c != nil {
			if err := s.c.Store.Create(ctx, *c); err != nil {
				return err
			}
		}
		if run == nil {
			return nil
		}
		return s.c.Store.AddRun(ctx, x.Workspace, *run)
	})
}

// news returns what the feed has that no run has shown: at first only what was published since the series was activated.
func (s *Service) news(ctx context.Context, x Series) ([]Item, FeedAnswer, error) {
	if s.c.Feeds == nil {
		return nil, FeedAnswer{}, errs.Invalid("series.feed.none", "feed", "this installation reads no feeds")
	}
	answer, err := s.c.Feeds.Read(ctx, x.Feed.URL, x.Seen)
	if err != nil || answer.Unchanged {
		return nil, answer, err
	}
	known, err := s.c.Store.SeenItems(ctx, x.Workspace, x.ID, keys(answer.Items))
	if err != nil {
		return nil, answer, err
	}
	var out []Item
	for _, i := range answer.Items {
		if known[i.Key] || !x.Seen.Begun && !i.Published.After(x.ActiveSince) {
			continue
		}
		out = append(out, i)
	}
	most := x.Feed.Max
	if most == 0 {
		most = feedItems
	}
	return out[:min(len(out), most)], answer, nil
}

func keys(items []Item) []string {
	out := make([]string, len(items))
	for i, x := range items {
		out[i] = x.Key
	}
	return out
}

// shown is what templates name: feed.items with title, link, summary, author, image and published.
func shown(items []Item) []any {
	out := make([]any, len(items))
	for i, x := range items {
		m := map[string]any{"title": x.Title, "link": x.Link, "summary": x.Summary, "author": x.Author, "image": x.Image}
		if !x.Published.IsZero() {
			m["published"] = x.Published.UTC().Format(time.RFC3339)
		}
		out[i] = m
	}
	return out
}

// cutName leaves room for the time of the run.
func cutName(name string) string {
	const room = maxName - len(" 2006-01-02 15:04")
	if len(name) <= room {
		return name
	}
	runes := []rune(name)
	for len(string(runes)) > room {
		runes = runes[:len(runes)-1]
	}
	return string(runes)
}

// putOffSeries notes a run that did not succeed: tried again soon, or given up so that the next one comes.
func (s *Service) putOffSeries(ctx context.Context, x Series, cause error) error {
	x.Attempts++
	if !permanent(cause) && x.Attempts < maxFeedAttempts {
		x.RetryAt, x.Error, x.UpdatedAt = s.c.Clock.Now().Add(backoff(x.Attempts)), failureOf(cause), s.c.Clock.Now()
		s.c.Log.Warn("a run of a series is tried again later", "workspace", x.Workspace, "series", x.ID, "attempt", x.Attempts, "error", cause)
		return s.c.Store.UpdateSeries(ctx, x)
	}
	s.c.Log.Error("a run of a series has failed", "workspace", x.Workspace, "series", x.ID, "error", cause)
	run := Run{Series: x.ID, Planned: x.NextAt, State: RunFailed, Reason: ReasonInvalid, Detail: failureOf(cause), At: s.c.Clock.Now()}
	if x.Feed != nil && slices.Contains([]errs.Kind{errs.KindUnavailable, errs.KindInternal}, errs.KindOf(cause)) {
		run.Reason = ReasonFeed
	}
	return s.conclude(ctx, x, &run, nil, nil)
}

// Vars returns what a campaign adds to every message, nil if nothing. It never changes.
func (s *Service) Vars(ctx context.Context, ws, campaign string) (map[string]any, error) {
	if found, ok := s.vars.Load(ws + " " + campaign); ok {
		return found.(map[string]any), nil
	}
	found, err := s.c.Store.RunVars(ctx, ws, campaign)
	if err != nil {
		return nil, err
	}
	if s.varsKept.Add(1) > maxVars {
		s.vars.Clear()
		s.varsKept.Store(1)
	}
	s.vars.Store(ws+" "+campaign, found)
	return found, nil
}

// maxVars is how many campaigns' values are kept in memory.
const maxVars = 100
