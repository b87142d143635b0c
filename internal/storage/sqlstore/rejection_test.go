package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func rejection(ws, source, message string, at time.Time) event.Rejection {
	return event.Rejection{
		ID: id.New("rej"), Workspace: ws, Source: source, Time: at, Index: 3, MessageID: message,
		Type: "track", Name: "Löffel\nbought", Code: "event.id.missing", Reason: "userId and anonymousId are both missing",
	}
}

func TestRejectionsAreListedNewestFirstPerWorkspace(t *testing.T) {
	at := time.Date(2026, 5, 6, 7, 8, 9, 123456000, time.UTC)
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := sqlstore.NewRejection(db)
		var want []event.Rejection // newest first
		for i := range 7 {
			r := rejection("ws_1", []string{"src_a", "src_b"}[i%2], fmt.Sprint(i), at)
			want = append([]event.Rejection{r}, want...)
		}
		for range 2 { // a second time changes nothing
			if err := s.Reject(t.Context(), append([]event.Rejection{rejection("ws_2", "src_x", "other", at)}, want...)); err != nil {
				t.Fatal(err)
			}
		}
		var got []event.Rejection
		for p := (page.Request{Limit: 3}); ; {
			items, err := s.List(t.Context(), "ws_1", "", p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, items.Items...)
			if p.Cursor = items.Next; p.Cursor == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		bySource, err := s.List(t.Context(), "ws_1", "src_b", page.Request{})
		if err != nil || len(bySource.Items) != 3 {
			t.Errorf("of one source: %d, %v", len(bySource.Items), err)
		}
		if none, err := s.List(t.Context(), "ws_none", "", page.Request{}); err != nil || len(none.Items) != 0 {
			t.Errorf("of a workspace without any: %+v, %v", none, err)
		}
		if _, err := s.List(t.Context(), "ws_1", "", page.Request{Cursor: "!"}); err == nil {
			t.Error("a made-up cursor was taken")
		}
		if err := s.Reject(t.Context(), nil); err != nil {
			t.Errorf("nothing to add: %v", err)
		}
	})
}

func TestRejectionsArePurgedByAgeAndNumber(t *testing.T) {
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := sqlstore.NewRejection(db)
		var all []event.Rejection
		for i := range 10 {
			all = append(all, rejection("ws_1", "s", fmt.Sprint(i), at.Add(time.Duration(i)*time.Hour)), rejection("ws_2", "s", fmt.Sprint(i), at))
		}
		if err := s.Reject(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Purge(t.Context(), at, 100); n != 0 || err != nil {
			t.Errorf("nothing is old: %d, %v", n, err)
		}
		if n, err := s.Purge(t.Context(), at.Add(2*time.Hour), 5); n != 15 || err != nil {
			t.Errorf("purged %d, %v; want 2 + 10 old ones and 3 of the 8 left", n, err)
		}
		left, err := s.List(t.Context(), "ws_1", "", page.Request{})
		if err != nil || len(left.Items) != 5 || left.Items[0].MessageID != "9" || left.Items[4].MessageID != "5" {
			t.Errorf("left: %+v, %v", left.Items, err)
		}
	})
}
