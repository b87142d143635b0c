package outbox

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// vars are what templates may name:
//
//	person.*          the person's traits, and person.id, person.email, person.name, person.locale, person.timezone
//	topic.name        what the message is sent as
//	message.id        this message
//	vars.*            what the sender of the message added; each is also there by its own name, e.g. event.total
//	feed.*            of campaigns that send news of a feed: feed.title, feed.link and feed.items, see campaign.Series
//	preferences_url   where the person chooses what to receive; unsubscribe_url leads to the same page
func (s *Service) vars(m Message, p person.Person, topic consent.Topic, preferences string) map[string]any {
	out := make(map[string]any, len(m.Vars)+5)
	maps.Copy(out, m.Vars)
	out["person"] = PersonVars(p)
	out["topic"] = map[string]any{"id": topic.ID, "name": topic.Name}
	out["message"] = map[string]any{"id": m.ID, "channel": m.Channel}
	out["vars"] = m.Vars
	out["preferences_url"] = preferences
	return out
}

// PersonVars are what templates know of somebody as person.*.
func PersonVars(p person.Person) map[string]any {
	out := p.Values()
	for key, v := range map[string]string{"email": p.Email(), "name": shownName(p), "locale": p.Locale(), "timezone": p.Timezone()} {
		if _, set := out[key]; !set && v != "" {
			out[key] = v
		}
	}
	out["id"] = p.ID
	return out
}

// compose makes what goes out: content with signed links, the headers of RFC 8058 and the keys to sign with. The same message, person, account, locale and time
// give the same bytes. No locale: that of the message, else the person's.
func (s *Service) compose(ctx context.Context, m Message, p person.Person, topic consent.Topic, a Account, zone *time.Location, locale string, now time.Time) (channel.Message, error) {
	unsubscribe := s.links.Unsubscribe(m.Workspace, m.ID)
	own, err := s.body(ctx, m)
	if err != nil {
		return channel.Message{}, err
	}
	if own == nil {
		own = &Body{}
	}
	options := content.RenderOptions{
		Locale: cmp.Or(locale, own.Locale, p.Locale()), Zone: zone, Now: now,
		LinkFunc:     func(url string) string { return s.links.Click(m.Workspace, m.ID, url) },
		OpenPixelURL: s.links.Open(m.Workspace, m.ID), UnsubscribeURL: unsubscribe, Transactional: m.Transactional,
	}
	var r content.Rendered
	if m.Template == "" {
		r = content.Dress(content.Rendered{Subject: own.Subject, HTML: own.HTML, Text: own.Text, FromName: own.FromName, ReplyTo: own.ReplyTo}, options)
	} else {
		vars := s.vars(m, p, topic, unsubscribe)
		if err := s.share(ctx, m, vars); err != nil {
			return channel.Message{}, err
		}
		if r, err = s.content.Render(ctx, m.Workspace, m.Template, m.TemplateVersion, vars, options); err != nil {
			return channel.Message{}, err
		}
		r.FromName, r.ReplyTo = cmp.Or(own.FromName, r.FromName), cmp.Or(own.ReplyTo, r.ReplyTo)
	}
	if m.Channel == KindEmail && strings.TrimSpace(r.Subject) == "" {
		return channel.Message{}, errs.Invalid("message.subject_empty", "subject", "the subject is empty for this person; give its variables a default")
	}
	out := channel.Message{
		ID:      m.ID,
		From:    channel.Address{Name: a.FromName, Addr: a.FromAddr},
		ReplyTo: a.ReplyTo,
		To:      channel.Address{Name: shownName(p), Addr: m.Address},
		Subject: r.Subject, HTML: r.HTML, Text: r.Text,
		Date: now, Attachments: own.Attachments,
	}
	if r.FromName != "" {
		out.From.Name = r.FromName
	}
	if r.ReplyTo != "" {
		out.ReplyTo = r.ReplyTo
	}
	if !m.Transactional {
		out.Headers = map[string]string{
			"List-Unsubscribe":      "<" + unsubscribe + ">",
			"List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		}
	}
	if s.signers != nil && m.Channel == KindEmail {
		_, domain, _ := strings.Cut(a.FromAddr, "@")
		if out.Sign, err = s.signers(ctx, m.Workspace, domain); err != nil {
			return channel.Message{}, err
		}
	}
	if a.Trap && out.HTML != "" {
		out.HTML = trapped(out.HTML, s.links.Trap(m.Workspace, m.ID))
	}
	s.back(&out, m, a.Inbound, r.ReplyTo == "")
	return out, nil
}

// share adds what all messages of the source have in common; the message's own values come first.
func (s *Service) share(ctx context.Context, m Message, vars map[string]any) error {
	if s.shared == nil {
		return nil
	}
	common, err := s.shared(ctx, m.Workspace, m.Source)
	if err != nil {
		return fmt.Errorf("values of the %s: %w", m.Source.Kind, err)
	}
	for name, v := range common {
		if _, own := vars[name]; !own {
			vars[name] = v
		}
	}
	return nil
}

// shownName is the name that is written beside the address. What Person.Name makes up from an address or an id for lists would look
// odd in a letter.
func shownName(p person.Person) string {
	name := p.Name()
	if strings.Contains(name, "@") || name == p.ID || name == p.Phone() || name == p.UserID() {
		return ""
	}
	return name
}
