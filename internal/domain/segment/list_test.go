package segment_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestListsTakeUploadsRowByRow(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2, 3)
	l := w.list("Fair")
	g := w.make("At the fair", fmt.Sprintf(inList, l.ID))
	none := w.make("Not at the fair", fmt.Sprintf(`{"not": {"list": {"id": %q}}}`, l.ID))
	w.drain()
	entries := []segment.Entry{
		{PersonID: "per_2"},
		{Identifier: event.Identifier{Kind: "user_id", Value: "u1"}},
		{PersonID: "per_2"},
		{PersonID: "per_9"},
		{Identifier: event.Identifier{Kind: "email", Value: "x@y.example"}},
	}
	outcomes := func(rows []segment.Row, err error) (out []string) {
		t.Helper()
		w.must(err)
		for _, r := range rows {
			out = append(out, strings.TrimSpace(string(r.Outcome)+" "+r.ResultID))
		}
		return out
	}
	if diff := cmp.Diff([]string{"added per_2", "added per_1", "already per_2", "unknown", "unknown"}, outcomes(w.AddToList(w.ctx, ws, l.ID, entries))); diff != "" {
		t.Errorf("upload (-want +got):\n%s", diff)
	}
	w.wantIn(l.ID, 1, 2)
	w.wantIn(g.ID, 1, 2)
	w.wantIn(none.ID, 3)
	w.wantSaid("+At the fair 1 manual", "+At the fair 2 manual", "-Not at the fair 1 manual", "-Not at the fair 2 manual")
	if diff := cmp.Diff([]string{"already per_2", "already per_1", "already per_2", "unknown", "unknown"}, outcomes(w.AddToList(w.ctx, ws, l.ID, entries))); diff != "" {
		t.Errorf("upload again (-want +got):\n%s", diff)
	}
	w.wantSaid()
	if diff := cmp.Diff([]string{"removed per_1", "absent per_3", "absent per_1"}, outcomes(w.RemoveFromList(w.ctx, ws, l.ID, []segment.Entry{{PersonID: "per_1"}, {PersonID: "per_3"}, {PersonID: "per_1"}}))); diff != "" {
		t.Errorf("removal (-want +got):\n%s", diff)
	}
	w.wantIn(g.ID, 2)
	w.wantSaid("-At the fair 1 manual", "+Not at the fair 1 manual")

	wantError(t, w.DeleteList(w.ctx, ws, l.ID), errs.KindConflict, "list.in_use", "At the fair, Not at the fair")
	for _, id := range []string{g.ID, none.ID} {
		_, err := w.Archive(w.ctx, ws, id, false)
		w.must(err)
	}
	w.must(w.DeleteList(w.ctx, ws, l.ID))
	if _, err := w.Members(w.ctx, ws, l.ID); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("members of a deleted list: %v, want not found", err)
	}
	if _, err := w.AddToList(w.ctx, ws, l.ID, entries); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("uploading to a deleted list: %v, want not found", err)
	}
}

func TestAnUploadLeavesTheDeadlinesOfOtherSegmentsAlone(t *testing.T) {
	w := newWorld(t)
	w.join(1)
	g := w.make("Lately", lately)
	w.happen(1, bought, order)
	_, err := w.AddToList(w.ctx, ws, w.list("Fair").ID, []segment.Entry{{PersonID: "per_1"}})
	w.must(err)
	w.clock.Advance(2 * time.Hour)
	w.runDue(1)
	w.wantIn(g.ID)
}

func TestALargeUploadIsWrittenInParts(t *testing.T) {
	w := newWorld(t)
	l := w.list("Everybody")
	g := w.make("All", fmt.Sprintf(inList, l.ID))
	var entries []segment.Entry
	var nums []uint64
	for n := range uint64(1300) {
		nums = append(nums, n+1)
		entries = append(entries, segment.Entry{PersonID: personID(n + 1)})
	}
	w.join(nums...)
	rows, err := w.AddToList(w.ctx, ws, l.ID, entries)
	w.must(err)
	if len(rows) != len(entries) || slices.ContainsFunc(rows, func(r segment.Row) bool { return r.Outcome != segment.Added }) {
		t.Errorf("%d rows, not all added", len(rows))
	}
	w.wantIn(g.ID, nums...)
}
