package journey

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// Migration says what becomes of people who are inside older versions. Without one they finish on the version that they entered.
type Migration struct {
	From  []int             `json:"from,omitempty"`  // versions; empty: all but the published one
	Exit  bool              `json:"exit,omitempty"`  // they leave; otherwise they move to the published version
	Nodes map[string]string `json:"nodes,omitempty"` // where they go: old node -> new node, or "" to leave; a node that both have, of one kind, needs no entry
	Key   string            `json:"-"`               // idempotency key; empty for none
}

// same reports whether a migration that was begun is this one. Versions that were not named were found out when it began.
func (m Migration) same(begun Migration) bool {
	return m.Exit == begun.Exit && maps.Equal(m.Nodes, begun.Nodes) && (len(m.From) == 0 || slices.Equal(m.From, begun.From))
}

// TaskMove moves people to another version, or out.
const TaskMove = "move"

// MovedOn is the output by which people leave a node for another one of another version, and VersionEnded why they left the journey with their version.
const (
	MovedOn      = "moved"
	VersionEnded = "version_ended"
)

// moveData is what the task of a migration knows.
type moveData struct {
	Migration
	Moved   int64 `json:"moved"`
	Exited  int64 `json:"exited"`
	Skipped int64 `json:"skipped"` // at a node that the mapping says nothing of; they finish on their version
}

// Migrate begins to move the people inside older versions, in batches. It is refused if the mapping leaves out a node at which people may be.
func (s *Service) Migrate(ctx context.Context, ws, journey string, m Migration) (Task, error) {
	if len(m.Key) > maxEntryKey {
		return Task{}, errs.Invalid("journey.entry.key", "idempotency_key", "give a key of at most %d characters", maxEntryKey)
	}
	now := s.c.Clock.Now()
	t := Task{ID: id.New("jtk"), Workspace: ws, Journey: journey, Kind: TaskMove, Status: TaskRunning, Due: now, Rev: 1, CreatedAt: now, UpdatedAt: now}
	if m.Key != "" {
		t.ID = "move:" + journey + ":" + m.Key
		var was moveData
		made, err := s.asked(ctx, ws, t.ID, &was)
		if err == nil && !m.same(was.Migration) {
			return Task{}, errs.Conflict("journey.migration.key_reused", "this key was used for another migration; give each a new one")
		}
		if !errs.Is(err, errs.KindNotFound) {
			return made, err // asked before: what was published since is no matter
		}
	}
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		j, err := s.c.Store.Get(ctx, ws, journey)
		if err != nil {
			return err
		}
		if j.Published == 0 || j.Status == Archived {
			return errs.Conflict("journey.not_running", "only a published journey has people to move; this one is %s", j.Status)
		}
		inside, err := s.c.Store.Inhabited(ctx, ws, journey)
		if err != nil {
			return err
		}
		d := moveData{Migration: m}
		if len(m.From) == 0 {
			d.From = slices.DeleteFunc(inside, func(v int) bool { return v == j.Published })
		}
		if err := s.checkMigration(ctx, j, d.Migration); err != nil {
			return err
		}
		counts, err := s.c.Store.Counts(ctx, ws, journey)
		if err != nil {
			return err
		}
		for _, c := range counts {
			if c.Node == "" && c.What == Inside && slices.Contains(d.From, c.Version) {
				t.Total += c.N
			}
		}
		if t.Data, err = json.Marshal(d); err != nil {
			return err
		}
		t.Version = j.Published
		if err := s.c.Store.AddTask(ctx, t); err != nil {
			return err
		}
		t, err = s.c.Store.Task(ctx, ws, t.ID)
		return err
	})
	if err == nil {
		s.pulse.Wake()
	}
	return t, err
}

func (s *Service) checkMigration(ctx context.Context, j Journey, m Migration) error {
	target, err := s.c.Store.Version(ctx, j.Workspace, j.ID, j.Published)
	if err != nil {
		return err
	}
	to := nodesOf(target.Graph)
	for _, old := range slices.Sorted(maps.Keys(m.Nodes)) {
		now := m.Nodes[old]
		if _, ok := to[now]; !ok && now != "" {
			return errs.Invalid("journey.migration.node", "nodes."+old, "version %d has no node %q; choose another, or let them leave", j.Published, now)
		}
	}
	for _, v := range m.From {
		if v == j.Published {
			return errs.Invalid("journey.migration.from", "from", "version %d is the published one; people on it are where they should be", v)
		}
		from, err := s.c.Store.Version(ctx, j.Workspace, j.ID, v)
		if errs.Is(err, errs.KindNotFound) {
			return errs.Invalid("journey.migration.version", "from", "there is no version %d; take it out", v)
		}
		if err != nil {
			return err
		}
		for _, n := range from.Graph.Nodes {
			if _, mapped := m.Nodes[n.ID]; mapped || m.Exit || !kindPauses(n.Kind) {
				continue
			}
			if same, ok := to[n.ID]; !ok || same.Kind != n.Kind {
				return errs.Invalid("journey.migration.unmapped", "nodes."+n.ID, "say where people at %q of version %d go: the published version has no such node", cmpTitle(n), v)
			}
		}
	}
	return s.checkLeft(ctx, j, m.Nodes)
}

// checkLeft refuses a mapping of nodes at which nobody can be. Versions count that nobody is inside by now: whoever wrote the mapping may have seen somebody there.
func (s *Service) checkLeft(ctx context.Context, j Journey, mapping map[string]string) error {
	if len(mapping) == 0 {
		return nil
	}
	versions, err := s.c.Store.Versions(ctx, j.Workspace, j.ID)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, v := range versions {
		for _, n := range v.Graph.Nodes {
			known[n.ID] = known[n.ID] || v.Number != j.Published
		}
	}
	for _, old := range slices.Sorted(maps.Keys(mapping)) {
		if !known[old] {
			return errs.Invalid("journey.migration.stray", "nodes."+old, "no earlier version has a node %q; take it out, or look for a misspelling", old)
		}
	}
	return nil
}

func cmpTitle(n Node) string {
	if n.Title != "" {
		return n.Title
	}
	return n.ID
}

// migrate moves a batch of people.
func (s *Service) migrate(ctx context.Context, t Task) (int, error) {
	var d moveData
	if err := json.Unmarshal(t.Data, &d); err != nil {
		return 0, err
	}
	target, err := s.c.Store.Version(ctx, t.Workspace, t.Journey, t.Version)
	if err != nil {
		return 0, err
	}
	to := nodesOf(target.Graph)
	plan, err := s.plan(ctx, planKey{t.Workspace, t.Journey, t.Version})
	if err != nil {
		return 0, err
	}
	handled := 0
	return max(1, handled), s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		t, d := t, d
		now := s.c.Clock.Now()
		found, err := s.c.Store.SeizeVersions(ctx, Place{t.Workspace, t.Journey}, d.From, t.Cursor, s.c.Batch)
		if err != nil {
			return err
		}
		var walks []Walk
		for _, i := range found {
			target, mapped := d.Nodes[i.Node]
			if !mapped {
				if n, ok := to[i.Node]; ok && s.kindOf(ctx, i) == n.Kind {
					target, mapped = i.Node, true
				}
			}
			switch {
			case d.Exit, mapped && target == "":
				d.Exited++
				walks = append(walks, s.takeOut(ctx, i, VersionEnded, node.Because(VersionEnded, "version", i.Version)))
			case !mapped:
				d.Skipped++
			default:
				d.Moved++
				old, err := s.plan(ctx, planKey{i.Workspace, i.Journey, i.Version})
				if err != nil && !permanent(err) {
					return err
				}
				walks = append(walks, plan.receive(i, old, t.Version, target, now))
			}
		}
		next := ""
		if len(found) == s.c.Batch {
			next = found[len(found)-1].ID
		}
		t.Done += int64(len(found))
		t.moved(next, now)
		if t.Data, err = json.Marshal(d); err != nil {
			return err
		}
		if err := s.c.Store.SaveTask(ctx, t); err != nil {
			return err
		}
		return s.write(ctx, walks)
	})
}

func (s *Service) kindOf(ctx context.Context, i Instance) string {
	p, err := s.plan(ctx, planKey{i.Workspace, i.Journey, i.Version})
	if err != nil || p.nodes[i.Node] == nil {
		return ""
	}
	return p.nodes[i.Node].kind
}

// receive moves an instance from an older plan, nil if that cannot be read, to a node of this one. At the same node of the same kind a stay goes on
// as it was and is counted once, with the new version; at another it begins anew. Who was parked is tried again.
func (p *Plan) receive(i Instance, old *Plan, version int, target string, now time.Time) Walk {
	w := Walk{Instance: i}
	from := &step{id: i.Node}
	if old != nil && old.nodes[i.Node] != nil {
		from = old.nodes[i.Node]
	}
	goesOn := i.Node == target && from.kind == p.nodes[target].kind
	data, arrived := i.Memory.Data, i.Arrived
	why := node.Because("moved", "from", i.Version, "to", version)
	if goesOn {
		w.log(from, "", "", why, now)
		w.tally(i.Node, In, -1)
	} else {
		w.leave(from, MovedOn, why, now)
	}
	w.tally("", Inside, -1)
	if i.Status == Parked {
		w.tally(i.Node, Failing, -1)
	}
	w.Instance.Version, w.Instance.Status, w.Instance.Attempts, w.Instance.Error = version, Active, 0, node.Reason{}
	w.tally("", Inside, 1)
	visits := i.Memory.Visits
	w.arrive(target, now)
	if goesOn {
		w.Instance.Arrived, w.Instance.Memory.Data, w.Instance.Memory.Visits = arrived, data, visits
	}
	w.Instance.Due = now
	return w
}
