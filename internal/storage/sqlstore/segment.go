package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Segment implements segment.Store.
type Segment struct{ db *sqldb.DB }

// NewSegment returns the store of segments and lists on db.
func NewSegment(db *sqldb.DB) *Segment { return &Segment{db} }

var _ segment.Store = (*Segment)(nil)

// Revision returns how often the workspace's sets were changed.
func (s *Segment) Revision(ctx context.Context, ws string) (uint64, error) {
	n, err := sqldb.One(ctx, s.db, sqldb.Value[int64], `SELECT revision FROM segment_revision WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return 0, nil
	}
	return uint64(n), err
}

// Revisions returns the revisions of all workspaces.
func (s *Segment) Revisions(ctx context.Context) (map[string]uint64, error) {
	type row struct {
		ws string
		n  int64
	}
	rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (v row, err error) {
		err = r.Scan(&v.ws, &v.n)
		return v, err
	}, `SELECT workspace_id, revision FROM segment_revision`)
	out := make(map[string]uint64, len(rows))
	for _, v := range rows {
		out[v.ws] = uint64(v.n)
	}
	return out, err
}

// Advance moves the revision on from from.
func (s *Segment) Advance(ctx context.Context, ws string, from uint64) error {
	n, err := s.db.Exec(ctx, `INSERT INTO segment_revision (workspace_id, revision) VALUES ($1, $2)
		ON CONFLICT (workspace_id) DO UPDATE SET revision = excluded.revision WHERE segment_revision.revision = $3`,
		ws, int64(from)+1, int64(from))
	if err == nil && n == 0 {
		return segment.ErrStale
	}
	return err
}

const segmentColumns = `id, name, description, rule, rule_version, rev, status, state, failure, progress_done, progress_total,
	size, version, created_at, updated_at, evaluated_at`

func scanSegment(r sqldb.Row) (g segment.Segment, err error) {
	var raw string
	err = r.Scan(&g.ID, &g.Name, &g.Description, &raw, &g.RuleVersion, &g.Rev, (*string)(&g.Status), (*string)(&g.State), &g.Failure,
		&g.Progress.Done, &g.Progress.Total, &g.Size, &g.Version, &g.CreatedAt, &g.UpdatedAt, &g.EvaluatedAt)
	g.Rule = []byte(raw)
	return g, err
}

func segmentNameTaken(err error, name string) error {
	if sqldb.IsUnique(err) {
		return errs.Conflict("segment.name.taken", "there is an active segment named %q already; choose another name", name).With(err)
	}
	return err
}

// CreateSegment adds a segment.
func (s *Segment) CreateSegment(ctx context.Context, ws string, g segment.Segment) error {
	_, err := s.db.Exec(ctx, `INSERT INTO segment (workspace_id, name_key, `+segmentColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		ws, strings.ToLower(g.Name), g.ID, g.Name, g.Description, string(g.Rule), g.RuleVersion, g.Rev, g.Status, g.State, g.Failure,
		g.Progress.Done, g.Progress.Total, g.Size, g.Version, g.CreatedAt, g.UpdatedAt, g.EvaluatedAt)
	return segmentNameTaken(err, g.Name)
}

// UpdateSegment replaces what is not counted from the members.
func (s *Segment) UpdateSegment(ctx context.Context, ws string, g segment.Segment) error {
	n, err := s.db.Exec(ctx, `UPDATE segment SET name_key = $3, name = $4, description = $5, rule = $6, rule_version = $7, status = $8,
		state = $9, failure = $10, progress_done = $11, progress_total = $12, updated_at = $13, evaluated_at = $14, rev = $15
		WHERE workspace_id = $1 AND id = $2`,
		ws, g.ID, strings.ToLower(g.Name), g.Name, g.Description, string(g.Rule), g.RuleVersion, g.Status,
		g.State, g.Failure, g.Progress.Done, g.Progress.Total, g.UpdatedAt, g.EvaluatedAt, g.Rev)
	if err == nil && n == 0 {
		return errs.NotFound("segment", g.ID)
	}
	return segmentNameTaken(err, g.Name)
}

// Segment returns one segment.
func (s *Segment) Segment(ctx context.Context, ws, id string) (segment.Segment, error) {
	g, err := sqldb.One(ctx, s.db, scanSegment, `SELECT `+segmentColumns+` FROM segment WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return g, errs.NotFound("segment", id)
	}
	return g, err
}

// lastID sorts behind every id.
const lastID = "\U0010FFFF"

// likeAny makes a LIKE pattern for "contains text" out of folded text.
func likeAny(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text)) + "%"
}

// Segments lists segments.
func (s *Segment) Segments(ctx context.Context, ws string, f segment.Filter, p page.Request) (page.Of[segment.Segment], error) {
	before := lastID
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[segment.Segment]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanSegment, `SELECT `+segmentColumns+` FROM segment
		WHERE workspace_id = $1 AND id < $2 AND ($3 = '' OR status = $3) AND name_key LIKE $4 ESCAPE '\'
		ORDER BY id DESC LIMIT $5`, ws, before, f.Status, likeAny(f.Text), p.Size()+1)
	return page.Cut(items, p.Size(), func(g segment.Segment) string { return page.Encode(g.ID) }), err
}

// AllSegments returns all segments.
func (s *Segment) AllSegments(ctx context.Context, ws string) ([]segment.Segment, error) {
	return sqldb.Collect(ctx, s.db, scanSegment, `SELECT `+segmentColumns+` FROM segment WHERE workspace_id = $1 ORDER BY id`, ws)
}

// EvaluatingSegments names the segments that are being evaluated, of all workspaces.
func (s *Segment) EvaluatingSegments(ctx context.Context) ([]segment.Ref, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (ref segment.Ref, err error) {
		err = r.Scan(&ref.Workspace, &ref.Segment)
		return ref, err
	}, `SELECT workspace_id, id FROM segment WHERE state = 'evaluating' ORDER BY id`)
}

const listColumns = `id, name, description, size, version, created_at, updated_at`

func scanList(r sqldb.Row) (l segment.List, err error) {
	err = r.Scan(&l.ID, &l.Name, &l.Description, &l.Size, &l.Version, &l.CreatedAt, &l.UpdatedAt)
	return l, err
}

func listNameTaken(err error, name string) error {
	if sqldb.IsUnique(err) {
		return errs.Conflict("list.name.taken", "there is a list named %q already; choose another name", name).With(err)
	}
	return err
}

// CreateList adds a list.
func (s *Segment) CreateList(ctx context.Context, ws string, l segment.List) error {
	_, err := s.db.Exec(ctx, `INSERT INTO segment_list (workspace_id, name_key, `+listColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		ws, strings.ToLower(l.Name), l.ID, l.Name, l.Description, l.Size, l.Version, l.CreatedAt, l.UpdatedAt)
	return listNameTaken(err, l.Name)
}

// UpdateList replaces name and description.
func (s *Segment) UpdateList(ctx context.Context, ws string, l segment.List) error {
	n, err := s.db.Exec(ctx, `UPDATE segment_list SET name_key = $3, name = $4, description = $5, updated_at = $6 WHERE workspace_id = $1 AND id = $2`,
		ws, l.ID, strings.ToLower(l.Name), l.Name, l.Description, l.UpdatedAt)
	if err == nil && n == 0 {
		return errs.NotFound("list", l.ID)
	}
	return listNameTaken(err, l.Name)
}

// DeleteList removes a list and its members.
func (s *Segment) DeleteList(ctx context.Context, ws, id string) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, `DELETE FROM segment_list WHERE workspace_id = $1 AND id = $2`, ws, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return errs.NotFound("list", id)
		}
		_, err = s.db.Exec(ctx, `DELETE FROM segment_chunk WHERE workspace_id = $1 AND set_id = $2`, ws, id)
		return err
	})
}

// List returns one list.
func (s *Segment) List(ctx context.Context, ws, id string) (segment.List, error) {
	l, err := sqldb.One(ctx, s.db, scanList, `SELECT `+listColumns+` FROM segment_list WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return l, errs.NotFound("list", id)
	}
	return l, err
}

// Lists lists lists.
func (s *Segment) Lists(ctx context.Context, ws string, f segment.Filter, p page.Request) (page.Of[segment.List], error) {
	before := lastID
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[segment.List]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanList, `SELECT `+listColumns+` FROM segment_list
		WHERE workspace_id = $1 AND id < $2 AND name_key LIKE $3 ESCAPE '\' ORDER BY id DESC LIMIT $4`, ws, before, likeAny(f.Text), p.Size()+1)
	return page.Cut(items, p.Size(), func(l segment.List) string { return page.Encode(l.ID) }), err
}

// AllLists returns all lists.
func (s *Segment) AllLists(ctx context.Context, ws string) ([]segment.List, error) {
	return sqldb.Collect(ctx, s.db, scanList, `SELECT `+listColumns+` FROM segment_list WHERE workspace_id = $1 ORDER BY id`, ws)
}

// AllMembers reads every set of a workspace.
func (s *Segment) AllMembers(ctx context.Context, ws string) (map[string]*roaring64.Bitmap, error) {
	type chunk struct {
		set  string
		hi   int64
		bits []byte
	}
	chunks, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (c chunk, err error) {
		err = r.Scan(&c.set, &c.hi, &c.bits)
		return c, err
	}, `SELECT set_id, hi, bits FROM segment_chunk WHERE workspace_id = $1 ORDER BY set_id, hi`, ws)
	if err != nil {
		return nil, err
	}
	out := map[string]*roaring64.Bitmap{}
	for _, c := range chunks {
		low := roaring.New()
		if _, err := low.FromBuffer(c.bits); err != nil {
			return nil, fmt.Errorf("members of %s from number %d on are damaged: %w", c.set, c.hi<<16, err)
		}
		if out[c.set] == nil {
			out[c.set] = roaring64.New()
		}
		nums := make([]uint64, 0, low.GetCardinality())
		for it := low.Iterator(); it.HasNext(); {
			nums = append(nums, uint64(c.hi)<<16|uint64(it.Next()))
		}
		out[c.set].AddMany(nums)
	}
	return out, nil
}

// SaveMembers writes changed chunks, sizes and versions.
func (s *Segment) SaveMembers(ctx context.Context, ws string, changes []segment.Members) error {
	if len(changes) == 0 {
		return nil
	}
	var set, remove, segments, lists [][]any
	for _, m := range changes {
		row := []any{ws, m.Set, m.Size, m.Version}
		if m.List {
			lists = append(lists, row)
		} else {
			segments = append(segments, row)
		}
		for hi, low := range m.Chunks {
			if len(low) == 0 {
				remove = append(remove, []any{ws, m.Set, hi})
				continue
			}
			bits, err := packChunk(low)
			if err != nil {
				return err
			}
			set = append(set, []any{ws, m.Set, hi, bits})
		}
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		for _, b := range []struct {
			sql  string
			rows [][]any
		}{
			{`UPDATE segment SET size = $3, version = $4 WHERE workspace_id = $1 AND id = $2`, segments},
			{`UPDATE segment_list SET size = $3, version = $4 WHERE workspace_id = $1 AND id = $2`, lists},
			{`INSERT INTO segment_chunk (workspace_id, set_id, hi, bits) VALUES ($1, $2, $3, $4)
				ON CONFLICT (workspace_id, set_id, hi) DO UPDATE SET bits = excluded.bits`, set},
			{`DELETE FROM segment_chunk WHERE workspace_id = $1 AND set_id = $2 AND hi = $3`, remove},
		} {
			if _, err := s.db.Bulk(ctx, b.sql, b.rows); err != nil {
				return err
			}
		}
		return nil
	})
}

// packChunk writes a chunk in the portable Roaring format (github.com/RoaringBitmap/RoaringFormatSpec).
func packChunk(low []uint16) ([]byte, error) {
	bits := roaring.New()
	for _, n := range low {
		bits.Add(uint32(n))
	}
	bits.RunOptimize()
	return bits.ToBytes()
}

func scanDeadline(r sqldb.Row) (d segment.DueDeadline, err error) {
	err = r.Scan(&d.Workspace, &d.Segment, &d.Person, &d.Due)
	return d, err
}

// Deadlines returns the deadlines of people.
func (s *Segment) Deadlines(ctx context.Context, ws string, people []uint64) ([]segment.Deadline, error) {
	in, arg := s.db.InInts(2, signed(people))
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (segment.Deadline, error) {
		d, err := scanDeadline(r)
		return d.Deadline, err
	}, `SELECT workspace_id, segment_id, person_num, due_at FROM segment_deadline WHERE workspace_id = $1 AND person_num `+in, ws, arg)
}

// SaveDeadlines sets and removes deadlines.
func (s *Segment) SaveDeadlines(ctx context.Context, ws string, set, remove []segment.Deadline) error {
	if len(set) == 0 && len(remove) == 0 {
		return nil
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		rows := make([][]any, len(remove))
		for i, d := range remove {
			rows[i] = []any{ws, d.Person, d.Segment}
		}
		if _, err := s.db.Bulk(ctx, `DELETE FROM segment_deadline WHERE workspace_id = $1 AND person_num = $2 AND segment_id = $3`, rows); err != nil {
			return err
		}
		rows = make([][]any, len(set))
		for i, d := range set {
			rows[i] = []any{ws, d.Person, d.Segment, d.Due}
		}
		_, err := s.db.Bulk(ctx, `INSERT INTO segment_deadline (workspace_id, person_num, segment_id, due_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (workspace_id, person_num, segment_id) DO UPDATE SET due_at = excluded.due_at`, rows)
		return err
	})
}

// DropDeadlines removes the deadlines of a segment.
func (s *Segment) DropDeadlines(ctx context.Context, ws, id string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM segment_deadline WHERE workspace_id = $1 AND segment_id = $2`, ws, id)
	return err
}

// Due returns what is due in all workspaces.
func (s *Segment) Due(ctx context.Context, now time.Time, limit int) ([]segment.DueDeadline, error) {
	return sqldb.Collect(ctx, s.db, scanDeadline, `SELECT workspace_id, segment_id, person_num, due_at FROM segment_deadline
		WHERE due_at <= $1 ORDER BY due_at LIMIT $2`, now, limit)
}

// NextDue returns the earliest deadline.
func (s *Segment) NextDue(ctx context.Context) (time.Time, error) {
	return sqldb.One(ctx, s.db, sqldb.Value[time.Time], `SELECT MIN(due_at) FROM segment_deadline`)
}

// AddMerge keeps a note.
func (s *Segment) AddMerge(ctx context.Context, ws string, m segment.Merge) error {
	_, err := s.db.Exec(ctx, `INSERT INTO segment_merge (workspace_id, loser, winner, merged_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (workspace_id, loser) DO UPDATE SET winner = excluded.winner, merged_at = excluded.merged_at`, ws, m.Loser, m.Winner, m.At)
	return err
}

// Merges returns the notes.
func (s *Segment) Merges(ctx context.Context, ws string) ([]segment.Merge, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (m segment.Merge, err error) {
		err = r.Scan(&m.Loser, &m.Winner, &m.At)
		return m, err
	}, `SELECT loser, winner, merged_at FROM segment_merge WHERE workspace_id = $1 ORDER BY merged_at, loser`, ws)
}

// DropMerges removes notes.
func (s *Segment) DropMerges(ctx context.Context, ws string, losers []uint64) error {
	in, arg := s.db.InInts(2, signed(losers))
	_, err := s.db.Exec(ctx, `DELETE FROM segment_merge WHERE workspace_id = $1 AND loser `+in, ws, arg)
	return err
}
