package event

import (
	"slices"
	"time"
)

// Kind groups events for those who ask how long they are kept: by type and name; pages and screens by type alone, since they have as many names as a site has
// pages.
type Kind struct {
	Type Type   `json:"type"`
	Name string `json:"name,omitempty"`
}

// KindOf returns the kind of an event.
func KindOf(e *Event) Kind {
	if e.Type == Page || e.Type == Screen {
		return Kind{Type: e.Type}
	}
	return Kind{e.Type, e.Name}
}

// Age is how many events of a kind there are, and when the oldest of them happened.
type Age struct {
	Kind
	Count  int64
	Oldest time.Time
}

// Term says since when events of a kind are kept.
type Term struct {
	Kind
	Since time.Time
}

// evidence are messages that say why an address is not written to any more.
var evidence = []string{MessageBounced, MessageComplained, MessageUnsubscribed}

// Lasting says why events of a kind are kept as long as the person is, empty if they need not be:
//
//	identity  who somebody is and what is known of them is worked out from these anew
//	consent   they prove what a person has agreed to, or why an address is not written to
func (k Kind) Lasting() string {
	switch {
	case k.Type == Identify || k.Type == Group || k.Type == Alias || k.Type == Identity:
		return "identity"
	case k.Type == Consent, k.Type == Track && (k.Name == Subscribed || k.Name == Unsubscribed), k.Type == Message && slices.Contains(evidence, k.Name):
		return "consent"
	}
	return ""
}

// Ledger reports whether events of a kind are part of the books of a business: orders and invoices.
func (k Kind) Ledger() bool {
	return k.Type == Invoice || k.Type == Track && (k.Name == OrderCompleted || k.Name == OrderRefunded || k.Name == OrderCancelled)
}
