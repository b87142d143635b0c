package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func doctorCommand() command {
	return command{
		name: "doctor", summary: "check an installation, say what is wrong and how to mend it",
		long: `
Checks the configuration, the data folder, the master key, the record store, the event store and the log. While a server runs on the folder its own report is
asked for instead of opening the files a second time. Ends with 1 if something is wrong. Nothing is changed.`,
		flags: func(fs *flag.FlagSet) func(context.Context, IO) error {
			c, envErr := defaults()
			configFlags(fs, &c)
			return func(ctx context.Context, io IO) error {
				d := &doctor{io: io}
				d.check("configuration", errors.Join(envErr, c.Validate()), "see kizuna help environment", "")
				if !d.sick {
					d.examine(ctx, c)
				}
				if d.sick {
					return errReported
				}
				fmt.Fprintln(io.Out, "all is well")
				return nil
			}
		},
	}
}

type doctor struct {
	io   IO
	sick bool
}

// check prints one finding. note is shown when all is well.
func (d *doctor) check(what string, err error, remedy, note string) bool {
	if err == nil {
		fmt.Fprintf(d.io.Out, "ok    %-16s %s\n", what, note)
		return true
	}
	d.sick = true
	fmt.Fprintf(d.io.Out, "WRONG %-16s %s\n      to mend it: %s\n", what, strings.ReplaceAll(err.Error(), "\n", "\n      "), remedy)
	return false
}

func (d *doctor) examine(ctx context.Context, c Config) {
	info, err := os.Stat(c.Data)
	if errors.Is(err, fs.ErrNotExist) {
		d.check("data folder", fmt.Errorf("%s does not exist", c.Data), "start the server once: kizuna serve --data "+c.Data, "")
		return
	}
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", c.Data)
	}
	if err == nil {
		err = writable(c.Data)
	}
	if !d.check("data folder", err, "give the user that runs kizuna the right to write there", c.Data) {
		return
	}
	d.check("whole", notMoving(c.Data), "finish the move, or start where it has gone", "no move is under way")
	d.disk(c.Data)
	d.masterKey(c.Data)
	if d.running(ctx, c) {
		return
	}
	d.port(c.Listen)
	unlock, err := lockFolder(c.Data)
	if !d.check("lock", err, "a process holds the folder but does not answer on "+c.Listen+": name its address with --listen, or stop it", "no other process uses the folder") {
		return
	}
	defer unlock()
	d.records(ctx, c)
	d.stores(ctx, c)
}

func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// leastFree is the free space below which the log refuses events soon.
const leastFree = 1 << 30

func (d *doctor) disk(dir string) {
	free := freeSpace(dir)
	var err error
	if free < leastFree {
		err = fmt.Errorf("%d MB free, want at least %d MB", free>>20, leastFree>>20)
	}
	d.check("disk", err, "free some space or move the folder; events are refused (503) when the disk is full", fmt.Sprintf("%d GB free", free>>30))
}

func (d *doctor) masterKey(dir string) {
	if os.Getenv("KIZUNA_MASTER_KEY") != "" {
		_, err := masterKey(dir)
		d.check("master key", err, "set KIZUNA_MASTER_KEY to base64 of 32 bytes", "from the environment")
		return
	}
	path := filepath.Join(dir, "master.key")
	info, err := os.Stat(path)
	if err == nil {
		_, err = masterKey(dir)
	}
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s can be read by others (%v)", path, info.Mode().Perm())
	}
	d.check("master key", err, "restore master.key from your backup, with mode 0600 (chmod 600 "+path+"); without it stored credentials cannot be read", path)
}

// running reports whether a server answers, and what it says of itself.
func (d *doctor) running(ctx context.Context, c Config) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.Listen+"/healthz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if resp.Header.Get("Kizuna") == "" {
		d.check("server", fmt.Errorf("something else answers on %s", c.Listen), "choose another --listen address", "")
		return true
	}
	err = nil
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the server answers %s", resp.Status)
	}
	d.check("server", err, "look at its log: a stage of the pipeline fails or lags", "runs and is ready on "+c.Listen)
	return true
}

func (d *doctor) port(listen string) {
	ln, err := net.Listen("tcp", listen)
	if err == nil {
		ln.Close()
	}
	d.check("address", err, "choose another --listen address or stop the program that uses it", listen+" is free")
}

func (d *doctor) records(ctx context.Context, c Config) {
	db, err := sqldb.Open(ctx, c.Database, sqldb.Options{})
	if !d.check("record store", err, "check KIZUNA_DATABASE_URL and that the server is up", c.Database[:strings.Index(c.Database, ":")]) {
		return
	}
	defer db.Close()
	faults, err := db.Check(ctx)
	if err == nil && len(faults) > 0 {
		err = errors.New(strings.Join(faults, "\n"))
	}
	d.check("record integrity", err, "stop the server and restore the newest backup; the log still holds the last days", "tables and indexes are sound")
	waiting, err := sqlstore.Unapplied(ctx, db)
	note := "up to date"
	if len(waiting) > 0 {
		note = fmt.Sprintf("%d migrations will run at the next start", len(waiting))
	}
	d.check("schema", err, "a newer kizuna has used this database: run that version", note)
}

func (d *doctor) stores(ctx context.Context, c Config) {
	log := c.newLog(nil, 0)
	if !d.check("log", log.Start(ctx), "look at "+c.logPlace(), "opens") {
		return
	}
	defer log.Stop(ctx)
	first, last, err := log.Bounds(ctx)
	d.check("log bounds", err, "look at "+c.logPlace(), fmt.Sprintf("records %d to %d", first, last))
	events, err := duck.Open(ctx, eventsPath(c.Data), duck.Options{MemoryMB: c.EventMemoryMB})
	if !d.check("event store", err, "move events.duckdb away: it is filled again from what the log holds", "opens") {
		return
	}
	defer events.Close()
	at, err := events.Position(ctx)
	switch {
	case err != nil:
	case at > last:
		err = fmt.Errorf("it is at record %d, the log ends at %d: the log has been lost or replaced", at, last)
	case first > at+1:
		err = fmt.Errorf("it is at record %d, the log begins at %d: events in between are gone from the log", at, first)
	}
	d.check("event store position", err, "restore the folder as a whole from one backup", fmt.Sprintf("%d records behind the log", last-min(at, last)))
}
