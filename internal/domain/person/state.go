package person

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/fastjson"
)

// Bounds of one person's state. What is over them is refused and logged.
const (
	maxTraits     = 300
	maxTraitName  = 200 // bytes
	maxTraitBytes = 32 << 10
	maxGroups     = 100
	maxZones      = 50
	maxTouchBytes = 1024
)

// moment is a place in the order that identity and traits are defined by: time, then message id.
type moment struct {
	t int64 // microseconds UTC
	m string
}

func (a moment) compare(b moment) int {
	if c := cmp.Compare(a.t, b.t); c != 0 {
		return c
	}
	return cmp.Compare(a.m, b.m)
}

func (a moment) before(b moment) bool { return a.compare(b) < 0 }

// trait is a Trait as stored: what was last set, and what was added to it since. V and D say what that comes to.
type trait struct {
	V json.RawMessage `json:"v,omitempty"`
	T int64           `json:"t"`
	M string          `json:"m,omitempty"`
	S string          `json:"s,omitempty"`
	D bool            `json:"d,omitempty"`
	B json.RawMessage `json:"b,omitempty"` // what was set, if something was added to it; none if it was deleted or never set
	A []addition      `json:"a,omitempty"` // in the order of their moments
}

// touch is a Touch as stored.
type touch struct {
	V string `json:"v"`
	T int64  `json:"t"`
	M string `json:"m,omitempty"`
}

// facts is what is folded beside traits.
type facts struct {
	Counters map[string]int64 `json:"c,omitempty"`
	First    map[string]touch `json:"f,omitempty"`
	Groups   map[string]int64 `json:"g,omitempty"` // group -> earliest call
	Zones    map[string]zone  `json:"z,omitempty"` // IANA name -> how often the person's devices named it
}

// zone is how often a time zone was seen, and when last.
type zone struct {
	N int64 `json:"n"`
	T int64 `json:"t"`
}

// state is a person's folded events. Both halves are decoded when first needed and encoded only if they changed.
type state struct {
	rawTraits, rawFacts string
	traits              map[string]trait
	facts               *facts
	traitBytes          int
	newTraits, newFacts bool
	newValues           bool // a trait is not what it was; set again to the same it is
	newSought           bool // one of them is what the person is found by
}

func (s *state) loadTraits() error {
	if s.traits != nil {
		return nil
	}
	s.traits = map[string]trait{}
	if s.rawTraits == "" {
		return nil
	}
	if !readTraits(s.rawTraits, s.traits) {
		clear(s.traits)
		if err := json.Unmarshal([]byte(s.rawTraits), &s.traits); err != nil {
			return fmt.Errorf("stored traits: %w", err)
		}
	}
	for k, t := range s.traits {
		s.traitBytes += len(k) + t.size()
	}
	return nil
}

func (s *state) loadFacts() error {
	if s.facts != nil {
		return nil
	}
	s.facts = &facts{}
	if s.rawFacts == "" {
		return nil
	}
	if !readFacts(s.rawFacts, s.facts) {
		*s.facts = facts{}
		if err := json.Unmarshal([]byte(s.rawFacts), s.facts); err != nil {
			return fmt.Errorf("stored facts: %w", err)
		}
	}
	return nil
}

// readTraits reads the traits as encode writes them; false if there is something that only encoding/json reads. Every mail and every event
// begins with a person.
func readTraits(raw string, out map[string]trait) bool {
	r := fastjson.Of(raw)
	odd := false
	r.Object(func(name string) {
		var t trait
		r.Object(func(key string) {
			switch key {
			case "v":
				t.V = json.RawMessage(r.Raw())
			case "t":
				t.T = r.Int()
			case "m":
				t.M = r.String()
			case "s":
				t.S = r.String()
			case "d":
				t.D = r.Bool()
			case "b":
				t.B = json.RawMessage(r.Raw())
			case "a":
				if json.Unmarshal([]byte(r.Raw()), &t.A) != nil {
					odd = true
				}
			default:
				r.Raw()
			}
		})
		out[name] = t
	})
	return r.Done() && !odd
}

// readFacts is readTraits for the facts.
func readFacts(raw string, out *facts) bool {
	r := fastjson.Of(raw)
	numbers := func() map[string]int64 {
		m := map[string]int64{}
		r.Object(func(name string) { m[name] = r.Int() })
		return m
	}
	r.Object(func(half string) {
		switch half {
		case "c":
			out.Counters = numbers()
		case "g":
			out.Groups = numbers()
		case "f":
			out.First = map[string]touch{}
			r.Object(func(name string) {
				var t touch
				r.Object(func(key string) {
					switch key {
					case "v":
						t.V = r.String()
					case "t":
						t.T = r.Int()
					case "m":
						t.M = r.String()
					default:
						r.Raw()
					}
				})
				out.First[name] = t
			})
		case "z":
			out.Zones = map[string]zone{}
			r.Object(func(name string) {
				var z zone
				r.Object(func(key string) {
					switch key {
					case "n":
						z.N = r.Int()
					case "t":
						z.T = r.Int()
					default:
						r.Raw()
					}
				})
				out.Zones[name] = z
			})
		default:
			r.Raw()
		}
	})
	return r.Done()
}

// encode brings the raw halves up to date.
func (s *state) encode() error {
	if s.newTraits {
		b, err := json.Marshal(s.traits)
		if err != nil {
			return fmt.Errorf("encode traits: %w", err)
		}
		s.rawTraits, s.newTraits = string(b), false
	}
	if s.newFacts {
		b, err := json.Marshal(s.facts)
		if err != nil {
			return fmt.Errorf("encode facts: %w", err)
		}
		s.rawFacts, s.newFacts = string(b), false
	}
	return nil
}

// setTrait keeps the value if it is newer than what is there, and adds what is to be added. It returns false if a bound forbids it.
func (s *state) setTrait(key string, n trait) bool {
	old, known := s.traits[key]
	if known {
		if len(n.A) == 0 && !old.set().before(n.set()) {
			return true
		}
		n = old.with(n)
	}
	size := s.traitBytes + n.size() - old.size()
	if !known {
		size += len(key)
		if len(s.traits) >= maxTraits {
			return false
		}
	}
	if size > maxTraitBytes && n.size() > old.size() {
		return false
	}
	s.traits[key], s.traitBytes, s.newTraits = n, size, true
	if !known || n.D != old.D || !bytes.Equal(n.V, old.V) {
		s.newValues, s.newSought = true, s.newSought || soughtTraits[key]
	}
	return true
}

// setFirst keeps the value if it is older than what is there.
func (s *state) setFirst(key string, n touch) {
	if n.V == "" || len(n.V) > maxTouchBytes {
		return
	}
	old, known := s.facts.First[key]
	if known && !(moment{n.T, n.M}).before(moment{old.T, old.M}) {
		return
	}
	if s.facts.First == nil {
		s.facts.First = map[string]touch{}
	}
	s.facts.First[key], s.newFacts = n, true
}

func (s *state) count(key string, n int64) {
	if s.facts.Counters == nil {
		s.facts.Counters = map[string]int64{}
	}
	s.facts.Counters[key] += n
	s.newFacts = true
}

// seeZone counts a time zone. Beyond maxZones it counts known ones alone: a device that makes names up must not fill the store.
func (s *state) seeZone(name string, n, t int64) {
	z, known := s.facts.Zones[name]
	if !known && len(s.facts.Zones) >= maxZones {
		return
	}
	if s.facts.Zones == nil {
		s.facts.Zones = map[string]zone{}
	}
	s.facts.Zones[name], s.newFacts = zone{N: z.N + n, T: max(z.T, t)}, true
}

// home is the zone that most of the events name; the later one of equals, as in the portrait.
func (f *facts) home() string {
	best := ""
	for name, z := range f.Zones {
		b := f.Zones[best]
		if best == "" || z.N > b.N || z.N == b.N && (z.T > b.T || z.T == b.T && name < best) {
			best = name
		}
	}
	return best
}

// join records a group. It returns false if there are too many.
func (s *state) join(group string, t int64) bool {
	old, known := s.facts.Groups[group]
	switch {
	case known && old <= t:
		return true
	case !known && len(s.facts.Groups) >= maxGroups:
		return false
	case s.facts.Groups == nil:
		s.facts.Groups = map[string]int64{}
	}
	s.facts.Groups[group], s.newFacts = t, true
	return true
}

// merge folds the state of another person into s and returns the reasons for what had to be left out.
func (s *state) merge(from *state) (refused []string, err error) {
	for _, load := range []func() error{s.loadTraits, s.loadFacts, from.loadTraits, from.loadFacts} {
		if err := load(); err != nil {
			return nil, err
		}
	}
	whole := true
	for _, key := range slices.Sorted(maps.Keys(from.traits)) {
		whole = s.setTrait(key, from.traits[key]) && whole
	}
	if !whole {
		refused = append(refused, ReasonTraitCap)
	}
	for key, n := range from.facts.Counters {
		s.count(key, n)
	}
	for key, t := range from.facts.First {
		s.setFirst(key, t)
	}
	for _, name := range slices.Sorted(maps.Keys(from.facts.Zones)) {
		s.seeZone(name, from.facts.Zones[name].N, from.facts.Zones[name].T)
	}
	whole = true
	for _, g := range slices.Sorted(maps.Keys(from.facts.Groups)) {
		whole = s.join(g, from.facts.Groups[g]) && whole
	}
	if !whole {
		refused = append(refused, ReasonGroupCap)
	}
	return refused, nil
}

func micros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// fill writes the state into the public form.
func (s *state) fill(p *Person) error {
	if err := s.loadTraits(); err != nil {
		return err
	}
	if err := s.loadFacts(); err != nil {
		return err
	}
	p.Traits = make(map[string]Trait, len(s.traits))
	for k, t := range s.traits {
		last := t.last()
		out := Trait{Time: micros(last.t), MessageID: last.m, Source: t.S, Deleted: t.D}
		if !t.D {
			v, plain := fastjson.Value(string(t.V))
			if !plain {
				if err := json.Unmarshal(t.V, &v); err != nil {
					return fmt.Errorf("stored trait: %w", err)
				}
			}
			out.Value = v
		}
		p.Traits[k] = out
	}
	p.Counters = map[string]int64{}
	maps.Copy(p.Counters, s.facts.Counters)
	p.LearntZone = s.facts.home()
	p.First = make(map[string]Touch, len(s.facts.First))
	for k, t := range s.facts.First {
		p.First[k] = Touch{Value: t.V, Time: micros(t.T), MessageID: t.M}
	}
	for g, t := range s.facts.Groups {
		p.Groups = append(p.Groups, Membership{Group: g, Since: micros(t)})
	}
	slices.SortFunc(p.Groups, func(a, b Membership) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return cmp.Compare(a.Group, b.Group)
	})
	return nil
}
