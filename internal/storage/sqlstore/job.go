package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Job implements job.Store.
type Job struct{ db *sqldb.DB }

// NewJob returns the store of jobs on db.
func NewJob(db *sqldb.DB) *Job { return &Job{db} }

var _ job.Store = (*Job)(nil)

const jobColumns = `id, workspace_id, kind, job_key, title, actor, actor_name, params, state, done, total, figures, mark, files, code, error, attempts,
	cancelled, created_at, started_at, updated_at, ended_at, not_before, lease`

func scanJob(r sqldb.Row) (j job.Job, err error) {
	var params, figures, mark, files string
	if err = r.Scan(&j.ID, &j.Workspace, &j.Kind, &j.Key, &j.Title, &j.Actor, &j.ActorName, &params, (*string)(&j.State), &j.Done, &j.Total, &figures, &mark, &files,
		&j.Code, &j.Error, &j.Attempts, &j.Cancelled, &j.CreatedAt, &j.StartedAt, &j.UpdatedAt, &j.EndedAt, &j.NotBefore, &j.Lease); err != nil {
		return j, err
	}
	j.Params = json.RawMessage(params)
	if mark != "" {
		j.Mark = json.RawMessage(mark)
	}
	return j, errors.Join(json.Unmarshal([]byte(figures), &j.Figures), json.Unmarshal([]byte(files), &j.Files))
}

func jobJSON(j job.Job) (figures, files string, err error) {
	a, err1 := json.Marshal(j.Figures)
	b, err2 := json.Marshal(j.Files)
	return string(a), string(b), errors.Join(err1, err2)
}

// Insert adds a job.
func (s *Job) Insert(ctx context.Context, j job.Job) (job.Job, bool, error) {
	figures, files, err := jobJSON(j)
	if err != nil {
		return j, false, err
	}
	n, err := s.db.Exec(ctx, `INSERT INTO job (`+jobColumns+`, lease_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, 0)
		ON CONFLICT (workspace_id, job_key) DO NOTHING`,
		j.ID, j.Workspace, j.Kind, j.Key, j.Title, j.Actor, j.ActorName, string(j.Params), string(j.State), j.Done, j.Total, figures, string(j.Mark), files,
		j.Code, j.Error, j.Attempts, j.Cancelled, j.CreatedAt, j.StartedAt, j.UpdatedAt, j.EndedAt, j.NotBefore, j.Lease)
	if err != nil || n > 0 {
		return j, n > 0, err
	}
	j, err = sqldb.One(ctx, s.db, scanJob, `SELECT `+jobColumns+` FROM job WHERE workspace_id = $1 AND job_key = $2`, j.Workspace, j.Key)
	return j, false, err
}

// Again puts a job back into the queue.
func (s *Job) Again(ctx context.Context, j job.Job) (bool, error) {
	figures, _, err := jobJSON(j)
	if err != nil {
		return false, err
	}
	n, err := s.db.Exec(ctx, `UPDATE job SET state = 'queued', params = $3, title = $4, actor = $5, actor_name = $6, mark = $7, done = $8, total = $9, figures = $10,
			updated_at = $11, code = '', error = '', attempts = 0, cancelled = '', ended_at = 0, not_before = 0, lease = '', lease_until = 0
		WHERE workspace_id = $1 AND id = $2 AND state IN ('failed', 'cancelled')`,
		j.Workspace, j.ID, string(j.Params), j.Title, j.Actor, j.ActorName, string(j.Mark), j.Done, j.Total, figures, j.UpdatedAt)
	return n > 0, err
}

// Get returns a job.
func (s *Job) Get(ctx context.Context, ws, id string) (job.Job, error) {
	j, err := sqldb.One(ctx, s.db, scanJob, `SELECT `+jobColumns+` FROM job WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return j, errs.NotFound("job", id)
	}
	return j, err
}

// List returns jobs.
func (s *Job) List(ctx context.Context, ws string, f job.Filter, p page.Request) (page.Of[job.Job], error) {
	before := "~"
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[job.Job]{}, err
	}
	in, kinds := s.db.In(3, f.Kinds)
	items, err := sqldb.Collect(ctx, s.db, scanJob, `SELECT `+jobColumns+` FROM job
		WHERE workspace_id = $1 AND id < $2 AND kind `+in+` AND ($4 = '' OR actor = $4) AND ($5 = '' OR state = $5) AND ($6 = 0 OR ended_at = 0)
		ORDER BY id DESC LIMIT $7`, ws, before, kinds, f.Actor, string(f.State), flag(f.Active), p.Size()+1)
	return page.Cut(items, p.Size(), func(j job.Job) string { return page.Encode(j.ID) }), err
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Waiting counts jobs.
func (s *Job) Waiting(ctx context.Context, ws string) (int, error) {
	return sqldb.One(ctx, s.db, sqldb.Value[int], `SELECT COUNT(*) FROM job WHERE workspace_id = $1 AND ended_at = 0`, ws)
}

// Claim leases a job.
func (s *Job) Claim(ctx context.Context, kinds []string, lease string, now, until time.Time) (job.Job, bool, error) {
	in, list := s.db.In(1, kinds)
	j, err := sqldb.One(ctx, s.db, scanJob, `UPDATE job SET state = 'running', lease = $3, lease_until = $4, attempts = attempts + 1, updated_at = $2,
			started_at = CASE WHEN started_at = 0 THEN $2 ELSE started_at END
		WHERE id = (
			SELECT j.id FROM job j WHERE j.kind `+in+` AND j.ended_at = 0 AND j.not_before <= $2 AND j.lease_until <= $2
			ORDER BY (SELECT COUNT(*) FROM job o WHERE o.workspace_id = j.workspace_id AND o.ended_at = 0 AND o.lease_until > $2), j.id
			LIMIT 1 `+s.db.SkipLocked()+`)
		RETURNING `+jobColumns, list, now, lease, until)
	if errors.Is(err, sqldb.ErrNoRows) {
		return j, false, nil
	}
	return j, err == nil, err
}

// Save writes how far a job is.
func (s *Job) Save(ctx context.Context, j job.Job) (bool, error) {
	figures, files, err := jobJSON(j)
	if err != nil {
		return false, err
	}
	n, err := s.db.Exec(ctx, `UPDATE job SET done = $4, total = $5, figures = $6, mark = $7, files = $8, updated_at = $9, attempts = 0
		WHERE workspace_id = $1 AND id = $2 AND lease = $3 AND cancelled = '' AND ended_at = 0`,
		j.Workspace, j.ID, j.Lease, j.Done, j.Total, figures, string(j.Mark), files, j.UpdatedAt)
	return n > 0, err
}

// Renew prolongs a lease.
func (s *Job) Renew(ctx context.Context, ws, id, lease string, until time.Time) (bool, string, error) {
	by, err := sqldb.One(ctx, s.db, sqldb.Value[string], `UPDATE job SET lease_until = $4 WHERE workspace_id = $1 AND id = $2 AND lease = $3 AND ended_at = 0 RETURNING cancelled`,
		ws, id, lease, until)
	if errors.Is(err, sqldb.ErrNoRows) {
		return false, "", nil
	}
	return err == nil, by, err
}

// End writes how a job has ended.
func (s *Job) End(ctx context.Context, j job.Job) error {
	figures, files, err := jobJSON(j)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `UPDATE job SET state = $4, done = $5, total = $6, figures = $7, files = $8, code = $9, error = $10, attempts = $11, not_before = $12,
			updated_at = $13, ended_at = $14, lease = '', lease_until = 0
		WHERE workspace_id = $1 AND id = $2 AND lease = $3 AND ended_at = 0`,
		j.Workspace, j.ID, j.Lease, string(j.State), j.Done, j.Total, figures, files, j.Code, j.Error, j.Attempts, j.NotBefore, j.UpdatedAt, j.EndedAt)
	return err
}

// Cancel notes that a job is to end.
func (s *Job) Cancel(ctx context.Context, ws, id, by string, now time.Time) (job.Job, error) {
	if _, err := s.db.Exec(ctx, `UPDATE job SET cancelled = CASE WHEN cancelled = '' THEN $3 ELSE cancelled END, updated_at = $4,
			state = CASE WHEN lease_until <= $4 THEN 'cancelled' ELSE state END, ended_at = CASE WHEN lease_until <= $4 THEN $4 ELSE 0 END,
			lease = CASE WHEN lease_until <= $4 THEN '' ELSE lease END
		WHERE workspace_id = $1 AND id = $2 AND ended_at = 0`, ws, id, by, now); err != nil {
		return job.Job{}, err
	}
	return s.Get(ctx, ws, id)
}

// Release ends all leases.
func (s *Job) Release(ctx context.Context) error {
	_, err := s.db.Exec(ctx, `UPDATE job SET lease = '', lease_until = 0 WHERE ended_at = 0 AND lease <> ''`)
	return err
}

// Purge removes old jobs.
func (s *Job) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.db.Exec(ctx, `DELETE FROM job WHERE id IN (SELECT id FROM job WHERE ended_at > 0 AND ended_at < $1 ORDER BY ended_at LIMIT $2)`, before, limit)
}
