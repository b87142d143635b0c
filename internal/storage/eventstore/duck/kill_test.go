package duck

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// killDir names the folder that the child process of the kill test writes to.
const killDir = "KIZUNA_TEST_DUCK_KILL_DIR"

const perBatch = 40

// killBatch is batch n of the kill test: events of two people who are then merged, one event of the batch before moved to
// person 7, and a mirror row that carries n.
func killBatch(n int) event.Batch {
	b := event.Batch{Through: uint64(n)}
	for i := range perBatch {
		b.Events = append(b.Events, event.Kept{
			Event: event.Event{
				Workspace: "ws_1", MessageID: fmt.Sprintf("m%d_%d", n, i), Type: event.Track, Name: "A",
				Time: time.UnixMicro(int64(n)).UTC(), Received: time.UnixMicro(1).UTC(), Origin: event.Server,
			},
			Person: uint64(1000 + 2*n + i%2), Position: event.Position{Seq: uint64(n), Index: i},
		})
	}
	b.Redirects = []event.Redirect{{Workspace: "ws_1", Loser: uint64(1000 + 2*n + 1), Winner: uint64(1000 + 2*n)}}
	b.Moves = []event.Move{{Workspace: "ws_1", MessageID: fmt.Sprintf("m%d_0", n-1), To: 7}}
	b.People = []event.Mirror{{Workspace: "ws_1", Num: 1, ID: "per_1", Traits: json.RawMessage(`{"n":` + strconv.Itoa(n) + `}`)}}
	return b
}

func TestKilledWriterLeavesWholeBatches(t *testing.T) {
	o := Options{FoldAt: 7}
	if dir := os.Getenv(killDir); dir != "" { // the child: append until killed
		s, err := Open(t.Context(), filepath.Join(dir, "events.duckdb"), o)
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for n := int(p) + 1; ; n++ {
			if err := s.Append(t.Context(), killBatch(n)); err != nil {
				t.Fatal(err)
			}
			fmt.Println("ack", n)
		}
	}
	dir := t.TempDir()
	for round := range 5 {
		acked := killAfter(t, dir, 3+round*3)
		s, err := Open(t.Context(), filepath.Join(dir, "events.duckdb"), o)
		if err != nil {
			t.Fatalf("round %d: open after kill: %v", round, err)
		}
		p, err := s.Position(t.Context())
		if err != nil || p < uint64(acked) {
			t.Fatalf("round %d: position %d, %v; batch %d had been acknowledged", round, p, err, acked)
		}
		rows, err := s.Query(t.Context(), `SELECT count(*), count(DISTINCT message_id), max(seq), count(*) FILTER (WHERE person = 7), count(*) FILTER (WHERE person % 2 = 1 AND person <> 7) FROM event`, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprint([]any{p * perBatch, p * perBatch, p, p - 1, 0})
		if got := fmt.Sprint(rows[0]); got != want {
			t.Errorf("round %d, position %d: rows, ids, last record, moved, unmerged are %s, want %s", round, p, got, want)
		}
		people, err := s.People(t.Context(), "ws_1", []uint64{1})
		if err != nil || len(people) != 1 || string(people[0].Traits) != fmt.Sprintf(`{"n":%d}`, p) {
			t.Errorf("round %d: mirror %+v, %v; want that of batch %d", round, people, err, p)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killAfter runs the child until it has acknowledged n batches, kills it and returns the last batch it acknowledged.
func killAfter(t *testing.T, dir string, n int) int {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKilledWriterLeavesWholeBatches$")
	child.Env = append(os.Environ(), killDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	last, seen := 0, 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, err := fmt.Sscanf(lines.Text(), "ack %d", &last); err == nil {
			seen++
		}
		if seen == n {
			// What is still in the pipe was acknowledged too and is read below.
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait() // it was killed
	if seen < n {
		t.Fatalf("the child stopped after %d batches", seen)
	}
	return last
}
