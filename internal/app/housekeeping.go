package app

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
)

// How long things are kept that only serve to recognise or explain what came in.
const (
	rejectionDays  = 7
	keepRejections = 10_000 // of each workspace
	copyDays       = 30     // a copy of the records that was made before an update
	chunk          = 5000   // rows forgotten at once, so that nobody waits long for the store
)

// seenDays is how long message ids are kept: at least the seven days that are promised, and longer than the log. A record read
// again whose message ids are forgotten would count twice.
func seenDays(logRetention time.Duration) int {
	const day = 24 * time.Hour
	return max(person.SeenDays, int((logRetention+day-1)/day)+1)
}

// chore does at most limit rows of something that is nobody's task in particular, most often forgetting old ones, and says how many there were.
type chore struct {
	name string
	do   func(ctx context.Context, limit int) (int64, error)
}

// newHousekeeping returns a service that does the chores again and again.
func newHousekeeping(log *slog.Logger, every time.Duration, chores ...chore) lifecycle.Service {
	round := func(ctx context.Context) {
		for _, c := range chores {
			for ctx.Err() == nil {
				n, err := c.do(ctx, chunk)
				if err != nil && ctx.Err() == nil {
					log.Error("housekeeping failed, trying again later", "chore", c.name, "after", every, "err", err)
				}
				if err != nil || n < chunk {
					break
				}
			}
		}
	}
	return &lifecycle.Loop{Run: func(ctx context.Context) {
		round(ctx)
		lifecycle.Every(ctx, every, round)
	}}
}

// newMemoryKeeper returns a service that gives unused memory back to the system every minute: what an import needed for a
// while should not make a quiet process look large.
func newMemoryKeeper() lifecycle.Service {
	return &lifecycle.Loop{Run: func(ctx context.Context) {
		lifecycle.Every(ctx, time.Minute, func(context.Context) {
			debug.FreeOSMemory()
			duck.ReleaseMemory()
		})
	}}
}
