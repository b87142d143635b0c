package click

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// Options tune a Store.
type Options struct {
	// DeleteAt is how many people and events may be withdrawn before their old rows are deleted, 1000 if zero.
	DeleteAt int
	// Read opens the store as it was committed last, without taking the turn: another process goes on writing, which this one does not see. There must be one.
	Read bool
}

// Store is an event.Store in one database of a ClickHouse server. It is safe for concurrent use.
type Store struct {
	conn     connection
	database string
	deleteAt int
	columns  map[string][]clickhouse.ColumnNameAndType // of the tables that get rows from here
	turn     uint64                                    // high bits of this process's commit numbers
	since    uint64                                    // the commit that it took over at

	mu     sync.Mutex // held by whatever writes
	closed bool       // nothing is written (any more)
	last   uint64     // highest commit number that was tried
	seen   atomic.Pointer[state]
}

// state is what readers know. It is never changed: a read takes it once and is consistent whatever happens meanwhile.
type state struct {
	commit, through uint64
	// Rows between these, both exclusive, belong to the turn before and were never committed.
	lostFrom, lostTo uint64
	people           map[eventstore.Who]bool // withdrawn with all their rows
	rows             map[place]bool          // withdrawn rows
}

// place names a stored row: the position of its event, and the commit that wrote it.
type place struct {
	seq    uint64
	idx    int32
	commit uint64
}

var _ event.Store = (*Store)(nil)

// Engine implements event.Store.
func (*Store) Engine() event.Engine { return event.ClickHouse }

// layout is the version of the tables. A database of another layout is not touched.
const layout = 1

// turnBits is how many commits a turn has room for.
const turnBits = 32

// Settings of every statement. The first four are what the SQL counts on (leaf.ClickHouse). What a statement says of people is not to be found in the
// server's own logs, where no erasure would reach it.
var settings = clickhouse.Settings{
	"join_use_nulls": 1, "prefer_column_name_to_alias": 1, "cast_keep_nullable": 1, "function_json_value_return_type_allow_nullable": 1,
	"low_cardinality_allow_in_native_format": 0, "log_queries": 0, "max_query_size": 64 << 20, "max_ast_elements": 1_000_000, "max_expanded_ast_elements": 1_000_000,
	"mutations_sync": 2, "lightweight_deletes_sync": 2, "async_insert": 0, "max_partitions_per_insert_block": 0,
}

// oldest is the oldest server whose SQL suffices: in 24.8 and before, names in nested statements are looked up otherwise.
var oldest = [2]uint64{25, 3}

// Open opens the store in the database that the address names, http://user:password@host:8123/database or https://, and makes the tables if there are none. It
// takes the turn to write: another process that has the store open cannot commit anything any more that this one would see.
func Open(ctx context.Context, address string, o Options) (*Store, error) {
	opt, err := options(address)
	if err != nil {
		return nil, err
	}
	database := opt.Auth.Database
	opt.Auth.Database = "default" // until it exists
	maker, err := connect(opt)
	if err != nil {
		return nil, fmt.Errorf("event store: %w", err)
	}
	err = prepare(ctx, maker, database, !o.Read)
	if err := errors.Join(err, maker.Close()); err != nil {
		return nil, fmt.Errorf("event store: %s: %w", opt.Addr[0], err)
	}
	opt.Auth.Database = database
	s := &Store{database: database, deleteAt: o.DeleteAt}
	if s.deleteAt == 0 {
		s.deleteAt = 1000
	}
	if s.conn, err = connect(opt); err != nil {
		return nil, fmt.Errorf("event store: %w", err)
	}
	start := s.start
	if o.Read {
		start = s.look
	}
	if err := start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("event store: %s/%s: %w", opt.Addr[0], database, err), s.conn.Close())
	}
	return s, nil
}

// Look returns the last log record of the store at the address, 0 if there is none yet, and changes nothing. It fails if the server cannot be used.
func Look(ctx context.Context, address string) (uint64, error) {
	opt, err := options(address)
	if err != nil {
		return 0, err
	}
	database := opt.Auth.Database
	opt.Auth.Database = "default"
	conn, err := connect(opt)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := prepare(ctx, conn, database, false); err != nil {
		return 0, err
	}
	var tables uint64
	if err := conn.QueryRow(ctx, `SELECT count() FROM system.tables WHERE database = '`+database+`' AND name = 'mark'`).Scan(&tables); err != nil || tables == 0 {
		return 0, err
	}
	s, err := Open(ctx, address, Options{Read: true})
	if err != nil {
		return 0, err
	}
	at, err := s.Position(ctx)
	return at, errors.Join(err, s.Close())
}

// Check reports whether the address is one that Open understands.
func Check(address string) error {
	_, err := options(address)
	return err
}

// Same reports whether two addresses lead to one database, however they are written and whoever signs in. An address that Check refuses is like no other.
func Same(a, b string) bool {
	x, errX := options(a)
	y, errY := options(b)
	return errX == nil && errY == nil && strings.EqualFold(x.Addr[0], y.Addr[0]) && x.Auth.Database == y.Auth.Database
}

func options(address string) (*clickhouse.Options, error) {
	u, err := url.Parse(address)
	const want = "want http://user:password@host:8123/database or https://"
	if err != nil {
		return nil, fmt.Errorf("event store: the address cannot be read; %s", want) // the parser's error would show the password
	}
	database := strings.Trim(u.Path, "/")
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || database == "" || strings.ContainsAny(database, "/`'\\\"") {
		return nil, fmt.Errorf("event store: %s; %s", u.Redacted(), want)
	}
	opt := &clickhouse.Options{Protocol: clickhouse.HTTP, Addr: []string{u.Host}}
	port := "8123"
	if u.Scheme == "https" {
		opt.TLS, port = &tls.Config{MinVersion: tls.VersionTLS12}, "8443"
	}
	if u.Port() == "" {
		opt.Addr[0] = net.JoinHostPort(u.Hostname(), port)
	}
	opt.Auth.Username, opt.Auth.Database = u.User.Username(), database
	opt.Auth.Password, _ = u.User.Password()
	opt.Settings = maps.Clone(settings)
	opt.ReadTimeout, opt.DialTimeout = 10*time.Minute, 10*time.Second
	opt.MaxOpenConns, opt.MaxIdleConns = 16, 8
	return opt, nil
}

// prepare checks the server and makes the database.
func prepare(ctx context.Context, conn driver.Conn, database string, create bool) error {
	v, err := conn.ServerVersion()
	if err != nil {
		return fmt.Errorf("is it running and its HTTP port this one? %w", err)
	}
	if found := [2]uint64{v.Version.Major, v.Version.Minor}; slices.Compare(found[:], oldest[:]) < 0 {
		return fmt.Errorf("this is ClickHouse %d.%d; %d.%d or newer is needed", found[0], found[1], oldest[0], oldest[1])
	}
	if !create {
		return nil
	}
	return conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS `"+database+"`")
}

// start makes the tables, takes the turn and reads what readers know.
func (s *Store) start(ctx context.Context) error {
	for _, ddl := range schema {
		if err := s.conn.Exec(ctx, ddl); err != nil {
			return err
		}
	}
	// Statements of the turn before end before anything is read.
	if err := s.conn.Exec(ctx, `KILL QUERY WHERE query_id LIKE '`+s.writes("%")+`' SYNC`); err != nil {
		return err
	}
	if err := s.describe(ctx); err != nil {
		return err
	}
	m, err := s.marked(ctx)
	if err != nil {
		return err
	}
	st := &state{commit: m.commit, through: m.through, lostFrom: m.commit}
	s.turn = (m.turn + 1) << turnBits
	s.since, s.last, st.lostTo = st.commit, s.turn, s.turn
	if err := s.mark(ctx, st.commit, st.through); err != nil {
		return err
	}
	if err := s.forget(ctx, fmt.Sprintf("commit > %d OR commit > %d AND commit < %d", st.commit, m.since, m.turn<<turnBits)); err != nil {
		return err
	}
	return s.reload(ctx, st)
}

// describe reads what rows consist of, which the client would otherwise ask before each batch.
func (s *Store) describe(ctx context.Context) error {
	s.columns = map[string][]clickhouse.ColumnNameAndType{}
	rows, err := s.conn.Query(ctx, `SELECT table, name, type FROM system.columns WHERE database = currentDatabase() ORDER BY table, position`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		var c clickhouse.ColumnNameAndType
		if err := rows.Scan(&table, &c.Name, &c.Type); err != nil {
			return err
		}
		s.columns[table] = append(s.columns[table], c)
	}
	return rows.Err()
}

// marks is what the last turn has said of itself.
type marks struct{ turn, since, commit, through uint64 }

// marked reads it. A process that has lost its turn may still commit; the turn after it has said where it took over, and that counts.
func (s *Store) marked(ctx context.Context) (m marks, err error) {
	const last = `(turn, commit)`
	var found uint64
	err = s.conn.QueryRow(ctx, `SELECT max(turn), max(layout), argMax(since, `+last+`), argMax(commit, `+last+`), argMax(through, `+last+`) FROM mark`).
		Scan(&m.turn, &found, &m.since, &m.commit, &m.through)
	if err == nil && found != 0 && found != layout {
		err = fmt.Errorf("the database has layout %d, this version needs %d: drop it and start again, it is filled from the log", found, layout)
	}
	return m, err
}

// look reads what readers know and changes nothing.
func (s *Store) look(ctx context.Context) error {
	m, err := s.marked(ctx)
	if err != nil {
		return err
	}
	s.closed = true // for whatever writes
	return s.reload(ctx, &state{commit: m.commit, through: m.through, lostFrom: m.since, lostTo: m.turn << turnBits})
}

// writes begins the name of every statement that writes, so that it can be ended from outside.
func (s *Store) writes(rest string) string { return "kizuna-" + s.database + "-" + rest }

// mark notes that this turn has come to the commit.
func (s *Store) mark(ctx context.Context, commit, through uint64) error {
	return s.write(ctx, `INSERT INTO mark SELECT `+strings.Join([]string{
		strconv.FormatUint(s.turn>>turnBits, 10), strconv.FormatUint(s.since, 10), strconv.FormatUint(commit, 10), strconv.FormatUint(through, 10), strconv.Itoa(layout),
	}, ", "))
}

// write runs a statement that changes something.
func (s *Store) write(ctx context.Context, query string, args ...any) error {
	text, params, err := translate(query, args)
	if err != nil {
		return err
	}
	return s.conn.Exec(s.writing(ctx, params), text)
}

func (s *Store) writing(ctx context.Context, params map[string]string, also ...clickhouse.QueryOption) context.Context {
	opt := append(also, clickhouse.WithQueryID(s.writes(id.New("qry"))))
	if len(params) > 0 {
		opt = append(opt, clickhouse.WithParameters(params))
	}
	return clickhouse.Context(ctx, opt...)
}

// forget deletes what was written and not committed, by turns before or by an attempt of this one.
func (s *Store) forget(ctx context.Context, beyond string) error {
	for _, table := range []string{"event_raw", "redirect", "withdrawn"} {
		var n uint64
		if err := s.conn.QueryRow(ctx, `SELECT count() FROM `+table+` WHERE `+beyond).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if err := s.write(ctx, `DELETE FROM `+table+` WHERE `+beyond); err != nil {
			return err
		}
	}
	return nil
}

// reload reads what is withdrawn.
func (s *Store) reload(ctx context.Context, st *state) error {
	st.people, st.rows = map[eventstore.Who]bool{}, map[place]bool{}
	rows, err := s.conn.Query(ctx, `SELECT ws, person, seq, idx, written FROM withdrawn WHERE `+st.committed())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var w eventstore.Who
		var p place
		if err := rows.Scan(&w.WS, &w.Num, &p.seq, &p.idx, &p.commit); err != nil {
			return err
		}
		if w.WS != "" {
			st.people[w] = true
		} else {
			st.rows[p] = true
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	s.seen.Store(st)
	return nil
}

// committed is the condition on rows of any table.
func (st *state) committed() string {
	if st.lostFrom+1 < st.lostTo && st.commit >= st.lostTo {
		return fmt.Sprintf("commit <= %d AND NOT (commit > %d AND commit < %d)", st.commit, st.lostFrom, st.lostTo)
	}
	return fmt.Sprintf("commit <= %d", st.commit)
}

// alive is the condition on rows of event_raw that readers of the state see.
func (st *state) alive() string {
	var b strings.Builder
	b.WriteString(st.committed())
	of := map[string][]string{}
	for w := range st.people {
		of[w.WS] = append(of[w.WS], strconv.FormatUint(w.Num, 10))
	}
	for ws, nums := range of {
		fmt.Fprintf(&b, " AND NOT (ws = unhex('%x') AND person IN (%s))", ws, strings.Join(nums, ","))
	}
	if len(st.rows) > 0 {
		b.WriteString(" AND (seq, idx, commit) NOT IN (")
		first := true
		for p := range st.rows {
			if !first {
				b.WriteByte(',')
			}
			first = false
			fmt.Fprintf(&b, "(%d,%d,%d)", p.seq, p.idx, p.commit)
		}
		b.WriteByte(')')
	}
	return b.String()
}

// tables is the beginning of every statement that reads: the tables event and person as event.Store describes them.
func (st *state) tables() string {
	return `WITH event AS (SELECT ` + eventColumns + ` FROM event_raw WHERE ` + st.alive() + `),
		person AS (SELECT ws, num, id, traits, channels, first_seen, last_seen FROM person_raw FINAL) `
}

// Close waits for a running Append. Closing twice is allowed.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.conn.Close()
}

// Position implements event.Store.
func (s *Store) Position(context.Context) (uint64, error) { return s.seen.Load().through, nil }

// Still calls do while nothing is written. Copying the data is the server's affair (BACKUP); what do copies besides fits to it.
func (s *Store) Still(_ context.Context, do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return do()
}
