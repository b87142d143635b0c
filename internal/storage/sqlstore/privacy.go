package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Privacy keeps requests for erasure, refusals and the rules of intake.
type Privacy struct{ db *sqldb.DB }

var _ privacy.Store = (*Privacy)(nil)

// NewPrivacy returns the store of requests for erasure and refusals.
func NewPrivacy(db *sqldb.DB) *Privacy { return &Privacy{db} }

const requestColumns = `workspace_id, id, idem_key, person_id, mode, by_kind, by_id, by_name, state, step, plan, counts, proofs, caveats, error,
	created_at, updated_at, finished_at`

func scanRequest(r sqldb.Row) (x privacy.Request, err error) {
	var plan []byte
	var counts, proofs, caveats string
	if err := r.Scan(&x.Workspace, &x.ID, &x.Key, &x.Person, &x.Mode, &x.By.Kind, &x.By.ID, &x.By.Name, &x.State, &x.Step, &plan, &counts, &proofs, &caveats,
		&x.Error, &x.CreatedAt, &x.UpdatedAt, &x.FinishedAt); err != nil {
		return x, err
	}
	if len(plan) > 0 {
		x = x.WithSealed(plan)
	}
	return x, errors.Join(json.Unmarshal([]byte(counts), &x.Counts), json.Unmarshal([]byte(proofs), &x.Proofs), json.Unmarshal([]byte(caveats), &x.Caveats))
}

// Create implements privacy.Store.
func (s *Privacy) Create(ctx context.Context, r privacy.Request) (out privacy.Request, fresh bool, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		found, err := sqldb.Collect(ctx, s.db, scanRequest, `SELECT `+requestColumns+` FROM privacy_request
			WHERE workspace_id = $1 AND ($2 <> '' AND idem_key = $2 OR person_id = $3) ORDER BY id LIMIT 1`, r.Workspace, r.Key, r.Person)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			out, fresh = found[0], false
			return nil
		}
		out, fresh = r, true
		args, err := requestArgs(r)
		if err != nil {
			return err
		}
		_, err = s.db.Exec(ctx, `INSERT INTO privacy_request (`+requestColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`, args...)
		return err
	})
	return out, fresh, err
}

func requestArgs(r privacy.Request) ([]any, error) {
	counts, err1 := jsonList(r.Counts)
	proofs, err2 := jsonList(r.Proofs)
	caveats, err3 := jsonList(r.Caveats)
	plan := r.Sealed()
	if plan == nil {
		plan = []byte{}
	}
	return []any{
		r.Workspace, r.ID, r.Key, r.Person, string(r.Mode), r.By.Kind, r.By.ID, r.By.Name, string(r.State), int64(r.Step), plan, counts, proofs, caveats,
		r.Error, r.CreatedAt, r.UpdatedAt, r.FinishedAt,
	}, errors.Join(err1, err2, err3)
}

func jsonList[T any](list []T) (string, error) {
	if list == nil {
		return "[]", nil
	}
	b, err := json.Marshal(list)
	return string(b), err
}

// Update implements privacy.Store.
func (s *Privacy) Update(ctx context.Context, r privacy.Request) error {
	args, err := requestArgs(r)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, `UPDATE privacy_request SET person_id = $3, mode = $4, by_kind = $5, by_id = $6, by_name = $7, state = $8, step = $9, plan = $10, counts = $11,
			proofs = $12, caveats = $13, error = $14, updated_at = $15, finished_at = $16 WHERE workspace_id = $1 AND id = $2`,
			args[0], args[1], args[3], args[4], args[5], args[6], args[7], args[8], args[9], args[10], args[11], args[12], args[13], args[14], args[16], args[17])
		if err == nil && n == 0 {
			err = errs.NotFound("erasure", r.ID)
		}
		if err != nil {
			return err
		}
		rows := make([][]any, len(r.Proofs))
		for i, p := range r.Proofs {
			rows[i] = []any{r.Workspace, p.Hash, r.ID}
		}
		_, err = s.db.Bulk(ctx, `INSERT INTO privacy_proof (workspace_id, hash, request_id) VALUES ($1, $2, $3) ON CONFLICT (workspace_id, hash, request_id) DO NOTHING`, rows)
		return err
	})
}

// Get implements privacy.Store.
func (s *Privacy) Get(ctx context.Context, ws, id string) (privacy.Request, error) {
	return s.one(ctx, id, `workspace_id = $1 AND id = $2`, ws, id)
}

// ByKey implements privacy.Store.
func (s *Privacy) ByKey(ctx context.Context, ws, key string) (privacy.Request, error) {
	return s.one(ctx, key, `workspace_id = $1 AND idem_key <> '' AND idem_key = $2`, ws, key)
}

func (s *Privacy) one(ctx context.Context, name, where string, args ...any) (privacy.Request, error) {
	r, err := sqldb.One(ctx, s.db, scanRequest, `SELECT `+requestColumns+` FROM privacy_request WHERE `+where, args...)
	if errors.Is(err, sqldb.ErrNoRows) {
		return r, errs.NotFound("erasure", name)
	}
	return r, err
}

// List implements privacy.Store.
func (s *Privacy) List(ctx context.Context, ws, proof string, p page.Request) (page.Of[privacy.Request], error) {
	var before string
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[privacy.Request]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanRequest, `SELECT `+requestColumns+` FROM privacy_request WHERE workspace_id = $1 AND ($2 = '' OR id < $2)
		AND ($3 = '' OR id IN (SELECT request_id FROM privacy_proof WHERE workspace_id = $1 AND hash = $3)) ORDER BY id DESC LIMIT $4`, ws, before, proof, p.Size()+1)
	if err != nil {
		return page.Of[privacy.Request]{}, err
	}
	return page.Cut(items, p.Size(), func(x privacy.Request) string { return page.Encode(x.ID) }), nil
}

// Unfinished implements privacy.Store.
func (s *Privacy) Unfinished(ctx context.Context) ([]privacy.Request, error) {
	return sqldb.Collect(ctx, s.db, scanRequest, `SELECT `+requestColumns+` FROM privacy_request WHERE state <> 'done' ORDER BY id`)
}

// PutRefusals implements privacy.Store.
func (s *Privacy) PutRefusals(ctx context.Context, ws string, rs []privacy.Refusal) error {
	rows := make([][]any, len(rs))
	for i, r := range rs {
		rows[i] = []any{ws, r.Hash, r.Kind, r.Request, r.Hold, r.CreatedAt}
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Bulk(ctx, `INSERT INTO privacy_refusal (workspace_id, hash, kind, request_id, held, created_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (workspace_id, hash) DO UPDATE SET held = privacy_refusal.held AND excluded.held`, rows); err != nil {
			return err
		}
		return s.touch(ctx)
	})
}

// touch makes the version another one.
func (s *Privacy) touch(ctx context.Context) error {
	_, err := s.db.Exec(ctx, `INSERT INTO privacy_version (name, n) VALUES ('refusals', 1) ON CONFLICT (name) DO UPDATE SET n = privacy_version.n + 1`)
	return err
}

// DropRefusals implements privacy.Store.
func (s *Privacy) DropRefusals(ctx context.Context, ws string, hashes []string, held bool) (n int, err error) {
	clause, arg := s.db.In(3, hashes)
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		gone, err := s.db.Exec(ctx, `DELETE FROM privacy_refusal WHERE workspace_id = $1 AND (held OR NOT $2) AND hash `+clause, ws, held, arg)
		if n = int(gone); err != nil {
			return err
		}
		return s.touch(ctx)
	})
	return n, err
}

// Refusals implements privacy.Store.
func (s *Privacy) Refusals(ctx context.Context, ws string, p page.Request) (page.Of[privacy.Refusal], error) {
	var at int64
	var hash string
	after, err := page.Decode(p.Cursor, &at, &hash)
	if err != nil {
		return page.Of[privacy.Refusal]{}, err
	}
	more := ""
	args := []any{ws, p.Size() + 1}
	if after {
		more, args = ` AND (created_at, hash) < ($3, $4)`, append(args, at, hash)
	}
	items, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x privacy.Refusal, err error) {
		err = r.Scan(&x.Hash, &x.Kind, &x.Request, &x.Hold, &x.CreatedAt)
		return x, err
	}, `SELECT hash, kind, request_id, held, created_at FROM privacy_refusal WHERE workspace_id = $1`+more+` ORDER BY created_at DESC, hash DESC LIMIT $2`, args...)
	if err != nil {
		return page.Of[privacy.Refusal]{}, err
	}
	return page.Cut(items, p.Size(), func(x privacy.Refusal) string { return page.Encode(x.CreatedAt.UnixMicro(), x.Hash) }), nil
}

// AllRefusals implements privacy.Store.
func (s *Privacy) AllRefusals(ctx context.Context) (map[string][]string, error) {
	rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x [2]string, err error) {
		err = r.Scan(&x[0], &x[1])
		return x, err
	}, `SELECT workspace_id, hash FROM privacy_refusal`)
	out := map[string][]string{}
	for _, x := range rows {
		out[x[0]] = append(out[x[0]], x[1])
	}
	return out, err
}

// Version implements privacy.Store.
func (s *Privacy) Version(ctx context.Context) (int64, error) {
	n, err := sqldb.One(ctx, s.db, sqldb.Value[int64], `SELECT n FROM privacy_version WHERE name = 'refusals'`)
	if errors.Is(err, sqldb.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("version of the refusals: %w", err)
	}
	return n, nil
}

// Rules implements privacy.Store.
func (s *Privacy) Rules(ctx context.Context, ws string) (r privacy.Rules, err error) {
	raw, err := sqldb.One(ctx, s.db, sqldb.Value[string], `SELECT rules FROM privacy_rules WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(raw), &r)
	}
	return r, err
}

// PutRules implements privacy.Store.
func (s *Privacy) PutRules(ctx context.Context, ws string, r privacy.Rules) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, `INSERT INTO privacy_rules (workspace_id, rules) VALUES ($1, $2)
			ON CONFLICT (workspace_id) DO UPDATE SET rules = excluded.rules`, ws, string(raw)); err != nil {
			return err
		}
		return s.touch(ctx)
	})
}

// AllRules implements privacy.Store.
func (s *Privacy) AllRules(ctx context.Context) (map[string]privacy.Rules, error) {
	type row struct {
		ws    string
		rules privacy.Rules
	}
	found, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x row, err error) {
		var raw string
		if err = r.Scan(&x.ws, &raw); err == nil {
			err = json.Unmarshal([]byte(raw), &x.rules)
		}
		return x, err
	}, `SELECT workspace_id, rules FROM privacy_rules`)
	out := make(map[string]privacy.Rules, len(found))
	for _, x := range found {
		out[x.ws] = x.rules
	}
	return out, err
}
