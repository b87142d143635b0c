package outbox_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// paced gives the account a pace.
func (f *fixture) paced(p outbox.Pace) {
	f.t.Helper()
	a := f.account
	a.Pace = p
	var err error
	if f.account, err = f.UpdateAccount(f.t.Context(), ws, a); err != nil {
		f.t.Fatal(err)
	}
}

// settled sends all that may go now with one dispatcher after the other, as if the process were started anew each time.
func (f *fixture) settled(restarts int) {
	f.t.Helper()
	for range restarts {
		d := outbox.NewDispatcher(f.Service, outbox.DispatchConfig{Sole: true, Poll: time.Millisecond})
		if err := d.Start(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
		f.until("nothing is due", func() bool {
			routes, err := f.store().Routes(f.t.Context(), f.clock.Now())
			if err != nil {
				f.t.Fatal(err)
			}
			waiting, err := f.store().WaitingBy(f.t.Context(), ws, "email")
			if err != nil {
				f.t.Fatal(err)
			}
			n := int64(0)
			for _, w := range waiting {
				n += w
			}
			return len(routes) == 0 && n == f.waiting()
		})
		if err := d.Stop(context.Background()); err != nil {
			f.t.Fatal(err)
		}
	}
}

func at(domain string) func(*person.Person) {
	return func(p *person.Person) {
		t := p.Traits["email"]
		t.Value = strings.Replace(t.Value.(string), "example.test", domain, 1)
		p.Traits["email"] = t
	}
}

func TestAThrottleIsKeptMinuteByMinuteAcrossRestarts(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 40)
	for n := 1; n <= 30; n++ {
		f.people.add(n, at("slow.example"))
	}
	f.paced(outbox.Pace{Throttles: []outbox.Throttle{{Name: "slow", Domains: []string{"Slow.Example", "also.example"}, PerMinute: 10}}})
	f.enqueueRange(1, 40)
	f.settled(3)
	to := func(domain string) (n int) {
		for _, m := range f.wire.got() {
			if strings.HasSuffix(m.To.Addr, "@"+domain) {
				n++
			}
		}
		return n
	}
	if to("slow.example") != 10 || to("example.test") != 10 {
		t.Fatalf("%d to the slow provider and %d to others in the first minute, want 10 and 10", to("slow.example"), to("example.test"))
	}
	p, err := f.Progress(t.Context(), ws, f.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Throttles) != 1 || p.Throttles[0].Used != 10 || !p.Throttles[0].Full.Equal(start.Add(3*time.Minute)) || p.Waiting[outbox.ReasonThrottled] != 20 {
		t.Errorf("progress %+v", p)
	}
	for minute := 1; minute <= 2; minute++ {
		f.clock.Set(start.Add(time.Duration(minute)*time.Minute + 50*time.Second))
		f.settled(2)
		if got := to("slow.example"); got != 10*(minute+1) {
			t.Errorf("%d to the slow provider after %d minutes", got, minute)
		}
	}
	if c := f.counts(); c.Sent != 40 {
		t.Errorf("sent %d of 40", c.Sent)
	}
}

func TestABacklogDoesNotBreakAThrottle(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 30)
	f.paced(outbox.Pace{Throttles: []outbox.Throttle{{Name: "slow", Domains: []string{"example.test"}, PerMinute: 10}}})
	f.enqueueRange(1, 30)
	f.settled(1)
	f.clock.Advance(time.Hour) // the process was away; all thirty are due
	f.settled(1)
	if got := len(f.wire.got()); got != 20 {
		t.Errorf("%d messages went in two minutes that allow 10 each", got)
	}
}

func TestAWarmUpLetsSoManyGoADayAndTheSurplusWaits(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 100)
	f.paced(outbox.Pace{WarmUp: &outbox.WarmUp{Start: "2026-03-01", First: 10, Growth: 2, Target: 60}})
	f.enqueueRange(1, 100)
	sent := 0
	for day, want := range []int{10, 20, 40, 30} { // the fourth day has no limit any more
		f.clock.Set(start.AddDate(0, 0, day).Add(9*time.Hour + 59*time.Minute))
		f.settled(2)
		sent += want
		if got := len(f.wire.got()); got != sent {
			t.Fatalf("%d messages by day %d, want %d", got, day+1, sent)
		}
		if day == 1 {
			p, err := f.Progress(t.Context(), ws, f.account.ID)
			if err != nil {
				t.Fatal(err)
			}
			want := []outbox.WarmUpDay{{Date: "2026-03-01", Limit: 10, Used: 10}, {Date: "2026-03-02", Limit: 20, Used: 20}, {Date: "2026-03-03", Limit: 40, Used: 40}}
			if fmt.Sprint(p.WarmUp) != fmt.Sprint(want) || p.Today != 1 || p.Waiting[outbox.ReasonWarmingUp] != 70 {
				t.Errorf("progress %+v", p)
			}
		}
	}
	if c := f.counts(); c.Sent != 100 {
		t.Errorf("sent %d", c.Sent)
	}
}

func TestTransactionalMessagesDoNotWaitForAPace(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 20)
	f.paced(outbox.Pace{
		Throttles: []outbox.Throttle{{Name: "slow", Domains: []string{"example.test"}, PerMinute: 1}},
		WarmUp:    &outbox.WarmUp{Start: "2026-03-01", First: 1, Growth: 2, Target: 1000},
	})
	for n := 1; n <= 20; n++ {
		f.enqueue(f.request(n, func(r *outbox.Request) { r.Transactional = true }))
	}
	f.settled(1)
	if got := len(f.wire.got()); got != 20 {
		t.Errorf("%d of 20 receipts went", got)
	}
	p, err := f.Progress(t.Context(), ws, f.account.ID)
	if err != nil || p.Throttles[0].Used != 20 || p.WarmUp[0].Used != 20 {
		t.Errorf("they are not counted: %+v, %v", p, err)
	}
}

func TestNoMoreMessagesAreOnTheirWayToADomainThanItsThrottleAllows(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 60)
	for n := 1; n <= 40; n++ {
		f.people.add(n, at("narrow.example"))
	}
	f.paced(outbox.Pace{Throttles: []outbox.Throttle{{Name: "narrow", Domains: []string{"narrow.example"}, Connections: 2}}})
	flying, most := map[string]int{}, map[string]int{}
	// Three meet on their way to the domain without a throttle: they wait for each other.
	three := make(chan struct{})
	var met sync.Once
	f.wire.answer = func(m channel.Message, _ int, commit func() error) channel.Outcome {
		_, domain, _ := strings.Cut(m.To.Addr, "@")
		f.wire.mu.Lock()
		flying[domain]++
		most[domain] = max(most[domain], flying[domain])
		if flying["example.test"] == 3 {
			met.Do(func() { close(three) })
		}
		f.wire.mu.Unlock()
		if domain == "example.test" {
			select {
			case <-three:
			case <-time.After(2 * time.Minute):
			}
		}
		err := commit()
		f.wire.mu.Lock()
		flying[domain]--
		f.wire.mu.Unlock()
		if err != nil {
			return channel.Outcome{Result: channel.Deferred, Code: "-", Detail: err.Error()}
		}
		f.wire.deliver(m)
		return channel.Outcome{Result: channel.Sent, Code: "250"}
	}
	f.enqueueRange(1, 60)
	f.settled(1)
	if len(f.wire.got()) != 60 || most["narrow.example"] > 2 || most["example.test"] < 3 {
		t.Errorf("%d of 60 went; at most %v at the same time", len(f.wire.got()), most)
	}
}

func TestADomainThatPutsEverythingOffIsLeftAlone(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 60)
	for n := 1; n <= 50; n++ {
		f.people.add(n, at("grey.example"))
	}
	a := f.account
	a.Connections = 1
	if _, err := f.UpdateAccount(t.Context(), ws, a); err != nil {
		t.Fatal(err)
	}
	tries := 0
	f.wire.answer = func(m channel.Message, _ int, commit func() error) channel.Outcome {
		if strings.HasSuffix(m.To.Addr, "@grey.example") {
			tries++
			return channel.Outcome{Result: channel.Deferred, Code: "451 4.7.1", Detail: "greylisted"}
		}
		if commit() != nil {
			return channel.Outcome{Result: channel.Deferred, Code: "-"}
		}
		f.wire.deliver(m)
		return channel.Outcome{Result: channel.Sent, Code: "250"}
	}
	f.enqueueRange(1, 60)
	f.settled(1)
	if tries != 5 || len(f.wire.got()) != 10 {
		t.Errorf("%d attempts at a domain that takes nothing, %d mails elsewhere; want 5 and 10", tries, len(f.wire.got()))
	}
	resting, err := sqldb.One(t.Context(), f.db, sqldb.Value[int], `SELECT count(*) FROM message WHERE state = 'queued' AND reason = $1`, outbox.ReasonDomainRests)
	if err != nil || resting == 0 {
		t.Errorf("%d wait for the domain, %v", resting, err)
	}
	f.wire.mu.Lock()
	f.wire.answer = nil
	f.wire.mu.Unlock()
	f.clock.Advance(5 * time.Minute)
	f.settled(1)
	if c := f.counts(); c.Sent != 60 {
		t.Errorf("once it takes mail again, %d of 60 are sent", c.Sent)
	}
}

func TestPacesThatCannotBeAreNamed(t *testing.T) {
	f := setup(t, sqlite(t))
	for field, p := range map[string]outbox.Pace{
		"throttles[0].name":        {Throttles: []outbox.Throttle{{Domains: []string{"a.example"}}}},
		"throttles[0].domains":     {Throttles: []outbox.Throttle{{Name: "a"}}},
		"throttles[0].domains[0]":  {Throttles: []outbox.Throttle{{Name: "a", Domains: []string{"nowhere"}}}},
		"throttles[1].domains[0]":  {Throttles: []outbox.Throttle{{Name: "a", Domains: []string{"a.example"}}, {Name: "b", Domains: []string{"A.example"}}}},
		"throttles[0].per_minute":  {Throttles: []outbox.Throttle{{Name: "a", Domains: []string{"a.example"}, PerMinute: -1}}},
		"throttles[0].connections": {Throttles: []outbox.Throttle{{Name: "a", Domains: []string{"a.example"}, Connections: 101}}},
		"warm_up.start":            {WarmUp: &outbox.WarmUp{Start: "soon", First: 1, Growth: 2, Target: 9}},
		"warm_up.first":            {WarmUp: &outbox.WarmUp{Start: "2026-03-01", Growth: 2, Target: 9}},
		"warm_up.growth":           {WarmUp: &outbox.WarmUp{Start: "2026-03-01", First: 1, Growth: 1, Target: 9}},
		"warm_up.target":           {WarmUp: &outbox.WarmUp{Start: "2026-03-01", First: 9, Growth: 2, Target: 9}},
	} {
		a := f.account
		a.Pace = p
		_, err := f.UpdateAccount(t.Context(), ws, a)
		if all := errs.All(err); len(all) != 1 || all[0].Field != field {
			t.Errorf("%+v: %v, want an error about %s", p, err, field)
		}
	}
	seen := map[string]bool{}
	for _, p := range outbox.Providers() {
		for _, d := range p.Domains {
			if seen[d] {
				t.Errorf("%s belongs to two providers", d)
			}
			seen[d] = true
		}
	}
}
