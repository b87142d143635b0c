package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// Summary is how a period went, for those who have one minute.
type Summary struct {
	From         string            `json:"from"`
	To           string            `json:"to"`
	PreviousFrom string            `json:"previous_from"`
	PreviousTo   string            `json:"previous_to"`
	Zone         string            `json:"zone"`
	Now          SummaryFigures    `json:"now"`
	Before       SummaryFigures    `json:"before"`
	Revenue      []SummaryRevenue  `json:"revenue_by_source" doc:"credited in the period, most orders first"`
	Health       []SummaryHealth   `json:"health" doc:"of all messages, then of the domains that are not well"`
	Anomalies    []SummaryAnomaly  `json:"anomalies" doc:"figures that changed by more than chance and by a tenth or more, the clearest first"`
	Chart        map[string]string `json:"charts" doc:"how each part is best drawn"`
}

// SummaryFigures are the figures of a period.
type SummaryFigures struct {
	Messages MessageFigures `json:"messages" doc:"that were meant to go in the period"`
	Asked    int64          `json:"asked" doc:"different people somebody wanted to write to"`
	Reached  int64          `json:"reached" doc:"different people to whom something was delivered"`
	Opened   int64          `json:"opened" doc:"different people who opened"`
	Clicked  int64          `json:"clicked" doc:"different people who clicked"`
	Active   int64          `json:"active_people"`
	New      int64          `json:"new_people"`
	Events   int64          `json:"events"`
	Orders   int64          `json:"orders"`
	Earned   []Money        `json:"earned" doc:"of orders, less what was refunded in the period"`
	Credited []Money        `json:"credited" doc:"of that, to messages"`
}

// SummaryRevenue is what a source was credited with.
type SummaryRevenue struct {
	Kind     string  `json:"kind"`
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Orders   int64   `json:"orders"`
	Net      []Money `json:"net"`
	Refunded []Money `json:"refunded"`
}

// SummaryHealth is one sign of whether mail still arrives.
type SummaryHealth struct {
	Figure string  `json:"figure" enum:"bounce_rate,complaint_rate"`
	Domain string  `json:"domain,omitempty" doc:"of recipients; empty: all"`
	Rate   Rate    `json:"rate"`
	Watch  float64 `json:"watch" doc:"from here on, look into it"`
	Act    float64 `json:"act" doc:"from here on, providers turn mail away"`
	Status string  `json:"status" enum:"well,watch,act,too_few"`
}

// SummaryAnomaly is a figure that is not as it was.
type SummaryAnomaly struct {
	Figure   string  `json:"figure"`
	Now      float64 `json:"now" doc:"a share, or the mean of a day"`
	Before   float64 `json:"before"`
	Relative float64 `json:"relative" doc:"change, of before; 0 if that is 0"`
	Sigmas   float64 `json:"sigmas" doc:"standard errors between the two"`
}

func summaryFigures(f report.SummaryFigures) SummaryFigures {
	return SummaryFigures{
		Messages: figuresShape(f.Messages), Asked: f.Reach.Asked, Reached: f.Reach.Delivered, Opened: f.Reach.Opened, Clicked: f.Reach.Clicked, Active: f.Active, New: f.New, Events: f.Events,
		Orders: f.Orders, Earned: moneys(f.Earned), Credited: moneys(f.Credited),
	}
}

// DaysQuery chooses days. It is exported because huma reads embedded fields of exported types only.
type DaysQuery struct {
	From string `query:"from" doc:"first day in the workspace's zone, such as 2026-03-01; thirty days if left out"`
	To   string `query:"to" doc:"last day; today if left out"`
}

func (a *api) summaryRoutes() {
	route(a, http.MethodGet, "/reports/summary", "report-summary", "How a period went: reach, active people, revenue by source, health of mail, and what is not as it was", staff.ReportsRead, func(ctx context.Context, in *DaysQuery) (*body[Summary], error) {
		s, err := a.c.Reports.Summary(ctx, workspaceOf(ctx), in.From, in.To)
		if err != nil {
			return nil, err
		}
		day := func(at time.Time) string { return at.In(s.Period.Zone).Format(time.DateOnly) }
		out := Summary{
			From: day(s.Period.From), To: day(s.Period.To.Add(-time.Microsecond)), PreviousFrom: day(s.Previous.From), PreviousTo: day(s.Previous.To.Add(-time.Microsecond)), Zone: s.Period.Zone.String(),
			Now: summaryFigures(s.Now), Before: summaryFigures(s.Before), Revenue: []SummaryRevenue{}, Health: []SummaryHealth{}, Anomalies: []SummaryAnomaly{},
			Chart: map[string]string{"now": "figures", "revenue_by_source": "bar", "health": "gauge", "anomalies": "list"},
		}
		for _, r := range s.Revenue {
			out.Revenue = append(out.Revenue, SummaryRevenue{r.Kind, r.ID, r.Name, r.Orders, moneys(r.Net), moneys(r.Refunded)})
		}
		for _, h := range s.Health {
			out.Health = append(out.Health, SummaryHealth{h.Figure, h.Domain, rateShape(h.Rate), h.Watch, h.Act, string(h.Status)})
		}
		for _, x := range s.Anomalies {
			out.Anomalies = append(out.Anomalies, SummaryAnomaly(x))
		}
		return answer(out), nil
	})
	type people struct {
		DaysQuery
		Paging
		Metric string `query:"metric" required:"true" enum:"asked,reached,opened,clicked,active_people,new_people,orders,earned,credited,refunded" doc:"name of a figure of the summary"`
		Kind   string `query:"kind" maxLength:"40" doc:"of the source, of credited and refunded"`
		Source string `query:"source" maxLength:"80" doc:"its id"`
	}
	route(a, http.MethodGet, "/reports/summary/people", "report-summary-people", "The people behind a figure of the summary: a row a person; of orders, earned and credited a row an order", staff.PeopleRead, func(ctx context.Context, in *people) (*body[List[PersonBehind]], error) {
		found, err := a.c.Reports.SummaryPeople(ctx, workspaceOf(ctx), in.From, in.To, in.Metric, in.Kind, in.Source, in.request())
		if err != nil {
			return nil, inMetric(err)
		}
		return a.behind(ctx, found)
	})
}
