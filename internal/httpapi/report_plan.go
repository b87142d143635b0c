package httpapi

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Plan is the communication plan of some days.
type Plan struct {
	From      string         `json:"from"`
	To        string         `json:"to"`
	Zone      string         `json:"zone"`
	Since     string         `json:"since" doc:"day on which the workspace was made, or that of the first entry if it is earlier: weeks before it were neither too quiet nor too busy"`
	Entries   []PlanEntry    `json:"entries" doc:"campaigns, and runs of series ahead, oldest first"`
	Conflicts []PlanConflict `json:"conflicts" doc:"entries of one day that concern the same people"`
	Journeys  []PlanJourney  `json:"journeys" doc:"what journeys sent, day by day"`
	Pressure  []PlanPressure `json:"pressure" doc:"messages a person by week, counted from the first day; only weeks that have begun"`
	Cadence   Cadence        `json:"cadence"`
}

// Cadence is the rhythm of messages that the team aims at; it holds nothing back. Zero is no target.
type Cadence struct {
	Least  int `json:"least" doc:"campaigns a week at least"`
	Most   int `json:"most" doc:"campaigns a week at most"`
	Person int `json:"person" doc:"messages that one person gets in a week at most, from campaigns, journeys and all else"`
}

// PlanEntry is one campaign, or one run of a series that lies ahead.
type PlanEntry struct {
	Campaign string    `json:"campaign,omitempty" doc:"id; empty of runs ahead"`
	Series   string    `json:"series,omitempty" doc:"id, of runs ahead"`
	Name     string    `json:"name"`
	Status   string    `json:"status"`
	Topic    string    `json:"topic,omitempty"`
	Date     string    `json:"date" doc:"day in the zone"`
	At       time.Time `json:"at"`
	Shown    string    `json:"shown,omitempty" doc:"what clocks show where each person lives"`
	People   int64     `json:"people" doc:"in the audience, as it was fixed or is now"`
}

// PlanConflict says that two entries of one day concern the same people.
type PlanConflict struct {
	Date   string `json:"date"`
	A      int64  `json:"a" doc:"place among the entries, from 0"`
	B      int64  `json:"b" doc:"place among the entries"`
	People int64  `json:"people" doc:"in both audiences"`
}

// PlanJourney is what one journey sent on one day.
type PlanJourney struct {
	Date    string `json:"date"`
	Journey string `json:"journey"`
	Name    string `json:"name"`
	Sent    int64  `json:"sent"`
}

// PlanPressure is how many people got how many messages in a week.
type PlanPressure struct {
	From     string           `json:"from"`
	To       string           `json:"to"`
	People   int64            `json:"people" doc:"who got any"`
	Messages int64            `json:"messages"`
	Spread   []PressurePeople `json:"spread" doc:"people by number of messages, ascending"`
}

// PressurePeople counts the people who got so many messages.
type PressurePeople struct {
	Messages int64 `json:"messages"`
	People   int64 `json:"people"`
}

// ScheduleRun is a run of a schedule ahead.
type ScheduleRun struct {
	At    time.Time `json:"at" doc:"of local times: when the first clock shows it"`
	Shown string    `json:"shown" doc:"what clocks show then"`
}

func (a *api) planRoutes() {
	route(a, http.MethodGet, "/plan", "plan-get", "The communication plan of some days: what went and what will go, where it collides, and the pressure on people", staff.ReportsRead, func(ctx context.Context, in *DaysQuery) (*body[Plan], error) {
		p, err := a.c.Reports.Plan(ctx, workspaceOf(ctx), in.From, in.To)
		if err != nil {
			return nil, err
		}
		w, err := a.c.Workspaces.Get(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		day := func(at time.Time) string { return at.In(p.Period.Zone).Format(time.DateOnly) }
		last := func(at time.Time) string { return day(at.Add(-time.Microsecond)) }
		out := Plan{From: day(p.Period.From), To: last(p.Period.To), Zone: p.Period.Zone.String(), Entries: []PlanEntry{}, Conflicts: []PlanConflict{}, Journeys: []PlanJourney{}, Pressure: []PlanPressure{}, Cadence: Cadence(w.Settings.Cadence)}
		out.Since = day(w.CreatedAt)
		for _, e := range p.Entries {
			out.Since = min(out.Since, day(e.At))
			out.Entries = append(out.Entries, PlanEntry{e.Campaign, e.Series, e.Name, string(e.Status), e.Topic, day(e.At), e.At, e.Shown.String(), e.People})
		}
		for _, c := range p.Conflicts {
			out.Conflicts = append(out.Conflicts, PlanConflict{day(p.Entries[c.A].At), int64(c.A), int64(c.B), c.People})
		}
		for _, j := range p.Journeys {
			out.Journeys = append(out.Journeys, PlanJourney{day(j.Date), j.Journey, j.Name, j.Sent})
		}
		for _, w := range p.Pressure {
			x := PlanPressure{From: day(w.From), To: last(w.To), Spread: []PressurePeople{}}
			for _, n := range slices.Sorted(maps.Keys(w.People)) {
				x.People, x.Messages = x.People+w.People[n], x.Messages+n*w.People[n]
				x.Spread = append(x.Spread, PressurePeople{n, w.People[n]})
			}
			out.Pressure = append(out.Pressure, x)
		}
		return answer(out), nil
	})
	type people struct {
		DaysQuery
		Paging
		Metric string `query:"metric" required:"true" enum:"conflict,pressure"`
		A      string `query:"a" maxLength:"80" doc:"of a conflict: id of the campaign or series of one entry"`
		B      string `query:"b" maxLength:"80" doc:"of the other entry"`
		Least  int64  `query:"least" minimum:"1" default:"1" doc:"of pressure: who got so many messages or more from the first to the last day"`
		Most   int64  `query:"most" minimum:"0" doc:"and no more than so many; 0: any number"`
	}
	route(a, http.MethodGet, "/plan/people", "plan-people", "The people behind a conflict or the pressure of some days", staff.PeopleRead, func(ctx context.Context, in *people) (*body[List[PersonBehind]], error) {
		ws := workspaceOf(ctx)
		var found page.Of[report.Person]
		var err error
		if in.Metric == "conflict" {
			found, err = a.c.Reports.ConflictPeople(ctx, ws, in.A, in.B, in.request())
		} else {
			found, err = a.c.Reports.PressedPeople(ctx, ws, in.From, in.To, in.Least, in.Most, in.request())
		}
		if err != nil {
			return nil, err
		}
		return a.behind(ctx, found)
	})
	route(a, http.MethodPut, "/plan/cadence", "plan-cadence-set", "Set the rhythm that the team aims at", staff.CampaignsWrite, func(ctx context.Context, in *in[Cadence]) (*body[Cadence], error) {
		var w workspace.Workspace
		err := a.change(ctx, "update", "workspace", workspaceOf(ctx), func(ctx context.Context) (err error) {
			if w, err = a.c.Workspaces.Get(ctx, workspaceOf(ctx)); err != nil {
				return err
			}
			w.Settings.Cadence = workspace.Cadence(in.Body)
			w, err = a.c.Workspaces.Update(ctx, w)
			return err
		})
		return answer(Cadence(w.Settings.Cadence)), renamed(err, func(f string) string { return strings.TrimPrefix(f, "settings.cadence.") })
	})
	type runs struct {
		Schedule campaign.Schedule `json:"schedule"`
	}
	type ahead struct {
		Runs []ScheduleRun `json:"runs"`
	}
	route(a, http.MethodPost, "/series/next-runs", "series-next-runs", "When a schedule would run next, five times; nothing is stored", staff.CampaignsRead, func(ctx context.Context, in *in[runs]) (*body[ahead], error) {
		now := a.c.Clock.Now()
		found, err := a.c.Campaigns.NextRuns(ctx, workspaceOf(ctx), in.Body.Schedule, now, now.AddDate(5, 0, 0), 5)
		out := ahead{Runs: []ScheduleRun{}}
		for _, x := range found {
			out.Runs = append(out.Runs, ScheduleRun{x.At, x.Shown.String()})
		}
		return answer(out), err
	})
}
