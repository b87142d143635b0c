package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/bustest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func startWriter(t testing.TB, log bus.Log, opt bus.WriterOptions) *bus.Writer {
	t.Helper()
	w := bus.NewWriter(log, opt)
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Stop(context.Background()) })
	return w
}

func lines(parts ...string) [][]byte {
	var items [][]byte
	for _, p := range parts {
		items = append(items, []byte(p+"\n"))
	}
	return items
}

func records(t testing.TB, log bus.Log) []string {
	t.Helper()
	recs, err := log.Read(context.Background(), 0, 1<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range recs {
		out = append(out, string(r.Data))
	}
	return out
}

func TestWriterGathersWhatWaitsIntoOneRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := bustest.NewMemory(0)
		w := startWriter(t, log, bus.WriterOptions{InFlight: 1})
		release := log.Hold()
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				if err := w.Append(t.Context(), lines(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait() // the first is in flight, the others queue in order
		}
		release()
		wg.Wait()
		got := records(t, log)
		if len(got) != 2 || got[0] != "0\n" || got[1] != "1\n2\n3\n4\n5\n6\n7\n8\n9\n" {
			t.Errorf("records %q, want the first alone and the nine that waited together", got)
		}
	})
}

func TestWriterSplitsACallThatDoesNotFit(t *testing.T) {
	log := bustest.NewMemory(0)
	w := startWriter(t, log, bus.WriterOptions{MaxRecord: 10})
	long := strings.Repeat("L", 30)
	if err := w.Append(t.Context(), lines("aaaa", "bbbb", "cccc", long, "d")); err != nil {
		t.Fatal(err)
	}
	got := records(t, log)
	want := []string{"aaaa\nbbbb\n", "cccc\n", long + "\n", "d\n"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("records %q, want %q", got, want)
	}
}

func TestWriterTurnsCallersAwayWhenTheQueueIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := bustest.NewMemory(0)
		w := startWriter(t, log, bus.WriterOptions{InFlight: 1, MaxQueue: 20})
		release := log.Hold()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if err := w.Append(t.Context(), lines("123456789")); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if err := w.Append(t.Context(), lines("x")); !errs.Is(err, errs.KindUnavailable) {
			t.Errorf("append to a full queue: %v", err)
		}
		release()
		wg.Wait()
		synctest.Wait()
		if err := w.Append(t.Context(), lines("y")); err != nil {
			t.Errorf("append once there is room: %v", err)
		}
		if got := strings.Join(records(t, log), ""); got != "123456789\n123456789\ny\n" {
			t.Errorf("log holds %q", got)
		}
	})
}

func TestWriterTakesACallLargerThanTheQueueWhenIdle(t *testing.T) {
	w := startWriter(t, bustest.NewMemory(0), bus.WriterOptions{MaxQueue: 5})
	if err := w.Append(t.Context(), lines("more than five")); err != nil {
		t.Errorf("append: %v", err)
	}
}

func TestWriterPassesTheLogsErrorToEveryCallerOfTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := bustest.NewMemory(0)
		w := startWriter(t, log, bus.WriterOptions{InFlight: 1})
		release := log.Hold()
		full := errs.Unavailable("bus.full", "full")
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if err := w.Append(t.Context(), lines("x")); !errors.Is(err, full) {
					t.Errorf("append: %v, want the log's error", err)
				}
			})
		}
		synctest.Wait()
		log.Fail(full)
		release()
		wg.Wait()
	})
}

func TestWriterForgetsCallersThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := bustest.NewMemory(0)
		w := startWriter(t, log, bus.WriterOptions{InFlight: 1, MaxQueue: 20})
		release := log.Hold()
		go func() { _ = w.Append(t.Context(), lines("in flight")) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { left <- w.Append(ctx, lines("leaves")) }()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("append: %v", err)
		}
		go func() { _ = w.Append(t.Context(), lines("stays")) }() // fits only because the other's bytes are free
		synctest.Wait()
		release()
		synctest.Wait()
		if got := strings.Join(records(t, log), ""); got != "in flight\nstays\n" {
			t.Errorf("log holds %q", got)
		}
	})
}

func TestWriterStopWritesWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := bustest.NewMemory(0)
		w := startWriter(t, log, bus.WriterOptions{InFlight: 2})
		release := log.Hold()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := w.Append(t.Context(), lines("x")); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		stopped := make(chan error, 1)
		go func() { stopped <- w.Stop(context.Background()) }()
		synctest.Wait()
		if err := w.Append(t.Context(), lines("late")); !errs.Is(err, errs.KindUnavailable) {
			t.Errorf("append while stopping: %v", err)
		}
		release()
		wg.Wait()
		if err := <-stopped; err != nil {
			t.Errorf("stop: %v", err)
		}
		if got := strings.Count(strings.Join(records(t, log), ""), "x\n"); got != 20 {
			t.Errorf("%d items on the log, want 20", got)
		}
	})
}

func TestWriterStopGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := bustest.NewMemory(0)
		w := startWriter(t, log, bus.WriterOptions{InFlight: 1})
		defer log.Hold()()
		ended := make(chan error, 1)
		go func() { ended <- w.Append(t.Context(), lines("x")) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stop: %v", err)
		}
		if err := <-ended; !errs.Is(err, errs.KindUnavailable) {
			t.Errorf("the caller was told %v", err)
		}
	})
}

func TestWriterGivesUpOnALogThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := bustest.NewMemory(0)
		w := startWriter(t, log, bus.WriterOptions{AppendTimeout: time.Second})
		defer log.Hold()()
		if err := w.Append(t.Context(), lines("x")); !errs.Is(err, errs.KindUnavailable) {
			t.Errorf("append: %v", err)
		}
	})
}

func TestWriterBeforeStartAndAfterStopIsUnavailable(t *testing.T) {
	w := bus.NewWriter(bustest.NewMemory(0), bus.WriterOptions{})
	if err := w.Append(t.Context(), lines("x")); !errs.Is(err, errs.KindUnavailable) {
		t.Errorf("before start: %v", err)
	}
	for range 2 {
		if err := w.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Append(t.Context(), lines("x")); !errs.Is(err, errs.KindUnavailable) {
		t.Errorf("after stop: %v", err)
	}
}

// Whatever the sizes and the concurrency, every item is stored once, and items of one call keep their order.
func TestWriterStoresEveryItemOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		log := bustest.NewMemory(0)
		w := bus.NewWriter(log, bus.WriterOptions{
			MaxRecord: rapid.IntRange(1, 200).Draw(rt, "max record"),
			InFlight:  rapid.IntRange(1, 5).Draw(rt, "in flight"),
		})
		if err := w.Start(context.Background()); err != nil {
			rt.Fatal(err)
		}
		calls := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 60), 1, 8), 1, 20).Draw(rt, "item sizes of each call")
		var wg sync.WaitGroup
		for c, sizes := range calls {
			wg.Go(func() {
				var items [][]byte
				for i, n := range sizes {
					items = append(items, fmt.Appendf(nil, "%d %d %s\n", c, i, bytes.Repeat([]byte("x"), n)))
				}
				if err := w.Append(context.Background(), items); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := w.Stop(context.Background()); err != nil {
			rt.Fatal(err)
		}
		next := make([]int, len(calls))
		for line := range strings.Lines(strings.Join(records(t, log), "")) {
			var c, i int
			if _, err := fmt.Sscanf(line, "%d %d", &c, &i); err != nil {
				rt.Fatalf("line %q: %v", line, err)
			}
			if next[c] != i {
				rt.Fatalf("call %d: item %d where %d was due", c, i, next[c])
			}
			next[c]++
		}
		for c := range calls {
			if next[c] != len(calls[c]) {
				rt.Fatalf("call %d: %d of %d items stored", c, next[c], len(calls[c]))
			}
		}
	})
}
