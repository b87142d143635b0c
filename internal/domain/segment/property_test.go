package segment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/click"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/eventstoretest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

// TestMembershipIsTheAudienceAtEveryMoment lets random things happen to a few people and checks after each of them that
// what the service has kept up to date is what the event store finds by asking about everyone.
func TestMembershipIsTheAudienceAtEveryMoment(t *testing.T) {
	membershipIsTheAudience(t, newWorld(t), math.MaxInt)
}

func TestMembershipIsTheAudienceAtEveryMomentOnClickHouse(t *testing.T) {
	at := eventstoretest.Address(t)
	t.Parallel()
	runs := 3 // each step there takes ten times as long
	if thorough {
		runs = math.MaxInt
	}
	membershipIsTheAudience(t, newWorldWith(t, sqldbtest.Open(t, sqldb.SQLite), eventstoretest.Click(t, at, click.Options{})), runs)
}

// membershipIsTheAudience makes at most so many random runs.
func membershipIsTheAudience(t *testing.T, shared *world, runs int) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > runs {
			return
		}
		w := *shared // stores and clock are shared, the workspace is new
		w.tb, w.ws, w.people, w.traits, w.emitted = rt, fmt.Sprintf("ws_%d", n), directory{}, map[uint64]map[string]any{}, nil
		w.Service = w.newService()
		defer func() { shared.seq = w.seq }()
		h := &history{world: &w, rt: rt, alive: []uint64{1, 2, 3, 4, 5}}
		w.join(h.alive...)
		h.lists = append(h.lists, w.list("L").ID)
		rt.Repeat(map[string]func(*rapid.T){
			"event":   h.event,
			"trait":   h.trait,
			"wait":    h.wait,
			"segment": h.segment,
			"edit":    h.edit,
			"archive": h.archive,
			"list":    h.list,
			"merge":   h.merge,
			"restart": func(*rapid.T) { w.Service = w.newService() },
			"":        h.check,
		})
	})
}

// history is one random run.
type history struct {
	*world
	rt       *rapid.T
	alive    []uint64
	segments []string
	lists    []string
	inside   map[string]bool // "segment person" as the emitted events tell it
	seen     map[string]bool // message ids
}

func (h *history) person(t *rapid.T) uint64 { return rapid.SampledFrom(h.alive).Draw(t, "person") }

func (h *history) event(t *rapid.T) {
	who := h.person(t)
	name := rapid.SampledFrom([]string{bought, "Visit"}).Draw(t, "name")
	at := h.clock.Now().Add(-time.Duration(rapid.IntRange(0, 200).Draw(t, "minutes late")) * time.Minute)
	h.keep(event.Batch{
		Events: []event.Kept{h.kept(who, name, at, fmt.Sprintf(`{"total": %d}`, rapid.IntRange(1, 60).Draw(t, "total")), fmt.Sprintf("%s-%d", h.ws, h.seq))},
		People: []event.Mirror{h.mirror(who)},
	})
	for range rapid.IntRange(1, 2).Draw(t, "deliveries") {
		h.touch(nil, who)
	}
}

func (h *history) trait(t *rapid.T) {
	who := h.person(t)
	h.traits[who] = map[string]any{"country": rapid.SampledFrom([]string{"JP", "DE"}).Draw(t, "country")}
	h.join(who)
	h.touch(nil, who)
}

func (h *history) wait(t *rapid.T) {
	h.clock.Advance(time.Duration(rapid.IntRange(1, 150).Draw(t, "minutes")) * time.Minute)
}

func (h *history) rule(t *rapid.T, depth int) string {
	window := rapid.SampledFrom([]string{
		`"ever"`, `{"within": {"n": 1, "unit": "hour"}}`, `{"within": {"n": 3, "unit": "hour"}}`,
		`{"between": {"from_ago": {"n": 3, "unit": "hour"}, "to_ago": {"n": 1, "unit": "hour"}}}`,
		fmt.Sprintf(`{"absolute": {"from": %q, "to": %q}}`, h.clock.Now().Add(time.Hour).Format(time.RFC3339), h.clock.Now().Add(2*time.Hour).Format(time.RFC3339)),
	})
	name := rapid.SampledFrom([]string{bought, "Visit"})
	kinds := []string{"count", "sum", "trait", "list"}
	if len(h.segments) > 0 {
		kinds = append(kinds, "segment", "segment")
	}
	if depth > 0 {
		kinds = append(kinds, "all", "any", "not", "not")
	}
	switch kind := rapid.SampledFrom(kinds).Draw(t, "kind"); kind {
	case "count":
		return fmt.Sprintf(`{"event": {"name": %q, "agg": "count", "op": %q, "value": %d, "window": %s}}`, name.Draw(t, "name"),
			rapid.SampledFrom([]string{"gte", "lte", "eq"}).Draw(t, "op"), rapid.IntRange(0, 2).Draw(t, "value"), window.Draw(t, "window"))
	case "sum":
		return fmt.Sprintf(`{"event": {"name": %q, "agg": "sum", "path": "total", "op": "gt", "value": 50, "window": %s}}`, name.Draw(t, "name"), window.Draw(t, "window"))
	case "trait":
		return rapid.SampledFrom([]string{inJapan, inGermany}).Draw(t, "trait")
	case "list":
		return fmt.Sprintf(inList, h.lists[0])
	case "segment":
		return fmt.Sprintf(inSegment, rapid.SampledFrom(h.segments).Draw(t, "segment"))
	case "not":
		return `{"not": ` + h.rule(t, depth-1) + `}`
	default:
		var parts []string
		for range rapid.IntRange(1, 3).Draw(t, "parts") {
			parts = append(parts, h.rule(t, depth-1))
		}
		return fmt.Sprintf(`{%q: [%s]}`, kind, strings.Join(parts, ", "))
	}
}

func (h *history) segment(t *rapid.T) {
	if len(h.segments) >= 6 {
		t.Skip("enough segments")
	}
	g, err := h.Create(h.ctx, h.ws, segment.Draft{Name: fmt.Sprintf("S%d", len(h.segments)), Rule: json.RawMessage(h.rule(t, 2))})
	if h.refused(err, "segment.rule.archived_set") {
		t.Skip("names an archived segment")
	}
	h.segments = append(h.segments, g.ID)
}

// refused reports whether err is one that the random choice has deserved; others fail the test.
func (h *history) refused(err error, codes ...string) bool {
	if e, ok := errors.AsType[*errs.Error](err); ok && slices.Contains(codes, e.Code) {
		return true
	}
	h.must(err)
	return false
}

func (h *history) any(t *rapid.T) string {
	if len(h.segments) == 0 {
		t.Skip("no segment")
	}
	return rapid.SampledFrom(h.segments).Draw(t, "segment")
}

func (h *history) edit(t *rapid.T) {
	_, err := h.Update(h.ctx, h.ws, h.any(t), segment.Patch{Rule: json.RawMessage(h.rule(t, 2))})
	if h.refused(err, "segment.rule.archived_set", "segment.rule.cycle") {
		t.Skip("names an archived segment or itself")
	}
}

func (h *history) archive(t *rapid.T) {
	g, err := h.Get(h.ctx, h.ws, h.any(t))
	h.must(err)
	if g.Status == segment.Active {
		_, err = h.Archive(h.ctx, h.ws, g.ID, rapid.Bool().Draw(t, "leave"))
	} else {
		_, err = h.Unarchive(h.ctx, h.ws, g.ID)
	}
	if h.refused(err, "segment.in_use", "segment.rule.archived_set", "segment.rule.cycle") {
		t.Skip("others are in the way")
	}
}

func (h *history) list(t *rapid.T) {
	var entries []segment.Entry
	for range rapid.IntRange(1, 3).Draw(t, "entries") {
		entries = append(entries, segment.Entry{PersonID: personID(h.person(t))})
	}
	do := h.AddToList
	if rapid.Bool().Draw(t, "remove") {
		do = h.RemoveFromList
	}
	_, err := do(h.ctx, h.ws, h.lists[0], entries)
	h.must(err)
}

func (h *history) merge(t *rapid.T) {
	if len(h.alive) < 3 {
		t.Skip("few people left")
	}
	i := rapid.IntRange(0, len(h.alive)-1).Draw(t, "loser")
	loser := h.alive[i]
	h.alive = slices.Delete(h.alive, i, i+1)
	winner := h.person(t)
	h.must(h.PeopleMerged(h.ctx, h.ws, ref(loser), ref(winner)))
	h.keep(event.Batch{
		Redirects: []event.Redirect{{Workspace: h.ws, Loser: loser, Winner: winner}},
		People:    []event.Mirror{h.mirror(winner)}, Gone: []event.RemovedPerson{{Workspace: h.ws, Num: loser}},
	})
	delete(h.people, personID(loser))
	h.touch(nil, winner)
	for k := range h.inside {
		if strings.HasSuffix(k, " "+personID(loser)) {
			delete(h.inside, k)
		}
	}
	h.follow(personID(loser))
}

// follow plays back what was emitted: nobody may enter who is inside or leave who is outside.
func (h *history) follow(but string) {
	if h.inside == nil {
		h.inside, h.seen = map[string]bool{}, map[string]bool{}
	}
	for _, e := range h.drain() {
		if e.PersonID == but || e.Workspace != h.ws {
			continue
		}
		key := strings.Split(e.MessageID, ":")[1] + " " + e.PersonID
		entered := e.Name == event.SegmentEntered
		if h.inside[key] == entered || h.seen[e.MessageID] {
			h.Errorf("%s %s was emitted, but inside is %t already", e.MessageID, e.Name, entered)
		}
		h.inside[key], h.seen[e.MessageID] = entered, true
	}
}

func (h *history) check(*rapid.T) {
	h.must(h.RunEvaluations(h.ctx))
	h.must(errOf(h.RunDue(h.ctx)))
	h.follow("")
	all, err := h.Segments(h.ctx, h.ws, segment.Filter{}, page.Request{})
	h.must(err)
	for _, g := range all.Items {
		members := h.in(g.ID)
		if g.Status == segment.Active {
			if want := h.audience(g).ToArray(); !slices.Equal(members, want) {
				h.Errorf("%s has %v, the event store says %v; rule %s", g.Name, members, want, g.Rule)
			}
		}
		var told []uint64
		for n := range uint64(6) {
			if h.inside[g.ID+" "+personID(n)] {
				told = append(told, n)
			}
		}
		if !slices.Equal(members, told) {
			h.Errorf("%s has %v, the emitted events tell %v", g.Name, members, told)
		}
		if g.Size != uint64(len(members)) {
			h.Errorf("%s has size %d and members %v", g.Name, g.Size, members)
		}
	}
}
