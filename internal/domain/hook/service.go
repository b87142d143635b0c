package hook

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

const (
	maxEndpoints = 50 // of a workspace: each costs a request for each event
	maxName      = 100
	// overlap is how long a replaced secret signs beside the new one.
	overlap = 24 * time.Hour
	// KeepDays is how long deliveries are kept, and can be replayed.
	KeepDays = 30
)

// Poster makes requests to addresses that users gave.
type Poster interface {
	// Check says whether a URL could be requested, as far as can be told without looking its name up; errors are invalid in field "url".
	Check(url string) error
	// Post sends body and returns the answer of whatever status, its body up to maxAnswer bytes or more.
	Post(ctx context.Context, url string, header map[string]string, body string) (Answer, error)
}

// People finds out whom an event belongs to.
type People interface {
	// PersonIDs returns the ids of the people with these numbers; unknown ones are left out.
	PersonIDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error)
}

// Config is what a Service needs.
type Config struct {
	Store  Store
	Tx     tx.Runner
	Clock  clock.Clock
	Log    *slog.Logger
	Box    Box
	Poster Poster
	People People
	// Withheld tells of which events nobody outside may be told; nil: there are none.
	Withheld func(ctx context.Context, ws string, events []event.Kept) (func(event.Kept) bool, error)
}

// Service holds the rules of webhooks. Start and Stop run the worker that delivers.
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

// Draft is what staff say about an endpoint.
type Draft struct {
	Name  string
	URL   string
	Kinds []string
	Off   bool
}

func (s *Service) valid(d *Draft) error {
	d.Name, d.URL = strings.TrimSpace(d.Name), strings.TrimSpace(d.URL)
	if d.Name == "" || utf8.RuneCountInString(d.Name) > maxName {
		return errs.Invalid("webhook.name", "name", "give a name of 1 to %d characters", maxName)
	}
	if len(d.Kinds) == 0 {
		return errs.Invalid("webhook.kinds", "kinds", "choose at least one kind of event; GET /api/v1/webhook-kinds lists them")
	}
	for i, k := range d.Kinds {
		if !known(k) {
			return errs.Invalid("webhook.kind", fmt.Sprintf("kinds[%d]", i), "%q is not a kind of event; GET /api/v1/webhook-kinds lists them", k)
		}
	}
	slices.Sort(d.Kinds)
	d.Kinds = slices.Compact(d.Kinds)
	return s.c.Poster.Check(d.URL)
}

// Create adds an endpoint and returns it with its secret, which nobody can read later.
func (s *Service) Create(ctx context.Context, ws string, d Draft) (e Endpoint, secret string, err error) {
	if err := s.valid(&d); err != nil {
		return e, "", err
	}
	now := s.c.Clock.Now()
	secret = newSecret()
	e = Endpoint{ID: id.At("whk", now), Name: d.Name, URL: d.URL, Kinds: d.Kinds, Secret: s.c.Box.Seal(purpose, []byte(secret)), Status: status(d.Off), CreatedAt: now, UpdatedAt: now}
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		all, err := s.c.Store.All(ctx, ws)
		if err != nil {
			return err
		}
		if len(all) >= maxEndpoints {
			return errs.Conflict("webhook.too_many", "there are %d webhooks already; delete one first", maxEndpoints)
		}
		return s.c.Store.Put(ctx, ws, e)
	})
	return e, secret, err
}

func status(off bool) Status {
	if off {
		return Off
	}
	return On
}

// Update changes an endpoint. One that was disabled starts anew; one that is turned off gives up what waits.
func (s *Service) Update(ctx context.Context, ws, endpoint string, d Draft) (Endpoint, error) {
	if err := s.valid(&d); err != nil {
		return Endpoint{}, err
	}
	return s.edit(ctx, ws, endpoint, func(ctx context.Context, e *Endpoint) error {
		if e.URL != d.URL {
			e.Health = Health{SucceededAt: e.SucceededAt}
		}
		e.Name, e.URL, e.Kinds = d.Name, d.URL, d.Kinds
		return s.turn(ctx, ws, e, status(d.Off))
	})
}

// Switch turns an endpoint on, also one that was disabled, or off. One that is so already stays as it is.
func (s *Service) Switch(ctx context.Context, ws, endpoint string, on bool) (Endpoint, error) {
	return s.edit(ctx, ws, endpoint, func(ctx context.Context, e *Endpoint) error { return s.turn(ctx, ws, e, status(!on)) })
}

// turn sets the status: one that is turned on starts anew, one that is turned off gives up what waits.
func (s *Service) turn(ctx context.Context, ws string, e *Endpoint, to Status) error {
	if e.Status != On {
		e.Health = Health{SucceededAt: e.SucceededAt}
	}
	if e.Status = to; to == On {
		return nil
	}
	_, err := s.c.Store.Park(ctx, ws, e.ID, "webhook.off", forever)
	return err
}

// forever is later than anything that has begun to wait.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// NewSecret replaces the secret and returns the new one. The old one signs beside it for a day.
func (s *Service) NewSecret(ctx context.Context, ws, endpoint string) (e Endpoint, secret string, err error) {
	secret = newSecret()
	e, err = s.edit(ctx, ws, endpoint, func(_ context.Context, e *Endpoint) error {
		e.OldSecret, e.OldUntil = e.Secret, s.c.Clock.Now().Add(overlap)
		e.Secret = s.c.Box.Seal(purpose, []byte(secret))
		return nil
	})
	return e, secret, err
}

func (s *Service) edit(ctx context.Context, ws, endpoint string, change func(ctx context.Context, e *Endpoint) error) (e Endpoint, err error) {
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		if e, err = s.c.Store.Get(ctx, ws, endpoint); err != nil {
			return err
		}
		if err := change(ctx, &e); err != nil {
			return err
		}
		e.UpdatedAt = s.c.Clock.Now()
		return s.c.Store.Put(ctx, ws, e)
	})
	s.pulse.Wake()
	return e, err
}

// Delete removes an endpoint with its deliveries.
func (s *Service) Delete(ctx context.Context, ws, endpoint string) error {
	found, err := s.c.Store.Delete(ctx, ws, endpoint)
	if err == nil && !found {
		return errs.NotFound("webhook", endpoint)
	}
	return err
}

// All returns the endpoints of a workspace; there are few.
func (s *Service) All(ctx context.Context, ws string) ([]Endpoint, error) {
	return s.c.Store.All(ctx, ws)
}

// Get returns an endpoint and how many deliveries it has in each state.
func (s *Service) Get(ctx context.Context, ws, endpoint string) (Endpoint, map[State]int64, error) {
	e, err := s.c.Store.Get(ctx, ws, endpoint)
	if err != nil {
		return e, nil, err
	}
	counts, err := s.c.Store.Counts(ctx, ws, endpoint)
	return e, counts, err
}

// Deliveries returns an endpoint's deliveries, the latest first.
func (s *Service) Deliveries(ctx context.Context, ws, endpoint string, f Filter, p page.Request) (page.Of[Delivery], error) {
	if _, err := s.c.Store.Get(ctx, ws, endpoint); err != nil {
		return page.Of[Delivery]{}, err
	}
	return s.c.Store.Deliveries(ctx, ws, endpoint, f, p)
}

// Delivery returns one delivery.
func (s *Service) Delivery(ctx context.Context, ws, endpoint, delivery string) (Delivery, error) {
	return s.c.Store.Delivery(ctx, ws, endpoint, delivery)
}

// ReplayOne sends a delivery again, or now if it waits. Its id stays, so a receiver that had it can tell.
func (s *Service) ReplayOne(ctx context.Context, ws, endpoint, delivery string) (d Delivery, err error) {
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.mustBeOn(ctx, ws, endpoint); err != nil {
			return err
		}
		found, err := s.c.Store.RequeueOne(ctx, ws, endpoint, delivery, s.c.Clock.Now())
		if err == nil && !found {
			return errs.NotFound("delivery", delivery)
		}
		if err != nil {
			return err
		}
		d, err = s.c.Store.Delivery(ctx, ws, endpoint, delivery)
		return err
	})
	s.pulse.Wake()
	return d, err
}

// Replay sends the deliveries of a stretch of time again: those that were parked, or all of them if the filter names no state.
func (s *Service) Replay(ctx context.Context, ws, endpoint string, f Filter) (n int64, err error) {
	if f.From.IsZero() {
		return 0, errs.Invalid("webhook.replay.from", "from", "say from when on; what is older than %d days is no longer kept", KeepDays)
	}
	if !f.To.IsZero() && !f.To.After(f.From) {
		return 0, errs.Invalid("webhook.replay.to", "to", "this must be later than from")
	}
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.mustBeOn(ctx, ws, endpoint); err != nil {
			return err
		}
		n, err = s.c.Store.Requeue(ctx, ws, endpoint, f, s.c.Clock.Now())
		return err
	})
	s.pulse.Wake()
	return n, err
}

func (s *Service) mustBeOn(ctx context.Context, ws, endpoint string) error {
	e, err := s.c.Store.Get(ctx, ws, endpoint)
	if err == nil && e.Status != On {
		return errs.Conflict("webhook.not_on", "this webhook is %s; turn it on first", e.Status)
	}
	return err
}

// Purge forgets up to limit deliveries that were kept long enough, and returns how many.
func (s *Service) Purge(ctx context.Context, limit int) (int64, error) {
	return s.c.Store.Purge(ctx, s.c.Clock.Now().AddDate(0, 0, -KeepDays), limit)
}
