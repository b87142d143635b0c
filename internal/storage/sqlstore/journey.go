package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Journey implements journey.Store.
type Journey struct{ db *sqldb.DB }

// NewJourney returns the store of journeys on db.
func NewJourney(db *sqldb.DB) *Journey { return &Journey{db} }

var _ journey.Store = (*Journey)(nil)

const journeyColumns = `id, workspace_id, COALESCE(name_key, ''), name, status, draft, published, draining, rev, created_at, updated_at`

func scanJourney(r sqldb.Row) (j journey.Journey, err error) {
	var draft string
	if err = r.Scan(&j.ID, &j.Workspace, &j.Key, &j.Name, (*string)(&j.Status), &draft, &j.Published, &j.Draining, &j.Rev, &j.CreatedAt, &j.UpdatedAt); err != nil {
		return j, err
	}
	return j, json.Unmarshal([]byte(draft), &j.Draft)
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Create adds a journey.
func (s *Journey) Create(ctx context.Context, j journey.Journey) error {
	draft, err := json.Marshal(j.Draft)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO journey (id, workspace_id, name_key, name, status, draft, published, draining, rev, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		j.ID, j.Workspace, orNull(j.Key), j.Name, string(j.Status), string(draft), j.Published, j.Draining, j.Rev, j.CreatedAt, j.UpdatedAt)
	if sqldb.IsUnique(err) {
		return errs.Conflict("journey.key_taken", "the journey %q has been made already", j.Key).With(err)
	}
	return err
}

// Get returns a journey.
func (s *Journey) Get(ctx context.Context, ws, id string) (journey.Journey, error) {
	return s.one(ctx, id, `workspace_id = $1 AND id = $2`, ws, id)
}

// ByKey returns the journey with the name key.
func (s *Journey) ByKey(ctx context.Context, ws, key string) (journey.Journey, error) {
	return s.one(ctx, key, `workspace_id = $1 AND name_key = $2`, ws, key)
}

func (s *Journey) one(ctx context.Context, id, where string, args ...any) (journey.Journey, error) {
	j, err := sqldb.One(ctx, s.db, scanJourney, `SELECT `+journeyColumns+` FROM journey WHERE `+where, args...)
	if errors.Is(err, sqldb.ErrNoRows) {
		return j, errs.NotFound("journey", id)
	}
	return j, err
}

// List returns journeys, latest made first.
func (s *Journey) List(ctx context.Context, ws string, f journey.Filter, p page.Request) (page.Of[journey.Journey], error) {
	after := "~" // after every id
	if _, err := page.Decode(p.Cursor, &after); err != nil {
		return page.Of[journey.Journey]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanJourney, `SELECT `+journeyColumns+` FROM journey
		WHERE workspace_id = $1 AND id < $2 AND (status = $5 OR $5 = '' AND status <> 'archived') AND lower(name) LIKE $4 ESCAPE '\' ORDER BY id DESC LIMIT $3`, ws, after, p.Size()+1, contains(f.Text), string(f.Status))
	return page.Cut(items, p.Size(), func(j journey.Journey) string { return page.Encode(j.ID) }), err
}

// Update replaces a journey.
func (s *Journey) Update(ctx context.Context, j journey.Journey) error {
	draft, err := json.Marshal(j.Draft)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `UPDATE journey SET name = $4, status = $5, draft = $6, published = $7, draining = $8, updated_at = $9, name_key = $10, rev = rev + 1
		WHERE workspace_id = $1 AND id = $2 AND rev = $3`,
		j.Workspace, j.ID, j.Rev, j.Name, string(j.Status), string(draft), j.Published, j.Draining, j.UpdatedAt, orNull(j.Key))
	if err == nil && n == 0 {
		if _, err := s.Get(ctx, j.Workspace, j.ID); err != nil {
			return err
		}
		return errs.Conflict("journey.changed", "someone else has changed this journey; load it again and repeat the change")
	}
	return err
}

func scanVersion(r sqldb.Row) (v journey.Version, err error) {
	var graph string
	if err = r.Scan(&v.Workspace, &v.Journey, &v.Number, &graph, &v.CreatedAt); err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(graph), &v.Graph)
}

// AddVersion adds a version.
func (s *Journey) AddVersion(ctx context.Context, v journey.Version) error {
	graph, err := json.Marshal(v.Graph)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO journey_version (workspace_id, journey_id, version, graph, created_at) VALUES ($1, $2, $3, $4, $5)`,
		v.Workspace, v.Journey, v.Number, string(graph), v.CreatedAt)
	if sqldb.IsUnique(err) {
		return errs.Conflict("journey.changed", "version %d has been published already; load the journey again", v.Number).With(err)
	}
	return err
}

// Version returns a version.
func (s *Journey) Version(ctx context.Context, ws, id string, number int) (journey.Version, error) {
	v, err := sqldb.One(ctx, s.db, scanVersion, `SELECT workspace_id, journey_id, version, graph, created_at FROM journey_version
		WHERE workspace_id = $1 AND journey_id = $2 AND version = $3`, ws, id, number)
	if errors.Is(err, sqldb.ErrNoRows) {
		return v, errs.NotFound("journey_version", fmt.Sprintf("%s/%d", id, number))
	}
	return v, err
}

// Versions returns all versions, latest first.
func (s *Journey) Versions(ctx context.Context, ws, id string) ([]journey.Version, error) {
	return sqldb.Collect(ctx, s.db, scanVersion, `SELECT workspace_id, journey_id, version, graph, created_at FROM journey_version
		WHERE workspace_id = $1 AND journey_id = $2 ORDER BY version DESC`, ws, id)
}

// Stamp changes with every change of a journey: rows are never deleted and rev only grows.
func (s *Journey) Stamp(ctx context.Context) (int64, error) {
	return sqldb.One(ctx, s.db, sqldb.Value[int64], `SELECT CAST(COALESCE(SUM(rev), 0) AS BIGINT) FROM journey`)
}

// Running returns the journeys that are live, paused or stopped.
func (s *Journey) Running(ctx context.Context) ([]journey.Journey, error) {
	return sqldb.Collect(ctx, s.db, scanJourney, `SELECT `+journeyColumns+` FROM journey WHERE status IN ('live', 'paused', 'stopped') ORDER BY id`)
}

// Inhabited returns the versions with people inside.
func (s *Journey) Inhabited(ctx context.Context, ws, id string) ([]int, error) {
	return sqldb.Collect(ctx, s.db, sqldb.Value[int], `SELECT DISTINCT version FROM journey_count
		WHERE workspace_id = $1 AND journey_id = $2 AND node = '' AND what IN ('inside', 'control_inside') AND n > 0 ORDER BY version`, ws, id)
}

// Draining returns the journeys that take everybody out.
func (s *Journey) Draining(ctx context.Context) ([]journey.Journey, error) {
	return sqldb.Collect(ctx, s.db, scanJourney, `SELECT `+journeyColumns+` FROM journey WHERE draining ORDER BY id`)
}

// AddCounts adds to the counts.
func (s *Journey) AddCounts(ctx context.Context, counts []journey.Count) error {
	if len(counts) == 0 {
		return nil
	}
	rows := make([][]any, len(counts))
	for i, c := range counts {
		rows[i] = []any{c.Workspace, c.Journey, c.Version, c.Node, c.What, c.N}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO journey_count (workspace_id, journey_id, version, node, what, n) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (journey_id, version, node, what) DO UPDATE SET n = journey_count.n + excluded.n`, rows)
	return err
}

// Counts returns the counts of all versions.
func (s *Journey) Counts(ctx context.Context, ws, id string) ([]journey.Count, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (c journey.Count, err error) {
		err = r.Scan(&c.Workspace, &c.Journey, &c.Version, &c.Node, &c.What, &c.N)
		return c, err
	}, `SELECT workspace_id, journey_id, version, node, what, n FROM journey_count WHERE workspace_id = $1 AND journey_id = $2`, ws, id)
}

// AddSteps appends to the log of paths.
func (s *Journey) AddSteps(ctx context.Context, steps []journey.Step) error {
	if len(steps) == 0 {
		return nil
	}
	rows := make([][]any, len(steps))
	for i, st := range steps {
		reason, err := writeReason(st.Reason)
		if err != nil {
			return err
		}
		rows[i] = []any{
			st.Workspace, st.Journey, st.Version, st.Instance, st.Person, st.Seq, st.Node, st.Kind, st.Arrived, st.Left,
			st.Output, st.Why, reason, st.MessageID, st.Refused,
		}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO journey_step (`+stepColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`, rows)
	return err
}

const stepColumns = `workspace_id, journey_id, version, instance_id, person_id, seq, node, kind, arrived_at, left_at, output, why, reason, message_id, refused`

// Steps returns the path of an instance.
func (s *Journey) Steps(ctx context.Context, ws, instance string) ([]journey.Step, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (st journey.Step, err error) {
		var reason string
		err = r.Scan(&st.Workspace, &st.Journey, &st.Version, &st.Instance, &st.Person, &st.Seq, &st.Node, &st.Kind, &st.Arrived, &st.Left,
			&st.Output, &st.Why, &reason, &st.MessageID, &st.Refused)
		st.Reason = readReason(reason)
		return st, err
	}, `SELECT `+stepColumns+` FROM journey_step WHERE workspace_id = $1 AND instance_id = $2 ORDER BY seq`, ws, instance)
}
