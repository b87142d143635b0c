package campaign_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const ws = "ws_1"

var (
	start     = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	errBroken = errors.New("the disk is on fire")
)

// world is everything around campaigns. Its outbox writes into the same database, so that a transaction that fails takes it back.
type world struct {
	t     testing.TB
	db    *sqldb.DB
	clock *clock.Fixed
	svc   *campaign.Service

	sets        map[string]*roaring64.Bitmap
	unsettled   map[string]bool  // sets
	edit        func(set string) // called once when its members are read
	merged      map[uint64]string
	gone        map[uint64]bool
	refuse      map[string]string
	locales     map[string]string // by person
	speaks      content.Coverage  // of every template
	checks      map[string]error
	fail        func(what string) error
	habits      map[uint64]campaign.Habit
	stopped     time.Time
	counts      map[string]outbox.Counts
	review      bool      // launching needs approval
	askedAt     time.Time // the latest moment the gate was asked about
	versions    map[string]int
	sentVersion map[string]int
	askedFor    map[string]time.Time
	weighed     func() // happens between the decision and its being stored
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		t: t, db: sqldbtest.Open(t, sqldb.SQLite), clock: clock.NewFixed(start), sets: map[string]*roaring64.Bitmap{},
		habits: map[uint64]campaign.Habit{}, merged: map[uint64]string{}, gone: map[uint64]bool{}, versions: map[string]int{}, sentVersion: map[string]int{}, askedFor: map[string]time.Time{}, refuse: map[string]string{}, checks: map[string]error{},
	}
	if _, err := w.db.Exec(t.Context(), `CREATE TABLE test_message (key TEXT PRIMARY KEY, person TEXT, state TEXT, reason TEXT, template TEXT)`); err != nil {
		t.Fatal(err)
	}
	w.svc = w.service(1000, 5000)
	return w
}

// service is another process on the same database.
func (w *world) service(chunk, ahead int) *campaign.Service {
	return w.serviceOn(sqlstore.NewCampaign(w.db), chunk, ahead)
}

func (w *world) serviceOn(store campaign.Store, chunk, ahead int) *campaign.Service {
	return campaign.New(campaign.Config{
		Store: store, Tx: w.db, Clock: w.clock, Log: slog.New(slog.DiscardHandler),
		Sets: w, Everyone: w, People: w, Outbox: w, Checker: w, Content: w, Chunk: chunk, Ahead: ahead,
	})
}

func (w *world) broken(what string) error {
	if w.fail != nil {
		return w.fail(what)
	}
	return nil
}

func (w *world) Members(_ context.Context, _, set string) (*roaring64.Bitmap, error) {
	if err := w.broken("members"); err != nil {
		return nil, err
	}
	if b := w.sets[set]; b != nil {
		if f := w.edit; f != nil {
			w.edit = nil
			f(set)
		}
		return b, nil
	}
	return nil, errs.NotFound("segment", set)
}

func (w *world) Unsettled(_ context.Context, _ string, sets []string) (names []string, err error) {
	for _, set := range sets {
		if w.unsettled[set] {
			names = append(names, "Name of "+set)
		}
	}
	return names, w.broken("unsettled")
}

func (w *world) Everyone(context.Context, string) (*roaring64.Bitmap, error) {
	all := roaring64.New()
	for _, b := range w.sets {
		all.Or(b)
	}
	return all, nil
}

func (w *world) IDs(_ context.Context, _ string, nums []uint64) (map[uint64]string, error) {
	out := map[uint64]string{}
	for _, n := range nums {
		if w.gone[n] {
			continue
		}
		out[n] = fmt.Sprintf("per_%d", n)
		if m := w.merged[n]; m != "" {
			out[n] = m
		}
	}
	return out, nil
}

func (w *world) Habits(_ context.Context, _ string, nums []uint64, _ bool) (map[uint64]campaign.Habit, error) {
	out := map[uint64]campaign.Habit{}
	for _, n := range nums {
		if h, ok := w.habits[n]; ok {
			out[n] = h
		}
	}
	return out, nil
}

func (w *world) SendingStopped(context.Context, string) (time.Time, error) { return w.stopped, nil }

func (w *world) CountsByNode(context.Context, string, outbox.Source) (map[string]outbox.Counts, error) {
	return w.counts, nil
}

func (w *world) TemplateVersion(_ context.Context, of, id string) (int, error) {
	if of != ws {
		return 0, errs.NotFound("template", id)
	}
	return w.versions[id], nil
}

func (w *world) NeedsApproval(context.Context, string) (bool, error) { return w.review, nil }

func (w *world) DryRun(_ context.Context, reqs []outbox.Request) ([]outbox.Decision, error) {
	out := make([]outbox.Decision, len(reqs))
	for i, r := range reqs {
		reason := w.refuse[r.PersonID]
		w.sentVersion[r.Template] = r.Version
		w.askedAt, w.askedFor[r.PersonID] = r.NotBefore, r.NotBefore
		out[i] = outbox.Decision{Allowed: reason == "", Reason: reason, Locale: w.locales[r.PersonID]}
	}
	return out, nil
}

func (w *world) Weigh(_ context.Context, reqs []outbox.Request) (*outbox.Weighed, error) {
	if w.weighed != nil {
		w.weighed()
	}
	return &outbox.Weighed{Requests: reqs}, nil
}

func (w *world) Keep(ctx context.Context, weighed *outbox.Weighed) ([]outbox.Decision, error) {
	reqs := weighed.Requests
	out, err := w.DryRun(ctx, reqs)
	if err != nil {
		return nil, err
	}
	for i, r := range reqs {
		if r.Topic == "" || r.Template == "" || r.Channel == "" || r.Workspace != ws || r.Source.Kind != "campaign" {
			return nil, fmt.Errorf("incomplete request %+v", r)
		}
		state := "queued"
		if !out[i].Allowed {
			state = "refused"
		}
		n, err := w.db.Exec(ctx, `INSERT INTO test_message VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, r.Key, r.PersonID, state, out[i].Reason, r.Template)
		if err != nil {
			return nil, err
		}
		out[i].Duplicate = n == 0
	}
	return out, w.broken("enqueued")
}

func (w *world) Waiting(ctx context.Context, _ string, src outbox.Source) (int64, error) {
	if err := w.broken("waiting"); err != nil {
		return 0, err
	}
	return sqldb.One(ctx, w.db, sqldb.Value[int64], `SELECT COUNT(*) FROM test_message WHERE state = 'queued' AND key LIKE $1`, "cmp:"+src.ID+":%")
}

func (w *world) CancelSource(ctx context.Context, _ string, src outbox.Source) (int64, error) {
	return w.db.Exec(ctx, `UPDATE test_message SET state = 'cancelled' WHERE state = 'queued' AND key LIKE $1`, "cmp:"+src.ID+":%")
}

func (w *world) SourcePaused(ctx context.Context, _ string, src outbox.Source) error {
	_, err := w.db.Exec(ctx, `UPDATE test_message SET state = 'held' WHERE state = 'queued' AND key LIKE $1`, "cmp:"+src.ID+":%")
	return err
}

func (w *world) SourceResumed(ctx context.Context, _ string, src outbox.Source) error {
	_, err := w.db.Exec(ctx, `UPDATE test_message SET state = 'queued' WHERE state = 'held' AND key LIKE $1`, "cmp:"+src.ID+":%")
	return err
}

func (w *world) CheckTemplate(_ context.Context, _, id string) error { return w.checks[id] }

// CheckVariables implements campaign.Checker; campaigns go to people who are known.
func (w *world) CheckVariables(_ context.Context, _, id string, now bool) error {
	if !now {
		w.t.Error("the variables of a campaign are asked for people to come")
	}
	return w.checks["variables of "+id]
}

// Report implements campaign.Content.
func (w *world) Report(_ context.Context, _, id string) (content.Report, error) {
	return content.Report{Template: id, ValueProposition: "why " + id, Languages: w.speaks}, nil
}

func (w *world) CheckTopic(_ context.Context, _, id string) error { return w.checks[id] }
func (w *world) CheckSet(_ context.Context, _, id string) error   { return w.checks[id] }
func (w *world) CheckField(_ context.Context, _, f string) error  { return w.checks[f] }

// sendAll is the sender: everything queued goes out.
func (w *world) sendAll() {
	w.t.Helper()
	if _, err := w.db.Exec(context.Background(), `UPDATE test_message SET state = 'sent' WHERE state = 'queued'`); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) states() map[string]int {
	w.t.Helper()
	all, err := sqldb.Collect(context.Background(), w.db, sqldb.Value[string], `SELECT state FROM test_message`)
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]int{}
	for _, s := range all {
		out[s]++
	}
	return out
}

func (w *world) tick() bool {
	w.t.Helper()
	worked, err := w.svc.Tick(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return worked
}

func (w *world) settle() {
	w.t.Helper()
	for range 1000 {
		if !w.tick() {
			return
		}
	}
	w.t.Fatal("work without end")
}

func (w *world) campaign(id string) campaign.Campaign {
	w.t.Helper()
	c, err := w.svc.Get(context.Background(), ws, id)
	if err != nil {
		w.t.Fatal(err)
	}
	if sum := c.Progress.Queued + total(c.Progress.Refused); sum != c.Progress.Handled {
		w.t.Errorf("%d handled, but %d queued or refused", c.Progress.Handled, sum)
	}
	return c
}

func total(m map[string]int64) (n int64) {
	for _, k := range m {
		n += k
	}
	return n
}

func (w *world) draft(include ...string) campaign.Campaign {
	w.t.Helper()
	return w.planned(campaign.Plan{}, include...)
}

func (w *world) launch(id string) campaign.Campaign {
	w.t.Helper()
	c, err := w.svc.Launch(context.Background(), ws, id, "stf_1")
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func people(from, to uint64) *roaring64.Bitmap {
	b := roaring64.New()
	b.AddRange(from, to+1)
	return b
}

func want(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

func TestACampaignReachesEverybodyOnceAndIsSentOnlyWhenAllAnswersAreIn(t *testing.T) {
	w := newWorld(t)
	w.svc = w.service(1000, 100_000)
	w.sets["seg_1"], w.sets["lst_1"], w.sets["seg_2"] = people(1, 3000), people(2500, 4500), people(100, 199)
	w.refuse["per_1"], w.refuse["per_2"] = "unsubscribed", "no_address"
	w.gone[3] = true
	w.merged[4000], w.merged[7] = "per_5", "per_6" // an earlier chunk, the same chunk
	c, err := w.svc.Create(t.Context(), ws, campaign.Campaign{Name: "Spring", Audience: campaign.Audience{Include: []string{"seg_1", "lst_1"}, Exclude: []string{"seg_2"}}, Topic: "tpc_1", Template: "tpl_1"})
	if err != nil {
		t.Fatal(err)
	}
	w.launch(c.ID)
	w.launch(c.ID) // again changes nothing
	w.settle()
	c = w.campaign(c.ID)
	want(t, "status while messages wait", c.Status, campaign.Sending)
	want(t, "progress", c.Progress, campaign.Progress{
		Audience: 4400, Handled: 4400, Queued: 4395,
		Refused: map[string]int64{"unsubscribed": 1, "no_address": 1, "gone": 1, "merged": 2},
	})
	want(t, "messages", w.states(), map[string]int{"queued": 4395, "refused": 2})
	w.sendAll()
	w.clock.Advance(time.Minute)
	w.settle()
	c = w.campaign(c.ID)
	want(t, "status", c.Status, campaign.Sent)
	want(t, "finished", c.FinishedAt, start.Add(time.Minute))
	w.launch(c.ID)
	w.settle()
	want(t, "messages after another launch", w.states(), map[string]int{"sent": 4395, "refused": 2})
}

func TestTheAudienceIsFixedWhenSendingBegins(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 10)
	c := w.draft("seg_1")
	w.launch(c.ID)
	w.tick() // prepared
	w.sets["seg_1"] = people(5, 50)
	w.settle()
	want(t, "messages", w.states(), map[string]int{"queued": 10})
}

func TestWhoIsForgottenBetweenTheDecisionAndItsStoringGetsNoRow(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 11)
	c := w.draft("seg_1")
	w.weighed = func() { w.gone[3], w.merged[4] = true, "per_5" }
	w.launch(c.ID)
	w.tick() // prepared
	w.tick()
	want(t, "messages at first", w.states(), map[string]int{})
	w.weighed = nil
	w.settle()
	want(t, "messages", w.states(), map[string]int{"queued": 9})
	p := w.campaign(c.ID).Progress
	want(t, "left out", []int64{p.Refused[campaign.ReasonGone], p.Refused[campaign.ReasonMerged]}, []int64{1, 1})
}

func TestItGoesOnWhereItStoppedAfterACrash(t *testing.T) {
	w := newWorld(t)
	w.svc = w.service(100, 100_000)
	w.sets["seg_1"] = people(1, 1050)
	c := w.draft("seg_1")
	w.launch(c.ID)
	for n := range 200 { // every third transaction dies at its end; a fresh process takes over each time
		w.fail = nil
		if n%3 == 1 {
			w.fail = func(what string) error {
				if what == "enqueued" {
					return errBroken
				}
				return nil
			}
		}
		w.svc = w.service(100, 100_000)
		w.tick()
		w.clock.Advance(15 * time.Minute) // past any back-off
		if got, p := w.states()["queued"], w.campaign(c.ID).Progress; int64(got) != p.Queued {
			t.Fatalf("%d messages, but progress says %d", got, p.Queued)
		}
	}
	w.sendAll()
	w.fail = nil
	w.settle()
	want(t, "messages", w.states(), map[string]int{"sent": 1050})
	c = w.campaign(c.ID)
	want(t, "status", c.Status, campaign.Sent)
	want(t, "no error is left", string(c.Error), "")
}

func TestTwoProcessesDoNotDisturbEachOther(t *testing.T) {
	w := newWorld(t)
	w.svc = w.service(50, 100_000)
	other := w.service(50, 100_000)
	w.sets["seg_1"] = people(1, 1000)
	c := w.draft("seg_1")
	w.launch(c.ID)
	done := make(chan error)
	for _, s := range []*campaign.Service{w.svc, other} {
		go func() {
			for {
				if worked, err := s.Tick(t.Context()); err != nil || !worked {
					if got, _ := s.Get(t.Context(), ws, c.ID); err != nil || got.Progress.Left() == 0 && got.Status == campaign.Sending {
						done <- err
						return
					}
				}
			}
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	want(t, "messages", w.states(), map[string]int{"queued": 1000})
	want(t, "progress", w.campaign(c.ID).Progress.Queued, int64(1000))
}

func TestItWaitsForItsTime(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 3)
	c := w.draft("seg_1")
	c.ScheduledAt = start.Add(time.Hour)
	c, err := w.svc.Edit(t.Context(), ws, c.ID, c)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "launched", w.launch(c.ID).Status, campaign.Scheduled)
	w.clock.Advance(59 * time.Minute)
	w.settle()
	want(t, "too early", w.states(), map[string]int{})
	w.clock.Advance(time.Minute)
	w.settle()
	want(t, "in time", w.states(), map[string]int{"queued": 3})
}

func TestPausingStopsTheFlowAndResumingGoesOn(t *testing.T) {
	w := newWorld(t)
	w.svc = w.service(100, 250)
	w.sets["seg_1"] = people(1, 1000)
	c := w.draft("seg_1")
	w.launch(c.ID)
	w.settle()
	want(t, "not far ahead of the sender", w.states(), map[string]int{"queued": 300})
	w.sendAll()
	w.tick()
	if _, err := w.svc.Pause(t.Context(), ws, c.ID); err != nil {
		t.Fatal(err)
	}
	w.sendAll()
	w.settle()
	want(t, "paused", w.states(), map[string]int{"sent": 300, "held": 100})
	if _, err := w.svc.Resume(t.Context(), ws, c.ID); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.settle()
		w.sendAll()
	}
	w.settle()
	want(t, "resumed", w.states(), map[string]int{"sent": 1000})
	want(t, "status", w.campaign(c.ID).Status, campaign.Sent)
}

func TestACampaignWaitsForItsSegmentsAndSaysSo(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"], w.sets["seg_2"] = people(1, 3), people(5, 5) // as far as they are known
	w.unsettled = map[string]bool{"seg_1": true, "seg_2": true}
	c, err := w.svc.Create(t.Context(), ws, campaign.Campaign{Name: "Spring", Audience: campaign.Audience{Include: []string{"seg_1"}, Exclude: []string{"seg_2"}}, Topic: "tpc_1", Template: "tpl_1"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.svc.Preflight(t.Context(), ws, c.ID)
	if err != nil || p.Warnings[0].Code != "unsettled" {
		t.Errorf("before the launch: %+v, %v", p.Warnings, err)
	}
	dry, err := w.svc.DryRun(t.Context(), ws, c)
	if err != nil || !slices.Equal(dry.Unsettled, []string{"Name of seg_1", "Name of seg_2"}) {
		t.Errorf("dry run: %+v, %v", dry.Unsettled, err)
	}
	w.launch(c.ID)
	w.settle()
	w.unsettled["seg_1"] = false
	w.settle()
	waiting := w.campaign(c.ID)
	code, args, _ := waiting.Error.Said()
	if waiting.Status != campaign.Preparing || waiting.Attempts != 0 || code != "campaign.audience.unsettled" || !slices.Equal(args, []string{"Name of seg_2"}) {
		t.Errorf("while a segment is being evaluated: %s, %q %q, %d attempts", waiting.Status, code, args, waiting.Attempts)
	}
	want(t, "messages", w.states(), map[string]int{})

	w.unsettled = map[string]bool{}
	w.edit = func(set string) { w.unsettled[set] = true } // while the members are being read
	w.settle()
	want(t, "messages", w.states(), map[string]int{})

	w.sets["seg_1"], w.sets["seg_2"] = people(1, 10), people(5, 9)
	w.unsettled = nil
	w.settle()
	want(t, "messages", w.states(), map[string]int{"queued": 5})
	if c := w.campaign(c.ID); c.Error != "" || c.Progress.Audience != 5 {
		t.Errorf("once all are known: %+v", c)
	}
}

func TestCancellingTakesBackWhatHasNotLeft(t *testing.T) {
	w := newWorld(t)
	w.svc = w.service(100, 150)
	w.sets["seg_1"] = people(1, 1000)
	c := w.draft("seg_1")
	w.launch(c.ID)
	w.tick()
	w.tick()
	w.sendAll()
	w.tick()
	if _, err := w.svc.Cancel(t.Context(), ws, c.ID); err != nil {
		t.Fatal(err)
	}
	w.settle()
	want(t, "messages", w.states(), map[string]int{"sent": 100, "cancelled": 100})
	for name, f := range map[string]func(context.Context, string, string) (campaign.Campaign, error){"launch": func(ctx context.Context, ws, id string) (campaign.Campaign, error) {
		return w.svc.Launch(ctx, ws, id, "stf_1")
	}, "resume": w.svc.Resume, "pause": w.svc.Pause} {
		if _, err := f(t.Context(), ws, c.ID); !errs.Is(err, errs.KindConflict) {
			t.Errorf("%s after cancelling: %v", name, err)
		}
	}
	if _, err := w.svc.Cancel(t.Context(), ws, c.ID); err != nil {
		t.Errorf("cancelling twice: %v", err)
	}
}

func TestAPermanentFailureIsShownAndLaunchingAgainGoesOn(t *testing.T) {
	w := newWorld(t)
	c := w.draft("seg_1")
	w.launch(c.ID) // the segment is deleted between launch and preparation
	w.settle()
	c = w.campaign(c.ID)
	if c.Status != campaign.Failed || !strings.Contains(string(c.Error), "seg_1") {
		t.Fatalf("%+v", c)
	}
	w.sets["seg_1"] = people(1, 3)
	w.launch(c.ID)
	w.settle()
	want(t, "messages", w.states(), map[string]int{"queued": 3})
}

func TestATemporaryFailureIsTriedAgainAndFinallyShown(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 3)
	c := w.draft("seg_1")
	w.launch(c.ID)
	w.tick()
	w.fail = func(what string) error {
		if what == "waiting" {
			return errBroken
		}
		return nil
	}
	w.settle()
	got := w.campaign(c.ID)
	want(t, "first", []any{got.Status, got.Attempts, got.RetryAt}, []any{campaign.Sending, 1, start.Add(5 * time.Second)})
	for range 40 {
		w.clock.Advance(10 * time.Minute)
		w.settle()
	}
	want(t, "finally", w.campaign(c.ID).Status, campaign.Failed)
	w.fail = nil
	w.launch(c.ID)
	w.settle()
	w.sendAll()
	w.settle()
	want(t, "mended", w.campaign(c.ID).Status, campaign.Sent)
}

func TestAnEmptyAudienceIsSentAtOnce(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 3)
	w.sets["seg_2"] = people(1, 3)
	c := w.draft("seg_1")
	c.Audience.Exclude = []string{"seg_2"}
	if _, err := w.svc.Edit(t.Context(), ws, c.ID, c); err != nil {
		t.Fatal(err)
	}
	w.launch(c.ID)
	w.settle()
	want(t, "status", w.campaign(c.ID).Status, campaign.Sent)
}

func TestLaunchingNamesWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	c, err := w.svc.Create(t.Context(), ws, campaign.Campaign{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	fields := func(err error) (out []string) {
		for _, e := range errs.All(err) {
			out = append(out, e.Field)
		}
		return out
	}
	_, err = w.svc.Launch(t.Context(), ws, c.ID, "stf_1")
	want(t, "nothing chosen", fields(err), []string{"audience.include", "topic", "template"})
	w.checks["tpl_1"], w.checks["seg_1"] = errs.Conflict("template.archived", "the template is archived"), errs.NotFound("segment", "seg_1")
	c = w.draft("seg_1")
	want(t, "missing", fields(w.svc.Check(t.Context(), ws, c.ID)), []string{"audience.include", "template"})
	w.checks["tpl_1"], w.checks["seg_1"] = nil, nil
	w.checks["properties.card.number"] = errs.Invalid("rule.encrypted", "rule", "%s is kept encrypted", "properties.card.number")
	c.Goal = outbox.Goal{Event: "Paid", Value: "card.number", Filter: []json.RawMessage{json.RawMessage(`{"path":"card.number","op":"exists"}`)}}
	if c, err = w.svc.Edit(t.Context(), ws, c.ID, c); err != nil {
		t.Fatal(err)
	}
	err = w.svc.Check(t.Context(), ws, c.ID)
	want(t, "a goal that looks at what is encrypted", fields(err), []string{"goal"})
	want(t, "its code", errs.All(err)[0].Code, "rule.encrypted")
	w.checks["tpl_1"] = errBroken
	if err := w.svc.Check(t.Context(), ws, c.ID); !errors.Is(err, errBroken) {
		t.Errorf("a failing check: %v", err)
	}
	if _, err := w.svc.Create(t.Context(), ws, campaign.Campaign{}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("no name: %v", err)
	}
}

func TestOnlyDraftsCanBeChangedAndDeleted(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 3)
	a, b := w.draft("seg_1"), w.draft("seg_1")
	if err := w.svc.Delete(t.Context(), ws, a.ID); err != nil {
		t.Fatal(err)
	}
	w.launch(b.ID)
	w.settle()
	if err := w.svc.Delete(t.Context(), ws, b.ID); !errs.Is(err, errs.KindConflict) {
		t.Errorf("deleted while sending: %v", err)
	}
	if _, err := w.svc.Edit(t.Context(), ws, b.ID, b); !errs.Is(err, errs.KindConflict) {
		t.Errorf("edited while sending: %v", err)
	}
	p, err := w.svc.List(t.Context(), ws, campaign.Filter{}, page.Request{})
	if err != nil || len(p.Items) != 1 {
		t.Errorf("%v, %d campaigns", err, len(p.Items))
	}
}

func TestPreflightCountsAndAsksTheGate(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"], w.sets["seg_2"], w.sets["seg_9"] = people(1, 500), people(401, 600), people(1, 2000)
	w.refuse["per_1"], w.refuse["per_2"], w.refuse["per_3"] = "unsubscribed", "unsubscribed", "suppressed"
	c := w.draft("seg_1")
	c.Audience.Exclude = []string{"seg_2"}
	if _, err := w.svc.Edit(t.Context(), ws, c.ID, c); err != nil {
		t.Fatal(err)
	}
	p, err := w.svc.Preflight(t.Context(), ws, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "preflight", p, campaign.Preflight{Included: 500, Excluded: 100, Audience: 400, Checked: 400, Allowed: 397, Refused: map[string]int64{"unsubscribed": 2, "suppressed": 1}, Waits: map[string]int64{}, Content: []content.Report{{Template: p.Content[0].Template, ValueProposition: "why " + p.Content[0].Template}}})
	want(t, "nothing is stored", w.states(), map[string]int{})
	w.stopped = w.clock.Now()
	if p, err = w.svc.Preflight(t.Context(), ws, c.ID); err != nil || len(p.Warnings) != 1 || p.Warnings[0].Code != "sending_stopped" {
		t.Errorf("while all sending is stopped: %+v, %v", p.Warnings, err)
	}
}

func TestPreflightOfALargeAudienceIsAnEstimate(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 100_000)
	for n := uint64(1); n <= 100_000; n += 4 {
		w.refuse[fmt.Sprintf("per_%d", n)] = "not_subscribed"
	}
	p, err := w.svc.Preflight(t.Context(), ws, w.draft("seg_1").ID)
	if err != nil {
		t.Fatal(err)
	}
	if p.Checked != 10_000 || p.Audience != 100_000 || p.Allowed+p.Refused["not_subscribed"] != 100_000 || p.Allowed < 73_000 || p.Allowed > 77_000 {
		t.Errorf("%+v", p)
	}
	codes := func(p campaign.Preflight) (out []string) {
		for _, x := range p.Warnings {
			out = append(out, x.Code)
		}
		return out
	}
	want(t, "advice", codes(p), []string{"nearly_everyone"})
	aimless, err := w.svc.Create(t.Context(), ws, campaign.Campaign{Name: "Aimless", Audience: campaign.Audience{Include: []string{"seg_1"}}, Topic: "tpc_1", Template: "tpl_1"})
	if err != nil {
		t.Fatal(err)
	}
	if p, err = w.svc.Preflight(t.Context(), ws, aimless.ID); err != nil {
		t.Fatal(err)
	}
	want(t, "advice without a goal", codes(p), []string{"no_goal", "nearly_everyone"})
	w.sets["seg_1"] = roaring64.New()
	p, err = w.svc.Preflight(t.Context(), ws, w.draft("seg_1").ID)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "advice for nobody", codes(p), []string{"empty"})
	w.sets["seg_1"] = people(1, 1)
	p, _ = w.svc.Preflight(t.Context(), ws, w.draft("seg_1").ID)
	if !slices.Equal(codes(p), []string{"nobody_allowed"}) {
		t.Errorf("%+v", p)
	}
}

// told tells of every change that was written.
type told struct {
	campaign.Store
	changes chan campaign.Campaign
}

func (s told) Update(ctx context.Context, c campaign.Campaign) error {
	err := s.Store.Update(ctx, c)
	if err == nil {
		s.changes <- c
	}
	return err
}

func TestTheLoopSendsAndStops(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 30)
	store := told{sqlstore.NewCampaign(w.db), make(chan campaign.Campaign, 100)}
	w.svc = w.serviceOn(store, 10, 5000)
	if err := w.svc.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := w.draft("seg_1")
	w.launch(c.ID)
	for c.Status != campaign.Sent {
		if c = <-store.changes; c.Progress.Queued == 30 && c.Status == campaign.Sending {
			for w.states()["queued"] < 30 { // the transaction is about to commit
				runtime.Gosched()
			}
			w.sendAll()
		}
	}
	for range 2 {
		if err := w.svc.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
