package sqlstore_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/journeytest"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
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

func TestJourneysFindWhatWasGivenBackForTheirGoals(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		clearTables(t, db, "journey_instance", "order_refund")
		ctx := t.Context()
		journeys, messages := sqlstore.NewJourney(db), sqlstore.NewOutbox(db)
		at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		round := func(id, why string, control bool) journey.Instance {
			return journey.Instance{
				ID: id, Workspace: "ws_1", Journey: "jrn_1", Version: 1, Person: "per_" + id, EntryKey: id, Status: journey.Done, Why: why, Control: control, Entered: at, Arrived: at, Ended: at,
				GoalAt: at, Goal: &node.Reached{MessageID: "m" + id, Name: "Order Completed", Time: at, Minor: 1000, Currency: "EUR", Order: "order:" + id},
			}
		}
		if _, err := journeys.Enter(ctx, []journey.Instance{round("a", "goal", false), round("b", "end", false), round("c", "control", true), round("d", "goal", false)}); err != nil {
			t.Fatal(err)
		}
		var refunds []outbox.Refund
		for n, order := range []string{"a", "a", "b", "c", "nobody"} {
			refunds = append(refunds, outbox.Refund{Key: "order:" + order, EventID: fmt.Sprint("r", n), Minor: 300, Currency: "EUR", At: at})
		}
		if err := messages.AddRefunds(ctx, "ws_1", refunds); err != nil {
			t.Fatal(err)
		}
		if err := messages.AddRefunds(ctx, "ws_2", []outbox.Refund{{Key: "order:d", EventID: "r9", Minor: 300, Currency: "EUR", At: at}}); err != nil {
			t.Fatal(err)
		}
		got, err := journeys.Refunded(ctx, "ws_1", "jrn_1")
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, g := range got {
			said = append(said, fmt.Sprintf("%s %d late=%v control=%v", g.Instance, outbox.Refunded(g.Goal.Minor, g.Goal.Currency, g.Refunds), g.Late, g.Control))
		}
		want := []string{"a 600 late=false control=false", "b 300 late=true control=false", "c 300 late=true control=true"}
		if !slices.Equal(said, want) {
			t.Errorf("got %q, want %q", said, want)
		}
	})
}
