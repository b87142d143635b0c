package segment_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestAnEditMovesPeopleWithItsOwnCause(t *testing.T) {
	w := newWorld(t)
	w.traits[1] = map[string]any{"country": "JP"}
	w.traits[2] = map[string]any{"country": "DE"}
	w.join(1, 2, 3)
	g := w.make("There", inJapan)
	w.wantSaid("+There 1 edit")
	w.setRule(g.ID, inGermany)
	w.wantIn(g.ID, 2)
	w.wantSaid("-There 1 edit", "+There 2 edit")
	g, err := w.Get(w.ctx, ws, g.ID)
	w.must(err)
	if g.State != segment.Ready || g.RuleVersion != 2 || !g.EvaluatedAt.Equal(start) || g.Progress.Done != 2 || g.Progress.Total != 2 {
		t.Errorf("segment after the edit: %+v", g)
	}

	// The same rule in other words asks for nothing; so does another name.
	name := "Elsewhere"
	g, err = w.Update(w.ctx, ws, g.ID, segment.Patch{Name: &name, Rule: json.RawMessage(" " + inGermany + "\n")})
	w.must(err)
	if g.State != segment.Ready || g.RuleVersion != 2 || g.Name != name {
		t.Errorf("segment after renaming: %+v", g)
	}
	w.traits[3] = map[string]any{"country": "DE"}
	w.join(3)
	w.touch(nil, 3)
	w.wantSaid("+Elsewhere 3 event")
}

func TestWhatHappensDuringAFullEvaluationIsNeitherLostNorBlamedOnTheEdit(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2, 3)
	w.do(1, bought, order)
	w.do(2, bought, order)
	g, err := w.Create(w.ctx, ws, segment.Draft{Name: "G", Rule: json.RawMessage(buyers)})
	w.must(err)
	if g.State != segment.Evaluating {
		t.Errorf("a new segment is %s, want evaluating", g.State)
	}
	// Touched before the event store was asked: the rule is new to person 1, whatever they did just now.
	w.touch(map[uint64]string{1: "visit"}, 1)
	w.wantSaid("+G 1 edit")
	// Touched when the answer is known: person 3 was no buyer when it was given.
	w.broken.instead = errs.Unavailable("test.busy", "come back later")
	if err := w.RunEvaluations(w.ctx); !errs.Is(err, errs.KindUnavailable) {
		t.Fatalf("got %v, want unavailable", err)
	}
	m := w.do(3, bought, order)
	w.touch(map[uint64]string{2: "visit", 3: m}, 2, 3)
	w.wantSaid("+G 2 edit", "+G 3 event "+m)
	w.must(w.RunEvaluations(w.ctx))
	w.wantIn(g.ID, 1, 2, 3)
	w.wantSaid()
}

func TestASegmentIsSettledOnceAllOfWhatItIsMadeOfIs(t *testing.T) {
	w := newWorld(t)
	w.join(1, 2)
	unsettled := func(sets ...string) string {
		t.Helper()
		names, err := w.Unsettled(w.ctx, ws, sets)
		w.must(err)
		return strings.Join(names, ", ")
	}
	inner := w.make("Inner", inJapan)
	outer := w.make("Outer", `{"not": {"segment": {"id": "`+inner.ID+`"}}}`)
	other := w.make("Other", buyers)
	l := w.list("List")
	if got := unsettled(outer.ID, other.ID, l.ID); got != "" {
		t.Errorf("all are evaluated, but %s is not settled", got)
	}
	_, err := w.Update(w.ctx, ws, inner.ID, segment.Patch{Rule: json.RawMessage(inGermany)})
	w.must(err)
	if got := unsettled(outer.ID, other.ID, l.ID, "seg_gone"); got != "Inner" {
		t.Errorf("%q are not settled, want Inner", got)
	}
	if got := unsettled(other.ID); got != "" {
		t.Errorf("%s is not settled by the edit of another", got)
	}
	w.must(w.RunEvaluations(w.ctx))
	if got := unsettled(outer.ID); got != "" {
		t.Errorf("after the evaluation %s is not settled", got)
	}
}

func TestAFullEvaluationThatWasKilledStartsOver(t *testing.T) {
	w := newWorld(t)
	for i := range uint64(5) {
		w.traits[i+1] = map[string]any{"country": "JP"}
		w.join(i + 1)
	}
	g, err := w.Create(w.ctx, ws, segment.Draft{Name: "G", Rule: json.RawMessage(inJapan)})
	w.must(err)
	ctx, kill := context.WithCancel(w.ctx)
	w.asked.before = kill
	if err := w.RunEvaluations(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want cancelled", err)
	}
	if g, err = w.Get(w.ctx, ws, g.ID); err != nil || g.State != segment.Evaluating {
		t.Fatalf("state %s, %v; want evaluating", g.State, err)
	}
	w.Service = w.newService()
	w.must(w.Start(w.ctx))
	w.eventually(func() bool { g, err = w.Get(w.ctx, ws, g.ID); return err == nil && g.State == segment.Ready })
	w.must(w.Stop(w.ctx))
	w.wantIn(g.ID, 1, 2, 3, 4, 5)
	w.wantSaid("+G 1 edit", "+G 2 edit", "+G 3 edit", "+G 4 edit", "+G 5 edit")
}

func TestAnEditDuringAFullEvaluationSupersedesIt(t *testing.T) {
	w := newWorld(t)
	w.traits[1] = map[string]any{"country": "JP"}
	w.traits[2] = map[string]any{"country": "DE"}
	w.join(1, 2)
	g, err := w.Create(w.ctx, ws, segment.Draft{Name: "G", Rule: json.RawMessage(inJapan)})
	w.must(err)
	w.asked.before = func() {
		_, err := w.Update(w.ctx, ws, g.ID, segment.Patch{Rule: json.RawMessage(inGermany)})
		w.must(err)
	}
	w.must(w.RunEvaluations(w.ctx))
	w.wantIn(g.ID, 2)
	w.wantSaid("+G 2 edit")
}

func TestAFullEvaluationThatFailsSaysWhyAndCanBeRepeated(t *testing.T) {
	w := newWorld(t)
	w.traits[1] = map[string]any{"country": "JP"}
	w.join(1)
	g, err := w.Create(w.ctx, ws, segment.Draft{Name: "G", Rule: json.RawMessage(inJapan)})
	w.must(err)
	w.broken.instead = errors.New("event store on fire")
	w.must(w.RunEvaluations(w.ctx))
	g, err = w.Get(w.ctx, ws, g.ID)
	w.must(err)
	if g.State != segment.Failed || !strings.Contains(g.Failure, "on fire") {
		t.Fatalf("segment: %+v", g)
	}
	g, err = w.Reevaluate(w.ctx, ws, g.ID)
	w.must(err)
	if g.State != segment.Evaluating || g.Failure != "" {
		t.Errorf("segment asked again: %+v", g)
	}
	w.must(w.RunEvaluations(w.ctx))
	w.wantIn(g.ID, 1)
}
