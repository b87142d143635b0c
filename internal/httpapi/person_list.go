package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/roster"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// PeopleFilter narrows lists of people, and says with whom a job is done; all of it must fit. It is exported because huma reads embedded fields of
// exported types only.
type PeopleFilter struct {
	Q          string    `query:"q" json:"q,omitempty" maxLength:"200" doc:"part of a name, address or identifier; or the id of a person"`
	Status     string    `query:"status" json:"status,omitempty" enum:"anonymous,known,identified"`
	Set        string    `query:"set" json:"set,omitempty" maxLength:"80" doc:"id of a segment or list they are in"`
	Reachable  string    `query:"reachable" json:"reachable,omitempty" maxLength:"40" doc:"kind of a channel they can be reached by"`
	SeenAfter  time.Time `query:"seen_after" json:"seen_after,omitempty" doc:"last seen then or later"`
	SeenBefore time.Time `query:"seen_before" json:"seen_before,omitempty" doc:"last seen before"`
}

func (f PeopleFilter) who() roster.Filter {
	return roster.Filter{Text: f.Q, Status: f.Status, Set: f.Set, Reachable: f.Reachable, SeenAfter: f.SeenAfter, SeenBefore: f.SeenBefore}
}

// resolve also finds out whether the filter can be read at all, before a job is begun with it.
func (a *api) resolve(ctx context.Context, f PeopleFilter) (person.Filter, error) {
	return a.c.Roster.Resolve(ctx, workspaceOf(ctx), f.who())
}

// Asked is what the body of a request for a job says of the job.
type Asked struct {
	Title string `json:"title,omitempty" maxLength:"200" doc:"what it is about, for the list of jobs"`
	Key   string `json:"idempotency_key,omitempty" maxLength:"100" doc:"the same again begins no second job"`
}

func (k Asked) wanted(kind, title string, params any) job.Wanted {
	w := job.Wanted{Kind: kind, Title: title, Params: params}
	if k.Key != "" {
		w.Key = kind + ":" + k.Key
	}
	return w
}

func (a *api) personListRoutes() {
	type count struct {
		Count int64 `json:"count"`
	}
	route(a, http.MethodGet, "/people/count", "person-count", "How many people fit", staff.PeopleRead, func(ctx context.Context, in *struct{ PeopleFilter }) (*body[count], error) {
		n, err := a.c.Roster.Count(ctx, workspaceOf(ctx), in.who())
		return answer(count{n}), err
	})
	type people struct {
		Asked
		Who PeopleFilter `json:"who,omitempty" doc:"everybody if left out"`
		BOM bool         `json:"bom,omitempty" doc:"begin with a byte order mark, as spreadsheets want it"`
	}
	route(a, http.MethodPost, "/people/exports", "person-export-all", "A CSV file of people, as a job", staff.Export, func(ctx context.Context, in *in[people]) (*body[Job], error) {
		if _, err := a.resolve(ctx, in.Body.Who); err != nil {
			return nil, err
		}
		return a.begin(ctx, "export", "person", in.Body.wanted(roster.PeopleExport, in.Body.Title, roster.PeopleParams{Who: in.Body.Who.who(), BOM: in.Body.BOM}))
	}, accepted)
	type events struct {
		Asked
		Source string    `json:"source,omitempty" maxLength:"60" doc:"id of a source"`
		Type   string    `json:"type,omitempty" maxLength:"20"`
		Name   string    `json:"name,omitempty" maxLength:"200"`
		From   time.Time `json:"from,omitempty" doc:"happened then or later"`
		To     time.Time `json:"to,omitempty" doc:"happened before"`
		BOM    bool      `json:"bom,omitempty" doc:"begin with a byte order mark, as spreadsheets want it"`
	}
	route(a, http.MethodPost, "/events/exports", "event-export", "A CSV file of events with all that they say, as a job", staff.Export, func(ctx context.Context, in *in[events]) (*body[Job], error) {
		b := in.Body
		return a.begin(ctx, "export", "event", b.wanted(roster.EventsExport, b.Title, roster.EventsParams{Filter: event.ArrivalFilter{Source: b.Source, Type: event.Type(b.Type), Name: b.Name, From: b.From, To: b.To}, BOM: b.BOM}))
	}, accepted)

	type change struct {
		Asked
		Who    PeopleFilter `json:"who,omitempty" doc:"everybody if left out"`
		Remove bool         `json:"remove,omitempty" doc:"take them off the list instead of putting them on it"`
	}
	route(a, http.MethodPost, "/lists/{id}/changes", "list-change", "Put all people who fit on a list, or take them off it, as a job", staff.SegmentsWrite, func(ctx context.Context, in *inAt[change]) (*body[Job], error) {
		l, err := a.c.Segments.GetList(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		if _, err := a.resolve(ctx, in.Body.Who); err != nil {
			return nil, err
		}
		verb := "add"
		if in.Body.Remove {
			verb = "remove"
		}
		return a.beginOn(ctx, verb, "list", l.ID, in.Body.wanted(roster.ListChange, l.Name, roster.ListParams{List: l.ID, Remove: in.Body.Remove, Who: in.Body.Who.who()}))
	}, accepted)
	route(a, http.MethodPost, "/list-changes/{id}/undo", "list-change-undo", "Take back what a job has changed of a list, as a job; id is that of the job", staff.SegmentsWrite, func(ctx context.Context, in *IDPath) (*body[Job], error) {
		list, wanted, err := a.c.Roster.Undo(ctx, caller(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return a.beginOn(ctx, "undo_change", "list", list, wanted)
	}, accepted)
}
