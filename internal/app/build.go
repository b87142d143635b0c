package app

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/email/inbound/hookin"
	"github.com/kizuna-cx/kizuna/internal/channel/email/inbound/smtpin"
	"github.com/kizuna-cx/kizuna/internal/collect"
	"github.com/kizuna-cx/kizuna/internal/console"
	"github.com/kizuna-cx/kizuna/internal/demo"
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
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/guard"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/linkcheck"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/realtime"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/shared"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
	"github.com/kizuna-cx/kizuna/internal/syndication"
	"github.com/kizuna-cx/kizuna/internal/telemetry"
	"github.com/kizuna-cx/kizuna/internal/tracking"
)

// application is everything wired together and not yet running.
type application struct {
	c     Config
	log   *slog.Logger
	clock clock.Clock
	shift *clock.Shifted // the clock, if it can be moved
	guard *guard.Guard   // the way to every address that a user gave

	unlock func()
	files  files
	db     *sqldb.DB
	events shared.Keeper
	shared *shared.Store // events, where several processes share them; else nil
	stream *natsbus.Log

	workspaces *workspace.Service
	staff      *staff.Service
	consent    *consent.Service
	segments   *segment.Service
	personas   *persona.Service
	maps       *journeymap.Service
	content    *content.Service
	messages   *outbox.Service
	campaigns  *campaign.Service
	journeys   *journey.Service
	kit        kit
	sample     *sample.Service
	sampler    sampler
	jobs       *job.Service
	replay     *replay.Service
	quotas     *quota.Service
	worker     *pipeline.Worker
	live       *realtime.Hub

	metrics  *telemetry.Metrics
	traces   *telemetry.Traces // nil: none are exported
	serving  atomic.Bool       // everything has started and nothing stops
	services []placed          // in the order of starting
	running  lifecycle.Group
	mux      *http.ServeMux

	me          string                // what other processes know this one by
	turn        atomic.Pointer[owner] // of the worker, where several processes share the work
	keysChanged lifecycle.Pulse
}

// build opens the stores and connects the parts. On an error everything opened is closed again.
func build(ctx context.Context, c Config, log *slog.Logger, show *httpapi.Demo) (a *application, err error) {
	a = &application{c: c, log: log, clock: clock.System{}}
	if c.TestClock {
		a.shift = &clock.Shifted{}
		a.clock = a.shift
	}
	defer func() {
		if err != nil {
			a.close()
			a = nil
		}
	}()
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return a, fmt.Errorf("data folder: %w", err)
	}
	if a.unlock, err = lockFolder(c.Data); err != nil {
		return a, err
	}
	if _, err := os.Stat(filepath.Join(c.Data, restoringFile)); err == nil {
		return a, fmt.Errorf("a backup was being restored into %s and did not come to its end: delete the folder and restore it again", c.Data)
	}
	if err := notMoving(c.Data); err != nil {
		return a, err
	}
	if err := notLeaving(c.Data); err != nil && !c.moving {
		return a, err
	}
	if a.guard, err = guard.New(guard.Config{Allow: c.AllowTargets}); err != nil {
		return a, err
	}
	if a.traces, err = telemetry.NewTraces(ctx, Version, os.Getenv, part(log, "traces")); err != nil {
		return a, err
	}
	key, err := masterKey(c.Data)
	if err != nil {
		return a, err
	}
	box, err := secret.NewBox(key)
	if err != nil {
		return a, err
	}
	if a.files, err = c.openFiles(ctx); err != nil {
		return a, fmt.Errorf("files: %w", err)
	}
	if a.db, err = sqldb.Open(ctx, c.Database, sqldb.Options{}); err != nil {
		return a, fmt.Errorf("record store: %w", err)
	}
	if err := sqlstore.Migrate(ctx, a.db); err != nil {
		return a, fmt.Errorf("record store: %w", err)
	}
	if c.several() {
		a.shared = shared.New(shared.Config{Engine: c.eventEngine(), Locate: a.keeperAddress, Key: base64.RawURLEncoding.EncodeToString(box.Hash("peer", "events")), Log: part(log, "events")})
		a.events = a.shared
	} else {
		store, err := c.openEvents(ctx)
		if err != nil {
			return a, fmt.Errorf("event store: %w", err)
		}
		a.events = store
	}
	a.stream = c.newLog(part(log, "log"), 0)
	return a, a.connect(ctx, box, show)
}

// part is the logger of one part of the process.
func part(log *slog.Logger, name string) *slog.Logger { return log.With("part", name) }

// connect makes the services and hands each what it asks for.
func (a *application) connect(ctx context.Context, box *secret.Box, show *httpapi.Demo) error {
	db, log := a.db, a.log
	waiting := sqlstore.NewPendingEvent(db)
	writer := bus.NewWriter(a.stream, bus.WriterOptions{})
	keys := sqlstore.NewLogKey(db, box)
	vault, err := openVault(ctx, keys, box)
	if err != nil {
		return err
	}
	turn := func(ctx context.Context) error { return keys.Turn(ctx, vault, a.clock.Now(), a.c.LogRetention) }
	if err := turn(ctx); err != nil {
		// Of several processes that start at once on an empty database one makes the first keys.
		if err = turn(ctx); err != nil {
			return err
		}
	}
	a.workspaces = workspace.New(sqlstore.NewWorkspace(db), db, a.clock)
	a.quotas = quota.New(quota.Config{Store: sqlstore.NewQuota(db), Tx: db, Clock: a.clock, Log: part(log, "quotas"), Default: a.c.Quota})
	w := &world{workspaces: a.workspaces, events: a.events, members: sqlstore.NewStaff(db), words: &vocabulary{events: a.events, now: a.clock.Now}}
	var tasks *task.Service // made below, told of members who leave
	a.staff = staff.New(staff.Config{Store: sqlstore.NewStaff(db), Tx: db, Clock: a.clock, Left: func(ctx context.Context, ws, user string) error {
		return tasks.MemberLeft(ctx, ws, user)
	}})
	region := func(ctx context.Context, ws string) (string, error) {
		found, err := a.workspaces.Get(ctx, ws)
		return found.DefaultRegion, err
	}
	var forgetting *privacy.Service // made below, asked for each event
	people, err := person.New(person.Config{
		Store: sqlstore.NewPerson(db), Tx: db, Clock: a.clock, Emitter: waiting, History: a.events, Log: part(log, "people"), Region: region,
		Refuses: func(ws string, ids []event.Identifier) bool { return forgetting.Refuses(ws, ids) },
		Treat:   func(e *event.Event) { forgetting.Treat(e.Workspace, e) },
	})
	if err != nil {
		return err
	}
	w.people = people
	a.consent = consent.New(consent.Config{Store: sqlstore.NewConsent(db), Tx: db, Emitter: waiting, Hasher: box, People: w, Known: w, Everybody: people.TouchEverybody, Clock: a.clock, Confirmation: func(ctx context.Context, ws, template string) error {
		return w.content.CheckConfirmation(ctx, ws, template)
	}})
	w.consent = a.consent
	w.content = content.New(content.Config{Store: sqlstore.NewContent(db), Tx: db, Clock: a.clock, Sender: w.sender, Links: linkcheck.New(a.guard, a.clock.Now), Vocabulary: w.words})
	messageStore := sqlstore.NewOutbox(db)
	var messages *outbox.Service
	auth := mailauth.New(mailauth.Config{
		Store: sqlstore.NewMailAuth(db), Tx: db, Clock: a.clock, Box: box, Resolver: net.DefaultResolver,
		Inbox: a.c.Inbound.name(),
		Routes: mailRoutes(
			func(ctx context.Context, ws string) ([]outbox.Account, error) { return messages.Accounts(ctx, ws) },
			func(ctx context.Context, ws, account string) (outbox.Inbound, error) {
				return messages.Inbound(ctx, ws, account)
			},
		),
	})
	var campaigns *campaign.Service // made below, asked while sending
	messages = outbox.New(outbox.Config{
		Store: messageStore, Accounts: messageStore, Returns: messageStore, Follows: messageStore, Tx: db, Emitter: waiting, Clock: a.clock, People: people, Consent: a.consent,
		Content: w.content, Channels: channels(), Box: box, BaseURL: a.c.PublicURL, Log: part(log, "outbox"), Zone: w.zone, Signers: auth.Signers, Known: w.knowsAddress, Allowance: a.quotas, Needs: w.sendingNeeds,
		Shared: func(ctx context.Context, ws string, src outbox.Source) (map[string]any, error) {
			if src.Kind != "campaign" {
				return nil, nil
			}
			return campaigns.Vars(ctx, ws, src.ID)
		},
		Paused: func(ctx context.Context, ws string, src outbox.Source) (paused bool, err error) {
			switch src.Kind {
			case "campaign":
				var c campaign.Campaign
				c, err = campaigns.Get(ctx, ws, src.ID)
				paused = c.Status == campaign.Paused
			case "journey":
				var j journey.Journey
				j, err = a.journeys.Get(ctx, ws, src.ID)
				paused = j.Status == journey.Paused
			}
			if errs.Is(err, errs.KindNotFound) { // it may be gone, and with it whoever could let it go on
				return false, nil
			}
			return paused, err
		},
		Unwanted: func(ctx context.Context, ws string, waited []outbox.Message) (map[string]outbox.Evidence, error) {
			return a.journeys.Unwanted(ctx, ws, waited)
		},
	})
	dispatcher := outbox.NewDispatcher(messages, outbox.DispatchConfig{Sole: db.Dialect() == sqldb.SQLite})
	w.segments = segment.New(segment.Config{Store: sqlstore.NewSegment(db), Tx: db, Events: a.events, Emitter: waiting, People: people, Clock: a.clock, Logger: part(log, "segments"), Askable: func(ctx context.Context, ws string, fields ...string) error {
		return forgetting.Askable(ctx, ws, fields...)
	}})
	judges := standing.New(standing.Config{
		Store: sqlstore.NewStanding(db), Tx: db, Emitter: waiting, People: people, Events: a.events, Clock: a.clock, Log: part(log, "standing"), Zone: w.zone, Workspaces: w.ids,
	})
	a.personas = persona.New(persona.Config{Store: sqlstore.NewPersona(db), Tx: db, Clock: a.clock, Sets: w.segments, Events: a.events, Zone: w.zone})
	a.maps = journeymap.New(journeymap.Config{Store: sqlstore.NewJourneyMap(db), Tx: db, Clock: a.clock, Personas: a.personas, Sets: w.segments, Events: a.events})
	tasks = task.New(task.Config{Store: sqlstore.NewTask(db), Tx: db, Clock: a.clock, Emitter: waiting, Member: a.staff.Belongs})
	a.journeys = journey.New(journey.Config{
		Store: sqlstore.NewJourney(db), Tx: db, Clock: a.clock, Log: part(log, "journeys"), Emitter: waiting,
		Outbox: messages, People: w, Subjects: w, Traits: w, Checker: w, Caller: caller{a.guard}, Lists: w, Figures: messages, Tasks: tasks, Box: box, Audience: w, Policies: messages, Zone: w.zone, Places: w.places,
	})
	invoices := invoice.New(invoice.Config{Store: sqlstore.NewInvoice(db), Tx: db, Emitter: waiting, People: w, Clock: a.clock, Log: part(log, "invoices"), Zone: w.zone})
	webhooks := hook.New(hook.Config{Store: sqlstore.NewHook(db), Tx: db, Clock: a.clock, Log: part(log, "webhooks"), Box: box, Poster: poster{a.guard}, People: w, Withheld: w.withheld})
	campaigns = campaign.New(campaign.Config{
		Store: sqlstore.NewCampaign(db), Tx: db, Clock: a.clock, Log: part(log, "campaigns"),
		Sets: w.segments, Everyone: a.events, People: w, Outbox: messages, Checker: w, Content: w.content, Feeds: syndication.New(a.guard), Zone: w.zone,
	})
	reports := report.New(report.Config{
		Clock: a.clock, Tx: db, Store: sqlstore.NewReport(db), Messages: messages, Campaigns: campaigns, Calendar: campaigns, Journeys: a.journeys, Events: a.events, Names: names{w}, People: w, Zone: w.zone,
	})
	a.kit = kit{w}
	a.segments, a.content, a.messages, a.campaigns = w.segments, w.content, messages, campaigns
	for _, o := range []person.MergeObserver{byID{a.consent}, byID{invoices}, byID{tasks}, byID{judges}, messages, w.segments, a.journeys} {
		people.Observe(o)
	}

	shredder := logKeys{keys, vault, a.stream}
	still := &quiet{waiting: waiting, writer: writer, stream: a.stream}
	forgetting = privacy.New(privacy.Config{
		Store: sqlstore.NewPrivacy(db), Records: sqlstore.NewReach(db, a.consent.Hash), Events: history{a.events}, Keys: shredder, Files: a.files, Leavers: []privacy.Leaver{leavers{a}},
		Tx: db, Clock: a.clock, Log: part(log, "privacy"), Box: box, Normalise: people.Normalise, Spellings: people.AllSpellings, Quiet: still.wait, LogRetention: a.c.LogRetention,
		Strong: func(ws, kind string) bool { return people.Names(context.Background(), ws, kind) }, Askers: w.segments.Asking,
	})
	w.privacy = forgetting
	rejections := sqlstore.NewRejection(db)
	intake := collect.New(collect.Config{
		Sources: sources{a.workspaces}, Log: writer, Vault: vault, Screen: screen{forgetting, people, remembered(a.clock.Now, region)}, Rejections: rejections, Clock: a.clock, Logger: part(log, "intake"),
		Quota: a.quotas, TrustedProxies: a.c.TrustedProxies, PublicURL: a.c.PublicURL,
	})
	a.live = realtime.New(liveGather)
	if a.c.several() {
		a.tellOthers()
	}
	drafts := draft.NewService(sqlstore.NewDraft(db), a.clock)
	jobs := job.New(job.Config{
		Store: sqlstore.NewJob(db), Tx: db, Clock: a.clock, Log: part(log, "jobs"), Files: a.files, Sole: db.Dialect() == sqldb.SQLite,
		Changed: func(ws, id string) { a.live.Publish(ws, realtime.Change{Topic: "job", ID: id}) },
	})
	addresses := importer.Addresses{Jobs: jobs, Consent: a.consent, Holders: people, Valid: outbox.ValidAddress}
	files := importer.People{Jobs: jobs, Consent: a.consent, Known: people, Intake: fileIntake{publisher{writer, vault}, still, a.clock.Now}, Origins: letGo{a.events, people, forgetting, still, false}}
	a.sampler = sampler{a, intake}
	a.sample = sample.New(sample.Config{
		Store: sqlstore.NewSample(db), Ender: ender{a, intake.Forget}, People: letGo{a.events, people, forgetting, still, true}, Filler: a.sampler,
		Populated: func(ctx context.Context, ws string) (bool, error) {
			n, err := people.Count(ctx, ws)
			return n > 0, err
		},
	})
	schemes := scheme.Service{People: people, Jobs: jobs}
	terms := retention.New(retention.Config{Store: sqlstore.NewRetention(db), Events: a.events, Segments: w.segments, Standing: judges, Clock: a.clock, Begin: jobs.Begin})
	rosters := roster.Service{People: people, Sets: w.segments, Events: a.events, Jobs: jobs}
	a.jobs = jobs
	a.replay = &replay.Service{
		Events: a.events, IDs: people.IDs,
		Again: func(ctx context.Context, who []person.Ref, part replay.Part) error {
			return a.worker.Again(ctx, who, replayed(part, w.segments, a.journeys, judges))
		},
	}
	jobs.Register(append(jobKinds(addresses, files, a.sample, schemes, terms, rosters), a.replay.Kind())...)
	a.metrics = telemetry.New(Version, a.probes(intake, judges)...)
	a.worker = pipeline.New(pipeline.Config{
		Log: a.stream, Vault: vault, Forget: shredder.forget, People: people, Events: a.events, Positions: sqlstore.NewPositions(db), Mirror: w.mirror, Everyone: w.everyone, Logger: part(log, "pipeline"),
		May:      a.mayWork,
		Reactors: reactors(a.consent, invoices, messages, w.segments, a.journeys, webhooks, judges, a.live),
		Passed: func(p pipeline.Passed) {
			a.metrics.Passed(telemetry.Batch{Events: p.Events, Oldest: p.Oldest, Done: p.Done, Stages: map[string]time.Duration{"resolve": p.Resolve, "keep": p.Keep, "react": p.React}})
		},
	})
	still.worker = a.worker
	relay := pipeline.NewRelay(pending{waiting}, writer, vault, part(log, "relay"))

	a.services = []placed{
		place(everywhere, "traces", a.traces), // the last to stop
		place(everywhere, "quotas", a.quotas), // before anything that is counted
		place(everywhere, "log", a.stream),
		place(workerRole, "refill", a.worker.Refill()),
		place(everywhere, "log writer", writer),
		place(workerRole, "privacy", forgetting), // before anything that asks it
		place(collectRole, "intake", intake),
		place(workerRole, "segments", w.segments),
		place(workerRole, "pipeline", a.worker),
		place(workerRole, "relay", relay),
		place(workerRole, "invoices", invoices),
		place(workerRole, "standing", judges),
		place(workerRole, "journeys", a.journeys),
		place(workerRole, "campaigns", campaigns),
		place(sendRole, "dispatcher", dispatcher),
		place(workerRole, "clicks", outbox.NewSettler(messages)),
		place(workerRole, "webhooks", webhooks),
		place(workerRole, "jobs", jobs),
		place(workerRole, "duplicates", newHousekeeping(part(log, "duplicates"), time.Minute, chore{"probable duplicates", w.lookForDuplicates})),
		place(workerRole, "suppressions", newHousekeeping(part(log, "suppressions"), time.Minute, chore{"suppressions that end", a.consent.EndHolds})),
		place(everywhere, "memory", newMemoryKeeper()),
		place(workerRole, "housekeeping", newHousekeeping(part(log, "housekeeping"), time.Hour,
			chore{"message ids", func(ctx context.Context, limit int) (int64, error) {
				return people.PurgeSeen(ctx, seenDays(a.c.LogRetention), limit)
			}},
			chore{"message bodies", messages.PurgeBodies},
			chore{"followed links", messages.PurgeFollows},
			chore{"webhook deliveries", webhooks.Purge},
			chore{"jobs", jobs.Purge},
			chore{"drafts", drafts.Expire},
			chore{"counts of use", a.quotas.Purge},
			chore{"events past their term", terms.Daily},
			chore{"errands of journeys", a.journeys.PurgeErrands},
			chore{"log", func(ctx context.Context, _ int) (int64, error) { return 0, a.trimLog(ctx) }},
			chore{"keys of the log", func(ctx context.Context, _ int) (int64, error) { return 0, turn(ctx) }},
			chore{"copies before updates", func(context.Context, int) (int64, error) {
				return sqlstore.PurgeCopies(db, func(f os.FileInfo) bool { return a.clock.Now().Sub(f.ModTime()) > copyDays*24*time.Hour })
			}},
			chore{"rejections", func(ctx context.Context, limit int) (int64, error) {
				return rejections.Purge(ctx, a.clock.Now().AddDate(0, 0, -rejectionDays), keepRejections)
			}},
		)),
	}
	if a.c.several() { // what the process has changed that does the work
		a.services = append(a.services,
			place(everywhere, "keys elsewhere", a.keyFollower(keys, vault)),
			place(everywhere, "refusals elsewhere", forgetting.Follower()),
			place(everywhere, "segments elsewhere", w.segments.Follower()),
		)
	}

	back := comeback{messages, publisher{writer, vault}}
	a.services = append(a.services, place(workerRole, "mailboxes", a.mailboxes(messages, back)))
	if a.c.Inbound.Listen != "" {
		tls, err := a.c.Inbound.certificate()
		if err != nil {
			return err
		}
		a.services = append(a.services, place(collectRole, "returned mail", smtpin.New(smtpin.Options{
			Addr: a.c.Inbound.Listen, Domain: a.c.Inbound.Domain, TLS: tls, Log: part(log, "inbound"), Now: a.clock.Now,
			Accepts: messages.Accepts, Take: func(ctx context.Context, n channel.Returned) error { return back.take(ctx, outbox.Scope{}, n) },
		})))
	}

	api := httpapi.Config{
		Tx: db, Clock: a.clock, Log: part(log, "api"), Staff: a.staff, Tenants: a.workspaces, Workspaces: a.workspaces, People: people, Events: a.events,
		Segments: w.segments, Personas: a.personas, Standing: judges, Maps: a.maps, Consent: a.consent, Content: w.content, Outbox: messages, MailAuth: auth, Campaigns: campaigns, Invoices: invoices, Webhooks: webhooks, Tasks: tasks, Jobs: jobs, Addresses: addresses, Imports: files, Mappings: importer.Mappings{Store: sqlstore.NewImportMapping(db), Tx: db, Clock: a.clock, Valid: files.ValidPlan}, Sample: a.sample, Schemes: schemes, Roster: rosters, Journeys: a.journeys, ReadyKit: a.kit, Reports: reports,
		Rejections: rejections, Privacy: forgetting, Retention: terms, Replay: a.replay, Quotas: a.quotas, Live: a.live, Personal: personal.New(sqlstore.NewPersonal(db), a.clock), Drafts: drafts, Versions: version.New(sqlstore.NewVersion(db), a.clock), PublicURL: a.c.PublicURL, TrustedProxies: a.c.TrustedProxies, SecureCookies: strings.HasPrefix(a.c.PublicURL, "https://"), Demo: show,
		Senders: sqlstore.NewContent(db),
	}
	if a.shift != nil {
		api.Advance = func(d time.Duration) { a.shift.Advance(d) }
	}
	var links http.Handler = tracking.New(tracking.Config{Outbox: messages, Log: publisher{writer, vault}, Logger: part(log, "links"), ClientIP: httpapi.ClientIP(a.c.TrustedProxies), Scanners: a.c.ScannerNetworks, Moved: func(ctx context.Context, ws string) (string, bool, error) {
		w, moved, err := a.workspaces.MovedWorkspace(ctx, ws)
		return w.To, moved, err
	}})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.health)
	mux.HandleFunc("GET /readyz", a.readiness)
	if a.c.does(collectRole) {
		counted := a.metrics.Around("intake", intake)
		for _, path := range collect.Paths() {
			mux.Handle(path, counted)
		}
		links = a.metrics.Around("links", links)
		mux.Handle("/t/", links)
		mux.Handle("/u/", links)
		mux.Handle(hookin.Path, a.metrics.Around("returns", a.hooks(messages, back)))
	}
	calls := httpapi.New(api) // also where nobody calls: its jobs are worked on by the workers
	if a.c.does(apiRole) {
		mux.Handle("/api/v1/", a.metrics.Around("api", calls))
		// Without signing in: the sample's letters are shown in a frame that has no session.
		mux.Handle("GET /demo/pictures/", http.StripPrefix("/demo/pictures/", http.FileServerFS(demo.Pictures())))
		mux.Handle("/", console.Handler())
	}
	a.mux = mux
	return nil
}

// trimLog gives up log records that every stage has passed, once the log is nearly full: a full log refuses events.
func (a *application) trimLog(ctx context.Context) error {
	used, limit, err := a.stream.Size(ctx)
	if err != nil || limit <= 0 || used < limit/5*4 {
		return err
	}
	at, err := a.worker.Position(ctx)
	if err != nil || at == 0 {
		return err
	}
	return a.stream.Trim(ctx, at)
}
