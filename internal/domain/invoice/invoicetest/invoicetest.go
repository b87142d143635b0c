// Package invoicetest holds the suite that every invoice.Store passes.
package invoicetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/invoice"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws, other = "ws_1", "ws_2"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) invoice.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, invoice.Store){
		"an invoice comes back as it was stored":                           roundTrip,
		"a number is taken once, and a change needs the present revision":  revisions,
		"an invoice without terms is found by number alone":                stub,
		"the list pages latest first and filters":                          list,
		"totals count and sum what is outstanding":                         totals,
		"a payment counts once by its key":                                 payments,
		"what is due comes earliest first":                                 due,
		"a plan makes open invoices due, with reminders before decided on": plan,
		"a takeover moves invoices":                                        takeOver,
		"workspaces do not see each other":                                 isolation,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func sample(n int, person string) invoice.Invoice {
	at := t0.Add(time.Duration(n) * time.Hour)
	return invoice.Invoice{
		ID: fmt.Sprintf("inv_%d", n), Number: fmt.Sprintf("A-%d", n), Person: person,
		Terms:    invoice.Terms{Title: "請求書", Amount: 1000, Currency: "JPY", DueOn: "2026-03-31", URL: "https://pay.example/1"},
		IssuedAt: at, TermsAt: at, TermsBy: "m", CreatedAt: at, UpdatedAt: at, Next: at.Add(time.Hour),
	}
}

func put(t *testing.T, s invoice.Store, ws string, all ...invoice.Invoice) {
	t.Helper()
	for _, i := range all {
		must(t, s.Put(t.Context(), ws, i))
	}
}

func roundTrip(t *testing.T, s invoice.Store) {
	i := sample(1, "per_1")
	i.Received, i.Settled, i.PaidAt, i.VoidedAt, i.OverdueAt = 300, t0, t0.Add(1), t0.Add(time.Second), t0.Add(time.Minute)
	i.PaidAt = t0.Add(time.Second)
	i.Reminders = []invoice.Reminder{{Step: 1, Day: -3, At: t0}}
	i.Checked, i.Next = t0.Add(time.Hour), t0.Add(2*time.Hour)
	put(t, s, ws, i)
	i.Rev = 1
	got, err := s.Get(t.Context(), ws, i.ID)
	must(t, err)
	equal(t, "by id", i, got)
	got, err = s.ByNumber(t.Context(), ws, i.Number)
	must(t, err)
	equal(t, "by number", i, got)

	i.Terms = invoice.Terms{Title: "t", Amount: 5, Currency: "EUR", DueOn: "2026-04-01"}
	i.Person, i.TermsAt, i.TermsBy, i.IssuedAt = "per_2", t0.Add(time.Second), "n", t0.Add(-time.Hour)
	i.Received, i.Settled, i.PaidAt, i.VoidedAt, i.OverdueAt, i.Reminders, i.Checked, i.Next = 0, time.Time{}, time.Time{}, time.Time{}, time.Time{}, nil, time.Time{}, time.Time{}
	put(t, s, ws, i)
	i.Rev = 2
	got, err = s.Get(t.Context(), ws, i.ID)
	must(t, err)
	equal(t, "after a change", i, got)
}

func revisions(t *testing.T, s invoice.Store) {
	i := sample(1, "per_1")
	put(t, s, ws, i)
	if err := s.Put(t.Context(), ws, i); !errs.Is(err, errs.KindConflict) {
		t.Errorf("the number again: got %v, want a conflict", err)
	}
	i.Rev = 7
	if err := s.Put(t.Context(), ws, i); !errs.Is(err, errs.KindConflict) {
		t.Errorf("another revision: got %v, want a conflict", err)
	}
	for _, id := range []string{"inv_none", ""} {
		if _, err := s.Get(t.Context(), ws, id); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("unknown id: got %v, want not_found", err)
		}
	}
	if _, err := s.ByNumber(t.Context(), ws, "B-1"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("unknown number: got %v, want not_found", err)
	}
}

func stub(t *testing.T, s invoice.Store) {
	put(t, s, ws, invoice.Invoice{ID: "inv_1", Number: "A-1", CreatedAt: t0, UpdatedAt: t0})
	got, err := s.ByNumber(t.Context(), ws, "A-1")
	must(t, err)
	if got.Known() {
		t.Error("it has terms")
	}
	if _, err := s.Get(t.Context(), ws, "inv_1"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("by id: got %v, want not_found", err)
	}
	all, err := s.List(t.Context(), ws, invoice.Filter{}, page.Request{})
	must(t, err)
	sums, err := s.Totals(t.Context(), ws)
	must(t, err)
	if len(all.Items)+len(sums) != 0 {
		t.Errorf("it is listed: %v, %v", all.Items, sums)
	}
}

func numbers(p page.Of[invoice.Invoice]) (out []string) {
	for _, i := range p.Items {
		out = append(out, i.Number)
	}
	return out
}

func list(t *testing.T, s invoice.Store) {
	a, b, c, d := sample(1, "per_1"), sample(2, "per_2"), sample(3, "per_1"), sample(4, "per_1")
	b.IssuedAt = c.IssuedAt // the id decides
	d.VoidedAt = t0
	put(t, s, ws, a, b, c, d)
	first, err := s.List(t.Context(), ws, invoice.Filter{}, page.Request{Limit: 3})
	must(t, err)
	equal(t, "first page", []string{"A-4", "A-3", "A-2"}, numbers(first))
	second, err := s.List(t.Context(), ws, invoice.Filter{}, page.Request{Limit: 3, Cursor: first.Next})
	must(t, err)
	equal(t, "second page", []string{"A-1"}, numbers(second))
	if second.Next != "" {
		t.Error("the last page has a next one")
	}
	mine, err := s.List(t.Context(), ws, invoice.Filter{Person: "per_1", Status: invoice.Open}, page.Request{})
	must(t, err)
	equal(t, "open ones of a person", []string{"A-3", "A-1"}, numbers(mine))
}

func totals(t *testing.T, s invoice.Store) {
	a, b, c, d := sample(1, "p"), sample(2, "p"), sample(3, "p"), sample(4, "p")
	a.Received = 400
	b.OverdueAt, b.Received = t0, 5000 // more than owed, yet reopened: nothing outstanding
	c.PaidAt = t0
	d.Currency = "EUR"
	put(t, s, ws, a, b, c, d)
	got, err := s.Totals(t.Context(), ws)
	must(t, err)
	equal(t, "totals", []invoice.Total{
		{Status: invoice.Open, Currency: "EUR", Count: 1, Outstanding: 1000},
		{Status: invoice.Open, Currency: "JPY", Count: 1, Outstanding: 600},
		{Status: invoice.Overdue, Currency: "JPY", Count: 1},
		{Status: invoice.Paid, Currency: "JPY", Count: 1},
	}, got)
}

func payments(t *testing.T, s invoice.Store) {
	ctx := t.Context()
	for _, c := range []struct {
		p     invoice.Payment
		added bool
	}{
		{invoice.Payment{Number: "A", Key: "2", Amount: 20, At: t0.Add(time.Hour)}, true},
		{invoice.Payment{Number: "A", Key: "1", Amount: -10, At: t0}, true},
		{invoice.Payment{Number: "A", Key: "2", Amount: 20, At: t0.Add(2 * time.Hour)}, false},
		{invoice.Payment{Number: "A", Key: "2", Amount: 21, At: t0.Add(time.Hour)}, false},
		{invoice.Payment{Number: "A", Key: "2", Amount: 19, At: t0.Add(time.Minute)}, true},
		{invoice.Payment{Number: "A", Key: "2", Amount: 18, At: t0.Add(time.Minute)}, true},
		{invoice.Payment{Number: "B", Key: "2", Amount: 5, At: t0}, true},
	} {
		added, err := s.AddPayment(ctx, ws, c.p)
		must(t, err)
		if added != c.added {
			t.Errorf("%+v added: %v", c.p, added)
		}
	}
	got, err := s.Payments(ctx, ws, "A")
	must(t, err)
	equal(t, "payments", []invoice.Payment{{Number: "A", Key: "1", Amount: -10, At: t0}, {Number: "A", Key: "2", Amount: 18, At: t0.Add(time.Minute)}}, got)
}

func due(t *testing.T, s invoice.Store) {
	a, b, c, never := sample(1, "p"), sample(2, "p"), sample(3, "p"), sample(4, "p")
	never.Next = time.Time{}
	put(t, s, ws, b, c, never)
	put(t, s, other, a)
	got, err := s.Due(t.Context(), b.Next, 10)
	must(t, err)
	equal(t, "due", []invoice.Due{{Workspace: other, Number: "A-1"}, {Workspace: ws, Number: "A-2"}}, got)
	got, err = s.Due(t.Context(), c.Next, 1)
	must(t, err)
	equal(t, "one at a time", []invoice.Due{{Workspace: other, Number: "A-1"}}, got)
}

func plan(t *testing.T, s invoice.Store) {
	ctx := t.Context()
	if _, ok, err := s.Plan(ctx, ws); ok || err != nil {
		t.Fatalf("a plan before there is one: %v, %v", ok, err)
	}
	open, paid, foreign := sample(1, "p"), sample(2, "p"), sample(3, "p")
	open.Next, paid.PaidAt, paid.Next = time.Time{}, t0, time.Time{}
	put(t, s, ws, open, paid)
	put(t, s, other, foreign)
	now := t0.Add(100 * time.Hour)
	want := invoice.Plan{Days: []int{-1, 2}, At: "10:30"}
	must(t, s.PutPlan(ctx, ws, invoice.DefaultPlan(), t0))
	must(t, s.PutPlan(ctx, ws, want, now))
	got, ok, err := s.Plan(ctx, ws)
	must(t, err)
	if !ok {
		t.Error("there is no plan")
	}
	equal(t, "plan", want, got)
	i, err := s.ByNumber(ctx, ws, open.Number)
	must(t, err)
	if !i.Next.Equal(now) || !i.Checked.Equal(now) {
		t.Errorf("open: next %v, checked %v, want %v", i.Next, i.Checked, now)
	}
	if i, err = s.ByNumber(ctx, ws, paid.Number); err != nil || !i.Next.IsZero() {
		t.Errorf("paid: next %v, %v", i.Next, err)
	}
	if i, err = s.ByNumber(ctx, other, foreign.Number); err != nil || !i.Next.Equal(foreign.Next) {
		t.Errorf("of another workspace: next %v, %v", i.Next, err)
	}
}

func takeOver(t *testing.T, s invoice.Store) {
	put(t, s, ws, sample(1, "per_1"), sample(2, "per_2"))
	must(t, s.TakeOver(t.Context(), ws, "per_1", "per_2"))
	got, err := s.List(t.Context(), ws, invoice.Filter{Person: "per_2"}, page.Request{})
	must(t, err)
	equal(t, "the winner's", []string{"A-2", "A-1"}, numbers(got))
}

func isolation(t *testing.T, s invoice.Store) {
	ctx := t.Context()
	put(t, s, ws, sample(1, "per_1"))
	if _, err := s.AddPayment(ctx, ws, invoice.Payment{Number: "A-1", Key: "k", Amount: 1, At: t0}); err != nil {
		t.Fatal(err)
	}
	must(t, s.PutPlan(ctx, ws, invoice.DefaultPlan(), t0))
	if _, err := s.Get(ctx, other, "inv_1"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("by id: %v", err)
	}
	if _, err := s.ByNumber(ctx, other, "A-1"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("by number: %v", err)
	}
	all, err := s.List(ctx, other, invoice.Filter{}, page.Request{})
	must(t, err)
	sums, err := s.Totals(ctx, other)
	must(t, err)
	paid, err := s.Payments(ctx, other, "A-1")
	must(t, err)
	if len(all.Items)+len(sums)+len(paid) > 0 {
		t.Errorf("another workspace sees %v, %v, %v", all.Items, sums, paid)
	}
	if _, ok, err := s.Plan(ctx, other); ok || err != nil {
		t.Errorf("another workspace's plan: %v, %v", ok, err)
	}
	must(t, s.TakeOver(ctx, other, "per_1", "per_2"))
	if i, err := s.Get(ctx, ws, "inv_1"); err != nil || i.Person != "per_1" {
		t.Errorf("another workspace's takeover moved it: %v, %v", i.Person, err)
	}
	i := sample(1, "per_9")
	put(t, s, other, i) // the same number and id are free there
}
