package outbox_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

type outcomeRow struct {
	Message, Key    string
	Minor, Refunded int64
}

func (f *fixture) outcomes() []outcomeRow {
	f.t.Helper()
	got, err := sqldb.Collect(f.t.Context(), f.db, func(r sqldb.Row) (o outcomeRow, err error) {
		err = r.Scan(&o.Message, &o.Key, &o.Minor, &o.Refunded)
		return o, err
	}, `SELECT message_id, credit_key, revenue_minor, refunded_minor FROM message_outcome ORDER BY message_id, credit_key`)
	if err != nil {
		f.t.Fatal(err)
	}
	return got
}

func TestAGoalMayHaveConditionsAndAValueOfItsOwn(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	goal := outbox.Goal{Event: "Plan Chosen", Window: time.Hour, Filter: []json.RawMessage{json.RawMessage(`{"path":"plan","op":"eq","value":"pro"}`)}, Value: "price.yearly"}
	if err := goal.Validate(); err != nil {
		t.Fatal(err)
	}
	id := f.enqueue(f.request(1, func(r *outbox.Request) { r.Goal = goal }))[0].MessageID
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(id, outbox.Sent)
	for i, props := range []string{`{"plan":"free","price":{"yearly":1},"currency":"EUR"}`, `{"plan":"pro","price":{"yearly":"120.50"},"currency":"EUR"}`, `{"plan":"pro","price":"much"}`} {
		e := order(1, fmt.Sprint("p", i), props, time.Minute)
		e.Name = "Plan Chosen"
		f.receive(e)
	}
	list, err := f.Conversions(t.Context(), ws, id)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		got = append(got, fmt.Sprint(c.Key, " ", c.Minor, " ", c.Currency))
	}
	if d := cmp.Diff([]string{"p1 12050 EUR", "p2 0 "}, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []outbox.Goal{{Window: -1}, {Window: 91 * 24 * time.Hour}, {Filter: []json.RawMessage{json.RawMessage(`{"path":"x","op":"nonsense"}`)}}} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// What is credited, what is an outcome and what is taken off, counted anew from the raw events: no order of arrival, no repetition and no
// cut into batches makes a difference.
func TestCreditsAndOutcomesEqualACountOverTheEvents(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 3)
	d := f.dispatch(outbox.DispatchConfig{})
	type sent struct {
		id     string
		person int
		at     time.Duration
		window time.Duration
		held   bool
	}
	var messages []sent
	for i, m := range []sent{{person: 1}, {person: 1, at: time.Hour, window: 3 * time.Hour}, {person: 2, at: time.Hour}, {person: 3, at: 2 * time.Hour, held: true}} {
		f.clock.Set(start.Add(m.at))
		if m.window == 0 {
			m.window = outbox.DefaultGoal.Window
		}
		r := f.request(m.person, func(r *outbox.Request) { r.Key, r.Goal.Window = fmt.Sprint("m", i), m.window })
		if m.held {
			for n := 0; ; n++ { // a source whose control group this person belongs to
				r.Source.ID, r.Holdout = fmt.Sprint("cmp_held", n), 50
				dry, err := f.DryRun(t.Context(), []outbox.Request{r})
				if err != nil {
					t.Fatal(err)
				}
				if dry[0].Reason == outbox.ReasonHoldout {
					break
				}
			}
		}
		m.id = f.enqueue(r)[0].MessageID
		if !m.held {
			f.untilState(m.id, outbox.Sent)
		}
		messages = append(messages, m)
	}
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		for _, table := range []string{"message_conversion", "message_outcome", "order_refund"} {
			if _, err := f.db.Exec(t.Context(), `DELETE FROM `+table); err != nil {
				rt.Fatal(err)
			}
		}
		type bought struct {
			person, total int
			at            time.Duration
		}
		var orders []bought
		back := map[int]int64{}
		var events []event.Kept
		for i := range rapid.IntRange(0, 6).Draw(rt, "orders") {
			o := bought{rapid.IntRange(1, 3).Draw(rt, "person"), rapid.IntRange(0, 100).Draw(rt, "total"), time.Duration(rapid.IntRange(0, 9*24*60).Draw(rt, "minute")) * time.Minute}
			orders = append(orders, o)
			events = append(events, order(o.person, fmt.Sprint("e", i), fmt.Sprintf(`{"order_id":"%d","total":%d,"currency":"EUR"}`, i, o.total), o.at))
			for k := range rapid.IntRange(0, 2).Draw(rt, "refunds") {
				n := rapid.IntRange(0, 80).Draw(rt, "refund")
				e := order(o.person, fmt.Sprint("r", i, "-", k), fmt.Sprintf(`{"order_id":"%d","total":%d,"currency":"EUR"}`, i, n), o.at+time.Hour)
				e.Name = event.OrderRefunded
				events = append(events, e)
				back[i] += int64(n) * 100
			}
			if rapid.IntRange(0, 4).Draw(rt, "cancelled") == 0 {
				e := order(o.person, fmt.Sprint("x", i), fmt.Sprintf(`{"order_id":"%d","total":1,"currency":"EUR"}`, i), o.at+time.Hour)
				e.Name = event.OrderCancelled
				events = append(events, e)
				back[i] = int64(o.total) * 100 // all of it, whatever it says and whatever came back besides
			}
		}
		var want []outcomeRow
		var net, taken int64
		for i, o := range orders {
			minor := int64(o.total) * 100
			off := min(minor, back[i])
			credited := false
			for _, m := range messages {
				if m.person == o.person && o.at >= m.at && o.at-m.at <= m.window {
					want = append(want, outcomeRow{m.id, fmt.Sprint("order:", i), minor, off})
					credited = credited || !m.held
				}
			}
			if credited {
				net, taken = net+minor-off, taken+off
			}
		}
		slices.SortFunc(want, func(a, b outcomeRow) int {
			return slices.Compare([]string{a.Message, a.Key}, []string{b.Message, b.Key})
		})
		if len(events) > 0 {
			events = append(events, rapid.SliceOfN(rapid.SampledFrom(events), 0, 4).Draw(rt, "repeated")...)
		}
		events = rapid.Permutation(events).Draw(rt, "order")
		for len(events) > 0 {
			n := rapid.IntRange(1, len(events)).Draw(rt, "batch")
			f.receive(slices.Clone(events[:n])...)
			events = events[n:]
		}
		if d := cmp.Diff(want, f.outcomes(), cmpopts.EquateEmpty()); d != "" {
			rt.Fatalf("outcomes (-want +got):\n%s", d)
		}
		if c := f.counts(); c.Revenue["EUR"] != net || c.Refunded["EUR"] != taken {
			rt.Fatalf("credited %d and took off %d, want %d and %d", c.Revenue["EUR"], c.Refunded["EUR"], net, taken)
		}
	})
}

// A receipt is no reason to buy: the order goes to the letter before it.
func TestAMessageForNothingTakesNoCredit(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	letter := f.enqueue(f.request(1))[0].MessageID
	receipt := f.enqueue(f.request(1, func(r *outbox.Request) { r.Goal, r.Key = outbox.Goal{None: true}, "receipt" }))[0].MessageID
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(letter, outbox.Sent)
	f.untilState(receipt, outbox.Sent)
	nameless := order(1, "n1", `{"total": 5, "currency": "EUR"}`, time.Minute)
	nameless.Type, nameless.Name = event.Identify, ""
	f.receive(order(1, "o1", `{"total": 10, "currency": "EUR"}`, time.Minute), nameless)
	got := map[string]int{}
	for _, id := range []string{letter, receipt} {
		list, err := f.Conversions(t.Context(), ws, id)
		if err != nil {
			t.Fatal(err)
		}
		got[id] = len(list)
	}
	if got[letter] != 1 || got[receipt] != 0 {
		t.Errorf("credited to letter and receipt: %d, %d", got[letter], got[receipt])
	}
	for _, o := range f.outcomes() {
		if o.Message == receipt {
			t.Errorf("the receipt has an outcome: %+v", o)
		}
	}
}
