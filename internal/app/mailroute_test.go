package app

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

func TestRoutesOfADomainAreThoseOfItsAccounts(t *testing.T) {
	account := func(id, from, config string) outbox.Account {
		return outbox.Account{ID: id, Kind: outbox.KindEmail, Status: outbox.AccountActive, FromAddr: from, Config: json.RawMessage(config)}
	}
	off := account("acc_off", "a@shop.example", `{"host":"old.shop.example"}`)
	off.Status = outbox.AccountDisabled
	accounts := []outbox.Account{
		account("acc_own", "news@Shop.example", `{"host":"mail.shop.example","return_path":"back@bounces.example"}`),
		account("acc_box", "a@eu.shop.example", `{"host":"eu.shop.example"}`),
		account("acc_other", "a@othershop.example", `{"host":"mail.othershop.example"}`),
		off,
	}
	back := map[string]outbox.Inbound{"acc_own": {Address: "In.shop.example"}, "acc_box": {Address: "box@mailbox.example", Mailbox: outbox.Mailbox{Host: "imap.mailbox.example"}}}
	got, err := mailRoutes(
		func(context.Context, string) ([]outbox.Account, error) { return accounts, nil },
		func(_ context.Context, _, id string) (outbox.Inbound, error) { return back[id], nil },
	)(t.Context(), "wsp_1", "shop.example")
	if err != nil {
		t.Fatal(err)
	}
	want := []mailauth.Route{{Host: "mail.shop.example", Envelope: "bounces.example", Returns: "in.shop.example"}, {Host: "eu.shop.example"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for in, want := range map[Inbound]string{
		{Listen: ":25", Domain: "kizuna.shop.example"}: "kizuna.shop.example",
		{Domain: "kizuna.shop.example"}:                "", // nothing listens
		{Listen: ":25", Domain: "127.0.0.1"}:           "",
		{Listen: ":25", Domain: "localhost"}:           "",
	} {
		if got := in.name(); got != want {
			t.Errorf("%+v: %q, want %q", in, got, want)
		}
	}
}
