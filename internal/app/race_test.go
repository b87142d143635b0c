package app

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus/bustest"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
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

const judgedIn = "ws_1"

var judgedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// readPeople are people of whom something becomes known right after the loop has read them.
type readPeople struct {
	*person.Service
	read func()
}

func (r readPeople) ByIDs(ctx context.Context, ws string, ids []string) (map[string]person.Person, error) {
	out, err := r.Service.ByIDs(ctx, ws, ids)
	r.read()
	return out, err
}

func (r readPeople) List(ctx context.Context, ws string, p page.Request) (page.Of[person.Person], error) {
	out, err := r.Service.List(ctx, ws, p)
	r.read()
	return out, err
}

// judging is a pipeline whose only reactor judges how people stand; halfway is done between a merge in the record store and the event store's, and read after
// the judging loop has read people.
type judging struct {
	t       *testing.T
	people  *person.Service
	judges  *standing.Service
	rows    standing.Store
	log     *bustest.Memory
	through chan uint64
	halfway func(ctx context.Context) error
	read    func()
}

func newJudging(t *testing.T, kind sqldb.Dialect) *judging {
	t.Helper()
	c, quiet := clock.NewFixed(judgedAt), slog.New(slog.DiscardHandler)
	db := sqldbtest.Open(t, kind)
	events, err := duck.Open(t.Context(), filepath.Join(t.TempDir(), "events.duckdb"), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = events.Close() })
	people, err := person.New(person.Config{Store: sqlstore.NewPerson(db), Tx: db, Clock: c, Emitter: noEmitter{}, History: events, Log: quiet, AliasIdentified: func(context.Context, string) (bool, error) { return true, nil }})
	if err != nil {
		t.Fatal(err)
	}
	j := &judging{t: t, people: people, rows: sqlstore.NewStanding(db), log: bustest.NewMemory(1 << 20), through: make(chan uint64, 10), halfway: func(context.Context) error { return nil }, read: func() {}}
	j.judges = standing.New(standing.Config{
		Store: j.rows, Tx: db, Emitter: noEmitter{}, People: readPeople{people, func() { j.read() }}, Events: events, Clock: c, Log: quiet,
		Zone:       func(context.Context, string) (*time.Location, error) { return time.UTC, nil },
		Workspaces: func(context.Context) ([]string, error) { return []string{judgedIn}, nil },
	})
	people.Observe(byID{j.judges})
	w := pipeline.New(pipeline.Config{
		Log: j.log, People: people, Positions: passedRecords{sqlstore.NewPositions(db), j.through}, Logger: quiet, Pace: time.Millisecond,
		Events:   beforeMerges{events, func(ctx context.Context) error { return j.halfway(ctx) }},
		Mirror:   func(context.Context, []person.Person) ([]event.Mirror, error) { return nil, nil },
		Reactors: []pipeline.Reactor{judged(j.judges)},
	})
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Stop(context.Background()) })
	return j
}

// send puts events on the log as one record and waits until it has gone through.
func (j *judging) send(events ...event.Event) {
	j.t.Helper()
	for i := range events {
		e := &events[i]
		e.Workspace, e.Received, e.Origin = judgedIn, judgedAt, event.Server
		if e.Time.IsZero() {
			e.Time = judgedAt
		}
	}
	raw, err := event.EncodeBatch(events)
	if err != nil {
		j.t.Fatal(err)
	}
	if _, err := j.log.Append(j.t.Context(), raw); err != nil {
		j.t.Fatal(err)
	}
	<-j.through
}

// stages returns how everybody stands who was judged.
func (j *judging) stages() map[string]standing.Stage {
	j.t.Helper()
	rows, err := j.rows.After(j.t.Context(), judgedIn, "", 100)
	if err != nil {
		j.t.Fatal(err)
	}
	out := map[string]standing.Stage{}
	for _, r := range rows {
		out[r.Person] = r.Stage
	}
	return out
}

func (j *judging) who(user string) string {
	j.t.Helper()
	found, err := j.people.ByIdentifier(j.t.Context(), judgedIn, event.Identifier{Kind: "user_id", Value: user})
	if err != nil {
		j.t.Fatal(err)
	}
	return found.ID
}

func ordered(id, user, browser string) event.Event {
	return event.Event{MessageID: id, Type: event.Track, Name: event.OrderCompleted, UserID: user, AnonymousID: browser, Properties: []byte(`{"total":10,"currency":"EUR"}`)}
}

// Whoever others were merged into is due at once, and the loop that looks for people whose time has come does not wait for the event store.
func TestWhoWasJudgedInTheMiddleOfAMergeIsJudgedAgain(t *testing.T) {
	j := newJudging(t, sqldb.SQLite)
	var halfway standing.Stage
	j.halfway = func(ctx context.Context) error {
		_, err := j.judges.Tick(ctx)
		halfway = j.stages()[j.who("u1")]
		return err
	}
	j.send(event.Event{MessageID: "m1", Type: event.Identify, UserID: "u1"})
	j.send(ordered("m2", "", "a1"))
	j.send(event.Event{MessageID: "m3", Type: event.Identify, UserID: "u1", AnonymousID: "a1"})
	if now := j.stages()[j.who("u1")]; halfway != standing.Lead || now != standing.Fresh {
		t.Errorf("in the middle of the merge %q, afterwards %q; want a lead whose order is not there yet, and then a new customer", halfway, now)
	}
}

// What comes late has identities worked out anew before the batch that it came with is judged: who was read before may be a part of somebody else by then.
func TestNobodyIsJudgedAsWhoTheyWereBeforeIdentitiesWereWorkedOutAnew(t *testing.T) {
	j := newJudging(t, sqldb.SQLite)
	early := judgedAt.Add(-2 * time.Hour)
	j.send(event.Event{MessageID: "m1", Type: event.Identify, UserID: "u1", Time: early})
	// Nobody is called u2 yet, so the alias takes it for a browser.
	j.send(event.Event{MessageID: "m2", Type: event.Alias, UserID: "u1", PreviousID: "u2", Time: judgedAt.Add(-time.Hour)})
	j.send(ordered("m3", "u1", ""), ordered("m4", "u2", ""), event.Event{MessageID: "m5", Type: event.Identify, UserID: "u2", Time: early})
	if who := j.who("u1"); who != j.who("u2") {
		t.Fatal("they were not merged: the test proves nothing")
	} else if got := j.stages(); len(got) != 1 || got[who] != standing.Fresh {
		t.Errorf("judged: %v; want %s as a new customer and nobody else", got, who)
	}
}

// The loop judges whom it finds, while events go on saying who somebody is.
func TestNobodyIsJudgedAsWhoTheyWereWhenTheLoopFoundThem(t *testing.T) {
	known := event.Event{MessageID: "m9", Type: event.Identify, UserID: "u1", AnonymousID: "a1"}
	for name, before := range map[string][]event.Event{
		"a browser turns out to be somebody new":      {{MessageID: "m1", Type: event.Page, AnonymousID: "a1"}},
		"a browser turns out to be a customer's":      {{MessageID: "m1", Type: event.Page, AnonymousID: "a1"}, ordered("m2", "u1", "")},
		"a customer turns out to have a browser, too": {ordered("m1", "u1", ""), {MessageID: "m2", Type: event.Page, AnonymousID: "a1"}},
	} {
		for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
			for _, due := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, %s, due %v", name, kind, due), func(t *testing.T) {
					j := newJudging(t, kind)
					for _, e := range before {
						j.send(e)
					}
					want := map[bool]standing.Stage{true: standing.Fresh, false: standing.Lead}[len(before) > 1]
					for id := range j.stages() {
						if !due {
							break // the daily round finds them
						}
						if err := j.rows.Soon(t.Context(), judgedIn, id, judgedAt); err != nil {
							t.Fatal(err)
						}
					}
					told := make(chan struct{})
					meanwhile := sync.OnceFunc(func() {
						go func() { defer close(told); j.send(known) }()
						select {
						case <-told:
						case <-time.After(time.Second / 2): // it waits for the loop
						}
					})
					j.read = meanwhile
					for more := true; more; {
						var err error
						if more, err = j.judges.Tick(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					<-told
					if who, got := j.who("u1"), j.stages(); len(got) != 1 || got[who] != want {
						t.Errorf("judged: %v; want %s as %s and nobody else", got, who, want)
					}
				})
			}
		}
	}
}

// Whoever was judged by the scheme before is judged by the new one, however far the round was when the scheme changed.
func TestARoundThatIsUnderWayBeginsAnewWithAnotherScheme(t *testing.T) {
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			j := newJudging(t, kind)
			j.send(ordered("m1", "u1", ""))
			changed := false
			j.read = func() {
				st, err := j.judges.State(t.Context(), judgedIn)
				if err != nil || changed || st.Round.Phase != standing.Judging {
					return
				}
				changed = true
				scheme := standing.DefaultScheme()
				scheme.WindowDays++
				if _, err := j.judges.SetScheme(t.Context(), judgedIn, scheme, st.Rev); err != nil {
					t.Error(err)
				}
			}
			for i := 0; !changed && i < 10; i++ {
				if _, err := j.judges.Tick(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			st, err := j.judges.State(t.Context(), judgedIn)
			if err != nil || !changed || st.Round.Phase != "" || st.Round.Due.After(judgedAt) {
				t.Errorf("changed %v; the round afterwards is %+v, %v; want one that is due", changed, st.Round, err)
			}
		})
	}
}
