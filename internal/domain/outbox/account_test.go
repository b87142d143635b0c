package outbox_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

func TestSecretsOfAnAccountNeverComeBack(t *testing.T) {
	f := setup(t, sqlite(t))
	ctx := t.Context()
	list, err := f.Accounts(ctx, ws)
	if err != nil {
		t.Fatal(err)
	}
	one, err := f.Account(ctx, ws, f.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []outbox.Account{f.account, list[0], one} {
		if string(a.Config) != `{"host":"mx.example.test"}` || cmp.Diff([]string{"password"}, a.SecretsSet) != "" {
			t.Errorf("account: %s %v", a.Config, a.SecretsSet)
		}
	}
	stored, err := sqldb.Collect(ctx, f.db, sqldb.Value[[]byte], `SELECT config FROM channel_account`)
	if err != nil || strings.Contains(string(stored[0]), "s3cret") || strings.Contains(string(stored[0]), "mx.example") {
		t.Errorf("stored in clear: %q, %v", stored, err)
	}
	one.Config = json.RawMessage(`{"host":"other.example.test","password":""}`)
	if one, err = f.UpdateAccount(ctx, ws, one); err != nil {
		t.Fatal(err)
	}
	if cmp.Diff([]string{"password"}, one.SecretsSet) != "" {
		t.Errorf("an empty secret replaced the stored one: %v", one.SecretsSet)
	}
	if err := f.CheckAccount(ctx, ws, one.ID); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(config{"other.example.test", "s3cret"}, f.wire.opened[0]); diff != "" {
		t.Errorf("opened with (-want +got):\n%s", diff)
	}
	f.wire.checkErr = errors.New("535 bad credentials")
	if err := f.CheckAccount(ctx, ws, one.ID); !errs.Is(err, errs.KindUnavailable) || !strings.Contains(err.Error(), "535") {
		t.Errorf("check: %v", err)
	}
	if f.wire.closed != 2 {
		t.Errorf("%d of 2 checking connections closed", f.wire.closed)
	}
}

func TestBadAccountsAreRefused(t *testing.T) {
	f := setup(t, sqlite(t))
	good := outbox.Account{Kind: "email", Name: "x", FromAddr: "a@b.example", Config: json.RawMessage(`{"host":"h"}`)}
	for code, with := range map[string]func(*outbox.Account){
		"outbox.account.kind_unknown":        func(a *outbox.Account) { a.Kind = "pigeon" },
		"outbox.account.name_missing":        func(a *outbox.Account) { a.Name = " " },
		"outbox.account.name_too_long":       func(a *outbox.Account) { a.Name = strings.Repeat("x", 81) },
		"outbox.account.from_invalid":        func(a *outbox.Account) { a.FromAddr = "not an address" },
		"outbox.account.reply_to_invalid":    func(a *outbox.Account) { a.ReplyTo = "x" },
		"outbox.account.from_name_invalid":   func(a *outbox.Account) { a.FromName = "a\r\nBcc: b" },
		"outbox.account.rate_invalid":        func(a *outbox.Account) { a.RatePerSecond = -1 },
		"outbox.account.connections_invalid": func(a *outbox.Account) { a.Connections = 101 },
		"outbox.account.status_unknown":      func(a *outbox.Account) { a.Status = "asleep" },
		"outbox.account.config_unknown":      func(a *outbox.Account) { a.Config = json.RawMessage(`{"host":"h","hots":1}`) },
		"outbox.account.config_invalid":      func(a *outbox.Account) { a.Config = json.RawMessage(`{"host":7}`) },
	} {
		a := good
		with(&a)
		_, err := f.CreateAccount(t.Context(), ws, a)
		all := errs.All(err)
		if len(all) != 1 || all[0].Code != code {
			t.Errorf("%s: %v", code, err)
		}
		if want := map[string]string{"outbox.account.config_unknown": "hots", "outbox.account.config_invalid": "host"}[code]; want != "" && all[0].Field != want {
			t.Errorf("%s: of the field %q", code, all[0].Field)
		}
	}
	for _, config := range []string{`{}`, `[]`, `x`, ``} { // the first lacks what the adapter needs
		a := good
		a.Config = json.RawMessage(config)
		if _, err := f.CreateAccount(t.Context(), ws, a); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("config %q: %v", config, err)
		}
	}
}

func TestThereIsOneDefaultAccountOfAKind(t *testing.T) {
	f := setup(t, sqlite(t))
	ctx := t.Context()
	defaults := func() []string {
		t.Helper()
		list, err := f.Accounts(ctx, ws)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, a := range list {
			if a.Default {
				out = append(out, a.Name)
			}
		}
		return out
	}
	second, err := f.CreateAccount(ctx, ws, outbox.Account{Kind: "email", Name: "Second", FromAddr: "a@b.example", Config: json.RawMessage(`{"host":"h"}`)})
	if err != nil || second.Default {
		t.Fatalf("%+v, %v", second, err)
	}
	if diff := cmp.Diff([]string{"Test"}, defaults()); diff != "" {
		t.Error(diff)
	}
	second.Default = true
	if _, err := f.UpdateAccount(ctx, ws, second); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Second"}, defaults()); diff != "" {
		t.Error(diff)
	}
	if err := f.DeleteAccount(ctx, ws, second.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Test"}, defaults()); diff != "" {
		t.Error(diff)
	}
	first, err := f.Account(ctx, ws, f.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	first.Status = outbox.AccountDisabled
	if first, err = f.UpdateAccount(ctx, ws, first); err != nil || first.Default {
		t.Errorf("a disabled account is the default: %+v, %v", first, err)
	}
	if err := f.DeleteAccount(ctx, ws, "acc_none"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestATestSendGoesOutAtOnceAndLeavesNoTrace(t *testing.T) {
	f := setup(t, sqlite(t))
	ctx := t.Context()
	f.people.add(1)
	req := outbox.TestSend{Channel: "email", Template: f.template.ID, To: "me@example.test", PersonID: pid(1), Topic: f.news.ID, Vars: map[string]any{"total": 7}}
	got, err := f.SendTest(ctx, ws, req)
	if err != nil || got.Result != channel.Sent {
		t.Fatalf("%+v, %v", got, err)
	}
	m := f.wire.got()[0]
	if m.To.Addr != "me@example.test" || m.Subject != "Hello Pat 1" || m.Headers["List-Unsubscribe"] == "" {
		t.Errorf("message: %+v", m)
	}
	if n, err := sqldb.One(ctx, f.db, sqldb.Value[int], `SELECT count(*) FROM message`); err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
	req.PersonID = ""
	if _, err := f.SendTest(ctx, ws, req); err != nil {
		t.Fatal(err)
	}
	if s := f.wire.got()[1].Subject; s != "Hello friend" {
		t.Errorf("nobody's values: %q", s)
	}
	both, err := f.contents.Create(ctx, ws, content.Draft{
		Name: "Both", Locale: "en", Subject: "Good day", Text: "x", Translations: []content.Translation{{Locale: "ja", Subject: "こんにちは", Text: "x"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	inJapanese := req
	inJapanese.Template, inJapanese.Locale = both.ID, "ja-JP"
	if _, err := f.SendTest(ctx, ws, inJapanese); err != nil {
		t.Fatal(err)
	}
	if s := f.wire.got()[2].Subject; s != "こんにちは" {
		t.Errorf("for a reader of Japanese: %q", s)
	}
	if _, err := f.consent.Suppress(ctx, ws, consent.Suppress{Channel: "email", Address: "me@example.test", Reason: consent.Manual}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.SendTest(ctx, ws, req); !errs.Is(err, errs.KindConflict) {
		t.Errorf("to a suppressed address: %v", err)
	}
	for what, with := range map[string]func(*outbox.TestSend){
		"address": func(r *outbox.TestSend) { r.To = "nobody" }, "person": func(r *outbox.TestSend) { r.PersonID = "per_none" },
		"template": func(r *outbox.TestSend) { r.Template = "tpl_none" }, "account": func(r *outbox.TestSend) { r.Account = "acc_none" },
		"topic": func(r *outbox.TestSend) { r.Topic = "tpc_none" },
	} {
		r := req
		r.To = "other@example.test"
		with(&r)
		if _, err := f.SendTest(ctx, ws, r); err == nil {
			t.Errorf("unknown %s was accepted", what)
		}
	}
}

func FuzzLinksRefuseWhatTheyDidNotMake(f *testing.F) {
	f.Add("", "x")
	f.Add("AAAA", "https://evil.example")
	fx := setup(f, sqlite(f))
	links := fx.Links()
	good := strings.TrimPrefix(links.Click(ws, "msg_1", "https://shop.example/?q=1&r=\n2"), baseURL+outbox.ClickPath)
	if l, err := links.ReadClick(good); err != nil || l.URL != "https://shop.example/?q=1&r=\n2" || l.MessageID != "msg_1" {
		f.Fatalf("%+v, %v", l, err)
	}
	f.Fuzz(func(t *testing.T, token, tail string) {
		for _, tok := range []string{token, good + tail, good[:len(good)/2] + token} {
			if tok == good {
				continue
			}
			if l, err := links.ReadClick(tok); err == nil {
				t.Errorf("%q was taken for %+v", tok, l)
			}
			if _, err := links.ReadUnsubscribe(tok); err == nil {
				t.Errorf("%q unsubscribes", tok)
			}
		}
		if _, err := links.ReadUnsubscribe(good); err == nil {
			t.Error("a click unsubscribes")
		}
	})
}
