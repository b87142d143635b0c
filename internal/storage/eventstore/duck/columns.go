package duck

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
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
		micros(k.Original), micros(k.Sent), flags, event.Strings(k.Identifiers), []byte(k.Properties), []byte(k.Context),
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

// Columns of an event, in the order that scanner.kept reads them. Histories do without the second part.
const (
	historyColumns = `person, message_id, type, name, time, received, seq, idx, origin, source, user_id, anonymous_id, props, context`
	keptColumns    = historyColumns + `, previous_id, group_id, person_id, original, sent, flags, ids`
)

// scanner reads rows of events. It takes the driver's values as they are: converting each through database/sql costs
// more than the query.
type scanner struct {
	ws   string
	vals []any
	into []any
}

func newScanner(ws string, columns string) *scanner {
	n := strings.Count(columns, ",") + 1
	s := &scanner{ws: ws, vals: make([]any, n), into: make([]any, n)}
	for i := range s.vals {
		s.into[i] = &s.vals[i]
	}
	return s
}

func (s *scanner) kept(rows *sql.Rows) (event.Kept, error) {
	if err := rows.Scan(s.into...); err != nil {
		return event.Kept{}, err
	}
	r := reader{vals: s.vals}
	k := event.Kept{Person: r.uint()}
	k.Workspace = s.ws
	k.MessageID, k.Type, k.Name = r.text(), event.Type(r.text()), r.text()
	k.Time, k.Received = r.time(), r.time()
	k.Position = event.Position{Seq: r.uint(), Index: int(r.int32())}
	k.Origin, k.Source = event.Origin(r.text()), r.text()
	k.UserID, k.AnonymousID = r.text(), r.text()
	k.Properties, k.Context = json.RawMessage(r.text()), json.RawMessage(r.text())
	if len(r.vals) > 0 {
		k.PreviousID, k.GroupID, k.PersonID = r.text(), r.text(), r.text()
		k.Original, k.Sent = r.time(), r.time()
		k.Flags = r.texts()
		for _, id := range r.texts() {
			k.Identifiers = append(k.Identifiers, event.ParseIdentifier(id))
		}
	}
	return k, r.err
}

// reader takes values one after the other and keeps the first error.
type reader struct {
	vals []any
	err  error
}

func take[T any](r *reader) T {
	v, ok := r.vals[0].(T)
	if !ok && r.err == nil {
		r.err = fmt.Errorf("event store: a %T where %T was expected", r.vals[0], v)
	}
	r.vals = r.vals[1:]
	return v
}

func (r *reader) text() string { return take[string](r) }
func (r *reader) uint() uint64 { return take[uint64](r) }
func (r *reader) int32() int32 { return take[int32](r) }

// time reads microseconds, NULL as the zero time.
func (r *reader) time() time.Time {
	if r.vals[0] == nil {
		r.vals = r.vals[1:]
		return time.Time{}
	}
	return time.UnixMicro(take[int64](r)).UTC()
}

// texts reads a VARCHAR[], nil if it is empty.
func (r *reader) texts() []string {
	var out []string
	for _, v := range take[[]any](r) {
		s, ok := v.(string)
		if !ok && r.err == nil {
			r.err = fmt.Errorf("event store: a %T in a list of texts", v)
		}
		out = append(out, s)
	}
	return out
}
