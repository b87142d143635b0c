package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

func props(t *testing.T, e event.Event) map[string]any {
	t.Helper()
	var p map[string]any
	if err := json.Unmarshal(e.Properties, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAQueuedMessageGoesOutOnceAndIsTold(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := setup(t, db)
		f.subscribed(1, 1)
		d := f.enqueue(f.request(1, func(r *outbox.Request) { r.Vars = map[string]any{"total": "12 EUR"} }))[0]
		f.dispatch(outbox.DispatchConfig{})
		m := f.untilState(d.MessageID, outbox.Sent)
		if m.Subject != "Hello Pat 1" || m.Code != "250 2.0.0" || m.Attempts != 1 || !m.SentAt.Equal(start) || m.Claim != "" || m.InFlight {
			t.Errorf("row: %+v", m)
		}
		got := f.wire.got()
		if len(got) != 1 {
			t.Fatalf("%d messages arrived", len(got))
		}
		out := got[0]
		if out.ID != d.MessageID || out.To.Addr != "p1@example.test" || out.To.Name != "Pat 1" || out.From != (channel.Address{Name: "Shop", Addr: "shop@example.test"}) {
			t.Errorf("envelope: %+v", out)
		}
		if !strings.Contains(out.HTML, "12 EUR") || strings.Contains(out.HTML, `"https://shop.example`) {
			t.Errorf("html: %s", out.HTML)
		}
		link, err := f.Links().ReadClick(token(t, out.HTML, outbox.ClickPath))
		if want := (outbox.Link{Workspace: ws, MessageID: d.MessageID, URL: "https://shop.example/cart?a=1&b=2"}); err != nil || link != want {
			t.Errorf("click link: %+v, %v", link, err)
		}
		if link, err := f.Links().ReadOpen(token(t, out.HTML, outbox.OpenPath)); err != nil || link.MessageID != d.MessageID {
			t.Errorf("open link: %+v, %v", link, err)
		}
		if out.Headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" {
			t.Errorf("headers: %v", out.Headers)
		}
		if link, err := f.Links().ReadUnsubscribe(token(t, out.Headers["List-Unsubscribe"], outbox.UnsubscribePath)); err != nil || link.MessageID != d.MessageID {
			t.Errorf("unsubscribe link: %+v, %v", link, err)
		}
		if _, err := f.Links().ReadUnsubscribe(token(t, out.HTML, outbox.OpenPath)); err == nil {
			t.Error("the token of an open mark unsubscribes")
		}
		var sent []event.Event
		for _, e := range f.log.all() {
			if e.Type == event.Message {
				sent = append(sent, e)
			}
		}
		if len(sent) != 1 || sent[0].Name != event.MessageSent || sent[0].MessageID != "msg:"+d.MessageID+":sent" || sent[0].PersonID != pid(1) {
			t.Fatalf("events: %+v", sent)
		}
		want := map[string]any{
			"message_id": d.MessageID, "channel": "email", "topic": f.news.ID, "template": f.template.ID, "subject": "Hello Pat 1",
			"source_kind": "campaign", "source_id": "cmp_1", "node": "", "key": "cmp_1:1",
		}
		if diff := cmp.Diff(want, props(t, sent[0])); diff != "" {
			t.Errorf("properties (-want +got):\n%s", diff)
		}
	})
}

func TestTransactionalMessagesCarryNoListHeaders(t *testing.T) {
	f := setup(t, sqlite(t))
	f.people.add(1)
	d := f.enqueue(f.request(1, func(r *outbox.Request) { r.Transactional, r.Topic = true, "" }))[0]
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(d.MessageID, outbox.Sent)
	if h := f.wire.got()[0].Headers; len(h) != 0 {
		t.Errorf("headers: %v", h)
	}
}

func TestTemporaryErrorsAreTriedAgainWithBackoffAndNothingElse(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 4)
	f.wire.answer = func(m channel.Message, attempt int, commit func() error) channel.Outcome {
		switch m.To.Addr {
		case "p1@example.test": // at RCPT, before commit
			if attempt < 3 {
				return channel.Outcome{Result: channel.Deferred, Code: "451 4.7.1", Detail: "greylisted"}
			}
		case "p2@example.test": // after the final dot
			if attempt < 2 {
				if err := commit(); err != nil {
					return channel.Outcome{Result: channel.Deferred}
				}
				return channel.Outcome{Result: channel.Deferred, Code: "452 4.2.2", Detail: "full", Retry: 2 * time.Hour}
			}
		case "p3@example.test":
			return channel.Outcome{Result: channel.Rejected, Code: "550 5.1.1", Detail: "no such user", Permanent: true}
		case "p4@example.test":
			return channel.Outcome{Result: channel.Rejected, Code: "550 5.7.1", Detail: "looks like spam"}
		}
		if commit() != nil {
			return channel.Outcome{Result: channel.Deferred}
		}
		return channel.Outcome{Result: channel.Sent, Code: "250"}
	}
	ds := f.enqueueRange(1, 4)
	f.dispatch(outbox.DispatchConfig{})
	waiting := func(i, attempts int) outbox.Message {
		f.until(fmt.Sprintf("message %d waits after %d attempts", i, attempts), func() bool {
			m := f.message(ds[i].MessageID)
			return m.State == outbox.Queued && m.Attempts == attempts && m.Claim == ""
		})
		return f.message(ds[i].MessageID)
	}
	m := waiting(0, 1)
	if wait := m.DueAt.Sub(start); wait < 48*time.Second || wait > 72*time.Second || m.Reason != outbox.ReasonDeferred || m.Detail != "greylisted" || m.InFlight {
		t.Errorf("first deferral: %+v", m)
	}
	if m := waiting(1, 1); m.DueAt.Sub(start) < 2*time.Hour {
		t.Errorf("the other side asked for two hours, next attempt in %v", m.DueAt.Sub(start))
	}
	f.clock.Advance(2 * time.Minute)
	m = waiting(0, 2)
	if wait := m.DueAt.Sub(f.clock.Now()); wait < 96*time.Second || wait > 144*time.Second {
		t.Errorf("second wait: %v", wait)
	}
	f.clock.Advance(3 * time.Hour)
	if m := f.untilState(ds[0].MessageID, outbox.Sent); m.Attempts != 3 || m.Reason != "" || m.Uncertain != 0 {
		t.Errorf("sent in the end: %+v", m)
	}
	f.untilState(ds[1].MessageID, outbox.Sent)

	hard := f.untilState(ds[2].MessageID, outbox.Bounced)
	f.untilState(ds[3].MessageID, outbox.Bounced)
	if c := hard.Course(); c[len(c)-1].Outcome != outbox.StepFailed || c[len(c)-1].Reason != outbox.ReasonRejected {
		t.Errorf("the course of a bounce: %+v", c)
	}
	if hard.Code != "550 5.1.1" || hard.Detail != "no such user" || hard.BouncedAt.IsZero() || !hard.SentAt.IsZero() {
		t.Errorf("hard bounce: %+v", hard)
	}
	for addr, want := range map[string]bool{"p3@example.test": true, "p4@example.test": false} {
		if _, got, err := f.consent.IsSuppressed(t.Context(), ws, "email", addr); err != nil || got != want {
			t.Errorf("%s suppressed: %v, %v; want %v", addr, got, err, want)
		}
	}
	for _, e := range f.log.all() {
		if e.Name == event.MessageBounced && props(t, e)["permanent"] != (e.PersonID == pid(3)) {
			t.Errorf("bounce event of %s: %s", e.PersonID, e.Properties)
		}
	}
	if d := f.enqueue(f.request(3, func(r *outbox.Request) { r.Key = "next" }))[0]; d.Reason != outbox.ReasonSuppressed {
		t.Errorf("the next message to a dead address: %+v", d)
	}
	if n := f.wire.sends["p4@example.test"]; n != 1 {
		t.Errorf("a rejected message was tried %d times", n)
	}
	c := f.counts()
	if c.Sent != 2 || c.Delivered != 2 || c.Bounced != 2 || c.Uncertain != 0 {
		t.Errorf("counts: %+v", c)
	}
}

func TestAMessageThatCannotBeDeliveredForDaysFails(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	f.wire.answer = func(channel.Message, int, func() error) channel.Outcome {
		return channel.Outcome{Result: channel.Deferred, Code: "421", Detail: "try later"}
	}
	d := f.enqueue(f.request(1))[0]
	f.dispatch(outbox.DispatchConfig{})
	f.until("deferred", func() bool { m := f.message(d.MessageID); return m.Attempts == 1 && m.State == outbox.Queued })
	f.clock.Advance(73 * time.Hour)
	m := f.untilState(d.MessageID, outbox.Failed)
	if m.Reason != outbox.ReasonExpired || !strings.Contains(m.Detail, "try later") {
		t.Errorf("row: %+v", m)
	}
	if n := f.wire.sends["p1@example.test"]; n != 1 {
		t.Errorf("tried %d times: what has expired while it waited is not tried once more", n)
	}
	if names := f.log.names(); names[len(names)-1] != event.MessageFailed {
		t.Errorf("events: %v", names)
	}
	if c := f.counts(); c.Failed != 1 || c.FailedBy[outbox.ReasonExpired] != 1 {
		t.Errorf("counts: %+v", c)
	}
}

func TestALostAnswerIsCountedAndSentOnceMore(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	f.wire.answer = func(m channel.Message, attempt int, commit func() error) channel.Outcome {
		if commit() != nil {
			return channel.Outcome{Result: channel.Deferred}
		}
		f.wire.deliver(m)
		if attempt == 1 || m.To.Addr == "p2@example.test" {
			return channel.Outcome{Result: channel.Unknown, Detail: "connection reset"}
		}
		return channel.Outcome{Result: channel.Sent, Code: "250"}
	}
	ds := f.enqueueRange(1, 2)
	f.dispatch(outbox.DispatchConfig{})
	for i := range ds {
		f.until("waits", func() bool { m := f.message(ds[i].MessageID); return m.State == outbox.Queued && m.Uncertain == 1 })
	}
	f.clock.Advance(2 * time.Minute)
	if m := f.untilState(ds[0].MessageID, outbox.Sent); m.Uncertain != 1 || m.Attempts != 2 {
		t.Errorf("lost once: %+v", m)
	}
	if m := f.untilState(ds[1].MessageID, outbox.Failed); m.Uncertain != 2 || m.Reason != outbox.ReasonAnswerLost {
		t.Errorf("lost always: %+v", m)
	}
	got := f.wire.got()
	if len(got) != 4 || got[0].ID != ds[0].MessageID && got[0].ID != ds[1].MessageID {
		t.Errorf("%d copies arrived, want 2 of each message", len(got))
	}
	if c := f.counts(); c.Uncertain != 2 || c.LostAnswers != 3 {
		t.Errorf("counts: %+v", c)
	}
}

func TestWhatChangesBeforeTheLastMomentCounts(t *testing.T) {
	for name, change := range map[string]struct {
		do   func(f *fixture) error
		want outbox.State
	}{
		"unsubscribed": {func(f *fixture) error {
			return f.consent.Unsubscribe(f.t.Context(), ws, consent.Change{PersonID: pid(1), Topic: consent.AllTopics, Channel: "email", Source: "test"})
		}, outbox.Refused},
		"suppressed": {func(f *fixture) error {
			_, err := f.consent.Suppress(f.t.Context(), ws, consent.Suppress{Channel: "email", Address: "p1@example.test", Reason: consent.Manual})
			return err
		}, outbox.Refused},
		"cancelled": {func(f *fixture) error { _, err := f.CancelSource(f.t.Context(), ws, cmp1); return err }, outbox.Cancelled},
		"stopped":   {func(f *fixture) error { return f.StopSending(f.t.Context(), ws) }, outbox.Queued},
		"topic archived": {func(f *fixture) error {
			f.news.Archived = true
			_, err := f.consent.UpdateTopic(f.t.Context(), ws, f.news)
			return err
		}, outbox.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sqlite(t))
			f.subscribed(1, 1)
			// The change happens while the worker is about to hand the message over: claimed, admitted, rendered, connected.
			var once sync.Once
			f.wire.answer = func(m channel.Message, _ int, commit func() error) channel.Outcome {
				once.Do(func() {
					if err := change.do(f); err != nil {
						t.Error(err)
					}
				})
				if err := commit(); err != nil {
					return channel.Outcome{Result: channel.Deferred}
				}
				f.wire.deliver(m)
				return channel.Outcome{Result: channel.Sent}
			}
			d := f.enqueue(f.request(1))[0]
			disp := f.dispatch(outbox.DispatchConfig{})
			f.untilState(d.MessageID, change.want)
			if err := disp.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := f.wire.got(); len(got) != 0 {
				t.Errorf("the message went out all the same")
			}
			if m := f.message(d.MessageID); m.State != change.want || m.InFlight {
				t.Errorf("row: %+v", m)
			}
		})
	}
}

func TestAStoppedWorkspaceGoesOnWhenResumed(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	if err := f.StopSending(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	d := f.enqueue(f.request(1))[0]
	disp := f.dispatch(outbox.DispatchConfig{Poll: time.Hour})
	disp.Wake()
	if since, err := f.SendingStopped(t.Context(), ws); err != nil || !since.Equal(start) {
		t.Errorf("stopped since %v, %v", since, err)
	}
	if err := f.ResumeSending(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	disp.Wake()
	f.untilState(d.MessageID, outbox.Sent)
}

func TestMessagesWaitForTheirTime(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	ds := f.enqueue(f.request(1, func(r *outbox.Request) { r.NotBefore = start.Add(time.Hour) }), f.request(2))
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(ds[1].MessageID, outbox.Sent)
	if m := f.message(ds[0].MessageID); m.State != outbox.Queued {
		t.Errorf("early: %+v", m)
	}
	f.clock.Advance(time.Hour)
	f.untilState(ds[0].MessageID, outbox.Sent)
}

func TestTransactionalMessagesOvertakeACampaign(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 300)
	a := f.account
	a.Connections = 1
	if _, err := f.UpdateAccount(t.Context(), ws, a); err != nil {
		t.Fatal(err)
	}
	f.enqueueRange(1, 300)
	gate := make(chan struct{})
	first := make(chan struct{})
	var once sync.Once
	f.wire.answer = func(m channel.Message, _ int, commit func() error) channel.Outcome {
		once.Do(func() { close(first) })
		<-gate
		if commit() != nil {
			return channel.Outcome{Result: channel.Deferred}
		}
		f.wire.deliver(m)
		return channel.Outcome{Result: channel.Sent}
	}
	f.dispatch(outbox.DispatchConfig{})
	<-first // the single connection is busy with the campaign, and hundreds more are claimed
	d := f.enqueue(f.request(1, func(r *outbox.Request) { r.Transactional, r.Key = true, "receipt" }))[0]
	f.until("the receipt is claimed", func() bool { return f.message(d.MessageID).State == outbox.Claimed })
	close(gate)
	f.untilState(d.MessageID, outbox.Sent)
	// Between its claim and its place in the queue it passes the gate, and the campaign goes on meanwhile; without a lane of its own it
	// would be the last of all.
	for i, m := range f.wire.got() {
		if m.ID == d.MessageID && i > 150 {
			t.Errorf("the receipt came after %d messages of the campaign", i)
		}
	}
}

func TestTheAccountsRateIsKept(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 30)
	a := f.account
	a.RatePerSecond = 50
	if _, err := f.UpdateAccount(t.Context(), ws, a); err != nil {
		t.Fatal(err)
	}
	f.enqueueRange(1, 30)
	began := time.Now()
	f.dispatch(outbox.DispatchConfig{})
	f.until("all sent", func() bool { return len(f.wire.got()) == 30 })
	// The burst is a tenth of a second's worth: 5 at once and 25 at 50 a second.
	if took := time.Since(began); took < 450*time.Millisecond {
		t.Errorf("30 messages at 50 a second took %v", took)
	}
}

func TestARenderErrorFailsThatMessageAlone(t *testing.T) {
	f := setup(t, sqlite(t), func(c *outbox.Config) {
		c.Content = faulty{c.Content, map[string]error{
			pid(1): errs.Invalid("content.render.too_long", "html", "line 3: the loop never ends"),
			pid(2): errors.New("database is away"),
		}}
	})
	f.subscribed(1, 3)
	ds := f.enqueueRange(1, 3)
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(ds[2].MessageID, outbox.Sent)
	if m := f.untilState(ds[0].MessageID, outbox.Failed); m.Reason != outbox.ReasonRender || !strings.Contains(m.Detail, "never ends") {
		t.Errorf("row: %+v", m)
	}
	f.until("the other is tried later", func() bool { m := f.message(ds[1].MessageID); return m.State == outbox.Queued && m.DueAt.After(start) })
}

// faulty renders all but one person's messages.
// nameless is content whose subject depends on somebody's name that is not known.
type nameless struct {
	outbox.Content
	person string
}

func (c nameless) Render(ctx context.Context, ws, id string, version int, vars map[string]any, o content.RenderOptions) (content.Rendered, error) {
	r, err := c.Content.Render(ctx, ws, id, version, vars, o)
	if vars["person"].(map[string]any)["id"] == c.person {
		r.Subject = ""
	}
	return r, err
}

func TestAMailWhoseSubjectComesOutEmptyIsNotSent(t *testing.T) {
	f := setup(t, sqlite(t), func(c *outbox.Config) { c.Content = nameless{c.Content, pid(1)} })
	f.subscribed(1, 2)
	ds := f.enqueueRange(1, 2)
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(ds[1].MessageID, outbox.Sent)
	if m := f.untilState(ds[0].MessageID, outbox.Failed); m.Reason != outbox.ReasonRender || !strings.Contains(m.Detail, "subject is empty") {
		t.Errorf("row: %+v", m)
	}
}

type faulty struct {
	outbox.Content
	err map[string]error // by person id
}

func (c faulty) Render(ctx context.Context, ws, id string, version int, vars map[string]any, o content.RenderOptions) (content.Rendered, error) {
	if err := c.err[vars["person"].(map[string]any)["id"].(string)]; err != nil {
		return content.Rendered{}, err
	}
	return c.Content.Render(ctx, ws, id, version, vars, o)
}

func TestAnAdapterThatPanicsOrLiesHurtsNothingElse(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 4)
	f.wire.answer = func(m channel.Message, attempt int, commit func() error) channel.Outcome {
		switch {
		case m.To.Addr == "p1@example.test" && attempt == 1:
			panic("before commit")
		case m.To.Addr == "p2@example.test" && attempt == 1:
			_ = commit()
			panic("after commit")
		case m.To.Addr == "p3@example.test" && attempt == 1:
			_ = commit()
			if commit() == nil {
				t.Error("commit was allowed twice")
			}
			return channel.Outcome{Result: "nonsense", Code: "x"}
		}
		if commit() != nil {
			return channel.Outcome{Result: channel.Deferred}
		}
		return channel.Outcome{Result: channel.Sent}
	}
	ds := f.enqueueRange(1, 4)
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(ds[3].MessageID, outbox.Sent)
	for i, want := range []int{0, 1, 0} {
		f.until("waits", func() bool {
			m := f.message(ds[i].MessageID)
			return m.State == outbox.Queued && m.Attempts == 1 && m.Uncertain == want && !m.InFlight
		})
	}
	f.clock.Advance(10 * time.Minute)
	for i := range 3 {
		f.untilState(ds[i].MessageID, outbox.Sent)
	}
}

func TestAnAccountThatDoesNotAnswerIsLeftInPeace(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 400)
	var tries atomic.Int64
	f.wire.answer = func(channel.Message, int, func() error) channel.Outcome {
		tries.Add(1)
		return channel.Outcome{Result: channel.Deferred, Detail: "connection refused"}
	}
	f.enqueueRange(1, 400)
	d := f.dispatch(outbox.DispatchConfig{})
	f.until("the account rests", func() bool { return tries.Load() >= 3 })
	f.until("results are stored", func() bool { return f.counts().Queued == 400 })
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Each of the ten workers may have had one in hand when the account began to rest.
	if n := tries.Load(); n > 13 {
		t.Errorf("%d attempts at a server that does not answer", n)
	}
}

func TestStopFinishesWhatIsInHandAndReturnsTheRest(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 200)
	f.enqueueRange(1, 200)
	gate := make(chan struct{})
	var inHand atomic.Int64
	f.wire.answer = func(m channel.Message, _ int, commit func() error) channel.Outcome {
		if commit() != nil {
			return channel.Outcome{Result: channel.Deferred}
		}
		inHand.Add(1)
		<-gate
		f.wire.deliver(m)
		return channel.Outcome{Result: channel.Sent}
	}
	d := outbox.NewDispatcher(f.Service, outbox.DispatchConfig{Poll: time.Millisecond})
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.until("ten are in hand", func() bool { return inHand.Load() == 10 })
	stopped := make(chan error)
	go func() { stopped <- d.Stop(context.Background()) }()
	f.until("the rest is back", func() bool { return claimedNotFlying(t, f) == 0 })
	close(gate)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	c := f.counts()
	if c.Sent != 10 || c.Queued != 190 || c.Uncertain != 0 || len(f.wire.got()) != 10 {
		t.Errorf("counts: %+v", c)
	}
	if err := d.Stop(t.Context()); err != nil {
		t.Errorf("second stop: %v", err)
	}
	// The same dispatcher can start again.
	f.wire.mu.Lock()
	f.wire.answer = nil
	f.wire.mu.Unlock()
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.until("all sent", func() bool { return f.counts().Sent == 200 })
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.wire.closed != len(f.wire.opened) {
		t.Errorf("%d senders opened, %d closed", len(f.wire.opened), f.wire.closed)
	}
}

func claimedNotFlying(t *testing.T, f *fixture) int {
	t.Helper()
	n, err := sqldb.One(t.Context(), f.db, sqldb.Value[int], `SELECT count(*) FROM message WHERE state = 'claimed' AND in_flight = FALSE`)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAStopThatMayNotWaitCountsWhatItCutsOff(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	id := f.enqueue(f.request(1))[0].MessageID
	inHand := make(chan struct{})
	hang := make(chan struct{})
	f.wire.answer = func(_ channel.Message, attempt int, commit func() error) channel.Outcome {
		if commit() != nil {
			return channel.Outcome{Result: channel.Deferred}
		}
		if attempt == 1 {
			close(inHand)
			<-hang
			return channel.Outcome{Result: channel.Unknown, Detail: "cut off"}
		}
		return channel.Outcome{Result: channel.Sent}
	}
	d := outbox.NewDispatcher(f.Service, outbox.DispatchConfig{Poll: time.Millisecond})
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-inHand
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- d.Stop(ctx) }()
	cancel()
	close(hang)
	if err := <-stopped; !errors.Is(err, context.Canceled) {
		t.Fatalf("stop: %v", err)
	}
	f.dispatch(outbox.DispatchConfig{Sole: true})
	f.clock.Advance(5 * time.Minute)
	if m := f.untilState(id, outbox.Sent); m.Uncertain != 1 {
		t.Errorf("row: %+v", m)
	}
}

func TestAChangedAccountIsUsedAtOnce(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	ds := f.enqueue(f.request(1))
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(ds[0].MessageID, outbox.Sent)
	a := f.account
	a.FromName, a.Config = "New Shop", json.RawMessage(`{"host":"mx2.example.test"}`)
	if _, err := f.UpdateAccount(t.Context(), ws, a); err != nil {
		t.Fatal(err)
	}
	f.enqueue(f.request(2))
	f.until("the second arrived", func() bool { return len(f.wire.got()) == 2 })
	if from := f.wire.got()[1].From.Name; from != "New Shop" {
		t.Errorf("sent from %q", from)
	}
	f.until("the old sender is closed", func() bool { f.wire.mu.Lock(); defer f.wire.mu.Unlock(); return f.wire.closed == 1 })
	want := []config{{"mx.example.test", "s3cret"}, {"mx2.example.test", "s3cret"}}
	if diff := cmp.Diff(want, f.wire.opened); diff != "" {
		t.Errorf("configurations (-want +got):\n%s", diff)
	}
}

// flaky fails transactions while it is told to.
type flaky struct {
	tx.Runner
	broken *atomic.Bool
}

func (f flaky) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if f.broken.Load() {
		return errors.New("disk full")
	}
	return f.Runner.InTx(ctx, fn)
}

func TestNothingGoesOutWhileTheStoreCannotWrite(t *testing.T) {
	var broken atomic.Bool
	f := setup(t, sqlite(t), func(c *outbox.Config) { c.Tx = flaky{c.Tx, &broken} })
	f.subscribed(1, 20)
	f.enqueueRange(1, 20)
	var handed atomic.Int64
	f.wire.answer = func(m channel.Message, _ int, commit func() error) channel.Outcome {
		if handed.Add(1) == 5 {
			broken.Store(true)
		}
		if commit() != nil {
			return channel.Outcome{Result: channel.Deferred}
		}
		f.wire.deliver(m)
		return channel.Outcome{Result: channel.Sent}
	}
	f.dispatch(outbox.DispatchConfig{})
	f.until("all were tried", func() bool { return handed.Load() >= 20 })
	broken.Store(false)
	f.until("results are stored", func() bool { return claimedOrFlying(t, f) == 0 })
	for f.counts().Sent < 20 {
		f.clock.Advance(2 * time.Minute)
		f.until("another round", func() bool { return claimedOrFlying(t, f) == 0 })
	}
	seen := map[string]int{}
	for _, m := range f.wire.got() {
		if seen[m.ID]++; seen[m.ID] > 1 {
			t.Errorf("%s went out twice", m.ID)
		}
	}
	if len(seen) != 20 {
		t.Errorf("%d of 20 arrived", len(seen))
	}
	if c := f.counts(); c.Uncertain != 0 {
		t.Errorf("counts: %+v", c)
	}
}

func claimedOrFlying(t *testing.T, f *fixture) int {
	t.Helper()
	n, err := sqldb.One(t.Context(), f.db, sqldb.Value[int], `SELECT count(*) FROM message WHERE state = 'claimed'`)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSeveralProcessesShareAQueue(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := setup(t, db)
		f.subscribed(1, 600)
		f.enqueueRange(1, 600)
		for range 3 {
			f.dispatch(outbox.DispatchConfig{Batch: 20})
		}
		f.until("all sent", func() bool { return f.waiting() == 0 })
		seen := map[string]bool{}
		for _, m := range f.wire.got() {
			if seen[m.ID] {
				t.Errorf("%s went out twice", m.ID)
			}
			seen[m.ID] = true
		}
		if c := f.counts(); len(seen) != 600 || c.Uncertain != 0 || c.Failed != 0 {
			t.Errorf("%d arrived, counts: %+v", len(seen), c)
		}
	})
}

func TestWhoeverHurriesDoesNotWaitForTheNextPoll(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	f.dispatch(outbox.DispatchConfig{Poll: 24 * time.Hour})
	d := f.enqueue(f.request(1, func(r *outbox.Request) { r.Transactional = true }))
	f.Hurry()
	f.untilState(d[0].MessageID, outbox.Sent)
}
