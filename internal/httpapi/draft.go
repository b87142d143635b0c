package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/draft"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// DraftHolder is a colleague who has a draft of the same thing.
type DraftHolder struct {
	Name      string    `json:"name"`
	Since     time.Time `json:"since" doc:"since when they have something that is not saved"`
	UpdatedAt time.Time `json:"updated_at"`
}

// UnsavedDraft is what the caller has written of something and not saved.
type UnsavedDraft struct {
	Base      int64     `json:"base" doc:"the revision or version that was begun with; 0 of a new one"`
	Document  any       `json:"document" doc:"what the editor has sent"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// DraftState is what is written of something and not saved, by the caller and by others.
type DraftState struct {
	Draft  *UnsavedDraft `json:"draft,omitempty" doc:"the caller's own; absent if there is none"`
	Others []DraftHolder `json:"others" doc:"colleagues who have a draft of it, the latest first; what they wrote is theirs alone"`
}

// DraftPath is the path of the drafts of one thing. It is exported because huma reads embedded fields of exported types only.
type DraftPath struct {
	Kind  string `path:"kind" enum:"template,snippet,brand,segment,campaign,series"`
	Thing string `path:"thing" maxLength:"80" doc:"id or key of what is edited; new if it does not exist yet"`
}

func (p DraftPath) of() draft.Thing { return draft.Thing{Kind: p.Kind, ID: p.Thing} }

// writers are the permissions that edit each kind of thing.
var writers = map[string]staff.Permission{
	"template": staff.ContentWrite, "snippet": staff.ContentWrite, "brand": staff.ContentWrite,
	"segment": staff.SegmentsWrite, "campaign": staff.CampaignsWrite, "series": staff.CampaignsWrite,
}

// draftRoutes are about the caller alone, so the audit log has nothing to say about them: what is saved in the end is told there.
func (a *api) draftRoutes() {
	type document struct {
		Base     int64 `json:"base" minimum:"0" doc:"the revision or version that was begun with; 0 of a new one"`
		Document any   `json:"document" doc:"any JSON value up to 2 MiB"`
	}
	type put struct {
		DraftPath
		Body document
	}
	state := func(ctx context.Context, of draft.Thing, d *draft.Draft) (*body[DraftState], error) {
		others, err := a.c.Drafts.Others(ctx, workspaceOf(ctx), caller(ctx).ID, of)
		if err != nil {
			return nil, err
		}
		out := DraftState{Others: make([]DraftHolder, len(others))}
		for i, h := range others {
			out.Others[i] = DraftHolder(h)
		}
		if d != nil {
			out.Draft = &UnsavedDraft{d.Base, json.RawMessage(d.Document), d.CreatedAt, d.UpdatedAt}
		}
		return answer(out), nil
	}
	route(a, http.MethodGet, "/drafts/{kind}/{thing}", "draft-get", "What the caller has written of something and not saved, and who else has", signedIn, func(ctx context.Context, in *DraftPath) (*body[DraftState], error) {
		if err := caller(ctx).Require(writers[in.Kind]); err != nil {
			return nil, err
		}
		d, err := a.c.Drafts.Get(ctx, workspaceOf(ctx), caller(ctx).ID, in.of())
		if errs.Is(err, errs.KindNotFound) {
			return state(ctx, in.of(), nil)
		}
		if err != nil {
			return nil, err
		}
		return state(ctx, in.of(), &d)
	})
	route(a, http.MethodPut, "/drafts/{kind}/{thing}", "draft-set", "Keep what is written of something until it is saved; replaces what the caller had written before", signedIn, func(ctx context.Context, in *put) (*body[DraftState], error) {
		if err := caller(ctx).Require(writers[in.Kind]); err != nil {
			return nil, err
		}
		raw, err := json.Marshal(in.Body.Document)
		if err != nil {
			return nil, err
		}
		d, err := a.c.Drafts.Put(ctx, workspaceOf(ctx), caller(ctx).ID, in.of(), in.Body.Base, raw)
		if err != nil {
			return nil, err
		}
		return state(ctx, in.of(), &d)
	}, bodyLimit(draft.MaxDocument+1<<10))
	route(a, http.MethodDelete, "/drafts/{kind}/{thing}", "draft-delete", "Forget what the caller has written of something; what is not there is no error", signedIn, func(ctx context.Context, in *DraftPath) (*nothing, error) {
		if err := caller(ctx).Require(writers[in.Kind]); err != nil {
			return nil, err
		}
		return nil, a.c.Drafts.Delete(ctx, workspaceOf(ctx), caller(ctx).ID, in.of())
	}, noContent)
}
