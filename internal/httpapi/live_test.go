package httpapi_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/httpapi"
	"github.com/kizuna-cx/kizuna/internal/realtime"
)

// follow opens the live stream and returns a function that reads the next message.
func follow(t *testing.T, server, key, path string) func() string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server+"/api/v1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("live: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(res.Body)
	return func() string {
		var message []string
		for lines.Scan() {
			if lines.Text() == "" {
				return strings.Join(message, "\n")
			}
			message = append(message, lines.Text())
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return ""
	}
}

func TestLiveTellsEachWorkspaceItsOwnChangesAndOnlyWhatTheCallerMayRead(t *testing.T) {
	hub := realtime.New(0)
	w := newWorld(t, func(c *httpapi.Config) { c.Live = hub })
	a, b := w.tenant("A"), w.tenant("B")
	server := httptest.NewServer(w.api)
	defer server.Close()
	defer hub.Close()
	mine, theirs := follow(t, server.URL, a.key, "/live"), follow(t, server.URL, b.key, "/live")
	hello := mine()
	if !strings.HasPrefix(hello, "retry: ") || !strings.Contains(hello, "\nid: ") {
		t.Fatalf("first message %q", hello)
	}
	theirs()

	var made struct{ ID string }
	w.ok(a.key, "POST /lists", `{"name":"Guests"}`, &made)
	got := mine()
	if !strings.Contains(got, `data: {"changes":[{"topic":"list","id":"`+made.ID+`"}]}`) {
		t.Errorf("after a list was made: %q", got)
	}
	hub.Publish(b.ws, realtime.Change{Topic: "person", ID: "per_1"})
	if other := theirs(); !strings.Contains(other, "per_1") || strings.Contains(other, made.ID) {
		t.Errorf("the other workspace heard %q", other)
	}

	// Coming back with the id of the last message brings what was missed.
	mark := strings.TrimPrefix(strings.Split(got, "\n")[0], "id: ")
	hub.Publish(a.ws, realtime.Change{Topic: "segment", ID: "seg_9"})
	again := follow(t, server.URL, a.key, "/live?last="+mark)
	again()
	if missed := again(); !strings.Contains(missed, "seg_9") {
		t.Errorf("came back and heard %q", missed)
	}

	var key struct{ Secret string }
	w.ok(a.key, "POST /keys", `{"name":"narrow","scopes":["segments.read"]}`, &key)
	narrow := follow(t, server.URL, key.Secret, "/live")
	narrow()
	hub.Publish(a.ws, realtime.Change{Topic: "person", ID: "per_2"})
	hub.Publish(a.ws, realtime.Change{Topic: "person", ID: "per_3"}, realtime.Change{Topic: "segment", ID: "seg_1"})
	if heard := narrow(); strings.Contains(heard, "per_") || !strings.Contains(heard, "seg_1") {
		t.Errorf("a key that may read segments heard %q", heard)
	}
}

func TestWhatChangesBetweenTheSessionAndTheStreamIsHeard(t *testing.T) {
	hub := realtime.New(0)
	w := newWorld(t, func(c *httpapi.Config) { c.Live = hub })
	a := w.tenant("A")
	server := httptest.NewServer(w.api)
	defer server.Close()
	defer hub.Close()
	var session struct{ Live string }
	w.ok(a.key, "GET /session", "", &session)
	hub.Publish(a.ws, realtime.Change{Topic: "segment", ID: "seg_1"})
	for range 2 { // also if the connection breaks before the first message
		heard := follow(t, server.URL, a.key, "/live?last="+session.Live)
		if hello := heard(); strings.Contains(hello, "id: ") {
			t.Errorf("%q says that everything was heard before it was told", hello)
		}
		if got := heard(); !strings.Contains(got, "seg_1") {
			t.Errorf("heard %q, want what changed since the session was read", got)
		}
	}
	restarted := follow(t, server.URL, a.key, "/live?last=before-17")
	restarted()
	if got := restarted(); !strings.Contains(got, `"all":true`) {
		t.Errorf("with a mark of before the restart: %q, want to read everything", got)
	}
}
