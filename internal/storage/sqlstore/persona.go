package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/persona"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Persona implements persona.Store.
type Persona struct{ db *sqldb.DB }

// NewPersona returns the store of personas on db.
func NewPersona(db *sqldb.DB) *Persona { return &Persona{db} }

var _ persona.Store = (*Persona)(nil)

const personaColumns = `workspace_id, id, draft, picture, rev, created_at, updated_at`

func scanPersona(r sqldb.Row) (p persona.Persona, err error) {
	var draft string
	if err = r.Scan(&p.Workspace, &p.ID, &draft, &p.Picture, &p.Rev, &p.CreatedAt, &p.UpdatedAt); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(draft), &p.Draft)
}

// written is what is stored of a draft: JSON, picture, key of the name, text to search.
func written(d persona.Draft) (draft string, picture []byte, key, search string, err error) {
	raw, err := json.Marshal(d)
	if picture = d.Picture; picture == nil {
		picture = []byte{}
	}
	return string(raw), picture, strings.ToLower(d.Name), strings.ToLower(d.Name + "\n" + d.Role), err
}

func personaTaken(err error, p persona.Persona) error {
	if sqldb.IsUnique(err) {
		return errs.Conflict("persona.name.taken", "there is a persona called %q already; choose another name", p.Name)
	}
	return err
}

// Create adds a persona.
func (s *Persona) Create(ctx context.Context, p persona.Persona) error {
	draft, picture, key, search, err := written(p.Draft)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO persona (workspace_id, id, name, name_key, search, segment_id, draft, picture, rev, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, p.Workspace, p.ID, p.Name, key, search, p.Segment, draft, picture, p.Rev, p.CreatedAt, p.UpdatedAt)
	return personaTaken(err, p)
}

// Get returns a persona.
func (s *Persona) Get(ctx context.Context, ws, id string) (persona.Persona, error) {
	p, err := sqldb.One(ctx, s.db, scanPersona, `SELECT `+personaColumns+` FROM persona WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return p, errs.NotFound("persona", id)
	}
	return p, err
}

// Update replaces a draft.
func (s *Persona) Update(ctx context.Context, p persona.Persona) error {
	draft, picture, key, search, err := written(p.Draft)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `UPDATE persona SET name = $4, name_key = $5, search = $6, segment_id = $7, draft = $8, picture = $9, rev = rev + 1, updated_at = $10
		WHERE workspace_id = $1 AND id = $2 AND rev = $3`, p.Workspace, p.ID, p.Rev, p.Name, key, search, p.Segment, draft, picture, p.UpdatedAt)
	if err == nil && n == 0 {
		return errs.Conflict("persona.changed", "the persona has changed meanwhile; load it again and repeat the change")
	}
	return personaTaken(err, p)
}

// Delete removes a persona.
func (s *Persona) Delete(ctx context.Context, ws, id string) (bool, error) {
	var n int64
	err := s.db.InTx(ctx, func(ctx context.Context) (err error) {
		if n, err = s.db.Exec(ctx, `DELETE FROM persona WHERE workspace_id = $1 AND id = $2`, ws, id); err != nil || n == 0 {
			return err
		}
		_, err = s.db.Exec(ctx, `UPDATE journey_map SET persona_id = '' WHERE workspace_id = $1 AND persona_id = $2`, ws, id)
		return err
	})
	return n > 0, err
}

// List returns personas by name.
func (s *Persona) List(ctx context.Context, ws, text string, p page.Request) (page.Of[persona.Persona], error) {
	key, id := "", ""
	if _, err := page.Decode(p.Cursor, &key, &id); err != nil {
		return page.Of[persona.Persona]{}, err
	}
	found, err := sqldb.Collect(ctx, s.db, scanPersona, `SELECT `+personaColumns+` FROM persona
		WHERE workspace_id = $1 AND (name_key, id) > ($2, $3) AND search LIKE $4 ESCAPE '\' ORDER BY name_key, id LIMIT $5`,
		ws, key, id, "%"+escapeLike.Replace(strings.ToLower(text))+"%", p.Size()+1)
	return page.Cut(found, p.Size(), func(p persona.Persona) string { return page.Encode(strings.ToLower(p.Name), p.ID) }), err
}

// Count counts the personas of a workspace.
func (s *Persona) Count(ctx context.Context, ws string) (int, error) {
	return sqldb.One(ctx, s.db, sqldb.Value[int], `SELECT count(*) FROM persona WHERE workspace_id = $1`, ws)
}
