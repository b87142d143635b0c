package duck

import (
	"context"
	"errors"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// Ages counts a workspace's events by kind, the most frequent first.
func (s *Store) Ages(ctx context.Context, ws string) ([]event.Age, error) {
	return eventstore.Ages(ctx, s, "event_raw", ws)
}

// TooOld counts the events of the kinds that happened before their terms begin; kinds of which there are none are left out.
func (s *Store) TooOld(ctx context.Context, ws string, terms []event.Term) ([]event.Age, error) {
	if len(terms) == 0 {
		return nil, nil
	}
	types, names, since := eventstore.Terms(terms)
	return eventstore.Counted(ctx, s, `SELECT e.type, k.name, count(*), min(e.time) FROM event_raw e
		JOIN (SELECT unnest(CAST(? AS VARCHAR[])) AS type, unnest(CAST(? AS VARCHAR[])) AS name, unnest(CAST(? AS BIGINT[])) AS since) k
		ON k.type = e.type AND k.name = `+eventstore.KindName+` AND e.time < k.since
		WHERE e.ws = ? GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`, types, names, since, ws)
}

// DropOld deletes at most limit events of a kind that happened before the term begins, and returns how many there were: fewer than limit if none is left.
func (s *Store) DropOld(ctx context.Context, ws string, t event.Term, limit int) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		return 0, errors.New("event store: closed")
	}
	defer s.answers.forget()
	res, err := s.w.ExecContext(context.WithoutCancel(ctx), `DELETE FROM event_raw WHERE rowid IN (SELECT e.rowid FROM event_raw e
		WHERE e.ws = ? AND e.type = ? AND `+eventstore.KindName+` = ? AND e.time < ? LIMIT ?)`, ws, string(t.Type), t.Name, t.Since.UnixMicro(), limit)
	if err != nil {
		return 0, fmt.Errorf("event store: drop what is too old: %w", err)
	}
	return res.RowsAffected()
}
