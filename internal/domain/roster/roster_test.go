package roster_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/roster"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/folder"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const (
	ws    = "ws_1"
	crowd = 1203 // people; not a whole number of pages
)

var errBroken = errors.New("the connection is gone")

// office is people and one list in memory. Every few calls break: reads and writes before they do anything, writes also after they have.
type office struct {
	list  *roaring64.Bitmap
	every int
	calls int
}

func (o *office) breaks() bool {
	o.calls++
	return o.every > 0 && o.calls%o.every == 0
}

func (o *office) Find(_ context.Context, _ string, _ person.Filter, p page.Request) (page.Of[person.Person], error) {
	if o.breaks() {
		return page.Of[person.Person]{}, errBroken
	}
	num := uint64(crowd)
	if _, err := page.Decode(p.Cursor, &num); err != nil {
		return page.Of[person.Person]{}, err
	}
	var found page.Of[person.Person]
	for ; num > 0 && len(found.Items) < p.Size(); num-- {
		found.Items = append(found.Items, person.Person{Num: num, ID: id(num), Traits: map[string]person.Trait{"n": {Value: num}}})
	}
	if num > 0 {
		found.Next = page.Encode(num)
	}
	return found, nil
}

func id(num uint64) string { return fmt.Sprintf("per_%d", num) }

func (o *office) CountFitting(context.Context, string, person.Filter) (int64, error) {
	return crowd, nil
}

func (o *office) IDs(_ context.Context, _ string, nums []uint64) (map[uint64]string, error) {
	out := map[uint64]string{}
	for _, n := range nums {
		out[n] = id(n)
	}
	return out, nil
}

func (o *office) Members(context.Context, string, string) (*roaring64.Bitmap, error) {
	return o.list.Clone(), nil
}

func (o *office) Audience(context.Context, string, json.RawMessage) (*roaring64.Bitmap, error) {
	return o.list.Clone(), nil
}

func (o *office) GetList(_ context.Context, _, id string) (segment.List, error) {
	return segment.List{ID: id}, nil
}

func (o *office) AddToList(_ context.Context, _, _ string, entries []segment.Entry) ([]segment.Row, error) {
	return o.edit(entries, o.list.Add)
}

func (o *office) RemoveFromList(_ context.Context, _, _ string, entries []segment.Entry) ([]segment.Row, error) {
	return o.edit(entries, o.list.Remove)
}

func (o *office) edit(entries []segment.Entry, do func(uint64)) ([]segment.Row, error) {
	if o.breaks() {
		return nil, errBroken
	}
	for _, e := range entries {
		var num uint64
		if _, err := fmt.Sscanf(e.PersonID, "per_%d", &num); err != nil {
			return nil, err
		}
		do(num)
	}
	if o.breaks() {
		return nil, errBroken
	}
	return nil, nil
}

func (o *office) Arrivals(_ context.Context, _ string, f event.ArrivalFilter, p page.Request) (page.Of[event.Kept], error) {
	found, err := o.Find(context.Background(), ws, person.Filter{}, p)
	out := page.Of[event.Kept]{Next: found.Next}
	for _, who := range found.Items {
		out.Items = append(out.Items, event.Kept{Event: event.Event{MessageID: "m" + who.ID, Name: f.Name, Properties: json.RawMessage(`{}`)}, Person: who.Num})
	}
	return out, err
}

func (o *office) Fields(context.Context, string, string, int) ([]event.Field, error) {
	return []event.Field{{Path: "n", Kind: "number"}, {Path: "size", Kind: "object"}}, nil
}

type world struct {
	t     *testing.T
	o     *office
	jobs  *job.Service
	r     roster.Service
	clock *clock.Fixed
	who   staff.Principal
}

func newWorld(t *testing.T, db *sqldb.DB, every int) *world {
	files, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	if _, err := db.Exec(t.Context(), `DELETE FROM job`); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, o: &office{list: roaring64.BitmapOf(2, 3, 5000), every: every}, clock: clock.NewFixed(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))}
	w.who = staff.Principal{Workspace: ws, ID: "usr_1", Permissions: []staff.Permission{staff.SegmentsWrite, staff.Export}}
	w.jobs = job.New(job.Config{Store: sqlstore.NewJob(db), Tx: db, Clock: w.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Files: files})
	w.r = roster.Service{People: w.o, Sets: w.o, Events: w.o, Jobs: w.jobs}
	w.jobs.Register(w.r.Kinds()...)
	return w
}

// do has a job done, begun again as often as it breaks off.
func (w *world) do(wanted job.Wanted) job.Job {
	w.t.Helper()
	wanted.By = w.who
	j, err := w.jobs.Begin(w.t.Context(), ws, wanted)
	if err != nil {
		w.t.Fatal(err)
	}
	for range 100 {
		if j, err = w.jobs.Get(w.t.Context(), w.who, j.ID); err != nil || j.State.Over() {
			break
		}
		w.clock.Advance(time.Hour)
		if _, err := w.jobs.Work(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
	if err != nil || j.State != job.Done {
		w.t.Fatalf("%+v, %v", j, err)
	}
	return j
}

func (w *world) lines(j job.Job, key string) [][]string {
	w.t.Helper()
	_, file, err := w.jobs.File(w.t.Context(), w.who, j.ID, key)
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

func TestAFileHasEverybodyOnceHoweverOftenItsJobBreaksOff(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for _, wanted := range []job.Wanted{{Kind: roster.PeopleExport, Params: roster.PeopleParams{}}, {Kind: roster.EventsExport, Params: roster.EventsParams{}}} {
			w := newWorld(t, db, 5)
			j := w.do(wanted)
			rows := w.lines(j, "table")
			seen := map[string]bool{}
			for _, r := range rows[1:] {
				seen[r[0]] = true
			}
			if len(rows) != crowd+1 || len(seen) != crowd || j.Figures["rows"] != crowd {
				t.Errorf("%s: %d rows of %d, %+v", j.Kind, len(rows), len(seen), j)
			}
			if head := strings.Join(rows[0], ","); j.Kind == roster.PeopleExport && !strings.HasSuffix(head, ",identifiers,traits.n,traits") {
				t.Errorf("heading %s", head)
			}
		}
	})
}

func TestAChangeOfAListIsDoneWholeAndTakenBackExactlyHoweverOftenItBreaksOff(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for _, every := range []int{0, 3, 4, 5, 7} {
			w := newWorld(t, db, every)
			before := w.o.list.Clone()
			put := w.do(job.Wanted{Kind: roster.ListChange, Params: roster.ListParams{List: "lst_1"}})
			if got := w.o.list.GetCardinality(); got != crowd+1 || put.Figures["added"] != crowd-2 || put.Figures["people"] != crowd {
				t.Fatalf("every %d: %d on the list, %+v", w.o.every, got, put.Figures)
			}
			if rows := w.lines(put, "changed"); len(rows) != crowd-2+1 {
				t.Errorf("every %d: noted %d", w.o.every, len(rows))
			}
			w.o.list.Add(7000) // by somebody else
			list, undo, err := w.r.Undo(t.Context(), w.who, put.ID)
			if err != nil || list != "lst_1" {
				t.Fatal(list, err)
			}
			w.do(undo)
			before.Add(7000)
			if !w.o.list.Equals(before) {
				t.Errorf("every %d: taken back, %v are on the list", w.o.every, w.o.list.ToArray())
			}
			gone := w.do(job.Wanted{Kind: roster.ListChange, Params: roster.ListParams{List: "lst_1", Remove: true}})
			if !w.o.list.Equals(roaring64.BitmapOf(5000, 7000)) || gone.Figures["taken_off"] != 2 {
				t.Errorf("every %d: %v left, %+v", w.o.every, w.o.list.ToArray(), gone.Figures)
			}
		}
	})
}

// Cancelled in its second page, a change has done the first; undoing takes that back.
func TestAChangeThatWasEndedIsTakenBackAsFarAsItCame(t *testing.T) {
	w := newWorld(t, sqldbtest.Open(t, sqldb.SQLite), 0)
	w.o.every = 4 // the second page cannot be read
	j, err := w.jobs.Begin(t.Context(), ws, job.Wanted{Kind: roster.ListChange, Params: roster.ListParams{List: "lst_1"}, By: w.who})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.jobs.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.o.every = 0
	if got := w.o.list.GetCardinality(); got != page.MaxLimit+3 {
		t.Fatalf("%d on the list", got)
	}
	_, undo, err := w.r.Undo(t.Context(), w.who, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	if done := w.do(undo); !w.o.list.Equals(roaring64.BitmapOf(2, 3, 5000)) || done.Figures["restored"] != page.MaxLimit {
		t.Errorf("%v, %+v", w.o.list.ToArray(), done.Figures)
	}
}

func TestAFileIsForThoseWhoMayExport(t *testing.T) {
	w := newWorld(t, sqldbtest.Open(t, sqldb.SQLite), 0)
	strangers := w.who
	strangers.Permissions = []staff.Permission{staff.PeopleRead}
	j := w.do(job.Wanted{Kind: roster.PeopleExport, Params: roster.PeopleParams{}})
	if _, _, err := w.jobs.File(t.Context(), strangers, j.ID, "table"); err == nil {
		t.Error("read by somebody who may not export")
	}
}
