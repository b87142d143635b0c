package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Counts returns the figures of a source, or with Node set of one of its nodes.
func (s *Service) Counts(ctx context.Context, ws string, src Source) (Counts, error) {
	nodes, err := s.store.CountsByNode(ctx, ws, src)
	if err != nil {
		return Counts{}, err
	}
	out := Counts{RefusedBy: map[string]int64{}, FailedBy: map[string]int64{}, Revenue: map[string]int64{}}
	for _, c := range nodes {
		out.Add(c)
	}
	return out, nil
}

// CountsByNode returns the figures of a source by node; campaigns have the single node "".
func (s *Service) CountsByNode(ctx context.Context, ws string, src Source) (map[string]Counts, error) {
	return s.store.CountsByNode(ctx, ws, src)
}

// People lists the messages behind a figure, latest first; each names its person. Addresses are masked.
func (s *Service) People(ctx context.Context, ws string, src Source, m Metric, p page.Request) (page.Of[Message], error) {
	if !m.Valid() {
		return page.Of[Message]{}, errs.Invalid("outbox.metric.unknown", "metric", "%q is no figure of the report; use one of its column names", m)
	}
	return masked(s.store.BySource(ctx, ws, src, m, p))
}

// PersonMessages lists what was sent, or not sent, to a person, latest first. Addresses are masked.
func (s *Service) PersonMessages(ctx context.Context, ws, personID string, f PersonFilter, p page.Request) (page.Of[Message], error) {
	return masked(s.store.ByPerson(ctx, ws, personID, f, p))
}

func masked(list page.Of[Message], err error) (page.Of[Message], error) {
	for i := range list.Items {
		if a := list.Items[i].Address; a != "" {
			list.Items[i].Address = consent.Mask(a)
		}
	}
	return list, err
}

// Message returns one message with its full address, or not_found.
func (s *Service) Message(ctx context.Context, ws, id string) (Message, error) {
	return s.store.Message(ctx, ws, id)
}

// Conversions returns what was credited to a message, oldest first.
func (s *Service) Conversions(ctx context.Context, ws, messageID string) ([]Conversion, error) {
	return s.store.Conversions(ctx, ws, messageID)
}

// TestSend asks for a trial of a template.
type TestSend struct {
	Channel  string
	Template string
	Version  int // 0: the current one
	Topic    string
	To       string         // where it goes, whoever's values it shows
	PersonID string         // whose values fill it; empty: nobody's, so that the template's defaults show
	Locale   string         // as a reader of this language would get it; empty: the person's
	Vars     map[string]any // as a sender would add
	Account  string         // account id; empty: the default
}

// SendTest sends a trial at once and returns the other side's answer. It is no message of the report: nothing is stored and its links
// are not followed up. Suppressed addresses are refused here too.
func (s *Service) SendTest(ctx context.Context, ws string, t TestSend) (channel.Outcome, error) {
	if !validAddress(t.Channel, t.To) {
		return channel.Outcome{}, errs.Invalid("outbox.test.address_invalid", "to", "%q is no address for %s", t.To, t.Channel)
	}
	if reason, suppressed, err := s.consent.IsSuppressed(ctx, ws, t.Channel, t.To); err != nil {
		return channel.Outcome{}, err
	} else if suppressed {
		return channel.Outcome{}, errs.Conflict("outbox.test.suppressed", "this address is on the suppression list (%s); take it off there first", reason)
	}
	account, err := s.testAccount(ctx, ws, t)
	if err != nil {
		return channel.Outcome{}, err
	}
	template, err := s.content.Get(ctx, ws, t.Template)
	if err != nil {
		return channel.Outcome{}, err
	}
	if t.Version == 0 {
		t.Version = template.Version
	}
	var p person.Person
	if t.PersonID != "" {
		found, err := s.people.ByIDs(ctx, ws, []string{t.PersonID})
		if err != nil {
			return channel.Outcome{}, err
		}
		var ok bool
		if p, ok = found[t.PersonID]; !ok {
			return channel.Outcome{}, errs.NotFound("person", t.PersonID)
		}
	}
	var topic consent.Topic
	if t.Topic != "" {
		if topic, err = s.consent.Topic(ctx, ws, t.Topic); err != nil {
			return channel.Outcome{}, err
		}
	}
	now := s.clock.Now()
	m := Message{
		ID: id.New("msg"), Workspace: ws, Channel: t.Channel, Template: t.Template, TemplateVersion: t.Version, Topic: t.Topic,
		Vars: t.Vars, Address: t.To, NotBefore: now,
	}
	home := time.UTC
	if s.zone != nil {
		if home, err = s.zone(ctx, ws); err != nil {
			return channel.Outcome{}, fmt.Errorf("load zone: %w", err)
		}
	}
	out, err := s.compose(ctx, m, p, topic, account.Account, p.Location(home), t.Locale, now)
	if err != nil {
		return channel.Outcome{}, err
	}
	sender, err := s.makeSender(account)
	if err != nil {
		return channel.Outcome{}, err
	}
	defer func() { _ = sender.Close() }()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return sender.Send(ctx, out, func() error { return nil }), nil
}

func (s *Service) testAccount(ctx context.Context, ws string, t TestSend) (SealedAccount, error) {
	if t.Account != "" {
		a, err := s.accounts.Account(ctx, ws, t.Account)
		if err == nil && a.Kind != t.Channel {
			return SealedAccount{}, errs.Invalid("outbox.test.account_kind", "account", "this account sends by %s, not by %s", a.Kind, t.Channel)
		}
		return a, err
	}
	a, ok, err := s.accounts.DefaultAccount(ctx, ws, t.Channel)
	if err != nil {
		return SealedAccount{}, fmt.Errorf("load account: %w", err)
	}
	if !ok {
		return SealedAccount{}, errs.Conflict("outbox.test.no_account", "there is no account to send by %s; connect one under Channels", t.Channel)
	}
	return a, nil
}
