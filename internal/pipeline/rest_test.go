package pipeline_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus/bustest"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// toldPositions tells of each record that has gone through.
type toldPositions struct {
	*sqlstore.Positions
	told chan<- string
}

func (p toldPositions) SetPosition(ctx context.Context, consumer string, seq uint64) error {
	p.told <- fmt.Sprint("through ", seq)
	return p.Positions.SetPosition(ctx, consumer, seq)
}

// keptEvents takes whatever comes.
type keptEvents struct{ event.Store }

func (keptEvents) Append(context.Context, event.Batch) error { return nil }
func (keptEvents) Position(context.Context) (uint64, error)  { return 0, nil }

func TestWhatIsPutOffInAFloodIsDoneBehindIt(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	log := bustest.NewMemory(1 << 30)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for record, n := range []int{5000, 5000, 1} { // a batch each
		events := make([]event.Event, n)
		for i := range events {
			events[i] = event.Event{Workspace: "ws", MessageID: fmt.Sprint(record, "-", i), Type: event.Track, Name: "Seen", AnonymousID: "a", Time: at, Received: at, Origin: event.Browser}
		}
		raw, err := event.EncodeBatch(events)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
	}
	quiet := slog.New(slog.DiscardHandler)
	people, err := person.New(person.Config{Store: sqlstore.NewPerson(db), Tx: db, Clock: clock.System{}, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 100)
	w := pipeline.New(pipeline.Config{
		Log: log, People: people, Events: keptEvents{}, Positions: toldPositions{sqlstore.NewPositions(db), told}, Logger: quiet, Pace: time.Millisecond,
		Mirror: func(context.Context, []person.Ref) ([]event.Mirror, []person.Person, error) { return nil, nil, nil },
		Reactors: []pipeline.Reactor{{Name: "told", React: func(_ context.Context, r pipeline.Reaction) error {
			told <- fmt.Sprint(len(r.Events), " flood ", r.Flood)
			return nil
		}}},
		Rest: func(context.Context) error {
			told <- "rest"
			return nil
		},
	})
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	var got []string
	for len(got) < 8 {
		got = append(got, <-told)
	}
	want := []string{"5000 flood true", "through 1", "5000 flood true", "through 2", "1 flood false", "rest", "through 3", "rest"} // the last since nothing comes
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
