package smtptest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// session is one connection.
type session struct {
	s    *Server
	n    int
	conn net.Conn
	r    *bufio.Reader
	trip pause // of a round trip, if they take time

	tls     bool
	user    string
	from    *Message // set between MAIL and the end of the transaction
	replies []byte   // not sent yet
	greedy  bool     // the client sent commands ahead although PIPELINING was not offered
}

func (c *session) run() {
	if c.s.config.Latency > 0 {
		var err error
		if c.trip, err = newPause(); err != nil {
			return
		}
		defer c.trip.close()
	}
	if c.s.config.ImplicitTLS && !c.startTLS() {
		return
	}
	if !c.s.config.ImplicitTLS {
		c.r = bufio.NewReader(c.conn)
	}
	if !c.answer(c.s.call(Call{Stage: Greet, Session: c.n}), "220 smtptest ESMTP") {
		return
	}
	for {
		if c.r.Buffered() == 0 && !c.flush() {
			return
		}
		line, err := c.r.ReadString('\n')
		if err != nil {
			return
		}
		if c.s.config.NoPipelining && c.r.Buffered() > 0 {
			c.greedy = true
		}
		if !c.command(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

// command answers one line and tells whether the connection goes on.
func (c *session) command(line string) bool {
	verb, arg, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	if c.greedy {
		c.write("554 5.5.1 commands sent ahead although PIPELINING was not offered\r\n")
		return false
	}
	call := Call{Session: c.n, Arg: arg}
	switch verb {
	case "EHLO", "HELO":
		call.Stage = Ehlo
		text := "250-smtptest"
		for _, x := range c.s.config.Extensions {
			if c.s.config.NoPipelining && x == "PIPELINING" {
				continue
			}
			text += "\n" + x
		}
		if c.s.config.StartTLS && !c.tls {
			text += "\nSTARTTLS"
		}
		if c.s.config.Users != nil {
			text += "\nAUTH PLAIN LOGIN"
		}
		if verb == "HELO" {
			text = "250 smtptest"
		}
		return c.answer(c.s.call(call), text)
	case "STARTTLS":
		call.Stage = StartTLS
		r := c.s.call(call)
		if r != (Reply{}) {
			return c.answer(r, "220 2.0.0 go ahead")
		}
		return c.answer(r, "220 2.0.0 go ahead") && c.startTLS()
	case "AUTH":
		return c.auth(arg)
	case "MAIL":
		return c.mail(arg)
	case "RCPT":
		addr, _ := path(arg)
		call.Stage, call.Arg = Rcpt, addr
		r := c.s.call(call)
		if r == (Reply{}) && c.from == nil {
			r.Text = "503 5.5.1 MAIL first"
		}
		if c.from != nil && (r.Text == "" || r.Text[0] == '2') && r.Raw == "" {
			c.from.To = append(c.from.To, addr)
		}
		return c.answer(r, "250 2.1.5 recipient ok")
	case "DATA":
		return c.data()
	case "RSET":
		call.Stage = Rset
		c.from = nil
		return c.answer(c.s.call(call), "250 2.0.0 reset")
	case "NOOP":
		call.Stage = Noop
		return c.answer(c.s.call(call), "250 2.0.0 fine")
	case "QUIT":
		call.Stage = Quit
		c.answer(c.s.call(call), "221 2.0.0 bye")
		return false
	}
	return c.write("500 5.5.2 unknown command\r\n")
}

func (c *session) mail(arg string) bool {
	addr, params := path(arg)
	r := c.s.call(Call{Stage: Mail, Session: c.n, Arg: addr})
	if r == (Reply{}) {
		switch {
		case c.s.config.Users != nil && c.user == "":
			r.Text = "530 5.7.0 authentication required"
		case c.from != nil:
			r.Text = "503 5.5.1 nested MAIL"
		case tooBig(params, c.s.config.MaxSize):
			r.Text = "552 5.3.4 message too big"
		}
	}
	if (r.Text == "" || r.Text[0] == '2') && r.Raw == "" {
		c.from = &Message{Session: c.n, From: addr, Params: params, TLS: c.tls, User: c.user}
	}
	return c.answer(r, "250 2.1.0 sender ok")
}

func (c *session) data() bool {
	r := c.s.call(Call{Stage: Data, Session: c.n})
	if r == (Reply{}) && (c.from == nil || len(c.from.To) == 0) {
		r.Text = "554 5.5.1 no valid recipients"
	}
	if !c.answer(r, "354 go ahead") {
		return false
	}
	if r.Raw != "" || r.Text != "" && r.Text[0] != '3' {
		return true
	}
	if !c.flush() {
		return false
	}
	var body bytes.Buffer
	whole := true // the line before this was read to its end
	for first := true; ; {
		line, err := c.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return false
		}
		if whole && string(line) == ".\r\n" {
			break
		}
		if first {
			first = false
			if b := c.s.call(Call{Stage: Body, Session: c.n}); b != (Reply{}) {
				c.wait(b.Delay)
				if b.Drop {
					return false
				}
			}
		}
		if whole {
			line = bytes.TrimPrefix(line, []byte("."))
		}
		whole = err == nil
		body.Write(line)
	}
	m := Message{Session: c.n}
	if c.from != nil {
		m = *c.from
	}
	m.Data = body.Bytes()
	c.from = nil
	r = c.s.call(Call{Stage: Dot, Session: c.n, Message: &m})
	if r == (Reply{}) && len(m.To) == 0 {
		r.Text = "554 5.5.1 no valid recipients"
	}
	positive := r.Raw == "" && !r.Drop && r.Text == "" || strings.HasPrefix(r.Text, "2")
	if positive || r.Keep {
		c.s.store(m)
	}
	return c.answer(r, "250 2.0.0 taken")
}

func (c *session) auth(arg string) bool {
	mech, initial, _ := strings.Cut(arg, " ")
	mech = strings.ToUpper(mech)
	if r := c.s.call(Call{Stage: Auth, Session: c.n, Arg: mech}); r != (Reply{}) {
		return c.answer(r, "235 2.7.0 welcome")
	}
	ask := func(prompt string) (string, bool) {
		if !c.write("334 "+prompt+"\r\n") || !c.flush() {
			return "", false
		}
		line, err := c.r.ReadString('\n')
		return strings.TrimSpace(line), err == nil
	}
	var user, pass string
	switch mech {
	case "PLAIN":
		if initial == "" {
			var ok bool
			if initial, ok = ask(""); !ok {
				return false
			}
		}
		raw, _ := base64.StdEncoding.DecodeString(initial)
		if parts := strings.Split(string(raw), "\x00"); len(parts) == 3 {
			user, pass = parts[1], parts[2]
		}
	case "LOGIN":
		u, ok := ask("VXNlcm5hbWU6")
		if !ok {
			return false
		}
		p, ok := ask("UGFzc3dvcmQ6")
		if !ok {
			return false
		}
		ub, _ := base64.StdEncoding.DecodeString(u)
		pb, _ := base64.StdEncoding.DecodeString(p)
		user, pass = string(ub), string(pb)
	default:
		return c.write("504 5.5.4 unknown mechanism\r\n")
	}
	if want, ok := c.s.config.Users[user]; !ok || want != pass {
		return c.write("535 5.7.8 wrong user or password\r\n")
	}
	c.user = user
	return c.write("235 2.7.0 welcome\r\n")
}

// answer writes the reply, or the default text, and tells whether the connection goes on.
func (c *session) answer(r Reply, text string) bool {
	c.wait(r.Delay)
	switch {
	case r.Raw != "":
		text = r.Raw
	case r.Text != "":
		text = lines(r.Text)
	case r.Drop:
		return false
	default:
		text = lines(text)
	}
	return c.write(text) && !r.Drop
}

// write keeps a reply until flush, if replies are to leave together.
func (c *session) write(s string) bool {
	if c.s.config.Latency > 0 || c.s.config.Discard {
		c.replies = append(c.replies, s...)
		return true
	}
	_, err := io.WriteString(c.conn, s)
	return err == nil
}

// flush sends the replies that were kept.
func (c *session) flush() bool {
	if len(c.replies) == 0 {
		return true
	}
	if c.s.config.Latency > 0 {
		c.trip.wait(c.s.config.Latency)
	}
	_, err := c.conn.Write(c.replies)
	c.replies = c.replies[:0]
	return err == nil
}

func (c *session) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.s.closed:
	}
}

func (c *session) startTLS() bool {
	if !c.flush() {
		return false
	}
	tc := tls.Server(c.conn, c.s.tls)
	if tc.Handshake() != nil {
		return false
	}
	c.conn, c.tls, c.r = tc, true, bufio.NewReader(tc)
	return true
}

// path splits "FROM:<a@b> SIZE=1" into address and parameters.
func path(arg string) (addr, params string) {
	i, j := strings.IndexByte(arg, '<'), strings.LastIndexByte(arg, '>')
	if i < 0 || j < i {
		return "", ""
	}
	return arg[i+1 : j], strings.TrimSpace(arg[j+1:])
}

func tooBig(params string, limit int) bool {
	for p := range strings.FieldsSeq(params) {
		if v, ok := strings.CutPrefix(strings.ToUpper(p), "SIZE="); ok {
			n, err := strconv.Atoi(v)
			return err == nil && n > limit
		}
	}
	return false
}
