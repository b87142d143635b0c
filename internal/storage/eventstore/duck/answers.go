package duck

import (
	"context"
	"fmt"
	"sync"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// answers remembers what questions about an audience came to until something changes in their workspace: who edits a rule asks its other conditions again
// with each edit. Who asks what somebody is asking already waits for that answer. A bitmap in it is never changed.
type answers struct {
	mu      sync.Mutex
	changes map[string]uint64 // that were made to a workspace
	drops   uint64            // changes that concern all of them
	known   map[string]*answer
	size    uint64 // of all known bitmaps, in bytes
	turn    uint64
}

// What is kept at most.
const (
	answersKept = 64
	answersSize = 16 << 20 // bytes; a quarter of it for one
)

type answer struct {
	ws      string
	changes uint64        // of the workspace when it was asked
	done    chan struct{} // closed once people or err is there
	people  *roaring64.Bitmap
	err     error
	size    uint64
	used    uint64 // the turn when it was last of use
}

// Select implements event.Store.
func (s *Store) Select(ctx context.Context, ws string, query string, args []any) (*roaring64.Bitmap, error) {
	question := questionOf(ws, query, args)
	for {
		if err := ctx.Err(); err != nil { // nobody waits for what is known, either
			return nil, err
		}
		a, mine := s.answers.to(ws, question)
		if mine {
			people, err := s.ask(ctx, query, args)
			s.answers.told(question, a, people, err)
			return people, err
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if a.err == nil {
			return a.people.Clone(), nil
		}
		// Who asked may have gone away; whatever else it was, it is met again.
	}
}

func questionOf(ws, query string, args []any) string {
	return fmt.Sprintf("%q %q %#v", ws, query, args)
}

// to returns the answer to a question, and whether it is the caller's to find.
func (k *answers) to(ws, question string) (a *answer, mine bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.turn++
	if a := k.known[question]; a != nil && a.changes == k.of(ws) {
		a.used = k.turn
		return a, false
	}
	k.drop(question)
	if k.known == nil {
		k.known = map[string]*answer{}
	}
	a = &answer{ws: ws, changes: k.of(ws), done: make(chan struct{}), used: k.turn}
	k.known[question] = a
	return a, true
}

// told keeps an answer, and lets go of what was of no use for longest.
func (k *answers) told(question string, a *answer, people *roaring64.Bitmap, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer close(a.done)
	if a.err = err; err == nil {
		a.people = people.Clone()
	}
	if k.known[question] != a {
		return
	}
	if err != nil || a.changes != k.of(a.ws) {
		k.drop(question)
		return
	}
	size := a.people.GetSizeInBytes()
	if size > answersSize/4 {
		k.drop(question)
		return
	}
	a.size = size
	k.size += size
	for len(k.known) > answersKept || k.size > answersSize {
		oldest := question
		for q, o := range k.known {
			if o.used < k.known[oldest].used {
				oldest = q
			}
		}
		k.drop(oldest)
	}
}

// of is how many changes a workspace has seen.
func (k *answers) of(ws string) uint64 { return k.changes[ws] + k.drops }

func (k *answers) drop(question string) {
	if a := k.known[question]; a != nil {
		k.size -= a.size
		delete(k.known, question)
	}
}

// changed follows a batch that was committed.
func (k *answers) changed(b event.Batch) {
	touched := map[string]bool{}
	for i := range b.Events {
		touched[b.Events[i].Workspace] = true
	}
	for _, m := range b.Moves {
		touched[m.Workspace] = true
	}
	for _, r := range b.Redirects {
		touched[r.Workspace] = true
	}
	for i := range b.People {
		touched[b.People[i].Workspace] = true
	}
	for _, p := range b.Seen {
		touched[p.Workspace] = true
	}
	for _, g := range b.Gone {
		touched[g.Workspace] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changes == nil {
		k.changes = map[string]uint64{}
	}
	for ws := range touched {
		k.changes[ws]++
	}
}

// forget lets every question be asked anew.
func (k *answers) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drops++
}
