package leaf

import "math/bits"

// wide is a signed 128-bit integer: sums of millionths outgrow 64 bits.
type wide struct {
	hi int64
	lo uint64
}

func (w wide) add(v int64) wide {
	lo, carry := bits.Add64(w.lo, uint64(v), 0)
	return wide{w.hi + v>>63 + int64(carry), lo}
}

func (w wide) plus(v wide) wide {
	lo, carry := bits.Add64(w.lo, v.lo, 0)
	return wide{w.hi + v.hi + int64(carry), lo}
}

func (w wide) neg() wide {
	lo, borrow := bits.Sub64(0, w.lo, 0)
	return wide{-w.hi - int64(borrow), lo}
}

// times is v multiplied by a count.
func times(v, n int64) wide {
	abs := uint64(v)
	if v < 0 {
		abs = uint64(-v)
	}
	hi, lo := bits.Mul64(abs, uint64(n))
	w := wide{int64(hi), lo}
	if v < 0 {
		return w.neg()
	}
	return w
}

// compare returns -1, 0 or 1.
func (w wide) compare(v wide) int {
	switch {
	case w.hi != v.hi:
		if w.hi < v.hi {
			return -1
		}
		return 1
	case w.lo != v.lo:
		if w.lo < v.lo {
			return -1
		}
		return 1
	}
	return 0
}
