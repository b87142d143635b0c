package tracking

import (
	"sync"
	"time"
)

// Scanners open every link of a mail within seconds. Three different links within burstWindow are more than a person's finger manages; what follows within
// burstRest is the same scanner's.
const (
	burstLinks  = 3
	burstWindow = 3 * time.Second
	burstRest   = time.Minute
	maxBursts   = 10_000 // messages remembered
)

// bursts remembers which links of a message were followed just now. It is memory alone: after a restart a scanner's first links count as a person's.
type bursts struct {
	mu   sync.Mutex
	seen map[string]*burst // by message
}

type burst struct {
	at    map[string]time.Time // by link
	until time.Time            // everything before is a machine's
}

// click notes that a link was followed and reports whether by a scanner. A trap is a link that no person can see.
func (b *bursts) click(message, url string, trap bool, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil || len(b.seen) >= maxBursts {
		b.seen = map[string]*burst{}
	}
	m := b.seen[message]
	if m == nil {
		m = &burst{at: map[string]time.Time{}}
		b.seen[message] = m
	}
	for link, at := range m.at {
		if now.Sub(at) > burstWindow {
			delete(m.at, link)
		}
	}
	m.at[url] = now
	if trap || len(m.at) >= burstLinks {
		m.until = now.Add(burstRest)
	}
	return now.Before(m.until)
}
