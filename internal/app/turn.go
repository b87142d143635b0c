package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/shred"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/realtime"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/shared"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const (
	// leaseFor is how long a process that has died keeps others waiting, leaseEvery how often it says that it lives.
	leaseFor   = 10 * time.Second
	leaseEvery = 2 * time.Second
	// leaseMargin is how long before the end of a lease that could not be extended its work stops.
	leaseMargin = 3 * time.Second
	// standbyLease is added to the name of a role: the lease of a process that waits and could do the work, since it reaches the log.
	standbyLease = " standby"
	// cutOffAfter is how long the process that follows the log may be without it while another one that waits has it: longer than the lease of that one, so
	// that a log which nobody reaches moves nothing.
	cutOffAfter = 2 * leaseFor
	// unfit is how long a process that cannot do the work leaves the turn to others.
	unfit = 30 * time.Second
)

var errTurnLost = errors.New("the lease could not be extended in time, another process may have taken over; start this one again")

var errCutOff = errors.New("this process does not reach the log and another one does, which takes over; start this one again")

// owner does the work of a role while it holds the role's lease.
type owner struct {
	lifecycle.Loop
	a       *application
	of      role
	leases  *sqlstore.Leases
	me      string
	prepare func(ctx context.Context) error // before the services start
	finish  func() error                    // after they have stopped
	until   atomic.Pointer[time.Time]       // when the lease is over, by this machine's clock
	fence   int64                           // number of the turn
}

func (a *application) owner(r role) *owner {
	host, _ := os.Hostname()
	o := &owner{a: a, of: r, leases: sqlstore.NewLeases(a.db), me: host + "/" + id.New("prc"), prepare: func(context.Context) error { return nil }, finish: func() error { return nil }}
	if r == workerRole {
		o.prepare, o.finish = a.keepEvents, a.shared.Release
		a.turn.Store(o)
	}
	return o
}

// turns waits for the lease and does the work, until ctx ends or the lease is lost.
func (o *owner) turns(ctx context.Context) error {
	waiting := ""
	for ctx.Err() == nil {
		pause := leaseEvery
		asked := time.Now()
		l, err := o.leases.Take(ctx, string(o.of), o.me, o.a.c.Peers.URL, leaseFor)
		switch {
		case err != nil && ctx.Err() == nil:
			o.a.log.Error("the lease cannot be asked for, trying again", "role", o.of, "err", err)
		case l.Holder == o.me:
			o.fence = l.Fence
			err := o.hold(ctx, asked)
			if !errors.Is(err, errUnfit) {
				return err
			}
			o.a.log.Error("this process cannot take its turn and leaves it to others", "role", o.of, "err", err)
			pause = unfit
		case l.Holder != waiting:
			waiting = l.Holder
			o.a.log.Info("another process does the work; this one waits", "role", o.of, "holder", l.Holder)
		}
		if l.Holder != o.me && o.of == workerRole && o.hears(ctx) == nil {
			_, err = o.leases.Take(ctx, string(o.of)+standbyLease, o.me, o.a.c.Peers.URL, leaseFor)
			if err != nil && ctx.Err() == nil {
				o.a.log.Warn("others do not hear that this process could take over", "role", o.of, "err", err)
			}
		}
		_ = lifecycle.Sleep(ctx, pause) // the loop ends with ctx
	}
	return nil
}

// hold does the work. It returns nil when ctx ends, else why the work ended.
func (o *owner) hold(ctx context.Context, asked time.Time) (err error) {
	o.a.log.Info("this process does the work now", "role", o.of)
	o.extended(asked)
	work, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	var over sync.WaitGroup
	over.Go(func() { o.extend(work, lose) })
	if o.of == workerRole {
		over.Go(func() { o.listen(work, lose) })
	}
	var running lifecycle.Group
	if err = o.prepare(work); err == nil {
		if err = running.Start(work, o.a.of(o.of)...); err == nil {
			<-work.Done()
		}
	}
	patience := stopLimit
	if cause := context.Cause(work); errors.Is(cause, errTurnLost) || errors.Is(cause, errCutOff) {
		err, patience = cause, leaseMargin
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err = errors.Join(err, running.Stop(stop), o.finish())
	lose(nil)
	over.Wait()
	if !errors.Is(err, errTurnLost) {
		err = errors.Join(err, o.leases.Leave(stop, string(o.of), o.me))
	}
	return err
}

// extend extends the lease until ctx ends or it is lost.
func (o *owner) extend(ctx context.Context, lose context.CancelCauseFunc) {
	lifecycle.Every(ctx, leaseEvery, func(ctx context.Context) {
		asked := time.Now()
		try, cancel := context.WithTimeout(ctx, leaseEvery)
		l, err := o.leases.Take(try, string(o.of), o.me, o.a.c.Peers.URL, leaseFor)
		cancel()
		switch {
		case err == nil && l.Holder == o.me:
			o.extended(asked)
		case err == nil || o.expired() != nil:
			lose(errTurnLost)
		case ctx.Err() == nil:
			o.a.log.Warn("the lease was not extended, trying again", "role", o.of, "err", err)
		}
	})
}

// hears asks the log for a sign of life.
func (o *owner) hears(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaseEvery)
	defer cancel()
	return o.a.stream.Reached(ctx)
}

// listen gives the turn away, until ctx ends, if this process does not reach the log and another one does.
func (o *owner) listen(ctx context.Context, lose context.CancelCauseFunc) {
	heard := time.Now()
	lifecycle.Every(ctx, leaseEvery, func(ctx context.Context) {
		if o.hears(ctx) == nil {
			heard = time.Now()
			return
		}
		if time.Since(heard) < cutOffAfter {
			return
		}
		if l, err := o.leases.Holder(ctx, string(o.of)+standbyLease); err == nil && l.Holder != "" && l.Holder != o.me {
			lose(errCutOff)
		}
	})
}

func (o *owner) extended(asked time.Time) {
	until := asked.Add(leaseFor - leaseMargin)
	o.until.Store(&until)
}

// expired returns an error once the lease may be over.
func (o *owner) expired() error {
	if until := o.until.Load(); until == nil || time.Now().After(*until) {
		return errTurnLost
	}
	return nil
}

// mayWork is what the pipeline asks before each batch: a process that was stopped for a while and goes on must not.
func (a *application) mayWork() error {
	if o := a.turn.Load(); o != nil {
		return o.expired()
	}
	return nil
}

var errUnfit = errors.New("the event store here lacks what happened before the log begins")

// keepEvents opens the event store of this process and lets the others ask it.
func (a *application) keepEvents(ctx context.Context) error {
	store, err := a.c.openEvents(ctx)
	if err != nil {
		return fmt.Errorf("event store: %w", err)
	}
	if a.c.EventsURL == "" { // a server's database is everybody's
		if store, err = a.upToDate(ctx, store, a.turn.Load().fence); err != nil {
			return err
		}
	}
	if err := a.reaches(ctx, store); err != nil {
		return errors.Join(err, store.Close())
	}
	a.shared.Keep(store)
	return nil
}

// turnSuffix is added to the path of the events for the number of the turn in which the file was kept last.
const turnSuffix = ".turn"

// upToDate returns the store, or a new one to be filled from the log, if others have worked since this process did: they may have given events that are in the
// file to other people, which no record of the log tells.
func (a *application) upToDate(ctx context.Context, store events, turn int64) (events, error) {
	path := eventsPath(a.c.Data)
	at, err := store.Position(ctx)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	done, err := sqlstore.NewPositions(a.db).Position(ctx, pipeline.ReactConsumer)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	missed := at > 0 && at < done // a file from elsewhere
	if raw, err := os.ReadFile(path + turnSuffix); err == nil {
		last, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
		missed = err != nil || last < turn-1
	}
	if missed && at > 0 {
		first, _, err := a.stream.Bounds(ctx)
		switch {
		case err != nil:
			return nil, errors.Join(err, store.Close())
		case first == 1:
			a.log.Info("others have kept the events meanwhile; the file here is made anew from the log")
			if err := store.Close(); err != nil {
				return nil, err
			}
			for _, file := range []string{path, path + ".wal"} {
				if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return nil, err
				}
			}
			if store, err = a.c.openEvents(ctx); err != nil {
				return nil, fmt.Errorf("event store: %w", err)
			}
		default:
			a.log.Warn("others have kept the events meanwhile, and the log does not reach back to the beginning: events that late ones have given to somebody else since may still be shown with whom they had been given to; the file of who kept them last has it right")
		}
	}
	if err := os.WriteFile(path+turnSuffix, []byte(strconv.FormatInt(turn, 10)), 0o600); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// reaches reports an event store that would not have what the others have seen, even after it was filled from the log: its segments would be left by half
// of their members.
func (a *application) reaches(ctx context.Context, store shared.Keeper) error {
	at, err := store.Position(ctx)
	if err != nil {
		return err
	}
	done, err := sqlstore.NewPositions(a.db).Position(ctx, pipeline.ReactConsumer)
	if err != nil {
		return err
	}
	first, _, err := a.stream.Bounds(ctx)
	if err == nil && at < done && (first == 0 || first > at+1) {
		err = fmt.Errorf("%w: it is at record %d, the log begins at %d; give %s what the process that kept it before had, or a backup", errUnfit, at, first, a.c.eventPlace())
	}
	return err
}

// keeperAddress returns where the process is that keeps the events.
func (a *application) keeperAddress(ctx context.Context) (string, error) {
	l, err := sqlstore.NewLeases(a.db).Holder(ctx, string(workerRole))
	return l.Address, err
}

// servePeers serves what other processes ask this one; stop ends it.
func (a *application) servePeers() (stop func(), err error) {
	if a.shared == nil || !a.c.does(workerRole) {
		return func() {}, nil
	}
	ln, err := net.Listen("tcp", a.c.Peers.Listen)
	if err != nil {
		return nil, fmt.Errorf("peer address: %w", err)
	}
	server := &http.Server{Handler: a.shared.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := ignoreClosed(server.Serve(ln)); err != nil {
			a.log.Error("the server for other processes ended", "err", err)
		}
	}()
	return func() { _ = server.Close() }, nil
}

// What processes tell each other. Nobody waits for it: who misses it finds out by looking.
const (
	liveTopic = "live" // something has changed that screens show
	keysTopic = "keys" // keys of the log were destroyed
)

type told struct {
	Workspace string            `json:"w"`
	Changes   []realtime.Change `json:"c"`
	From      string            `json:"f"`
}

// tellOthers has the screens that are open at other processes hear of changes here.
func (a *application) tellOthers() {
	a.me = id.New("prc")
	a.live.Elsewhere(func(ws string, changes []realtime.Change) {
		raw, err := json.Marshal(told{ws, changes, a.me})
		if err == nil {
			err = a.stream.Tell(liveTopic, raw)
		}
		if err != nil {
			a.log.Debug("other processes did not hear of a change", "err", err)
		}
	})
}

// hearOthers listens to the other processes.
func (a *application) hearOthers() error {
	return errors.Join(
		a.stream.Told(liveTopic, func(data []byte) {
			var t told
			if json.Unmarshal(data, &t) == nil && t.From != a.me {
				a.live.Hear(t.Workspace, t.Changes...)
			}
		}),
		a.stream.Told(keysTopic, func([]byte) { a.keysChanged.Wake() }),
	)
}

// keyFollower returns a service that reads the keys of the log again when another process has changed them: what is sealed under a destroyed key can
// be read by nobody.
func (a *application) keyFollower(keys *sqlstore.LogKey, vault *shred.Ring) lifecycle.Service {
	a.keysChanged = lifecycle.NewPulse(time.Second)
	seen := ""
	return &lifecycle.Loop{Run: func(ctx context.Context) {
		a.keysChanged.Follow(ctx, func(ctx context.Context) (bool, error) {
			mark, err := keys.Mark(ctx)
			if err != nil || mark == seen {
				return false, err
			}
			if err := vault.Refresh(); err != nil {
				return false, err
			}
			seen = mark
			return false, nil
		}, func(err error) { a.log.Error("the keys of the log cannot be read again", "err", err) })
	}}
}
