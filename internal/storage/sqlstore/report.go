package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Report implements report.Store. Its figures are those of the messages' own rows: nothing is counted a second time.
type Report struct{ db *sqldb.DB }

// NewReport returns the store of reports on db.
func NewReport(db *sqldb.DB) *Report { return &Report{db} }

var _ report.Store = (*Report)(nil)

// addressDomain is what follows the last @. Trimming everything but @ from the end leaves what stands before it, in both dialects.
const addressDomain = `CASE WHEN address LIKE '%@%' THEN lower(substr(address, length(rtrim(address, replace(address, '@', ''))) + 1)) ELSE '' END`

var dimensions = map[report.Dimension]string{
	report.Whole:      `''`,
	report.ByChannel:  `channel`,
	report.ByTopic:    `topic_id`,
	report.BySource:   `source_id`,
	report.ByNode:     `source_id || ':' || node`,
	report.ByTemplate: `template_id`,
	report.ByVersion:  `template_id || ':' || CAST(template_version AS TEXT)`,
	report.ByDomain:   addressDomain,
	report.ByQuarter:  `CAST(not_before / 900000000 AS TEXT)`,
}

// scope is the condition that chooses messages, and its arguments. $1 is the workspace.
func (s *Report) scope(ws string, sc report.Scope) (where string, args []any) {
	var b strings.Builder
	args = []any{ws}
	b.WriteString(`workspace_id = $1`)
	if !sc.From.IsZero() || !sc.To.IsZero() {
		args = append(args, sc.From, sc.To)
		b.WriteString(` AND not_before >= $2 AND not_before < $3`)
	}
	for _, f := range []struct{ column, value string }{
		{"channel", sc.Channel}, {"topic_id", sc.Topic}, {"source_kind", sc.Kind}, {"source_id", sc.Source}, {"node", sc.Node}, {"template_id", sc.Template}, {addressDomain, sc.Domain},
	} {
		switch f.value {
		case "":
			continue
		case report.Nothing:
			f.value = ""
		}
		args = append(args, f.value)
		fmt.Fprintf(&b, ` AND %s = $%d`, f.column, len(args))
	}
	if sc.Sources != nil {
		in, arg := s.db.In(len(args)+1, sc.Sources)
		args = append(args, arg)
		b.WriteString(` AND source_id ` + in)
	}
	if sc.Versions != nil {
		in, arg := s.db.In(len(args)+1, sc.Versions)
		args = append(args, arg)
		b.WriteString(` AND ` + dimensions[report.ByVersion] + ` ` + in)
	}
	return b.String(), args
}

// Groups counts messages.
func (s *Report) Groups(ctx context.Context, ws string, sc report.Scope, by report.Dimension) (map[string]outbox.Counts, error) {
	key, ok := dimensions[by]
	if !ok {
		return nil, fmt.Errorf("messages cannot be grouped by %q", by)
	}
	where, args := s.scope(ws, sc)
	type row struct {
		key, kind, detail string
		n                 int64
		counts            outbox.Counts
	}
	totals, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o row, err error) {
		o.key, o.counts, err = scanCounts(r)
		return o, err
	}, `SELECT `+key+` AS k, `+countColumns+` FROM message WHERE `+where+` GROUP BY 1`, args...)
	if err != nil {
		return nil, err
	}
	out := make(map[string]outbox.Counts, len(totals))
	for _, t := range totals {
		if t.counts.Audience > 0 { // without a single row the whole still is a group
			out[t.key] = t.counts
		}
	}
	scan := func(r sqldb.Row) (o row, err error) {
		err = r.Scan(&o.key, &o.kind, &o.detail, &o.n)
		return o, err
	}
	reasons, err := sqldb.Collect(ctx, s.db, scan, `SELECT `+key+` AS k, state, reason, count(*) FROM message WHERE `+where+` AND state IN ('refused', 'failed') GROUP BY 1, 2, 3`, args...)
	if err != nil {
		return nil, err
	}
	revenue, err := sqldb.Collect(ctx, s.db, scan, `SELECT m.k, '', c.currency, CAST(sum(c.revenue_minor - c.refunded_minor) AS BIGINT)
		FROM (SELECT id, `+key+` AS k FROM message WHERE `+where+`) m JOIN message_conversion c ON c.workspace_id = $1 AND c.message_id = m.id
		WHERE c.currency <> '' GROUP BY 1, 3`, args...)
	if err != nil {
		return nil, err
	}
	refunded, err := sqldb.Collect(ctx, s.db, scan, `SELECT m.k, 'off', c.currency, CAST(sum(c.refunded_minor) AS BIGINT)
		FROM (SELECT id, `+key+` AS k FROM message WHERE `+where+`) m JOIN message_conversion c ON c.workspace_id = $1 AND c.message_id = m.id
		WHERE c.refunded_minor > 0 GROUP BY 1, 3`, args...)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Concat(reasons, revenue, refunded) {
		c, ok := out[r.key]
		switch { // a group may have got its first message in between
		case !ok:
		case r.kind == string(outbox.Refused):
			c.RefusedBy[r.detail] = r.n
		case r.kind == string(outbox.Failed):
			c.FailedBy[r.detail] = r.n
		case r.kind == "off":
			c.Refunded[r.detail] = r.n
		default:
			c.Revenue[r.detail] = r.n
		}
	}
	return out, nil
}

// Behind lists messages.
func (s *Report) Behind(ctx context.Context, ws string, sc report.Scope, m outbox.Metric, p page.Request) (page.Of[outbox.Message], error) {
	figure, reason := m.Split()
	condition, ok := metricConditions[figure]
	if !ok {
		return page.Of[outbox.Message]{}, errs.Invalid("outbox.metric.unknown", "metric", "%q is no figure of the report", m)
	}
	last := "~" // sorts after every id
	if _, err := page.Decode(p.Cursor, &last); err != nil {
		return page.Of[outbox.Message]{}, err
	}
	where, args := s.scope(ws, sc)
	n := len(args)
	items, err := sqldb.Collect(ctx, s.db, scanMessage, fmt.Sprintf(`SELECT %s FROM message WHERE %s AND id < $%d AND ($%d = '' OR reason = $%d) AND (%s) ORDER BY id DESC LIMIT $%d`,
		messageColumns, where, n+1, n+2, n+2, condition, n+3), append(args, last, reason, p.Size()+1)...)
	return page.Cut(items, p.Size(), func(m outbox.Message) string { return page.Encode(m.ID) }), err
}

// Arms counts people.
func (s *Report) Arms(ctx context.Context, ws string, sc report.Scope) (map[report.Arm]report.ArmCounts, error) {
	where, args := s.scope(ws, sc)
	followed := ` WHERE ` + where + ` AND ` + meant
	type row struct {
		arm, currency              string
		people, reached, delivered int64
		until                      time.Time
		sums                       report.Sums
	}
	people, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o row, err error) {
		err = r.Scan(&o.arm, &o.people, &o.reached, &o.delivered, &o.until)
		return o, err
	}, `SELECT arm, count(*), CAST(sum(reached) AS BIGINT), CAST(sum(delivered) AS BIGINT), max(until) FROM (
			SELECT person_id, `+arm+` AS arm, max(not_before + goal_window) AS until, `+reached+` AS reached, `+delivered+` AS delivered
			FROM message`+followed+` GROUP BY 1, 2) p GROUP BY arm`, args...)
	if err != nil {
		return nil, err
	}
	out := map[report.Arm]report.ArmCounts{}
	for _, p := range people {
		out[report.Arm(p.arm)] = report.ArmCounts{People: p.people, Reached: p.reached, Delivered: p.delivered, Until: p.until, Money: map[string]report.Sums{}}
	}
	// An order is one order, also within the windows of several messages to the person.
	money, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o row, err error) {
		err = r.Scan(&o.arm, &o.currency, &o.sums.Sum, &o.sums.Squares)
		return o, err
	}, `SELECT arm, currency, CAST(sum(total) AS BIGINT), sum(CAST(total AS DOUBLE PRECISION) * CAST(total AS DOUBLE PRECISION)) FROM (
			SELECT arm, person_id, currency, CAST(sum(net) AS BIGINT) AS total FROM (
				SELECT m.arm, m.person_id, o.credit_key, o.currency, max(o.revenue_minor - o.refunded_minor) AS net
				FROM (SELECT id, person_id, `+arm+` AS arm FROM message`+followed+`) m
				JOIN message_outcome o ON o.workspace_id = $1 AND o.message_id = m.id
				WHERE o.currency <> '' GROUP BY 1, 2, 3, 4) d GROUP BY 1, 2, 3) t GROUP BY 1, 2`, args...)
	if err != nil {
		return nil, err
	}
	for _, m := range money {
		if a, ok := out[report.Arm(m.arm)]; ok { // an arm may have got its first people in between
			a.Money[m.currency] = m.sums
		}
	}
	return out, nil
}

// Which arm a message is of, of those that are meant for somebody, and what is told of the people of an arm.
const (
	arm       = `CASE WHEN state <> 'refused' OR reason <> '` + outbox.ReasonHoldout + `' THEN 'treated' WHEN data LIKE '%"scope":"workspace"%' THEN 'workspace' ELSE 'source' END`
	reached   = `max(CASE WHEN EXISTS (SELECT 1 FROM message_outcome o WHERE o.workspace_id = $1 AND o.message_id = message.id) THEN 1 ELSE 0 END)`
	delivered = `max(CASE WHEN sent_at > 0 AND bounced_at = 0 THEN 1 ELSE 0 END)`
)

// ArmPeople lists the people of an arm.
func (s *Report) ArmPeople(ctx context.Context, ws string, sc report.Scope, a report.Arm, who report.EffectPeople, p page.Request) (page.Of[report.Frequent], error) {
	last := ""
	if _, err := page.Decode(p.Cursor, &last); err != nil {
		return page.Of[report.Frequent]{}, err
	}
	where, args := s.scope(ws, sc)
	having := `TRUE`
	if who.Reached {
		having += ` AND ` + reached + ` = 1`
	}
	if who.Delivered {
		having += ` AND ` + delivered + ` = 1`
	}
	n := len(args)
	items, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (f report.Frequent, err error) {
		err = r.Scan(&f.PersonID, &f.Messages, &f.Latest)
		return f, err
	}, fmt.Sprintf(`SELECT person_id, count(*), max(not_before) FROM message WHERE %s AND %s AND %s = $%d AND person_id > $%d GROUP BY person_id HAVING %s ORDER BY person_id LIMIT $%d`,
		where, meant, arm, n+1, n+2, having, n+3), append(args, string(a), last, p.Size()+1)...)
	return page.Cut(items, p.Size(), func(f report.Frequent) string { return page.Encode(f.PersonID) }), err
}

// Reach counts people.
func (s *Report) Reach(ctx context.Context, ws string, sc report.Scope) (report.Reach, error) {
	where, args := s.scope(ws, sc)
	return sqldb.One(ctx, s.db, func(r sqldb.Row) (o report.Reach, err error) {
		err = r.Scan(&o.Asked, &o.Delivered, &o.Opened, &o.Clicked)
		return o, err
	}, `SELECT count(DISTINCT person_id), count(DISTINCT CASE WHEN `+metricConditions[outbox.MetricDelivered]+` THEN person_id END),
		count(DISTINCT CASE WHEN opened_at > 0 THEN person_id END), count(DISTINCT CASE WHEN clicked_at > 0 THEN person_id END) FROM message WHERE `+where, args...)
}

// Pressure counts people by how many messages they were sent.
func (s *Report) Pressure(ctx context.Context, ws string, sc report.Scope) (map[int64]int64, error) {
	where, args := s.scope(ws, sc)
	rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o [2]int64, err error) {
		err = r.Scan(&o[0], &o[1])
		return o, err
	}, `SELECT n, count(*) FROM (SELECT count(*) AS n FROM message WHERE `+where+` AND (`+metricConditions[outbox.MetricSent]+`) GROUP BY person_id) x GROUP BY n`, args...)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]int64, len(rows))
	for _, r := range rows {
		out[r[0]] = r[1]
	}
	return out, nil
}

// Credited sums conversions.
func (s *Report) Credited(ctx context.Context, ws string, from, to time.Time) ([]report.SourceRevenue, error) {
	type row struct {
		kind, id, currency string
		n, net, off        int64
	}
	rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (o row, err error) {
		err = r.Scan(&o.kind, &o.id, &o.currency, &o.n, &o.net, &o.off)
		return o, err
	}, `SELECT source_kind, source_id, currency, count(*), CAST(sum(revenue_minor - refunded_minor) AS BIGINT), CAST(sum(refunded_minor) AS BIGINT)
		FROM message_conversion WHERE workspace_id = $1 AND converted_at >= $2 AND converted_at < $3 GROUP BY source_kind, source_id, currency ORDER BY source_kind, source_id, currency`, ws, from, to)
	if err != nil {
		return nil, err
	}
	var out []report.SourceRevenue
	for _, r := range rows {
		if n := len(out); n == 0 || out[n-1].Kind != r.kind || out[n-1].ID != r.id {
			out = append(out, report.SourceRevenue{Kind: r.kind, ID: r.id, Net: map[string]int64{}, Refunded: map[string]int64{}})
		}
		o := &out[len(out)-1]
		o.Orders += r.n
		if r.currency != "" {
			o.Net[r.currency] = r.net
			if r.off > 0 {
				o.Refunded[r.currency] = r.off
			}
		}
	}
	return out, nil
}

// Credits lists conversions. They know their source themselves; of other things their message is asked.
func (s *Report) Credits(ctx context.Context, ws string, c report.Credits, p page.Request) (page.Of[outbox.Conversion], error) {
	at, key := time.UnixMicro(math.MaxInt64), ""
	var micros int64
	if more, err := page.Decode(p.Cursor, &micros, &key); err != nil {
		return page.Of[outbox.Conversion]{}, err
	} else if more {
		at = time.UnixMicro(micros)
	}
	own := report.Scope{Kind: c.Scope.Kind, Source: c.Scope.Source, Node: c.Scope.Node}
	where, args := s.scope(ws, own)
	if !reflect.DeepEqual(own, c.Scope) {
		where, args = s.scope(ws, c.Scope)
		where = `workspace_id = $1 AND message_id IN (SELECT id FROM message WHERE ` + where + `)`
	}
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	if !c.From.IsZero() || !c.To.IsZero() {
		where += ` AND converted_at >= ` + arg(c.From) + ` AND converted_at < ` + arg(c.To)
	}
	if c.Refunded {
		where += ` AND refunded_minor > 0`
	}
	if c.Money {
		where += ` AND currency <> ''`
	}
	a, b := arg(at), arg(at)
	items, err := sqldb.Collect(ctx, s.db, scanConversion, `SELECT `+conversionColumns+` FROM message_conversion WHERE `+where+
		` AND (converted_at < `+a+` OR converted_at = `+b+` AND credit_key < `+arg(key)+`) ORDER BY converted_at DESC, credit_key DESC LIMIT `+arg(p.Size()+1), args...)
	return page.Cut(items, p.Size(), func(c outbox.Conversion) string { return page.Encode(c.At.UnixMicro(), c.Key) }), err
}

// Often counts messages by person.
func (s *Report) Often(ctx context.Context, ws string, sc report.Scope, m outbox.Metric, least, most int64, p page.Request) (page.Of[report.Frequent], error) {
	condition, ok := metricConditions[m]
	if !ok {
		return page.Of[report.Frequent]{}, errs.Invalid("outbox.metric.unknown", "metric", "%q is no figure of the report", m)
	}
	last := ""
	if _, err := page.Decode(p.Cursor, &last); err != nil {
		return page.Of[report.Frequent]{}, err
	}
	where, args := s.scope(ws, sc)
	n := len(args)
	items, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (f report.Frequent, err error) {
		err = r.Scan(&f.PersonID, &f.Messages, &f.Latest)
		return f, err
	}, fmt.Sprintf(`SELECT person_id, count(*), max(not_before) FROM message WHERE %s AND (%s) AND person_id > $%d GROUP BY person_id
		HAVING count(*) >= $%d AND ($%d = 0 OR count(*) <= $%d) ORDER BY person_id LIMIT $%d`, where, condition, n+1, n+2, n+3, n+3, n+4), append(args, last, least, most, p.Size()+1)...)
	return page.Cut(items, p.Size(), func(f report.Frequent) string { return page.Encode(f.PersonID) }), err
}

// AddNote adds a revision.
func (s *Report) AddNote(ctx context.Context, ws string, n report.Note) error {
	raw, err := json.Marshal(n)
	if err != nil {
		return err
	}
	added, err := s.db.Exec(ctx, `INSERT INTO report_note (workspace_id, subject, rev, note, author, written_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (workspace_id, subject, rev) DO NOTHING`, ws, n.Subject, n.Rev, string(raw), n.Author, n.At)
	if err == nil && added == 0 {
		return errs.Conflict("note.changed", "somebody else has written here meanwhile; load the note again and repeat the change")
	}
	return err
}

// Notes lists revisions.
func (s *Report) Notes(ctx context.Context, ws, subject string, p page.Request) (page.Of[report.Note], error) {
	before := int64(1) << 62
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[report.Note]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (n report.Note, err error) {
		var raw string
		if err = r.Scan(&n.Subject, &n.Rev, &raw, &n.Author, &n.At); err != nil {
			return n, err
		}
		return n, json.Unmarshal([]byte(raw), &n)
	}, `SELECT subject, rev, note, author, written_at FROM report_note WHERE workspace_id = $1 AND subject = $2 AND rev < $3 ORDER BY rev DESC LIMIT $4`, ws, subject, before, p.Size()+1)
	return page.Cut(items, p.Size(), func(n report.Note) string { return page.Encode(n.Rev) }), err
}

const savedColumns = `id, name, report, params, owner, rev, created_at, updated_at`

func scanSaved(r sqldb.Row) (s report.Saved, err error) {
	var params string
	if err = r.Scan(&s.ID, &s.Name, &s.Report, &params, &s.Owner, &s.Rev, &s.CreatedAt, &s.UpdatedAt); err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(params), &s.Params)
}

// CreateSaved adds a saved report.
func (s *Report) CreateSaved(ctx context.Context, ws string, r report.Saved) error {
	params, err := json.Marshal(r.Params)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO saved_report (workspace_id, `+savedColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		ws, r.ID, r.Name, r.Report, string(params), r.Owner, r.Rev, r.CreatedAt, r.UpdatedAt)
	return err
}

// Saved returns a saved report.
func (s *Report) Saved(ctx context.Context, ws, id string) (report.Saved, error) {
	r, err := sqldb.One(ctx, s.db, scanSaved, `SELECT `+savedColumns+` FROM saved_report WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return r, errs.NotFound("report", id)
	}
	return r, err
}

// ListSaved lists saved reports.
func (s *Report) ListSaved(ctx context.Context, ws string, p page.Request) (page.Of[report.Saved], error) {
	last := "~" // sorts after every id
	if _, err := page.Decode(p.Cursor, &last); err != nil {
		return page.Of[report.Saved]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanSaved, `SELECT `+savedColumns+` FROM saved_report WHERE workspace_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, ws, last, p.Size()+1)
	return page.Cut(items, p.Size(), func(r report.Saved) string { return page.Encode(r.ID) }), err
}

// UpdateSaved replaces a saved report.
func (s *Report) UpdateSaved(ctx context.Context, ws string, r report.Saved) error {
	params, err := json.Marshal(r.Params)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `UPDATE saved_report SET name = $4, report = $5, params = $6, updated_at = $7, rev = rev + 1 WHERE workspace_id = $1 AND id = $2 AND rev = $3`,
		ws, r.ID, r.Rev, r.Name, r.Report, string(params), r.UpdatedAt)
	if err == nil && n == 0 {
		if _, err := s.Saved(ctx, ws, r.ID); err != nil {
			return err
		}
		return errs.Conflict("saved_report.changed", "somebody else has changed this report; load it again and repeat the change")
	}
	return err
}

// DeleteSaved removes a saved report.
func (s *Report) DeleteSaved(ctx context.Context, ws, id string) error {
	n, err := s.db.Exec(ctx, `DELETE FROM saved_report WHERE workspace_id = $1 AND id = $2`, ws, id)
	if err == nil && n == 0 {
		return errs.NotFound("report", id)
	}
	return err
}
