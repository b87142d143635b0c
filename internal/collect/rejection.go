package collect

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// Rejections keeps what intake refused, for people to see.
type Rejections interface {
	Reject(ctx context.Context, rs []event.Rejection) error
}

// Bounds of the recorder. Beyond them rejections are counted and not recorded: the answer still lists them.
const (
	maxPending     = 5000 // rejections waiting to be recorded
	recordRate     = 50   // a second and workspace, in the long run
	recordBurst    = 2 * MaxBatchEvents
	recordPatience = 10 * time.Second
	maxRecorded    = 200 // characters of text from outside
)

// recorder hands rejections to the store, behind the back of the request.
type recorder struct {
	lifecycle.Loop
	store   Rejections
	log     *slog.Logger
	wake    chan struct{}
	dropped atomic.Int64

	mu       sync.Mutex
	pending  []event.Rejection
	limiters map[string]*rate.Limiter
}

func newRecorder(store Rejections, log *slog.Logger) *recorder {
	r := &recorder{store: store, log: log, wake: make(chan struct{}, 1), limiters: map[string]*rate.Limiter{}}
	r.Run = r.run
	return r
}

// add takes rejections of one workspace; it never waits.
func (r *recorder) add(rs []event.Rejection) {
	if r.store == nil || len(rs) == 0 {
		return
	}
	r.mu.Lock()
	l := r.limiters[rs[0].Workspace]
	if l == nil {
		l = rate.NewLimiter(recordRate, recordBurst)
		r.limiters[rs[0].Workspace] = l
	}
	taken := 0
	for taken < len(rs) && len(r.pending) < maxPending && l.AllowN(rs[0].Time, 1) {
		rs[taken].Name, rs[taken].MessageID = clip(rs[taken].Name), clip(rs[taken].MessageID)
		r.pending = append(r.pending, rs[taken])
		taken++
	}
	r.mu.Unlock()
	r.dropped.Add(int64(len(rs) - taken))
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func clip(s string) string {
	if utf8.RuneCountInString(s) <= maxRecorded {
		return s
	}
	return string([]rune(s)[:maxRecorded])
}

func (r *recorder) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			r.flush(context.WithoutCancel(ctx)) // what was answered as recorded should be
			return
		case <-r.wake:
			r.flush(ctx)
		}
	}
}

func (r *recorder) flush(ctx context.Context) {
	r.mu.Lock()
	pending := r.pending
	r.pending = nil
	r.mu.Unlock()
	if len(pending) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, recordPatience)
	defer cancel()
	if err := r.store.Reject(ctx, pending); err != nil {
		r.dropped.Add(int64(len(pending)))
		r.log.Error("rejected events not recorded", "count", len(pending), "err", err)
	}
}
