package sqlstore

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Unsent returns the ids that no ended message has.
func (s *Outbox) Unsent(ctx context.Context, ws string, ids []string) ([]string, error) {
	in, arg := s.db.In(2, ids)
	ended, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT id FROM message WHERE workspace_id = $1 AND id `+in+` AND ended_at > 0`, ws, arg)
	if err != nil || len(ended) == len(ids) {
		return nil, err
	}
	done := make(map[string]bool, len(ended))
	for _, id := range ended {
		done[id] = true
	}
	var out []string
	for _, id := range ids {
		if !done[id] {
			out = append(out, id)
		}
	}
	return out, nil
}

// KeepSent makes the records agree with what was sent.
func (s *Outbox) KeepSent(ctx context.Context, ws string, messages []outbox.Message) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		for _, m := range messages {
			if err := s.keepSent(ctx, ws, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Outbox) keepSent(ctx context.Context, ws string, m outbox.Message) error {
	const sent = `state = 'sent', owner = '', in_flight = FALSE, reason = '', detail = '', data = '', subject = $3, sent_at = $4, ended_at = $4`
	n, err := s.db.Exec(ctx, `UPDATE message SET `+sent+` WHERE workspace_id = $1 AND id = $2 AND ended_at = 0`, ws, m.ID, m.Subject, m.SentAt)
	if err != nil || n > 0 || m.Key == "" {
		return err
	}
	// What it says was stored for the one that waits, under the id that this one loses.
	if _, err := s.db.Exec(ctx, `UPDATE message_body SET message_id = $3 WHERE workspace_id = $1
		AND message_id = (SELECT id FROM message WHERE workspace_id = $1 AND idem_key = $2 AND ended_at = 0)`, ws, m.Key, m.ID); err != nil {
		return err
	}
	n, err = s.db.Exec(ctx, `UPDATE message SET id = $5, `+sent+` WHERE workspace_id = $1 AND idem_key = $2 AND ended_at = 0`, ws, m.Key, m.Subject, m.SentAt, m.ID)
	if err != nil || n > 0 {
		return err
	}
	m.State, m.EndedAt = outbox.Sent, m.SentAt
	if n, err = s.Insert(ctx, ws, []outbox.Message{m}); err != nil || n == 0 {
		return err
	}
	_, err = s.db.Exec(ctx, `UPDATE message SET `+sent+` WHERE workspace_id = $1 AND id = $2`, ws, m.ID, m.Subject, m.SentAt)
	return err
}
