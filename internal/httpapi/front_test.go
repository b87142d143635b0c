package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/httpapi"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

func TestUnknownAddressesAnswerLikeAllErrors(t *testing.T) {
	w := newWorld(t)
	key := w.tenant("One").key
	for what, want := range map[string]int{
		"GET /nothing": 404, "POST /people/x/y/z": 404, "GET /": 404, "DELETE /people": 405, "PUT /stats": 405, "OPTIONS /people": 405,
	} {
		r := w.call(what, asked{key: key, body: "{}"})
		if p := problemOf(t, r); r.Code != want || !strings.HasPrefix(p.Code, "route.") {
			t.Errorf("%s: %d %s", what, r.Code, r.Body)
		}
		if want == 405 && r.Header().Get("Allow") == "" {
			t.Errorf("%s: 405 without Allow", what)
		}
	}
	if r := w.call("HEAD /people", asked{key: key}); r.Code != http.StatusOK {
		t.Errorf("HEAD: %d", r.Code)
	}
	if r := w.call("HEAD /people", asked{}); r.Code != http.StatusUnauthorized {
		t.Errorf("HEAD by nobody: %d", r.Code)
	}
	if r := w.call("GET /openapi.json", asked{}); r.Code != http.StatusOK || !strings.Contains(r.Body.String(), `"openapi":"3.1`) {
		t.Errorf("the document: %d %.80s", r.Code, r.Body)
	}
}

func TestAnswersAreKeptNowhere(t *testing.T) {
	w := newWorld(t)
	key := w.tenant("One").key
	for _, what := range []string{"GET /people", "GET /nothing", "GET /people/none", "GET /setup"} {
		r := w.call(what, asked{key: key})
		if h := r.Header(); h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", what, h)
		}
	}
	r := w.call("GET /people", asked{header: map[string]string{"Authorization": "bearer  " + key, "Accept": "text/html"}})
	if r.Code != http.StatusOK || r.Header().Get("Content-Type") != "application/json" {
		t.Errorf("another spelling of Bearer, and a browser's Accept: %d %v", r.Code, r.Header())
	}
	if r := w.call("POST /lists", asked{key: key, body: `{"name":"x"}`, header: map[string]string{"Content-Type": "text/plain"}}); r.Code != http.StatusCreated {
		t.Errorf("a body that does not say it is JSON: %d %s", r.Code, r.Body)
	}
}

// trouble is a store of rejections that does what it is told.
type trouble struct{ do func() error }

func (x trouble) List(context.Context, string, string, page.Request) (page.Of[event.Rejection], error) {
	return page.Of[event.Rejection]{}, x.do()
}

func TestTroubleInsideIsLoggedAndNotShown(t *testing.T) {
	var x trouble
	w := newWorld(t, func(c *httpapi.Config) { c.Rejections = &x })
	key := w.tenant("One").key
	for name, c := range map[string]struct {
		do     func() error
		status int
		retry  bool
		logged bool
	}{
		"a store that fails":  {func() error { return errors.New("disk: secret/path") }, 500, false, true},
		"a bug":               {func() error { panic("secret/path") }, 500, false, true},
		"a store that is off": {func() error { return errs.Unavailable("store.off", "the store is off; try again soon") }, 503, true, true},
		"a limit":             {func() error { return errs.RateLimited("store.slow", "slow down") }, 429, true, false},
	} {
		w.log.Reset()
		x.do = c.do
		r := w.call("GET /rejections", asked{key: key})
		if r.Code != c.status || r.Header().Get("Content-Type") != "application/problem+json" || (r.Header().Get("Retry-After") != "") != c.retry {
			t.Errorf("%s: %d %v %s", name, r.Code, r.Header(), r.Body)
		}
		if strings.Contains(r.Body.String(), "secret") {
			t.Errorf("%s: the client reads %s", name, r.Body)
		}
		if (w.log.Len() > 0) != c.logged {
			t.Errorf("%s: the log says %q", name, w.log)
		}
	}
}

func TestClockMovesOnlyWhereTestsAskedForIt(t *testing.T) {
	w := newWorld(t)
	if r := w.call("POST /test/clock", asked{key: w.tenant("One").key, body: `{"advance_seconds":60}`}); r.Code != http.StatusNotFound {
		t.Errorf("an installation in earnest: %d %s", r.Code, r.Body)
	}
	w = newWorld(t, func(c *httpapi.Config) { fixed := c.Clock.(*clock.Fixed); c.Advance = fixed.Advance })
	a := w.tenant("One")
	if r := w.call("POST /test/clock", asked{key: w.key(a.ws, staff.Viewer.Permissions()...), body: `{"advance_seconds":60}`}); r.Code != http.StatusForbidden {
		t.Errorf("a viewer moves the clock: %d", r.Code)
	}
	if r := w.call("POST /test/clock", asked{key: a.key, body: `{"advance_seconds":-60}`}); r.Code != http.StatusUnprocessableEntity {
		t.Errorf("backwards: %d", r.Code)
	}
	w.ok(a.key, "POST /test/clock", `{"advance_seconds":60}`, nil)
	if got := w.clock.Now(); !got.Equal(start.Add(time.Minute)) {
		t.Errorf("the clock shows %s", got)
	}
}
