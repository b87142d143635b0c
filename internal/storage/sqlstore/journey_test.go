package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/journeytest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestJourneyStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		journeytest.Run(t, func(t *testing.T) journey.Store {
			clearTables(t, db, "journey", "journey_version", "journey_instance", "journey_step", "journey_count", "journey_entry", "journey_refusal", "journey_task")
			return sqlstore.NewJourney(db)
		})
	})
}
