package quota

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

const (
	// exchange is how often counts are stored and those of other processes read.
	exchange = time.Second
	// keepDays is how long counts of a day are kept: a year and a month to compare with.
	keepDays = 400
)

// Config is what a Service needs.
type Config struct {
	Store   Store
	Tx      tx.Runner
	Clock   clock.Clock
	Log     *slog.Logger
	Default Limits // of the installation
}

// Service counts and decides. It is safe for concurrent use, and a lifecycle.Service that exchanges its counts with the store.
type Service struct {
	lifecycle.Loop
	c       Config
	spaces  sync.Map // workspace id -> *space
	turns   sync.Mutex
	own     atomic.Pointer[map[string]Limits]
	refused map[Kind]*atomic.Int64
}

// space is what a process knows of a workspace.
type space struct {
	mu     sync.Mutex
	limits Limits
	events bucket
	calls  [2]bucket // of keys, of people
	day    Day
	stored Use         // today, of all processes
	fresh  Use         // today, of this one, not stored
	before map[Day]Use // the same of days that are over
}

// New returns a Service. Until it has started it knows the limits of the installation alone.
func New(c Config) *Service {
	s := &Service{c: c, refused: map[Kind]*atomic.Int64{}}
	for _, k := range Kinds {
		s.refused[k] = new(atomic.Int64)
	}
	s.own.Store(&map[string]Limits{})
	s.Run = s.run
	return s
}

// Start reads limits and counts and begins to exchange them.
func (s *Service) Start(ctx context.Context) error {
	if err := s.Exchange(ctx); err != nil {
		return err
	}
	return s.Loop.Start(ctx)
}

// Stop stores what is left to store.
func (s *Service) Stop(ctx context.Context) error {
	return errors.Join(s.Loop.Stop(ctx), s.Exchange(ctx))
}

func (s *Service) run(ctx context.Context) {
	lifecycle.Every(ctx, exchange, func(ctx context.Context) {
		if err := s.Exchange(ctx); err != nil && ctx.Err() == nil {
			s.c.Log.Error("counts of what workspaces use could not be exchanged; they are tried again", "err", err)
		}
	})
}

// Exchange stores what was counted since the last time and reads what others have.
func (s *Service) Exchange(ctx context.Context) error {
	s.turns.Lock()
	defer s.turns.Unlock()
	var failed error
	s.spaces.Range(func(ws, v any) bool {
		failed = s.deposit(ctx, ws.(string), v.(*space))
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	own, err := s.c.Store.Own(ctx)
	if err != nil {
		return err
	}
	today := DayOf(s.c.Clock.Now())
	used, err := s.c.Store.On(ctx, today)
	if err != nil {
		return err
	}
	s.own.Store(&own)
	for ws := range used {
		s.space(ws)
	}
	s.spaces.Range(func(ws, v any) bool {
		sp := v.(*space)
		sp.mu.Lock()
		defer sp.mu.Unlock()
		sp.limits = own[ws.(string)].over(s.c.Default)
		if sp.turn(today); sp.day == today {
			sp.stored = used[ws.(string)]
		}
		return true
	})
	return nil
}

// deposit stores what a workspace has used since the last time.
func (s *Service) deposit(ctx context.Context, ws string, sp *space) error {
	sp.mu.Lock()
	owed := maps.Clone(sp.before)
	if owed == nil {
		owed = map[Day]Use{}
	}
	if sp.fresh != (Use{}) {
		owed[sp.day] = owed[sp.day].plus(sp.fresh)
	}
	sp.mu.Unlock()
	for _, d := range slices.Sorted(maps.Keys(owed)) {
		var total Use
		if err := s.c.Tx.InTx(ctx, func(ctx context.Context) (err error) {
			total, err = s.c.Store.Add(ctx, ws, d, owed[d])
			return err
		}); err != nil {
			return err
		}
		sp.mu.Lock()
		if sp.day == d {
			sp.fresh, sp.stored = sp.fresh.minus(owed[d]), total
		} else {
			if sp.before == nil {
				sp.before = map[Day]Use{}
			}
			if rest := sp.before[d].minus(owed[d]); rest != (Use{}) {
				sp.before[d] = rest
			} else {
				delete(sp.before, d)
			}
		}
		sp.mu.Unlock()
	}
	return nil
}

// space returns what is known of a workspace; only those that exist may be asked for.
func (s *Service) space(ws string) *space {
	if sp, ok := s.spaces.Load(ws); ok {
		return sp.(*space)
	}
	sp, _ := s.spaces.LoadOrStore(ws, &space{limits: (*s.own.Load())[ws].over(s.c.Default), day: DayOf(s.c.Clock.Now())})
	return sp.(*space)
}

// turn begins a day. A clock that was set back begins none.
func (sp *space) turn(today Day) {
	if today <= sp.day {
		return
	}
	if sp.fresh != (Use{}) {
		if sp.before == nil {
			sp.before = map[Day]Use{}
		}
		sp.before[sp.day] = sp.before[sp.day].plus(sp.fresh)
	}
	sp.day, sp.stored, sp.fresh = today, Use{}, Use{}
}

// room returns why no more events are taken in now, nil if they are.
func (sp *space) room(now time.Time) *Exceeded {
	sp.turn(DayOf(now))
	if n := sp.limits[EventsPerDay]; n > 0 && sp.stored.Events+sp.fresh.Events >= n {
		return exceeded(EventsPerDay, n, (sp.day + 1).Start().Sub(now))
	}
	if n := sp.limits[EventsPerSecond]; n > 0 {
		if wait := sp.events.wait(float64(n), now); wait > 0 {
			return exceeded(EventsPerSecond, n, wait)
		}
	}
	return nil
}

// refuse counts a refusal.
func (s *Service) refuse(sp *space, e *Exceeded) error {
	s.refused[e.Kind].Add(1)
	if e.Kind == RequestsPerSecond {
		sp.fresh.RequestsRefused++
	} else {
		sp.fresh.Refused++
	}
	return e
}

// Intake returns an *Exceeded error if no events of the workspace are taken in now, so that what they are need not be read.
func (s *Service) Intake(ws string) error {
	sp := s.space(ws)
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if e := sp.room(s.c.Clock.Now()); e != nil {
		return s.refuse(sp, e)
	}
	return nil
}

// TakeEvents counts events that are about to be taken in, or returns an *Exceeded error. Those that cross a limit still pass: the next ones wait for them.
func (s *Service) TakeEvents(ws string, n int) error {
	sp := s.space(ws)
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if e := sp.room(s.c.Clock.Now()); e != nil {
		return s.refuse(sp, e)
	}
	if sp.limits[EventsPerSecond] > 0 {
		sp.events.left -= float64(n)
	}
	sp.fresh.Events += int64(n)
	return nil
}

// GiveBack takes back events that did not come in after all.
func (s *Service) GiveBack(ws string, n int) {
	sp := s.space(ws)
	sp.mu.Lock()
	defer sp.mu.Unlock()
	sp.turn(DayOf(s.c.Clock.Now()))
	if sp.limits[EventsPerSecond] > 0 {
		sp.events.left += float64(n)
	}
	sp.fresh.Events -= int64(n)
}

// TakeRequest counts a call to the API, or returns an *Exceeded error. Calls of people at screens have a limit of their own, so that a script does not lock out who could stop it.
func (s *Service) TakeRequest(ws string, person bool) error {
	sp := s.space(ws)
	now := s.c.Clock.Now()
	which := 0
	if person {
		which = 1
	}
	sp.mu.Lock()
	defer sp.mu.Unlock()
	sp.turn(DayOf(now))
	if n := sp.limits[RequestsPerSecond]; n > 0 {
		b := &sp.calls[which]
		if wait := b.wait(float64(n), now); wait > 0 {
			return s.refuse(sp, exceeded(RequestsPerSecond, n, wait))
		}
		b.left--
	}
	sp.fresh.Requests++
	return nil
}

// Limits returns what is in force for a workspace.
func (s *Service) Limits(ws string) Limits {
	sp := s.space(ws)
	sp.mu.Lock()
	defer sp.mu.Unlock()
	return maps.Clone(sp.limits)
}

// Own returns the limits that were set for a workspace itself.
func (s *Service) Own(ws string) Limits { return maps.Clone((*s.own.Load())[ws]) }

// Set changes limits of a workspace: a number, 0 for none, nil for that of the installation. Other processes know it within a second.
func (s *Service) Set(ctx context.Context, ws string, change map[Kind]*int64) (Limits, error) {
	var l Limits
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		all, err := s.c.Store.Own(ctx)
		if err != nil {
			return err
		}
		if l = all[ws]; l == nil {
			l = Limits{}
		}
		for k, n := range change {
			if delete(l, k); n != nil {
				l[k] = *n
			}
		}
		if err := l.Validate(); err != nil {
			return err
		}
		return s.c.Store.SetOwn(ctx, ws, l)
	})
	if err != nil {
		return nil, err
	}
	return l.over(s.c.Default), nil
}

// Today returns what a workspace has used today, with what other processes had told a second ago.
func (s *Service) Today(ws string) DayUse {
	sp := s.space(ws)
	sp.mu.Lock()
	defer sp.mu.Unlock()
	sp.turn(DayOf(s.c.Clock.Now()))
	return DayUse{sp.day, sp.stored.plus(sp.fresh)}
}

// Days returns what a workspace has used on each of the last n days, today last; days without any use too.
func (s *Service) Days(ctx context.Context, ws string, n int) ([]DayUse, error) {
	today := s.Today(ws)
	first := today.Day - Day(n) + 1
	found, err := s.c.Store.Days(ctx, ws, first)
	if err != nil {
		return nil, err
	}
	out := make([]DayUse, n)
	for i := range out {
		out[i].Day = first + Day(i)
	}
	for _, d := range found {
		if d.Day < today.Day {
			out[d.Day-first] = d
		}
	}
	out[n-1] = today
	return out, nil
}

// Purge removes counts of days that nobody compares with any more.
func (s *Service) Purge(ctx context.Context, limit int) (int64, error) {
	return s.c.Store.Purge(ctx, DayOf(s.c.Clock.Now())-keepDays, limit)
}

// Figures are of this process since its start, for monitoring.
type Figures struct {
	Refused map[Kind]int64   // calls
	Nearest map[Kind]float64 // share of a daily limit that is used up, of the workspace that is nearest to its own
}

// Figures returns them.
func (s *Service) Figures() Figures {
	f := Figures{map[Kind]int64{}, map[Kind]float64{}}
	for k, n := range s.refused {
		f.Refused[k] = n.Load()
	}
	today := DayOf(s.c.Clock.Now())
	s.spaces.Range(func(_, v any) bool {
		sp := v.(*space)
		sp.mu.Lock()
		defer sp.mu.Unlock()
		sp.turn(today)
		for _, k := range Kinds {
			if used, daily := sp.stored.plus(sp.fresh).Of(k); daily {
				share := 0.0
				if n := sp.limits[k]; n > 0 {
					share = float64(used) / float64(n)
				}
				f.Nearest[k] = max(f.Nearest[k], share)
			}
		}
		return true
	})
	return f
}
