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

// Before reasons were codes they were sentences; a path that was walked then is still told.
func TestSentencesOfOldStepsAreReadAsTheyWere(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		clearTables(t, db, "journey_step")
		if _, err := db.Exec(t.Context(), `INSERT INTO journey_step (workspace_id, journey_id, version, instance_id, person_id, seq, node, kind, arrived_at, left_at, output, why, reason, message_id, refused)
			VALUES ('ws_1', 'jrn_1', 1, 'ins_old', 'per_1', 1, 'w', 'wait', 0, 1, 'next', '', 'waited 3 days', '', '')`); err != nil {
			t.Fatal(err)
		}
		steps, err := sqlstore.NewJourney(db).Steps(t.Context(), "ws_1", "ins_old")
		if err != nil || len(steps) != 1 || steps[0].Reason.Code != "said" || steps[0].Reason.Data["text"] != "waited 3 days" {
			t.Fatalf("got %+v, %v", steps, err)
		}
	})
}
