package outboxtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

func inboundSettings(t *testing.T, s Store) {
	ctx := t.Context()
	acc := outbox.SealedAccount{Account: outbox.Account{ID: "acc_1", Workspace: ws, Kind: "email", Name: "a", Status: outbox.AccountActive, CreatedAt: t0, UpdatedAt: t0}, Sealed: []byte{1}}
	must(t, s.PutAccount(ctx, ws, acc))
	none, err := s.Inbound(ctx, ws, "acc_1")
	must(t, err)
	equal(t, "no settings", outbox.SealedInbound{Inbound: outbox.Inbound{Workspace: ws, Account: "acc_1"}}, none)

	in := outbox.SealedInbound{
		Inbound: outbox.Inbound{
			Workspace: ws, Account: "acc_1", Address: "back@in.example.com", Replies: true, Strangers: true, Provider: outbox.ProviderSES, Topic: "arn:aws:sns:x", VerifyKey: "k",
			Mailbox: outbox.Mailbox{Host: "imap.example.com", Port: 143, Username: "u", Folder: "Bounces", Clear: true}, UpdatedAt: t0,
		},
		Sealed: []byte{0, 1, 255}, HookHash: "h1",
	}
	must(t, s.PutInbound(ctx, ws, in))
	for name, read := range map[string]func() (outbox.SealedInbound, error){
		"by account": func() (outbox.SealedInbound, error) { return s.Inbound(ctx, ws, "acc_1") },
		"by address": func() (outbox.SealedInbound, error) { return s.InboundByAddress(ctx, "back@in.example.com") },
		"by hook":    func() (outbox.SealedInbound, error) { return s.InboundByHook(ctx, "h1") },
	} {
		got, err := read()
		must(t, err)
		equal(t, name, in, got)
	}
	boxes, err := s.Mailboxes(ctx)
	must(t, err)
	equal(t, "mailboxes", []outbox.SealedInbound{in}, boxes)
	changed, err := s.Account(ctx, ws, "acc_1")
	must(t, err)
	if !changed.UpdatedAt.After(t0) {
		t.Error("senders cannot notice that the way back has changed")
	}
	must(t, s.PutAccount(ctx, "ws_2", outbox.SealedAccount{Account: outbox.Account{ID: "acc_2", Kind: "email", CreatedAt: t0, UpdatedAt: t0}, Sealed: []byte{1}}))
	taken := in
	taken.Workspace, taken.Account, taken.HookHash = "ws_2", "acc_2", "h2"
	if err := s.PutInbound(ctx, "ws_2", taken); !errs.Is(err, errs.KindConflict) {
		t.Errorf("an address that another account has: %v", err)
	}
	for _, value := range []string{"", "nobody@in.example.com"} {
		if _, err := s.InboundByAddress(ctx, value); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("address %q: %v", value, err)
		}
		if _, err := s.InboundByHook(ctx, value); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("hook %q: %v", value, err)
		}
	}

	st, err := s.MailboxState(ctx, ws, "acc_1")
	must(t, err)
	equal(t, "a mailbox never read", outbox.MailboxState{}, st)
	want := outbox.MailboxState{Validity: 4_000_000_000, UID: 4_294_967_295, At: t0, Error: "no"}
	must(t, s.SetMailboxState(ctx, ws, "acc_1", outbox.MailboxState{UID: 1}))
	must(t, s.SetMailboxState(ctx, ws, "acc_1", want))
	st, err = s.MailboxState(ctx, ws, "acc_1")
	must(t, err)
	equal(t, "state", want, st)

	for range 2 {
		must(t, s.CountReturned(ctx, ws, "acc_1", map[outbox.Taken]int64{outbox.TakenEvent: 2, outbox.TakenUnknown: 1}, t0))
	}
	counts, err := s.ReturnedCounts(ctx, ws, "acc_1")
	must(t, err)
	equal(t, "counts", map[outbox.Taken]int64{outbox.TakenEvent: 4, outbox.TakenUnknown: 2}, counts)

	alert := outbox.Alert{Code: "blocked", Count: 30, Detail: "no", At: t0, Paused: true}
	must(t, s.SetAlert(ctx, ws, "acc_1", &outbox.Alert{Code: "blocked", At: t0}))
	must(t, s.SetAlert(ctx, ws, "acc_1", &alert))
	got, err := s.AccountAlert(ctx, ws, "acc_1")
	must(t, err)
	equal(t, "alert", &alert, got)
	if other, err := s.AccountAlert(ctx, "ws_2", "acc_1"); err != nil || other != nil {
		t.Errorf("another workspace's alert: %v %v", other, err)
	}
	must(t, s.SetAlert(ctx, ws, "acc_1", nil))
	if got, err = s.AccountAlert(ctx, ws, "acc_1"); err != nil || got != nil {
		t.Errorf("an alert that was taken back: %v %v", got, err)
	}

	if _, err := s.DeleteAccount(ctx, ws, "acc_1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.InboundByHook(ctx, "h1"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("the hook of a deleted account: %v", err)
	}
}

func bounces(t *testing.T, s Store) {
	ctx := t.Context()
	_, set, err := s.BouncePolicy(ctx, ws)
	must(t, err)
	if set {
		t.Error("a policy that nobody set")
	}
	policy := outbox.BouncePolicy{SoftLimit: 3, SoftDays: 9, BlockAlert: 1, BlockPause: 2, Honeypot: true}
	must(t, s.SetBouncePolicy(ctx, ws, outbox.DefaultBouncePolicy, t0))
	must(t, s.SetBouncePolicy(ctx, ws, policy, t0))
	got, set, err := s.BouncePolicy(ctx, ws)
	must(t, err)
	equal(t, "policy", policy, got)
	if _, other, err := s.BouncePolicy(ctx, "ws_2"); err != nil || other || !set {
		t.Errorf("policies: %t, of another workspace %t, %v", set, other, err)
	}

	bounce := func(n int, class, hash string) outbox.Bounce {
		return outbox.Bounce{
			MessageID: fmt.Sprintf("msg_%d", n), PersonID: "per_" + hash, Channel: "email", Class: class, Code: "4.0.0", Detail: "d", Hash: hash, Hint: "a…",
			At: t0.Add(time.Duration(n) * time.Minute),
		}
	}
	all := []outbox.Bounce{bounce(1, "soft", "a"), bounce(2, "soft", "a"), bounce(3, "soft", "b"), bounce(4, "block", "a"), bounce(4, "hard", "a")}
	must(t, s.AddBounces(ctx, ws, all))
	again := all[0]
	again.Detail = "told twice"
	must(t, s.AddBounces(ctx, ws, []outbox.Bounce{again}))
	must(t, s.AddBounces(ctx, ws, nil))
	must(t, s.AddBounces(ctx, "ws_2", []outbox.Bounce{bounce(5, "soft", "a"), bounce(6, "block", "a")}))

	var listed []outbox.Bounce
	for cursor := ""; ; {
		p, err := s.Bounces(ctx, ws, outbox.BounceFilter{}, page.Request{Limit: 2, Cursor: cursor})
		must(t, err)
		listed = append(listed, p.Items...)
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	equal(t, "latest first", []outbox.Bounce{all[4], all[3], all[2], all[1], all[0]}, listed)
	for _, f := range []struct {
		filter outbox.BounceFilter
		n      int
	}{{outbox.BounceFilter{Class: "soft"}, 3}, {outbox.BounceFilter{PersonID: "per_b"}, 1}, {outbox.BounceFilter{Channel: "sms"}, 0}, {outbox.BounceFilter{Class: "soft", PersonID: "per_a", Channel: "email"}, 2}} {
		p, err := s.Bounces(ctx, ws, f.filter, page.Request{})
		must(t, err)
		if len(p.Items) != f.n {
			t.Errorf("%+v: %d, want %d", f.filter, len(p.Items), f.n)
		}
	}
	counts, err := s.BounceCounts(ctx, ws, "soft", []string{"a", "b", "c"}, t0.Add(2*time.Minute))
	must(t, err)
	equal(t, "counts", map[string]int64{"a": 1, "b": 1}, counts)
	n, err := s.Blocked(ctx, ws, "email", t0.Add(4*time.Minute))
	must(t, err)
	if n != 1 {
		t.Errorf("%d blocked, want 1", n)
	}
	if n, err = s.Blocked(ctx, ws, "email", t0.Add(5*time.Minute)); err != nil || n != 0 {
		t.Errorf("%d blocked later, %v", n, err)
	}
}
