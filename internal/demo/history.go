package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
)

// History yields what the sample's customers did in the Days before end, in the order of time. topics are the names of
// what they can subscribe to.
func History(customers int, end time.Time, shop Shop) importer.Reader {
	h := &history{}
	for n := range customers {
		h.live(newCustomer(n, shop), end)
	}
	slices.SortStableFunc(h.events, func(a, b timed) int { return a.at.Compare(b.at) })
	return h
}

const (
	leavingCustomers = 30
	leavingEvery     = 40 * time.Second
	visitLength      = 4 * time.Minute // from the first page to the order, about
)

type timed struct {
	at    time.Time
	event map[string]any
}

type history struct {
	events []timed
	next   int
}

// Len is the number of events that the history holds.
func (h *history) Len() int { return len(h.events) }

// Next implements importer.Reader.
func (h *history) Next() (importer.Row, error) {
	if h.next == len(h.events) {
		return importer.Row{}, io.EOF
	}
	e := h.events[h.next]
	h.next++
	raw, err := json.Marshal(e.event)
	return importer.Row{Line: h.next, End: int64(h.next), Event: raw, Raw: string(raw), Err: err}, nil
}

// live plays one customer's ninety days.
func (h *history) live(c *customer, end time.Time) {
	begin := end.Add(-Days * 24 * time.Hour)
	n := 0
	emit := func(at time.Time, event map[string]any) {
		n++
		event["messageId"] = fmt.Sprintf("demo-%04d-%04d", c.n, n)
		event["timestamp"] = at.UTC().Format(time.RFC3339Nano)
		if at.Before(end) {
			h.events = append(h.events, timed{at, event})
		}
	}
	// A third of the customers came once or twice and stayed away. The only order of the leaving ones lies ninety days back to the
	// minute, one after the other: while the demonstration runs they become lapsed customers before the reader's eyes.
	leaving := c.n < leavingCustomers
	lapsed := leaving || c.loyalty < 0.33
	// Half of the others were there when the history begins, the rest came along in the course of it; whoever is loyal comes by every week.
	first := begin.Add(c.within((Days - 1) * 24 * time.Hour))
	if c.rng.IntN(2) == 0 {
		first = begin.Add(c.within(10 * 24 * time.Hour))
	}
	until, visits := end, 1+int(c.loyalty*float64(end.Sub(first)/(8*24*time.Hour)))
	switch {
	case leaving:
		visits = 1
		first = begin.Add(time.Duration(c.n)*leavingEvery - visitLength)
	case lapsed:
		visits = 1 + c.rng.IntN(2)
		first = begin.Add(c.within(20 * 24 * time.Hour))
		until = first.Add(5 * 24 * time.Hour)
	}
	times := []time.Time{first}
	for range visits - 1 {
		times = append(times, first.Add(c.within(until.Sub(first))))
	}
	slices.SortFunc(times, time.Time.Compare)
	v := &visit{c: c, emit: emit}
	orders := 0
	for i, at := range times {
		v.at = at
		v.bought = func(at time.Time, order string, total float64) {
			if c.rng.Float64() < 0.05 {
				emit(at.Add(72*time.Hour), map[string]any{
					"type": "track", "event": "Order Refunded", "userId": c.user, "context": c.context(),
					"properties": map[string]any{"order_id": order, "total": total, "currency": c.market.currency},
				})
			}
		}
		p := v.browse()
		if !v.known && c.user != "" {
			v.signUp()
		}
		if leaving || c.rng.Float64() < 0.55 {
			v.addToCart(p)
			if v.known && (leaving || c.rng.Float64() < 0.65) {
				orders++
				v.order(p, orders)
			}
		}
		if v.known && c.topics != nil && !leaving {
			h.mail(v, emit, i)
		}
	}
}

// within is some time shorter than d.
func (c *customer) within(d time.Duration) time.Duration {
	return time.Duration(c.rng.Int64N(int64(d)))
}

// mail is what the tool before Kizuna reported of one newsletter, in the names of Segment's e-mail events.
func (h *history) mail(v *visit, emit func(time.Time, map[string]any), issue int) {
	at := v.at.Add(time.Duration(6+v.c.rng.IntN(60)) * time.Hour)
	report := func(name string, extra map[string]any) {
		properties := map[string]any{"email_id": fmt.Sprintf("news-%02d", issue+1), "email_subject": fmt.Sprintf("Aoba Tea letter %d", issue+1), "sent_by": "previous mail tool (sample)"}
		for k, val := range extra {
			properties[k] = val
		}
		emit(at, map[string]any{"type": "track", "event": name, "userId": v.c.user, "properties": properties, "context": v.c.context()})
	}
	report("Email Delivered", nil)
	if v.c.rng.Float64() < 0.3+0.4*v.c.loyalty {
		at = at.Add(time.Duration(1+v.c.rng.IntN(600)) * time.Minute)
		report("Email Opened", nil)
		if v.c.rng.Float64() < 0.35 {
			at = at.Add(time.Duration(5+v.c.rng.IntN(90)) * time.Second)
			report("Email Link Clicked", map[string]any{"link_url": "https://aoba-sample.example/tea/" + v.c.choose().id})
		}
	}
}
