package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

const accountColumns = `id, workspace_id, kind, name, config, from_name, from_addr, reply_to, rate_per_second, connections, is_default, status, created_at, updated_at, pace`

func scanAccount(r sqldb.Row) (a outbox.SealedAccount, err error) {
	var pace string
	err = r.Scan(&a.ID, &a.Workspace, &a.Kind, &a.Name, &a.Sealed, &a.FromName, &a.FromAddr, &a.ReplyTo, &a.RatePerSecond, &a.Connections,
		&a.Default, (*string)(&a.Status), &a.CreatedAt, &a.UpdatedAt, &pace)
	if err != nil || pace == "" {
		return a, err
	}
	return a, json.Unmarshal([]byte(pace), &a.Pace)
}

// PutAccount adds or replaces an account.
func (s *Outbox) PutAccount(ctx context.Context, ws string, a outbox.SealedAccount) error {
	pace, err := json.Marshal(a.Pace)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if a.Default {
			if _, err := s.db.Exec(ctx, `UPDATE channel_account SET is_default = FALSE WHERE workspace_id = $1 AND kind = $2 AND id <> $3 AND is_default = TRUE`, ws, a.Kind, a.ID); err != nil {
				return err
			}
		}
		_, err := s.db.Exec(ctx, `INSERT INTO channel_account (`+accountColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
			ON CONFLICT (workspace_id, id) DO UPDATE SET name = excluded.name, config = excluded.config, from_name = excluded.from_name,
				from_addr = excluded.from_addr, reply_to = excluded.reply_to, rate_per_second = excluded.rate_per_second,
				connections = excluded.connections, is_default = excluded.is_default, status = excluded.status, updated_at = excluded.updated_at, pace = excluded.pace`,
			a.ID, ws, a.Kind, a.Name, a.Sealed, a.FromName, a.FromAddr, a.ReplyTo, a.RatePerSecond, a.Connections, a.Default, string(a.Status), a.CreatedAt, a.UpdatedAt, string(pace))
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
	var n int64
	err := s.db.InTx(ctx, func(ctx context.Context) (err error) {
		for _, table := range []string{"sending_window", "account_inbound", "mailbox_state", "returned_count", "account_alert"} {
			if _, err := s.db.Exec(ctx, `DELETE FROM `+table+` WHERE workspace_id = $1 AND account_id = $2`, ws, id); err != nil {
				return err
			}
		}
		n, err = s.db.Exec(ctx, `DELETE FROM channel_account WHERE workspace_id = $1 AND id = $2`, ws, id)
		return err
	})
	return n > 0, err
}

// Windows returns what an account has counted.
func (s *Outbox) Windows(ctx context.Context, ws, account string, minute, day time.Time) ([]outbox.Window, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (w outbox.Window, err error) {
		err = r.Scan(&w.Bucket, &w.At, &w.Used)
		return w, err
	}, `SELECT bucket, window_at, used FROM sending_window WHERE workspace_id = $1 AND account_id = $2
			AND (window_at >= $3 OR bucket = '`+outbox.WarmUpBucket+`' AND window_at >= $4) ORDER BY window_at, bucket`, ws, account, minute, day)
}

// Count adds to windows.
func (s *Outbox) Count(ctx context.Context, ws, account string, add []outbox.Window, minute time.Time) error {
	if len(add) == 0 {
		return nil
	}
	rows := make([][]any, len(add))
	for i, w := range add {
		rows[i] = []any{ws, account, w.Bucket, w.At, w.Used}
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, `DELETE FROM sending_window WHERE workspace_id = $1 AND account_id = $2 AND window_at < $3 AND bucket <> '`+outbox.WarmUpBucket+`'`, ws, account, minute); err != nil {
			return err
		}
		_, err := s.db.Bulk(ctx, `INSERT INTO sending_window (workspace_id, account_id, bucket, window_at, used) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (workspace_id, account_id, bucket, window_at) DO UPDATE SET used = sending_window.used + excluded.used`, rows)
		return err
	})
}

// WaitingBy counts queued messages by reason.
func (s *Outbox) WaitingBy(ctx context.Context, ws, channel string) (map[string]int64, error) {
	type row struct {
		reason string
		n      int64
	}
	found, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o row, err error) {
		err = r.Scan(&o.reason, &o.n)
		return o, err
	}, `SELECT reason, count(*) FROM message WHERE state = 'queued' AND workspace_id = $1 AND channel = $2 GROUP BY reason`, ws, channel)
	out := map[string]int64{}
	for _, f := range found {
		out[f.reason] = f.n
	}
	return out, err
}
