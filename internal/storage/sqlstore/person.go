package sqlstore

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// positionOfPeople is the consumer whose log position moves with the people.
const positionOfPeople = "people"

// Person keeps people, identifiers and the identity log.
type Person struct {
	db        *sqldb.DB
	positions *Positions
}

var _ person.Store = (*Person)(nil)

// NewPerson returns the store of people.
func NewPerson(db *sqldb.DB) *Person { return &Person{db: db, positions: NewPositions(db)} }

// Lock implements person.Store.
func (s *Person) Lock(ctx context.Context, ws string) error {
	_, err := s.db.Exec(ctx, `INSERT INTO person_counter (workspace_id, last) VALUES ($1, 0)
		ON CONFLICT (workspace_id) DO UPDATE SET last = person_counter.last`, ws)
	return err
}

// NextNums implements person.Store.
func (s *Person) NextNums(ctx context.Context, ws string, n int) (uint64, error) {
	last, err := sqldb.One(ctx, s.db, sqldb.Value[uint64], `INSERT INTO person_counter (workspace_id, last) VALUES ($1, CAST($2 AS BIGINT))
		ON CONFLICT (workspace_id) DO UPDATE SET last = person_counter.last + excluded.last RETURNING last`, ws, n)
	return last - uint64(n) + 1, err
}

// Position implements person.Store.
func (s *Person) Position(ctx context.Context) (uint64, error) {
	return s.positions.Position(ctx, positionOfPeople)
}

// SetPosition implements person.Store.
func (s *Person) SetPosition(ctx context.Context, seq uint64) error {
	return s.positions.SetPosition(ctx, positionOfPeople, seq)
}

// Seen implements person.Store.
func (s *Person) Seen(ctx context.Context, ws string, messageIDs []string) (map[string]person.Seen, error) {
	clause, arg := s.db.In(2, messageIDs)
	rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x person.Seen, err error) {
		err = r.Scan(&x.MessageID, &x.Seq, &x.Index, &x.Person, &x.Day)
		return x, err
	}, `SELECT message_id, seq, idx, person_num, day FROM event_seen WHERE workspace_id = $1 AND message_id `+clause, ws, arg)
	if err != nil {
		return nil, err
	}
	out := make(map[string]person.Seen, len(rows))
	for _, x := range rows {
		out[x.MessageID] = x
	}
	return out, nil
}

// SaveSeen implements person.Store.
func (s *Person) SaveSeen(ctx context.Context, ws string, rows []person.Seen) error {
	args := make([][]any, len(rows))
	for i, x := range rows {
		args[i] = []any{ws, x.MessageID, x.Seq, x.Index, x.Person, x.Day}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO event_seen (workspace_id, message_id, seq, idx, person_num, day) VALUES ($1, $2, $3, $4, $5, $6)`, args)
	return err
}

// MoveSeen implements person.Store.
func (s *Person) MoveSeen(ctx context.Context, moves []event.Move) error {
	args := make([][]any, len(moves))
	for i, m := range moves {
		args[i] = []any{m.Workspace, m.MessageID, m.To}
	}
	_, err := s.db.Bulk(ctx, `UPDATE event_seen SET person_num = $3 WHERE workspace_id = $1 AND message_id = $2`, args)
	return err
}

// PurgeSeen implements person.Store.
func (s *Person) PurgeSeen(ctx context.Context, day int64, limit int) (int64, error) {
	return s.db.Exec(ctx, `DELETE FROM event_seen WHERE (workspace_id, message_id) IN
		(SELECT workspace_id, message_id FROM event_seen WHERE day < $1 LIMIT $2)`, day, limit)
}

const linkColumns = `kind, value, person, first_seen, last_seen, last_msg, shared, shared_msg, contested, source, spans, users`

func scanLink(r sqldb.Row) (x person.Link, err error) {
	err = r.Scan(&x.Kind, &x.Value, &x.Person, &x.FirstSeen, &x.LastSeen, &x.LastMessage, &x.Shared, &x.SharedMsg,
		&x.Contested, &x.Source, &x.Spans, &x.Users)
	return x, err
}

// Links implements person.Store.
func (s *Person) Links(ctx context.Context, ws string, ids []event.Identifier) ([]person.Link, error) {
	values := map[string][]string{}
	for _, id := range ids {
		values[id.Kind] = append(values[id.Kind], id.Value)
	}
	var out []person.Link
	for kind, of := range values {
		clause, arg := s.db.In(3, of)
		rows, err := sqldb.Collect(ctx, s.db, scanLink,
			`SELECT `+linkColumns+` FROM person_identifier WHERE workspace_id = $1 AND kind = $2 AND value `+clause, ws, kind, arg)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// LinksOf implements person.Store.
func (s *Person) LinksOf(ctx context.Context, ws string, people []uint64) ([]person.Link, error) {
	clause, arg := s.db.InInts(2, signed(people))
	return sqldb.Collect(ctx, s.db, scanLink,
		`SELECT `+linkColumns+` FROM person_identifier WHERE workspace_id = $1 AND person `+clause, ws, arg)
}

// SaveLinks implements person.Store.
func (s *Person) SaveLinks(ctx context.Context, ws string, rows []person.Link) error {
	args := make([][]any, len(rows))
	for i, x := range rows {
		args[i] = []any{
			ws, x.Kind, x.Value, x.Person, x.FirstSeen, x.LastSeen, x.LastMessage, x.Shared, x.SharedMsg,
			x.Contested, x.Source, x.Spans, x.Users,
		}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO person_identifier (workspace_id, `+linkColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (workspace_id, kind, value) DO UPDATE SET person = excluded.person, first_seen = excluded.first_seen,
			last_seen = excluded.last_seen, last_msg = excluded.last_msg, shared = excluded.shared,
			shared_msg = excluded.shared_msg, contested = excluded.contested, source = excluded.source, spans = excluded.spans,
			users = excluded.users`, args)
	return err
}

// TouchLinks implements person.Store.
func (s *Person) TouchLinks(ctx context.Context, ws string, rows []person.Link) error {
	args := make([][]any, len(rows))
	for i, x := range rows {
		args[i] = []any{ws, x.Kind, x.Value, x.LastSeen, x.LastMessage, x.Users}
	}
	_, err := s.db.Bulk(ctx, `UPDATE person_identifier SET last_seen = $4, last_msg = $5, users = $6
		WHERE workspace_id = $1 AND kind = $2 AND value = $3`, args)
	return err
}

// DropLinks implements person.Store.
func (s *Person) DropLinks(ctx context.Context, ws string, ids []event.Identifier) error {
	args := make([][]any, len(ids))
	for i, id := range ids {
		args[i] = []any{ws, id.Kind, id.Value}
	}
	_, err := s.db.Bulk(ctx, `DELETE FROM person_identifier WHERE workspace_id = $1 AND kind = $2 AND value = $3`, args)
	return err
}

const personColumns = `num, id, user_id, redirect, first_seen, last_seen, created, updated, touch, touch_msg, merges, links, best,
	contested, traits, facts`

func scanPerson(r sqldb.Row) (x person.Record, err error) {
	err = r.Scan(&x.Num, &x.ID, &x.UserID, &x.Redirect, &x.FirstSeen, &x.LastSeen, &x.Created, &x.Updated, &x.Touch,
		&x.TouchMsg, &x.Merges, &x.Links, &x.Best, &x.Contested, &x.Traits, &x.Facts)
	return x, err
}

// People implements person.Store.
func (s *Person) People(ctx context.Context, ws string, nums []uint64) ([]person.Record, error) {
	clause, arg := s.db.InInts(2, signed(nums))
	return sqldb.Collect(ctx, s.db, scanPerson, `SELECT `+personColumns+` FROM person WHERE workspace_id = $1 AND num `+clause, ws, arg)
}

// Names implements person.Store.
func (s *Person) Names(ctx context.Context, ws string, nums []uint64) ([]person.Record, error) {
	clause, arg := s.db.InInts(2, signed(nums))
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x person.Record, err error) {
		err = r.Scan(&x.Num, &x.ID, &x.Redirect)
		return x, err
	}, `SELECT num, id, redirect FROM person WHERE workspace_id = $1 AND num `+clause, ws, arg)
}

// PeopleByID implements person.Store.
func (s *Person) PeopleByID(ctx context.Context, ws string, ids []string) ([]person.Record, error) {
	clause, arg := s.db.In(2, ids)
	return sqldb.Collect(ctx, s.db, scanPerson, `SELECT `+personColumns+` FROM person WHERE workspace_id = $1 AND id `+clause, ws, arg)
}

// Losers implements person.Store.
func (s *Person) Losers(ctx context.Context, ws string, people []uint64) ([]person.Record, error) {
	clause, arg := s.db.InInts(2, signed(people))
	return sqldb.Collect(ctx, s.db, scanPerson,
		`SELECT `+personColumns+` FROM person WHERE workspace_id = $1 AND redirect > 0 AND redirect `+clause, ws, arg)
}

// AddPeople implements person.Store.
func (s *Person) AddPeople(ctx context.Context, ws string, rows []person.Record) error {
	args := make([][]any, len(rows))
	for i, x := range rows {
		args[i] = []any{
			ws, x.Num, x.ID, x.UserID, x.Redirect, x.FirstSeen, x.LastSeen, x.Created, x.Updated, x.Touch,
			x.TouchMsg, x.Merges, x.Links, x.Best, x.Contested, x.Traits, x.Facts,
		}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO person (workspace_id, `+personColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`, args)
	return err
}

// SavePeople implements person.Store.
func (s *Person) SavePeople(ctx context.Context, ws string, rows []person.Record) error {
	args := make([][]any, len(rows))
	for i, x := range rows {
		args[i] = []any{
			ws, x.Num, x.UserID, x.FirstSeen, x.LastSeen, x.Updated, x.Touch, x.TouchMsg, x.Merges, x.Links, x.Best,
			x.Contested, x.Traits, x.Facts,
		}
	}
	_, err := s.db.Bulk(ctx, `UPDATE person SET user_id = $3, first_seen = $4, last_seen = $5, updated = $6, touch = $7, touch_msg = $8,
			merges = $9, links = $10, best = $11, contested = $12, traits = $13, facts = $14
		WHERE workspace_id = $1 AND num = $2`, args)
	return err
}

// Redirect implements person.Store.
func (s *Person) Redirect(ctx context.Context, ws string, merges []person.Merge) error {
	direct, rest, losers := make([][]any, len(merges)), make([][]any, len(merges)), make([][]any, len(merges))
	for i, m := range merges {
		direct[i], rest[i], losers[i] = []any{ws, m.Loser, m.Winner, m.Seq}, []any{ws, m.Loser, m.Winner}, []any{ws, m.Loser}
	}
	for _, step := range []struct {
		sql  string
		rows [][]any
	}{
		{`UPDATE person SET redirect = $3, redirect_seq = $4 WHERE workspace_id = $1 AND num = $2`, direct},
		{`UPDATE person SET redirect = $3 WHERE workspace_id = $1 AND redirect > 0 AND redirect = $2`, rest},
		{`UPDATE person_identifier SET person = $3 WHERE workspace_id = $1 AND person = $2`, rest},
		{`DELETE FROM person_sought WHERE workspace_id = $1 AND num = $2`, losers},
	} {
		if _, err := s.db.Bulk(ctx, step.sql, step.rows); err != nil {
			return err
		}
	}
	return nil
}

// RedirectsBetween implements person.Store.
func (s *Person) RedirectsBetween(ctx context.Context, first, last uint64) ([]event.Redirect, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x event.Redirect, err error) {
		err = r.Scan(&x.Workspace, &x.Loser, &x.Winner)
		return x, err
	}, `SELECT workspace_id, num, redirect FROM person WHERE redirect_seq > 0 AND redirect_seq BETWEEN $1 AND $2 ORDER BY redirect_seq, workspace_id, num`,
		first, last)
}

// AddDecisions implements person.Store.
func (s *Person) AddDecisions(ctx context.Context, ws string, rows []person.Entry) error {
	args := make([][]any, len(rows))
	for i, x := range rows {
		args[i] = []any{ws, x.Person, x.At, x.ID, x.Count, x.Body}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO person_decision (workspace_id, person, at, id, times, body) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (workspace_id, person, at, id) DO UPDATE SET times = person_decision.times + excluded.times, body = excluded.body`, args)
	return err
}

// Decisions implements person.Store.
func (s *Person) Decisions(ctx context.Context, ws string, people []uint64, before person.EntryKey, limit int) ([]person.Entry, error) {
	clause, arg := s.db.InInts(2, signed(people))
	args := []any{ws, arg, limit}
	if before != (person.EntryKey{}) {
		clause += ` AND (at, id) < ($4, $5)`
		args = append(args, before.At, before.ID)
	}
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x person.Entry, err error) {
		err = r.Scan(&x.Person, &x.At, &x.ID, &x.Count, &x.Body)
		return x, err
	}, `SELECT person, at, id, times, body FROM person_decision WHERE workspace_id = $1 AND person `+clause+` ORDER BY at DESC, id DESC LIMIT $3`, args...)
}

// AddTask implements person.Store.
func (s *Person) AddTask(ctx context.Context, t person.Task) error {
	_, err := s.db.Exec(ctx, `INSERT INTO person_task (workspace_id, id, seeds, created) VALUES ($1, $2, $3, $4)`,
		t.Workspace, t.ID, t.Seeds, t.Created)
	return err
}

// Tasks implements person.Store.
func (s *Person) Tasks(ctx context.Context, limit int) ([]person.Task, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (t person.Task, err error) {
		err = r.Scan(&t.Workspace, &t.ID, &t.Seeds, &t.Created)
		return t, err
	}, `SELECT workspace_id, id, seeds, created FROM person_task ORDER BY id LIMIT $1`, limit)
}

// DropTasks implements person.Store.
func (s *Person) DropTasks(ctx context.Context, ws string, ids []string) error {
	clause, arg := s.db.In(2, ids)
	_, err := s.db.Exec(ctx, `DELETE FROM person_task WHERE workspace_id = $1 AND id `+clause, ws, arg)
	return err
}

// AddEffect implements person.Store.
func (s *Person) AddEffect(ctx context.Context, e person.Effect) error {
	_, err := s.db.Exec(ctx, `INSERT INTO person_effect (id, workspace_id, body) VALUES ($1, $2, $3)`, e.ID, e.Workspace, e.Body)
	return err
}

// Effects implements person.Store.
func (s *Person) Effects(ctx context.Context, limit int) ([]person.Effect, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (e person.Effect, err error) {
		err = r.Scan(&e.ID, &e.Workspace, &e.Body)
		return e, err
	}, `SELECT id, workspace_id, body FROM person_effect ORDER BY id LIMIT $1`, limit)
}

// DropEffects implements person.Store.
func (s *Person) DropEffects(ctx context.Context, ids []string) error {
	clause, arg := s.db.In(1, ids)
	_, err := s.db.Exec(ctx, `DELETE FROM person_effect WHERE id `+clause, arg)
	return err
}

func signed(nums []uint64) []int64 {
	out := make([]int64, len(nums))
	for i, n := range nums {
		out[i] = int64(n)
	}
	return out
}
