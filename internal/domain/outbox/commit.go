package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// errTakenBack says that a message is not the worker's any more: it was cancelled, stopped, recalled or inherited.
var errTakenBack = errors.New("the message was taken back")

// errNight says that quiet hours began between the first word to the other side and the last.
var errNight = errors.New("quiet hours have begun")

// intent is a worker's wish to go past the point of no return.
type intent struct {
	held  Held
	reply chan error // buffered
}

// outcome is a result with what must be written beside it.
type outcome struct {
	Result
	message  Message
	suppress bool
	class    channel.Class // of a bounce
}

// committer gathers the writes of all workers: results of messages that are done and intents of messages about to be handed over go
// into one transaction, results first. Its queue is the only order between them: a worker that puts its result in before its
// next intent has the result on disk when the intent is answered.
type committer struct {
	s    *Service
	log  *slog.Logger
	work chan any // intent or outcome
	done chan struct{}
}

const (
	commitMax     = 1000
	commitYields  = 4
	commitRetry   = 100 * time.Millisecond
	commitRetryTo = 5 * time.Second
)

func newCommitter(s *Service, log *slog.Logger) *committer {
	return &committer{s: s, log: log, work: make(chan any, commitMax), done: make(chan struct{})}
}

// begin returns once it is durable that the message may be out from now on. On an error it must not be sent.
func (c *committer) begin(ctx context.Context, held Held) error {
	in := intent{held, make(chan error, 1)}
	select {
	case c.work <- in:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-in.reply:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// finish takes a result; it is durable before any later begin returns. Nothing that was finished is lost while the process lives.
func (c *committer) finish(o outcome) { c.work <- o }

// close waits for what was put in; nothing may be put in afterwards.
func (c *committer) close() {
	close(c.work)
	<-c.done
}

// run commits until close. A transaction that fails answers its intents with the error (they are not sent) and keeps its results for
// the next one. Once ctx has ended, a failure is final.
func (c *committer) run(ctx context.Context) {
	defer close(c.done)
	var results []outcome
	var intents []intent
	wait := commitRetry
	for open := true; open || len(results) > 0; {
		if len(results) == 0 && open {
			w, ok := <-c.work
			if !ok {
				return
			}
			results, intents = sortWork(w, results, intents)
		}
		results, intents, open = c.gather(results, intents)
		err := c.commit(context.WithoutCancel(ctx), results, intents)
		intents = intents[:0]
		if err == nil {
			results, wait = results[:0], commitRetry
			continue
		}
		if ctx.Err() != nil {
			c.log.Error("results of sending could not be stored before the end; they count as unknown", "messages", len(results), "err", err)
			c.drain()
			return
		}
		c.log.Error("results of sending could not be stored, trying again", "messages", len(results), "err", err)
		if len(results) > 0 {
			_ = lifecycle.Sleep(ctx, wait) // once ctx has ended there is one more try, at once
			wait = min(2*wait, commitRetryTo)
		}
	}
}

// gather takes what is waiting, and lets workers run that only wait for the processor: they are about to come here too. Without that they
// fall into two groups that take turns, and every commit carries half as many messages as it could. Workers that wait for the other
// side are not waited for.
func (c *committer) gather(results []outcome, intents []intent) (_ []outcome, _ []intent, open bool) {
	for idle := 0; idle < commitYields && len(results)+len(intents) < commitMax; {
		select {
		case w, ok := <-c.work:
			if !ok {
				return results, intents, false
			}
			results, intents = sortWork(w, results, intents)
			idle = 0
		default:
			idle++
			runtime.Gosched()
		}
	}
	return results, intents, true
}

// drain answers what is left, so that nobody waits for a committer that has given up.
func (c *committer) drain() {
	for w := range c.work {
		if in, ok := w.(intent); ok {
			in.reply <- context.Canceled
		}
	}
}

func sortWork(w any, results []outcome, intents []intent) ([]outcome, []intent) {
	switch w := w.(type) {
	case outcome:
		results = append(results, w)
	case intent:
		intents = append(intents, w)
	}
	return results, intents
}

func (c *committer) commit(ctx context.Context, results []outcome, intents []intent) error {
	var begun, lost map[string]bool
	err := c.s.tx.InTx(ctx, func(ctx context.Context) error {
		begun, lost = nil, nil
		var err error
		if lost, err = c.writeResults(ctx, results); err != nil {
			return err
		}
		if len(intents) == 0 {
			return nil
		}
		held := make([]Held, len(intents))
		for i, in := range intents {
			held[i] = in.held
		}
		begun, err = c.s.store.Begin(ctx, held)
		return err
	})
	for _, in := range intents {
		switch {
		case err != nil:
			in.reply <- fmt.Errorf("store the intent to send: %w", err)
		case !begun[in.held.MessageID]:
			in.reply <- errTakenBack
		default:
			in.reply <- nil
		}
	}
	if err == nil && len(lost) > 0 {
		c.log.Warn("another process took messages over whose answers came too late", "messages", len(lost))
	}
	return err
}

func (c *committer) writeResults(ctx context.Context, results []outcome) (lost map[string]bool, err error) {
	if len(results) == 0 {
		return nil, nil
	}
	rows := make([]Result, len(results))
	for i, o := range results {
		rows[i] = o.Result
	}
	if lost, err = c.s.store.Finish(ctx, rows); err != nil {
		return nil, err
	}
	var events []event.Event
	suppress := map[string][]consent.Suppress{}
	for _, o := range results {
		if lost[o.MessageID] {
			continue
		}
		if e, ok := o.event(); ok {
			events = append(events, e)
		}
		if o.suppress {
			suppress[o.message.Workspace] = append(suppress[o.message.Workspace], consent.Suppress{
				Channel: o.message.Channel, Address: o.Address, Reason: consent.HardBounce, Detail: o.Detail, PersonID: o.message.PersonID,
			})
		}
	}
	for ws, list := range suppress {
		if _, err := c.s.consent.Suppress(ctx, ws, list...); err != nil {
			return nil, fmt.Errorf("suppress: %w", err)
		}
	}
	return lost, c.s.emit(ctx, events)
}

// event is what the log is told of a result; a deferral is nobody's business.
func (o outcome) event() (event.Event, bool) {
	switch o.State {
	case Sent:
		props := map[string]any{"subject": o.Subject}
		if o.message.Key != "" {
			props["key"] = o.message.Key
		}
		if o.message.Transactional {
			props["transactional"] = true
		}
		return told(o.message, event.MessageSent, "sent", o.At, o.At, props), true
	case Bounced:
		return told(o.message, event.MessageBounced, "bounced", o.At, o.At, map[string]any{"class": o.class, "permanent": o.suppress, "reason": o.Reason, "detail": o.Detail, "code": o.Code}), true
	case Failed:
		return told(o.message, event.MessageFailed, "failed", o.At, o.At, map[string]any{"reason": o.Reason, "detail": o.Detail, "data": o.Data}), true
	case Refused:
		return told(o.message, event.MessageRefused, "refused", o.At, o.At, map[string]any{"reason": o.Reason, "data": o.Data}), true
	}
	return event.Event{}, false
}
