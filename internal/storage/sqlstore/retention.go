package sqlstore

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/kizuna-cx/kizuna/internal/domain/retention"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Retention implements retention.Store.
type Retention struct{ db *sqldb.DB }

// NewRetention returns the store of retention on db.
func NewRetention(db *sqldb.DB) *Retention { return &Retention{db} }

var _ retention.Store = (*Retention)(nil)

// Policy implements retention.Store.
func (s *Retention) Policy(ctx context.Context, ws string) (p retention.Policy, err error) {
	raw, err := sqldb.One(ctx, s.db, sqldb.Value[string], `SELECT policy FROM retention_policy WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(raw), &p)
	}
	return p, err
}

// PutPolicy implements retention.Store.
func (s *Retention) PutPolicy(ctx context.Context, ws string, p retention.Policy) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO retention_policy (workspace_id, policy) VALUES ($1, $2)
		ON CONFLICT (workspace_id) DO UPDATE SET policy = excluded.policy`, ws, string(raw))
	return err
}

// Policies implements retention.Store.
func (s *Retention) Policies(ctx context.Context) (map[string]retention.Policy, error) {
	out := map[string]retention.Policy{}
	_, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (_ struct{}, err error) {
		var ws, raw string
		var p retention.Policy
		if err = r.Scan(&ws, &raw); err == nil {
			err = json.Unmarshal([]byte(raw), &p)
		}
		out[ws] = p
		return struct{}{}, err
	}, `SELECT workspace_id, policy FROM retention_policy`)
	return out, err
}

// Gone implements retention.Store.
func (s *Retention) Gone(ctx context.Context, ws string) ([]retention.Gone, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (g retention.Gone, err error) {
		err = r.Scan(&g.Type, &g.Name, &g.Before, &g.Count)
		return g, err
	}, `SELECT type, name, before, n FROM retention_gone WHERE workspace_id = $1 ORDER BY type, name`, ws)
}

// AddReceipt implements retention.Store.
func (s *Retention) AddReceipt(ctx context.Context, ws string, r retention.Receipt) error {
	lines, err := json.Marshal(r.Lines)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, `INSERT INTO retention_receipt (workspace_id, id, asked_by, lines, rewritten, segments, started_at, finished_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (workspace_id, id) DO NOTHING`, ws, r.ID, r.By, string(lines), r.Rewritten, r.Segments, r.StartedAt, r.FinishedAt)
		if err != nil || n == 0 {
			return err
		}
		for _, g := range r.Lines {
			if _, err := s.db.Exec(ctx, `INSERT INTO retention_gone (workspace_id, type, name, before, n) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (workspace_id, type, name) DO UPDATE SET n = retention_gone.n + excluded.n,
				before = CASE WHEN excluded.before > retention_gone.before THEN excluded.before ELSE retention_gone.before END`, ws, string(g.Type), g.Name, g.Before, g.Count); err != nil {
				return err
			}
		}
		return nil
	})
}

// Receipts implements retention.Store.
func (s *Retention) Receipts(ctx context.Context, ws string, p page.Request) (page.Of[retention.Receipt], error) {
	var at int64
	var last string
	after, err := page.Decode(p.Cursor, &at, &last)
	if err != nil {
		return page.Of[retention.Receipt]{}, err
	}
	more, args := "", []any{ws, p.Size() + 1}
	if after {
		more, args = ` AND (finished_at, id) < ($3, $4)`, append(args, at, last)
	}
	items, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x retention.Receipt, err error) {
		var lines string
		if err = r.Scan(&x.ID, &x.By, &lines, &x.Rewritten, &x.Segments, &x.StartedAt, &x.FinishedAt); err == nil {
			err = json.Unmarshal([]byte(lines), &x.Lines)
		}
		return x, err
	}, `SELECT id, asked_by, lines, rewritten, segments, started_at, finished_at FROM retention_receipt WHERE workspace_id = $1`+more+` ORDER BY finished_at DESC, id DESC LIMIT $2`, args...)
	if err != nil {
		return page.Of[retention.Receipt]{}, err
	}
	return page.Cut(items, p.Size(), func(x retention.Receipt) string { return page.Encode(x.FinishedAt.UnixMicro(), x.ID) }), nil
}
