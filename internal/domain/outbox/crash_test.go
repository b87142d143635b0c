package outbox_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// crashVariable names the folder in which the test binary, started again, sends until it is killed.
const crashVariable = "KIZUNA_TEST_CRASH_CHILD"

// fileWire delivers by appending the message's id to a file, which outlives the process.
type fileWire struct {
	f     *os.File
	delay time.Duration
}

func (w *fileWire) Check(context.Context) error { return nil }
func (w *fileWire) Close() error                { return nil }

func (w *fileWire) Send(_ context.Context, m channel.Message, commit func() error) channel.Outcome {
	time.Sleep(rand.N(w.delay))
	if err := commit(); err != nil {
		return channel.Outcome{Result: channel.Deferred, Code: "-", Detail: err.Error()}
	}
	time.Sleep(rand.N(w.delay)) // a kill here: in flight, not delivered
	if _, err := fmt.Fprintln(w.f, m.ID); err != nil {
		return channel.Outcome{Result: channel.Deferred, Code: "-", Detail: err.Error()}
	}
	time.Sleep(rand.N(w.delay)) // a kill here: delivered, answer lost
	return channel.Outcome{Result: channel.Sent, Code: "250"}
}

func crashDB(t *testing.T, dir string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), "sqlite:"+filepath.Join(dir, "crash.db"), sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// TestCrashChild is the process that gets killed; by itself it does nothing.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashVariable)
	if dir == "" {
		t.Skip("runs as a child of TestKilledInALoopNothingIsLost")
	}
	db := crashDB(t, dir)
	f := attach(t, db)
	sink, err := os.OpenFile(filepath.Join(dir, "sink"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.sender = &fileWire{f: sink, delay: 4 * time.Millisecond}
	for n := 1; n <= crashMessages; n++ {
		f.people.add(n)
	}
	var s lifecycle.Service = outbox.NewDispatcher(f.Service, outbox.DispatchConfig{Sole: true, Poll: time.Millisecond})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.until("the queue is empty", func() bool { return f.waiting() == 0 })
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

const crashMessages = 2000

func TestKilledInALoopNothingIsLost(t *testing.T) {
	dir := t.TempDir()
	template := sqlite(t)
	f := setup(t, template)
	f.subscribed(1, crashMessages)
	for from := 1; from <= crashMessages; from += 500 {
		f.enqueueRange(from, from+499)
	}
	if _, err := template.Exec(t.Context(), "VACUUM INTO '"+filepath.Join(dir, "crash.db")+"'"); err != nil {
		t.Fatal(err)
	}
	sink := filepath.Join(dir, "sink")
	kills := 0
	for {
		delivered := lines(sink)
		child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$", "-test.v")
		child.Env = append(os.Environ(), crashVariable+"="+dir)
		var out bytes.Buffer
		child.Stdout, child.Stderr = &out, &out
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- child.Wait() }()
		target := delivered + 50 + rand.N(250)
		if kills >= 7 {
			target = crashMessages * 10 // let this one end by itself
		}
		ended := false
		for delivered = lines(sink); delivered < target && !ended; delivered = lines(sink) {
			select {
			case err := <-done:
				if ended = true; err != nil {
					t.Fatalf("child: %v\n%s", err, out.String())
				}
			case <-time.After(time.Millisecond):
			}
		}
		if ended {
			break
		}
		if err := child.Process.Kill(); err != nil { // SIGKILL
			t.Fatal(err)
		}
		<-done
		kills++
	}

	db := crashDB(t, dir)
	t.Cleanup(func() { _ = db.Close() })
	after := attach(t, db)
	copies := map[string]int{}
	for _, id := range readLines(t, sink) {
		copies[id]++
	}
	rows, err := sqldb.Collect(t.Context(), db, sqldb.Value[string], `SELECT id FROM message`)
	if err != nil {
		t.Fatal(err)
	}
	surplus, lost, gaveUp := 0, 0, 0
	for _, id := range rows {
		m := after.message(id)
		switch {
		case m.State == outbox.Failed && m.Reason == outbox.ReasonAnswerLost:
			gaveUp++
		case m.State != outbox.Sent:
			t.Errorf("%s ended as %s (%s)", id, m.State, m.Detail)
		case copies[id] == 0:
			lost++
		}
		if extra := copies[id] - 1; extra > m.Uncertain {
			t.Errorf("%s arrived %d times, but %d answers were lost", id, copies[id], m.Uncertain)
		} else if extra > 0 {
			surplus += extra
		}
	}
	c := after.counts()
	t.Logf("%d kills: %d messages, %d surplus copies, %d lost answers shown, %d given up as unknown", kills, len(rows), surplus, c.LostAnswers, gaveUp)
	if gaveUp > 0 {
		t.Errorf("%d messages were given up, which may never have arrived", gaveUp)
	}
	if lost > 0 || len(rows) != crashMessages {
		t.Errorf("%d of %d messages are marked sent and never arrived", lost, len(rows))
	}
	if int64(surplus) > c.LostAnswers {
		t.Errorf("%d surplus copies, but only %d lost answers are shown", surplus, c.LostAnswers)
	}
	if c.LostAnswers == 0 {
		t.Error("no kill hit a message in flight: the test proved nothing")
	}
	if max := int64(kills * 10); c.LostAnswers > max {
		t.Errorf("%d answers lost in %d kills with ten connections", c.LostAnswers, kills)
	}
}

// lines counts what was delivered; every id is as long as every other.
func lines(path string) int {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return int(info.Size()) / len("msg_01J00000000000000000000000\n")
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for s := bufio.NewScanner(bytes.NewReader(raw)); s.Scan(); {
		out = append(out, s.Text())
	}
	return out
}
