package journey

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/task"
)

// write stores walks and carries out what they ask for. It must be called inside the transaction in which the instances were
// seized or held.
func (s *Service) write(ctx context.Context, walks []Walk) error {
	_, err := s.written(ctx, walks)
	return err
}

// written is write and returns the ids of the new instances that the store let in.
func (s *Service) written(ctx context.Context, walks []Walk) (map[string]bool, error) {
	walks, err := s.others(ctx, walks)
	if err != nil {
		return nil, err
	}
	walks, added, err := s.enter(ctx, walks)
	if err != nil || len(walks) == 0 {
		return added, err
	}
	return added, s.carryOut(ctx, walks)
}

func (s *Service) carryOut(ctx context.Context, walks []Walk) error {
	now := s.c.Clock.Now()
	ctx = behind(ctx, walks, now)
	if err := s.send(ctx, walks); err != nil {
		return err
	}
	if err := s.withdraw(ctx, walks); err != nil {
		return err
	}
	if err := s.ask(ctx, walks); err != nil {
		return err
	}
	var (
		saved  []Instance
		steps  []Step
		counts = map[Tally]int64{}
		events []event.Event
	)
	for _, w := range walks {
		for _, e := range w.Effects {
			if e.Task != nil {
				i := w.Instance
				if _, err := s.c.Tasks.Create(ctx, i.Workspace, e.Key, task.Draft{Title: e.Task.Title, Note: e.Task.Note, Person: i.Person, Assignee: e.Task.Assignee, Role: e.Task.Role, Due: e.Task.Due},
					task.Origin{Journey: i.Journey, Round: i.ID, Node: e.Node}); err != nil {
					return fmt.Errorf("make task: %w", err)
				}
			}
			if e.SetTraits != nil {
				if err := s.c.Traits.ChangeTraits(ctx, w.Instance.Workspace, w.Instance.Person, e.SetTraits.Traits, e.SetTraits.Increment, e.Key); err != nil {
					return fmt.Errorf("set traits: %w", err)
				}
			}
		}
		if !w.fresh {
			saved = append(saved, w.Instance)
		}
		steps = append(steps, w.Steps...)
		for _, t := range w.Tallies {
			counts[t.Tally] += t.N
		}
		more, err := announce(w, now)
		if err != nil {
			return err
		}
		events = append(events, more...)
	}
	if err := s.c.Store.Save(ctx, saved); err != nil {
		return err
	}
	if err := s.c.Store.AddSteps(ctx, steps); err != nil {
		return err
	}
	if err := s.c.Store.AddCounts(ctx, sum(counts)); err != nil {
		return err
	}
	if len(events) == 0 {
		return nil
	}
	return s.c.Emitter.Emit(ctx, events...)
}

// enter adds the instances that are new and drops the walks of those that the store would not let in.
func (s *Service) enter(ctx context.Context, walks []Walk) ([]Walk, map[string]bool, error) {
	var fresh []Instance
	for _, w := range walks {
		if w.fresh {
			fresh = append(fresh, w.Instance)
		}
	}
	if len(fresh) == 0 {
		return walks, nil, nil
	}
	added, err := s.c.Store.Enter(ctx, fresh)
	if err != nil {
		return nil, nil, err
	}
	return slices.DeleteFunc(walks, func(w Walk) bool { return w.fresh && !added[w.Instance.ID] }), added, nil
}

// send asks the outbox for the messages and notes its decisions with the steps.
func (s *Service) send(ctx context.Context, walks []Walk) error {
	var reqs []outbox.Request
	var of []struct {
		walk *Walk
		step int
	}
	for n := range walks {
		w := &walks[n]
		for _, e := range w.Effects {
			if e.Send == nil {
				continue
			}
			i := w.Instance
			priority, err := outbox.ParsePriority(e.Send.Priority)
			if err != nil {
				return err
			}
			reqs = append(reqs, outbox.Request{
				Workspace: i.Workspace, PersonID: i.Person, Channel: e.Send.Channel, Topic: e.Send.Topic, Template: e.Send.Template, Vars: e.Send.Vars,
				Source: outbox.Source{Kind: "journey", ID: i.Journey, Version: i.Version, Node: w.Steps[e.Step].Node},
				Key:    e.Key, Transactional: e.Send.Transactional, Priority: priority, Goal: e.Goal,
			})
			of = append(of, struct {
				walk *Walk
				step int
			}{w, e.Step})
		}
	}
	if len(reqs) == 0 {
		return nil
	}
	decisions, err := s.c.Outbox.Enqueue(ctx, reqs)
	if err != nil {
		return fmt.Errorf("ask for messages: %w", err)
	}
	if len(decisions) != len(reqs) {
		return fmt.Errorf("ask for messages: %d decisions for %d requests", len(decisions), len(reqs))
	}
	for n, d := range decisions {
		w, st := of[n].walk, &of[n].walk.Steps[of[n].step]
		st.MessageID = d.MessageID
		if d.Allowed {
			st.Reason = node.Because("message_queued")
			w.tally(st.Node, Queued, 1)
			continue
		}
		st.Refused, st.Reason = d.Reason, node.Reason{Code: "message_refused", Data: node.Data(d.Data)}
		w.tally(st.Node, Refused+":"+d.Reason, 1)
	}
	return nil
}

// withdraw takes back what still waits of the messages to people who have left before the end of their way: whoever has paid in the night is
// not reminded in the morning.
func (s *Service) withdraw(ctx context.Context, walks []Walk) error {
	byWorkspace := map[string][]outbox.Withdrawal{}
	for _, w := range walks {
		i := w.Instance
		if i.Control || w.late || i.Inside() || i.walkedOut() {
			continue
		}
		byWorkspace[i.Workspace] = append(byWorkspace[i.Workspace], i.withdrawal(i.Why))
	}
	for ws, all := range byWorkspace {
		if err := s.c.Outbox.Withdraw(ctx, ws, all); err != nil {
			return fmt.Errorf("withdraw messages: %w", err)
		}
	}
	return nil
}

// walkedOut reports whether the round has ended by itself, so that its messages are wanted all the same.
func (i Instance) walkedOut() bool { return i.Why == "end" || i.Why == "exit_node" }

// withdrawal names the messages of a round.
func (i Instance) withdrawal(why string) outbox.Withdrawal {
	return outbox.Withdrawal{Person: i.Person, Source: source(i.Journey), Keys: keysOf(i.ID), Data: outbox.Evidence{"journey": i.Journey, "why": why}}
}

// announce makes the events that tell the rest of the product of entering and leaving.
func announce(w Walk, now time.Time) ([]event.Event, error) {
	i := w.Instance
	if i.Control || w.late {
		return nil, nil // nothing happened to the person
	}
	var out []event.Event
	add := func(name, what string, at time.Time, more map[string]any) error {
		props := map[string]any{
			"journey_id": i.Journey, "version": i.Version, "instance_id": i.ID,
			"source_kind": "journey", "source_id": i.Journey, "node": i.Node,
		}
		for k, v := range more {
			props[k] = v
		}
		raw, err := json.Marshal(props)
		if err != nil {
			return err
		}
		out = append(out, event.Event{
			Workspace: i.Workspace, MessageID: "jrn:" + i.ID + ":" + what, Type: event.Journey, Name: name,
			PersonID: i.Person, Time: at, Received: now, Origin: event.Internal, Properties: raw,
		})
		return nil
	}
	if w.fresh {
		if err := add(event.JourneyEntered, "entered", i.Entered, map[string]any{"trigger_message_id": i.EntryKey}); err != nil {
			return nil, err
		}
	}
	if i.Inside() {
		return out, nil
	}
	if i.Goal != nil {
		more := map[string]any{"goal_message_id": i.Goal.MessageID, "goal_event": i.Goal.Name}
		if i.Goal.Currency != "" {
			more["amount_minor"], more["currency"] = i.Goal.Minor, i.Goal.Currency
		}
		if err := add(event.JourneyGoal, "goal", i.Ended, more); err != nil {
			return nil, err
		}
	}
	return out, add(event.JourneyExited, "exited", i.Ended, exited(i))
}

// exited is what the event of leaving says: the code of the way in which it ended, and the author's own words for it, if there are any.
func exited(i Instance) map[string]any {
	out := map[string]any{"why": i.Why}
	if text, _ := i.Reason.Data["text"].(string); text != "" {
		out["reason"] = text
	}
	return out
}

// sum turns tallies into counts, in an order that keeps concurrent transactions from waiting for each other in a circle.
func sum(counts map[Tally]int64) []Count {
	out := make([]Count, 0, len(counts))
	for t, n := range counts {
		if n != 0 {
			out = append(out, Count{t, n})
		}
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Journey, b.Journey), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Node, b.Node), cmp.Compare(a.What, b.What))
	})
	return out
}

// Unwanted returns which of a journey's messages are not wanted any more because a rule of its exits holds by now, by id, and why; the outbox asks before what has
// waited goes. The round may be inside or over: nobody watches rules between steps, nor for people who are not inside. What is transactional is wanted.
func (s *Service) Unwanted(ctx context.Context, ws string, messages []outbox.Message) (map[string]outbox.Evidence, error) {
	byVersion := map[planKey][]outbox.Message{}
	for _, m := range messages {
		if m.Source.Kind == "journey" && !m.Transactional {
			k := planKey{ws, m.Source.ID, m.Source.Version}
			byVersion[k] = append(byVersion[k], m)
		}
	}
	out, now := map[string]outbox.Evidence{}, s.c.Clock.Now()
	for k, asked := range byVersion {
		p, err := s.plan(ctx, k)
		if permanent(err) {
			continue // gone, or of another release: nothing says that it is not wanted
		}
		if err != nil {
			return nil, fmt.Errorf("load version %d of journey %s: %w", k.version, k.journey, err)
		}
		need := p.exitNeeds()
		if !need.Subject {
			continue
		}
		people := make([]string, len(asked))
		for n, m := range asked {
			people[n] = m.PersonID
		}
		subjects, err := s.c.Subjects.Subjects(ctx, ws, people, need.Names, need.All)
		if err != nil {
			return nil, fmt.Errorf("load %d people: %w", len(people), err)
		}
		for _, m := range asked {
			subject := subjects[m.PersonID]
			if subject != nil && slices.ContainsFunc(p.exits, func(x exitRule) bool { return x.rule != nil && x.rule.Eval(subject, now).Match }) {
				out[m.ID] = outbox.Evidence{"journey": k.journey, "why": "exit_rule"}
			}
		}
	}
	return out, nil
}
