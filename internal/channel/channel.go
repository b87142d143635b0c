// Package channel is the port to the outside world's ways of reaching a person: mail today, SMS, push
// and chat tomorrow. An adapter knows a protocol and nothing of people, consent or journeys: by the
// time a message reaches it, the outbox has decided that it may go and what it says.
//
// An adapter is described by a Spec; its configuration is a Go struct whose JSON Schema becomes the
// console's form. Accounts (a Spec plus a stored, encrypted configuration) are made by the operator.
package channel

import (
	"context"
	"crypto"
	"time"
)

// Spec describes a channel adapter.
type Spec struct {
	Kind  string // stable, lower case: "email"
	Title string // English; catalogues translate it by kind
	// Config returns a pointer to a zero configuration struct; its JSON Schema makes the account form. Fields tagged
	// `secret:"true"` are never shown again once stored.
	Config func() any
	// New makes a Sender for one account. config is what Config returned, filled and valid.
	New func(config any) (Sender, error)
}

// Sender delivers messages for one account. It is safe for concurrent use.
type Sender interface {
	// Check connects and authenticates without sending anything, for the console's test button.
	Check(ctx context.Context) error
	// Send hands one message over. Outcome tells what the other side said; it is never an error to be refused.
	// commit is called exactly once, just before the step after which delivery can no longer be ruled out (for
	// mail: the final dot). If commit returns an error, Send gives up without delivering.
	Send(ctx context.Context, m Message, commit func() error) Outcome
	// Close releases connections.
	Close() error
}

// Queuer is a Sender that can announce a message together with the end of the one before it, which saves the wait for an answer
// in between.
type Queuer interface {
	Sender
	// Line returns a way to hand messages over one after the other. It is used by one goroutine.
	Line() Line
}

// Line hands messages over one after the other.
type Line interface {
	// Send is Sender.Send. next is called at most once, before the end of the message goes out and perhaps beside commit; it returns the message that the following call will be made
	// with, or ok false if that is not known. Announcing is no delivery: the following call has a commit of its own.
	Send(ctx context.Context, m Message, next func() (Message, bool), commit func() error) Outcome
	// Close gives up what was announced.
	Close() error
}

// LineOf returns a line of the sender, or one that announces nothing.
func LineOf(s Sender) Line {
	if q, ok := s.(Queuer); ok {
		return q.Line()
	}
	return plain{s}
}

type plain struct{ Sender }

func (p plain) Send(ctx context.Context, m Message, _ func() (Message, bool), commit func() error) Outcome {
	return p.Sender.Send(ctx, m, commit)
}

func (plain) Close() error { return nil } // the sender belongs to somebody else

// Message is what goes out, fully rendered.
type Message struct {
	ID      string // message id of the outbox; the same on every attempt
	From    Address
	ReplyTo string
	// ReturnPath is where undeliverable mail goes; empty: what the account says, else From.
	ReturnPath string
	To         Address
	Subject    string
	HTML       string
	Text       string
	Headers    map[string]string // extra headers, e.g. List-Unsubscribe
	Date       time.Time
	Sign       []Signer // keys that vouch for the sender's domain, for channels that have such a thing
	// Attachments go with the message where the channel can carry files; others leave them out.
	Attachments []Attachment
}

// Signer is a key that vouches for a domain (for mail: DKIM).
type Signer struct {
	Domain   string
	Selector string // name under which the public half is published
	Key      crypto.Signer
}

// Attachment is a file. Name has no path, Type is a media type.
type Attachment struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Content []byte `json:"content"`
}

// Address is a mailbox, number or handle, with the name shown beside it.
type Address struct {
	Name string
	Addr string
}

// Result is the class of an answer.
type Result string

// The classes. Only Deferred is ever retried. Unknown means that the connection was lost after commit: the
// message may or may not have arrived.
const (
	Sent     Result = "sent"
	Deferred Result = "deferred"
	Rejected Result = "rejected"
	Unknown  Result = "unknown"
)

// Outcome is the answer to one Send.
type Outcome struct {
	Result    Result
	Code      string        // the protocol's own code, e.g. "550 5.1.1"
	Detail    string        // the other side's words
	Permanent bool          // Rejected because of the address itself: it should be suppressed
	Retry     time.Duration // Deferred: earliest useful retry, 0 if the other side gave none
}
