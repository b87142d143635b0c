package sqlstore

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/version"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Version implements version.Store.
type Version struct{ db *sqldb.DB }

// NewVersion returns the store of what things said before on db.
func NewVersion(db *sqldb.DB) *Version { return &Version{db} }

var _ version.Store = (*Version)(nil)

// Keep implements version.Store.
func (s *Version) Keep(ctx context.Context, ws string, of version.Thing, v version.Version, most int) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, `INSERT INTO thing_version (workspace_id, kind, thing, number, document, saved_by, saver_id, saved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (workspace_id, kind, thing, number) DO NOTHING`, ws, of.Kind, of.ID, v.Number, string(v.Document), v.SavedBy, v.SaverID, v.SavedAt); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, `DELETE FROM thing_version WHERE workspace_id = $1 AND kind = $2 AND thing = $3 AND number NOT IN
			(SELECT number FROM thing_version WHERE workspace_id = $1 AND kind = $2 AND thing = $3 ORDER BY number DESC LIMIT $4)`, ws, of.Kind, of.ID, most)
		return err
	})
}

// List implements version.Store.
func (s *Version) List(ctx context.Context, ws string, of version.Thing, p page.Request) (page.Of[version.Version], error) {
	var before int64 = 1 << 53
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[version.Version]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (v version.Version, err error) {
		var document string
		err = r.Scan(&v.Number, &document, &v.SavedBy, &v.SaverID, &v.SavedAt)
		v.Document = []byte(document)
		return v, err
	}, `SELECT number, document, saved_by, saver_id, saved_at FROM thing_version WHERE workspace_id = $1 AND kind = $2 AND thing = $3 AND number < $4 ORDER BY number DESC LIMIT $5`,
		ws, of.Kind, of.ID, before, p.Size()+1)
	if err != nil {
		return page.Of[version.Version]{}, err
	}
	return page.Cut(items, p.Size(), func(v version.Version) string { return page.Encode(v.Number) }), nil
}

// Remove implements version.Store.
func (s *Version) Remove(ctx context.Context, ws string, of version.Thing, number int64) error {
	_, err := s.db.Exec(ctx, `DELETE FROM thing_version WHERE workspace_id = $1 AND kind = $2 AND thing = $3 AND number = $4`, ws, of.Kind, of.ID, number)
	return err
}

// Drop implements version.Store.
func (s *Version) Drop(ctx context.Context, ws string, of version.Thing) error {
	_, err := s.db.Exec(ctx, `DELETE FROM thing_version WHERE workspace_id = $1 AND kind = $2 AND thing = $3`, ws, of.Kind, of.ID)
	return err
}
