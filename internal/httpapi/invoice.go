package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/invoice"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// Invoice is one demand for payment.
type Invoice struct {
	ID string `json:"id"`
	InvoiceDraft
	Status      string            `json:"status" enum:"open,overdue,paid,void"`
	Received    int64             `json:"received" doc:"sum of payments in minor units"`
	Outstanding int64             `json:"outstanding" doc:"what is still owed, in minor units"`
	OverdueAt   *time.Time        `json:"overdue_at,omitempty"`
	PaidAt      *time.Time        `json:"paid_at,omitempty"`
	VoidedAt    *time.Time        `json:"voided_at,omitempty"`
	Reminders   []InvoiceReminder `json:"reminders" doc:"those that have fallen due"`
	Payments    []InvoicePayment  `json:"payments,omitempty" doc:"of one invoice; lists leave them out"`
	UpdatedAt   time.Time         `json:"updated_at"`
}

// InvoiceDraft is what an invoice says.
type InvoiceDraft struct {
	Number   string     `json:"number" maxLength:"100" doc:"the issuer's own, unique in the workspace"`
	Person   string     `json:"person"`
	Title    string     `json:"title,omitempty" maxLength:"300"`
	Amount   int64      `json:"amount" doc:"minor units: 1999 for 19.99 euros, 1999 for 1999 yen"`
	Currency string     `json:"currency" doc:"ISO 4217, such as JPY"`
	DueOn    string     `json:"due_on" doc:"day, such as 2026-12-31, in the workspace's zone"`
	URL      string     `json:"url,omitempty" doc:"where it can be paid"`
	IssuedAt *time.Time `json:"issued_at,omitempty" doc:"now if left out"`
}

// InvoiceReminder is one that has fallen due; what it says and where it goes is up to the journey that starts on it.
type InvoiceReminder struct {
	Step int       `json:"step"`
	Day  int       `json:"day" doc:"days after the due date; negative: before"`
	At   time.Time `json:"at"`
}

// InvoicePayment is money received, or given back if negative.
type InvoicePayment struct {
	Key    string    `json:"key" doc:"what tells this payment from others; sent again with the same key it counts once"`
	Amount int64     `json:"amount" doc:"minor units"`
	At     time.Time `json:"at"`
}

// InvoiceTotals is a row for each status and currency.
type InvoiceTotals struct {
	Totals []InvoiceTotal `json:"totals"`
}

// InvoiceTotal is a sum over invoices.
type InvoiceTotal struct {
	Status      string `json:"status"`
	Currency    string `json:"currency"`
	Count       int64  `json:"count"`
	Outstanding int64  `json:"outstanding" doc:"minor units"`
}

// ReminderPlan says when reminders fall due.
type ReminderPlan struct {
	Days []int  `json:"days" maxItems:"10" doc:"days after the due date, ascending; negative: before; empty: no reminders"`
	At   string `json:"at" doc:"time of day in the workspace's zone, such as 09:00"`
}

func invoiceShape(i invoice.Invoice) Invoice {
	issued := i.IssuedAt
	out := Invoice{
		ID: i.ID, Status: string(i.Status()), Received: i.Received, Outstanding: i.Outstanding(), OverdueAt: moment(i.OverdueAt), PaidAt: moment(i.PaidAt), VoidedAt: moment(i.VoidedAt),
		Reminders: make([]InvoiceReminder, 0, len(i.Reminders)), UpdatedAt: i.UpdatedAt,
		InvoiceDraft: InvoiceDraft{Number: i.Number, Person: i.Person, Title: i.Title, Amount: i.Amount, Currency: i.Currency, DueOn: i.DueOn, URL: i.URL, IssuedAt: &issued},
	}
	for _, r := range i.Reminders {
		out.Reminders = append(out.Reminders, InvoiceReminder(r))
	}
	return out
}

func (a *api) invoiceRoutes() {
	s := a.c.Invoices
	write := func(ctx context.Context, action string, do func(ctx context.Context) (invoice.Invoice, error)) (*body[Invoice], error) {
		i, err := changed(ctx, a, action, "invoice", func(i invoice.Invoice) string { return i.ID }, do)
		return answer(invoiceShape(i)), err
	}
	type filtered struct {
		Paging
		Person string `query:"person"`
		Status string `query:"status" enum:"open,overdue,paid,void"`
	}
	route(a, http.MethodGet, "/invoices", "invoice-list", "Invoices, the latest issued first", staff.PeopleRead, func(ctx context.Context, in *filtered) (*body[List[Invoice]], error) {
		if in.Person != "" {
			if err := a.saw(ctx, in.Person); err != nil {
				return nil, err
			}
		}
		found, err := s.List(ctx, workspaceOf(ctx), invoice.Filter{Person: in.Person, Status: invoice.Status(in.Status)}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, invoiceShape), nil
	})
	route(a, http.MethodGet, "/invoices/totals", "invoice-totals", "How many invoices there are and what is outstanding", staff.PeopleRead, func(ctx context.Context, _ *nothing) (*body[InvoiceTotals], error) {
		all, err := s.Totals(ctx, workspaceOf(ctx))
		out := InvoiceTotals{Totals: make([]InvoiceTotal, 0, len(all))}
		for _, t := range all {
			out.Totals = append(out.Totals, InvoiceTotal{string(t.Status), t.Currency, t.Count, t.Outstanding})
		}
		return answer(out), err
	})
	route(a, http.MethodPut, "/invoices", "invoice-put", "Make an invoice, or give the one with this number new terms; the same again changes nothing", staff.PeopleWrite, func(ctx context.Context, in *in[InvoiceDraft]) (*body[Invoice], error) {
		d := invoice.Draft{Number: in.Body.Number, Person: in.Body.Person, Terms: invoice.Terms{Title: in.Body.Title, Amount: in.Body.Amount, Currency: in.Body.Currency, DueOn: in.Body.DueOn, URL: in.Body.URL}}
		if in.Body.IssuedAt != nil {
			d.IssuedAt = in.Body.IssuedAt.UTC()
		}
		return write(ctx, "put", func(ctx context.Context) (invoice.Invoice, error) { return s.Issue(ctx, workspaceOf(ctx), d) })
	})
	route(a, http.MethodGet, "/invoices/{id}", "invoice-get", "One invoice with its payments and reminders", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[Invoice], error) {
		i, payments, err := s.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		if err := a.saw(ctx, i.Person); err != nil {
			return nil, err
		}
		out := invoiceShape(i)
		for _, p := range payments {
			out.Payments = append(out.Payments, InvoicePayment{p.Key, p.Amount, p.At})
		}
		return answer(out), nil
	})
	type payment struct {
		Key    string `json:"key" maxLength:"100" doc:"what tells this payment from others; sent again with the same key it counts once"`
		Amount int64  `json:"amount" doc:"minor units; negative: money given back"`
	}
	route(a, http.MethodPost, "/invoices/{id}/payments", "invoice-pay", "Record a payment", staff.PeopleWrite, func(ctx context.Context, in *inAt[payment]) (*body[Invoice], error) {
		return write(ctx, "pay", func(ctx context.Context) (invoice.Invoice, error) {
			return s.Pay(ctx, workspaceOf(ctx), in.ID, in.Body.Key, in.Body.Amount)
		})
	})
	for verb, act := range map[string]struct {
		summary string
		do      func(ctx context.Context, ws, id string) (invoice.Invoice, error)
	}{
		"settle": {"State that an invoice is paid in full", s.Settle},
		"void":   {"Take an invoice back", s.Cancel},
	} {
		route(a, http.MethodPost, "/invoices/{id}/"+verb, "invoice-"+verb, act.summary, staff.PeopleWrite, func(ctx context.Context, in *IDPath) (*body[Invoice], error) {
			return write(ctx, verb, func(ctx context.Context) (invoice.Invoice, error) { return act.do(ctx, workspaceOf(ctx), in.ID) })
		})
	}
	route(a, http.MethodGet, "/invoice-plan", "invoice-plan-get", "When reminders of invoices fall due", staff.SettingsRead, func(ctx context.Context, _ *nothing) (*body[ReminderPlan], error) {
		p, err := s.Plan(ctx, workspaceOf(ctx))
		if p.Days == nil {
			p.Days = []int{}
		}
		return answer(ReminderPlan(p)), err
	})
	route(a, http.MethodPut, "/invoice-plan", "invoice-plan-put", "Change when reminders of invoices fall due; days that have passed are not made up for", staff.SettingsWrite, func(ctx context.Context, in *in[ReminderPlan]) (*body[ReminderPlan], error) {
		ws := workspaceOf(ctx)
		err := a.change(ctx, "update", "invoice_plan", ws, func(ctx context.Context) error { return s.SetPlan(ctx, ws, invoice.Plan(in.Body)) })
		return answer(in.Body), err
	})
}
