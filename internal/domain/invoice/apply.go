package invoice

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/money"
)

// Names of the events that state something about an invoice. Properties: invoice_id (its number); for Issued also total (major units),
// currency, due_date (2026-12-31, or a moment), title, url; for Payment Received amount (major units), payment_id. Issued again with other terms
// replaces them.
const (
	Issued          = "Invoice Issued"
	PaymentReceived = "Invoice Payment Received"
	PaidInFull      = "Invoice Paid"
	Voided          = "Invoice Voided"
)

// Names of the events that this package writes, besides PaidInFull once payments make an invoice paid. Properties as of Issued, and outstanding;
// for ReminderDue also step, day, and reminder_id, which tells reminders of all invoices apart.
const (
	BecameOverdue = "Invoice Overdue"
	ReminderDue   = "Invoice Reminder Due"
)

// statement is what one event says.
type statement struct {
	kind    string
	number  string
	person  string
	terms   Terms
	payment int64
	key     string
	at      time.Time
	by      string // message id
}

// ApplyEvents folds events into invoices. Idempotent, and indifferent to their order. An event that makes no sense as a statement about an
// invoice is passed over: it stays on the person's timeline, where its sender can see what is wrong with it.
func (s *Service) ApplyEvents(ctx context.Context, events []event.Kept) error {
	byWorkspace := map[string][]event.Kept{}
	for _, e := range events {
		switch e.Name {
		case Issued, PaymentReceived, PaidInFull, Voided:
			if (e.Type == event.Track || e.Type == event.Invoice) && e.Origin != event.Browser {
				byWorkspace[e.Workspace] = append(byWorkspace[e.Workspace], e)
			}
		}
	}
	for ws, evs := range byWorkspace {
		zone, err := s.c.Zone(ctx, ws)
		if err != nil {
			return err
		}
		nums := make([]uint64, len(evs))
		for i, e := range evs {
			nums[i] = e.Person
		}
		people, err := s.c.People.PersonIDs(ctx, ws, nums)
		if err != nil {
			return fmt.Errorf("find people: %w", err)
		}
		for _, e := range evs {
			st, ok := read(e, zone)
			if !ok {
				continue
			}
			if st.person = people[e.Person]; st.person == "" {
				continue
			}
			err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
				_, err := s.fold(ctx, ws, st)
				return err
			})
			if err != nil {
				return fmt.Errorf("apply %s: %w", e.MessageID, err)
			}
		}
	}
	return nil
}

// read makes a statement of an event, false if it is none.
func read(e event.Kept, zone *time.Location) (statement, bool) {
	st := statement{kind: e.Name, at: e.Time, by: e.MessageID}
	var p map[string]any
	dec := json.NewDecoder(bytes.NewReader(e.Properties))
	dec.UseNumber() // numbers of invoices that came as numbers keep their digits
	if dec.Decode(&p) != nil {
		return st, false
	}
	text := func(keys ...string) string {
		for _, k := range keys {
			switch v := p[k].(type) {
			case string:
				if v = strings.TrimSpace(v); v != "" {
					return v
				}
			case json.Number:
				return v.String()
			}
		}
		return ""
	}
	amount := func(currency string, keys ...string) (int64, bool) {
		major, err := strconv.ParseFloat(text(keys...), 64)
		if err != nil {
			return 0, false
		}
		return money.Minor(major, currency)
	}
	st.number = text("invoice_id", "number")
	currency := money.Currency(text("currency"))
	ok := true
	switch e.Name {
	case PaidInFull:
		// What this package concludes from payments is no statement: money given back would otherwise not open the invoice again.
		ok = e.Type == event.Track || p["settled"] == true
	case Issued:
		st.terms = Terms{Title: cut(text("title", "description"), maxTitle), Currency: currency, DueOn: day(text("due_date", "due_on", "due_at"), zone), URL: text("url")}
		if !webAddress(st.terms.URL) || len(st.terms.URL) > maxURL {
			st.terms.URL = ""
		}
		st.terms.Amount, ok = amount(currency, "total", "amount")
		ok = ok && st.terms.Validate() == nil
	case PaymentReceived:
		st.payment, ok = amount(currency, "amount", "total")
		if st.key = text("payment_id"); st.key == "" {
			st.key = e.MessageID
		}
	}
	return st, ok && validNumber(st.number) == nil
}

// day brings a date or a moment into the form of Terms.DueOn.
func day(text string, zone *time.Location) string {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.In(zone).Format(time.DateOnly)
	}
	return text
}

func cut(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	return strings.ToValidUTF8(text[:bytes], "")
}

func webAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// fold takes one statement into its invoice, inside the caller's transaction, and returns the invoice.
func (s *Service) fold(ctx context.Context, ws string, st statement) (Invoice, error) {
	now := s.c.Clock.Now()
	i, err := s.find(ctx, ws, st.number, now)
	if err != nil {
		return i, err
	}
	switch st.kind {
	case Issued:
		if i.Known() && (st.at.Before(i.TermsAt) || st.at.Equal(i.TermsAt) && st.by <= i.TermsBy) {
			if !st.at.Before(i.IssuedAt) {
				return i, nil
			}
			i.IssuedAt = st.at // older terms came late: they tell when it was first issued, no more
			return i, s.put(ctx, ws, &i)
		}
		if !i.Known() {
			// A live invoice that is late already is reminded of at once; one out of an import is not.
			if i.Checked = now; now.Sub(st.at) < 24*time.Hour {
				i.Checked = time.Time{}
			}
		}
		if i.DueOn != st.terms.DueOn {
			i.Reminders = nil // the plan begins anew with another due date
		}
		i.Terms, i.TermsAt, i.TermsBy, i.Person = st.terms, st.at, st.by, st.person
		if i.IssuedAt.IsZero() || st.at.Before(i.IssuedAt) {
			i.IssuedAt = st.at
		}
	case PaymentReceived:
		added, err := s.c.Store.AddPayment(ctx, ws, Payment{Number: st.number, Key: st.key, Amount: st.payment, At: st.at})
		if err != nil || !added {
			return i, err
		}
	case PaidInFull:
		if !i.Settled.IsZero() && !st.at.Before(i.Settled) {
			return i, nil
		}
		i.Settled = st.at
	case Voided:
		if !i.VoidedAt.IsZero() && !st.at.Before(i.VoidedAt) {
			return i, nil
		}
		i.VoidedAt = st.at
	}
	open := i.PaidAt.IsZero()
	if err := s.settle(ctx, ws, &i); err != nil {
		return i, err
	}
	if open && !i.PaidAt.IsZero() && st.kind != PaidInFull && i.Known() {
		if err := s.emit(ctx, ws, PaidInFull, fmt.Sprintf("invoice:%s:%d:paid", i.ID, i.Rev), i, now, properties(i)); err != nil {
			return i, err
		}
	}
	if err := s.advance(ctx, ws, &i, now); err != nil {
		return i, err
	}
	i.UpdatedAt = now
	return i, s.put(ctx, ws, &i)
}

func (s *Service) find(ctx context.Context, ws, number string, now time.Time) (Invoice, error) {
	i, err := s.c.Store.ByNumber(ctx, ws, number)
	if isNotFound(err) {
		return Invoice{ID: newID(now), Number: number, CreatedAt: now}, nil
	}
	return i, err
}

// settle works out whether the invoice is paid, from all of its payments: their order does not matter.
func (s *Service) settle(ctx context.Context, ws string, i *Invoice) error {
	payments, err := s.c.Store.Payments(ctx, ws, i.Number)
	if err != nil {
		return err
	}
	i.Received, i.PaidAt = 0, i.Settled
	for _, p := range payments {
		i.Received += p.Amount
	}
	if !i.Known() || !i.Settled.IsZero() || i.Received < i.Amount {
		return nil
	}
	var sum int64
	for _, p := range payments {
		if sum += p.Amount; sum >= i.Amount {
			i.PaidAt = p.At
			return nil
		}
	}
	return nil
}
