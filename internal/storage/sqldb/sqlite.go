package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

const (
	busyTimeout = 5 * time.Second // waiting for other processes: a second kizuna, the sqlite3 shell
	// writerWait bounds the wait for this process's own writer. It is far above any sane transaction, so that a write
	// which waits for itself ends in an error and not in silence.
	writerWait = 30 * time.Second

	// A commit checkpoints by itself only once the write-ahead log has this many 4 KiB pages; that costs it a few
	// hundred ms, so the background checkpoint comes first.
	autoCheckpointPages = 50_000
	checkpointEvery     = 2 * time.Second
	optimizeEvery       = time.Hour
	walFileLimit        = 64 << 20 // bytes the log file is cut back to once it is empty
	// scrubWait bounds the wait for the writer while the file is written anew, about 10 seconds a gigabyte.
	scrubWait = 15 * time.Minute
)

// copySuffix follows the path of the database in the paths of the copies that are made before a migration.
const copySuffix = ".before-"

// sqliteEngine has one connection that writes and a pool that reads. They see each other's commits at once.
type sqliteEngine struct {
	path string

	writers *sql.DB
	writer  *sql.Conn
	turn    chan struct{} // holds one token while the writer is in use
	wstmts  map[string]*sql.Stmt

	readers *sql.DB
	rmu     sync.RWMutex
	rstmts  map[string]*sql.Stmt

	scrubbing atomic.Bool

	dirty  atomic.Bool // commits since the last checkpoint
	cancel context.CancelFunc
	done   chan struct{}
	once   sync.Once
	closed error
}

func openSQLite(ctx context.Context, path string, o Options) (*sqliteEngine, error) {
	sync := strings.ToUpper(o.Synchronous)
	switch sync {
	case "":
		sync = "FULL"
	case "FULL", "NORMAL", "OFF":
	default:
		return nil, fmt.Errorf("open database: synchronous is %q; use FULL or NORMAL", o.Synchronous)
	}
	if path == "" {
		return nil, fmt.Errorf("open database: no path; write sqlite:/path/file.db")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	// SQLite would make the file readable by all; it holds personal data. Its -wal and -shm files take the mode after it.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	_ = f.Close()
	e := &sqliteEngine{
		path: path, turn: make(chan struct{}, 1), done: make(chan struct{}),
		wstmts: map[string]*sql.Stmt{}, rstmts: map[string]*sql.Stmt{},
	}
	common := []string{"foreign_keys(1)", "temp_store(MEMORY)", "case_sensitive_like(1)"}
	if e.writers, err = openPool(path, append(common, "journal_mode(WAL)", "synchronous("+sync+")", "cache_size(-32768)",
		fmt.Sprintf("wal_autocheckpoint(%d)", autoCheckpointPages), fmt.Sprintf("journal_size_limit(%d)", walFileLimit))); err != nil {
		return nil, err
	}
	e.writers.SetMaxOpenConns(1)
	if e.writer, err = e.writers.Conn(ctx); err != nil {
		_ = e.writers.Close()
		return nil, fmt.Errorf("open database %s: %w", path, classify(err))
	}
	// The readers come second: journal_mode is kept in the file and must be set by then.
	if e.readers, err = openPool(path, append(common, "cache_size(-8192)", "query_only(1)")); err != nil {
		_ = e.writers.Close()
		return nil, err
	}
	n := max(4, 2*runtime.GOMAXPROCS(0))
	e.readers.SetMaxOpenConns(n)
	e.readers.SetMaxIdleConns(n)

	bg, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.cancel = cancel
	go e.maintain(bg)
	return e, nil
}

// openPool opens a pool whose connections all get the pragmas, busy_timeout first because the others may have to wait.
func openPool(path string, pragmas []string) (*sql.DB, error) {
	// Without mutexes of its own: database/sql lets one goroutine at a time use a connection.
	q := url.Values{"_busy_timeout": {fmt.Sprint(busyTimeout.Milliseconds())}, "_mutex": {"no"}}
	return sql.OpenDB(&connector{
		path: (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String(),
		driver: sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
			for _, p := range pragmas {
				if _, err := c.Exec("PRAGMA "+p, nil); err != nil {
					return err
				}
			}
			return nil
		}},
	}), nil
}

// connector opens connections that are all set up alike.
type connector struct {
	path   string
	driver sqlite3.SQLiteDriver
}

// Connect opens a connection.
func (c *connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.path) }

// Driver returns what opens them.
func (c *connector) Driver() driver.Driver { return &c.driver }

// acquire waits for the writer; release gives it back.
func (e *sqliteEngine) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case e.turn <- struct{}{}:
		return nil
	default:
	}
	patience := writerWait
	if e.scrubbing.Load() {
		patience = scrubWait
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-limit.C:
		return errs.Unavailable("sqldb.writer_busy", "another transaction has held the database for %v; "+
			"a write inside a transaction must use the transaction's context", patience)
	}
}

func (e *sqliteEngine) release() { <-e.turn }

// writeStmt returns the prepared statement on the writer, which the caller holds.
func (e *sqliteEngine) writeStmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if s := e.wstmts[text]; s != nil {
		return s, nil
	}
	s, err := e.writer.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if len(e.wstmts) >= maxStatements {
		for k, old := range e.wstmts {
			_ = old.Close()
			delete(e.wstmts, k)
		}
	}
	e.wstmts[text] = s
	return s, nil
}

// read runs a query on the readers, prepared; database/sql prepares it on each connection at its first use there. The lock is held
// until the first row is there, so that no statement is evicted between its lookup and its use.
func (e *sqliteEngine) read(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	e.rmu.RLock()
	if s := e.rstmts[text]; s != nil {
		defer e.rmu.RUnlock()
		return s.QueryContext(ctx, args...)
	}
	e.rmu.RUnlock()
	s, err := e.readers.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	e.rmu.Lock()
	if e.rstmts[text] != nil {
		_ = s.Close() // another goroutine was faster
	} else {
		if len(e.rstmts) >= maxStatements {
			for k, old := range e.rstmts {
				_ = old.Close() // open results keep it alive until they are closed
				delete(e.rstmts, k)
			}
		}
		e.rstmts[text] = s
	}
	e.rmu.Unlock()
	return e.read(ctx, text, args)
}

func (e *sqliteEngine) exec(ctx context.Context, st *statement, args []any) (int64, error) {
	if err := e.acquire(ctx); err != nil {
		return 0, err
	}
	defer e.release()
	e.dirty.Store(true)
	return e.execHeld(ctx, st, args)
}

// execHeld runs on the writer, which the caller holds. The driver watches a context that can be done with a goroutine for every statement
// and interrupts it mid-way; a write runs to its end instead.
func (e *sqliteEngine) execHeld(ctx context.Context, st *statement, args []any) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	ctx = context.WithoutCancel(ctx)
	s, err := e.writeStmt(ctx, st.text)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (e *sqliteEngine) query(ctx context.Context, st *statement, args []any) (rows, error) {
	if st.reads {
		rs, err := e.read(ctx, st.text, args)
		if err != nil {
			return nil, err
		}
		return &sqliteRows{Rows: rs}, nil
	}
	if err := e.acquire(ctx); err != nil {
		return nil, err
	}
	e.dirty.Store(true)
	rs, err := e.queryHeld(ctx, st, args)
	if err != nil {
		e.release()
		return nil, err
	}
	rs.release = e.release
	return rs, nil
}

func (e *sqliteEngine) queryHeld(ctx context.Context, st *statement, args []any) (*sqliteRows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	s, err := e.writeStmt(ctx, st.text)
	if err != nil {
		return nil, err
	}
	rs, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	return &sqliteRows{Rows: rs}, nil
}

func (e *sqliteEngine) bulk(context.Context, *statement, [][]any) ([]int64, error) {
	panic("bulk runs in a session")
}

func (e *sqliteEngine) ping(ctx context.Context) error { return e.readers.PingContext(ctx) }

func (e *sqliteEngine) check(ctx context.Context) ([]string, error) {
	faults := []string{}
	for pragma, scan := range map[string]func(*sql.Rows) (string, error){
		"PRAGMA quick_check": func(r *sql.Rows) (fault string, err error) {
			err = r.Scan(&fault)
			return fault, err
		},
		"PRAGMA foreign_key_check": func(r *sql.Rows) (string, error) {
			var table, parent string
			var rowid, key sql.NullInt64
			err := r.Scan(&table, &rowid, &parent, &key)
			return fmt.Sprintf("row %d of %s refers to a row of %s that is gone", rowid.Int64, table, parent), err
		},
	} {
		rs, err := e.readers.QueryContext(ctx, pragma)
		if err != nil {
			return nil, err
		}
		for rs.Next() {
			fault, err := scan(rs)
			if err != nil {
				_ = rs.Close()
				return nil, err
			}
			if fault != "ok" {
				faults = append(faults, fault)
			}
		}
		if err := rs.Err(); err != nil {
			return nil, err
		}
	}
	return faults, nil
}

func (e *sqliteEngine) begin(ctx context.Context, _ bool) (session, error) {
	if err := e.acquire(ctx); err != nil {
		return nil, err
	}
	if err := e.bracket(ctx, "BEGIN IMMEDIATE"); err != nil {
		e.release()
		return nil, err
	}
	return sqliteSession{e}, nil
}

// bracket begins or ends a transaction on the writer, which the caller holds.
func (e *sqliteEngine) bracket(ctx context.Context, text string) error {
	ctx = context.WithoutCancel(ctx)
	s, err := e.writeStmt(ctx, text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx)
	return err
}

// sqliteSession is an open transaction on the writer.
type sqliteSession struct{ e *sqliteEngine }

func (s sqliteSession) exec(ctx context.Context, st *statement, args []any) (int64, error) {
	return s.e.execHeld(ctx, st, args)
}

func (s sqliteSession) query(ctx context.Context, st *statement, args []any) (rows, error) {
	return s.e.queryHeld(ctx, st, args)
}

func (s sqliteSession) bulk(ctx context.Context, st *statement, argRows [][]any) ([]int64, error) {
	each := make([]int64, 0, len(argRows))
	for _, args := range argRows {
		n, err := s.e.execHeld(ctx, st, args)
		if err != nil {
			return each, err
		}
		each = append(each, n)
	}
	return each, nil
}

func (s sqliteSession) script(ctx context.Context, text string) error {
	_, err := s.e.writer.ExecContext(context.WithoutCancel(ctx), text)
	return err
}

func (s sqliteSession) commit(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	defer s.e.release()
	if err := s.e.bracket(ctx, "COMMIT"); err != nil {
		_, _ = s.e.writer.ExecContext(ctx, "ROLLBACK") // fails if the commit has rolled back by itself
		return err
	}
	s.e.dirty.Store(true)
	return nil
}

func (s sqliteSession) rollback(ctx context.Context) error {
	defer s.e.release()
	_, err := s.e.writer.ExecContext(ctx, "ROLLBACK")
	if err != nil && strings.Contains(err.Error(), "no transaction is active") {
		return nil // SQLite rolls back by itself when the disk is full or fails
	}
	return err
}

// sqliteRows gives the writer back when the rows are read.
type sqliteRows struct {
	*sql.Rows
	release func()
}

func (r *sqliteRows) Close() {
	_ = r.Rows.Close()
	if r.release != nil {
		r.release()
		r.release = nil
	}
}

// maintain checkpoints away from the writer, so that commits pay next to nothing for it.
func (e *sqliteEngine) maintain(ctx context.Context) {
	defer close(e.done)
	optimized := time.Now()
	lifecycle.Every(ctx, checkpointEvery, func(ctx context.Context) {
		if e.dirty.Swap(false) {
			if err := e.checkpoint(ctx); err != nil {
				e.dirty.Store(true) // the next round tries again; the automatic checkpoint is the net below
			}
		}
		if time.Since(optimized) > optimizeEvery {
			optimized = time.Now()
			e.optimize(ctx)
		}
	})
}

// checkpoint moves what is in the write-ahead log into the file and then, while nobody writes, the little that came in between. A log that was moved as a
// whole begins anew with the next commit. Under constant load it would only grow otherwise, and a commit that makes a file longer waits for the
// file system's journal as well: twice as long as one that overwrites.
func (e *sqliteEngine) checkpoint(ctx context.Context) error {
	const move = "PRAGMA wal_checkpoint(PASSIVE)"
	if _, err := e.readers.ExecContext(ctx, move); err != nil {
		return err
	}
	if err := e.acquire(ctx); err != nil {
		return err
	}
	defer e.release()
	_, err := e.readers.ExecContext(ctx, move)
	return err
}

// optimize refreshes the planner's statistics where tables have grown.
func (e *sqliteEngine) optimize(ctx context.Context) {
	if e.acquire(ctx) != nil {
		return
	}
	defer e.release()
	_, _ = e.writer.ExecContext(context.WithoutCancel(ctx), "PRAGMA analysis_limit=400; PRAGMA optimize") // advisory: old statistics are no fault
}

func (e *sqliteEngine) scrub(ctx context.Context, _ []string) error {
	if err := e.acquire(ctx); err != nil {
		return err
	}
	e.scrubbing.Store(true)
	err := e.vacuum(context.WithoutCancel(ctx))
	e.scrubbing.Store(false)
	e.release()
	if err != nil {
		return err
	}
	// The write-ahead log still holds the old pages. It is cut to nothing once no reader needs them.
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		var busy, pages, moved int
		if err := e.readers.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
			return err
		}
		if busy == 0 {
			return nil
		}
		if err := lifecycle.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// vacuum rewrites the file on the writer, which the caller holds. Statistics are gathered anew first, since they hold samples of the rows; the
// new content is put together in a file rather than in memory.
func (e *sqliteEngine) vacuum(ctx context.Context) error {
	for _, pragma := range []string{"PRAGMA analysis_limit=400", "ANALYZE", "PRAGMA temp_store=FILE", "VACUUM", "PRAGMA temp_store=MEMORY"} {
		if _, err := e.writer.ExecContext(ctx, pragma); err != nil {
			_, _ = e.writer.ExecContext(ctx, "PRAGMA temp_store=MEMORY") // back to what openSQLite chose
			return err
		}
	}
	return nil
}

func (e *sqliteEngine) copies() string { return e.path + copySuffix + "*" }

// backup writes a consistent copy beside the file.
func (e *sqliteEngine) backup(ctx context.Context, label string) (string, error) {
	copyPath := fmt.Sprintf("%s"+copySuffix+"%s.%s", e.path, label, time.Now().UTC().Format("20060102T150405.000"))
	// VACUUM INTO takes an empty file; made here, it is the owner's alone.
	f, err := os.OpenFile(copyPath, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("back up: %w", err)
	}
	_ = f.Close()
	if err := e.acquire(ctx); err != nil {
		return "", err
	}
	defer e.release()
	if _, err := e.writer.ExecContext(ctx, "VACUUM INTO ?1", copyPath); err != nil {
		return "", fmt.Errorf("back up to %s: %w", copyPath, err)
	}
	return copyPath, nil
}

func (e *sqliteEngine) snapshot(ctx context.Context) (snapshot, error) {
	conn, err := e.readers.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// The first read fixes what the transaction sees.
	for _, text := range []string{"BEGIN", "SELECT count(*) FROM sqlite_schema"} {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return sqliteSnapshot{conn}, nil
}

// sqliteSnapshot is a reading transaction on a connection of its own.
type sqliteSnapshot struct{ conn *sql.Conn }

func (s sqliteSnapshot) query(ctx context.Context, text string) (rows, error) {
	rs, err := s.conn.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return &sqliteRows{Rows: rs}, nil
}

func (s sqliteSnapshot) tables(ctx context.Context) ([]dumpTable, error) {
	return gatherTables(ctx, s, `SELECT t.name, c.name, c.type FROM sqlite_schema t JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'schema_migration' ORDER BY t.rowid, c.cid`)
}

func (s sqliteSnapshot) close() {
	_, _ = s.conn.ExecContext(context.Background(), "ROLLBACK") // nothing was written
	_ = s.conn.Close()
}

func (e *sqliteEngine) close() error {
	e.once.Do(func() {
		e.cancel()
		<-e.done
		e.turn <- struct{}{} // waits for the running transaction and keeps later ones out
		err := e.readers.Close()
		for _, s := range e.wstmts {
			_ = s.Close()
		}
		if cerr := e.writer.Close(); err == nil {
			err = cerr
		}
		if cerr := e.writers.Close(); err == nil {
			err = cerr
		}
		<-e.turn
		e.closed = err
	})
	return e.closed
}
