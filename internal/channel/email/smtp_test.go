package email_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/channeltest"
	"github.com/kizuna-cx/kizuna/internal/channel/email"
	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// start runs a server and a sender for it.
func start(t *testing.T, sc smtptest.Config, change func(*email.Config), o email.Options) (*smtptest.Server, *email.Sender) {
	t.Helper()
	s := smtptest.Start(t, sc)
	c := email.Config{Host: s.Host(), Port: s.Port(), Security: email.None, ConnectSeconds: 5, ReplySeconds: 5, AcceptSeconds: 5}
	if sc.StartTLS || sc.ImplicitTLS {
		c.CACert = s.CertPEM()
	}
	if change != nil {
		change(&c)
	}
	sender, err := email.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sender.Close() })
	return s, sender
}

func ok() error { return nil }

func send(t *testing.T, s *email.Sender, to string) channel.Outcome {
	t.Helper()
	return s.Send(t.Context(), channeltest.Message("msg_1", to), ok)
}

func reply(r smtptest.Reply) func(smtptest.Call) smtptest.Reply {
	return func(smtptest.Call) smtptest.Reply { return r }
}

func TestAnswersAreClassed(t *testing.T) {
	for _, c := range []struct {
		stage smtptest.Stage
		text  string
		want  channel.Outcome
	}{
		{smtptest.Rcpt, "550 5.1.1 <x>: User unknown", channel.Outcome{Result: channel.Rejected, Code: "550 5.1.1", Detail: "<x>: User unknown", Permanent: true}},
		{smtptest.Rcpt, "550 5.1.2 no such domain", channel.Outcome{Result: channel.Rejected, Code: "550 5.1.2", Detail: "no such domain", Permanent: true}},
		{smtptest.Rcpt, "550 5.2.1 mailbox disabled", channel.Outcome{Result: channel.Rejected, Code: "550 5.2.1", Detail: "mailbox disabled", Permanent: true}},
		{smtptest.Rcpt, "556 5.1.10 null MX", channel.Outcome{Result: channel.Rejected, Code: "556 5.1.10", Detail: "null MX", Permanent: true}},
		{smtptest.Rcpt, "550 no such user here", channel.Outcome{Result: channel.Rejected, Code: "550", Detail: "no such user here", Permanent: true}},
		{smtptest.Rcpt, "551 user not local", channel.Outcome{Result: channel.Rejected, Code: "551", Detail: "user not local", Permanent: true}},
		{smtptest.Rcpt, "550 blocked by our spam filter", channel.Outcome{Result: channel.Rejected, Code: "550", Detail: "blocked by our spam filter"}},
		{smtptest.Rcpt, "550 5.7.1 policy", channel.Outcome{Result: channel.Rejected, Code: "550 5.7.1", Detail: "policy"}},
		{smtptest.Rcpt, "552 5.2.2 mailbox full", channel.Outcome{Result: channel.Rejected, Code: "552 5.2.2", Detail: "mailbox full"}},
		{smtptest.Rcpt, "554 5.7.1 Relay access denied", channel.Outcome{Result: channel.Rejected, Code: "554 5.7.1", Detail: "Relay access denied"}},
		{smtptest.Rcpt, "450 4.2.0 Greylisted, try again in 5 minutes", channel.Outcome{Result: channel.Deferred, Code: "450 4.2.0", Detail: "Greylisted, try again in 5 minutes", Retry: 5 * time.Minute}},
		{smtptest.Rcpt, "454 4.7.1 Relay access denied", channel.Outcome{Result: channel.Deferred, Code: "454 4.7.1", Detail: "Relay access denied"}},
		{smtptest.Rcpt, "451 4.7.1 retry after 00:01:30", channel.Outcome{Result: channel.Deferred, Code: "451 4.7.1", Detail: "retry after 00:01:30", Retry: 90 * time.Second}},
		{smtptest.Rcpt, "452 4.2.2 over\nquota", channel.Outcome{Result: channel.Deferred, Code: "452 4.2.2", Detail: "over quota"}},
		{smtptest.Mail, "550 5.1.1 sender unknown", channel.Outcome{Result: channel.Rejected, Code: "550 5.1.1", Detail: "sender unknown", Permanent: true}},
		{smtptest.Mail, "550 not you", channel.Outcome{Result: channel.Rejected, Code: "550", Detail: "not you"}},
		{smtptest.Mail, "451 4.3.0 later", channel.Outcome{Result: channel.Deferred, Code: "451 4.3.0", Detail: "later"}},
		{smtptest.Mail, "530 5.7.0 authentication required", channel.Outcome{Result: channel.Deferred, Detail: "530 5.7.0 authentication required"}},
		{smtptest.Mail, "421 4.7.0 too many messages", channel.Outcome{Result: channel.Deferred, Detail: "421 4.7.0 too many messages"}},
		{smtptest.Data, "554 5.6.0 no", channel.Outcome{Result: channel.Rejected, Code: "554 5.6.0", Detail: "no"}},
		{smtptest.Data, "452 4.3.1 no room", channel.Outcome{Result: channel.Deferred, Code: "452 4.3.1", Detail: "no room"}},
		{smtptest.Dot, "550 5.1.1 found out late", channel.Outcome{Result: channel.Rejected, Code: "550 5.1.1", Detail: "found out late", Permanent: true}},
		{smtptest.Dot, "550 spam", channel.Outcome{Result: channel.Rejected, Code: "550", Detail: "spam"}},
		{smtptest.Dot, "421 4.3.0 going down", channel.Outcome{Result: channel.Deferred, Code: "421 4.3.0", Detail: "going down"}},
		{smtptest.Dot, "251 2.0.0 queued as 4F", channel.Outcome{Result: channel.Sent, Code: "251 2.0.0", Detail: "queued as 4F"}},
	} {
		for _, pipelining := range []bool{true, false} {
			s, sender := start(t, smtptest.Config{NoPipelining: !pipelining}, nil, email.Options{})
			s.On(c.stage, reply(smtptest.Reply{Text: c.text}))
			if got := send(t, sender, "a@example.com"); got != c.want {
				t.Errorf("%s at %s, pipelining %v:\n got %+v\nwant %+v", c.text, c.stage, pipelining, got, c.want)
			}
		}
	}
}

func TestOneRefusalDoesNotSpoilTheConnection(t *testing.T) {
	for _, pipelining := range []bool{true, false} {
		s, sender := start(t, smtptest.Config{NoPipelining: !pipelining}, nil, email.Options{})
		s.OnRcpt(func(c smtptest.Call) smtptest.Reply {
			if strings.HasPrefix(c.Arg, "bad") {
				return smtptest.Reply{Text: "550 5.1.1 no"}
			}
			return smtptest.Reply{}
		})
		for i, to := range []string{"a@example.com", "bad1@example.com", "bad2@example.com", "b@example.com", "c@example.com"} {
			want := channel.Sent
			if strings.HasPrefix(to, "bad") {
				want = channel.Rejected
			}
			if o := send(t, sender, to); o.Result != want {
				t.Errorf("message %d: %+v, want %s", i, o, want)
			}
		}
		if n := s.Sessions(); n != 1 {
			t.Errorf("pipelining %v: %d connections, want 1", pipelining, n)
		}
		for _, m := range s.Messages() {
			if len(m.To) != 1 {
				t.Errorf("a message to %v", m.To)
			}
		}
	}
}

func TestTheFirstAttemptMayBeGreylisted(t *testing.T) {
	s, sender := start(t, smtptest.Config{}, nil, email.Options{})
	s.OnRcpt(func(c smtptest.Call) smtptest.Reply {
		if c.N == 0 {
			return smtptest.Reply{Text: "451 4.7.1 greylisted"}
		}
		return smtptest.Reply{}
	})
	if o := send(t, sender, "a@example.com"); o.Result != channel.Deferred {
		t.Errorf("first: %+v", o)
	}
	if o := send(t, sender, "a@example.com"); o.Result != channel.Sent {
		t.Errorf("second: %+v", o)
	}
}

func TestTheEnvelopeTakesOneWriteAndTheEndWaitsForCommit(t *testing.T) {
	large := channeltest.Message("msg_1", "a@example.com")
	large.HTML = strings.Repeat("<p>A line of a long letter.</p>\n", 3000)
	for _, c := range []struct {
		name     string
		m        channel.Message
		atCommit int64 // EHLO and the envelope; of a large message what fits into whole writes
		travels  bool
	}{
		{"what fits into one write goes with its end", channeltest.Message("msg_1", "a@example.com"), 2, false},
		{"a large message travels while commit works", large, 4, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var writes atomic.Int64
			s, sender := start(t, smtptest.Config{}, nil, email.Options{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
				return &countedConn{c, &writes}, err
			}})
			arrived := make(chan struct{})
			s.On(smtptest.Body, func(smtptest.Call) smtptest.Reply { close(arrived); return smtptest.Reply{} })
			var atCommit int64
			o := sender.Send(t.Context(), c.m, func() error {
				if c.travels {
					select {
					case <-arrived:
					case <-time.After(time.Minute):
						t.Error("nothing of the message had arrived at commit")
					}
				}
				if n := len(s.Messages()); n != 0 {
					t.Errorf("%d messages delivered before commit", n)
				}
				atCommit = writes.Load()
				return nil
			})
			if o.Result != channel.Sent {
				t.Fatalf("%+v", o)
			}
			if atCommit != c.atCommit || writes.Load() != c.atCommit+1 {
				t.Errorf("writes at commit and at the end: %d, %d, want %d, %d", atCommit, writes.Load(), c.atCommit, c.atCommit+1)
			}
		})
	}
}

func TestTroubleWithEncryptionAndAddressesNamesTheField(t *testing.T) {
	for _, c := range []struct {
		name, field, says string
		change            func(*email.Config)
	}{
		{"unknown authority", "ca_cert", "vouches", func(c *email.Config) { c.CACert = "" }},
		{"another name", "server_name", "not for mail.example.com", func(c *email.Config) { c.ServerName = "mail.example.com" }},
		{"no such address", "ip_version", "no connection", func(c *email.Config) { c.IPVersion = "6" }},
		{"fine", "", "", func(c *email.Config) { c.IPVersion, c.MinTLS = "4", "1.3" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := smtptest.Start(t, smtptest.Config{StartTLS: true})
			config := email.Config{Host: s.Host(), Port: s.Port(), CACert: s.CertPEM()}
			c.change(&config)
			sender, err := email.New(config, email.Options{})
			if err != nil {
				t.Fatal(err)
			}
			err = sender.Check(t.Context())
			var e *errs.Error
			switch {
			case c.field == "" && err != nil:
				t.Error(err)
			case c.field != "" && (!errors.As(err, &e) || e.Field != c.field || !strings.Contains(e.Msg, c.says)):
				t.Errorf("%#v, want field %s", err, c.field)
			}
		})
	}
	old := smtptest.Start(t, smtptest.Config{StartTLS: true, MaxTLS: tls.VersionTLS12})
	sender, err := email.New(email.Config{Host: old.Host(), Port: old.Port(), CACert: old.CertPEM(), MinTLS: "1.3"}, email.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var e *errs.Error
	if err := sender.Check(t.Context()); !errors.As(err, &e) || e.Field != "min_tls" {
		t.Errorf("a server with TLS 1.2: %v", err)
	}
	for field, c := range map[string]email.Config{"min_tls": {Host: "h", MinTLS: "1.1"}, "ip_version": {Host: "h", IPVersion: "5"}} {
		if err := c.Validate(); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestTheNextEnvelopeRidesWithTheEndOfTheMessage(t *testing.T) {
	var writes atomic.Int64
	s, sender := start(t, smtptest.Config{}, nil, email.Options{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return &countedConn{c, &writes}, err
	}})
	l := sender.Line()
	defer l.Close()
	const n = 10
	for i := range n {
		o := l.Send(t.Context(), channeltest.Message(fmt.Sprint("msg_", i), "a@example.com"), func() (channel.Message, bool) {
			return channeltest.Message(fmt.Sprint("msg_", i+1), "a@example.com"), i+1 < n
		}, func() error { return nil })
		if o.Result != channel.Sent {
			t.Fatalf("%+v", o)
		}
	}
	if got := writes.Load(); got != 2+n || s.Sessions() != 1 { // EHLO and the first envelope; then content, dot and the next envelope
		t.Errorf("%d writes over %d connections for %d messages, want %d over 1", got, s.Sessions(), n, 2+n)
	}
}

// A line makes its messages in the same space again and again: what arrives is what a line of its own would have sent.
func TestMessagesOfALineDoNotMix(t *testing.T) {
	s, sender := start(t, smtptest.Config{}, nil, email.Options{})
	var letters []channel.Message
	for i, paragraphs := range []int{1, 400, 3, 4000, 2, 0, 50} { // the fourth is too large for the space to be kept
		m := channeltest.Message(fmt.Sprint("msg_", i), "a@example.com")
		m.HTML = fmt.Sprintf("<p>%d</p>", i) + strings.Repeat("<p>Spring has come.\n.And gone.</p>\n", paragraphs)
		letters = append(letters, m)
		if o := sender.Send(t.Context(), m, func() error { return nil }); o.Result != channel.Sent {
			t.Fatalf("%+v", o)
		}
	}
	l := sender.Line()
	defer l.Close()
	for i, m := range letters {
		next := func() (channel.Message, bool) {
			if i+1 == len(letters) {
				return channel.Message{}, false
			}
			return letters[i+1], true
		}
		if o := l.Send(t.Context(), m, next, func() error { return nil }); o.Result != channel.Sent {
			t.Fatalf("%+v", o)
		}
	}
	got := s.Wait(t, 2*len(letters))
	for i := range letters {
		if alone, inLine := string(got[i].Data), string(got[len(letters)+i].Data); alone != inLine {
			t.Errorf("letter %d: %d bytes alone, %d in a line, or others", i, len(alone), len(inLine))
		}
	}
}

func TestContentOfADeniedRecipientIsNeverSent(t *testing.T) {
	// A server that accepts DATA although it refused the only recipient (RFC 2920 allows it) gets an empty message.
	s, sender := start(t, smtptest.Config{}, nil, email.Options{})
	s.OnRcpt(func(c smtptest.Call) smtptest.Reply {
		if strings.HasPrefix(c.Arg, "bad") {
			return smtptest.Reply{Text: "550 5.1.1 no"}
		}
		return smtptest.Reply{}
	})
	s.On(smtptest.Data, reply(smtptest.Reply{Text: "354 whatever"}))
	var seen []string
	s.On(smtptest.Dot, func(c smtptest.Call) smtptest.Reply {
		seen = append(seen, string(c.Message.Data))
		if len(c.Message.To) == 0 {
			return smtptest.Reply{Text: "554 5.5.1 no valid recipients"}
		}
		return smtptest.Reply{}
	})
	o := sender.Send(t.Context(), channeltest.Message("msg_1", "bad@example.com"), func() error { t.Error("commit was called"); return nil })
	if o.Result != channel.Rejected || o.Code != "550 5.1.1" || !o.Permanent {
		t.Errorf("%+v", o)
	}
	if o := send(t, sender, "good@example.com"); o.Result != channel.Sent {
		t.Errorf("the next: %+v", o)
	}
	if len(seen) != 2 || seen[0] != "" || s.Sessions() != 1 {
		t.Errorf("the server saw %d messages over %d connections, first %q", len(seen), s.Sessions(), seen[0])
	}
}

func TestAStaleConnectionIsReplacedOnce(t *testing.T) {
	for _, how := range []string{"closed by the server", "421 at MAIL"} {
		s, sender := start(t, smtptest.Config{}, nil, email.Options{})
		if o := send(t, sender, "a@example.com"); o.Result != channel.Sent {
			t.Fatal(o)
		}
		if how == "421 at MAIL" {
			s.On(smtptest.Mail, func(c smtptest.Call) smtptest.Reply {
				if c.Session == 1 {
					return smtptest.Reply{Text: "421 4.4.2 timeout", Drop: true}
				}
				return smtptest.Reply{}
			})
		} else {
			s.DropAll()
		}
		commits := 0
		o := sender.Send(t.Context(), channeltest.Message("msg_2", "b@example.com"), func() error { commits++; return nil })
		if o.Result != channel.Sent || commits != 1 || s.Sessions() != 2 || len(s.Messages()) != 2 {
			t.Errorf("%s: %+v, %d commits, %d connections, %d messages", how, o, commits, s.Sessions(), len(s.Messages()))
		}
		s.On(smtptest.Mail, reply(smtptest.Reply{Drop: true}))
		if o := send(t, sender, "c@example.com"); o.Result != channel.Deferred || s.Sessions() != 3 {
			t.Errorf("%s: a server that always hangs up: %+v after %d connections", how, o, s.Sessions())
		}
	}
}

func TestConnectionsAreBoundedReusedAndRetired(t *testing.T) {
	s, sender := start(t, smtptest.Config{}, func(c *email.Config) { c.MaxConnections, c.MaxMessages = 3, 5 }, email.Options{})
	var active, most atomic.Int64
	s.On(smtptest.Mail, func(smtptest.Call) smtptest.Reply {
		if n := active.Add(1); n > most.Load() {
			most.Store(n)
		}
		return smtptest.Reply{}
	})
	s.On(smtptest.Dot, func(smtptest.Call) smtptest.Reply { active.Add(-1); return smtptest.Reply{} })
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			if o := send(t, sender, fmt.Sprintf("p%d@example.com", i)); o.Result != channel.Sent {
				t.Errorf("%+v", o)
			}
		})
	}
	wg.Wait()
	per := map[int]int{}
	for _, m := range s.Messages() {
		per[m.Session]++
	}
	for session, n := range per {
		if n > 5 {
			t.Errorf("connection %d carried %d messages, want 5 at most", session, n)
		}
	}
	if len(s.Messages()) != 30 || s.Sessions() < 6 {
		t.Errorf("%d messages over %d connections", len(s.Messages()), s.Sessions())
	}
	if n := most.Load(); n < 2 || n > 3 {
		t.Errorf("%d messages at once, want as many as connections, 3", n)
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	s, sender := start(t, smtptest.Config{}, func(c *email.Config) { c.IdleSeconds = 1 }, email.Options{})
	quit := make(chan struct{}, 10)
	s.On(smtptest.Quit, func(smtptest.Call) smtptest.Reply { quit <- struct{}{}; return smtptest.Reply{} })
	if o := send(t, sender, "a@example.com"); o.Result != channel.Sent {
		t.Fatal(o)
	}
	select {
	case <-quit:
	case <-time.After(time.Minute):
		t.Fatal("the idle connection is still open")
	}
	if o := send(t, sender, "b@example.com"); o.Result != channel.Sent || s.Sessions() != 2 {
		t.Errorf("%+v over %d connections", o, s.Sessions())
	}
}

func TestEncryptionPolicies(t *testing.T) {
	fail := func(s *smtptest.Server) {
		s.On(smtptest.StartTLS, reply(smtptest.Reply{Text: "220 2.0.0 go ahead", Drop: true}))
	}
	refuse := func(s *smtptest.Server) {
		s.On(smtptest.StartTLS, reply(smtptest.Reply{Text: "454 4.7.0 no TLS today"}))
	}
	inject := func(s *smtptest.Server) {
		s.On(smtptest.StartTLS, reply(smtptest.Reply{Raw: "220 2.0.0 go ahead\r\n250-evil\r\n250 SIZE 1\r\n"}))
	}
	for _, c := range []struct {
		name     string
		server   smtptest.Config
		security email.Security
		change   func(*email.Config)
		prepare  func(*smtptest.Server)
		want     channel.Result
		tls      bool
		detail   string
	}{
		{"required and offered", smtptest.Config{StartTLS: true}, email.Required, nil, nil, channel.Sent, true, ""},
		{"required is the default", smtptest.Config{StartTLS: true}, "", nil, nil, channel.Sent, true, ""},
		{"required, not offered", smtptest.Config{}, email.Required, nil, nil, channel.Deferred, false, "does not offer STARTTLS"},
		{"required, failing", smtptest.Config{StartTLS: true}, email.Required, nil, fail, channel.Deferred, false, "encryption failed"},
		{"required, refused", smtptest.Config{StartTLS: true}, email.Required, nil, refuse, channel.Deferred, false, "454 4.7.0"},
		{"required, tampered with", smtptest.Config{StartTLS: true}, email.Required, nil, inject, channel.Deferred, false, "between STARTTLS and the handshake"},
		{"required, certificate not trusted", smtptest.Config{StartTLS: true}, email.Required, func(c *email.Config) { c.CACert = "" }, nil, channel.Deferred, false, "certificate"},
		{"required, certificate of another name", smtptest.Config{StartTLS: true}, email.Required, func(c *email.Config) { c.ServerName = "mail.example.com" }, nil, channel.Deferred, false, "mail.example.com"},
		{"required, the name given", smtptest.Config{StartTLS: true}, email.Required, func(c *email.Config) { c.ServerName = "localhost" }, nil, channel.Sent, true, ""},
		{"opportunistic and offered", smtptest.Config{StartTLS: true}, email.Opportunistic, nil, nil, channel.Sent, true, ""},
		{"opportunistic, certificate not trusted", smtptest.Config{StartTLS: true}, email.Opportunistic, func(c *email.Config) { c.CACert = "" }, nil, channel.Sent, true, ""},
		{"opportunistic, not offered", smtptest.Config{}, email.Opportunistic, nil, nil, channel.Sent, false, ""},
		{"opportunistic, failing", smtptest.Config{StartTLS: true}, email.Opportunistic, nil, fail, channel.Sent, false, ""},
		{"opportunistic, refused", smtptest.Config{StartTLS: true}, email.Opportunistic, nil, refuse, channel.Sent, false, ""},
		{"none although offered", smtptest.Config{StartTLS: true}, email.None, nil, nil, channel.Sent, false, ""},
		{"implicit", smtptest.Config{ImplicitTLS: true}, email.Implicit, nil, nil, channel.Sent, true, ""},
		{"implicit at a server without", smtptest.Config{}, email.Implicit, nil, nil, channel.Deferred, false, "encryption failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, sender := start(t, c.server, func(conf *email.Config) {
				conf.Security = c.security
				if c.change != nil {
					c.change(conf)
				}
			}, email.Options{})
			if c.prepare != nil {
				c.prepare(s)
			}
			o := send(t, sender, "a@example.com")
			if o.Result != c.want || !strings.Contains(o.Detail, c.detail) || o.Result == channel.Deferred && o.Code != "" {
				t.Fatalf("%+v, want %s ...%s...", o, c.want, c.detail)
			}
			if o.Result == channel.Sent && s.Messages()[0].TLS != c.tls {
				t.Errorf("encrypted %v, want %v", s.Messages()[0].TLS, c.tls)
			}
		})
	}
}

func TestPasswordsAreProtected(t *testing.T) {
	users := map[string]string{"post@example.com": "geheim ünïcode"}
	for _, c := range []struct {
		name   string
		server smtptest.Config
		change func(*email.Config)
		want   channel.Result
		detail string
		field  string // of the check's error
	}{
		{"PLAIN over TLS", smtptest.Config{StartTLS: true, Users: users}, nil, channel.Sent, "", ""},
		{"wrong password", smtptest.Config{StartTLS: true, Users: users}, func(c *email.Config) { c.Password = "x" }, channel.Deferred, "535 5.7.8", "password"},
		{"in clear", smtptest.Config{Users: users}, func(c *email.Config) { c.Security = email.None }, channel.Deferred, "not encrypted", "security"},
		{"in clear, opportunistic", smtptest.Config{Users: users}, func(c *email.Config) { c.Security = email.Opportunistic }, channel.Deferred, "not encrypted", "security"},
		{"in clear on this machine, if allowed", smtptest.Config{Users: users}, func(c *email.Config) { c.Security, c.AllowClearAuth = email.None, true }, channel.Sent, "", ""},
		{"opportunistic with an unknown certificate", smtptest.Config{StartTLS: true, Users: users}, func(c *email.Config) { c.Security, c.CACert = email.Opportunistic, "" }, channel.Deferred, "certificate", "ca_cert"},
		{"no way to sign in", smtptest.Config{StartTLS: true}, nil, channel.Deferred, "no way to sign in", "username"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var auths atomic.Int64
			s, sender := start(t, c.server, func(conf *email.Config) {
				conf.Security, conf.Username, conf.Password = email.Required, "post@example.com", "geheim ünïcode"
				if c.change != nil {
					c.change(conf)
				}
			}, email.Options{})
			s.On(smtptest.Auth, func(smtptest.Call) smtptest.Reply { auths.Add(1); return smtptest.Reply{} })
			o := send(t, sender, "a@example.com")
			if o.Result != c.want || !strings.Contains(o.Detail, c.detail) {
				t.Fatalf("%+v, want %s ...%s...", o, c.want, c.detail)
			}
			if strings.Contains(c.detail, "not encrypted") && auths.Load() > 0 {
				t.Error("the password was sent all the same")
			}
			err := sender.Check(t.Context())
			if c.field == "" {
				if err != nil {
					t.Errorf("check: %v", err)
				}
				return
			}
			var e *errs.Error
			if !errors.As(err, &e) || e.Field != c.field || e.Kind != errs.KindUnavailable {
				t.Errorf("check: %#v, want field %s", err, c.field)
			}
		})
	}
	t.Run("LOGIN if there is no PLAIN", func(t *testing.T) {
		s, sender := start(t, smtptest.Config{Users: users}, func(conf *email.Config) {
			conf.Username, conf.Password, conf.AllowClearAuth = "post@example.com", "geheim ünïcode", true
		}, email.Options{})
		s.On(smtptest.Ehlo, reply(smtptest.Reply{Text: "250 smtptest\nAUTH=LOGIN\nPIPELINING"}))
		if o := send(t, sender, "a@example.com"); o.Result != channel.Sent || s.Messages()[0].User != "post@example.com" {
			t.Errorf("%+v", o)
		}
	})
}

func TestBrokenServersNeverHangOrLie(t *testing.T) {
	for _, c := range []struct {
		name  string
		stage smtptest.Stage
		reply smtptest.Reply
		want  channel.Result
	}{
		{"no greeting", smtptest.Greet, smtptest.Reply{Drop: true}, channel.Deferred},
		{"a slow greeting", smtptest.Greet, smtptest.Reply{Delay: time.Minute}, channel.Deferred},
		{"a greeting of another protocol", smtptest.Greet, smtptest.Reply{Raw: "SSH-2.0-OpenSSH_9.2\r\n"}, channel.Deferred},
		{"a refusing greeting", smtptest.Greet, smtptest.Reply{Text: "554 5.7.1 not you"}, channel.Deferred},
		{"a busy greeting", smtptest.Greet, smtptest.Reply{Text: "421 4.3.2 busy"}, channel.Deferred},
		{"codes that disagree", smtptest.Rcpt, smtptest.Reply{Raw: "250-ok\r\n550 not ok\r\n"}, channel.Deferred},
		{"a code out of range", smtptest.Rcpt, smtptest.Reply{Raw: "999 what\r\n"}, channel.Deferred},
		{"no code", smtptest.Rcpt, smtptest.Reply{Raw: "hello\r\n"}, channel.Deferred},
		{"a huge line", smtptest.Rcpt, smtptest.Reply{Raw: "250 " + strings.Repeat("x", 1<<20) + "\r\n"}, channel.Deferred},
		{"endless lines", smtptest.Rcpt, smtptest.Reply{Raw: strings.Repeat("250-x\r\n", 200) + "250 x\r\n"}, channel.Deferred},
		{"a reply of the wrong kind", smtptest.Rcpt, smtptest.Reply{Text: "354 go"}, channel.Deferred},
		{"a slow reply", smtptest.Rcpt, smtptest.Reply{Delay: time.Minute}, channel.Deferred},
		{"a drop at MAIL", smtptest.Mail, smtptest.Reply{Drop: true}, channel.Deferred},
		{"a drop at DATA", smtptest.Data, smtptest.Reply{Drop: true}, channel.Deferred},
		{"a slow answer after commit", smtptest.Dot, smtptest.Reply{Delay: time.Minute}, channel.Unknown},
		{"half a reply after commit", smtptest.Dot, smtptest.Reply{Raw: "25", Drop: true, Keep: true}, channel.Unknown},
		{"codes that disagree after commit", smtptest.Dot, smtptest.Reply{Raw: "250-ok\r\n550 not ok\r\n", Keep: true}, channel.Unknown},
		{"a third kind of reply after commit", smtptest.Dot, smtptest.Reply{Text: "354 more", Keep: true}, channel.Unknown},
		{"a bare code", smtptest.Dot, smtptest.Reply{Raw: "250\r\n", Keep: true}, channel.Sent},
		{"an LF alone", smtptest.Dot, smtptest.Reply{Raw: "250-a\n250 b\n", Keep: true}, channel.Sent},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, sender := start(t, smtptest.Config{}, func(config *email.Config) {
				switch { // only the stage that is slow is cut short: the machine may be slow in the others
				case c.reply.Delay == 0:
				case c.stage == smtptest.Dot:
					config.AcceptSeconds = 1
				default:
					config.ReplySeconds = 1
				}
			}, email.Options{})
			s.On(c.stage, reply(c.reply))
			began := time.Now()
			o := send(t, sender, "a@example.com")
			if o.Result != c.want || o.Permanent {
				t.Errorf("%+v, want %s", o, c.want)
			}
			if d := time.Since(began); d > 30*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

func TestASlowStreamOfBytesDoesNotOutlastTheLimit(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for range 600 { // a byte now and then must not push the deadline out
			if _, err := c.Write([]byte("2")); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	host, port, _ := net.SplitHostPort(l.Addr().String())
	var p int
	_, _ = fmt.Sscan(port, &p)
	sender, err := email.New(email.Config{Host: host, Port: p, Security: email.None, ConnectSeconds: 1}, email.Options{})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if o := send(t, sender, "a@example.com"); o.Result != channel.Deferred || time.Since(began) > 30*time.Second {
		t.Errorf("%+v after %v", o, time.Since(began))
	}
}

func TestAnEndingContextWaitsForTheAnswerOnlyAfterCommit(t *testing.T) {
	s, sender := start(t, smtptest.Config{}, nil, email.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	s.On(smtptest.Dot, func(smtptest.Call) smtptest.Reply { cancel(); return smtptest.Reply{Delay: 300 * time.Millisecond} })
	if o := sender.Send(ctx, channeltest.Message("msg_1", "a@example.com"), ok); o.Result != channel.Sent {
		t.Errorf("the answer was on its way: %+v", o)
	}
	ctx, cancel = context.WithCancel(t.Context())
	s.OnRcpt(func(smtptest.Call) smtptest.Reply { cancel(); return smtptest.Reply{Delay: time.Minute} })
	began := time.Now()
	o := sender.Send(ctx, channeltest.Message("msg_2", "b@example.com"), func() error { t.Error("commit was called"); return nil })
	if o.Result != channel.Deferred || time.Since(began) > 30*time.Second {
		t.Errorf("%+v after %v", o, time.Since(began))
	}
}

func TestServersExtensionsAreRespected(t *testing.T) {
	msg := func(to string) channel.Message { return channeltest.Message("msg_1", to) }
	t.Run("a message above the size is not offered", func(t *testing.T) {
		s, sender := start(t, smtptest.Config{MaxSize: 2000}, nil, email.Options{})
		m := msg("a@example.com")
		m.HTML = strings.Repeat("x\n", 2000)
		o := sender.Send(t.Context(), m, func() error { t.Error("commit was called"); return nil })
		if o.Result != channel.Rejected || o.Code != "552 5.3.4" || o.Permanent {
			t.Errorf("%+v", o)
		}
		if o := send(t, sender, "a@example.com"); o.Result != channel.Sent || !strings.HasPrefix(s.Messages()[0].Params, "SIZE=") {
			t.Errorf("%+v", o)
		}
	})
	t.Run("international addresses", func(t *testing.T) {
		s, sender := start(t, smtptest.Config{}, nil, email.Options{})
		if o := send(t, sender, "taro@日本語.example"); o.Result != channel.Sent {
			t.Fatalf("%+v", o)
		}
		if o := send(t, sender, "太郎@日本語.example"); o.Result != channel.Sent {
			t.Fatalf("%+v", o)
		}
		m := s.Messages()
		if m[0].To[0] != "taro@xn--wgv71a119e.example" || strings.Contains(m[0].Params, "SMTPUTF8") {
			t.Errorf("an international domain went as %s %s", m[0].To, m[0].Params)
		}
		if m[1].To[0] != "太郎@xn--wgv71a119e.example" || !strings.Contains(m[1].Params, "SMTPUTF8 BODY=8BITMIME") {
			t.Errorf("an international mailbox went as %s %s", m[1].To, m[1].Params)
		}
	})
	t.Run("a server without SMTPUTF8", func(t *testing.T) {
		_, sender := start(t, smtptest.Config{Extensions: []string{"PIPELINING"}}, nil, email.Options{})
		if o := send(t, sender, "太郎@example.com"); o.Result != channel.Rejected || o.Code != "553 5.6.7" || o.Permanent {
			t.Errorf("%+v", o)
		}
		if o := send(t, sender, "taro@example.com"); o.Result != channel.Sent {
			t.Errorf("%+v", o)
		}
	})
	t.Run("a server that knows HELO alone", func(t *testing.T) {
		s, sender := start(t, smtptest.Config{NoPipelining: true}, func(c *email.Config) { c.HelloName = "kizuna.example.com" }, email.Options{})
		var names []string
		s.On(smtptest.Ehlo, func(c smtptest.Call) smtptest.Reply {
			names = append(names, c.Arg)
			if len(names) == 1 {
				return smtptest.Reply{Text: "502 5.5.2 what"}
			}
			return smtptest.Reply{Text: "250 smtptest"}
		})
		if o := send(t, sender, "a@example.com"); o.Result != channel.Sent || len(names) != 2 || names[0] != "kizuna.example.com" {
			t.Errorf("%+v %v", o, names)
		}
	})
	t.Run("the return path names the message and the recipient", func(t *testing.T) {
		s, sender := start(t, smtptest.Config{}, func(c *email.Config) { c.ReturnPath = "bounce+{id}+{to}@bounces.example.com" }, email.Options{})
		if o := sender.Send(t.Context(), channeltest.Message("msg_01ABC", "a.b@example.com"), ok); o.Result != channel.Sent {
			t.Fatalf("%+v", o)
		}
		if got := s.Messages()[0].From; got != "bounce+msg_01abc+a.b=example.com@bounces.example.com" {
			t.Errorf("envelope sender %s", got)
		}
	})
}

func TestLargeMessagesArriveWhole(t *testing.T) {
	s, sender := start(t, smtptest.Config{}, nil, email.Options{})
	m := channeltest.Message("msg_1", "a@example.com")
	m.HTML = "<p>" + strings.Repeat(".line with a dot\r\n..\n.\nand more 日本語\n", 20000)
	if o := sender.Send(t.Context(), m, ok); o.Result != channel.Sent {
		t.Fatalf("%+v", o)
	}
	_, html := parts(t, s.Messages()[0].Data)
	if html != strings.ReplaceAll(strings.ReplaceAll(m.HTML, "\r\n", "\n"), "\n", "\r\n") {
		t.Error("the HTML has changed on its way")
	}
}

func TestConfigErrorsNameTheirField(t *testing.T) {
	good := func() email.Config { return email.Config{Host: "smtp.example.com"} }
	for field, change := range map[string]func(*email.Config){
		"host":            func(c *email.Config) { c.Host = "smtp example" },
		"port":            func(c *email.Config) { c.Port = 70000 },
		"security":        func(c *email.Config) { c.Security = "tls" },
		"username":        func(c *email.Config) { c.Password = "x" },
		"ca_cert":         func(c *email.Config) { c.CACert = "nonsense" },
		"hello_name":      func(c *email.Config) { c.HelloName = "a\r\nQUIT" },
		"server_name":     func(c *email.Config) { c.ServerName = "a b" },
		"return_path":     func(c *email.Config) { c.ReturnPath = "bounce" },
		"max_connections": func(c *email.Config) { c.MaxConnections = -1 },
		"reply_seconds":   func(c *email.Config) { c.ReplySeconds = 100000 },
	} {
		c := good()
		change(&c)
		all := errs.All(c.Validate())
		if len(all) != 1 || all[0].Field != field || all[0].Kind != errs.KindInvalid || all[0].Msg == "" {
			t.Errorf("%s: %v", field, all)
		}
		if _, err := email.New(c, email.Options{}); err == nil {
			t.Errorf("%s: New took it", field)
		}
	}
	c := good()
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

// BenchmarkSend sends a mail of about 5 KB through ten connections on the loopback, encryption off.
func BenchmarkSend(b *testing.B) {
	s := smtptest.Start(b)
	sender, err := email.New(email.Config{Host: s.Host(), Port: s.Port(), Security: email.None, MaxConnections: 10, MaxMessages: 1 << 20}, email.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer sender.Close()
	m := channeltest.Message("msg_1", "a@example.com")
	m.HTML = strings.Repeat(`<p style="color:#222">A line of a letter that is not too long, with a <a href="https://example.com/">link</a>, é.</p>`+"\n", 45)
	b.SetParallelism(5)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if o := sender.Send(b.Context(), m, ok); o.Result != channel.Sent {
				b.Fatal(o)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
