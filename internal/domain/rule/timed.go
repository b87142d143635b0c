package rule

import "github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"

// TimedTraits reports whether the passing of time alone can change the answer for people who have none of the events
// that the rule reads, because it compares a time in a trait with the present.
func (r *Rule) TimedTraits() bool {
	timed := false
	r.root.each(func(l leaf.Leaf) {
		n := l.Needs()
		timed = timed || n.Windowed && !n.All && len(n.Names) == 0
	})
	return timed
}
