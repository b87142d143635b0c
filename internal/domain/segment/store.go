package segment

import (
	"context"
	"errors"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// ErrStale says that somebody else has changed the workspace's sets since they were read.
var ErrStale = errors.New("the sets of the workspace have changed meanwhile")

// Filter narrows a listing. The zero value lists everything.
type Filter struct {
	Status Status // segments only
	Text   string // part of the name, whatever the letter case
}

// Members is the change of one set's members that a transaction writes.
type Members struct {
	Set     string
	List    bool
	Size    uint64
	Version uint64
	Chunks  map[uint64][]uint16 // number>>16 -> lower 16 bits of all members in that chunk, ascending; empty removes the chunk
}

// Ref names a segment in its workspace.
type Ref struct {
	Workspace, Segment string
}

// DueDeadline is a Deadline with its workspace.
type DueDeadline struct {
	Workspace string
	Deadline
}

// Store keeps segments, lists, their members and deadlines. All methods join the transaction in ctx, if any.
type Store interface {
	// Revision returns how often the workspace's sets were changed, 0 at first.
	Revision(ctx context.Context, ws string) (uint64, error)
	// Revisions returns the revisions of all workspaces.
	Revisions(ctx context.Context) (map[string]uint64, error)
	// Advance makes the revision one more than from, or returns ErrStale if it is not from. Until the
	// transaction ends, others who advance the same workspace wait.
	Advance(ctx context.Context, ws string, from uint64) error

	// CreateSegment adds a segment. A conflict "segment.name.taken" is returned if an active one has the name and the new one is active.
	CreateSegment(ctx context.Context, ws string, s Segment) error
	// UpdateSegment replaces everything but Size, Version and CreatedAt. Errors: not found, name taken.
	UpdateSegment(ctx context.Context, ws string, s Segment) error
	// Segment returns one segment, or not found.
	Segment(ctx context.Context, ws, id string) (Segment, error)
	// Segments lists segments, newest first.
	Segments(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Segment], error)
	// AllSegments returns all segments in the order of their making.
	AllSegments(ctx context.Context, ws string) ([]Segment, error)
	// EvaluatingSegments names the segments whose State is Evaluating, in all workspaces, in the order of their making.
	EvaluatingSegments(ctx context.Context) ([]Ref, error)

	// CreateList adds a list. Error: conflict "list.name.taken".
	CreateList(ctx context.Context, ws string, l List) error
	// UpdateList replaces name, description and UpdatedAt. Errors: not found, name taken.
	UpdateList(ctx context.Context, ws string, l List) error
	// DeleteList removes the list with its members, or returns not found.
	DeleteList(ctx context.Context, ws, id string) error
	// List returns one list, or not found.
	List(ctx context.Context, ws, id string) (List, error)
	// Lists lists lists, newest first.
	Lists(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[List], error)
	// AllLists returns all lists in the order of their making.
	AllLists(ctx context.Context, ws string) ([]List, error)

	// SetUsers returns what beside rules of segments names the segment or list: campaigns, series, journeys, personas, journey maps and content, what
	// needs it before what does not, the latest first, at most two hundred.
	SetUsers(ctx context.Context, ws, set string) ([]User, error)

	// AllMembers returns the members of every set that has any, by set id.
	AllMembers(ctx context.Context, ws string) (map[string]*roaring64.Bitmap, error)
	// SaveMembers writes the changed chunks, size and version of each set.
	SaveMembers(ctx context.Context, ws string, changes []Members) error

	// Deadlines returns the deadlines of these people.
	Deadlines(ctx context.Context, ws string, people []uint64) ([]Deadline, error)
	// SaveDeadlines sets and removes deadlines; there is one for each pair of segment and person. Due of those
	// to be removed is ignored.
	SaveDeadlines(ctx context.Context, ws string, set, remove []Deadline) error
	// DropDeadlines removes all deadlines of a segment.
	DropDeadlines(ctx context.Context, ws, segment string) error
	// Due returns deadlines at or before now in all workspaces, earliest first, at most limit.
	Due(ctx context.Context, now time.Time, limit int) ([]DueDeadline, error)
	// NextDue returns the earliest deadline of all, zero if there is none.
	NextDue(ctx context.Context) (time.Time, error)

	// AddMerge keeps the note; one for the same loser is replaced.
	AddMerge(ctx context.Context, ws string, m Merge) error
	// Merges returns the notes in the order of their making.
	Merges(ctx context.Context, ws string) ([]Merge, error)
	// DropMerges removes the notes on these losers.
	DropMerges(ctx context.Context, ws string, losers []uint64) error
}
