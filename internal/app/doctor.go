package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func doctorCommand() command {
	return command{
		name: "doctor", summary: "check an installation, say what is wrong and how to mend it",
		long: `
Checks the configuration, the data folder and its disk, the master key, certificates, the last backup, the record store, the event store, the log and how far its readers are, clocks, queues, jobs and
whatever else does not go on by itself, and what the DNS says of the domains that mail is sent from. While a server runs on the folder it is asked for what it has open. Of several
processes that make one installation, ask on each machine. Nothing is changed.

Each finding is ok, look (it works, but not for ever or not well) or WRONG, and says how to mend it. Ends with 1 if something is wrong, else with 0. With --json there is one object:
well, version, and findings, each with check, state (ok, warn, fail), detail and remedy.`,
		flags: func(fs *flag.FlagSet) func(context.Context, IO) error {
			c, envErr := defaults()
			configFlags(fs, &c)
			asJSON := fs.Bool("json", false, "print the findings as JSON, for programs")
			offline := fs.Bool("offline", false, "ask neither the DNS nor the public address")
			return func(ctx context.Context, io IO) error {
				d := &doctor{io: io, quiet: *asJSON, offline: *offline, now: time.Now}
				d.check("configuration", errors.Join(envErr, c.Validate()), "see kizuna help environment", "")
				if !d.sick {
					d.examine(ctx, c)
				}
				if *asJSON {
					out := json.NewEncoder(io.Out)
					out.SetIndent("", "  ")
					if err := out.Encode(map[string]any{"well": !d.sick, "version": Version, "findings": d.findings}); err != nil {
						return err
					}
				}
				if d.sick {
					return errReported
				}
				if !*asJSON {
					fmt.Fprintln(io.Out, d.verdict())
				}
				return nil
			}
		},
	}
}

// finding is what one check has found.
type finding struct {
	Check  string `json:"check"`
	State  string `json:"state"` // ok, warn, fail
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
}

type doctor struct {
	io       IO
	quiet    bool // nothing is printed as it is found
	offline  bool
	now      func() time.Time
	sick     bool
	findings []finding
}

// verdict says of an installation that nothing is wrong with how much is left to look at.
func (d *doctor) verdict() string {
	n := 0
	for _, f := range d.findings {
		if f.State != "ok" {
			n++
		}
	}
	if n > 0 {
		return fmt.Sprintf("nothing is wrong; to look at: %d", n)
	}
	return "all is well"
}

// check notes one finding. note is shown when all is well.
func (d *doctor) check(what string, err error, remedy, note string) bool {
	if err == nil {
		d.found(finding{what, "ok", note, ""})
		return true
	}
	d.sick = true
	d.found(finding{what, "fail", err.Error(), remedy})
	return false
}

// warn notes what works, but not for ever or not well; nothing to say is ok.
func (d *doctor) warn(what, trouble, remedy, note string) {
	if trouble == "" {
		d.found(finding{what, "ok", note, ""})
		return
	}
	d.found(finding{what, "warn", trouble, remedy})
}

func (d *doctor) found(f finding) {
	d.findings = append(d.findings, f)
	if d.quiet {
		return
	}
	if f.State == "ok" {
		fmt.Fprintf(d.io.Out, "ok    %-20s %s\n", f.Check, f.Detail)
		return
	}
	fmt.Fprintf(d.io.Out, "%-5s %-20s %s\n      to mend it: %s\n", map[string]string{"warn": "look", "fail": "WRONG"}[f.State], f.Check, strings.ReplaceAll(f.Detail, "\n", "\n      "), f.Remedy)
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
	d.permissions(c.Data, info.Mode())
	d.check("whole", errors.Join(notMoving(c.Data), notLeaving(c.Data)), "finish the move, or start where it has gone", "no move is under way")
	d.disk(c.Data)
	d.fsync(c.Data)
	d.masterKey(c.Data)
	d.certificates(ctx, c)
	d.traces(ctx)
	if running := dialControl(c.Data); running != nil {
		defer running.close()
		d.running(ctx, c, running)
		d.records(ctx, c, true)
		return
	}
	if !d.port(ctx, c.Listen) {
		return
	}
	unlock, err := lockFolder(c.Data)
	if !d.check("lock", err, "a process holds the folder but does not answer on its control socket: stop it", "no other process uses the folder") {
		return
	}
	defer unlock()
	d.records(ctx, c, false)
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

// running asks the server for what it has open.
func (d *doctor) running(ctx context.Context, c Config, server *remote) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	resp, err := server.get(ctx, "/state")
	var s runningState
	if err == nil {
		err = json.NewDecoder(resp.Body).Decode(&s)
		resp.Body.Close()
	}
	if !d.check("server", err, "look at its log; it may be of another version: update it, or run the doctor of its version", "runs, version "+s.Version) {
		return
	}
	if s.Version != Version {
		d.warn("version", fmt.Sprintf("the server is %s, this program %s", s.Version, Version), "restart the server when it suits you: it goes on as the program on disk", "")
	}
	if s.Trouble != "" {
		d.check("pipeline", errors.New(s.Trouble), "mend what it names; the batch is tried again for ever and nothing is lost meanwhile", "")
	} else {
		late := ""
		if s.Behind > readyLag {
			late = fmt.Sprintf("events have waited for %v", s.Behind.Round(time.Second))
		}
		d.warn("pipeline", late, "see kizuna_batch_seconds in /metrics for the stage that takes long; give the machine a faster disk or more processors", "follows the log")
	}
	if s.Turn {
		d.reach(s.Reach)
	}
	d.exported(s.Traces)
	d.ready(ctx, c)
}

// ready asks what the server says to those who send requests to it.
func (d *doctor) ready(ctx context.Context, c Config) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.Listen+"/readyz", nil)
	if err != nil {
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.warn("address", fmt.Sprintf("the server does not answer on %s", c.Listen), "name the address that it listens on with --listen", "")
		return
	}
	defer resp.Body.Close()
	var answer struct{ Checks map[string]bool }
	err = json.NewDecoder(resp.Body).Decode(&answer)
	if err == nil && resp.StatusCode != http.StatusOK {
		var not []string
		for name, fine := range answer.Checks {
			if !fine {
				not = append(not, name)
			}
		}
		slices.Sort(not)
		err = fmt.Errorf("the server is not ready: %s", strings.Join(not, ", "))
	}
	d.check("ready", err, "what it names is among the other findings, or passes once the server has started", "requests may come to "+c.Listen)
}

// port reports whether the server could listen.
func (d *doctor) port(ctx context.Context, listen string) bool {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err == nil {
		ln.Close()
	}
	return d.check("address", err, "choose another --listen address or stop the program that uses it", listen+" is free")
}

func (d *doctor) records(ctx context.Context, c Config, running bool) {
	if path, ok := strings.CutPrefix(c.Database, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil { // opening would make one
			d.check("record store", err, "start the server once, or restore the newest backup", "")
			return
		}
	}
	db, err := sqldb.Open(ctx, c.Database, sqldb.Options{})
	if !d.check("record store", err, "check KIZUNA_DATABASE_URL and that the server is up", c.Database[:strings.Index(c.Database, ":")]) {
		return
	}
	defer db.Close()
	version, err := db.EngineVersion(ctx)
	if !d.check("record engine", err, "check that the server is up", version) {
		return
	}
	d.clock(ctx, db)
	if !running { // it reads everything
		faults, err := db.Check(ctx)
		if err == nil && len(faults) > 0 {
			err = errors.New(strings.Join(faults, "\n"))
		}
		d.check("record integrity", err, "stop the server and restore the newest backup; the log still holds the last days", "tables and indexes are sound")
	}
	waiting, err := sqlstore.Unapplied(ctx, db)
	note := "up to date"
	if len(waiting) > 0 {
		note = fmt.Sprintf("%d migrations will run at the next start", len(waiting))
	}
	if !d.check("schema", err, "a newer kizuna has used this database: run that version", note) || len(waiting) > 0 {
		return // the tables are not those that are asked below
	}
	d.backup(ctx, c, db)
	d.turns(ctx, c, db)
	d.queues(ctx, db)
	d.troubles(ctx, db)
	d.standings(ctx, db)
	d.domains(ctx, c, db)
}

func (d *doctor) stores(ctx context.Context, c Config) {
	log := c.newLog(nil, 0)
	if !d.check("log", log.Start(ctx), "look at "+c.logPlace(), "opens") {
		return
	}
	defer log.Stop(ctx)
	var r reach
	first, last, err := log.Bounds(ctx)
	if err == nil {
		r.First, r.Last = first, last
		r.Used, r.Limit, err = log.Size(ctx)
	}
	if !d.check("log bounds", err, "look at "+c.logPlace(), fmt.Sprintf("records %d to %d", r.First, r.Last)) {
		return
	}
	if _, err := os.Stat(eventsPath(c.Data)); c.EventsURL == "" && errors.Is(err, fs.ErrNotExist) {
		d.warn("event store", "", "", "not on this machine")
		return
	}
	events, err := c.readEvents(ctx)
	mend, note := "move events.duckdb away: it is filled again from what the log holds", "opens"
	if c.EventsURL != "" {
		mend, note = "see that the server of KIZUNA_EVENTS_URL runs and lets its user in; an empty one is filled at the first start, or by kizuna migrate-engine or restore", "ClickHouse at "+c.eventPlace()+" answers"
	}
	if !d.check("event store", err, mend, note) {
		return
	}
	defer events.Close()
	var applied uint64
	if r.Stored, err = events.Position(ctx); err == nil {
		applied, r.Done, err = d.reacted(ctx, c)
	}
	if d.check("positions", err, "see the record store's findings", "known") {
		d.moment(applied, r.Stored)
		d.reach(r)
	}
}

// reacted is how far the records have come, and what follows from events.
func (d *doctor) reacted(ctx context.Context, c Config) (applied, done uint64, err error) {
	db, err := sqldb.Open(ctx, c.Database, sqldb.Options{})
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	if applied, err = sqlstore.NewPerson(db).Position(ctx); err == nil {
		done, err = sqlstore.NewPositions(db).Position(ctx, pipeline.ReactConsumer)
	}
	return applied, done, err
}
