package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// A series makes a campaign each day: the many that are over must not push out of sight the one that is not.
func TestWhatNeedsASegmentIsToldBeforeWhatDoesNot(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		clearTables(t, db, "campaign")
		ctx, now := t.Context(), time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		campaigns := sqlstore.NewCampaign(db)
		for n := range 202 {
			c := campaign.Campaign{ID: fmt.Sprintf("cmp_%03d", n), Workspace: "ws_1", Name: "c", Status: campaign.Sent, Audience: campaign.Audience{Include: []string{"seg_1"}}, Rev: 1, CreatedAt: now, UpdatedAt: now.Add(time.Duration(n) * time.Minute)}
			if n < 2 {
				c.Status = campaign.Draft
			}
			if n == 1 {
				c.ArchivedAt = now
			}
			if err := campaigns.Create(ctx, c); err != nil {
				t.Fatal(err)
			}
		}
		found, err := sqlstore.NewSegment(db).SetUsers(ctx, "ws_1", "seg_1")
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 200 || found[0].ID != "cmp_000" || !found[0].Needs || found[1].Needs || found[1].ID != "cmp_201" {
			t.Errorf("%d users, first %+v, then %+v", len(found), found[0], found[1])
		}
	})
}
