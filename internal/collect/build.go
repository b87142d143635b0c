package collect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// Limits of an event's parts, in characters but for maxKeys.
const (
	maxMessageID  = 100
	maxIdentifier = 500 // also what database indexes take
	maxName       = 500
	maxKeys       = 300 // of properties or traits
)

// maxExpanded bounds what one request may become on the log: a batch's context is repeated in every event.
const maxExpanded = 8 << 20

// Flags of events, beside those the event package names.
const (
	FlagClockFuture = "clock_future" // the time was ahead of ours and is replaced by the arrival
	FlagRepaired    = "repaired"     // broken text, a repeated key or a number out of range was mended
	FlagSentAt      = "sent_at_invalid"
)

// reject is why one event is not accepted.
type reject struct{ code, field, text string }

func (r *reject) Error() string {
	if r.field == "" {
		return "the event " + r.text
	}
	return r.field + " " + r.text
}

func refuse(code, field, format string, args ...any) *reject {
	return &reject{code, field, fmt.Sprintf(format, args...)}
}

// builder makes events of an envelope.
type builder struct {
	env       *envelope
	source    Source
	received  time.Time
	kind      event.Type // of single calls, from the path; "" for a batch, where each event says it
	ip        netip.Addr // of the connection, as it may be kept; invalid if unknown
	fullIP    bool
	userAgent string // for events whose context has none

	sent    time.Time // of the batch
	badSent bool
	scratch []byte // properties and context of one event
}

func (b *builder) start() {
	if raw := b.env.bytes(b.env.sentAt); len(raw) > 0 && raw[0] != 'n' {
		var ok bool
		b.sent, ok = parseTime(raw)
		b.badSent = !ok
	}
}

// event makes the event at index i, or says why it is none. Properties and Context are valid until the next call.
func (b *builder) event(i int) (event.Event, *reject) {
	raw := &b.env.events[i]
	e := event.Event{Workspace: b.source.Workspace, Source: b.source.ID, Origin: event.Server, Received: b.received, Type: b.kind}
	if b.source.Browser {
		e.Origin = event.Browser
	}
	if raw.fault != faultNone {
		code, reason := raw.fault.reason(raw.size)
		return e, refuse(code, "", "%s", reason)
	}
	b.scratch = b.scratch[:0]
	for _, step := range [...]func(*rawEvent, *event.Event) *reject{b.messageID, b.typ, b.identifiers, b.name, b.times, b.properties, b.context} {
		if r := step(raw, &e); r != nil {
			return e, r
		}
	}
	if e.MessageID == "" {
		e.MessageID = id.New("evt")
	}
	if raw.mended {
		e.Flags = append(e.Flags, FlagRepaired)
	}
	return e, nil
}

func (b *builder) raw(raw *rawEvent, f field) []byte { return b.env.bytes(raw.fields[f].span) }

// text reads a string of at most limit characters; a whole number counts as its text, null as absent.
func (b *builder) text(raw *rawEvent, f field, key string, limit int) (string, *reject) {
	v := b.raw(raw, f)
	if len(v) == 0 {
		return "", nil
	}
	switch c := v[0]; {
	case c == 'n':
		return "", nil
	case c == '"':
	case (c == '-' || c >= '0' && c <= '9') && !bytes.ContainsAny(v, ".eE"):
		return string(v), nil // shorter than every limit, or the scanner had made it a string
	default:
		return "", refuse("event."+key+".invalid", camel[f], "is not a string; send text")
	}
	if raw.fields[f].mended {
		return "", refuse("event."+key+".broken", camel[f], "cannot be kept as it is (broken UTF-8, a NUL, half a surrogate pair, or a number out of range); send valid text")
	}
	s := unquote(v)
	if n := utf8.RuneCountInString(s); n > limit {
		return "", refuse("event."+key+".too_long", camel[f], "has %d characters, %d are allowed", n, limit)
	}
	if strings.TrimSpace(s) == "" {
		return "", nil
	}
	return s, nil
}

// camel are the names of the fields that messages mention.
var camel = [fieldCount]string{
	fType: "type", fEvent: "event", fName: "name", fCategory: "category", fUserID: "userId", fAnonymousID: "anonymousId",
	fPreviousID: "previousId", fGroupID: "groupId", fMessageID: "messageId", fTimestamp: "timestamp", fOriginal: "originalTimestamp",
	fProperties: "properties", fTraits: "traits", fContext: "context",
}

// unquote reads a string that the scanner wrote.
func unquote(v []byte) string {
	inner := v[1 : len(v)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var s string
	_ = json.Unmarshal(v, &s) // cannot fail: the scanner wrote it
	return s
}

func (b *builder) messageID(raw *rawEvent, e *event.Event) (r *reject) {
	e.MessageID, r = b.text(raw, fMessageID, "message_id", maxMessageID)
	return r
}

func (b *builder) typ(raw *rawEvent, e *event.Event) *reject {
	if e.Type != "" {
		return nil
	}
	t, r := b.text(raw, fType, "type", maxName)
	if r != nil {
		return r
	}
	if e.Type = event.Type(t); e.Type == "" {
		return refuse("event.type.missing", "type", "is missing; say track, page, screen, identify, group or alias")
	}
	if !e.Type.External() {
		return refuse("event.type.unknown", "type", "%q is unknown; use track, page, screen, identify, group or alias", t)
	}
	return nil
}

func (b *builder) identifiers(raw *rawEvent, e *event.Event) (r *reject) {
	for _, f := range [...]struct {
		field field
		key   string
		into  *string
	}{
		{fUserID, "user_id", &e.UserID},
		{fAnonymousID, "anonymous_id", &e.AnonymousID},
		{fPreviousID, "previous_id", &e.PreviousID},
		{fGroupID, "group_id", &e.GroupID},
	} {
		if *f.into, r = b.text(raw, f.field, f.key, maxIdentifier); r != nil {
			return r
		}
	}
	switch {
	case e.UserID == "" && e.AnonymousID == "":
		return refuse("event.id.missing", "userId", "and anonymousId are both missing; send one of them")
	case e.Type == event.Alias && e.UserID == "":
		return refuse("event.user_id.missing", "userId", "is missing; alias says which user previousId has become")
	case e.Type == event.Alias && e.PreviousID == "":
		return refuse("event.previous_id.missing", "previousId", "is missing; alias says who has become userId")
	case e.Type == event.Group && e.GroupID == "":
		return refuse("event.group_id.missing", "groupId", "is missing; group says which group the user belongs to")
	}
	return nil
}

func (b *builder) name(raw *rawEvent, e *event.Event) (r *reject) {
	switch e.Type {
	case event.Track:
		if e.Name, r = b.text(raw, fEvent, "name", maxName); r == nil && e.Name == "" {
			r = refuse("event.name.missing", "event", "is missing; track says what happened")
		}
	case event.Page, event.Screen:
		e.Name, r = b.text(raw, fName, "name", maxName)
	}
	return r
}

func (b *builder) times(raw *rawEvent, e *event.Event) *reject {
	for _, f := range [...]field{fOriginal, fTimestamp} {
		v := b.raw(raw, f)
		if len(v) == 0 || v[0] == 'n' || string(v) == `""` {
			continue
		}
		t, ok := parseTime(v)
		if !ok {
			return refuse("event.timestamp.invalid", camel[f], "is not a time; send ISO 8601, such as 2026-01-31T12:00:00.000Z")
		}
		e.Original = t
		break
	}
	bad := b.badSent
	e.Sent = b.sent
	if v := b.raw(raw, fSentAt); len(v) > 0 && v[0] != 'n' {
		t, ok := parseTime(v)
		e.Sent, bad = t, !ok
	}
	if bad {
		e.Sent = time.Time{}
		e.Flags = append(e.Flags, FlagSentAt)
	}
	if e.Original.IsZero() { // which is also what Go programs send for a time that was not set
		e.Time = b.received
		return nil
	}
	sent, latency := e.Sent, serverLatency
	if b.source.Browser {
		latency = browserLatency
	}
	if sent.Equal(e.Original) && !b.source.Browser {
		// RudderStack's Go client copies the time of the event to sentAt, also that of an imported history. A server's
		// clock is right more often than such a sentAt.
		sent = time.Time{}
	}
	at, clamped := correct(e.Original, sent, b.received, latency)
	if at.Before(earliest) {
		return refuse("event.timestamp.too_old", "timestamp", "is before 1970; leave it out if it is not known")
	}
	if clamped {
		e.Flags = append(e.Flags, FlagClockFuture)
	}
	e.Time = at
	return nil
}

func (b *builder) properties(raw *rawEvent, e *event.Event) *reject {
	f := fProperties
	if e.Type == event.Identify || e.Type == event.Group {
		f = fTraits
	}
	v, r := b.object(raw, f)
	if r != nil {
		return r
	}
	if len(v) == 0 && e.Type == event.Identify {
		v = b.contextTraits(raw)
	}
	// An object with this many keys has at least this many bytes.
	if len(v) > 4*maxKeys {
		n := 0
		eachMember(v, func(_, _, _ []byte) { n++ })
		if n > maxKeys {
			return refuse("event."+camel[f]+".too_many", camel[f], "has %d keys, %d are allowed", n, maxKeys)
		}
	}
	e.Properties = v
	if c := b.raw(raw, fCategory); len(c) > 2 && c[0] == '"' && (e.Type == event.Page || e.Type == event.Screen) && !hasMember(v, `"category"`) {
		e.Properties = b.withMember(v, `"category":`, c)
	}
	return nil
}

// object returns a member that must be an object; null and {} count as absent.
func (b *builder) object(raw *rawEvent, f field) ([]byte, *reject) {
	v := b.raw(raw, f)
	switch {
	case len(v) == 0 || v[0] == 'n' || len(v) == 2 && v[0] == '{':
		return nil, nil
	case v[0] != '{':
		return nil, refuse("event."+camel[f]+".invalid", camel[f], "is not an object")
	}
	return v, nil
}

// contextTraits finds the traits where RudderStack's clients put those of identify.
func (b *builder) contextTraits(raw *rawEvent) (traits []byte) {
	for _, c := range [...][]byte{b.env.bytes(b.env.context), b.raw(raw, fContext)} {
		if len(c) > 0 && c[0] == '{' {
			eachMember(c, func(key, value, _ []byte) {
				if string(key) == `"traits"` && value[0] == '{' {
					traits = value
				}
			})
		}
	}
	return traits
}

func hasMember(obj []byte, key string) (has bool) {
	if !bytes.Contains(obj, []byte(key)) {
		return false
	}
	eachMember(obj, func(k, _, _ []byte) { has = has || string(k) == key })
	return has
}

// withMember returns obj, which may be empty, with one more member in front.
func (b *builder) withMember(obj []byte, key string, value []byte) []byte {
	from := len(b.scratch)
	b.scratch = append(append(append(b.scratch, '{'), key...), value...)
	if len(obj) > 2 {
		b.scratch = append(append(b.scratch, ','), obj[1:]...)
	} else {
		b.scratch = append(b.scratch, '}')
	}
	return b.scratch[from:]
}
