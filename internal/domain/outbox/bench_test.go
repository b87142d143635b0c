package outbox_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/email"
	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// quick takes every message at once.
type quick struct{ done chan struct{} }

func (q quick) Check(context.Context) error { return nil }
func (q quick) Close() error                { return nil }

func (q quick) Send(_ context.Context, _ channel.Message, commit func() error) channel.Outcome {
	if commit() != nil {
		return channel.Outcome{Result: channel.Deferred}
	}
	q.done <- struct{}{}
	return channel.Outcome{Result: channel.Sent, Code: "250"}
}

// durable opens a database as production does; sqldbtest's are fast and forgetful.
func durable(b *testing.B) *sqldb.DB {
	b.Helper()
	db, err := sqldb.Open(b.Context(), "sqlite:"+b.TempDir()+"/bench.db", sqldb.Options{Synchronous: "FULL"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if err := sqlstore.Migrate(b.Context(), db); err != nil {
		b.Fatal(err)
	}
	return db
}

// BenchmarkEnqueue measures rows a second through the gate into the queue, 1000 a call, every row with its own transaction's share of
// fsync. People come from memory.
func BenchmarkEnqueue(b *testing.B) {
	f := setup(b, durable(b), func(c *outbox.Config) { c.Emitter = sqlstore.NewPendingEvent(c.Tx.(*sqldb.DB)) })
	const people = 5000
	f.subscribed(1, people)
	b.ResetTimer()
	began := time.Now()
	rows := 0
	for i := 0; b.Loop(); i++ {
		reqs := make([]outbox.Request, 1000)
		for j := range reqs {
			reqs[j] = f.request((i*1000+j)%people+1, func(r *outbox.Request) { r.Key = fmt.Sprintf("cmp_1:%d:%d", i, j) })
		}
		f.enqueue(reqs...)
		rows += len(reqs)
	}
	b.ReportMetric(float64(rows)/time.Since(began).Seconds(), "rows/s")
}

// BenchmarkDispatch measures messages a second from the queue to a channel that takes them at once: claim, gate, render, sign links,
// intent and result on disk, event emitted.
func BenchmarkDispatch(b *testing.B) {
	for _, engine := range []string{"sqlite-full", "postgres"} {
		for _, connections := range []int{10, 50} {
			b.Run(fmt.Sprintf("%s/connections=%d", engine, connections), func(b *testing.B) {
				done := make(chan struct{}, 1)
				benchDispatch(b, engine, connections, func() channel.Sender { return quick{done} }, func(int) { <-done })
			})
		}
	}
}

// BenchmarkSend is the same over SMTP, to a server in a process of its own.
func BenchmarkSend(b *testing.B) {
	for _, latency := range []time.Duration{0, 5 * time.Millisecond} {
		for _, connections := range []int{10, 50} {
			b.Run(fmt.Sprintf("latency=%s/connections=%d", latency, connections), func(b *testing.B) {
				sink := startSink(b, latency)
				benchDispatch(b, "sqlite-full", connections, func() channel.Sender {
					sender, err := email.New(email.Config{Host: "127.0.0.1", Port: sink.port, Security: email.None}, email.Options{})
					if err != nil {
						b.Fatal(err)
					}
					return sender
				}, sink.wait)
			})
		}
	}
}

func benchDispatch(b *testing.B, engine string, connections int, sender func() channel.Sender, wait func(total int)) {
	var db *sqldb.DB
	if engine == "postgres" {
		db = sqldbtest.Open(b, sqldb.Postgres)
	} else {
		db = durable(b)
	}
	f := setup(b, db, func(c *outbox.Config) { c.Emitter = sqlstore.NewPendingEvent(db) })
	const messages = 10000
	f.sender = sender() // a dispatcher closes it when it stops
	a := f.account
	a.Connections = connections
	if _, err := f.UpdateAccount(b.Context(), ws, a); err != nil {
		b.Fatal(err)
	}
	f.subscribed(1, messages)
	total, cpu := 0, time.Duration(0)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		f.sender = sender()
		for from := 1; from <= messages; from += 1000 {
			reqs := make([]outbox.Request, 1000)
			for j := range reqs {
				reqs[j] = f.request(from+j, func(r *outbox.Request) { r.Key = fmt.Sprintf("%d:%d", i, from+j) })
			}
			f.enqueue(reqs...)
		}
		d := outbox.NewDispatcher(f.Service, outbox.DispatchConfig{})
		before := processor(b)
		b.StartTimer()
		if err := d.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		if _, counted := f.sender.(quick); counted {
			for range messages {
				wait(0)
			}
		} else {
			wait(total + messages)
		}
		if err := d.Stop(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		cpu += processor(b) - before
		b.StartTimer()
		total += messages
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(float64(cpu.Microseconds())/float64(total), "µs-cpu/msg")
}

// processor is what this process has used of the processors.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const sinkVariable = "KIZUNA_TEST_SINK_CHILD" // latency of the child that is the sink

// TestSinkChild is an SMTP server in a process of its own; by itself it does nothing.
func TestSinkChild(t *testing.T) {
	latency := os.Getenv(sinkVariable)
	if latency == "" {
		t.Skip("runs as a child of BenchmarkSend")
	}
	d, err := time.ParseDuration(latency)
	if err != nil {
		t.Fatal(err)
	}
	s := smtptest.Start(t, smtptest.Config{Latency: d, Discard: true})
	fmt.Println("port", s.Port())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		n, _, _ := s.Taken()
		fmt.Println("taken", n)
	}
}

type childSink struct {
	b    *testing.B
	port int
	in   io.WriteCloser
	out  *bufio.Reader
}

func startSink(b *testing.B, latency time.Duration) *childSink {
	b.Helper()
	s := &childSink{b: b}
	child := exec.Command(os.Args[0], "-test.run=^TestSinkChild$")
	child.Env = append(os.Environ(), sinkVariable+"="+latency.String())
	child.Stderr = os.Stderr
	var err error
	if s.in, err = child.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = s.in.Close() // it ends with its input
		_ = child.Wait()
	})
	s.out = bufio.NewReader(out)
	s.port = s.number("port")
	return s
}

func (s *childSink) number(name string) (n int) {
	s.b.Helper()
	line, err := s.out.ReadString('\n')
	if err == nil {
		_, err = fmt.Sscanf(line, name+" %d", &n)
	}
	if err != nil {
		s.b.Fatalf("%q: %v", line, err)
	}
	return n
}

// wait returns once the sink has taken so many in all.
func (s *childSink) wait(total int) {
	for {
		if _, err := fmt.Fprintln(s.in); err != nil {
			s.b.Fatal(err)
		}
		if s.number("taken") >= total {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
