package sqlstore

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/personal"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Personal implements personal.Store.
type Personal struct{ db *sqldb.DB }

// NewPersonal returns the store of what staff have arranged for themselves on db.
func NewPersonal(db *sqldb.DB) *Personal { return &Personal{db} }

var _ personal.Store = (*Personal)(nil)

// All returns the owner's preferences by key.
func (s *Personal) All(ctx context.Context, ws, owner string) ([]personal.Setting, error) {
	scan := func(r sqldb.Row) (p personal.Setting, err error) {
		var value string
		err = r.Scan(&p.Key, &value, &p.UpdatedAt)
		p.Value = []byte(value)
		return p, err
	}
	found, err := sqldb.Collect(ctx, s.db, scan, `SELECT name, value, updated_at FROM personal_setting WHERE workspace_id = $1 AND owner_id = $2 ORDER BY name`, ws, owner)
	if found == nil {
		found = []personal.Setting{}
	}
	return found, err
}

// Put adds or replaces one.
func (s *Personal) Put(ctx context.Context, ws, owner string, p personal.Setting, limit int) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		others, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT name FROM personal_setting WHERE workspace_id = $1 AND owner_id = $2 AND name <> $3`, ws, owner, p.Key)
		if err != nil {
			return err
		}
		if len(others) >= limit {
			return errs.Conflict("personal.too_many", "at most %d are kept for each person; remove one first", limit)
		}
		_, err = s.db.Exec(ctx, `INSERT INTO personal_setting (workspace_id, owner_id, name, value, updated_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (workspace_id, owner_id, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
			ws, owner, p.Key, string(p.Value), p.UpdatedAt)
		return err
	})
}

// Delete removes one.
func (s *Personal) Delete(ctx context.Context, ws, owner, key string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM personal_setting WHERE workspace_id = $1 AND owner_id = $2 AND name = $3`, ws, owner, key)
	return err
}
