package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/bustest"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

var (
	turmoilSeed = flag.Uint64("turmoil", 8, "the first seed of TestWhateverHappensBetweenTwoSteps")
	turmoils    = flag.Uint64("turmoils", 2, "how many seeds it runs")
)

// turmoil is the way of events from the log to people, segments and standings on the real stores, where between any two steps something else may happen that is
// drawn: the loop judges, what was told comes back from the log, staff joins or splits people, the clock moves on, the worker dies and begins anew.
type turmoil struct {
	t        *testing.T
	rng      *rand.Rand
	clock    *clock.Fixed
	people   *person.Service
	judges   *standing.Service
	segments *segment.Service
	rows     standing.Store
	pending  *sqlstore.PendingEvent
	events   event.Store
	log      *bustest.Memory
	worker   *pipeline.Worker
	calm     bool // nothing happens between steps any more
	deep     int
	sent     int
	acts     map[string]int
}

var errDied = errors.New("the process has died")

// between does something or nothing. It is called where no transaction is open.
func (x *turmoil) between() error {
	if x.calm || x.deep > 0 {
		return nil
	}
	x.deep++
	defer func() { x.deep-- }()
	for x.rng.IntN(2) > 0 {
		if err := x.act(); err != nil {
			return err
		}
	}
	return nil
}

func (x *turmoil) act() error {
	ctx := x.t.Context()
	did := func(what string) { x.acts[what]++ }
	switch k := x.rng.IntN(100); {
	case k < 35:
		did("judged")
		_, err := x.judges.Tick(ctx)
		return err
	case k < 55:
		did("relayed")
		return x.relay()
	case k < 75:
		did("sent")
		x.send()
	case k < 85:
		did("clock")
		x.clock.Advance(time.Duration(x.rng.IntN(90)) * time.Second)
	case k < 88:
		did("died")
		return errDied
	case k < 91:
		who := x.anybody()
		if who.ID == "" {
			return nil
		}
		did("served")
		_, err := x.judges.SetService(ctx, judgedIn, who.ID, []standing.Level{"", standing.HighTouch, standing.LowTouch}[x.rng.IntN(3)])
		return err
	case k < 93:
		did("round")
		return x.judges.Restart(ctx, judgedIn)
	case k < 96:
		a, b := x.anybody(), x.anybody()
		if a.ID == "" || a.ID == b.ID {
			return nil
		}
		did("joined")
		return possible(x.people.Join(ctx, judgedIn, a.ID, b.ID, fmt.Sprint("j", x.sent, "-", x.acts["joined"])))
	default:
		who := x.anybody()
		if len(who.Identifiers) < 2 {
			return nil
		}
		did("split")
		of := who.Identifiers[x.rng.IntN(len(who.Identifiers))]
		_, err := x.people.Split(ctx, judgedIn, who.ID, person.Split{Identifiers: []event.Identifier{{Kind: of.Kind, Value: of.Value}}})
		return possible(err)
	}
	return nil
}

// possible passes over what cannot be asked of two people who are as they are.
func possible(err error) error {
	if errs.KindOf(err) != errs.KindInternal {
		return nil
	}
	return err
}

func (x *turmoil) everybody() []person.Person {
	x.t.Helper()
	found, err := x.people.List(x.t.Context(), judgedIn, page.Request{Limit: page.MaxLimit})
	if err != nil {
		x.t.Fatal(err)
	}
	return found.Items
}

func (x *turmoil) anybody() person.Person {
	all := x.everybody()
	if len(all) == 0 {
		return person.Person{}
	}
	return all[x.rng.IntN(len(all))]
}

// relay takes some of what was told to the log.
func (x *turmoil) relay() error {
	ctx := x.t.Context()
	found, err := x.pending.Next(ctx, 1+x.rng.IntN(8))
	if err != nil || len(found) == 0 {
		return err
	}
	events, ids := make([]event.Event, len(found)), make([]string, len(found))
	for i, p := range found {
		events[i], ids[i] = p.Event, p.ID
	}
	x.append(events)
	return x.pending.Done(ctx, ids)
}

func (x *turmoil) append(events []event.Event) {
	x.t.Helper()
	raw, err := event.EncodeBatch(events)
	if err != nil {
		x.t.Fatal(err)
	}
	if _, err := x.log.Append(x.t.Context(), raw); err != nil {
		x.t.Fatal(err)
	}
}

// send lets a few people do something, now or long ago.
func (x *turmoil) send() {
	const people = 5
	var batch []event.Event
	if x.rng.IntN(20) == 0 { // a flood: everybody orders at once, some of them twice
		x.acts["flood"]++
		for range 40 {
			now := x.clock.Now()
			batch = append(batch, event.Event{
				Workspace: judgedIn, MessageID: fmt.Sprint("m", x.sent), Type: event.Track, Name: event.OrderCompleted, Received: now, Time: now, Origin: event.Server,
				UserID: fmt.Sprint("u", x.rng.IntN(6*people)), Properties: fmt.Appendf(nil, `{"order_id":"o%d","total":10,"currency":"EUR"}`, x.sent),
			})
			x.sent++
		}
	}
	for range 1 + x.rng.IntN(4) {
		who := x.rng.IntN(people)
		user, browser := fmt.Sprint("u", who), fmt.Sprintf("a%d-%d", who, x.rng.IntN(2))
		now := x.clock.Now()
		e := event.Event{Workspace: judgedIn, MessageID: fmt.Sprint("m", x.sent), Type: event.Track, Received: now, Time: now, Origin: event.Server, Properties: []byte(`{}`)}
		old := now.Add(-time.Duration(x.rng.IntN(5*24))*time.Hour - time.Duration(x.rng.IntN(3600))*time.Second)
		order := func() {
			e.Name, e.Properties = event.OrderCompleted, fmt.Appendf(nil, `{"order_id":"o%d","total":%d,"currency":"EUR"}`, x.sent, 10+x.rng.IntN(60))
		}
		switch k := x.rng.IntN(12); {
		case k < 2: // somebody is recognised
			e.Type, e.UserID, e.AnonymousID, e.Time, e.Properties = event.Identify, user, browser, old, fmt.Appendf(nil, `{"plan":"%s"}`, []string{"free", "gold"}[x.rng.IntN(2)])
		case k < 4: // two turn out to be one
			e.Type, e.UserID, e.PreviousID, e.Time = event.Alias, user, fmt.Sprint("u", x.rng.IntN(people)), old
		case k < 5:
			e.Type, e.UserID, e.PreviousID, e.Time = event.Alias, user, fmt.Sprintf("a%d-%d", x.rng.IntN(people), x.rng.IntN(2)), old
		case k < 7:
			e.UserID = user
			order()
			if x.rng.IntN(4) == 0 {
				e.Time = now.Add(time.Duration(x.rng.IntN(300)) * time.Second) // a clock that is ahead
			}
		case k < 9:
			e.AnonymousID, e.Time = browser, old
			order()
		default:
			e.AnonymousID, e.Name, e.Time = browser, "Product Viewed", old
		}
		x.sent++
		batch = append(batch, e)
	}
	x.append(batch)
}

// The stores and the log of a turmoil, each of which lets something happen before and after it is used.
type (
	turmoilEvents struct {
		event.Store
		x *turmoil
	}
	turmoilLog struct {
		bus.Log
		x *turmoil
	}
	turmoilPositions struct {
		*sqlstore.Positions
		x *turmoil
	}
)

func (s turmoilEvents) Append(ctx context.Context, b event.Batch) error {
	if err := s.x.between(); err != nil {
		return err
	}
	if err := s.Store.Append(ctx, b); err != nil {
		return err
	}
	return s.x.between()
}

func (s turmoilEvents) Linked(ctx context.Context, ws string, ids []event.Identifier, limit int) ([]event.Kept, error) {
	if err := s.x.between(); err != nil {
		return nil, err
	}
	return s.Store.Linked(ctx, ws, ids, limit)
}

func (l turmoilLog) Read(ctx context.Context, after uint64, most int, wait time.Duration) ([]bus.Record, error) {
	if !l.x.calm {
		most = 1 + l.x.rng.IntN(4)
	}
	return l.Log.Read(ctx, after, most, wait)
}

func (p turmoilPositions) SetPosition(ctx context.Context, consumer string, seq uint64) error {
	if err := p.x.between(); err != nil {
		return err
	}
	return p.Positions.SetPosition(ctx, consumer, seq)
}

// turmoilRules are about what people are, what they did, and how they stand.
var turmoilRules = []string{
	`{"trait":{"path":"standing.stage","op":"eq","value":"new"}}`,
	`{"event":{"name":"Order Completed","op":"gte","value":2}}`,
	`{"all":[{"event":{"name":"Product Viewed","op":"gte","value":1}},{"not":{"event":{"name":"Order Completed","op":"gte","value":1}}}]}`,
	`{"any":[{"trait":{"path":"plan","op":"eq","value":"gold"}},{"event":{"name":"Order Completed","agg":"sum","path":"total","op":"gt","value":120}}]}`,
}

func newTurmoil(t *testing.T, kind sqldb.Dialect, seed uint64) *turmoil {
	t.Helper()
	x := &turmoil{t: t, rng: rand.New(rand.NewPCG(seed, 7)), clock: clock.NewFixed(judgedAt), log: bustest.NewMemory(1 << 24), acts: map[string]int{}}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	db := sqldbtest.Open(t, kind)
	store, err := duck.Open(t.Context(), filepath.Join(t.TempDir(), "events.duckdb"), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	x.events, x.pending, x.rows = turmoilEvents{store, x}, sqlstore.NewPendingEvent(db), sqlstore.NewStanding(db)
	open := x.rng.IntN(2) == 0
	if x.people, err = person.New(person.Config{
		Store: sqlstore.NewPerson(db), Tx: db, Clock: x.clock, Emitter: x.pending, History: x.events, Log: quiet,
		AliasIdentified: func(context.Context, string) (bool, error) { return open, nil },
	}); err != nil {
		t.Fatal(err)
	}
	x.segments = segment.New(segment.Config{Store: sqlstore.NewSegment(db), Tx: db, Events: x.events, Emitter: x.pending, People: x.people, Clock: x.clock, Logger: quiet})
	x.judges = standing.New(standing.Config{
		Store: x.rows, Tx: db, Emitter: x.pending, People: x.people, Events: x.events, Clock: x.clock, Log: quiet,
		Zone:       func(context.Context, string) (*time.Location, error) { return time.UTC, nil },
		Workspaces: func(context.Context) ([]string, error) { return []string{judgedIn}, nil },
	})
	for _, o := range []person.MergeObserver{byID{x.judges}, x.segments} {
		x.people.Observe(o)
	}
	between := pipeline.Reactor{Name: "whatever happens between", React: func(context.Context, pipeline.Reaction) error { return x.between() }}
	x.worker = pipeline.New(pipeline.Config{
		Log: turmoilLog{x.log, x}, People: x.people, Positions: turmoilPositions{sqlstore.NewPositions(db), x}, Logger: quiet, Events: x.events,
		Mirror: func(_ context.Context, people []person.Person) (rows []event.Mirror, err error) {
			for _, p := range people {
				traits, err := json.Marshal(p.Values())
				if err != nil {
					return nil, err
				}
				rows = append(rows, event.Mirror{Workspace: judgedIn, Num: p.Num, ID: p.ID, Traits: traits, Channels: []byte(`{}`), FirstSeen: p.FirstSeen, LastSeen: p.LastSeen})
			}
			return rows, x.between()
		},
		Reactors: []pipeline.Reactor{between, touched(x.segments), between, judged(x.judges), between},
	})
	x.noRound()
	for i, rule := range turmoilRules {
		if _, err := x.segments.Create(t.Context(), judgedIn, segment.Draft{Name: fmt.Sprint("Rule ", i), Rule: json.RawMessage(rule)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.segments.RunEvaluations(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x
}

// noRound keeps the periodic round from mending anything.
func (x *turmoil) noRound() {
	x.t.Helper()
	st, err := x.judges.State(x.t.Context(), judgedIn)
	if err != nil {
		x.t.Fatal(err)
	}
	if err := x.rows.PutRound(x.t.Context(), judgedIn, standing.Round{Due: judgedAt.AddDate(9, 0, 0)}, st.Thresholds); err != nil {
		x.t.Fatal(err)
	}
}

// drain lets everything come to its end, without a round.
func (x *turmoil) drain() {
	x.t.Helper()
	x.calm = true
	x.noRound()
	for quiet := 0; quiet < 2; quiet++ {
		_, before, err := x.log.Bounds(x.t.Context())
		if err != nil {
			x.t.Fatal(err)
		}
		if err := x.worker.Drain(x.t.Context()); err != nil {
			x.t.Fatal(err)
		}
		for more := true; more; {
			if more, err = x.judges.Tick(x.t.Context()); err != nil {
				x.t.Fatal(err)
			}
		}
		for range 100 {
			if err := x.relay(); err != nil {
				x.t.Fatal(err)
			}
		}
		if _, after, err := x.log.Bounds(x.t.Context()); err != nil {
			x.t.Fatal(err)
		} else if after != before {
			quiet = 0
		}
	}
}

// check compares how everybody stands, what their trait says of it and which segments they are in with judgements and evaluations from nothing.
func (x *turmoil) check() {
	x.t.Helper()
	ctx := x.t.Context()
	for _, p := range x.everybody() {
		want, err := x.judges.Of(ctx, judgedIn, p.ID)
		if err != nil {
			x.t.Fatal(err)
		}
		rows, err := x.rows.Rows(ctx, judgedIn, []string{p.ID})
		if err != nil {
			x.t.Fatal(err)
		}
		got := rows[p.ID]
		about := func(r standing.Row) string {
			return fmt.Sprint(r.Stage, " ", r.Orders, " ", r.LastOrder, " ", r.Gap, " ", r.Currency, " ", r.Spent, " ", r.Service, " ", r.Next)
		}
		if about(got) != about(want) {
			x.t.Errorf("%s (%d) stands as\n%s and should as\n%s", p.ID, p.Num, about(got), about(want))
		}
		said := ""
		if tr, ok := p.Traits[standing.Trait].Value.(map[string]any); ok {
			said = fmt.Sprint(tr["stage"], " ", tr["service"])
		}
		told := ""
		if !got.Told.IsZero() {
			told = fmt.Sprint(got.Stage, " ", got.Service)
		}
		if said != told {
			x.t.Errorf("the trait of %s (%d) says %q, the row %q", p.ID, p.Num, said, told)
		}
	}
	found, err := x.segments.Segments(ctx, judgedIn, segment.Filter{}, page.Request{Limit: 50})
	if err != nil || len(found.Items) != len(turmoilRules) {
		x.t.Fatal(err, found.Items)
	}
	for _, seg := range found.Items {
		got, err := x.segments.Members(ctx, judgedIn, seg.ID)
		if err != nil {
			x.t.Fatal(err)
		}
		want, err := x.segments.Audience(ctx, judgedIn, seg.Rule)
		if err != nil {
			x.t.Fatal(err)
		}
		if !got.Equals(want) {
			x.t.Errorf("%s: too many %v, missing %v", seg.Name, roaring64.AndNot(got, want).ToArray(), roaring64.AndNot(want, got).ToArray())
		}
	}
}

// Whatever happens between two steps of the way from the log to standings and segments, once all has come to its end everybody stands as a judgement from nothing
// says, without waiting for the round that judges everybody, and is in the segments that a full evaluation puts them in.
func TestWhateverHappensBetweenTwoSteps(t *testing.T) {
	all := map[string]int{}
	for seed := *turmoilSeed; seed < *turmoilSeed+*turmoils; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			x := newTurmoil(t, sqldb.SQLite, seed)
			for range 20 {
				x.send()
				if err := x.worker.Drain(t.Context()); err != nil && !errors.Is(err, errDied) {
					t.Fatal(err)
				}
			}
			x.drain()
			x.check()
			for what, n := range x.acts {
				all[what] += n
			}
		})
	}
	t.Log(all)
	for _, what := range []string{"judged", "relayed", "sent", "clock", "died", "served", "joined", "flood"} {
		if all[what] == 0 {
			t.Errorf("nothing was %s: the test proves less: %v", what, all)
		}
	}
}
