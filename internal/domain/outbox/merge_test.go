package outbox_test

import (
	"context"
	"sync"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// merge makes the loser's id lead to the winner, and moves the loser's messages, as a merge does.
func (f *fixture) merge(loser, winner int) {
	f.t.Helper()
	f.people.mu.Lock()
	f.people.also[pid(loser)] = pid(winner)
	delete(f.people.all, pid(loser))
	f.people.mu.Unlock()
	if err := f.PeopleMerged(context.Background(), ws, person.Ref{Workspace: ws, ID: pid(loser)}, person.Ref{Workspace: ws, ID: pid(winner)}); err != nil {
		f.t.Error(err)
	}
}

func TestAMessageUnderAMergedIdShowsThePersonOfToday(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	f.livesIn(2, "Asia/Tokyo")
	f.policy(outbox.Policy{Quiet: []outbox.Quiet{{From: 18 * 60, To: 19 * 60}}}) // it is 18:00 in Tokyo
	f.people.mu.Lock()
	f.people.also[pid(1)] = pid(2) // the message keeps the old id: the merge has not reached it yet
	f.people.mu.Unlock()
	d := f.enqueue(f.request(1))
	if m := f.message(d[0].MessageID); m.Reason != outbox.ReasonQuietHours {
		t.Fatalf("the zone of today's person: %+v", m)
	}
	if _, err := f.db.Exec(t.Context(), `UPDATE message SET person_id = $1 WHERE id = $2`, pid(1), d[0].MessageID); err != nil {
		t.Fatal(err)
	}
	f.clock.Set(f.message(d[0].MessageID).DueAt)
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(d[0].MessageID, outbox.Sent)
	if got := f.wire.got(); len(got) != 1 || got[0].To.Addr != "p2@example.test" || got[0].Subject != "Hello Pat 2" {
		t.Errorf("sent: %+v", got)
	}
}

// merging is a directory in which somebody is merged right after they were looked up.
type merging struct {
	outbox.People
	mu   sync.Mutex
	then func(ctx context.Context)
}

func (m *merging) ByIDs(ctx context.Context, ws string, ids []string) (map[string]person.Person, error) {
	out, err := m.People.ByIDs(ctx, ws, ids)
	m.mu.Lock()
	then := m.then
	m.then = nil
	m.mu.Unlock()
	if then != nil {
		then(ctx)
	}
	return out, err
}

// marking lets the test see in a context whether it is inside a transaction.
type marking struct{ tx.Runner }

type inTx struct{}

func (m marking) InTx(ctx context.Context, fn func(context.Context) error) error {
	return m.Runner.InTx(ctx, func(ctx context.Context) error { return fn(context.WithValue(ctx, inTx{}, true)) })
}

// TestAMergeBetweenLookingUpAndCountingExceedsNoCap merges a person who has had enough into another just when the gate has looked them up.
// What the gate reads is one transaction, so the merge comes before all of it or after.
func TestAMergeBetweenLookingUpAndCountingExceedsNoCap(t *testing.T) {
	hook := &merging{}
	f := setup(t, sqlite(t), func(c *outbox.Config) {
		hook.People = c.People
		c.People, c.Tx = hook, marking{c.Tx}
	})
	f.subscribed(1, 2)
	f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 1, Days: 7}}})
	d := f.enqueue(f.request(1, keyed("a")), f.request(1, keyed("b"))) // neither has gone, so both are let through for now
	var merged sync.WaitGroup
	first := f.dispatch(outbox.DispatchConfig{Batch: 1})
	f.until("one went", func() bool { return len(f.wire.got()) == 1 })
	f.until("the other was refused", func() bool {
		return f.message(d[0].MessageID).State == outbox.Refused || f.message(d[1].MessageID).State == outbox.Refused
	})
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A third one is asked for while no sender runs, late enough to be let through, and then judged again.
	c := f.enqueue(f.request(1, keyed("c"), func(r *outbox.Request) { r.NotBefore = start.AddDate(0, 0, 1) }))
	f.clock.Set(start.AddDate(0, 0, 1))
	hook.mu.Lock()
	hook.then = func(ctx context.Context) {
		started := make(chan struct{})
		merged.Go(func() {
			close(started)
			f.merge(1, 2)
		})
		<-started
		if ctx.Value(inTx{}) == nil {
			merged.Wait() // nothing holds the merge up: it comes between
		}
	}
	hook.mu.Unlock()
	f.dispatch(outbox.DispatchConfig{Batch: 1})
	m := f.untilState(c[0].MessageID, outbox.Refused)
	merged.Wait()
	if m.Reason != outbox.ReasonCapped {
		t.Errorf("the third: %+v", m)
	}
	if got := f.wire.got(); len(got) != 1 {
		t.Errorf("%d arrived, the cap is 1", len(got))
	}
}
