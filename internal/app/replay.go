package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/replay"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

func replayCommand() command {
	return command{
		name: "replay", summary: "work out anew what follows from the events of a time range",
		long: `
Has the running server work out anew everybody who has an event in the time range: the mirror that segments are asked of, membership in segments, stages and scores. No event is
handed out a second time, so nothing is sent again; who turns out to belong into a segment enters it now. --part does one of these alone, and the mirror with it. It is a job: it can be watched and cancelled in the console,
and goes on by itself after a restart. The command follows it; interrupting the command leaves the job running.`,
		flags: func(fs *flag.FlagSet) func(context.Context, IO) error {
			c, envErr := defaults()
			configFlags(fs, &c)
			from := fs.String("from", "", "first `moment` of the range, e.g. 2026-03-01T00:00:00Z or 2026-03-01 (UTC)")
			to := fs.String("to", "", "`moment` at which the range ends (default: now)")
			part := fs.String("part", "", "what is worked out anew: `part` mirror, segments, standing or journeys (default: everything)")
			workspace := fs.String("workspace", "", "`id` of one workspace (default: all)")
			return func(ctx context.Context, io IO) error {
				if err := errors.Join(envErr, c.Validate()); err != nil {
					return usageError{err.Error()}
				}
				ask, err := replayQuery(*from, *to, *workspace, *part, time.Now())
				if err != nil {
					return usageError{err.Error()}
				}
				server := dialControl(c.Data)
				if server == nil {
					return fmt.Errorf("no server runs on %s: start it first, on the machine where the worker is", c.Data)
				}
				defer server.close()
				return followReplay(ctx, server, ask, io.Out)
			}
		},
	}
}

func replayQuery(from, to, workspace, part string, now time.Time) (url.Values, error) {
	r := replay.Range{To: now, Part: replay.Part(part)}
	var err error
	if r.From, err = momentOf(from); err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	if to != "" {
		if r.To, err = momentOf(to); err != nil {
			return nil, fmt.Errorf("--to: %w", err)
		}
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return url.Values{"from": {r.From.Format(time.RFC3339Nano)}, "to": {r.To.UTC().Format(time.RFC3339Nano)}, "workspace": {workspace}, "part": {part}, "operator": {operatorName()}}, nil
}

func momentOf(text string) (time.Time, error) {
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no moment; write it like 2026-03-01T00:00:00Z or 2026-03-01", text)
}

// replayLook is how often the command asks how far the jobs are.
const replayLook = 500 * time.Millisecond

// begunReplay is a job as the control socket tells it.
type begunReplay struct {
	Workspace string    `json:"workspace"`
	ID        string    `json:"id"`
	State     job.State `json:"state"`
	Done      int64     `json:"done"`
	Total     int64     `json:"total"`
	Error     string    `json:"error,omitempty"`
}

// followReplay begins the jobs and tells how far they are until all are over.
func followReplay(ctx context.Context, server *remote, ask url.Values, out io.Writer) error {
	var all []begunReplay
	if err := server.read(ctx, "/replay?"+ask.Encode(), &all); err != nil {
		return err
	}
	var failed error
	for _, b := range all {
		fmt.Fprintf(out, "%s: job %s\n", b.Workspace, b.ID)
		for told := int64(-1); !b.State.Over(); {
			if err := server.read(ctx, "/replay?"+url.Values{"workspace": {b.Workspace}, "job": {b.ID}}.Encode(), &b); err != nil {
				return err
			}
			if b.Done != told {
				told = b.Done
				fmt.Fprintf(out, "%s: %d of %d people\n", b.Workspace, b.Done, b.Total)
			}
			if b.State.Over() {
				break
			}
			if err := lifecycle.Sleep(ctx, replayLook); err != nil {
				fmt.Fprintln(out, "the jobs go on; see them in the console under background jobs")
				return err
			}
		}
		if b.State != job.Done {
			failed = errors.Join(failed, fmt.Errorf("%s: the job is %s %s", b.Workspace, b.State, b.Error))
		}
	}
	return failed
}

// read asks the server for JSON.
func (s *remote) read(ctx context.Context, path string, into any) error {
	resp, err := s.get(ctx, path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}

// controlReplay begins replays, or tells how far one is.
func (a *application) controlReplay(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	tell := func(j job.Job) begunReplay {
		return begunReplay{Workspace: j.Workspace, ID: j.ID, State: j.State, Done: j.Progress.Done, Total: j.Total, Error: j.Error}
	}
	if id := q.Get("job"); id != "" {
		j, err := a.jobs.Get(r.Context(), staff.System(q.Get("workspace")), id)
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		_ = json.NewEncoder(w).Encode(tell(j))
		return
	}
	from, err := time.Parse(time.RFC3339Nano, q.Get("from"))
	to, terr := time.Parse(time.RFC3339Nano, q.Get("to"))
	if err := errors.Join(err, terr); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	all, err := a.beginReplays(r.Context(), q.Get("workspace"), replay.Range{From: from, To: to, Part: replay.Part(q.Get("part"))}, q.Get("operator"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	out := make([]begunReplay, len(all))
	for i, j := range all {
		out[i] = tell(j)
	}
	_ = json.NewEncoder(w).Encode(out)
}

// beginReplays begins a replay in one workspace, or in all.
func (a *application) beginReplays(ctx context.Context, only string, r replay.Range, operator string) (out []job.Job, err error) {
	spaces, err := a.workspaces.All(ctx)
	if err != nil {
		return nil, err
	}
	err = a.db.InTx(ctx, func(ctx context.Context) error {
		out = nil
		for _, ws := range spaces {
			if only != "" && ws.ID != only {
				continue
			}
			w, err := a.replay.Wanted(r)
			if err != nil {
				return err
			}
			w.By = staff.Operator(ws.ID, operator)
			j, err := a.jobs.Begin(ctx, ws.ID, w)
			if err != nil {
				return err
			}
			if err := a.staff.Audit(ctx, w.By, staff.Act{Action: "replay.begin", Noun: "replay", NounID: j.ID, Detail: map[string]string{"title": j.Title}}); err != nil {
				return err
			}
			out = append(out, j)
		}
		if len(out) == 0 {
			return fmt.Errorf("there is no workspace %q", only)
		}
		return nil
	})
	a.jobs.Wake()
	return out, err
}
