package natstest_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/bustest"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus/natstest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

const urlEnv = "KIZUNA_NATSTEST_URL"

var cluster *natstest.Cluster

var harness = bustest.Harness{
	Durable: true,
	Up: func() (func(), error) {
		dir, err := os.MkdirTemp("", "natstest")
		if err != nil {
			return nil, err
		}
		if cluster, err = natstest.Start(context.Background(), dir); err != nil {
			return nil, err
		}
		return func() { cluster.Stop(); os.RemoveAll(dir) }, os.Setenv(urlEnv, cluster.URL())
	},
	Open: func(dir string, maxBytes int64) (bustest.Log, func() error, error) {
		log := open(fmt.Sprintf("T%X", sha256.Sum256([]byte(dir)))[:20], maxBytes)
		if err := log.Start(context.Background()); err != nil {
			return nil, nil, err
		}
		return log, func() error { return log.Stop(context.Background()) }, nil
	},
}

func open(stream string, maxBytes int64) *natsbus.Log {
	if maxBytes == 0 {
		maxBytes = 64 << 20 // the servers set the room aside
	}
	return natsbus.New(natsbus.Options{Cluster: natsbus.Cluster{URL: os.Getenv(urlEnv), Stream: stream, Replicas: natstest.Nodes}, MaxBytes: maxBytes})
}

func TestMain(m *testing.M) { bustest.Main(m, harness) }

func TestLogOnAClusterConforms(t *testing.T) { bustest.Run(t, harness) }

func start(t *testing.T, stream string) *natsbus.Log {
	t.Helper()
	log := open(stream, 0)
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Stop(context.Background()) })
	return log
}

func TestARecordOfOneProcessWakesTheReaderOfAnother(t *testing.T) {
	writer, reader := start(t, "WAKES"), start(t, "WAKES")
	woken := make(chan error, 1)
	go func() {
		recs, err := reader.Read(t.Context(), 0, 10, time.Minute)
		if err == nil && (len(recs) != 1 || string(recs[0].Data) != "x") {
			err = fmt.Errorf("read %v", recs)
		}
		woken <- err
	}()
	if _, err := writer.Append(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-woken; err != nil {
		t.Fatal(err)
	}
}

func TestProcessesTellEachOther(t *testing.T) {
	one, other := start(t, "TELLS"), start(t, "TELLS")
	heard := make(chan string, 10)
	for _, l := range []*natsbus.Log{one, other} {
		if err := l.Told("live", func(data []byte) { heard <- string(data) }); err != nil {
			t.Fatal(err)
		}
	}
	for { // a subscription is known to all servers a moment after it was made
		if err := one.Tell("live", []byte("x")); err != nil {
			t.Fatal(err)
		}
		deadline := time.After(time.Second)
		n := 0
		for n < 2 {
			select {
			case text := <-heard:
				if text != "x" {
					t.Fatalf("heard %q", text)
				}
				n++
				continue
			case <-deadline:
			}
			break
		}
		if n == 2 {
			return
		}
		if t.Context().Err() != nil {
			t.Fatal("nobody hears")
		}
	}
}

// The server that leads the stream is killed three times while several processes' worth of connections append and one reads: every acknowledged record is
// there once, where its acknowledgement said, and the reader has seen the same log.
func TestAKilledLeaderLosesAndDoublesNothing(t *testing.T) {
	const stream, writers, kills = "KILLS", 3, 3
	const still = 4 * time.Minute // without one acknowledgement; a busy machine has taken 45 s to elect a leader
	ctx := t.Context()
	reader := start(t, stream)
	type said struct {
		seq  uint64
		data string
	}
	acks := make(chan said)
	stop := make(chan struct{})
	ended := make(chan int, writers)
	var why atomic.Value // of the last refusal
	for w := range writers {
		log := start(t, stream)
		go func() {
			refused := 0
			defer func() { ended <- refused }()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				data := fmt.Sprintf("%d/%d", w, i)
				try, done := context.WithTimeout(ctx, bus.DefaultAppendTimeout)
				seq, err := log.Append(try, []byte(data))
				done()
				if err != nil {
					refused++
					why.Store(fmt.Sprintf("%s: %v", time.Now().Format(time.TimeOnly), err))
					continue
				}
				acks <- said{seq, data}
			}
		}()
	}
	acknowledged := map[uint64]string{}
	take := func(n int) {
		for range n {
			select {
			case a := <-acks:
				if old, ok := acknowledged[a.seq]; ok {
					t.Errorf("position %d was given to %s and %s", a.seq, old, a.data)
				}
				acknowledged[a.seq] = a.data
			case <-time.After(still):
				t.Fatalf("appends stand still: %d were acknowledged, the last refusal was at %v; the servers say:\n%s", len(acknowledged), why.Load(), cluster.Logs())
			}
		}
	}
	for range kills {
		take(100)
		// Records go on meanwhile; nobody takes them here.
		whole := make(chan error, 1)
		go func() { whole <- cluster.Whole(ctx, stream) }()
		for waiting := true; waiting; {
			select {
			case err := <-whole:
				if err != nil {
					t.Fatal(err)
				}
				waiting = false
			default:
				take(1)
			}
		}
		leader, err := cluster.Leader(ctx, stream)
		if err != nil || leader < 0 {
			t.Fatalf("leader %d, %v", leader, err)
		}
		if err := cluster.Kill(leader); err != nil {
			t.Fatal(err)
		}
		take(100)
		if err := cluster.Start(leader); err != nil {
			t.Fatal(err)
		}
		take(100)
	}
	close(stop)
	refused, running := 0, writers
	for running > 0 {
		select {
		case a := <-acks:
			acknowledged[a.seq] = a.data
		case n := <-ended:
			running, refused = running-1, refused+n
		}
	}
	seen := map[string]uint64{}
	var last uint64
	for after := uint64(0); ; {
		recs, err := reader.Read(ctx, after, 100, 0)
		if errs.Is(err, errs.KindUnavailable) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(recs) == 0 {
			break
		}
		for _, r := range recs {
			if r.Seq != last+1 {
				t.Errorf("position %d follows %d", r.Seq, last)
			}
			if old, ok := seen[string(r.Data)]; ok {
				t.Errorf("record %s is at %d and %d", r.Data, old, r.Seq)
			}
			last, after, seen[string(r.Data)] = r.Seq, r.Seq, r.Seq
		}
	}
	for seq, data := range acknowledged {
		if seen[data] != seq {
			t.Errorf("record %s was acknowledged at %d and is at %d", data, seq, seen[data])
		}
	}
	t.Logf("%d acknowledged, %d refused, %d stored, %d kills", len(acknowledged), refused, len(seen), kills)
}

func TestALogThatAMinorityHoldsIsNotReached(t *testing.T) {
	log := start(t, "REACHED")
	until := func(what string, holds func(error) bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			err := log.Reached(ctx)
			cancel()
			if holds(err) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("after a minute still not: %s: %v", what, err)
			}
		}
	}
	until("three servers hold it", func(err error) bool { return err == nil })
	for _, i := range []int{1, 2} {
		if err := cluster.Kill(i); err != nil {
			t.Fatal(err)
		}
	}
	until("one is not enough", func(err error) bool { return err != nil })
	for _, i := range []int{1, 2} {
		if err := cluster.Start(i); err != nil {
			t.Fatal(err)
		}
	}
	until("all are back", func(err error) bool { return err == nil })
}
