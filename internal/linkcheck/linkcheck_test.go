package linkcheck_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/kit/guard"
	"github.com/kizuna-cx/kizuna/internal/linkcheck"
)

// site is a web server whose answers are named by their path.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // "METHOD /path"
	held  chan struct{}
}

func newSite(t *testing.T) *site {
	s := &site{held: make(chan struct{})}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(s.held) })
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	switch r.URL.Path {
	case "/gone":
		w.WriteHeader(http.StatusGone)
	case "/missing":
		w.WriteHeader(http.StatusNotFound)
	case "/broken":
		w.WriteHeader(http.StatusServiceUnavailable)
	case "/private":
		w.WriteHeader(http.StatusForbidden)
	case "/odd":
		w.WriteHeader(http.StatusTeapot)
	case "/nohead":
		if r.Method == "HEAD" {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	case "/moved":
		http.Redirect(w, r, "/fine", http.StatusFound)
	case "/loop":
		http.Redirect(w, r, "/loop", http.StatusFound)
	case "/away":
		http.Redirect(w, r, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)+"/fine", http.StatusMovedPermanently)
	case "/inside":
		http.Redirect(w, r, "http://192.168.0.1/", http.StatusFound)
	case "/held":
		select {
		case <-s.held:
		case <-r.Context().Done():
		}
	}
}

func (s *site) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.asked...)
}

func checker(t *testing.T, now func() time.Time) *linkcheck.Checker {
	t.Helper()
	g, err := guard.New(guard.Config{Allow: []string{"127.0.0.1", "localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	return linkcheck.New(g, now)
}

// secured is a server with a certificate that ends at a time.
func secured(t *testing.T, until time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: until.Add(-time.Hour), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // that clients turn away is what is tested
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func TestEachLinkGetsItsVerdict(t *testing.T) {
	s := newSite(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	other := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	want := []content.LinkVerdict{
		{URL: s.URL + "/fine", Status: 200},
		{URL: s.URL + "/missing", Code: "not_found", Status: 404},
		{URL: s.URL + "/gone", Code: "not_found", Status: 410},
		{URL: s.URL + "/broken", Code: "server_error", Status: 503},
		{URL: s.URL + "/private", Code: "guarded", Status: 403},
		{URL: s.URL + "/odd", Code: "refused", Status: 418},
		{URL: s.URL + "/nohead", Status: 200},
		{URL: s.URL + "/moved", Status: 200},
		{URL: s.URL + "/loop", Code: "redirects"},
		{URL: s.URL + "/away", Code: "redirected", Status: 200, Location: other + "/fine"},
		{URL: s.URL + "/inside", Code: "blocked"},
		{URL: "http://10.1.2.3/", Code: "blocked"},
		{URL: "http://169.254.169.254/latest/meta-data", Code: "blocked"},
		{URL: "http://" + closed.Addr().String() + "/", Code: "unreachable"},
		{URL: "https://user:secret@127.0.0.1/", Code: "credentials"},
		{URL: "http://1.1.1.1:25/", Code: "port"},
		{URL: secured(t, time.Now().Add(-time.Minute)), Code: "certificate_expired"},
		{URL: secured(t, time.Now().Add(time.Hour)), Code: "certificate"},
	}
	urls := make([]string, len(want))
	for i, v := range want {
		urls[i] = v.URL
	}
	got, err := checker(t, time.Now).CheckLinks(t.Context(), urls)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, v := range got {
		if v.Fault() != (v.Code != "" && v.Code != "redirected" && v.Code != "guarded") {
			t.Errorf("%+v: fault %t", v, v.Fault())
		}
	}
}

func TestAnswersAreBelievedForAWhile(t *testing.T) {
	s := newSite(t)
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	c := checker(t, func() time.Time { return now })
	ask := func() {
		t.Helper()
		if _, err := c.CheckLinks(t.Context(), []string{s.URL + "/fine", s.URL + "/missing"}); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	first := len(s.got())
	ask()
	if n := len(s.got()); first != 3 || n != first {
		t.Errorf("asked %v", s.got())
	}
	now = now.Add(time.Minute) // what was bad is asked again
	ask()
	if n := len(s.got()); n != first+2 {
		t.Errorf("asked %v", s.got())
	}
	now = now.Add(time.Hour)
	ask()
	if n := len(s.got()); n != 2*first+2 {
		t.Errorf("asked %v", s.got())
	}
}

func TestTheCallerEndsIt(t *testing.T) {
	s := newSite(t)
	c := checker(t, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	urls := make([]string, 30)
	for i := range urls {
		urls[i] = s.URL + "/held"
	}
	go func() {
		_, err := c.CheckLinks(ctx, urls)
		done <- err
	}()
	for len(s.got()) < 6 { // all places are taken
		if t.Context().Err() != nil {
			t.Fatal("the links are not asked")
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if n := len(s.got()); n > 12 {
		t.Errorf("%d links were asked after the end", n)
	}
	if got, err := c.CheckLinks(t.Context(), []string{s.URL + "/fine"}); err != nil || got[0].Code != "" {
		t.Errorf("afterwards: %+v %v", got, err)
	}
}
