package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// What becomes of a row of somebody who is erased.
const (
	deleted  = "deleted"
	stripped = "stripped" // figures need it; what it says of the person is taken off
)

// statement lets one table go of a person. $1 is the workspace. {ids} and {nums} are conditions on the person's ids and numbers, {ghost} stands for
// nobody, {text} is a condition on a piece of text that the row contains, for each of the person's ids (and, with values, of their identifiers).
type statement struct {
	table  string
	how    string
	sql    string
	values bool
}

// reach lists how erasure lets go of each table, in the order of doing. A table that another statement reaches may come again.
var reach = []statement{
	{table: "message_body", how: deleted, sql: `DELETE FROM message_body WHERE workspace_id = $1 AND message_id IN (SELECT id FROM message WHERE workspace_id = $1 AND person_id {ids})`},
	{table: "link_follow", how: deleted, sql: `DELETE FROM link_follow WHERE workspace_id = $1 AND message_id IN (SELECT id FROM message WHERE workspace_id = $1 AND person_id {ids})`},
	{table: "message", how: stripped, sql: `UPDATE message SET idem_key = 'erased:' || id, vars = '', data = '', address = '', subject = '', detail = '', print = '', trace = '', body = FALSE,
		state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END, reason = CASE WHEN state = 'queued' THEN 'cancelled' ELSE reason END,
		person_id = {ghost} WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "message_conversion", how: stripped, sql: `UPDATE message_conversion SET person_id = {ghost}, event_id = '' WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "message_outcome", how: stripped, sql: `UPDATE message_outcome SET person_id = {ghost} WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "bounce", how: stripped, sql: `UPDATE bounce SET person_id = {ghost}, address_hash = '', hint = '', detail = '' WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "consent_record", how: deleted, sql: `DELETE FROM consent_record WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "consent_state", how: deleted, sql: `DELETE FROM consent_state WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "consent_settings", how: deleted, sql: `DELETE FROM consent_settings WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "standing", how: deleted, sql: `DELETE FROM standing WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "person_hold", how: stripped, sql: `UPDATE person_hold SET person_id = {ghost}, note = '' WHERE workspace_id = $1 AND person_id {ids}`}, // its keyed hashes go on keeping the person from being written to
	{table: "suppression", how: stripped, sql: `UPDATE suppression SET person_id = '', hint = '', detail = '' WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "journey_errand", how: deleted, sql: `DELETE FROM journey_errand WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "journey_entry", how: deleted, sql: `DELETE FROM journey_entry WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "journey_refusal", how: deleted, sql: `DELETE FROM journey_refusal WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "journey_step", how: stripped, sql: `UPDATE journey_step SET person_id = {ghost}, reason = '' WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "journey_instance", how: stripped, sql: `UPDATE journey_instance SET person_id = {ghost}, entry_key = 'erased:' || id, live_key = '', memory = '{}', reason = '', error = '',
		due_at = NULL WHERE workspace_id = $1 AND person_id {ids} AND status NOT IN ('active', 'parked')`},
	{table: "journey_task", how: stripped, sql: `UPDATE journey_task SET data = replace(data, {needle}, {ghost}) WHERE workspace_id = $1 AND data {text}`},
	{table: "invoice_payment", how: deleted, sql: `DELETE FROM invoice_payment WHERE workspace_id = $1 AND number IN (SELECT number FROM invoice WHERE workspace_id = $1 AND person_id {ids})`},
	{table: "invoice", how: deleted, sql: `DELETE FROM invoice WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "task", how: deleted, sql: `DELETE FROM task WHERE workspace_id = $1 AND person_id {ids}`},
	{table: "hook_delivery", how: deleted, sql: `DELETE FROM hook_delivery WHERE workspace_id = $1 AND body {text}`},
	{table: "personal_setting", how: stripped, values: true, sql: `UPDATE personal_setting SET value = replace(value, {needle}, '') WHERE workspace_id = $1 AND value {text}`},
	{table: "draft", how: stripped, values: true, sql: `UPDATE draft SET document = replace(document, {needle}, '') WHERE workspace_id = $1 AND document {text}`},
	{table: "thing_version", how: stripped, values: true, sql: `UPDATE thing_version SET document = replace(document, {needle}, '') WHERE workspace_id = $1 AND document {text}`},
	{table: "rejection", how: deleted, values: true, sql: `DELETE FROM rejection WHERE workspace_id = $1 AND lower(message_id || ' ' || name || ' ' || reason) {text}`},
	{table: "audit_log", how: stripped, sql: `UPDATE audit_log SET noun_id = 'erased' WHERE workspace_id = $1 AND noun = 'person' AND noun_id {ids}`},
	{table: "audit_log", how: stripped, sql: `UPDATE audit_log SET detail = replace(detail, {needle}, 'erased') WHERE workspace_id = $1 AND detail {text}`},
	{table: "pending_event", how: deleted, sql: `DELETE FROM pending_event WHERE workspace_id = $1 AND payload {text}`},
	{table: "person_effect", how: deleted, sql: `DELETE FROM person_effect WHERE workspace_id = $1 AND body {text}`},
	{table: "person_task", how: deleted, values: true, sql: `DELETE FROM person_task WHERE workspace_id = $1 AND lower(seeds) {text}`},
	{table: "person_spelling", how: deleted, values: true, sql: `DELETE FROM person_spelling WHERE workspace_id = $1 AND lower(value) {text}`},
	{table: "person_hashing", how: stripped, values: true, sql: `UPDATE person_hashing SET after_kind = '', after_value = '' WHERE workspace_id = $1 AND lower(after_value) {text}`},
	{table: "person_decision", how: deleted, sql: `DELETE FROM person_decision WHERE workspace_id = $1 AND person {nums}`},
	{table: "person_decision", how: deleted, values: true, sql: `DELETE FROM person_decision WHERE workspace_id = $1 AND lower(body) {text}`},
	{table: "person_apart", how: deleted, sql: `DELETE FROM person_apart WHERE workspace_id = $1 AND person {nums}`},
	{table: "person_suggestion_source", how: deleted, sql: `DELETE FROM person_suggestion_source WHERE workspace_id = $1 AND suggestion_id IN (SELECT id FROM person_suggestion WHERE workspace_id = $1 AND one {nums})`},
	{table: "person_suggestion_source", how: deleted, sql: `DELETE FROM person_suggestion_source WHERE workspace_id = $1 AND suggestion_id IN (SELECT id FROM person_suggestion WHERE workspace_id = $1 AND two {nums})`},
	{table: "person_suggestion", how: deleted, sql: `DELETE FROM person_suggestion WHERE workspace_id = $1 AND one {nums}`},
	{table: "person_suggestion", how: deleted, sql: `DELETE FROM person_suggestion WHERE workspace_id = $1 AND two {nums}`},
	{table: "person_likeness", how: deleted, sql: `DELETE FROM person_likeness WHERE workspace_id = $1 AND person {nums}`},
	{table: "job", how: stripped, values: true, sql: `UPDATE job SET title = '', params = '{}', mark = '' WHERE workspace_id = $1 AND ended_at > 0 AND lower(title || ' ' || params || ' ' || mark) {text}`},
	{table: "event_seen", how: deleted, sql: `DELETE FROM event_seen WHERE workspace_id = $1 AND person_num {nums}`},
	{table: "segment_deadline", how: deleted, sql: `DELETE FROM segment_deadline WHERE workspace_id = $1 AND person_num {nums}`},
	{table: "segment_merge", how: deleted, sql: `DELETE FROM segment_merge WHERE workspace_id = $1 AND loser {nums}`},
	{table: "person_identifier", how: deleted, sql: `DELETE FROM person_identifier WHERE workspace_id = $1 AND person {nums}`},
	{table: "person_sought", how: deleted, sql: `DELETE FROM person_sought WHERE workspace_id = $1 AND num {nums}`},
	{table: "person", how: deleted, sql: `DELETE FROM person WHERE workspace_id = $1 AND num {nums}`},
}

// elsewhere names the tables that erasure reaches in another way, and impersonal those that say nothing of a customer, both with the reason.
var (
	elsewhere = map[string]string{
		"person_apart_identifier": "in apart, with the decisions that name the identifiers",
		"order_refund":            "in orders, under another key",
		"suppression":             "in suppressions: the keyed hash stays, what one could read goes",
		"segment_chunk":           "by the segments themselves, which keep their members in memory too",
		"log_key":                 "by the keys of the log",
		"privacy_request":         "by the request itself at its end",
		"campaign_wave_people":    "numbers that lead to nobody",
	}
	impersonal = map[string]string{
		"workspace": "the business", "workspace_move": "the business", "source": "the business", "personal_setting": "staff", "staff_user": "staff", "staff_member": "staff", "staff_session": "staff",
		"staff_link": "staff", "staff_key": "staff", "person_counter": "a number", "log_position": "a number", "privacy_proof": "keyed hashes", "privacy_refusal": "keyed hashes",
		"privacy_version": "a number", "privacy_rules": "a definition", "retention_policy": "a setting", "retention_receipt": "counts", "retention_gone": "counts", "quota": "a setting", "quota_use": "counts", "segment": "a definition", "segment_list": "a definition", "segment_revision": "a number", "template": "content", "template_version": "content",
		"template_snippet": "content", "snippet": "content", "snippet_version": "content", "brand_revision": "content", "topic": "a definition", "message_goal": "a definition",
		"message_owner": "processes", "lease": "processes", "backup": "a folder", "sending_stop": "a setting", "sending_policy": "a setting", "sending_window": "counts", "channel_account": "a setting",
		"account_inbound": "a setting", "mailbox_state": "a position", "returned_count": "counts", "account_alert": "counts", "bounce_policy": "a setting",
		"sending_domain": "a setting", "dkim_key": "a setting", "campaign": "a definition", "campaign_wave": "counts", "campaign_series": "a definition",
		"campaign_run": "entries of a feed", "campaign_item": "entries of a feed", "journey": "a definition", "journey_version": "a definition", "journey_count": "counts",
		"journey_secret": "a setting", "journey_decision": "results of tests", "invoice_plan": "a setting", "report_note": "staff's words about figures", "saved_report": "a definition",
		"hook_endpoint": "a setting", "persona": "an archetype", "journey_map": "a plan", "standing_scheme": "a setting", "identity_scheme": "a setting", "person_look": "a position", "import_mapping": "a setting", "sample_mark": "definitions", "schema_migration": "the product",
	}
)

// Reach lets go of people in the record store. It implements privacy.Records.
type Reach struct {
	db *sqldb.DB
	// addressHash is the keyed hash under which suppressions know an address.
	addressHash func(ws, channel, address string) string
}

var _ privacy.Records = (*Reach)(nil)

// NewReach returns the eraser of the record store.
func NewReach(db *sqldb.DB, addressHash func(ws, channel, address string) string) *Reach {
	return &Reach{db, addressHash}
}

// Subject implements privacy.Records.
func (s *Reach) Subject(ctx context.Context, ws, person string) (who privacy.Subject, err error) {
	type one struct {
		id  string
		num uint64
	}
	rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x one, err error) {
		err = r.Scan(&x.id, &x.num)
		return x, err
	}, `SELECT id, num FROM person WHERE workspace_id = $1 AND (num IN (SELECT CASE WHEN redirect > 0 THEN redirect ELSE num END FROM person WHERE workspace_id = $1 AND id = $2)
			OR redirect > 0 AND redirect IN (SELECT CASE WHEN redirect > 0 THEN redirect ELSE num END FROM person WHERE workspace_id = $1 AND id = $2))
		ORDER BY CASE WHEN redirect = 0 THEN 0 ELSE 1 END, num`, ws, person)
	if err != nil {
		return who, err
	}
	for _, x := range rows {
		who.IDs, who.Nums = append(who.IDs, x.id), append(who.Nums, x.num)
	}
	clause, arg := s.db.InInts(2, signed(who.Nums))
	who.Identifiers, err = sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x event.Identifier, err error) {
		err = r.Scan(&x.Kind, &x.Value)
		return x, err
	}, `SELECT kind, value FROM person_identifier WHERE workspace_id = $1 AND person `+clause, ws, arg)
	return who, err
}

// Several implements privacy.Records.
func (s *Reach) Several(ctx context.Context, ws string, people []string) (who privacy.Subject, err error) {
	one := func(r sqldb.Row) (num uint64, err error) {
		var id string
		err = r.Scan(&id, &num)
		who.IDs, who.Nums = append(who.IDs, id), append(who.Nums, num)
		return num, err
	}
	in, arg := s.db.In(2, people)
	nums, err := sqldb.Collect(ctx, s.db, one, `SELECT id, num FROM person WHERE workspace_id = $1 AND id `+in, ws, arg)
	if err != nil {
		return who, err
	}
	in, arg = s.db.InInts(2, signed(nums))
	_, err = sqldb.Collect(ctx, s.db, one, `SELECT id, num FROM person WHERE workspace_id = $1 AND redirect > 0 AND redirect `+in, ws, arg)
	return who, err
}

// Busy implements privacy.Records.
func (s *Reach) Busy(ctx context.Context, ws string, people []string) (int64, error) {
	clause, arg := s.db.In(2, people)
	return sqldb.One(ctx, s.db, sqldb.Value[int64], `SELECT count(*) FROM message WHERE workspace_id = $1 AND state = 'claimed' AND person_id `+clause, ws, arg)
}

// Erase implements privacy.Records.
func (s *Reach) Erase(ctx context.Context, ws string, t privacy.Traces) (counts []privacy.Count, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		counts = nil
		note := func(table, how string, n int64) {
			counts = append(counts, privacy.Count{Store: "records", What: table, How: how, N: n})
		}
		if err := s.apart(ctx, ws, t, note); err != nil {
			return err
		}
		if err := s.orders(ctx, ws, t, note); err != nil {
			return err
		}
		if err := s.suppressions(ctx, ws, t, note); err != nil {
			return err
		}
		if err := s.users(ctx, ws, t, note); err != nil {
			return err
		}
		for _, st := range reach {
			n, err := s.run(ctx, ws, t, st)
			if err != nil {
				return fmt.Errorf("erase from %s: %w", st.table, err)
			}
			note(st.table, st.how, n)
		}
		return nil
	})
	return counts, err
}

// Remove implements privacy.Records.
func (s *Reach) Remove(ctx context.Context, ws string, t privacy.Traces) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		for _, st := range reach {
			if strings.Contains(st.sql, "{text}") {
				continue
			}
			if _, err := s.run(ctx, ws, t, st); err != nil {
				return fmt.Errorf("remove from %s: %w", st.table, err)
			}
		}
		return nil
	})
}

// shortest is the shortest identifier that is looked for inside texts: shorter ones are found everywhere.
const shortest = 4

// run runs one statement, once or for each text that it looks for.
func (s *Reach) run(ctx context.Context, ws string, t privacy.Traces, st statement) (int64, error) {
	if !strings.Contains(st.sql, "{text}") {
		args := []any{ws}
		sql := st.sql
		for _, c := range []struct {
			name string
			bind func(n int) (clause string, arg any)
		}{
			{"{ids}", func(n int) (string, any) { return s.db.In(n, t.IDs) }},
			{"{nums}", func(n int) (string, any) { return s.db.InInts(n, signed(t.Nums)) }},
			{"{ghost}", func(n int) (string, any) { return fmt.Sprintf("$%d", n), t.Ghost }},
		} {
			if strings.Contains(sql, c.name) {
				clause, arg := c.bind(len(args) + 1)
				sql, args = strings.ReplaceAll(sql, c.name, clause), append(args, arg)
			}
		}
		return s.db.Exec(ctx, sql, args...)
	}
	needles := slices.Clone(t.IDs)
	if st.values {
		for _, i := range t.Identifiers {
			if len(i.Value) >= shortest {
				needles = append(needles, inJSON(i.Value))
			}
		}
	}
	var sum int64
	for _, needle := range needles {
		if strings.Contains(st.sql, "lower(") {
			needle = strings.ToLower(needle)
		}
		args := []any{ws, "%" + escapeLike.Replace(needle) + "%"}
		sql := strings.ReplaceAll(st.sql, "{text}", `LIKE $2 ESCAPE '\'`)
		for _, p := range [][2]string{{"{needle}", needle}, {"{ghost}", t.Ghost}} {
			if strings.Contains(sql, p[0]) {
				args = append(args, p[1])
				sql = strings.ReplaceAll(sql, p[0], fmt.Sprintf("CAST($%d AS TEXT)", len(args)))
			}
		}
		n, err := s.db.Exec(ctx, sql, args...)
		if sum += n; err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// inJSON is a text as it stands inside a JSON string.
func inJSON(s string) string {
	b, _ := json.Marshal(s) // a string always can
	return string(b[1 : len(b)-1])
}

// apart deletes the decisions of staff to keep people apart that name one of the person's identifiers.
func (s *Reach) apart(ctx context.Context, ws string, t privacy.Traces, note func(string, string, int64)) error {
	clause, arg := s.db.InInts(2, signed(t.Nums))
	ids, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT id FROM person_apart WHERE workspace_id = $1 AND person `+clause, ws, arg)
	if err != nil {
		return err
	}
	for _, i := range t.Identifiers {
		more, err := sqldb.Collect(ctx, s.db, sqldb.Value[string],
			`SELECT apart_id FROM person_apart_identifier WHERE workspace_id = $1 AND kind = $2 AND value = $3`, ws, i.Kind, i.Value)
		if err != nil {
			return err
		}
		ids = append(ids, more...)
	}
	in, arg := s.db.In(2, ids)
	n, err := s.db.Exec(ctx, `DELETE FROM person_apart_identifier WHERE workspace_id = $1 AND apart_id `+in, ws, arg)
	if err != nil {
		return err
	}
	note("person_apart_identifier", deleted, n)
	n, err = s.db.Exec(ctx, `DELETE FROM person_apart WHERE workspace_id = $1 AND id `+in, ws, arg)
	note("person_apart", deleted, n)
	return err
}

// orders puts fresh keys in the place of the ids of the person's orders, which tell figures of one order apart.
func (s *Reach) orders(ctx context.Context, ws string, t privacy.Traces, note func(string, string, int64)) error {
	in, arg := s.db.In(2, t.IDs)
	keys, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT credit_key FROM message_conversion WHERE workspace_id = $1 AND person_id `+in+`
		UNION SELECT credit_key FROM message_outcome WHERE workspace_id = $1 AND person_id `+in, ws, arg)
	if err != nil {
		return err
	}
	for _, o := range t.Orders {
		keys = append(keys, o, "order:"+o) // the outbox names orders so
	}
	slices.Sort(keys)
	var rows [][]any
	for _, k := range slices.Compact(keys) {
		rows = append(rows, []any{ws, k, id.New("erased")})
	}
	for _, table := range []string{"message_conversion", "message_outcome"} {
		if _, err := s.db.Bulk(ctx, `UPDATE `+table+` SET credit_key = $3 WHERE workspace_id = $1 AND credit_key = $2`, rows); err != nil {
			return err
		}
	}
	n, err := s.db.Bulk(ctx, `UPDATE order_refund SET credit_key = $3, event_id = '' WHERE workspace_id = $1 AND credit_key = $2`, rows)
	note("order_refund", stripped, n)
	return err
}

// suppressions takes off what one could read of the person's addresses; their keyed hashes keep them from being written to.
func (s *Reach) suppressions(ctx context.Context, ws string, t privacy.Traces, note func(string, string, int64)) error {
	var rows [][]any
	for _, i := range t.Identifiers {
		for channel, kind := range map[string]string{"email": "email", "sms": "phone"} {
			if i.Kind == kind {
				rows = append(rows, []any{ws, channel, s.addressHash(ws, channel, i.Value)})
			}
		}
	}
	n, err := s.db.Bulk(ctx, `UPDATE suppression SET hint = '', detail = '' WHERE workspace_id = $1 AND channel = $2 AND address_hash = $3 AND (hint <> '' OR detail <> '')`, rows)
	note("suppression", stripped, n)
	return err
}

// users takes the person's user ids off other people's devices, which remember with whom they were seen.
func (s *Reach) users(ctx context.Context, ws string, t privacy.Traces, note func(string, string, int64)) error {
	var rows [][]any
	for _, other := range t.Others {
		for _, i := range t.Identifiers {
			if i.Kind == "user_id" {
				quoted, _ := json.Marshal(i.Value) // a string always can
				rows = append(rows, []any{ws, other.Kind, other.Value, string(quoted), `"` + t.Ghost + `"`})
			}
		}
	}
	n, err := s.db.Bulk(ctx, `UPDATE person_identifier SET users = replace(users, $4, $5) WHERE workspace_id = $1 AND kind = $2 AND value = $3 AND users <> replace(users, $4, $5)`, rows)
	note("person_identifier", stripped, n)
	return err
}

// Scrub implements privacy.Records.
func (s *Reach) Scrub(ctx context.Context) ([]privacy.Caveat, error) {
	tables := []string{"privacy_request", "log_key", "person_apart_identifier", "order_refund", "suppression", "segment_chunk"}
	for _, st := range reach {
		if !slices.Contains(tables, st.table) {
			tables = append(tables, st.table)
		}
	}
	if err := s.db.Scrub(ctx, tables); err != nil {
		return nil, err
	}
	var caveats []privacy.Caveat
	if s.db.Dialect() == sqldb.Postgres {
		caveats = append(caveats, privacy.PostgresLog)
	}
	if copies, err := filepath.Glob(s.db.CopiesPattern()); err == nil && len(copies) > 0 {
		caveats = append(caveats, privacy.MigrationCopies)
	}
	return caveats, nil
}

// PurgeCopies deletes the copies of the database that were made before a migration and are older than the time, and returns how many.
func PurgeCopies(db *sqldb.DB, older func(os.FileInfo) bool) (int64, error) {
	copies, err := filepath.Glob(db.CopiesPattern())
	if err != nil {
		return 0, err
	}
	var n int64
	for _, c := range copies {
		info, err := os.Stat(c)
		if err != nil || !older(info) {
			continue
		}
		if err := os.Remove(c); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Reached tells of every table how erasure reaches it, or why it need not.
func Reached() map[string]string {
	out := map[string]string{}
	for table, why := range impersonal {
		out[table] = "says nothing of a customer: " + why
	}
	for table, how := range elsewhere {
		out[table] = "erased " + how
	}
	for _, st := range reach {
		out[st.table] = "erased here: " + st.how
	}
	return out
}
