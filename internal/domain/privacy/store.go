package privacy

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store keeps requests, refusals and rules. Every method takes part in the transaction of its context.
type Store interface {
	// Create adds a request and returns it; if the workspace has one with its key (unless that is empty), or an unfinished one about the person, that one
	// and false.
	Create(ctx context.Context, r Request) (Request, bool, error)
	// Update replaces everything but workspace, id, key and the time of making; errs.NotFound if there is no such request.
	Update(ctx context.Context, r Request) error
	// Get returns a request or errs.NotFound.
	Get(ctx context.Context, ws, id string) (Request, error)
	// ByKey returns the request with the key or errs.NotFound.
	ByKey(ctx context.Context, ws, key string) (Request, error)
	// List returns requests, latest made first; those that hold a proof if proof is not empty.
	List(ctx context.Context, ws, proof string, p page.Request) (page.Of[Request], error)
	// Unfinished returns the requests of all workspaces that are not done, oldest first.
	Unfinished(ctx context.Context) ([]Request, error)

	// PutRefusals adds refusals; one that is there stays, and is held no longer only for an erasure if the new one is not.
	PutRefusals(ctx context.Context, ws string, rs []Refusal) error
	// DropRefusals removes those with these hashes and returns how many there were. With held, only those that are held for an erasure.
	DropRefusals(ctx context.Context, ws string, hashes []string, held bool) (int, error)
	// Refusals returns refusals, latest first.
	Refusals(ctx context.Context, ws string, p page.Request) (page.Of[Refusal], error)
	// AllRefusals returns the hashes by workspace.
	AllRefusals(ctx context.Context) (map[string][]string, error)
	// Rules returns the workspace's rules; the zero value if there are none.
	Rules(ctx context.Context, ws string) (Rules, error)
	// PutRules replaces them.
	PutRules(ctx context.Context, ws string, r Rules) error
	// AllRules returns the rules of all workspaces that have some, by workspace.
	AllRules(ctx context.Context) (map[string]Rules, error)
	// Version returns a number that changes whenever refusals or rules do.
	Version(ctx context.Context) (int64, error)
}

// Records lets go of people in the record store.
type Records interface {
	// Subject returns the person with this id or the one they became, together with everybody who was merged into them; no ids if there is nobody.
	Subject(ctx context.Context, ws, person string) (Subject, error)
	// Several returns the people with these ids together with everybody who was merged into them, without identifiers.
	Several(ctx context.Context, ws string, people []string) (Subject, error)
	// Busy counts messages to the people that are being handed over right now.
	Busy(ctx context.Context, ws string, people []string) (int64, error)
	// Erase deletes or strips every row that says something about the person, and returns what it did. Doing it again finds what is new.
	Erase(ctx context.Context, ws string, t Traces) ([]Count, error)
	// Remove deletes or strips the rows of people in one go, without looking for them in texts.
	Remove(ctx context.Context, ws string, t Traces) error
	// Scrub writes the store's files anew, so that no bytes of deleted rows are left in them, and says what it cannot reach.
	Scrub(ctx context.Context) ([]Caveat, error)
}

// Events lets go of people in the event store.
type Events interface {
	// Traces returns what the person's events lead to. Keys of events that are older than t.Before are left out where they could not be told
	// otherwise: the log does not hold them any more.
	Traces(ctx context.Context, ws string, t Traces) (Traces, error)
	// Strip takes person, identifiers and content off the events of these people and deletes the people. It returns how many events that were.
	Strip(ctx context.Context, ws string, people []uint64) (int64, error)
	// Drop deletes people with all their events.
	Drop(ctx context.Context, ws string, people []uint64) error
	// Scrub writes the store's file anew.
	Scrub(ctx context.Context) error
}

// Log destroys the keys of subjects on the log and returns how many there were.
type Log interface {
	Destroy(ctx context.Context, subjects []string) (int, error)
}

// Files lets go of files that hold somebody. Their owners live on: what they offered is gone, as it is for everybody after some days.
type Files interface {
	// Holding names the files of a workspace in which one of the values stands, in whatever letter case.
	Holding(ctx context.Context, ws string, values []string) ([]string, error)
	// Drop removes files that Holding has named; one that is gone already is no error.
	Drop(ctx context.Context, ws string, names []string) error
}

// Leaver is a noun that must let go of a person by its own rules before rows are deleted. Leaving again changes nothing.
type Leaver interface {
	Leave(ctx context.Context, ws string, s Subject, mode Mode) error
}
