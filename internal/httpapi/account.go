package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

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
	Rev           int64           `json:"revision" doc:"grows with each change; send it back with an edit"`
	AccountPace
}

// AccountPace is how fast an account may go beside its own rate.
type AccountPace struct {
	Throttles []Throttle `json:"throttles,omitempty" maxItems:"50" doc:"limits for mail to the domains of one provider"`
	Providers bool       `json:"provider_throttles,omitempty" doc:"the throttles of GET /sending/providers apply to domains that throttles do not name; for accounts that hand mail to the recipients' servers themselves"`
	WarmUp    *WarmUp    `json:"warm_up,omitempty" doc:"so many messages on the first day, more on every day after it; the surplus waits"`
}

// Throttle limits mail to the domains of one mailbox provider.
type Throttle struct {
	Name        string   `json:"name" maxLength:"60"`
	Domains     []string `json:"domains" maxItems:"200"`
	PerMinute   int      `json:"per_minute,omitempty" minimum:"0" doc:"messages a minute, 0 for no limit"`
	Connections int      `json:"connections,omitempty" minimum:"0" doc:"messages on their way at the same time, 0 for no limit"`
}

// WarmUp is a plan for a new sending address.
type WarmUp struct {
	Start  string  `json:"start" example:"2026-03-01" doc:"first day, in the workspace's zone"`
	First  int     `json:"first" minimum:"1" doc:"messages on the first day"`
	Growth float64 `json:"growth" doc:"factor from a day to the next, 1.5 is usual"`
	Target int     `json:"target" doc:"the plan is over on the first day that would allow as many"`
}

func paceShape(p outbox.Pace) AccountPace {
	out := AccountPace{Providers: p.Providers}
	for _, t := range p.Throttles {
		out.Throttles = append(out.Throttles, Throttle(t))
	}
	if p.WarmUp != nil {
		w := WarmUp(*p.WarmUp)
		out.WarmUp = &w
	}
	return out
}

func (p AccountPace) pace() outbox.Pace {
	out := outbox.Pace{Providers: p.Providers}
	for _, t := range p.Throttles {
		out.Throttles = append(out.Throttles, outbox.Throttle(t))
	}
	if p.WarmUp != nil {
		w := outbox.WarmUp(*p.WarmUp)
		out.WarmUp = &w
	}
	return out
}

// PaceProgress is how far an account is with what its pace allows.
type PaceProgress struct {
	Throttles []ThrottleUse  `json:"throttles" doc:"the account's own, and those of providers that were used lately"`
	WarmUp    []WarmUpDay    `json:"warm_up" doc:"the whole plan, empty without one"`
	Today     int            `json:"today" doc:"index into warm_up of today; -1 before it begins, its length once it is over"`
	Waiting   map[string]int `json:"waiting" doc:"queued messages of the channel by the reason they wait for; an empty reason is their turn alone"`
}

// ThrottleUse is what one throttle has counted.
type ThrottleUse struct {
	Throttle
	Used int        `json:"used" doc:"in this minute"`
	Full *time.Time `json:"full_until,omitempty" doc:"what is asked for now goes then at the earliest; left out: now"`
}

// WarmUpDay is one day of a plan.
type WarmUpDay struct {
	Date  string `json:"date"`
	Limit int    `json:"limit"`
	Used  int    `json:"used" doc:"sent; on days to come: places given to messages that wait"`
}

func progressShape(p outbox.Progress) PaceProgress {
	out := PaceProgress{Throttles: []ThrottleUse{}, WarmUp: []WarmUpDay{}, Today: p.Today, Waiting: p.Waiting}
	for _, t := range p.Throttles {
		out.Throttles = append(out.Throttles, ThrottleUse{Throttle(t.Throttle), t.Used, moment(t.Full)})
	}
	for _, d := range p.WarmUp {
		out.WarmUp = append(out.WarmUp, WarmUpDay(d))
	}
	return out
}

func accountShape(x outbox.Account) Account {
	return Account{
		ID: x.ID, Kind: x.Kind, Name: x.Name, FromName: x.FromName, FromAddress: x.FromAddr, ReplyTo: x.ReplyTo, RatePerSecond: x.RatePerSecond,
		Connections: x.Connections, Default: x.Default, Status: string(x.Status), Config: x.Config, SecretsSet: x.SecretsSet, Rev: x.Rev, AccountPace: paceShape(x.Pace),
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
	Rev           int64          `json:"revision,omitempty" doc:"of a change: that the editor saw; another one in between is a conflict, 0 overwrites whatever is there"`
	AccountPace
}

func (d AccountDraft) account(id string) (outbox.Account, error) {
	config, err := json.Marshal(d.Config)
	status := outbox.AccountActive
	if d.Disabled {
		status = outbox.AccountDisabled
	}
	return outbox.Account{
		ID: id, Kind: d.Kind, Name: d.Name, FromName: d.FromName, FromAddr: d.FromAddress, ReplyTo: d.ReplyTo, RatePerSecond: d.RatePerSecond,
		Connections: d.Connections, Default: d.Default, Status: status, Config: config, Pace: d.pace(), Rev: d.Rev,
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
		x, err := changed(ctx, a, "update", "account", accountID, func(ctx context.Context) (outbox.Account, error) {
			return o.UpdateAccount(ctx, workspaceOf(ctx), draft)
		})
		return one(x, a.overtaken(ctx, err, "outbox.account.changed", "account", in.ID))
	})
	route(a, http.MethodGet, "/accounts/{id}/pace", "account-pace", "How far an account is with its throttles and its warm-up, and what waits", staff.SettingsRead, func(ctx context.Context, in *IDPath) (*body[PaceProgress], error) {
		p, err := o.Progress(ctx, workspaceOf(ctx), in.ID)
		return answer(progressShape(p)), err
	})
	type providers struct {
		Throttles []Throttle `json:"throttles"`
	}
	route(a, http.MethodGet, "/sending/providers", "sending-providers", "Throttles for large mailbox providers that provider_throttles switches on", staff.SettingsRead, func(context.Context, *nothing) (*body[providers], error) {
		var out providers
		for _, t := range outbox.Providers() {
			out.Throttles = append(out.Throttles, Throttle(t))
		}
		return answer(out), nil
	})
	route(a, http.MethodPost, "/accounts/{id}/check", "account-check", "Connect and sign in without sending anything", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, o.CheckAccount(ctx, workspaceOf(ctx), in.ID)
	}, noContent)
	route(a, http.MethodDelete, "/accounts/{id}", "account-delete", "Remove a way out", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "account", in.ID, func(ctx context.Context) error { return o.DeleteAccount(ctx, workspaceOf(ctx), in.ID) })
	}, noContent)
}
