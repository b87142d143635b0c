package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/httpapi"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

const (
	// stopLimit is how long stopping may take before the process ends anyway; what is unfinished then goes on at the next start.
	stopLimit = 15 * time.Second
	// drainLimit is how much of it open requests get: the services, which have mails in flight, need the rest.
	drainLimit = 5 * time.Second
)

func serveCommand() command {
	return command{
		name: "serve", summary: "run everything in one process, or a part of it (--roles)",
		long: `
Keeps everything in the data folder and needs no configuration. The first start makes the folder; who opens the page first makes the owner's account, unless
KIZUNA_BOOTSTRAP_EMAIL and KIZUNA_BOOTSTRAP_PASSWORD name it. Stops in good order on SIGTERM; a kill loses nothing that was acknowledged. On SIGHUP it
goes on as the program that is on disk by then: callers wait for the seconds of the change and none is refused. Takes its socket from systemd if that
hands one over.`,
		flags: func(fs *flag.FlagSet) func(context.Context, IO) error {
			c, envErr := defaults()
			configFlags(fs, &c)
			fs.BoolVar(&c.TestClock, "test-clock", false, "let POST /api/v1/test/clock move time forward; for tests only")
			return func(ctx context.Context, io IO) error {
				if err := errors.Join(envErr, c.Validate()); err != nil {
					return usageError{err.Error()}
				}
				log, err := newLogger(io.Err, c.LogLevel)
				if err != nil {
					return err
				}
				a, err := build(ctx, c, log, nil)
				if err != nil {
					return err
				}
				return a.serve(ctx, func() error {
					owned, err := a.staff.AnyUser(ctx)
					if err != nil {
						return err
					}
					fmt.Fprintf(io.Out, "Kizuna is ready at %s\n", c.PublicURL)
					if !owned {
						fmt.Fprintf(io.Out, "Open it to make the owner's account.\n")
					}
					return nil
				})
			}
		},
	}
}

// serve starts all services and the HTTP server, calls ready, and stops everything when ctx ends. On SIGHUP it stops in the same way and goes on as the
// program that is on disk by then, with the same socket.
func (a *application) serve(ctx context.Context, ready func() error) error {
	ln, err := listen(a.c.Listen)
	if err != nil {
		a.close()
		return err
	}
	socket, err := hold(ln)
	if err != nil {
		a.close()
		return errors.Join(err, ln.Close())
	}
	defer socket.close()
	ctx, forget := a.askedToRestart(ctx)
	defer forget()
	err = a.serveOn(ctx, ln, ready)
	if errors.Is(context.Cause(ctx), errRestart) {
		if err != nil {
			a.log.Error("not everything stopped in good order before the restart", "err", err)
		}
		err = socket.replace()
	}
	return err
}

// serveOn is serve on a socket, until ctx ends.
func (a *application) serveOn(ctx context.Context, ln net.Listener, ready func() error) error {
	defer a.close()
	defer ln.Close()
	tendGarbage()
	ctx = a.traces.Context(ctx)
	ws, err := a.staff.Bootstrap(ctx, a.workspaces, staff.Setup(a.c.Bootstrap))
	if err != nil {
		return err
	}
	if err := a.consent.EnsureDefaults(ctx, ws); err != nil {
		return err
	}
	server := &http.Server{
		Handler: a.mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog:    slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return a.traces.Context(context.Background()) },
	}
	var open traffic
	server.ConnState = open.note
	stopAdmin, err := a.serveAdmin()
	if err != nil {
		return err
	}
	defer stopAdmin()
	defer a.serveControl()()
	stopPeers, err := a.servePeers()
	if err != nil {
		return err
	}
	defer stopPeers()
	ended := make(chan error, 1)
	failed := func(err error) {
		select {
		case ended <- err:
		default: // it ends already
		}
	}
	if err := a.startRoles(ctx, failed); err != nil {
		return err
	}
	a.serving.Store(true)
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		failed(server.Serve(ln))
	}()
	err = ready()
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-ended:
		}
	}
	a.serving.Store(false)
	_ = ln.Close()
	<-accepted     // so that the last connection is known to the server
	a.live.Close() // live streams would never end
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	return errors.Join(err, drain(stop, server, &open, drainLimit), a.running.Stop(stop))
}

// drain lets open requests end, and cuts off those that take longer than patience. Shutdown alone would leave a request unanswered that came with a
// connection just before it.
func drain(ctx context.Context, server *http.Server, t *traffic, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	server.SetKeepAlivesEnabled(false)
	t.quiet(ctx)
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	return ignoreClosed(err)
}

// traffic knows which connections have something to be answered, or may have, since they are new.
type traffic struct {
	mu   sync.Mutex
	busy map[net.Conn]bool
	free chan struct{} // closed when none is busy; nil while nobody waits
}

// note is an http.Server.ConnState.
func (t *traffic) note(c net.Conn, s http.ConnState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s == http.StateNew || s == http.StateActive {
		if t.busy == nil {
			t.busy = map[net.Conn]bool{}
		}
		t.busy[c] = true
		return
	}
	delete(t.busy, c)
	if len(t.busy) == 0 && t.free != nil {
		close(t.free)
		t.free = nil
	}
}

// quiet waits until no connection is busy or ctx ends; none may come any more.
func (t *traffic) quiet(ctx context.Context) {
	t.mu.Lock()
	if len(t.busy) == 0 {
		t.mu.Unlock()
		return
	}
	free := make(chan struct{})
	t.free = free
	t.mu.Unlock()
	select {
	case <-free:
	case <-ctx.Done():
	}
}

// start starts services that stop with the application.
func (a *application) start(ctx context.Context, services ...lifecycle.Named) error {
	return a.running.Start(ctx, services...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// close closes the stores; services must have stopped.
func (a *application) close() {
	if a.events != nil {
		if err := a.events.Close(); err != nil {
			a.log.Error("event store did not close cleanly", "err", err)
		}
	}
	if a.db != nil {
		if err := a.db.Close(); err != nil {
			a.log.Error("record store did not close cleanly", "err", err)
		}
	}
	if a.files != nil {
		if err := a.files.Close(); err != nil {
			a.log.Error("the store of files did not close cleanly", "err", err)
		}
	}
	if a.unlock != nil {
		a.unlock()
	}
}

func openapiCommand() command {
	return command{name: "openapi", summary: "print the OpenAPI document of the API", flags: func(*flag.FlagSet) func(context.Context, IO) error {
		return func(_ context.Context, io IO) error {
			raw, err := httpapi.Document()
			if err != nil {
				return err
			}
			_, err = io.Out.Write(raw)
			return err
		}
	}}
}
