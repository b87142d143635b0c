package sqlstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestWhatSendsTemplatesIsToldOfAllOfThemAtOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		clearTables(t, db, "template", "template_version", "campaign", "campaign_series")
		ctx, now := t.Context(), clock.NewFixed(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
		store, campaigns := sqlstore.NewContent(db), sqlstore.NewCampaign(db)
		contents := content.New(content.Config{Store: store, Tx: db, Clock: now})
		made := func(ws string) string {
			t.Helper()
			x, err := contents.Create(ctx, ws, content.Draft{Name: "Letter", Subject: "Hello", HTML: "<p>Hello</p>"})
			if err != nil {
				t.Fatal(err)
			}
			return x.ID
		}
		plain, tested, unused, elsewhere := made("ws_1"), made("ws_1"), made("ws_1"), made("ws_2")
		for n, c := range []campaign.Campaign{
			{ID: "cmp_1", Workspace: "ws_1", Status: campaign.Draft, Template: plain},
			{ID: "cmp_2", Workspace: "ws_1", Status: campaign.Scheduled, Template: plain, Plan: campaign.Plan{Test: &campaign.Test{Variants: []string{tested, plain}}}},
			{ID: "cmp_3", Workspace: "ws_1", Status: campaign.Sent, Template: unused},
			{ID: "cmp_4", Workspace: "ws_2", Status: campaign.Draft, Template: elsewhere},
			{ID: "cmp_5", Workspace: "ws_2", Status: campaign.Draft, Template: plain},
		} {
			c.Name, c.Rev, c.CreatedAt = "c", 1, now.Now()
			c.UpdatedAt = now.Now().Add(time.Duration(n) * time.Minute)
			if err := campaigns.Create(ctx, c); err != nil {
				t.Fatal(err)
			}
		}
		if err := campaigns.CreateSeries(ctx, campaign.Series{ID: "srs_1", Workspace: "ws_1", Name: "s", Status: campaign.SeriesLive, Template: tested, Rev: 1, CreatedAt: now.Now(), UpdatedAt: now.Now()}); err != nil {
			t.Fatal(err)
		}
		found, err := store.TemplateUsers(ctx, "ws_1", []string{plain, tested, unused, elsewhere, "tpl_none"})
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string][]string{plain: {"cmp_2", "cmp_1"}, tested: {"cmp_2", "srs_1"}, unused: nil, elsewhere: nil} {
			var got []string
			for _, u := range found[id] {
				got = append(got, u.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("of %s: %v, want %v", id, got, want)
			}
		}
		if none, err := store.TemplateUsers(ctx, "ws_1", nil); err != nil || len(none) != 0 {
			t.Errorf("of no template: %v, %v", none, err)
		}
	})
}
