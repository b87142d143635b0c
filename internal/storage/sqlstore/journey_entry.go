package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

const entryColumns = `workspace_id, journey_id, slot, person_id, kind, entry_key, live_key, due_at, received_at, cause, basis, attempts, error`

func scanEntry(r sqldb.Row) (e journey.Entry, err error) {
	var cause string
	if err = r.Scan(&e.Workspace, &e.Journey, &e.Slot, &e.Person, &e.Kind, &e.Key, &e.Live, &e.Due, &e.Received, &cause, &e.Basis, &e.Attempts, &e.Error); err != nil {
		return e, err
	}
	return e, json.Unmarshal([]byte(cause), &e.Trigger)
}

func entryRows(entries []journey.Entry) ([][]any, error) {
	rows := make([][]any, len(entries))
	for i, e := range entries {
		cause, err := json.Marshal(e.Trigger)
		if err != nil {
			return nil, err
		}
		rows[i] = []any{e.Workspace, e.Journey, e.Slot, e.Person, e.Kind, e.Key, e.Live, e.Due, e.Received, string(cause), e.Basis, e.Attempts, e.Error}
	}
	return rows, nil
}

// EntryPlaces returns the live journeys in which an entry is due.
func (s *Journey) EntryPlaces(ctx context.Context, now time.Time) ([]journey.Place, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (p journey.Place, err error) {
		err = r.Scan(&p.Workspace, &p.Journey)
		return p, err
	}, `SELECT j.workspace_id, j.id FROM journey j WHERE j.status = 'live' AND EXISTS (
			SELECT 1 FROM journey_entry e WHERE e.workspace_id = j.workspace_id AND e.journey_id = j.id AND e.due_at <= $1)
		ORDER BY j.id`, now)
}

// DueEntries returns entries that are due.
func (s *Journey) DueEntries(ctx context.Context, p journey.Place, now time.Time, limit int) ([]journey.Entry, error) {
	return sqldb.Collect(ctx, s.db, scanEntry, `SELECT `+entryColumns+` FROM journey_entry
		WHERE workspace_id = $1 AND journey_id = $2 AND due_at <= $3 ORDER BY due_at, slot LIMIT $4`, p.Workspace, p.Journey, now, limit)
}

// Entries returns entries by slot.
func (s *Journey) Entries(ctx context.Context, ws, id string, slots []string) ([]journey.Entry, error) {
	in, arg := s.db.In(3, slots)
	return sqldb.Collect(ctx, s.db, scanEntry, `SELECT `+entryColumns+` FROM journey_entry
		WHERE workspace_id = $1 AND journey_id = $2 AND slot `+in+` ORDER BY slot`, ws, id, arg)
}

// TakeEntries removes entries and returns them.
func (s *Journey) TakeEntries(ctx context.Context, ws, id string, slots []string) ([]journey.Entry, error) {
	in, arg := s.db.In(3, slots)
	return s.takeEntries(ctx, `workspace_id = $1 AND journey_id = $2 AND slot `+in, ws, id, arg)
}

// TakeEntriesOf removes a person's entries and returns them.
func (s *Journey) TakeEntriesOf(ctx context.Context, ws, person string) ([]journey.Entry, error) {
	return s.takeEntries(ctx, `workspace_id = $1 AND person_id = $2`, ws, person)
}

func (s *Journey) takeEntries(ctx context.Context, where string, args ...any) ([]journey.Entry, error) {
	out, err := sqldb.Collect(ctx, s.db, scanEntry, `DELETE FROM journey_entry WHERE `+where+` RETURNING `+entryColumns, args...)
	slices.SortFunc(out, func(a, b journey.Entry) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Slot, b.Slot)) })
	return out, err
}

// PutEntries adds or replaces entries.
func (s *Journey) PutEntries(ctx context.Context, entries []journey.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	rows, err := entryRows(entries)
	if err != nil {
		return err
	}
	_, err = s.db.Bulk(ctx, `INSERT INTO journey_entry (`+entryColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (workspace_id, journey_id, slot) DO UPDATE SET person_id = excluded.person_id, kind = excluded.kind, entry_key = excluded.entry_key,
			live_key = excluded.live_key, due_at = excluded.due_at, received_at = excluded.received_at, cause = excluded.cause, basis = excluded.basis,
			attempts = excluded.attempts, error = excluded.error
		WHERE excluded.kind <> 'inactive' OR excluded.due_at >= journey_entry.due_at`, rows)
	return err
}

// QueueEntries adds entries that are new.
func (s *Journey) QueueEntries(ctx context.Context, entries []journey.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	rows, err := entryRows(entries)
	if err != nil {
		return err
	}
	_, err = s.db.Bulk(ctx, `INSERT INTO journey_entry (`+entryColumns+`)
		SELECT $1, $2, $3, $4, $5, $6, $7, CAST($8 AS BIGINT), CAST($9 AS BIGINT), $10, $11, CAST($12 AS BIGINT), $13
		WHERE NOT EXISTS (SELECT 1 FROM journey_refusal WHERE workspace_id = $1 AND journey_id = $2 AND entry_key = $6)
			AND NOT EXISTS (SELECT 1 FROM journey_instance WHERE workspace_id = $1 AND journey_id = $2 AND entry_key = $6)
		ON CONFLICT (workspace_id, journey_id, slot) DO NOTHING`, rows)
	return err
}

// DropEntries removes entries.
func (s *Journey) DropEntries(ctx context.Context, ws, id string, slots []string) error {
	if len(slots) == 0 {
		return nil
	}
	in, arg := s.db.In(3, slots)
	_, err := s.db.Exec(ctx, `DELETE FROM journey_entry WHERE workspace_id = $1 AND journey_id = $2 AND slot `+in, ws, id, arg)
	return err
}

// DropAppointments removes entries of some kinds that are due later.
func (s *Journey) DropAppointments(ctx context.Context, ws, id string, kinds []string, after time.Time) error {
	in, arg := s.db.In(3, kinds)
	_, err := s.db.Exec(ctx, `DELETE FROM journey_entry WHERE workspace_id = $1 AND journey_id = $2 AND kind `+in+` AND due_at > $4`, ws, id, arg, after)
	return err
}

// Queue lists entries, soonest due first.
func (s *Journey) Queue(ctx context.Context, ws, id string, p page.Request) (page.Of[journey.Entry], error) {
	at, slot := time.UnixMicro(0).UTC(), ""
	if _, err := page.Decode(p.Cursor, &at, &slot); err != nil {
		return page.Of[journey.Entry]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanEntry, `SELECT `+entryColumns+` FROM journey_entry
		WHERE workspace_id = $1 AND journey_id = $2 AND (due_at, slot) > ($3, $4) ORDER BY due_at, slot LIMIT $5`, ws, id, at, slot, p.Size()+1)
	return page.Cut(items, p.Size(), func(e journey.Entry) string { return page.Encode(e.Due, e.Slot) }), err
}

const refusalColumns = `workspace_id, journey_id, entry_key, person_id, kind, reason, at`

func scanRefusal(r sqldb.Row) (f journey.Refusal, err error) {
	err = r.Scan(&f.Workspace, &f.Journey, &f.Key, &f.Person, &f.Kind, &f.Reason, &f.At)
	return f, err
}

// AddRefusals notes who was not let in.
func (s *Journey) AddRefusals(ctx context.Context, refused []journey.Refusal) ([]journey.Refusal, error) {
	if len(refused) == 0 {
		return nil, nil
	}
	keys := make([]string, len(refused))
	for i, f := range refused {
		keys[i] = f.Key
	}
	in, arg := s.db.In(3, keys)
	known, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT entry_key FROM journey_refusal WHERE workspace_id = $1 AND journey_id = $2 AND entry_key `+in,
		refused[0].Workspace, refused[0].Journey, arg)
	if err != nil {
		return nil, err
	}
	refused = slices.DeleteFunc(slices.Clone(refused), func(f journey.Refusal) bool { return slices.Contains(known, f.Key) })
	rows := make([][]any, len(refused))
	for i, f := range refused {
		rows[i] = []any{f.Workspace, f.Journey, f.Key, f.Person, f.Kind, f.Reason, f.At}
	}
	_, err = s.db.Bulk(ctx, `INSERT INTO journey_refusal (`+refusalColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`, rows)
	return refused, err
}

// Refusals lists who was not let in, latest first.
func (s *Journey) Refusals(ctx context.Context, ws, id, reason string, p page.Request) (page.Of[journey.Refusal], error) {
	at, key := latestTime, ""
	if _, err := page.Decode(p.Cursor, &at, &key); err != nil {
		return page.Of[journey.Refusal]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanRefusal, `SELECT `+refusalColumns+` FROM journey_refusal
		WHERE workspace_id = $1 AND journey_id = $2 AND ($3 = '' OR reason = $3) AND (at, entry_key) < ($4, $5) ORDER BY at DESC, entry_key DESC LIMIT $6`,
		ws, id, reason, at, key, p.Size()+1)
	return page.Cut(items, p.Size(), func(f journey.Refusal) string { return page.Encode(f.At, f.Key) }), err
}

// RoundOf returns the instance that an entry key made.
func (s *Journey) RoundOf(ctx context.Context, ws, id, key string) (journey.Instance, error) {
	i, err := sqldb.One(ctx, s.db, scanInstance, `SELECT `+instanceColumns+` FROM journey_instance WHERE workspace_id = $1 AND journey_id = $2 AND entry_key = $3`, ws, id, key)
	if errors.Is(err, sqldb.ErrNoRows) {
		return i, errs.NotFound("journey_instance", key)
	}
	return i, err
}

// RefusalOf returns the refusal of an entry key.
func (s *Journey) RefusalOf(ctx context.Context, ws, id, key string) (journey.Refusal, error) {
	f, err := sqldb.One(ctx, s.db, scanRefusal, `SELECT `+refusalColumns+` FROM journey_refusal WHERE workspace_id = $1 AND journey_id = $2 AND entry_key = $3`, ws, id, key)
	if errors.Is(err, sqldb.ErrNoRows) {
		return f, errs.NotFound("journey_refusal", key)
	}
	return f, err
}

const taskColumns = `id, workspace_id, journey_id, kind, status, version, due_at, position, total, done, data, error, attempts, rev, created_at, updated_at`

func scanJourneyTask(r sqldb.Row) (t journey.Task, err error) {
	var data string
	err = r.Scan(&t.ID, &t.Workspace, &t.Journey, &t.Kind, &t.Status, &t.Version, &t.Due, &t.Cursor, &t.Total, &t.Done, &data, &t.Error, &t.Attempts, &t.Rev, &t.CreatedAt, &t.UpdatedAt)
	if data != "" {
		t.Data = json.RawMessage(data)
	}
	return t, err
}

// AddTask adds a task.
func (s *Journey) AddTask(ctx context.Context, t journey.Task) error {
	_, err := s.db.Exec(ctx, `INSERT INTO journey_task (`+taskColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (id) DO NOTHING`,
		t.ID, t.Workspace, t.Journey, t.Kind, t.Status, t.Version, t.Due, t.Cursor, t.Total, t.Done, string(t.Data), t.Error, t.Attempts, t.Rev, t.CreatedAt, t.UpdatedAt)
	return err
}

// DueTasks returns running tasks that are due.
func (s *Journey) DueTasks(ctx context.Context, now time.Time, limit int) ([]journey.Task, error) {
	return sqldb.Collect(ctx, s.db, scanJourneyTask, `SELECT `+taskColumns+` FROM journey_task WHERE status = 'running' AND due_at <= $1 ORDER BY due_at, id LIMIT $2`, now, limit)
}

// SaveTask replaces a task.
func (s *Journey) SaveTask(ctx context.Context, t journey.Task) error {
	n, err := s.db.Exec(ctx, `UPDATE journey_task SET status = $4, due_at = $5, position = $6, total = $7, done = $8, data = $9, error = $10, attempts = $11, updated_at = $12, rev = rev + 1
		WHERE workspace_id = $1 AND id = $2 AND rev = $3`,
		t.Workspace, t.ID, t.Rev, t.Status, t.Due, t.Cursor, t.Total, t.Done, string(t.Data), t.Error, t.Attempts, t.UpdatedAt)
	if err == nil && n == 0 {
		return errs.Conflict("journey.task.moved", "the task has moved on meanwhile; load it again")
	}
	return err
}

// CancelTasks ends running tasks.
func (s *Journey) CancelTasks(ctx context.Context, ws, id string, kinds []string, now time.Time) error {
	in, arg := s.db.In(3, kinds)
	_, err := s.db.Exec(ctx, `UPDATE journey_task SET status = 'cancelled', updated_at = $4, rev = rev + 1
		WHERE workspace_id = $1 AND journey_id = $2 AND status = 'running' AND kind `+in, ws, id, arg, now)
	return err
}

// Task returns one task.
func (s *Journey) Task(ctx context.Context, ws, id string) (journey.Task, error) {
	t, err := sqldb.One(ctx, s.db, scanJourneyTask, `SELECT `+taskColumns+` FROM journey_task WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return t, errs.NotFound("journey_task", id)
	}
	return t, err
}

// Tasks lists the tasks of a journey, latest made first.
func (s *Journey) Tasks(ctx context.Context, ws, id string, p page.Request) (page.Of[journey.Task], error) {
	at, after := latestTime, ""
	if _, err := page.Decode(p.Cursor, &at, &after); err != nil {
		return page.Of[journey.Task]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanJourneyTask, `SELECT `+taskColumns+` FROM journey_task
		WHERE workspace_id = $1 AND journey_id = $2 AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $5`, ws, id, at, after, p.Size()+1)
	return page.Cut(items, p.Size(), func(t journey.Task) string { return page.Encode(t.CreatedAt, t.ID) }), err
}
