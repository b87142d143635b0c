package outbox_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

func ranks(p outbox.Priority) func(*outbox.Request) {
	return func(r *outbox.Request) { r.Priority = p }
}

func TestWhereACapLeavesRoomForOneTheMoreImportantGoes(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := setup(t, db)
		f.subscribed(1, 1)
		f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 2, Days: 1}}})
		d := f.enqueue(f.request(1, keyed("low"), ranks(outbox.Low)), f.request(1, keyed("normal")), f.request(1, keyed("high"), ranks(outbox.High)), f.request(1, keyed("receipt"), transactional))
		f.dispatch(outbox.DispatchConfig{})
		for _, i := range []int{1, 2, 3} {
			f.untilState(d[i].MessageID, outbox.Sent)
		}
		m := f.untilState(d[0].MessageID, outbox.Refused)
		if m.Reason != outbox.ReasonOutranked && m.Reason != outbox.ReasonCapped {
			t.Errorf("%+v", m)
		}
	})
}

func TestALessImportantMessageGivesWayEvenIfItIsAlone(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 1, Days: 1}}, Reserve: 24})
	later := func(r *outbox.Request) { r.NotBefore = start.Add(3 * time.Hour) }
	d := f.enqueue(f.request(1, keyed("high"), ranks(outbox.High), later), f.request(1, keyed("low")), f.request(2, keyed("nobody's rival")))
	f.dispatch(outbox.DispatchConfig{})
	m := f.untilState(d[1].MessageID, outbox.Refused)
	if m.Reason != outbox.ReasonOutranked || m.Data["by"] != d[0].MessageID || m.Data["priority"] != "high" || m.Data["source_id"] != "cmp_1" || m.Data["limit"] != 1.0 {
		t.Errorf("%+v", m)
	}
	f.untilState(d[2].MessageID, outbox.Sent)
	f.clock.Advance(3 * time.Hour)
	f.untilState(d[0].MessageID, outbox.Sent)
}

func TestAMessageThatWillNotGoOutranksNobody(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	ctx := t.Context()
	offers, err := f.consent.CreateTopic(ctx, ws, consent.Topic{Name: "Offers", Channels: []string{"email"}, OptIn: consent.Implied})
	if err != nil {
		t.Fatal(err)
	}
	f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 1, Days: 1}}, Reserve: 24})
	f.enqueue(f.request(1, keyed("high"), ranks(outbox.High), func(r *outbox.Request) { r.Topic, r.NotBefore = offers.ID, start.Add(time.Hour) }))
	if err := f.consent.Unsubscribe(ctx, ws, consent.Change{PersonID: pid(1), Topic: offers.ID, Channel: "email", Source: "test"}); err != nil {
		t.Fatal(err)
	}
	low := f.enqueue(f.request(1, keyed("low"), ranks(outbox.Low)))[0]
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(low.MessageID, outbox.Sent)
}

func TestAMoreImportantMessageTakesThePlaceOfOneThatHasNotLeft(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 1, Days: 1}}})
	held, release := make(chan struct{}), make(chan struct{})
	f.wire.answer = func(m channel.Message, attempt int, commit func() error) channel.Outcome {
		if attempt == 1 {
			close(held)
			<-release // the first message waits behind a slow server, its place taken
		}
		if err := commit(); err != nil {
			return channel.Outcome{Result: channel.Deferred, Code: "-", Detail: err.Error()}
		}
		f.wire.deliver(m)
		return channel.Outcome{Result: channel.Sent}
	}
	f.dispatch(outbox.DispatchConfig{})
	low := f.enqueue(f.request(1, keyed("low"), ranks(outbox.Low)))[0]
	<-held
	high := f.enqueue(f.request(1, keyed("high"), ranks(outbox.High)))[0]
	if !high.Allowed || high.Waits != "" {
		t.Fatalf("%+v", high)
	}
	f.untilState(high.MessageID, outbox.Sent)
	m := f.untilState(low.MessageID, outbox.Refused)
	close(release)
	if m.Reason != outbox.ReasonOutranked || m.Data["by"] != high.MessageID || m.EndedAt.IsZero() {
		t.Errorf("%+v", m)
	}
	third := f.enqueue(f.request(1, keyed("third"), ranks(outbox.High)))[0]
	if third.Reason != outbox.ReasonCapped {
		t.Errorf("what has gone is displaced by nothing: %+v", third)
	}
	if got := f.wire.got(); len(got) != 1 || got[0].ID != high.MessageID {
		t.Errorf("arrived: %d", len(got))
	}
	told := 0
	for _, e := range f.log.all() {
		if e.Name == event.MessageRefused && e.MessageID == "msg:"+low.MessageID+":refused" {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the refusal was told %d times", told)
	}
}

// slow lets every mail but those of high priority wait behind a slow server before its text is asked for, its place taken. It sends on waiting when one has come so
// far, and lets all go with release, which a test has to call before it ends. commits says that the text was already on its way.
func (f *fixture) slow(commits bool, high func(id string) bool) (waiting chan struct{}, release func()) {
	waiting = make(chan struct{}, 10)
	released := make(chan struct{})
	f.wire.answer = func(m channel.Message, _ int, commit func() error) channel.Outcome {
		hold := func() {
			if !high(m.ID) {
				waiting <- struct{}{}
				<-released
			}
		}
		if !commits {
			hold()
		}
		if err := commit(); err != nil {
			return channel.Outcome{Result: channel.Deferred, Code: "-", Detail: err.Error()}
		}
		if commits {
			hold()
		}
		f.wire.deliver(m)
		return channel.Outcome{Result: channel.Sent}
	}
	return waiting, sync.OnceFunc(func() { close(released) })
}

func TestAPlaceIsNotTakenFromAnEqualNorFromWhatIsOnItsWay(t *testing.T) {
	for name, c := range map[string]struct {
		later   outbox.Priority
		commits bool
	}{"equal": {outbox.Low, false}, "on its way": {outbox.High, true}} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sqlite(t))
			f.subscribed(1, 1)
			f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 1, Days: 1}}})
			waiting, release := f.slow(c.commits, func(string) bool { return false })
			defer release()
			f.dispatch(outbox.DispatchConfig{})
			first := f.enqueue(f.request(1, keyed("first"), ranks(outbox.Low)))[0]
			<-waiting
			second := f.enqueue(f.request(1, keyed("second"), ranks(c.later)))[0]
			release()
			if second.Allowed || second.Reason != outbox.ReasonCapped {
				t.Errorf("the second: %+v", second)
			}
			f.untilState(first.MessageID, outbox.Sent)
		})
	}
}

func TestTheLeastImportantOfTwoGivesWay(t *testing.T) {
	for name, order := range map[string][]outbox.Priority{"first": {outbox.Low, outbox.Normal}, "last": {outbox.Normal, outbox.Low}} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sqlite(t))
			f.subscribed(1, 1)
			f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 2, Days: 1}}})
			by := map[outbox.Priority]string{}
			waiting, release := f.slow(false, func(id string) bool { return f.message(id).Priority == outbox.High })
			defer release()
			f.dispatch(outbox.DispatchConfig{})
			for _, p := range order {
				by[p] = f.enqueue(f.request(1, keyed(p.String()), ranks(p)))[0].MessageID
				<-waiting
				f.clock.Advance(time.Second)
			}
			high := f.enqueue(f.request(1, keyed("high"), ranks(outbox.High)))[0]
			f.untilState(high.MessageID, outbox.Sent)
			if m := f.untilState(by[outbox.Low], outbox.Refused); m.Reason != outbox.ReasonOutranked || m.Data["by"] != high.MessageID {
				t.Errorf("the least important: %+v", m)
			}
			release()
			f.untilState(by[outbox.Normal], outbox.Sent)
		})
	}
}

// mergeIDs merges people by today's ids; whoever was merged into the loser before leads on to the winner.
func (f *fixture) mergeIDs(loser, winner string) {
	f.t.Helper()
	f.people.mu.Lock()
	for old, to := range f.people.also {
		if to == loser {
			f.people.also[old] = winner
		}
	}
	f.people.also[loser] = winner
	delete(f.people.all, loser)
	f.people.mu.Unlock()
	if err := f.consent.PeopleMerged(f.t.Context(), ws, loser, winner); err != nil {
		f.t.Error(err)
	}
	if err := f.PeopleMerged(f.t.Context(), ws, person.Ref{Workspace: ws, ID: loser}, person.Ref{Workspace: ws, ID: winner}); err != nil {
		f.t.Error(err)
	}
}

// longestWait is the longest that anything in the property test may have to wait: a week for who asked for less, and a night before a Sunday.
const longestWait = 9 * 24 * time.Hour

// night reports whether it is a time at which nobody in the property test is written to.
func night(local time.Time) bool {
	return local.Hour() >= 22 || local.Hour() < 7 || local.Weekday() == time.Sunday
}

// drain lets time pass until nothing waits any more.
func (f *fixture) drain(r *rapid.T, mu chan struct{}) {
	for range 300 {
		f.until("idle", f.idle)
		next, err := sqldb.One(f.t.Context(), f.db, sqldb.Value[time.Time], `SELECT COALESCE(MIN(due_at), 0) FROM message WHERE state IN ('queued', 'claimed')`)
		if err != nil {
			r.Fatal(err)
		}
		if next.IsZero() {
			return
		}
		mu <- struct{}{}
		if wait := next.Sub(f.clock.Now()); wait > longestWait {
			r.Fatalf("the next message is put off for %s", wait)
		} else if wait > 0 {
			f.clock.Set(next)
		}
		<-mu
	}
	r.Fatalf("messages wait for ever")
}

// TestTheGateHoldsWhateverHappensInWhateverOrder lets two processes send what is asked for at random, under several caps over topics and
// channels, a throttle and a holdout, in several zones, across changes of the clock, while people subscribe, unsubscribe, pause, ask for less, are merged, and
// are suppressed, as people or at an address, and no longer. At every handing over the person must allow it and not be held out, it must be day where they live, and
// no cap and no throttle may be passed. What is promised when a message is asked for is no night, and nothing is put off for longer than the rules say. The handing over and what happens around it take turns, so that what is checked is what held at that moment. In the end nothing
// waits for ever, and who may be written to is reached.
func TestTheGateHoldsWhateverHappensInWhateverOrder(t *testing.T) {
	zones := []string{"UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var config outbox.Config
		f := setup(t, db, func(c *outbox.Config) { config = *c })
		ctx := t.Context()
		var topics []consent.Topic
		for i, mode := range []consent.OptIn{consent.Implied, consent.Explicit, consent.Double} {
			topic, err := f.consent.CreateTopic(ctx, ws, consent.Topic{Name: fmt.Sprintf("T%d", i), Channels: []string{"email"}, OptIn: mode})
			if err != nil {
				t.Fatal(err)
			}
			topics = append(topics, topic)
		}
		mu := make(chan struct{}, 1) // who hands over, or changes something
		var policy outbox.Policy
		type arrival struct {
			person, topic string
			priority      outbox.Priority
			at            time.Time
		}
		var arrived []arrival
		const perMinute = 3
		f.paced(outbox.Pace{Throttles: []outbox.Throttle{{Name: "narrow", Domains: []string{"example.test"}, PerMinute: perMinute}}})
		var faults []string
		canonical := func(id string) string {
			for f.people.also[id] != "" {
				id = f.people.also[id]
			}
			return id
		}
		// stands reports whether somebody is suppressed as a person, by what was done in this test alone.
		laid := map[string]time.Time{} // by the id it was laid on: the end
		stands := func(who string, at time.Time) bool {
			for id, until := range laid {
				if canonical(id) == who && until.After(at) {
					return true
				}
			}
			return false
		}
		lift := func(who string) {
			maps.DeleteFunc(laid, func(id string, _ time.Time) bool { return canonical(id) == who })
		}
		f.wire.answer = func(m channel.Message, _ int, commit func() error) channel.Outcome {
			mu <- struct{}{}
			defer func() { <-mu }()
			if err := commit(); err != nil {
				return channel.Outcome{Result: channel.Deferred, Code: "-", Detail: err.Error()}
			}
			stored, err := f.Service.Message(ctx, ws, m.ID)
			if err != nil {
				faults = append(faults, err.Error())
				return channel.Outcome{Result: channel.Sent}
			}
			if stored.Transactional {
				return channel.Outcome{Result: channel.Sent}
			}
			now := f.clock.Now()
			f.people.mu.Lock()
			who := canonical(stored.PersonID)
			p := f.people.all[who]
			f.people.mu.Unlock()
			allows, err := f.consent.States(ctx, ws, []string{who}, map[string]map[string]string{who: {"email": m.To.Addr}})
			if err != nil {
				faults = append(faults, err.Error())
			}
			fault := func(format string, args ...any) {
				faults = append(faults, fmt.Sprintf("%s to %s (%s): ", m.ID, who, stored.Topic)+fmt.Sprintf(format, args...))
			}
			if stands(who, now) {
				fault("suppressed as a person")
			}
			inMinute := 1
			for _, a := range arrived {
				if a.at.Equal(now) { // the clock stands still between steps
					inMinute++
				}
			}
			if inMinute > perMinute {
				fault("the %dth within a moment, %d a minute are allowed", inMinute, perMinute)
			}
			c := allows[who]["email"]
			switch local := now.In(p.Location(time.UTC)); {
			case c.Suppressed:
				fault("suppressed")
			case leaf.Share(policy.Salt, who) < policy.Holdout:
				fault("held out")
			case !c.Topics[stored.Topic]:
				fault("not subscribed")
			case c.PausedUntil.After(now):
				fault("paused")
			case night(local):
				fault("in the night: %s", local)
			}
			caps := policy.Caps
			if c.Weekly {
				caps = append(slices.Clone(caps), outbox.Cap{Limit: 1, Days: 7})
			}
			for _, limit := range caps {
				if limit.Topic != "" && limit.Topic != stored.Topic {
					continue
				}
				since := now.Add(-time.Duration(limit.Days) * 24 * time.Hour)
				if limit.Calendar {
					y, mo, d := now.In(p.Location(time.UTC)).Date()
					since = time.Date(y, mo, d-limit.Days+1, 0, 0, 0, 0, p.Location(time.UTC)).Add(-time.Microsecond)
				}
				n := 1
				for _, a := range arrived {
					if canonical(a.person) == who && a.at.After(since) && (limit.Topic == "" || limit.Topic == a.topic) {
						n++
					}
				}
				if n > limit.Limit {
					fault("message %d of %+v", n, limit)
				}
			}
			arrived = append(arrived, arrival{who, stored.Topic, stored.Priority, now})
			return channel.Outcome{Result: channel.Sent}
		}
		f.dispatch(outbox.DispatchConfig{Batch: 3, Lease: 1000 * time.Hour})
		d := outbox.NewDispatcher(outbox.New(config), outbox.DispatchConfig{Batch: 2, Poll: time.Millisecond, Lease: 1000 * time.Hour})
		if err := d.Start(ctx); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Stop(t.Context()) })
		people, reached, kept, promised := 0, 0, 0, 0
		f.clock.Set(time.Date(2026, 3, 6, 9, 0, 0, 0, time.UTC)) // before clocks change in America and Europe
		rapid.Check(t, func(r *rapid.T) {
			f.until("idle", f.idle)
			mu <- struct{}{}
			first := people + 1
			people += 3
			for n := first; n <= people; n++ {
				f.people.add(n, func(p *person.Person) {
					p.Traits["timezone"] = person.Trait{Value: rapid.SampledFrom(zones).Draw(r, "zone")}
				})
			}
			caps := []outbox.Cap{{Limit: rapid.IntRange(1, 3).Draw(r, "overall"), Days: rapid.IntRange(1, 3).Draw(r, "days"), Calendar: rapid.Bool().Draw(r, "calendar"), Retry: rapid.SampledFrom([]int{0, 30}).Draw(r, "retry")}}
			if rapid.Bool().Draw(r, "topic cap") {
				caps = append(caps, outbox.Cap{Topic: topics[0].ID, Channel: "email", Limit: 1, Days: 2})
			}
			if rapid.Bool().Draw(r, "channel cap") {
				caps = append(caps, outbox.Cap{Channel: "email", Limit: 2, Days: 1, Retry: 48})
			}
			policy = outbox.Policy{Caps: caps, Holdout: rapid.SampledFrom([]float64{0, 30}).Draw(r, "holdout"), Reserve: rapid.SampledFrom([]int{0, 12}).Draw(r, "reserve"), Quiet: []outbox.Quiet{{From: 22 * 60, To: 7 * 60}, {From: 0, To: 23*60 + 59, Days: []time.Weekday{time.Sunday}}, {From: 23*60 + 59, To: 7 * 60, Days: []time.Weekday{time.Sunday}}}}
			policy = f.policy(policy)
			for n := first; n <= people; n++ {
				if err := f.consent.Change(ctx, ws, consent.Change{PersonID: pid(n), Topic: topics[1].ID, Channel: "email", Status: consent.Subscribed, Source: "test"}); err != nil {
					r.Fatal(err)
				}
			}
			<-mu
			someone := rapid.IntRange(first, people)
			for i := range rapid.IntRange(8, 25).Draw(r, "steps") {
				what := rapid.SampledFrom([]string{"ask", "ask", "ask", "yes", "no", "pause", "weekly", "suppress", "hold", "lift", "merge", "clock", "zone"}).Draw(r, "what")
				if what == "clock" || what == "merge" || what == "zone" || what == "weekly" { // a place is counted from when it is taken, not from when the mail has left
					f.until("idle", f.idle)
				}
				mu <- struct{}{}
				n := someone.Draw(r, "who")
				who := canonical(pid(n))
				topic := rapid.SampledFrom(topics).Draw(r, "topic")
				say := func(c consent.Change) {
					c.PersonID, c.Channel, c.Source = who, "email", "test"
					if err := f.consent.Change(ctx, ws, c); err != nil {
						r.Fatal(err)
					}
				}
				settings, _, err := f.consent.Preferences(ctx, ws, who)
				if err != nil {
					r.Fatal(err)
				}
				switch what {
				case "ask":
					var reqs []outbox.Request
					for k := range rapid.IntRange(1, 4).Draw(r, "messages") {
						reqs = append(reqs, f.request(someone.Draw(r, "to"), keyed(fmt.Sprintf("%d.%d.%d", first, i, k)), ranks(outbox.Priority(rapid.IntRange(-1, 1).Draw(r, "priority"))), func(q *outbox.Request) {
							q.Topic = rapid.SampledFrom(topics).Draw(r, "about").ID
							q.NotBefore = f.clock.Now().Add(time.Duration(rapid.SampledFrom([]int{0, 0, 5, 30}).Draw(r, "later")) * time.Hour)
						}))
					}
					for _, d := range f.enqueue(reqs...) { // what is promised to whoever asks
						if m := f.message(d.MessageID); m.State == outbox.Queued {
							promised++
							if local := m.DueAt.In(f.people.all[canonical(m.PersonID)].Location(time.UTC)); night(local) {
								faults = append(faults, fmt.Sprintf("%s is promised for the night: %s", m.ID, local))
							}
							if wait := m.DueAt.Sub(f.clock.Now()); wait > longestWait {
								faults = append(faults, fmt.Sprintf("%s is promised in %s", m.ID, wait))
							}
						}
					}
				case "yes":
					say(consent.Change{Topic: topic.ID, Status: consent.Subscribed, Confirmed: rapid.Bool().Draw(r, "confirmed")})
				case "no":
					say(consent.Change{Topic: rapid.SampledFrom([]string{topic.ID, consent.AllTopics}).Draw(r, "which"), Status: consent.Unsubscribed})
				case "pause":
					settings.PausedUntil = f.clock.Now().Add(time.Duration(rapid.IntRange(-1, 60).Draw(r, "hours")) * time.Hour)
					err = f.consent.SetPreferences(ctx, ws, who, settings, consent.Change{Source: "test"})
				case "weekly":
					settings.Weekly = true
					err = f.consent.SetPreferences(ctx, ws, who, settings, consent.Change{Source: "test"})
				case "suppress":
					_, err = f.consent.Suppress(ctx, ws, consent.Suppress{Channel: "email", Address: fmt.Sprintf("p%d@example.test", n), Reason: consent.UnsubscribedAll})
				case "hold":
					h := consent.Hold{PersonID: who, Ground: consent.GroundAsked, All: rapid.Bool().Draw(r, "all")}
					if rapid.Bool().Draw(r, "ends") {
						h.Until = f.clock.Now().Add(time.Duration(rapid.IntRange(1, 50).Draw(r, "hours")) * time.Hour)
					}
					_, err = f.consent.HoldPerson(ctx, ws, h)
					lift(who)
					if laid[who] = h.Until; h.Until.IsZero() {
						laid[who] = f.clock.Now().AddDate(100, 0, 0)
					}
				case "lift":
					lift(who)
					if err = f.consent.LiftHold(ctx, ws, who, "test", "test"); errs.Is(err, errs.KindNotFound) {
						err = nil
					}
				case "merge":
					if other := canonical(pid(someone.Draw(r, "winner"))); other != who {
						f.mergeIDs(who, other)
					}
				case "clock":
					f.clock.Advance(time.Duration(rapid.IntRange(1, 40).Draw(r, "hours")) * time.Hour)
				case "zone":
					f.people.mu.Lock()
					f.people.all[who].Traits["timezone"] = person.Trait{Value: rapid.SampledFrom(zones).Draw(r, "to zone")}
					f.people.mu.Unlock()
				}
				<-mu
				if err != nil {
					r.Fatal(err)
				}
			}
			f.drain(r, mu)
			// Long after, when no cap counts anything any more, one message to each.
			mu <- struct{}{}
			f.clock.Advance(10 * 24 * time.Hour)
			<-mu
			f.drain(r, mu)
			mu <- struct{}{}
			may, asked := map[string]bool{}, map[string]string{}
			for n := first; n <= people; n++ {
				who := canonical(pid(n))
				if asked[who] != "" {
					continue
				}
				allows, err := f.consent.States(ctx, ws, []string{who}, map[string]map[string]string{who: {"email": outbox.Address(f.people.all[who], "email")}})
				if err != nil {
					r.Fatal(err)
				}
				c := allows[who]["email"]
				may[who] = c.Topics[topics[0].ID] && !c.Suppressed && !stands(who, f.clock.Now()) && leaf.Share(policy.Salt, who) >= policy.Holdout
				asked[who] = f.enqueue(f.request(n, keyed(fmt.Sprintf("last.%d", n)), ranks(outbox.High), func(q *outbox.Request) { q.Topic = topics[0].ID }))[0].MessageID
			}
			<-mu
			f.drain(r, mu)
			mu <- struct{}{}
			defer func() { <-mu }()
			for who, id := range asked {
				if m := f.message(id); (m.State == outbox.Sent) != may[who] {
					faults = append(faults, fmt.Sprintf("the last message to %s, who may be written to: %v, is %s (%s %v)", who, may[who], m.State, m.Reason, m.Data))
				} else if may[who] {
					reached++
				} else {
					kept++
				}
			}
			if len(faults) > 0 {
				r.Fatalf("%d faults: %s", len(faults), faults[0])
			}
		})
		if len(arrived) < 10 { // of twenty runs with -short; about 150 of a hundred
			t.Errorf("only %d messages arrived: the test proves little", len(arrived))
		}
		if reached < 5 || kept < 5 {
			t.Errorf("at the end %d were reached and %d not: the test proves little", reached, kept)
		}
		if promised < 10 {
			t.Errorf("only %d messages were promised for a time: the test proves little", promised)
		}
		t.Logf("%d messages were promised, %d arrived; at the end %d were reached, %d not", promised, len(arrived), reached, kept)
	})
}
