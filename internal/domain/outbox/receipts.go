package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// receiptProps are the properties of message events that receipts are made of.
type receiptProps struct {
	MessageID string        `json:"message_id"`
	Machine   bool          `json:"machine"` // opened or clicked by a proxy or scanner
	Detail    string        `json:"detail"`
	Code      string        `json:"code"`
	Class     channel.Class `json:"class"` // of a bounce
	Permanent bool          `json:"permanent"`
	Feedback  string        `json:"feedback"` // of a complaint
}

// class of a bounce; events of earlier versions say only whether it was for good.
func (p receiptProps) class() channel.Class {
	switch {
	case p.Class != "":
		return p.Class
	case p.Permanent:
		return channel.Hard
	}
	return channel.Classify(p.Code, p.Detail)
}

// Receipts folds what the log says of messages into their rows. Only events that the product wrote count: those from outside have
// other types. Every time kept is the earliest told, so repetition and order make no difference.
func (s *Service) Receipts(ctx context.Context, events []event.Kept) error {
	if err := s.keepSent(ctx, events); err != nil {
		return fmt.Errorf("fold what was sent: %w", err)
	}
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
				kind = ReceiptMachineClick // scanners follow every link; that says nothing of the person
			case ReceiptReplied:
				continue // a notice of absence
			}
		}
		byWorkspace[e.Workspace] = append(byWorkspace[e.Workspace], Receipt{MessageID: p.MessageID, Kind: kind, At: e.Time, Detail: p.Detail, Code: p.Code, Class: p.class(), Feedback: p.Feedback})
	}
	for ws, receipts := range byWorkspace {
		if err := s.store.Mark(ctx, ws, receipts); err != nil {
			return fmt.Errorf("fold receipts: %w", err)
		}
		if err := s.afterBounces(ctx, ws, receipts); err != nil {
			return fmt.Errorf("bounces and complaints: %w", err)
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
	case event.MessageReplied:
		return ReceiptReplied, true
	}
	return "", false
}

// Interaction is something that a recipient, or a machine on the way to them, did with a message.
type Interaction struct {
	Link
	Machine bool   // the request says so
	Proxy   bool   // an image proxy on the way to them, which fetches ahead of people too
	Agent   string // user agent, as evidence
	Address string // of the client, already shortened if it should be
}

// prefetchWindow is how long after the sending an image proxy's fetch counts as its own: nobody opens a mail within seconds of its arrival, and
// providers that load ahead do it then.
const prefetchWindow = 10 * time.Second

// Opened makes the event of an open; the caller puts it on the log. Opens of a message within the same minute are one event: mail readers fetch the
// image several times. For clicks see Followed.
func (s *Service) Opened(ctx context.Context, in Interaction) (event.Event, error) {
	m, err := s.store.Message(ctx, in.Workspace, in.MessageID)
	if err != nil {
		return event.Event{}, err
	}
	now := s.clock.Now()
	// Proxies that fetch a picture when somebody opens the mail also fetch it when the mail arrives.
	if in.Proxy && (m.SentAt.IsZero() || now.Sub(m.SentAt) < prefetchWindow) {
		in.Machine = true
	}
	suffix := fmt.Sprintf("open:%d", now.Unix()/60)
	if in.Machine {
		suffix += ":machine"
	}
	e := told(m, event.MessageOpened, suffix, now, now, map[string]any{"machine": in.Machine})
	e.Context = seenOf(in.Agent, in.Address)
	heard(ctx, &e)
	return e, nil
}
