package sdk_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/collect"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// patience is how long a client may take for what it does at its own pace: flushing, backing off.
const patience = 60 * time.Second

// sources knows one key of each sort.
type sources struct{}

func (sources) SourceByWriteKey(_ context.Context, key string) (collect.Source, error) {
	switch key {
	case "server-key":
		return collect.Source{ID: "src_s", Workspace: "ws_1"}, nil
	case "browser-key":
		return collect.Source{ID: "src_b", Workspace: "ws_1", Browser: true}, nil
	}
	return collect.Source{}, errs.NotFound("source", key)
}

// intake is the real thing: a port, a handler, a log in a folder.
type intake struct {
	t    *testing.T
	url  string
	log  *natsbus.Log
	busy atomic.Int32 // requests to turn away before the first is taken
	lost atomic.Int32 // requests to store and then deny

	mu       sync.Mutex
	requests []http.Header // with the path as "Path"
}

// appender stands between the handler and the writer, for the failures that clients must survive.
type appender struct {
	in     *intake
	writer *bus.Writer
}

func (a appender) Append(ctx context.Context, items [][]byte) error {
	if a.in.busy.Add(-1) >= 0 {
		return errs.Unavailable("bus.full", "the test turns requests away")
	}
	if err := a.writer.Append(ctx, items); err != nil {
		return err
	}
	if a.in.lost.Add(-1) >= 0 {
		return errs.Unavailable("bus.full", "the test denies what it stored")
	}
	return nil
}

func start(t *testing.T) *intake {
	t.Helper()
	in := &intake{t: t, log: natsbus.New(natsbus.Options{Dir: t.TempDir()})}
	if err := in.log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	writer := bus.NewWriter(in.log, bus.WriterOptions{})
	if err := writer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	handler := collect.New(collect.Config{
		Sources: sources{}, Log: appender{in, writer}, Clock: clock.System{}, Logger: slog.New(slog.DiscardHandler),
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := r.Header.Clone()
		header.Set("Path", r.URL.Path)
		in.mu.Lock()
		in.requests = append(in.requests, header)
		in.mu.Unlock()
		handler.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(listener) }() // ends with Close
	in.url = "http://" + listener.Addr().String()
	t.Cleanup(func() {
		_ = server.Close()
		_ = writer.Stop(context.Background())
		_ = in.log.Stop(context.Background())
	})
	return in
}

// wait reads the log until it holds n different events, and returns all of them, those that came twice twice.
func (in *intake) wait(n int) []event.Event {
	in.t.Helper()
	deadline := time.Now().Add(patience)
	var all []event.Event
	ids := map[string]bool{}
	for after := uint64(0); len(ids) < n; {
		recs, err := in.log.Read(in.t.Context(), after, 100, time.Until(deadline))
		if err != nil {
			in.t.Fatal(err)
		}
		if len(recs) == 0 {
			in.t.Fatalf("%d of %d events arrived: %v", len(ids), n, ids)
		}
		for _, r := range recs {
			evs, err := event.DecodeBatch(r.Data)
			if err != nil {
				in.t.Fatal(err)
			}
			for _, e := range evs {
				ids[e.MessageID] = true
			}
			all = append(all, evs...)
			after = r.Seq
		}
	}
	return all
}

// once leaves each event in once, in the order in which they happened, as everything behind the log does.
func once(evs []event.Event) []event.Event {
	var out []event.Event
	seen := map[string]bool{}
	for _, e := range evs {
		if !seen[e.MessageID] {
			seen[e.MessageID] = true
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b event.Event) int { return a.Time.Compare(b.Time) })
	return out
}

// seen returns the requests so far.
func (in *intake) seen() []http.Header {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]http.Header(nil), in.requests...)
}

// command prepares one of the programs of this folder.
func command(ctx context.Context, t *testing.T, module, program string, args ...string) (cmd *exec.Cmd, complaints *bytes.Buffer) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		harness.Missing(t, "no node on the path; install Node.js 20 or newer")
	}
	if _, err := os.Stat(filepath.Join("node_modules", filepath.FromSlash(module), "package.json")); err != nil {
		harness.Missing(t, "%s is not installed; run npm ci in test/peers/sdk", module)
	}
	cmd = exec.CommandContext(ctx, "node", append([]string{program}, args...)...)
	complaints = new(bytes.Buffer)
	cmd.Stderr = complaints
	return cmd, complaints
}

// node runs one of the programs of this folder to its end.
func node(t *testing.T, module, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd, complaints := command(ctx, t, module, program, args...)
	err := cmd.Run()
	if complaints.Len() > 0 {
		t.Logf("%s says: %s", program, complaints)
	}
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
}
