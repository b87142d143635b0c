package duck_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
)

func TestStrippedPeopleLeaveFiguresAndNoBytes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events.duckdb")
	s, err := duck.Open(t.Context(), file, duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	var events []event.Kept
	for i := range 20_000 {
		who := uint64(i%50 + 1)
		e := event.Event{
			Workspace: "ws_1", MessageID: fmt.Sprint("m-", i, "-of-", name(who)), Type: event.Track, Name: "Order Completed", Origin: event.Server,
			UserID: name(who), Time: at.Add(time.Duration(i) * time.Second), Received: at,
			Properties: json.RawMessage(fmt.Sprintf(`{"total":%d,"currency":"EUR","order_id":"o-%s-%d","note":"for %s"}`, i, name(who), i, name(who))),
			Context:    json.RawMessage(fmt.Sprintf(`{"page":{"url":"https://shop.example/%s"}}`, name(who))),
		}
		events = append(events, event.Kept{Event: e, Person: who, Identifiers: []event.Identifier{{Kind: "user_id", Value: name(who)}}, Position: event.Position{Seq: 1, Index: i}})
	}
	people := make([]event.Mirror, 50)
	for i := range people {
		people[i] = event.Mirror{Workspace: "ws_1", Num: uint64(i + 1), ID: fmt.Sprint("per_", i+1), Traits: json.RawMessage(`{"name":"` + name(uint64(i+1)) + `"}`), Channels: json.RawMessage("{}"), FirstSeen: at, LastSeen: at}
	}
	// Person 7 was merged into 8: events stored under both numbers are theirs.
	if err := s.Append(t.Context(), event.Batch{Events: events, People: people, Through: 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), event.Batch{Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 7, Winner: 8}}, Gone: []event.RemovedPerson{{Workspace: "ws_1", Num: 7}}, Through: 2}); err != nil {
		t.Fatal(err)
	}
	traces, err := s.Traces(t.Context(), "ws_1", []uint64{8, 7}, at)
	if err != nil || len(traces.Subjects) != 2 || len(traces.Identifiers) != 2 || len(traces.Orders) != 800 || traces.Events != 800 {
		t.Fatalf("%d subjects, %d identifiers, %d orders, %d events, %v", len(traces.Subjects), len(traces.Identifiers), len(traces.Orders), traces.Events, err)
	}
	sums := func() string {
		rows, err := s.Query(context.WithoutCancel(t.Context()), `SELECT count(*), sum(total), count(DISTINCT name) FROM event WHERE ws = 'ws_1'`, nil)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(rows[0]...)
	}
	before := sums()
	for i, want := range []int64{800, 0} {
		if n, err := s.Strip(t.Context(), "ws_1", []uint64{8, 7}); n != want || err != nil {
			t.Fatalf("round %d: stripped %d, %v", i, n, err)
		}
	}
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := sums(); after != before {
		t.Errorf("figures were %s, are %s", before, after)
	}
	if pos, _ := s.Position(t.Context()); pos != 2 {
		t.Errorf("the position is %d", pos)
	}
	left, err := s.Timeline(t.Context(), "ws_1", 9, nil, page.Request{Limit: 500})
	if err != nil || len(left.Items) != 400 || left.Items[0].UserID != name(9) {
		t.Fatalf("%d events of another person, %v", len(left.Items), err)
	}
	if all, err := s.Everyone(t.Context(), "ws_1"); err != nil || all.GetCardinality() != 48 {
		t.Errorf("%d people, %v", all.GetCardinality(), err)
	}
	// It goes on working, also after a restart, and the file holds nothing any more.
	next := events[0]
	next.MessageID, next.Position.Seq = "later", 3
	if err := s.Append(t.Context(), event.Batch{Events: []event.Kept{next}, Through: 3}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(filepath.Dir(file), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(raw, []byte(name(9))) {
			t.Errorf("%s: the test would not find a person who is there", e.Name())
		}
		for _, who := range []uint64{7, 8} {
			if bytes.Contains(raw, []byte(name(who))) {
				t.Errorf("%s still holds %s", e.Name(), name(who))
			}
		}
	}
	if s, err = duck.Open(t.Context(), file, duck.Options{}); err != nil {
		t.Fatal(err)
	}
	if pos, _ := s.Position(t.Context()); pos != 3 {
		t.Errorf("after a restart the position is %d", pos)
	}
}

func name(n uint64) string { return fmt.Sprintf("zanzibar-%04d-person", n) }
