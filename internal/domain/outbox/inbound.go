package outbox

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Providers whose webhooks are understood.
const (
	ProviderSES      = "ses"
	ProviderPostmark = "postmark"
	ProviderSendGrid = "sendgrid"
)

// Inbound is how news about an account's messages comes back. The zero value: not at all.
type Inbound struct {
	Account   string
	Workspace string
	// Address is where bounces, complaints and answers go: an address of which plus-addresses reach the same mailbox, or a whole domain
	// whose mail reaches our own server.
	Address string
	Replies bool // answers go to Address too; otherwise to the account's reply address
	// Strangers says that mail of unknown senders to Address, or in the mailbox, makes people of them; otherwise it is kept out.
	Strangers bool
	Mailbox   Mailbox
	// Provider is whose webhooks are taken. Sealing them differs: ProviderSES needs Topic, ProviderSendGrid VerifyKey.
	Provider  string
	Topic     string // SNS topic; the first that confirms is kept if empty
	VerifyKey string // public key, base64
	HookSet   bool   // there is a webhook address
	UpdatedAt time.Time
}

// Mailbox is where mail to Address is fetched from by IMAP. No Host: nowhere.
type Mailbox struct {
	Host        string `json:"host,omitempty"`
	Port        int    `json:"port,omitempty"` // 0: 993
	Username    string `json:"username,omitempty"`
	Password    string `json:"-"` // goes in and never comes out
	PasswordSet bool   `json:"-"`
	Folder      string `json:"folder,omitempty"` // empty: INBOX
	Clear       bool   `json:"clear,omitempty"`  // without TLS: for a server on this machine alone
}

// SealedInbound is an Inbound as it is stored.
type SealedInbound struct {
	Inbound
	Sealed   []byte // the mailbox's password, encrypted; nil if there is none
	HookHash string // keyed hash of the webhook's key; empty if there is none
}

// MailboxState is how far a mailbox has been read.
type MailboxState struct {
	Validity uint32 // UIDVALIDITY: with another one, UIDs start anew
	UID      uint32 // all up to this one are done
	At       time.Time
	Error    string
}

// ReturnStore keeps how news comes back and what came. Every method takes part in the transaction of its context.
type ReturnStore interface {
	// PutInbound adds or replaces an account's settings and makes senders notice (the account's UpdatedAt). An address or hook that another
	// account has is a conflict "outbox.inbound.address_taken".
	PutInbound(ctx context.Context, ws string, in SealedInbound) error
	// Inbound returns an account's settings, the zero value if there are none.
	Inbound(ctx context.Context, ws, account string) (SealedInbound, error)
	// InboundByAddress returns the settings with this address, whoever's they are, or not_found.
	InboundByAddress(ctx context.Context, address string) (SealedInbound, error)
	// InboundByHook returns the settings whose webhook has this hash, whoever's they are, or not_found.
	InboundByHook(ctx context.Context, hash string) (SealedInbound, error)
	// Mailboxes returns the settings of all workspaces that name a mailbox, in a fixed order.
	Mailboxes(ctx context.Context) ([]SealedInbound, error)
	// MailboxState returns how far an account's mailbox has been read, the zero value at first.
	MailboxState(ctx context.Context, ws, account string) (MailboxState, error)
	// SetMailboxState replaces it.
	SetMailboxState(ctx context.Context, ws, account string, st MailboxState) error
	// CountReturned adds to the counts of what came in by a way.
	CountReturned(ctx context.Context, ws, account string, counts map[Taken]int64, at time.Time) error
	// ReturnedCounts returns these counts.
	ReturnedCounts(ctx context.Context, ws, account string) (map[Taken]int64, error)

	// BouncePolicy returns the workspace's policy, the zero one if none was set.
	BouncePolicy(ctx context.Context, ws string) (p BouncePolicy, set bool, err error)
	// SetBouncePolicy replaces it.
	SetBouncePolicy(ctx context.Context, ws string, p BouncePolicy, at time.Time) error
	// AddBounces stores bounces and complaints; one of the same message and class is passed over.
	AddBounces(ctx context.Context, ws string, bounces []Bounce) error
	// Bounces lists what came back, latest first.
	Bounces(ctx context.Context, ws string, f BounceFilter, p page.Request) (page.Of[Bounce], error)
	// BounceCounts counts the bounces of a class at or after since, by address hash.
	BounceCounts(ctx context.Context, ws, class string, hashes []string, since time.Time) (map[string]int64, error)
	// Blocked counts the bounces of class block on a channel at or after since.
	Blocked(ctx context.Context, ws, channel string, since time.Time) (int64, error)
	// SetAlert stores that something is wrong with an account; nil takes the alert back.
	SetAlert(ctx context.Context, ws, account string, a *Alert) error
	// AccountAlert returns what is wrong with an account, nil if nothing is.
	AccountAlert(ctx context.Context, ws, account string) (*Alert, error)
}

const (
	inboundPurpose = "account/inbound"
	hookPurpose    = "account/hook"
	maxReturnLocal = 19 // what a plus sign and a reference leave of the 64 characters of RFC 5321 4.5.3.1.1
)

func (in Inbound) validate() error {
	bad := func(code, field, format string, args ...any) error {
		return errs.Invalid("outbox.inbound."+code, field, format, args...)
	}
	local, domain, mailbox := strings.Cut(in.Address, "@")
	switch {
	case in.Address == "":
	case !mailbox && (!validAddress(KindEmail, "x@"+in.Address) || !strings.Contains(in.Address, ".")): // a word alone is an address that lacks its end
		return bad("address_invalid", "address", "%q is neither a mail address nor a domain; write back@in.example.com or in.example.com", in.Address)
	case mailbox && (!validAddress(KindEmail, in.Address) || strings.Contains(local, "+") || domain == ""):
		return bad("address_invalid", "address", "%q is no mail address without a plus sign", in.Address)
	case mailbox && len(local) > maxReturnLocal:
		return bad("address_long", "address", "at most %d characters before the @: a reference is added to them", maxReturnLocal)
	}
	if in.Replies && in.Address == "" {
		return bad("address_missing", "address", "answers need an address to come to")
	}
	if in.Strangers && !mailbox && in.Mailbox.Host == "" {
		return bad("strangers", "strangers", "people need an address to write to: name one, with an @, or a mailbox")
	}
	switch m := in.Mailbox; {
	case m.Host == "" && (m.Username != "" || m.Password != ""):
		return bad("host_missing", "mailbox.host", "name the IMAP server")
	case m.Host == "":
	case strings.ContainsAny(m.Host, " /@:\r\n") || len(m.Host) > 255:
		return bad("host_invalid", "mailbox.host", "%q is not the name of a server; write it like imap.example.com", m.Host)
	case m.Port < 0 || m.Port > 65535:
		return bad("port_invalid", "mailbox.port", "ports go from 1 to 65535")
	case m.Username == "":
		return bad("username_missing", "mailbox.username", "say who signs in to the mailbox")
	case strings.ContainsAny(m.Username+m.Password+m.Folder, "\r\n\x00"):
		return bad("credentials_invalid", "mailbox.username", "user name, password and folder are single lines")
	case m.Clear && !loopback(m.Host):
		return bad("clear", "mailbox.clear", "a password crosses no network without encryption; leave this to servers on this machine")
	}
	switch in.Provider {
	case "", ProviderPostmark, ProviderSES:
	case ProviderSendGrid:
		if raw, err := base64.StdEncoding.DecodeString(in.VerifyKey); err != nil || len(raw) < 64 {
			return bad("verify_key", "verify_key", "paste the verification key that SendGrid shows beside the signed event webhook")
		}
	default:
		return bad("provider_unknown", "provider", "use %s, %s or %s, or leave it out", ProviderSES, ProviderPostmark, ProviderSendGrid)
	}
	if in.Topic != "" && !strings.HasPrefix(in.Topic, "arn:aws") {
		return bad("topic", "topic", "an SNS topic is written arn:aws:sns:region:account:name")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Inbound returns how news about an account's messages comes back, without its secrets.
func (s *Service) Inbound(ctx context.Context, ws, account string) (Inbound, error) {
	if _, err := s.accounts.Account(ctx, ws, account); err != nil {
		return Inbound{}, err
	}
	in, err := s.returns.Inbound(ctx, ws, account)
	return in.shown(account), err
}

func (in SealedInbound) shown(account string) Inbound {
	out := in.Inbound
	out.Mailbox.Password = ""
	out.Account, out.Mailbox.PasswordSet, out.HookSet = account, len(in.Sealed) > 0, in.HookHash != ""
	return out
}

// SetInbound replaces it. An empty password keeps the stored one. Changing the provider takes the webhook's address away.
func (s *Service) SetInbound(ctx context.Context, ws string, in Inbound) (Inbound, error) {
	in.Address = strings.ToLower(strings.TrimSpace(in.Address))
	if err := in.validate(); err != nil {
		return Inbound{}, err
	}
	var out Inbound
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		a, err := s.accounts.Account(ctx, ws, in.Account)
		if err != nil {
			return err
		}
		if a.Kind != KindEmail {
			return errs.Invalid("outbox.inbound.kind", "account", "only mail comes back this way")
		}
		old, err := s.returns.Inbound(ctx, ws, in.Account)
		if err != nil {
			return err
		}
		next := SealedInbound{Inbound: in, Sealed: old.Sealed, HookHash: old.HookHash}
		next.Workspace, next.UpdatedAt = ws, s.clock.Now()
		if in.Mailbox.Password != "" {
			next.Sealed = s.box.Seal(inboundPurpose, []byte(in.Mailbox.Password))
		}
		if in.Mailbox.Host == "" {
			next.Sealed = nil
		}
		if in.Provider != old.Provider {
			next.HookHash = ""
		}
		mailbox := in.Mailbox
		if mailbox.Password = ""; mailbox != old.Mailbox { // another one: its numbers are others
			if err := s.returns.SetMailboxState(ctx, ws, in.Account, MailboxState{}); err != nil {
				return err
			}
		}
		out = next.shown(in.Account)
		return s.returns.PutInbound(ctx, ws, next)
	})
	return out, err
}

// NewHook gives the account a new webhook address and returns its key, which is shown this once; the old address ends.
func (s *Service) NewHook(ctx context.Context, ws, account string) (key string, err error) {
	var raw [20]byte
	_, _ = rand.Read(raw[:]) // never fails
	key = strings.ToLower(base32.StdEncoding.EncodeToString(raw[:]))
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		in, err := s.returns.Inbound(ctx, ws, account)
		if err != nil {
			return err
		}
		if _, err := s.accounts.Account(ctx, ws, account); err != nil {
			return err
		}
		if in.Provider == "" {
			return errs.Conflict("outbox.inbound.no_provider", "choose the mail provider first")
		}
		in.HookHash, in.UpdatedAt = s.hookHash(key), s.clock.Now()
		return s.returns.PutInbound(ctx, ws, in)
	})
	return key, err
}

func (s *Service) hookHash(key string) string {
	return base64.RawURLEncoding.EncodeToString(s.box.Hash(hookPurpose, key))
}

// Hook returns whose webhook has this key, or not_found.
func (s *Service) Hook(ctx context.Context, key string) (Inbound, error) {
	if len(key) != 32 {
		return Inbound{}, errs.NotFound("webhook", "")
	}
	in, err := s.returns.InboundByHook(ctx, s.hookHash(key))
	return in.shown(in.Account), err
}

// KeepTopic remembers the SNS topic of an account that has none: later messages of another topic are not believed.
func (s *Service) KeepTopic(ctx context.Context, ws, account, topic string) error {
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		in, err := s.returns.Inbound(ctx, ws, account)
		if err != nil || in.Topic != "" {
			return err
		}
		in.Topic = topic
		return s.returns.PutInbound(ctx, ws, in)
	})
}

// Mailboxes returns the mailboxes of all workspaces, with their passwords: for the poller alone.
func (s *Service) Mailboxes(ctx context.Context) ([]Inbound, error) {
	all, err := s.returns.Mailboxes(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Inbound, 0, len(all))
	for _, in := range all {
		if len(in.Sealed) > 0 {
			password, err := s.box.Open(inboundPurpose, in.Sealed)
			if err != nil {
				return nil, fmt.Errorf("mailbox of account %s: %w", in.Account, err)
			}
			in.Mailbox.Password = string(password)
		}
		out = append(out, in.Inbound)
	}
	return out, nil
}

// MailboxState returns how far an account's mailbox has been read.
func (s *Service) MailboxState(ctx context.Context, ws, account string) (MailboxState, error) {
	return s.returns.MailboxState(ctx, ws, account)
}

// SetMailboxState notes how far it has been read.
func (s *Service) SetMailboxState(ctx context.Context, ws, account string, st MailboxState) error {
	return s.returns.SetMailboxState(ctx, ws, account, st)
}

// CountReturned notes what came in by an account's own ways; ReturnedCounts tells.
func (s *Service) CountReturned(ctx context.Context, from Scope, taken []Taken) error {
	if from.Account == "" || len(taken) == 0 {
		return nil
	}
	counts := map[Taken]int64{}
	for _, t := range taken {
		counts[t]++
	}
	return s.returns.CountReturned(ctx, from.Workspace, from.Account, counts, s.clock.Now())
}

// ReturnedCounts returns how much came in by an account's webhook and mailbox, by what became of it.
func (s *Service) ReturnedCounts(ctx context.Context, ws, account string) (map[Taken]int64, error) {
	return s.returns.ReturnedCounts(ctx, ws, account)
}
