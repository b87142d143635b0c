package sqlstore

import (
	"context"
	"errors"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

const accountColumns = `id, workspace_id, kind, name, config, from_name, from_addr, reply_to, rate_per_second, connections, is_default, status, created_at, updated_at`

func scanAccount(r sqldb.Row) (a outbox.SealedAccount, err error) {
	err = r.Scan(&a.ID, &a.Workspace, &a.Kind, &a.Name, &a.Sealed, &a.FromName, &a.FromAddr, &a.ReplyTo, &a.RatePerSecond, &a.Connections,
		&a.Default, (*string)(&a.Status), &a.CreatedAt, &a.UpdatedAt)
	return a, err
}

// PutAccount adds or replaces an account.
func (s *Outbox) PutAccount(ctx context.Context, ws string, a outbox.SealedAccount) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if a.Default {
			if _, err := s.db.Exec(ctx, `UPDATE channel_account SET is_default = FALSE WHERE workspace_id = $1 AND kind = $2 AND id <> $3 AND is_default = TRUE`, ws, a.Kind, a.ID); err != nil {
				return err
			}
		}
		_, err := s.db.Exec(ctx, `INSERT INTO channel_account (`+accountColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
			ON CONFLICT (workspace_id, id) DO UPDATE SET name = excluded.name, config = excluded.config, from_name = excluded.from_name,
				from_addr = excluded.from_addr, reply_to = excluded.reply_to, rate_per_second = excluded.rate_per_second,
				connections = excluded.connections, is_default = excluded.is_default, status = excluded.status, updated_at = excluded.updated_at`,
			a.ID, ws, a.Kind, a.Name, a.Sealed, a.FromName, a.FromAddr, a.ReplyTo, a.RatePerSecond, a.Connections, a.Default, string(a.Status), a.CreatedAt, a.UpdatedAt)
		return err
	})
}

// Account returns one account.
func (s *Outbox) Account(ctx context.Context, ws, id string) (outbox.SealedAccount, error) {
	a, err := sqldb.One(ctx, s.db, scanAccount, `SELECT `+accountColumns+` FROM channel_account WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return a, errs.NotFound("account", id)
	}
	return a, err
}

// Accounts returns all accounts.
func (s *Outbox) Accounts(ctx context.Context, ws string) ([]outbox.SealedAccount, error) {
	return sqldb.Collect(ctx, s.db, scanAccount, `SELECT `+accountColumns+` FROM channel_account WHERE workspace_id = $1 ORDER BY created_at, id`, ws)
}

// DefaultAccount returns the active default account of a kind.
func (s *Outbox) DefaultAccount(ctx context.Context, ws, kind string) (outbox.SealedAccount, bool, error) {
	a, err := sqldb.One(ctx, s.db, scanAccount, `SELECT `+accountColumns+` FROM channel_account
		WHERE workspace_id = $1 AND kind = $2 AND is_default = TRUE AND status = 'active' ORDER BY id LIMIT 1`, ws, kind)
	if errors.Is(err, sqldb.ErrNoRows) {
		return a, false, nil
	}
	return a, err == nil, err
}

// DeleteAccount removes an account.
func (s *Outbox) DeleteAccount(ctx context.Context, ws, id string) (bool, error) {
	n, err := s.db.Exec(ctx, `DELETE FROM channel_account WHERE workspace_id = $1 AND id = $2`, ws, id)
	return n > 0, err
}
