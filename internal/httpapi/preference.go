package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// PersonPreferences is what a person allows, topic by topic and channel by channel.
type PersonPreferences struct {
	PausedUntil *time.Time         `json:"paused_until,omitempty" doc:"nothing but answers goes before"`
	Frequency   string             `json:"frequency" enum:"all,weekly" doc:"weekly: at most one message in seven days"`
	Topics      []PreferenceOnItem `json:"topics"`
	Link        string             `json:"link" doc:"the person's own page, signed"`
}

// PreferenceOnItem is what a person allows for one topic on one channel.
type PreferenceOnItem struct {
	Topic   string     `json:"topic"`
	Name    string     `json:"name"`
	Channel string     `json:"channel"`
	Allowed bool       `json:"allowed"`
	Status  string     `json:"status" enum:"subscribed,unsubscribed,pending,expired,implied,none" doc:"expired: did not answer the confirmation mail in time; implied: said nothing, and need not"`
	Source  string     `json:"source,omitempty"`
	Since   *time.Time `json:"since,omitempty"`
}

func (a *api) preferences(ctx context.Context, ws, personID string) (PersonPreferences, error) {
	prefs, err := a.c.Outbox.Preferences(ctx, outbox.Link{Workspace: ws, PersonID: personID})
	if err != nil {
		return PersonPreferences{}, err
	}
	_, said, err := a.c.Consent.Preferences(ctx, ws, personID)
	if err != nil {
		return PersonPreferences{}, err
	}
	out := PersonPreferences{PausedUntil: moment(prefs.Settings.PausedUntil), Frequency: "all", Topics: []PreferenceOnItem{}, Link: a.c.Outbox.PreferenceLink(ws, personID)}
	if prefs.Settings.Weekly {
		out.Frequency = "weekly"
	}
	for _, c := range prefs.Topics {
		item := PreferenceOnItem{Topic: c.Topic.ID, Name: c.Topic.Name, Channel: c.Channel, Allowed: c.Subscribed, Status: "none"}
		if c.Topic.OptIn == consent.Implied && c.Subscribed {
			item.Status = "implied"
		}
		for _, st := range said {
			own, all := st.Topic == c.Topic.ID, st.Topic == consent.AllTopics && st.Status == consent.Unsubscribed && !c.Subscribed
			if st.Channel != c.Channel || !own && !all {
				continue
			}
			item.Status, item.Source, item.Since = string(st.Status), st.Source, moment(st.At)
			if st.Status == consent.Pending && a.c.Clock.Now().Sub(st.At) > consent.ConfirmWithin {
				item.Status = "expired"
			}
			if own && st.Status == consent.Unsubscribed {
				break
			}
		}
		out.Topics = append(out.Topics, item)
	}
	return out, nil
}

func (a *api) preferenceRoutes() {
	route(a, http.MethodGet, "/people/{id}/preferences", "person-preferences", "What a person allows now: topics by channel, pause, frequency, and the link to their own page", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[PersonPreferences], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out, err := a.preferences(ctx, p.Workspace, p.ID)
		if err != nil {
			return nil, err
		}
		return answer(out), a.saw(ctx, p.ID)
	})
	type wanted struct {
		PausedUntil *time.Time `json:"paused_until,omitempty" doc:"at most a year ahead; no pause if left out"`
		Frequency   string     `json:"frequency" enum:"all,weekly"`
		Evidence    string     `json:"evidence,omitempty" maxLength:"2000" doc:"how the person asked for it"`
	}
	route(a, http.MethodPut, "/people/{id}/preferences", "person-preferences-set", "Pause or limit what a person gets, as they asked", staff.ConsentWrite, func(ctx context.Context, in *inAt[wanted]) (*body[PersonPreferences], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		s := consent.Settings{Weekly: in.Body.Frequency == "weekly"}
		if in.Body.PausedUntil != nil {
			s.PausedUntil = *in.Body.PausedUntil
		}
		err = a.change(ctx, "set_preferences", "person", p.ID, func(ctx context.Context) error {
			return a.c.Consent.SetPreferences(ctx, p.Workspace, p.ID, s, consent.Change{Source: "api", Evidence: in.Body.Evidence})
		})
		if err != nil {
			return nil, err
		}
		out, err := a.preferences(ctx, p.Workspace, p.ID)
		return answer(out), err
	})
	type again struct {
		Topic   string `json:"topic" minLength:"1"`
		Channel string `json:"channel" minLength:"1"`
	}
	route(a, http.MethodPost, "/people/{id}/subscriptions/resend", "person-subscription-resend", "Send the confirmation mail of a pending subscription again; at most three a day", staff.ConsentWrite, func(ctx context.Context, in *inAt[again]) (*nothing, error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return nil, a.change(ctx, "resend_confirmation", "person", p.ID, func(ctx context.Context) error {
			return a.c.Consent.Resend(ctx, p.Workspace, p.ID, in.Body.Topic, in.Body.Channel, "api")
		})
	}, noContent)
}
