package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// leavingFile is in the folder that a workspace is moving out of. The server does not start on it: the workspace may be in the other installation already, and two of one
// would send every letter twice.
const leavingFile = "leaving.json"

// leaving is what it says.
type leaving struct {
	Move      string `json:"move"`
	To        string `json:"to"`
	Workspace string `json:"workspace"`
	Name      string `json:"name"`
}

// notLeaving reports a folder that a workspace is moving out of.
func notLeaving(data string) error {
	path := filepath.Join(data, leavingFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var k leaving
	if err := errors.Join(err, json.Unmarshal(raw, &k)); err != nil {
		return err
	}
	return fmt.Errorf("the workspace %q is moving out of %s to %s: run kizuna migrate-engine --workspace %s again until it says that it has moved. To give the move up, make sure that the workspace is not there, and delete %s",
		k.Name, data, k.To, k.Workspace, path)
}

// emigrant is the move of one workspace under way.
type emigrant struct {
	mover
	leaving
	begun    bool // the folder says so
	src, dst *application
}

// eventsAtOnce is how many events become one record of the new log.
const eventsAtOnce = 5000

// migrateWorkspace moves one workspace out of a folder, into an installation that is there.
func migrateWorkspace(ctx context.Context, from, which string, c Config, dry bool, io IO) error {
	e := &emigrant{mover: mover{from: from, c: c, io: io}}
	var err error
	if e.To, err = e.place(); err != nil {
		return err
	}
	if err := notMoving(e.from); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if err := e.open(ctx); err != nil {
		return err
	}
	gone, err := e.look(ctx, which, dry)
	e.close()
	if err != nil || gone || dry {
		return err
	}
	if err := e.carry(ctx); err != nil {
		return fmt.Errorf("%w\nrun the same again to go on, also after a kill", err)
	}
	fmt.Fprintf(io.Out, "%q has moved: start the server on %s, and on %s if other workspaces are left there; let sites and programs send to %s, and point the addresses of links in mails that were sent to it\n",
		e.Name, e.c.Data, e.from, e.c.PublicURL)
	return nil
}

// look finds the workspace and looks at everything that could stop the move later. gone says that it has moved before.
func (e *emigrant) look(ctx context.Context, which string, dry bool) (gone bool, err error) {
	raw, err := os.ReadFile(filepath.Join(e.from, leavingFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if gone, err = e.find(ctx, which); err != nil || gone {
			return gone, err
		}
	case err != nil:
		return false, err
	default:
		e.begun = true
		to := e.To
		if err := json.Unmarshal(raw, &e.leaving); err != nil {
			return false, fmt.Errorf("%s: %w", leavingFile, err)
		}
		if to != e.To || which != e.Workspace && which != e.Name {
			return false, fmt.Errorf("the workspace %q (%s) is moving out of %s to %s: go on with that first", e.Name, e.Workspace, e.from, e.To)
		}
	}
	if err := e.checkBox(); err != nil {
		return false, err
	}
	db, err := e.openTarget(ctx)
	if err != nil {
		return false, err
	}
	defer db.Close()
	arrived, err := sqlstore.HasMoved(ctx, db, e.Workspace, e.Move)
	if err != nil || arrived {
		return false, err
	}
	move, err := sqlstore.NewMove(ctx, e.old.db, db, e.Workspace)
	if err != nil {
		return false, err
	}
	if err := move.Check(ctx); err != nil {
		return false, err
	}
	n, err := countEvents(ctx, e.old.events, e.Workspace)
	if err != nil {
		return false, err
	}
	all, err := workspaces(ctx, e.old.db)
	if err != nil {
		return false, err
	}
	total := int64(0)
	for _, ws := range all {
		more, err := countEvents(ctx, e.old.events, ws)
		if err != nil {
			return false, err
		}
		total += more
	}
	if err := e.room(n, total); err != nil {
		return false, err
	}
	fmt.Fprintf(e.io.Out, "the workspace %q (%s) can move from %s to %s: %d events\n", e.Name, e.Workspace, e.from, e.To, n)
	for _, name := range move.Behind() {
		fmt.Fprintf(e.io.Out, "the API key %q stays behind: its secret opens another workspace there; make a new one\n", name)
	}
	if len(all) == 1 && dry {
		fmt.Fprintf(e.io.Out, "it is the only workspace there: into an installation that does not exist yet everything moves without --workspace\n")
	}
	return false, nil
}

// find finds the workspace by its id or name.
func (e *emigrant) find(ctx context.Context, which string) (gone bool, err error) {
	service := workspace.New(sqlstore.NewWorkspace(e.old.db), e.old.db, clock.System{})
	all, err := service.All(ctx)
	if err != nil {
		return false, err
	}
	var found []workspace.Workspace
	var ids []string
	for _, w := range all {
		if w.ID == which || w.Name == which {
			found, ids = append(found, w), append(ids, w.ID)
		}
	}
	switch len(found) {
	case 1:
		e.Move, e.Workspace, e.Name = id.New("mov"), found[0].ID, found[0].Name
		return false, nil
	case 0:
		moved, err := sqlstore.NewWorkspace(e.old.db).Moved(ctx)
		if err != nil {
			return false, err
		}
		for _, w := range moved {
			if w.Workspace == which || w.Name == which {
				fmt.Fprintf(e.io.Out, "%q has moved to %s on %s\n", w.Name, w.To, w.At.Format(time.DateOnly))
				return true, nil
			}
		}
		names := make([]string, len(all))
		for i, w := range all {
			names[i] = fmt.Sprintf("%q (%s)", w.Name, w.ID)
		}
		return false, fmt.Errorf("--workspace %s: %s has none of this id or name; it has %s", which, e.from, strings.Join(names, ", "))
	}
	return false, fmt.Errorf("--workspace %s: %d workspaces have this name: name one by its id, of %s", which, len(found), strings.Join(ids, ", "))
}

// checkBox compares the master keys. What is encrypted could be encrypted anew; what is known by keyed hashes alone, such as addresses that must not be written to and people
// who were forgotten, and links in mails that were sent, could not.
func (e *emigrant) checkBox() error {
	here, err := openBox(e.from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	there, err := openBox(e.c.Data)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	if fingerprint(here) != fingerprint(there) {
		return fmt.Errorf("%s has another master key than %s: suppressed addresses, forgotten people and links in mails that were sent are known by it. Make the new installation with the key of the old one before it has anything", e.c.Data, e.from)
	}
	return nil
}

// openTarget opens the record store of the other installation, which is there, up to date, and stopped.
func (e *emigrant) openTarget(ctx context.Context) (*sqldb.DB, error) {
	if path, ok := strings.CutPrefix(e.c.Database, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("--data %s holds no installation: start the server on it once, or leave --workspace out to move everything: %w", e.c.Data, err)
		}
	}
	if s := dialControl(e.c.Data); s != nil {
		s.close()
		return nil, fmt.Errorf("--data %s: a server runs on it; stop it first", e.c.Data)
	}
	if err := errors.Join(notMoving(e.c.Data), notLeaving(e.c.Data)); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	unlock, err := lockFolder(e.c.Data)
	if err != nil {
		return nil, fmt.Errorf("--data: %w: stop it first", err)
	}
	unlock()
	db, err := sqldb.Open(ctx, e.c.Database, sqldb.Options{})
	if err != nil {
		return nil, fmt.Errorf("KIZUNA_DATABASE_URL: %w", err)
	}
	waiting, err := sqlstore.Unapplied(ctx, db)
	if err == nil && len(waiting) > 0 {
		err = errors.New("they are of an older version: start this one there once, which brings them up to date, and stop it again")
	}
	for _, r := range []role{workerRole, sendRole} {
		if err != nil {
			break
		}
		var l sqlstore.Lease
		if l, err = sqlstore.NewLeases(db).Holder(ctx, string(r)); err == nil && l.Holder != "" {
			err = fmt.Errorf("the process %s does the work of the role %s there: stop all processes first; of one that has died it is known after %s", l.Holder, r, leaseFor)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("KIZUNA_DATABASE_URL: records: %w", errors.Join(err, db.Close()))
	}
	return db, nil
}

// room reports a folder that is too full for the events.
func (e *emigrant) room(part, of int64) error {
	info, err := os.Stat(eventsPath(e.from))
	if err != nil || of == 0 || e.c.EventsURL != "" {
		return nil // there are none, or they go to a server
	}
	need := uint64(float64(info.Size()) * float64(part) / float64(of) * 1.5)
	if free := freeSpace(e.c.Data); free < need {
		return fmt.Errorf("--data %s: %d MB are free there, the events need %d MB: free some", e.c.Data, free>>20, need>>20)
	}
	return nil
}

// still opens the stores of an installation that does not run, with all that waits on its log gone through the pipeline: what follows from an event has followed, and
// nothing of the log is needed any more.
func still(ctx context.Context, c Config) (_ *application, err error) {
	c.Peers, c.TestClock, c.moving = Peers{}, false, true
	a, err := build(ctx, c, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.quit())
		}
	}()
	if err := a.start(ctx, lifecycle.Named{Name: "log", Service: a.stream}); err != nil {
		return nil, err
	}
	var asked lifecycle.Group // what the pipeline asks
	for _, s := range a.services {
		if slices.Contains([]string{"quotas", "refill", "log writer", "privacy", "segments"}, s.Name) {
			if err := asked.Start(ctx, s.Named); err != nil {
				return nil, err
			}
		}
	}
	err = a.worker.Drain(ctx)
	return a, errors.Join(err, asked.Stop(context.WithoutCancel(ctx)))
}

// quit ends what still has begun.
func (a *application) quit() error {
	err := a.running.Stop(context.Background())
	a.close()
	return err
}

// carry moves everything, compares, and takes it from where it was.
func (e *emigrant) carry(ctx context.Context) (err error) {
	old := Default()
	old.Data, old.Database, old.EventsURL, old.LogRetention, old.EventMemoryMB, old.PublicURL = e.from, "sqlite:"+filepath.Join(e.from, recordsName), e.c.fromEvents, e.c.LogRetention, e.c.EventMemoryMB, e.c.PublicURL
	e.tell(true, "taking in what waits in %s", e.from)
	if e.src, err = still(ctx, old); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, e.src.quit()) }()
	e.tell(true, "taking in what waits in %s", e.To)
	if e.dst, err = still(ctx, e.c); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	defer func() { err = errors.Join(err, e.dst.quit()) }()
	mark := filepath.Join(e.from, leavingFile)
	if !e.begun {
		// Of a move that was given up.
		if err := dropEvents(ctx, e.dst.events, e.Workspace); err != nil {
			return err
		}
		if err := e.audit(ctx, e.src, "workspace.leave", nil); err != nil {
			return err
		}
		if err := writeMark(mark, e.leaving); err != nil {
			return err
		}
	}
	arrived, err := sqlstore.HasMoved(ctx, e.dst.db, e.Workspace, e.Move)
	if err == nil && !arrived {
		err = e.arrive(ctx)
	}
	if err == nil {
		err = e.leave(ctx)
	}
	if err != nil {
		return err
	}
	return os.Remove(mark)
}

// audit says in the workspace's audit log who moves it. What is said where it leaves goes along with everything else, and stays there if the move is given up.
func (e *emigrant) audit(ctx context.Context, a *application, action string, counts map[string]int64) error {
	detail := map[string]any{"from": e.from, "to": e.To}
	for what, n := range counts {
		detail[what] = n
	}
	return a.staff.Audit(ctx, staff.Operator(e.Workspace, operatorName()), staff.Act{Action: action, Noun: "workspace", NounID: e.Workspace, Detail: detail})
}

// operatorName is what the machine calls whoever runs the command, as far as it knows.
func operatorName() string {
	name := "?"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

// arrive brings everything over. The records come last, in one transaction: before it nothing of the workspace is seen, sent or judged there, and after it everything is there.
func (e *emigrant) arrive(ctx context.Context) error {
	from, to := e.src.events.(movable), e.dst.events.(movable)
	if err := e.carryEvents(ctx, from, to); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	e.tell(true, "comparing the events")
	want, err := workspaceSums(ctx, from, e.Workspace)
	if err != nil {
		return err
	}
	got, err := workspaceSums(ctx, to, e.Workspace)
	if err != nil {
		return err
	}
	if err := agree("events and people", want, got); err != nil {
		return err
	}
	files, err := e.putFiles(ctx, e.dst.files, e.Workspace+"/")
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	move, err := sqlstore.NewMove(ctx, e.src.db, e.dst.db, e.Workspace)
	if err != nil {
		return err
	}
	events, err := countEvents(ctx, to, e.Workspace)
	if err != nil {
		return err
	}
	var sums sqldb.Sums
	rows := int64(0)
	if err := e.dst.db.InTx(ctx, func(ctx context.Context) error {
		var err error
		if sums, err = move.Copy(ctx, e.Move, e.Name, time.Now(), func(p sqldb.Copied) { e.tell(true, "records of %s: %d", p.Table, p.Done) }); err != nil {
			return err
		}
		e.tell(true, "comparing the records")
		got, err := move.Sums(ctx)
		if err != nil {
			return err
		}
		if err := agree("records", sums, got); err != nil {
			return err
		}
		rows = 0
		for _, s := range sums {
			rows += s.Rows
		}
		if err := sqlstore.NewBackups(e.dst.db).Forget(ctx); err != nil { // none of them holds it
			return err
		}
		return e.audit(ctx, e.dst, "workspace.arrive", map[string]int64{"records": rows, "events": events, "files": int64(files)})
	}); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	seen := int64(0)
	for _, s := range want {
		seen += s.Rows
	}
	fmt.Fprintf(e.io.Out, "both sides agree: %d rows of records in %d tables, %d events and people, %d files\n", rows, len(sums), seen, files)
	return nil
}

// leave takes the workspace from where it was.
func (e *emigrant) leave(ctx context.Context) error {
	left, err := sqlstore.HasMoved(ctx, e.src.db, e.Workspace, e.Move)
	if err != nil {
		return err
	}
	if !left {
		copied, err := e.src.db.KeepCopy(ctx, e.Move)
		if err != nil {
			return err
		}
		if err := sqlstore.LeaveWorkspace(ctx, e.src.db, e.Move, workspace.Moved{Workspace: e.Workspace, Name: e.Name, To: e.c.PublicURL, At: time.Now()}); err != nil {
			return err
		}
		fmt.Fprintf(e.io.Out, "the records of %s as they were are in %s for %d days\n", e.from, copied, copyDays)
	}
	e.tell(true, "taking the workspace from %s", e.from)
	if err := dropEvents(ctx, e.src.events, e.Workspace); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(e.from, filesFolder, e.Workspace))
}

// carryEvents appends the workspace's events to the other event store, as events of records at the end of the other log. These are empty: an event that was acted on must not come again.
// How many are there says how far it is.
func (e *emigrant) carryEvents(ctx context.Context, from, to movable) error {
	total, err := countEvents(ctx, from, e.Workspace)
	if err != nil {
		return err
	}
	there, err := countEvents(ctx, to, e.Workspace)
	if err != nil {
		return err
	}
	merged, err := from.Redirects(ctx)
	if err != nil {
		return err
	}
	merged = slices.DeleteFunc(merged, func(r event.Redirect) bool { return r.Workspace != e.Workspace })
	if err := to.Append(ctx, event.Batch{Redirects: merged}); err != nil {
		return err
	}
	if err := eachMirror(ctx, from, e.Workspace, func(people []event.Mirror) error {
		return to.Append(ctx, event.Batch{People: people})
	}); err != nil {
		return err
	}
	n := int64(0)
	var waiting []event.Kept
	flush := func() error {
		for len(waiting) > 0 {
			part := waiting[:min(len(waiting), eventsAtOnce)]
			if err := e.append(ctx, to, part); err != nil {
				return err
			}
			waiting = waiting[len(part):]
			e.tell(true, "events: %d of %d", n-int64(len(waiting)), total)
		}
		return nil
	}
	if err := eachOf(ctx, from, e.Workspace, func(k event.Kept) error {
		if n++; n <= there {
			return nil
		}
		if waiting = append(waiting, k); len(waiting) < eventsAtOnce {
			return nil
		}
		return flush()
	}); err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	if err := e.dst.worker.Drain(ctx); err != nil { // over the empty records
		return err
	}
	// Whoever would fill a store that is behind from the log must not pass over these records: they are not there to be read.
	_, last, err := e.dst.stream.Bounds(ctx)
	if err != nil {
		return err
	}
	return e.dst.stream.Trim(ctx, last+1)
}

// append gives events to the store as those of one new record.
func (e *emigrant) append(ctx context.Context, to movable, events []event.Kept) error {
	at, err := to.Position(ctx)
	if err != nil {
		return err
	}
	seq, err := e.dst.stream.Append(ctx, nil)
	if err != nil {
		return err
	}
	if seq != at+1 {
		return fmt.Errorf("the log at %s is at record %d, the events are at %d: something else writes to it; stop every process of that installation", e.c.logPlace(), seq, at)
	}
	for i := range events {
		events[i].Position = event.Position{Seq: seq, Index: i}
	}
	// Nothing of the record is for the record store, which must not be behind the events: that would be a database set back to an earlier moment.
	if err := sqlstore.NewPerson(e.dst.db).SetPosition(ctx, seq); err != nil {
		return err
	}
	return to.Append(ctx, event.Batch{Events: events, Through: seq})
}

// countEvents counts the events of a workspace.
func countEvents(ctx context.Context, s event.Store, ws string) (int64, error) {
	ages, err := s.Query(ctx, `SELECT CAST(count(*) AS BIGINT) FROM event WHERE ws = ?`, []any{ws})
	if err != nil {
		return 0, err
	}
	return ages[0][0].(int64), nil
}

// eachOf hands out the events of one workspace in the order of the log.
func eachOf(ctx context.Context, s movable, ws string, do func(event.Kept) error) error {
	n, err := countEvents(ctx, s, ws)
	if err != nil || n == 0 {
		return err
	}
	rows, err := s.Query(ctx, `SELECT CAST(min(seq) AS BIGINT) FROM event WHERE ws = ?`, []any{ws})
	if err != nil {
		return err
	}
	return s.Each(ctx, uint64(rows[0][0].(int64)-1), func(events []event.Kept, _ uint64) error {
		for _, k := range events {
			if k.Workspace != ws {
				continue
			}
			if err := do(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// workspaceSums reads the events of a workspace, by kind, and its people. In the place of the position in the log stands which event of the workspace it is.
func workspaceSums(ctx context.Context, s movable, ws string) (sqldb.Sums, error) {
	sums := sqldb.Sums{}
	add := func(kind string, row any) error {
		raw, err := json.Marshal(row)
		if err == nil {
			p := sqldb.Part{Table: kind, Workspace: ws}
			sum := sums[p]
			sum.Add(raw)
			sums[p] = sum
		}
		return err
	}
	if err := eachMirror(ctx, s, ws, func(people []event.Mirror) error {
		for _, p := range people {
			if err := add("people", p); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	n := uint64(0)
	err := eachOf(ctx, s, ws, func(k event.Kept) error {
		n++
		k.Position = event.Position{Seq: n}
		return add(strings.TrimSpace("events "+string(k.Type)+" "+kindName(k)), k)
	})
	return sums, err
}

// kindName tells kinds of events of a type apart; pages and screens have too many names.
func kindName(k event.Kept) string {
	if k.Type == event.Page || k.Type == event.Screen {
		return ""
	}
	return k.Name
}

// dropEvents deletes all events and people of a workspace.
func dropEvents(ctx context.Context, s interface {
	event.Store
	Drop(ctx context.Context, ws string, people []uint64) error
}, ws string,
) error {
	everyone, err := s.Everyone(ctx, ws)
	if err != nil {
		return err
	}
	rows, err := s.Query(ctx, `SELECT DISTINCT CAST(person AS BIGINT) FROM event WHERE ws = ?`, []any{ws})
	if err != nil {
		return err
	}
	for _, r := range rows {
		everyone.Add(uint64(r[0].(int64)))
	}
	for part := range slices.Chunk(everyone.ToArray(), eventsAtOnce) {
		if err := s.Drop(ctx, ws, part); err != nil {
			return err
		}
	}
	return nil
}
