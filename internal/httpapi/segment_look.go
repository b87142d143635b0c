package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// SetUser is something that names a segment or list.
type SetUser struct {
	Noun   string `json:"noun" enum:"segment,campaign,series,journey,persona,journey_map,template"`
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status,omitempty"`
	Needs  bool   `json:"needs" doc:"it would go wrong without the set, so that a list that it names cannot be deleted"`
}

// GrowthDay is one day of a segment's life.
type GrowthDay struct {
	Day     string `json:"day" doc:"calendar day in UTC"`
	Entered uint64 `json:"entered"`
	Left    uint64 `json:"left"`
	Size    uint64 `json:"size" doc:"members at the end of the day, now for today"`
}

// SeenField is a member of traits or properties that was seen.
type SeenField struct {
	Path  string `json:"path" doc:"as rules name it"`
	Kind  string `json:"kind" enum:"text,number,boolean,list,object" doc:"the most frequent one"`
	Count int64  `json:"count"`
}

// SeenValue is a value that was seen.
type SeenValue struct {
	Value string `json:"value"`
	Kind  string `json:"kind" enum:"text,number,boolean"`
	Count int64  `json:"count"`
}

func (a *api) segmentLookRoutes() {
	type overlap struct {
		Size  uint64 `json:"size" doc:"members of this one"`
		Other uint64 `json:"other" doc:"members of the other one"`
		Both  uint64 `json:"both"`
	}
	type with struct {
		IDPath
		With string `query:"with" required:"true" minLength:"1" maxLength:"80" doc:"id of another segment or list"`
	}
	route(a, http.MethodGet, "/segments/{id}/overlap", "segment-overlap", "How many people two segments or lists have in common", staff.SegmentsRead, func(ctx context.Context, in *with) (*body[overlap], error) {
		o, err := a.c.Segments.Overlap(ctx, workspaceOf(ctx), in.ID, in.With)
		return answer(overlap(o)), err
	})

	type days struct {
		IDPath
		Days int `query:"days" minimum:"1" maximum:"366" default:"30"`
	}
	route(a, http.MethodGet, "/segments/{id}/growth", "segment-growth", "How a segment grew, day by day, oldest first", staff.SegmentsRead, func(ctx context.Context, in *days) (*body[List[GrowthDay]], error) {
		found, err := a.c.Segments.Growth(ctx, workspaceOf(ctx), in.ID, in.Days)
		if err != nil {
			return nil, err
		}
		out := List[GrowthDay]{Items: make([]GrowthDay, len(found))}
		for i, d := range found {
			out.Items[i] = GrowthDay{d.Start.Format(time.DateOnly), d.Entered, d.Left, d.Size}
		}
		return answer(out), nil
	})

	route(a, http.MethodGet, "/segments/{id}/users", "segment-users", "What names a segment or list: segments, then campaigns, series, journeys, personas, journey maps and the content that is for it", staff.SegmentsRead, func(ctx context.Context, in *IDPath) (*body[List[SetUser]], error) {
		found, err := a.c.Segments.Users(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out := List[SetUser]{Items: []SetUser{}}
		for _, u := range found {
			out.Items = append(out.Items, SetUser(u))
		}
		return answer(out), nil
	})

	type fields struct {
		Event string `query:"event" maxLength:"200" doc:"properties of this event; without it traits of people"`
		Limit int    `query:"limit" minimum:"1" maximum:"500" default:"200"`
	}
	route(a, http.MethodGet, "/seen-fields", "seen-field-list", "Traits of people or properties of an event that were seen, most frequent first", staff.PeopleRead, func(ctx context.Context, in *fields) (*body[List[SeenField]], error) {
		found, err := a.c.Events.Fields(ctx, workspaceOf(ctx), in.Event, in.Limit)
		if err != nil {
			return nil, err
		}
		out := List[SeenField]{Items: make([]SeenField, len(found))}
		for i, f := range found {
			out.Items[i] = SeenField(f)
		}
		return answer(out), nil
	})
	type values struct {
		Event string `query:"event" maxLength:"200" doc:"of this event's properties; without it of traits of people"`
		Path  string `query:"path" required:"true" minLength:"1" maxLength:"200"`
		Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}
	route(a, http.MethodGet, "/seen-values", "seen-value-list", "Values of a trait or property that were seen, most frequent first", staff.PeopleRead, func(ctx context.Context, in *values) (*body[List[SeenValue]], error) {
		found, err := a.c.Events.Values(ctx, workspaceOf(ctx), in.Event, in.Path, in.Limit)
		if err != nil {
			return nil, err
		}
		out := List[SeenValue]{Items: []SeenValue{}}
		for _, v := range found {
			if !event.Sealed(v.Value) {
				out.Items = append(out.Items, SeenValue(v))
			}
		}
		return answer(out), nil
	})
}
