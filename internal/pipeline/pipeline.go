// Package pipeline carries events from the log to everything that depends on them.
//
//	log ─► people.Apply ─► events.Append ─► reactors (segments, journeys, outbox, campaigns)
//	         record tx       event store tx     each idempotent
//	             └─ position     └─ position         └─ position
//
// Owns: the order of the stages, the three positions, the pace. Does not own: what a stage does.
//
// Invariants: each stage keeps its position together with its effects, so a kill between any two
// instructions loses and doubles nothing; the worker restarts at the lowest of the three and stages that
// are ahead recognise what they have done. A batch that fails is tried again for ever, with back-off: the log is
// ordered, so skipping would be losing.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// Reactor does what follows from events once they are stored.
type Reactor struct {
	Name string // in traces and errors
	// React may be called again with the same events and must then change nothing.
	React func(ctx context.Context, r Reaction) error
}

// Reaction is one batch of stored events.
type Reaction struct {
	Events  []event.Kept      // in log order, duplicates left out
	Touched []person.Ref      // people with new events or changed state, after merges, each once
	Told    []person.Sighting // those of them who are what they were, but for new events and the time of the latest
	Winners []person.Ref      // those of them into whom others were merged: the event store has all their events only now
	People  []person.Person   // those of them who are not what they were, as they are, so far as they have been read; those of replays, too
}

// Positions remembers how far a named consumer has come.
type Positions interface {
	Position(ctx context.Context, consumer string) (uint64, error)
	SetPosition(ctx context.Context, consumer string, seq uint64) error
}

// Config is what a Worker needs.
type Config struct {
	Log   bus.Log
	Vault event.Vault // opens what is sealed on the log; nil: nothing is
	// Forget destroys the keys of events that people.Apply has refused; nil: they stay.
	Forget    func(ctx context.Context, subjects []string) error
	People    *person.Service
	Events    event.Store
	Positions Positions
	// Mirror makes the event store's rows of people.
	Mirror func(ctx context.Context, people []person.Person) ([]event.Mirror, error)
	// Everyone hands out all people, some at a time, to fill an event store that has lost them.
	Everyone func(ctx context.Context, do func(ctx context.Context, people []person.Person) error) error
	Reactors []Reactor
	// May returns why the worker must not go on, such as that another process has taken over; it is asked before each batch. nil: it always may.
	May    func() error
	Logger *slog.Logger
	Passed func(Passed) // told of each batch; nil: nobody asks
	// Pace is the shortest time between two batches while the log is nearly empty; it keeps the event store's
	// transactions few. Zero means 200 ms.
	Pace time.Duration
}

// Passed is a batch that has gone through all stages.
type Passed struct {
	Events               []event.Kept
	Oldest               time.Time // when its oldest record came onto the log
	Done                 time.Time
	Resolve, Keep, React time.Duration
}

const (
	// ReactConsumer is the name under which Positions keeps how far the reactions have come.
	ReactConsumer = "react"
	maxRecords    = 256  // log records read at once; each holds one to a few hundred events
	maxEvents     = 5000 // events in one batch
	busyEvents    = 100  // a batch of this size shows that more is coming
)

// Worker runs the pipeline; see lifecycle.Service.
type Worker struct {
	lifecycle.Loop
	c       Config
	trouble atomic.Pointer[error] // why the current batch fails, nil while all is well
	turn    chan struct{}         // holds one token while a batch is in work or the worker is held
	working atomic.Int64          // when the oldest record in hand came onto the log, in microseconds; 0: none is in hand
}

// New returns a worker that is not running yet.
func New(c Config) *Worker {
	if c.Pace == 0 {
		c.Pace = 200 * time.Millisecond
	}
	w := &Worker{c: c, turn: make(chan struct{}, 1)}
	w.Run = w.run
	return w
}

func (w *Worker) run(ctx context.Context) {
	backoff := time.Second / 4
	for ctx.Err() == nil {
		began := time.Now()
		went, err := w.follow(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if went || time.Since(began) > time.Minute {
			backoff = time.Second / 4 // it has worked in between
		}
		w.trouble.Store(&err)
		w.c.Logger.Error("pipeline batch failed, trying again", "err", err, "in", backoff)
		_ = lifecycle.Sleep(ctx, backoff) // the loop ends with ctx
		backoff = min(backoff*2, 30*time.Second)
	}
}

// Trouble returns why the pipeline stands still, nil while it works.
func (w *Worker) Trouble() error {
	if err := w.trouble.Load(); err != nil {
		return fmt.Errorf("the pipeline stands still: %w", *err)
	}
	return nil
}

// Hold waits until no batch is in work and keeps the next from beginning, so that all stores stand at the same event. Events are taken
// meanwhile and wait on the log. release lets the worker go on; calling it twice is allowed.
func (w *Worker) Hold(ctx context.Context) (release func(), err error) {
	select {
	case w.turn <- struct{}{}:
		return sync.OnceFunc(func() { <-w.turn }), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Behind returns how long the oldest record that was read and has not gone through has been on the log. A record that nobody has
// read yet is at most one batch younger.
func (w *Worker) Behind(now time.Time) time.Duration {
	since := w.working.Load()
	if since == 0 {
		return 0
	}
	return max(now.Sub(time.UnixMicro(since)), 0)
}

// Position returns the last log record that has gone through all stages.
func (w *Worker) Position(ctx context.Context) (uint64, error) { return w.reacted(ctx) }

// follow reads from the lowest of the three positions until ctx ends or a batch fails. It reports whether records went through before that.
func (w *Worker) follow(ctx context.Context) (went bool, err error) {
	done, err := w.reacted(ctx)
	if err != nil {
		return false, err
	}
	stored, err := w.c.Events.Position(ctx)
	if err != nil {
		return false, fmt.Errorf("event store position: %w", err)
	}
	at := min(done, stored)
	// A crash may have left identity tasks that no later record would wake.
	if err := w.alone(ctx, func() error { return w.settle(ctx) }); err != nil {
		return false, err
	}
	for ctx.Err() == nil {
		began := time.Now()
		next, events, more, err := w.advance(ctx, at)
		went = went || next != at
		if err != nil {
			return went, err
		}
		if next == at {
			// Work that was left without a record to wake it: people to be worked out again by other kinds of identifiers.
			if err := w.alone(ctx, func() error { return w.settle(ctx) }); err != nil {
				return went, err
			}
		}
		if next != at && !more {
			_ = lifecycle.Sleep(ctx, w.pace(events)-time.Since(began)) // the loop ends with ctx
		}
		at = next
	}
	return went, nil
}

// advance takes the records after at through all stages and returns the last of them, at itself if none has come within a second, and whether there are
// likely more.
func (w *Worker) advance(ctx context.Context, at uint64) (next uint64, events int, more bool, err error) {
	records, err := w.c.Log.Read(ctx, at, maxRecords, time.Second)
	if err != nil {
		return at, 0, false, fmt.Errorf("read log: %w", err)
	}
	full := len(records) == maxRecords
	for len(records) > 0 {
		w.working.Store(records[0].Time.UnixMicro())
		batch, n := w.decode(records)
		if err := w.alone(ctx, func() error { return w.apply(ctx, batch, records[0].Time) }); err != nil {
			return at, events, false, err
		}
		at = batch[len(batch)-1].Seq
		records, events = records[len(batch):], events+n
	}
	w.working.Store(0)
	w.trouble.Store(nil)
	return at, events, full || events >= maxEvents, nil
}

// alone does something while nobody holds the worker.
func (w *Worker) alone(ctx context.Context, do func() error) error {
	release, err := w.Hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	return do()
}

func (w *Worker) reacted(ctx context.Context) (uint64, error) {
	done, err := w.c.Positions.Position(ctx, ReactConsumer)
	if err != nil {
		return 0, fmt.Errorf("react position: %w", err)
	}
	return done, nil
}

// decode takes as many records as make one batch. A line that cannot be read was written by another version or damaged; it is reported
// and passed over, since it can never become readable.
func (w *Worker) decode(records []bus.Record) (batch []person.LogRecord, events int) {
	for _, r := range records {
		evs, erased, err := event.DecodeRecord(r.Data, w.c.Vault)
		if erased > 0 {
			w.c.Logger.Debug("events of erased people passed over", "seq", r.Seq, "count", erased)
		}
		if err != nil {
			w.c.Logger.Error("unreadable events passed over", "seq", r.Seq, "err", err)
		}
		if len(batch) > 0 && events+len(evs) > maxEvents {
			break
		}
		batch = append(batch, person.LogRecord{Seq: r.Seq, Events: evs})
		events += len(evs)
	}
	return batch, events
}

// apply takes one batch through all stages.
func (w *Worker) apply(ctx context.Context, batch []person.LogRecord, oldest time.Time) (err error) {
	if w.c.May != nil {
		if err := w.c.May(); err != nil {
			return err
		}
	}
	through, began := batch[len(batch)-1].Seq, time.Now()
	ctx, span := w.begin(ctx, batch)
	defer func() { span.Done(err) }()
	var applied person.Applied
	if err := stage(ctx, "resolve and fold", func(ctx context.Context) (err error) {
		applied, err = w.c.People.Apply(ctx, batch)
		return err
	}); err != nil {
		return fmt.Errorf("resolve and fold: %w", err)
	}
	resolved := time.Now()
	var people []person.Person
	if err := stage(ctx, "keep", func(ctx context.Context) (err error) {
		people, err = w.store(ctx, applied, through)
		return err
	}); err != nil {
		return err
	}
	kept := time.Now()
	if len(applied.Refused) > 0 && w.c.Forget != nil {
		if err := w.c.Forget(ctx, applied.Refused); err != nil {
			return fmt.Errorf("forget what was refused: %w", err)
		}
	}
	if applied.Tasks {
		if err := w.settle(ctx); err != nil {
			return err
		}
		people = nil // some may be part of others by now, and judged as who they were they would be nobody's
	}
	done, err := w.reacted(ctx)
	if err != nil || through <= done {
		return err
	}
	if err := w.react(ctx, Reaction{Events: applied.Kept, Touched: applied.Touched, Told: applied.Told, Winners: winners(applied), People: people}); err != nil {
		return err
	}
	if err := w.c.Positions.SetPosition(ctx, ReactConsumer, through); err != nil {
		return fmt.Errorf("react position: %w", err)
	}
	if w.c.Passed != nil {
		now := time.Now()
		w.c.Passed(Passed{Events: applied.Kept, Oldest: oldest, Done: now, Resolve: resolved.Sub(began), Keep: kept.Sub(resolved), React: now.Sub(kept)})
	}
	return nil
}

// store keeps what was resolved, and returns the people whose rows it wrote.
func (w *Worker) store(ctx context.Context, a person.Applied, through uint64) ([]person.Person, error) {
	if through == 0 && len(a.Touched)+len(a.Moves)+len(a.Redirects) == 0 {
		return nil, nil
	}
	people, err := w.changed(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("mirror people: %w", err)
	}
	rows, err := w.c.Mirror(ctx, people)
	if err != nil {
		return nil, fmt.Errorf("mirror people: %w", err)
	}
	b := event.Batch{Events: a.Kept, Moves: a.Moves, Redirects: a.Redirects, People: rows, Through: through}
	for _, s := range a.Told {
		b.Seen = append(b.Seen, event.Sighting{Workspace: s.Workspace, Num: s.Num, LastSeen: s.LastSeen})
	}
	for _, r := range a.Redirects {
		b.Gone = append(b.Gone, event.RemovedPerson{Workspace: r.Workspace, Num: r.Loser})
	}
	if err := w.c.Events.Append(ctx, b); err != nil {
		return nil, fmt.Errorf("keep: %w", err)
	}
	return people, nil
}

// pace is the time from the start of a batch to that of the next. Each batch costs some transactions of three stores whatever is in it, so where events come
// in numbers they are gathered for longer; a single visitor's are not.
func (w *Worker) pace(events int) time.Duration {
	if events >= busyEvents {
		return 3 * w.c.Pace
	}
	return w.c.Pace
}

// changed returns the people whose mirrored rows may have to be others than before, and reads those whom a batch does not bring. Most events say something new of
// what somebody did, not of who they are.
func (w *Worker) changed(ctx context.Context, a person.Applied) ([]person.Person, error) {
	known := make(map[person.Ref]bool, len(a.Told)+len(a.People))
	for _, s := range a.Told {
		known[s.Ref] = true
	}
	for _, p := range a.People {
		known[p.Ref()] = true
	}
	unread := map[string][]uint64{}
	for _, r := range a.Touched {
		if !known[r] {
			unread[r.Workspace] = append(unread[r.Workspace], r.Num)
		}
	}
	people := a.People
	for _, ws := range slices.Sorted(maps.Keys(unread)) {
		found, err := w.c.People.ByNums(ctx, ws, unread[ws])
		if err != nil {
			return nil, err
		}
		people = append(people, found...)
	}
	return people, nil
}

// settle replays identities that late events have put in doubt, until none is left. Each replay is stored and reacted to
// before it counts as done.
func (w *Worker) settle(ctx context.Context) error {
	for more := true; more; {
		a, err := w.c.People.RunTasks(ctx)
		if err != nil {
			return fmt.Errorf("replay identities: %w", err)
		}
		people, err := w.store(ctx, a, 0)
		if err != nil {
			return err
		}
		if err := w.react(ctx, Reaction{Touched: a.Touched, People: people}); err != nil {
			return err
		}
		if err := w.c.People.Acknowledge(ctx, a); err != nil {
			return fmt.Errorf("replay identities: %w", err)
		}
		more = a.Tasks
	}
	return nil
}

func (w *Worker) react(ctx context.Context, r Reaction) error { return react(ctx, w.c.Reactors, r) }

// winners are those of the touched into whom others were merged.
func winners(a person.Applied) []person.Ref {
	won := make(map[event.RemovedPerson]bool, len(a.Redirects))
	for _, r := range a.Redirects {
		won[event.RemovedPerson{Workspace: r.Workspace, Num: r.Winner}] = true
	}
	var out []person.Ref
	for _, ref := range a.Touched {
		if won[event.RemovedPerson{Workspace: ref.Workspace, Num: ref.Num}] {
			out = append(out, ref)
		}
	}
	return out
}

func react(ctx context.Context, reactors []Reactor, r Reaction) error {
	if len(r.Events) == 0 && len(r.Touched) == 0 {
		return nil
	}
	ctx = Following(ctx, r)
	var all []error
	for _, reactor := range reactors {
		err := stage(ctx, "react: "+reactor.Name, func(ctx context.Context) error { return reactor.React(ctx, r) })
		if err != nil {
			all = append(all, fmt.Errorf("react: %s: %w", reactor.Name, err))
		}
	}
	return errors.Join(all...)
}
