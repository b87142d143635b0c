package sqlstore

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/kizuna-cx/kizuna/internal/domain/journeymap"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// JourneyMap implements journeymap.Store.
type JourneyMap struct{ db *sqldb.DB }

// NewJourneyMap returns the store of journey maps on db.
func NewJourneyMap(db *sqldb.DB) *JourneyMap { return &JourneyMap{db} }

var _ journeymap.Store = (*JourneyMap)(nil)

// The persona stands in a column alone, so that deleting it touches no JSON.
const mapColumns = `workspace_id, id, persona_id, draft, rev, created_at, updated_at`

func scanMap(r sqldb.Row) (m journeymap.Map, err error) {
	var draft, who string
	if err = r.Scan(&m.Workspace, &m.ID, &who, &draft, &m.Rev, &m.CreatedAt, &m.UpdatedAt); err != nil {
		return m, err
	}
	err = json.Unmarshal([]byte(draft), &m.Draft)
	m.Persona = who
	return m, err
}

// Create adds a map.
func (s *JourneyMap) Create(ctx context.Context, m journeymap.Map) error {
	draft, err := json.Marshal(m.Draft)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO journey_map (workspace_id, id, name, persona_id, segment_id, draft, rev, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, m.Workspace, m.ID, m.Name, m.Persona, m.Segment, string(draft), m.Rev, m.CreatedAt, m.UpdatedAt)
	return err
}

// Get returns a map.
func (s *JourneyMap) Get(ctx context.Context, ws, id string) (journeymap.Map, error) {
	m, err := sqldb.One(ctx, s.db, scanMap, `SELECT `+mapColumns+` FROM journey_map WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return m, errs.NotFound("map", id)
	}
	return m, err
}

// Update replaces a draft.
func (s *JourneyMap) Update(ctx context.Context, m journeymap.Map) error {
	draft, err := json.Marshal(m.Draft)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `UPDATE journey_map SET name = $4, persona_id = $5, segment_id = $6, draft = $7, rev = rev + 1, updated_at = $8
		WHERE workspace_id = $1 AND id = $2 AND rev = $3`, m.Workspace, m.ID, m.Rev, m.Name, m.Persona, m.Segment, string(draft), m.UpdatedAt)
	if err == nil && n == 0 {
		return errs.Conflict("map.changed", "the map has changed meanwhile; load it again and repeat the change")
	}
	return err
}

// Delete removes a map.
func (s *JourneyMap) Delete(ctx context.Context, ws, id string) (bool, error) {
	n, err := s.db.Exec(ctx, `DELETE FROM journey_map WHERE workspace_id = $1 AND id = $2`, ws, id)
	return n > 0, err
}

// List returns maps.
func (s *JourneyMap) List(ctx context.Context, ws string, f journeymap.Filter, p page.Request) (page.Of[journeymap.Map], error) {
	at, id := latestTime, ""
	if _, err := page.Decode(p.Cursor, &at, &id); err != nil {
		return page.Of[journeymap.Map]{}, err
	}
	found, err := sqldb.Collect(ctx, s.db, scanMap, `SELECT `+mapColumns+` FROM journey_map
		WHERE workspace_id = $1 AND (created_at, id) < ($2, $3) AND ($4 = '' OR persona_id = $4) AND lower(name) LIKE $6 ESCAPE '\'
		ORDER BY created_at DESC, id DESC LIMIT $5`, ws, at, id, f.Persona, p.Size()+1, contains(f.Text))
	return page.Cut(found, p.Size(), func(m journeymap.Map) string { return page.Encode(m.CreatedAt, m.ID) }), err
}

// Count counts the maps of a workspace.
func (s *JourneyMap) Count(ctx context.Context, ws string) (int, error) {
	return sqldb.One(ctx, s.db, sqldb.Value[int], `SELECT count(*) FROM journey_map WHERE workspace_id = $1`, ws)
}
