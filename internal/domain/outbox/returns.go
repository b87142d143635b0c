package outbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Scope says whose news may be taken from a way in. The zero value is a way that serves all workspaces: our own mail server.
type Scope struct {
	Workspace string
	Account   string
}

// maxReturnAge is how long after it was sent a message may bounce, be complained about or answered by a reference. Servers give up after
// some days (RFC 5321 4.5.4.1); people answer and complain later.
const maxReturnAge = 180 * 24 * time.Hour

// Taken is what came of a piece of news.
type Taken string

// The outcomes.
const (
	TakenEvent   Taken = "event"   // it is an event now
	TakenNothing Taken = "nothing" // understood, and nothing to tell: a delay, "not spam"
	TakenUnknown Taken = "unknown" // no reference that we signed, or one of another workspace's message
	TakenTooOld  Taken = "too_old"
	// Of mail that answers nothing of ours.
	TakenStranger Taken = "stranger" // on the timeline of whoever wrote it
	TakenLimited  Taken = "limited"  // too much of it
)

// Returned makes events of what came back; the caller puts them on the log, and only then may it tell the other side that it has the news. The
// same news again, by whatever way, makes the same events, which the log's readers recognise.
func (s *Service) Returned(ctx context.Context, from Scope, news ...channel.Returned) ([]event.Event, []Taken, error) {
	taken := make([]Taken, len(news))
	var events []event.Event
	for i, n := range news {
		e, t, err := s.returned(ctx, from, n)
		if err != nil {
			return nil, nil, err
		}
		taken[i] = t
		events = append(events, e...)
	}
	return events, taken, nil
}

func (s *Service) returned(ctx context.Context, from Scope, n channel.Returned) ([]event.Event, Taken, error) {
	m, ok, err := s.referred(ctx, from, n.References)
	switch {
	case err != nil:
		return nil, "", err
	case !ok:
		return s.stranger(ctx, from, n)
	}
	e, taken := s.news(m, n)
	if taken != TakenEvent {
		return nil, taken, nil
	}
	heard(ctx, &e)
	return []event.Event{e}, taken, nil
}

// news makes the event of what came back about a message.
func (s *Service) news(m Message, n channel.Returned) (event.Event, Taken) {
	now := s.clock.Now()
	if m.SentAt.IsZero() && !m.InFlight && m.Uncertain == 0 || !m.SentAt.IsZero() && now.Sub(m.SentAt) > maxReturnAge {
		return event.Event{}, TakenTooOld
	}
	at := n.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	if at.Before(m.SentAt) { // another clock
		at = m.SentAt
	}
	switch n.News {
	case channel.NewsBounced:
		return told(m, event.MessageBounced, "bounced:"+string(n.Class), at, now, map[string]any{
			"class": n.Class, "permanent": n.Class == channel.Hard, "reason": ReasonRejected, "detail": n.Detail, "code": n.Code,
		}), TakenEvent
	case channel.NewsDelivered:
		return told(m, event.MessageDelivered, "delivered", at, now, nil), TakenEvent
	case channel.NewsComplained:
		if n.Feedback == "not-spam" {
			return event.Event{}, TakenNothing
		}
		return told(m, event.MessageComplained, "complained", at, now, map[string]any{"feedback": n.Feedback, "detail": n.Detail}), TakenEvent
	case channel.NewsReplied:
		return told(m, event.MessageReplied, "replied:"+n.Key, at, now, answered(n.Reply)), TakenEvent
	}
	return event.Event{}, TakenNothing
}

// answered are the properties that tell of a mail somebody wrote.
func answered(r channel.Reply) map[string]any {
	props := map[string]any{"from": r.From, "from_name": r.Name, "subject": r.Subject, "text": r.Text, "machine": r.Auto}
	if r.Cut {
		props["cut"] = true
	}
	if len(r.Attachments) > 0 {
		props["attachments"] = r.Attachments
	}
	return props
}

// referred finds the message behind the first reference that is ours.
func (s *Service) referred(ctx context.Context, from Scope, candidates []string) (Message, bool, error) {
	for _, c := range candidates {
		_, id, err := s.links.ReadReference(c)
		if err != nil {
			continue
		}
		m, err := s.store.Find(ctx, id)
		switch {
		case errs.Is(err, errs.KindNotFound): // erased
			continue
		case err != nil:
			return Message{}, false, fmt.Errorf("find the message that came back: %w", err)
		case from.Workspace != "" && m.Workspace != from.Workspace:
			continue
		}
		return m, true, nil
	}
	return Message{}, false, nil
}

// Accepts reports whether mail to the address is for us: it holds a reference that we signed, or is the address of an account's way back.
func (s *Service) Accepts(ctx context.Context, address string) (bool, error) {
	for _, c := range channel.ReferencePattern.FindAllString(address, 3) {
		if _, _, err := s.links.ReadReference(c); err == nil {
			return true, nil
		}
	}
	_, err := s.returns.InboundByAddress(ctx, bare(address))
	if errs.Is(err, errs.KindNotFound) {
		return false, nil
	}
	return err == nil, err
}

// returnAddress puts a reference into an account's address for what comes back: "back@in.example.com" becomes "back+b-...@in.example.com", a
// bare domain takes any local part.
func returnAddress(base, reference string) string {
	if base == "" || reference == "" {
		return ""
	}
	local, domain, ok := strings.Cut(base, "@")
	if !ok {
		return reference + "@" + base
	}
	return local + "+" + reference + "@" + domain
}

// back prepares a message for what may come back about it.
func (s *Service) back(out *channel.Message, m Message, in Inbound, replies bool) {
	if in.Address == "" && in.Provider == "" {
		return
	}
	if out.Headers == nil {
		out.Headers = map[string]string{}
	}
	mark := s.links.Reference(Mark, m.ID)
	if mark == "" {
		return
	}
	out.ReturnPath = returnAddress(in.Address, s.links.Reference(Return, m.ID))
	if in.Replies && replies {
		if a := returnAddress(in.Address, s.links.Reference(Answer, m.ID)); a != "" {
			out.ReplyTo = a
		}
	}
	out.Headers[markHeader] = mark
	switch in.Provider {
	case ProviderSES:
		out.Headers["X-SES-MESSAGE-TAGS"] = "kizuna=" + mark
	case ProviderPostmark:
		out.Headers["X-PM-Metadata-kizuna"] = mark
	case ProviderSendGrid:
		out.Headers["X-SMTPAPI"] = `{"unique_args":{"kizuna":"` + mark + `"}}`
	}
}

// trapped puts a link into a mail that is neither seen, read aloud nor reached by the keyboard.
func trapped(html, url string) string {
	link := `<a href="` + url + `" style="display:none;max-height:0;overflow:hidden;mso-hide:all" aria-hidden="true" tabindex="-1"></a>`
	if i := strings.LastIndex(strings.ToLower(html), "</body>"); i >= 0 && len(strings.ToLower(html)) == len(html) {
		return html[:i] + link + html[i:]
	}
	return html + link
}

// markHeader carries a reference in the message itself: complaints often hold nothing else of it.
const markHeader = "X-Kizuna-Reference"
