package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// Inbound is how news about an account's messages comes back.
type Inbound struct {
	Address   string          `json:"address,omitempty" doc:"where bounces, complaints and answers go: an address whose plus-addresses reach the same mailbox, or a domain whose mail reaches this server; nowhere if left out"`
	Replies   bool            `json:"replies,omitempty" doc:"answers go there too and show on the person; otherwise they go to the account's reply address"`
	Strangers bool            `json:"strangers,omitempty" doc:"mail of unknown senders makes people of them, with an address that nobody has verified; otherwise it is kept out. Automatic mail and mailing lists never do"`
	Mailbox   *InboundMailbox `json:"mailbox,omitempty" doc:"fetched by IMAP if given; otherwise mail must reach this server's own SMTP listener"`
	Provider  string          `json:"provider,omitempty" enum:"ses,postmark,sendgrid" doc:"whose webhooks are taken"`
	Topic     string          `json:"topic,omitempty" doc:"ses: the SNS topic; the first that confirms if left out"`
	VerifyKey string          `json:"verify_key,omitempty" doc:"sendgrid: verification key of the signed event webhook"`
	HookSet   bool            `json:"hook_set" readOnly:"true" doc:"there is a webhook address"`
}

// InboundMailbox is where returned mail is fetched from.
type InboundMailbox struct {
	Host        string     `json:"host"`
	Port        int        `json:"port,omitempty" minimum:"0" maximum:"65535" doc:"993 if left out"`
	Username    string     `json:"username"`
	Password    string     `json:"password,omitempty" writeOnly:"true" doc:"the stored one stays if left out"`
	PasswordSet bool       `json:"password_set" readOnly:"true"`
	Folder      string     `json:"folder,omitempty" doc:"INBOX if left out"`
	Clear       bool       `json:"clear,omitempty" doc:"without TLS; only for a server on this machine"`
	ReadAt      *time.Time `json:"read_at,omitempty" readOnly:"true" doc:"when it was read last"`
	Error       string     `json:"error,omitempty" readOnly:"true" doc:"why it could not be read then"`
}

// InboundStatus is how news comes back, and how much has.
type InboundStatus struct {
	Inbound
	Taken map[string]int64 `json:"taken" doc:"by webhook and mailbox, by what became of it: event, nothing (understood, but no news), unknown (no message of ours), too_old, stranger (of somebody who wrote first), limited (too much of that within an hour)"`
}

func (i Inbound) inbound(account string) outbox.Inbound {
	out := outbox.Inbound{Account: account, Address: i.Address, Replies: i.Replies, Strangers: i.Strangers, Provider: i.Provider, Topic: i.Topic, VerifyKey: i.VerifyKey}
	if m := i.Mailbox; m != nil {
		out.Mailbox = outbox.Mailbox{Host: m.Host, Port: m.Port, Username: m.Username, Password: m.Password, Folder: m.Folder, Clear: m.Clear}
	}
	return out
}

func inboundShape(i outbox.Inbound, st outbox.MailboxState) Inbound {
	out := Inbound{Address: i.Address, Replies: i.Replies, Strangers: i.Strangers, Provider: i.Provider, Topic: i.Topic, VerifyKey: i.VerifyKey, HookSet: i.HookSet}
	if m := i.Mailbox; m.Host != "" {
		out.Mailbox = &InboundMailbox{Host: m.Host, Port: m.Port, Username: m.Username, PasswordSet: m.PasswordSet, Folder: m.Folder, Clear: m.Clear, ReadAt: moment(st.At), Error: st.Error}
	}
	return out
}

func (a *api) inboundRoutes() {
	o := a.c.Outbox
	status := func(ctx context.Context, id string) (*body[InboundStatus], error) {
		ws := workspaceOf(ctx)
		in, err := o.Inbound(ctx, ws, id)
		if err != nil {
			return nil, err
		}
		st, err := o.MailboxState(ctx, ws, id)
		if err != nil {
			return nil, err
		}
		counts, err := o.ReturnedCounts(ctx, ws, id)
		out := InboundStatus{Inbound: inboundShape(in, st), Taken: map[string]int64{}}
		for k, n := range counts {
			out.Taken[string(k)] = n
		}
		return answer(out), err
	}
	route(a, http.MethodGet, "/accounts/{id}/inbound", "account-inbound-get", "How bounces, complaints and answers come back", staff.SettingsRead, func(ctx context.Context, in *IDPath) (*body[InboundStatus], error) {
		return status(ctx, in.ID)
	})
	route(a, http.MethodPut, "/accounts/{id}/inbound", "account-inbound-set", "Replace how they come back", staff.SettingsWrite, func(ctx context.Context, in *inAt[Inbound]) (*body[InboundStatus], error) {
		err := a.change(ctx, "update", "account_inbound", in.ID, func(ctx context.Context) error {
			wanted := in.Body.inbound(in.ID)
			_, err := o.SetInbound(ctx, workspaceOf(ctx), wanted)
			return err
		})
		if err != nil {
			return nil, err
		}
		return status(ctx, in.ID)
	})
	type address struct {
		Account string `json:"account"`
		URL     string `json:"url" doc:"give it to the provider; it is shown this once, and the one before ends"`
	}
	route(a, http.MethodPost, "/accounts/{id}/inbound/hook", "account-hook-new", "Make the address of the provider's webhook", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*body[address], error) {
		var key, provider string
		err := a.change(ctx, "new_hook", "account_inbound", in.ID, func(ctx context.Context) (err error) {
			was, err := o.Inbound(ctx, workspaceOf(ctx), in.ID)
			if err != nil {
				return err
			}
			provider = was.Provider
			key, err = o.NewHook(ctx, workspaceOf(ctx), in.ID)
			return err
		})
		return answer(address{in.ID, a.c.PublicURL + "/in/" + provider + "/" + key}), err
	}, created)
}
