package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

var _ outbox.ReturnStore = (*Outbox)(nil)

const inboundColumns = `workspace_id, account_id, address, replies, mailbox, password, provider, topic, verify_key, hook_hash, updated_at, strangers`

func scanInbound(r sqldb.Row) (in outbox.SealedInbound, err error) {
	var mailbox string
	if err = r.Scan(&in.Workspace, &in.Account, &in.Address, &in.Replies, &mailbox, &in.Sealed, &in.Provider, &in.Topic, &in.VerifyKey, &in.HookHash, &in.UpdatedAt, &in.Strangers); err != nil {
		return in, err
	}
	if len(in.Sealed) == 0 {
		in.Sealed = nil
	}
	return in, json.Unmarshal([]byte(mailbox), &in.Mailbox)
}

// PutInbound adds or replaces settings.
func (s *Outbox) PutInbound(ctx context.Context, ws string, in outbox.SealedInbound) error {
	mailbox, err := json.Marshal(in.Mailbox)
	if err != nil {
		return err
	}
	if in.Sealed == nil {
		in.Sealed = []byte{}
	}
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, `INSERT INTO account_inbound (`+inboundColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (workspace_id, account_id) DO UPDATE SET address = excluded.address, replies = excluded.replies, mailbox = excluded.mailbox,
				password = excluded.password, provider = excluded.provider, topic = excluded.topic, verify_key = excluded.verify_key,
				hook_hash = excluded.hook_hash, updated_at = excluded.updated_at, strangers = excluded.strangers`,
			ws, in.Account, in.Address, in.Replies, string(mailbox), in.Sealed, in.Provider, in.Topic, in.VerifyKey, in.HookHash, in.UpdatedAt, in.Strangers); err != nil {
			return err
		}
		// One microsecond more than it was, where the clock has not moved: senders notice a change by this time.
		_, err := s.db.Exec(ctx, `UPDATE channel_account SET updated_at = CASE WHEN updated_at >= $3 THEN updated_at + 1 ELSE $3 END
			WHERE workspace_id = $1 AND id = $2`, ws, in.Account, in.UpdatedAt)
		return err
	})
	if sqldb.IsUnique(err) {
		return errs.Conflict("outbox.inbound.address_taken", "another account takes mail at %s already; give each its own address", in.Address).With(err)
	}
	return err
}

// Inbound returns an account's settings.
func (s *Outbox) Inbound(ctx context.Context, ws, account string) (outbox.SealedInbound, error) {
	in, err := sqldb.One(ctx, s.db, scanInbound, `SELECT `+inboundColumns+` FROM account_inbound WHERE workspace_id = $1 AND account_id = $2`, ws, account)
	if errors.Is(err, sqldb.ErrNoRows) {
		return outbox.SealedInbound{Inbound: outbox.Inbound{Workspace: ws, Account: account}}, nil
	}
	return in, err
}

func (s *Outbox) inboundBy(ctx context.Context, column, value, what string) (outbox.SealedInbound, error) {
	in, err := sqldb.One(ctx, s.db, scanInbound, fmt.Sprintf(`SELECT %s FROM account_inbound WHERE %s = $1 AND %[2]s <> ''`, inboundColumns, column), value)
	if errors.Is(err, sqldb.ErrNoRows) {
		return in, errs.NotFound(what, "")
	}
	return in, err
}

// InboundByAddress returns the settings with an address.
func (s *Outbox) InboundByAddress(ctx context.Context, address string) (outbox.SealedInbound, error) {
	return s.inboundBy(ctx, "address", address, "address")
}

// InboundByHook returns the settings of a webhook.
func (s *Outbox) InboundByHook(ctx context.Context, hash string) (outbox.SealedInbound, error) {
	return s.inboundBy(ctx, "hook_hash", hash, "webhook")
}

// Mailboxes returns all settings that name a mailbox.
func (s *Outbox) Mailboxes(ctx context.Context) ([]outbox.SealedInbound, error) {
	return sqldb.Collect(ctx, s.db, scanInbound, `SELECT `+inboundColumns+` FROM account_inbound WHERE mailbox LIKE '%"host"%' ORDER BY workspace_id, account_id`)
}

// MailboxState returns how far a mailbox has been read.
func (s *Outbox) MailboxState(ctx context.Context, ws, account string) (outbox.MailboxState, error) {
	st, err := sqldb.One(ctx, s.db, func(r sqldb.Row) (st outbox.MailboxState, err error) {
		var validity, uid int64
		err = r.Scan(&validity, &uid, &st.At, &st.Error)
		st.Validity, st.UID = uint32(validity), uint32(uid)
		return st, err
	}, `SELECT validity, uid, read_at, error FROM mailbox_state WHERE workspace_id = $1 AND account_id = $2`, ws, account)
	if errors.Is(err, sqldb.ErrNoRows) {
		return st, nil
	}
	return st, err
}

// SetMailboxState replaces it.
func (s *Outbox) SetMailboxState(ctx context.Context, ws, account string, st outbox.MailboxState) error {
	_, err := s.db.Exec(ctx, `INSERT INTO mailbox_state (workspace_id, account_id, validity, uid, read_at, error) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (workspace_id, account_id) DO UPDATE SET validity = excluded.validity, uid = excluded.uid, read_at = excluded.read_at, error = excluded.error`,
		ws, account, int64(st.Validity), int64(st.UID), st.At, st.Error)
	return err
}

// CountReturned adds to counts.
func (s *Outbox) CountReturned(ctx context.Context, ws, account string, counts map[outbox.Taken]int64, at time.Time) error {
	rows := make([][]any, 0, len(counts))
	for k, n := range counts {
		rows = append(rows, []any{ws, account, string(k), n, at})
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO returned_count (workspace_id, account_id, taken, n, last_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (workspace_id, account_id, taken) DO UPDATE SET n = returned_count.n + excluded.n, last_at = excluded.last_at`, rows)
	return err
}

// ReturnedCounts returns counts.
func (s *Outbox) ReturnedCounts(ctx context.Context, ws, account string) (map[outbox.Taken]int64, error) {
	type row struct {
		taken string
		n     int64
	}
	rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o row, err error) {
		err = r.Scan(&o.taken, &o.n)
		return o, err
	}, `SELECT taken, n FROM returned_count WHERE workspace_id = $1 AND account_id = $2`, ws, account)
	out := map[outbox.Taken]int64{}
	for _, r := range rows {
		out[outbox.Taken(r.taken)] = r.n
	}
	return out, err
}

// BouncePolicy returns the workspace's policy.
func (s *Outbox) BouncePolicy(ctx context.Context, ws string) (p outbox.BouncePolicy, set bool, err error) {
	raw, err := sqldb.One(ctx, s.db, sqldb.Value[string], `SELECT policy FROM bounce_policy WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	return p, true, json.Unmarshal([]byte(raw), &p)
}

// SetBouncePolicy replaces it.
func (s *Outbox) SetBouncePolicy(ctx context.Context, ws string, p outbox.BouncePolicy, at time.Time) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO bounce_policy (workspace_id, policy, updated_at) VALUES ($1, $2, $3)
		ON CONFLICT (workspace_id) DO UPDATE SET policy = excluded.policy, updated_at = excluded.updated_at`, ws, string(raw), at)
	return err
}

const bounceColumns = `message_id, class, person_id, channel, code, detail, address_hash, hint, bounced_at`

func scanBounce(r sqldb.Row) (b outbox.Bounce, err error) {
	err = r.Scan(&b.MessageID, &b.Class, &b.PersonID, &b.Channel, &b.Code, &b.Detail, &b.Hash, &b.Hint, &b.At)
	return b, err
}

// AddBounces stores bounces and complaints.
func (s *Outbox) AddBounces(ctx context.Context, ws string, bounces []outbox.Bounce) error {
	rows := make([][]any, len(bounces))
	for i, b := range bounces {
		rows[i] = []any{ws, b.MessageID, b.Class, b.PersonID, b.Channel, b.Code, b.Detail, b.Hash, b.Hint, b.At}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO bounce (workspace_id, `+bounceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (workspace_id, message_id, class) DO NOTHING`, rows)
	return err
}

// Bounces lists what came back.
func (s *Outbox) Bounces(ctx context.Context, ws string, f outbox.BounceFilter, p page.Request) (page.Of[outbox.Bounce], error) {
	at, id, class := latestTime, "", ""
	if _, err := page.Decode(p.Cursor, &at, &id, &class); err != nil {
		return page.Of[outbox.Bounce]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanBounce, `SELECT `+bounceColumns+` FROM bounce
		WHERE workspace_id = $1 AND (bounced_at, message_id, class) < ($2, $3, $4)
			AND ($5 = '' OR class = $5) AND ($6 = '' OR person_id = $6) AND ($7 = '' OR channel = $7)
		ORDER BY bounced_at DESC, message_id DESC, class DESC LIMIT $8`, ws, at, id, class, f.Class, f.PersonID, f.Channel, p.Size()+1)
	return page.Cut(items, p.Size(), func(b outbox.Bounce) string { return page.Encode(b.At, b.MessageID, b.Class) }), err
}

// BounceCounts counts bounces by address.
func (s *Outbox) BounceCounts(ctx context.Context, ws, class string, hashes []string, since time.Time) (map[string]int64, error) {
	in, arg := s.db.In(4, hashes)
	type row struct {
		hash string
		n    int64
	}
	rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o row, err error) {
		err = r.Scan(&o.hash, &o.n)
		return o, err
	}, `SELECT address_hash, count(*) FROM bounce WHERE workspace_id = $1 AND class = $2 AND bounced_at >= $3 AND address_hash `+in+` GROUP BY address_hash`, ws, class, since, arg)
	out := map[string]int64{}
	for _, r := range rows {
		out[r.hash] = r.n
	}
	return out, err
}

// Blocked counts refusals of the sender.
func (s *Outbox) Blocked(ctx context.Context, ws, channel string, since time.Time) (int64, error) {
	return sqldb.One(ctx, s.db, sqldb.Value[int64], `SELECT count(*) FROM bounce WHERE workspace_id = $1 AND channel = $2 AND class = 'block' AND bounced_at >= $3`, ws, channel, since)
}

// SetAlert stores or takes back an account's alert.
func (s *Outbox) SetAlert(ctx context.Context, ws, account string, a *outbox.Alert) error {
	if a == nil {
		_, err := s.db.Exec(ctx, `DELETE FROM account_alert WHERE workspace_id = $1 AND account_id = $2`, ws, account)
		return err
	}
	_, err := s.db.Exec(ctx, `INSERT INTO account_alert (workspace_id, account_id, code, n, detail, raised_at, paused) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (workspace_id, account_id) DO UPDATE SET code = excluded.code, n = excluded.n, detail = excluded.detail, raised_at = excluded.raised_at, paused = excluded.paused`,
		ws, account, a.Code, a.Count, a.Detail, a.At, a.Paused)
	return err
}

// AccountAlert returns an account's alert.
func (s *Outbox) AccountAlert(ctx context.Context, ws, account string) (*outbox.Alert, error) {
	a, err := sqldb.One(ctx, s.db, func(r sqldb.Row) (a outbox.Alert, err error) {
		err = r.Scan(&a.Code, &a.Count, &a.Detail, &a.At, &a.Paused)
		return a, err
	}, `SELECT code, n, detail, raised_at, paused FROM account_alert WHERE workspace_id = $1 AND account_id = $2`, ws, account)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &a, nil
}
