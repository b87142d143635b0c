package outbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// back says that something came back about a message, and carries it through as the log would.
func (f *fixture) back(n channel.Returned) outbox.Taken {
	f.t.Helper()
	events, taken, err := f.Returned(f.t.Context(), outbox.Scope{}, n)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range events {
		f.receive(event.Kept{Event: e, Person: 1})
	}
	return taken[0]
}

func (f *fixture) ref(p outbox.Purpose, id string) []string {
	return []string{f.Links().Reference(p, id)}
}

func (f *fixture) suppressed(n int) string {
	f.t.Helper()
	reason, ok, err := f.consent.IsSuppressed(f.t.Context(), ws, "email", fmt.Sprintf("p%d@example.test", n))
	if err != nil {
		f.t.Fatal(err)
	}
	if !ok {
		return ""
	}
	return string(reason)
}

func TestReferencesCannotBeMade(t *testing.T) {
	f := setup(t, sqlite(t))
	one := id.New("msg")
	made := f.Links().Reference(outbox.Return, one)
	if !channel.ReferencePattern.MatchString("back+"+made+"@in.example.com") || len(made) != 44 || made != strings.ToLower(made) {
		t.Fatalf("reference %q", made)
	}
	for _, same := range []string{made, strings.ToUpper(made)} { // mail servers change the case of addresses
		if p, got, err := f.Links().ReadReference(same); err != nil || got != one || p != outbox.Return {
			t.Errorf("%q: %c %s %v", same, p, got, err)
		}
	}
	for i := range made { // no character may be another one
		other := byte('a')
		if made[i] == other {
			other = 'c'
		}
		if _, _, err := f.Links().ReadReference(made[:i] + string(other) + made[i+1:]); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("changed at %d: %v", i, err)
		}
	}
	if f.Links().Reference(outbox.Answer, one)[2:] == made[2:] {
		t.Error("a reference for one purpose is one for another")
	}
	for _, odd := range []string{"", "b-", strings.Repeat("b", 44), made + "a"} {
		if _, _, err := f.Links().ReadReference(odd); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("%q: %v", odd, err)
		}
	}
	if got := f.Links().Reference(outbox.Return, "msg_short"); got != "" {
		t.Errorf("a reference to an odd id: %q", got)
	}
}

func TestAForgedBounceDoesNothing(t *testing.T) {
	f := setup(t, sqlite(t))
	sent := f.sent(1, 1)[0]
	real := f.Links().Reference(outbox.Return, sent)
	forged := real[:28] + strings.Repeat("a", 16)
	if got := f.back(channel.Returned{News: channel.NewsBounced, Class: channel.Hard, References: []string{forged, sent}}); got != outbox.TakenUnknown {
		t.Errorf("a forged bounce is %s", got)
	}
	if m := f.message(sent); !m.BouncedAt.IsZero() || f.suppressed(1) != "" {
		t.Errorf("a forged bounce did something: %+v", m)
	}
	if events, taken, err := f.Returned(t.Context(), outbox.Scope{Workspace: "ws_2"}, channel.Returned{News: channel.NewsBounced, References: []string{real}}); err != nil || len(events) != 0 || taken[0] != outbox.TakenUnknown {
		t.Errorf("a bounce that another workspace's hook brings: %v %v %v", events, taken, err)
	}
	waits := f.enqueueRange(1, 1)[0].MessageID
	_ = waits
	f.clock.Set(start.Add(200 * 24 * time.Hour))
	if got := f.back(channel.Returned{News: channel.NewsBounced, Class: channel.Hard, References: []string{real}}); got != outbox.TakenTooOld {
		t.Errorf("a bounce after half a year is %s", got)
	}
}

func TestAHardBounceSuppressesAtOnceAndIsTheSameNewsByEveryWay(t *testing.T) {
	f := setup(t, sqlite(t))
	sent := f.sent(1, 2)
	n := channel.Returned{News: channel.NewsBounced, Class: channel.Hard, Code: "550 5.1.1", Detail: "no such user", References: f.ref(outbox.Return, sent[0]), At: start.Add(time.Minute)}
	f.clock.Set(start.Add(time.Hour))
	first, _, err := f.Returned(t.Context(), outbox.Scope{Workspace: ws}, n)
	if err != nil {
		t.Fatal(err)
	}
	n.Detail, n.References = "in other words", f.ref(outbox.Mark, sent[0])
	second, _, err := f.Returned(t.Context(), outbox.Scope{}, n)
	if err != nil {
		t.Fatal(err)
	}
	if first[0].MessageID != second[0].MessageID {
		t.Errorf("the same bounce by two ways is two events: %s, %s", first[0].MessageID, second[0].MessageID)
	}
	for range 2 { // the log may hand it in again after a crash
		f.receive(event.Kept{Event: first[0], Person: 1})
	}
	m := f.message(sent[0])
	if !m.BouncedAt.Equal(start.Add(time.Minute)) || m.Code != "550 5.1.1" || m.Detail != "no such user" {
		t.Errorf("row: %+v", m)
	}
	if got := f.suppressed(1); got != string(consent.HardBounce) {
		t.Errorf("suppressed for %q", got)
	}
	if f.suppressed(2) != "" {
		t.Error("somebody else is suppressed")
	}
	list, err := f.Bounces(t.Context(), ws, outbox.BounceFilter{}, page.Request{})
	if err != nil || len(list.Items) != 1 || list.Items[0].Remedy() != "suppressed_ask_for_new_address" || list.Items[0].PersonID != pid(1) || strings.Contains(list.Items[0].Hint, "p1@") {
		t.Errorf("list: %+v %v", list, err)
	}
	if c := f.counts(); c.Bounced != 1 || c.Delivered != 1 {
		t.Errorf("counts: %+v", c)
	}
}

func TestSoftBouncesSuppressOnlyAfterSoMany(t *testing.T) {
	f := setup(t, sqlite(t))
	if err := f.SetBouncePolicy(t.Context(), ws, outbox.BouncePolicy{SoftLimit: 3, SoftDays: 10}); err != nil {
		t.Fatal(err)
	}
	f.subscribed(1, 1)
	d := f.dispatch(outbox.DispatchConfig{})
	var sent []string
	for i := range 4 {
		id := f.enqueue(f.request(1, func(r *outbox.Request) { r.Key = fmt.Sprint("soft", i) }))[0].MessageID
		f.untilState(id, outbox.Sent)
		sent = append(sent, id)
	}
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	soft := func(i int, at time.Duration) {
		f.clock.Set(start.Add(at))
		for range 2 { // the same bounce twice is one
			f.back(channel.Returned{News: channel.NewsBounced, Class: channel.Soft, Detail: "try later", References: f.ref(outbox.Return, sent[i])})
		}
	}
	day := 24 * time.Hour
	soft(0, day)
	soft(1, 12*day) // the first one is too long ago by now
	soft(2, 13*day)
	if got := f.suppressed(1); got != "" {
		t.Fatalf("suppressed after two in time: %s", got)
	}
	soft(3, 14*day)
	if got := f.suppressed(1); got != string(consent.SoftBounces) {
		t.Errorf("after three in time suppressed for %q", got)
	}
}

func TestFullMailboxesAndBlockedSendersSuppressNobodyButAlertAndPause(t *testing.T) {
	f := setup(t, sqlite(t))
	if err := f.SetBouncePolicy(t.Context(), ws, outbox.BouncePolicy{SoftLimit: 1, SoftDays: 10, BlockAlert: 2, BlockPause: 3}); err != nil {
		t.Fatal(err)
	}
	sent := f.sent(1, 5)
	f.clock.Set(start.Add(2 * time.Hour))
	f.back(channel.Returned{News: channel.NewsBounced, Class: channel.Full, References: f.ref(outbox.Return, sent[4])})
	alert := func() outbox.Alert {
		a, err := f.Alert(t.Context(), ws, f.account.ID)
		if err != nil {
			t.Fatal(err)
		}
		if a == nil {
			return outbox.Alert{}
		}
		return *a
	}
	block := func(i int) {
		f.back(channel.Returned{News: channel.NewsBounced, Class: channel.Block, Detail: "your address is listed", References: f.ref(outbox.Return, sent[i])})
	}
	block(0)
	if a := alert(); a.Code != "" {
		t.Errorf("an alert after one: %+v", a)
	}
	block(1)
	if a := alert(); a.Code != "blocked" || a.Count != 2 || a.Paused || a.Detail != "your address is listed" {
		t.Errorf("after two: %+v", a)
	}
	block(2)
	if a := alert(); !a.Paused {
		t.Errorf("after three: %+v", a)
	}
	for n := 1; n <= 5; n++ {
		if got := f.suppressed(n); got != "" {
			t.Errorf("person %d is suppressed for %s", n, got)
		}
	}
	waiting := f.enqueue(f.request(1, func(r *outbox.Request) { r.Key = "while paused" }))[0]
	if !waiting.Allowed {
		t.Fatalf("a paused account refuses: %+v", waiting)
	}
	if w := f.waits(waiting); w.Reason != outbox.ReasonAccountPaused || w.Data["account"] != f.account.ID || w.Data["since"] != "2026-03-01T11:00:00Z" {
		t.Errorf("waits for %+v", w)
	}
	d := f.dispatch(outbox.DispatchConfig{Poll: time.Millisecond})
	if err := f.ResumeAccount(t.Context(), ws, f.account.ID); err != nil {
		t.Fatal(err)
	}
	f.untilState(waiting.MessageID, outbox.Sent)
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := alert(); a.Code != "" {
		t.Errorf("after resuming: %+v", a)
	}
}

func TestAComplaintSuppressesAndAWordOfPraiseDoesNot(t *testing.T) {
	f := setup(t, sqlite(t))
	sent := f.sent(1, 2)
	if got := f.back(channel.Returned{News: channel.NewsComplained, Feedback: "not-spam", References: f.ref(outbox.Mark, sent[0])}); got != outbox.TakenNothing {
		t.Errorf("not-spam is %s", got)
	}
	if got := f.back(channel.Returned{News: channel.NewsDelayed, References: f.ref(outbox.Return, sent[0])}); got != outbox.TakenNothing {
		t.Errorf("a delay is %s", got)
	}
	f.back(channel.Returned{News: channel.NewsComplained, Feedback: "abuse", References: f.ref(outbox.Mark, sent[1])})
	if f.suppressed(1) != "" || f.suppressed(2) != string(consent.Complaint) {
		t.Errorf("suppressed: %q, %q", f.suppressed(1), f.suppressed(2))
	}
	if c := f.counts(); c.Complained != 1 || c.Bounced != 0 {
		t.Errorf("counts: %+v", c)
	}
}

func TestAnswersAreEventsAndThoseOfMachinesDoNotCount(t *testing.T) {
	f := setup(t, sqlite(t))
	sent := f.sent(1, 1)[0]
	auto := channel.Returned{News: channel.NewsReplied, Key: "k1", References: f.ref(outbox.Answer, sent), Reply: channel.Reply{From: "p1@example.test", Text: "away", Auto: true}}
	f.back(auto)
	if c := f.counts(); c.Replied != 0 {
		t.Errorf("a notice of absence counts: %+v", c)
	}
	n := channel.Returned{News: channel.NewsReplied, Key: "k2", References: f.ref(outbox.Answer, sent), Reply: channel.Reply{
		From: "p1@example.test", Name: "Pat", Subject: "Re: Hello", Text: "Yes please", Attachments: []channel.AttachedFile{{Name: "a.pdf", Type: "application/pdf", Size: 3}},
	}}
	events, _, err := f.Returned(t.Context(), outbox.Scope{}, n)
	if err != nil {
		t.Fatal(err)
	}
	p := props(t, events[0])
	if events[0].Name != event.MessageReplied || events[0].PersonID != pid(1) || p["text"] != "Yes please" || p["machine"] != false || p["source_id"] != "cmp_1" || len(p["attachments"].([]any)) != 1 {
		t.Errorf("event: %+v", events[0])
	}
	f.back(n)
	if m := f.message(sent); m.RepliedAt.IsZero() {
		t.Errorf("row: %+v", m)
	}
	if c := f.counts(); c.Replied != 1 {
		t.Errorf("counts: %+v", c)
	}
}

func TestMailCarriesItsWayBack(t *testing.T) {
	f := setup(t, sqlite(t))
	ctx := t.Context()
	f.sent(1, 1)
	if m := f.wire.got()[0]; m.ReturnPath != "" || m.ReplyTo != "" {
		t.Errorf("without a way back: %+v", m)
	}
	set := func(in outbox.Inbound) channel.Message {
		t.Helper()
		in.Account = f.account.ID
		if _, err := f.SetInbound(ctx, ws, in); err != nil {
			t.Fatal(err)
		}
		d := f.dispatch(outbox.DispatchConfig{})
		r := f.enqueue(f.request(1, func(r *outbox.Request) { r.Key = id.New("k") }))[0]
		f.untilState(r.MessageID, outbox.Sent)
		if err := d.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		all := f.wire.got()
		return all[len(all)-1]
	}
	m := set(outbox.Inbound{Address: "Back@In.example.com", Replies: true, Provider: outbox.ProviderSES})
	if m.ReturnPath != "back+"+f.Links().Reference(outbox.Return, m.ID)+"@in.example.com" || m.ReplyTo != "back+"+f.Links().Reference(outbox.Answer, m.ID)+"@in.example.com" {
		t.Errorf("return path %s, reply to %s", m.ReturnPath, m.ReplyTo)
	}
	mark := f.Links().Reference(outbox.Mark, m.ID)
	if m.Headers["X-Kizuna-Reference"] != mark || m.Headers["X-SES-MESSAGE-TAGS"] != "kizuna="+mark || m.Headers["List-Unsubscribe"] == "" {
		t.Errorf("headers: %v", m.Headers)
	}
	if m = set(outbox.Inbound{Address: "in.example.com", Provider: outbox.ProviderPostmark}); m.ReturnPath != f.Links().Reference(outbox.Return, m.ID)+"@in.example.com" || m.ReplyTo != "" {
		t.Errorf("of a domain: %s, %s", m.ReturnPath, m.ReplyTo)
	}
	for address, want := range map[string]bool{m.ReturnPath: true, strings.ToUpper(m.ReturnPath): true, "x@in.example.com": false, "back+b-x@in.example.com": false, "": false, "@": false} {
		if got, err := f.Accepts(ctx, address); err != nil || got != want {
			t.Errorf("accepts %q: %t, %v", address, got, err)
		}
	}
	set(outbox.Inbound{Address: "back@in.example.com"})
	if got, err := f.Accepts(ctx, "BACK@in.example.com"); err != nil || !got {
		t.Errorf("the address itself, as complaint loops use it: %t, %v", got, err)
	}
}

func TestWaysBackAreChecked(t *testing.T) {
	f := setup(t, sqlite(t))
	for field, in := range map[string]outbox.Inbound{
		"address":          {Address: "not an address"},
		"mailbox.host":     {Mailbox: outbox.Mailbox{Username: "u"}},
		"mailbox.username": {Mailbox: outbox.Mailbox{Host: "imap.example.com"}},
		"mailbox.clear":    {Mailbox: outbox.Mailbox{Host: "imap.example.com", Username: "u", Clear: true}},
		"provider":         {Provider: "pigeon"},
		"verify_key":       {Provider: outbox.ProviderSendGrid, VerifyKey: "x"},
		"topic":            {Provider: outbox.ProviderSES, Topic: "topic"},
	} {
		in.Account = f.account.ID
		_, err := f.SetInbound(t.Context(), ws, in)
		if all := errs.All(err); len(all) != 1 || all[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := f.SetInbound(t.Context(), "ws_2", outbox.Inbound{Account: f.account.ID}); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("another workspace's account: %v", err)
	}
	for _, long := range []string{"twenty-letters-long-x@in.example.com", "a+b@in.example.com", "back"} {
		if _, err := f.SetInbound(t.Context(), ws, outbox.Inbound{Account: f.account.ID, Address: long}); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("%s: %v", long, err)
		}
	}
}

func TestSecretsOfTheWayBackStayInside(t *testing.T) {
	f := setup(t, sqlite(t))
	ctx := t.Context()
	in := outbox.Inbound{Account: f.account.ID, Mailbox: outbox.Mailbox{Host: "imap.example.com", Username: "u", Password: "hush"}, Provider: outbox.ProviderPostmark}
	got, err := f.SetInbound(ctx, ws, in)
	if err != nil || got.Mailbox.Password != "" || !got.Mailbox.PasswordSet || got.HookSet {
		t.Errorf("%+v %v", got, err)
	}
	in.Mailbox.Password = ""
	if _, err := f.SetInbound(ctx, ws, in); err != nil { // stays
		t.Fatal(err)
	}
	if got, err = f.Inbound(ctx, ws, f.account.ID); err != nil || got.Mailbox.Password != "" || !got.Mailbox.PasswordSet {
		t.Errorf("shown: %+v %v", got, err)
	}
	all, err := f.Mailboxes(ctx)
	if err != nil || len(all) != 1 || all[0].Mailbox.Password != "hush" {
		t.Errorf("for the poller: %+v %v", all, err)
	}
	key, err := f.NewHook(ctx, ws, f.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	hook, err := f.Hook(ctx, key)
	if err != nil || hook.Account != f.account.ID || hook.Workspace != ws {
		t.Errorf("hook: %+v %v", hook, err)
	}
	other, err := f.NewHook(ctx, ws, f.account.ID)
	if err != nil || other == key {
		t.Fatal(other, err)
	}
	for _, gone := range []string{key, "", strings.Repeat("a", 32)} {
		if _, err := f.Hook(ctx, gone); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("key %q: %v", gone, err)
		}
	}
	rows, err := sqldb.Collect(ctx, f.db, sqldb.Value[int64], `SELECT count(*) FROM account_inbound WHERE hook_hash = $1 OR CAST(password AS TEXT) LIKE '%hush%' OR mailbox LIKE '%hush%'`, key)
	if err != nil || rows[0] != 0 {
		t.Errorf("a secret lies in the database in clear: %v %v", rows, err)
	}
}

func TestATrapIsInTheMailIfWantedAndItsFollowerIsAMachine(t *testing.T) {
	f := setup(t, sqlite(t))
	if err := f.SetBouncePolicy(t.Context(), ws, outbox.BouncePolicy{SoftDays: 1, Honeypot: true}); err != nil {
		t.Fatal(err)
	}
	id := f.sent(1, 1)[0]
	trap := f.Links().Trap(ws, id)
	html := f.wire.got()[0].HTML
	if strings.Count(html, trap) != 1 || !strings.Contains(html, `aria-hidden="true"`) {
		t.Errorf("no trap in %s", html)
	}
	l, err := f.Links().ReadClick(strings.TrimPrefix(trap, baseURL+outbox.ClickPath))
	if err != nil || !l.Trap || l.MessageID != id || l.URL != baseURL+"/" {
		t.Errorf("%+v %v", l, err)
	}
}

func TestAnImageProxysFetchRightAfterSendingIsItsOwn(t *testing.T) {
	f := setup(t, sqlite(t))
	id := f.sent(1, 1)[0]
	open := func(after time.Duration) any {
		f.clock.Set(f.message(id).SentAt.Add(after))
		e, err := f.Opened(t.Context(), outbox.Interaction{Link: outbox.Link{Workspace: ws, MessageID: id}, Proxy: true})
		if err != nil {
			t.Fatal(err)
		}
		return props(t, e)["machine"]
	}
	if open(2*time.Second) != true || open(time.Minute) != false {
		t.Error("prefetching and reading are not told apart")
	}
}
