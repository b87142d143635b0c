// Package compare compares shares: which of several ways does best, how likely the lead is luck, and how small a difference a test of a size can see.
//
// The figures hold for a test that is decided once, at a moment that does not depend on them: looking at running figures and stopping when they please
// finds winners where there are none. When that moment is, is the business of whoever tests.
package compare

import "math"

// Significance is the chance below which a lead is taken to be none of luck.
const Significance = 0.05

const (
	zSided = 1.959964 // normal quantile of 97.5 %: two-sided 5 %
	zPower = 0.841621 // of 80 %
)

// Count is what came of one way.
type Count struct{ People, Hits int64 }

// Share is hits of people, 0 without people.
func (c Count) Share() float64 {
	if c.People == 0 {
		return 0
	}
	return float64(c.Hits) / float64(c.People)
}

// Lead returns the way with the highest share and the next best, the first of equals; -1 where there is none.
func Lead(ways []Count) (best, second int) {
	best, second = -1, -1
	better := func(i, j int) bool { return j < 0 || ways[i].Share() > ways[j].Share() }
	for i := range ways {
		switch {
		case better(i, best):
			best, second = i, best
		case better(i, second):
			second = i
		}
	}
	return best, second
}

// Chance is the probability of a lead like that of the best over the next if both were equally good, corrected for the number of comparisons with the best
// (Bonferroni); 1 where there is nothing to compare.
func Chance(ways []Count, best, second int) float64 {
	if best < 0 || second < 0 {
		return 1
	}
	return min(1, float64(len(ways)-1)*pair(ways[best], ways[second]))
}

// pair is the two-sided p-value of the pooled z-test of two shares.
func pair(a, b Count) float64 {
	n, m := float64(a.People), float64(b.People)
	if n == 0 || m == 0 {
		return 1
	}
	pool := float64(a.Hits+b.Hits) / (n + m)
	spread := math.Sqrt(pool * (1 - pool) * (1/n + 1/m))
	if spread == 0 {
		return 1
	}
	return math.Erfc(math.Abs(a.Share()-b.Share()) / spread / math.Sqrt2)
}

// Detectable is the smallest difference from the share p that is found four times of five with so many people each way. The formula is that of the
// two-sided comparison of two equal groups, (z(0.975) + z(0.8)) * sqrt(2 p (1-p) / n) (Fleiss, Statistical Methods for Rates and Proportions, chapter 4,
// for small differences); 1 without people.
func Detectable(p float64, each int64) float64 {
	if each <= 0 {
		return 1
	}
	return min(1, (zSided+zPower)*math.Sqrt(2*p*(1-p)/float64(each)))
}
