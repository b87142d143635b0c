package event

import (
	"encoding/json"
	"time"
)

// Type is the kind of call that an event came in with. The six Segment calls come from outside; the
// others are written by the product itself.
type Type string

// The types.
const (
	Track    Type = "track"
	Page     Type = "page"
	Screen   Type = "screen"
	Identify Type = "identify"
	Group    Type = "group"
	Alias    Type = "alias"

	Message  Type = "message"  // what became of a message to a person: sent, opened, clicked ...
	Segment  Type = "segment"  // a person entered or left a segment
	Journey  Type = "journey"  // a person entered, passed or left a journey
	Consent  Type = "consent"  // a person subscribed, unsubscribed, was suppressed
	Task     Type = "task"     // somebody of staff was asked to do something for a person, did it
	Invoice  Type = "invoice"  // an invoice was made, paid, has become overdue
	Standing Type = "standing" // a person came to another stage of the relation
	Identity Type = "identity" // a member of staff decided who is one person and who is not
)

// External reports whether the type may come from outside.
func (t Type) External() bool {
	switch t {
	case Track, Page, Screen, Identify, Group, Alias:
		return true
	}
	return false
}

// Behaviour reports whether the type counts as something the person did (the "events" of statistics).
func (t Type) Behaviour() bool { return t == Track || t == Page || t == Screen }

// Names of the events that the product writes. Properties carry message_id (outbox), channel, topic, source_kind,
// source_id, node and what the name calls for (url, reason, ...).
const (
	MessageQueued       = "Message Queued"
	MessageRefused      = "Message Refused" // property reason
	MessageSent         = "Message Sent"
	MessageDelivered    = "Message Delivered"
	MessageBounced      = "Message Bounced"  // properties class (channel.Class), permanent, code, detail
	MessageReplied      = "Message Replied"  // properties from, subject, text, machine (nobody wrote it), attachments
	MessageReceived     = "Message Received" // a mail that answers none of ours; the same properties and account
	MessageFailed       = "Message Failed"
	MessageOpened       = "Message Opened"
	MessageClicked      = "Message Clicked" // property url
	MessageConverted    = "Message Converted"
	MessageUnsubscribed = "Message Unsubscribed"
	MessageComplained   = "Message Complained" // the recipient called it spam; property feedback

	SegmentEntered = "Segment Entered" // properties segment_id, cause, version
	SegmentLeft    = "Segment Left"

	JourneyEntered = "Journey Entered" // properties journey_id, version, instance_id
	JourneyGoal    = "Journey Goal Reached"
	JourneyExited  = "Journey Exited"
	JourneyRefused = "Journey Refused" // properties journey_id, why, hops; only of people whom journeys would lead on without end

	PersonSplit    = "Person Split"      // properties identifiers, note
	PeopleApart    = "People Kept Apart" // properties other, note
	ApartTakenBack = "Decision Taken Back"

	IdentifierUnbound = "Identifier Unbound" // properties identifiers, note; carries the identifiers that are nobody's from its time on

	TaskCreated   = "Task Created" // properties task_id, title, assignee, role, journey_id, node
	TaskCompleted = "Task Completed"
	TaskCancelled = "Task Cancelled"

	TopicSubscribed    = "Topic Subscribed" // properties topic, channel, source
	TopicUnsubscribed  = "Topic Unsubscribed"
	TopicPending       = "Topic Pending"       // asked for, waits for the answer to the confirmation mail
	PreferencesChanged = "Preferences Changed" // properties change ("paused", "resumed", "weekly", "all"), until, source
	Suppressed         = "Suppressed"
	SuppressionLifted  = "Suppression Lifted"
)

// Names of the track events with which clients say what a person wants to receive: properties topic (name or id), channel, evidence.
const (
	Subscribed   = "Subscribed"
	Unsubscribed = "Unsubscribed"
)

// Names of the commerce events that orders, value and revenue are computed from (Segment's e-commerce spec).
const (
	OrderCompleted = "Order Completed" // properties order_id, total, currency, products
	OrderRefunded  = "Order Refunded"  // properties order_id, total; without a total all of it
	OrderCancelled = "Order Cancelled" // properties order_id, total: the whole order, whatever amount it names
)

// Origin says how far the sender of an event is trusted.
type Origin string

// The origins. A browser key is public: it may only write, and never joins two identified people.
const (
	Browser  Origin = "browser"
	Server   Origin = "server"
	Internal Origin = "internal" // written by the product
)

// Event is one thing that happened, as it is written to the log. It never changes.
type Event struct {
	Workspace   string          `json:"w"`
	MessageID   string          `json:"m"`
	Type        Type            `json:"t"`
	Name        string          `json:"n,omitempty"` // track: event; page, screen: name; internal: one of the names above
	UserID      string          `json:"u,omitempty"`
	AnonymousID string          `json:"a,omitempty"`
	PreviousID  string          `json:"p,omitempty"` // alias
	GroupID     string          `json:"g,omitempty"`
	PersonID    string          `json:"pid,omitempty"` // internal events name the person directly
	Time        time.Time       `json:"ts"`            // corrected and clamped; when it happened
	Original    time.Time       `json:"ot,omitzero"`   // as the client said
	Sent        time.Time       `json:"st,omitzero"`   // client's clock when sending
	Received    time.Time       `json:"rt"`            // our clock when it arrived
	Source      string          `json:"s,omitempty"`   // id of the source whose write key was used
	Origin      Origin          `json:"o"`
	Properties  json.RawMessage `json:"pr,omitempty"` // object; for identify and group the traits
	Context     json.RawMessage `json:"cx,omitempty"` // object
	Flags       []string        `json:"fl,omitempty"` // e.g. "clock_future"
	Trace       string          `json:"tr,omitempty"` // traceparent of what caused it, see kit/trace; on the log alone, empty if it is not traced
	Hops        int             `json:"h,omitempty"`  // how many journeys led to it one after the other, each at once; on the log alone, see After
}

// Tells reports whether the event says no more than what became of a message, a task or an invoice, or how somebody stands to a segment, to a journey or with the brand (a
// trait says that, too, by an event of its own): of the person it changes nothing, neither traits nor consent nor reachability. Bounces, complaints and
// unsubscriptions may come with such a change.
func (e *Event) Tells() bool {
	switch e.Type {
	case Segment, Journey, Task, Invoice, Standing:
		return true
	case Message:
	default:
		return false
	}
	switch e.Name {
	case MessageQueued, MessageRefused, MessageSent, MessageDelivered, MessageFailed, MessageOpened, MessageClicked, MessageConverted, MessageReplied:
		return true
	}
	return false
}

// Position is the place of an event in the log: the record and the index inside it.
type Position struct {
	Seq   uint64
	Index int
}

// Before reports whether p comes before q.
func (p Position) Before(q Position) bool {
	return p.Seq < q.Seq || p.Seq == q.Seq && p.Index < q.Index
}

// Kept is an event with the person it belongs to, as the event store keeps it.
type Kept struct {
	Event
	Person      uint64       // the person's number in the workspace, after merges
	Identifiers []Identifier // normalised identifiers the event carried, in priority order, blocked ones left out
	Position    Position
}

// Less is the order of a person's history: by time, then arrival. Browsers send several events with the
// same millisecond, so the tie-break matters.
func Less(a, b Kept) bool {
	if !a.Time.Equal(b.Time) {
		return a.Time.Before(b.Time)
	}
	return a.Position.Before(b.Position)
}
