package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// Campaign is one message to many people.
type Campaign struct {
	ID string `json:"id"`
	CampaignDraft
	Status     string           `json:"status" enum:"draft,scheduled,preparing,sending,paused,sent,cancelled,failed"`
	Progress   CampaignProgress `json:"progress"`
	Error      string           `json:"error,omitempty"`
	LaunchedAt *time.Time       `json:"launched_at,omitempty" doc:"when the audience was fixed"`
	FinishedAt *time.Time       `json:"finished_at,omitempty"`
	CreatedAt  time.Time        `json:"created_at"`
	UpdatedAt  time.Time        `json:"updated_at"`
}

// CampaignProgress is exact: how many people of the audience have been decided on.
type CampaignProgress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// CampaignDraft is what a marketer writes.
type CampaignDraft struct {
	Name        string           `json:"name" maxLength:"200"`
	Channel     string           `json:"channel,omitempty" doc:"email if left out"`
	Audience    CampaignAudience `json:"audience"`
	Topic       string           `json:"topic,omitempty" doc:"topic that people subscribed to"`
	Template    string           `json:"template,omitempty"`
	Goal        *Goal            `json:"goal,omitempty"`
	ScheduledAt *time.Time       `json:"scheduled_at,omitempty" doc:"not before this time"`
}

// CampaignAudience is the union of some segments and lists, less the union of others.
type CampaignAudience struct {
	Include []string `json:"include"`
	Exclude []string `json:"exclude,omitempty"`
}

// Goal is what a message is meant to bring about.
type Goal struct {
	Event         string `json:"event,omitempty" doc:"Order Completed if left out"`
	WindowSeconds int64  `json:"window_seconds,omitempty" minimum:"0" doc:"counted from sending; seven days if left out"`
}

func goalOf(g *Goal) outbox.Goal {
	if g == nil {
		return outbox.Goal{}
	}
	return outbox.Goal{Event: g.Event, Window: time.Duration(g.WindowSeconds) * time.Second}
}

func (d CampaignDraft) campaign() campaign.Campaign {
	c := campaign.Campaign{
		Name: d.Name, Channel: d.Channel, Audience: campaign.Audience{Include: d.Audience.Include, Exclude: d.Audience.Exclude},
		Topic: d.Topic, Template: d.Template, Goal: goalOf(d.Goal),
	}
	if c.Channel == "" {
		c.Channel = "email"
	}
	if d.ScheduledAt != nil {
		c.ScheduledAt = d.ScheduledAt.UTC()
	}
	return c
}

func campaignShape(c campaign.Campaign) Campaign {
	out := Campaign{
		ID: c.ID, Status: string(c.Status), Error: c.Error, LaunchedAt: moment(c.StartedAt), FinishedAt: moment(c.FinishedAt), CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
		Progress: CampaignProgress{c.Progress.Handled, c.Progress.Audience},
		CampaignDraft: CampaignDraft{
			Name: c.Name, Channel: c.Channel, Audience: CampaignAudience{c.Audience.Include, c.Audience.Exclude}, Topic: c.Topic, Template: c.Template, ScheduledAt: moment(c.ScheduledAt),
		},
	}
	if out.Audience.Include == nil {
		out.Audience.Include = []string{}
	}
	if c.Goal != (outbox.Goal{}) {
		out.Goal = &Goal{c.Goal.Event, int64(c.Goal.Window / time.Second)}
	}
	return out
}

// Preflight is what would happen if a campaign were launched now.
type Preflight struct {
	Included int64              `json:"included" doc:"people in the included segments"`
	Excluded int64              `json:"excluded" doc:"of them, taken out by the excluded ones"`
	Audience int64              `json:"audience"`
	Checked  int64              `json:"checked" doc:"people the gate was asked about; less than audience: the rest is an estimate from an even sample"`
	Allowed  int64              `json:"allowed"`
	Refused  []ReasonCount      `json:"refused_by_reason"`
	Warnings []PreflightWarning `json:"warnings"`
}

// PreflightWarning is advice.
type PreflightWarning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (a *api) campaignRoutes() {
	s := a.c.Campaigns
	one := func(c campaign.Campaign, err error) (*body[Campaign], error) { return answer(campaignShape(c)), err }
	write := func(ctx context.Context, action string, do func(ctx context.Context) (campaign.Campaign, error)) (*body[Campaign], error) {
		return one(changed(ctx, a, action, "campaign", func(c campaign.Campaign) string { return c.ID }, do))
	}
	route(a, http.MethodGet, "/campaigns", "campaign-list", "Campaigns, newest first", staff.CampaignsRead, func(ctx context.Context, in *Paging) (*body[List[Campaign]], error) {
		found, err := s.List(ctx, workspaceOf(ctx), in.request())
		if err != nil {
			return nil, err
		}
		return list(found, campaignShape), nil
	})
	route(a, http.MethodPost, "/campaigns", "campaign-create", "Make a campaign as a draft", staff.CampaignsWrite, func(ctx context.Context, in *in[CampaignDraft]) (*body[Campaign], error) {
		return write(ctx, "create", func(ctx context.Context) (campaign.Campaign, error) {
			return s.Create(ctx, workspaceOf(ctx), in.Body.campaign())
		})
	}, created)
	route(a, http.MethodGet, "/campaigns/{id}", "campaign-get", "One campaign", staff.CampaignsRead, func(ctx context.Context, in *IDPath) (*body[Campaign], error) {
		return one(s.Get(ctx, workspaceOf(ctx), in.ID))
	})
	route(a, http.MethodPut, "/campaigns/{id}", "campaign-update", "Change a draft", staff.CampaignsWrite, func(ctx context.Context, in *inAt[CampaignDraft]) (*body[Campaign], error) {
		return write(ctx, "update", func(ctx context.Context) (campaign.Campaign, error) {
			return s.Edit(ctx, workspaceOf(ctx), in.ID, in.Body.campaign())
		})
	})
	route(a, http.MethodDelete, "/campaigns/{id}", "campaign-delete", "Delete a draft", staff.CampaignsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "campaign", in.ID, func(ctx context.Context) error { return s.Delete(ctx, workspaceOf(ctx), in.ID) })
	}, noContent)
	route(a, http.MethodGet, "/campaigns/{id}/preflight", "campaign-preflight", "Who would get this, who not, and why", staff.CampaignsRead, func(ctx context.Context, in *IDPath) (*body[Preflight], error) {
		p, err := s.Preflight(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out := Preflight{Included: p.Included, Excluded: p.Excluded, Audience: p.Audience, Checked: p.Checked, Allowed: p.Allowed, Refused: reasonCounts(p.Refused), Warnings: []PreflightWarning{}}
		for _, w := range p.Warnings {
			out.Warnings = append(out.Warnings, PreflightWarning{w.Code, w.Message})
		}
		return answer(out), nil
	})
	act := func(verb, summary string, do func(ctx context.Context, ws, id string) (campaign.Campaign, error)) {
		route(a, http.MethodPost, "/campaigns/{id}/"+verb, "campaign-"+verb, summary, staff.CampaignsSend, func(ctx context.Context, in *IDPath) (*body[Campaign], error) {
			return write(ctx, verb, func(ctx context.Context) (campaign.Campaign, error) { return do(ctx, workspaceOf(ctx), in.ID) })
		})
	}
	act("launch", "Fix the audience and send; launching twice sends once", s.Launch)
	act("pause", "Stop for now", s.Pause)
	act("resume", "Go on where it stopped", s.Resume)
	act("cancel", "Take back what has not been sent", s.Cancel)
}
