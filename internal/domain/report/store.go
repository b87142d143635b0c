package report

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Scope chooses messages. Empty fields choose all.
type Scope struct {
	From, To time.Time // when the message was meant to go (outbox.Message.NotBefore), To left out; a message never changes its day. Zero: any time
	Channel  string
	Topic    string
	Kind     string // of the source: campaign, journey, api, system
	Source   string // id of a campaign or journey
	Node     string
	Template string
	Sources  []string // ids of campaigns or journeys; nil chooses all
	Versions []string // "<template>:<version>"; nil chooses all
	Domain   string   // of the address, lower case
}

// Credits chooses what was credited to messages.
type Credits struct {
	Scope    Scope     // of the messages
	From, To time.Time // when it was earned, To left out. Zero: any time
	Refunded bool      // only what was given back
	Money    bool      // only what brought money
}

// Frequent is a person of several messages.
type Frequent struct {
	PersonID string
	Messages int64
	Latest   time.Time // when the latest of them was meant to go
}

// Dimension says by what messages are grouped.
type Dimension string

// The dimensions, and what the key of a group is.
const (
	Whole      Dimension = "whole"    // one group, ""
	ByChannel  Dimension = "channel"  // kind
	ByTopic    Dimension = "topic"    // id; "" without one
	BySource   Dimension = "source"   // id
	ByNode     Dimension = "node"     // "<source id>:<node id>"
	ByTemplate Dimension = "template" // id
	ByVersion  Dimension = "version"  // "<template id>:<version>"
	ByDomain   Dimension = "domain"   // of the address, lower case; "" of addresses without @
	ByQuarter  Dimension = "quarter"  // quarters of an hour since 1970, in decimal: days of every zone are made of them
)

// Store answers from what the outbox has written, and keeps what people write about reports. Every method takes part in the transaction of its context.
type Store interface {
	// Groups counts the messages of the scope by the dimension. Revenue is what their conversions brought, refunds taken off. Groups
	// without messages are left out; their order is not defined.
	Groups(ctx context.Context, ws string, s Scope, by Dimension) (map[string]outbox.Counts, error)
	// Behind lists the messages behind a figure of the scope, latest made first. The metric must be valid.
	Behind(ctx context.Context, ws string, s Scope, m outbox.Metric, p page.Request) (page.Of[outbox.Message], error)

	// Arms counts the people for whom messages of the scope were meant and those held back from them as control groups, by arm; see Arm. Transactional
	// messages, from which nobody is held back, are left out, and so are arms without people.
	Arms(ctx context.Context, ws string, s Scope) (map[Arm]ArmCounts, error)

	// ArmPeople lists who Arms counts in an arm, by id; who narrows it, but for its Control.
	ArmPeople(ctx context.Context, ws string, s Scope, a Arm, who EffectPeople, p page.Request) (page.Of[Frequent], error)

	// Reach counts the different people of the scope's messages.
	Reach(ctx context.Context, ws string, s Scope) (Reach, error)
	// Credited sums what was credited from a time to another (left out), by source, names left empty; in no order.
	Credited(ctx context.Context, ws string, from, to time.Time) ([]SourceRevenue, error)

	// Credits lists what Credited and the revenue of Groups add up, latest first.
	Credits(ctx context.Context, ws string, c Credits, p page.Request) (page.Of[outbox.Conversion], error)
	// Often lists the people of the scope with at least so many messages that count for a metric, and at most so many (0: no limit), by id. The metric must be valid.
	Often(ctx context.Context, ws string, s Scope, m outbox.Metric, least, most int64, p page.Request) (page.Of[Frequent], error)

	// Pressure says how many people were sent how many of the scope's messages: people by number of messages. People who were sent none
	// are left out.
	Pressure(ctx context.Context, ws string, s Scope) (map[int64]int64, error)

	// AddNote adds a note as the next revision of its subject; errs.Conflict if there is that revision already.
	AddNote(ctx context.Context, ws string, n Note) error
	// Notes lists the revisions of a subject's note, latest first.
	Notes(ctx context.Context, ws, subject string, p page.Request) (page.Of[Note], error)

	// CreateSaved adds a saved report.
	CreateSaved(ctx context.Context, ws string, r Saved) error
	// Saved returns a saved report or errs.NotFound.
	Saved(ctx context.Context, ws, id string) (Saved, error)
	// ListSaved lists saved reports, latest made first.
	ListSaved(ctx context.Context, ws string, p page.Request) (page.Of[Saved], error)
	// UpdateSaved replaces name and parameters of the report whose Rev is r.Rev and raises it; errs.Conflict if Rev has moved on,
	// errs.NotFound if there is none.
	UpdateSaved(ctx context.Context, ws string, r Saved) error
	// DeleteSaved removes a saved report; errs.NotFound if there is none.
	DeleteSaved(ctx context.Context, ws, id string) error
}
