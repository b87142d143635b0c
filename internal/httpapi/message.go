package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// MessageTo is who gets a message: exactly one of person, identifier and address.
type MessageTo struct {
	Person     string `json:"person,omitempty" doc:"id"`
	Identifier string `json:"identifier,omitempty" maxLength:"600" doc:"kind:value, e.g. user_id:u1"`
	Address    string `json:"address,omitempty" maxLength:"320" doc:"where it goes, whatever else is known of the person; a person is made if nobody has it"`
	Name       string `json:"name,omitempty" maxLength:"200" doc:"of a person who is made"`
}

// MessageFile is a file that goes with a message.
type MessageFile struct {
	Name    string `json:"name" minLength:"1" maxLength:"200" example:"invoice.pdf"`
	Type    string `json:"type,omitempty" maxLength:"200" doc:"media type; application/octet-stream if left out" example:"application/pdf"`
	Content []byte `json:"content" doc:"the bytes in base64; at most 10 MB for all files of a message together"`
}

// MessageDraft is a message to be sent: by a template, or with a subject and html or text of its own.
type MessageDraft struct {
	To          MessageTo      `json:"to"`
	Channel     string         `json:"channel,omitempty" doc:"email if left out"`
	Lane        string         `json:"lane,omitempty" enum:"transactional,marketing" default:"transactional" doc:"transactional: answers something the person did (a receipt, a password); goes first, and past subscriptions, quiet hours and caps, but never to an address that is suppressed. marketing needs a topic and passes the whole gate"`
	Topic       string         `json:"topic,omitempty" doc:"of a marketing message"`
	Priority    string         `json:"priority,omitempty" enum:"low,normal,high" doc:"of a marketing message where a cap leaves room for fewer"`
	Template    string         `json:"template,omitempty" doc:"id"`
	Version     int            `json:"version,omitempty" minimum:"0" doc:"of the template; the current one if left out"`
	Data        map[string]any `json:"data,omitempty" doc:"variables of the template beside the person's"`
	Locale      string         `json:"locale,omitempty" maxLength:"35" doc:"the person's if left out"`
	Subject     string         `json:"subject,omitempty"`
	HTML        string         `json:"html,omitempty" doc:"refused if it holds scripts, forms or other active content"`
	Text        string         `json:"text,omitempty" doc:"made from html if left out"`
	FromName    string         `json:"from_name,omitempty" maxLength:"200" doc:"instead of the template's or the account's"`
	ReplyTo     string         `json:"reply_to,omitempty" maxLength:"320" doc:"instead of the template's or the account's"`
	Attachments []MessageFile  `json:"attachments,omitempty" maxItems:"20"`
	Goal        *Goal          `json:"goal,omitempty" doc:"what the message is meant to bring about, to be counted toward it; left out: nothing is, be it in either lane"`
	SendAt      *time.Time     `json:"send_at,omitempty" doc:"at once if left out; at most a year ahead"`
}

// MessageStatus is where a message stands. It names nobody.
type MessageStatus struct {
	ID        string         `json:"id"`
	Key       string         `json:"key,omitempty" doc:"idempotency key it was asked for with"`
	State     string         `json:"state" enum:"queued,sending,sent,bounced,failed,refused,cancelled"`
	Reason    string         `json:"reason,omitempty" doc:"stable code of a refusal, a failure, or of what it waits for"`
	Data      map[string]any `json:"data,omitempty" doc:"what the reason rests on"`
	Detail    string         `json:"detail,omitempty" doc:"the receiving server's own words"`
	Code      string         `json:"code,omitempty" doc:"the receiving server's last answer"`
	Duplicate bool           `json:"duplicate" doc:"the key had been used for the same request: nothing new was made"`
	NextTry   *time.Time     `json:"next_try_at,omitempty" doc:"of a message that waits"`
	Timeline  []MessageStep  `json:"timeline"`
}

// MessageStep is one thing that happened to a message.
type MessageStep struct {
	State string    `json:"state" enum:"accepted,sent,delivered,bounced,failed,refused,cancelled,opened,machine_opened,clicked,machine_clicked,converted,unsubscribed,replied,complained"`
	At    time.Time `json:"at"`
}

const apiKeys = "api:" // what idempotency keys of callers begin with inside

func statusShape(m outbox.Message) MessageStatus {
	out := MessageStatus{ID: m.ID, State: string(m.Shown()), Reason: m.Reason, Data: m.Data, Detail: m.Detail, Code: m.Code, Timeline: timeline(m)}
	if key, ok := strings.CutPrefix(m.Key, apiKeys); ok {
		out.Key = key
	}
	if m.State == outbox.Queued {
		out.NextTry = moment(m.DueAt)
	}
	return out
}

// timeline lists what happened, in the order of time.
func timeline(m outbox.Message) []MessageStep {
	out := []MessageStep{{"accepted", m.CreatedAt}}
	ended := string(m.State)
	for _, s := range []struct {
		state string
		at    time.Time
	}{
		{"sent", m.SentAt},
		{"delivered", m.DeliveredAt},
		{"bounced", m.BouncedAt},
		{"machine_opened", m.MachineOpenedAt},
		{"opened", m.OpenedAt},
		{"machine_clicked", m.MachineClickedAt},
		{"clicked", m.ClickedAt},
		{"replied", m.RepliedAt},
		{"complained", m.ComplainedAt},
		{"unsubscribed", m.UnsubscribedAt},
		{"converted", m.ConvertedAt},
	} {
		if !s.at.IsZero() {
			out = append(out, MessageStep{s.state, s.at})
		}
	}
	if !m.EndedAt.IsZero() && (m.State == outbox.Failed || m.State == outbox.Refused || m.State == outbox.Cancelled) {
		out = append(out, MessageStep{ended, m.EndedAt})
	}
	slices.SortStableFunc(out, func(a, b MessageStep) int { return a.At.Compare(b.At) })
	return out
}

// maxAhead is how far ahead a message may be asked for.
const maxAhead = 366 * 24 * time.Hour

// request makes an outbox request that lacks its person.
func (a *api) request(ctx context.Context, d MessageDraft, key string) (outbox.Request, error) {
	ws := workspaceOf(ctx)
	r := outbox.Request{
		Workspace: ws, Channel: d.Channel, Topic: d.Topic, Template: d.Template, Version: d.Version, Vars: d.Data, Transactional: d.Lane != "marketing",
		Source: outbox.Source{Kind: "api", ID: caller(ctx).ID}, Key: apiKeys + key, Goal: outbox.Goal{None: true},
	}
	if r.Channel == "" {
		r.Channel = content.Email
	}
	if err := a.c.Outbox.CheckChannel("channel", r.Channel); err != nil {
		return r, err
	}
	switch {
	case r.Transactional && d.Topic != "":
		return r, errs.Invalid("message.topic_of_transactional", "topic", "a transactional message has no topic; leave it out, or choose the lane marketing")
	case !r.Transactional && d.Topic == "":
		return r, errs.Invalid("message.topic_missing", "topic", "a marketing message needs the topic that people subscribed to")
	case strings.ContainsFunc(d.To.Name, unicode.IsControl):
		return r, errs.Invalid("message.to.name", "to.name", "write the name on one line, without control characters")
	case d.Locale != "" && !brand.ValidTag(d.Locale):
		return r, errs.Invalid("message.locale", "locale", "%q is no language; write it like en, zh-Hans or ja, or leave it out for the person's", d.Locale)
	case key == "" || len(key) > 200 || id.Key(r.Key) != r.Key:
		return r, errs.Invalid("message.key_invalid", "Idempotency-Key", "a key has at most 200 characters and no control characters")
	}
	var err error
	if r.Priority, err = outbox.ParsePriority(d.Priority); err != nil {
		return r, err
	}
	if d.Goal != nil { // counted only if asked for: a receipt is no reason to buy
		r.Goal = goalOf(d.Goal)
		if err := r.Goal.Validate(); err != nil {
			return r, err
		}
		if err := a.c.Privacy.Askable(ctx, ws, r.Goal.Fields()...); err != nil {
			return r, err
		}
	}
	if d.SendAt != nil {
		if d.SendAt.After(a.c.Clock.Now().Add(maxAhead)) {
			return r, errs.Invalid("message.send_at", "send_at", "at most a year ahead")
		}
		r.NotBefore = *d.SendAt
	}
	body := outbox.Body{Subject: d.Subject, HTML: d.HTML, Text: d.Text, FromName: d.FromName, ReplyTo: d.ReplyTo, Locale: d.Locale}
	for _, f := range d.Attachments {
		body.Attachments = append(body.Attachments, channel.Attachment(f))
	}
	if d.Template == "" || d.Locale != "" || len(body.Attachments) > 0 || d.FromName != "" || d.ReplyTo != "" || d.Subject != "" || d.HTML != "" || d.Text != "" {
		r.Body = &body
		if err := body.Validate(d.Template == ""); err != nil {
			return r, err
		}
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return r, err
	}
	sum := sha256.Sum256(raw)
	r.Print, r.Address = hex.EncodeToString(sum[:16]), d.To.Address
	return r, nil
}

// recipient finds the person a message is for.
func (a *api) recipient(ctx context.Context, ws, kind string, to MessageTo) (person.Person, error) {
	given := 0
	for _, v := range []string{to.Person, to.Identifier, to.Address} {
		if v != "" {
			given++
		}
	}
	if given != 1 {
		return person.Person{}, errs.Invalid("message.to", "to", "name one of person, identifier and address")
	}
	switch {
	case to.Person != "":
		p, err := a.c.People.Get(ctx, ws, to.Person)
		return p, namedBy(err, "to.person")
	case to.Identifier != "":
		k, v, ok := strings.Cut(to.Identifier, ":")
		if !ok || k == "" || v == "" {
			return person.Person{}, errs.Invalid("message.to.identifier", "to.identifier", "write kind:value, e.g. user_id:u1")
		}
		p, err := a.c.People.ByIdentifier(ctx, ws, event.Identifier{Kind: k, Value: v})
		return p, namedBy(err, "to.identifier")
	}
	if !outbox.ValidAddress(kind, to.Address) {
		return person.Person{}, errs.Invalid("message.to.address", "to.address", "%q is no address for %s", to.Address, kind)
	}
	who := event.Identifier{Kind: kind, Value: to.Address}
	if kind == outbox.KindSMS {
		who.Kind = person.KindPhone
	}
	p, err := a.c.People.ByIdentifier(ctx, ws, who)
	if !errs.Is(err, errs.KindNotFound) {
		return p, err
	}
	n := person.NewPerson{Identifiers: []event.Identifier{who}}
	if to.Name != "" {
		n.Traits = map[string]any{"name": to.Name}
	}
	return a.c.People.Create(ctx, ws, n)
}

// sendOne asks the outbox for one message.
func (a *api) sendOne(ctx context.Context, d MessageDraft, key string) (MessageStatus, error) {
	var out MessageStatus
	err := a.c.Tx.InTx(ctx, func(ctx context.Context) error {
		// A key that was used answers before anything is looked up or made.
		used, err := a.c.Outbox.ByKey(ctx, workspaceOf(ctx), apiKeys+key)
		known := err == nil
		if err != nil && !errs.Is(err, errs.KindNotFound) {
			return err
		}
		r, err := a.request(ctx, d, key)
		if err != nil {
			return err
		}
		if known && used.Print != r.Print {
			return errs.Conflict("message.key_reused", "the idempotency key %q was used for another message; choose a new one", key)
		}
		if !known { // the earlier answer stands, whatever has been archived since
			if err := a.c.Outbox.CheckNamed(ctx, r); err != nil {
				return err
			}
		}
		p, err := a.recipient(ctx, r.Workspace, r.Channel, d.To)
		if err != nil {
			return err
		}
		r.PersonID = p.ID
		decisions, err := a.c.Outbox.Enqueue(ctx, []outbox.Request{r})
		if err != nil {
			return err
		}
		m, err := a.c.Outbox.Message(ctx, r.Workspace, decisions[0].MessageID)
		out = statusShape(m)
		out.Duplicate = decisions[0].Duplicate
		return err
	})
	if err == nil && d.Lane != "marketing" {
		a.c.Outbox.Hurry()
	}
	return out, err
}

func accepted(op *huma.Operation) { op.DefaultStatus = http.StatusAccepted }

func (a *api) messageRoutes() {
	o := a.c.Outbox
	type one struct {
		Key  string `header:"Idempotency-Key" maxLength:"200" doc:"the same key and message again make no second one; another message under the same key is a conflict"`
		Body MessageDraft
	}
	route(a, http.MethodPost, "/messages", "message-send", "Send one message: a receipt, a password, a notice. The answer says whether it was let through. A template, topic or channel that nothing can be sent by is refused before anything is kept, and the key can be used again", staff.MessagesSend, func(ctx context.Context, in *one) (*body[MessageStatus], error) {
		if in.Key == "" {
			in.Key = id.New("req")
		}
		s, err := a.sendOne(ctx, in.Body, in.Key)
		return answer(s), err
	}, bodyLimit(16<<20), accepted)

	type item struct {
		Key string `json:"key" minLength:"1" maxLength:"200" doc:"idempotency key of this message"`
		MessageDraft
	}
	type batch struct {
		Messages []item `json:"messages" minItems:"1" maxItems:"500"`
	}
	type result struct {
		Key     string         `json:"key"`
		Message *MessageStatus `json:"message,omitempty" doc:"missing if the message could not be taken at all"`
		Error   *BatchError    `json:"error,omitempty"`
	}
	type results struct {
		Items []result `json:"items" doc:"in the order asked"`
	}
	route(a, http.MethodPost, "/messages/batch", "message-send-batch", "Send many messages; each is taken or refused by itself", staff.MessagesSend, func(ctx context.Context, in *in[batch]) (*body[results], error) {
		out := results{Items: make([]result, len(in.Body.Messages))}
		for i, m := range in.Body.Messages {
			out.Items[i].Key = m.Key
			s, err := a.sendOne(ctx, m.MessageDraft, m.Key)
			switch e := (*errs.Error)(nil); {
			case err == nil:
				out.Items[i].Message = &s
			case errors.As(err, &e) && e.Kind != errs.KindInternal && e.Kind != errs.KindUnavailable:
				out.Items[i].Error = &BatchError{Code: e.Code, Field: e.Field, Message: e.Msg}
			default:
				return nil, fmt.Errorf("message %d: %w", i, err)
			}
		}
		return answer(out), nil
	}, bodyLimit(32<<20), accepted)

	type key struct {
		Key string `query:"key" required:"true" minLength:"1" maxLength:"200"`
	}
	route(a, http.MethodGet, "/messages/status", "message-status-by-key", "Where the message of an idempotency key stands", staff.MessagesSend, func(ctx context.Context, in *key) (*body[MessageStatus], error) {
		m, err := o.ByKey(ctx, workspaceOf(ctx), apiKeys+in.Key)
		return answer(statusShape(m)), err
	})
	route(a, http.MethodGet, "/messages/{id}/status", "message-status", "Where a message stands, without saying whom it is for", staff.MessagesSend, func(ctx context.Context, in *IDPath) (*body[MessageStatus], error) {
		m, err := o.Message(ctx, workspaceOf(ctx), in.ID)
		return answer(statusShape(m)), err
	})
	route(a, http.MethodPost, "/messages/{id}/cancel", "message-cancel", "Take back a message that waits; cancelling twice is harmless", staff.MessagesSend, func(ctx context.Context, in *IDPath) (*body[MessageStatus], error) {
		m, err := changed(ctx, a, "cancel", "message", func(m outbox.Message) string { return m.ID }, func(ctx context.Context) (outbox.Message, error) {
			return o.Cancel(ctx, workspaceOf(ctx), in.ID)
		})
		return answer(statusShape(m)), err
	})
}

// BatchError says why one of many could not be taken.
type BatchError struct {
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}
