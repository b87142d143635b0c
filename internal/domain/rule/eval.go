package rule

import (
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Eval answers for one person. Only whole microseconds of now count.
func (r *Rule) Eval(s *Subject, now time.Time) Result { return r.root.eval(s, now) }

func (n *node) eval(s *Subject, now time.Time) Result {
	switch n.group {
	case "":
		return n.leaf.Eval(s, now)
	case "not":
		r := n.kids[0].eval(s, now)
		r.Match = !r.Match
		return r
	}
	// "any" is "all" with true and false exchanged. decides is the answer of a child that settles the group.
	decides := n.group == "any"
	settled := false
	var first, last time.Time // the first change of a child that does not settle it; the last one of those that do
	for _, k := range n.kids {
		r := k.eval(s, now)
		switch {
		case r.Match == decides:
			if r.Next.IsZero() {
				return Result{Match: decides} // for good
			}
			settled = true
			if r.Next.After(last) {
				last = r.Next
			}
		case !r.Next.IsZero() && (first.IsZero() || r.Next.Before(first)):
			first = r.Next
		}
	}
	if settled {
		// The answer stands until the last of the children that settle it gives way.
		return Result{Match: decides, Next: last}
	}
	return Result{Match: !decides, Next: first}
}

// SubjectFrom makes a subject of a mirrored person and their history, which must be in the order of event.Less.
func SubjectFrom(m event.Mirror, events []event.Kept, in func(set string) bool) Subject {
	s := Subject{Num: m.Num, ID: m.ID, Traits: event.Object(m.Traits), Events: events, In: in}
	s.Channels = map[string]Channel{}
	for kind, v := range event.Object(m.Channels) {
		c, _ := v.(map[string]any)
		ch := Channel{Topics: map[string]bool{}}
		ch.Reachable, _ = c["reachable"].(bool)
		topics, _ := c["topics"].(map[string]any)
		for id, on := range topics {
			ch.Topics[id], _ = on.(bool)
		}
		s.Channels[kind] = ch
	}
	return s
}
