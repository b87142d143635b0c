package person_test

import (
	"fmt"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// BenchmarkApply measures events a second through identity and fold on SQLite with every commit synced, in batches of 2,000
// events spread over 50,000 people. "known" people exist before, "new" ones come with their first event.
func BenchmarkApply(b *testing.B) {
	const batch = 2000
	ctx := persontest.Object(map[string]any{
		"page":   map[string]any{"url": "https://shop.example/p/1", "path": "/p/1", "referrer": "https://shop.example/"},
		"locale": "de-DE", "timezone": "Europe/Berlin", "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "library": map[string]any{"name": "analytics.js", "version": "1"},
	})
	props := persontest.Object(map[string]any{"product_id": "p1", "category": "shoes", "price": 19.99, "currency": "EUR", "position": 3})
	for name, tc := range map[string]struct{ people, known int }{
		"known": {50_000, 50_000}, "hot": {2_000, 2_000}, "new": {1 << 40, 0},
	} {
		b.Run(name, func(b *testing.B) {
			db, err := sqldb.Open(b.Context(), "sqlite:"+b.TempDir()+"/bench.db", sqldb.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if err := sqlstore.Migrate(b.Context(), db); err != nil {
				b.Fatal(err)
			}
			w := worldOn(b, db)
			seq, msg := uint64(0), 0
			send := func(who func(i int) int) {
				events := make([]event.Event, batch)
				for i := range events {
					msg++
					n := who(i)
					events[i] = event.Event{
						Workspace: persontest.WS, MessageID: fmt.Sprintf("ajs-next-1768564800000-%08d", msg), Type: event.Track, Name: "Product Viewed",
						UserID: fmt.Sprintf("user-%d", n), AnonymousID: fmt.Sprintf("5f0c0e2a-9d0d-4c0e-8a4e-%012d", n), Time: at(msg / 100),
						Received: at(msg / 100), Origin: event.Browser, Source: "src_1", Properties: props, Context: ctx,
					}
				}
				seq++
				if _, err := w.Service.Apply(b.Context(), []person.LogRecord{{Seq: seq, Events: events}}); err != nil {
					b.Fatal(err)
				}
			}
			for n := 0; n < tc.known; n += batch {
				send(func(i int) int { return n + i })
			}
			next := 0
			b.ResetTimer()
			for range b.N {
				send(func(int) int {
					next++
					return next * 7919 % tc.people
				})
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
