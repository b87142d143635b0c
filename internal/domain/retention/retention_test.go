package retention_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/retention"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const day = 24 * time.Hour

var (
	now    = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	seen   = event.Kind{Type: event.Track, Name: "Seen"}
	bought = event.Kind{Type: event.Track, Name: event.OrderCompleted}
	pages  = event.Kind{Type: event.Page}
)

func TestAPolicySaysWhatIsWrongWithIt(t *testing.T) {
	for want, p := range map[string]retention.Policy{
		"":                                  {Days: 30, Rules: []retention.Rule{{Kind: seen, Days: 7}, {Kind: pages}, {Kind: bought, Days: 3653}, {Kind: event.Kind{Type: event.Message}, Days: 400}}},
		"retention.days days":               {Days: 6},
		"retention.days rules[0].days":      {Rules: []retention.Rule{{Kind: seen, Days: -1}}},
		"retention.ledger rules[0].days":    {Rules: []retention.Rule{{Kind: bought, Days: 3652}}},
		"retention.type rules[0].type":      {Rules: []retention.Rule{{Kind: event.Kind{Type: event.Identify}, Days: 30}}},
		"retention.lasting rules[0].name":   {Rules: []retention.Rule{{Kind: event.Kind{Type: event.Message, Name: event.MessageComplained}, Days: 30}}},
		"retention.name rules[0].name":      {Rules: []retention.Rule{{Kind: event.Kind{Type: event.Page, Name: "Home"}, Days: 30}}},
		"retention.twice rules[1].name":     {Rules: []retention.Rule{{Kind: seen, Days: 30}, {Kind: seen, Days: 40}}},
		"retention.lasting rules[0].name ":  {Rules: []retention.Rule{{Kind: event.Kind{Type: event.Track, Name: event.Subscribed}}}},
		"retention.ledger rules[0].days ":   {Rules: []retention.Rule{{Kind: event.Kind{Type: event.Invoice, Name: "Invoice Paid"}, Days: 30}}},
		"retention.days rules[0].days most": {Rules: []retention.Rule{{Kind: seen, Days: 36526}}},
	} {
		code, rest, _ := strings.Cut(want, " ")
		field, _, _ := strings.Cut(rest, " ")
		err := p.Validate()
		if want == "" {
			if err != nil {
				t.Errorf("%+v: %v", p, err)
			}
			continue
		}
		if err == nil || !strings.Contains(fmt.Sprintf("%+v", faults(err)), code+" "+field) {
			t.Errorf("%+v: %v, want %s at %s", p, faults(err), code, field)
		}
	}
}

func TestHowLongAKindIsKept(t *testing.T) {
	p := retention.Policy{Days: 90, Rules: []retention.Rule{{Kind: seen, Days: 30}, {Kind: event.Kind{Type: event.Track}, Days: 60}, {Kind: pages}}}
	for want, kinds := range map[int][]event.Kind{
		30:                   {seen},
		60:                   {{Type: event.Track, Name: "Other"}},
		0:                    {pages, {Type: event.Identify}, {Type: event.Consent, Name: event.TopicSubscribed}, {Type: event.Track, Name: event.Unsubscribed}, {Type: event.Message, Name: event.MessageBounced}},
		90:                   {{Type: event.Screen}, {Type: event.Message, Name: event.MessageOpened}},
		retention.LedgerDays: {bought, {Type: event.Invoice, Name: "Invoice Paid"}}, // whatever rules for more kinds say
	} {
		for _, k := range kinds {
			if got := p.DaysOf(k); got != want {
				t.Errorf("%v is kept for %d days, want %d", k, got, want)
			}
		}
	}
}

// world is one workspace on real stores with a segment service that only remembers who was to be evaluated.
type world struct {
	*retention.Service
	t      *testing.T
	ws     string
	clock  *clock.Fixed
	events *dying
	jobs   *job.Service
	again  []string
	judged [][]event.Kind
	daily  []bool
	rules  map[string]string
	index  int
}

// dying is an event store whose process dies right after a removal, before anything can be noted.
type dying struct {
	*duck.Store
	after int // removals; 0: never
}

var errDead = errors.New("killed")

func (d *dying) DropOld(ctx context.Context, ws string, t event.Term, limit int) (int64, error) {
	n, err := d.Store.DropOld(ctx, ws, t, limit)
	if d.after--; d.after == 0 {
		return 0, errDead
	}
	return n, err
}

func (w *world) Rules(context.Context, string) (out []segment.Ruled, err error) {
	for id, text := range w.rules {
		r, err := rule.Parse([]byte(text))
		if err != nil {
			return nil, err
		}
		out = append(out, segment.Ruled{ID: id, Name: id, Rule: r})
	}
	slices.SortFunc(out, func(a, b segment.Ruled) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func (w *world) Reevaluate(_ context.Context, _, id string) (segment.Segment, error) {
	w.again = append(w.again, id)
	return segment.Segment{}, nil
}

func (w *world) EventsRemoved(_ context.Context, _ string, went []event.Term, daily bool) error {
	kinds := make([]event.Kind, len(went))
	for i, t := range went {
		kinds[i] = t.Kind
	}
	w.judged, w.daily = append(w.judged, kinds), append(w.daily, daily)
	return nil
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	t.Helper()
	store, err := duck.Open(t.Context(), filepath.Join(t.TempDir(), "events.duckdb"), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	for _, table := range []string{"job", "retention_policy", "retention_receipt", "retention_gone"} {
		if _, err := db.Exec(t.Context(), `DELETE FROM `+table); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{t: t, ws: "ws_1", clock: clock.NewFixed(now), events: &dying{Store: store}, rules: map[string]string{}}
	w.jobs = job.New(job.Config{Store: sqlstore.NewJob(db), Tx: db, Clock: w.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	w.Service = retention.New(retention.Config{Store: sqlstore.NewRetention(db), Events: w.events, Segments: w, Standing: w, Clock: w.clock, Begin: w.jobs.Begin, Chunk: 2})
	w.jobs.Register(w.Kind())
	return w
}

// happened puts n events of a kind into the store, one of each of the last days from the age on.
func (w *world) happened(k event.Kind, n int, age time.Duration) {
	w.t.Helper()
	var all []event.Kept
	for i := range n {
		w.index++
		at := now.Add(-age - time.Duration(i)*day)
		all = append(all, event.Kept{
			Event:  event.Event{Workspace: w.ws, MessageID: fmt.Sprint("m", w.index), Type: k.Type, Name: k.Name, Time: at, Received: at},
			Person: 1, Position: event.Position{Seq: uint64(w.index)},
		})
	}
	if err := w.events.Append(w.t.Context(), event.Batch{Events: all, Through: uint64(w.index)}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) set(p retention.Policy) {
	w.t.Helper()
	if err := w.SetPolicy(w.t.Context(), w.ws, p); err != nil {
		w.t.Fatal(err)
	}
}

// work does what waits and returns how many beginnings that were.
func (w *world) work() (n int) {
	w.t.Helper()
	for {
		more, err := w.jobs.Work(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if !more {
			return n
		}
		n++
	}
}

func (w *world) left() map[event.Kind]int64 {
	w.t.Helper()
	ages, err := w.events.Ages(w.t.Context(), w.ws)
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[event.Kind]int64{}
	for _, a := range ages {
		out[a.Kind] = a.Count
	}
	return out
}

func (w *world) receipts() []retention.Receipt {
	w.t.Helper()
	p, err := w.Receipts(w.t.Context(), w.ws, page.Request{})
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Items
}

func (w *world) begin() {
	w.t.Helper()
	asked := w.Wanted()
	asked.By = staff.System(w.ws)
	if _, err := w.jobs.Begin(w.t.Context(), w.ws, asked); err != nil {
		w.t.Fatal(err)
	}
}

func TestWhatIsForeseenIsWhatGoesAndIsSaidAfterwards(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		w.happened(seen, 40, 0)
		w.happened(pages, 3, 400*day)
		w.happened(bought, 2, 400*day)
		w.happened(event.Kind{Type: event.Identify}, 2, 400*day)
		w.rules["seg_ever"] = `{"event":{"name":"Seen","op":"gte","value":1}}`
		w.rules["seg_far"] = `{"not":{"event":{"name":"Seen","op":"gte","value":1,"window":{"within":{"n":31,"unit":"day"}}}}}`
		w.rules["seg_near"] = `{"event":{"name":"Seen","op":"gte","value":1,"window":{"within":{"n":30,"unit":"day"}}}}`
		w.rules["seg_other"] = `{"order":{"agg":"count","op":"gte","value":1}}`
		p := retention.Policy{Days: 365, Rules: []retention.Rule{{Kind: seen, Days: 30}}}
		f, err := w.Look(t.Context(), w.ws, p)
		if err != nil {
			t.Fatal(err)
		}
		lines := []retention.Gone{{Kind: seen, Before: now.Add(-30 * day), Count: 9}, {Kind: pages, Before: now.Add(-365 * day), Count: 3}}
		if d := cmp.Diff(lines, f.Lines); d != "" {
			t.Error(d)
		}
		// Orders are kept for ten years, and "ever" is longer.
		if got := askers(f.Askers); got != "seg_ever:Seen seg_far:Seen seg_other:Order Completed" {
			t.Errorf("these ask further back: %s", got)
		}
		if n := w.left()[seen]; n != 40 {
			t.Errorf("looking has left %d", n)
		}
		w.set(p)
		w.begin()
		w.work()
		if d := cmp.Diff(map[event.Kind]int64{seen: 31, bought: 2, {Type: event.Identify}: 2}, w.left()); d != "" {
			t.Error(d)
		}
		got := w.receipts()
		if len(got) != 1 || got[0].Count() != 12 || !got[0].Rewritten || got[0].Segments != 2 || !cmp.Equal(got[0].Lines, lines) {
			t.Errorf("the receipt says %+v", got)
		}
		if !slices.Equal(w.again, []string{"seg_ever", "seg_far"}) {
			t.Errorf("evaluated again are %v", w.again)
		}
		if d := cmp.Diff([][]event.Kind{{seen, pages}}, w.judged); d != "" || !slices.Equal(w.daily, []bool{false}) {
			t.Errorf("people are judged again because of %s, daily %v", d, w.daily)
		}
		// Kept longer from now on: what is gone is gone.
		w.set(retention.Policy{})
		kinds, err := w.Kinds(t.Context(), w.ws)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(kinds, func(k retention.Kept) bool { return k.Kind == pages })
		if at < 0 || kinds[at].Count != 0 || kinds[at].Removed != 3 || !kinds[at].Gone.Equal(now.Add(-365*day)) || kinds[at].Days != 0 {
			t.Errorf("kinds are %+v", kinds)
		}
		r, err := rule.Parse([]byte(w.rules["seg_far"]))
		if err != nil {
			t.Fatal(err)
		}
		limits, err := w.Limits(t.Context(), w.ws, r)
		if want := []retention.Limit{{Kind: seen, Before: now.Add(-30 * day)}}; err != nil || !cmp.Equal(limits, want) {
			t.Errorf("limits are %+v, %v; want %+v", limits, err, want)
		}
		w.clock.Advance(2 * day) // nothing was removed since, so a month is known again
		if limits, err = w.Limits(t.Context(), w.ws, r); err != nil || len(limits) != 0 {
			t.Errorf("two days later: %+v, %v", limits, err)
		}
	})
}

func TestARemovalThatDiesGoesOnAndCountsEachEventOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for dies := 1; dies <= 6; dies++ {
			w := newWorld(t, db)
			w.happened(seen, 5, 100*day)
			w.happened(pages, 3, 100*day)
			w.set(retention.Policy{Days: 30})
			w.events.after = dies
			w.begin()
			w.work()
			w.clock.Advance(time.Minute) // the pause after a failure
			w.work()
			if left := w.left(); len(left) != 0 {
				t.Errorf("died after %d removals: %v are left", dies, left)
			}
			if r := w.receipts(); len(r) != 1 || r[0].Count() != 8 || r[0].Lines[0].Count != 5 {
				t.Errorf("died after %d removals: the receipt says %+v", dies, r)
			}
			if d := cmp.Diff([][]event.Kind{{seen, pages}}, w.judged); d != "" {
				t.Errorf("died after %d removals: people are judged again because of %s", dies, d)
			}
		}
	})
}

func TestEachDayWhatIsPastItsTermGoesByItself(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		w.happened(seen, 100, 0)
		daily := func() (receipts int, left int64) {
			t.Helper()
			if _, err := w.Daily(t.Context(), 100); err != nil {
				t.Fatal(err)
			}
			w.work()
			return len(w.receipts()), w.left()[seen]
		}
		if n, left := daily(); n != 0 || left != 100 {
			t.Fatalf("without a policy: %d removals, %d left", n, left)
		}
		w.set(retention.Policy{Days: 98})
		for range 2 { // once a day
			if n, left := daily(); n != 1 || left != 99 {
				t.Fatalf("%d removals, %d left", n, left)
			}
		}
		if w.receipts()[0].Rewritten {
			t.Error("a file is written anew for one event of a hundred")
		}
		w.clock.Advance(4 * day)
		if n, left := daily(); n != 2 || left != 95 || !w.receipts()[0].Rewritten {
			t.Errorf("%d removals, %d left, the last: %+v", n, left, w.receipts()[0])
		}
		if !slices.Equal(w.daily, []bool{true, true}) {
			t.Errorf("how people stand is told of removals that are daily: %v", w.daily)
		}
		w.clock.Advance(day)
		w.set(retention.Policy{Days: 200})
		if n, _ := daily(); n != 2 {
			t.Errorf("nothing is too old: %d removals", n)
		}
	})
}

func askers(all []retention.Asker) string {
	var out []string
	for _, a := range all {
		for _, l := range a.Limits {
			out = append(out, a.ID+":"+l.Name)
		}
	}
	return strings.Join(out, " ")
}

// faults lists code and field of everything in an error.
func faults(err error) (out []string) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range all.Unwrap() {
			out = append(out, faults(e)...)
		}
		return out
	}
	if e, ok := errors.AsType[*errs.Error](err); ok {
		out = append(out, e.Code+" "+e.Field)
	}
	return out
}
