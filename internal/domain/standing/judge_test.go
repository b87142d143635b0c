package standing

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

var t0 = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func days(n ...int) (out []time.Time) {
	for _, d := range n {
		out = append(out, t0.AddDate(0, 0, d))
	}
	return out
}

func TestStagesFollowOrdersAndSilence(t *testing.T) {
	life := DefaultScheme().Life
	month := 30 * day
	for _, c := range []struct {
		what   string
		known  bool
		orders []time.Time
		now    int // days after t0
		want   Stage
		next   int // days after t0, -1 for never
	}{
		{"nobody knows them", false, nil, 10, Anonymous, -1},
		{"known, never bought", true, nil, 10, Lead, -1},
		{"first order yesterday", true, days(0), 1, Fresh, 30},
		{"first order, then a month", true, days(0), 31, Active, 45},
		{"silent for one and a half of everybody's gaps", true, days(0), 45, AtRisk, 75},
		{"silent for two and a half", true, days(0), 75, Dormant, 120},
		{"silent for four", true, days(0), 120, Churned, -1},
		{"their own gap is a week", true, days(0, 7, 14, 21, 28, 35), 36, Active, 45}, // 35 + 10.5
		{"their own gap is a week, and two have passed", true, days(0, 7, 14, 21, 28, 35), 49, AtRisk, 52},
		{"back after having been dormant", true, days(0, 100), 105, WonBack, 130},
		{"back for longer", true, days(0, 100), 131, Active, 145},
		{"back after having been at risk", true, days(0, 50), 55, Active, 95},
		{"a year is the end whatever the gap", true, days(0, 300, 600), 966, Churned, -1},
	} {
		gap := month
		f := facts{known: c.known, seen: t0, orders: c.orders}
		st, since, next := stage(f, life, gap, t0.AddDate(0, 0, c.now))
		if st != c.want {
			t.Errorf("%s: %s, want %s", c.what, st, c.want)
		}
		if since.After(t0.AddDate(0, 0, c.now)) {
			t.Errorf("%s: since %v, which is to come", c.what, since)
		}
		got := -1
		if !next.IsZero() {
			got = int(next.Sub(t0) / day)
		}
		if got != c.next {
			t.Errorf("%s: next on day %d, want %d", c.what, got, c.next)
		}
	}
}

// Whatever the history, a stage lasts exactly until the moment that it names, and another one begins then.
func TestAStageEndsWhenItSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 3000 {
		life := Life{
			NewDays: 1 + rng.IntN(60), AtRisk: 1 + rng.Float64()*2, ChurnedDays: 60 + rng.IntN(700),
		}
		life.Dormant = life.AtRisk + .1 + rng.Float64()*3
		life.Churned = life.Dormant + .1 + rng.Float64()*4
		at := t0
		f := facts{known: true, seen: t0}
		for range 1 + rng.IntN(8) {
			f.orders = append(f.orders, at)
			at = at.Add(time.Duration(rng.Int64N(int64(200 * day))))
		}
		gap := time.Duration(rng.Int64N(int64(90 * day)))
		now := f.orders[len(f.orders)-1]
		seen := []Stage{}
		for range 20 {
			st, _, next := stage(f, life, gap, now)
			seen = append(seen, st)
			if next.IsZero() {
				break
			}
			if !next.After(now) {
				t.Fatalf("case %d: %s says it ends at %v, it is %v", n, st, next, now)
			}
			if before, _, _ := stage(f, life, gap, next.Add(-time.Microsecond)); before != st {
				t.Fatalf("case %d: %s says it lasts until %v, and is %s before", n, st, next, before)
			}
			now = next
		}
		if last := seen[len(seen)-1]; last != Churned {
			t.Fatalf("case %d: silence never ends in churn: %v", n, seen)
		}
		if len(slices.Compact(slices.Clone(seen))) != len(seen) {
			t.Fatalf("case %d: a stage followed itself: %v", n, seen)
		}
	}
}

func TestEqualValuesGetEqualScoresAndFifthsAreFifths(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		values := make([]int64, 1+rng.IntN(400))
		spread := 1 + rng.Int64N(500)
		for i := range values {
			values[i] = rng.Int64N(spread)
		}
		slices.Sort(values)
		cuts := quintiles(values)
		if !slices.IsSorted(cuts[:]) {
			t.Fatalf("%v of %v", cuts, values)
		}
		for score := 1; score <= 5; score++ {
			// At least a fifth times n of all score n or less.
			n := 0
			for _, v := range values {
				if rank(cuts, v) <= score {
					n++
				}
			}
			if n*5 < score*len(values) {
				t.Fatalf("%d of %d score at most %d by %v", n, len(values), score, cuts)
			}
		}
	}
	if c := quintiles([]int64{1, 1, 1, 1, 1, 1, 1, 1, 2, 9}); rank(c, 1) != 1 || rank(c, 9) != 5 {
		t.Errorf("one order scores %d and nine %d by %v", rank(c, 1), rank(c, 9), c)
	}
}

func TestEveryScoreHasALabel(t *testing.T) {
	s := DefaultScheme()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for r := 1; r <= 5; r++ {
		for f := 1; f <= 5; f++ {
			for m := 1; m <= 5; m++ {
				l := s.label(r, f, m)
				if l == "" {
					t.Errorf("%d %d %d has no label", r, f, m)
				}
				used[l] = true
			}
		}
	}
	if len(used) != 10 {
		t.Errorf("%d of ten labels can be had: %v", len(used), used)
	}
}

func TestASchemeThatCannotWorkIsRefusedWithItsField(t *testing.T) {
	for field, spoil := range map[string]func(*Scheme){
		"window_days":   func(s *Scheme) { s.WindowDays = 0 },
		"labels":        func(s *Scheme) { s.Labels = nil },
		"labels[1].key": func(s *Scheme) { s.Labels[1].Key = s.Labels[0].Key },
		"labels[2].r":   func(s *Scheme) { s.Labels[2].Recency = Range{4, 3} },
		"labels[1]": func(s *Scheme) {
			s.Labels[1].Recency, s.Labels[1].Freq, s.Labels[1].Money = s.Labels[0].Recency, s.Labels[0].Freq, s.Labels[0].Money
		},
		"labels[9]":              func(s *Scheme) { s.Labels[9].Money = Range{1, 4} },
		"lifecycle.dormant":      func(s *Scheme) { s.Life.Dormant = 1.5 },
		"lifecycle.churned":      func(s *Scheme) { s.Life.Churned = 2 },
		"lifecycle.churned_days": func(s *Scheme) { s.Life.ChurnedDays = 10 },
		"high_touch":             func(s *Scheme) { s.High = append(s.High, "vip") },
		"fixed.orders":           func(s *Scheme) { s.Fixed = &Fixed{Orders: Cuts{3, 2, 4, 5}} },
	} {
		s := DefaultScheme()
		spoil(&s)
		err := s.Validate()
		e, ok := err.(*errs.Error)
		if !ok || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func happened(at int, name string, props map[string]any) event.Kept {
	raw, err := json.Marshal(props)
	if err != nil {
		panic(err)
	}
	typ := event.Track
	if strings.HasPrefix(name, "Message") {
		typ = event.Message
	}
	return event.Kept{Event: event.Event{Type: typ, Name: name, Time: t0.AddDate(0, 0, at), Properties: raw}}
}

func TestFactsCountOrdersOnceAndNotWhatWasGivenBack(t *testing.T) {
	order := func(at int, id string, total float64) event.Kept {
		return happened(at, event.OrderCompleted, map[string]any{"order_id": id, "total": total, "currency": "EUR"})
	}
	history := []event.Kept{
		order(-500, "old", 900),
		order(0, "a", 10), order(1, "a", 10),
		order(2, "b", 20.5), happened(3, event.OrderRefunded, map[string]any{"order_id": "b", "total": 20.5, "currency": "EUR"}),
		order(4, "c", 30), happened(5, event.OrderRefunded, map[string]any{"order_id": "c", "total": 5, "currency": "EUR"}),
		order(5, "d", 70), happened(6, event.OrderCancelled, map[string]any{"order_id": "d"}),
		order(5, "e", 80), happened(6, event.OrderRefunded, map[string]any{"order_id": "e"}), // no amount: all of it
		happened(6, "Review Submitted", nil), happened(7, "Comment Posted", nil),
	}
	for i := range 3 {
		history = append(history, happened(8, event.MessageSent, map[string]any{"channel": "email"}))
		e := happened(8+i, event.MessageOpened, map[string]any{"channel": "email"})
		history = append(history, e)
	}
	history = append(history, happened(9, event.MessageOpened, map[string]any{"channel": "sms", "machine": true}), order(400, "later", 1))
	f := gather(person.Person{Status: person.Known}, history, DefaultScheme(), time.FixedZone("", 9*3600), t0.AddDate(0, 0, 20))
	if len(f.orders) != 3 || f.recent != 2 || f.spent != 1000+2500 || f.money != "EUR" {
		t.Errorf("%d orders, %d in the window, %d %s", len(f.orders), f.recent, f.spent, f.money)
	}
	if f.wrote != 1 || f.joined != 1 || f.channel != "email" || f.hour != 21 {
		t.Errorf("wrote %d, joined %d, best channel %q and hour %d", f.wrote, f.joined, f.channel, f.hour)
	}
	if got := participation(f, DefaultScheme().Part, t0); got != Occasional {
		t.Error(got)
	}
	// The same events in another order of equal times, or again, make the same facts.
	again := gather(person.Person{Status: person.Known}, append(slices.Clone(history), history[1], history[3]), DefaultScheme(), time.FixedZone("", 9*3600), t0.AddDate(0, 0, 20))
	if fmt.Sprint(again) != fmt.Sprint(f) {
		t.Errorf("%v\n%v", again, f)
	}
}

func TestRoundsAreNightlyOnceThereAreManyPeople(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // 21:00 there
	for people, want := range map[int]time.Time{
		0: now.Add(time.Minute), 6000: now.Add(10 * time.Minute), 10_000_000: time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC),
	} {
		if got := nextRound(now, people, tokyo); !got.Equal(want) {
			t.Errorf("%d people: %v, want %v", people, got, want)
		}
	}
}

func TestTheTraitHoldsWhatItsFieldsSay(t *testing.T) {
	all := told{Stage: Active, Since: time.Unix(1, 0), Label: "loyal", Service: "high", Part: Author, Channel: "email"}.object()
	if got, want := slices.Sorted(maps.Keys(all)), slices.Sorted(slices.Values(Fields)); !slices.Equal(got, want) {
		t.Errorf("it holds %v, not %v", got, want)
	}
}
