package send

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// resident is what a process has in memory, in MB, by what it belongs to.
type resident struct {
	Program float64 // pages of files: the program itself
	Go      float64 // the heap of the Go runtime
	C       float64 // everything else that has no file: the C library's heaps, and with them DuckDB's; SQLite's pages; stacks
}

func (r resident) sum() float64 { return r.Program + r.Go + r.C }

// residentOf reads smaps (proc(5)). The Go runtime puts its heap at an address of its own choice, far below those that the system gives to whoever asks
// without one.
func residentOf(pid int) (r resident) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return r
	}
	defer f.Close()
	var part *float64
	for in := bufio.NewScanner(f); in.Scan(); {
		fields := strings.Fields(in.Text())
		switch {
		case len(fields) == 0:
		case fields[0] == "Rss:" && part != nil:
			kb, _ := strconv.Atoi(fields[1])
			*part += float64(kb) / 1024
		case !strings.HasSuffix(fields[0], ":") && strings.Contains(fields[0], "-"):
			from, _, _ := strings.Cut(fields[0], "-")
			at, _ := strconv.ParseUint(from, 16, 64)
			switch {
			case len(fields) > 5 && strings.HasPrefix(fields[5], "/"):
				part = &r.Program
			case len(fields) == 5 && at >= 1<<32 && at < 0x7000_0000_0000:
				part = &r.Go
			default:
				part = &r.C
			}
		}
	}
	return r
}

// watcher looks at a process's memory twice a second.
type watcher struct {
	stop  chan struct{}
	done  chan struct{}
	first resident
	top   resident // when it was most
}

func watch(pid int) *watcher {
	w := &watcher{stop: make(chan struct{}), done: make(chan struct{}), first: residentOf(pid)}
	w.top = w.first
	go func() {
		defer close(w.done)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for began := time.Now(); ; {
			select {
			case <-w.stop:
				return
			case <-tick.C:
			}
			now := residentOf(pid)
			if now.sum() > w.top.sum() {
				w.top = now
			}
			if os.Getenv(harness.ProfileVariable) != "" {
				fmt.Fprintf(os.Stderr, "%6.1fs %6.0f MB: program %.0f, go %.0f, c %.0f\n", time.Since(began).Seconds(), now.sum(), now.Program, now.Go, now.C)
			}
		}
	}()
	return w
}

func (w *watcher) report(b *testing.B) {
	close(w.stop)
	<-w.done
	b.ReportMetric(w.top.Program-w.first.Program, "MB-more-program")
	b.ReportMetric(w.top.Go-w.first.Go, "MB-more-go")
	b.ReportMetric(w.top.C-w.first.C, "MB-more-c")
}
