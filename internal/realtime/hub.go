// Package realtime tells open screens what has changed, so that they read it anew instead of asking all the time.
//
// Owns: who listens, and which changes each listener has yet to hear. Does not own: what changed in what way; a change is a topic
// and an id, never data, so a message that a listener may hear says nothing that the API would not.
//
//	reactors, API writes ──Publish──► Hub ──Next──► GET /api/v1/live ──► browser
//
// Invariants: Publish never waits. What a listener has not heard is a set of bounded size; a listener that is further behind is told to
// read everything anew. A listener that begins with a mark, that of a screen's first reading or of the last batch it heard, hears what it
// missed, or is told the same: a mark of another process, or of this one before it was started again, misses everything.
package realtime

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Change says that the thing with the id has changed; an empty id means several or unnamed things of the topic.
type Change struct {
	Topic string
	ID    string
}

// Batch is what a listener hears at once.
type Batch struct {
	Mark    string   // give it to Listen to go on from here
	Changes []Change // each once
	All     bool     // more has changed than can be told; read everything anew
}

const (
	maxPending   = 256  // changes a listener may be behind
	maxKept      = 1024 // changes kept for listeners that come back
	maxListeners = 2000 // of all workspaces together; each is an open connection
)

// Hub connects those who change something with those who look at it.
type Hub struct {
	gather time.Duration
	boot   string // marks of another run of the process mean nothing here

	elsewhere func(workspace string, changes []Change) // tells the hubs of other processes; nil: there are none

	mu     sync.Mutex
	seq    uint64
	spaces map[string]*space
	open   int
	closed bool
}

type kept struct {
	seq uint64
	Change
}

type space struct {
	recent    []kept // oldest first
	dropped   uint64 // the newest change that recent no longer holds
	listeners map[*Listener]struct{}
}

// New returns a hub whose listeners hear what comes within the gathering time as one batch.
func New(gather time.Duration) *Hub {
	return &Hub{gather: gather, boot: rand.Text()[:8], spaces: map[string]*space{}}
}

// Elsewhere has Publish tell other processes, too, whose hubs pass it to their listeners with Hear. Call it before the first Publish.
func (h *Hub) Elsewhere(tell func(workspace string, changes []Change)) { h.elsewhere = tell }

// Publish tells the listeners of a workspace. Where nobody has listened or asked for a mark yet, nothing is kept.
func (h *Hub) Publish(workspace string, changes ...Change) {
	if h.elsewhere != nil && len(changes) > 0 {
		h.elsewhere(workspace, changes)
	}
	h.Hear(workspace, changes...)
}

// Hear is Publish for what another process has published: it goes to the listeners here alone.
func (h *Hub) Hear(workspace string, changes ...Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.spaces[workspace]
	if s == nil || len(changes) == 0 {
		return
	}
	for _, c := range changes {
		h.seq++
		s.recent = append(s.recent, kept{h.seq, c})
	}
	if over := len(s.recent) - maxKept; over > 0 {
		s.dropped = s.recent[over-1].seq
		s.recent = slices.Delete(s.recent, 0, over)
	}
	for l := range s.listeners {
		l.add(changes)
	}
}

// Mark is where somebody stands who reads the workspace from now on: given to Listen, it brings what changes until then.
func (h *Hub) Mark(workspace string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.space(workspace)
	return h.mark()
}

func (h *Hub) mark() string { return h.boot + "-" + strconv.FormatUint(h.seq, 10) }

// space is that of the workspace, whose changes are kept from now on.
func (h *Hub) space(workspace string) *space {
	s := h.spaces[workspace]
	if s == nil {
		s = &space{listeners: map[*Listener]struct{}{}, dropped: h.seq}
		h.spaces[workspace] = s
	}
	return s
}

// Listening reports whether anybody may look at the workspace, to spare the work of finding out what changed.
func (h *Hub) Listening(workspace string) bool {
	if h.elsewhere != nil {
		return true // who listens to the others is not known here
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.spaces[workspace] != nil
}

// Listen adds a listener; mark is that of Mark or of the last batch it has heard, empty if it has read nothing yet. End it with Close.
func (h *Hub) Listen(workspace, mark string) (*Listener, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.open >= maxListeners {
		return nil, errs.Unavailable("live.full", "too many screens are open at once; they read without live changes until one is closed")
	}
	s := h.space(workspace)
	l := &Listener{hub: h, space: s, pending: map[Change]struct{}{}, wake: make(chan struct{}, 1)}
	if mark != "" {
		boot, number, _ := strings.Cut(mark, "-")
		seen, err := strconv.ParseUint(number, 10, 64)
		switch {
		case err != nil || boot != h.boot || seen < s.dropped:
			l.lose()
		default:
			for _, k := range s.recent {
				if k.seq > seen {
					l.add([]Change{k.Change})
				}
			}
		}
	}
	s.listeners[l] = struct{}{}
	h.open++
	return l, nil
}

// Close ends all listeners; the server calls it when it stops.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, s := range h.spaces {
		for l := range s.listeners {
			l.ring()
		}
	}
}

// Listener is one open screen. Its methods other than Close are for one goroutine.
type Listener struct {
	hub     *Hub
	space   *space
	pending map[Change]struct{} // guarded by hub.mu, as lost
	lost    bool
	wake    chan struct{}
}

func (l *Listener) add(changes []Change) {
	for _, c := range changes {
		if !l.lost {
			l.pending[c] = struct{}{}
		}
	}
	if len(l.pending) > maxPending {
		l.lose()
	}
	l.ring()
}

func (l *Listener) lose() {
	clear(l.pending)
	l.lost = true
	l.ring()
}

func (l *Listener) ring() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Next waits for changes and returns those of the gathering time, in the order of topic and id. It returns errs.KindUnavailable
// once the hub is closed, and the context's error once that ends.
func (l *Listener) Next(ctx context.Context) (Batch, error) {
	select {
	case <-ctx.Done():
		return Batch{}, ctx.Err()
	case <-l.wake:
	}
	if l.hub.gather > 0 {
		select {
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		case <-time.After(l.hub.gather):
		}
	}
	h := l.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return Batch{}, errs.Unavailable("live.closed", "the server stops; connect again")
	}
	b := Batch{Mark: h.mark(), All: l.lost}
	for c := range l.pending {
		b.Changes = append(b.Changes, c)
	}
	slices.SortFunc(b.Changes, func(a, b Change) int {
		return strings.Compare(a.Topic+"\x00"+a.ID, b.Topic+"\x00"+b.ID)
	})
	clear(l.pending)
	l.lost = false
	select { // what rang meanwhile is in this batch
	case <-l.wake:
	default:
	}
	return b, nil
}

// Close ends the listener. Closing twice does nothing.
func (l *Listener) Close() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	if _, ok := l.space.listeners[l]; ok {
		delete(l.space.listeners, l)
		l.hub.open--
	}
}
