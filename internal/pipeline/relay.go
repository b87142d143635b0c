package pipeline

import (
	"context"
	"log/slog"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

// Pending is an internal event that its transaction has committed and the log has not seen yet.
type Pending struct {
	ID    string
	Event event.Event
}

// PendingStore holds the internal events on their way to the log.
type PendingStore interface {
	// Next returns the oldest pending events, at most max, in the order of their writing.
	Next(ctx context.Context, max int) ([]Pending, error)
	// Done removes them.
	Done(ctx context.Context, ids []string) error
}

// Relay moves internal events from the record store to the log. It may publish one twice when the process
// dies in between; their message ids make the second one a duplicate.
type Relay struct {
	lifecycle.Loop
	store  PendingStore
	writer *bus.Writer
	vault  event.Vault
	log    *slog.Logger
}

// NewRelay returns a relay that is not running yet.
func NewRelay(store PendingStore, writer *bus.Writer, vault event.Vault, log *slog.Logger) *Relay {
	r := &Relay{store: store, writer: writer, vault: vault, log: log}
	r.Run = r.run
	return r
}

const (
	relayBatch = 500
	relayPoll  = 100 * time.Millisecond
)

func (r *Relay) run(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := r.once(ctx)
		wait := relayPoll
		if err != nil && ctx.Err() == nil {
			r.log.Error("internal events wait for the log", "err", err)
			wait = time.Second
		}
		if n == relayBatch && err == nil {
			continue
		}
		_ = lifecycle.Sleep(ctx, wait) // the loop ends with ctx
	}
}

func (r *Relay) once(ctx context.Context) (int, error) {
	pending, err := r.store.Next(ctx, relayBatch)
	if err != nil || len(pending) == 0 {
		return 0, err
	}
	events, ids := make([]event.Event, len(pending)), make([]string, len(pending))
	for i, p := range pending {
		events[i], ids[i] = p.Event, p.ID
	}
	items, err := event.EncodeSealed(events, r.vault)
	if err != nil {
		return 0, err
	}
	ctx, span := trace.Batch(ctx, "relay", traces(events))
	span.Count("kizuna.events", len(events))
	if err = r.writer.Append(ctx, items); err == nil {
		err = r.store.Done(ctx, ids)
	}
	span.Done(err)
	return len(pending), err
}
