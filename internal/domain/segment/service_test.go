package segment_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

const (
	buyers     = `{"event": {"name": "Order Completed", "agg": "count", "op": "gte", "value": 1, "window": "ever"}}`
	lately     = `{"event": {"name": "Order Completed", "agg": "count", "op": "gte", "value": 1, "window": {"within": {"n": 1, "unit": "hour"}}}}`
	inJapan    = `{"trait": {"path": "country", "op": "eq", "value": "JP"}}`
	inGermany  = `{"trait": {"path": "country", "op": "eq", "value": "DE"}}`
	order      = `{"total": 10}`
	bought     = "Order Completed"
	inSegment  = `{"segment": {"id": %q}}`
	notSegment = `{"not": {"segment": {"id": %q}}}`
	inList     = `{"list": {"id": %q}}`
)

func TestCyclesAreRefusedByName(t *testing.T) {
	w := newWorld(t)
	a := w.make("A", inJapan)
	b := w.make("B", fmt.Sprintf(inSegment, a.ID))
	c := w.make("C", fmt.Sprintf(`{"all": [%s, %s]}`, fmt.Sprintf(inSegment, b.ID), inJapan))
	_, err := w.Update(w.ctx, ws, a.ID, segment.Patch{Rule: json.RawMessage(fmt.Sprintf(inSegment, c.ID))})
	wantError(t, err, errs.KindInvalid, "segment.rule.cycle", "A → C → B → A")
	_, err = w.Update(w.ctx, ws, a.ID, segment.Patch{Rule: json.RawMessage(fmt.Sprintf(inSegment, a.ID))})
	wantError(t, err, errs.KindInvalid, "segment.rule.cycle", "names the segment itself")
	_, err = w.Create(w.ctx, ws, segment.Draft{Name: "D", Rule: json.RawMessage(fmt.Sprintf(inSegment, "seg_nowhere"))})
	wantError(t, err, errs.KindInvalid, "segment.rule.unknown_set", "seg_nowhere")
}

func TestNamesAndRulesAreChecked(t *testing.T) {
	w := newWorld(t)
	w.make("Käufer", inJapan)
	_, err := w.Create(w.ctx, ws, segment.Draft{Name: " KÄUFER ", Rule: json.RawMessage(inJapan)})
	wantError(t, err, errs.KindConflict, "segment.name.taken", "")
	_, err = w.Create(w.ctx, ws, segment.Draft{Name: " ", Rule: json.RawMessage(inJapan)})
	wantError(t, err, errs.KindInvalid, "segment.name.empty", "")
	_, err = w.Create(w.ctx, ws, segment.Draft{Name: strings.Repeat("x", 201), Rule: json.RawMessage(inJapan)})
	wantError(t, err, errs.KindInvalid, "segment.name.too_long", "")
	_, err = w.Create(w.ctx, ws, segment.Draft{Name: "X", Rule: json.RawMessage(`{"trait": {"path": "a", "op": "nonsense", "value": 1}}`)})
	if all := errs.All(err); len(all) == 0 || all[0].Kind != errs.KindInvalid || all[0].Field == "" {
		t.Errorf("a bad rule gives %v, want invalid with a field", err)
	}
	if _, err := w.Preview(w.ctx, ws, json.RawMessage(`{"nonsense": 1}`), ""); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("previewing a bad rule gives %v, want invalid", err)
	}
}

func TestSetsOfNamesActiveSegmentsAndLists(t *testing.T) {
	w := newWorld(t)
	w.join(1)
	b := w.make("B", buyers)
	old := w.make("A", buyers)
	l := w.list("C")
	w.happen(1, bought, order)
	_, err := w.AddToList(w.ctx, ws, l.ID, []segment.Entry{{PersonID: "per_1"}})
	w.must(err)
	_, err = w.Archive(w.ctx, ws, old.ID, false)
	w.must(err)
	sets, err := w.SetsOf(w.ctx, ws, 1)
	w.must(err)
	if diff := cmp.Diff([]segment.Set{{ID: b.ID, Name: "B"}, {ID: l.ID, Name: "C", List: true}}, sets); diff != "" {
		t.Errorf("sets (-want +got):\n%s", diff)
	}
	in, err := w.Membership(w.ctx, ws, 1)
	w.must(err)
	if !in(b.ID) || !in(l.ID) || in("seg_none") {
		t.Errorf("membership answers wrongly")
	}
}

func TestWorkspacesKeepApart(t *testing.T) {
	w := newWorld(t)
	w.join(1)
	w.keep(event.Batch{
		People: []event.Mirror{{Workspace: "ws_2", Num: 1, ID: "per_other", Traits: json.RawMessage(`{"country": "JP"}`), Channels: json.RawMessage(`{}`)}},
	})
	a := w.make("Same name", buyers)
	b, err := w.Create(w.ctx, "ws_2", segment.Draft{Name: "Same name", Rule: json.RawMessage(inJapan)})
	w.must(err)
	w.must(w.RunEvaluations(w.ctx))
	w.wantSaid("+Same name other edit")
	w.happen(1, bought, order)
	w.must(w.Touched(w.ctx, "ws_2", []uint64{1}, nil))
	w.wantIn(a.ID, 1)
	w.wantSaid("+Same name 1 event m3")
	if _, err := w.Members(w.ctx, ws, b.ID); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("the other workspace's segment shows: %v", err)
	}
	_, err = w.Create(w.ctx, ws, segment.Draft{Name: "Spy", Rule: json.RawMessage(fmt.Sprintf(inSegment, b.ID))})
	wantError(t, err, errs.KindInvalid, "segment.rule.unknown_set", b.ID)
}

func TestTwoProcessesOnOneDatabaseAgree(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorldOn(t, db)
		w.join(1, 2, 3)
		here, there := w.Service, w.newService()
		if _, err := there.Members(w.ctx, ws, "seg_none"); !errs.Is(err, errs.KindNotFound) {
			t.Fatal(err) // there has a view now
		}
		g := w.make("Buyers", buyers)
		m := w.do(1, bought, order)
		w.must(there.Touched(w.ctx, ws, []uint64{1}, map[uint64]string{1: m})) // its view is older than the segment
		w.Service = there
		w.wantIn(g.ID, 1)
		w.Service = here
		m2 := w.do(2, bought, order)
		w.must(here.Touched(w.ctx, ws, []uint64{1, 2}, map[uint64]string{2: m2}))
		w.wantIn(g.ID, 1, 2)
		m3 := w.do(3, bought, order)
		w.must(here.Touched(w.ctx, ws, []uint64{1, 2, 3}, map[uint64]string{3: m3}))
		w.wantIn(g.ID, 1, 2, 3)
		w.wantSaid("+Buyers 1 event "+m, "+Buyers 2 event "+m2, "+Buyers 3 event "+m3)
	})
}

func wantError(t *testing.T, err error, kind errs.Kind, code, part string) {
	t.Helper()
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind != kind || e.Code != code || !strings.Contains(e.Msg, part) {
		t.Errorf("got %v, want %s %s with %q", err, kind, code, part)
	}
}

func errOf(_ int, err error) error { return err }

var (
	_ segment.People = directory{}
	_ interface {
		PeopleMerged(ctx context.Context, ws string, loser, winner person.Ref) error
	} = (*segment.Service)(nil)
)
