package story_test

import (
	"bytes"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/smtp"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/test/harness"
)

func TestKilledAgainAndAgainEveryReturnThatWasTakenIsThereOnce(t *testing.T) {
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			long(t)
			inbound := freeAddr(t)
			killedWhileMailReturns(t, harness.Start(t, append(database(t, kind), "KIZUNA_INBOUND_LISTEN="+inbound, "KIZUNA_ALLOW_TARGETS=127.0.0.1")...), inbound)
		})
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// literal is a mail as the IMAP server takes it.
type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// imapBox starts a real IMAP server with one mailbox and returns its port and the way to put mail into it.
func imapBox(t *testing.T) (port int, deliver func(mail string) error) {
	t.Helper()
	user := imapmemserver.NewUser("box@in.example", "hush")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	mem := imapmemserver.New()
	mem.AddUser(user)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}}, InsecureAuth: true, Logger: log.New(&bytes.Buffer{}, "", 0),
	})
	go func() { _ = srv.Serve(l) }() // ends with Close
	t.Cleanup(func() { srv.Close() })
	return l.Addr().(*net.TCPAddr).Port, func(mail string) error {
		_, err := user.Append("INBOX", literal{bytes.NewReader([]byte(mail))}, &imap.AppendOptions{Time: time.Now()})
		return err
	}
}

// What comes back of the message with a mark, and by which name its event is known.
var returns = []struct {
	event string
	mail  func(mark string, n int) string // by SMTP or IMAP
	hook  func(mark string) string        // or as Postmark posts it
}{
	{"Message Bounced", func(mark string, n int) string {
		return fmt.Sprintf("From: MAILER-DAEMON@mx.example.net\r\nTo: back@in.example\r\nSubject: Undelivered\r\nMessage-ID: <d%d@mx.example.net>\r\nMIME-Version: 1.0\r\n"+
			"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"+
			"Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; x@people.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n"+
			"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nX-Kizuna-Reference: %s\r\n\r\n--b--\r\n", n, mark)
	}, nil},
	{"Message Complained", func(mark string, n int) string {
		return fmt.Sprintf("From: fbl@isp.example\r\nTo: back@in.example\r\nSubject: FW: News\r\nMessage-ID: <f%d@isp.example>\r\nMIME-Version: 1.0\r\n"+
			"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n"+
			"--b\r\nContent-Type: message/rfc822\r\n\r\nX-Kizuna-Reference: %s\r\nSubject: News\r\n\r\nHello\r\n--b--\r\n", n, mark)
	}, nil},
	{"Message Replied", func(mark string, n int) string {
		return fmt.Sprintf("From: P%d <u%05d@people.example>\r\nTo: back+%s@in.example\r\nSubject: Re: Hello\r\nMessage-ID: <r%d@people.example>\r\n\r\nThank you, number %d\r\n", n, n, mark, n, n)
	}, nil},
	{"Message Bounced", nil, func(mark string) string {
		return `{"RecordType":"Bounce","Type":"SoftBounce","TypeCode":4096,"Email":"x@people.example","Details":"451 4.2.0 later","BouncedAt":"2026-03-01T09:00:00Z","Metadata":{"kizuna":"` + mark + `"}}`
	}},
}

var markLine = regexp.MustCompile(`(?im)^X-Kizuna-Reference: (\S+)`)

func killedWhileMailReturns(t *testing.T, s *harness.Server, listener string) {
	const people, writers, kills = 240, 40, 6
	sink := harness.StartSink(t)
	mailAccount(t, s, sink.Addr)
	mailAccount(t, s, sink.Addr)
	var accounts struct{ Items []struct{ ID string } }
	s.Must("GET", "/accounts", nil, &accounts)
	port, deliver := imapBox(t)
	s.Must("PUT", "/accounts/"+accounts.Items[0].ID+"/inbound", `{"address":"back@in.example","replies":true,"strangers":true,"provider":"postmark"}`, nil)
	s.Must("PUT", "/accounts/"+accounts.Items[1].ID+"/inbound", map[string]any{
		"address": "box@in.example", "mailbox": map[string]any{"host": "127.0.0.1", "port": port, "username": "box@in.example", "password": "hush", "clear": true},
	}, nil)
	var hook struct{ URL string }
	s.Must("POST", "/accounts/"+accounts.Items[0].ID+"/inbound/hook", nil, &hook)

	campaign := letterToAll(t, s, people)
	s.Must("POST", "/campaigns/"+campaign+"/launch", nil, nil)
	s.Eventually(2*time.Minute, "all mails are out", func() bool { return len(sink.Copies()) == people })
	mark := func(n int) string {
		m := markLine.FindStringSubmatch(sink.Last(fmt.Sprintf("u%05d@people.example", n)))
		if m == nil {
			t.Fatalf("the mail to u%05d bears no reference", n)
		}
		return m[1]
	}

	// Everybody hands their return in until it is taken. A third goes by IMAP too: the same news by two ways.
	var taken sync.Map
	count := func() (n int) {
		taken.Range(func(any, any) bool { n++; return true })
		return n
	}
	bySMTP := func(to, mail string) bool {
		return smtp.SendMail(listener, nil, "someone@people.example", []string{to}, []byte(mail)) == nil
	}
	byHook := func(body string) bool {
		resp, err := http.Post(hook.URL, "application/json", strings.NewReader(body))
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
	type errand struct {
		name string
		try  func() bool
	}
	var errands []errand
	for n := range people {
		r, m := returns[n%len(returns)], mark(n)
		e := errand{fmt.Sprintf("u%05d", n), func() bool { return byHook(r.hook(m)) }}
		if r.mail != nil {
			mail := r.mail(m, n)
			switch {
			case n%3 == 0: // by IMAP alone
				e.try = func() bool { return deliver(mail) == nil }
			case n%3 == 1: // by both
				e.try = func() bool { return bySMTP("back+"+m+"@in.example", mail) && deliver(mail) == nil }
			default:
				e.try = func() bool { return bySMTP("back+"+m+"@in.example", mail) }
			}
		}
		errands = append(errands, e)
	}
	for n := range writers { // people who write first
		mail := fmt.Sprintf("From: New %d <new%d@elsewhere.example>\r\nTo: back@in.example\r\nSubject: A question\r\nMessage-ID: <n%d@elsewhere.example>\r\n\r\nDo you deliver?\r\n", n, n, n)
		errands = append(errands, errand{fmt.Sprintf("new%d", n), func() bool { return bySMTP("back@in.example", mail) }})
	}
	work := make(chan errand)
	stop := make(chan struct{})
	var hands sync.WaitGroup
	for range 4 {
		hands.Go(func() {
			for e := range work {
				for !e.try() {
					select {
					case <-stop:
						return
					case <-time.After(20 * time.Millisecond): // as a mail server's queue does
					}
				}
				taken.Store(e.name, true)
			}
		})
	}
	t.Cleanup(func() { close(stop) })
	go func() {
		for _, e := range errands {
			select {
			case work <- e:
			case <-stop:
				return
			}
		}
		close(work)
	}()
	for range kills {
		before := count()
		s.Eventually(2*time.Minute, "returns are taken", func() bool { n := count(); return n >= before+len(errands)/(kills+2) || n == len(errands) })
		s.Kill()
		s.Launch()
	}
	s.Eventually(2*time.Minute, "all returns are taken", func() bool { return count() == len(errands) })
	hands.Wait()
	s.Kill() // once more: the mailbox is read at the start
	s.Launch()

	type events struct{ Items []struct{ Name string } }
	told := func(id, name string) (n int) {
		var found events
		s.Must("GET", "/people/"+id+"/events?type=message&limit=100", nil, &found)
		for _, e := range found.Items {
			if e.Name == name {
				n++
			}
		}
		return n
	}
	who := func(identifier string) string {
		var found struct{ Items []struct{ ID string } }
		s.Must("GET", "/people?identifier="+identifier, nil, &found)
		if len(found.Items) != 1 {
			return ""
		}
		return found.Items[0].ID
	}
	ids := map[string]string{}
	s.Eventually(3*time.Minute, "every return is on its person's timeline", func() bool {
		for n := range people {
			name := fmt.Sprintf("user_id:u%05d", n)
			if ids[name] == "" {
				ids[name] = who(name)
			}
			if ids[name] == "" || told(ids[name], returns[n%len(returns)].event) == 0 {
				return false
			}
		}
		for n := range writers {
			name := fmt.Sprintf("email:new%d@elsewhere.example", n)
			if ids[name] == "" {
				ids[name] = who(name)
			}
			if ids[name] == "" || told(ids[name], "Message Received") == 0 {
				return false
			}
		}
		return true
	})
	for n := range people {
		if got := told(ids[fmt.Sprintf("user_id:u%05d", n)], returns[n%len(returns)].event); got != 1 {
			t.Errorf("u%05d: %d times %s", n, got, returns[n%len(returns)].event)
		}
	}
	for n := range writers {
		if got := told(ids[fmt.Sprintf("email:new%d@elsewhere.example", n)], "Message Received"); got != 1 {
			t.Errorf("new%d: the mail is there %d times", n, got)
		}
	}
	var st stats
	s.Must("GET", "/stats", nil, &st)
	if st.People != people+writers {
		t.Errorf("%d people, want %d", st.People, people+writers)
	}
	t.Logf("%d returns taken by SMTP, IMAP and webhook, %d kills", len(errands), kills+1)
}
