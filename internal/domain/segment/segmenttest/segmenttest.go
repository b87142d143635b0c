// Package segmenttest is the conformance suite of segment.Store.
//
// Owns: what every implementation has to do, as tests. Does not own: any implementation.
//
//	sqlstore.Segment on SQLite ────┐
//	sqlstore.Segment on PostgreSQL ┴─► Run
//
// Invariant: the suite knows the store by its contract alone.
package segmenttest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

var t0 = time.Date(2026, 3, 1, 9, 30, 0, 123456000, time.UTC)

// Run checks a store. newStore returns an empty one for each test.
func Run(t *testing.T, newStore func(t *testing.T) segment.Store) {
	for name, test := range map[string]func(*testing.T, segment.Store){
		"a segment reads back as it was written":                       segmentRoundTrip,
		"an update leaves size, version and making alone":              updateKeepsCounts,
		"names are unique among active segments whatever the case":     segmentNames,
		"segments are listed newest first, filtered and in pages":      listing,
		"evaluating segments are found in all workspaces":              evaluating,
		"lists are kept, renamed and deleted with their members":       lists,
		"members survive in chunks and only the written chunks change": members,
		"deadlines are one for each pair and come due in order":        deadlines,
		"merges are noted once for each loser":                         merges,
		"only a writer who knows the revision advances it":             revisions,
		"workspaces do not see each other":                             isolation,
	} {
		t.Run(name, func(t *testing.T) { test(t, newStore(t)) })
	}
}

func sample(id, name string) segment.Segment {
	return segment.Segment{
		ID: id, Name: name, Description: "Bought twice — 二度買った", Rule: []byte(`{"all":[]}`), RuleVersion: 1, Rev: 1,
		Status: segment.Active, State: segment.Evaluating, CreatedAt: t0, UpdatedAt: t0.Add(time.Second),
	}
}

func create(t *testing.T, st segment.Store, ws string, g segment.Segment) {
	t.Helper()
	if err := st.CreateSegment(t.Context(), ws, g); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, st segment.Store, ws, id string) segment.Segment {
	t.Helper()
	g, err := st.Segment(t.Context(), ws, id)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func segmentRoundTrip(t *testing.T, st segment.Store) {
	want := sample("seg_1", "Loyal")
	want.Progress = segment.Progress{Done: 3, Total: 9}
	want.Failure, want.EvaluatedAt = "no disk", t0.Add(time.Hour)
	want.Size, want.Version = 12, 4
	create(t, st, "ws_1", want)
	if diff := cmp.Diff(want, get(t, st, "ws_1", "seg_1")); diff != "" {
		t.Errorf("segment (-want +got):\n%s", diff)
	}
	if _, err := st.Segment(t.Context(), "ws_1", "seg_2"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("an unknown segment gives %v, want not found", err)
	}
	all, err := st.AllSegments(t.Context(), "ws_1")
	if err != nil || len(all) != 1 {
		t.Fatalf("AllSegments: %v, %v", all, err)
	}
	if diff := cmp.Diff(want, all[0]); diff != "" {
		t.Errorf("AllSegments (-want +got):\n%s", diff)
	}
}

func updateKeepsCounts(t *testing.T, st segment.Store) {
	create(t, st, "ws_1", sample("seg_1", "Loyal"))
	save(t, st, segment.Members{Set: "seg_1", Size: 2, Version: 7, Chunks: map[uint64][]uint16{0: {1, 2}}})
	g := get(t, st, "ws_1", "seg_1")
	g.Name, g.Rule, g.RuleVersion, g.Rev, g.State, g.Status, g.Failure = "Very loyal", []byte(`{"any":[]}`), 2, 3, segment.Failed, segment.Archived, "why"
	g.Progress, g.UpdatedAt, g.EvaluatedAt = segment.Progress{Done: 1, Total: 2}, t0.Add(time.Hour), t0.Add(2*time.Hour)
	want := g
	g.Size, g.Version, g.CreatedAt = 99, 99, t0.Add(99*time.Hour)
	if err := st.UpdateSegment(t.Context(), "ws_1", g); err != nil {
		t.Fatal(err)
	}
	got := get(t, st, "ws_1", "seg_1")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after the update (-want +got):\n%s", diff)
	}
	if got.Size != 2 || got.Version != 7 {
		t.Errorf("size %d, version %d; want 2, 7", got.Size, got.Version)
	}
	g.ID = "seg_2"
	if err := st.UpdateSegment(t.Context(), "ws_1", g); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("updating an unknown segment gives %v, want not found", err)
	}
}

func segmentNames(t *testing.T, st segment.Store) {
	taken := func(err error) {
		t.Helper()
		if e, ok := errors.AsType[*errs.Error](err); !ok || e.Code != "segment.name.taken" || e.Kind != errs.KindConflict {
			t.Errorf("got %v, want the conflict segment.name.taken", err)
		}
	}
	create(t, st, "ws_1", sample("seg_1", "Größte Käufer"))
	create(t, st, "ws_2", sample("seg_2", "Größte Käufer"))
	taken(st.CreateSegment(t.Context(), "ws_1", sample("seg_3", "GRÖßTE KÄUFER")))
	create(t, st, "ws_1", sample("seg_4", "Other"))
	g := get(t, st, "ws_1", "seg_4")
	g.Name = "größte käufer"
	taken(st.UpdateSegment(t.Context(), "ws_1", g))

	old := get(t, st, "ws_1", "seg_1")
	old.Status = segment.Archived
	if err := st.UpdateSegment(t.Context(), "ws_1", old); err != nil {
		t.Fatal(err)
	}
	if err := st.UpdateSegment(t.Context(), "ws_1", g); err != nil {
		t.Errorf("an archived segment must not hold its name: %v", err)
	}
	old.Status = segment.Active
	taken(st.UpdateSegment(t.Context(), "ws_1", old))
}

func listing(t *testing.T, st segment.Store) {
	for i := range 7 {
		g := sample(fmt.Sprintf("seg_%d", i), fmt.Sprintf("100%% no. %d", i))
		if i == 3 {
			g.Status = segment.Archived
		}
		if i == 5 {
			g.Name = "Übrige"
		}
		create(t, st, "ws_1", g)
	}
	ids := func(f segment.Filter, limit int) (out []string) {
		t.Helper()
		p := page.Request{Limit: limit}
		for {
			got, err := st.Segments(t.Context(), "ws_1", f, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range got.Items {
				out = append(out, g.ID)
			}
			if p.Cursor = got.Next; p.Cursor == "" {
				return out
			}
		}
	}
	for _, c := range []struct {
		f    segment.Filter
		want []string
	}{
		{segment.Filter{}, []string{"seg_6", "seg_5", "seg_4", "seg_3", "seg_2", "seg_1", "seg_0"}},
		{segment.Filter{Status: segment.Archived}, []string{"seg_3"}},
		{segment.Filter{Status: segment.Active, Text: "100% NO"}, []string{"seg_6", "seg_4", "seg_2", "seg_1", "seg_0"}},
		{segment.Filter{Text: "übr"}, []string{"seg_5"}},
		{segment.Filter{Text: "100_"}, nil},
	} {
		if diff := cmp.Diff(c.want, ids(c.f, 2)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.f, diff)
		}
	}
	if _, err := st.Segments(t.Context(), "ws_1", segment.Filter{}, page.Request{Cursor: "nonsense"}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("a foreign cursor gives %v, want invalid", err)
	}
}

func evaluating(t *testing.T, st segment.Store) {
	create(t, st, "ws_2", sample("seg_1", "A"))
	create(t, st, "ws_1", sample("seg_3", "B"))
	ready := sample("seg_2", "C")
	ready.State = segment.Ready
	create(t, st, "ws_1", ready)
	got, err := st.EvaluatingSegments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]segment.Ref{{Workspace: "ws_2", Segment: "seg_1"}, {Workspace: "ws_1", Segment: "seg_3"}}, got); diff != "" {
		t.Errorf("evaluating (-want +got):\n%s", diff)
	}
}

func lists(t *testing.T, st segment.Store) {
	ctx := t.Context()
	want := segment.List{ID: "lst_1", Name: "Fair visitors", Description: "Hall 4", CreatedAt: t0, UpdatedAt: t0}
	other := segment.List{ID: "lst_2", Name: "Press", CreatedAt: t0, UpdatedAt: t0}
	for _, l := range []segment.List{want, other} {
		if err := st.CreateList(ctx, "ws_1", l); err != nil {
			t.Fatal(err)
		}
	}
	twin := segment.List{ID: "lst_3", Name: "FAIR visitors", CreatedAt: t0, UpdatedAt: t0}
	if err := st.CreateList(ctx, "ws_1", twin); !errs.Is(err, errs.KindConflict) {
		t.Errorf("a second list of the name gives %v, want a conflict", err)
	}
	save(t, st, segment.Members{Set: "lst_1", List: true, Size: 1, Version: 3, Chunks: map[uint64][]uint16{0: {9}}})
	want.Name, want.UpdatedAt, want.Size, want.Version = "Visitors", t0.Add(time.Minute), 1, 3
	if err := st.UpdateList(ctx, "ws_1", want); err != nil {
		t.Fatal(err)
	}
	got, err := st.List(ctx, "ws_1", "lst_1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	other.Name = "visitors"
	if err := st.UpdateList(ctx, "ws_1", other); !errs.Is(err, errs.KindConflict) {
		t.Errorf("renaming to a taken name gives %v, want a conflict", err)
	}
	all, err := st.AllLists(ctx, "ws_1")
	if err != nil || len(all) != 2 || all[0].ID != "lst_1" {
		t.Errorf("AllLists: %v, %v", all, err)
	}
	first, err := st.Lists(ctx, "ws_1", segment.Filter{}, page.Request{Limit: 1})
	if err != nil || len(first.Items) != 1 || first.Items[0].ID != "lst_2" || first.Next == "" {
		t.Errorf("first page: %+v, %v", first, err)
	}
	second, err := st.Lists(ctx, "ws_1", segment.Filter{Text: "VIS"}, page.Request{Limit: 1, Cursor: first.Next})
	if err != nil || len(second.Items) != 1 || second.Items[0].ID != "lst_1" || second.Next != "" {
		t.Errorf("second page: %+v, %v", second, err)
	}
	if err := st.DeleteList(ctx, "ws_1", "lst_1"); err != nil {
		t.Fatal(err)
	}
	if left := load(t, st, "ws_1"); len(left) != 0 {
		t.Errorf("members of the deleted list are left: %v", left)
	}
	for name, err := range map[string]error{
		"reading": func() error { _, err := st.List(ctx, "ws_1", "lst_1"); return err }(), "deleting": st.DeleteList(ctx, "ws_1", "lst_1"),
		"renaming": st.UpdateList(ctx, "ws_1", want),
	} {
		if !errs.Is(err, errs.KindNotFound) {
			t.Errorf("%s a deleted list gives %v, want not found", name, err)
		}
	}
}

func save(t *testing.T, st segment.Store, m ...segment.Members) {
	t.Helper()
	if err := st.SaveMembers(t.Context(), "ws_1", m); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, st segment.Store, ws string) map[string][]uint64 {
	t.Helper()
	all, err := st.AllMembers(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]uint64{}
	for id, b := range all {
		out[id] = b.ToArray()
	}
	return out
}

func members(t *testing.T, st segment.Store) {
	create(t, st, "ws_1", sample("seg_1", "A"))
	create(t, st, "ws_1", sample("seg_2", "B"))
	far := uint64(1) << 40 // beyond the 32 bits of one plain bitmap
	save(t, st,
		segment.Members{Set: "seg_1", Size: 5, Version: 1, Chunks: map[uint64][]uint16{0: {0, 1, 65535}, 1: {0}, far >> 16: {7}}},
		segment.Members{Set: "seg_2", Size: 1, Version: 1, Chunks: map[uint64][]uint16{0: {5}}})
	want := map[string][]uint64{"seg_1": {0, 1, 65535, 65536, far + 7}, "seg_2": {5}}
	if diff := cmp.Diff(want, load(t, st, "ws_1")); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	save(t, st, segment.Members{Set: "seg_1", Size: 3, Version: 2, Chunks: map[uint64][]uint16{0: {1}, 1: {}}})
	want["seg_1"] = []uint64{1, far + 7}
	if diff := cmp.Diff(want, load(t, st, "ws_1")); diff != "" {
		t.Errorf("after a change of two chunks (-want +got):\n%s", diff)
	}
	if g := get(t, st, "ws_1", "seg_1"); g.Size != 3 || g.Version != 2 {
		t.Errorf("size %d, version %d; want 3, 2", g.Size, g.Version)
	}
	dense := make([]uint16, 65536)
	for i := range dense {
		dense[i] = uint16(i)
	}
	save(t, st, segment.Members{Set: "seg_2", Size: 65536, Version: 2, Chunks: map[uint64][]uint16{0: dense}})
	all, err := st.AllMembers(t.Context(), "ws_1")
	if err != nil {
		t.Fatal(err)
	}
	full := roaring64.New()
	full.AddRange(0, 65536)
	if !all["seg_2"].Equals(full) {
		t.Errorf("a full chunk reads back with %d members", all["seg_2"].GetCardinality())
	}
}

func deadlines(t *testing.T, st segment.Store) {
	ctx := t.Context()
	if next, err := st.NextDue(ctx); err != nil || !next.IsZero() {
		t.Errorf("NextDue of nothing: %v, %v", next, err)
	}
	d := func(seg string, person uint64, after time.Duration) segment.Deadline {
		return segment.Deadline{Segment: seg, Person: person, Due: t0.Add(after)}
	}
	put := func(ws string, set, remove []segment.Deadline) {
		t.Helper()
		if err := st.SaveDeadlines(ctx, ws, set, remove); err != nil {
			t.Fatal(err)
		}
	}
	put("ws_1", []segment.Deadline{d("seg_1", 1, time.Hour), d("seg_2", 1, 2*time.Hour), d("seg_1", 2, 3*time.Hour)}, nil)
	put("ws_2", []segment.Deadline{d("seg_9", 1, time.Minute)}, nil)
	put("ws_1", []segment.Deadline{d("seg_1", 1, 30*time.Minute)}, nil)
	got, err := st.Deadlines(ctx, "ws_1", []uint64{1, 77})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b segment.Deadline) int { return a.Due.Compare(b.Due) })
	if diff := cmp.Diff([]segment.Deadline{d("seg_1", 1, 30*time.Minute), d("seg_2", 1, 2*time.Hour)}, got); diff != "" {
		t.Errorf("deadlines of one person (-want +got):\n%s", diff)
	}
	due := func(after time.Duration, limit int, want ...segment.DueDeadline) {
		t.Helper()
		got, err := st.Due(ctx, t0.Add(after), limit)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]segment.DueDeadline{}, want...), got); diff != "" {
			t.Errorf("due after %v (-want +got):\n%s", after, diff)
		}
	}
	a := segment.DueDeadline{Workspace: "ws_2", Deadline: d("seg_9", 1, time.Minute)}
	b := segment.DueDeadline{Workspace: "ws_1", Deadline: d("seg_1", 1, 30*time.Minute)}
	due(time.Minute-time.Microsecond, 10)
	due(time.Minute, 10, a)
	due(time.Hour, 10, a, b)
	due(time.Hour, 1, a)
	if next, err := st.NextDue(ctx); err != nil || !next.Equal(t0.Add(time.Minute)) {
		t.Errorf("NextDue = %v, %v", next, err)
	}
	put("ws_2", nil, []segment.Deadline{{Segment: "seg_9", Person: 1}})
	due(time.Hour, 10, b)
	if err := st.DropDeadlines(ctx, "ws_1", "seg_1"); err != nil {
		t.Fatal(err)
	}
	due(100*time.Hour, 10, segment.DueDeadline{Workspace: "ws_1", Deadline: d("seg_2", 1, 2*time.Hour)})
}

func merges(t *testing.T, st segment.Store) {
	ctx := t.Context()
	for _, m := range []segment.Merge{{Loser: 5, Winner: 1, At: t0.Add(time.Second)}, {Loser: 6, Winner: 2, At: t0}, {Loser: 5, Winner: 3, At: t0.Add(time.Minute)}} {
		if err := st.AddMerge(ctx, "ws_1", m); err != nil {
			t.Fatal(err)
		}
	}
	got, err := st.Merges(ctx, "ws_1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]segment.Merge{{Loser: 6, Winner: 2, At: t0}, {Loser: 5, Winner: 3, At: t0.Add(time.Minute)}}, got); diff != "" {
		t.Errorf("merges (-want +got):\n%s", diff)
	}
	if err := st.DropMerges(ctx, "ws_1", []uint64{5, 8}); err != nil {
		t.Fatal(err)
	}
	if got, err = st.Merges(ctx, "ws_1"); err != nil || len(got) != 1 || got[0].Loser != 6 {
		t.Errorf("after dropping: %v, %v", got, err)
	}
}

func revisions(t *testing.T, st segment.Store) {
	ctx := t.Context()
	for from := range uint64(3) {
		if n, err := st.Revision(ctx, "ws_1"); err != nil || n != from {
			t.Fatalf("revision %d, %v; want %d", n, err, from)
		}
		if err := st.Advance(ctx, "ws_1", from); err != nil {
			t.Fatal(err)
		}
		if err := st.Advance(ctx, "ws_1", from); !errors.Is(err, segment.ErrStale) {
			t.Errorf("advancing twice from %d gives %v, want ErrStale", from, err)
		}
	}
	if err := st.Advance(ctx, "ws_2", 0); err != nil {
		t.Fatal(err)
	}
	got, err := st.Revisions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]uint64{"ws_1": 3, "ws_2": 1}, got); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
}

func isolation(t *testing.T, st segment.Store) {
	ctx := t.Context()
	create(t, st, "ws_1", sample("seg_1", "A"))
	save(t, st, segment.Members{Set: "seg_1", Size: 1, Version: 1, Chunks: map[uint64][]uint16{0: {1}}})
	if err := st.SaveDeadlines(ctx, "ws_1", []segment.Deadline{{Segment: "seg_1", Person: 1, Due: t0}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := st.AddMerge(ctx, "ws_1", segment.Merge{Loser: 1, Winner: 2, At: t0}); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Segment(ctx, "ws_2", "seg_1"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("the other workspace's segment gives %v, want not found", err)
	}
	if m := load(t, st, "ws_2"); len(m) != 0 {
		t.Errorf("the other workspace's members show: %v", m)
	}
	if d, err := st.Deadlines(ctx, "ws_2", []uint64{1}); err != nil || len(d) != 0 {
		t.Errorf("the other workspace's deadlines show: %v, %v", d, err)
	}
	if m, err := st.Merges(ctx, "ws_2"); err != nil || len(m) != 0 {
		t.Errorf("the other workspace's merges show: %v, %v", m, err)
	}
	if err := st.DropDeadlines(ctx, "ws_2", "seg_1"); err != nil {
		t.Fatal(err)
	}
	if d, err := st.Deadlines(ctx, "ws_1", []uint64{1}); err != nil || len(d) != 1 {
		t.Errorf("dropping in another workspace took the deadlines: %v, %v", d, err)
	}
}
