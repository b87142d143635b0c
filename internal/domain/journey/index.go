package journey

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// index knows which events concern which journeys. It is built anew when the store's stamp moves, which also happens
// when another process changes a journey, and never changes.
type index struct {
	stamp      int64
	workspaces map[string]*concerns
}

// concerns is the part of one workspace.
type concerns struct {
	triggers map[string][]live          // event name -> live journeys that it may start
	watched  map[string]map[string]bool // event name -> journeys with people inside whom it may concern
	asking   Asking                     // where people rest who are stepped again when anything about them changes
	dated    []live                     // live and paused journeys that keep appointments by a trait
	idle     []live                     // the same by inactivity
	open     map[string]live            // live journeys by id
}

// live returns a live journey and the plan by which people enter it.
func (i *index) live(p Place) (live, bool) {
	c := i.workspaces[p.Workspace]
	if c == nil {
		return live{}, false
	}
	l, ok := c.open[p.Journey]
	return l, ok
}

type live struct {
	journey Journey
	plan    *Plan
}

type planKey struct {
	workspace, journey string
	version            int
}

// plan returns the plan of a published version. Plans are kept: versions never change.
func (s *Service) plan(ctx context.Context, k planKey) (*Plan, error) {
	s.mu.Lock()
	p := s.plans[k]
	s.mu.Unlock()
	if p != nil {
		return p, nil
	}
	v, err := s.c.Store.Version(ctx, k.workspace, k.journey, k.version)
	if err != nil {
		return nil, err
	}
	p, err = Compile(v.Graph)
	if err != nil {
		return nil, errs.Invalid("journey.version.unreadable", "", "version %d cannot be walked by this release", k.version).With(err)
	}
	s.mu.Lock()
	s.plans[k] = p
	s.mu.Unlock()
	return p, nil
}

// current returns an index that is not older than the last committed change.
func (s *Service) current(ctx context.Context) (*index, error) {
	stamp, err := s.c.Store.Stamp(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	idx := s.index
	s.mu.Unlock()
	if idx != nil && idx.stamp == stamp {
		return idx, nil
	}
	if idx, err = s.build(ctx, stamp); err != nil {
		return nil, fmt.Errorf("read the running journeys: %w", err)
	}
	s.mu.Lock()
	s.index = idx
	s.mu.Unlock()
	return idx, nil
}

func (s *Service) build(ctx context.Context, stamp int64) (*index, error) {
	idx := &index{stamp: stamp, workspaces: map[string]*concerns{}}
	running, err := s.c.Store.Running(ctx)
	if err != nil {
		return nil, err
	}
	for _, j := range running {
		c := idx.workspaces[j.Workspace]
		if c == nil {
			c = &concerns{triggers: map[string][]live{}, watched: map[string]map[string]bool{}, open: map[string]live{}}
			idx.workspaces[j.Workspace] = c
		}
		versions, err := s.c.Store.Inhabited(ctx, j.Workspace, j.ID)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(versions, j.Published) {
			versions = append(versions, j.Published)
		}
		for _, v := range versions {
			p, err := s.plan(ctx, planKey{j.Workspace, j.ID, v})
			if errs.Is(err, errs.KindInvalid) {
				s.c.Log.Error("a journey cannot be walked", "workspace", j.Workspace, "journey", j.ID, "version", v, "error", err)
				continue
			}
			if err != nil {
				return nil, err
			}
			if v == j.Published && (j.Status == Live || j.Status == Paused) {
				switch p.trigger.kind {
				case ByDate:
					c.dated = append(c.dated, live{j, p})
				case ByInactive:
					c.idle = append(c.idle, live{j, p})
				}
			}
			if v == j.Published && j.Status == Live {
				c.open[j.ID] = live{j, p}
				for _, name := range p.trigger.match.Names() {
					c.triggers[name] = append(c.triggers[name], live{j, p})
				}
			}
			if len(p.asking) > 0 {
				c.asking.add(j.ID, p.asking)
			}
			for _, name := range p.watched {
				if c.watched[name] == nil {
					c.watched[name] = map[string]bool{}
				}
				c.watched[name][j.ID] = true
			}
		}
	}
	return idx, nil
}

// concerned returns the journeys that events with these names may concern.
func (c *concerns) concerned(names []string) []string {
	out := map[string]bool{}
	for _, n := range names {
		for _, l := range c.triggers[n] {
			out[l.journey.ID] = true
		}
		maps.Copy(out, c.watched[n])
	}
	return slices.Sorted(maps.Keys(out))
}
