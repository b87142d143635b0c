package sqlstore

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/draft"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Draft implements draft.Store.
type Draft struct{ db *sqldb.DB }

// NewDraft returns the store of what staff have written and not saved on db.
func NewDraft(db *sqldb.DB) *Draft { return &Draft{db} }

var _ draft.Store = (*Draft)(nil)

// Get implements draft.Store.
func (s *Draft) Get(ctx context.Context, ws, owner string, of draft.Thing) (draft.Draft, error) {
	d, err := sqldb.One(ctx, s.db, func(r sqldb.Row) (d draft.Draft, err error) {
		var document string
		err = r.Scan(&d.Kind, &d.ID, &d.Base, &document, &d.CreatedAt, &d.UpdatedAt)
		d.Document = []byte(document)
		return d, err
	}, `SELECT kind, thing, base, document, created_at, updated_at FROM draft WHERE workspace_id = $1 AND owner_id = $2 AND kind = $3 AND thing = $4`, ws, owner, of.Kind, of.ID)
	return d, notFound(err, "draft", of.ID)
}

// Put implements draft.Store.
func (s *Draft) Put(ctx context.Context, ws, owner string, d draft.Draft, limit int) (kept draft.Draft, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		others, err := sqldb.One(ctx, s.db, sqldb.Value[int], `SELECT count(*) FROM draft WHERE workspace_id = $1 AND owner_id = $2 AND NOT (kind = $3 AND thing = $4)`, ws, owner, d.Kind, d.ID)
		if err != nil {
			return err
		}
		if others >= limit {
			return errs.Conflict("draft.too_many", "at most %d drafts are kept for each person; save or discard one first", limit)
		}
		if _, err := s.db.Exec(ctx, `INSERT INTO draft (workspace_id, owner_id, kind, thing, base, document, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (workspace_id, owner_id, kind, thing) DO UPDATE SET base = excluded.base, document = excluded.document, updated_at = excluded.updated_at`,
			ws, owner, d.Kind, d.ID, d.Base, string(d.Document), d.CreatedAt, d.UpdatedAt); err != nil {
			return err
		}
		kept, err = s.Get(ctx, ws, owner, d.Thing)
		return err
	})
	return kept, err
}

// Delete implements draft.Store.
func (s *Draft) Delete(ctx context.Context, ws, owner string, of draft.Thing) error {
	_, err := s.db.Exec(ctx, `DELETE FROM draft WHERE workspace_id = $1 AND owner_id = $2 AND kind = $3 AND thing = $4`, ws, owner, of.Kind, of.ID)
	return err
}

// Others implements draft.Store.
func (s *Draft) Others(ctx context.Context, ws, owner string, of draft.Thing) ([]draft.Holder, error) {
	found, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (h draft.Holder, err error) {
		err = r.Scan(&h.Name, &h.Since, &h.UpdatedAt)
		return h, err
	}, `SELECT u.name, d.created_at, d.updated_at FROM draft d JOIN staff_member m ON m.workspace_id = d.workspace_id AND m.user_id = d.owner_id JOIN staff_user u ON u.id = d.owner_id
		WHERE d.workspace_id = $1 AND d.owner_id <> $2 AND d.kind = $3 AND d.thing = $4 ORDER BY d.updated_at DESC, d.owner_id LIMIT 20`, ws, owner, of.Kind, of.ID)
	if found == nil {
		found = []draft.Holder{}
	}
	return found, err
}

// Expire implements draft.Store.
func (s *Draft) Expire(ctx context.Context, then time.Time, limit int) (int64, error) {
	return s.db.Exec(ctx, `DELETE FROM draft WHERE (workspace_id, owner_id, kind, thing) IN (SELECT workspace_id, owner_id, kind, thing FROM draft WHERE updated_at < $1 ORDER BY updated_at LIMIT $2)`, then, limit)
}
