package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

const console = "../../web/console"

func chromium(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("KIZUNA_TEST_CHROMIUM"); named != "" {
		return named
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	harness.Missing(t, "no Chromium on the path; install it or set KIZUNA_TEST_CHROMIUM")
	return ""
}

// demo starts the demonstration and returns its address, e-mail and password once the sample business stands.
func demo(t *testing.T) (url, email, password string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen, dir := ln.Addr().String(), t.TempDir()
	ln.Close()
	began := time.Now()
	cmd := exec.Command(harness.Binary(t), "demo", "--data", dir, "--listen", listen, "--customers", "150")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has nothing to tidy
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the server said:\n%s", log.String())
		}
	})
	ready := make(chan bool, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.HasPrefix(strings.TrimSpace(lines.Text()), "Password ") {
				ready <- true
				_, _ = io.Copy(io.Discard, out)
			}
		}
		close(ready)
	}()
	select {
	case ok := <-ready:
		if !ok {
			t.Fatal("the demonstration ended before it was ready")
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the demonstration was not ready in two minutes")
	}
	took := time.Since(began)
	t.Logf("from an empty folder to the sign-in with the sample business: %.1f s of the 15 that are promised of a machine that has nothing else to do", took.Seconds())
	if took > time.Minute {
		t.Errorf("a minute is promised of any machine")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "demo.json"))
	if err != nil {
		t.Fatal(err)
	}
	var memo struct{ Email, Password string }
	if err := json.Unmarshal(raw, &memo); err != nil {
		t.Fatal(err)
	}
	return "http://" + listen, memo.Email, memo.Password
}

func TestTheConsoleInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser for minutes; run without -short")
	}
	if _, err := exec.LookPath("node"); err != nil {
		harness.Missing(t, "node is not installed (Debian: apt install nodejs npm)")
	}
	for _, need := range []string{"playwright-core", "axe-core"} {
		if _, err := os.Stat(filepath.Join(console, "node_modules", need)); err != nil {
			harness.Missing(t, "%s is not installed; run make web", need)
		}
	}
	if _, err := os.Stat("../../internal/console/dist/app/index.html.br"); err != nil {
		if _, err := os.Stat("../../internal/console/dist/app/index.html"); err != nil {
			harness.Missing(t, "the console is not built; run make web")
		}
	}
	browser := chromium(t)
	tell(t, browser)
	tell(t, browser, "sample:") // on a server of their own: they empty it
}

// tell has stories told on a new server: those with one of the words in their names, or all that leave to others what they look at.
func tell(t *testing.T, browser string, words ...string) {
	t.Helper()
	url, email, password := demo(t)
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{"run.mjs", url, email, password}, words...)...)
	cmd.Env = append(os.Environ(), "CHROMIUM="+browser)
	var wrong strings.Builder // how each story that failed did so
	cmd.Stderr = &wrong
	out, err := cmd.Output()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("stories did not go as told: %v\n%s", err, wrong.String())
	}
}
