package report

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/money"
)

// OverviewDays is how many days, today included, an overview looks back.
const OverviewDays = 30

// Overview is how a workspace is doing.
type Overview struct {
	People  int64            // after merges
	Events  int64            // what people did: track, page and screen calls
	Latest  time.Time        // newest of these, zero if there is none
	Parked  int64            // people who cannot go on in a journey until someone mends something
	Orders  int64            // of all time
	Revenue map[string]int64 // of all orders, before refunds, minor units by currency
	Days    []Day            // the last OverviewDays days, oldest first, none left out
	At      time.Time
}

// Day is one day of the workspace, by the calendar of its zone.
type Day struct {
	Date         time.Time // when it begins; an hour shorter or longer than others where clocks change
	Events       int64
	Active       int64 // different people who did something
	Sent         int64 // messages
	Refused      int64
	Bounced      int64
	Opened       int64
	Clicked      int64
	Unsubscribed int64
	Entered      int64            // journeys entered
	Goals        int64            // journey goals reached
	Orders       int64            // Order Completed events
	Revenue      map[string]int64 // of these, minor units by currency
}

// Overview reports on the workspace. Days are counted by when things happened, so late events change past days.
func (s *Service) Overview(ctx context.Context, ws string) (Overview, error) {
	now := s.c.Clock.Now()
	out := Overview{At: now}
	stats, err := s.c.Events.Stats(ctx, ws)
	if err != nil {
		return Overview{}, err
	}
	out.People, out.Events, out.Latest = stats.People, stats.Events, stats.LastTime
	if out.Parked, err = s.c.Journeys.Parked(ctx, ws); err != nil {
		return Overview{}, err
	}
	zone, err := s.c.Zone(ctx, ws)
	if err != nil {
		return Overview{}, err
	}
	p := overviewPeriod(now, zone)
	for _, start := range p.Days() {
		out.Days = append(out.Days, Day{Date: start.In(zone), Revenue: map[string]int64{}})
	}
	if err := s.countDays(ctx, ws, p, out.Days); err != nil {
		return Overview{}, err
	}
	if err := s.sumOrders(ctx, ws, p, out.Days); err != nil {
		return Overview{}, err
	}
	out.Orders, out.Revenue, err = s.allOrders(ctx, ws)
	return out, err
}

func overviewPeriod(now time.Time, zone *time.Location) Period {
	today := now.In(zone)
	return periodOf(today.AddDate(0, 0, 1-OverviewDays), today.AddDate(0, 0, 1), zone)
}

// orderSums are the columns that add up orders by currency. Amounts are added as whole thousandths, which every currency's minor unit
// divides, so that no sum depends on its order; what is no amount at all is left out.
const (
	orderSums = `COALESCE(currency, ''), COUNT(*), CAST(SUM(` + thousandths + `) AS BIGINT)`
	// thousandths rounds half away from zero, by hand: engines differ in what ROUND does with a half.
	thousandths = `CAST(SIGN(COALESCE(total, 0)) * FLOOR(ABS(COALESCE(total, 0)) * 1000 + 0.5) AS BIGINT)`
	orders      = ` AND type = 'track' AND name = ? AND (total IS NULL OR ABS(total) < 1e12)`
)

func (s *Service) allOrders(ctx context.Context, ws string) (n int64, revenue map[string]int64, err error) {
	revenue = map[string]int64{}
	rows, err := s.c.Events.Query(ctx, `SELECT `+orderSums+` FROM event WHERE ws = ?`+orders+` GROUP BY 1`, []any{ws, event.OrderCompleted})
	if err != nil {
		return 0, nil, fmt.Errorf("sum orders: %w", err)
	}
	for _, r := range rows {
		count, err := addOrders(r, revenue)
		if err != nil {
			return 0, nil, err
		}
		n += count
	}
	return n, revenue, nil
}

// addOrders reads a row of orderSums.
func addOrders(row []any, revenue map[string]int64) (n int64, err error) {
	code, _ := row[0].(string)
	if n, err = integer(row[1]); err != nil {
		return 0, err
	}
	thousandths, err := integer(row[2])
	if err != nil || thousandths == 0 {
		return n, err
	}
	currency := money.Currency(code)
	revenue[currency] += fromThousandths(thousandths, money.Exponent(currency))
	return n, nil
}

// between is the condition of all day queries. Its arguments are the workspace and the ends of the time.
const between = ` FROM event WHERE ws = ? AND time >= ? AND time < ?`

func span(ws string, p Period) []any {
	return []any{ws, p.From.UnixMicro(), p.To.UnixMicro()}
}

// dayNumber is the expression that numbers the days of a column of times, from 0. Days differ in length, so it compares with the start of each.
func dayNumber(column string, days []time.Time) string {
	if len(days) == 1 {
		return "CAST(0 AS INTEGER)"
	}
	var b strings.Builder
	b.WriteString("CASE")
	for i := 1; i < len(days); i++ {
		fmt.Fprintf(&b, " WHEN %s < %d THEN %d", column, days[i].UnixMicro(), i-1)
	}
	fmt.Fprintf(&b, " ELSE %d END", len(days)-1)
	return b.String()
}

// at finds the day that a row's first column numbers.
func at(days []Day, v any) (*Day, error) {
	i, err := integer(v)
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(days)) {
		return nil, fmt.Errorf("a figure of day %d lies outside the %d days asked for", i, len(days))
	}
	return &days[i], nil
}

// told are the events that the figures of a day count, by the name of the figure.
var told = map[string]string{
	"sent": event.MessageSent, "refused": event.MessageRefused, "bounced": event.MessageBounced, "opened": event.MessageOpened, "clicked": event.MessageClicked,
	"unsubscribed": event.MessageUnsubscribed, "journeys_entered": event.JourneyEntered, "journey_goals": event.JourneyGoal,
}

func (s *Service) countDays(ctx context.Context, ws string, p Period, days []Day) error {
	number := dayNumber("time", p.Days())
	counts := map[string]func(d *Day) *int64{
		event.MessageSent:         func(d *Day) *int64 { return &d.Sent },
		event.MessageRefused:      func(d *Day) *int64 { return &d.Refused },
		event.MessageBounced:      func(d *Day) *int64 { return &d.Bounced },
		event.MessageOpened:       func(d *Day) *int64 { return &d.Opened },
		event.MessageClicked:      func(d *Day) *int64 { return &d.Clicked },
		event.MessageUnsubscribed: func(d *Day) *int64 { return &d.Unsubscribed },
		event.JourneyEntered:      func(d *Day) *int64 { return &d.Entered },
		event.JourneyGoal:         func(d *Day) *int64 { return &d.Goals },
	}
	rows, err := s.c.Events.Query(ctx, `SELECT `+number+`, name, COUNT(DISTINCT COALESCE(outbox_id, message_id))`+between+
		` AND type IN ('message', 'journey') AND NOT (type = 'message' AND `+byMachine+`) GROUP BY 1, 2`, span(ws, p))
	if err != nil {
		return fmt.Errorf("count messages and journeys by day: %w", err)
	}
	for _, r := range rows {
		d, err := at(days, r[0])
		if err != nil {
			return err
		}
		name, _ := r[1].(string)
		if to := counts[name]; to != nil {
			if *to(d), err = integer(r[2]); err != nil {
				return err
			}
		}
	}
	rows, err = s.c.Events.Query(ctx, `SELECT `+number+`, COUNT(*), COUNT(DISTINCT person)`+between+
		` AND type IN ('track', 'page', 'screen') GROUP BY 1`, span(ws, p))
	if err != nil {
		return fmt.Errorf("count events by day: %w", err)
	}
	for _, r := range rows {
		d, err := at(days, r[0])
		if err != nil {
			return err
		}
		if d.Events, err = integer(r[1]); err != nil {
			return err
		}
		if d.Active, err = integer(r[2]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) sumOrders(ctx context.Context, ws string, p Period, days []Day) error {
	rows, err := s.c.Events.Query(ctx, `SELECT `+dayNumber("time", p.Days())+`, `+orderSums+between+orders+` GROUP BY 1, 2`, append(span(ws, p), event.OrderCompleted))
	if err != nil {
		return fmt.Errorf("sum orders by day: %w", err)
	}
	for _, r := range rows {
		d, err := at(days, r[0])
		if err != nil {
			return err
		}
		n, err := addOrders(r[1:], d.Revenue)
		if err != nil {
			return err
		}
		d.Orders += n
	}
	return nil
}

// fromThousandths rounds to minor units, half away from zero.
func fromThousandths(n int64, exponent int) int64 {
	unit := int64(1)
	for range 3 - exponent {
		unit *= 10
	}
	if n < 0 {
		return (n - unit/2) / unit
	}
	return (n + unit/2) / unit
}

// integer reads a whole number in whichever type the event store's driver gives it.
func integer(v any) (int64, error) {
	switch x := v.(type) {
	case int64:
		return x, nil
	case int32:
		return int64(x), nil
	case int:
		return int64(x), nil
	case uint64:
		return int64(x), nil
	case float64:
		return int64(x), nil
	case *big.Int:
		return x.Int64(), nil
	case nil:
		return 0, nil
	}
	return 0, fmt.Errorf("a figure has the type %T", v)
}
