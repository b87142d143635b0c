package person_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

func suggestions(t *testing.T, w *persontest.World, status person.SuggestionStatus) []person.Suggestion {
	t.Helper()
	found, err := w.Service.Suggestions(t.Context(), persontest.WS, status, "", page.Request{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return found.Items
}

// only returns the one suggestion there is.
func only(t *testing.T, w *persontest.World) person.Suggestion {
	t.Helper()
	found := suggestions(t, w, person.Open)
	if len(found) != 1 {
		t.Fatalf("%d suggestions, want one: %+v", len(found), found)
	}
	return found[0]
}

func TestARefusedMergeIsSuggestedWithItsEvidence(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "he", "", map[string]any{"email": "us@example.com"}))
	w.Deliver(identify("m2", 10, "she", "", map[string]any{"email": "us@example.com"}))
	w.Deliver(identify("m3", 20, "he", "", map[string]any{"email": "us@example.com"}))
	s := only(t, w)
	same(t, "who came first keeps the id", s.One.UserID(), "he")
	same(t, "the other", s.Two.UserID(), "she")
	same(t, "evidence", len(s.Evidence), 1)
	e := s.Evidence[0]
	same(t, "reason", e.Reason, person.ReasonConflict)
	same(t, "identifier", e.Kind+":"+e.Value, "email:us@example.com")
	same(t, "times", e.Times, 2)
	same(t, "since", e.First, at(10).UnixMicro())
	same(t, "last", e.Last, at(20).UnixMicro())
	one(t, w, 2) // nothing happens by itself

	// A device in common weighs less than an address.
	w.Deliver(identify("m4", 30, "x", "dev", nil), identify("m5", 31, "y", "dev", nil))
	all := suggestions(t, w, person.Open)
	same(t, "suggestions", len(all), 2)
	same(t, "the address comes first", all[0].ID, s.ID)

	// Whoever brought an import sees what came of it alone.
	for i, user := range []string{"x", "y"} {
		imported := identify(fmt.Sprint("i", i), 40+i, user, "", map[string]any{"email": "both@example.com"})
		imported.Source = "job_1"
		w.Deliver(imported)
	}
	for source, want := range map[string]int64{"job_1": 1, "job_2": 0} {
		if n, err := w.Service.CountSuggestions(t.Context(), persontest.WS, source); err != nil || n != want {
			t.Errorf("suggestions of %s: %d, want %d; %v", source, n, want, err)
		}
	}
}

func TestASuggestionIsAcceptedAgainstTheLimits(t *testing.T) {
	w := world(t, func(c *person.Config) {
		c.Scheme = person.DefaultScheme()
		c.Scheme.Kinds[1].Limit = person.Limit{N: 1} // one address each
	})
	w.Deliver(identify("m1", 0, "", "a1", map[string]any{"email": "one@example.com", "x": 1}), identify("m2", 1, "", "a2", map[string]any{"email": "two@example.com", "y": 2}))
	bridge := with(track("m3", 2, "", "a1"), "anonymous_id", "a2")
	w.Deliver(bridge)
	one(t, w, 2)
	s := only(t, w)
	same(t, "reason", s.Evidence[0].Reason, person.ReasonLimit)
	for range 2 { // asked twice
		done, err := w.Service.AcceptSuggestion(t.Context(), persontest.WS, s.ID, "told us", "usr_1")
		if err != nil || done.Status != person.Joined || done.Note != "told us" || done.By != "usr_1" {
			t.Fatal(done, err)
		}
	}
	w.Deliver(w.Emitted.Take()...)
	one(t, w, 1)
	same(t, "traits", len(w.Who("anonymous_id", "a1").Values()), 3) // email, x, y
	same(t, "open", len(suggestions(t, w, person.Open)), 0)
	if _, err := w.Service.RefuseSuggestion(t.Context(), persontest.WS, s.ID, "", "usr_1"); !errs.Is(err, errs.KindConflict) {
		t.Fatalf("refused after it was accepted: %v", err)
	}
	// It holds when the history is worked out again.
	w.Deliver(track("m0", -10, "", "a2"))
	one(t, w, 1)
}

func TestARefusedSuggestionKeepsThemApart(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "he", "", map[string]any{"email": "us@example.com"}), identify("m2", 1, "she", "", map[string]any{"email": "us@example.com"}))
	s := only(t, w)
	for range 2 {
		done, err := w.Service.RefuseSuggestion(t.Context(), persontest.WS, s.ID, "a couple", "usr_1")
		if err != nil || done.Status != person.Refusal {
			t.Fatal(done, err)
		}
	}
	w.Settle()
	kept, err := w.Service.KeptApart(t.Context(), persontest.WS, s.One.ID, page.Request{})
	if err != nil || len(kept.Items) != 1 || kept.Items[0].Note != "a couple" {
		t.Fatal(kept, err)
	}
	// The evidence goes on, and they are not suggested again.
	w.Deliver(identify("m3", 5, "he", "", map[string]any{"email": "us@example.com"}))
	look(t, w)
	same(t, "open", len(suggestions(t, w, person.Open)), 0)
	same(t, "refused", len(suggestions(t, w, person.Refusal)), 1)
	one(t, w, 2)
	if _, err := w.Service.AcceptSuggestion(t.Context(), persontest.WS, "sug_none", "", ""); !errs.Is(err, errs.KindNotFound) {
		t.Fatalf("none: %v", err)
	}
	if _, err := w.Service.RefuseSuggestion(t.Context(), "ws_other", s.ID, "", ""); !errs.Is(err, errs.KindNotFound) {
		t.Fatalf("from another workspace: %v", err)
	}
}

func TestASuggestionFollowsTheSplitThatUndoesIt(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "he", "", map[string]any{"email": "us@example.com"}), identify("m2", 1, "she", "", map[string]any{"email": "us@example.com"}))
	w.Deliver(identify("m3", 2, "he", "", map[string]any{"phone": "+81312345678"}), identify("m4", 3, "it", "", map[string]any{"phone": "+81312345678"}))
	find := func(a, b string) person.Suggestion {
		t.Helper()
		for _, s := range suggestions(t, w, person.Open) {
			if got := []string{s.One.UserID(), s.Two.UserID()}; slices.Contains(got, a) && slices.Contains(got, b) {
				return s
			}
		}
		t.Fatalf("%s and %s are not suggested", a, b)
		return person.Suggestion{}
	}
	s, other := find("he", "she"), find("he", "it")
	for _, x := range []string{s.ID, other.ID} {
		if _, err := w.Service.AcceptSuggestion(t.Context(), persontest.WS, x, "they said so", "usr_1"); err != nil {
			t.Fatal(err)
		}
		w.Deliver(w.Emitted.Take()...)
	}
	one(t, w, 1)
	w.Clock.Advance(time.Minute)
	p := w.Who("user_id", "he")
	if _, err := w.Service.Split(t.Context(), persontest.WS, p.ID, person.Split{Identifiers: []event.Identifier{{Kind: "user_id", Value: "she"}}, Note: "a slip", By: "usr_2"}); err != nil {
		t.Fatal(err)
	}
	w.Settle()
	one(t, w, 2)
	joined, refused := suggestions(t, w, person.Joined), suggestions(t, w, person.Refusal)
	same(t, "joined still", len(joined), 1)
	same(t, "the other one", joined[0].ID, other.ID)
	same(t, "refused", len(refused), 1)
	r := refused[0]
	same(t, "the same suggestion", r.ID, s.ID)
	same(t, "about the two", r.One.ID+r.Two.ID, p.ID+w.Who("user_id", "she").ID)
	same(t, "why", r.Note, "a slip")
	same(t, "by whom", r.By, "usr_2")
	same(t, "when", r.Decided, w.Clock.Now())
	same(t, "evidence", len(r.Evidence), len(s.Evidence))

	// Made one again, it is under those who are.
	kept, err := w.Service.KeptApart(t.Context(), persontest.WS, r.Two.ID, page.Request{})
	if err != nil || len(kept.Items) != 1 {
		t.Fatal(kept, err)
	}
	if err := w.Service.TakeBack(t.Context(), persontest.WS, kept.Items[0].ID); err != nil {
		t.Fatal(err)
	}
	w.Settle()
	one(t, w, 1)
	same(t, "joined", len(suggestions(t, w, person.Joined)), 2)
	same(t, "refused", len(suggestions(t, w, person.Refusal)), 0)
}

func TestSuggestionsFollowMerges(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "he", "", map[string]any{"email": "us@example.com"}), identify("m2", 1, "she", "", map[string]any{"email": "us@example.com"}))
	w.Deliver(track("m3", 2, "", "a1"), identify("m4", 3, "third", "", map[string]any{"email": "third@example.com"}))
	s := only(t, w)
	// She turns out to be a third person, whom he is then suggested with.
	if err := w.Service.Join(t.Context(), persontest.WS, w.Who("user_id", "third").ID, w.Who("user_id", "she").ID, "k"); err != nil {
		t.Fatal(err)
	}
	w.Deliver(w.Emitted.Take()...)
	next := only(t, w)
	same(t, "the same suggestion", next.ID, s.ID)
	ids := []string{next.One.ID, next.Two.ID}
	same(t, "about the two who are left", slices.Contains(ids, w.Who("user_id", "third").ID) && slices.Contains(ids, w.Who("user_id", "he").ID), true)
	if err := w.Service.Join(t.Context(), persontest.WS, ids[0], ids[1], "k2"); err != nil {
		t.Fatal(err)
	}
	w.Deliver(w.Emitted.Take()...)
	same(t, "open", len(suggestions(t, w, person.Open)), 0)
	same(t, "joined by hand elsewhere", len(suggestions(t, w, person.Joined)), 1)
}

// look searches for duplicates until the pass is done.
func look(t *testing.T, w *persontest.World) {
	t.Helper()
	if err := w.Service.LookAgain(t.Context(), persontest.WS); err != nil {
		t.Fatal(err)
	}
	for {
		n, err := w.Service.LookForDuplicates(t.Context(), persontest.WS, 3)
		if err != nil {
			t.Fatal(err)
		}
		if n < 3 {
			return
		}
	}
}

func TestProbableDuplicatesAreSuggestedAndNeverMerged(t *testing.T) {
	for _, tc := range []struct {
		name     string
		one, two map[string]any
		reason   string
	}{
		{"tagged mail", map[string]any{"email": "aya+news@example.com"}, map[string]any{"email": "Aya@example.com"}, person.LikeMail},
		{"dots at Gmail", map[string]any{"email": "a.y.a@gmail.com"}, map[string]any{"email": "aya@googlemail.com"}, person.LikeMail},
		{"dots elsewhere", map[string]any{"email": "a.ya@example.com"}, map[string]any{"email": "aya@example.com"}, ""},
		{"name and address", map[string]any{"name": "Ａya  Sato", "address": map[string]any{"street": "1-2-3 Ginza", "postalCode": "104-0061"}}, map[string]any{"first_name": "Aya", "last_name": "Sato", "address": map[string]any{"street": "1 2 3 ginza", "postal_code": "104 0061"}}, person.LikeAddress},
		{"name alone", map[string]any{"name": "Aya Sato"}, map[string]any{"name": "Aya Sato"}, ""},
		{"name and birthday", map[string]any{"name": "Aya Sato", "birthday": "1990-04-01"}, map[string]any{"name": "aya sato", "birthday": "1990-04-01T00:00:00Z"}, person.LikeBirthday},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := world(t)
			w.Deliver(identify("m1", 0, "u1", "", tc.one), identify("m2", 1, "u2", "", tc.two), identify("m3", 2, "u3", "", map[string]any{"name": "Ben", "email": "ben@example.com"}))
			for range 2 { // a second search says nothing new
				look(t, w)
				found := suggestions(t, w, person.Open)
				if tc.reason == "" {
					same(t, "suggestions", len(found), 0)
					continue
				}
				s := only(t, w)
				same(t, "reasons", len(s.Evidence), 1)
				same(t, "reason", s.Evidence[0].Reason, tc.reason)
				same(t, "times", s.Evidence[0].Times, 1)
			}
			one(t, w, 3)
		})
	}
	t.Run("what an office has in common", func(t *testing.T) {
		w := world(t)
		for i := range 12 {
			w.Deliver(identify(fmt.Sprintf("m%d", i), i, fmt.Sprintf("u%d", i), "", map[string]any{"email": fmt.Sprintf("office+%d@example.com", i)}))
		}
		look(t, w)
		same(t, "suggestions", len(suggestions(t, w, person.Open)), 0)
	})
}

func TestSuggestionsOnPostgres(t *testing.T) {
	sqldbtest.Open(t, sqldb.Postgres) // skips if there is none
	engine = sqldb.Postgres
	defer func() { engine = sqldb.SQLite }()
	for name, f := range map[string]func(*testing.T){
		"evidence": TestARefusedMergeIsSuggestedWithItsEvidence, "accepted": TestASuggestionIsAcceptedAgainstTheLimits, "refused": TestARefusedSuggestionKeepsThemApart,
		"merges": TestSuggestionsFollowMerges, "duplicates": TestProbableDuplicatesAreSuggestedAndNeverMerged,
	} {
		t.Run(name, f)
	}
}
