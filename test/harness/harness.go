// Package harness runs the real binary for tests: it builds it once, starts it on a free port with a data folder of its own,
// talks to it over HTTP, and kills it when a story calls for that.
package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The credentials every server of the harness starts with.
const (
	Email    = "owner@kizuna.example"
	Password = "correct horse battery"
	APIKey   = "kz_test_0123456789abcdef0123456789abcdef"
	WriteKey = "wk_test_0123456789abcdef"
)

// binary builds the program, or takes the one that KIZUNA_TEST_BINARY names.
var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("KIZUNA_TEST_BINARY"); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "kizuna-bin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "kizuna")
	out, err := exec.Command("go", "build", "-o", path, "github.com/kizuna-cx/kizuna/cmd/kizuna").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// Binary returns the path of the freshly built binary; it is built once a test process.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Server is one running kizuna.
type Server struct {
	t   testing.TB
	URL string
	Dir string // data folder
	// Patience is how long Send waits for an answer; 0: as long as it takes.
	Patience time.Duration
	admin    string // where profiles are served, if they are wanted
	env      []string
	serve    func() *exec.Cmd // how it is started, without env

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	log  *bytes.Buffer
}

// Start starts a server on an empty data folder and waits until it is ready. More environment goes in env.
func Start(t testing.TB, env ...string) *Server {
	t.Helper()
	s := Prepare(t, env...)
	s.Launch()
	return s
}

// Prepare is Start without starting.
func Prepare(t testing.TB, env ...string) *Server {
	t.Helper()
	addr := FreeAddress(t)
	var s *Server
	s = Elsewhere(t, "http://"+addr, t.TempDir(), func() *exec.Cmd {
		return exec.Command(Binary(t), "serve", "--data", s.Dir, "--listen", addr, "--test-clock")
	}, env...)
	if os.Getenv(ProfileVariable) != "" {
		s.admin = FreeAddress(t)
		s.env = append(s.env, "KIZUNA_ADMIN_LISTEN="+s.admin)
	}
	return s
}

// Elsewhere is Prepare for a server that is started by a command of the test's own and reached at url; dir is its data folder.
func Elsewhere(t testing.TB, url, dir string, serve func() *exec.Cmd, env ...string) *Server {
	t.Helper()
	s := &Server{
		t: t, URL: url, Dir: dir, log: &bytes.Buffer{}, serve: serve,
		env: append([]string{
			"KIZUNA_BOOTSTRAP_EMAIL=" + Email, "KIZUNA_BOOTSTRAP_PASSWORD=" + Password,
			"KIZUNA_BOOTSTRAP_API_KEY=" + APIKey, "KIZUNA_BOOTSTRAP_WRITE_KEY=" + WriteKey,
		}, env...),
	}
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("server log:\n%s", tail(folded(s.Log()), 3000))
		}
	})
	return s
}

// folded leaves out lines that say the same as the one before, but for time and figures, and says how many they were.
func folded(log string) string {
	var out strings.Builder
	last, again := "", 0
	flush := func() {
		if again > 0 {
			fmt.Fprintf(&out, "(%d more of these)\n", again)
		}
		again = 0
	}
	for line := range strings.Lines(log) {
		_, what, found := strings.Cut(line, " msg=")
		if what, _, _ = strings.Cut(what, "\" "); found && what == last {
			again++
			continue
		}
		flush()
		last = what
		out.WriteString(line)
	}
	flush()
	return out.String()
}

func tail(s string, n int) string {
	if len(s) > n {
		return "..." + s[len(s)-n:]
	}
	return s
}

// Log returns what the server has logged in all its lives.
func (s *Server) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// Write collects the log.
func (s *Server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

// Begin is Launch without waiting.
func (s *Server) Begin() {
	s.t.Helper()
	s.mu.Lock()
	running := s.cmd != nil
	s.mu.Unlock()
	if running { // its answers would be taken for those of the new process
		s.t.Fatal("the server is still running; Kill or Stop it first")
	}
	cmd := s.serve()
	cmd.Env = slices.Concat(os.Environ(), cmd.Env, s.env)
	cmd.Stdout, cmd.Stderr = s, s
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended shows in the log
		close(done)
	}()
	s.mu.Lock()
	s.cmd, s.done = cmd, done
	s.mu.Unlock()
}

// patience is how long a machine that does much else besides may take to start or end a process.
const patience = 2 * time.Minute

// Launch starts the process, for the first time or after Kill or Stop, and waits until it is ready.
func (s *Server) Launch() {
	s.t.Helper()
	s.Begin()
	done := s.Ended()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		select {
		case <-done:
			s.t.Fatalf("the server ended at once:\n%s", tail(s.Log(), 4000))
		default:
		}
		if ready(s.URL + "/healthz") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("the server is not ready after %s:\n%s", patience, tail(s.Log(), 4000))
}

// Command runs another command of the binary with the server's environment and returns what it printed.
func (s *Server) Command(args ...string) (string, error) {
	out, err := s.Prepared(args...).CombinedOutput()
	return string(out), err
}

// Prepared is Command without running it.
func (s *Server) Prepared(args ...string) *exec.Cmd {
	cmd := exec.Command(Binary(s.t), args...)
	cmd.Env = append(os.Environ(), s.env...)
	return cmd
}

// Ended returns a channel that is closed once the process has ended, nil if none was started.
func (s *Server) Ended() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

// Ready reports whether the server says at /readyz that requests should come to it.
func (s *Server) Ready() bool { return ready(s.URL + "/readyz") }

func ready(url string) bool {
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Get(url)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// PID is the number of the running process, 0 if there is none.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Kill ends the process as a power cut would: SIGKILL.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the process in good order.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

func (s *Server) end(sig syscall.Signal) {
	s.mu.Lock()
	cmd, done := s.cmd, s.done
	s.cmd = nil
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(sig) // it may have ended by itself
	select {
	case <-done:
	case <-time.After(patience):
		s.t.Errorf("the server does not stop; killing it")
		_ = cmd.Process.Kill()
		<-done
	}
}

// Do makes one API call and decodes the JSON answer into out unless it is nil. It returns the status code; 0 if the
// server could not be reached.
func (s *Server) Do(method, path string, body, out any) int {
	s.t.Helper()
	status, raw, err := s.Raw(method, "/api/v1"+path, body, "Bearer "+APIKey)
	if err != nil {
		return 0
	}
	if out != nil && status < 300 {
		if err := json.Unmarshal(raw, out); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	if status >= 300 {
		s.t.Logf("%s %s: %d %s", method, path, status, tail(string(raw), 500))
	}
	return status
}

// Must is Do for calls that have to succeed.
func (s *Server) Must(method, path string, body, out any) {
	s.t.Helper()
	if status := s.Do(method, path, body, out); status < 200 || status > 299 {
		s.t.Fatalf("%s %s: status %d", method, path, status)
	}
}

// Raw makes one request with any authorization header.
func (s *Server) Raw(method, path string, body any, authorization string) (int, []byte, error) {
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	case []byte:
		in = bytes.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			s.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, in)
	if err != nil {
		s.t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, raw, err
}

// Event is one tracking call.
type Event map[string]any

// Send posts events as one batch and reports whether the server acknowledged them.
func (s *Server) Send(events ...Event) bool {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.URL+"/v1/batch", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{"batch": events})
	if err != nil {
		s.t.Fatal(err)
	}
	req.Body = io.NopCloser(bytes.NewReader(raw))
	req.ContentLength = int64(len(raw))
	req.SetBasicAuth(WriteKey, "")
	resp, err := (&http.Client{Timeout: s.Patience}).Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == http.StatusOK && bytes.Contains(answer, []byte(`"rejected"`)) {
		s.t.Errorf("rejected: %s", answer)
	}
	return err == nil && resp.StatusCode == http.StatusOK
}

// Eventually polls until the condition holds; it fails the test with what after the limit.
func (s *Server) Eventually(limit time.Duration, what string, holds func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(limit)
	for !holds() {
		if time.Now().After(deadline) {
			s.t.Fatalf("after %v still not: %s", limit, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Advance moves the server's clock.
func (s *Server) Advance(d time.Duration) {
	s.t.Helper()
	s.Must("POST", "/test/clock", map[string]any{"advance_seconds": int(d.Seconds())}, nil)
}

// Kizuna runs another command of the binary in a folder ("" is the test's own), with more of an environment, and returns its output and exit code.
func Kizuna(t testing.TB, dir string, environment []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command(Binary(t), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), environment...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}
