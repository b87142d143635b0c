package journey

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
)

// Change is one difference between two graphs.
type Change struct {
	What  string          `json:"what"` // one of the Changed constants
	Node  string          `json:"node,omitempty"`
	Title string          `json:"title,omitempty"`
	Kind  string          `json:"kind,omitempty"`
	Field string          `json:"field,omitempty"` // within the node's configuration, the output of a connection, or within what was changed
	From  json.RawMessage `json:"from,omitempty"`
	To    json.RawMessage `json:"to,omitempty"`
}

// What can change. Places on the canvas do not count.
const (
	NodeAdded         = "node_added"
	NodeRemoved       = "node_removed"
	NodeChanged       = "node_changed"
	ConnectionChanged = "connection_changed" // Field is the output; From and To are node ids
	TriggerChanged    = "trigger_changed"
	SettingsChanged   = "settings_changed" // exits, goal, re-entry, caps, holdout, age, start
)

// Diff lists what is different in b, in the order in which an author reads a journey.
func Diff(a, b Graph) []Change {
	var out []Change
	for _, d := range differences("", tree(a.Trigger), tree(b.Trigger)) {
		d.What = TriggerChanged
		out = append(out, d)
	}
	rest := func(g Graph) map[string]any {
		return map[string]any{
			"start": g.start(), "exit": tree(g.Exit), "goal": tree(g.Goal), "re_entry": tree(g.ReEntry), "caps": tree(g.Caps), "holdout": tree(g.Holdout), "max_age": tree(g.MaxAge),
		}
	}
	for _, d := range differences("", rest(a), rest(b)) {
		d.What = SettingsChanged
		out = append(out, d)
	}
	old := map[string]Node{}
	for _, n := range a.Nodes {
		old[n.ID] = n
	}
	for _, n := range b.Nodes {
		was, known := old[n.ID]
		delete(old, n.ID)
		if !known {
			out = append(out, Change{What: NodeAdded, Node: n.ID, Title: n.Title, Kind: n.Kind})
			was.Next = nil
		} else {
			view := func(n Node) map[string]any {
				return map[string]any{"kind": n.Kind, "title": n.Title, "config": tree(n.Config)}
			}
			for _, d := range differences("", view(was), view(n)) {
				d.What, d.Node, d.Title, d.Kind = NodeChanged, n.ID, n.Title, n.Kind
				out = append(out, d)
			}
		}
		for _, output := range slices.Sorted(maps.Keys(union(was.Next, n.Next))) {
			if from, to := was.Next[output], n.Next[output]; from != to {
				out = append(out, Change{What: ConnectionChanged, Node: n.ID, Title: n.Title, Kind: n.Kind, Field: output, From: raw(orNil(from)), To: raw(orNil(to))})
			}
		}
	}
	for _, n := range a.Nodes {
		if _, gone := old[n.ID]; gone {
			out = append(out, Change{What: NodeRemoved, Node: n.ID, Title: n.Title, Kind: n.Kind})
		}
	}
	return out
}

func (g Graph) start() any {
	if g.Start == "" && len(g.Nodes) > 0 {
		return g.Nodes[0].ID
	}
	return orNil(g.Start)
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func union(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, b)
	return out
}

// tree is v as JSON sees it, with empty things left out.
func tree(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	if json.Unmarshal(text, &out) != nil {
		return nil
	}
	if m, ok := out.(map[string]any); ok && len(m) == 0 {
		return nil
	}
	return out
}

func raw(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return text
}

// span tells whether an object is a length of time: its number says nothing without its unit.
func span(o map[string]any) bool {
	_, n := o["n"]
	_, unit := o["unit"]
	return n && unit
}

// differences walks two trees and names the deepest objects' fields that differ; lists and lengths of time are compared whole.
func differences(field string, a, b any) []Change {
	if reflect.DeepEqual(a, b) {
		return nil
	}
	x, xok := a.(map[string]any)
	y, yok := b.(map[string]any)
	if !xok || !yok || span(x) || span(y) {
		return []Change{{Field: strings.TrimPrefix(field, "."), From: raw(a), To: raw(b)}}
	}
	names := map[string]bool{}
	for n := range x {
		names[n] = true
	}
	for n := range y {
		names[n] = true
	}
	var out []Change
	for _, n := range slices.Sorted(maps.Keys(names)) {
		out = append(out, differences(field+"."+n, x[n], y[n])...)
	}
	return out
}

// Compare lists the differences between two versions of a journey; 0 is the draft.
func (s *Service) Compare(ctx context.Context, ws, id string, from, to int) ([]Change, error) {
	j, err := s.c.Store.Get(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	graph := func(n int) (Graph, error) {
		if n == 0 {
			return j.Draft, nil
		}
		v, err := s.c.Store.Version(ctx, ws, id, n)
		return v.Graph, err
	}
	a, err := graph(from)
	if err != nil {
		return nil, err
	}
	b, err := graph(to)
	if err != nil {
		return nil, err
	}
	return Diff(a, b), nil
}

// nodesOf returns the nodes of a graph by id.
func nodesOf(g Graph) map[string]Node {
	out := map[string]Node{}
	for _, n := range g.Nodes {
		out[n.ID] = n
	}
	return out
}

// kindPauses reports whether people can be at rest at nodes of a kind.
func kindPauses(kind string) bool {
	spec, ok := node.ByKind(kind)
	return ok && spec.Pauses
}
