package sqlstore_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestALeaseHasOneHolder(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := sqlstore.NewLeases(db)
		if l, err := s.Holder(t.Context(), "worker"); err != nil || l != (sqlstore.Lease{}) {
			t.Errorf("at first: %+v, %v", l, err)
		}
		take := func(holder string, ttl time.Duration, want sqlstore.Lease) {
			t.Helper()
			l, err := s.Take(t.Context(), "worker", holder, "http://"+holder, ttl)
			if err != nil || l != want {
				t.Errorf("%s takes it: %+v, %v; want %+v", holder, l, err, want)
			}
		}
		a, b := sqlstore.Lease{Holder: "a", Address: "http://a", Fence: 1}, sqlstore.Lease{Holder: "b", Address: "http://b", Fence: 2}
		take("a", time.Hour, a)
		take("b", time.Hour, a)
		take("a", time.Hour, a) // extends it
		if l, err := s.Holder(t.Context(), "worker"); err != nil || l != a {
			t.Errorf("held: %+v, %v", l, err)
		}
		if err := s.Leave(t.Context(), "worker", "b"); err != nil { // not b's to give
			t.Fatal(err)
		}
		take("b", time.Hour, a)
		if err := s.Leave(t.Context(), "worker", "a"); err != nil {
			t.Fatal(err)
		}
		if l, err := s.Holder(t.Context(), "worker"); err != nil || l.Holder != "" {
			t.Errorf("given back: %+v, %v", l, err)
		}
		take("b", -time.Second, b) // runs out at once
		if l, err := s.Holder(t.Context(), "worker"); err != nil || l.Holder != "" {
			t.Errorf("run out: %+v, %v", l, err)
		}
		a.Fence = 3
		take("a", time.Hour, a)
		if l, err := s.Take(t.Context(), "send", "b", "", time.Hour); err != nil || l.Holder != "b" {
			t.Errorf("another lease: %+v, %v", l, err)
		}
	})
}

func TestOfManyProcessesOneGetsTheLease(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := sqlstore.NewLeases(db)
		var got atomic.Int32
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				me := fmt.Sprint("p", i)
				l, err := s.Take(t.Context(), "worker", me, "", time.Hour)
				if err != nil {
					t.Error(err)
				}
				if l.Holder == me {
					got.Add(1)
				}
			})
		}
		all.Wait()
		if got.Load() != 1 {
			t.Errorf("%d processes hold it", got.Load())
		}
	})
}
