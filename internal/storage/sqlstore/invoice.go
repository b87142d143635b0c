package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/invoice"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Invoice implements invoice.Store.
type Invoice struct{ db *sqldb.DB }

// NewInvoice returns the store of invoices on db.
func NewInvoice(db *sqldb.DB) *Invoice { return &Invoice{db} }

var _ invoice.Store = (*Invoice)(nil)

const invoiceColumns = `number, id, person_id, title, amount, currency, due_on, url, issued_at, terms_at, terms_by, received, paid_at, settled_at,
	voided_at, overdue_at, status, reminders, checked_at, next_at, rev, created_at, updated_at`

func scanInvoice(r sqldb.Row) (i invoice.Invoice, err error) {
	var status, reminders string
	if err = r.Scan(&i.Number, &i.ID, &i.Person, &i.Title, &i.Amount, &i.Currency, &i.DueOn, &i.URL, &i.IssuedAt, &i.TermsAt, &i.TermsBy, &i.Received,
		&i.PaidAt, &i.Settled, &i.VoidedAt, &i.OverdueAt, &status, &reminders, &i.Checked, &i.Next, &i.Rev, &i.CreatedAt, &i.UpdatedAt); err != nil {
		return i, err
	}
	return i, json.Unmarshal([]byte(reminders), &i.Reminders)
}

func (s *Invoice) one(ctx context.Context, id, where string, args ...any) (invoice.Invoice, error) {
	i, err := sqldb.One(ctx, s.db, scanInvoice, `SELECT `+invoiceColumns+` FROM invoice WHERE `+where, args...)
	if errors.Is(err, sqldb.ErrNoRows) {
		return i, errs.NotFound("invoice", id)
	}
	return i, err
}

// ByNumber returns the invoice with a number.
func (s *Invoice) ByNumber(ctx context.Context, ws, number string) (invoice.Invoice, error) {
	return s.one(ctx, number, `workspace_id = $1 AND number = $2`, ws, number)
}

// Get returns the invoice with an id.
func (s *Invoice) Get(ctx context.Context, ws, id string) (invoice.Invoice, error) {
	return s.one(ctx, id, `workspace_id = $1 AND id = $2 AND due_on <> ''`, ws, id)
}

// Put writes an invoice.
func (s *Invoice) Put(ctx context.Context, ws string, i invoice.Invoice) error {
	reminders, err := json.Marshal(i.Reminders)
	if err != nil {
		return err
	}
	changed := errs.Conflict("invoice.changed", "the invoice %s has changed meanwhile; load it again and repeat the change", i.Number)
	args := []any{
		ws, i.Number, i.ID, i.Person, i.Title, i.Amount, i.Currency, i.DueOn, i.URL, i.IssuedAt, i.TermsAt, i.TermsBy, i.Received, i.PaidAt, i.Settled,
		i.VoidedAt, i.OverdueAt, string(i.Status()), string(reminders), i.Checked, i.Next, i.Rev, i.CreatedAt, i.UpdatedAt,
	}
	if i.Rev == 0 {
		args[21] = 1
		n, err := s.db.Exec(ctx, `INSERT INTO invoice (workspace_id, `+invoiceColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
			ON CONFLICT (workspace_id, number) DO NOTHING`, args...)
		if err == nil && n == 0 {
			return changed
		}
		return err
	}
	n, err := s.db.Exec(ctx, `UPDATE invoice SET person_id = $4, title = $5, amount = $6, currency = $7, due_on = $8, url = $9, issued_at = $10, terms_at = $11,
		terms_by = $12, received = $13, paid_at = $14, settled_at = $15, voided_at = $16, overdue_at = $17, status = $18, reminders = $19, checked_at = $20,
		next_at = $21, rev = rev + 1, created_at = $23, updated_at = $24
		WHERE workspace_id = $1 AND number = $2 AND id = $3 AND rev = $22`, args...)
	if err == nil && n == 0 {
		return changed
	}
	return err
}

// List returns invoices.
func (s *Invoice) List(ctx context.Context, ws string, f invoice.Filter, p page.Request) (page.Of[invoice.Invoice], error) {
	at, id := latestTime, ""
	if _, err := page.Decode(p.Cursor, &at, &id); err != nil {
		return page.Of[invoice.Invoice]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanInvoice, `SELECT `+invoiceColumns+` FROM invoice
		WHERE workspace_id = $1 AND (issued_at, id) < ($2, $3) AND due_on <> '' AND ($4 = '' OR person_id = $4) AND ($5 = '' OR status = $5)
		ORDER BY issued_at DESC, id DESC LIMIT $6`, ws, at, id, f.Person, string(f.Status), p.Size()+1)
	return page.Cut(items, p.Size(), func(i invoice.Invoice) string { return page.Encode(i.IssuedAt, i.ID) }), err
}

// Totals sums invoices up.
func (s *Invoice) Totals(ctx context.Context, ws string) ([]invoice.Total, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (t invoice.Total, err error) {
		err = r.Scan((*string)(&t.Status), &t.Currency, &t.Count, &t.Outstanding)
		return t, err
	}, `SELECT status, currency, COUNT(*), CAST(SUM(CASE WHEN status IN ('open', 'overdue') AND amount > received THEN amount - received ELSE 0 END) AS BIGINT)
		FROM invoice WHERE workspace_id = $1 AND due_on <> '' GROUP BY status, currency ORDER BY status, currency`, ws)
}

// AddPayment records a payment.
func (s *Invoice) AddPayment(ctx context.Context, ws string, p invoice.Payment) (bool, error) {
	n, err := s.db.Exec(ctx, `INSERT INTO invoice_payment (workspace_id, number, payment_key, amount, paid_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (workspace_id, number, payment_key) DO UPDATE SET amount = excluded.amount, paid_at = excluded.paid_at
		WHERE (excluded.paid_at, excluded.amount) < (invoice_payment.paid_at, invoice_payment.amount)`, ws, p.Number, p.Key, p.Amount, p.At)
	return n > 0, err
}

// Payments returns the payments of an invoice.
func (s *Invoice) Payments(ctx context.Context, ws, number string) ([]invoice.Payment, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (p invoice.Payment, err error) {
		err = r.Scan(&p.Number, &p.Key, &p.Amount, &p.At)
		return p, err
	}, `SELECT number, payment_key, amount, paid_at FROM invoice_payment WHERE workspace_id = $1 AND number = $2 ORDER BY paid_at, payment_key`, ws, number)
}

// Due returns invoices to look at.
func (s *Invoice) Due(ctx context.Context, now time.Time, limit int) ([]invoice.Due, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (d invoice.Due, err error) {
		err = r.Scan(&d.Workspace, &d.Number)
		return d, err
	}, `SELECT workspace_id, number FROM invoice WHERE next_at > 0 AND next_at <= $1 ORDER BY next_at, workspace_id, number LIMIT $2`, now, limit)
}

// Plan returns the plan of a workspace.
func (s *Invoice) Plan(ctx context.Context, ws string) (p invoice.Plan, ok bool, err error) {
	raw, err := sqldb.One(ctx, s.db, sqldb.Value[string], `SELECT plan FROM invoice_plan WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	return p, true, json.Unmarshal([]byte(raw), &p)
}

// PutPlan writes the plan of a workspace.
func (s *Invoice) PutPlan(ctx context.Context, ws string, p invoice.Plan, now time.Time) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, `INSERT INTO invoice_plan (workspace_id, plan, updated_at) VALUES ($1, $2, $3)
			ON CONFLICT (workspace_id) DO UPDATE SET plan = excluded.plan, updated_at = excluded.updated_at`, ws, string(raw), now); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, `UPDATE invoice SET next_at = $2, checked_at = $2, rev = rev + 1
			WHERE workspace_id = $1 AND due_on <> '' AND status IN ('open', 'overdue')`, ws, now)
		return err
	})
}

// TakeOver gives invoices to another person.
func (s *Invoice) TakeOver(ctx context.Context, ws, loser, winner string) error {
	_, err := s.db.Exec(ctx, `UPDATE invoice SET person_id = $3, rev = rev + 1 WHERE workspace_id = $1 AND person_id = $2`, ws, loser, winner)
	return err
}
