package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// BouncePolicy says what follows when messages come back. Addresses that do not exist and people who complain are suppressed at once, always.
type BouncePolicy struct {
	SoftLimit  int  `json:"soft_limit" minimum:"0" maximum:"100" doc:"an address is suppressed after so many soft bounces; 0: never"`
	SoftDays   int  `json:"soft_days" minimum:"1" maximum:"366" doc:"within so many days"`
	BlockAlert int  `json:"block_alert" minimum:"0" maximum:"1000000" doc:"so many refusals of the sender (spam, policy, reputation) within an hour raise an alert on the account; 0: never"`
	BlockPause int  `json:"block_pause" minimum:"0" maximum:"1000000" doc:"so many pause the account until it is resumed; 0: never"`
	Honeypot   bool `json:"honeypot,omitempty" doc:"put a link that no person sees into each mail; whoever follows it is a machine"`
}

// Bounce is a message that came back, or that somebody complained about.
type Bounce struct {
	Message string      `json:"message_id"`
	Person  PersonBrief `json:"person"`
	Channel string      `json:"channel"`
	Class   string      `json:"class" enum:"hard,soft,full,block,other,complaint" doc:"hard: no such address; soft: may pass; full: mailbox full; block: sender or content unwelcome"`
	Code    string      `json:"code,omitempty" doc:"the other server's code"`
	Detail  string      `json:"detail,omitempty" doc:"its words; of a complaint the kind of feedback"`
	Hint    string      `json:"hint" doc:"the address with most of it hidden"`
	Hash    string      `json:"hash" doc:"the address as the suppression list names it"`
	Remedy  string      `json:"remedy" enum:"suppressed_complaint,suppressed_ask_for_new_address,kept_reach_on_other_channel,kept_check_sender_reputation,kept_until_limit,kept_read_answer" doc:"what was done about it, and what can be"`
	At      time.Time   `json:"at"`
}

// AccountAlert is something wrong with an account.
type AccountAlert struct {
	Code   string    `json:"code" enum:"blocked"`
	Count  int64     `json:"count" doc:"refusals within an hour"`
	Detail string    `json:"detail,omitempty" doc:"the last server's words"`
	At     time.Time `json:"at"`
	Paused bool      `json:"paused" doc:"nothing goes out by the account until it is resumed"`
}

func (a *api) returnRoutes() {
	o := a.c.Outbox
	route(a, http.MethodGet, "/sending/bounce-policy", "bounce-policy-get", "What follows when messages come back", staff.SettingsRead, func(ctx context.Context, _ *nothing) (*body[BouncePolicy], error) {
		p, err := o.BouncePolicy(ctx, workspaceOf(ctx))
		return answer(BouncePolicy(p)), err
	})
	route(a, http.MethodPut, "/sending/bounce-policy", "bounce-policy-set", "Replace it; it holds for what comes back from now on", staff.SettingsWrite, func(ctx context.Context, in *in[BouncePolicy]) (*body[BouncePolicy], error) {
		err := a.change(ctx, "update", "bounce_policy", workspaceOf(ctx), func(ctx context.Context) error {
			return o.SetBouncePolicy(ctx, workspaceOf(ctx), outbox.BouncePolicy(in.Body))
		})
		return answer(in.Body), err
	})
	type filter struct {
		Paging
		Class   string `query:"class" enum:"hard,soft,full,block,other,complaint"`
		Person  string `query:"person"`
		Channel string `query:"channel"`
	}
	route(a, http.MethodGet, "/bounces", "bounce-list", "What came back and what people complained about, latest first", staff.PeopleRead, func(ctx context.Context, in *filter) (*body[List[Bounce]], error) {
		ws := workspaceOf(ctx)
		found, err := o.Bounces(ctx, ws, outbox.BounceFilter{Class: in.Class, PersonID: in.Person, Channel: in.Channel}, in.request())
		if err != nil {
			return nil, err
		}
		who, err := known(ctx, a, found.Items, func(b outbox.Bounce) string { return b.PersonID })
		if err != nil {
			return nil, err
		}
		return list(found, func(b outbox.Bounce) Bounce {
			return Bounce{
				Message: b.MessageID, Person: who(b.PersonID), Channel: b.Channel, Class: b.Class, Code: b.Code, Detail: b.Detail,
				Hint: b.Hint, Hash: b.Hash, Remedy: b.Remedy(), At: b.At,
			}
		}), nil
	})
	type health struct {
		Alert *AccountAlert `json:"alert,omitempty" doc:"left out if nothing is wrong"`
	}
	route(a, http.MethodGet, "/accounts/{id}/health", "account-health", "Whether other servers take what an account sends", staff.SettingsRead, func(ctx context.Context, in *IDPath) (*body[health], error) {
		if _, err := o.Account(ctx, workspaceOf(ctx), in.ID); err != nil {
			return nil, err
		}
		found, err := o.Alert(ctx, workspaceOf(ctx), in.ID)
		if err != nil || found == nil {
			return answer(health{}), err
		}
		alert := AccountAlert(*found)
		return answer(health{&alert}), nil
	})
	route(a, http.MethodPost, "/accounts/{id}/resume", "account-resume", "Take an account's alert back and let it send again", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "resume", "account", in.ID, func(ctx context.Context) error { return o.ResumeAccount(ctx, workspaceOf(ctx), in.ID) })
	}, noContent)
	a.inboundRoutes()
}
