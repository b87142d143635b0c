package leaf

import (
	"math"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Order asks about orders, refunds taken off: {"agg": "sum", "op": "gt", "value": 200, "status": "completed", "filter": [...], "window": ...}.
// See the package comment for what an order and a refund are. Sums take amounts as they were sent, whatever the currency;
// filter by currency where there are several.
func Order() Spec {
	return Spec{Kind: "order", Title: "Ordered", Parse: parseOrder, Schema: orderSchema}
}

var (
	orderAggs     = []string{"count", "sum", "aov", "days_since_last"}
	orderStatuses = []string{"completed", "refunded", "any"}
)

type order struct {
	agg    string
	status string
	cond   Cond
	orders pick
	// refunds and cancellations lower their order; loose ones name none.
	refunds pick
	loose   bool // whether refunds without an order lower the sum
}

func parseOrder(in Input) (Leaf, error) {
	f := in.fields("agg", "status", "filter", "op", "value", "window")
	l := &order{agg: f.choice("agg", "count", orderAggs), status: f.choice("status", "completed", orderStatuses)}
	l.cond = f.figure(l.agg)
	l.orders = pick{name: event.OrderCompleted, typ: event.Track, filters: f.filters("filter"), window: f.window()}
	l.refunds = pick{name: event.OrderRefunded, also: event.OrderCancelled, typ: event.Track, window: Window{kind: 'e'}}
	l.loose = l.status == "completed" && len(l.orders.filters) == 0
	return l, f.err
}

func (l *order) kind() figureKind {
	switch l.agg {
	case "sum":
		return aSum
	case "aov":
		return aRatio
	case "days_since_last":
		return aNum
	}
	return aCount
}

func (l *order) Ask(d Dialect, ws string, at time.Time) Question {
	now := at.UnixMicro()
	q := &SQL{}
	q.Add("SELECT person, sum(one) AS n, ")
	switch l.agg {
	case "count":
		q.Add("sum(one) AS v")
	case "days_since_last":
		d.Days(q, "max(time)", now)
		q.Add(" AS v")
	default:
		q.Add("sum(amount) AS v")
	}
	q.Add(" FROM (SELECT o.person AS person, o.time AS time, 1 AS one, ")
	if l.status == "completed" {
		q.Add("o.total - coalesce(r.back, 0)")
	} else {
		q.Add("o.total")
	}
	q.Add(" AS amount FROM (SELECT person, named, k, max(time) AS time, ")
	d.Last(q, "total")
	q.Add(" AS total FROM (SELECT person, order_id IS NOT NULL AS named, coalesce(order_id, message_id) AS k, time, seq, idx, coalesce(")
	d.Micro(q, "total")
	q.Add(", 0) AS total")
	l.orders.from(q, d, ws)
	l.orders.where(q, d, ws, now)
	q.Add(") AS sent GROUP BY person, named, k) AS o LEFT JOIN (SELECT person, order_id AS k, coalesce(sum(")
	d.Micro(q, "total")
	q.Add("), 0) AS back, count(*) > count(CASE WHEN name = ").Arg(event.OrderCancelled).Add(" THEN NULL ELSE total END) AS whole, true AS named FROM event")
	l.refunds.where(q, d, ws, now)
	q.Add(" AND order_id IS NOT NULL GROUP BY person, order_id) AS r ON r.person = o.person AND r.named = o.named AND r.k = o.k")
	switch full := "coalesce(r.whole OR r.back >= o.total, false)"; l.status {
	case "completed":
		q.Add(" WHERE NOT ", full)
	case "refunded":
		q.Add(" WHERE ", full)
	}
	if l.loose {
		q.Add(" UNION ALL SELECT person, NULL, 0, -coalesce(")
		d.Micro(q, "total")
		q.Add(", 0)")
		loose := l.refunds
		loose.window = l.orders.window
		loose.from(q, d, ws)
		loose.where(q, d, ws, now)
		q.Add(" AND order_id IS NULL")
	}
	q.Add(") AS each_order GROUP BY person")
	return decide(q, d, l.kind(), l.cond, ws, now)
}

// sale is one order of a person.
type sale struct {
	at    int64
	total int64 // in millionths
	key   string
	id    string // order_id, empty if it has none
}

// refunded is what came back of an order.
type refunded struct {
	back  wide
	whole bool
}

func (l *order) Eval(s *Subject, now time.Time) Result {
	var sales, loose []sale
	var bounds []int64
	refunds := map[string]refunded{}
	cond, within := l.cond.of(s), l.orders.window.reach(s)
	for i := range s.Events {
		e := &s.Events[i]
		if !l.orders.has(s, i) && !l.refunds.has(s, i) {
			continue
		}
		p := s.promoted(i)
		sl := sale{at: e.Time.UnixMicro(), key: "m" + e.MessageID, id: p.OrderID}
		if sl.id != "" {
			sl.key = "o" + sl.id
		}
		if p.HasTotal {
			sl.total, _ = micro(p.Total)
		}
		if e.Name != event.OrderCompleted && sl.id != "" {
			r := refunds[sl.id]
			refunds[sl.id] = refunded{r.back.add(sl.total), r.whole || !p.HasTotal || e.Name == event.OrderCancelled}
			continue
		}
		if !within.has(s, i) {
			continue
		}
		if e.Name == event.OrderCompleted {
			sales = append(sales, sl)
		} else {
			loose = append(loose, sl)
		}
		bounds = l.orders.window.bounds(bounds, sl.at)
		if l.agg == "days_since_last" {
			bounds = dayBounds(bounds, cond, sl.at)
		}
	}
	return until(now.UnixMicro(), bounds, func(at int64) bool {
		return l.figure(sales, loose, refunds, at).match(cond, at)
	})
}

// dayBounds adds the moments at which the days since t pass a value of the rule.
func dayBounds(into []int64, c Cond, t int64) []int64 {
	for _, v := range c.Vals {
		d := int64(math.Floor(min(max(v.num, -1), 1e6)))
		into = append(into, t+d*day, t+(d+1)*day)
	}
	return into
}

func (l *order) figure(sales, loose []sale, refunds map[string]refunded, now int64) figure {
	g := figure{kind: l.kind()}
	// Of the events of one order the latest counts.
	latest := map[string]sale{}
	for _, sl := range sales {
		if l.orders.window.has(sl.at, now) {
			latest[sl.key] = sl
		}
	}
	var last int64
	for _, sl := range latest {
		total := wide{}.add(sl.total)
		full, back := false, wide{}
		if r, ok := refunds[sl.id]; ok && sl.id != "" {
			full, back = r.whole || r.back.compare(total) >= 0, r.back
		}
		switch l.status {
		case "completed":
			if full {
				continue
			}
			total = total.plus(back.neg())
		case "refunded":
			if !full {
				continue
			}
		}
		if g.n == 0 || sl.at > last {
			last = sl.at
		}
		g.n++
		g.sum = g.sum.plus(total)
	}
	if l.loose {
		for _, sl := range loose {
			if l.orders.window.has(sl.at, now) {
				g.sum = g.sum.add(-sl.total)
			}
		}
	}
	switch l.agg {
	case "count":
		g.num = float64(g.n)
	case "days_since_last":
		g.num = float64(max(now-last, 0) / day)
	}
	return g
}

func (l *order) Needs() Needs {
	n := l.orders.needs()
	n.Windowed = n.Windowed || l.agg == "days_since_last"
	refunds := l.refunds
	refunds.window = l.orders.window // those of orders that count
	m := refunds.needs()
	m.Windowed = false
	n.Fields = append(n.Fields, l.cond.fields()...)
	n.Endless = true // an order is the first event with its id
	return n.and(m)
}

func orderSchema() Schema {
	count := Schema{"properties": map[string]Schema{"agg": enum("count")}, "allOf": []Schema{countSchema()}}
	other := Schema{"properties": map[string]Schema{"agg": enum("sum", "aov", "days_since_last")}, "required": []string{"agg"}, "allOf": []Schema{ref("figure")}}
	return object(map[string]Schema{
		"agg": enum(orderAggs...), "status": enum(orderStatuses...), "filter": ref("filters"),
		"op": enum(numericOps...), "value": {}, "window": ref("window"),
	}).with(anyOf(count, other))
}
