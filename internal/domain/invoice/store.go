package invoice

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Payment is money received, or given back if negative.
type Payment struct {
	Number string // of the invoice
	Key    string // what makes it one payment however often it is reported
	Amount int64  // minor units
	At     time.Time
}

// Filter narrows a list of invoices.
type Filter struct {
	Person string
	Status Status
}

// Due names an invoice to look at.
type Due struct{ Workspace, Number string }

// Store keeps invoices, payments and plans. Every method takes part in the transaction of its context.
type Store interface {
	// ByNumber returns the invoice with this number, not_found if there is none.
	ByNumber(ctx context.Context, ws, number string) (Invoice, error)
	// Get returns the invoice with this id, not_found if there is none or its terms are not known.
	Get(ctx context.Context, ws, id string) (Invoice, error)
	// Put writes an invoice: a new one if Rev is 0, else the one of this Rev, which goes up by one. A number that is taken, or another
	// Rev, is a conflict "invoice.changed".
	Put(ctx context.Context, ws string, i Invoice) error
	// List returns invoices whose terms are known, the latest issued first.
	List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Invoice], error)
	// Totals returns, by status and currency, how many invoices there are and what is outstanding.
	Totals(ctx context.Context, ws string) ([]Total, error)

	// AddPayment records a payment, once for each key of the invoice: of several reports the earliest stands, and the smallest of the same moment, in
	// whatever order they come. It reports whether anything has changed.
	AddPayment(ctx context.Context, ws string, p Payment) (bool, error)
	// Payments returns the payments of an invoice, earliest first.
	Payments(ctx context.Context, ws, number string) ([]Payment, error)

	// Due returns up to limit invoices of all workspaces whose Next has come, the earliest first.
	Due(ctx context.Context, now time.Time, limit int) ([]Due, error)
	// Plan returns the workspace's plan, false if it has none of its own.
	Plan(ctx context.Context, ws string) (Plan, bool, error)
	// PutPlan writes the plan and makes every open invoice of the workspace due for a look, with reminders before now decided on.
	PutPlan(ctx context.Context, ws string, p Plan, now time.Time) error
	// TakeOver gives the loser's invoices to the winner.
	TakeOver(ctx context.Context, ws, loser, winner string) error
}

// Total is a sum over invoices.
type Total struct {
	Status      Status
	Currency    string
	Count       int64
	Outstanding int64 // minor units
}
