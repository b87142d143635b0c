package consent_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

// grounds tells by which grounds people are suppressed.
func (f *fixture) grounds(t *testing.T, people ...string) map[string][]consent.Ground {
	t.Helper()
	found, err := f.Holds(t.Context(), ws, people)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]consent.Ground{}
	for who, holds := range found {
		for _, h := range holds {
			out[who] = append(out[who], h.Ground)
		}
	}
	return out
}

func (f *fixture) hold(t *testing.T, h consent.Hold) {
	t.Helper()
	if _, err := f.HoldPerson(t.Context(), ws, h); err != nil {
		t.Fatal(err)
	}
}

func TestASuppressedPersonStaysSoThroughMergesAndGetsBackWhatWasTheirs(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if _, err := db.Exec(t.Context(), `DELETE FROM person_hold`); err != nil {
			t.Fatal(err)
		}
		f := setupOn(t, db)
		f.known["ann"], f.known["bob"] = []string{"email:ann"}, []string{"email:bob", "user_id:b"}
		f.hold(t, consent.Hold{PersonID: "bob", Ground: consent.GroundAsked})
		if err := f.PeopleMerged(t.Context(), ws, "bob", "ann"); err != nil {
			t.Fatal(err)
		}
		f.known["ann"] = append(f.known["ann"], f.known["bob"]...)
		if diff := cmp.Diff(map[string][]consent.Ground{"ann": {consent.GroundAsked}}, f.grounds(t, "ann", "bob")); diff != "" {
			t.Fatalf("merged (-want +got):\n%s", diff)
		}
		if got := f.restricted; len(got) == 0 || !slices.Contains(got[len(got)-1], "ann") {
			t.Errorf("what waits for the winner is not looked at again: %v", got)
		}
		// Taken apart, it goes with the identifiers that it was laid on.
		f.known["ann"], f.known["bob2"] = []string{"email:ann"}, []string{"email:bob", "user_id:b"}
		for range 2 {
			if err := f.PersonSplit(t.Context(), ws, "ann", "bob2"); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(map[string][]consent.Ground{"bob2": {consent.GroundAsked}}, f.grounds(t, "ann", "bob2")); diff != "" {
			t.Fatalf("split (-want +got):\n%s", diff)
		}
		// Laid on both together, or on identifiers that neither has any more: both keep it.
		f.known["cyd"] = []string{"email:c", "email:d"}
		f.hold(t, consent.Hold{PersonID: "cyd", Ground: consent.GroundLegal, All: true})
		f.known["cyd"], f.known["dan"] = []string{"email:c"}, []string{"email:d"}
		if err := f.PersonSplit(t.Context(), ws, "cyd", "dan"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string][]consent.Ground{"cyd": {consent.GroundLegal}, "dan": {consent.GroundLegal}}, f.grounds(t, "cyd", "dan")); diff != "" {
			t.Fatalf("split of both (-want +got):\n%s", diff)
		}
		// A new address changes nothing.
		f.known["cyd"] = []string{"email:new"}
		if got := f.grounds(t, "cyd"); len(got["cyd"]) != 1 {
			t.Errorf("after a change of addresses: %v", got)
		}
	})
}

func TestASuppressionOfAPersonEndsWhenItIsLiftedOrOver(t *testing.T) {
	f := setup(t)
	f.hold(t, consent.Hold{PersonID: "ann", Ground: consent.GroundOther, Note: "on holiday", Until: start.Add(time.Hour), ActorName: "Eve"})
	h := func() consent.Hold {
		found, err := f.Holds(t.Context(), ws, []string{"ann"})
		if err != nil || len(found["ann"]) != 1 {
			t.Fatalf("%v %v", found, err)
		}
		return found["ann"][0]
	}()
	for _, c := range []struct {
		transactional bool
		after         time.Duration
		want          bool
	}{{false, 0, true}, {true, 0, false}, {false, 59 * time.Minute, true}, {false, time.Hour, false}} {
		if got := h.Stops(c.transactional, start.Add(c.after)); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	f.clock.Advance(time.Hour)
	if got := f.grounds(t, "ann"); len(got) != 0 {
		t.Errorf("after its end: %v", got)
	}
	f.hold(t, consent.Hold{PersonID: "ann", Ground: consent.GroundAsked, All: true})
	if err := f.LiftHold(t.Context(), ws, "ann", "Eve", "asked again"); err != nil {
		t.Fatal(err)
	}
	if err := f.LiftHold(t.Context(), ws, "ann", "Eve", "again"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("lifted twice: %v", err)
	}
	if got := f.grounds(t, "ann"); len(got) != 0 {
		t.Errorf("lifted: %v", got)
	}
	log, err := f.History(t.Context(), ws, "ann", page.Request{})
	if err != nil || len(log.Items) != 3 || log.Items[0].Status != consent.Lifted || log.Items[0].Source != "staff:Eve" || log.Items[2].Status != consent.HeldBack || !strings.Contains(log.Items[2].Evidence, "on holiday") {
		t.Errorf("history: %+v, %v", log.Items, err)
	}
	if diff := cmp.Diff([]string{"Suppressed", "Suppressed", "Suppression Lifted"}, f.names()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for code, wrong := range map[string]consent.Hold{
		"consent.hold.ground": {PersonID: "ann", Ground: "mood"},
		"consent.hold.note":   {PersonID: "ann", Ground: consent.GroundOther, Note: " "},
		"consent.hold.until":  {PersonID: "ann", Ground: consent.GroundAsked, Until: start},
	} {
		if _, err := f.HoldPerson(t.Context(), ws, wrong); errs.All(err)[0].Code != code {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestASuppressionThatEndsIsToldOnce(t *testing.T) {
	f := setup(t)
	for who, hours := range map[string]time.Duration{"ann": 1, "bob": 1, "bobs": 2, "cyd": 3} {
		f.hold(t, consent.Hold{PersonID: who, Ground: consent.GroundAsked, Until: start.Add(hours * time.Hour)})
	}
	if err := f.PeopleMerged(t.Context(), ws, "bobs", "bob"); err != nil {
		t.Fatal(err)
	}
	ends := func(after time.Duration, limit int, want int64, told ...string) {
		t.Helper()
		f.events = nil
		f.clock.Set(start.Add(after))
		n, err := f.EndHolds(t.Context(), limit)
		if err != nil || n != want {
			t.Errorf("after %s: %d ended, %v; want %d", after, n, err, want)
		}
		var got []string
		for _, e := range f.events {
			got = append(got, e.Name+" "+e.PersonID)
		}
		if diff := cmp.Diff(told, got); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", after, diff)
		}
	}
	ends(time.Hour-time.Microsecond, 10, 0)
	ends(time.Hour, 10, 2, "Suppression Lifted ann") // Bob has another one
	ends(time.Hour, 10, 0)
	ends(3*time.Hour, 1, 1, "Suppression Lifted bob")
	ends(3*time.Hour, 1, 1, "Suppression Lifted cyd")
	log, err := f.History(t.Context(), ws, "ann", page.Request{})
	if err != nil || len(log.Items) != 2 || log.Items[0].Status != consent.Lifted || log.Items[0].Source != "end" {
		t.Errorf("history: %+v, %v", log.Items, err)
	}
}

func TestAnAddressThatIsAllowedAgainIsToldToWhoHoldsIt(t *testing.T) {
	f := setup(t)
	for _, who := range []string{"", "ann"} { // imported before anybody held it
		if _, err := f.Suppress(t.Context(), ws, consent.Suppress{Channel: "email", Address: "a@x.example", Reason: consent.Imported, PersonID: who}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Unsuppress(t.Context(), ws, "email", "A@x.example"); err != nil {
		t.Fatal(err)
	}
	last := f.events[len(f.events)-1]
	if last.Name != "Suppression Lifted" || last.PersonID != "ann" {
		t.Errorf("%+v", last)
	}
}
