package privacy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestWhatIsEncryptedOpensInItsWorkspaceAlone(t *testing.T) {
	s := service(t)
	r := Rules{Fields: []Field{{"traits.ssn", Encrypt}, {"traits.deep.list", Encrypt}, {"properties.lines.serial", Encrypt}, {"traits.gone", Encrypt}}}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	e := event.Event{Type: event.Identify, Properties: json.RawMessage(`{"ssn":12345678901234567890,"deep":{"list":["a",{"b":true}],"x":1},"plan":"pro","gone":null}`)}
	if !s.Try("ws_1", r, &e) {
		t.Fatal("not kept")
	}
	if got := string(event.Readable(e.Properties)); got != `{"deep":{"x":1},"gone":null,"plan":"pro"}` {
		t.Errorf("readable: %s", got)
	}
	if strings.Contains(string(e.Properties), "1234567890") || strings.Contains(string(e.Properties), `"a"`) {
		t.Errorf("the value stands there: %s", e.Properties)
	}
	sealed := map[string]string{}
	event.UnsealJSON(e.Properties, "traits", func(path, text string) (any, bool) {
		sealed[path] = text
		return nil, false
	})
	for path, want := range map[string]string{"traits.ssn": `12345678901234567890`, "traits.deep.list": `["a",{"b":true}]`} {
		v, err := s.Open("ws_1", sealed[path])
		got, _ := json.Marshal(v)
		if err != nil || string(got) != want {
			t.Errorf("%s: %s %v", path, got, err)
		}
		if _, err := s.Open("ws_2", sealed[path]); !errs.Is(err, errs.KindConflict) {
			t.Errorf("%s opens in another workspace: %v", path, err)
		}
	}
	for _, text := range []string{"", "plain", event.SealedMark, event.SealedMark + "*", event.SealedMark + "AAAA", sealed["traits.ssn"] + "A"} {
		if _, err := s.Open("ws_1", text); !errs.Is(err, errs.KindConflict) {
			t.Errorf("%q: %v", text, err)
		}
	}
	again := event.Event{Type: event.Identify, Properties: json.RawMessage(`{"ssn":12345678901234567890}`)}
	s.Try("ws_1", r, &again)
	if strings.Contains(string(again.Properties), sealed["traits.ssn"]) {
		t.Error("the same value is the same text: it could be compared")
	}
	lines := event.Event{Type: event.Track, Properties: json.RawMessage(`{"lines":[{"serial":"A1","n":1},{"n":2}]}`)}
	s.Try("ws_1", r, &lines)
	plain := event.UnsealJSON(lines.Properties, "properties", func(_, text string) (any, bool) {
		v, err := s.Open("ws_1", text)
		return v, err == nil
	})
	if string(plain) != `{"lines":[{"n":1,"serial":"A1"},{"n":2}]}` {
		t.Errorf("opened: %s", plain)
	}
}

func TestRulesTellWhichFieldsCannotBeAskedAbout(t *testing.T) {
	r := Rules{Fields: []Field{{"traits.card", Encrypt}, {"properties.lines.serial", Encrypt}, {"traits.plan", Hash}}}
	for field, want := range map[string]bool{
		"traits.card": true, "traits.card.number": true, "traits.cards": false, "traits.plan": false, "traits": false, "properties.card": false,
		"properties.lines.serial": true, "properties.lines.0.serial": true, "properties.lines": false,
	} {
		if got := r.encrypts(field); got != want {
			t.Errorf("%s: %v", field, got)
		}
	}
}
