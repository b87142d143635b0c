package importer

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// ImportUndo is the kind of job that takes an import back: the people whom it brought and of whom nothing came from elsewhere go. What it said of people who were
// known, or who have done something since, stays: an event is part of what they are by now.
const ImportUndo = "import_undo"

// UndoParams says which import.
type UndoParams struct {
	Job string `json:"job"`
}

// UndoKind is the job.
func (p People) UndoKind() job.Kind {
	return job.Kind{Name: ImportUndo, Need: staff.ImportWrite, Do: p.undo}
}

// Undone says what taking an import back would do.
type Undone struct {
	Removed int64 // people who go
	Kept    int64 // people who stay, with what the import said of them
}

// Undoable returns what taking an import back would do. An import that still runs is a conflict.
func (p People) Undoable(ctx context.Context, who staff.Principal, id string) (job.Job, Undone, error) {
	j, err := p.Jobs.Get(ctx, who, id)
	if err != nil {
		return j, Undone{}, err
	}
	switch {
	case j.Kind != PeopleImport:
		return j, Undone{}, errs.NotFound("import", id)
	case !j.State.Over():
		return j, Undone{}, errs.Conflict("import.running", "the import still runs; cancel it first, or wait until it has ended")
	}
	people, own, err := p.Origins.Brought(ctx, j.Workspace, j.ID)
	return j, Undone{Removed: own, Kept: people - own}, err
}

func (p People) undo(ctx context.Context, r *job.Run) (job.Outcome, error) {
	var params UndoParams
	var gone int64 // by an earlier run
	if err := r.Params(&params); err != nil {
		return job.Outcome{}, err
	}
	if _, err := r.Mark(&gone); err != nil {
		return job.Outcome{}, err
	}
	ws := r.Job().Workspace
	// What a cancelled import has put on the log may still be on its way.
	if err := p.Intake.Settle(ctx, func(float64) error { return nil }); err != nil {
		return job.Outcome{}, err
	}
	people, err := p.Origins.Own(ctx, ws, params.Job)
	if err != nil {
		return job.Outcome{}, err
	}
	before := gone
	if err := p.Origins.Remove(ctx, ws, people, func(done int) error {
		gone = before + int64(done)
		return r.Save(ctx, gone, job.Progress{Done: gone, Total: before + int64(len(people)), Figures: map[string]int64{"people_removed": gone}})
	}); err != nil {
		return job.Outcome{}, err
	}
	kept, _, err := p.Origins.Brought(ctx, ws, params.Job)
	return job.Outcome{Figures: map[string]int64{"people_removed": gone, "people_kept": kept}}, err
}
