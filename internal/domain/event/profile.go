package event

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

// ProfileQuery asks what people have in common.
type ProfileQuery struct {
	People *roaring64.Bitmap // nil: everyone
	Today  time.Time         // the day from which ages are counted
	Since  time.Time         // what was done before is left out
	Limit  int               // of traits, of doings
	Values int               // of a trait, however rare; 0: the five most frequent, of traits with one that many share
	Skip   []string          // traits that are left out
}

// Profile is what people have in common. Values and doings of a single person are left out, so that it names nobody.
type Profile struct {
	People int64 // of the set, as far as the store knows them
	// Ages are those of people whose age is known, by the traits that Segment's specification reserves for it: age (years), birthday.
	Ages   Spread
	Traits []TraitProfile
	Doings []Doing
	// Reached counts people by channel on which they can be reached, Answered those who opened, clicked or replied there.
	Reached, Answered map[string]int64
}

// Spread says how numbers are distributed; all but N are zero if N is.
type Spread struct {
	N                 int64   // people who have one
	Low, Median, High float64 // a quarter of them lies below Low, a quarter above High
}

// TraitProfile is a trait as people have it.
type TraitProfile struct {
	Path   string
	Kind   string       // text, number or boolean
	Spread Spread       // N: people who have the trait; the others only for numbers
	Values []ValueCount // of texts and truth values, most frequent first
}

// Doing is something that people did.
type Doing struct {
	Type   Type
	Name   string // of page and screen events without a name their path
	People int64
	Count  int64
}

// Channels returns the kinds of channels that people are reached or answer on, those with most of them first.
func (p Profile) Channels() []string {
	sum := maps.Clone(p.Reached)
	for k, n := range p.Answered {
		sum[k] += n
	}
	return slices.SortedFunc(maps.Keys(sum), func(x, y string) int { return cmp.Or(cmp.Compare(sum[y], sum[x]), cmp.Compare(x, y)) })
}
