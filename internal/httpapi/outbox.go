package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

// Message is one message to one person, or the refusal to send it.
type Message struct {
	ID             string         `json:"id"`
	Person         PersonBrief    `json:"person"`
	Channel        string         `json:"channel"`
	Topic          string         `json:"topic,omitempty"`
	Template       string         `json:"template"`
	Source         MessageSource  `json:"source"`
	Subject        string         `json:"subject,omitempty"`
	State          string         `json:"state"`
	Reason         string         `json:"reason,omitempty" doc:"why it was refused or failed; stable code"`
	Data           map[string]any `json:"data,omitempty" doc:"what the reason rests on: names and figures to word in the reader's language, e.g. taken, limit and days of capped"`
	Detail         string         `json:"detail,omitempty" doc:"the receiving server's own words, or what is wrong with the template"`
	Priority       string         `json:"priority" enum:"low,normal,high"`
	Code           string         `json:"code,omitempty" doc:"the receiving server's last answer"`
	Attempts       int            `json:"attempts"`
	Uncertain      int            `json:"uncertain" doc:"answers lost: so many surplus copies may have arrived at most"`
	CreatedAt      time.Time      `json:"created_at"`
	SentAt         *time.Time     `json:"sent_at,omitempty"`
	BouncedAt      *time.Time     `json:"bounced_at,omitempty"`
	OpenedAt       *time.Time     `json:"opened_at,omitempty"`
	ClickedAt      *time.Time     `json:"clicked_at,omitempty"`
	ConvertedAt    *time.Time     `json:"converted_at,omitempty"`
	UnsubscribedAt *time.Time     `json:"unsubscribed_at,omitempty"`
	ComplainedAt   *time.Time     `json:"complained_at,omitempty" doc:"reported as spam"`
	RepliedAt      *time.Time     `json:"replied_at,omitempty" doc:"first answer that a person wrote"`
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
	return list(found, func(m outbox.Message) Message { return messageShape(m, people[m.PersonID]) }), nil
}

func messageShape(m outbox.Message, p person.Person) Message {
	return Message{
		ID: m.ID, Person: PersonBrief{ID: m.PersonID, Name: p.Name(), Email: p.Email()}, Channel: m.Channel, Topic: m.Topic, Template: m.Template,
		Source: MessageSource{m.Source.Kind, m.Source.ID, m.Source.Version, m.Source.Node}, Subject: m.Subject, State: string(m.Shown()), Reason: m.Reason, Data: m.Data, Detail: m.Detail, Priority: m.Priority.String(),
		Code: m.Code, Attempts: m.Attempts, Uncertain: m.Uncertain, CreatedAt: m.CreatedAt, SentAt: moment(m.SentAt), BouncedAt: moment(m.BouncedAt),
		OpenedAt: moment(m.OpenedAt), ClickedAt: moment(m.ClickedAt), ConvertedAt: moment(m.ConvertedAt), UnsubscribedAt: moment(m.UnsubscribedAt), ComplainedAt: moment(m.ComplainedAt), RepliedAt: moment(m.RepliedAt),
	}
}

// MessageDetail is everything about one message.
type MessageDetail struct {
	Message
	Address          string        `json:"address,omitempty"`
	TemplateVersion  int           `json:"template_version,omitempty" doc:"version that was sent"`
	Transactional    bool          `json:"transactional"`
	Trace            string        `json:"trace_id,omitempty" doc:"of the OpenTelemetry trace that it belongs to; left out of what is not traced"`
	DeliveredAt      *time.Time    `json:"delivered_at,omitempty"`
	MachineOpenedAt  *time.Time    `json:"machine_opened_at,omitempty" doc:"first opening by a proxy or scanner"`
	MachineClickedAt *time.Time    `json:"machine_clicked_at,omitempty" doc:"first click by a scanner"`
	NextTry          *time.Time    `json:"next_try_at,omitempty" doc:"of a message that is waiting"`
	Timeline         []MessageStep `json:"timeline" doc:"what happened, in order"`
	Conversions      []Conversion  `json:"conversions" doc:"what was credited to this message, oldest first"`
}

// Conversion is one goal event that followed a message.
type Conversion struct {
	Event     string    `json:"event"`
	MessageID string    `json:"event_message_id"`
	At        time.Time `json:"at"`
	Revenue   *Money    `json:"revenue,omitempty"`
}

func messageDetail(m outbox.Message, p person.Person, credited []outbox.Conversion) MessageDetail {
	out := MessageDetail{
		Message: messageShape(m, p), Address: m.Address, TemplateVersion: m.TemplateVersion, Transactional: m.Transactional, Trace: trace.ID(m.Trace), DeliveredAt: moment(m.DeliveredAt),
		MachineOpenedAt: moment(m.MachineOpenedAt), MachineClickedAt: moment(m.MachineClickedAt), Timeline: timeline(m), Conversions: make([]Conversion, len(credited)),
	}
	if m.State == outbox.Queued {
		out.NextTry = moment(m.DueAt)
	}
	for i, c := range credited {
		out.Conversions[i] = Conversion{Event: c.Event, MessageID: c.EventID, At: c.At}
		if c.Currency != "" {
			out.Conversions[i].Revenue = &Money{c.Minor, c.Currency}
		}
	}
	return out
}

func (a *api) outboxRoutes() {
	a.messageRoutes()
	o := a.c.Outbox
	route(a, http.MethodGet, "/people/{id}/messages", "person-messages", "Messages to a person, refused ones included, newest first", staff.PeopleRead, func(ctx context.Context, in *PageAt) (*body[List[Message]], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		found, err := o.PersonMessages(ctx, p.Workspace, p.ID, outbox.PersonFilter{}, in.request())
		if err != nil {
			return nil, err
		}
		out, err := a.messages(ctx, found)
		if err != nil {
			return nil, err
		}
		return out, a.saw(ctx, p.ID)
	})
	route(a, http.MethodGet, "/messages/{id}", "message-get", "One message, with what came of it", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[MessageDetail], error) {
		ws := workspaceOf(ctx)
		m, err := o.Message(ctx, ws, in.ID)
		if err != nil {
			return nil, err
		}
		credited, err := o.Conversions(ctx, ws, m.ID)
		if err != nil {
			return nil, err
		}
		people, err := a.c.People.ByIDs(ctx, ws, []string{m.PersonID})
		if err != nil {
			return nil, err
		}
		return answer(messageDetail(m, people[m.PersonID], credited)), a.saw(ctx, m.PersonID)
	})

	type trial struct {
		Channel  string         `json:"channel,omitempty" doc:"email if left out"`
		Template string         `json:"template" minLength:"1"`
		Version  int            `json:"version,omitempty" minimum:"0" doc:"the current one if left out"`
		Topic    string         `json:"topic,omitempty"`
		To       string         `json:"to,omitempty" maxLength:"320" doc:"where it goes, whoever's values it shows; your own address if left out"`
		Person   string         `json:"person,omitempty" doc:"whose values fill it; the template's defaults show if left out"`
		Locale   string         `json:"locale,omitempty" maxLength:"35" doc:"as a reader of this language would get it; the person's if left out"`
		Vars     map[string]any `json:"vars,omitempty" doc:"variables beside the person's, e.g. event"`
		Account  string         `json:"account,omitempty" doc:"the default account of the channel if left out"`
	}
	type result struct {
		Result string `json:"result" enum:"sent,deferred,rejected,unknown" doc:"what the other side said"`
		Code   string `json:"code,omitempty" doc:"the protocol's own code"`
		Detail string `json:"detail,omitempty" doc:"the other side's words"`
	}
	route(a, http.MethodPost, "/messages/test", "message-test", "Send a trial of a template at once; it is in no report", staff.CampaignsSend, func(ctx context.Context, in *in[trial]) (*body[result], error) {
		b, who := in.Body, ""
		if b.Person != "" {
			if err := caller(ctx).Require(staff.PeopleRead); err != nil {
				return nil, err
			}
			p, err := a.c.People.Get(ctx, workspaceOf(ctx), b.Person)
			if err != nil {
				return nil, err
			}
			if err := a.saw(ctx, p.ID); err != nil {
				return nil, err
			}
			who = p.ID
		}
		if b.Channel == "" {
			b.Channel = content.Email
		}
		if b.To == "" && b.Channel == content.Email {
			mine, err := a.c.Staff.Memberships(ctx, caller(ctx))
			if err != nil {
				return nil, err
			}
			if len(mine) > 0 {
				b.To = mine[0].User.Email
			}
		}
		// What has left the house cannot be taken back, so the entry comes first.
		if err := a.audit(ctx, "test", "template", b.Template); err != nil {
			return nil, err
		}
		said, err := o.SendTest(ctx, workspaceOf(ctx), outbox.TestSend{Channel: b.Channel, Template: b.Template, Version: b.Version, Topic: b.Topic, To: b.To, PersonID: who, Locale: b.Locale, Vars: b.Vars, Account: b.Account})
		return answer(result{string(said.Result), said.Code, said.Detail}), err
	})

	type waiting struct {
		Kind  string `json:"kind" doc:"of who asked for them: campaign, journey, api ..."`
		ID    string `json:"id,omitempty"`
		Count int64  `json:"count"`
	}
	type sending struct {
		Stopped      bool       `json:"stopped"`
		StoppedSince *time.Time `json:"stopped_since,omitempty"`
		Waiting      []waiting  `json:"waiting" doc:"messages that have not gone yet, by who asked for them, most first"`
	}
	state := func(ctx context.Context) (*body[sending], error) {
		since, err := o.SendingStopped(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		all, err := o.WaitingBySource(ctx, workspaceOf(ctx))
		out := sending{!since.IsZero(), moment(since), make([]waiting, len(all))}
		for i, w := range all {
			out.Waiting[i] = waiting{w.Kind, w.ID, w.Count}
		}
		return answer(out), err
	}
	route(a, http.MethodGet, "/sending", "sending-get", "Is sending stopped, and what waits", staff.SettingsRead, func(ctx context.Context, _ *nothing) (*body[sending], error) { return state(ctx) })
	type stop struct {
		Stopped bool   `json:"stopped"`
		Waiting string `json:"waiting,omitempty" enum:"send,cancel" doc:"when sending goes on: what becomes of messages that wait, transactional ones among them; sent if left out. After a restore some of them may have been sent already"`
	}
	route(a, http.MethodPut, "/sending", "sending-set", "Stop all sending of the workspace, or let it go on", staff.CampaignsSend, func(ctx context.Context, in *in[stop]) (*body[sending], error) {
		do, action, detail := o.ResumeSending, "resume", map[string]int64{}
		switch {
		case in.Body.Stopped && in.Body.Waiting != "":
			return nil, errs.Invalid("sending.waiting", "waiting", "what waits is sent or cancelled when sending goes on: leave waiting out, or say stopped false")
		case in.Body.Stopped:
			do, action = o.StopSending, "stop"
		case in.Body.Waiting == "cancel":
			do = func(ctx context.Context, ws string) (err error) {
				detail["cancelled"], err = o.ResumeAfresh(ctx, ws)
				return err
			}
		}
		if err := a.changeWith(ctx, action, "sending", "", detail, func(ctx context.Context) error { return do(ctx, workspaceOf(ctx)) }); err != nil {
			return nil, err
		}
		return state(ctx)
	})
	policy := func(ctx context.Context) (outbox.Policy, error) { return o.Policy(ctx, workspaceOf(ctx)) }
	route(a, http.MethodGet, "/sending/policy", "sending-policy-get", "Quiet hours, caps and holdout", staff.SettingsRead, func(ctx context.Context, _ *nothing) (*body[SendingPolicy], error) {
		p, err := policy(ctx)
		return answer(policyShape(p)), err
	})
	route(a, http.MethodPut, "/sending/policy", "sending-policy-set", "Replace quiet hours, caps and holdout; what waits already meets them when its time comes", staff.SettingsWrite, func(ctx context.Context, in *in[SendingPolicy]) (*body[SendingPolicy], error) {
		p, err := in.Body.policy()
		if err != nil {
			return nil, err
		}
		err = a.change(ctx, "update", "sending_policy", workspaceOf(ctx), func(ctx context.Context) (err error) {
			p, err = o.SetPolicy(ctx, workspaceOf(ctx), p)
			return err
		})
		return answer(policyShape(p)), a.overtaken(ctx, err, "outbox.policy.changed", "sending_policy", workspaceOf(ctx))
	})
}
