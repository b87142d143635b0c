package segment_test

import (
	"fmt"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestArchivingAsksWhoStillNeedsItAndKeepsTheMembers(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	a := w.make("A", buyers)
	b := w.make("B", fmt.Sprintf(inSegment, a.ID))
	w.happen(1, bought, order)
	w.drain()
	_, err := w.Archive(w.ctx, ws, a.ID, false)
	wantError(t, err, errs.KindConflict, "segment.in_use", "B")
	for _, id := range []string{b.ID, a.ID} {
		_, err = w.Archive(w.ctx, ws, id, false)
		w.must(err)
	}
	w.happen(2, bought, order)
	w.wantIn(a.ID, 1)
	w.wantSaid()
	_, err = w.Unarchive(w.ctx, ws, b.ID)
	wantError(t, err, errs.KindInvalid, "segment.rule.archived_set", "A")

	w.make("a", inJapan)
	_, err = w.Unarchive(w.ctx, ws, a.ID)
	wantError(t, err, errs.KindConflict, "segment.name.taken", "")
	name := "A2"
	_, err = w.Update(w.ctx, ws, a.ID, segment.Patch{Name: &name})
	w.must(err)
	_, err = w.Unarchive(w.ctx, ws, a.ID)
	w.must(err)
	w.must(w.RunEvaluations(w.ctx))
	w.wantIn(a.ID, 1, 2)
	w.wantSaid("+A2 2 edit")
}

func TestArchivingLetsPeopleLeaveIfAsked(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	g := w.make("G", lately)
	w.happen(1, bought, order)
	w.drain()
	_, err := w.Archive(w.ctx, ws, g.ID, true)
	w.must(err)
	w.must(w.RunEvaluations(w.ctx))
	w.wantIn(g.ID)
	w.wantSaid("-G 1 manual")
	got, err := w.Get(w.ctx, ws, g.ID)
	w.must(err)
	if got.Status != segment.Archived || got.State != segment.Ready {
		t.Errorf("archived segment: %+v", got)
	}
	if next, err := w.nextDue(); err != nil || !next.IsZero() {
		t.Errorf("a deadline is left: %v, %v", next, err)
	}
}
