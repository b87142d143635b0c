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

func TestBacklogCountsWhatDoesNotGoOn(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		clearTables(t, db, "job", "journey_instance", "hook_delivery", "privacy_request")
		s := sqlstore.NewBacklog(db)
		want := []sqlstore.Trouble{{What: "jobs_stuck"}, {What: "jobs_failed"}, {What: "journey_steps"}, {What: "webhooks"}, {What: "erasures"}}
		check := func() {
			t.Helper()
			got, err := s.Troubles(t.Context(), noon, 10*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		}
		check()
		ago := func(d time.Duration) int64 { return noon.Add(-d).UnixMicro() }
		for id, j := range map[string][5]any{ // state, updated_at, ended_at, not_before, lease_until
			"stuck":   {"running", ago(time.Hour), 0, 0, ago(time.Minute)},
			"working": {"running", ago(time.Hour), 0, 0, ago(-time.Minute)},
			"fresh":   {"queued", ago(time.Minute), 0, 0, 0},
			"later":   {"queued", ago(time.Hour), 0, ago(-time.Minute), 0},
			"failed":  {"failed", ago(2 * time.Hour), ago(2 * time.Hour), 0, 0},
			"long":    {"failed", ago(48 * time.Hour), ago(48 * time.Hour), 0, 0},
			"done":    {"done", ago(2 * time.Hour), ago(2 * time.Hour), 0, 0},
		} {
			if _, err := db.Exec(t.Context(), `INSERT INTO job (id, workspace_id, kind, job_key, title, actor, actor_name, params, state, done, total, figures, mark, files, code, error, attempts, cancelled,
				created_at, started_at, updated_at, ended_at, not_before, lease, lease_until) VALUES ($1, 'ws_a', 'k', $1, '', '', '', '{}', $2, 0, 0, '{}', '', '[]', '', '', 0, '', 0, 0, $3, $4, $5, '', $6)`,
				id, j[0], j[1], j[2], j[3], j[4]); err != nil {
				t.Fatal(err)
			}
		}
		want[0].N, want[0].Oldest = 1, noon.Add(-time.Hour)
		want[1].N, want[1].Oldest = 1, noon.Add(-2*time.Hour)
		check()
	})
}
