package email

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Options are what an operator, not an account, decides.
type Options struct {
	// Dial opens connections; nil means a net.Dialer's DialContext.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Spec returns the adapter's description.
func Spec(o Options) channel.Spec {
	return channel.Spec{
		Kind:   "email",
		Title:  "Email (SMTP)",
		Config: func() any { return &Config{} },
		New: func(config any) (channel.Sender, error) {
			c, ok := config.(*Config)
			if !ok {
				return nil, fmt.Errorf("email: the configuration is a %T, want *email.Config", config)
			}
			return New(*c, o)
		},
	}
}

// Sender sends mail for one account.
type Sender struct {
	config Config
	dial   dialFunc
	slots  chan struct{} // one for each connection that may be in use; nil: no limit

	mu     sync.Mutex
	idle   []*conn // used last at the end
	closed bool
}

var _ channel.Queuer = (*Sender)(nil)

// New returns a sender for the account. Nothing connects before the first message.
func New(c Config, o Options) (*Sender, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Sender{config: c.filled(), dial: o.Dial}
	if s.dial == nil {
		s.dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	if c.MaxConnections > 0 {
		s.slots = make(chan struct{}, c.MaxConnections)
	}
	return s, nil
}

var errClosed = errors.New("the account was closed")

// Check connects, encrypts and signs in, and closes the connection again.
func (s *Sender) Check(ctx context.Context) error {
	c, err := open(ctx, &s.config, s.dial)
	if err != nil {
		field := "host"
		var se *sessionError
		if errors.As(err, &se) {
			field = se.field
		}
		e := errs.Unavailable("channel.email.check_failed", "%v", err)
		e.Field = field
		return e
	}
	c.quit()
	return nil
}

// Send hands one message over; see channel.Sender.
func (s *Sender) Send(ctx context.Context, m channel.Message, commit func() error) channel.Outcome {
	return (&line{s: s}).Send(ctx, m, nil, commit)
}

func deferred(err error) channel.Outcome {
	return channel.Outcome{Result: channel.Deferred, Detail: err.Error()}
}

func (s *Sender) connect(ctx context.Context) (*conn, error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	return open(ctx, &s.config, s.dial)
}

// take returns the idle connection that was used last, or nil.
func (s *Sender) take() *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.idle)
	if n == 0 {
		return nil
	}
	c := s.idle[n-1]
	s.idle = s.idle[:n-1]
	c.idle.Stop()
	return c
}

// put keeps the connection for the next message, or closes it.
func (s *Sender) put(c *conn) {
	s.mu.Lock()
	keep := !s.closed && !c.dead && c.sent < s.config.MaxMessages
	if keep {
		s.idle = append(s.idle, c)
		c.idle = time.AfterFunc(seconds(s.config.IdleSeconds), func() { s.expire(c) })
	}
	s.mu.Unlock()
	if !keep {
		c.quit()
	}
}

// expire closes a connection that is still idle.
func (s *Sender) expire(c *conn) {
	s.mu.Lock()
	found := false
	for i, o := range s.idle {
		if o == c {
			s.idle = append(s.idle[:i], s.idle[i+1:]...)
			found = true
			break
		}
	}
	s.mu.Unlock()
	if found {
		c.quit()
	}
}

// Close says goodbye on the idle connections; those in use follow when their message is done. Later messages are deferred.
func (s *Sender) Close() error {
	s.mu.Lock()
	idle := s.idle
	s.idle, s.closed = nil, true
	s.mu.Unlock()
	for _, c := range idle {
		c.idle.Stop()
		c.quit()
	}
	return nil
}
