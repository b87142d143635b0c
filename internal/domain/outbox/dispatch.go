package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// DispatchConfig tunes a Dispatcher; zero values take the defaults.
type DispatchConfig struct {
	// Sole says that no other process sends from this store, as is the case with SQLite: what an earlier process left behind
	// is inherited at once instead of when its lease ends.
	Sole bool
	// Batch is how many messages of an account are claimed ahead of sending. Default 500.
	Batch int
	// Poll is how often the queue is looked at while it is empty. Default 100 ms.
	Poll time.Duration
	// Lease is how long a process that has fallen silent keeps its messages. Default 30 s.
	Lease time.Duration
	// Resend is how many times a message is sent again because a server's answer was lost. Default 1; negative: never, not even if a process died.
	Resend int
	// Timeout bounds one attempt. Default 10 min, the sum of what RFC 5321 (4.5.3.2) asks clients to wait at the end of a message.
	Timeout time.Duration
}

// Dispatcher takes messages from the queue and hands them to the channels; see lifecycle.Service. Several may run in several
// processes on the same store.
//
//	feeder ──claims──► gate ──► pool of account ──► worker: render ─► Send ─┬► other side
//	   ▲                                                          commit │ ▲ answer
//	   └──────────────────────── hungry ◄──────────────────── committer ◄┘─┘
type Dispatcher struct {
	s      *Service
	c      DispatchConfig
	log    *slog.Logger
	hungry chan struct{}

	mu      sync.Mutex
	owner   string // of the current run
	claims  int    // claims made so far
	pools   map[string]*pool
	cancel  context.CancelFunc // ends the feeder and the keeper
	abort   context.CancelFunc // ends sends that are under way
	loops   sync.WaitGroup
	workers sync.WaitGroup
	commits *committer
}

// NewDispatcher returns a Dispatcher that is not running yet.
func NewDispatcher(s *Service, c DispatchConfig) *Dispatcher {
	if c.Batch <= 0 {
		c.Batch = 500
	}
	if c.Poll <= 0 {
		c.Poll = 100 * time.Millisecond
	}
	if c.Lease <= 0 {
		c.Lease = 30 * time.Second
	}
	switch {
	case c.Resend == 0:
		c.Resend = 1
	case c.Resend < 0:
		c.Resend = 0
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Minute
	}
	return &Dispatcher{s: s, c: c, log: s.log, hungry: make(chan struct{}, 1)}
}

// Start takes over what dead processes left and begins to send.
func (d *Dispatcher) Start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil {
		return nil
	}
	d.owner = id.New("own")
	d.pools = map[string]*pool{}
	if err := d.keep(ctx, d.c.Sole); err != nil {
		return err
	}
	base := context.WithoutCancel(ctx)
	run, cancel := context.WithCancel(base)
	sends, abort := context.WithCancel(base)
	d.cancel, d.abort = cancel, abort
	d.commits = newCommitter(d.s, d.log)
	go d.commits.run(sends)
	d.loops.Go(func() { d.feed(run, sends) })
	d.loops.Go(func() { d.keeper(run) })
	return nil
}

// Stop lets messages in hand be sent, stores their results, and puts the rest back into the queue. When ctx ends, sends under way
// are cut off; those past the point of no return are counted as uncertain.
func (d *Dispatcher) Stop(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel == nil {
		return nil
	}
	d.cancel()
	d.cancel = nil
	stop := context.AfterFunc(ctx, d.abort)
	defer stop()
	d.loops.Wait() // no claims and no new pools from here on
	for _, p := range d.pools {
		d.release(context.WithoutCancel(ctx), p.close())
	}
	d.workers.Wait()
	for _, p := range d.pools {
		if err := p.sender.Close(); err != nil {
			d.log.Warn("an account did not close cleanly", "account", p.account.ID, "err", err)
		}
	}
	d.commits.close()
	d.abort()
	if err := ctx.Err(); err != nil {
		return err // the lease ends by itself and the next process inherits
	}
	_, err := d.inherit(ctx, d.owner)
	return err
}

// Wake makes the dispatcher look at the queue at once instead of at the next poll.
func (d *Dispatcher) Wake() {
	select {
	case d.hungry <- struct{}{}:
	default:
	}
}

// keeper extends the lease and takes over from the dead.
func (d *Dispatcher) keeper(ctx context.Context) {
	lifecycle.Every(ctx, d.c.Lease/3, func(ctx context.Context) {
		if err := d.keep(ctx, d.c.Sole); err != nil && ctx.Err() == nil {
			d.log.Error("the lease on messages could not be extended", "err", err)
		}
	})
}

func (d *Dispatcher) keep(ctx context.Context, all bool) error {
	now := d.s.clock.Now()
	if _, err := d.s.store.Hold(ctx, d.owner, now.Add(d.c.Lease)); err != nil {
		return fmt.Errorf("extend lease: %w", err)
	}
	dead, err := d.s.store.Expired(ctx, d.owner, now, all)
	if err != nil {
		return fmt.Errorf("look for dead senders: %w", err)
	}
	lost, taken := 0, 0
	for _, owner := range dead {
		n, inherited := d.inherit(ctx, owner)
		if err = inherited; err != nil {
			break
		}
		lost, taken = lost+n, taken+1
	}
	if taken > 0 {
		d.log.Warn("took over from senders that ended without notice", "senders", taken, "answers_lost", lost)
	}
	return err
}

// resendAfterDeath is how many times a message is sent again because processes died while it was on its way: often enough that nobody is left without it by an
// unlucky row of deaths, and not for ever, should it be the message that kills them.
const resendAfterDeath = 4

// inherit takes over from an owner and tells of messages that are given up. It returns how many answers were lost.
func (d *Dispatcher) inherit(ctx context.Context, owner string) (int, error) {
	n := 0
	err := d.s.tx.InTx(ctx, func(ctx context.Context) error {
		now := d.s.clock.Now()
		limit := d.c.Resend
		if limit > 0 {
			limit = max(limit, resendAfterDeath)
		}
		flying, err := d.s.store.Inherit(ctx, owner, now, limit)
		if err != nil {
			return fmt.Errorf("take over from %s: %w", owner, err)
		}
		n = len(flying)
		for _, m := range flying {
			if m.State != Failed {
				continue
			}
			o := outcome{Result: Result{Held: m.held(), State: Failed, At: now, Reason: m.Reason, Detail: m.Detail}, message: m}
			if e, ok := o.event(); ok {
				if err := d.s.emit(ctx, []event.Event{e}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return n, err
}

// release gives claimed messages back to the queue. If that fails, they come back when the owner is inherited.
func (d *Dispatcher) release(ctx context.Context, jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	held := make([]Held, len(jobs))
	for i, j := range jobs {
		held[i] = j.message.held()
		if j.counted {
			d.s.allowance.Note(j.message.Workspace, -1)
		}
	}
	if err := d.s.store.Release(ctx, held); err != nil {
		d.log.Error("claimed messages could not be put back", "messages", len(held), "err", err)
	}
}

// feed claims due messages for accounts that have room until ctx ends.
func (d *Dispatcher) feed(ctx, sends context.Context) {
	poll := time.NewTimer(0)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		case <-d.hungry:
		case <-d.s.hurry:
		}
		wait := d.c.Poll
		more, err := d.round(ctx, sends)
		if err != nil && ctx.Err() == nil {
			d.log.Error("due messages could not be claimed", "err", err)
			wait = time.Second
		}
		if more && err == nil {
			wait = 0
		}
		poll.Reset(wait)
	}
}

// round serves every route once. It reports whether something was claimed, so that there may be more to claim at once.
func (d *Dispatcher) round(ctx, sends context.Context) (more bool, err error) {
	now := d.s.clock.Now()
	routes, err := d.s.store.Routes(ctx, now)
	if err != nil {
		return false, fmt.Errorf("look for due messages: %w", err)
	}
	for _, r := range routes {
		p, err := d.pool(ctx, sends, r)
		if err != nil {
			d.log.Error("an account cannot be used; its messages wait", "workspace", r.Workspace, "channel", r.Channel, "err", err)
			continue
		}
		if p == nil {
			continue // no account, or a paused one: they wait until there is one
		}
		n := p.room(r.Transactional)
		if n == 0 {
			continue
		}
		d.claims++
		claimed, err := d.s.store.Claim(ctx, r, d.owner+"."+strconv.Itoa(d.claims), now, n)
		if err != nil {
			return more, fmt.Errorf("claim: %w", err)
		}
		more = more || len(claimed) == n
		jobs, err := d.admit(ctx, p, claimed)
		if err != nil || !p.put(jobs) {
			d.release(context.WithoutCancel(ctx), jobs)
		}
		if err != nil {
			return false, err
		}
	}
	return more, nil
}

// admit passes claimed messages through the gate once more: minutes or days may have gone by since they were queued. On an error
// it returns all of them.
func (d *Dispatcher) admit(ctx context.Context, p *pool, claimed []Message) ([]*job, error) {
	jobs := make([]*job, len(claimed))
	for i := range claimed {
		jobs[i] = &job{message: claimed[i]}
	}
	now := d.s.clock.Now()
	g, verdicts, err := d.s.admit(ctx, p.account, jobs, now, &p.rests)
	if err != nil {
		return jobs, err
	}
	admitted := jobs[:0]
	for i, j := range jobs {
		m, v := &j.message, verdicts[i]
		switch {
		case v.refused():
			d.commits.finish(outcome{message: *m, Result: Result{Held: m.held(), State: Refused, At: now, Reason: v.reason, Data: v.data, Address: m.Address}})
		case now.Sub(m.NotBefore) > maxAge && m.Attempts > 0:
			d.commits.finish(d.expired(*m, now))
		case m.DueAt.After(now):
			d.commits.finish(outcome{message: *m, Result: Result{Held: m.held(), State: Queued, At: now, Due: m.DueAt, Reason: m.Reason, Data: m.Data, Address: m.Address, Waits: true}})
		default:
			j.person, j.topic, j.policy = g.people[m.PersonID], g.topics[m.Topic], g.policy
			j.zone = j.person.Location(g.home)
			admitted = append(admitted, j)
		}
	}
	return admitted, nil
}

// admit judges claimed messages and gives those that go now their slots under the caps. Where there are caps, all it reads and the slots it
// takes are one transaction: however many processes send, and whoever is merged meanwhile, nobody gets more than the caps allow. The same goes
// for the account's throttles and its warm-up, and for what the operator lets the workspace send a day. Domains that rest are left alone.
func (s *Service) admit(ctx context.Context, a Account, jobs []*job, now time.Time, resting *rests) (g *gate, verdicts []verdict, err error) {
	ws := a.Workspace
	paced := len(a.Pace.Throttles) > 0 || a.Pace.Providers || a.Pace.WarmUp != nil
	policy, err := s.store.Policy(ctx, ws)
	if err != nil {
		return nil, nil, fmt.Errorf("load policy: %w", err)
	}
	people, messages := make([]string, len(jobs)), make([]*Message, len(jobs))
	asked := make([]Message, len(jobs)) // as they were claimed: a transaction may be repeated
	for i, j := range jobs {
		people[i], messages[i], asked[i] = j.message.PersonID, &j.message, j.message
	}
	unwanted, err := s.unwantedOf(ctx, ws, messages, now)
	if err != nil {
		return nil, nil, err
	}
	daily := &dailyLimit{of: s.allowance, ws: ws}
	if err := daily.open(ctx); err != nil {
		return nil, nil, err
	}
	limited := daily.limit > 0
	judge := func(ctx context.Context, binding bool) (counted bool, err error) {
		if g, err = s.openGate(ctx, ws, people); err != nil {
			return false, err
		}
		if err := s.loadGiven(ctx, ws, g, messages); err != nil {
			return false, err
		}
		if err := s.loadSlots(ctx, ws, g, now); err != nil {
			return false, err
		}
		paused, err := s.pausedOf(ctx, ws, messages)
		if err != nil {
			return false, err
		}
		verdicts = make([]verdict, len(jobs))
		var held []Held
		if limited {
			if err := daily.open(ctx); err != nil {
				return false, err
			}
		}
		var pace *pacer
		if paced {
			if pace, err = s.openPace(ctx, a, g.home, now); err != nil {
				return false, err
			}
		}
		for _, i := range ranked(jobs) {
			m := &jobs[i].message
			m.DueAt = now
			switch verdicts[i] = g.check(m); {
			case verdicts[i].refused():
			case unwanted[m.ID] != nil:
				verdicts[i] = refuse(ReasonLeftJourney, unwanted[m.ID])
			case paused[m.Source.whole()]:
				m.DueAt, m.Reason, m.Data = now.Add(pauseLook), ReasonSourcePaused, pausedBecause(m.Source)
			default:
				verdicts[i] = g.wait(m, now, true)
			}
			if !verdicts[i].refused() && !m.DueAt.After(now) && !resting.rested(m, now) && daily.lets(m) && pace != nil {
				pace.place(m, asked[i].Reason, asked[i].Data)
			}
			switch {
			case verdicts[i].refused() || m.DueAt.After(now):
				g.ranks.out[m.ID] = true
			case g.counts(m):
				held = append(held, m.held())
				g.place(m, now, g.displaces[m.ID])
			}
		}
		if pace != nil {
			if err := s.store.Count(ctx, ws, a.ID, pace.added(), pace.minute()); err != nil {
				return false, fmt.Errorf("count what an account sends: %w", err)
			}
		}
		if limited {
			if err := daily.take(ctx, jobs, verdicts, now); err != nil {
				return false, err
			}
		}
		if !binding || len(held) == 0 {
			return len(held) > 0, nil
		}
		if err := s.store.Take(ctx, ws, held, now); err != nil {
			return true, err
		}
		return true, s.displace(ctx, ws, g, now)
	}
	inTx := func(ctx context.Context) error {
		_, err := judge(ctx, true)
		return err
	}
	if len(policy.Caps) > 0 || paced || limited {
		err = s.tx.InTx(ctx, inTx)
	} else if counted, look := judge(ctx, false); look != nil {
		err = look
	} else if counted { // the workspace has no caps, but somebody in this batch has one of their own
		err = s.tx.InTx(ctx, inTx)
	}
	if err == nil {
		daily.settle(jobs, verdicts, now)
	}
	return g, verdicts, err
}

func (s *Service) openPace(ctx context.Context, a Account, home *time.Location, now time.Time) (*pacer, error) {
	p := newPacer(a.Pace, home, now, nil)
	windows, err := s.store.Windows(ctx, a.Workspace, a.ID, p.minute(), p.today())
	if err != nil {
		return nil, fmt.Errorf("load what an account has sent: %w", err)
	}
	return newPacer(a.Pace, home, now, windows), nil
}

func (d *Dispatcher) expired(m Message, now time.Time) outcome {
	return outcome{message: m, Result: Result{Held: m.held(), State: Failed, At: now, Reason: ReasonExpired, Data: Evidence{"hours": int(maxAge.Hours())}, Detail: m.Detail, Code: m.Code, Address: m.Address}}
}
