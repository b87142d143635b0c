package smtptest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Config shapes the server. The zero value offers PIPELINING, SIZE, 8BITMIME, SMTPUTF8 and ENHANCEDSTATUSCODES
// without TLS or authentication.
type Config struct {
	Extensions   []string          // EHLO lines; nil means the set above
	NoPipelining bool              // leaves PIPELINING out, and refuses commands sent ahead of a reply
	StartTLS     bool              // offers STARTTLS
	ImplicitTLS  bool              // speaks TLS from the first byte
	Users        map[string]string // user name to password; if set, AUTH PLAIN and LOGIN are offered and MAIL needs one of them
	MaxTLS       uint16            // newest version of TLS, e.g. tls.VersionTLS12; 0: the newest there is
	Latency      time.Duration     // every round trip takes so long: replies to commands that came together leave together
	Discard      bool              // messages are counted and not kept, and hooks are not called: for measurements
	MaxSize      int               // advertised and enforced size in bytes; 0 means 26,214,400
}

// Stage is a point of the dialogue at which a hook may step in.
type Stage string

// The stages. Arg of a Call is the command's argument unless said otherwise.
const (
	Greet    Stage = "greet"    // the connection was accepted
	Ehlo     Stage = "ehlo"     // the default reply is the extension list
	StartTLS Stage = "starttls" // Reply.Drop after the 220 makes the handshake fail
	Auth     Stage = "auth"     // Arg is the mechanism
	Mail     Stage = "mail"     // Arg is the address
	Rcpt     Stage = "rcpt"     // Arg is the address
	Data     Stage = "data"     // the DATA command
	Body     Stage = "body"     // the first bytes after 354 have arrived; only Delay and Drop matter
	Dot      Stage = "dot"      // the whole message has arrived; Message is set
	Rset     Stage = "rset"
	Noop     Stage = "noop"
	Quit     Stage = "quit"
)

// Call is what a hook is told.
type Call struct {
	Stage   Stage
	Session int      // number of the connection, from 1
	N       int      // earlier calls of this stage with this Arg, over all connections
	Arg     string   // see Stage
	Message *Message // at Dot
}

// Reply says how to answer. The zero value means: as a healthy server would.
type Reply struct {
	Text  string        // the reply; lines are separated by "\n" and become a proper multi-line reply
	Raw   string        // bytes to write instead of any reply, for malformed ones
	Delay time.Duration // wait before the reply; ends early when the server closes
	Drop  bool          // close the connection: instead of the reply if Text and Raw are empty, else after it
	Keep  bool          // at Dot: store the message even though the reply is lost or negative
}

// Message is a message that the server took.
type Message struct {
	Session int
	From    string
	To      []string
	Params  string // parameters of MAIL, e.g. "SIZE=512 SMTPUTF8"
	Data    []byte // as received, dots unstuffed, lines end in CRLF
	TLS     bool
	User    string // authenticated user
}

// Server is a running server.
type Server struct {
	config Config
	l      net.Listener
	tls    *tls.Config
	roots  *x509.CertPool
	certs  []byte

	mu       sync.Mutex
	hooks    map[Stage]func(Call) Reply
	calls    map[string]int
	messages []Message
	taken    int // messages, kept or not
	first    time.Time
	last     time.Time
	sessions int
	open     map[net.Conn]struct{}
	changed  chan struct{} // closed and replaced on every stored message
	closed   chan struct{}
	closing  bool
	wg       sync.WaitGroup
}

// Start runs a server on a loopback port until the test ends. At most one Config is used.
func Start(t testing.TB, config ...Config) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	s, err := Serve(l, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Serve runs a server on the listener until Close.
func Serve(l net.Listener, c Config) (*Server, error) {
	cert, key, err := Certificate("localhost", "127.0.0.1")
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	if c.MaxSize == 0 {
		c.MaxSize = 26214400
	}
	if c.Extensions == nil {
		c.Extensions = []string{"PIPELINING", "SIZE " + strconv.Itoa(c.MaxSize), "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"}
	}
	s := &Server{
		config: c, l: l, certs: cert,
		tls:     &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, MaxVersion: c.MaxTLS},
		roots:   x509.NewCertPool(),
		hooks:   map[Stage]func(Call) Reply{},
		calls:   map[string]int{},
		open:    map[net.Conn]struct{}{},
		changed: make(chan struct{}),
		closed:  make(chan struct{}),
	}
	s.roots.AppendCertsFromPEM(cert)
	s.wg.Add(1)
	go s.accept()
	return s, nil
}

// Addr returns host:port.
func (s *Server) Addr() string { return s.l.Addr().String() }

// Host returns the host of Addr.
func (s *Server) Host() string { h, _, _ := net.SplitHostPort(s.Addr()); return h }

// Port returns the port of Addr.
func (s *Server) Port() int {
	_, p, _ := net.SplitHostPort(s.Addr())
	n, _ := strconv.Atoi(p)
	return n
}

// Roots returns a pool that trusts the server's certificate.
func (s *Server) Roots() *x509.CertPool { return s.roots }

// CertPEM returns the server's self-signed certificate.
func (s *Server) CertPEM() string { return string(s.certs) }

// On sets the hook of a stage, replacing an earlier one; nil removes it. Hooks run on the connection's goroutine.
func (s *Server) On(stage Stage, hook func(Call) Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if hook == nil {
		delete(s.hooks, stage)
		return
	}
	s.hooks[stage] = hook
}

// OnRcpt is On for the stage that tests use most.
func (s *Server) OnRcpt(hook func(Call) Reply) { s.On(Rcpt, hook) }

// Messages returns what was accepted so far, in order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Wait returns the messages once there are at least n of them, and fails the test after ten seconds.
func (s *Server) Wait(t testing.TB, n int) []Message {
	t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for {
		s.mu.Lock()
		got, changed := append([]Message(nil), s.messages...), s.changed
		s.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-changed:
		case <-limit.C:
			t.Fatalf("the mail server has %d messages, want %d", len(got), n)
		}
	}
}

// Clear forgets the messages and the counts behind Call.N.
func (s *Server) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages, s.calls = nil, map[string]int{}
}

// Sessions returns the number of connections accepted so far.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// Connections returns the number of connections open now.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// DropAll closes the open connections, as a restarting server would; new ones are accepted.
func (s *Server) DropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.Close()
	}
}

// Close stops the server and waits for its goroutines. It may be called twice.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		close(s.closed)
	}
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	_ = s.l.Close()
	s.wg.Wait()
}

func (s *Server) accept() {
	defer s.wg.Done()
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closing {
			s.mu.Unlock()
			_ = c.Close()
			return
		}
		s.sessions++
		n := s.sessions
		s.open[c] = struct{}{}
		s.wg.Add(1)
		s.mu.Unlock()
		go func() {
			defer s.wg.Done()
			(&session{s: s, n: n, conn: c}).run()
			s.mu.Lock()
			delete(s.open, c)
			s.mu.Unlock()
			_ = c.Close()
		}()
	}
}

func (s *Server) call(c Call) Reply {
	if s.config.Discard {
		return Reply{}
	}
	key := string(c.Stage) + " " + strings.ToLower(c.Arg)
	s.mu.Lock()
	c.N = s.calls[key]
	s.calls[key]++
	hook := s.hooks[c.Stage]
	s.mu.Unlock()
	if hook == nil {
		return Reply{}
	}
	return hook(c)
}

func (s *Server) store(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last = time.Now(); s.taken == 0 {
		s.first = s.last
	}
	s.taken++
	if s.config.Discard {
		return
	}
	s.messages = append(s.messages, m)
	close(s.changed)
	s.changed = make(chan struct{})
}

// Taken returns how many messages were accepted so far, and when the first and the last were.
func (s *Server) Taken() (n int, first, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken, s.first, s.last
}

func lines(text string) string {
	var b strings.Builder
	parts := strings.Split(text, "\n")
	if len(parts[0]) < 3 {
		return text + "\r\n"
	}
	code := parts[0][:3]
	for i, p := range parts {
		sep := "-"
		if i == len(parts)-1 {
			sep = " "
		}
		rest := strings.TrimPrefix(p, code)
		fmt.Fprintf(&b, "%s%s%s\r\n", code, sep, strings.TrimLeft(rest, " -"))
	}
	return b.String()
}
