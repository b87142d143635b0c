package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus/bustest"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// beforeMerges is an event store that does something between the merge in the record store and its own.
type beforeMerges struct {
	event.Store
	do func(ctx context.Context) error
}

func (s beforeMerges) Append(ctx context.Context, b event.Batch) error {
	if len(b.Redirects) > 0 {
		if err := s.do(ctx); err != nil {
			return err
		}
	}
	return s.Store.Append(ctx, b)
}

type noEmitter struct{}

func (noEmitter) Emit(context.Context, ...event.Event) error { return nil }

// passedRecords tells when a record has gone through.
type passedRecords struct {
	*sqlstore.Positions
	through chan<- uint64
}

func (p passedRecords) SetPosition(ctx context.Context, consumer string, seq uint64) error {
	err := p.Positions.SetPosition(ctx, consumer, seq)
	p.through <- seq
	return err
}

// Whoever others were merged into is due at once, and the loop that looks for people whose time has come does not wait for the event store.
func TestWhoWasJudgedInTheMiddleOfAMergeIsJudgedAgain(t *testing.T) {
	const ws = "ws_1"
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c, quiet := clock.NewFixed(at), slog.New(slog.DiscardHandler)
	db := sqldbtest.Open(t, sqldb.SQLite)
	events, err := duck.Open(t.Context(), filepath.Join(t.TempDir(), "events.duckdb"), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = events.Close() })
	people, err := person.New(person.Config{Store: sqlstore.NewPerson(db), Tx: db, Clock: c, Emitter: noEmitter{}, History: events, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	rows := sqlstore.NewStanding(db)
	judges := standing.New(standing.Config{
		Store: rows, Tx: db, Emitter: noEmitter{}, People: people, Events: events, Clock: c, Log: quiet,
		Zone:       func(context.Context, string) (*time.Location, error) { return time.UTC, nil },
		Workspaces: func(context.Context) ([]string, error) { return nil, nil },
	})
	people.Observe(byID{judges})
	stage := func() standing.Stage {
		t.Helper()
		found, err := people.ByIdentifier(t.Context(), ws, event.Identifier{Kind: "user_id", Value: "u1"})
		if err != nil {
			t.Fatal(err)
		}
		stored, err := rows.Rows(t.Context(), ws, []string{found.ID})
		if err != nil {
			t.Fatal(err)
		}
		return stored[found.ID].Stage
	}
	var halfway standing.Stage
	log, through := bustest.NewMemory(1<<20), make(chan uint64, 10)
	w := pipeline.New(pipeline.Config{
		Log: log, People: people, Positions: passedRecords{sqlstore.NewPositions(db), through}, Logger: quiet, Pace: time.Millisecond,
		Events: beforeMerges{events, func(ctx context.Context) error {
			_, err := judges.Tick(ctx)
			halfway = stage()
			return err
		}},
		Mirror:   func(context.Context, []person.Ref) ([]event.Mirror, []person.Person, error) { return nil, nil, nil },
		Reactors: []pipeline.Reactor{judged(judges)},
	})
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Stop(context.Background()) })
	for _, e := range []event.Event{
		{MessageID: "m1", Type: event.Identify, UserID: "u1"},
		{MessageID: "m2", Type: event.Track, Name: event.OrderCompleted, AnonymousID: "a1", Properties: []byte(`{"total":10,"currency":"EUR"}`)},
		{MessageID: "m3", Type: event.Identify, UserID: "u1", AnonymousID: "a1"},
	} {
		e.Workspace, e.Time, e.Received, e.Origin = ws, at, at, event.Server
		raw, err := event.EncodeBatch([]event.Event{e})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
		<-through
	}
	if now := stage(); halfway != standing.Lead || now != standing.Fresh {
		t.Errorf("in the middle of the merge %q, afterwards %q; want a lead whose order is not there yet, and then a new customer", halfway, now)
	}
}
