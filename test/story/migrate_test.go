package story_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/kizuna-cx/kizuna/internal/bus/natsbus/natstest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// An installation in one folder moves to PostgreSQL, three NATS servers and a bucket. The command is killed at every stage of its way, and at the end the
// people, what they did, what is known of them and where they are in a journey are what they were.
func TestAMoveToOtherEnginesThatIsKilledLosesAndDoublesNothing(t *testing.T) {
	long(t)
	s := harness.Start(t)
	load := newFaultLoad(faultSeed(t))
	orderJourney(t, s, anHour)
	makeSegments(t, s)
	for load.n < 1500 {
		batch := load.next(20)
		if !s.Send(batch...) {
			t.Fatal("the server did not take the events")
		}
		for _, e := range batch {
			load.acked[e["messageId"].(string)] = true
		}
	}
	for i := range 3 {
		s.Must("POST", "/uploads", "email\n"+strings.Repeat(fmt.Sprintf("ada%d@example.com\n", i), 50000), nil)
	}
	before := arrivalOrder(t, s, load)
	// What the next round of judging would change is not the move's doing.
	s.Must("POST", "/standing/round", nil, nil)
	s.Eventually(2*time.Minute, "everybody is judged", func() bool {
		var now struct {
			Round struct {
				State string
				Due   time.Time `json:"due_at"`
			}
		}
		s.Must("GET", "/standing", nil, &now)
		return now.Round.State == "waiting" && now.Round.Due.After(time.Now())
	})
	want := still(t, s)
	onTheWay := activeRounds(t, s)
	if onTheWay == 0 {
		t.Error("nobody is on the way in the journey: the story proves less")
	}

	_, env := manyMachines(t, s)
	to := harness.Prepare(t, env...)
	move := []string{"migrate-engine", "--from", s.Dir, "--data", to.Dir}

	if out, err := to.Command(move...); err == nil || !strings.Contains(out, "stop it first") {
		t.Errorf("a running installation moves: %v\n%s", err, out)
	}
	s.Stop()
	if out, err := to.Command(append(move, "--dry-run")...); err != nil || !strings.Contains(out, "can move") {
		t.Fatalf("dry run: %v\n%s", err, out)
	}
	if left, err := os.ReadDir(to.Dir); err != nil || len(left) > 0 {
		t.Errorf("a dry run has made %v, %v", left, err)
	}

	// It is killed as soon as it has told of a stage so many times, which is while it works on it.
	stages := []struct {
		word  string
		times int
	}{
		{"records of", 1},
		{"records of", 9},
		{"records of", 9},
		{"events: record", 1},
		{"comparing the events", 1},
		{"log: record", 1},
		{"comparing the log", 1},
		{"comparing the records", 1},
		{"comparing the records", 1},
	}
	kills := 0
	for _, at := range stages {
		if out, killed := moveUntil(t, to, move, at.word, at.times); killed {
			kills++
		} else if !strings.Contains(out, "has moved") { // else the machine was too slow to kill it in time
			t.Fatalf("it ended at %v:\n%s", at, out)
		}
	}
	t.Logf("killed %d times", kills)
	if kills == 0 {
		t.Error("it was never killed: the story proved nothing")
	}
	out, err := s.Command("serve", "--data", s.Dir, "--listen", "127.0.0.1:0")
	if err == nil || !strings.Contains(out, "has moved, or is moving") {
		t.Errorf("the installation that is left starts: %v\n%s", err, out)
	}
	out, err = to.Command(move...)
	if err != nil || !strings.Contains(out, "has moved") {
		t.Fatalf("the last run: %v\n%s", err, out)
	}
	t.Log(out)
	if out, err := to.Command(move...); err != nil || !strings.Contains(out, "has moved") {
		t.Errorf("once more: %v\n%s", err, out)
	}

	to.Launch()
	after := arrivalOrder(t, to, load)
	if strings.Join(before, " ") != strings.Join(after, " ") {
		t.Error("events came in another order or are others")
	}
	got := still(t, to)
	for who, what := range want {
		if got[who] != what {
			t.Errorf("%s: was %q, is %q", who, what, got[who])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d people, were %d", len(got), len(want))
	}
	if n := activeRounds(t, to); n != onTheWay {
		t.Errorf("%d people on the way in the journey, were %d", n, onTheWay)
	}
	c := startClients(to)
	to.Eventually(time.Minute, "it goes on", func() bool { return len(c.acknowledged()) > 100 })
	c.end()
}

// moveUntil runs the command until it has said something so many times, kills it then, and returns what it said and whether that ended it.
func moveUntil(t *testing.T, s *harness.Server, args []string, word string, times int) (string, bool) {
	t.Helper()
	cmd := s.Prepared(args...)
	w := &watcher{word: word, times: times, met: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-w.met:
	case err := <-ended:
		return w.text(), killedBy(err, syscall.SIGKILL)
	case <-time.After(2 * time.Minute):
		t.Errorf("after two minutes it has not said %q:\n%s", word, w.text())
	}
	_ = cmd.Process.Kill() // it may be over
	return w.text(), killedBy(<-ended, syscall.SIGKILL)
}

func killedBy(err error, sig syscall.Signal) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == sig
}

// watcher keeps what is written and closes met once the word is in it so many times.
type watcher struct {
	mu    sync.Mutex
	all   strings.Builder
	word  string
	times int
	met   chan struct{}
	once  sync.Once
}

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(p)
	if strings.Count(w.all.String(), w.word) >= w.times {
		w.once.Do(func() { close(w.met) })
	}
	return len(p), nil
}

func (w *watcher) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

// activeRounds counts who is on the way in journeys.
func activeRounds(t *testing.T, s *harness.Server) (n int) {
	t.Helper()
	var all struct{ Items []struct{ ID string } }
	s.Must("GET", "/journeys", nil, &all)
	for _, j := range all.Items {
		var report struct{ Active int }
		s.Must("GET", "/journeys/"+j.ID+"/report", nil, &report)
		n += report.Active
	}
	return n
}

// manyMachines starts engines such as many machines share, and returns the address of the records and the environment of a process on them that has the server's master key.
func manyMachines(t *testing.T, s *harness.Server) (records string, env []string) {
	t.Helper()
	records = sqldbtest.URL(t, sqldb.Postgres)
	nats, err := natstest.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nats.Stop)
	objects := s3mem.New()
	if err := objects.CreateBucket("kizuna"); err != nil {
		t.Fatal(err)
	}
	bucket := httptest.NewServer(gofakes3.New(objects).Server())
	t.Cleanup(bucket.Close)
	key, err := os.ReadFile(filepath.Join(s.Dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	return records, []string{
		"KIZUNA_ROLES=all", "KIZUNA_PEER_LISTEN=" + harness.FreeAddress(t), "KIZUNA_DATABASE_URL=" + records, "KIZUNA_LOG_URL=" + nats.URL(), "KIZUNA_LOG_LIMIT_GB=1",
		"KIZUNA_FILES_URL=s3://kizuna/files?endpoint=" + bucket.URL, "KIZUNA_FILES_ACCESS_KEY=a", "KIZUNA_FILES_SECRET_KEY=s", "KIZUNA_MASTER_KEY=" + strings.TrimSpace(string(key)),
	}
}
