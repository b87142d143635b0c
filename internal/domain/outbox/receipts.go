package outbox

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// receiptProps are the properties of message events that receipts are made of.
type receiptProps struct {
	MessageID string `json:"message_id"`
	Machine   bool   `json:"machine"`   // opened or clicked by a proxy or scanner
	Permanent bool   `json:"permanent"` // of a bounce
	Detail    string `json:"detail"`
	Code      string `json:"code"`
}

// Receipts folds what the log says of messages into their rows. Only events that the product wrote count: those from outside have
// other types. Every time kept is the earliest told, so repetition and order make no difference.
func (s *Service) Receipts(ctx context.Context, events []event.Kept) error {
	byWorkspace := map[string][]Receipt{}
	for _, e := range events {
		if e.Type != event.Message {
			continue
		}
		kind, ok := receiptKind(e.Name)
		if !ok {
			continue
		}
		var p receiptProps
		if json.Unmarshal(e.Properties, &p) != nil || p.MessageID == "" {
			s.log.Warn("a message event names no message", "event", e.MessageID)
			continue
		}
		if p.Permanent && kind == ReceiptBounced {
			kind = ReceiptHardBounced
		}
		if p.Machine {
			switch kind {
			case ReceiptOpened:
				kind = ReceiptMachineOpen
			case ReceiptClicked:
				continue // scanners follow every link; that says nothing of the person
			}
		}
		byWorkspace[e.Workspace] = append(byWorkspace[e.Workspace], Receipt{MessageID: p.MessageID, Kind: kind, At: e.Time, Detail: p.Detail, Code: p.Code})
	}
	for ws, receipts := range byWorkspace {
		if err := s.store.Mark(ctx, ws, receipts); err != nil {
			return fmt.Errorf("fold receipts: %w", err)
		}
	}
	return nil
}

func receiptKind(name string) (ReceiptKind, bool) {
	switch name {
	case event.MessageDelivered:
		return ReceiptDelivered, true
	case event.MessageBounced:
		return ReceiptBounced, true
	case event.MessageOpened:
		return ReceiptOpened, true
	case event.MessageClicked:
		return ReceiptClicked, true
	case event.MessageUnsubscribed:
		return ReceiptUnsubscribed, true
	case event.MessageComplained:
		return ReceiptComplained, true
	}
	return "", false
}

// Interaction is something that a recipient, or a machine on the way to them, did with a message.
type Interaction struct {
	Link
	Name    string // event.MessageOpened or event.MessageClicked
	Machine bool
	Agent   string // user agent, as evidence
	Address string // of the client, already shortened if it should be
}

// Interacted makes the event of an open or a click; the caller puts it on the log. Opens of a message within the same minute are one
// event (mail readers fetch the image several times); every click is an event of its own.
func (s *Service) Interacted(ctx context.Context, in Interaction) (event.Event, error) {
	m, err := s.store.Message(ctx, in.Workspace, in.MessageID)
	if err != nil {
		return event.Event{}, err
	}
	now := s.clock.Now()
	extra := map[string]any{"machine": in.Machine}
	var suffix string
	if in.Name == event.MessageClicked {
		extra["url"] = in.URL
		suffix = "click:" + id.New("clk")
	} else {
		suffix = fmt.Sprintf("open:%d", now.Unix()/60)
		if in.Machine {
			suffix += ":machine"
		}
	}
	e := told(m, in.Name, suffix, now, now, extra)
	e.Context, _ = json.Marshal(map[string]string{"userAgent": in.Agent, "ip": in.Address}) // strings always marshal
	return e, nil
}

// Preferences is what the unsubscribe page shows: whom a link belongs to, and what they may receive.
type Preferences struct {
	Message   Message
	Sender    string // name that the message came from
	Address   string // mostly hidden
	Locale    string // the person's, empty if unknown
	Topics    []TopicChoice
	Confirmed bool // set by Unsubscribe and Choose
}

// TopicChoice is a topic on the unsubscribe page.
type TopicChoice struct {
	Topic      consent.Topic
	Subscribed bool
	Current    bool // the topic of the message
}

// Preferences returns what the page behind an unsubscribe link shows.
func (s *Service) Preferences(ctx context.Context, l Link) (Preferences, error) {
	m, err := s.store.Message(ctx, l.Workspace, l.MessageID)
	if err != nil {
		return Preferences{}, err
	}
	out := Preferences{Message: m, Address: consent.Mask(m.Address)}
	people, err := s.people.ByIDs(ctx, m.Workspace, []string{m.PersonID})
	if err != nil {
		return Preferences{}, err
	}
	if p, ok := people[m.PersonID]; ok {
		out.Locale = p.Locale()
	}
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
	for _, t := range topics {
		if t.Sent(m.Channel) {
			out.Topics = append(out.Topics, TopicChoice{Topic: t, Subscribed: states[m.PersonID][m.Channel].Topics[t.ID], Current: t.ID == m.Topic})
		}
	}
	return out, nil
}

// Unsubscribe ends the subscription that a message was sent under, or with all set every one on its channel. When it returns
// without error that is durable, and messages that wait will not go. source says where it was asked for.
func (s *Service) Unsubscribe(ctx context.Context, l Link, all bool, source string) error {
	m, err := s.store.Message(ctx, l.Workspace, l.MessageID)
	if err != nil {
		return err
	}
	topic := m.Topic
	if all || topic == "" {
		topic = consent.AllTopics
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		return s.say(ctx, m, source, consent.Change{Topic: topic, Status: consent.Unsubscribed})
	})
}

// Choose sets each topic of the message's channel to what the person chose: wanted topics are subscribed, all others ended.
func (s *Service) Choose(ctx context.Context, l Link, wanted map[string]bool, source string) error {
	prefs, err := s.Preferences(ctx, l)
	if err != nil {
		return err
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		var changes []consent.Change
		for _, t := range prefs.Topics {
			switch {
			case wanted[t.Topic.ID] && !t.Subscribed:
				changes = append(changes, consent.Change{Topic: t.Topic.ID, Status: consent.Subscribed})
			case !wanted[t.Topic.ID]:
				changes = append(changes, consent.Change{Topic: t.Topic.ID, Status: consent.Unsubscribed})
			}
		}
		return s.say(ctx, prefs.Message, source, changes...)
	})
}

// say records statements made through a message's link, and on the message if it cost a subscription.
func (s *Service) say(ctx context.Context, m Message, source string, changes ...consent.Change) error {
	now := s.clock.Now()
	left := false
	for i := range changes {
		c := &changes[i]
		c.PersonID, c.Channel, c.Source, c.Evidence, c.At = m.PersonID, m.Channel, source, "link in message "+m.ID, now
		left = left || c.Status == consent.Unsubscribed && (c.Topic == m.Topic || c.Topic == consent.AllTopics)
	}
	if err := s.consent.Change(ctx, m.Workspace, changes...); err != nil {
		return fmt.Errorf("record what the person chose: %w", err)
	}
	if !left {
		return nil
	}
	return s.emit(ctx, []event.Event{told(m, event.MessageUnsubscribed, "unsubscribed", now, now, map[string]any{"source": source})})
}
