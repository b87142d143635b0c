package consent

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// OptIn says what silence means for a topic.
type OptIn string

// The opt-in modes.
const (
	Explicit OptIn = "explicit" // only people who said yes
	Implied  OptIn = "implied"  // everyone who has not said no, e.g. notices about a contract
	Double   OptIn = "double"   // only people who said yes and said it again from their own mailbox
)

// Topic is a subject that people subscribe to: "News", "Offers".
type Topic struct {
	ID          string
	Name        string   // unique in the workspace, ignoring case
	Description string   // shown to the person on the preference page
	Channels    []string // channel kinds on which it is sent, e.g. "email"
	OptIn       OptIn
	// Confirmation is the template of the mail that asks to confirm, of a Double topic; empty: the product's own words.
	Confirmation string
	TextVersion  int  // counts changes of Name and Description: which words somebody agreed to
	Archived     bool // no longer sent and no longer offered
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Sent reports whether the topic is sent on the channel.
func (t Topic) Sent(channel string) bool {
	if t.Archived {
		return false
	}
	for _, c := range t.Channels {
		if c == channel {
			return true
		}
	}
	return false
}

// Limits of a topic.
const (
	MaxTopics      = 200
	maxName        = 80
	maxDescription = 500
)

// Validate reports what is wrong with a topic.
func (t Topic) Validate() error {
	name := strings.TrimSpace(t.Name)
	switch {
	case name == "":
		return errs.Invalid("consent.topic.name_missing", "name", "give the topic a name that people will recognise, e.g. News")
	case utf8.RuneCountInString(name) > maxName:
		return errs.Invalid("consent.topic.name_too_long", "name", "use at most %d characters", maxName)
	case name == AllTopics || strings.EqualFold(name, "all"):
		return errs.Invalid("consent.topic.name_reserved", "name", "%q stands for all topics; choose another name", name)
	case utf8.RuneCountInString(t.Description) > maxDescription:
		return errs.Invalid("consent.topic.description_too_long", "description", "use at most %d characters", maxDescription)
	case len(t.Channels) == 0:
		return errs.Invalid("consent.topic.channels_missing", "channels", "name at least one channel, e.g. email")
	case t.OptIn != Explicit && t.OptIn != Implied && t.OptIn != Double:
		return errs.Invalid("consent.topic.opt_in_unknown", "opt_in", "use explicit, implied or double")
	}
	seen := map[string]bool{}
	for _, c := range t.Channels {
		if c == "" || c != strings.ToLower(c) || seen[c] {
			return errs.Invalid("consent.topic.channel_invalid", "channels", "%q is not a channel kind, or named twice", c)
		}
		seen[c] = true
	}
	return nil
}

// AllTopics stands for every topic, present and future, in a Change or State.
const AllTopics = "*"

// Status is what a person said about a topic.
type Status string

// The statuses.
const (
	Subscribed   Status = "subscribed"
	Unsubscribed Status = "unsubscribed"
	Pending      Status = "pending" // asked for; counts as nothing until confirmed
)

// What the history says of preferences beside topics.
const (
	Paused  Status = "paused"
	Resumed Status = "resumed"
	Weekly  Status = "weekly" // at most one message in seven days
	// Of the person as a whole, by staff: see Hold.
	HeldBack Status = "suppressed"
	Lifted   Status = "lifted"
	AllMail  Status = "all" // no limit of their own
)

// Change is one statement of a person, or about a person, to be recorded.
type Change struct {
	PersonID string
	Topic    string // topic id, or AllTopics
	Channel  string
	Status   Status
	Source   string    // where it was said: "preference_page", "one_click", "import", "api", "event:browser" ...
	Evidence string    // what proves it: the words agreed to, a page address, a file and line
	At       time.Time // when it was said; zero: now
	// Cause makes the change idempotent: with the same cause, topic and channel it is recorded once. Empty: every call counts.
	Cause string

	IP          string // where it came from, already shortened to its network
	TextVersion int    // of the topic's words; 0: the current ones
	MessageID   string // the message whose link or button it was said by; empty: another way
	Confirmed   bool   // proven to come from the owner of the address: a Double topic needs no confirmation mail
	Yields      bool   // a yes that may be older than it says: it takes no refusal back
}

// Record is one entry of the history; it is never changed.
type Record struct {
	Change
	ID       string
	Recorded time.Time // when it reached us
}

// State is the latest statement of a person about a topic on a channel.
type State struct {
	PersonID string
	Topic    string
	Channel  string
	Status   Status
	Source   string
	At       time.Time
}

// Settings are what a person wants beside topics.
type Settings struct {
	PausedUntil time.Time // nothing but answers to what they do themselves goes before
	Weekly      bool      // at most one message in seven days
}

// ConfirmWithin is how long somebody may answer a confirmation mail; afterwards they have to ask again.
const ConfirmWithin = 7 * 24 * time.Hour

// newer reports whether s takes the place of old.
func (s State) newer(old State) bool {
	return s.At.After(old.At) || s.At.Equal(old.At) && s.Status == Unsubscribed
}

// Reason says why an address is suppressed.
type Reason string

// The reasons.
const (
	HardBounce      Reason = "hard_bounce"      // the other side says that the address does not exist
	SoftBounces     Reason = "soft_bounces"     // came back again and again for reasons that should have passed
	Complaint       Reason = "complaint"        // the person reported a message as spam
	Manual          Reason = "manual"           // a colleague did it
	UnsubscribedAll Reason = "unsubscribed_all" // asked never to be written to again; answers to what they do themselves still go
	Imported        Reason = "import"           // brought along from another system
	ListUnsubscribe Reason = "list_unsubscribe" // asked through the mail provider's button never to be written to again
	Erased          Reason = "erased"           // the person's data were erased on their demand; the address must not come back
)

// Valid reports whether the reason is one of the above.
func (r Reason) Valid() bool {
	switch r {
	case HardBounce, SoftBounces, Complaint, Manual, UnsubscribedAll, Imported, ListUnsubscribe, Erased:
		return true
	}
	return false
}

// Blocks reports whether the reason also stops messages that answer something the person did (receipts,
// passwords). All do except a refusal of advertising.
func (r Reason) Blocks(transactional bool) bool {
	return !transactional || r != UnsubscribedAll && r != ListUnsubscribe
}

// Suppress asks that an address be written to no more.
type Suppress struct {
	Channel  string
	Address  string
	Reason   Reason
	Detail   string // e.g. the answer of the mail server
	PersonID string // whose address it is, if known: they get an event on their timeline
}

// Suppression is an entry of the suppression list.
type Suppression struct {
	Channel string
	Hash    string // keyed hash of the normalised address
	Hint    string // the address with most of it hidden, "j…@e….com"
	Reason  Reason
	Detail  string
	At      time.Time
	// PersonID is who held the address when it was last looked at; empty: nobody that was known. Who holds it now is told by hashing what they hold.
	PersonID string
}

// SuppressionFilter narrows a listing; empty fields match everything.
type SuppressionFilter struct {
	Channel string
	Reason  Reason
	Hash    string // of one address; see Service.Suppressions
}

// Channel is what a person allows on one channel.
type Channel struct {
	Suppressed bool   // the address is on the suppression list
	Reason     Reason // why, if Suppressed
	Settings
	Pending  map[string]time.Time // topics asked for and not confirmed: when
	Topics   map[string]bool      // every topic sent on this channel: may the person be written to?
	Declined map[string]bool      // topics that the person has said no to, as opposed to saying nothing
}

// allowed decides one topic from the person's statements about it and about all topics; nil means none was made.
func allowed(t Topic, own, all *State) (ok, declined bool) {
	if all != nil && all.Status == Unsubscribed && (own == nil || own.Status != Subscribed || !own.At.After(all.At)) {
		return false, true
	}
	if own != nil && (own.Status != Pending || t.OptIn != Implied) {
		return own.Status == Subscribed, own.Status == Unsubscribed
	}
	return t.OptIn == Implied, false
}
