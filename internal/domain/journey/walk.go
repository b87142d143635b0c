package journey

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
)

// Walk is what walking an instance led to, as data: nothing has been done yet.
type Walk struct {
	Instance Instance
	Steps    []Step
	Effects  []Effect
	Tallies  []Count
	fresh    bool // the instance is new
	late     bool // the instance had ended before
}

// Effect is something to be done for one of the steps.
type Effect struct {
	node.Effect
	Step int         // index in Walk.Steps; len(Steps) if the person stays at the node that asks for it
	Node string      // that asks for it
	Key  string      // idempotency key: instance, node and visit
	Goal outbox.Goal // what a message is meant to bring about
}

// Needs returns what the instance may need to be given before it rests again.
func (p *Plan) Needs(i Instance) node.Needs {
	if s := p.nodes[i.Node]; s != nil {
		return s.reach
	}
	return node.Needs{}
}

// Enter makes the instance of a person who begins the journey now, at the first node and due at once.
func (p *Plan) Enter(id string, version int, e Entry, now time.Time) Walk {
	i := Instance{
		ID: id, Workspace: e.Workspace, Journey: e.Journey, Version: version, Person: e.Person, EntryKey: e.Key, Key: e.Live,
		Status: Active, Arrived: now, Entered: now, Due: now, Memory: Memory{Trigger: e.Trigger},
	}
	if p.holdsOut(e.Journey, e.Person) {
		return p.control(i)
	}
	w := Walk{Instance: i}
	w.tally("", In, 1)
	w.tally("", Inside, 1)
	w.arrive(p.start, now)
	return w
}

// maxProperties bounds what an instance keeps of its trigger event.
const maxProperties = 16 << 10

func keepable(e event.Kept) []byte {
	if len(e.Properties) > maxProperties {
		return nil
	}
	return event.Readable(e.Properties)
}

// Run walks on from where the instance stands until it rests or ends. It is pure. A light run is given no subject and
// stops, due at once, before the first node that needs one or wants something done.
func (p *Plan) Run(i Instance, in node.Input, now time.Time, light bool) Walk {
	w := Walk{Instance: i}
	p.run(&w, in, now, light)
	return w
}

func (p *Plan) run(w *Walk, in node.Input, now time.Time, light bool) {
	if w.Instance.Control {
		p.runControl(w, now)
		return
	}
	for range len(p.nodes) + 1 {
		s := p.nodes[w.Instance.Node]
		if s == nil {
			w.park(node.Because("node_missing", "node", w.Instance.Node))
			return
		}
		if light && (in.Event == nil || s.needs.Effects) && (s.needs.Subject || s.needs.Effects || p.asks()) {
			w.rest(now)
			return
		}
		var change time.Time // when time alone may fulfil an exit rule
		if !light {
			for _, x := range p.exits {
				if x.rule == nil {
					continue
				}
				asked := x.rule.Eval(in.Subject, now)
				if asked.Match {
					w.end(s, Exited, "exit_rule", x.reason, nil, now)
					return
				}
				change = sooner(change, asked.Next)
			}
		}
		r := s.node.Step(w.state(), in, now)
		in.Event, in.Answer = nil, nil
		for _, e := range r.Effects {
			w.Effects = append(w.Effects, Effect{
				Effect: e, Step: len(w.Steps), Node: s.id, Goal: goalOf(p.aimed), Key: w.Instance.key(),
			})
			if e.SetTraits != nil && in.Subject != nil {
				in.Subject = after(in.Subject, e.SetTraits)
			}
		}
		switch {
		case r.End == node.Goal:
			w.end(s, Done, "goal", r.Reason, r.GoalBy, now)
			return
		case r.End == node.Exited:
			w.end(s, Exited, "exit_node", r.Reason, nil, now)
			return
		case !r.Failed.IsZero():
			w.Instance.Memory.Data = nil // whoever is sent on begins the step anew
			w.park(r.Failed)
			return
		case r.Output == "":
			if r.Due.IsZero() && len(s.node.Listens()) == 0 && !s.needs.Watches {
				w.park(node.Because("no_rest"))
				return
			}
			w.Instance.Memory.Data, w.Instance.Memory.Until, w.Instance.Memory.Waits = r.Data, r.Due, r.Reason
			w.rest(sooner(r.Due, change))
			return
		}
		if r.Answer != nil {
			w.remember(s.id, *r.Answer)
		}
		to := s.next[r.Output]
		if to == "" {
			w.leave(s, r.Output, r.Reason, now)
			w.finish(Done, "end", node.Because("end_of_path"), nil, now)
			return
		}
		w.leave(s, r.Output, r.Reason, now)
		w.arrive(to, now)
	}
	w.park(node.Because("no_pause"))
}

// sooner returns the earlier of two times, of which zero means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// What is kept of answers is small: they travel with the person.
const maxAnswers = 64 << 10

// remember keeps an answer for the nodes that follow. One for which there is no room is kept without its body.
func (w *Walk) remember(id string, a node.Answer) {
	m := maps.Clone(w.Instance.Memory.Answers)
	if m == nil {
		m = map[string]json.RawMessage{}
	}
	delete(m, id)
	size := len(a.Body)
	for _, other := range m {
		size += len(other)
	}
	if size > maxAnswers {
		a.Body = nil
	}
	raw, err := json.Marshal(a)
	if err != nil { // the body was read as JSON before
		raw = json.RawMessage(`{}`)
	}
	m[id] = raw
	w.Instance.Memory.Answers = m
}

// key names the present visit of the present node: what is done for it is done once.
func (i Instance) key() string {
	return fmt.Sprintf("%s%s:%d", keysOf(i.ID), i.Node, i.Memory.Visits[i.Node])
}

// keysOf is what the keys of everything that is done for a round begin with.
func keysOf(instance string) string { return "jrn:" + instance + ":" }

// after is the subject as it will be once the traits are written, for the nodes that follow.
func after(old *rule.Subject, change *node.SetTraits) *rule.Subject {
	s := *old
	s.Traits = change.On(old.Traits)
	return &s
}

// asks reports whether something is asked of the person before every step.
func (p *Plan) asks() bool { return p.exitNeeds().Subject }

// Hear tells an instance of an event of its person. It is pure; false means that the event changes nothing.
func (p *Plan) Hear(i Instance, e event.Kept, now time.Time) (Walk, bool) {
	w := Walk{Instance: i}
	if i.Control {
		if i.Inside() && p.reaches(i, e) {
			r := node.ReachedBy(e, p.aimed.Value)
			w.finish(Done, "goal", r.Reason, r.GoalBy, now)
			return w, true
		}
		return w, false
	}
	s := p.nodes[i.Node]
	if s == nil || !i.Inside() || !follows(e, i.Memory.Trigger) {
		return w, false
	}
	if p.reaches(i, e) {
		r := node.ReachedBy(e, p.aimed.Value)
		w.end(s, Done, "goal", r.Reason, r.GoalBy, now)
		return w, true
	}
	for _, x := range p.exits {
		if x.match != nil && x.match.MatchAfter(i.Memory.Trigger, e) {
			w.end(s, Exited, "exit_rule", x.reason, nil, now)
			return w, true
		}
	}
	if i.Status == Active && slices.ContainsFunc(s.node.Listens(), func(m *node.Matcher) bool { return m.MatchAfter(i.Memory.Trigger, e) }) {
		w.Instance.Memory.Trigger.Hops = min(i.Memory.Trigger.Hops, e.Hops) // what a person does is a new beginning
		p.run(&w, node.Input{Event: &e}, now, true)
		// A node that has something done is stepped by the worker; it only has to look at once.
		return w, len(w.Steps) > 0 || s.needs.Effects && w.Instance.Due.Equal(now) && i.Due.After(now)
	}
	return w, false
}

// Unwants says how the event would have taken somebody out of a round that has walked to its end, empty if it would not have: what still waits
// of its messages has lost its sense.
func (p *Plan) Unwants(i Instance, e event.Kept) (why string) {
	if i.Control || i.Inside() || !i.walkedOut() || !follows(e, i.Memory.Trigger) {
		return ""
	}
	if p.reaches(i, e) {
		return "goal"
	}
	if slices.ContainsFunc(p.exits, func(x exitRule) bool { return x.match != nil && x.match.MatchAfter(i.Memory.Trigger, e) }) {
		return "exit_rule"
	}
	return ""
}

// follows reports whether the event came after the one that let the person in. Of two at the same moment the log decides, so that
// a batch that is redone does not undo what it did.
func follows(e event.Kept, t node.Trigger) bool {
	if e.Time.Equal(t.Time) {
		return t.Position.Before(e.Position)
	}
	return e.Time.After(t.Time)
}

// Take is the walk of an instance that ends from outside: stopped, merged, removed, person gone.
func (p *Plan) Take(i Instance, why string, reason node.Reason, now time.Time) Walk {
	w := Walk{Instance: i}
	if i.Control {
		w.finish(Exited, why, reason, nil, now)
		return w
	}
	s := &step{id: i.Node}
	if p != nil && p.nodes[i.Node] != nil {
		s = p.nodes[i.Node]
	}
	w.end(s, Exited, why, reason, nil, now)
	return w
}

func (w *Walk) state() node.State {
	i := w.Instance
	return node.State{Key: i.key(), Trigger: i.Memory.Trigger, Entered: i.Entered, Arrived: i.Arrived, Visit: i.Memory.Visits[i.Node], Data: i.Memory.Data, Answers: i.Memory.Answers}
}

func (w *Walk) tally(nodeID, what string, n int64) {
	i := w.Instance
	w.Tallies = append(w.Tallies, Count{Tally{i.Workspace, i.Journey, i.Version, nodeID, what}, n})
}

func (w *Walk) arrive(id string, now time.Time) {
	i := &w.Instance
	i.Node, i.Arrived, i.Memory.Data = id, now, nil
	i.Memory.Until, i.Memory.Waits = time.Time{}, node.Reason{}
	visits := maps.Clone(i.Memory.Visits)
	if visits == nil {
		visits = map[string]int{}
	}
	visits[id]++
	i.Memory.Visits = visits
	w.tally(id, In, 1)
}

func (w *Walk) rest(due time.Time) {
	w.Instance.Due = due
	w.Instance.Attempts, w.Instance.Error = 0, node.Reason{}
}

func (w *Walk) leave(s *step, output string, reason node.Reason, now time.Time) {
	w.log(s, output, "", reason, now)
	w.tally(s.id, Out+":"+output, 1)
}

func (w *Walk) log(s *step, output, why string, reason node.Reason, now time.Time) {
	i := &w.Instance
	i.Seq++
	w.Steps = append(w.Steps, Step{
		Workspace: i.Workspace, Journey: i.Journey, Version: i.Version, Instance: i.ID, Person: i.Person,
		Seq: i.Seq, Node: s.id, Kind: s.kind, Arrived: i.Arrived, Left: now, Output: output, Why: why, Reason: reason,
	})
}

// end leaves the journey from inside a node.
func (w *Walk) end(s *step, status InstanceStatus, why string, reason node.Reason, by *node.Reached, now time.Time) {
	w.log(s, "", why, reason, now)
	w.tally(s.id, Ended+":"+why, 1)
	w.finish(status, why, reason, by, now)
}

func (w *Walk) finish(status InstanceStatus, why string, reason node.Reason, by *node.Reached, now time.Time) {
	i := &w.Instance
	if i.Status == Parked {
		w.tally(i.Node, Failing, -1)
	}
	i.Status, i.Why, i.Reason, i.Ended, i.Due = status, why, reason, now, time.Time{}
	i.Attempts, i.Error, i.Memory.Data = 0, node.Reason{}, nil
	i.Memory.Until, i.Memory.Waits = time.Time{}, node.Reason{}
	if i.Control {
		w.finishControl(by)
		return
	}
	w.tally("", Inside, -1)
	w.tally("", Ended+":"+why, 1)
	if by != nil {
		i.GoalAt, i.Goal = by.Time, by
		w.tally("", Goals, 1)
		if by.Currency != "" {
			w.tally("", Revenue+":"+by.Currency, by.Minor)
		}
	}
}

// park keeps the person where they are until someone has mended what is wrong.
func (w *Walk) park(why node.Reason) {
	i := &w.Instance
	i.Status, i.Error, i.Due = Parked, why, time.Time{}
	w.tally(i.Node, Failing, 1)
}
