package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/network"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Topic is what people can subscribe to.
type Topic struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Description  string    `json:"description,omitempty"`
	Channels     []string  `json:"channels"`
	OptIn        string    `json:"opt_in" enum:"explicit,double,implied" doc:"explicit: only who subscribed; double: only who also answered a confirmation mail; implied: everybody who has not unsubscribed"`
	Confirmation string    `json:"confirmation_template,omitempty" doc:"of the confirmation mail; the product's own words in three languages if left out. Variables: vars.confirm_url, vars.topic_name"`
	TextVersion  int       `json:"text_version" doc:"goes up when name or description change: statements say which words were agreed to"`
	Archived     bool      `json:"archived"`
	CreatedAt    time.Time `json:"created_at"`
}

func topicShape(t consent.Topic) Topic {
	return Topic{ID: t.ID, Name: t.Name, Description: t.Description, Channels: t.Channels, OptIn: string(t.OptIn), Confirmation: t.Confirmation, TextVersion: t.TextVersion, Archived: t.Archived, CreatedAt: t.CreatedAt}
}

// Subscription is one statement about a topic.
type Subscription struct {
	Topic       string    `json:"topic"`
	Channel     string    `json:"channel"`
	Status      string    `json:"status" enum:"subscribed,unsubscribed,pending,paused,resumed,weekly,all,suppressed,lifted"`
	Source      string    `json:"source"`
	Evidence    string    `json:"evidence,omitempty"`
	IP          string    `json:"ip,omitempty" doc:"network it was said from"`
	TextVersion int       `json:"text_version,omitempty" doc:"of the topic's words"`
	MessageID   string    `json:"message_id,omitempty" doc:"message whose link or button it was said by"`
	At          time.Time `json:"at"`
}

// Suppression is an address that is never written to. The address itself is not kept.
type Suppression struct {
	Channel string    `json:"channel"`
	Hash    string    `json:"hash"`
	Hint    string    `json:"hint"`
	Reason  string    `json:"reason"`
	Detail  string    `json:"detail,omitempty"`
	At      time.Time `json:"at"`
}

func suppressionShape(s consent.Suppression) Suppression {
	return Suppression{Channel: s.Channel, Hash: s.Hash, Hint: s.Hint, Reason: string(s.Reason), Detail: s.Detail, At: s.At}
}

func subscriptionShape(r consent.Record) Subscription {
	return Subscription{Topic: r.Topic, Channel: r.Channel, Status: string(r.Status), Source: r.Source, Evidence: r.Evidence, IP: r.IP, TextVersion: r.TextVersion, MessageID: r.MessageID, At: r.At}
}

func (a *api) consentRoutes() {
	c := a.c.Consent
	topicID := func(t consent.Topic) string { return t.ID }
	route(a, http.MethodGet, "/topics", "topic-list", "Topics", staff.SettingsRead, func(ctx context.Context, _ *nothing) (*body[List[Topic]], error) {
		all, err := c.Topics(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		return list(page.Of[consent.Topic]{Items: all}, topicShape), nil
	})
	type draft struct {
		Name         string   `json:"name" maxLength:"200"`
		Description  string   `json:"description,omitempty" maxLength:"2000"`
		Channels     []string `json:"channels,omitempty" doc:"email if left out"`
		OptIn        string   `json:"opt_in,omitempty" enum:"explicit,double,implied" doc:"explicit if left out"`
		Confirmation string   `json:"confirmation_template,omitempty"`
	}
	route(a, http.MethodPost, "/topics", "topic-create", "Make a topic", staff.SettingsWrite, func(ctx context.Context, in *in[draft]) (*body[Topic], error) {
		if len(in.Body.Channels) == 0 {
			in.Body.Channels = []string{content.Email}
		}
		if err := a.checkChannels(in.Body.Channels); err != nil {
			return nil, err
		}
		t, err := changed(ctx, a, "create", "topic", topicID, func(ctx context.Context) (consent.Topic, error) {
			return c.CreateTopic(ctx, workspaceOf(ctx), consent.Topic{Name: in.Body.Name, Description: in.Body.Description, Channels: in.Body.Channels, OptIn: consent.OptIn(in.Body.OptIn), Confirmation: in.Body.Confirmation})
		})
		return answer(topicShape(t)), err
	}, created)
	route(a, http.MethodGet, "/topics/{id}", "topic-get", "One topic", staff.SettingsRead, func(ctx context.Context, in *IDPath) (*body[Topic], error) {
		t, err := c.Topic(ctx, workspaceOf(ctx), in.ID)
		return answer(topicShape(t)), err
	})
	type change struct {
		Name         string   `json:"name" maxLength:"200"`
		Description  string   `json:"description,omitempty" maxLength:"2000"`
		Channels     []string `json:"channels"`
		OptIn        string   `json:"opt_in" enum:"explicit,double,implied"`
		Confirmation string   `json:"confirmation_template,omitempty"`
		Archived     bool     `json:"archived,omitempty"`
	}
	route(a, http.MethodPut, "/topics/{id}", "topic-update", "Change a topic", staff.SettingsWrite, func(ctx context.Context, in *inAt[change]) (*body[Topic], error) {
		b := in.Body
		old, err := c.Topic(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		fresh := slices.DeleteFunc(slices.Clone(b.Channels), func(kind string) bool { return slices.Contains(old.Channels, kind) })
		if err := a.checkChannels(fresh); err != nil {
			return nil, err
		}
		t, err := changed(ctx, a, "update", "topic", topicID, func(ctx context.Context) (consent.Topic, error) {
			return c.UpdateTopic(ctx, workspaceOf(ctx), consent.Topic{ID: in.ID, Name: b.Name, Description: b.Description, Channels: b.Channels, OptIn: consent.OptIn(b.OptIn), Confirmation: b.Confirmation, Archived: b.Archived})
		})
		return answer(topicShape(t)), err
	})

	route(a, http.MethodGet, "/people/{id}/subscriptions", "person-subscriptions", "What a person has said about topics, newest first", staff.PeopleRead, func(ctx context.Context, in *PageAt) (*body[List[Subscription]], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		log, err := c.History(ctx, p.Workspace, p.ID, in.request())
		if err != nil {
			return nil, err
		}
		return list(log, subscriptionShape), a.saw(ctx, p.ID)
	})
	type statement struct {
		Topic     string `json:"topic"`
		Channel   string `json:"channel" doc:"e.g. email"`
		Status    string `json:"status" enum:"subscribed,unsubscribed"`
		Evidence  string `json:"evidence,omitempty" maxLength:"2000" doc:"what proves it"`
		Confirmed bool   `json:"confirmed,omitempty" doc:"proven to come from the owner of the address, so that a double opt-in topic asks no more"`
		IP        string `json:"ip,omitempty" doc:"where it came from; kept shortened to its network"`
	}
	route(a, http.MethodPost, "/people/{id}/subscriptions", "person-subscribe", "Record what a person said about a topic", staff.ConsentWrite, func(ctx context.Context, in *inAt[statement]) (*nothing, error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return nil, a.change(ctx, in.Body.Status, "person", p.ID, func(ctx context.Context) error {
			return c.Change(ctx, p.Workspace, consent.Change{PersonID: p.ID, Topic: in.Body.Topic, Channel: in.Body.Channel, Status: consent.Status(in.Body.Status), Source: "api", Evidence: in.Body.Evidence, Confirmed: in.Body.Confirmed, IP: network.OfText(in.Body.IP)})
		})
	}, noContent)

	a.preferenceRoutes()
	a.holdRoutes()

	a.suppressionFileRoutes()
	type filter struct {
		Paging
		Channel string `query:"channel"`
		Reason  string `query:"reason" enum:"hard_bounce,soft_bounces,complaint,manual,unsubscribed_all,list_unsubscribe,erased,import"`
		Address string `query:"address" maxLength:"320" doc:"looks for one address; parts cannot be looked for, since the list holds none"`
	}
	route(a, http.MethodGet, "/suppressions", "suppression-list", "Addresses that are never written to", staff.PeopleRead, func(ctx context.Context, in *filter) (*body[List[Suppression]], error) {
		found, err := c.Suppressions(ctx, workspaceOf(ctx), consent.SuppressionFilter{Channel: in.Channel, Reason: consent.Reason(in.Reason)}, in.Address, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, suppressionShape), nil
	})
	type addresses struct {
		Channel   string   `json:"channel"`
		Addresses []string `json:"addresses" minItems:"1" maxItems:"10000"`
		Reason    string   `json:"reason,omitempty" enum:"manual,import,complaint,hard_bounce,soft_bounces,unsubscribed_all,list_unsubscribe,erased"`
		Detail    string   `json:"detail,omitempty" maxLength:"500"`
	}
	type added struct {
		Added int `json:"added"`
	}
	route(a, http.MethodPost, "/suppressions", "suppression-add", "Suppress addresses", staff.ConsentWrite, func(ctx context.Context, in *in[addresses]) (*body[added], error) {
		wanted := make([]consent.Suppress, len(in.Body.Addresses))
		reason := consent.Reason(in.Body.Reason)
		if reason == "" {
			reason = consent.Manual
		}
		// Whose address it is gets an event, and so is looked at again by segments that ask who can be reached.
		holders, err := a.c.People.Holders(ctx, workspaceOf(ctx), in.Body.Channel, in.Body.Addresses)
		if err != nil {
			return nil, err
		}
		if err := a.c.Outbox.CheckChannel("channel", in.Body.Channel); err != nil {
			return nil, err
		}
		for i, addr := range in.Body.Addresses {
			if !outbox.ValidAddress(in.Body.Channel, consent.Normalise(in.Body.Channel, addr)) {
				return nil, errs.Invalid("consent.suppress.address", "addresses", "%q is no mail address; write it like name@example.com", addr)
			}
			wanted[i] = consent.Suppress{Channel: in.Body.Channel, Address: addr, Reason: reason, Detail: in.Body.Detail, PersonID: holders[addr]}
		}
		n := 0
		err = a.change(ctx, "add", "suppression", in.Body.Channel, func(ctx context.Context) (err error) {
			n, err = c.Suppress(ctx, workspaceOf(ctx), wanted...)
			return err
		})
		return answer(added{n}), err
	}, bodyLimit(4<<20))
	type hashed struct {
		Channel string `path:"channel"`
		Hash    string `path:"hash"`
		Why     string `query:"why" maxLength:"500" doc:"kept in the audit log"`
	}
	route(a, http.MethodDelete, "/suppressions/{channel}/{hash}", "suppression-remove", "Allow an address again", staff.ConsentWrite, func(ctx context.Context, in *hashed) (*nothing, error) {
		return nil, a.changeWith(ctx, "remove", "suppression", in.Hash, map[string]string{"channel": in.Channel, "why": in.Why}, func(ctx context.Context) error {
			return c.UnsuppressHash(ctx, workspaceOf(ctx), in.Channel, in.Hash)
		})
	}, noContent)
}

// checkChannels reports the first channel of a topic that this installation does not have.
func (a *api) checkChannels(kinds []string) error {
	for _, kind := range kinds {
		if err := a.c.Outbox.CheckChannel("channels", kind); err != nil {
			return err
		}
	}
	return nil
}
