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
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore/migrations"
)

// restoringFile is in a data folder that is being filled; the server does not start on it.
const restoringFile = "restoring"

func restoreCommand() command {
	return command{
		name: "restore", args: " BACKUP", summary: "make an installation out of a backup",
		long: `
BACKUP is a folder that kizuna backup has made. Its checksums are compared first; with --check that is all. DATA must not exist yet, or hold nothing but master.key. With
KIZUNA_DATABASE_URL the records go into that database, which must be empty and may be of the other kind: that is how an installation moves from SQLite to PostgreSQL or back.
With KIZUNA_LOG_URL the log goes to those servers, where its stream must not exist yet, and with KIZUNA_FILES_URL files go there: that is how it moves to several machines. The events
stay a file in DATA, which is the worker's, or go into the database of KIZUNA_EVENTS_URL, which must have none yet.

Sending is stopped in every workspace afterwards. What was waiting at the time of the backup may have been sent since, and would be sent again: look through it in the
settings (Limits and quiet hours), then resume sending there, with it or without it. --resume-sending leaves that out; use it for moving an installation that was stopped before its backup.`,
		flags: func(fs *flag.FlagSet) func(context.Context, IO) error {
			c, envErr := defaults()
			configFlags(fs, &c)
			check := fs.Bool("check", false, "compare the checksums of BACKUP and change nothing")
			key := fs.String("key", "", "`file` with the master key (default: KIZUNA_MASTER_KEY or DATA/master.key)")
			resume := fs.Bool("resume-sending", false, "do not stop sending")
			return func(ctx context.Context, io IO) error {
				if err := errors.Join(envErr, c.Validate()); err != nil {
					return usageError{err.Error()}
				}
				if fs.NArg() != 1 {
					return usageError{"name the folder of one backup"}
				}
				m, err := readManifest(fs.Arg(0))
				if err == nil {
					err = m.verify(fs.Arg(0))
				}
				if err != nil {
					return err
				}
				if *check {
					fmt.Fprintf(io.Out, "%s is whole: made %s by version %s, %d rows of records\n", fs.Arg(0), m.Made.Format(time.RFC3339), m.Version, m.Rows)
					return nil
				}
				if err := restore(ctx, c, fs.Arg(0), m, *key, *resume, io.Err); err != nil {
					return err
				}
				fmt.Fprintf(io.Out, "%s is ready: kizuna doctor --data %s, then kizuna serve --data %s\n", c.Data, c.Data, c.Data)
				if !*resume {
					fmt.Fprintln(io.Out, "sending is stopped in every workspace; look through what waits before you resume it")
				}
				return nil
			}
		},
	}
}

func readManifest(dir string) (m manifest, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%s is not a finished backup: it has no %s", dir, manifestFile)
	}
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	switch {
	case err != nil:
		return m, fmt.Errorf("%s: %w", manifestFile, err)
	case m.Format == 0 || m.Format > backupFormat:
		return m, fmt.Errorf("the backup has format %d, this version reads %d: use version %s", m.Format, backupFormat, m.Version)
	}
	return m, nil
}

// verify compares every file with its proof.
func (m manifest) verify(dir string) error {
	var all []error
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if !filepath.IsLocal(name) {
			return fmt.Errorf("%s: %q leads out of the backup", manifestFile, name)
		}
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			all = append(all, err)
			continue
		}
		sum := &summer{to: io.Discard, sum: sha256.New()}
		_, err = io.Copy(sum, f)
		f.Close()
		if got := (fileProof{sum.n, hex.EncodeToString(sum.sum.Sum(nil))}); err == nil && got != m.Files[name] {
			err = fmt.Errorf("%s is not what was written: use another backup", name)
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

func restore(ctx context.Context, c Config, from string, m manifest, keyFile string, resume bool, progress io.Writer) (err error) {
	if err := emptyFolder(c.Data); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	unlock, err := lockFolder(c.Data)
	if err != nil {
		return err
	}
	defer unlock()
	if keyFile != "" {
		raw, err := os.ReadFile(keyFile)
		if err == nil {
			err = os.WriteFile(filepath.Join(c.Data, "master.key"), raw, 0o600)
		}
		if err != nil {
			return fmt.Errorf("--key: %w", err)
		}
	}
	box, err := openBox(c.Data)
	if err != nil {
		return err
	}
	if got := fingerprint(box); got != m.Key {
		return errors.New("the master key is not the one that the backup was made with: name that one with --key; stored credentials cannot be read without it")
	}
	marker := filepath.Join(c.Data, restoringFile)
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		return err
	}
	if err := fill(ctx, c, from, m, resume, progress); err != nil {
		return fmt.Errorf("%w; delete %s before you try again", err, c.Data)
	}
	return os.Remove(marker)
}

// emptyFolder reports a data folder that holds something.
func emptyFolder(data string) error {
	entries, err := os.ReadDir(data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.Name() != "master.key" && e.Name() != "lock" {
			return fmt.Errorf("--data %s holds %s: name a folder that does not exist yet", data, e.Name())
		}
	}
	return err
}

// fill makes the stores.
func fill(ctx context.Context, c Config, from string, m manifest, resume bool, progress io.Writer) error {
	fmt.Fprintln(progress, "events and files ...")
	store, err := c.openFiles(ctx)
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	defer store.Close()
	for name := range m.Files {
		to, extra := strings.CutPrefix(name, extraFolder+"/")
		if file, ok := strings.CutPrefix(to, filesFolder+"/"); ok && extra && c.Files.URL != "" {
			if err := putFile(ctx, store, filepath.Join(from, filepath.FromSlash(name)), file); err != nil {
				return err
			}
			continue
		}
		if !extra && !strings.HasPrefix(name, filepath.Base(eventsPath(""))) {
			continue
		}
		if err := copyFile(filepath.Join(from, filepath.FromSlash(name)), filepath.Join(c.Data, filepath.FromSlash(to))); err != nil {
			return err
		}
	}
	fmt.Fprintln(progress, "log ...")
	if err := fillLog(ctx, c, from, m); err != nil {
		return err
	}
	fmt.Fprintln(progress, "records ...")
	db, err := sqldb.Open(ctx, c.Database, sqldb.Options{})
	if err != nil {
		return fmt.Errorf("record store: %w", err)
	}
	defer db.Close()
	n, err := int64(0), error(nil)
	if err := decompressed(filepath.Join(from, recordsFile), func(in io.Reader) error {
		n, err = db.Load(ctx, in, migrations.Files)
		return err
	}); err != nil {
		return fmt.Errorf("record store: %w", err)
	}
	if n != m.Rows {
		return fmt.Errorf("%d rows of records came out, the backup says %d", n, m.Rows)
	}
	if err := sqlstore.Migrate(ctx, db); err != nil {
		return fmt.Errorf("record store: %w", err)
	}
	// The backups that the records know of are another installation's, which may go on without this one.
	if err := sqlstore.NewBackups(db).Forget(ctx); err != nil {
		return fmt.Errorf("record store: %w", err)
	}
	if err := fillServer(ctx, c, db, progress); err != nil {
		return fmt.Errorf("event store: %w", err)
	}
	if resume {
		return nil
	}
	_, err = stopSending(ctx, db)
	return err
}

// fillServer moves the events out of the backup's file into the server's database, if one keeps them.
func fillServer(ctx context.Context, c Config, db *sqldb.DB, progress io.Writer) error {
	if c.EventsURL == "" {
		return nil
	}
	fmt.Fprintln(progress, "events into "+c.eventPlace()+" ...")
	all, err := workspaces(ctx, db)
	if err != nil {
		return err
	}
	file := c
	file.EventsURL = ""
	from, err := file.openEvents(ctx)
	if err != nil {
		return err
	}
	to, err := c.openEvents(ctx)
	if err == nil {
		var at uint64
		if at, err = to.Position(ctx); err == nil && at > 0 {
			err = fmt.Errorf("%s holds events up to record %d already: name a database that does not exist yet", c.eventPlace(), at)
		}
		if err == nil {
			err = fillEvents(ctx, from, to, all, func(_ bool, format string, args ...any) { fmt.Fprintf(progress, format+"\n", args...) })
		}
		err = errors.Join(err, to.Close())
	}
	if err := errors.Join(err, from.Close()); err != nil {
		return err
	}
	return os.Remove(eventsPath(c.Data))
}

// putFile gives a file of the backup to the store of files, which is not in the data folder.
func putFile(ctx context.Context, store files, from, at string) error {
	parts := strings.Split(at, "/")
	if len(parts) != 3 {
		return fmt.Errorf("%s is no file of a workspace: use another backup", from)
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	n, err := store.Put(ctx, parts[0], parts[1], parts[2], in, math.MaxInt64-1)
	if err == nil && n != info.Size() {
		err = fmt.Errorf("%s: %d bytes of %d arrived", at, n, info.Size())
	}
	return err
}

// fillLog makes a log whose records have the positions they had.
func fillLog(ctx context.Context, c Config, from string, m manifest) (err error) {
	log := c.newLog(nil, m.After+1)
	if err := log.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Stop(ctx)) }()
	if _, last, err := log.Bounds(ctx); err != nil || last > m.After {
		if err == nil {
			err = fmt.Errorf("the log at %s holds records already: name another with KIZUNA_LOG_STREAM, or delete that stream", c.logPlace())
		}
		return err
	}
	fill := logFiller{log: log, next: m.After + 1}
	if err := decompressed(filepath.Join(from, logFile), func(in io.Reader) error {
		for lines := json.NewDecoder(in); ; {
			var r bus.Record
			if err := lines.Decode(&r); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf("log: %w", err)
			}
			if err := fill.take(ctx, r); err != nil {
				return err
			}
		}
	}); err != nil {
		return err
	}
	return fill.upTo(ctx, m.Last)
}

// logFiller gives records the positions that they had in another log.
type logFiller struct {
	log  *natsbus.Log
	next uint64
}

func (f *logFiller) put(ctx context.Context, data []byte) error {
	seq, err := f.log.Append(ctx, data)
	if err == nil && seq != f.next {
		err = fmt.Errorf("log: a record came to position %d, want %d: something else writes to it", seq, f.next)
	}
	f.next++
	return err
}

// upTo fills up to and with the position; where a record was given up an empty one keeps its place.
func (f *logFiller) upTo(ctx context.Context, last uint64) error {
	for f.next <= last {
		if err := f.put(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func (f *logFiller) take(ctx context.Context, r bus.Record) error {
	if err := f.upTo(ctx, r.Seq-1); err != nil {
		return err
	}
	return f.put(ctx, r.Data)
}

func decompressed(path string, read func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return err
	}
	return read(z)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}
