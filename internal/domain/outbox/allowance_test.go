package outbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/quota"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestBeyondTheDaysLimitMessagesWaitForTheNextDayWhoeverSends(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var q *quota.Service
		f := setup(t, db, func(c *outbox.Config) {
			q = quota.New(quota.Config{Store: sqlstore.NewQuota(db), Tx: db, Clock: c.Clock, Default: quota.Limits{quota.MessagesPerDay: 70}})
			c.Allowance = q
		})
		if _, err := db.Exec(t.Context(), `DELETE FROM quota_use`); err != nil {
			t.Fatal(err)
		}
		f.subscribed(1, 100)
		f.enqueueRange(1, 100)
		for range 3 {
			f.dispatch(outbox.DispatchConfig{Batch: 20})
		}
		f.until("70 are sent and 30 wait for tomorrow", func() bool { return f.counts().Sent == 70 && claimedOrFlying(t, f) == 0 })
		next := (quota.DayOf(start) + 1).Start()
		waiting, err := sqldb.One(t.Context(), db, sqldb.Value[int], `SELECT count(*) FROM message WHERE state = 'queued' AND reason = $2 AND due_at = $1`, next, outbox.ReasonDailyLimit)
		if err != nil || waiting != 30 {
			t.Errorf("%d wait for %s, %v", waiting, next, err)
		}
		f.clock.Advance(next.Sub(start))
		f.until("the others are sent", func() bool { return f.counts().Sent == 100 })
		if err := q.Exchange(t.Context()); err != nil {
			t.Fatal(err)
		}
		if days, err := q.Days(t.Context(), ws, 2); err != nil || days[0].Messages != 70 || days[1].Messages != 30 {
			t.Errorf("counted %+v, %v", days, err)
		}
	})
}

// noted is an allowance without a limit that remembers what it was told. Only what is limited is counted by Take, which would count the same twice here.
type noted struct{ sum chan int64 }

func (noted) Left(context.Context, string) (int64, time.Time, int64, error) {
	return 0, time.Time{}, 0, nil
}

func (n noted) Take(_ context.Context, ws string, k int64) error {
	n.Note(ws, k)
	return nil
}
func (n noted) Note(_ string, k int64) { n.sum <- (<-n.sum) + k }

func TestMessagesWithoutALimitAreCountedOnceThoughTriedTwice(t *testing.T) {
	n := noted{make(chan int64, 1)}
	n.sum <- 0
	f := setup(t, sqlite(t), func(c *outbox.Config) { c.Allowance = n })
	f.subscribed(1, 5)
	f.wire.answer = func(m channel.Message, attempt int, commit func() error) channel.Outcome {
		if attempt == 1 || commit() != nil {
			return channel.Outcome{Result: channel.Deferred, Detail: "busy"}
		}
		f.wire.deliver(m)
		return channel.Outcome{Result: channel.Sent}
	}
	ds := f.enqueueRange(1, 5)
	f.dispatch(outbox.DispatchConfig{})
	f.until("all were tried", func() bool {
		for _, d := range ds {
			if m := f.message(d.MessageID); m.Attempts != 1 || m.State != outbox.Queued {
				return false
			}
		}
		return true
	})
	f.clock.Advance(10 * time.Minute)
	f.until("all sent", func() bool { return f.counts().Sent == 5 })
	if got := <-n.sum; got != 5 {
		t.Errorf("counted %d messages", got)
	}
}
