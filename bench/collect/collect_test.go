// Package collect measures the intake and the chain behind it.
//
//	go test ./bench/collect -run XXX -bench . -benchtime 1x -timeout 1h
//
// BenchmarkCollect runs the intake in a process of its own (HTTP, write key, rate, parsing, sealing, the log, one fsync before each answer) and, beside
// it in the same run, the physical limit: an HTTP handler that scans the JSON and appends the bytes to a file with a group commit. What the intake costs
// is told as events a second of processor time of that process; the client is another process and does not count. The events are of 5,000 people in
// turn, whose keys of the log are found ready, or of 100,000, where each event derives a key anew: the worst case.
//
// BenchmarkChain runs the real binary: the events are resolved to people, folded, kept and judged by segments. It tells what an event costs from its
// acceptance to the end of the chain, for people who do ten things in a row, as a visit is, and one thing each, the worst case; and how long after its acceptance a person is in a segment, at KIZUNA_BENCH_RATE events a second (5,000).
//
// KIZUNA_BENCH_PROFILE=FOLDER keeps profiles of the processors there: of the intake, and of KIZUNA_BENCH_PROFILE_SECONDS (10) of each case of the chain.
// KIZUNA_BENCH_EVENTS is how many events each case sends (1,000,000 in batches, a fifth of it in single calls and through the chain).
package collect

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/collect"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/shred"
	"github.com/kizuna-cx/kizuna/test/harness"
)

const (
	roleVariable   = "KIZUNA_BENCH_ROLE" // what the child is: collect or bare
	folderVariable = "KIZUNA_BENCH_FOLDER"
)

// TestMain is the server when it is started as one; it ends with its input.
func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := serve(role, os.Getenv(folderVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type oneSource struct{}

func (oneSource) SourceByWriteKey(context.Context, string) (collect.Source, error) {
	return collect.Source{ID: "src_1", Workspace: "ws_1"}, nil
}

func serve(role, dir string) error {
	ctx := context.Background()
	var handler http.Handler
	switch role {
	case "collect":
		log := natsbus.New(natsbus.Options{Dir: dir})
		if err := log.Start(ctx); err != nil {
			return err
		}
		defer log.Stop(ctx)
		writer := bus.NewWriter(log, bus.WriterOptions{})
		if err := writer.Start(ctx); err != nil {
			return err
		}
		defer writer.Stop(ctx)
		vault := shred.New([]byte("bench"), nil, nil)
		if err := vault.Rotate(time.Now(), time.Hour, time.Hour, func(shred.Change) error { return nil }); err != nil {
			return err
		}
		handler = collect.New(collect.Config{Sources: oneSource{}, Log: writer, Vault: vault, Clock: clock.System{}, Logger: slog.New(slog.DiscardHandler)})
	case "bare":
		f, err := os.Create(filepath.Join(dir, "bare"))
		if err != nil {
			return err
		}
		defer f.Close()
		handler = &bare{file: f}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() { _ = http.Serve(l, handler) }()
	if folder := os.Getenv(harness.ProfileVariable); folder != "" && role == "collect" {
		f, err := os.Create(filepath.Join(folder, "intake.cpu"))
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// bare is the least that a durable intake must do: read, look at each byte as JSON, append, fsync once for all who wait.
type bare struct {
	file *os.File

	mu     sync.Mutex
	queue  []byte
	waiter chan struct{} // closed when the queue is on disk
	busy   bool
}

func (b *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !json.Valid(body) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.append(body)
	_, _ = io.WriteString(w, `{"success":true}`)
}

func (b *bare) append(p []byte) {
	b.mu.Lock()
	b.queue = append(b.queue, p...)
	if b.waiter == nil {
		b.waiter = make(chan struct{})
	}
	mine := b.waiter
	for !b.busy && b.waiter != nil {
		b.busy = true
		out, done := b.queue, b.waiter
		b.queue, b.waiter = nil, nil
		b.mu.Unlock()
		_, _ = b.file.Write(out)
		_ = b.file.Sync()
		close(done)
		b.mu.Lock()
		b.busy = false
	}
	b.mu.Unlock()
	<-mine
}

type child struct {
	url string
	cmd *exec.Cmd
	in  io.WriteCloser
}

func start(b *testing.B, role string) *child {
	b.Helper()
	c := &child{cmd: exec.Command(os.Args[0], "-test.run=XXX")}
	c.cmd.Env = append(os.Environ(), roleVariable+"="+role, folderVariable+"="+b.TempDir())
	c.cmd.Stderr = os.Stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	c.url = "http://" + strings.TrimSpace(line)
	return c
}

func (c *child) stop() {
	_ = c.in.Close()
	_ = c.cmd.Wait()
}

// Serials stand in a body as this many digits, so that a body is made once and only its digits change.
const digits = 10

// A form is a request that is sent again and again with other serials.
type form struct {
	path   string
	body   []byte
	marks  []int // where serials stand: a message id and a user id for each event
	events int
}

const mark = "##########"

// newForm makes a request of n events of about 300 bytes, as an SDK would send them; n = 1 is a single call.
func newForm(n int) *form {
	one := func(withType bool) string {
		kind := ""
		if withType {
			kind = `"type":"track",`
		}
		return `{` + kind + `"event":"Product Viewed","userId":"user-` + mark + `","messageId":"node-next-1777593600-` + mark + `","timestamp":"2026-11-28T07:08:09.123Z",` +
			`"properties":{"product_id":"p-1042","name":"Löffel","price":12.5,"currency":"EUR"},` +
			`"context":{"library":{"name":"analytics-node","version":"3.1.0"}}}`
	}
	f := &form{path: "/v1/batch", events: n}
	if n == 1 {
		f.path, f.body = "/v1/track", []byte(one(false))
	} else {
		f.body = []byte(`{"batch":[` + strings.Join(slices.Repeat([]string{one(true)}, n), ",") + `]}`)
	}
	for at := 0; ; {
		i := bytes.Index(f.body[at:], []byte(mark))
		if i < 0 {
			break
		}
		f.marks = append(f.marks, at+i)
		at += i + digits
	}
	return f
}

// crowd says whose events come: each person does so many in a row, then it is the turn of the next.
type crowd struct{ people, row int64 }

// fill writes the serials of the events from first on: each event has its own message id.
func (f *form) fill(body []byte, first int64, c crowd) {
	for i, at := range f.marks {
		n := first + int64(i/2)
		if i%2 == 0 {
			n = n / c.row % c.people
		}
		for k := at + digits - 1; k >= at; k-- {
			body[k] = byte('0' + n%10)
			n /= 10
		}
	}
}

// send sends events until total have been accepted, one each pace (0: as fast as they are taken), and returns how long that took. A request that is
// turned away is sent again.
func send(b *testing.B, url string, f *form, first, total int64, c crowd, pace time.Duration) time.Duration {
	b.Helper()
	const connections = 64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	next.Store(first)
	began := time.Now()
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			body := slices.Clone(f.body)
			for {
				from := next.Add(int64(f.events)) - int64(f.events)
				if from >= first+total {
					return
				}
				if pace > 0 {
					time.Sleep(time.Until(began.Add(time.Duration(from-first) * pace)))
				}
				f.fill(body, from, c)
				for {
					r, _ := http.NewRequest(http.MethodPost, url+f.path, bytes.NewReader(body))
					r.SetBasicAuth(harness.WriteKey, "")
					r.Header.Set("Content-Type", "application/json")
					resp, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						break
					}
					if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
						b.Errorf("answered %d", resp.StatusCode)
						return
					}
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

func number(name string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(os.Getenv(name), 10, 64); err == nil && n > 0 {
		return n
	}
	return otherwise
}

func BenchmarkCollect(b *testing.B) {
	for _, c := range []struct{ batch, people int }{{50, 5_000}, {50, 100_000}, {1, 5_000}} {
		f, people := newForm(c.batch), crowd{int64(c.people), 1}
		total := number("KIZUNA_BENCH_EVENTS", 1_000_000)
		if c.batch == 1 {
			total /= 5
		}
		b.Run(fmt.Sprintf("batch=%d/people=%d", c.batch, c.people), func(b *testing.B) {
			for b.Loop() {
				rate := map[string]float64{}
				for _, role := range []string{"bare", "collect"} {
					c := start(b, role)
					pid := c.cmd.Process.Pid
					send(b, c.url, f, 0, total/10, people, 0) // connections, pages of memory and the log's first file
					harness.ResetPeak(pid)
					cpu := harness.CPU(pid)
					took := send(b, c.url, f, total, total, people, 0)
					used := harness.CPU(pid) - cpu
					rate[role] = float64(total) / used.Seconds()
					b.ReportMetric(rate[role], "events/cpu-s-"+role)
					b.ReportMetric(float64(total)/took.Seconds(), "events/s-"+role)
					b.ReportMetric(harness.Memory(pid, "VmHWM"), "MB-"+role)
					c.stop()
				}
				b.ReportMetric(rate["bare"]/rate["collect"], "cpu-ratio-to-bare")
				b.ReportMetric(float64(len(f.body))/float64(f.events), "B/event")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// rules are the segments that judge in BenchmarkChain, all of them by the events that come.
var rules = []string{
	`{"event":{"name":"Product Viewed","op":"gte","value":3}}`,
	`{"event":{"name":"Product Viewed","op":"gte","value":20,"window":{"within":{"n":7,"unit":"day"}}}}`,
	`{"event":{"name":"Product Viewed","agg":"sum","path":"price","op":"gt","value":500}}`,
	`{"all":[{"event":{"name":"Product Viewed","op":"gte","value":1}},{"not":{"event":{"name":"Bench Bought","op":"gte","value":1}}}]}`,
	`{"event":{"name":"Bench Bought","op":"gte","value":1}}`,
}

const (
	sampleEvery = 20 * time.Millisecond
	boughtEvent = "Bench Bought"
)

func BenchmarkChain(b *testing.B) {
	total := number("KIZUNA_BENCH_EVENTS", 1_000_000) / 5
	rate := number("KIZUNA_BENCH_RATE", 5000)
	f := newForm(50)
	s := harness.Start(b)
	bought := ""
	for i, rule := range rules {
		var made struct{ ID string }
		s.Must("POST", "/segments", fmt.Sprintf(`{"name":"Bench %d","rule":%s}`, i, rule), &made)
		bought = made.ID
	}
	through := func(events int64) {
		s.Eventually(20*time.Minute, "every event is stored", func() bool {
			var now struct{ Events int64 }
			time.Sleep(time.Second) // counting costs the server more than carrying a thousand events
			s.Must("GET", "/stats", nil, &now)
			return now.Events >= events
		})
		s.Quiet(10 * time.Minute)
	}
	sent := int64(0)
	send(b, s.URL, f, 0, 20_000, crowd{20_000, 1}, 0) // everybody has been here before
	sent = 20_000
	through(sent)
	for _, c := range []crowd{{20_000, 10}, {20_000, 1}} {
		b.Run(fmt.Sprintf("whole/row=%d", c.row), func(b *testing.B) {
			for b.Loop() {
				cpu, began := harness.CPU(s.PID()), time.Now()
				profiled := s.ProfileDuring(int(number("KIZUNA_BENCH_PROFILE_SECONDS", 10)), fmt.Sprintf("chain-row=%d.cpu", c.row))
				accepted := send(b, s.URL, f, sent, total, c, 0)
				sent += total
				through(sent)
				used := harness.CPU(s.PID()) - cpu
				profiled()
				b.ReportMetric(float64(total)/used.Seconds(), "events/cpu-s")
				b.ReportMetric(float64(total)/accepted.Seconds(), "accepted/s")
				b.ReportMetric(float64(total)/(time.Since(began)-time.Second).Seconds(), "through/s")
				b.ReportMetric(harness.Memory(s.PID(), "VmHWM"), "MB")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
	b.Run(fmt.Sprintf("lag/rate=%d", rate), func(b *testing.B) {
		for b.Loop() {
			lags := sampleLags(b, s, bought, func() {
				send(b, s.URL, f, sent, rate*30, crowd{20_000, 10}, time.Second/time.Duration(rate))
			})
			sent += rate * 30
			b.ReportMetric(float64(len(lags)), "samples")
			b.ReportMetric(lags[len(lags)/2].Seconds()*1000, "ms-p50")
			b.ReportMetric(lags[len(lags)*99/100].Seconds()*1000, "ms-p99")
			b.ReportMetric(lags[len(lags)-1].Seconds()*1000, "ms-max")
		}
		b.ReportMetric(0, "ns/op")
	})
}

// sampleLags lets one new person after the other do what makes them a member while load runs, and returns how long after the acceptance of that event
// each of them was one, sorted: between the two times that stand in their history.
func sampleLags(b *testing.B, s *harness.Server, segment string, load func()) (lags []time.Duration) {
	b.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		load()
	}()
	var people []string
	for tick := time.NewTicker(sampleEvery); ; {
		select {
		case <-done:
			tick.Stop()
		case <-tick.C:
			who := fmt.Sprintf("sample-%d-%d", time.Now().UnixNano(), len(people))
			if s.Send(harness.Event{"type": "track", "event": boughtEvent, "userId": who, "messageId": who}) {
				people = append(people, who)
			}
			continue
		}
		break
	}
	for _, who := range people {
		var list struct{ Items []struct{ ID string } }
		var told struct {
			Items []struct {
				Name       string
				Time       time.Time
				ReceivedAt time.Time `json:"received_at"`
				Properties struct {
					Segment string `json:"segment_id"`
				}
			}
		}
		var accepted, entered time.Time
		s.Eventually(2*time.Minute, who+" has entered", func() bool {
			s.Must("GET", "/people?identifier=user_id:"+who, nil, &list)
			if len(list.Items) == 0 {
				return false
			}
			s.Must("GET", "/people/"+list.Items[0].ID+"/events", nil, &told)
			for _, e := range told.Items {
				switch {
				case e.Name == boughtEvent:
					accepted = e.ReceivedAt
				case e.Name == "Segment Entered" && e.Properties.Segment == segment:
					entered = e.Time
				}
			}
			return !accepted.IsZero() && !entered.IsZero()
		})
		lags = append(lags, entered.Sub(accepted))
	}
	slices.Sort(lags)
	if len(lags) == 0 || lags[0] <= 0 {
		b.Fatalf("%d lags, the smallest %v", len(lags), lags[:min(1, len(lags))])
	}
	return lags
}
