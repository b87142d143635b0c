package person

import (
	"encoding/json"
	"math"
	"slices"
)

// addition is a number that was added to a trait, and when.
type addition struct {
	N float64 `json:"n"`
	T int64   `json:"t"`
	M string  `json:"m"`
}

// maxAdditions bounds how many additions to one trait are kept one by one. Beyond it the two oldest become one, at the moment of the later: a
// value that arrives late and was set between the two then counts as set before both.
const maxAdditions = 16

func (a addition) at() moment { return moment{a.T, a.M} }

// sum makes a trait of one addition.
func sum(n float64, at moment) trait {
	return trait{A: []addition{{n, at.t, at.m}}}.settled()
}

// set is when the trait was last set; before everything else if it only was added to.
func (t trait) set() moment {
	if t.M == "" && t.T == 0 {
		return moment{t: math.MinInt64}
	}
	return moment{t.T, t.M}
}

// last is when the trait last changed.
func (t trait) last() moment {
	if n := len(t.A); n > 0 {
		return t.A[n-1].at()
	}
	return moment{t.T, t.M}
}

// size is about how many bytes the trait takes.
func (t trait) size() int {
	const each = 48 // of an addition, its number, moment and message id
	return len(t.V) + len(t.B) + each*len(t.A)
}

// with returns what two histories of one trait come to: the later value, and all that was added since. Which of the two is told first makes no
// difference, and what both know counts once.
func (t trait) with(n trait) trait {
	base, other := t, n
	if t.set().before(n.set()) {
		base, other = n, t
	}
	all := slices.Concat(base.A, other.A)
	if len(all) == 0 {
		return base
	}
	if len(base.A) == 0 {
		base.B = base.V // so far it was what was set
	}
	all = slices.DeleteFunc(all, func(a addition) bool { return a.at().before(base.set()) })
	slices.SortFunc(all, func(a, b addition) int { return a.at().compare(b.at()) })
	all = slices.CompactFunc(all, func(a, b addition) bool { return a.at() == b.at() })
	for len(all) > maxAdditions {
		all[1].N += all[0].N
		all = all[1:]
	}
	base.A = slices.Clip(all)
	return base.settled()
}

// settled works out V and D. What is no number counts as nothing.
func (t trait) settled() trait {
	if len(t.A) == 0 {
		t.V, t.B = t.B, nil
		t.D = len(t.V) == 0
		return t
	}
	var base, added float64
	if json.Unmarshal(t.B, &base) != nil {
		base = 0
	}
	for _, a := range t.A {
		added += a.N
	}
	v, err := json.Marshal(base + added)
	if err != nil { // beyond what a number can be
		v = json.RawMessage("0")
	}
	t.V, t.D = v, false
	return t
}
