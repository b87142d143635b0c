package sqlstore

import (
	"context"
	"encoding/json"

	"github.com/kizuna-cx/kizuna/internal/domain/quota"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Quota implements quota.Store.
type Quota struct{ db *sqldb.DB }

// NewQuota returns the store of quotas on db.
func NewQuota(db *sqldb.DB) *Quota { return &Quota{db} }

var _ quota.Store = (*Quota)(nil)

// Own implements quota.Store.
func (s *Quota) Own(ctx context.Context) (map[string]quota.Limits, error) {
	out := map[string]quota.Limits{}
	_, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (_ struct{}, err error) {
		var ws, raw string
		var l quota.Limits
		if err = r.Scan(&ws, &raw); err == nil {
			err = json.Unmarshal([]byte(raw), &l)
		}
		out[ws] = l
		return struct{}{}, err
	}, `SELECT workspace_id, limits FROM quota`)
	return out, err
}

// SetOwn implements quota.Store.
func (s *Quota) SetOwn(ctx context.Context, ws string, l quota.Limits) error {
	if len(l) == 0 {
		_, err := s.db.Exec(ctx, `DELETE FROM quota WHERE workspace_id = $1`, ws)
		return err
	}
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO quota (workspace_id, limits) VALUES ($1, $2) ON CONFLICT (workspace_id) DO UPDATE SET limits = excluded.limits`, ws, string(raw))
	return err
}

const useColumns = `events, refused, requests, requests_refused, messages`

func useFields(u *quota.Use) []any {
	return []any{&u.Events, &u.Refused, &u.Requests, &u.RequestsRefused, &u.Messages}
}

// Add implements quota.Store.
func (s *Quota) Add(ctx context.Context, ws string, d quota.Day, u quota.Use) (quota.Use, error) {
	return sqldb.One(ctx, s.db, func(r sqldb.Row) (sum quota.Use, err error) {
		err = r.Scan(useFields(&sum)...)
		return sum, err
	}, `INSERT INTO quota_use (workspace_id, day, `+useColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (workspace_id, day) DO UPDATE SET events = quota_use.events + excluded.events, refused = quota_use.refused + excluded.refused,
		requests = quota_use.requests + excluded.requests, requests_refused = quota_use.requests_refused + excluded.requests_refused, messages = quota_use.messages + excluded.messages
		RETURNING `+useColumns, ws, int64(d), u.Events, u.Refused, u.Requests, u.RequestsRefused, u.Messages)
}

// On implements quota.Store.
func (s *Quota) On(ctx context.Context, d quota.Day) (map[string]quota.Use, error) {
	out := map[string]quota.Use{}
	_, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (_ struct{}, err error) {
		var ws string
		var u quota.Use
		err = r.Scan(append([]any{&ws}, useFields(&u)...)...)
		out[ws] = u
		return struct{}{}, err
	}, `SELECT workspace_id, `+useColumns+` FROM quota_use WHERE day = $1`, int64(d))
	return out, err
}

// Days implements quota.Store.
func (s *Quota) Days(ctx context.Context, ws string, since quota.Day) ([]quota.DayUse, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (u quota.DayUse, err error) {
		err = r.Scan(append([]any{(*int64)(&u.Day)}, useFields(&u.Use)...)...)
		return u, err
	}, `SELECT day, `+useColumns+` FROM quota_use WHERE workspace_id = $1 AND day >= $2 ORDER BY day`, ws, int64(since))
}

// Purge implements quota.Store.
func (s *Quota) Purge(ctx context.Context, before quota.Day, limit int) (int64, error) {
	return s.db.Exec(ctx, `DELETE FROM quota_use WHERE (workspace_id, day) IN (SELECT workspace_id, day FROM quota_use WHERE day < $1 ORDER BY day LIMIT $2)`, int64(before), limit)
}
