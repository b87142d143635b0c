package story_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// long marks a story of processes that mostly wait for each other: several are told at once.
func long(t *testing.T) {
	t.Helper()
	alone(t)
	t.Parallel()
}

// alone marks a long story beside which no other is told.
func alone(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a long story; run without -short")
	}
}

func TestKillDuringImportLosesAndDoublesNothing(t *testing.T) {
	long(t)
	path := cdnow(t)
	s := harness.Start(t)
	dir := t.TempDir()
	run := func() *exec.Cmd {
		return exec.Command(harness.Binary(t), "import", "--server", s.URL, "--write-key", harness.WriteKey, "--format", "csv", "--delimiter", "whitespace",
			"--map", "userId=customer_id", "--map", "timestamp=date:time:%Y%m%d", "--map", "properties.total=dollar_value:number",
			"--set", "event=Order Completed", "--state", filepath.Join(dir, "state"), "--rejects", filepath.Join(dir, "rejects"), path)
	}
	events := func() int {
		var st stats
		s.Do("GET", "/stats", nil, &st)
		return st.Events
	}
	// The importer is killed once, the server again and again while the importer goes on.
	first := run()
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	s.Eventually(time.Minute, "the import has begun", func() bool { return events() > 2000 })
	_ = first.Process.Kill()
	_ = first.Wait() // killed on purpose

	second := run()
	var out strings.Builder
	second.Stdout, second.Stderr = &out, &out
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	for kill := 1; kill <= 5; kill++ {
		before := events()
		s.Eventually(time.Minute, "more events arrive", func() bool { n := events(); return n > before+3000 || n >= 69659 })
		s.Kill()
		s.Launch()
	}
	if err := second.Wait(); err != nil {
		t.Fatalf("import: %v\n%s", err, out.String())
	}
	want := stats{People: 23570, Events: 69659}
	s.Eventually(2*time.Minute, "the figures of the file", func() bool {
		var st stats
		s.Do("GET", "/stats", nil, &st)
		return st == want
	})
}

func TestKillDuringCollectKeepsEveryAcknowledgedEventOnce(t *testing.T) {
	long(t)
	s := harness.Start(t)
	c := startClients(s)
	for range 6 {
		before := len(c.acknowledged())
		s.Eventually(time.Minute, "clients get answers", func() bool { return len(c.acknowledged()) > before+400 })
		s.Kill()
		s.Launch()
	}
	c.end()
	stored := c.stored(t, s, c.acknowledged())
	t.Logf("%d acknowledged, %d stored, 6 kills", len(c.acknowledged()), len(stored))
}
