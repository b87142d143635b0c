package hook

import (
	"time"
)

// Status says whether an endpoint is told anything.
type Status string

// The statuses.
const (
	On       Status = "on"
	Off      Status = "off"      // by staff; nothing is kept for it
	Disabled Status = "disabled" // by the product, see Reason; what it misses is kept, parked
)

// Why an endpoint was disabled.
const (
	ReasonFailing = "failing" // no request has succeeded for failingLimit
	ReasonGone    = "gone"    // it answered 410 Gone
)

// Endpoint is an address that is told of events.
type Endpoint struct {
	ID    string
	Name  string
	URL   string
	Kinds []string // keys of Kind
	// Secret is sealed. The one before is used beside it until OldUntil, so that a receiver can change over in peace.
	Secret, OldSecret []byte
	OldUntil          time.Time
	Status            Status
	Health
	CreatedAt, UpdatedAt time.Time
}

// Health is how requests to an endpoint have fared.
type Health struct {
	Reason       string    // why it is disabled
	FailingSince time.Time // the first failure after the last success; zero: the last request succeeded, or there was none
	Failures     int       // failed batches in a row
	RestUntil    time.Time // no requests before
	LastError    string    // code of the last failure, kept until a success
	SucceededAt  time.Time // the last success
}

// State is where a delivery stands.
type State string

// The states.
const (
	Waiting   State = "waiting" // for its first or its next attempt
	Delivered State = "delivered"
	Parked    State = "parked" // given up; Replay makes it wait again
)

// Delivery is one event for one endpoint.
type Delivery struct {
	ID        string
	Endpoint  string
	Kind      string
	Event     string // message id of the event, made fit for a key
	Body      string // what is sent, JSON
	Trace     string // traceparent of the event, see kit/trace; empty if it is not traced
	State     State
	Attempts  int       // since it began to wait
	QueuedAt  time.Time // when it began to wait: first, or by replay
	DueAt     time.Time // of the next attempt; while an attempt runs, when it counts as lost
	CreatedAt time.Time
	Outcome             // of the last attempt
	EndedAt   time.Time // of the last attempt; zero: none yet
}

// Outcome is what came of one attempt.
type Outcome struct {
	Status int           // of HTTP; 0: no answer
	Answer string        // the beginning of the answer's body
	Error  string        // code, empty for a success
	Detail string        // the error in words
	Took   time.Duration // until the answer
}

// Answer is what an endpoint says to a request.
type Answer struct {
	Status     int
	Body       []byte
	URL        string // that answered, after redirects
	RetryAfter string // the header of this name
}
