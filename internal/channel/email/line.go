package email

import (
	"context"
	"errors"

	"github.com/kizuna-cx/kizuna/internal/channel"
)

// line is a worker's way to the server. Between two messages it keeps the connection on which the second was announced.
type line struct {
	s     *Sender
	c     *conn     // has announced ahead, and takes a slot; nil: nothing was announced
	ahead *composed // what was announced
	id    string    // of that message

	data [2][]byte // what messages are made in: the one in hand and the one announced
	hand int       // which of them has the one in hand
}

// Line returns a line; see channel.Queuer.
func (s *Sender) Line() channel.Line { return &line{s: s} }

// Close hangs up if a message was announced: there is no other way to take DATA back.
func (l *line) Close() error {
	l.drop()
	return nil
}

func (l *line) drop() {
	if l.c == nil {
		return
	}
	l.c.dead = true
	l.c.quit()
	l.c, l.ahead = nil, nil
	l.s.leave()
}

// Send hands one message over; see channel.Line.
func (l *line) Send(ctx context.Context, m channel.Message, next func() (channel.Message, bool), commit func() error) channel.Outcome {
	s := l.s
	if l.c != nil && l.id != m.ID {
		l.drop()
	}
	c, mail := l.c, l.ahead
	l.c, l.ahead = nil, nil
	if c == nil {
		var err error
		if mail, err = l.compose(l.hand, m); err != nil {
			return refused(err)
		}
		if err := s.enter(ctx); err != nil {
			return deferred(err)
		}
	}
	announce := func(c *conn) *composed {
		if next == nil || !c.mayAnnounce() {
			return nil
		}
		follows, ok := next()
		if !ok {
			return nil
		}
		ahead, err := l.compose(1-l.hand, follows)
		if err != nil { // its own turn will say so
			return nil
		}
		if _, refused := c.cannot(ahead); refused {
			return nil
		}
		l.ahead, l.id = ahead, follows.ID
		return ahead
	}
	for fresh := false; ; fresh = true {
		if c == nil && !fresh {
			c = s.take()
		}
		reused := c != nil
		if c == nil {
			var err error
			if c, err = s.connect(ctx); err != nil {
				s.leave()
				return deferred(err)
			}
		}
		done := c.watch(ctx)
		o, committed, err := c.transact(mail, func() *composed { return announce(c) }, commit)
		done()
		if l.ahead != nil && c.announced == l.ahead && !c.dead {
			l.c, l.hand = c, 1-l.hand // and its slot
			return o
		}
		l.ahead = nil
		s.put(c)
		if err == nil || committed {
			s.leave()
			if err != nil {
				return channel.Outcome{Result: channel.Unknown, Detail: "no answer to the message: " + err.Error()}
			}
			return o
		}
		if reused && !fresh && ctx.Err() == nil {
			c = nil
			continue // it went stale while it was idle: one more try, on a new connection
		}
		s.leave()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return deferred(err)
	}
}

// compose makes a message where an earlier one was, unless that was large.
func (l *line) compose(in int, m channel.Message) (*composed, error) {
	mail, err := compose(m, &l.s.config, l.data[in][:0])
	if err == nil && cap(mail.data) <= chunk {
		l.data[in] = mail.data
	}
	return mail, err
}

// enter waits for a slot, and leave gives it back.
func (s *Sender) enter(ctx context.Context) error {
	if s.slots == nil {
		return nil
	}
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Sender) leave() {
	if s.slots != nil {
		<-s.slots
	}
}

// refused is the outcome of a message that cannot be mail.
func refused(err error) channel.Outcome {
	var r *refusal
	if errors.As(err, &r) {
		return channel.Outcome{Result: channel.Rejected, Code: r.code, Detail: r.why, Permanent: r.permanent}
	}
	return channel.Outcome{Result: channel.Rejected, Code: "554 5.6.0", Detail: err.Error()}
}
