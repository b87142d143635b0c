package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/eventstoretest"
)

const ws = "ws_1"

var now = time.Date(2026, 3, 31, 15, 0, 0, 0, time.UTC)

func TestIntervalsAreThoseOfWilson(t *testing.T) {
	// Computed from the closed formula with 50-digit decimals; 81 of 263 is also in R. G. Newcombe, Statistics in Medicine 17 (1998), table I.
	for _, c := range []struct {
		n, of     int64
		low, high float64
	}{
		{0, 10, 0, 0.27753280},
		{1, 10, 0.01787621, 0.40415003},
		{5, 10, 0.23659309, 0.76340691},
		{10, 10, 0.72246720, 1},
		{81, 263, 0.25528852, 0.36620958},
		{150, 1000, 0.12921007, 0.17346866},
	} {
		r := report.NewRate(c.n, c.of)
		if math.Abs(r.Low-c.low) > 1e-7 || math.Abs(r.High-c.high) > 1e-7 || r.N != c.n || r.Of != c.of {
			t.Errorf("%d of %d: [%.8f, %.8f], want [%.8f, %.8f]", c.n, c.of, r.Low, r.High, c.low, c.high)
		}
	}
	if r := report.NewRate(0, 0); r.Share != 0 || r.Low != 0 || r.High != 1 {
		t.Errorf("of nobody: %+v", r)
	}
	if r := report.NewRate(3, 2); r.Share != 1 || r.High != 1 {
		t.Errorf("more than all: %+v", r)
	}
}

func TestIntervalsHoldTheShareAndNarrow(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		of := rapid.Int64Range(1, 1_000_000).Draw(r, "of")
		n := rapid.Int64Range(0, of).Draw(r, "n")
		a, b := report.NewRate(n, of), report.NewRate(n*10, of*10)
		if !(0 <= a.Low && a.Low <= a.Share && a.Share <= a.High && a.High <= 1) {
			r.Fatalf("%+v", a)
		}
		if b.High-b.Low > a.High-a.Low {
			r.Fatalf("ten times the people, and less is known: %+v, %+v", a, b)
		}
	})
}

type fakes struct {
	counts   map[string]outbox.Counts
	messages []outbox.Message
	asked    string
	against  journey.Comparison
	in       string // zone of the workspace; UTC if empty
}

func (f *fakes) zone() (*time.Location, error) { return time.LoadLocation(f.in) }

func (f *fakes) CountsByNode(_ context.Context, _ string, src outbox.Source) (map[string]outbox.Counts, error) {
	f.asked = src.Kind + " " + src.ID
	return f.counts, nil
}

func (f *fakes) People(_ context.Context, _ string, src outbox.Source, m outbox.Metric, p page.Request) (page.Of[outbox.Message], error) {
	f.asked = fmt.Sprint(src.Kind, " ", src.ID, " ", src.Node, " ", m, " ", p.Cursor)
	return page.Of[outbox.Message]{Items: f.messages, Next: "more"}, nil
}

// campaigns and journeys are split off because both answer Get.
type campaigns struct{}

func (campaigns) Get(_ context.Context, _, id string) (campaign.Campaign, error) {
	if id != "cmp_1" {
		return campaign.Campaign{}, errs.NotFound("campaign", id)
	}
	return campaign.Campaign{ID: id, Name: "Spring", Status: campaign.Sent, Progress: campaign.Progress{Audience: 12, Handled: 12, Refused: map[string]int64{"merged": 2, "suppressed": 1}}}, nil
}

func (f *fakes) Get(_ context.Context, _, id string) (journey.Journey, error) {
	if id != "jrn_1" {
		return journey.Journey{}, errs.NotFound("journey", id)
	}
	return journey.Journey{ID: id, Key: "abandoned_cart", Name: "Cart"}, nil
}

func (f *fakes) ByKey(_ context.Context, _, key string) (journey.Journey, error) {
	if key != "abandoned_cart" {
		return journey.Journey{}, errs.NotFound("journey", key)
	}
	return journey.Journey{ID: "jrn_1", Key: key, Name: "Cart"}, nil
}

func (f *fakes) Stats(context.Context, string, string) (journey.Stats, error) {
	return journey.Stats{Entered: 20, Goals: 5, Nodes: []journey.NodeStats{
		{Node: "w", Kind: "wait", In: 20, Now: 3}, {Node: "s", Kind: "send", In: 17}, {Node: "s2", Kind: "send"},
	}}, nil
}

func (f *fakes) Behind(_ context.Context, _, id string, b journey.Behind, _ page.Request) (page.Of[journey.Visit], error) {
	f.asked = fmt.Sprint("journey's own ", id, " ", b)
	return page.Of[journey.Visit]{Items: []journey.Visit{{Person: "per_9"}}}, nil
}

func (f *fakes) Against(context.Context, string, string) (journey.Comparison, error) {
	return f.against, nil
}

func (f *fakes) AgainstPeople(_ context.Context, _, _ string, kept, reached bool, _ page.Request) (page.Of[journey.Compared], error) {
	f.asked = fmt.Sprint("compared ", kept, reached)
	return page.Of[journey.Compared]{Items: []journey.Compared{{Person: "per_9"}}}, nil
}

func (f *fakes) Parked(context.Context, string) (int64, error) { return 4, nil }

func service(f *fakes, events report.Events) *report.Service {
	return report.New(report.Config{Clock: clock.NewFixed(now), Messages: f, Campaigns: campaigns{}, Journeys: f, Events: events, Zone: func(context.Context, string) (*time.Location, error) { return f.zone() }})
}

var some = outbox.Counts{
	Audience: 10, Refused: 2, RefusedBy: map[string]int64{"no_address": 2}, Sent: 8, Delivered: 7, Bounced: 1, Opened: 4, Clicked: 2,
	Converted: 1, Unsubscribed: 1, Uncertain: 1, Revenue: map[string]int64{"EUR": 4990},
}

func TestACampaignReportHoldsFiguresAndRates(t *testing.T) {
	f := &fakes{counts: map[string]outbox.Counts{"": some}}
	r, err := service(f, nil).Campaign(t.Context(), ws, "cmp_1")
	if err != nil {
		t.Fatal(err)
	}
	if f.asked != "campaign cmp_1" || r.Name != "Spring" || r.Progress.Audience != 12 || !maps.Equal(r.LeftOut, map[string]int64{"merged": 2}) || !r.At.Equal(now) {
		t.Errorf("%s %+v", f.asked, r)
	}
	if diff := cmp.Diff(some, r.Messages.Counts, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]struct {
		got   report.Rate
		n, of int64
	}{
		"refusal": {r.Messages.Refusal, 2, 10}, "delivery": {r.Messages.Delivery, 7, 8}, "bounce": {r.Messages.Bounce, 1, 8}, "open": {r.Messages.Open, 4, 7},
		"click": {r.Messages.Click, 2, 7}, "click to open": {r.Messages.ClickToOpen, 2, 4}, "conversion": {r.Messages.Conversion, 1, 7}, "unsubscribe": {r.Messages.Unsubscribe, 1, 7},
	} {
		if c.got != report.NewRate(c.n, c.of) {
			t.Errorf("%s: %+v", name, c.got)
		}
	}
	if _, err := service(f, nil).Campaign(t.Context(), ws, "cmp_2"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestAJourneyReportHoldsEveryNode(t *testing.T) {
	f := &fakes{counts: map[string]outbox.Counts{"s": some, "gone": {Audience: 3, Sent: 3}}}
	r, err := service(f, nil).Journey(t.Context(), ws, "jrn_1")
	if err != nil {
		t.Fatal(err)
	}
	if r.Goal != report.NewRate(5, 20) || r.Messages.Sent != 11 || len(r.Nodes) != 3 {
		t.Errorf("%+v", r)
	}
	if r.Nodes[0].Messages != nil || r.Nodes[1].Messages == nil || r.Nodes[1].Messages.Clicked != 2 || r.Nodes[2].Messages == nil {
		t.Errorf("%+v", r.Nodes)
	}
}

func TestEveryFigureLeadsToThePeopleBehindIt(t *testing.T) {
	f := &fakes{messages: []outbox.Message{{ID: "msg_1", PersonID: "per_1", State: outbox.Sent, SentAt: now, ClickedAt: now.Add(time.Hour), CreatedAt: now.Add(-time.Hour), Source: outbox.Source{Node: "s"}}}}
	s := service(f, nil)
	for _, c := range []struct{ node, figure, asked string }{
		{"s", "clicked", "journey jrn_1 s clicked 7"},
		{"", "refused:no_address", "journey jrn_1  refused:no_address 7"},
		{"", "queued", "journey jrn_1  queued 7"},
		{"w", "inside", "journey's own jrn_1 {w inside }"},
		{"w", "out:next", "journey's own jrn_1 {w out next}"},
		{"", "ended:goal", "journey's own jrn_1 { ended goal}"},
		{"", "goal", "journey's own jrn_1 { goal }"},
		{"", "entered", "journey's own jrn_1 { in }"},
	} {
		g, err := report.ParseFigure(c.node, c.figure)
		if err != nil {
			t.Fatalf("%s: %v", c.figure, err)
		}
		got, err := s.JourneyPeople(t.Context(), ws, "jrn_1", g, page.Request{Cursor: "7"})
		if err != nil || f.asked != c.asked || len(got.Items) != 1 {
			t.Errorf("%s: asked for %q, want %q (%v)", c.figure, f.asked, c.asked, err)
		}
	}
	g, _ := report.ParseFigure("", "clicked")
	got, err := s.CampaignPeople(t.Context(), ws, "cmp_1", g, page.Request{})
	want := []report.Person{{PersonID: "per_1", At: now.Add(time.Hour), State: "sent", Message: "msg_1", Node: "s"}}
	if diff := cmp.Diff(want, got.Items); diff != "" || err != nil || got.Next != "more" {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []string{"", "nonsense", "clicked:x", "inside:x", "goal:y"} {
		if _, err := report.ParseFigure("", bad); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("figure %q: %v", bad, err)
		}
	}
	if _, err := s.CampaignPeople(t.Context(), ws, "cmp_1", report.Figure{Name: "inside"}, page.Request{}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("a campaign has nobody inside: %v", err)
	}
	if _, err := s.JourneyPeople(t.Context(), ws, "jrn_2", report.Figure{Name: "sent"}, page.Request{}); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("unknown journey: %v", err)
	}
}

func TestTheOverviewCountsByDay(t *testing.T) { eventstoretest.Each(t, overviewByDay) }

func overviewByDay(t *testing.T, store event.Store) {
	n := 0
	ev := func(typ event.Type, name string, person uint64, at time.Time, props string) event.Kept {
		n++
		return event.Kept{Person: person, Position: event.Position{Seq: 1, Index: n}, Event: event.Event{
			Workspace: ws, MessageID: fmt.Sprint("m", n), Type: typ, Name: name,
			Time: at, Received: at, Origin: event.Server, Properties: json.RawMessage(props),
		}}
	}
	today, yesterday, old := now.Add(-time.Hour), now.Add(-24*time.Hour), now.Add(-40*24*time.Hour)
	other := ev(event.Track, "Order Completed", 1, today, `{"total": 1000, "currency": "EUR"}`)
	other.Workspace = "ws_2"
	err := store.Append(t.Context(), event.Batch{
		Through: 1,
		People: []event.Mirror{
			{Workspace: ws, Num: 1, ID: "per_1", Traits: json.RawMessage(`{}`), Channels: json.RawMessage(`{}`), FirstSeen: old, LastSeen: today},
			{Workspace: ws, Num: 2, ID: "per_2", Traits: json.RawMessage(`{}`), Channels: json.RawMessage(`{}`), FirstSeen: old, LastSeen: today},
		},
		Events: []event.Kept{
			ev(event.Track, "Order Completed", 1, today, `{"total": 19.99, "currency": "EUR"}`), ev(event.Track, "Order Completed", 2, today, `{"total": 0.1, "currency": "eur"}`),
			ev(event.Track, "Order Completed", 1, yesterday, `{"total": 1499.6, "currency": "JPY"}`), ev(event.Track, "Order Completed", 1, yesterday, `{}`),
			ev(event.Track, "Order Completed", 1, old, `{"total": 5, "currency": "EUR"}`), ev(event.Page, "Home", 1, today, `{}`),
			ev(event.Message, event.MessageSent, 1, today, `{"message_id": "msg_1"}`), ev(event.Message, event.MessageOpened, 1, today, `{"message_id": "msg_1"}`),
			ev(event.Message, event.MessageOpened, 1, today, `{"message_id": "msg_1"}`), ev(event.Message, event.MessageOpened, 2, today, `{"message_id": "msg_2"}`),
			ev(event.Message, event.MessageOpened, 2, today, `{"message_id": "msg_3", "machine": true}`), // a privacy proxy's
			ev(event.Journey, event.JourneyEntered, 1, yesterday, `{}`), ev(event.Journey, event.JourneyGoal, 1, today, `{}`), other,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := service(&fakes{}, store).Overview(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	if o.People != 2 || o.Events != 6 || o.Parked != 4 || len(o.Days) != report.OverviewDays || !o.Latest.Equal(today) {
		t.Errorf("%+v", o)
	}
	want := []report.Day{
		{Date: time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC), Events: 2, Active: 1, Entered: 1, Orders: 2, Revenue: map[string]int64{"JPY": 1500}},
		{Date: time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), Events: 3, Active: 2, Sent: 1, Opened: 2, Goals: 1, Orders: 2, Revenue: map[string]int64{"EUR": 2009}},
	}
	if diff := cmp.Diff(want, o.Days[28:]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(report.Day{Date: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Revenue: map[string]int64{}}, o.Days[0]); diff != "" {
		t.Error(diff)
	}
}

// The clocks of Berlin go forward on 29 March 2026 at 01:00 UTC: that day has 23 hours.
func TestTheDaysOfAnOverviewAreThoseOfTheWorkspace(t *testing.T) {
	eventstoretest.Each(t, overviewInZone)
}

func overviewInZone(t *testing.T, store event.Store) {
	var events []event.Kept
	for n, at := range []string{"2026-03-27T22:59:59Z", "2026-03-27T23:00:00Z", "2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z"} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, event.Kept{Person: uint64(n + 1), Position: event.Position{Seq: 1, Index: n}, Event: event.Event{
			Workspace: ws, MessageID: fmt.Sprint("m", n), Type: event.Track, Name: "Order Completed", Time: when, Received: when, Origin: event.Server,
			Properties: json.RawMessage(`{"total": 1, "currency": "EUR"}`),
		}})
	}
	if err := store.Append(t.Context(), event.Batch{Through: 1, Events: events}); err != nil {
		t.Fatal(err)
	}
	o, err := service(&fakes{in: "Europe/Berlin"}, store).Overview(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range o.Days {
		if d.Events > 0 {
			got = append(got, fmt.Sprint(d.Date.Format(time.DateOnly), " ", d.Events, " ", d.Orders, " ", d.Active, " ", d.Revenue["EUR"]))
		}
	}
	want := []string{"2026-03-27 1 1 1 100", "2026-03-28 2 2 2 200", "2026-03-29 2 2 2 200", "2026-03-30 1 1 1 100", "2026-03-31 1 1 1 100"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(o.Days) != report.OverviewDays {
		t.Errorf("%d days", len(o.Days))
	}
}
