package story_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// letterToAll fills the server with people who get News and makes a campaign to all of them; it is not launched yet.
func letterToAll(t *testing.T, s *harness.Server, people int) (campaign string) {
	t.Helper()
	topic := newsTopic(t, s)
	for from := 0; from < people; from += 250 {
		var batch []harness.Event
		for n := from; n < min(from+250, people); n++ {
			user := fmt.Sprintf("u%05d", n)
			batch = append(batch,
				harness.Event{"type": "identify", "userId": user, "messageId": "i" + user, "traits": map[string]any{"email": user + "@people.example", "first_name": "P" + strconv.Itoa(n)}},
				harness.Event{"type": "track", "event": "Subscribed", "userId": user, "messageId": "s" + user, "properties": map[string]any{"topic": "News", "channel": "email"}})
		}
		if !s.Send(batch...) {
			t.Fatal("events not taken")
		}
	}
	var seg, tpl, cmp struct{ ID string }
	s.Must("POST", "/segments", `{"name":"Everyone with mail","rule":{"trait":{"path":"email","op":"exists"}}}`, &seg)
	s.Eventually(5*time.Minute, "the segment has everybody", func() bool {
		var now struct{ Size int }
		s.Must("GET", "/segments/"+seg.ID, nil, &now)
		return now.Size == people
	})
	s.Must("POST", "/templates", map[string]any{
		"name": "Letter", "channel": "email", "subject": "Hello {{ person.first_name }}",
		"html": `<html><body><p>Dear {{ person.first_name }}</p><p><a href="https://shop.example/new">See what is new</a></p></body></html>`,
	}, &tpl)
	s.Must("POST", "/campaigns", map[string]any{"name": "Letter to all", "channel": "email", "audience": map[string]any{"include": []string{seg.ID}}, "topic": topic, "template": tpl.ID}, &cmp)
	return cmp.ID
}

// trap kills the server at a stage of the dialogue once enough mails were taken since it was set.
type trap struct {
	stage  smtptest.Stage // "" is any moment
	fired  chan struct{}
	once   sync.Once
	kill   func()
	armed  func() bool
	answer smtptest.Reply // to whoever sprang it, and to all that come after it
}

func (p *trap) reached(stage smtptest.Stage) (smtptest.Reply, bool) {
	if p == nil || p.stage != stage || !p.armed() {
		return smtptest.Reply{}, false
	}
	p.once.Do(func() { p.kill(); close(p.fired) })
	return p.answer, true
}

func TestKilledAtEveryStepOfACampaignNobodyIsLostAndEverySecondCopyIsCounted(t *testing.T) {
	onEachEngine(t, killedAtEveryStep)
}

// onEachEngine tells a long story on a new server with each record store.
func onEachEngine(t *testing.T, tell func(t *testing.T, s *harness.Server)) {
	t.Helper()
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			long(t)
			tell(t, harness.Start(t, database(t, kind)...))
		})
	}
}

func killedAtEveryStep(t *testing.T, s *harness.Server) {
	const people = 20000
	sink := smtptest.Start(t)
	mailAccount(t, s, sink.Addr())
	campaign := letterToAll(t, s, people)

	var mu sync.Mutex
	var set *trap
	now := func() *trap { mu.Lock(); defer mu.Unlock(); return set }
	for _, stage := range []smtptest.Stage{smtptest.Greet, smtptest.Ehlo, smtptest.Mail, smtptest.Rcpt, smtptest.Data, smtptest.Body, smtptest.Dot} {
		sink.On(stage, func(c smtptest.Call) smtptest.Reply {
			if r, sprung := now().reached(stage); sprung {
				return r
			}
			// One in twenty is put off at the first attempt.
			if stage == smtptest.Rcpt && c.N == 0 && strings.HasSuffix(strings.TrimSuffix(c.Arg, "@people.example"), "7") && strings.ContainsRune("13579", rune(c.Arg[len("u000")])) {
				return smtptest.Reply{Text: "451 4.7.1 greylisted, come back in a minute"}
			}
			return smtptest.Reply{}
		})
	}
	taken := func() int { n, _, _ := sink.Taken(); return n }

	s.Must("POST", "/campaigns/"+campaign+"/launch", nil, nil)
	// While the audience is still being asked for.
	s.Eventually(2*time.Minute, "planning has begun", func() bool { return progress(s, campaign) > 0 })
	t.Logf("killed while planning, %d of %d decided", progress(s, campaign), people)
	s.Kill()
	s.Launch()

	kills := 1
	steps := []smtptest.Stage{smtptest.Mail, smtptest.Rcpt, smtptest.Data, smtptest.Body, smtptest.Dot, "", smtptest.Greet, smtptest.Ehlo, smtptest.Dot, smtptest.Body, ""}
	for _, stage := range steps {
		before := taken()
		wait := 800 + rand.N(400)
		if before+wait >= people {
			break
		}
		enough := func() bool { return taken() >= before+wait }
		if stage == smtptest.Greet || stage == smtptest.Ehlo {
			enough = func() bool { return true } // connections are made at the start
		}
		p := &trap{stage: stage, fired: make(chan struct{}), kill: s.Kill, armed: enough, answer: smtptest.Reply{Drop: true, Keep: stage == smtptest.Dot}}
		mu.Lock()
		set = p
		mu.Unlock()
		if stage == smtptest.Greet || stage == smtptest.Ehlo {
			sink.DropAll() // so that it connects anew
		}
		if stage == "" {
			s.Eventually(2*time.Minute, "mails go out", enough)
			s.Kill()
		} else {
			select {
			case <-p.fired:
			case <-time.After(3 * time.Minute):
				t.Fatalf("no mail came as far as %s", stage)
			}
		}
		kills++
		mu.Lock()
		set = nil
		mu.Unlock()
		s.Launch()
	}

	// Those that were put off come back when their time has come.
	s.Eventually(10*time.Minute, "the campaign is finished", func() bool {
		var c struct{ Status string }
		s.Do("GET", "/campaigns/"+campaign, nil, &c)
		if c.Status != "sent" && taken() >= people*9/10 {
			s.Advance(2 * time.Minute)
			time.Sleep(time.Second) // in which what is due goes out
		}
		return c.Status == "sent"
	})
	var report struct{ Audience, Sent, Queued, Failed, Bounced, Uncertain int }
	s.Must("GET", "/campaigns/"+campaign+"/report", nil, &report)

	copies, ids := map[string]int{}, map[string]string{}
	for _, m := range sink.Messages() {
		to := strings.ToLower(m.To[0])
		_, rest, _ := bytes.Cut(m.Data, []byte("Message-ID: "))
		id, _, _ := strings.Cut(string(rest), "\r\n")
		if was, ok := ids[to]; ok && was != id {
			t.Errorf("%s got two different mails, %s and %s", to, was, id)
		}
		copies[to]++
		ids[to] = id
	}
	lost, extra := 0, 0
	for n := range people {
		switch c := copies[fmt.Sprintf("u%05d@people.example", n)]; {
		case c == 0:
			lost++
		default:
			extra += c - 1
		}
	}
	if lost > 0 || len(copies) != people {
		t.Errorf("%d people got no mail, %d addresses were mailed of %d", lost, len(copies), people)
	}
	if extra > report.Uncertain {
		t.Errorf("%d mails went twice, the report admits %d", extra, report.Uncertain)
	}
	if report.Uncertain > kills*10 {
		t.Errorf("%d answers lost in %d kills over ten connections", report.Uncertain, kills)
	}
	if report.Uncertain == 0 {
		t.Error("no kill hit a mail in flight: the story proved nothing")
	}
	if report.Sent != people || report.Audience != people || report.Queued+report.Failed+report.Bounced != 0 {
		t.Errorf("report %+v, want %d sent of %d", report, people, people)
	}
	t.Logf("%d kills, %d mails to %d people, %d lost, %d twice, %d lost answers on the report", kills, taken(), len(copies), lost, extra, report.Uncertain)
}

func progress(s *harness.Server, campaign string) int {
	var c struct{ Progress struct{ Done int } }
	s.Do("GET", "/campaigns/"+campaign, nil, &c)
	return c.Progress.Done
}

// mailAccount makes an SMTP server the workspace's way out.
func mailAccount(t *testing.T, s *harness.Server, addr string) {
	t.Helper()
	mailAccountAt(t, s, addr, 0)
}

// mailAccountAt is mailAccount for one that takes so many messages a second, 0 for any number.
func mailAccountAt(t *testing.T, s *harness.Server, addr string, rate float64) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(port)
	s.Must("POST", "/accounts", map[string]any{
		"kind": "email", "name": "Test", "from_name": "Aoba Tea", "from_address": "tea@shop.example", "default": true, "rate_per_second": rate,
		"config": map[string]any{"host": host, "port": n, "security": "none"},
	}, nil)
}

// newsTopic returns the id of the topic everybody can subscribe to.
func newsTopic(t *testing.T, s *harness.Server) string {
	t.Helper()
	var topics struct{ Items []struct{ ID, Name string } }
	s.Must("GET", "/topics", nil, &topics)
	for _, topic := range topics.Items {
		if topic.Name == "News" {
			return topic.ID
		}
	}
	t.Fatal("a new workspace has no topic News")
	return ""
}
