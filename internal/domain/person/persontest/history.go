// Package persontest has what tests of people need: the conformance suite of person.Store, an event history in
// memory, and a log that delivers events to a person.Service the way the pipeline does.
//
//	Log.Deliver ──► Service.Apply ──► History ──► Service.RunTasks ──► History
package persontest

import (
	"context"
	"slices"
	"sync"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

// History is an event store in memory, as far as people need one. It is safe for concurrent use.
type History struct {
	mu        sync.Mutex
	position  uint64
	events    map[string][]event.Kept // by workspace
	known     map[[2]string]bool
	redirects map[string]map[uint64]uint64
}

var _ person.History = (*History)(nil)

// NewHistory returns an empty history.
func NewHistory() *History {
	return &History{events: map[string][]event.Kept{}, known: map[[2]string]bool{}, redirects: map[string]map[uint64]uint64{}}
}

// Store takes over what Apply or RunTasks returned and moves the position to through. Events stored before are ignored.
func (h *History) Store(a person.Applied, through uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, k := range a.Kept {
		key := [2]string{k.Workspace, k.MessageID}
		if !h.known[key] {
			h.known[key] = true
			h.events[k.Workspace] = append(h.events[k.Workspace], k)
		}
	}
	for _, r := range a.Redirects {
		if h.redirects[r.Workspace] == nil {
			h.redirects[r.Workspace] = map[uint64]uint64{}
		}
		h.redirects[r.Workspace][r.Loser] = r.Winner
	}
	for _, m := range a.Moves {
		for i := range h.events[m.Workspace] {
			if k := &h.events[m.Workspace][i]; k.MessageID == m.MessageID {
				k.Person = m.To
			}
		}
	}
	h.position = max(h.position, through)
}

// Erase takes out the events of people; the same messages can be stored anew.
func (h *History) Erase(ws string, people ...uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events[ws] = slices.DeleteFunc(h.events[ws], func(k event.Kept) bool {
		theirs := slices.Contains(people, k.Person)
		if theirs {
			delete(h.known, [2]string{ws, k.MessageID})
		}
		return theirs
	})
}

// Position implements person.History.
func (h *History) Position(context.Context) (uint64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.position, nil
}

// Linked implements person.History.
func (h *History) Linked(_ context.Context, ws string, ids []event.Identifier, limit int) ([]event.Kept, error) {
	want := map[event.Identifier]bool{}
	for _, id := range ids {
		want[id] = true
	}
	var out []event.Kept
	for _, k := range h.All(ws) {
		if slices.ContainsFunc(k.Identifiers, func(id event.Identifier) bool { return want[id] }) && len(out) < limit {
			out = append(out, k)
		}
	}
	return out, nil
}

// All returns every event of the workspace in the order of event.Less, with people after merges.
func (h *History) All(ws string) []event.Kept {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := slices.Clone(h.events[ws])
	for i := range out {
		for to, ok := h.redirects[ws][out[i].Person]; ok; to, ok = h.redirects[ws][out[i].Person] {
			out[i].Person = to
		}
	}
	slices.SortStableFunc(out, func(a, b event.Kept) int {
		switch {
		case event.Less(a, b):
			return -1
		case event.Less(b, a):
			return 1
		}
		return 0
	})
	return out
}
