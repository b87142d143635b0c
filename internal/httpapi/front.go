package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
)

// front is what every request passes before it meets a route.
func (a *api) front(mux *http.ServeMux) http.Handler {
	foreign := http.NewCrossOriginProtection()
	if u, err := url.Parse(a.c.PublicURL); err == nil && u.Host != "" {
		// Behind a proxy the host that the browser knows may not be the one that we are asked by.
		if err := foreign.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			a.c.Log.Warn("public URL is no origin; sign-in from there may be refused", "url", a.c.PublicURL, "err", err)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store") // people's data; nothing on the way may keep it
		h.Set("X-Content-Type-Options", "nosniff")
		defer a.rescue(w, r)
		// The CSRF token guards sessions. This guards what comes before one: another site's page must not sign a browser in, nor set up an
		// installation that only this browser reaches. Keys are not sent by browsers on their own.
		if _, key := bearer(r.Header.Get("Authorization")); !key && foreign.Check(r) != nil {
			plain(http.StatusForbidden, "request.cross_origin", "a page of another site made this call; use an API key from a server").write(w)
			return
		}
		if matched, pattern := mux.Handler(r); pattern == "" {
			unmatched(w, r, matched)
			return
		}
		// Bodies are JSON whatever they say they are: curl -d and old clients send no content type of their own.
		r.Header.Set("Content-Type", "application/json")
		mux.ServeHTTP(w, r)
	})
}

// rescue answers a request whose handler has panicked and says so in the log.
func (a *api) rescue(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	a.c.Log.Error("api call panicked", "method", r.Method, "route", r.Pattern, "err", fmt.Sprint(v), "stack", string(debug.Stack()))
	problem(nil).write(w)
}

// unmatched answers what no route takes in the form of all other errors. refused is the router's own answer.
func unmatched(w http.ResponseWriter, r *http.Request, refused http.Handler) {
	var said verdict
	refused.ServeHTTP(&said, r)
	if said.status == http.StatusMethodNotAllowed {
		allow := said.Header().Get("Allow")
		w.Header().Set("Allow", allow)
		plain(said.status, "route.method_not_allowed", "this address takes "+allow).write(w)
		return
	}
	plain(http.StatusNotFound, "route.not_found", "there is no such address; GET /api/v1/openapi.json lists them all").write(w)
}

// verdict keeps the status and headers of an answer and drops the rest.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header {
	if v.header == nil {
		v.header = http.Header{}
	}
	return v.header
}

func (v *verdict) WriteHeader(status int)      { v.status = status }
func (v *verdict) Write(b []byte) (int, error) { return len(b), nil }
