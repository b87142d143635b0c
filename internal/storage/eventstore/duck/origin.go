package duck

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// broughtBy selects the people of whom something came from a source, with how much of them did not: events of other sources, mails that were sent, what
// staff have said and decided. What the product has derived from events counts for nothing; of traits it writes, only those count that came through the API
// (person.Service names the events by their cause).
const broughtBy = `SELECT e.person, count(*) FILTER (e.source <> ? AND (e.type IN ('track', 'page', 'screen', 'group', 'alias', 'identity', 'task') OR
		e.type = 'identify' AND (e.origin <> 'internal' OR e.message_id NOT LIKE 'traits:%' OR e.message_id LIKE 'traits:api:%') OR
		e.type = 'message' AND e.name = '` + event.MessageSent + `' OR
		e.type = 'consent' AND e.name IN ('` + event.TopicSubscribed + `', '` + event.TopicUnsubscribed + `', '` + event.PreferencesChanged + `') AND coalesce(e.props->>'$.source', '') NOT LIKE 'event:%')) AS others
	FROM event e WHERE e.ws = ? AND e.person <> 0 AND e.person IN (SELECT person FROM event WHERE ws = ? AND source = ?) GROUP BY e.person`

// Brought counts the people of whom something came from a source, and those of them of whom nothing came from elsewhere.
func (s *Store) Brought(ctx context.Context, ws, source string) (people, own int64, err error) {
	rows, err := s.Query(ctx, `SELECT count(*), count(*) FILTER (others = 0) FROM (`+broughtBy+`)`, []any{source, ws, ws, source})
	if err != nil {
		return 0, 0, fmt.Errorf("people of a source: %w", err)
	}
	return rows[0][0].(int64), rows[0][1].(int64), nil
}

// Own returns the numbers of the people of whom something came from a source and, with loose, no other source has told anything; without, nothing came from
// elsewhere either (Brought).
func (s *Store) Own(ctx context.Context, ws, source string, loose bool) ([]uint64, error) {
	query := `SELECT person FROM (` + broughtBy + `) WHERE others = 0 ORDER BY 1`
	args := []any{source, ws, ws, source}
	if loose {
		query, args = `SELECT person FROM (`+toldBy+`) WHERE others = 0 ORDER BY 1`, []any{source, ws, ws, source}
	}
	rows, err := s.Query(ctx, query, args)
	if err != nil {
		return nil, fmt.Errorf("people of a source: %w", err)
	}
	out := make([]uint64, len(rows))
	for i, r := range rows {
		out[i] = r[0].(uint64)
	}
	return out, nil
}

// toldBy is broughtBy with nothing counted but what other sources have told.
const toldBy = `SELECT e.person, count(*) FILTER (e.source NOT IN ('', ?) AND e.type IN ('track', 'page', 'screen', 'identify', 'group', 'alias')) AS others
	FROM event e WHERE e.ws = ? AND e.person <> 0 AND e.person IN (SELECT person FROM event WHERE ws = ? AND source = ?) GROUP BY e.person`

// Told counts the people of whom a source has told something, and those of them of whom no other source has.
func (s *Store) Told(ctx context.Context, ws, source string) (people, own int64, err error) {
	rows, err := s.Query(ctx, `SELECT count(*), count(*) FILTER (others = 0) FROM (`+toldBy+`)`, []any{source, ws, ws, source})
	if err != nil {
		return 0, 0, fmt.Errorf("people of a source: %w", err)
	}
	return rows[0][0].(int64), rows[0][1].(int64), nil
}

// Drop deletes people with all their events.
func (s *Store) Drop(ctx context.Context, ws string, people []uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
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
