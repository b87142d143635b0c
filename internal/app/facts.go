package app

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// facts tells reports what campaigns and journeys know of themselves.
type facts struct {
	campaigns *campaign.Service
	journeys  *journey.Service
}

// CampaignFacts implements report.Campaigns.
func (f facts) CampaignFacts(ctx context.Context, ws, id string) (report.CampaignFacts, error) {
	c, err := f.campaigns.Get(ctx, ws, id)
	if err != nil {
		return report.CampaignFacts{}, err
	}
	out := report.CampaignFacts{
		ID: c.ID, Name: c.Name, Status: string(c.Status), Audience: c.Progress.Audience, Handled: c.Progress.Handled,
		LeftOut: map[string]int64{}, StartedAt: c.StartedAt, FinishedAt: c.FinishedAt,
	}
	for _, why := range []string{campaign.ReasonMerged, campaign.ReasonGone} {
		if n := c.Progress.Refused[why]; n > 0 {
			out.LeftOut[why] = n
		}
	}
	return out, nil
}

// JourneyFacts implements report.Journeys.
func (f facts) JourneyFacts(ctx context.Context, ws, id string) (report.JourneyFacts, error) {
	j, err := f.journeys.Get(ctx, ws, id)
	if err != nil {
		return report.JourneyFacts{}, err
	}
	s, err := f.journeys.Stats(ctx, ws, id)
	if err != nil {
		return report.JourneyFacts{}, err
	}
	out := report.JourneyFacts{
		ID: j.ID, Name: j.Name, Status: string(j.Status), Entered: s.Entered, Inside: s.Inside, Parked: s.Parked, Goals: s.Goals, Ended: s.Ended, Revenue: s.Revenue,
	}
	for _, n := range s.Nodes {
		out.Nodes = append(out.Nodes, report.NodeFacts{Node: n.Node, Kind: n.Kind, Title: n.Title, In: n.In, Now: n.Now, Parked: n.Parked, Out: n.Out, Ended: n.Ended})
	}
	return out, nil
}

var behind = map[string]string{
	report.FigureEntered: journey.In, report.FigureInside: journey.Inside, report.FigureParked: journey.Failing,
	report.FigureGoal: journey.Goals, report.FigureEnded: journey.Ended, report.FigureOut: journey.Out,
}

// JourneyPeople implements report.Journeys.
func (f facts) JourneyPeople(ctx context.Context, ws, id string, fig report.Figure, p page.Request) (page.Of[report.Person], error) {
	found, err := f.journeys.Behind(ctx, ws, id, journey.Behind{Node: fig.Node, What: behind[fig.Name], Detail: fig.Detail}, p)
	if err != nil {
		return page.Of[report.Person]{}, err
	}
	out := page.Of[report.Person]{Items: make([]report.Person, len(found.Items)), Next: found.Next}
	for i, v := range found.Items {
		out.Items[i] = report.Person{PersonID: v.Person, At: v.Arrived, State: string(v.Status), Reason: v.Reason, Detail: v.Error, Message: v.Message, Round: v.Instance, Node: v.Node}
	}
	return out, nil
}

// Parked implements report.Journeys.
func (f facts) Parked(ctx context.Context, ws string) (int64, error) {
	return f.journeys.Parked(ctx, ws)
}
