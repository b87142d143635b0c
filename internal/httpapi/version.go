package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/version"
)

// ThingVersion is what a segment, a campaign, a series, a journey map or a persona said once it was saved.
type ThingVersion struct {
	Revision int64     `json:"revision"`
	SavedBy  string    `json:"saved_by,omitempty" doc:"name; absent from a state from before versions were kept"`
	SavedAt  time.Time `json:"saved_at"`
	Document any       `json:"document" doc:"the thing as it was answered then, such as GET /segments/{id} does"`
}

// thingVersionRoutes lists what things said before. One that is taken up again is saved as the newest, with an update like any other.
func (a *api) thingVersionRoutes() {
	of := func(path, noun, id, summary string, need staff.Permission, find func(ctx context.Context, id string) error) {
		route(a, http.MethodGet, path, id, summary, need, func(ctx context.Context, in *PageAt) (*body[List[ThingVersion]], error) {
			if err := find(ctx, in.ID); err != nil {
				return nil, err
			}
			found, err := a.c.Versions.List(ctx, workspaceOf(ctx), version.Thing{Kind: noun, ID: in.ID}, in.request())
			if err != nil {
				return nil, err
			}
			return list(found, func(v version.Version) ThingVersion {
				return ThingVersion{v.Number, v.SavedBy, v.SavedAt, json.RawMessage(v.Document)}
			}), nil
		})
	}
	of("/segments/{id}/versions", "segment", "segment-versions", "What a segment said before, newest first", staff.SegmentsRead, func(ctx context.Context, id string) error {
		_, err := a.c.Segments.Get(ctx, workspaceOf(ctx), id)
		return err
	})
	of("/campaigns/{id}/versions", "campaign", "campaign-versions", "What a campaign said before, newest first", staff.CampaignsRead, func(ctx context.Context, id string) error {
		_, err := a.c.Campaigns.Get(ctx, workspaceOf(ctx), id)
		return err
	})
	of("/journey-maps/{id}/versions", "journey_map", "journey-map-versions", "What a journey map said before, newest first; changes of one member without an hour's rest are one version", staff.SegmentsRead, func(ctx context.Context, id string) error {
		_, err := a.c.Maps.Get(ctx, workspaceOf(ctx), id)
		return err
	})
	of("/personas/{id}/versions", "persona", "persona-versions", "What a persona said before, without its picture, newest first", staff.SegmentsRead, func(ctx context.Context, id string) error {
		_, err := a.c.Personas.Get(ctx, workspaceOf(ctx), id)
		return err
	})
	of("/series/{id}/versions", "series", "series-versions", "What a series said before, newest first", staff.CampaignsRead, func(ctx context.Context, id string) error {
		_, err := a.c.Campaigns.GetSeries(ctx, workspaceOf(ctx), id)
		return err
	})
}

// state is what a thing says, and since when.
type state struct {
	noun, id string
	revision int64
	saved    time.Time
	document any
}

// keep adds what the caller has saved to the thing's versions; before is what it said until then, which is kept too if it is not known yet.
func (a *api) keep(ctx context.Context, before, now state) error {
	return a.keepAs(ctx, before, now, a.c.Versions.Keep)
}

// join is keep for a thing that saves itself at every touch.
func (a *api) join(ctx context.Context, before, now state) error {
	return a.keepAs(ctx, before, now, a.c.Versions.Join)
}

func (a *api) keepAs(ctx context.Context, before, now state, how func(ctx context.Context, ws string, of version.Thing, number int64, by version.Saver, saved time.Time, document any) error) error {
	of := version.Thing{Kind: now.noun, ID: now.id}
	if before.id != "" {
		if err := a.c.Versions.Keep(ctx, workspaceOf(ctx), of, before.revision, version.Saver{}, before.saved, before.document); err != nil {
			return err
		}
	}
	return how(ctx, workspaceOf(ctx), of, now.revision, version.Saver{ID: caller(ctx).ID, Name: caller(ctx).Name}, now.saved, now.document)
}
