package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
)

// StandingRange is a span of scores.
type StandingRange struct {
	From int `json:"from" minimum:"1" maximum:"5"`
	To   int `json:"to" minimum:"1" maximum:"5"`
}

// StandingLabel is a name for a part of the R-F-M cube.
type StandingLabel struct {
	Key  string        `json:"key" maxLength:"50" doc:"champions, cant_lose, loyal, at_risk, potential_loyal, new, promising, need_attention, about_to_sleep and lost are worded in every language"`
	Name string        `json:"name,omitempty" maxLength:"60" doc:"a name of one's own"`
	R    StandingRange `json:"r" doc:"recency: 5 bought last"`
	F    StandingRange `json:"f" doc:"frequency: 5 buys most often"`
	M    StandingRange `json:"m" doc:"money: 5 spends most"`
}

// StandingCuts are the four values between the five scores.
type StandingCuts [4]int64

// StandingThresholds are what scores are measured by.
type StandingThresholds struct {
	Days   StandingCuts            `json:"days" doc:"since the last order"`
	Orders StandingCuts            `json:"orders" doc:"inside the window"`
	Spent  map[string]StandingCuts `json:"spent" doc:"net minor units inside the window, by currency"`
}

// StandingLife is when one stage becomes another.
type StandingLife struct {
	NewDays     int     `json:"new_days" doc:"so long after the first order"`
	AtRisk      float64 `json:"at_risk" doc:"times the usual gap between orders: the person's own from three orders on, else everybody's"`
	Dormant     float64 `json:"dormant"`
	Churned     float64 `json:"churned"`
	ChurnedDays int     `json:"churned_days" doc:"at the latest"`
}

// StandingPart is what counts as taking part.
type StandingPart struct {
	Days    int      `json:"days" doc:"looked back"`
	Write   []string `json:"write" maxItems:"50" doc:"events of authors"`
	React   []string `json:"react" maxItems:"50" doc:"events of those who join in"`
	Authors int      `json:"authors" doc:"so many of write make an author"`
}

// StandingScheme is how people are judged.
type StandingScheme struct {
	Window   int                 `json:"window_days" doc:"orders this old still count for frequency and money"`
	Fixed    *StandingThresholds `json:"fixed,omitempty" doc:"thresholds chosen by hand; without them, fifths of the customers, once a day"`
	Labels   []StandingLabel     `json:"labels" minItems:"1" maxItems:"30" doc:"the first that matches; the last must match everybody"`
	Life     StandingLife        `json:"lifecycle"`
	Part     StandingPart        `json:"participation"`
	High     []string            `json:"high_touch" maxItems:"30" doc:"labels whose people get high-touch service"`
	Low      []string            `json:"low_touch" maxItems:"30" doc:"labels whose people get low-touch service; all others are tech-touch"`
	Revision int64               `json:"revision" doc:"send it back with an edit"`
	Default  bool                `json:"default,omitempty" readOnly:"true" doc:"nobody has chosen one yet"`
}

// StandingCount is how many people have something in common.
type StandingCount struct {
	Key string `json:"key"`
	N   int64  `json:"n"`
}

// StandingCell is a place of the R-F grid.
type StandingCell struct {
	R int   `json:"r"`
	F int   `json:"f"`
	N int64 `json:"n"`
}

// StandingRound is how far the judging of everybody is.
type StandingRound struct {
	State string     `json:"state" enum:"waiting,judging,scoring"`
	Done  int        `json:"done" doc:"people judged in this round"`
	Due   *time.Time `json:"due_at,omitempty" doc:"when the next begins"`
	Ended *time.Time `json:"ended_at,omitempty" doc:"when the one before ended"`
}

// StandingOverview is how a workspace's people stand.
type StandingOverview struct {
	Stages     []StandingCount    `json:"stages"`
	Labels     []StandingCount    `json:"labels"`
	Parts      []StandingCount    `json:"participation"`
	Services   []StandingCount    `json:"services"`
	Grid       []StandingCell     `json:"grid" doc:"people by recency and frequency; empty places are left out"`
	Thresholds StandingThresholds `json:"thresholds"`
	GapDays    float64            `json:"gap_days" doc:"median days between orders of everybody who has bought often enough; 0 if nobody has"`
	Customers  int                `json:"customers" doc:"people the thresholds rest on"`
	At         *time.Time         `json:"at,omitempty" doc:"when the thresholds were taken"`
	Round      StandingRound      `json:"round"`
}

// PersonStanding is how one person stands and why.
type PersonStanding struct {
	Stage     string     `json:"stage" enum:"anonymous,lead,new,active,won_back,at_risk,dormant,churned"`
	Since     *time.Time `json:"since,omitempty"`
	Next      *time.Time `json:"next_at,omitempty" doc:"when silence alone leads to the next stage"`
	Label     string     `json:"label,omitempty"`
	R         int        `json:"r,omitempty"`
	F         int        `json:"f,omitempty"`
	M         int        `json:"m,omitempty"`
	Part      string     `json:"participation,omitempty" enum:"author,occasional,silent"`
	Service   string     `json:"service" enum:"high,low,tech"`
	Override  string     `json:"service_by_hand,omitempty" enum:"high,low,tech" doc:"what staff decided"`
	Channel   string     `json:"best_channel,omitempty"`
	Hour      *int       `json:"best_hour,omitempty" doc:"of the day in the person's zone"`
	Orders    int        `json:"orders" doc:"inside the window"`
	LastOrder *time.Time `json:"last_order,omitempty"`
	GapDays   float64    `json:"gap_days,omitempty" doc:"usual days between orders; absent with fewer than three"`
	Currency  string     `json:"currency,omitempty"`
	Spent     int64      `json:"spent,omitempty" doc:"net minor units inside the window"`
}

func schemeShape(st standing.State) StandingScheme {
	s := st.Scheme
	out := StandingScheme{
		Window: s.WindowDays, Life: StandingLife(s.Life), Part: StandingPart(s.Part), High: s.High, Low: s.Low, Revision: st.Rev, Default: !st.Chosen,
	}
	for _, l := range s.Labels {
		out.Labels = append(out.Labels, StandingLabel{l.Key, l.Name, StandingRange(l.Recency), StandingRange(l.Freq), StandingRange(l.Money)})
	}
	if s.Fixed != nil {
		f := thresholdShape(*s.Fixed)
		out.Fixed = &f
	}
	return out
}

func (s StandingScheme) scheme() standing.Scheme {
	out := standing.Scheme{WindowDays: s.Window, Life: standing.Life(s.Life), Part: standing.Part(s.Part), High: s.High, Low: s.Low}
	for _, l := range s.Labels {
		out.Labels = append(out.Labels, standing.Label{Key: l.Key, Name: l.Name, Recency: standing.Range(l.R), Freq: standing.Range(l.F), Money: standing.Range(l.M)})
	}
	if s.Fixed != nil {
		out.Fixed = &standing.Fixed{Days: standing.Cuts(s.Fixed.Days), Orders: standing.Cuts(s.Fixed.Orders), Spent: map[string]standing.Cuts{}}
		for cur, c := range s.Fixed.Spent {
			out.Fixed.Spent[cur] = standing.Cuts(c)
		}
	}
	return out
}

func thresholdShape(f standing.Fixed) StandingThresholds {
	out := StandingThresholds{Days: StandingCuts(f.Days), Orders: StandingCuts(f.Orders), Spent: map[string]StandingCuts{}}
	for cur, c := range f.Spent {
		out.Spent[cur] = StandingCuts(c)
	}
	return out
}

func countShapes(counts []standing.Count) []StandingCount {
	out := make([]StandingCount, len(counts))
	for i, c := range counts {
		out[i] = StandingCount(c)
	}
	return out
}

func inDays(d time.Duration) float64 { return d.Hours() / 24 }

func standingShape(r standing.Row) PersonStanding {
	out := PersonStanding{
		Stage: string(r.Stage), Since: moment(r.Since), Next: moment(r.Next), Label: r.Label, R: r.Scores.R, F: r.Scores.F, M: r.Scores.M, Part: string(r.Part),
		Service: string(r.Service), Override: string(r.Override), Channel: r.Channel, Orders: r.Orders, LastOrder: moment(r.LastOrder), GapDays: inDays(r.Gap),
		Currency: r.Currency, Spent: r.Spent,
	}
	if r.Hour >= 0 {
		out.Hour = &r.Hour
	}
	return out
}

func (a *api) standingRoutes() {
	s := a.c.Standing
	route(a, http.MethodGet, "/standing", "standing-overview", "How people stand: stages, RFM, participation, service", staff.SegmentsRead, func(ctx context.Context, _ *nothing) (*body[StandingOverview], error) {
		st, err := s.State(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		counts, err := s.Counts(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		out := StandingOverview{
			Stages: countShapes(counts.Stages), Labels: countShapes(counts.Labels), Parts: countShapes(counts.Parts), Services: countShapes(counts.Services), Grid: []StandingCell{},
			Thresholds: thresholdShape(st.Thresholds.Fixed), GapDays: inDays(st.Thresholds.Gap), Customers: st.Thresholds.N, At: moment(st.Thresholds.At),
			Round: StandingRound{State: "waiting", Done: st.Round.Done, Due: moment(st.Round.Due), Ended: moment(st.Round.Ended)},
		}
		if st.Scheme.Fixed != nil {
			out.Thresholds = thresholdShape(*st.Scheme.Fixed)
		}
		if st.Round.Phase != "" {
			out.Round.State = string(st.Round.Phase)
		}
		for r := 1; r <= 5; r++ {
			for f := 1; f <= 5; f++ {
				if n := counts.Grid[[2]int{r, f}]; n > 0 {
					out.Grid = append(out.Grid, StandingCell{r, f, n})
				}
			}
		}
		return answer(out), nil
	})
	route(a, http.MethodGet, "/standing/scheme", "standing-scheme", "How people are judged", staff.SegmentsRead, func(ctx context.Context, _ *nothing) (*body[StandingScheme], error) {
		st, err := s.State(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		return answer(schemeShape(st)), nil
	})
	route(a, http.MethodPut, "/standing/scheme", "standing-scheme-update", "Choose how people are judged; everybody is judged anew", staff.SegmentsWrite, func(ctx context.Context, in *in[StandingScheme]) (*body[StandingScheme], error) {
		var st standing.State
		err := a.change(ctx, "update", "standing_scheme", workspaceOf(ctx), func(ctx context.Context) (err error) {
			st, err = s.SetScheme(ctx, workspaceOf(ctx), in.Body.scheme(), in.Body.Revision)
			return err
		})
		if err != nil {
			return nil, err
		}
		return answer(schemeShape(st)), nil
	})
	route(a, http.MethodPost, "/standing/round", "standing-round", "Judge everybody now instead of at night", staff.SegmentsWrite, func(ctx context.Context, _ *nothing) (*nothing, error) {
		return nil, a.change(ctx, "judge", "standing_scheme", workspaceOf(ctx), func(ctx context.Context) error { return s.Restart(ctx, workspaceOf(ctx)) })
	}, noContent)
	route(a, http.MethodGet, "/people/{id}/standing", "person-standing", "How somebody stands, and why", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[PersonStanding], error) {
		r, err := s.Of(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return answer(standingShape(r)), a.saw(ctx, r.Person)
	})
	type level struct {
		Service string `json:"service" enum:"high,low,tech," doc:"empty: the scheme decides"`
	}
	route(a, http.MethodPut, "/people/{id}/service", "person-service", "Decide how personally somebody is looked after", staff.PeopleWrite, func(ctx context.Context, in *inAt[level]) (*body[PersonStanding], error) {
		r, err := changed(ctx, a, "service", "person", func(r standing.Row) string { return r.Person }, func(ctx context.Context) (standing.Row, error) {
			return s.SetService(ctx, workspaceOf(ctx), in.ID, standing.Level(in.Body.Service))
		})
		if err != nil {
			return nil, err
		}
		return answer(standingShape(r)), nil
	})
}
