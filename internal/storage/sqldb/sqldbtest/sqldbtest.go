// Package sqldbtest gives tests fresh record databases of both kinds.
//
// SQLite databases are files in the test's folder. PostgreSQL databases are schemas in the database that KIZUNA_TEST_POSTGRES names. Making
// one takes a quarter of a second, so migrated schemas are emptied and used again by later tests of the process, with the
// database open on them; those that a process leaves
// behind are dropped by the next one that starts an hour or more later. It imports the migrations but no store, so that
// one noun can be tested while another does not compile.
package sqldbtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore/migrations"
)

// PostgresVariable is the environment variable with the URL of a database that tests may make schemas in.
const PostgresVariable = "KIZUNA_TEST_POSTGRES"

// Each runs the body as subtests "sqlite" and "postgres", each on a fresh migrated database. The PostgreSQL one is skipped
// if KIZUNA_TEST_POSTGRES is not set.
func Each(t *testing.T, body func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) { body(t, Open(t, kind)) })
	}
}

// Open returns a fresh migrated database that is closed and removed when the test ends.
func Open(t testing.TB, kind sqldb.Dialect) *sqldb.DB {
	t.Helper()
	if kind == sqldb.SQLite {
		path := filepath.Join(t.TempDir(), "kizuna.db")
		template, err := migratedFile()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, template, 0o600); err != nil {
			t.Fatal(err)
		}
		return open(t, kind, "sqlite:"+path)
	}
	return openMigrated(t)
}

// Empty is Open without the migrations.
func Empty(t testing.TB, kind sqldb.Dialect) *sqldb.DB {
	t.Helper()
	return open(t, kind, URL(t, kind))
}

// URL names an empty database that is removed when the test ends.
func URL(t testing.TB, kind sqldb.Dialect) string {
	t.Helper()
	switch kind {
	case sqldb.SQLite:
		return "sqlite:" + filepath.Join(t.TempDir(), "kizuna.db")
	case sqldb.Postgres:
		return emptySchema(t)
	}
	t.Fatalf("no database of kind %q", kind)
	return ""
}

func open(t testing.TB, kind sqldb.Dialect, target string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), target, sqldb.Options{Synchronous: "OFF"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if kind == sqldb.SQLite && !t.Failed() {
			checkStorageClasses(t, db)
		}
		if err := db.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return db
}

// migratedFile is a migrated SQLite database, made once for all tests of the process.
var migratedFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "kizuna-template-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "template.db")
	ctx := context.Background()
	db, err := sqldb.Open(ctx, "sqlite:"+path, sqldb.Options{Synchronous: "OFF"})
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, migrations.Files); err != nil {
		_ = db.Close()
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// checkStorageClasses fails the test if a column holds a value of another type than it declares, which SQLite
// allows and PostgreSQL would not: []byte bound to a TEXT column, text in a BIGINT column.
func checkStorageClasses(t testing.TB, db *sqldb.DB) {
	t.Helper()
	type column struct{ table, name, declared string }
	ctx := context.Background()
	columns, err := sqldb.Collect(ctx, db, func(r sqldb.Row) (c column, err error) {
		err = r.Scan(&c.table, &c.name, &c.declared)
		return c, err
	}, `SELECT m.name, c.name, c.type FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Errorf("check storage classes: %v", err)
		return
	}
	allowed := map[string]string{
		"TEXT": "'text'", "BIGINT": "'integer'", "BOOLEAN": "'integer'", "BLOB": "'blob'", "DOUBLE PRECISION": "'real', 'integer'",
	}
	for _, c := range columns {
		classes, ok := allowed[c.declared]
		if !ok {
			t.Errorf("%s.%s has type %s; use TEXT, BIGINT, BOOLEAN, DOUBLE PRECISION, {json} or {blob}", c.table, c.name, c.declared)
			continue
		}
		wrong, err := sqldb.Collect(ctx, db, sqldb.Value[string], fmt.Sprintf(
			`SELECT typeof("%[2]s") FROM "%[1]s" WHERE typeof("%[2]s") NOT IN ('null', %[3]s) LIMIT 1`, c.table, c.name, classes))
		if err != nil {
			t.Errorf("check %s.%s: %v", c.table, c.name, err)
		} else if len(wrong) > 0 {
			t.Errorf("%s.%s is %s but holds a %s: bind text as string or json.RawMessage and only blobs as []byte", c.table, c.name, c.declared, wrong[0])
		}
	}
}
