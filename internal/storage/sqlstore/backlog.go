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
