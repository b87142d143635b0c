package sqldb_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func bothEmpty(t *testing.T, body func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) { body(t, sqldbtest.Empty(t, kind)) })
	}
}

func TestMigrationsRunOnceAndInOrder(t *testing.T) {
	bothEmpty(t, func(t *testing.T, db *sqldb.DB) {
		files := fstest.MapFS{
			"0002_b.sql": file(`INSERT INTO thing (id) VALUES ('from 2'); INSERT INTO thing (id) VALUES (CAST(3 AS TEXT));`),
			"0001_a.sql": file("CREATE TABLE thing (id TEXT NOT NULL PRIMARY KEY, doc {json}, raw {blob});\r\n"),
			"readme.txt": file(`not SQL`),
		}
		migrate(t, db, files)
		migrate(t, db, files)
		files["0001_a.sql"] = file("CREATE TABLE thing (id TEXT NOT NULL PRIMARY KEY, doc {json}, raw {blob});\n") // another line end
		files["0003_c.sql"] = file(`INSERT INTO thing (id) VALUES ('from 3')`)
		migrate(t, db, files)
		if got := strings.Join(ids(t, db), ", "); got != "3, from 2, from 3" {
			t.Errorf("got %s", got)
		}
	})
}

func TestMigrationsRefuseAChangedPast(t *testing.T) {
	bothEmpty(t, func(t *testing.T, db *sqldb.DB) {
		a, c := file(`CREATE TABLE a (id TEXT)`), file(`CREATE TABLE c (id TEXT)`)
		migrate(t, db, fstest.MapFS{"0001_a.sql": a, "0003_c.sql": c})
		for want, files := range map[string]fstest.MapFS{
			"was changed after":    {"0001_a.sql": file(`CREATE TABLE a (id TEXT NOT NULL)`), "0003_c.sql": c},
			"does not know":        {"0001_a.sql": a},
			"sorts before 0003_c":  {"0001_a.sql": a, "0002_b.sql": file(`CREATE TABLE b (id TEXT)`), "0003_c.sql": c},
			"which this version":   {},
			"0004_d: ":             {"0001_a.sql": a, "0003_c.sql": c, "0004_d.sql": file(`CREATE TABLE d (id TEXT); nonsense`)},
			"does not know: start": {"0001_a.sql": a, "0004_d.sql": file(`CREATE TABLE d (id TEXT)`)},
		} {
			if err := db.Migrate(t.Context(), files); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		if _, err := db.Exec(t.Context(), `SELECT id FROM d`); err == nil {
			t.Error("the failed migration left a table behind")
		}
		migrate(t, db, fstest.MapFS{"0001_a.sql": a, "0003_c.sql": c})
	})
}

func TestProcessesThatStartTogetherMigrateOnce(t *testing.T) {
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			target := sqldbtest.URL(t, kind)
			files := fstest.MapFS{"0001_a.sql": file(`CREATE TABLE thing (id TEXT NOT NULL); INSERT INTO thing (id) VALUES ('x')`)}
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					db, err := sqldb.Open(t.Context(), target, sqldb.Options{Synchronous: "OFF"})
					if err != nil {
						t.Error(err)
						return
					}
					defer func() { _ = db.Close() }()
					if err := db.Migrate(t.Context(), files); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			db, err := sqldb.Open(t.Context(), target, sqldb.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if got := ids(t, db); len(got) != 1 {
				t.Errorf("the migration ran %d times", len(got))
			}
		})
	}
}

func TestSQLiteIsBackedUpBeforeItIsMigrated(t *testing.T) {
	target := sqldbtest.URL(t, sqldb.SQLite)
	path := strings.TrimPrefix(target, "sqlite:")
	db, err := sqldb.Open(t.Context(), target, sqldb.Options{Synchronous: "OFF"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	backups := func() []string {
		names, err := filepath.Glob(path + ".before-*")
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	files := fstest.MapFS{"0001_a.sql": file(`CREATE TABLE thing (id TEXT NOT NULL); INSERT INTO thing (id) VALUES ('kept')`)}
	migrate(t, db, files)
	migrate(t, db, files)
	if got := backups(); len(got) != 0 {
		t.Errorf("nothing was at stake, and yet there is %v", got)
	}
	files["0002_b.sql"] = file(`DELETE FROM thing`)
	migrate(t, db, files)
	if len(ids(t, db)) != 0 {
		t.Fatal("the migration did not run")
	}
	got := backups()
	if len(got) != 1 || !strings.Contains(got[0], "before-0002_b") {
		t.Fatalf("backups: %v", got)
	}
	if info, err := os.Stat(got[0]); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v: the backup can be read by others", info.Mode(), err)
	}
	old, err := sqldb.Open(t.Context(), "sqlite:"+got[0], sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = old.Close() }()
	if kept := ids(t, old); len(kept) != 1 || kept[0] != "kept" {
		t.Errorf("the backup holds %v", kept)
	}
}

func TestUnappliedMigrationsAreNamed(t *testing.T) {
	bothEmpty(t, func(t *testing.T, db *sqldb.DB) {
		files := fstest.MapFS{"0001_a.sql": file(`CREATE TABLE a (id TEXT)`)}
		migrate(t, db, files)
		files["0002_b.sql"], files["0003_c.sql"] = file(`CREATE TABLE b (id TEXT)`), file(`CREATE TABLE c (id TEXT)`)
		got, err := db.Unapplied(t.Context(), files)
		if err != nil || strings.Join(got, " ") != "0002_b 0003_c" {
			t.Errorf("got %v, %v", got, err)
		}
		migrate(t, db, files)
		if got, err := db.Unapplied(t.Context(), files); err != nil || len(got) != 0 {
			t.Errorf("after migrating: %v, %v", got, err)
		}
		if _, err := db.Unapplied(t.Context(), fstest.MapFS{"0001_a.sql": files["0001_a.sql"]}); err == nil {
			t.Error("a database of a newer version was accepted")
		}
	})
}
