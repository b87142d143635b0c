package journey_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

func mail(trigger, more string) string {
	if more != "" {
		more = ", " + more
	}
	return `{"trigger": ` + trigger + `, "nodes": [{"id": "m", "kind": "send", "config": {"template": "tpl", "topic": "tpc"}}]` + more + `}`
}

func waiting(trigger, more string) string {
	if more != "" {
		more = ", " + more
	}
	return `{"trigger": ` + trigger + `, "nodes": [{"id": "w", "kind": "wait", "config": {"for": {"n": 10, "unit": "day"}}}]` + more + `}`
}

func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

const birthday = `{"date": {"trait": "birthday", "yearly": true, "time": "09:00"}}`

func TestBirthdaysAreKeptEveryYearWhereThePersonLives(t *testing.T) {
	w := newWorld(t)
	w.sets[""] = []uint64{1, 2, 3, 4}
	w.know(1, "birthday", "1990-05-17") // lives at home
	w.know(2, "timezone", "Asia/Tokyo")
	w.know(2, "birthday", "1990-05-17")
	w.know(3, "birthday", "some day")
	w.publish("b", mail(birthday, `"re_entry": {"mode": "always"}`))
	w.settle()
	w.until(instant("2026-05-16T23:59:59Z"))
	want(t, "the day before", w.messages(), []string{})
	w.until(instant("2026-05-17T00:00:00Z"))
	want(t, "nine o'clock in Tokyo", w.messages(), []string{"per_2 tpl"})
	w.until(instant("2026-05-17T08:59:59Z"))
	w.know(4, "birthday", "2001-05-18") // known only now
	want(t, "before nine at home", len(w.messages()), 1)
	w.until(instant("2026-05-17T09:00:00Z"))
	want(t, "nine at home", w.rounds("per_1"), []string{"done m end"})
	w.know(1, "plan", "gold") // another change does not start it again
	w.settle()
	w.until(instant("2026-05-18T09:00:00Z"))
	want(t, "learnt late", len(w.messages()), 3)
	w.know(1, "birthday", "1990-06-01") // a correction moves it
	w.until(instant("2026-06-01T09:00:00Z"))
	w.until(instant("2027-05-17T09:00:00Z"))
	want(t, "next year without the moved one", len(w.rounds("per_1")), 2)
	want(t, "tokyo again", len(w.rounds("per_2")), 2)
	w.know(2, "birthday", nil)
	w.until(instant("2028-05-17T09:00:00Z"))
	want(t, "removed", len(w.rounds("per_2")), 2)
}

func TestADateThatChangesWhileItIsDueIsNotKept(t *testing.T) {
	w := newWorld(t)
	w.sets[""] = []uint64{1}
	w.know(1, "renewal", "2026-03-10")
	j := w.publish("r", mail(`{"date": {"trait": "renewal", "days": -3, "time": "10:00"}}`, ""))
	w.settle()
	w.clock.Set(instant("2026-03-07T10:00:00Z"))
	w.traits["per_1"]["renewal"] = "2026-04-10" // written, but journeys have not heard of it yet
	w.settle()
	want(t, "messages", w.messages(), []string{})
	w.until(instant("2026-04-07T10:00:00Z"))
	want(t, "three days before the new date", w.messages(), []string{"per_1 tpl"})
	want(t, "once", w.stats(j.ID).Entered, 1)
}

func TestAppointmentsThatAreTooLateAreRefusedWithAReason(t *testing.T) {
	w := newWorld(t)
	w.sets[""] = []uint64{1}
	w.know(1, "birthday", "1990-03-05")
	j := w.publish("b", mail(birthday, ""))
	w.settle()
	w.clock.Set(instant("2026-03-08T09:00:00Z")) // the server stood still for three days
	w.settle()
	want(t, "messages", w.messages(), []string{})
	got, err := w.svc.Refusals(t.Context(), ws, j.ID, "", page.Request{})
	if err != nil || len(got.Items) != 1 || got.Items[0].Reason != journey.NotInTime || got.Items[0].Person != "per_1" {
		t.Errorf("%v %+v", err, got.Items)
	}
	q, err := w.svc.Queue(t.Context(), ws, j.ID, page.Request{})
	if err != nil || len(q.Items) != 1 || !q.Items[0].Due.Equal(instant("2027-03-05T09:00:00Z")) {
		t.Errorf("next appointment: %v %+v", err, q.Items)
	}
}

func TestInactivityStartsAtTheVeryDeadline(t *testing.T) {
	for _, c := range []struct{ trigger, other string }{
		{`{"inactive": {"events": ["Order Completed"], "for": {"n": 30, "unit": "day"}}}`, "Page Seen"},
		{`{"inactive": {"for": {"n": 30, "unit": "day"}}}`, ""},
	} {
		w := newWorld(t)
		w.sets[""] = []uint64{1, 2, 3}
		w.keep(w.event("h1", 1, "Order Completed", `{}`)) // before the journey was there
		old := w.event("h3", 3, "Order Completed", `{}`)
		old.Time = start.AddDate(0, -2, 0) // silent long before
		w.keep(old)
		w.clock.Advance(time.Hour)
		w.publish("i", mail(c.trigger, `"re_entry": {"mode": "always"}`))
		w.settle()
		w.clock.Set(start.AddDate(0, 0, 10))
		w.happen(w.event("a2", 2, "Order Completed", `{}`))
		if c.other != "" {
			w.happen(w.event("x1", 1, c.other, `{}`)) // is no activity of the kind
		}
		w.until(start.AddDate(0, 0, 30).Add(-time.Second))
		want(t, "a second before", w.messages(), []string{})
		w.until(start.AddDate(0, 0, 30))
		want(t, "at the deadline", w.messages(), []string{"per_1 tpl"})
		w.until(start.AddDate(0, 0, 35))
		w.happen(w.event("a3", 2, "Order Completed", `{}`)) // puts it off
		w.until(start.AddDate(0, 0, 64))
		want(t, "put off", len(w.rounds("per_2")), 0)
		late := w.event("a4", 2, "Order Completed", `{}`) // stored, not reacted to yet
		w.keep(late)
		w.until(start.AddDate(0, 0, 66))
		want(t, "an order nobody has reacted to counts", len(w.rounds("per_2")), 0)
		w.react(late)
		w.until(start.AddDate(0, 0, 94))
		want(t, "thirty days after the last", len(w.rounds("per_2")), 1)
		want(t, "once for each silence", len(w.rounds("per_1")), 1)
		want(t, "not for old silence", len(w.rounds("per_3")), 0)
	}
}

func TestASchedulesAudienceEntersAtTheTimeOfEachZone(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = []uint64{1, 2, 3}
	w.know(1, "timezone", "Pacific/Auckland")
	w.know(2, "timezone", "America/Los_Angeles")
	j := w.publish("s", mail(`{"schedule": {"set": "seg_1", "zone": "person", "weekly": {"days": [1], "time": "09:00"}}}`, `"re_entry": {"mode": "always"}`)) // start is a Sunday
	w.settle()
	w.until(instant("2026-03-01T20:00:00Z")) // Monday, nine, in Auckland
	want(t, "Auckland", w.messages(), []string{"per_1 tpl"})
	w.until(instant("2026-03-02T09:00:00Z"))
	want(t, "at home", w.messages(), []string{"per_1 tpl", "per_3 tpl"})
	w.sets["seg_1"] = []uint64{1, 3} // leaves before the time comes
	w.until(instant("2026-03-02T17:00:00Z"))
	want(t, "Los Angeles", len(w.rounds("per_2")), 0)
	got, _ := w.svc.Refusals(t.Context(), ws, j.ID, journey.NotInSet, page.Request{})
	want(t, "refused", len(got.Items), 1)
	w.until(instant("2026-03-08T20:00:00Z"))
	want(t, "next week", len(w.rounds("per_1")), 2)
}

func TestAScheduleRunsOnceEachTimeWhateverIsPublishedBetween(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = []uint64{1}
	j := w.publish("s", mail(`{"schedule": {"set": "seg_1", "cron": "0 12 * * *"}}`, `"re_entry": {"mode": "always"}`))
	w.settle()
	w.until(instant("2026-03-01T12:00:00Z"))
	if _, err := w.svc.Publish(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	w.settle()
	want(t, "the first day", len(w.rounds("per_1")), 1)
	if _, err := w.svc.Pause(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	w.until(instant("2026-03-02T13:00:00Z"))
	want(t, "paused", len(w.rounds("per_1")), 1)
	if _, err := w.svc.Resume(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	w.settle()
	want(t, "an hour late", len(w.rounds("per_1")), 2)
	if _, err := w.svc.End(t.Context(), ws, j.ID, false); err != nil {
		t.Fatal(err)
	}
	w.until(instant("2026-03-04T13:00:00Z"))
	want(t, "stopped", len(w.rounds("per_1")), 2)
	if _, err := w.svc.Resume(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	w.until(instant("2026-03-05T12:00:00Z"))
	want(t, "resumed", len(w.rounds("per_1")), 3)
	once := w.publish("o", mail(`{"schedule": {"set": "seg_1", "once": "2026-03-06T08:30", "zone": "Asia/Tokyo"}}`, ""))
	w.until(instant("2026-03-05T23:30:00Z"))
	w.until(instant("2026-03-09T23:30:00Z"))
	want(t, "once", w.stats(once.ID).Entered, 1)
}

func TestProgramsLetPeopleInWithDataOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	j := w.publish("a", mail(`{"api": {"required": ["order_id"]}}`, `"re_entry": {"mode": "always", "key": "order_id"}`))
	add := func(person, key, data string) journey.Outcome {
		t.Helper()
		out, err := w.svc.Add(t.Context(), ws, j.ID, journey.Addition{Person: person, Key: key, Data: json.RawMessage(data)})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	first := add("per_1", "k1", `{"order_id": "o1"}`)
	if first.Instance == "" || add("per_1", "k1", `{"order_id": "o1"}`) != first {
		t.Errorf("the same key: %+v", first)
	}
	w.settle()
	if again := add("per_1", "k1", `{"order_id": "o1"}`); again != first {
		t.Errorf("the same key after the round: %+v", again)
	}
	want(t, "vars", w.strings(`SELECT vars FROM test_message`), []string{`{"event":{"order_id":"o1"}}`})
	_, err := w.svc.Add(t.Context(), ws, j.ID, journey.Addition{Person: "per_1", Key: "k2", Data: json.RawMessage(`{}`)})
	if !errs.Is(err, errs.KindInvalid) {
		t.Errorf("missing data: %v", err)
	}
	if _, err := w.svc.Pause(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	if again := add("per_1", "k1", `{"order_id": "o1"}`); again != first {
		t.Errorf("the same key while the journey is paused: %+v", again)
	}
	if _, err := w.svc.Add(t.Context(), ws, j.ID, journey.Addition{Person: "per_2", Key: "k1", Data: json.RawMessage(`{"order_id": "o1"}`)}); !errs.Is(err, errs.KindConflict) || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("the key of another person: %v", err)
	}
	other := w.publish("e", mail(`{"event": {"name": "Go"}}`, ""))
	if _, err := w.svc.Add(t.Context(), ws, other.ID, journey.Addition{Person: "per_1", Key: "k"}); !errs.Is(err, errs.KindConflict) {
		t.Errorf("not a journey for programs: %v", err)
	}
}

func TestWhoWaitsForAPlaceInAJourneyThatIsStoppedIsToldThatNobodyEnters(t *testing.T) {
	w := newWorld(t)
	j := w.publish("a", waiting(`{"api": {}}`, `"caps": {"inside": 1}, "re_entry": {"mode": "always"}`))
	add := func(person string) journey.Outcome {
		t.Helper()
		out, err := w.svc.Add(t.Context(), ws, j.ID, journey.Addition{Person: person, Key: person})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	add("per_1")
	want(t, "no place", add("per_2"), journey.Outcome{Waiting: true, Reason: journey.NotWithRoom})
	if _, err := w.svc.End(t.Context(), ws, j.ID, false); err != nil {
		t.Fatal(err)
	}
	want(t, "asked again once it is stopped", add("per_2"), journey.Outcome{Waiting: true, Reason: journey.NotRunning})
	_, err := w.svc.Add(t.Context(), ws, j.ID, journey.Addition{Person: "per_3", Key: "per_3"})
	want(t, "somebody new", errs.Is(err, errs.KindConflict), true)
	if _, err := w.svc.Archive(t.Context(), ws, j.ID); !errs.Is(err, errs.KindConflict) {
		t.Fatal(err)
	}
	if _, err := w.svc.End(t.Context(), ws, j.ID, true); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if _, err := w.svc.Archive(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	want(t, "put away", add("per_2"), journey.Outcome{Reason: journey.NotRunning})
}

func TestFormsStartJourneys(t *testing.T) {
	w := newWorld(t)
	w.publish("f", mail(`{"form": {"name": "newsletter"}}`, ""))
	w.happen(w.event("m1", 1, "Form Submitted", `{"form_name": "newsletter"}`), w.event("m2", 2, "Form Submitted", `{"form_id": "contact"}`), w.event("m3", 3, "Form Submitted", `{"form_id": "newsletter"}`))
	w.settle()
	want(t, "messages", w.messages(), []string{"per_1 tpl", "per_3 tpl"})
}

func TestStaffAddAGroupAfterConfirmingItsSize(t *testing.T) {
	w := newWorld(t)
	for n := range uint64(600) {
		w.sets["seg_1"] = append(w.sets["seg_1"], n+1)
	}
	j := w.publish("m", mail(`{"manual": {}}`, ""))
	g := journey.Group{Set: "seg_1", Key: "once"}
	n, err := w.svc.CountGroup(t.Context(), ws, g)
	if err != nil || n != 600 {
		t.Fatalf("%d %v", n, err)
	}
	if _, err := w.svc.AddGroup(t.Context(), ws, j.ID, "ann", g, 599); !errs.Is(err, errs.KindConflict) {
		t.Errorf("more than were confirmed: %v", err)
	}
	for range 2 {
		if _, err := w.svc.AddGroup(t.Context(), ws, j.ID, "ann", g, 600); err != nil {
			t.Fatal(err)
		}
	}
	w.sets["seg_1"] = append(w.sets["seg_1"], 601)
	w.unsettled = map[string]bool{"seg_1": true}
	if _, err := w.svc.AddGroup(t.Context(), ws, j.ID, "ann", g, 600); err != nil {
		t.Errorf("asked again when the segment has grown: %v", err)
	}
	w.unsettled, w.sets["seg_1"] = nil, w.sets["seg_1"][:600]
	w.settle()
	want(t, "entered", w.stats(j.ID).Entered, 600)
	tasks, err := w.svc.Tasks(t.Context(), ws, j.ID, page.Request{})
	if err != nil || len(tasks.Items) != 1 || tasks.Items[0].Status != journey.TaskDone || tasks.Items[0].Done != 600 {
		t.Errorf("%v %+v", err, tasks.Items)
	}
	if _, err := w.svc.AddGroup(t.Context(), ws, j.ID, "ann", journey.Group{People: []string{"per_1", "per_700"}}, 2); err != nil {
		t.Fatal(err)
	}
	w.settle()
	want(t, "only the new one", w.stats(j.ID).Entered, 601)
	got, _ := w.svc.Refusals(t.Context(), ws, j.ID, journey.NotAgain, page.Request{})
	want(t, "the other has been in", len(got.Items), 1)
}

func TestWhoeverIsBroughtInAsASegmentWaitsUntilItsMembersAreKnown(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = []uint64{1, 2} // as far as they are known
	w.unsettled = map[string]bool{"seg_1": true}
	daily := w.publish("s", mail(`{"schedule": {"set": "seg_1", "cron": "0 12 * * *", "zone": "UTC"}}`, `"re_entry": {"mode": "always"}, "max_age": {"n": 2, "unit": "day"}`))
	byHand := w.publish("m", mail(`{"manual": {}}`, ""))
	if _, err := w.svc.CountGroup(t.Context(), ws, journey.Group{Set: "seg_1"}); !errs.Is(err, errs.KindConflict) {
		t.Errorf("counted: %v", err)
	}
	w.unsettled = nil
	if _, err := w.svc.AddGroup(t.Context(), ws, byHand.ID, "ann", journey.Group{Set: "seg_1"}, 2); err != nil {
		t.Fatal(err)
	}
	w.unsettled = map[string]bool{"seg_1": true} // an edit, before anybody is in
	w.pass(27 * time.Hour)                       // noon has been long ago, and is again
	said := func(id string) (out []string) {
		tasks, err := w.svc.Tasks(t.Context(), ws, id, page.Request{})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range tasks.Items {
			out = append(out, k.Status+" "+k.Error)
		}
		return out
	}
	want(t, "messages", len(w.messages()), 0)
	want(t, "what is said", slices.Concat(said(daily.ID), said(byHand.ID)), []string{"running unsettled", "running unsettled"})

	w.unsettled = map[string]bool{}
	w.edit = func(set string) { w.unsettled[set] = true } // while the members are being read
	w.settle()
	want(t, "messages", len(w.messages()), 0)

	w.sets["seg_1"], w.unsettled = []uint64{1, 2, 3}, nil
	w.settle()
	want(t, "messages", len(w.messages()), 9) // by hand, of the noon that was late, and of the next
	want(t, "what is said", slices.Concat(said(daily.ID), said(byHand.ID)), []string{"running ", "done ", "done ", "done "})
}

func TestAGroupIsAddedOnceWhateverFails(t *testing.T) {
	w := newWorld(t)
	for n := range uint64(900) {
		w.sets["seg_1"] = append(w.sets["seg_1"], n+1)
	}
	j := w.publish("m", mail(`{"manual": {}}`, ""))
	if _, err := w.svc.AddGroup(t.Context(), ws, j.ID, "ann", journey.Group{Set: "seg_1"}, 900); err != nil {
		t.Fatal(err)
	}
	tries := 0
	w.fail = func(what string) error {
		if tries++; tries%7 == 0 {
			return errBroken
		}
		return nil
	}
	for range 40 {
		_, _ = w.svc.Tick(t.Context()) // dies now and then
		w.clock.Advance(time.Minute)
	}
	w.fail = nil
	w.pass(2 * time.Hour)
	want(t, "messages", len(w.messages()), 900)
	want(t, "entered", w.stats(j.ID).Entered, 900)
}

func TestCapsHoldAndTheSurplusWaitsOrIsRefused(t *testing.T) {
	for _, c := range []struct {
		caps            string
		day1, day2      int64
		refused, queued int
		reason          string
	}{
		{`{"inside": 3}`, 3, 3, 0, 7, ""},
		{`{"daily": 4}`, 4, 8, 0, 2, ""},
		{`{"daily": 4, "surplus": "refuse"}`, 4, 4, 6, 0, "day_full"},
		{`{"inside": 3, "surplus": "refuse"}`, 3, 3, 7, 0, "full"},
	} {
		w := newWorld(t)
		j := w.publish("c", waiting(`{"event": {"name": "Go"}}`, `"caps": `+c.caps+`, "max_age": {"n": 3, "unit": "day"}`))
		for n := range uint64(10) {
			w.happen(w.event(fmt.Sprintf("m%d", n), n+1, "Go", `{}`))
		}
		w.settle()
		want(t, c.caps+" first day", w.stats(j.ID).Entered, c.day1)
		w.pass(24 * time.Hour)
		want(t, c.caps+" second day", w.stats(j.ID).Entered, c.day2)
		got, _ := w.svc.Refusals(t.Context(), ws, j.ID, c.reason, page.Request{})
		want(t, c.caps+" refused", len(got.Items), c.refused)
		q, _ := w.svc.Queue(t.Context(), ws, j.ID, page.Request{})
		want(t, c.caps+" waiting", len(q.Items), c.queued)
	}
}

func TestWhoWaitsTooLongForAPlaceIsRefusedAndWhoLeavesMakesOne(t *testing.T) {
	w := newWorld(t)
	j := w.publish("c", waiting(`{"event": {"name": "Go"}}`, `"caps": {"inside": 1}, "exit": [{"event": {"name": "Stop"}}]`))
	w.happen(w.event("m1", 1, "Go", `{}`), w.event("m2", 2, "Go", `{}`), w.event("m3", 3, "Go", `{}`))
	w.settle()
	w.clock.Advance(time.Hour)
	w.happen(w.event("s1", 1, "Stop", `{}`))
	w.settle()
	want(t, "the next moves up", w.rounds("per_2"), []string{"active w "})
	w.pass(24 * time.Hour)
	got, _ := w.svc.Refusals(t.Context(), ws, j.ID, journey.NotInTime, page.Request{})
	if len(got.Items) != 1 || got.Items[0].Person != "per_3" {
		t.Errorf("%+v", got.Items)
	}
	w.react(w.event("m3", 3, "Go", `{}`)) // the same event again
	w.settle()
	want(t, "stays refused", len(w.rounds("per_3")), 0)
}

func TestWhoWaitsForAPlaceIsRefusedWhenTheJourneyIsPutAway(t *testing.T) {
	w := newWorld(t)
	j := w.publish("c", waiting(`{"event": {"name": "Go"}}`, `"caps": {"inside": 1}`))
	for n := range uint64(600) { // some batches
		w.happen(w.event(fmt.Sprint("m", n), n+1, "Go", `{}`))
	}
	w.settle()
	if _, err := w.svc.End(t.Context(), ws, j.ID, true); err != nil {
		t.Fatal(err)
	}
	w.settle()
	q, err := w.svc.Queue(t.Context(), ws, j.ID, page.Request{Limit: 5})
	want(t, "the journey may go on, so they wait", []any{len(q.Items), err}, []any{5, nil})
	if _, err := w.svc.Archive(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	q, err = w.svc.Queue(t.Context(), ws, j.ID, page.Request{Limit: 5})
	want(t, "nobody waits", []any{len(q.Items), err}, []any{0, nil})
	want(t, "and it is said why", w.stats(j.ID).Turned[journey.NotRunning], 599)
}

func TestOneLiveRoundForEachKey(t *testing.T) {
	w := newWorld(t)
	j := w.publish("k", waiting(`{"event": {"name": "Cart"}}`, `"re_entry": {"mode": "once", "key": "cart.id"}, "exit": [{"event": {"name": "Stop"}}]`))
	w.happen(w.event("m1", 1, "Cart", `{"cart": {"id": "a"}}`), w.event("m2", 1, "Cart", `{"cart": {"id": "b"}}`), w.event("m3", 1, "Cart", `{"cart": {"id": "a"}}`))
	w.settle()
	want(t, "two carts", w.stats(j.ID).Inside, 2)
	w.clock.Advance(time.Hour)
	w.happen(w.event("s", 1, "Stop", `{}`))
	want(t, "both leave", w.stats(j.ID).Inside, 0)
	w.clock.Advance(time.Hour)
	w.happen(w.event("m4", 1, "Cart", `{"cart": {"id": "a"}}`), w.event("m5", 1, "Cart", `{"cart": {"id": 7}}`))
	want(t, "a has been, 7 has not", w.stats(j.ID).Entered, 3)
}

func TestNoMachineEndsSilence(t *testing.T) {
	w := newWorld(t)
	j := w.publish("i", mail(`{"inactive": {"events": ["Message Opened"], "for": {"n": 5, "unit": "day"}}}`, ""))
	opened := func(id string, n uint64, machine bool) event.Kept {
		e := w.event(id, n, event.MessageOpened, fmt.Sprintf(`{"machine": %t}`, machine))
		e.Type = event.Message
		return e
	}
	w.happen(opened("a", 1, false), opened("b", 2, true))
	w.clock.Advance(time.Hour)
	w.happen(opened("c", 1, true))
	q, _ := w.svc.Queue(t.Context(), ws, j.ID, page.Request{})
	if len(q.Items) != 1 || q.Items[0].Person != "per_1" || !q.Items[0].Due.Equal(start.AddDate(0, 0, 5)) {
		t.Errorf("%+v", q.Items)
	}
}

func TestAMergeTakesAppointmentsAlong(t *testing.T) {
	w := newWorld(t)
	j := w.publish("i", mail(`{"inactive": {"for": {"n": 5, "unit": "day"}}}`, ""))
	w.happen(w.event("a", 1, "Seen", `{}`))
	w.clock.Advance(time.Hour)
	w.happen(w.event("b", 2, "Seen", `{}`))
	if err := w.svc.PeopleMerged(t.Context(), ws, person.Ref{Workspace: ws, ID: "per_2", Num: 2}, person.Ref{Workspace: ws, ID: "per_1", Num: 1}); err != nil {
		t.Fatal(err)
	}
	w.history["per_1"] = append(w.history["per_1"], w.history["per_2"]...)
	q, _ := w.svc.Queue(t.Context(), ws, j.ID, page.Request{})
	if len(q.Items) != 1 || q.Items[0].Person != "per_1" || !q.Items[0].Due.Equal(start.AddDate(0, 0, 5).Add(time.Hour)) {
		t.Errorf("%+v", q.Items)
	}
	w.pass(5 * 24 * time.Hour)
	want(t, "messages", w.messages(), []string{"per_1 tpl"})
}
