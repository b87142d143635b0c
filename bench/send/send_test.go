// Package send measures the product as a whole while it sends: the real binary, a campaign to everybody, and an SMTP server in a
// process of its own. Every mail is rendered, its links are signed, its row and its events are written.
//
//	go test ./bench/send -run XXX -bench . -benchtime 1x -timeout 1h
//
// KIZUNA_BENCH_PROFILE=FOLDER keeps a profile of the processors for each campaign (KIZUNA_BENCH_PROFILE_SECONDS of it, 10 by default) and, at its
// end, one of the memory; it prints what each stage of a mail's way has of the processors, and the memory twice a second. KIZUNA_BENCH_WORLD=FOLDER
// keeps the imported people there, or begins with those that an earlier run kept. KIZUNA_BENCH_ENV is more environment for the server, KIZUNA_BENCH_PEOPLE the number of people, KIZUNA_BENCH_CASES some of
// "10/0s 50/0s 10/5ms 50/5ms".
package send

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
	"github.com/kizuna-cx/kizuna/test/harness"
)

const sinkVariable = "KIZUNA_BENCH_SINK" // latency of the child that is the sink

// TestMain is the sink when it is started as one.
func TestMain(m *testing.M) {
	latency := os.Getenv(sinkVariable)
	if latency == "" {
		os.Exit(m.Run())
	}
	d, err := time.ParseDuration(latency)
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s, err := smtptest.Serve(l, smtptest.Config{Latency: d, Discard: true})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		n, first, last := s.Taken()
		_ = json.NewEncoder(os.Stdout).Encode(taken{n, first, last, harness.CPU(os.Getpid())})
	}
}

type taken struct {
	N           int
	First, Last time.Time
	CPU         time.Duration
}

// sink is the child.
type sink struct {
	addr string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

func startSink(b *testing.B, latency time.Duration) *sink {
	b.Helper()
	s := &sink{cmd: exec.Command(os.Args[0], "-test.run=XXX")}
	s.cmd.Env = append(os.Environ(), sinkVariable+"="+latency.String())
	s.cmd.Stderr = os.Stderr
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s.out = bufio.NewReader(out)
	line, err := s.out.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	s.addr = strings.TrimSpace(line)
	return s
}

func (s *sink) stop() {
	_ = s.in.Close() // it ends with its input
	_ = s.cmd.Wait()
}

func (s *sink) taken(b *testing.B) (t taken) {
	b.Helper()
	if _, err := fmt.Fprintln(s.in); err != nil {
		b.Fatal(err)
	}
	line, err := s.out.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal([]byte(line), &t); err != nil {
		b.Fatal(err)
	}
	return t
}

// letter is about 6 KB, with two links beside the one to unsubscribe.
var letter = `<html><body><h1>Dear {{ person.first_name | default: "friend" }}</h1>` +
	strings.Repeat(`<p style="margin:0 0 16px;font-family:Helvetica,Arial,sans-serif">The first flush of spring has arrived, and we have kept a tin aside for the people who wrote to us last year; it is light, sweet and gone by May.</p>`, 24) +
	`<p><a href="https://shop.example/new">See what is new</a> or <a href="https://shop.example/visit?from=letter">visit us</a>.</p></body></html>`

type world struct {
	b        *testing.B
	s        *harness.Server
	people   int
	topic    string
	segment  string
	template string
	account  string
}

func profileSeconds() int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv(harness.ProfileVariable+"_SECONDS"), "10"))
	if err != nil || n < 1 {
		panic(harness.ProfileVariable + "_SECONDS must be a whole number of seconds")
	}
	return n
}

func newWorld(b *testing.B, people int) *world {
	b.Helper()
	env := strings.Fields(os.Getenv("KIZUNA_BENCH_ENV"))
	if n, err := strconv.Atoi(os.Getenv("KIZUNA_BENCH_PEOPLE")); err == nil {
		people = n
	}
	w := &world{b: b, people: people}
	w.s = harness.Prepare(b, env...)
	kept := os.Getenv("KIZUNA_BENCH_WORLD")
	if _, err := os.Stat(kept); kept != "" && err == nil {
		w.restore(kept)
		return w
	}
	w.s.Launch()
	for from := 0; from < people; from += 250 {
		var batch []harness.Event
		for n := from; n < from+250; n++ {
			user := fmt.Sprintf("u%06d", n)
			batch = append(batch,
				harness.Event{"type": "identify", "userId": user, "messageId": "i" + user, "traits": map[string]any{"email": user + "@people.example", "first_name": "P" + strconv.Itoa(n)}},
				harness.Event{"type": "track", "event": "Subscribed", "userId": user, "messageId": "s" + user, "properties": map[string]any{"topic": "News", "channel": "email"}})
		}
		for !w.s.Send(batch...) {
			time.Sleep(100 * time.Millisecond) // the intake is full for the moment
		}
	}
	var topics struct{ Items []struct{ ID, Name string } }
	w.s.Must("GET", "/topics", nil, &topics)
	for _, t := range topics.Items {
		if t.Name == "News" {
			w.topic = t.ID
		}
	}
	var made struct{ ID string }
	w.s.Must("POST", "/segments", `{"name":"Everyone with mail","rule":{"trait":{"path":"email","op":"exists"}}}`, &made)
	w.segment = made.ID
	w.s.Eventually(20*time.Minute, "the segment has everybody", func() bool {
		var now struct{ Size int }
		w.s.Must("GET", "/segments/"+w.segment, nil, &now)
		return now.Size == people
	})
	w.s.Must("POST", "/templates", map[string]any{"name": "Letter", "channel": "email", "subject": "Hello {{ person.first_name }}", "html": letter}, &made)
	w.template = made.ID
	if kept != "" {
		w.keep(kept)
	}
	return w
}

// keep copies the data of the world into a folder, and restore begins with such a copy: experiments need not import everybody anew.
func (w *world) keep(folder string) {
	w.s.Quiet(10 * time.Minute)
	w.s.Stop()
	names, _ := json.Marshal([]string{w.topic, w.segment, w.template})
	if err := os.WriteFile(filepath.Join(w.s.Dir, "bench.json"), names, 0o600); err != nil {
		w.b.Fatal(err)
	}
	if err := os.CopyFS(folder, os.DirFS(w.s.Dir)); err != nil {
		w.b.Fatal(err)
	}
	w.s.Launch()
}

func (w *world) restore(folder string) {
	if err := os.CopyFS(w.s.Dir, os.DirFS(folder)); err != nil {
		w.b.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(w.s.Dir, "bench.json"))
	if err != nil {
		w.b.Fatal(err)
	}
	var names []string
	if err := json.Unmarshal(raw, &names); err != nil || len(names) != 3 {
		w.b.Fatalf("%s: %v", raw, err)
	}
	w.topic, w.segment, w.template = names[0], names[1], names[2]
	w.s.Launch()
}

func (w *world) route(addr string, connections int) {
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	draft := map[string]any{
		"kind": "email", "name": "Sink", "from_name": "Aoba Tea", "from_address": "tea@shop.example", "default": true, "connections": connections,
		"config": map[string]any{"host": host, "port": n, "security": "none"},
	}
	if w.account != "" {
		w.s.Must("PUT", "/accounts/"+w.account, draft, nil)
		return
	}
	var made struct{ ID string }
	w.s.Must("POST", "/accounts", draft, &made)
	w.account = made.ID
}

// campaign sends to everybody and reports.
func (w *world) campaign(b *testing.B, connections int, latency time.Duration) {
	sink := startSink(b, latency)
	defer sink.stop()
	w.route(sink.addr, connections)
	w.s.Quiet(10 * time.Minute)
	var made struct{ ID string }
	w.s.Must("POST", "/campaigns", map[string]any{
		"name": fmt.Sprintf("Letter %d %s", connections, latency), "channel": "email", "audience": map[string]any{"include": []string{w.segment}}, "topic": w.topic, "template": w.template,
	}, &made)
	pid := w.s.PID()
	idle := harness.Memory(pid, "VmRSS")
	harness.ResetPeak(pid)
	name := fmt.Sprintf("%d-%s", connections, latency)
	profiled := w.s.ProfileDuring(profileSeconds(), name+".cpu")
	watched := watch(pid)
	began, cpu := time.Now(), harness.CPU(pid)
	w.s.Must("POST", "/campaigns/"+made.ID+"/launch", nil, nil)
	w.s.Eventually(30*time.Minute, "everybody is mailed", func() bool { return sink.taken(b).N >= w.people })
	t, sent := sink.taken(b), harness.CPU(pid)
	w.s.Profile("heap", name+".heap")
	w.s.Eventually(5*time.Minute, "the campaign is finished", func() bool {
		var c struct{ Status string }
		w.s.Do("GET", "/campaigns/"+made.ID, nil, &c)
		return c.Status == "sent"
	})
	w.s.Quiet(10 * time.Minute)
	after := harness.CPU(pid)
	profiled()
	if folder := os.Getenv(harness.ProfileVariable); folder != "" {
		took, of := t.Last.Sub(began).Seconds(), float64(profileSeconds())
		shares(b, harness.Binary(b), filepath.Join(folder, name+".cpu"), float64(w.people)*min(1, of/took))
	}
	peak := harness.Memory(pid, "VmHWM")
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(w.people) }
	b.ReportMetric(float64(t.N-1)/t.Last.Sub(t.First).Seconds(), "mails/s")
	b.ReportMetric(float64(w.people)/t.Last.Sub(began).Seconds(), "mails/s-from-launch")
	b.ReportMetric(per(sent-cpu), "µs-cpu/mail")
	b.ReportMetric(per(after-cpu), "µs-cpu/mail-with-events")
	b.ReportMetric(per(t.CPU), "µs-cpu/mail-sink")
	b.ReportMetric(idle, "MB-idle")
	b.ReportMetric(peak-idle, "MB-above-idle")
	watched.report(b)
	b.ReportMetric(0, "ns/op")
}

func BenchmarkSend(b *testing.B) {
	w := newWorld(b, 20_000)
	for _, c := range []struct {
		connections int
		latency     time.Duration
	}{{10, 0}, {50, 0}, {10, 5 * time.Millisecond}, {50, 5 * time.Millisecond}} {
		if only := strings.Fields(os.Getenv("KIZUNA_BENCH_CASES")); len(only) > 0 && !slices.Contains(only, fmt.Sprintf("%d/%s", c.connections, c.latency)) {
			continue
		}
		b.Run(fmt.Sprintf("connections=%d/latency=%s", c.connections, c.latency), func(b *testing.B) {
			for b.Loop() {
				w.campaign(b, c.connections, c.latency)
			}
		})
	}
}

func BenchmarkSendMany(b *testing.B) {
	w := newWorld(b, 200_000)
	b.Run(fmt.Sprintf("people=%d/connections=10", w.people), func(b *testing.B) {
		for b.Loop() {
			w.campaign(b, 10, 0)
		}
	})
}
