package duck

import (
	"context"
	"maps"
	"sync"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// everyone remembers the people of each workspace that was asked for: every question about an audience asks for them first. A bitmap in it
// is never changed, only replaced.
type everyone struct {
	mu      sync.Mutex
	changes uint64 // that were made to the mirror
	of      map[string]*roaring64.Bitmap
}

// Everyone implements event.Store.
func (s *Store) Everyone(ctx context.Context, ws string) (*roaring64.Bitmap, error) {
	s.all.mu.Lock()
	known, before := s.all.of[ws], s.all.changes
	s.all.mu.Unlock()
	if known != nil {
		return known.Clone(), nil
	}
	found, err := s.ask(ctx, `SELECT num FROM person WHERE ws = ?`, []any{ws})
	if err != nil {
		return nil, err
	}
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	if s.all.changes == before { // else it may be of before the change
		if s.all.of == nil {
			s.all.of = map[string]*roaring64.Bitmap{}
		}
		s.all.of[ws] = found.Clone()
	}
	return found, nil
}

// changed follows a batch that was committed.
func (e *everyone) changed(b event.Batch) {
	if len(b.People) == 0 && len(b.Gone) == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.changes++
	next := map[string]*roaring64.Bitmap{}
	set := func(ws string, num uint64, there bool) {
		all := next[ws]
		if all == nil {
			all = e.of[ws]
		}
		if all == nil || all.Contains(num) == there {
			return
		}
		if next[ws] == nil {
			next[ws] = all.Clone()
		}
		if there {
			next[ws].Add(num)
		} else {
			next[ws].Remove(num)
		}
	}
	for _, p := range b.People {
		set(p.Workspace, p.Num, true)
	}
	for _, g := range b.Gone { // Append drops them last
		set(g.Workspace, g.Num, false)
	}
	for _, all := range next {
		all.RunOptimize()
	}
	maps.Copy(e.of, next)
}

// forget reads everybody anew when next asked.
func (e *everyone) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.changes++
	clear(e.of)
}
