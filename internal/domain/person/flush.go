package person

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

const dayMicros = int64(24 * time.Hour / time.Microsecond)

// flush writes what changed in the graph: people, merges, identifiers, decisions and tasks. New people get their
// numbers here; those merged away in the same batch never existed.
func (s *Service) flush(ctx context.Context, ws string, g *graph) error {
	now := s.Clock.Now().UnixMicro()
	movers := g.movers()
	var sought []*subject
	for _, x := range g.subjects {
		if x.into == nil && (!x.stored || x.st.newSought || movers[x]) {
			sought = append(sought, x)
		}
	}
	if err := s.flushPeople(ctx, ws, g, now); err != nil {
		return err
	}
	var save, touch []Link
	var drop []event.Identifier
	var spellings []Spelling
	for _, n := range g.nodes {
		switch {
		case len(n.spans) == 0:
		case n.dirty || n.older || n.touched && !n.stored:
			save = append(save, n.row())
			if n.was != (event.Identifier{}) {
				drop = append(drop, n.was)
			}
			if g.hashing && (!n.stored || n.was != (event.Identifier{})) {
				for _, h := range g.kinds.spellings(n.id) {
					spellings = append(spellings, Spelling{Hash: h, Of: n.id.Value})
				}
			}
		case n.touched:
			touch = append(touch, n.row())
		}
	}
	byValue := func(a, b Link) int {
		if c := strings.Compare(a.Kind, b.Kind); c != 0 {
			return c
		}
		return strings.Compare(a.Value, b.Value)
	}
	slices.SortFunc(save, byValue)
	slices.SortFunc(touch, byValue)
	if err := s.Store.SaveLinks(ctx, ws, save); err != nil {
		return err
	}
	if err := s.Store.TouchLinks(ctx, ws, touch); err != nil {
		return err
	}
	if err := s.Store.DropLinks(ctx, ws, drop); err != nil {
		return err
	}
	if err := s.saveSought(ctx, ws, sought, func(x *subject) bool { return movers[x] && !x.whole }); err != nil {
		return err
	}
	if err := s.Store.AddSpellings(ctx, ws, spellings); err != nil {
		return err
	}
	if g.beginHashing {
		if err := s.Store.BeginHashing(ctx, ws); err != nil {
			return err
		}
	}
	if err := s.Store.AddDecisions(ctx, ws, g.entries(now)); err != nil {
		return err
	}
	if err := s.suggest(ctx, ws, g.kinds, g.hints()); err != nil {
		return err
	}
	for _, seeds := range g.tasks {
		if err := s.addTask(ctx, ws, seeds); err != nil {
			return err
		}
	}
	for _, u := range g.unions {
		if !u.loser.stored {
			continue
		}
		for _, o := range s.Observers {
			if err := o.PeopleMerged(ctx, ws, u.loser.ref(ws), u.loser.find().ref(ws)); err != nil {
				return fmt.Errorf("tell of a merge: %w", err)
			}
		}
	}
	return nil
}

// addTask leaves the identity of what belongs to the identifiers to be worked out again.
func (s *Service) addTask(ctx context.Context, ws string, seeds []event.Identifier) error {
	b, err := json.Marshal(seeds)
	if err != nil {
		return fmt.Errorf("encode task: %w", err)
	}
	return s.Store.AddTask(ctx, Task{Workspace: ws, ID: id.New("tsk"), Seeds: string(b), Created: s.Clock.Now().UnixMicro()})
}

func (s *subject) ref(ws string) Ref { return Ref{Workspace: ws, ID: s.rec.ID, Num: s.rec.Num} }

func (s *Service) flushPeople(ctx context.Context, ws string, g *graph, now int64) error {
	var fresh []*subject
	var add, save []Record
	for _, x := range g.subjects {
		if x.into == nil && !x.stored {
			fresh = append(fresh, x)
		}
	}
	if len(fresh) > 0 {
		first, err := s.Store.NextNums(ctx, ws, len(fresh))
		if err != nil {
			return err
		}
		for i, x := range fresh {
			x.rec.Num, x.rec.ID, x.rec.Created = first+uint64(i), id.New("per"), now
		}
	}
	for _, x := range g.subjects {
		if x.into != nil || !x.dirty {
			continue
		}
		if err := x.seal(now); err != nil {
			return err
		}
		if x.stored {
			save = append(save, x.rec)
		} else {
			add = append(add, x.rec)
		}
	}
	if err := s.Store.AddPeople(ctx, ws, add); err != nil {
		return err
	}
	if err := s.Store.SavePeople(ctx, ws, save); err != nil {
		return err
	}
	var merges []Merge
	for _, u := range g.unions {
		if u.loser.stored {
			merges = append(merges, Merge{Loser: u.loser.rec.Num, Winner: u.loser.find().rec.Num, Seq: u.seq})
		}
	}
	if err := s.repoint(ctx, ws, g.kinds, merges); err != nil {
		return err
	}
	return s.Store.Redirect(ctx, ws, merges)
}

// seal brings the record up to date with the subject.
func (s *subject) seal(now int64) error {
	r := &s.rec
	r.Updated, r.Touch, r.TouchMsg = now, s.touch.t, s.touch.m
	if s.whole {
		r.Links, r.Best = s.owned(), s.best()
	}
	if err := s.st.encode(); err != nil {
		return err
	}
	r.Traits, r.Facts = s.st.rawTraits, s.st.rawFacts
	return nil
}

// soughtTraits are those that searchText reads.
var soughtTraits = map[string]bool{"name": true, "first_name": true, "firstName": true, "last_name": true, "lastName": true, "email": true, "phone": true}

// searchText is what a person is found by beside their identifiers: name and addresses, in lower case.
func searchText(traits map[string]trait) string {
	get := func(key string) string {
		t := traits[key]
		if t.D {
			return ""
		}
		return text(t.V)
	}
	parts := []string{displayName(get), get("email"), get("phone")}
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	return strings.ToLower(strings.Join(parts, "\n"))
}

// body is an Entry.Body.
type body struct {
	Action  Action             `json:"a"`
	Reason  string             `json:"r,omitempty"`
	IDs     []event.Identifier `json:"i,omitempty"`
	Other   uint64             `json:"o,omitempty"`
	Message string             `json:"m,omitempty"`
	Time    int64              `json:"t,omitempty"`
}

// entries turns the verdicts into rows of the log. What a new person came with is part of their creation, and nothing is said of
// people who were made and merged away inside the batch.
func (g *graph) entries(now int64) []Entry {
	created := map[*subject]int{} // index into out
	var out []Entry
	var bodies []body
	daily := map[string]int{}
	for _, v := range g.verdicts {
		who := v.who.find()
		b := body{Action: v.action, Reason: v.reason, IDs: v.ids, Message: v.at.m, Time: v.at.t}
		if v.other != nil {
			// A loser keeps its own number; others are shown as who they are now.
			if b.Other = v.other.rec.Num; v.action != Merged {
				b.Other = v.other.find().rec.Num
			}
		}
		_, isNew := created[who]
		switch {
		case v.action == Created && (who.stored || isNew), v.action == Merged && b.Other == 0:
			continue // the other half of a merge inside the batch
		case v.action == Created:
			created[who] = len(out)
		case v.action == Linked && isNew:
			c := &bodies[created[who]]
			c.IDs = append(slices.Clip(c.IDs), v.ids...)
			continue
		}
		e := Entry{EntryKey: EntryKey{At: now, ID: ""}, Person: who.rec.Num, Daily: v.daily, Count: v.count}
		if v.daily {
			e.At = now - now%dayMicros
			e.ID = "day-" + string(v.action) + "-" + v.reason
			if len(v.ids) > 0 {
				e.ID += "-" + v.ids[0].Kind
			}
			key := fmt.Sprint(e.Person, e.ID)
			if i, ok := daily[key]; ok {
				out[i].Count += v.count
				continue
			}
			daily[key] = len(out)
		} else {
			e.ID = id.New("dec")
		}
		out, bodies = append(out, e), append(bodies, b)
	}
	for i := range out {
		b, _ := json.Marshal(bodies[i]) // strings and numbers always encode
		out[i].Body = string(b)
	}
	return out
}
