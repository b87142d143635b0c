package feed

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
)

// intake is a stand-in that speaks the intake's protocol and records what it acknowledged.
type intake struct {
	t       *testing.T
	answers []int // status codes to give before 200s
	got     []string
	after   func(batch int)
	batches int
}

func (i *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, _, _ := r.BasicAuth(); user != "wk" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	zip, err := gzip.NewReader(r.Body)
	if err != nil {
		i.t.Error(err)
		return
	}
	var body struct {
		Batch []struct{ MessageID, UserID string }
	}
	if err := json.NewDecoder(zip).Decode(&body); err != nil {
		i.t.Error(err)
	}
	if len(i.answers) > 0 {
		code := i.answers[0]
		i.answers = i.answers[1:]
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(code)
		return
	}
	var rejected []map[string]any
	for k, e := range body.Batch {
		if strings.HasPrefix(e.UserID, "bad") {
			rejected = append(rejected, map[string]any{"index": k, "reason": "bad user"})
			continue
		}
		i.got = append(i.got, e.MessageID)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "rejected": rejected})
	i.batches++
	if i.after != nil {
		i.after(i.batches)
	}
}

func file(n int) string {
	var b strings.Builder
	for i := range n {
		user := fmt.Sprintf("u%d", i)
		if i%100 == 7 {
			user = "bad" + user
		}
		fmt.Fprintf(&b, "{\"type\":\"track\",\"event\":\"E\",\"userId\":%q,\"messageId\":\"m%d\"}\n", user, i)
		if i%1000 == 500 {
			b.WriteString("broken\n")
		}
	}
	return b.String()
}

func TestKilledRunGoesOnWhereItStoppedAndRejectsStandOnce(t *testing.T) {
	dir := t.TempDir()
	text := file(3000)
	in := &intake{t: t}
	srv := httptest.NewServer(in)
	defer srv.Close()
	o := Options{Server: srv.URL, WriteKey: "wk", StateFile: filepath.Join(dir, "s"), RejectFile: filepath.Join(dir, "r"), Input: Input{Name: "f", Size: int64(len(text))}}

	ctx, cancel := context.WithCancel(t.Context())
	in.after = func(batch int) {
		if batch == 3 {
			cancel() // the answer to the third batch is lost
		}
	}
	if _, err := Run(ctx, importer.NDJSON(strings.NewReader(text)), o); err == nil {
		t.Fatal("a cancelled run must not report success")
	}
	in.after = nil
	p, err := Run(t.Context(), importer.NDJSON(strings.NewReader(text)), o)
	if err != nil {
		t.Fatal(err)
	}
	if p.Resumed == 0 || p.Accepted != 2970 || p.Rejected != 33 || p.Rows != 3003 {
		t.Errorf("progress %+v, want 2970 accepted and 33 rejected of 3003 rows, resumed", p)
	}
	seen := map[string]int{}
	for _, id := range in.got {
		seen[id]++
	}
	if len(seen) != 2970 {
		t.Errorf("%d distinct events arrived, want 2970", len(seen))
	}
	rejects, _ := os.ReadFile(o.RejectFile)
	if n := bytes.Count(rejects, []byte("\n")); n != 33 {
		t.Errorf("%d lines in the reject file, want 33", n)
	}
	if !bytes.Contains(rejects, []byte(`"line":502,`)) {
		t.Errorf("the unreadable line 502 is not in the reject file")
	}
	if _, err := os.Stat(o.StateFile); !os.IsNotExist(err) {
		t.Errorf("a finished run leaves its state file behind: %v", err)
	}
}

func TestBusyIntakeIsWaitedForAndItsRetryAfterHonoured(t *testing.T) {
	in := &intake{t: t, answers: []int{503, 429}}
	srv := httptest.NewServer(in)
	defer srv.Close()
	var waited []time.Duration
	var told []time.Duration
	p, err := Run(t.Context(), importer.NDJSON(strings.NewReader(file(3))), Options{
		Server: srv.URL, WriteKey: "wk", Wait: func(d time.Duration) { waited = append(waited, d) },
		OnWait: func(why error, d time.Duration) {
			if !strings.Contains(why.Error(), "busy") {
				t.Errorf("told to wait because of %v", why)
			}
			told = append(told, d)
		},
	})
	if err != nil || p.Accepted != 3 {
		t.Fatalf("%+v, %v", p, err)
	}
	if !slices.Equal(told, waited) {
		t.Errorf("told of %v, waited %v", told, waited) // a silent wait looks like a program that hangs
	}
	if len(waited) != 2 || waited[0] != 2*time.Second {
		t.Errorf("waited %v, want twice, the first as Retry-After says", waited)
	}
}

func TestFinalRefusalsStopAtOnceWithTheRemedy(t *testing.T) {
	srv := httptest.NewServer(&intake{t: t})
	defer srv.Close()
	_, err := Run(t.Context(), importer.NDJSON(strings.NewReader(file(3))), Options{Server: srv.URL, WriteKey: "other"})
	if err == nil || !strings.Contains(err.Error(), "write key") {
		t.Errorf("err = %v", err)
	}
}

func TestStateOfAnotherInputIsRefused(t *testing.T) {
	state := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(state, []byte(`{"input":{"name":"other","size":5},"rows":3}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Run(t.Context(), importer.NDJSON(strings.NewReader(file(3))), Options{Server: "http://127.0.0.1:1", WriteKey: "wk", StateFile: state, Input: Input{Name: "f", Size: 100}})
	if err == nil || !strings.Contains(err.Error(), "another input") {
		t.Errorf("err = %v", err)
	}
}
