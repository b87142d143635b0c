package sqldb_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

var dumpSchema = fstest.MapFS{
	"0001_a.sql": {Data: []byte(`CREATE TABLE owner (id TEXT NOT NULL PRIMARY KEY, "order" BIGINT);
		CREATE TABLE thing (owner_id TEXT NOT NULL REFERENCES owner (id), n BIGINT NOT NULL, ok BOOLEAN NOT NULL, part DOUBLE PRECISION, body {json} NOT NULL, bytes {blob});
		INSERT INTO owner (id, "order") VALUES ('seeded', 1);`)},
	"0002_b.sql": {Data: []byte(`CREATE TABLE later (id TEXT NOT NULL);`)},
}

type thing struct {
	Owner string
	N     int64
	OK    bool
	Part  *float64
	Body  string
	Bytes string
	Null  bool
}

func things(t *testing.T, db *sqldb.DB) []thing {
	t.Helper()
	got, err := sqldb.Collect(t.Context(), db, func(r sqldb.Row) (x thing, err error) {
		var bytes []byte
		err = r.Scan(&x.Owner, &x.N, &x.OK, &x.Part, &x.Body, &bytes, &x.Null)
		x.Bytes = string(bytes)
		return x, err
	}, `SELECT owner_id, n, ok, part, CAST(body AS TEXT), bytes, bytes IS NULL FROM thing ORDER BY n`)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// filled is a database with every kind of value.
func filled(t *testing.T, kind sqldb.Dialect) *sqldb.DB {
	t.Helper()
	db := sqldbtest.Empty(t, kind)
	if err := db.Migrate(t.Context(), dumpSchema); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`DELETE FROM owner`, `INSERT INTO owner (id) VALUES ('絆 "a" <b>')`} {
		if _, err := db.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	part := 0.1
	rows := [][]any{
		{`絆 "a" <b>`, int64(math.MinInt64), true, part, `{"x": "é\n"}`, []byte{0, 255, '\n'}},
		{`絆 "a" <b>`, int64(0), false, nil, `[]`, nil},
		{`絆 "a" <b>`, int64(math.MaxInt64), false, part, strings.Repeat(`"long"`, 0) + `"x"`, []byte{}},
	}
	for range 1200 { // more than Load inserts at once
		rows = append(rows, []any{`絆 "a" <b>`, int64(len(rows)), true, nil, `"` + strings.Repeat("長", 50) + `"`, nil})
	}
	if _, err := db.Bulk(t.Context(), `INSERT INTO thing (owner_id, n, ok, part, body, bytes) VALUES ($1, $2, $3, $4, $5, $6)`, rows); err != nil {
		t.Fatal(err)
	}
	return db
}

var kinds = []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres}

func TestADumpOfEitherEngineLoadsIntoEither(t *testing.T) {
	for _, from := range kinds {
		t.Run("from "+string(from), func(t *testing.T) {
			source := filled(t, from)
			var dump bytes.Buffer
			n, err := source.Dump(t.Context(), &dump, func() {
				// The moment is fixed: this row comes too late.
				if _, err := source.Exec(t.Context(), `INSERT INTO later (id) VALUES ('late')`); err != nil {
					t.Error(err)
				}
			})
			if err != nil || n != 1204 {
				t.Fatalf("%d rows, %v", n, err)
			}
			for _, to := range kinds {
				t.Run("into "+string(to), func(t *testing.T) {
					db := sqldbtest.Empty(t, to)
					n, err := db.Load(t.Context(), bytes.NewReader(dump.Bytes()), dumpSchema)
					if err != nil || n != 1204 {
						t.Fatalf("%d rows, %v", n, err)
					}
					if d := cmp.Diff(things(t, source), things(t, db)); d != "" {
						t.Error(d)
					}
					late, err := sqldb.One(t.Context(), db, sqldb.Value[int64], `SELECT (SELECT count(*) FROM later) + (SELECT count(*) FROM owner WHERE id = 'seeded')`)
					if err != nil || late != 0 {
						t.Errorf("%d rows that came after the moment or from the migration, %v", late, err)
					}
					if err := db.Migrate(t.Context(), dumpSchema); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

func TestALoadThatFailsLeavesNothing(t *testing.T) {
	source := filled(t, sqldb.SQLite)
	var dump bytes.Buffer
	if _, err := source.Dump(t.Context(), &dump, func() {}); err != nil {
		t.Fatal(err)
	}
	whole := dump.String()
	newer := fstest.MapFS{"0001_a.sql": dumpSchema["0001_a.sql"]}
	lines := strings.SplitAfter(whole, "\n")
	for name, c := range map[string]struct {
		text   string
		schema fstest.MapFS
		want   string
	}{
		"cut off in a row":      {whole[:len(whole)-200], dumpSchema, "cut off"},
		"a row is missing":      {strings.Join(append(append([]string{}, lines[:len(lines)-4]...), lines[len(lines)-3:]...), ""), dumpSchema, "says that it has"},
		"from a newer version":  {whole, newer, "newer version"},
		"not a dump":            {"hello\n", dumpSchema, "not a dump"},
		"a value of wrong kind": {strings.Replace(whole, `,true,0.1,`, `,"yes",0.1,`, 1), dumpSchema, "thing.ok"},
	} {
		for _, kind := range kinds {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				db := sqldbtest.Empty(t, kind)
				_, err := db.Load(t.Context(), strings.NewReader(c.text), c.schema)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("%v, want %q in it", err, c.want)
				}
				if _, err := db.Load(t.Context(), strings.NewReader(whole), dumpSchema); err != nil {
					t.Errorf("a whole dump afterwards: %v", err)
				}
				if _, err := db.Load(t.Context(), strings.NewReader(whole), dumpSchema); err == nil || !strings.Contains(err.Error(), "not empty") {
					t.Errorf("a dump was loaded over another: %v", err)
				}
			})
		}
	}
}

func TestADumpEndsWhenItsReaderFails(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			db := filled(t, kind)
			in, out := io.Pipe()
			full := errors.New("the disk is full")
			_ = in.CloseWithError(full)
			if _, err := db.Dump(t.Context(), out, func() {}); !errors.Is(err, full) {
				t.Errorf("%v", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := db.Dump(ctx, io.Discard, func() {}); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
		})
	}
}
