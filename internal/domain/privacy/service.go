package privacy

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
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Box hashes and seals with the installation's master key. *secret.Box is one.
type Box interface {
	Hash(purpose, value string) []byte
	Seal(purpose string, plain []byte) []byte
	Open(purpose string, sealed []byte) ([]byte, error)
}

// Config is what a Service needs.
type Config struct {
	Store   Store
	Records Records
	Events  Events
	Keys    Log
	Files   Files
	Leavers []Leaver
	Tx      tx.Runner
	Clock   clock.Clock
	Log     *slog.Logger
	Box     Box
	// Normalise brings an identifier into the form that events are known by; one that can identify nobody is an errs.KindInvalid error.
	Normalise func(ctx context.Context, ws string, id event.Identifier) (event.Identifier, error)
	// Spellings returns identifiers together with the other forms in which events may carry them, such as hashes of addresses.
	Spellings func(ctx context.Context, ws string, ids []event.Identifier) ([]event.Identifier, error)
	// Strong reports whether a kind of identifier names a person rather than a device.
	Strong func(ws, kind string) bool
	// Quiet returns once everything that was on its way through the log when it was called has arrived everywhere.
	Quiet func(ctx context.Context) error
	// Askers names the segments in use whose rule asks about fields of which told says so; nil: there are none.
	Askers func(ctx context.Context, ws string, told func(fields []string) bool) ([]string, error)
	// LogRetention is how long the log keeps events.
	LogRetention time.Duration
}

// Service takes requests and works on them; see lifecycle.Service.
type Service struct {
	lifecycle.Loop
	c       Config
	refused refusals
	pulse   lifecycle.Pulse
}

// New returns a service that is not running yet.
func New(c Config) *Service {
	s := &Service{c: c, pulse: lifecycle.NewPulse(restAfter)}
	s.Run = s.run
	return s
}

// Start reads the refusals and begins to work.
func (s *Service) Start(ctx context.Context) error {
	if err := s.Refresh(ctx); err != nil {
		return fmt.Errorf("refusals: %w", err)
	}
	return s.Loop.Start(ctx)
}

// Follower returns a service for processes that do not Start this one: it reads the refusals, and again when they have changed.
func (s *Service) Follower() lifecycle.Service {
	return follower{s, lifecycle.NewPulse(lookEvery), &lifecycle.Loop{}}
}

type follower struct {
	s     *Service
	pulse lifecycle.Pulse
	*lifecycle.Loop
}

// Start implements lifecycle.Service.
func (f follower) Start(ctx context.Context) error {
	if err := f.s.Refresh(ctx); err != nil {
		return fmt.Errorf("refusals: %w", err)
	}
	f.Loop.Run = func(ctx context.Context) {
		f.pulse.Follow(ctx, func(ctx context.Context) (bool, error) { return false, f.s.Refresh(ctx) }, func(err error) {
			f.s.c.Log.Error("refusals cannot be read, trying again", "err", err)
		})
	}
	return f.Loop.Start(ctx)
}

// Ask asks for the erasure of a person. The same key, or another request while one about this person is under way, returns that one. A person whom
// nobody knows is errs.NotFound.
func (s *Service) Ask(ctx context.Context, ws, person string, mode Mode, key string, by Actor) (Request, error) {
	if mode != Forget && mode != Refuse {
		return Request{}, errs.Invalid("privacy.mode", "mode", "write forget (they may come back as somebody new) or refuse (they are kept out)")
	}
	if key != "" {
		if r, err := s.c.Store.ByKey(ctx, ws, key); !errs.Is(err, errs.KindNotFound) {
			return r, err
		}
	}
	who, err := s.c.Records.Subject(ctx, ws, person)
	if err != nil {
		return Request{}, err
	}
	if len(who.IDs) == 0 {
		return Request{}, errs.NotFound("person", person)
	}
	now := s.c.Clock.Now()
	r, _, err := s.c.Store.Create(ctx, Request{
		Workspace: ws, ID: id.New("ers"), Key: key, Person: who.IDs[0], Mode: mode, By: by, State: Waiting, CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return Request{}, err
	}
	s.wake()
	return r, nil
}

// Get returns a request.
func (s *Service) Get(ctx context.Context, ws, id string) (Request, error) {
	return s.c.Store.Get(ctx, ws, id)
}

// List lists requests, latest made first.
func (s *Service) List(ctx context.Context, ws string, p page.Request) (page.Of[Request], error) {
	return s.c.Store.List(ctx, ws, "", p)
}

const planPurpose = "privacy-plan"

func (s *Service) open(r Request) (t Traces, err error) {
	raw, err := s.c.Box.Open(planPurpose, r.plan)
	if err == nil {
		err = json.Unmarshal(raw, &t)
	}
	if err != nil {
		return t, fmt.Errorf("plan of %s: %w", r.ID, err)
	}
	return t, nil
}

func (s *Service) seal(r *Request, t Traces) error {
	raw, err := json.Marshal(t)
	if err != nil {
		return err
	}
	r.plan = s.c.Box.Seal(planPurpose, raw)
	return nil
}

// wake wakes the worker. A transaction that is still open is seen at the next look, which comes soon.
func (s *Service) wake() { s.pulse.Wake() }
