package standing

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

// judged are the events of the product and of commerce that a judgement reads.
var judged = []string{event.OrderCompleted, event.OrderRefunded, event.OrderCancelled, event.MessageSent, event.MessageOpened, event.MessageClicked}

const (
	// leastSent and leastAnswers are how much has to be known before a channel or an hour is called the best.
	leastSent    = 3
	leastAnswers = 3
)

// facts is what a judgement rests on.
type facts struct {
	known  bool
	seen   time.Time   // first seen
	last   time.Time   // last seen
	ahead  time.Time   // the first event that a clock ahead of ours has dated and that does not count yet; zero: none
	orders []time.Time // ascending, each order once, those that were given back in full left out
	recent int         // orders inside the window
	money  string      // the currency with most orders
	spent  int64       // net in it inside the window, in minor units

	wrote, joined int
	channel       string
	hour          int // of the day in the person's zone, -1 if not known
}

// gather reads the facts out of a history in the order of event.Less.
func gather(p person.Person, history []event.Kept, s Scheme, zone *time.Location, now time.Time) facts {
	f := facts{known: p.Status != person.Anonymous, seen: p.FirstSeen, last: p.LastSeen, hour: -1}
	type order struct {
		at       time.Time
		currency string
		total    int64
		left     int64
	}
	var all []*order
	byID := map[string]*order{}
	sent, clicked, opened := map[string]int{}, map[string]int{}, map[string]int{}
	var hours [24]int
	answers := 0
	partSince := now.AddDate(0, 0, -s.Part.Days)
	for i := range history {
		e := &history[i]
		switch {
		case e.Time.After(now):
			if f.ahead.IsZero() {
				f.ahead = e.Time
			}
		case e.Type == event.Track && e.Name == event.OrderCompleted:
			pr := event.Promote(&e.Event)
			if pr.OrderID != "" && byID[pr.OrderID] != nil {
				continue
			}
			cur := cmp.Or(pr.Currency, person.NoCurrency)
			minor := person.MinorUnits(pr.Total, cur)
			o := &order{e.Time, cur, minor, minor}
			all = append(all, o)
			if pr.OrderID != "" {
				byID[pr.OrderID] = o
			}
		case e.Type == event.Track && (e.Name == event.OrderRefunded || e.Name == event.OrderCancelled):
			pr := event.Promote(&e.Event)
			switch o := byID[pr.OrderID]; {
			case o == nil:
			case e.Name == event.OrderCancelled || !pr.HasTotal:
				o.left = 0
			default:
				o.left -= person.MinorUnits(pr.Total, o.currency)
			}
		case e.Type == event.Message:
			var about struct {
				Channel string `json:"channel"`
				Machine bool   `json:"machine"`
			}
			if json.Unmarshal(e.Properties, &about) != nil || about.Machine {
				continue
			}
			switch e.Name {
			case event.MessageSent:
				sent[about.Channel]++
				continue
			case event.MessageOpened:
				opened[about.Channel]++
			case event.MessageClicked:
				clicked[about.Channel]++
			}
			hours[e.Time.In(zone).Hour()]++
			answers++
		case e.Time.Before(partSince):
		case e.Type == event.Track && slices.Contains(s.Part.Write, e.Name):
			f.wrote++
		case e.Type == event.Track && slices.Contains(s.Part.React, e.Name):
			f.joined++
		}
	}
	windowSince := now.AddDate(0, 0, -s.WindowDays)
	currencies := map[string]int{}
	for _, o := range all {
		if o.total > 0 && o.left <= 0 {
			continue // given back in full
		}
		f.orders = append(f.orders, o.at)
		if !o.at.Before(windowSince) {
			f.recent++
		}
		currencies[o.currency]++
	}
	f.money = most(currencies)
	for _, o := range all {
		if o.currency == f.money && !o.at.Before(windowSince) {
			f.spent += max(o.left, 0)
		}
	}
	for c, n := range sent {
		if n < leastSent {
			delete(sent, c)
		}
	}
	// The share that was clicked decides, then the share that was opened.
	f.channel = ""
	best := [2]float64{}
	for _, c := range slices.Sorted(maps.Keys(sent)) {
		share := [2]float64{float64(clicked[c]) / float64(sent[c]), float64(opened[c]) / float64(sent[c])}
		if slices.Compare(share[:], best[:]) > 0 {
			f.channel, best = c, share
		}
	}
	if answers >= leastAnswers {
		f.hour = 0
		for h, n := range hours {
			if n > hours[f.hour] {
				f.hour = h
			}
		}
	}
	return f
}

// most returns the key with the highest count, the first by name of several.
func most(counts map[string]int) (key string) {
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		if key == "" || counts[k] > counts[key] {
			key = k
		}
	}
	return key
}

// median of durations; 0 of none.
func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(all))
	mid := len(s) / 2
	if len(s)%2 == 1 {
		return s[mid]
	}
	return (s[mid-1] + s[mid]) / 2
}

// gaps are the times between orders.
func gaps(orders []time.Time) []time.Duration {
	var out []time.Duration
	for i := 1; i < len(orders); i++ {
		out = append(out, orders[i].Sub(orders[i-1]))
	}
	return out
}
