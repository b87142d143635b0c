package leaf

import (
	"math"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Spec describes a kind of leaf.
type Spec struct {
	Kind   string // the key in the JSON, "trait"
	Title  string // in English, for lists of conditions
	Parse  func(Input) (Leaf, error)
	Schema func() Schema // JSON Schema of the value under the key
}

// Leaf is one condition.
type Leaf interface {
	// Ask says how to find everyone who fulfils the condition.
	Ask(d Dialect, ws string, now time.Time) Question
	// Eval answers for one person. Only whole microseconds of now count.
	Eval(s *Subject, now time.Time) Result
	// Needs says what Eval reads.
	Needs() Needs
}

// Question is how to find the people who fulfil a leaf: by SQL over the event store, or the members of a set, or
// everyone.
type Question struct {
	SQL  string // one column of person numbers; Args replace ? in order
	Args []any
	Set  string // id of a segment or list
	// Complement asks for everyone but those.
	Complement bool
}

// Result is the answer for one person at one moment.
type Result struct {
	Match bool
	// Next is the earliest moment after now at which Match can change without a new event, zero if there is none. It may
	// be early (Match need not really change then) but is never late.
	Next time.Time
}

// Needs is what a leaf reads to answer in memory.
type Needs struct {
	Names    []string // events by name; page and screen events also answer to their type
	All      bool     // all events
	Sets     []string // segments and lists
	Windowed bool     // the answer depends on the time
	Looks    []Look   // events by kind, and how far back
	Endless  bool     // older ones than these can change what became of one that counts
	Fields   []string // what is looked at, as rules of intake name it: traits.ssn, properties.card.number
}

// Look is a kind of event that a leaf asks about, and the time in which it counts.
type Look struct {
	Type   event.Type // empty: any
	Name   string     // empty: any
	window Window
}

// Of reports whether events of the kind answer. Pages and screens are known by their type alone, so a name that does not say which type is meant is none of theirs.
func (l Look) Of(k event.Kind) bool {
	if k.Type == event.Page || k.Type == event.Screen {
		return l.Type == k.Type || l.Type == "" && (l.Name == "" || l.Name == string(k.Type))
	}
	return (l.Type == "" || l.Type == k.Type) && (l.Name == "" || l.Name == k.Name)
}

// Since is the earliest moment at which an event counts at now; zero if there is none.
func (l Look) Since(now time.Time) time.Time {
	switch w := l.window; {
	case w.kind == 'r' && w.from != forever:
		return now.Add(-time.Duration(w.from) * time.Microsecond)
	case w.kind == 'a' && w.from != math.MinInt64:
		return time.UnixMicro(w.from).UTC()
	}
	return time.Time{}
}

// and is what both read.
func (n Needs) and(m Needs) Needs {
	return Needs{
		Names: slices.Concat(n.Names, m.Names), All: n.All || m.All,
		Sets: slices.Concat(n.Sets, m.Sets), Windowed: n.Windowed || m.Windowed, Endless: n.Endless || m.Endless, Looks: slices.Concat(n.Looks, m.Looks),
		Fields: slices.Concat(n.Fields, m.Fields),
	}
}

// Subject is one person as a rule sees them. It remembers what it has decoded: use one for many rules, but not
// from two goroutines at once, and leave Events alone after the first.
type Subject struct {
	Num      uint64
	ID       string
	Traits   map[string]any        // decoded JSON values
	Channels map[string]Channel    // by channel kind
	Events   []event.Kept          // in the order of event.Less; must include all events that EventNames asks for
	In       func(set string) bool // membership in a segment or list, by its id; nil means in none

	decoded []decoded // parallel to Events
}

// Channel is what rules may ask about a way to reach the person.
type Channel struct {
	Reachable bool            `json:"reachable"` // there is an address, and neither it nor the person is suppressed
	Topics    map[string]bool `json:"topics"`    // topic id -> subscribed
}

type decoded struct {
	props    map[string]any
	promoted *event.Promoted
}

func (s *Subject) at(i int) *decoded {
	if len(s.decoded) != len(s.Events) {
		s.decoded = make([]decoded, len(s.Events))
	}
	d := &s.decoded[i]
	if d.props == nil {
		d.props = event.Object(s.Events[i].Properties)
	}
	return d
}

func (s *Subject) props(i int) map[string]any { return s.at(i).props }

func (s *Subject) promoted(i int) *event.Promoted {
	d := s.at(i)
	if d.promoted == nil {
		p := event.PromoteObjects(&s.Events[i].Event, d.props, event.Object(s.Events[i].Context))
		d.promoted = &p
	}
	return d.promoted
}

// steady is a result that no passing of time changes.
func steady(match bool) Result { return Result{Match: match} }

// maxSteps is how many future moments until looks through before it gives up and names an early one.
const maxSteps = 64

// until evaluates at at now and finds the first of the bounds after now where the answer differs. Between bounds the
// answer must be constant.
func until(now int64, bounds []int64, at func(now int64) bool) Result {
	r := Result{Match: at(now)}
	later := sortedAfter(bounds, now)
	for i, b := range later {
		if i == maxSteps || at(b) != r.Match {
			r.Next = time.UnixMicro(b).UTC()
			return r
		}
	}
	return r
}
