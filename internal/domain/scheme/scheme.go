// Package scheme lets a workspace change what identifies a person, after it has seen what that would do.
//
// Owns: the two jobs, what they report. Does not own: the scheme itself, how people are worked out (person), jobs (job).
//
//	draft ─► Simulate ─► job: everybody worked out by the draft, nothing written ─► figures, examples
//	   │                                                                               │ the same draft
//	   └────────────────────────────────► Apply: the scheme stands; job: everybody worked out anew, some at a time
//
// Invariants: what is applied was simulated in the same words, against the scheme that still stands; either job goes on where it was after a restart;
// while people are worked out anew, new events are already read by the new scheme.
package scheme

import (
	"context"
	"encoding/json"
	"maps"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// The jobs.
const (
	SimulateJob = "identity_simulation"
	ApplyJob    = "identity_scheme"
)

// People is what of the people this needs.
type People interface {
	CheckScheme(ctx context.Context, ws string, next person.Scheme) error
	SchemeOf(ctx context.Context, ws string) (person.Scheme, person.SchemeRow, error)
	SetScheme(ctx context.Context, ws string, next person.Scheme, version int64, by string) (person.SchemeRow, error)
	TryScheme(ctx context.Context, ws string, scheme person.Scheme, after event.Identifier, limit int) (person.Trial, error)
	QueueScheme(ctx context.Context, ws string, after event.Identifier, limit int) (last event.Identifier, people int64, done bool, err error)
	Waiting(ctx context.Context, ws string) (int, error)
}

// Jobs is what of the jobs this needs.
type Jobs interface {
	Get(ctx context.Context, by staff.Principal, id string) (job.Job, error)
}

// Service changes schemes.
type Service struct {
	People People
	Jobs   Jobs
	// Pause is how long Apply waits before it looks again whether what it has left was done; zero is half a second.
	Pause time.Duration
}

// params are what both jobs are begun with.
type params struct {
	Kinds   []person.Kind `json:"kinds"`
	Version int64         `json:"version"` // of the scheme they are to follow
}

// Kinds returns the jobs.
func (s Service) Kinds() []job.Kind {
	return []job.Kind{
		{Name: SimulateJob, Need: staff.SettingsWrite, Do: s.simulate},
		{Name: ApplyJob, Need: staff.SettingsWrite, Do: s.apply},
	}
}

// Simulate returns the job to be begun, once the draft is found to be in order.
func (s Service) Simulate(ctx context.Context, ws string, draft person.Scheme) (job.Wanted, error) {
	if err := s.People.CheckScheme(ctx, ws, draft); err != nil {
		return job.Wanted{}, err
	}
	_, row, err := s.People.SchemeOf(ctx, ws)
	return job.Wanted{Kind: SimulateJob, Params: params{draft.Kinds, row.Version}}, err
}

// Apply makes the draft the scheme of the workspace, if the job of that id has simulated just that to its end and nobody has changed the scheme since, and
// returns the job to be begun. It joins the caller's transaction.
func (s Service) Apply(ctx context.Context, by staff.Principal, draft person.Scheme, simulation string) (job.Wanted, error) {
	j, err := s.Jobs.Get(ctx, by, simulation)
	if err != nil {
		return job.Wanted{}, err
	}
	var of params
	if j.Kind != SimulateJob || j.State != job.Done {
		return job.Wanted{}, errs.Conflict("identity.scheme.not_simulated", "these kinds were not simulated to the end; simulate them and look at what they would do first")
	}
	if err := json.Unmarshal(j.Params, &of); err != nil {
		return job.Wanted{}, err
	}
	was, err := json.Marshal(of.Kinds)
	if err != nil {
		return job.Wanted{}, err
	}
	now, err := json.Marshal(draft.Kinds)
	if err != nil {
		return job.Wanted{}, err
	}
	if string(was) != string(now) {
		return job.Wanted{}, errs.Conflict("identity.scheme.not_simulated", "what was simulated are other kinds than these; simulate these first")
	}
	row, err := s.People.SetScheme(ctx, by.Workspace, draft, of.Version, by.ID)
	return job.Wanted{Kind: ApplyJob, Key: "identity_scheme:" + simulation, Params: params{draft.Kinds, row.Version}}, err
}

// page is how many identifiers are simulated, or left to be worked out anew, at once.
const (
	trialPage = 200
	applyPage = 500
)

// sight is the mark of a simulation.
type sight struct {
	After    event.Identifier `json:"after"`
	Figures  map[string]int64 `json:"figures"`
	Examples []person.Example `json:"examples"`
}

// most is how many examples of each sort are kept.
const most = 20

func (s Service) simulate(ctx context.Context, r *job.Run) (job.Outcome, error) {
	var p params
	var at sight
	if err := r.Params(&p); err != nil {
		return job.Outcome{}, err
	}
	if _, err := r.Mark(&at); err != nil {
		return job.Outcome{}, err
	}
	if at.Figures == nil {
		at.Figures = map[string]int64{"people": 0, "merged": 0, "split": 0, "refused": 0, "too_large": 0}
	}
	for done := false; !done; {
		t, err := s.People.TryScheme(ctx, r.Job().Workspace, person.Scheme{Kinds: p.Kinds}, at.After, trialPage)
		if err != nil {
			return job.Outcome{}, err
		}
		at.Figures = maps.Clone(at.Figures)
		for name, n := range map[string]int64{"people": t.People, "merged": t.Merged, "split": t.Split, "refused": t.Refused, "too_large": t.TooLarge} {
			at.Figures[name] += n
		}
		for _, e := range t.Examples {
			if n := countOf(at.Examples, e.What); n < most {
				at.Examples = append(at.Examples, e)
			}
		}
		at.After, done = t.Last, t.Done
		if err := r.Save(ctx, at, job.Progress{Done: at.Figures["people"], Figures: at.Figures}); err != nil {
			return job.Outcome{}, err
		}
	}
	return job.Outcome{Figures: at.Figures}, nil
}

func countOf(all []person.Example, what string) int {
	n := 0
	for _, e := range all {
		if e.What == what {
			n++
		}
	}
	return n
}

// Report is what a simulation has found so far.
type Report struct {
	Job      job.Job
	Kinds    []person.Kind
	Version  int64 // of the scheme that it is compared with
	Examples []person.Example
}

// Report returns what the simulation of that id has found.
func (s Service) Report(ctx context.Context, by staff.Principal, id string) (Report, error) {
	j, err := s.Jobs.Get(ctx, by, id)
	if err != nil {
		return Report{}, err
	}
	if j.Kind != SimulateJob {
		return Report{}, errs.NotFound("simulation", id)
	}
	out := Report{Job: j}
	var p params
	if err := json.Unmarshal(j.Params, &p); err != nil {
		return out, err
	}
	out.Kinds, out.Version = p.Kinds, p.Version
	if len(j.Mark) > 0 {
		var at sight
		if err := json.Unmarshal(j.Mark, &at); err != nil {
			return out, err
		}
		out.Examples = at.Examples
	}
	return out, nil
}

// way is the mark of an application.
type way struct {
	After  event.Identifier `json:"after"`
	People int64            `json:"people"`
	All    bool             `json:"all"` // everybody was left to be worked out
}

// apply leaves some people at a time to whoever works out identities, so that new events are not kept waiting behind all of them.
func (s Service) apply(ctx context.Context, r *job.Run) (job.Outcome, error) {
	ws := r.Job().Workspace
	var at way
	if _, err := r.Mark(&at); err != nil {
		return job.Outcome{}, err
	}
	for {
		if err := s.settled(ctx, ws); err != nil {
			return job.Outcome{}, err
		}
		if at.All {
			return job.Outcome{Figures: map[string]int64{"people": at.People}}, nil
		}
		next := at
		err := r.Do(ctx, func(ctx context.Context) (any, job.Progress, error) {
			last, people, done, err := s.People.QueueScheme(ctx, ws, at.After, applyPage)
			next = way{After: last, People: at.People + people, All: done}
			return next, job.Progress{Done: next.People, Figures: map[string]int64{"people": next.People}}, err
		})
		if err != nil {
			return job.Outcome{}, err
		}
		at = next
	}
}

// settled waits until nobody waits to be worked out.
func (s Service) settled(ctx context.Context, ws string) error {
	pause := s.Pause
	if pause == 0 {
		pause = 500 * time.Millisecond
	}
	for {
		n, err := s.People.Waiting(ctx, ws)
		if err != nil || n == 0 {
			return err
		}
		if err := lifecycle.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}
