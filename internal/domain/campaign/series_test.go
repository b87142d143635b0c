package campaign_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// paper is a feed that tests write.
type paper struct {
	items []campaign.Item
	fail  error
	reads int
}

func (p *paper) Read(_ context.Context, _ string, since campaign.FeedState) (campaign.FeedAnswer, error) {
	p.reads++
	if p.fail != nil {
		return campaign.FeedAnswer{}, p.fail
	}
	tag := fmt.Sprint(len(p.items))
	if since.ETag == tag {
		return campaign.FeedAnswer{Unchanged: true}, nil
	}
	out := campaign.FeedAnswer{Title: "Paper", ETag: tag, Items: slices.Clone(p.items)}
	slices.Reverse(out.Items) // newest first
	return out, nil
}

func (p *paper) publish(key string, at time.Time) {
	p.items = append(p.items, campaign.Item{Key: key, Title: "About " + key, Link: "https://paper.example/" + key, Published: at})
}

// recurring is a service whose series run on clocks in the zone and read the paper.
func (w *world) recurring(zone string, p *paper, store campaign.Store) *campaign.Service {
	w.t.Helper()
	home, err := time.LoadLocation(zone)
	if err != nil {
		w.t.Fatal(err)
	}
	c := campaign.Config{
		Store: store, Tx: w.db, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Sets: w, Everyone: w, People: w, Outbox: w, Checker: w,
		Zone: func(context.Context, string) (*time.Location, error) { return home, nil },
	}
	if p != nil {
		c.Feeds = p
	}
	w.svc = campaign.New(c)
	return w.svc
}

func (w *world) series(s campaign.Schedule, feed *campaign.Feed) campaign.Series {
	w.t.Helper()
	x, err := w.svc.CreateSeries(w.t.Context(), ws, campaign.Series{
		Name: "News", Audience: campaign.Audience{Include: []string{"seg_1"}}, Topic: "tpc_1", Template: "tpl_1", Message: campaign.SeriesMessage{Goal: outbox.DefaultGoal}, Schedule: s, Feed: feed,
	})
	if err == nil {
		x, err = w.svc.ActivateSeries(w.t.Context(), ws, x.ID, "stf_1")
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

func (w *world) runs(id string) []campaign.Run {
	w.t.Helper()
	found, err := w.svc.SeriesRuns(w.t.Context(), ws, id, page.Request{Limit: page.MaxLimit})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Reverse(found.Items)
	return found.Items
}

func (w *world) upTo(at time.Time) {
	w.clock.Set(at)
	w.settle()
	w.sendAll()
	w.settle()
}

func daily(at string) campaign.Schedule { return campaign.Schedule{Every: campaign.EveryDay, At: at} }

func TestSchedulesFollowTheClockOnTheWall(t *testing.T) {
	for name, c := range map[string]struct {
		zone, from string
		s          campaign.Schedule
		want       []string
	}{
		"daily over the missing hour":  {"America/New_York", "2026-03-06T12:00:00Z", daily("02:30"), []string{"2026-03-07T07:30:00Z", "2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z"}},
		"daily over the doubled hour":  {"America/New_York", "2026-10-31T12:00:00Z", daily("01:30"), []string{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}},
		"weekly":                       {"Asia/Tokyo", "2026-03-01T00:00:00Z", campaign.Schedule{Every: campaign.EveryWeek, At: "09:00", Weekdays: []int{1, 5}}, []string{"2026-03-02T00:00:00Z", "2026-03-06T00:00:00Z", "2026-03-09T00:00:00Z"}},
		"monthly on the 31st":          {"UTC", "2026-01-31T09:00:00Z", campaign.Schedule{Every: campaign.EveryMonth, At: "09:00", Day: 31}, []string{"2026-02-28T09:00:00Z", "2026-03-31T09:00:00Z", "2026-04-30T09:00:00Z"}},
		"cron, hourly, missing hour":   {"Europe/London", "2026-03-28T23:30:00Z", campaign.Schedule{Every: campaign.ByCron, Cron: "0 * * * *"}, []string{"2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"}},
		"cron, the second of January":  {"UTC", "2026-01-03T00:00:00Z", campaign.Schedule{Every: campaign.ByCron, Cron: "30 8 2 1 *"}, []string{"2027-01-02T08:30:00Z"}},
		"where people live, first one": {"UTC", "2026-03-01T12:00:00Z", campaign.Schedule{Every: campaign.EveryDay, At: "09:00", Local: true}, []string{"2026-03-01T19:00:00Z", "2026-03-02T19:00:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.sets["seg_1"] = people(1, 1)
			w.recurring(c.zone, nil, sqlstore.NewCampaign(w.db))
			from, err := time.Parse(time.RFC3339, c.from)
			if err != nil {
				t.Fatal(err)
			}
			w.clock.Set(from)
			x := w.series(c.s, nil)
			for _, at := range c.want {
				if got := x.NextAt.Format(time.RFC3339); got != at {
					t.Fatalf("next run %s, want %s", got, at)
				}
				w.upTo(x.NextAt)
				if x, err = w.svc.GetSeries(t.Context(), ws, x.ID); err != nil {
					t.Fatal(err)
				}
			}
			for i, r := range w.runs(x.ID) {
				if r.State != campaign.RunSent || r.Planned.Format(time.RFC3339) != c.want[i] || w.campaign(r.Campaign).Status != campaign.Sent && !c.s.Local {
					t.Errorf("run %d: %+v", i, r)
				}
				if c.s.Local && w.campaign(r.Campaign).Plan.Local.String() != "2026-03-0"+fmt.Sprint(i+2)+"T09:00" {
					t.Errorf("local time %s", w.campaign(r.Campaign).Plan.Local)
				}
			}
		})
	}
}

func TestBadSchedulesAreRefused(t *testing.T) {
	w := newWorld(t)
	for field, s := range map[string]campaign.Schedule{
		"schedule.every": {}, "schedule.at": {Every: campaign.EveryDay, At: "9 o'clock"}, "schedule.weekdays": {Every: campaign.EveryWeek, At: "09:00", Weekdays: []int{7}},
		"schedule.day": {Every: campaign.EveryMonth, At: "09:00"}, "schedule.cron": {Every: campaign.ByCron, Cron: "* * * * *"},
	} {
		_, err := w.svc.CreateSeries(t.Context(), ws, campaign.Series{Name: "x", Schedule: s})
		if all := errs.All(err); len(all) != 1 || all[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, line := range []string{"@hourly", "TZ=UTC 0 9 * * *", "0 9 30 2 *", "0 9", "*/10 * * * *"} {
		if _, err := w.svc.CreateSeries(t.Context(), ws, campaign.Series{Name: "x", Schedule: campaign.Schedule{Every: campaign.ByCron, Cron: line}}); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("cron %q: %v", line, err)
		}
	}
}

func TestEachRunComesAtThePersonsBestHour(t *testing.T) {
	w := newWorld(t) // it is 9:00 in London
	w.recurring("UTC", nil, sqlstore.NewCampaign(w.db))
	w.sets["seg_1"] = people(1, 2)
	for n, hour := range map[uint64]int{1: 20, 2: 7} {
		var hours [24]int
		hours[hour] = 40
		w.habits[n] = campaign.Habit{Zone: time.UTC, Hours: hours}
	}
	s := daily("10:00")
	s.BestHour = true
	x := w.series(s, nil)
	for _, step := range []struct{ hours, sent int }{{1, 0}, {10, 0}, {11, 1}, {21, 1}, {22, 2}, {34, 2}, {35, 3}, {46, 4}} { // at 20:00 and 7:00, day after day
		w.upTo(start.Add(time.Duration(step.hours) * time.Hour))
		want(t, fmt.Sprintf("sent after %d hours", step.hours), w.states()["sent"], step.sent)
	}
	runs := w.runs(x.ID)
	want(t, "runs", len(runs), 2)
	want(t, "plan of a run", w.campaign(runs[0].Campaign).Plan.BestHour, true)
	s.Local = true
	for field, bad := range map[string]campaign.Schedule{
		"series.schedule.two_times": s, "series.schedule.best_hour": {Every: campaign.ByCron, Cron: "0 9,18 * * *", BestHour: true},
	} {
		_, err := w.svc.CreateSeries(t.Context(), ws, campaign.Series{Name: "x", Schedule: bad})
		if all := errs.All(err); len(all) != 1 || all[0].Code != field || all[0].Field != "schedule.best_hour" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := w.svc.CreateSeries(t.Context(), ws, campaign.Series{Name: "x", Schedule: campaign.Schedule{Every: campaign.ByCron, Cron: "0 9 * * 1,4", BestHour: true}}); err != nil {
		t.Error(err)
	}
}

func TestEachRunHasTheAudienceOfItsDayAndFiguresOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.recurring("UTC", nil, sqlstore.NewCampaign(w.db))
	w.sets["seg_1"] = people(1, 3)
	x := w.series(daily("10:00"), nil)
	if _, err := w.svc.PauseSeries(t.Context(), ws, x.ID, false); err != nil {
		t.Fatal(err)
	}
	x.Message.Priority = outbox.High
	x.Rev = 0
	if _, err := w.svc.EditSeries(t.Context(), ws, x.ID, x); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.ActivateSeries(t.Context(), ws, x.ID, "stf_1"); err != nil {
		t.Fatal(err)
	}
	w.upTo(start.Add(time.Hour))
	w.sets["seg_1"] = people(1, 0)
	w.upTo(start.Add(25 * time.Hour))
	w.sets["seg_1"] = people(3, 7)
	w.upTo(start.Add(49 * time.Hour))
	runs := w.runs(x.ID)
	if len(runs) != 3 || runs[1].State != campaign.RunSkipped || runs[1].Reason != campaign.ReasonEmpty || runs[1].Campaign != "" {
		t.Fatalf("%+v", runs)
	}
	for i, want := range map[int]int64{0: 3, 2: 5} {
		c := w.campaign(runs[i].Campaign)
		if c.Progress.Audience != want || c.Status != campaign.Sent || c.Goal.Event != outbox.DefaultGoal.Event || c.Plan.Priority != outbox.High || !strings.HasPrefix(c.Name, "News 2026-03-0") {
			t.Errorf("run %d: %+v", i, c)
		}
	}
}

func TestOneRunMakesUpForAllThatWereMissedAndAPauseForNone(t *testing.T) {
	w := newWorld(t)
	w.recurring("UTC", nil, sqlstore.NewCampaign(w.db))
	w.sets["seg_1"] = people(1, 2)
	x := w.series(daily("10:00"), nil)
	w.upTo(start.Add(10 * 24 * time.Hour)) // the server was down
	if runs := w.runs(x.ID); len(runs) != 1 || !runs[0].Planned.Equal(start.Add(time.Hour)) {
		t.Fatalf("%+v", runs)
	}
	if _, err := w.svc.PauseSeries(t.Context(), ws, x.ID, false); err != nil {
		t.Fatal(err)
	}
	w.upTo(start.Add(20 * 24 * time.Hour))
	got, err := w.svc.ActivateSeries(t.Context(), ws, x.ID, "stf_1")
	if err != nil || !got.NextAt.Equal(start.Add(20*24*time.Hour+time.Hour)) || len(w.runs(x.ID)) != 1 {
		t.Fatalf("%v %+v", err, got)
	}
	edit := got
	edit.Until = start.Add(21 * 24 * time.Hour)
	if _, err := w.svc.EditSeries(t.Context(), ws, x.ID, edit); !errs.Is(err, errs.KindConflict) {
		t.Errorf("a running series was changed: %v", err)
	}
	if _, err := w.svc.PauseSeries(t.Context(), ws, x.ID, false); err != nil {
		t.Fatal(err)
	}
	edit.Rev = 0
	if _, err := w.svc.EditSeries(t.Context(), ws, x.ID, edit); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.ActivateSeries(t.Context(), ws, x.ID, "stf_1"); err != nil {
		t.Fatal(err)
	}
	w.upTo(start.Add(20*24*time.Hour + time.Hour))
	if got, err = w.svc.GetSeries(t.Context(), ws, x.ID); err != nil || got.Status != campaign.SeriesEnded || got.Runs != 2 {
		t.Errorf("past its end: %v %+v", err, got)
	}
}

func TestASeriesNeedsASecondPersonWhereTheWorkspaceWantsIt(t *testing.T) {
	w := newWorld(t)
	w.recurring("UTC", nil, sqlstore.NewCampaign(w.db))
	w.sets["seg_1"], w.review = people(1, 2), true
	x := w.series(daily("10:00"), nil)
	w.versions[x.Template] = 4
	if x.Status != campaign.SeriesReview {
		t.Fatalf("%+v", x)
	}
	w.upTo(start.Add(2 * time.Hour))
	if _, err := w.svc.ApproveSeries(t.Context(), ws, x.ID, "stf_1"); !errs.Is(err, errs.KindForbidden) {
		t.Errorf("approved by the one who asked: %v", err)
	}
	if _, err := w.svc.ApproveSeries(t.Context(), ws, x.ID, "stf_2"); err != nil {
		t.Fatal(err)
	}
	w.versions[x.Template] = 5 // saved by whoever likes, and approved by nobody
	w.upTo(start.Add(25 * time.Hour))
	if got := w.sentVersion[x.Template]; got != 4 {
		t.Errorf("version %d went out, 4 was approved", got)
	}
	runs := w.runs(x.ID)
	if len(runs) != 1 || w.campaign(runs[0].Campaign).ApprovedBy != "stf_2" || w.campaign(runs[0].Campaign).Status != campaign.Sent {
		t.Errorf("%+v", runs)
	}
	w.review = false
	y := w.series(daily("10:00"), nil)
	w.review = true
	w.upTo(start.Add(49 * time.Hour))
	if y, err := w.svc.GetSeries(t.Context(), ws, y.ID); err != nil || y.Status != campaign.SeriesReview || y.Runs != 0 {
		t.Errorf("went out unapproved: %v %+v", err, y)
	}
}

func TestASeriesWhoseFeedCannotBeReadIsNotStarted(t *testing.T) {
	w, p := newWorld(t), &paper{}
	w.recurring("UTC", p, sqlstore.NewCampaign(w.db))
	x, err := w.svc.CreateSeries(t.Context(), ws, campaign.Series{
		Name: "News", Audience: campaign.Audience{Include: []string{"seg_1"}}, Topic: "tpc_1", Template: "tpl_1", Schedule: daily("10:00"), Feed: &campaign.Feed{URL: "https://paper.example/rss"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, fail := range []error{errs.Unavailable("url.unknown_host", "there is no such server"), errs.Invalid("feed.gone", "feed.url", "there is no feed")} {
		p.fail = fail
		_, err := w.svc.ActivateSeries(t.Context(), ws, x.ID, "usr_1")
		if all := errs.All(err); len(all) != 1 || all[0].Kind != errs.KindInvalid || all[0].Code != errs.All(fail)[0].Code || all[0].Field != "feed.url" {
			t.Errorf("%v: %v", fail, err)
		}
	}
	p.fail = nil
	if x, err = w.svc.ActivateSeries(t.Context(), ws, x.ID, "usr_1"); err != nil || x.Status != campaign.SeriesLive {
		t.Errorf("once it can be read: %v %s", err, x.Status)
	}
	p.fail = errs.Unavailable("url.unknown_host", "there is no such server")
	if _, err = w.svc.ActivateSeries(t.Context(), ws, x.ID, "usr_1"); err != nil {
		t.Errorf("what runs already is not asked again: %v", err)
	}
}

func TestAFeedIsSentWhenItHasNews(t *testing.T) {
	w, p := newWorld(t), &paper{}
	p.publish("old", start.Add(-time.Hour))
	w.recurring("UTC", p, sqlstore.NewCampaign(w.db))
	w.sets["seg_1"] = people(1, 2)
	x := w.series(daily("10:00"), &campaign.Feed{URL: "https://paper.example/rss", Max: 2})
	p.publish("first", start.Add(time.Minute))
	w.upTo(start.Add(time.Hour)) // first alone: old was there before
	w.upTo(start.Add(25 * time.Hour))
	for _, key := range []string{"a", "b", "c"} {
		p.publish(key, start.Add(26*time.Hour))
	}
	w.upTo(start.Add(49 * time.Hour)) // the two newest
	p.fail = errs.Unavailable("feed.status", "it answers 503")
	p.publish("late", start.Add(50*time.Hour))
	w.upTo(start.Add(73 * time.Hour))
	if got, err := w.svc.GetSeries(t.Context(), ws, x.ID); err != nil || got.Attempts != 1 || !strings.Contains(string(got.Error), `"msg":"it answers 503"`) || !got.RetryAt.After(w.clock.Now()) {
		t.Fatalf("%v %+v", err, got)
	}
	p.fail = nil
	w.upTo(start.Add(73*time.Hour + time.Minute))
	p.fail = errs.Invalid("feed.gone", "feed.url", "there is no feed")
	w.upTo(start.Add(97 * time.Hour))
	var got []string
	for _, r := range w.runs(x.ID) {
		got = append(got, r.State+" "+r.Reason+" "+strings.Join(r.Items, ","))
	}
	if want := []string{"sent  first", "sent  c,b", "sent  late", "failed invalid "}; !slices.Equal(got, want) {
		t.Errorf("runs %q, want %q", got, want)
	}
	vars, err := w.svc.Vars(t.Context(), ws, w.runs(x.ID)[1].Campaign)
	if err != nil {
		t.Fatal(err)
	}
	feed := vars["feed"].(map[string]any)
	if items := feed["items"].([]any); feed["title"] != "Paper" || len(items) != 2 || items[0].(map[string]any)["title"] != "About c" || items[0].(map[string]any)["published"] != "2026-03-02T11:00:00Z" {
		t.Errorf("%+v", vars)
	}
}

// crashing is a store whose process dies before or after any write.
type crashing struct {
	campaign.Store
	left *int
}

func (c crashing) count() error {
	if *c.left--; *c.left == 0 {
		return errBroken
	}
	return nil
}

func (c crashing) UpdateSeries(ctx context.Context, s campaign.Series) error {
	if err := c.count(); err != nil {
		return err
	}
	if err := c.Store.UpdateSeries(ctx, s); err != nil {
		return err
	}
	return c.count()
}

func (c crashing) AddRun(ctx context.Context, ws string, r campaign.Run) error {
	if err := c.count(); err != nil {
		return err
	}
	if err := c.Store.AddRun(ctx, ws, r); err != nil {
		return err
	}
	return c.count()
}

func (c crashing) Create(ctx context.Context, x campaign.Campaign) error {
	if err := c.count(); err != nil {
		return err
	}
	if err := c.Store.Create(ctx, x); err != nil {
		return err
	}
	return c.count()
}

func (c crashing) SeeItems(ctx context.Context, ws, series string, keys []string, at time.Time) error {
	if err := c.count(); err != nil {
		return err
	}
	if err := c.Store.SeeItems(ctx, ws, series, keys, at); err != nil {
		return err
	}
	return c.count()
}

// Whatever the clock does, whenever the process dies and whenever news come: no time runs twice, no item is shown twice, nothing that was published
// while the series ran is left out, and nobody gets two mails of one run.
func TestRunsAndItemsComeOnceWhereverTheProcessDies(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, p := newWorld(t), &paper{}
		left := 0
		w.recurring("America/New_York", p, crashing{sqlstore.NewCampaign(w.db), &left})
		w.sets["seg_1"] = people(1, 2)
		x := w.series(daily("10:00"), &campaign.Feed{URL: "https://paper.example/rss", Max: 50})
		now, n := start, 0
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			for range rapid.IntRange(0, 3).Draw(rt, "published") {
				n++
				p.publish(fmt.Sprint("k", n), now.Add(time.Second))
			}
			now = now.Add(time.Duration(rapid.IntRange(1, 50).Draw(rt, "hours")) * time.Hour)
			w.clock.Set(now)
			left = rapid.IntRange(0, 10).Draw(rt, "dies after") // 0: lives
			_, _ = w.svc.Tick(context.Background())
			left = 0
		}
		now = now.Add(72 * time.Hour) // back-off and the next time are over
		for range 3 {
			w.upTo(now)
			now = now.Add(24 * time.Hour)
		}
		shown, planned := map[string]int{}, map[time.Time]bool{}
		campaigns := 0
		for _, r := range w.runs(x.ID) {
			if planned[r.Planned] {
				rt.Fatalf("%s ran twice", r.Planned)
			}
			planned[r.Planned] = true
			for _, k := range r.Items {
				shown[k]++
			}
			if r.Campaign != "" {
				campaigns++
				if c := w.campaign(r.Campaign); c.Status != campaign.Sent || c.Progress.Queued != 2 {
					rt.Fatalf("%+v", c)
				}
			}
		}
		for i := range n {
			if k := fmt.Sprint("k", i+1); shown[k] != 1 {
				rt.Fatalf("%s was shown %d times; runs %+v", k, shown[k], w.runs(x.ID))
			}
		}
		list, err := w.svc.List(t.Context(), ws, campaign.Filter{}, page.Request{Limit: page.MaxLimit})
		if err != nil || len(list.Items) != campaigns {
			rt.Fatalf("%d campaigns for %d runs (%v)", len(list.Items), campaigns, err)
		}
	})
}

func TestWhatNeverRanBecomesADraftAgain(t *testing.T) {
	w := newWorld(t)
	w.recurring("UTC", nil, sqlstore.NewCampaign(w.db))
	w.sets["seg_1"] = people(1, 2)
	x := w.series(daily("10:00"), nil)
	got, err := w.svc.PauseSeries(t.Context(), ws, x.ID, true)
	if err != nil || got.Status != campaign.SeriesDraft || !got.NextAt.IsZero() || got.RequestedBy != "" {
		t.Fatalf("%v %+v", err, got)
	}
	if _, err := w.svc.ActivateSeries(t.Context(), ws, x.ID, "stf_1"); err != nil {
		t.Fatal(err)
	}
	w.upTo(start.Add(time.Hour))
	if got, err := w.svc.PauseSeries(t.Context(), ws, x.ID, true); err != nil || got.Status != campaign.SeriesPaused {
		t.Fatalf("after a run: %v %+v", err, got)
	}
}

func TestASeriesThatRunsGoesOnThoughATraitWent(t *testing.T) {
	w := newWorld(t)
	w.recurring("UTC", nil, sqlstore.NewCampaign(w.db))
	w.sets["seg_1"] = people(1, 3)
	x := w.series(daily("10:00"), nil)
	w.checks["variables of tpl_1"] = errs.Conflict("template.unfilled", "%s %s %d %d", "Letter", "person.plan", 2, 5)
	w.upTo(start.Add(time.Hour))
	if runs := w.runs(x.ID); len(runs) != 1 || runs[0].State != campaign.RunSent {
		t.Errorf("%+v", runs)
	}
	if _, err := w.svc.PauseSeries(t.Context(), ws, x.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.ActivateSeries(t.Context(), ws, x.ID, "stf_1"); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("begun anew: %v", err)
	}
}
