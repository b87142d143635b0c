package click_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/event/eventtest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/click"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/eventstoretest"
)

// fault is what happens to the next statement that holds the text. The server does what was asked for, but its answer is lost; or, with only, the statement is
// continued so, and the answer to that breaks off in its second block.
type fault struct{ text, only string }

// between returns the address as it leads through a server that has faults.
func between(t *testing.T, address string) (through string, next *atomic.Pointer[fault]) {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	next = &atomic.Pointer[fault]{}
	way := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: to.Scheme, Host: to.Host})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		f := next.Load()
		struck := f != nil && strings.Contains(r.URL.Query().Get("query")+string(body), f.text)
		if struck {
			next.Store(nil)
			body = append(body, f.only...)
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if !struck {
			way.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		way.ServeHTTP(answer, r)
		if block := answer.Body.Bytes(); f.only != "" {
			w.Header().Set("Content-Length", strconv.Itoa(2*len(block)))
			_, _ = w.Write(block)
			_, _ = w.Write(block[:len(block)/2])
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(front.Close)
	return front.URL + to.Path, next
}

// A batch whose commit is done although its answer never came is not written a second time when it comes again.
func TestACommitWhoseAnswerIsLostIsNotDoneTwice(t *testing.T) {
	at, next := between(t, eventstoretest.Address(t))
	s := eventstoretest.Click(t, at, click.Options{})
	add(t, s, event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 1, 1)}, Through: 1})
	second := event.Batch{
		Events: []event.Kept{eventtest.Kept(1, "A", 2, 2), eventtest.Kept(2, "A", 3, 3)}, Through: 3,
		Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 2, Winner: 1}},
	}
	next.Store(&fault{text: "INSERT INTO mark"})
	if err := s.Append(t.Context(), second); err == nil {
		t.Fatal("the answer was not lost")
	}
	add(t, s, second)
	same(t, "events", ids(t, s, 1), []string{"m3", "m2", "m1"})
	add(t, s, event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 4, 4)}, Through: 4})
	same(t, "events later", ids(t, s, 1), []string{"m4", "m3", "m2", "m1"})
	same(t, "events of the next turn", ids(t, eventstoretest.Click(t, at, click.Options{}), 1), []string{"m4", "m3", "m2", "m1"})
}

// What is written in between does not set the position back behind such a commit.
func TestACommitWhoseAnswerIsLostCountsForWhateverComesNext(t *testing.T) {
	at, next := between(t, eventstoretest.Address(t))
	s := eventstoretest.Click(t, at, click.Options{})
	add(t, s, event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 1, 1), eventtest.Kept(2, "A", 2, 2)}, Through: 2})
	last := event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 3, 3)}, Through: 3}
	next.Store(&fault{text: "INSERT INTO mark"})
	if err := s.Append(t.Context(), last); err == nil {
		t.Fatal("the answer was not lost")
	}
	if err := s.Drop(t.Context(), "ws_1", []uint64{2}); err != nil {
		t.Fatal(err)
	}
	add(t, s, last)
	same(t, "events", ids(t, s, 1), []string{"m3", "m1"})
}

// Half of what is withdrawn is not taken for all of it: the other half would be seen again.
func TestWhatIsWithdrawnStaysSoThoughItIsReadInHalf(t *testing.T) {
	at, next := between(t, eventstoretest.Address(t))
	s := eventstoretest.Click(t, at, click.Options{})
	add(t, s, event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 1, 1), eventtest.Kept(2, "A", 2, 2), eventtest.Kept(3, "A", 3, 3)}, Through: 3})
	add(t, s, event.Batch{Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 2, Winner: 1}, {Workspace: "ws_1", Loser: 3, Winner: 1}}})
	last := event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 4, 4)}, Through: 4}
	for _, f := range []fault{{text: "INSERT INTO mark"}, {"written FROM withdrawn", " LIMIT 1"}} {
		next.Store(&f)
		if err := s.Append(t.Context(), last); err == nil {
			t.Fatalf("%q went well", f.text)
		}
	}
	add(t, s, last)
	rows, err := s.Query(t.Context(), `SELECT person, count(*) FROM event WHERE ws = 'ws_1' GROUP BY person ORDER BY person`, nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "events of each", rows, [][]any{{uint64(1), int64(4)}})
}

// A server that is away is said to be so, by whatever asks it: it is worth another try. What it refuses is not.
func TestAServerThatIsAwayIsToldFromOneThatRefuses(t *testing.T) {
	at, next := between(t, eventstoretest.Address(t))
	s := eventstoretest.Click(t, at, click.Options{})
	add(t, s, event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 1, 1)}, Through: 1})
	ask := func() error {
		_, err := s.Query(t.Context(), `SELECT count(*) FROM event`, nil)
		return err
	}
	for name, c := range map[string]struct {
		fault
		do func() error
	}{
		"a question":             {fault{text: "SELECT count(*) FROM event"}, ask},
		"an answer that is half": {fault{"SELECT count(*) FROM event", " UNION ALL SELECT 2"}, ask},
		"a batch": {fault{text: "INSERT INTO event_raw"}, func() error {
			return s.Append(t.Context(), event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 2, 2)}, Through: 2})
		}},
		"what comes after it":   {fault{text: "KILL QUERY"}, func() error { return s.Append(t.Context(), event.Batch{Through: 2}) }},
		"one value":             {fault{text: "SELECT count() FROM event_raw"}, func() error { _, err := s.Strip(t.Context(), "ws_1", []uint64{1}); return err }},
		"a server at the start": {fault{text: "CREATE TABLE"}, func() error { _, err := click.Open(t.Context(), at, click.Options{}); return err }},
	} {
		next.Store(&c.fault)
		if err := c.do(); !errs.Is(err, errs.KindUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		if next.Swap(nil) != nil {
			t.Errorf("%s: nothing was lost", name)
		}
	}
	if _, err := s.Query(t.Context(), `SELECT nothing FROM event`, nil); err == nil || errs.Is(err, errs.KindUnavailable) {
		t.Errorf("what the server refuses: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Query(ctx, `SELECT 1`, nil); !errors.Is(err, context.Canceled) || errs.Is(err, errs.KindUnavailable) {
		t.Errorf("who does not wait any more: %v", err)
	}
}
