package segment_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/ruletest"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

// TestMembersAreWhomTheDefinitionNames lets random things happen, rules of every kind of condition among them, and checks after each of them that
// the members kept up to date, the event store's answer about everyone and the plain words of the definition agree about everybody.
func TestMembersAreWhomTheDefinitionNames(t *testing.T) {
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			membersAreWhomTheDefinitionNames(t, newWorldOn(t, sqldbtest.Open(t, kind)))
		})
	}
}

func membersAreWhomTheDefinitionNames(t *testing.T, shared *world) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w := *shared
		w.tb, w.ws, w.people, w.emitted = rt, fmt.Sprintf("ws_all_%d", n), directory{}, nil
		w.clock.Set(ruletest.Base())
		w.Service = w.newService()
		defer func() { shared.seq = w.seq }()
		m := &model{world: &w, looks: map[uint64]event.Mirror{}, did: map[uint64][]event.Kept{}}
		for range 4 {
			m.join(rt)
		}
		m.lists = append(m.lists, w.list("L").ID)
		m.segment(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"event": m.event, "later event": m.event, "trait": m.trait, "wait": m.wait, "segment": m.segment, "edit": m.edit, "list": m.list,
			"merge": m.merge, "split": m.split, "erase": m.erase, "join": m.join,
			"restart": func(*rapid.T) { w.Service = w.newService() },
			"":        m.check,
		})
	})
}

// model is what is true, kept apart from the stores.
type model struct {
	*world
	looks    map[uint64]event.Mirror
	did      map[uint64][]event.Kept
	segments []string
	lists    []string
	last     uint64
	messages int
}

func (m *model) alive() []uint64 {
	var out []uint64
	for n := range m.looks {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func (m *model) person(t *rapid.T) uint64 { return rapid.SampledFrom(m.alive()).Draw(t, "person") }

func (m *model) look(t *rapid.T, num uint64) event.Mirror {
	traits, channels := ruletest.Looks(t)
	return event.Mirror{Workspace: m.ws, Num: num, ID: personID(num), Traits: traits, Channels: channels, FirstSeen: start, LastSeen: start}
}

func (m *model) join(t *rapid.T) {
	if len(m.looks) > 7 {
		t.Skip("enough people")
	}
	m.last++
	m.looks[m.last] = m.look(t, m.last)
	m.world.join(m.last) // makes the service know them
	m.keep(event.Batch{People: []event.Mirror{m.looks[m.last]}})
	m.touch(nil, m.last)
}

func (m *model) trait(t *rapid.T) {
	who := m.person(t)
	m.looks[who] = m.look(t, who)
	m.keep(event.Batch{People: []event.Mirror{m.looks[who]}})
	m.touch(nil, who)
}

// event happens now or long ago: most come late.
func (m *model) event(t *rapid.T) {
	who := m.person(t)
	var b event.Batch
	for range rapid.IntRange(1, 4).Draw(t, "events") {
		m.messages++
		k := ruletest.Happening(t, m.clock.Now())
		k.Workspace, k.Person, k.MessageID = m.ws, who, fmt.Sprintf("%s-%d", m.ws, m.messages)
		b.Events = append(b.Events, k)
	}
	m.keep(b)
	m.did[who] = append(m.did[who], b.Events...) // keep has given them their places
	m.order(who)
	m.touch(nil, who)
}

func (m *model) order(who uint64) {
	slices.SortFunc(m.did[who], func(a, b event.Kept) int {
		if event.Less(a, b) {
			return -1
		}
		return 1
	})
}

func (m *model) wait(t *rapid.T) { m.clock.Advance(ruletest.Later(t)) }

func (m *model) rule(t *rapid.T) json.RawMessage {
	raw, err := json.Marshal(ruletest.TreeOf(t, ruletest.Sets{Segments: m.segments, Lists: m.lists}, 2))
	m.must(err)
	return raw
}

func (m *model) segment(t *rapid.T) {
	if len(m.segments) >= 4 {
		t.Skip("enough segments")
	}
	g, err := m.Create(m.ctx, m.ws, segment.Draft{Name: fmt.Sprintf("S%d", len(m.segments)), Rule: m.rule(t)})
	m.must(err)
	m.segments = append(m.segments, g.ID)
}

func (m *model) edit(t *rapid.T) {
	h := history{world: m.world}
	_, err := m.Update(m.ctx, m.ws, rapid.SampledFrom(m.segments).Draw(t, "segment"), segment.Patch{Rule: m.rule(t)})
	if h.refused(err, "segment.rule.cycle") {
		t.Skip("names itself")
	}
}

func (m *model) list(t *rapid.T) {
	do := m.AddToList
	if rapid.Bool().Draw(t, "remove") {
		do = m.RemoveFromList
	}
	_, err := do(m.ctx, m.ws, m.lists[0], []segment.Entry{{PersonID: personID(m.person(t))}})
	m.must(err)
}

func (m *model) merge(t *rapid.T) {
	if len(m.looks) < 3 {
		t.Skip("few people left")
	}
	loser := m.person(t)
	gone := m.looks[loser]
	delete(m.looks, loser)
	winner := m.person(t)
	m.did[winner] = append(m.did[winner], m.did[loser]...)
	delete(m.did, loser)
	m.order(winner)
	m.must(m.PeopleMerged(m.ctx, m.ws, ref(loser), ref(winner)))
	m.keep(event.Batch{
		Redirects: []event.Redirect{{Workspace: m.ws, Loser: loser, Winner: winner}},
		People:    []event.Mirror{m.looks[winner]}, Gone: []event.RemovedPerson{{Workspace: m.ws, Num: loser}},
	})
	delete(m.people, gone.ID)
	m.touch(nil, winner)
}

// split gives some events of somebody to a new person.
func (m *model) split(t *rapid.T) {
	who := m.person(t)
	if len(m.did[who]) == 0 || len(m.looks) > 7 {
		t.Skip("nothing to split")
	}
	m.last++
	m.looks[m.last] = m.look(t, m.last)
	m.world.join(m.last)
	b := event.Batch{People: []event.Mirror{m.looks[m.last]}}
	var stay []event.Kept
	for i, k := range m.did[who] {
		if (i+m.messages)%2 == 0 {
			stay = append(stay, k)
			continue
		}
		m.did[m.last] = append(m.did[m.last], k)
		b.Moves = append(b.Moves, event.Move{Workspace: m.ws, MessageID: k.MessageID, To: m.last})
	}
	m.did[who] = stay
	m.keep(b)
	m.touch(nil, who, m.last)
}

func (m *model) erase(t *rapid.T) {
	if len(m.looks) < 3 || rapid.IntRange(0, 2).Draw(t, "seldom") > 0 {
		t.Skip("seldom")
	}
	who := m.person(t)
	delete(m.looks, who)
	delete(m.did, who)
	delete(m.people, personID(who))
	m.must(m.Forget(m.ctx, m.ws, []uint64{who}))
	m.keep(event.Batch{Gone: []event.RemovedPerson{{Workspace: m.ws, Num: who}}})
	m.touch(nil, who)
}

func (m *model) check(*rapid.T) {
	m.must(m.RunEvaluations(m.ctx))
	m.must(errOf(m.RunDue(m.ctx)))
	m.drain()
	members := map[string][]uint64{}
	for _, id := range append(slices.Clone(m.segments), m.lists...) {
		members[id] = m.in(id)
	}
	all, err := m.Segments(m.ctx, m.ws, segment.Filter{}, page.Request{})
	m.must(err)
	for _, g := range all.Items {
		var tree map[string]any
		m.must(json.Unmarshal(g.Rule, &tree))
		found := m.audience(g)
		for _, who := range m.alive() {
			s := rule.SubjectFrom(m.looks[who], m.did[who], func(set string) bool { return slices.Contains(members[set], who) })
			want := ruletest.Oracle(tree, &s, m.clock.Now())
			in := slices.Contains(members[g.ID], who)
			if in != want || found.Contains(who) != want {
				raw, _ := json.Marshal(m.did[who])
				m.Fatalf("at %s person %d should be in %s: %t; kept up to date: %t, by the event store: %t; rule %s\ntraits %s\nevents %s",
					m.clock.Now().Format(time.RFC3339Nano), who, g.Name, want, in, found.Contains(who), g.Rule, m.looks[who].Traits, raw)
			}
		}
		for _, who := range members[g.ID] {
			if _, ok := m.looks[who]; !ok {
				m.Fatalf("%s has %d, who is nobody any more", g.Name, who)
			}
		}
	}
}
