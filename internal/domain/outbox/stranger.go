package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// SourceInbound is the source of events about people who wrote first.
const SourceInbound = "inbound"

// What unknown senders may write to an account within an hour. More is no conversation.
const (
	maxFromOne   = 20
	maxStrangers = 500
)

// stranger makes events of a mail that answers nothing of ours, if the account's settings say so: the mail, and if nobody has the address, who wrote
// it. Anybody can write any sender into a mail, so nothing that is known of a person changes by it. What no person wrote makes no person.
func (s *Service) stranger(ctx context.Context, from Scope, n channel.Returned) ([]event.Event, Taken, error) {
	r := n.Reply
	if n.News != channel.NewsReplied || r.Auto || !validAddress(KindEmail, r.From) {
		return nil, TakenUnknown, nil
	}
	in, err := s.written(ctx, from, n.To)
	if err != nil || !in.Strangers {
		return nil, TakenUnknown, err
	}
	switch own, err := s.ownAddress(ctx, in.Workspace, r.From); {
	case err != nil:
		return nil, "", err
	case own: // our own mail that came round
		return nil, TakenUnknown, nil
	}
	now := s.clock.Now()
	if !s.strangers.allow(in.Account, r.From, n.Key, now) {
		if from.Account == "" { // the other server tries again later
			return nil, "", errs.RateLimited("outbox.inbound.too_many", "too many mails of unknown senders within an hour; try again later")
		}
		return nil, TakenLimited, nil
	}
	at := n.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	who, _ := json.Marshal(map[string]any{"externalIds": []map[string]string{{"id": r.From, "type": KindEmail, "collection": "users", "encoding": "none"}}}) // texts always marshal
	tell := func(suffix string, t event.Type, name string, props map[string]any) event.Event {
		raw, _ := json.Marshal(props) // texts and numbers always marshal
		return event.Event{
			Workspace: in.Workspace, MessageID: "mail:" + in.Account + ":" + n.Key + suffix, Type: t, Name: name, Time: at, Received: now, Origin: event.Internal,
			Source: SourceInbound, Properties: raw, Context: who,
		}
	}
	var events []event.Event
	known, err := s.known(ctx, in.Workspace, r.From)
	if err != nil {
		return nil, "", fmt.Errorf("look the sender of a mail up: %w", err)
	}
	if !known {
		traits := map[string]any{"email": r.From, "email_verified": false}
		if r.Name != "" {
			traits["name"] = r.Name
		}
		events = append(events, tell(":who", event.Identify, "", traits))
	}
	props := answered(r)
	props["channel"], props["account"] = KindEmail, in.Account
	return append(events, tell("", event.Message, event.MessageReceived, props)), TakenStranger, nil
}

// written returns the settings of the account that a mail was written to, the zero value if it is none.
func (s *Service) written(ctx context.Context, from Scope, to []string) (Inbound, error) {
	if from.Account != "" {
		in, err := s.returns.Inbound(ctx, from.Workspace, from.Account)
		return in.Inbound, err
	}
	for _, a := range to {
		switch in, err := s.returns.InboundByAddress(ctx, bare(a)); {
		case err == nil:
			return in.Inbound, nil
		case !errs.Is(err, errs.KindNotFound):
			return Inbound{}, err
		}
	}
	return Inbound{}, nil
}

// bare is an address in its one form, without what follows a plus sign.
func bare(address string) string {
	local, domain, _ := strings.Cut(strings.ToLower(strings.TrimSpace(address)), "@")
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}

// ownAddress reports whether the workspace itself writes or reads under an address.
func (s *Service) ownAddress(ctx context.Context, ws, address string) (bool, error) {
	all, err := s.accounts.Accounts(ctx, ws)
	if err != nil {
		return false, err
	}
	for _, a := range all {
		in, err := s.returns.Inbound(ctx, ws, a.ID)
		if err != nil {
			return false, err
		}
		for _, own := range []string{a.FromAddr, a.ReplyTo, in.Address} {
			if own != "" && bare(own) == bare(address) {
				return true, nil
			}
		}
	}
	return false, nil
}

// senderLimits counts mails of unknown senders within the hour. It is memory alone: a new start begins anew.
type senderLimits struct {
	mu    sync.Mutex
	hour  time.Time
	seen  map[string]bool // account and mail: the same mail again counts once
	count map[string]int  // by account, and by account and sender
}

func (l *senderLimits) allow(account, sender, key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if hour := now.Truncate(time.Hour); !hour.Equal(l.hour) {
		l.hour, l.seen, l.count = hour, map[string]bool{}, map[string]int{}
	}
	mail, one := account+" "+key, account+" "+sender
	if l.seen[mail] {
		return true
	}
	if l.count[account] >= maxStrangers || l.count[one] >= maxFromOne {
		return false
	}
	l.seen[mail] = true
	l.count[account]++
	l.count[one]++
	return true
}
