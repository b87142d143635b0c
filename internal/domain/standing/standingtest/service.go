package standingtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// shop is people and what they did, without stores of their own.
type shop struct {
	t      *testing.T
	clock  *clock.Fixed
	s      *standing.Service
	people []person.Person
	events map[uint64][]event.Kept
	traits map[string]map[string]any // last told, by person
	shown  map[string]map[string]any // what people's traits say of it: whatever has the latest time
	at     map[string]time.Time      // when that is said to have been
	writes int
	moves  []string // "per_1 lead fresh"
	fail   error
}

func newShop(t *testing.T, w World) *shop {
	sh := &shop{t: t, clock: clock.NewFixed(t0), events: map[uint64][]event.Kept{}, traits: map[string]map[string]any{}, shown: map[string]map[string]any{}, at: map[string]time.Time{}}
	sh.s = standing.New(standing.Config{
		Store: w.Store, Tx: w.Tx, Emitter: sh, People: sh, Events: sh, Clock: sh.clock, Log: slog.New(slog.DiscardHandler),
		Zone:       func(context.Context, string) (*time.Location, error) { return time.UTC, nil },
		Workspaces: func(context.Context) ([]string, error) { return []string{ws}, nil },
	})
	return sh
}

func (sh *shop) Emit(_ context.Context, events ...event.Event) error {
	for _, e := range events {
		if standing.Retold(e) != (e.Type == event.Identify) {
			return fmt.Errorf("%s %s is taken for a change of stage, or the other way round", e.Type, e.MessageID)
		}
		if e.Type == event.Identify {
			if e.Time.After(sh.at[e.PersonID]) {
				sh.shown[e.PersonID], sh.at[e.PersonID] = sh.traits[e.PersonID], e.Time // TraitsEvent has noted what
			}
			continue
		}
		var p struct{ From, To string }
		if err := json.Unmarshal(e.Properties, &p); err != nil || e.Name != standing.StageChanged {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		sh.moves = append(sh.moves, fmt.Sprintf("%s %s>%s", e.PersonID, p.From, p.To))
	}
	return nil
}

func (sh *shop) ByNums(_ context.Context, _ string, nums []uint64) (out []person.Person, _ error) {
	for _, p := range sh.people {
		if slices.Contains(nums, p.Num) {
			out = append(out, p)
		}
	}
	return out, nil
}

func (sh *shop) ByIDs(_ context.Context, _ string, ids []string) (map[string]person.Person, error) {
	out := map[string]person.Person{}
	for _, p := range sh.people {
		if slices.Contains(ids, p.ID) {
			if raw, err := json.Marshal(sh.shown[p.ID]); err != nil {
				return nil, err
			} else if string(raw) != "null" {
				var v any
				if err := json.Unmarshal(raw, &v); err != nil {
					return nil, err
				}
				p.Traits = map[string]person.Trait{standing.Trait: {Value: v, Time: sh.at[p.ID]}}
			}
			out[p.ID] = p
		}
	}
	return out, nil
}

func (sh *shop) List(_ context.Context, _ string, p page.Request) (page.Of[person.Person], error) {
	from := 0
	_, _ = fmt.Sscan(p.Cursor, &from)
	to := min(from+p.Limit, len(sh.people))
	out := page.Of[person.Person]{Items: sh.people[from:to]}
	if to < len(sh.people) {
		out.Next = fmt.Sprint(to)
	}
	return out, nil
}

func (sh *shop) TraitsEvent(ws, id string, traits map[string]any, cause string) (event.Event, error) {
	if sh.fail != nil {
		return event.Event{}, sh.fail
	}
	props, err := json.Marshal(traits)
	if err != nil {
		return event.Event{}, err
	}
	sh.writes++
	sh.traits[id] = traits[standing.Trait].(map[string]any)
	return event.Event{Workspace: ws, MessageID: person.TraitsOf + cause, Type: event.Identify, PersonID: id, Time: sh.clock.Now(), Properties: props}, nil
}

// merge makes the loser a part of the winner, as identity does: of two values of a trait the later one stays, of the same moment that whose event has the greater name.
func (sh *shop) merge(loser, winner person.Person) {
	sh.t.Helper()
	if c := sh.at[loser.ID].Compare(sh.at[winner.ID]); c > 0 || c == 0 && loser.ID > winner.ID {
		sh.shown[winner.ID], sh.at[winner.ID] = sh.shown[loser.ID], sh.at[loser.ID]
	}
	sh.people = slices.DeleteFunc(sh.people, func(p person.Person) bool { return p.ID == loser.ID })
	sh.events[winner.Num] = append(sh.events[winner.Num], sh.events[loser.Num]...)
	same(sh.t, sh.s.PeopleMerged(sh.t.Context(), ws, loser.ID, winner.ID), nil)
	same(sh.t, sh.s.PeopleMerged(sh.t.Context(), ws, loser.ID, winner.ID), nil) // it may be told twice
}

func (sh *shop) Histories(_ context.Context, _ string, people []uint64, _ []string) (map[uint64][]event.Kept, error) {
	out := map[uint64][]event.Kept{}
	for _, n := range people {
		out[n] = sh.events[n]
	}
	return out, nil
}

// add makes a known person.
func (sh *shop) add(n int) person.Person {
	p := person.Person{ID: fmt.Sprintf("per_%03d", n), Num: uint64(n), Workspace: ws, Status: person.Known, FirstSeen: t0, LastSeen: t0}
	sh.people = append(sh.people, p)
	return p
}

// buys is an order now, which the service hears of.
func (sh *shop) buys(p person.Person, total float64) {
	sh.t.Helper()
	raw, _ := json.Marshal(map[string]any{"total": total, "currency": "JPY"})
	e := event.Kept{Event: event.Event{Workspace: ws, Type: event.Track, Name: event.OrderCompleted, Time: sh.clock.Now(), Properties: raw}, Person: p.Num}
	sh.events[p.Num] = append(sh.events[p.Num], e)
	same(sh.t, sh.s.React(sh.t.Context(), standing.Batch{Events: []event.Kept{e}, Touched: []person.Ref{p.Ref()}}), nil)
}

// settle lets the loop do all there is to do now.
func (sh *shop) settle() {
	sh.t.Helper()
	for range 1000 {
		more, err := sh.s.Tick(sh.t.Context())
		same(sh.t, err, nil)
		if !more {
			return
		}
	}
	sh.t.Fatal("there is always more to do")
}

func runService(t *testing.T, open func(t *testing.T) World) {
	t.Run("an order judges at once, silence later, each change is told once", func(t *testing.T) {
		sh := newShop(t, open(t))
		aya := sh.add(1)
		sh.settle() // the first round
		same(t, sh.traits[aya.ID]["stage"], standing.Lead)
		sh.buys(aya, 4200)
		same(t, sh.moves, []string{"per_001 lead>new"})
		writes := sh.writes
		same(t, sh.s.React(t.Context(), standing.Batch{Events: sh.events[aya.Num], Touched: []person.Ref{aya.Ref()}}), nil)
		same(t, sh.writes, writes)
		for day := range 400 {
			sh.clock.Set(t0.AddDate(0, 0, day))
			sh.settle()
		}
		// Nobody has bought twice: the usual gap is ninety days.
		same(t, sh.moves[1:], []string{"per_001 new>active", "per_001 active>at_risk", "per_001 at_risk>dormant", "per_001 dormant>churned"})
		sh.buys(aya, 100)
		same(t, sh.moves[5:], []string{"per_001 churned>won_back"})
		same(t, sh.traits[aya.ID]["since"], sh.clock.Now().Truncate(time.Second).Format(time.RFC3339))
	})
	t.Run("a round gives scores by everybody's fifths and goes on after a failure", func(t *testing.T) {
		sh := newShop(t, open(t))
		for n := 1; n <= 450; n++ { // more than one batch
			p := sh.add(n)
			for range 1 + n/100 {
				sh.buys(p, float64(n*100))
			}
		}
		sh.clock.Set(t0.Add(time.Hour))
		sh.fail = errors.New("the disk is full")
		var failed bool
		for range 20 {
			if _, err := sh.s.Tick(t.Context()); err != nil {
				failed = true
			}
		}
		same(t, failed, true)
		sh.fail = nil
		sh.settle()
		st, err := sh.s.State(t.Context(), ws)
		same(t, err, nil)
		same(t, []any{st.Thresholds.N, st.Round.Phase, st.Round.Due.After(sh.clock.Now())}, []any{450, standing.Phase(""), true})
		first, last := sh.traits["per_001"], sh.traits["per_450"]
		same(t, []any{first["f"], first["m"], last["f"], last["m"]}, []any{1, 1, 5, 5})
		c, err := sh.s.Counts(t.Context(), ws)
		same(t, err, nil)
		var sum int64
		for _, l := range c.Labels {
			sum += l.N
		}
		same(t, sum, int64(450))
		writes := sh.writes
		same(t, sh.s.Restart(t.Context(), ws), nil)
		sh.settle()
		same(t, sh.writes, writes) // nothing has changed, so nobody is told

		// Other thresholds, by hand: everybody has the best money score now.
		scheme := st.Scheme
		scheme.Fixed = &standing.Fixed{Spent: map[string]standing.Cuts{"JPY": {0, 0, 0, 0}}}
		_, err = sh.s.SetScheme(t.Context(), ws, scheme, st.Rev)
		same(t, err, nil)
		sh.settle()
		same(t, sh.traits["per_001"]["m"], 5)
	})
	t.Run("what staff decided stands through judgements and merges", func(t *testing.T) {
		w := open(t)
		sh := newShop(t, w)
		aya, ben := sh.add(1), sh.add(2)
		sh.settle()
		same(t, sh.traits[aya.ID]["service"], standing.TechTouch)
		_, err := sh.s.SetService(t.Context(), ws, aya.ID, "best")
		e, _ := errors.AsType[*errs.Error](err)
		same(t, cmp.Or(e, &errs.Error{}).Field, "service")
		_, err = sh.s.SetService(t.Context(), ws, "per_unknown", standing.HighTouch)
		same(t, errs.Is(err, errs.KindNotFound), true)
		r, err := sh.s.SetService(t.Context(), ws, aya.ID, standing.HighTouch)
		same(t, err, nil)
		same(t, r.Service, standing.HighTouch)
		sh.buys(aya, 10)
		same(t, sh.traits[aya.ID]["service"], standing.HighTouch)
		sh.merge(aya, ben)
		sh.settle()
		same(t, []any{sh.shown[ben.ID]["service"], sh.shown[ben.ID]["stage"]}, []any{standing.HighTouch, standing.Fresh})
		rows, err := w.Store.Rows(t.Context(), ws, []string{aya.ID, ben.ID})
		same(t, err, nil)
		same(t, len(rows), 1)
		r, err = sh.s.SetService(t.Context(), ws, ben.ID, "")
		same(t, err, nil)
		same(t, r.Service, standing.TechTouch)
		same(t, sh.s.PersonSplit(t.Context(), ws, ben.ID, "per_gone"), nil)
		sh.settle()
		found, err := w.Store.Due(t.Context(), sh.clock.Now(), 9)
		same(t, err, nil)
		same(t, len(found), 0)
	})
	t.Run("whose events have changed hands is judged anew", func(t *testing.T) {
		sh := newShop(t, open(t))
		aya, ben := sh.add(1), sh.add(2)
		sh.buys(aya, 10)
		sh.settle()
		same(t, []any{sh.traits[aya.ID]["stage"], sh.traits[ben.ID]["stage"]}, []any{standing.Fresh, standing.Lead})
		sh.events[ben.Num], sh.events[aya.Num] = sh.events[aya.Num], nil
		same(t, sh.s.React(t.Context(), standing.Batch{Touched: []person.Ref{aya.Ref(), ben.Ref()}}), nil)
		same(t, []any{sh.traits[aya.ID]["stage"], sh.traits[ben.ID]["stage"]}, []any{standing.Lead, standing.Fresh})
	})
	t.Run("whoever becomes known is a lead", func(t *testing.T) {
		sh := newShop(t, open(t))
		sh.add(1)
		sh.people[0].Status = person.Anonymous
		seen := func(typ event.Type, origin event.Origin, id string) {
			same(t, sh.s.React(t.Context(), standing.Batch{Events: []event.Kept{{Event: event.Event{Workspace: ws, MessageID: id, Type: typ, Name: "Looked", Time: t0, Origin: origin}, Person: 1}}, Touched: []person.Ref{sh.people[0].Ref()}}), nil)
		}
		seen(event.Track, event.Browser, "m1")
		same(t, len(sh.moves), 0)
		sh.people[0].Status = person.Known
		seen(event.Identify, event.Internal, person.TraitsOf+"m2") // our own writing of traits
		same(t, len(sh.moves), 0)
		seen(event.Identify, event.Browser, "m3")
		same(t, sh.moves, []string{"per_001 anonymous>lead"})
	})
	t.Run("whoever staff has made is judged at once", func(t *testing.T) {
		sh := newShop(t, open(t))
		p := sh.add(1)
		same(t, sh.s.React(t.Context(), standing.Batch{Events: []event.Kept{{Event: event.Event{Workspace: ws, MessageID: "create_1", Type: event.Identify, Time: t0, Origin: event.Internal}, Person: 1}}, Touched: []person.Ref{p.Ref()}}), nil)
		same(t, sh.moves, []string{"per_001 anonymous>lead"})
	})
	for _, typ := range []event.Type{event.Alias, event.Group} {
		t.Run("whom nothing but a "+string(typ)+" names is judged at once", func(t *testing.T) {
			sh := newShop(t, open(t))
			p := sh.add(1)
			same(t, sh.s.React(t.Context(), standing.Batch{Events: []event.Kept{{Event: event.Event{Workspace: ws, MessageID: "m1", Type: typ, Time: t0, Origin: event.Server}, Person: 1}}, Touched: []person.Ref{p.Ref()}}), nil)
			same(t, sh.moves, []string{"per_001 anonymous>lead"})
		})
	}
	t.Run("what a clock that is ahead has dated counts once it has come", func(t *testing.T) {
		sh := newShop(t, open(t))
		aya := sh.add(1)
		sh.clock.Set(t0.Add(-30 * time.Second)) // the order is dated t0
		raw, _ := json.Marshal(map[string]any{"total": 10, "currency": "JPY"})
		e := event.Kept{Event: event.Event{Workspace: ws, Type: event.Track, Name: event.OrderCompleted, Time: t0, Properties: raw}, Person: aya.Num}
		sh.events[aya.Num] = []event.Kept{e}
		same(t, sh.s.React(t.Context(), standing.Batch{Events: []event.Kept{e}, Touched: []person.Ref{aya.Ref()}}), nil)
		sh.settle()
		same(t, sh.shown[aya.ID]["stage"], standing.Lead)
		sh.clock.Set(t0)
		more, err := sh.s.Tick(t.Context()) // no round is due
		same(t, []any{more, err}, []any{false, nil})
		same(t, sh.shown[aya.ID]["stage"], standing.Fresh)
	})
	t.Run("who is who they were is judged by orders alone", func(t *testing.T) {
		sh := newShop(t, open(t))
		p := sh.add(1)
		again := []person.Sighting{{Ref: p.Ref(), LastSeen: t0}}
		does := func(typ event.Type, name string, told []person.Sighting) {
			sh.events[1] = append(sh.events[1], event.Kept{Event: event.Event{Workspace: ws, Type: typ, Name: name, Time: t0, MessageID: name}, Person: 1})
			same(t, sh.s.React(t.Context(), standing.Batch{Events: sh.events[1][len(sh.events[1])-1:], Touched: []person.Ref{p.Ref()}, Told: told}), nil)
		}
		does(event.Track, "Looked", again)
		same(t, len(sh.moves), 0)
		does(event.Page, event.OrderCompleted, nil) // a page of this name is no order
		same(t, sh.moves, []string{"per_001 anonymous>lead"})
		does(event.Track, event.OrderCompleted, again)
		same(t, sh.moves, []string{"per_001 anonymous>lead", "per_001 lead>new"})
	})
	t.Run("what is told last counts, though the clock has gone back", func(t *testing.T) {
		sh := newShop(t, open(t))
		aya := sh.add(1)
		sh.settle()
		same(t, sh.shown[aya.ID]["stage"], standing.Lead)
		sh.clock.Set(t0.Add(-time.Hour))
		sh.buys(aya, 4200)
		same(t, sh.shown[aya.ID]["stage"], standing.Fresh)
		_, err := sh.s.SetService(t.Context(), ws, aya.ID, standing.HighTouch)
		same(t, err, nil)
		same(t, sh.shown[aya.ID]["service"], standing.HighTouch)
	})
	t.Run("the trait of a merged person is put right, whichever of the two was judged last", func(t *testing.T) {
		for _, loserLast := range []bool{true, false} {
			sh := newShop(t, open(t))
			aya, ben := sh.add(1), sh.add(2)
			first, last := aya, ben
			if loserLast {
				first, last = ben, aya
			}
			sh.buys(ben, 4200)
			sh.settle()
			for _, p := range []person.Person{first, last} { // staff has a look at each: both are told of anew
				sh.clock.Advance(time.Second)
				_, err := sh.s.SetService(t.Context(), ws, p.ID, standing.HighTouch)
				same(t, err, nil)
			}
			same(t, []any{sh.shown[aya.ID]["stage"], sh.shown[ben.ID]["stage"]}, []any{standing.Lead, standing.Fresh})
			sh.merge(aya, ben)
			sh.settle()
			same(t, sh.shown[ben.ID]["stage"], standing.Fresh)
		}
	})
	t.Run("of two who were told of at one moment the one is told of anew", func(t *testing.T) {
		for _, loser := range []int{1, 2} {
			sh := newShop(t, open(t))
			people := []person.Person{sh.add(1), sh.add(2)}
			sh.settle()
			_, err := sh.s.SetService(t.Context(), ws, people[1].ID, standing.HighTouch)
			same(t, err, nil)
			sh.clock.Advance(time.Second)
			sh.buys(people[0], 4200)
			_, err = sh.s.SetService(t.Context(), ws, people[1].ID, "")
			same(t, err, nil)
			same(t, sh.at[people[0].ID], sh.at[people[1].ID])
			l, w := people[loser-1], people[2-loser]
			sh.merge(l, w)
			sh.settle()
			same(t, sh.shown[w.ID]["stage"], standing.Fresh)
		}
	})
	t.Run("a round mends who is astray, counts them and tells from what the trait says", func(t *testing.T) {
		w := open(t)
		sh := newShop(t, w)
		for n := 1; n <= 4; n++ {
			sh.buys(sh.add(n), 4200)
		}
		sh.settle()
		moves, writes := len(sh.moves), sh.writes
		mended := func(at time.Time) int {
			t.Helper()
			sh.clock.Set(at)
			same(t, sh.s.Restart(t.Context(), ws), nil)
			sh.settle()
			st, err := sh.s.State(t.Context(), ws)
			same(t, err, nil)
			return st.Round.Mended
		}
		same(t, mended(t0.Add(2*time.Hour)), 0)
		same(t, []int{sh.writes, int(sh.s.Mended())}, []int{writes, 0})
		rows, err := w.Store.Rows(t.Context(), ws, []string{"per_001", "per_002"})
		same(t, err, nil)
		row, orders := rows["per_001"], rows["per_002"]
		row.Stage, orders.LastOrder = standing.Churned, orders.LastOrder.Add(-time.Hour)
		same(t, w.Store.Put(t.Context(), []standing.Row{row, orders}), nil)
		was := sh.shown["per_003"]
		sh.shown["per_003"] = map[string]any{"stage": standing.Lead, "service": "tech"}
		same(t, mended(t0.Add(3*time.Hour)), 3)
		same(t, sh.s.Mended(), int64(3))
		same(t, sh.shown["per_003"], was)
		same(t, sh.moves[moves:], []string{"per_003 lead>new"}) // nobody was ever told that the first had churned
		after, err := w.Store.Rows(t.Context(), ws, []string{"per_001", "per_002"})
		same(t, err, nil)
		same(t, []any{after["per_001"].Stage, after["per_002"].LastOrder}, []any{standing.Fresh, rows["per_002"].LastOrder})
		same(t, mended(t0.Add(5*time.Hour)), 0)
	})
	t.Run("whose latest order was removed by age is judged at once and was not astray", func(t *testing.T) {
		sh := newShop(t, open(t))
		aya, ben := sh.add(1), sh.add(2)
		sh.buys(aya, 4200)
		sh.buys(ben, 4200)
		sh.settle()
		same(t, []any{sh.shown[aya.ID]["stage"], sh.shown[ben.ID]["stage"]}, []any{standing.Fresh, standing.Fresh})
		sh.clock.Set(t0.Add(2 * time.Hour))
		sh.settle() // few people have a round now and then by themselves
		round := func() time.Time {
			st, err := sh.s.State(t.Context(), ws)
			same(t, err, nil)
			return st.Round.Ended
		}
		ended := round()
		sh.events[aya.Num] = nil
		same(t, sh.s.EventsRemoved(t.Context(), ws, []event.Term{{Kind: event.Kind{Type: event.Track, Name: "Product Viewed"}, Since: sh.clock.Now()}}, false), nil)
		sh.settle()
		same(t, []any{sh.shown[aya.ID]["stage"], round()}, []any{standing.Fresh, ended}) // which no judgement reads
		bought := []event.Term{{Kind: event.Kind{Type: event.Track, Name: event.OrderCompleted}, Since: sh.clock.Now()}}
		same(t, sh.s.EventsRemoved(t.Context(), ws, bought, false), nil)
		same(t, sh.s.Restart(t.Context(), ws), nil) // somebody begins it once more before it has begun
		sh.settle()
		same(t, []any{sh.shown[aya.ID]["stage"], sh.shown[ben.ID]["stage"], sh.s.Mended()}, []any{standing.Lead, standing.Fresh, int64(0)})
		// The next round is one like any other.
		sh.events[ben.Num] = nil
		sh.clock.Advance(2 * time.Hour)
		same(t, sh.s.Restart(t.Context(), ws), nil)
		sh.settle()
		same(t, []any{sh.shown[ben.ID]["stage"], sh.s.Mended()}, []any{standing.Lead, int64(1)})
	})
	t.Run("a removal of the day has only those judged at once whose latest order went", func(t *testing.T) {
		w := open(t)
		sh := newShop(t, w)
		aya, ben, cem := sh.add(1), sh.add(2), sh.add(3)
		sh.buys(aya, 4200)
		sh.buys(cem, 4200)
		sh.clock.Advance(2 * time.Hour)
		between := sh.clock.Now()
		sh.clock.Advance(2 * time.Hour)
		sh.buys(ben, 4200)
		sh.buys(cem, 4200)
		sh.settle()
		sh.clock.Advance(2 * time.Hour)
		sh.settle()
		before, err := sh.s.State(t.Context(), ws)
		same(t, err, nil)
		sh.events[aya.Num], sh.events[cem.Num] = nil, sh.events[cem.Num][1:]
		kind := func(name string) event.Kind { return event.Kind{Type: event.Track, Name: name} }
		same(t, sh.s.EventsRemoved(t.Context(), ws, []event.Term{{Kind: kind(event.MessageOpened), Since: sh.clock.Now()}, {Kind: kind(event.OrderCompleted), Since: between}}, true), nil)
		due, err := w.Store.Due(t.Context(), sh.clock.Now(), 10)
		same(t, err, nil)
		same(t, due, []standing.Ref{{Workspace: ws, Person: aya.ID}})
		sh.settle()
		after, err := sh.s.State(t.Context(), ws)
		same(t, err, nil)
		same(t, after.Round, before.Round)
		same(t, []any{sh.shown[aya.ID]["stage"], sh.shown[ben.ID]["stage"], sh.shown[cem.ID]["stage"]}, []any{standing.Lead, standing.Fresh, standing.Fresh})
		same(t, sh.s.Restart(t.Context(), ws), nil) // the round of the night
		sh.settle()
		same(t, sh.s.Mended(), int64(0))
		// Without a refund an order counts again, whosever it is.
		same(t, sh.s.EventsRemoved(t.Context(), ws, []event.Term{{Kind: kind(event.OrderRefunded), Since: between}}, true), nil)
		after, err = sh.s.State(t.Context(), ws)
		same(t, err, nil)
		same(t, []any{after.Round.Due, after.Round.Fewer}, []any{sh.clock.Now(), true})
	})
	t.Run("a round tells nothing of who is only known to be due", func(t *testing.T) {
		w := open(t)
		sh := newShop(t, w)
		aya := sh.add(1)
		same(t, w.Store.Soon(t.Context(), ws, aya.ID, t0.Add(time.Hour)), nil)
		sh.people = nil // whom the round cannot judge
		sh.settle()
		same(t, len(sh.traits), 0)
	})
}
