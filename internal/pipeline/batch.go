package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

// batch is some records on their way through the stages.
type batch struct {
	person.Applied
	people        []person.Person // whose rows were written, once it is kept
	through       uint64          // the last record
	events        int
	oldest        time.Time // when its first record came onto the log
	resolve, keep time.Duration

	ctx   context.Context // within the span of the batch
	spans []trace.Span
}

// done ends the spans of a batch. Calling it again, or on no batch, is allowed.
func (b *batch) done(err error) {
	if b == nil {
		return
	}
	for _, s := range b.spans {
		s.Done(err)
	}
	b.spans = nil
}

// stretch takes records through all stages, batch after batch, until none is left or somebody waits to hold the worker. It returns those that are left,
// the last that has gone through and how many events went with them. While a batch is kept, the next one is resolved already: the two stages work in
// different stores. Reactions see neither half of it: if the next batch has merged people, the reactions to both wait until it is kept, too.
func (w *Worker) stretch(ctx context.Context, records []bus.Record, at uint64) (left []bus.Record, last uint64, events int, err error) {
	var now, next *batch
	defer func() {
		now.done(err)
		next.done(err)
	}()
	for first := true; next != nil || len(records) > 0 && (first || w.waiting.Load() == 0); first = false {
		now, next = next, nil
		if now == nil {
			w.working.Store(records[0].Time.UnixMicro())
			if now, records, err = w.resolve(ctx, records); err != nil {
				return records, at, events, err
			}
		}
		w.working.Store(now.oldest.UnixMicro())
		var ahead sync.WaitGroup
		var failed error
		if len(records) > 0 && !now.Tasks && w.waiting.Load() == 0 {
			ahead.Go(func() { next, records, failed = w.resolve(ctx, records) })
		}
		err = w.keep(now)
		ahead.Wait()
		if err = errors.Join(err, failed); err != nil {
			return records, at, events, err
		}
		if next != nil && len(next.Redirects) > 0 {
			if err = w.keep(next); err != nil {
				return records, at, events, err
			}
			now.join(next)
			next = nil
		}
		if err = w.reactTo(now); err != nil {
			return records, at, events, err
		}
		at, events = now.through, events+now.events
		now.done(nil)
	}
	return records, at, events, nil
}

// join adds the batch behind b, which has merged people of b.
func (b *batch) join(next *batch) {
	winner := map[event.RemovedPerson]uint64{}
	for _, r := range next.Redirects {
		winner[event.RemovedPerson{Workspace: r.Workspace, Num: r.Loser}] = r.Winner
	}
	gone := func(ws string, num uint64) bool {
		_, merged := winner[event.RemovedPerson{Workspace: ws, Num: num}]
		return merged
	}
	for i := range b.Kept {
		if num, merged := winner[event.RemovedPerson{Workspace: b.Kept[i].Workspace, Num: b.Kept[i].Person}]; merged {
			b.Kept[i].Person = num
		}
	}
	// A person of both has been told of only if they are what they were in both.
	touched := map[person.Ref]int{}
	told := map[person.Ref]person.Sighting{}
	people := map[person.Ref]person.Person{}
	for _, half := range []*batch{b, next} {
		for _, ref := range half.Touched {
			touched[ref]++
		}
		for _, s := range half.Told {
			touched[s.Ref]--
			told[s.Ref] = s
		}
		for _, p := range half.people {
			people[p.Ref()] = p // as they were last
		}
	}
	b.Touched, b.Told, b.people = nil, nil, nil
	for ref, changes := range touched {
		if gone(ref.Workspace, ref.Num) {
			continue // the winner has changed by that
		}
		b.Touched = append(b.Touched, ref)
		if changes == 0 {
			b.Told = append(b.Told, told[ref])
		}
		if p, read := people[ref]; read {
			b.people = append(b.people, p)
		}
	}
	slices.SortFunc(b.Touched, func(a, b person.Ref) int {
		return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Num, b.Num))
	})
	b.Kept, b.Refused, b.Tasks = append(b.Kept, next.Kept...), append(b.Refused, next.Refused...), next.Tasks
	b.through, b.events, b.resolve, b.keep = next.through, b.events+next.events, b.resolve+next.resolve, b.keep+next.keep
	b.spans = append(b.spans, next.spans...)
}

// resolve applies as many records as make one batch, and returns those that are left. A line that cannot be read was written by another version or damaged;
// it is reported and passed over, since it can never become readable.
func (w *Worker) resolve(ctx context.Context, records []bus.Record) (b *batch, left []bus.Record, err error) {
	if w.c.May != nil {
		if err := w.c.May(); err != nil {
			return nil, records, err
		}
	}
	b = &batch{oldest: records[0].Time}
	var apply []person.LogRecord
	for _, r := range records {
		evs, erased, err := event.DecodeRecord(r.Data, w.c.Vault)
		if erased > 0 {
			w.c.Logger.Debug("events of erased people passed over", "seq", r.Seq, "count", erased)
		}
		if err != nil {
			w.c.Logger.Error("unreadable events passed over", "seq", r.Seq, "err", err)
		}
		if len(apply) > 0 && b.events+len(evs) > maxEvents {
			break
		}
		apply = append(apply, person.LogRecord{Seq: r.Seq, Events: evs})
		b.events, b.through = b.events+len(evs), r.Seq
	}
	began := time.Now()
	var span trace.Span
	b.ctx, span = w.begin(ctx, apply)
	b.spans = []trace.Span{span}
	if err = stage(b.ctx, "resolve and fold", func(ctx context.Context) (err error) {
		b.Applied, err = w.c.People.Apply(ctx, apply)
		return err
	}); err != nil {
		b.done(err)
		return nil, records, fmt.Errorf("resolve and fold: %w", err)
	}
	b.resolve = time.Since(began)
	return b, records[len(apply):], nil
}

// keep stores a batch that was resolved.
func (w *Worker) keep(b *batch) error {
	ctx, began := b.ctx, time.Now()
	if err := stage(ctx, "keep", func(ctx context.Context) (err error) {
		b.people, err = w.store(ctx, b.Applied, b.through)
		return err
	}); err != nil {
		return err
	}
	b.keep = time.Since(began)
	if len(b.Refused) > 0 && w.c.Forget != nil {
		if err := w.c.Forget(ctx, b.Refused); err != nil {
			return fmt.Errorf("forget what was refused: %w", err)
		}
	}
	return nil
}

// reactTo does what follows from a batch that was kept.
func (w *Worker) reactTo(b *batch) error {
	ctx, began := b.ctx, time.Now()
	if b.Tasks {
		if err := w.settle(ctx); err != nil {
			return err
		}
	}
	done, err := w.reacted(ctx)
	if err != nil || b.through <= done {
		return err
	}
	flood := b.events >= floodEvents
	if err := w.react(ctx, Reaction{Events: b.Kept, Touched: b.Touched, Told: b.Told, People: b.people, Flood: flood}); err != nil {
		return err
	}
	if !flood {
		if err := w.rest(ctx); err != nil {
			return err
		}
	}
	if err := w.c.Positions.SetPosition(ctx, ReactConsumer, b.through); err != nil {
		return fmt.Errorf("react position: %w", err)
	}
	if w.c.Passed != nil {
		now := time.Now()
		w.c.Passed(Passed{Events: b.Kept, Oldest: b.oldest, Done: now, Resolve: b.resolve, Keep: b.keep, React: now.Sub(began)})
	}
	return nil
}
