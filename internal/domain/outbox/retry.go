package outbox

import (
	"math/rand/v2"
	"time"
)

// Retries.
const (
	firstRetry = time.Minute
	lastRetry  = 4 * time.Hour
	// maxAge is how long delivery is attempted. Servers that queue mail try for about as long (RFC 5321, 4.5.4.1: at least 4 to 5
	// days; a marketing message is stale before that).
	maxAge = 72 * time.Hour
)

// backoff is the time to wait after the n-th attempt (from 1): 1 min, doubling to 4 h, a fifth more or less so that
// messages deferred together do not come back together. asked is what the other side wished for.
func backoff(n int, asked time.Duration) time.Duration {
	d := lastRetry
	if n >= 1 && n <= 8 {
		d = min(firstRetry<<(n-1), lastRetry)
	}
	d = d - d/5 + rand.N(2*d/5+1)
	return max(d, asked)
}
