package outbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const (
	ws      = "ws_1"
	baseURL = "https://m.example.test"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// config is the account configuration of the scripted channel.
type config struct {
	Host     string `json:"host"`
	Password string `json:"password" secret:"true"`
}

func (c *config) Validate() error {
	if c.Host == "" {
		return fmt.Errorf("host is missing")
	}
	return nil
}

// wire is the outside world: it records what arrives and answers as told.
type wire struct {
	mu       sync.Mutex
	arrived  []channel.Message
	sends    map[string]int // attempts by address
	answer   func(m channel.Message, attempt int, commit func() error) channel.Outcome
	opened   []config
	closed   int
	checkErr error
	changed  chan struct{} // told of every answer
}

func newWire() *wire { return &wire{sends: map[string]int{}, changed: make(chan struct{}, 1)} }

func (w *wire) spec() channel.Spec {
	return channel.Spec{Kind: "email", Title: "Scripted", Config: func() any { return &config{} }, New: func(c any) (channel.Sender, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.opened = append(w.opened, *c.(*config))
		return w, nil
	}}
}

func (w *wire) Check(context.Context) error { return w.checkErr }

func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed++
	return nil
}

func (w *wire) Send(_ context.Context, m channel.Message, commit func() error) channel.Outcome {
	w.mu.Lock()
	w.sends[m.To.Addr]++
	attempt, answer := w.sends[m.To.Addr], w.answer
	w.mu.Unlock()
	defer func() {
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}()
	if answer != nil {
		return answer(m, attempt, commit)
	}
	if commit() != nil {
		return channel.Outcome{Result: channel.Deferred}
	}
	w.deliver(m)
	return channel.Outcome{Result: channel.Sent, Code: "250 2.0.0"}
}

func (w *wire) deliver(m channel.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arrived = append(w.arrived, m)
}

func (w *wire) got() []channel.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]channel.Message(nil), w.arrived...)
}

// people is a directory: person n has the number n and an address.
type people struct {
	mu   sync.Mutex
	all  map[string]person.Person
	also map[string]string // old id -> id
}

func (p *people) add(n int, change ...func(*person.Person)) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := pid(n)
	at := person.Trait{Time: start}
	one := person.Person{ID: id, Num: uint64(n), Workspace: ws, Traits: map[string]person.Trait{}}
	at.Value = fmt.Sprintf("p%d@example.test", n)
	one.Traits["email"] = at
	at.Value = fmt.Sprintf("Pat %d", n)
	one.Traits["first_name"] = at
	for _, c := range change {
		c(&one)
	}
	p.all[id] = one
	return id
}

func pid(n int) string { return fmt.Sprintf("per_%06d", n) }

func (p *people) ByIDs(_ context.Context, _ string, ids []string) (map[string]person.Person, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string]person.Person, len(ids))
	for _, id := range ids {
		canonical := id
		if to, ok := p.also[id]; ok {
			canonical = to
		}
		if one, ok := p.all[canonical]; ok {
			out[id] = one
		}
	}
	return out, nil
}

func (p *people) ByNums(_ context.Context, _ string, nums []uint64) ([]person.Person, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []person.Person
	for _, n := range nums {
		id := pid(int(n))
		if to, ok := p.also[id]; ok {
			id = to
		}
		if one, ok := p.all[id]; ok {
			out = append(out, one)
		}
	}
	return out, nil
}

func (p *people) PersonIDs(_ context.Context, _ string, nums []uint64) (map[uint64]string, error) {
	out := map[uint64]string{}
	for _, n := range nums {
		out[n] = pid(int(n))
	}
	return out, nil
}

// log collects what is emitted. A transaction that is repeated emits again, so the message id decides.
type log struct {
	mu     sync.Mutex
	events map[string]event.Event
	order  []string
}

func (l *log) Emit(_ context.Context, events ...event.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		if _, ok := l.events[e.MessageID]; !ok {
			l.order = append(l.order, e.MessageID)
		}
		l.events[e.MessageID] = e
	}
	return nil
}

func (l *log) all() []event.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]event.Event, len(l.order))
	for i, id := range l.order {
		out[i] = l.events[id]
	}
	return out
}

func (l *log) names() []string {
	out := []string{}
	for _, e := range l.all() {
		out = append(out, e.Name)
	}
	return out
}

// kept is what was emitted as the pipeline would hand it back.
func (l *log) kept() []event.Kept {
	var out []event.Kept
	for _, e := range l.all() {
		out = append(out, event.Kept{Event: e})
	}
	return out
}

type fixture struct {
	*outbox.Service
	t        testing.TB
	db       *sqldb.DB
	clock    *clock.Fixed
	wire     *wire
	people   *people
	log      *log
	consent  *consent.Service
	contents *content.Service
	news     consent.Topic
	template content.Template
	account  outbox.Account
	sender   channel.Sender // stands in for wire, if set
}

// attach builds an outbox on the database as it is.
func attach(t testing.TB, db *sqldb.DB, change ...func(*outbox.Config)) *fixture {
	t.Helper()
	box, err := secret.NewBox(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{
		t: t, db: db, clock: clock.NewFixed(start), wire: newWire(), people: &people{all: map[string]person.Person{}, also: map[string]string{}},
		log: &log{events: map[string]event.Event{}},
	}
	store := sqlstore.NewOutbox(db)
	f.consent = consent.New(consent.Config{Store: sqlstore.NewConsent(db), Tx: db, Emitter: f.log, Hasher: box, People: f.people, Clock: f.clock})
	f.contents = content.New(content.Config{Store: sqlstore.NewContent(db), Tx: db, Clock: f.clock})
	c := outbox.Config{
		Store: store, Accounts: store, Returns: store, Follows: store, Tx: db, Emitter: f.log, Clock: f.clock, People: f.people, Consent: f.consent, Content: f.contents,
		Channels: []channel.Spec{f.spec(), {Kind: outbox.KindSMS}}, Box: box, BaseURL: baseURL + "/", Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 4})),
	}
	for _, ch := range change {
		ch(&c)
	}
	f.Service = outbox.New(c)
	return f
}

func (f *fixture) spec() channel.Spec {
	spec := f.wire.spec()
	made := spec.New
	spec.New = func(c any) (channel.Sender, error) {
		if f.sender != nil {
			return f.sender, nil
		}
		return made(c)
	}
	return spec
}

// setup is attach with a topic, a template, an account and no people.
func setup(t testing.TB, db *sqldb.DB, change ...func(*outbox.Config)) *fixture {
	t.Helper()
	ctx := t.Context()
	f := attach(t, db, change...)
	if err := f.consent.EnsureDefaults(ctx, ws); err != nil {
		t.Fatal(err)
	}
	topics, err := f.consent.Topics(ctx, ws)
	if err != nil {
		t.Fatal(err)
	}
	f.news = topics[0]
	f.template, err = f.contents.Create(ctx, ws, content.Draft{
		Name: "Hello", Subject: "Hello {{ person.first_name | default: 'friend' }}",
		HTML: `<p>Dear {{ person.first_name }}, <a href="https://shop.example/cart?a=1&amp;b=2">your cart</a> of {{ vars.total }} waits.</p>`,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.account, err = f.CreateAccount(ctx, ws, outbox.Account{
		Kind: "email", Name: "Test", FromName: "Shop", FromAddr: "shop@example.test", Config: json.RawMessage(`{"host":"mx.example.test","password":"s3cret"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func sqlite(t testing.TB) *sqldb.DB { return sqldbtest.Open(t, sqldb.SQLite) }

// subscribed adds people from..to who get news.
func (f *fixture) subscribed(from, to int) {
	f.t.Helper()
	var changes []consent.Change
	for n := from; n <= to; n++ {
		changes = append(changes, consent.Change{PersonID: f.people.add(n), Topic: f.news.ID, Channel: "email", Source: "test"})
	}
	if err := f.consent.SubscribeMany(f.t.Context(), ws, changes); err != nil {
		f.t.Fatal(err)
	}
}

var cmp1 = outbox.Source{Kind: "campaign", ID: "cmp_1"}

func (f *fixture) request(n int, change ...func(*outbox.Request)) outbox.Request {
	r := outbox.Request{
		Workspace: ws, PersonID: pid(n), Channel: "email", Topic: f.news.ID, Template: f.template.ID, Source: cmp1, Key: fmt.Sprintf("cmp_1:%d", n),
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func (f *fixture) enqueue(reqs ...outbox.Request) []outbox.Decision {
	f.t.Helper()
	out, err := f.Enqueue(f.t.Context(), reqs)
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

// enqueueRange enqueues news to people from..to.
func (f *fixture) enqueueRange(from, to int) []outbox.Decision {
	f.t.Helper()
	var reqs []outbox.Request
	for n := from; n <= to; n++ {
		reqs = append(reqs, f.request(n))
	}
	return f.enqueue(reqs...)
}

func (f *fixture) message(id string) outbox.Message {
	f.t.Helper()
	m, err := f.Message(f.t.Context(), ws, id)
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

func (f *fixture) counts() outbox.Counts {
	f.t.Helper()
	c, err := f.Counts(f.t.Context(), ws, cmp1)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// store is the store behind the service.
func (f *fixture) store() outbox.Store { return sqlstore.NewOutbox(f.db) }

func (f *fixture) waiting() int64 {
	f.t.Helper()
	n, err := f.Waiting(f.t.Context(), ws, cmp1)
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

// dispatch starts a dispatcher that the test's end stops.
func (f *fixture) dispatch(c outbox.DispatchConfig) *outbox.Dispatcher {
	f.t.Helper()
	if c.Poll == 0 {
		c.Poll = time.Millisecond
	}
	d := outbox.NewDispatcher(f.Service, c)
	if err := d.Start(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := d.Stop(context.Background()); err != nil {
			f.t.Errorf("stop: %v", err)
		}
	})
	return d
}

// until waits for a condition that the dispatcher's goroutines bring about.
func (f *fixture) until(what string, ok func() bool) {
	f.t.Helper()
	deadline := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-deadline:
			f.t.Fatalf("still not: %s", what)
		case <-f.wire.changed:
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (f *fixture) untilState(id string, want outbox.State) outbox.Message {
	f.t.Helper()
	f.until(id+" is "+string(want), func() bool { return f.message(id).State == want })
	return f.message(id)
}

// token cuts the token out of the first link with the path in a text.
func token(t testing.TB, text, path string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, baseURL+path)
	if !ok {
		t.Fatalf("no link %s in %q", path, text)
	}
	end := strings.IndexFunc(rest, func(r rune) bool {
		return !(r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	})
	if end < 0 {
		return rest
	}
	return rest[:end]
}

// sameEvidence compares evidence as it is stored.
func sameEvidence(a, b outbox.Evidence) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}
