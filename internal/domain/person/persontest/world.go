package persontest

import (
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Start is the time that a World begins at; At counts from here.
var Start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// At returns the moment n minutes after Start.
func At(minutes int) time.Time { return Start.Add(time.Duration(minutes) * time.Minute) }

// WS is the workspace of a World.
const WS = "ws_test"

// World is a person.Service with a history and a log, and the pipeline's loop between them.
type World struct {
	T       testing.TB
	Service *person.Service
	Store   person.Store
	History *History
	Clock   *clock.Fixed
	Emitted *Emitted

	mu  sync.Mutex
	seq uint64
}

// Emitted collects emitted events.
type Emitted struct {
	mu     sync.Mutex
	events []event.Event
}

// Emit implements event.Emitter.
func (e *Emitted) Emit(_ context.Context, events ...event.Event) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, events...)
	return nil
}

// Take returns the events emitted since the last call.
func (e *Emitted) Take() []event.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := e.events
	e.events = nil
	return out
}

// NewWorld returns a world on a store. change may adapt the configuration.
func NewWorld(t testing.TB, store person.Store, run tx.Runner, change func(*person.Config)) *World {
	t.Helper()
	w := &World{T: t, Store: store, History: NewHistory(), Clock: clock.NewFixed(Start), Emitted: &Emitted{}}
	c := person.Config{
		Store: store, Tx: run, Clock: w.Clock, Emitter: w.Emitted, History: w.History, Log: slog.New(slog.DiscardHandler),
		Region: func(context.Context, string) (string, error) { return "DE", nil },
	}
	if change != nil {
		change(&c)
	}
	var err error
	if w.Service, err = person.New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

// Record makes the next record of the log. Workspace, times of receipt and origin are filled in where they are empty.
func (w *World) Record(events ...event.Event) person.LogRecord {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seq++
	for i := range events {
		e := &events[i]
		if e.Workspace == "" {
			e.Workspace = WS
		}
		if e.Origin == "" {
			e.Origin = event.Server
		}
		if e.Received.IsZero() {
			e.Received = e.Time
		}
	}
	return person.LogRecord{Seq: w.seq, Events: events}
}

// Deliver puts the events on the log as one record and does what the pipeline does with it, tasks included.
func (w *World) Deliver(events ...event.Event) person.Applied {
	w.T.Helper()
	a := w.Keep(w.Record(events...))
	w.Settle()
	return a
}

// Keep applies records and stores the result, without running tasks.
func (w *World) Keep(records ...person.LogRecord) person.Applied {
	w.T.Helper()
	a := w.KeepBeside(records...)
	w.asRead(a)
	return a
}

// KeepBeside is Keep while others come in, too.
func (w *World) KeepBeside(records ...person.LogRecord) person.Applied {
	w.T.Helper()
	a, err := w.Service.Apply(context.Background(), records)
	if err != nil {
		w.T.Fatal(err)
	}
	var last uint64
	for _, r := range records {
		last = max(last, r.Seq)
	}
	w.History.Store(a, last)
	return a
}

// asRead checks that people whom a batch brings are who they would be if they were read again, and that nobody is missing.
func (w *World) asRead(a person.Applied) {
	w.T.Helper()
	told := map[person.Ref]bool{}
	for _, s := range a.Told {
		told[s.Ref] = true
	}
	if len(told)+len(a.People) != len(a.Touched) {
		w.T.Errorf("of %d people %d were told of and %d are brought", len(a.Touched), len(told), len(a.People))
	}
	for _, p := range a.People {
		read, err := w.Service.ByNums(context.Background(), p.Workspace, []uint64{p.Num})
		if err != nil {
			w.T.Fatal(err)
		}
		if len(read) != 1 || told[p.Ref()] || !reflect.DeepEqual(read[0], p) {
			w.T.Errorf("brought as\n%+v\nstored as\n%+v", p, read)
		}
	}
}

// Settle runs tasks until none are left.
func (w *World) Settle() {
	w.T.Helper()
	for range 100 {
		a, err := w.Service.RunTasks(context.Background())
		if err != nil {
			w.T.Fatal(err)
		}
		w.History.Store(a, 0)
		if err := w.Service.Acknowledge(context.Background(), a); err != nil {
			w.T.Fatal(err)
		}
		if !a.Tasks && len(a.Receipts) == 0 {
			return
		}
	}
	w.T.Fatal("tasks do not come to an end")
}

// Who returns the owner of an identifier.
func (w *World) Who(kind, value string) person.Person {
	w.T.Helper()
	p, err := w.Service.ByIdentifier(context.Background(), WS, event.Identifier{Kind: kind, Value: value})
	if err != nil {
		w.T.Fatalf("%s:%s: %v", kind, value, err)
	}
	return p
}

// Owner returns the number of the person that the stored event belongs to, 0 if nobody or not stored.
func (w *World) Owner(messageID string) uint64 {
	for _, k := range w.History.All(WS) {
		if k.MessageID == messageID {
			return k.Person
		}
	}
	return 0
}

// Count returns the number of people.
func (w *World) Count() int64 {
	w.T.Helper()
	n, err := w.Service.Count(context.Background(), WS)
	if err != nil {
		w.T.Fatal(err)
	}
	return n
}

// Object encodes a JSON object.
func Object(fields map[string]any) json.RawMessage {
	b, err := json.Marshal(fields)
	if err != nil {
		panic(err) // tests write what encodes
	}
	return b
}
