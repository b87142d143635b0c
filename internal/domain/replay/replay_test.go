package replay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/replay"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

var (
	start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	day   = replay.Range{From: start, To: start.AddDate(0, 0, 1)}
)

const ws = "ws1"

// world is the history of people 1 to n, each with two events at the beginning of the day, and of some who have none within it.
type world struct {
	t      *testing.T
	clock  *clock.Fixed
	jobs   *job.Service
	replay *replay.Service
	done   []uint64 // people in the order in which they were worked out, each time
	part   replay.Part
	after  func() error // once some are worked out
}

func newWorld(t *testing.T, db *sqldb.DB, n int) *world {
	t.Helper()
	events, err := duck.Open(t.Context(), filepath.Join(t.TempDir(), "events.duckdb"), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = events.Close() })
	if _, err := db.Exec(t.Context(), `DELETE FROM job`); err != nil {
		t.Fatal(err)
	}
	var b event.Batch
	add := func(ws string, who uint64, at time.Time) {
		e := event.Event{Workspace: ws, Type: event.Track, Name: "Seen", MessageID: fmt.Sprint(len(b.Events)), Time: at, Received: at}
		b.Through++
		b.Events = append(b.Events, event.Kept{Event: e, Person: who, Position: event.Position{Seq: b.Through}})
	}
	for i := range n {
		add(ws, uint64(i+1), day.From)
		add(ws, uint64(i+1), day.From.Add(time.Second))
	}
	add(ws, 9001, day.From.Add(-time.Microsecond))
	add(ws, 9002, day.To)
	add("ws2", 9003, day.From)
	if err := events.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: clock.NewFixed(start)}
	w.replay = &replay.Service{
		Events: events,
		IDs: func(_ context.Context, _ string, nums []uint64) (map[uint64]string, error) {
			out := map[uint64]string{}
			for _, n := range nums {
				if n != 3 { // somebody who was erased
					out[n] = fmt.Sprintf("per_%d", n)
				}
			}
			return out, nil
		},
		Again: func(_ context.Context, people []person.Ref, part replay.Part) error {
			w.part = part
			for _, p := range people {
				if p.Workspace != ws || p.ID != fmt.Sprintf("per_%d", p.Num) {
					t.Errorf("worked out anew: %+v", p)
				}
				w.done = append(w.done, p.Num)
			}
			if w.after != nil {
				return w.after()
			}
			return nil
		},
	}
	w.jobs = job.New(job.Config{Store: sqlstore.NewJob(db), Tx: db, Clock: w.clock, Log: slog.New(slog.DiscardHandler)})
	w.jobs.Register(w.replay.Kind())
	return w
}

var by = staff.Principal{Workspace: ws, ID: "usr_1", Name: "Ann", Permissions: []staff.Permission{staff.SettingsWrite}}

func (w *world) begin(r replay.Range) job.Job {
	w.t.Helper()
	wanted, err := w.replay.Wanted(r)
	if err != nil {
		w.t.Fatal(err)
	}
	wanted.By = by
	j, err := w.jobs.Begin(w.t.Context(), ws, wanted)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// work does what waits, and returns the job.
func (w *world) work(j job.Job) job.Job {
	w.t.Helper()
	for {
		more, err := w.jobs.Work(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if !more {
			break
		}
	}
	j, err := w.jobs.Get(w.t.Context(), by, j.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// people are the numbers of those who are there to be worked out.
func people(n int) (out []uint64) {
	for i := range n {
		if i+1 != 3 {
			out = append(out, uint64(i+1))
		}
	}
	return out
}

func TestEverybodyOfTheRangeIsWorkedOutOnceAndNobodyElse(t *testing.T) {
	for _, n := range []int{0, 5, 200, 201} {
		sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
			w := newWorld(t, db, n)
			if who, events, err := w.replay.Size(t.Context(), ws, day); err != nil || who != int64(n) || events != int64(2*n) {
				t.Errorf("size: %d people, %d events, %v", who, events, err)
			}
			j := w.work(w.begin(day))
			if diff := cmp.Diff(people(n), w.done); diff != "" || w.part != "" {
				t.Errorf("%d people, part %q: %s", n, w.part, diff)
			}
			if j.State != job.Done || j.Progress.Done != int64(n) || j.Total != int64(n) || j.Figures["people"] != int64(n) {
				t.Errorf("the job: %+v", j)
			}
		})
	}
}

func TestAPartIsHandedOn(t *testing.T) {
	w := newWorld(t, sqldbtest.Open(t, sqldb.SQLite), 1)
	r := day
	r.Part = replay.Standing
	j := w.work(w.begin(r))
	if w.part != replay.Standing || j.Title != "2026-03-01T09:00:00Z – 2026-03-02T09:00:00Z (standing)" {
		t.Errorf("part %q, %q", w.part, j.Title)
	}
}

func TestARangeThatIsNoneNamesItsField(t *testing.T) {
	for field, r := range map[string]replay.Range{
		"to":   {From: day.To, To: day.To},
		"part": {From: day.From, To: day.To, Part: "all"},
	} {
		s := &replay.Service{}
		_, begin := s.Wanted(r)
		_, _, size := s.Size(t.Context(), ws, r)
		for _, err := range []error{begin, size} {
			if all := errs.All(err); len(all) != 1 || all[0].Field != field || all[0].Kind != errs.KindInvalid {
				t.Errorf("%s: %v", field, err)
			}
		}
	}
}

// The process dies after some were worked out and before that is written down. Another one takes over: those, and only those, are worked out a second time.
func TestAReplayThatIsKilledGoesOnBehindWhatItHasSaved(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		const n = 450
		w := newWorld(t, db, n)
		j := w.begin(day)
		lives := 0
		w.after = func() error {
			if lives++; lives == 2 {
				w.clock.Advance(time.Hour) // the lease of the dead one is over
				if got := w.work(j); got.State != job.Done || got.Figures["people"] != n {
					t.Errorf("who took over left %+v", got)
				}
			}
			return nil
		}
		if got := w.work(j); got.State != job.Done || got.Figures["people"] != n {
			t.Errorf("the job: %+v", got)
		}
		times := map[uint64]int{}
		for _, p := range w.done {
			times[p]++
		}
		for _, p := range people(n) {
			if want := 1; times[p] != want && (p <= 200 || p > 400 || times[p] != 2) {
				t.Fatalf("%d was worked out %d times", p, times[p])
			}
		}
	})
}

func TestAReplayGoesOnAfterAFailureWithoutSkippingAnybody(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db, 250)
		j := w.begin(day)
		failed := false
		w.after = func() error {
			if len(w.done) > 200 && !failed {
				failed = true
				return errors.New("the event store is away")
			}
			return nil
		}
		if got := w.work(j); got.State != job.Queued {
			t.Fatalf("after the failure: %+v", got)
		}
		w.clock.Advance(time.Hour)
		if got := w.work(j); got.State != job.Done || got.Figures["people"] != 250 {
			t.Errorf("the job: %+v", got)
		}
		slices.Sort(w.done)
		if got := slices.Compact(w.done); !slices.Equal(got, people(250)) {
			t.Errorf("worked out: %v", got)
		}
	})
}
