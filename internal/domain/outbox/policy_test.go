package outbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

func (f *fixture) policy(p outbox.Policy) outbox.Policy {
	f.t.Helper()
	p, err := f.SetPolicy(f.t.Context(), ws, p)
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

func (f *fixture) livesIn(n int, zone string) {
	f.people.mu.Lock()
	defer f.people.mu.Unlock()
	f.people.all[pid(n)].Traits["timezone"] = person.Trait{Value: zone, Time: start}
}

// dry asks the gate about one person.
func (f *fixture) dry(n int, change ...func(*outbox.Request)) outbox.Decision {
	f.t.Helper()
	d, err := f.DryRun(f.t.Context(), []outbox.Request{f.request(n, change...)})
	if err != nil {
		f.t.Fatal(err)
	}
	return d[0]
}

func transactional(r *outbox.Request) { r.Transactional, r.Topic = true, "" }

func keyed(key string) func(*outbox.Request) { return func(r *outbox.Request) { r.Key = key } }

func TestQuietHoursHoldUntilTheyEndWhereThePersonLives(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 3)
	f.livesIn(1, "Asia/Tokyo") // 18:00 there, 09:00 here
	f.livesIn(2, "Australia/Sydney")
	f.policy(outbox.Policy{Quiet: []outbox.Quiet{{From: 20 * 60, To: 8 * 60}}})
	d := f.enqueue(f.request(1), f.request(2), f.request(3), f.request(2, transactional, keyed("receipt")))
	held := f.message(d[1].MessageID) // 20:00 in Sydney
	if want := time.Date(2026, 3, 1, 21, 0, 0, 0, time.UTC); !d[1].Allowed || held.State != outbox.Queued || held.Reason != outbox.ReasonQuietHours || !held.DueAt.Equal(want) {
		t.Errorf("held: %+v, want due %s", held, want)
	}
	f.dispatch(outbox.DispatchConfig{})
	for _, i := range []int{0, 2, 3} {
		f.untilState(d[i].MessageID, outbox.Sent)
	}
	if m := f.message(d[1].MessageID); m.State != outbox.Queued || m.Attempts != 0 {
		t.Errorf("in Sydney's night: %+v", m)
	}
	f.clock.Set(held.DueAt)
	f.untilState(d[1].MessageID, outbox.Sent)
}

func TestAnotherPolicyWakesWhatWaitsByTheOneBefore(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	f.policy(outbox.Policy{Quiet: []outbox.Quiet{{From: 0, To: 23 * 60}}})
	d := f.enqueue(f.request(1), f.request(2, func(r *outbox.Request) { r.NotBefore = start.Add(time.Hour) }))
	for _, one := range d {
		if m := f.message(one.MessageID); m.Reason != outbox.ReasonQuietHours {
			t.Fatalf("%+v", m)
		}
	}
	f.policy(outbox.Policy{Quiet: []outbox.Quiet{{From: 0, To: 60}}})
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(d[0].MessageID, outbox.Sent)
	if m := f.message(d[1].MessageID); m.State != outbox.Queued || !m.DueAt.Equal(start.Add(time.Hour)) {
		t.Errorf("what was planned for later: %+v", m)
	}
	f.clock.Advance(time.Hour)
	f.untilState(d[1].MessageID, outbox.Sent)
}

func TestWhatComesDueInQuietHoursWaitsAgainOrIsRefused(t *testing.T) {
	for name, refuses := range map[string]bool{"hold": false, "refuse": true} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sqlite(t))
			f.subscribed(1, 1)
			d := f.enqueue(f.request(1, func(r *outbox.Request) { r.NotBefore = start.Add(13 * time.Hour) }))
			f.policy(outbox.Policy{Quiet: []outbox.Quiet{{Channel: "sms", From: 0, To: 23 * 60}, {Channel: "email", From: 20 * 60, To: 8 * 60, Refuse: refuses}}}) // after it was asked for
			f.clock.Advance(13 * time.Hour)
			f.dispatch(outbox.DispatchConfig{})
			if refuses {
				if m := f.untilState(d[0].MessageID, outbox.Refused); m.Reason != outbox.ReasonQuietHours || m.Data["from"] != "20:00" {
					t.Errorf("%+v", m)
				}
				return
			}
			f.until("it waits", func() bool { return f.message(d[0].MessageID).Reason == outbox.ReasonQuietHours })
			if m := f.message(d[0].MessageID); !m.DueAt.Equal(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)) || m.Attempts != 0 {
				t.Errorf("%+v", m)
			}
			f.clock.Advance(10 * time.Hour)
			f.untilState(d[0].MessageID, outbox.Sent)
		})
	}
}

func TestQuietHoursThatBeginBehindASlowAccountHoldTheMessageBack(t *testing.T) {
	for name, refuses := range map[string]bool{"hold": false, "refuse": true} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sqlite(t))
			f.subscribed(1, 2)
			f.policy(outbox.Policy{Quiet: []outbox.Quiet{{From: 20 * 60, To: 8 * 60, Refuse: refuses}}})
			talking, evening := make(chan struct{}), make(chan struct{})
			f.wire.answer = func(m channel.Message, _ int, commit func() error) channel.Outcome {
				talking <- struct{}{}
				<-evening // the server takes its time before it asks for the text
				if err := commit(); err != nil {
					return channel.Outcome{Result: channel.Deferred, Code: "-", Detail: err.Error()}
				}
				f.wire.deliver(m)
				return channel.Outcome{Result: channel.Sent}
			}
			d := f.enqueue(f.request(1), f.request(2, transactional, keyed("receipt")))
			f.dispatch(outbox.DispatchConfig{})
			<-talking
			<-talking
			f.clock.Set(time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC))
			close(evening)
			f.untilState(d[1].MessageID, outbox.Sent)
			var m outbox.Message
			if refuses {
				m = f.untilState(d[0].MessageID, outbox.Refused)
			} else {
				f.until("it waits", func() bool {
					m = f.message(d[0].MessageID)
					return m.State == outbox.Queued && m.Reason == outbox.ReasonQuietHours
				})
				if !m.DueAt.Equal(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)) {
					t.Errorf("due %s", m.DueAt)
				}
			}
			if m.Reason != outbox.ReasonQuietHours || m.Attempts != 0 && !refuses || m.Data["from"] != "20:00" || len(f.wire.got()) != 1 {
				t.Errorf("%+v; %d arrived", m, len(f.wire.got()))
			}
		})
	}
}

func TestANewPolicyMeetsWhatIsAboutToGo(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	claimed, policy := make(chan struct{}), make(chan struct{})
	f.wire.answer = func(m channel.Message, _ int, commit func() error) channel.Outcome {
		close(claimed)
		<-policy
		if err := commit(); err != nil {
			return channel.Outcome{Result: channel.Deferred, Code: "-", Detail: err.Error()}
		}
		f.wire.deliver(m)
		return channel.Outcome{Result: channel.Sent}
	}
	d := f.enqueue(f.request(1))[0]
	f.dispatch(outbox.DispatchConfig{})
	<-claimed
	f.policy(outbox.Policy{Quiet: []outbox.Quiet{{From: 8 * 60, To: 20 * 60}}})
	close(policy)
	f.until("it waits", func() bool {
		m := f.message(d.MessageID)
		return m.State == outbox.Queued && m.Reason == outbox.ReasonQuietHours
	})
	if n := len(f.wire.got()); n != 0 {
		t.Errorf("%d arrived", n)
	}
}

func TestACapRefusesSaysWhyAndLetsTheNextDayBegin(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	f.livesIn(1, "Asia/Tokyo")
	f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 2, Days: 1, Calendar: true}}})
	f.dispatch(outbox.DispatchConfig{})
	send := func(key string, change ...func(*outbox.Request)) outbox.Message {
		d := f.enqueue(f.request(1, append(change, keyed(key))...))[0]
		f.until(key+" is decided", func() bool {
			return f.message(d.MessageID).State != outbox.Queued && f.message(d.MessageID).State != outbox.Claimed
		})
		return f.message(d.MessageID)
	}
	for _, key := range []string{"a", "b"} {
		if m := send(key); m.State != outbox.Sent {
			t.Fatalf("%s: %+v", key, m)
		}
	}
	if m := send("c"); m.State != outbox.Refused || m.Reason != outbox.ReasonCapped || !sameEvidence(m.Data, outbox.Evidence{"taken": 2, "limit": 2, "days": 1, "calendar": true, "until": "2026-03-01T15:00:00Z"}) {
		t.Errorf("the third: %+v", m)
	}
	if m := send("receipt", transactional); m.State != outbox.Sent {
		t.Errorf("a receipt: %+v", m)
	}
	f.clock.Set(time.Date(2026, 3, 1, 14, 59, 59, 0, time.UTC)) // a second before midnight in Tokyo
	if m := send("d"); m.State != outbox.Refused {
		t.Errorf("the same day: %+v", m)
	}
	f.clock.Advance(time.Second)
	if m := send("e"); m.State != outbox.Sent {
		t.Errorf("the next day: %+v", m)
	}
}

func TestACapIsAskedForTheTimeAtWhichQuietHoursEnd(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	night := []outbox.Quiet{{From: 20 * 60, To: 8 * 60}}
	f.policy(outbox.Policy{Quiet: night, Caps: []outbox.Cap{{Limit: 1, Days: 1, Calendar: true}}})
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(f.enqueue(f.request(1, keyed("morning")))[0].MessageID, outbox.Sent)
	f.clock.Set(time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC))
	if d := f.dry(1, keyed("night")); !d.Allowed || d.Waits != outbox.ReasonQuietHours {
		t.Errorf("by a dry run: %+v", d)
	}
	d := f.enqueue(f.request(1, keyed("night")))[0]
	if want := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC); !d.Allowed || !d.DueAt.Equal(want) {
		t.Errorf("today's place is taken, but it goes tomorrow: %+v", d)
	}
	policy, err := f.Policy(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	taken := []outbox.Slot{{MessageID: "x", PersonID: pid(1), Channel: "email", Topic: "tpc_1", At: start}}
	if at, reason, _ := policy.Forecast(pid(1), "email", "tpc_1", f.clock.Now(), time.UTC, taken); reason != "" || !at.Equal(d.DueAt) {
		t.Errorf("a simulation says %s %q", at, reason)
	}
	f.policy(outbox.Policy{Quiet: night, Caps: []outbox.Cap{{Limit: 1, Days: 2, Calendar: true}}})
	if d := f.enqueue(f.request(1, keyed("full")))[0]; d.Reason != outbox.ReasonCapped {
		t.Errorf("tomorrow's place is taken as well: %+v", d)
	}
}

func TestWhatIsPlannedForLaterIsCountedWhenItGoes(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 1, Days: 7}}})
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(f.enqueue(f.request(1, keyed("a")))[0].MessageID, outbox.Sent)
	in := func(days int) func(*outbox.Request) {
		return func(r *outbox.Request) { r.NotBefore = start.AddDate(0, 0, days) }
	}
	early, late := f.enqueue(f.request(1, keyed("b"), in(6)))[0], f.enqueue(f.request(1, keyed("c"), in(7)))[0]
	for _, d := range []outbox.Decision{early, late} {
		if !d.Allowed || d.Waits != "" {
			t.Errorf("planned while the week is full: %+v", d)
		}
	}
	f.clock.Advance(6 * 24 * time.Hour)
	if m := f.untilState(early.MessageID, outbox.Refused); m.Reason != outbox.ReasonCapped {
		t.Errorf("the week is still full: %+v", m)
	}
	f.clock.Advance(24 * time.Hour)
	f.untilState(late.MessageID, outbox.Sent)
}

func TestACapCountsWhatWentBeforeItWasSet(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(f.enqueue(f.request(1, keyed("receipt"), transactional))[0].MessageID, outbox.Sent)
	f.untilState(f.enqueue(f.request(1, keyed("news")))[0].MessageID, outbox.Sent)
	f.clock.Advance(time.Hour)
	f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 2, Days: 7}}})
	if d := f.dry(1, keyed("second")); !d.Allowed {
		t.Errorf("a receipt is counted: %+v", d)
	}
	f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 1, Days: 7}}})
	if d := f.dry(1, keyed("second")); d.Reason != outbox.ReasonCapped || d.Data["taken"] != 1 {
		t.Errorf("the news of an hour ago is not counted: %+v", d)
	}
	if d := f.dry(2, keyed("first")); !d.Allowed {
		t.Errorf("who got nothing: %+v", d)
	}
	d := f.enqueue(f.request(1, keyed("third")))[0]
	if m := f.untilState(d.MessageID, outbox.Refused); m.Reason != outbox.ReasonCapped {
		t.Errorf("%+v", m)
	}
	f.clock.Advance(7 * 24 * time.Hour)
	f.untilState(f.enqueue(f.request(1, keyed("a week later")))[0].MessageID, outbox.Sent)
}

func TestACapCountsItsOwnChannelAlone(t *testing.T) {
	took := func(channel string) []outbox.Slot {
		return []outbox.Slot{{MessageID: "earlier", PersonID: "p", Channel: channel, Topic: "t", At: start}}
	}
	at := start.Add(time.Hour)
	for name, c := range map[string]struct {
		cap, sends, earlier string
		want                string
	}{
		"the same":                      {"email", "email", "email", outbox.ReasonCapped},
		"a cap of another channel":      {"sms", "email", "email", ""},
		"what another channel has sent": {"email", "email", "sms", ""},
		"all channels together":         {"", "email", "sms", outbox.ReasonCapped},
	} {
		p := outbox.Policy{Caps: []outbox.Cap{{Channel: c.cap, Limit: 1, Days: 1}}}
		if when, got, _ := p.Forecast("p", c.sends, "t", at, time.UTC, took(c.earlier)); got != c.want || !when.Equal(at) {
			t.Errorf("%s: %q at %s, want %q", name, got, when, c.want)
		}
	}
}

func TestACapOfAYearRemembersAYear(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	f.policy(outbox.Policy{Caps: []outbox.Cap{{Limit: 1, Days: 366}}})
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(f.enqueue(f.request(1, keyed("first")))[0].MessageID, outbox.Sent)
	f.clock.Set(start.AddDate(0, 0, 330))
	if d := f.dry(1, keyed("second")); d.Reason != outbox.ReasonCapped {
		t.Errorf("after 330 days: %+v", d)
	}
	f.clock.Set(start.AddDate(0, 0, 366))
	if d := f.dry(1, keyed("third")); !d.Allowed {
		t.Errorf("after 366 days: %+v", d)
	}
}

func TestACappedMessageMayWaitForItsTurn(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	another, err := f.consent.CreateTopic(t.Context(), ws, consent.Topic{Name: "Another", Channels: []string{"email"}})
	if err != nil {
		t.Fatal(err)
	}
	f.policy(outbox.Policy{Caps: []outbox.Cap{{Channel: "email", Limit: 1, Days: 1, Retry: 24}, {Topic: another.ID, Limit: 1, Days: 300}}})
	f.dispatch(outbox.DispatchConfig{})
	a := f.enqueue(f.request(1, keyed("a")))[0]
	f.untilState(a.MessageID, outbox.Sent)
	f.clock.Advance(time.Hour)
	b := f.enqueue(f.request(1, keyed("b")))[0]
	if m := f.message(b.MessageID); !b.Allowed || m.Reason != outbox.ReasonCapped || !m.DueAt.Equal(start.Add(24*time.Hour)) {
		t.Errorf("the second waits: %+v", m)
	}
	f.clock.Advance(23 * time.Hour)
	f.untilState(b.MessageID, outbox.Sent)
	if d := f.dry(1, keyed("c")); !d.Allowed { // due in 24 hours, just within its retry
		t.Errorf("the third would wait: %+v", d)
	}
}

func TestTheHoldoutIsTheSamePeopleAndGetsNothingButReceipts(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 400)
	out := func() (people []int) {
		for n := 1; n <= 400; n++ {
			if d := f.dry(n); d.Reason == outbox.ReasonHoldout {
				people = append(people, n)
			} else if !d.Allowed {
				t.Fatalf("%d: %+v", n, d)
			}
		}
		return people
	}
	salt := f.policy(outbox.Policy{Holdout: 10}).Salt
	ten := out()
	if len(ten) < 20 || len(ten) > 62 { // four standard deviations
		t.Errorf("%d of 400 are held out, want about 40", len(ten))
	}
	if again := f.policy(outbox.Policy{Holdout: 20}).Salt; again != salt || salt == "" {
		t.Errorf("salt %q became %q", salt, again)
	}
	twenty := out()
	for _, n := range ten {
		if !slices.Contains(twenty, n) {
			t.Errorf("%d left the holdout when it grew", n)
		}
	}
	if d := f.dry(ten[0], transactional); !d.Allowed {
		t.Errorf("a receipt: %+v", d)
	}
	f.policy(outbox.Policy{})
	half := func(r *outbox.Request) { r.Holdout = 50 }
	other := func(r *outbox.Request) { r.Source.ID = "cmp_2" }
	alone, both := 0, 0
	for n := 1; n <= 400; n++ {
		if d := f.dry(n, half); d.Reason != outbox.ReasonHoldout {
			continue
		}
		alone++
		if d := f.dry(n, half, other); d.Reason == outbox.ReasonHoldout {
			both++
		}
		if d := f.dry(n, half, transactional); !d.Allowed {
			t.Errorf("a receipt of a source that holds %d out: %+v", n, d)
		}
	}
	if alone < 160 || alone > 240 {
		t.Errorf("%d of 400 are held out of one source, want about 200", alone)
	}
	if both < 60 || both > 140 {
		t.Errorf("%d of 400 are held out of two sources, want about 100: each draws its own", both)
	}
}

func TestWhoIsHeldBackForAWhileIsWrittenToAfterwards(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	until := start.Add(24 * time.Hour)
	if _, err := f.consent.HoldPerson(t.Context(), ws, consent.Hold{PersonID: pid(1), Ground: consent.GroundAsked, Until: until}); err != nil {
		t.Fatal(err)
	}
	planned := func(at time.Time) func(*outbox.Request) { return func(r *outbox.Request) { r.NotBefore = at } }
	if d := f.dry(1, planned(until.Add(-time.Second))); d.Reason != outbox.ReasonPersonSuppressed || d.Data["until"] != until.Format(time.RFC3339) {
		t.Errorf("planned for a moment before: %+v", d)
	}
	if d := f.dry(1, planned(until.Add(time.Second))); !d.Allowed {
		t.Errorf("planned for afterwards: %+v", d)
	}
}

func TestPoliciesThatCannotBeAreNamed(t *testing.T) {
	f := setup(t, sqlite(t))
	for field, p := range map[string]outbox.Policy{
		"quiet[0].to":         {Quiet: []outbox.Quiet{{From: 60, To: 60}}},
		"quiet[1].days":       {Quiet: []outbox.Quiet{{From: 60, To: 70}, {From: 60, To: 70, Days: []time.Weekday{7}}}},
		"caps[0].limit":       {Caps: []outbox.Cap{{Days: 1}}},
		"caps[0].days":        {Caps: []outbox.Cap{{Limit: 1}}},
		"caps[0].retry_hours": {Caps: []outbox.Cap{{Limit: 1, Days: 1, Retry: -1}}},
		"caps[1].topic":       {Caps: []outbox.Cap{{Limit: 1, Days: 1}, {Limit: 1, Days: 1, Topic: "tpc_gone"}}},
		"caps[0].channel":     {Caps: []outbox.Cap{{Limit: 1, Days: 1, Channel: "mail"}}},
		"quiet[0].channel":    {Quiet: []outbox.Quiet{{From: 60, To: 70, Channel: "mail"}}},
		"holdout":             {Holdout: 51},
		"reserve_hours":       {Reserve: 169},
	} {
		_, err := f.SetPolicy(t.Context(), ws, p)
		if all := errs.All(err); len(all) != 1 || all[0].Field != field || strings.Contains(all[0].Code, "[") {
			t.Errorf("%s: %v", field, err)
		}
	}
	half := []outbox.Quiet{{From: 0, To: 12 * 60, Refuse: true}, {From: 12 * 60, To: 0}}
	weekdays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday}
	for name, p := range map[string]outbox.Policy{
		"day and night":                     {Quiet: half},
		"day and night of one channel":      {Quiet: []outbox.Quiet{{From: 0, To: 12 * 60}, {From: 11 * 60, To: 1 * 60, Channel: "email"}}},
		"overlapping every day of the week": {Quiet: []outbox.Quiet{{From: 12 * 60, To: 0, Days: weekdays}, {From: 12 * 60, To: 0, Days: []time.Weekday{time.Sunday}}, half[0]}},
	} {
		_, err := f.SetPolicy(t.Context(), ws, p)
		if all := errs.All(err); len(all) != 1 || all[0].Code != "outbox.policy.endless" {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.policy(outbox.Policy{Quiet: []outbox.Quiet{half[0], {From: 12 * 60, To: 0, Days: weekdays}}}) // Sunday afternoon is free
	if _, err := outbox.ParseClock("25:00"); err == nil {
		t.Error("25:00 is a time of day")
	}
}

// TestNoOrderOfEventsSendsAboveACapOrToASuppressedPerson lets two senders at once loose on random requests, suppressions, merges and jumps
// of the clock, and counts what arrived.
func TestNoOrderOfEventsSendsAboveACapOrToASuppressedPerson(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := setup(t, db)
		for range 2 {
			f.dispatch(outbox.DispatchConfig{Batch: 3})
		}
		people := 0 // four new ones each time
		rapid.Check(t, func(r *rapid.T) {
			first := people + 1
			people += 4
			f.subscribed(first, people)
			someone := rapid.IntRange(first, people)
			limit, days := rapid.IntRange(1, 3).Draw(r, "limit"), rapid.IntRange(1, 2).Draw(r, "days")
			calendar := rapid.Bool().Draw(r, "calendar")
			f.policy(outbox.Policy{
				Caps:  []outbox.Cap{{Limit: limit, Days: days, Calendar: calendar, Retry: rapid.SampledFrom([]int{0, 12, 48}).Draw(r, "retry")}},
				Quiet: []outbox.Quiet{{From: 22 * 60, To: 6 * 60}},
			})
			type arrival struct {
				address string
				at      time.Time
			}
			arrivals := func() (out []arrival) {
				// The clock jumps past the senders' leases, so one may take the other for dead and send once more what that one had in flight.
				// Such a copy is of the same message, and the message must say that an answer was lost.
				copies := map[string]int{}
				for _, m := range f.wire.got() {
					var n int
					if _, err := fmt.Sscanf(m.To.Addr, "p%d@", &n); err != nil || n < first {
						continue
					}
					copies[m.ID]++
					if lost := f.message(m.ID).Uncertain; copies[m.ID]-1 > lost {
						r.Fatalf("%s arrived %d times, but only %d answers were lost", m.ID, copies[m.ID], lost)
					}
					if copies[m.ID] == 1 {
						out = append(out, arrival{m.To.Addr, m.Date})
					}
				}
				return out
			}
			type merge struct {
				loser, winner string
				after         int // so many had arrived
			}
			var merges []merge
			suppressed := map[string]time.Time{}
			for i := range rapid.IntRange(5, 20).Draw(r, "steps") {
				switch rapid.IntRange(0, 6).Draw(r, "what") {
				case 0:
					f.until("quiet", func() bool { return f.idle() }) // a mail takes no hours to compose
					f.clock.Advance(time.Duration(rapid.IntRange(1, 20).Draw(r, "hours")) * time.Hour)
				case 1:
					n := someone.Draw(r, "who")
					address := fmt.Sprintf("p%d@example.test", n)
					f.until("quiet", func() bool { return f.idle() })
					if _, err := f.consent.Suppress(t.Context(), ws, consent.Suppress{Channel: "email", Address: address, Reason: consent.Complaint}); err != nil {
						r.Fatal(err)
					}
					suppressed[address] = f.clock.Now()
				case 2:
					loser, winner := someone.Draw(r, "loser"), someone.Draw(r, "winner")
					address := func(n int) string { return fmt.Sprintf("p%d@example.test", n) }
					if loser == winner || slices.ContainsFunc(merges, func(m merge) bool { return m.loser == address(loser) || m.loser == address(winner) }) {
						continue
					}
					f.until("quiet", func() bool { return f.idle() })
					f.merge(loser, winner)
					merges = append(merges, merge{address(loser), address(winner), len(arrivals())})
				default:
					var reqs []outbox.Request
					for k := range rapid.IntRange(1, 6).Draw(r, "messages") {
						reqs = append(reqs, f.request(someone.Draw(r, "who"), keyed(fmt.Sprintf("%d.%d.%d", first, i, k))))
					}
					f.enqueue(reqs...)
					if rapid.Bool().Draw(r, "settle") {
						f.until("quiet", func() bool { return f.idle() })
					}
				}
			}
			f.until("quiet", func() bool { return f.idle() })
			got := arrivals()
			for i, a := range got {
				if since, ok := suppressed[a.address]; ok && a.at.After(since) {
					r.Fatalf("%s got mail after it was suppressed", a.address)
				}
				if h := a.at.Hour(); h >= 22 || h < 6 {
					r.Fatalf("%s got mail at %s", a.address, a.at)
				}
				same := map[string]bool{a.address: true} // addresses of people who were this person by then
				for changed := true; changed; {
					changed = false
					for _, m := range merges {
						if m.after <= i && same[m.winner] && !same[m.loser] {
							same[m.loser], changed = true, true
						}
					}
				}
				from := a.at.Add(-time.Duration(days) * 24 * time.Hour).Add(time.Microsecond)
				if calendar {
					from = a.at.Truncate(24*time.Hour).AddDate(0, 0, 1-days)
				}
				n := 1
				for _, b := range got[:i] {
					if same[b.address] && !b.at.Before(from) {
						n++
					}
				}
				// Two people who had their fill become one who has had more; but nothing comes on top of it.
				if n > limit {
					r.Fatalf("%s got message %d in %d days, the cap is %d", a.address, n, days, limit)
				}
			}
		})
	})
}

// idle reports whether nothing is due.
func (f *fixture) idle() bool {
	f.t.Helper()
	n, err := sqldb.One(f.t.Context(), f.db, sqldb.Value[int64], `SELECT count(*) FROM message WHERE state = 'claimed' OR (state = 'queued' AND due_at <= $1)`, f.clock.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return n == 0
}

// Two people who look at the same rules: the second to save is told, even if nothing had ever been saved before, and neither's rules are lost.
func TestRulesThatSomebodyElseHasChangedAreNotOverwritten(t *testing.T) {
	f := setup(t, sqlite(t))
	seen, err := f.Policy(t.Context(), ws)
	if err != nil || seen.Rev != 1 {
		t.Fatalf("nothing saved: %+v, %v", seen, err)
	}
	mine, theirs := seen, seen
	theirs.Caps = []outbox.Cap{{Limit: 2, Days: 7}}
	mine.Caps = []outbox.Cap{{Limit: 9, Days: 7}}
	saved, err := f.SetPolicy(t.Context(), ws, theirs)
	if err != nil || saved.Rev != 2 || saved.Salt == "" {
		t.Fatalf("saved: %+v, %v", saved, err)
	}
	_, err = f.SetPolicy(t.Context(), ws, mine)
	if e, ok := errors.AsType[*errs.Error](err); !ok || e.Code != "outbox.policy.changed" || e.Kind != errs.KindConflict {
		t.Errorf("over what was not seen: %v", err)
	}
	if got, err := f.Policy(t.Context(), ws); err != nil || got.Caps[0].Limit != 2 || got.Rev != 2 {
		t.Errorf("theirs: %+v, %v", got, err)
	}
	mine.Rev = 0
	if got, err := f.SetPolicy(t.Context(), ws, mine); err != nil || got.Caps[0].Limit != 9 || got.Rev != 3 {
		t.Errorf("over whatever is there: %+v, %v", got, err)
	}
}

func TestAnAccountThatSomebodyElseHasChangedIsNotOverwritten(t *testing.T) {
	f := setup(t, sqlite(t))
	seen, err := f.CreateAccount(t.Context(), ws, outbox.Account{Kind: "email", Name: "Shared", FromAddr: "a@b.example", Config: json.RawMessage(`{"host":"h"}`)})
	if err != nil {
		t.Fatal(err)
	}
	theirs, mine := seen, seen
	theirs.Pace.Throttles = []outbox.Throttle{{Name: "theirs", Domains: []string{"a.example"}, PerMinute: 1}}
	mine.Pace.Throttles = []outbox.Throttle{{Name: "mine", Domains: []string{"b.example"}, PerMinute: 1}}
	saved, err := f.UpdateAccount(t.Context(), ws, theirs)
	if err != nil || saved.Rev <= seen.Rev {
		t.Fatalf("saved: %+v, %v", saved, err)
	}
	if _, err := f.UpdateAccount(t.Context(), ws, mine); errs.KindOf(err) != errs.KindConflict {
		t.Errorf("over what was not seen: %v", err)
	}
	got, err := f.Account(t.Context(), ws, seen.ID)
	if err != nil || got.Rev != saved.Rev || len(got.Pace.Throttles) != 1 || got.Pace.Throttles[0].Name != "theirs" {
		t.Errorf("theirs: %+v, %v", got, err)
	}
}
