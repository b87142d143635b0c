package person

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// Bounds of a component that is worked out again, and of the tasks taken at once.
const (
	maxReplayEvents = 100_000
	maxReplayIDs    = 1000
	maxTasks        = 200
)

// RunTasks works out the identity of contested components again whose events came late, and returns what follows from it. It
// returns the same again until Acknowledge is called with it, so a crash between this call and the event store loses
// nothing. While History does not include everything that was applied, tasks wait. Tasks is set in the result if calling
// again at once can do more; what waits for something else is announced by the next Apply.
func (s *Service) RunTasks(ctx context.Context) (Applied, error) {
	effects, err := s.Store.Effects(ctx, maxTasks)
	if err != nil {
		return Applied{}, err
	}
	// What History was not told yet comes first: a task compares with what History says.
	out := Applied{Tasks: len(effects) > 0}
	if len(effects) == 0 {
		gathering, err := s.gather(ctx)
		if err != nil {
			return Applied{}, err
		}
		if out.Tasks, err = s.runTasks(ctx); err != nil {
			return Applied{}, err
		}
		out.Tasks = out.Tasks || gathering
		if effects, err = s.Store.Effects(ctx, maxTasks); err != nil {
			return Applied{}, err
		}
	}
	touched := map[Ref]bool{}
	for _, e := range effects {
		var x outcome
		if err := json.Unmarshal([]byte(e.Body), &x); err != nil {
			return Applied{}, fmt.Errorf("stored outcome %s: %w", e.ID, err)
		}
		out.Receipts = append(out.Receipts, e.ID)
		out.Redirects = append(out.Redirects, x.Redirects...)
		out.Moves = append(out.Moves, x.Moves...)
		for _, r := range x.Touched {
			if !touched[r] {
				touched[r] = true
				out.Touched = append(out.Touched, r)
			}
		}
	}
	return out, nil
}

// Acknowledge tells that everything in a, a result of RunTasks, was stored.
func (s *Service) Acknowledge(ctx context.Context, a Applied) error {
	if len(a.Receipts) == 0 {
		return nil
	}
	return s.Store.DropEffects(ctx, a.Receipts)
}

// outcome is an Effect.Body.
type outcome struct {
	Redirects []event.Redirect
	Moves     []event.Move
	Touched   []Ref
}

// runTasks reports whether more can be done at once.
func (s *Service) runTasks(ctx context.Context) (more bool, err error) {
	tasks, err := s.Store.Tasks(ctx, maxTasks)
	if err != nil || len(tasks) == 0 {
		return false, err
	}
	applied, err := s.Store.Position(ctx)
	if err != nil {
		return false, err
	}
	kept, err := s.History.Position(ctx)
	if err != nil {
		return false, err
	}
	if kept < applied {
		return false, nil // working on half of the history would be wrong
	}
	done := map[string]bool{}
	for _, t := range tasks {
		if done[t.ID] {
			continue
		}
		seeds, err := t.seeds()
		if err != nil {
			return false, err
		}
		if after, walk, err := everybody(seeds); err != nil {
			return false, fmt.Errorf("stored task %s: %w", t.ID, err)
		} else if walk {
			if err := s.runWalk(ctx, t, after); err != nil {
				return false, err
			}
			continue
		}
		c, err := s.collect(ctx, t.Workspace, seeds)
		if err != nil {
			return false, fmt.Errorf("collect component: %w", err)
		}
		covered, err := c.covers(tasks)
		if err != nil {
			return false, err
		}
		if ran, err := s.runTask(ctx, t, c, covered, applied); err != nil || !ran {
			return false, err
		}
		for _, id := range covered {
			done[id] = true
		}
	}
	return len(tasks) == maxTasks, nil
}

// runTask does one task and those it covers, unless something was applied since the component was collected.
func (s *Service) runTask(ctx context.Context, t Task, c *component, covered []string, applied uint64) (ran bool, err error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		ran = false
		if err := s.Store.Lock(ctx, t.Workspace); err != nil {
			return err
		}
		if now, err := s.Store.Position(ctx); err != nil || now != applied {
			return err
		}
		ran = true
		if c.tooLarge {
			return s.refuseTask(ctx, t)
		}
		if err := s.rework(ctx, c); err != nil {
			return err
		}
		return s.Store.DropTasks(ctx, t.Workspace, covered)
	})
	return ran, err
}

func (t Task) seeds() ([]event.Identifier, error) {
	var ids []event.Identifier
	if err := json.Unmarshal([]byte(t.Seeds), &ids); err != nil {
		return nil, fmt.Errorf("stored task %s: %w", t.ID, err)
	}
	return ids, nil
}

// refuseTask gives up on a component and says so in the log of those it concerns.
func (s *Service) refuseTask(ctx context.Context, t Task) error {
	seeds, err := t.seeds()
	if err != nil {
		return err
	}
	k, err := s.kindsOf(ctx, t.Workspace)
	if err != nil {
		return err
	}
	g := newGraph(k)
	l := newLoader(g, s.Store, t.Workspace)
	if err := l.links(ctx, seeds); err != nil {
		return err
	}
	for _, x := range g.subjects {
		g.log(verdict{who: x, action: Refused, reason: ReasonTooLarge, ids: seeds, at: moment{t: t.Created}})
	}
	if err := s.Store.AddDecisions(ctx, t.Workspace, g.entries(s.Clock.Now().UnixMicro())); err != nil {
		return err
	}
	s.Log.WarnContext(ctx, "late events left as they are: too many identifiers or events belong together", "workspace", t.Workspace)
	return s.Store.DropTasks(ctx, t.Workspace, []string{t.ID})
}

// component is everything that depends on each other: identifiers connected by events, with those events.
type component struct {
	ws       string
	kinds    *kinds
	hashing  bool // other spellings are among ids
	others   int  // how many of ids were added because they are other spellings
	ids      map[event.Identifier]bool
	occs     []*occurrence // num is who the event belongs to today
	messages map[string]bool
	tooLarge bool
}

// collect gathers the component of the seeds from the history and the identifiers that their owners hold besides.
func (s *Service) collect(ctx context.Context, ws string, seeds []event.Identifier) (*component, error) {
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return nil, err
	}
	return s.collectBy(ctx, ws, k, seeds, maxReplayIDs)
}

// collectBy is collect by other kinds than the workspace has, up to so many identifiers.
func (s *Service) collectBy(ctx context.Context, ws string, k *kinds, seeds []event.Identifier, most int) (*component, error) {
	c := &component{kinds: k, ws: ws, ids: map[event.Identifier]bool{}, messages: map[string]bool{}}
	region, err := s.region(ctx, ws)
	if err != nil {
		return nil, err
	}
	if c.hashing, err = s.Store.Hashing(ctx, ws); err != nil {
		return nil, err
	}
	frontier := c.add(nil, seeds...)
	owners := map[uint64]bool{}
	for len(frontier) > 0 {
		if frontier, err = s.spell(ctx, c, frontier); err != nil {
			return nil, err
		}
		events, err := s.History.Linked(ctx, ws, frontier, maxReplayEvents+1)
		if err != nil {
			return nil, err
		}
		asked := frontier
		frontier = nil
		for i := range events {
			if c.messages[events[i].MessageID] {
				continue
			}
			c.messages[events[i].MessageID] = true
			o := c.kinds.read(&events[i].Event, events[i].Position, region)
			o.num = events[i].Person
			c.occs = append(c.occs, o)
			frontier = c.add(frontier, events[i].Identifiers...)
			// The declared kinds may have changed since the event was stored.
			frontier = c.add(frontier, o.linked(c.kinds)...)
		}
		held, err := s.held(ctx, c, asked, owners)
		if err != nil {
			return nil, err
		}
		frontier = c.add(frontier, held...)
		if len(c.occs) > maxReplayEvents || len(c.ids)-c.others > most {
			c.tooLarge = true
			return c, nil
		}
	}
	return c, nil
}

// add adds identifiers and appends the new ones to the list.
func (c *component) add(list []event.Identifier, ids ...event.Identifier) []event.Identifier {
	for _, id := range ids {
		if !c.ids[id] {
			c.ids[id] = true
			list = append(list, id)
		}
	}
	return list
}

// spell adds the other spellings of identifiers to the component and to the list.
func (s *Service) spell(ctx context.Context, c *component, list []event.Identifier) ([]event.Identifier, error) {
	if !c.hashing {
		return list, nil
	}
	var hashes []event.Identifier
	for _, id := range list {
		if Hashed(id.Value) {
			hashes = append(hashes, id)
		}
	}
	known, err := s.Store.Spellings(ctx, c.ws, hashes)
	if err != nil {
		return nil, err
	}
	for _, k := range known {
		list = c.add(list, event.Identifier{Kind: k.Hash.Kind, Value: k.Of})
	}
	for _, id := range list {
		was := len(list)
		list = c.add(list, c.kinds.spellings(id)...)
		c.others += len(list) - was
	}
	return list, nil
}

// covers returns the tasks that are done with this component.
func (c *component) covers(tasks []Task) ([]string, error) {
	var out []string
	for _, t := range tasks {
		if t.Workspace != c.ws {
			continue
		}
		seeds, err := t.seeds()
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(seeds, func(id event.Identifier) bool { return !c.ids[id] }) {
			out = append(out, t.ID)
		}
	}
	return out, nil
}

// held returns what the owners of the identifiers hold, with their own and their losers' ids; owners already asked for
// are left out.
func (s *Service) held(ctx context.Context, c *component, ids []event.Identifier, asked map[uint64]bool) ([]event.Identifier, error) {
	ws := c.ws
	g := newGraph(c.kinds)
	g.replay = true // rows as they are stored
	l := newLoader(g, s.Store, ws)
	if err := l.links(ctx, ids); err != nil {
		return nil, err
	}
	var people []*subject
	var nums []uint64
	for _, x := range g.subjects {
		if !asked[x.rec.Num] {
			asked[x.rec.Num] = true
			people = append(people, x)
			nums = append(nums, x.rec.Num)
		}
	}
	if len(people) == 0 {
		return nil, nil
	}
	losers, err := s.Store.Losers(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	if err := l.whole(ctx, people); err != nil {
		return nil, err
	}
	var out []event.Identifier
	for _, x := range people {
		out = append(out, event.Identifier{Kind: kindPerson, Value: x.rec.ID})
		for n := range x.nodes {
			out = append(out, n.id)
		}
	}
	for _, r := range losers {
		out = append(out, event.Identifier{Kind: kindPerson, Value: r.ID})
	}
	return out, nil
}

func (s *Service) keepOutcome(ctx context.Context, ws string, x outcome) error {
	if len(x.Redirects)+len(x.Moves)+len(x.Touched) == 0 {
		return nil
	}
	b, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("encode outcome: %w", err)
	}
	return s.Store.AddEffect(ctx, Effect{ID: id.New("eff"), Workspace: ws, Body: string(b)})
}
