package journeymap

import (
	"context"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/persona"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Personas knows the archetypes; persona.Service is one.
type Personas interface {
	// Get returns a persona, or not found.
	Get(ctx context.Context, ws, id string) (persona.Persona, error)
}

// Sets knows who belongs to segments and lists; segment.Service is one.
type Sets interface {
	// Members returns the members of a segment or list, or not found; they must not be changed.
	Members(ctx context.Context, ws, set string) (*roaring64.Bitmap, error)
}

// Flows counts how people went; event.Store is one.
type Flows interface {
	Flow(ctx context.Context, ws string, q event.FlowQuery) (event.Flow, error)
	FlowPeople(ctx context.Context, ws string, q event.FlowQuery, pick event.FlowPick) (*roaring64.Bitmap, error)
}

// Config is what a Service needs.
type Config struct {
	Store    Store
	Tx       tx.Runner
	Clock    clock.Clock
	Personas Personas
	Sets     Sets
	Events   Flows
}

// Service holds the rules of journey maps.
type Service struct{ c Config }

// New returns a Service.
func New(c Config) *Service { return &Service{c} }

func (s *Service) valid(ctx context.Context, ws string, d *Draft) error {
	if err := d.tidy(); err != nil {
		return err
	}
	if d.Persona != "" {
		if _, err := s.c.Personas.Get(ctx, ws, d.Persona); errs.Is(err, errs.KindNotFound) {
			return errs.Invalid("map.persona", "persona_id", "there is no persona %q; choose one of GET /api/v1/personas", d.Persona)
		} else if err != nil {
			return err
		}
	}
	if d.Segment != "" {
		if _, err := s.c.Sets.Members(ctx, ws, d.Segment); errs.Is(err, errs.KindNotFound) {
			return errs.Invalid("map.segment", "segment_id", "there is no segment or list %q; choose one of GET /api/v1/segments", d.Segment)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Create adds a map.
func (s *Service) Create(ctx context.Context, ws string, d Draft) (Map, error) {
	if err := s.valid(ctx, ws, &d); err != nil {
		return Map{}, err
	}
	now := s.c.Clock.Now()
	m := Map{ID: id.At("map", now), Workspace: ws, Draft: d, Rev: 1, CreatedAt: now, UpdatedAt: now}
	return m, s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		n, err := s.c.Store.Count(ctx, ws)
		if err != nil {
			return err
		}
		if n >= Max {
			return errs.Conflict("map.limit", "there are %d journey maps already; delete one first", Max)
		}
		return s.c.Store.Create(ctx, m)
	})
}

// Update replaces a map. rev is the Rev that the editor saw; 0 overwrites whatever is there.
func (s *Service) Update(ctx context.Context, ws, id string, rev int64, d Draft) (m Map, err error) {
	if err := s.valid(ctx, ws, &d); err != nil {
		return m, err
	}
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		if m, err = s.c.Store.Get(ctx, ws, id); err != nil {
			return err
		}
		if rev != 0 && rev != m.Rev {
			return errs.Conflict("map.changed", "someone else has changed this map; load it again and repeat the change")
		}
		m.Draft, m.UpdatedAt = d, s.c.Clock.Now()
		if err := s.c.Store.Update(ctx, m); err != nil {
			return err
		}
		m.Rev++
		return nil
	})
	return m, err
}

// Delete removes a map.
func (s *Service) Delete(ctx context.Context, ws, id string) error {
	found, err := s.c.Store.Delete(ctx, ws, id)
	if err == nil && !found {
		return errs.NotFound("map", id)
	}
	return err
}

// Get returns a map.
func (s *Service) Get(ctx context.Context, ws, id string) (Map, error) {
	return s.c.Store.Get(ctx, ws, id)
}

// Filter narrows a list of maps; empty members narrow nothing.
type Filter struct {
	Text    string // part of the name
	Persona string // that they show
}

// List lists maps that fit a filter, latest made first.
func (s *Service) List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Map], error) {
	return s.c.Store.List(ctx, ws, f, p)
}

// Everyone as a segment asks for all people, whatever the map and its persona name.
const Everyone = "everyone"

// Period is when people went, and whose ways are asked for.
type Period struct {
	From, To time.Time // To left out
	Segment  string    // segment or list; empty: that of the map, else of its persona, else everyone
}

const (
	flowSteps = 7  // stations of a way that a chart can tell apart
	flowPaths = 12 // different ways; the rest is summed
)

// Real is how people really went.
type Real struct {
	event.Flow
	Segment string // whose ways these are; empty: everyone's
	Steps   int
}

// Flow lays the ways of people beside the map.
func (s *Service) Flow(ctx context.Context, ws, id string, p Period) (Map, Real, error) {
	m, q, segment, err := s.question(ctx, ws, id, p)
	if err != nil {
		return m, Real{}, err
	}
	f, err := s.c.Events.Flow(ctx, ws, q)
	return m, Real{Flow: f, Segment: segment, Steps: q.Steps}, err
}

// FlowPeople returns who is behind a figure of Flow, by number ascending. Errors: invalid in field "stage" or "next".
func (s *Service) FlowPeople(ctx context.Context, ws, id string, p Period, pick event.FlowPick, r page.Request) (page.Of[uint64], error) {
	m, q, _, err := s.question(ctx, ws, id, p)
	if err != nil {
		return page.Of[uint64]{}, err
	}
	for field, n := range map[string]int{"stage": pick.Stage, "next": pick.To} {
		if n < event.End || n >= max(len(m.Stages), 1) {
			return page.Of[uint64]{}, errs.Invalid("map.stage", field, "the map has %d stages; the first is 0", len(m.Stages))
		}
	}
	people, err := s.c.Events.FlowPeople(ctx, ws, q, pick)
	if err != nil {
		return page.Of[uint64]{}, fmt.Errorf("journey map: %w", err)
	}
	var after uint64
	more, err := page.Decode(r.Cursor, &after)
	if err != nil {
		return page.Of[uint64]{}, err
	}
	it := people.Iterator()
	if more {
		it.AdvanceIfNeeded(after + 1)
	}
	var nums []uint64
	for it.HasNext() && len(nums) <= r.Size() {
		nums = append(nums, it.Next())
	}
	return page.Cut(nums, r.Size(), func(n uint64) string { return page.Encode(n) }), nil
}

// question makes the question of a map, a period and a segment. A segment that the map or its persona named and that is gone is as if none were named.
func (s *Service) question(ctx context.Context, ws, id string, p Period) (m Map, q event.FlowQuery, segment string, err error) {
	if m, err = s.c.Store.Get(ctx, ws, id); err != nil {
		return m, q, "", err
	}
	q = m.flow()
	q.From, q.To, q.Steps, q.Paths = p.From, p.To, flowSteps, flowPaths
	if p.Segment == Everyone {
		return m, q, "", nil
	}
	segment = p.Segment
	if segment == "" {
		segment = m.Segment
	}
	if segment == "" && m.Persona != "" {
		who, err := s.c.Personas.Get(ctx, ws, m.Persona)
		if err != nil && !errs.Is(err, errs.KindNotFound) {
			return m, q, "", err
		}
		segment = who.Segment
	}
	if segment == "" {
		return m, q, "", nil
	}
	q.People, err = s.c.Sets.Members(ctx, ws, segment)
	if errs.Is(err, errs.KindNotFound) && p.Segment == "" {
		return m, q, "", nil
	}
	return m, q, segment, err
}
