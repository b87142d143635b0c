package sample

import (
	"context"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// The kinds of jobs.
const (
	Add    = "sample_add"
	Remove = "sample_remove"
)

// Config is what a Service needs.
type Config struct {
	Store  Store
	Ender  Ender
	People People
	Filler Filler
	// Populated reports whether the workspace has people.
	Populated func(ctx context.Context, ws string) (bool, error)
}

// Service knows the sample of a workspace.
type Service struct{ c Config }

// New returns a Service.
func New(c Config) *Service { return &Service{c} }

// Kinds are the jobs.
func (s *Service) Kinds() []job.Kind {
	return []job.Kind{
		{Name: Add, Need: staff.SettingsWrite, Do: s.add},
		{Name: Remove, Need: staff.SettingsWrite, Do: s.remove},
	}
}

// Look says what there is of the sample, what of it would go and what would stay.
func (s *Service) Look(ctx context.Context, ws string) (Look, error) {
	all, err := s.c.Store.Things(ctx, ws)
	if err != nil {
		return Look{}, err
	}
	var out Look
	out.Things, out.Kept = split(all)
	for _, t := range all {
		if t.Sample && t.Noun == Source {
			out.Source = append(out.Source, t.ID)
		}
	}
	for _, src := range out.Source {
		people, own, err := s.c.People.Brought(ctx, ws, src)
		if err != nil {
			return Look{}, err
		}
		out.People, out.Stay = out.People+own, out.Stay+people-own
	}
	return out, nil
}

// MayAdd reports why sample data cannot be brought in: only an empty workspace gets some.
func (s *Service) MayAdd(ctx context.Context, ws string) error {
	if full, err := s.c.Populated(ctx, ws); err != nil || full {
		if err == nil {
			err = errs.Conflict("sample.not_empty", "this workspace has people already; sample data is for an empty one")
		}
		return err
	}
	return nil
}

// Before returns the ids of the things that a workspace has, for Mark to tell what came after.
func (s *Service) Before(ctx context.Context, ws string) ([]string, error) {
	all, err := s.c.Store.Things(ctx, ws)
	out := make([]string, 0, len(all))
	for _, t := range all {
		out = append(out, t.key())
	}
	return out, err
}

// Mark marks everything that came after Before and that nobody has made through the API.
func (s *Service) Mark(ctx context.Context, ws string, before []string) error {
	all, err := s.c.Store.Things(ctx, ws)
	if err != nil {
		return err
	}
	var fresh []Thing
	var ids []string
	for _, t := range all {
		if !t.Sample && !slices.Contains(before, t.key()) {
			fresh, ids = append(fresh, t), append(ids, t.ID)
		}
	}
	made, err := s.c.Store.Made(ctx, ws, ids)
	if err != nil {
		return err
	}
	return s.c.Store.Mark(ctx, ws, slices.DeleteFunc(fresh, func(t Thing) bool { return made[t.ID] }))
}

// Own marks a thing as part of the sample.
func (s *Service) Own(ctx context.Context, ws string, t Thing) error {
	return s.c.Store.Mark(ctx, ws, []Thing{t})
}

// Params says in which language.
type Params struct {
	Locale string `json:"locale"`
}

// addMark is how far the adding is.
type addMark struct {
	Before []string `json:"before"`
}

func (s *Service) add(ctx context.Context, r *job.Run) (job.Outcome, error) {
	var p Params
	var at addMark
	if err := r.Params(&p); err != nil {
		return job.Outcome{}, err
	}
	begun, err := r.Mark(&at)
	if err != nil {
		return job.Outcome{}, err
	}
	ws := r.Job().Workspace
	if !begun {
		if err := s.MayAdd(ctx, ws); err != nil {
			return job.Outcome{}, err
		}
		if at.Before, err = s.Before(ctx, ws); err != nil {
			return job.Outcome{}, err
		}
		if err := r.Save(ctx, at, job.Progress{Total: 100}); err != nil {
			return job.Outcome{}, err
		}
	}
	err = s.c.Filler.Things(ctx, ws, p.Locale)
	if merr := s.Mark(ctx, ws, at.Before); err == nil {
		err = merr
	}
	if err != nil {
		return job.Outcome{}, err
	}
	if err := s.c.Filler.Events(ctx, ws, p.Locale, func(share float64) error {
		return r.Save(ctx, at, job.Progress{Done: 5 + int64(75*share), Total: 100})
	}); err != nil {
		return job.Outcome{}, err
	}
	if err := s.c.People.Quiet(ctx); err != nil {
		return job.Outcome{}, err
	}
	l, err := s.Look(ctx, ws)
	return job.Outcome{Figures: map[string]int64{"created": l.People, "things": int64(len(l.Things))}}, err
}

// removeMark is how far the removal is.
type removeMark struct {
	People int64 `json:"people"`
	Things int64 `json:"things"`
}

func (m removeMark) figures() map[string]int64 {
	return map[string]int64{"people_removed": m.People, "things_removed": m.Things}
}

func (s *Service) remove(ctx context.Context, r *job.Run) (job.Outcome, error) {
	var at removeMark
	if _, err := r.Mark(&at); err != nil {
		return job.Outcome{}, err
	}
	ws := r.Job().Workspace
	l, err := s.Look(ctx, ws)
	if err != nil {
		return job.Outcome{}, err
	}
	save := func(done int64) error {
		return r.Save(ctx, at, job.Progress{Done: done, Total: 100, Figures: at.figures()})
	}
	// First what makes more: the source, then what leads and writes to people. A source that the user's things name stays, and is theirs.
	for _, t := range l.Things {
		if err := s.c.Ender.End(ctx, ws, t); err != nil {
			return job.Outcome{}, err
		}
	}
	if err := s.c.People.Quiet(ctx); err != nil {
		return job.Outcome{}, err
	}
	if err := save(10); err != nil {
		return job.Outcome{}, err
	}
	// Twice: what was on its way while the first were leaving comes after them.
	for range 2 {
		for _, src := range l.Source {
			before := at.People
			people, err := s.c.People.Own(ctx, ws, src)
			if err != nil {
				return job.Outcome{}, err
			}
			if len(people) > 0 {
				if err := s.c.People.Remove(ctx, ws, people, func(done int) error {
					at.People = before + int64(done)
					return save(10 + 70*int64(done)/int64(len(people)))
				}); err != nil {
					return job.Outcome{}, err
				}
			}
			if err := s.c.People.Drop(ctx, ws, src); err != nil {
				return job.Outcome{}, err
			}
		}
		if err := s.c.People.Quiet(ctx); err != nil {
			return job.Outcome{}, err
		}
	}
	for _, noun := range Nouns() {
		var ids []string
		for _, t := range l.Things {
			if t.Noun == noun {
				ids = append(ids, t.ID)
			}
		}
		if len(ids) == 0 {
			continue
		}
		if err := s.c.Store.Drop(ctx, ws, noun, ids); err != nil {
			return job.Outcome{}, err
		}
		at.Things += int64(len(ids))
		if err := save(80 + 20*at.Things/max(int64(len(l.Things)), at.Things)); err != nil {
			return job.Outcome{}, err
		}
	}
	kept := make([]Thing, len(l.Kept))
	for i, k := range l.Kept {
		kept[i] = k.Thing
	}
	figures := at.figures()
	if len(kept) > 0 {
		figures["kept"] = int64(len(kept))
	}
	return job.Outcome{Figures: figures}, s.c.Store.Unmark(ctx, ws, kept)
}
