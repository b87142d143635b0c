package guard

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// names answers from a list of answers per name; the last one stays.
type names map[string][][]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	answers := n[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(answers) > 1 {
		n[host] = answers[1:]
	}
	var out []netip.Addr
	for _, a := range answers[0] {
		out = append(out, netip.MustParseAddr(a))
	}
	return out, nil
}

// wires leads every connection to one local server and notes which address it was meant for.
type wires struct {
	to     string
	dialed []string
}

func (w *wires) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.dialed = append(w.dialed, address)
	if w.to == "" {
		return nil, errors.New("refused by peer")
	}
	return (&net.Dialer{}).DialContext(ctx, network, w.to)
}

func server(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func guarded(t *testing.T, c Config) *Guard {
	t.Helper()
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func code(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestOnlyHostsOfThePublicInternetArePublic(t *testing.T) {
	for _, a := range []string{"8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "223.255.255.255", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"} {
		if !Public(netip.MustParseAddr(a)) {
			t.Errorf("%s is public", a)
		}
	}
	for _, a := range []string{
		"0.0.0.0", "10.1.2.3", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254", "172.16.0.1", "192.0.0.192",
		"192.168.1.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
		"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1", "100::1", "2606:4700::1%x",
	} {
		if Public(netip.MustParseAddr(a)) {
			t.Errorf("%s is not public", a)
		}
	}
}

func TestANameThatChangesItsAnswerIsConnectedAtTheAddressThatWasChecked(t *testing.T) {
	w := &wires{to: server(t, func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "hello") })}
	n := names{"rebind.example": {{"93.184.215.14"}, {"127.0.0.1"}}}
	g := guarded(t, Config{Resolver: n, dial: w.dial})
	r, err := g.Do(t.Context(), Request{URL: "http://rebind.example/"})
	if err != nil || string(r.Body) != "hello" {
		t.Fatalf("%q, %v", r.Body, err)
	}
	g.Client().CloseIdleConnections()
	if _, err := g.Do(t.Context(), Request{URL: "http://rebind.example/"}); code(err) != "url.not_public" || !strings.Contains(err.Error(), "KIZUNA_ALLOW_TARGETS") {
		t.Errorf("the second answer is loopback: %v", err)
	}
	if len(w.dialed) != 1 || w.dialed[0] != "93.184.215.14:80" {
		t.Errorf("connected to %v", w.dialed)
	}
}

func TestOfSeveralAddressesOnlyThePublicOnesAreTried(t *testing.T) {
	w := &wires{}
	g := guarded(t, Config{Resolver: names{"mixed.example": {{"10.0.0.1", "93.184.215.14", "::1", "2606:4700::1111"}}}, dial: w.dial})
	if _, err := g.DialContext(t.Context(), "tcp", "Mixed.example.:25"); code(err) != "url.unreachable" || !errs.Is(err, errs.KindUnavailable) {
		t.Errorf("%v", err)
	}
	if strings.Join(w.dialed, " ") != "93.184.215.14:25 [2606:4700::1111]:25" {
		t.Errorf("connected to %v", w.dialed)
	}
}

func TestURLsThatAreRefused(t *testing.T) {
	w := &wires{to: server(t, func(http.ResponseWriter, *http.Request) {})}
	g := guarded(t, Config{Resolver: names{"inside.example": {{"192.168.1.1"}}, "localhost": {{"127.0.0.1"}}, "2130706433": {{"127.0.0.1"}}, "ok.example": {{"8.8.8.8"}}}, dial: w.dial})
	for raw, want := range map[string]string{
		"http://inside.example/":        "url.not_public",
		"http://localhost/":             "url.not_public",
		"http://2130706433/":            "url.not_public",
		"http://127.0.0.1/":             "url.not_public",
		"http://[::1]/":                 "url.not_public",
		"http://[::ffff:10.0.0.1]:443/": "url.not_public",
		"http://169.254.169.254/latest": "url.not_public",
		"http://ok.example:22/":         "url.port",
		"http://ok.example:6379/":       "url.port",
		"http://ok.example:99999/":      "url.malformed",
		"ftp://ok.example/":             "url.malformed",
		"file:///etc/passwd":            "url.malformed",
		"http:ok.example":               "url.malformed",
		"/relative":                     "url.malformed",
		"http://\x00":                   "url.malformed",
		"http://user:pass@ok.example/":  "url.credentials",
		"http://gone.example/":          "url.unknown_host",
	} {
		if _, err := g.Do(t.Context(), Request{URL: raw}); code(err) != want {
			t.Errorf("%q: %v, want %s", raw, err, want)
		}
	}
	if len(w.dialed) != 0 {
		t.Errorf("connected to %v", w.dialed)
	}
	for raw, want := range map[string]string{"http://127.0.0.1/": "url.not_public", "http://ok.example:22/": "url.port", "https://inside.example/": "", "::": "url.malformed"} {
		if err := g.Check(raw); code(err) != want {
			t.Errorf("Check %q: %v, want %q", raw, err, want)
		}
	}
}

func TestTheOperatorMayAllowTargets(t *testing.T) {
	n := names{"corp.example": {{"8.8.4.4"}}, "db.corp.example": {{"10.9.9.9"}}, "hook.lan": {{"192.168.7.7"}}, "one.lan": {{"192.168.1.5"}}, "ok.example": {{"8.8.8.8"}}}
	w := &wires{to: server(t, func(rw http.ResponseWriter, _ *http.Request) {})}
	g := guarded(t, Config{Allow: []string{"*.corp.example:9000", " 192.168.7.0/24", "one.LAN", "127.0.0.1:8025", "[::1]:80"}, Resolver: n, dial: w.dial})
	for raw, want := range map[string]string{
		"http://db.corp.example:9000/": "",
		"http://db.corp.example/":      "url.not_public", // another port
		"http://corp.example:9000/":    "url.port",       // not below itself
		"http://hook.lan:1234/":        "",
		"http://192.168.7.9/":          "",
		"http://192.168.8.9/":          "url.not_public",
		"http://one.lan:81/":           "",
		"http://127.0.0.1:8025/":       "",
		"http://127.0.0.1:8080/":       "url.not_public",
		"http://[::1]/":                "",
		"http://ok.example:1234/":      "url.port", // a network is allowed on any port, this name is not in it
	} {
		if _, err := g.Do(t.Context(), Request{URL: raw}); code(err) != want {
			t.Errorf("%q: %v, want %q", raw, err, want)
		}
	}
	for _, bad := range []string{"", "a b", "http://x/", "x:0", "x:99999", "*.", "10.0.0.0/99", "*"} {
		if _, err := New(Config{Allow: []string{bad}}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestRedirectsAreCheckedAndLoseSecretsOnTheWay(t *testing.T) {
	var seen http.Header
	w := &wires{}
	w.to = server(t, func(rw http.ResponseWriter, r *http.Request) {
		seen = r.Header
		switch r.URL.Path {
		case "/inside":
			http.Redirect(rw, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		case "/away":
			http.Redirect(rw, r, "http://other.example/end", http.StatusTemporaryRedirect)
		case "/here":
			http.Redirect(rw, r, "/end", http.StatusTemporaryRedirect)
		case "/round":
			http.Redirect(rw, r, "/round", http.StatusFound)
		}
	})
	g := guarded(t, Config{Resolver: names{"a.example": {{"8.8.8.8"}}, "other.example": {{"8.8.4.4"}}}, dial: w.dial})
	get := func(path string) (Response, error) {
		return g.Do(t.Context(), Request{Method: "POST", URL: "http://a.example" + path, Header: map[string]string{"X-Api-Key": "s3cret", "Content-Type": "application/json"}, Body: []byte("{}")})
	}
	if _, err := get("/inside"); code(err) != "url.not_public" {
		t.Errorf("%v", err)
	}
	if _, err := get("/round"); code(err) != "url.redirects" {
		t.Errorf("%v", err)
	}
	if r, err := get("/here"); err != nil || seen.Get("X-Api-Key") != "s3cret" {
		t.Errorf("%v %v %v", r, err, seen)
	}
	if r, err := get("/away"); err != nil || r.URL != "http://other.example/end" || seen.Get("X-Api-Key") != "" || seen.Get("Content-Type") == "" {
		t.Errorf("%v %v %v", r.URL, err, seen)
	}
	if err := redirect(&http.Request{URL: mustURL("http://a.example/")}, []*http.Request{{URL: mustURL("https://a.example/")}}); code(err) != "url.downgrade" {
		t.Errorf("%v", err)
	}
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

func TestLimits(t *testing.T) {
	hold := make(chan struct{})
	w := &wires{}
	w.to = server(t, func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/big":
			io.WriteString(rw, strings.Repeat("x", 5000))
		case "/slow":
			<-hold
		case "/broken":
			rw.Header().Set("Content-Length", "100")
			io.WriteString(rw, "half")
		}
	})
	t.Cleanup(func() { close(hold) })
	g := guarded(t, Config{Resolver: names{"a.example": {{"8.8.8.8"}}}, dial: w.dial})
	r, err := g.Do(t.Context(), Request{URL: "http://a.example/big", MaxBody: 100})
	if err != nil || len(r.Body) != 100 || !r.Truncated {
		t.Errorf("%d bytes, %v, %v", len(r.Body), r.Truncated, err)
	}
	if _, err := g.Do(t.Context(), Request{URL: "http://a.example/slow?token=s3cret", Timeout: 20 * time.Millisecond}); code(err) != "url.timeout" || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
	if _, err := g.Do(t.Context(), Request{URL: "http://a.example/broken"}); code(err) != "url.broken" {
		t.Errorf("%v", err)
	}
	if _, err := g.Do(t.Context(), Request{URL: "https://a.example/"}); code(err) != "url.tls" {
		t.Errorf("%v", err)
	}
}

func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	var proxied atomic.Bool
	proxy := server(t, func(http.ResponseWriter, *http.Request) { proxied.Store(true) })
	t.Setenv("HTTP_PROXY", "http://"+proxy)
	w := &wires{to: server(t, func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(http.StatusTeapot) })}
	g := guarded(t, Config{Resolver: names{"a.example": {{"8.8.8.8"}}}, dial: w.dial})
	r, err := g.Do(t.Context(), Request{URL: "http://a.example/"})
	if err != nil || r.Status != http.StatusTeapot || proxied.Load() || g.Client().Transport.(checked).next.Proxy != nil {
		t.Errorf("%v, %v, through the proxy: %v", r.Status, err, proxied.Load())
	}
}

func FuzzAllowedNeverPanics(f *testing.F) {
	for _, s := range []string{"10.0.0.0/8", "[::1]:80", "::1", "*.a.b:1", ":", "[", "a:b:c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := parseAllowed(s); err == nil && !a.prefix.IsValid() && a.name == "" {
			t.Errorf("%q allows nothing and says nothing", s)
		}
	})
}
