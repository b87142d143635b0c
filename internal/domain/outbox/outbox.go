package outbox

import (
	"time"
)

// Source says who asked for a message; figures and attribution are kept by it.
type Source struct {
	Kind    string // "campaign", "journey", "api", "system"
	ID      string // campaign or journey id
	Version int    // journey version, 0 otherwise
	Node    string // journey node id
}

// Request asks for one message to one person.
type Request struct {
	Workspace     string
	PersonID      string
	Channel       string         // channel kind, "email"
	Topic         string         // topic id; empty only if Transactional
	Template      string         // template id; empty if Body has the words
	Version       int            // of the template; 0: the current one when it is asked for
	Body          *Body          // words of its own, a locale, files; nil: nothing
	Address       string         // where it goes; empty: where the person is reached on the channel
	Priority      Priority       // who goes first where a cap leaves room for fewer
	Print         string         // digest of what was asked, so that a key used for something else is noticed; may be empty
	Vars          map[string]any // variables beside the person's, e.g. the event that triggered it
	Source        Source
	Key           string    // idempotency key, unique in the workspace: the same key never makes a second message
	Transactional bool      // answers something the person did (receipt, password): only suppression of the address stops it
	NotBefore     time.Time // zero: at once
	Goal          Goal
	Holdout       float64 // percent of the source's people who get nothing, always the same ones; beside the workspace's holdout
}

// Decision is what the gate said to a request. Every decision is stored; a refusal is stored with its reason.
type Decision struct {
	MessageID string
	Allowed   bool
	Reason    string   // stable code, empty if allowed: "no_address", "suppressed", "unsubscribed", "not_subscribed", "archived_template" ...
	Data      Evidence // what the reason rests on, for the person's page and the report
	// DueAt is when a message that was let through goes at the earliest. If it has to wait, Waits says for what ("quiet_hours", "capped"), and
	// Data more of it.
	DueAt     time.Time
	Waits     string
	Duplicate bool   // the key had been used: MessageID is the earlier message
	Print     string // of the message: of the earlier one, if Duplicate
	Locale    string // of the person, empty if unknown; only of a dry run
}
