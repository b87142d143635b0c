package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// receiptColumns says which time a receipt fills. A click also proves that the message was opened.
var receiptColumns = map[outbox.ReceiptKind][]string{
	outbox.ReceiptDelivered:    {"delivered_at"},
	outbox.ReceiptBounced:      {"bounced_at"},
	outbox.ReceiptHardBounced:  {"bounced_at", "hard_bounced_at"},
	outbox.ReceiptOpened:       {"opened_at"},
	outbox.ReceiptMachineOpen:  {"machine_opened_at"},
	outbox.ReceiptClicked:      {"clicked_at", "opened_at"},
	outbox.ReceiptUnsubscribed: {"unsubscribed_at"},
	outbox.ReceiptMachineClick: {"machine_clicked_at"},
	outbox.ReceiptComplained:   {"complained_at"},
	outbox.ReceiptReplied:      {"replied_at"},
}

// Mark folds receipts into messages.
func (s *Outbox) Mark(ctx context.Context, ws string, receipts []outbox.Receipt) error {
	rows := map[string][][]any{}
	var answers [][]any
	for _, r := range receipts {
		columns, ok := receiptColumns[r.Kind]
		if !ok {
			return fmt.Errorf("no receipt is of kind %q", r.Kind)
		}
		for _, c := range columns {
			rows[c] = append(rows[c], []any{r.MessageID, ws, r.At})
		}
		if (r.Kind == outbox.ReceiptBounced || r.Kind == outbox.ReceiptHardBounced) && r.Detail != "" {
			answers = append(answers, []any{r.MessageID, ws, r.Detail, r.Code})
		}
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		for column, args := range rows {
			if _, err := s.db.Bulk(ctx, fmt.Sprintf(`UPDATE message SET %[1]s = $3
				WHERE id = $1 AND workspace_id = $2 AND (%[1]s = 0 OR %[1]s > $3)`, column), args); err != nil {
				return err
			}
		}
		if len(answers) == 0 {
			return nil
		}
		_, err := s.db.Bulk(ctx, `UPDATE message SET reason = '`+outbox.ReasonRejected+`', detail = $3, code = $4
			WHERE id = $1 AND workspace_id = $2 AND state = 'sent'`, answers)
		return err
	})
}

// meant are messages to people who were to get them, or would have been but for a control group. The gate first looks at who the person is, then draws the
// control groups, then looks at the clock and the caps: what it refuses for the first reason concerns neither arm, what it refuses for the last concerns
// one alone and must not leave it; nor must what came up only after it was asked for.
const meant = `transactional = FALSE AND (state <> 'refused' OR ended_at > created_at
	OR reason IN ('` + outbox.ReasonHoldout + `', '` + outbox.ReasonCapped + `', '` + outbox.ReasonQuietHours + `', '` + outbox.ReasonOutranked + `'))`

// Candidates returns messages of people whose effect is followed.
func (s *Outbox) Candidates(ctx context.Context, ws string, personIDs []string, since time.Time) ([]outbox.Message, error) {
	in, arg := s.db.In(2, personIDs)
	return sqldb.Collect(ctx, s.db, scanMessage, `SELECT `+messageColumns+` FROM message
		WHERE workspace_id = $1 AND person_id `+in+` AND (sent_at > 0 AND sent_at >= $3 OR not_before >= $3 AND `+meant+`)
		ORDER BY CASE WHEN sent_at > 0 THEN sent_at ELSE not_before END, id`, ws, arg, since)
}

const conversionColumns = `credit_key, event_id, event, message_id, person_id, source_kind, source_id, source_version, node, converted_at, revenue_minor, currency, refunded_minor`

func scanConversion(r sqldb.Row) (c outbox.Conversion, err error) {
	err = r.Scan(&c.Key, &c.EventID, &c.Event, &c.MessageID, &c.PersonID, &c.Source.Kind, &c.Source.ID, &c.Source.Version, &c.Source.Node, &c.At, &c.Minor, &c.Currency, &c.Refunded)
	return c, err
}

// AddConversions stores conversions.
func (s *Outbox) AddConversions(ctx context.Context, ws string, conversions []outbox.Conversion) (map[string]bool, error) {
	added := map[string]bool{}
	if len(conversions) == 0 {
		return added, nil
	}
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		clear(added)
		keys := make([]string, len(conversions))
		for i, c := range conversions {
			keys[i] = c.Key
		}
		in, arg := s.db.In(2, keys)
		known, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT credit_key FROM message_conversion WHERE workspace_id = $1 AND credit_key `+in, ws, arg)
		if err != nil {
			return err
		}
		seen := make(map[string]bool, len(known))
		for _, k := range known {
			seen[k] = true
		}
		var rows, marks [][]any
		for _, c := range conversions {
			if seen[c.Key] {
				continue
			}
			seen[c.Key], added[c.Key] = true, true
			rows = append(rows, []any{ws, c.Key, c.EventID, c.Event, c.MessageID, c.PersonID, c.Source.Kind, c.Source.ID, c.Source.Version, c.Source.Node, c.At, c.Minor, c.Currency, 0})
			marks = append(marks, []any{c.MessageID, ws, c.At})
		}
		if _, err := s.db.Bulk(ctx, `INSERT INTO message_conversion (workspace_id, `+conversionColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`, rows); err != nil {
			return err
		}
		if _, err = s.db.Bulk(ctx, `UPDATE message SET converted_at = $3 WHERE id = $1 AND workspace_id = $2 AND (converted_at = 0 OR converted_at > $3)`, marks); err != nil {
			return err
		}
		return s.takeOff(ctx, ws, keys)
	})
	return added, err
}

// AddOutcomes stores outcomes.
func (s *Outbox) AddOutcomes(ctx context.Context, ws string, outcomes []outbox.Conversion) error {
	if len(outcomes) == 0 {
		return nil
	}
	rows, keys := make([][]any, len(outcomes)), make([]string, len(outcomes))
	for i, c := range outcomes {
		keys[i] = c.Key
		rows[i] = []any{ws, c.MessageID, c.Key, c.PersonID, c.At, c.Minor, c.Currency}
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Bulk(ctx, `INSERT INTO message_outcome (workspace_id, message_id, credit_key, person_id, happened_at, revenue_minor, refunded_minor, currency)
			VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT (workspace_id, message_id, credit_key) DO NOTHING`, rows); err != nil {
			return err
		}
		return s.takeOff(ctx, ws, keys)
	})
}

// AddRefunds stores refunds.
func (s *Outbox) AddRefunds(ctx context.Context, ws string, refunds []outbox.Refund) error {
	rows, keys := make([][]any, len(refunds)), make([]string, len(refunds))
	for i, r := range refunds {
		keys[i] = r.Key
		rows[i] = []any{ws, r.Key, id.Key(r.EventID), r.Minor, r.Currency, r.Whole, r.At}
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Bulk(ctx, `INSERT INTO order_refund (workspace_id, credit_key, event_id, minor, currency, whole, refunded_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (workspace_id, credit_key, event_id) DO NOTHING`, rows); err != nil {
			return err
		}
		return s.takeOff(ctx, ws, keys)
	})
}

// takeOff writes anew how much was given back of everything with these keys. It starts from what is stored, so it may run after orders and
// after refunds alike, and any number of times.
func (s *Outbox) takeOff(ctx context.Context, ws string, keys []string) error {
	in, arg := s.db.In(2, keys)
	refunds, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (f outbox.Refund, err error) {
		err = r.Scan(&f.Key, &f.EventID, &f.Minor, &f.Currency, &f.Whole, &f.At)
		return f, err
	}, `SELECT credit_key, event_id, minor, currency, whole, refunded_at FROM order_refund WHERE workspace_id = $1 AND credit_key `+in, ws, arg)
	if err != nil || len(refunds) == 0 {
		return err
	}
	byKey := map[string][]outbox.Refund{}
	for _, r := range refunds {
		byKey[r.Key] = append(byKey[r.Key], r)
	}
	type credit struct {
		message, key, currency string
		minor, refunded        int64
	}
	for _, table := range []string{"message_conversion", "message_outcome"} {
		credits, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (c credit, err error) {
			err = r.Scan(&c.message, &c.key, &c.currency, &c.minor, &c.refunded)
			return c, err
		}, `SELECT message_id, credit_key, currency, revenue_minor, refunded_minor FROM `+table+` WHERE workspace_id = $1 AND credit_key `+in, ws, arg)
		if err != nil {
			return err
		}
		var rows [][]any
		for _, c := range credits {
			if off := outbox.Refunded(c.minor, c.currency, byKey[c.key]); off != c.refunded {
				rows = append(rows, []any{ws, c.message, c.key, off})
			}
		}
		if _, err := s.db.Bulk(ctx, `UPDATE `+table+` SET refunded_minor = $4 WHERE workspace_id = $1 AND message_id = $2 AND credit_key = $3`, rows); err != nil {
			return err
		}
	}
	return nil
}

// Conversions returns the conversions of a message.
func (s *Outbox) Conversions(ctx context.Context, ws, messageID string) ([]outbox.Conversion, error) {
	return sqldb.Collect(ctx, s.db, scanConversion, `SELECT `+conversionColumns+` FROM message_conversion
		WHERE workspace_id = $1 AND message_id = $2 ORDER BY converted_at, credit_key`, ws, messageID)
}

// Waiting counts messages on their way.
func (s *Outbox) Waiting(ctx context.Context, ws string, src outbox.Source) (int64, error) {
	const all = `SELECT count(*) FROM message WHERE workspace_id = $1 AND source_kind = $2 AND source_id = $3 AND ended_at = 0`
	if src.Node == "" { // campaigns ask often, and need not have the rows read for it
		return sqldb.One(ctx, s.db, sqldb.Value[int64], all, ws, src.Kind, src.ID)
	}
	return sqldb.One(ctx, s.db, sqldb.Value[int64], all+` AND node = $4`, ws, src.Kind, src.ID, src.Node)
}

// countColumns are the figures of a group of messages, in the order of scanCounts.
const countColumns = `count(*),
			count(*) FILTER (WHERE state = 'refused'),
			count(*) FILTER (WHERE state IN ('queued', 'claimed')),
			count(*) FILTER (WHERE sent_at > 0),
			count(*) FILTER (WHERE sent_at > 0 AND bounced_at = 0),
			count(*) FILTER (WHERE bounced_at > 0),
			count(*) FILTER (WHERE hard_bounced_at > 0),
			count(*) FILTER (WHERE state = 'failed'),
			count(*) FILTER (WHERE state = 'cancelled'),
			count(*) FILTER (WHERE opened_at > 0),
			count(*) FILTER (WHERE machine_opened_at > 0 AND opened_at = 0),
			count(*) FILTER (WHERE clicked_at > 0),
			count(*) FILTER (WHERE converted_at > 0),
			count(*) FILTER (WHERE unsubscribed_at > 0),
			count(*) FILTER (WHERE complained_at > 0),
			count(*) FILTER (WHERE machine_clicked_at > 0 AND clicked_at = 0),
			count(*) FILTER (WHERE replied_at > 0),
			count(*) FILTER (WHERE uncertain > 0),
			CAST(sum(uncertain) AS BIGINT)`

// scanCounts reads a group's key and its figures.
func scanCounts(r sqldb.Row) (key string, c outbox.Counts, err error) {
	err = r.Scan(&key, &c.Audience, &c.Refused, &c.Queued, &c.Sent, &c.Delivered, &c.Bounced, &c.HardBounced, &c.Failed, &c.Cancelled,
		&c.Opened, &c.MachineOpened, &c.Clicked, &c.Converted, &c.Unsubscribed, &c.Complained, &c.MachineClicked, &c.Replied, &c.Uncertain, &c.LostAnswers)
	c.RefusedBy, c.FailedBy, c.Revenue, c.Refunded = map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	return key, c, err
}

// CountsByNode returns figures.
func (s *Outbox) CountsByNode(ctx context.Context, ws string, src outbox.Source) (map[string]outbox.Counts, error) {
	const where = ` WHERE workspace_id = $1 AND source_kind = $2 AND source_id = $3 AND ($4 = '' OR node = $4)`
	args := []any{ws, src.Kind, src.ID, src.Node}
	out := map[string]outbox.Counts{}
	type row struct {
		node, key, kind string
		n, off          int64
		counts          outbox.Counts
	}
	totals, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o row, err error) {
		c := &o.counts
		o.node, *c, err = scanCounts(r)
		return o, err
	}, `SELECT node, `+countColumns+` FROM message`+where+` GROUP BY node`, args...)
	if err != nil {
		return nil, err
	}
	for _, t := range totals {
		out[t.node] = t.counts
	}
	reasons, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o row, err error) {
		err = r.Scan(&o.node, &o.kind, &o.key, &o.n)
		return o, err
	}, `SELECT node, state, reason, count(*) FROM message`+where+` AND state IN ('refused', 'failed') GROUP BY node, state, reason`, args...)
	if err != nil {
		return nil, err
	}
	for _, r := range reasons {
		by := out[r.node].RefusedBy
		if r.kind == string(outbox.Failed) {
			by = out[r.node].FailedBy
		}
		if by != nil { // a node may have got its first message in between
			by[r.key] = r.n
		}
	}
	revenue, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o row, err error) {
		err = r.Scan(&o.node, &o.key, &o.n, &o.off)
		return o, err
	}, `SELECT node, currency, CAST(sum(revenue_minor - refunded_minor) AS BIGINT), CAST(sum(refunded_minor) AS BIGINT) FROM message_conversion`+where+` AND currency <> '' GROUP BY node, currency`, args...)
	if err != nil {
		return nil, err
	}
	for _, r := range revenue {
		if by := out[r.node].Revenue; by != nil {
			by[r.key] = r.n
			if r.off > 0 {
				out[r.node].Refunded[r.key] = r.off
			}
		}
	}
	return out, nil
}

var metricConditions = map[outbox.Metric]string{
	outbox.MetricAudience:     "TRUE",
	outbox.MetricRefused:      "state = 'refused'",
	outbox.MetricQueued:       "state IN ('queued', 'claimed')",
	outbox.MetricSent:         "sent_at > 0",
	outbox.MetricDelivered:    "sent_at > 0 AND bounced_at = 0",
	outbox.MetricBounced:      "bounced_at > 0",
	outbox.MetricHardBounced:  "hard_bounced_at > 0",
	outbox.MetricSoftBounced:  "bounced_at > 0 AND hard_bounced_at = 0",
	outbox.MetricFailed:       "state = 'failed'",
	outbox.MetricCancelled:    "state = 'cancelled'",
	outbox.MetricOpened:       "opened_at > 0",
	outbox.MetricMachineOpen:  "machine_opened_at > 0 AND opened_at = 0",
	outbox.MetricClicked:      "clicked_at > 0",
	outbox.MetricConverted:    "converted_at > 0",
	outbox.MetricUnsubscribed: "unsubscribed_at > 0",
	outbox.MetricMachineClick: "machine_clicked_at > 0 AND clicked_at = 0",
	outbox.MetricComplained:   "complained_at > 0",
	outbox.MetricReplied:      "replied_at > 0",
	outbox.MetricUncertain:    "uncertain > 0",
}

// BySource lists the messages behind a figure.
func (s *Outbox) BySource(ctx context.Context, ws string, src outbox.Source, m outbox.Metric, p page.Request) (page.Of[outbox.Message], error) {
	figure, reason := m.Split()
	condition, ok := metricConditions[figure]
	if !ok {
		return page.Of[outbox.Message]{}, errs.Invalid("outbox.metric.unknown", "metric", "%q is no figure of the report", m)
	}
	last := "~" // sorts after every id
	if _, err := page.Decode(p.Cursor, &last); err != nil {
		return page.Of[outbox.Message]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanMessage, `SELECT `+messageColumns+` FROM message
		WHERE workspace_id = $1 AND source_kind = $2 AND source_id = $3 AND id < $4
			AND ($5 = '' OR node = $5) AND ($6 = '' OR reason = $6) AND (`+condition+`)
		ORDER BY id DESC LIMIT $7`, ws, src.Kind, src.ID, last, src.Node, reason, p.Size()+1)
	return page.Cut(items, p.Size(), func(m outbox.Message) string { return page.Encode(m.ID) }), err
}

// ByPerson lists a person's messages.
func (s *Outbox) ByPerson(ctx context.Context, ws, personID string, f outbox.PersonFilter, p page.Request) (page.Of[outbox.Message], error) {
	last := "~"
	if _, err := page.Decode(p.Cursor, &last); err != nil {
		return page.Of[outbox.Message]{}, err
	}
	where, args := "", []any{ws, personID, last, p.Size() + 1}
	also := func(column, value string) {
		if value != "" {
			args = append(args, value)
			where += fmt.Sprintf(" AND %s = $%d", column, len(args))
		}
	}
	also("source_kind", f.Kind)
	also("template_id", f.Template)
	if f.IDs != nil {
		clause, arg := s.db.In(len(args)+1, f.IDs)
		where, args = where+" AND source_id "+clause, append(args, arg)
	}
	items, err := sqldb.Collect(ctx, s.db, scanMessage, `SELECT `+messageColumns+` FROM message
		WHERE workspace_id = $1 AND person_id = $2 AND id < $3`+where+` ORDER BY id DESC LIMIT $4`, args...)
	return page.Cut(items, p.Size(), func(m outbox.Message) string { return page.Encode(m.ID) }), err
}
