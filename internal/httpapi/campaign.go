package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/version"
)

// Campaign is one message to many people.
type Campaign struct {
	ID string `json:"id"`
	CampaignDraft
	Revision   int64            `json:"revision"`
	Status     string           `json:"status" enum:"draft,review,scheduled,preparing,sending,paused,sent,cancelled,failed"`
	Progress   CampaignProgress `json:"progress"`
	Result     *TestResult      `json:"result,omitempty"`
	Requested  string           `json:"requested_by,omitempty" doc:"who asked to launch it"`
	Approved   string           `json:"approved_by,omitempty" doc:"who agreed"`
	Error      *Trouble         `json:"error,omitempty" doc:"of the last failed try"`
	LaunchedAt *time.Time       `json:"launched_at,omitempty" doc:"when the audience was fixed"`
	FinishedAt *time.Time       `json:"finished_at,omitempty"`
	CreatedAt  time.Time        `json:"created_at"`
	UpdatedAt  time.Time        `json:"updated_at"`
	ArchivedAt *time.Time       `json:"archived_at,omitempty" doc:"when it was put out of sight"`
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
	Plan        *CampaignPlan    `json:"plan,omitempty"`
}

// CampaignPlan says how a campaign goes out; left out: to all at one moment, as fast as the channel takes it.
type CampaignPlan struct {
	Local     string         `json:"local,omitempty" doc:"on the clock where each person lives, such as 2026-12-24T09:00; takes the place of scheduled_at"`
	BestHour  bool           `json:"best_hour,omitempty" doc:"within a day of the start, at the hour at which the person opens and clicks most"`
	Priority  string         `json:"priority,omitempty" enum:"low,normal,high" doc:"which message goes where a cap leaves room for fewer; normal if left out"`
	Approved  map[string]int `json:"approved_versions,omitempty" readOnly:"true" doc:"versions of the templates that were approved, by template: these go out, whatever is saved later"`
	PerMinute int            `json:"per_minute,omitempty" minimum:"0" doc:"at most so many messages a minute"`
	Holdout   float64        `json:"holdout,omitempty" minimum:"0" maximum:"50" doc:"percent of the audience who get nothing, always the same people of this campaign, to measure against"`
	Test      *Test          `json:"test,omitempty"`
}

// Test sends variants to a part of the audience and the one that does best to the rest.
type Test struct {
	Variants []string `json:"variants" doc:"templates beside the campaign's own, which is variant A"`
	Share    int      `json:"share" doc:"percent of the audience that takes part, all variants together"`
	Metric   string   `json:"metric" doc:"opened, clicked or converted, of delivered"`
	Hours    int      `json:"hours" doc:"from the last message of the test to the decision; it is not decided earlier, however clear it looks"`
}

// TestArm is one variant.
type TestArm struct {
	Variant    string  `json:"variant"`
	Template   string  `json:"template,omitempty"`
	People     int64   `json:"people"`
	Hits       int64   `json:"hits,omitempty"`
	Detectable float64 `json:"detectable,omitempty" doc:"smallest difference in shares that is found four times of five"`
}

// TestResult is how a test ended.
type TestResult struct {
	Winner    string    `json:"winner"`
	Template  string    `json:"template"`
	DecidedAt time.Time `json:"decided_at"`
	Arms      []TestArm `json:"arms"`
	Chance    float64   `json:"chance" doc:"probability of such a lead if both were equally good"`
	Certain   bool      `json:"certain" doc:"the chance is below 5 %"`
}

func armShapes(arms []campaign.Arm) []TestArm {
	out := make([]TestArm, 0, len(arms))
	for _, a := range arms {
		out = append(out, TestArm(a))
	}
	return out
}

func (p *CampaignPlan) plan() (campaign.Plan, error) {
	if p == nil {
		return campaign.Plan{}, nil
	}
	local, err := campaign.ParseCivil(p.Local)
	if err != nil {
		return campaign.Plan{}, err
	}
	priority, err := outbox.ParsePriority(p.Priority)
	out := campaign.Plan{Local: local, BestHour: p.BestHour, PerMinute: p.PerMinute, Holdout: p.Holdout, Priority: priority}
	if p.Test != nil {
		out.Test = (*campaign.Test)(p.Test)
	}
	return out, err
}

func planShape(p campaign.Plan) *CampaignPlan {
	if reflect.ValueOf(p).IsZero() {
		return nil
	}
	out := &CampaignPlan{Local: p.Local.String(), BestHour: p.BestHour, PerMinute: p.PerMinute, Holdout: p.Holdout, Approved: p.Approved, Test: (*Test)(p.Test)}
	if p.Priority != outbox.Normal {
		out.Priority = p.Priority.String()
	}
	return out
}

// CampaignAudience is the union of some segments and lists, less the union of others.
type CampaignAudience struct {
	Include []string `json:"include"`
	Exclude []string `json:"exclude,omitempty"`
}

// Goal is what a message is meant to bring about.
type Goal struct {
	Event         string `json:"event,omitempty" doc:"Order Completed if left out"`
	WindowSeconds int64  `json:"window_seconds,omitempty" minimum:"0" maximum:"7776000" doc:"counted from sending; seven days if left out"`

	Filter []json.RawMessage `json:"filter,omitempty" doc:"conditions over the properties of the event, as in rules: all must hold"`
	Value  string            `json:"value,omitempty" maxLength:"200" doc:"property that holds what the event is worth, in major units, with its currency in the property currency; left out: the total of orders, nothing of other events"`
}

func goalOf(g *Goal) outbox.Goal {
	if g == nil {
		return outbox.Goal{}
	}
	return outbox.Goal{Event: g.Event, Window: time.Duration(g.WindowSeconds) * time.Second, Filter: g.Filter, Value: g.Value}
}

func (d CampaignDraft) campaign() (campaign.Campaign, error) {
	plan, err := d.Plan.plan()
	c := campaign.Campaign{
		Plan: plan,
		Name: d.Name, Channel: d.Channel, Audience: campaign.Audience{Include: d.Audience.Include, Exclude: d.Audience.Exclude},
		Topic: d.Topic, Template: d.Template, Goal: goalOf(d.Goal),
	}
	if c.Channel == "" {
		c.Channel = "email"
	}
	if d.ScheduledAt != nil {
		c.ScheduledAt = d.ScheduledAt.UTC()
	}
	return c, err
}

func campaignShape(c campaign.Campaign) Campaign {
	out := Campaign{
		ID: c.ID, Revision: c.Rev, Status: string(c.Status), Error: troubleOf(c.Error), LaunchedAt: moment(c.StartedAt), FinishedAt: moment(c.FinishedAt), CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, ArchivedAt: moment(c.ArchivedAt),
		Requested: c.RequestedBy, Approved: c.ApprovedBy,
		Progress: CampaignProgress{c.Progress.Handled, c.Progress.Audience},
		CampaignDraft: CampaignDraft{
			Name: c.Name, Channel: c.Channel, Audience: CampaignAudience{c.Audience.Include, c.Audience.Exclude}, Topic: c.Topic, Template: c.Template, ScheduledAt: moment(c.ScheduledAt), Plan: planShape(c.Plan),
		},
	}
	if out.Audience.Include == nil {
		out.Audience.Include = []string{}
	}
	if !c.Goal.IsZero() {
		out.Goal = &Goal{c.Goal.Event, int64(c.Goal.Window / time.Second), c.Goal.Filter, c.Goal.Value}
	}
	if r := c.Result; r != nil {
		out.Result = &TestResult{r.Winner, r.Template, r.DecidedAt, armShapes(r.Arms), r.Chance, r.Certain}
	}
	return out
}

func campaignState(c campaign.Campaign) state {
	return state{"campaign", c.ID, c.Rev, c.UpdatedAt, campaignShape(c)}
}

// Preflight is what would happen if a campaign were launched now.
type Preflight struct {
	Blocking []Fault            `json:"blocking" doc:"what keeps it from being launched: what is missing, or gone or archived since it was chosen. Nothing is counted then; empty: it can be launched"`
	Included int64              `json:"included" doc:"people in the included segments"`
	Excluded int64              `json:"excluded" doc:"of them, taken out by the excluded ones"`
	Audience int64              `json:"audience"`
	Checked  int64              `json:"checked" doc:"people the gate was asked about; less than audience: the rest is an estimate from an even sample"`
	Allowed  int64              `json:"allowed"`
	Waits    []ReasonCount      `json:"waits_by_reason" doc:"of the allowed, those who get it later"`
	Refused  []ReasonCount      `json:"refused_by_reason"`
	Arms     []TestArm          `json:"arms" doc:"of the A/B test: how many see each variant before the rest"`
	Content  []content.Report   `json:"content" doc:"each template: why it is sent, what is asked and why, which languages it speaks, what the checks found"`
	Warnings []PreflightWarning `json:"warnings"`

	Fallbacks []PreflightFallback `json:"fallbacks" doc:"people who would get a template in a language that they do not read, by template and language, most people first"`
}

// PreflightFallback says how many of those who get a template read a language that it does not speak.
type PreflightFallback struct {
	Template string `json:"template"`
	Language string `json:"language" doc:"that they read, with the script where it matters: fr, zh-Hant"`
	Gets     string `json:"gets" doc:"locale of the text that they get"`
	People   int64  `json:"people" doc:"an estimate, if fewer people were checked than are in the audience"`
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
	type chosen struct {
		Paging
		Q        string `query:"q" maxLength:"200" doc:"part of the name"`
		Status   string `query:"status" enum:"draft,review,scheduled,preparing,sending,paused,sent,cancelled,failed"`
		Archived string `query:"archived" enum:"no,yes" doc:"only those in sight, or in the archive; left out: all"`
	}
	route(a, http.MethodGet, "/campaigns", "campaign-list", "Campaigns, newest first", staff.CampaignsRead, func(ctx context.Context, in *chosen) (*body[List[Campaign]], error) {
		found, err := s.List(ctx, workspaceOf(ctx), campaign.Filter{Text: in.Q, Status: campaign.Status(in.Status), Archived: campaign.Archived(in.Archived)}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, campaignShape), nil
	})
	route(a, http.MethodPost, "/campaigns", "campaign-create", "Make a campaign as a draft", staff.CampaignsWrite, func(ctx context.Context, in *in[CampaignDraft]) (*body[Campaign], error) {
		return write(ctx, "create", func(ctx context.Context) (campaign.Campaign, error) {
			c, err := in.Body.campaign()
			if err == nil {
				err = a.c.Outbox.CheckChannel("channel", c.Channel)
			}
			if err != nil {
				return c, err
			}
			made, err := s.Create(ctx, workspaceOf(ctx), c)
			if err != nil {
				return made, err
			}
			return made, a.keep(ctx, state{}, campaignState(made))
		})
	}, created)
	route(a, http.MethodGet, "/campaigns/{id}", "campaign-get", "One campaign", staff.CampaignsRead, func(ctx context.Context, in *IDPath) (*body[Campaign], error) {
		return one(s.Get(ctx, workspaceOf(ctx), in.ID))
	})
	type edit struct {
		CampaignDraft
		Revision int64 `json:"revision,omitempty" doc:"that the editor saw; another one in between is a conflict, 0 overwrites whatever is there"`
	}
	route(a, http.MethodPut, "/campaigns/{id}", "campaign-update", "Change a draft", staff.CampaignsWrite, func(ctx context.Context, in *inAt[edit]) (*body[Campaign], error) {
		out, err := write(ctx, "update", func(ctx context.Context) (campaign.Campaign, error) {
			c, err := in.Body.campaign()
			if err == nil {
				err = a.c.Outbox.CheckChannel("channel", c.Channel)
			}
			if err != nil {
				return c, err
			}
			c.Rev = in.Body.Revision
			before, err := s.Get(ctx, workspaceOf(ctx), in.ID)
			if err != nil {
				return c, err
			}
			now, err := s.Edit(ctx, workspaceOf(ctx), in.ID, c)
			if err != nil {
				return now, err
			}
			return now, a.keep(ctx, campaignState(before), campaignState(now))
		})
		return out, a.overtaken(ctx, err, "campaign.changed", "campaign", in.ID)
	})
	route(a, http.MethodDelete, "/campaigns/{id}", "campaign-delete", "Delete a draft", staff.CampaignsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "campaign", in.ID, func(ctx context.Context) error {
			if err := s.Delete(ctx, workspaceOf(ctx), in.ID); err != nil {
				return err
			}
			return a.c.Versions.Drop(ctx, workspaceOf(ctx), version.Thing{Kind: "campaign", ID: in.ID})
		})
	}, noContent)
	route(a, http.MethodGet, "/campaigns/{id}/preflight", "campaign-preflight", "Who would get this, who not, and why", staff.CampaignsRead, func(ctx context.Context, in *IDPath) (*body[Preflight], error) {
		p, err := s.Preflight(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out := Preflight{Blocking: []Fault{}, Included: p.Included, Excluded: p.Excluded, Audience: p.Audience, Checked: p.Checked, Allowed: p.Allowed, Waits: reasonCounts(p.Waits), Refused: reasonCounts(p.Refused), Arms: armShapes(p.Arms), Content: append([]content.Report{}, p.Content...), Warnings: []PreflightWarning{}, Fallbacks: []PreflightFallback{}}
		for _, e := range p.Blocking {
			out.Blocking = append(out.Blocking, faultOf(e))
		}
		for _, f := range p.Fallbacks {
			out.Fallbacks = append(out.Fallbacks, PreflightFallback(f))
		}
		for _, w := range p.Warnings {
			out.Warnings = append(out.Warnings, PreflightWarning{w.Code, w.Message})
		}
		return answer(out), nil
	})
	a.dryRunRoutes()
	act := func(verb, summary string, do func(ctx context.Context, ws, id string) (campaign.Campaign, error)) {
		route(a, http.MethodPost, "/campaigns/{id}/"+verb, "campaign-"+verb, summary, staff.CampaignsSend, func(ctx context.Context, in *IDPath) (*body[Campaign], error) {
			return write(ctx, verb, func(ctx context.Context) (campaign.Campaign, error) { return do(ctx, workspaceOf(ctx), in.ID) })
		})
	}
	by := func(do func(ctx context.Context, ws, id, by string) (campaign.Campaign, error)) func(ctx context.Context, ws, id string) (campaign.Campaign, error) {
		return func(ctx context.Context, ws, id string) (campaign.Campaign, error) {
			return do(ctx, ws, id, caller(ctx).ID)
		}
	}
	act("launch", "Fix the audience and send, or ask for approval where the workspace wants it; launching twice sends once", by(s.Launch))
	act("approve", "Let a campaign go that somebody else asked to launch", by(s.Approve))
	act("withdraw", "Make a campaign that waits for approval or its time a draft again", s.Withdraw)
	act("pause", "Stop for now", s.Pause)
	act("resume", "Go on where it stopped", s.Resume)
	act("cancel", "Take back what has not been sent", s.Cancel)
	put := func(verb, summary string, do func(ctx context.Context, ws, id string) (campaign.Campaign, error)) {
		route(a, http.MethodPost, "/campaigns/{id}/"+verb, "campaign-"+verb, summary, staff.CampaignsWrite, func(ctx context.Context, in *IDPath) (*body[Campaign], error) {
			return write(ctx, verb, func(ctx context.Context) (campaign.Campaign, error) { return do(ctx, workspaceOf(ctx), in.ID) })
		})
	}
	put("archive", "Put a draft or a campaign that is over out of sight", s.Archive)
	put("restore", "Take a campaign from the archive", s.Restore)
	type copied struct {
		Name string `json:"name" maxLength:"200"`
	}
	route(a, http.MethodPost, "/campaigns/{id}/copy", "campaign-copy", "Make a draft with the same content and audience", staff.CampaignsWrite, func(ctx context.Context, in *inAt[copied]) (*body[Campaign], error) {
		return write(ctx, "copy", func(ctx context.Context) (campaign.Campaign, error) {
			return s.Copy(ctx, workspaceOf(ctx), in.ID, in.Body.Name, campaign.Audience{})
		})
	}, created)
	type resent struct {
		Name    string `json:"name" maxLength:"200" doc:"of the new campaign"`
		Segment string `json:"segment_name" maxLength:"200" doc:"of the segment of people who got the first one and have not opened it"`
	}
	route(a, http.MethodPost, "/campaigns/{id}/resend", "campaign-resend", "Make a draft to those who got this campaign and have not opened it, and their segment", staff.CampaignsWrite, func(ctx context.Context, in *inAt[resent]) (*body[Campaign], error) {
		ws := workspaceOf(ctx)
		if _, err := s.Get(ctx, ws, in.ID); err != nil {
			return nil, err
		}
		// Its members change as people open the first mail: whoever has by the launch of the second is left out. Who clicked has read it, though their
		// reader loads no pictures; who had it opened by a privacy proxy alone may not have.
		did := func(action string) map[string]any {
			return map[string]any{"engagement": map[string]any{"action": action, "source": map[string]any{"kind": "campaign", "id": in.ID}}}
		}
		rule, err := json.Marshal(map[string]any{"all": []any{did("sent"), map[string]any{"not": did("opened")}, map[string]any{"not": did("clicked")}, map[string]any{"not": did("bounced")}}})
		if err != nil {
			return nil, err
		}
		// Not in one transaction: segments keep their members in memory too. Should the copy fail, a segment nobody uses is left.
		seg, err := a.c.Segments.Create(ctx, ws, segment.Draft{Name: in.Body.Segment, Rule: rule})
		if err != nil {
			return nil, renamed(err, func(f string) string { return strings.Replace(f, "name", "segment_name", 1) })
		}
		if err := a.audit(ctx, "create", "segment", seg.ID); err != nil {
			return nil, err
		}
		return write(ctx, "resend", func(ctx context.Context) (campaign.Campaign, error) {
			return s.Resend(ctx, ws, in.ID, in.Body.Name, campaign.Audience{Include: []string{seg.ID}})
		})
	}, created)
}
