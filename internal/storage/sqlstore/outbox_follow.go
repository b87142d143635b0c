package sqlstore

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

var _ outbox.FollowStore = (*Outbox)(nil)

const followColumns = `id, workspace_id, message_id, url, trap, machine, agent, address, followed_at, settled`

func scanFollow(r sqldb.Row) (f outbox.Follow, err error) {
	err = r.Scan(&f.ID, &f.Workspace, &f.MessageID, &f.URL, &f.Trap, &f.Machine, &f.Agent, &f.Address, &f.At, &f.Settled)
	return f, err
}

// AddFollow stores a followed link.
func (s *Outbox) AddFollow(ctx context.Context, f outbox.Follow) error {
	_, err := s.db.Exec(ctx, `INSERT INTO link_follow (`+followColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING`,
		f.ID, f.Workspace, f.MessageID, f.URL, f.Trap, f.Machine, f.Agent, f.Address, f.At, f.Settled)
	return err
}

// Settling returns the follows of messages that wait for a verdict.
func (s *Outbox) Settling(ctx context.Context, before time.Time, limit int) ([]outbox.Follow, error) {
	return sqldb.Collect(ctx, s.db, scanFollow, `SELECT `+followColumns+` FROM link_follow WHERE (workspace_id, message_id) IN (
			SELECT workspace_id, message_id FROM link_follow WHERE settled = FALSE AND followed_at <= $1 ORDER BY followed_at LIMIT $2)
		ORDER BY followed_at, id`, before, limit)
}

// Follows returns the follows of messages.
func (s *Outbox) Follows(ctx context.Context, ws string, messageIDs []string) ([]outbox.Follow, error) {
	in, arg := s.db.In(2, messageIDs)
	return sqldb.Collect(ctx, s.db, scanFollow, `SELECT `+followColumns+` FROM link_follow WHERE workspace_id = $1 AND message_id `+in+` ORDER BY followed_at, id`, ws, arg)
}

// Settle marks follows as settled.
func (s *Outbox) Settle(ctx context.Context, ids []string) error {
	in, arg := s.db.In(1, ids)
	_, err := s.db.Exec(ctx, `UPDATE link_follow SET settled = TRUE WHERE id `+in, arg)
	return err
}

// PurgeFollows removes old follows.
func (s *Outbox) PurgeFollows(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.db.Exec(ctx, `DELETE FROM link_follow WHERE id IN (SELECT id FROM link_follow WHERE settled = TRUE AND followed_at < $1 LIMIT $2)`, before, limit)
}
