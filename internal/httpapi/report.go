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
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Rate is a share with its 95 % interval (Wilson).
type Rate struct {
	N     int64   `json:"n" doc:"of how many"`
	Count int64   `json:"count"`
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

func rateShape(r report.Rate) Rate {
	return Rate{N: r.Of, Count: r.N, Share: r.Share, Low: r.Low, High: r.High}
}

// Money is an amount in minor units (cents, yen).
type Money struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
}

func moneys(m map[string]int64) []Money {
	out := make([]Money, 0, len(m))
	for _, c := range slices.Sorted(maps.Keys(m)) {
		out = append(out, Money{m[c], c})
	}
	return out
}

// ReasonCount counts one reason.
type ReasonCount struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

func reasonCounts(m map[string]int64) []ReasonCount {
	out := make([]ReasonCount, 0, len(m))
	for _, r := range slices.Sorted(maps.Keys(m)) {
		out = append(out, ReasonCount{r, m[r]})
	}
	return out
}

// MessageFigures count messages and what became of them. Each number's name is the figure to ask people by.
type MessageFigures struct {
	Audience       int64           `json:"audience" doc:"everyone the source asked to write to"`
	Refused        int64           `json:"refused" doc:"of them, held back by the gate"`
	RefusedBy      []ReasonCount   `json:"refused_by_reason"`
	Queued         int64           `json:"queued"`
	Sent           int64           `json:"sent" doc:"accepted by the receiving server"`
	Delivered      int64           `json:"delivered" doc:"accepted and not bounced since"`
	Bounced        int64           `json:"bounced"`
	HardBounced    int64           `json:"hard_bounced" doc:"of them, for good"`
	Failed         int64           `json:"failed"`
	Cancelled      int64           `json:"cancelled"`
	Opened         int64           `json:"opened" doc:"by people"`
	MachineOpened  int64           `json:"machine_opened" doc:"by proxies and scanners alone"`
	Clicked        int64           `json:"clicked"`
	Converted      int64           `json:"converted"`
	Unsubscribed   int64           `json:"unsubscribed"`
	MachineClicked int64           `json:"machine_clicked" doc:"by scanners alone"`
	Complained     int64           `json:"complained" doc:"called spam"`
	Replied        int64           `json:"replied" doc:"answered by a person"`
	Uncertain      int64           `json:"uncertain" doc:"messages whose answer was lost once: sent again, so at most so many arrived twice"`
	Revenue        []Money         `json:"revenue" doc:"credited to these messages, refunds taken off"`
	Refunded       []Money         `json:"refunded" doc:"what was taken off"`
	Rates          map[string]Rate `json:"rates" doc:"by figure: refused of audience; delivered and bounced of these two together; opened, clicked, converted, unsubscribed and complained of delivered; click_to_open"`
}

func figuresShape(f report.MessageFigures) MessageFigures {
	return MessageFigures{
		Audience: f.Audience, Refused: f.Refused, RefusedBy: reasonCounts(f.RefusedBy), Queued: f.Queued, Sent: f.Sent, Delivered: f.Delivered, Bounced: f.Bounced, HardBounced: f.HardBounced,
		Failed: f.Failed, Cancelled: f.Cancelled, Opened: f.Opened, MachineOpened: f.MachineOpened, Clicked: f.Clicked, Converted: f.Converted,
		Unsubscribed: f.Unsubscribed, MachineClicked: f.MachineClicked, Complained: f.Complained, Replied: f.Replied, Uncertain: f.Uncertain, Revenue: moneys(f.Revenue), Refunded: moneys(f.Refunded),
		Rates: map[string]Rate{
			"refused": rateShape(f.Refusal), "delivered": rateShape(f.Delivery), "bounced": rateShape(f.Bounce), "opened": rateShape(f.Open), "clicked": rateShape(f.Click),
			"click_to_open": rateShape(f.ClickToOpen), "converted": rateShape(f.Conversion), "unsubscribed": rateShape(f.Unsubscribe), "complained": rateShape(f.Complaint),
		},
	}
}

// CampaignReport is how a campaign does, live.
type CampaignReport struct {
	MessageFigures
	Status string        `json:"status"`
	Left   []ReasonCount `json:"left_out" doc:"people of the audience that the gate was never asked about: merged, gone"`
	At     time.Time     `json:"at"`

	Variants []VariantFigures `json:"variants,omitempty" doc:"of the A/B test, and of the rest, which has no variant"`
}

// VariantFigures are the figures of one variant of an A/B test.
type VariantFigures struct {
	Variant string `json:"variant"`
	MessageFigures
}

// JourneyReport is how a journey and each of its nodes do, live.
type JourneyReport struct {
	Status   string         `json:"status"`
	Entered  int64          `json:"entered"`
	Active   int64          `json:"active" doc:"people inside now"`
	Goals    int64          `json:"goals"`
	GoalRate Rate           `json:"goal_rate"`
	Exited   int64          `json:"exited" doc:"rounds that ended, with or without the goal"`
	Ended    []ReasonCount  `json:"ended_by" doc:"rounds ended, by why"`
	Parked   int64          `json:"parked" doc:"people who cannot go on until somebody mends something"`
	Revenue  []Money        `json:"revenue" doc:"of the goal events"`
	Messages MessageFigures `json:"messages"`
	Nodes    []NodeReport   `json:"nodes"`
	At       time.Time      `json:"at"`
}

// NodeReport is one node.
type NodeReport struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Title    string          `json:"title"`
	Entered  int64           `json:"entered"`
	Waiting  int64           `json:"waiting" doc:"people here now"`
	Passed   int64           `json:"passed"`
	Outputs  []ReasonCount   `json:"outputs" doc:"people who left, by output"`
	Parked   int64           `json:"parked"`
	Messages *MessageFigures `json:"messages,omitempty" doc:"of nodes that send"`
}

// PersonBehind is one person behind a figure.
type PersonBehind struct {
	Person    PersonBrief    `json:"person"`
	At        *time.Time     `json:"at,omitempty"`
	State     string         `json:"state"`
	Reason    string         `json:"reason,omitempty" doc:"code; with round_id one of a journey, as in its steps"`
	Data      map[string]any `json:"data,omitempty" doc:"what the reason rests on"`
	Detail    string         `json:"detail,omitempty"`
	MessageID string         `json:"message_id,omitempty"`
	RoundID   string         `json:"round_id,omitempty"`
	Node      string         `json:"node,omitempty"`
	Event     string         `json:"event,omitempty" doc:"its name, of figures that count events; of one without a name its type"`
	Times     int64          `json:"times,omitempty" doc:"how many messages count, of figures that name a person once"`
	Amount    *Money         `json:"amount,omitempty" doc:"of figures of money; negative if it was taken back"`
}

func (a *api) behind(ctx context.Context, found page.Of[report.Person]) (*body[List[PersonBehind]], error) {
	who, err := known(ctx, a, found.Items, func(p report.Person) string { return p.PersonID })
	if err != nil {
		return nil, err
	}
	return list(found, func(b report.Person) PersonBehind {
		out := PersonBehind{
			Person: who(b.PersonID), At: moment(b.At), State: b.State, Reason: b.Reason, Data: b.Data, Detail: b.Detail,
			MessageID: b.Message, RoundID: b.Round, Node: b.Node, Event: b.Event, Times: b.Times,
		}
		if b.Currency != "" {
			out.Amount = &Money{b.Amount, b.Currency}
		}
		return out
	}), nil
}

type FigureQuery struct {
	PageAt
	Metric string `query:"metric" default:"audience" doc:"name of a figure of the report"`
	Reason string `query:"reason" doc:"narrows refused, failed, ended and out to one reason or output"`
	Node   string `query:"node" doc:"of a journey; of a campaign: variant of its test"`
}

// figureNames maps the report's names to the journey's own figures.
var figureNames = map[string]string{"active": report.FigureInside, "waiting": report.FigureInside, "goals": report.FigureGoal, "exited": report.FigureEnded, "passed": report.FigureOut}

func (q FigureQuery) figure() (report.Figure, error) {
	name := q.Metric
	if own, ok := figureNames[name]; ok {
		name = own
	}
	if q.Reason != "" {
		name += ":" + q.Reason
	}
	f, err := report.ParseFigure(q.Node, name)
	return f, inMetric(err)
}

func (a *api) reportRoutes() {
	r := a.c.Reports
	route(a, http.MethodGet, "/campaigns/{id}/report", "campaign-report", "How a campaign does, live", staff.ReportsRead, func(ctx context.Context, in *IDPath) (*body[CampaignReport], error) {
		c, err := r.Campaign(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out := CampaignReport{MessageFigures: figuresShape(c.Messages), Status: string(c.Status), Left: reasonCounts(c.LeftOut), At: c.At}
		for _, v := range slices.Sorted(maps.Keys(c.Variants)) {
			out.Variants = append(out.Variants, VariantFigures{v, figuresShape(c.Variants[v])})
		}
		return answer(out), nil
	})
	route(a, http.MethodGet, "/campaigns/{id}/people", "campaign-people", "The people behind a figure of the report", staff.PeopleRead, func(ctx context.Context, in *FigureQuery) (*body[List[PersonBehind]], error) {
		f, err := in.figure()
		if err != nil {
			return nil, err
		}
		found, err := r.CampaignPeople(ctx, workspaceOf(ctx), in.ID, f, in.request())
		if err != nil {
			return nil, err
		}
		return a.behind(ctx, found)
	})
	route(a, http.MethodGet, "/journeys/{id}/report", "journey-report", "How a journey and its nodes do, live", staff.ReportsRead, func(ctx context.Context, in *IDPath) (*body[JourneyReport], error) {
		j, err := r.Journey(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out := JourneyReport{
			Status: string(j.Status), Entered: j.Stats.Entered, Active: j.Stats.Inside, Goals: j.Stats.Goals, GoalRate: rateShape(j.Goal), Ended: reasonCounts(j.Stats.Ended), Parked: j.Stats.Parked,
			Revenue: moneys(j.Stats.Revenue), Messages: figuresShape(j.Messages), Nodes: make([]NodeReport, len(j.Nodes)), At: j.At,
		}
		for _, n := range j.Stats.Ended {
			out.Exited += n
		}
		for i, n := range j.Nodes {
			node := NodeReport{ID: n.Node, Kind: n.Kind, Title: n.Title, Entered: n.In, Waiting: n.Now, Outputs: reasonCounts(n.Out), Parked: n.Parked}
			for _, by := range n.Out {
				node.Passed += by
			}
			if n.Messages != nil {
				f := figuresShape(*n.Messages)
				node.Messages = &f
			}
			out.Nodes[i] = node
		}
		return answer(out), nil
	})
	route(a, http.MethodGet, "/journeys/{id}/people", "journey-people", "The people behind a figure of the report", staff.PeopleRead, func(ctx context.Context, in *FigureQuery) (*body[List[PersonBehind]], error) {
		f, err := in.figure()
		if err != nil {
			return nil, err
		}
		found, err := r.JourneyPeople(ctx, workspaceOf(ctx), in.ID, f, in.request())
		if err != nil {
			return nil, err
		}
		return a.behind(ctx, found)
	})

	type day struct {
		Date         string  `json:"date"`
		Events       int64   `json:"events"`
		Active       int64   `json:"active_people"`
		Sent         int64   `json:"sent"`
		Refused      int64   `json:"refused"`
		Bounced      int64   `json:"bounced"`
		Opened       int64   `json:"opened"`
		Clicked      int64   `json:"clicked"`
		Unsubscribed int64   `json:"unsubscribed"`
		Entered      int64   `json:"journeys_entered"`
		Goals        int64   `json:"journey_goals"`
		Orders       int64   `json:"orders"`
		Revenue      []Money `json:"revenue"`
	}
	type overview struct {
		People  int64      `json:"people"`
		Events  int64      `json:"events"`
		Latest  *time.Time `json:"latest_event_at,omitempty"`
		Parked  int64      `json:"parked" doc:"people who cannot go on in a journey until somebody mends something"`
		Orders  int64      `json:"orders" doc:"of all time"`
		Revenue []Money    `json:"revenue" doc:"of all orders, before refunds"`
		Days    []day      `json:"days" doc:"the last thirty days, oldest first"`
		At      time.Time  `json:"at"`
	}
	route(a, http.MethodGet, "/reports/overview", "report-overview", "How the workspace does", staff.ReportsRead, func(ctx context.Context, _ *nothing) (*body[overview], error) {
		o, err := r.Overview(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		out := overview{People: o.People, Events: o.Events, Latest: moment(o.Latest), Parked: o.Parked, Orders: o.Orders, Revenue: moneys(o.Revenue), Days: make([]day, len(o.Days)), At: o.At}
		for i, d := range o.Days {
			out.Days[i] = day{d.Date.Format(time.DateOnly), d.Events, d.Active, d.Sent, d.Refused, d.Bounced, d.Opened, d.Clicked, d.Unsubscribed, d.Entered, d.Goals, d.Orders, moneys(d.Revenue)}
		}
		return answer(out), nil
	})
	type overviewPeople struct {
		Paging
		Metric string `query:"metric" required:"true" enum:"active_people,events,sent,refused,bounced,opened,clicked,unsubscribed,journeys_entered,journey_goals,orders" doc:"name of a figure of the days"`
		Day    string `query:"day" doc:"one of them; without it all, and orders of all time"`
	}
	route(a, http.MethodGet, "/reports/overview/people", "report-overview-people", "The people behind a figure of the overview: a row an event, message, entrance, goal or order, or of active_people a row a person", staff.PeopleRead, func(ctx context.Context, in *overviewPeople) (*body[List[PersonBehind]], error) {
		found, err := r.OverviewPeople(ctx, workspaceOf(ctx), in.Day, in.Metric, in.request())
		if err != nil {
			return nil, renamed(err, func(string) string { return "day" })
		}
		return a.behind(ctx, found)
	})
}

// inMetric names the input that a figure's fault is about.
func inMetric(err error) error {
	return renamed(err, func(field string) string { return strings.Replace(field, "figure", "metric", 1) })
}

func (a *api) statsRoutes() {
	type stats struct {
		People    int64      `json:"people" doc:"after merges"`
		Events    int64      `json:"events" doc:"track, page and screen events, each once"`
		LastEvent *time.Time `json:"last_event_at,omitempty"`
	}
	route(a, http.MethodGet, "/stats", "stats-get", "The workspace in numbers; exact within seconds", staff.ReportsRead, func(ctx context.Context, _ *nothing) (*body[stats], error) {
		ws := workspaceOf(ctx)
		s, err := a.c.Events.Stats(ctx, ws)
		if err != nil {
			return nil, err
		}
		people, err := a.c.People.Count(ctx, ws)
		if err != nil {
			return nil, err
		}
		return answer(stats{People: people, Events: s.Events, LastEvent: moment(s.LastTime)}), nil
	})
	type name struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Count int64  `json:"count"`
	}
	type top struct {
		Limit int `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}
	route(a, http.MethodGet, "/event-names", "event-name-list", "What people do, most frequent first", staff.PeopleRead, func(ctx context.Context, in *top) (*body[List[name]], error) {
		names, err := a.c.Events.Names(ctx, workspaceOf(ctx), in.Limit)
		if err != nil {
			return nil, err
		}
		out := List[name]{Items: make([]name, len(names))}
		for i, n := range names {
			out.Items[i] = name{string(n.Type), n.Name, n.Count}
		}
		return answer(out), nil
	})
}
