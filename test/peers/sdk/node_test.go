package sdk_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// nodeClients are the SDKs that make the calls of calls.json.
var nodeClients = map[string]struct {
	module, program, library string
	formEncoded, gzip        bool
}{
	"segment analytics-node":       {module: "@segment/analytics-node", program: "segment_node.mjs", library: "@segment/analytics-node"},
	"segment analytics-node, 2021": {module: "analytics-node", program: "segment_classic.cjs", library: "analytics-node"},
	"rudderstack rudder-sdk-node":  {module: "@rudderstack/rudder-sdk-node", program: "rudder_node.cjs", library: "analytics-node", formEncoded: true, gzip: true},
}

// calls are the arguments of calls.json.
func calls(t *testing.T) map[event.Type]map[string]any {
	t.Helper()
	raw, err := os.ReadFile("calls.json")
	if err != nil {
		t.Fatal(err)
	}
	var c map[event.Type]map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// checkCalls holds six events against the calls they were made by.
func checkCalls(t *testing.T, evs []event.Event, library string) {
	t.Helper()
	want := calls(t)
	var order []event.Type
	for _, e := range evs {
		order = append(order, e.Type)
		call := want[e.Type]
		text := func(key string) string { s, _ := call[key].(string); return s }
		name := text("name")
		if e.Type == event.Track {
			name = text("event")
		}
		if e.Name != name || e.UserID != text("userId") || e.GroupID != text("groupId") || e.PreviousID != text("previousId") {
			t.Errorf("%s arrived as %+v", e.Type, e)
		}
		if a := text("anonymousId"); a != "" && e.AnonymousID != a {
			t.Errorf("%s arrived with anonymous id %q, want %q", e.Type, e.AnonymousID, a)
		}
		content, _ := call["properties"].(map[string]any)
		if traits, ok := call["traits"].(map[string]any); ok {
			content = traits
		}
		got := event.Object(e.Properties)
		for key, v := range content {
			if diff := cmp.Diff(v, got[key]); diff != "" {
				t.Errorf("%s: %s: %s", e.Type, key, diff)
			}
		}
		if e.Origin != event.Server || e.Workspace != "ws_1" || e.Source != "src_s" {
			t.Errorf("%s: envelope %+v", e.Type, e)
		}
		if lib, _ := event.Object(e.Context)["library"].(map[string]any); lib["name"] != library {
			t.Errorf("%s: library %v", e.Type, lib)
		}
		if d := time.Since(e.Time); d < -time.Minute || d > 2*patience {
			t.Errorf("%s: time %v", e.Type, e.Time)
		}
		if len(e.Flags) > 0 {
			t.Errorf("%s: flags %q", e.Type, e.Flags)
		}
	}
	if diff := cmp.Diff([]event.Type{event.Identify, event.Track, event.Page, event.Screen, event.Group, event.Alias}, order); diff != "" {
		t.Errorf("order of the calls: %s", diff)
	}
}

func TestNodeClientsSendTheSixCalls(t *testing.T) {
	for name, c := range nodeClients {
		t.Run(name, func(t *testing.T) {
			in := start(t)
			node(t, c.module, c.program, in.url, "server-key")
			checkCalls(t, once(in.wait(6)), c.library)
			for _, h := range in.seen() {
				if form := strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded"); form != c.formEncoded {
					t.Errorf("content type %q: the client has changed, and so has what this test covers", h.Get("Content-Type"))
				}
				if packed := h.Get("Content-Encoding") == "gzip"; packed != c.gzip {
					t.Errorf("content encoding %q: the client has changed, and so has what this test covers", h.Get("Content-Encoding"))
				}
			}
		})
	}
}

// The first request is turned away; the second is stored and its answer denied, as if it had been lost.
func TestNodeClientsLoseNothingAndRepeatWithTheSameMessageIDs(t *testing.T) {
	for name, c := range nodeClients {
		t.Run(name, func(t *testing.T) {
			in := start(t)
			in.busy.Store(1)
			in.lost.Store(1)
			node(t, c.module, c.program, in.url, "server-key")
			all := in.wait(6)
			checkCalls(t, once(all), c.library)
			if len(all) == 6 {
				t.Error("nothing came twice: the test has not tested the lost answer")
			}
		})
	}
}
