package report

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/money"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// reachFigures are the figures of a summary that count the people of messages.
var reachFigures = map[string]outbox.Metric{
	"asked": outbox.MetricAudience, "reached": outbox.MetricDelivered, "opened": outbox.MetricOpened, "clicked": outbox.MetricClicked,
}

// SummaryPeople lists who is behind a figure of the summary of a period: asked, reached, opened, clicked, active_people and new_people have a row a
// person; orders a row an order; earned a row whatever was earned or taken back; credited a row whatever was credited, of a kind of source and of one
// source if they are named.
func (s *Service) SummaryPeople(ctx context.Context, ws, from, to, figure, kind, source string, p page.Request) (page.Of[Person], error) {
	zone, err := s.c.Zone(ctx, ws)
	if err != nil {
		return page.Of[Person]{}, err
	}
	period, err := ParsePeriod(from, to, s.c.Clock.Now(), zone)
	if err != nil {
		return page.Of[Person]{}, err
	}
	if m, ok := reachFigures[figure]; ok {
		return s.often(ctx, ws, Scope{From: period.From, To: period.To}, m, 1, 0, p)
	}
	if figure == "credited" || figure == "refunded" {
		return s.credited(ctx, ws, Credits{Scope: Scope{Kind: kind, Source: source}, From: period.From, To: period.To, Refunded: figure == "refunded"}, p)
	}
	return s.periodPeople(ctx, ws, period, figure, p)
}

// OverviewPeople lists who is behind a figure of one of the days of an overview, or of all of them if day is empty; orders are then those of all time.
func (s *Service) OverviewPeople(ctx context.Context, ws, day, figure string, p page.Request) (page.Of[Person], error) {
	zone, err := s.c.Zone(ctx, ws)
	if err != nil {
		return page.Of[Person]{}, err
	}
	period := overviewPeriod(s.c.Clock.Now(), zone)
	if day != "" {
		if period, err = ParsePeriod(day, day, s.c.Clock.Now(), zone); err != nil {
			return page.Of[Person]{}, err
		}
	}
	if name := told[figure]; name != "" {
		// A message that was opened on two days counts on both, as the days do.
		return s.happenings(ctx, ws, `SELECT ANY_VALUE(person) AS who, MIN(time) AS moment, COALESCE(outbox_id, message_id) AS id, 0 AS amount, '' AS code, '' AS what, ANY_VALUE(outbox_id) AS message`+
			between+` AND type IN ('message', 'journey') AND name = ? AND NOT (type = 'message' AND `+byMachine+`) GROUP BY `+dayNumber("time", period.Days())+`, COALESCE(outbox_id, message_id)`,
			append(span(ws, period), name), p)
	}
	if figure == "orders" && day == "" {
		return s.happenings(ctx, ws, orderRows+` FROM event WHERE ws = ?`+orders, []any{ws, event.OrderCompleted}, p)
	}
	return s.periodPeople(ctx, ws, period, figure, p)
}

// Columns of happenings: who, when, which, how much in thousandths of which currency, in which sense, by which message.
const (
	orderRows = `SELECT person AS who, time AS moment, message_id AS id, ` + thousandths + ` AS amount, COALESCE(currency, '') AS code, '' AS what, '' AS message`
	backRows  = `SELECT person AS who, time AS moment, message_id AS id, -` + thousandths + ` AS amount, COALESCE(currency, '') AS code, 'refunded' AS what, '' AS message`
	// lostRows are the orders that cancelled adds up.
	lostRows = `SELECT who, moment, id, -GREATEST(whole - back, 0) AS amount, code, 'cancelled' AS what, '' AS message FROM (
		SELECT ANY_VALUE(person) AS who, MAX(time) FILTER (WHERE name = ? AND time >= ? AND time < ?) AS moment, order_id AS id, COALESCE(ANY_VALUE(currency) FILTER (WHERE name = ?), '') AS code,
			MAX(` + thousandths + `) FILTER (WHERE name = ?) AS whole, COALESCE(SUM(` + thousandths + `) FILTER (WHERE name = ?), 0) AS back
		FROM event WHERE ws = ? AND type = 'track' AND name IN (?, ?, ?) AND (total IS NULL OR ABS(total) < 1e12) AND order_id IN (
			SELECT order_id FROM event WHERE ws = ? AND time >= ? AND time < ? AND type = 'track' AND name = ?)
		GROUP BY order_id) AS taken_back WHERE whole > 0`
)

// periodPeople lists who is behind a figure that events count.
func (s *Service) periodPeople(ctx context.Context, ws string, period Period, figure string, p page.Request) (page.Of[Person], error) {
	in := span(ws, period)
	from, to := in[1], in[2]
	switch figure {
	case "active_people":
		return s.numbers(ctx, ws, `SELECT person, MAX(time), '', ''`+between+` AND type IN ('track', 'page', 'screen') AND person > ? GROUP BY person ORDER BY person`, in, "", p)
	case "new_people":
		return s.numbers(ctx, ws, `SELECT num, first_seen, '', ''`+met+` AND num > ? ORDER BY num`, in, "", p)
	case "events":
		found, err := s.happenings(ctx, ws, `SELECT person AS who, time AS moment, message_id AS id, 0 AS amount, '' AS code, COALESCE(NULLIF(name, ''), type) AS what, '' AS message`+
			between+` AND type IN ('track', 'page', 'screen')`, in, p)
		for i := range found.Items {
			found.Items[i].Event, found.Items[i].State = found.Items[i].State, ""
		}
		return found, err
	case "orders":
		return s.happenings(ctx, ws, orderRows+between+orders, append(in, event.OrderCompleted), p)
	case "earned":
		args := append(in, event.OrderCompleted, ws, from, to, event.OrderRefunded,
			event.OrderCancelled, from, to, event.OrderCompleted, event.OrderCompleted, event.OrderRefunded, ws, event.OrderCompleted, event.OrderRefunded, event.OrderCancelled,
			ws, from, to, event.OrderCancelled)
		return s.happenings(ctx, ws, `SELECT * FROM (`+strings.Join([]string{orderRows + between + orders, backRows + between + orders, lostRows}, ` UNION ALL `)+`) AS money WHERE amount <> 0`, args, p)
	}
	return page.Of[Person]{}, errs.Invalid("report.figure", "figure", "there is no figure %q with people behind it; use the name of a figure of this report", figure)
}

// numbers makes a page of people out of a query for number, time, message and node that begins after the number of its last argument, ascending.
func (s *Service) numbers(ctx context.Context, ws, query string, args []any, state string, p page.Request) (page.Of[Person], error) {
	after := int64(-1)
	if _, err := page.Decode(p.Cursor, &after); err != nil {
		return page.Of[Person]{}, err
	}
	rows, err := s.c.Events.Query(ctx, query+` LIMIT `+fmt.Sprint(p.Size()+1), append(args, after))
	if err != nil {
		return page.Of[Person]{}, fmt.Errorf("people behind a figure: %w", err)
	}
	return s.numbered(ctx, ws, rows, state, p)
}

// happenings makes a page of what happened, latest first, out of a query for the columns of orderRows.
func (s *Service) happenings(ctx context.Context, ws, query string, args []any, p page.Request) (page.Of[Person], error) {
	moment, id := int64(math.MaxInt64), ""
	if _, err := page.Decode(p.Cursor, &moment, &id); err != nil {
		return page.Of[Person]{}, err
	}
	rows, err := s.c.Events.Query(ctx, `SELECT CAST(who AS BIGINT), moment, id, CAST(amount AS BIGINT), code, what, COALESCE(message, '') FROM (`+query+`) AS happened
		WHERE moment < ? OR moment = ? AND id < ? ORDER BY moment DESC, id DESC LIMIT `+fmt.Sprint(p.Size()+1), append(args, moment, moment, id))
	if err != nil {
		return page.Of[Person]{}, fmt.Errorf("what is behind a figure: %w", err)
	}
	type line struct {
		num     int64
		id      string
		Person  Person
		moments int64
	}
	lines := make([]line, len(rows))
	for i, r := range rows {
		var amount int64
		if err := integers([]any{r[0], r[1], r[3]}, &lines[i].num, &lines[i].moments, &amount); err != nil {
			return page.Of[Person]{}, err
		}
		lines[i].id, _ = r[2].(string)
		code, _ := r[4].(string)
		x := &lines[i].Person
		x.At = time.UnixMicro(lines[i].moments).UTC()
		x.State, _ = r[5].(string)
		x.Message, _ = r[6].(string)
		if amount != 0 {
			x.Currency = money.Currency(code)
			x.Amount = fromThousandths(amount, money.Exponent(x.Currency))
		}
	}
	found := page.Cut(lines, p.Size(), func(l line) string { return page.Encode(l.moments, l.id) })
	nums := make([]uint64, len(found.Items))
	for i, l := range found.Items {
		nums[i] = uint64(l.num)
	}
	ids, err := s.c.People.IDs(ctx, ws, nums)
	if err != nil {
		return page.Of[Person]{}, err
	}
	out := page.Of[Person]{Items: make([]Person, len(nums)), Next: found.Next}
	for i, l := range found.Items {
		out.Items[i] = l.Person
		out.Items[i].PersonID = ids[nums[i]]
	}
	return out, nil
}

// often lists the people with at least so many messages of the scope that count for a metric, and at most so many; 0: any number.
func (s *Service) often(ctx context.Context, ws string, sc Scope, m outbox.Metric, least, most int64, p page.Request) (page.Of[Person], error) {
	found, err := s.c.Store.Often(ctx, ws, sc, m, least, most, p)
	out := page.Of[Person]{Items: make([]Person, len(found.Items)), Next: found.Next}
	for i, x := range found.Items {
		out.Items[i] = Person{PersonID: x.PersonID, At: x.Latest, Times: x.Messages}
	}
	return out, err
}

// credited lists what was credited.
func (s *Service) credited(ctx context.Context, ws string, c Credits, p page.Request) (page.Of[Person], error) {
	found, err := s.c.Store.Credits(ctx, ws, c, p)
	out := page.Of[Person]{Items: make([]Person, len(found.Items)), Next: found.Next}
	for i, x := range found.Items {
		amount := x.Minor - x.Refunded
		if c.Refunded {
			amount = x.Refunded
		}
		out.Items[i] = Person{PersonID: x.PersonID, At: x.At, Message: x.MessageID, Node: x.Source.Node, Amount: amount, Currency: x.Currency}
	}
	return out, err
}

// ConflictPeople lists who is in the audiences of two entries of the plan, each named by the id of its campaign or series.
func (s *Service) ConflictPeople(ctx context.Context, ws, a, b string, p page.Request) (page.Of[Person], error) {
	nums, err := s.c.Calendar.Both(ctx, ws, a, b, p)
	if err != nil {
		return page.Of[Person]{}, err
	}
	ids, err := s.c.People.IDs(ctx, ws, nums.Items)
	out := page.Of[Person]{Items: make([]Person, len(nums.Items)), Next: nums.Next}
	for i, n := range nums.Items {
		out.Items[i] = Person{PersonID: ids[n]}
	}
	return out, err
}

// PressedPeople lists who was sent between least and most messages (0: no limit) in the days from and to, both included.
func (s *Service) PressedPeople(ctx context.Context, ws, from, to string, least, most int64, p page.Request) (page.Of[Person], error) {
	zone, err := s.c.Zone(ctx, ws)
	if err != nil {
		return page.Of[Person]{}, err
	}
	period, err := ParsePeriod(from, to, s.c.Clock.Now(), zone)
	if err != nil {
		return page.Of[Person]{}, err
	}
	return s.often(ctx, ws, Scope{From: period.From, To: period.To}, outbox.MetricSent, max(least, 1), most, p)
}
