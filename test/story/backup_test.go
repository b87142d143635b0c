package story_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/test/harness"
)

func database(t *testing.T, kind sqldb.Dialect) (env []string) {
	t.Helper()
	if kind == sqldb.Postgres {
		env = append(env, "KIZUNA_DATABASE_URL="+sqldbtest.URL(t, kind))
	}
	return env
}

// TestABackupOfARunningServerIsWholeAndMovesBetweenEngines backs up while clients send, lets the server die, restores, and goes on.
func TestABackupOfARunningServerIsWholeAndMovesBetweenEngines(t *testing.T) {
	for _, c := range []struct{ from, to sqldb.Dialect }{
		{sqldb.SQLite, sqldb.SQLite}, {sqldb.SQLite, sqldb.Postgres}, {sqldb.Postgres, sqldb.SQLite},
	} {
		t.Run(string(c.from)+" to "+string(c.to), func(t *testing.T) {
			long(t)
			backedUp(t, harness.Start(t, database(t, c.from)...), harness.Prepare(t, database(t, c.to)...))
		})
	}
}

func backedUp(t *testing.T, s, restored *harness.Server) {
	c := startClients(s)
	s.Eventually(time.Minute, "clients get answers", func() bool { return len(c.acknowledged()) > 500 })
	// The next one holds what is said of this one, which is none of the installation that is made of it.
	if out, err := s.Command("backup", "--data", s.Dir, t.TempDir()); err != nil {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	var segment struct{ ID string }
	s.Must("POST", "/segments", map[string]any{"name": "Beaters", "rule": map[string]any{"event": map[string]any{"name": "Beat"}}}, &segment)
	s.Eventually(time.Minute, "everybody is known", func() bool {
		var st stats
		s.Do("GET", "/stats", nil, &st)
		return st.People == clientUsers
	})
	people := map[string]string{}
	for _, user := range []string{"u0", "u7", "u13"} {
		people[user] = personOf(t, s, user)
	}
	to := t.TempDir()
	promised := c.acknowledged()
	out, err := s.Command("backup", "--data", s.Dir, to)
	if err != nil {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	if out, err := s.Command("doctor", "--offline", "--data", s.Dir, "--listen", strings.TrimPrefix(s.URL, "http://")); err != nil || !strings.Contains(out, "ok    backup               the last one is of ") || !strings.Contains(out, ", in "+to) {
		t.Errorf("doctor: %v\n%s", err, out)
	}
	then := len(c.acknowledged())
	s.Eventually(time.Minute, "the server goes on", func() bool { return len(c.acknowledged()) > then+200 })
	s.Kill()
	c.end()

	backup := ""
	for _, word := range strings.Fields(out) {
		if strings.HasPrefix(word, to) {
			backup = word
		}
	}
	restore := func(args ...string) (string, error) {
		return restored.Command(append([]string{"restore", "--data", restored.Dir + "/new"}, args...)...)
	}
	if out, err := restore(backup); err == nil || !strings.Contains(out, "master key") {
		t.Errorf("restored without the master key: %v\n%s", err, out)
	}
	if err := os.RemoveAll(restored.Dir + "/new"); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(s.Dir, "master.key")
	if out, err := restore("--key", key, backup); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	if out, err := restore("--key", key, backup); err == nil || !strings.Contains(out, "does not exist yet") {
		t.Errorf("restored over an installation: %v\n%s", err, out)
	}
	restored.Dir += "/new"
	if out, err := restored.Command("doctor", "--data", restored.Dir, "--listen", strings.TrimPrefix(restored.URL, "http://")); err != nil || !strings.Contains(out, "look  backup               there is none of this installation yet") {
		t.Errorf("doctor: %v\n%s", err, out)
	}
	restored.Launch()

	stored := c.stored(t, restored, promised)
	for user, id := range people {
		if got := personOf(t, restored, user); got != id {
			t.Errorf("%s was %s and is %s", user, id, got)
		}
	}
	var seg struct{ Size int }
	restored.Eventually(time.Minute, "the segment has its members", func() bool {
		restored.Do("GET", "/segments/"+segment.ID, nil, &seg)
		return seg.Size == clientUsers
	})
	var sending struct{ Stopped bool }
	restored.Must("GET", "/sending", nil, &sending)
	if !sending.Stopped {
		t.Error("sending goes on after a restore")
	}
	if !restored.Send(harness.Event{"type": "track", "event": "Beat", "userId": "u0", "messageId": "afterwards"}) {
		t.Fatal("the restored server takes no events")
	}
	restored.Eventually(time.Minute, "a new event is stored", func() bool {
		var st stats
		restored.Do("GET", "/stats", nil, &st)
		return st.Events == len(stored)+1
	})
	t.Logf("%d promised before the backup, %d in it", len(promised), len(stored))
}

func TestABackupOfAStoppedServerAndADamagedOne(t *testing.T) {
	s := harness.Start(t)
	if !s.Send(harness.Event{"type": "track", "event": "Beat", "userId": "u0", "messageId": "m1"}) {
		t.Fatal("the event was not taken")
	}
	s.Stop()
	to := t.TempDir()
	for range 2 {
		if out, err := s.Command("backup", "--data", s.Dir, "--keep", "1", to); err != nil {
			t.Fatalf("backup: %v\n%s", err, out)
		}
		time.Sleep(time.Second) // a folder is named by its second
	}
	all, err := filepath.Glob(filepath.Join(to, "*"))
	if err != nil || len(all) != 1 {
		t.Fatalf("%v are kept, %v", all, err)
	}
	if out, err := s.Command("restore", "--check", all[0]); err != nil || !strings.Contains(out, "is whole") {
		t.Errorf("check: %v\n%s", err, out)
	}
	path := filepath.Join(all[0], "records.jsonl.gz")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.Command("restore", "--data", t.TempDir()+"/new", all[0]); err == nil || !strings.Contains(out, "records.jsonl.gz is not what was written") {
		t.Errorf("a damaged backup: %v\n%s", err, out)
	}
	s.Launch()
	if out, err := s.Command("backup", "--data", s.Dir+"/nowhere", to); err == nil || !strings.Contains(out, "data folder") {
		t.Errorf("a folder that does not exist: %v\n%s", err, out)
	}
}
