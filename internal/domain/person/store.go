package person

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Store keeps people, their identifiers, the identity log and the bookkeeping that makes Apply exactly once. Times are microseconds
// UTC, 0 if there is none. Every write takes part in the transaction of ctx; the Service opens one around each unit of work.
type Store interface {
	// Lock makes every other holder of the workspace's lock wait until the transaction of ctx ends.
	Lock(ctx context.Context, ws string) error
	// NextNums reserves n numbers and returns the first; numbers of a workspace start at 1 and have no gaps except those left
	// by transactions that reserved more than they used.
	NextNums(ctx context.Context, ws string, n int) (uint64, error)

	// Position returns the last log record that was applied, 0 at first.
	Position(ctx context.Context) (uint64, error)
	// SetPosition moves the position forward; a smaller value leaves it.
	SetPosition(ctx context.Context, seq uint64) error

	// Seen returns the entries of those message ids that were applied before.
	Seen(ctx context.Context, ws string, messageIDs []string) (map[string]Seen, error)
	// SaveSeen adds entries; their message ids must be new.
	SaveSeen(ctx context.Context, ws string, rows []Seen) error
	// MoveSeen gives applied events to other people.
	MoveSeen(ctx context.Context, moves []event.Move) error
	// PurgeSeen removes at most limit entries of days before day (in all workspaces) and returns how many.
	PurgeSeen(ctx context.Context, day int64, limit int) (int64, error)

	// Links returns the stored ones among the identifiers, in no order.
	Links(ctx context.Context, ws string, ids []event.Identifier) ([]Link, error)
	// LinksOf returns the identifiers whose current owner is one of the people, in no order.
	LinksOf(ctx context.Context, ws string, people []uint64) ([]Link, error)
	// SaveLinks inserts or replaces identifiers.
	SaveLinks(ctx context.Context, ws string, rows []Link) error
	// TouchLinks updates LastSeen, LastMessage and Users of stored identifiers, nothing else.
	TouchLinks(ctx context.Context, ws string, rows []Link) error
	// DropLinks removes identifiers.
	DropLinks(ctx context.Context, ws string, ids []event.Identifier) error

	// People returns the stored ones among the numbers, merged ones as they are, in no order.
	People(ctx context.Context, ws string, nums []uint64) ([]Record, error)
	// Names is People with nothing but Num, ID and Redirect.
	Names(ctx context.Context, ws string, nums []uint64) ([]Record, error)
	// PeopleByID is People by public id.
	PeopleByID(ctx context.Context, ws string, ids []string) ([]Record, error)
	// Losers returns those who were merged into one of the people.
	Losers(ctx context.Context, ws string, people []uint64) ([]Record, error)
	// AddPeople inserts people; numbers and ids must be new.
	AddPeople(ctx context.Context, ws string, rows []Record) error
	// SavePeople replaces everything but ID, Created and the redirect of stored people.
	SavePeople(ctx context.Context, ws string, rows []Record) error
	// SaveSought inserts or replaces what people are found by.
	SaveSought(ctx context.Context, ws string, rows []Sought) error
	// Redirect merges: the loser, those merged into it earlier, and its identifiers lead to the winner, and the loser is found by nothing
	// any more. seq is the log record that caused it, 0 if none.
	Redirect(ctx context.Context, ws string, merges []Merge) error
	// RedirectsBetween returns the merges caused by log records from first through last, with today's winner.
	RedirectsBetween(ctx context.Context, first, last uint64) ([]event.Redirect, error)

	// AddDecisions appends to the identity log. A decision with Daily set is counted into the day's row of the same
	// person, action, reason and kind.
	AddDecisions(ctx context.Context, ws string, rows []Entry) error
	// Decisions returns the log of the people, newest first, at most limit, after the cursor's row (zero: from the start).
	Decisions(ctx context.Context, ws string, people []uint64, before EntryKey, limit int) ([]Entry, error)

	// HasApart reports whether the workspace has any decision to keep apart.
	HasApart(ctx context.Context, ws string) (bool, error)
	// AddApart adds a decision.
	AddApart(ctx context.Context, ws string, a Apart) error
	// ApartOf returns the decisions that one of the identifiers is part of, oldest first.
	ApartOf(ctx context.Context, ws string, ids []event.Identifier) ([]Apart, error)
	// DropApart removes a decision and returns it; not_found if there is none.
	DropApart(ctx context.Context, ws, id string) (Apart, error)

	// Hashing reports whether the workspace ever got an address as a hash.
	Hashing(ctx context.Context, ws string) (bool, error)
	// BeginHashing makes Hashing true and asks for a HashBuild from the start; again, it changes nothing.
	BeginHashing(ctx context.Context, ws string) error
	// Spellings returns the known ones among the hashes, in no order.
	Spellings(ctx context.Context, ws string, hashes []event.Identifier) ([]Spelling, error)
	// AddSpellings adds spellings; those known already stay.
	AddSpellings(ctx context.Context, ws string, rows []Spelling) error
	// HashBuilds returns builds that are not done, at most limit.
	HashBuilds(ctx context.Context, limit int) ([]HashBuild, error)
	// SetHashBuild notes how far a build has got.
	SetHashBuild(ctx context.Context, b HashBuild, done bool) error
	// LinksAfter returns identifiers by kind and value (in the order of bytes), after the given one, at most limit.
	LinksAfter(ctx context.Context, ws string, after event.Identifier, limit int) ([]Link, error)

	// SuggestionsOf returns suggestions, of any status, that one of the people is part of, in no order.
	SuggestionsOf(ctx context.Context, ws string, people []uint64) ([]SuggestionRow, error)
	// SaveSuggestions inserts or replaces suggestions.
	SaveSuggestions(ctx context.Context, ws string, rows []SuggestionRow) error
	// AddSuggestionSources notes from where suggestions have their evidence; what is noted already is no error.
	AddSuggestionSources(ctx context.Context, ws string, rows []SuggestionSource) error
	// DropSuggestions removes suggestions, by id; what is noted of their sources is noted of the suggestion whose id is beside theirs.
	DropSuggestions(ctx context.Context, ws string, heirs map[string]string) error
	// Suggestion returns one; not_found if there is none.
	Suggestion(ctx context.Context, ws, id string) (SuggestionRow, error)
	// Suggestions returns those of a status by score, highest first, then by id, newest first, after the given row (zero: from the start); source narrows
	// to those with evidence from it, empty: all.
	Suggestions(ctx context.Context, ws string, status SuggestionStatus, source string, after SuggestionRow, limit int) ([]SuggestionRow, error)
	// CountSuggestions returns how many with evidence from a source are not Joined.
	CountSuggestions(ctx context.Context, ws, source string) (int64, error)
	// SaveLikenesses replaces what is noted of the people.
	SaveLikenesses(ctx context.Context, ws string, people []uint64, rows []Likeness) error
	// Alike returns everything that is noted under the keys, of people who were not merged away.
	Alike(ctx context.Context, ws string, keys []string) ([]Likeness, error)
	// Look returns how far the search for duplicates has got; the zero value if there never was one.
	Look(ctx context.Context, ws string) (Look, error)
	// SetLook notes how far it has got.
	SetLook(ctx context.Context, ws string, l Look) error

	// Scheme returns the kinds that a workspace has chosen, the zero value if it has not; SchemeVersion only their version.
	Scheme(ctx context.Context, ws string) (SchemeRow, error)
	SchemeVersion(ctx context.Context, ws string) (int64, error)
	// SaveScheme inserts or replaces them.
	SaveScheme(ctx context.Context, ws string, row SchemeRow) error

	// AddTask leaves work for RunTasks.
	AddTask(ctx context.Context, t Task) error
	// Tasks returns waiting work, oldest first.
	Tasks(ctx context.Context, limit int) ([]Task, error)
	// DropTasks removes work.
	DropTasks(ctx context.Context, ws string, ids []string) error
	// AddEffect keeps the outcome of a task until it is acknowledged.
	AddEffect(ctx context.Context, e Effect) error
	// Effects returns outcomes not yet acknowledged, oldest first.
	Effects(ctx context.Context, limit int) ([]Effect, error)
	// DropEffects removes outcomes.
	DropEffects(ctx context.Context, ids []string) error

	// Find returns people that were not merged away and fit the query, in its order, those behind a place in it (zero: from the start).
	// Text and Status go by what SaveSought has stored.
	Find(ctx context.Context, ws string, q Query, after Place, limit int) ([]Record, error)
	// Count returns how many people Find would return.
	Count(ctx context.Context, ws string, q Query) (int64, error)
}

// Record is a person as stored. Traits and Facts are JSON that only this package reads.
type Record struct {
	Num       uint64
	ID        string
	UserID    string // first user id; empty if never identified
	Redirect  uint64 // who this person was merged into, 0 if none; never a chain
	FirstSeen int64
	LastSeen  int64
	Created   int64
	Updated   int64
	Touch     int64  // latest event that depended on this person, with its message id: later than LastSeen if
	TouchMsg  string // a link to this person was refused
	Merges    int
	Links     int  // identifiers owned now
	Best      int  // best rank among the identifiers
	Contested bool // shares an identifier with a person of another user id, directly or through others
	Traits    string
	Facts     string
}

// Sought is what a person is found by in lists.
type Sought struct {
	Num         uint64
	Identified  bool
	Text        string  // name and addresses, lower case, a line each
	Identifiers *string // the values of the identifiers owned now, lower case, a line each; nil: what is stored, or none
}

// Link is an identifier as stored.
type Link struct {
	event.Identifier
	Person      uint64 // current owner, 0 if none
	FirstSeen   int64
	LastSeen    int64
	LastMessage string
	Shared      int64 // since when it links nothing, with the message id; 0: it links
	SharedMsg   string
	Contested   bool
	Source      string
	Spans       string // JSON: who owned it when; empty if the current owner always did
	Users       string // JSON: user ids seen with it lately
}

// Merge says that Loser is Winner from now on.
type Merge struct {
	Loser, Winner uint64
	Seq           uint64
}

// Seen says that a message was applied, where it stood in the log and whom it went to.
type Seen struct {
	MessageID string
	Seq       uint64
	Index     int
	Person    uint64
	Day       int64 // day since 1970 when it was applied
}

// Entry is a row of the identity log. Body is JSON.
type Entry struct {
	EntryKey
	Person uint64
	Daily  bool // At is the start of the day and ID names what is counted
	Count  int
	Body   string
}

// EntryKey orders the log.
type EntryKey struct {
	At int64
	ID string
}

// Task is a component of identifiers to be worked out again.
type Task struct {
	Workspace string
	ID        string
	Seeds     string // JSON: identifiers
	Created   int64
}

// Effect is the outcome of a task for the event store.
type Effect struct {
	ID        string
	Workspace string
	Body      string // JSON
}

// Query narrows a list of people. Its zero value is everybody.
type Query struct {
	Text     string   // lower case: part of the text or of an identifier in Sought
	Status   Status   // empty: any
	Strong   []string // the kinds of identifiers that make somebody Known; needed with Status
	SeenFrom int64    // microseconds; last seen then or later
	SeenTo   int64    // microseconds; last seen before; 0: no bound
	Nums     []uint64 // only these, unless nil
	Order    Order
}

// Order is what a list of people goes by.
type Order string

// The orders. People seen at the same moment go by their numbers, in the same direction.
const (
	Newest Order = ""       // the record that was made last comes first
	Recent Order = "recent" // who was seen last comes first
	Silent Order = "silent" // who was seen longest ago comes first
)

// Place is where somebody stands in a list; Seen counts only if it goes by that.
type Place struct {
	Num  uint64
	Seen int64 // LastSeen of the record
}
