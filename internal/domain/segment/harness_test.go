package segment_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const ws = "ws_1"

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// tb is what the harness needs of *testing.T and *rapid.T.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// world is a segment service with the real stores around it and people who do things.
type world struct {
	tb
	ctx     context.Context
	db      *sqldb.DB
	events  event.Store
	clock   *clock.Fixed
	pending *sqlstore.PendingEvent
	broken  *breakable
	people  directory
	asked   *hooked
	*segment.Service

	ws       string
	seq      uint64
	traits   map[uint64]map[string]any
	mailable map[uint64]bool
	emitted  []event.Event
}

// newWorld makes a world of its own; tests run side by side because most of their time is waiting for disks.
func newWorld(t testing.TB) *world {
	if t, ok := t.(*testing.T); ok {
		t.Parallel()
	}
	return newWorldOn(t, sqldbtest.Open(t, sqldb.SQLite))
}

// thorough says that the command line has said how many random runs there are to be.
var thorough bool

// TestMain makes the property test short unless the command line says otherwise.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Visit(func(f *flag.Flag) { thorough = thorough || f.Name == "rapid.checks" })
	if !thorough {
		if err := flag.Set("rapid.checks", "12"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func newWorldOn(t testing.TB, db *sqldb.DB) *world {
	t.Helper()
	events, err := duck.Open(t.Context(), filepath.Join(t.TempDir(), "events.duckdb"), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := events.Close(); err != nil {
			t.Error(err)
		}
	})
	return newWorldWith(t, db, events)
}

// newWorldWith is newWorldOn with an event store of the test's own.
func newWorldWith(t testing.TB, db *sqldb.DB, events event.Store) *world {
	w := &world{
		tb: t, ctx: t.Context(), db: db, events: events, clock: clock.NewFixed(start), pending: sqlstore.NewPendingEvent(db),
		broken: &breakable{Runner: db}, people: directory{}, traits: map[uint64]map[string]any{}, mailable: map[uint64]bool{},
	}
	w.ws, w.asked = ws, &hooked{Store: events}
	w.Service = w.newService()
	return w
}

// hooked is the event store that does something before it next answers a question about everyone.
type hooked struct {
	event.Store
	before func()
}

func (h *hooked) Select(ctx context.Context, ws, sql string, args []any) (*roaring64.Bitmap, error) {
	if do := h.before; do != nil {
		h.before = nil
		do()
	}
	return h.Store.Select(ctx, ws, sql, args)
}

// newService makes another service on the same stores, as a restarted or second process would.
func (w *world) newService() *segment.Service {
	return segment.New(segment.Config{
		Store: sqlstore.NewSegment(w.db), Tx: w.broken, Events: w.asked, Emitter: w.pending, People: w.people,
		Clock: w.clock, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
}

// breakable is a transaction runner that fails on command.
type breakable struct {
	tx.Runner
	instead, before, after error // returned instead of beginning (once), instead of committing, after committing
}

func (b *breakable) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := b.instead; err != nil {
		b.instead = nil
		return err
	}
	err := b.Runner.InTx(ctx, func(ctx context.Context) error {
		if err := fn(ctx); err != nil {
			return err
		}
		return b.before
	})
	return errors.Join(err, b.after)
}

// directory is the people by public id.
type directory map[string]person.Person

func (d directory) ByIDs(_ context.Context, _ string, ids []string) (map[string]person.Person, error) {
	out := map[string]person.Person{}
	for _, id := range ids {
		if p, ok := d[id]; ok {
			out[id] = p
		}
	}
	return out, nil
}

func (d directory) ByIdentifier(_ context.Context, _ string, id event.Identifier) (person.Person, error) {
	if p, ok := d[strings.TrimPrefix(id.Value, "u")]; ok && id.Kind == "user_id" {
		return p, nil
	}
	return person.Person{}, errs.NotFound("person", id.Value)
}

func personID(num uint64) string { return fmt.Sprintf("per_%d", num) }

func ref(num uint64) person.Ref { return person.Ref{Workspace: ws, ID: personID(num), Num: num} }

// mirror is a person as the event store shows them.
func (w *world) mirror(num uint64) event.Mirror {
	traits := w.traits[num]
	if traits == nil {
		traits = map[string]any{}
	}
	raw, err := json.Marshal(traits)
	if err != nil {
		w.Fatal(err)
	}
	return event.Mirror{Workspace: w.ws, Num: num, ID: personID(num), Traits: raw, Channels: json.RawMessage(fmt.Sprintf(`{"email": {"reachable": %t}}`, w.mailable[num])), FirstSeen: start, LastSeen: w.clock.Now()}
}

// keep appends a batch to the event store.
func (w *world) keep(b event.Batch) {
	w.Helper()
	w.seq++
	for i := range b.Events {
		b.Events[i].Position = event.Position{Seq: w.seq, Index: i}
	}
	b.Through = w.seq
	if err := w.events.Append(w.ctx, b); err != nil {
		w.Fatal(err)
	}
}

// join makes people known, without any event.
func (w *world) join(nums ...uint64) {
	w.Helper()
	var b event.Batch
	for _, n := range nums {
		b.People = append(b.People, w.mirror(n))
		w.people[personID(n)] = person.Person{ID: personID(n), Num: n, Workspace: w.ws}
		w.people[fmt.Sprint(n)] = w.people[personID(n)]
	}
	w.keep(b)
}

func (w *world) kept(num uint64, name string, at time.Time, props, messageID string) event.Kept {
	return event.Kept{
		Event: event.Event{
			Workspace: w.ws, MessageID: messageID, Type: event.Track, Name: name, Time: at, Received: at,
			Origin: event.Server, Properties: json.RawMessage(props),
		},
		Person: num,
	}
}

// do stores an event of a person, unseen by the service until it is touched.
func (w *world) do(num uint64, name, props string) string {
	w.Helper()
	id := fmt.Sprintf("m%d", w.seq+1)
	w.keep(event.Batch{Events: []event.Kept{w.kept(num, name, w.clock.Now(), props, id)}, People: []event.Mirror{w.mirror(num)}})
	return id
}

// happen is do and touch.
func (w *world) happen(num uint64, name, props string) {
	w.Helper()
	id := w.do(num, name, props)
	w.touch(map[uint64]string{num: id}, num)
}

func (w *world) touch(causes map[uint64]string, nums ...uint64) {
	w.Helper()
	w.must(w.Touched(w.ctx, w.ws, nums, causes))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) make(name, rule string) segment.Segment {
	w.Helper()
	g, err := w.Create(w.ctx, w.ws, segment.Draft{Name: name, Rule: json.RawMessage(rule)})
	w.must(err)
	w.must(w.RunEvaluations(w.ctx))
	return g
}

func (w *world) list(name string) segment.List {
	w.Helper()
	l, err := w.CreateList(w.ctx, w.ws, name, "")
	w.must(err)
	return l
}

func (w *world) setRule(id, rule string) {
	w.Helper()
	_, err := w.Update(w.ctx, w.ws, id, segment.Patch{Rule: json.RawMessage(rule)})
	w.must(err)
	w.must(w.RunEvaluations(w.ctx))
}

func (w *world) in(id string) []uint64 {
	w.Helper()
	b, err := w.Members(w.ctx, w.ws, id)
	w.must(err)
	return b.ToArray()
}

func (w *world) wantIn(id string, want ...uint64) {
	w.Helper()
	if got := w.in(id); !slices.Equal(got, want) {
		w.Errorf("members %v, want %v", got, want)
	}
	var size uint64
	if g, err := w.Get(w.ctx, w.ws, id); err == nil {
		size = g.Size
	} else {
		l, err := w.GetList(w.ctx, w.ws, id)
		w.must(err)
		size = l.Size
	}
	if size != uint64(len(want)) {
		w.Errorf("stored size %d, want %d", size, len(want))
	}
}

// said is an emitted event in short: "+Name p1 cause message" or "-Name ...".
func said(e event.Event) string {
	var p struct {
		SegmentName    string `json:"segment_name"`
		Cause          string `json:"cause"`
		CauseMessageID string `json:"cause_message_id"`
	}
	if err := json.Unmarshal(e.Properties, &p); err != nil {
		return err.Error()
	}
	sign := "+"
	if e.Name == event.SegmentLeft {
		sign = "-"
	}
	return strings.TrimSpace(fmt.Sprintf("%s%s %s %s %s", sign, p.SegmentName, strings.TrimPrefix(e.PersonID, "per_"), p.Cause, p.CauseMessageID))
}

// drain takes the events that were emitted since the last call.
func (w *world) drain() []event.Event {
	w.Helper()
	var out []event.Event
	for {
		next, err := w.pending.Next(w.ctx, 1000)
		w.must(err)
		if len(next) == 0 {
			w.emitted = append(w.emitted, out...)
			return out
		}
		var ids []string
		for _, p := range next {
			ids, out = append(ids, p.ID), append(out, p.Event)
		}
		w.must(w.pending.Done(w.ctx, ids))
	}
}

// wantSaid checks what was emitted since the last call, in any order.
func (w *world) wantSaid(want ...string) {
	w.Helper()
	var got []string
	for _, e := range w.drain() {
		got = append(got, said(e))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.Errorf("emitted %q, want %q", got, want)
	}
}

// audience asks the event store who should be in a segment now.
func (w *world) audience(g segment.Segment) *roaring64.Bitmap {
	w.Helper()
	r, err := rule.Parse(g.Rule)
	w.must(err)
	a, err := r.Audience(w.ctx, sourceOf{w.events, w.Service}, w.ws, w.clock.Now())
	w.must(err)
	return a.People
}

type sourceOf struct {
	event.Store
	*segment.Service
}

// eventually waits for something that a loop does.
func (w *world) eventually(done func() bool) {
	w.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.Fatal("this did not happen within two minutes")
		}
	}
}

func (w *world) nextDue() (time.Time, error) { return sqlstore.NewSegment(w.db).NextDue(w.ctx) }

// runDue carries out what is due and checks how many deadlines that were.
func (w *world) runDue(want int) {
	w.Helper()
	n, err := w.RunDue(w.ctx)
	w.must(err)
	if n != want {
		w.Errorf("%d deadlines were due, want %d", n, want)
	}
}
