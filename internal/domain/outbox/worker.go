package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

// pool returns the pool of the route's account, nil if there is none. An account that has changed gets a new pool; the old
// one gives back what it has not begun.
func (d *Dispatcher) pool(ctx, sends context.Context, r Route) (*pool, error) {
	sealed, ok, err := d.s.accounts.DefaultAccount(ctx, r.Workspace, r.Channel)
	if err != nil {
		return nil, err
	}
	key := r.Workspace + " " + r.Channel
	if ok {
		alert, err := d.s.returns.AccountAlert(ctx, r.Workspace, sealed.ID)
		if err != nil {
			return nil, err
		}
		ok = alert == nil || !alert.Paused // what waits for a paused account goes on waiting
	}
	old := d.pools[key]
	if old != nil && ok && old.account.ID == sealed.ID && old.account.UpdatedAt.Equal(sealed.UpdatedAt) {
		return old, nil
	}
	if old != nil {
		d.retire(ctx, key, old)
	}
	if !ok {
		return nil, nil
	}
	sender, err := d.s.makeSender(sealed)
	if err != nil {
		return nil, err
	}
	a := sealed.Account
	in, err := d.s.returns.Inbound(ctx, r.Workspace, a.ID)
	if err != nil {
		return nil, err
	}
	a.Inbound = in.Inbound
	bounces, err := d.s.BouncePolicy(ctx, r.Workspace)
	if err != nil {
		return nil, err
	}
	a.Trap = bounces.Honeypot
	if a.Connections <= 0 {
		a.Connections = defaultConnections
	}
	// A claim holds up whoever else writes, those who send among them, so few connections claim little at a time.
	p := newPool(sends, a, sender, min(d.c.Batch, claimPerConnection*a.Connections), d.Wake)
	d.pools[key] = p
	for range a.Connections {
		p.busy.Add(1)
		d.workers.Go(func() {
			defer p.busy.Done()
			d.work(sends, p)
		})
	}
	return p, nil
}

// claimPerConnection is how many messages are claimed ahead for each connection: a second's worth at 5 ms a round trip would be 200, a tenth of one suffices.
const claimPerConnection = 25

// retire ends a pool without waiting for the messages in hand.
func (d *Dispatcher) retire(ctx context.Context, key string, p *pool) {
	delete(d.pools, key)
	d.release(context.WithoutCancel(ctx), p.close())
	d.workers.Go(func() {
		p.busy.Wait()
		if err := p.sender.Close(); err != nil {
			d.log.Warn("an account did not close cleanly", "account", p.account.ID, "err", err)
		}
	})
}

// parcel is a job that is ready to go out.
type parcel struct {
	*job
	out channel.Message
}

// work sends the pool's messages, one after the other, until it is closed. What was announced is sent even then.
func (d *Dispatcher) work(ctx context.Context, p *pool) {
	line := channel.LineOf(p.sender)
	defer func() {
		if err := line.Close(); err != nil {
			d.log.Warn("a connection did not close cleanly", "account", p.account.ID, "err", err)
		}
	}()
	var ahead *parcel
	for {
		now := ahead
		if ahead = nil; now == nil {
			j := p.next()
			if j == nil {
				return
			}
			if now = d.pack(ctx, p, j); now == nil {
				continue
			}
		}
		ahead = d.deliver(ctx, p, line, now)
	}
}

// pack renders a message, nil if it does not go after all.
func (d *Dispatcher) pack(ctx context.Context, p *pool, j *job) *parcel {
	now := d.s.clock.Now()
	o, waits := j.night(now)
	if !waits {
		o, waits = j.resting(&p.rests, now)
	}
	if waits {
		p.done(j)
		d.commits.finish(o)
		return nil
	}
	render, span := trace.Continue(ctx, "render", j.message.Trace, trace.Internal)
	out, err := d.s.compose(render, j.message, j.person, j.topic, p.account, j.zone, "", now)
	span.Done(err)
	if err != nil {
		p.done(j)
		d.commits.finish(d.unmade(j.message, err))
		return nil
	}
	return &parcel{j, out}
}

// deliver sends a message and returns the one that was announced with its end, which must be sent next.
func (d *Dispatcher) deliver(ctx context.Context, p *pool, line channel.Line, now *parcel) (ahead *parcel) {
	m := now.message
	defer p.done(now.job)
	attempt, cancel := context.WithTimeout(ctx, d.c.Timeout)
	defer cancel()
	attempt, span := trace.Continue(attempt, "send", m.Trace, trace.Client)
	if span.Traced() {
		span.Text("kizuna.workspace", m.Workspace)
		span.Text("kizuna.channel", m.Channel)
		span.Count("kizuna.attempt", m.Attempts+1)
		m.Trace = trace.Of(attempt, m.PersonID)
	}
	defer span.End()
	begun := false
	var refused error
	next := func() (channel.Message, bool) {
		if ahead != nil {
			return channel.Message{}, false
		}
		j := p.tryNext()
		if j == nil {
			return channel.Message{}, false
		}
		if ahead = d.pack(ctx, p, j); ahead == nil {
			return channel.Message{}, false
		}
		return ahead.out, true
	}
	var late outcome
	answer := d.send(attempt, line, now.out, next, func() error {
		if begun || refused != nil {
			return errors.Join(refused, errors.New("commit was called twice"))
		}
		var night bool
		if late, night = now.night(d.s.clock.Now()); night { // the last moment at which it can be held back
			refused = errNight
		} else if refused = d.begin(attempt, m); refused == nil {
			begun = true
		}
		return refused
	})
	switch {
	case errors.Is(refused, errTakenBack):
		return ahead // whoever took it back has written what becomes of it
	case errors.Is(refused, errNight):
		p.answered()
		d.commits.finish(late)
		return ahead
	}
	if refused != nil { // the record store had trouble: nothing went out
		answer = channel.Outcome{Result: channel.Deferred, Detail: "not handed over: " + refused.Error(), Code: "-"}
	}
	switch {
	case answer.Result == channel.Deferred && answer.Code == "":
		p.failed() // no answer at all: the server is away, not the mailbox
	case answer.Result == channel.Deferred && answer.Code != "-":
		p.answered()
		p.rests.deferred(domainOf(m.Address), d.s.clock.Now())
	default:
		p.answered()
		p.rests.answered(domainOf(m.Address))
	}
	span.Text("kizuna.result", string(answer.Result))
	if answer.Result != channel.Sent {
		span.Fail(string(answer.Result))
	}
	d.commits.finish(d.judge(m, now.out, answer, d.s.clock.Now()))
	return ahead
}

// begin makes the intent to send a message durable.
func (d *Dispatcher) begin(ctx context.Context, m Message) error {
	ctx, span := trace.Start(ctx, "intent")
	err := d.commits.begin(ctx, m.held())
	span.Done(err)
	return err
}

// send guards against an adapter that panics; after commit the message may be out.
func (d *Dispatcher) send(ctx context.Context, l channel.Line, m channel.Message, next func() (channel.Message, bool), commit func() error) (answer channel.Outcome) {
	committed := false
	defer func() {
		if r := recover(); r != nil {
			d.log.Error("a channel adapter panicked", "message", m.ID, "panic", fmt.Sprint(r))
			answer = channel.Outcome{Result: channel.Deferred, Code: "-", Detail: "the channel adapter failed"}
			if committed {
				answer.Result = channel.Unknown
			}
		}
	}()
	return l.Send(ctx, m, next, func() error {
		err := commit()
		committed = err == nil
		return err
	})
}

// unmade is the result of a message that could not be composed.
func (d *Dispatcher) unmade(m Message, err error) outcome {
	now := d.s.clock.Now()
	r := Result{Held: m.held(), At: now, Reason: ReasonRender, Detail: err.Error(), Address: m.Address}
	if errs.Is(err, errs.KindInvalid) || errs.Is(err, errs.KindNotFound) {
		r.State = Failed
	} else { // trouble with the store or the end of the process: not the message's fault
		r.State, r.Due = Queued, now.Add(backoff(m.Attempts+1, 0))
	}
	return outcome{message: m, Result: r}
}

// judge turns the other side's answer into what becomes of the message.
func (d *Dispatcher) judge(m Message, out channel.Message, answer channel.Outcome, now time.Time) outcome {
	o := outcome{message: m, Result: Result{
		Held: m.held(), At: now, Code: answer.Code, Detail: answer.Detail, Address: m.Address, Subject: out.Subject,
	}}
	switch answer.Result {
	case channel.Sent:
		o.State, o.Detail = Sent, ""
	case channel.Rejected:
		o.State, o.Reason, o.suppress = Bounced, ReasonRejected, answer.Permanent
		if o.class = channel.Hard; !answer.Permanent {
			if o.class = channel.Classify(answer.Code, answer.Detail); o.class == channel.Hard {
				o.class = channel.Other // the adapter saw where in the dialogue it was said, and does not call it the address's fault
			}
		}
	case channel.Unknown:
		o.Lost = true
		if m.Uncertain >= d.c.Resend {
			o.State, o.Reason = Failed, ReasonAnswerLost
			break
		}
		o.State, o.Reason, o.Due = Queued, ReasonAnswerLost, now.Add(backoff(m.Attempts+1, answer.Retry))
	default: // Deferred, and whatever an adapter should not say
		if age := now.Sub(m.NotBefore); age > maxAge {
			m.Detail, m.Code = answer.Detail, answer.Code
			return d.expired(m, now)
		}
		o.State, o.Reason, o.Due = Queued, ReasonDeferred, now.Add(backoff(m.Attempts+1, answer.Retry))
	}
	return o
}
