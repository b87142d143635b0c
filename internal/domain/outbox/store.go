package outbox

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store keeps messages. Every method takes part in the transaction of its context. Methods that serve the sender work on all
// workspaces at once.
type Store interface {
	// ByKeys returns the messages with these idempotency keys, by key.
	ByKeys(ctx context.Context, ws string, keys []string) (map[string]Message, error)
	// Insert adds messages (all of one workspace) and passes over those whose key is in use; it returns how many were added. Those that will not
	// go have an EndedAt.
	Insert(ctx context.Context, ws string, messages []Message) (int64, error)
	// NoteGoals remembers goal events in use.
	NoteGoals(ctx context.Context, ws string, events []string) error
	// Goals returns the goal events in use.
	Goals(ctx context.Context, ws string) ([]string, error)

	// Routes returns where messages are due, transactional ones first, stopped workspaces left out.
	Routes(ctx context.Context, now time.Time) ([]Route, error)
	// Claim gives up to limit due messages of the route to the claim, those due longest first, and returns what sending takes of them: no goal,
	// no times but NotBefore and DueAt. A claim is the id of its owner, a dot and something that the owner never used before.
	Claim(ctx context.Context, r Route, claim string, now time.Time, limit int) ([]Message, error)
	// Begin marks messages as in flight and returns those that were still held by their claim and not in flight.
	Begin(ctx context.Context, held []Held) (begun map[string]bool, err error)
	// Finish writes results of messages that are still held by their claim and returns the ids of those that were not.
	Finish(ctx context.Context, results []Result) (lost map[string]bool, err error)
	// Release queues again what is still held and not in flight.
	Release(ctx context.Context, held []Held) error

	// Hold says that the owner lives until then, and reports whether it was known before.
	Hold(ctx context.Context, owner string, until time.Time) (known bool, err error)
	// Expired returns owners other than self whose time is up; with all set, every other owner.
	Expired(ctx context.Context, self string, now time.Time, all bool) ([]string, error)
	// Inherit forgets an owner: what it had claimed is queued again, except that messages in flight get one more attempt
	// and one more lost answer, and those that had lost answers already (limit or more) become Failed with
	// ReasonAnswerLost. It returns the in-flight messages as they are afterwards.
	Inherit(ctx context.Context, owner string, now time.Time, limit int) ([]Message, error)

	// Policy returns the workspace's policy, the zero one if none was set.
	Policy(ctx context.Context, ws string) (Policy, error)
	// SetPolicy replaces it.
	SetPolicy(ctx context.Context, ws string, p Policy, at time.Time) error
	// Taken returns the slots of these people since a time, earliest first: of messages that have one and may have reached them, or still may. What
	// was sent while nothing limited it has none; it counts from when it was sent, unless it was transactional.
	Taken(ctx context.Context, ws string, personIDs []string, since time.Time) ([]Slot, error)
	// Rivals returns messages of these people, transactional ones left out, that are queued and due by a time, or claimed; the most
	// important first.
	Rivals(ctx context.Context, ws string, personIDs []string, due time.Time) ([]Message, error)
	// Displace refuses messages that are queued or claimed and not in flight, each with its evidence, and returns those that it refused.
	Displace(ctx context.Context, ws, reason string, evidence map[string]Evidence, at time.Time) (map[string]bool, error)
	// Take gives messages that are still held by their claim a slot at a time, in place of one they had.
	Take(ctx context.Context, ws string, held []Held, at time.Time) error

	// Windows returns what the account's throttles have counted from a minute on, and its warm-up from a day on, earliest first.
	Windows(ctx context.Context, ws, account string, minute, day time.Time) ([]Window, error)
	// Count adds to windows, and forgets minutes that are over.
	Count(ctx context.Context, ws, account string, add []Window, minute time.Time) error
	// WaitingBy counts the queued messages of a channel by the reason they wait for; an empty reason is their turn alone.
	WaitingBy(ctx context.Context, ws, channel string) (map[string]int64, error)

	// Recall queues again the claimed messages of these people (nil: of the whole workspace) that are not in flight, so
	// that they meet the gate again.
	Recall(ctx context.Context, ws string, personIDs []string) error
	// RecallSource does so for the claimed messages of a source. An empty Node means all nodes.
	RecallSource(ctx context.Context, ws string, s Source) error
	// Rouse makes queued messages that wait for one of the reasons due at the moment, or when they were meant to go if that is later: those of a source, or of
	// all sources if it is zero.
	Rouse(ctx context.Context, ws string, s Source, at time.Time, reasons ...string) error
	// Cancel cancels what the source has queued or claimed and is not in flight. An empty Node means all nodes.
	Cancel(ctx context.Context, ws string, s Source, at time.Time) (int64, error)
	// CancelWaiting cancels whatever the workspace has queued or claimed and is not in flight, and returns how many that were.
	CancelWaiting(ctx context.Context, ws string, at time.Time) (int64, error)
	// WaitingBySource counts what is queued or claimed by kind and id of its source, most first.
	WaitingBySource(ctx context.Context, ws string) ([]Waiting, error)
	// CancelOne cancels one message that is queued or claimed and not in flight, and reports whether it was.
	CancelOne(ctx context.Context, ws, id string, at time.Time) (bool, error)

	// PutBody keeps what belongs to a message alone, sealed.
	PutBody(ctx context.Context, ws, messageID string, sealed []byte) error
	// Body returns it, or not_found.
	Body(ctx context.Context, ws, messageID string) ([]byte, error)
	// PurgeBodies removes up to limit bodies of messages of all workspaces that ended before a time.
	PurgeBodies(ctx context.Context, before time.Time, limit int) (int64, error)
	// Waiting counts what the source has queued or claimed; its cost does not grow with what has been sent. An empty Node means
	// all nodes.
	Waiting(ctx context.Context, ws string, s Source) (int64, error)
	// SetStopped stops or resumes sending for the workspace.
	SetStopped(ctx context.Context, ws string, stopped bool, at time.Time) error
	// Stopped returns since when sending is stopped, zero if it is not.
	Stopped(ctx context.Context, ws string) (time.Time, error)

	// Unsent returns those of the ids that no message has which has ended.
	Unsent(ctx context.Context, ws string, ids []string) ([]string, error)
	// KeepSent makes messages Sent that are so on the log and wait in the records, or are not there: whichever waits with the id, else with the key, which gets
	// the id; else it is added, if it has a key and no message that has ended has it. SentAt and Subject are the message's.
	KeepSent(ctx context.Context, ws string, messages []Message) error
	// Mark folds receipts into messages: each time is the earliest one told. Unknown messages are passed over.
	Mark(ctx context.Context, ws string, receipts []Receipt) error
	// Candidates returns the messages of these people whose effect is followed: those sent at or after since, and those asked for since then, or for a
	// time since then, whatever became of them. Left out are transactional ones that were not sent, and those that were refused as soon as they were asked
	// for because of who the person is: the gate says that before it draws the control groups. They come in the order in which they were sent or meant to go.
	Candidates(ctx context.Context, ws string, personIDs []string, since time.Time) ([]Message, error)
	// AddConversions stores conversions whose key is new, marks their messages, and returns the keys added. Refunds that are known are taken off.
	AddConversions(ctx context.Context, ws string, conversions []Conversion) (added map[string]bool, err error)
	// AddOutcomes stores outcomes whose message and key together are new. Refunds that are known are taken off.
	AddOutcomes(ctx context.Context, ws string, outcomes []Conversion) error
	// AddRefunds stores refunds whose event is new and takes them off the conversions and outcomes of their key; see Refunded.
	AddRefunds(ctx context.Context, ws string, refunds []Refund) error

	// Find returns the message with this id, whichever workspace it belongs to, or not_found. It is for references that this installation
	// has signed.
	Find(ctx context.Context, id string) (Message, error)
	// Messages returns the messages with these ids, by id; unknown ones are left out.
	Messages(ctx context.Context, ws string, ids []string) (map[string]Message, error)
	// Message returns one message or not_found.
	Message(ctx context.Context, ws, id string) (Message, error)
	// CountsByNode returns the figures of a source by node. An empty Node asks for all nodes; Version is not looked at.
	CountsByNode(ctx context.Context, ws string, s Source) (map[string]Counts, error)
	// BySource lists the messages behind a figure, latest first. An empty Node means all nodes.
	BySource(ctx context.Context, ws string, s Source, m Metric, p page.Request) (page.Of[Message], error)
	// ByPerson lists what was sent, or not sent, to a person, latest first.
	ByPerson(ctx context.Context, ws, personID string, f PersonFilter, p page.Request) (page.Of[Message], error)
	// Conversions returns the conversions credited to a message, oldest first.
	Conversions(ctx context.Context, ws, messageID string) ([]Conversion, error)
	// Repoint gives the loser's messages, conversions and outcomes to the winner.
	Repoint(ctx context.Context, ws, loser, winner string) error
}

// PersonFilter narrows a person's messages; the zero value takes all.
type PersonFilter struct {
	Kind     string   // of the source
	IDs      []string // of sources; nil: any
	Template string
}

// Route is a queue of its own: one workspace's messages on one channel in one lane.
type Route struct {
	Workspace     string
	Channel       string
	Transactional bool
}

// Held names a message and the claim that should still hold it. Every claim is new, so a message that was taken back and
// claimed again, by the same process even, is not mistaken for the one from before.
type Held struct {
	MessageID string
	Claim     string
}

// Result is what became of one attempt.
type Result struct {
	Held
	State   State // Sent, Bounced, Failed, Refused, or Queued for another attempt
	At      time.Time
	Due     time.Time // Queued: when to try again
	Reason  string
	Data    Evidence
	Detail  string
	Code    string
	Address string
	Subject string
	Lost    bool // the answer was lost: counts as uncertain
	Waits   bool // Queued by the gate: nothing was tried, so it is no attempt
}

// ReceiptKind is what a receipt tells.
type ReceiptKind string

// The kinds.
const (
	ReceiptDelivered    ReceiptKind = "delivered"
	ReceiptBounced      ReceiptKind = "bounced"
	ReceiptHardBounced  ReceiptKind = "hard_bounced" // a bounce for good
	ReceiptOpened       ReceiptKind = "opened"
	ReceiptMachineOpen  ReceiptKind = "machine_opened"
	ReceiptClicked      ReceiptKind = "clicked"
	ReceiptUnsubscribed ReceiptKind = "unsubscribed"
	ReceiptMachineClick ReceiptKind = "machine_clicked"
	ReceiptComplained   ReceiptKind = "complained"
	ReceiptReplied      ReceiptKind = "replied"
)

// Waiting is how much of one source waits; of the source only its kind and id are filled in.
type Waiting struct {
	Source
	Count int64
}

// Receipt is news of a message that was sent.
type Receipt struct {
	MessageID string
	Kind      ReceiptKind
	At        time.Time
	Detail    string // of a bounce
	Code      string
	Class     channel.Class // of a bounce
	Feedback  string        // of a complaint
}

// Conversion credits a goal event to a message.
type Conversion struct {
	Key       string // the order id, else the event's message id: one credit per key
	EventID   string // message id of the goal event
	Event     string // its name
	MessageID string
	PersonID  string
	Source    Source
	At        time.Time
	Minor     int64  // revenue in minor units
	Refunded  int64  // of it, given back
	Currency  string // empty without revenue
}
