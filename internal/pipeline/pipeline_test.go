package pipeline_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
)

// Stores of an installation in which nothing has happened.
type (
	noPeople    struct{ person.Store }
	noEvents    struct{ event.Store }
	noPositions struct{}
)

func (noPeople) Effects(context.Context, int) ([]person.Effect, error)         { return nil, nil }
func (noPeople) Tasks(context.Context, int) ([]person.Task, error)             { return nil, nil }
func (noPeople) SchemeVersion(context.Context, string) (int64, error)          { return 0, nil }
func (noPeople) HashBuilds(context.Context, int) ([]person.HashBuild, error)   { return nil, nil }
func (noPeople) SetPosition(context.Context, uint64) error                     { return nil }
func (noEvents) Append(context.Context, event.Batch) error                     { return nil }
func (noEvents) Position(context.Context) (uint64, error)                      { return 0, nil }
func (noPositions) Position(context.Context, string) (uint64, error)           { return 0, nil }
func (noPositions) SetPosition(context.Context, string, uint64) error          { return nil }
func (noPeople) InTx(ctx context.Context, f func(context.Context) error) error { return f(ctx) }

// stumblingLog fails once, then has nothing to say. It tells of the third read.
type stumblingLog struct {
	bus.Log
	reads int
	third chan struct{}
}

func (l *stumblingLog) Read(ctx context.Context, _ uint64, _ int, _ time.Duration) ([]bus.Record, error) {
	switch l.reads++; l.reads {
	case 1:
		return nil, errors.New("the log does not answer")
	case 2:
		return nil, nil
	}
	close(l.third)
	<-ctx.Done()
	return nil, ctx.Err()
}

// Stores of an installation whose record store was set back to an earlier moment, or was not.
type (
	setBack struct {
		noPeople
		at uint64
	}
	keptOn struct{ noEvents }
)

func (s setBack) Position(context.Context) (uint64, error) { return s.at, nil }
func (keptOn) Position(context.Context) (uint64, error)    { return 5, nil }

func TestRecordsThatWereSetBackAreNotGoneOnWith(t *testing.T) {
	for at, want := range map[uint64]error{4: pipeline.ErrOlderRecords, 5: nil, 6: nil} {
		people, err := person.New(person.Config{Store: setBack{at: at}, Tx: noPeople{}, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		w := pipeline.New(pipeline.Config{People: people, Events: keptOn{}, Positions: noPositions{}, Logger: slog.New(slog.DiscardHandler)})
		if err := w.Refill().Start(t.Context()); !errors.Is(err, want) {
			t.Errorf("records up to %d of 5: %v, want %v", at, err, want)
		}
	}
}

func TestTroubleEndsThoughNoEventComes(t *testing.T) {
	people, err := person.New(person.Config{Store: noPeople{}, Tx: noPeople{}, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	log := &stumblingLog{third: make(chan struct{})}
	w := pipeline.New(pipeline.Config{Log: log, People: people, Events: noEvents{}, Positions: noPositions{}, Logger: slog.New(slog.DiscardHandler), Pace: time.Millisecond})
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-log.third
	trouble := w.Trouble()
	if err := w.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if trouble != nil {
		t.Errorf("the log answers again, but: %v", trouble)
	}
}

// A log that fails three times, then has a record, then fails again. It tells of the sixth read.
type failingLog struct {
	bus.Log
	reads int
	sixth chan struct{}
}

func (l *failingLog) Read(ctx context.Context, _ uint64, _ int, _ time.Duration) ([]bus.Record, error) {
	switch l.reads++; l.reads {
	case 4:
		return []bus.Record{{Seq: 1}}, nil
	case 6:
		close(l.sixth)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, errors.New("the log does not answer")
}

// waits keeps how long each failure was waited out.
type waits struct {
	slog.Handler
	all []time.Duration
}

func (w *waits) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "in" {
			w.all = append(w.all, a.Value.Duration())
		}
		return true
	})
	return nil
}
func (w *waits) Enabled(context.Context, slog.Level) bool { return true }

// What has failed for long is asked seldom; once records go through, the next failure is a new one and tried again soon.
func TestAFailureAfterRecordsWentThroughIsTriedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people, err := person.New(person.Config{Store: noPeople{}, Tx: noPeople{}, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		log, told := &failingLog{sixth: make(chan struct{})}, &waits{}
		mirror := func(context.Context, []person.Person) ([]event.Mirror, error) { return nil, nil }
		w := pipeline.New(pipeline.Config{Log: log, People: people, Events: noEvents{}, Positions: noPositions{}, Mirror: mirror, Logger: slog.New(told)})
		if err := w.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-log.sixth
		if err := w.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		first := told.all[0]
		if want := []time.Duration{first, 2 * first, 4 * first, first}; !slices.Equal(told.all, want) {
			t.Errorf("waited %v, want %v", told.all, want)
		}
	})
}
