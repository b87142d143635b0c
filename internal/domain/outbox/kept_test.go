package outbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

// toldSent is what the log says of the messages that another outbox, whose records are lost, has sent to people from..to.
func toldSent(t *testing.T, from, to int) (events []event.Kept) {
	f := setup(t, sqlite(t))
	f.sent(from, to)
	for _, e := range f.log.all() {
		if e.Name != event.MessageSent {
			continue
		}
		var n int
		if _, err := fmt.Sscanf(e.PersonID, "per_%d", &n); err != nil {
			t.Fatal(err)
		}
		events = append(events, event.Kept{Event: e, Person: uint64(n)})
	}
	if len(events) != to-from+1 {
		t.Fatalf("%d of %d were told", len(events), to-from+1)
	}
	return events
}

func TestWhatTheLogSaysWasSentIsNotSentBySetBackRecords(t *testing.T) {
	events := toldSent(t, 1, 4)
	f := setup(t, sqlite(t))
	f.subscribed(1, 5)
	f.enqueueRange(1, 2) // before the log is read
	f.receive(events...)
	f.receive(events...)
	decisions := f.enqueueRange(3, 5) // afterwards: a campaign goes on
	for i, d := range decisions[:2] {
		if !d.Duplicate {
			t.Errorf("message %d is asked for once more: %+v", i+3, d)
		}
	}
	dispatcher := f.dispatch(outbox.DispatchConfig{})
	f.untilState(decisions[2].MessageID, outbox.Sent)
	if err := dispatcher.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.wire.got(); len(got) != 1 {
		t.Errorf("%d mails went, want the one to person 5", len(got))
	}
	for _, e := range events {
		id := strings.Split(e.MessageID, ":")[1]
		if m := f.message(id); m.State != outbox.Sent || !m.SentAt.Equal(e.Time) || m.Source != cmp1 || m.PersonID != e.PersonID || m.Subject == "" {
			t.Errorf("%s is %+v", id, m)
		}
	}
	if n := f.counts().Sent; n != 5 {
		t.Errorf("the report has %d, want 5", n)
	}
}

func TestResumingAfreshCancelsWhatWaits(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 3)
	ctx := t.Context()
	if err := f.StopSending(ctx, ws); err != nil {
		t.Fatal(err)
	}
	old := f.enqueueRange(1, 2)
	if n, err := f.ResumeAfresh(ctx, ws); err != nil || n != 2 {
		t.Fatalf("%d cancelled, %v", n, err)
	}
	if since, err := f.SendingStopped(ctx, ws); err != nil || !since.IsZero() {
		t.Errorf("stopped since %v, %v", since, err)
	}
	f.sent(3, 3)
	for _, d := range old {
		if m := f.message(d.MessageID); m.State != outbox.Cancelled {
			t.Errorf("%s is %s", m.ID, m.State)
		}
	}
	if got := f.wire.got(); len(got) != 1 {
		t.Errorf("%d mails went, want the one that was asked for afterwards", len(got))
	}
}

func TestWhatWasSentToSomebodyForgottenIsNotKeptAgain(t *testing.T) {
	events := toldSent(t, 1, 2)
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	f.receive(events...)
	if n := f.counts().Sent; n != 1 {
		t.Errorf("%d messages are kept, want the one to the person who is there", n)
	}
}
