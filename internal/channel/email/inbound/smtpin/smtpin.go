// Package smtpin is a mail server for what comes back: it takes mail to our own return addresses and to nobody else.
//
// Owns: the listener, its limits, the dialogue. Does not own: what a mail means (inbound), whom it concerns (outbox).
//
//	MAIL ─► RCPT: one of ours? ─► DATA: parse ─► Take ─► 250 once Take has it on disk
//
// Invariants: it relays nothing, so it can never be an open relay; 250 means durable, anything else makes the other server try again or tell its
// user; what one connection or one address sends is bounded.
package smtpin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/time/rate"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/email/inbound"
)

// Options shape a Server. Zero fields take the default.
type Options struct {
	Addr     string // host:port to listen on
	Domain   string // how it greets
	TLS      *tls.Config
	MaxBytes int64   // of one message; 5 MiB
	Rate     float64 // messages a second from one network, /24 or /48; 5
	Burst    int     // and so many at once; 100
	Conns    int     // connections at a time; 200
	Log      *slog.Logger

	// Accepts reports whether mail to an address is for us.
	Accepts func(ctx context.Context, address string) (bool, error)
	// Take keeps what came; when it returns without error that is durable.
	Take func(ctx context.Context, news channel.Returned) error
	Now  func() time.Time
}

// Server is the listener; see lifecycle.Service.
type Server struct {
	o      Options
	server *smtp.Server

	mu       sync.Mutex
	listener net.Listener
	done     chan struct{}
	limits   map[string]*rate.Limiter
	conns    chan struct{}
}

// New returns a server that is not listening yet.
func New(o Options) *Server {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 5 << 20
	}
	if o.Rate <= 0 {
		o.Rate = 5
	}
	if o.Burst <= 0 {
		o.Burst = 100
	}
	if o.Conns <= 0 {
		o.Conns = 200
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Domain == "" {
		o.Domain = "localhost"
	}
	return &Server{o: o, limits: map[string]*rate.Limiter{}, conns: make(chan struct{}, o.Conns)}
}

const (
	maxRecipients = 10
	patience      = 5 * time.Minute  // for the other side's next command (RFC 5321 4.5.3.2.7)
	takeLimit     = 30 * time.Second // for the log
	maxLimits     = 10_000           // networks remembered
)

// Start listens.
func (s *Server) Start(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.o.Addr)
	if err != nil {
		return fmt.Errorf("listen for returned mail: %w", err)
	}
	srv := smtp.NewServer(smtp.BackendFunc(s.session))
	srv.Domain, srv.TLSConfig, srv.MaxMessageBytes, srv.MaxRecipients = s.o.Domain, s.o.TLS, s.o.MaxBytes, maxRecipients
	srv.ReadTimeout, srv.WriteTimeout, srv.EnableSMTPUTF8 = patience, time.Minute, true
	srv.ErrorLog = slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug)
	s.listener, s.server, s.done = l, srv, make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		if err := srv.Serve(l); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			s.o.Log.Error("the server for returned mail has stopped", "err", err)
		}
	}(s.done)
	return nil
}

// Addr returns where it listens, empty before Start.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Stop ends open dialogues in good order until ctx ends, and then at once.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	srv, done := s.server, s.done
	s.server, s.listener = nil, nil
	s.mu.Unlock()
	if srv == nil {
		return nil
	}
	// Open connections may be idle for minutes; the other side tries again what was not answered.
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := srv.Shutdown(short); err != nil {
		_ = srv.Close() // already closed listeners are no trouble
	}
	<-done
	return nil
}

var (
	errBusy    = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "Too busy, try again later"}
	errNotOurs = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such address here"}
	errTrouble = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Cannot keep this now, try again later"}
	errTooBig  = &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "The message is too large"}
)

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	select {
	case s.conns <- struct{}{}:
	default:
		return nil, errBusy
	}
	return &session{s: s, limit: s.limiter(c.Conn().RemoteAddr())}, nil
}

// limiter is shared by all connections from a network.
func (s *Server) limiter(a net.Addr) *rate.Limiter {
	host, _, _ := net.SplitHostPort(a.String())
	ip := net.ParseIP(host)
	key := host
	if v4 := ip.To4(); v4 != nil {
		key = v4.Mask(net.CIDRMask(24, 32)).String()
	} else if ip != nil {
		key = ip.Mask(net.CIDRMask(48, 128)).String()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.limits[key]
	if l == nil {
		if len(s.limits) >= maxLimits {
			clear(s.limits)
		}
		l = rate.NewLimiter(rate.Limit(s.o.Rate), s.o.Burst)
		s.limits[key] = l
	}
	return l
}

type session struct {
	s     *Server
	limit *rate.Limiter
	from  string
	to    []string
}

func (c *session) Reset() { c.from, c.to = "", nil }

func (c *session) Logout() error {
	<-c.s.conns
	return nil
}

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	if !c.limit.Allow() {
		return errBusy
	}
	c.from = from
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	ctx, cancel := context.WithTimeout(context.Background(), takeLimit)
	defer cancel()
	ok, err := c.s.o.Accepts(ctx, to)
	switch {
	case err != nil:
		c.s.o.Log.Error("could not look an address up", "err", err)
		return errTrouble
	case !ok:
		return errNotOurs
	}
	c.to = append(c.to, to)
	return nil
}

func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, c.s.o.MaxBytes+1))
	if err != nil {
		return err
	}
	if int64(len(raw)) > c.s.o.MaxBytes {
		return errTooBig
	}
	news := inbound.Parse(raw, inbound.Envelope{From: c.from, Null: c.from == "", To: c.to, At: c.s.o.Now()})
	news.To = c.to
	ctx, cancel := context.WithTimeout(context.Background(), takeLimit)
	defer cancel()
	if err := c.s.o.Take(ctx, news); err != nil {
		c.s.o.Log.Error("returned mail could not be kept", "err", err)
		return errTrouble
	}
	return nil
}
