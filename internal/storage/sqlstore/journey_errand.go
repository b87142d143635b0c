package sqlstore

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

const errandColumns = `id, workspace_id, journey_id, version, instance_id, person_id, node, want, status, tries, due_at, lease_owner, answer, excerpt, created_at, ended_at`

func scanErrand(r sqldb.Row) (e journey.Errand, err error) {
	var want, answer string
	if err = r.Scan(&e.Key, &e.Workspace, &e.Journey, &e.Version, &e.Instance, &e.Person, &e.Node, &want, (*string)(&e.Status), &e.Tries,
		&e.Due, &e.Lease, &answer, &e.Excerpt, &e.CreatedAt, &e.EndedAt); err != nil {
		return e, err
	}
	if answer != "" {
		e.Answer = new(node.Answer)
		if err := json.Unmarshal([]byte(answer), e.Answer); err != nil {
			return e, err
		}
	}
	return e, json.Unmarshal([]byte(want), &e.Want)
}

// AddErrands adds errands.
func (s *Journey) AddErrands(ctx context.Context, all []journey.Errand) error {
	rows := make([][]any, len(all))
	for n, e := range all {
		want, err := json.Marshal(e.Want)
		if err != nil {
			return err
		}
		rows[n] = []any{e.Key, e.Workspace, e.Journey, e.Version, e.Instance, e.Person, e.Node, string(want), string(e.Status), e.Due, e.CreatedAt}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO journey_errand (id, workspace_id, journey_id, version, instance_id, person_id, node, want, status, tries, due_at,
			lease_owner, lease_until, answer, excerpt, created_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, '', 0, '', '', $11, 0)
		ON CONFLICT (id) DO UPDATE SET want = excluded.want, status = excluded.status, tries = 0, due_at = excluded.due_at, lease_owner = '',
			lease_until = 0, answer = '', excerpt = '', ended_at = 0 WHERE journey_errand.status IN ('failed', 'expired')`, rows)
	return err
}

// ErrandsDue returns the journeys with errands to do.
func (s *Journey) ErrandsDue(ctx context.Context, now time.Time) ([]journey.Place, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (p journey.Place, err error) {
		err = r.Scan(&p.Workspace, &p.Journey)
		return p, err
	}, `SELECT DISTINCT workspace_id, journey_id FROM journey_errand
		WHERE status = 'waiting' AND due_at <= $1 AND lease_until <= $1 ORDER BY workspace_id, journey_id`, now)
}

// ClaimErrands leases errands.
func (s *Journey) ClaimErrands(ctx context.Context, p journey.Place, now, until time.Time, lease string, limit int) ([]journey.Errand, error) {
	out, err := sqldb.Collect(ctx, s.db, scanErrand, `UPDATE journey_errand SET lease_owner = $3, lease_until = $4
		WHERE id IN (SELECT id FROM journey_errand
			WHERE workspace_id = $1 AND journey_id = $2 AND status = 'waiting' AND due_at <= $5 AND lease_until <= $5
			ORDER BY due_at, id LIMIT $6`+s.db.SkipLocked()+`)
		RETURNING `+errandColumns, p.Workspace, p.Journey, lease, until, now, limit)
	slices.SortFunc(out, func(a, b journey.Errand) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Key, b.Key)) })
	return out, err
}

// SaveErrand writes an errand that is held.
func (s *Journey) SaveErrand(ctx context.Context, e journey.Errand) (bool, error) {
	var answer string
	if e.Answer != nil {
		raw, err := json.Marshal(e.Answer)
		if err != nil {
			return false, err
		}
		answer = string(raw)
	}
	n, err := s.db.Exec(ctx, `UPDATE journey_errand SET status = $4, tries = $5, due_at = $6, answer = $7, excerpt = $8, ended_at = $9, lease_owner = '', lease_until = 0
		WHERE workspace_id = $1 AND id = $2 AND lease_owner = $3 AND status = 'waiting'`,
		e.Workspace, e.Key, e.Lease, string(e.Status), e.Tries, e.Due, answer, e.Excerpt, e.EndedAt)
	return n > 0, err
}

// ErrandsByKey returns errands.
func (s *Journey) ErrandsByKey(ctx context.Context, ws string, keys []string) ([]journey.Errand, error) {
	in, arg := s.db.In(2, keys)
	return sqldb.Collect(ctx, s.db, scanErrand, `SELECT `+errandColumns+` FROM journey_errand WHERE workspace_id = $1 AND id `+in, ws, arg)
}

// ErrandsOf returns the errands of an instance.
func (s *Journey) ErrandsOf(ctx context.Context, ws, instance string, limit int) ([]journey.Errand, error) {
	return sqldb.Collect(ctx, s.db, scanErrand, `SELECT `+errandColumns+` FROM journey_errand
		WHERE workspace_id = $1 AND instance_id = $2 ORDER BY created_at, id LIMIT $3`, ws, instance, limit)
}

// PurgeErrands deletes old errands.
func (s *Journey) PurgeErrands(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.db.Exec(ctx, `DELETE FROM journey_errand WHERE id IN (SELECT id FROM journey_errand WHERE status <> 'waiting' AND ended_at < $1 LIMIT $2)`, before, limit)
}

// Passed counts rounds that have left a node.
func (s *Journey) Passed(ctx context.Context, ws, id, node string, before time.Time) ([]journey.Passed, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (p journey.Passed, err error) {
		err = r.Scan(&p.Output, &p.People, &p.Goals)
		return p, err
	}, `SELECT s.output, COUNT(DISTINCT s.instance_id), COUNT(DISTINCT CASE WHEN i.goal_at > 0 THEN s.instance_id END)
		FROM journey_step s JOIN journey_instance i ON i.id = s.instance_id
		WHERE s.workspace_id = $1 AND s.journey_id = $2 AND s.node = $3 AND s.left_at <= $4 AND s.output <> '' GROUP BY s.output ORDER BY s.output`, ws, id, node, before)
}

func scanDecision(r sqldb.Row) (d journey.Decision, err error) {
	var detail string
	if err = r.Scan(&d.Workspace, &d.Journey, &d.Test, &detail, &d.DecidedAt); err != nil {
		return d, err
	}
	return d, json.Unmarshal([]byte(detail), &d)
}

// Decide keeps a decision.
func (s *Journey) Decide(ctx context.Context, d journey.Decision) (journey.Decision, error) {
	detail, err := json.Marshal(d)
	if err != nil {
		return d, err
	}
	if _, err := s.db.Exec(ctx, `INSERT INTO journey_decision (workspace_id, journey_id, test, detail, decided_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		d.Workspace, d.Journey, d.Test, string(detail), d.DecidedAt); err != nil {
		return d, err
	}
	return sqldb.One(ctx, s.db, scanDecision, `SELECT workspace_id, journey_id, test, detail, decided_at FROM journey_decision
		WHERE workspace_id = $1 AND journey_id = $2 AND test = $3`, d.Workspace, d.Journey, d.Test)
}

// Decisions returns the decided tests.
func (s *Journey) Decisions(ctx context.Context, ws, id string) ([]journey.Decision, error) {
	return sqldb.Collect(ctx, s.db, scanDecision, `SELECT workspace_id, journey_id, test, detail, decided_at FROM journey_decision
		WHERE workspace_id = $1 AND journey_id = $2 ORDER BY test`, ws, id)
}

const secretColumns = `id, workspace_id, name, sealed, created_at, updated_at`

func scanSecret(r sqldb.Row) (x journey.Secret, err error) {
	var sealed string
	if err = r.Scan(&x.ID, &x.Workspace, &x.Name, &sealed, &x.CreatedAt, &x.UpdatedAt); err != nil {
		return x, err
	}
	x.Sealed, err = base64.StdEncoding.DecodeString(sealed)
	return x, err
}

// PutSecret adds or replaces a secret.
func (s *Journey) PutSecret(ctx context.Context, x journey.Secret) error {
	_, err := s.db.Exec(ctx, `INSERT INTO journey_secret (`+secretColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, sealed = excluded.sealed, updated_at = excluded.updated_at
		WHERE journey_secret.workspace_id = excluded.workspace_id`,
		x.ID, x.Workspace, x.Name, base64.StdEncoding.EncodeToString(x.Sealed), x.CreatedAt, x.UpdatedAt)
	return err
}

// Secret returns a secret.
func (s *Journey) Secret(ctx context.Context, ws, id string) (journey.Secret, error) {
	x, err := sqldb.One(ctx, s.db, scanSecret, `SELECT `+secretColumns+` FROM journey_secret WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return x, errs.NotFound("journey_secret", id)
	}
	return x, err
}

// Secrets lists secrets.
func (s *Journey) Secrets(ctx context.Context, ws string, p page.Request) (page.Of[journey.Secret], error) {
	before := "~"
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[journey.Secret]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanSecret, `SELECT `+secretColumns+` FROM journey_secret
		WHERE workspace_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, ws, before, p.Size()+1)
	return page.Cut(items, p.Size(), func(x journey.Secret) string { return page.Encode(x.ID) }), err
}

// DeleteSecret removes a secret.
func (s *Journey) DeleteSecret(ctx context.Context, ws, id string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM journey_secret WHERE workspace_id = $1 AND id = $2`, ws, id)
	return err
}
