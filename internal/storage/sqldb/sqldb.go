package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Dialect names an engine.
type Dialect string

// The engines.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Options tune how a database is opened. The zero value is right for production.
type Options struct {
	// Synchronous is SQLite's durability: "FULL" (default: a commit survives a power loss), "NORMAL" (it survives the end of
	// the process) or "OFF" (tests).
	Synchronous string
}

// ErrNoRows is what One returns when the statement gives no row.
var ErrNoRows = errors.New("no rows")

// Row is one row of a result.
type Row interface {
	Scan(dest ...any) error
}

// DB is an open record database. It is safe for concurrent use.
type DB struct {
	engine  engine
	dialect Dialect
	parsed  sync.Map // statement text -> *statement
	nparsed counter
}

// engine is one kind of database. Used directly it runs each statement in a transaction of its own.
type engine interface {
	runner
	// begin starts a serialisable transaction; for a migration it also holds off every other migration.
	begin(ctx context.Context, migration bool) (session, error)
	// backup copies a database that has tables before it is migrated, and returns the copy's path; "" if the engine leaves
	// that to its operator.
	backup(ctx context.Context, label string) (string, error)
	// snapshot opens a view of everything at this moment.
	snapshot(ctx context.Context) (snapshot, error)
	// scrub leaves no bytes of deleted rows of the tables in the engine's files.
	scrub(ctx context.Context, tables []string) error
	// copies is the pattern of the paths that backup returns; "" if it makes none.
	copies() string
	ping(ctx context.Context) error
	check(ctx context.Context) ([]string, error)
	close() error
}

// session is an open transaction.
type session interface {
	runner
	// script runs several statements without arguments.
	script(ctx context.Context, sql string) error
	commit(ctx context.Context) error
	rollback(ctx context.Context) error
}

type runner interface {
	exec(ctx context.Context, st *statement, args []any) (int64, error)
	query(ctx context.Context, st *statement, args []any) (rows, error)
	// bulk runs st for each row. Engines are asked for it only through a session.
	bulk(ctx context.Context, st *statement, argRows [][]any) ([]int64, error) // rows changed by each
}

type rows interface {
	Row
	Next() bool
	Err() error
	Close()
}

// Open opens "sqlite:/path/file.db" (made if missing) or "postgres://user:password@host/database".
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		e, err := openSQLite(ctx, strings.TrimPrefix(rest, "//"), o)
		if err != nil {
			return nil, err
		}
		return &DB{engine: e, dialect: SQLite}, nil
	case "postgres", "postgresql":
		e, err := openPostgres(ctx, url)
		if err != nil {
			return nil, err
		}
		return &DB{engine: e, dialect: Postgres}, nil
	}
	return nil, fmt.Errorf("open database: unknown kind %q; use sqlite:/path/file.db or postgres://user:password@host/database", scheme)
}

// Close waits for running statements and releases everything. SQLite folds its write-ahead log into the file.
func (db *DB) Close() error { return db.engine.close() }

// Scrub writes the files anew, so that no bytes of deleted or changed rows of these tables are left in them. It takes time in proportion to the
// size: on SQLite, where it covers all tables, writes wait meanwhile and reads go on; on PostgreSQL each table is locked while it is written.
// Copies that others hold, such as archived write-ahead logs, are out of its reach.
func (db *DB) Scrub(ctx context.Context, tables []string) error {
	return classify(db.engine.scrub(ctx, tables))
}

// CopiesPattern returns a filepath.Glob pattern of the copies that Migrate has made; it matches nothing if the engine makes none.
func (db *DB) CopiesPattern() string { return db.engine.copies() }

// Ping asks the engine for a sign of life.
func (db *DB) Ping(ctx context.Context) error { return classify(db.engine.ping(ctx)) }

// Check examines the database and returns what is wrong with it, in words. It reads the whole of a SQLite database.
func (db *DB) Check(ctx context.Context) ([]string, error) {
	faults, err := db.engine.check(ctx)
	return faults, classify(err)
}

// Now returns the time by which processes that share the database can agree: its server's; for SQLite, this machine's.
func (db *DB) Now(ctx context.Context) (time.Time, error) {
	if db.dialect == SQLite {
		return time.Now(), nil
	}
	us, err := One(ctx, db, Value[int64], `SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)`)
	return time.UnixMicro(us), err
}

// EngineVersion names the engine and its version.
func (db *DB) EngineVersion(ctx context.Context) (string, error) {
	if db.dialect == SQLite {
		return One(ctx, db, Value[string], `SELECT 'SQLite ' || sqlite_version()`)
	}
	return One(ctx, db, Value[string], `SELECT 'PostgreSQL ' || current_setting('server_version')`)
}

// Dialect tells which engine it is. Nothing outside this package and its tests should need to know.
func (db *DB) Dialect() Dialect { return db.dialect }

// Exec runs one statement, in the transaction of ctx if there is one, and returns how many rows it changed.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	st, args, err := db.prepare(sql, args)
	if err != nil {
		return 0, err
	}
	tx := db.tx(ctx)
	if tx == nil {
		n, err := db.engine.exec(ctx, st, args)
		return n, classify(err)
	}
	if err := tx.enter(); err != nil {
		return 0, err
	}
	tx.writes++
	n, err := tx.session.exec(ctx, st, args)
	return n, tx.leave(err)
}

// Bulk runs one statement for each row of arguments, all in one transaction, and returns how many rows were changed in sum.
// It is a loop over a prepared statement on SQLite and a pipeline on PostgreSQL.
func (db *DB) Bulk(ctx context.Context, sql string, argRows [][]any) (n int64, err error) {
	each, err := db.BulkEach(ctx, sql, argRows)
	for _, rows := range each {
		n += rows
	}
	return n, err
}

// BulkEach is Bulk that returns how many rows each execution changed.
func (db *DB) BulkEach(ctx context.Context, sql string, argRows [][]any) ([]int64, error) {
	if len(argRows) == 0 {
		return nil, nil
	}
	st, err := db.statement(sql)
	if err != nil {
		return nil, err
	}
	bound := make([][]any, len(argRows))
	for i, args := range argRows {
		if bound[i], err = st.bind(args); err != nil {
			return nil, err
		}
	}
	var n []int64
	err = db.InTx(ctx, func(ctx context.Context) error {
		tx := db.tx(ctx)
		if err := tx.enter(); err != nil {
			return err
		}
		tx.writes++
		var err error
		n, err = tx.session.bulk(ctx, st, bound)
		return tx.leave(err)
	})
	return n, err
}

// Collect runs a statement that gives rows (SELECT, or a change with RETURNING) and returns all of them, scanned. The result is empty, not
// nil, if there are none. scan must not use the database.
func Collect[T any](ctx context.Context, db *DB, scan func(Row) (T, error), sql string, args ...any) ([]T, error) {
	out := []T{}
	err := db.each(ctx, sql, args, func(r Row) (bool, error) {
		v, err := scan(r)
		if err == nil {
			out = append(out, v)
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// One is Collect for the first row; it returns ErrNoRows if there is none.
func One[T any](ctx context.Context, db *DB, scan func(Row) (T, error), sql string, args ...any) (T, error) {
	var out T
	found := false
	err := db.each(ctx, sql, args, func(r Row) (bool, error) {
		var err error
		out, err = scan(r)
		found = true
		return false, err
	})
	if err == nil && !found {
		err = ErrNoRows
	}
	return out, err
}

// Value scans a row of one column; it is the scan function for counts, ids and flags.
func Value[T any](r Row) (T, error) {
	var v T
	err := r.Scan(&v)
	return v, err
}

// each calls fn for every row until it returns false.
func (db *DB) each(ctx context.Context, sql string, args []any, fn func(Row) (bool, error)) error {
	st, args, err := db.prepare(sql, args)
	if err != nil {
		return err
	}
	tx := db.tx(ctx)
	var run runner = db.engine
	done := classify
	if tx != nil {
		if err := tx.enter(); err != nil {
			return err
		}
		if !st.reads {
			tx.writes++
		}
		run, done = tx.session, tx.leave
	}
	rs, err := run.query(ctx, st, args)
	if err != nil {
		return done(err)
	}
	defer rs.Close()
	row := scanner{rs}
	for more := true; more && rs.Next(); {
		if more, err = fn(row); err != nil {
			return fmt.Errorf("read row: %w", err)
		}
	}
	rs.Close() // PostgreSQL may find a fault in the rows that nobody asked for
	return done(rs.Err())
}

// In returns a condition for "is one of vals" and the argument to bind as $n: "id "+clause. An empty list matches nothing.
func (db *DB) In(n int, vals []string) (clause string, arg any) {
	if vals == nil {
		vals = []string{}
	}
	return db.in(n, vals, vals)
}

// InInts is In for integers.
func (db *DB) InInts(n int, vals []int64) (clause string, arg any) {
	if vals == nil {
		vals = []int64{}
	}
	return db.in(n, vals, vals)
}

func (db *DB) in(n int, list, vals any) (string, any) {
	if db.dialect == Postgres {
		return fmt.Sprintf("= ANY($%d)", n), array{vals}
	}
	b, err := json.Marshal(list)
	if err != nil {
		panic(err) // strings and integers always marshal
	}
	return fmt.Sprintf("IN (SELECT value FROM json_each($%d))", n), string(b)
}

// SkipLocked ends a SELECT that claims rows: workers skip what another one is claiming. SQLite has one writer and needs nothing.
func (db *DB) SkipLocked() string {
	if db.dialect == Postgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}
