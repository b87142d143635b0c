package ruletest

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
)

// source answers a rule from a store and the sets of the worlds.
type source struct {
	event.Store
	sets map[string]map[string]*roaring64.Bitmap
}

func (s source) Members(_ context.Context, ws, set string) (*roaring64.Bitmap, error) {
	return s.sets[ws][set], nil
}

// Run holds the audiences of the store equal to Eval. The store must be empty.
func Run(t *testing.T, store event.Store) {
	src := source{store, map[string]map[string]*roaring64.Bitmap{}}
	var worlds []*world
	var batch event.Batch
	for i, ws := range []string{"ws_1", "ws_2", "ws_3"} {
		w := newWorld(ws, uint64(i+1))
		w.addTo(&batch)
		src.sets[ws] = w.sets
		worlds = append(worlds, w)
	}
	if err := store.Append(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	subjects := map[string][]rule.Subject{}
	for _, w := range worlds {
		subjects[w.ws] = w.subjects()
		w.sameHistories(t, store)
	}
	for _, w := range worlds {
		t.Run(w.ws, func(t *testing.T) {
			people := subjects[w.ws]
			rapid.Check(t, func(rt *rapid.T) {
				tree := Tree(rt)
				r := parse(rt, tree)
				now := instant(rt)
				got, err := r.Audience(t.Context(), src, w.ws, now)
				if err != nil {
					rt.Fatalf("%s: %v", r.JSON(), err)
				}
				for i := range people {
					want := r.Eval(&people[i], now).Match
					if says := Oracle(tree, &people[i], now); says != want {
						rt.Fatalf("%s at %s: Eval says %v of person %d, by the definition it is %v\ntraits %s\nevents %s",
							r.JSON(), now.Format(time.RFC3339Nano), want, people[i].Num, says, show(people[i].Traits), show(people[i].Events))
					}
					if in := got.People.Contains(people[i].Num); in != want {
						rt.Fatalf("%s at %s: person %d is in the audience: %v, but Eval says %v\ntraits %s\nevents %s",
							r.JSON(), now.Format(time.RFC3339Nano), people[i].Num, in, want, show(people[i].Traits), show(people[i].Events))
					}
				}
				if n := got.People.GetCardinality(); n > uint64(len(people)) {
					rt.Fatalf("%s: the audience has %d of %d people", r.JSON(), n, len(people))
				}
			})
		})
	}
}

// RunNext checks in memory that an answer holds until its Next, and that EventNames asks for enough.
func RunNext(t *testing.T) {
	people := newWorld("ws_1", 11).subjects()
	rapid.Check(t, func(rt *rapid.T) {
		r := parse(rt, Tree(rt))
		p := &people[rapid.IntRange(0, len(people)-1).Draw(rt, "person")]
		now := instant(rt)
		res := r.Eval(p, now)
		if !res.Next.IsZero() && !res.Next.After(now) {
			rt.Fatalf("%s at %s: Next %s is not later", r.JSON(), now, res.Next)
		}
		if !r.Windowed() && !res.Next.IsZero() {
			rt.Fatalf("%s: Next %s of a rule without windows", r.JSON(), res.Next)
		}
		if few := r.Eval(onlyNeeded(r, p, now), now); few != res {
			rt.Fatalf("%s: %+v from the events it asks for, %+v from all of them", r.JSON(), few, res)
		}
		for i := range p.Events {
			for _, g := range grid {
				for _, n := range nudges[2:] {
					at := p.Events[i].Time.Add(g + n)
					if at.Before(now) || !res.Next.IsZero() && !at.Before(res.Next) {
						continue
					}
					if got := r.Eval(p, at).Match; got != res.Match {
						rt.Fatalf("%s at %s: %v until %s, but %v already at %s\nevents %s", r.JSON(), now.Format(time.RFC3339Nano), res.Match,
							res.Next.Format(time.RFC3339Nano), got, at.Format(time.RFC3339Nano), show(p.Events))
					}
				}
			}
		}
	})
}

// onlyNeeded is the subject with no more events than the rule asks for, those left out that are too old for it.
func onlyNeeded(r *rule.Rule, p *rule.Subject, now time.Time) *rule.Subject {
	names, all := r.EventNames()
	few := rule.Subject{Num: p.Num, ID: p.ID, Traits: p.Traits, Channels: p.Channels, In: p.In}
	for i := range p.Events {
		if p.Events[i].Time.Before(r.Since(now)) {
			continue
		}
		if all || slices.ContainsFunc(names, func(n string) bool { return event.Named(&p.Events[i].Event, n) }) {
			few.Events = append(few.Events, p.Events[i])
		}
	}
	return &few
}

// plain is a tree as a JSON decoder makes it.
func plain(tree object) object {
	var out object
	if err := json.Unmarshal(encode(tree), &out); err != nil {
		panic(err) // its own encoding
	}
	return out
}

// RunOracle holds Eval equal to the definition, in memory.
func RunOracle(t *testing.T) {
	people := newWorld("ws_1", 5).subjects()
	rapid.Check(t, func(rt *rapid.T) {
		tree := Tree(rt)
		r, now := parse(rt, tree), instant(rt)
		for i := range people {
			if got, want := r.Eval(&people[i], now).Match, Oracle(tree, &people[i], now); got != want {
				rt.Fatalf("%s at %s: Eval says %v of person %d, by the definition it is %v\ntraits %s\nevents %s",
					r.JSON(), now.Format(time.RFC3339Nano), got, people[i].Num, want, show(people[i].Traits), show(people[i].Events))
			}
		}
	})
}

func parse(t *rapid.T, tree any) *rule.Rule {
	r, err := rule.Parse(encode(tree))
	if err != nil {
		t.Fatalf("%s: %v", show(tree), err)
	}
	return r
}

func (w *world) subjects() []rule.Subject {
	var out []rule.Subject
	for _, m := range w.mirrors {
		out = append(out, rule.SubjectFrom(m, w.events[m.Num], func(set string) bool { return w.sets[set].Contains(m.Num) }))
	}
	return out
}

// sameHistories checks that asking for the events of a rule gives the subject what it needs.
func (w *world) sameHistories(t *testing.T, store event.Store) {
	t.Helper()
	var nums []uint64
	for _, m := range w.mirrors {
		nums = append(nums, m.Num)
	}
	got, err := store.Histories(t.Context(), w.ws, nums, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nums {
		if len(got[n]) != len(w.events[n]) {
			t.Fatalf("person %d has %d events in the store, want %d", n, len(got[n]), len(w.events[n]))
		}
		for i := range got[n] {
			if got[n][i].MessageID != w.events[n][i].MessageID {
				t.Fatalf("person %d, event %d is %s, want %s", n, i, got[n][i].MessageID, w.events[n][i].MessageID)
			}
		}
	}
}
