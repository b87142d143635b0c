package sqlstore

import (
	"context"
	"errors"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// HasApart implements person.Store.
func (s *Person) HasApart(ctx context.Context, ws string) (bool, error) {
	_, err := sqldb.One(ctx, s.db, sqldb.Value[string], `SELECT id FROM person_apart WHERE workspace_id = $1 LIMIT 1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// AddApart implements person.Store.
func (s *Person) AddApart(ctx context.Context, ws string, a person.Apart) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, `INSERT INTO person_apart (workspace_id, id, person, split, note, decided_by, created) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			ws, a.ID, int64(a.Person), a.Split, a.Note, a.By, a.Created); err != nil {
			return err
		}
		var rows [][]any
		for side, ids := range [][]event.Identifier{a.One, a.Two} {
			for _, id := range ids {
				rows = append(rows, []any{ws, a.ID, id.Kind, id.Value, side + 1})
			}
		}
		_, err := s.db.Bulk(ctx, `INSERT INTO person_apart_identifier (workspace_id, apart_id, kind, value, side) VALUES ($1, $2, $3, $4, $5)`, rows)
		return err
	})
}

// ApartOf implements person.Store.
func (s *Person) ApartOf(ctx context.Context, ws string, ids []event.Identifier) ([]person.Apart, error) {
	values := map[string][]string{}
	for _, id := range ids {
		values[id.Kind] = append(values[id.Kind], id.Value)
	}
	var found []string
	for kind, of := range values {
		clause, arg := s.db.In(3, of)
		rows, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT DISTINCT apart_id FROM person_apart_identifier
			WHERE workspace_id = $1 AND kind = $2 AND value `+clause, ws, kind, arg)
		if err != nil {
			return nil, err
		}
		found = append(found, rows...)
	}
	slices.Sort(found)
	return s.aparts(ctx, ws, slices.Compact(found))
}

// aparts returns decisions by id, oldest first.
func (s *Person) aparts(ctx context.Context, ws string, ids []string) ([]person.Apart, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	clause, arg := s.db.In(2, ids)
	out, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (a person.Apart, err error) {
		var num int64
		err = r.Scan(&a.ID, &num, &a.Split, &a.Note, &a.By, &a.Created)
		a.Person = uint64(num)
		return a, err
	}, `SELECT id, person, split, note, decided_by, created FROM person_apart WHERE workspace_id = $1 AND id `+clause+` ORDER BY created, id`, ws, arg)
	if err != nil {
		return nil, err
	}
	type row struct {
		apart string
		id    event.Identifier
		side  int64
	}
	rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x row, err error) {
		err = r.Scan(&x.apart, &x.id.Kind, &x.id.Value, &x.side)
		return x, err
	}, `SELECT apart_id, kind, value, side FROM person_apart_identifier WHERE workspace_id = $1 AND apart_id `+clause+` ORDER BY kind, value`, ws, arg)
	for _, x := range rows {
		i := slices.IndexFunc(out, func(a person.Apart) bool { return a.ID == x.apart })
		if x.side == 1 {
			out[i].One = append(out[i].One, x.id)
		} else {
			out[i].Two = append(out[i].Two, x.id)
		}
	}
	return out, err
}

// DropApart implements person.Store.
func (s *Person) DropApart(ctx context.Context, ws, id string) (a person.Apart, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		found, err := s.aparts(ctx, ws, []string{id})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errs.NotFound("apart", id)
		}
		a = found[0]
		for _, table := range []string{"person_apart_identifier WHERE workspace_id = $1 AND apart_id", "person_apart WHERE workspace_id = $1 AND id"} {
			if _, err := s.db.Exec(ctx, `DELETE FROM `+table+` = $2`, ws, id); err != nil {
				return err
			}
		}
		return nil
	})
	return a, err
}
