package outbox_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func mailFrom(from, key string, change ...func(*channel.Returned)) channel.Returned {
	n := channel.Returned{
		News: channel.NewsReplied, Key: key, At: start.Add(time.Minute), To: []string{"Hello+x@in.example.test"},
		Reply: channel.Reply{From: from, Name: "Ada", Subject: "A question", Text: "Do you deliver to Uji?"},
	}
	for _, c := range change {
		c(&n)
	}
	return n
}

// strangers is a workspace whose account takes mail of people who write first, if it should.
func strangers(t *testing.T, open bool) *fixture {
	t.Helper()
	f := setup(t, sqlite(t), func(c *outbox.Config) {
		c.Known = func(_ context.Context, _, address string) (bool, error) { return address == "known@example.test", nil }
	})
	if _, err := f.SetInbound(t.Context(), ws, outbox.Inbound{Account: f.account.ID, Address: "hello@in.example.test", Strangers: open}); err != nil {
		t.Fatal(err)
	}
	f.clock.Set(start.Add(time.Hour))
	return f
}

func (f *fixture) written(t *testing.T, from outbox.Scope, n channel.Returned) ([]event.Event, outbox.Taken) {
	t.Helper()
	events, taken, err := f.Returned(t.Context(), from, n)
	if err != nil {
		t.Fatal(err)
	}
	return events, taken[0]
}

func TestWhoWritesFirstBecomesAPerson(t *testing.T) {
	f := strangers(t, true)
	for name, from := range map[string]outbox.Scope{"listener": {}, "mailbox": {Workspace: ws, Account: f.account.ID}} {
		events, taken := f.written(t, from, mailFrom("ada@example.test", "k1"))
		if taken != outbox.TakenStranger || len(events) != 2 {
			t.Fatalf("%s: %s %+v", name, taken, events)
		}
		who, mail := events[0], events[1]
		if who.Type != event.Identify || who.PersonID != "" || who.Source != outbox.SourceInbound || !strings.Contains(string(who.Context), `"id":"ada@example.test"`) {
			t.Errorf("%s: who: %+v", name, who)
		}
		if diff := cmp.Diff(map[string]any{"email": "ada@example.test", "email_verified": false, "name": "Ada"}, props(t, who)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		p := props(t, mail)
		if mail.Name != event.MessageReceived || mail.Type != event.Message || p["text"] != "Do you deliver to Uji?" || p["account"] != f.account.ID || p["channel"] != "email" || !mail.Time.Equal(start.Add(time.Minute)) {
			t.Errorf("%s: mail: %+v %v", name, mail, p)
		}
		if mail.MessageID != "mail:"+f.account.ID+":k1" {
			t.Errorf("%s: the same mail by another way has another id: %s", name, mail.MessageID)
		}
	}
	// What is known of somebody does not change by a mail that anybody may have written.
	if events, taken := f.written(t, outbox.Scope{}, mailFrom("known@example.test", "k2")); taken != outbox.TakenStranger || len(events) != 1 || events[0].Name != event.MessageReceived {
		t.Errorf("a known address: %s %+v", taken, events)
	}
}

func TestWhatNoPersonWroteMakesNoPerson(t *testing.T) {
	f := strangers(t, true)
	for name, n := range map[string]channel.Returned{
		"automatic":       mailFrom("ada@example.test", "1", func(n *channel.Returned) { n.Reply.Auto = true }),
		"bounce":          mailFrom("ada@example.test", "2", func(n *channel.Returned) { n.News = channel.NewsBounced }),
		"complaint":       mailFrom("ada@example.test", "3", func(n *channel.Returned) { n.News = channel.NewsComplained }),
		"our own mail":    mailFrom("shop@example.test", "4"),
		"our own way":     mailFrom("hello+b@in.example.test", "5"),
		"no sender":       mailFrom("", "6"),
		"odd sender":      mailFrom("ada", "7"),
		"another address": mailFrom("ada@example.test", "8", func(n *channel.Returned) { n.To = []string{"else@in.example.test"} }),
		"to nobody":       mailFrom("ada@example.test", "9", func(n *channel.Returned) { n.To = nil }),
	} {
		if events, taken := f.written(t, outbox.Scope{}, n); taken != outbox.TakenUnknown || len(events) != 0 {
			t.Errorf("%s: %s %+v", name, taken, events)
		}
	}
	kept := strangers(t, false)
	if events, taken := kept.written(t, outbox.Scope{}, mailFrom("ada@example.test", "1")); taken != outbox.TakenUnknown || len(events) != 0 {
		t.Errorf("an account that keeps them out: %s %+v", taken, events)
	}
}

func TestUnknownSendersAreBounded(t *testing.T) {
	f := strangers(t, true)
	box := outbox.Scope{Workspace: ws, Account: f.account.ID}
	for i := range 20 {
		if _, taken := f.written(t, box, mailFrom("ada@example.test", fmt.Sprint(i))); taken != outbox.TakenStranger {
			t.Fatalf("mail %d: %s", i, taken)
		}
	}
	if _, taken := f.written(t, box, mailFrom("ada@example.test", "more")); taken != outbox.TakenLimited {
		t.Errorf("one sender's 21st mail: %s", taken)
	}
	if _, taken := f.written(t, box, mailFrom("ada@example.test", "3")); taken != outbox.TakenStranger {
		t.Errorf("a mail that was taken before: %s", taken)
	}
	if _, _, err := f.Returned(t.Context(), outbox.Scope{}, mailFrom("ada@example.test", "more")); !errs.Is(err, errs.KindRateLimited) {
		t.Errorf("the listener tells the other server to wait: %v", err)
	}
	limited := 0
	for i := range 600 {
		if _, taken := f.written(t, box, mailFrom(fmt.Sprintf("p%d@example.test", i), fmt.Sprint("s", i))); taken == outbox.TakenLimited {
			limited++
		}
	}
	if limited != 120 { // 500 an hour, 20 of them Ada's
		t.Errorf("%d of 600 strangers are kept out", limited)
	}
	f.clock.Advance(time.Hour)
	if _, taken := f.written(t, box, mailFrom("ada@example.test", "later")); taken != outbox.TakenStranger {
		t.Errorf("an hour later: %s", taken)
	}
}

func TestPeopleNeedAnAddressToWriteTo(t *testing.T) {
	f := setup(t, sqlite(t))
	for _, in := range []outbox.Inbound{{Strangers: true}, {Strangers: true, Address: "in.example.test"}} {
		in.Account = f.account.ID
		if _, err := f.SetInbound(t.Context(), ws, in); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("%+v: %v", in, err)
		}
	}
}
