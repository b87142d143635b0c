package journey

import (
	"context"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Filter chooses journeys.
type Filter struct {
	Text   string // that the name has; empty: any; the case of ASCII letters does not matter
	Status Status // empty: any but archived
}

// Store keeps journeys. Every method takes part in the transaction of its context.
type Store interface {
	Errands

	// Create adds a journey; errs.Conflict if its Key is taken.
	Create(ctx context.Context, j Journey) error
	// Get returns a journey or errs.NotFound.
	Get(ctx context.Context, ws, id string) (Journey, error)
	// ByKey returns the journey with the name key or errs.NotFound.
	ByKey(ctx context.Context, ws, key string) (Journey, error)
	// List returns the journeys that match, latest made first.
	List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Journey], error)
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
	// Inhabited returns the versions of the journey that have people inside, Control included.
	Inhabited(ctx context.Context, ws, journey string) ([]int, error)

	// Enter adds instances and returns the ids of those added. An instance is left out if its entry key has been used in
	// its journey, or if its person is inside that journey already with the same Key.
	Enter(ctx context.Context, instances []Instance) (map[string]bool, error)
	// Latest returns, of each of these people in each of these journeys, and for each Key, the instance inside (if any) and the one entered
	// last.
	Latest(ctx context.Context, ws string, people, journeys []string) ([]Instance, error)
	// Seize takes the instances with these ids that are inside away from whoever leased them and returns them as they are now.
	Seize(ctx context.Context, ws string, ids []string) ([]Instance, error)
	// Due returns the journeys (live or stopped, of all workspaces) in which someone is due.
	Due(ctx context.Context, now time.Time) ([]Place, error)
	// NextDue returns when the first person of all live and stopped journeys whom nobody leases at now is due; zero if there is none.
	NextDue(ctx context.Context, now time.Time) (time.Time, error)
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
	// SeizeVersions is Seize for up to limit instances inside these versions of the journey that are not Control, with ids after one, in their order.
	SeizeVersions(ctx context.Context, p Place, versions []int, after string, limit int) ([]Instance, error)
	// SeizeOf is Seize for all instances of the person that are inside any journey.
	SeizeOf(ctx context.Context, ws, person string) ([]Instance, error)
	// Repoint gives all instances, steps and refusals of one person to another.
	Repoint(ctx context.Context, ws, from, to string) error
	// AddSteps appends to the log of paths.
	AddSteps(ctx context.Context, steps []Step) error
	// AddCounts adds to the counts.
	AddCounts(ctx context.Context, counts []Count) error

	// EntryPlaces returns the live journeys (of all workspaces) in which an entry is due.
	EntryPlaces(ctx context.Context, now time.Time) ([]Place, error)
	// DueEntries returns entries of a journey that are due, longest due first.
	DueEntries(ctx context.Context, p Place, now time.Time, limit int) ([]Entry, error)
	// Entries returns those of the journey's entries that have one of the slots, by slot.
	Entries(ctx context.Context, ws, journey string, slots []string) ([]Entry, error)
	// TakeEntries removes those entries and returns what they were, longest due first.
	TakeEntries(ctx context.Context, ws, journey string, slots []string) ([]Entry, error)
	// TakeEntriesOf does so for all entries of a person.
	TakeEntriesOf(ctx context.Context, ws, person string) ([]Entry, error)
	// PutEntries adds entries, each in the place of the one with its slot if there is one. One by inactivity never replaces a later one.
	PutEntries(ctx context.Context, entries []Entry) error
	// QueueEntries adds entries whose slot is free and whose key was never refused or used.
	QueueEntries(ctx context.Context, entries []Entry) error
	// DropEntries removes entries.
	DropEntries(ctx context.Context, ws, journey string, slots []string) error
	// DropAppointments removes all entries of these kinds that are due after the time.
	DropAppointments(ctx context.Context, ws, journey string, kinds []string, after time.Time) error
	// Queue lists the entries of a journey, soonest due first.
	Queue(ctx context.Context, ws, journey string, p page.Request) (page.Of[Entry], error)
	// AddRefusals notes who was not let into one journey and returns those that are new; a key that is noted already stays as it is.
	AddRefusals(ctx context.Context, refused []Refusal) ([]Refusal, error)
	// Refusals lists them, latest first; those with the reason, or all if it is empty.
	Refusals(ctx context.Context, ws, journey, reason string, p page.Request) (page.Of[Refusal], error)
	// RoundOf returns the instance that an entry key made, or errs.NotFound.
	RoundOf(ctx context.Context, ws, journey, key string) (Instance, error)
	// RefusalOf returns the refusal of an entry key, or errs.NotFound.
	RefusalOf(ctx context.Context, ws, journey, key string) (Refusal, error)

	// AddTask adds a task; one with its id stays as it is.
	AddTask(ctx context.Context, t Task) error
	// DueTasks returns the running tasks that are due, longest due first, at most limit.
	DueTasks(ctx context.Context, now time.Time, limit int) ([]Task, error)
	// SaveTask replaces the task if it still is at rev and raises Rev by one; errs.Conflict if it has moved on.
	SaveTask(ctx context.Context, t Task) error
	// CancelTasks ends the running tasks of these kinds.
	CancelTasks(ctx context.Context, ws, journey string, kinds []string, now time.Time) error
	// Task returns one task or errs.NotFound.
	Task(ctx context.Context, ws, id string) (Task, error)
	// Tasks lists the tasks of a journey, latest made first.
	Tasks(ctx context.Context, ws, journey string, p page.Request) (page.Of[Task], error)

	// Counts returns the counts of all versions of the journey, in no particular order.
	Counts(ctx context.Context, ws, journey string) ([]Count, error)
	// Parked returns how many are parked in the workspace.
	Parked(ctx context.Context, ws string) (int64, error)
	// Trouble counts what keeps people from going on, in one journey or in all of the workspace if it is empty; before is the time at which those who
	// are still due are overdue, and refusals count that are later than since.
	Trouble(ctx context.Context, ws, journey string, before, since time.Time) (Trouble, error)
	// Stuck lists those parked, tried again, or overdue, by the time at which they are due, those parked first.
	Stuck(ctx context.Context, ws, journey string, before time.Time, p page.Request) (page.Of[Instance], error)
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

// Errands keeps what journeys do outside of the transaction. It is part of Store.
type Errands interface {
	// AddErrands adds errands. One whose key is there already is left as it is, unless it failed or expired: then it
	// begins anew.
	AddErrands(ctx context.Context, all []Errand) error
	// ErrandsDue returns the journeys (of all workspaces) that have errands waiting that are due and not leased.
	ErrandsDue(ctx context.Context, now time.Time) ([]Place, error)
	// ClaimErrands leases up to limit waiting errands of the journey that are due and not leased at now, longest due first.
	ClaimErrands(ctx context.Context, p Place, now, until time.Time, lease string, limit int) ([]Errand, error)
	// SaveErrand writes status, tries, due time, answer and end if e.Lease still holds the errand, and ends the lease;
	// false if it does not.
	SaveErrand(ctx context.Context, e Errand) (bool, error)
	// ErrandsByKey returns the errands with these keys, in no particular order.
	ErrandsByKey(ctx context.Context, ws string, keys []string) ([]Errand, error)
	// ErrandsOf returns the errands of an instance, first made first.
	ErrandsOf(ctx context.Context, ws, instance string, limit int) ([]Errand, error)
	// PurgeErrands deletes up to limit errands, of all workspaces, that ended before the moment.
	PurgeErrands(ctx context.Context, before time.Time, limit int) (int64, error)

	// Refunded returns the goals of the journey's rounds whose order money was given back for, with those refunds, in no particular order.
	Refunded(ctx context.Context, ws, journey string) ([]RefundedGoal, error)
	// Entered returns who entered the versions, and the goals they reached in them, sorted by person and then by whether they were kept out.
	Entered(ctx context.Context, ws, journey string, versions []int) (Entered, error)
	// EnteredPeople lists who Entered counts as led or as kept, each once with their last round, by id; with reached those alone who reached a goal.
	EnteredPeople(ctx context.Context, ws, journey string, versions []int, kept, reached bool, p page.Request) (page.Of[Compared], error)

	// Passed returns, by output, how many rounds have left the node before the moment, and how many of them reached the goal.
	Passed(ctx context.Context, ws, journey, node string, before time.Time) ([]Passed, error)
	// Decide keeps a decision and returns it, or the one that the test has already.
	Decide(ctx context.Context, d Decision) (Decision, error)
	// Decisions returns the decided tests of the journey by name.
	Decisions(ctx context.Context, ws, journey string) ([]Decision, error)

	// PutSecret adds a secret or replaces the one with its id.
	PutSecret(ctx context.Context, x Secret) error
	// Secret returns a secret or errs.NotFound.
	Secret(ctx context.Context, ws, id string) (Secret, error)
	// Secrets returns the secrets, latest made first.
	Secrets(ctx context.Context, ws string, p page.Request) (page.Of[Secret], error)
	// DeleteSecret removes a secret; none is no error.
	DeleteSecret(ctx context.Context, ws, id string) error
}

// RefundedGoal is a goal whose order money was given back for.
type RefundedGoal struct {
	Instance string
	Control  bool // of somebody kept out to compare
	Late     bool // reached after the journey had ended for the person
	Goal     node.Reached
	Refunds  []outbox.Refund
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
	Reason   node.Reason
	Message  string      // outbox message asked for there
	Error    node.Reason // if parked
}
