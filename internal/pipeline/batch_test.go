package pipeline_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
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

// watchedPeople tells of each record that is resolved.
type watchedPeople struct {
	person.Store
	resolved chan uint64
}

func (p watchedPeople) SetPosition(ctx context.Context, seq uint64) error {
	p.resolved <- seq
	return p.Store.SetPosition(ctx, seq)
}

// keptEvents is an event store that remembers batches. before is called in each Append.
type keptEvents struct {
	event.Store
	before  func(b event.Batch)
	mu      sync.Mutex
	through uint64
}

func (k *keptEvents) Append(_ context.Context, b event.Batch) error {
	k.before(b)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.through = max(k.through, b.Through)
	return nil
}

func (k *keptEvents) Position(context.Context) (uint64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.through, nil
}

// flow is a worker on real people, with a log and an event store in memory.
type flow struct {
	*pipeline.Worker
	people    *person.Service
	positions *sqlstore.Positions
	events    *keptEvents
	resolved  chan uint64
	reactions chan pipeline.Reaction
}

func newFlow(t *testing.T, records ...[]event.Event) *flow {
	db := sqldbtest.Open(t, sqldb.SQLite)
	log := bustest.NewMemory(1 << 30)
	for _, events := range records {
		raw, err := event.EncodeBatch(events)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
	}
	f := &flow{
		positions: sqlstore.NewPositions(db), events: &keptEvents{before: func(event.Batch) {}},
		resolved: make(chan uint64, 100), reactions: make(chan pipeline.Reaction, 100),
	}
	quiet := slog.New(slog.DiscardHandler)
	var err error
	if f.people, err = person.New(person.Config{Store: watchedPeople{sqlstore.NewPerson(db), f.resolved}, Tx: db, History: history{f.events}, Clock: clock.System{}, Log: quiet}); err != nil {
		t.Fatal(err)
	}
	f.Worker = pipeline.New(pipeline.Config{
		Log: log, People: f.people, Events: f.events, Positions: f.positions, Logger: quiet, Pace: time.Millisecond,
		Mirror: mirror,
		Reactors: []pipeline.Reactor{{Name: "told", React: func(_ context.Context, r pipeline.Reaction) error {
			f.reactions <- r
			return nil
		}}},
	})
	return f
}

// mirror reads nothing of people but their names.
func mirror(_ context.Context, refs []person.Ref) ([]event.Mirror, []person.Person, error) {
	out := make([]person.Person, len(refs))
	for i, r := range refs {
		out[i] = person.Person{ID: r.ID, Num: r.Num, Workspace: r.Workspace}
	}
	return nil, out, nil
}

// history is the part of an event store that replays read, of which there are none here.
type history struct{ *keptEvents }

func (history) Linked(context.Context, string, []event.Identifier, int) ([]event.Kept, error) {
	return nil, nil
}

func (f *flow) run(t *testing.T) {
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// visits are as many events of one visitor as make a batch of their own.
func visits(who string, n int) []event.Event {
	out := make([]event.Event, n)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range out {
		out[i] = event.Event{
			Workspace: "ws", MessageID: fmt.Sprint(who, "-", i), Type: event.Track, Name: "Seen", AnonymousID: who,
			Time: at.Add(time.Duration(i) * time.Second), Received: at, Origin: event.Browser,
		}
	}
	return out
}

const whole = 5000 // events of a batch

func TestTheNextBatchIsResolvedWhileOneIsKept(t *testing.T) {
	f := newFlow(t, visits("a", whole), visits("b", 1))
	f.events.before = func(b event.Batch) {
		if b.Through != 1 {
			return
		}
		for seq := range f.resolved {
			if seq == 2 {
				return // before the first batch is stored
			}
		}
	}
	f.run(t)
	for i, want := range []int{whole, 1} {
		if r := <-f.reactions; len(r.Events) != want || len(r.Touched) != 1 {
			t.Errorf("reaction %d is to %d events of %d people, want %d of one", i, len(r.Events), len(r.Touched), want)
		}
	}
}

func TestABatchThatMergesIsReactedToWithTheOneBefore(t *testing.T) {
	join := visits("a", 1)[0]
	join.MessageID, join.Type, join.Name, join.UserID = "join", event.Identify, "", "u"
	join.Time = join.Time.Add(3 * time.Hour) // after all others
	other := join
	other.MessageID, other.AnonymousID = "other", "b"
	f := newFlow(t, slices.Concat(visits("b", 1), visits("c", 1), visits("a", whole-2)), []event.Event{join, other})
	f.run(t)
	var r pipeline.Reaction
	for len(r.Events) == 0 || r.Events[len(r.Events)-1].MessageID != "other" {
		select {
		case r = <-f.reactions:
		case <-t.Context().Done():
			t.Fatal("no reaction")
		}
	}
	if len(r.Events) != whole+2 {
		t.Fatalf("reacted to %d events at once, want those of both batches", len(r.Events))
	}
	people := map[uint64]bool{}
	for _, e := range r.Events {
		people[e.Person] = true
	}
	var touched, told []uint64
	for _, ref := range r.Touched {
		touched = append(touched, ref.Num)
	}
	for _, s := range r.Told {
		told = append(told, s.Num)
	}
	var read []uint64
	for _, p := range r.People {
		read = append(read, p.Num)
	}
	slices.Sort(read)
	if !slices.Equal(read, touched) {
		t.Errorf("people %v were read, touched are %v", read, touched)
	}
	if len(people) != 2 || len(touched) != 2 || !people[touched[0]] || !people[touched[1]] || len(told) != 0 {
		t.Errorf("events of %v, touched %v, told %v; want the merged one and c, nobody as they were", people, touched, told)
	}
}

func TestWhoHoldsTheWorkerFindsAllStoresAtOneEvent(t *testing.T) {
	f := newFlow(t, visits("a", whole), visits("b", whole), visits("c", whole), visits("d", 1))
	begun := make(chan struct{})
	once := sync.OnceFunc(func() { close(begun) })
	f.events.before = func(event.Batch) { once() }
	f.run(t)
	<-begun
	release, err := f.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	resolved, err := f.people.Store.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := f.events.Position(t.Context())
	reacted, err := f.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if resolved != kept || kept != reacted || kept == 0 {
		t.Errorf("resolved %d, kept %d, reacted %d records", resolved, kept, reacted)
	}
}
