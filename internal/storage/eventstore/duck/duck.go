package duck

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// Options tune a Store. The zero value is right for one machine.
type Options struct {
	MemoryMB int // limit of DuckDB's own memory, 300 if zero; without one it takes 80 % of the machine
	Threads  int // 2 if zero
	Readers  int // concurrent reading connections, 4 if zero
	// FoldAt is how many merges may wait in the redirect table before they are written into the events, 2000 if zero.
	FoldAt int
}

// Store is an event.Store in one DuckDB file. It is safe for concurrent use.
type Store struct {
	file string
	opt  Options

	life sync.RWMutex // held for writing while the file is exchanged
	db   *sql.DB

	foldAt  int
	through atomic.Uint64

	mu     sync.Mutex // held by Append: one writer
	w      *sql.Conn
	merged bool  // the redirect table has rows
	wal    int64 // bytes of the write-ahead log after the last Append

	open    atomic.Pointer[redirects]
	all     everyone
	answers answers
}

var _ event.Store = (*Store)(nil)

// Engine implements event.Store.
func (*Store) Engine() event.Engine { return event.DuckDB }

// layout is the version of the tables below. A file of another layout is not touched.
const layout = 1

var schema = []string{
	`CREATE TABLE event_raw (` + rawColumns + `)`,
	`CREATE TABLE redirect (ws VARCHAR NOT NULL, loser UBIGINT NOT NULL, winner UBIGINT NOT NULL, folded BOOLEAN NOT NULL)`,
	`CREATE TABLE person (ws VARCHAR NOT NULL, num UBIGINT NOT NULL, id VARCHAR NOT NULL, traits VARCHAR NOT NULL,
		channels VARCHAR NOT NULL, first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL)`,
	`CREATE TABLE log_position (through UBIGINT NOT NULL, layout INTEGER NOT NULL)`,
	`CREATE VIEW event AS SELECT e.* REPLACE (coalesce(r.winner, e.person) AS person)
		FROM event_raw e LEFT JOIN (SELECT ws, loser, winner FROM redirect WHERE NOT folded) r ON r.ws = e.ws AND r.loser = e.person`,
	`INSERT INTO log_position VALUES (0, ` + strconv.Itoa(layout) + `)`,
}

// Open opens the store in the file, making it if there is none. Another process may not have it open.
func Open(ctx context.Context, file string, o Options) (*Store, error) {
	if strings.ContainsAny(file, "?%") {
		return nil, fmt.Errorf("event store: the path %q must not contain ? or %%; choose another data folder", file)
	}
	o.MemoryMB, o.Threads = or(o.MemoryMB, 300), or(o.Threads, 2)
	s := &Store{file: file, opt: o, foldAt: or(o.FoldAt, 2000)}
	// What a rewriting that did not come to its end has left behind.
	for _, end := range nextFiles {
		if err := os.Remove(file + nextSuffix + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("event store: %w", err)
		}
	}
	if err := s.attach(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// database is the name under which the file is attached.
const database = "events"

// Options of the file. DuckDB keeps a block open for each column, and compresses the last row group anew at every checkpoint, so both sizes decide how
// much memory 44 columns take while events come in: with its own (256 KB, 122,880 rows) a checkpoint takes twice as much. The size of blocks is
// chosen when a file is made and must not be named for one that has another. The size of row groups is not kept in the file: opened without it, the first
// checkpoint would put everything together into larger ones, in memory.
const (
	rowGroup    = "ROW_GROUP_SIZE 30720"
	fileOptions = " (BLOCK_SIZE 65536, " + rowGroup + ")"
)

// attach opens the file; on an error everything is closed again. It is attached to a database in memory and not opened as the main one: only then can
// its options be chosen.
func (s *Store) attach(ctx context.Context) error {
	attached := false
	connector, err := duckdb.NewConnector("", func(c driver.ExecerContext) error {
		if !attached {
			return nil
		}
		_, err := c.ExecContext(context.Background(), "USE "+database, nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("event store: %w", err)
	}
	s.db = sql.OpenDB(connector)
	options := fileOptions
	if _, err := os.Stat(s.file); err == nil {
		options = " (" + rowGroup + ")"
	}
	s.db.SetMaxIdleConns(0) // the connection that attaches does not use the file
	if _, err := s.db.ExecContext(ctx, "ATTACH "+quote(s.file)+" AS "+database+options); err != nil {
		return errors.Join(fmt.Errorf("event store: open %s (is another process using it?): %w", s.file, err), s.db.Close())
	}
	attached = true
	s.db.SetMaxOpenConns(or(s.opt.Readers, 4) + 1)
	s.db.SetMaxIdleConns(or(s.opt.Readers, 4) + 1)
	if err := s.start(ctx, s.opt); err != nil {
		return errors.Join(fmt.Errorf("event store: %s: %w", s.file, err), s.shut())
	}
	return nil
}

// reading holds the file in its place until the returned function is called. It must not be nested.
func (s *Store) reading() (done func()) {
	s.life.RLock()
	return s.life.RUnlock
}

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

func (s *Store) start(ctx context.Context, o Options) error {
	for _, set := range []string{
		fmt.Sprintf("SET memory_limit = '%dMB'", o.MemoryMB),
		fmt.Sprintf("SET threads = %d", o.Threads),
		// What is not checkpointed lies in memory, uncompressed: a byte and a half for each byte of the write-ahead log.
		"SET checkpoint_threshold = '16MB'",
		// A checkpoint puts row groups together that have lost rows, and holds them uncompressed until it is done: a few of them at a time are enough.
		"SET max_vacuum_tasks = 1",
		"SET preserve_insertion_order = false",
		// A page of a timeline reads its wide columns only for the rows it shows.
		"SET late_materialization_max_rows = 1000",
		"SET allowed_paths = [" + s.nextPaths() + "]",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET enable_external_access = false",
	} {
		if _, err := s.db.ExecContext(ctx, set); err != nil {
			return fmt.Errorf("%s: %w", set, err)
		}
	}
	if err := s.create(ctx); err != nil {
		return err
	}
	var err error
	if s.w, err = s.db.Conn(ctx); err != nil {
		return err
	}
	return s.reload(ctx)
}

// create makes the tables in a new file and checks the layout of an old one.
func (s *Store) create(ctx context.Context) error {
	var n int
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM duckdb_tables() WHERE table_name = 'log_position'`).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for _, ddl := range schema {
			if _, err := tx.ExecContext(ctx, ddl); err != nil {
				return errors.Join(err, tx.Rollback())
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		// DDL left in the write-ahead log has kept DuckDB from replaying it after a crash.
		_, err = s.db.ExecContext(ctx, "CHECKPOINT")
		return err
	}
	var found int
	if err := s.db.QueryRowContext(ctx, `SELECT layout FROM log_position`).Scan(&found); err != nil {
		return err
	}
	if found != layout {
		return fmt.Errorf("the file has layout %d, this version needs %d: move it away and start again, it is rebuilt from the log", found, layout)
	}
	return nil
}

// reload reads what Store remembers of the file.
func (s *Store) reload(ctx context.Context) error {
	s.all.forget()
	s.answers.forget()
	var through uint64
	if err := s.w.QueryRowContext(ctx, `SELECT through FROM log_position`).Scan(&through); err != nil {
		return err
	}
	rows, err := s.w.QueryContext(ctx, `SELECT ws, loser, winner FROM redirect WHERE NOT folded`)
	if err != nil {
		return err
	}
	defer rows.Close()
	open := map[eventstore.Who]uint64{}
	for rows.Next() {
		var k eventstore.Who
		var winner uint64
		if err := rows.Scan(&k.WS, &k.Num, &winner); err != nil {
			return err
		}
		open[k] = winner
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := s.w.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM redirect)`).Scan(&s.merged); err != nil {
		return err
	}
	s.open.Store(newRedirects(open))
	s.through.Store(through)
	return nil
}

// Close waits for a running Append, writes the checkpoint and closes the file. Closing twice is allowed.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shut()
}

func (s *Store) shut() error {
	var err error
	if s.w != nil {
		err = s.w.Close()
		s.w = nil
	}
	return errors.Join(err, s.db.Close())
}

// Still writes everything into the file, then calls do while nothing changes it: do may copy the file. Readers go on, writers wait.
func (s *Store) Still(ctx context.Context, do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.db.ExecContext(ctx, "CHECKPOINT"); err != nil {
		return fmt.Errorf("event store: %w", err)
	}
	return do()
}

// Position implements event.Store.
func (s *Store) Position(context.Context) (uint64, error) { return s.through.Load(), nil }

// redirects are the merges that the view resolves because they are not yet folded into the events. Reads of single people
// resolve them here, so that DuckDB can filter on the stored column. A value is never changed: a read takes
// it once, before its query, and stays consistent whatever is folded meanwhile.
type redirects struct {
	winner map[eventstore.Who]uint64
	losers map[eventstore.Who][]uint64
}

func newRedirects(winner map[eventstore.Who]uint64) *redirects {
	r := &redirects{winner: winner, losers: map[eventstore.Who][]uint64{}}
	for k, w := range winner {
		r.losers[eventstore.Who{WS: k.WS, Num: w}] = append(r.losers[eventstore.Who{WS: k.WS, Num: w}], k.Num)
	}
	return r
}

// stored returns the numbers under which the events of these people are stored. People who were merged away have none.
func (r *redirects) stored(ws string, people []uint64) []uint64 {
	seen := make(map[uint64]bool, len(people))
	out := make([]uint64, 0, len(people))
	for _, p := range people {
		if _, gone := r.winner[eventstore.Who{WS: ws, Num: p}]; gone || seen[p] {
			continue
		}
		seen[p] = true
		out = append(append(out, p), r.losers[eventstore.Who{WS: ws, Num: p}]...)
	}
	return out
}

// resolve returns the person whose events are stored under num.
func (r *redirects) resolve(ws string, num uint64) uint64 {
	if w, ok := r.winner[eventstore.Who{WS: ws, Num: num}]; ok {
		return w
	}
	return num
}
