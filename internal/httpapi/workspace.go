package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
)

// Workspace is one tenant and how its messages introduce themselves.
type Workspace struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Timezone      string `json:"timezone"`
	Currency      string `json:"currency"`
	DefaultRegion string `json:"default_region"`
	Locale        string `json:"locale"`
	PublicURL     string `json:"public_url,omitempty"`
	SiteURL       string `json:"site_url,omitempty" doc:"the business's own site: {{ workspace.site }} in letters"`
	SenderName    string `json:"sender_name,omitempty"`
	SenderEmail   string `json:"sender_email,omitempty"`
	ReplyTo       string `json:"reply_to,omitempty"`
	PostalAddress string `json:"postal_address,omitempty"`

	ApproveCampaigns bool `json:"approve_campaigns" doc:"a campaign goes out only after a second person has agreed"`
}

func workspaceShape(w workspace.Workspace) Workspace {
	s := w.Settings
	return Workspace{
		ID: w.ID, Name: w.Name, Timezone: w.Timezone, Currency: w.Currency, DefaultRegion: w.DefaultRegion, Locale: w.Locale,
		PublicURL: s.PublicURL, SiteURL: s.SiteURL, SenderName: s.SenderName, SenderEmail: s.SenderEmail, ReplyTo: s.ReplyTo, PostalAddress: s.PostalAddress, ApproveCampaigns: s.ApproveCampaigns,
	}
}

// Source is a place that events come from.
type Source struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind" enum:"browser,server" doc:"a browser's key is public and less trusted"`
	WriteKey  string     `json:"write_key"`
	Disabled  bool       `json:"disabled"`
	CreatedAt time.Time  `json:"created_at"`
	LastUsed  *time.Time `json:"last_used,omitempty"`
}

func sourceShape(s workspace.Source) Source {
	return Source{ID: s.ID, Name: s.Name, Kind: string(s.Kind), WriteKey: s.WriteKey, Disabled: s.Disabled, CreatedAt: s.CreatedAt, LastUsed: moment(s.LastUsed)}
}

func (a *api) workspaceRoutes() {
	route(a, http.MethodGet, "/workspace", "workspace-get", "The caller's workspace", staff.SettingsRead, func(ctx context.Context, _ *nothing) (*body[Workspace], error) {
		w, err := a.c.Workspaces.Get(ctx, workspaceOf(ctx))
		return answer(workspaceShape(w)), err
	})
	type patch struct {
		Name          *string `json:"name,omitempty"`
		Timezone      *string `json:"timezone,omitempty"`
		Currency      *string `json:"currency,omitempty"`
		DefaultRegion *string `json:"default_region,omitempty"`
		Locale        *string `json:"locale,omitempty"`
		PublicURL     *string `json:"public_url,omitempty"`
		SiteURL       *string `json:"site_url,omitempty"`
		SenderName    *string `json:"sender_name,omitempty"`
		SenderEmail   *string `json:"sender_email,omitempty"`
		ReplyTo       *string `json:"reply_to,omitempty"`
		PostalAddress *string `json:"postal_address,omitempty"`

		ApproveCampaigns *bool `json:"approve_campaigns,omitempty"`
	}
	route(a, http.MethodPatch, "/workspace", "workspace-update", "Change the workspace", staff.SettingsWrite, func(ctx context.Context, in *in[patch]) (*body[Workspace], error) {
		var w workspace.Workspace
		err := a.change(ctx, "update", "workspace", workspaceOf(ctx), func(ctx context.Context) (err error) {
			if w, err = a.c.Workspaces.Get(ctx, workspaceOf(ctx)); err != nil {
				return err
			}
			b, s := in.Body, &w.Settings
			for _, f := range []struct{ to, from *string }{
				{&w.Name, b.Name},
				{&w.Timezone, b.Timezone},
				{&w.Currency, b.Currency},
				{&w.DefaultRegion, b.DefaultRegion},
				{&w.Locale, b.Locale},
				{&s.PublicURL, b.PublicURL},
				{&s.SiteURL, b.SiteURL},
				{&s.SenderName, b.SenderName},
				{&s.SenderEmail, b.SenderEmail},
				{&s.ReplyTo, b.ReplyTo},
				{&s.PostalAddress, b.PostalAddress},
			} {
				if f.from != nil {
					*f.to = *f.from
				}
			}
			if b.ApproveCampaigns != nil {
				s.ApproveCampaigns = *b.ApproveCampaigns
			}
			w, err = a.c.Workspaces.Update(ctx, w)
			return err
		})
		return answer(workspaceShape(w)), renamed(err, func(f string) string { return strings.TrimPrefix(f, "settings.") })
	})

	sourceID := func(s workspace.Source) string { return s.ID }
	route(a, http.MethodGet, "/sources", "source-list", "Where events come from, with their write keys", staff.KeysWrite, func(ctx context.Context, in *Paging) (*body[List[Source]], error) {
		found, err := a.c.Workspaces.Sources(ctx, workspaceOf(ctx), in.request())
		if err != nil {
			return nil, err
		}
		return list(found, sourceShape), nil
	})
	type draft struct {
		Name string `json:"name" maxLength:"200"`
		Kind string `json:"kind" enum:"browser,server"`
	}
	route(a, http.MethodPost, "/sources", "source-create", "Make a source and its write key", staff.KeysWrite, func(ctx context.Context, in *in[draft]) (*body[Source], error) {
		s, err := changed(ctx, a, "create", "source", sourceID, func(ctx context.Context) (workspace.Source, error) {
			return a.c.Workspaces.CreateSource(ctx, workspaceOf(ctx), workspace.Source{Name: in.Body.Name, Kind: workspace.Kind(in.Body.Kind)})
		})
		return answer(sourceShape(s)), err
	}, created)
	type change struct {
		Name     string `json:"name" maxLength:"200"`
		Disabled bool   `json:"disabled"`
	}
	route(a, http.MethodPut, "/sources/{id}", "source-update", "Rename, disable or enable a source", staff.KeysWrite, func(ctx context.Context, in *inAt[change]) (*body[Source], error) {
		s, err := changed(ctx, a, "update", "source", sourceID, func(ctx context.Context) (workspace.Source, error) {
			return a.c.Workspaces.UpdateSource(ctx, workspaceOf(ctx), in.ID, in.Body.Name, in.Body.Disabled)
		})
		return answer(sourceShape(s)), err
	})
	route(a, http.MethodDelete, "/sources/{id}", "source-delete", "Delete a source; its write key stops working", staff.KeysWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "source", in.ID, func(ctx context.Context) error {
			return a.c.Workspaces.DeleteSource(ctx, workspaceOf(ctx), in.ID)
		})
	}, noContent)
}
