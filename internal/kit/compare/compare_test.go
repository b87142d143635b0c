package compare

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestTheHighestShareLeadsAndTheFirstOfEquals(t *testing.T) {
	for _, c := range []struct {
		ways         []Count
		best, second int
	}{
		{nil, -1, -1},
		{[]Count{{10, 1}}, 0, -1},
		{[]Count{{10, 1}, {10, 1}}, 0, 1},
		{[]Count{{10, 1}, {0, 0}, {10, 3}, {10, 2}}, 2, 3},
		{[]Count{{10, 3}, {10, 2}, {10, 5}}, 2, 0},
	} {
		if b, s := Lead(c.ways); b != c.best || s != c.second {
			t.Errorf("%v: %d, %d", c.ways, b, s)
		}
	}
}

func TestChanceIsThatOfTheTextbook(t *testing.T) {
	ways := []Count{{1000, 60}, {1000, 40}} // z = 2.0519, p = 0.0402 two-sided
	if p := Chance(ways, 0, 1); math.Abs(p-0.0402) > 0.0005 {
		t.Errorf("%f", p)
	}
	if p := Chance(append(ways, Count{1000, 10}), 0, 1); math.Abs(p-0.0804) > 0.001 {
		t.Errorf("three ways: %f", p)
	}
	for _, none := range [][]Count{{{0, 0}, {10, 1}}, {{10, 0}, {10, 0}}, {{10, 1}}} {
		b, s := Lead(none)
		if p := Chance(none, b, s); p != 1 {
			t.Errorf("%v: %f", none, p)
		}
	}
}

// Of tests between equals decided once, at most one of twenty finds a winner; and four of five see a difference of the size that was told.
func TestDecidedOnceTheErrorsAreWhatTheyAreSaidToBe(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const each, tests, p = 2000, 2000, 0.1
	draw := func(share float64) (c Count) {
		c.People = each
		for range each {
			if rng.Float64() < share {
				c.Hits++
			}
		}
		return c
	}
	found := func(other float64) (n int) {
		for range tests / 4 {
			ways := []Count{draw(p), draw(other)}
			if b, s := Lead(ways); Chance(ways, b, s) < Significance {
				n++
			}
		}
		return n * 4
	}
	if n := found(p); float64(n)/tests > 0.075 {
		t.Errorf("%d of %d tests between equals found a winner", n, tests)
	}
	if n := found(p + Detectable(p, each)); float64(n)/tests < 0.75 {
		t.Errorf("only %d of %d tests saw the difference they should", n, tests)
	}
	if Detectable(p, 0) != 1 {
		t.Error("nobody sees anything")
	}
}
