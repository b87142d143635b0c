package duck_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
)

func TestPeopleOfOneSourceAloneAreToldApart(t *testing.T) {
	s, err := duck.Open(t.Context(), filepath.Join(t.TempDir(), "events.duckdb"), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	var events []event.Kept
	add := func(ws string, who uint64, typ event.Type, name, source, props string) {
		events = append(events, event.Kept{
			Event:  event.Event{Workspace: ws, MessageID: fmt.Sprint("m", len(events)), Type: typ, Name: name, Source: source, Time: at, Received: at, Properties: json.RawMessage(props)},
			Person: who, Position: event.Position{Seq: 1, Index: len(events)},
		})
	}
	for who := uint64(1); who <= 6; who++ {
		add("ws_1", who, event.Identify, "", "job_1", `{}`)
	}
	add("ws_1", 1, event.Segment, event.SegmentEntered, "", `{}`) // follows from what came, and says nothing new
	add("ws_1", 1, event.Consent, event.TopicSubscribed, "", `{"source":"event:server:form"}`)
	add("ws_1", 1, event.Message, event.MessageRefused, "", `{}`)
	add("ws_1", 2, event.Track, "Seen", "src_1", `{}`)
	add("ws_1", 3, event.Message, event.MessageSent, "", `{}`)
	add("ws_1", 4, event.Consent, event.TopicUnsubscribed, "", `{"source":"preference page"}`)
	add("ws_1", 5, event.Identify, "", "", `{}`) // by hand
	add("ws_1", 1, event.Identify, "", "", `{}`) // how the person stands
	events[len(events)-1].Origin, events[len(events)-1].MessageID = event.Internal, "traits:standing:per_1:5"
	add("ws_1", 7, event.Track, "Seen", "src_1", `{}`)
	add("ws_2", 6, event.Track, "Seen", "src_1", `{}`)
	if err := s.Append(t.Context(), event.Batch{Events: events, Through: 1}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ws          string
		people, own int64
	}{{"ws_1", 6, 2}, {"ws_2", 0, 0}} {
		if people, own, err := s.Brought(t.Context(), c.ws, "job_1"); people != c.people || own != c.own || err != nil {
			t.Errorf("%s: %d people, %d of them its own, %v; want %d and %d", c.ws, people, own, err, c.people, c.own)
		}
	}
}
