package persona

import (
	"context"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Sets knows who belongs to segments and lists; segment.Service is one.
type Sets interface {
	// Members returns the members of a segment or list, or not found; they must not be changed.
	Members(ctx context.Context, ws, set string) (*roaring64.Bitmap, error)
	// Unsettled names the segments of these sets, and those that they are made of, whose members are not all known yet.
	Unsettled(ctx context.Context, ws string, sets []string) ([]string, error)
}

// Profiler says what people have in common; event.Store is one.
type Profiler interface {
	Profile(ctx context.Context, ws string, q event.ProfileQuery) (event.Profile, error)
}

// Config is what a Service needs.
type Config struct {
	Store  Store
	Tx     tx.Runner
	Clock  clock.Clock
	Sets   Sets
	Events Profiler
	Zone   func(ctx context.Context, ws string) (*time.Location, error)
}

// Service holds the rules of personas.
type Service struct{ c Config }

// New returns a Service.
func New(c Config) *Service { return &Service{c} }

func (s *Service) valid(ctx context.Context, ws string, d *Draft) error {
	if err := d.tidy(); err != nil || d.Segment == "" {
		return err
	}
	if _, err := s.c.Sets.Members(ctx, ws, d.Segment); errs.Is(err, errs.KindNotFound) {
		return errs.Invalid("persona.segment", "segment_id", "there is no segment or list %q; choose one of GET /api/v1/segments", d.Segment)
	} else if err != nil {
		return err
	}
	return nil
}

// Create adds a persona.
func (s *Service) Create(ctx context.Context, ws string, d Draft) (Persona, error) {
	if err := s.valid(ctx, ws, &d); err != nil {
		return Persona{}, err
	}
	now := s.c.Clock.Now()
	p := Persona{ID: id.At("prs", now), Workspace: ws, Draft: d, Rev: 1, CreatedAt: now, UpdatedAt: now}
	return p, s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		n, err := s.c.Store.Count(ctx, ws)
		if err != nil {
			return err
		}
		if n >= Max {
			return errs.Conflict("persona.limit", "there are %d personas already; delete one first", Max)
		}
		return s.c.Store.Create(ctx, p)
	})
}

// Update replaces what is said about a persona. rev is the Rev that the editor saw; 0 overwrites whatever is there. keepPicture leaves the picture as it is.
func (s *Service) Update(ctx context.Context, ws, id string, rev int64, d Draft, keepPicture bool) (p Persona, err error) {
	if err := s.valid(ctx, ws, &d); err != nil {
		return p, err
	}
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		if p, err = s.c.Store.Get(ctx, ws, id); err != nil {
			return err
		}
		if rev != 0 && rev != p.Rev {
			return errs.Conflict("persona.changed", "someone else has changed this persona; load it again and repeat the change")
		}
		next := d
		if keepPicture {
			next.Picture = p.Picture
		}
		p.Draft, p.UpdatedAt = next, s.c.Clock.Now()
		if err := s.c.Store.Update(ctx, p); err != nil {
			return err
		}
		p.Rev++
		return nil
	})
	return p, err
}

// Delete removes a persona; journey maps that named it name none.
func (s *Service) Delete(ctx context.Context, ws, id string) error {
	found, err := s.c.Store.Delete(ctx, ws, id)
	if err == nil && !found {
		return errs.NotFound("persona", id)
	}
	return err
}

// Get returns a persona.
func (s *Service) Get(ctx context.Context, ws, id string) (Persona, error) {
	return s.c.Store.Get(ctx, ws, id)
}

// List lists personas by name.
func (s *Service) List(ctx context.Context, ws, text string, p page.Request) (page.Of[Persona], error) {
	return s.c.Store.List(ctx, ws, text, p)
}

// Size is how many people a persona stands for.
type Size struct {
	People    uint64
	Unsettled bool // its segment is still being evaluated: the number is not final
}

// Size returns how many people a persona stands for now; ok is false if it has no segment, or that is gone.
func (s *Service) Size(ctx context.Context, p Persona) (size Size, ok bool, err error) {
	if p.Segment == "" {
		return Size{}, false, nil
	}
	people, err := s.c.Sets.Members(ctx, p.Workspace, p.Segment)
	if errs.Is(err, errs.KindNotFound) {
		return Size{}, false, nil
	}
	if err != nil {
		return Size{}, false, err
	}
	unsettled, err := s.c.Sets.Unsettled(ctx, p.Workspace, []string{p.Segment})
	return Size{people.GetCardinality(), len(unsettled) > 0}, err == nil, err
}

// Reality is what the people of a persona's segment are like, and everyone beside them.
type Reality struct {
	Since    time.Time
	Theirs   event.Profile
	Everyone event.Profile

	Unsettled bool // the segment is still being evaluated: others may belong to it
}

const (
	realDays   = 90  // whose doings are looked at
	realLimit  = 12  // traits and doings
	everything = 500 // of everyone, so that what is rare there is found, too
)

// personal are traits that name a person, a moment or a technique; they say nothing about a group. Ages are told apart.
var personal = []string{"name", "first_name", "last_name", "firstName", "lastName", "email", "phone", "username", "avatar", "age", "birthday", "address.street", "timezone", "sample_data", "standing.since"}

// Real looks at the people of a persona's segment. A conflict "persona.no_segment" is returned if it has none or that is gone.
func (s *Service) Real(ctx context.Context, ws, id string) (Reality, error) {
	p, err := s.c.Store.Get(ctx, ws, id)
	if err != nil {
		return Reality{}, err
	}
	if p.Segment == "" {
		return Reality{}, errs.Conflict("persona.no_segment", "this persona stands for no segment yet; choose one")
	}
	people, err := s.c.Sets.Members(ctx, ws, p.Segment)
	if errs.Is(err, errs.KindNotFound) {
		return Reality{}, errs.Conflict("persona.no_segment", "the segment of this persona is gone; choose another one")
	}
	if err != nil {
		return Reality{}, err
	}
	unsettled, err := s.c.Sets.Unsettled(ctx, ws, []string{p.Segment})
	if err != nil {
		return Reality{}, err
	}
	zone, err := s.c.Zone(ctx, ws)
	if err != nil {
		return Reality{}, err
	}
	now := s.c.Clock.Now()
	r := Reality{Since: now.AddDate(0, 0, -realDays), Unsettled: len(unsettled) > 0}
	q := event.ProfileQuery{People: people, Today: now.In(zone), Since: r.Since, Limit: realLimit, Skip: personal}
	if r.Theirs, err = s.c.Events.Profile(ctx, ws, q); err != nil {
		return r, err
	}
	q.People, q.Limit, q.Values = nil, everything, everything
	r.Everyone, err = s.c.Events.Profile(ctx, ws, q)
	return r, err
}
