package leaf

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func (w wide) big() *big.Int {
	b := new(big.Int).Lsh(big.NewInt(w.hi), 64)
	return b.Add(b, new(big.Int).SetUint64(w.lo))
}

func TestWideCountsLikeBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sum wide
		want := new(big.Int)
		for _, v := range rapid.SliceOf(rapid.Int64()).Draw(t, "values") {
			sum = sum.add(v)
			want.Add(want, big.NewInt(v))
		}
		if sum.big().Cmp(want) != 0 {
			t.Fatalf("sum %s, want %s", sum.big(), want)
		}
		v, n := rapid.Int64().Draw(t, "v"), rapid.Int64Range(0, 1<<62).Draw(t, "n")
		product := new(big.Int).Mul(big.NewInt(v), big.NewInt(n))
		if times(v, n).big().Cmp(product) != 0 {
			t.Fatalf("%d times %d is %s, want %s", v, n, times(v, n).big(), product)
		}
		if got, want := sum.compare(times(v, n)), want.Cmp(product); got != want {
			t.Fatalf("%s stands %d to %s, want %d", sum.big(), got, product, want)
		}
		if sum.neg().plus(sum) != (wide{}) {
			t.Fatalf("%s less itself is not 0", sum.big())
		}
	})
}
