package sqlstore_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// kinds are the engines that every suite runs on.
var kinds = []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres}

// schema describes tables and indexes in words that are the same for both engines: "table.column" -> "type null|not null",
// "index name" -> "unique? table (columns)".
type schema map[string]string

// portable maps each engine's types to one word. JSON is TEXT on SQLite, so there both read as "text".
var portable = map[string]string{
	"TEXT": "text", "text": "text", "jsonb": "text",
	"BIGINT": "bigint", "bigint": "bigint",
	"BOOLEAN": "boolean", "boolean": "boolean",
	"BLOB": "blob", "bytea": "blob",
	"DOUBLE PRECISION": "double", "double precision": "double",
}

type columnRow struct {
	table, column, declared, def string
	notNull                      bool
	key                          int // place in the primary key, 0 if none
}

func scanColumn(r sqldb.Row) (c columnRow, err error) {
	err = r.Scan(&c.table, &c.column, &c.declared, &c.notNull, &c.key, &c.def)
	return c, err
}

type indexRow struct {
	table, name, column string
	unique, partial     bool
}

func scanIndex(r sqldb.Row) (i indexRow, err error) {
	err = r.Scan(&i.table, &i.name, &i.unique, &i.partial, &i.column)
	return i, err
}

const (
	sqliteColumns = `SELECT m.name, c.name, c.type, c."notnull", c.pk, coalesce(c.dflt_value, '') FROM sqlite_schema m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`
	postgresColumns = `SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), format_type(a.atttypid, NULL) , a.attnotnull,
		coalesce(array_position(CAST(k.conkey AS SMALLINT[]), a.attnum), 0), coalesce(pg_get_expr(d.adbin, d.adrelid), '')
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
		LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
		WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS REGNAMESPACE)`
	sqliteIndexes = `SELECT m.name, i.name, i."unique", i.partial, coalesce(c.name, '(expression)') FROM sqlite_schema m JOIN pragma_index_list(m.name) i
		JOIN pragma_index_info(i.name) c WHERE m.type = 'table' AND i.origin = 'c' ORDER BY i.name, c.seqno`
	postgresIndexes = `SELECT CAST(t.relname AS TEXT), CAST(i.relname AS TEXT), x.indisunique, x.indpred IS NOT NULL, coalesce(CAST(a.attname AS TEXT), '(expression)')
		FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
		CROSS JOIN LATERAL unnest(CAST(x.indkey AS SMALLINT[])) WITH ORDINALITY AS k (attnum, place)
		LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum AND k.attnum > 0
		WHERE t.relnamespace = CAST(current_schema() AS REGNAMESPACE) AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid)
		ORDER BY i.relname, k.place`
	sqliteForeign = `SELECT m.name || '.' || f."from" || ' -> ' || f."table" || ' ' || f.on_delete
		FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`
	postgresForeign = `SELECT t.relname || '.' || a.attname || ' -> ' || r.relname || ' ' || CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'NO ACTION' END
		FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class r ON r.oid = c.confrelid
		JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (c.conkey)
		WHERE c.contype = 'f' AND t.relnamespace = CAST(current_schema() AS REGNAMESPACE)`
)

func describe(t *testing.T, db *sqldb.DB) schema {
	t.Helper()
	columns, indexes, foreign := sqliteColumns, sqliteIndexes, sqliteForeign
	if db.Dialect() == sqldb.Postgres {
		columns, indexes, foreign = postgresColumns, postgresIndexes, postgresForeign
	}
	out := schema{}
	cols, err := sqldb.Collect(t.Context(), db, scanColumn, columns)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cols {
		word, ok := portable[c.declared]
		if !ok {
			t.Errorf("%s.%s has type %s, which is not portable", c.table, c.column, c.declared)
		}
		null := "null"
		if c.notNull || c.key > 0 { // SQLite allows NULL in a primary key that does not say NOT NULL; no store relies on it
			null = "not null"
		}
		def, _, _ := strings.Cut(strings.ToLower(c.def), "::") // PostgreSQL shows the type of a literal
		out[c.table+"."+c.column] = fmt.Sprintf("%s %s key %d default %s", word, null, c.key, def)
	}
	idx, err := sqldb.Collect(t.Context(), db, scanIndex, indexes)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range idx {
		name := "index " + i.name
		if out[name] == "" {
			out[name] = fmt.Sprintf("%s unique %t partial %t:", i.table, i.unique, i.partial)
		}
		out[name] += " " + i.column
	}
	refs, err := sqldb.Collect(t.Context(), db, sqldb.Value[string], foreign)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range refs {
		out["reference "+r] = "yes"
	}
	return out
}

func TestSchemasAgree(t *testing.T) {
	got := map[sqldb.Dialect]schema{}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			db := sqldbtest.Empty(t, kind)
			if err := sqlstore.Migrate(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			got[kind] = describe(t, db)
			if len(got[kind]) < 50 {
				t.Errorf("only %d columns and indexes were found", len(got[kind]))
			}
		})
	}
	if got[sqldb.Postgres] == nil {
		t.Skipf("set %s to compare with PostgreSQL", sqldbtest.PostgresVariable)
	}
	if d := cmp.Diff(got[sqldb.SQLite], got[sqldb.Postgres]); d != "" {
		t.Errorf("SQLite (-) and PostgreSQL (+) have different schemas:\n%s", d)
	}
}

// shared are the tables that serve all workspaces, and why.
var shared = map[string]string{
	"schema_migration": "belongs to sqldb",
	"workspace":        "is the workspace",
	"staff_user":       "a user is one human being in all workspaces",
	"log_position":     "the log carries all workspaces",
	"log_key":          "the log carries all workspaces",
	"privacy_version":  "one number tells whether any refusal has changed",
	"lease":            "a process does its work for all workspaces",
	"backup":           "a backup holds all workspaces",
	"message_owner":    "a sending process serves all workspaces",
}

func TestEveryTableNamesItsWorkspace(t *testing.T) {
	tables := map[string]bool{}
	for name := range describe(t, sqldbtest.Open(t, sqldb.SQLite)) {
		table, column, isColumn := strings.Cut(name, ".")
		if isColumn && !strings.Contains(table, " ") {
			tables[table] = tables[table] || column == "workspace_id"
		}
	}
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		if !tables[table] && shared[table] == "" {
			t.Errorf("table %s has no workspace_id", table)
		}
		if tables[table] && shared[table] != "" {
			t.Errorf("table %s has a workspace_id and is listed as shared", table)
		}
	}
}

func TestPostgresTextComparesByBytes(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.Postgres)
	other, err := sqldb.Collect(t.Context(), db, sqldb.Value[string], `SELECT c.relname || '.' || a.attname FROM pg_attribute a
		JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation l ON l.oid = a.attcollation
		WHERE c.relkind = 'r' AND a.attnum > 0 AND c.relnamespace = CAST(current_schema() AS REGNAMESPACE) AND l.collname <> 'C' AND a.atttypid = CAST('text' AS REGTYPE)`)
	if err != nil {
		t.Fatal(err)
	}
	if len(other) > 0 {
		t.Errorf("these columns sort by the server's language: %v", other)
	}
}
