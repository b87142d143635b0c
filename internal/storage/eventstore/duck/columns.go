package duck

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// rawColumns are the columns of event_raw, in the order of row.
const rawColumns = `ws VARCHAR NOT NULL, person UBIGINT NOT NULL, message_id VARCHAR NOT NULL, type VARCHAR NOT NULL, name VARCHAR NOT NULL,
	time BIGINT NOT NULL, received BIGINT NOT NULL, seq UBIGINT NOT NULL, idx INTEGER NOT NULL, origin VARCHAR NOT NULL, source VARCHAR NOT NULL,
	user_id VARCHAR NOT NULL, anonymous_id VARCHAR NOT NULL, previous_id VARCHAR NOT NULL, group_id VARCHAR NOT NULL, person_id VARCHAR NOT NULL,
	original BIGINT, sent BIGINT, flags VARCHAR[] NOT NULL, ids VARCHAR[] NOT NULL, props VARCHAR NOT NULL, context VARCHAR NOT NULL,
	total DOUBLE, currency VARCHAR, order_id VARCHAR, product_id VARCHAR, category VARCHAR, url VARCHAR, path VARCHAR,
	os VARCHAR, os_version VARCHAR, device_type VARCHAR, device_model VARCHAR, platform VARCHAR, app_version VARCHAR,
	locale VARCHAR, timezone VARCHAR, country VARCHAR,
	channel VARCHAR, topic VARCHAR, source_kind VARCHAR, source_id VARCHAR, node VARCHAR, outbox_id VARCHAR`

// row is an event as the appender takes it.
func row(into []driver.Value, k *event.Kept) []driver.Value {
	k.Properties, k.Context = event.Clean(k.Properties), event.Clean(k.Context)
	p := event.Promote(&k.Event)
	var total driver.Value
	if p.HasTotal {
		total = p.Total
	}
	flags := k.Flags
	if flags == nil {
		flags = []string{}
	}
	return append(into[:0], k.Workspace, k.Person, k.MessageID, string(k.Type), k.Name,
		k.Time.UnixMicro(), k.Received.UnixMicro(), k.Position.Seq, int32(k.Position.Index), string(k.Origin), k.Source,
		k.UserID, k.AnonymousID, k.PreviousID, k.GroupID, k.PersonID,
		micros(k.Original), micros(k.Sent), flags, event.Strings(k.Identifiers), string(k.Properties), string(k.Context),
		total, orNull(p.Currency), orNull(p.OrderID), orNull(p.ProductID), orNull(p.Category), orNull(p.URL), orNull(p.Path),
		orNull(p.OS), orNull(p.OSVersion), orNull(p.DeviceType), orNull(p.DeviceModel), orNull(p.Platform), orNull(p.AppVersion),
		orNull(p.Locale), orNull(p.Timezone), orNull(p.Country),
		orNull(p.Channel), orNull(p.Topic), orNull(p.SourceKind), orNull(p.SourceID), orNull(p.Node), orNull(p.OutboxID))
}

func orNull(s string) driver.Value {
	if s == "" {
		return nil
	}
	return s
}

// micros is NULL for the zero time, which means "not said".
func micros(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// keptColumns are what scanKept reads.
const keptColumns = `ws, person, message_id, type, name, time, received, seq, idx, origin, source,
	user_id, anonymous_id, previous_id, group_id, person_id, original, sent, flags, ids, props, context`

// scanKept reads one row of keptColumns.
func scanKept(rows *sql.Rows) (event.Kept, error) {
	var k event.Kept
	var at, received int64
	var original, sent sql.NullInt64
	var typ, origin, props, context string
	var flags, ids any
	if err := rows.Scan(&k.Workspace, &k.Person, &k.MessageID, &typ, &k.Name, &at, &received, &k.Position.Seq, &k.Position.Index, &origin, &k.Source,
		&k.UserID, &k.AnonymousID, &k.PreviousID, &k.GroupID, &k.PersonID, &original, &sent, &flags, &ids, &props, &context); err != nil {
		return k, err
	}
	k.Type, k.Origin = event.Type(typ), event.Origin(origin)
	k.Time, k.Received = time.UnixMicro(at).UTC(), time.UnixMicro(received).UTC()
	if original.Valid {
		k.Original = time.UnixMicro(original.Int64).UTC()
	}
	if sent.Valid {
		k.Sent = time.UnixMicro(sent.Int64).UTC()
	}
	k.Properties, k.Context = json.RawMessage(props), json.RawMessage(context)
	texts, err := textsOf(flags)
	if err != nil {
		return k, err
	}
	k.Flags = texts
	if texts, err = textsOf(ids); err != nil {
		return k, err
	}
	for _, s := range texts {
		k.Identifiers = append(k.Identifiers, event.ParseIdentifier(s))
	}
	return k, nil
}

// textsOf reads a VARCHAR[], nil if it is empty.
func textsOf(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, fmt.Errorf("event store: a list of texts came as %T", v)
	}
	var out []string
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			return nil, fmt.Errorf("event store: a text came as %T", e)
		}
		out = append(out, s)
	}
	return out, nil
}
