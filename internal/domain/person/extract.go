package person

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// kinds is a Scheme made ready for look-ups.
type kinds struct {
	list   []Kind
	rank   map[string]int // by name
	byName map[string]int // by name and alias
}

func newKinds(s Scheme) *kinds {
	k := &kinds{list: s.Kinds, rank: map[string]int{}, byName: map[string]int{}}
	for i, kind := range s.Kinds {
		k.rank[kind.Name] = i
		k.byName[kind.Name] = i
		for _, a := range kind.Aliases {
			k.byName[a] = i
		}
	}
	return k
}

// rankOf is the place of a kind in the priority; kinds that are not declared any more come last.
func (k *kinds) rankOf(kind string) int {
	if r, ok := k.rank[kind]; ok {
		return r
	}
	return len(k.list)
}

// envelope is what this package reads of Event.Context.
type envelope struct {
	ExternalIDs []struct {
		ID         json.RawMessage `json:"id"`
		Type       string          `json:"type"`
		Collection string          `json:"collection"`
		Encoding   string          `json:"encoding"`
	} `json:"externalIds"`
	Traits map[string]json.RawMessage `json:"traits"`
	Device struct {
		ID            string `json:"id"`
		AdvertisingID string `json:"advertisingId"`
		Token         string `json:"token"`
	} `json:"device"`
	Page struct {
		URL      string `json:"url"`
		Referrer string `json:"referrer"`
	} `json:"page"`
	Referrer struct {
		URL string `json:"url"`
	} `json:"referrer"`
	Campaign struct {
		Name    string `json:"name"`
		Source  string `json:"source"`
		Medium  string `json:"medium"`
		Term    string `json:"term"`
		Content string `json:"content"`
	} `json:"campaign"`
	Timezone string `json:"timezone"`
	// Increment is what the product itself adds to traits (ChangeTraits).
	Increment map[string]float64 `json:"increment"`
}

// occurrence is an event on its way through resolution.
type occurrence struct {
	ev  *event.Event
	pos event.Position
	at  moment
	env envelope
	// traits are the Properties of an identify event.
	traits map[string]json.RawMessage

	ids      []event.Identifier // in priority order, without repetitions
	previous string             // alias: the value that is said to be the same person, empty if there is none
	unbinds  bool               // the identifiers are taken off whoever has them

	nodes []*node  // of ids, once loaded
	who   *subject // who it belongs to; nil: nobody
	num   uint64   // the same as a number, after merges
}

// read parses an event and extracts its identifiers.
func (k *kinds) read(ev *event.Event, pos event.Position, region string) *occurrence {
	// What the store cannot hold in text it would replace; keys must be equal to what comes back.
	message := strings.ReplaceAll(strings.ToValidUTF8(ev.MessageID, "\uFFFD"), "\x00", "\uFFFD")
	o := &occurrence{ev: ev, pos: pos, at: moment{ev.Time.UnixMicro(), message}}
	// Fields of a surprising type are left out, the others are read all the same.
	_ = json.Unmarshal(ev.Context, &o.env)
	if ev.Type == event.Identify && len(ev.Properties) > 0 {
		_ = json.Unmarshal(event.Clean(ev.Properties), &o.traits)
	}
	o.unbinds = ev.Type == event.Identity && ev.Name == event.IdentifierUnbound
	if ev.PersonID != "" && !o.unbinds {
		return o
	}
	as := func(encoding, kind, value string) {
		i, ok := k.byName[kind]
		if !ok || value == "" || event.Sealed(value) { // an encrypted value is another text each time
			return
		}
		v, ok := normalise(k.list[i].Form, value, region)
		if encoding != "" {
			if v, ok = spelling(strings.TrimSpace(value), encoding); !k.list[i].Form.addressed() {
				return
			}
		}
		if !ok {
			return
		}
		id := event.Identifier{Kind: k.list[i].Name, Value: v}
		if !slices.Contains(o.ids, id) {
			o.ids = append(o.ids, id)
		}
	}
	add := func(kind, value string) { as("", kind, value) }
	add(KindUser, ev.UserID)
	for _, x := range o.env.ExternalIDs {
		if x.Collection == "" || x.Collection == "users" {
			if x.Type != KindUser || ev.UserID == "" { // the envelope's own user id stands
				encoding := x.Encoding
				if encoding == "none" {
					encoding = ""
				}
				as(encoding, x.Type, text(x.ID))
			}
		}
	}
	for _, traits := range []map[string]json.RawMessage{o.traits, o.env.Traits} {
		add(KindEmail, text(traits["email"]))
		add(KindPhone, text(traits["phone"]))
	}
	add(KindDevice, o.env.Device.ID)
	add(KindAdvert, o.env.Device.AdvertisingID)
	add(KindPush, o.env.Device.Token)
	add(KindAnonymous, ev.AnonymousID)
	// One user id an event: a second one (from externalIds) would claim what the first owns.
	users := 0
	o.ids = slices.DeleteFunc(o.ids, func(id event.Identifier) bool {
		if id.Kind != KindUser {
			return false
		}
		users++
		return users > 1
	})
	slices.SortStableFunc(o.ids, func(a, b event.Identifier) int { return k.rank[a.Kind] - k.rank[b.Kind] })

	if ev.Type == event.Alias && len(o.ids) > 0 && o.ids[0].Kind == KindUser {
		if v, ok := normalise(Trimmed, ev.PreviousID, region); ok && v != o.ids[0].Value {
			o.previous = v
		}
	}
	return o
}

// byHand reports whether a member of staff has said that the event's identifiers are one person's.
func (o *occurrence) byHand() bool {
	return o.ev.Origin == event.Internal && strings.HasPrefix(o.ev.MessageID, joinedByHand)
}

// user returns the event's user id, empty if it has none.
func (o *occurrence) user() string {
	if len(o.ids) > 0 && o.ids[0].Kind == KindUser {
		return o.ids[0].Value
	}
	return ""
}

// linked returns the identifiers that the event is found by later: those it carries, for an alias both things that the
// previous id may be, and the person's id if it was named directly and the event changes what is known.
func (o *occurrence) linked(k *kinds) []event.Identifier {
	if o.ev.PersonID != "" {
		if o.unbinds {
			return append(slices.Clone(o.ids), event.Identifier{Kind: kindPerson, Value: o.ev.PersonID})
		}
		if !o.ev.Type.External() {
			return nil
		}
		return []event.Identifier{{Kind: kindPerson, Value: o.ev.PersonID}}
	}
	out := slices.Clone(o.ids)
	if o.previous != "" {
		for _, id := range o.previousIDs() {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
		slices.SortStableFunc(out, func(a, b event.Identifier) int { return k.rank[a.Kind] - k.rank[b.Kind] })
	}
	return out
}

func (o *occurrence) previousIDs() [2]event.Identifier {
	return [2]event.Identifier{{Kind: KindUser, Value: o.previous}, {Kind: KindAnonymous, Value: o.previous}}
}

// text reads a JSON string or number as text; anything else is empty.
func text(raw json.RawMessage) string {
	s := strings.TrimSpace(string(raw))
	if s == "" || s == "null" || s[0] == '{' || s[0] == '[' || s[0] == 't' || s[0] == 'f' {
		return ""
	}
	if s[0] != '"' {
		return s
	}
	var out string
	if json.Unmarshal(raw, &out) != nil {
		return ""
	}
	return out
}
