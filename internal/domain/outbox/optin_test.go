package outbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// double adds a double opt-in topic.
func (f *fixture) double() consent.Topic {
	f.t.Helper()
	topic, err := f.consent.CreateTopic(f.t.Context(), ws, consent.Topic{Name: "Offers", Description: "Two a month", Channels: []string{"email"}, OptIn: consent.Double})
	if err != nil {
		f.t.Fatal(err)
	}
	return topic
}

func (f *fixture) says(c consent.Change) {
	f.t.Helper()
	c.Channel = "email"
	if err := f.consent.Change(f.t.Context(), ws, c); err != nil {
		f.t.Fatal(err)
	}
}

func TestDoubleOptInAsksTheOwnerOfTheAddress(t *testing.T) {
	f := setup(t, sqlite(t))
	ctx := t.Context()
	id := f.people.add(1, func(p *person.Person) { p.Traits["locale"] = person.Trait{Value: "ja-JP"} })
	offers := f.double()
	f.dispatch(outbox.DispatchConfig{})
	signUp := consent.Change{PersonID: id, Topic: offers.ID, Status: consent.Subscribed, Source: "event:browser:form", IP: "203.0.113.0"}
	f.says(signUp)
	f.until("the mail has gone", func() bool { return len(f.wire.got()) == 1 })
	mail := f.wire.got()[0]
	if mail.Subject != "登録のご確認：Offers" || mail.To.Addr != "p1@example.test" || !strings.Contains(mail.Text, "Two a month") || mail.Headers["List-Unsubscribe"] != "" {
		t.Errorf("%+v", mail)
	}
	ask := func() outbox.Decision { return f.dry(1, func(r *outbox.Request) { r.Topic = offers.ID }) }
	if d := ask(); d.Reason != outbox.ReasonNotSubscribed || d.Data["pending"] != start.Format(time.RFC3339) || d.Data["expired"] != false {
		t.Errorf("before the answer: %+v", d)
	}
	c, err := f.Links().ReadConfirm(token(t, mail.Text, outbox.ConfirmPath))
	if err != nil {
		t.Fatal(err)
	}
	if a, err := f.Asked(ctx, c); err != nil || !a.Open || a.Done || a.Topic.ID != offers.ID || a.Sender != "Shop" {
		t.Errorf("%+v, %v", a, err)
	}
	f.clock.Advance(6 * 24 * time.Hour)
	for range 2 { // people click twice
		if err := f.Confirm(ctx, c, outbox.Said{IP: "198.51.100.0"}); err != nil {
			t.Fatal(err)
		}
	}
	if d := ask(); !d.Allowed {
		t.Errorf("after the answer: %+v", d)
	}
	h, err := f.consent.History(ctx, ws, id, page.Request{})
	if err != nil || len(h.Items) != 2 || h.Items[0].Source != "double_opt_in" || h.Items[0].IP != "198.51.100.0" || h.Items[0].TextVersion != 1 || h.Items[1].Status != consent.Pending || h.Items[1].IP != "203.0.113.0" {
		t.Errorf("proof: %+v, %v", h.Items, err)
	}
	f.says(signUp) // the form again: nothing to confirm
	if d := ask(); !d.Allowed || len(f.wire.got()) != 1 {
		t.Errorf("signed up again: %+v, %d mails", d, len(f.wire.got()))
	}
}

func TestConfirmationsExpireAndRefusalsStand(t *testing.T) {
	f := setup(t, sqlite(t))
	ctx := t.Context()
	id, offers := f.people.add(1), f.double()
	confirm := func() error {
		return f.Confirm(ctx, outbox.Confirmation{Workspace: ws, PersonID: id, Topic: offers.ID, Channel: "email", Asked: start}, outbox.Said{})
	}
	f.says(consent.Change{PersonID: id, Topic: offers.ID, Status: consent.Subscribed, Source: "form"})
	f.clock.Advance(consent.ConfirmWithin + time.Second)
	if err := confirm(); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("too late: %v", err)
	}
	if d := f.dry(1, func(r *outbox.Request) { r.Topic = offers.ID }); d.Data["expired"] != true {
		t.Errorf("%+v", d)
	}
	f.clock.Set(start.Add(time.Minute))
	f.says(consent.Change{PersonID: id, Topic: offers.ID, Status: consent.Unsubscribed, Source: "call"})
	if err := confirm(); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("withdrawn: %v", err)
	}
}

func TestAFormIsNoWayToFillSomebodysMailbox(t *testing.T) {
	f := setup(t, sqlite(t))
	ctx := t.Context()
	id, offers := f.people.add(1), f.double()
	mails := func() int64 {
		c, err := f.Counts(ctx, ws, outbox.Source{Kind: "system", ID: "confirmation"})
		if err != nil {
			t.Fatal(err)
		}
		return c.Audience
	}
	for range 50 {
		f.says(consent.Change{PersonID: id, Topic: offers.ID, Status: consent.Subscribed, Source: "form"})
		f.clock.Advance(4 * time.Minute)
	}
	if n := mails(); n > 3 || n == 0 {
		t.Errorf("%d mails", n)
	}
	if err := f.consent.Resend(ctx, ws, id, offers.ID, "email", "api"); !errs.Is(err, errs.KindRateLimited) {
		t.Errorf("resend: %v", err)
	}
	f.clock.Advance(25 * time.Hour)
	before := mails()
	if err := f.consent.Resend(ctx, ws, id, offers.ID, "email", "api"); err != nil || mails() != before+1 {
		t.Errorf("resend the next day: %v, %d mails", err, mails()-before)
	}
}

func TestAPauseAndAWeeklyLimitAreHonoured(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	ctx := t.Context()
	f.dispatch(outbox.DispatchConfig{})
	first := f.enqueue(f.request(1, keyed("first")))[0]
	f.untilState(first.MessageID, outbox.Sent)
	link := outbox.Link{Workspace: ws, MessageID: first.MessageID}
	if err := f.Pause(ctx, link, true, page1); err != nil {
		t.Fatal(err)
	}
	until := start.Add(outbox.PauseFor).Format(time.RFC3339)
	if d := f.dry(1, keyed("p")); d.Reason != outbox.ReasonPaused || d.Data["until"] != until {
		t.Errorf("paused: %+v", d)
	}
	if d := f.dry(1, keyed("p"), transactional); !d.Allowed {
		t.Errorf("a receipt: %+v", d)
	}
	if d := f.dry(1, keyed("p"), func(r *outbox.Request) { r.NotBefore = start.Add(outbox.PauseFor) }); !d.Allowed {
		t.Errorf("planned for afterwards: %+v", d)
	}
	p, err := f.Preferences(ctx, link)
	if err != nil || p.Settings.PausedUntil.IsZero() || p.Why.Kind != "subscribed" || p.Why.Topic != "News" {
		t.Errorf("%+v, %v", p, err)
	}
	if err := f.Pause(ctx, link, false, page1); err != nil {
		t.Fatal(err)
	}
	if err := f.Choose(ctx, outbox.Link{Workspace: ws, PersonID: pid(1)}, map[string]bool{f.news.ID: true}, true, page1); err != nil {
		t.Fatal(err)
	}
	if d := f.enqueue(f.request(1, keyed("second")))[0]; d.Reason != outbox.ReasonCapped || d.Data["own"] != true {
		t.Errorf("the message that went before the choice is forgotten: %+v", d)
	}
	f.clock.Advance(6 * 24 * time.Hour)
	if d := f.enqueue(f.request(1, keyed("third")))[0]; d.Reason != outbox.ReasonCapped || d.Data["own"] != true {
		t.Errorf("the same week: %+v", d)
	}
	f.clock.Advance(25 * time.Hour)
	fourth := f.enqueue(f.request(1, keyed("fourth")), f.request(1, keyed("fifth")))
	f.until("one of two", func() bool {
		a, b := f.message(fourth[0].MessageID).State, f.message(fourth[1].MessageID).State
		return a == outbox.Sent && b == outbox.Refused || a == outbox.Refused && b == outbox.Sent
	})
	if err := f.consent.PeopleMerged(ctx, ws, pid(1), pid(2)); err != nil {
		t.Fatal(err)
	}
	if s, _, err := f.consent.Preferences(ctx, ws, pid(2)); err != nil || !s.Weekly {
		t.Errorf("after a merge: %+v, %v", s, err)
	}
}
