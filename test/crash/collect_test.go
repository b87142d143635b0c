package crash_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/collect"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
)

// intakeDir names the folder on which the child serves intake until it is killed.
const intakeDir = "KIZUNA_CRASH_INTAKE"

func TestMain(m *testing.M) {
	dir := os.Getenv(intakeDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := serveIntake(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type anyKey struct{}

func (anyKey) SourceByWriteKey(context.Context, string) (collect.Source, error) {
	return collect.Source{ID: "src_1", Workspace: "ws_1"}, nil
}

// serveIntake prints its address and serves.
func serveIntake(dir string) error {
	ctx := context.Background()
	log := natsbus.New(natsbus.Options{Dir: dir})
	if err := log.Start(ctx); err != nil {
		return err
	}
	writer := bus.NewWriter(log, bus.WriterOptions{})
	if err := writer.Start(ctx); err != nil {
		return err
	}
	h := collect.New(collect.Config{Sources: anyKey{}, Log: writer, Clock: clock.System{}, Logger: slog.New(slog.DiscardHandler)})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return http.Serve(listener, h)
}

// startIntake runs a child and returns its address.
func startIntake(t *testing.T, dir string) (cmd *exec.Cmd, url string) {
	t.Helper()
	cmd = exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), intakeDir+"="+dir)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		t.Fatalf("the child does not serve: %s", complaints.String())
	}
	return cmd, "http://" + strings.TrimSpace(address)
}

// sender sends batches one after the other and, like an SDK, repeats the one whose answer was lost.
type sender struct {
	name         string
	next         int
	acknowledged []string // message ids
}

const perBatch = 5

func (s *sender) ids() (ids []string) {
	for i := range perBatch {
		ids = append(ids, fmt.Sprintf("%s-%d-%d", s.name, s.next, i))
	}
	return ids
}

// send returns nil once the batch is acknowledged.
func (s *sender) send(client *http.Client, url string) error {
	var body strings.Builder
	for i, id := range s.ids() {
		fmt.Fprintf(&body, `%s{"type":"track","event":"X","userId":"u","messageId":%q,"properties":{"fill":%q}}`, comma(i), id, strings.Repeat("x", 300))
	}
	r, err := http.NewRequest(http.MethodPost, url+"/v1/batch", strings.NewReader(`{"batch":[`+body.String()+`]}`))
	if err != nil {
		return err
	}
	r.SetBasicAuth("key", "")
	w, err := client.Do(r)
	if err != nil {
		return err
	}
	_ = w.Body.Close()
	if w.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", w.StatusCode)
	}
	s.acknowledged = append(s.acknowledged, s.ids()...)
	s.next++
	return nil
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

func TestAcknowledgedEventsSurviveKillNine(t *testing.T) {
	dir := t.TempDir()
	var senders []*sender
	for i := range 8 {
		senders = append(senders, &sender{name: fmt.Sprint(i)})
	}
	for round := range 5 {
		child, url := startIntake(t, dir)
		client := &http.Client{Transport: &http.Transport{}, Timeout: 2 * time.Minute}
		answers := make(chan struct{}, 1000)
		var wg sync.WaitGroup
		for _, s := range senders {
			wg.Go(func() {
				for s.send(client, url) == nil {
					select {
					case answers <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 20 + 30*round {
			select {
			case <-answers:
			case <-time.After(2 * time.Minute):
				t.Error("the child stopped answering")
			}
		}
		_ = child.Process.Kill()
		_ = child.Wait() // killed
		wg.Wait()
		client.CloseIdleConnections()
	}

	log := natsbus.New(natsbus.Options{Dir: dir})
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer log.Stop(context.Background())
	stored := map[string]int{}
	for after := uint64(0); ; {
		recs, err := log.Read(t.Context(), after, 1000, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(recs) == 0 {
			break
		}
		for _, r := range recs {
			evs, err := event.DecodeBatch(r.Data)
			if err != nil {
				t.Errorf("record %d: %v", r.Seq, err)
			}
			for _, e := range evs {
				stored[e.MessageID]++
			}
			after = r.Seq
		}
	}
	acknowledged, twice := 0, 0
	for _, s := range senders {
		for _, id := range s.acknowledged {
			acknowledged++
			if stored[id] == 0 {
				t.Errorf("%s was acknowledged and is not on the log", id)
			}
			if stored[id] > 1 {
				twice++
			}
		}
	}
	if acknowledged == 0 {
		t.Error("nothing was acknowledged")
	}
	// Only what was repeated after a kill can be there twice: one batch for each sender and kill.
	if most := 5 * len(senders) * perBatch; twice > most {
		t.Errorf("%d events are there twice, at most %d can be", twice, most)
	}
	t.Logf("%d acknowledged, %d stored, %d of them twice", acknowledged, len(stored), twice)
}
