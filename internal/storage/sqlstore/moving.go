package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// staysBehind are the tables of a workspace of which nothing goes along when it moves to another installation, with the reason.
var staysBehind = map[string]string{
	"staff_session": "whoever was signed in signs in at the new address",
	"staff_link":    "an invitation leads to the old address",
}

// installations are the tables that belong to an installation and to none of its workspaces: nothing of them goes along, and nothing is taken from them.
var installations = map[string]string{
	"log_position":    "each installation has its own log",
	"log_key":         "each installation has its own log",
	"privacy_version": "tells running processes that something has changed, and none runs",
	"lease":           "work of processes",
	"workspace_move":  "says that it has moved",
	"backup":          "of an installation as a whole",
}

// foundOtherwise are the tables whose rows belong to a workspace by something else than a column workspace_id, with what that is. A Move makes the conditions.
var foundOtherwise = map[string]string{
	"workspace":     "is the workspace",
	"staff_user":    "its members, as far as the other installation does not know them",
	"staff_key":     "by its column, but for keys whose secret opens another workspace there",
	"message_owner": "whoever holds some of its messages",
}

// positions are the columns that hold a place in the log, which is another one there. 0 is before everything that the new log brings, and that is what all of it
// came before: whoever asks only asks that. Journeys hold one more, in JSON: see triggerBefore.
var positions = []string{"event_seen.seq", "event_seen.idx", "person.redirect_seq"}

// Move is one workspace on its way from one record store to another, that of an installation with the same master key. Nobody may use either meanwhile.
type Move struct {
	from, to  *sqldb.DB
	workspace string
	newcomers []string          // members whom the other installation does not know
	renamed   map[string]string // members whom it knows under another id
	keys      []string          // ids of API keys that stay behind
	behind    []string          // their names
}

// NewMove looks at who belongs to the workspace on both sides.
func NewMove(ctx context.Context, from, to *sqldb.DB, ws string) (*Move, error) {
	m := &Move{from: from, to: to, workspace: ws, renamed: map[string]string{}}
	type member struct{ id, email string }
	members, err := sqldb.Collect(ctx, from, func(r sqldb.Row) (u member, err error) {
		return u, r.Scan(&u.id, &u.email)
	}, `SELECT u.id, u.email FROM staff_user u JOIN staff_member m ON m.user_id = u.id WHERE m.workspace_id = $1 ORDER BY u.id`, ws)
	if err != nil {
		return nil, err
	}
	for _, u := range members {
		there, err := sqldb.One(ctx, to, sqldb.Value[string], `SELECT id FROM staff_user WHERE id = $1 OR email = $2 ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END`, u.id, u.email)
		switch {
		case errors.Is(err, sqldb.ErrNoRows):
			m.newcomers = append(m.newcomers, u.id)
		case err != nil:
			return nil, err
		case there != u.id:
			m.renamed[u.id] = there
		}
	}
	type key struct {
		id, name string
		secret   []byte
	}
	keys, err := sqldb.Collect(ctx, from, func(r sqldb.Row) (k key, err error) {
		return k, r.Scan(&k.id, &k.name, &k.secret)
	}, `SELECT id, name, secret_hash FROM staff_key WHERE workspace_id = $1 ORDER BY id`, ws)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		n, err := sqldb.One(ctx, to, sqldb.Value[int64], `SELECT count(*) FROM staff_key WHERE secret_hash = $1 AND workspace_id <> $2`, k.secret, ws)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			m.keys, m.behind = append(m.keys, k.id), append(m.behind, k.name)
		}
	}
	return m, nil
}

// Behind returns the names of API keys that stay behind: their secrets open another workspace there.
func (m *Move) Behind() []string { return m.behind }

// Check reports what keeps the workspace from being in the other installation.
func (m *Move) Check(ctx context.Context) error {
	n, err := sqldb.One(ctx, m.to, sqldb.Value[int64], `SELECT count(*) FROM workspace WHERE id = $1`, m.workspace)
	if err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("the workspace %s is there already: it was moved or restored there before", m.workspace)
	}
	sources, err := sqldb.Collect(ctx, m.from, scanSource, `SELECT `+sourceColumns+` FROM source WHERE workspace_id = $1 ORDER BY id`, m.workspace)
	if err != nil {
		return err
	}
	for _, s := range sources {
		other, err := NewWorkspace(m.to).SourceByWriteKey(ctx, s.WriteKey)
		if errs.Is(err, errs.KindNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		return fmt.Errorf("the write key of the source %q is that of %q in the workspace %s there, and one key leads to one workspace: delete one of the two sources first", s.Name, other.Name, other.Workspace)
	}
	return nil
}

// share is what goes.
func (m *Move) share() sqldb.Share {
	s := sqldb.Share{Column: "workspace_id", Value: m.workspace, Zero: positions, Text: m.text, Where: map[string]string{}}
	for _, tables := range []map[string]string{staysBehind, installations} {
		for table := range tables {
			s.Where[table] = ""
		}
	}
	ws := sqldb.Literal(m.workspace)
	s.Where["workspace"] = "id = " + ws
	s.Where["staff_user"] = oneOf("id", m.newcomers)
	s.Where["staff_key"] = "workspace_id = " + ws
	if len(m.keys) > 0 {
		s.Where["staff_key"] += " AND NOT (" + oneOf("id", m.keys) + ")"
	}
	// Claims are the owner's id, a dot and more; '/' is the character after the dot.
	s.Where["message_owner"] = "EXISTS (SELECT 1 FROM message m WHERE m.workspace_id = " + ws + " AND m.state = 'claimed' AND m.owner >= message_owner.owner || '.' AND m.owner < message_owner.owner || '/')"
	return s
}

// oneOf is a condition for one of some values; none holds for nothing.
func oneOf(column string, values []string) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = sqldb.Literal(v)
	}
	if len(list) == 0 {
		return "1 = 0"
	}
	return column + " IN (" + strings.Join(list, ", ") + ")"
}

// text is what a text is in the other installation: members have the ids that they have there, wherever these stand.
func (m *Move) text(table, column, text string) (string, error) {
	for old, there := range m.renamed {
		text = strings.ReplaceAll(text, old, there)
	}
	switch table + "." + column {
	case "journey_instance.memory":
		return inside(text, "trigger", triggerBefore)
	case "journey_entry.cause":
		return triggerBefore(text)
	}
	return text, nil
}

// triggerBefore puts the event that has let somebody into a journey before everything on the new log: of two at the same moment its place decides which came first.
func triggerBefore(text string) (string, error) {
	return inside(text, "at", func(string) (string, error) { return `{"Seq":0,"Index":0}`, nil })
}

// inside changes one member of a JSON object; without it the text stays.
func inside(text, key string, change func(string) (string, error)) (string, error) {
	var all map[string]json.RawMessage
	if text == "" {
		return text, nil
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return "", err
	}
	if all[key] == nil {
		return text, nil
	}
	changed, err := change(string(all[key]))
	if err != nil {
		return "", err
	}
	all[key] = json.RawMessage(changed)
	out, err := json.Marshal(all)
	return string(out), err
}

// Copy puts the rows into the other record store, in the transaction of ctx there, and returns what it has put. From its commit on the workspace is there.
func (m *Move) Copy(ctx context.Context, move, name string, at time.Time, told func(sqldb.Copied)) (sqldb.Sums, error) {
	sums, err := m.from.CopyShare(ctx, m.to, m.share(), told)
	if err != nil {
		return nil, err
	}
	return sums, noteMove(ctx, m.to, move, workspace.Moved{Workspace: m.workspace, Name: name, At: at})
}

// Sums reads back what Copy has put, in the transaction of ctx.
func (m *Move) Sums(ctx context.Context) (sqldb.Sums, error) { return m.to.ShareSums(ctx, m.share()) }

func noteMove(ctx context.Context, db *sqldb.DB, move string, w workspace.Moved) error {
	keys, err := json.Marshal(w.Keys)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, `INSERT INTO workspace_move (workspace_id, move, name, moved_to, write_keys, moved_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (workspace_id) DO UPDATE SET move = excluded.move, name = excluded.name, moved_to = excluded.moved_to, write_keys = excluded.write_keys, moved_at = excluded.moved_at`,
		w.Workspace, move, w.Name, w.To, string(keys), w.At)
	return err
}

// HasMoved reports whether the database says of the workspace that this move has come to its end there.
func HasMoved(ctx context.Context, db *sqldb.DB, ws, move string) (bool, error) {
	n, err := sqldb.One(ctx, db, sqldb.Value[int64], `SELECT count(*) FROM workspace_move WHERE workspace_id = $1 AND move = $2`, ws, move)
	return n > 0, err
}

// LeaveWorkspace deletes the rows of a workspace that has moved to another installation, in one transaction, and notes where it is. Users stay: they may belong to other workspaces.
func LeaveWorkspace(ctx context.Context, db *sqldb.DB, move string, w workspace.Moved) error {
	share := sqldb.Share{Column: "workspace_id", Value: w.Workspace, Where: map[string]string{"workspace": "id = " + sqldb.Literal(w.Workspace), "staff_user": "", "message_owner": ""}}
	for table := range installations {
		share.Where[table] = ""
	}
	return db.InTx(ctx, func(ctx context.Context) (err error) {
		if w.Keys, err = sqldb.Collect(ctx, db, sqldb.Value[string], `SELECT write_key FROM source WHERE workspace_id = $1 ORDER BY id`, w.Workspace); err != nil {
			return err
		}
		if err := noteMove(ctx, db, move, w); err != nil {
			return err
		}
		return db.DeleteShare(ctx, share)
	})
}

// Moved implements workspace.Store.
func (s *Workspace) Moved(ctx context.Context) ([]workspace.Moved, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (w workspace.Moved, err error) {
		var keys string
		if err := r.Scan(&w.Workspace, &w.Name, &w.To, &keys, &w.At); err != nil {
			return w, err
		}
		return w, json.Unmarshal([]byte(keys), &w.Keys)
	}, `SELECT workspace_id, name, moved_to, write_keys, moved_at FROM workspace_move WHERE moved_to <> '' ORDER BY moved_at, workspace_id`)
}
