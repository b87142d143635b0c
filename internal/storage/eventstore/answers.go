package eventstore

import (
	"context"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Asker answers queries, see event.Store.
type Asker interface {
	Query(ctx context.Context, sql string, args []any) ([][]any, error)
}

// Stats is event.Store.Stats. The table is that of the events, to whomever they belong: nothing here depends on merges.
func Stats(ctx context.Context, a Asker, table, ws string) (event.Stats, error) {
	st := event.Stats{ByType: map[event.Type]int64{}}
	rows, err := a.Query(ctx, `SELECT count(*) FROM person WHERE ws = ?`, []any{ws})
	if err != nil {
		return st, err
	}
	st.People = rows[0][0].(int64)
	if rows, err = a.Query(ctx, `SELECT type, count(*), max(time) FROM `+table+` WHERE ws = ? GROUP BY type`, []any{ws}); err != nil {
		return st, err
	}
	for _, r := range rows {
		t, n := event.Type(r[0].(string)), r[1].(int64)
		st.ByType[t] = n
		if t.Behaviour() {
			st.Events += n
			if at := time.UnixMicro(r[2].(int64)).UTC(); at.After(st.LastTime) {
				st.LastTime = at
			}
		}
	}
	return st, nil
}

// Names is event.Store.Names; for table see Stats.
func Names(ctx context.Context, a Asker, table, ws string, limit int) ([]event.NameCount, error) {
	rows, err := a.Query(ctx, `SELECT type, name, count(*) AS n FROM `+table+` WHERE ws = ? AND type IN ('track', 'page', 'screen')
		GROUP BY type, name ORDER BY n DESC, type, name LIMIT ?`, []any{ws, max(limit, 0)})
	if err != nil {
		return nil, err
	}
	var out []event.NameCount
	for _, r := range rows {
		out = append(out, event.NameCount{Type: event.Type(r[0].(string)), Name: r[1].(string), Count: r[2].(int64)})
	}
	return out, nil
}

// broughtBy selects the people of whom something came from a source, with how much of them did not: events of other sources, mails that were sent, what
// staff have said and decided. What the product has derived from events counts for nothing; of traits it writes, only those count that came through the API
// (person.Service names the events by their cause).
const broughtBy = `SELECT e.person AS person, count(*) FILTER (WHERE e.source <> ? AND (e.type IN ('track', 'page', 'screen', 'group', 'alias', 'identity', 'task') OR
		e.type = 'identify' AND (e.origin <> 'internal' OR e.message_id NOT LIKE 'traits:%' OR e.message_id LIKE 'traits:api:%') OR
		e.type = 'message' AND e.name = '` + event.MessageSent + `' OR
		e.type = 'consent' AND e.name IN ('` + event.TopicSubscribed + `', '` + event.TopicUnsubscribed + `', '` + event.PreferencesChanged + `') AND coalesce(json_extract_string(e.props, '$.source'), '') NOT LIKE 'event:%')) AS others
	FROM event e WHERE e.ws = ? AND e.person <> 0 AND e.person IN (SELECT person FROM event WHERE ws = ? AND source = ?) GROUP BY e.person`

// toldBy is broughtBy with nothing counted but what other sources have told.
const toldBy = `SELECT e.person AS person, count(*) FILTER (WHERE e.source NOT IN ('', ?) AND e.type IN ('track', 'page', 'screen', 'identify', 'group', 'alias')) AS others
	FROM event e WHERE e.ws = ? AND e.person <> 0 AND e.person IN (SELECT person FROM event WHERE ws = ? AND source = ?) GROUP BY e.person`

// Brought counts the people of whom something came from a source, and those of them of whom nothing came from elsewhere.
func Brought(ctx context.Context, a Asker, ws, source string) (people, own int64, err error) {
	return ofSource(ctx, a, broughtBy, ws, source)
}

// Told counts the people of whom a source has told something, and those of them of whom no other source has.
func Told(ctx context.Context, a Asker, ws, source string) (people, own int64, err error) {
	return ofSource(ctx, a, toldBy, ws, source)
}

func ofSource(ctx context.Context, a Asker, by, ws, source string) (people, own int64, err error) {
	rows, err := a.Query(ctx, `SELECT count(*), count(*) FILTER (WHERE others = 0) FROM (`+by+`) AS brought`, []any{source, ws, ws, source})
	if err != nil {
		return 0, 0, fmt.Errorf("people of a source: %w", err)
	}
	return rows[0][0].(int64), rows[0][1].(int64), nil
}

// Own returns the numbers of the people of whom something came from a source and, with loose, no other source has told anything; without, nothing came from
// elsewhere either (Brought).
func Own(ctx context.Context, a Asker, ws, source string, loose bool) ([]uint64, error) {
	by := broughtBy
	if loose {
		by = toldBy
	}
	rows, err := a.Query(ctx, `SELECT person FROM (`+by+`) AS brought WHERE others = 0 ORDER BY 1`, []any{source, ws, ws, source})
	if err != nil {
		return nil, fmt.Errorf("people of a source: %w", err)
	}
	out := make([]uint64, len(rows))
	for i, r := range rows {
		out[i] = r[0].(uint64)
	}
	return out, nil
}

// KindName is event.KindOf's name in SQL, of an event e.
const KindName = `CASE WHEN e.type IN ('page', 'screen') THEN '' ELSE e.name END`

// Ages counts a workspace's events by kind, the most frequent first; for table see Stats.
func Ages(ctx context.Context, a Asker, table, ws string) ([]event.Age, error) {
	return Counted(ctx, a, `SELECT e.type, `+KindName+` AS kind, count(*), min(e.time) FROM `+table+` e WHERE e.ws = ? GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`, ws)
}

// Counted reads rows of type, name, number and oldest time.
func Counted(ctx context.Context, a Asker, query string, args ...any) ([]event.Age, error) {
	rows, err := a.Query(ctx, query, args)
	if err != nil {
		return nil, fmt.Errorf("ages of events: %w", err)
	}
	out := make([]event.Age, len(rows))
	for i, r := range rows {
		out[i] = event.Age{Kind: event.Kind{Type: event.Type(r[0].(string)), Name: r[1].(string)}, Count: r[2].(int64), Oldest: time.UnixMicro(r[3].(int64)).UTC()}
	}
	return out, nil
}

// Terms takes terms apart into three lists of one length.
func Terms(terms []event.Term) (types, names []string, since []int64) {
	for _, t := range terms {
		types, names, since = append(types, string(t.Type)), append(names, t.Name), append(since, t.Since.UnixMicro())
	}
	return types, names, since
}
