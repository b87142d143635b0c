package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Outbox implements outbox.Store and outbox.AccountStore.
type Outbox struct{ db *sqldb.DB }

// NewOutbox returns the store of messages and channel accounts on db.
func NewOutbox(db *sqldb.DB) *Outbox { return &Outbox{db} }

var (
	_ outbox.Store        = (*Outbox)(nil)
	_ outbox.AccountStore = (*Outbox)(nil)
)

const messageColumns = `id, workspace_id, person_id, channel, topic_id, template_id, template_version,
	source_kind, source_id, source_version, node, idem_key, vars, transactional, goal_event, goal_window, address, subject,
	state, owner, in_flight, reason, detail, code, attempts, uncertain, created_at, not_before, due_at,
	sent_at, delivered_at, bounced_at, opened_at, machine_opened_at, clicked_at, converted_at, unsubscribed_at, hard_bounced_at, complained_at,
	data, priority, body, given, print, ended_at, goal, replied_at, machine_clicked_at, trace, hops`

// claimColumns are what a sender needs to know of a message; the rest is about what comes after sending.
const claimColumns = `id, workspace_id, person_id, channel, topic_id, template_id, template_version,
	source_kind, source_id, source_version, node, idem_key, vars, transactional, address, owner, reason, detail, code, attempts, uncertain, not_before, due_at, data, priority, body, given, trace, hops`

// scanClaimed reads a message that has just been claimed.
func scanClaimed(r sqldb.Row) (m outbox.Message, err error) {
	var vars, data string
	m.State = outbox.Claimed
	if err = r.Scan(&m.ID, &m.Workspace, &m.PersonID, &m.Channel, &m.Topic, &m.Template, &m.TemplateVersion,
		&m.Source.Kind, &m.Source.ID, &m.Source.Version, &m.Source.Node, &m.Key, &vars, &m.Transactional, &m.Address, &m.Claim, &m.Reason, &m.Detail, &m.Code, &m.Attempts, &m.Uncertain,
		&m.NotBefore, &m.DueAt, &data, (*int)(&m.Priority), &m.Body, &m.Given, &m.Trace, &m.Hops); err != nil {
		return m, err
	}
	return m, errors.Join(unmarshal(vars, &m.Vars), unmarshal(data, &m.Data))
}

// unmarshal reads JSON that may be missing.
func unmarshal(raw string, into any) error {
	if raw == "" {
		return nil
	}
	return json.Unmarshal([]byte(raw), into)
}

func scanMessage(r sqldb.Row) (m outbox.Message, err error) {
	var vars, data, goal string
	var window int64
	err = r.Scan(&m.ID, &m.Workspace, &m.PersonID, &m.Channel, &m.Topic, &m.Template, &m.TemplateVersion,
		&m.Source.Kind, &m.Source.ID, &m.Source.Version, &m.Source.Node, &m.Key, &vars, &m.Transactional, &m.Goal.Event, &window, &m.Address, &m.Subject,
		(*string)(&m.State), &m.Claim, &m.InFlight, &m.Reason, &m.Detail, &m.Code, &m.Attempts, &m.Uncertain, &m.CreatedAt, &m.NotBefore, &m.DueAt,
		&m.SentAt, &m.DeliveredAt, &m.BouncedAt, &m.OpenedAt, &m.MachineOpenedAt, &m.ClickedAt, &m.ConvertedAt, &m.UnsubscribedAt, &m.HardBouncedAt, &m.ComplainedAt,
		&data, (*int)(&m.Priority), &m.Body, &m.Given, &m.Print, &m.EndedAt, &goal, &m.RepliedAt, &m.MachineClickedAt, &m.Trace, &m.Hops)
	if err != nil {
		return m, err
	}
	m.Goal.Window = time.Duration(window) * time.Microsecond
	return m, errors.Join(unmarshal(vars, &m.Vars), unmarshal(goal, &m.Goal), unmarshal(data, &m.Data))
}

// evidence is how Data is stored: JSON, or nothing.
func evidence(e outbox.Evidence) string {
	if len(e) == 0 {
		return ""
	}
	raw, err := json.Marshal(e)
	if err != nil { // text, numbers, booleans and times always marshal
		return ""
	}
	return string(raw)
}

// ByKeys returns messages by idempotency key.
func (s *Outbox) ByKeys(ctx context.Context, ws string, keys []string) (map[string]outbox.Message, error) {
	in, arg := s.db.In(2, keys)
	found, err := sqldb.Collect(ctx, s.db, scanMessage, `SELECT `+messageColumns+` FROM message WHERE workspace_id = $1 AND idem_key `+in, ws, arg)
	if err != nil {
		return nil, err
	}
	out := make(map[string]outbox.Message, len(found))
	for _, m := range found {
		out[m.Key] = m
	}
	return out, nil
}

// Insert adds messages.
func (s *Outbox) Insert(ctx context.Context, ws string, messages []outbox.Message) (int64, error) {
	if len(messages) == 0 {
		return 0, nil
	}
	rows := make([][]any, len(messages))
	for i, m := range messages {
		vars := ""
		if len(m.Vars) > 0 {
			raw, err := json.Marshal(m.Vars)
			if err != nil {
				return 0, errs.Invalid("outbox.vars.invalid", "vars", "the variables of message %q cannot be stored: %v", m.Key, err)
			}
			vars = string(raw)
		}
		goal := ""
		if len(m.Goal.Filter) > 0 || m.Goal.Value != "" {
			raw, err := json.Marshal(outbox.Goal{Filter: m.Goal.Filter, Value: m.Goal.Value})
			if err != nil {
				return 0, errs.Invalid("outbox.goal.invalid", "goal", "the goal of message %q cannot be stored: %v", m.Key, err)
			}
			goal = string(raw)
		}
		rows[i] = []any{
			m.ID, ws, m.PersonID, m.Channel, m.Topic, m.Template, m.TemplateVersion,
			m.Source.Kind, m.Source.ID, m.Source.Version, m.Source.Node, m.Key, vars, m.Transactional, m.Goal.Event, m.Goal.Window.Microseconds(), m.Address,
			string(m.State), m.Reason, m.Detail, m.CreatedAt, m.NotBefore, m.DueAt, evidence(m.Data), int(m.Priority), m.Body, m.Given, m.Print, m.EndedAt, goal, m.Trace, m.Hops,
		}
	}
	return s.db.Bulk(ctx, `INSERT INTO message (`+messageColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, '',
			$18, '', FALSE, $19, $20, '', 0, 0, $21, $22, $23, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			$24, $25, $26, $27, $28, $29, $30, 0, 0, $31, $32)
		ON CONFLICT (workspace_id, idem_key) DO NOTHING`, rows)
}

// NoteGoals remembers goal events.
func (s *Outbox) NoteGoals(ctx context.Context, ws string, events []string) error {
	rows := make([][]any, len(events))
	for i, e := range events {
		rows[i] = []any{ws, e}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO message_goal (workspace_id, event) VALUES ($1, $2) ON CONFLICT (workspace_id, event) DO NOTHING`, rows)
	return err
}

// Goals returns goal events.
func (s *Outbox) Goals(ctx context.Context, ws string) ([]string, error) {
	return sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT event FROM message_goal WHERE workspace_id = $1 ORDER BY event`, ws)
}

// Message returns one message.
func (s *Outbox) Message(ctx context.Context, ws, id string) (outbox.Message, error) {
	m, err := sqldb.One(ctx, s.db, scanMessage, `SELECT `+messageColumns+` FROM message WHERE id = $1 AND workspace_id = $2`, id, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return m, errs.NotFound("message", id)
	}
	return m, err
}

// Find returns one message of any workspace.
func (s *Outbox) Find(ctx context.Context, id string) (outbox.Message, error) {
	m, err := sqldb.One(ctx, s.db, scanMessage, `SELECT `+messageColumns+` FROM message WHERE id = $1`, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return m, errs.NotFound("message", id)
	}
	return m, err
}

// Messages returns messages by id.
func (s *Outbox) Messages(ctx context.Context, ws string, ids []string) (map[string]outbox.Message, error) {
	in, arg := s.db.In(2, ids)
	found, err := sqldb.Collect(ctx, s.db, scanMessage, `SELECT `+messageColumns+` FROM message WHERE workspace_id = $1 AND id `+in, ws, arg)
	out := make(map[string]outbox.Message, len(found))
	for _, m := range found {
		out[m.ID] = m
	}
	return out, err
}

// SetStopped stops or resumes sending.
func (s *Outbox) SetStopped(ctx context.Context, ws string, stopped bool, at time.Time) error {
	if !stopped {
		_, err := s.db.Exec(ctx, `DELETE FROM sending_stop WHERE workspace_id = $1`, ws)
		return err
	}
	_, err := s.db.Exec(ctx, `INSERT INTO sending_stop (workspace_id, stopped_at) VALUES ($1, $2) ON CONFLICT (workspace_id) DO NOTHING`, ws, at)
	return err
}

// Stopped returns since when sending is stopped.
func (s *Outbox) Stopped(ctx context.Context, ws string) (time.Time, error) {
	at, err := sqldb.One(ctx, s.db, func(r sqldb.Row) (at time.Time, err error) {
		err = r.Scan(&at)
		return at, err
	}, `SELECT stopped_at FROM sending_stop WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return time.Time{}, nil
	}
	return at, err
}

// Policy returns the workspace's policy.
func (s *Outbox) Policy(ctx context.Context, ws string) (p outbox.Policy, err error) {
	raw, err := sqldb.One(ctx, s.db, sqldb.Value[string], `SELECT policy FROM sending_policy WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(raw), &p)
}

// SetPolicy replaces it.
func (s *Outbox) SetPolicy(ctx context.Context, ws string, p outbox.Policy, at time.Time) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO sending_policy (workspace_id, policy, updated_at) VALUES ($1, $2, $3)
		ON CONFLICT (workspace_id) DO UPDATE SET policy = excluded.policy, updated_at = excluded.updated_at`, ws, string(raw), at)
	return err
}

// Taken returns slots of people, and when what has none was sent.
func (s *Outbox) Taken(ctx context.Context, ws string, personIDs []string, since time.Time) ([]outbox.Slot, error) {
	in, arg := s.db.In(2, personIDs)
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o outbox.Slot, err error) {
		err = r.Scan(&o.MessageID, &o.PersonID, &o.Channel, &o.Topic, &o.At)
		return o, err
	}, `SELECT id, person_id, channel, topic_id, slot_at FROM message
		WHERE workspace_id = $1 AND person_id `+in+` AND slot_at > 0 AND slot_at >= $3
			AND (state IN ('queued', 'claimed', 'sent', 'bounced') OR uncertain > 0)
		UNION ALL SELECT id, person_id, channel, topic_id, sent_at FROM message
		WHERE workspace_id = $1 AND person_id `+in+` AND slot_at = 0 AND sent_at > 0 AND transactional = FALSE AND sent_at >= $3
		ORDER BY 5, 1`, ws, arg, since)
}

// Rivals returns what is on its way to people.
func (s *Outbox) Rivals(ctx context.Context, ws string, personIDs []string, due time.Time) ([]outbox.Message, error) {
	in, arg := s.db.In(2, personIDs)
	return sqldb.Collect(ctx, s.db, scanMessage, `SELECT `+messageColumns+` FROM message
		WHERE workspace_id = $1 AND person_id `+in+` AND ended_at = 0 AND transactional = FALSE AND (state = 'claimed' OR due_at <= $3)
		ORDER BY priority DESC, due_at, id`, ws, arg, due)
}

// Displace refuses messages that have not left.
func (s *Outbox) Displace(ctx context.Context, ws, reason string, data map[string]outbox.Evidence, at time.Time) (map[string]bool, error) {
	done := map[string]bool{}
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		clear(done)
		for id, e := range data {
			n, err := s.db.Exec(ctx, `UPDATE message SET state = 'refused', owner = '', reason = $3, detail = '', data = $4, ended_at = $5
				WHERE workspace_id = $1 AND id = $2 AND state IN ('queued', 'claimed') AND in_flight = FALSE`, ws, id, reason, evidence(e), at)
			if err != nil {
				return err
			}
			if n > 0 {
				done[id] = true
			}
		}
		return nil
	})
	return done, err
}

// Take gives messages a slot.
func (s *Outbox) Take(ctx context.Context, ws string, held []outbox.Held, at time.Time) error {
	rows := make([][]any, len(held))
	for i, h := range held {
		rows[i] = []any{h.MessageID, ws, h.Claim, at}
	}
	_, err := s.db.Bulk(ctx, `UPDATE message SET slot_at = $4 WHERE id = $1 AND workspace_id = $2 AND owner = $3 AND state = 'claimed'`, rows)
	return err
}

// PutBody keeps the sealed body of a message.
func (s *Outbox) PutBody(ctx context.Context, ws, messageID string, sealed []byte) error {
	_, err := s.db.Exec(ctx, `INSERT INTO message_body (workspace_id, message_id, sealed) VALUES ($1, $2, $3)
		ON CONFLICT (workspace_id, message_id) DO UPDATE SET sealed = excluded.sealed`, ws, messageID, sealed)
	return err
}

// Body returns it.
func (s *Outbox) Body(ctx context.Context, ws, messageID string) ([]byte, error) {
	raw, err := sqldb.One(ctx, s.db, sqldb.Value[[]byte], `SELECT sealed FROM message_body WHERE workspace_id = $1 AND message_id = $2`, ws, messageID)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, errs.NotFound("message body", messageID)
	}
	return raw, err
}

// PurgeBodies removes bodies of messages that have ended.
func (s *Outbox) PurgeBodies(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.db.Exec(ctx, `DELETE FROM message_body WHERE message_id IN (
		SELECT b.message_id FROM message_body b JOIN message m ON m.id = b.message_id
		WHERE m.ended_at > 0 AND m.ended_at < $1 AND m.state NOT IN ('queued', 'claimed') LIMIT $2)`, before, limit)
}

// Repoint gives the loser's messages to the winner.
func (s *Outbox) Repoint(ctx context.Context, ws, loser, winner string) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, `UPDATE message SET person_id = $3 WHERE workspace_id = $1 AND person_id = $2`, ws, loser, winner); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, `UPDATE message_outcome SET person_id = $3 WHERE workspace_id = $1 AND person_id = $2`, ws, loser, winner); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, `UPDATE bounce SET person_id = $3 WHERE workspace_id = $1 AND person_id = $2`, ws, loser, winner); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, `UPDATE message_conversion SET person_id = $3 WHERE workspace_id = $1 AND person_id = $2`, ws, loser, winner)
		return err
	})
}
