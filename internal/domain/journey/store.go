package journey

import (
	"context"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store keeps journeys. Every method takes part in the transaction of its context.
type Store interface {
	// Create adds a journey; errs.Conflict if its Key is taken.
	Create(ctx context.Context, j Journey) error
	// Get returns a journey or errs.NotFound.
	Get(ctx context.Context, ws, id string) (Journey, error)
	// ByKey returns the journey with the name key or errs.NotFound.
	ByKey(ctx context.Context, ws, key string) (Journey, error)
	// List returns the journeys that are not archived, latest made first.
	List(ctx context.Context, ws string, p page.Request) (page.Of[Journey], error)
	// Update replaces the journey whose Rev is j.Rev and raises Rev by one; errs.Conflict if Rev has moved on.
	Update(ctx context.Context, j Journey) error
	// AddVersion adds a version; errs.Conflict if the number exists.
	AddVersion(ctx context.Context, v Version) error
	// Version returns a version or errs.NotFound.
	Version(ctx context.Context, ws, journey string, number int) (Version, error)
	// Versions returns all versions, latest first.
	Versions(ctx context.Context, ws, journey string) ([]Version, error)

	// Stamp changes whenever any journey of any workspace changes.
	Stamp(ctx context.Context) (int64, error)
	// Running returns, for all workspaces, the journeys that are live, paused or stopped.
	Running(ctx context.Context) ([]Journey, error)
	// Inhabited returns the versions of the journey that have people inside.
	Inhabited(ctx context.Context, ws, journey string) ([]int, error)

	// Enter adds instances and returns the ids of those added. An instance is left out if its entry key has been used in
	// its journey, or if its person is inside that journey already.
	Enter(ctx context.Context, instances []Instance) (map[string]bool, error)
	// Latest returns, of each of these people in each of these journeys, the instance inside (if any) and the one entered last.
	Latest(ctx context.Context, ws string, people, journeys []string) ([]Instance, error)
	// Seize takes the instances with these ids that are inside away from whoever leased them and returns them as they are now.
	Seize(ctx context.Context, ws string, ids []string) ([]Instance, error)
	// Due returns the journeys (live or stopped, of all workspaces) in which someone is due.
	Due(ctx context.Context, now time.Time) ([]Place, error)
	// Claim leases up to limit active instances of the journey that are due and not leased at now, longest due first.
	Claim(ctx context.Context, p Place, now, until time.Time, lease string, limit int) ([]Instance, error)
	// Hold returns those of the instances that the lease still holds, as they are now, and keeps others from taking
	// them until the transaction ends.
	Hold(ctx context.Context, lease string, ids []string) ([]Instance, error)
	// Save writes instances that were seized or held in this transaction, raises their Rev and ends their lease.
	Save(ctx context.Context, instances []Instance) error
	// Nudge makes those of the people due at now who rest at one of the nodes, and takes those of them who are in one of
	// the journeys away from whoever leased them: what the worker knows of them may be out of date. It returns how many
	// it touched.
	Nudge(ctx context.Context, ws string, people []string, at Asking, now time.Time) (int64, error)
	// Draining returns the journeys (of all workspaces) that take everybody out.
	Draining(ctx context.Context) ([]Journey, error)
	// SeizeInside is Seize for any up to limit instances inside the journey.
	SeizeInside(ctx context.Context, p Place, limit int) ([]Instance, error)
	// SeizeOf is Seize for all instances of the person that are inside any journey.
	SeizeOf(ctx context.Context, ws, person string) ([]Instance, error)
	// Repoint gives all instances and steps of one person to another.
	Repoint(ctx context.Context, ws, from, to string) error
	// AddSteps appends to the log of paths.
	AddSteps(ctx context.Context, steps []Step) error
	// AddCounts adds to the counts.
	AddCounts(ctx context.Context, counts []Count) error

	// Counts returns the counts of all versions of the journey, in no particular order.
	Counts(ctx context.Context, ws, journey string) ([]Count, error)
	// Parked returns how many are parked in the workspace.
	Parked(ctx context.Context, ws string) (int64, error)
	// Instance returns one instance or errs.NotFound.
	Instance(ctx context.Context, ws, id string) (Instance, error)
	// OfPerson returns a person's instances, last entered first.
	OfPerson(ctx context.Context, ws, person string, p page.Request) (page.Of[Instance], error)
	// ParkedIn returns parked instances of the journey, oldest first, at most limit.
	ParkedIn(ctx context.Context, ws, journey string, limit int) ([]Instance, error)
	// Steps returns the path of an instance in order.
	Steps(ctx context.Context, ws, instance string) ([]Step, error)
	// Behind returns the people behind a count, last entered first.
	Behind(ctx context.Context, ws, journey string, b Behind, p page.Request) (page.Of[Visit], error)
}

// Place is a journey in a workspace.
type Place struct{ Workspace, Journey string }

// Asking names nodes of journeys.
type Asking struct{ Journeys, Nodes []string }

func (a *Asking) add(journey string, nodes []string) {
	if !slices.Contains(a.Journeys, journey) {
		a.Journeys = append(a.Journeys, journey)
	}
	for _, n := range nodes {
		if !slices.Contains(a.Nodes, n) {
			a.Nodes = append(a.Nodes, n)
		}
	}
}

// Behind names a count whose people are asked for.
type Behind struct {
	Node   string // empty: the journey as a whole
	What   string // In, Out, Ended, Queued, Refused, Failing, Inside, Goals
	Detail string // after the colon: output, why, reason; empty means any
}

// Visit is one person behind a count.
type Visit struct {
	Instance string
	Person   string
	Version  int
	Status   InstanceStatus
	Node     string    // where the person is now, or was at the end
	Entered  time.Time // into the journey
	Arrived  time.Time // at the node asked about; for whole-journey counts at Node
	Left     time.Time // that node, zero while there
	Output   string    // by which the person left that node
	Reason   string
	Message  string // outbox message asked for there
	Error    string // if parked
}
