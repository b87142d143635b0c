package email_test

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/channel/channeltest"
	"github.com/kizuna-cx/kizuna/internal/channel/email"
	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
)

// peer is a mail server behind the conformance suite's face.
type peer struct {
	s      *smtptest.Server
	config email.Config
}

func (p *peer) Config() any { c := p.config; return &c }

func (p *peer) Addr(n int) string { return fmt.Sprintf("person%d@example.com", n) }

func (p *peer) Received() (out []string) {
	for _, m := range p.s.Messages() {
		out = append(out, m.To...)
	}
	return out
}

func (p *peer) Behave(b channeltest.Behaviour) {
	for _, st := range []smtptest.Stage{smtptest.Greet, smtptest.Rcpt, smtptest.Body, smtptest.Dot} {
		p.s.On(st, nil)
	}
	say := func(r smtptest.Reply) func(smtptest.Call) smtptest.Reply {
		return func(smtptest.Call) smtptest.Reply { return r }
	}
	switch b {
	case channeltest.Defer:
		p.s.On(smtptest.Rcpt, say(smtptest.Reply{Text: "451 4.2.0 come back later"}))
	case channeltest.RejectMessage:
		p.s.On(smtptest.Dot, say(smtptest.Reply{Text: "554 5.7.1 we do not like this"}))
	case channeltest.RejectAddress:
		p.s.On(smtptest.Rcpt, say(smtptest.Reply{Text: "550 5.1.1 nobody here"}))
	case channeltest.LoseBeforeCommit:
		p.s.On(smtptest.Rcpt, say(smtptest.Reply{Drop: true}))
	case channeltest.LoseAfterCommit:
		p.s.On(smtptest.Dot, say(smtptest.Reply{Drop: true, Keep: true}))
	case channeltest.Refuse:
		p.s.On(smtptest.Greet, say(smtptest.Reply{Text: "421 4.3.2 closed", Drop: true}))
		p.s.DropAll()
	}
}

func TestEmailConforms(t *testing.T) {
	for _, c := range []struct {
		name   string
		server smtptest.Config
		change func(*email.Config, *smtptest.Server)
	}{
		{"pipelining", smtptest.Config{}, func(*email.Config, *smtptest.Server) {}},
		{"one command at a time", smtptest.Config{NoPipelining: true}, func(*email.Config, *smtptest.Server) {}},
		{"encrypted and signed in", smtptest.Config{StartTLS: true, Users: map[string]string{"u": "p"}}, func(c *email.Config, s *smtptest.Server) {
			c.Security, c.CACert, c.Username, c.Password = email.Required, s.CertPEM(), "u", "p"
		}},
		{"implicit TLS, two connections", smtptest.Config{ImplicitTLS: true}, func(c *email.Config, s *smtptest.Server) {
			c.Security, c.CACert, c.MaxConnections, c.MaxMessages = email.Implicit, s.CertPEM(), 2, 3
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			channeltest.Run(t, email.Spec(email.Options{}), func(t *testing.T) channeltest.Peer {
				s := smtptest.Start(t, c.server)
				p := &peer{s: s, config: email.Config{Host: s.Host(), Port: s.Port(), Security: email.None, ConnectSeconds: 5, ReplySeconds: 5, AcceptSeconds: 5}}
				c.change(&p.config, s)
				return p
			})
		})
	}
}

var _ net.Conn = (*countedConn)(nil)

// countedConn counts the writes of a connection.
type countedConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c *countedConn) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}
