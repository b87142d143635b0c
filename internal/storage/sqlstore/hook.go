package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/hook"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Hook keeps webhooks and their deliveries.
type Hook struct{ db *sqldb.DB }

var _ hook.Store = (*Hook)(nil)

// NewHook returns the store of webhooks.
func NewHook(db *sqldb.DB) *Hook { return &Hook{db} }

const endpointColumns = `id, name, url, kinds, secret, old_secret, old_until, status, reason, failing_since, failures, rest_until, last_error, succeeded_at, created_at, updated_at`

func scanEndpoint(r sqldb.Row) (e hook.Endpoint, err error) {
	var kinds string
	err = r.Scan(&e.ID, &e.Name, &e.URL, &kinds, &e.Secret, &e.OldSecret, &e.OldUntil, (*string)(&e.Status), &e.Reason, &e.FailingSince, &e.Failures, &e.RestUntil,
		&e.LastError, &e.SucceededAt, &e.CreatedAt, &e.UpdatedAt)
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal([]byte(kinds), &e.Kinds)
}

// Put adds or replaces an endpoint.
func (s *Hook) Put(ctx context.Context, ws string, e hook.Endpoint) error {
	kinds, err := json.Marshal(e.Kinds)
	if err != nil {
		return err
	}
	old := e.OldSecret
	if old == nil {
		old = []byte{}
	}
	_, err = s.db.Exec(ctx, `INSERT INTO hook_endpoint (workspace_id, `+endpointColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (workspace_id, id) DO UPDATE SET name = excluded.name, url = excluded.url, kinds = excluded.kinds, secret = excluded.secret,
			old_secret = excluded.old_secret, old_until = excluded.old_until, status = excluded.status, reason = excluded.reason, failing_since = excluded.failing_since,
			failures = excluded.failures, rest_until = excluded.rest_until, last_error = excluded.last_error, succeeded_at = excluded.succeeded_at, updated_at = excluded.updated_at`,
		ws, e.ID, e.Name, e.URL, string(kinds), e.Secret, old, e.OldUntil, string(e.Status), e.Reason, e.FailingSince, e.Failures, e.RestUntil, e.LastError, e.SucceededAt, e.CreatedAt, e.UpdatedAt)
	return err
}

// Get returns an endpoint.
func (s *Hook) Get(ctx context.Context, ws, id string) (hook.Endpoint, error) {
	e, err := sqldb.One(ctx, s.db, scanEndpoint, `SELECT `+endpointColumns+` FROM hook_endpoint WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return e, errs.NotFound("webhook", id)
	}
	return e, err
}

// All returns the endpoints of a workspace.
func (s *Hook) All(ctx context.Context, ws string) ([]hook.Endpoint, error) {
	return sqldb.Collect(ctx, s.db, scanEndpoint, `SELECT `+endpointColumns+` FROM hook_endpoint WHERE workspace_id = $1 ORDER BY created_at, id`, ws)
}

// Delete removes an endpoint with its deliveries.
func (s *Hook) Delete(ctx context.Context, ws, id string) (found bool, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, `DELETE FROM hook_delivery WHERE workspace_id = $1 AND endpoint_id = $2`, ws, id); err != nil {
			return err
		}
		n, err := s.db.Exec(ctx, `DELETE FROM hook_endpoint WHERE workspace_id = $1 AND id = $2`, ws, id)
		found = n > 0
		return err
	})
	return found, err
}

// Ready asks the queue's index once for each endpoint, so it costs the same however long the queue is.
func (s *Hook) Ready(ctx context.Context, now time.Time, limit int) ([]hook.Ref, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o hook.Ref, err error) {
		err = r.Scan(&o.Workspace, &o.Endpoint)
		return o, err
	}, `SELECT e.workspace_id, e.id FROM hook_endpoint e WHERE e.status = 'on' AND e.rest_until <= $1
			AND EXISTS (SELECT 1 FROM hook_delivery d WHERE d.state = 'waiting' AND d.workspace_id = e.workspace_id AND d.endpoint_id = e.id AND d.due_at <= $1)
		ORDER BY e.succeeded_at, e.workspace_id, e.id LIMIT $2`, now, limit)
}

const hookDeliveryColumns = `id, endpoint_id, kind, event_id, body, state, attempts, queued_at, due_at, created_at, status, answer, error, detail, took, ended_at, trace`

func scanHookDelivery(r sqldb.Row) (d hook.Delivery, err error) {
	var took int64
	err = r.Scan(&d.ID, &d.Endpoint, &d.Kind, &d.Event, &d.Body, (*string)(&d.State), &d.Attempts, &d.QueuedAt, &d.DueAt, &d.CreatedAt, &d.Status, &d.Answer, &d.Error, &d.Detail, &took, &d.EndedAt, &d.Trace)
	d.Took = time.Duration(took) * time.Microsecond
	return d, err
}

// Add adds deliveries of events that the endpoint does not have yet.
func (s *Hook) Add(ctx context.Context, ws string, all []hook.Delivery) (int64, error) {
	rows := make([][]any, len(all))
	for i, d := range all {
		rows[i] = []any{
			ws, d.ID, d.Endpoint, d.Kind, d.Event, d.Body, string(d.State), d.Attempts, d.QueuedAt, d.DueAt, d.CreatedAt, d.Status, d.Answer, d.Error, d.Detail, d.Took.Microseconds(), d.EndedAt, d.Trace,
		}
	}
	return s.db.Bulk(ctx, `INSERT INTO hook_delivery (workspace_id, `+hookDeliveryColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT (workspace_id, endpoint_id, event_id) DO NOTHING`, rows)
}

// Claim takes due deliveries.
func (s *Hook) Claim(ctx context.Context, ws, endpoint string, now, until time.Time, limit int) ([]hook.Delivery, error) {
	claimed, err := sqldb.Collect(ctx, s.db, scanHookDelivery, `WITH due AS MATERIALIZED (
			SELECT id FROM hook_delivery WHERE state = 'waiting' AND workspace_id = $1 AND endpoint_id = $2 AND due_at <= $3
			ORDER BY due_at LIMIT $4`+s.db.SkipLocked()+`
		)
		UPDATE hook_delivery SET due_at = $5 WHERE workspace_id = $1 AND id IN (SELECT id FROM due) RETURNING `+hookDeliveryColumns, ws, endpoint, now, limit, until)
	// RETURNING has no order of its own.
	slices.SortFunc(claimed, func(a, b hook.Delivery) int { return cmp.Or(a.QueuedAt.Compare(b.QueuedAt), cmp.Compare(a.ID, b.ID)) })
	return claimed, err
}

// Finish writes what came of an attempt.
func (s *Hook) Finish(ctx context.Context, ws string, d hook.Delivery) error {
	_, err := s.db.Exec(ctx, `UPDATE hook_delivery SET state = $3, attempts = $4, due_at = $5, status = $6, answer = $7, error = $8, detail = $9, took = $10, ended_at = $11
		WHERE workspace_id = $1 AND id = $2 AND state = 'waiting'`, ws, d.ID, string(d.State), d.Attempts, d.DueAt, d.Status, d.Answer, d.Error, d.Detail, d.Took.Microseconds(), d.EndedAt)
	return err
}

// Park gives waiting deliveries up.
func (s *Hook) Park(ctx context.Context, ws, endpoint, code string, before time.Time) (int64, error) {
	return s.db.Exec(ctx, `UPDATE hook_delivery SET state = 'parked', error = CASE WHEN error = '' THEN $4 ELSE error END
		WHERE workspace_id = $1 AND endpoint_id = $2 AND state = 'waiting' AND queued_at < $3`, ws, endpoint, before, code)
}

// Requeue makes deliveries wait anew.
func (s *Hook) Requeue(ctx context.Context, ws, endpoint string, f hook.Filter, now time.Time) (int64, error) {
	from, to := hookRange(f)
	return s.db.Exec(ctx, `UPDATE hook_delivery SET state = 'waiting', attempts = 0, queued_at = $7, due_at = $7
		WHERE workspace_id = $1 AND endpoint_id = $2 AND created_at >= $3 AND created_at < $4 AND state <> 'waiting' AND ($5 = '' OR state = $5) AND ($6 = '' OR kind = $6)`,
		ws, endpoint, from, to, string(f.State), f.Kind, now)
}

// hookRange gives the ends of a filter that has none.
func hookRange(f hook.Filter) (from, to time.Time) {
	from, to = f.From, f.To
	if to.IsZero() {
		to = latestTime
	}
	return from, to
}

// RequeueOne makes one delivery wait anew.
func (s *Hook) RequeueOne(ctx context.Context, ws, endpoint, id string, now time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, `UPDATE hook_delivery SET state = 'waiting', attempts = 0, queued_at = $4, due_at = $4 WHERE workspace_id = $1 AND endpoint_id = $2 AND id = $3`, ws, endpoint, id, now)
	return n > 0, err
}

// Delivery returns one delivery.
func (s *Hook) Delivery(ctx context.Context, ws, endpoint, id string) (hook.Delivery, error) {
	d, err := sqldb.One(ctx, s.db, scanHookDelivery, `SELECT `+hookDeliveryColumns+` FROM hook_delivery WHERE workspace_id = $1 AND endpoint_id = $2 AND id = $3`, ws, endpoint, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return d, errs.NotFound("delivery", id)
	}
	return d, err
}

// Deliveries returns deliveries of an endpoint.
func (s *Hook) Deliveries(ctx context.Context, ws, endpoint string, f hook.Filter, p page.Request) (page.Of[hook.Delivery], error) {
	at, id := latestTime, ""
	if _, err := page.Decode(p.Cursor, &at, &id); err != nil {
		return page.Of[hook.Delivery]{}, err
	}
	from, to := hookRange(f)
	items, err := sqldb.Collect(ctx, s.db, scanHookDelivery, `SELECT `+hookDeliveryColumns+` FROM hook_delivery
		WHERE workspace_id = $1 AND endpoint_id = $2 AND (created_at, id) < ($3, $4) AND created_at >= $5 AND created_at < $6 AND ($7 = '' OR state = $7) AND ($8 = '' OR kind = $8)
		ORDER BY created_at DESC, id DESC LIMIT $9`, ws, endpoint, at, id, from, to, string(f.State), f.Kind, p.Size()+1)
	return page.Cut(items, p.Size(), func(d hook.Delivery) string { return page.Encode(d.CreatedAt, d.ID) }), err
}

// Counts counts deliveries by state.
func (s *Hook) Counts(ctx context.Context, ws, endpoint string) (map[hook.State]int64, error) {
	type row struct {
		state hook.State
		n     int64
	}
	found, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o row, err error) {
		err = r.Scan((*string)(&o.state), &o.n)
		return o, err
	}, `SELECT state, count(*) FROM hook_delivery WHERE workspace_id = $1 AND endpoint_id = $2 GROUP BY state`, ws, endpoint)
	out := map[hook.State]int64{}
	for _, f := range found {
		out[f.state] = f.n
	}
	return out, err
}

// Purge forgets old deliveries.
func (s *Hook) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.db.Exec(ctx, `DELETE FROM hook_delivery WHERE (workspace_id, id) IN (
		SELECT workspace_id, id FROM hook_delivery WHERE state <> 'waiting' AND created_at < $1 ORDER BY created_at LIMIT $2)`, before, limit)
}
