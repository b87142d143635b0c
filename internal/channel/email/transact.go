package email

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
)

// errSession is a reply that says nothing about the message: the connection is no good, another one may be.
type errSession struct{ r reply }

func (e *errSession) Error() string { return e.r.String() }

// transact hands one message over. next may name the message that follows, whose envelope then rides with the end of this one (RFC 2920
// allows commands right behind the content). committed tells whether commit succeeded. An error means that there is no verdict, and that the
// connection cannot be used again.
func (c *conn) transact(m *composed, next func() *composed, commit func() error) (o channel.Outcome, committed bool, err error) {
	defer func() {
		if err != nil {
			c.dead = true
		}
	}()
	if o, refused := c.cannot(m); refused {
		return o, false, nil
	}
	var r reply
	var at stage
	if c.announced == m {
		r, at, err = c.envelopeReplies()
	} else {
		r, at, err = c.envelope(m)
	}
	c.announced = nil
	if err != nil {
		return o, false, err
	}
	if at != atEnd {
		return c.verdict(r, at)
	}
	// What fits into one write goes out together with its end. The rest of a larger message is on its way while the intent is stored.
	last := m.data
	if len(last) > chunk {
		last = nil
		if err := c.write(m.data); err != nil {
			// A server that has had enough answers and hangs up; its answer says more than the broken pipe.
			c.arm(time.Second)
			if r, rerr := readReply(c.r); rerr == nil && r.code >= 400 {
				c.dead = true
				return c.verdict(r, atData)
			}
			return o, false, err
		}
	}
	stored := make(chan error, 1)
	go func() { stored <- commit() }()
	ahead := next() // made while the intent is being stored
	end := ".\r\n"
	if ahead != nil {
		end += c.envelopeCommands(ahead)
	}
	if err := <-stored; err != nil {
		// There is no way to take DATA back but to hang up before its end.
		c.dead = true
		return channel.Outcome{Result: channel.Deferred, Detail: "not handed over: " + err.Error()}, false, nil
	}
	c.mu.Lock()
	c.final = true
	c.mu.Unlock()
	c.arm(seconds(c.config.AcceptSeconds))
	if _, err = c.net.Write(append(last, end...)); err == nil {
		r, err = readReply(c.r)
	}
	if err != nil {
		return o, true, err
	}
	c.sent++
	c.announced = ahead
	switch r.code / 100 {
	case 2:
		return channel.Outcome{Result: channel.Sent, Code: r.short(), Detail: r.words()}, true, nil
	case 3:
		return o, true, &protocolError{"the answer to a message was " + r.String()}
	}
	if r.code == 421 {
		c.dead = true
	}
	o, _ = r.outcome(atEnd)
	return o, true, nil
}

// cannot refuses what the server has said that it will not take.
func (c *conn) cannot(m *composed) (o channel.Outcome, refused bool) {
	if _, ok := c.ext["SMTPUTF8"]; m.utf8 && !ok {
		return channel.Outcome{Result: channel.Rejected, Code: "553 5.6.7", Detail: "the mail server does not take addresses with international characters before the @"}, true
	}
	limit, err := strconv.Atoi(strings.TrimSpace(c.ext["SIZE"]))
	if err == nil && limit > 0 && len(m.data) > limit {
		return channel.Outcome{Result: channel.Rejected, Code: "552 5.3.4", Detail: fmt.Sprintf("the message has %d bytes, and the mail server takes %d", len(m.data), limit)}, true
	}
	return o, false
}

// mayAnnounce tells whether a message may follow on this connection, announced ahead.
func (c *conn) mayAnnounce() bool {
	_, pipelining := c.ext["PIPELINING"]
	return pipelining && !c.dirty && !c.dead && c.sent+1 < c.config.MaxMessages
}

func (c *conn) mailCommand(m *composed) string {
	mail := "MAIL FROM:<" + m.from.String() + ">"
	if _, ok := c.ext["SIZE"]; ok {
		mail += " SIZE=" + strconv.Itoa(len(m.data))
	}
	if m.utf8 {
		mail += " SMTPUTF8"
		if _, ok := c.ext["8BITMIME"]; ok {
			mail += " BODY=8BITMIME"
		}
	}
	return mail
}

func (c *conn) envelopeCommands(m *composed) string {
	return c.mailCommand(m) + "\r\nRCPT TO:<" + m.to.String() + ">\r\nDATA\r\n"
}

// envelope announces the message. at is atEnd if the server waits for its content, else where the reply stopped it.
func (c *conn) envelope(m *composed) (r reply, at stage, err error) {
	c.arm(seconds(c.config.ReplySeconds))
	if _, pipelining := c.ext["PIPELINING"]; !pipelining {
		return c.stepByStep(m)
	}
	batch := c.envelopeCommands(m)
	if c.dirty {
		batch = "RSET\r\n" + batch
	}
	if _, err := c.net.Write([]byte(batch)); err != nil {
		return r, 0, err
	}
	if c.dirty {
		if r, err = readReply(c.r); err == nil && r.code != 250 {
			err = &errSession{r}
		}
		if err != nil {
			return r, 0, err
		}
		c.dirty = false
	}
	return c.envelopeReplies()
}

// stepByStep is for servers without PIPELINING.
func (c *conn) stepByStep(m *composed) (r reply, at stage, err error) {
	if c.dirty {
		if r, err = c.command("RSET"); err == nil && r.code != 250 {
			err = &errSession{r}
		}
		if err != nil {
			return r, 0, err
		}
		c.dirty = false
	}
	for i, line := range [...]string{c.mailCommand(m), "RCPT TO:<" + m.to.String() + ">", "DATA"} {
		c.arm(seconds(c.config.ReplySeconds))
		if r, err = c.command(line); err != nil {
			return r, 0, err
		}
		if !positive(r, stage(i)) {
			c.dirty = i > 0
			return r, stage(i), nil
		}
	}
	return r, atEnd, nil
}

// envelopeReplies reads what a server with PIPELINING says to an envelope.
func (c *conn) envelopeReplies() (r reply, at stage, err error) {
	at = atEnd
	for i := atMail; i < atEnd; i++ {
		c.arm(seconds(c.config.ReplySeconds))
		next, err := readReply(c.r)
		if err != nil {
			var broken *protocolError
			if at != atEnd && !errors.As(err, &broken) { // it has answered, and then hung up
				c.dead = true
				return r, at, nil
			}
			return r, 0, err
		}
		if at == atEnd {
			r = next
			if !positive(r, i) {
				at = i
			}
		} else if i == atData && next.code == 354 {
			// It waits for content although it takes no recipient (RFC 2920 3.1): an empty one ends that.
			if _, err := c.command("."); err != nil {
				c.dead = true
			}
		}
	}
	c.dirty = at != atEnd
	return r, at, nil
}

func positive(r reply, at stage) bool {
	if at == atData {
		return r.code == 354
	}
	return r.code/100 == 2
}

// verdict turns a refusal into an outcome, or into an error if it concerns the session alone.
func (c *conn) verdict(r reply, at stage) (channel.Outcome, bool, error) {
	if r.code < 400 {
		return channel.Outcome{}, false, &protocolError{"the answer " + r.String() + " to a command of another kind"}
	}
	o, ok := r.outcome(at)
	if !ok {
		return channel.Outcome{}, false, &errSession{r}
	}
	return o, false, nil
}

// chunk is how much of a message must get through within one time limit.
const chunk = 64 << 10

func (c *conn) write(data []byte) error {
	for len(data) > 0 {
		c.arm(seconds(c.config.ReplySeconds))
		n, err := c.net.Write(data[:min(chunk, len(data))])
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}
