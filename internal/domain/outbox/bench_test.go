package outbox_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// quick takes every message at once.
type quick struct{ done chan struct{} }

func (q quick) Check(context.Context) error { return nil }
func (q quick) Close() error                { return nil }

func (q quick) Send(_ context.Context, _ channel.Message, commit func() error) channel.Outcome {
	if commit() != nil {
		return channel.Outcome{Result: channel.Deferred}
	}
	q.done <- struct{}{}
	return channel.Outcome{Result: channel.Sent, Code: "250"}
}

// durable opens a database as production does; sqldbtest's are fast and forgetful.
func durable(b *testing.B) *sqldb.DB {
	b.Helper()
	db, err := sqldb.Open(b.Context(), "sqlite:"+b.TempDir()+"/bench.db", sqldb.Options{Synchronous: "FULL"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if err := sqlstore.Migrate(b.Context(), db); err != nil {
		b.Fatal(err)
	}
	return db
}

// BenchmarkEnqueue measures rows a second through the gate into the queue, 1000 a call, every row with its own transaction's share of
// fsync. People come from memory.
func BenchmarkEnqueue(b *testing.B) {
	f := setup(b, durable(b), func(c *outbox.Config) { c.Emitter = sqlstore.NewPendingEvent(c.Tx.(*sqldb.DB)) })
	const people = 5000
	f.subscribed(1, people)
	b.ResetTimer()
	began := time.Now()
	rows := 0
	for i := 0; b.Loop(); i++ {
		reqs := make([]outbox.Request, 1000)
		for j := range reqs {
			reqs[j] = f.request((i*1000+j)%people+1, func(r *outbox.Request) { r.Key = fmt.Sprintf("cmp_1:%d:%d", i, j) })
		}
		f.enqueue(reqs...)
		rows += len(reqs)
	}
	b.ReportMetric(float64(rows)/time.Since(began).Seconds(), "rows/s")
}

// BenchmarkDispatch measures messages a second from the queue to a channel that takes them at once: claim, gate, render, sign links,
// intent and result on disk, event emitted; ten connections.
func BenchmarkDispatch(b *testing.B) {
	for _, engine := range []string{"sqlite-full", "postgres"} {
		for _, connections := range []int{10, 50} {
			b.Run(fmt.Sprintf("%s/connections=%d", engine, connections), func(b *testing.B) { benchDispatch(b, engine, connections) })
		}
	}
}

func benchDispatch(b *testing.B, engine string, connections int) {
	var db *sqldb.DB
	if engine == "postgres" {
		db = sqldbtest.Open(b, sqldb.Postgres)
	} else {
		db = durable(b)
	}
	f := setup(b, db, func(c *outbox.Config) { c.Emitter = sqlstore.NewPendingEvent(db) })
	const messages = 10000
	q := quick{make(chan struct{}, messages)}
	f.sender = q
	a := f.account
	a.Connections = connections
	if _, err := f.UpdateAccount(b.Context(), ws, a); err != nil {
		b.Fatal(err)
	}
	f.subscribed(1, messages)
	for i := 0; b.Loop(); i++ {
		for from := 1; from <= messages; from += 1000 {
			reqs := make([]outbox.Request, 1000)
			for j := range reqs {
				reqs[j] = f.request(from+j, func(r *outbox.Request) { r.Key = fmt.Sprintf("%d:%d", i, from+j) })
			}
			f.enqueue(reqs...)
		}
		d := outbox.NewDispatcher(f.Service, outbox.DispatchConfig{})
		began := time.Now()
		if err := d.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		for range messages {
			<-q.done
		}
		if err := d.Stop(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(messages/time.Since(began).Seconds(), "msg/s")
	}
}
