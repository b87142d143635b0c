package story_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// An installation in one folder moves to PostgreSQL, a NATS cluster and another place for files, and goes on there.
func TestAnInstallationMovesToEnginesOfManyMachines(t *testing.T) {
	long(t)
	s := harness.Start(t)
	c := startClients(s)
	s.Eventually(time.Minute, "clients get answers", func() bool { return len(c.acknowledged()) > 300 })
	c.end()
	var upload struct{ ID string }
	s.Must("POST", "/uploads", "email\nada@example.com\n", &upload)
	promised := c.acknowledged()
	s.Stop()
	raw, err := os.ReadFile(filepath.Join(s.Dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	out, err := s.Command("backup", "--data", s.Dir, to)
	if err != nil {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	backup, _, _ := strings.Cut(out[strings.Index(out, to):], "\n")

	p := prepareParty(t, strings.TrimSpace(string(raw)))
	if out, err := p.spare.Command("restore", "--data", p.spare.Dir, "--resume-sending", backup); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	kept, err := filepath.Glob(filepath.Join(p.files, "*", upload.ID, "*"))
	if err != nil || len(kept) != 1 {
		t.Errorf("the upload is at %v, %v", kept, err)
	}
	p.spare.Launch()
	p.front.Launch()
	c.stored(t, p.front, promised)
	more := startClients(p.front)
	p.front.Eventually(time.Minute, "it goes on", func() bool { return len(more.acknowledged()) > 100 })
	more.end()
}
