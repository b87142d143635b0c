package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// DryRunAsk names who would be written to, and how. Either a campaign, or an audience with a topic.
type DryRunAsk struct {
	Campaign string     `json:"campaign,omitempty" doc:"id; its audience, topic, channel, time and holdout are taken"`
	Include  []string   `json:"include,omitempty" maxItems:"50" doc:"segments and lists"`
	Exclude  []string   `json:"exclude,omitempty" maxItems:"50"`
	Topic    string     `json:"topic,omitempty"`
	Channel  string     `json:"channel,omitempty" doc:"email if left out"`
	Template string     `json:"template,omitempty" doc:"judged too, if given"`
	At       *time.Time `json:"at,omitempty" doc:"now if left out"`
	Test     *Test      `json:"test,omitempty" doc:"an A/B test, to learn what it could see"`
	Local    string     `json:"local,omitempty" doc:"a time where each person lives, such as 2026-12-24T09:00"`
}

// DryRunCount is how many people would be written to, and how many not for which reason.
type DryRunCount struct {
	Included  int64         `json:"included" doc:"people in the included segments"`
	Excluded  int64         `json:"excluded" doc:"of them, taken out by the excluded ones"`
	Audience  int64         `json:"audience"`
	Checked   int64         `json:"checked" doc:"people the gate was asked about; less than audience: the rest is an estimate from an even sample"`
	Allowed   int64         `json:"allowed"`
	Waits     []ReasonCount `json:"waits_by_reason" doc:"of the allowed, those who get it later"`
	Refused   []ReasonCount `json:"refused_by_reason"`
	Unsettled []string      `json:"unsettled" doc:"names of segments that are being evaluated: the figures are not final"`
	Arms      []TestArm     `json:"arms" doc:"of the A/B test: how many see each variant before the rest, and the smallest difference it finds"`
}

// DryRunPerson is the gate's answer about one person.
type DryRunPerson struct {
	Person  PersonBrief    `json:"person"`
	Outcome string         `json:"outcome" enum:"allowed,waits,refused"`
	Reason  string         `json:"reason,omitempty" doc:"stable code of a wait or refusal"`
	Data    map[string]any `json:"data,omitempty" doc:"what the reason rests on"`
	At      *time.Time     `json:"at,omitempty" doc:"when it would go"`
}

func (a *api) imagined(ctx context.Context, q DryRunAsk) (campaign.Campaign, error) {
	if q.Campaign != "" {
		return a.c.Campaigns.Get(ctx, workspaceOf(ctx), q.Campaign)
	}
	local, err := campaign.ParseCivil(q.Local)
	if err != nil {
		return campaign.Campaign{}, err
	}
	if q.Topic == "" {
		return campaign.Campaign{}, errs.Invalid("campaign.incomplete.topic", "topic", "choose the topic that people subscribed to")
	}
	c := campaign.Campaign{Audience: campaign.Audience{Include: q.Include, Exclude: q.Exclude}, Topic: q.Topic, Channel: q.Channel, Template: q.Template, Plan: campaign.Plan{Local: local, Test: (*campaign.Test)(q.Test)}}
	if q.At != nil {
		c.ScheduledAt = *q.At
	}
	return c, nil
}

func (a *api) dryRunRoutes() {
	s := a.c.Campaigns
	route(a, http.MethodPost, "/sending/dry-run", "sending-dry-run", "Who would get a message, who not, and why: counts. Nothing is stored or sent", staff.CampaignsRead, func(ctx context.Context, in *in[DryRunAsk]) (*body[DryRunCount], error) {
		c, err := a.imagined(ctx, in.Body)
		if err != nil {
			return nil, err
		}
		p, err := s.DryRun(ctx, workspaceOf(ctx), c)
		return answer(DryRunCount{p.Included, p.Excluded, p.Audience, p.Checked, p.Allowed, reasonCounts(p.Waits), reasonCounts(p.Refused), append([]string{}, p.Unsettled...), armShapes(p.Arms)}), err
	})
	type who struct {
		Paging
		Outcome  string `query:"outcome" enum:"allowed,waits,refused"`
		Reason   string `query:"reason" doc:"of a wait or refusal"`
		Language string `query:"language" maxLength:"20" doc:"only people who get it and read this language, named as the fallbacks of a preflight name it"`
		Body     DryRunAsk
	}
	route(a, http.MethodPost, "/sending/dry-run/people", "sending-dry-run-people", "The people of a dry run, one by one. A page may be short and still have a next one", staff.PeopleRead, func(ctx context.Context, in *who) (*body[List[DryRunPerson]], error) {
		if err := caller(ctx).Require(staff.CampaignsRead); err != nil {
			return nil, err
		}
		c, err := a.imagined(ctx, in.Body)
		if err != nil {
			return nil, err
		}
		found, err := s.DryRunPeople(ctx, workspaceOf(ctx), c, campaign.Wanted{Outcome: in.Outcome, Reason: in.Reason, Language: in.Language}, in.request())
		if err != nil {
			return nil, err
		}
		who, err := known(ctx, a, found.Items, func(x campaign.Answer) string { return x.PersonID })
		if err != nil {
			return nil, err
		}
		return list(found, func(x campaign.Answer) DryRunPerson {
			out := DryRunPerson{Person: who(x.PersonID), Outcome: "allowed", Reason: x.Reason, Data: x.Data}
			switch {
			case !x.Allowed:
				out.Outcome = "refused"
			case x.Waits != "":
				out.Outcome, out.Reason, out.At = "waits", x.Waits, moment(x.DueAt)
			default:
				out.At = moment(x.DueAt)
			}
			return out
		}), nil
	})
}
