package click

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// Traces returns what the events of these people lead to. Events that carry neither user nor anonymous id have subjects of their own; of those
// received before the time are left out, for the sake of their number.
func (s *Store) Traces(ctx context.Context, ws string, people []uint64, since time.Time) (t event.Traces, err error) {
	if len(people) == 0 {
		return t, nil
	}
	from := ` FROM event_raw WHERE ` + s.seen.Load().alive() + ` AND ws = ? AND person IN ?`
	read := func(query string, take func(scan func(...any) error) error, args ...any) {
		if err != nil {
			return
		}
		rows, e := s.rows(ctx, query, args...)
		if err = e; err != nil {
			return
		}
		defer rows.Close()
		for rows.Next() {
			if err = take(rows.Scan); err != nil {
				return
			}
		}
		err = rows.Err()
	}
	read(`SELECT DISTINCT person_id, user_id, anonymous_id, ''`+from+` AND (person_id <> '' OR user_id <> '' OR anonymous_id <> '')
		UNION ALL SELECT '', '', '', message_id`+from+` AND person_id = '' AND user_id = '' AND anonymous_id = '' AND received >= ?`, func(scan func(...any) error) error {
		var person, user, anonymous, message string
		err := scan(&person, &user, &anonymous, &message)
		t.Subjects = append(t.Subjects, event.SubjectOf(ws, person, user, anonymous, message))
		return err
	}, ws, people, ws, people, since.UnixMicro())
	one := func(into func(string)) func(scan func(...any) error) error {
		return func(scan func(...any) error) error {
			var v string
			err := scan(&v)
			into(v)
			return err
		}
	}
	read(`SELECT DISTINCT arrayJoin(ids)`+from, one(func(v string) { t.Identifiers = append(t.Identifiers, event.ParseIdentifier(v)) }), ws, people)
	read(`SELECT DISTINCT assumeNotNull(order_id)`+from+` AND order_id IS NOT NULL`, one(func(v string) { t.Orders = append(t.Orders, v) }), ws, people)
	read(`SELECT toInt64(count())`+from, func(scan func(...any) error) error { return scan(&t.Events) }, ws, people)
	return t, err
}

// bare are the columns that stripped events keep; the others are empty.
var bare = []string{"ws", "type", "name", "time", "received", "seq", "idx", "origin", "source", "total", "currency", "product_id", "category", "platform", "channel", "topic", "source_kind", "source_id", "node"}

// Strip makes the events of these people nobody's: they keep name, time, amount and origin, so that figures stay, and lose everything else. The
// people's mirror rows are deleted. It returns how many events that were; doing it again finds none.
func (s *Store) Strip(ctx context.Context, ws string, people []uint64) (n int64, err error) {
	err = s.remove(ctx, ws, people, func(ctx context.Context, c *change) error {
		var found uint64
		if err := s.read(ctx, &found, `SELECT count() FROM event_raw WHERE ws = ? AND person IN ? AND `+c.before, ws, people); err != nil {
			return err
		}
		n = int64(found)
		columns := strings.Join(bare, ", ")
		return s.write(ctx, `INSERT INTO event_raw (`+columns+`, props, context, commit) SELECT `+columns+`, '{}', '{}', `+fmt.Sprint(c.number)+` FROM event_raw WHERE ws = ? AND person IN ? AND `+c.before, ws, people)
	})
	if err != nil {
		return 0, fmt.Errorf("event store: strip: %w", err)
	}
	return n, nil
}

// Drop deletes people with all their events.
func (s *Store) Drop(ctx context.Context, ws string, people []uint64) error {
	if err := s.remove(ctx, ws, people, func(context.Context, *change) error { return nil }); err != nil {
		return fmt.Errorf("event store: drop: %w", err)
	}
	return nil
}

// remove takes people away: what instead writes in their place is seen from the moment on at which they are not. Then their rows are rewritten on disk.
func (s *Store) remove(ctx context.Context, ws string, people []uint64, instead func(context.Context, *change) error) error {
	if len(people) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	err := s.commit(ctx, 0, func(ctx context.Context, c *change) error {
		if err := instead(ctx, c); err != nil {
			return err
		}
		for _, p := range slices.Compact(slices.Sorted(slices.Values(people))) {
			c.withdraw(eventstore.Who{WS: ws, Num: p})
		}
		var b event.Batch
		for _, p := range people {
			b.Gone = append(b.Gone, event.RemovedPerson{Workspace: ws, Num: p})
		}
		return s.people(ctx, c, b)
	})
	if err != nil {
		return err
	}
	// Rows of people who were merged into these are withdrawn under their own numbers, so everything that is withdrawn goes.
	if err := s.delete(ctx); err != nil {
		return err
	}
	if err := s.write(ctx, `ALTER TABLE person_raw DELETE WHERE ws = ? AND num IN ?`, ws, people); err != nil {
		return err
	}
	return s.write(ctx, `ALTER TABLE event_raw APPLY DELETED MASK`)
}

// DropSource deletes what a source has told.
func (s *Store) DropSource(ctx context.Context, ws, source string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if err := s.write(context.WithoutCancel(ctx), `ALTER TABLE event_raw DELETE WHERE ws = ? AND source = ?`, ws, source); err != nil {
		return fmt.Errorf("event store: drop: %w", err)
	}
	return nil
}

// Scrub waits until no file holds what was deleted or changed any more: the server writes parts anew and removes the old ones some seconds later.
func (s *Store) Scrub(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	for _, q := range []string{`ALTER TABLE event_raw APPLY DELETED MASK`, `OPTIMIZE TABLE person_raw FINAL`} {
		if err := s.write(ctx, q); err != nil {
			return fmt.Errorf("event store: rewrite: %w", err)
		}
	}
	for {
		var old uint64
		if err := s.read(ctx, &old, `SELECT count() FROM system.parts WHERE database = ? AND table IN ('event_raw', 'person_raw') AND NOT active`, s.database); err != nil {
			return fmt.Errorf("event store: rewrite: %w", err)
		}
		if old == 0 {
			return nil
		}
		if err := lifecycle.Sleep(ctx, 500*time.Millisecond); err != nil {
			return fmt.Errorf("event store: rewrite: %d old parts are still there: %w", old, err)
		}
	}
}

// read reads one value.
func (s *Store) read(ctx context.Context, into any, query string, args ...any) error {
	rows, err := s.rows(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into); err != nil {
			return err
		}
	}
	return rows.Err()
}

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
