package sqldb

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Share is a part of a database that can go into another one which has things of its own: the rows of one workspace. Every table is in it, or is named in Where: one
// that is neither is an error, so that none is forgotten.
type Share struct {
	Column, Value string            // rows with this value in this column belong to it
	Where         map[string]string // of tables whose rows are found in another way, a condition without arguments; empty: none of them goes
	Zero          []string          // "table.column" of numbers that mean nothing in the other database: they are 0 there
	// Text returns what a text is in the other database; nil: what it is here.
	Text func(table, column, text string) (string, error)
}

// Literal writes a text for a condition of Share.Where.
func Literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// of returns which rows of a table belong to the share, and whether any can.
func (s Share) of(t dumpTable) (where string, any bool, err error) {
	if where, named := s.Where[t.Table]; named {
		return where, where != "", nil
	}
	if !slices.Contains(t.Columns, s.Column) {
		return "", false, fmt.Errorf("the table %s has no column %s, and nothing says what becomes of it", t.Table, s.Column)
	}
	return quoted(s.Column) + " = " + Literal(s.Value), true, nil
}

// arrive makes a row what it is in the other database.
func (s Share) arrive(t dumpTable, dest []any) (err error) {
	for i, d := range dest {
		switch p := d.(type) {
		case **int64:
			if *p != nil && slices.Contains(s.Zero, t.Table+"."+t.Columns[i]) {
				*p = new(int64)
			}
		case **string:
			if *p != nil && s.Text != nil {
				text, terr := s.Text(t.Table, t.Columns[i], **p)
				if terr != nil {
					return fmt.Errorf("%s.%s: %w", t.Table, t.Columns[i], terr)
				}
				*p = &text
			}
		}
	}
	return nil
}

// CopyShare puts the share into another database with the same migrations, in one transaction, that of ctx if there is one, and returns what it has put there.
// Nobody may change the share meanwhile.
func (db *DB) CopyShare(ctx context.Context, to *DB, share Share, told func(Copied)) (sums Sums, err error) {
	s, err := db.engine.snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("copy: %w", classify(err))
	}
	defer s.close()
	tables, err := s.tables(ctx)
	if err != nil {
		return nil, fmt.Errorf("copy: %w", classify(err))
	}
	err = to.InTx(ctx, func(ctx context.Context) error {
		sums = Sums{}
		for _, t := range tables {
			where, some, err := share.of(t)
			if err == nil && some {
				err = to.takeShare(ctx, s, t, where, share, sums, told)
			}
			if err != nil {
				return fmt.Errorf("copy: %s: %w", t.Table, classify(err))
			}
		}
		return nil
	})
	return sums, err
}

// takeShare copies the rows of one table.
func (db *DB) takeShare(ctx context.Context, s snapshot, t dumpTable, where string, share Share, sums Sums, told func(Copied)) error {
	var n int64
	var waiting [][]any
	flush := func() error {
		_, err := db.Bulk(ctx, t.insert(), waiting)
		waiting = waiting[:0]
		return err
	}
	if err := t.each(ctx, s, where, func(dest []any) error {
		if err := share.arrive(t, dest); err != nil {
			return err
		}
		row, err := t.summed(dest, sums)
		if err != nil {
			return err
		}
		n++
		if waiting = append(waiting, row); len(waiting) == loadRows {
			return flush()
		}
		return nil
	}); err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	if n > 0 {
		told(Copied{t.Table, n, n})
	}
	return nil
}

// ShareSums reads the share, in the transaction of ctx if there is one, and says what it is.
func (db *DB) ShareSums(ctx context.Context, share Share) (Sums, error) {
	tables, _, err := db.ledger(ctx)
	if err != nil {
		return nil, fmt.Errorf("sums: %w", err)
	}
	sums := Sums{}
	for _, t := range tables {
		where, some, err := share.of(t)
		if err == nil && some {
			err = db.each(ctx, t.selection(where), nil, func(r Row) (bool, error) {
				dest, err := t.scan(r)
				if err == nil {
					_, err = t.summed(dest, sums)
				}
				return true, err
			})
		}
		if err != nil {
			return nil, fmt.Errorf("sums: %s: %w", t.Table, err)
		}
	}
	return sums, nil
}

// DeleteShare deletes the share, in one transaction, that of ctx if there is one.
func (db *DB) DeleteShare(ctx context.Context, share Share) error {
	tables, _, err := db.ledger(ctx)
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return db.InTx(ctx, func(ctx context.Context) error {
		for _, t := range slices.Backward(tables) {
			where, some, err := share.of(t)
			if err == nil && some {
				_, err = db.Exec(ctx, "DELETE FROM "+quoted(t.Table)+" WHERE "+where)
			}
			if err != nil {
				return fmt.Errorf("delete: %s: %w", t.Table, err)
			}
		}
		return nil
	})
}

// KeepCopy copies the database before something that cannot be taken back, as Migrate does, and returns the path of the copy; "" if the engine leaves that to its
// operator.
func (db *DB) KeepCopy(ctx context.Context, label string) (string, error) {
	return db.engine.backup(ctx, label)
}
