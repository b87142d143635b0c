package report

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Summary is how a period went, for those who have one minute: how many people were reached and were active, what was earned and by what,
// whether mail still arrives, and what is not as it was.
type Summary struct {
	Period, Previous Period
	Now, Before      SummaryFigures
	Revenue          []SourceRevenue // what was credited in the period, most orders first
	Health           []Health        // of all mail, then of domains that are not well
	Anomalies        []Anomaly
}

// SummaryFigures are the figures of a period.
type SummaryFigures struct {
	Messages MessageFigures // that were meant to go in the period
	Reach    Reach
	Active   int64            // different people who did something
	New      int64            // people seen for the first time
	Events   int64            // what people did
	Orders   int64            // Order Completed events
	Earned   map[string]int64 // of these, less what was refunded in the period; minor units by currency
	Credited map[string]int64 // of what was earned, credited to messages
}

// Reach counts different people.
type Reach struct {
	Asked     int64 // somebody wanted to write to them
	Delivered int64
	Opened    int64 // by themselves
	Clicked   int64
}

// SourceRevenue is what one campaign or journey was credited with. All kinds but these stand for themselves.
type SourceRevenue struct {
	Kind     string
	ID       string
	Name     string // empty: gone, or no campaign or journey
	Orders   int64
	Net      map[string]int64 // minor units by currency, refunds taken off
	Refunded map[string]int64
}

// HealthStatus says how a share stands to what mailbox providers bear.
type HealthStatus string

// The statuses.
const (
	Well    HealthStatus = "well"
	Watch   HealthStatus = "watch"
	Act     HealthStatus = "act"
	Unknown HealthStatus = "too_few"
)

// Health is one sign of whether mail still arrives.
type Health struct {
	Figure string // bounce_rate or complaint_rate
	Domain string // of recipients; empty: all
	Rate   Rate
	Watch  float64
	Act    float64
	Status HealthStatus
}

// Limits of shares. Complaints: what Google and Yahoo ask of bulk senders since 2024, below 0.1 % and never 0.3 % (support.google.com/mail/answer/81126).
// Bounces: where Amazon SES begins a review and where it stops an account (docs.aws.amazon.com/ses, "Reputation dashboard").
const (
	watchComplaints, actComplaints = 0.001, 0.003
	watchBounces, actBounces       = 0.05, 0.10
	minHealth                      = 100 // messages
)

// Anomaly is a figure that is not as it was, by more than chance and by enough to matter.
type Anomaly struct {
	Figure      string
	Now, Before float64 // shares, or means of a day
	Relative    float64 // (Now - Before) / Before; 0 if Before is 0
	Sigmas      float64 // how many standard errors lie between
}

const (
	// minSigmas keeps a dozen figures that are looked at together from raising false alarms: about one in thirty reports.
	minSigmas = 3
	// matters is how much a figure must have changed to be worth a word.
	matters = 0.10
	minDays = 7 // of means of days
)

// Summary reports on the days from and to, both included; see ParsePeriod.
func (s *Service) Summary(ctx context.Context, ws, from, to string) (Summary, error) {
	zone, err := s.c.Zone(ctx, ws)
	if err != nil {
		return Summary{}, err
	}
	p, err := ParsePeriod(from, to, s.c.Clock.Now(), zone)
	if err != nil {
		return Summary{}, err
	}
	out := Summary{Period: p, Previous: p.Previous()}
	var now, before map[string][]float64
	if out.Now, now, err = s.summarise(ctx, ws, p); err != nil {
		return Summary{}, err
	}
	if out.Before, before, err = s.summarise(ctx, ws, out.Previous); err != nil {
		return Summary{}, err
	}
	if out.Revenue, err = s.revenue(ctx, ws, p); err != nil {
		return Summary{}, err
	}
	if out.Health, err = s.health(ctx, ws, p, out.Now.Messages); err != nil {
		return Summary{}, err
	}
	out.Anomalies = anomalies(out.Now, out.Before, now, before)
	return out, nil
}

// summarise returns the figures of a period, and those that are judged by their days day by day.
func (s *Service) summarise(ctx context.Context, ws string, p Period) (f SummaryFigures, daily map[string][]float64, err error) {
	scope := Scope{From: p.From, To: p.To}
	groups, err := s.c.Store.Groups(ctx, ws, scope, Whole)
	if err != nil {
		return f, nil, err
	}
	f.Messages = figures(groups[""])
	if f.Reach, err = s.c.Store.Reach(ctx, ws, scope); err != nil {
		return f, nil, err
	}
	credited, err := s.c.Store.Credited(ctx, ws, p.From, p.To)
	if err != nil {
		return f, nil, err
	}
	f.Earned, f.Credited = map[string]int64{}, map[string]int64{}
	for _, c := range credited {
		for currency, n := range c.Net {
			f.Credited[currency] += n
		}
	}
	span := []any{ws, p.From.UnixMicro(), p.To.UnixMicro()}
	rows, err := s.c.Events.Query(ctx, `SELECT COUNT(*), COUNT(DISTINCT person)`+between+` AND type IN ('track', 'page', 'screen')`, span)
	if err != nil {
		return f, nil, fmt.Errorf("count active people: %w", err)
	}
	if err := integers(rows[0], &f.Events, &f.Active); err != nil {
		return f, nil, err
	}
	rows, err = s.c.Events.Query(ctx, `SELECT COUNT(*)`+met, span)
	if err != nil {
		return f, nil, fmt.Errorf("count new people: %w", err)
	}
	if err := integers(rows[0], &f.New); err != nil {
		return f, nil, err
	}
	for _, part := range []struct {
		sign  int64
		query string
		args  []any
	}{
		{1, `SELECT ` + orderSums + between + orders + ` GROUP BY 1`, append(slices.Clone(span), event.OrderCompleted)},
		{-1, `SELECT ` + orderSums + between + orders + ` GROUP BY 1`, append(slices.Clone(span), event.OrderRefunded)},
		{-1, cancelled, append(slices.Clone(span), event.OrderCancelled, ws, event.OrderCompleted, event.OrderRefunded)},
	} {
		rows, err := s.c.Events.Query(ctx, part.query, part.args)
		if err != nil {
			return f, nil, fmt.Errorf("sum orders: %w", err)
		}
		for _, r := range rows {
			sums := map[string]int64{}
			n, err := addOrders(r, sums)
			if err != nil {
				return f, nil, err
			}
			if part.sign > 0 {
				f.Orders += n
			}
			for currency, minor := range sums {
				f.Earned[currency] += part.sign * minor
			}
		}
	}
	daily, err = s.daily(ctx, ws, p)
	return f, daily, err
}

// met is the condition of who was seen first in a time. Its arguments are those of between.
const met = ` FROM person WHERE ws = ? AND first_seen >= ? AND first_seen < ?`

// cancelled adds up by currency what orders that were cancelled in the period had brought and no refund gave back, whenever they were made: a
// cancellation counts for the whole order, and shops that also tell of the refund are not counted twice.
const cancelled = `SELECT COALESCE(currency, ''), COUNT(*), CAST(SUM(GREATEST(whole - back, 0)) AS BIGINT) FROM (
	SELECT order_id, ANY_VALUE(currency) FILTER (WHERE name = $6) AS currency,
		MAX(` + thousandths + `) FILTER (WHERE name = $6) AS whole, COALESCE(SUM(` + thousandths + `) FILTER (WHERE name = $7), 0) AS back
	FROM event WHERE ws = $5 AND type = 'track' AND name IN ($6, $7) AND (total IS NULL OR ABS(total) < 1e12) AND order_id IN (
		SELECT order_id FROM event WHERE ws = $1 AND time >= $2 AND time < $3 AND type = 'track' AND name = $4)
	GROUP BY order_id) AS taken_back WHERE whole > 0 GROUP BY 1`

// daily counts active people and orders of each day of the period.
func (s *Service) daily(ctx context.Context, ws string, p Period) (map[string][]float64, error) {
	days := p.Days()
	out := map[string][]float64{"active_people": make([]float64, len(days)), "new_people": make([]float64, len(days)), "orders": make([]float64, len(days))}
	rows, err := s.c.Events.Query(ctx, `SELECT `+dayNumber("time", days)+`, COUNT(DISTINCT person), COUNT(*) FILTER (WHERE type = 'track' AND name = ?)`+
		between+` AND type IN ('track', 'page', 'screen') GROUP BY 1`, []any{event.OrderCompleted, ws, p.From.UnixMicro(), p.To.UnixMicro()})
	if err != nil {
		return nil, fmt.Errorf("count days: %w", err)
	}
	for _, r := range rows {
		var day, active, orders int64
		if err := integers(r, &day, &active, &orders); err != nil {
			return nil, err
		}
		out["active_people"][day], out["orders"][day] = float64(active), float64(orders)
	}
	rows, err = s.c.Events.Query(ctx, `SELECT `+dayNumber("first_seen", days)+`, COUNT(*)`+met+` GROUP BY 1`, span(ws, p))
	if err != nil {
		return nil, fmt.Errorf("count new people by day: %w", err)
	}
	for _, r := range rows {
		var day, met int64
		if err := integers(r, &day, &met); err != nil {
			return nil, err
		}
		out["new_people"][day] = float64(met)
	}
	return out, nil
}

func integers(row []any, into ...*int64) (err error) {
	for i, to := range into {
		if *to, err = integer(row[i]); err != nil {
			return err
		}
	}
	return nil
}

// revenue names what was credited.
func (s *Service) revenue(ctx context.Context, ws string, p Period) ([]SourceRevenue, error) {
	out, err := s.c.Store.Credited(ctx, ws, p.From, p.To)
	if err != nil {
		return nil, err
	}
	for i := range out {
		switch r := &out[i]; r.Kind {
		case "campaign":
			c, err := s.c.Campaigns.Get(ctx, ws, r.ID)
			if err != nil && !errs.Is(err, errs.KindNotFound) {
				return nil, err
			}
			r.Name = c.Name
		case "journey":
			j, err := s.c.Journeys.Get(ctx, ws, r.ID)
			if err != nil && !errs.Is(err, errs.KindNotFound) {
				return nil, err
			}
			r.Name = j.Name
		}
	}
	slices.SortFunc(out, func(a, b SourceRevenue) int {
		return cmp.Or(cmp.Compare(b.Orders, a.Orders), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// health judges all mail, and names the domains that are not well.
func (s *Service) health(ctx context.Context, ws string, p Period, all MessageFigures) ([]Health, error) {
	out := judgeHealth("", all)
	domains, err := s.c.Store.Groups(ctx, ws, Scope{From: p.From, To: p.To, Channel: outbox.KindEmail}, ByDomain)
	if err != nil {
		return nil, err
	}
	var ill []Health
	for domain, c := range domains {
		for _, h := range judgeHealth(domain, figures(c)) {
			if domain != "" && (h.Status == Watch || h.Status == Act) {
				ill = append(ill, h)
			}
		}
	}
	slices.SortFunc(ill, func(a, b Health) int {
		return cmp.Or(cmp.Compare(b.Rate.N, a.Rate.N), cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Figure, b.Figure))
	})
	return append(out, ill[:min(len(ill), 20)]...), nil
}

func judgeHealth(domain string, f MessageFigures) []Health {
	out := []Health{
		{Figure: "bounce_rate", Domain: domain, Rate: f.Bounce, Watch: watchBounces, Act: actBounces},
		{Figure: "complaint_rate", Domain: domain, Rate: f.Complaint, Watch: watchComplaints, Act: actComplaints},
	}
	for i := range out {
		switch h := &out[i]; {
		case h.Rate.Of < minHealth:
			h.Status = Unknown
		case h.Rate.Share >= h.Act:
			h.Status = Act
		case h.Rate.Share >= h.Watch:
			h.Status = Watch
		default:
			h.Status = Well
		}
	}
	return out
}

// anomalies compares shares of messages by Newcombe's interval and figures of days by Welch's.
func anomalies(now, before SummaryFigures, days, past map[string][]float64) []Anomaly {
	var out []Anomaly
	note := func(figure string, a, b, sigmas float64) {
		x := Anomaly{Figure: figure, Now: a, Before: b, Sigmas: math.Abs(sigmas)}
		if b != 0 {
			x.Relative = (a - b) / b
		}
		if x.Sigmas >= minSigmas && (b == 0 || math.Abs(x.Relative) >= matters) {
			out = append(out, x)
		}
	}
	for _, figure := range []string{"delivery_rate", "bounce_rate", "complaint_rate", "unsubscribe_rate", "open_rate", "click_rate", "conversion_rate"} {
		a, b := targets[figure](now.Messages), targets[figure](before.Messages)
		if a.Of < minHealth || b.Of < minHealth {
			continue
		}
		d := ShareDifference(a, b)
		edge := d.Value - d.Low
		if d.Value < 0 {
			edge = d.High - d.Value
		}
		note(figure, a.Share, b.Share, d.Value/edge*z95)
	}
	for _, figure := range []string{"active_people", "new_people", "orders"} {
		a, b := days[figure], past[figure]
		if len(a) < minDays || len(b) < minDays {
			continue
		}
		x, u := meanOf(a)
		y, v := meanOf(b)
		if spread := math.Sqrt(u/float64(len(a)) + v/float64(len(b))); spread > 0 {
			note(figure, x, y, (x-y)/spread)
		} else if x != y {
			note(figure, x, y, math.MaxInt32)
		}
	}
	slices.SortFunc(out, func(a, b Anomaly) int {
		return cmp.Or(cmp.Compare(b.Sigmas, a.Sigmas), cmp.Compare(a.Figure, b.Figure))
	})
	return out
}

// meanOf returns mean and variance.
func meanOf(list []float64) (mean, variance float64) {
	for _, x := range list {
		mean += x
	}
	mean /= float64(len(list))
	for _, x := range list {
		variance += (x - mean) * (x - mean)
	}
	return mean, variance / float64(len(list)-1)
}
