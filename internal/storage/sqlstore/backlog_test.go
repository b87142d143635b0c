package sqlstore_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestBacklogCountsWhatIsDue(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := sqlstore.NewBacklog(db)
		want := []sqlstore.Queue{
			{Name: "messages"}, {Name: "journey_steps"}, {Name: "journey_entries"}, {Name: "journey_errands"}, {Name: "webhooks"}, {Name: "internal_events"},
		}
		check := func(now time.Time) {
			t.Helper()
			got, err := s.Queues(t.Context(), now)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		}
		check(noon)

		if err := sqlstore.NewPendingEvent(db).Emit(t.Context(), internalEvent("m1"), internalEvent("m2")); err != nil {
			t.Fatal(err)
		}
		for id, due := range map[string]time.Time{"a": noon.Add(-time.Hour), "b": noon, "c": noon.Add(time.Second)} {
			if _, err := db.Exec(t.Context(), `INSERT INTO journey_errand (id, workspace_id, journey_id, version, instance_id, person_id, node, want, status, tries, due_at,
				lease_owner, lease_until, answer, excerpt, created_at, ended_at) VALUES ($1, 'ws_a', 'jrn_1', 1, 'i', 'p', 'n', '{}', 'waiting', 0, $2, '', 0, '', '', 0, 0)`, id, due); err != nil {
				t.Fatal(err)
			}
		}
		want[3].Due, want[3].Oldest = 2, noon.Add(-time.Hour)
		want[5].Due = 2
		check(noon)
	})
}
