package click

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Settings of the tables. A commit must not be on disk without what it covers. What a merge of parts has made obsolete goes after seconds instead of eight
// minutes, because erasure waits for it; therefore merges are synced too.
const settled = ` SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1,
	old_parts_lifetime = 2, cleanup_delay_period = 1, max_cleanup_delay_period = 2, cleanup_delay_period_random_add = 0`

// month is 30.4375 days. Partitions by the calendar would end where ClickHouse's calendar does.
const month = "2629800000000"

var schema = []string{
	`CREATE TABLE IF NOT EXISTS event_raw (ws LowCardinality(String), person UInt64, message_id String CODEC(ZSTD), type LowCardinality(String), name LowCardinality(String),
		time Int64 CODEC(Delta, ZSTD), received Int64 CODEC(Delta, ZSTD), seq UInt64 CODEC(Delta, ZSTD), idx Int32, origin LowCardinality(String), source LowCardinality(String),
		user_id String, anonymous_id String, previous_id String, group_id String, person_id String, original Nullable(Int64), sent Nullable(Int64),
		flags Array(String), ids Array(String), props String CODEC(ZSTD), context String CODEC(ZSTD), props_text String, context_text String,
		total Nullable(Float64), currency LowCardinality(Nullable(String)), order_id Nullable(String), product_id Nullable(String), category LowCardinality(Nullable(String)),
		url Nullable(String), path Nullable(String), os LowCardinality(Nullable(String)), os_version LowCardinality(Nullable(String)), device_type LowCardinality(Nullable(String)),
		device_model LowCardinality(Nullable(String)), platform LowCardinality(Nullable(String)), app_version LowCardinality(Nullable(String)), locale LowCardinality(Nullable(String)),
		timezone LowCardinality(Nullable(String)), country LowCardinality(Nullable(String)), channel LowCardinality(Nullable(String)), topic LowCardinality(Nullable(String)),
		source_kind LowCardinality(Nullable(String)), source_id LowCardinality(Nullable(String)), node LowCardinality(Nullable(String)), outbox_id Nullable(String),
		commit UInt64 CODEC(Delta, ZSTD),
		INDEX by_message message_id TYPE bloom_filter GRANULARITY 4, INDEX by_identifier ids TYPE bloom_filter GRANULARITY 4, INDEX by_commit commit TYPE minmax, INDEX by_seq seq TYPE minmax)
		ENGINE = MergeTree PARTITION BY intDiv(time, ` + month + `) ORDER BY (ws, person, time, seq, idx)` + settled,
	`CREATE TABLE IF NOT EXISTS person_raw (ws LowCardinality(String), num UInt64, id String, traits String CODEC(ZSTD), channels String CODEC(ZSTD), first_seen Int64, last_seen Int64,
		commit UInt64, gone UInt8) ENGINE = ReplacingMergeTree(commit, gone) ORDER BY (ws, num)` + settled,
	`CREATE TABLE IF NOT EXISTS redirect (ws LowCardinality(String), loser UInt64, winner UInt64, commit UInt64) ENGINE = MergeTree ORDER BY (ws, loser)` + settled,
	// A person of a workspace, or without one a row.
	`CREATE TABLE IF NOT EXISTS withdrawn (ws String, person UInt64, seq UInt64, idx Int32, written UInt64, commit UInt64) ENGINE = MergeTree ORDER BY (ws, person, seq, idx)` + settled,
	`CREATE TABLE IF NOT EXISTS mark (turn UInt64, since UInt64, commit UInt64, through UInt64, layout UInt64) ENGINE = ReplacingMergeTree(commit) ORDER BY turn` + settled,
}

// rawColumns are the columns of event_raw, in the order of row.
const rawColumns = `ws, person, message_id, type, name, time, received, seq, idx, origin, source, user_id, anonymous_id, previous_id, group_id, person_id, original, sent,
	flags, ids, props, context, props_text, context_text, ` + promotedColumns + `, commit`

const promotedColumns = `total, currency, order_id, product_id, category, url, path, os, os_version, device_type, device_model, platform, app_version, locale, timezone, country,
	channel, topic, source_kind, source_id, node, outbox_id`

// eventColumns are those of the table event.
const eventColumns = `ws, person, message_id, type, name, time, received, seq, idx, origin, source, user_id, anonymous_id, group_id, ids, props, context, ` + promotedColumns

// row is an event as a block takes it.
func row(k *event.Kept, commit uint64) []any {
	k.Properties, k.Context = event.Clean(k.Properties), event.Clean(k.Context)
	p := event.Promote(&k.Event)
	var total *float64
	if p.HasTotal {
		total = &p.Total
	}
	flags := k.Flags
	if flags == nil {
		flags = []string{}
	}
	props, propsText := readable(k.Properties)
	context, contextText := readable(k.Context)
	return []any{
		k.Workspace, k.Person, k.MessageID, string(k.Type), k.Name, k.Time.UnixMicro(), k.Received.UnixMicro(), k.Position.Seq, int32(k.Position.Index), string(k.Origin), k.Source,
		k.UserID, k.AnonymousID, k.PreviousID, k.GroupID, k.PersonID, micros(k.Original), micros(k.Sent), flags, event.Strings(k.Identifiers), props, context, propsText, contextText,
		total, orNull(p.Currency), orNull(p.OrderID), orNull(p.ProductID), orNull(p.Category), orNull(p.URL), orNull(p.Path),
		orNull(p.OS), orNull(p.OSVersion), orNull(p.DeviceType), orNull(p.DeviceModel), orNull(p.Platform), orNull(p.AppVersion),
		orNull(p.Locale), orNull(p.Timezone), orNull(p.Country),
		orNull(p.Channel), orNull(p.Topic), orNull(p.SourceKind), orNull(p.SourceID), orNull(p.Node), orNull(p.OutboxID), commit,
	}
}

// readable returns an object as ClickHouse's reader can take it, and as it was if that is another text. Its reader gives up the whole object for one whole
// number beyond 64 bits; as a number with an exponent it is the same float64, which is all that rules see of it.
func readable(raw json.RawMessage) (queried, kept string) {
	var out []byte
	text, from := string(raw), 0
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			i++
		case c == '-' || digit(c):
			end := i + 1
			for end < len(text) && (digit(text[end]) || strings.IndexByte("+-.eE", text[end]) >= 0) {
				end++
			}
			if n := text[i:end]; len(n) > 18 && !strings.ContainsAny(n, ".eE") && !fits(n) {
				f, _ := strconv.ParseFloat(n, 64)
				out = strconv.AppendFloat(append(out, text[from:i]...), f, 'e', -1, 64)
				from = end
			}
			i = end
		default:
			i++
		}
	}
	if from == 0 {
		return text, ""
	}
	return string(append(out, text[from:]...)), text
}

func fits(n string) bool {
	if _, err := strconv.ParseInt(n, 10, 64); err == nil {
		return true
	}
	_, err := strconv.ParseUint(n, 10, 64)
	return err == nil
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// micros is NULL for the zero time, which means "not said".
func micros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := t.UnixMicro()
	return &us
}

// Columns of an event, in the order that kept reads them. Histories do without the second part.
const (
	historyColumns = `person, message_id, type, name, time, received, seq, idx, origin, source, user_id, anonymous_id, CASE WHEN props_text = '' THEN props ELSE props_text END, CASE WHEN context_text = '' THEN context ELSE context_text END`
	keptColumns    = historyColumns + `, previous_id, group_id, person_id, original, sent, flags, ids`
)

// kept reads a row of historyColumns or, if all, of keptColumns, and what the statement selects besides.
func kept(rows driver.Rows, ws string, all bool, besides ...any) (event.Kept, error) {
	k := event.Kept{}
	k.Workspace = ws
	var typ, origin, props, context string
	var at, received int64
	var original, sent *int64
	var idx int32
	var flags, ids []string
	into := []any{&k.Person, &k.MessageID, &typ, &k.Name, &at, &received, &k.Position.Seq, &idx, &origin, &k.Source, &k.UserID, &k.AnonymousID, &props, &context}
	if all {
		into = append(into, &k.PreviousID, &k.GroupID, &k.PersonID, &original, &sent, &flags, &ids)
	}
	if err := rows.Scan(append(into, besides...)...); err != nil {
		return k, fmt.Errorf("event store: %w", err)
	}
	k.Type, k.Origin, k.Position.Index = event.Type(typ), event.Origin(origin), int(idx)
	k.Time, k.Received = time.UnixMicro(at).UTC(), time.UnixMicro(received).UTC()
	k.Properties, k.Context = json.RawMessage(props), json.RawMessage(context)
	k.Original, k.Sent = moment(original), moment(sent)
	if len(flags) > 0 {
		k.Flags = flags
	}
	for _, id := range ids {
		k.Identifiers = append(k.Identifiers, event.ParseIdentifier(id))
	}
	return k, nil
}

func moment(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return time.UnixMicro(*us).UTC()
}

// size fits a limit into what LIMIT takes.
func size(limit int) int { return min(max(limit, 0), math.MaxInt32) }
