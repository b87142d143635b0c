package job

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Filter narrows a list of jobs; empty fields do not, but for Kinds.
type Filter struct {
	Kinds  []string // only these; none: no job at all
	Actor  string
	State  State
	Active bool // queued or running
}

// Store keeps jobs. Every method takes part in the transaction of its context.
type Store interface {
	// Insert adds a job and returns it; if the workspace has one with its key, that one and false.
	Insert(ctx context.Context, j Job) (Job, bool, error)
	// Again puts a job that has failed or was cancelled back into the queue: with Params, Title, Actor, ActorName, Mark, Progress and UpdatedAt of
	// j and as if it had never been begun otherwise. False: it is neither, and nothing is written.
	Again(ctx context.Context, j Job) (bool, error)
	// Get returns a job or errs.NotFound.
	Get(ctx context.Context, ws, id string) (Job, error)
	// List returns jobs, latest made first.
	List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Job], error)
	// Waiting counts a workspace's jobs that are not over.
	Waiting(ctx context.Context, ws string) (int, error)
	// Claim gives the lease to one job of the kinds that is not over, whose time has come and that no living lease holds: of the workspace
	// with the fewest jobs in hand, the oldest. It is Running then, with StartedAt set if it was not and Attempts one higher. False: there is none.
	Claim(ctx context.Context, kinds []string, lease string, now, until time.Time) (Job, bool, error)
	// Save writes Progress, Mark, Files and UpdatedAt of a job and sets Attempts to 0, if j.Lease still holds it and nobody has asked for its end; else
	// it returns false and writes nothing.
	Save(ctx context.Context, j Job) (bool, error)
	// Renew prolongs a lease. It returns false if the lease does not hold the job any more, and who has asked for its end.
	Renew(ctx context.Context, ws, id, lease string, until time.Time) (held bool, cancelled string, err error)
	// End writes State, Progress, Files, Code, Error, Attempts, NotBefore, UpdatedAt and EndedAt and gives the lease back, if j.Lease holds the job; else it does nothing.
	End(ctx context.Context, j Job) error
	// Cancel notes who asked for the end of a job, once. A job that no living lease holds at now is Cancelled at once. It returns the job as it is then, or
	// errs.NotFound; one that is over stays as it is.
	Cancel(ctx context.Context, ws, id, by string, now time.Time) (Job, error)
	// Release ends all leases: for a store that only this process uses, when it starts.
	Release(ctx context.Context) error
	// Purge removes at most limit jobs that ended before the time and returns how many.
	Purge(ctx context.Context, before time.Time, limit int) (int64, error)
}
