package report

import "math"

// Rate is a share with its uncertainty.
type Rate struct {
	N     int64   // how many
	Of    int64   // of how many
	Share float64 // N/Of; 0 if Of is 0
	Low   float64 // ends of the 95 % interval
	High  float64
}

// z95 is the quantile of the standard normal distribution for a two-sided interval of 95 %.
const z95 = 1.959963984540054

// NewRate computes a share and the Wilson score interval around it: E. B. Wilson, "Probable inference, the law of
// succession, and statistical inference", JASA 22 (1927), 209-212. It holds its level for small numbers and for shares
// near 0 and 1, where the textbook interval does not: L. D. Brown, T. T. Cai, A. DasGupta, "Interval estimation for a
// binomial proportion", Statistical Science 16 (2001), 101-133. Nothing is known of a share of nobody: [0, 1].
func NewRate(n, of int64) Rate {
	r := Rate{N: n, Of: of, High: 1}
	if of <= 0 {
		return r
	}
	// More hits than trials (one message converting twice, say) have no share above one.
	p, m := math.Min(1, float64(n)/float64(of)), float64(of)
	r.Share = p
	denominator := 1 + z95*z95/m
	centre := (p + z95*z95/(2*m)) / denominator
	half := z95 / denominator * math.Sqrt(p*(1-p)/m+z95*z95/(4*m*m))
	r.Low, r.High = math.Max(0, centre-half), math.Min(1, centre+half)
	if n <= 0 {
		r.Low = 0
	}
	if n >= of {
		r.High = 1
	}
	return r
}
