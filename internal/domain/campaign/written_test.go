package campaign_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestATimeThatHasPassedSendsToNobody(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 3)
	passed := func(what string, err error, field string) {
		t.Helper()
		var e *errs.Error
		if !errors.As(err, &e) || e.Code != "campaign.time_passed" || e.Field != field {
			t.Errorf("%s: %v, want campaign.time_passed of %s", what, err, field)
		}
	}
	c := w.draft("seg_1")
	c.ScheduledAt = start.Add(-6 * time.Minute)
	_, err := w.svc.Edit(t.Context(), ws, c.ID, c)
	passed("written", err, "scheduled_at")
	_, err = w.svc.Create(t.Context(), ws, c)
	passed("made", err, "scheduled_at")
	c.ScheduledAt, c.Plan.Local = time.Time{}, civil(t, start.Add(-13*time.Hour).Format("2006-01-02T15:04"))
	_, err = w.svc.Edit(t.Context(), ws, c.ID, c)
	passed("everywhere", err, "plan.local")
	c.Plan.Local = civil(t, start.Add(-11*time.Hour).Format("2006-01-02T15:04"))
	c, err = w.svc.Edit(t.Context(), ws, c.ID, c)
	want(t, "still to come for some", err, error(nil))

	c.Plan.Local, c.ScheduledAt = campaign.Civil{}, start.Add(-4*time.Minute)
	c, err = w.svc.Edit(t.Context(), ws, c.ID, c)
	want(t, "just now", err, error(nil))
	w.clock.Advance(2 * time.Minute) // the draft lies until its time has passed
	c.Name = "Late"
	c, err = w.svc.Edit(t.Context(), ws, c.ID, c)
	want(t, "can be worked on", err, error(nil))
	passed("checked", w.svc.Check(t.Context(), ws, c.ID), "scheduled_at")
	_, err = w.svc.Launch(t.Context(), ws, c.ID, "stf_1")
	passed("launched", err, "scheduled_at")
	w.settle()
	want(t, "messages", w.states(), map[string]int{})
	c.ScheduledAt = time.Time{}
	if _, err = w.svc.Edit(t.Context(), ws, c.ID, c); err != nil {
		t.Fatal(err)
	}
	w.launch(c.ID)
	w.settle()
	want(t, "sent at once", w.states(), map[string]int{"queued": 3})
}

func TestNamesAreCountedInCharacters(t *testing.T) {
	w := newWorld(t)
	if _, err := w.svc.Create(t.Context(), ws, campaign.Campaign{Name: strings.Repeat("春", 200), Goal: outbox.DefaultGoal}); err != nil {
		t.Error(err)
	}
	if _, err := w.svc.Create(t.Context(), ws, campaign.Campaign{Name: strings.Repeat("春", 201), Goal: outbox.DefaultGoal}); err == nil {
		t.Error("a name of 201 characters was taken")
	}
}
