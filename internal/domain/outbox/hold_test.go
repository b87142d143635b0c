package outbox_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

func TestWhatWaitsForAPausedCampaignStaysUntilItGoesOn(t *testing.T) {
	paused := true
	f := setup(t, sqlite(t), func(c *outbox.Config) {
		c.Paused = func(_ context.Context, of string, src outbox.Source) (bool, error) {
			return paused && of == ws && src == cmp1, nil
		}
	})
	f.subscribed(1, 3)
	f.livesIn(1, "Australia/Sydney")
	f.policy(outbox.Policy{Quiet: []outbox.Quiet{{From: 20 * 60, To: 8 * 60}}})
	other := func(r *outbox.Request) { r.Source.ID = "cmp_2" }
	variant := func(r *outbox.Request) { r.Source.Node = "A" }
	d := f.enqueue(f.request(1, variant), f.request(2), f.request(3, other))
	if err := f.SourcePaused(t.Context(), ws, cmp1); err != nil {
		t.Fatal(err)
	}
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(d[2].MessageID, outbox.Sent) // of a campaign that runs
	f.until("it waits", func() bool { return f.message(d[1].MessageID).Reason == outbox.ReasonSourcePaused })
	f.clock.Set(time.Date(2026, 3, 1, 21, 0, 0, 0, time.UTC)) // the night of the first is over
	f.until("it waits on", func() bool { return f.message(d[0].MessageID).Reason == outbox.ReasonSourcePaused })
	for _, n := range []int{0, 1} {
		m := f.message(d[n].MessageID)
		if m.State != outbox.Queued || m.Attempts != 0 || m.Data["source_id"] != "cmp_1" {
			t.Errorf("%+v", m)
		}
		if w := f.waits(d[n]); w.Reason != outbox.ReasonSourcePaused || !w.At.IsZero() {
			t.Errorf("waits for %+v", w)
		}
	}
	f.clock.Set(f.clock.Now().Add(35*time.Hour + 30*time.Minute)) // however often it is looked at; it is day for both
	f.until("it waits for another look", func() bool { return f.message(d[0].MessageID).DueAt.After(f.clock.Now()) })
	if got := len(f.wire.got()); got != 1 {
		t.Errorf("%d mails", got)
	}
	paused = false
	if err := f.SourceResumed(t.Context(), ws, cmp1); err != nil {
		t.Fatal(err)
	}
	f.untilState(d[0].MessageID, outbox.Sent)
	f.untilState(d[1].MessageID, outbox.Sent)
}

func TestWhoLeavesAJourneyGetsNothingThatStillWaitsOfIt(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	f.livesIn(1, "Australia/Sydney")
	f.livesIn(2, "Australia/Sydney")
	f.policy(outbox.Policy{Quiet: []outbox.Quiet{{From: 20 * 60, To: 8 * 60}}})
	of := func(key string) func(*outbox.Request) {
		return func(r *outbox.Request) {
			r.Key, r.Source = key, outbox.Source{Kind: "journey", ID: "jrn_1", Version: 3, Node: "mail"}
		}
	}
	receipt := func(r *outbox.Request) { r.Transactional, r.Topic, r.NotBefore = true, "", start.Add(time.Hour) }
	d := f.enqueue(f.request(1, of("jrn:ins_1:mail:1")), f.request(1, of("jrn:ins_2:mail:1")), f.request(1, of("jrn:ins_1:receipt:1"), receipt), f.request(2, of("jrn:ins_3:mail:1")), f.request(1))
	why := outbox.Evidence{"journey": "jrn_1", "why": "goal"}
	gone := []outbox.Withdrawal{{Person: pid(1), Source: outbox.Source{Kind: "journey", ID: "jrn_1"}, Keys: "jrn:ins_1:", Data: why}}
	for range 2 { // again changes nothing
		if err := f.Withdraw(t.Context(), ws, gone); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Withdraw(t.Context(), "ws_2", []outbox.Withdrawal{{Person: pid(2), Source: outbox.Source{Kind: "journey", ID: "jrn_1"}, Keys: "jrn:ins_3:", Data: why}}); err != nil {
		t.Fatal(err)
	}
	m := f.message(d[0].MessageID)
	if m.State != outbox.Refused || m.Reason != outbox.ReasonLeftJourney || m.Data["why"] != "goal" || m.EndedAt.IsZero() {
		t.Errorf("%+v", m)
	}
	if c := m.Course(); c[len(c)-1].Reason != outbox.ReasonLeftJourney {
		t.Errorf("%+v", c)
	}
	for n, what := range map[int]string{1: "of another round", 2: "what answers something", 3: "to somebody else", 4: "of a campaign"} {
		if m := f.message(d[n].MessageID); m.State != outbox.Queued {
			t.Errorf("%s: %+v", what, m)
		}
	}
	told := 0
	for _, e := range f.log.all() {
		if e.Name == event.MessageRefused {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	f.dispatch(outbox.DispatchConfig{})
	f.clock.Set(time.Date(2026, 3, 1, 21, 0, 0, 0, time.UTC))
	f.untilState(d[4].MessageID, outbox.Sent)
	if m := f.message(d[0].MessageID); m.State != outbox.Refused {
		t.Errorf("in the morning: %+v", m)
	}
}

// Before what has waited goes, whoever asked for it is asked whether it still makes sense; what was just asked for does.
func TestWhatHasWaitedGoesOnlyIfItIsStillWanted(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	f := setup(t, sqlite(t), func(c *outbox.Config) {
		c.Unwanted = func(_ context.Context, of string, messages []outbox.Message) (map[string]outbox.Evidence, error) {
			mu.Lock()
			defer mu.Unlock()
			out := map[string]outbox.Evidence{}
			for _, m := range messages {
				asked = append(asked, of+" "+m.PersonID)
				if m.PersonID == pid(1) {
					out[m.ID] = outbox.Evidence{"journey": "jrn_1", "why": "exit_rule"}
				}
			}
			return out, nil
		}
	})
	f.subscribed(1, 3)
	f.livesIn(1, "Australia/Sydney")
	f.livesIn(2, "Australia/Sydney")
	f.policy(outbox.Policy{Quiet: []outbox.Quiet{{From: 20 * 60, To: 8 * 60}}})
	d := f.enqueueRange(1, 3)
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(d[2].MessageID, outbox.Sent)
	f.clock.Set(time.Date(2026, 3, 1, 21, 0, 0, 0, time.UTC))
	f.untilState(d[1].MessageID, outbox.Sent)
	m := f.untilState(d[0].MessageID, outbox.Refused)
	if m.Reason != outbox.ReasonLeftJourney || m.Data["why"] != "exit_rule" {
		t.Errorf("%+v", m)
	}
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(asked)
	if want := []string{ws + " " + pid(1), ws + " " + pid(2)}; !slices.Equal(want, asked) {
		t.Errorf("asked about %v, want %v", asked, want)
	}
}
