package story_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus/natsbus/natstest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// party is one installation of three processes on PostgreSQL and three NATS servers.
type party struct {
	nats  *natstest.Cluster
	front *harness.Server // collects and serves the API
	work  *harness.Server // works and sends, at first
	spare *harness.Server // does everything, and waits with working and sending for its turn
	files string          // folder that all of them mount
}

func startParty(t *testing.T, env ...string) *party {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	p := prepareParty(t, base64.StdEncoding.EncodeToString(key), env...)
	p.work.Launch()
	p.work.Eventually(time.Minute, "the worker has its turn", func() bool { return strings.Count(p.work.Log(), "does the work now") == 2 })
	p.front.Launch()
	p.spare.Launch()
	return p
}

// prepareParty is startParty without starting Kizuna.
func prepareParty(t *testing.T, masterKey string, env ...string) *party {
	t.Helper()
	nats, err := natstest.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nats.Stop)
	files := t.TempDir()
	if !slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "KIZUNA_DATABASE_URL=") }) {
		env = append(env, "KIZUNA_DATABASE_URL="+sqldbtest.URL(t, sqldb.Postgres))
	}
	shared := append([]string{
		"KIZUNA_LOG_URL=" + nats.URL(), "KIZUNA_LOG_LIMIT_GB=1", "KIZUNA_FILES_URL=file:" + files,
		"KIZUNA_MASTER_KEY=" + masterKey,
	}, env...)
	server := func(roles string) *harness.Server {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		peer := ln.Addr().String()
		ln.Close()
		return harness.Prepare(t, append([]string{"KIZUNA_ROLES=" + roles, "KIZUNA_PEER_LISTEN=" + peer}, shared...)...)
	}
	return &party{nats: nats, front: server("collect,api"), work: server("worker,send"), spare: server("all"), files: files}
}

// loseALogServer kills the NATS server that leads the log, and returns how to start it again.
func (p *party) loseALogServer(t *testing.T) (back func()) {
	t.Helper()
	if err := p.nats.Whole(t.Context(), "KIZUNA"); err != nil {
		t.Fatal(err)
	}
	leader, err := p.nats.Leader(t.Context(), "KIZUNA")
	if err != nil || leader < 0 {
		t.Fatalf("leader of the log: %d, %v", leader, err)
	}
	if err := p.nats.Kill(leader); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := p.nats.Start(leader); err != nil {
			t.Fatal(err)
		}
	}
}

// Under load the process that works and the server that leads the log are killed. Another process takes over, and nothing that was acknowledged is lost or there twice.
func TestProcessesThatShareAnInstallationSurviveTheDeathOfOne(t *testing.T) {
	long(t)
	p := startParty(t)
	c := startClients(p.front, p.spare)
	many := func(n int) {
		t.Helper()
		want := len(c.acknowledged()) + n
		p.front.Eventually(time.Minute, "clients get answers", func() bool { return len(c.acknowledged()) >= want })
	}
	many(300)
	var segment struct{ ID string }
	p.front.Must("POST", "/segments", map[string]any{"name": "Beaters", "rule": map[string]any{"event": map[string]any{"name": "Beat"}}}, &segment)
	size := func(s *harness.Server) int {
		var got struct{ Size int }
		s.Do("GET", "/segments/"+segment.ID, nil, &got)
		return got.Size
	}
	for _, s := range []*harness.Server{p.front, p.spare} {
		s.Eventually(time.Minute, "every process shows the segment", func() bool { return size(s) == clientUsers })
	}

	back := p.loseALogServer(t)
	many(200)
	back()
	many(200)

	p.work.Kill()
	many(200) // intake goes on without a worker
	p.spare.Eventually(time.Minute, "the other process takes over", func() bool { return strings.Count(p.spare.Log(), "does the work now") == 2 })
	p.work.Launch() // and now waits itself
	many(200)

	back = p.loseALogServer(t)
	p.spare.Kill()
	many(200)
	back()
	p.work.Eventually(time.Minute, "the first process has its turn again", func() bool { return strings.Count(p.work.Log(), "does the work now") == 4 })
	p.spare.Launch()
	many(200)
	c.end()

	promised := c.acknowledged()
	stored := c.stored(t, p.front, promised)
	t.Logf("%d acknowledged, %d stored, four kills", len(promised), len(stored))
	for _, s := range []*harness.Server{p.front, p.spare} {
		if got := size(s); got != clientUsers {
			t.Errorf("the segment has %d members, want %d", got, clientUsers)
		}
	}
}

// A campaign goes on when the process that sends is killed, and a screen that is open at one process hears of what another does.
func TestACampaignOutlivesTheProcessThatSendsIt(t *testing.T) {
	long(t)
	p := startParty(t)
	const people, rate = 400, 40
	sink := harness.StartSink(t)
	mailAccountAt(t, p.front, sink.Addr, rate)
	campaign := letterToAll(t, p.front, people)

	heard := listen(t, p.front)
	p.front.Must("POST", "/campaigns/"+campaign+"/launch", nil, nil)
	p.front.Eventually(time.Minute, "some are sent", func() bool { return sink.Total() > people/4 })
	p.work.Kill()
	p.front.Eventually(3*time.Minute, "everybody has the letter", func() bool { return len(sink.Copies()) == people })
	select {
	case <-heard:
	case <-time.After(time.Minute):
		t.Error("the screen heard of nothing")
	}
	var report struct{ Audience, Sent, Queued, Failed, Uncertain int }
	p.front.Eventually(2*time.Minute, "the report has everybody", func() bool {
		p.front.Do("GET", "/campaigns/"+campaign+"/report", nil, &report)
		return report.Sent == people
	})
	twice := 0
	for _, n := range sink.Copies() {
		if n > 1 {
			twice += n - 1
		}
	}
	if twice > report.Uncertain {
		t.Errorf("%d mails went twice, the report admits %d", twice, report.Uncertain)
	}
	if report.Audience != people || report.Queued+report.Failed != 0 {
		t.Errorf("report %+v, want %d sent of %d", report, people, people)
	}
	t.Logf("%d letters to %d people, %d twice, %d lost answers on the report", sink.Total(), people, twice, report.Uncertain)
}

// listen opens the live stream of a server and returns a channel that is closed once it tells of a message or person.
func listen(t *testing.T, s *harness.Server) <-chan struct{} {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/v1/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+harness.APIKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("live: %v %v", resp, err)
	}
	heard := make(chan struct{})
	go func() {
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if text := lines.Text(); strings.HasPrefix(text, "data:") && strings.Contains(text, `"person"`) {
				close(heard)
				return
			}
		}
	}()
	return heard
}
