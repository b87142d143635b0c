package duck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

const inCity = `SELECT num FROM person WHERE ws = ? AND json_extract_string(traits, '$.city') = ?`

// known is how many questions are remembered.
func known(s *Store) int {
	s.answers.mu.Lock()
	defer s.answers.mu.Unlock()
	return len(s.answers.known)
}

func TestAnswersAreRememberedUntilSomethingChangesInTheirWorkspace(t *testing.T) {
	s := opener(Options{})(t, t.TempDir()).(*Store)
	t.Cleanup(func() { _ = s.Close() })
	through := uint64(0)
	put := func(ws string, num uint64, city string) {
		t.Helper()
		through++
		if err := s.Append(t.Context(), event.Batch{Through: through, People: []event.Mirror{
			{Workspace: ws, Num: num, ID: fmt.Sprintf("per_%d", num), Traits: json.RawMessage(`{"city":"` + city + `"}`), Channels: json.RawMessage(`{}`)},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	answerTo := func(ws, city string) *answer {
		s.answers.mu.Lock()
		defer s.answers.mu.Unlock()
		return s.answers.known[questionOf(ws, inCity, []any{ws, city})]
	}
	ask := func(ws, city string, want ...uint64) {
		t.Helper()
		for range 2 { // from the mirror, and as it was remembered
			found, err := s.Select(t.Context(), ws, inCity, []any{ws, city})
			if err != nil {
				t.Fatal(err)
			}
			if got := found.ToArray(); !slices.Equal(got, want) {
				t.Fatalf("%s in %s: got %v, want %v", city, ws, got, want)
			}
			found.Add(99) // what was given out is the caller's
		}
	}
	put("ws_1", 1, "Osaka")
	put("ws_2", 2, "Osaka")
	ask("ws_1", "Osaka", 1)
	ask("ws_2", "Osaka", 2)
	ask("ws_1", "Berlin")
	if n := known(s); n != 3 {
		t.Fatalf("%d answers are known, want one for each workspace and city", n)
	}

	before := answerTo("ws_1", "Osaka")
	put("ws_2", 3, "Osaka")
	ask("ws_1", "Osaka", 1)
	if answerTo("ws_1", "Osaka") != before {
		t.Error("what changed in one workspace has let an answer of another go")
	}
	ask("ws_2", "Osaka", 2, 3)
	put("ws_1", 4, "Osaka")
	put("ws_1", 1, "Berlin")
	ask("ws_1", "Osaka", 4)
	ask("ws_1", "Berlin", 1)

	// Whatever lets go of people or events.
	if _, err := s.Strip(t.Context(), "ws_1", []uint64{1}); err != nil {
		t.Fatal(err)
	}
	ask("ws_1", "Berlin")
	if err := s.Drop(t.Context(), "ws_1", []uint64{4}); err != nil {
		t.Fatal(err)
	}
	ask("ws_1", "Osaka")
	through++
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	if err := s.Append(t.Context(), event.Batch{Through: through, Events: []event.Kept{
		{Event: event.Event{Type: event.Track, Name: "A", Time: at, MessageID: "m1", Source: "src_1", Workspace: "ws_2"}, Person: 2, Position: event.Position{Seq: through}},
		{Event: event.Event{Type: event.Track, Name: "A", Time: at, MessageID: "m2", Workspace: "ws_2"}, Person: 3, Position: event.Position{Seq: through, Index: 1}},
	}}); err != nil {
		t.Fatal(err)
	}
	did := func(want ...uint64) {
		t.Helper()
		found, err := s.Select(t.Context(), "ws_2", `SELECT person FROM event WHERE ws = ? AND name = 'A'`, []any{"ws_2"})
		if err != nil {
			t.Fatal(err)
		}
		if got := found.ToArray(); !slices.Equal(got, want) {
			t.Fatalf("did A: got %v, want %v", got, want)
		}
	}
	did(2, 3)
	if err := s.Append(t.Context(), event.Batch{Moves: []event.Move{{Workspace: "ws_2", MessageID: "m2", To: 5}}}); err != nil {
		t.Fatal(err)
	}
	did(2, 5)
	if err := s.Append(t.Context(), event.Batch{Redirects: []event.Redirect{{Workspace: "ws_2", Loser: 5, Winner: 6}}}); err != nil {
		t.Fatal(err)
	}
	did(2, 6)
	if err := s.DropSource(t.Context(), "ws_2", "src_1"); err != nil {
		t.Fatal(err)
	}
	did(6)
	if _, err := s.DropOld(t.Context(), "ws_2", event.Term{Kind: event.Kind{Type: event.Track, Name: "A"}, Since: at.Add(time.Hour)}, 10); err != nil {
		t.Fatal(err)
	}
	did()
}

func TestWhoHasGoneAwayIsNotAnswered(t *testing.T) {
	s := opener(Options{})(t, t.TempDir()).(*Store)
	t.Cleanup(func() { _ = s.Close() })
	for range 2 { // the second time the answer is known
		if _, err := s.Select(t.Context(), "ws_1", inCity, []any{"ws_1", "Osaka"}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		if _, err := s.Select(ctx, "ws_1", inCity, []any{"ws_1", "Osaka"}); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want that the question was given up", err)
		}
	}
}

func TestAnAnswerIsWaitedForAndNotGivenUpWithWhoAskedFirst(t *testing.T) {
	var k answers
	first, mine := k.to("ws_1", "q")
	if !mine {
		t.Fatal("nobody has asked, but the answer is somebody else's to find")
	}
	again, mine := k.to("ws_1", "q")
	if mine || again != first {
		t.Fatal("the same question is asked twice at a time")
	}
	k.told("q", first, nil, context.Canceled)
	<-again.done
	if again.err == nil {
		t.Fatal("who waited is not told that there is no answer")
	}
	if _, mine = k.to("ws_1", "q"); !mine {
		t.Fatal("what failed is remembered")
	}
	// A change that comes while somebody asks: their answer is theirs alone.
	k.changed(event.Batch{Seen: []event.Sighting{{Workspace: "ws_1", Num: 1}}})
	if _, mine = k.to("ws_1", "q"); !mine {
		t.Fatal("a question from before a change answers one from behind it")
	}
}

func TestAnswersTakeLittleRoom(t *testing.T) {
	s := opener(Options{})(t, t.TempDir()).(*Store)
	t.Cleanup(func() { _ = s.Close() })
	for n := range answersKept + 10 {
		if _, err := s.Select(t.Context(), "ws_1", `SELECT unnest(range(?)) AS p`, []any{int64(n + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := known(s); n != answersKept {
		t.Errorf("%d answers are known, want the last %d", n, answersKept)
	}
	large := func() {
		if _, err := s.Select(t.Context(), "ws_1", `SELECT p * 33 FROM (SELECT unnest(range(2500000)) AS p)`, nil); err != nil { // 5 MB of bits
			t.Fatal(err)
		}
	}
	large()
	s.answers.mu.Lock()
	defer s.answers.mu.Unlock()
	if s.answers.size > answersSize {
		t.Errorf("%d bytes are kept, more than %d", s.answers.size, answersSize)
	}
	if len(s.answers.known) != answersKept {
		t.Errorf("one that is too large has let go of all others: %d are left", len(s.answers.known))
	}
}
