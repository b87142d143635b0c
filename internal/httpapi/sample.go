package httpapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/sample"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// SampleData is what there is of the sample business in the workspace.
type SampleData struct {
	Present bool          `json:"present"`
	MayAdd  bool          `json:"may_add" doc:"the workspace is empty, so sample data can be brought in"`
	People  int64         `json:"people" doc:"who would go with the sample"`
	Stay    int64         `json:"stay" doc:"people of the sample of whom something came from elsewhere; they stay"`
	Things  []SampleThing `json:"things" doc:"what would go"`
	Kept    []SampleKept  `json:"kept" doc:"what would stay, because things of the workspace itself are built on it"`
}

// SampleThing is a thing of the sample.
type SampleThing struct {
	Noun string `json:"noun" enum:"journey_map,persona,series,campaign,journey,saved_report,segment,template,topic,account,source,brand,site"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// SampleKept is a thing of the sample that stays.
type SampleKept struct {
	SampleThing
	For []SampleThing `json:"for" doc:"things of the workspace itself that name it; none if another sample thing that stays does"`
}

func sampleThing(t sample.Thing) SampleThing {
	return SampleThing{Noun: t.Noun, ID: t.ID, Name: t.Name}
}

func (a *api) sampleRoutes() {
	route(a, http.MethodGet, "/sample", "sample-get", "The sample business in this workspace, and what removing it would do", staff.SettingsRead, func(ctx context.Context, _ *struct{}) (*body[SampleData], error) {
		l, err := a.c.Sample.Look(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		out := SampleData{Present: !l.Empty(), People: l.People, Stay: l.Stay, Things: []SampleThing{}, Kept: []SampleKept{}}
		if !out.Present {
			out.MayAdd = a.c.Sample.MayAdd(ctx, workspaceOf(ctx)) == nil
		}
		for _, t := range l.Things {
			out.Things = append(out.Things, sampleThing(t))
		}
		for _, k := range l.Kept {
			kept := SampleKept{SampleThing: sampleThing(k.Thing), For: []SampleThing{}}
			for _, t := range k.For {
				kept.For = append(kept.For, sampleThing(t))
			}
			out.Kept = append(out.Kept, kept)
		}
		return answer(out), nil
	})
	type wanted struct {
		Locale string `json:"locale" enum:"en,zh-Hans,ja" doc:"language of the sample's letters and names"`
	}
	route(a, http.MethodPost, "/sample", "sample-add", "Bring a sample business into an empty workspace, as a job", staff.SettingsWrite, func(ctx context.Context, in *in[wanted]) (*body[Job], error) {
		going, err := a.c.Jobs.List(ctx, caller(ctx), job.Filter{Active: true}, page.Request{Limit: page.MaxLimit})
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(going.Items, func(j job.Job) bool { return j.Kind == sample.Add || j.Kind == sample.Remove }) {
			return nil, errs.Conflict("sample.busy", "sample data is being added or removed; wait until that is done, then add it")
		}
		if err := a.c.Sample.MayAdd(ctx, workspaceOf(ctx)); err != nil {
			return nil, err
		}
		return a.begin(ctx, "add", "sample", job.Wanted{Kind: sample.Add, Params: sample.Params{Locale: in.Body.Locale}})
	}, accepted)
	route(a, http.MethodPost, "/sample/removal", "sample-remove", "Remove everything of the sample business, as a job; things of the workspace itself stay whole", staff.SettingsWrite, func(ctx context.Context, _ *struct{}) (*body[Job], error) {
		return a.begin(ctx, "remove", "sample", job.Wanted{Kind: sample.Remove, Params: sample.Params{}})
	}, accepted)
}

// ImportUndo is what taking an import back would do.
type ImportUndo struct {
	Removed int64 `json:"removed" doc:"people who came with the import and of whom nothing else is known; they go"`
	Kept    int64 `json:"kept" doc:"people who were known or have done something since; they stay, with what the import said of them"`
}

func (a *api) importUndoRoutes() {
	route(a, http.MethodGet, "/imports/{id}/undo", "import-undo-check", "What taking an import back would do; id is that of its job", staff.ImportWrite, func(ctx context.Context, in *IDPath) (*body[ImportUndo], error) {
		_, u, err := a.c.Imports.Undoable(ctx, caller(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return answer(ImportUndo(u)), nil
	})
	route(a, http.MethodPost, "/imports/{id}/undo", "import-undo", "Take an import back, as a job: people whom it alone has brought go", staff.ImportWrite, func(ctx context.Context, in *IDPath) (*body[Job], error) {
		j, _, err := a.c.Imports.Undoable(ctx, caller(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return a.begin(ctx, "undo_import", "person", job.Wanted{Kind: importer.ImportUndo, Title: j.Title, Params: importer.UndoParams{Job: j.ID}})
	}, accepted)
}
