package staff

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// Limits of sign-in. A human who mistypes never meets them; a guesser gets some 3,000 tries a day at one account.
const (
	accountBurst = 10
	accountEvery = 30 * time.Second
	addressBurst = 30
	addressEvery = 5 * time.Second
	// maxTracked bounds the memory that strangers can make us use; the longest unused key is forgotten first.
	maxTracked = 20_000
)

// limiter lets through burst attempts per key at once, then one each every. It is the generic cell rate algorithm: in exact
// durations, a token bucket that keeps one moment per key.
type limiter struct {
	burst time.Duration // as a time: burst attempts of every
	every time.Duration
	max   int

	mu    sync.Mutex
	byKey map[string]*list.Element
	order *list.List // of *bucket, most recently used first
}

type bucket struct {
	key  string
	full time.Time // when the bucket will be full again
}

func newLimiter(burst int, every time.Duration, limit int) *limiter {
	return &limiter{burst: time.Duration(burst) * every, every: every, max: limit, byKey: map[string]*list.Element{}, order: list.New()}
}

// take uses up one attempt. If there is none it returns how long until there is one.
func (l *limiter) take(key string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.byKey[key]
	if e == nil {
		if l.order.Len() >= l.max {
			last := l.order.Back()
			delete(l.byKey, last.Value.(*bucket).key)
			l.order.Remove(last)
		}
		e = l.order.PushFront(&bucket{key: key})
		l.byKey[key] = e
	}
	l.order.MoveToFront(e)
	b := e.Value.(*bucket)
	// Between now (nothing used up) and burst later (everything); the bounds matter when the clock was set back.
	used := min(max(b.full.Sub(now), 0), l.burst) + l.every
	if used > l.burst {
		return used - l.burst, false
	}
	b.full = now.Add(used)
	return 0, true
}

// forget gives the key a full bucket again.
func (l *limiter) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.byKey[key]; e != nil {
		l.order.Remove(e)
		delete(l.byKey, key)
	}
}

// addressKey is what an attempt is counted under: the address, or the /64 network that one IPv6 subscriber has.
func addressKey(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip[:min(len(ip), 64)]
	}
	a = a.Unmap()
	if a.Is4() {
		return a.String()
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return a.String()
	}
	return p.String()
}
