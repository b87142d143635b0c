package sqlstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

func internalEvent(id string) event.Event {
	return event.Event{Workspace: "ws_a", MessageID: id, Type: event.Segment, Name: event.SegmentEntered, PersonID: "per_1", Time: noon}
}

func messageIDs(t *testing.T, s *sqlstore.PendingEvent, limit int) (ids, messages []string) {
	t.Helper()
	got, err := s.Next(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range got {
		ids, messages = append(ids, p.ID), append(messages, p.Event.MessageID)
	}
	return ids, messages
}

func TestPendingEventsComeOutInOrderAndWhole(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := sqlstore.NewPendingEvent(db)
		e := internalEvent("m0")
		e.Origin, e.Received = event.Internal, noon.Add(time.Second)
		e.Properties = json.RawMessage(`{"segment_id":"seg_1","note":"絆 \u0000"}`)
		led := internalEvent("m1")
		led.Hops = 7
		if err := s.Emit(t.Context(), e, led); err != nil {
			t.Fatal(err)
		}
		if err := s.Emit(event.After(t.Context(), map[string]int{"per_1": 3, "per_2": 5}), internalEvent("m2")); err != nil {
			t.Fatal(err)
		}
		if err := s.Emit(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := s.Next(t.Context(), 1)
		if err != nil || len(got) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		if d := cmp.Diff(e, got[0].Event); d != "" {
			t.Error(d)
		}
		all, err := s.Next(t.Context(), 10)
		if err != nil || len(all) != 3 || all[1].Event.Hops != 7 || all[2].Event.Hops != 3 {
			t.Errorf("how many journeys are behind them: %+v, %v", all, err)
		}
		ids, messages := messageIDs(t, s, 10)
		if d := cmp.Diff([]string{"m0", "m1", "m2"}, messages); d != "" {
			t.Error(d)
		}
		for range 2 {
			if err := s.Done(t.Context(), ids[:2]); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Done(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		rest, err := s.Next(t.Context(), 10)
		if err != nil || len(rest) != 1 || rest[0].Event.MessageID != "m2" || rest[0].Event.Origin != event.Internal || !rest[0].Event.Received.Equal(noon) {
			t.Errorf("left: %+v, %v", rest, err)
		}
	})
}

func TestPendingEventsShareTheFateOfTheirTransaction(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := sqlstore.NewPendingEvent(db)
		boom := errors.New("boom")
		if err := db.InTx(t.Context(), func(ctx context.Context) error {
			if err := s.Emit(ctx, internalEvent("lost")); err != nil {
				t.Error(err)
			}
			return boom
		}); !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if err := db.InTx(t.Context(), func(ctx context.Context) error {
			if err := s.Emit(ctx, internalEvent("kept")); err != nil {
				return err
			}
			if _, messages := messageIDs(t, s, 10); len(messages) != 0 {
				t.Errorf("%v can be seen before the commit", messages)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, messages := messageIDs(t, s, 10); !cmp.Equal(messages, []string{"kept"}) {
			t.Errorf("got %v", messages)
		}
	})
}

func TestEmitRefusesHalfAnEvent(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := sqlstore.NewPendingEvent(db)
		for name, spoil := range map[string]func(*event.Event){
			"workspace":  func(e *event.Event) { e.Workspace = "" },
			"message id": func(e *event.Event) { e.MessageID = "" },
			"time":       func(e *event.Event) { e.Time = time.Time{} },
		} {
			e := internalEvent("m")
			spoil(&e)
			if err := s.Emit(t.Context(), internalEvent("good"), e); err == nil {
				t.Errorf("an event without %s was accepted", name)
			}
		}
		if _, messages := messageIDs(t, s, 10); len(messages) != 0 {
			t.Errorf("left behind: %v", messages)
		}
	})
}

func TestPendingEventsSurviveConcurrentEmitAndRelay(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := sqlstore.NewPendingEvent(db)
		const emitters, each = 3, 20
		var wg sync.WaitGroup
		for g := range emitters {
			wg.Go(func() {
				for i := range each {
					if err := s.Emit(t.Context(), internalEvent(fmt.Sprintf("%d-%02d", g, i))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		seen := map[string]int{}
		last := map[byte]string{}
		for finished := false; ; {
			select {
			case <-done:
				finished = true
			default:
			}
			ids, messages := messageIDs(t, s, 7)
			for _, m := range messages {
				seen[m]++
				if m <= last[m[0]] {
					t.Errorf("%s came after %s", m, last[m[0]])
				}
				last[m[0]] = m
			}
			if err := s.Done(t.Context(), ids); err != nil {
				t.Fatal(err)
			}
			if finished && len(ids) == 0 {
				break
			}
		}
		if len(seen) != emitters*each {
			t.Errorf("%d of %d events came out", len(seen), emitters*each)
		}
	})
}

func TestPositionsNeverMoveBack(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := sqlstore.NewPositions(db)
		position := func(consumer string) uint64 {
			t.Helper()
			seq, err := s.Position(t.Context(), consumer)
			if err != nil {
				t.Fatal(err)
			}
			return seq
		}
		if got := position("person"); got != 0 {
			t.Errorf("starts at %d", got)
		}
		for _, seq := range []uint64{5, 9, 7, 9} {
			if err := s.SetPosition(t.Context(), "person", seq); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := position("person"), position("react"); a != 9 || b != 0 {
			t.Errorf("positions %d and %d, want 9 and 0", a, b)
		}
		_ = db.InTx(t.Context(), func(ctx context.Context) error {
			if err := s.SetPosition(ctx, "person", 11); err != nil {
				t.Error(err)
			}
			return context.Canceled
		})
		if got := position("person"); got != 9 {
			t.Errorf("moved to %d though its transaction was rolled back", got)
		}
	})
}
