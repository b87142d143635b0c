package sqldb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Retry limits of InTx: ten attempts with pauses of 1 ms doubling to 250 ms, and nothing new after retryWindow.
const (
	maxAttempts = 10
	retryWindow = 15 * time.Second
)

// txKey carries the transaction of one database in a context.
type txKey struct{ db *DB }

// transaction is what the context carries.
type transaction struct {
	session session
	failed  error // first failure; the transaction can only be rolled back then
	writes  int
}

func (db *DB) tx(ctx context.Context) *transaction {
	tx, _ := ctx.Value(txKey{db}).(*transaction)
	return tx
}

// enter refuses statements in a transaction that has failed.
func (tx *transaction) enter() error {
	if tx.failed != nil {
		return fmt.Errorf("an earlier statement of this transaction went wrong: %w", tx.failed)
	}
	return nil
}

// leave notes the failure of a statement.
func (tx *transaction) leave(err error) error {
	err = classify(err)
	if err != nil && tx.failed == nil {
		tx.failed = err
	}
	return err
}

// InTx runs fn in a transaction; see kit/tx.Runner and the package comment.
func (db *DB) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if tx := db.tx(ctx); tx != nil {
		return tx.join(ctx, fn)
	}
	return db.run(ctx, false, fn)
}

// join runs fn in a transaction that is open already. There are no savepoints: what fn wrote before it failed
// can only be undone together with everything else.
func (tx *transaction) join(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := tx.enter(); err != nil {
		return err
	}
	before := tx.writes
	err := fn(ctx)
	if err != nil && tx.failed == nil && tx.writes > before {
		tx.failed = err
	}
	return err
}

func (db *DB) run(ctx context.Context, migration bool, fn func(ctx context.Context) error) error {
	start := time.Now()
	for attempt := 1; ; attempt++ {
		again, err := db.attempt(ctx, migration, fn)
		if err == nil || !again || attempt == maxAttempts || time.Since(start) > retryWindow {
			return err
		}
		ceiling := time.Millisecond << min(attempt, 8)
		pause := time.NewTimer(ceiling/2 + rand.N(ceiling/2))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return errors.Join(err, ctx.Err())
		}
	}
}

// attempt runs fn once and reports whether another attempt can help if it fails.
func (db *DB) attempt(ctx context.Context, migration bool, fn func(ctx context.Context) error) (again bool, err error) {
	s, err := db.engine.begin(ctx, migration)
	if err != nil {
		return retryable(err), classify(err)
	}
	tx := &transaction{session: s}
	open := true
	defer func() {
		if open { // fn failed or panicked; the context may be done, the rollback must happen all the same
			if rerr := s.rollback(context.WithoutCancel(ctx)); rerr != nil && err != nil {
				err = fmt.Errorf("%w (and the rollback: %w)", err, rerr)
			}
		}
	}()
	err = fn(context.WithValue(ctx, txKey{db}, tx))
	if err == nil {
		err = tx.failed // a failure that fn passed over
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return retryable(err) || retryable(tx.failed), err
	}
	open = false
	err = s.commit(ctx)
	if err == nil || retryable(err) {
		return true, classify(err)
	}
	if err = classify(err); errs.Is(err, errs.KindUnavailable) {
		err = errs.Unavailable("sqldb.commit_unknown", "the connection was lost while saving; the change may or may not have been kept").With(err)
	}
	return false, err
}
