package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Routes walks the queue's index from one workspace and channel to the next, so it costs the same however long the queue is.
func (s *Outbox) Routes(ctx context.Context, now time.Time) ([]outbox.Route, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o outbox.Route, err error) {
		err = r.Scan(&o.Workspace, &o.Channel, &o.Transactional)
		return o, err
	}, `WITH RECURSIVE w(ws) AS (
			SELECT min(workspace_id) FROM message WHERE state = 'queued'
			UNION ALL
			SELECT (SELECT min(m.workspace_id) FROM message m WHERE m.state = 'queued' AND m.workspace_id > w.ws) FROM w WHERE w.ws IS NOT NULL
		), c(ws, ch) AS (
			SELECT w.ws, (SELECT min(m.channel) FROM message m WHERE m.state = 'queued' AND m.workspace_id = w.ws) FROM w WHERE w.ws IS NOT NULL
			UNION ALL
			SELECT c.ws, (SELECT min(m.channel) FROM message m WHERE m.state = 'queued' AND m.workspace_id = c.ws AND m.channel > c.ch) FROM c WHERE c.ch IS NOT NULL
		), l(lane) AS (VALUES (TRUE), (FALSE))
		SELECT c.ws, c.ch, l.lane FROM c CROSS JOIN l WHERE c.ch IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM sending_stop p WHERE p.workspace_id = c.ws)
			AND EXISTS (SELECT 1 FROM message m WHERE m.state = 'queued' AND m.workspace_id = c.ws AND m.channel = c.ch AND m.transactional = l.lane AND m.due_at <= $1)
		ORDER BY l.lane DESC, c.ws, c.ch`, now)
}

// Claim gives due messages to a claim. The stop switch is looked at again: it may have been thrown since Routes.
func (s *Outbox) Claim(ctx context.Context, r outbox.Route, claim string, now time.Time, limit int) ([]outbox.Message, error) {
	claimed, err := sqldb.Collect(ctx, s.db, scanClaimed, `WITH due AS MATERIALIZED (
			SELECT id FROM message
			WHERE state = 'queued' AND workspace_id = $1 AND channel = $2 AND transactional = $3 AND due_at <= $4
				AND NOT EXISTS (SELECT 1 FROM sending_stop p WHERE p.workspace_id = $1)
			ORDER BY due_at LIMIT $5`+s.db.SkipLocked()+`
		)
		UPDATE message SET state = 'claimed', owner = $6, in_flight = FALSE WHERE id IN (SELECT id FROM due)
		RETURNING `+claimColumns, r.Workspace, r.Channel, r.Transactional, now, limit, claim)
	// RETURNING has no order of its own.
	slices.SortFunc(claimed, func(a, b outbox.Message) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID))
	})
	return claimed, err
}

// heldBy returns the ids, and the ids together with their claims.
func heldBy(held []outbox.Held) (ids, pairs []string) {
	ids, pairs = make([]string, len(held)), make([]string, len(held))
	for i, h := range held {
		ids[i], pairs[i] = h.MessageID, h.MessageID+"/"+h.Claim
	}
	return ids, pairs
}

// Begin marks messages as in flight.
func (s *Outbox) Begin(ctx context.Context, held []outbox.Held) (map[string]bool, error) {
	rows := make([][]any, len(held))
	for i, h := range held {
		rows[i] = []any{h.MessageID, h.Claim}
	}
	changed, err := s.db.BulkEach(ctx, `UPDATE message SET in_flight = TRUE WHERE id = $1 AND owner = $2 AND state = 'claimed' AND in_flight = FALSE`, rows)
	begun := make(map[string]bool, len(held))
	for i, n := range changed {
		if n > 0 {
			begun[held[i].MessageID] = true
		}
	}
	return begun, err
}

// Finish writes results.
func (s *Outbox) Finish(ctx context.Context, results []outbox.Result) (map[string]bool, error) {
	if len(results) == 0 {
		return nil, nil
	}
	var lost map[string]bool
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		lost = nil
		rows := make([][]any, len(results))
		for i, r := range results {
			var sent, bounced, ended time.Time
			if r.State != outbox.Queued {
				ended = r.At
			}
			switch r.State {
			case outbox.Sent:
				sent = r.At
			case outbox.Bounced:
				bounced = r.At
			}
			tried := 1
			if r.Waits {
				tried = 0
			}
			uncertain := 0
			if r.Lost {
				uncertain = 1
			}
			rows[i] = []any{r.MessageID, r.Claim, string(r.State), r.Reason, r.Detail, r.Code, r.Address, r.Subject, r.Due, sent, bounced, uncertain, tried, evidence(r.Data), ended}
		}
		changed, err := s.db.BulkEach(ctx, `UPDATE message SET state = $3, reason = $4, detail = $5, code = $6, address = $7, subject = $8,
				due_at = CASE WHEN CAST($9 AS BIGINT) > 0 THEN CAST($9 AS BIGINT) ELSE due_at END, sent_at = $10, bounced_at = $11,
				attempts = attempts + $13, uncertain = uncertain + $12, data = $14, ended_at = $15, in_flight = FALSE, owner = ''
			WHERE id = $1 AND owner = $2 AND state = 'claimed'`, rows)
		for i, n := range changed {
			if n == 0 { // rare: somebody took it over
				if lost == nil {
					lost = map[string]bool{}
				}
				lost[results[i].MessageID] = true
			}
		}
		return err
	})
	return lost, err
}

// Release queues messages again.
func (s *Outbox) Release(ctx context.Context, held []outbox.Held) error {
	ids, pairs := heldBy(held)
	in1, arg1 := s.db.In(1, ids)
	in2, arg2 := s.db.In(2, pairs)
	_, err := s.db.Exec(ctx, `UPDATE message SET state = 'queued', owner = ''
		WHERE id `+in1+` AND id || '/' || owner `+in2+` AND state = 'claimed' AND in_flight = FALSE`, arg1, arg2)
	return err
}

// Hold extends a lease.
func (s *Outbox) Hold(ctx context.Context, owner string, until time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, `UPDATE message_owner SET lease_until = $2 WHERE owner = $1`, owner, until)
	if err != nil || n > 0 {
		return n > 0, err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO message_owner (owner, lease_until) VALUES ($1, $2)
		ON CONFLICT (owner) DO UPDATE SET lease_until = excluded.lease_until`, owner, until)
	return false, err
}

// Expired returns dead owners.
func (s *Outbox) Expired(ctx context.Context, self string, now time.Time, all bool) ([]string, error) {
	return sqldb.Collect(ctx, s.db, sqldb.Value[string],
		`SELECT owner FROM message_owner WHERE owner <> $1 AND (lease_until < $2 OR $3 = TRUE) ORDER BY owner`, self, now, all)
}

// Inherit takes over what an owner had claimed. Claims are the owner's id, a dot and more; '/' is the character after the dot.
func (s *Outbox) Inherit(ctx context.Context, owner string, now time.Time, limit int) ([]outbox.Message, error) {
	var flying []outbox.Message
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		from, to := owner+".", owner+"/"
		if _, err := s.db.Exec(ctx, `UPDATE message SET state = 'queued', owner = ''
			WHERE owner >= $1 AND owner < $2 AND state = 'claimed' AND in_flight = FALSE`, from, to); err != nil {
			return err
		}
		var err error
		flying, err = sqldb.Collect(ctx, s.db, scanMessage, `UPDATE message SET
				state = CASE WHEN uncertain >= $3 THEN 'failed' ELSE 'queued' END,
				reason = '`+outbox.ReasonAnswerLost+`',
				detail = '', data = '{"process":"ended"}',
				uncertain = uncertain + 1, attempts = attempts + 1, in_flight = FALSE, owner = '', due_at = $4,
				ended_at = CASE WHEN uncertain >= $3 THEN CAST($4 AS BIGINT) ELSE 0 END
			WHERE owner >= $1 AND owner < $2 AND state = 'claimed' RETURNING `+messageColumns, from, to, limit, now)
		if err != nil {
			return err
		}
		_, err = s.db.Exec(ctx, `DELETE FROM message_owner WHERE owner = $1`, owner)
		return err
	})
	return flying, err
}

// Recall queues claimed messages again. Few messages are claimed at any moment, so it looks among these; the empty suffixes keep both
// engines from walking through everything a workspace or person was ever sent instead.
func (s *Outbox) Recall(ctx context.Context, ws string, personIDs []string) error {
	const recall = `UPDATE message SET state = 'queued', owner = ''
		WHERE state = 'claimed' AND owner > '' AND in_flight = FALSE AND workspace_id || '' = $1`
	if personIDs == nil {
		_, err := s.db.Exec(ctx, recall, ws)
		return err
	}
	in, arg := s.db.In(2, personIDs)
	_, err := s.db.Exec(ctx, recall+` AND person_id || '' `+in, ws, arg)
	return err
}

// RecallSource queues the claimed messages of a source again.
func (s *Outbox) RecallSource(ctx context.Context, ws string, src outbox.Source) error {
	_, err := s.db.Exec(ctx, `UPDATE message SET state = 'queued', owner = ''
		WHERE workspace_id = $1 AND source_kind = $2 AND source_id = $3 AND ($4 = '' OR node = $4)
			AND ended_at = 0 AND state = 'claimed' AND in_flight = FALSE`, ws, src.Kind, src.ID, src.Node)
	return err
}

// Rouse makes messages due.
func (s *Outbox) Rouse(ctx context.Context, ws string, src outbox.Source, at time.Time, reasons ...string) error {
	in, arg := s.db.In(6, reasons)
	_, err := s.db.Exec(ctx, `UPDATE message SET due_at = CASE WHEN not_before > $5 THEN not_before ELSE $5 END
		WHERE workspace_id = $1 AND ($2 = '' OR source_kind = $2 AND source_id = $3 AND ($4 = '' OR node = $4))
			AND ended_at = 0 AND state = 'queued' AND reason `+in+` AND due_at > $5`, ws, src.Kind, src.ID, src.Node, at, arg)
	return err
}

// Cancel cancels what has not been sent.
func (s *Outbox) Cancel(ctx context.Context, ws string, src outbox.Source, at time.Time) (int64, error) {
	return s.db.Exec(ctx, `UPDATE message SET state = 'cancelled', owner = '', reason = '`+outbox.ReasonCancelled+`', detail = '', data = '', ended_at = $5
		WHERE workspace_id = $1 AND source_kind = $2 AND source_id = $3 AND ($4 = '' OR node = $4)
			AND ended_at = 0 AND in_flight = FALSE`, ws, src.Kind, src.ID, src.Node, at)
}

// CancelOne cancels one message.
func (s *Outbox) CancelOne(ctx context.Context, ws, id string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, `UPDATE message SET state = 'cancelled', owner = '', reason = '`+outbox.ReasonCancelled+`', detail = '', data = '', ended_at = $3
		WHERE workspace_id = $1 AND id = $2 AND state IN ('queued', 'claimed') AND in_flight = FALSE`, ws, id, at)
	return n > 0, err
}

// CancelWaiting cancels all that waits.
func (s *Outbox) CancelWaiting(ctx context.Context, ws string, at time.Time) (int64, error) {
	return s.db.Exec(ctx, `UPDATE message SET state = 'cancelled', owner = '', reason = '`+outbox.ReasonCancelled+`', detail = '', data = '', ended_at = $2
		WHERE workspace_id = $1 AND ended_at = 0 AND in_flight = FALSE`, ws, at)
}

// WaitingBySource counts all that waits.
func (s *Outbox) WaitingBySource(ctx context.Context, ws string) ([]outbox.Waiting, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (w outbox.Waiting, err error) {
		err = r.Scan(&w.Kind, &w.ID, &w.Count)
		return w, err
	}, `SELECT source_kind, source_id, COUNT(*) AS n FROM message WHERE workspace_id = $1 AND ended_at = 0 GROUP BY source_kind, source_id ORDER BY n DESC, source_kind, source_id`, ws)
}
