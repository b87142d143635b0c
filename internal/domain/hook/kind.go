package hook

import (
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/invoice"
)

// Kind is a kind of event that an endpoint can ask for.
type Kind struct {
	Key   string     // what the endpoint asks for and finds in "type"
	Type  event.Type // of the event
	Event string     // its name
}

// Ping is the kind of a trial. Nobody asks for it; every endpoint can get one.
const Ping = "endpoint.ping"

var kinds = []Kind{
	{"message.queued", event.Message, event.MessageQueued},
	{"message.refused", event.Message, event.MessageRefused},
	{"message.sent", event.Message, event.MessageSent},
	{"message.delivered", event.Message, event.MessageDelivered},
	{"message.bounced", event.Message, event.MessageBounced},
	{"message.failed", event.Message, event.MessageFailed},
	{"message.opened", event.Message, event.MessageOpened},
	{"message.clicked", event.Message, event.MessageClicked},
	{"message.replied", event.Message, event.MessageReplied},
	{"message.received", event.Message, event.MessageReceived},
	{"message.converted", event.Message, event.MessageConverted},
	{"message.unsubscribed", event.Message, event.MessageUnsubscribed},
	{"message.complained", event.Message, event.MessageComplained},
	{"segment.entered", event.Segment, event.SegmentEntered},
	{"segment.left", event.Segment, event.SegmentLeft},
	{"journey.entered", event.Journey, event.JourneyEntered},
	{"journey.goal", event.Journey, event.JourneyGoal},
	{"journey.exited", event.Journey, event.JourneyExited},
	{"topic.subscribed", event.Consent, event.TopicSubscribed},
	{"topic.unsubscribed", event.Consent, event.TopicUnsubscribed},
	{"topic.pending", event.Consent, event.TopicPending},
	{"preferences.changed", event.Consent, event.PreferencesChanged},
	{"person.suppressed", event.Consent, event.Suppressed},
	{"invoice.issued", event.Invoice, invoice.Issued},
	{"invoice.payment_received", event.Invoice, invoice.PaymentReceived},
	{"invoice.paid", event.Invoice, invoice.PaidInFull},
	{"invoice.voided", event.Invoice, invoice.Voided},
	{"invoice.overdue", event.Invoice, invoice.BecameOverdue},
	{"invoice.reminder_due", event.Invoice, invoice.ReminderDue},
	{"order.completed", event.Track, event.OrderCompleted},
	{"order.refunded", event.Track, event.OrderRefunded},
	{"order.cancelled", event.Track, event.OrderCancelled},
}

// Kinds returns what endpoints can ask for.
func Kinds() []Kind { return slices.Clone(kinds) }

// kindOf returns the kind of an event, empty if nobody can ask for it. What is said of invoices counts whether it was said to the API or
// by a server of the business; browser keys are public, and invoices pass them over too.
func kindOf(e event.Event) string {
	for _, k := range kinds {
		if k.Event == e.Name && (k.Type == e.Type || k.Type == event.Invoice && e.Type == event.Track && e.Origin != event.Browser) {
			return k.Key
		}
	}
	return ""
}

func known(key string) bool {
	return slices.ContainsFunc(kinds, func(k Kind) bool { return k.Key == key })
}
