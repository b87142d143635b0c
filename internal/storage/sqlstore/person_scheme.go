package sqlstore

import (
	"context"
	"errors"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Scheme implements person.Store.
func (s *Person) Scheme(ctx context.Context, ws string) (person.SchemeRow, error) {
	x, err := sqldb.One(ctx, s.db, func(r sqldb.Row) (x person.SchemeRow, err error) {
		err = r.Scan(&x.Version, &x.Kinds, &x.Changed, &x.By)
		return x, err
	}, `SELECT version, kinds, changed_at, changed_by FROM identity_scheme WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return person.SchemeRow{}, nil
	}
	return x, err
}

// SchemeVersion implements person.Store.
func (s *Person) SchemeVersion(ctx context.Context, ws string) (int64, error) {
	v, err := sqldb.One(ctx, s.db, func(r sqldb.Row) (v int64, err error) {
		err = r.Scan(&v)
		return v, err
	}, `SELECT version FROM identity_scheme WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return 0, nil
	}
	return v, err
}

// SaveScheme implements person.Store.
func (s *Person) SaveScheme(ctx context.Context, ws string, x person.SchemeRow) error {
	_, err := s.db.Exec(ctx, `INSERT INTO identity_scheme (workspace_id, version, kinds, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (workspace_id) DO UPDATE SET version = excluded.version, kinds = excluded.kinds, changed_at = excluded.changed_at, changed_by = excluded.changed_by`,
		ws, x.Version, x.Kinds, x.Changed, x.By)
	return err
}
