package outbox

import (
	"sync"
	"time"
)

// rests remembers domains that put everything off. Their mail waits a little longer each time instead of being tried in vain, which providers hold
// against a sender. It is forgotten at the end of the process: the next one finds out by itself.
type rests struct {
	mu sync.Mutex
	by map[string]rest
}

type rest struct {
	strikes int // refusals for now in a row
	until   time.Time
}

const (
	restAfter = 5
	firstRest = time.Minute
	lastRest  = time.Hour
)

// deferred notes that the domain put a message off.
func (r *rests) deferred(domain string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = map[string]rest{}
	}
	one := r.by[domain]
	if now.Before(one.until) { // one of those that were on their way already
		return
	}
	if one.strikes++; one.strikes >= restAfter {
		one.until = now.Add(min(firstRest<<min(one.strikes-restAfter, 6), lastRest))
	}
	r.by[domain] = one
}

// answered notes that the domain took a message, or refused it for good.
func (r *rests) answered(domain string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.by, domain)
}

// until returns when the domain may be tried again, zero if it may be now.
func (r *rests) until(domain string, now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if u := r.by[domain].until; now.Before(u) {
		return u
	}
	return time.Time{}
}

// rested puts a message off if its domain rests.
func (r *rests) rested(m *Message, now time.Time) bool {
	if m.Channel != KindEmail || m.Transactional {
		return false
	}
	domain := domainOf(m.Address)
	until := r.until(domain, now)
	if until.IsZero() {
		return false
	}
	m.DueAt, m.Reason, m.Data = until, ReasonDomainRests, Evidence{"domain": domain, "until": until}
	return true
}

// resting returns the result of a message whose domain has begun to rest since it was admitted.
func (j *job) resting(r *rests, now time.Time) (outcome, bool) {
	m := j.message
	if !r.rested(&m, now) {
		return outcome{}, false
	}
	return outcome{message: j.message, Result: Result{Held: m.held(), State: Queued, At: now, Due: m.DueAt, Reason: m.Reason, Data: m.Data, Address: m.Address, Waits: true}}, true
}
