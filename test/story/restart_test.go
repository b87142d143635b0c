package story_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// post sends one event, over a connection of its own, and returns what went wrong.
func post(url, id string) error {
	r, err := http.NewRequest(http.MethodPost, url+"/v1/track", strings.NewReader(fmt.Sprintf(`{"event":"Seen","userId":"u","messageId":%q}`, id)))
	if err != nil {
		return err
	}
	r.SetBasicAuth(harness.WriteKey, "")
	r.Close = true
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if raw, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%d %s", resp.StatusCode, raw)
	}
	return nil
}

func stored(s *harness.Server) int64 {
	var now struct{ Events int64 }
	if s.Do("GET", "/stats", nil, &now) != http.StatusOK {
		return -1
	}
	return now.Events
}

// knock sends events one after the other over several connections until stopped, and returns how many were taken and what was refused.
// Names of events begin with who.
func knock(url, who string) (stop func() (taken int64, refused []error)) {
	var done atomic.Bool
	var n atomic.Int64
	var mu sync.Mutex
	var bad []error
	var all sync.WaitGroup
	for c := range 4 {
		all.Go(func() {
			for i := 0; !done.Load(); i++ {
				if err := post(url, fmt.Sprintf("%s-%d-%d", who, c, i)); err != nil {
					mu.Lock()
					bad = append(bad, err)
					mu.Unlock()
					continue
				}
				n.Add(1)
			}
		})
	}
	return func() (int64, []error) {
		done.Store(true)
		all.Wait()
		return n.Load(), bad
	}
}

func TestARestartRefusesNobody(t *testing.T) {
	s := harness.Start(t)
	pid := s.PID()
	stop := knock(s.URL, "m")
	for round := 1; round <= 3; round++ {
		before := stored(s)
		s.Eventually(time.Minute, "events come in", func() bool { return stored(s) > before })
		if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.Eventually(time.Minute, fmt.Sprintf("it is ready after restart %d", round), func() bool { return strings.Count(s.Log(), "Kizuna is ready") > round })
	}
	taken, refused := stop()
	if len(refused) > 0 {
		t.Errorf("%d of %d callers were refused, the first with: %v", len(refused), taken, refused[0])
	}
	if taken == 0 {
		t.Fatal("nobody called")
	}
	s.Eventually(time.Minute, fmt.Sprintf("all %d events are stored once", taken), func() bool { return stored(s) == taken })
}

func TestSystemdMayHoldTheSocket(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	ln.Close() // the socket stays open, and nobody accepts
	defer socket.Close()
	s := harness.Prepare(t)
	url := "http://" + ln.Addr().String()
	early := make(chan error, 1)
	go func() { early <- post(url, "early") }()
	cmd := exec.Command("sh", "-c", `LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" serve --data "$1"`, harness.Binary(t), s.Dir)
	cmd.Env = append(os.Environ(), "KIZUNA_BOOTSTRAP_WRITE_KEY="+harness.WriteKey, "KIZUNA_BOOTSTRAP_EMAIL="+harness.Email, "KIZUNA_BOOTSTRAP_PASSWORD="+harness.Password)
	cmd.ExtraFiles = []*os.File{socket}
	cmd.Stderr = s
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-early:
		if err != nil {
			t.Errorf("who called before the start: %v", err)
		}
	case err := <-ended:
		t.Fatalf("it ended: %v\n%s", err, s.Log())
	case <-time.After(time.Minute):
		t.Error("who called before the start got no answer")
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := <-ended; err != nil {
		t.Errorf("it did not stop in good order: %v\n%s", err, s.Log())
	}
}
