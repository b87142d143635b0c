package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Rejections remembers what the intake refused.
type Rejections interface {
	// List returns a workspace's rejections, newest first; an empty source means all.
	List(ctx context.Context, ws, source string, p page.Request) (page.Of[event.Rejection], error)
}

// Rejection is an event, or a whole request, that the intake refused.
type Rejection struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Source    string    `json:"source"`
	Index     int       `json:"index" doc:"place in the batch, -1 for a whole request"`
	MessageID string    `json:"message_id,omitempty"`
	Type      string    `json:"type,omitempty"`
	Name      string    `json:"name,omitempty"`
	Code      string    `json:"code" doc:"stable, e.g. event.name.missing"`
	Reason    string    `json:"reason" doc:"in words, with the remedy"`
}

func rejectionShape(r event.Rejection) Rejection {
	return Rejection{ID: r.ID, At: r.Time, Source: r.Source, Index: r.Index, MessageID: r.MessageID, Type: r.Type, Name: r.Name, Code: r.Code, Reason: r.Reason}
}

func (a *api) rejectionRoutes() {
	type filter struct {
		Paging
		Source string `query:"source" maxLength:"60" doc:"id of a source"`
	}
	route(a, http.MethodGet, "/rejections", "rejection-list", "Events that the intake refused in the last days, newest first", staff.SettingsRead, func(ctx context.Context, in *filter) (*body[List[Rejection]], error) {
		found, err := a.c.Rejections.List(ctx, workspaceOf(ctx), in.Source, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, rejectionShape), nil
	})
}
