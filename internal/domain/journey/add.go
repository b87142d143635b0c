package journey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

const (
	maxEntryKey = 200
	maxAdded    = 1000
)

// Addition asks to let one person in, by a program.
type Addition struct {
	Person string          // person id
	Key    string          // idempotency key: the same key lets nobody in twice
	Data   json.RawMessage // an object; messages and rules read it as the properties of the trigger
}

// Add lets a person into a live journey whose trigger is the API, with data of its own. The same key again gives the answer that it has now.
func (s *Service) Add(ctx context.Context, ws, journey string, a Addition) (Outcome, error) {
	if a.Key == "" || len(a.Key) > maxEntryKey {
		return Outcome{}, errs.Invalid("journey.entry.key", "idempotency_key", "give a key of at most %d characters that is new for each entry", maxEntryKey)
	}
	var data map[string]any
	if len(a.Data) > 0 && (json.Unmarshal(a.Data, &data) != nil || data == nil) {
		return Outcome{}, errs.Invalid("journey.entry.data", "data", "the data must be a JSON object")
	}
	if len(a.Data) > maxProperties {
		return Outcome{}, errs.Invalid("journey.entry.data.size", "data", "the data is larger than %d KB", maxProperties>>10)
	}
	var out Outcome
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		key := "api:" + a.Key
		if known, err := s.known(ctx, Entry{Workspace: ws, Journey: journey, Slot: key, Person: a.Person, Key: key}, &out); known || err != nil {
			return err // also of a journey that lets nobody in by now
		}
		l, err := s.running(ctx, ws, journey)
		if err != nil {
			return err
		}
		if l.plan.trigger.kind != ByAPI {
			return errs.Conflict("journey.not_api", "programs let nobody into this journey: its trigger is not the API")
		}
		var missing []string
		for _, f := range l.plan.trigger.required {
			if data[f] == nil {
				missing = append(missing, f)
			}
		}
		if len(missing) > 0 {
			return errs.Invalid("journey.entry.missing", "data."+missing[0], "the journey needs %s in the data", strings.Join(missing, ", "))
		}
		now := s.c.Clock.Now()
		e := Entry{
			Workspace: ws, Journey: journey, Slot: key, Person: a.Person, Kind: ByAPI, Key: key, Live: l.plan.reEntry.liveKey(a.Data), Due: now, Received: now,
			Trigger: node.Trigger{MessageID: key, Name: ByAPI, Time: now, Properties: a.Data},
		}
		all, err := s.admit(ctx, l, []Entry{e}, facts{}, now)
		if err != nil {
			return err
		}
		out = all[0]
		return nil
	})
	if err == nil {
		s.pulse.Wake()
	}
	return out, err
}

// known fills in what became of an entry that was made before. The same key for somebody else is a conflict.
func (s *Service) known(ctx context.Context, e Entry, out *Outcome) (bool, error) {
	mine := func(person string) error {
		if person == e.Person {
			return nil
		}
		return errs.Conflict("journey.entry.key_reused", "this key was used for somebody else; give each entry a new one")
	}
	i, err := s.c.Store.RoundOf(ctx, e.Workspace, e.Journey, e.Key)
	if err == nil {
		*out = Outcome{Instance: i.ID}
		return true, mine(i.Person)
	}
	if !errs.Is(err, errs.KindNotFound) {
		return false, err
	}
	refused, err := s.c.Store.RefusalOf(ctx, e.Workspace, e.Journey, e.Key)
	if err == nil {
		*out = Outcome{Reason: refused.Reason}
		return true, mine(refused.Person)
	}
	if !errs.Is(err, errs.KindNotFound) {
		return false, err
	}
	waiting, err := s.c.Store.Entries(ctx, e.Workspace, e.Journey, []string{e.Slot})
	if err != nil || len(waiting) == 0 {
		return false, err
	}
	*out = Outcome{Waiting: true}
	if err := mine(waiting[0].Person); err != nil {
		return true, err
	}
	l, err := s.running(ctx, e.Workspace, e.Journey)
	if errs.Is(err, errs.KindConflict) {
		out.Reason = NotRunning // until the journey goes on
		return true, nil
	}
	if err != nil {
		return false, err
	}
	r, err := s.room(ctx, l, s.c.Clock.Now())
	out.Reason = r.lack()
	return true, err
}

// running returns a live journey with the plan by which people enter it.
func (s *Service) running(ctx context.Context, ws, id string) (live, error) {
	j, err := s.c.Store.Get(ctx, ws, id)
	if err != nil {
		return live{}, err
	}
	if j.Status != Live {
		return live{}, errs.Conflict("journey.not_live", "only a live journey lets people in; this one is %s", j.Status)
	}
	p, err := s.plan(ctx, planKey{ws, id, j.Published})
	return live{j, p}, err
}

// Group is whom staff add to a journey: people by id, or everybody in a segment or list.
type Group struct {
	People []string
	Set    string
	Key    string // idempotency key: the same again adds nobody; empty for none
}

// CountGroup says how many people a group has now. Of a segment that is being evaluated nobody knows yet.
func (s *Service) CountGroup(ctx context.Context, ws string, g Group) (int64, error) {
	switch {
	case (g.Set == "") == (len(g.People) == 0):
		return 0, errs.Invalid("journey.group", "person_ids", "name either people or a segment or list")
	case len(g.People) > maxAdded:
		return 0, errs.Invalid("journey.group.size", "person_ids", "at most %d people by name; make a list of them", maxAdded)
	case g.Set == "":
		return int64(len(g.People)), nil
	}
	if err := s.c.Checker.CheckSet(ctx, ws, g.Set); err != nil {
		return 0, err
	}
	all, err := s.numbers(ctx, ws, g.Set)
	if errors.Is(err, errUnsettled) {
		return 0, errs.Conflict("journey.group.unsettled", "not all members of the segment are known yet; try again once it has been evaluated")
	}
	if err != nil {
		return 0, err
	}
	return int64(all.GetCardinality()), nil
}

// asked returns a task that was begun under an idempotency key, and reads what it was begun with.
func (s *Service) asked(ctx context.Context, ws, id string, with any) (Task, error) {
	t, err := s.c.Store.Task(ctx, ws, id)
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal(t.Data, with); err != nil {
		return t, fmt.Errorf("read task %s: %w", id, err)
	}
	return t, nil
}

// AddGroup begins to let a group into a live journey, whatever its trigger. expected is the number of people that was confirmed: more than that are
// refused. The re-entry rule and the caps hold for them too. By names who did it.
func (s *Service) AddGroup(ctx context.Context, ws, journey, by string, g Group, expected int64) (Task, error) {
	if len(g.Key) > maxEntryKey {
		return Task{}, errs.Invalid("journey.entry.key", "idempotency_key", "give a key of at most %d characters", maxEntryKey)
	}
	keyed := "add:" + journey + ":" + g.Key
	if g.Key != "" { // asked before: whoever has joined the segment since, and whether the journey still runs, is no matter
		var was addData
		t, err := s.asked(ctx, ws, keyed, &was)
		if err == nil && (was.Set != g.Set || !slices.Equal(slices.Sorted(slices.Values(was.People)), slices.Sorted(slices.Values(g.People)))) {
			return Task{}, errs.Conflict("journey.addition.key_reused", "this key was used for other people; give each addition a new one")
		}
		if !errs.Is(err, errs.KindNotFound) {
			return t, err
		}
	}
	n, err := s.CountGroup(ctx, ws, g)
	if err != nil {
		return Task{}, err
	}
	if n > expected {
		return Task{}, errs.Conflict("journey.group.grown", "these are %d people, not the %d that were confirmed; confirm again", n, expected)
	}
	data, err := json.Marshal(addData{People: g.People, Set: g.Set, By: by})
	if err != nil {
		return Task{}, fmt.Errorf("add people: %w", err)
	}
	now := s.c.Clock.Now()
	t := Task{
		ID: id.New("jtk"), Workspace: ws, Journey: journey, Kind: TaskAdd, Status: TaskRunning, Due: now, Total: n, Data: data, Rev: 1, CreatedAt: now, UpdatedAt: now,
	}
	if g.Key != "" {
		t.ID = keyed
	}
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		l, err := s.running(ctx, ws, journey)
		if err != nil {
			return err
		}
		t.Version = l.journey.Published
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
