package outbox_test

import (
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

// waits returns what a message waits for, the zero value if it does not.
func (f *fixture) waits(d outbox.Decision) outbox.Wait {
	f.t.Helper()
	w, err := f.Waits(f.t.Context(), ws, []outbox.Message{f.message(d.MessageID)})
	if err != nil {
		f.t.Fatal(err)
	}
	return w[d.MessageID]
}

func TestAMessageThatWaitsSaysWhatForAndUntilWhen(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 3)
	f.livesIn(1, "Australia/Sydney")
	f.policy(outbox.Policy{Quiet: []outbox.Quiet{{From: 20 * 60, To: 8 * 60}}})
	later := start.Add(time.Hour)
	d := f.enqueue(f.request(1), f.request(2, func(r *outbox.Request) { r.NotBefore = later }), f.request(3), f.request(4))
	says := func(what string, d outbox.Decision, reason string, at time.Time) {
		t.Helper()
		if w := f.waits(d); w.Reason != reason || !w.At.Equal(at) {
			t.Errorf("%s: waits for %+v, want %s at %s", what, w, reason, at)
		}
	}
	morning := time.Date(2026, 3, 1, 21, 0, 0, 0, time.UTC)
	says("at night", d[0], outbox.ReasonQuietHours, morning)
	says("planned", d[1], outbox.ReasonScheduled, later)
	says("due", d[2], outbox.ReasonTurn, time.Time{})
	says("refused", d[3], "", time.Time{})

	// What holds everything back comes first, and leaves the time that is the message's own.
	if err := f.StopSending(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	says("at night, stopped", d[0], outbox.ReasonStopped, morning)
	says("due, stopped", d[2], outbox.ReasonStopped, time.Time{})
	if err := f.ResumeSending(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	if m, err := f.Cancel(t.Context(), ws, d[1].MessageID); err != nil {
		t.Fatal(err)
	} else if c := m.Course(); c[len(c)-1].Reason != outbox.ReasonCancelled {
		t.Errorf("cancelled: %+v", c)
	}
	says("cancelled", d[1], "", time.Time{})
	if err := f.DeleteAccount(t.Context(), ws, f.account.ID); err != nil {
		t.Fatal(err)
	}
	says("without an account", d[2], outbox.ReasonNoAccount, time.Time{})
}
