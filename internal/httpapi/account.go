package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Account is a way out: a channel with its configuration. Secrets go in and never come out.
type Account struct {
	ID            string          `json:"id"`
	Kind          string          `json:"kind"`
	Name          string          `json:"name"`
	FromName      string          `json:"from_name,omitempty"`
	FromAddress   string          `json:"from_address"`
	ReplyTo       string          `json:"reply_to,omitempty"`
	RatePerSecond float64         `json:"rate_per_second,omitempty"`
	Connections   int             `json:"connections,omitempty"`
	Default       bool            `json:"default"`
	Status        string          `json:"status" enum:"active,disabled"`
	Config        json.RawMessage `json:"config"`
	SecretsSet    []string        `json:"secrets_set,omitempty" doc:"names of the secrets that are stored"`
}

func accountShape(x outbox.Account) Account {
	return Account{
		ID: x.ID, Kind: x.Kind, Name: x.Name, FromName: x.FromName, FromAddress: x.FromAddr, ReplyTo: x.ReplyTo, RatePerSecond: x.RatePerSecond,
		Connections: x.Connections, Default: x.Default, Status: string(x.Status), Config: x.Config, SecretsSet: x.SecretsSet,
	}
}

// AccountDraft is an account as it is written.
type AccountDraft struct {
	Kind          string         `json:"kind" doc:"channel, e.g. email"`
	Name          string         `json:"name"`
	FromName      string         `json:"from_name,omitempty"`
	FromAddress   string         `json:"from_address"`
	ReplyTo       string         `json:"reply_to,omitempty"`
	RatePerSecond float64        `json:"rate_per_second,omitempty" minimum:"0" doc:"messages a second at most, 0 for no limit"`
	Connections   int            `json:"connections,omitempty" minimum:"0" maximum:"100"`
	Default       bool           `json:"default,omitempty"`
	Disabled      bool           `json:"disabled,omitempty"`
	Config        map[string]any `json:"config" doc:"the channel's own settings; a secret that is left out stays as it is"`
}

func (d AccountDraft) account(id string) (outbox.Account, error) {
	config, err := json.Marshal(d.Config)
	status := outbox.AccountActive
	if d.Disabled {
		status = outbox.AccountDisabled
	}
	return outbox.Account{
		ID: id, Kind: d.Kind, Name: d.Name, FromName: d.FromName, FromAddr: d.FromAddress, ReplyTo: d.ReplyTo, RatePerSecond: d.RatePerSecond,
		Connections: d.Connections, Default: d.Default, Status: status, Config: config,
	}, err
}

func (a *api) accountRoutes() {
	o := a.c.Outbox
	accountID := func(x outbox.Account) string { return x.ID }
	one := func(x outbox.Account, err error) (*body[Account], error) {
		return answer(accountShape(x)), renamed(err, func(f string) string { return strings.Replace(f, "from_addr", "from_address", 1) })
	}
	route(a, http.MethodGet, "/accounts", "account-list", "Ways out", staff.SettingsRead, func(ctx context.Context, _ *nothing) (*body[List[Account]], error) {
		all, err := o.Accounts(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		return list(page.Of[outbox.Account]{Items: all}, accountShape), nil
	})
	route(a, http.MethodPost, "/accounts", "account-create", "Add a way out, e.g. an SMTP server", staff.SettingsWrite, func(ctx context.Context, in *in[AccountDraft]) (*body[Account], error) {
		draft, err := in.Body.account("")
		if err != nil {
			return nil, err
		}
		return one(changed(ctx, a, "create", "account", accountID, func(ctx context.Context) (outbox.Account, error) {
			return o.CreateAccount(ctx, workspaceOf(ctx), draft)
		}))
	}, created)
	route(a, http.MethodGet, "/accounts/{id}", "account-get", "One way out", staff.SettingsRead, func(ctx context.Context, in *IDPath) (*body[Account], error) {
		return one(o.Account(ctx, workspaceOf(ctx), in.ID))
	})
	route(a, http.MethodPut, "/accounts/{id}", "account-update", "Change a way out", staff.SettingsWrite, func(ctx context.Context, in *inAt[AccountDraft]) (*body[Account], error) {
		draft, err := in.Body.account(in.ID)
		if err != nil {
			return nil, err
		}
		return one(changed(ctx, a, "update", "account", accountID, func(ctx context.Context) (outbox.Account, error) {
			return o.UpdateAccount(ctx, workspaceOf(ctx), draft)
		}))
	})
	route(a, http.MethodPost, "/accounts/{id}/check", "account-check", "Connect and sign in without sending anything", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, o.CheckAccount(ctx, workspaceOf(ctx), in.ID)
	}, noContent)
	route(a, http.MethodDelete, "/accounts/{id}", "account-delete", "Remove a way out", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "account", in.ID, func(ctx context.Context) error { return o.DeleteAccount(ctx, workspaceOf(ctx), in.ID) })
	}, noContent)
}
