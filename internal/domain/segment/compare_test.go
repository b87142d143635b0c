package segment_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestOverlapAndUsersOfSets(t *testing.T) {
	w := newWorld(t)
	for n := range uint64(4) {
		w.traits[n+1] = map[string]any{"country": "JP"}
		w.join(n + 1)
	}
	w.do(3, bought, order)
	a, b := w.make("Buyers", buyers), w.make("Japan", inJapan)
	both := w.make("Both", `{"all":[{"segment":{"id":"`+a.ID+`"}},{"segment":{"id":"`+b.ID+`"}}]}`)
	got, err := w.Overlap(w.ctx, ws, a.ID, b.ID)
	w.must(err)
	if want := (segment.Overlap{Size: 1, Other: 4, Both: 1}); got != want {
		t.Errorf("overlap %+v, want %+v", got, want)
	}
	if _, err := w.Overlap(w.ctx, ws, a.ID, "seg_none"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("overlap with nothing: %v", err)
	}
	users, err := w.Users(w.ctx, ws, a.ID)
	w.must(err)
	if diff := cmp.Diff([]segment.User{{Noun: "segment", ID: both.ID, Name: "Both", Status: "active", Needs: true}}, users); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if _, err := w.Users(w.ctx, ws, "seg_none"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("users of nothing: %v", err)
	}
}
