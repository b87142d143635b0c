package person

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// History is what RunTasks reads of the event store.
type History interface {
	// Position returns the last log record that the store includes.
	Position(ctx context.Context) (uint64, error)
	// Linked returns the events that carry one of the identifiers, in the order of event.Less, at most limit.
	Linked(ctx context.Context, ws string, ids []event.Identifier, limit int) ([]event.Kept, error)
}

// MergeObserver is told of every merge inside the transaction that makes it. It may be told twice of the same one.
type MergeObserver interface {
	PeopleMerged(ctx context.Context, ws string, loser, winner Ref) error
}

// SplitObserver is a MergeObserver that also wants to know of people who were made of a part of someone, inside the transaction that makes
// them. It may be told twice of the same one.
type SplitObserver interface {
	PersonSplit(ctx context.Context, ws string, from, made Ref) error
}

// Config is what a Service needs.
type Config struct {
	Store   Store
	Tx      tx.Runner
	Clock   clock.Clock
	Emitter event.Emitter
	History History
	Log     *slog.Logger
	// Scheme declares the identifier kinds; the zero value is DefaultScheme.
	Scheme Scheme
	// Region returns the ISO 3166 country that phone numbers without country code are of; nil or "" means that such
	// numbers are not identifiers.
	Region func(ctx context.Context, ws string) (string, error)
	// AliasIdentified reports whether an alias sent with a server key may merge two identified people; nil means no.
	AliasIdentified func(ctx context.Context, ws string) (bool, error)
	// Refuses reports whether nothing that carries these identifiers may be taken; nil means that nothing is refused.
	Refuses func(ws string, ids []event.Identifier) bool
	// Treat does to an event that the product writes what the workspace has decided about fields; nil: nothing.
	Treat func(e *event.Event)
	// Observers are told of merges.
	Observers []MergeObserver
}

// Service is ONE_ID. It is safe for concurrent use; work on one workspace is done one transaction after the other.
type Service struct {
	Config
	kinds *kinds     // of workspaces that have not chosen others
	known sync.Map   // workspace -> *chosen
	turn  sync.Mutex // held by Apply and by each task: waiting here is cheaper than a failed transaction
}

// New returns a Service. It fails if the scheme is not valid or something it cannot do without is missing.
func New(c Config) (*Service, error) {
	if len(c.Scheme.Kinds) == 0 {
		c.Scheme = DefaultScheme()
	}
	if err := c.Scheme.Validate(); err != nil {
		return nil, err
	}
	if c.Store == nil || c.Tx == nil || c.Clock == nil || c.Log == nil {
		return nil, errors.New("person: store, transactions, clock and logger are needed")
	}
	return &Service{Config: c, kinds: newKinds(c.Scheme)}, nil
}

// Observe adds an observer; call it before the first Apply.
func (s *Service) Observe(o MergeObserver) { s.Observers = append(s.Observers, o) }

// Position returns the last log record that Apply has included, 0 at first.
func (s *Service) Position(ctx context.Context) (uint64, error) { return s.Store.Position(ctx) }

// Retention of message ids: a duplicate is recognised for at least minSeenDays.
const (
	SeenDays    = 9
	minSeenDays = 7
)

// PurgeSeen forgets message ids that were applied more than days days ago, at most limit of them, and returns how many. Call
// it again while it returns limit. Fewer than seven days are taken for seven.
func (s *Service) PurgeSeen(ctx context.Context, days, limit int) (int64, error) {
	today := s.Clock.Now().UnixMicro() / dayMicros
	return s.Store.PurgeSeen(ctx, today-int64(max(days, minSeenDays)), limit)
}
