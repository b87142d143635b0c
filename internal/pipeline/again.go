package pipeline

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

// Again brings the mirrored rows of people up to date and lets the reactors look at them without any event, as after identities were worked out anew: what depends on people
// is put right, what events have caused does not happen again. Batches of events wait meanwhile. only are the reactors that look; nil: all of the worker's.
func (w *Worker) Again(ctx context.Context, people []person.Ref, only []Reactor) error {
	if len(people) == 0 {
		return nil
	}
	return w.alone(ctx, func() error {
		if w.c.May != nil {
			if err := w.c.May(); err != nil {
				return err
			}
		}
		if _, err := w.store(ctx, person.Applied{Touched: people}, 0); err != nil {
			return err
		}
		if only == nil {
			only = w.c.Reactors
		}
		return react(ctx, only, Reaction{Touched: people})
	})
}
