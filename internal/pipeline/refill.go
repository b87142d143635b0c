package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// Refill returns a service that, when it starts, fills an event store which is behind the reactions: a new one in the place of one that
// was lost. Otherwise there is nothing to do. What asks about audiences must start after it: half of the people and of
// their history would let members leave their segments, and a campaign miss its recipients, for good.
func (w *Worker) Refill() lifecycle.Service { return refill{w} }

type refill struct{ *Worker }

// ErrOlderRecords says that the event store has events that the record store never saw. No crash leaves that behind, since whose events are is decided in the record store first. Going on would
// make the people of those events anew, under other ids, and leave the events with the old ones.
var ErrOlderRecords = errors.New("the records are of an earlier moment than the events")

// Start implements lifecycle.Service.
func (r refill) Start(ctx context.Context) error {
	done, err := r.reacted(ctx)
	if err != nil {
		return err
	}
	at, err := r.c.Events.Position(ctx)
	if err != nil {
		return fmt.Errorf("event store position: %w", err)
	}
	applied, err := r.c.People.Position(ctx)
	if err != nil {
		return fmt.Errorf("position of the records: %w", err)
	}
	if at > applied {
		return fmt.Errorf("%w: they are at record %d of the log, the events at %d. Put the events of a backup made before that moment beside them, as the README says under \"Back to a moment\"", ErrOlderRecords, applied, at)
	}
	if at >= done {
		return nil
	}
	r.c.Logger.Warn("the event store is behind; filling it from the log before anything else", "from", at, "to", done)
	if at == 0 {
		// The log may not hold events of all of them any more.
		if err := r.c.Everyone(ctx, r.mirror); err != nil {
			return err
		}
	}
	for at < done {
		next, _, _, err := r.advance(ctx, at)
		if err != nil {
			return err
		}
		if next == at {
			break // the log ends here
		}
		at = next
	}
	return nil
}

// Drain takes everything that is on the log through all stages, and settles what waits. It is for a worker that has not been started, and for a log to which nobody
// appends.
func (w *Worker) Drain(ctx context.Context) error {
	done, err := w.reacted(ctx)
	if err != nil {
		return err
	}
	at, err := w.c.Events.Position(ctx)
	if err != nil {
		return fmt.Errorf("event store position: %w", err)
	}
	_, last, err := w.c.Log.Bounds(ctx)
	if err != nil {
		return err
	}
	for at = min(at, done); at < last; {
		next, _, _, err := w.advance(ctx, at)
		if err != nil {
			return err
		}
		if next == at {
			break // what there was the log has let go of
		}
		at = next
	}
	return w.alone(ctx, func() error { return w.settle(ctx) })
}

// Stop implements lifecycle.Service.
func (refill) Stop(context.Context) error { return nil }

func (r refill) mirror(ctx context.Context, people []person.Person) error {
	rows, err := r.c.Mirror(ctx, people)
	if err != nil {
		return fmt.Errorf("mirror people: %w", err)
	}
	if err := r.c.Events.Append(ctx, event.Batch{People: rows}); err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	return nil
}
