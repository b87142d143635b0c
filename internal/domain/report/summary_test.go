package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/eventstoretest"
)

// counted is a store that answers with figures instead of counting.
type counted struct {
	report.Store
	whole   func(from time.Time) outbox.Counts
	domains map[string]outbox.Counts
}

func (c counted) Groups(_ context.Context, _ string, s report.Scope, by report.Dimension) (map[string]outbox.Counts, error) {
	if by == report.ByDomain {
		return c.domains, nil
	}
	return map[string]outbox.Counts{"": c.whole(s.From)}, nil
}

func (c counted) Reach(context.Context, string, report.Scope) (report.Reach, error) {
	return report.Reach{Asked: 9, Delivered: 8, Opened: 3, Clicked: 1}, nil
}

func (c counted) Credited(context.Context, string, time.Time, time.Time) ([]report.SourceRevenue, error) {
	return []report.SourceRevenue{
		{Kind: "api", Orders: 1, Net: map[string]int64{"EUR": 5}},
		{Kind: "campaign", ID: "cmp_1", Orders: 3, Net: map[string]int64{"EUR": 900}, Refunded: map[string]int64{"EUR": 100}},
		{Kind: "campaign", ID: "cmp_gone", Orders: 2, Net: map[string]int64{"JPY": 70}},
	}, nil
}

func TestTheSummaryTellsReachRevenueHealthAndWhatIsNotAsItWas(t *testing.T) {
	eventstoretest.Each(t, summary)
}

func summary(t *testing.T, store event.Store) {
	zone, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) time.Time { return time.Date(2026, 3, n, 1, 0, 0, 0, zone) } // still the day before in UTC
	var events []event.Kept
	ev := func(name string, person uint64, at time.Time, props string) {
		events = append(events, event.Kept{Person: person, Position: event.Position{Seq: 1, Index: len(events)}, Event: event.Event{
			Workspace: ws, MessageID: fmt.Sprint("m", len(events)), Type: event.Track, Name: name, Time: at, Received: at, Origin: event.Server, Properties: json.RawMessage(props),
		}})
	}
	for d := 10; d < 24; d++ { // from 17 on three times as many people come, and orders stay as they are
		people := 3
		if d >= 17 {
			people = 9
		}
		for n := range people {
			ev("Viewed", uint64(n+1), day(d), `{}`)
		}
		if d%2 == 0 {
			ev(event.OrderCompleted, 1, day(d), `{"total":10,"currency":"EUR"}`)
		}
	}
	ev(event.OrderRefunded, 1, day(18), `{"total":4.5,"currency":"EUR"}`)
	ev(event.OrderCompleted, 2, day(15), `{"order_id":"c","total":30,"currency":"EUR"}`)
	ev(event.OrderRefunded, 2, day(16), `{"order_id":"c","total":5,"currency":"EUR"}`)
	ev(event.OrderCancelled, 2, day(19), `{"order_id":"c","total":1}`) // all of it, of which 5 had been given back
	people := []event.Mirror{
		{Workspace: ws, Num: 1, ID: "per_1", Traits: json.RawMessage(`{}`), Channels: json.RawMessage(`{}`), FirstSeen: day(10), LastSeen: day(23)},
		{Workspace: ws, Num: 9, ID: "per_9", Traits: json.RawMessage(`{}`), Channels: json.RawMessage(`{}`), FirstSeen: day(17), LastSeen: day(23)},
	}
	for n := range 14 { // before the 17th, two new people came every day
		people = append(people, event.Mirror{Workspace: ws, Num: uint64(20 + n), ID: fmt.Sprint("per_", 20+n), Traits: json.RawMessage(`{}`), Channels: json.RawMessage(`{}`), FirstSeen: day(10 + n/2), LastSeen: day(23)})
	}
	err = store.Append(t.Context(), event.Batch{Through: 1, Events: events, People: people})
	if err != nil {
		t.Fatal(err)
	}
	c := counted{
		whole: func(from time.Time) outbox.Counts {
			if from.Before(day(16)) {
				return outbox.Counts{Sent: 1000, Delivered: 990, Bounced: 10, Opened: 300, Clicked: 30, Converted: 10}
			}
			return outbox.Counts{Sent: 1000, Delivered: 940, Bounced: 60, Opened: 180, Clicked: 28, Converted: 11, Complained: 4}
		},
		domains: map[string]outbox.Counts{
			"good.example": {Delivered: 500, Bounced: 2}, "bad.example": {Delivered: 80, Bounced: 40, Complained: 1}, "small.example": {Bounced: 5}, "": {Bounced: 200},
		},
	}
	s := report.New(report.Config{
		Clock: clock.NewFixed(day(23)), Store: c, Messages: &fakes{}, Campaigns: campaigns{}, Journeys: &fakes{}, Events: store, Names: names{}, People: names{},
		Zone: func(context.Context, string) (*time.Location, error) { return zone, nil },
	})
	got, err := s.Summary(t.Context(), ws, "2026-03-17", "2026-03-23")
	if err != nil {
		t.Fatal(err)
	}
	if f := got.Now; f.Active != 9 || f.New != 1 || f.Events != 7*9+3+1+1 || f.Orders != 3 || f.Earned["EUR"] != 3000-450-2500 || f.Credited["EUR"] != 905 || f.Reach.Delivered != 8 {
		t.Errorf("now %+v", f)
	}
	if f := got.Before; f.Active != 3 || f.New != 15 || f.Orders != 5 || f.Earned["EUR"] != 4000+3000-500 {
		t.Errorf("before %+v", f)
	}
	var sources, health, odd []string
	for _, r := range got.Revenue {
		sources = append(sources, r.Kind+" "+r.Name)
	}
	for _, h := range got.Health {
		health = append(health, fmt.Sprint(h.Domain, " ", h.Figure, " ", h.Status))
	}
	for _, a := range got.Anomalies {
		odd = append(odd, a.Figure)
		if (a.Now-a.Before)*a.Relative < 0 || a.Sigmas < 3 {
			t.Errorf("%+v", a)
		}
	}
	if d := cmp.Diff([]string{"campaign Spring", "campaign ", "api "}, sources); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{" bounce_rate watch", " complaint_rate act", "bad.example bounce_rate act"}, health); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"active_people", "new_people", "bounce_rate", "open_rate"}, odd); d != "" {
		t.Error(d) // delivery fell by five points of a hundred, which is not a tenth; clicks and conversions moved by chance
	}
	if _, err := s.Summary(t.Context(), ws, "x", ""); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("no day: %v", err)
	}
}
