package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Workspace implements workspace.Store.
type Workspace struct{ db *sqldb.DB }

var _ workspace.Store = (*Workspace)(nil)

// NewWorkspace returns the store of workspaces and sources.
func NewWorkspace(db *sqldb.DB) *Workspace { return &Workspace{db} }

const workspaceColumns = `id, name, timezone, currency, default_region, locale, settings, created_at, updated_at`

func scanWorkspace(r sqldb.Row) (w workspace.Workspace, err error) {
	var settings []byte
	if err := r.Scan(&w.ID, &w.Name, &w.Timezone, &w.Currency, &w.DefaultRegion, &w.Locale, &settings, &w.CreatedAt, &w.UpdatedAt); err != nil {
		return w, err
	}
	err = json.Unmarshal(settings, &w.Settings)
	return w, err
}

// notFound turns the absence of a row into the noun's error.
func notFound(err error, noun, id string) error {
	if errors.Is(err, sqldb.ErrNoRows) {
		return errs.NotFound(noun, id)
	}
	return err
}

// changed turns a change of no row into the noun's error.
func changed(n int64, err error, noun, id string) error {
	if err == nil && n == 0 {
		return errs.NotFound(noun, id)
	}
	return err
}

// Create implements workspace.Store.
func (s *Workspace) Create(ctx context.Context, w workspace.Workspace) error {
	settings, err := json.Marshal(w.Settings)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO workspace (`+workspaceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		w.ID, w.Name, w.Timezone, w.Currency, w.DefaultRegion, w.Locale, string(settings), w.CreatedAt, w.UpdatedAt)
	return err
}

// Get implements workspace.Store.
func (s *Workspace) Get(ctx context.Context, ws string) (workspace.Workspace, error) {
	w, err := sqldb.One(ctx, s.db, scanWorkspace, `SELECT `+workspaceColumns+` FROM workspace WHERE id = $1`, ws)
	return w, notFound(err, "workspace", ws)
}

// List implements workspace.Store.
func (s *Workspace) List(ctx context.Context, p page.Request) (page.Of[workspace.Workspace], error) {
	var after string
	if _, err := page.Decode(p.Cursor, &after); err != nil {
		return page.Of[workspace.Workspace]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanWorkspace,
		`SELECT `+workspaceColumns+` FROM workspace WHERE id > $1 ORDER BY id LIMIT $2`, after, p.Size()+1)
	if err != nil {
		return page.Of[workspace.Workspace]{}, err
	}
	return page.Cut(items, p.Size(), func(w workspace.Workspace) string { return page.Encode(w.ID) }), nil
}

// Update implements workspace.Store.
func (s *Workspace) Update(ctx context.Context, w workspace.Workspace) error {
	settings, err := json.Marshal(w.Settings)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `UPDATE workspace SET name = $2, timezone = $3, currency = $4, default_region = $5, locale = $6, settings = $7, updated_at = $8
		WHERE id = $1`, w.ID, w.Name, w.Timezone, w.Currency, w.DefaultRegion, w.Locale, string(settings), w.UpdatedAt)
	return changed(n, err, "workspace", w.ID)
}

const sourceColumns = `id, workspace_id, name, kind, write_key, disabled, created_at, last_used`

func scanSource(r sqldb.Row) (s workspace.Source, err error) {
	err = r.Scan(&s.ID, &s.Workspace, &s.Name, &s.Kind, &s.WriteKey, &s.Disabled, &s.CreatedAt, &s.LastUsed)
	return s, err
}

// CreateSource implements workspace.Store.
func (s *Workspace) CreateSource(ctx context.Context, ws string, src workspace.Source) error {
	_, err := s.db.Exec(ctx, `INSERT INTO source (`+sourceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		src.ID, ws, src.Name, string(src.Kind), src.WriteKey, src.Disabled, src.CreatedAt, src.LastUsed)
	if sqldb.IsUnique(err) {
		return errs.Conflict("source.write_key.taken", "a source with this write key exists; leave the key out to get a new one").With(err)
	}
	return err
}

// Source implements workspace.Store.
func (s *Workspace) Source(ctx context.Context, ws, id string) (workspace.Source, error) {
	src, err := sqldb.One(ctx, s.db, scanSource, `SELECT `+sourceColumns+` FROM source WHERE workspace_id = $1 AND id = $2`, ws, id)
	return src, notFound(err, "source", id)
}

// Sources implements workspace.Store.
func (s *Workspace) Sources(ctx context.Context, ws string, p page.Request) (page.Of[workspace.Source], error) {
	var after string
	if _, err := page.Decode(p.Cursor, &after); err != nil {
		return page.Of[workspace.Source]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanSource,
		`SELECT `+sourceColumns+` FROM source WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3`, ws, after, p.Size()+1)
	if err != nil {
		return page.Of[workspace.Source]{}, err
	}
	return page.Cut(items, p.Size(), func(src workspace.Source) string { return page.Encode(src.ID) }), nil
}

// SourceByWriteKey implements workspace.Store.
func (s *Workspace) SourceByWriteKey(ctx context.Context, key string) (workspace.Source, error) {
	src, err := sqldb.One(ctx, s.db, scanSource, `SELECT `+sourceColumns+` FROM source WHERE write_key = $1`, key)
	return src, notFound(err, "source", "with this write key")
}

// UpdateSource implements workspace.Store.
func (s *Workspace) UpdateSource(ctx context.Context, ws string, src workspace.Source) error {
	n, err := s.db.Exec(ctx, `UPDATE source SET name = $3, disabled = $4 WHERE workspace_id = $1 AND id = $2`, ws, src.ID, src.Name, src.Disabled)
	return changed(n, err, "source", src.ID)
}

// TouchSource implements workspace.Store.
func (s *Workspace) TouchSource(ctx context.Context, ws, id string, at time.Time) error {
	_, err := s.db.Exec(ctx, `UPDATE source SET last_used = $3 WHERE workspace_id = $1 AND id = $2 AND last_used < $3`, ws, id, at)
	return err
}

// DeleteSource implements workspace.Store.
func (s *Workspace) DeleteSource(ctx context.Context, ws, id string) error {
	n, err := s.db.Exec(ctx, `DELETE FROM source WHERE workspace_id = $1 AND id = $2`, ws, id)
	return changed(n, err, "source", id)
}
