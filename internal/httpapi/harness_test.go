package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/draft"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/hook"
	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/domain/invoice"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journeymap"
	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/persona"
	"github.com/kizuna-cx/kizuna/internal/domain/personal"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/domain/quota"
	"github.com/kizuna-cx/kizuna/internal/domain/replay"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/domain/retention"
	"github.com/kizuna-cx/kizuna/internal/domain/roster"
	"github.com/kizuna-cx/kizuna/internal/domain/sample"
	"github.com/kizuna-cx/kizuna/internal/domain/scheme"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/domain/task"
	"github.com/kizuna-cx/kizuna/internal/domain/version"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/httpapi"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/guard"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
	"github.com/kizuna-cx/kizuna/internal/storage/folder"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// password is one that the rules of passwords accept.
const password = "a long enough passphrase 7"

// world is the product without its log and its loops: what they would do is done by feed, evaluate and send, one after the other.
type world struct {
	*parts
	t     testing.TB
	api   http.Handler
	clock *clock.Fixed
	wire  *wire
	log   *bytes.Buffer

	db         *sqldb.DB
	store      *duck.Store
	pending    *sqlstore.PendingEvent
	rejections *sqlstore.Rejection
	workspaces *workspace.Service
	staff      *staff.Service
	outbox     *outbox.Service
	journeys   *journey.Service
	campaigns  *campaign.Service
	webhooks   *hook.Service
	standing   *standing.Service
	again      func() // after some people were worked out anew
	quotas     *quota.Service
	jobs       *job.Service
	onJob      func(id string) // after each step of a job
	seq        uint64
}

// newWorld wires the real services on a fresh SQLite and a fresh DuckDB; only the mail server is played.
func newWorld(t testing.TB, change ...func(*httpapi.Config)) *world {
	t.Helper()
	return newWorldOn(t, sqldb.SQLite, change...)
}

// newWorldOn is newWorld with another record store.
func newWorldOn(t testing.TB, engine sqldb.Dialect, change ...func(*httpapi.Config)) *world {
	t.Helper()
	w := &world{t: t, parts: &parts{}, clock: clock.NewFixed(start), wire: &wire{sent: make(chan struct{}, 100)}, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(&locked{w: w.log}, nil))
	w.db = sqldbtest.Open(t, engine)
	var err error
	if w.store, err = duck.Open(t.Context(), filepath.Join(t.TempDir(), "events.duckdb"), duck.Options{MemoryMB: 256}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	box, err := secret.NewBox(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	w.pending, w.rejections = sqlstore.NewPendingEvent(w.db), sqlstore.NewRejection(w.db)
	w.workspaces = workspace.New(sqlstore.NewWorkspace(w.db), w.db, w.clock)
	var tasks *task.Service
	w.staff = staff.New(staff.Config{
		Store: sqlstore.NewStaff(w.db), Tx: w.db, Clock: w.clock, Hash: staff.HashParams{Memory: 8, Time: 1, Threads: 1},
		Left: func(ctx context.Context, ws, user string) error { return tasks.MemberLeft(ctx, ws, user) },
	})
	people, err := person.New(person.Config{Store: sqlstore.NewPerson(w.db), Tx: w.db, Clock: w.clock, Emitter: w.pending, History: w.store, Log: log, Treat: func(e *event.Event) { w.parts.privacy.Treat(e.Workspace, e) }})
	if err != nil {
		t.Fatal(err)
	}
	p := w.parts
	p.people, p.events, p.workspaces = people, w.store, w.workspaces
	p.consent = consent.New(consent.Config{Store: sqlstore.NewConsent(w.db), Tx: w.db, Emitter: w.pending, Hasher: box, People: p, Clock: w.clock, Confirmation: func(ctx context.Context, ws, template string) error {
		return p.content.CheckConfirmation(ctx, ws, template)
	}})
	p.content = content.New(content.Config{Store: sqlstore.NewContent(w.db), Tx: w.db, Clock: w.clock, Links: deadEnds{}})
	auth := mailauth.New(mailauth.Config{
		Store: sqlstore.NewMailAuth(w.db), Tx: w.db, Clock: w.clock, Box: box,
		Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("there is no DNS in this test")
		}},
	})
	messages := sqlstore.NewOutbox(w.db)
	w.outbox = outbox.New(outbox.Config{
		Store: messages, Accounts: messages, Returns: messages, Follows: messages, Tx: w.db, Emitter: w.pending, Clock: w.clock, People: people, Consent: p.consent, Content: p.content,
		Needs: func(ctx context.Context, ws string) ([]string, error) {
			r, err := p.privacy.Rules(ctx, ws)
			return r.Send, err
		},
		Channels: []channel.Spec{w.wire.spec()}, Box: box, BaseURL: "https://m.example.test", Log: log,
	})
	p.segments = segment.New(segment.Config{Store: sqlstore.NewSegment(w.db), Tx: w.db, Events: w.store, Emitter: w.pending, People: people, Clock: w.clock, Logger: log, Askable: func(ctx context.Context, ws string, fields ...string) error {
		return p.privacy.Askable(ctx, ws, fields...)
	}})
	p.privacy = privacy.New(privacy.Config{ // takes requests; the work is tested with the whole product
		Store: sqlstore.NewPrivacy(w.db), Records: sqlstore.NewReach(w.db, p.consent.Hash), Tx: w.db, Clock: w.clock, Log: log, Box: box,
		Normalise: people.Normalise, Spellings: people.AllSpellings, Askers: p.segments.Asking,
	})
	tasks = task.New(task.Config{Store: sqlstore.NewTask(w.db), Tx: w.db, Clock: w.clock, Emitter: w.pending, Member: w.staff.Belongs})
	w.journeys = journey.New(journey.Config{
		Store: sqlstore.NewJourney(w.db), Tx: w.db, Clock: w.clock, Log: log, Emitter: w.pending, Outbox: w.outbox, People: p, Subjects: p, Traits: people, Checker: p, Caller: p, Lists: p, Figures: w.outbox, Tasks: tasks, Box: box, Audience: p, Policies: w.outbox,
	})
	invoices := invoice.New(invoice.Config{Store: sqlstore.NewInvoice(w.db), Tx: w.db, Emitter: w.pending, People: p, Clock: w.clock, Log: log, Zone: utc})
	w.campaigns = campaign.New(campaign.Config{
		Store: sqlstore.NewCampaign(w.db), Tx: w.db, Clock: w.clock, Log: log, Sets: p.segments, Everyone: w.store, People: p, Outbox: w.outbox, Checker: p, Content: p.content, Zone: p.zone,
	})
	safe, err := guard.New(guard.Config{Allow: []string{"127.0.0.1"}})
	w.must(err)
	w.webhooks = hook.New(hook.Config{Store: sqlstore.NewHook(w.db), Tx: w.db, Clock: w.clock, Log: log, Box: box, Poster: poster{safe}, People: p})
	files, err := folder.Open(t.TempDir())
	w.must(err)
	t.Cleanup(func() { w.must(files.Close()) })
	w.jobs = job.New(job.Config{Store: sqlstore.NewJob(w.db), Tx: w.db, Clock: w.clock, Log: log, Files: files, Changed: func(_, id string) {
		if w.onJob != nil {
			w.onJob(id)
		}
	}})
	addresses := importer.Addresses{Jobs: w.jobs, Consent: p.consent, Holders: people, Valid: outbox.ValidAddress}
	imports := importer.People{Jobs: w.jobs, Consent: p.consent, Known: people, Intake: fileIntake{w}, Origins: letGo{w, sqlstore.NewReach(w.db, p.consent.Hash), false}}
	samples := sample.New(sample.Config{
		Store: sqlstore.NewSample(w.db), Ender: ender{w}, People: letGo{w, sqlstore.NewReach(w.db, p.consent.Hash), true}, Filler: filler{w},
		Populated: func(ctx context.Context, ws string) (bool, error) {
			n, err := people.Count(ctx, ws)
			return n > 0, err
		},
	})
	schemes := scheme.Service{People: people, Jobs: w.jobs, Pause: time.Millisecond}
	w.standing = standing.New(standing.Config{
		Store: sqlstore.NewStanding(w.db), Tx: w.db, Emitter: w.pending, People: people, Events: w.store, Clock: w.clock, Log: log, Zone: utc,
		Workspaces: func(context.Context) ([]string, error) { return nil, nil },
	})
	kept := retention.New(retention.Config{Store: sqlstore.NewRetention(w.db), Events: w.store, Segments: p.segments, Standing: w.standing, Clock: w.clock, Begin: w.jobs.Begin})
	w.quotas = quota.New(quota.Config{Store: sqlstore.NewQuota(w.db), Tx: w.db, Clock: w.clock, Log: log})
	rosters := roster.Service{People: people, Sets: p.segments, Events: w.store, Jobs: w.jobs}
	again := &replay.Service{Events: w.store, IDs: people.IDs, Again: func(_ context.Context, who []person.Ref, _ replay.Part) error {
		w.keep(person.Applied{Touched: who}, 0)
		if w.again != nil {
			w.again()
		}
		return nil
	}}
	w.jobs.Register(append(slices.Concat(samples.Kinds(), schemes.Kinds(), rosters.Kinds()), addresses.Kind(), imports.Kind(), imports.UndoKind(), kept.Kind(), again.Kind())...)
	for _, o := range []person.MergeObserver{byID{p.consent}, byID{invoices}, byID{tasks}, byID{w.standing}, w.outbox, p.segments, w.journeys} {
		people.Observe(o)
	}
	personas := persona.New(persona.Config{Store: sqlstore.NewPersona(w.db), Tx: w.db, Clock: w.clock, Sets: p.segments, Events: w.store, Zone: utc})
	c := httpapi.Config{
		Standing: w.standing,
		Tx:       w.db, Clock: w.clock, Log: log, Staff: w.staff, Tenants: w.workspaces, Workspaces: w.workspaces, People: people, Events: w.store, Segments: p.segments,
		Personas: personas, Maps: journeymap.New(journeymap.Config{Store: sqlstore.NewJourneyMap(w.db), Tx: w.db, Clock: w.clock, Personas: personas, Sets: p.segments, Events: w.store}),
		Consent: p.consent, Content: p.content, Outbox: w.outbox, MailAuth: auth, Campaigns: w.campaigns, Invoices: invoices, Webhooks: w.webhooks, Tasks: tasks, Jobs: w.jobs, Addresses: addresses, Imports: imports, Mappings: importer.Mappings{Store: sqlstore.NewImportMapping(w.db), Tx: w.db, Clock: w.clock, Valid: imports.ValidPlan}, Sample: samples, Schemes: schemes, Roster: rosters, Journeys: w.journeys, ReadyKit: kit{p},
		Reports:    report.New(report.Config{Clock: w.clock, Tx: w.db, Store: sqlstore.NewReport(w.db), Messages: w.outbox, Campaigns: w.campaigns, Calendar: w.campaigns, Journeys: w.journeys, Events: w.store, Names: names{p}, People: p, Zone: p.zone}),
		Privacy:    p.privacy,
		Retention:  kept,
		Replay:     again,
		Quotas:     w.quotas,
		Personal:   personal.New(sqlstore.NewPersonal(w.db), w.clock),
		Drafts:     draft.NewService(sqlstore.NewDraft(w.db), w.clock),
		Versions:   version.New(sqlstore.NewVersion(w.db), w.clock),
		Rejections: w.rejections, Senders: sqlstore.NewContent(w.db), PublicURL: "https://kizuna.example.test", SecureCookies: true,
	}
	for _, f := range change {
		f(&c)
	}
	w.api = httpapi.New(c)
	return w
}

// poster makes the requests of webhooks through the guard, as the product does.
type poster struct{ *guard.Guard }

func (p poster) Post(ctx context.Context, url string, header map[string]string, body string) (hook.Answer, error) {
	r, err := p.Do(ctx, guard.Request{Method: http.MethodPost, URL: url, Header: header, Body: []byte(body)})
	return hook.Answer{Status: r.Status, Body: r.Body, URL: r.URL, RetryAfter: r.Header.Get("Retry-After")}, err
}

// byID tells nouns that know people by id alone of merges, as the product does.
type byID struct {
	noun interface {
		PeopleMerged(ctx context.Context, ws, loser, winner string) error
	}
}

func (b byID) PeopleMerged(ctx context.Context, ws string, loser, winner person.Ref) error {
	return b.noun.PeopleMerged(ctx, ws, loser.ID, winner.ID)
}

func utc(context.Context, string) (*time.Location, error) { return time.UTC, nil }

// locked is a writer for several goroutines.
type locked struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// feed carries events through all stages of the pipeline, and after them the events that they cause.
func (w *world) feed(events ...event.Event) {
	w.t.Helper()
	ctx := w.t.Context()
	for len(events) > 0 {
		w.seq++
		a, err := w.people.Apply(ctx, []person.LogRecord{{Seq: w.seq, Events: events}})
		w.must(err)
		w.keep(a, w.seq)
		for a.Tasks {
			a, err = w.people.RunTasks(ctx)
			w.must(err)
			w.keep(a, 0)
			w.must(w.people.Acknowledge(ctx, a))
		}
		events = w.relayed()
	}
}

// settle carries what services have written meanwhile.
func (w *world) settle() { w.feed(w.relayed()...) }

func (w *world) relayed() []event.Event {
	w.t.Helper()
	waiting, err := w.pending.Next(w.t.Context(), 1000)
	w.must(err)
	events, ids := make([]event.Event, len(waiting)), make([]string, len(waiting))
	for i, p := range waiting {
		events[i], ids[i] = p.Event, p.ID
	}
	w.must(w.pending.Done(w.t.Context(), ids))
	return events
}

func (w *world) keep(a person.Applied, through uint64) {
	w.t.Helper()
	ctx := w.t.Context()
	mirrors, err := w.mirror(ctx, a.Touched)
	w.must(err)
	b := event.Batch{Events: a.Kept, Moves: a.Moves, Redirects: a.Redirects, People: mirrors, Through: through}
	for _, r := range a.Redirects {
		b.Gone = append(b.Gone, event.RemovedPerson{Workspace: r.Workspace, Num: r.Loser})
	}
	w.must(w.store.Append(ctx, b))
	ctx = pipeline.Following(ctx, pipeline.Reaction{Events: a.Kept, Touched: a.Touched})
	w.must(w.consent.ApplyEvents(ctx, a.Kept))
	w.must(w.outbox.Receipts(ctx, a.Kept))
	w.must(w.outbox.Attribution(ctx, a.Kept))
	touched := map[string][]uint64{}
	for _, r := range a.Touched {
		touched[r.Workspace] = append(touched[r.Workspace], r.Num)
	}
	for _, ws := range slices.Sorted(maps.Keys(touched)) {
		w.must(w.segments.Touched(ctx, ws, touched[ws], map[uint64]string{}))
	}
	w.must(w.journeys.React(ctx, a.Kept))
	w.must(w.webhooks.Feed(ctx, a.Kept))
	changed := map[string][]string{}
	for _, r := range a.Touched {
		changed[r.Workspace] = append(changed[r.Workspace], r.ID)
	}
	for _, ws := range slices.Sorted(maps.Keys(changed)) {
		w.must(w.journeys.Touched(ctx, ws, changed[ws]))
	}
}

// evaluate fills new and changed segments.
func (w *world) evaluate() {
	w.t.Helper()
	w.must(w.segments.RunEvaluations(w.t.Context()))
	w.settle()
}

// walk lets journeys and campaigns do all that is due.
func (w *world) walk() {
	w.t.Helper()
	for more := true; more; {
		n, err := w.journeys.Tick(w.t.Context())
		w.must(err)
		asked, err := w.journeys.Errands(w.t.Context())
		w.must(err)
		worked, err := w.campaigns.Tick(w.t.Context())
		w.must(err)
		more = n+asked > 0 || worked
		w.settle()
	}
}

// send hands n messages to the played mail server.
func (w *world) send(n int) {
	w.t.Helper()
	d := outbox.NewDispatcher(w.outbox, outbox.DispatchConfig{Sole: true, Poll: 5 * time.Millisecond})
	w.must(d.Start(w.t.Context()))
	for range n {
		select {
		case <-w.wire.sent:
		case <-time.After(2 * time.Minute):
			w.t.Fatalf("not all of %d messages were sent: %s", n, w.log)
		}
	}
	w.must(d.Stop(w.t.Context()))
	w.settle()
}

// tenant is a workspace with a key that may do everything.
type tenant struct{ ws, key string }

func (w *world) tenant(name string) tenant {
	w.t.Helper()
	made, err := w.workspaces.Create(w.t.Context(), workspace.Workspace{Name: name})
	w.must(err)
	w.must(w.consent.EnsureDefaults(w.t.Context(), made.ID))
	return tenant{made.ID, w.key(made.ID, staff.Permissions()...)}
}

// key makes an API key and returns its secret.
func (w *world) key(ws string, scopes ...staff.Permission) string {
	w.t.Helper()
	_, secret, err := w.staff.CreateKey(w.t.Context(), staff.System(ws), staff.NewKey{Name: "test " + id.New("k"), Scopes: scopes})
	w.must(err)
	return secret
}

// user makes a member with the test's password.
func (w *world) user(ws, email string, role staff.Role) staff.Member {
	w.t.Helper()
	m, err := w.staff.CreateUser(w.t.Context(), staff.System(ws), staff.NewUser{Email: email, Role: role, Password: password})
	w.must(err)
	return m
}

// browser is a signed-in session.
type browser struct {
	cookie *http.Cookie
	csrf   string
}

func (w *world) signIn(email string) browser {
	w.t.Helper()
	r := w.call("POST /session", asked{body: fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)})
	if r.Code != http.StatusOK {
		w.t.Fatalf("sign in as %s: %d %s", email, r.Code, r.Body)
	}
	var s httpapi.Session
	w.must(json.Unmarshal(r.Body.Bytes(), &s))
	return browser{r.Result().Cookies()[0], s.CSRF}
}

// asked is all of a request but where it goes.
type asked struct {
	key     string
	browser browser
	body    string
	header  map[string]string
	ip      string
}

// call makes a request; what is "METHOD /path" below /api/v1.
func (w *world) call(what string, a asked) *httptest.ResponseRecorder {
	w.t.Helper()
	method, path, ok := strings.Cut(what, " ")
	if !ok {
		w.t.Fatalf("%q: write METHOD /path", what)
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, "https://kizuna.example.test/api/v1"+path, strings.NewReader(a.body))
	if a.key != "" {
		r.Header.Set("Authorization", "Bearer "+a.key)
	}
	if a.browser.cookie != nil {
		r.AddCookie(a.browser.cookie)
		if a.browser.csrf != "" {
			r.Header.Set("X-CSRF-Token", a.browser.csrf)
		}
	}
	for k, v := range a.header {
		r.Header.Set(k, v)
	}
	if a.ip != "" {
		r.RemoteAddr = a.ip + ":4711"
	}
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	return out
}

// fileIntake carries the events of files through at once.
type fileIntake struct{ w *world }

func (f fileIntake) Publish(_ context.Context, events ...event.Event) error {
	f.w.feed(events...)
	return nil
}

func (fileIntake) Room(context.Context) error { return nil }

func (fileIntake) Settle(context.Context, func(float64) error) error { return nil }

// letGo lets people go from the stores of the world.
type letGo struct {
	w     *world
	reach *sqlstore.Reach
	loose bool
}

func (l letGo) Brought(ctx context.Context, ws, source string) (people, own int64, err error) {
	if l.loose {
		return l.w.store.Told(ctx, ws, source)
	}
	return l.w.store.Brought(ctx, ws, source)
}

func (l letGo) Own(ctx context.Context, ws, source string) ([]string, error) {
	nums, err := l.w.store.Own(ctx, ws, source, l.loose)
	if err != nil {
		return nil, err
	}
	ids, err := l.w.people.IDs(ctx, ws, nums)
	return slices.Sorted(maps.Values(ids)), err
}

func (l letGo) Remove(ctx context.Context, ws string, people []string, progress func(int) error) error {
	for i, p := range people {
		who, err := l.reach.Subject(ctx, ws, p)
		if err == nil {
			err = l.reach.Remove(ctx, ws, privacy.Traces{Subject: who, Ghost: "per_ghost"})
		}
		if err == nil {
			err = l.w.store.Drop(ctx, ws, who.Nums)
		}
		if err == nil {
			err = progress(i + 1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l letGo) Drop(ctx context.Context, ws, source string) error {
	return l.w.store.DropSource(ctx, ws, source)
}

func (letGo) Quiet(context.Context) error { return nil }

// ender disables the sample's source.
type ender struct{ w *world }

func (e ender) End(ctx context.Context, ws string, t sample.Thing) error {
	if t.Noun != sample.Source {
		return nil
	}
	_, err := e.w.workspaces.UpdateSource(ctx, ws, t.ID, t.Name, true)
	return err
}

// filler makes a sample of one source, one segment and one customer.
type filler struct{ w *world }

func (f filler) Things(ctx context.Context, ws, _ string) error {
	if _, err := f.w.workspaces.CreateSource(ctx, ws, workspace.Source{Name: "Sample shop", Kind: workspace.Server}); err != nil {
		return err
	}
	for _, name := range []string{"Sample one", "Sample two"} {
		if _, err := f.w.segments.Create(ctx, ws, segment.Draft{Name: name, Rule: json.RawMessage(`{"trait":{"path":"sample","op":"exists"}}`)}); err != nil {
			return err
		}
	}
	return nil
}

func (f filler) Events(ctx context.Context, ws, _ string, progress func(float64) error) error {
	found, err := f.w.workspaces.Sources(ctx, ws, page.Request{Limit: 50})
	if err != nil {
		return err
	}
	for _, s := range found.Items {
		if s.Name == "Sample shop" {
			for _, user := range []string{"sample-1", "sample-2"} {
				e := identify(ws, "id-"+user, user, `{"sample":true}`, start)
				e.Source = s.ID
				f.w.feed(e)
			}
		}
	}
	return progress(1)
}

// work does the jobs that wait.
func (w *world) work() {
	w.t.Helper()
	for {
		more, err := w.jobs.Work(w.t.Context())
		w.must(err)
		if !more {
			return
		}
	}
}

// ok makes a request that must succeed and reads its answer into v unless that is nil.
func (w *world) ok(key, what, body string, v any) {
	w.t.Helper()
	r := w.call(what, asked{key: key, body: body})
	if r.Code >= 300 {
		w.t.Fatalf("%s: %d %s\nlog: %s", what, r.Code, r.Body, w.log)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal(r.Body.Bytes(), v); err != nil {
		w.t.Fatalf("%s: %v in %s", what, err, r.Body)
	}
}

// problemOf reads an error answer and checks its form.
func problemOf(t testing.TB, r *httptest.ResponseRecorder) httpapi.Problem {
	t.Helper()
	var p httpapi.Problem
	if err := json.Unmarshal(r.Body.Bytes(), &p); err != nil {
		t.Fatalf("%d answer is no problem: %v in %s", r.Code, err, r.Body)
	}
	if ct := r.Header().Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("error has the content type %q", ct)
	}
	if p.Status != r.Code || p.Code == "" || p.Detail == "" || p.Title == "" {
		t.Errorf("incomplete problem, status %d: %+v", r.Code, p)
	}
	if r.Code == http.StatusInternalServerError {
		t.Errorf("internal error: %s", r.Body)
	}
	return p
}

// wire plays the mail server: it takes everything.
type wire struct {
	mu       sync.Mutex
	got      []channel.Message
	sent     chan struct{}
	checkErr error
}

type wireConfig struct {
	Host     string `json:"host" doc:"where it listens" minLength:"1"`
	Password string `json:"password,omitempty" secret:"true"`
}

func (w *wire) spec() channel.Spec {
	return channel.Spec{Kind: "email", Title: "Played mail", Config: func() any { return &wireConfig{} }, New: func(any) (channel.Sender, error) { return w, nil }}
}

func (w *wire) Check(context.Context) error { return w.checkErr }
func (w *wire) Close() error                { return nil }

func (w *wire) Send(_ context.Context, m channel.Message, commit func() error) channel.Outcome {
	if commit() != nil {
		return channel.Outcome{Result: channel.Deferred}
	}
	w.mu.Lock()
	w.got = append(w.got, m)
	w.mu.Unlock()
	select {
	case w.sent <- struct{}{}:
	default:
	}
	return channel.Outcome{Result: channel.Sent, Code: "250 2.0.0", Detail: "taken"}
}

// track is an event of a server source.
func track(ws, message, user, name, props string, at time.Time) event.Event {
	return event.Event{
		Workspace: ws, MessageID: message, Type: event.Track, Name: name, UserID: user, Time: at, Received: at, Origin: event.Server, Properties: json.RawMessage(props),
	}
}

func identify(ws, message, user, traits string, at time.Time) event.Event {
	return event.Event{Workspace: ws, MessageID: message, Type: event.Identify, UserID: user, Time: at, Received: at, Origin: event.Server, Properties: json.RawMessage(traits)}
}

// expand puts ids into a text: $name, known in vars. A name that is not known is a mistake of the test.
func expand(t testing.TB, text string, vars map[string]string) string {
	t.Helper()
	return os.Expand(text, func(name string) string {
		v, ok := vars[name]
		if !ok {
			t.Fatalf("$%s in %q is not known", name, text)
		}
		return v
	})
}

// readInto reads an answer.
func readInto(t testing.TB, r *httptest.ResponseRecorder, v any) {
	t.Helper()
	if err := json.Unmarshal(r.Body.Bytes(), v); err != nil {
		t.Fatalf("%v in %s", err, r.Body)
	}
}

// idOf reads the id of what was made.
func idOf(t testing.TB, r *httptest.ResponseRecorder) string {
	t.Helper()
	var v struct{ ID string }
	if err := json.Unmarshal(r.Body.Bytes(), &v); err != nil || v.ID == "" {
		t.Fatalf("no id in %s (%v)", r.Body, err)
	}
	return v.ID
}

// deadEnds stands in for the web: whatever has "dead" in its address is not there.
type deadEnds struct{}

func (deadEnds) CheckLinks(_ context.Context, urls []string) ([]content.LinkVerdict, error) {
	out := make([]content.LinkVerdict, len(urls))
	for i, u := range urls {
		out[i] = content.LinkVerdict{URL: u, Status: 200}
		if strings.Contains(u, "dead") {
			out[i].Code, out[i].Status = "not_found", 404
		}
	}
	return out, nil
}
