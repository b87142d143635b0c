package sdk_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// standalone is Segment's browser client as it is served to pages.
var standalone = filepath.Join("node_modules", "@segment", "analytics-next", "dist", "umd", "standalone.js")

// said is what the page says when it is done.
type said struct {
	IDs         []string `json:"ids"`
	Types       []string `json:"types"`
	AnonymousID string   `json:"anonymousId"`
}

// browse opens the page in Chromium and keeps it open until six events have arrived.
func browse(t *testing.T, in *intake, strategy string) (said, []event.Event) {
	t.Helper()
	chromium := os.Getenv("KIZUNA_TEST_CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && chromium == "" {
			chromium = found
		}
	}
	if chromium == "" {
		harness.Missing(t, "no Chromium on the path; install it or set KIZUNA_TEST_CHROMIUM")
	}
	if _, err := os.Stat(standalone); err != nil {
		harness.Missing(t, "@segment/analytics-next is not installed; run npm ci in test/peers/sdk")
	}
	// The page comes from another origin than the intake, as in life.
	pages := http.NewServeMux()
	pages.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "page.html") })
	pages.HandleFunc("/standalone.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, standalone) })
	shop := httptest.NewServer(pages)
	defer shop.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	address := shop.URL + "/#" + strings.Join([]string{in.url, "browser-key", strategy}, "|")
	cmd, complaints := command(ctx, t, "playwright-core", "browser.mjs", chromium, t.TempDir(), address)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = stdin.Close()
		if err := cmd.Wait(); err != nil || complaints.Len() > 0 {
			t.Logf("the browser ended with %v and said: %s", err, complaints)
		}
	}()
	var s said
	if err := json.NewDecoder(stdout).Decode(&s); err != nil {
		t.Fatalf("the page did not say that it is done: %v", err)
	}
	return s, once(in.wait(6))
}

// checkPage holds what arrived against what the page did.
func checkPage(t *testing.T, s said, evs []event.Event) map[event.Type]event.Event {
	t.Helper()
	byType := map[event.Type]event.Event{}
	var ids []string
	for _, e := range evs {
		byType[e.Type] = e
		ids = append(ids, e.MessageID)
		if e.Origin != event.Browser || e.Source != "src_b" || e.AnonymousID != s.AnonymousID {
			t.Errorf("%s: envelope %+v", e.Type, e)
		}
		c := event.Object(e.Context)
		if c["ip"] != "127.0.0.0" {
			t.Errorf("%s: context.ip %v", e.Type, c["ip"])
		}
		if page, _ := c["page"].(map[string]any); page["title"] != "Home" {
			t.Errorf("%s: context.page %v", e.Type, c["page"])
		}
		if len(e.Flags) > 0 {
			t.Errorf("%s: flags %q", e.Type, e.Flags)
		}
	}
	want := append([]string(nil), s.IDs...)
	sort.Strings(want)
	sort.Strings(ids)
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("message ids: %s", diff)
	}
	if e := byType[event.Track]; e.Name != "Order Completed" || event.Object(e.Properties)["total"] != 42.5 || e.UserID != "u7" {
		t.Errorf("track arrived as %+v", e)
	}
	if e := byType[event.Identify]; e.UserID != "u7" || event.Object(e.Properties)["email"] != "u7@shop.example" {
		t.Errorf("identify arrived as %+v", e)
	}
	if e := byType[event.Group]; e.GroupID != "g7" || event.Object(e.Properties)["name"] != "Group Seven" {
		t.Errorf("group arrived as %+v", e)
	}
	if e := byType[event.Screen]; e.Name != "Cart" {
		t.Errorf("screen arrived as %+v", e)
	}
	if e := byType[event.Page]; e.Name != "Home" {
		t.Errorf("page arrived as %+v", e)
	}
	// alias("u8", "u7") goes out as u7 -> u7: it must arrive, and mean nothing.
	if e := byType[event.Alias]; e.UserID != "u7" || e.PreviousID != "u7" {
		t.Errorf("alias arrived as %+v: the client has changed", e)
	}
	return byType
}

func TestBrowserClientSendsTheSixCalls(t *testing.T) {
	in := start(t)
	s, evs := browse(t, in, "")
	byType := checkPage(t, s, evs)
	// The page view was before identify, and carries the user all the same: the client fills it in when it sends.
	if e := byType[event.Page]; e.UserID != "u7" {
		t.Logf("page arrived with user id %q", e.UserID)
	}
	short, preflights := 0, 0
	for _, h := range in.seen() {
		switch {
		case h.Get("Access-Control-Request-Method") != "":
			preflights++
		case len(h.Get("Path")) == len("/v1/t"):
			short++
			if !strings.HasPrefix(h.Get("Content-Type"), "text/plain") {
				t.Errorf("%s: content type %q: the client has changed", h.Get("Path"), h.Get("Content-Type"))
			}
		}
	}
	if short != 6 {
		t.Errorf("%d requests on short paths, want 6", short)
	}
	t.Logf("%d preflights", preflights)
}

func TestBrowserClientSendsBatches(t *testing.T) {
	in := start(t)
	s, evs := browse(t, in, "batching")
	checkPage(t, s, evs)
	batches := 0
	for _, h := range in.seen() {
		if h.Get("Path") == "/v1/b" && h.Get("Access-Control-Request-Method") == "" {
			batches++
		}
	}
	if batches == 0 || batches > 3 {
		t.Errorf("%d batches", batches)
	}
}

func TestBrowserClientLosesNothingUnderBackPressure(t *testing.T) {
	in := start(t)
	in.busy.Store(3)
	s, evs := browse(t, in, "")
	checkPage(t, s, evs)
}
