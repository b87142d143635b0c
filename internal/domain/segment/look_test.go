package segment_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

func TestPreviewCountsEveryConditionAndKeepsNothing(t *testing.T) {
	w := newWorld(t)
	for n := range uint64(20) {
		w.traits[n+1] = map[string]any{"country": "JP"}
		w.mailable[n+1] = n < 5
		w.join(n + 1)
	}
	w.do(3, bought, order)
	p, err := w.Preview(w.ctx, ws, json.RawMessage(`{"all": [`+inJapan+`, {"not": `+buyers+`}]}`), "", "email", "sms")
	w.must(err)
	if diff := cmp.Diff(map[string]uint64{"email": 4, "sms": 0}, p.Reach); diff != "" {
		t.Errorf("who can be reached (-want +got):\n%s", diff)
	}
	if p.Count != 19 || len(p.Sample) != 5 {
		t.Errorf("count %d, sample %v; want 19 and five people", p.Count, p.Sample)
	}
	counts := map[string]uint64{}
	for _, c := range p.Counts {
		counts[c.Path] = c.Count
	}
	for path, want := range map[string]uint64{"all[0].trait": 20, "all[1].not.event": 1} {
		if counts[path] != want {
			t.Errorf("%s counts %d, want %d (all: %v)", path, counts[path], want, counts)
		}
	}
	g := w.make("Buyers", buyers)
	p, err = w.Preview(w.ctx, ws, json.RawMessage(`{"any": [{"trait": {"path": "country", "op": "eq", "value": "FR"}}]}`), g.ID)
	w.must(err)
	if p.Entering != 0 || p.Leaving != 1 {
		t.Errorf("against the buyers: %d enter, %d leave; want 0 and 1", p.Entering, p.Leaving)
	}
	p, err = w.Preview(w.ctx, ws, json.RawMessage(inJapan), g.ID)
	w.must(err)
	if p.Entering != 19 || p.Leaving != 0 {
		t.Errorf("against the buyers: %d enter, %d leave; want 19 and 0", p.Entering, p.Leaving)
	}
	if _, err := w.Preview(w.ctx, ws, json.RawMessage(inJapan), "seg_none"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("against nothing: %v, want not found", err)
	}
	p, err = w.Preview(w.ctx, ws, json.RawMessage(buyers), "")
	w.must(err)
	if diff := cmp.Diff([]uint64{3}, p.Sample); diff != "" {
		t.Errorf("sample of one (-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if _, err := w.Preview(ctx, ws, json.RawMessage(buyers), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled preview gives %v", err)
	}
	all, err := w.Segments(w.ctx, ws, segment.Filter{}, page.Request{})
	w.must(err)
	if len(all.Items) != 1 {
		t.Errorf("preview left %v", all.Items)
	}
}

func TestHistoryTellsWhoCameAndWentAndWhy(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	g := w.make("Lately", lately)
	other := w.make("Other", buyers)
	w.happen(1, bought, order)
	w.clock.Advance(time.Minute)
	w.happen(2, bought, order)
	w.clock.Advance(time.Hour)
	w.must(errOf(w.RunDue(w.ctx)))
	byID := map[string]uint64{"per_1": 1, "per_2": 2}
	var batch event.Batch
	for _, e := range w.drain() { // the pipeline brings them back
		batch.Events = append(batch.Events, event.Kept{Event: e, Person: byID[e.PersonID]})
	}
	w.keep(batch)
	var got []segment.Change
	p := page.Request{Limit: 3}
	for {
		part, err := w.History(w.ctx, ws, g.ID, p)
		w.must(err)
		got = append(got, part.Items...)
		if p.Cursor = part.Next; p.Cursor == "" {
			break
		}
	}
	if len(got) != 4 {
		t.Fatalf("history %+v, want four lines", got)
	}
	for i := range got[:2] {
		if got[i].Entered || got[i].Cause != segment.ByTime || !got[i].At.Equal(start.Add(61*time.Minute)) {
			t.Errorf("line %d: %+v, want a leaving by time", i, got[i])
		}
	}
	want := []segment.Change{
		{Person: 2, Entered: true, At: start.Add(time.Minute), Cause: segment.ByEvent, CauseMessageID: "m3", Version: 2},
		{Person: 1, Entered: true, At: start, Cause: segment.ByEvent, CauseMessageID: "m2", Version: 1},
	}
	if diff := cmp.Diff(want, got[2:]); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	came, went := start.Add(time.Minute), start.Add(61*time.Minute)
	for at, want := range map[time.Time]segment.Presence{
		start:                       {Changed: came},
		start.Add(30 * time.Minute): {In: true, Since: came, Changed: went},
		start.Add(2 * time.Hour):    {Since: went},
	} {
		was, err := w.PresenceAt(w.ctx, ws, []uint64{2}, at)
		w.must(err)
		if diff := cmp.Diff(want, was[g.ID]); diff != "" {
			t.Errorf("presence at %s (-want +got):\n%s", at, diff)
		}
		if was, err = w.PresenceAt(w.ctx, "ws_other", []uint64{2}, at); err != nil || len(was) != 0 {
			t.Errorf("of another workspace: %v, %v", was, err)
		}
	}
	days, err := w.Growth(w.ctx, ws, g.ID, 7)
	w.must(err)
	var entered, left, size uint64
	for _, d := range days {
		entered, left, size = entered+d.Entered, left+d.Left, d.Size
	}
	if entered != 2 || left != 2 || size != 0 || !days[len(days)-1].Start.Equal(w.clock.Now().UTC().Truncate(24*time.Hour)) {
		t.Errorf("growth %+v, want two in, two out, nobody at the end of today", days)
	}
	if _, err := w.Growth(w.ctx, ws, g.ID, 0); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("growth of no days: %v, want invalid", err)
	}
	if _, err := w.Growth(w.ctx, ws, "seg_none", 7); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("growth of nothing: %v, want not found", err)
	}
	if h, err := w.History(w.ctx, ws, other.ID, page.Request{}); err != nil || len(h.Items) != 2 {
		t.Errorf("history of the other segment: %+v, %v", h, err)
	}
	if _, err := w.History(w.ctx, ws, "seg_none", page.Request{}); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("history of nothing: %v, want not found", err)
	}
}

func TestMembersArePagedAndSnapshotsStandStill(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2, 3)
	g := w.make("Buyers", buyers)
	for n := range uint64(3) {
		w.happen(n+1, bought, order)
	}
	before, err := w.Members(w.ctx, ws, g.ID)
	w.must(err)
	first, err := w.MembersPage(w.ctx, ws, g.ID, page.Request{Limit: 2})
	w.must(err)
	second, err := w.MembersPage(w.ctx, ws, g.ID, page.Request{Limit: 2, Cursor: first.Next})
	w.must(err)
	if diff := cmp.Diff([][]uint64{{1, 2}, {3}}, [][]uint64{first.Items, second.Items}); diff != "" || second.Next != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	w.setRule(g.ID, inJapan)
	if before.GetCardinality() != 3 {
		t.Errorf("the snapshot has changed to %v", before)
	}
	w.wantIn(g.ID)
	sets, err := w.SetsOf(w.ctx, ws, 1)
	w.must(err)
	if len(sets) != 0 {
		t.Errorf("person 1 is still in %v", sets)
	}
}

func TestWhetherAnybodyHasATrait(t *testing.T) {
	w := newWorld(t)
	w.traits[1] = map[string]any{"country": "JP", "address": map[string]any{"city": "Kyoto"}}
	w.join(1)
	for trait, want := range map[string]bool{"country": true, "address.city": true, "address": true, "contry": false, "address.zip": false, "": true} { // what cannot be asked may be there
		if got, err := w.AnybodyHas(w.ctx, ws, trait); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", trait, got, err, want)
		}
	}
}
