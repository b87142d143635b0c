package segment

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
)

// pass is one round of evaluation: some people against some segments, written in one transaction.
type pass struct {
	people []uint64 // whom to evaluate, each once
	gone   []uint64 // who is nobody any more: they leave the segments in scope in silence

	scope []*compiled // what can change, in the order of evaluation
	// root says which pairs are evaluated in any case; the others only if a set that the rule names changes.
	root func(c *compiled, person uint64) bool
	// why returns the cause of a change and the id of the message behind it, if any.
	why   func(c *compiled, person uint64, match bool) (Cause, string)
	given deltas                          // changes that follow from no rule; they are silent
	also  func(ctx context.Context) error // further writes of the transaction, may be nil
	save  *compiled                       // definition to write along, may be nil
}

func everyPair(*compiled, uint64) bool { return true }
func noPair(*compiled, uint64) bool    { return false }

func always(cause Cause) func(*compiled, uint64, bool) (Cause, string) {
	return func(*compiled, uint64, bool) (Cause, string) { return cause, "" }
}

// delta is a change of one set.
type delta struct {
	add, remove *roaring64.Bitmap
}

func newDelta() *delta { return &delta{add: roaring64.New(), remove: roaring64.New()} }

// deltas is the change of many sets.
type deltas map[string]*delta

func (d deltas) of(set string) *delta {
	if d[set] == nil {
		d[set] = newDelta()
	}
	return d[set]
}

// outcome is what a pass comes to before it is written.
type outcome struct {
	changes deltas
	events  []event.Event
	stored  map[pair]time.Time // deadlines that the people had before
	want    map[pair]time.Time // of every pair of windowed segment and person that was evaluated; zero means no deadline
}

type pair struct {
	segment string
	person  uint64
}

// apply carries out a pass and returns the view after it, nil if nothing changed.
func (s *Service) apply(ctx context.Context, w *workspace, v *view, p pass) (*view, error) {
	o, err := s.evaluate(ctx, w, v, p)
	if err != nil {
		return nil, err
	}
	set, remove := o.deadlineChanges()
	next, members := v.withMembers(o.changes)
	if len(members) == 0 && len(set) == 0 && len(remove) == 0 && p.also == nil && p.save == nil {
		return nil, nil
	}
	err = s.commit(ctx, w, v, func(ctx context.Context) error {
		if p.also != nil {
			if err := p.also(ctx); err != nil {
				return err
			}
		}
		if p.save != nil {
			if err := s.c.Store.UpdateSegment(ctx, w.id, p.save.Segment); err != nil {
				return err
			}
		}
		if err := s.c.Store.SaveMembers(ctx, w.id, members); err != nil {
			return err
		}
		if err := s.c.Store.SaveDeadlines(ctx, w.id, set, remove); err != nil {
			return err
		}
		if len(o.events) == 0 {
			return nil
		}
		return s.c.Emitter.Emit(ctx, o.events...)
	})
	if err != nil {
		return nil, err
	}
	if p.save != nil {
		next.segments = maps.Clone(next.segments)
		next.segments[p.save.ID] = p.save
		next.arrange()
	}
	if len(set) > 0 {
		s.toDue.Wake()
	}
	return next, nil
}

// evaluate asks the rules; it writes nothing.
func (s *Service) evaluate(ctx context.Context, w *workspace, v *view, p pass) (*outcome, error) {
	o := &outcome{changes: deltas{}, stored: map[pair]time.Time{}, want: map[pair]time.Time{}}
	for id, d := range p.given {
		g := o.changes.of(id)
		g.add.Or(d.add)
		g.remove.Or(d.remove)
	}
	for _, num := range p.gone {
		o.leave(v, p.scope, num)
	}
	if len(p.scope) == 0 {
		return o, nil
	}
	if slices.ContainsFunc(p.scope, func(c *compiled) bool { return c.windowed }) {
		stored, err := s.c.Store.Deadlines(ctx, w.id, slices.Concat(p.people, p.gone))
		if err != nil {
			return nil, err
		}
		for _, d := range stored {
			o.stored[pair{d.Segment, d.Person}] = d.Due
		}
	}
	mirrors, histories, err := s.subjects(ctx, w.id, p)
	if err != nil {
		return nil, err
	}
	now := s.c.Clock.Now()
	for _, num := range p.people {
		m, known := mirrors[num]
		if !known {
			// Not in the event store: merged away or erased, or so new that an event of theirs is still to come.
			o.leave(v, p.scope, num)
			continue
		}
		if err := s.evaluatePerson(v, p, o, m, histories[num], now, w.id); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// leave takes somebody out of the segments in silence.
func (o *outcome) leave(v *view, segments []*compiled, num uint64) {
	for _, c := range segments {
		if v.contains(c.ID, num) {
			o.changes.of(c.ID).remove.Add(num)
		}
		if c.windowed {
			o.want[pair{c.ID, num}] = time.Time{}
		}
	}
}

func (s *Service) evaluatePerson(v *view, p pass, o *outcome, m event.Mirror, history []event.Kept, now time.Time, ws string) error {
	answers := map[string]bool{}  // segments evaluated so far
	changed := map[string]Cause{} // those whose answer is another than before
	subject := rule.SubjectFrom(m, history, func(set string) bool {
		if in, ok := answers[set]; ok {
			return in
		}
		if d := p.given[set]; d != nil && (d.add.Contains(m.Num) || d.remove.Contains(m.Num)) {
			return d.add.Contains(m.Num)
		}
		return v.contains(set, m.Num)
	})
	for _, c := range p.scope {
		affected := func(set string) bool {
			d := p.given[set]
			return changed[set] != "" || d != nil && (d.add.Contains(m.Num) || d.remove.Contains(m.Num))
		}
		if !p.root(c, m.Num) && !slices.ContainsFunc(c.sets, affected) {
			continue
		}
		var r rule.Result
		if c.Status == Active {
			r = c.rule.Eval(&subject, now)
		}
		if c.windowed {
			o.want[pair{c.ID, m.Num}] = r.Next
		}
		answers[c.ID] = r.Match
		if r.Match == v.contains(c.ID, m.Num) {
			continue
		}
		cause, by := p.why(c, m.Num, r.Match)
		if due, had := o.stored[pair{c.ID, m.Num}]; cause == ByEvent && had && !due.After(now) {
			cause, by = ByTime, "" // an event came by before the clock was looked at
		}
		for _, set := range c.sets {
			if changed[set] == ByEdit {
				cause, by = ByEdit, ""
			}
		}
		changed[c.ID] = cause
		d := o.changes.of(c.ID)
		if r.Match {
			d.add.Add(m.Num)
		} else {
			d.remove.Add(m.Num)
		}
		e, err := membershipEvent(ws, c, m, r.Match, v.sets[c.ID].version+1, cause, by, timeOf(by, history), now)
		if err != nil {
			return err
		}
		o.events = append(o.events, e)
	}
	return nil
}

// subjects reads what the rules need to know about the people.
func (s *Service) subjects(ctx context.Context, ws string, p pass) (map[uint64]event.Mirror, map[uint64][]event.Kept, error) {
	if len(p.people) == 0 {
		return nil, nil, nil
	}
	people, err := s.c.Events.People(ctx, ws, p.people)
	if err != nil {
		return nil, nil, fmt.Errorf("people to evaluate: %w", err)
	}
	mirrors := make(map[uint64]event.Mirror, len(people))
	for _, m := range people {
		mirrors[m.Num] = m
	}
	names, all := []string{}, false
	now := s.c.Clock.Now()
	since := now
	for _, c := range p.scope {
		if names, all = append(names, c.names...), all || c.all; c.all || len(c.names) > 0 {
			if at := c.rule.Since(now); at.Before(since) { // zero is before everything
				since = at
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	switch {
	case all:
		names = nil
	case len(names) == 0:
		return mirrors, nil, nil
	}
	histories, err := s.c.Events.Recent(ctx, ws, p.people, names, since)
	if err != nil {
		return nil, nil, fmt.Errorf("histories to evaluate: %w", err)
	}
	return mirrors, histories, nil
}

// deadlineChanges compares the deadlines that a pass wants with those that there are.
func (o *outcome) deadlineChanges() (set, remove []Deadline) {
	for key, due := range o.want {
		before, had := o.stored[key]
		d := Deadline{Segment: key.segment, Person: key.person, Due: due}
		switch {
		case due.IsZero() && had:
			remove = append(remove, d)
		case !due.IsZero() && !(had && due.Equal(before)):
			set = append(set, d)
		}
	}
	return set, remove
}

// withMembers returns the view after the changes, and what is to be written for them.
func (v *view) withMembers(changes deltas) (*view, []Members) {
	n := &view{revision: v.revision + 1, sets: maps.Clone(v.sets), segments: v.segments, order: v.order}
	var out []Members
	for _, id := range slices.Sorted(maps.Keys(changes)) {
		d, old := changes[id], v.sets[id]
		if old == nil || d.add.IsEmpty() && d.remove.IsEmpty() {
			continue
		}
		bits := old.bits.Clone()
		bits.Or(d.add)
		bits.AndNot(d.remove)
		if bits.Equals(old.bits) {
			continue
		}
		next := &set{Set: old.Set, version: old.version + 1, bits: bits}
		n.sets[id] = next
		out = append(out, Members{
			Set: id, List: old.List, Size: bits.GetCardinality(), Version: next.version,
			Chunks: chunks(bits, roaring64.Or(d.add, d.remove)),
		})
	}
	return n, out
}

// chunks cuts out those parts of the bitmap in which something changed.
func chunks(bits, changed *roaring64.Bitmap) map[uint64][]uint16 {
	out := map[uint64][]uint16{}
	for c := changed.Iterator(); c.HasNext(); {
		hi := c.Next() >> 16
		low := []uint16{}
		it := bits.Iterator()
		for it.AdvanceIfNeeded(hi << 16); it.HasNext() && it.PeekNext()>>16 == hi; {
			low = append(low, uint16(it.Next()))
		}
		out[hi] = low
		c.AdvanceIfNeeded((hi + 1) << 16)
	}
	return out
}

// properties of the events that this package emits.
type properties struct {
	SegmentID      string `json:"segment_id"`
	SegmentName    string `json:"segment_name"`
	Cause          Cause  `json:"cause"`
	CauseMessageID string `json:"cause_message_id,omitempty"`
	// CauseTime is when the causing event happened, where that is known. It lies in the past if the event was imported or came
	// late; journeys do not start on old news.
	CauseTime time.Time `json:"cause_time,omitzero"`
	Version   uint64    `json:"version"`
}

// timeOf returns when the event happened, zero if it is not in the history.
func timeOf(messageID string, history []event.Kept) time.Time {
	if messageID == "" {
		return time.Time{}
	}
	for i := len(history) - 1; i >= 0; i-- {
		if history[i].MessageID == messageID {
			return history[i].Time
		}
	}
	return time.Time{}
}

func membershipEvent(ws string, c *compiled, m event.Mirror, entered bool, version uint64, cause Cause, by string, happened, now time.Time) (event.Event, error) {
	raw, err := json.Marshal(properties{SegmentID: c.ID, SegmentName: c.Name, Cause: cause, CauseMessageID: by, CauseTime: happened, Version: version})
	if err != nil {
		return event.Event{}, fmt.Errorf("segment event: %w", err)
	}
	name := event.SegmentEntered
	if !entered {
		name = event.SegmentLeft
	}
	return event.Event{
		Workspace: ws, MessageID: messagePrefix(c.ID) + fmt.Sprintf("%d:%d", m.Num, version), Type: event.Segment, Name: name,
		PersonID: m.ID, Time: now, Received: now, Origin: event.Internal, Properties: raw,
	}, nil
}

// messagePrefix begins the message id of every event about the segment.
func messagePrefix(segment string) string { return "seg:" + segment + ":" }
