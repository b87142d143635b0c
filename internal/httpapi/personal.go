package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/personal"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// PersonalSetting is something that the caller has arranged for themselves.
type PersonalSetting struct {
	Key       string    `json:"key" doc:"lower-case words joined by dots, e.g. views.people"`
	Value     any       `json:"value" doc:"any JSON value up to 16 KiB"`
	UpdatedAt time.Time `json:"updated_at"`
}

func personalShape(p personal.Setting) PersonalSetting {
	return PersonalSetting{p.Key, json.RawMessage(p.Value), p.UpdatedAt}
}

// SettingKey is the path of one setting. It is exported because huma reads embedded fields of exported types only.
type SettingKey struct {
	Key string `path:"key" maxLength:"80"`
}

// personalRoutes are about the caller alone, so they need no permission, and the audit log has nothing to say about them.
func (a *api) personalRoutes() {
	type value struct {
		Value any `json:"value" doc:"any JSON value up to 16 KiB"`
	}
	type put struct {
		SettingKey
		Body value
	}
	route(a, http.MethodGet, "/personal-settings", "personal-setting-list", "What the caller has arranged for themselves", signedIn, func(ctx context.Context, _ *nothing) (*body[List[PersonalSetting]], error) {
		all, err := a.c.Personal.All(ctx, workspaceOf(ctx), caller(ctx).ID)
		if err != nil {
			return nil, err
		}
		return list(page.Of[personal.Setting]{Items: all}, personalShape), nil
	})
	route(a, http.MethodPut, "/personal-settings/{key}", "personal-setting-set", "Keep a value under a key; replaces what was there", signedIn, func(ctx context.Context, in *put) (*body[PersonalSetting], error) {
		raw, err := json.Marshal(in.Body.Value)
		if err != nil {
			return nil, err
		}
		p, err := a.c.Personal.Put(ctx, workspaceOf(ctx), caller(ctx).ID, in.Key, raw)
		return answer(personalShape(p)), err
	})
	route(a, http.MethodDelete, "/personal-settings/{key}", "personal-setting-delete", "Forget a value; one that is not there is no error", signedIn, func(ctx context.Context, in *SettingKey) (*nothing, error) {
		return nil, a.c.Personal.Delete(ctx, workspaceOf(ctx), caller(ctx).ID, in.Key)
	}, noContent)
}
