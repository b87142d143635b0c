package journey_test

import (
	"fmt"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
)

func TestACircleOfJourneysIsSeenBeforePublishing(t *testing.T) {
	w := newWorld(t)
	w.rests = map[string][]string{"seg_gold": {"traits.tier"}, "seg_plain": {"traits.tier"}, "seg_tea": {"traits.tea.kind"}}
	graph := func(trigger, nodes, more string) string {
		return `{"trigger": ` + trigger + `, "re_entry": {"mode": "always"}, "nodes": [` + nodes + `]` + more + `}`
	}
	entered := func(set string) string { return `{"segment_entered": {"id": "` + set + `"}}` }
	sets := func(trait string) string {
		return `{"id": "t", "kind": "set_trait", "config": {"traits": {"` + trait + `": "x"}}}`
	}
	after := func(n int, unit, then string) string {
		return fmt.Sprintf(`{"id": "w", "kind": "wait", "config": {"for": {"n": %d, "unit": "%s"}}, "next": {"next": "t"}}, %s`, n, unit, then)
	}
	other := w.publish("other", graph(entered("seg_gold"), sets("tier"), ""))
	w.publish("apart", graph(entered("seg_tea"), sets("colour"), ""))
	for what, c := range map[string]struct {
		graph  string
		circle bool
	}{
		"by a trait":              {graph(entered("seg_plain"), sets("tier"), ""), true},
		"of another trait":        {graph(entered("seg_plain"), sets("colour"), ""), false},
		"after ten minutes":       {graph(entered("seg_plain"), after(10, "minute", sets("tier")), ""), true},
		"after two hours":         {graph(entered("seg_plain"), after(2, "hour", sets("tier")), ""), false},
		"started otherwise":       {graph(`{"event": {"name": "Go"}}`, sets("tier"), ""), false},
		"entered by name":         {graph(entered("seg_plain"), `{"id": "e", "kind": "enter_journey", "config": {"journey": "`+other.ID+`"}}`, ""), true},
		"started by the other's":  {graph(`{"event": {"name": "Journey Entered", "filter": [{"path": "journey_id", "op": "eq", "value": "`+other.ID+`"}]}}`, sets("tier"), ""), true},
		"started by some other's": {graph(`{"event": {"name": "Journey Entered", "filter": [{"path": "journey_id", "op": "eq", "value": "jrn_x"}]}}`, sets("tier"), ""), false},
	} {
		j, err := w.svc.Create(t.Context(), ws, "", what, parse(t, c.graph))
		if err != nil {
			t.Fatal(err)
		}
		found, err := w.svc.Circle(t.Context(), ws, j.ID)
		if err != nil {
			t.Fatal(err)
		}
		var wanted []string
		if c.circle {
			wanted = []string{other.ID}
		}
		var got []string
		for _, f := range found {
			got = append(got, f.ID)
		}
		want(t, what, got, wanted)
	}
	once := parse(t, graph(entered("seg_plain"), sets("tier"), ""))
	once.ReEntry = journey.ReEntry{Mode: journey.Once}
	j, err := w.svc.Create(t.Context(), ws, "", "once", once)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := w.svc.Circle(t.Context(), ws, j.ID); err != nil || found != nil {
		t.Errorf("who enters once cannot go round: %v, %v", found, err)
	}
	if _, err := w.svc.Circle(t.Context(), "ws_2", j.ID); err == nil {
		t.Error("another workspace sees it")
	}
}
