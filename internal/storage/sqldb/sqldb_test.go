package sqldb_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

var _ tx.Runner = (*sqldb.DB)(nil)

// each runs the body on both engines with a small schema of its own.
func each(t *testing.T, body func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			db := sqldbtest.Empty(t, kind)
			migrate(t, db, fstest.MapFS{"0001_thing.sql": {Data: []byte(`
				CREATE TABLE thing (id TEXT NOT NULL PRIMARY KEY, name TEXT, n BIGINT, ok BOOLEAN, x DOUBLE PRECISION, doc {json}, raw {blob}, at BIGINT);
				CREATE UNIQUE INDEX thing_name ON thing (name);
				CREATE TABLE part (id TEXT NOT NULL PRIMARY KEY, thing_id TEXT NOT NULL REFERENCES thing (id));`)}})
			body(t, db)
		})
	}
}

func migrate(t *testing.T, db *sqldb.DB, files fstest.MapFS) {
	t.Helper()
	if err := db.Migrate(t.Context(), files); err != nil {
		t.Fatal(err)
	}
}

func exec(ctx context.Context, t *testing.T, db *sqldb.DB, q string, args ...any) int64 {
	t.Helper()
	n, err := db.Exec(ctx, q, args...)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return n
}

func ids(t *testing.T, db *sqldb.DB) []string {
	t.Helper()
	out, err := sqldb.Collect(t.Context(), db, sqldb.Value[string], `SELECT id FROM thing ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestValuesComeBackAsTheyWereBound(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		type row struct {
			Name string
			N    int64
			OK   bool
			X    float64
			Doc  json.RawMessage
			Raw  []byte
			At   time.Time
		}
		at := time.Date(2026, 3, 1, 4, 5, 6, 789_123_456, time.FixedZone("east", 9*3600))
		want := row{"絆 ünï", math.MaxInt64, true, -0.125, json.RawMessage(`{"a": [1, "x"]}`), []byte{0, 1, 255}, at.UTC().Truncate(time.Microsecond)}
		exec(t.Context(), t, db, `INSERT INTO thing (id, name, n, ok, x, doc, raw, at) VALUES ($8, $1, $2, $3, $4, $5, $6, $7)`,
			want.Name, want.N, want.OK, want.X, want.Doc, want.Raw, at, "a")
		got, err := sqldb.One(t.Context(), db, func(r sqldb.Row) (v row, err error) {
			err = r.Scan(&v.Name, &v.N, &v.OK, &v.X, &v.Doc, &v.Raw, &v.At)
			return v, err
		}, `SELECT name, n, ok, x, doc, raw, at FROM thing WHERE id = $1`, "a")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		var text string
		var n int
		var u uint64
		if _, err := sqldb.One(t.Context(), db, func(r sqldb.Row) (any, error) {
			return nil, r.Scan(&text, &n, &u)
		}, `SELECT doc, n, n FROM thing`); err != nil {
			t.Fatal(err)
		}
		if text != `{"a": [1, "x"]}` || n != math.MaxInt64 || u != math.MaxInt64 {
			t.Errorf("got %q, %d, %d", text, n, u)
		}
	})
}

func TestNullsAndZerosAreKeptApart(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		const insert = `INSERT INTO thing (id, name, n, ok, x, doc, raw, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
		exec(t.Context(), t, db, insert, "null", nil, (*int64)(nil), (*bool)(nil), nil, json.RawMessage(nil), []byte(nil), (*time.Time)(nil))
		zero, empty := int64(0), ""
		exec(t.Context(), t, db, insert, "zero", &empty, &zero, false, 0.0, json.RawMessage(`{}`), []byte{}, time.Time{})
		type row struct {
			Name *string
			N    sql.NullInt64
			OK   *bool
			X    *float64
			Raw  []byte
			At   *time.Time
			Doc  json.RawMessage
		}
		got, err := sqldb.Collect(t.Context(), db, func(r sqldb.Row) (v row, err error) {
			err = r.Scan(&v.Name, &v.N, &v.OK, &v.X, &v.Raw, &v.At, &v.Doc)
			return v, err
		}, `SELECT name, n, ok, x, raw, at, doc FROM thing ORDER BY id`)
		if err != nil {
			t.Fatal(err)
		}
		no, x0, t0 := false, 0.0, time.Time{}
		want := []row{{}, {&empty, sql.NullInt64{Valid: true}, &no, &x0, nil, &t0, json.RawMessage(`{}`)}}
		if len(got) == 2 && len(got[1].Raw) == 0 {
			got[1].Raw = nil // SQLite's driver reads an empty blob as nil
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if nulls, err := sqldb.Collect(t.Context(), db, sqldb.Value[string], `SELECT id FROM thing WHERE raw IS NULL`); err != nil || !cmp.Equal(nulls, []string{"null"}) {
			t.Errorf("blobs that are NULL: %v, %v", nulls, err)
		}
		ats, err := sqldb.Collect(t.Context(), db, sqldb.Value[time.Time], `SELECT at FROM thing ORDER BY id`)
		if err != nil || !ats[0].IsZero() || !ats[1].IsZero() {
			t.Errorf("times %v, %v, want two zero times", ats, err)
		}
		if _, err := sqldb.Collect(t.Context(), db, sqldb.Value[string], `SELECT name FROM thing`); err == nil {
			t.Error("NULL scanned into a string without an error")
		}
	})
}

func TestTextThatPostgresRefusesIsMended(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		bad := "a\x00b\xffc"
		exec(t.Context(), t, db, `INSERT INTO thing (id, name, doc) VALUES ($1, $2, $3)`, "a", bad, json.RawMessage(`{"k":"x\u0000y"}`))
		got, err := sqldb.One(t.Context(), db, sqldb.Value[string], `SELECT name FROM thing WHERE name = $1`, &bad)
		if err != nil || got != "a\uFFFDb\uFFFDc" {
			t.Errorf("got %q, %v", got, err)
		}
		doc, err := sqldb.One(t.Context(), db, sqldb.Value[json.RawMessage], `SELECT doc FROM thing`)
		var m map[string]string
		if err != nil || json.Unmarshal(doc, &m) != nil || m["k"] != "x\uFFFDy" {
			t.Errorf("got %s, %v", doc, err)
		}
	})
}

func TestTextSortsAndMatchesByBytes(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for _, s := range []string{"b", "B", "a", "_", "é", "Z"} {
			exec(t.Context(), t, db, `INSERT INTO thing (id, name) VALUES ($1, $1)`, s)
		}
		if d := cmp.Diff([]string{"B", "Z", "_", "a", "b", "é"}, ids(t, db)); d != "" {
			t.Error(d)
		}
		n, err := sqldb.One(t.Context(), db, sqldb.Value[int], `SELECT count(*) FROM thing WHERE name LIKE $1`, "b%")
		if err != nil || n != 1 {
			t.Errorf("LIKE matched %d rows, %v; want only the lower case one", n, err)
		}
		low, err := sqldb.One(t.Context(), db, sqldb.Value[string], `SELECT lower(name) FROM thing WHERE id = $1`, "Z")
		if err != nil || low != "z" {
			t.Errorf("lower gave %q, %v", low, err)
		}
	})
}

func TestPlaceholdersMayRepeatAndComeInAnyOrder(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		exec(t.Context(), t, db, `INSERT INTO thing (id, name, n) VALUES ($2, $1, $3)`, "the $1 name", "a", 7)
		got, err := sqldb.One(t.Context(), db, sqldb.Value[string],
			`SELECT '$9 is ''no'' placeholder' || "name" FROM thing -- nor is $8
			 WHERE id = $2 /* nor $7 */ AND name = $1 AND id = $2`, "the $1 name", "a")
		if err != nil || got != "$9 is 'no' placeholderthe $1 name" {
			t.Errorf("got %q, %v", got, err)
		}
		for _, args := range [][]any{{}, {"a", "b"}} {
			if _, err := db.Exec(t.Context(), `DELETE FROM thing WHERE id = $1`, args...); err == nil {
				t.Errorf("%d arguments for one placeholder were accepted", len(args))
			}
		}
		if len(ids(t, db)) != 1 {
			t.Error("a refused statement ran")
		}
	})
}

func TestListsAreBoundAsOneArgument(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for i, s := range []string{"a", "b", `c"'`} {
			exec(t.Context(), t, db, `INSERT INTO thing (id, n) VALUES ($1, $2)`, s, int64(i)+math.MaxInt64-2)
		}
		for _, c := range []struct {
			in   []string
			want []string
		}{{[]string{"a", `c"'`, "no"}, []string{"a", `c"'`}}, {nil, []string{}}, {[]string{}, []string{}}} {
			clause, arg := db.In(2, c.in)
			got, err := sqldb.Collect(t.Context(), db, sqldb.Value[string], `SELECT id FROM thing WHERE n > $1 AND id `+clause+` ORDER BY id`, 0, arg)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			out, err := sqldb.One(t.Context(), db, sqldb.Value[int], `SELECT count(*) FROM thing WHERE n > $1 AND NOT (id `+clause+`)`, 0, arg)
			if err != nil || out != 3-len(c.want) {
				t.Errorf("NOT In(%v) counts %d, %v", c.in, out, err)
			}
		}
		clause, arg := db.InInts(1, []int64{math.MaxInt64, math.MaxInt64 - 2})
		got, err := sqldb.Collect(t.Context(), db, sqldb.Value[string], `SELECT id FROM thing WHERE n `+clause+` ORDER BY id`, arg)
		if err != nil || !cmp.Equal(got, []string{"a", `c"'`}) {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestReturningWorksOutsideATransaction(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for want := int64(1); want <= 3; want++ {
			got, err := sqldb.One(t.Context(), db, sqldb.Value[int64],
				`INSERT INTO thing (id, n) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET n = thing.n + 1 RETURNING n`, "a")
			if err != nil || got != want {
				t.Fatalf("got %d, %v, want %d", got, err, want)
			}
		}
		n, err := sqldb.One(t.Context(), db, sqldb.Value[int64], `WITH low AS (SELECT 1 AS v) UPDATE thing SET n = (SELECT v FROM low) RETURNING n`)
		if err != nil || n != 1 {
			t.Errorf("got %d, %v", n, err)
		}
	})
}

func TestOneWithoutARow(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		if _, err := sqldb.One(t.Context(), db, sqldb.Value[string], `SELECT id FROM thing`); !errors.Is(err, sqldb.ErrNoRows) {
			t.Errorf("got %v, want ErrNoRows", err)
		}
		if err := db.InTx(t.Context(), func(ctx context.Context) error {
			if _, err := sqldb.One(ctx, db, sqldb.Value[string], `SELECT id FROM thing`); !errors.Is(err, sqldb.ErrNoRows) {
				t.Errorf("got %v, want ErrNoRows", err)
			}
			_, err := db.Exec(ctx, `INSERT INTO thing (id) VALUES ('a')`)
			return err
		}); err != nil {
			t.Errorf("no row made the transaction fail: %v", err)
		}
	})
}

func TestSumsAndAveragesScan(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		exec(t.Context(), t, db, `INSERT INTO thing (id, n) VALUES ('a', 1), ('b', 2)`)
		var sum int64
		var avg float64
		var has bool
		if _, err := sqldb.One(t.Context(), db, func(r sqldb.Row) (any, error) { return nil, r.Scan(&sum, &avg, &has) },
			`SELECT sum(n), avg(n), EXISTS (SELECT 1 FROM thing WHERE n = 2) FROM thing`); err != nil {
			t.Fatal(err)
		}
		if sum != 3 || avg != 1.5 || !has {
			t.Errorf("got %d, %v, %v", sum, avg, has)
		}
	})
}

func TestBulkRunsForEveryRowOrForNone(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var all [][]any
		for i := range 2500 {
			all = append(all, []any{fmt.Sprintf("%05d", i), i})
		}
		const upsert = `INSERT INTO thing (id, n) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = excluded.n WHERE thing.n <> excluded.n`
		if n, err := db.Bulk(t.Context(), upsert, all); err != nil || n != 2500 {
			t.Fatalf("changed %d, %v", n, err)
		}
		all[7][1] = -1
		if n, err := db.Bulk(t.Context(), upsert, all); err != nil || n != 1 {
			t.Errorf("changed %d, %v, want the one row that differs", n, err)
		}
		if n, err := db.Bulk(t.Context(), upsert, nil); err != nil || n != 0 {
			t.Errorf("no rows: %d, %v", n, err)
		}
		_, err := db.Bulk(t.Context(), `INSERT INTO thing (id) VALUES ($1)`, [][]any{{"new"}, {"00000"}})
		if !sqldb.IsUnique(err) {
			t.Errorf("got %v, want a unique violation", err)
		}
		if n, err := sqldb.One(t.Context(), db, sqldb.Value[int], `SELECT count(*) FROM thing`); err != nil || n != 2500 {
			t.Errorf("%d rows, %v; the failed bulk left something behind", n, err)
		}
	})
}

func TestErrorsHaveKinds(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		exec(t.Context(), t, db, `INSERT INTO thing (id, name) VALUES ('a', 'n')`)
		for _, q := range []string{`INSERT INTO thing (id) VALUES ('a')`, `INSERT INTO thing (id, name) VALUES ('b', 'n')`} {
			_, err := db.Exec(t.Context(), q)
			if !sqldb.IsUnique(err) || !errs.Is(err, errs.KindConflict) {
				t.Errorf("%s: %v", q, err)
			}
		}
		_, err := db.Exec(t.Context(), `INSERT INTO part (id, thing_id) VALUES ('p', 'gone')`)
		if sqldb.IsUnique(err) || !errs.Is(err, errs.KindConflict) {
			t.Errorf("broken reference: %v", err)
		}
		_, err = db.Exec(t.Context(), `INSERT INTO thing (nonsense) VALUES (1)`)
		if err == nil || errs.KindOf(err) != errs.KindInternal {
			t.Errorf("wrong column: %v", err)
		}
		done, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := db.Exec(done, `DELETE FROM thing`); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		if sqldb.IsUnique(nil) {
			t.Error("nil is a unique violation")
		}
	})
}

func TestUseAfterCloseFails(t *testing.T) {
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			db, err := sqldb.Open(t.Context(), sqldbtest.URL(t, kind), sqldb.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := db.Exec(t.Context(), `CREATE TABLE x (id TEXT)`); !errs.Is(err, errs.KindUnavailable) {
				t.Errorf("exec: %v", err)
			}
			if _, err := sqldb.Collect(t.Context(), db, sqldb.Value[int], `SELECT 1`); err == nil {
				t.Error("a read worked")
			}
			if err := db.Ping(t.Context()); err == nil {
				t.Error("ping worked")
			}
		})
	}
}

func TestOpenExplainsWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, bytes.Repeat([]byte("not a database, "), 500), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"mysql://x":              "use sqlite:",
		"sqlite:":                "no path",
		"sqlite:" + file:         "not a database",
		"sqlite:" + file + "/db": "not a directory",
		"postgres://kizuna@127.0.0.1:1/x?connect_timeout=1": "cannot be reached",
	} {
		db, err := sqldb.Open(t.Context(), url, sqldb.Options{})
		if err == nil {
			_ = db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	if _, err := sqldb.Open(t.Context(), "sqlite:"+file+"2", sqldb.Options{Synchronous: "sometimes"}); err == nil {
		t.Error("an unknown durability was accepted")
	}
}

func TestPathsWithOddCharactersOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c%20#絆.db")
	db, err := sqldb.Open(t.Context(), "sqlite:"+path, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	exec(t.Context(), t, db, `CREATE TABLE x (id TEXT)`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestManyStatementTextsDoNotPileUp(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 600 {
					n, err := sqldb.One(t.Context(), db, sqldb.Value[int], fmt.Sprintf(`SELECT count(*) + %d FROM thing WHERE id <> $1`, g*600+i), "x")
					if err != nil || n != g*600+i {
						t.Errorf("got %d, %v", n, err)
						return
					}
				}
			})
		}
		for i := range 1100 {
			exec(t.Context(), t, db, fmt.Sprintf(`UPDATE thing SET n = %d WHERE id = $1`, i), "x")
		}
		wg.Wait()
	})
}

func TestSQLiteIsSetUpForDurability(t *testing.T) {
	db, err := sqldb.Open(t.Context(), sqldbtest.URL(t, sqldb.SQLite), sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "5000"} {
		if got, err := sqldb.One(t.Context(), db, sqldb.Value[string], "PRAGMA "+pragma); err != nil || got != want {
			t.Errorf("%s is %q, %v, want %q", pragma, got, err, want)
		}
	}
}

func TestDatabaseFilesAreTheirOwnersAlone(t *testing.T) {
	db, err := sqldb.Open(t.Context(), sqldbtest.URL(t, sqldb.SQLite), sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	exec(t.Context(), t, db, `CREATE TABLE x (id TEXT)`)
	path, err := sqldb.One(t.Context(), db, sqldb.Value[string], `SELECT file FROM pragma_database_list WHERE name = 'main'`)
	if err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s%s: %v, %v", path, suffix, info, err)
		}
	}
}

func TestCheckFindsWhatIsBroken(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		faults, err := db.Check(t.Context())
		if err != nil || len(faults) != 0 {
			t.Errorf("a sound database: %v, %v", faults, err)
		}
	})
	db := sqldbtest.Empty(t, sqldb.SQLite)
	exec(t.Context(), t, db, `CREATE TABLE a (id TEXT NOT NULL PRIMARY KEY)`)
	exec(t.Context(), t, db, `CREATE TABLE b (a_id TEXT REFERENCES a (id))`)
	exec(t.Context(), t, db, `PRAGMA foreign_keys = 0`)
	exec(t.Context(), t, db, `INSERT INTO b (a_id) VALUES ('gone')`)
	faults, err := db.Check(t.Context())
	if err != nil || len(faults) != 1 || !strings.Contains(faults[0], "row 1 of b") {
		t.Errorf("got %q, %v", faults, err)
	}
}
