package collect_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/bustest"
	"github.com/kizuna-cx/kizuna/internal/collect"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// now is when every request of these tests arrives.
var now = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

// keys are the write keys of the tests: a server's and a browser's, in two workspaces.
type keys struct {
	mu    sync.Mutex
	byKey map[string]collect.Source
	asked int
	err   error
}

func (k *keys) SourceByWriteKey(_ context.Context, key string) (collect.Source, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked++
	if k.err != nil {
		return collect.Source{}, k.err
	}
	s, ok := k.byKey[key]
	if !ok {
		return collect.Source{}, errs.NotFound("source", key)
	}
	return s, nil
}

// rejections collects what was recorded.
type rejections struct {
	mu   sync.Mutex
	all  []event.Rejection
	hold chan struct{}
}

func (r *rejections) Reject(ctx context.Context, rs []event.Rejection) error {
	if r.hold != nil {
		select {
		case <-r.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, rs...)
	return nil
}

// intake is a handler over a log in memory.
type intake struct {
	*collect.Handler
	t          testing.TB
	log        *bustest.Memory
	clock      *clock.Fixed
	keys       *keys
	rejections *rejections
	after      uint64 // what events has returned already
}

func newIntake(t testing.TB, change ...func(*collect.Config)) *intake {
	t.Helper()
	in := &intake{
		t: t, log: bustest.NewMemory(0), clock: clock.NewFixed(now), rejections: &rejections{},
		keys: &keys{byKey: map[string]collect.Source{
			"server-key":  {ID: "src_s", Workspace: "ws_1"},
			"browser-key": {ID: "src_b", Workspace: "ws_1", Browser: true},
			"other-key":   {ID: "src_o", Workspace: "ws_2"},
		}},
	}
	writer := bus.NewWriter(in.log, bus.WriterOptions{MaxQueue: 1 << 20})
	if err := writer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := collect.Config{
		Sources: in.keys, Log: writer, Rejections: in.rejections, Clock: in.clock, Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&c)
	}
	in.Handler = collect.New(c)
	if err := in.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Stop(context.Background())
		_ = writer.Stop(context.Background())
	})
	return in
}

// do sends a request from 203.0.113.77.
func (in *intake) do(method, target, key, body string, headers ...string) *httptest.ResponseRecorder {
	in.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = "203.0.113.77:5000"
	if key != "" {
		r.SetBasicAuth(key, "")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	in.ServeHTTP(w, r)
	return w
}

func (in *intake) post(path, body string) *httptest.ResponseRecorder {
	in.t.Helper()
	return in.do(http.MethodPost, path, "server-key", body)
}

// events returns what has reached the log since the last call.
func (in *intake) events() []event.Event {
	in.t.Helper()
	var all []event.Event
	for {
		recs, err := in.log.Read(in.t.Context(), in.after, 1000, 0)
		if err != nil {
			in.t.Fatal(err)
		}
		if len(recs) == 0 {
			return all
		}
		for _, r := range recs {
			evs, err := event.DecodeBatch(r.Data)
			if err != nil {
				in.t.Fatalf("record %d: %v\n%s", r.Seq, err, r.Data)
			}
			all = append(all, evs...)
			in.after = r.Seq
		}
	}
}

// one returns the only event that a request put on the log.
func (in *intake) one() event.Event {
	in.t.Helper()
	evs := in.events()
	if len(evs) != 1 {
		in.t.Fatalf("%d events on the log, want 1", len(evs))
	}
	return evs[0]
}

// recorded stops the handler and returns the rejections that were recorded.
func (in *intake) recorded() []event.Rejection {
	in.t.Helper()
	if err := in.Stop(in.t.Context()); err != nil {
		in.t.Fatal(err)
	}
	return in.rejections.all
}

type reply struct {
	Success  bool   `json:"success"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Rejected []struct {
		Index     int    `json:"index"`
		MessageID string `json:"message_id"`
		Code      string `json:"code"`
		Reason    string `json:"reason"`
	} `json:"rejected"`
}

func read(t testing.TB, w *httptest.ResponseRecorder) reply {
	t.Helper()
	var a reply
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("answer %d %q: %v", w.Code, w.Body, err)
	}
	return a
}

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
