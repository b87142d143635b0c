package httpapi

import (
	"context"
	"encoding/csv"
	"net/http"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/roster"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/sheet"
)

// exportable names the lists of which files are made, and where they are.
var exportable = map[string]string{
	"campaigns": "/campaigns", "series": "/series", "segments": "/segments", "lists": "/lists", "journeys": "/journeys", "templates": "/templates", "snippets": "/snippets",
	"tasks": "/tasks", "suppressions": "/suppressions", "bounces": "/bounces", "audit": "/audit", "events": "/events", "rejections": "/rejections", "erasures": "/erasures",
	"personas": "/personas", "maps": "/journey-maps", "jobs": "/jobs", "staff": "/staff", "keys": "/keys", "sources": "/sources",
}

// listExport is the job that makes a file of a list.
const listExport = "list_export"

// ListColumn is a column of a file.
type ListColumn struct {
	Title string `json:"title" maxLength:"200"`
	Field string `json:"field" maxLength:"100" doc:"member of an item of the list, with dots for members of members; of several, parted by commas, the first that is there"`
}

type listExportParams struct {
	List    string            `json:"list"`
	Query   map[string]string `json:"query,omitempty"`
	Columns []ListColumn      `json:"columns"`
	BOM     bool              `json:"bom,omitempty"`
}

func (a *api) listExportRoutes() {
	type wanted struct {
		Asked
		List    string            `json:"list" doc:"which list, e.g. campaigns"`
		Query   map[string]string `json:"query,omitempty" doc:"its filter, as its query"`
		Columns []ListColumn      `json:"columns" minItems:"1" maxItems:"50"`
		BOM     bool              `json:"bom,omitempty" doc:"begin with a byte order mark, by which spreadsheets recognise UTF-8"`
	}
	route(a, http.MethodPost, "/exports", "list-export", "Make a CSV file of what a list shows with a filter, as a job; times are in UTC and say so", staff.Export, func(ctx context.Context, in *in[wanted]) (*body[Job], error) {
		b := in.Body
		path, ok := exportable[b.List]
		if !ok {
			return nil, errs.Invalid("export.list_unknown", "list", "no file is made of a list %q", b.List)
		}
		if _, err := a.pageOf(ctx, caller(ctx), path, b.Query, ""); err != nil { // can it be read at all?
			return nil, err
		}
		return a.begin(ctx, "export", "list", b.wanted(listExport, b.Title, listExportParams{b.List, b.Query, b.Columns, b.BOM}))
	}, accepted)
}

// exportList writes the pages of a list.
func (a *api) exportList(ctx context.Context, r *job.Run) (job.Outcome, error) {
	var p listExportParams
	if err := r.Params(&p); err != nil {
		return job.Outcome{}, err
	}
	by, err := a.c.Staff.Acting(ctx, r.Job().Workspace, r.Job().Actor)
	if err != nil {
		return job.Outcome{}, err
	}
	head := make([]string, len(p.Columns))
	for i, c := range p.Columns {
		head[i] = sheet.Safe(c.Title)
	}
	return a.c.Roster.Table(ctx, r, p.List, p.BOM, head, func(ctx context.Context, cursor string, w *csv.Writer) (string, int, error) {
		found, err := a.pageOf(ctx, by, exportable[p.List], p.Query, cursor)
		if err != nil {
			return "", 0, err
		}
		for _, item := range found.Items {
			row := make([]string, len(p.Columns))
			for i, c := range p.Columns {
				if row[i], err = roster.Cell(member(item, c.Field)); err != nil {
					return "", 0, err
				}
			}
			_ = w.Write(row)
		}
		return found.NextCursor, len(found.Items), nil
	})
}

// member returns what stands at the first of some dotted paths of an object, parted by commas, at which there is something; else nil.
func member(item any, paths string) any {
	for path := range strings.SplitSeq(paths, ",") {
		in := item
		for key := range strings.SplitSeq(path, ".") {
			of, _ := in.(map[string]any)
			in = of[key]
		}
		if in != nil {
			return in
		}
	}
	return nil
}
