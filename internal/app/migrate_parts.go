package app

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// movable is an event store that can be read from one end to the other.
type movable interface {
	event.Store
	// Each hands out the events of all workspaces that came with records after the position, in the order of the log, whole records at a time.
	Each(ctx context.Context, after uint64, do func(events []event.Kept, through uint64) error) error
	// Redirects returns who was merged into whom.
	Redirects(ctx context.Context) ([]event.Redirect, error)
}

// mirrored is how many people are carried at once.
const mirrored = 1000

// carryEvents fills the new event store through its port alone and compares. Its position says how far it is.
func (m *mover) carryEvents(ctx context.Context, workspaces []string) (int64, error) {
	to, err := m.c.openEvents(ctx)
	if err != nil {
		return 0, err
	}
	n, err := m.fillEvents(ctx, m.old.events, to, workspaces)
	return n, errors.Join(err, to.Close())
}

func (m *mover) fillEvents(ctx context.Context, from, to movable, workspaces []string) (int64, error) {
	if err := fillEvents(ctx, from, to, workspaces, m.tell); err != nil {
		return 0, err
	}
	m.tell(true, "comparing the events")
	want, err := eventSums(ctx, from, workspaces)
	if err != nil {
		return 0, err
	}
	got, err := eventSums(ctx, to, workspaces)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	for _, s := range want {
		n += s.Rows
	}
	return n, agree("events", want, got)
}

func eachMirror(ctx context.Context, s event.Store, ws string, do func([]event.Mirror) error) error {
	everyone, err := s.Everyone(ctx, ws)
	if err != nil {
		return err
	}
	nums := make([]uint64, mirrored)
	for it := everyone.ManyIterator(); ; {
		n := it.NextMany(nums)
		if n == 0 {
			return nil
		}
		people, err := s.People(ctx, ws, nums[:n])
		if err != nil {
			return err
		}
		if err := do(people); err != nil {
			return err
		}
	}
}

// eventSums reads all events and people.
func eventSums(ctx context.Context, s movable, workspaces []string) (sqldb.Sums, error) {
	sums := sqldb.Sums{}
	add := func(table, ws string, row any) error {
		raw, err := json.Marshal(row)
		if err == nil {
			p := sqldb.Part{Table: table, Workspace: ws}
			sum := sums[p]
			sum.Add(raw)
			sums[p] = sum
		}
		return err
	}
	for _, ws := range workspaces {
		if err := eachMirror(ctx, s, ws, func(people []event.Mirror) error {
			for _, p := range people {
				if err := add("people", ws, p); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return sums, s.Each(ctx, 0, func(events []event.Kept, _ uint64) error {
		for _, e := range events {
			if err := add("events", e.Workspace, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// carryLog gives every record that the old log still has the position that it had, and compares. Where the new one ends says how far it is.
func (m *mover) carryLog(ctx context.Context) (n int64, err error) {
	first, last, err := m.old.stream.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	done, err := m.old.positions.Position(ctx, pipeline.ReactConsumer)
	if err != nil {
		return 0, err
	}
	if first == 0 { // it has no records; the stores may know positions of some that are gone
		first, last = done+1, done
	}
	log := m.c.newLog(nil, first)
	if err := log.Start(ctx); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, log.Stop(ctx)) }()
	_, there, err := log.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	if there > last {
		return 0, fmt.Errorf("the log at %s ends with record %d, the old one with %d: something else writes to it; name another with KIZUNA_LOG_STREAM", m.c.logPlace(), there, last)
	}
	fill := logFiller{log: log, next: max(there+1, first)}
	if _, err := readLog(ctx, m.old.stream, fill.next-1, func(r bus.Record) error {
		m.tell(r.Seq == last, "log: record %d of %d", r.Seq, last)
		return fill.take(ctx, r)
	}); err != nil {
		return 0, err
	}
	if err := fill.upTo(ctx, last); err != nil {
		return 0, err
	}
	m.tell(true, "comparing the log")
	want, err := logSum(ctx, m.old.stream, first-1)
	if err != nil {
		return 0, err
	}
	got, err := logSum(ctx, log, first-1)
	if err != nil {
		return 0, err
	}
	return want.Rows, agree("records", sqldb.Sums{{Table: "the log"}: want}, sqldb.Sums{{Table: "the log"}: got})
}

// logSum reads the log from behind a position. Empty records are left out: they keep the places of some that were given up.
func logSum(ctx context.Context, log *natsbus.Log, after uint64) (sum sqldb.Sum, err error) {
	_, err = readLog(ctx, log, after, func(r bus.Record) error {
		if len(r.Data) > 0 {
			sum.Add(append(binary.BigEndian.AppendUint64(nil, r.Seq), r.Data...))
		}
		return nil
	})
	return sum, err
}

// eachFile goes through what jobs keep, without drafts that never became files.
func (m *mover) eachFile(do func(path, at string) error) error {
	return eachExtra(m.from, func(path, rel string) error {
		at, ok := strings.CutPrefix(filepath.ToSlash(rel), filesFolder+"/")
		if !ok || strings.HasPrefix(filepath.Base(rel), ".") {
			return nil
		}
		return do(path, at)
	})
}

// carryFiles puts every file that is not there yet, and compares each.
func (m *mover) carryFiles(ctx context.Context) (n int, err error) {
	store, err := m.c.openFiles(ctx)
	if err != nil {
		return 0, err
	}
	n, err = m.putFiles(ctx, store, "")
	return n, errors.Join(err, store.Close())
}

// putFiles does it for the files below a folder of the old installation's, all if it is empty.
func (m *mover) putFiles(ctx context.Context, store files, below string) (n int, err error) {
	err = m.eachFile(func(path, at string) error {
		if !strings.HasPrefix(at, below) {
			return nil
		}
		n++
		m.tell(false, "files: %d", n)
		if same, err := sameFile(ctx, store, path, at); err != nil || same {
			return err
		}
		if err := putFile(ctx, store, path, at); err != nil {
			return err
		}
		same, err := sameFile(ctx, store, path, at)
		if err == nil && !same {
			err = fmt.Errorf("%s did not arrive as it is", at)
		}
		return err
	})
	return n, err
}

// sameFile reports whether the store has the file with the same content.
func sameFile(ctx context.Context, store files, path, at string) (bool, error) {
	parts := strings.Split(at, "/")
	if len(parts) != 3 {
		return false, fmt.Errorf("%s is no file of a workspace: move it away", path)
	}
	there, size, err := store.Open(ctx, parts[0], parts[1], parts[2])
	if errs.Is(err, errs.KindNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer there.Close()
	here, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer here.Close()
	if info, err := here.Stat(); err != nil || info.Size() != size {
		return false, err
	}
	for a, b := make([]byte, 1<<16), make([]byte, 1<<16); ; {
		n, errHere := io.ReadFull(here, a)
		k, errThere := io.ReadFull(there, b)
		if n != k || !bytes.Equal(a[:n], b[:k]) {
			return false, nil
		}
		for _, err := range []error{errHere, errThere} {
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return false, err
			}
		}
		if errHere != nil {
			return true, nil
		}
	}
}

// workspaces returns the ids of all workspaces.
func workspaces(ctx context.Context, db *sqldb.DB) ([]string, error) {
	all, err := workspace.New(sqlstore.NewWorkspace(db), db, clock.System{}).All(ctx)
	ids := make([]string, len(all))
	for i, ws := range all {
		ids[i] = ws.ID
	}
	return ids, err
}
