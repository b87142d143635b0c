package journey

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
)

// rehearsal lets one person live through a stretch of time with a plan, in memory: what happened to them happens again, and time jumps from one
// thing to the next. Nothing is stored or sent.
type rehearsal struct {
	plan    *Plan
	journey Journey
	policy  outbox.Policy
	subject *rule.Subject // with the whole history, in the order of event.Less
	zone    *time.Location
	home    *time.Location
	inSet   bool // belongs to the segment of the schedule
	from    time.Time
	to      time.Time
	first   *Entry                      // lets the person in at once
	once    bool                        // by that alone, not by their events or the clock
	replies map[string]node.Answer      // what other servers are imagined to say, by the node that asks; none: they never answer
	note    func(w Walk, now time.Time) // told of every walk, after the gate was asked

	now    time.Time
	past   int // how many events of the history have happened
	traits map[string]any
	rounds []*track
	slots  []outbox.Slot
	made   int
	steps  int
	due    time.Time // the next appointment, zero if there is none
	entry  Entry
	turned map[string]int64

	letters []TrialLetter // of once alone
	passed  int           // steps that note was told of
}

// TrialLetter is a message that a rehearsed step would have sent.
type TrialLetter struct {
	Step     int // index among the steps of the trace
	At       time.Time
	Channel  string
	Template string
	Vars     map[string]any // what the content is filled with beside the person
	Traits   map[string]any // of somebody made up, at that moment; of a person those that are not theirs today, nil for one that is gone
}

// maxRehearsed bounds the moves of one person, should a plan go round and round.
const maxRehearsed = 2000

// run lives through the time. It returns false if it gave up because the person moved without end.
func (r *rehearsal) run() bool {
	r.traits, r.turned = maps.Clone(r.subject.Traits), map[string]int64{}
	events := r.subject.Events
	r.past = sort.Search(len(events), func(n int) bool { return events[n].Time.After(r.from) })
	r.now = r.from
	if r.first != nil {
		r.enter(*r.first)
	}
	r.appoint()
	for r.steps < maxRehearsed {
		next, what := r.next(events)
		if what == nothing || next.After(r.to) {
			return true
		}
		r.now = maxTime(r.now, next)
		switch what {
		case anEvent:
			e := events[r.past]
			r.past++
			r.happen(e)
		case anAppointment:
			r.enter(r.entry)
			r.appoint()
		case aRound:
			r.wake()
		}
	}
	return false
}

const (
	nothing = iota
	anEvent
	anAppointment
	aRound
)

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// next finds what comes first; of things at the same moment the event.
func (r *rehearsal) next(events []event.Kept) (at time.Time, what int) {
	if r.past < len(events) {
		at, what = events[r.past].Time, anEvent
	}
	if !r.due.IsZero() && (what == nothing || r.due.Before(at)) {
		at, what = r.due, anAppointment
	}
	for _, t := range r.rounds {
		if i := t.inside; i != nil && i.Status == Active && !i.Due.IsZero() && (what == nothing || i.Due.Before(at)) {
			at, what = i.Due, aRound
		}
	}
	return at, what
}

// view is the person as they were now, with their traits of today and what the journey has set.
func (r *rehearsal) view() *rule.Subject {
	return &rule.Subject{
		Num: r.subject.Num, ID: r.subject.ID, Traits: maps.Clone(r.traits), Channels: r.subject.Channels, Events: r.subject.Events[:r.past], In: r.subject.In,
	}
}

func (r *rehearsal) track(live string) *track {
	for _, t := range r.rounds {
		if t.last != nil && t.last.Key == live {
			return t
		}
	}
	t := &track{}
	r.rounds = append(r.rounds, t)
	return t
}

func (r *rehearsal) happen(e event.Kept) {
	if r.once {
		r.change(e)
	}
	for _, t := range slices.Clone(r.rounds) {
		if t.inside == nil {
			continue
		}
		if w, changed := r.plan.Hear(*t.inside, e, r.now); changed {
			r.take(t, w)
		}
	}
	if r.plan.trigger.kind == ByInactive {
		r.appoint()
	}
	if !r.once && r.plan.trigger.match.Match(e) {
		r.enter(r.plan.EventEntry(r.journey, r.subject.ID, e))
	}
}

// change sets the traits that a made-up event brings, and lets those who wait for a condition be asked again, as the product does.
func (r *rehearsal) change(e event.Kept) {
	if e.Type == event.Identify && e.Origin == event.Internal {
		if r.traits == nil {
			r.traits = map[string]any{}
		}
		for name, v := range event.Object(e.Properties) {
			if v == nil {
				delete(r.traits, name)
			} else {
				r.traits[name] = v
			}
		}
	}
	for _, t := range r.rounds {
		if i := t.inside; i != nil && i.Status == Active && slices.Contains(r.plan.asking, i.Node) && (i.Due.IsZero() || i.Due.After(r.now)) {
			asked := *i
			asked.Due = r.now
			t.inside = &asked
		}
	}
}

// enter lets the person in, if the journey takes them.
func (r *rehearsal) enter(e Entry) {
	r.steps++
	t := r.track(e.Live)
	if reason := r.plan.refuses(t, e, r.now); reason != "" {
		r.turned[reason]++
		return
	}
	r.made++
	w := r.plan.Enter(fmt.Sprintf("ins_%d", r.made), r.journey.Published, e, r.now)
	w.fresh = true
	r.plan.run(&w, node.Input{}, r.now, true)
	r.take(t, w)
}

// wake moves the round that is due first.
func (r *rehearsal) wake() {
	var first *track
	for _, t := range r.rounds {
		if t.inside != nil && t.inside.Status == Active && !t.inside.Due.IsZero() && !t.inside.Due.After(r.now) && (first == nil || t.inside.Due.Before(first.inside.Due)) {
			first = t
		}
	}
	if first == nil {
		r.steps++
		return
	}
	in := node.Input{Subject: r.view(), Home: r.zone, Answer: first.reply}
	first.reply = nil
	r.take(first, r.plan.Run(*first.inside, in, r.now, false))
}

// take notes where a walk leads, asks the gate about its messages and remembers the traits it sets.
func (r *rehearsal) take(t *track, w Walk) {
	r.steps++
	i := w.Instance
	t.last, t.inside = &i, nil
	if i.Inside() {
		t.inside = &i
	}
	for _, e := range w.Effects {
		switch {
		case e.SetTraits != nil:
			r.traits = e.SetTraits.On(r.traits)
		case e.Send != nil && e.Step < len(w.Steps):
			st := &w.Steps[e.Step]
			if at, reason, data := r.gate(*e.Send); reason != "" {
				st.Refused, st.Reason = reason, node.Reason{Code: "message_refused", Data: node.Data(data)}
				w.tally(e.Node, Refused+":"+reason, 1)
			} else {
				if st.Reason = node.Because("message_would_go"); at.After(r.now) {
					st.Reason = node.Because("message_would_wait", "at", at.UTC().Format(time.RFC3339), "zone", r.zone.String())
				}
				w.tally(e.Node, Queued, 1)
				if r.once {
					r.letters = append(r.letters, TrialLetter{r.passed + e.Step, at, e.Send.Channel, e.Send.Template, e.Send.Vars, maps.Clone(r.traits)})
				}
			}
		case e.Errand != nil && t.inside != nil && t.inside.Node == e.Node:
			if a, known := r.reply(e); known {
				t.inside.Due, t.reply = r.now, &a
			}
		}
	}
	r.passed += len(w.Steps)
	r.note(w, r.now)
}

// reply is what comes of an errand at once, if anything does: lists are there to be changed, and other servers say what they are imagined to.
func (r *rehearsal) reply(e Effect) (node.Answer, bool) {
	if e.Errand.List != nil {
		return node.Answer{OK: true, Tries: 1}, true
	}
	a, known := r.replies[e.Node]
	return a, known
}

// gate says when a message would go, or why it would be refused, as far as that can be known: by the person's consent of today, the quiet hours, and caps over the messages of
// the rehearsal itself.
func (r *rehearsal) gate(s node.Send) (time.Time, string, outbox.Evidence) {
	kind := s.Channel
	if kind == "" {
		kind = "email"
	}
	c := r.subject.Channels[kind]
	switch {
	case !c.Reachable:
		return r.now, outbox.ReasonNoAddress, nil
	case s.Transactional:
		return r.now, "", nil
	case !c.Topics[s.Topic]:
		return r.now, outbox.ReasonNotSubscribed, nil
	}
	at, reason, data := r.policy.Forecast(r.subject.ID, kind, s.Topic, r.now, r.zone, r.slots)
	if reason == "" {
		r.slots = append(r.slots, outbox.Slot{PersonID: r.subject.ID, Channel: kind, Topic: s.Topic, At: at})
	}
	return at, reason, data
}

// appoint finds when the person enters next by the clock.
func (r *rehearsal) appoint() {
	t := &r.plan.trigger
	if r.due = (time.Time{}); r.once {
		return
	}
	switch t.kind {
	case ByDate:
		if e := r.plan.byDate(r.journey.Workspace, r.journey.ID, r.view(), r.zone, r.now); e != nil {
			r.entry, r.due = *e, e.Due
		}
	case ByInactive:
		var last time.Time
		for _, e := range r.subject.Events[:r.past] {
			if t.counts(e) {
				last = e.Time
			}
		}
		if last.IsZero() {
			return
		}
		if e := r.plan.byInactivity(r.journey.Workspace, r.journey.ID, r.subject.ID, last); e.Due.After(r.now) {
			r.entry, r.due = e, e.Due
		}
	case BySchedule:
		if !r.inSet {
			return
		}
		zone := t.in(r.home)
		if t.own {
			zone = r.zone
		}
		at, ok := civil{}, false
		if t.once != nil {
			at, ok = *t.once, t.once.in(zone).After(r.now)
		} else {
			var wall time.Time
			wall, ok = t.again.Next(r.now, zone)
			at = civilOf(wall)
		}
		if !ok {
			return
		}
		key := "schedule:" + at.String() + ":" + r.subject.ID
		r.due = at.in(zone)
		r.entry = Entry{
			Workspace: r.journey.Workspace, Journey: r.journey.ID, Slot: key, Person: r.subject.ID, Kind: BySchedule, Key: key, Due: r.due, Received: r.due,
			Trigger: node.Trigger{MessageID: key, Name: BySchedule, Time: r.due, Properties: props(map[string]any{"at": at.String()})},
		}
	}
}

// counts reports whether an event is activity of the kind that an inactivity trigger waits for the end of.
func (t *entrance) counts(e event.Kept) bool {
	if len(t.idleNames) == 0 {
		return slices.Contains([]event.Type{event.Track, event.Page, event.Screen}, e.Type)
	}
	return !node.ByMachine(e) && slices.ContainsFunc(node.Names(e), func(n string) bool { return slices.Contains(t.idleNames, n) })
}

// needs returns the names of all events that the plan may look at, and whether it may look at every one.
func (p *Plan) needs() (names []string, all bool) {
	set := map[string]bool{}
	add := func(some []string) {
		for _, n := range some {
			set[n] = true
		}
	}
	add(p.trigger.match.Names())
	add(p.trigger.idleNames)
	add(p.watched)
	for _, s := range p.nodes {
		add(s.reach.Names)
		all = all || s.reach.All
	}
	all = all || p.trigger.kind == ByInactive && len(p.trigger.idleNames) == 0
	return slices.Sorted(maps.Keys(set)), all
}
