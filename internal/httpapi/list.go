package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// StaticList is a set of people that somebody uploaded.
type StaticList struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Size        uint64    `json:"size"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

func listShape(l segment.List) StaticList {
	return StaticList{ID: l.ID, Name: l.Name, Description: l.Description, Size: l.Size, CreatedAt: l.CreatedAt, UpdatedAt: l.UpdatedAt}
}

// ListRow says what became of one uploaded row.
type ListRow struct {
	Row      string `json:"row"`
	Outcome  string `json:"outcome" enum:"added,already,removed,absent,unknown"`
	PersonID string `json:"person_id,omitempty"`
}

func (a *api) listRoutes() {
	type draft struct {
		Name        string `json:"name" maxLength:"200"`
		Description string `json:"description,omitempty" maxLength:"2000"`
	}
	type filter struct {
		Paging
		Q string `query:"q" maxLength:"200"`
	}
	route(a, http.MethodGet, "/lists", "list-list", "Static lists", staff.SegmentsRead, func(ctx context.Context, in *filter) (*body[List[StaticList]], error) {
		found, err := a.c.Segments.Lists(ctx, workspaceOf(ctx), segment.Filter{Text: in.Q}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, listShape), nil
	})
	route(a, http.MethodPost, "/lists", "list-create", "Make a static list", staff.SegmentsWrite, func(ctx context.Context, in *in[draft]) (*body[StaticList], error) {
		l, err := a.c.Segments.CreateList(ctx, workspaceOf(ctx), in.Body.Name, in.Body.Description)
		if err != nil {
			return nil, err
		}
		return answer(listShape(l)), a.audit(ctx, "create", "list", l.ID)
	}, created)
	route(a, http.MethodGet, "/lists/{id}", "list-get", "One static list", staff.SegmentsRead, func(ctx context.Context, in *IDPath) (*body[StaticList], error) {
		l, err := a.c.Segments.GetList(ctx, workspaceOf(ctx), in.ID)
		return answer(listShape(l)), err
	})
	type patch struct {
		Name        *string `json:"name,omitempty" maxLength:"200"`
		Description *string `json:"description,omitempty" maxLength:"2000"`
	}
	route(a, http.MethodPatch, "/lists/{id}", "list-update", "Change name or description", staff.SegmentsWrite, func(ctx context.Context, in *inAt[patch]) (*body[StaticList], error) {
		l, err := a.c.Segments.UpdateList(ctx, workspaceOf(ctx), in.ID, in.Body.Name, in.Body.Description)
		if err != nil {
			return nil, err
		}
		return answer(listShape(l)), a.audit(ctx, "update", "list", l.ID)
	})
	route(a, http.MethodDelete, "/lists/{id}", "list-delete", "Delete a static list", staff.SegmentsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		if err := a.c.Segments.DeleteList(ctx, workspaceOf(ctx), in.ID); err != nil {
			return nil, err
		}
		return nil, a.audit(ctx, "delete", "list", in.ID)
	}, noContent)
	route(a, http.MethodGet, "/lists/{id}/members", "list-members", "The people on a list", staff.PeopleRead, a.members)

	type upload struct {
		Rows []string `json:"rows" minItems:"1" maxItems:"10000" doc:"person ids (per_...) or identifiers as kind:value, e.g. email:aya@example.com"`
	}
	type result struct {
		Counts map[string]int `json:"counts" doc:"rows by outcome"`
		Rows   []ListRow      `json:"rows" doc:"in the order of the upload"`
	}
	edit := func(action string, do func(ctx context.Context, ws, id string, entries []segment.Entry) ([]segment.Row, error)) func(ctx context.Context, in *inAt[upload]) (*body[result], error) {
		return func(ctx context.Context, in *inAt[upload]) (*body[result], error) {
			entries := make([]segment.Entry, len(in.Body.Rows))
			for i, row := range in.Body.Rows {
				if strings.HasPrefix(row, "per_") {
					entries[i].PersonID = row
					continue
				}
				kind, value, ok := strings.Cut(row, ":")
				if !ok {
					return nil, errs.Invalid("list.row.invalid", "rows", "row %d, %q: write a person id or kind:value", i+1, row)
				}
				entries[i].Identifier = event.Identifier{Kind: kind, Value: value}
			}
			rows, err := do(ctx, workspaceOf(ctx), in.ID, entries)
			if err != nil {
				return nil, err
			}
			out := result{Counts: map[string]int{}, Rows: make([]ListRow, len(rows))}
			for i, r := range rows {
				out.Counts[string(r.Outcome)]++
				out.Rows[i] = ListRow{Row: in.Body.Rows[i], Outcome: string(r.Outcome), PersonID: r.ResultID}
			}
			return answer(out), a.audit(ctx, action, "list", in.ID)
		}
	}
	route(a, http.MethodPost, "/lists/{id}/members", "list-add", "Put people on a list", staff.SegmentsWrite, edit("add", a.c.Segments.AddToList), bodyLimit(4<<20))
	route(a, http.MethodPost, "/lists/{id}/remove", "list-remove", "Take people off a list", staff.SegmentsWrite, edit("remove", a.c.Segments.RemoveFromList), bodyLimit(4<<20))
}
