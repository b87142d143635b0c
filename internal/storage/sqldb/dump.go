package sqldb

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// A dump is lines of JSON that both engines read: the header, then each table as its name and columns followed by its rows, then the end.
const dumpFormat = 1

// loadRows is how many rows Load inserts at once.
const loadRows = 500

type dumpHeader struct {
	Format     int      `json:"kizuna_records"`
	Migrations []string `json:"migrations"`
}

type dumpTable struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
	Kinds   []string `json:"kinds"` // text, int, float, bool or blob
}

type dumpEnd struct {
	End  bool  `json:"end"`
	Rows int64 `json:"rows"`
}

// snapshot is a view of everything at one moment, that others may change meanwhile.
type snapshot interface {
	// tables returns the tables in the order of their making, schema_migration left out.
	tables(ctx context.Context) ([]dumpTable, error)
	// query runs a statement without arguments.
	query(ctx context.Context, text string) (rows, error)
	close()
}

// Dump writes all rows as they are at one moment, and returns their number. began is called once the moment is fixed: what is changed
// afterwards is not in the dump. Nobody is kept waiting. Both engines read what either has written.
func (db *DB) Dump(ctx context.Context, to io.Writer, began func()) (int64, error) {
	s, err := db.engine.snapshot(ctx)
	if err != nil {
		return 0, fmt.Errorf("dump: %w", classify(err))
	}
	defer s.close()
	began()
	n, err := dump(ctx, s, to)
	if err != nil {
		return n, fmt.Errorf("dump: %w", classify(err))
	}
	return n, nil
}

func dump(ctx context.Context, s snapshot, to io.Writer) (int64, error) {
	out := bufio.NewWriterSize(to, 1<<16)
	line := json.NewEncoder(out)
	line.SetEscapeHTML(false)
	header := dumpHeader{Format: dumpFormat}
	if err := eachRow(ctx, s, `SELECT name FROM schema_migration ORDER BY name`, func(r rows) error {
		var name string
		err := r.Scan(&name)
		header.Migrations = append(header.Migrations, name)
		return err
	}); err != nil {
		return 0, err
	}
	if err := line.Encode(header); err != nil {
		return 0, err
	}
	tables, err := s.tables(ctx)
	if err != nil {
		return 0, err
	}
	var n int64
	for _, t := range tables {
		if err := line.Encode(t); err != nil {
			return n, err
		}
		values := make([]any, len(t.Kinds))
		if err := t.each(ctx, s, "", func(dest []any) error {
			for i := range dest {
				values[i] = portable(dest[i])
			}
			n++
			return line.Encode(values)
		}); err != nil {
			return n, err
		}
	}
	if err := line.Encode(dumpEnd{true, n}); err != nil {
		return n, err
	}
	return n, out.Flush()
}

func eachRow(ctx context.Context, s snapshot, text string, do func(rows) error) error {
	rs, err := s.query(ctx, text)
	if err != nil {
		return err
	}
	defer rs.Close()
	for rs.Next() {
		if err := do(rs); err != nil {
			return err
		}
	}
	return rs.Err()
}

// gatherTables runs a query that gives table, column and declared type of each column.
func gatherTables(ctx context.Context, s snapshot, text string) (out []dumpTable, err error) {
	err = eachRow(ctx, s, text, func(r rows) error {
		var table, column, declared string
		if err := r.Scan(&table, &column, &declared); err != nil {
			return err
		}
		k, err := kind(declared)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", table, column, err)
		}
		if len(out) == 0 || out[len(out)-1].Table != table {
			out = append(out, dumpTable{Table: table})
		}
		t := &out[len(out)-1]
		t.Columns, t.Kinds = append(t.Columns, column), append(t.Kinds, k)
		return nil
	})
	return out, err
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// destination is what a column of the kind is scanned into.
func destination(kind string) any {
	switch kind {
	case "int":
		return new(*int64)
	case "float":
		return new(*float64)
	case "bool":
		return new(*bool)
	case "blob":
		return new(any) // SQLite gives an empty blob as nil bytes, which a *[]byte could not tell from NULL
	}
	return new(*string)
}

// portable is a scanned value as it is written; a blob becomes base64.
func portable(dest any) any {
	if p, ok := dest.(*any); ok {
		if raw, ok := (*p).([]byte); ok {
			return base64.StdEncoding.EncodeToString(raw)
		}
		return nil
	}
	return dest
}

// kind of a column by its declared type.
func kind(declared string) (string, error) {
	switch d := strings.ToLower(declared); {
	case strings.HasPrefix(d, "text"), d == "jsonb":
		return "text", nil
	case d == "bigint", d == "integer":
		return "int", nil
	case d == "boolean":
		return "bool", nil
	case d == "double precision", d == "double", d == "real":
		return "float", nil
	case d == "blob", d == "bytea":
		return "blob", nil
	}
	return "", fmt.Errorf("a column of type %s cannot be dumped", declared)
}

// Load fills an empty database from a dump: first the migrations that the dump's database had, then all rows, in one transaction, so that
// nothing is there if it fails. Later migrations are for Migrate. fsys is what Migrate gets.
func (db *DB) Load(ctx context.Context, from io.Reader, fsys fs.FS) (n int64, err error) {
	in := &dumpReader{s: bufio.NewReaderSize(from, 1<<20)}
	var header dumpHeader
	if err := in.next(&header); err != nil || header.Format == 0 {
		return 0, errors.Join(errors.New("load: this is not a dump of records"), err)
	}
	if header.Format > dumpFormat {
		return 0, fmt.Errorf("load: the dump has format %d, this version reads %d: use the version that wrote it", header.Format, dumpFormat)
	}
	all, err := readMigrations(fsys)
	if err != nil {
		return 0, fmt.Errorf("load: %w", err)
	}
	had := all[:min(len(all), len(header.Migrations))]
	if !slices.EqualFunc(had, header.Migrations, func(m migration, name string) bool { return m.name == name }) {
		return 0, errors.New("load: the dump comes from a newer version of the schema: use the version that wrote it")
	}
	if _, err := db.Exec(ctx, db.expand(createMigrations)); err != nil {
		return 0, fmt.Errorf("load: %w", err)
	}
	if applied, err := db.applied(ctx); err != nil || len(applied) > 0 {
		return 0, errors.Join(errors.New("load: the database is not empty: name an empty one"), err)
	}
	_, err = db.attempt(ctx, true, func(ctx context.Context) error {
		if err := db.applyMigrations(ctx, had); err != nil {
			return err
		}
		if db.dialect == SQLite {
			if _, err := db.Exec(ctx, "PRAGMA defer_foreign_keys = ON"); err != nil {
				return err
			}
		}
		n, err = db.loadTables(ctx, in)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("load: %w", err)
	}
	return n, nil
}

// loadTables reads tables until the end of the dump.
func (db *DB) loadTables(ctx context.Context, in *dumpReader) (n int64, err error) {
	var insert string
	var t dumpTable
	var pending [][]any
	flush := func() error {
		_, err := db.Bulk(ctx, insert, pending)
		n += int64(len(pending))
		pending = pending[:0]
		return err
	}
	for {
		raw, err := in.line()
		if err != nil {
			return n, fmt.Errorf("the dump is cut off: %w", err)
		}
		if raw[0] == '[' {
			row, err := t.parse(raw)
			if err != nil {
				return n, err
			}
			if pending = append(pending, row); len(pending) == loadRows {
				if err := flush(); err != nil {
					return n, err
				}
			}
			continue
		}
		if err := flush(); err != nil {
			return n, err
		}
		var next struct {
			dumpTable
			dumpEnd
		}
		if err := json.Unmarshal(raw, &next); err != nil {
			return n, err
		}
		if next.End {
			if next.Rows != n {
				return n, fmt.Errorf("the dump says that it has %d rows, it has %d", next.Rows, n)
			}
			return n, nil
		}
		t = next.dumpTable
		insert = t.insert()
		// Migrations put rows into some tables; the dump has them as they became.
		if _, err := db.Exec(ctx, "DELETE FROM "+quoted(t.Table)); err != nil {
			return n, err
		}
	}
}

// parse reads one row.
func (t dumpTable) parse(raw []byte) ([]any, error) {
	var cells []json.RawMessage
	if err := json.Unmarshal(raw, &cells); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Table, err)
	}
	if len(cells) != len(t.Kinds) {
		return nil, fmt.Errorf("%s: a row has %d columns, want %d", t.Table, len(cells), len(t.Kinds))
	}
	row := make([]any, len(cells))
	for i, c := range cells {
		dest := destination(t.Kinds[i])
		if t.Kinds[i] == "blob" {
			dest = new([]byte)
		}
		if err := json.Unmarshal(c, dest); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t.Table, t.Columns[i], err)
		}
		row[i] = bindable(dest)
	}
	return row, nil
}

// dumpReader reads lines of any length.
type dumpReader struct{ s *bufio.Reader }

func (r *dumpReader) line() ([]byte, error) {
	raw, err := r.s.ReadBytes('\n')
	if err == nil && len(raw) < 2 {
		err = errors.New("an empty line")
	}
	return raw, err
}

func (r *dumpReader) next(into any) error {
	raw, err := r.line()
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}
