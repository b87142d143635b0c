package sqlstore

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Queue is what one queue of the product holds, over all workspaces: the one view that is not a workspace's own, for whoever
// operates the installation. It names nobody.
type Queue struct {
	Name   string
	Due    int64     // what should be under way by now
	Oldest time.Time // when the oldest of it fell due, zero if nothing is due
}

// Backlog looks into the queues of an installation.
type Backlog struct{ db *sqldb.DB }

// NewBacklog returns the view.
func NewBacklog(db *sqldb.DB) *Backlog { return &Backlog{db} }

// backlog counts what is due. People in journeys that are paused wait for staff, and are not counted.
const backlog = `
	SELECT 'messages', COUNT(*), COALESCE(MIN(due_at), 0) FROM message WHERE state = 'queued' AND due_at <= $1
	UNION ALL SELECT 'journey_steps', COUNT(*), COALESCE(MIN(i.due_at), 0) FROM journey j JOIN journey_instance i ON i.journey_id = j.id
		WHERE j.status IN ('live', 'stopped') AND i.status = 'active' AND i.due_at <= $1
	UNION ALL SELECT 'journey_entries', COUNT(*), COALESCE(MIN(e.due_at), 0) FROM journey j JOIN journey_entry e ON e.workspace_id = j.workspace_id AND e.journey_id = j.id
		WHERE j.status = 'live' AND e.due_at <= $1
	UNION ALL SELECT 'journey_errands', COUNT(*), COALESCE(MIN(due_at), 0) FROM journey_errand WHERE status = 'waiting' AND due_at <= $1
	UNION ALL SELECT 'webhooks', COUNT(*), COALESCE(MIN(due_at), 0) FROM hook_delivery WHERE state = 'waiting' AND due_at <= $1
	UNION ALL SELECT 'internal_events', COUNT(*), 0 FROM pending_event`

// Queues returns every queue, also those that are empty.
func (s *Backlog) Queues(ctx context.Context, now time.Time) ([]Queue, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (q Queue, err error) {
		var oldest int64
		if err := r.Scan(&q.Name, &q.Due, &oldest); err != nil {
			return q, err
		}
		if oldest > 0 {
			q.Oldest = time.UnixMicro(oldest).UTC()
		}
		return q, nil
	}, backlog, now)
}

// Trouble is something that does not go on by itself, over all workspaces. It names nobody.
type Trouble struct {
	What   string // jobs_stuck, jobs_failed, journey_steps, webhooks, erasures
	N      int64
	Oldest time.Time
}

// troubles counts what has stopped: $1 is now, $2 a moment before which nothing that runs may have said anything last, $3 since when failures count.
const troubles = `
	SELECT 'jobs_stuck', COUNT(*), COALESCE(MIN(updated_at), 0) FROM job WHERE ended_at = 0 AND not_before <= $1 AND lease_until < $1 AND updated_at < $2
	UNION ALL SELECT 'jobs_failed', COUNT(*), COALESCE(MIN(ended_at), 0) FROM job WHERE state = 'failed' AND ended_at >= $3
	UNION ALL SELECT 'journey_steps', COUNT(*), COALESCE(MIN(due_at), 0) FROM journey_instance WHERE status = 'parked'
	UNION ALL SELECT 'webhooks', COUNT(*), COALESCE(MIN(due_at), 0) FROM hook_delivery WHERE state = 'parked'
	UNION ALL SELECT 'erasures', COUNT(*), COALESCE(MIN(created_at), 0) FROM privacy_request WHERE state <> 'done' AND error <> ''`

// Troubles returns every kind, also those of which there are none. A job is stuck if nobody works on it though its time has come more than idle ago;
// failures count for a day.
func (s *Backlog) Troubles(ctx context.Context, now time.Time, idle time.Duration) ([]Trouble, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (t Trouble, err error) {
		var oldest int64
		if err := r.Scan(&t.What, &t.N, &oldest); err != nil {
			return t, err
		}
		if oldest > 0 {
			t.Oldest = time.UnixMicro(oldest).UTC()
		}
		return t, nil
	}, troubles, now, now.Add(-idle), now.Add(-24*time.Hour))
}
