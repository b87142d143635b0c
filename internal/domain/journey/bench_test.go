package journey_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// benchGraph has a step that asks the rules, one that sends and two waits.
const benchGraph = `{"trigger": {"event": {"name": "Go"}}, "re_entry": {"mode": "always"}, "nodes": [
	{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}, "next": {"next": "b"}},
	{"id": "b", "kind": "branch", "config": {"event_since_entry": {"name": "Order Completed"}}, "next": {"yes": "x", "no": "s"}},
	{"id": "x", "kind": "exit"},
	{"id": "s", "kind": "send", "config": {"template": "tpl", "topic": "tpc"}, "next": {"next": "v"}},
	{"id": "v", "kind": "wait", "config": {"for": {"n": 52, "unit": "week"}}}]}`

// waitingPeople is how many people wait in the journey beside those measured.
func waitingPeople() int {
	if n, err := strconv.Atoi(os.Getenv("KIZUNA_BENCH_WAITING")); err == nil {
		return n
	}
	return 1_000_000
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// crowded is a world with a journey in which many people wait for something far off.
func crowded(b *testing.B) (*world, journey.Journey) {
	w := newWorld(b)
	j := w.publish("bench", benchGraph)
	w.sql(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		INSERT INTO journey_instance (id, workspace_id, journey_id, version, person_id, entry_key, status, node, arrived_at, entered_at, ended_at, due_at, seq, memory, why, reason,
			goal_at, goal, attempts, error, lease_owner, lease_until, rev, live_key, control)
		SELECT 'ins_00' || printf('%024d', (i * 7919) % 1000003 * 10000000 + i), 'ws_1', $2, 1, 'per_x' || i, 'k' || i, 'active', 'v', $3, $3, 0, $3 + 31449600000000 + (i * 7919) % 1000000007, 3,
			'{"trigger":{"id":"k","name":"Go","time":"2026-03-01T09:00:00Z","at":{}},"visits":{"b":1,"s":1,"v":1,"w":1},"until":"2027-02-28T09:00:00Z","waits":"waits 52 weeks"}', '', '',
			0, '', 0, '', '', 0, 1, '', FALSE FROM n`, waitingPeople(), j.ID, start)
	w.sql(`ANALYZE`)
	return w, j
}

func (w *world) enrol(n int) {
	w.t.Helper()
	for from := range n/500 + 1 {
		batch := make([]event.Kept, 0, 500)
		for i := from * 500; i < min(n, from*500+500); i++ {
			batch = append(batch, w.event(fmt.Sprintf("g%d", i), uint64(i+1), "Go", `{"product": "Lamp", "price": 12}`))
		}
		if len(batch) > 0 {
			w.react(batch...)
		}
	}
}

// BenchmarkJourney measures letting people in, moving them, and how late that is, with a million others waiting. One iteration is one person.
func BenchmarkJourney(b *testing.B) {
	w, j := crowded(b)
	people := 20_000
	report := func(b *testing.B, what string, n int, took, used time.Duration) {
		b.ReportMetric(float64(n)/took.Seconds(), what+"/s")
		b.ReportMetric(float64(used.Microseconds())/float64(n), "cpu-µs/"+what)
		b.ReportMetric(0, "ns/op")
	}
	b.Run("enrol", func(b *testing.B) {
		began, used := time.Now(), cpu()
		w.enrol(people)
		report(b, "enrolment", people, time.Since(began), cpu()-used)
	})
	b.Run("step", func(b *testing.B) {
		w.settle()
		w.clock.Advance(time.Hour)
		before := w.steps()
		began, used := time.Now(), cpu()
		w.settle()
		took := time.Since(began)
		report(b, "step", w.steps()-before, took, cpu()-used)
		if got := w.stats(j.ID).Nodes[3].Queued; got != int64(people) {
			b.Fatalf("%d of %d got their message", got, people)
		}
	})
	b.Run("due to done", func(b *testing.B) {
		const rate, span = 1000, 10
		// People become due one after the other while the worker runs by the machine's clock.
		real := clock.System{}
		// With a million rows it takes a while to write that down: once to see how long, then with that much ahead.
		var at time.Time
		lay := func(ahead time.Duration) time.Duration {
			began := time.Now()
			at = real.Now().Add(ahead)
			w.sql(`UPDATE journey_instance SET status = 'active', node = 'w', arrived_at = $2 - 3600000000, entered_at = $2 - 3600000000, due_at = $2 + (CAST(SUBSTR(entry_key, 2) AS INTEGER)) * $3, ended_at = 0
			WHERE journey_id = $1 AND entry_key LIKE 'g%' AND CAST(SUBSTR(entry_key, 2) AS INTEGER) < $4`, j.ID, at, 1_000_000/rate, rate*span)
			w.sql(`UPDATE journey_instance SET arrived_at = due_at - 3600000000 WHERE journey_id = $1 AND node = 'w'`, j.ID)
			w.sql(`DELETE FROM journey_step`)
			w.sql(`UPDATE journey_instance SET seq = 0 WHERE journey_id = $1 AND node = 'w'`, j.ID)
			return time.Since(began)
		}
		lay(2*lay(time.Hour) + 2*time.Second)
		svc := w.benchService(real)
		if !real.Now().Before(at) {
			b.Fatal("people were due before the worker ran; the figures would measure the preparation")
		}
		used := cpu()
		if err := svc.Start(context.Background()); err != nil {
			b.Fatal(err)
		}
		for w.steps() < rate*span*3 {
			time.Sleep(50 * time.Millisecond) // a benchmark by the machine's clock
			if real.Now().After(at.Add(3 * span * time.Second)) {
				b.Fatal("the people were not moved")
			}
		}
		spent := cpu() - used
		if err := svc.Stop(context.Background()); err != nil {
			b.Fatal(err)
		}
		late, err := sqldb.Collect(context.Background(), w.db, sqldb.Value[int64], `SELECT left_at - arrived_at - 3600000000 AS late FROM journey_step WHERE node = 'w' ORDER BY late`)
		if err != nil || len(late) == 0 {
			b.Fatal(err)
		}
		b.ReportMetric(float64(late[len(late)/2])/1000, "p50-ms")
		b.ReportMetric(float64(late[len(late)*99/100])/1000, "p99-ms")
		b.ReportMetric(float64(spent.Microseconds())/float64(3*rate*span), "cpu-µs/step")
		b.ReportMetric(rate, "people/s")
		b.ReportMetric(0, "ns/op")
	})
}

func (w *world) steps() int {
	n, err := sqldb.One(context.Background(), w.db, sqldb.Value[int64], `SELECT COUNT(*) FROM journey_step`)
	if err != nil {
		w.t.Fatal(err)
	}
	return int(n)
}

func (w *world) benchService(c clock.Clock) *journey.Service {
	return journey.New(journey.Config{
		Store: sqlstore.NewJourney(w.db), Tx: w.db, Clock: c, Log: slog.New(slog.DiscardHandler), Emitter: w, Outbox: w, People: w, Subjects: w, Traits: w, Checker: w, Audience: w,
	})
}
