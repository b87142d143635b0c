package hook_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/hook"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/guard"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const ws = "ws_1"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// got is one request that reached the endpoint.
type got struct {
	id, stamp, signature, body string
}

// fixture is the real service on SQLite, with an endpoint that answers as the test wants.
type fixture struct {
	*hook.Service
	t      *testing.T
	clock  *clock.Fixed
	store  *sqlstore.Hook
	target *httptest.Server

	mu       sync.Mutex
	requests []got
	answer   func(w http.ResponseWriter, r *http.Request)
	came     chan struct{}
	withheld func(event.Kept) bool
}

type poster struct{ *guard.Guard }

func (p poster) Post(ctx context.Context, url string, header map[string]string, body string) (hook.Answer, error) {
	r, err := p.Do(ctx, guard.Request{Method: http.MethodPost, URL: url, Header: header, Body: []byte(body)})
	return hook.Answer{Status: r.Status, Body: r.Body, URL: r.URL, RetryAfter: r.Header.Get("Retry-After")}, err
}

func (f *fixture) PersonIDs(_ context.Context, _ string, nums []uint64) (map[uint64]string, error) {
	out := map[uint64]string{}
	for _, n := range nums {
		out[n] = fmt.Sprintf("per_%d", n)
	}
	return out, nil
}

func open(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: clock.NewFixed(t0), came: make(chan struct{}, 1000)}
	f.answer = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ありがとう") }
	f.target = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		if r.Method == http.MethodPost {
			f.requests = append(f.requests, got{r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"), r.Header.Get("Webhook-Signature"), string(body)})
		}
		answer := f.answer
		f.mu.Unlock()
		answer(w, r)
		f.came <- struct{}{}
	}))
	t.Cleanup(f.target.Close)
	db := sqldbtest.Open(t, sqldb.SQLite)
	f.store = sqlstore.NewHook(db)
	box, err := secret.NewBox(bytes.Repeat([]byte{7}, 32))
	f.must(err)
	g, err := guard.New(guard.Config{Allow: []string{"127.0.0.1"}})
	f.must(err)
	f.Service = hook.New(hook.Config{Store: f.store, Tx: db, Clock: f.clock, Log: slog.New(slog.DiscardHandler), Box: box, Poster: poster{g}, People: f, Withheld: func(context.Context, string, []event.Kept) (func(event.Kept) bool, error) {
		if f.withheld == nil {
			return func(event.Kept) bool { return false }, nil
		}
		return f.withheld, nil
	}})
	return f
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) create(kinds ...string) (hook.Endpoint, string) {
	f.t.Helper()
	e, secret, err := f.Create(f.t.Context(), ws, hook.Draft{Name: "ERP", URL: f.target.URL + "/in", Kinds: kinds})
	f.must(err)
	return e, secret
}

func sent(n int) event.Kept {
	return event.Kept{Person: 7, Event: event.Event{
		Workspace: ws, MessageID: fmt.Sprintf("m%d", n), Type: event.Message, Name: event.MessageSent, Time: t0, Origin: event.Internal, Properties: json.RawMessage(`{"channel":"email"}`),
	}}
}

// deliver makes the requests that are due and returns how many reached the endpoint.
func (f *fixture) deliver(e hook.Endpoint) int {
	f.t.Helper()
	f.mu.Lock()
	before := len(f.requests)
	f.mu.Unlock()
	for {
		n, err := f.Deliver(f.t.Context(), hook.Ref{Workspace: ws, Endpoint: e.ID})
		f.must(err)
		if n == 0 {
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.requests) - before
}

func (f *fixture) answers(do func(w http.ResponseWriter, r *http.Request)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = do
}

func status(n int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) }
}

func (f *fixture) all(e hook.Endpoint) []hook.Delivery {
	f.t.Helper()
	p, err := f.Deliveries(f.t.Context(), ws, e.ID, hook.Filter{}, page.Request{Limit: 500})
	f.must(err)
	return p.Items
}

func (f *fixture) endpoint(e hook.Endpoint) hook.Endpoint {
	f.t.Helper()
	e, _, err := f.Get(f.t.Context(), ws, e.ID)
	f.must(err)
	return e
}

// checks verifies as a receiver would: with nothing but the secret and the request.
func checks(t *testing.T, secret string, g got) bool {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(g.id + "." + g.stamp + "." + g.body))
	want := "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
	for one := range strings.FieldsSeq(g.signature) {
		if one == want {
			return true
		}
	}
	return false
}

func TestAnEventReachesWhoAskedForItOnceAndSigned(t *testing.T) {
	f := open(t)
	e, secret := f.create("message.sent")
	elsewhere, _ := f.create("message.opened")
	opened := sent(2)
	opened.Name = "Something Else"
	for range 2 { // what is fed again makes nothing new
		f.must(f.Feed(t.Context(), []event.Kept{sent(1), opened}))
	}
	if n := f.deliver(e); n != 1 {
		t.Fatalf("%d requests, want 1", n)
	}
	if n := f.deliver(elsewhere); n != 0 {
		t.Errorf("%d requests to an endpoint that did not ask", n)
	}
	f.must(f.Feed(t.Context(), []event.Kept{sent(1)}))
	if n := f.deliver(e); n != 0 {
		t.Errorf("fed after its delivery an event made %d more requests", n)
	}
	g := f.requests[0]
	want := `{"type":"message.sent","timestamp":"2026-03-01T09:00:00Z","data":{"event_id":"m1","event":"Message Sent","person_id":"per_7","properties":{"channel":"email"}}}`
	if g.body != want {
		t.Errorf("the body is %s, want %s", g.body, want)
	}
	if g.stamp != fmt.Sprint(t0.Unix()) || !checks(t, secret, g) {
		t.Errorf("a receiver does not believe %+v", g)
	}
	if checks(t, "whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 32)), g) {
		t.Error("a receiver with another secret believes it")
	}
	d := f.all(e)[0]
	if d.State != hook.Delivered || d.Attempts != 1 || d.Status != 200 || d.Answer != "ありがとう" || d.ID != g.id {
		t.Errorf("the delivery is %+v", d)
	}
	stored, err := f.store.Get(t.Context(), ws, e.ID)
	f.must(err)
	if bytes.Contains(stored.Secret, []byte(strings.TrimPrefix(secret, "whsec_"))) || f.endpoint(e).SucceededAt != t0 {
		t.Error("the secret is stored in the clear, or the success is not noted")
	}
}

func TestWhileASecretIsReplacedBothSign(t *testing.T) {
	f := open(t)
	e, old := f.create("message.sent")
	_, fresh, err := f.NewSecret(t.Context(), ws, e.ID)
	f.must(err)
	f.must(f.Feed(t.Context(), []event.Kept{sent(1)}))
	f.deliver(e)
	f.clock.Advance(25 * time.Hour)
	f.must(f.Feed(t.Context(), []event.Kept{sent(2)}))
	f.deliver(e)
	if !checks(t, old, f.requests[0]) || !checks(t, fresh, f.requests[0]) {
		t.Error("within a day one of the two secrets does not sign")
	}
	if checks(t, old, f.requests[1]) || !checks(t, fresh, f.requests[1]) {
		t.Error("after a day the new secret alone should sign")
	}
}

func TestAFailureIsTriedForADayThenParkedAndCanBeReplayedUnderItsID(t *testing.T) {
	f := open(t)
	e, _ := f.create("message.sent")
	f.answers(status(http.StatusServiceUnavailable))
	f.must(f.Feed(t.Context(), []event.Kept{sent(1), sent(2)}))
	attempts := 0
	for range 24 * 60 * 2 {
		attempts += f.deliver(e)
		f.clock.Advance(time.Minute)
	}
	if attempts < 10 || attempts > 60 {
		t.Errorf("two deliveries were tried %d times within two days", attempts)
	}
	for _, d := range f.all(e) {
		if d.State != hook.Parked || d.Error != "webhook.status" {
			t.Errorf("after two days a delivery is %+v", d)
		}
	}
	f.answers(status(http.StatusNoContent))
	if n := f.deliver(e); n != 0 {
		t.Errorf("parked deliveries made %d requests", n)
	}
	first := f.requests[0].id
	_, err := f.ReplayOne(t.Context(), ws, e.ID, first)
	f.must(err)
	if n := f.deliver(e); n != 1 || f.requests[len(f.requests)-1].id != first {
		t.Errorf("the replay of %s made %d requests, the last %+v", first, n, f.requests[len(f.requests)-1])
	}
	n, err := f.Replay(t.Context(), ws, e.ID, hook.Filter{From: t0, State: hook.Parked})
	f.must(err)
	if n != 1 || f.deliver(e) != 1 {
		t.Errorf("the replay of what is parked took %d", n)
	}
	if now := f.endpoint(e); !now.FailingSince.IsZero() || now.Failures != 0 || now.LastError != "" {
		t.Errorf("after a success the endpoint is %+v", now.Health)
	}
	for field, c := range map[string]hook.Filter{"from": {}, "to": {From: t0, To: t0}} {
		if _, err := f.Replay(t.Context(), ws, e.ID, c); len(errs.All(err)) != 1 || errs.All(err)[0].Field != field {
			t.Errorf("a replay of %+v: %v", c, err)
		}
	}
}

func TestAnEndpointThatFailsForDaysIsDisabledAndKeepsWhatItMisses(t *testing.T) {
	f := open(t)
	e, _ := f.create("message.sent")
	f.answers(status(http.StatusInternalServerError))
	for day := range 4 {
		f.must(f.Feed(t.Context(), []event.Kept{sent(day)}))
		for range 24 {
			f.deliver(e)
			f.clock.Advance(time.Hour)
		}
	}
	now := f.endpoint(e)
	if now.Status != hook.Disabled || now.Reason != hook.ReasonFailing || now.LastError != "webhook.status" || now.FailingSince != t0 {
		t.Fatalf("after four days of failures the endpoint is %+v", now)
	}
	f.must(f.Feed(t.Context(), []event.Kept{sent(9)}))
	if n := f.deliver(e); n != 0 {
		t.Errorf("a disabled endpoint gets %d requests", n)
	}
	if _, err := f.Replay(t.Context(), ws, e.ID, hook.Filter{From: t0}); !errs.Is(err, errs.KindConflict) {
		t.Errorf("a replay to a disabled endpoint: %v", err)
	}
	f.answers(status(http.StatusOK))
	_, err := f.Update(t.Context(), ws, e.ID, hook.Draft{Name: e.Name, URL: e.URL, Kinds: e.Kinds})
	f.must(err)
	n, err := f.Replay(t.Context(), ws, e.ID, hook.Filter{From: t0, State: hook.Parked})
	f.must(err)
	if made := f.deliver(e); n != 5 || made != 5 {
		t.Errorf("once it is mended %d are replayed in %d requests, want all 5", n, made)
	}
}

func TestGoneTurnsTheEndpointOffAtOnce(t *testing.T) {
	f := open(t)
	e, _ := f.create("message.sent")
	f.answers(status(http.StatusGone))
	f.must(f.Feed(t.Context(), []event.Kept{sent(1)}))
	f.deliver(e)
	if now := f.endpoint(e); now.Status != hook.Disabled || now.Reason != hook.ReasonGone {
		t.Errorf("after 410 the endpoint is %+v", now)
	}
	if d := f.all(e)[0]; d.State != hook.Parked {
		t.Errorf("the delivery is %+v", d)
	}
}

// A client that follows 302 asks again with GET and takes the 200 of a sign-in page for a success.
func TestARedirectIsAFailure(t *testing.T) {
	f := open(t)
	e, _ := f.create("message.sent")
	f.answers(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/in" {
			http.Redirect(w, r, "/login", http.StatusFound)
		}
	})
	f.must(f.Feed(t.Context(), []event.Kept{sent(1)}))
	f.deliver(e)
	if d := f.all(e)[0]; d.State != hook.Waiting || d.Error != "webhook.redirected" {
		t.Errorf("the delivery is %+v", d)
	}
}

func TestTheEndpointCanAskForTime(t *testing.T) {
	f := open(t)
	e, _ := f.create("message.sent")
	f.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	f.must(f.Feed(t.Context(), []event.Kept{sent(1)}))
	f.deliver(e)
	if d := f.all(e)[0]; d.DueAt.Before(t0.Add(time.Hour)) {
		t.Errorf("asked for an hour, it is tried again at %s", d.DueAt)
	}
}

// A process that dies after it has taken a delivery leaves it to the next one, which sends it under the same id.
func TestWhatACrashLeavesIsSentAgainUnderTheSameID(t *testing.T) {
	f := open(t)
	e, _ := f.create("message.sent")
	f.must(f.Feed(t.Context(), []event.Kept{sent(1)}))
	taken, err := f.store.Claim(t.Context(), ws, e.ID, t0, t0.Add(5*time.Minute), 10)
	f.must(err)
	if n := f.deliver(e); n != 0 {
		t.Fatalf("what is taken is sent by another: %d requests", n)
	}
	f.clock.Advance(5 * time.Minute)
	if n := f.deliver(e); n != 1 || f.requests[0].id != taken[0].ID {
		t.Errorf("%d requests, %+v; want one for %s", n, f.requests, taken[0].ID)
	}
}

func TestAnEndTakesNothingFromADelivery(t *testing.T) {
	f := open(t)
	e, _ := f.create("message.sent")
	f.must(f.Feed(t.Context(), []event.Kept{sent(1)}))
	ctx, cancel := context.WithCancel(t.Context())
	f.answers(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	_, err := f.Deliver(ctx, hook.Ref{Workspace: ws, Endpoint: e.ID})
	f.must(err)
	if d := f.all(e)[0]; d.State != hook.Waiting || d.Attempts != 0 || d.Error != "" || d.DueAt != t0 {
		t.Errorf("cut by our own end a delivery is %+v, want it due as before", d)
	}
	if h := f.endpoint(e); h.Failures != 0 {
		t.Errorf("the endpoint is blamed: %+v", h.Health)
	}
}

func TestWhatIsWithheldIsToldNobody(t *testing.T) {
	f := open(t)
	f.withheld = func(k event.Kept) bool { return k.MessageID == "m1" }
	e, _ := f.create("message.sent")
	f.must(f.Feed(t.Context(), []event.Kept{sent(1), sent(2)}))
	if all := f.all(e); len(all) != 1 || !strings.Contains(all[0].Body, `"event_id":"m2"`) {
		t.Errorf("kept is %+v", all)
	}
}

func TestAnEndpointThatIsOffIsToldNothing(t *testing.T) {
	f := open(t)
	e, _ := f.create("message.sent")
	f.must(f.Feed(t.Context(), []event.Kept{sent(1)}))
	_, err := f.Update(t.Context(), ws, e.ID, hook.Draft{Name: e.Name, URL: e.URL, Kinds: e.Kinds, Off: true})
	f.must(err)
	f.must(f.Feed(t.Context(), []event.Kept{sent(2)}))
	if n := f.deliver(e); n != 0 {
		t.Errorf("%d requests", n)
	}
	if all := f.all(e); len(all) != 1 || all[0].State != hook.Parked || all[0].Error != "webhook.off" {
		t.Errorf("kept is %+v", all)
	}
}

func TestPingSaysAtOnceWhatIsWrong(t *testing.T) {
	f := open(t)
	e, secret := f.create("message.sent")
	d, err := f.Ping(t.Context(), ws, e.ID)
	f.must(err)
	if d.State != hook.Delivered || d.Kind != hook.Ping || !checks(t, secret, f.requests[0]) || !strings.Contains(f.requests[0].body, `"type":"endpoint.ping"`) {
		t.Errorf("ping: %+v, request %+v", d, f.requests[0])
	}
	f.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, strings.Repeat("é", 1500), "\x00")
	})
	d, err = f.Ping(t.Context(), ws, e.ID)
	f.must(err)
	if d.State != hook.Parked || d.Status != 403 || d.Error != "webhook.status" || d.Answer != strings.Repeat("é", 1000) {
		t.Errorf("ping to a closed door: %+v", d)
	}
	if h := f.endpoint(e); h.Failures != 0 || len(f.all(e)) != 2 {
		t.Errorf("a trial counts as a failure, or is not kept: %+v", h)
	}
}

func TestBadInputNamesTheFieldAndTheRemedy(t *testing.T) {
	f := open(t)
	good := hook.Draft{Name: "n", URL: "https://example.com/in", Kinds: []string{"message.sent"}}
	for field, change := range map[string]func(*hook.Draft){
		"name":     func(d *hook.Draft) { d.Name = " " },
		"kinds":    func(d *hook.Draft) { d.Kinds = nil },
		"kinds[1]": func(d *hook.Draft) { d.Kinds = []string{"message.sent", "message.sold"} },
		"url":      func(d *hook.Draft) { d.URL = "http://169.254.169.254/latest/meta-data" },
	} {
		d := good
		change(&d)
		_, _, err := f.Create(t.Context(), ws, d)
		if all := errs.All(err); len(all) != 1 || all[0].Field != field || all[0].Kind != errs.KindInvalid {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, e := range []error{f.Delete(t.Context(), ws, "none"), func() error { _, err := f.Ping(t.Context(), ws, "none"); return err }()} {
		if !errs.Is(e, errs.KindNotFound) {
			t.Errorf("on nothing: %v", e)
		}
	}
	for range 50 {
		_, _, err := f.Create(t.Context(), ws, good)
		f.must(err)
	}
	if _, _, err := f.Create(t.Context(), ws, good); !errs.Is(err, errs.KindConflict) {
		t.Errorf("the 51st webhook: %v", err)
	}
}

// A slow endpoint holds nobody else up, and the worker notices what is fed while it runs.
func TestTheWorkerDeliversToAllAtOnce(t *testing.T) {
	f := open(t)
	slow, _ := f.create("message.sent")
	quick, _, err := f.Create(t.Context(), ws, hook.Draft{Name: "quick", URL: f.target.URL + "/quick", Kinds: []string{"message.sent"}})
	f.must(err)
	hold, reached := make(chan struct{}), make(chan string, 200)
	f.answers(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/in" {
			<-hold
		}
		reached <- r.URL.Path
	})
	f.must(f.Start(t.Context()))
	for n := range 20 {
		f.must(f.Feed(t.Context(), []event.Kept{sent(n)}))
	}
	for range 20 {
		if path := <-reached; path != "/quick" {
			t.Errorf("%s was reached", path)
		}
	}
	close(hold)
	for range 20 {
		<-reached
	}
	f.must(f.Stop(t.Context()))
	for _, e := range []hook.Endpoint{slow, quick} {
		_, counts, err := f.Get(t.Context(), ws, e.ID)
		f.must(err)
		if counts[hook.Delivered]+counts[hook.Waiting] != 20 || counts[hook.Parked] != 0 {
			t.Errorf("%s: %+v", e.URL, counts)
		}
	}
}
