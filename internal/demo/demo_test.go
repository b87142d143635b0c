package demo

import (
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
)

var end = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

type sample struct {
	Type, Event, UserID, AnonymousID, MessageID string
	Timestamp                                   time.Time
}

func read(t *testing.T, r importer.Reader) (events []sample, raw []string) {
	t.Helper()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return events, raw
		}
		if err != nil || row.Err != nil {
			t.Fatal(err, row.Err)
		}
		var e sample
		if err := json.Unmarshal(row.Event, &e); err != nil {
			t.Fatal(err)
		}
		events, raw = append(events, e), append(raw, string(row.Event))
	}
}

func TestHistoryIsTheSameEachTime(t *testing.T) {
	_, a := read(t, History(50, end, Shop{Topics: []string{"News"}}))
	_, b := read(t, History(50, end, Shop{Topics: []string{"News"}}))
	if len(a) != len(b) || len(a) == 0 {
		t.Fatalf("%d and %d events", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("event %d differs:\n%s\n%s", i, a[i], b[i])
		}
	}
}

func TestHistoryIsABusinessOfNinetyDays(t *testing.T) {
	events, _ := read(t, History(400, end, Shop{Topics: []string{"News", "Offers"}}))
	names, ids, users := map[string]int{}, map[string]bool{}, map[string]bool{}
	last := time.Time{}
	for _, e := range events {
		names[e.Type+" "+e.Event]++
		if ids[e.MessageID] {
			t.Fatalf("message id %s twice", e.MessageID)
		}
		ids[e.MessageID] = true
		users[e.UserID] = true
		if e.Timestamp.Before(last) || !e.Timestamp.Before(end) || e.Timestamp.Before(end.Add(-Days*24*time.Hour-visitLength)) {
			t.Fatalf("event at %v: out of order or outside the ninety days", e.Timestamp)
		}
		last = e.Timestamp
	}
	for name, least := range map[string]int{
		"page ": 3000, "track Product Viewed": 2000, "track Product Added": 400, "track Order Completed": 250, "track Order Refunded": 5,
		"identify ": 250, "track Subscribed": 400, "track Email Delivered": 500, "track Email Opened": 200, "track Email Link Clicked": 50,
	} {
		if names[name] < least {
			t.Errorf("%d × %s, want at least %d", names[name], name, least)
		}
	}
	if len(users) < 250 {
		t.Errorf("%d users", len(users))
	}
}

// The reader looks at the last thirty days and at the thirty before: both must be those of a shop that people come to.
func TestVisitorsComeUntilTheEnd(t *testing.T) {
	events, _ := read(t, History(400, end, Shop{Topics: []string{"News"}}))
	var active, met [3]int // by ten days of the last thirty, the latest first
	seen := map[string]bool{}
	for _, e := range events {
		period := int(end.Sub(e.Timestamp) / (10 * 24 * time.Hour))
		if period < len(active) {
			active[period]++
		}
		if who := e.AnonymousID + e.UserID; !seen[who] {
			seen[who] = true
			if period < len(met) {
				met[period]++
			}
		}
	}
	for i := range active {
		if active[i] < len(events)/15 || met[i] < 10 {
			t.Errorf("%d events and %d new visitors %d to %d days before the end", active[i], met[i], 10*i, 10*i+10)
		}
	}
	t.Log(len(events), active, met)
}

func TestLeavingCustomersLapseOneAfterTheOther(t *testing.T) {
	events, _ := read(t, History(leavingCustomers, end, Shop{}))
	orders := map[string]time.Time{}
	for _, e := range events {
		if e.Event == "Order Completed" {
			orders[e.UserID] = e.Timestamp
		}
	}
	soon := 0
	for _, at := range orders {
		if d := at.Add(Days * 24 * time.Hour).Sub(end); d > 0 && d < 5*time.Minute {
			soon++
		}
	}
	if len(orders) < leavingCustomers/2 || soon < 2 {
		t.Errorf("%d customers lapse, %d of them within five minutes", len(orders), soon)
	}
}
