// Package imapin fetches what comes back from mailboxes by IMAP, for those who cannot let mail reach our own server.
//
// Owns: the dialogue with the IMAP server, how far a mailbox has been read. Does not own: what a mail means (inbound), whom it concerns (outbox).
//
//	UIDs after the last one ─► fetch ─► parse ─► Take (durable) ─► the next last one
//
// Invariants: a mail is noted as read only after Take has it on disk, so a crash reads it again and makes the same events; the mailbox is opened
// read-only and stays as it was; a mailbox that fails holds up no other one.
package imapin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/email/inbound"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// Mailboxes is where the settings and the progress are kept; outbox.Service is one.
type Mailboxes interface {
	Mailboxes(ctx context.Context) ([]outbox.Inbound, error)
	MailboxState(ctx context.Context, ws, account string) (outbox.MailboxState, error)
	SetMailboxState(ctx context.Context, ws, account string, st outbox.MailboxState) error
}

// Options shape a Poller. Zero fields take the default.
type Options struct {
	Mailboxes Mailboxes
	// Take keeps what came; when it returns without error that is durable.
	Take func(ctx context.Context, from outbox.Scope, news ...channel.Returned) error
	// Dial opens connections, by the guarded way out.
	Dial  func(ctx context.Context, network, address string) (net.Conn, error)
	TLS   *tls.Config // nil: the system's roots
	Every time.Duration
	Now   func() time.Time
	Log   *slog.Logger
}

const (
	every    = time.Minute
	patience = 2 * time.Minute // for all of one mailbox's round
	maxBytes = 5 << 20         // of one mail
	maxFirst = 1000            // mails looked at where a mailbox has never been read
	batch    = 50              // mails a fetch
)

// Poller reads all mailboxes again and again; see lifecycle.Service.
type Poller struct {
	lifecycle.Loop
	o Options
}

// New returns a poller that is not running yet.
func New(o Options) *Poller {
	if o.Every <= 0 {
		o.Every = every
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p := &Poller{o: o}
	round := func(ctx context.Context) {
		if err := p.Round(ctx); err != nil && ctx.Err() == nil {
			o.Log.Error("mailboxes cannot be listed", "err", err)
		}
	}
	p.Run = func(ctx context.Context) {
		round(ctx)
		lifecycle.Every(ctx, o.Every, round)
	}
	return p
}

// Round reads every mailbox once. What is wrong with one is noted in its state.
func (p *Poller) Round(ctx context.Context) error {
	all, err := p.o.Mailboxes.Mailboxes(ctx)
	if err != nil {
		return err
	}
	for _, in := range all {
		if ctx.Err() != nil {
			return nil
		}
		st, err := p.o.Mailboxes.MailboxState(ctx, in.Workspace, in.Account)
		if err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, patience)
		st, err = p.read(limited, in, st)
		cancel()
		if ctx.Err() != nil {
			return nil // the end of the process is no trouble with the mailbox
		}
		st.At, st.Error = p.o.Now(), ""
		if err != nil {
			st.Error = err.Error()
			p.o.Log.Warn("a mailbox could not be read", "account", in.Account, "err", err)
		}
		if err := p.o.Mailboxes.SetMailboxState(ctx, in.Workspace, in.Account, st); err != nil {
			return err
		}
	}
	return nil
}

func (p *Poller) connect(ctx context.Context, m outbox.Mailbox) (*imapclient.Client, error) {
	port := m.Port
	if port == 0 {
		port = 993
	}
	conn, err := p.o.Dial(ctx, "tcp", net.JoinHostPort(m.Host, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // a connection that cannot have one ends with ctx all the same
	}
	if m.Clear {
		return imapclient.New(conn, nil), nil
	}
	config := &tls.Config{}
	if p.o.TLS != nil {
		config = p.o.TLS.Clone()
	}
	config.ServerName, config.MinVersion, config.NextProtos = m.Host, tls.VersionTLS12, []string{"imap"}
	if port == 143 {
		c, err := imapclient.NewStartTLS(conn, &imapclient.Options{TLSConfig: config})
		if err != nil {
			_ = conn.Close() // the first error says more
		}
		return c, err
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // as above
		return nil, err
	}
	return imapclient.New(secure, nil), nil
}

// read fetches what is new and returns how far it came, with an error too.
func (p *Poller) read(ctx context.Context, in outbox.Inbound, st outbox.MailboxState) (outbox.MailboxState, error) {
	c, err := p.connect(ctx, in.Mailbox)
	if err != nil {
		return st, err
	}
	defer func() { _ = c.Close() }() // nothing is lost with the connection
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if err := c.Login(in.Mailbox.Username, in.Mailbox.Password).Wait(); err != nil {
		return st, fmt.Errorf("sign in: %w", err)
	}
	folder := in.Mailbox.Folder
	if folder == "" {
		folder = "INBOX"
	}
	opened, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return st, fmt.Errorf("open the folder %s: %w", folder, err)
	}
	fresh := st.Validity != opened.UIDValidity
	if fresh {
		st.Validity, st.UID = opened.UIDValidity, 0
	}
	uids, err := newUIDs(c, st.UID)
	if err != nil {
		return st, err
	}
	if fresh && len(uids) > maxFirst {
		uids = uids[len(uids)-maxFirst:]
	}
	for chunk := range slices.Chunk(uids, batch) {
		news, err := fetch(c, chunk)
		if err != nil {
			return st, err
		}
		if len(news) > 0 {
			if err := p.o.Take(ctx, outbox.Scope{Workspace: in.Workspace, Account: in.Account}, news...); err != nil {
				return st, fmt.Errorf("keep what was read: %w", err)
			}
		}
		st.UID = uint32(chunk[len(chunk)-1])
		if err := p.o.Mailboxes.SetMailboxState(ctx, in.Workspace, in.Account, st); err != nil {
			return st, err
		}
	}
	return st, c.Logout().Wait()
}

// newUIDs returns the numbers after the last one, in order. "5:*" is answered with the last mail even if its number is below 5 (RFC 9051 6.4.8).
func newUIDs(c *imapclient.Client, last uint32) ([]imap.UID, error) {
	if last == ^uint32(0) {
		return nil, errors.New("the mailbox has no numbers left; give it a new one")
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{{imap.UIDRange{Start: imap.UID(last + 1), Stop: 0}}}}, nil).Wait()
	if err != nil {
		return nil, fmt.Errorf("look for new mail: %w", err)
	}
	uids := slices.DeleteFunc(found.AllUIDs(), func(u imap.UID) bool { return uint32(u) <= last })
	slices.Sort(uids)
	return uids, nil
}

// fetch reads mails in the order of their numbers. Of a mail that is too large only the beginning is read: reports come first in it.
func fetch(c *imapclient.Client, uids []imap.UID) ([]channel.Returned, error) {
	body := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Offset: 0, Size: maxBytes}}
	got := c.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{body}})
	mails, err := got.Collect()
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	slices.SortFunc(mails, func(a, b *imapclient.FetchMessageBuffer) int { return int(int64(a.UID) - int64(b.UID)) })
	news := make([]channel.Returned, 0, len(mails))
	for _, m := range mails {
		if len(m.BodySection) == 0 {
			continue // gone meanwhile
		}
		news = append(news, inbound.Parse(m.BodySection[0].Bytes, inbound.Envelope{At: m.InternalDate.UTC()}))
	}
	return news, nil
}
