package sqlstore

import (
	"context"
	"errors"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Hashing implements person.Store.
func (s *Person) Hashing(ctx context.Context, ws string) (bool, error) {
	_, err := sqldb.One(ctx, s.db, sqldb.Value[string], `SELECT workspace_id FROM person_hashing WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// BeginHashing implements person.Store.
func (s *Person) BeginHashing(ctx context.Context, ws string) error {
	_, err := s.db.Exec(ctx, `INSERT INTO person_hashing (workspace_id, after_kind, after_value, done) VALUES ($1, '', '', $2)
		ON CONFLICT (workspace_id) DO NOTHING`, ws, false)
	return err
}

// Spellings implements person.Store.
func (s *Person) Spellings(ctx context.Context, ws string, hashes []event.Identifier) ([]person.Spelling, error) {
	values := map[string][]string{}
	for _, id := range hashes {
		values[id.Kind] = append(values[id.Kind], id.Value)
	}
	var out []person.Spelling
	for kind, of := range values {
		clause, arg := s.db.In(3, of)
		rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x person.Spelling, err error) {
			err = r.Scan(&x.Hash.Kind, &x.Hash.Value, &x.Of)
			return x, err
		}, `SELECT kind, hash, value FROM person_spelling WHERE workspace_id = $1 AND kind = $2 AND hash `+clause, ws, kind, arg)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// AddSpellings implements person.Store.
func (s *Person) AddSpellings(ctx context.Context, ws string, rows []person.Spelling) error {
	args := make([][]any, len(rows))
	for i, x := range rows {
		args[i] = []any{ws, x.Hash.Kind, x.Hash.Value, x.Of}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO person_spelling (workspace_id, kind, hash, value) VALUES ($1, $2, $3, $4)
		ON CONFLICT (workspace_id, kind, hash) DO NOTHING`, args)
	return err
}

// HashBuilds implements person.Store.
func (s *Person) HashBuilds(ctx context.Context, limit int) ([]person.HashBuild, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x person.HashBuild, err error) {
		err = r.Scan(&x.Workspace, &x.After.Kind, &x.After.Value)
		return x, err
	}, `SELECT workspace_id, after_kind, after_value FROM person_hashing WHERE done = $1 ORDER BY workspace_id LIMIT $2`, false, limit)
}

// SetHashBuild implements person.Store.
func (s *Person) SetHashBuild(ctx context.Context, b person.HashBuild, done bool) error {
	_, err := s.db.Exec(ctx, `UPDATE person_hashing SET after_kind = $2, after_value = $3, done = $4 WHERE workspace_id = $1`, b.Workspace, b.After.Kind, b.After.Value, done)
	return err
}

// LinksAfter implements person.Store.
func (s *Person) LinksAfter(ctx context.Context, ws string, after event.Identifier, limit int) ([]person.Link, error) {
	return sqldb.Collect(ctx, s.db, scanLink, `SELECT `+linkColumns+` FROM person_identifier
		WHERE workspace_id = $1 AND (kind > $2 OR kind = $2 AND value > $3) ORDER BY kind, value LIMIT $4`, ws, after.Kind, after.Value, limit)
}
