package workspace

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	cacheFor = time.Second // other processes change sources too
	// maxCached bounds what strangers who try keys can make us remember.
	maxCached   = 4096
	noteUseOnce = time.Minute
)

// keyCache remembers which source a write key belongs to, and that it belongs to none.
type keyCache struct {
	generation atomic.Uint64 // grows with every clear, so that a lookup which began before does not put back what it had read
	mu         sync.RWMutex
	byKey      map[string]cached
	used       map[string]time.Time // source id -> use that has been noted
}

type cached struct {
	source Source // zero if the key is unknown
	until  time.Time
}

func newKeyCache() *keyCache {
	return &keyCache{byKey: map[string]cached{}, used: map[string]time.Time{}}
}

func (c *keyCache) get(key string, now time.Time) (Source, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.byKey[key]
	return e.source, ok && now.Before(e.until)
}

func (c *keyCache) put(key string, src Source, now time.Time, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation.Load() != generation {
		return
	}
	if len(c.byKey) >= maxCached {
		clear(c.byKey)
	}
	c.byKey[key] = cached{src, now.Add(cacheFor)}
}

func (c *keyCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation.Add(1)
	clear(c.byKey)
}

// use reports whether this use is the first one in a while and should be written down.
func (c *keyCache) use(src Source, now time.Time) bool {
	c.mu.RLock()
	last := c.used[src.ID]
	c.mu.RUnlock()
	if now.Sub(last) < noteUseOnce {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.used[src.ID]) < noteUseOnce {
		return false
	}
	c.used[src.ID] = now
	return true
}

func (c *keyCache) unuse(src Source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.used, src.ID)
}
