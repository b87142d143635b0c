package person

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// rework works a component out again: it runs the sequential algorithm over all its events from nothing, finds the people
// of today in the outcome, and writes the difference. Applied twice it changes nothing the second time.
func (s *Service) rework(ctx context.Context, c *component) error {
	w, err := s.reworking(ctx, c)
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{w.run, w.load, w.match, w.refold, w.write} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("work out identity again: %w", err)
		}
	}
	return nil
}

// reworking prepares a run of the algorithm over a component.
func (s *Service) reworking(ctx context.Context, c *component) (*rework, error) {
	w := &rework{Service: s, component: c, next: newGraph(c.kinds), heirs: map[*subject]*subject{}, today: map[*subject]*subject{}}
	w.next.replay, w.next.hashing = true, c.hashing
	for id := range c.ids {
		for _, h := range c.kinds.spellings(id) {
			w.next.plain[h] = id
		}
	}
	if err := w.next.mark(ctx, s.Store, c.ws, slices.Collect(maps.Keys(c.ids))); err != nil {
		return nil, err
	}
	if s.AliasIdentified != nil {
		var err error
		if w.next.aliasOpen, err = s.AliasIdentified(ctx, c.ws); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// rework is one run. People of the new graph are groups until they got the id of someone of today.
type rework struct {
	*Service
	*component
	next *graph
	old  *loader

	heirs   map[*subject]*subject // person of today -> group
	today   map[*subject]*subject // group -> person of today whose id it keeps
	merged  []union               // people of today who are not needed any more
	moved   map[*subject]int      // events that came to the group
	changed map[*subject]bool
}

// run handles all events in order.
func (w *rework) run(context.Context) error {
	slices.SortStableFunc(w.occs, func(a, b *occurrence) int { return a.at.compare(b.at) })
	for _, o := range w.occs {
		o.who = nil
		if o.ev.PersonID == "" || o.unbinds {
			o.who = w.next.place(o) // nobody, if it takes identifiers off
		}
	}
	for _, o := range w.occs {
		o.who = o.who.find()
	}
	return nil
}

// load reads today's state of everything involved.
func (w *rework) load(ctx context.Context) error {
	w.old = newLoader(newGraph(w.component.kinds), w.Store, w.ws)
	w.old.replay = true // rows as they are stored
	var ids []event.Identifier
	var named []string
	for id := range w.ids {
		if id.Kind == kindPerson {
			named = append(named, id.Value)
		} else {
			ids = append(ids, id)
		}
	}
	if err := w.old.links(ctx, ids); err != nil {
		return err
	}
	if err := w.old.named(ctx, named); err != nil {
		return err
	}
	var nums []uint64
	for _, o := range w.occs {
		nums = append(nums, o.num)
	}
	if err := w.old.people(ctx, nums); err != nil {
		return err
	}
	for _, n := range nums {
		w.old.subject(n) // makes the subject
	}
	for i := 0; i < len(w.old.subjects); i++ {
		if err := w.old.whole(ctx, w.old.subjects[i:]); err != nil {
			return err
		}
	}
	return nil
}

// groups returns the people of the new graph in the order they came up.
func (w *rework) groups() []*subject {
	var out []*subject
	for _, x := range w.next.subjects {
		if x.into == nil {
			out = append(out, x)
		}
	}
	return out
}

// sorted returns a person's nodes, best first.
func sorted(nodes map[*node]bool) []*node {
	return slices.SortedFunc(maps.Keys(nodes), func(a, b *node) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.first, b.first), cmp.Compare(a.id.Value, b.id.Value))
	})
}

// match gives every group the id of someone of today: of the owner of its user id, else of whoever owns its best identifier or most
// of its events. People of today whom no group is like are merged into the group that has what they had.
func (w *rework) match(context.Context) error {
	pair := func(g, x *subject) {
		if x != nil && w.today[g] == nil && w.heirs[x] == nil {
			w.today[g], w.heirs[x] = x, g
		}
	}
	groups := w.groups()
	// Of two that were split, the first side keeps the id.
	for _, g := range groups {
		marks := g.marks()
		if len(marks) == 0 || slices.ContainsFunc(marks, func(m mark) bool { return m.two }) {
			continue
		}
		for _, n := range sorted(g.nodes) {
			if before := w.before(n); before != nil && n.owner() == g && slices.ContainsFunc(n.marks, func(m mark) bool { return !m.two }) {
				pair(g, before.owner())
			}
		}
	}
	for _, g := range groups {
		if g.identified() {
			if n := w.old.nodes[event.Identifier{Kind: KindUser, Value: g.rec.UserID}]; n != nil {
				pair(g, n.owner())
			}
		}
	}
	events := map[*subject][]*subject{} // group -> today's people of its events
	from := map[*subject]*subject{}     // person of today -> group of their first event
	for _, o := range w.occs {
		if x := w.old.subject(o.num); x != nil && o.who != nil {
			events[o.who] = append(events[o.who], x)
			if from[x] == nil {
				from[x] = o.who
			}
		}
	}
	for _, g := range groups {
		for _, n := range sorted(g.nodes) {
			if before := w.before(n); before != nil && n.owner() == g {
				pair(g, before.owner())
			}
		}
		for _, x := range events[g] {
			pair(g, x)
		}
	}
	for _, x := range w.old.subjects {
		if w.heirs[x] != nil {
			continue
		}
		for _, n := range sorted(x.nodes) {
			if now := w.next.nodes[w.next.one(n.id)]; now != nil && now.owner() != nil && w.heirs[x] == nil {
				w.heirs[x] = now.owner()
			}
		}
		if w.heirs[x] == nil {
			w.heirs[x] = from[x]
		}
		if w.heirs[x] != nil {
			w.merged = append(w.merged, union{loser: x})
		}
	}
	w.carryOver()
	return nil
}

// before returns today's node of the same identifier, under whichever spelling it is stored; nil if there is none.
func (w *rework) before(n *node) *node {
	if old := w.old.nodes[n.id]; old != nil && old.stored {
		return old
	}
	for _, h := range w.component.kinds.spellings(n.id) {
		if old := w.old.nodes[h]; old != nil && old.stored {
			return old
		}
	}
	return w.old.nodes[n.id]
}

// carryOver keeps identifiers that no event brought (people made by hand) with those who have them.
func (w *rework) carryOver() {
	for id, n := range w.old.nodes {
		if w.next.nodes[w.next.one(id)] != nil || !n.stored {
			continue
		}
		keep := &node{id: n.id, rank: n.rank, users: n.users, shared: n.shared, first: n.first, last: n.last, source: n.source, contested: n.contested}
		for _, sp := range n.spans {
			g := w.heirs[sp.who]
			if g == nil && sp.who != nil {
				keep = nil // its owner is not part of this
				break
			}
			keep.spans = append(keep.spans, span{sp.from, g})
			if g != nil {
				g.nodes[keep] = true
				if id.Kind == KindUser && g.rec.UserID == "" {
					g.rec.UserID = id.Value
				}
			}
		}
		if keep != nil {
			w.next.nodes[id] = keep
		}
	}
}

// refold folds all events into the groups they belong to and lists those that change hands.
func (w *rework) refold(ctx context.Context) error {
	w.moved = map[*subject]int{}
	for _, o := range w.occs {
		if o.ev.PersonID != "" {
			o.who = w.heirs[w.old.byID[o.ev.PersonID]]
		} else if was := w.heirs[w.old.subject(o.num)]; was != o.who || w.today[o.who] == nil {
			w.moved[o.who]++
		}
		if o.who == nil {
			continue
		}
		refused, err := o.who.st.fold(o)
		if err != nil {
			return err
		}
		for _, reason := range refused {
			w.Log.DebugContext(ctx, "left out while folding again", "reason", reason)
		}
	}
	return nil
}

// write stores the difference between today and the outcome.
func (w *rework) write(ctx context.Context) error {
	now := w.Clock.Now().UnixMicro()
	if err := w.writePeople(ctx, now); err != nil {
		return err
	}
	if err := w.writeLinks(ctx); err != nil {
		return err
	}
	sought, left := w.groups(), map[*subject]bool{} // those of whom nothing but the record is left
	for _, x := range w.old.subjects {
		if x.into == nil && w.heirs[x] == nil {
			sought, left[x] = append(sought, x), true
		}
	}
	if err := w.saveSought(ctx, w.ws, sought, func(x *subject) bool { return left[x] }); err != nil {
		return err
	}
	var out outcome
	for _, o := range w.occs {
		if o.ev.PersonID != "" || o.who == nil {
			continue
		}
		was := w.heirs[w.old.subject(o.num)]
		if was == nil || was != o.who {
			out.Moves = append(out.Moves, event.Move{Workspace: w.ws, MessageID: o.ev.MessageID, To: o.who.rec.Num})
			w.changed[o.who] = true
			if was != nil {
				w.changed[was] = true
			}
		}
	}
	if err := w.Store.MoveSeen(ctx, out.Moves); err != nil {
		return err
	}
	for _, u := range w.merged {
		loser, winner := u.loser.ref(w.ws), w.heirs[u.loser].ref(w.ws)
		out.Redirects = append(out.Redirects, event.Redirect{Workspace: w.ws, Loser: loser.Num, Winner: winner.Num})
		w.changed[w.heirs[u.loser]] = true
		for _, o := range w.Observers {
			if err := o.PeopleMerged(ctx, w.ws, loser, winner); err != nil {
				return fmt.Errorf("tell of a merge: %w", err)
			}
		}
	}
	if err := w.tellOfSplits(ctx); err != nil {
		return err
	}
	for _, g := range w.groups() {
		if w.changed[g] {
			out.Touched = append(out.Touched, g.ref(w.ws))
		}
	}
	if err := w.Store.AddDecisions(ctx, w.ws, w.entries(now)); err != nil {
		return err
	}
	return w.keepOutcome(ctx, w.ws, out)
}

// tellOfSplits tells observers of people who are made of what others had.
func (w *rework) tellOfSplits(ctx context.Context) error {
	for _, g := range w.groups() {
		if w.today[g] != nil {
			continue
		}
		told := map[*subject]bool{}
		for _, n := range sorted(g.nodes) {
			before := w.before(n)
			if before == nil || before.owner() == nil {
				continue
			}
			from := w.heirs[before.owner()]
			if from == nil || from == g || told[from] {
				continue
			}
			told[from] = true
			if err := w.suggestedNoMore(ctx, from, g); err != nil {
				return err
			}
			for _, o := range w.Observers {
				if o, ok := o.(SplitObserver); ok {
					if err := o.PersonSplit(ctx, w.ws, from.ref(w.ws), g.ref(w.ws)); err != nil {
						return fmt.Errorf("tell of a split: %w", err)
					}
				}
			}
		}
	}
	return nil
}

func (w *rework) writePeople(ctx context.Context, now int64) error {
	var fresh []*subject
	for _, g := range w.groups() {
		if w.today[g] == nil {
			fresh = append(fresh, g)
		}
	}
	if len(fresh) > 0 {
		first, err := w.Store.NextNums(ctx, w.ws, len(fresh))
		if err != nil {
			return err
		}
		for i, g := range fresh {
			g.rec.Num, g.rec.ID, g.rec.Created = first+uint64(i), id.New("per"), now
		}
	}
	var add, save []Record
	w.changed = map[*subject]bool{}
	for _, g := range w.groups() {
		x := w.today[g]
		if x != nil {
			g.rec.Num, g.rec.ID, g.rec.Created = x.rec.Num, x.rec.ID, x.rec.Created
			g.stored = true
		}
		if err := g.seal(now); err != nil {
			return err
		}
		switch {
		case x == nil:
			add = append(add, g.rec)
			w.changed[g] = true
		case !sameRecord(g.rec, x.rec):
			save = append(save, g.rec)
			w.changed[g] = true
		}
	}
	if err := w.Store.AddPeople(ctx, w.ws, add); err != nil {
		return err
	}
	if err := w.Store.SavePeople(ctx, w.ws, save); err != nil {
		return err
	}
	merges := make([]Merge, len(w.merged))
	for i, u := range w.merged {
		merges[i] = Merge{Loser: u.loser.rec.Num, Winner: w.heirs[u.loser].rec.Num}
	}
	if err := w.repoint(ctx, w.ws, w.component.kinds, merges); err != nil {
		return err
	}
	return w.Store.Redirect(ctx, w.ws, merges)
}

func sameRecord(a, b Record) bool {
	a.Updated, b.Updated = 0, 0
	return a == b
}

func (w *rework) writeLinks(ctx context.Context) error {
	var save []Link
	var drop []event.Identifier
	for id, n := range w.next.nodes {
		before := w.old.nodes[id]
		switch {
		case len(n.spans) == 0:
			if before != nil && before.stored {
				drop = append(drop, id)
			}
		case before == nil || !before.stored || before.row() != n.row():
			save = append(save, n.row())
			for _, sp := range n.spans {
				if sp.who != nil {
					w.changed[sp.who.find()] = true
				}
			}
		}
	}
	var spellings []Spelling
	for id, n := range w.old.nodes {
		if n.stored && w.next.one(id) != id {
			drop = append(drop, id) // another spelling stands for it
		}
	}
	for _, l := range save {
		if before := w.old.nodes[l.Identifier]; w.next.hashing && (before == nil || !before.stored) {
			for _, h := range w.component.kinds.spellings(l.Identifier) {
				spellings = append(spellings, Spelling{Hash: h, Of: l.Value})
			}
		}
	}
	if err := w.Store.AddSpellings(ctx, w.ws, spellings); err != nil {
		return err
	}
	slices.SortFunc(save, func(a, b Link) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value)) })
	if err := w.Store.SaveLinks(ctx, w.ws, save); err != nil {
		return err
	}
	return w.Store.DropLinks(ctx, w.ws, drop)
}

// entries tells what the new outcome changed.
func (w *rework) entries(now int64) []Entry {
	g := newGraph(w.component.kinds)
	at := moment{t: now}
	for _, u := range w.merged {
		g.log(verdict{who: w.heirs[u.loser], other: u.loser, action: Merged, reason: string(Replayed), at: at})
	}
	for _, x := range w.groups() {
		if n := w.moved[x]; n > 0 {
			g.log(verdict{who: x, action: Replayed, at: at, count: n})
		}
		for _, n := range sorted(x.nodes) {
			before := w.before(n)
			if n.owner() != x || before == nil || before.owner() == nil {
				continue
			}
			if was := w.heirs[before.owner()]; was != nil && was != x {
				g.log(verdict{who: x, other: was, action: Moved, reason: string(Replayed), ids: []event.Identifier{n.id}, at: at})
			}
		}
	}
	return g.entries(now)
}
