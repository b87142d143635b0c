package staff

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLimiterNeverLetsMoreThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const burst, every = 5, 10 * time.Second
		l := newLimiter(burst, every, 100)
		now := time.Unix(1_700_000_000, 0)
		began, passed := now, 0
		for range rapid.IntRange(1, 200).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 15_000).Draw(t, "pause")) * time.Millisecond)
			wait, ok := l.take("k", now)
			if ok {
				passed++
				continue
			}
			if wait <= 0 || wait > every {
				t.Fatalf("told to wait %v", wait)
			}
			if _, early := l.take("k", now.Add(wait-time.Millisecond)); early {
				t.Fatalf("let through before the %v were over", wait)
			}
		}
		if limit := burst + int(now.Sub(began)/every) + 1; passed > limit {
			t.Fatalf("%d attempts passed in %v, want at most %d", passed, now.Sub(began), limit)
		}
	})
}

func TestLimiterLetsThroughWhenItSaidItWould(t *testing.T) {
	l := newLimiter(1, 30*time.Second, 100)
	now := time.Unix(1_700_000_000, 0)
	l.take("k", now)
	wait, ok := l.take("k", now)
	if ok || wait != 30*time.Second {
		t.Fatalf("wait %v, %v", wait, ok)
	}
	if _, ok := l.take("k", now.Add(wait)); !ok {
		t.Error("refused after the wait")
	}
	if _, ok := l.take("other", now); !ok {
		t.Error("another key was refused")
	}
	if _, ok := l.take("k", now.Add(-time.Hour)); ok {
		t.Error("a clock that went back gave tokens")
	}
	l.forget("k")
	if _, ok := l.take("k", now); !ok {
		t.Error("refused after forget")
	}
}

func TestLimiterForgetsTheLongestUnused(t *testing.T) {
	l := newLimiter(1, time.Hour, 100)
	now := time.Unix(1_700_000_000, 0)
	l.take("victim", now)
	for i := range 1000 {
		l.take(fmt.Sprint("filler", i), now)
		if _, ok := l.take("victim", now); ok {
			t.Fatal("a key in use was forgotten")
		}
	}
	if len(l.byKey) != 100 || l.order.Len() != 100 {
		t.Errorf("%d keys and %d buckets are kept", len(l.byKey), l.order.Len())
	}
	l.forget("never seen")
}

func TestAddressesAreCountedByNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::/64", "2001:db8:0:0:ffff::9": "2001:db8::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "not an address": "not an address",
	} {
		if got := addressKey(in); got != want {
			t.Errorf("%q is counted as %q, want %q", in, got, want)
		}
	}
}
