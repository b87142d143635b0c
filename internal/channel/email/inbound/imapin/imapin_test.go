package imapin_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/email/inbound/imapin"
	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

// server is a real IMAP server with one mailbox.
type server struct {
	t    *testing.T
	user *imapmemserver.User
	port int
	tls  *tls.Config // how a client trusts it
}

func serve(t *testing.T, secure bool) *server {
	t.Helper()
	s := &server{t: t, user: imapmemserver.NewUser("back@example.com", "hush")}
	s.must(s.user.Create("INBOX", nil))
	mem := imapmemserver.New()
	mem.AddUser(s.user)
	o := &imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}}, InsecureAuth: true, Logger: log.New(&bytes.Buffer{}, "", 0),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	s.port = l.Addr().(*net.TCPAddr).Port
	if secure {
		certPEM, keyPEM, err := smtptest.Certificate("127.0.0.1")
		s.must(err)
		cert, err := tls.X509KeyPair(certPEM, keyPEM)
		s.must(err)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(certPEM)
		s.tls = &tls.Config{RootCAs: roots}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
	}
	srv := imapserver.New(o)
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return s
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) deliver(name string) {
	s.t.Helper()
	raw, err := os.ReadFile("../testdata/" + name)
	s.must(err)
	_, err = s.user.Append("INBOX", literal{bytes.NewReader(raw)}, &imap.AppendOptions{Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)})
	s.must(err)
}

type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// kept is the settings, the progress and what came.
type kept struct {
	mu    sync.Mutex
	in    []outbox.Inbound
	state map[string]outbox.MailboxState
	news  []channel.Returned
	from  []outbox.Scope
	fail  error
}

func (k *kept) Mailboxes(context.Context) ([]outbox.Inbound, error) { return k.in, nil }
func (k *kept) MailboxState(_ context.Context, _, account string) (outbox.MailboxState, error) {
	return k.state[account], nil
}

func (k *kept) SetMailboxState(_ context.Context, _, account string, st outbox.MailboxState) error {
	k.state[account] = st
	return nil
}

func (k *kept) take(_ context.Context, from outbox.Scope, news ...channel.Returned) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		return k.fail
	}
	for _, n := range news {
		k.news, k.from = append(k.news, n), append(k.from, from)
	}
	return nil
}

func (s *server) mailbox(account string) outbox.Inbound {
	return outbox.Inbound{Workspace: "ws_1", Account: account, Mailbox: outbox.Mailbox{Host: "127.0.0.1", Port: s.port, Username: "back@example.com", Password: "hush", Clear: s.tls == nil}}
}

func poller(k *kept, s *server) *imapin.Poller {
	return imapin.New(imapin.Options{Mailboxes: k, Take: k.take, Dial: (&net.Dialer{}).DialContext, TLS: s.tls, Now: func() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) }})
}

func TestNewMailIsReadOnceAndInOrder(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run("tls "+strconv.FormatBool(secure), func(t *testing.T) {
			s := serve(t, secure)
			k := &kept{in: []outbox.Inbound{s.mailbox("acc_1")}, state: map[string]outbox.MailboxState{}}
			p := poller(k, s)
			s.must(p.Round(t.Context()))
			if len(k.news) != 0 || k.state["acc_1"].Error != "" {
				t.Fatalf("an empty mailbox: %+v", k)
			}
			s.deliver("rfc3464_unknown.eml")
			s.deliver("reply.eml")
			for range 3 {
				s.must(p.Round(t.Context()))
			}
			if len(k.news) != 2 || k.news[0].News != channel.NewsBounced || k.news[1].News != channel.NewsReplied || k.from[0] != (outbox.Scope{Workspace: "ws_1", Account: "acc_1"}) {
				t.Errorf("read: %+v", k.news)
			}
			if !k.news[0].At.Equal(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)) {
				t.Errorf("it came at %s", k.news[0].At)
			}
			s.deliver("arf.eml")
			s.must(poller(k, s).Round(t.Context())) // after a restart
			if len(k.news) != 3 || k.news[2].News != channel.NewsComplained {
				t.Errorf("after a restart: %+v", k.news)
			}
			if st := k.state["acc_1"]; st.UID != 3 || st.Validity == 0 || st.At.IsZero() {
				t.Errorf("state: %+v", st)
			}
		})
	}
}

// A mail that could not be kept is read again; the same news makes the same events.
func TestWhatCouldNotBeKeptIsReadAgain(t *testing.T) {
	s := serve(t, false)
	k := &kept{in: []outbox.Inbound{s.mailbox("acc_1")}, state: map[string]outbox.MailboxState{}, fail: errors.New("the log is full")}
	s.deliver("qmail.eml")
	p := poller(k, s)
	s.must(p.Round(t.Context()))
	if st := k.state["acc_1"]; st.UID != 0 || !strings.Contains(st.Error, "the log is full") {
		t.Errorf("state: %+v", st)
	}
	k.fail = nil
	s.must(p.Round(t.Context()))
	if len(k.news) != 1 || k.state["acc_1"].Error != "" {
		t.Errorf("%+v", k)
	}
}

func TestAMailboxThatFailsHoldsUpNoOther(t *testing.T) {
	s := serve(t, false)
	s.deliver("exim.eml")
	wrong := s.mailbox("acc_0")
	wrong.Mailbox.Password = "other"
	away := s.mailbox("acc_00")
	away.Mailbox.Folder = "Nowhere"
	k := &kept{in: []outbox.Inbound{wrong, away, s.mailbox("acc_1")}, state: map[string]outbox.MailboxState{}}
	s.must(poller(k, s).Round(t.Context()))
	if len(k.news) != 1 || !strings.Contains(k.state["acc_0"].Error, "sign in") || !strings.Contains(k.state["acc_00"].Error, "Nowhere") {
		t.Errorf("%+v", k.state)
	}
	for _, st := range k.state {
		if strings.Contains(st.Error, "hush") {
			t.Errorf("a password is shown: %s", st.Error)
		}
	}
}

// With another UIDVALIDITY the numbers are others: what was read says nothing.
func TestANewMailboxIsReadFromTheBeginning(t *testing.T) {
	s := serve(t, false)
	s.deliver("docomo.eml")
	k := &kept{in: []outbox.Inbound{s.mailbox("acc_1")}, state: map[string]outbox.MailboxState{"acc_1": {Validity: 77, UID: 500}}}
	s.must(poller(k, s).Round(t.Context()))
	if len(k.news) != 1 || k.state["acc_1"].UID != 1 {
		t.Errorf("%+v", k)
	}
}

func TestAServerThatCannotProveItselfGetsNoPassword(t *testing.T) {
	s := serve(t, true)
	k := &kept{in: []outbox.Inbound{s.mailbox("acc_1")}, state: map[string]outbox.MailboxState{}}
	s.tls = nil
	s.must(poller(k, s).Round(t.Context()))
	if st := k.state["acc_1"]; !strings.Contains(st.Error, "certificate") {
		t.Errorf("state: %+v", st)
	}
}
