package person_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func mailed(msg string, minute int, anon, mail string) event.Event {
	return identify(msg, minute, "", anon, map[string]any{"email": mail})
}

// binding is the default scheme with kinds that do not join.
func binding(names ...string) person.Scheme {
	s := person.DefaultScheme()
	for i := range s.Kinds {
		s.Kinds[i].Bind = slices.Contains(names, s.Kinds[i].Name)
	}
	return s
}

// tryAll simulates a scheme page by page.
func tryAll(t *testing.T, w *persontest.World, s person.Scheme, size int) person.Trial {
	t.Helper()
	var sum person.Trial
	for !sum.Done {
		p, err := w.Service.TryScheme(t.Context(), persontest.WS, s, sum.Last, size)
		if err != nil {
			t.Fatal(err)
		}
		sum.Last, sum.Done = p.Last, p.Done
		sum.People, sum.Merged, sum.Split, sum.Refused, sum.TooLarge = sum.People+p.People, sum.Merged+p.Merged, sum.Split+p.Split, sum.Refused+p.Refused, sum.TooLarge+p.TooLarge
		sum.Examples = append(sum.Examples, p.Examples...)
	}
	return sum
}

// choose applies a scheme as the job does, beginning again after each page.
func choose(t *testing.T, w *persontest.World, s person.Scheme) {
	t.Helper()
	_, row, err := w.Service.SchemeOf(t.Context(), persontest.WS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Service.SetScheme(t.Context(), persontest.WS, s, row.Version, "usr_1"); err != nil {
		t.Fatal(err)
	}
	var after event.Identifier
	for done := false; !done; {
		if after, _, done, err = w.Service.QueueScheme(t.Context(), persontest.WS, after, 2); err != nil {
			t.Fatal(err)
		}
		w.Settle()
	}
	if n, err := w.Service.Waiting(t.Context(), persontest.WS); err != nil || n != 0 {
		t.Fatalf("%d wait, %v", n, err)
	}
}

func TestAKindThatOnlyBindsJoinsNobody(t *testing.T) {
	w := world(t, func(c *person.Config) { c.Scheme = binding(person.KindEmail) })
	w.Deliver(mailed("m1", 0, "a1", "one@example.com"))
	w.Deliver(mailed("m2", 1, "a2", "one@example.com")) // another browser, the same address
	if w.Who("anonymous_id", "a1").ID == w.Who("anonymous_id", "a2").ID {
		t.Fatal("an address that only binds has made one of two people")
	}
	same(t, "owner of the address", w.Who("email", "one@example.com").ID, w.Who("anonymous_id", "a1").ID)
	w.Deliver(event.Event{MessageID: "m3", Type: event.Track, Name: "Ordered", Time: at(2), Properties: persontest.Object(nil), Context: persontest.Object(map[string]any{"traits": map[string]any{"email": "one@example.com"}})})
	same(t, "an event with the address alone goes to its owner", w.Owner("m3"), w.Who("anonymous_id", "a1").Num)
	w.Deliver(identify("m4", 3, "u1", "a3", map[string]any{"email": "one@example.com"}))
	if w.Who("user_id", "u1").ID == w.Who("anonymous_id", "a1").ID {
		t.Fatal("a user id has claimed somebody through an address that only binds")
	}
}

func TestASchemeIsSimulatedBeforeItAppliesAndDoesWhatWasSaid(t *testing.T) {
	w := world(t)
	w.Deliver(mailed("m1", 0, "a1", "one@example.com"))
	w.Deliver(mailed("m2", 1, "a2", "one@example.com"))
	w.Deliver(mailed("m3", 2, "a3", "two@example.com"))
	one := w.Who("anonymous_id", "a1")
	same(t, "one person by default", one.ID, w.Who("anonymous_id", "a2").ID)
	for _, size := range []int{1, 2, 100} { // whatever the page, everybody is counted once
		got := tryAll(t, w, binding(person.KindEmail), size)
		same(t, "people", got.People, int64(2))
		same(t, "split", got.Split, int64(1))
		same(t, "merged", got.Merged, int64(0))
		i := slices.IndexFunc(got.Examples, func(e person.Example) bool { return e.What == person.ExampleSplit })
		if i < 0 || got.Examples[i].People[0] != one.ID || got.Examples[i].Reason != person.ReasonBinds {
			t.Fatalf("examples %+v", got.Examples)
		}
	}
	same(t, "nothing has changed", w.Who("anonymous_id", "a2").ID, one.ID)

	choose(t, w, binding(person.KindEmail))
	if w.Who("anonymous_id", "a1").ID == w.Who("anonymous_id", "a2").ID {
		t.Fatal("still one person")
	}
	same(t, "the event has gone along", w.Owner("m2"), w.Who("anonymous_id", "a2").Num)
	w.Deliver(mailed("m4", 5, "a4", "two@example.com"))
	if w.Who("anonymous_id", "a4").ID == w.Who("anonymous_id", "a3").ID {
		t.Fatal("new events are read by the old scheme")
	}

	back := tryAll(t, w, person.DefaultScheme(), 3)
	same(t, "would be merged again", back.Merged, int64(2))
	if i := slices.IndexFunc(back.Examples, func(e person.Example) bool { return e.What == person.ExampleMerge }); i < 0 || len(back.Examples[i].People) != 2 || len(back.Examples[i].Identifiers) == 0 {
		t.Fatalf("examples %+v", back.Examples)
	}
	choose(t, w, person.DefaultScheme())
	same(t, "one person again", w.Who("anonymous_id", "a1").ID, w.Who("anonymous_id", "a2").ID)
	same(t, "the others too", w.Who("anonymous_id", "a3").ID, w.Who("anonymous_id", "a4").ID)
	same(t, "simulated once more: nothing", tryAll(t, w, person.DefaultScheme(), 100).Merged, int64(0))
}

func TestASchemeThatCannotBeIsRefused(t *testing.T) {
	w := world(t)
	w.Deliver(mailed("m1", 0, "a1", "one@example.com"))
	change := func(f func(s *person.Scheme)) person.Scheme {
		s := person.DefaultScheme()
		f(&s)
		return s
	}
	for code, s := range map[string]person.Scheme{
		"identity.scheme.user":     change(func(s *person.Scheme) { s.Kinds[0].Bind = true }),
		"identity.scheme.missing":  change(func(s *person.Scheme) { s.Kinds = s.Kinds[:len(s.Kinds)-1] }),
		"identity.kind.name":       change(func(s *person.Scheme) { s.Kinds[2].Name = "Phone" }),
		"identity.kind.name_used":  change(func(s *person.Scheme) { s.Kinds[2].Name = "email" }),
		"identity.kind.order":      change(func(s *person.Scheme) { s.Kinds[1], s.Kinds[12] = s.Kinds[12], s.Kinds[1] }),
		"identity.kind.limit":      change(func(s *person.Scheme) { s.Kinds[1].Limit = person.Limit{N: 0, Window: time.Hour} }),
		"identity.kind.parent":     change(func(s *person.Scheme) { s.Kinds[1].Parent = "phone" }),
		"identity.kind.fixed":      change(func(s *person.Scheme) { s.Kinds[1].Form = person.Trimmed }),
		"identity.kind.held":       change(func(s *person.Scheme) { s.Kinds = slices.Delete(s.Kinds, 1, 2) }),
		"identity.scheme.too_many": change(func(s *person.Scheme) { s.Kinds = append(s.Kinds, make([]person.Kind, 50)...) }),
	} {
		err := w.Service.CheckScheme(t.Context(), persontest.WS, s)
		if all := errs.All(err); len(all) != 1 || all[0].Code != code || all[0].Field == "" {
			t.Errorf("want %s, got %v", code, err)
		}
	}
	if err := w.Service.CheckScheme(t.Context(), persontest.WS, change(func(s *person.Scheme) { s.Kinds = slices.Delete(s.Kinds, 10, 12) })); err != nil {
		t.Errorf("kinds that nobody has may go: %v", err)
	}
	if _, err := w.Service.SetScheme(t.Context(), persontest.WS, person.DefaultScheme(), 7, "usr_1"); !errs.Is(err, errs.KindConflict) {
		t.Errorf("a scheme that follows another: %v", err)
	}
}
