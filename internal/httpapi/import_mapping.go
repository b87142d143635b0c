package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// ImportMapping is what the columns of files tell, kept for the next file with the same columns.
type ImportMapping struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Columns   []string   `json:"columns" doc:"of the files; their order does not matter"`
	Plan      ImportPlan `json:"plan"`
	By        string     `json:"by" doc:"who changed it last"`
	Revision  int64      `json:"revision"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// ImportMappingDraft is what can be said of a mapping.
type ImportMappingDraft struct {
	Name string     `json:"name" minLength:"1" maxLength:"100"`
	Plan ImportPlan `json:"plan"`
}

func importMappingShape(m importer.SavedMapping) ImportMapping {
	return ImportMapping{ID: m.ID, Name: m.Name, Columns: m.Columns, Plan: importPlanShape(m.Plan), By: m.By, Revision: m.Rev, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt}
}

func (a *api) importMappingRoutes() {
	const path = "/import-mappings"
	s := func() importer.Mappings { return a.c.Mappings }
	write := func(ctx context.Context, action string, do func(ctx context.Context) (importer.SavedMapping, error)) (*body[ImportMapping], error) {
		m, err := changed(ctx, a, action, "import_mapping", func(m importer.SavedMapping) string { return m.ID }, do)
		return answer(importMappingShape(m)), err
	}
	route(a, http.MethodGet, path, "import-mapping-list", "What was kept of the columns of files, latest changed first", staff.ImportWrite, func(ctx context.Context, in *Paging) (*body[List[ImportMapping]], error) {
		found, err := s().Store.List(ctx, workspaceOf(ctx), "", in.request())
		if err != nil {
			return nil, err
		}
		return list(found, importMappingShape), nil
	})
	type wanted struct {
		ImportMappingDraft
		Columns []string `json:"columns" minItems:"1" maxItems:"300" doc:"all of the file"`
	}
	route(a, http.MethodPost, path, "import-mapping-create", "Keep what the columns of a file tell, for the next file that has the same", staff.ImportWrite, func(ctx context.Context, in *in[wanted]) (*body[ImportMapping], error) {
		return write(ctx, "create", func(ctx context.Context) (importer.SavedMapping, error) {
			return s().Create(ctx, importer.SavedMapping{Workspace: workspaceOf(ctx), Name: in.Body.Name, Columns: in.Body.Columns, Plan: in.Body.Plan.plan(), By: caller(ctx).Name})
		})
	}, created)
	route(a, http.MethodGet, path+"/{id}", "import-mapping-get", "What was kept of the columns of a file", staff.ImportWrite, func(ctx context.Context, in *IDPath) (*body[ImportMapping], error) {
		m, err := s().Store.Get(ctx, workspaceOf(ctx), in.ID)
		return answer(importMappingShape(m)), err
	})
	type edit struct {
		ImportMappingDraft
		Revision int64 `json:"revision" doc:"that was seen; 0 overwrites whatever is there"`
	}
	route(a, http.MethodPut, path+"/{id}", "import-mapping-update", "Say otherwise what the columns of such files tell, or under which name it is kept", staff.ImportWrite, func(ctx context.Context, in *inAt[edit]) (*body[ImportMapping], error) {
		return write(ctx, "update", func(ctx context.Context) (importer.SavedMapping, error) {
			return s().Update(ctx, importer.SavedMapping{ID: in.ID, Workspace: workspaceOf(ctx), Rev: in.Body.Revision, Name: in.Body.Name, Plan: in.Body.Plan.plan(), By: caller(ctx).Name})
		})
	})
	route(a, http.MethodDelete, path+"/{id}", "import-mapping-delete", "Forget what the columns of such files tell; imports that used it stay", staff.ImportWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "import_mapping", in.ID, func(ctx context.Context) error { return s().Delete(ctx, workspaceOf(ctx), in.ID) })
	}, noContent)
}
