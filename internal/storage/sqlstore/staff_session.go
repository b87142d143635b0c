package sqlstore

import (
	"context"
	"encoding/json"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

const sessionColumns = `id, token_hash, user_id, workspace_id, ip, user_agent, created_at, last_seen, expires_at`

func scanSession(r sqldb.Row) (s staff.Session, err error) {
	err = r.Scan(&s.ID, &s.Hash, &s.UserID, &s.Workspace, &s.IP, &s.UserAgent, &s.CreatedAt, &s.LastSeen, &s.ExpiresAt)
	return s, err
}

// CreateSession implements staff.Store.
func (s *Staff) CreateSession(ctx context.Context, v staff.Session) error {
	_, err := s.db.Exec(ctx, `INSERT INTO staff_session (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		v.ID, v.Hash, v.UserID, v.Workspace, v.IP, v.UserAgent, v.CreatedAt, v.LastSeen, v.ExpiresAt)
	return err
}

// SessionByHash implements staff.Store.
func (s *Staff) SessionByHash(ctx context.Context, hash []byte) (staff.Session, error) {
	v, err := sqldb.One(ctx, s.db, scanSession, `SELECT `+sessionColumns+` FROM staff_session WHERE token_hash = $1`, hash)
	return v, notFound(err, "session", "with this token")
}

// Sessions implements staff.Store.
func (s *Staff) Sessions(ctx context.Context, userID string) ([]staff.Session, error) {
	return sqldb.Collect(ctx, s.db, scanSession,
		`SELECT `+sessionColumns+` FROM staff_session WHERE user_id = $1 ORDER BY created_at DESC, id DESC`, userID)
}

// TouchSession implements staff.Store.
func (s *Staff) TouchSession(ctx context.Context, id, ws, ip string, at time.Time) error {
	_, err := s.db.Exec(ctx, `UPDATE staff_session SET workspace_id = $2, ip = $3, last_seen = $4 WHERE id = $1`, id, ws, ip, at)
	return err
}

// DeleteSession implements staff.Store.
func (s *Staff) DeleteSession(ctx context.Context, userID, id string) error {
	n, err := s.db.Exec(ctx, `DELETE FROM staff_session WHERE user_id = $1 AND id = $2`, userID, id)
	return changed(n, err, "session", id)
}

// DeleteSessions implements staff.Store.
func (s *Staff) DeleteSessions(ctx context.Context, userID, keep string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM staff_session WHERE user_id = $1 AND id <> $2`, userID, keep)
	return err
}

// PutLink implements staff.Store.
func (s *Staff) PutLink(ctx context.Context, l staff.Link) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, `DELETE FROM staff_link WHERE user_id = $1`, l.UserID); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, `INSERT INTO staff_link (token_hash, user_id, workspace_id, expires_at) VALUES ($1, $2, $3, $4)`,
			l.Hash, l.UserID, l.Workspace, l.ExpiresAt)
		return err
	})
}

// TakeLink implements staff.Store.
func (s *Staff) TakeLink(ctx context.Context, hash []byte) (staff.Link, error) {
	l, err := sqldb.One(ctx, s.db, func(r sqldb.Row) (l staff.Link, err error) {
		err = r.Scan(&l.Hash, &l.UserID, &l.Workspace, &l.ExpiresAt)
		return l, err
	}, `DELETE FROM staff_link WHERE token_hash = $1 RETURNING token_hash, user_id, workspace_id, expires_at`, hash)
	return l, notFound(err, "link", "with this token")
}

// Sweep implements staff.Store.
func (s *Staff) Sweep(ctx context.Context, now, idle time.Time) error {
	if _, err := s.db.Exec(ctx, `DELETE FROM staff_session WHERE expires_at < $1 OR last_seen < $2`, now, idle); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, `DELETE FROM staff_link WHERE expires_at < $1`, now)
	return err
}

const keyColumns = `id, workspace_id, name, hint, secret_hash, scopes, created_by, created_at, expires_at, last_used, revoked_at`

func scanKey(r sqldb.Row) (k staff.Key, err error) {
	var scopes []byte
	if err := r.Scan(&k.ID, &k.Workspace, &k.Name, &k.Hint, &k.Hash, &scopes, &k.CreatedBy, &k.CreatedAt, &k.ExpiresAt, &k.LastUsed, &k.RevokedAt); err != nil {
		return k, err
	}
	err = json.Unmarshal(scopes, &k.Scopes)
	return k, err
}

// CreateKey implements staff.Store.
func (s *Staff) CreateKey(ctx context.Context, ws string, k staff.Key) error {
	scopes, err := json.Marshal(k.Scopes)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO staff_key (`+keyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		k.ID, ws, k.Name, k.Hint, k.Hash, string(scopes), k.CreatedBy, k.CreatedAt, k.ExpiresAt, k.LastUsed, k.RevokedAt)
	if sqldb.IsUnique(err) {
		return errs.Conflict("staff.key.taken", "an API key with this secret exists already").With(err)
	}
	return err
}

// Key implements staff.Store.
func (s *Staff) Key(ctx context.Context, ws, id string) (staff.Key, error) {
	k, err := sqldb.One(ctx, s.db, scanKey, `SELECT `+keyColumns+` FROM staff_key WHERE workspace_id = $1 AND id = $2`, ws, id)
	return k, notFound(err, "key", id)
}

// KeyByHash implements staff.Store.
func (s *Staff) KeyByHash(ctx context.Context, hash []byte) (staff.Key, error) {
	k, err := sqldb.One(ctx, s.db, scanKey, `SELECT `+keyColumns+` FROM staff_key WHERE secret_hash = $1`, hash)
	return k, notFound(err, "key", "with this secret")
}

// Keys implements staff.Store.
func (s *Staff) Keys(ctx context.Context, ws string, f staff.KeyFilter, now time.Time, p page.Request) (page.Of[staff.Key], error) {
	before := "~" // after every id
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[staff.Key]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanKey,
		`SELECT `+keyColumns+` FROM staff_key WHERE workspace_id = $1 AND id < $2 AND lower(name) LIKE $4 ESCAPE '\' AND ($5 = ''
			OR $5 = (CASE WHEN revoked_at > 0 THEN 'revoked' WHEN expires_at > 0 AND expires_at <= $6 THEN 'expired' ELSE 'active' END))
			ORDER BY id DESC LIMIT $3`, ws, before, p.Size()+1, contains(f.Text), string(f.State), now)
	if err != nil {
		return page.Of[staff.Key]{}, err
	}
	return page.Cut(items, p.Size(), func(k staff.Key) string { return page.Encode(k.ID) }), nil
}

// RevokeKey implements staff.Store.
func (s *Staff) RevokeKey(ctx context.Context, ws, id string, at time.Time) error {
	n, err := s.db.Exec(ctx, `UPDATE staff_key SET revoked_at = CASE WHEN revoked_at = 0 THEN $3 ELSE revoked_at END WHERE workspace_id = $1 AND id = $2`, ws, id, at)
	return changed(n, err, "key", id)
}

// TouchKey implements staff.Store.
func (s *Staff) TouchKey(ctx context.Context, ws, id string, at time.Time) error {
	_, err := s.db.Exec(ctx, `UPDATE staff_key SET last_used = $3 WHERE workspace_id = $1 AND id = $2`, ws, id, at)
	return err
}
