package story_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// archive is a PostgreSQL server of a story's own whose write-ahead log is archived, so that it can go back to a moment.
type archive struct {
	t              *testing.T
	bin, dir, port string
	data           string // the cluster that runs
}

// startArchive starts one and makes the copy that recovery begins with.
func startArchive(t *testing.T) *archive {
	t.Helper()
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(all) == 0 {
		harness.Missing(t, "PostgreSQL is not installed (Debian: apt install postgresql)")
	}
	_, port, err := net.SplitHostPort(harness.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "kizuna-archive-") // a folder of the test's own is not for other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	a := &archive{t: t, bin: slices.Max(all), dir: dir, port: port, data: filepath.Join(dir, "data")}
	if os.Getuid() == 0 {
		if out, err := exec.Command("chown", "postgres:postgres", dir).CombinedOutput(); err != nil {
			harness.Missing(t, "there is no user postgres: %v %s", err, out)
		}
	}
	a.run("mkdir", a.path("wal"))
	a.run("initdb", "-D", a.data, "-A", "trust", "-U", "kizuna", "-E", "UTF8", "--no-locale", "--no-sync")
	a.start("-c wal_level=replica -c archive_mode=on -c archive_command='cp %p " + a.path("wal") + "/%f'")
	t.Cleanup(a.stop)
	a.run("createdb", "-h", "127.0.0.1", "-p", port, "-U", "kizuna", "kizuna")
	a.run("pg_basebackup", "-h", "127.0.0.1", "-p", port, "-U", "kizuna", "-D", a.path("base"), "-c", "fast", "--no-sync")
	return a
}

func (a *archive) path(name string) string { return filepath.Join(a.dir, name) }

func (a *archive) url() string {
	return "postgres://kizuna@127.0.0.1:" + a.port + "/kizuna?sslmode=disable"
}

// run runs a program of PostgreSQL, or of the system, as the user whom the server belongs to, and returns what it printed.
func (a *archive) run(name string, args ...string) string {
	a.t.Helper()
	if path := filepath.Join(a.bin, name); exec.Command("test", "-x", path).Run() == nil {
		name = path
	}
	words := append([]string{name}, args...)
	if os.Getuid() == 0 {
		words = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}, words...)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = a.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		a.t.Fatalf("%s: %v %s", strings.Join(words, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (a *archive) start(options string) {
	a.t.Helper()
	a.run("pg_ctl", "-D", a.data, "-w", "-l", a.path("log"), "-o",
		"-p "+a.port+" -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=200 "+options, "start")
}

func (a *archive) stop() { a.run("pg_ctl", "-D", a.data, "-m", "fast", "-w", "stop") }

// sql asks the server and returns its answer, columns apart by a bar.
func (a *archive) sql(script string) string {
	a.t.Helper()
	return a.run("psql", "-h", "127.0.0.1", "-p", a.port, "-U", "kizuna", "-d", "kizuna", "-v", "ON_ERROR_STOP=1", "-qAt", "-c", script)
}

// goBack sets the database to a moment, as its own manual says.
func (a *archive) goBack(moment string) {
	a.t.Helper()
	a.sql("SELECT pg_switch_wal()")
	a.stop()
	a.data = a.path("base")
	a.run("touch", filepath.Join(a.data, "recovery.signal"))
	a.start("-c restore_command='cp " + a.path("wal") + "/%f %p' -c recovery_target_time='" + moment + "' -c recovery_target_action=promote")
	deadline := time.Now().Add(time.Minute)
	for a.sql("SELECT pg_is_in_recovery()") != "f" {
		if time.Now().After(deadline) {
			a.t.Fatal("the database does not recover")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Several processes on PostgreSQL and three NATS servers go back to a moment at which a campaign was under way, as the README says: no event is lost, and nobody gets
// a message a second time.
func TestSeveralProcessesGoBackToAMomentAndSendNothingTwice(t *testing.T) {
	long(t)
	a := startArchive(t)
	p := startParty(t, "KIZUNA_DATABASE_URL="+a.url())
	const people = 60
	sink := harness.StartSink(t)
	passed := make(chan struct{}) // closed once the moment is over
	sink.OnMail = func(n int) {
		if n > people/3 {
			<-passed
		}
	}
	mailAccount(t, p.front, sink.Addr)
	campaign := letterToAll(t, p.front, people)
	welcome(t, p.front)
	sent := []string{}
	send := func(n int) {
		t.Helper()
		for range n {
			id := fmt.Sprintf("beat-%d", len(sent))
			if !p.front.Send(harness.Event{"type": "track", "event": "Beat", "userId": fmt.Sprintf("u%05d", len(sent)%people), "messageId": id}) {
				t.Fatal("the event was not taken")
			}
			sent = append(sent, id)
		}
	}
	joins := func(who string) {
		t.Helper()
		if !p.front.Send(
			harness.Event{"type": "identify", "userId": who, "messageId": "i-" + who, "traits": map[string]any{"email": who + "@people.example"}},
			harness.Event{"type": "track", "event": "Joined", "userId": who, "messageId": "j-" + who},
		) {
			t.Fatal("the events were not taken")
		}
		sent = append(sent, "i-"+who, "j-"+who)
	}
	greeted := func(s *harness.Server, who string) {
		t.Helper()
		s.Eventually(time.Minute, who+" is greeted", func() bool { return sink.Copies()[who+"@people.example"] == 1 })
	}
	joins("early")
	send(20)
	greeted(p.front, "early")
	p.front.Must("POST", "/campaigns/"+campaign+"/launch", nil, nil)
	p.front.Eventually(time.Minute, "some are sent, some are on their way and some wait", func() bool { return sink.Total() > people/3 })

	to := t.TempDir()
	out, err := p.work.Command("backup", "--data", p.work.Dir, to)
	if err != nil {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	backup, _, _ := strings.Cut(out[strings.Index(out, to):], "\n")
	if out, err := p.front.Command("backup", "--data", p.front.Dir, t.TempDir()); err == nil || !strings.Contains(out, "does not do the work") {
		t.Errorf("a process that does not keep the events is backed up:\n%s", out)
	}
	moment := a.sql("SELECT now()")
	if n := sink.Total(); n > people/2 {
		t.Errorf("%d mails went before the moment: few wait, and the story proves less", n)
	}
	close(passed)
	send(20)
	joins("late")
	greeted(p.front, "late")
	p.front.Eventually(time.Minute, "everybody has the letter", func() bool { return sink.Total() == people+2 })

	for _, s := range []*harness.Server{p.front, p.spare, p.work} {
		s.Stop()
	}
	if out, err := p.front.Command("backup", "--data", p.front.Dir, t.TempDir()); err == nil || !strings.Contains(out, "holds no events") {
		t.Errorf("a folder without events is backed up: %v\n%s", err, out)
	}
	keys := a.run("pg_dump", "-h", "127.0.0.1", "-p", a.port, "-U", "kizuna", "--data-only", "-t", "log_key", "kizuna")
	a.goBack(moment)
	script := a.path("keys.sql")
	if err := os.WriteFile(script, []byte("BEGIN; TRUNCATE log_key;\n"+keys+"\nCOMMIT;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	a.run("psql", "-h", "127.0.0.1", "-p", a.port, "-U", "kizuna", "-d", "kizuna", "-v", "ON_ERROR_STOP=1", "-qf", script)
	if out, err := p.work.Command("stop-sending", "--data", p.work.Dir); err != nil || !strings.Contains(out, "stopped in 1") {
		t.Fatalf("stop-sending: %v\n%s", err, out)
	}

	if out, err := p.work.Command("doctor", "--data", p.work.Dir); err == nil || !strings.Contains(out, "WRONG one moment") {
		t.Errorf("doctor: %v\n%s", err, out)
	}
	p.work.Begin()
	p.work.Eventually(time.Minute, "it says that its events are younger", func() bool { return strings.Contains(p.work.Log(), "earlier moment than the events") })
	p.work.Kill()
	for _, s := range []*harness.Server{p.work, p.spare} {
		for _, end := range []string{"", ".wal"} {
			_ = os.Remove(filepath.Join(s.Dir, "events.duckdb"+end)) // there may be none
		}
	}
	for _, end := range []string{"", ".wal"} {
		raw, err := os.ReadFile(filepath.Join(backup, "events.duckdb"+end))
		if err == nil {
			err = os.WriteFile(filepath.Join(p.work.Dir, "events.duckdb"+end), raw, 0o600)
		}
		if err != nil && end == "" {
			t.Fatal(err)
		}
	}
	p.work.Launch()
	p.front.Launch()
	p.spare.Launch()

	var got []string
	p.front.Eventually(time.Minute, "all events are there once", func() bool {
		got = arrived(t, p.front)
		return len(got) >= len(sent)+2*people
	})
	slices.Sort(got)
	for _, id := range sent {
		if _, ok := slices.BinarySearch(got, id); !ok {
			t.Errorf("%s is lost", id)
		}
	}
	if n := len(slices.Compact(got)); n != len(sent)+2*people {
		t.Errorf("%d events, want %d", n, len(sent)+2*people)
	}
	var sending struct {
		Stopped bool
		Waiting []struct {
			Kind, ID string
			Count    int
		}
	}
	p.front.Eventually(time.Minute, "what waits is the greeting of who joined since", func() bool {
		p.front.Must("GET", "/sending", nil, &sending)
		return len(sending.Waiting) == 1 && sending.Waiting[0].Kind == "journey" && sending.Waiting[0].Count == 1
	})
	if !sending.Stopped {
		t.Error("sending goes on")
	}
	var report struct{ Audience, Sent, Queued, Uncertain int }
	p.front.Must("GET", "/campaigns/"+campaign+"/report", nil, &report)
	if report.Sent != people || report.Queued != 0 {
		t.Errorf("report %+v, want %d sent", report, people)
	}
	p.front.Must("PUT", "/sending", map[string]any{"stopped": false, "waiting": "cancel"}, nil)
	joins("later")
	greeted(p.front, "later")
	for who, n := range sink.Copies() {
		if n > 1 {
			t.Errorf("%s has %d mails", who, n)
		}
	}
	if n := sink.Total(); n != people+3 {
		t.Errorf("%d mails went, want %d", n, people+3)
	}
}

// welcome makes a journey that greets who joins.
func welcome(t *testing.T, s *harness.Server) {
	t.Helper()
	var tpl, journey struct{ ID string }
	s.Must("POST", "/templates", map[string]any{"name": "Welcome", "channel": "email", "subject": "Welcome", "html": `<p>Welcome</p>`}, &tpl)
	s.Must("POST", "/journeys", fmt.Sprintf(`{"name":"Welcome","draft":{"trigger":{"event":{"name":"Joined"}},"max_age":{"n":0,"unit":"day"},"nodes":[
		{"id":"s","kind":"send","config":{"template":%q,"topic":%q,"transactional":true},"next":{"next":"x"}},{"id":"x","kind":"exit"}]}}`, tpl.ID, newsTopic(t, s)), &journey)
	s.Must("POST", "/journeys/"+journey.ID+"/publish", nil, nil)
}
