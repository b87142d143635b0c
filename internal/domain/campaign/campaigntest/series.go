package campaigntest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

func series(t *testing.T, s campaign.Store) {
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	same := func(what string, want, got any) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s (-want +got)\n%s", what, diff)
		}
	}
	x := campaign.Series{
		ID: "srs_1", Workspace: ws, Name: "週報", Audience: campaign.Audience{Include: []string{"seg_1"}}, Topic: "tpc_1", Template: "tpl_1", Channel: "email",
		Message:  campaign.SeriesMessage{Goal: outbox.Goal{Event: "E", Filter: []json.RawMessage{json.RawMessage(`{"path":"a","op":"exists"}`)}}, Holdout: 5, Rate: 10, Approved: map[string]int{"tpl_1": 3}},
		Schedule: campaign.Schedule{Every: campaign.EveryWeek, At: "09:00", Weekdays: []int{1}, Local: true}, Feed: &campaign.Feed{URL: "https://a.example/rss", Max: 3}, Until: epoch.AddDate(1, 0, 0),
		Status: campaign.SeriesDraft, Rev: 1, CreatedAt: epoch, UpdatedAt: epoch,
	}
	ok(s.CreateSeries(ctx, x))
	got, err := s.GetSeries(ctx, ws, "srs_1")
	ok(err)
	same("created", x, got)
	shown, err := campaign.ParseCivil("2026-03-02T09:00")
	ok(err)
	x.Status, x.RequestedBy, x.ApprovedBy, x.ActiveSince, x.NextAt, x.NextShown = campaign.SeriesLive, "a", "b", epoch, epoch.Add(time.Hour), shown
	x.RetryAt, x.Attempts, x.Error, x.Seen, x.Runs = epoch.Add(2*time.Hour), 2, "e", campaign.FeedState{ETag: `"1"`, Modified: "m", Begun: true}, 7
	ok(s.UpdateSeries(ctx, x))
	if err := s.UpdateSeries(ctx, x); !errs.Is(err, errs.KindConflict) {
		t.Errorf("a revision that has moved on: %v", err)
	}
	x.Rev = 2
	got, err = s.GetSeries(ctx, ws, "srs_1")
	ok(err)
	same("updated", x, got)
	other := x
	other.ID, other.Workspace, other.NextAt, other.RetryAt = "srs_2", "ws_2", epoch, time.Time{}
	ok(s.CreateSeries(ctx, other))
	for after, want := range map[time.Duration][]string{0: {"srs_2"}, time.Hour: {"srs_2"}, 2 * time.Hour: {"srs_2", "srs_1"}, -time.Second: nil} {
		due, err := s.DueSeries(ctx, epoch.Add(after))
		ok(err)
		var ids []string
		for _, d := range due {
			ids = append(ids, d.ID)
		}
		same("due "+after.String(), want, ids)
	}

	run := campaign.Run{Series: "srs_1", Planned: epoch, State: campaign.RunSent, Campaign: "cmp_1", Vars: map[string]any{"feed": map[string]any{"title": "T"}}, Items: []string{"k1"}, At: epoch}
	skipped := campaign.Run{Series: "srs_1", Planned: epoch.Add(time.Hour), State: campaign.RunSkipped, Reason: "empty", Detail: "d", At: epoch}
	ok(s.AddRun(ctx, ws, run))
	ok(s.AddRun(ctx, ws, skipped))
	if err := s.AddRun(ctx, ws, run); !errs.Is(err, errs.KindConflict) {
		t.Errorf("the same run again: %v", err)
	}
	runs, err := s.Runs(ctx, ws, "srs_1", page.Request{Limit: 1})
	ok(err)
	same("last run", []campaign.Run{skipped}, runs.Items)
	runs, err = s.Runs(ctx, ws, "srs_1", page.Request{Limit: 1, Cursor: runs.Next})
	ok(err)
	plain := run
	plain.Vars = nil
	same("first run", page.Of[campaign.Run]{Items: []campaign.Run{plain}}, runs)
	for id, want := range map[string]map[string]any{"cmp_1": run.Vars, "cmp_2": nil, "": nil} {
		vars, err := s.RunVars(ctx, ws, id)
		ok(err)
		same("values of "+id, want, vars)
	}
	vars, err := s.RunVars(ctx, "ws_2", "cmp_1")
	ok(err)
	same("of another workspace", map[string]any(nil), vars)

	for range 2 {
		ok(s.SeeItems(ctx, ws, "srs_1", []string{"k1", "k2"}, epoch))
	}
	seen, err := s.SeenItems(ctx, ws, "srs_1", []string{"k2", "k3"})
	ok(err)
	same("seen", map[string]bool{"k2": true}, seen)
	seen, err = s.SeenItems(ctx, "ws_2", "srs_1", []string{"k2"})
	ok(err)
	same("seen by others", map[string]bool{}, seen)

	list, err := s.ListSeries(ctx, ws, campaign.SeriesFilter{}, page.Request{})
	ok(err)
	same("list", []campaign.Series{x}, list.Items)
	if err := s.DeleteSeries(ctx, "ws_2", "srs_1"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("deleted from another workspace: %v", err)
	}
	ok(s.DeleteSeries(ctx, ws, "srs_1"))
	if _, err := s.GetSeries(ctx, ws, "srs_1"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("deleted: %v", err)
	}
	runs, err = s.Runs(ctx, ws, "srs_1", page.Request{})
	ok(err)
	same("runs of a deleted one", page.Of[campaign.Run]{}, runs)
}
