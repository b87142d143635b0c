package segment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// People finds the people that an upload names; person.Service is one.
type People interface {
	// ByIdentifier returns the person who has the identifier, after merges, or not found.
	ByIdentifier(ctx context.Context, ws string, id event.Identifier) (person.Person, error)
	// ByIDs returns the people with these ids, after merges, by the id asked for; unknown ones are left out.
	ByIDs(ctx context.Context, ws string, ids []string) (map[string]person.Person, error)
}

// Config is what a Service needs.
type Config struct {
	Store   Store
	Tx      tx.Runner
	Events  event.Store
	Emitter event.Emitter
	People  People
	Clock   clock.Clock
	Logger  *slog.Logger
	// Askable refuses rules about fields that may not be asked about; nil: all may.
	Askable func(ctx context.Context, ws string, fields ...string) error
}

// Service keeps the sets of all workspaces. None of its methods that change something may be called inside a
// transaction, PeopleMerged excepted.
type Service struct {
	c          Config
	workspaces sync.Map // id -> *workspace

	toDue, toSweep lifecycle.Pulse // wake the loops
	due, sweeps    lifecycle.Loop
}

// New returns a service. Without Start it works, but deadlines and full evaluations wait for RunDue and RunEvaluations.
func New(c Config) *Service {
	s := &Service{c: c, toDue: lifecycle.NewPulse(pause), toSweep: lifecycle.NewPulse(sweepLook)}
	s.due.Run = s.followDeadlines
	s.sweeps.Run = s.followEvaluations
	return s
}

// Start begins to follow deadlines and continues full evaluations that a former process left.
func (s *Service) Start(ctx context.Context) error {
	if err := s.due.Start(ctx); err != nil {
		return err
	}
	return s.sweeps.Start(ctx)
}

// Follower returns a service for processes that do not Start this one: it shows their readers what the process has changed that did.
func (s *Service) Follower() lifecycle.Service {
	return &lifecycle.Loop{Run: func(ctx context.Context) {
		lifecycle.NewPulse(look).Follow(ctx, func(ctx context.Context) (bool, error) { return false, s.refresh(ctx) }, func(err error) {
			s.c.Logger.Error("segments of other processes cannot be read, trying again", "err", err)
		})
	}}
}

// Stop ends both. A full evaluation is broken off and starts over with the next Start.
func (s *Service) Stop(ctx context.Context) error {
	return errors.Join(s.sweeps.Stop(ctx), s.due.Stop(ctx))
}

// Create makes a segment. It is empty at first and filled in the background, with cause ByEdit.
// Errors: invalid rule or name (fields name, description and those of rule.Parse), name taken.
func (s *Service) Create(ctx context.Context, ws string, d Draft) (Segment, error) {
	name, description, err := checkTexts("segment", d.Name, d.Description)
	if err != nil {
		return Segment{}, err
	}
	now := s.c.Clock.Now()
	c, err := compile(Segment{
		ID: id.New("seg"), Name: name, Description: description, Rule: d.Rule, RuleVersion: 1, Rev: 1,
		Status: Active, State: Evaluating, CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return Segment{}, err
	}
	c.Rule = c.rule.JSON()
	err = s.change(ctx, ws, func(w *workspace, v *view) (*view, error) {
		if err := s.check(ctx, ws, v, c); err != nil {
			return nil, err
		}
		err := s.commit(ctx, w, v, func(ctx context.Context) error { return s.c.Store.CreateSegment(ctx, ws, c.Segment) })
		if err != nil {
			return nil, err
		}
		return v.withSegment(c), nil
	})
	if err != nil {
		return Segment{}, err
	}
	s.toSweep.Wake()
	return c.Segment, nil
}

// Update changes name, description and rule. Another rule is evaluated for everyone in the background, with cause ByEdit; if the
// segment is archived, once it is taken out again.
func (s *Service) Update(ctx context.Context, ws, id string, p Patch) (Segment, error) {
	return s.edit(ctx, ws, id, func(_ *view, g *Segment) (bool, error) {
		if p.Rev != 0 && p.Rev != g.Rev {
			return false, errs.Conflict("segment.changed", "somebody else has changed this segment meanwhile; load it again and repeat the change")
		}
		if p.Name != nil {
			g.Name = *p.Name
		}
		if p.Description != nil {
			g.Description = *p.Description
		}
		var err error
		if g.Name, g.Description, err = checkTexts("segment", g.Name, g.Description); err != nil {
			return false, err
		}
		if p.Rule == nil {
			return false, nil
		}
		r, err := rule.Parse(p.Rule)
		if err != nil {
			return false, err
		}
		if bytes.Equal(r.JSON(), g.Rule) {
			return false, nil
		}
		g.Rule, g.RuleVersion = r.JSON(), g.RuleVersion+1
		return g.Status == Active, nil
	})
}

// Archive takes a segment out of use. Its members stay as they are and leave no event, unless leave is set: then all of
// them leave in the background, with cause ByManual. A conflict names what still needs it, as that of DeleteList does.
func (s *Service) Archive(ctx context.Context, ws, id string, leave bool) (Segment, error) {
	return s.edit(ctx, ws, id, func(v *view, g *Segment) (bool, error) {
		users, err := s.needing(ctx, ws, v, id)
		if err != nil {
			return false, err
		}
		if len(users) > 0 {
			return false, errs.Conflict("segment.in_use", "this segment is still used by %s. Take it out there, or end or archive them first", strings.Join(users, ", "))
		}
		if g.Status == Active {
			g.Status, g.State, g.Failure = Archived, Ready, ""
		}
		return leave && g.Size > 0, nil
	})
}

// Unarchive takes a segment back into use. It is evaluated for everyone in the background; who has come or gone
// since it was archived enters or leaves with cause ByEdit.
func (s *Service) Unarchive(ctx context.Context, ws, id string) (Segment, error) {
	return s.edit(ctx, ws, id, func(_ *view, g *Segment) (bool, error) {
		if g.Status == Active {
			return false, nil
		}
		g.Status = Active
		return true, nil
	})
}

// Reevaluate checks everyone again, for example after a full evaluation has failed.
func (s *Service) Reevaluate(ctx context.Context, ws, id string) (Segment, error) {
	return s.edit(ctx, ws, id, func(_ *view, g *Segment) (bool, error) {
		if g.Status != Active {
			return false, errs.Conflict("segment.archived", "the segment is archived; take it out of the archive first")
		}
		return true, nil
	})
}

// edit changes a definition; fn reports whether everyone has to be evaluated.
func (s *Service) edit(ctx context.Context, ws, id string, fn func(v *view, g *Segment) (sweep bool, err error)) (Segment, error) {
	var out Segment
	err := s.change(ctx, ws, func(w *workspace, v *view) (*view, error) {
		before, err := s.c.Store.Segment(ctx, ws, id)
		if err != nil {
			return nil, err
		}
		g := before
		sweep, err := fn(v, &g)
		if err != nil {
			return nil, err
		}
		if sweep {
			g.State, g.Failure, g.Progress = Evaluating, "", Progress{}
		}
		out = before
		if equal(g, before) {
			return nil, nil
		}
		g.UpdatedAt = s.c.Clock.Now()
		if g.Name != before.Name || g.Description != before.Description || g.RuleVersion != before.RuleVersion || g.Status != before.Status {
			g.Rev++
		}
		c, err := compile(g)
		if err != nil {
			return nil, err
		}
		if g.Status == Active && (before.Status != Active || g.RuleVersion != before.RuleVersion) {
			if err := s.check(ctx, ws, v, c); err != nil {
				return nil, err
			}
		}
		err = s.commit(ctx, w, v, func(ctx context.Context) error {
			if sweep || g.Status != Active {
				// They belong to the former rule; the evaluation sets those of the new one.
				if err := s.c.Store.DropDeadlines(ctx, ws, id); err != nil {
					return err
				}
			}
			return s.c.Store.UpdateSegment(ctx, ws, g)
		})
		if err != nil {
			return nil, err
		}
		if sweep {
			delete(w.targets, id)
		}
		out = g
		return v.withSegment(c), nil
	})
	if err != nil {
		return Segment{}, err
	}
	if out.State == Evaluating {
		s.toSweep.Wake()
	}
	return out, nil
}

func equal(a, b Segment) bool {
	return a.Name == b.Name && a.Description == b.Description && a.RuleVersion == b.RuleVersion &&
		a.Status == b.Status && a.State == b.State && a.Failure == b.Failure && a.Progress == b.Progress
}

// check refuses rules that cannot be asked.
func (s *Service) check(ctx context.Context, ws string, v *view, c *compiled) error {
	if err := v.checkSets(c); err != nil || s.c.Askable == nil {
		return err
	}
	return s.c.Askable(ctx, ws, c.rule.Fields()...)
}

// Asking returns the names of the active segments whose rule looks at fields of which told says so, sorted.
func (s *Service) Asking(ctx context.Context, ws string, told func(fields []string) bool) ([]string, error) {
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range v.segments {
		if c.Status == Active && told(c.rule.Fields()) {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// checkSets refuses rules that name what is not there, or the segment itself by some way round.
func (v *view) checkSets(c *compiled) error {
	for _, id := range c.sets {
		named := v.sets[id]
		switch {
		case id == c.ID:
			return errs.Invalid("segment.rule.cycle", "rule", "the rule of %q names the segment itself; take this condition out", c.Name)
		case named == nil:
			return errs.Invalid("segment.rule.unknown_set", "rule", "the rule names %q, which is no segment or list here", id)
		case named.List:
			continue
		case v.segments[id] == nil || v.segments[id].Status != Active:
			return errs.Invalid("segment.rule.archived_set", "rule", "the rule names the segment %q, which is archived; take it out of the archive or out of the rule", named.Name)
		}
		if way := v.path(id, c.ID); way != nil {
			return errs.Invalid("segment.rule.cycle", "rule", "the segment would depend on itself: %s → %s", c.Name, strings.Join(way, " → "))
		}
	}
	return nil
}

// Get returns a segment, or not found.
func (s *Service) Get(ctx context.Context, ws, id string) (Segment, error) {
	return s.c.Store.Segment(ctx, ws, id)
}

// Segments lists segments, newest first.
func (s *Service) Segments(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Segment], error) {
	return s.c.Store.Segments(ctx, ws, f, p)
}

// Members returns the members of a segment or list at this moment, or not found. The bitmap belongs to everyone:
// it never changes and must not be changed.
func (s *Service) Members(ctx context.Context, ws, set string) (*roaring64.Bitmap, error) {
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return nil, err
	}
	return v.members(set)
}

// Unsettled returns the names of the segments whose members do not agree with their rules yet, since everyone is being checked or the last
// full evaluation broke off: those of the sets, and those that their rules name. Lists are always settled.
func (s *Service) Unsettled(ctx context.Context, ws string, sets []string) ([]string, error) {
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return nil, err
	}
	var names []string
	seen := map[string]bool{}
	var visit func(sets []string)
	visit = func(sets []string) {
		for _, id := range sets {
			c := v.segments[id]
			if c == nil || seen[id] {
				continue
			}
			seen[id] = true
			if c.Status == Active && c.State != Ready {
				names = append(names, c.Name)
			}
			visit(c.sets)
		}
	}
	visit(sets)
	slices.Sort(names)
	return names, nil
}

// RestsOn returns what it depends on who is in a set: the fields that its rule looks at, the segments and lists that it names, the set itself among them, and the
// events that it asks about, all of it down to the last segment.
func (s *Service) RestsOn(ctx context.Context, ws, set string) (fields, sets, events []string, err error) {
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return nil, nil, nil, err
	}
	seen := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		if seen[id] {
			return
		}
		seen[id] = true
		if c := v.segments[id]; c != nil {
			fields, events = append(fields, c.rule.Fields()...), append(events, c.names...)
			for _, other := range c.sets {
				visit(other)
			}
		}
	}
	visit(set)
	return fields, slices.Sorted(maps.Keys(seen)), events, nil
}

func (v *view) members(set string) (*roaring64.Bitmap, error) {
	m := v.sets[set]
	if m == nil {
		return nil, errs.NotFound("segment", set)
	}
	return m.bits, nil
}

// Membership returns the question "is this person in the set" as it stands now, for rule.Subject.
func (s *Service) Membership(ctx context.Context, ws string, person uint64) (func(set string) bool, error) {
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return nil, err
	}
	return func(set string) bool { return v.contains(set, person) }, nil
}

// SetsOf returns the active segments and the lists that the person is in, by name.
func (s *Service) SetsOf(ctx context.Context, ws string, person uint64) ([]Set, error) {
	v, err := s.current(ctx, s.place(ws))
	if err != nil {
		return nil, err
	}
	return v.setsOf(person), nil
}

// source lets rules ask about everyone, with the members of one view.
type source struct {
	event.Store
	v *view
}

// Members returns the members of the set in the view.
func (q source) Members(_ context.Context, _, set string) (*roaring64.Bitmap, error) {
	return q.v.members(set)
}

// describe is what a stored event of this package says.
func describe(raw string) (properties, error) {
	var p properties
	err := json.Unmarshal([]byte(raw), &p)
	return p, err
}
