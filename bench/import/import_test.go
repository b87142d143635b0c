// Package imports measures files of people and of events that come in by the product's own job.
//
//	go test ./bench/import -run XXX -bench Import -benchtime 1x -timeout 1h
//
// The real binary takes a file of people, then a file of what they did, four orders each. Rows a second count from the beginning of the job to its end, when
// everything has gone through the whole chain; "read" is the part of it until all rows are durably on the log. Beside them stands the least that must be
// done: parse the file and append its rows, with a sync for each two thousand. Processor time is the server's alone.
//
// KIZUNA_BENCH_ROWS is how many people (20,000). KIZUNA_BENCH_PROFILE=FOLDER keeps profiles of the first KIZUNA_BENCH_PROFILE_SECONDS (10) there.
package imports

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

const ordersEach = 4

func people(n int) []byte {
	var b bytes.Buffer
	b.WriteString("customer,email,first_name,country,birthday,points\n")
	for i := range n {
		fmt.Fprintf(&b, "c%07d,c%07d@people.example,Name %d,%s,19%02d-%02d-%02d,%d\n", i, i, i%997, []string{"JP", "DE", "FR", "US"}[i%4], 50+i%50, i%12+1, i%28+1, i%1000)
	}
	return b.Bytes()
}

func orders(people int) []byte {
	var b bytes.Buffer
	b.WriteString("customer,time,order,total,currency\n")
	for i := range people * ordersEach {
		fmt.Fprintf(&b, "c%07d,2026-%02d-%02dT%02d:%02d:00Z,o%08d,%d.5,EUR\n", i%people, i%10+1, i%28+1, i%24, i%60, i, i%97+3)
	}
	return b.Bytes()
}

// least is the processor time of what cannot be left out: each row is parsed and appended, with a sync for each two thousand.
func least(b *testing.B, file []byte) time.Duration {
	b.Helper()
	out, err := os.Create(filepath.Join(b.TempDir(), "rows"))
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	began := ownCPU(b)
	in := csv.NewReader(bytes.NewReader(file))
	in.ReuseRecord = true
	var chunk []byte
	for n := 1; ; n++ {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		chunk = append(append(chunk, strings.Join(row, "\x00")...), '\n')
		if n%2000 == 0 {
			_, _ = out.Write(chunk)
			_ = out.Sync()
			chunk = chunk[:0]
		}
	}
	_, _ = out.Write(chunk)
	_ = out.Sync()
	return ownCPU(b) - began
}

func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkImport(b *testing.B) {
	n := number("KIZUNA_BENCH_ROWS", 20_000)
	s := harness.Start(b)
	for _, c := range []struct {
		name, event string
		file        []byte
		rows        int
		columns     []map[string]string
	}{
		{"people", "", people(n), n, []map[string]string{
			{"name": "customer", "to": "identifier", "key": "user_id"},
			{"name": "email", "to": "identifier", "key": "email"},
			{"name": "first_name", "to": "trait", "key": "first_name"},
			{"name": "country", "to": "trait", "key": "country"},
			{"name": "birthday", "to": "trait", "key": "birthday"},
			{"name": "points", "to": "trait", "key": "points", "type": "number"},
		}},
		{"events", "Order Completed", orders(n), n * ordersEach, []map[string]string{
			{"name": "customer", "to": "identifier", "key": "user_id"},
			{"name": "time", "to": "time"},
			{"name": "order", "to": "property", "key": "order_id"},
			{"name": "total", "to": "property", "key": "total", "type": "number"},
			{"name": "currency", "to": "property", "key": "currency"},
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				var upload struct{ ID string }
				s.Must("POST", "/uploads", c.file, &upload)
				var look struct{ Layout map[string]any }
				s.Must("POST", "/imports/look", map[string]any{"upload": upload.ID}, &look)
				plan := map[string]any{"columns": c.columns}
				if c.event != "" {
					plan["event"] = c.event
				}
				var j struct {
					ID, State, Error string
					Figures          map[string]int
				}
				s.Quiet(10 * time.Minute)
				harness.ResetPeak(s.PID())
				profiled := s.ProfileDuring(number("KIZUNA_BENCH_PROFILE_SECONDS", 10), "import-"+c.name+".cpu")
				began, cpu := time.Now(), harness.CPU(s.PID())
				s.Must("POST", "/imports", map[string]any{"upload": upload.ID, "layout": look.Layout, "plan": plan, "name": c.name}, &j)
				var read time.Duration
				s.Eventually(30*time.Minute, "the import ends", func() bool {
					time.Sleep(200 * time.Millisecond)
					s.Must("GET", "/jobs/"+j.ID, nil, &j)
					if read == 0 && j.Figures["rows"] >= c.rows {
						read = time.Since(began)
					}
					return j.State == "done" || j.State == "failed"
				})
				took := time.Since(began)
				s.Quiet(10 * time.Minute)
				used := harness.CPU(s.PID()) - cpu
				profiled()
				if j.State != "done" || j.Figures["accepted"] != c.rows {
					b.Fatalf("the import ended as %+v, want %d rows", j, c.rows)
				}
				per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(c.rows) }
				bare := least(b, c.file)
				b.ReportMetric(float64(c.rows)/took.Seconds(), "rows/s")
				b.ReportMetric(float64(c.rows)/read.Seconds(), "rows/s-read")
				b.ReportMetric(per(used), "µs-cpu/row")
				b.ReportMetric(per(bare), "µs-cpu/row-least")
				b.ReportMetric(used.Seconds()/bare.Seconds(), "ratio-to-least")
				b.ReportMetric(harness.Memory(s.PID(), "VmHWM"), "MB")
				b.ReportMetric(float64(len(c.file))/float64(c.rows), "B/row")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
