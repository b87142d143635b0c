package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// NoteDraft is what people write beside a report: plan, do, check, act.
type NoteDraft struct {
	Base   int64       `json:"base" minimum:"0" doc:"revision that the author saw, 0 for the first"`
	Plan   string      `json:"plan,omitempty" doc:"what is to be reached, and why this way; written before the start"`
	Result string      `json:"result,omitempty" doc:"what came of it"`
	Change string      `json:"change,omitempty" doc:"what we change"`
	Target *NoteTarget `json:"target,omitempty"`
}

// NoteTarget is the indicator that was chosen before the start.
type NoteTarget struct {
	Figure string  `json:"figure" doc:"a share: conversion_rate, open_rate, click_rate, click_to_open, delivery_rate, bounce_rate, unsubscribe_rate, complaint_rate"`
	Value  float64 `json:"value" minimum:"0" maximum:"1"`
	AtMost bool    `json:"at_most,omitempty"`
}

// Note is the note beside a report as it is now.
type Note struct {
	Revision int64       `json:"revision" doc:"0: nothing has been written"`
	Plan     string      `json:"plan"`
	Result   string      `json:"result"`
	Change   string      `json:"change"`
	Target   *NoteTarget `json:"target,omitempty"`
	Actual   *Rate       `json:"actual,omitempty" doc:"the target's figure now"`
	Verdict  string      `json:"verdict,omitempty" enum:"reached,missed,unclear" doc:"unclear: too few to say"`
	Author   string      `json:"author,omitempty" doc:"id of the member or key"`
	At       *time.Time  `json:"at,omitempty"`
}

func noteShape(n report.Note) Note {
	return Note{Revision: n.Rev, Plan: n.Plan, Result: n.Result, Change: n.Change, Target: (*NoteTarget)(n.Target), Author: n.Author, At: moment(n.At)}
}

func judgedShape(j report.Judged) Note {
	out := noteShape(j.Note)
	if j.Actual != nil {
		r := rateShape(*j.Actual)
		out.Actual, out.Verdict = &r, string(j.Verdict)
	}
	return out
}

// SavedReportDraft is a report to be kept under a name.
type SavedReportDraft struct {
	Name       string       `json:"name" maxLength:"200"`
	Report     string       `json:"report" doc:"key of the catalog"`
	Parameters ReportParams `json:"parameters,omitzero"`
}

// SavedReport is a report under a name; its id is the link that is shared inside the workspace.
type SavedReport struct {
	ID string `json:"id"`
	SavedReportDraft
	Owner     string    `json:"owner" doc:"id of the member or key"`
	Revision  int64     `json:"revision"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func savedShape(r report.Saved) SavedReport {
	return SavedReport{
		ID: r.ID, SavedReportDraft: SavedReportDraft{Name: r.Name, Report: r.Report, Parameters: ReportParams(r.Params)},
		Owner: r.Owner, Revision: r.Rev, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

func (a *api) noteRoutes() {
	r := a.c.Reports
	for _, on := range []struct {
		path, kind, noun string
		read, write      staff.Permission
	}{
		{"/campaigns", "campaign", "campaign", staff.CampaignsRead, staff.CampaignsWrite},
		{"/journeys", "journey", "journey", staff.JourneysRead, staff.JourneysWrite},
		{"/saved-reports", "report", "saved-report", staff.ReportsRead, staff.ReportsRead},
	} {
		route(a, http.MethodGet, on.path+"/{id}/note", on.noun+"-note", "The note beside the report, and how its target stands", on.read, func(ctx context.Context, in *IDPath) (*body[Note], error) {
			n, err := r.Note(ctx, workspaceOf(ctx), on.kind+":"+in.ID)
			return answer(judgedShape(n)), err
		})
		route(a, http.MethodGet, on.path+"/{id}/notes", on.noun+"-notes", "Every revision of the note, latest first", on.read, func(ctx context.Context, in *PageAt) (*body[List[Note]], error) {
			found, err := r.Notes(ctx, workspaceOf(ctx), on.kind+":"+in.ID, in.request())
			if err != nil {
				return nil, err
			}
			return list(found, noteShape), nil
		})
		route(a, http.MethodPut, on.path+"/{id}/note", on.noun+"-note-write", "Write the note beside the report; what it was before is kept", on.write, func(ctx context.Context, in *inAt[NoteDraft]) (*body[Note], error) {
			var out report.Judged
			err := a.change(ctx, "write", "note", on.kind+":"+in.ID, func(ctx context.Context) (err error) {
				out, err = r.Write(ctx, workspaceOf(ctx), report.Note{
					Subject: on.kind + ":" + in.ID, Rev: in.Body.Base, Plan: in.Body.Plan, Result: in.Body.Result, Change: in.Body.Change,
					Target: (*report.Target)(in.Body.Target), Author: caller(ctx).ID,
				})
				return err
			})
			return answer(judgedShape(out)), err
		})
	}
}

func (a *api) savedReportRoutes() {
	r := a.c.Reports
	id := func(r report.Saved) string { return r.ID }
	route(a, http.MethodGet, "/saved-reports", "saved-report-list", "Saved reports, latest first", staff.ReportsRead, func(ctx context.Context, in *Paging) (*body[List[SavedReport]], error) {
		found, err := r.ListSaved(ctx, workspaceOf(ctx), in.request())
		if err != nil {
			return nil, err
		}
		return list(found, savedShape), nil
	})
	route(a, http.MethodPost, "/saved-reports", "saved-report-create", "Keep a report under a name", staff.ReportsRead, func(ctx context.Context, in *in[SavedReportDraft]) (*body[SavedReport], error) {
		out, err := changed(ctx, a, "create", "saved_report", id, func(ctx context.Context) (report.Saved, error) {
			return r.Save(ctx, workspaceOf(ctx), report.Saved{Name: in.Body.Name, Report: in.Body.Report, Params: report.Params(in.Body.Parameters), Owner: caller(ctx).ID})
		})
		return answer(savedShape(out)), err
	}, created)
	route(a, http.MethodGet, "/saved-reports/{id}", "saved-report-get", "One saved report", staff.ReportsRead, func(ctx context.Context, in *IDPath) (*body[SavedReport], error) {
		out, err := r.Saved(ctx, workspaceOf(ctx), in.ID)
		return answer(savedShape(out)), err
	})
	// Only who saved it, or who may change settings, changes what others have a link to.
	own := func(ctx context.Context, id string) error {
		found, err := r.Saved(ctx, workspaceOf(ctx), id)
		if err != nil {
			return err
		}
		if found.Owner != caller(ctx).ID && caller(ctx).Require(staff.SettingsWrite) != nil {
			return errs.Forbidden("saved_report.owner", "somebody else saved this report; save one of your own")
		}
		return nil
	}
	type edit struct {
		SavedReportDraft
		Revision int64 `json:"revision,omitempty" doc:"that the editor saw; 0 overwrites whatever is there"`
	}
	route(a, http.MethodPut, "/saved-reports/{id}", "saved-report-update", "Change a saved report", staff.ReportsRead, func(ctx context.Context, in *inAt[edit]) (*body[SavedReport], error) {
		out, err := changed(ctx, a, "update", "saved_report", id, func(ctx context.Context) (report.Saved, error) {
			if err := own(ctx, in.ID); err != nil {
				return report.Saved{}, err
			}
			return r.ChangeSaved(ctx, workspaceOf(ctx), report.Saved{ID: in.ID, Name: in.Body.Name, Report: in.Body.Report, Params: report.Params(in.Body.Parameters), Rev: in.Body.Revision})
		})
		return answer(savedShape(out)), err
	})
	route(a, http.MethodDelete, "/saved-reports/{id}", "saved-report-delete", "Delete a saved report", staff.ReportsRead, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "saved_report", in.ID, func(ctx context.Context) error {
			if err := own(ctx, in.ID); err != nil {
				return err
			}
			return r.DeleteSaved(ctx, workspaceOf(ctx), in.ID)
		})
	}, noContent)
}
