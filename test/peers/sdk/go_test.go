package sdk_test

import (
	"io"
	"testing"
	"time"

	rudder "github.com/rudderlabs/analytics-go/v4"
	segment "github.com/segmentio/analytics-go/v3"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// quick is a back-off for tests.
func quick(int) time.Duration { return 50 * time.Millisecond }

func sendSegment(t *testing.T, in *intake) io.Closer {
	t.Helper()
	client, err := segment.NewWithConfig("server-key", segment.Config{Endpoint: in.url, BatchSize: 6, RetryAfter: quick, Logger: segmentLog{t}})
	if err != nil {
		t.Fatal(err)
	}
	c := calls(t)
	for _, m := range []segment.Message{
		segment.Identify{UserId: "u1", AnonymousId: "a1", Traits: c[event.Identify]["traits"].(map[string]any)},
		segment.Track{UserId: "u1", Event: "Order Completed", Properties: c[event.Track]["properties"].(map[string]any)},
		segment.Page{UserId: "u1", Name: "Home", Properties: c[event.Page]["properties"].(map[string]any)},
		segment.Screen{UserId: "u1", Name: "Cart", Properties: c[event.Screen]["properties"].(map[string]any)},
		segment.Group{UserId: "u1", GroupId: "g1", Traits: c[event.Group]["traits"].(map[string]any)},
		segment.Alias{PreviousId: "a1", UserId: "u1"},
	} {
		if err := client.Enqueue(m); err != nil {
			t.Fatal(err)
		}
	}
	return client
}

func sendRudder(t *testing.T, in *intake) io.Closer {
	t.Helper()
	client, err := rudder.NewWithConfig("server-key", rudder.Config{DataPlaneUrl: in.url, BatchSize: 6, RetryAfter: quick, Logger: rudderLog{t}})
	if err != nil {
		t.Fatal(err)
	}
	c := calls(t)
	for _, m := range []rudder.Message{
		rudder.Identify{UserId: "u1", AnonymousId: "a1", Traits: c[event.Identify]["traits"].(map[string]any)},
		rudder.Track{UserId: "u1", Event: "Order Completed", Properties: c[event.Track]["properties"].(map[string]any)},
		rudder.Page{UserId: "u1", Name: "Home", Properties: c[event.Page]["properties"].(map[string]any)},
		rudder.Screen{UserId: "u1", Name: "Cart", Properties: c[event.Screen]["properties"].(map[string]any)},
		rudder.Group{UserId: "u1", GroupId: "g1", Traits: c[event.Group]["traits"].(map[string]any)},
		rudder.Alias{PreviousId: "a1", UserId: "u1"},
	} {
		if err := client.Enqueue(m); err != nil {
			t.Fatal(err)
		}
	}
	return client
}

type segmentLog struct{ t *testing.T }

func (l segmentLog) Logf(format string, args ...any)   { l.t.Logf(format, args...) }
func (l segmentLog) Errorf(format string, args ...any) { l.t.Logf("error: "+format, args...) }

type rudderLog struct{ t *testing.T }

func (l rudderLog) Logf(format string, args ...any)   { l.t.Logf(format, args...) }
func (l rudderLog) Errorf(format string, args ...any) { l.t.Logf("error: "+format, args...) }

var goClients = map[string]struct {
	library string
	send    func(*testing.T, *intake) io.Closer
	gzip    string
}{
	"segmentio analytics-go":   {"analytics-go", sendSegment, ""},
	"rudderstack analytics-go": {"analytics-go", sendRudder, "gzip"},
}

func TestGoClientsSendTheSixCalls(t *testing.T) {
	for name, c := range goClients {
		t.Run(name, func(t *testing.T) {
			in := start(t)
			if err := c.send(t, in).Close(); err != nil {
				t.Fatal(err)
			}
			checkCalls(t, once(in.wait(6)), c.library)
			for _, h := range in.seen() {
				if h.Get("Path") != "/v1/batch" || h.Get("Content-Encoding") != c.gzip {
					t.Errorf("request %v", h)
				}
			}
		})
	}
}

func TestGoClientsLoseNothingAndRepeatWithTheSameMessageIDs(t *testing.T) {
	for name, c := range goClients {
		t.Run(name, func(t *testing.T) {
			in := start(t)
			in.busy.Store(2)
			in.lost.Store(1)
			client := c.send(t, in)
			all := in.wait(6)
			for deadline := time.Now().Add(patience); len(in.seen()) < 4 && time.Now().Before(deadline); { // closed earlier, the client gives up
				time.Sleep(10 * time.Millisecond)
			}
			if err := client.Close(); err != nil {
				t.Fatal(err)
			}
			checkCalls(t, once(all), c.library)
			if n := len(in.seen()); n != 4 {
				t.Errorf("%d requests, want two refused, one denied, one taken", n)
			}
			twice := in.wait(6)
			if len(once(twice)) != 6 || len(twice) != 12 {
				t.Errorf("%d events under %d message ids on the log, want 12 under 6", len(twice), len(once(twice)))
			}
		})
	}
}

// A bad event must not make these clients repeat its batch ten times and then drop it.
func TestGoClientSendsABatchWithABadEventOnce(t *testing.T) {
	in := start(t)
	client, err := segment.NewWithConfig("server-key", segment.Config{Endpoint: in.url, BatchSize: 3, RetryAfter: quick, Logger: segmentLog{t}})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []segment.Message{
		segment.Track{UserId: "u1", Event: "Good"},
		segment.Track{UserId: "u1", Event: "Bad", Timestamp: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)},
		segment.Track{UserId: "u1", Event: "Good too"},
	} {
		if err := client.Enqueue(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	evs := in.wait(2)
	if evs[0].Name != "Good" || evs[1].Name != "Good too" || len(in.seen()) != 1 {
		t.Errorf("%d requests, on the log: %+v", len(in.seen()), evs)
	}
}

func TestGoClientsImportHistoryAtItsOwnTime(t *testing.T) {
	past := time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)
	t.Run("segmentio", func(t *testing.T) {
		in := start(t)
		client, err := segment.NewWithConfig("server-key", segment.Config{Endpoint: in.url, BatchSize: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Enqueue(segment.Track{UserId: "u1", Event: "Old", Timestamp: past}); err != nil {
			t.Fatal(err)
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		if e := in.wait(1)[0]; !e.Time.Equal(past) {
			t.Errorf("time %v, want %v", e.Time, past)
		}
	})
	t.Run("rudderstack", func(t *testing.T) {
		in := start(t)
		client, err := rudder.NewWithConfig("server-key", rudder.Config{DataPlaneUrl: in.url, BatchSize: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Enqueue(rudder.Track{UserId: "u1", Event: "Old", OriginalTimestamp: past}); err != nil {
			t.Fatal(err)
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		if e := in.wait(1)[0]; !e.Time.Equal(past) {
			t.Errorf("time %v, want %v", e.Time, past)
		}
	})
}

// RudderStack's client makes up an anonymous id for every message that has none. Intake passes it on; that it does not
// grow a person without bound is for identity resolution, which must be able to tell.
func TestRudderStacksGoClientMakesUpAnonymousIDs(t *testing.T) {
	in := start(t)
	if err := sendRudder(t, in).Close(); err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	for _, e := range in.wait(6) {
		if e.AnonymousID != "" && e.AnonymousID != "a1" {
			made[e.AnonymousID] = true
		}
	}
	if len(made) < 3 {
		t.Errorf("%d made-up ids: the client has changed", len(made))
	}
}
