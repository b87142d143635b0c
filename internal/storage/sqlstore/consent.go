package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Consent implements consent.Store.
type Consent struct{ db *sqldb.DB }

// NewConsent returns the store of consent on db.
func NewConsent(db *sqldb.DB) *Consent { return &Consent{db} }

var _ consent.Store = (*Consent)(nil)

// latestTime is where lists that show the latest first begin. Later years do not survive JSON cursors.
var latestTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

const topicColumns = `id, name, description, channels, opt_in, archived, created_at, updated_at, confirmation, text_version`

func scanTopic(r sqldb.Row) (t consent.Topic, err error) {
	var channels string
	if err = r.Scan(&t.ID, &t.Name, &t.Description, &channels, (*string)(&t.OptIn), &t.Archived, &t.CreatedAt, &t.UpdatedAt, &t.Confirmation, &t.TextVersion); err != nil {
		return t, err
	}
	return t, json.Unmarshal([]byte(channels), &t.Channels)
}

func nameTaken(err error, name string) error {
	if sqldb.IsUnique(err) {
		return errs.Conflict("consent.topic.name_taken", "there is a topic named %q already; choose another name", name).With(err)
	}
	return err
}

// InsertTopic adds a topic.
func (s *Consent) InsertTopic(ctx context.Context, ws string, t consent.Topic) error {
	channels, err := json.Marshal(t.Channels)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO topic (workspace_id, name_key, `+topicColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		ws, strings.ToLower(t.Name), t.ID, t.Name, t.Description, string(channels), string(t.OptIn), t.Archived, t.CreatedAt, t.UpdatedAt, t.Confirmation, t.TextVersion)
	return nameTaken(err, t.Name)
}

// UpdateTopic replaces a topic.
func (s *Consent) UpdateTopic(ctx context.Context, ws string, t consent.Topic) error {
	channels, err := json.Marshal(t.Channels)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `UPDATE topic SET name_key = $3, name = $4, description = $5, channels = $6, opt_in = $7, archived = $8, updated_at = $9, confirmation = $10, text_version = $11
		WHERE workspace_id = $1 AND id = $2`,
		ws, t.ID, strings.ToLower(t.Name), t.Name, t.Description, string(channels), string(t.OptIn), t.Archived, t.UpdatedAt, t.Confirmation, t.TextVersion)
	if err == nil && n == 0 {
		return errs.NotFound("topic", t.ID)
	}
	return nameTaken(err, t.Name)
}

// Topic returns one topic.
func (s *Consent) Topic(ctx context.Context, ws, id string) (consent.Topic, error) {
	t, err := sqldb.One(ctx, s.db, scanTopic, `SELECT `+topicColumns+` FROM topic WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return t, errs.NotFound("topic", id)
	}
	return t, err
}

// Topics returns all topics.
func (s *Consent) Topics(ctx context.Context, ws string) ([]consent.Topic, error) {
	return sqldb.Collect(ctx, s.db, scanTopic, `SELECT `+topicColumns+` FROM topic WHERE workspace_id = $1 ORDER BY created_at, id`, ws)
}

const recordColumns = `id, person_id, topic_id, channel, status, source, evidence, cause, said_at, recorded_at, ip, text_version, message_id`

func scanRecord(r sqldb.Row) (c consent.Record, err error) {
	err = r.Scan(&c.ID, &c.PersonID, &c.Topic, &c.Channel, (*string)(&c.Status), &c.Source, &c.Evidence, &c.Cause, &c.At, &c.Recorded, &c.IP, &c.TextVersion, &c.MessageID)
	return c, err
}

// AddRecords appends to the history.
func (s *Consent) AddRecords(ctx context.Context, ws string, records []consent.Record) (map[string]bool, error) {
	added := make(map[string]bool, len(records))
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		clear(added)
		ids := make([]string, len(records))
		for i, r := range records {
			ids[i] = r.ID
		}
		in, arg := s.db.In(2, ids)
		known, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT id FROM consent_record WHERE workspace_id = $1 AND id `+in, ws, arg)
		if err != nil {
			return err
		}
		seen := make(map[string]bool, len(known))
		for _, id := range known {
			seen[id] = true
		}
		var rows [][]any
		for _, r := range records {
			if seen[r.ID] {
				continue
			}
			seen[r.ID], added[r.ID] = true, true
			rows = append(rows, []any{ws, r.ID, r.PersonID, r.Topic, r.Channel, string(r.Status), r.Source, r.Evidence, r.Cause, r.At, r.Recorded, r.IP, r.TextVersion, r.MessageID})
		}
		if len(rows) == 0 {
			return nil
		}
		_, err = s.db.Bulk(ctx, `INSERT INTO consent_record (workspace_id, `+recordColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
			ON CONFLICT (workspace_id, id) DO NOTHING`, rows)
		return err
	})
	return added, err
}

// Records returns a person's history.
func (s *Consent) Records(ctx context.Context, ws, personID string, p page.Request) (page.Of[consent.Record], error) {
	at, id := latestTime, ""
	if _, err := page.Decode(p.Cursor, &at, &id); err != nil {
		return page.Of[consent.Record]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanRecord, `SELECT `+recordColumns+` FROM consent_record
		WHERE workspace_id = $1 AND person_id = $2 AND (said_at, id) < ($3, $4) ORDER BY said_at DESC, id DESC LIMIT $5`,
		ws, personID, at, id, p.Size()+1)
	return page.Cut(items, p.Size(), func(r consent.Record) string { return page.Encode(r.At, r.ID) }), err
}

// PutStates writes states unless newer ones are kept.
func (s *Consent) PutStates(ctx context.Context, ws string, states []consent.State) error {
	if len(states) == 0 {
		return nil
	}
	rows := make([][]any, len(states))
	for i, st := range states {
		rows[i] = []any{ws, st.PersonID, st.Topic, st.Channel, string(st.Status), st.Source, st.At}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO consent_state (workspace_id, person_id, topic_id, channel, status, source, said_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (workspace_id, person_id, topic_id, channel) DO UPDATE
		SET status = excluded.status, source = excluded.source, said_at = excluded.said_at
		WHERE excluded.said_at > consent_state.said_at
		   OR (excluded.said_at = consent_state.said_at AND excluded.status = 'unsubscribed')`, rows)
	return err
}

// States returns all states of the people.
func (s *Consent) States(ctx context.Context, ws string, personIDs []string) ([]consent.State, error) {
	in, arg := s.db.In(2, personIDs)
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (st consent.State, err error) {
		err = r.Scan(&st.PersonID, &st.Topic, &st.Channel, (*string)(&st.Status), &st.Source, &st.At)
		return st, err
	}, `SELECT person_id, topic_id, channel, status, source, said_at FROM consent_state
		WHERE workspace_id = $1 AND person_id `+in+` ORDER BY person_id, topic_id, channel`, ws, arg)
}

// Settings returns people's settings.
func (s *Consent) Settings(ctx context.Context, ws string, personIDs []string) (map[string]consent.Settings, error) {
	in, arg := s.db.In(2, personIDs)
	out := map[string]consent.Settings{}
	_, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (id string, err error) {
		var st consent.Settings
		if err = r.Scan(&id, &st.PausedUntil, &st.Weekly); err == nil {
			out[id] = st
		}
		return id, err
	}, `SELECT person_id, paused_until, weekly FROM consent_settings WHERE workspace_id = $1 AND person_id `+in, ws, arg)
	return out, err
}

// PutSettings replaces them.
func (s *Consent) PutSettings(ctx context.Context, ws, personID string, st consent.Settings) error {
	if st == (consent.Settings{}) {
		_, err := s.db.Exec(ctx, `DELETE FROM consent_settings WHERE workspace_id = $1 AND person_id = $2`, ws, personID)
		return err
	}
	_, err := s.db.Exec(ctx, `INSERT INTO consent_settings (workspace_id, person_id, paused_until, weekly) VALUES ($1, $2, $3, $4)
		ON CONFLICT (workspace_id, person_id) DO UPDATE SET paused_until = excluded.paused_until, weekly = excluded.weekly`, ws, personID, st.PausedUntil, st.Weekly)
	return err
}

// TakeOver gives the loser's history to the winner.
func (s *Consent) TakeOver(ctx context.Context, ws, loser, winner string) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, `UPDATE consent_record SET person_id = $3 WHERE workspace_id = $1 AND person_id = $2`, ws, loser, winner); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, `DELETE FROM consent_state WHERE workspace_id = $1 AND person_id IN ($2, $3)`, ws, loser, winner)
		return err
	})
}

const suppressionColumns = `channel, address_hash, hint, reason, detail, suppressed_at, person_id`

func scanSuppression(r sqldb.Row) (e consent.Suppression, err error) {
	err = r.Scan(&e.Channel, &e.Hash, &e.Hint, (*string)(&e.Reason), &e.Detail, &e.At, &e.PersonID)
	return e, err
}

// PutSuppressions adds entries.
func (s *Consent) PutSuppressions(ctx context.Context, ws string, entries []consent.Suppression) (int, error) {
	if len(entries) == 0 {
		return 0, nil
	}
	added := 0
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		added = 0
		byChannel := map[string][]string{}
		rows := make([][]any, len(entries))
		for i, e := range entries {
			byChannel[e.Channel] = append(byChannel[e.Channel], e.Hash)
			rows[i] = []any{ws, e.Channel, e.Hash, e.Hint, string(e.Reason), e.Detail, e.At, e.PersonID}
		}
		added = len(entries)
		for ch, hashes := range byChannel {
			known, err := s.Suppressed(ctx, ws, ch, hashes)
			if err != nil {
				return err
			}
			added -= len(known)
		}
		_, err := s.db.Bulk(ctx, `INSERT INTO suppression (workspace_id, `+suppressionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (workspace_id, channel, address_hash) DO UPDATE
			SET reason = excluded.reason, detail = excluded.detail, suppressed_at = excluded.suppressed_at
			WHERE suppression.reason IN ('unsubscribed_all', 'list_unsubscribe') AND excluded.reason NOT IN ('unsubscribed_all', 'list_unsubscribe')`, rows)
		if err != nil {
			return err
		}
		var holders [][]any
		for _, e := range entries {
			if e.PersonID != "" {
				holders = append(holders, []any{ws, e.Channel, e.Hash, e.PersonID})
			}
		}
		if len(holders) == 0 {
			return nil
		}
		_, err = s.db.Bulk(ctx, `UPDATE suppression SET person_id = $4 WHERE workspace_id = $1 AND channel = $2 AND address_hash = $3 AND person_id <> $4`, holders)
		return err
	})
	return added, err
}

// RemoveSuppression removes an entry.
func (s *Consent) RemoveSuppression(ctx context.Context, ws, channel, hash string) (consent.Suppression, bool, error) {
	e, err := sqldb.One(ctx, s.db, scanSuppression, `DELETE FROM suppression WHERE workspace_id = $1 AND channel = $2 AND address_hash = $3 RETURNING `+suppressionColumns, ws, channel, hash)
	if errors.Is(err, sqldb.ErrNoRows) {
		return e, false, nil
	}
	return e, err == nil, err
}

const holdColumns = `id, person_id, ground, note, stops_all, actor, actor_name, made_at, until_at, marks`

// Holds returns what suppresses people.
func (s *Consent) Holds(ctx context.Context, ws string, personIDs []string) ([]consent.Hold, error) {
	in, arg := s.db.In(2, personIDs)
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (h consent.Hold, err error) {
		var marks string
		if err = r.Scan(&h.ID, &h.PersonID, (*string)(&h.Ground), &h.Note, &h.All, &h.Actor, &h.ActorName, &h.At, &h.Until, &marks); err != nil {
			return h, err
		}
		return h, json.Unmarshal([]byte(marks), &h.Marks)
	}, `SELECT `+holdColumns+` FROM person_hold WHERE workspace_id = $1 AND person_id `+in+` ORDER BY made_at, id`, ws, arg)
}

// PutHolds adds holds.
func (s *Consent) PutHolds(ctx context.Context, ws string, holds []consent.Hold) error {
	rows := make([][]any, len(holds))
	for i, h := range holds {
		marks, err := json.Marshal(h.Marks)
		if err != nil {
			return err
		}
		rows[i] = []any{ws, h.ID, h.PersonID, string(h.Ground), h.Note, h.All, h.Actor, h.ActorName, h.At, h.Until, string(marks)}
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO person_hold (workspace_id, `+holdColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (workspace_id, id) DO UPDATE SET person_id = excluded.person_id, ground = excluded.ground, note = excluded.note, stops_all = excluded.stops_all,
			actor = excluded.actor, actor_name = excluded.actor_name, made_at = excluded.made_at, until_at = excluded.until_at, marks = excluded.marks`, rows)
	return err
}

// TakeEndedHolds removes holds whose end has come.
func (s *Consent) TakeEndedHolds(ctx context.Context, at time.Time, limit int) (map[string][]string, error) {
	out := map[string][]string{}
	_, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (n struct{}, err error) {
		var ws, who string
		err = r.Scan(&ws, &who)
		out[ws] = append(out[ws], who)
		return n, err
	}, `DELETE FROM person_hold WHERE (workspace_id, id) IN (SELECT workspace_id, id FROM person_hold WHERE until_at > 0 AND until_at <= $1 ORDER BY until_at LIMIT $2)
		RETURNING workspace_id, person_id`, at, limit)
	return out, err
}

// RemoveHolds removes a person's holds.
func (s *Consent) RemoveHolds(ctx context.Context, ws, personID string) (int, error) {
	n, err := s.db.Exec(ctx, `DELETE FROM person_hold WHERE workspace_id = $1 AND person_id = $2`, ws, personID)
	return int(n), err
}

// Suppressed returns the entries with these hashes.
func (s *Consent) Suppressed(ctx context.Context, ws, channel string, hashes []string) (map[string]consent.Suppression, error) {
	in, arg := s.db.In(3, hashes)
	found, err := sqldb.Collect(ctx, s.db, scanSuppression, `SELECT `+suppressionColumns+` FROM suppression
		WHERE workspace_id = $1 AND channel = $2 AND address_hash `+in, ws, channel, arg)
	out := make(map[string]consent.Suppression, len(found))
	for _, e := range found {
		out[e.Hash] = e
	}
	return out, err
}

// Suppressions lists entries.
func (s *Consent) Suppressions(ctx context.Context, ws string, f consent.SuppressionFilter, p page.Request) (page.Of[consent.Suppression], error) {
	at, hash := latestTime, ""
	if _, err := page.Decode(p.Cursor, &at, &hash); err != nil {
		return page.Of[consent.Suppression]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanSuppression, `SELECT `+suppressionColumns+` FROM suppression
		WHERE workspace_id = $1 AND (suppressed_at, address_hash) < ($2, $3)
		  AND ($4 = '' OR channel = $4) AND ($5 = '' OR reason = $5) AND ($7 = '' OR address_hash = $7)
		ORDER BY suppressed_at DESC, address_hash DESC LIMIT $6`,
		ws, at, hash, f.Channel, string(f.Reason), p.Size()+1, f.Hash)
	return page.Cut(items, p.Size(), func(e consent.Suppression) string { return page.Encode(e.At, e.Hash) }), err
}
