package collect

import (
	"bytes"
	"encoding/json"
	"net/netip"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/network"
)

// Keys of the context that intake reads or writes.
const (
	keyIP        = `"ip"`
	keyDirect    = `"direct"`
	keyExtra     = `"extra"` // members of the event that have no known meaning
	keyUserAgent = `"userAgent"`
)

// context writes the event's context: its own members, those of the batch that it lacks, the address, and under
// "extra" the members of the event that have no meaning here.
func (b *builder) context(raw *rawEvent, e *event.Event) *reject {
	own, r := b.object(raw, fContext)
	if r != nil {
		return r
	}
	if len(own) == 0 {
		own = []byte("{}")
	}
	w := contextWriter{b: b, dst: b.scratch, from: len(b.scratch)}
	w.dst = append(w.dst, '{')

	wantIP := b.source.Browser
	shared := b.env.bytes(b.env.context)
	if len(shared) == 0 && !wantIP && !bytes.Contains(own, []byte(keyIP)) && !bytes.Contains(own, []byte(keyDirect)) &&
		!bytes.Contains(own, []byte(keyExtra)) && b.userAgent == "" {
		w.dst = append(w.dst, own[1:len(own)-1]...)
	} else {
		eachMember(own, w.own)
		if len(shared) > 0 {
			eachMember(shared, func(key, value, both []byte) {
				if !hasMember(own, string(key)) {
					w.own(key, value, both)
				}
			})
		}
		if (wantIP || w.direct) && !w.hasIP && b.ip.IsValid() {
			w.ip(b.ip)
		}
		if b.userAgent != "" && !w.hasUserAgent {
			ua, _ := json.Marshal(b.userAgent) // a string always can
			w.comma()
			w.dst = append(append(w.dst, keyUserAgent+":"...), ua...)
		}
	}
	w.extra(raw, e.Type)
	w.dst = append(w.dst, '}')
	b.scratch = w.dst
	if out := w.dst[w.from:]; len(out) > 2 {
		if len(out) > MaxEvent {
			return refuse("event.too_large", "context", "has %d bytes together with the batch's, %d are allowed", len(out), MaxEvent)
		}
		e.Context = out
	}
	return nil
}

type contextWriter struct {
	b    *builder
	dst  []byte
	from int

	hasIP, hasUserAgent, direct bool
	nested                      []byte // the client's own "extra"
}

func (w *contextWriter) comma() {
	if len(w.dst) > w.from+1 {
		w.dst = append(w.dst, ',')
	}
}

// own writes a member as it came, except for what has a meaning here.
func (w *contextWriter) own(key, value, both []byte) {
	switch string(key) {
	case keyIP:
		if value[0] != '"' {
			return
		}
		// An address that cannot be read cannot be shortened either, and is not kept.
		ip, err := parseIP(unquote(value))
		if err != nil {
			return
		}
		w.hasIP = true
		w.ip(w.b.keptIP(ip))
		return
	case keyExtra:
		w.nested = both
		return
	case keyDirect:
		w.direct = string(value) == "true"
	case keyUserAgent:
		w.hasUserAgent = true
	}
	w.comma()
	w.dst = append(w.dst, both...)
}

func (w *contextWriter) ip(ip netip.Addr) {
	w.comma()
	w.dst = append(w.dst, keyIP+`:"`...)
	w.dst = append(ip.AppendTo(w.dst), '"')
}

func (b *builder) keptIP(ip netip.Addr) netip.Addr {
	if b.fullIP {
		return ip
	}
	return network.Of(ip)
}

const integrationsMember = `"integrations":`

// unused are the known members that an event of the type does not use; they are kept like unknown ones.
func unused(t event.Type) []field {
	switch t {
	case event.Track:
		return []field{fName, fCategory, fTraits}
	case event.Identify, event.Group:
		return []field{fEvent, fName, fCategory, fProperties}
	case event.Alias:
		return []field{fEvent, fName, fCategory, fTraits}
	}
	return []field{fEvent, fTraits} // page and screen
}

// extra writes what is left of the event. The batch's integrations stand under those of the event.
func (w *contextWriter) extra(raw *rawEvent, t event.Type) {
	env := w.b.env
	shared := env.bytes(env.integrations)
	spans := env.extra[raw.extra.from:raw.extra.to]
	left := 0
	for _, f := range unused(t) {
		left += raw.fields[f].to
	}
	if len(spans) == 0 && left == 0 && len(shared) == 0 && w.nested == nil {
		return
	}
	w.comma()
	w.dst = append(w.dst, keyExtra+":"...)
	inner := contextWriter{dst: w.dst, from: len(w.dst)}
	inner.dst = append(inner.dst, '{')
	for _, f := range unused(t) {
		if v := env.bytes(raw.fields[f].span); len(v) > 0 {
			inner.comma()
			inner.dst = append(append(append(append(inner.dst, '"'), camel[f]...), `":`...), v...)
		}
	}
	hasOwn := false
	for _, sp := range spans {
		member := env.bytes(sp)
		switch {
		case bytes.HasPrefix(member, []byte(integrationsMember)):
			hasOwn = true
			value := member[len(integrationsMember):]
			if value[0] == '{' && len(shared) > 0 {
				inner.integrations(value, shared)
				continue
			}
		case bytes.HasPrefix(member, []byte(keyExtra+":")) && w.nested != nil:
			continue // the context's own has the name
		}
		inner.comma()
		inner.dst = append(inner.dst, member...)
	}
	if len(shared) > 0 && !hasOwn {
		inner.integrations([]byte("{}"), shared)
	}
	if w.nested != nil {
		inner.comma()
		inner.dst = append(inner.dst, w.nested...)
	}
	w.dst = append(inner.dst, '}')
}

func (w *contextWriter) integrations(own, shared []byte) {
	w.comma()
	w.dst = append(w.dst, integrationsMember...)
	inner := contextWriter{dst: w.dst, from: len(w.dst)}
	inner.dst = append(inner.dst, '{')
	eachMember(own, func(_, _, both []byte) {
		inner.comma()
		inner.dst = append(inner.dst, both...)
	})
	eachMember(shared, func(key, _, both []byte) {
		if !hasMember(own, string(key)) {
			inner.comma()
			inner.dst = append(inner.dst, both...)
		}
	})
	w.dst = append(inner.dst, '}')
}
