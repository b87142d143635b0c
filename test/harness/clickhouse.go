package harness

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// ClickHouse is a process with ClickHouse's engine (test/peers/clickhouse), which can be killed and started again on its data, at the same address.
type ClickHouse struct {
	URL string

	t    testing.TB
	log  bytes.Buffer // written by one process at a time
	cmd  *exec.Cmd
	args []string
}

// StartClickHouse starts one on an empty folder. Without the engine, whose library KIZUNA_CHDB names, the test is skipped.
func StartClickHouse(t testing.TB) *ClickHouse {
	t.Helper()
	library := os.Getenv("KIZUNA_CHDB")
	if library == "" {
		t.Skip("set KIZUNA_CHDB to the path of libchdb.so to run this test (.ci/run shows how to get it): a server at an address cannot be killed from here")
	}
	dir, listen := t.TempDir(), FreeAddress(t)
	program := filepath.Join(dir, "clickhouse")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/kizuna-cx/kizuna/test/peers/clickhouse").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	c := &ClickHouse{t: t, URL: "http://" + listen, args: []string{program, "--library", library, "--listen", listen, "--data", filepath.Join(dir, "data")}}
	t.Cleanup(func() {
		c.Kill()
		if t.Failed() {
			t.Logf("ClickHouse:\n%s", tail(c.log.String(), 2000))
		}
	})
	c.Start()
	return c
}

// Start starts the process and waits until it answers.
func (c *ClickHouse) Start() {
	c.t.Helper()
	c.cmd = exec.Command(c.args[0], c.args[1:]...)
	c.cmd.Stdout, c.cmd.Stderr = &c.log, &c.log
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); !ready(c.URL + "/ping"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("ClickHouse does not answer after %s", patience)
		}
	}
}

// Kill ends the process as a power cut would: SIGKILL.
func (c *ClickHouse) Kill() {
	if c.cmd == nil {
		return
	}
	_ = c.cmd.Process.Kill() // it may have ended by itself, which shows in its log
	_ = c.cmd.Wait()
	c.cmd = nil
}
