package content

import (
	"container/list"
	"sync"
)

// cache keeps the versions that were used last. Versions never change, so nothing in it goes stale.
type cache struct {
	mu    sync.Mutex
	size  int
	order *list.List // of *cached, used last first
	byKey map[string]*list.Element
}

type cached struct {
	key string
	c   *edition
}

func newCache(size int) *cache {
	return &cache{size: size, order: list.New(), byKey: map[string]*list.Element{}}
}

func (c *cache) get(key string) (*edition, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).c, true
}

func (c *cache) put(key string, v *edition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byKey[key]; ok {
		return
	}
	c.byKey[key] = c.order.PushFront(&cached{key, v})
	if c.order.Len() > c.size {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.byKey, last.Value.(*cached).key)
	}
}
