package node_test

import (
	"encoding/json"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
)

func TestWhatMachinesDoMovesNobodyUnlessAsked(t *testing.T) {
	click := func(name, props string) event.Kept {
		return event.Kept{Event: event.Event{Type: event.Message, Name: name, Properties: json.RawMessage(props)}}
	}
	names := node.EventMatch{Name: event.MessageClicked, Also: []string{event.MessageOpened, event.MessageReplied}}
	filtered := names
	filtered.Filter = []json.RawMessage{json.RawMessage(`{"path":"url","op":"eq","value":"https://a.example"}`)}
	for _, m := range []node.EventMatch{names, filtered} {
		for _, asked := range []bool{false, true} {
			m.Machines = asked
			match, err := node.Match{Event: &m}.Compile()
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{event.MessageClicked, event.MessageOpened, event.MessageReplied} {
				if !match.Match(click(name, `{"url":"https://a.example","machine":false}`)) || !match.Match(click(name, `{"url":"https://a.example"}`)) {
					t.Errorf("%s by a person does not count", name)
				}
				if got := match.Match(click(name, `{"url":"https://a.example","machine":true}`)); got != asked {
					t.Errorf("%s by a machine counts: %t, asked for: %t", name, got, asked)
				}
			}
		}
	}
}
