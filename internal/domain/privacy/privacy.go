package privacy

import (
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Mode says what happens once a person is forgotten.
type Mode string

// The modes.
const (
	Forget Mode = "forget" // who comes back is somebody new
	Refuse Mode = "refuse" // what carries one of their identifiers is not taken any more
)

// State is how far a request is.
type State string

// The states.
const (
	Waiting State = "waiting"
	Running State = "running" // Error says why it does not go on, if it does not; it is tried again
	Done    State = "done"
)

// Step is what was done last. The order is that of the constants.
type Step int

// The steps.
const (
	Asked     Step = iota
	Found          // it is known what belongs to the person; their identifiers are refused
	Settled        // everything that was under way has arrived
	Left           // journeys, segments and waiting messages have let go
	Stripped       // records, events and keys are gone
	Swept          // also those that came meanwhile; it is not known any more who it was
	Rewritten      // the bytes are gone from the files
	steps
)

// Steps is how many steps a request has.
const Steps = int(steps)

// Actor is who asked.
type Actor struct {
	Kind, ID, Name string
}

// Request is a request to erase a person.
type Request struct {
	Workspace  string
	ID         string // "ers_..."
	Key        string // the same again is the same request; empty without
	Person     string // empty once Swept
	Mode       Mode
	By         Actor
	State      State
	Step       Step
	Counts     []Count
	Proofs     []Proof // keyed hashes of the identifiers
	Caveats    []Caveat
	Error      string // why the last attempt failed; empty if it did not
	CreatedAt  time.Time
	UpdatedAt  time.Time
	FinishedAt time.Time // zero until Done

	plan []byte // sealed; empty once Swept
}

// Sealed returns what a store keeps for the worker alone.
func (r Request) Sealed() []byte { return r.plan }

// WithSealed returns the request with what a store has kept for the worker.
func (r Request) WithSealed(plan []byte) Request {
	r.plan = plan
	return r
}

// Count is how much of one kind a store held and what became of it.
type Count struct {
	Store string `json:"store"` // records, events, log
	What  string `json:"what"`  // table or kind
	How   string `json:"how"`   // deleted, stripped, destroyed
	N     int64  `json:"n"`
}

// Proof is a keyed hash of an identifier: it tells those who have the identifier that it was erased, and nobody else anything.
type Proof struct {
	Kind string `json:"kind"`
	Hash string `json:"hash"`
}

// Caveat is a code for something that erasure does not reach.
type Caveat string

// The caveats.
const (
	PostgresLog     Caveat = "postgres_log"     // old pages stay in the server's write-ahead log and archives until it lets go of them
	MigrationCopies Caveat = "migration_copies" // copies of the database made before an update; they are deleted 30 days after they were made
	Backups         Caveat = "backups"          // copies that somebody else has made
	HandedOver      Caveat = "handed_over"      // what webhooks and mails have carried away
)

// Refusal is an identifier that intake does not take.
type Refusal struct {
	Hash      string
	Kind      string
	Request   string // erasure that it came from; empty if it was asked for by itself
	Hold      bool   // only while the erasure runs
	CreatedAt time.Time
}

// Subject is whom an erasure is about, in the words of the records.
type Subject struct {
	IDs         []string // of the person and of those who were merged into them
	Nums        []uint64
	Identifiers []event.Identifier
}

// Traces is what leads from a person to what was said about them.
type Traces struct {
	Subject
	// Others are identifiers that the person's events carried and that belong to somebody else.
	Others []event.Identifier
	Orders []string // ids of their orders
	Keys   []string // subjects that their events are sealed under on the log
	Events int64    // how many they have in the event store
	Files  []string // that hold them
	Ghost  string   // stands for the person where a row must name somebody
	Before time.Time
}
