package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
	"github.com/kizuna-cx/kizuna/internal/telemetry"
)

// holdLimit is how long a backup may hold the pipeline; events wait on the log meanwhile.
const holdLimit = time.Hour

// holder is what a backup asks of whoever has the stores open: the running server, or the command itself.
type holder interface {
	// hold keeps the stores at the same event until release, and returns the last log record that all of them have. release
	// says whether the hold lasted.
	hold(ctx context.Context) (position uint64, release func() error, err error)
	// log hands out the records after the position, up to what is there now, and returns the number of the last.
	log(ctx context.Context, after uint64, do func(bus.Record) error) (last uint64, err error)
	close()
}

// controlPath is a socket by which commands on the same machine reach the server. Who may open the data folder may use it.
func controlPath(data string) string { return filepath.Join(data, "control.sock") }

// serveControl opens the socket; stop closes it. Without it everything works but backups of the running server.
func (a *application) serveControl() (stop func()) {
	path := controlPath(a.c.Data)
	_ = os.Remove(path) // a killed process leaves it behind; the folder's lock says that nobody listens
	ln, err := net.Listen("unix", path)
	if err != nil {
		a.log.Warn("no control socket: kizuna backup needs the server stopped", "err", err)
		return func() {}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hold", a.controlHold)
	mux.HandleFunc("GET /log", a.controlLog)
	mux.HandleFunc("GET /state", a.controlState)
	mux.HandleFunc("GET /replay", a.controlReplay)
	mux.HandleFunc("GET /quota", a.controlQuota)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := ignoreClosed(server.Serve(ln)); err != nil {
			a.log.Error("the control socket ended", "err", err)
		}
	}()
	return func() { _ = server.Close() }
}

// reach is how far each reader of the log has come.
type reach struct {
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
	Used   int64  `json:"used"`
	Limit  int64  `json:"limit"`
	Stored uint64 `json:"stored"` // the event store
	Done   uint64 `json:"done"`   // everything that follows from events
}

// runningState is what the server says of itself to commands on its machine.
type runningState struct {
	Version string               `json:"version"`
	Reach   reach                `json:"reach"`
	Behind  time.Duration        `json:"behind"`
	Trouble string               `json:"trouble,omitempty"`
	Turn    bool                 `json:"turn"` // it does the work that one process at a time does
	Traces  telemetry.TraceState `json:"traces"`
}

func (a *application) controlState(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	s := runningState{Version: Version, Behind: a.worker.Behind(a.clock.Now()), Turn: a.c.does(workerRole) && a.mayWork() == nil, Traces: a.traces.State()}
	if err := a.worker.Trouble(); err != nil {
		s.Trouble = err.Error()
	}
	var err, failed error
	s.Reach.First, s.Reach.Last, err = a.stream.Bounds(ctx)
	failed = errors.Join(failed, err)
	s.Reach.Used, s.Reach.Limit, err = a.stream.Size(ctx)
	failed = errors.Join(failed, err)
	s.Reach.Stored, err = a.events.Position(ctx)
	failed = errors.Join(failed, err)
	s.Reach.Done, err = a.worker.Position(ctx)
	if failed = errors.Join(failed, err); failed != nil {
		http.Error(w, failed.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(s)
}

type heldAt struct {
	Position uint64 `json:"position"`
}

// notWorking refuses what can be had of the process alone that has the event store.
const notWorking = `this process does not do the work of the installation at the moment: name the data folder of the one that does, on its machine (its log says "does the work now")`

// controlHold holds the stores for as long as the caller keeps the connection open.
func (a *application) controlHold(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), holdLimit)
	defer cancel()
	if !a.c.does(workerRole) || a.mayWork() != nil {
		http.Error(w, notWorking, http.StatusConflict)
		return
	}
	release, err := a.worker.Hold(ctx)
	if err != nil {
		return
	}
	defer release()
	err = a.events.Still(ctx, func() error {
		stored, err := a.events.Position(ctx)
		if err != nil {
			return err
		}
		done, err := a.worker.Position(ctx)
		if err != nil {
			return err
		}
		a.log.Info("the pipeline is held for a backup")
		if err := json.NewEncoder(w).Encode(heldAt{min(stored, done)}); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
		<-ctx.Done()
		a.log.Info("the pipeline goes on")
		return nil
	})
	if err != nil {
		a.log.Error("the stores could not be held", "err", err)
		http.Error(w, "the stores could not be held; see the log of the server", http.StatusInternalServerError)
	}
}

func (a *application) controlLog(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.ParseUint(r.FormValue("after"), 10, 64)
	if err != nil {
		http.Error(w, "after: want a position", http.StatusBadRequest)
		return
	}
	out := bufio.NewWriterSize(w, 1<<16)
	line := json.NewEncoder(out)
	last, err := readLog(r.Context(), a.stream, after, func(rec bus.Record) error { return line.Encode(rec) })
	if err != nil {
		a.log.Error("the log could not be read for a backup", "err", err)
		return // without the last line the caller knows
	}
	_ = line.Encode(heldAt{last})
	_ = out.Flush()
}

// readLog hands out the records after the position, up to what is there at the beginning.
func readLog(ctx context.Context, log *natsbus.Log, after uint64, do func(bus.Record) error) (uint64, error) {
	_, last, err := log.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	for after < last {
		recs, err := log.Read(ctx, after, 256, 0)
		if err != nil {
			return 0, err
		}
		if len(recs) == 0 {
			break
		}
		for _, rec := range recs {
			if rec.Seq > last {
				break
			}
			if err := do(rec); err != nil {
				return 0, err
			}
		}
		after = recs[len(recs)-1].Seq
	}
	return max(last, after), nil
}

// remote speaks with the running server.
type remote struct{ client *http.Client }

// dialControl returns the running server, nil if none runs on the folder.
func dialControl(data string) *remote {
	path := controlPath(data)
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil
	}
	conn.Close()
	return &remote{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}}
}

func (s *remote) get(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://kizuna"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.client.Do(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		resp.Body.Close()
		err = fmt.Errorf("the server answers %s: %s", resp.Status, text)
	}
	return resp, err
}

func (s *remote) hold(ctx context.Context) (uint64, func() error, error) {
	resp, err := s.get(ctx, "/hold")
	if err != nil {
		return 0, nil, err
	}
	in := bufio.NewReader(resp.Body)
	raw, err := in.ReadBytes('\n')
	var at heldAt
	if err == nil {
		err = json.Unmarshal(raw, &at)
	}
	if err != nil {
		resp.Body.Close()
		return 0, nil, fmt.Errorf("the server did not hold its stores: %w", err)
	}
	over := make(chan struct{})
	go func() {
		_, _ = in.ReadByte() // nothing more comes: it returns when the server ends the hold
		close(over)
	}()
	return at.Position, func() error {
		select {
		case <-over:
			resp.Body.Close()
			return errors.New("the server went on before the copy was complete (was it stopped?); back up again")
		default:
			return resp.Body.Close()
		}
	}, nil
}

func (s *remote) log(ctx context.Context, after uint64, do func(bus.Record) error) (uint64, error) {
	resp, err := s.get(ctx, "/log?after="+strconv.FormatUint(after, 10))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	for in := json.NewDecoder(bufio.NewReaderSize(resp.Body, 1<<16)); ; {
		var line struct {
			bus.Record
			Position *uint64 `json:"position"`
		}
		if err := in.Decode(&line); err != nil {
			return 0, fmt.Errorf("the server's log broke off: %w", err)
		}
		if line.Position != nil {
			return *line.Position, nil
		}
		if err := do(line.Record); err != nil {
			return 0, err
		}
	}
}

func (s *remote) close() { s.client.CloseIdleConnections() }

// stopped has the stores of a folder open that no server uses.
type stopped struct {
	events    events
	stream    *natsbus.Log
	positions *sqlstore.Positions
	unlock    func()
}

func openStopped(ctx context.Context, c Config, db *sqldb.DB) (s *stopped, err error) {
	s = &stopped{positions: sqlstore.NewPositions(db)}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.unlock, err = lockFolder(c.Data); err != nil {
		return s, fmt.Errorf("%w, and its control socket does not answer: stop it first", err)
	}
	if err := s.keptHere(ctx, c); err != nil {
		return s, err
	}
	if s.events, err = c.readEvents(ctx); err != nil {
		return s, err
	}
	s.stream = c.newLog(nil, 0)
	return s, s.stream.Start(ctx)
}

// keptHere reports a folder of a process that does not keep the events: opened, they would be none.
func (s *stopped) keptHere(ctx context.Context, c Config) error {
	if c.EventsURL != "" {
		return nil
	}
	done, err := s.positions.Position(ctx, pipeline.ReactConsumer)
	if err != nil {
		return fmt.Errorf("record store: %w", err)
	}
	if _, err := os.Stat(eventsPath(c.Data)); done > 0 && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--data %s holds no events: of several processes name the folder of the worker that had the work last; if they are lost, start the server, which fills them from the log", c.Data)
	}
	return nil
}

func (s *stopped) hold(ctx context.Context) (at uint64, release func() error, err error) {
	err = s.events.Still(ctx, func() error {
		stored, err := s.events.Position(ctx)
		if err != nil {
			return err
		}
		done, err := s.positions.Position(ctx, pipeline.ReactConsumer)
		at = min(stored, done)
		return err
	})
	return at, func() error { return nil }, err // nothing runs that could change it
}

func (s *stopped) log(ctx context.Context, after uint64, do func(bus.Record) error) (uint64, error) {
	return readLog(ctx, s.stream, after, do)
}

func (s *stopped) close() {
	if s.stream != nil {
		_ = s.stream.Stop(context.Background())
	}
	if s.events != nil {
		_ = s.events.Close()
	}
	if s.unlock != nil {
		s.unlock()
	}
}

// Where the parts of a data folder are.
const recordsName = "records.db"

func eventsPath(data string) string { return filepath.Join(data, "events.duckdb") }
func logPath(data string) string    { return filepath.Join(data, "log") }
