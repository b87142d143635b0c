package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/version"
)

// SeriesDraft is a campaign that comes again.
type SeriesDraft struct {
	Name      string            `json:"name" maxLength:"200"`
	Channel   string            `json:"channel,omitempty" doc:"email if left out"`
	Audience  CampaignAudience  `json:"audience" doc:"looked up anew at each run"`
	Topic     string            `json:"topic,omitempty"`
	Template  string            `json:"template,omitempty" doc:"may name feed.title, feed.link and feed.items (title, link, summary, author, image, published)"`
	Goal      *Goal             `json:"goal,omitempty"`
	Holdout   float64           `json:"holdout,omitempty" minimum:"0" maximum:"50" doc:"percent of each run's audience who get nothing, to measure against"`
	PerMinute int               `json:"per_minute,omitempty" minimum:"0"`
	Priority  string            `json:"priority,omitempty" enum:"low,normal,high" doc:"which message goes where a cap leaves room for fewer; normal if left out"`
	Schedule  campaign.Schedule `json:"schedule"`
	Feed      *campaign.Feed    `json:"feed,omitempty" doc:"RSS or Atom; a run sends only if there is something new"`
	Until     *time.Time        `json:"until,omitempty" doc:"no run comes after"`
}

// Series is a campaign that comes again; each run is a campaign of its own.
type Series struct {
	ID string `json:"id"`
	SeriesDraft
	Status    string     `json:"status" enum:"draft,review,live,paused,ended"`
	Requested string     `json:"requested_by,omitempty"`
	Approved  string     `json:"approved_by,omitempty"`
	NextAt    *time.Time `json:"next_at,omitempty" doc:"of the next run; of local times, when the first clock shows it"`
	NextShown string     `json:"next_shown,omitempty" doc:"what clocks show then"`
	RetryAt   *time.Time `json:"retry_at,omitempty"`
	Error     *Trouble   `json:"error,omitempty" doc:"of the last failed try"`
	Runs      int64      `json:"runs" doc:"that made a campaign"`
	Revision  int64      `json:"revision"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// Trouble is why something failed that nobody waited for.
type Trouble struct {
	Code   string   `json:"code,omitempty" doc:"stable, e.g. segment.not_found; empty of what failed before codes were kept"`
	Args   []string `json:"args,omitempty" doc:"what the detail names, in its order"`
	Detail string   `json:"detail" doc:"in English"`
}

func troubleOf(f campaign.Failure) *Trouble {
	if f == "" {
		return nil
	}
	code, args, said := f.Said()
	return &Trouble{code, args, said}
}

// SeriesRun is one run.
type SeriesRun struct {
	PlannedAt time.Time `json:"planned_at"`
	State     string    `json:"state" enum:"sent,skipped,failed"`
	Reason    string    `json:"reason,omitempty" doc:"empty: nobody was in the audience; feed: it could not be read; invalid: something it refers to cannot be used"`
	Detail    *Trouble  `json:"detail,omitempty" doc:"why it failed"`
	Campaign  string    `json:"campaign,omitempty" doc:"whose report is the run's"`
	Items     []string  `json:"items" doc:"of the feed, by the publisher's keys"`
	At        time.Time `json:"at"`
}

func runShape(r campaign.Run) SeriesRun {
	if r.Items == nil {
		r.Items = []string{}
	}
	return SeriesRun{r.Planned, r.State, r.Reason, troubleOf(r.Detail), r.Campaign, r.Items, r.At}
}

func (d SeriesDraft) series() campaign.Series {
	s := campaign.Series{
		Name: d.Name, Audience: campaign.Audience{Include: d.Audience.Include, Exclude: d.Audience.Exclude}, Topic: d.Topic, Template: d.Template, Channel: d.Channel,
		Message: campaign.SeriesMessage{Goal: goalOf(d.Goal), Holdout: d.Holdout, Rate: d.PerMinute}, Schedule: d.Schedule, Feed: d.Feed,
	}
	s.Message.Priority, _ = outbox.ParsePriority(d.Priority) // the schema lets nothing else through
	if d.Until != nil {
		s.Until = d.Until.UTC()
	}
	return s
}

func seriesShape(s campaign.Series) Series {
	out := Series{
		ID: s.ID, Status: string(s.Status), Requested: s.RequestedBy, Approved: s.ApprovedBy, NextAt: moment(s.NextAt), NextShown: s.NextShown.String(), RetryAt: moment(s.RetryAt), Error: troubleOf(s.Error),
		Runs: s.Runs, Revision: s.Rev, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
		SeriesDraft: SeriesDraft{
			Name: s.Name, Channel: s.Channel, Audience: CampaignAudience{s.Audience.Include, s.Audience.Exclude}, Topic: s.Topic, Template: s.Template, Holdout: s.Message.Holdout,
			PerMinute: s.Message.Rate, Schedule: s.Schedule, Feed: s.Feed, Until: moment(s.Until),
		},
	}
	if out.Audience.Include == nil {
		out.Audience.Include = []string{}
	}
	if p := s.Message.Priority; p != outbox.Normal {
		out.Priority = p.String()
	}
	if g := s.Message.Goal; !g.IsZero() {
		out.Goal = &Goal{g.Event, int64(g.Window / time.Second), g.Filter, g.Value}
	}
	return out
}

func seriesState(s campaign.Series) state {
	return state{"series", s.ID, s.Rev, s.UpdatedAt, seriesShape(s)}
}

func (a *api) seriesRoutes() {
	s := a.c.Campaigns
	write := func(ctx context.Context, action string, do func(ctx context.Context) (campaign.Series, error)) (*body[Series], error) {
		out, err := changed(ctx, a, action, "series", func(s campaign.Series) string { return s.ID }, do)
		return answer(seriesShape(out)), err
	}
	type filter struct {
		Paging
		Q      string `query:"q" maxLength:"200" doc:"part of the name"`
		Status string `query:"status" enum:"draft,review,live,paused,ended"`
	}
	route(a, http.MethodGet, "/series", "series-list", "Campaigns that come again, newest first", staff.CampaignsRead, func(ctx context.Context, in *filter) (*body[List[Series]], error) {
		found, err := s.ListSeries(ctx, workspaceOf(ctx), campaign.SeriesFilter{Text: in.Q, Status: campaign.SeriesStatus(in.Status)}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, seriesShape), nil
	})
	route(a, http.MethodPost, "/series", "series-create", "Make a campaign that comes again, as a draft", staff.CampaignsWrite, func(ctx context.Context, in *in[SeriesDraft]) (*body[Series], error) {
		return write(ctx, "create", func(ctx context.Context) (campaign.Series, error) {
			made, err := s.CreateSeries(ctx, workspaceOf(ctx), in.Body.series())
			if err != nil {
				return made, err
			}
			return made, a.keep(ctx, state{}, seriesState(made))
		})
	}, created)
	route(a, http.MethodGet, "/series/{id}", "series-get", "One series", staff.CampaignsRead, func(ctx context.Context, in *IDPath) (*body[Series], error) {
		out, err := s.GetSeries(ctx, workspaceOf(ctx), in.ID)
		return answer(seriesShape(out)), err
	})
	type edit struct {
		SeriesDraft
		Revision int64 `json:"revision,omitempty" doc:"that the editor saw; 0 overwrites whatever is there"`
	}
	route(a, http.MethodPut, "/series/{id}", "series-update", "Change a series that does not run", staff.CampaignsWrite, func(ctx context.Context, in *inAt[edit]) (*body[Series], error) {
		out, err := write(ctx, "update", func(ctx context.Context) (campaign.Series, error) {
			x := in.Body.series()
			x.Rev = in.Body.Revision
			before, err := s.GetSeries(ctx, workspaceOf(ctx), in.ID)
			if err != nil {
				return x, err
			}
			now, err := s.EditSeries(ctx, workspaceOf(ctx), in.ID, x)
			if err != nil {
				return now, err
			}
			return now, a.keep(ctx, seriesState(before), seriesState(now))
		})
		return out, a.overtaken(ctx, err, "series.changed", "series", in.ID)
	})
	route(a, http.MethodDelete, "/series/{id}", "series-delete", "Delete a draft that never ran", staff.CampaignsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "series", in.ID, func(ctx context.Context) error {
			if err := s.DeleteSeries(ctx, workspaceOf(ctx), in.ID); err != nil {
				return err
			}
			return a.c.Versions.Drop(ctx, workspaceOf(ctx), version.Thing{Kind: "series", ID: in.ID})
		})
	}, noContent)
	route(a, http.MethodGet, "/series/{id}/runs", "series-runs", "The runs of a series, latest first", staff.CampaignsRead, func(ctx context.Context, in *PageAt) (*body[List[SeriesRun]], error) {
		found, err := s.SeriesRuns(ctx, workspaceOf(ctx), in.ID, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, runShape), nil
	})
	act := func(verb, summary string, do func(ctx context.Context, ws, id, by string) (campaign.Series, error)) {
		route(a, http.MethodPost, "/series/{id}/"+verb, "series-"+verb, summary, staff.CampaignsSend, func(ctx context.Context, in *IDPath) (*body[Series], error) {
			return write(ctx, verb, func(ctx context.Context) (campaign.Series, error) {
				return do(ctx, workspaceOf(ctx), in.ID, caller(ctx).ID)
			})
		})
	}
	act("activate", "Let the series run, or ask for approval where the workspace wants it", s.ActivateSeries)
	act("approve", "Let a series run that somebody else asked for", s.ApproveSeries)
	type pause struct {
		IDPath
		To string `query:"to" enum:"draft,paused" doc:"draft: a series that has not run becomes the draft that it was before it was started"`
	}
	route(a, http.MethodPost, "/series/{id}/pause", "series-pause", "Make no runs for now; what is missed does not come later", staff.CampaignsSend, func(ctx context.Context, in *pause) (*body[Series], error) {
		return write(ctx, "pause", func(ctx context.Context) (campaign.Series, error) {
			return s.PauseSeries(ctx, workspaceOf(ctx), in.ID, in.To == string(campaign.SeriesDraft))
		})
	})
	act("end", "End it for good", func(ctx context.Context, ws, id, _ string) (campaign.Series, error) { return s.EndSeries(ctx, ws, id) })
}
