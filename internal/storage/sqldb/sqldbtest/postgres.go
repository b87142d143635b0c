package sqldbtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore/migrations"
)

const schemaPrefix = "kizuna_test_"

// schemaName names a schema by the second it is made in, so that names sort by age, and something random.
func schemaName(made time.Time, random string) string {
	return fmt.Sprintf("%s%010d_%s", schemaPrefix, made.Unix(), strings.ToLower(random))
}

// staleAfter is how old a schema must be to have been left behind.
const staleAfter = time.Hour

// server is one connection pool for making, emptying and dropping schemas, kept for the life of the process.
var server = sync.OnceValues(func() (*sqldb.DB, error) {
	ctx := context.Background()
	db, err := sqldb.Open(ctx, os.Getenv(PostgresVariable), sqldb.Options{})
	if err != nil {
		return nil, err
	}
	stale, err := sqldb.Collect(ctx, db, sqldb.Value[string], `SELECT CAST(nspname AS TEXT) FROM pg_namespace WHERE nspname LIKE $1 AND nspname < $2`,
		schemaPrefix+"%", schemaName(time.Now().Add(-staleAfter), ""))
	if err != nil {
		return nil, err
	}
	for _, name := range stale {
		if _, err := db.Exec(ctx, "DROP SCHEMA IF EXISTS "+name+" CASCADE"); err != nil {
			return nil, err
		}
	}
	return db, nil
})

// pooled is a migrated schema and a database open on it.
type pooled struct {
	schema string
	db     *sqldb.DB
}

// idle are the ones that no test is using.
var idle struct {
	sync.Mutex
	list []pooled
}

func postgresServer(t testing.TB) *sqldb.DB {
	t.Helper()
	if os.Getenv(PostgresVariable) == "" {
		t.Skipf("set %s to the URL of a PostgreSQL database to run this test there", PostgresVariable)
	}
	db, err := server()
	if err != nil {
		t.Fatalf("%s: %v", PostgresVariable, err)
	}
	return db
}

func createSchema(t testing.TB) string {
	t.Helper()
	name := schemaName(time.Now(), rand.Text())
	if _, err := postgresServer(t).Exec(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	return name
}

func schemaURL(t testing.TB, name string) string {
	t.Helper()
	u, err := url.Parse(os.Getenv(PostgresVariable))
	if err != nil {
		t.Fatalf("%s: %v", PostgresVariable, err)
	}
	q := u.Query()
	q.Set("search_path", name)
	q.Set("synchronous_commit", "off")
	u.RawQuery = q.Encode()
	return u.String()
}

// emptySchema makes a schema for one test and returns the URL that uses it.
func emptySchema(t testing.TB) string {
	t.Helper()
	name := createSchema(t)
	t.Cleanup(func() {
		if _, err := postgresServer(t).Exec(context.Background(), "DROP SCHEMA "+name+" CASCADE"); err != nil {
			t.Errorf("drop schema: %v", err)
		}
	})
	return schemaURL(t, name)
}

// openMigrated opens a migrated schema without rows, a used one if there is one.
func openMigrated(t testing.TB) *sqldb.DB {
	t.Helper()
	admin := postgresServer(t)
	idle.Lock()
	var p pooled
	if n := len(idle.list); n > 0 {
		p, idle.list = idle.list[n-1], idle.list[:n-1]
	}
	idle.Unlock()
	if p.db == nil || p.db.Ping(t.Context()) != nil { // none, or the test before closed it
		if p.schema == "" {
			p.schema = createSchema(t)
		}
		var err error
		// The database outlives the test, so it must not end with the test's context.
		ctx := context.WithoutCancel(t.Context())
		if p.db, err = sqldb.Open(ctx, schemaURL(t, p.schema), sqldb.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := p.db.Migrate(ctx, migrations.Files); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := empty(context.Background(), admin, p.schema); err != nil {
			t.Errorf("empty schema: %v", err)
			return
		}
		idle.Lock()
		defer idle.Unlock()
		idle.list = append(idle.list, p)
	})
	return p.db
}

// empty removes all rows but those about migrations. Few tables have any, and finding out is much cheaper than truncating all.
func empty(ctx context.Context, db *sqldb.DB, schema string) error {
	_, err := db.Exec(ctx, fmt.Sprintf(`DO $do$
		DECLARE
			t   TEXT;
			hit BOOLEAN;
			todo TEXT := '';
		BEGIN
			FOR t IN SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
				WHERE schemaname = '%s' AND tablename <> 'schema_migration'
			LOOP
				EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || t || ')' INTO hit;
				IF hit THEN
					todo := todo || ', ' || t;
				END IF;
			END LOOP;
			IF todo <> '' THEN
				EXECUTE 'TRUNCATE ' || substr(todo, 3) || ' CASCADE';
			END IF;
		END $do$`, schema))
	return err
}
