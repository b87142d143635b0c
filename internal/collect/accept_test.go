package collect_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/collect"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

func TestEachCallArrivesOnItsLongAndShortPath(t *testing.T) {
	for typ, c := range map[event.Type]struct {
		body string
		want func(event.Event) bool
	}{
		event.Track:    {`{"event":"Order Completed","properties":{"total":5}}`, func(e event.Event) bool { return e.Name == "Order Completed" && string(e.Properties) == `{"total":5}` }},
		event.Page:     {`{"name":"Home","properties":{"url":"/"}}`, func(e event.Event) bool { return e.Name == "Home" && string(e.Properties) == `{"url":"/"}` }},
		event.Screen:   {`{"name":"Cart"}`, func(e event.Event) bool { return e.Name == "Cart" }},
		event.Identify: {`{"traits":{"email":"a@b.example"}}`, func(e event.Event) bool { return string(e.Properties) == `{"email":"a@b.example"}` }},
		event.Group:    {`{"groupId":"g1","traits":{"name":"G"}}`, func(e event.Event) bool { return e.GroupID == "g1" && string(e.Properties) == `{"name":"G"}` }},
		event.Alias:    {`{"previousId":"p1"}`, func(e event.Event) bool { return e.PreviousID == "p1" }},
	} {
		for _, path := range []string{"/v1/" + string(typ), "/v1/" + string(typ[0]), "/v1/" + string(typ) + "/"} {
			t.Run(path, func(t *testing.T) {
				in := newIntake(t)
				w := in.post(path, strings.Replace(c.body, "{", `{"userId":"u1","anonymousId":"a1","messageId":"m1",`, 1))
				if w.Code != 200 || w.Body.String() != `{"success":true}` {
					t.Fatalf("answer %d %s", w.Code, w.Body)
				}
				e := in.one()
				if e.Type != typ || !c.want(e) {
					t.Errorf("on the log: %+v", e)
				}
				if e.Workspace != "ws_1" || e.Source != "src_s" || e.Origin != event.Server || e.UserID != "u1" || e.AnonymousID != "a1" || e.MessageID != "m1" {
					t.Errorf("envelope: %+v", e)
				}
			})
		}
	}
}

func TestBatchArrivesInOrderOnEveryBatchPath(t *testing.T) {
	for _, path := range []string{"/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"} {
		in := newIntake(t)
		w := in.post(path, `{"batch":[
			{"type":"page","anonymousId":"a","messageId":"1"},
			{"type":"identify","userId":"u","messageId":"2"},
			{"type":"track","event":"X","userId":"u","messageId":"3"}],"sentAt":"2026-05-06T07:08:09Z"}`)
		if w.Code != 200 {
			t.Fatalf("%s: answer %d %s", path, w.Code, w.Body)
		}
		var got []string
		for _, e := range in.events() {
			got = append(got, e.MessageID+string(e.Type))
		}
		if want := []string{"1page", "2identify", "3track"}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: on the log: %q, want %q", path, got, want)
		}
	}
}

func TestKeyIsTakenFromHeaderQueryOrBody(t *testing.T) {
	single := `{"userId":"u","event":"X"%s}`
	for name, c := range map[string]struct {
		path, body, auth string
	}{
		"basic":                {"/v1/track", fmt.Sprintf(single, ""), "Basic " + base64.StdEncoding.EncodeToString([]byte("server-key:"))},
		"basic with password":  {"/v1/track", fmt.Sprintf(single, ""), "Basic " + base64.StdEncoding.EncodeToString([]byte("server-key:pw"))},
		"basic without colon":  {"/v1/track", fmt.Sprintf(single, ""), "Basic " + base64.StdEncoding.EncodeToString([]byte("server-key"))},
		"query":                {"/v1/track?writeKey=server-key", fmt.Sprintf(single, ""), ""},
		"body":                 {"/v1/track", fmt.Sprintf(single, `,"writeKey":"server-key"`), ""},
		"bearer and body":      {"/v1/track", fmt.Sprintf(single, `,"writeKey":"server-key"`), "Bearer token"},
		"empty basic and body": {"/v1/track", fmt.Sprintf(single, `,"writeKey":"server-key"`), "Basic Og=="},
		"batch body":           {"/v1/batch", `{"writeKey":"server-key","batch":[{"type":"track","userId":"u","event":"X"}]}`, ""},
		"batch body, key last": {"/v1/batch", `{"batch":[{"type":"track","userId":"u","event":"X"}],"writeKey":"server-key"}`, ""},
		"key in the event":     {"/v1/batch", `{"batch":[{"type":"track","userId":"u","event":"X","writeKey":"server-key"}]}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := newIntake(t)
			w := in.do(http.MethodPost, c.path, "", c.body, "Authorization", c.auth)
			if w.Code != 200 {
				t.Fatalf("answer %d %s", w.Code, w.Body)
			}
			e := in.one()
			if e.Source != "src_s" || strings.Contains(string(e.Context), "server-key") {
				t.Errorf("on the log: %+v", e)
			}
		})
	}
}

func TestUnknownOrMissingKeyIs401AndNothingElseIs(t *testing.T) {
	in := newIntake(t)
	for _, key := range []string{"nope", "", "with space", strings.Repeat("k", 200)} {
		w := in.do(http.MethodPost, "/v1/track", key, `{"userId":"u","event":"X"}`)
		if w.Code != 401 || read(t, w).Code == "" {
			t.Errorf("key %.20q: answer %d %s", key, w.Code, w.Body)
		}
		if w.Header().Get("WWW-Authenticate") != "" {
			t.Error("a browser would ask its user for a password")
		}
	}
	if len(in.events()) != 0 {
		t.Error("something reached the log")
	}
}

func TestAnyContentTypeAndGzipAreTaken(t *testing.T) {
	body := `{"userId":"u","event":"X"}`
	for _, contentType := range []string{"application/json", "text/plain", "application/x-www-form-urlencoded", ""} {
		for _, c := range []struct{ name, body, encoding string }{
			{"plain", body, ""},
			{"identity", body, "identity"},
			{"gzip", gzipped(t, body), "gzip"},
			{"gzip in capitals", gzipped(t, body), "GZIP"},
			{"gzip that does not say so", gzipped(t, body), ""},
		} {
			in := newIntake(t)
			w := in.do(http.MethodPost, "/v1/track", "server-key", c.body, "Content-Type", contentType, "Content-Encoding", c.encoding)
			if w.Code != 200 {
				t.Errorf("%q, %s: answer %d %s", contentType, c.name, w.Code, w.Body)
				continue
			}
			in.one()
		}
	}
}

func TestPreflightIsAnsweredOnEveryPath(t *testing.T) {
	in := newIntake(t)
	for _, path := range []string{
		"/v1/t", "/v1/track", "/v1/b", "/v1/batch", "/v1/import", "/v1/m", "/v1/projects/browser-key/settings", "/cluster-info",
		"/pixel/v1/track", "/pixel/v1/page", "/beacon/v1/batch",
	} {
		w := in.do(http.MethodOptions, path, "", "", "Origin", "https://shop.example",
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type,x-retry-count")
		h := w.Header()
		if w.Code != 204 || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Max-Age") == "" {
			t.Errorf("%s: %d %v", path, w.Code, h)
		}
		for _, name := range []string{"authorization", "content-type", "x-retry-count"} {
			if !strings.Contains(h.Get("Access-Control-Allow-Headers"), name) {
				t.Errorf("%s: header %s is not allowed", path, name)
			}
		}
	}
	w := in.do(http.MethodPost, "/v1/t", "nope", "{}")
	if w.Header().Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(w.Header().Get("Access-Control-Expose-Headers"), "Retry-After") {
		t.Errorf("an error a page cannot read: %v", w.Header())
	}
}

func TestOtherMethodsAndPathsAreRefused(t *testing.T) {
	in := newIntake(t)
	if w := in.do(http.MethodGet, "/v1/track", "server-key", ""); w.Code != 405 || !strings.Contains(w.Header().Get("Allow"), "POST") {
		t.Errorf("GET of a call: %d %v", w.Code, w.Header())
	}
	if w := in.do(http.MethodPost, "/pixel/v1/track", "server-key", ""); w.Code != 405 {
		t.Errorf("POST of a pixel: %d", w.Code)
	}
	for _, path := range []string{"/v1/teleport", "/v1/", "/v2/track", "/v1/track/x"} {
		if w := in.do(http.MethodPost, path, "server-key", "{}"); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestClientMetricsAreTakenAndNotKept(t *testing.T) {
	in := newIntake(t)
	if w := in.do(http.MethodPost, "/v1/m", "", `{"series":[]}`); w.Code != 200 {
		t.Errorf("answer %d", w.Code)
	}
	if len(in.events()) != 0 {
		t.Error("metrics became events")
	}
}

func TestClusterInfoSaysOneNode(t *testing.T) {
	if w := newIntake(t).do(http.MethodGet, "/cluster-info", "server-key", ""); w.Code != 200 || w.Body.String() != `{"nodeCount":1}` {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
}

func TestSettingsTellTheBrowserSDKWhereToSend(t *testing.T) {
	ask := func(in *intake, headers ...string) (int, string) {
		w := in.do(http.MethodGet, "http://127.0.0.1:9/v1/projects/browser-key/settings", "", "", headers...)
		return w.Code, w.Body.String()
	}
	document := func(host, scheme string) string {
		return `{"integrations":{"Segment.io":{"apiKey":"browser-key","apiHost":"` + host + `/v1","protocol":"` + scheme +
			`"}},"plan":{"track":{"__default":{"enabled":true,"integrations":{}}}},"metrics":{"sampleRate":0}}`
	}
	forwarded := []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "in.example"}
	if code, got := ask(newIntake(t), forwarded...); code != 200 || got != document("127.0.0.1:9", "http") {
		t.Errorf("direct: %d %s", code, got)
	}
	proxied := newIntake(t, func(c *collect.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")} })
	if _, got := ask(proxied, forwarded...); got != document("in.example", "https") {
		t.Errorf("behind a proxy: %s", got)
	}
	configured := newIntake(t, func(c *collect.Config) { c.PublicURL = "https://events.example/in/" })
	if _, got := ask(configured); got != document("events.example/in", "https") {
		t.Errorf("configured: %s", got)
	}
	if w := newIntake(t).do(http.MethodGet, "/v1/projects/nope/settings", "", ""); w.Code != 404 {
		t.Errorf("unknown key: %d", w.Code)
	}
}

func TestPixelTakesDataOrParametersAndAnswersAnImage(t *testing.T) {
	data := url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(`{"writeKey":"browser-key","anonymousId":"a","event":"Mail ä Opened","properties":{"n":1}}`)))
	raw := base64.RawURLEncoding.EncodeToString([]byte(`{"anonymousId":"a","event":"Mail ä Opened","properties":{"n":1}}`))
	for name, target := range map[string]string{
		"data":             "/pixel/v1/track?data=" + data,
		"url-safe data":    "/v1/pixel/track?writeKey=browser-key&data=" + raw,
		"plain parameters": "/pixel/v1/track?writeKey=browser-key&anonymousId=a&event=" + url.QueryEscape("Mail ä Opened") + "&properties.n=1&context.page.url=x",
	} {
		t.Run(name, func(t *testing.T) {
			in := newIntake(t)
			w := in.do(http.MethodGet, target, "", "", "User-Agent", "Mailer/1")
			if w.Code != 200 || w.Header().Get("Content-Type") != "image/gif" || !strings.HasPrefix(w.Body.String(), "GIF89a") {
				t.Fatalf("answer %d %v", w.Code, w.Header())
			}
			e := in.one()
			if e.Type != event.Track || e.Name != "Mail ä Opened" || e.AnonymousID != "a" || !strings.Contains(string(e.Properties), `"n":`) {
				t.Errorf("on the log: %+v", e)
			}
			if c := string(e.Context); !strings.Contains(c, `"userAgent":"Mailer/1"`) || !strings.Contains(c, `"ip":"203.0.113.0"`) {
				t.Errorf("context %s", c)
			}
		})
	}
	in := newIntake(t)
	for target, status := range map[string]int{
		"/pixel/v1/page?writeKey=browser-key":               200, // no ids: rejected one by one
		"/pixel/v1/page?writeKey=browser-key&data=%%%":      200, // a parameter that is none is left out
		"/pixel/v1/page?writeKey=browser-key&data=!":        400,
		"/pixel/v1/page?writeKey=browser-key&data=e30x":     400,
		"/pixel/v1/page?writeKey=nope&anonymousId=a":        401,
		"/pixel/v1/page?anonymousId=a":                      401,
		"/pixel/v1/page?writeKey=browser-key&anonymousId=a": 200,
	} {
		w := in.do(http.MethodGet, target, "", "")
		if w.Code != status || w.Header().Get("Content-Type") != "image/gif" {
			t.Errorf("%s: %d %s", target, w.Code, w.Header().Get("Content-Type"))
		}
	}
	if e := in.one(); e.Type != event.Page {
		t.Errorf("on the log: %+v", e)
	}
}

func TestBrowserKeysGetTheAddressOfTheConnectionShortened(t *testing.T) {
	proxies := func(c *collect.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("10.0.0.0/8")}
	}
	whole := func(c *collect.Config) { c.FullIP = true }
	for name, c := range map[string]struct {
		key, context string
		header       string
		config       []func(*collect.Config)
		want         any
	}{
		"browser":                           {key: "browser-key", want: "203.0.113.0"},
		"browser with an address":           {key: "browser-key", context: `{"ip":"198.51.100.9"}`, want: "198.51.100.0"},
		"browser that hides it":             {key: "browser-key", context: `{"ip":"0.0.0.0"}`, want: "0.0.0.0"},
		"server":                            {key: "server-key", want: nil},
		"server with an address":            {key: "server-key", context: `{"ip":"198.51.100.9"}`, want: "198.51.100.0"},
		"server with a v6 address":          {key: "server-key", context: `{"ip":"2001:db8:1234:5678::1"}`, want: "2001:db8:1234::"},
		"server with a mapped address":      {key: "server-key", context: `{"ip":"::ffff:198.51.100.9"}`, want: "198.51.100.0"},
		"server with an address and a port": {key: "server-key", context: `{"ip":"198.51.100.9:80"}`, want: "198.51.100.0"},
		"an address that is none":           {key: "server-key", context: `{"ip":"198.51.100.9, 10.1.2.3"}`, want: nil},
		"an address that is no text":        {key: "server-key", context: `{"ip":{"v4":"198.51.100.9"}}`, want: nil},
		"server that asks":                  {key: "server-key", context: `{"direct":true}`, want: "203.0.113.0"},
		"server that does not":              {key: "server-key", context: `{"direct":false}`, want: nil},
		"untrusted proxy":                   {key: "browser-key", header: "198.51.100.9", want: "203.0.113.0"},
		"trusted proxy":                     {key: "browser-key", header: "198.51.100.9", config: []func(*collect.Config){proxies}, want: "198.51.100.0"},
		"trusted proxies, forged beginning": {key: "browser-key", header: "1.1.1.1, 198.51.100.9, 10.0.0.1", config: []func(*collect.Config){proxies}, want: "198.51.100.0"},
		"trusted proxy, garbage":            {key: "browser-key", header: "unknown", config: []func(*collect.Config){proxies}, want: "203.0.113.0"},
		"whole addresses":                   {key: "browser-key", config: []func(*collect.Config){whole}, want: "203.0.113.77"},
		"whole address of the client":       {key: "server-key", context: `{"ip":"198.51.100.9"}`, config: []func(*collect.Config){whole}, want: "198.51.100.9"},
	} {
		t.Run(name, func(t *testing.T) {
			in := newIntake(t, c.config...)
			body := `{"anonymousId":"a","event":"X"}`
			if c.context != "" {
				body = `{"anonymousId":"a","event":"X","context":` + c.context + `}`
			}
			if w := in.do(http.MethodPost, "/v1/track", c.key, body, "X-Forwarded-For", c.header); w.Code != 200 {
				t.Fatalf("answer %d %s", w.Code, w.Body)
			}
			e := in.one()
			if got := event.Object(e.Context)["ip"]; got != c.want {
				t.Errorf("context.ip is %v, want %v", got, c.want)
			}
			if browser := e.Origin == event.Browser; browser != (c.key == "browser-key") {
				t.Errorf("origin is %s", e.Origin)
			}
		})
	}
}

func TestContextOfTheBatchStandsUnderThatOfTheEvent(t *testing.T) {
	in := newIntake(t)
	w := in.post("/v1/batch", `{"context":{"app":{"name":"shop"},"locale":"de"},"integrations":{"All":true,"X":true},"batch":[
		{"type":"track","event":"A","userId":"u","context":{"locale":"ja","os":{"name":"iOS"}},"integrations":{"X":false}},
		{"type":"track","event":"B","userId":"u"}]}`)
	if w.Code != 200 {
		t.Fatal(w.Body)
	}
	want := []string{
		`{"locale":"ja","os":{"name":"iOS"},"app":{"name":"shop"},"extra":{"integrations":{"X":false,"All":true}}}`,
		`{"app":{"name":"shop"},"locale":"de","extra":{"integrations":{"All":true,"X":true}}}`,
	}
	for i, e := range in.events() {
		if string(e.Context) != want[i] {
			t.Errorf("event %d: context %s, want %s", i, e.Context, want[i])
		}
	}
}

func TestUnknownMembersAreKept(t *testing.T) {
	for body, want := range map[string]struct{ context, properties string }{
		`{"type":"track","event":"A","userId":"u","_metadata":{"nodeVersion":"20"},"channel":"server","version":2}`: {context: `{"extra":{"_metadata":{"nodeVersion":"20"},"channel":"server","version":2}}`},
		`{"type":"track","event":"A","userId":"u","context":{"extra":1,"x":2},"extra":3}`:                           {context: `{"x":2,"extra":{"extra":1}}`},
		`{"type":"track","event":"A","userId":"u","extra":3}`:                                                       {context: `{"extra":{"extra":3}}`},
		`{"type":"track","event":"A","userId":"u","traits":{"a":1},"name":"N","properties":{"p":1}}`:                {context: `{"extra":{"name":"N","traits":{"a":1}}}`, properties: `{"p":1}`},
		`{"type":"identify","userId":"u","traits":{"a":1},"properties":{"p":1},"event":"E"}`:                        {context: `{"extra":{"event":"E","properties":{"p":1}}}`, properties: `{"a":1}`},
		`{"type":"identify","userId":"u","context":{"traits":{"a":1}}}`:                                             {context: `{"traits":{"a":1}}`, properties: `{"a":1}`},
		`{"type":"page","name":"N","category":"Docs","userId":"u","properties":{"p":1}}`:                            {properties: `{"category":"Docs","p":1}`},
		`{"type":"page","name":"N","category":"Docs","userId":"u"}`:                                                 {properties: `{"category":"Docs"}`},
		`{"type":"page","name":"N","category":"Docs","userId":"u","properties":{"category":"Own"}}`:                 {properties: `{"category":"Own"}`},
		`{"type":"track","event":"A","userId":"u","properties":null,"context":null}`:                                {},
		`{"type":"track","event":"A","userId":"u","properties":{},"context":{}}`:                                    {},
		`{"type":"track","event":"A","userId":"u","properties":{"a":{"b":[1,"]}",{"c":"\"\\"}]}},"z":"}"}`:          {context: `{"extra":{"z":"}"}}`, properties: `{"a":{"b":[1,"]}",{"c":"\"\\"}]}}`},
	} {
		in := newIntake(t)
		if w := in.post("/v1/batch", `{"batch":[`+body+`]}`); w.Code != 200 {
			t.Fatal(w.Body)
		}
		e := in.one()
		if string(e.Context) != want.context || string(e.Properties) != want.properties {
			t.Errorf("%s\ncontext %s, want %s\nproperties %s, want %s", body, e.Context, want.context, e.Properties, want.properties)
		}
	}
}

func TestMissingMessageIDIsMinted(t *testing.T) {
	in := newIntake(t)
	in.post("/v1/batch", `{"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"u","messageId":""},{"type":"page","userId":"u","messageId":null}]}`)
	seen := map[string]bool{}
	for _, e := range in.events() {
		if !strings.HasPrefix(e.MessageID, "evt_") || seen[e.MessageID] {
			t.Errorf("message id %q", e.MessageID)
		}
		seen[e.MessageID] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d ids", len(seen))
	}
}

func TestNumbersAsIdentifiersCountAsTheirText(t *testing.T) {
	in := newIntake(t)
	in.post("/v1/track", `{"userId":12345678901234567890,"anonymousId":-7,"messageId":42,"event":2024}`)
	if e := in.one(); e.UserID != "12345678901234567890" || e.AnonymousID != "-7" || e.MessageID != "42" || e.Name != "2024" {
		t.Errorf("on the log: %+v", e)
	}
}

func TestTimesAreCorrectedByTheClientsClock(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for name, c := range map[string]struct {
		event, batch string // members
		want         string
		flags        []string
	}{
		"no time":                          {want: "2026-05-06T07:08:09Z"},
		"time without sentAt stays":        {event: `"timestamp":"2026-05-01T00:00:00Z"`, want: "2026-05-01T00:00:00Z"},
		"clock an hour ahead":              {event: `"timestamp":"2026-05-06T08:00:00Z"`, batch: `"sentAt":"2026-05-06T08:08:09Z"`, want: "2026-05-06T07:00:00Z"},
		"clock an hour behind":             {event: `"timestamp":"2026-05-06T06:00:00Z"`, batch: `"sentAt":"2026-05-06T06:08:09Z"`, want: "2026-05-06T07:00:00Z"},
		"latency is no error of the clock": {event: `"timestamp":"1997-01-01T00:00:00Z"`, batch: `"sentAt":"2026-05-06T07:08:08.200Z"`, want: "1997-01-01T00:00:00Z"},
		"a batch that was repeated":        {event: `"timestamp":"2026-05-06T07:07:00Z"`, batch: `"sentAt":"2026-05-06T07:07:10Z"`, want: "2026-05-06T07:07:00Z"},
		"originalTimestamp wins":           {event: `"timestamp":"2020-01-01T00:00:00Z","originalTimestamp":"2026-05-06T08:00:00Z","sentAt":"2026-05-06T08:08:09Z"`, want: "2026-05-06T07:00:00Z"},
		"the event's sentAt wins":          {event: `"timestamp":"2026-05-06T08:00:00Z","sentAt":"2026-05-06T08:08:09Z"`, batch: `"sentAt":"2001-01-01T00:00:00Z"`, want: "2026-05-06T07:00:00Z"},
		"clock of 1970":                    {event: `"timestamp":"1970-01-01T00:01:00Z","sentAt":"1970-01-01T00:01:10Z"`, want: "2026-05-06T07:07:59Z"},
		"four minutes ahead is left":       {event: `"timestamp":"2026-05-06T07:12:09Z"`, want: "2026-05-06T07:12:09Z"},
		"six minutes ahead is now":         {event: `"timestamp":"2026-05-06T07:14:09Z"`, want: "2026-05-06T07:08:09Z", flags: []string{collect.FlagClockFuture}},
		"the year 9999 is now":             {event: `"timestamp":"9999-12-31T23:59:59Z"`, want: "2026-05-06T07:08:09Z", flags: []string{collect.FlagClockFuture}},
		"zone":                             {event: `"timestamp":"2026-05-01T09:00:00.123456+09:00"`, want: "2026-05-01T00:00:00.123456Z"},
		"zone without colon":               {event: `"timestamp":"2026-05-01T09:00:00+0900"`, want: "2026-05-01T00:00:00Z"},
		"no zone":                          {event: `"timestamp":"2026-05-01T09:00:00"`, want: "2026-05-01T09:00:00Z"},
		"a space":                          {event: `"timestamp":"2026-05-01 09:00:00"`, want: "2026-05-01T09:00:00Z"},
		"a day":                            {event: `"timestamp":"2026-05-01"`, want: "2026-05-01T00:00:00Z"},
		"seconds":                          {event: `"timestamp":1777593600`, want: "2026-05-01T00:00:00Z"},
		"milliseconds":                     {event: `"timestamp":1777593600123`, want: "2026-05-01T00:00:00.123Z"},
		"microseconds":                     {event: `"timestamp":1777593600123456`, want: "2026-05-01T00:00:00.123456Z"},
		"milliseconds as text":             {event: `"timestamp":"1777593600123"`, want: "2026-05-01T00:00:00.123Z"},
		"sentAt copied from the time":      {event: `"originalTimestamp":"2020-01-01T00:00:00Z","sentAt":"2020-01-01T00:00:00Z"`, want: "2020-01-01T00:00:00Z"},
		"a time that Go left unset":        {event: `"timestamp":"0001-01-01T00:00:00Z"`, want: "2026-05-06T07:08:09Z"},
		"empty":                            {event: `"timestamp":""`, want: "2026-05-06T07:08:09Z"},
		"null":                             {event: `"timestamp":null,"sentAt":null`, want: "2026-05-06T07:08:09Z"},
		"sentAt that is no time":           {event: `"timestamp":"2026-05-01T00:00:00Z"`, batch: `"sentAt":"soon"`, want: "2026-05-01T00:00:00Z", flags: []string{collect.FlagSentAt}},
	} {
		t.Run(name, func(t *testing.T) {
			in := newIntake(t)
			body := `{"type":"page","userId":"u"` + prefixed(c.event) + `}`
			if w := in.post("/v1/batch", `{"batch":[`+body+`]`+prefixed(c.batch)+`}`); w.Code != 200 || len(read(t, w).Rejected) > 0 {
				t.Fatalf("answer %d %s", w.Code, w.Body)
			}
			e := in.one()
			if !e.Time.Equal(at(c.want)) || !e.Received.Equal(now) {
				t.Errorf("time %v received %v, want %s and %v", e.Time, e.Received, c.want, now)
			}
			if diff := cmp.Diff(c.flags, e.Flags); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABrowsersClockIsCorrectedAlsoWhenItSendsAtOnce(t *testing.T) {
	in := newIntake(t)
	for _, sent := range []string{"2020-01-01T00:00:00Z", "2026-05-06T07:08:06Z", "2026-05-06T07:08:12Z"} {
		in.do(http.MethodPost, "/v1/page", "browser-key", `{"anonymousId":"a","timestamp":"`+sent+`","sentAt":"`+sent+`"}`)
		if e := in.one(); !e.Time.Equal(now) {
			t.Errorf("sent at %s: time %v, want %v", sent, e.Time, now)
		}
	}
}

func prefixed(members string) string {
	if members == "" {
		return ""
	}
	return "," + members
}

func TestAllFourTimesAreKept(t *testing.T) {
	in := newIntake(t)
	in.post("/v1/batch", `{"sentAt":"2026-05-06T08:08:09Z","batch":[{"type":"page","userId":"u","timestamp":"2026-05-06T08:00:00.5Z"}]}`)
	e := in.one()
	got := []time.Time{e.Time, e.Original, e.Sent, e.Received}
	want := []time.Time{now.Add(-8*time.Minute - 9*time.Second + 500*time.Millisecond), now.Add(51*time.Minute + 51500*time.Millisecond), now.Add(time.Hour), now}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBrokenTextAndNumbersAreMendedAndFlagged(t *testing.T) {
	in := newIntake(t)
	w := in.post("/v1/track", "{\"userId\":\"u\",\"event\":\"X\",\"properties\":{\"nul\":\"a\\u0000b\",\"half\":\"\\ud83d\",\"latin\":\"caf\xe9\",\"huge\":1e999,\"twice\":1,\"twice\":2}}")
	if w.Code != 200 || len(read(t, w).Rejected) > 0 {
		t.Fatalf("answer %d %s", w.Code, w.Body)
	}
	e := in.one()
	want := "{\"nul\":\"a\uFFFDb\",\"half\":\"\uFFFD\",\"latin\":\"caf\uFFFD\",\"huge\":\"1e999\",\"twice\":2}"
	if string(e.Properties) != want {
		t.Errorf("properties %s, want %s", e.Properties, want)
	}
	if diff := cmp.Diff([]string{collect.FlagRepaired}, e.Flags); diff != "" {
		t.Error(diff)
	}
	if clean := event.Clean(e.Properties); string(clean) != want {
		t.Errorf("the event store would still change it to %s", clean)
	}
}

func TestEventOfTheWholeSizeAllowedIsTaken(t *testing.T) {
	in := newIntake(t)
	frame := `{"userId":"u","event":"X","properties":{"p":""}}`
	body := strings.Replace(frame, `""`, `"`+strings.Repeat("x", collect.MaxEvent-len(frame))+`"`, 1)
	if len(body) != collect.MaxEvent {
		t.Fatal("the test is wrong")
	}
	if w := in.post("/v1/track", body); w.Code != 200 || len(read(t, w).Rejected) > 0 {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	in.one()
}

func TestWorkspacesAreKeptApart(t *testing.T) {
	in := newIntake(t)
	in.do(http.MethodPost, "/v1/page", "server-key", `{"userId":"u"}`)
	in.do(http.MethodPost, "/v1/page", "other-key", `{"userId":"u"}`)
	evs := in.events()
	if len(evs) != 2 || evs[0].Workspace != "ws_1" || evs[1].Workspace != "ws_2" {
		t.Errorf("on the log: %+v", evs)
	}
}

func TestInternalFieldsCannotBeSentFromOutside(t *testing.T) {
	in := newIntake(t)
	w := in.post("/v1/batch", `{"batch":[
		{"type":"message","userId":"u","name":"Message Opened"},{"type":"segment","userId":"u"},{"type":"journey","userId":"u"},{"type":"consent","userId":"u"},
		{"type":"track","event":"X","userId":"u","pid":"per_1","w":"ws_2","o":"internal","origin":"internal","personId":"per_1","workspace":"ws_2"}]}`)
	if n := len(read(t, w).Rejected); n != 4 {
		t.Errorf("%d of the internal types refused: %s", n, w.Body)
	}
	e := in.one()
	if e.PersonID != "" || e.Workspace != "ws_1" || e.Origin != event.Server {
		t.Errorf("on the log: %+v", e)
	}
	if !json.Valid(e.Context) {
		t.Errorf("context %s", e.Context)
	}
}
