package bustest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Log is what the suite tests: all logs so far can be trimmed.
type Log interface {
	bus.Log
	bus.Trimmer
}

// Harness opens logs for the suite.
type Harness struct {
	// Open opens the log in the folder, which may hold one already, bounded to maxBytes (0: no bound that matters).
	Open func(dir string, maxBytes int64) (log Log, closeLog func() error, err error)
	// Up starts what all logs of the test binary need, before the first test, and down ends it after the last; nil: nothing. Processes that the suite
	// starts and kills find it by what Up has put into the environment.
	Up func() (down func(), err error)
	// Durable logs are also tested across reopening and kill -9; their test binary must call Main.
	Durable bool
}

// patience is how long a test waits for what must happen; it only runs out when the test fails.
const patience = 20 * time.Second

func (h Harness) open(t *testing.T, dir string, maxBytes int64) Log {
	t.Helper()
	log, closeLog, err := h.Open(dir, maxBytes)
	if err != nil {
		t.Fatalf("open the log: %v", err)
	}
	t.Cleanup(func() {
		if err := closeLog(); err != nil {
			t.Errorf("close the log: %v", err)
		}
	})
	return log
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Run("records come back in order and unchanged", h.order)
	t.Run("read starts after any position and obeys max", h.position)
	t.Run("bounds are zero until the first record", h.bounds)
	t.Run("read waits for the next append", h.wakes)
	t.Run("read of nothing returns empty after the wait", h.waits)
	t.Run("read ends with its context", h.cancel)
	t.Run("a position beyond the end is a conflict", h.ahead)
	t.Run("concurrent appends are all kept, each reader sees one order", h.concurrent)
	t.Run("trimmed records are skipped", h.trim)
	t.Run("a full log refuses and takes again after a trim", h.full)
	t.Run("a closed log says so", h.closed)
	if h.Durable {
		t.Run("records and positions survive reopening", h.reopen)
		t.Run("acknowledged records survive kill -9", h.kill)
	}
}

func mustAppend(t *testing.T, log bus.Log, data string) uint64 {
	t.Helper()
	seq, err := log.Append(t.Context(), []byte(data))
	if err != nil {
		t.Fatalf("append %.20q: %v", data, err)
	}
	return seq
}

// readAll reads from the position to the end.
func readAll(t *testing.T, log bus.Log, after uint64) []bus.Record {
	t.Helper()
	var all []bus.Record
	for {
		recs, err := log.Read(t.Context(), after, 100, 0)
		if err != nil {
			t.Fatalf("read after %d: %v", after, err)
		}
		if len(recs) == 0 {
			return all
		}
		for _, r := range recs {
			if r.Seq <= after {
				t.Fatalf("position %d came after %d", r.Seq, after)
			}
			after = r.Seq
		}
		all = append(all, recs...)
	}
}

func payloads(recs []bus.Record) []string {
	var out []string
	for _, r := range recs {
		out = append(out, string(r.Data))
	}
	return out
}

func (h Harness) order(t *testing.T) {
	log := h.open(t, t.TempDir(), 0)
	before := time.Now().Add(-time.Minute)
	want := []string{"a", "zero \x00 byte", "", strings.Repeat("x", 300<<10), "line\nbreaks\n", "\xff\xfe"}
	for _, data := range want {
		mustAppend(t, log, data)
	}
	recs := readAll(t, log, 0)
	if got := payloads(recs); !slices.Equal(got, want) {
		t.Fatalf("read %d records that differ from the %d appended", len(got), len(want))
	}
	if recs[0].Seq != 1 {
		t.Errorf("first position is %d, want 1", recs[0].Seq)
	}
	for _, r := range recs {
		if r.Time.Before(before) || r.Time.After(time.Now().Add(time.Minute)) {
			t.Errorf("record %d has time %v", r.Seq, r.Time)
		}
	}
}

func (h Harness) position(t *testing.T) {
	log := h.open(t, t.TempDir(), 0)
	var seqs []uint64
	for i := range 50 {
		seqs = append(seqs, mustAppend(t, log, fmt.Sprint(i)))
	}
	for _, from := range []int{10, 40, 0, 48} { // forth and back
		recs, err := log.Read(t.Context(), seqs[from], 3, 0)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := from + 1; i < min(from+4, 50); i++ {
			want = append(want, fmt.Sprint(i))
		}
		if got := payloads(recs); len(got) == 0 || !slices.Equal(got, want[:len(got)]) {
			t.Errorf("read after record %d: %q, want a beginning of %q", from, got, want)
		}
	}
	if recs, err := log.Read(t.Context(), seqs[49], 3, 0); err != nil || len(recs) != 0 {
		t.Errorf("read after the last: %d records, %v", len(recs), err)
	}
}

func (h Harness) bounds(t *testing.T) {
	log := h.open(t, t.TempDir(), 0)
	check := func(wantFirst, wantLast uint64) {
		t.Helper()
		first, last, err := log.Bounds(t.Context())
		if err != nil || first != wantFirst || last != wantLast {
			t.Errorf("bounds are %d, %d, %v; want %d, %d", first, last, err, wantFirst, wantLast)
		}
	}
	check(0, 0)
	mustAppend(t, log, "a")
	check(1, 1)
	mustAppend(t, log, "b")
	check(1, 2)
}

func (h Harness) wakes(t *testing.T) {
	log := h.open(t, t.TempDir(), 0)
	after := mustAppend(t, log, "first")
	got := make(chan []bus.Record, 1)
	go func() {
		recs, _ := log.Read(context.WithoutCancel(t.Context()), after, 10, patience)
		got <- recs
	}()
	start := time.Now()
	mustAppend(t, log, "second")
	select {
	case recs := <-got:
		if len(recs) != 1 || string(recs[0].Data) != "second" {
			t.Errorf("woke with %q", payloads(recs))
		}
		if took := time.Since(start); took > patience/2 {
			t.Errorf("woke after %v", took)
		}
	case <-time.After(patience):
		t.Fatal("the append did not wake the reader")
	}
}

func (h Harness) waits(t *testing.T) {
	log := h.open(t, t.TempDir(), 0)
	for _, wait := range []time.Duration{0, 20 * time.Millisecond} {
		start := time.Now()
		recs, err := log.Read(t.Context(), 0, 10, wait)
		if err != nil || len(recs) != 0 {
			t.Errorf("wait %v: %d records, %v", wait, len(recs), err)
		}
		if took := time.Since(start); took < wait {
			t.Errorf("wait %v: returned after %v", wait, took)
		}
	}
}

func (h Harness) cancel(t *testing.T) {
	log := h.open(t, t.TempDir(), 0)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := log.Read(ctx, 0, 10, 10*patience)
		ended <- err
	}()
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("no error from a cancelled read")
		}
	case <-time.After(patience):
		t.Fatal("the read outlived its context")
	}
}

func (h Harness) ahead(t *testing.T) {
	log := h.open(t, t.TempDir(), 0)
	seq := mustAppend(t, log, "a")
	if _, err := log.Read(t.Context(), seq+5, 10, 10*patience); !errs.Is(err, errs.KindConflict) {
		t.Errorf("read beyond the end: %v, want a conflict", err)
	}
}

func (h Harness) concurrent(t *testing.T) {
	log := h.open(t, t.TempDir(), 0)
	const writers, each = 8, 25
	var mu sync.Mutex
	bySeq := map[uint64]string{}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			var last uint64
			for i := range each {
				data := fmt.Sprintf("%d/%d", w, i)
				seq, err := log.Append(t.Context(), []byte(data))
				if err != nil || seq <= last {
					t.Errorf("append %s: position %d after %d, %v", data, seq, last, err)
					return
				}
				last = seq
				mu.Lock()
				bySeq[seq] = data
				mu.Unlock()
			}
		})
	}
	// A reader that follows while they write sees what one that comes later sees.
	var followed []string
	for after := uint64(0); len(followed) < writers*each; {
		recs, err := log.Read(t.Context(), after, 7, patience)
		if err != nil || len(recs) == 0 {
			t.Fatalf("follow after %d: %d records, %v", after, len(recs), err)
		}
		followed = append(followed, payloads(recs)...)
		after = recs[len(recs)-1].Seq
	}
	wg.Wait()
	recs := readAll(t, log, 0)
	if !slices.Equal(followed, payloads(recs)) {
		t.Error("two readers saw different logs")
	}
	if len(recs) != len(bySeq) {
		t.Fatalf("%d records, %d acknowledged", len(recs), len(bySeq))
	}
	for _, r := range recs {
		if bySeq[r.Seq] != string(r.Data) {
			t.Errorf("record %d is %q, acknowledged as %q", r.Seq, r.Data, bySeq[r.Seq])
		}
	}
}

func (h Harness) trim(t *testing.T) {
	dir := t.TempDir()
	log := h.open(t, dir, 0)
	for i := range 10 {
		mustAppend(t, log, fmt.Sprint(i+1))
	}
	if err := log.Trim(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if got := payloads(readAll(t, log, 2)); !slices.Equal(got, []string{"7", "8", "9", "10"}) {
		t.Errorf("after the trim: %q", got)
	}
	if first, last, err := log.Bounds(t.Context()); first != 7 || last != 10 || err != nil {
		t.Errorf("bounds after the trim: %d, %d, %v", first, last, err)
	}
	if err := log.Trim(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	if recs, err := log.Read(t.Context(), 0, 10, 0); err != nil || len(recs) != 0 {
		t.Errorf("read of a log that was trimmed whole: %q, %v", payloads(recs), err)
	}
	if seq := mustAppend(t, log, "next"); seq != 11 {
		t.Errorf("position %d after a trim of everything, want 11", seq)
	}
	if got := payloads(readAll(t, log, 0)); !slices.Equal(got, []string{"next"}) {
		t.Errorf("after that: %q", got)
	}
}

func (h Harness) full(t *testing.T) {
	log := h.open(t, t.TempDir(), 64<<10)
	data := strings.Repeat("x", 4<<10)
	var last uint64
	for {
		seq, err := log.Append(t.Context(), []byte(data))
		if err != nil {
			if !errs.Is(err, errs.KindUnavailable) {
				t.Fatalf("a full log answers %v", err)
			}
			break
		}
		if last = seq; last > 100 {
			t.Fatal("the bound was never reached")
		}
	}
	if got := len(readAll(t, log, 0)); got != int(last) {
		t.Errorf("%d records left of %d: a full log dropped some", got, last)
	}
	used, limit, err := log.Size(t.Context())
	if err != nil || limit != 64<<10 || used < limit-8<<10 || used > limit {
		t.Errorf("size of a full log: %d of %d, %v", used, limit, err)
	}
	if err := log.Trim(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, log, data)
}

func (h Harness) closed(t *testing.T) {
	log, closeLog, err := h.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, log, "a")
	waiting := make(chan error, 1)
	go func() {
		_, err := log.Read(context.WithoutCancel(t.Context()), 1, 10, 10*patience)
		waiting <- err
	}()
	for range 2 { // closing twice is closing once
		if err := closeLog(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	select {
	case err := <-waiting:
		if !errs.Is(err, errs.KindUnavailable) {
			t.Errorf("a waiting read ended with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("a waiting read outlived the log")
	}
	if _, err := log.Append(t.Context(), []byte("b")); !errs.Is(err, errs.KindUnavailable) {
		t.Errorf("append to a closed log: %v", err)
	}
	if _, err := log.Read(t.Context(), 0, 10, 0); !errs.Is(err, errs.KindUnavailable) {
		t.Errorf("read of a closed log: %v", err)
	}
	if _, _, err := log.Bounds(t.Context()); !errs.Is(err, errs.KindUnavailable) {
		t.Errorf("bounds of a closed log: %v", err)
	}
}

func (h Harness) reopen(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for round := range 3 {
		log, closeLog, err := h.Open(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := payloads(readAll(t, log, 0)); !slices.Equal(got, want) {
			t.Fatalf("round %d: %q, want %q", round, got, want)
		}
		for i := range 5 {
			data := fmt.Sprintf("%d/%d", round, i)
			if seq := mustAppend(t, log, data); seq != uint64(len(want)+1) {
				t.Errorf("position %d, want %d", seq, len(want)+1)
			}
			want = append(want, data)
		}
		if err := closeLog(); err != nil {
			t.Fatal(err)
		}
	}
	// An emptied log still knows where it was.
	log, closeLog, err := h.Open(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Trim(t.Context(), 16); err != nil {
		t.Fatal(err)
	}
	if err := closeLog(); err != nil {
		t.Fatal(err)
	}
	if seq := mustAppend(t, h.open(t, dir, 0), "after"); seq != 16 {
		t.Errorf("position %d after an emptied log was reopened, want 16", seq)
	}
}

// childEnv names the folder in which the re-executed test binary appends until it is killed.
const childEnv = "KIZUNA_BUSTEST_APPEND"

// Main is TestMain for packages with a durable log: it lets the suite run the test binary again as the process that
// gets killed.
func Main(m *testing.M, h Harness) {
	dir := os.Getenv(childEnv)
	if dir == "" {
		os.Exit(h.run(m))
	}
	if err := h.appendForever(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (h Harness) run(m *testing.M) int {
	if h.Up != nil {
		down, err := h.Up()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer down()
	}
	return m.Run()
}

// appendForever prints the payload of every acknowledged record, a line each.
func (h Harness) appendForever(dir string) error {
	log, _, err := h.Open(dir, 0)
	if err != nil {
		return err
	}
	var out sync.Mutex
	failed := make(chan error)
	for g := range 4 {
		go func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("%d-%d-%d", os.Getpid(), g, i)
				if _, err := log.Append(context.Background(), []byte(name+" "+strings.Repeat("x", 2000))); err != nil {
					failed <- err
					return
				}
				out.Lock()
				fmt.Println(name)
				out.Unlock()
			}
		}()
	}
	return <-failed
}

func (h Harness) kill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range 4 {
		child := exec.Command(os.Args[0], "-test.run=^$")
		child.Env = append(os.Environ(), childEnv+"="+dir)
		var stderr bytes.Buffer
		child.Stderr = &stderr
		stdout, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(stdout)
		for n := 0; ; n++ {
			line, err := lines.ReadString('\n')
			if err != nil {
				if err != io.EOF {
					t.Errorf("read the child's answers: %v", err)
				}
				break // a last line without its end was not acknowledged to anyone
			}
			acknowledged[strings.TrimSpace(line)] = true
			if n == 20+40*round {
				_ = child.Process.Kill()
			}
		}
		_ = child.Wait() // killed
		if len(acknowledged) == 0 {
			t.Fatalf("the child acknowledged nothing: %s", stderr.String())
		}
	}
	seen := map[string]int{}
	for _, r := range readAll(t, h.open(t, dir, 0), 0) {
		name, rest, _ := strings.Cut(string(r.Data), " ")
		if len(rest) != 2000 {
			t.Errorf("record %d is torn: %d bytes", r.Seq, len(r.Data))
		}
		seen[name]++
	}
	for name := range acknowledged {
		if seen[name] != 1 {
			t.Errorf("record %s was acknowledged and is there %d times", name, seen[name])
		}
	}
	t.Logf("%d acknowledged, %d stored", len(acknowledged), len(seen))
}
