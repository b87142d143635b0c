package journey_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/task"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const ws = "ws_1"

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// world is everything around journeys. What it is asked to write goes into tables of the same database, so that a
// transaction that fails takes it back.
type world struct {
	t     testing.TB
	db    *sqldb.DB
	clock *clock.Fixed
	svc   *journey.Service

	mu        sync.Mutex
	history   map[string][]event.Kept   // by person id
	traits    map[string]map[string]any // by person id, beside "id"
	gone      map[string]bool
	merged    map[uint64]string
	refuse    map[string]string // person -> reason
	fail      func(what string) error
	loading   func() // called once before people are loaded
	late      func() // called once after
	checks    map[string]error
	sets      map[string][]uint64 // members by set; "" is everybody
	unsettled map[string]bool
	rests     map[string][]string // fields, by segment
	edit      func(set string)    // called once when its members are read
	zone      *time.Location
	reach     map[string]rule.Channel // of everybody
	box       *secret.Box
	figures   map[string]outbox.Counts
	tasks     *task.Service
	calls     []journey.CallRequest
	reply     func(r journey.CallRequest) (journey.CallAnswer, error) // nil: 200 {}
	position  uint64

	withdrawn []string // person, why, whether it names their round
	held      []string // what was paused and resumed in the outbox
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, sqldb.SQLite)
}

func newWorldOn(t testing.TB, kind sqldb.Dialect) *world {
	t.Helper()
	w := &world{
		t: t, db: sqldbtest.Open(t, kind), clock: clock.NewFixed(start), history: map[string][]event.Kept{},
		traits: map[string]map[string]any{}, sets: map[string][]uint64{}, zone: time.UTC, gone: map[string]bool{}, merged: map[uint64]string{}, refuse: map[string]string{}, checks: map[string]error{},
	}
	w.sql(`CREATE TABLE test_message (key TEXT PRIMARY KEY, person TEXT, template TEXT, node TEXT, vars TEXT, goal TEXT)`)
	w.sql(`CREATE TABLE test_trait (cause TEXT PRIMARY KEY, person TEXT, traits TEXT)`)
	w.sql(`CREATE TABLE test_list (person TEXT, list TEXT, PRIMARY KEY (person, list))`)
	w.sql(`CREATE TABLE test_event (id TEXT PRIMARY KEY, name TEXT, person TEXT, props TEXT)`)
	var err error
	if w.box, err = secret.NewBox(make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	w.tasks = task.New(task.Config{Store: sqlstore.NewTask(w.db), Tx: w.db, Clock: w.clock, Emitter: w, Member: func(_ context.Context, _, user string) (bool, error) { return !w.gone[user], nil }})
	w.svc = w.service()
	return w
}

// forget empties everything but the journeys and goes back to the start.
func (w *world) forget() {
	w.t.Helper()
	for _, table := range []string{"test_message", "test_trait", "test_event", "test_list", "task", "journey_errand", "journey_decision", "journey_instance", "journey_step", "journey_count", "journey_entry", "journey_refusal"} {
		w.sql("DELETE FROM " + table)
	}
	w.history, w.position = map[string][]event.Kept{}, 0
	w.clock.Set(start)
}

// service is another process on the same database.
func (w *world) service() *journey.Service { return w.serviceOn(w.db) }

func (w *world) serviceOn(run tx.Runner) *journey.Service {
	return journey.New(journey.Config{
		Store: sqlstore.NewJourney(w.db), Tx: run, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Emitter: w, Outbox: w, People: w,
		Subjects: w, Traits: w, Checker: w, Caller: w, Lists: w, Figures: w, Tasks: w.tasks, Box: w.box, Audience: w,
		Zone: func(context.Context, string) (*time.Location, error) { return w.zone, nil },
	})
}

func (w *world) sql(q string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Exec(context.Background(), q, args...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) broken(what string) error {
	if w.fail != nil {
		return w.fail(what)
	}
	return nil
}

func (w *world) Enqueue(ctx context.Context, reqs []outbox.Request) ([]outbox.Decision, error) {
	out := make([]outbox.Decision, len(reqs))
	for i, r := range reqs {
		if err := w.broken("enqueue " + r.PersonID); err != nil {
			return nil, err
		}
		if reason := w.refuse[r.PersonID]; reason != "" {
			out[i] = outbox.Decision{MessageID: "msg:" + r.Key, Reason: reason, Data: outbox.Evidence{"why": reason}}
			continue
		}
		vars, _ := json.Marshal(r.Vars)
		goal, _ := json.Marshal(r.Goal)
		n, err := w.db.Exec(ctx, `INSERT INTO test_message VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, r.Key, r.PersonID, r.Template, r.Source.Node, string(vars), string(goal))
		if err != nil {
			return nil, err
		}
		out[i] = outbox.Decision{MessageID: "msg:" + r.Key, Allowed: true, Duplicate: n == 0}
	}
	return out, w.broken("enqueued")
}

func (w *world) Withdraw(_ context.Context, _ string, all []outbox.Withdrawal) error {
	for _, x := range all {
		w.withdrawn = append(w.withdrawn, fmt.Sprintf("%s %s %t", x.Person, x.Data["why"], strings.HasPrefix("jrn:"+w.last(x.Person)+":", x.Keys)))
	}
	return w.broken("withdraw")
}

// last is the id of the round that the person entered last.
func (w *world) last(person string) string {
	id, err := sqldb.One(context.Background(), w.db, sqldb.Value[string], `SELECT id FROM journey_instance WHERE person_id = $1 ORDER BY entered_at DESC, id DESC LIMIT 1`, person)
	if err != nil {
		return ""
	}
	return id
}

func (w *world) SourcePaused(_ context.Context, _ string, src outbox.Source) error {
	w.held = append(w.held, "paused "+src.Kind+" "+src.ID)
	return nil
}

func (w *world) SourceResumed(_ context.Context, _ string, src outbox.Source) error {
	w.held = append(w.held, "resumed "+src.Kind+" "+src.ID)
	return nil
}

func (w *world) ChangeTraits(ctx context.Context, _, person string, traits map[string]any, increment map[string]float64, cause string) error {
	raw, _ := json.Marshal(traits)
	if len(increment) > 0 {
		more, _ := json.Marshal(increment)
		raw = slices.Concat(raw, []byte("+"), more)
	}
	if _, err := w.db.Exec(ctx, `INSERT INTO test_trait VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, cause, person, string(raw)); err != nil {
		return err
	}
	return w.broken("traits")
}

func (w *world) Change(ctx context.Context, _, list, person string, remove bool) error {
	if err := w.broken("list " + person); err != nil {
		return err
	}
	var err error
	if remove {
		_, err = w.db.Exec(ctx, `DELETE FROM test_list WHERE person = $1 AND list = $2`, person, list)
	} else {
		_, err = w.db.Exec(ctx, `INSERT INTO test_list VALUES ($1, $2) ON CONFLICT DO NOTHING`, person, list)
	}
	return err
}

func (w *world) Call(_ context.Context, r journey.CallRequest) (journey.CallAnswer, error) {
	w.mu.Lock()
	w.calls = append(w.calls, r)
	w.mu.Unlock()
	if w.reply == nil {
		return journey.CallAnswer{Status: 200, Body: []byte("{}")}, nil
	}
	return w.reply(r)
}

func (w *world) CountsByNode(context.Context, string, outbox.Source) (map[string]outbox.Counts, error) {
	return w.figures, nil
}

func (w *world) Emit(ctx context.Context, events ...event.Event) error {
	for _, e := range events {
		if e.Workspace == "" || e.PersonID == "" || e.Origin != event.Internal || e.Time.IsZero() || e.Received.IsZero() {
			return fmt.Errorf("incomplete event %+v", e)
		}
		if _, err := w.db.Exec(ctx, `INSERT INTO test_event VALUES ($1, $2, $3, $4)`, e.MessageID, e.Name, e.PersonID, string(e.Properties)); err != nil {
			return err
		}
	}
	return w.broken("emit")
}

func (w *world) IDs(_ context.Context, _ string, nums []uint64) (map[uint64]string, error) {
	out := map[uint64]string{}
	for _, n := range nums {
		id := fmt.Sprintf("per_%d", n)
		if m := w.merged[n]; m != "" {
			id = m
		}
		if !w.gone[id] {
			out[n] = id
		}
	}
	return out, w.broken("ids")
}

func (w *world) Subjects(_ context.Context, _ string, people []string, names []string, all bool) (map[string]*rule.Subject, error) {
	if w.loading != nil {
		f := w.loading
		w.loading = nil
		f()
	}
	if w.late != nil {
		defer func(f func()) { f() }(w.late)
		w.late = nil
	}
	out := map[string]*rule.Subject{}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range people {
		if err := w.broken("subject " + p); err != nil {
			return nil, err
		}
		if w.gone[p] {
			continue
		}
		s := &rule.Subject{ID: p, Traits: map[string]any{"id": p}, Channels: w.reach, In: func(set string) bool { return slices.Contains(w.sets[set], number(p)) }}
		maps.Copy(s.Traits, w.traits[p])
		for _, e := range w.history[p] {
			if all || slices.Contains(names, e.Name) {
				s.Events = append(s.Events, e)
			}
		}
		out[p] = s
	}
	return out, nil
}

func number(person string) uint64 {
	n, _ := strconv.ParseUint(strings.TrimPrefix(person, "per_"), 10, 64)
	return n
}

func (w *world) Numbers(_ context.Context, _, set string) (*roaring64.Bitmap, error) {
	members := roaring64.BitmapOf(w.sets[set]...)
	if f := w.edit; f != nil {
		w.edit = nil
		f(set)
	}
	return members, w.broken("numbers " + set)
}

func (w *world) Unsettled(_ context.Context, _ string, sets []string) (names []string, err error) {
	for _, set := range sets {
		if w.unsettled[set] {
			names = append(names, set)
		}
	}
	return names, w.broken("unsettled")
}

func (w *world) RestsOn(_ context.Context, _, set string) (fields, sets, events []string, err error) {
	return w.rests[set], []string{set}, nil, nil
}

func (w *world) LastEvents(_ context.Context, _ string, people, names []string) (map[string]time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]time.Time{}
	for _, p := range people {
		for _, e := range w.history[p] {
			if len(names) == 0 && e.Type == event.Track || slices.Contains(names, e.Name) {
				out[p] = e.Time
			}
		}
	}
	return out, nil
}

// know gives a person a trait, as the pipeline does.
func (w *world) know(n uint64, trait string, value any) {
	w.t.Helper()
	w.set(fmt.Sprintf("per_%d", n), trait, value)
}

// until lets time pass up to a moment and moves everybody who is due then.
func (w *world) until(t time.Time) {
	w.t.Helper()
	if d := t.Sub(w.clock.Now()); d > 0 {
		w.pass(d)
	}
}

func (w *world) CheckTemplate(_ context.Context, _, id string) error { return w.checks[id] }
func (w *world) CheckVariables(_ context.Context, _, id string, now bool) error {
	if now {
		w.t.Error("the variables of a journey are asked for people of today")
	}
	return w.checks["variables of "+id]
}
func (w *world) CheckTopic(_ context.Context, _, id string) error  { return w.checks[id] }
func (w *world) CheckList(_ context.Context, _, id string) error   { return w.checks[id] }
func (w *world) Check(address string) error                        { return w.checks[address] }
func (w *world) CheckField(_ context.Context, _, f string) error   { return w.checks[f] }
func (w *world) CheckChannel(_ context.Context, _, k string) error { return w.checks[k] }
func (w *world) CheckMember(_ context.Context, _, id string) error { return w.checks[id] }
func (w *world) PersonVariables(context.Context, string) ([]string, error) {
	return []string{"person.id", "person.email", "person.plan"}, nil
}
func (w *world) CheckSet(_ context.Context, _, id string) error { return w.checks[id] }

// event makes an event of person n that happens now.
func (w *world) event(id string, n uint64, name, props string) event.Kept {
	w.position++
	now := w.clock.Now()
	typ := event.Track
	if strings.HasPrefix(name, "Segment ") {
		typ = event.Segment
	}
	return event.Kept{Person: n, Position: event.Position{Seq: w.position}, Event: event.Event{
		Workspace: ws, MessageID: id, Type: typ, Name: name, Time: now, Received: now, Origin: event.Server, Properties: json.RawMessage(props),
	}}
}

// happen keeps the events and lets journeys react, as the pipeline does.
func (w *world) happen(events ...event.Kept) {
	w.t.Helper()
	w.keep(events...)
	w.react(events...)
}

func (w *world) keep(events ...event.Kept) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range events {
		p := fmt.Sprintf("per_%d", e.Person)
		w.history[p] = append(w.history[p], e)
		slices.SortStableFunc(w.history[p], func(a, b event.Kept) int {
			if event.Less(a, b) {
				return -1
			}
			return 1
		})
	}
}

func (w *world) react(events ...event.Kept) {
	w.t.Helper()
	if err := w.svc.React(context.Background(), events); err != nil {
		w.t.Fatal(err)
	}
}

// settle moves everybody who is due.
func (w *world) settle() { w.t.Helper(); w.settleIn(context.Background()) }

func (w *world) settleIn(ctx context.Context) {
	w.t.Helper()
	for range 100 {
		n, err := w.svc.Tick(ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		done, err := w.svc.Errands(ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		if n+done == 0 {
			return
		}
	}
	w.t.Fatal("people are moved without end")
}

func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.clock.Advance(d)
	w.settle()
}

func (w *world) publish(key, graph string) journey.Journey {
	w.t.Helper()
	j, err := w.svc.Create(context.Background(), ws, key, key, parse(w.t, graph))
	if err != nil {
		w.t.Fatal(err)
	}
	if j, err = w.svc.Publish(context.Background(), ws, j.ID); err != nil {
		w.t.Fatal(err)
	}
	return j
}

func parse(t testing.TB, graph string) journey.Graph {
	t.Helper()
	var g journey.Graph
	if err := json.Unmarshal([]byte(graph), &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func (w *world) strings(q string) []string {
	w.t.Helper()
	out, err := sqldb.Collect(context.Background(), w.db, sqldb.Value[string], q)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// messages lists what was sent as "person template".
func (w *world) messages() []string {
	return w.strings(`SELECT person || ' ' || template FROM test_message ORDER BY key`)
}

// emitted lists the events written as "name person".
func (w *world) emitted() []string {
	return w.strings(`SELECT name || ' ' || person FROM test_event ORDER BY id`)
}

// rounds lists the person's rounds, oldest first, as "status node why".
func (w *world) rounds(person string) []string {
	w.t.Helper()
	return w.strings(`SELECT status || ' ' || node || ' ' || why FROM journey_instance WHERE person_id = '` + person + `' ORDER BY id`)
}

func (w *world) instance(person string) string {
	w.t.Helper()
	all := w.strings(`SELECT id FROM journey_instance WHERE person_id = '` + person + `' ORDER BY id DESC`)
	if len(all) == 0 {
		w.t.Fatalf("%s is in no journey", person)
	}
	return all[0]
}

// path lists the steps of the person's last round as "node>output" or "node!why".
func (w *world) path(person string) string {
	w.t.Helper()
	_, steps, err := w.svc.Path(context.Background(), ws, w.instance(person))
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, s := range steps {
		if s.Why != "" {
			out = append(out, s.Node+"!"+s.Why)
		} else {
			out = append(out, s.Node+">"+s.Output)
		}
	}
	return strings.Join(out, " ")
}

func (w *world) stats(id string) journey.Stats {
	w.t.Helper()
	s, err := w.svc.Stats(context.Background(), ws, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func want(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, x := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != x {
		t.Errorf("%s: %s, want %s", what, g, x)
	}
}

var (
	errBroken    = errors.New("the disk is on fire")
	errPermanent = errs.NotFound("template", "tpl_1")
)

const cart = `{
	"trigger": {"event": {"name": "Product Added"}}, "start": "wait",
	"nodes": [
		{"id": "wait", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}, "next": {"next": "ordered"}},
		{"id": "ordered", "kind": "branch", "config": {"event_since_entry": {"name": "Order Completed"}}, "next": {"yes": "leave", "no": "mail"}},
		{"id": "leave", "kind": "exit", "config": {"reason": "ordered alone"}},
		{"id": "mail", "kind": "send", "config": {"template": "tpl_1", "topic": "tpc_1"}, "next": {"next": "mark"}},
		{"id": "mark", "kind": "set_trait", "config": {"traits": {"reminded": true}}, "next": {"next": "goal"}},
		{"id": "goal", "kind": "goal", "config": {"event": {"name": "Order Completed"}, "window": {"n": 3, "unit": "day"}}}
	]%s}`

func cartWith(more string) string {
	if more != "" {
		more = ", " + more
	}
	return fmt.Sprintf(cart, more)
}
