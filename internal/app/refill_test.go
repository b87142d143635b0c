package app

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// begin builds and starts an application on the folder.
func begin(t *testing.T, folder string) *application {
	t.Helper()
	c := Default()
	c.Data = folder
	c.Bootstrap = Bootstrap{Email: "ada@example.com", Password: "correct horse battery", WriteKey: "wk_refill"}
	return beginAs(t, c)
}

func beginAs(t *testing.T, c Config) *application {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	a, err := build(t.Context(), c, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.staff.Bootstrap(t.Context(), a.workspaces, staff.Setup(c.Bootstrap)); err != nil {
		t.Fatal(err)
	}
	if err := a.startRoles(t.Context(), func(error) {}); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *application) end(t *testing.T) {
	t.Helper()
	if err := a.running.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.close()
}

// send gives a batch to the intake and waits until the reactions have passed it.
func (a *application) send(t *testing.T, batch string) {
	t.Helper()
	a.sendTo(t, "wk_refill", batch)
}

// sendTo is send with another write key.
func (a *application) sendTo(t *testing.T, key, batch string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/batch", strings.NewReader(batch))
	r.SetBasicAuth(key, "")
	answer := httptest.NewRecorder()
	a.mux.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		t.Fatal(answer.Code, answer.Body)
	}
	_, last, err := a.stream.Bounds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		at, err := a.worker.Position(t.Context())
		switch {
		case err != nil:
			t.Fatal(err)
		case at >= last:
			return
		case time.Now().After(deadline):
			t.Fatalf("the reactions are at %d, the log at %d", at, last)
		}
	}
}

func (a *application) stats(t *testing.T) event.Stats {
	t.Helper()
	all, err := a.workspaces.All(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	s, err := a.events.Stats(t.Context(), all[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Segments, journeys and campaigns start after the refill, so what they ask of the store must be whole once everything has started.
func TestLostEventStoreIsFilledBeforeAnybodyAsksIt(t *testing.T) {
	folder := t.TempDir()
	a := begin(t, folder)
	a.send(t, `{"batch": [{"type": "track", "event": "Seen", "userId": "old", "messageId": "m1"}]}`)
	_, last, err := a.stream.Bounds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.send(t, `{"batch": [{"type": "track", "event": "Seen", "userId": "new", "messageId": "m2"}, {"type": "page", "userId": "new", "messageId": "m3"}]}`)
	if err := a.stream.Trim(t.Context(), last+1); err != nil { // as the retention does
		t.Fatal(err)
	}
	a.end(t)
	lost, err := filepath.Glob(filepath.Join(folder, "events.duckdb*"))
	if err != nil || len(lost) == 0 {
		t.Fatal(lost, err)
	}
	for _, file := range lost {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}

	a = begin(t, folder)
	s := a.stats(t)
	a.end(t)
	if s.People != 2 || s.Events != 2 {
		t.Errorf("%d people and %d events after the start; want both people, and the 2 events that the log still has", s.People, s.Events)
	}
}
