package outbox

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

// job is a claimed message with what composing it takes.
type job struct {
	message Message
	person  person.Person
	topic   consent.Topic
	zone    *time.Location // of the person's clock
	policy  Policy         // of the moment at which it was admitted; a new one recalls what is not in flight
	counted bool           // in what goes today
}

// night returns the result of a message whose quiet hours have begun since it was admitted: behind a slow account, minutes go by.
func (j *job) night(now time.Time) (outcome, bool) {
	m := j.message
	if m.Transactional {
		return outcome{}, false
	}
	r := Result{Held: m.held(), At: now, Address: m.Address}
	open, data, v := j.policy.quiet(m.Channel, now, j.zone)
	switch {
	case v.refused():
		r.State, r.Reason, r.Data = Refused, v.reason, v.data
	case open.After(now):
		r.State, r.Due, r.Reason, r.Waits = Queued, open, ReasonQuietHours, true
		r.Data = data.with("until", open).with("zone", j.zone.String())
	default:
		return outcome{}, false
	}
	return outcome{message: m, Result: r}, true
}

// pool holds the claimed messages of one account and the workers that send them. Transactional messages are taken first, at
// the last moment: after the wait for the account's rate.
type pool struct {
	account  Account
	sender   channel.Sender
	limiter  *rate.Limiter
	capacity int // of the bulk lane; the urgent lane has the same again

	throttles map[string]*Throttle // by domain
	rests     rests

	hungry func()          // called when the queue runs low
	ready  chan struct{}   // one token for each job that was put in
	open   context.Context // done once the workers should end
	end    context.CancelFunc
	busy   sync.WaitGroup

	mu      sync.Mutex
	urgent  []*job
	bulk    []*job
	flying  map[string]int // messages that workers have in hand, by throttle
	blocked int            // tokens of jobs that wait for one of these
	pause   chan struct{}  // not nil while the account rests; closed when it is over
	strike  int            // connection failures in a row
	shut    bool
}

func newPool(ctx context.Context, a Account, sender channel.Sender, capacity int, hungry func()) *pool {
	p := &pool{account: a, sender: sender, capacity: capacity, hungry: hungry, throttles: a.Pace.throttles(), flying: map[string]int{}}
	p.open, p.end = context.WithCancel(ctx)
	if a.RatePerSecond > 0 {
		p.limiter = rate.NewLimiter(rate.Limit(a.RatePerSecond), max(1, int(a.RatePerSecond/10)))
		// What is claimed is out of reach of other processes: no more than a few seconds' worth.
		p.capacity = min(capacity, max(2*a.Connections, int(5*a.RatePerSecond)))
	}
	p.ready = make(chan struct{}, 2*p.capacity)
	return p
}

// room returns how many jobs the lane can take. Small claims cost as much as large ones, so there is room in the bulk lane only
// once half of it is empty.
func (p *pool) room(transactional bool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.shut || p.pause != nil:
		return 0
	case transactional:
		return p.capacity - len(p.urgent)
	case len(p.bulk) > p.capacity/2:
		return 0
	}
	return p.capacity - len(p.bulk)
}

// put adds jobs, within room, and reports false if the pool has been shut.
func (p *pool) put(jobs []*job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut {
		return false
	}
	for _, j := range jobs {
		if j.message.Transactional {
			p.urgent = append(p.urgent, j)
		} else {
			p.bulk = append(p.bulk, j)
		}
		p.ready <- struct{}{}
	}
	return true
}

// next waits for a job, for the end of a rest and for the account's rate; nil means that the worker should end.
func (p *pool) next() *job {
	for {
		select {
		case <-p.open.Done():
			return nil
		case <-p.ready:
		}
		for rest := p.resting(); rest != nil; rest = p.resting() {
			select {
			case <-p.open.Done():
				return nil
			case <-rest:
			}
		}
		if p.limiter != nil && p.limiter.Wait(p.open) != nil {
			return nil
		}
		p.mu.Lock()
		j, shut := p.take(), p.shut
		p.mu.Unlock()
		if j != nil || shut {
			return j
		}
	}
}

// tryNext is next for a worker that has a message in hand: nil if it would have to wait.
func (p *pool) tryNext() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut || p.pause != nil || len(p.urgent)+len(p.bulk) == 0 {
		return nil
	}
	select {
	case <-p.ready:
	default:
		return nil // others are about to take what is there
	}
	if p.limiter != nil && !p.limiter.Allow() {
		p.ready <- struct{}{}
		return nil
	}
	return p.take()
}

// take removes the first job that no throttle holds back, transactional ones first. The lock is held and a token was taken; if all jobs are held
// back the token waits for one of the messages on their way.
func (p *pool) take() *job {
	if p.shut {
		return nil
	}
	for _, lane := range []*[]*job{&p.urgent, &p.bulk} {
		for i, j := range *lane {
			t := p.throttleOf(j)
			if t != nil && p.flying[t.Name] >= t.Connections {
				continue
			}
			if t != nil {
				p.flying[t.Name]++
			}
			if i == 0 {
				(*lane)[0] = nil
				*lane = (*lane)[1:]
			} else {
				*lane = slices.Delete(*lane, i, i+1)
			}
			if lane == &p.bulk && len(*lane) == p.capacity/2 || len(p.urgent)+len(p.bulk) == 0 {
				p.hungry()
			}
			return j
		}
	}
	p.blocked++
	return nil
}

// throttleOf returns the throttle that limits how many messages like this one are on their way, nil if none does.
func (p *pool) throttleOf(j *job) *Throttle {
	if len(p.throttles) == 0 {
		return nil
	}
	if t := p.throttles[domainOf(j.message.Address)]; t != nil && t.Connections > 0 {
		return t
	}
	return nil
}

// done notes that a worker has a job in hand no more.
func (p *pool) done(j *job) {
	if len(p.throttles) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.throttleOf(j)
	if t == nil {
		return
	}
	p.flying[t.Name]--
	if p.blocked > 0 && !p.shut {
		p.blocked--
		p.ready <- struct{}{}
	}
}

func (p *pool) resting() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pause
}

// failed notes that no answer came. After a few in a row it keeps the workers from the account for a while: its server cannot be reached, and every message tried now would
// only be deferred.
func (p *pool) failed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strike++
	if p.strike < 3 || p.pause != nil || p.shut {
		return
	}
	pause := make(chan struct{})
	p.pause = pause
	d := min(time.Second<<min(p.strike-3, 6), time.Minute)
	time.AfterFunc(d, func() {
		p.mu.Lock()
		if p.pause == pause {
			p.pause = nil
		}
		p.mu.Unlock()
		close(pause)
		p.hungry()
	})
}

// answered notes that the other side is there.
func (p *pool) answered() {
	p.mu.Lock()
	p.strike = 0
	p.mu.Unlock()
}

// close ends the workers after the message each has in hand, and returns what was left.
func (p *pool) close() []*job {
	p.mu.Lock()
	if p.shut {
		p.mu.Unlock()
		return nil
	}
	p.shut = true
	left := append(p.urgent, p.bulk...)
	p.urgent, p.bulk = nil, nil
	p.mu.Unlock()
	p.end()
	return left
}
