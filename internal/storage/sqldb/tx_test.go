package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

const insertThing = `INSERT INTO thing (id, n) VALUES ($1, 0)`

func TestTransactionCommitsOrRollsBackAsOne(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		if err := db.InTx(t.Context(), func(ctx context.Context) error {
			exec(ctx, t, db, insertThing, "a")
			n, err := sqldb.One(ctx, db, sqldb.Value[int], `SELECT count(*) FROM thing`)
			if err != nil || n != 1 {
				t.Errorf("inside it sees %d rows, %v", n, err)
			}
			if got := ids(t, db); len(got) != 0 {
				t.Errorf("outside one sees %v before the commit", got)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		boom := errors.New("boom")
		if err := db.InTx(t.Context(), func(ctx context.Context) error {
			exec(ctx, t, db, insertThing, "b")
			return boom
		}); err != boom { //nolint:errorlint // the contract says: as it is
			t.Errorf("got %v, want the error itself", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = db.InTx(t.Context(), func(ctx context.Context) error {
				exec(ctx, t, db, insertThing, "c")
				panic("boom")
			})
		}()
		if d := cmp.Diff([]string{"a"}, ids(t, db)); d != "" {
			t.Error(d)
		}
	})
}

func TestNestedCallsJoin(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		boom := errors.New("boom")
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			if err := db.InTx(ctx, func(ctx context.Context) error {
				exec(ctx, t, db, insertThing, "inner")
				return nil
			}); err != nil {
				t.Error(err)
			}
			return boom
		})
		if !errors.Is(err, boom) || len(ids(t, db)) != 0 {
			t.Errorf("%v; the inner call was kept: %v", err, ids(t, db))
		}

		err = db.InTx(t.Context(), func(ctx context.Context) error {
			exec(ctx, t, db, insertThing, "outer")
			_ = db.InTx(ctx, func(context.Context) error { return boom }) // wrote nothing: may be passed over
			return nil
		})
		if err != nil || !cmp.Equal(ids(t, db), []string{"outer"}) {
			t.Errorf("%v, %v", err, ids(t, db))
		}

		err = db.InTx(t.Context(), func(ctx context.Context) error {
			exec(ctx, t, db, insertThing, "outer 2")
			_ = db.InTx(ctx, func(ctx context.Context) error {
				exec(ctx, t, db, insertThing, "half done")
				return boom
			})
			return nil
		})
		if !errors.Is(err, boom) || !cmp.Equal(ids(t, db), []string{"outer"}) {
			t.Errorf("half of a nested call was kept: %v, %v", err, ids(t, db))
		}
	})
}

func TestAFailedStatementFailsTheTransaction(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		exec(t.Context(), t, db, insertThing, "a")
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			exec(ctx, t, db, insertThing, "b")
			if _, err := db.Exec(ctx, insertThing, "a"); !sqldb.IsUnique(err) {
				t.Errorf("got %v", err)
			}
			if _, err := db.Exec(ctx, insertThing, "c"); err == nil {
				t.Error("a statement after a failed one was accepted")
			}
			return nil
		})
		if !sqldb.IsUnique(err) || !cmp.Equal(ids(t, db), []string{"a"}) {
			t.Errorf("%v, %v", err, ids(t, db))
		}
	})
}

func TestConcurrentTransactionsBehaveAsIfOneAfterTheOther(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		exec(t.Context(), t, db, insertThing, "counter")
		const workers, rounds = 4, 10
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range rounds {
					if err := db.InTx(t.Context(), func(ctx context.Context) error {
						n, err := sqldb.One(ctx, db, sqldb.Value[int], `SELECT n FROM thing WHERE id = $1`, "counter")
						if err != nil {
							return err
						}
						_, err = db.Exec(ctx, `UPDATE thing SET n = $2 WHERE id = $1`, "counter", n+1)
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		n, err := sqldb.One(t.Context(), db, sqldb.Value[int], `SELECT n FROM thing`)
		if err != nil || n != workers*rounds {
			t.Errorf("counted to %d, %v, want %d", n, err, workers*rounds)
		}
	})
}

// Each of two transactions reads what the other is about to change (write skew): one must see the other's change.
func TestTwoTransactionsCannotBothRemoveTheOther(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for range 5 {
			exec(t.Context(), t, db, `DELETE FROM thing`)
			exec(t.Context(), t, db, insertThing, "a")
			exec(t.Context(), t, db, insertThing, "b")
			var wg sync.WaitGroup
			for _, id := range []string{"a", "b"} {
				wg.Go(func() {
					err := db.InTx(t.Context(), func(ctx context.Context) error {
						n, err := sqldb.One(ctx, db, sqldb.Value[int], `SELECT count(*) FROM thing`)
						if err != nil || n < 2 {
							return err
						}
						_, err = db.Exec(ctx, `DELETE FROM thing WHERE id = $1`, id)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if got := ids(t, db); len(got) != 1 {
				t.Fatalf("%v are left, want one", got)
			}
		}
	})
}

func TestDeadlocksAreRetried(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		exec(t.Context(), t, db, insertThing, "a")
		exec(t.Context(), t, db, insertThing, "b")
		var attempts atomic.Int64
		var wg sync.WaitGroup
		for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
			wg.Go(func() {
				if err := db.InTx(t.Context(), func(ctx context.Context) error {
					attempts.Add(1)
					for _, id := range order {
						if _, err := db.Exec(ctx, `UPDATE thing SET n = n + 1 WHERE id = $1`, id); err != nil {
							return fmt.Errorf("step: %w", err)
						}
					}
					return nil
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		sum, err := sqldb.One(t.Context(), db, sqldb.Value[int], `SELECT sum(n) FROM thing`)
		if err != nil || sum != 4 || attempts.Load() < 2 {
			t.Errorf("sum %d, %v after %d attempts", sum, err, attempts.Load())
		}
	})
}

func TestWorkersClaimEachRowOnce(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var all [][]any
		for i := range 60 {
			all = append(all, []any{fmt.Sprintf("%03d", i)})
		}
		if _, err := db.Bulk(t.Context(), insertThing, all); err != nil {
			t.Fatal(err)
		}
		claim := `UPDATE thing SET n = 1 WHERE id IN (SELECT id FROM thing WHERE n = 0 ORDER BY id LIMIT 7` + db.SkipLocked() + `) RETURNING id`
		var mu sync.Mutex
		seen := map[string]int{}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for {
					var got []string
					err := db.InTx(t.Context(), func(ctx context.Context) (err error) {
						got, err = sqldb.Collect(ctx, db, sqldb.Value[string], claim)
						return err
					})
					if err != nil {
						t.Error(err)
					}
					if len(got) == 0 {
						return
					}
					mu.Lock()
					for _, id := range got {
						seen[id]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(seen) != 60 {
			t.Errorf("%d of 60 rows were claimed", len(seen))
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%s was claimed %d times", id, n)
			}
		}
	})
}

func TestCancelledTransactionRollsBack(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.InTx(ctx, func(ctx context.Context) error {
			exec(ctx, t, db, insertThing, "a")
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) || len(ids(t, db)) != 0 {
			t.Errorf("%v, %v", err, ids(t, db))
		}
		exec(t.Context(), t, db, insertThing, "b") // the connection is free and clean
		if !cmp.Equal(ids(t, db), []string{"b"}) {
			t.Error(ids(t, db))
		}
	})
}

func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		exec(t.Context(), t, db, insertThing, "a")
		if err := db.InTx(t.Context(), func(ctx context.Context) error {
			exec(ctx, t, db, `UPDATE thing SET n = 5`)
			outside, err := sqldb.One(t.Context(), db, sqldb.Value[int], `SELECT n FROM thing`)
			if err != nil || outside != 0 {
				t.Errorf("outside sees %d, %v", outside, err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWriteThatWaitsForTheWriterGivesUpWithItsContext(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	err := db.InTx(t.Context(), func(context.Context) error {
		outer, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := db.Exec(outer, `DELETE FROM log_position`) // not the transaction's context
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestAnotherProcessHoldingTheFileIsUnavailable(t *testing.T) {
	target := sqldbtest.URL(t, sqldb.SQLite)
	a, err := sqldb.Open(t.Context(), target, sqldb.Options{Synchronous: "OFF"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	b, err := sqldb.Open(t.Context(), target, sqldb.Options{Synchronous: "OFF"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	exec(t.Context(), t, a, `CREATE TABLE thing (id TEXT NOT NULL, n BIGINT)`)
	release, held, freed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		freed <- a.InTx(t.Context(), func(ctx context.Context) error {
			_, err := a.Exec(ctx, insertThing, "a")
			close(held)
			<-release
			return err
		})
	}()
	<-held
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	go func() { <-ctx.Done(); close(release) }()
	exec(t.Context(), t, b, insertThing, "b") // waits for it, then goes through
	if err := <-freed; err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(ids(t, a), []string{"a", "b"}) {
		t.Error(ids(t, a))
	}
}

// A lost server connection is unavailable, not internal, and the pool recovers.
func TestLostConnectionIsUnavailable(t *testing.T) {
	if os.Getenv(sqldbtest.PostgresVariable) == "" {
		t.Skipf("set %s", sqldbtest.PostgresVariable)
	}
	db := sqldbtest.Empty(t, sqldb.Postgres)
	err := db.InTx(t.Context(), func(ctx context.Context) error {
		pid, err := sqldb.One(ctx, db, sqldb.Value[int64], `SELECT pg_backend_pid()`)
		if err != nil {
			return err
		}
		if _, err := sqldb.One(t.Context(), db, sqldb.Value[bool], `SELECT pg_terminate_backend($1)`, pid); err != nil {
			return err
		}
		_, err = db.Exec(ctx, `SELECT 1`)
		return err
	})
	if !errs.Is(err, errs.KindUnavailable) {
		t.Errorf("got %v (kind %v)", err, errs.KindOf(err))
	}
	if n, err := sqldb.One(t.Context(), db, sqldb.Value[int], `SELECT 1`); err != nil || n != 1 {
		t.Errorf("the pool did not recover: %v", err)
	}
}
