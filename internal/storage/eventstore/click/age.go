package click

import (
	"context"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// Ages counts a workspace's events by kind, the most frequent first.
func (s *Store) Ages(ctx context.Context, ws string) ([]event.Age, error) {
	return eventstore.Ages(ctx, s, "event", ws)
}

// TooOld counts the events of the kinds that happened before their terms begin; kinds of which there are none are left out.
func (s *Store) TooOld(ctx context.Context, ws string, terms []event.Term) ([]event.Age, error) {
	if len(terms) == 0 {
		return nil, nil
	}
	types, names, since := eventstore.Terms(terms)
	return eventstore.Counted(ctx, s, `SELECT e.type, k.name, count(*), min(e.time) FROM event e
		JOIN (SELECT tupleElement(m, 1) AS type, tupleElement(m, 2) AS name, tupleElement(m, 3) AS since FROM (SELECT arrayJoin(arrayZip(?, ?, ?)) AS m) AS zipped) k
		ON k.type = e.type AND k.name = `+eventstore.KindName+` AND e.time < k.since
		WHERE e.ws = ? GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`, types, names, since, ws)
}

// DropOld deletes at most limit events of a kind that happened before the term begins, the oldest first, and returns how many there were: fewer than limit if
// none is left.
func (s *Store) DropOld(ctx context.Context, ws string, t event.Term, limit int) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, errClosed
	}
	ctx = context.WithoutCancel(ctx)
	which := `ws = ? AND type = ? AND CASE WHEN type IN ('page', 'screen') THEN '' ELSE name END = ? AND time < ?`
	args := []any{ws, string(t.Type), t.Name, t.Since.UnixMicro()}
	old := `SELECT seq, idx, commit FROM event_raw WHERE ` + which + ` AND ` + s.seen.Load().alive() + fmt.Sprintf(` ORDER BY time, seq, idx LIMIT %d`, size(limit))
	var n uint64
	err := s.read(ctx, &n, `SELECT count() FROM (`+old+`) AS found`, args...)
	if err == nil && n > 0 {
		err = s.write(ctx, `ALTER TABLE event_raw DELETE WHERE `+which+` AND (seq, idx, commit) IN (`+old+`)`, append(args, args...)...)
	}
	if err != nil {
		return 0, fmt.Errorf("event store: drop what is too old: %w", err)
	}
	return int64(n), nil
}
