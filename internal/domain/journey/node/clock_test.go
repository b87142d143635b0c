package node_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
)

func someone(traits map[string]any) node.Input {
	return node.Input{Subject: &rule.Subject{Num: 1, ID: "per_1", Traits: traits}}
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWaitUntilFollowsTheClockWhereThePersonLives(t *testing.T) {
	for _, c := range []struct{ config, zone, arrived, due string }{
		{`{"time": "09:00"}`, "Asia/Tokyo", "2026-03-01T12:00:00Z", "2026-03-02T00:00:00Z"},
		{`{"time": "09:00"}`, "", "2026-03-01T08:59:59Z", "2026-03-01T09:00:00Z"},
		{`{"time": "09:00"}`, "", "2026-03-01T09:00:01Z", "2026-03-02T09:00:00Z"},
		{`{"time": "09:00", "days": [1, 2, 3, 4, 5]}`, "Europe/London", "2026-03-06T10:00:00Z", "2026-03-09T09:00:00Z"}, // Friday after nine
		{`{"time": "09:00"}`, "America/New_York", "2026-03-07T20:00:00Z", "2026-03-08T13:00:00Z"},                       // the night clocks go forward
		{`{"time": "02:30"}`, "America/New_York", "2026-03-08T05:00:00Z", "2026-03-08T07:30:00Z"},                       // 02:30 does not exist: 03:30
	} {
		n := make1(t, "wait_until", c.config)
		s := node.State{Arrived: at(t, c.arrived)}
		in := someone(map[string]any{"timezone": c.zone})
		due := at(t, c.due)
		if got := n.Step(s, in, s.Arrived); !got.Due.Equal(due) {
			t.Errorf("%s in %s: waits until %s, want %s", c.config, c.zone, got.Due, due)
		}
		if got := n.Step(s, in, due); got.Output != "next" {
			t.Errorf("%s in %s at its time: %+v", c.config, c.zone, got)
		}
	}
	tokyo := someone(map[string]any{"timezone": "nowhere"})
	tokyo.Home = time.FixedZone("JST", 9*60*60)
	if got := make1(t, "wait_until", `{"time": "09:00"}`).Step(node.State{Arrived: at(t, "2026-03-01T12:00:00Z")}, tokyo, at(t, "2026-03-01T12:00:00Z")); !got.Due.Equal(at(t, "2026-03-02T00:00:00Z")) {
		t.Errorf("without a zone of one's own the workspace's counts: %+v", got)
	}
	apia, err := time.LoadLocation("Pacific/Apia") // had no Friday, 30 December 2011
	if err != nil {
		t.Fatal(err)
	}
	friday := someone(nil)
	friday.Home = apia
	if got := make1(t, "wait_until", `{"time": "09:00", "days": [5]}`).Step(node.State{Arrived: at(t, "2011-12-29T12:00:00Z")}, friday, at(t, "2011-12-29T12:00:00Z")); got.Due.In(apia).Format(time.DateTime) != "2012-01-06 09:00:00" {
		t.Errorf("a week without its Friday: %s", got.Due.In(apia))
	}
	moment := make1(t, "wait_until", `{"time": "09:00"}`)
	if got := moment.Step(node.State{Arrived: at(t, "2026-03-01T09:00:00Z")}, someone(nil), at(t, "2026-03-01T09:00:00Z")); got.Output != "next" {
		t.Errorf("arriving on the minute: %+v", got)
	}
}

func TestWaitForDateCountsByTheCalendar(t *testing.T) {
	s := node.State{Arrived: at(t, "2026-03-01T00:00:00Z")}
	for _, c := range []struct{ config, value, due, output string }{
		{`{"trait": "renewal"}`, "2026-03-31", "2026-03-30T15:00:00Z", "next"},
		{`{"trait": "renewal", "before": {"n": 2, "unit": "week"}, "time": "10:00"}`, "2026-03-31", "2026-03-17T01:00:00Z", "next"},
		{`{"trait": "renewal", "after": {"n": 36, "unit": "hour"}}`, "2026-03-31", "2026-04-01T03:00:00Z", "next"},
		{`{"trait": "renewal", "before": {"n": 1, "unit": "hour"}}`, "2026-03-31T10:00:00+09:00", "2026-03-31T00:00:00Z", "next"},
		{`{"trait": "renewal"}`, "2025-03-31", "", "passed"},
		{`{"trait": "renewal"}`, "soon", "", "unknown"},
		{`{"trait": "other"}`, "2026-03-31", "", "unknown"},
	} {
		n := make1(t, "wait_for_date", c.config)
		in := someone(map[string]any{"timezone": "Asia/Tokyo", "renewal": c.value})
		got := n.Step(s, in, s.Arrived)
		if c.due == "" {
			if got.Output != c.output {
				t.Errorf("%s with %s: %+v", c.config, c.value, got)
			}
			continue
		}
		if due := at(t, c.due); !got.Due.Equal(due) || n.Step(s, in, due).Output != c.output {
			t.Errorf("%s with %s: %+v, want %s", c.config, c.value, got, due)
		}
	}
	n := make1(t, "wait_for_date", `{"trait": "renewal"}`)
	put := someone(map[string]any{"renewal": "2026-05-01"}) // put off while the person waited
	if got := n.Step(s, put, at(t, "2026-03-31T00:00:00Z")); !got.Due.Equal(at(t, "2026-05-01T00:00:00Z")) {
		t.Errorf("a date that was put off: %+v", got)
	}
}

func TestWaitForHearsWhatHappensWhileThePersonWaits(t *testing.T) {
	n := make1(t, "wait_for", `{"event": {"name": "Order Completed", "filter": [{"path": "total", "op": "gt", "value": 50}]}, "timeout": {"n": 2, "unit": "day"}}`)
	s := node.State{Trigger: node.Trigger{MessageID: "t", Time: noon.Add(-time.Hour)}, Arrived: noon}
	big := `{"total": 70}`
	for name, c := range map[string]struct {
		e    event.Kept
		want string
	}{
		"in time":   {kept("a", "Order Completed", noon.Add(time.Hour), big), "happened"},
		"too small": {kept("b", "Order Completed", noon.Add(time.Hour), `{"total": 20}`), ""},
		"before":    {kept("c", "Order Completed", noon.Add(-time.Minute), big), ""},
		"another":   {kept("d", "Other", noon.Add(time.Hour), big), ""},
	} {
		if got := n.Step(s, node.Input{Event: &c.e}, noon.Add(2*time.Hour)); got.Output != c.want {
			t.Errorf("%s, heard: %+v", name, got)
		}
		late := someone(nil)
		late.Subject.Events = []event.Kept{c.e}
		want := c.want
		if want == "" {
			want = "timeout"
		}
		if got := n.Step(s, late, noon.Add(48*time.Hour)); got.Output != want {
			t.Errorf("%s, found in the history: %+v", name, got)
		}
	}
}

func TestASplitKeepsItsSharesAndItsPeople(t *testing.T) {
	n := make1(t, "split", `{"salt": "spring", "percent": [50, 30, 20]}`)
	count := map[string]int{}
	for i := range 10_000 {
		in := node.Input{Subject: &rule.Subject{ID: fmt.Sprintf("per_%d", i)}}
		way := n.Step(node.State{}, in, noon).Output
		count[way]++
		if again := n.Step(node.State{Visit: 2, Trigger: node.Trigger{MessageID: "x"}}, in, noon.Add(time.Hour)).Output; again != way {
			t.Fatalf("person %d went %s, then %s", i, way, again)
		}
	}
	for way, want := range map[string]int{"a": 5000, "b": 3000, "c": 2000} {
		if d := count[way] - want; d > 200 || d < -200 { // four standard deviations
			t.Errorf("%d went %s, want about %d", count[way], way, want)
		}
	}
	if got := make1(t, "split", `{"salt": "s", "percent": [0, 100, 0]}`).Step(node.State{}, someone(nil), noon); got.Output != "b" {
		t.Errorf("all go one way: %+v", got)
	}
}

func TestASwitchReadsTraitsAsTheyAreWritten(t *testing.T) {
	n := make1(t, "switch", `{"trait": "tier", "cases": [["gold", "7"], ["true"]]}`)
	for want, v := range map[string][]any{"a": {"gold", 7.0}, "b": {true, "true"}, "other": {"silver", nil, []any{"gold"}, 7.5}} {
		for _, x := range v {
			if got := n.Step(node.State{}, someone(map[string]any{"tier": x}), noon); got.Output != want || got.Reason.IsZero() {
				t.Errorf("%v: %+v, want %s", x, got, want)
			}
		}
	}
}
