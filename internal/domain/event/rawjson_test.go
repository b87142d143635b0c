package event_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

var rawObjects = []string{
	``, `{}`, ` { } `, `null`, `[]`, `{"a":1}`, `{"a":{"b":[1,2,{"c":null}]},"d":"\u00e9\n\/"}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":"\ud83d\ude00"}`,
	`{"a":"\ud83d"}`, `{"a":"\ude00"}`, `{"a":"\ud83dx"}`, `{"a":1e999}`, `{"a":[-1e400,1e99,1e-400]}`, `{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":"` + "\xc3\x28" + `"}`,
	`{"a":"` + "\t" + `"}`, `{"a":tru}`, `{"a" 1}`, `{"a":1,}`, `{"a":[1 2]}`, `{"a":"\x"}`, `{"a":1}x`,
	`{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"10":1,"11":1,"12":1,"13":1,"14":1,"15":1,"16":1,"17":1,"3":2}`,
}

func TestCleanObjectsAreReadAlikeByEveryone(t *testing.T) {
	for _, raw := range rawObjects {
		checkClean(t, []byte(raw))
	}
	for raw, want := range map[string]string{
		`{"a":1,"a":2}`: `{"a":2}`, `{"a":"\ud83d"}`: `{"a":"` + "\ufffd" + `"}`, `{"a":1e999,"b":1}`: `{"a":"1e999","b":1}`, `[1]`: `{}`, ``: `{}`,
		`{ "a" : "\ud83d\ude00" }`: `{ "a" : "\ud83d\ude00" }`, // clean already: kept to the letter
	} {
		if got := string(event.Clean([]byte(raw))); got != want {
			t.Errorf("Clean(%s) = %s, want %s", raw, got, want)
		}
	}
}

// checkClean holds that Clean changes nothing that Object reads, and that its result is strict JSON without repeated keys.
func checkClean(t *testing.T, raw []byte) {
	t.Helper()
	clean := event.Clean(raw)
	if !json.Valid(clean) {
		t.Fatalf("Clean(%q) = %q, which is not JSON", raw, clean)
	}
	if d := cmp.Diff(event.Object(raw), event.Object(clean)); d != "" {
		t.Fatalf("Clean(%q) = %q reads otherwise: %s", raw, clean, d)
	}
	if again := event.Clean(clean); !bytes.Equal(again, clean) {
		t.Fatalf("Clean(%q) = %q, and cleaned again %q", raw, clean, again)
	}
	var plain map[string]any
	if err := json.Unmarshal(clean, &plain); err != nil {
		t.Fatalf("Clean(%q) = %q: %v", raw, clean, err)
	}
}

func FuzzClean(f *testing.F) {
	for _, raw := range rawObjects {
		f.Add([]byte(raw))
	}
	f.Fuzz(checkClean)
}

func TestPromotedPlatform(t *testing.T) {
	for _, c := range []struct {
		name, context string
		origin        event.Origin
		want          string
	}{
		{"said so", `{"platform":"TV"}`, event.Browser, "tv"},
		{"mobile library", `{"device":{"type":"android"},"os":{"name":"Android"}}`, event.Browser, "android"},
		{"iPad", `{"os":{"name":"iPadOS"}}`, event.Browser, "ios"},
		{"web page on a phone", `{"os":{"name":"iOS"},"page":{"path":"/"}}`, event.Browser, "web"},
		{"browser key", `{}`, event.Browser, "web"},
		{"server key", `{"os":{"name":"Linux"}}`, event.Server, "server"},
		{"the product itself", `{}`, event.Internal, ""},
	} {
		e := event.Event{Type: event.Track, Origin: c.origin, Context: json.RawMessage(c.context)}
		if got := event.Promote(&e).Platform; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestOnlyTheProductFillsMessageColumns(t *testing.T) {
	props := json.RawMessage(`{"channel":"email","source_id":"cmp_1","message_id":"msg_1"}`)
	if p := event.Promote(&event.Event{Type: event.Track, Properties: props}); p.Channel != "" || p.SourceID != "" || p.OutboxID != "" {
		t.Errorf("a track event from outside fills %q %q %q", p.Channel, p.SourceID, p.OutboxID)
	}
	if p := event.Promote(&event.Event{Type: event.Message, Properties: props}); p.Channel != "email" || p.OutboxID != "msg_1" {
		t.Errorf("a message event fills %q %q", p.Channel, p.OutboxID)
	}
}
