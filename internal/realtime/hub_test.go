package realtime

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func listen(t *testing.T, h *Hub, ws, mark string) *Listener {
	t.Helper()
	l, err := h.Listen(ws, mark)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func next(t *testing.T, l *Listener) Batch {
	t.Helper()
	b, err := l.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAChangeIsHeardInOtherProcesses(t *testing.T) {
	here, there := New(0), New(0)
	here.Elsewhere(func(ws string, changes []Change) { there.Hear(ws, changes...) })
	l, err := there.Listen("ws_1", "")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if !here.Listening("ws_1") {
		t.Error("the work is spared although somebody may listen elsewhere")
	}
	here.Publish("ws_1", Change{"person", "per_1"})
	b, err := l.Next(t.Context())
	if err != nil || len(b.Changes) != 1 || b.Changes[0].ID != "per_1" {
		t.Errorf("heard %+v, %v", b, err)
	}
}

func TestListenersHearEachChangeOfTheirWorkspaceOnce(t *testing.T) {
	h := New(0)
	a, other := listen(t, h, "ws1", ""), listen(t, h, "ws2", "")
	p := Change{"person", "per_1"}
	h.Publish("ws1", p, Change{"segment", "seg_1"}, p)
	h.Publish("ws1", p)
	got := next(t, a)
	if d := cmp.Diff([]Change{p, {"segment", "seg_1"}}, got.Changes); d != "" || got.All {
		t.Errorf("heard: %s %v", d, got.All)
	}
	h.Publish("ws2", Change{"campaign", "cmp_1"})
	if got := next(t, other); len(got.Changes) != 1 || got.Changes[0].ID != "cmp_1" {
		t.Errorf("the other workspace heard %v", got.Changes)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if b, err := a.Next(ctx); err == nil {
		t.Errorf("heard what was not for it: %v", b)
	}
}

func TestWhoComesBackHearsWhatWasMissed(t *testing.T) {
	h := New(0)
	l := listen(t, h, "ws", "")
	h.Publish("ws", Change{"person", "1"})
	mark := next(t, l).Mark
	l.Close()
	h.Publish("ws", Change{"person", "2"})
	if got := next(t, listen(t, h, "ws", mark)); got.All || len(got.Changes) != 1 || got.Changes[0].ID != "2" {
		t.Errorf("came back: %+v", got)
	}
	for _, mark := range []string{"other-1", "nonsense"} {
		if got := next(t, listen(t, h, "ws", mark)); !got.All {
			t.Errorf("mark %q: %+v, want to read everything", mark, got)
		}
	}
	for i := range maxKept + 1 {
		h.Publish("ws", Change{"person", fmt.Sprint(i)})
	}
	if got := next(t, listen(t, h, "ws", mark)); !got.All {
		t.Errorf("a mark older than what is kept: %+v", got)
	}
}

func TestWhoReadFirstAndListensLaterHearsWhatChangedBetween(t *testing.T) {
	h := New(0)
	h.Publish("ws", Change{"person", "before"})
	mark := h.Mark("ws")
	if !h.Listening("ws") {
		t.Error("the work of finding out what changed is spared although somebody is about to listen")
	}
	h.Publish("ws", Change{"person", "between"})
	if got := next(t, listen(t, h, "ws", mark)); got.All || len(got.Changes) != 1 || got.Changes[0].ID != "between" {
		t.Errorf("heard %+v, want what changed after the mark", got)
	}
	for range maxKept + 1 {
		h.Publish("ws", Change{"person", "many"})
	}
	if got := next(t, listen(t, h, "ws", mark)); !got.All {
		t.Errorf("a mark older than what is kept: %+v", got)
	}
	if got := next(t, listen(t, New(0), "ws", mark)); !got.All {
		t.Errorf("a mark of another process: %+v, want to read everything", got)
	}
}

func TestASlowListenerIsToldToReadEverythingAndHoldsNobodyUp(t *testing.T) {
	h := New(0)
	l := listen(t, h, "ws", "")
	for i := range 3 * maxPending {
		h.Publish("ws", Change{"person", fmt.Sprint(i)})
	}
	if got := next(t, l); !got.All || len(got.Changes) != 0 {
		t.Errorf("far behind: %d changes, all %v", len(got.Changes), got.All)
	}
	h.Publish("ws", Change{"person", "x"})
	if got := next(t, l); got.All || len(got.Changes) != 1 {
		t.Errorf("after that: %+v", got)
	}
}

func TestListenersAreLimitedAndEndWithTheHub(t *testing.T) {
	h := New(0)
	all := make([]*Listener, maxListeners)
	for i := range all {
		all[i] = listen(t, h, "ws", "")
	}
	if _, err := h.Listen("ws", ""); !errs.Is(err, errs.KindUnavailable) {
		t.Errorf("one too many: %v", err)
	}
	all[0].Close()
	all[0].Close()
	last := listen(t, h, "ws", "")
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := last.Next(t.Context()); !errs.Is(err, errs.KindUnavailable) {
			t.Errorf("waiting while the hub closes: %v", err)
		}
	})
	h.Close()
	wg.Wait()
	if _, err := h.Listen("ws", ""); err == nil {
		t.Error("a closed hub takes listeners")
	}
}
