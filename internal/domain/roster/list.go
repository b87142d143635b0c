package roster

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// changed is the key of the file in which a change of a list notes whose membership it makes or ends: an id a line, below a heading.
const changed = "changed"

const heading = "person_id\n"

// ListParams says who is put on a list, or taken off it.
type ListParams struct {
	List   string `json:"list"`
	Remove bool   `json:"remove,omitempty"`
	Who    Filter `json:"who"`
}

// undoParams says which change of a list is taken back.
type undoParams struct {
	Job    string `json:"job"`
	List   string `json:"list"`
	Remove bool   `json:"remove,omitempty"` // what the change did
}

// edit makes or ends memberships.
func (s Service) edit(ctx context.Context, ws, list string, remove bool, ids []string) error {
	entries := make([]segment.Entry, len(ids))
	for i, id := range ids {
		entries[i].PersonID = id
	}
	do := s.Sets.AddToList
	if remove {
		do = s.Sets.RemoveFromList
	}
	_, err := do(ctx, ws, list, entries)
	return err
}

// progress is how far a change is.
type progress struct {
	Cursor string `json:"cursor"`
	Bytes  int64  `json:"bytes"` // of what was noted
	Kept   int64  `json:"kept"`  // of them, what is done for certain
	Seen   int64  `json:"seen"`  // people
	Moved  int64  `json:"moved"` // whose membership was made or ended
	Total  int64  `json:"total"` // people there were at the beginning
}

func (p progress) shown(remove bool) job.Progress {
	verb := "added"
	if remove {
		verb = "taken_off"
	}
	return job.Progress{Done: min(p.Seen, p.Total), Total: p.Total, Figures: map[string]int64{"people": p.Seen, verb: p.Moved}}
}

// changeList notes whose membership it is about to change, then changes it: if it broke off in between, what was noted is done first.
func (s Service) changeList(ctx context.Context, r *job.Run) (job.Outcome, error) {
	var p ListParams
	var m progress
	if err := r.Params(&p); err != nil {
		return job.Outcome{}, err
	}
	had, err := r.Mark(&m)
	if err != nil {
		return job.Outcome{}, err
	}
	ws := r.Job().Workspace
	filter, err := s.Resolve(ctx, ws, p.Who)
	if err != nil {
		return job.Outcome{}, err
	}
	if !had {
		if m.Total, err = s.People.CountFitting(ctx, ws, filter); err != nil {
			return job.Outcome{}, err
		}
	}
	if m.Kept < m.Bytes {
		if err := s.noted(ctx, ws, r.Job().ID, m.Kept, m.Bytes, func(ids []string) error { return s.edit(ctx, ws, p.List, p.Remove, ids) }); err != nil {
			return job.Outcome{}, err
		}
		m.Kept = m.Bytes
		if err := r.Save(ctx, m, m.shown(p.Remove)); err != nil {
			return job.Outcome{}, err
		}
	}
	for {
		found, err := s.People.Find(ctx, ws, filter, page.Request{Limit: page.MaxLimit, Cursor: m.Cursor})
		if err != nil {
			return job.Outcome{}, err
		}
		members, err := s.Sets.Members(ctx, ws, p.List)
		if err != nil {
			return job.Outcome{}, err
		}
		var ids []string
		for _, who := range found.Items {
			if members.Contains(who.Num) == p.Remove {
				ids = append(ids, who.ID)
			}
		}
		if len(ids) > 0 {
			text := strings.Join(ids, "\n") + "\n"
			if m.Bytes == 0 {
				text = heading + text
			}
			if err := r.Append(ctx, changed, m.Bytes, []byte(text)); err != nil {
				return job.Outcome{}, err
			}
			m.Bytes += int64(len(text))
			m.Moved += int64(len(ids))
			if err := r.Save(ctx, m, m.shown(p.Remove)); err != nil {
				return job.Outcome{}, err
			}
			if err := s.edit(ctx, ws, p.List, p.Remove, ids); err != nil {
				return job.Outcome{}, err
			}
			m.Kept = m.Bytes
		}
		m.Seen += int64(len(found.Items))
		m.Cursor = found.Next
		if m.Cursor == "" {
			break
		}
		if err := r.Save(ctx, m, m.shown(p.Remove)); err != nil {
			return job.Outcome{}, err
		}
	}
	out := job.Outcome{Figures: m.shown(p.Remove).Figures}
	if m.Bytes > 0 {
		out.Files = []job.File{{Key: changed, Name: "changed.csv", Type: "text/csv; charset=utf-8", Size: m.Bytes}}
	}
	return out, nil
}

// Undo returns the list that a job has changed, and the job that takes that back. A change that still runs is ended first: what it has done until then is taken back.
func (s Service) Undo(ctx context.Context, by staff.Principal, id string) (list string, w job.Wanted, err error) {
	j, err := s.Jobs.Get(ctx, by, id)
	if err != nil {
		return "", job.Wanted{}, err
	}
	if j.Kind != ListChange {
		return "", job.Wanted{}, errs.NotFound("list change", id)
	}
	if !j.State.Over() {
		if _, err := s.Jobs.Cancel(ctx, by, id); err != nil && !errs.Is(err, errs.KindConflict) { // it has just ended
			return "", job.Wanted{}, err
		}
	}
	var p ListParams
	if err := json.Unmarshal(j.Params, &p); err != nil {
		return "", job.Wanted{}, err
	}
	return p.List, job.Wanted{Kind: ListUndo, Key: "undo:" + id, Title: j.Title, Params: undoParams{Job: id, List: p.List, Remove: p.Remove}}, nil
}

func (s Service) undoList(ctx context.Context, r *job.Run) (job.Outcome, error) {
	var p undoParams
	var done int64 // memberships put back
	if err := r.Params(&p); err != nil {
		return job.Outcome{}, err
	}
	if _, err := r.Mark(&done); err != nil {
		return job.Outcome{}, err
	}
	ws := r.Job().Workspace
	change, err := s.Jobs.Ended(ctx, ws, p.Job)
	if err != nil {
		return job.Outcome{}, err
	}
	var m progress
	if len(change.Mark) > 0 {
		if err := json.Unmarshal(change.Mark, &m); err != nil {
			return job.Outcome{}, err
		}
	}
	outcome := func() map[string]int64 { return map[string]int64{"restored": done} }
	if m.Bytes == 0 {
		return job.Outcome{Figures: outcome()}, nil
	}
	from := done                                                         // the lines that are passed over
	err = s.noted(ctx, ws, p.Job, 0, m.Bytes, func(ids []string) error { // behind that stands at most what was written and not noted
		if from >= int64(len(ids)) {
			from -= int64(len(ids))
			return nil
		}
		ids, from = ids[from:], 0
		if err := s.edit(ctx, ws, p.List, !p.Remove, ids); err != nil {
			return err
		}
		done += int64(len(ids))
		return r.Save(ctx, done, job.Progress{Done: done, Total: m.Moved, Figures: outcome()})
	})
	return job.Outcome{Figures: outcome()}, err
}

// noted hands out the ids that a change has noted in some bytes of its file, some at a time.
func (s Service) noted(ctx context.Context, ws, id string, from, to int64, do func(ids []string) error) error {
	file, _, err := s.Jobs.Made(ctx, ws, id, changed)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(max(from, int64(len(heading))), io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewScanner(io.LimitReader(file, to-max(from, int64(len(heading)))))
	for {
		var ids []string
		for len(ids) < page.MaxLimit && lines.Scan() {
			ids = append(ids, lines.Text())
		}
		if err := lines.Err(); err != nil || len(ids) == 0 {
			return err
		}
		if err := do(ids); err != nil {
			return err
		}
	}
}
