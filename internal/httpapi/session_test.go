package httpapi_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/httpapi"
)

const rightPassword = `{"email":"ann@example.com","password":"` + password + `"}`

func TestSessionCookieIsKeptFromScriptsAndOtherSites(t *testing.T) {
	w := newWorld(t)
	w.user(w.tenant("One").ws, "ann@example.com", staff.Owner)
	first, second := w.signIn("ann@example.com"), w.signIn("ann@example.com")
	c := first.cookie
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie: %+v", c)
	}
	if !c.Expires.After(start) {
		t.Errorf("the cookie ends at %s", c.Expires)
	}
	if first.cookie.Value == second.cookie.Value || first.csrf == second.csrf {
		t.Error("two sign-ins share a token")
	}
	// A token that somebody planted before is not taken over.
	planted := w.call("POST /session", asked{body: rightPassword, browser: browser{cookie: &http.Cookie{Name: c.Name, Value: "planted"}}})
	if got := planted.Result().Cookies(); planted.Code != http.StatusOK || len(got) != 1 || got[0].Value == "planted" {
		t.Errorf("sign in with a planted cookie: %d %v", planted.Code, got)
	}
	if plain := newWorld(t, func(c *httpapi.Config) { c.SecureCookies = false }); true {
		plain.user(plain.tenant("Two").ws, "ann@example.com", staff.Owner)
		if plain.signIn("ann@example.com").cookie.Secure {
			t.Error("the cookie asks for https on an installation without")
		}
	}
}

func TestSessionLivesFromSignInToSignOut(t *testing.T) {
	w := newWorld(t)
	w.user(w.tenant("One").ws, "ann@example.com", staff.Marketer)
	here, there := w.signIn("ann@example.com"), w.signIn("ann@example.com")
	r := w.call("GET /session", asked{browser: here})
	for _, want := range []string{`"role":"marketer"`, `"csrf":"` + here.csrf, `"campaigns.send"`} {
		if !strings.Contains(r.Body.String(), want) {
			t.Errorf("who am I: %s lacks %s", r.Body, want)
		}
	}
	if strings.Contains(r.Body.String(), here.cookie.Value) || strings.Contains(r.Body.String(), "staff.write") {
		t.Errorf("who am I shows the token or rights that are not there: %s", r.Body)
	}
	if r := w.call("POST /topics", asked{browser: here, body: `{"name":"x"}`}); r.Code != http.StatusForbidden || problemOf(t, r).Code != "staff.permission.missing" {
		t.Errorf("a marketer changes settings: %d %s", r.Code, r.Body)
	}
	if r := w.call("POST /lists", asked{browser: here, body: `{"name":"x"}`}); r.Code != http.StatusCreated {
		t.Errorf("a change with the page's token: %d %s", r.Code, r.Body)
	}
	if r := w.call("POST /lists", asked{browser: browser{here.cookie, there.csrf}, body: `{"name":"x"}`}); r.Code != http.StatusForbidden {
		t.Errorf("a change with another session's token: %d %s", r.Code, r.Body)
	}
	var open struct {
		Items []struct {
			ID      string
			Current bool
		}
	}
	r = w.call("GET /sessions", asked{browser: here})
	readInto(t, r, &open)
	if len(open.Items) != 2 || open.Items[0].Current == open.Items[1].Current {
		t.Fatalf("sessions: %s", r.Body)
	}
	for _, s := range open.Items {
		if !s.Current {
			if r := w.call("DELETE /sessions/"+s.ID, asked{browser: here}); r.Code != http.StatusNoContent {
				t.Errorf("sign the other browser out: %d %s", r.Code, r.Body)
			}
		}
	}
	if r := w.call("GET /session", asked{browser: there}); r.Code != http.StatusUnauthorized {
		t.Errorf("the other browser is still in: %d", r.Code)
	}
	r = w.call("DELETE /session", asked{browser: here})
	if c := r.Result().Cookies(); r.Code != http.StatusNoContent || len(c) != 1 || c[0].Value != "" || c[0].Expires.After(start) {
		t.Errorf("sign out: %d %v", r.Code, c)
	}
	if r := w.call("GET /session", asked{browser: here}); r.Code != http.StatusUnauthorized || problemOf(t, r).Code != "staff.session.ended" {
		t.Errorf("after signing out: %d %s", r.Code, r.Body)
	}
	late := w.signIn("ann@example.com")
	w.clock.Advance(13 * time.Hour)
	if r := w.call("GET /session", asked{browser: late}); r.Code != http.StatusUnauthorized {
		t.Errorf("after half a day of silence: %d", r.Code)
	}
}

func TestSignInIsSlowedDown(t *testing.T) {
	w := newWorld(t)
	w.user(w.tenant("One").ws, "ann@example.com", staff.Owner)
	var last *httptest.ResponseRecorder
	wrong, unknown := "", ""
	for i := range 11 {
		last = w.call("POST /session", asked{body: `{"email":"ann@example.com","password":"wrong"}`, ip: fmt.Sprintf("198.51.100.%d", i)})
		if i == 0 {
			wrong = last.Body.String()
			unknown = w.call("POST /session", asked{body: `{"email":"nobody@example.com","password":"wrong"}`}).Body.String()
		}
	}
	if wrong != unknown || !strings.Contains(wrong, "staff.sign_in.failed") {
		t.Errorf("a wrong password and an unknown address are told apart:\n%s%s", wrong, unknown)
	}
	if p := problemOf(t, last); p.Status != http.StatusTooManyRequests || p.Code != "staff.sign_in.too_many" || last.Header().Get("Retry-After") == "" {
		t.Errorf("the eleventh try: %+v, headers %v", p, last.Header())
	}
	if r := w.call("POST /session", asked{body: rightPassword}); r.Code != http.StatusTooManyRequests {
		t.Errorf("the right password gets past the limit: %d", r.Code)
	}
	w.clock.Advance(time.Minute)
	if r := w.call("POST /session", asked{body: rightPassword}); r.Code != http.StatusOK {
		t.Errorf("a minute later: %d %s", r.Code, r.Body)
	}
	for i := range 40 { // one address, many accounts
		last = w.call("POST /session", asked{body: fmt.Sprintf(`{"email":"u%d@example.com","password":"wrong"}`, i), ip: "203.0.113.9"})
	}
	if last.Code != http.StatusTooManyRequests {
		t.Errorf("the fortieth account from one address: %d", last.Code)
	}
}

func TestSetUpMakesOneOwner(t *testing.T) {
	w := newWorld(t)
	if r := w.call("GET /setup", asked{}); !strings.Contains(r.Body.String(), `"needed":true`) {
		t.Errorf("an empty installation: %s", r.Body)
	}
	if r := w.call("POST /setup", asked{body: `{"email":"ann@example.com","password":"short"}`}); r.Code != http.StatusUnprocessableEntity || problemOf(t, r).Field != "password" {
		t.Errorf("a short password: %d %s", r.Code, r.Body)
	}
	const racers = 4
	answers := make([]*httptest.ResponseRecorder, racers)
	var all sync.WaitGroup
	for i := range racers {
		all.Go(func() {
			answers[i] = w.call("POST /setup", asked{body: fmt.Sprintf(`{"email":"u%d@example.com","password":%q}`, i, password)})
		})
	}
	all.Wait()
	won := 0
	for _, r := range answers {
		switch r.Code {
		case http.StatusCreated:
			won++
			if !strings.Contains(r.Body.String(), `"role":"owner"`) || len(r.Result().Cookies()) != 1 {
				t.Errorf("the winner: %s", r.Body)
			}
		case http.StatusConflict:
			problemOf(t, r)
		default:
			t.Errorf("a loser: %d %s", r.Code, r.Body)
		}
	}
	if won != 1 {
		t.Errorf("%d owners were made", won)
	}
	if r := w.call("GET /setup", asked{}); !strings.Contains(r.Body.String(), `"needed":false`) {
		t.Errorf("afterwards: %s", r.Body)
	}
}

func TestInvitationLeadsToAMember(t *testing.T) {
	w := newWorld(t)
	a := w.tenant("One")
	w.user(a.ws, "ann@example.com", staff.Owner)
	owner := w.signIn("ann@example.com")
	var invited struct {
		Member struct{ ID, Role string }
		Token  string
	}
	r := w.call("POST /staff", asked{browser: owner, body: `{"email":"bob@example.com","role":"analyst"}`})
	readInto(t, r, &invited)
	if r.Code != http.StatusCreated || invited.Token == "" || invited.Member.Role != "analyst" {
		t.Fatalf("invite: %d %s", r.Code, r.Body)
	}
	accept := fmt.Sprintf(`{"token":%q,"name":"Bob","password":%q}`, invited.Token, password)
	if r := w.call("POST /staff/accept", asked{body: strings.Replace(accept, invited.Token, "made-up", 1)}); r.Code != http.StatusUnprocessableEntity || problemOf(t, r).Code != "staff.link.invalid" {
		t.Errorf("a made-up token: %d %s", r.Code, r.Body)
	}
	if r := w.call("POST /staff/accept", asked{body: accept}); r.Code != http.StatusOK || !strings.Contains(r.Body.String(), `"email":"bob@example.com"`) {
		t.Errorf("accept: %d %s", r.Code, r.Body)
	}
	if r := w.call("POST /staff/accept", asked{body: accept}); r.Code != http.StatusUnprocessableEntity {
		t.Errorf("accept twice: %d", r.Code)
	}
	bob := w.signIn("bob@example.com")
	change := fmt.Sprintf(`{"current_password":"wrong","new_password":%q}`, password+"!")
	if r := w.call("POST /session/password", asked{browser: bob, body: change}); r.Code != http.StatusUnprocessableEntity || problemOf(t, r).Field != "current_password" {
		t.Errorf("wrong current password: %d %s", r.Code, r.Body)
	}
	if r := w.call("POST /session/password", asked{browser: bob, body: strings.Replace(change, "wrong", password, 1)}); r.Code != http.StatusNoContent {
		t.Errorf("change the password: %d %s", r.Code, r.Body)
	}
	if r := w.call("PUT /staff/"+invited.Member.ID+"/role", asked{browser: owner, body: `{"role":"viewer"}`}); r.Code != http.StatusOK {
		t.Errorf("change the role: %d %s", r.Code, r.Body)
	}
	if r := w.call("POST /segments", asked{browser: bob, body: `{"name":"x","rule":{"trait":{"path":"a","op":"exists"}}}`}); r.Code != http.StatusForbidden {
		t.Errorf("the new role holds at once: %d %s", r.Code, r.Body)
	}
	if r := w.call("DELETE /staff/"+invited.Member.ID, asked{browser: owner}); r.Code != http.StatusNoContent {
		t.Errorf("remove: %d %s", r.Code, r.Body)
	}
	if r := w.call("GET /session", asked{browser: bob}); r.Code != http.StatusUnauthorized {
		t.Errorf("a removed member is still in: %d", r.Code)
	}
}

func TestPagesOfOtherSitesAreKeptOut(t *testing.T) {
	w := newWorld(t)
	a := w.tenant("One")
	w.user(a.ws, "ann@example.com", staff.Owner)
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}} {
		for _, what := range []string{"POST /session", "POST /setup", "POST /staff/accept"} {
			r := w.call(what, asked{body: rightPassword, header: header})
			if r.Code != http.StatusForbidden || problemOf(t, r).Code != "request.cross_origin" {
				t.Errorf("%s with %v: %d %s", what, header, r.Code, r.Body)
			}
		}
		if r := w.call("POST /segments/preview", asked{key: a.key, body: `{"rule":{"trait":{"path":"a","op":"exists"}}}`, header: header}); r.Code != http.StatusOK {
			t.Errorf("a key with %v: %d %s", header, r.Code, r.Body)
		}
	}
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "https://kizuna.example.test"}, nil} {
		if r := w.call("POST /session", asked{body: rightPassword, header: header}); r.Code != http.StatusOK {
			t.Errorf("sign in with %v: %d %s", header, r.Code, r.Body)
		}
	}
}

func TestClientAddressIsBelievedFromTrustedProxiesAlone(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"203.0.113.1:1", nil, "203.0.113.1"},
		{"203.0.113.1:1", []string{"198.51.100.1"}, "203.0.113.1"},
		{"10.1.2.3:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.1.2.3:1", []string{"192.0.2.66, 198.51.100.1"}, "198.51.100.1"},
		{"10.1.2.3:1", []string{"192.0.2.66", "198.51.100.1"}, "198.51.100.1"}, // the client's own line comes first
		{"10.1.2.3:1", []string{"198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		{"10.1.2.3:1", []string{"nonsense"}, "10.1.2.3"},
		{"[::ffff:10.1.2.3]:1", []string{"2001:db8::1"}, "2001:db8::1"},
		{"@", nil, "@"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		for _, f := range c.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := httpapi.ClientIP(trusted)(r); got != c.want {
			t.Errorf("%s via %v: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

func TestPagesBesideTheAPIAskForASession(t *testing.T) {
	w := newWorld(t)
	w.user(w.tenant("One").ws, "ann@example.com", staff.Viewer)
	in := w.signIn("ann@example.com")
	h := httpapi.SignedIn(w.staff, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("secret")) }))
	for _, cookie := range []*http.Cookie{nil, {Name: in.cookie.Name, Value: "made-up"}, in.cookie} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/demo/mailbox", nil)
		if cookie != nil {
			r.AddCookie(cookie)
		}
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		if known := cookie == in.cookie; known != (out.Code == http.StatusOK) || known != bytes.Contains(out.Body.Bytes(), []byte("secret")) {
			t.Errorf("with the cookie %v: %d %s", cookie, out.Code, out.Body)
		}
	}
}
