package app

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// backupFormat is the version of what a backup folder looks like.
const backupFormat = 1

// The files of a backup. Everything else of the data folder is below extra.
const (
	manifestFile = "manifest.json"
	recordsFile  = "records.jsonl.gz"
	logFile      = "log.jsonl.gz"
	extraFolder  = "files"
	partial      = ".partial" // of a folder that is being written
	backupPrefix = "kizuna-"
)

// manifest says what a backup holds.
type manifest struct {
	Format  int       `json:"kizuna_backup"`
	Version string    `json:"version"`
	Made    time.Time `json:"made"`
	Key     string    `json:"key"` // tells the master key it belongs to, and nothing about it
	Rows    int64     `json:"rows"`
	// The log in it begins behind After, which every store has reached, and ends with Last.
	After uint64               `json:"log_after"`
	Last  uint64               `json:"log_last"`
	Files map[string]fileProof `json:"files"`
}

// fileProof is how a file is recognised.
type fileProof struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func backupCommand() command {
	return command{
		name: "backup", args: " FOLDER", summary: "copy an installation, also while it runs",
		long: `
Writes a new folder FOLDER/kizuna-TIME with all records, all events and the log behind them, as of one moment. A running server goes on: events are taken meanwhile, and have
their effect once the event store's file is copied. Records are written in a form that SQLite and PostgreSQL both read, so that a backup of one can be restored into the other.

Events that a ClickHouse server keeps (KIZUNA_EVENTS_URL) become the same file as those of an installation in one folder; until it is written, the server's own work waits. Of very
many events let ClickHouse itself make copies as well (BACKUP DATABASE), taken before this one: what they lack is filled from the log as far as it reaches.

Of several processes with roles it is made of the data folder of the worker that works, on its machine.

The master key is not in it: keep DATA/master.key apart, without it stored credentials cannot be read. Otherwise a backup holds everything about everybody; keep it as safe as the
data folder. A backup that was not finished is called .partial and can be deleted. When and where the last one was finished is kept with the records, and kizuna doctor tells it.`,
		flags: func(fs *flag.FlagSet) func(context.Context, IO) error {
			c, envErr := defaults()
			configFlags(fs, &c)
			keep := fs.Int("keep", 0, "delete all but the newest `N` finished backups in FOLDER afterwards (default: keep all)")
			return func(ctx context.Context, io IO) error {
				if err := errors.Join(envErr, c.Validate()); err != nil {
					return usageError{err.Error()}
				}
				if fs.NArg() != 1 {
					return usageError{"name the folder that backups go to"}
				}
				if *keep < 0 {
					return usageError{"--keep: want 1 or more, or leave it out"}
				}
				made, m, err := backUp(ctx, c, fs.Arg(0), io.Err)
				if made == "" {
					return err
				}
				fmt.Fprintf(io.Out, "%s\n%d rows of records, %d records of the log behind them, %d files\n", made, m.Rows, m.Last-m.After, len(m.Files))
				return errors.Join(err, prune(fs.Arg(0), *keep, io.Out))
			}
		},
	}
}

// backUp writes a backup below to and returns its folder. With a folder the backup is whole, and the error is that it could not be noted.
func backUp(ctx context.Context, c Config, to string, progress io.Writer) (folder string, m manifest, err error) {
	if _, err := os.Stat(c.Data); err != nil {
		return "", m, fmt.Errorf("data folder: %w", err)
	}
	box, err := openBox(c.Data)
	if err != nil {
		return "", m, err
	}
	db, err := sqldb.Open(ctx, c.Database, sqldb.Options{})
	if err != nil {
		return "", m, fmt.Errorf("record store: %w", err)
	}
	defer db.Close()
	var stores holder
	if s := dialControl(c.Data); s != nil {
		stores = s
	} else if stores, err = openStopped(ctx, c, db); err != nil {
		return "", m, err
	}
	defer stores.close()

	m = manifest{Format: backupFormat, Version: Version, Made: time.Now().UTC().Truncate(time.Second), Key: fingerprint(box), Files: map[string]fileProof{}}
	folder = filepath.Join(to, backupPrefix+m.Made.Format("20060102T150405Z"))
	w := backupWriter{dir: folder + partial, files: m.Files}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return "", m, err
	}
	if err := w.write(ctx, c, db, stores, &m, progress); err != nil {
		return "", m, errors.Join(err, os.RemoveAll(w.dir))
	}
	if err := os.Rename(w.dir, folder); err != nil {
		return "", m, err
	}
	if err := note(ctx, db, folder, m.Made); err != nil {
		return folder, m, fmt.Errorf("the backup is whole, but that it was made could not be noted for kizuna doctor: %w", err)
	}
	return folder, m, nil
}

// note remembers a finished backup as the last one of the installation, in its records, where all its machines see it. Records that a newer program has not brought
// up to date yet have no place for that: the doctor does not ask them either.
func note(ctx context.Context, db *sqldb.DB, folder string, made time.Time) error {
	if waiting, err := sqlstore.Unapplied(ctx, db); err != nil || len(waiting) > 0 {
		return err
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	return sqlstore.NewBackups(db).Note(ctx, sqlstore.Backup{Made: made, Host: host, Folder: folder})
}

// backupWriter writes files into a backup's folder and remembers their proofs.
type backupWriter struct {
	dir   string
	files map[string]fileProof
}

func (w backupWriter) write(ctx context.Context, c Config, db *sqldb.DB, stores holder, m *manifest, progress io.Writer) error {
	at, release, err := stores.hold(ctx)
	if err != nil {
		return err
	}
	m.After = at
	fmt.Fprintln(progress, "events ...")
	if err := w.events(ctx, c, db); err != nil {
		return errors.Join(err, release())
	}
	// The records must be as they are while the stores are held; once their moment is fixed, the server may go on.
	fmt.Fprintln(progress, "records ...")
	var released error
	held := true
	let := func() {
		if held {
			held, released = false, release()
		}
	}
	err = w.compressed(recordsFile, func(out io.Writer) error {
		m.Rows, err = db.Dump(ctx, out, let)
		return err
	})
	let()
	if err := errors.Join(err, released); err != nil {
		return err
	}
	fmt.Fprintln(progress, "log ...")
	err = w.compressed(logFile, func(out io.Writer) error {
		line := json.NewEncoder(out)
		m.Last, err = stores.log(ctx, at, func(r bus.Record) error { return line.Encode(r) })
		return err
	})
	if err != nil {
		return err
	}
	if err := w.extra(c); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return w.file(manifestFile, func(out io.Writer) error {
		_, err := out.Write(raw)
		return err
	})
}

// events copies the event store's file, or makes one out of the server's database.
func (w backupWriter) events(ctx context.Context, c Config, db *sqldb.DB) error {
	name := filepath.Base(eventsPath(c.Data))
	if c.EventsURL == "" {
		for _, end := range []string{"", ".wal"} {
			if err := w.copy(eventsPath(c.Data)+end, name+end); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}
	all, err := workspaces(ctx, db)
	if err != nil {
		return err
	}
	store, err := c.readEvents(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	made := filepath.Join(w.dir, "making.duckdb")
	if err := fileOf(ctx, store, made, c, all); err != nil {
		return err
	}
	return errors.Join(w.copy(made, name), os.Remove(made))
}

// extra copies what is in the data folder besides the stores.
func (w backupWriter) extra(c Config) error {
	return eachExtra(c.Data, func(path, rel string) error {
		err := w.copy(path, filepath.Join(extraFolder, rel))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile
		}
		return err
	})
}

// eachExtra goes through the files of a data folder that belong to no store.
func eachExtra(data string, do func(path, rel string) error) error {
	return filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(data, path)
		if err != nil || rel == "." {
			return err
		}
		if stored(rel) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return do(path, rel)
	})
}

// stored reports whether a path below the data folder belongs to a store, or to this process alone.
func stored(rel string) bool {
	switch rel {
	case "log", "lock", "master.key", movedFile, arrivingFile, leavingFile, filepath.Base(controlPath("")):
		return true
	}
	return strings.HasPrefix(rel, recordsName) || strings.HasPrefix(rel, "events.duckdb")
}

// file writes one file, makes sure that it is on the disk and notes its proof.
func (w backupWriter) file(name string, write func(io.Writer) error) error {
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := &summer{to: f, sum: sha256.New()}
	out := bufio.NewWriterSize(sum, 1<<20)
	err = write(out)
	if err == nil {
		err = errors.Join(out.Flush(), f.Sync())
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w.files[filepath.ToSlash(name)] = fileProof{sum.n, hex.EncodeToString(sum.sum.Sum(nil))}
	return nil
}

func (w backupWriter) compressed(name string, write func(io.Writer) error) error {
	return w.file(name, func(out io.Writer) error {
		z, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
		if err != nil {
			return err
		}
		return errors.Join(write(z), z.Close())
	})
}

func (w backupWriter) copy(path, name string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	return w.file(name, func(out io.Writer) error {
		_, err := io.Copy(out, in)
		return err
	})
}

// summer counts and hashes what passes.
type summer struct {
	to  io.Writer
	sum hash.Hash
	n   int64
}

func (s *summer) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	s.sum.Write(p[:n])
	s.n += int64(n)
	return n, err
}

// openBox opens the box of the folder's key and makes none.
func openBox(data string) (*secret.Box, error) {
	if _, err := os.Stat(filepath.Join(data, "master.key")); os.Getenv("KIZUNA_MASTER_KEY") == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no master key: set KIZUNA_MASTER_KEY, or put the file master.key into %s", data)
	}
	key, err := masterKey(data)
	if err != nil {
		return nil, err
	}
	return secret.NewBox(key)
}

// fingerprint tells master keys apart.
func fingerprint(box *secret.Box) string {
	return hex.EncodeToString(box.Hash("backup", "master key")[:8])
}

// prune deletes all but the newest finished backups.
func prune(dir string, keep int, out io.Writer) error {
	if keep == 0 {
		return nil
	}
	all, err := filepath.Glob(filepath.Join(dir, backupPrefix+"*Z", manifestFile))
	if err != nil {
		return err
	}
	slices.Sort(all) // by time, which is their name
	for _, path := range all[:max(len(all)-keep, 0)] {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			return err
		}
		fmt.Fprintln(out, "deleted", filepath.Dir(path))
	}
	return nil
}
