package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/campaign/campaigntest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestCampaignStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		campaigntest.Run(t, func(t *testing.T) campaign.Store {
			clearTables(t, db, "campaign_series", "campaign_run", "campaign_item", "campaign", "campaign_wave", "campaign_wave_people")
			return sqlstore.NewCampaign(db)
		})
	})
}
