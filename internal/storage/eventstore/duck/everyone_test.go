package duck

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

func TestWhatIsRememberedOfEverybodyIsWhatTheMirrorHolds(t *testing.T) {
	s := opener(Options{})(t, t.TempDir()).(*Store)
	t.Cleanup(func() { _ = s.Close() })
	through := uint64(0)
	add := func(nums []uint64, gone ...uint64) {
		t.Helper()
		through++
		b := event.Batch{Through: through}
		for _, n := range nums {
			b.People = append(b.People, event.Mirror{Workspace: "ws_1", Num: n, ID: fmt.Sprintf("per_%d", n), Traits: json.RawMessage(`{}`), Channels: json.RawMessage(`{}`)})
		}
		for _, n := range gone {
			b.Gone = append(b.Gone, event.RemovedPerson{Workspace: "ws_1", Num: n})
		}
		if err := s.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(want ...uint64) {
		t.Helper()
		for range 2 { // from the mirror, and as it was remembered
			all, err := s.Everyone(t.Context(), "ws_1")
			if err != nil {
				t.Fatal(err)
			}
			if got := all.ToArray(); !slices.Equal(got, want) {
				t.Fatalf("got %v, want %v", got, want)
			}
			all.Add(99) // what was given out is the caller's
		}
	}
	ask()
	far := uint64(5)<<32 + 7
	add([]uint64{1, 2, 3, 64, block - 1, block, 3 * block, far})
	ask(1, 2, 3, 64, block-1, block, 3*block, far)
	add([]uint64{4, 5}, 2, 5)
	ask(1, 3, 4, 64, block-1, block, 3*block, far)
	if _, err := s.Strip(t.Context(), "ws_1", []uint64{3, 64}); err != nil {
		t.Fatal(err)
	}
	ask(1, 4, block-1, block, 3*block, far)
	if err := s.Drop(t.Context(), "ws_1", []uint64{1, block - 1, 3 * block}); err != nil {
		t.Fatal(err)
	}
	ask(4, block, far)

	// Whoever reads while somebody writes leaves nothing old behind.
	var reading sync.WaitGroup
	reading.Go(func() {
		for range 50 {
			s.all.forget()
			if _, err := s.Everyone(t.Context(), "ws_1"); err != nil {
				t.Error(err)
			}
		}
	})
	want := []uint64{4}
	for n := uint64(100); n < 130; n++ {
		add([]uint64{n})
		want = append(want, n)
	}
	reading.Wait()
	ask(append(want, block, far)...)
}
