package httpapi_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// These are the shapes that scripts rely on from the first day. They are read without the package's own types on purpose.

func TestContractStats(t *testing.T) {
	w := newWorld(t)
	a := w.tenant("Contract")
	order := track(a.ws, "m1", "u1", event.OrderCompleted, `{"total":10}`, start)
	view := event.Event{Workspace: a.ws, MessageID: "m2", Type: event.Page, Name: "Home", AnonymousID: "anon", Time: start, Received: start, Origin: event.Browser}
	w.feed(order, view, identify(a.ws, "m3", "u2", `{"plan":"pro"}`, start))
	w.feed(order) // again: a duplicate
	var got map[string]any
	w.ok(a.key, "GET /stats", "", &got)
	if got["people"] != 3.0 || got["events"] != 2.0 {
		t.Errorf("three people and two events became %v", got)
	}
	merge := identify(a.ws, "m4", "u1", `{}`, start.Add(time.Second))
	merge.AnonymousID = "anon"
	w.feed(merge)
	w.ok(a.key, "GET /stats", "", &got)
	if got["people"] != 2.0 || got["events"] != 2.0 {
		t.Errorf("after the visitor turned out to be u1: %v", got)
	}
}

func TestContractPeopleAndTheirEvents(t *testing.T) {
	w := newWorld(t)
	a := w.tenant("Contract")
	w.feed(identify(a.ws, "i1", "u1", `{"email":"Aya@Example.COM","country":"JP","gone":null}`, start))
	for i := range 7 {
		w.feed(track(a.ws, fmt.Sprintf("m%d", i), "u1", fmt.Sprintf("Step %d", i), fmt.Sprintf(`{"n":%d}`, i), start.Add(time.Duration(i)*time.Minute)))
	}
	// What the product has worked out of it is no happening of its own.
	w.feed(identify(a.ws, "traits:standing:per_1:1", "u1", `{"standing":{"stage":"active"}}`, start.Add(10*time.Minute)))
	type identifier struct{ Kind, Value string }
	type found struct {
		Items []struct {
			ID          string
			Traits      map[string]any
			Identifiers []identifier
		}
		NextCursor *string `json:"next_cursor"`
	}
	var first string
	for _, q := range []string{"user_id:u1", "email:aya@example.com", "email:%20AYA@example.com"} {
		var got found
		w.ok(a.key, "GET /people?identifier="+q, "", &got)
		if len(got.Items) != 1 || got.NextCursor == nil || *got.NextCursor != "" {
			t.Fatalf("%s: %+v", q, got)
		}
		p := got.Items[0]
		if first == "" {
			first = p.ID
		}
		want := []identifier{{"user_id", "u1"}, {"email", "aya@example.com"}}
		if p.ID != first || p.Traits["country"] != "JP" || cmp.Diff(want, p.Identifiers) != "" {
			t.Errorf("%s: %+v", q, p)
		}
		if _, there := p.Traits["gone"]; there {
			t.Error("a deleted trait is shown")
		}
	}
	var none found
	w.ok(a.key, "GET /people?identifier=user_id:nobody", "", &none)
	if none.Items == nil || len(none.Items) != 0 {
		t.Errorf("nobody: %+v, want an empty array", none)
	}

	type page struct {
		Items []struct {
			MessageID  string         `json:"message_id"`
			Name, Type string         //
			Time       time.Time      //
			Properties map[string]any //
		}
		NextCursor string `json:"next_cursor"`
	}
	var ids []string
	cursor, pages := "", 0
	for {
		var got page
		w.ok(a.key, "GET /people/"+first+"/events?limit=3&cursor="+cursor, "", &got)
		for _, e := range got.Items {
			ids = append(ids, e.MessageID)
			if e.Type == "track" && (e.Name == "" || e.Time.Before(start) || e.Properties["n"] == nil) {
				t.Errorf("incomplete: %+v", e)
			}
		}
		pages++
		if cursor = got.NextCursor; cursor == "" {
			break
		}
	}
	if want := []string{"m6", "m5", "m4", "m3", "m2", "m1", "m0", "i1"}; !slices.Equal(ids, want) && !slices.Equal(ids, append(want[:6:6], "i1", "m0")) || pages != 3 {
		t.Errorf("timeline %v in %d pages", ids, pages)
	}
	var tracks page
	w.ok(a.key, "GET /people/"+first+"/events?type=track&limit=500", "", &tracks)
	if len(tracks.Items) != 7 {
		t.Errorf("%d track events", len(tracks.Items))
	}
	var traits page
	w.ok(a.key, "GET /people/"+first+"/events?type=identify", "", &traits)
	if len(traits.Items) != 2 {
		t.Errorf("%d changes of traits, asked for by their type; want that of standing, too", len(traits.Items))
	}
}

func TestContractSegments(t *testing.T) {
	w := newWorld(t)
	a := w.tenant("Contract")
	old := time.Date(1998, 3, 1, 0, 0, 0, 0, time.UTC)
	// u1 fulfils the whole rule through the country, u2 through the phone; each of the others lacks one part.
	for user, lacks := range map[string]string{"u1": "", "u2": "country", "u3": "recent", "u4": "absolute", "u5": "any", "u6": "not"} {
		e := identify(a.ws, "i"+user, user, `{"country":"JP"}`, start.Add(-time.Hour))
		if lacks == "country" || lacks == "any" {
			e.Properties = json.RawMessage(`{"country":"DE"}`)
		}
		if lacks == "not" {
			e.Properties = json.RawMessage(`{"country":"JP","vip":true}`)
		}
		events := []event.Event{e}
		recent := []time.Time{start.AddDate(0, 0, -10), start.AddDate(0, 0, -80)}
		if lacks == "recent" {
			recent[1] = start.AddDate(0, 0, -91)
		}
		for i, at := range recent {
			events = append(events, track(a.ws, fmt.Sprint("r", user, i), user, event.OrderCompleted, `{"total":51}`, at))
		}
		events = append(events, track(a.ws, "small"+user, user, event.OrderCompleted, `{"total":50}`, start.AddDate(0, 0, -1)))
		if lacks == "country" {
			events[1].Context = json.RawMessage(`{"os":{"name":"iOS"}}`)
		}
		total := 201
		if lacks == "absolute" {
			total = 200
		}
		events = append(events, track(a.ws, "old"+user, user, event.OrderCompleted, fmt.Sprintf(`{"total":%d}`, total), old))
		w.feed(events...)
	}
	var vip struct{ ID string }
	w.ok(a.key, "POST /segments", `{"name":"VIP","rule":{"trait":{"path":"vip","op":"eq","value":true}}}`, &vip)
	w.evaluate()
	rule := fmt.Sprintf(`{"all": [
		{"event": {"name": "Order Completed", "agg": "count", "op": "gte", "value": 2,
			"filter": [{"path": "total", "op": "gt", "value": 50}], "window": {"within": {"n": 90, "unit": "day"}}}},
		{"event": {"name": "Order Completed", "agg": "sum", "path": "total", "op": "gt", "value": 200,
			"window": {"absolute": {"from": "1998-01-01T00:00:00Z", "to": "1998-07-01T00:00:00Z"}}}},
		{"any": [{"trait": {"path": "country", "op": "eq", "value": "JP"}}, {"device": {"path": "os", "op": "eq", "value": "iOS"}}]},
		{"not": {"segment": {"id": %q}}}
	]}`, vip.ID)
	var preview struct {
		Count      int
		Sample     []struct{ ID string }
		Conditions []struct {
			Path  string
			Count int
		}
	}
	w.ok(a.key, "POST /segments/preview", `{"rule":`+rule+`}`, &preview)
	if preview.Count != 2 || len(preview.Sample) != 2 {
		t.Errorf("preview: %+v, want two people", preview)
	}
	counts := map[string]int{}
	for _, c := range preview.Conditions {
		counts[c.Path] = c.Count
	}
	if len(counts) < 8 || counts["all"] != 2 || counts["all[2].any[1].device"] != 1 {
		t.Errorf("counts of the conditions: %v", counts)
	}
	var made struct{ ID, Name string }
	w.ok(a.key, "POST /segments", `{"name":"The example","rule":`+rule+`}`, &made)
	w.evaluate()
	var got struct {
		ID, Name, State string
		Size            int
		Rule            any
	}
	w.ok(a.key, "GET /segments/"+made.ID, "", &got)
	var want any
	w.must(json.Unmarshal([]byte(rule), &want))
	if got.ID != made.ID || got.Size != 2 || got.Name != "The example" || got.State != "ready" {
		t.Errorf("segment: %+v", got)
	}
	if d := cmp.Diff(want, got.Rule); d != "" {
		t.Errorf("the rule comes back otherwise:\n%s", d)
	}
	var members struct{ Items []struct{ ID string } }
	w.ok(a.key, "GET /segments/"+made.ID+"/members", "", &members)
	if len(members.Items) != 2 {
		t.Errorf("members: %+v", members)
	}
}
