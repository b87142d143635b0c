package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// JourneySecret is a value that webhooks of journeys send in a header. It is taken in and never given out.
type JourneySecret struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at" doc:"when name or value was last changed"`
}

func secretShape(x journey.Secret) JourneySecret {
	return JourneySecret{ID: x.ID, Name: x.Name, CreatedAt: x.CreatedAt, UpdatedAt: x.UpdatedAt}
}

func (a *api) journeySecretRoutes() {
	s := a.c.Journeys
	write := func(ctx context.Context, action string, do func(ctx context.Context) (journey.Secret, error)) (*body[JourneySecret], error) {
		x, err := changed(ctx, a, action, "journey_secret", func(x journey.Secret) string { return x.ID }, do)
		if err != nil {
			return nil, err
		}
		return answer(secretShape(x)), nil
	}
	route(a, http.MethodGet, "/journey-secrets", "journey-secret-list", "The secrets that webhooks of journeys send, without their values", staff.JourneysRead, func(ctx context.Context, in *Paging) (*body[List[JourneySecret]], error) {
		found, err := s.Secrets(ctx, workspaceOf(ctx), in.request())
		if err != nil {
			return nil, err
		}
		return list(found, secretShape), nil
	})
	type draft struct {
		Name  string `json:"name" maxLength:"200"`
		Value string `json:"value" maxLength:"4096" doc:"encrypted at rest and never given out"`
	}
	route(a, http.MethodPost, "/journey-secrets", "journey-secret-create", "Store a secret for webhooks", staff.JourneysWrite, func(ctx context.Context, in *in[draft]) (*body[JourneySecret], error) {
		return write(ctx, "create", func(ctx context.Context) (journey.Secret, error) {
			return s.CreateSecret(ctx, workspaceOf(ctx), in.Body.Name, in.Body.Value)
		})
	}, created)
	type change struct {
		Name  string `json:"name,omitempty" maxLength:"200" doc:"left as it is if empty"`
		Value string `json:"value,omitempty" maxLength:"4096" doc:"left as it is if empty"`
	}
	route(a, http.MethodPut, "/journey-secrets/{id}", "journey-secret-update", "Change a secret; calls from now on send the new value", staff.JourneysWrite, func(ctx context.Context, in *inAt[change]) (*body[JourneySecret], error) {
		return write(ctx, "update", func(ctx context.Context) (journey.Secret, error) {
			return s.ChangeSecret(ctx, workspaceOf(ctx), in.ID, in.Body.Name, in.Body.Value)
		})
	})
	route(a, http.MethodDelete, "/journey-secrets/{id}", "journey-secret-delete", "Delete a secret that no running journey sends", staff.JourneysWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "journey_secret", in.ID, func(ctx context.Context) error { return s.DeleteSecret(ctx, workspaceOf(ctx), in.ID) })
	}, noContent)
}
