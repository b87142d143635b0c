package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Two journeys that take turns by way of a trait and two segments, with nothing in between: at machine speed, and for ever if nobody ends it.
func TestJourneysThatStartEachOtherBySegmentsComeToAnEndAndSaySo(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	ids := map[string]string{}
	for _, tier := range []string{"gold", "plain"} {
		var made struct{ ID string }
		w.ok(b.key, "POST /segments", `{"name":"`+tier+`","rule":{"trait":{"path":"tier","op":"eq","value":"`+tier+`"}}}`, &made)
		ids[tier] = made.ID
	}
	w.evaluate()
	for from, to := range map[string]string{"gold": "plain", "plain": "gold"} {
		var made struct{ ID string }
		w.ok(b.key, "POST /journeys", fmt.Sprintf(`{"name":"from %s","draft":{"trigger":{"segment_entered":{"id":"%s"}},"re_entry":{"mode":"always"},
			"nodes":[{"id":"t","kind":"set_trait","config":{"traits":{"tier":"%s"}}}]}}`, from, ids[from], to), &made)
		w.ok(b.key, "POST /journeys/"+made.ID+"/publish", "", nil)
		ids["from "+from] = made.ID
	}
	if circle := w.call("GET /journeys/"+ids["from plain"]+"/circle", asked{key: b.key}).Body.String(); !strings.Contains(circle, `"name":"from gold"`) {
		t.Errorf("the circle: %s", circle)
	}
	begin := func(key, tier string) {
		w.ok(b.key, "PATCH /people/"+b.ids["aya"]+"/traits", `{"traits":{"tier":"`+tier+`"},"idempotency_key":"`+key+`"}`, nil)
		for range 40 {
			w.settle()
			w.clock.Advance(time.Second)
			if _, err := w.journeys.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	entered := func() (n int64) {
		for _, tier := range []string{"gold", "plain"} {
			var stats struct{ Entered int64 }
			w.ok(b.key, "GET /journeys/"+ids["from "+tier]+"/stats", "", &stats)
			n += stats.Entered
		}
		return n
	}
	begin("a", "gold")
	if n := entered(); n != 11 {
		t.Errorf("the journeys were entered %d times", n)
	}
	trouble := w.call("GET /journey-trouble?journey="+ids["from plain"], asked{key: b.key}).Body.String()
	turned := w.call("GET /journeys/"+ids["from plain"]+"/refusals", asked{key: b.key}).Body.String()
	path := w.call("GET /people/"+b.ids["aya"]+"/events?type=journey&limit=1", asked{key: b.key}).Body.String()
	for what, has := range map[string][2]string{"the journey": {trouble, `"endless":1`}, "those turned away": {turned, `"reason":"hops"`}, "the person": {path, `"why":"hops"`}} {
		if !strings.Contains(has[0], has[1]) {
			t.Errorf("%s says nothing of it: %s", what, has[0])
		}
	}

	// What a person does, or somebody else for them, begins anew.
	begin("b", "gold")
	if n := entered(); n != 22 {
		t.Errorf("after another beginning the journeys were entered %d times", n)
	}
	w.clock.Advance(25 * time.Hour)
	if trouble := w.call("GET /journey-trouble?journey="+ids["from plain"], asked{key: b.key}).Body.String(); !strings.Contains(trouble, `"endless":0`) {
		t.Errorf("a day later: %s", trouble)
	}
}
