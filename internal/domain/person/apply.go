package person

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Apply resolves and folds the records in one transaction and moves the position. It may be given records again, cut
// into other batches: what was folded once is only returned. Call RunTasks after the result was stored.
func (s *Service) Apply(ctx context.Context, records []LogRecord) (Applied, error) {
	batch, refused, err := s.read(ctx, records)
	if err != nil {
		return Applied{}, err
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	var out Applied
	changed := map[string][]*subject{}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = Applied{}
		for _, ws := range slices.Sorted(maps.Keys(batch)) {
			who, err := s.applyTo(ctx, ws, batch[ws], &out)
			if err != nil {
				return err
			}
			changed[ws] = who
		}
		var last uint64
		for _, r := range records {
			last = max(last, r.Seq)
		}
		waiting, err := s.Store.Tasks(ctx, 1) // also those that an earlier batch left
		if err != nil {
			return err
		}
		builds, err := s.Store.HashBuilds(ctx, 1)
		if err != nil {
			return err
		}
		out.Tasks = len(waiting)+len(builds) > 0
		return s.Store.SetPosition(ctx, last)
	})
	if err != nil {
		return Applied{}, err
	}
	for _, ws := range slices.Sorted(maps.Keys(changed)) {
		people, err := s.present(ctx, ws, changed[ws])
		if err != nil {
			return Applied{}, err
		}
		out.People = append(out.People, people...)
	}
	out.Refused = refused
	slices.SortFunc(out.Kept, func(a, b event.Kept) int {
		return cmp.Or(cmp.Compare(a.Position.Seq, b.Position.Seq), cmp.Compare(a.Position.Index, b.Position.Index))
	})
	return out, nil
}

// read parses all events, by workspace, in log order.
func (s *Service) read(ctx context.Context, records []LogRecord) (out map[string][]*occurrence, refused []string, err error) {
	out = map[string][]*occurrence{}
	regions, kindsOf := map[string]string{}, map[string]*kinds{}
	for _, r := range records {
		for i := range r.Events {
			ev := &r.Events[i]
			if ev.Workspace == "" {
				continue // erased; it keeps its place, so that the others keep theirs
			}
			region, known := regions[ev.Workspace]
			if !known {
				if region, err = s.region(ctx, ev.Workspace); err != nil {
					return nil, nil, err
				}
				regions[ev.Workspace] = region
				if kindsOf[ev.Workspace], err = s.kindsOf(ctx, ev.Workspace); err != nil {
					return nil, nil, err
				}
			}
			k := kindsOf[ev.Workspace]
			o := k.read(ev, event.Position{Seq: r.Seq, Index: i}, region)
			if s.Refuses != nil && ev.PersonID == "" && s.Refuses(ev.Workspace, o.linked(k)) {
				if subject := event.Subject(ev); subject == event.SubjectOf(ev.Workspace, "", "", "", ev.MessageID) {
					refused = append(refused, subject)
				}
				continue
			}
			out[ev.Workspace] = append(out[ev.Workspace], o)
		}
	}
	return out, refused, nil
}

// Carried returns the identifiers that an event comes with, in normal form; region is the country of telephone numbers that name none.
func (s *Service) Carried(ctx context.Context, ev *event.Event, region string) ([]event.Identifier, error) {
	k, err := s.kindsOf(ctx, ev.Workspace)
	if err != nil {
		return nil, err
	}
	return k.read(ev, event.Position{}, region).linked(k), nil
}

// Names reports whether identifiers of the kind name a person rather than a device.
func (s *Service) Names(ctx context.Context, ws, kind string) bool {
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		k = s.kinds // the kinds that every workspace has
	}
	i, ok := k.byName[kind]
	return ok && k.list[i].Strength == Strong
}

func (s *Service) region(ctx context.Context, ws string) (string, error) {
	if s.Region == nil {
		return "", nil
	}
	return s.Region(ctx, ws)
}

// applyTo handles the events of one workspace, and returns who is not who they were.
func (s *Service) applyTo(ctx context.Context, ws string, occs []*occurrence, out *Applied) ([]*subject, error) {
	if err := s.Store.Lock(ctx, ws); err != nil {
		return nil, err
	}
	fresh, redone, err := s.dedup(ctx, ws, occs)
	if err != nil {
		return nil, err
	}
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return nil, err
	}
	g := newGraph(k)
	if s.AliasIdentified != nil {
		if g.aliasOpen, err = s.AliasIdentified(ctx, ws); err != nil {
			return nil, err
		}
	}
	l := newLoader(g, s.Store, ws)
	if err := l.load(ctx, fresh, redone); err != nil {
		return nil, err
	}
	// Any order is right; that of time leaves the fewest tasks.
	inTime := slices.Clone(fresh)
	slices.SortStableFunc(inTime, func(a, b *occurrence) int { return a.at.compare(b.at) })
	for _, o := range inTime {
		if err := g.take(o); err != nil {
			return nil, err
		}
	}
	if err := s.flush(ctx, ws, g); err != nil {
		return nil, err
	}
	seen := make([]Seen, 0, len(fresh))
	day := s.Clock.Now().UnixMicro() / dayMicros
	for _, o := range fresh {
		if who := o.who.find(); who != nil {
			o.num = who.rec.Num
		}
		seen = append(seen, Seen{MessageID: o.at.m, Seq: o.pos.Seq, Index: o.pos.Index, Person: o.num, Day: day})
	}
	if err := s.Store.SaveSeen(ctx, ws, seen); err != nil {
		return nil, err
	}
	for _, o := range redone {
		if who := l.subject(o.num); who != nil {
			who.note(o)
			who.shown = who.shown || !o.ev.Tells() // what the first time changed is not known any more
			o.num = who.rec.Num
		}
	}
	return s.report(ctx, ws, g, slices.Concat(fresh, redone), len(redone) > 0, out)
}

// dedup separates events seen for the first time from those of a repeated batch and drops the others.
func (s *Service) dedup(ctx context.Context, ws string, occs []*occurrence) (fresh, redone []*occurrence, err error) {
	ids := make([]string, len(occs))
	for i, o := range occs {
		ids[i] = o.at.m
	}
	seen, err := s.Store.Seen(ctx, ws, ids)
	if err != nil {
		return nil, nil, err
	}
	inBatch := make(map[string]bool, len(occs))
	for _, o := range occs {
		before, known := seen[o.at.m]
		switch {
		case !known && !inBatch[o.at.m]:
			inBatch[o.at.m] = true
			fresh = append(fresh, o)
		case known && before.Seq == o.pos.Seq && before.Index == o.pos.Index:
			o.num = before.Person
			redone = append(redone, o)
		}
	}
	return fresh, redone, nil
}

func (l *loader) load(ctx context.Context, fresh, redone []*occurrence) error {
	var ids []event.Identifier
	var named []string
	mark := map[event.Identifier]bool{}
	for _, o := range fresh {
		if o.ev.PersonID != "" {
			named = append(named, o.ev.PersonID)
		}
		for _, id := range o.linked(l.kinds) {
			if id.Kind != kindPerson && !mark[id] {
				mark[id] = true
				ids = append(ids, id)
			}
		}
	}
	if err := l.links(ctx, ids); err != nil {
		return err
	}
	if err := l.named(ctx, named); err != nil {
		return err
	}
	var nums []uint64
	for _, o := range redone {
		nums = append(nums, o.num)
	}
	if err := l.people(ctx, nums); err != nil {
		return err
	}
	return l.whole(ctx, l.joiners(fresh))
}

// note counts a new event of the person.
func (s *subject) note(o *occurrence) {
	s.events++
	if o.ev.Tells() || (o.ev.Type.Behaviour() || o.ev.Type == event.Identify) && !o.addressed() {
		s.told++
	}
}

// addressed reports whether the event carries an identifier that may be an address: the one that came last is where somebody is reached.
func (o *occurrence) addressed() bool {
	return slices.ContainsFunc(o.ids, func(id event.Identifier) bool { return id.Kind != KindUser && id.Kind != KindAnonymous })
}

// take places and folds one event.
func (g *graph) take(o *occurrence) error {
	if o.ev.PersonID != "" {
		o.who = g.byID[o.ev.PersonID].find()
		if o.unbinds {
			g.place(o)
		}
	} else {
		o.who = g.place(o)
	}
	if g.err != nil {
		return g.err
	}
	if o.who == nil {
		return nil
	}
	o.who.note(o)
	refused, err := o.who.st.fold(o)
	if err != nil {
		return err
	}
	if o.who.st.newTraits || o.who.st.newFacts {
		o.who.dirty = true
		o.who.shown = o.who.shown || o.who.st.newValues
	}
	for _, reason := range refused {
		g.log(verdict{who: o.who, action: Refused, reason: reason, at: o.at})
	}
	return nil
}

// report adds what the workspace's events changed to the result, and returns who is not who they were.
func (s *Service) report(ctx context.Context, ws string, g *graph, occs []*occurrence, redo bool, out *Applied) (changed []*subject, err error) {
	for _, o := range occs {
		if o.num == 0 && o.ev.PersonID != "" {
			s.Log.WarnContext(ctx, "event names an unknown person", "workspace", ws, "person", o.ev.PersonID, "message", o.ev.MessageID)
			continue
		}
		out.Kept = append(out.Kept, event.Kept{Event: *o.ev, Person: o.num, Identifiers: o.linked(g.kinds), Position: o.pos})
	}
	for _, x := range g.subjects {
		if x.into == nil && (x.dirty || x.events > 0) {
			out.Touched = append(out.Touched, x.ref(ws))
			if !x.shown && x.told == x.events {
				out.Told = append(out.Told, Sighting{x.ref(ws), micros(x.rec.LastSeen)})
			} else {
				changed = append(changed, x)
			}
		}
	}
	for _, u := range g.unions {
		if u.loser.stored {
			out.Redirects = append(out.Redirects, event.Redirect{Workspace: ws, Loser: u.loser.rec.Num, Winner: u.loser.find().rec.Num})
		}
	}
	if !redo {
		return changed, nil
	}
	first, last := occs[0].pos.Seq, occs[0].pos.Seq
	for _, o := range occs {
		first, last = min(first, o.pos.Seq), max(last, o.pos.Seq)
	}
	again, err := s.Store.RedirectsBetween(ctx, first, last)
	if err != nil {
		return nil, err
	}
	for _, r := range again {
		if r.Workspace == ws && !slices.Contains(out.Redirects, r) {
			out.Redirects = append(out.Redirects, r)
		}
	}
	return changed, nil
}

// present returns people as the batch has just written them, so that nobody reads them again. Only the identifiers
// are read, of everybody who was there before or is made of several.
func (s *Service) present(ctx context.Context, ws string, changed []*subject) ([]Person, error) {
	if len(changed) == 0 {
		return nil, nil
	}
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return nil, err
	}
	var nums []uint64
	for _, x := range changed {
		if x.stored || x.rec.Merges > 0 {
			nums = append(nums, x.rec.Num)
		}
	}
	read, err := s.linksOf(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	out := make([]Person, len(changed))
	for i, x := range changed {
		links := read[x.rec.Num]
		if !x.stored && x.rec.Merges == 0 {
			for n := range x.nodes {
				if n.owner() == x {
					links = append(links, n.row())
				}
			}
		}
		if out[i], err = k.person(ws, x.rec, &x.st, links); err != nil {
			return nil, err
		}
	}
	return out, nil
}
