package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/click"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore/migrations"
)

// The marks of a move. The folder that is left has movedFile as soon as anything is written elsewhere, and keeps it; the new one has arrivingFile until
// everything is there. The server starts on neither.
const (
	movedFile    = "moved.json"
	arrivingFile = "arriving.json"
)

// mark is what both say.
type mark struct {
	Move string `json:"move"` // the same in the folders and in the new record store
	To   string `json:"to"`
	Done bool   `json:"done,omitempty"`
}

func migrateCommand() command {
	return command{
		name: "migrate-engine", summary: "move a stopped installation to other engines",
		long: `
FROM is the data folder of an installation that lives in it: SQLite, DuckDB, the log and files. If a ClickHouse server keeps its events, KIZUNA_FROM_EVENTS_URL names its database. It moves to what the environment and --data name: records to
KIZUNA_DATABASE_URL, events to KIZUNA_EVENTS_URL, the log to KIZUNA_LOG_URL, files to KIZUNA_FILES_URL, and what none of these is set for into DATA, which is the worker's.

Everything is checked before anything is written: that the server is stopped, that the new places are empty, can be reached, are of versions that fit and have room. --dry-run ends
there. Then records, events, log and files go over, in pieces of which each place knows how many it has: if the command is interrupted, killed or loses a connection, run it again and
it goes on where it was. At the end both sides are read once more and compared, by number and content, for each table and workspace.

FROM stays as it is, and the server does not start on it any more: two of one installation would send every letter twice. To go back before anything was started on the new side, delete
FROM/moved.json.

--workspace moves one workspace alone, into an installation that is there and may have others: DATA and the environment name that one, and its server has made its stores. Both installations
are stopped meanwhile and have the same master key. Everything of the workspace goes over and is compared, then it is there, all at once, and gone from FROM, which keeps a copy of its
records as they were and goes on for its other workspaces; who still sends events of the workspace there is told the new address, KIZUNA_PUBLIC_URL. Interrupted at any moment it goes on
when it is run again; until then FROM does not start, and DATA may.`,
		flags: func(fs *flag.FlagSet) func(context.Context, IO) error {
			c, envErr := defaults()
			configFlags(fs, &c)
			from := fs.String("from", "", "data `folder` of the installation as it is")
			// Not with the environment's value as default: the help would show its password.
			fs.Func("from-events", "`URL` of the ClickHouse database that keeps the events of the installation as it is (default: KIZUNA_FROM_EVENTS_URL, which lists of processes do not show, else FROM/events.duckdb)", func(v string) error {
				c.fromEvents = v
				return nil
			})
			only := fs.String("workspace", "", "`id or name` of one workspace to move, into an installation that is there")
			dry := fs.Bool("dry-run", false, "check everything, say what would move, and write nothing")
			return func(ctx context.Context, io IO) error {
				if err := errors.Join(envErr, c.Validate()); err != nil {
					return usageError{err.Error()}
				}
				if *from == "" || fs.NArg() > 0 {
					return usageError{"name the folder that the installation is in with --from"}
				}
				if err := c.validateFromEvents(); err != nil {
					return usageError{err.Error()}
				}
				if *only != "" {
					return migrateWorkspace(ctx, *from, *only, c, *dry, io)
				}
				return migrate(ctx, *from, c, *dry, io)
			}
		},
	}
}

// mover is a move under way.
type mover struct {
	mark mark
	from string
	c    Config // of the new installation
	io   IO
	said time.Time // when progress was last told

	old struct {
		*stopped
		db *sqldb.DB
	}
}

func migrate(ctx context.Context, from string, c Config, dry bool, io IO) error {
	m := &mover{from: from, c: c, io: io}
	if err := m.read(); err != nil {
		return err
	}
	if m.mark.Done {
		return m.end(ctx)
	}
	if err := m.open(ctx); err != nil {
		return err
	}
	defer m.close()
	if err := m.check(ctx); err != nil || dry {
		return err
	}
	arrived, err := m.begin()
	if err != nil {
		return err
	}
	defer arrived()
	if err := m.carry(ctx); err != nil {
		return fmt.Errorf("%w\n%s stays as it is; run the same again to go on, also after a kill", err, m.from)
	}
	m.mark.Done = true
	if err := m.mark.write(filepath.Join(m.from, movedFile)); err != nil {
		return err
	}
	return m.end(ctx)
}

// place returns the path of the new folder, and makes that of the old one whole.
func (m *mover) place() (at string, err error) {
	at = m.c.Data
	for _, path := range []*string{&m.from, &at} {
		if *path, err = filepath.Abs(*path); err != nil {
			return "", err
		}
	}
	if m.from == at {
		return "", errors.New("--from and --data name the same folder: give the new installation another one; the old stays as it is until you delete it")
	}
	return at, nil
}

// read finds out whether a move from the folder was begun.
func (m *mover) read() error {
	at, err := m.place()
	if err != nil {
		return err
	}
	if err := notLeaving(m.from); err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(m.from, movedFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.mark = mark{Move: id.New("mov"), To: at}
		return nil
	case err != nil:
		return err
	}
	if err := json.Unmarshal(raw, &m.mark); err != nil {
		return fmt.Errorf("%s: %w", movedFile, err)
	}
	if m.mark.To != at {
		return fmt.Errorf("--data %s: a move of %s to %s was begun: go on with that, or delete %s and begin anew with empty places", m.c.Data, m.from, m.mark.To, filepath.Join(m.from, movedFile))
	}
	return nil
}

// open opens the stores that are left.
func (m *mover) open(ctx context.Context) (err error) {
	if _, err := os.Stat(filepath.Join(m.from, recordsName)); err != nil {
		return fmt.Errorf("--from %s holds no installation: %w", m.from, err)
	}
	if s := dialControl(m.from); s != nil {
		s.close()
		return fmt.Errorf("--from %s: a server runs on it; stop it first", m.from)
	}
	if m.old.db, err = sqldb.Open(ctx, "sqlite:"+filepath.Join(m.from, recordsName), sqldb.Options{}); err != nil {
		return fmt.Errorf("--from: record store: %w", err)
	}
	if waiting, err := sqlstore.Unapplied(ctx, m.old.db); err != nil || len(waiting) > 0 {
		if err == nil {
			err = errors.New("they are of an older version: start this one on it once, which brings them up to date, and stop it again")
		}
		return fmt.Errorf("--from: records: %w", errors.Join(err, m.old.db.Close()))
	}
	old := Default()
	old.Data, old.EventsURL, old.LogRetention, old.EventMemoryMB = m.from, m.c.fromEvents, m.c.LogRetention, m.c.EventMemoryMB
	if _, err = os.Stat(eventsPath(m.from)); errors.Is(err, fs.ErrNotExist) && m.c.fromEvents == "" {
		return fmt.Errorf("--from: %s: %w", elsewhere(m.from), errors.Join(err, m.old.db.Close()))
	}
	if _, err = os.Stat(logPath(m.from)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--from: %s does not have the log of its installation, where events may wait: what lives on NATS servers moves by kizuna backup and restore: %w", m.from, errors.Join(err, m.old.db.Close()))
	}
	if m.old.stopped, err = openStopped(ctx, old, m.old.db); err != nil {
		return fmt.Errorf("--from: %w", errors.Join(err, m.old.db.Close()))
	}
	if err := m.whole(ctx); err != nil {
		m.close()
		return fmt.Errorf("--from: %w", err)
	}
	return nil
}

// elsewhere is what to do about a folder without the events of its installation.
func elsewhere(from string) string {
	return fmt.Sprintf("%s does not have the events of its installation: if a ClickHouse server keeps them, name its database in KIZUNA_FROM_EVENTS_URL", from)
}

// whole reports an event store that lacks what has been reacted to: it is not the one that the installation works with, and what it lacks would be lost.
func (m *mover) whole(ctx context.Context) error {
	stored, err := m.old.events.Position(ctx)
	if err != nil {
		return err
	}
	done, err := m.old.positions.Position(ctx, pipeline.ReactConsumer)
	if err == nil && stored < done {
		err = fmt.Errorf("%s. The event store there knows records up to %d, reactions are at %d", elsewhere(m.from), stored, done)
	}
	return err
}

func (m *mover) close() {
	m.old.close()
	_ = m.old.db.Close() // nothing was written
}

// check looks at everything that could stop the move later, and says what there is to move.
func (m *mover) check(ctx context.Context) error {
	if err := m.checkKey(ctx); err != nil {
		return err
	}
	used, _, err := m.old.stream.Size(ctx)
	if err != nil {
		return err
	}
	if limit := int64(m.c.LogServers.LimitGB) << 30; used > limit {
		return fmt.Errorf("KIZUNA_LOG_LIMIT_GB %d: the log has %d MB; raise it", m.c.LogServers.LimitGB, used>>20)
	}
	first, last, err := m.old.stream.Bounds(ctx)
	if err != nil {
		return err
	}
	begun, err := m.checkFolder(used)
	if err != nil {
		return err
	}
	if m.c.LogServers.URL != "" {
		_, there, err := natsbus.Look(ctx, m.c.logOptions(nil, 0))
		if err != nil {
			return fmt.Errorf("KIZUNA_LOG_URL: %w", err)
		}
		if there > 0 && !begun {
			return fmt.Errorf("KIZUNA_LOG_STREAM: the log at %s holds records already: name another one, or delete that stream", m.c.logPlace())
		}
	}
	if m.c.EventsURL != "" {
		there, err := click.Look(ctx, m.c.EventsURL)
		if err != nil {
			return fmt.Errorf("KIZUNA_EVENTS_URL: %w", err)
		}
		if there > 0 && !begun {
			return fmt.Errorf("KIZUNA_EVENTS_URL: %s holds events already: name a database that does not exist yet", m.c.eventPlace())
		}
	}
	if err := m.checkRecords(ctx); err != nil {
		return err
	}
	if m.c.Files.URL != "" { // one in DATA would make the folder
		store, err := m.c.openFiles(ctx)
		if err != nil {
			return fmt.Errorf("KIZUNA_FILES_URL: %w", err)
		}
		if err := store.Close(); err != nil {
			return err
		}
	}
	files, size := 0, int64(0)
	if err := m.eachFile(func(path, _ string) error {
		info, err := os.Stat(path)
		if err == nil {
			files, size = files+1, size+info.Size()
		}
		return err
	}); err != nil {
		return err
	}
	stored, err := m.old.events.Position(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(m.io.Out, "%s can move: the log from record %d to %d (%d MB), events up to record %d, %d files (%d MB)\n", m.from, first, last, used>>20, stored, files, size>>20)
	return nil
}

// checkKey compares master keys: what is encrypted with one can be read with no other.
func (m *mover) checkKey(ctx context.Context) error {
	box, err := openBox(m.from)
	if err == nil {
		_, err = sqlstore.NewLogKey(m.old.db, box).Nodes(ctx)
	}
	if err != nil {
		return fmt.Errorf("the master key does not fit: set KIZUNA_MASTER_KEY to what %s says: %w", filepath.Join(m.from, "master.key"), err)
	}
	raw, err := os.ReadFile(filepath.Join(m.c.Data, "master.key"))
	if errors.Is(err, fs.ErrNotExist) || os.Getenv("KIZUNA_MASTER_KEY") != "" {
		return nil
	}
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(filepath.Join(m.from, "master.key")); err != nil || string(old) != string(raw) {
		return errors.Join(fmt.Errorf("%s holds another master key than %s: put that one there", m.c.Data, m.from), err)
	}
	return nil
}

// checkFolder looks at the new folder, and reports whether this very move was begun.
func (m *mover) checkFolder(log int64) (begun bool, err error) {
	raw, err := os.ReadFile(filepath.Join(m.c.Data, arrivingFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = emptyFolder(m.c.Data)
	case err == nil:
		var there mark
		if err = json.Unmarshal(raw, &there); err == nil && there.Move != m.mark.Move {
			err = fmt.Errorf("--data %s: another move was begun into it: name a folder that does not exist yet", m.c.Data)
		}
		begun = true
	}
	if err != nil || begun {
		return begun, err
	}
	need := int64(0)
	if info, err := os.Stat(eventsPath(m.from)); err == nil {
		need = info.Size()
	}
	if m.c.LogServers.URL == "" {
		need += log
	}
	there := m.c.Data
	for _, err := os.Stat(there); errors.Is(err, fs.ErrNotExist) && there != filepath.Dir(there); _, err = os.Stat(there) {
		there = filepath.Dir(there)
	}
	if free := freeSpace(there); free < uint64(need)*3/2 {
		return false, fmt.Errorf("--data %s: %d MB are free there, the events and what comes with them need %d MB: free some, or name a folder elsewhere", m.c.Data, free>>20, need*3/2>>20)
	}
	return false, nil
}

func (m *mover) checkRecords(ctx context.Context) error {
	if path, ok := strings.CutPrefix(m.c.Database, "sqlite:"); ok {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil // it will be made
		}
	}
	db, err := sqldb.Open(ctx, m.c.Database, sqldb.Options{})
	if err != nil {
		return fmt.Errorf("KIZUNA_DATABASE_URL: %w", err)
	}
	defer db.Close()
	faults, err := db.Check(ctx)
	if err == nil && len(faults) > 0 {
		err = errors.New(faults[0])
	}
	if err == nil {
		err = db.Fresh(ctx, m.mark.Move)
	}
	if err != nil {
		return fmt.Errorf("KIZUNA_DATABASE_URL: %w", err)
	}
	return nil
}

// begin marks both folders, and holds the new one until the returned function is called.
func (m *mover) begin() (unlock func(), err error) {
	if err := m.mark.write(filepath.Join(m.from, movedFile)); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(m.c.Data, 0o700); err != nil {
		return nil, err
	}
	if unlock, err = lockFolder(m.c.Data); err != nil {
		return nil, err
	}
	if err = m.mark.write(filepath.Join(m.c.Data, arrivingFile)); err == nil && os.Getenv("KIZUNA_MASTER_KEY") == "" {
		err = replaceFile(filepath.Join(m.from, "master.key"), filepath.Join(m.c.Data, "master.key"))
	}
	if err != nil {
		unlock()
	}
	return unlock, err
}

// end lets the new installation start.
func (m *mover) end(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(m.c.Data, arrivingFile)); err == nil {
		if err := m.release(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(m.io.Out, "%s has moved: kizuna doctor --data %s, then start on it; %s is not needed any more once you are content\n", m.from, m.c.Data, m.from)
	return nil
}

// release lets the new record store be used, and the folder.
func (m *mover) release(ctx context.Context) error {
	db, err := sqldb.Open(ctx, m.c.Database, sqldb.Options{})
	if err != nil {
		return fmt.Errorf("KIZUNA_DATABASE_URL: %w", err)
	}
	defer db.Close()
	if err := db.EndCopy(ctx); err != nil {
		return err
	}
	if err := sqlstore.Migrate(ctx, db); err != nil {
		return fmt.Errorf("record store: %w", err)
	}
	if err := sqlstore.NewBackups(db).Forget(ctx); err != nil { // those that the records know of are of the old one
		return fmt.Errorf("record store: %w", err)
	}
	return os.Remove(filepath.Join(m.c.Data, arrivingFile))
}

// carry moves everything and compares.
func (m *mover) carry(ctx context.Context) error {
	db, err := sqldb.Open(ctx, m.c.Database, sqldb.Options{})
	if err != nil {
		return fmt.Errorf("KIZUNA_DATABASE_URL: %w", err)
	}
	defer db.Close()
	sums, err := m.old.db.Copy(ctx, db, m.mark.Move, migrations.Files, func(p sqldb.Copied) {
		m.tell(p.Done == p.Total, "records of %s: %d of %d", p.Table, p.Done, p.Total)
	})
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	all, err := workspaces(ctx, m.old.db)
	if err != nil {
		return err
	}
	events, err := m.carryEvents(ctx, all)
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	records, err := m.carryLog(ctx)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	files, err := m.carryFiles(ctx)
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	m.tell(true, "comparing the records")
	got, err := db.Sums(ctx)
	if err != nil {
		return err
	}
	if err := agree("records", sums, got); err != nil {
		return err
	}
	rows := int64(0)
	for _, s := range sums {
		rows += s.Rows
	}
	fmt.Fprintf(m.io.Out, "both sides agree: %d rows of records in %d tables of workspaces, %d events and people of them, %d records of the log, %d files\n", rows, len(sums), events, records, files)
	return nil
}

// tell says how far it is, at most once a second unless it matters.
func (m *mover) tell(always bool, format string, args ...any) {
	if now := time.Now(); always || now.Sub(m.said) > time.Second {
		m.said = now
		fmt.Fprintf(m.io.Err, format+"\n", args...)
	}
}

// agree compares what was read on one side with what is on the other.
func agree(what string, want, got sqldb.Sums) error {
	var all []error
	for p, w := range want {
		if g := got[p]; g != w {
			all = append(all, fmt.Errorf("%s of %s in workspace %q: %d here and %d there, or not the same", what, p.Table, p.Workspace, w.Rows, g.Rows))
		}
	}
	for p, g := range got {
		if _, ok := want[p]; !ok {
			all = append(all, fmt.Errorf("%s of %s in workspace %q: none here and %d there", what, p.Table, p.Workspace, g.Rows))
		}
	}
	if len(all) > 10 {
		all = append(all[:10], fmt.Errorf("and %d more", len(all)-10))
	}
	return errors.Join(all...)
}

func (k mark) write(path string) error { return writeMark(path, k) }

func writeMark(path string, k any) error {
	raw, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return replaceWith(path, func(out io.Writer) error {
		_, err := out.Write(raw)
		return err
	})
}

// replaceWith writes a file whole or not at all.
func replaceWith(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path+partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+partial, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func replaceFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return replaceWith(to, func(out io.Writer) error {
		_, err := io.Copy(out, in)
		return err
	})
}

// notMoving reports a folder whose installation is on its way, or gone.
func notMoving(data string) error {
	if _, err := os.Stat(filepath.Join(data, arrivingFile)); err == nil {
		return fmt.Errorf("an installation is moving into %s and not all of it is there: run kizuna migrate-engine again until it says that it has moved", data)
	}
	raw, err := os.ReadFile(filepath.Join(data, movedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var k mark
	if err := errors.Join(err, json.Unmarshal(raw, &k)); err != nil {
		return err
	}
	return fmt.Errorf("the installation of %s has moved, or is moving, to %s: start it there. If nothing was started there and you want to go on here, delete %s", data, k.To, filepath.Join(data, movedFile))
}
