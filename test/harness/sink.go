package harness

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// Sink is an SMTP server that accepts everything and remembers what it acknowledged or was about to.
type Sink struct {
	Addr string

	mu     sync.Mutex
	copies map[string]int      // recipient -> mails received completely
	ids    map[string][]string // recipient -> Message-IDs
	last   map[string]string   // recipient -> the newest mail as it came
	OnMail func(n int)         // called after each complete mail, before it is acknowledged
	n      int
}

// StartSink starts a sink on a loopback port.
func StartSink(t testing.TB) *Sink {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Sink{Addr: ln.Addr().String(), copies: map[string]int{}, ids: map[string][]string{}, last: map[string]string{}}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }))
	srv.Domain, srv.AllowInsecureAuth = "sink.example", true
	go func() {
		_ = srv.Serve(ln) // ends with Close
	}()
	t.Cleanup(func() { srv.Close() })
	return s
}

// Copies returns how many complete mails each recipient has got.
func (s *Sink) Copies() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int, len(s.copies))
	for k, v := range s.copies {
		out[k] = v
	}
	return out
}

// Total returns the number of complete mails.
func (s *Sink) Total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// Last returns the newest mail to the recipient as it came over the wire, or "".
func (s *Sink) Last(recipient string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[recipient]
}

type session struct {
	sink *Sink
	to   []string
}

func (s *session) Mail(string, *smtp.MailOptions) error { s.to = nil; return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, strings.ToLower(to))
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // cut off before the final dot: not a mail
	}
	id := ""
	if _, rest, ok := bytes.Cut(raw, []byte("Message-Id: ")); ok {
		id = string(bytes.SplitN(rest, []byte("\r\n"), 2)[0])
	} else if _, rest, ok := bytes.Cut(raw, []byte("Message-ID: ")); ok {
		id = string(bytes.SplitN(rest, []byte("\r\n"), 2)[0])
	}
	s.sink.mu.Lock()
	for _, to := range s.to {
		s.sink.copies[to]++
		s.sink.ids[to] = append(s.sink.ids[to], id)
		s.sink.last[to] = string(raw)
	}
	s.sink.n++
	n, hook := s.sink.n, s.sink.OnMail
	s.sink.mu.Unlock()
	if hook != nil {
		hook(n)
	}
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// MessageIDs returns the Message-IDs of the mails to the recipient, in order.
func (s *Sink) MessageIDs(recipient string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.ids[recipient]...)
}
