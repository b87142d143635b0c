package invoice

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/money"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// People finds out whom an event belongs to.
type People interface {
	// PersonIDs returns the ids of the people with these numbers; unknown ones are left out.
	PersonIDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error)
	// CheckPerson returns the id that a person has now, following merges; not_found if there is none.
	CheckPerson(ctx context.Context, ws, id string) (string, error)
}

// Config is what a Service needs.
type Config struct {
	Store   Store
	Tx      tx.Runner
	Emitter event.Emitter
	People  People
	Clock   clock.Clock
	Log     *slog.Logger
	Zone    func(ctx context.Context, ws string) (*time.Location, error) // of the workspace
}

// Service holds the rules of invoices. Start and Stop run the loop that notices what falls due.
type Service struct {
	lifecycle.Loop
	c     Config
	pulse lifecycle.Pulse
}

// New returns a Service that is not running yet.
func New(c Config) *Service {
	s := &Service{c: c, pulse: lifecycle.NewPulse(poll)}
	s.Run = s.run
	return s
}

// Draft is what staff or a program say about an invoice.
type Draft struct {
	Number string
	Person string
	Terms
	IssuedAt time.Time // now if zero
}

// Issue makes an invoice, or gives the one with this number new terms. The same draft again changes nothing.
func (s *Service) Issue(ctx context.Context, ws string, d Draft) (out Invoice, err error) {
	if err := validNumber(d.Number); err != nil {
		return out, err
	}
	if err := d.Validate(); err != nil {
		return out, err
	}
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		person, err := s.c.People.CheckPerson(ctx, ws, d.Person)
		if err != nil {
			return err
		}
		now := s.c.Clock.Now()
		switch out, err = s.c.Store.ByNumber(ctx, ws, d.Number); {
		case err == nil && out.Known() && out.Terms == d.Terms && out.Person == person:
			return nil
		case err != nil && !isNotFound(err):
			return err
		}
		at := d.IssuedAt
		if at.IsZero() || at.After(now) || !at.After(out.TermsAt) {
			at = now
		}
		st := statement{kind: Issued, number: d.Number, person: person, terms: d.Terms, at: at}
		st.by = fmt.Sprintf("invoice:%s:issued:%d", d.Number, out.Rev)
		out, err = s.state(ctx, ws, st)
		return err
	})
	return out, err
}

// Pay records a payment of minor units; negative ones are money given back. A key that was seen before for this invoice changes nothing.
func (s *Service) Pay(ctx context.Context, ws, invoiceID, key string, amount int64) (out Invoice, err error) {
	if key == "" || len(key) > maxNumber {
		return out, errs.Invalid("invoice.payment.key", "key", "give what tells this payment from others, at most %d characters; sent again with the same key it counts once", maxNumber)
	}
	if amount == 0 {
		return out, errs.Invalid("invoice.payment.amount", "amount", "give the amount in minor units; negative for money given back")
	}
	return s.about(ctx, ws, invoiceID, func(i Invoice) (statement, error) {
		if i.Status() == Void {
			return statement{}, errs.Conflict("invoice.void", "the invoice %s has been taken back; nothing is owed on it", i.Number)
		}
		return statement{kind: PaymentReceived, payment: amount, key: key, by: fmt.Sprintf("invoice:%s:payment:%s", i.Number, key)}, nil
	})
}

// Settle states that an invoice is paid in full.
func (s *Service) Settle(ctx context.Context, ws, invoiceID string) (Invoice, error) {
	return s.about(ctx, ws, invoiceID, func(i Invoice) (statement, error) {
		if i.Status() == Void {
			return statement{}, errs.Conflict("invoice.void", "the invoice %s has been taken back; nothing is owed on it", i.Number)
		}
		return statement{kind: PaidInFull, by: fmt.Sprintf("invoice:%s:paid", i.Number)}, nil
	})
}

// Cancel takes an invoice back.
func (s *Service) Cancel(ctx context.Context, ws, invoiceID string) (Invoice, error) {
	return s.about(ctx, ws, invoiceID, func(i Invoice) (statement, error) {
		if i.Status() == Paid {
			return statement{}, errs.Conflict("invoice.paid", "the invoice %s is paid; give the money back instead", i.Number)
		}
		return statement{kind: Voided, by: fmt.Sprintf("invoice:%s:void", i.Number)}, nil
	})
}

// about states something about a known invoice.
func (s *Service) about(ctx context.Context, ws, invoiceID string, say func(Invoice) (statement, error)) (out Invoice, err error) {
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		i, err := s.c.Store.Get(ctx, ws, invoiceID)
		if err != nil {
			return err
		}
		st, err := say(i)
		if err != nil {
			return err
		}
		st.number, st.person, st.at = i.Number, i.Person, s.c.Clock.Now()
		if st.kind == PaidInFull && !i.Settled.IsZero() || st.kind == Voided && !i.VoidedAt.IsZero() {
			out = i
			return nil
		}
		out, err = s.state(ctx, ws, st)
		return err
	})
	return out, err
}

// state folds a statement and puts it on the log, inside the caller's transaction. When it comes back as an event it changes nothing.
func (s *Service) state(ctx context.Context, ws string, st statement) (Invoice, error) {
	before, err := s.c.Store.ByNumber(ctx, ws, st.number)
	if err != nil && !isNotFound(err) {
		return before, err
	}
	i, err := s.fold(ctx, ws, st)
	if err != nil || i.Rev == before.Rev {
		return i, err
	}
	p := properties(i)
	switch st.kind {
	case PaidInFull:
		p["settled"] = true
	case PaymentReceived:
		p["amount"], p["payment_id"] = major(st.payment, i.Currency), st.key
	}
	return i, s.emit(ctx, ws, st.kind, st.by, i, st.at, p)
}

// Get returns one invoice.
func (s *Service) Get(ctx context.Context, ws, invoiceID string) (Invoice, []Payment, error) {
	i, err := s.c.Store.Get(ctx, ws, invoiceID)
	if err != nil {
		return i, nil, err
	}
	payments, err := s.c.Store.Payments(ctx, ws, i.Number)
	return i, payments, err
}

// List returns invoices, the latest issued first.
func (s *Service) List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Invoice], error) {
	switch f.Status {
	case "", Open, Overdue, Paid, Void:
		return s.c.Store.List(ctx, ws, f, p)
	}
	return page.Of[Invoice]{}, errs.Invalid("invoice.status", "status", "use open, overdue, paid or void")
}

// Totals returns how many invoices there are and what is outstanding, by status and currency.
func (s *Service) Totals(ctx context.Context, ws string) ([]Total, error) {
	return s.c.Store.Totals(ctx, ws)
}

// Plan returns the workspace's reminder plan.
func (s *Service) Plan(ctx context.Context, ws string) (Plan, error) {
	p, ok, err := s.c.Store.Plan(ctx, ws)
	if err == nil && !ok {
		p = DefaultPlan()
	}
	return p, err
}

// SetPlan changes when reminders fall due. Reminders that would have been due before now are not made up for.
func (s *Service) SetPlan(ctx context.Context, ws string, p Plan) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if err := s.c.Store.PutPlan(ctx, ws, p, s.c.Clock.Now()); err != nil {
		return err
	}
	s.pulse.Wake()
	return nil
}

// PeopleMerged gives the loser's invoices to the winner. It joins the caller's transaction.
func (s *Service) PeopleMerged(ctx context.Context, ws, loser, winner string) error {
	return s.c.Store.TakeOver(ctx, ws, loser, winner)
}

func (s *Service) put(ctx context.Context, ws string, i *Invoice) error {
	if err := s.c.Store.Put(ctx, ws, *i); err != nil {
		return err
	}
	i.Rev++
	return nil
}

func (s *Service) emit(ctx context.Context, ws, name, messageID string, i Invoice, at time.Time, properties map[string]any) error {
	raw, err := json.Marshal(properties)
	if err != nil {
		return err
	}
	return s.c.Emitter.Emit(ctx, event.Event{
		Workspace: ws, MessageID: messageID, Type: event.Invoice, Name: name, PersonID: i.Person,
		Time: at, Received: s.c.Clock.Now(), Origin: event.Internal, Properties: raw,
	})
}

// properties describes an invoice in the words of the events that come from outside, so that templates and filters need to know one form.
func properties(i Invoice) map[string]any {
	p := map[string]any{"invoice_id": i.Number, "total": major(i.Amount, i.Currency), "outstanding": major(i.Outstanding(), i.Currency), "currency": i.Currency, "due_date": i.DueOn}
	if i.Title != "" {
		p["title"] = i.Title
	}
	if i.URL != "" {
		p["url"] = i.URL
	}
	return p
}

// major writes minor units as a decimal number of major units, without binary fractions.
func major(minor int64, currency string) json.Number {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	digits := money.Exponent(currency)
	if digits == 0 {
		return json.Number(fmt.Sprintf("%s%d", sign, minor))
	}
	unit := int64(1)
	for range digits {
		unit *= 10
	}
	return json.Number(fmt.Sprintf("%s%d.%0*d", sign, minor/unit, digits, minor%unit))
}

func newID(at time.Time) string { return id.At("inv", at) }

func isNotFound(err error) bool { return errs.Is(err, errs.KindNotFound) }
