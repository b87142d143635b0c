package segment

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// workspace is one workspace's place in memory.
type workspace struct {
	id      string
	write   sync.Mutex // held by whoever changes the sets; never taken inside a transaction
	view    atomic.Pointer[view]
	targets map[string]*roaring64.Bitmap // running full evaluations: what the event store answered; under write
}

// view is everything about a workspace's sets at one revision. It never changes.
type view struct {
	revision uint64
	sets     map[string]*set
	segments map[string]*compiled
	order    []*compiled // the active segments, each after those that it names
}

// set is the members of a segment or list.
type set struct {
	Set
	version uint64
	bits    *roaring64.Bitmap
}

// compiled is a segment with its rule ready to be asked.
type compiled struct {
	Segment  // its Size and Version are those at loading; set has the present ones
	rule     *rule.Rule
	sets     []string // segments and lists that the rule names
	names    []string // events that the rule asks about
	all      bool     // the rule asks about events of any name
	windowed bool
}

func compile(s Segment) (*compiled, error) {
	r, err := rule.Parse(s.Rule)
	if err != nil {
		return nil, err
	}
	c := &compiled{Segment: s, rule: r, sets: r.Sets(), windowed: r.Windowed()}
	c.names, c.all = r.EventNames()
	return c, nil
}

// withSegment returns a copy of c for another state of the same rule.
func (c *compiled) withSegment(s Segment) *compiled {
	d := *c
	d.Segment = s
	return &d
}

func (v *view) contains(set string, person uint64) bool {
	s := v.sets[set]
	return s != nil && s.bits.Contains(person)
}

// arrange fills order.
func (v *view) arrange() {
	v.order = nil
	seen := map[string]bool{}
	var visit func(c *compiled)
	visit = func(c *compiled) {
		if c == nil || c.Status != Active || seen[c.ID] {
			return
		}
		seen[c.ID] = true
		for _, id := range c.sets {
			visit(v.segments[id])
		}
		v.order = append(v.order, c)
	}
	for _, id := range slices.Sorted(maps.Keys(v.segments)) {
		visit(v.segments[id])
	}
}

// affected returns the active segments among the roots and those that one of the roots can change, in the order of evaluation.
func (v *view) affected(roots ...string) []*compiled {
	reached := map[string]bool{}
	for _, id := range roots {
		reached[id] = true
	}
	var out []*compiled
	for _, c := range v.order {
		if reached[c.ID] || slices.ContainsFunc(c.sets, func(id string) bool { return reached[id] }) {
			reached[c.ID] = true
			out = append(out, c)
		}
	}
	return out
}

// users returns the names of the active segments that name the set directly.
func (v *view) users(set string) []string {
	var names []string
	for _, c := range v.order {
		if slices.Contains(c.sets, set) {
			names = append(names, c.Name)
		}
	}
	return names
}

// path returns the names of the segments along which from leads to target, nil if it does not.
func (v *view) path(from, target string) []string {
	c := v.segments[from]
	if c == nil {
		return nil
	}
	if from == target {
		return []string{c.Name}
	}
	for _, id := range c.sets {
		if rest := v.path(id, target); rest != nil {
			return append([]string{c.Name}, rest...)
		}
	}
	return nil
}

// withSegment returns the view after the definition of a segment was added or changed.
func (v *view) withSegment(c *compiled) *view {
	n := &view{revision: v.revision + 1, sets: maps.Clone(v.sets), segments: maps.Clone(v.segments)}
	n.segments[c.ID] = c
	s := &set{Set: Set{ID: c.ID, Name: c.Name}, bits: roaring64.New()}
	if old := v.sets[c.ID]; old != nil {
		s.version, s.bits = old.version, old.bits
	}
	n.sets[c.ID] = s
	n.arrange()
	return n
}

// withList returns the view after a list was added or renamed, or without it if gone.
func (v *view) withList(l List, gone bool) *view {
	n := &view{revision: v.revision + 1, sets: maps.Clone(v.sets), segments: v.segments, order: v.order}
	if gone {
		delete(n.sets, l.ID)
		return n
	}
	s := &set{Set: Set{ID: l.ID, Name: l.Name, List: true}, bits: roaring64.New()}
	if old := v.sets[l.ID]; old != nil {
		s.version, s.bits = old.version, old.bits
	}
	n.sets[l.ID] = s
	return n
}

// place returns the workspace's place in memory.
func (s *Service) place(ws string) *workspace {
	w, _ := s.workspaces.LoadOrStore(ws, &workspace{id: ws, targets: map[string]*roaring64.Bitmap{}})
	return w.(*workspace)
}

// current returns the view in memory, loading it at first. It never waits for a writer.
func (s *Service) current(ctx context.Context, w *workspace) (*view, error) {
	if v := w.view.Load(); v != nil {
		return v, nil
	}
	v, err := s.load(ctx, w.id)
	if err != nil {
		return nil, err
	}
	if !w.view.CompareAndSwap(nil, v) { // a writer was faster
		v = w.view.Load()
	}
	return v, nil
}

// load reads a workspace until nobody changes it between the first and the last read.
func (s *Service) load(ctx context.Context, ws string) (*view, error) {
	for range maxRestarts {
		v, err := s.read(ctx, ws)
		if err != nil {
			return nil, err
		}
		now, err := s.c.Store.Revision(ctx, ws)
		if err != nil {
			return nil, err
		}
		if now == v.revision {
			return v, nil
		}
	}
	return nil, errs.Unavailable("segment.busy", "the segments are changing all the time; try again").With(ErrStale)
}

func (s *Service) read(ctx context.Context, ws string) (*view, error) {
	revision, err := s.c.Store.Revision(ctx, ws)
	if err != nil {
		return nil, err
	}
	segments, err := s.c.Store.AllSegments(ctx, ws)
	if err != nil {
		return nil, err
	}
	lists, err := s.c.Store.AllLists(ctx, ws)
	if err != nil {
		return nil, err
	}
	members, err := s.c.Store.AllMembers(ctx, ws)
	if err != nil {
		return nil, err
	}
	v := &view{revision: revision, sets: map[string]*set{}, segments: map[string]*compiled{}}
	add := func(id Set, version uint64) {
		bits := members[id.ID]
		if bits == nil {
			bits = roaring64.New()
		}
		v.sets[id.ID] = &set{Set: id, version: version, bits: bits}
	}
	for _, g := range segments {
		add(Set{ID: g.ID, Name: g.Name}, g.Version)
		c, err := compile(g)
		if err != nil {
			// Written by a newer version of the product. Its members stay as they are.
			s.c.Logger.Error("segment has a rule that this version cannot read", "workspace", ws, "segment", g.ID, "err", err)
			continue
		}
		v.segments[g.ID] = c
	}
	for _, l := range lists {
		add(Set{ID: l.ID, Name: l.Name, List: true}, l.Version)
	}
	v.arrange()
	return v, nil
}

const maxRestarts = 10

// change runs fn, which gets the latest view and returns the one that its transaction has made true (nil if it
// changed nothing). If another process is faster, fn runs again with a fresh view.
func (s *Service) change(ctx context.Context, ws string, fn func(w *workspace, v *view) (*view, error)) error {
	w := s.place(ws)
	w.write.Lock()
	defer w.write.Unlock()
	for range maxRestarts {
		v, err := s.latest(ctx, w)
		if err != nil {
			return err
		}
		next, err := fn(w, v)
		if errors.Is(err, ErrStale) {
			continue
		}
		if err == nil && next != nil {
			w.view.Store(next)
		}
		return err
	}
	return errs.Unavailable("segment.busy", "the segments are changing all the time; try again").With(ErrStale)
}

// latest returns the view of the revision in the store; the caller holds the lock.
func (s *Service) latest(ctx context.Context, w *workspace) (*view, error) {
	if v := w.view.Load(); v != nil {
		now, err := s.c.Store.Revision(ctx, w.id)
		if err != nil || now == v.revision {
			return v, err
		}
	}
	v, err := s.load(ctx, w.id)
	if err != nil {
		return nil, err
	}
	w.view.Store(v)
	return v, nil
}

// commit runs fn in a transaction that advances the revision of v.
func (s *Service) commit(ctx context.Context, w *workspace, v *view, fn func(ctx context.Context) error) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.c.Store.Advance(ctx, w.id, v.revision); err != nil {
			return err
		}
		return fn(ctx)
	})
}

// refresh shows readers what other processes have changed; writers find out by themselves.
func (s *Service) refresh(ctx context.Context) error {
	revisions, err := s.c.Store.Revisions(ctx)
	if err != nil {
		return err
	}
	var all []error
	s.workspaces.Range(func(_, place any) bool {
		w := place.(*workspace)
		v := w.view.Load()
		if v == nil || v.revision == revisions[w.id] || !w.write.TryLock() {
			return true
		}
		defer w.write.Unlock()
		_, err := s.latest(ctx, w)
		all = append(all, err)
		return true
	})
	return errors.Join(all...)
}
