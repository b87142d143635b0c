package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/hook"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// WebhookKind is a kind of event that a webhook can ask for.
type WebhookKind struct {
	Key   string `json:"key" doc:"what a webhook asks for and finds in the member type of a request"`
	Event string `json:"event" doc:"name of the event, as in a person's history"`
}

// WebhookDraft says where to tell what.
type WebhookDraft struct {
	Name  string   `json:"name" maxLength:"100"`
	URL   string   `json:"url" maxLength:"2000" doc:"public address that answers 2xx to a POST within 15 seconds; redirects count as failures"`
	Kinds []string `json:"kinds" minItems:"1" maxItems:"100" doc:"keys of GET /webhook-kinds"`
	Off   bool     `json:"off,omitempty" doc:"nothing is sent and nothing kept"`
}

// Webhook is an address that is told of events by signed requests in the form of Standard Webhooks: headers webhook-id (stays the same in
// repetitions), webhook-timestamp and webhook-signature (HMAC-SHA-256 of id.timestamp.body). Events may come more than once and in any order.
type Webhook struct {
	ID string `json:"id"`
	WebhookDraft
	Status       string     `json:"status" enum:"on,off,disabled" doc:"disabled: by the product, see reason; saving it turns it on again"`
	Reason       string     `json:"reason,omitempty" enum:"failing,gone" doc:"failing: no request has succeeded for three days; gone: it answered 410"`
	LastError    string     `json:"last_error,omitempty" doc:"code of the last failure since the last success"`
	FailingSince *time.Time `json:"failing_since,omitempty"`
	RestUntil    *time.Time `json:"rest_until,omitempty" doc:"nothing is sent before, since the last requests failed"`
	SucceededAt  *time.Time `json:"succeeded_at,omitempty" doc:"the last success"`
	Counts       *struct {
		Waiting   int64 `json:"waiting"`
		Delivered int64 `json:"delivered"`
		Parked    int64 `json:"parked" doc:"given up after a day of trials; can be replayed"`
	} `json:"counts,omitempty" doc:"deliveries of the last 30 days by state; lists leave it out"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// WebhookSecret is a webhook with its secret, which is shown this once.
type WebhookSecret struct {
	Webhook
	Secret string `json:"secret" doc:"key of the signatures; keep it, it cannot be read again"`
}

// WebhookDelivery is one event for one webhook.
type WebhookDelivery struct {
	ID        string     `json:"id" doc:"the header webhook-id of every request"`
	Kind      string     `json:"kind"`
	State     string     `json:"state" enum:"waiting,delivered,parked"`
	Attempts  int        `json:"attempts" doc:"since it began to wait, or was replayed"`
	Body      string     `json:"body" doc:"what is sent"`
	Status    int        `json:"status,omitempty" doc:"HTTP status of the last answer"`
	Answer    string     `json:"answer,omitempty" doc:"the beginning of the last answer"`
	Error     string     `json:"error,omitempty" doc:"code of what went wrong last"`
	Detail    string     `json:"detail,omitempty" doc:"the same in words"`
	TookMS    int64      `json:"took_ms" doc:"time until the last answer"`
	DueAt     *time.Time `json:"due_at,omitempty" doc:"of the next attempt, while it waits"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty" doc:"of the last attempt"`
}

func webhookShape(e hook.Endpoint) Webhook {
	return Webhook{
		ID: e.ID, WebhookDraft: WebhookDraft{Name: e.Name, URL: e.URL, Kinds: e.Kinds, Off: e.Status == hook.Off}, Status: string(e.Status), Reason: e.Reason, LastError: e.LastError,
		FailingSince: moment(e.FailingSince), RestUntil: moment(e.RestUntil), SucceededAt: moment(e.SucceededAt), CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
}

func webhookDeliveryShape(d hook.Delivery) WebhookDelivery {
	out := WebhookDelivery{
		ID: d.ID, Kind: d.Kind, State: string(d.State), Attempts: d.Attempts, Body: d.Body, Status: d.Status, Answer: d.Answer, Error: d.Error, Detail: d.Detail,
		TookMS: d.Took.Milliseconds(), CreatedAt: d.CreatedAt, EndedAt: moment(d.EndedAt),
	}
	if d.State == hook.Waiting {
		out.DueAt = moment(d.DueAt)
	}
	return out
}

// WebhookPath is the path of one delivery.
type WebhookPath struct {
	IDPath
	Delivery string `path:"delivery"`
}

func (a *api) webhookRoutes() {
	s := a.c.Webhooks
	id := func(e hook.Endpoint) string { return e.ID }
	draft := func(d WebhookDraft) hook.Draft { return hook.Draft(d) }
	route(a, http.MethodGet, "/webhook-kinds", "webhook-kinds", "The kinds of events that webhooks can ask for", staff.SettingsRead, func(context.Context, *nothing) (*body[List[WebhookKind]], error) {
		out := List[WebhookKind]{Items: []WebhookKind{}}
		for _, k := range hook.Kinds() {
			out.Items = append(out.Items, WebhookKind{k.Key, k.Event})
		}
		return answer(out), nil
	})
	type filter struct {
		Q      string `query:"q" maxLength:"200" doc:"part of name or address"`
		Status string `query:"status" enum:"on,off,disabled"`
	}
	route(a, http.MethodGet, "/webhooks", "webhook-list", "All webhooks, the oldest first", staff.SettingsRead, func(ctx context.Context, in *filter) (*body[List[Webhook]], error) {
		all, err := s.All(ctx, workspaceOf(ctx))
		out := List[Webhook]{Items: make([]Webhook, 0, len(all))}
		text := strings.ToLower(in.Q)
		for _, e := range all {
			if in.Status != "" && in.Status != string(e.Status) || !strings.Contains(strings.ToLower(e.Name+"\n"+e.URL), text) {
				continue
			}
			out.Items = append(out.Items, webhookShape(e))
		}
		return answer(out), err
	})
	route(a, http.MethodPost, "/webhooks", "webhook-create", "Add a webhook; the answer holds its secret, this once", staff.SettingsWrite, func(ctx context.Context, in *in[WebhookDraft]) (*body[WebhookSecret], error) {
		var secret string
		e, err := changed(ctx, a, "create", "webhook", id, func(ctx context.Context) (e hook.Endpoint, err error) {
			e, secret, err = s.Create(ctx, workspaceOf(ctx), draft(in.Body))
			return e, err
		})
		return answer(WebhookSecret{webhookShape(e), secret}), err
	}, created)
	route(a, http.MethodGet, "/webhooks/{id}", "webhook-get", "One webhook with its health", staff.SettingsRead, func(ctx context.Context, in *IDPath) (*body[Webhook], error) {
		e, counts, err := s.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out := webhookShape(e)
		out.Counts = &struct {
			Waiting   int64 `json:"waiting"`
			Delivered int64 `json:"delivered"`
			Parked    int64 `json:"parked" doc:"given up after a day of trials; can be replayed"`
		}{counts[hook.Waiting], counts[hook.Delivered], counts[hook.Parked]}
		return answer(out), nil
	})
	route(a, http.MethodPut, "/webhooks/{id}", "webhook-update", "Change a webhook; one that was disabled starts anew", staff.SettingsWrite, func(ctx context.Context, in *inAt[WebhookDraft]) (*body[Webhook], error) {
		e, err := changed(ctx, a, "update", "webhook", id, func(ctx context.Context) (hook.Endpoint, error) {
			return s.Update(ctx, workspaceOf(ctx), in.ID, draft(in.Body))
		})
		return answer(webhookShape(e)), err
	})
	for verb, on := range map[string]bool{"on": true, "off": false} {
		summary := map[bool]string{true: "Turn a webhook on; one that was disabled starts anew", false: "Turn a webhook off: nothing is sent, what waits is given up"}[on]
		route(a, http.MethodPost, "/webhooks/{id}/"+verb, "webhook-"+verb, summary, staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*body[Webhook], error) {
			e, err := changed(ctx, a, verb, "webhook", id, func(ctx context.Context) (hook.Endpoint, error) { return s.Switch(ctx, workspaceOf(ctx), in.ID, on) })
			return answer(webhookShape(e)), err
		})
	}
	route(a, http.MethodDelete, "/webhooks/{id}", "webhook-delete", "Remove a webhook with its deliveries", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "webhook", in.ID, func(ctx context.Context) error { return s.Delete(ctx, workspaceOf(ctx), in.ID) })
	}, noContent)
	route(a, http.MethodPost, "/webhooks/{id}/secret", "webhook-secret", "Replace the secret; for a day the old one signs beside the new one", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*body[WebhookSecret], error) {
		var secret string
		e, err := changed(ctx, a, "new_secret", "webhook", id, func(ctx context.Context) (e hook.Endpoint, err error) {
			e, secret, err = s.NewSecret(ctx, workspaceOf(ctx), in.ID)
			return e, err
		})
		return answer(WebhookSecret{webhookShape(e), secret}), err
	})
	route(a, http.MethodPost, "/webhooks/{id}/ping", "webhook-ping", "Send a trial at once and say what came of it; it is not repeated", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*body[WebhookDelivery], error) {
		d, err := s.Ping(ctx, workspaceOf(ctx), in.ID) // outside of a transaction: the other side may take its time
		if err == nil {
			err = a.audit(ctx, "ping", "webhook", in.ID)
		}
		return answer(webhookDeliveryShape(d)), err
	})
	type filtered struct {
		PageAt
		State string    `query:"state" enum:"waiting,delivered,parked"`
		Kind  string    `query:"kind"`
		From  time.Time `query:"from" doc:"made at or after"`
		To    time.Time `query:"to" doc:"made before"`
	}
	route(a, http.MethodGet, "/webhooks/{id}/deliveries", "webhook-deliveries", "What was and will be sent, latest first; kept for 30 days", staff.PeopleRead, func(ctx context.Context, in *filtered) (*body[List[WebhookDelivery]], error) {
		found, err := s.Deliveries(ctx, workspaceOf(ctx), in.ID, hook.Filter{State: hook.State(in.State), Kind: in.Kind, From: in.From.UTC(), To: in.To.UTC()}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, webhookDeliveryShape), nil
	})
	route(a, http.MethodGet, "/webhooks/{id}/deliveries/{delivery}", "webhook-delivery", "One delivery", staff.PeopleRead, func(ctx context.Context, in *WebhookPath) (*body[WebhookDelivery], error) {
		d, err := s.Delivery(ctx, workspaceOf(ctx), in.ID, in.Delivery)
		return answer(webhookDeliveryShape(d)), err
	})
	route(a, http.MethodPost, "/webhooks/{id}/deliveries/{delivery}/replay", "webhook-replay-one", "Send a delivery again, or now if it waits, under its id", staff.SettingsWrite, func(ctx context.Context, in *WebhookPath) (*body[WebhookDelivery], error) {
		d, err := changed(ctx, a, "replay_one", "webhook", func(hook.Delivery) string { return in.ID }, func(ctx context.Context) (hook.Delivery, error) {
			return s.ReplayOne(ctx, workspaceOf(ctx), in.ID, in.Delivery)
		})
		return answer(webhookDeliveryShape(d)), err
	})
	type stretch struct {
		From  time.Time `json:"from" doc:"deliveries made at or after"`
		To    time.Time `json:"to,omitzero" doc:"and before; without it up to now"`
		State string    `json:"state,omitempty" enum:"parked,delivered" doc:"those alone; without it all that do not wait"`
		Kind  string    `json:"kind,omitempty"`
	}
	type replayed struct {
		Replayed int64 `json:"replayed" doc:"deliveries that wait now"`
	}
	route(a, http.MethodPost, "/webhooks/{id}/replay", "webhook-replay", "Send the deliveries of a stretch of time again, under their ids", staff.SettingsWrite, func(ctx context.Context, in *inAt[stretch]) (*body[replayed], error) {
		n, err := changed(ctx, a, "replay", "webhook", func(int64) string { return in.ID }, func(ctx context.Context) (int64, error) {
			return s.Replay(ctx, workspaceOf(ctx), in.ID, hook.Filter{State: hook.State(in.Body.State), Kind: in.Body.Kind, From: in.Body.From.UTC(), To: in.Body.To.UTC()})
		})
		return answer(replayed{n}), err
	})
}
