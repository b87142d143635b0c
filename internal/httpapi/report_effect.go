package httpapi

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// Effect is what messages brought about, beside what would have happened anyway.
type Effect struct {
	Control      string            `json:"control" enum:"source,workspace" doc:"whose control group: the campaign's or journey's own, or that of the workspace, which gets nothing at all"`
	Judgement    string            `json:"judgement" enum:"higher,lower,no_difference,too_few,no_control" doc:"of the shares: what may be said"`
	Running      bool              `json:"running" doc:"some windows are still open, so the figures may grow"`
	Until        *time.Time        `json:"until,omitempty" doc:"when the last window ends"`
	TreatedRate  Rate              `json:"treated_rate" doc:"people who did what was hoped for, of all for whom messages were meant, whatever became of the message; counted from when it was meant to go, as in the control group"`
	Delivered    *int64            `json:"delivered,omitempty" doc:"how many of all for whom messages were meant got one that did not bounce; absent where a journey compares whom it led with whom it kept out itself"`
	ControlRate  Rate              `json:"control_rate" doc:"of those held back"`
	Lift         EffectDifference  `json:"lift" doc:"of the shares; the interval is Newcombe's"`
	RevenueLifts []EffectOnRevenue `json:"revenue" doc:"by currency"`
}

// EffectDifference is treated less control with its 95 % interval.
type EffectDifference struct {
	Value     float64 `json:"value"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Relative  float64 `json:"relative" doc:"of the control's; 0 if that is 0"`
	Judgement string  `json:"judgement" enum:"higher,lower,no_difference,too_few,no_control"`
}

// EffectOnRevenue compares what a person brought, in minor units.
type EffectOnRevenue struct {
	Currency string           `json:"currency"`
	Treated  int64            `json:"treated" doc:"sum of all people for whom messages were meant"`
	Control  int64            `json:"control" doc:"sum of all people held back"`
	Lift     EffectDifference `json:"lift" doc:"of the mean of a person; the interval is Welch's"`
}

func effectShape(e report.Effect) Effect {
	difference := func(d report.Difference) EffectDifference {
		return EffectDifference{d.Value, d.Low, d.High, d.Relative, string(d.Judgement)}
	}
	out := Effect{
		Control: string(e.ControlOf), Judgement: string(e.Judgement), Running: e.Running, TreatedRate: rateShape(e.Rates.Treated), ControlRate: rateShape(e.Rates.Control),
		Lift: difference(e.Lift), RevenueLifts: []EffectOnRevenue{},
	}
	if e.Messages {
		out.Delivered = &e.Treated.Delivered
	}
	until := e.Treated.Until
	if e.Control.Until.After(until) {
		until = e.Control.Until
	}
	out.Until = moment(until)
	for _, c := range slices.Sorted(maps.Keys(e.Revenue)) {
		out.RevenueLifts = append(out.RevenueLifts, EffectOnRevenue{c, e.Treated.Money[c].Sum, e.Control.Money[c].Sum, difference(e.Revenue[c])})
	}
	return out
}

func (a *api) effectRoutes() {
	r := a.c.Reports
	route(a, http.MethodGet, "/campaigns/{id}/effect", "campaign-effect", "What the campaign brought about, against people who were held back", staff.ReportsRead, func(ctx context.Context, in *IDPath) (*body[Effect], error) {
		e, err := r.CampaignEffect(ctx, workspaceOf(ctx), in.ID)
		return answer(effectShape(e)), err
	})
	route(a, http.MethodGet, "/journeys/{id}/effect", "journey-effect", "What the journey brought about, against people who were held back", staff.ReportsRead, func(ctx context.Context, in *IDPath) (*body[Effect], error) {
		e, err := r.JourneyEffect(ctx, workspaceOf(ctx), in.ID)
		return answer(effectShape(e)), err
	})
	type EffectWho struct {
		Arm       string `query:"arm" enum:"treated,control" default:"treated" doc:"for whom messages were meant, or the control group"`
		Reached   bool   `query:"reached" doc:"of them those alone who did what was hoped for"`
		Delivered bool   `query:"delivered" doc:"of them those alone who got a message that did not bounce; says nothing where a journey compares whom it led with whom it kept out itself"`
	}
	people := func(w EffectWho) report.EffectPeople {
		return report.EffectPeople{Control: w.Arm == "control", Reached: w.Reached, Delivered: w.Delivered}
	}
	type ofThing struct {
		PageAt
		EffectWho
	}
	route(a, http.MethodGet, "/campaigns/{id}/effect/people", "campaign-effect-people", "The people whom the effect of a campaign counts", staff.PeopleRead, func(ctx context.Context, in *ofThing) (*body[List[PersonBehind]], error) {
		found, err := r.CampaignEffectPeople(ctx, workspaceOf(ctx), in.ID, people(in.EffectWho), in.request())
		if err != nil {
			return nil, err
		}
		return a.behind(ctx, found)
	})
	route(a, http.MethodGet, "/journeys/{id}/effect/people", "journey-effect-people", "The people whom the effect of a journey counts", staff.PeopleRead, func(ctx context.Context, in *ofThing) (*body[List[PersonBehind]], error) {
		found, err := r.JourneyEffectPeople(ctx, workspaceOf(ctx), in.ID, people(in.EffectWho), in.request())
		if err != nil {
			return nil, err
		}
		return a.behind(ctx, found)
	})
	type EffectOf struct {
		From     string `query:"from" doc:"first day in the workspace's zone, such as 2026-03-01; thirty days if left out"`
		To       string `query:"to" doc:"last day; today if left out"`
		Channel  string `query:"channel" doc:"of the messages"`
		Topic    string `query:"topic" doc:"of the messages"`
		Template string `query:"template" doc:"of the messages"`
		Domain   string `query:"domain" doc:"of the addresses"`
	}
	scope := func(o EffectOf) report.Scope {
		return report.Scope{Channel: o.Channel, Topic: o.Topic, Template: o.Template, Domain: strings.ToLower(o.Domain)}
	}
	route(a, http.MethodGet, "/reports/effect", "report-effect", "What the messages of a period brought about, all or some of them, against the workspace's control group", staff.ReportsRead, func(ctx context.Context, in *EffectOf) (*body[Effect], error) {
		e, err := r.WorkspaceEffect(ctx, workspaceOf(ctx), in.From, in.To, scope(*in))
		return answer(effectShape(e)), err
	})
	type ofDays struct {
		Paging
		EffectOf
		EffectWho
	}
	route(a, http.MethodGet, "/reports/effect/people", "report-effect-people", "The people whom the effect of a period counts", staff.PeopleRead, func(ctx context.Context, in *ofDays) (*body[List[PersonBehind]], error) {
		found, err := r.WorkspaceEffectPeople(ctx, workspaceOf(ctx), in.From, in.To, scope(in.EffectOf), people(in.EffectWho), in.request())
		if err != nil {
			return nil, err
		}
		return a.behind(ctx, found)
	})
}
