package app

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// fileIntake puts the events of files on the log.
type fileIntake struct {
	publisher
	still *quiet
	now   func() time.Time
}

// roomAfter is how far behind the pipeline may be before a file waits.
const roomAfter = time.Second

// Room implements importer.Intake.
func (f fileIntake) Room(ctx context.Context) error {
	for f.still.worker.Behind(f.now()) > roomAfter {
		if err := f.still.worker.Trouble(); err != nil {
			return err
		}
		if err := lifecycle.Sleep(ctx, quietPoll); err != nil {
			return err
		}
	}
	return nil
}

// Settle implements importer.Intake.
func (f fileIntake) Settle(ctx context.Context, progress func(share float64) error) error {
	_, last, err := f.still.stream.Bounds(ctx)
	if err != nil {
		return err
	}
	first, err := f.still.worker.Position(ctx)
	if err != nil {
		return err
	}
	shown := f.now()
	for at := first; at < last; {
		if err := f.still.worker.Trouble(); err != nil {
			return err
		}
		if err := lifecycle.Sleep(ctx, quietPoll); err != nil {
			return err
		}
		if at, err = f.still.worker.Position(ctx); err != nil {
			return err
		}
		if now := f.now(); now.Sub(shown) > time.Second {
			shown = now
			if err := progress(float64(at-first) / float64(last-first)); err != nil {
				return err
			}
		}
	}
	return f.still.wait(ctx)
}
