package duck

import (
	"context"
	"fmt"

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
