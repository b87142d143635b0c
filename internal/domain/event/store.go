package event

import (
	"context"
	"encoding/json"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store is the port to the event store: an append-only table of events, a mirror of the people for
// conditions over their traits, and answers to audience questions. It is never the system of record: it can
// be rebuilt from the log, the archive and the record store.
//
// Tables that rule and report SQL may name (all columns NOT NULL unless noted; times are BIGINT microseconds UTC):
//
//	event   ws VARCHAR, person UBIGINT (after merges), message_id VARCHAR, type VARCHAR, name VARCHAR, time BIGINT,
//	        received BIGINT, seq UBIGINT, idx INTEGER, origin VARCHAR, source VARCHAR, user_id VARCHAR, anonymous_id VARCHAR, group_id VARCHAR,
//	        ids VARCHAR[] (Kept.Identifiers as "kind:value"),
//	        props JSON text ('{}' if none), context JSON text ('{}' if none),
//	        promoted from props/context by Promote, NULL when absent, empty or of the wrong type (ids and versions may be numbers):
//	        total DOUBLE (total, else revenue, else value), currency VARCHAR, order_id VARCHAR, product_id VARCHAR (product_id, else sku), category VARCHAR,
//	        url VARCHAR (url, else context.page.url), path VARCHAR (path, else context.page.path), os VARCHAR (context.os.name), os_version VARCHAR,
//	        device_type VARCHAR (context.device.type), device_model VARCHAR, platform VARCHAR (ios|android|web|server...), app_version VARCHAR (context.app.version),
//	        locale VARCHAR, timezone VARCHAR, country VARCHAR (context.location.country),
//	        channel VARCHAR, topic VARCHAR, source_kind VARCHAR, source_id VARCHAR, node VARCHAR, outbox_id VARCHAR (message events: props of the same name, outbox_id = props.message_id)
//	person  ws VARCHAR, num UBIGINT, id VARCHAR, traits JSON text, channels JSON text, first_seen BIGINT, last_seen BIGINT
//
// "event" already shows the person after merges: drivers resolve redirects.
//
// SQL that is written for every store (reports; rules write each engine's own) has these functions and forms alone: standard aggregates, with FILTER (WHERE ...),
// any_value, arg_min, arg_max; abs, sign, floor, coalesce, nullif, greatest, contains, starts_with, substr, CASE, CAST AS BIGINT, DOUBLE or VARCHAR;
// json_extract_string(column, '$.member'), which is a text or NULL; window functions. round is not among them: engines differ in where they take a half.
// Arguments are ? in order, or $1, $2, ...
type Store interface {
	// Engine says whose SQL the store reads.
	Engine() Engine
	// Position returns the last log record that Append has included, 0 at first.
	Position(ctx context.Context) (uint64, error)
	// Append applies the batch in one transaction and moves the position to b.Through. A batch with
	// Through <= Position is ignored whole, so a repeated batch changes nothing; of one that is cut in another way when it is
	// repeated, events of records up to Position are left out. Through 0 leaves the position as it is and is always applied; such a batch must hold no Events, and the rest is idempotent by nature.
	Append(ctx context.Context, b Batch) error

	// Timeline returns one person's events, newest first. filter may be empty (all) or name the wanted types.
	Timeline(ctx context.Context, ws string, person uint64, types []Type, p page.Request) (page.Of[Kept], error)
	// Arrivals returns the workspace's events that match, the one that came to the log last first.
	Arrivals(ctx context.Context, ws string, f ArrivalFilter, p page.Request) (page.Of[Kept], error)
	// Histories returns the events of the people in the order of Less. If names is not nil, only events with one of
	// these names (page and screen events also match by their type as name) are returned.
	// What neither rules nor portraits read is left out: Identifiers, PreviousID, GroupID, PersonID, Original, Sent, Flags.
	Histories(ctx context.Context, ws string, people []uint64, names []string) (map[uint64][]Kept, error)
	// Recent is Histories without events from before a moment; the zero one is before all.
	Recent(ctx context.Context, ws string, people []uint64, names []string, since time.Time) (map[uint64][]Kept, error)
	// Linked returns the events that carry one of the identifiers (Kept.Identifiers), in the order of Less, at most limit.
	Linked(ctx context.Context, ws string, ids []Identifier, limit int) ([]Kept, error)

	// Select runs a query that returns one column of person numbers. Args replace ? in order. The query itself must keep
	// to the workspace; ws only tells a driver where to send it.
	Select(ctx context.Context, ws string, sql string, args []any) (*roaring64.Bitmap, error)
	// Query runs a reporting query and scans every row into []any, holding nothing but nil, bool, int64, uint64 (the columns person and num),
	// float64, string, []byte, time.Time, []any, and *big.Int for whole numbers beyond int64.
	Query(ctx context.Context, sql string, args []any) ([][]any, error)
	// People returns the mirrored people with these numbers.
	People(ctx context.Context, ws string, nums []uint64) ([]Mirror, error)
	// Everyone returns the numbers of all people of the workspace.
	Everyone(ctx context.Context, ws string) (*roaring64.Bitmap, error)
	// Stats counts a workspace.
	Stats(ctx context.Context, ws string) (Stats, error)
	// Names returns the distinct names of behaviour events with counts, most frequent first, at most limit.
	Names(ctx context.Context, ws string, limit int) ([]NameCount, error)
	// Fields returns the members that objects have, two levels deep, most frequent first, then by path, at most limit: properties of the
	// events with this name, or traits of people if name is empty. Keys with a dot are left out, since no path reaches them. Of
	// the objects the newest SampleSize are looked at.
	Fields(ctx context.Context, ws, name string, limit int) ([]Field, error)
	// Values returns the texts, numbers and truth values at a path ("address.city"), most frequent first, at most limit; of the same
	// objects as Fields. Truth values are "true" and "false".
	Values(ctx context.Context, ws, name, path string, limit int) ([]ValueCount, error)
	// Profile says what people have in common. Traits (two levels deep, as Fields finds them, of the SampleSize people seen last) are ordered
	// by how many have them, then by path; texts of which no value is shared by a twentieth of those who have the trait are left out. Doings are track, page and
	// screen events, ordered by people, then type and name.
	Profile(ctx context.Context, ws string, q ProfileQuery) (Profile, error)
	// Flow says how people went through stages.
	Flow(ctx context.Context, ws string, q FlowQuery) (Flow, error)
	// FlowPeople returns who is behind a figure of Flow.
	FlowPeople(ctx context.Context, ws string, q FlowQuery, pick FlowPick) (*roaring64.Bitmap, error)
}

// Engine is what answers questions about events.
type Engine string

// The engines.
const (
	DuckDB     Engine = "duckdb"
	ClickHouse Engine = "clickhouse"
)

// SampleSize is how many objects Fields and Values look at: enough to meet every member that matters, few enough to
// answer while somebody types.
const SampleSize = 50_000

// Field is a member of traits or properties.
type Field struct {
	Path  string // "country", "address.city"
	Kind  string // most frequent: text, number, boolean, list or object
	Count int64  // objects that have it
}

// ValueCount is a value and how often it was seen.
type ValueCount struct {
	Value string
	Kind  string // text, number or boolean
	Count int64
}

// Identifier is a kind and a normalised value, e.g. {"email", "a@b.example"}.
type Identifier struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// Batch is what Append applies in one transaction, in the order of its fields.
type Batch struct {
	Events    []Kept
	Moves     []Move     // re-attributions of events already stored
	Redirects []Redirect // merges
	People    []Mirror   // replaces the rows of these people
	Seen      []Sighting // changes LastSeen in the rows of these people, if there are any; nobody is in both
	Gone      []RemovedPerson
	Through   uint64 // position of the last log record included
}

// Sighting says when somebody was last seen.
type Sighting struct {
	Workspace string
	Num       uint64
	LastSeen  time.Time
}

// Redirect says that Loser is Winner from now on.
type Redirect struct {
	Workspace     string
	Loser, Winner uint64
}

// RemovedPerson is a person whose mirror row goes away (the loser of a merge).
type RemovedPerson struct {
	Workspace string
	Num       uint64
}

// Move gives one stored event to another person, after late events changed who owned an identifier then.
type Move struct {
	Workspace string
	MessageID string
	To        uint64
}

// Mirror is a person as rules see them.
type Mirror struct {
	Workspace string
	Num       uint64
	ID        string
	Traits    json.RawMessage // object: key -> value
	Channels  json.RawMessage // object: channel kind -> {"reachable": bool, "topics": {topic id: bool}}
	FirstSeen time.Time
	LastSeen  time.Time
}

// ArrivalFilter says which events are wanted; an empty field matches every event.
type ArrivalFilter struct {
	Source    string // id of the source whose write key it came with
	Type      Type
	Name      string
	MessageID string
	From, To  time.Time // happened at From or later and before To; zero: at any time
}

// Traces is what a person's events lead to.
type Traces struct {
	Subjects    []string     // SubjectOf the events
	Identifiers []Identifier // that they carried
	Orders      []string
	Events      int64 // how many there are
}

// Stats counts a workspace.
type Stats struct {
	People   int64          // after merges
	Events   int64          // track, page and screen events
	ByType   map[Type]int64 // all events
	LastTime time.Time      // newest behaviour event, zero if none
}

// NameCount is an event name and how often it was seen.
type NameCount struct {
	Type  Type
	Name  string
	Count int64
}

// Emitter writes internal events. They join the caller's transaction and are published to the log soon after it
// commits, at least once, with their MessageID as the guard against doubles; so MessageID must be derived from what
// happened, not random.
type Emitter interface {
	Emit(ctx context.Context, events ...Event) error
}
