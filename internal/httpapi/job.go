package httpapi

import (
	"cmp"
	"context"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// Job is long work that somebody has started.
type Job struct {
	ID         string           `json:"id"`
	Kind       string           `json:"kind" example:"suppression_import"`
	Title      string           `json:"title,omitempty" doc:"what it is about, e.g. the name of a file"`
	State      string           `json:"state" enum:"queued,running,done,failed,cancelled"`
	Done       int64            `json:"done" doc:"of total, in units of the kind, e.g. bytes read"`
	Total      int64            `json:"total" doc:"0: not known"`
	Figures    map[string]int64 `json:"figures" doc:"counts so far, by name: rows, added, rejected ..."`
	Files      []JobFile        `json:"files" doc:"what it has made"`
	Cancelling bool             `json:"cancelling,omitempty" doc:"asked to end, and about to"`
	Code       string           `json:"code,omitempty" doc:"of the error it failed with, or after which it is tried again at not_before"`
	Error      string           `json:"error,omitempty"`
	Actor      string           `json:"actor" doc:"user or API key that started it"`
	ActorName  string           `json:"actor_name"`
	CreatedAt  time.Time        `json:"created_at"`
	StartedAt  *time.Time       `json:"started_at,omitempty"`
	UpdatedAt  time.Time        `json:"updated_at"`
	EndedAt    *time.Time       `json:"ended_at,omitempty"`
	NotBefore  *time.Time       `json:"not_before,omitempty" doc:"when it is tried again"`
}

// JobFile is a file that a job has made.
type JobFile struct {
	Key   string    `json:"key"`
	Name  string    `json:"name"`
	Size  int64     `json:"size"`
	Until time.Time `json:"until" doc:"kept until then"`
}

func jobShape(j job.Job) Job {
	out := Job{
		ID: j.ID, Kind: j.Kind, Title: j.Title, State: string(j.State), Done: j.Progress.Done, Total: j.Total, Figures: j.Figures, Files: []JobFile{},
		Cancelling: j.Cancelled != "" && !j.State.Over(), Code: j.Code, Error: j.Error, Actor: j.Actor, ActorName: j.ActorName,
		CreatedAt: j.CreatedAt, StartedAt: moment(j.StartedAt), UpdatedAt: j.UpdatedAt, EndedAt: moment(j.EndedAt), NotBefore: moment(j.NotBefore),
	}
	if out.Figures == nil {
		out.Figures = map[string]int64{}
	}
	for _, f := range j.Files {
		out.Files = append(out.Files, JobFile{Key: f.Key, Name: f.Name, Size: f.Size, Until: j.EndedAt.Add(job.KeepFiles)})
	}
	return out
}

// begin makes a job, notes in the audit log who asked for what, and answers with it.
func (a *api) begin(ctx context.Context, action, noun string, w job.Wanted) (*body[Job], error) {
	return a.beginOn(ctx, action, noun, "", w)
}

// beginOn is begin of work on one thing; without its id the audit log names the job.
func (a *api) beginOn(ctx context.Context, action, noun, nounID string, w job.Wanted) (*body[Job], error) {
	w.By = caller(ctx)
	var j job.Job
	err := a.c.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if j, err = a.c.Jobs.Begin(ctx, workspaceOf(ctx), w); err != nil {
			return err
		}
		return a.c.Staff.Audit(ctx, caller(ctx), staff.Act{Action: noun + "." + action, Noun: noun, NounID: cmp.Or(nounID, j.ID), Detail: map[string]string{"title": j.Title}})
	})
	if err != nil {
		return nil, err
	}
	noteChange(ctx, "job", j.ID)
	a.c.Jobs.Wake()
	return answer(jobShape(j)), nil
}

// Upload is a file that waits for the job that reads it.
type Upload struct {
	ID    string    `json:"id"`
	Size  int64     `json:"size"`
	Until time.Time `json:"until" doc:"kept until then, if no job has used it"`
}

// uploading is a request whose body is a file; it is written to disk as it comes.
type uploading struct{ body io.Reader }

// Resolve implements huma.Resolver.
func (u *uploading) Resolve(ctx huma.Context) []error {
	u.body = ctx.BodyReader()
	_ = ctx.SetReadDeadline(time.Now().Add(uploadPatience)) // not every connection has one
	return nil
}

// uploadPatience is how long a file may take: the largest one at 300 KB a second.
const uploadPatience = 30 * time.Minute

func uploadBody(op *huma.Operation) {
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}}
	op.MaxBodyBytes = job.MaxFile
	op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
}

func (a *api) jobRoutes() {
	s := a.c.Jobs
	type filtered struct {
		Paging
		State  string `query:"state" enum:"queued,running,done,failed,cancelled"`
		Active bool   `query:"active" doc:"only those that wait or run"`
		Mine   bool   `query:"mine" doc:"only those that the caller has started"`
	}
	route(a, http.MethodGet, "/jobs", "job-list", "Long work that was started, latest first; of the kinds that the caller has the rights for", signedIn, func(ctx context.Context, in *filtered) (*body[List[Job]], error) {
		f := job.Filter{State: job.State(in.State), Active: in.Active}
		if in.Mine {
			f.Actor = caller(ctx).ID
		}
		found, err := s.List(ctx, caller(ctx), f, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, jobShape), nil
	})
	route(a, http.MethodGet, "/jobs/{id}", "job-get", "One job", signedIn, func(ctx context.Context, in *IDPath) (*body[Job], error) {
		j, err := s.Get(ctx, caller(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return answer(jobShape(j)), nil
	})
	route(a, http.MethodPost, "/jobs/{id}/cancel", "job-cancel", "End a job; what it has done stays done", signedIn, func(ctx context.Context, in *IDPath) (*body[Job], error) {
		j, err := changed(ctx, a, "cancel", "job", func(j job.Job) string { return j.ID }, func(ctx context.Context) (job.Job, error) {
			return s.Cancel(ctx, caller(ctx), in.ID)
		})
		if err != nil {
			return nil, err
		}
		return answer(jobShape(j)), nil
	})
	type file struct {
		IDPath
		Key string `path:"key"`
	}
	route(a, http.MethodGet, "/jobs/{id}/files/{key}", "job-file", "A file that a job has made", signedIn, func(ctx context.Context, in *file) (*huma.StreamResponse, error) {
		f, r, err := s.File(ctx, caller(ctx), in.ID, in.Key)
		if err != nil {
			return nil, err
		}
		if err := a.audit(ctx, "download", "job", in.ID); err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer r.Close()
			hc.SetHeader("Content-Type", f.Type)
			hc.SetHeader("Content-Length", strconv.FormatInt(f.Size, 10))
			hc.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
			if _, err := io.CopyN(hc.BodyWriter(), r, f.Size); err != nil && hc.Context().Err() == nil {
				panic(http.ErrAbortHandler) // a file cut short must not look whole
			}
		}}, nil
	}, func(op *huma.Operation) {
		op.Responses = map[string]*huma.Response{"200": {
			Description: "The file.",
			Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		}}
	})
	route(a, http.MethodPost, "/uploads", "upload-create", "Upload a file for a job; the body is the file", signedIn, func(ctx context.Context, in *uploading) (*body[Upload], error) {
		who := caller(ctx)
		if !who.Can(staff.ImportWrite) && !who.Can(staff.ConsentWrite) {
			return nil, who.Require(staff.ImportWrite)
		}
		up, size, err := s.Upload(ctx, who.Workspace, in.body)
		if err != nil {
			return nil, err
		}
		return answer(Upload{ID: up, Size: size, Until: a.c.Clock.Now().Add(job.KeepFiles)}), nil
	}, created, uploadBody)
}
