package sqldb

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// ledgerTable says in a database that is being filled by Copy how far each table is. While it is there Migrate refuses, so that nobody works with half of the
// records.
const ledgerTable = "engine_move"

const (
	createLedger = `CREATE TABLE engine_move (item TEXT NOT NULL PRIMARY KEY, done BIGINT NOT NULL)`
	ledgerID     = "move " // before the name of the move, as an item
	workspaceKey = "workspace_id"
)

// Sum says of the rows of a table that belong to a workspace how many there are and what is in them. The order of rows does not matter.
type Sum struct {
	Rows   int64
	Digest [2]uint64
}

// Add counts one row, or whatever else is compared.
func (s *Sum) Add(content []byte) {
	h := sha256.Sum256(content)
	s.Rows++
	s.Digest[0] += binary.BigEndian.Uint64(h[:])
	s.Digest[1] += binary.BigEndian.Uint64(h[8:])
}

// Part is where a Sum belongs: a table and a workspace, which is empty for what belongs to none.
type Part struct{ Table, Workspace string }

// Sums of a database.
type Sums map[Part]Sum

func (s Sums) add(p Part, row []byte) {
	sum := s[p]
	sum.Add(row)
	s[p] = sum
}

// Copied tells of progress: rows of a table that are in the new database, and how many the table has.
type Copied struct {
	Table       string
	Done, Total int64
}

// Fresh reports a database that has anything in it other than an unfinished Copy under this name.
func (db *DB) Fresh(ctx context.Context, name string) error {
	found, begun, err := db.ledger(ctx)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	if begun {
		_, err := One(ctx, db, Value[int64], `SELECT done FROM engine_move WHERE item = $1`, ledgerID+name)
		if errors.Is(err, ErrNoRows) {
			return errors.New("copy: another move into this database was begun: name an empty database, or make this one anew")
		}
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("copy: the database is not empty (it has a table %s): name an empty one", found[0].Table)
	}
	return nil
}

// ledger returns the tables of the database and whether it is being filled.
func (db *DB) ledger(ctx context.Context) (all []dumpTable, begun bool, err error) {
	s, err := db.engine.snapshot(ctx)
	if err != nil {
		return nil, false, classify(err)
	}
	defer s.close()
	all, err = s.tables(ctx)
	if err != nil {
		return nil, false, classify(err)
	}
	return all, slices.ContainsFunc(all, func(t dumpTable) bool { return t.Table == ledgerTable }), nil
}

// Copy fills an empty database with all rows of another one that nobody changes meanwhile, and returns what it has read. A table goes over in pieces, and each
// piece is one transaction with the note of it, so a Copy that was interrupted at any moment goes on under the same name where it was, and no row is missing or
// there twice. Until EndCopy nobody else can open the new database. fsys is what Migrate gets.
func (db *DB) Copy(ctx context.Context, to *DB, name string, fsys fs.FS, told func(Copied)) (Sums, error) {
	sums, err := db.copy(ctx, to, name, fsys, told)
	if err != nil {
		return nil, fmt.Errorf("copy: %w", err)
	}
	return sums, nil
}

func (db *DB) copy(ctx context.Context, to *DB, name string, fsys fs.FS, told func(Copied)) (Sums, error) {
	if err := to.Fresh(ctx, name); err != nil {
		return nil, err
	}
	applied, err := db.applied(ctx)
	if err != nil {
		return nil, err
	}
	all, err := readMigrations(fsys)
	if err != nil {
		return nil, err
	}
	if _, err := pending(all, applied); err != nil {
		return nil, err
	}
	s, err := db.engine.snapshot(ctx)
	if err != nil {
		return nil, classify(err)
	}
	defer s.close()
	tables, err := s.tables(ctx)
	if err != nil {
		return nil, classify(err)
	}
	if err := to.beginCopy(ctx, name, all[:len(applied)], tables); err != nil {
		return nil, err
	}
	sums := Sums{}
	for _, t := range tables {
		if err := to.take(ctx, s, t, sums, told); err != nil {
			return nil, fmt.Errorf("%s: %w", t.Table, classify(err))
		}
	}
	return sums, nil
}

// beginCopy makes the tables and the ledger, unless that was done before.
func (db *DB) beginCopy(ctx context.Context, name string, had []migration, tables []dumpTable) error {
	if _, begun, err := db.ledger(ctx); err != nil || begun {
		return err
	}
	if _, err := db.Exec(ctx, db.expand(createMigrations)); err != nil && !concurrentCreate(err) {
		return err
	}
	_, err := db.attempt(ctx, true, func(ctx context.Context) error {
		if err := db.applyMigrations(ctx, had); err != nil {
			return err
		}
		for _, t := range slices.Backward(tables) { // migrations put rows into some; they come as they became
			if _, err := db.Exec(ctx, "DELETE FROM "+quoted(t.Table)); err != nil {
				return err
			}
		}
		if _, err := db.Exec(ctx, db.expand(createLedger)); err != nil {
			return err
		}
		_, err := db.Exec(ctx, `INSERT INTO engine_move (item, done) VALUES ($1, $2)`, ledgerID+name, time.Now())
		return err
	})
	return err
}

// take copies one table from where an interrupted copy left it.
func (db *DB) take(ctx context.Context, s snapshot, t dumpTable, sums Sums, told func(Copied)) error {
	var total, n int64
	if err := eachRow(ctx, s, "SELECT count(*) FROM "+quoted(t.Table), func(r rows) error { return r.Scan(&total) }); err != nil {
		return err
	}
	done, err := One(ctx, db, Value[int64], `SELECT done FROM engine_move WHERE item = $1`, t.Table)
	if err != nil && !errors.Is(err, ErrNoRows) {
		return err
	}
	var waiting [][]any
	flush := func() error {
		if len(waiting) == 0 {
			return nil
		}
		err := db.InTx(ctx, func(ctx context.Context) error {
			if _, err := db.Bulk(ctx, t.insert(), waiting); err != nil {
				return err
			}
			_, err := db.Exec(ctx, `INSERT INTO engine_move (item, done) VALUES ($1, $2) ON CONFLICT (item) DO UPDATE SET done = excluded.done`, t.Table, n)
			return err
		})
		if waiting = waiting[:0]; err == nil {
			told(Copied{t.Table, n, total})
		}
		return err
	}
	err = t.each(ctx, s, "", func(dest []any) error {
		row, err := t.summed(dest, sums)
		if err != nil {
			return err
		}
		if n++; n <= done {
			return nil
		}
		if waiting = append(waiting, row); len(waiting) == loadRows {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return err
}

// summed adds a scanned row to the sums and returns it as it is bound.
func (t dumpTable) summed(dest []any, sums Sums) ([]any, error) {
	row, cells := make([]any, len(dest)), make([]any, len(dest))
	p := Part{Table: t.Table}
	for i, d := range dest {
		row[i], cells[i] = bindable(d), portable(d)
		if text, ok := row[i].(*string); ok && text != nil && t.Columns[i] == workspaceKey {
			p.Workspace = *text
		}
	}
	raw, err := json.Marshal(cells)
	if err != nil {
		return nil, err
	}
	sums.add(p, raw)
	return row, nil
}

// Sums reads everything and says what it is, to compare two databases that should have the same rows.
func (db *DB) Sums(ctx context.Context) (Sums, error) {
	s, err := db.engine.snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("sums: %w", classify(err))
	}
	defer s.close()
	tables, err := s.tables(ctx)
	if err != nil {
		return nil, fmt.Errorf("sums: %w", classify(err))
	}
	sums := Sums{}
	for _, t := range tables {
		if t.Table == ledgerTable {
			continue
		}
		if err := t.each(ctx, s, "", func(dest []any) error {
			_, err := t.summed(dest, sums)
			return err
		}); err != nil {
			return nil, fmt.Errorf("sums: %s: %w", t.Table, classify(err))
		}
	}
	return sums, nil
}

// EndCopy lets the new database be used. Ending again changes nothing.
func (db *DB) EndCopy(ctx context.Context) error {
	_, begun, err := db.ledger(ctx)
	if err != nil || !begun {
		return err
	}
	_, err = db.Exec(ctx, "DROP TABLE "+ledgerTable)
	return err
}

// each reads the rows of a table for which the condition holds, all if it is empty, into values of the columns' kinds, which are new for each row. Of tables that
// nobody changes the order is always the same.
func (t dumpTable) each(ctx context.Context, s snapshot, where string, do func(dest []any) error) error {
	return eachRow(ctx, s, t.selection(where), func(r rows) error {
		dest, err := t.scan(r)
		if err != nil {
			return err
		}
		return do(dest)
	})
}

func (t dumpTable) selection(where string) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = quoted(c)
	}
	text := "SELECT " + strings.Join(columns, ", ") + " FROM " + quoted(t.Table)
	if where != "" {
		text += " WHERE " + where
	}
	return text
}

func (t dumpTable) scan(r Row) ([]any, error) {
	dest := make([]any, len(t.Kinds))
	for i, k := range t.Kinds {
		dest[i] = destination(k)
	}
	if err := r.Scan(dest...); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Table, err)
	}
	return dest, nil
}

// insert is the statement that stores a row.
func (t dumpTable) insert() string {
	columns, values := make([]string, len(t.Columns)), make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i], values[i] = quoted(c), fmt.Sprintf("$%d", i+1)
	}
	return "INSERT INTO " + quoted(t.Table) + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"
}

// bindable is a value of destination, or of a blob, as a statement takes it.
func bindable(dest any) any {
	switch p := dest.(type) {
	case **int64:
		return *p
	case **float64:
		return *p
	case **bool:
		return *p
	case **string:
		return *p
	case *any: // a blob as it was scanned
		if raw, ok := (*p).([]byte); ok {
			return append([]byte{}, raw...) // an empty one is not NULL
		}
	case *[]byte: // a blob as it was read
		if *p != nil {
			return *p
		}
	}
	return nil
}
