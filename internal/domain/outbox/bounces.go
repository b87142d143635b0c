package outbox

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// BouncePolicy says what follows when messages come back. Addresses that do not exist and people who complain are suppressed at once,
// always; a full mailbox and a refusal of the sender never suppress anybody.
type BouncePolicy struct {
	SoftLimit int `json:"soft_limit"` // suppressed after so many soft bounces; 0: never
	SoftDays  int `json:"soft_days"`  // within so many days
	// BlockAlert and BlockPause: so many refusals of the sender within an hour raise an alert, or pause the account until somebody resumes
	// it. 0: never.
	BlockAlert int  `json:"block_alert"`
	BlockPause int  `json:"block_pause"`
	Honeypot   bool `json:"honeypot,omitempty"` // a link that no person sees goes into each mail: who follows it is a machine
}

// DefaultBouncePolicy is what holds until a workspace says otherwise. Five soft bounces is what the mail providers' own systems wait for; a month covers
// a weekly newsletter.
var DefaultBouncePolicy = BouncePolicy{SoftLimit: 5, SoftDays: 30, BlockAlert: 20, BlockPause: 200}

// Validate names the first thing that cannot be.
func (p BouncePolicy) Validate() error {
	for _, f := range []struct {
		field          string
		v, least, most int
	}{{"soft_limit", p.SoftLimit, 0, 100}, {"soft_days", p.SoftDays, 1, 366}, {"block_alert", p.BlockAlert, 0, 1_000_000}, {"block_pause", p.BlockPause, 0, 1_000_000}} {
		if f.v < f.least || f.v > f.most {
			return errs.Invalid("outbox.bounce_policy."+f.field, f.field, "between %d and %d", f.least, f.most)
		}
	}
	return nil
}

// BouncePolicy returns the workspace's policy.
func (s *Service) BouncePolicy(ctx context.Context, ws string) (BouncePolicy, error) {
	p, set, err := s.returns.BouncePolicy(ctx, ws)
	if err == nil && !set {
		p = DefaultBouncePolicy
	}
	return p, err
}

// SetBouncePolicy replaces it.
func (s *Service) SetBouncePolicy(ctx context.Context, ws string, p BouncePolicy) error {
	if err := p.Validate(); err != nil {
		return err
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.returns.SetBouncePolicy(ctx, ws, p, s.clock.Now()); err != nil {
			return err
		}
		all, err := s.accounts.Accounts(ctx, ws)
		if err != nil {
			return err
		}
		for _, a := range all { // so that senders notice
			in, err := s.returns.Inbound(ctx, ws, a.ID)
			if err != nil {
				return err
			}
			in.UpdatedAt = s.clock.Now()
			if err := s.returns.PutInbound(ctx, ws, in); err != nil {
				return err
			}
		}
		return nil
	})
}

// ClassComplaint stands beside the classes of bounces in the list.
const ClassComplaint = "complaint"

// Bounce is an entry of the list of what came back: a bounce or a complaint.
type Bounce struct {
	MessageID string
	PersonID  string
	Channel   string
	Class     string // a channel.Class or ClassComplaint
	Code      string
	Detail    string
	Hash      string // of the address, as in the suppression list
	Hint      string // the address with most of it hidden
	At        time.Time
}

// Remedy says what was done about it or what can be: a stable code for the screen to word.
func (b Bounce) Remedy() string {
	switch b.Class {
	case ClassComplaint:
		return "suppressed_complaint"
	case string(channel.Hard):
		return "suppressed_ask_for_new_address"
	case string(channel.Full):
		return "kept_reach_on_other_channel"
	case string(channel.Block):
		return "kept_check_sender_reputation"
	case string(channel.Soft):
		return "kept_until_limit"
	}
	return "kept_read_answer"
}

// BounceFilter narrows the list; empty fields match everything.
type BounceFilter struct {
	Class    string
	PersonID string
	Channel  string
}

// Alert is something wrong with an account that its owner should see.
type Alert struct {
	Code   string // "blocked": other servers refuse what it sends
	Count  int64  // within an hour
	Detail string // the last answer
	At     time.Time
	Paused bool // nothing goes out by the account until it is resumed
}

// Bounces lists what came back, latest first.
func (s *Service) Bounces(ctx context.Context, ws string, f BounceFilter, p page.Request) (page.Of[Bounce], error) {
	return s.returns.Bounces(ctx, ws, f, p)
}

// Alert returns what is wrong with an account, nil if nothing is.
func (s *Service) Alert(ctx context.Context, ws, account string) (*Alert, error) {
	return s.returns.AccountAlert(ctx, ws, account)
}

// ResumeAccount takes an account's alert back and lets it send again.
func (s *Service) ResumeAccount(ctx context.Context, ws, account string) error {
	if _, err := s.accounts.Account(ctx, ws, account); err != nil {
		return err
	}
	return s.returns.SetAlert(ctx, ws, account, nil)
}

func (k ReceiptKind) bounce() bool { return k == ReceiptBounced || k == ReceiptHardBounced }

// afterBounces lists bounces and complaints and does what follows. Every step may be repeated.
func (s *Service) afterBounces(ctx context.Context, ws string, receipts []Receipt) error {
	var ids []string
	for _, r := range receipts {
		if r.Kind.bounce() || r.Kind == ReceiptComplained {
			ids = append(ids, r.MessageID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	messages, err := s.store.Messages(ctx, ws, ids)
	if err != nil {
		return err
	}
	policy, err := s.BouncePolicy(ctx, ws)
	if err != nil {
		return err
	}
	var bounces []Bounce
	suppress := map[string]consent.Suppress{} // by hash
	soft, address := map[string]Message{}, map[string]Bounce{}
	var blocked *Bounce
	for _, r := range receipts {
		m, ok := messages[r.MessageID]
		if !ok || m.Address == "" || !r.Kind.bounce() && r.Kind != ReceiptComplained {
			continue
		}
		b := Bounce{
			MessageID: m.ID, PersonID: m.PersonID, Channel: m.Channel, Class: string(r.Class), Code: r.Code, Detail: r.Detail,
			Hash: s.consent.Hash(ws, m.Channel, m.Address), Hint: consent.Mask(m.Address), At: r.At,
		}
		why := consent.Suppress{Channel: m.Channel, Address: m.Address, Reason: consent.HardBounce, Detail: r.Detail, PersonID: m.PersonID}
		switch {
		case r.Kind == ReceiptComplained:
			b.Class, b.Detail, why.Reason, why.Detail = ClassComplaint, r.Feedback, consent.Complaint, r.Feedback
			suppress[b.Hash] = why
		case r.Class == channel.Hard:
			suppress[b.Hash] = why
		case r.Class == channel.Soft:
			soft[b.Hash], address[b.Hash] = m, b
		case r.Class == channel.Block:
			blocked = &b
		}
		bounces = append(bounces, b)
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.returns.AddBounces(ctx, ws, bounces); err != nil {
			return err
		}
		if err := s.weighSoft(ctx, ws, policy, soft, address, suppress); err != nil {
			return err
		}
		wanted := make([]consent.Suppress, 0, len(suppress))
		for _, w := range suppress {
			wanted = append(wanted, w)
		}
		if len(wanted) > 0 {
			if _, err := s.consent.Suppress(ctx, ws, wanted...); err != nil {
				return err
			}
		}
		if blocked != nil {
			return s.weighBlocks(ctx, ws, policy, *blocked)
		}
		return nil
	})
}

// weighSoft adds to suppress the addresses that have bounced softly too often.
func (s *Service) weighSoft(ctx context.Context, ws string, p BouncePolicy, soft map[string]Message, bounces map[string]Bounce, suppress map[string]consent.Suppress) error {
	if len(soft) == 0 || p.SoftLimit == 0 {
		return nil
	}
	hashes := make([]string, 0, len(soft))
	for h := range soft {
		hashes = append(hashes, h)
	}
	counts, err := s.returns.BounceCounts(ctx, ws, string(channel.Soft), hashes, s.clock.Now().AddDate(0, 0, -p.SoftDays))
	if err != nil {
		return err
	}
	for h, n := range counts {
		if _, harder := suppress[h]; n < int64(p.SoftLimit) || harder {
			continue
		}
		m := soft[h]
		suppress[h] = consent.Suppress{Channel: m.Channel, Address: m.Address, Reason: consent.SoftBounces, Detail: bounces[h].Detail, PersonID: m.PersonID}
	}
	return nil
}

// weighBlocks raises an alert, or pauses the account, when other servers refuse what it sends. An alert stays until somebody takes it back.
func (s *Service) weighBlocks(ctx context.Context, ws string, p BouncePolicy, last Bounce) error {
	account, ok, err := s.accounts.DefaultAccount(ctx, ws, last.Channel)
	if err != nil || !ok {
		return err
	}
	was, err := s.returns.AccountAlert(ctx, ws, account.ID)
	if err != nil {
		return err
	}
	since := s.clock.Now().Add(-time.Hour)
	if account.UpdatedAt.After(since) { // what came of the account as it was before does not count
		since = account.UpdatedAt
	}
	n, err := s.returns.Blocked(ctx, ws, last.Channel, since)
	if err != nil {
		return err
	}
	a := Alert{Code: "blocked", Count: n, Detail: last.Detail, At: s.clock.Now(), Paused: was != nil && was.Paused}
	switch {
	case p.BlockPause > 0 && n >= int64(p.BlockPause):
		a.Paused = true
	case p.BlockAlert == 0 || n < int64(p.BlockAlert):
		return nil
	}
	return s.returns.SetAlert(ctx, ws, account.ID, &a)
}
