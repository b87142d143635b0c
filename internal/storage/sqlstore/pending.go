package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// PendingEvent holds internal events between the transaction that caused them and the log (an outbox in the sense
// of the transactional outbox pattern). It implements event.Emitter; the relay empties it with Next and Done.
type PendingEvent struct{ db *sqldb.DB }

var _ event.Emitter = (*PendingEvent)(nil)

// Pending is one event that waits for the log.
type Pending struct {
	ID    string // for Done
	Event event.Event
}

// NewPendingEvent returns the store of pending events.
func NewPendingEvent(db *sqldb.DB) *PendingEvent { return &PendingEvent{db} }

// Emit adds events, in the transaction of ctx if there is one. An event without workspace, message id or time is a mistake of the caller
// and refused; an empty origin becomes Internal, an empty time of receipt the event's own time, an empty trace that of the person in ctx, and
// no hops those of the person in ctx.
func (s *PendingEvent) Emit(ctx context.Context, events ...event.Event) error {
	rows := make([][]any, len(events))
	for i, e := range events {
		if e.Workspace == "" || e.MessageID == "" || e.Time.IsZero() {
			return fmt.Errorf("emit %q: workspace, message id and time must be set", e.Name)
		}
		if e.Origin == "" {
			e.Origin = event.Internal
		}
		if e.Received.IsZero() {
			e.Received = e.Time
		}
		if e.Trace == "" {
			e.Trace = trace.Of(ctx, e.PersonID)
		}
		if e.Hops == 0 {
			e.Hops = event.HopsOf(ctx, e.PersonID)
		}
		payload, err := event.EncodeBatch([]event.Event{e})
		if err != nil {
			return fmt.Errorf("emit %q: %w", e.Name, err)
		}
		rows[i] = []any{id.New("pe"), e.Workspace, string(payload)}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO pending_event (id, workspace_id, payload) VALUES ($1, $2, $3)`, rows)
	return err
}

// Next returns up to limit committed events in the order in which this process emitted them, without removing them. An event
// whose transaction commits late appears late: what counts as delivered is what Done was told, never a position.
func (s *PendingEvent) Next(ctx context.Context, limit int) ([]Pending, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (p Pending, err error) {
		var payload string
		if err := r.Scan(&p.ID, &payload); err != nil {
			return p, err
		}
		events, err := event.DecodeBatch([]byte(payload))
		if err != nil || len(events) != 1 {
			return p, fmt.Errorf("pending event %s: %d events in one row: %w", p.ID, len(events), err)
		}
		p.Event = events[0]
		return p, nil
	}, `SELECT id, payload FROM pending_event ORDER BY id LIMIT $1`, limit)
}

// Newest returns the id of the youngest event that waits, "" if none does.
func (s *PendingEvent) Newest(ctx context.Context) (string, error) {
	id, err := sqldb.One(ctx, s.db, sqldb.Value[string], `SELECT id FROM pending_event ORDER BY id DESC LIMIT 1`)
	if errors.Is(err, sqldb.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// Done removes events that are safely on the log. Unknown ids are ignored, so it may be repeated.
func (s *PendingEvent) Done(ctx context.Context, ids []string) error {
	clause, arg := s.db.In(1, ids)
	_, err := s.db.Exec(ctx, `DELETE FROM pending_event WHERE id `+clause, arg)
	return err
}

// Positions remembers how far consumers have read the log.
type Positions struct{ db *sqldb.DB }

// NewPositions returns the store of log positions.
func NewPositions(db *sqldb.DB) *Positions { return &Positions{db} }

// Position returns the last record that the consumer has finished, 0 at first.
func (s *Positions) Position(ctx context.Context, consumer string) (uint64, error) {
	seq, err := sqldb.One(ctx, s.db, sqldb.Value[uint64], `SELECT seq FROM log_position WHERE consumer = $1`, consumer)
	if errors.Is(err, sqldb.ErrNoRows) {
		return 0, nil
	}
	return seq, err
}

// SetPosition notes, in the transaction of ctx if there is one, that the consumer has finished everything up to seq. A position
// never moves back: an older one is ignored.
func (s *Positions) SetPosition(ctx context.Context, consumer string, seq uint64) error {
	_, err := s.db.Exec(ctx, `INSERT INTO log_position (consumer, seq) VALUES ($1, $2)
		ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq WHERE log_position.seq < excluded.seq`, consumer, seq)
	return err
}
