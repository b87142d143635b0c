package outbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Preferences is what the preference page shows: whom a link belongs to, what they may receive, and why they got the message.
type Preferences struct {
	Message  Message // zero if the link belongs to no message
	Sender   string  // name that the message came from
	Address  string  // mostly hidden
	Locale   string  // the person's, empty if unknown
	Topics   []TopicChoice
	Settings consent.Settings
	Why      Why

	person person.Person
}

// Why says on what grounds a message was sent.
type Why struct {
	Kind  string // "transactional", "subscribed", "implied"; empty if there is no message or nothing is known
	Topic string // name
	Since time.Time
}

// TopicChoice is a topic on one channel.
type TopicChoice struct {
	Topic      consent.Topic
	Channel    string
	Subscribed bool
	Pending    bool // asked for, not confirmed yet
	Current    bool // the topic of the message, on its channel
}

// Value names the choice in forms: the topic's id, and the channel behind a slash unless it is mail.
func (c TopicChoice) Value() string {
	if c.Channel == KindEmail {
		return c.Topic.ID
	}
	return c.Topic.ID + "/" + c.Channel
}

// PauseFor is how long the button on the preference page pauses.
const PauseFor = 30 * 24 * time.Hour

// Preferences returns what the page behind a link shows.
func (s *Service) Preferences(ctx context.Context, l Link) (Preferences, error) {
	out := Preferences{Message: Message{Workspace: l.Workspace, PersonID: l.PersonID, Channel: KindEmail}}
	if l.MessageID != "" {
		m, err := s.store.Message(ctx, l.Workspace, l.MessageID)
		if err != nil {
			return Preferences{}, err
		}
		out.Message = m
	}
	m := &out.Message
	people, err := s.people.ByIDs(ctx, m.Workspace, []string{m.PersonID})
	if err != nil {
		return Preferences{}, err
	}
	p, ok := people[m.PersonID]
	if !ok && l.MessageID == "" {
		return Preferences{}, errs.NotFound("person", m.PersonID)
	}
	if ok {
		out.person, out.Locale, m.PersonID = p, p.Locale(), p.ID
	}
	address := m.Address
	if address == "" {
		address = Address(p, m.Channel)
	}
	out.Address = consent.Mask(address)
	if a, ok, err := s.accounts.DefaultAccount(ctx, m.Workspace, m.Channel); err != nil {
		return Preferences{}, err
	} else if ok {
		out.Sender = a.FromName
	}
	topics, err := s.consent.Topics(ctx, m.Workspace)
	if err != nil {
		return Preferences{}, err
	}
	states, err := s.consent.States(ctx, m.Workspace, []string{m.PersonID}, nil)
	if err != nil {
		return Preferences{}, err
	}
	settings, said, err := s.consent.Preferences(ctx, m.Workspace, m.PersonID)
	if err != nil {
		return Preferences{}, err
	}
	if settings.PausedUntil.After(s.clock.Now()) {
		out.Settings.PausedUntil = settings.PausedUntil
	}
	out.Settings.Weekly = settings.Weekly
	for _, t := range topics {
		for _, ch := range t.Channels {
			if t.Archived || ch != m.Channel && Address(p, ch) == "" {
				continue
			}
			allows := states[m.PersonID][ch]
			_, pending := allows.Pending[t.ID]
			out.Topics = append(out.Topics, TopicChoice{Topic: t, Channel: ch, Subscribed: allows.Topics[t.ID], Pending: pending, Current: t.ID == m.Topic && ch == m.Channel})
		}
	}
	out.Why = why(out, said)
	return out, nil
}

// why finds the grounds of a message in what the person said.
func why(p Preferences, said []consent.State) Why {
	if p.Message.ID == "" {
		return Why{}
	}
	if p.Message.Transactional {
		return Why{Kind: "transactional"}
	}
	for _, c := range p.Topics {
		if !c.Current {
			continue
		}
		for _, st := range said {
			if st.Topic == c.Topic.ID && st.Channel == c.Channel && st.Status == consent.Subscribed {
				return Why{Kind: "subscribed", Topic: c.Topic.Name, Since: st.At}
			}
		}
		if c.Topic.OptIn == consent.Implied {
			return Why{Kind: "implied", Topic: c.Topic.Name}
		}
	}
	return Why{}
}

// Said tells where something was said on the page.
type Said struct {
	Source string // "one_click", "preference_page"
	IP     string // already shortened to its network
}

// Unsubscribe ends the subscription that a message was sent under, or with all set every one on its channel. When it returns
// without error that is durable, and messages that wait will not go.
func (s *Service) Unsubscribe(ctx context.Context, l Link, all bool, by Said) error {
	p, err := s.Preferences(ctx, l)
	if err != nil {
		return err
	}
	topic := p.Message.Topic
	if all || topic == "" {
		topic = consent.AllTopics
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		return s.say(ctx, p.Message, by, consent.Change{Topic: topic, Channel: p.Message.Channel, Status: consent.Unsubscribed})
	})
}

// Choose sets each topic and channel to what the person chose: wanted choices (see TopicChoice.Value) are subscribed, all others ended.
func (s *Service) Choose(ctx context.Context, l Link, wanted map[string]bool, weekly bool, by Said) error {
	prefs, err := s.Preferences(ctx, l)
	if err != nil {
		return err
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		var changes []consent.Change
		for _, t := range prefs.Topics {
			switch {
			case wanted[t.Value()] && !t.Subscribed:
				changes = append(changes, consent.Change{Topic: t.Topic.ID, Channel: t.Channel, Status: consent.Subscribed, TextVersion: t.Topic.TextVersion})
			case !wanted[t.Value()]:
				changes = append(changes, consent.Change{Topic: t.Topic.ID, Channel: t.Channel, Status: consent.Unsubscribed, TextVersion: t.Topic.TextVersion})
			}
		}
		if err := s.say(ctx, prefs.Message, by, changes...); err != nil {
			return err
		}
		settings := prefs.Settings
		settings.Weekly = weekly
		return s.settle(ctx, prefs.Message, settings, by)
	})
}

// Pause lets nothing but answers go for PauseFor, or ends the pause.
func (s *Service) Pause(ctx context.Context, l Link, on bool, by Said) error {
	prefs, err := s.Preferences(ctx, l)
	if err != nil {
		return err
	}
	settings := prefs.Settings
	if settings.PausedUntil = (time.Time{}); on {
		settings.PausedUntil = s.clock.Now().Add(PauseFor)
	}
	return s.settle(ctx, prefs.Message, settings, by)
}

func (s *Service) settle(ctx context.Context, m Message, settings consent.Settings, by Said) error {
	return s.consent.SetPreferences(ctx, m.Workspace, m.PersonID, settings, consent.Change{Source: by.Source, IP: by.IP, Evidence: proof(m), MessageID: m.ID})
}

// proof says what a statement through a link rests on: the link came by mail to the person's own address.
func proof(m Message) string {
	if m.ID == "" {
		return "personal link"
	}
	return "link in message " + m.ID
}

// say records statements made through a link, and on the message if it cost a subscription.
func (s *Service) say(ctx context.Context, m Message, by Said, changes ...consent.Change) error {
	now := s.clock.Now()
	left := false
	for i := range changes {
		c := &changes[i]
		c.PersonID, c.Source, c.Evidence, c.At, c.IP, c.MessageID = m.PersonID, by.Source, proof(m), now, by.IP, m.ID
		c.Confirmed = c.Channel == m.Channel // the link came to their own address there
		left = left || c.Status == consent.Unsubscribed && c.Channel == m.Channel && (c.Topic == m.Topic || c.Topic == consent.AllTopics)
	}
	if err := s.consent.Change(ctx, m.Workspace, changes...); err != nil {
		return fmt.Errorf("record what the person chose: %w", err)
	}
	if !left || m.ID == "" {
		return nil
	}
	e := told(m, event.MessageUnsubscribed, "unsubscribed", now, now, map[string]any{"source": by.Source})
	heard(ctx, &e)
	return s.emit(ctx, []event.Event{e})
}

// PreferenceLink returns the address of a person's preference page, for a button outside mails.
func (s *Service) PreferenceLink(ws, personID string) string { return s.links.Person(ws, personID) }

// AskToConfirm sends the mail that asks somebody to confirm a subscription; see consent.Asker. It goes as an answer to what the person
// did, by the topic's template or in the product's own words.
func (s *Service) AskToConfirm(ctx context.Context, ws string, t consent.Topic, r consent.Record) error {
	people, err := s.people.ByIDs(ctx, ws, []string{r.PersonID})
	if err != nil {
		return fmt.Errorf("load person: %w", err)
	}
	link := s.links.Confirm(Confirmation{ws, r.PersonID, r.Topic, r.Channel, r.At})
	sender := ""
	if a, ok, err := s.accounts.DefaultAccount(ctx, ws, r.Channel); err != nil {
		return fmt.Errorf("load account: %w", err)
	} else if ok {
		sender = a.FromName
	}
	req := Request{
		Workspace: ws, PersonID: r.PersonID, Channel: r.Channel, Transactional: true, Source: Source{Kind: "system", ID: "confirmation"},
		Key: "confirm:" + r.ID, Template: t.Confirmation, Vars: map[string]any{"confirm_url": link, "topic_name": t.Name, "topic_description": t.Description},
	}
	if t.Confirmation == "" {
		req.Body = confirmation(people[r.PersonID].Locale(), t, sender, link)
	}
	_, err = s.Enqueue(ctx, []Request{req})
	return err
}

// Asked is what the page behind a confirmation link shows.
type Asked struct {
	Confirmation
	Topic   consent.Topic
	Sender  string
	Address string // mostly hidden
	Locale  string
	Open    bool // waits for the answer; else it has expired or was taken back
	Done    bool // is subscribed already
}

// Asked returns what a confirmation link asks.
func (s *Service) Asked(ctx context.Context, c Confirmation) (Asked, error) {
	out := Asked{Confirmation: c}
	p, err := s.Preferences(ctx, Link{Workspace: c.Workspace, PersonID: c.PersonID})
	if err != nil {
		return out, err
	}
	out.PersonID = p.Message.PersonID // merged since
	out.Locale, out.Sender, out.Address = p.Locale, p.Sender, consent.Mask(Address(p.person, c.Channel))
	if out.Topic, err = s.consent.Topic(ctx, c.Workspace, c.Topic); err != nil {
		return out, err
	}
	i := slices.IndexFunc(p.Topics, func(t TopicChoice) bool { return t.Topic.ID == c.Topic && t.Channel == c.Channel })
	if i >= 0 {
		out.Done = p.Topics[i].Subscribed
		out.Open = p.Topics[i].Pending && s.clock.Now().Sub(c.Asked) <= consent.ConfirmWithin
	}
	return out, nil
}

// Confirm subscribes somebody who answers a confirmation mail.
func (s *Service) Confirm(ctx context.Context, c Confirmation, by Said) error {
	a, err := s.Asked(ctx, c)
	if err != nil {
		return err
	}
	return s.consent.Confirm(ctx, c.Workspace, consent.Change{
		PersonID: a.PersonID, Topic: c.Topic, Channel: c.Channel, Evidence: "link in the confirmation mail of " + c.Asked.Format(time.RFC3339), IP: by.IP, TextVersion: a.Topic.TextVersion,
	}, c.Asked)
}

// confirmation is the mail that asks to confirm, in the person's language.
func confirmation(locale string, t consent.Topic, sender, link string) *Body {
	w := wordsFor(locale)
	fill := strings.NewReplacer("{topic}", t.Name, "{sender}", sender, "{link}", link)
	if sender == "" {
		fill = strings.NewReplacer("{topic}", t.Name, "{sender}", w["nameless"], "{link}", link)
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;")
	text := func(key string) string { return fill.Replace(w[key]) }
	safe := func(key string) string { return escape.Replace(text(key)) }
	description := ""
	if t.Description != "" {
		description = "<p>" + escape.Replace(t.Description) + "</p>"
	}
	return &Body{
		Locale:  w["lang"],
		Subject: cutTo(strings.Map(oneLine, text("subject")), MaxSubject/2),
		Text:    text("greeting") + "\n\n" + t.Description + "\n\n" + text("button") + ":\n" + link + "\n\n" + text("ignore") + "\n",
		HTML: `<!doctype html><html lang="` + w["lang"] + `"><head><meta charset="utf-8"><title>` + safe("subject") + `</title></head><body style="font:16px/1.6 sans-serif;max-width:34em;margin:24px auto;padding:0 16px"><p>` + safe("greeting") + `</p>` + description +
			`<p><a href="` + escape.Replace(link) + `" style="display:inline-block;padding:10px 18px;background:#1f5eff;color:#fff;border-radius:6px;text-decoration:none">` + safe("button") + `</a></p><p style="color:#666">` + safe("ignore") + `</p></body></html>`,
	}
}

func oneLine(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}
