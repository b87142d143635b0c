package sqlstore

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

const suggestionColumns = `id, one, two, status, score, evidence, first_at, last_at, note, decided_by, decided`

func scanSuggestion(r sqldb.Row) (x person.SuggestionRow, err error) {
	err = r.Scan(&x.ID, &x.One, &x.Two, (*string)(&x.Status), &x.Score, &x.Evidence, &x.First, &x.Last, &x.Note, &x.By, &x.Decided)
	return x, err
}

// SuggestionsOf implements person.Store.
func (s *Person) SuggestionsOf(ctx context.Context, ws string, people []uint64) ([]person.SuggestionRow, error) {
	if len(people) == 0 {
		return nil, nil
	}
	clause, arg := s.db.InInts(2, signed(people))
	found, err := sqldb.Collect(ctx, s.db, scanSuggestion, `SELECT `+suggestionColumns+` FROM person_suggestion WHERE workspace_id = $1 AND one `+clause, ws, arg)
	if err != nil {
		return nil, err
	}
	second, err := sqldb.Collect(ctx, s.db, scanSuggestion, `SELECT `+suggestionColumns+` FROM person_suggestion WHERE workspace_id = $1 AND two `+clause, ws, arg)
	for _, x := range second {
		if !slices.ContainsFunc(found, func(y person.SuggestionRow) bool { return y.ID == x.ID }) {
			found = append(found, x)
		}
	}
	return found, err
}

// SaveSuggestions implements person.Store.
func (s *Person) SaveSuggestions(ctx context.Context, ws string, rows []person.SuggestionRow) error {
	args := make([][]any, len(rows))
	for i, x := range rows {
		args[i] = []any{ws, x.ID, int64(x.One), int64(x.Two), string(x.Status), x.Score, x.Evidence, x.First, x.Last, x.Note, x.By, x.Decided}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO person_suggestion (workspace_id, `+suggestionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (workspace_id, id) DO UPDATE SET one = excluded.one, two = excluded.two, status = excluded.status, score = excluded.score, evidence = excluded.evidence,
		first_at = excluded.first_at, last_at = excluded.last_at, note = excluded.note, decided_by = excluded.decided_by, decided = excluded.decided`, args)
	return err
}

// AddSuggestionSources implements person.Store.
func (s *Person) AddSuggestionSources(ctx context.Context, ws string, rows []person.SuggestionSource) error {
	args := make([][]any, len(rows))
	for i, x := range rows {
		args[i] = []any{ws, x.Source, x.Suggestion}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO person_suggestion_source (workspace_id, source, suggestion_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, args)
	return err
}

// DropSuggestions implements person.Store.
func (s *Person) DropSuggestions(ctx context.Context, ws string, heirs map[string]string) error {
	if len(heirs) == 0 {
		return nil
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		for id, heir := range heirs {
			if _, err := s.db.Exec(ctx, `INSERT INTO person_suggestion_source (workspace_id, source, suggestion_id) SELECT workspace_id, source, $3 FROM person_suggestion_source
				WHERE workspace_id = $1 AND suggestion_id = $2 ON CONFLICT DO NOTHING`, ws, id, heir); err != nil {
				return err
			}
		}
		clause, arg := s.db.In(2, slices.Collect(maps.Keys(heirs)))
		for _, table := range []string{"person_suggestion_source WHERE workspace_id = $1 AND suggestion_id ", "person_suggestion WHERE workspace_id = $1 AND id "} {
			if _, err := s.db.Exec(ctx, `DELETE FROM `+table+clause, ws, arg); err != nil {
				return err
			}
		}
		return nil
	})
}

// Suggestion implements person.Store.
func (s *Person) Suggestion(ctx context.Context, ws, id string) (person.SuggestionRow, error) {
	x, err := sqldb.One(ctx, s.db, scanSuggestion, `SELECT `+suggestionColumns+` FROM person_suggestion WHERE workspace_id = $1 AND id = $2`, ws, id)
	return x, notFound(err, "suggestion", id)
}

// Suggestions implements person.Store.
func (s *Person) Suggestions(ctx context.Context, ws string, status person.SuggestionStatus, source string, after person.SuggestionRow, limit int) ([]person.SuggestionRow, error) {
	return sqldb.Collect(ctx, s.db, scanSuggestion, `SELECT `+suggestionColumns+` FROM person_suggestion
		WHERE workspace_id = $1 AND status = $2 AND ($4 = '' OR score < $3 OR score = $3 AND id < $4)
			AND ($6 = '' OR id IN (SELECT suggestion_id FROM person_suggestion_source WHERE workspace_id = $1 AND source = $6))
		ORDER BY score DESC, id DESC LIMIT $5`, ws, string(status), after.Score, after.ID, limit, source)
}

// CountSuggestions implements person.Store.
func (s *Person) CountSuggestions(ctx context.Context, ws, source string) (int64, error) {
	return sqldb.One(ctx, s.db, sqldb.Value[int64], `SELECT COUNT(*) FROM person_suggestion_source f JOIN person_suggestion s ON s.workspace_id = f.workspace_id AND s.id = f.suggestion_id
		WHERE f.workspace_id = $1 AND f.source = $2 AND s.status <> $3`, ws, source, string(person.Joined))
}

// SaveLikenesses implements person.Store.
func (s *Person) SaveLikenesses(ctx context.Context, ws string, people []uint64, rows []person.Likeness) error {
	if len(people) == 0 {
		return nil
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		clause, arg := s.db.InInts(2, signed(people))
		if _, err := s.db.Exec(ctx, `DELETE FROM person_likeness WHERE workspace_id = $1 AND person `+clause, ws, arg); err != nil {
			return err
		}
		args := make([][]any, len(rows))
		for i, x := range rows {
			args[i] = []any{ws, x.Key, int64(x.Person)}
		}
		_, err := s.db.Bulk(ctx, `INSERT INTO person_likeness (workspace_id, likeness, person) VALUES ($1, $2, $3)`, args)
		return err
	})
}

// Alike implements person.Store.
func (s *Person) Alike(ctx context.Context, ws string, keys []string) ([]person.Likeness, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	clause, arg := s.db.In(2, keys)
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x person.Likeness, err error) {
		err = r.Scan(&x.Key, &x.Person)
		return x, err
	}, `SELECT l.likeness, l.person FROM person_likeness l JOIN person p ON p.workspace_id = l.workspace_id AND p.num = l.person AND p.redirect = 0
		WHERE l.workspace_id = $1 AND l.likeness `+clause+` ORDER BY l.likeness, l.person`, ws, arg)
}

// Look implements person.Store.
func (s *Person) Look(ctx context.Context, ws string) (person.Look, error) {
	x, err := sqldb.One(ctx, s.db, func(r sqldb.Row) (x person.Look, err error) {
		err = r.Scan(&x.Before, &x.Started, &x.Second, &x.Done)
		return x, err
	}, `SELECT before_num, started, second_time, done FROM person_look WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return person.Look{}, nil
	}
	return x, err
}

// SetLook implements person.Store.
func (s *Person) SetLook(ctx context.Context, ws string, l person.Look) error {
	_, err := s.db.Exec(ctx, `INSERT INTO person_look (workspace_id, before_num, started, second_time, done) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (workspace_id) DO UPDATE SET before_num = excluded.before_num, started = excluded.started, second_time = excluded.second_time, done = excluded.done`, ws, int64(l.Before), l.Started, l.Second, l.Done)
	return err
}
