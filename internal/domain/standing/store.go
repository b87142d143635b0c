package standing

import (
	"context"
	"time"
)

// State is what a workspace judges by and how far the daily round has come.
type State struct {
	Scheme     Scheme
	Chosen     bool // somebody has chosen the scheme; otherwise it is the default
	Thresholds Thresholds
	Round      Round
	Rev        int64 // counts changes of the scheme
}

// Round judges everybody, some at a time: first each by their history, then thresholds from all of them, then the scores.
type Round struct {
	Due    time.Time `json:"due,omitzero"`    // when the next one begins
	Phase  Phase     `json:"phase,omitempty"` // empty: none is under way
	After  string    `json:"after,omitempty"` // cursor of the phase
	Done   int       `json:"done,omitempty"`  // people judged in it
	Began  time.Time `json:"began,omitzero"`
	Ended  time.Time `json:"ended,omitzero"` // the one before
	Failed string    `json:"failed,omitempty"`
	Mended int       `json:"mended,omitempty"` // people in this one, or in the one that ended last, who were astray
	Fewer  bool      `json:"fewer,omitempty"`  // it is due because events were removed: who has other orders than before is not astray for that
}

// Phase is a part of a round.
type Phase string

// The phases.
const (
	Judging Phase = "judging"
	Scoring Phase = "scoring"
)

// Ref names somebody who is to be judged.
type Ref struct{ Workspace, Person string }

// Count is how many people have something in common.
type Count struct {
	Key string
	N   int64
}

// Counts is how a workspace's people stand.
type Counts struct {
	Stages, Labels, Parts, Services []Count
	Grid                            map[[2]int]int64 // by R and F
}

// Store keeps judgements. Every method takes part in the transaction of its context.
type Store interface {
	// State returns the workspace's state; the default scheme if none was chosen.
	State(ctx context.Context, ws string) (State, error)
	// PutScheme replaces the scheme if its revision is rev (errs.Conflict "standing.changed" otherwise), and makes a round due.
	PutScheme(ctx context.Context, ws string, s Scheme, rev int64, due time.Time) error
	// PutRound notes how far the round is, and the thresholds.
	PutRound(ctx context.Context, ws string, r Round, t Thresholds) error
	// Rows returns the rows of these people, by id; people who were never judged are left out.
	Rows(ctx context.Context, ws string, people []string) (map[string]Row, error)
	// After returns rows in the order of people's ids, from behind one on.
	After(ctx context.Context, ws, person string, limit int) ([]Row, error)
	// Put adds or replaces rows.
	Put(ctx context.Context, rows []Row) error
	// Remove forgets somebody, and Soon makes somebody due, whether judged before or not.
	Remove(ctx context.Context, ws, person string) error
	Soon(ctx context.Context, ws, person string, at time.Time) error
	// Due returns people whose time has come, longest due first.
	Due(ctx context.Context, now time.Time, limit int) ([]Ref, error)
	// Counts counts rows; those without the thing are left out of it.
	Counts(ctx context.Context, ws string) (Counts, error)
}
