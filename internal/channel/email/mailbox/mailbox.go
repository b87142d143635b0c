// Package mailbox is a mail server that delivers to a folder on this machine and nowhere else, so that a trial or a
// demonstration sends real mail without any of it leaving.
//
// Owns: the SMTP listener, the files, their reading. Does not own: the page that shows them.
//
//	SMTP ─► tmp/<id> ─► new/<id>.eml ─► List, Read, Since
//
// Invariants: a message is answered with 250 only once it is durable; there are never more than Options.Max messages,
// the oldest go first.
package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// Options shape a mailbox. Zero fields take the default.
type Options struct {
	Addr     string // to listen on; 127.0.0.1:0, a free port
	Max      int    // messages kept; 2,000
	MaxBytes int64  // of one message; 10 MiB
	Log      *slog.Logger
}

// Mailbox is the server and its folder. It is safe for concurrent use.
type Mailbox struct {
	dir    string
	o      Options
	server *smtp.Server

	mu       sync.Mutex
	mails    []Summary // oldest first
	listener net.Listener
	serving  chan struct{} // closed when the server has ended
}

// Open returns the mailbox in the folder, which is made if need be, with what is in it. It listens after Start.
func Open(dir string, o Options) (*Mailbox, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Max <= 0 {
		o.Max = 2000
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 10 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &Mailbox{dir: dir, o: o}
	for _, sub := range []string{"tmp", "new"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, fmt.Errorf("open mailbox: %w", err)
		}
	}
	leftovers, err := filepath.Glob(filepath.Join(dir, "tmp", "*"))
	if err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	for _, f := range leftovers {
		_ = os.Remove(f)
	}
	files, err := os.ReadDir(filepath.Join(dir, "new")) // sorted by name, so by time
	if err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".eml")
		if !ok {
			continue
		}
		raw, err := os.ReadFile(m.path(name))
		if err != nil {
			return nil, fmt.Errorf("open mailbox: %w", err)
		}
		m.mails = append(m.mails, summarise(name, raw))
	}
	m.prune()
	return m, nil
}

// Start begins to take mail.
func (m *Mailbox) Start(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", m.o.Addr)
	if err != nil {
		return fmt.Errorf("listen for mail: %w", err)
	}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{m: m}, nil }))
	s.Domain, s.EnableSMTPUTF8, s.MaxMessageBytes, s.MaxRecipients = "mailbox.localhost", true, m.o.MaxBytes, 100
	s.ReadTimeout, s.WriteTimeout = 5*time.Minute, time.Minute
	s.ErrorLog = slog.NewLogLogger(m.o.Log.Handler(), slog.LevelDebug)
	m.listener, m.server, m.serving = l, s, make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		if err := s.Serve(l); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			m.o.Log.Error("the local mailbox has stopped", "error", err)
		}
	}(m.serving)
	return nil
}

// Stop ends the server; the mail stays and can still be read.
func (m *Mailbox) Stop(ctx context.Context) error {
	m.mu.Lock()
	s, done := m.server, m.serving
	m.server, m.listener = nil, nil
	m.mu.Unlock()
	if s == nil {
		return nil
	}
	err := s.Close()
	select {
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return err
}

// Addr returns host:port of the server, empty while it does not run.
func (m *Mailbox) Addr() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.listener == nil {
		return ""
	}
	return m.listener.Addr().String()
}

func (m *Mailbox) path(id string) string { return filepath.Join(m.dir, "new", id+".eml") }

// deliver stores a message, durably.
func (m *Mailbox) deliver(from string, to []string, body io.Reader) error {
	var head strings.Builder
	fmt.Fprintf(&head, "Return-Path: <%s>\r\n", clean(from))
	for _, t := range to {
		fmt.Fprintf(&head, "Delivered-To: %s\r\n", clean(t))
	}
	name := id.New("mail")
	tmp := filepath.Join(m.dir, "tmp", name)
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp) }() // gone already if all went well
	_, err = io.WriteString(f, head.String())
	if err == nil {
		_, err = io.Copy(f, body)
	}
	if err == nil {
		err = f.Sync()
	}
	var raw []byte
	if err == nil {
		if _, err = f.Seek(0, io.SeekStart); err == nil {
			raw, err = io.ReadAll(f)
		}
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := os.Rename(tmp, m.path(name)); err != nil {
		return err
	}
	// Deliveries end in another order than they began; the list is in the order of ids.
	s := summarise(name, raw)
	i, _ := slices.BinarySearchFunc(m.mails, s, func(a, b Summary) int { return strings.Compare(a.ID, b.ID) })
	m.mails = slices.Insert(m.mails, i, s)
	m.prune()
	return nil
}

// prune removes the oldest messages above the limit; m.mu is held.
func (m *Mailbox) prune() {
	for len(m.mails) > m.o.Max {
		_ = os.Remove(m.path(m.mails[0].ID))
		m.mails = m.mails[1:]
	}
}

// clean keeps an envelope address from breaking the header it is written to.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7F {
			return -1
		}
		return r
	}, s)
}

// session is one SMTP transaction after the other.
type session struct {
	m    *Mailbox
	from string
	to   []string
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = append(s.to, to); return nil }

func (s *session) Data(r io.Reader) error {
	err := s.m.deliver(s.from, s.to, r)
	var reply *smtp.SMTPError
	if err == nil || errors.As(err, &reply) {
		return err
	}
	s.m.o.Log.Error("a mail could not be stored", "error", err)
	return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "the mail could not be stored"}
}

func (s *session) Reset() { s.from, s.to = "", nil }

func (s *session) Logout() error { return nil }

// Count returns the number of messages.
func (m *Mailbox) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.mails)
}

// Clear removes all messages.
func (m *Mailbox) Clear() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.mails) > 0 {
		if err := os.Remove(m.path(m.mails[0].ID)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("clear mailbox: %w", err)
		}
		m.mails = m.mails[1:]
	}
	return nil
}

// has tells whether there is a message with this id; ids from outside never reach the file system unchecked.
func (m *Mailbox) has(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, found := slices.BinarySearchFunc(m.mails, id, func(a Summary, b string) int { return strings.Compare(a.ID, b) })
	return found
}

// Raw returns a message as it came, with Return-Path and Delivered-To in front, or not_found.
func (m *Mailbox) Raw(id string) ([]byte, error) {
	if !m.has(id) {
		return nil, errs.NotFound("mail", id)
	}
	raw, err := os.ReadFile(m.path(id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, errs.NotFound("mail", id)
	}
	return raw, err
}
