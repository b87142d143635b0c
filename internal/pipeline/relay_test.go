package pipeline_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/bustest"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
)

// flood always has as many events as are asked for.
type flood struct{ looks int }

func (f *flood) Next(_ context.Context, limit int) ([]pipeline.Pending, error) {
	f.looks++
	return make([]pipeline.Pending, limit), nil
}

func (f *flood) Done(context.Context, []string) error { return nil }

func TestEventsThatTheLogRefusesAreTriedOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flood{}
		refusing := bus.NewWriter(bustest.NewMemory(0), bus.WriterOptions{}) // it was not started
		r := pipeline.NewRelay(store, refusing, nil, slog.New(slog.DiscardHandler))
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10500 * time.Millisecond)
		if err := r.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if store.looks != 11 {
			t.Errorf("%d tries in ten seconds and a half, want 11", store.looks)
		}
	})
}
