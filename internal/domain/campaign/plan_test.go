package campaign_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (w *world) planned(p campaign.Plan, include ...string) campaign.Campaign {
	w.t.Helper()
	c, err := w.svc.Create(w.t.Context(), ws, campaign.Campaign{Name: "Spring", Audience: campaign.Audience{Include: include}, Topic: "tpc_1", Template: "tpl_1", Goal: outbox.DefaultGoal, Plan: p})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func civil(t testing.TB, text string) campaign.Civil {
	t.Helper()
	c, err := campaign.ParseCivil(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// until moves the clock on and lets everything due be done and sent.
func (w *world) until(at time.Time) {
	w.t.Helper()
	w.clock.Advance(at.Sub(w.clock.Now()))
	w.settle()
	w.sendAll()
	w.settle()
}

func TestALocalTimeReachesEachPersonWhereTheyLive(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 4)
	w.habits[1], w.habits[2], w.habits[3] = campaign.Habit{Zone: zone(t, "Asia/Tokyo")}, campaign.Habit{Zone: zone(t, "America/New_York")}, campaign.Habit{Zone: zone(t, "Pacific/Kiritimati")}
	c := w.planned(campaign.Plan{Local: civil(t, "2026-03-08T09:00")}, "seg_1")
	w.launch(c.ID)
	at := func(text string) time.Time {
		out, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want(t, "the audience is fixed when the first clock shows it", w.campaign(c.ID).ScheduledAt, at("2026-03-07T19:00:00Z"))
	for _, step := range []struct {
		at   string
		sent int
	}{
		{"2026-03-07T18:59:59Z", 0},
		{"2026-03-07T19:00:00Z", 1}, // Kiribati
		{"2026-03-07T23:59:59Z", 1},
		{"2026-03-08T00:00:00Z", 2}, // Tokyo
		{"2026-03-08T09:00:00Z", 3}, // zone unknown
		{"2026-03-08T12:59:59Z", 3},
		{"2026-03-08T13:00:00Z", 4}, // New York, where clocks went forward that night
	} {
		w.until(at(step.at))
		want(t, "sent by "+step.at, w.states()["sent"], step.sent)
	}
	want(t, "status", w.campaign(c.ID).Status, campaign.Sent)
}

func TestALocalTimeCanBeMovedWhileItIsScheduled(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 1)
	w.habits[1] = campaign.Habit{Zone: time.UTC}
	c := w.planned(campaign.Plan{Local: civil(t, "2026-03-08T09:00")}, "seg_1")
	w.launch(c.ID)
	c.Plan.Local, c.Rev, c.ScheduledAt = civil(t, "2026-03-09T09:00"), 0, time.Time{} // as the page sends it
	got, err := w.svc.Edit(t.Context(), ws, c.ID, c)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "moved", []any{got.Status, got.ScheduledAt}, []any{campaign.Scheduled, time.Date(2026, 3, 8, 19, 0, 0, 0, time.UTC)})
	w.until(time.Date(2026, 3, 8, 18, 59, 0, 0, time.UTC))
	want(t, "the audience is not fixed before", w.campaign(c.ID).Status, campaign.Scheduled)
	w.until(time.Date(2026, 3, 9, 9, 0, 0, 0, time.UTC))
	want(t, "sent", w.states(), map[string]int{"sent": 1})
}

func TestPreflightAsksAboutTheTimeOfSending(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 3)
	c := w.draft("seg_1")
	c.ScheduledAt = start.Add(5 * time.Hour)
	if _, err := w.svc.Edit(t.Context(), ws, c.ID, c); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Preflight(t.Context(), ws, c.ID); err != nil {
		t.Fatal(err)
	}
	want(t, "asked about", w.askedAt, c.ScheduledAt)
}

func TestBestHourIsOnesOwnOrElseEverybodys(t *testing.T) {
	w := newWorld(t) // it is 9:00 in London
	w.sets["seg_1"] = people(1, 4)
	hours := func(at map[int]int) (out [24]int) {
		for h, n := range at {
			out[h] = n
		}
		return out
	}
	utc := time.UTC
	w.habits[1] = campaign.Habit{Zone: utc, Hours: hours(map[int]int{20: 30})}
	w.habits[2] = campaign.Habit{Zone: utc, Hours: hours(map[int]int{7: 40})}                  // tomorrow
	w.habits[3] = campaign.Habit{Zone: utc, Hours: hours(map[int]int{3: 1})}                   // too little to count: everybody's
	w.habits[4] = campaign.Habit{Zone: zone(t, "Asia/Tokyo"), Hours: hours(map[int]int{7: 0})} // everybody's hour, there
	c := w.planned(campaign.Plan{BestHour: true}, "seg_1")
	w.launch(c.ID)
	for _, step := range []struct{ hours, sent int }{{0, 0}, {10, 0}, {11, 1}, {13, 2}, {21, 2}, {22, 4}} {
		w.until(start.Add(time.Duration(step.hours) * time.Hour))
		want(t, fmt.Sprintf("sent after %d hours", step.hours), w.states()["sent"], step.sent)
	}
	want(t, "status", w.campaign(c.ID).Status, campaign.Sent)
}

func TestNobodyIsMissedOrWrittenToTwiceWhateverTheirZones(t *testing.T) {
	zones := []string{"UTC", "Asia/Tokyo", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "Europe/London", "America/Sao_Paulo"}
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t)
		n := rapid.Uint64Range(1, 60).Draw(r, "people")
		w.sets["seg_1"] = people(1, n)
		for i := uint64(1); i <= n; i++ {
			w.habits[i] = campaign.Habit{Zone: zone(t, rapid.SampledFrom(zones).Draw(r, "zone"))}
		}
		day := rapid.IntRange(0, 300).Draw(r, "day")
		at := start.AddDate(0, 0, day).Add(time.Duration(rapid.IntRange(0, 1439).Draw(r, "minute")) * time.Minute)
		c := w.planned(campaign.Plan{Local: civil(t, at.Format("2006-01-02T15:04")), PerMinute: rapid.SampledFrom([]int{0, 10, 1000}).Draw(r, "rate")}, "seg_1")
		w.launch(c.ID)
		for i := range 400 {
			if w.campaign(c.ID).Status == campaign.Sent {
				break
			}
			if i%7 == 3 {
				_, _ = w.svc.Pause(t.Context(), ws, c.ID)
				w.clock.Advance(time.Hour)
				w.settle()
				_, _ = w.svc.Resume(t.Context(), ws, c.ID)
			}
			next := w.campaign(c.ID).RetryAt
			if s := w.campaign(c.ID).ScheduledAt; next.IsZero() {
				next = s
			}
			w.until(maxTime(next, w.clock.Now().Add(time.Second)))
		}
		if got := w.campaign(c.ID); got.Status != campaign.Sent || w.states()["sent"] != int(n) {
			r.Fatalf("%d of %d sent, %s", w.states()["sent"], n, got.Status)
		}
	})
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func TestAThrottledCampaignKeepsToItsRate(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 100)
	c := w.planned(campaign.Plan{PerMinute: 30}, "seg_1")
	w.launch(c.ID)
	for minute := range 5 {
		for range 60 {
			w.settle()
			w.sendAll()
			w.clock.Advance(time.Second)
		}
		want(t, fmt.Sprintf("sent after %d minutes", minute+1), w.states()["sent"], min(100, (minute+1)*30))
	}
	w.settle()
	want(t, "status", w.campaign(c.ID).Status, campaign.Sent)
}

// variants returns how many messages each template went out with.
func (w *world) variants() map[string]int {
	w.t.Helper()
	all, err := sqldb.Collect(w.t.Context(), w.db, sqldb.Value[string], `SELECT template FROM test_message`)
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]int{}
	for _, s := range all {
		out[s]++
	}
	return out
}

func TestTheBetterVariantGoesToTheRestOnceItsHoursAreOver(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 1000)
	c := w.planned(campaign.Plan{Test: &campaign.Test{Variants: []string{"tpl_2"}, Share: 20, Metric: "clicked", Hours: 4}}, "seg_1")
	w.launch(c.ID)
	w.settle()
	want(t, "the test alone", w.variants(), map[string]int{"tpl_1": 100, "tpl_2": 100})
	w.clock.Advance(10 * time.Hour)
	w.settle()
	want(t, "the hours begin when the test has left", w.variants(), map[string]int{"tpl_1": 100, "tpl_2": 100})
	w.sendAll()
	w.settle()
	w.counts = map[string]outbox.Counts{"A": {Delivered: 100, Clicked: 20}, "B": {Delivered: 99, Clicked: 5}}
	w.clock.Advance(4*time.Hour - time.Second)
	w.settle()
	want(t, "not decided early, however clear it looks", w.campaign(c.ID).Result, (*campaign.Result)(nil))
	w.counts = map[string]outbox.Counts{"A": {Delivered: 100, Clicked: 20}, "B": {Delivered: 99, Clicked: 45}}
	w.clock.Advance(time.Second)
	w.settle()
	w.sendAll()
	w.settle()
	c = w.campaign(c.ID)
	want(t, "in the end", w.variants(), map[string]int{"tpl_1": 100, "tpl_2": 900})
	want(t, "status", c.Status, campaign.Sent)
	if r := c.Result; r == nil || r.Winner != "B" || !r.Certain || r.Chance > 0.001 || r.Arms[1].Hits != 45 || r.Arms[1].People != 99 {
		t.Errorf("result %+v", c.Result)
	}
	again, err := w.svc.Resend(t.Context(), ws, c.ID, "Not opened", campaign.Audience{Include: []string{"seg_2"}})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "sent again is what won", []any{again.Template, again.Plan.Test, again.Audience.Include, again.Status}, []any{"tpl_2", (*campaign.Test)(nil), []string{"seg_2"}, campaign.Draft})
	want(t, "the first keeps its test", w.campaign(c.ID).Plan.Test.Variants, []string{"tpl_2"})
}

func TestTheVariantsOfAThrottledTestGoOutSideBySide(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 400)
	c := w.planned(campaign.Plan{PerMinute: 60, Test: &campaign.Test{Variants: []string{"tpl_2"}, Share: 50, Metric: "clicked", Hours: 4}}, "seg_1")
	w.launch(c.ID)
	w.settle()
	for range 9 {
		w.clock.Advance(10 * time.Second)
		w.settle()
		if v := w.variants(); v["tpl_1"]-v["tpl_2"] > 10 || v["tpl_2"] > v["tpl_1"] {
			t.Fatalf("one variant is ahead: %v", v)
		}
	}
	want(t, "after a minute and a half", w.variants(), map[string]int{"tpl_1": 50, "tpl_2": 50})
}

func TestALeadByChanceIsCalledUncertain(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 300)
	c := w.planned(campaign.Plan{Test: &campaign.Test{Variants: []string{"tpl_2", "tpl_3"}, Share: 50, Metric: "opened", Hours: 1}}, "seg_1")
	p, err := w.svc.Preflight(t.Context(), ws, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Arms) != 3 || p.Arms[0].People != 50 || p.Arms[0].Detectable < 0.24 || p.Arms[0].Detectable > 0.25 || p.Warnings[0].Code != "test_too_small" {
		t.Errorf("told beforehand: %+v", p)
	}
	w.launch(c.ID)
	w.settle()
	w.sendAll()
	w.settle()
	w.counts = map[string]outbox.Counts{"A": {Delivered: 50, Opened: 12}, "B": {Delivered: 50, Opened: 13}, "C": {Delivered: 50, Opened: 11}}
	w.clock.Advance(time.Hour)
	w.settle()
	if r := w.campaign(c.ID).Result; r == nil || r.Winner != "B" || r.Certain || r.Chance != 1 {
		t.Errorf("result %+v", r)
	}
	want(t, "the leader goes out", w.variants(), map[string]int{"tpl_1": 50, "tpl_2": 200, "tpl_3": 50})
}

func TestPlansThatCannotBeAreNamed(t *testing.T) {
	w := newWorld(t)
	test := func(change func(*campaign.Test)) campaign.Plan {
		out := campaign.Test{Variants: []string{"tpl_2"}, Share: 20, Metric: "clicked", Hours: 4}
		change(&out)
		return campaign.Plan{Test: &out}
	}
	none := func(*campaign.Test) {}
	late := test(none)
	late.BestHour = true
	for field, p := range map[string]campaign.Plan{
		"plan.per_minute":       {PerMinute: -1},
		"plan.holdout":          {Holdout: 60},
		"plan.best_hour":        {BestHour: true, Local: civil(t, "2026-03-08T09:00")},
		"plan.test":             late,
		"plan.test.variants":    test(func(x *campaign.Test) { x.Variants = nil }),
		"plan.test.variants[0]": test(func(x *campaign.Test) { x.Variants = []string{"tpl_1"} }),
		"plan.test.share":       test(func(x *campaign.Test) { x.Share = 101 }),
		"plan.test.metric":      test(func(x *campaign.Test) { x.Metric = "luck" }),
		"plan.test.hours":       test(func(x *campaign.Test) { x.Hours = 0 }),
	} {
		_, err := w.svc.Create(t.Context(), ws, campaign.Campaign{Name: "x", Template: "tpl_1", Plan: p})
		if all := errs.All(err); len(all) != 1 || all[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := campaign.ParseCivil("2026-12-24T09:00Z"); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("a local time with a zone: %v", err)
	}
	w.checks["tpl_2"] = errs.NotFound("template", "tpl_2")
	if all := errs.All(w.svc.Check(t.Context(), ws, w.planned(test(none), "seg_1").ID)); len(all) != 1 || all[0].Field != "plan.test.variants[0]" {
		t.Errorf("a variant that does not exist: %v", all)
	}
}

func TestASecondPersonApproves(t *testing.T) {
	w := newWorld(t)
	w.review = true
	w.sets["seg_1"] = people(1, 3)
	c := w.draft("seg_1")
	want(t, "asked", w.launch(c.ID).Status, campaign.Review)
	w.settle()
	want(t, "nothing goes out before", w.states(), map[string]int{})
	if _, err := w.svc.Approve(t.Context(), ws, c.ID, "stf_1"); !errs.Is(err, errs.KindForbidden) {
		t.Errorf("approved by the one who asked: %v", err)
	}
	if _, err := w.svc.Edit(t.Context(), ws, c.ID, c); !errs.Is(err, errs.KindConflict) {
		t.Errorf("changed while it is read: %v", err)
	}
	if _, err := w.svc.Withdraw(t.Context(), ws, c.ID); err != nil {
		t.Fatal(err)
	}
	c = w.campaign(c.ID)
	c.ScheduledAt = start.Add(time.Hour)
	if _, err := w.svc.Edit(t.Context(), ws, c.ID, c); err != nil {
		t.Fatal(err)
	}
	w.launch(c.ID)
	for range 2 { // approving twice approves once
		got, err := w.svc.Approve(t.Context(), ws, c.ID, "stf_2")
		if err != nil {
			t.Fatal(err)
		}
		want(t, "approved", []any{got.Status, got.RequestedBy, got.ApprovedBy}, []any{campaign.Scheduled, "stf_1", "stf_2"})
	}
	c = w.campaign(c.ID)
	c.Template = "tpl_9"
	got, err := w.svc.Edit(t.Context(), ws, c.ID, c)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "a change after approval needs a new one", []any{got.Status, got.ApprovedBy}, []any{campaign.Draft, ""})
	w.clock.Advance(2 * time.Hour)
	w.settle()
	want(t, "and does not go out", w.states(), map[string]int{})
}

func TestWhatWasApprovedGoesOutWhateverIsSavedLater(t *testing.T) {
	w := newWorld(t)
	w.review = true
	w.sets["seg_1"], w.versions["tpl_1"] = people(1, 3), 4
	c := w.planned(campaign.Plan{Priority: outbox.High}, "seg_1")
	w.launch(c.ID)
	if _, err := w.svc.Approve(t.Context(), ws, c.ID, "stf_2"); err != nil {
		t.Fatal(err)
	}
	w.versions["tpl_1"] = 5
	w.settle()
	want(t, "sent", w.states(), map[string]int{"queued": 3})
	want(t, "version", w.sentVersion["tpl_1"], 4)
	got := w.campaign(c.ID).Plan
	want(t, "plan", []any{got.Approved, got.Priority}, []any{map[string]int{"tpl_1": 4}, outbox.High})
}

func TestACopyIsADraftWithoutTheOriginalsTime(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 3)
	c := w.planned(campaign.Plan{PerMinute: 60}, "seg_1")
	w.launch(c.ID)
	w.settle()
	got, err := w.svc.Copy(t.Context(), ws, c.ID, "Again", campaign.Audience{Include: []string{"seg_2"}})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "copy", []any{got.Name, got.Status, got.Audience.Include, got.Plan.PerMinute, got.Progress.Handled}, []any{"Again", campaign.Draft, []string{"seg_2"}, 60, int64(0)})
	got, err = w.svc.Copy(t.Context(), ws, c.ID, "Again", campaign.Audience{})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "same audience", got.Audience.Include, []string{"seg_1"})
}
