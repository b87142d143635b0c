package invoice_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/invoice"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const ws = "ws_1"

var tokyo = time.FixedZone("JST", 9*3600)

type fixture struct {
	*invoice.Service
	clock  *clock.Fixed
	db     *sqldb.DB
	events []event.Event
	fail   error // what Emit answers
}

func (f *fixture) Emit(_ context.Context, events ...event.Event) error {
	if f.fail != nil {
		return f.fail
	}
	f.events = append(f.events, events...)
	return nil
}

func (f *fixture) PersonIDs(_ context.Context, _ string, nums []uint64) (map[uint64]string, error) {
	out := map[uint64]string{}
	for _, n := range nums {
		if n < 100 {
			out[n] = fmt.Sprintf("per_%d", n)
		}
	}
	return out, nil
}

func (f *fixture) CheckPerson(_ context.Context, _, id string) (string, error) {
	if id == "per_none" {
		return "", errs.NotFound("person", id)
	}
	return id, nil
}

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, tokyo)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func setup(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{clock: clock.NewFixed(at("2026-03-01 12:00")), db: sqldbtest.Open(t, sqldb.SQLite)}
	f.Service = invoice.New(invoice.Config{
		Store: sqlstore.NewInvoice(f.db), Tx: f.db, Emitter: f, People: f, Clock: f.clock, Log: slog.New(slog.DiscardHandler),
		Zone: func(context.Context, string) (*time.Location, error) { return tokyo, nil },
	})
	return f
}

// to moves the clock and looks at what falls due on the way, once at the end.
func (f *fixture) to(t *testing.T, text string) {
	t.Helper()
	f.clock.Set(at(text))
	if _, err := f.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// said returns name and step of the events since the last call, those about statements left out.
func (f *fixture) said() []string {
	out := []string{}
	for _, e := range f.events {
		var p struct{ Step int }
		_ = json.Unmarshal(e.Properties, &p)
		switch e.Name {
		case invoice.BecameOverdue:
			out = append(out, "overdue")
		case invoice.ReminderDue:
			out = append(out, fmt.Sprintf("reminder %d", p.Step))
		}
	}
	f.events = nil
	return out
}

func (f *fixture) expect(t *testing.T, when string, want ...string) {
	t.Helper()
	f.to(t, when)
	if got := f.said(); !slices.Equal(got, want) {
		t.Errorf("at %s: got %v, want %v", when, got, want)
	}
}

func draft(number, due string) invoice.Draft {
	return invoice.Draft{Number: number, Person: "per_1", Terms: invoice.Terms{Title: "Plan", Amount: 5000, Currency: "JPY", DueOn: due, URL: "https://pay.example/1"}}
}

func issue(t *testing.T, f *fixture, d invoice.Draft) invoice.Invoice {
	t.Helper()
	i, err := f.Issue(t.Context(), ws, d)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestRemindersFallDueOnTheirDaysAndStopOnPayment(t *testing.T) {
	f := setup(t)
	i := issue(t, f, draft("A-1", "2026-03-31"))
	f.said()
	f.expect(t, "2026-03-28 08:59")
	f.expect(t, "2026-03-28 09:00", "reminder 1")
	f.expect(t, "2026-03-31 23:59")
	f.expect(t, "2026-04-01 00:00", "overdue")
	f.expect(t, "2026-04-01 09:00", "reminder 2")
	f.expect(t, "2026-04-08 08:00")
	if got, err := f.Pay(t.Context(), ws, i.ID, "p1", 4999); err != nil || got.Status() != invoice.Overdue || got.Outstanding() != 1 {
		t.Fatalf("paid in part: %v, %d outstanding, %v", got.Status(), got.Outstanding(), err)
	}
	f.said()
	f.expect(t, "2026-04-08 09:00", "reminder 3")
	if got, err := f.Pay(t.Context(), ws, i.ID, "p2", 1); err != nil || got.Status() != invoice.Paid || got.Outstanding() != 0 {
		t.Fatalf("paid: %v, %v", got.Status(), err)
	}
	f.said()
	f.expect(t, "2026-06-01 09:00")
	got, payments, err := f.Get(t.Context(), ws, i.ID)
	if err != nil || len(payments) != 2 || len(got.Reminders) != 3 || !got.Next.IsZero() {
		t.Errorf("in the end: %+v, %v, %v", got, payments, err)
	}
}

func TestMissedRemindersFallDueAsOne(t *testing.T) {
	f := setup(t)
	issue(t, f, draft("A-1", "2026-03-31"))
	f.said()
	f.expect(t, "2026-04-20 10:00", "overdue", "reminder 4")
	f.expect(t, "2026-05-20 10:00")
}

// A mail that says "is due on the 31st" must not go on the first: after a standstill, or for an invoice that was issued late.
func TestWhatWasToComeBeforeTheDueDateDoesNotComeAfterIt(t *testing.T) {
	f := setup(t)
	issue(t, f, draft("A-1", "2026-03-31"))
	f.said()
	f.expect(t, "2026-04-01 03:00", "overdue")
	f.expect(t, "2026-04-01 09:00", "reminder 2")
	f.clock.Set(at("2026-05-01 08:00"))
	issue(t, f, draft("B-1", "2026-04-30"))
	if got := f.said(); !slices.Equal(got, []string{"overdue"}) {
		t.Errorf("issued on the day after it was due: %v", got)
	}
	f.clock.Set(at("2026-05-01 08:30"))
	issue(t, f, draft("C-1", "2026-05-01"))
	if got := f.said(); !slices.Equal(got, []string{"reminder 1"}) {
		t.Errorf("issued on the very day it is due: %v", got)
	}
}

func TestAMissedReminderIsLeftOutWhereTheNextFollowsSoon(t *testing.T) {
	f := setup(t)
	issue(t, f, draft("A-1", "2026-03-31"))
	f.said()
	f.expect(t, "2026-04-08 08:00", "overdue") // a standstill over the day of reminder 2, an hour before reminder 3
	f.expect(t, "2026-04-08 09:00", "reminder 3")
	issue(t, f, draft("B-1", "2026-04-07")) // its reminder 2 was due this very minute
	if got := f.said(); !slices.Equal(got, []string{"overdue", "reminder 2"}) {
		t.Errorf("%v", got)
	}
	f.expect(t, "2026-04-14 10:00")
	f.expect(t, "2026-04-15 09:00", "reminder 4", "reminder 3")
}

func TestMoneyGivenBackOpensTheInvoiceAgain(t *testing.T) {
	f := setup(t)
	i := issue(t, f, draft("A-1", "2026-03-31"))
	for n, amount := range []int64{5000, 5000, -5000} {
		key := []string{"a", "a", "b"}[n]
		if _, err := f.Pay(t.Context(), ws, i.ID, key, amount); err != nil {
			t.Fatal(err)
		}
	}
	got, _, err := f.Get(t.Context(), ws, i.ID)
	if err != nil || got.Status() != invoice.Open || got.Outstanding() != 5000 {
		t.Errorf("%v, %d outstanding, %v", got.Status(), got.Outstanding(), err)
	}
	f.said()
	f.expect(t, "2026-03-28 09:00", "reminder 1")
}

func TestAnotherDueDateBeginsThePlanAnew(t *testing.T) {
	f := setup(t)
	issue(t, f, draft("A-1", "2026-03-31"))
	f.said()
	f.expect(t, "2026-04-01 09:00", "overdue", "reminder 2")
	put := issue(t, f, draft("A-1", "2026-04-30"))
	if put.Status() != invoice.Open || len(put.Reminders) != 0 {
		t.Errorf("put off: %v, %v", put.Status(), put.Reminders)
	}
	f.said()
	f.expect(t, "2026-04-27 09:00", "reminder 1")
	f.expect(t, "2026-05-01 00:00", "overdue")
}

func TestANewPlanDoesNotMakeUpForThePast(t *testing.T) {
	f := setup(t)
	issue(t, f, draft("A-1", "2026-03-31"))
	f.said()
	f.expect(t, "2026-04-02 12:00", "overdue", "reminder 2")
	if err := f.SetPlan(t.Context(), ws, invoice.Plan{Days: []int{1, 2, 5}, At: "10:00"}); err != nil {
		t.Fatal(err)
	}
	f.expect(t, "2026-04-02 12:01")
	f.expect(t, "2026-04-05 10:00", "reminder 3")
}

func TestWhatCannotBeIsRefusedWithItsField(t *testing.T) {
	f := setup(t)
	good := draft("A-1", "2026-03-31")
	for field, spoil := range map[string]func(*invoice.Draft){
		"number":   func(d *invoice.Draft) { d.Number = "" },
		"amount":   func(d *invoice.Draft) { d.Amount = 0 },
		"currency": func(d *invoice.Draft) { d.Currency = "yen" },
		"due_on":   func(d *invoice.Draft) { d.DueOn = "31.03.2026" },
		"url":      func(d *invoice.Draft) { d.URL = "javascript:alert(1)" },
	} {
		d := good
		spoil(&d)
		_, err := f.Issue(t.Context(), ws, d)
		if all := errs.All(err); len(all) != 1 || all[0].Field != field || all[0].Kind != errs.KindInvalid {
			t.Errorf("%s: %v", field, err)
		}
	}
	d := good
	d.Person = "per_none"
	if _, err := f.Issue(t.Context(), ws, d); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("an unknown person: %v", err)
	}
	for _, p := range []invoice.Plan{{At: "9"}, {At: "09:00", Days: []int{2, 1}}, {At: "09:00", Days: []int{400}}} {
		if err := f.SetPlan(t.Context(), ws, p); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("plan %+v: %v", p, err)
		}
	}
	i := issue(t, f, good)
	if _, err := f.Cancel(t.Context(), ws, i.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Pay(t.Context(), ws, i.ID, "k", 1); !errs.Is(err, errs.KindConflict) {
		t.Errorf("paying what was taken back: %v", err)
	}
	if len(f.events) != 2 {
		t.Errorf("%d events for two statements", len(f.events))
	}
}

func TestAReminderIsNeitherLostNorDoubledWhenItCannotBeSaid(t *testing.T) {
	f := setup(t)
	issue(t, f, draft("A-1", "2026-03-31"))
	f.said()
	f.clock.Set(at("2026-03-28 09:00"))
	f.fail = errs.Unavailable("test", "no")
	if _, err := f.Tick(t.Context()); err == nil {
		t.Fatal("the failure was swallowed")
	}
	f.fail = nil
	f.expect(t, "2026-03-28 09:01", "reminder 1")
	f.expect(t, "2026-03-28 09:02")
}

func kept(name, id string, e time.Time, origin event.Origin, properties string) event.Kept {
	return event.Kept{Person: 1, Event: event.Event{Workspace: ws, MessageID: id, Type: event.Track, Name: name, Time: e, Origin: origin, Properties: json.RawMessage(properties)}}
}

func TestAnEventFromABrowserSaysNothing(t *testing.T) {
	f := setup(t)
	props := `{"invoice_id":"A-1","total":"50.25","currency":"eur","due_date":"2026-03-31T23:30:00Z"}`
	if err := f.ApplyEvents(t.Context(), []event.Kept{kept(invoice.Issued, "m1", f.clock.Now(), event.Browser, props)}); err != nil {
		t.Fatal(err)
	}
	if all, err := f.Totals(t.Context(), ws); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	if err := f.ApplyEvents(t.Context(), []event.Kept{kept(invoice.Issued, "m1", f.clock.Now(), event.Server, props)}); err != nil {
		t.Fatal(err)
	}
	all, err := f.List(t.Context(), ws, invoice.Filter{Person: "per_1"}, page.Request{Limit: 10})
	if err != nil || len(all.Items) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	// half past eleven in the evening UTC is the next day in the workspace's zone
	want := invoice.Terms{Amount: 5025, Currency: "EUR", DueOn: "2026-04-01"}
	if got := all.Items[0].Terms; got != want {
		t.Errorf("terms %+v, want %+v", got, want)
	}
}

// Whatever the order and however often they come, the same statements make the same invoice.
func TestAnyOrderOfEventsMakesTheSameInvoice(t *testing.T) {
	base := at("2026-03-01 12:00")
	f := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(rt, "events")
		var events []event.Kept
		for k := range n {
			when := base.Add(time.Duration(rapid.IntRange(0, 4).Draw(rt, "hour")) * time.Hour)
			id := fmt.Sprintf("m%d", k)
			switch rapid.IntRange(0, 4).Draw(rt, "kind") {
			case 0, 1:
				amount := rapid.IntRange(1, 5).Draw(rt, "amount")
				events = append(events, kept(invoice.Issued, id, when, event.Server, fmt.Sprintf(`{"invoice_id":"A","total":%d,"currency":"JPY","due_date":"2026-04-%02d"}`, amount, amount)))
			case 2:
				events = append(events, kept(invoice.PaymentReceived, id, when, event.Server,
					fmt.Sprintf(`{"invoice_id":"A","amount":%d,"currency":"JPY","payment_id":"p%d"}`, rapid.IntRange(-2, 4).Draw(rt, "paid"), k%3)))
			case 3:
				events = append(events, kept(invoice.PaidInFull, id, when, event.Server, `{"invoice_id":"A"}`))
			case 4:
				events = append(events, kept(invoice.Voided, id, when, event.Server, `{"invoice_id":"A"}`))
			}
		}
		run := func(order []event.Kept) invoice.Invoice {
			for _, table := range []string{"invoice", "invoice_payment"} {
				if _, err := f.db.Exec(t.Context(), "DELETE FROM "+table); err != nil {
					rt.Fatal(err)
				}
			}
			for _, e := range order {
				if err := f.ApplyEvents(t.Context(), []event.Kept{e}); err != nil {
					rt.Fatal(err)
				}
			}
			i, err := sqlstore.NewInvoice(f.db).ByNumber(t.Context(), ws, "A")
			if err != nil {
				rt.Fatal(err)
			}
			return i
		}
		want := run(events)
		shuffled := rapid.Permutation(append(slices.Clone(events), events[0])).Draw(rt, "order")
		got := run(shuffled)
		ignore := cmpopts.IgnoreFields(invoice.Invoice{}, "ID", "Rev", "Reminders", "Checked", "OverdueAt")
		if diff := cmp.Diff(want, got, ignore); diff != "" {
			rt.Fatalf("in another order (-first +other):\n%s", diff)
		}
	})
}
