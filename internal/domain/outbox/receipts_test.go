package outbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

// sent brings one message to each of the people from..to and returns their ids.
func (f *fixture) sent(from, to int) []string {
	f.t.Helper()
	f.subscribed(from, to)
	ids := []string{}
	for _, d := range f.enqueueRange(from, to) {
		ids = append(ids, d.MessageID)
	}
	d := f.dispatch(outbox.DispatchConfig{})
	for _, id := range ids {
		f.untilState(id, outbox.Sent)
	}
	if err := d.Stop(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return ids
}

func (f *fixture) interact(name, id string, machine bool, at time.Duration) event.Kept {
	f.t.Helper()
	f.clock.Set(start.Add(at))
	in := outbox.Interaction{Link: outbox.Link{Workspace: ws, MessageID: id, URL: "https://shop.example/x"}, Machine: machine, Agent: "UA"}
	if name == event.MessageClicked {
		if err := f.Followed(f.t.Context(), in); err != nil {
			f.t.Fatal(err)
		}
		f.clock.Advance(10 * time.Second)
		if n, err := f.Settle(f.t.Context()); err != nil || n != 1 {
			f.t.Fatalf("settled %d clicks: %v", n, err)
		}
		f.clock.Set(start.Add(at))
		all := f.log.all()
		return event.Kept{Event: all[len(all)-1], Person: 1}
	}
	e, err := f.Opened(f.t.Context(), in)
	if err != nil {
		f.t.Fatal(err)
	}
	return event.Kept{Event: e, Person: 1}
}

func (f *fixture) receive(events ...event.Kept) {
	f.t.Helper()
	if err := f.Receipts(f.t.Context(), events); err != nil {
		f.t.Fatal(err)
	}
	if err := f.Attribution(f.t.Context(), events); err != nil {
		f.t.Fatal(err)
	}
}

func TestOpensByMachinesAreKeptApart(t *testing.T) {
	f := setup(t, sqlite(t))
	id := f.sent(1, 1)[0]
	open := f.interact(event.MessageOpened, id, true, time.Minute)
	click := f.interact(event.MessageClicked, id, true, time.Minute)
	f.receive(open, click)
	m := f.message(id)
	if !m.OpenedAt.IsZero() || !m.ClickedAt.IsZero() || m.MachineOpenedAt.IsZero() {
		t.Errorf("after a scanner: %+v", m)
	}
	if c := f.counts(); c.Opened != 0 || c.MachineOpened != 1 || c.Clicked != 0 {
		t.Errorf("counts: %+v", c)
	}
	f.receive(f.interact(event.MessageClicked, id, false, time.Hour))
	m = f.message(id)
	if !m.OpenedAt.Equal(start.Add(time.Hour)) || !m.ClickedAt.Equal(m.OpenedAt) {
		t.Errorf("a click proves an open: %+v", m)
	}
	if c := f.counts(); c.Opened != 1 || c.MachineOpened != 0 || c.Clicked != 1 {
		t.Errorf("counts: %+v", c)
	}
}

func TestOpensOfAMinuteAreOneEventAndClicksAreMany(t *testing.T) {
	f := setup(t, sqlite(t))
	id := f.sent(1, 1)[0]
	a, b := f.interact(event.MessageOpened, id, false, time.Second), f.interact(event.MessageOpened, id, false, 50*time.Second)
	if a.MessageID != b.MessageID {
		t.Errorf("two opens in a minute: %s and %s", a.MessageID, b.MessageID)
	}
	if c := f.interact(event.MessageOpened, id, true, 50*time.Second); c.MessageID == a.MessageID {
		t.Error("a machine's open hides the human's")
	}
	if c := f.interact(event.MessageOpened, id, false, 61*time.Second); c.MessageID == a.MessageID {
		t.Error("an open in the next minute is the same event")
	}
	a, b = f.interact(event.MessageClicked, id, false, 0), f.interact(event.MessageClicked, id, false, 0)
	if a.MessageID == b.MessageID {
		t.Error("two clicks are one event")
	}
	if a.Type != event.Message || a.PersonID != pid(1) || props(t, a.Event)["url"] != "https://shop.example/x" || props(t, a.Event)["source_id"] != "cmp_1" {
		t.Errorf("click: %+v", a)
	}
}

func TestReceiptsFromOutsideCountForNothing(t *testing.T) {
	f := setup(t, sqlite(t))
	id := f.sent(1, 1)[0]
	e := f.interact(event.MessageClicked, id, false, time.Minute)
	e.Type, e.Origin = event.Track, event.Browser
	odd := f.interact(event.MessageOpened, id, false, time.Minute)
	odd.Properties = json.RawMessage(`["message_id"]`)
	f.receive(e, odd)
	if m := f.message(id); !m.ClickedAt.IsZero() || !m.OpenedAt.IsZero() {
		t.Errorf("row: %+v", m)
	}
}

func order(n int, id, props string, at time.Duration) event.Kept {
	return event.Kept{Person: uint64(n), Event: event.Event{
		Workspace: ws, MessageID: id, Type: event.Track, Name: event.OrderCompleted, Time: start.Add(at), Properties: json.RawMessage(props), Origin: event.Server,
	}}
}

func TestOrdersAreCreditedToTheMessageThatWasClickedElseTheLatest(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	d := f.dispatch(outbox.DispatchConfig{})
	send := func(key string, at time.Duration, change ...func(*outbox.Request)) string {
		f.clock.Set(start.Add(at))
		id := f.enqueue(f.request(1, append([]func(*outbox.Request){func(r *outbox.Request) { r.Key = key; r.Source.Node = key }}, change...)...))[0].MessageID
		f.untilState(id, outbox.Sent)
		return id
	}
	first := send("first", 0)
	second := send("second", time.Hour)
	_ = send("other goal", 2*time.Hour, func(r *outbox.Request) { r.Goal = outbox.Goal{Event: "Signed Up"} })
	short := send("short", 3*time.Hour, func(r *outbox.Request) { r.Goal = outbox.Goal{Window: time.Hour} })
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := order(1, "o0", `{"order_id":"A0","total":1}`, -time.Minute)
	early := order(1, "o1", `{"order_id":"A1","total":10.5,"currency":"EUR"}`, 30*time.Minute)
	inShort := order(1, "o2", `{"order_id":"A2","total":20,"currency":"eur"}`, 3*time.Hour+30*time.Minute)
	click := f.interact(event.MessageClicked, first, false, 5*time.Hour)
	late := order(1, "o3", `{"order_id":"A3","total":500,"currency":"JPY"}`, 6*time.Hour)
	again := order(1, "o3bis", `{"order_id":"A3","total":500,"currency":"JPY"}`, 7*time.Hour)
	beforeClick := order(1, "o4", `{"order_id":"A4","revenue":"7"}`, 4*time.Hour+30*time.Minute)
	stranger := order(2, "o5", `{"order_id":"A5","total":9}`, 6*time.Hour)
	tooLate := order(1, "o6", `{"order_id":"A6","total":9}`, 8*24*time.Hour)
	batch := []event.Kept{before, early, inShort, click, late, again, beforeClick, stranger, tooLate}
	for range 2 {
		f.receive(batch...)
	}
	credits := func(id string) []string {
		list, err := f.Conversions(t.Context(), ws, id)
		if err != nil {
			t.Fatal(err)
		}
		out := []string{}
		for _, c := range list {
			out = append(out, fmt.Sprintf("%s %d %s", c.Key, c.Minor, c.Currency))
		}
		return out
	}
	for id, want := range map[string][]string{
		first:  {"order:A1 1050 EUR", "order:A3 500 JPY"},
		second: {"order:A4 700 XXX"},
		short:  {"order:A2 2000 EUR"},
	} {
		if diff := cmp.Diff(want, credits(id)); diff != "" {
			t.Errorf("credits (-want +got):\n%s", diff)
		}
	}
	c := f.counts()
	if c.Converted != 3 || c.Revenue["EUR"] != 3050 || c.Revenue["JPY"] != 500 || c.Revenue["XXX"] != 700 {
		t.Errorf("counts: %+v", c)
	}
	told := map[string]string{}
	for _, e := range f.log.all() {
		if e.Name == event.MessageConverted {
			p := props(t, e)
			told[p["goal_message_id"].(string)] = p["message_id"].(string)
		}
	}
	if diff := cmp.Diff(map[string]string{"o1": first, "o2": short, "o3": first, "o4": second}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestOddOrderNumbersHoldNothingUp(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := setup(t, db)
		f.sent(1, 1)
		raw := func(v any) string {
			b, err := json.Marshal(map[string]any{"order_id": v, "total": 1, "currency": "EUR"})
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		for range 2 {
			f.receive(order(1, "e1", raw("a\x00b"), time.Minute), order(1, "e2", raw(strings.Repeat("9", 20000)), time.Minute),
				order(1, "e3", raw([]int{1}), time.Minute), order(1, "e4\x00"+strings.Repeat("m", 9000), raw(nil), time.Minute), order(1, "e5", raw(12), time.Minute))
		}
		if got := f.counts().Revenue["EUR"]; got != 500 {
			t.Errorf("revenue %d, want 500", got)
		}
	})
}

func TestAnyEventCanBeAGoal(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	id := f.enqueue(f.request(1, func(r *outbox.Request) { r.Goal = outbox.Goal{Event: "Signed Up", Window: time.Hour} }))[0].MessageID
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(id, outbox.Sent)
	e := order(1, "s1", `{"total":5}`, time.Minute)
	f.receive(e) // no message waits for orders
	e.Name = "Signed Up"
	f.receive(e)
	list, err := f.Conversions(t.Context(), ws, id)
	if err != nil || len(list) != 1 || list[0].Key != "s1" || list[0].Minor != 0 || list[0].Currency != "" {
		t.Errorf("conversions: %+v, %v", list, err)
	}
}

func TestAttributionDoesNotDependOnBatches(t *testing.T) {
	f := setup(t, sqlite(t))
	f.sent(1, 3)
	rapid.Check(t, func(rt *rapid.T) {
		if _, err := f.db.Exec(t.Context(), `DELETE FROM message_conversion`); err != nil {
			rt.Fatal(err)
		}
		var orders []event.Kept
		want := int64(0)
		for i := range rapid.IntRange(1, 8).Draw(rt, "orders") {
			total := rapid.IntRange(1, 1000).Draw(rt, "total")
			want += int64(total) * 100
			orders = append(orders, order(rapid.IntRange(1, 3).Draw(rt, "person"), fmt.Sprint("m", i), fmt.Sprintf(`{"order_id":%d,"total":%d,"currency":"EUR"}`, i, total), time.Hour))
		}
		orders = append(orders, rapid.SliceOf(rapid.SampledFrom(orders)).Draw(rt, "repeated")...)
		orders = rapid.Permutation(orders).Draw(rt, "order")
		for len(orders) > 0 {
			n := rapid.IntRange(1, len(orders)).Draw(rt, "batch")
			f.receive(append([]event.Kept(nil), orders[:n]...)...)
			orders = orders[n:]
		}
		if got := f.counts().Revenue["EUR"]; got != want {
			rt.Fatalf("revenue %d, want %d", got, want)
		}
	})
}

var page1 = outbox.Said{Source: "preference_page"}

func TestUnsubscribingThroughALinkEndsTheTopicAndIsCounted(t *testing.T) {
	f := setup(t, sqlite(t))
	id := f.sent(1, 2)[0]
	_, err := f.consent.CreateTopic(t.Context(), ws, consent.Topic{Name: "Offers", Channels: []string{"email"}, OptIn: consent.Implied})
	if err != nil {
		t.Fatal(err)
	}
	link := outbox.Link{Workspace: ws, MessageID: id}
	choices := func() map[string]bool {
		p, err := f.Preferences(t.Context(), link)
		if err != nil {
			t.Fatal(err)
		}
		if p.Sender != "Shop" || p.Address != "p…@e….test" {
			t.Errorf("page: %+v", p)
		}
		out := map[string]bool{}
		for _, c := range p.Topics {
			out[c.Topic.Name] = c.Subscribed
			if c.Current != (c.Topic.ID == f.news.ID) {
				t.Errorf("current: %+v", c)
			}
		}
		return out
	}
	if diff := cmp.Diff(map[string]bool{"News": true, "Offers": true}, choices()); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	for range 2 { // one-click requests are repeated
		if err := f.Unsubscribe(t.Context(), link, false, outbox.Said{Source: "one_click", IP: "203.0.113.0"}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]bool{"News": false, "Offers": true}, choices()); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
	f.receive(f.log.kept()...)
	if c := f.counts(); c.Unsubscribed != 1 {
		t.Errorf("counts: %+v", c)
	}
	h, err := f.consent.History(t.Context(), ws, pid(1), page.Request{Limit: 1})
	if err != nil || h.Items[0].Source != "one_click" || h.Items[0].MessageID != id || h.Items[0].IP != "203.0.113.0" || h.Items[0].TextVersion != 1 || !strings.Contains(h.Items[0].Evidence, id) {
		t.Errorf("history: %+v, %v", h.Items, err)
	}
	if err := f.Choose(t.Context(), link, map[string]bool{f.news.ID: true}, false, page1); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Minute)
	if err := f.Choose(t.Context(), link, map[string]bool{f.news.ID: true}, false, page1); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]bool{"News": true, "Offers": false}, choices()); diff != "" {
		t.Errorf("chosen (-want +got):\n%s", diff)
	}
	f.clock.Advance(time.Minute)
	if err := f.Unsubscribe(t.Context(), link, true, page1); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]bool{"News": false, "Offers": false}, choices()); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
}

func TestMessagesFollowAMerge(t *testing.T) {
	f := setup(t, sqlite(t))
	id := f.sent(1, 2)[0]
	if err := f.PeopleMerged(t.Context(), ws, person.Ref{ID: pid(1)}, person.Ref{ID: pid(2)}); err != nil {
		t.Fatal(err)
	}
	list, err := f.PersonMessages(t.Context(), ws, pid(2), outbox.PersonFilter{}, page.Request{})
	if err != nil || len(list.Items) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, m := range list.Items {
		if strings.Contains(m.Address, "@example.test") {
			t.Errorf("the list shows %s", m.Address)
		}
	}
	f.people.also[pid(1)] = pid(2)
	f.receive(f.interact(event.MessageClicked, id, false, time.Second))
	f.receive(order(1, "o1", `{"total":3}`, time.Minute)) // the event was stored under the loser's number
	if got, err := f.People(t.Context(), ws, cmp1, outbox.MetricConverted, page.Request{}); err != nil || len(got.Items) != 1 || got.Items[0].ID != id {
		t.Errorf("converted: %+v, %v", got, err)
	}
	if _, err := f.People(t.Context(), ws, cmp1, "sent:x", page.Request{}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("odd figure: %v", err)
	}
}

func TestWhatFollowsFromAMessageCountsTheJourneysBehindItUnlessAPersonDoesIt(t *testing.T) {
	f := setup(t, sqldbtest.Open(t, sqldb.SQLite))
	f.subscribed(1, 1)
	out, err := f.Enqueue(event.After(t.Context(), map[string]int{pid(1): 4}), []outbox.Request{f.request(1)})
	if err != nil {
		t.Fatal(err)
	}
	id := out[0].MessageID
	d := f.dispatch(outbox.DispatchConfig{})
	f.untilState(id, outbox.Sent)
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, machine := range []bool{true, false} {
		f.interact(event.MessageClicked, id, machine, time.Hour)
	}
	got := map[string]int{}
	for _, e := range f.log.all() {
		if e.Type == event.Message {
			got[fmt.Sprint(e.Name, " ", strings.Contains(string(e.Properties), `"machine":true`))] = e.Hops
		}
	}
	if diff := cmp.Diff(map[string]int{event.MessageSent + " false": 4, event.MessageClicked + " true": 4, event.MessageClicked + " false": 0}, got); diff != "" {
		t.Error(diff)
	}
}
