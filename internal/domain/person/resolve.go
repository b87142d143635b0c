package person

import (
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// place finds out who the event belongs to and changes the graph accordingly. It is the sequential algorithm that
// identity is defined by; called in another order than that of time, it notes where the result may differ.
//
// With a user id: the owner of the user id, or the never identified owner of another identifier (claimed with all of
// their past), or a new person. Every other identifier is then attached if nobody owns it, brings its owner along if
// they were never identified, and changes hands from this event on if they have another user id.
//
// Without: the owners of the identifiers at the time of the event are merged, as far as at most one of them is
// identified; else the event goes to the owner of its best identifier and the conflicting ones are left alone.
func (g *graph) place(o *occurrence) *subject {
	p := &placing{graph: g, o: o}
	return p.run()
}

// placing is the work on one event.
type placing struct {
	*graph
	o        *occurrence
	involved []*subject // owners at any time of any of the nodes
	conflict bool       // two different user ids met
}

func (p *placing) log(v verdict) {
	v.source = p.o.ev.Source
	p.graph.log(v)
}

func (p *placing) run() *subject {
	o := p.o
	o.nodes = o.nodes[:0]
	for _, id := range o.ids {
		if n := p.node(id); !slices.Contains(o.nodes, n) {
			o.nodes = append(o.nodes, n)
		}
	}
	all := o.nodes
	if o.previous != "" {
		for _, id := range o.previousIDs() {
			if n := p.node(id); !slices.Contains(all, n) {
				all = append(slices.Clone(all), n)
			}
		}
	}
	late, contested := p.survey(all)
	// Whose an identifier is that only binds depends on who came with it first.
	p.conflict = slices.ContainsFunc(o.nodes, p.binds)
	settled := !late || !p.conflict && p.settled()

	var who *subject // stays nobody if identifiers are taken off: such an event belongs to the person whom it names
	switch {
	case len(o.nodes) == 0:
		return nil
	case o.unbinds:
		p.unbind()
	case o.user() == "":
		who = p.anonymous(p.linking())
	case o.previous != "":
		who = p.alias()
	default:
		who = p.withUser(o.nodes[0].owner(), nil)
	}
	p.settle(who, all, contested)
	if late && !settled && (contested || p.conflict) {
		p.tasks = append(p.tasks, o.linked(p.kinds))
	}
	return who
}

// survey reports whether something that depends on the same identifiers or people happened later than this event and was handled
// earlier, and whether any of them is contested.
func (p *placing) survey(all []*node) (late, contested bool) {
	for _, n := range all {
		late = late || p.o.at.before(n.last)
		contested = contested || n.contested || len(n.marks) > 0
		for _, sp := range n.spans {
			if s := sp.who.find(); s != nil && !slices.Contains(p.involved, s) {
				p.involved = append(p.involved, s)
				late = late || p.o.at.before(s.touch)
				contested = contested || s.rec.Contested
			}
		}
	}
	return late && !p.replay, contested
}

// settled reports whether the event is certain to change nothing but the figures of the person it goes to, were it handled in its
// place in time: then no later event depends on it. That is so if all its identifiers always had one and the same owner with one
// user id at most. They may have been different people at the time of the event, but then people without a user id who were
// merged into the owner whole, so nobody else can have met them in between.
func (p *placing) settled() bool {
	o := p.o
	if o.previous != "" || o.unbinds {
		return false
	}
	live := p.linking()
	for _, n := range live {
		if n.contested && o.at.t <= n.first {
			return false // an alias may have asked for it while it was not known yet
		}
	}
	switch len(live) {
	case 0:
		return true
	case 1:
		n := live[0]
		return n.ownerAt(o.at) != nil || len(n.spans) == 0 && !n.contested
	}
	owner := live[0].owner()
	for _, n := range live {
		if owner == nil || len(n.spans) != 1 || n.owner() != owner || len(n.users) > 1 {
			return false
		}
	}
	// Of two user ids that an alias joined, one may have taken an identifier from the other before.
	return o.user() == "" || owner.count(KindUser, 0, o.at.t) == 1
}

// linking returns the event's nodes that link at its time, those that only bind behind the others: they follow whom the others name.
func (p *placing) linking() []*node {
	live := make([]*node, 0, len(p.o.nodes))
	var last []*node
	for _, n := range p.o.nodes {
		switch {
		case n.isShared(p.o.at):
		case p.binds(n):
			last = append(last, n)
		default:
			live = append(live, n)
		}
	}
	return append(live, last...)
}

// binds reports whether the node never makes one of two people.
func (g *graph) binds(n *node) bool {
	i, ok := g.kinds.rank[n.id.Kind]
	return ok && g.kinds.list[i].Bind
}

// settle brings times and marks of everything involved up to date.
func (p *placing) settle(who *subject, all []*node, contested bool) {
	o := p.o
	contested = contested || p.conflict
	for _, n := range all {
		if len(n.spans) == 0 {
			continue
		}
		if n.last.before(o.at) {
			n.last, n.touched = o.at, true
		}
		if n.first == 0 || o.at.t < n.first {
			n.first, n.older = o.at.t, true
		}
		if contested && !n.contested {
			n.contested, n.dirty = true, true
		}
	}
	for _, s := range append(p.involved, who) {
		if s = s.find(); s == nil {
			continue
		}
		if contested && !s.rec.Contested {
			s.rec.Contested = true
			s.change()
		}
		if (p.conflict || s == who) && s.touch.before(o.at) {
			s.touch, s.dirty = o.at, true
		}
	}
	if who != nil {
		who.seen(o.at.t)
	}
}

// seen notes an event of the person. The first one of a day shows them anew, since rules see things beside the record that say nothing when they change,
// such as the topics of the workspace.
func (s *subject) seen(t int64) {
	s.dirty = true
	s.shown = s.shown || t/dayMicros > s.rec.LastSeen/dayMicros
	s.rec.LastSeen = max(s.rec.LastSeen, t)
	if s.rec.FirstSeen == 0 || t < s.rec.FirstSeen {
		s.rec.FirstSeen, s.shown = t, true
	}
}

// withUser handles an event with a user id. known is the owner of the user id, nil if it is new; kept is a node that must not
// change hands (the previous id of an alias).
func (p *placing) withUser(known *subject, kept *node) *subject {
	o := p.o
	user := o.nodes[0]
	rest := o.nodes[1:]
	if kept != nil && !slices.Contains(rest, kept) {
		rest = append(slices.Clone(rest), kept)
	}
	live := make([]*node, 0, len(rest))
	for _, n := range rest {
		switch {
		case n.isShared(o.at):
		case n.use(user.id.Value, o.at.t):
			p.share(n)
		default:
			live = append(live, n)
		}
	}
	who := known
	if who == nil {
		for _, n := range live {
			if c := n.ownerAt(o.at); c != nil && !p.binds(n) && !c.identified() && !c.keeps(user) && (who == nil || c != who && c.beats(who)) {
				who = c
			}
		}
		if who == nil {
			who = p.create()
		}
		p.identify(who, user)
	}
	for _, n := range live {
		who = p.link(who, n, n == kept)
	}
	return who
}

// share flags a node that too many users came with.
func (p *placing) share(n *node) {
	o := p.o
	owner := n.ownerAt(o.at)
	n.shared, n.dirty, p.conflict = o.at, true, true
	n.assign(o.at, nil)
	if owner != nil {
		owner.change()
		p.log(verdict{who: owner, action: Flagged, ids: []event.Identifier{n.id}, at: o.at})
	}
}

// unbind takes the event's nodes off whoever owned them at its time: from then on they are nobody's, until they come with somebody again.
func (p *placing) unbind() {
	o := p.o
	p.conflict = true
	for _, n := range o.nodes {
		owner := n.ownerAt(o.at)
		if owner == nil && len(n.spans) == 0 {
			n.assign(moment{}, nil) // an earlier owner may turn up later
			continue
		}
		n.assign(o.at, nil) // also if nobody has it yet: whoever turns up as its earlier owner has it until then
		if owner != nil {
			owner.change()
			p.log(verdict{who: owner, action: Unbound, ids: []event.Identifier{n.id}, at: o.at})
		}
	}
}

// create makes a person.
func (p *placing) create() *subject {
	s := p.add(&subject{whole: true, dirty: true, shown: true})
	s.rec.Best = 1 << 30
	s.rec.FirstSeen = p.o.at.t
	p.log(verdict{who: s, action: Created, at: p.o.at})
	return s
}

// identify gives a person their first user id.
func (p *placing) identify(s *subject, user *node) {
	s.rec.UserID = user.id.Value
	p.attach(s, user)
}

// attach gives an unowned node to a person.
func (p *placing) attach(s *subject, n *node) {
	o := p.o
	n.source = o.ev.Source
	if n.first == 0 {
		n.first = o.at.t
	}
	n.assign(o.at, s)
	s.rec.Links++
	s.rec.Best = min(s.rec.Best, n.rank)
	p.log(verdict{who: s, action: Linked, ids: []event.Identifier{n.id}, at: o.at})
}

// link joins a node to the event's person, who has a user id, and returns the person (the same, as whoever has the user id survives).
func (p *placing) link(who *subject, n *node, keep bool) *subject {
	o := p.o
	switch owner := n.ownerAt(o.at); {
	case owner == who:
	case owner == nil:
		if p.mayAttach(who, n) {
			p.attach(who, n)
		}
	case !owner.identified():
		if p.mayMerge(who, owner, n) {
			return p.merge(who, owner, n)
		}
	default:
		p.conflict = true
		reason := ReasonConflict
		if keep {
			reason = ReasonAlias
		}
		p.log(verdict{who: who, other: owner, action: Refused, reason: reason, ids: []event.Identifier{n.id}, at: o.at})
		if !keep && p.mayAttach(who, n) {
			n.assign(o.at, who)
			owner.change()
			p.log(verdict{who: who, other: owner, action: Moved, ids: []event.Identifier{n.id}, at: o.at})
		}
	}
	return who
}

// anonymous handles an event without a user id.
func (p *placing) anonymous(live []*node) *subject {
	o := p.o
	if len(live) == 0 {
		return p.kiosk(o.nodes[0])
	}
	var who *subject
	var open []*node
	for _, n := range live {
		owner := n.ownerAt(o.at)
		if who == nil && len(open) > 0 && p.binds(n) {
			who = p.create() // of the others, which nobody has yet; what only binds does not lend them its owner
		}
		switch {
		case owner == nil:
			open = append(open, n)
		case who == nil || owner == who:
			who = owner
		case owner.identified() && who.identified():
			p.conflict = true
			p.log(verdict{who: who, other: owner, action: Refused, reason: ReasonConflict, ids: []event.Identifier{n.id}, at: o.at})
		default:
			if p.mayMerge(who, owner, n) {
				who = p.merge(who, owner, n)
			}
		}
	}
	if who == nil {
		who = p.create()
	}
	for _, n := range open {
		if p.mayAttach(who, n) {
			p.attach(who, n)
		}
	}
	return who
}

// kiosk returns the person that a shared node's own events belong to.
func (p *placing) kiosk(n *node) *subject {
	if s := n.ownerAt(p.o.at); s != nil {
		return s
	}
	s := p.create()
	// From the flag on, or from the last unbinding, also for events that arrive late: they are nobody else's.
	from := n.at(p.o.at).from
	if from.before(n.shared) {
		from = n.shared
	}
	n.assign(from, s)
	s.rec.Links, s.rec.Best = 1, n.rank
	p.log(verdict{who: s, action: Linked, ids: []event.Identifier{n.id}, at: p.o.at})
	return s
}

// mayAttach reports whether the person may gain the node; if not, it says so in the log.
func (p *placing) mayAttach(s *subject, n *node) bool {
	o := p.o
	if p.keptApart(s, n) {
		return false
	}
	if s.owned() >= maxLinks {
		p.log(verdict{who: s, action: Refused, reason: ReasonLinkCap, ids: []event.Identifier{n.id}, at: o.at})
		return false
	}
	if limit, ok := p.limit(n.id.Kind); ok && s.count(n.id.Kind, limit.Window, o.at.t) >= limit.N {
		p.log(verdict{who: s, action: Demoted, reason: ReasonLimit, ids: []event.Identifier{n.id}, at: o.at})
		return false
	}
	return true
}

// keptApart reports whether it was decided that the node belongs to somebody else; if so, it says so in the log.
func (p *placing) keptApart(s *subject, n *node) bool {
	if !s.keeps(n) {
		return false
	}
	p.conflict = true
	if len(n.spans) == 0 {
		n.assign(moment{}, nil) // whom it came with must be remembered all the same
	}
	p.log(verdict{who: s, action: Refused, reason: ReasonApart, ids: []event.Identifier{n.id}, at: p.o.at})
	return true
}

func (g *graph) limit(kind string) (Limit, bool) {
	i, ok := g.kinds.rank[kind]
	if !ok {
		return Limit{}, false
	}
	return g.kinds.list[i].Limit, true
}

// mayMerge reports whether two people may become one because of the node; if not, it says so in the log.
func (p *placing) mayMerge(a, b *subject, via *node) bool {
	o := p.o
	refuse := func(action Action, reason string) bool {
		p.log(verdict{who: a, other: b, action: action, reason: reason, ids: []event.Identifier{via.id}, at: o.at})
		return false
	}
	if opposed(a.marks(), b.marks()) {
		p.conflict = true
		return refuse(Refused, ReasonApart)
	}
	if p.binds(via) {
		p.conflict = true // what comes late may name the owner otherwise
		return refuse(Refused, ReasonBinds)
	}
	if o.byHand() {
		return true // limits are for machines
	}
	if a.rec.Merges+b.rec.Merges+1 > maxMerges {
		return refuse(Refused, ReasonMergeCap)
	}
	if a.owned()+b.owned() > maxLinks {
		return refuse(Refused, ReasonLinkCap)
	}
	for _, k := range p.kinds.list {
		if k.Single() && a.identified() && b.identified() {
			continue // only an allowed alias gets here
		}
		na, nb := a.count(k.Name, k.Limit.Window, o.at.t), b.count(k.Name, k.Limit.Window, o.at.t)
		// What was over a limit before (a limit was lowered) is no reason to refuse someone who adds nothing.
		if na > 0 && nb > 0 && na+nb > k.Limit.N {
			return refuse(Demoted, ReasonLimit)
		}
	}
	return true
}

// merge makes two people one because of a node and returns the winner.
func (p *placing) merge(a, b *subject, via *node) *subject {
	o := p.o
	w, l := a, b
	switch {
	case a.identified() != b.identified():
		if b.identified() {
			w, l = b, a
		}
	case b.beats(a):
		w, l = b, a
	}
	for n := range l.nodes {
		for i := range n.spans {
			if n.spans[i].who.find() == l {
				n.spans[i].who = w
			}
		}
		n.dirty = true
		w.nodes[n] = true
	}
	l.into = w
	w.change()
	l.change()
	w.rec.Merges += l.rec.Merges + 1
	w.rec.Links += l.rec.Links
	w.rec.Best = min(w.rec.Best, l.rec.Best)
	w.rec.Contested = w.rec.Contested || l.rec.Contested
	w.rec.LastSeen = max(w.rec.LastSeen, l.rec.LastSeen)
	if w.rec.FirstSeen == 0 || l.rec.FirstSeen != 0 && l.rec.FirstSeen < w.rec.FirstSeen {
		w.rec.FirstSeen = l.rec.FirstSeen
	}
	if w.touch.before(l.touch) {
		w.touch = l.touch
	}
	w.events += l.events
	p.mergeState(w, l)
	p.log(verdict{who: w, other: l, action: Merged, ids: []event.Identifier{via.id}, at: o.at})
	p.unions = append(p.unions, union{loser: l, seq: o.pos.Seq})
	return w
}

// mergeState folds the loser's state into the winner's. A replay folds everything at the end instead.
func (p *placing) mergeState(w, l *subject) {
	if p.replay {
		return
	}
	refused, err := w.st.merge(&l.st)
	if p.err == nil {
		p.err = err
	}
	for _, reason := range refused {
		p.log(verdict{who: w, other: l, action: Refused, reason: reason, at: p.o.at})
	}
}

// alias handles "previous is the same person as the user id".
func (p *placing) alias() *subject {
	o := p.o
	ids := o.previousIDs()
	before, device := p.node(ids[0]), p.node(ids[1])
	user := o.nodes[0]
	known, owner := user.owner(), before.owner()
	switch {
	case owner == nil:
		// The previous id is a device so far. If it turns up as a user id later, but with an earlier time, the
		// outcome is another: it must be remembered that it was asked for.
		before.assign(moment{}, nil)
		before.contested = true
		return p.withUser(known, device)
	case known == nil:
		// A new name for a known person.
		p.conflict = true
		if !p.keptApart(owner, user) {
			p.attach(owner, user)
		}
	case known == owner:
	case (o.ev.Origin == event.Internal || o.ev.Origin == event.Server && p.aliasOpen) && p.mayMerge(known, owner, before):
		p.conflict = true
		p.merge(known, owner, before)
	default:
		p.conflict = true
		p.log(verdict{who: known, other: owner, action: Refused, reason: ReasonAlias, ids: []event.Identifier{user.id, before.id}, at: o.at})
	}
	return p.withUser(user.owner(), nil)
}
