package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
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

// Message is one message to one person, or the refusal to send it.
type Message struct {
	ID             string        `json:"id"`
	Person         PersonBrief   `json:"person"`
	Channel        string        `json:"channel"`
	Topic          string        `json:"topic,omitempty"`
	Template       string        `json:"template"`
	Source         MessageSource `json:"source"`
	Subject        string        `json:"subject,omitempty"`
	State          string        `json:"state"`
	Reason         string        `json:"reason,omitempty" doc:"why it was refused or failed; stable code"`
	Detail         string        `json:"detail,omitempty" doc:"the same in words"`
	Code           string        `json:"code,omitempty" doc:"the receiving server's last answer"`
	Attempts       int           `json:"attempts"`
	Uncertain      int           `json:"uncertain" doc:"answers lost: so many surplus copies may have arrived at most"`
	CreatedAt      time.Time     `json:"created_at"`
	SentAt         *time.Time    `json:"sent_at,omitempty"`
	BouncedAt      *time.Time    `json:"bounced_at,omitempty"`
	OpenedAt       *time.Time    `json:"opened_at,omitempty"`
	ClickedAt      *time.Time    `json:"clicked_at,omitempty"`
	ConvertedAt    *time.Time    `json:"converted_at,omitempty"`
	UnsubscribedAt *time.Time    `json:"unsubscribed_at,omitempty"`
}

// MessageSource is who asked for a message.
type MessageSource struct {
	Kind    string `json:"kind"`
	ID      string `json:"id,omitempty"`
	Version int    `json:"version,omitempty"`
	Node    string `json:"node,omitempty"`
}

// messages makes a page of messages with the names of their people.
func (a *api) messages(ctx context.Context, found page.Of[outbox.Message]) (*body[List[Message]], error) {
	ids := make([]string, len(found.Items))
	for i, m := range found.Items {
		ids[i] = m.PersonID
	}
	people, err := a.c.People.ByIDs(ctx, workspaceOf(ctx), ids)
	if err != nil {
		return nil, err
	}
	return list(found, func(m outbox.Message) Message {
		p := people[m.PersonID]
		return Message{
			ID: m.ID, Person: PersonBrief{ID: m.PersonID, Name: p.Name(), Email: p.Email()}, Channel: m.Channel, Topic: m.Topic, Template: m.Template,
			Source: MessageSource{m.Source.Kind, m.Source.ID, m.Source.Version, m.Source.Node}, Subject: m.Subject, State: string(m.Shown()), Reason: m.Reason, Detail: m.Detail,
			Code: m.Code, Attempts: m.Attempts, Uncertain: m.Uncertain, CreatedAt: m.CreatedAt, SentAt: moment(m.SentAt), BouncedAt: moment(m.BouncedAt),
			OpenedAt: moment(m.OpenedAt), ClickedAt: moment(m.ClickedAt), ConvertedAt: moment(m.ConvertedAt), UnsubscribedAt: moment(m.UnsubscribedAt),
		}
	}), nil
}

func (a *api) outboxRoutes() {
	o := a.c.Outbox
	route(a, http.MethodGet, "/accounts", "account-list", "Ways out", staff.SettingsRead, func(ctx context.Context, _ *Paging) (*body[List[Account]], error) {
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
		made, err := o.CreateAccount(ctx, workspaceOf(ctx), draft)
		if err != nil {
			return nil, err
		}
		return answer(accountShape(made)), a.audit(ctx, "create", "account", made.ID)
	}, created)
	route(a, http.MethodPut, "/accounts/{id}", "account-update", "Change a way out", staff.SettingsWrite, func(ctx context.Context, in *inAt[AccountDraft]) (*body[Account], error) {
		draft, err := in.Body.account(in.ID)
		if err != nil {
			return nil, err
		}
		made, err := o.UpdateAccount(ctx, workspaceOf(ctx), draft)
		if err != nil {
			return nil, err
		}
		return answer(accountShape(made)), a.audit(ctx, "update", "account", made.ID)
	})
	route(a, http.MethodPost, "/accounts/{id}/check", "account-check", "Connect and sign in without sending anything", staff.SettingsWrite, func(ctx context.Context, in *idPath) (*nothing, error) {
		return nil, o.CheckAccount(ctx, workspaceOf(ctx), in.ID)
	}, noContent)
	route(a, http.MethodDelete, "/accounts/{id}", "account-delete", "Remove a way out", staff.SettingsWrite, func(ctx context.Context, in *idPath) (*nothing, error) {
		if err := o.DeleteAccount(ctx, workspaceOf(ctx), in.ID); err != nil {
			return nil, err
		}
		return nil, a.audit(ctx, "delete", "account", in.ID)
	}, noContent)

	route(a, http.MethodGet, "/people/{id}/messages", "person-messages", "Messages to a person, refused ones included, newest first", staff.PeopleRead, func(ctx context.Context, in *pageAt) (*body[List[Message]], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		found, err := o.PersonMessages(ctx, p.Workspace, p.ID, in.request())
		if err != nil {
			return nil, err
		}
		return a.messages(ctx, found)
	})

	type sending struct {
		Stopped      bool       `json:"stopped"`
		StoppedSince *time.Time `json:"stopped_since,omitempty"`
	}
	state := func(ctx context.Context) (*body[sending], error) {
		since, err := o.SendingStopped(ctx, workspaceOf(ctx))
		return answer(sending{!since.IsZero(), moment(since)}), err
	}
	route(a, http.MethodGet, "/sending", "sending-get", "Is sending stopped", staff.SettingsRead, func(ctx context.Context, _ *nothing) (*body[sending], error) { return state(ctx) })
	type stop struct {
		Stopped bool `json:"stopped"`
	}
	route(a, http.MethodPut, "/sending", "sending-set", "Stop all sending of the workspace, or let it go on", staff.CampaignsSend, func(ctx context.Context, in *in[stop]) (*body[sending], error) {
		do, action := o.ResumeSending, "resume"
		if in.Body.Stopped {
			do, action = o.StopSending, "stop"
		}
		if err := do(ctx, workspaceOf(ctx)); err != nil {
			return nil, err
		}
		if err := a.audit(ctx, action, "sending", ""); err != nil {
			return nil, err
		}
		return state(ctx)
	})
}
