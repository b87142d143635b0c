package duck

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// Brought counts the people of whom something came from a source, and those of them of whom nothing came from elsewhere.
func (s *Store) Brought(ctx context.Context, ws, source string) (people, own int64, err error) {
	return eventstore.Brought(ctx, s, ws, source)
}

// Told counts the people of whom a source has told something, and those of them of whom no other source has.
func (s *Store) Told(ctx context.Context, ws, source string) (people, own int64, err error) {
	return eventstore.Told(ctx, s, ws, source)
}

// Own returns the people that eventstore.Own says.
func (s *Store) Own(ctx context.Context, ws, source string, loose bool) ([]uint64, error) {
	return eventstore.Own(ctx, s, ws, source, loose)
}

// Drop deletes people with all their events.
func (s *Store) Drop(ctx context.Context, ws string, people []uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.all.forget()
	defer s.answers.forget()
	stored := slices.Concat(people, s.open.Load().stored(ws, people))
	return s.delete(ctx, []deletion{
		{`DELETE FROM event_raw WHERE ws = ? AND person IN (SELECT unnest(CAST(? AS UBIGINT[])))`, []any{ws, stored}},
		{`DELETE FROM person WHERE ws = ? AND num IN (SELECT unnest(CAST(? AS UBIGINT[])))`, []any{ws, stored}},
	})
}

// DropSource deletes what a source has told.
func (s *Store) DropSource(ctx context.Context, ws, source string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.answers.forget()
	return s.delete(ctx, []deletion{{`DELETE FROM event_raw WHERE ws = ? AND source = ?`, []any{ws, source}}})
}

type deletion struct {
	sql  string
	args []any
}

// delete runs deletions in one transaction; the caller holds the lock.
func (s *Store) delete(ctx context.Context, all []deletion) error {
	if s.w == nil {
		return errors.New("event store: closed")
	}
	ctx = context.WithoutCancel(ctx)
	if _, err := s.w.ExecContext(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("event store: drop: %w", err)
	}
	for _, d := range all {
		if _, err := s.w.ExecContext(ctx, d.sql, d.args...); err != nil {
			_, undo := s.w.ExecContext(ctx, "ROLLBACK")
			return errors.Join(fmt.Errorf("event store: drop: %w", err), undo)
		}
	}
	if _, err := s.w.ExecContext(ctx, "COMMIT"); err != nil {
		_, _ = s.w.ExecContext(ctx, "ROLLBACK") // fails if the transaction is over, which is as well
		return fmt.Errorf("event store: drop: %w", err)
	}
	return nil
}
