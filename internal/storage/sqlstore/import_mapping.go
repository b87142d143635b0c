package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// ImportMapping implements importer.MappingStore.
type ImportMapping struct{ db *sqldb.DB }

// NewImportMapping returns the store of what columns of files tell on db.
func NewImportMapping(db *sqldb.DB) *ImportMapping { return &ImportMapping{db} }

var _ importer.MappingStore = (*ImportMapping)(nil)

const importMappingColumns = `workspace_id, id, name, columns, plan, said_by, rev, created_at, updated_at`

func scanImportMapping(r sqldb.Row) (m importer.SavedMapping, err error) {
	var columns, plan string
	if err = r.Scan(&m.Workspace, &m.ID, &m.Name, &columns, &plan, &m.By, &m.Rev, &m.CreatedAt, &m.UpdatedAt); err != nil {
		return m, err
	}
	return m, errors.Join(json.Unmarshal([]byte(columns), &m.Columns), json.Unmarshal([]byte(plan), &m.Plan))
}

func importMappingTaken(err error, m importer.SavedMapping) error {
	if sqldb.IsUnique(err) {
		return errs.Conflict("import.mapping.name_taken", "a mapping is called %q already; choose another name, or change that one", m.Name)
	}
	return err
}

// Create adds a mapping.
func (s *ImportMapping) Create(ctx context.Context, m importer.SavedMapping) error {
	columns, err := json.Marshal(m.Columns)
	if err != nil {
		return err
	}
	plan, err := json.Marshal(m.Plan)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO import_mapping (workspace_id, id, name, name_key, header, columns, plan, said_by, rev, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		m.Workspace, m.ID, m.Name, strings.ToLower(m.Name), importer.Header(m.Columns), string(columns), string(plan), m.By, m.Rev, m.CreatedAt, m.UpdatedAt)
	return importMappingTaken(err, m)
}

// Get returns a mapping.
func (s *ImportMapping) Get(ctx context.Context, ws, id string) (importer.SavedMapping, error) {
	m, err := sqldb.One(ctx, s.db, scanImportMapping, `SELECT `+importMappingColumns+` FROM import_mapping WHERE workspace_id = $1 AND id = $2`, ws, id)
	return m, notFound(err, "import_mapping", id)
}

// Update replaces name and plan.
func (s *ImportMapping) Update(ctx context.Context, m importer.SavedMapping) error {
	plan, err := json.Marshal(m.Plan)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `UPDATE import_mapping SET name = $4, name_key = $5, plan = $6, said_by = $7, updated_at = $8, rev = rev + 1
		WHERE workspace_id = $1 AND id = $2 AND rev = $3`, m.Workspace, m.ID, m.Rev, m.Name, strings.ToLower(m.Name), string(plan), m.By, m.UpdatedAt)
	if err == nil && n == 0 {
		return errs.Conflict("import.mapping.changed", "the mapping has changed meanwhile; load it again and repeat the change")
	}
	return importMappingTaken(err, m)
}

// Delete removes a mapping.
func (s *ImportMapping) Delete(ctx context.Context, ws, id string) (bool, error) {
	n, err := s.db.Exec(ctx, `DELETE FROM import_mapping WHERE workspace_id = $1 AND id = $2`, ws, id)
	return n > 0, err
}

// List returns mappings, latest changed first.
func (s *ImportMapping) List(ctx context.Context, ws, header string, p page.Request) (page.Of[importer.SavedMapping], error) {
	var at time.Time
	id := ""
	if _, err := page.Decode(p.Cursor, &at, &id); err != nil {
		return page.Of[importer.SavedMapping]{}, err
	}
	found, err := sqldb.Collect(ctx, s.db, scanImportMapping, `SELECT `+importMappingColumns+` FROM import_mapping
		WHERE workspace_id = $1 AND ($2 = '' OR header = $2) AND ($4 = '' OR (updated_at, id) < ($3, $4)) ORDER BY updated_at DESC, id DESC LIMIT $5`,
		ws, header, at, id, p.Size()+1)
	return page.Cut(found, p.Size(), func(m importer.SavedMapping) string { return page.Encode(m.UpdatedAt, m.ID) }), err
}

// Count counts the mappings of a workspace.
func (s *ImportMapping) Count(ctx context.Context, ws string) (int, error) {
	return sqldb.One(ctx, s.db, sqldb.Value[int], `SELECT count(*) FROM import_mapping WHERE workspace_id = $1`, ws)
}
