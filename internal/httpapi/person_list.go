package httpapi

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/sheet"
)

// PeopleFilter narrows lists of people; all of it must fit. It is exported because huma reads embedded fields of exported types only.
type PeopleFilter struct {
	Q          string    `query:"q" maxLength:"200" doc:"part of a name, address or identifier"`
	Status     string    `query:"status" enum:"anonymous,known,identified"`
	Set        string    `query:"set" maxLength:"80" doc:"id of a segment or list they are in"`
	Reachable  string    `query:"reachable" maxLength:"40" doc:"kind of a channel they can be reached by"`
	SeenAfter  time.Time `query:"seen_after" doc:"last seen then or later"`
	SeenBefore time.Time `query:"seen_before" doc:"last seen before"`
	Order      string    `query:"order" enum:"recent,silent" doc:"by when they were last seen: recent first, or silent for longest first; without it the newest record comes first"`
}

func (a *api) peopleFilter(ctx context.Context, in PeopleFilter) (person.Filter, error) {
	f := person.Filter{Text: in.Q, Status: person.Status(in.Status), SeenFrom: in.SeenAfter, SeenTo: in.SeenBefore, Order: person.Order(in.Order)}
	if in.Set != "" {
		members, err := a.c.Segments.Members(ctx, workspaceOf(ctx), in.Set)
		if err != nil {
			return f, err
		}
		f.Among = members
	}
	if in.Reachable != "" {
		rule, err := json.Marshal(map[string]any{"channel": map[string]any{"kind": in.Reachable, "reachable": true}})
		if err != nil {
			return f, err
		}
		reached, err := a.c.Segments.Audience(ctx, workspaceOf(ctx), rule)
		if err != nil {
			return f, err
		}
		if f.Among != nil {
			reached = roaring64.And(reached, f.Among)
		}
		f.Among = reached
	}
	return f, nil
}

func (a *api) personListRoutes() {
	type exported struct {
		PeopleFilter
		BOM bool `query:"bom" doc:"begin with a byte order mark, as spreadsheets want it"`
	}
	route(a, http.MethodGet, "/people/csv", "person-csv", "People as a CSV file", staff.Export, func(ctx context.Context, in *exported) (*huma.StreamResponse, error) {
		ws := workspaceOf(ctx)
		filter, err := a.peopleFilter(ctx, in.PeopleFilter)
		if err != nil {
			return nil, err
		}
		q := page.Request{Limit: page.MaxLimit}
		found, err := a.c.People.Find(ctx, ws, filter, q)
		if err != nil {
			return nil, err
		}
		if err := a.audit(ctx, "export", "person", "list"); err != nil {
			return nil, err
		}
		return csvFile("people", in.BOM, func(w *csv.Writer) error {
			if err := w.Write([]string{"person_id", "status", "name", "email", "first_seen", "last_seen", "identifiers", "traits"}); err != nil {
				return err
			}
			for {
				for _, p := range found.Items {
					row, err := personRow(p)
					if err != nil {
						return err
					}
					if err := w.Write(row); err != nil {
						return err
					}
				}
				w.Flush()
				if q.Cursor = found.Next; q.Cursor == "" {
					return w.Error()
				}
				if found, err = a.c.People.Find(ctx, ws, filter, q); err != nil {
					return err
				}
			}
		}), nil
	}, csvAnswer)
}

func personRow(p person.Person) ([]string, error) {
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	ids := []string{}
	for _, id := range p.Identifiers {
		ids = append(ids, id.Kind+":"+id.Value)
	}
	idList, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	traits, err := json.Marshal(p.Values())
	if err != nil {
		return nil, err
	}
	return []string{p.ID, string(p.Status), sheet.Safe(p.Name()), sheet.Safe(p.Email()), stamp(p.FirstSeen), stamp(p.LastSeen), string(idList), string(traits)}, nil
}
